"""What one stage of a run works with, and where in it it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lightning_fabric import Fabric
from torch import nn

from upres.data.crops import Pair
from upres.processes.together import share
from upres.recipes.schema import Recipe
from upres.recipes.stages import GanStage, PixelStage
from upres.training.journal import Event, Journal
from upres.training.kept import Keeper
from upres.training.length import epoch_steps
from upres.training.players import Players
from upres.training.schedule import Moment
from upres.training.state import StageState
from upres.training.validation import Crops, Validator
from upres.watch.watch import Watch


@dataclass(frozen=True)
class StageRun:
    """What a stage works with; nothing in it changes but the networks inside `state`."""

    recipe: Recipe
    name: str
    stage: PixelStage | GanStage
    folder: Path
    state: StageState
    players: Players
    fabric: Fabric
    pictures: Sequence[Pair]
    validate: Validator
    keeper: Keeper
    journal: Journal
    watch: Watch
    should_stop: Callable[[], bool]
    show: Callable[[str, int, Crops], None] | None = None  # stage, step, crops of a validation

    @property
    def judged(self) -> nn.Module:
        """The network that is validated, saved for use and handed over."""
        average = self.state.average
        use_average = average is not None and self.stage.handover_weights == "ema"
        return average if average is not None and use_average else self.state.generator

    @property
    def moment(self) -> Moment:
        """Where the stage is, for everything that follows a schedule."""
        progress = self.state.progress
        return Moment(progress.step, progress.planned, epoch_steps(self.recipe, self.pictures))

    @property
    def seed(self) -> int:
        """Each stage sees draws of its own."""
        return self.recipe.seed + 1_000_003 * list(self.recipe.stages).index(self.name)

    @property
    def crops_a_step(self) -> int:
        """How many crops a step draws: a batch for each update of the discriminator."""
        return self._turns * self.recipe.batch

    @property
    def own_crops(self) -> list[int]:
        """Which of them this process takes: its share of each batch, one batch after another."""
        own, batch = share(self.fabric, self.recipe.batch), self.recipe.batch
        return [turn * batch + index for turn in range(self._turns) for index in own]

    @property
    def own_batch(self) -> int:
        """How many crops of a batch this process takes."""
        return len(share(self.fabric, self.recipe.batch))

    def tell(self, event: Event) -> None:
        """Write an event of this stage, and the verdicts that it brings about, into the journal."""
        self.journal.write(event)
        for news in self.watch.see(event):
            self.journal.write(news)

    @property
    def _turns(self) -> int:
        return self.stage.balance.discriminator_steps if isinstance(self.stage, GanStage) else 1


def is_finished(run: StageRun) -> bool:
    """Return whether all planned steps of the stage are done."""
    progress = run.state.progress
    return progress.planned is not None and progress.step >= progress.planned

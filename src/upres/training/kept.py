"""Which weights of a stage stay on the disk: the last K, the best by each metric, the chosen."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from upres.atomic import replacing
from upres.recipes.stages import GanStage, Metric, PixelStage
from upres.training.state import Best, Progress
from upres.training.validation import is_better
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint


@dataclass(frozen=True)
class Keeper:
    """Writes a stage's checkpoints. `header` is what all of them say alike."""

    folder: Path
    stage: PixelStage | GanStage
    header: CheckpointHeader
    keep_last: int

    def keep(
        self, network: nn.Module, progress: Progress, metrics: Mapping[str, float]
    ) -> tuple[Progress, list[str]]:
        """Save `network` as the last and wherever it is the best so far.

        Returns the progress with the new bests and the names of the metrics that improved.
        """
        header = self.header.model_copy(update={"step": progress.step, "metrics": dict(metrics)})
        tensors = network.state_dict()
        save_checkpoint(self.folder / _last(progress.step), tensors, header)
        self._prune(progress.step)
        better = [m for m in self.stage.best if _improves(m, metrics[m], progress)]
        for metric in better:
            save_checkpoint(self.folder / _best(metric), tensors, header)
        best: dict[str, Best] = dict(progress.best)
        best |= {metric: Best(value=metrics[metric], step=progress.step) for metric in better}
        return progress.model_copy(update={"best": best}), list(better)

    def hand_over(self, progress: Progress) -> None:
        """Make the checkpoint that the recipe chose the stage's model.safetensors."""
        best = self.stage.handover == "best"
        chosen = _best(self.stage.best[0]) if best else _last(progress.step)
        copy_file(self.folder / chosen, self.folder / "model.safetensors")

    def _prune(self, step: int) -> None:
        """Keep the last K up to `step`; later ones are from a future that a crash undid."""
        kept = sorted(self.folder.glob("step-*.safetensors"))
        past = [path for path in kept if path.name <= _last(step)]
        for path in kept:
            if path not in past[-self.keep_last :]:
                path.unlink()


def copy_file(source: Path, target: Path) -> None:
    """Replace `target` by a copy of `source`, all of it or nothing. Raises NoSpace."""
    with replacing(target) as partial:
        shutil.copyfile(source, partial)


def _improves(metric: Metric, value: float, progress: Progress) -> bool:
    best = progress.best.get(metric)
    return best is None or is_better(metric, value, best.value)


def _last(step: int) -> str:
    return f"step-{step:07d}.safetensors"


def _best(metric: Metric) -> str:
    return f"best-{metric}.safetensors"

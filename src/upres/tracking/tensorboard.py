"""TensorBoard: RUN/tensorboard/STAGE holds a stage's curves, verdicts and pictures.

A stage is a run of TensorBoard's, so every stage has its own axis of steps.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from upres.errors import MissingExtra
from upres.tracking.tracker import Event, Pixels, curves, verdict_text

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_FLUSH_SECONDS = 10


class TensorBoard:
    """Writes event files into the run's folder; needs no server and no account."""

    def __init__(self) -> None:
        self._folder = Path()
        self._writers: dict[str, SummaryWriter] = {}

    def start(self, folder: Path) -> None:
        """Raises MissingExtra without the package tensorboard."""
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError as error:
            raise MissingExtra("tensorboard", "track", "--track tensorboard") from error
        self._folder = folder

    def event(self, event: Event) -> None:
        match event["event"]:
            case "stage":
                self._open(event["stage"], event["from_step"])
            case "verdict":
                writer = self._writers[event["stage"]]
                writer.add_text("verdicts", verdict_text(event), event["step"])
                writer.flush()
            case "step" | "validation":
                writer = self._writers[event["stage"]]
                for name, value in curves(event).items():
                    writer.add_scalar(name, value, event["step"])
                writer.flush()  # a killed process leaves no gap that a resumed one would not fill

    def pictures(self, stage: str, step: int, pictures: Mapping[str, Pixels]) -> None:
        for name, picture in pictures.items():
            self._writers[stage].add_image(f"pictures/{name}", picture, step, dataformats="HWC")

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _open(self, stage: str, from_step: int) -> None:
        """Begin a file of events, before which later steps than `from_step` do not count."""
        from torch.utils.tensorboard import SummaryWriter

        folder = self._folder / "tensorboard" / stage
        new = not folder.exists()
        # The validation at step 0 is done again, the one at any other saved step is not.
        writer = SummaryWriter(
            str(folder),
            purge_step=from_step + 1 if from_step else 0,
            flush_secs=_FLUSH_SECONDS,
        )
        self._writers[stage] = writer
        if new or from_step == 0:
            for name in ("recipe.yaml", "run.json"):
                text = (self._folder / name).read_text(encoding="utf-8")
                writer.add_text(name, _as_code(text), from_step)


def _as_code(text: str) -> str:
    """Indented by four spaces Markdown shows a text as it is."""
    return "".join(f"    {line}\n" for line in text.splitlines())

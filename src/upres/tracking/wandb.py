"""Weights & Biases, online or offline: one of its runs for a run's folder, gone on with.

RUN/wandb.json says which of its runs it is and what was sent; its own files are in RUN/wandb.
"""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ValidationError

from upres.errors import MissingExtra, UpresError
from upres.tracking.tracker import Event, Pixels, curves, verdict_text

if TYPE_CHECKING:
    import wandb

_PROJECT = "upres"  # unless the user's own settings name one
_SECONDS_TO_START = 30.0
_SECONDS_TO_END = 50.0  # less than a guard waits: then what is not sent stays on the disk


class _Sent(BaseModel, extra="forbid"):
    """Where the run of theirs is. They number rows on their own and take none twice."""

    id: str
    row: int = 0
    steps: dict[str, int] = {}  # by stage and kind: the last step that was sent


class WandB:
    """Sends to wandb's server, or with `offline` writes for `wandb sync` to send later."""

    def __init__(self, *, offline: bool = False) -> None:
        self._offline = offline
        self._run: wandb.Run | None = None
        self._stages: set[str] = set()

    def start(self, folder: Path) -> None:
        """Raises MissingExtra without the package wandb, UpresError where nobody is logged in."""
        try:
            import wandb
        except ImportError as error:
            raise MissingExtra("wandb", "track", "--track wandb") from error
        settings = wandb.setup(wandb.Settings(silent=True)).settings
        offline = self._offline or settings.mode not in ("online", "shared", "run")
        # Without a key `wandb.init` would ask for one, in the middle of a training.
        if not offline and not wandb.login(prompt=False, verify=False):
            raise UpresError(
                "nobody is logged in to Weights & Biases: run `wandb login`, "
                "or give --track wandb:offline."
            )
        self._file = folder / "wandb.json"
        self._sent = _read(self._file)
        self._before = dict(self._sent.steps)
        self._run = wandb.init(
            project=settings.project or _PROJECT,
            name=folder.resolve().name,
            id=self._sent.id,
            resume=None if offline else "allow",  # offline nothing is known of an earlier part
            dir=str(folder),
            config=_config(folder),
            mode="offline" if self._offline else None,
            settings=wandb.Settings(
                silent=True,
                console="off",  # stdout and stderr are ours
                init_timeout=_SECONDS_TO_START,
                finish_timeout=_SECONDS_TO_END,
            ),
        )
        self._write()

    def event(self, event: Event) -> None:
        match event["event"]:
            case "verdict":
                self._log(event, "verdict", {"verdict": verdict_text(event)})
            case "step" | "validation" as kind:
                self._log(event, kind, curves(event))

    def pictures(self, stage: str, step: int, pictures: Mapping[str, Pixels]) -> None:
        import wandb

        shown = {
            f"pictures/{name}": wandb.Image(picture, caption="LR, bicubic, SR, HR")
            for name, picture in pictures.items()
        }
        self._log({"stage": stage, "step": step}, "pictures", shown)

    def close(self) -> None:
        if self._run is not None:
            run, self._run = self._run, None
            run.finish()

    def _log(self, at: Event, kind: str, values: Mapping[str, Any]) -> None:
        """Send a row, unless an earlier life of the run sent it: then it holds the same bits."""
        assert self._run is not None
        stage, step = at["stage"], at["step"]
        if step <= self._before.get(f"{stage}/{kind}", -1):
            return
        if stage not in self._stages:
            self._stages.add(stage)
            self._run.define_metric(f"{stage}/step")
            self._run.define_metric(f"{stage}/*", step_metric=f"{stage}/step")
        row = {f"{stage}/{name}": value for name, value in values.items()}
        self._run.log({**row, f"{stage}/step": step}, step=self._sent.row)
        self._sent.row += 1
        self._sent.steps[f"{stage}/{kind}"] = step
        self._write()

    def _write(self) -> None:
        # Not synced: what a killed process wrote stays, and losing it costs points drawn twice.
        self._file.write_text(self._sent.model_dump_json() + "\n", encoding="utf-8")


def _read(file: Path) -> _Sent:
    try:
        return _Sent.model_validate_json(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return _Sent(id=secrets.token_hex(4))


def _config(folder: Path) -> dict[str, Any]:
    recipe: dict[str, Any] = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    return {**recipe, "run": json.loads((folder / "run.json").read_text(encoding="utf-8"))}

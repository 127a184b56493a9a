"""Whether a launcher started this process together with others, read from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from upres.errors import UpresError


@dataclass(frozen=True)
class Started:
    """What torchrun or SLURM has started: `processes` on each of `machines`."""

    by: str
    processes: int
    machines: int


class ToldByFirst(UpresError):
    """The first process stopped for this reason, and speaks for all."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def started_by(environ: Mapping[str, str]) -> Started | None:
    """Return what started this process together with others, or None where nothing did.

    As Lightning Fabric sees it: torchrun first, since it is also used inside SLURM jobs.
    """
    if "TORCHELASTIC_RUN_ID" in environ:
        here, everywhere = int(environ["LOCAL_WORLD_SIZE"]), int(environ["WORLD_SIZE"])
        return Started("torchrun", here, everywhere // here)
    if _by_srun(environ):
        machines = int(environ.get("SLURM_NNODES", "1"))
        return Started("SLURM", int(environ["SLURM_NTASKS"]) // machines, machines)
    return None


def is_first(environ: Mapping[str, str]) -> bool:
    """Return whether this process is the one that writes and speaks; true where it is alone."""
    if "TORCHELASTIC_RUN_ID" in environ:
        return environ["RANK"] == "0"
    if _by_srun(environ):
        return environ.get("SLURM_PROCID", "0") == "0"
    # Fabric gives these to the processes that it starts
    return environ.get("LOCAL_RANK", "0") == "0" and environ.get("NODE_RANK", "0") == "0"


def _by_srun(environ: Mapping[str, str]) -> bool:
    interactive = environ.get("SLURM_JOB_NAME") in ("bash", "interactive")
    return "SLURM_NTASKS" in environ and not interactive

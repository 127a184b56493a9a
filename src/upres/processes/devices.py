"""Which devices and processes a run uses: as wished, as started, checked before anything begins."""

import os
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from upres.errors import BadSetting
from upres.processes.launched import Started
from upres.upscaling.device import pick_device

DeviceWish = Literal["auto", "cpu", "cuda", "mps"]
Device = Literal["cpu", "cuda", "mps"]
Strategy = Literal["auto", "ddp", "fsdp"]


@dataclass(frozen=True)
class Wish:
    """What the user asked for; None where it was not said."""

    device: str = "auto"
    processes: int | None = None  # on each machine
    machines: int | None = None
    strategy: str = "auto"
    accumulate: int = 1


@dataclass(frozen=True)
class Layout:
    """What a run uses. sharded: the generator is spread over the processes (FSDP).

    accumulate: micro-batches that are added up before the optimisers step.
    """

    device: Device = "cpu"
    processes: int = 1  # on each machine
    machines: int = 1
    sharded: bool = False
    accumulate: int = 1

    @property
    def count(self) -> int:
        """All processes of the run."""
        return self.processes * self.machines


ALONE = Layout()


def lay_out(wish: Wish, started: Started | None) -> Layout:
    """Return the layout that is wished for. Raises BadSetting where this machine cannot give it."""
    _refuse_unknown("--device", wish.device, get_args(DeviceWish))
    _refuse_unknown("--strategy", wish.strategy, get_args(Strategy))
    if wish.accumulate < 1:
        raise BadSetting(f"--accumulate is {wish.accumulate}: give at least 1.")
    device = _kind(wish.device)
    processes = _agreed("--devices", wish.processes, started, "processes")
    machines = _agreed("--nodes", wish.machines, started, "machines")
    _refuse_too_many(device, processes)
    layout = Layout(device, processes, machines, wish.strategy == "fsdp", wish.accumulate)
    if layout.sharded and layout.count == 1:
        raise BadSetting(
            "--strategy fsdp spreads a network over several processes and there is one: "
            "give --devices 2 or more, or leave --strategy out."
        )
    return layout


def _kind(wish: str) -> Device:
    match pick_device(wish).type:
        case "cuda":
            return "cuda"
        case "mps":
            return "mps"
    return "cpu"


def shares(batch: int, layout: Layout) -> int:
    """Return the crops of one micro-batch of one process. Raises BadSetting if they do not fit."""
    parts = layout.count * layout.accumulate
    if batch % parts:
        of = f"{layout.count} processes" if layout.count > 1 else ""
        times = f"{layout.accumulate} micro-batches" if layout.accumulate > 1 else ""
        raise BadSetting(
            f"a batch of {batch} cannot be parted equally among "
            f"{' of '.join(part for part in (times, of) if part)}: set batch to a multiple of "
            f"{parts}, or other --devices or --accumulate."
        )
    return batch // parts


def _agreed(option: str, wished: int | None, started: Started | None, what: str) -> int:
    if wished is not None and wished < 1:
        raise BadSetting(f"{option} is {wished}: give at least 1.")
    if started is None:
        return wished or 1
    there: int = getattr(started, what)
    if wished is not None and wished != there:
        raise BadSetting(
            f"{option} is {wished} but {started.by} started {there} {what}: leave {option} out."
        )
    return there


def _refuse_too_many(device: Device, processes: int) -> None:
    match device:
        case "cuda":
            have, what = torch.cuda.device_count(), "CUDA devices"
        case "mps":
            have, what = 1, "Apple GPU"
        case "cpu":
            have, what = _cores(), "processor cores"
    if processes > have:
        raise BadSetting(
            f"{processes} processes on this machine are more than its {have} {what}: "
            f"give --devices {have} at most."
        )


def _cores() -> int:
    allowed = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


def _refuse_unknown(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadSetting(f"{option} {value!r} is unknown: give one of {', '.join(known)}.")

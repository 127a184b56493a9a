"""Where a network computes: as wished, checked before anything begins."""

import torch

from upres.errors import BadSetting


def pick_device(wish: str) -> torch.device:
    """Return the device; `auto` is CUDA where there is some, then an Apple GPU, then the processor.

    wish: auto, cpu, cuda, cuda:N or mps. Raises BadSetting for what this machine does not have.
    """
    if wish == "auto":
        wish = "cuda" if torch.cuda.is_available() else "cpu"
        wish = "mps" if wish == "cpu" and torch.backends.mps.is_available() else wish
    kind, _, number = wish.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not (kind == "cuda" and number.isdigit())):
        raise BadSetting(f"--device {wish} is unknown; give auto, cpu, cuda, cuda:N or mps.")
    if kind == "cuda" and torch.cuda.device_count() <= int(number or 0):
        count = torch.cuda.device_count()
        raise BadSetting(
            f"--device {wish}: PyTorch sees {count or 'no'} CUDA device{'s' * (count != 1)} here; "
            f"give --device auto, or install PyTorch for CUDA and its driver."
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise BadSetting("--device mps: PyTorch sees no Apple GPU here; give --device auto.")
    return torch.device(wish)


def cuda_devices() -> int:
    """Return how many CUDA devices PyTorch sees."""
    return torch.cuda.device_count()

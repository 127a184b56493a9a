"""How much memory there is, and how much of it a picture may take."""

import os
import re
import sys
from pathlib import Path
from typing import Final

from upres.errors import BadSetting

SHARE: Final = 4  # of what is free, one in so many bytes is used if nothing else was asked for
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_CGROUPS: Final = (  # limit and use of a container, of both generations
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def parse_memory(text: str) -> int:
    """Return the bytes in a text such as 800M, 1.5GB (powers of 1000) or 2GiB (of 1024).

    Raises BadSetting for anything else, and for nothing at all.
    """
    found = re.fullmatch(r"([0-9]*\.?[0-9]+) *([kmgt]?)(i?)b?", text.strip().lower())
    unit = (1024 if found[3] else 1000) ** _POWERS[found[2]] if found else 0
    size = int(float(found[1]) * unit) if found else 0
    if size <= 0:
        raise BadSetting(f"--memory {text!r} is no size; give one such as 800M or 1.5G.")
    return size


def free_memory() -> int:
    """Return the bytes that programs can still get here, inside this container's limit."""
    return min([_free_of_machine(), *_free_of_containers()])


def default_memory() -> int:
    """Return the bytes that this process may come to hold: a quarter of what is free, and its own.

    Its own: what it holds already, which no picture can change.
    """
    return resident() + free_memory() // SHARE


def resident() -> int:
    """Return the bytes that this process holds in memory now."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError):
        return _highest()
    return pages * os.sysconf("SC_PAGE_SIZE")


def human(size: float) -> str:
    """Return bytes as people say them: 350 MB, 1.2 GB (powers of 1000)."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size /= 1000
        del units[0]
    digits = 1 if units[0] in ("GB", "TB") and size < 99.5 else 0
    return f"{size:.{digits}f} {units[0]}"


def _free_of_machine() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return _physical() // 2  # elsewhere free memory has no such name; half is a guess


def _physical() -> int:
    if sys.platform == "win32":
        return 8 * 2**30  # a guess: Python's library cannot tell there
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _free_of_containers() -> list[int]:
    found = []
    for limit, used in _CGROUPS:
        try:
            most = Path(limit).read_text(encoding="ascii").strip()
            now = Path(used).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if most.isdigit() and now.isdigit():
            found.append(max(0, int(most) - int(now)))
    return found


def _highest() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024

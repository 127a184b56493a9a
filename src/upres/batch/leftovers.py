"""What a killed process left half-written beside its targets: found by its name, and removed."""

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

_PARTIAL = re.compile(r"\.(?P<stem>.+)\.[0-9a-f]{8}\.part(?P<ending>\..+)?")  # atomic.replacing


def remove_leftovers(targets: Iterable[Path]) -> None:
    """Remove the temporary files of these targets. No other process may be writing them."""
    stems: dict[Path, set[str]] = {}
    for target in targets:
        stems.setdefault(target.parent, set()).add(target.stem)
    for folder, ours in stems.items():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as seen:
            for entry in seen:
                found = _PARTIAL.fullmatch(entry.name)
                if found is not None and found["stem"] in ours:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)

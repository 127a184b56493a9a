"""The errors that a user sees: one sentence each, printed bare on stderr by the command line.

UpresError            the user can put it right and nothing was started: exit code 2
    BadSetting        a recipe, a field or an option is unknown or has a wrong value
    BadPicture        a file is no picture that can be read or written
    BadPhotos         a folder or a store cannot be trained on or judged
    BadWeights        a file of weights is unsafe, damaged, or of an unknown network
    MissingWeights    pretrained weights that are needed are not on this machine
    BadRun            a run's folder holds something else than what was asked for
    NoSpace           the disk is full or cannot be written; nothing half-written is left
    WontFit           the work needs more memory or disk than there is, by an estimate
    MissingExtra      an optional package is needed
WorkFailed            the work ran and some of it failed: exit code 1
    Diverged          a loss is not finite
Interrupted           Ctrl-C after everything was saved: exit code 130
"""

import difflib
from collections.abc import Iterable


class UpresError(Exception):
    """A mistake that the user can put right; nothing was started."""

    exit_code = 2


class BadSetting(UpresError):
    """A recipe, field or option is unknown or has a value that does not fit."""


class BadPicture(UpresError):
    """A file is not a picture that can be read or written."""


class BadPhotos(UpresError):
    """A folder of photos or a prepared store cannot be used."""


class BadWeights(UpresError):
    """A file of weights is unsafe, damaged, or belongs to an unknown network."""


class MissingWeights(UpresError):
    """Pretrained weights that the work needs are not on this machine."""


class BadRun(UpresError):
    """A run's folder holds something else than what was asked for."""


class NoSpace(UpresError):
    """A file could not be written; what was there before is untouched."""


class WontFit(UpresError):
    """By an estimate the work needs more memory or disk than there is."""


class MissingExtra(UpresError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, what: str) -> None:
        super().__init__(
            f"{what} needs the package {package}, which is not installed: "
            f"run `pip install 'upres[{extra}]'`."
        )


class WorkFailed(UpresError):
    """The work ran and some of it failed; the message lists what."""

    exit_code = 1


class Diverged(WorkFailed):
    """A loss is not finite; the last good state was kept."""


class Interrupted(UpresError):
    """The user stopped the work; what was done is saved and the message says how to go on."""

    exit_code = 130


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "did you mean X?" for the nearest known names, or the list of all of them."""
    choices = list(known)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(choices)}."

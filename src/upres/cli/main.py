"""The program `upres`: its commands, and how their failures end."""

import errno
import os
import signal
import sys
import threading
import time

import typer
from rich.console import Console

from upres.errors import BadSetting, Diverged, Interrupted, NoSpace, UpresError
from upres.processes.launched import ToldByFirst, is_first

app = typer.Typer(
    name="upres",
    help="Super-resolution that you can train, judge and trust.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)

_FIRST_SPEAKS_SECONDS = 3
_OF_PATHS = (errno.ENAMETOOLONG, errno.EACCES, errno.ENOSPC)  # no mistakes of a programmer


def _register() -> None:
    from upres.cli import (
        demo,
        describe,
        doctor,
        evaluate,
        export,
        interpolate,
        metrics,
        prepare,
        protocols,
        recipe,
        report,
        self_check,
        study_losses,
        sweep,
        train,
        upscale,
        weights,
    )

    app.command("demo")(demo.demo)
    app.command("prepare")(prepare.prepare)
    app.command("train")(train.train)
    app.command("study-losses")(study_losses.study_losses)
    app.command("recipe")(recipe.recipe)
    app.command("describe")(describe.describe)
    app.command("evaluate")(evaluate.evaluate)
    app.command("metrics")(metrics.metrics)
    app.command("protocols")(protocols.protocols)
    app.command("self-check")(self_check.self_check)
    app.command("upscale", context_settings=upscale.CONTEXT)(upscale.upscale)
    app.command("doctor")(doctor.doctor)
    app.command("interpolate")(interpolate.interpolate)
    app.command("export")(export.export)
    app.command("sweep")(sweep.sweep)
    app.command("report")(report.report)
    app.add_typer(weights.app, name="weights")


def _version(asked: bool) -> None:
    if asked:
        from upres import __version__

        print(f"upres {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Super-resolution that you can train, judge and trust."""


def _exit_code(error: UpresError) -> int:
    """Print the error and return the exit code; of a run's processes the first does so for all.

    What only another one met is told too, unless its launcher ends it because the first ended.
    """
    speaker = "Error"
    if not is_first(os.environ):
        if isinstance(error, Diverged | Interrupted | ToldByFirst):
            return 0
        time.sleep(_FIRST_SPEAKS_SECONDS)
        speaker = "Error in another process"
    told = f"{speaker}: {error}"
    Console(stderr=True, soft_wrap=True).print(told, markup=False, highlight=False)
    return error.exit_code


def _in_words(error: OSError) -> UpresError | None:
    """Return what a user can put right; files are written elsewhere, with words of their own."""
    if error.filename is not None and error.errno in _OF_PATHS:
        return BadSetting(f"{error.filename} cannot be used: {error.strerror}.")
    if error.errno == errno.ENOSPC:
        return NoSpace("standard output takes no more: its disk is full.")
    return None


def _interrupt(number: int, frame: object) -> None:
    """Raise KeyboardInterrupt, or end at once within the import of torch, whose C++ would abort."""
    torch = sys.modules.get("torch")
    if getattr(getattr(torch, "__spec__", None), "_initializing", False):
        os._exit(128 + number)  # nothing has begun, so nothing is left to put right
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line.

    It ends with 0 when done, 1 when some of the work failed, 2 for a user's mistake, 130 after
    Ctrl-C.
    """
    before = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    answered = in_main and before is signal.default_int_handler  # not where it is ignored
    if answered:
        signal.signal(signal.SIGINT, _interrupt)
    _register()
    try:
        app()
    except UpresError as error:
        sys.exit(_exit_code(error))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        told = _in_words(error)
        if told is None:
            raise
        if isinstance(told, NoSpace):  # what the output still holds would fail again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_exit_code(told))
    finally:
        if answered:
            signal.signal(signal.SIGINT, before)

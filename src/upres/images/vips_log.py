"""libvips without what it logs for its developers, in which a Ctrl-C was lost."""

import functools

import pyvips

_PRIVATE = ("_remove_log_handler", "_log_handler_id", "_log_handler_cb")


@functools.cache
def warnings_alone() -> None:
    """Have pyvips hear of warnings and errors of libvips, no more of each pool of threads.

    Python keeps a signal until the main thread runs its next line. After a call of libvips that
    line was pyvips' handler of such a message: a callback from C, in which an exception is printed
    and forgotten, so that the work went on. A pyvips without these names keeps its handler.
    """
    if not all(hasattr(pyvips, name) for name in _PRIVATE):
        return
    level = pyvips.GLogLevelFlags
    heard = level.LEVEL_WARNING | level.LEVEL_CRITICAL | level.LEVEL_ERROR
    pyvips._remove_log_handler()
    pyvips._log_handler_id = pyvips.glib_lib.g_log_set_handler(
        b"VIPS",
        heard | level.FLAG_FATAL | level.FLAG_RECURSION,
        pyvips._log_handler_cb,
        pyvips.ffi.NULL,
    )

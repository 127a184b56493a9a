"""One picture file in, its enlargement out: whole, with everything that surrounds the pixels."""

import os
from pathlib import Path

from upres.batch.events import Written
from upres.errors import BadSetting, WorkFailed
from upres.images.opening import open_picture
from upres.images.saving import TYPES, SaveSettings, check_savable, save_rows
from upres.upscaling.passing import enlarged_rows
from upres.upscaling.sizes import SizeWish, plan_size
from upres.upscaling.tile_network import Tally
from upres.upscaling.upscaler import Progress, Upscaler

AS_THE_MODEL, AS_IT_WAS = SizeWish(), SaveSettings()


def upscale_file(
    source: str | Path,
    target: str | Path,
    upscaler: Upscaler,
    *,
    wish: SizeWish = AS_THE_MODEL,
    save: SaveSettings = AS_IT_WAS,
    mask: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
) -> Written:
    """Write the picture of `source`, enlarged, to `target`, whole or not at all.

    Depth, channels, frames, profile and metadata are kept; what `target` cannot hold is refused
    before the work. Memory does not grow with the picture. mask: a picture of the same size,
    white where it stays as bicubic makes it. Returns what was written, and how.
    Raises BadPicture, BadSetting when `target` exists, NoSpace, WorkFailed.
    """
    source, target = Path(source), Path(target)
    mask = None if mask is None else Path(mask)
    if target.exists() and source.exists() and os.path.samefile(source, target):
        raise BadSetting(f"{target} is the input itself; give the result another name.")
    if target.exists() and not overwrite:
        raise BadSetting(f"{target} exists; pass --overwrite to replace it, or another output.")
    opened = open_picture(source)
    size = plan_size(opened.width, opened.height, wish, upscaler.scale)
    check_savable(target, opened, size.width, size.height, save)
    kind = TYPES[save.bits or opened.bits]
    tally = Tally()
    rows = enlarged_rows(opened, upscaler, size, kind, mask=mask, tally=tally, progress=progress)
    try:
        with upscaler.in_hand():
            save_rows(target, rows, opened, width=size.width, height=size.height, save=save)
    except MemoryError as error:
        raise WorkFailed(
            f"{source}: there is no memory for {size.width}x{size.height} pixels."
        ) from error
    return Written(size.width, size.height, opened.frames, tally.tiles, tally.redone)

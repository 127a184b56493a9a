"""Batches of patches whose every draw is a function of (seed, step, index).

Neither a restart, nor a pause, nor how far ahead batches are prepared changes what a step sees.
"""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from upres.data.crops import CropSettings, Pair, Pixels, augment, paired_crop, textured_crop

Batch: TypeAlias = tuple[Pixels, Pixels]  # lr (n, h, w, 3) and hr (n, h * scale, w * scale, 3)


def draw(seed: int, step: int, index: int) -> np.random.Generator:
    """Return the random numbers of crop `index` of step `step`; all arguments at least 0.

    Different arguments give independent streams: they are hashed, not added, so seed 1 of step 2
    is not seed 2 of step 1.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, step, index))))


def make_batch(
    pictures: Sequence[Pair],
    settings: CropSettings,
    *,
    scale: int,
    batch: int,
    seed: int,
    step: int,
) -> Batch:
    """Return step `step`'s patches: lr (batch, h, w, 3) and hr (batch, hr_patch, hr_patch, 3).

    RGB uint8, contiguous. A picture is drawn in proportion to its area, so that every pixel of
    the store is about equally likely. Raises ValueError without pictures, and as `paired_crop`
    does for a picture that is smaller than the patch.
    """
    areas = _rising_areas(pictures)
    return _patches(pictures, areas, settings, scale=scale, batch=batch, seed=seed, step=step)


def prefetched(
    pictures: Sequence[Pair],
    settings: CropSettings,
    *,
    scale: int,
    batch: int,
    seed: int,
    start: int,
    stop: int,
    ahead: int = 4,
) -> Generator[Batch, None, None]:
    """Yield the batches of steps start, start + 1, ..., stop - 1, made in a background thread.

    At most `ahead` batches wait. They are the same as `make_batch` gives, and an exception of
    the thread is raised where its batch would have come. Closing the iterator ends the thread.
    """
    areas = _rising_areas(pictures)
    patches = partial(_patches, pictures, areas, settings, scale=scale, batch=batch, seed=seed)
    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="upres-crops") as thread:
        try:
            for step in range(start, stop):
                waiting.append(thread.submit(patches, step=step))
                if len(waiting) >= max(ahead, 1):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _rising_areas(pictures: Sequence[Pair]) -> NDArray[np.int64]:
    if not pictures:
        raise ValueError("there are no pictures to draw from")
    return np.cumsum([pair.lr.shape[0] * pair.lr.shape[1] for pair in pictures], dtype=np.int64)


def _patches(
    pictures: Sequence[Pair],
    areas: NDArray[np.int64],
    settings: CropSettings,
    *,
    scale: int,
    batch: int,
    seed: int,
    step: int,
) -> Batch:
    side = settings.hr_patch
    crop = textured_crop if settings.texture else paired_crop
    lrs = np.empty((batch, side // scale, side // scale, 3), np.uint8)
    hrs = np.empty((batch, side, side, 3), np.uint8)
    for index in range(batch):
        rng = draw(seed, step, index)
        place = int(np.searchsorted(areas, rng.random() * areas[-1], side="right"))
        lr, hr = crop(pictures[place], scale=scale, hr_patch=side, rng=rng)
        lrs[index], hrs[index] = augment(lr, hr, settings, rng=rng)
    return lrs, hrs

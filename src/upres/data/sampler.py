"""Batches of patches whose every draw is a function of (seed, step, index).

Neither a restart, nor a pause, nor how far ahead batches are prepared, nor how many processes share
a batch changes what a step sees.
"""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from upres.data.crops import CropSettings, Pair, Pixels, augment, paired_crop, textured_crop
from upres.data.pictures import Pictures

Batch: TypeAlias = tuple[Pixels, Pixels]  # lr (n, h, w, 3) and hr (n, h * scale, w * scale, 3)

AHEAD = 4  # batches that wait at most


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
    indexes: Sequence[int] | None = None,
) -> Batch:
    """Return step `step`'s patches: lr (n, h, w, 3) and hr (n, hr_patch, hr_patch, 3).

    RGB uint8, contiguous. indexes: which crops of the step are made, by default range(batch);
    processes and parts of a batch that share these indexes make together exactly the whole batch,
    and indexes from `batch` on are further crops that no other step sees. A picture is drawn in
    proportion to its area, so that every pixel of the store is about equally likely; `Pictures` of
    several stores may say otherwise. Raises ValueError without pictures, and as `paired_crop` does
    for a picture that is smaller than the patch; WorkFailed when a store's files have changed.
    """
    indexes = range(batch) if indexes is None else indexes
    return _Crops(pictures, _rising(pictures), settings, scale, seed).of_step(step, indexes)


def prefetched(
    pictures: Sequence[Pair],
    settings: CropSettings,
    *,
    scale: int,
    batch: int,
    seed: int,
    start: int,
    stop: int,
    indexes: Sequence[int] | None = None,
) -> Generator[Batch, None, None]:
    """Yield the batches of steps start, start + 1, ..., stop - 1, made in a background thread.

    At most AHEAD batches wait. They are the same as `make_batch` gives, and an exception of the
    thread is raised where its batch would have come. Closing the iterator ends the thread.
    """
    indexes = range(batch) if indexes is None else indexes
    crops = _Crops(pictures, _rising(pictures), settings, scale, seed)
    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="upres-crops") as thread:
        try:
            for step in range(start, stop):
                waiting.append(thread.submit(crops.of_step, step, indexes))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


@dataclass(frozen=True)
class _Crops:
    pictures: Sequence[Pair]
    rising: NDArray[np.int64] | NDArray[np.float64]  # chances of the pictures, added up
    settings: CropSettings
    scale: int
    seed: int

    def of_step(self, step: int, indexes: Sequence[int]) -> Batch:
        if isinstance(self.pictures, Pictures):
            self.pictures.refuse_changed()
        side, scale = self.settings.hr_patch, self.scale
        crop = textured_crop if self.settings.texture else paired_crop
        lrs = np.empty((len(indexes), side // scale, side // scale, 3), np.uint8)
        hrs = np.empty((len(indexes), side, side, 3), np.uint8)
        for place, index in enumerate(indexes):
            rng = draw(self.seed, step, index)
            chosen = np.searchsorted(self.rising, rng.random() * self.rising[-1], side="right")
            pair = self.pictures[int(chosen)]
            lr, hr = crop(pair, scale=scale, hr_patch=side, rng=rng)
            lr, hr = augment(lr, hr, self.settings, rng=rng)
            _pixels(lrs[place])[...], _pixels(hrs[place])[...] = _pixels(lr), _pixels(hr)
        return lrs, hrs


def _pixels(patch: Pixels) -> NDArray[np.void]:
    """The patch as pixels of three bytes: a turned one is copied twice as fast as byte by byte."""
    return patch.view("V3")


def _rising(pictures: Sequence[Pair]) -> NDArray[np.int64] | NDArray[np.float64]:
    if not pictures:
        raise ValueError("there are no pictures to draw from")
    if isinstance(pictures, Pictures):
        return pictures.rising_chances()
    return np.cumsum([pair.lr.shape[0] * pair.lr.shape[1] for pair in pictures], dtype=np.int64)

"""Folders of pictures as pairs of HR and LR that a protocol can judge.

A folder holds the HR pictures itself, or in `HR/`; given LR lie in `LR_x4/` (`LR_x2/` for scale
2) inside it, named as the HR or with the scale behind: `0801x4.png`, `0801_x4.png`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from upres.errors import BadPhotos, BadPicture
from upres.evaluation.judge import Failure, JudgedPair, Pixels
from upres.evaluation.protocols import Protocol, make_lr
from upres.evaluation.sharing import ALONE, Hands, by_all
from upres.images.files import PICTURE_SUFFIXES, eight_bit, read_picture, read_rgb
from upres.images.resize import crop_to_multiple
from upres.metrics.known import Metric, get_metric

_KEPT_BYTES = 500_000_000  # of decoded pairs; those beyond are decoded again for each model


class PairFolder:
    """The pairs of a folder in the order of their names, decoded as they are needed."""

    def __init__(
        self,
        paths: list[tuple[Path, Path | None]],
        scale: int,
        protocol: Protocol,
        metrics: Sequence[Metric],
    ) -> None:
        self.failed: list[Failure] = []  # pictures that could not be read, left out
        self._paths = paths  # HR and, where it is given, LR
        self._scale = scale
        self._protocol = protocol
        self._kept: dict[Path, JudgedPair] = {}
        self._room = _KEPT_BYTES
        self._least = max(
            [_least_side(metric, protocol, scale) for metric in metrics], key=lambda least: least[0]
        )

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[JudgedPair]:
        return (self[number] for number in range(len(self)))

    @property
    def names(self) -> list[str]:
        """The names of the pictures, without opening them."""
        return [hr_path.name for hr_path, _ in self._paths]

    def check(self, hands: Hands) -> None:
        """Read every pair once; what cannot be read goes from the pairs to `failed`.

        Raises BadPhotos when none can be, for wrong sizes and for pictures too small to compare.
        """
        found = by_all(len(self), lambda numbers: [self._failure(n) for n in numbers], hands)
        self.failed = [failure for failure in found if failure is not None]
        self._paths = [
            paths for paths, failure in zip(self._paths, found, strict=True) if not failure
        ]
        if not self._paths:
            raise BadPhotos(f"none of the pictures can be read; the first: {self.failed[0].reason}")

    def _failure(self, number: int) -> Failure | None:
        try:
            self[number]
        except BadPicture as error:
            return Failure(image=self._paths[number][0].name, reason=str(error))
        return None

    def __getitem__(self, number: int) -> JudgedPair:
        hr_path, lr_path = self._paths[number]
        if hr_path in self._kept:
            return self._kept[hr_path]
        pair = self._read(hr_path, lr_path)
        size = pair.hr.nbytes + pair.lr.nbytes
        if size <= self._room:
            self._kept[hr_path] = pair
            self._room -= size
        return pair

    def _read(self, hr_path: Path, lr_path: Path | None) -> JudgedPair:
        picture = read_picture(hr_path)
        hr = crop_to_multiple(eight_bit(picture.rgb), self._scale)
        least, reader = self._least
        if min(hr.shape[:2]) < least:
            raise too_small(hr_path, hr, reader, least)
        if lr_path is None:
            lr = make_lr(hr, self._protocol, self._scale)
        else:
            lr = read_rgb(lr_path)
            _check_sizes(lr_path, lr, hr, self._scale)
        return JudgedPair(hr_path.name, lr, hr, grey=picture.grey)


def load_pairs(
    data: Path,
    scale: int,
    *,
    protocol: Protocol,
    metrics: Sequence[str] = ("psnr", "ssim"),
    hands: Hands = ALONE,
) -> PairFolder:
    """Return the pairs of a folder, all read and checked once by the processes together.

    data: a folder of HR pictures, or one with `HR/` and, where the protocol's LR are given,
        `LR_x{scale}/`. metrics: what they will be measured by, for some need a least size.
    A damaged file is left out and listed in `failed`.
    Raises BadPhotos for a folder without readable pictures, missing LR, wrong sizes and pictures
    too small to compare.
    """
    hr_paths = picture_files(data / "HR" if (data / "HR").is_dir() else data)
    lr_paths: list[Path | None] = [None] * len(hr_paths)
    if protocol.given_lr:
        lr_paths = [*named_like(hr_paths, _lr_folder(data, scale), scale)]
    paths = list(zip(hr_paths, lr_paths, strict=True))
    pairs = PairFolder(paths, scale, protocol, [get_metric(name) for name in metrics])
    pairs.check(hands)
    return pairs


def dataset_name(data: Path) -> str:
    """Return the name under which a folder's rows are listed: `Set5` also for `Set5/HR`."""
    return data.parent.name if data.name == "HR" else data.name


def picture_files(folder: Path) -> list[Path]:
    """Return the pictures that lie in `folder` itself, by name. Raises BadPhotos if none do."""
    if not folder.is_dir():
        raise BadPhotos(f"{folder} is no folder; give a folder of pictures.")
    paths = [p for p in sorted(folder.iterdir()) if _is_picture(p)]
    if not paths:
        raise BadPhotos(
            f"{folder} holds no pictures; give a folder with HR pictures in it or in its HR/."
        )
    return paths


def named_like(wanted: list[Path], folder: Path, scale: int) -> list[Path]:
    """Return for each path the picture in `folder` of the same name, or with `x4`, `_x4` behind.

    So is one with what stands behind all names there, as a tool adds its own: `baby_SR.png`,
    `bird_SR.png`. Formats may differ. Raises BadPhotos when one is missing.
    """
    by_stem = pictures_by_stem(folder)
    return [file_like(path.name, by_stem, folder, scale) for path in wanted]


def pictures_by_stem(folder: Path) -> dict[str, Path]:
    """Return the pictures in `folder` by their names without ending. Raises BadPhotos if none."""
    return {path.stem: path for path in picture_files(folder)}


def file_like(name: str, by_stem: Mapping[str, Path], folder: Path, scale: int) -> Path:
    """Return which of a folder's pictures is called as `name`, as `named_like` says it."""
    stem = Path(name).stem
    for ending in ("", f"_x{scale}", f"x{scale}"):
        if stem + ending in by_stem:
            return by_stem[stem + ending]
    shared = _shared_ending(by_stem)
    for start in range(len(shared)):
        if stem + shared[start:] in by_stem:
            return by_stem[stem + shared[start:]]
    raise BadPhotos(
        f"{folder} has no picture for {name}; add it as {stem}.png or {stem}_x{scale}.png, or give "
        f"all in that folder one ending, as {stem}_SR.png."
    )


def _shared_ending(stems: Iterable[str]) -> str:
    return os.path.commonprefix([stem[::-1] for stem in stems])[::-1]  # noqa: RUF071 (characters)


def too_small(path: Path, hr: Pixels, reader: str, least: int) -> BadPhotos:
    """Return the error for an HR picture below what a measure needs."""
    height, width = hr.shape[:2]
    return BadPhotos(
        f"{path} is {width}x{height} after cropping, but {reader} compares pictures of at least "
        f"{least} pixels a side; leave it out of the folder."
    )


def _least_side(metric: Metric, protocol: Protocol, scale: int) -> tuple[int, str]:
    """Return the fewest HR pixels a side that the metric takes, and who says so."""
    if metric.spaces:
        return metric.least_side + 2 * protocol.border_pixels(scale), protocol.name
    return metric.least_side, f"{metric.label} (see --metrics)"


def _is_picture(path: Path) -> bool:
    return (
        path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _lr_folder(data: Path, scale: int) -> Path:
    folder = (data.parent if data.name == "HR" else data) / f"LR_x{scale}"
    if not folder.is_dir():
        raise BadPhotos(f"{folder} does not exist; make it, or have LR made: drop `--lr given`.")
    return folder


def _check_sizes(path: Path, lr: Pixels, hr: Pixels, scale: int) -> None:
    (height, width), (h, w) = lr.shape[:2], hr.shape[:2]
    if (height * scale, width * scale) != (h, w):
        raise BadPhotos(
            f"{path} is {width}x{height}, but the LR of an HR of {w}x{h} at scale {scale} is "
            f"{w // scale}x{h // scale}; give the scale these were made with (--scale)."
        )

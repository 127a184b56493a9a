"""Folders of pictures as pairs of HR and LR that a protocol can judge.

A folder holds the HR pictures itself, or in `HR/`; given LR lie in `LR_x4/` (`LR_x2/` for scale
2) inside it, named as the HR or with the scale behind: `0801x4.png`, `0801_x4.png`.
"""

from collections.abc import Iterator
from pathlib import Path

from upres.errors import BadPhotos
from upres.evaluation.judge import JudgedPair, Pixels
from upres.evaluation.protocols import Protocol, make_lr
from upres.images.files import PICTURE_SUFFIXES, eight_bit, read_picture, read_rgb
from upres.images.resize import crop_to_multiple
from upres.metrics import lpips

_KEPT_BYTES = 500_000_000  # of decoded pairs; those beyond are decoded again for each model


class PairFolder:
    """The pairs of a folder in the order of their names, decoded as they are needed."""

    def __init__(self, paths: list[tuple[Path, Path | None]], scale: int, protocol: Protocol):
        self._paths = paths  # HR and, where it is given, LR
        self._scale = scale
        self._protocol = protocol
        self._kept: dict[Path, JudgedPair] = {}
        self._room = _KEPT_BYTES

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[JudgedPair]:
        for hr_path, lr_path in self._paths:
            pair = self._kept.get(hr_path) or self._read(hr_path, lr_path)
            size = pair.hr.nbytes + pair.lr.nbytes
            if hr_path not in self._kept and size <= self._room:
                self._kept[hr_path] = pair
                self._room -= size
            yield pair

    def _read(self, hr_path: Path, lr_path: Path | None) -> JudgedPair:
        picture = read_picture(hr_path)
        hr = crop_to_multiple(eight_bit(picture.rgb), self._scale)
        if min(hr.shape[:2]) < self._protocol.least_side(self._scale):
            raise too_small(
                hr_path, hr, self._protocol.name, self._protocol.least_side(self._scale)
            )
        if lr_path is None:
            lr = make_lr(hr, self._protocol, self._scale)
        else:
            lr = read_rgb(lr_path)
            _check_sizes(lr_path, lr, hr, self._scale)
        return JudgedPair(hr_path.name, lr, hr, grey=picture.grey)


def load_pairs(
    data: Path, scale: int, *, protocol: Protocol, with_lpips: bool = False
) -> PairFolder:
    """Return the pairs of a folder, all read and checked once.

    data: a folder of HR pictures, or one with `HR/` and, where the protocol's LR are given,
        `LR_x{scale}/`.
    with_lpips: also refuse pictures that LPIPS cannot measure.
    Raises BadPhotos for a folder without pictures, missing LR, wrong sizes and pictures too
    small to compare, BadPicture for a damaged file.
    """
    hr_paths = picture_files(data / "HR" if (data / "HR").is_dir() else data)
    lr_paths: list[Path | None] = [None] * len(hr_paths)
    if protocol.given_lr:
        lr_paths = [*named_like(hr_paths, _lr_folder(data, scale), scale)]
    pairs = PairFolder(list(zip(hr_paths, lr_paths, strict=True)), scale, protocol)
    for path, pair in zip(hr_paths, pairs, strict=True):
        if with_lpips and min(pair.hr.shape[:2]) < lpips.LEAST_SIDE:
            raise too_small(path, pair.hr, "LPIPS (see --no-lpips)", lpips.LEAST_SIDE)
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

    Endings may differ. Raises BadPhotos when one is missing.
    """
    by_name = {path.stem: path for path in picture_files(folder)}
    found = []
    for path in wanted:
        names = (path.stem, f"{path.stem}_x{scale}", f"{path.stem}x{scale}")
        match = next((by_name[name] for name in names if name in by_name), None)
        if match is None:
            raise BadPhotos(
                f"{folder} has no picture for {path.name}; "
                f"add it as {path.stem}.png or {path.stem}_x{scale}.png."
            )
        found.append(match)
    return found


def too_small(path: Path, hr: Pixels, reader: str, least: int) -> BadPhotos:
    """Return the error for an HR picture below what a measure needs."""
    height, width = hr.shape[:2]
    return BadPhotos(
        f"{path} is {width}x{height} after cropping, but {reader} compares pictures of at least "
        f"{least} pixels a side; leave it out of the folder."
    )


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

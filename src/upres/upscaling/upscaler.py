"""Any picture through a network: the one road by which everything here enlarges."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar, overload

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from upres.errors import WorkFailed
from upres.images.files import Picture
from upres.images.resize import enlarge as enlarge_by_kernel
from upres.networks.build import receptive_radius
from upres.upscaling.pictures import from_pil, read_still, to_pil
from upres.upscaling.precision import (
    HALVES,
    ComputePrecision,
    Precision,
    half_body,
    pick_precision,
)
from upres.upscaling.tiles import Tile, plan_tiles, run_tiles
from upres.weights.model import load_model

TILE: Final = 256  # LR px; larger ones fall out of the processor's cache
LARGEST_OVERLAP: Final = 48  # LR px; RRDBNet's radius is about 350, and 48 differ by 3 levels
WHOLE: Final = 512 * 512  # LR px; deeper networks take pictures up to this size in one piece

Progress = Callable[[int, int], None]  # tiles done, tiles in all
Values = TypeVar("Values", bound=np.generic)


class Upscaler:
    """Enlarges pictures by one network; keeps nothing of a picture between calls.

    network: (n 3 h w) to (n 3 scale*h scale*w), RGB 0..1. radius: how many LR pixels around a pixel
    can change it, for tiles (`networks.build.receptive_radius`). tile: LR pixels a side, 0 for
    the whole picture at once, None to choose. In float32 the network is used as it is at each
    call, so it may be trained meanwhile; in bf16 or fp16 a copy is.
    """

    def __init__(
        self,
        network: nn.Module,
        scale: int,
        radius: int,
        *,
        precision: Precision = "auto",
        tile: int | None = None,
    ) -> None:
        self.scale = scale
        self.radius = radius
        self.tile = tile
        self.precision: ComputePrecision = pick_precision(precision, _device(network).type)
        self._network = network
        half = HALVES.get(self.precision)
        self._fast = network if half is None else half_body(network, half)

    @classmethod
    def load(
        cls,
        model: str | Path = "compact-x4",
        *,
        precision: Precision = "auto",
        tile: int | None = None,
    ) -> "Upscaler":
        """The upscaler of a shipped model's name, a checkpoint, a run's folder or a foreign file.

        Raises UpresError when there is no such model, BadWeights when the file is none.
        """
        found = load_model(model)
        radius = receptive_radius(found.settings, found.scale)
        return cls(found.network, found.scale, radius, precision=precision, tile=tile)

    @overload
    def __call__(self, image: str | Path | Picture) -> Picture: ...
    @overload
    def __call__(self, image: Image.Image) -> Image.Image: ...
    @overload
    def __call__(self, image: NDArray[Values]) -> NDArray[Values]: ...
    @overload
    def __call__(self, image: Tensor) -> Tensor: ...
    def __call__(self, image: Any) -> Any:
        """The image `scale` times as large, as the same kind of thing; a path gives a Picture.

        Arrays: (h, w) or (h, w, c), uint8, uint16 or float 0..1; one or three channels, and for
        integers an alpha channel behind them. Tensors: float 0..1, (n 3 h w) or (3 h w). Grey stays
        grey. Raises BadPicture for a file, ValueError for an array of another kind.
        """
        match image:
            case str() | Path():
                return self.enlarge_picture(read_still(Path(image)))
            case Picture():
                return self.enlarge_picture(image)
            case Image.Image():
                return to_pil(self.enlarge_picture(from_pil(image)), like=image)
            case Tensor():
                return self._enlarge_tensor(image)
            case np.ndarray():
                return self._enlarge_array(image)
        raise ValueError(f"a {type(image).__name__} is no picture that can be enlarged")

    def enlarge(self, lr: NDArray[Values], progress: Progress | None = None) -> NDArray[Values]:
        """The (h, w, 3) RGB picture `lr` as (scale*h, scale*w, 3) of the same type.

        uint8 and uint16 are clamped and rounded to the nearest level, halves up; floats are 0..1
        and clamped. Raises WorkFailed when the network's values are not finite.
        """
        height, width = _checked(lr).shape[:2]
        sr = np.empty((height * self.scale, width * self.scale, 3), lr.dtype)
        tiles = self._plan(height, width)
        with _evaluating(self._network), torch.inference_mode():
            parts = run_tiles(self._enlarge_part, lr, tiles, scale=self.scale)
            for done, (place, part) in enumerate(parts, start=1):
                sr[place] = _quantised(part, lr.dtype)
                if progress is not None:
                    progress(done, len(tiles))
        return sr

    def enlarge_picture(self, picture: Picture, progress: Progress | None = None) -> Picture:
        """`picture` enlarged: same depth, greyness and profile; alpha enlarged by bicubic.

        A picture without colour stays without: its channels are enlarged and averaged.
        """
        if picture.grey or _is_neutral(picture.pixels):
            grey = self._enlarge_grey(picture.pixels[..., 0], progress)
            pixels = np.repeat(grey[..., None], picture.pixels.shape[2], axis=2)
        else:
            pixels = self.enlarge(picture.pixels, progress)
        alpha: Any = picture.alpha
        if alpha is not None:
            alpha = enlarge_by_kernel(alpha, self.scale, "bicubic")
        return Picture(pixels=pixels, alpha=alpha, icc=picture.icc)

    def _enlarge_grey(
        self, grey: NDArray[Values], progress: Progress | None = None
    ) -> NDArray[Values]:
        rgb = np.repeat(_unit_range(grey)[..., None], 3, axis=2)
        mean = self.enlarge(rgb, progress).mean(axis=2)
        return _quantised(torch.from_numpy(mean), grey.dtype)

    def _enlarge_array(self, image: NDArray[Values]) -> NDArray[Values]:
        if image.dtype not in (np.uint8, np.uint16) and image.dtype.kind != "f":
            raise ValueError(f"values of {image.dtype}; expected uint8, uint16 or float 0..1")
        channels = image.shape[2] if image.ndim == 3 else 0
        if image.ndim == 2:
            return self._enlarge_grey(_checked(image))
        if channels == 1:
            return self._enlarge_grey(_checked(image[..., 0]))[..., None]
        if channels in (2, 4) and image.dtype.kind == "u":
            whole: Any = image
            picture = Picture(pixels=whole[..., :-1], alpha=whole[..., -1])
            sr = self.enlarge_picture(picture)
            return np.dstack([sr.pixels, sr.alpha])  # type: ignore[list-item]
        return self.enlarge(image)

    def _enlarge_tensor(self, image: Tensor) -> Tensor:
        batch = image if image.ndim == 4 else image[None]
        if batch.ndim != 4 or batch.shape[1] != 3 or not image.is_floating_point():
            raise ValueError(f"{image.dtype} {tuple(image.shape)}; expected float (n 3 h w) 0..1")
        pictures = batch.detach().float().cpu().permute(0, 2, 3, 1).numpy()
        enlarged = torch.stack([torch.from_numpy(self.enlarge(lr)) for lr in pictures])
        sr = enlarged.permute(0, 3, 1, 2).to(image.device, image.dtype)
        return sr if image.ndim == 4 else sr[0]

    def _plan(self, height: int, width: int) -> list[Tile]:
        whole = self.radius > LARGEST_OVERLAP and height * width <= WHOLE
        if self.tile == 0 or (self.tile is None and whole):
            return plan_tiles(height, width, tile=max(height, width), overlap=0)
        overlap = min(self.radius, LARGEST_OVERLAP)
        return plan_tiles(height, width, tile=self.tile or TILE, overlap=overlap)

    def _enlarge_part(self, part: NDArray[Any]) -> Float[Tensor, "h w 3"]:
        """The network's values for a part of a picture, float32, not clamped."""
        device = _device(self._network)
        # (h, w, c) seen as (1, c, h, w) is channels_last: the order that convolutions are quick in
        lr = torch.from_numpy(_unit_range(part)).to(device).permute(2, 0, 1)[None]
        sr = self._fast(lr)
        if self._fast is not self._network and not _is_finite(sr):
            sr = self._network(lr)  # a half has not float32's range, or not its precision near it
        if not _is_finite(sr):
            raise WorkFailed("the network gave values that are not finite; its weights are damaged")
        enlarged: Tensor = sr[0].permute(1, 2, 0).float().cpu()
        return enlarged


def _device(network: nn.Module) -> torch.device:
    return next((p.device for p in network.parameters()), torch.device("cpu"))


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Put `network` into evaluation mode, and every module back as it was."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _checked(picture: NDArray[Values]) -> NDArray[Values]:
    if picture.ndim == 3 and picture.shape[2] != 3:
        raise ValueError(f"a picture of shape {picture.shape}; expected (h, w, 3)")
    if picture.ndim not in (2, 3) or 0 in picture.shape:
        raise ValueError(f"a picture of shape {picture.shape}; expected (h, w) or (h, w, 3)")
    if picture.dtype.kind == "f" and not (picture.min() >= -0.01 and picture.max() <= 1.01):
        raise ValueError(f"float values {picture.min()}..{picture.max()}; expected 0..1")
    return picture


def _is_neutral(pixels: NDArray[Any]) -> bool:
    first = pixels[..., :1]
    return bool((pixels == first).all())


def _is_finite(values: Tensor) -> bool:
    return bool(values.sum().isfinite())  # one pass: a NaN or an infinity survives the sum


def _unit_range(values: NDArray[Any]) -> NDArray[np.float32]:
    """Integers as 0..1, floats as they are; a contiguous float32 copy."""
    floats = values.astype(np.float32, order="C")
    if values.dtype.kind == "u":
        floats /= _peak(values.dtype)
    return floats


def _quantised(values: Tensor, dtype: np.dtype[Values]) -> NDArray[Values]:
    """Values 0..1 clamped; for integer types also scaled and rounded to the nearest level."""
    values = values.clamp(0, 1)
    if dtype.kind == "u":
        values = values.mul_(_peak(dtype)).add_(0.5)  # the conversion cuts off: halves up
    return values.numpy().astype(dtype)


def _peak(dtype: np.dtype[Any]) -> int:
    return int(np.iinfo(dtype).max)

"""Any picture through a network: the one road by which everything here enlarges."""

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from upres.errors import BadSetting
from upres.images.files import Picture
from upres.upscaling.bands import enlarged
from upres.upscaling.choosing import choose_model, is_adversarial
from upres.upscaling.device import pick_device
from upres.upscaling.ensemble import SelfEnsemble
from upres.upscaling.finishing import Finish, finishes_for, overlap_for
from upres.upscaling.hidden import REACH as HIDDEN_REACH
from upres.upscaling.layout import Layout, through_rgb
from upres.upscaling.masking import REACH as MASK_REACH
from upres.upscaling.masking import through_mask
from upres.upscaling.memory import resident
from upres.upscaling.pictures import from_pil, read_still, to_pil
from upres.upscaling.precision import Backend, ComputePrecision, Precision
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.streams import Floats, Stream, array_stream, quantised, unit_range
from upres.upscaling.tile_network import Tally, TileNetwork
from upres.upscaling.tiles import Tiling
from upres.upscaling.tiling import bytes_needed, choose_tiling, context_of, room_for_rows
from upres.weights.download import Progress as DownloadProgress
from upres.weights.model import Model

Progress = Callable[[int, int], None]  # tiles done, tiles in all
Values = TypeVar("Values", bound=np.generic)
AS_IT_COMES = UpscaleSettings()


class Upscaler:
    """Enlarges pictures by one network; keeps nothing of a picture between calls.

    network: (n 3 h w) to (n 3 scale*h scale*w), RGB 0..1. radius: how many LR pixels around a pixel
    can change it, for tiles (`networks.build.receptive_radius`). tile: LR pixels a side, 0 for
    the whole picture at once, None to choose. finishes: what is done to each tile after the
    network, in this order. exact: tiles overlap as far as that is affordable, so that the result is
    that of the whole picture. memory: bytes that the process may come to hold, None not to look;
    tiles are cut to fit. In float32 the network is used as it is at each call, so it may be
    trained meanwhile; in bf16 or fp16 a copy is. Several threads may call one upscaler.
    """

    def __init__(
        self,
        network: nn.Module,
        scale: int,
        radius: int,
        *,
        precision: Precision = "auto",
        tile: int | None = None,
        finishes: Sequence[Finish] = (),
        exact: bool = False,
        memory: int | None = None,
    ) -> None:
        self.network = network
        self.scale = scale
        self.radius = radius
        self.tile = tile
        self.exact = exact
        self.memory = memory
        self.finishes = tuple(finishes)
        self.backend: Backend = "torch"
        self._network = TileNetwork(network, precision)
        self.held = resident()  # bytes, before there is a picture

    @classmethod
    def load(
        cls,
        model: str | Path = "compact-x4",
        settings: UpscaleSettings = AS_IT_COMES,
        *,
        progress: DownloadProgress | None = None,
    ) -> "Upscaler":
        """The upscaler of a model: all that `weights.model.load_model` takes.

        progress: of a download: bytes so far, bytes in all.
        Raises BadSetting when there is no such model, nor twin, nor device, MissingWeights where a
        download fails, BadWeights when the file is none.
        """
        found = choose_model(
            model, fidelity=settings.fidelity, denoise=settings.denoise, progress=progress
        )
        return cls.of(found, settings)

    @classmethod
    def of(cls, model: Model, settings: UpscaleSettings = AS_IT_COMES) -> "Upscaler":
        """The upscaler of a loaded model, on the device that the settings name.

        Raises BadSetting for a device that is not there, and a precision that it cannot have.
        """
        network = SelfEnsemble(model.network) if settings.tta else model.network
        keep_colour = settings.keep_colour
        upscaler = cls(
            network.to(_device(settings)),
            model.scale,
            model.radius,
            precision=_precision(model, settings.precision),
            tile=settings.tile,
            exact=settings.exact,
            memory=settings.memory,
            finishes=finishes_for(
                strength=settings.strength,
                back_project=settings.consistent,
                keep_colour=is_adversarial(model) if keep_colour is None else keep_colour,
            ),
        )
        return upscaler if settings.backend == "torch" else upscaler.computed_by(settings.backend)

    def computed_by(self, backend: Backend) -> "Upscaler":
        """This upscaler, its network as it is now computed by `backend`. Raises MissingExtra."""
        twin = copy.copy(self)
        twin.backend = backend
        twin._network = TileNetwork(self.network, self.precision, backend)
        return twin

    @property
    def precision(self) -> ComputePrecision:
        """What the network's body computes in."""
        return self._network.precision

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

    def stream(
        self,
        lr: Stream,
        layout: Layout,
        *,
        masked: bool = False,
        tally: Tally | None = None,
        progress: Progress = lambda done, total: None,
    ) -> Stream:
        """The picture `lr` of these channels `scale` times as large, not clamped.

        masked: a mask follows the channels (`masking.with_mask`), and does so in the result.
        Rows are computed as they are taken. Raises, while they are, WorkFailed when the network's
        values are not finite.
        """

        def rgb(tile: Floats) -> Floats:
            sr = self._network(tile, tally)
            for finish in self.finishes:
                sr = finish.change(tile, sr)
            return sr

        def whole(tile: Floats) -> Floats:
            if masked:
                return through_mask(tile, layout, rgb, self.scale)
            return through_rgb(tile, layout, rgb)

        reach = MASK_REACH if masked else 0
        beyond = HIDDEN_REACH if layout.alpha and self.exact else 0
        tiling = self.tiling(lr.height, lr.width, lr.channels, reach=reach, beyond=beyond)
        return enlarged(lr, whole, scale=self.scale, tiling=tiling, done=progress)

    def enlarge(
        self, lr: NDArray[Values], progress: Progress = lambda done, total: None
    ) -> NDArray[Values]:
        """The (h, w, 3) RGB picture `lr` as (scale*h, scale*w, 3) of the same type.

        uint8 and uint16 are clamped and rounded to the nearest level, halves up; floats are 0..1
        and clamped. Raises WorkFailed when the network's values are not finite.
        """
        return self._enlarged(_checked(lr), Layout(colours=3), progress)

    def enlarge_picture(
        self, picture: Picture, progress: Progress = lambda done, total: None
    ) -> Picture:
        """`picture` enlarged: same depth, greyness, alpha and profile.

        A picture without colour stays without: its channels are enlarged and averaged.
        """
        pixels: NDArray[Any] = picture.pixels
        neutral = pixels.shape[2] == 3 and _is_neutral(pixels)
        layout = Layout(pixels.shape[2], picture.alpha is not None, neutral)
        if picture.alpha is not None:
            pixels = np.concatenate([pixels, picture.alpha[..., None]], axis=2)
        sr = self._enlarged(pixels, layout, progress)
        if picture.alpha is None:
            return Picture(pixels=sr, icc=picture.icc)
        return Picture(pixels=sr[..., :-1], alpha=sr[..., -1], icc=picture.icc)

    def _enlarged(
        self, lr: NDArray[Values], layout: Layout, progress: Progress = lambda done, total: None
    ) -> NDArray[Values]:
        stream = self.stream(array_stream(unit_range(lr)), layout, progress=progress)
        sr: NDArray[Values] = np.concatenate(
            [quantised(block, lr.dtype) for block in stream.blocks]
        )
        return sr

    def _enlarge_array(self, image: NDArray[Values]) -> NDArray[Values]:
        if image.dtype not in (np.uint8, np.uint16) and image.dtype.kind != "f":
            raise ValueError(f"values of {image.dtype}; expected uint8, uint16 or float 0..1")
        if image.ndim == 2:
            return self._enlarged(_checked(image)[..., None], Layout(colours=1))[..., 0]
        channels = image.shape[2] if image.ndim == 3 else 0
        alpha = channels in (2, 4) and image.dtype.kind == "u"
        return self._enlarged(_checked(image), Layout(channels - alpha, alpha))

    def _enlarge_tensor(self, image: Tensor) -> Tensor:
        batch = image if image.ndim == 4 else image[None]
        if batch.ndim != 4 or batch.shape[1] != 3 or not image.is_floating_point():
            raise ValueError(f"{image.dtype} {tuple(image.shape)}; expected float (n 3 h w) 0..1")
        pictures = batch.detach().float().cpu().permute(0, 2, 3, 1).numpy()
        enlarged = torch.stack([torch.from_numpy(self.enlarge(lr)) for lr in pictures])
        sr = enlarged.permute(0, 3, 1, 2).to(image.device, image.dtype)
        return sr if image.ndim == 4 else sr[0]

    def tiling(
        self, height: int, width: int, channels: int = 3, *, reach: int = 0, beyond: int = 0
    ) -> Tiling:
        """How a picture of (height, width) LR pixels is cut, within the memory that may be used.

        reach: LR pixels that tiles overlap by at least. beyond: what comes on top of the network's
        own, where something looks around itself before the network does.
        """
        context, blend = context_of(self.radius, exact=self.exact)
        overlap = max(reach, overlap_for(context, self.finishes, exact=self.exact) + beyond)
        room = None if self.memory is None else room_for_rows(self.memory - self.held)

        def fits(tiling: Tiling) -> bool:
            if room is None:
                return True
            per_pixel = self.bytes_per_pixel
            return bytes_needed(tiling, width, channels, self.scale, per_pixel) <= room

        return choose_tiling(height, width, overlap=overlap, blend=blend, tile=self.tile, fits=fits)

    def in_hand(self) -> AbstractContextManager[None]:
        """Tell of a picture that is enlarged beside others: all share the processor's cores."""
        return self._network.in_hand()

    @property
    def most_in_hand(self) -> int:
        """How many pictures at once keep the machine busy: some are read and written meanwhile."""
        computed = torch.get_num_threads() if self._network.shares_cores else 1
        return max(3, computed + 1)

    @property
    def bytes_per_pixel(self) -> float:
        """The memory that the network takes, for each LR pixel of a tile."""
        return self._network.bytes_per_pixel


def _precision(model: Model, asked: Precision) -> Precision:
    """What is asked for; float32 for networks whose layers we do not know."""
    if not model.borrowed:
        return asked
    if asked not in ("auto", "float32"):
        raise BadSetting(
            f"--precision is {asked}, but {model.name} is a {model.architecture} network, which "
            "computes in float32 alone: leave it out."
        )
    return "float32"


def _device(settings: UpscaleSettings) -> torch.device:
    if settings.backend == "openvino" and settings.device not in ("auto", "cpu"):
        raise BadSetting(
            f"--backend openvino computes on the processor, not on {settings.device}; give "
            "--device cpu, or leave --backend out."
        )
    return pick_device("cpu" if settings.backend == "openvino" else settings.device)


def _checked(picture: NDArray[Values]) -> NDArray[Values]:
    if picture.ndim not in (2, 3) or 0 in picture.shape:
        raise ValueError(f"a picture of shape {picture.shape}; expected (h, w) or (h, w, c)")
    if picture.dtype.kind == "f" and not (picture.min() >= -0.01 and picture.max() <= 1.01):
        raise ValueError(f"float values {picture.min()}..{picture.max()}; expected 0..1")
    return picture


def _is_neutral(pixels: NDArray[Any]) -> bool:
    first = pixels[..., :1]
    return bool((pixels == first).all())

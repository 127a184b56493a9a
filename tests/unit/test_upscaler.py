"""Upscaler: every kind of picture, exact where the network is, and nothing of it lost."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from upres.errors import BadPicture, WorkFailed
from upres.images.files import Picture, write_picture
from upres.networks.build import build_generator, receptive_radius
from upres.networks.compact import CompactSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.upscaling.upscaler import Upscaler

COMPACT = CompactSettings(width=4, convs=1)
UNSHUFFLED = RRDBNetSettings(blocks=1, width=4, growth=2)


class Nearest(nn.Module):
    """Each pixel `scale` by `scale` times, by way of two convolutions that add nothing."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 3, 1))
        nn.init.zeros_(self.body[1].weight)
        nn.init.zeros_(self.body[1].bias)

    def forward(self, lr: Tensor) -> Tensor:
        plain = lr.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)
        added = self.body(lr).repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)
        return plain + added


class Same(nn.Module):
    """One colour everywhere."""

    def __init__(self, *colour: float) -> None:
        super().__init__()
        self.colour = torch.tensor(colour)[None, :, None, None]

    def forward(self, lr: Tensor) -> Tensor:
        return self.colour.expand(1, 3, *lr.shape[2:]).clone()


class Tinting(nn.Module):
    def forward(self, lr: Tensor) -> Tensor:
        return lr * torch.tensor([1.0, 0.5, 0.9])[None, :, None, None]


def nearest(values, scale=2):
    return values.repeat(scale, axis=0).repeat(scale, axis=1)


def noise(*shape, kind=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


@pytest.fixture
def doubling():
    return Upscaler(Nearest(2), 2, 1, precision="float32")


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("tile", [None, 0, 64])
def test_all_levels_come_through_exactly(precision, tile):
    upscaler = Upscaler(Nearest(2), 2, 1, precision=precision, tile=tile)
    levels = np.arange(256, dtype=np.uint8)[:, None, None] + np.zeros((1, 2, 3), np.uint8)
    assert np.array_equal(upscaler.enlarge(levels), nearest(levels))
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1) + np.zeros(3, np.uint16)
    assert np.array_equal(upscaler.enlarge(deep), nearest(deep))


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("settings, scale", [(COMPACT, 4), (COMPACT, 3), (UNSHUFFLED, 2)])
def test_every_size_from_one_pixel_works(settings, scale, precision):
    network = build_generator(settings, scale, seed=0)
    upscaler = Upscaler(network, scale, receptive_radius(settings, scale), precision=precision)
    for height in range(1, 18):
        sr = upscaler.enlarge(noise(height, 18 - height, 3))
        assert sr.shape == (height * scale, (18 - height) * scale, 3)


def test_pure_red_stays_red(tmp_path, doubling):
    Image.new("RGB", (4, 4), (255, 0, 0)).save(tmp_path / "red.png")
    write_picture(tmp_path / "big.png", doubling(tmp_path / "red.png"))
    with Image.open(tmp_path / "big.png") as image:
        assert image.getcolors() == [(64, (255, 0, 0))]


@pytest.mark.parametrize(
    "value, level", [(127.499, 127), (127.5, 128), (128.499, 128), (-9, 0), (300, 255)]
)
def test_values_are_clamped_and_rounded_half_up(value, level):
    upscaler = Upscaler(Same(value / 255, 0.2, 0.4), 1, 0, precision="float32")
    assert upscaler.enlarge(noise(1, 1, 3)).tolist() == [[[level, 51, 102]]]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_integer_arrays_keep_type_and_shape(doubling, kind, shape):
    values = noise(*shape, kind=kind)
    assert np.array_equal(doubling(values), nearest(values))
    assert doubling(values).dtype == kind


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_float_arrays_keep_type_and_are_not_rounded(doubling, kind):
    values = np.random.default_rng(0).random((5, 7, 3)).astype(kind)
    assert doubling(values).dtype == kind
    np.testing.assert_allclose(doubling(values), nearest(values), atol=1e-7)


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_behind_the_colours_is_enlarged_with_them(doubling, channels):
    values = noise(5, 7, channels)
    values[..., -1] = np.where(np.arange(7) < 4, 128, 255)
    sr = doubling(values)
    assert np.array_equal(sr[..., -1], nearest(values[..., -1:])[..., 0])
    assert np.abs(sr[..., :-1].astype(int) - nearest(values[..., :-1])).max() <= 1


def test_what_is_hidden_leaves_no_fringe():
    """Green under alpha 0 beside opaque red: the red stays red up to the edge."""

    class Blur(torch.nn.Module):
        def forward(self, lr):
            return torch.nn.functional.interpolate(lr, scale_factor=2, mode="bilinear")

    values = np.zeros((6, 8, 4), np.uint8)
    values[:, :4] = (255, 0, 0, 255)
    values[:, 4:] = (0, 255, 0, 0)
    sr = Upscaler(Blur(), 2, 2, precision="float32")(values)
    partly = sr[sr[..., 3] > 0]
    assert sr[..., 3].min(axis=0).max() > 0 and len(np.unique(sr[..., 3])) > 2
    assert (partly[:, 0] == 255).all() and (partly[:, 1:3] == 0).all()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_pillows_images_keep_mode_and_profile(doubling, mode):
    image = Image.fromarray(noise(5, 7, 3)).convert(mode)
    image.info["icc_profile"] = b"a profile"
    sr = doubling(image)
    assert (sr.mode, sr.size) == (mode, (14, 10))
    assert sr.info["icc_profile"] == b"a profile"
    flat = np.asarray(image).reshape(5, 7, -1)
    assert np.array_equal(np.asarray(sr).reshape(10, 14, -1)[..., 0], nearest(flat)[..., 0])


@pytest.mark.parametrize(
    "mode, colour, expected", [("RGB", (9, 90, 200), "RGBA"), ("L", 90, "LA"), ("1", 0, "LA")]
)
def test_a_transparent_colour_of_pillows_becomes_alpha(doubling, mode, colour, expected):
    file = io.BytesIO()
    image = Image.new(mode, (3, 2), "white")
    image.putpixel((0, 0), colour)
    image.save(file, "PNG", transparency=colour)
    with Image.open(file) as image:
        result = doubling(image)
    alpha = np.full((2, 3), 255, np.uint8)
    alpha[0, 0] = 0
    assert (result.mode, "transparency" in result.info) == (expected, False)
    assert np.array_equal(np.asarray(result)[..., -1], nearest(alpha))


def test_pillows_deep_grey_and_palettes(doubling):
    deep = noise(5, 7, kind=np.uint16)
    assert np.array_equal(np.asarray(doubling(Image.fromarray(deep))), nearest(deep))
    palette = Image.fromarray(noise(5, 7, 3) // 128 * 255).convert("P")
    assert np.array_equal(
        np.asarray(doubling(palette)), nearest(np.asarray(palette.convert("RGB")))
    )
    with pytest.raises(ValueError, match="an image of mode CMYK"):
        doubling(Image.new("CMYK", (2, 2)))


def test_tensors_keep_shape_and_type(doubling):
    batch = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    expected = batch.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(doubling(batch), expected, rtol=0, atol=0)
    torch.testing.assert_close(doubling(batch[0]), expected[0], rtol=0, atol=0)
    assert doubling(batch.to(torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((4, 4, 5, 1), np.uint8), r"shape \(4, 4, 5, 1\)"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\)"),
        (np.zeros(4, np.uint8), r"shape \(4,\)"),
        (np.zeros((4, 4, 3), np.int32), "values of int32"),
        (np.full((4, 4, 3), 200.0), "float values 200.0..200.0; expected 0..1"),
        (np.full((4, 4, 3), np.nan), "float values nan..nan; expected 0..1"),
        (torch.zeros(1, 1, 4, 4), "expected float"),
        (torch.zeros(3, 4, 4, dtype=torch.uint8), "expected float"),
        (7, "a int is no picture"),
    ],
)
def test_what_is_no_picture_is_refused(doubling, image, message):
    with pytest.raises(ValueError, match=message):
        doubling(image)


def test_a_picture_keeps_profile_depth_and_alpha(doubling):
    picture = Picture(
        pixels=noise(5, 7, 3, kind=np.uint16),
        alpha=np.full((5, 7), 777, np.uint16),
        icc=b"a profile",
    )
    sr = doubling(picture)
    assert np.array_equal(sr.pixels, nearest(picture.pixels))
    assert (sr.alpha == 777).all()
    assert sr.alpha.shape == (10, 14)
    assert sr.icc == b"a profile"


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_without_colour_gets_none(channels):
    grey = np.repeat(noise(5, 7, 1), channels, axis=2)
    sr = Upscaler(Tinting(), 1, 0, precision="float32")(Picture(pixels=grey)).pixels
    assert sr.shape == (5, 7, channels)
    assert (sr == sr[..., :1]).all()
    mean = grey[..., 0] * (1 + 0.5 + 0.9) / 3
    assert abs(sr[..., 0] - mean).max() <= 0.501


def test_animations_are_refused(tmp_path, doubling):
    frames = [Image.fromarray(noise(8, 8)), Image.fromarray(255 - noise(8, 8))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(BadPicture, match=r"a\.gif holds 2 frames or pages; a single picture"):
        doubling(tmp_path / "a.gif")


def test_values_that_are_not_finite_are_an_error_and_not_a_black_picture():
    upscaler = Upscaler(Same(0.5, float("nan"), 0.5), 1, 0, precision="float32")
    with pytest.raises(WorkFailed, match="not finite"):
        upscaler.enlarge(noise(2, 2, 3))


def test_a_tile_that_fails_in_bf16_is_computed_in_float32():
    class Overflowing(Nearest):
        def forward(self, lr: Tensor) -> Tensor:
            spoiled = self.body[0].weight.dtype == torch.bfloat16
            return super().forward(lr) * (float("inf") if spoiled else 1)

    upscaler = Upscaler(Overflowing(2), 2, 1, precision="bf16")
    assert np.array_equal(upscaler.enlarge(noise(3, 4, 3)), nearest(noise(3, 4, 3)))


def test_the_network_is_judged_in_evaluation_mode_and_put_back():
    network = nn.Sequential(nn.Dropout(0.9), nn.Identity()).train()
    network[1].eval()
    assert np.array_equal(
        Upscaler(network, 1, 0, precision="float32").enlarge(noise(9, 9, 3)), noise(9, 9, 3)
    )
    assert [module.training for module in network.modules()] == [True, True, False]


def test_in_float32_the_network_may_be_trained_meanwhile():
    network = Nearest(1)
    upscaler = Upscaler(network, 1, 1, precision="float32")
    nn.init.constant_(network.body[1].bias, 1.0)
    assert (upscaler.enlarge(noise(3, 3, 3)) == 255).all()


@pytest.mark.parametrize(
    "radius, tile, tiles", [(1, None, 4), (1, 0, 1), (1, 128, 9), (350, None, 1), (350, 200, 4)]
)
def test_tiles_are_told_and_deep_networks_take_pictures_whole(radius, tile, tiles):
    told = []
    upscaler = Upscaler(Nearest(1), 1, radius, precision="float32", tile=tile)
    upscaler.enlarge(noise(370, 370, 3), progress=lambda done, total: told.append((done, total)))
    assert told == [(done, tiles) for done in range(1, tiles + 1)]

"""Files enlarged: their names, what is kept of them, and what is refused before the work."""

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms
from torch import Tensor, nn

from upres.batch.events import Written
from upres.batch.one_file import upscale_file
from upres.errors import BadPicture, BadSetting, UpresError
from upres.upscaling.upscaler import Upscaler

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


class Nearest(nn.Module):
    def forward(self, lr: Tensor) -> Tensor:
        return lr.repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.fixture
def upscaler():
    return Upscaler(Nearest(), 4, 0, precision="float32")


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def save(path, mode="RGB", **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(5, 7, 3)).convert(mode).save(path, **how)
    return path


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_grey_alpha_and_profile_are_kept(tmp_path, upscaler, mode):
    profile = SRGB if "RGB" in mode else SRGB[:16] + b"GRAY" + SRGB[20:]  # PNG looks at the kind
    source = save(tmp_path / "a.png", mode, icc_profile=profile)
    upscale_file(source, tmp_path / "b.png", upscaler)
    with Image.open(source) as image, Image.open(tmp_path / "b.png") as sr:
        assert (sr.mode, sr.size) == (mode, (28, 20))
        assert sr.info["icc_profile"] == profile
        colour = np.asarray(image).reshape(5, 7, -1)[..., 0]
        assert np.array_equal(np.asarray(sr).reshape(20, 28, -1)[..., 0], np.kron(colour, ones(4)))


def ones(side):
    return np.ones((side, side), np.uint8)


def test_sixteen_bits_are_kept(tmp_path, upscaler):
    deep = np.random.default_rng(0).integers(0, 65536, (5, 7, 3)).astype(np.uint16)
    image = pyvips.Image.new_from_memory(deep.tobytes(), 7, 5, 3, "ushort")
    image.copy(interpretation="rgb16").write_to_file(str(tmp_path / "a.png"))
    upscale_file(tmp_path / "a.png", tmp_path / "b.png", upscaler)
    again = pyvips.Image.new_from_file(str(tmp_path / "b.png"))
    values = np.frombuffer(again.write_to_memory(), np.uint16).reshape(20, 28, 3)
    assert np.array_equal(values[::4, ::4], deep)


def test_orientation_is_applied(tmp_path, upscaler):
    exif = Image.Exif()
    exif[0x0112] = 6
    source = save(tmp_path / "a.jpg", exif=exif)
    upscale_file(source, tmp_path / "b.jpg", upscaler)
    with Image.open(tmp_path / "b.jpg") as sr:
        assert sr.size == (5 * 4, 7 * 4)
        assert sr.getexif().get(0x0112, 1) == 1


def test_nothing_is_overwritten_unless_asked(tmp_path, upscaler):
    source, target = save(tmp_path / "a.png"), tmp_path / "b.png"
    target.write_text("precious")
    with pytest.raises(BadSetting, match=r"b\.png exists; pass --overwrite"):
        upscale_file(source, target, upscaler)
    assert target.read_text() == "precious"
    upscale_file(source, target, upscaler, overwrite=True)
    with Image.open(target) as sr:
        assert sr.size == (28, 20)


def test_the_input_is_never_overwritten(tmp_path, upscaler):
    source = save(tmp_path / "a.png")
    before = source.read_bytes()
    with pytest.raises(BadSetting, match="is the input itself"):
        upscale_file(source, source, upscaler, overwrite=True)
    assert source.read_bytes() == before


def test_what_the_result_cannot_hold_is_refused_before_the_work(tmp_path, upscaler):
    source = save(tmp_path / "a.png", "RGBA")
    told = []
    with pytest.raises(BadPicture, match="JPEG cannot hold the picture's transparency"):
        upscale_file(source, tmp_path / "b.jpg", upscaler, progress=lambda *x: told.append(x))
    assert told == []
    with pytest.raises(BadPicture, match=r"b\.xyz cannot be written"):
        upscale_file(source, tmp_path / "b.xyz", upscaler)


class Stopping(Nearest):
    """Ctrl-C while the second tile is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, lr: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt
        return super().forward(lr)


def test_ctrl_c_leaves_nothing_half_written(tmp_path):
    stopping = Upscaler(Stopping(), 4, 0, precision="float32", tile=4)
    source = save(tmp_path / "a.png")
    with pytest.raises(KeyboardInterrupt):
        upscale_file(source, tmp_path / "out" / "b.png", stopping)
    assert list((tmp_path / "out").iterdir()) == []


def test_what_was_written_is_told(tmp_path, upscaler):
    source = save(tmp_path / "a.png")
    written = upscale_file(source, tmp_path / "b.png", upscaler)
    assert written == Written(width=28, height=20, frames=1, tiles=1, redone=0)


def test_too_little_memory_is_told_with_the_size(tmp_path):
    class Greedy(Nearest):
        def forward(self, lr: Tensor) -> Tensor:
            raise MemoryError

    source = save(tmp_path / "a.png")
    with pytest.raises(UpresError, match=r"a\.png: there is no memory for 28x20 pixels"):
        upscale_file(source, tmp_path / "b.png", Upscaler(Greedy(), 4, 0, precision="float32"))

"""What decoders let pass: bombs, texts, GIFs and TIFFs without their end, JPEGs made up."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import pyvips

from damage import good_files, jpeg_of_size, tiff_of_size
from upres.errors import BadPicture
from upres.images.missing_parts import missing_in_gif, missing_in_tiff
from upres.images.opening import open_picture
from upres.images.soundness import check_jpeg_data


@pytest.fixture(scope="module")
def good() -> dict[str, bytes]:
    return good_files()


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_gif_lacks_a_frame_but_not_its_last_byte(good: dict[str, bytes], tmp_path: Path) -> None:
    data = good["moving.gif"]
    whole = written(tmp_path, "whole.gif", data + b"behind the end")
    no_mark = written(tmp_path, "mark.gif", data[:-1])
    cut = written(tmp_path, "cut.gif", data[:-100])
    assert missing_in_gif(whole) is None
    assert missing_in_gif(no_mark) is None
    assert missing_in_gif(cut) == "a frame breaks off"
    with pytest.raises(BadPicture, match=r"cut.gif is damaged or cut short .a frame breaks off."):
        open_picture(cut)


@pytest.mark.parametrize("name", ["tiles.tif", "large.tif", "pages.tif", "cmyk.tif", "strips.tif"])
def test_a_sound_tiff_lacks_nothing(good: dict[str, bytes], tmp_path: Path, name: str) -> None:
    assert missing_in_tiff(written(tmp_path, name, good[name])) is None


def test_a_tiff_of_big_endian_numbers_is_understood(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile", reason="writes TIFF of both orders")
    path = tmp_path / "big.tif"
    values = np.zeros((40, 30), np.uint8)
    tifffile.imwrite(path, values, byteorder=">", rowsperstrip=10)
    assert missing_in_tiff(path) is None
    data = path.read_bytes()
    entry = data.index(bytes([1, 1, 0, 4]))  # ImageLength (257), one LONG: 40 becomes 400
    path.write_bytes(data[: entry + 8] + (400).to_bytes(4, "big") + data[entry + 12 :])
    assert missing_in_tiff(path) == "its size takes 40 strips, and it has 4"


def test_a_tiff_whose_profile_was_cut_off_is_refused(
    good: dict[str, bytes], tmp_path: Path
) -> None:
    cut = written(tmp_path, "cmyk.tif", good["cmyk.tif"][:-100])
    with pytest.raises(BadPicture, match="the value of tag 34675 lies behind its end"):
        open_picture(cut)


def test_a_tiff_with_fewer_tiles_than_its_size_takes_is_refused(
    good: dict[str, bytes], tmp_path: Path
) -> None:
    wide = written(tmp_path, "wide.tif", tiff_of_size(good["tiles.tif"], 4096, 45))
    with pytest.raises(BadPicture, match="its size takes 768 tiles, and it has 15"):
        open_picture(wide)


def test_a_bomb_is_refused_and_a_large_photo_is_not(tmp_path: Path) -> None:
    flat = pyvips.Image.black(11_000, 10_000)
    flat.tiffsave(str(tmp_path / "bomb.tif"), compression="deflate")
    flat.tiffsave(str(tmp_path / "plain.tif"), compression="none")
    with pytest.raises(BadPicture, match=r"tells of 11000x10000 pixels in [0-9]+ bytes"):
        open_picture(tmp_path / "bomb.tif")
    assert open_picture(tmp_path / "plain.tif").width == 11_000


def test_frames_are_counted_before_they_are_decoded(tmp_path: Path) -> None:
    """A thousand frames of 2000x2000 in some hundred bytes: 16 GB."""
    head = struct.pack(">IIBBBBB", 2000, 2000, 8, 2, 0, 0, 0)
    chunks = [
        (b"IHDR", head),
        (b"acTL", struct.pack(">II", 1000, 0)),
        (b"IDAT", b""),
        (b"IEND", b""),
    ]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    with pytest.raises(BadPicture, match=r"tells of 2000x2000000 pixels in [0-9]+ bytes"):
        open_picture(written(tmp_path, "bomb.png", data))


def test_a_heic_is_weighed_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heif = pytest.importorskip("pillow_heif", reason="HEIC needs upres[heif]")
    heif.from_bytes("L", (512, 512), bytes(512 * 512)).save(tmp_path / "flat.heic", quality=10)
    monkeypatch.setattr("upres.images.heic._decoded", None)
    monkeypatch.setattr("upres.images.soundness.PLAIN", 512 * 512 - 1)
    monkeypatch.setattr("upres.images.soundness.MOST_PACKED", 10)
    with pytest.raises(BadPicture, match=r"tells of 512x512 pixels in [0-9]+ bytes"):
        open_picture(tmp_path / "flat.heic")


def test_a_drawing_in_text_is_no_picture(tmp_path: Path) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>'
    with pytest.raises(BadPicture, match="no picture of a known kind"):
        open_picture(written(tmp_path, "a.png", svg))


@pytest.mark.parametrize("name", ["grey.jpg", "progressive.jpg"])
def test_a_jpeg_whose_last_rows_are_made_up_is_refused(
    good: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    check_jpeg_data(written(tmp_path, "good[1].jpg", good[name]))
    tall = written(tmp_path, "tall[1].jpg", jpeg_of_size(good[name], 70, 400))
    with pytest.raises(BadPicture, match="premature end of data segment"):
        check_jpeg_data(tall)


def test_bytes_before_a_jpegs_end_are_no_damage(good: dict[str, bytes], tmp_path: Path) -> None:
    data = good["grey.jpg"]
    check_jpeg_data(written(tmp_path, "few.jpg", data[:-2] + bytes(4) + data[-2:]))


def test_a_decoder_that_gives_no_reason_is_not_quoted(
    good: dict[str, bytes], tmp_path: Path
) -> None:
    with pytest.raises(BadPicture, match="its decoder gives no reason"):
        open_picture(written(tmp_path, "head.png", good["rgb.png"][:50]))


def test_what_is_no_picture_is_told_so_though_another_thread_took_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_reason(*_: object, **__: object) -> None:
        pyvips.vips_lib.vips_error_clear()
        raise pyvips.Error("unable to load from source")

    monkeypatch.setattr(pyvips.Image, "new_from_source", without_reason)
    with pytest.raises(BadPicture, match="is no picture of a known kind"):
        open_picture(written(tmp_path, "text.png", b"no picture"))

"""Damaged picture files, made from good ones: what the tests of damaged files share.

A damaged file is a pure function of (seed, number), so that a failure can be made again.
"""

import io
import json
import os
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image

HEIGHT, WIDTH = 45, 70  # of a good picture; larger than one strip, tile or MCU row
CHILD = Path(__file__).parent / "contract" / "damaged_child.py"
END_MARK = 40  # bytes that a file may lack without a loss: PNG's last chunks, GIF's last byte


@dataclass(frozen=True)
class Damaged:
    """A file that is no sound picture, and what was done to it."""

    path: Path
    kind: str
    lost: int  # bytes


def good_files() -> dict[str, bytes]:
    """Return a sound file of each kind that is read here, by a name with its ending."""
    rng = np.random.default_rng(3)
    ramp = np.add.outer(np.arange(HEIGHT) * 3, np.arange(WIDTH) * 2)
    rgb = np.stack([ramp, ramp[::-1], 255 - ramp], 2) % 256
    rgb8 = (rgb * 3 // 4 + rng.integers(0, 64, rgb.shape)).astype(np.uint8)
    alpha = np.concatenate([rgb8, rgb8[:, ::-1, :1]], 2)
    deep = rgb8.astype(np.uint16) * 257
    floats = rgb8.astype(np.float32) / 255
    image = _vips(rgb8, "srgb")
    pages = _vips(np.concatenate([rgb8, rgb8[::-1], 255 - rgb8]), "srgb").copy()
    pages.set_type(pyvips.GValue.gint_type, "page-height", HEIGHT)
    pages.set_type(pyvips.GValue.array_int_type, "delay", [40, 50, 60])
    turned = image.copy()
    turned.set_type(pyvips.GValue.gint_type, "orientation", 6)
    profiled = image.icc_transform("p3", input_profile="srgb")
    cmyk = image.icc_transform("cmyk", input_profile="srgb")
    return {
        "rgb.png": image.pngsave_buffer(),
        "grey.png": image.colourspace("b-w").pngsave_buffer(),
        "palette.png": image.pngsave_buffer(palette=True),
        "deep.png": _vips(deep, "rgb16").pngsave_buffer(),
        "alpha.png": _vips(alpha, "srgb").pngsave_buffer(),
        "interlaced.png": image.pngsave_buffer(interlace=True),
        "profiled.png": profiled.pngsave_buffer(),
        "moving.png": _animated(rgb8),
        "rgb.jpg": turned.jpegsave_buffer(Q=90),
        "grey.jpg": image.colourspace("b-w").jpegsave_buffer(Q=90),
        "progressive.jpg": profiled.jpegsave_buffer(Q=90, interlace=True),
        "cmyk.jpg": cmyk.jpegsave_buffer(Q=90),
        "lossy.webp": image.webpsave_buffer(Q=90),
        "lossless.webp": _vips(alpha, "srgb").webpsave_buffer(lossless=True),
        "moving.webp": pages.webpsave_buffer(Q=90),
        "rgb.avif": image.heifsave_buffer(compression="av1", effort=0),
        "strips.tif": image.tiffsave_buffer(compression="none"),
        "tiles.tif": image.tiffsave_buffer(
            compression="deflate", tile=True, tile_width=16, tile_height=16
        ),
        "large.tif": _vips(deep, "rgb16").tiffsave_buffer(compression="lzw", bigtiff=True),
        "inside.tif": image.tiffsave_buffer(compression="jpeg"),
        "cmyk.tif": cmyk.tiffsave_buffer(compression="deflate"),
        "floats.tif": _vips(floats, "scrgb").tiffsave_buffer(
            compression="deflate", predictor="float"
        ),
        "pages.tif": pages.tiffsave_buffer(compression="deflate", page_height=HEIGHT),
        "still.gif": image.gifsave_buffer(),
        "moving.gif": pages.gifsave_buffer(),
    }


def damaged_files(folder: Path, count: int, *, seed: int) -> list[Damaged]:
    """Write `count` damaged files into `folder`: bombs and bare forms first, then drawn damage."""
    sound = good_files()
    made: list[tuple[str, str, bytes]] = [*bare_files(), *bombs()]
    names = sorted(sound)
    for number in range(count - len(made)):
        drawn = random.Random(f"{seed} {number}")
        name = names[number % len(names)]
        kind = list(DAMAGES)[number // len(names) % len(DAMAGES)]
        made.append((kind, name, DAMAGES[kind](drawn, bytes(sound[name]))))
    files = []
    for number, (kind, name, data) in enumerate(made):
        path = folder / f"{number:04}-{kind}-{name}"
        if kind == "ending":
            path = path.with_suffix(random.Random(number).choice([".png", ".jpg", ".tif", ".gif"]))
        path.write_bytes(data)
        files.append(Damaged(path, kind, len(sound.get(name, b"")) - len(data)))
    return files


def taken(files: Sequence[Damaged], targets: Path, *, megabytes: int) -> list[dict[str, Any]]:
    """Return what came of each file in a process of little memory (see `damaged_child`).

    A file that ends the process has `crash`; the next one begins in another process.
    """
    results: list[dict[str, Any]] = []
    targets.mkdir()
    while len(results) < len(files):
        paths = [str(file.path) for file in files[len(results) :]]
        child = subprocess.run(
            [sys.executable, CHILD, targets, str(megabytes)],
            input="\n".join(paths),
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        told = [json.loads(line) for line in child.stdout.splitlines()]
        assert told, child.stderr
        results += [event for event in told if "file" in event]
        if "start" in told[-1]:
            results.append({"file": told[-1]["start"], "crash": child.returncode})
        elif child.returncode or child.stderr:
            results[-1]["crash"] = child.stderr or child.returncode
    return results


def faults(file: Damaged, result: dict[str, Any]) -> list[str]:
    """Return what is wrong with a result: it must be one line of BadPicture, or a sound picture."""
    found = [f"{key}: {result[key]}" for key in ("crash", "left") if key in result]
    if "error" in result:
        line = result["error"]
        if result["class"] != "BadPicture" or file.path.name not in line:  # of source or target
            found.append(line)
        if not line.isprintable() or len(line) > len(str(file.path)) + 300:
            found.append(f"not one line: {line!r}")
    elif "lr" in result:
        frames, height, width = result["lr"]
        if result["sr"] != [frames, 2 * height, 2 * width]:
            found.append(f"{result['lr']} became {result['sr']}")
        if file.kind == "cut" and file.lost > END_MARK:
            found.append(f"{file.lost} bytes were missing without a word")
        if file.kind in ("bomb", "bare", "empty", "noise"):
            found.append(f"made a picture of {result['lr']} out of nothing")
    return found


def flipped(drawn: random.Random, data: bytes) -> bytes:
    """Up to twenty bits turned, anywhere."""
    changed = bytearray(data)
    for _ in range(drawn.randint(1, 20)):
        changed[drawn.randrange(len(changed))] ^= 1 << drawn.randrange(8)
    return bytes(changed)


def flipped_head(drawn: random.Random, data: bytes) -> bytes:
    """Bits turned where sizes and types stand; TIFF's directory may stand at the end."""
    changed = bytearray(data)
    for _ in range(drawn.randint(1, 6)):
        place = drawn.randrange(min(160, len(changed)))
        if data[:2] in (b"II", b"MM") and drawn.random() < 0.7:
            place = len(changed) - 1 - place
        changed[place] ^= 1 << drawn.randrange(8)
    return bytes(changed)


def cut(drawn: random.Random, data: bytes) -> bytes:
    """The first part alone; what is missing may be one byte."""
    return data[: drawn.choice([drawn.randrange(1, len(data)), len(data) - drawn.randint(1, 40)])]


def zeroed(drawn: random.Random, data: bytes) -> bytes:
    """A block of zeros, as a disk or a download leaves it; the length stays."""
    start = drawn.randrange(len(data))
    length = min(len(data) - start, drawn.choice([16, 512, len(data)]))
    return data[:start] + bytes(length) + data[start + length :]


def spliced(drawn: random.Random, data: bytes) -> bytes:
    """A piece taken out, or put in twice."""
    start, stop = sorted(drawn.sample(range(len(data)), 2))
    return data[:start] + (data[stop:] if drawn.random() < 0.5 else data[start:stop] + data[start:])


def lying(drawn: random.Random, data: bytes) -> bytes:
    """A header that tells another size, up to the largest that its format can tell."""
    sides = [drawn.choice([0, 1, 71, 4096, 16383, 65535, 2**31 - 1]) for _ in range(2)]
    sides[drawn.randrange(2)] = drawn.choice([WIDTH, HEIGHT, 16383, 65535])
    if data.startswith(b"\x89PNG"):
        return png_of_size(data, *sides)
    if data.startswith(b"\xff\xd8"):
        return jpeg_of_size(data, *(min(side, 65535) for side in sides))
    if data.startswith(b"GIF"):
        return data[:6] + struct.pack("<HH", *(min(side, 65535) for side in sides)) + data[10:]
    if data[:2] == b"II":
        return tiff_of_size(data, *sides)
    place = data.find(struct.pack(">II", WIDTH, HEIGHT))  # AVIF's ispe
    if place > 0:
        return data[:place] + struct.pack(">II", *sides) + data[place + 8 :]
    return flipped_head(drawn, data)


def noise(drawn: random.Random, data: bytes) -> bytes:
    """The first bytes of a format, then nothing but noise."""
    return data[: drawn.choice([4, 12, 40])] + drawn.randbytes(drawn.randint(1, 3000))


DAMAGES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "flipped": flipped,
    "head": flipped_head,
    "cut": cut,
    "zeroed": zeroed,
    "spliced": spliced,
    "lying": lying,
    "noise": noise,
    "ending": lambda _, data: data,
}


def bare_files() -> list[tuple[str, str, bytes]]:
    """Return files that hold nothing, nothing of a picture, or only a picture's first bytes."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"><rect/></svg>'
    texts = {
        "text": b"hello\n" * 20,
        "matrix": b"3 3\n1 2 3\n4 5 6\n7 8 9\n",
        "svg": svg,
        "html": b"<!doctype html><title>Not found</title>",
        "zip": b"PK\x03\x04" + bytes(40),
        "zeros": bytes(5000),
        "pickle": b"\x80\x04\x95" + bytes(30),
        "pdf": b"%PDF-1.7\n" + bytes(100),
    }
    found = [("empty", f"empty{ending}", b"") for ending in (".png", ".jpg", ".tif", ".webp")]
    found += [("bare", f"{name}.png", data) for name, data in texts.items()]
    for name, data in good_files().items():
        if name in ("rgb.png", "rgb.jpg", "lossy.webp", "rgb.avif", "strips.tif", "still.gif"):
            found += [("bare", name, bytes(data)[:1]), ("bare", name, bytes(data)[:16])]
    return found


def bombs() -> list[tuple[str, str, bytes]]:
    """Return small files of 120 megapixels; no photo packs like that."""
    flat = pyvips.Image.black(12_000, 10_000).copy(interpretation="b-w")
    return [
        ("bomb", "flat.png", flat.pngsave_buffer(compression=6)),
        ("bomb", "flat.tif", flat.tiffsave_buffer(compression="deflate")),
    ]


def png_of_size(data: bytes, width: int, height: int) -> bytes:
    """Return the PNG with another size in its header, whose checksum is right."""
    head = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


def jpeg_of_size(data: bytes, width: int, height: int) -> bytes:
    """Return the JPEG with another size in its frame header."""
    place = 2
    while data[place + 1] not in (0xC0, 0xC2):
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return data[: place + 5] + struct.pack(">HH", height, width) + data[place + 9 :]


def tiff_of_size(data: bytes, width: int, height: int) -> bytes:
    """Return the TIFF (little-endian) whose first directory tells another size."""
    changed = bytearray(data)
    big = data[2] == 43
    entries = struct.unpack_from("<Q" if big else "<I", data, 8 if big else 4)[0]
    (count,) = struct.unpack_from("<Q" if big else "<H", data, entries)
    first, step = entries + (8 if big else 2), 20 if big else 12
    for number in range(count):
        place = first + number * step
        (tag,) = struct.unpack_from("<H", data, place)
        if tag in (256, 257):  # ImageWidth, ImageLength
            kind = struct.pack("<HH", tag, 4) + struct.pack("<Q" if big else "<I", 1)
            value = struct.pack("<I", (width, height)[tag - 256])
            changed[place : place + len(kind) + 4] = kind + value
    return bytes(changed)


def _vips(values: np.ndarray, interpretation: str) -> pyvips.Image:
    return pyvips.Image.new_from_array(values).copy(interpretation=interpretation)


def _animated(rgb: np.ndarray) -> bytes:
    frames = [Image.fromarray(values) for values in (rgb, 255 - rgb, rgb[::-1])]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], duration=[40, 50, 60])
    return buffer.getvalue()

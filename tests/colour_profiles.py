"""ICC profiles that no package ships, made by the specification (ICC.1:2022), for tests."""

import struct

WHITE = (0.9642, 1, 0.8249)  # D50
SRGB_PRIMARIES = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7139))


def rgb_profile(gamma: float) -> bytes:
    """sRGB's primaries with a curve of this gamma; 1 is linear light."""
    tags = [(b"wtpt", _xyz(WHITE))]
    tags += zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, SRGB_PRIMARIES), strict=True)
    tags += [(name, _curve(gamma)) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", [(b"wtpt", _xyz(WHITE)), (b"kTRC", _curve(gamma))])


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _profile(space: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    place = 128 + 4 + 12 * len(tags)
    table, body = b"", b""
    for name, data in tags:
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data
    head = struct.pack(">I4x4B", place + len(body), 2, 0x40, 0, 0) + b"mntr" + space + b"XYZ "
    head += bytes(12) + b"acsp" + bytes(28) + b"".join(map(_fixed, WHITE)) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body

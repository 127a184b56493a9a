"""Addresses of stores, and files put into them whole."""

from pathlib import Path

import pytest

from upres.batch.places import address_of, place_of, put_whole
from upres.errors import BadSetting

fsspec = pytest.importorskip("fsspec", reason="stores are reached through fsspec")


def test_an_unknown_store_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"nope://x cannot be opened: .*nope"):
        place_of("nope://x")


@pytest.mark.parametrize(
    "address", ["s3://bucket/a/b", "memory:///a", "file:///tmp/a", "/tmp/a", "a/b", "photos"]
)
def test_an_address_outlives_pathlib(address: str) -> None:
    assert address_of(Path(address)) == address


@pytest.mark.parametrize("fails", [False, True])
def test_nobody_sees_half_a_file_of_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    (tmp_path / "made").write_bytes(b"new")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"old")
    place = place_of(f"file://{tmp_path}/out/a.png")
    put, seen = place.store.put_file, []

    def watched(source: str, target: str) -> None:
        put(source, target)
        seen.append((tmp_path / "out" / "a.png").read_bytes())
        if fails:
            raise OSError("the disk went away")

    monkeypatch.setattr(place.store, "put_file", watched)
    try:
        put_whole(tmp_path / "made", place)
    except OSError:
        assert fails
    assert seen == [b"old"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]
    assert (tmp_path / "out" / "a.png").read_bytes() == (b"old" if fails else b"new")

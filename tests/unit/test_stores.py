"""Several stores in one run: shares of the draws, names, hashes, and nothing held back is used."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from upres.data.crops import CropSettings, Pixels
from upres.data.pictures import Pictures
from upres.data.sampler import make_batch
from upres.data.store import Store, open_store, prepare
from upres.data.stores import Source, Stores, join_stores
from upres.errors import BadPhotos, BadSetting


def coarse(number: int, side: int = 64, level: int | None = None) -> Pixels:
    """Coarse cells that tell pictures apart; the red channel is `level` where that is given."""
    cells = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    pixels = cells.repeat(side // 16, 0).repeat(side // 16, 1)
    if level is not None:
        pixels[..., 0] = level
    return pixels


def make_store(folder: Path, pictures: dict[str, Pixels], **settings: int) -> Store:
    photos = folder / "photos"
    photos.mkdir(parents=True)
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(photos / f"{name}.png")
    prepare(photos, folder / "store", **({"scale": 4, "min_side": 32} | settings))
    return open_store(folder / "store")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    """Ten photos of 64 px with red 10; ten of 128 px, four times the area, with red 200."""
    folder = tmp_path_factory.mktemp("two")
    small = {f"{n}": coarse(n, 64, 10) for n in range(10)}
    large = {f"{n}": coarse(100 + n, 128, 200) for n in range(10)}
    return make_store(folder / "a", small), make_store(folder / "b", large)


def share_of_large(stores: Stores) -> float:
    pictures = stores.pictures("train", min_side=32)
    settings = CropSettings(hr_patch=32)
    lr, _ = make_batch(pictures, settings, scale=4, batch=4000, seed=0, step=0)
    return float((lr[:, 4, 4, 0] > 100).mean())


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((None, None), 0.8),  # area 4 of 5
        ((None, 0.3), 0.3),
        ((0.9, None), 0.1),
        ((0.45, 0.55), 0.55),
    ],
)
def test_a_share_is_that_of_the_draws_and_the_rest_goes_by_area(
    two: tuple[Store, Store], shares: tuple[float | None, float | None], expected: float
) -> None:
    stores = join_stores([Source(one, share) for one, share in zip(two, shares, strict=True)])
    assert share_of_large(stores) == pytest.approx(expected, abs=0.03)  # 4 deviations


def test_without_shares_the_draws_are_those_of_the_joint_list(two: tuple[Store, Store]) -> None:
    pictures = join_stores([Source(one) for one in two]).pictures("train")
    settings = CropSettings(hr_patch=32)
    for step in range(5):
        ours = make_batch(pictures, settings, scale=4, batch=8, seed=1, step=step)
        plain = make_batch(list(pictures), settings, scale=4, batch=8, seed=1, step=step)
        np.testing.assert_array_equal(ours[1], plain[1])


def test_the_order_of_the_stores_plays_no_part_and_shares_do(two: tuple[Store, Store]) -> None:
    a, b = two
    one = join_stores([Source(a), Source(b, 0.3)])
    other = join_stores([Source(b, 0.3), Source(a)])
    assert one.data_hash == other.data_hash
    assert [p.hr.tobytes() for p in one.pictures("train")] == [
        p.hr.tobytes() for p in other.pictures("train")
    ]
    hashes = {join_stores([Source(a), Source(b, share)]).data_hash for share in (None, 0.3, 0.4)}
    assert len(hashes | {a.data_hash, b.data_hash}) == 5


def test_all_sides_of_all_stores_are_there_under_different_names(two: tuple[Store, Store]) -> None:
    stores = join_stores([Source(one) for one in two])
    for split, count in (("train", 12), ("validation", 4), ("test", 4)):
        pictures = stores.pictures(split)
        assert len(pictures) == count
        names = [pair.name for pair in pictures]
        assert len(set(names)) == count
        assert {name.split("/")[0] for name in names} == {"store", "store-2"}
        pixels = sorted(pair.hr.tobytes() for pair in pictures)
        assert pixels == sorted(p.hr.tobytes() for one in two for p in one.pictures(split))
    assert stores.summary() == "2 stores together: 12 train, 4 validation, 4 test"
    named = join_stores([Source(one, None, "mine") for one in two])
    assert {pair.name.split("/")[0] for pair in named.pictures("test")} == {"mine", "mine-2"}


def test_training_leaves_out_what_another_store_holds_back_and_its_twins(tmp_path: Path) -> None:
    first = make_store(tmp_path / "a", {f"{n}": coarse(n) for n in range(10)})
    held = [pair.hr for split in ("validation", "test") for pair in first.pictures(split)]
    others = {f"other {n}": coarse(50 + n) for n in range(20)}
    others |= {f"exact {n}": held[n] for n in range(4)}
    others |= {f"twin {n}": np.clip(held[n] * 0.9, 0, 255).astype(np.uint8) for n in range(4)}
    second = make_store(tmp_path / "b", others)
    training = {pair.name for pair in second.pictures("train")}
    leaking = {name for name in training if not name.startswith("other")}
    assert {name.split()[0] for name in leaking} == {"exact", "twin"}  # else nothing is shown
    stores = join_stores([Source(first, None, "a"), Source(second, None, "b")])
    kept = {pair.name for pair in stores.pictures("train")}
    expected = {f"b/{name}" for name in training - leaking}
    expected |= {f"a/{pair.name}" for pair in first.pictures("train")}
    assert kept == expected
    assert stores.summary().endswith(
        f"; {len(leaking)} more would train but look like photos that another store holds back, "
        "and are left out"
    )
    assert len(stores.pictures("validation")) == 2 + len(second.pictures("validation"))


def test_a_store_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    first = make_store(tmp_path / "a", {f"{n}": coarse(n) for n in range(10)})
    held = [p.hr for split in ("validation", "test") for p in first.pictures(split)]
    twins = {f"{n}": np.clip(one * 0.9, 0, 255).astype(np.uint8) for n, one in enumerate(held)}
    second = make_store(tmp_path / "b", twins)
    with pytest.raises(
        BadPhotos, match=r"b/store: every photo to train on of at least 32 px looks"
    ):
        join_stores([Source(first), Source(second)]).pictures("train", min_side=32)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((0.0, None), "a share of 0 of the crops is not over 0 and at most 1."),
        ((None, 1.5), "a share of 1.5 of the crops is not over 0 and at most 1."),
        ((None, float("nan")), "a share of nan of the crops is not over 0 and at most 1."),
        ((1.0, None), "shares of 1 in all leave nothing for the stores without one."),
        (
            (0.5, 0.3),
            "the shares add up to 0.8, not to 1: give one store none, and it gets the rest.",
        ),
    ],
)
def test_shares_that_do_not_add_up_are_one_sentence(
    two: tuple[Store, Store], shares: tuple[float | None, float | None], message: str
) -> None:
    with pytest.raises(BadSetting) as caught:
        join_stores([Source(one, share) for one, share in zip(two, shares, strict=True)])
    assert str(caught.value) == message


def test_stores_that_do_not_fit_together_are_one_sentence(
    two: tuple[Store, Store], tmp_path: Path
) -> None:
    a, _ = two
    other = make_store(tmp_path / "c", {f"{n}": coarse(n) for n in range(8)}, scale=2)
    with pytest.raises(BadPhotos) as caught:
        join_stores([Source(a), Source(other)])
    assert str(caught.value) == (
        f"{other.path} was prepared for x2 by matlab, but {a.path} for x4 by matlab: prepare both "
        "alike."
    )
    shutil.copytree(a.path, tmp_path / "copy")
    with pytest.raises(BadPhotos, match="hold the same photos: give one of them"):
        join_stores([Source(a), Source(open_store(tmp_path / "copy"))])


def test_each_store_is_compared_with_its_own_stamp(two: tuple[Store, Store]) -> None:
    stores = join_stores([Source(one) for one in two])
    stores.refuse_other_pixels(stores.stamp)
    stores.refuse_other_pixels(None)
    stores.refuse_other_pixels("0 0 0 0; 0 0 0 0")  # copies: read as a whole, and as they were


def test_pictures_are_a_sequence(two: tuple[Store, Store]) -> None:
    pictures = join_stores([Source(one) for one in two]).pictures("validation")
    assert [pair.name for pair in pictures[1:3]] == [pictures[1].name, pictures[2].name]
    assert pictures[-1].name == pictures[3].name
    for place in (4, -5):
        with pytest.raises(IndexError, match=f"picture {place} of 4"):
            pictures[place]
    assert len(Pictures([])) == 0

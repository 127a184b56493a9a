from pathlib import Path

import numpy as np
import pytest

from upres.errors import BadPicture
from upres.images.files import Picture, write_picture
from upres.report.pictures import ReportPicture, load_pictures, merge_pictures, save_pictures


def noise(seed: int, height: int = 8, width: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def assert_same(found: ReportPicture, expected: ReportPicture) -> None:
    assert (found.name, found.dataset) == (expected.name, expected.dataset)
    np.testing.assert_array_equal(found.hr, expected.hr)
    assert set(found.rows) == set(expected.rows)
    for row, pixels in expected.rows.items():
        np.testing.assert_array_equal(found.rows[row], pixels)
    assert (found.lr is None) == (expected.lr is None)


def test_pictures_come_back_as_they_were_saved(tmp_path):
    rows = {"bicubic": noise(1), "runs/a/gan": noise(2), "..": noise(3)}
    saved = [
        ReportPicture("0801.png", noise(4), rows, "Set 5", noise(5, 2, 3)),
        ReportPicture("a/b*[1]", noise(6), {}, "Set 5"),
    ]
    save_pictures(tmp_path, saved)
    found = load_pictures(tmp_path)
    for picture, expected in zip(found, saved, strict=True):
        assert_same(picture, expected)
    np.testing.assert_array_equal(found[0].lr, noise(5, 2, 3))


def test_pictures_lie_where_people_look_for_them(tmp_path):
    save_pictures(tmp_path, [ReportPicture("cat", noise(1), {"gan": noise(2)})])
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png")}
    assert files == {str(Path("validation", row, "cat.png")) for row in ("HR", "gan")}


def test_no_folder_holds_no_pictures(tmp_path):
    assert load_pictures(tmp_path / "pictures") == []


def test_a_row_without_this_picture_is_left_out_of_it(tmp_path):
    pictures = [ReportPicture(name, noise(1), {"gan": noise(2)}) for name in ("a", "b")]
    save_pictures(tmp_path, pictures)
    (tmp_path / "validation" / "gan" / "a.png").unlink()
    assert [list(picture.rows) for picture in load_pictures(tmp_path)] == [[], ["gan"]]


@pytest.mark.parametrize("row, size", [("gan", (8, 11)), ("LR", (3, 4)), ("gan", (4, 6))])
def test_a_file_of_another_size_is_named(tmp_path, row, size):
    save_pictures(tmp_path, [ReportPicture("a", noise(1), {})])
    odd = tmp_path / "validation" / row / "a.png"
    write_picture(odd, Picture(pixels=noise(2, *size)))
    with pytest.raises(BadPicture) as error:
        load_pictures(tmp_path)
    assert str(error.value) == (
        f"{odd} is {size[1]}x{size[0]}, which does not fit "
        f"{tmp_path / 'validation' / 'HR' / 'a.png'} (12x8); remove one of the two."
    )


@pytest.mark.parametrize("name", ["HR", "LR"])
def test_no_row_can_take_the_name_of_a_side(tmp_path, name):
    with pytest.raises(ValueError, match="no row can be called"):
        save_pictures(tmp_path, [ReportPicture("a", noise(1), {name: noise(2)})])


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="row 'gan' of a"):
        ReportPicture("a", noise(1), {"gan": noise(2, 8, 11)})
    with pytest.raises(ValueError, match="the lr of a"):
        ReportPicture("a", noise(1), {}, lr=noise(2, 2, 4))


def test_rows_of_one_picture_meet_and_other_pictures_stay_apart():
    one = ReportPicture("a", noise(1), {"x": noise(2)}, "set")
    two = ReportPicture("a", noise(1), {"y": noise(3)}, "set", noise(4, 4, 6))
    other = ReportPicture("a", noise(5), {"y": noise(3)}, "set")
    merged = merge_pictures([[one], [two, other]])
    assert [list(picture.rows) for picture in merged] == [["x", "y"], ["y"]]
    assert merged[0].scale == 2

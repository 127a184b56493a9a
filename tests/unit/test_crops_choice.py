import numpy as np
import pytest

from upres.report.crops import Box, choose_boxes, rows_to_compare, spread


def bump(*places: tuple[int, int], shape: tuple[int, int] = (32, 48)) -> np.ndarray:
    values = np.zeros(shape)
    for weight, (y, x) in zip((3, 2, 1), places, strict=False):
        values[y : y + 4, x : x + 4] = weight
    return values


def test_boxes_lie_where_most_is_best_first():
    boxes = choose_boxes(bump((20, 30), (4, 8)), height=4, width=4, count=2)
    assert boxes == [Box(20, 30, 4, 4), Box(4, 8, 4, 4)]


def test_boxes_do_not_lie_on_each_other():
    boxes = choose_boxes(np.ones((24, 40)), height=10, width=10, count=99)
    covered = np.zeros((24, 40), int)
    for box in boxes:
        covered[box.top : box.top + 10, box.left : box.left + 10] += 1
    assert covered.max() == 1 and len(boxes) == 8


def test_boxes_lie_on_the_grid_of_the_lr_picture():
    rng = np.random.default_rng(0)
    for box in choose_boxes(rng.random((41, 50)), height=10, width=15, count=4, grid=4):
        assert [side % 4 for side in (box.top, box.left, box.height, box.width)] == [0] * 4
        assert box.top + box.height <= 41 and box.left + box.width <= 50


def test_a_grid_finds_the_best_of_its_places_by_brute_force():
    values = np.random.default_rng(1).random((24, 36))
    (box,) = choose_boxes(values, height=8, width=12, count=1, grid=4)
    sums = {
        (y, x): values[y : y + 8, x : x + 12].sum()
        for y in range(0, 17, 4)
        for x in range(0, 25, 4)
    }
    assert (box.top, box.left) == max(sums, key=lambda place: sums[place])


def test_a_box_larger_than_the_picture_is_the_picture():
    assert choose_boxes(np.ones((9, 7)), height=50, width=50, count=3) == [Box(0, 0, 9, 7)]


def test_of_equal_places_the_upper_left_is_taken():
    flat = np.full((30, 30), 0.1)  # its sums differ by rounding
    assert choose_boxes(flat, height=7, width=7, count=1) == [Box(0, 0, 7, 7)]


def test_a_picture_smaller_than_the_grid_is_refused():
    with pytest.raises(ValueError, match="no box fits"):
        choose_boxes(np.ones((3, 3)), height=3, width=3, count=1, grid=4)


def test_spread_is_the_standard_deviation_over_rows():
    rng = np.random.default_rng(2)
    rows = rng.integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
    np.testing.assert_allclose(spread(rows), rows.mean(axis=3).std(axis=0), atol=1e-6)


def test_equal_rows_do_not_spread_anywhere():
    row = np.random.default_rng(3).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    np.testing.assert_allclose(spread([row, row, row]), 0, atol=1e-5)


def test_one_row_alone_is_looked_at_where_it_has_contrast():
    row = np.zeros((16, 16, 3), np.uint8)
    row[8:12, 8:12] = 255
    (box,) = choose_boxes(spread([row]), height=4, width=4, count=1)
    assert box == Box(8, 8, 4, 4)


def test_plain_kernels_do_not_decide_where_networks_differ():
    assert rows_to_compare(["nearest", "bicubic", "pixel", "gan"]) == ["pixel", "gan"]
    assert rows_to_compare(["nearest", "bicubic", "gan"]) == ["nearest", "bicubic", "gan"]


def test_a_shrunk_box_cuts_the_same_part_of_lr():
    lr = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    hr = lr.repeat(4, axis=0).repeat(4, axis=1)
    box = Box(4, 8, 12, 16)
    np.testing.assert_array_equal(box.of(hr)[::4, ::4], box.shrunk(4).of(lr))

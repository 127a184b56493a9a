import numpy as np

from upres.report.embed import SAMPLES, embed_pictures
from upres.report.pictures import HR, LR, ReportPicture
from upres.report.sample_grid import sample_grid


def noise(seed: int, height: int = 160, width: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def picture(name: str, *rows: str, lr: bool = True) -> ReportPicture:
    shown = {row: noise(seed) for seed, row in enumerate(rows, 1)}
    return ReportPicture(name, noise(0), shown, "test", noise(9, 40, 50) if lr else None)


def test_columns_run_from_lr_over_the_rows_to_hr():
    order = ("bicubic", "pixel", "gan")
    shown, _ = embed_pictures([picture("a", *order)], order=order, budget=10**9)
    grid = sample_grid(shown)
    assert grid is not None and grid.columns == (LR, *order, HR)
    (line,) = grid.lines
    assert (line.box.height, line.box.width) == (144, 144)
    assert all(layer is not None for layer in line.layers)


def test_a_row_that_lacks_a_picture_leaves_its_place_empty():
    pictures = [picture("a", "bicubic", lr=False), picture("b", "bicubic", "gan")]
    shown, _ = embed_pictures(pictures, order=("bicubic", "gan"), budget=10**9)
    grid = sample_grid(shown)
    assert grid is not None and grid.columns == (LR, "bicubic", "gan", HR)
    found = {line.picture: [layer is not None for layer in line.layers] for line in grid.lines}
    assert found == {"a": [False, True, False, True], "b": [True, True, True, True]}


def test_the_grid_has_the_first_few_pictures():
    pictures = [picture(str(number), "bicubic") for number in range(SAMPLES + 1)]
    shown, _ = embed_pictures(pictures, order=(), budget=10**9)
    grid = sample_grid(shown)
    assert grid is not None and len(shown) == SAMPLES + 1
    assert [line.picture for line in grid.lines] == [str(number) for number in range(SAMPLES)]


def test_no_pictures_make_no_grid():
    assert sample_grid([]) is None

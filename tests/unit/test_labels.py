from typing import Any

import pytest

from upres.report.drawing import draw
from upres.report.labels import name_points

CROWD = [("EDSR", 32.46, 0.8968), ("RCAN", 32.63, 0.9002), ("RRDB", 32.60, 0.9002)]


def boxes(points: list[tuple[str, float, float]]) -> list[Any]:
    """Where each name lies, in pixels of a drawn figure."""
    found: list[Any] = []

    def paint(axes: Any) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        axes.set_xlim(30, 33)
        axes.set_ylim(0.80, 0.91)
        name_points(axes, points)
        canvas = FigureCanvasAgg(axes.figure)
        canvas.draw()
        found.extend(text.get_window_extent(canvas.get_renderer()) for text in axes.texts)

    draw("x", paint)
    return found


def test_names_of_near_points_do_not_cover_each_other():
    first, second, third = boxes(CROWD)
    assert not first.overlaps(second) and not first.overlaps(third) and not second.overlaps(third)


def test_a_lone_point_has_its_name_right_above():
    (box,) = boxes([("EDSR", 31.5, 0.85)])
    (below,) = boxes([("EDSR", 31.5, 0.9095)])
    assert box.y0 < below.y0  # the higher point, whose name had to go beside or below it
    assert below.width == pytest.approx(box.width)


def test_a_name_at_the_edge_stays_inside():
    def paint(axes: Any) -> None:
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        name_points(axes, [("a long name at the edge", 1.0, 0.5)])
        (text,) = axes.texts
        assert text.xyann[0] < -40  # points: to the left of the point

    draw("x", paint)

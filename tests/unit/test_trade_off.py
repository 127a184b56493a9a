import pytest

from upres.report.published_methods import MOS, PUBLISHED, published_on
from upres.report.ranking import column
from upres.report.trade_off import front, plane_chart, published_charts

ROWS = [
    ("bicubic", {"psnr_y": 28.4, "ssim_y": 0.81, "lpips_alex": 0.35, "dists": 0.3}),
    ("pixel", {"psnr_y": 31.2, "ssim_y": 0.88, "lpips_alex": 0.18, "dists": 0.2}),
    ("gan", {"psnr_y": 29.9, "ssim_y": 0.85, "lpips_alex": 0.11, "dists": 0.1}),
]


def test_front_holds_what_nothing_beats_in_both():
    points = [("a", 28.4, 0.35), ("b", 31.2, 0.18), ("c", 29.9, 0.11), ("d", 29.0, 0.12)]
    found = front(points, column("psnr_y"), column("lpips_alex"))
    assert [name for name, *_ in found] == ["c", "b"]


def test_front_keeps_equals_and_knows_that_more_ssim_is_better():
    points = [("a", 30.0, 0.8), ("b", 30.0, 0.8), ("c", 30.0, 0.7)]
    assert [n for n, *_ in front(points, column("psnr_y"), column("ssim_y"))] == ["a", "b"]


def test_a_distance_that_no_row_was_trained_on_is_shown_if_there_is_one():
    def axis(learnt: dict[str, list[str]]) -> str:
        chart = plane_chart(ROWS, learnt=learnt)
        assert chart is not None
        return chart.caption

    assert "the LPIPS axis" in axis({})
    assert "the DISTS axis" in axis({"lpips_alex": ["gan"]})
    both = axis({"lpips_alex": ["gan"], "dists": ["gan"]})
    assert "the LPIPS axis" in both and "LPIPS was a loss of gan" in both


def test_a_front_is_spoken_of_where_one_is_drawn():
    winner = ("best", {"psnr_y": 32.0, "lpips_alex": 0.05})
    chart, alone, twins = (
        plane_chart(rows) for rows in (ROWS, [*ROWS, winner], [*ROWS, winner, ("too", winner[1])])
    )
    assert chart is not None and alone is not None and twins is not None
    assert "Dashed" in chart.caption and "stroke-dasharray" in chart.svg
    assert "Dashed" not in alone.caption and "stroke-dasharray" not in alone.svg
    assert alone.caption.endswith(" Nothing is better in either than best.")
    assert twins.caption.endswith(" Nothing is better in either than best and too.")


def test_rgb_rows_have_a_plane_too():
    rows = [(name, {"psnr_rgb": v["psnr_y"], "dists": v["dists"]}) for name, v in ROWS]
    chart = plane_chart(rows)
    assert chart is not None and "PSNR-RGB" in chart.svg


def test_published_methods_stand_beside_rows_of_their_protocol_only():
    def titles(protocol: str, dataset: str = "Set5", scale: int = 4) -> list[str]:
        found = published_charts(ROWS, protocol=protocol, dataset=dataset, scale=scale)
        return [chart.title for chart in found]

    among, said = "Among published methods, Set5 x4", "What people said of Set5 x4"
    assert titles("sr-y-float") == [among, said] and titles("srgan") == [among, said]
    assert titles("sr-rgb") == [said]  # no row has RGB metrics
    assert titles("sr-y-float+given-lr") == [said]
    assert titles("sr-y-float", "Set5", 2) == titles("sr-y-float", "photos") == []


def test_a_published_number_never_meets_another_dialect():
    by_daala, by_wang = (
        published_charts(ROWS, protocol=name, dataset="Set5", scale=4)[0]
        for name in ("srgan", "sr-y")
    )
    assert "SRResNet" in by_daala.svg and "SRResNet" not in by_wang.svg
    assert "SwinIR" in by_wang.svg and "SwinIR" not in by_daala.svg


def test_what_people_said_is_not_mixed_with_what_was_measured():
    chart = published_charts(ROWS, protocol="srgan", dataset="Set5", scale=4)[1]
    assert "Nothing here was measured by us" in chart.caption
    assert "measured here" not in chart.svg and "pixel" not in chart.svg


@pytest.mark.parametrize("folder", ["Set5", "set5", "Set5/HR", "data/Set5"])
def test_a_set_is_known_by_its_folder(folder):
    assert {table.dataset for table in published_on(folder, 4)} == {"Set5"}


def test_published_values_are_possible_and_their_axes_measured():
    for table in PUBLISHED:
        assert table.source and len({name for name, *_ in table.methods}) == len(table.methods)
        for _, x, y in table.methods:
            assert 20 < x < 34 and (1 <= y <= 5 if table.y == MOS else 0.6 < y < 0.96)


def test_people_preferred_srgan_on_every_set_where_it_has_less_psnr():
    for table in (table for table in PUBLISHED if table.y == MOS):
        methods = {name: (x, y) for name, x, y in table.methods}
        assert methods["SRGAN"][0] < methods["SRResNet"][0]
        assert methods["SRGAN"][1] == max(y for _, y in methods.values())

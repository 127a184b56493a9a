import base64
import csv
import io
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips

from upres.errors import MissingExtra
from upres.evaluation.judge import Evaluation, Failure, ImageScores, Row
from upres.report import page
from upres.report.embed import DETAILS, embed_pictures
from upres.report.page import write_report
from upres.report.pictures import ReportPicture
from upres.report.run_log import Look, RunLog, StageLog, StepEvent, VerdictEvent, read_run_log
from upres.report.tables import Mixed, scores_of

VOID = {"wbr", "meta", "img", "input", "br", "hr", "link"}


class Tags(HTMLParser):
    """Every start tag with its attributes; complains of tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def noise(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def picture(name: str = "cat", **more: Any) -> ReportPicture:
    rows = {"pixel": noise(1), "gan": noise(2), "bicubic": noise(3)}
    return ReportPicture(name, noise(0), rows, "test", noise(4, 12, 16), **more)


def evaluation() -> Evaluation:
    def row(model: str, psnr: float, lpips: float, **more: Any) -> Row:
        metrics = {"psnr_y": psnr, "lpips_alex": lpips}
        scores = [
            ImageScores(image=i, metrics={**metrics, "psnr_y": psnr + d})
            for i, d in (("cat.png", 1.0), ("dog.png", -1.0))
        ]
        return Row(model=model, dataset="test", metrics=metrics, per_image=scores, **more)

    rows = [
        row("bicubic", 21.59, 0.45),
        row("pixel", 28.55, 0.3, weights_sha256="ab" * 32),
        row("gan", 27.65, 0.12, exact_images=1),
    ]
    return Evaluation(protocol="sr-y-float", rows=rows, scale=4, lr="matlab", border=4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunLog:
    folder = tmp_path_factory.mktemp("runs") / "usrgan"
    folder.mkdir()
    steps = [
        {
            "event": "step",
            "stage": "gan",
            "step": n,
            "terms": {"pixel": 0.1},
            "images_per_second": 9,
        }
        for n in (1, 2)
    ]
    head = {"event": "run", "recipe": "usrgan", "scale": 4, "stages": {"gan": {"steps": 5}}}
    lines = [json.dumps(event) for event in (head, *steps)]
    (folder / "metrics.jsonl").write_text("\n".join([*lines, "{"]))
    facts = {"machine": {"processor": "<Z80>"}, "photos": {}, "seed": 3, "tags": ["a", "b"]}
    (folder / "run.json").write_text(json.dumps(facts))
    return read_run_log(folder)


@pytest.fixture(scope="module")
def html(run: RunLog, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(
        path,
        title="Cats & <dogs>",
        evaluation=evaluation(),
        pictures=[picture("cat"), picture("unjudged")],
        runs=[run],
        recipe_yaml="name: <usrgan>\n",
        notes=["Made by `upres report <x>`."],
    )
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tags(html: str) -> Tags:
    return Tags(html)


def table_lines(html: str) -> dict[str, list[tuple[str, str]]]:
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    found = {}
    for line in body.split("<tr>")[1:]:
        name = re.search(r'<th scope="row">(.*?)</th>', line)
        assert name is not None
        found[name[1]] = re.findall(r'<td class="number ?(\w*)">(?:<u>)?([^<]*)', line)
    return found


def test_page_needs_no_network(html, tags):
    inside = re.sub(r"data:[\w/;,=+-]+", "", html)
    assert "http:" not in inside and "https:" not in inside and "@import" not in inside
    assert "url(#" in inside and not re.search(r"url\((?!#)", inside)
    addresses = [a.get("src") or a.get("href") for _, a in tags.found if "src" in a or "href" in a]
    assert all(address and address.startswith(("data:", "#")) for address in addresses)


def test_best_and_second_best_of_paper_b_are_marked(html):
    assert table_lines(html) == {
        "bicubic": [("", "21.59"), ("", "0.4500")],
        "pixel": [("best", "28.55"), ("second", "0.3000")],
        "gan": [("second", "27.65"), ("best", "0.1200")],
    }


def test_marks_and_directions_are_told_in_words_too(tags):
    assert "28.55 (best)" in tags.text and "0.3000 (second-best)" in tags.text
    assert "(higher is better)" in tags.text and "(lower is better)" in tags.text


def test_protocol_is_named_with_its_meaning(tags):
    assert "sr-y-float: Luma, not rounded; LR by MATLAB's bicubic on RGB" in tags.text
    assert "4 HR pixels (LPIPS: none)" in tags.text


def test_pictures_restored_exactly_are_told(tags):
    assert "gan restored 1 picture exactly: infinite PSNR" in tags.text


def test_words_of_others_are_escaped(html, tags):
    for word in ("<dogs>", "<usrgan>", "<Z80>", "<x>"):
        assert word not in html and word in tags.text


def test_a_long_name_may_break_at_its_slashes(tmp_path):
    row = evaluation().rows[1].model_copy(update={"model": "<b>/gan"})
    given = evaluation().model_copy(update={"rows": [row]})
    write_report(tmp_path / "r.html", title="t", evaluation=given)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert '<th scope="row">&lt;b&gt;/<wbr>gan</th>' in text


def test_facts_of_the_run_are_told(tags):
    text = " ".join(tags.text.split())
    assert "machine: processor" in text and "seed" in text and "a, b" in text
    assert "2 of 5 steps, 9 images/s" in text
    assert "1 line of the log could not be read" in text


def test_slider_offers_every_row_and_works_by_keyboard(tags):
    ranges = [a for a in tags.all("input") if a["type"] == "range"]
    assert [a["aria-label"] for a in ranges] == [
        "cat: where left ends and right begins",
        "unjudged: where left ends and right begins",
    ]
    first = tags.text.split("\nLeft ")[-1].split("\nRight ")[0]
    assert first == "LR (nearest)bicubicpixelganHR (original)"


def test_slider_starts_with_bicubic_beside_the_last_network(tags):
    layers = [a for a in tags.all("img") if "layer" in (a["class"] or "").split()][:5]
    chosen = {
        side: a["alt"] for a in layers for side in ("left", "right") if side in str(a["class"])
    }
    assert chosen == {"left": "cat, bicubic", "right": "cat, gan"}


def test_every_picture_says_what_it_shows(tags):
    assert all(a["alt"] for a in tags.all("img"))


def test_scores_of_a_picture_stand_under_its_part(tags):
    assert "PSNR-Y 28.65 dB" in tags.text  # gan on cat.png: 27.65 + 1
    assert tags.text.count("PSNR-Y 28.65 dB") == 1


def test_every_colour_scheme_and_paper_has_its_rules(html):
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width: 48rem"):
        assert rule in html


def test_csv_holds_every_score(tags):
    (link,) = [a for a in tags.all("a") if "download" in a]
    data = base64.b64decode(str(link["href"]).split(",")[1]).decode()
    lines = list(csv.DictReader(io.StringIO(data)))
    assert len(lines) == 9  # three rows of two pictures and a mean
    assert [line["psnr_y"] for line in lines if line["model"] == "gan"] == [
        "28.65",
        "26.65",
        "27.65",
    ]


def test_zoomed_parts_keep_every_pixel(tags):
    (source,) = [a["src"] for a in tags.all("img") if a["alt"] == "cat, part a, gan"]
    data = base64.b64decode(str(source).split(",")[1])
    image = pyvips.Image.new_from_buffer(data, "")
    pixels = np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, 3)
    assert pixels.shape == (48, 48, 3)
    places = [noise(2)[:, left : left + 48] for left in range(0, 17, 4)]
    assert any(np.array_equal(pixels, place) for place in places)


def test_a_page_with_curves_alone_can_be_written(run, tmp_path):
    write_report(tmp_path / "r.html", title="t", runs=[run])
    tags = Tags((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "Loss terms" in tags.text and "Scores" not in tags.text


def test_verdicts_stand_on_a_time_line_with_what_changes_them(tmp_path):
    told = VerdictEvent(
        stage="gan",
        step=25,
        kind="grid",
        text="<energy> 3.1 %",
        fields=("stages.gan.losses.content.jitter",),
        state="begins",
    )
    steps = (StepEvent(stage="gan", step=100, terms={"pixel": 0.1}, watch=Look(grid=0.031)),)
    quiet = StageLog("quiet", 100, steps, ())
    log = RunLog(
        name="r",
        recipe=None,
        scale=None,
        stages=(quiet, StageLog("gan", 100, steps, (), (told,))),
        facts={},
        unread_lines=0,
    )
    write_report(tmp_path / "r.html", title="t", runs=[log])
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<b>&lt;energy&gt; 3.1\u00a0%</b>" in html
    assert "left:25.00%;width:75.00%" in html and "steps 25 on." in html
    assert "<code>stages.<wbr>gan.<wbr>losses.<wbr>content.<wbr>jitter</code>" in html
    assert html.count("No verdict:") == 1


def test_a_mean_stands_above_the_interval_of_its_pictures(html):
    # two pictures, 1 dB above and below the mean: resampled means reach both
    assert (
        '28.55<span class="heard"> (best)</span><span class="interval">27.55&nbsp;… 29.55<' in html
    )


def test_rows_are_compared_in_pairs_and_few_pictures_are_called_few(html, tags):
    assert 'pixel <span class="quiet">less</span> bicubic' in html
    # 28.55 less 21.59 on both pictures, which is too few to be bold
    assert '<td class="number">+6.96<span' in html
    assert "2 pictures are few" in tags.text and "10,000 resamples" in tags.text


def test_what_a_model_was_trained_on_is_marked_and_not_read_first(tmp_path):
    rows = [
        row.model_copy(update={"trained_on": ("lpips_alex",)} if row.model == "gan" else {})
        for row in evaluation().rows
    ]
    given = evaluation().model_copy(update={"rows": rows})
    write_report(tmp_path / "r.html", title="t", evaluation=given)
    tags = Tags((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "0.1200 (best)† (trained on it)" in tags.text
    assert "† The row was trained on this metric" in tags.text
    assert "Best PSNR-Y, to be read first" in tags.text and "LPIPS was a loss of gan" in tags.text


def test_pictures_that_were_not_judged_are_named(tmp_path):
    failed = (Failure(image="cow.png", reason="it is <damaged>"),)
    given = evaluation().model_copy(update={"failed": failed})
    write_report(tmp_path / "r.html", title="t", evaluation=given)
    tags = Tags((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "Not judged: cow.png (it is <damaged>)." in tags.text


def test_protocols_in_one_table_are_not_compared(tmp_path):
    other = evaluation().model_copy(update={"protocol": "sr-y"})
    given = Mixed([evaluation(), other])
    write_report(tmp_path / "r.html", title="t", evaluation=given)
    tags = Tags((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "protocols mixed" in tags.text and "gan (sr-y)" in tags.text
    assert "Distortion and perception" not in tags.text


def test_the_first_pictures_stand_in_a_grid(tags):
    samples = [a for a in tags.all("img") if a["alt"] == "cat, gan" and a["class"] == "pixelated"]
    assert len(samples) == 1
    assert "The first 2 pictures, 48" in tags.text


def test_a_published_table_of_the_set_stands_below_the_scores(tmp_path):
    rows = [row.model_copy(update={"dataset": "Set5"}) for row in evaluation().rows]
    rows = [
        row.model_copy(update={"metrics": {**row.metrics, "ssim_y": 0.8}, "per_image": []})
        for row in rows
    ]
    twice = [
        evaluation().model_copy(update={"rows": rows, "protocol": p}) for p in ("sr-y", "vdsr")
    ]
    write_report(tmp_path / "r.html", title="t", evaluation=twice)
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert html.count("<h4>Among published methods, Set5 x4</h4>") == 1
    assert html.count("<h4>What people said of Set5 x4</h4>") == 1  # once for the set


def test_every_control_is_one_that_a_keyboard_reaches(tags):
    controls = {"a", "select", "input", "summary"}
    for tag, attributes in tags.found:
        if tag not in controls:
            assert not {"tabindex", "onclick", "contenteditable"} & set(attributes)
        assert attributes.get("tabindex") != "-1"


def test_an_unknown_protocol_is_said_to_be_unknown(tmp_path):
    given = evaluation().model_copy(update={"protocol": "sr-z"})
    write_report(tmp_path / "r.html", title="t", evaluation=given)
    assert "does not know the protocol" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_page_keeps_its_size_by_showing_less(tmp_path, monkeypatch):
    pictures = [picture(str(number)) for number in range(3)]
    write_report(tmp_path / "all.html", title="t", pictures=pictures)
    text = (tmp_path / "all.html").read_text(encoding="utf-8")
    monkeypatch.setattr(page, "MARGIN", 12_000)
    limit = len(text) - 40_000
    monkeypatch.setattr(page, "LARGEST_PAGE", limit)
    write_report(tmp_path / "less.html", title="t", pictures=pictures)
    less = (tmp_path / "less.html").read_text(encoding="utf-8")
    assert len(less) <= limit and "as JPEG of quality" in less


def test_less_detail_shows_the_first_pictures():
    pictures = [picture(str(number)) for number in range(14)]
    shown, detail = embed_pictures(pictures, order=(), budget=10**9)
    assert [p.name for p in shown] == [str(n) for n in range(12)] and detail == DETAILS[0]


def test_no_picture_fits_into_nothing():
    assert embed_pictures([picture()], order=(), budget=10)[0] == []


def test_a_large_picture_is_cut_to_a_window_on_its_lr_grid():
    lr = noise(1, 150, 250)
    hr = lr.repeat(4, axis=0).repeat(4, axis=1)
    changed = hr.copy()
    changed[500:520, 900:920] = 255 - changed[500:520, 900:920]
    shown, _ = embed_pictures(
        [ReportPicture("x", hr, {"a": hr, "b": changed}, "", lr)], order=(), budget=10**8
    )
    window = shown[0].window
    assert (window.height, window.width) == (576, 768) and window.left % 4 == 0
    assert window.top <= 500 and window.left <= 900 < window.left + window.width


def test_scores_find_their_picture_with_and_without_ending():
    assert set(scores_of([evaluation()], "test", "cat")) == {"bicubic", "pixel", "gan"}
    assert scores_of([evaluation()], "elsewhere", "dog.png")["gan"]["psnr_y"] == 26.65
    assert scores_of([evaluation()], "test", "cow") == {}


def test_without_jinja_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r"needs the package jinja2.*upres\[report\]"):
        write_report(tmp_path / "r.html", title="t")
    assert list(tmp_path.iterdir()) == []


def test_what_stood_there_is_replaced_whole(tmp_path):
    path: Path = tmp_path / "r.html"
    path.write_text("old")
    write_report(path, title="new")
    assert "new" in path.read_text(encoding="utf-8") and list(tmp_path.iterdir()) == [path]

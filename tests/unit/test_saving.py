"""An evaluation's folder: what lies where, and what the report finds there again."""

import numpy as np
import pytest

from upres.errors import BadSetting
from upres.evaluation.candidates import Candidate
from upres.evaluation.judge import Evaluation, JudgedPair, Row
from upres.evaluation.protocols import get_protocol
from upres.report.pictures import load_pictures
from upres.report.saving import picture_saver, refuse_folder, save_evaluation

FLOAT = get_protocol("sr-y-float")
BICUBIC = Candidate("bicubic", lambda pair, protocol: pair.hr)
GAN = Candidate("runs/gan", lambda pair, protocol: pair.hr)


def pair(name, grey):
    lr, hr = (np.full((side, side, 3), grey, np.uint8) for side in (4, 16))
    return JudgedPair(name, lr, hr)


def names_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))


def test_a_report_finds_every_row_of_a_picture_again(tmp_path):
    save = picture_saver(tmp_path, "Set5", ["baby.png"])
    baby = pair("baby.png", 7)
    for candidate, value in ((BICUBIC, 1), (GAN, 2)):
        save(candidate, baby, np.full((16, 16, 3), value, np.uint8))
    (found,) = load_pictures(tmp_path / "pictures")
    assert (found.dataset, found.name) == ("Set5", "baby")
    assert {row: pixels[0, 0, 0] for row, pixels in found.rows.items()} == {
        "bicubic": 1,
        "runs/gan": 2,
    }
    assert (found.hr == baby.hr).all() and (found.lr == baby.lr).all()


def test_pictures_that_differ_in_their_endings_only_keep_them(tmp_path):
    names = ["a.png", "a.jpg", "b.jpg"]
    save = picture_saver(tmp_path, "set", names)
    for name in names:
        save(BICUBIC, pair(name, 7), np.zeros((16, 16, 3), np.uint8))
    assert {name for name in names_of(tmp_path) if "HR" in name} == {
        "pictures/set/HR/a.png.png",
        "pictures/set/HR/a.jpg.png",
        "pictures/set/HR/b.png",
    }


def test_luma_alone_is_kept_as_grey(tmp_path):
    save = picture_saver(tmp_path, "set", ["a.png"])
    luma = np.arange(256, dtype=np.uint8).reshape(16, 16)
    save(BICUBIC, pair("a.png", 7), luma)
    (found,) = load_pictures(tmp_path / "pictures")
    assert all((found.rows["bicubic"][..., channel] == luma).all() for channel in range(3))


def test_a_folder_takes_its_own_evaluation_again_and_no_other(tmp_path):
    refuse_folder(tmp_path, ["bicubic"], FLOAT, 4)
    row = Row(model="bicubic", dataset="set", metrics={}, per_image=[])
    save_evaluation(tmp_path, Evaluation(protocol="sr-y-float", rows=[row], scale=4))
    refuse_folder(tmp_path, ["bicubic"], FLOAT, 4)
    for rows, protocol, scale in (
        (["nearest"], FLOAT, 4),
        (["bicubic"], get_protocol("sr-y"), 4),
        (["bicubic"], FLOAT, 2),
    ):
        with pytest.raises(BadSetting, match=r"holds an evaluation of bicubic by sr-y-float x4;"):
            refuse_folder(tmp_path, rows, protocol, scale)


def test_a_file_that_is_no_evaluation_stays(tmp_path):
    (tmp_path / "evaluation.json").write_text("{}")
    with pytest.raises(BadSetting, match=r"evaluation\.json is no evaluation"):
        refuse_folder(tmp_path, ["bicubic"], FLOAT, 4)


@pytest.mark.parametrize("name", ["HR", "LR"])
def test_no_row_takes_the_place_of_hr_or_lr(tmp_path, name):
    with pytest.raises(BadSetting, match=f"no row can be called {name}"):
        refuse_folder(tmp_path, ["bicubic", name], FLOAT, 4)

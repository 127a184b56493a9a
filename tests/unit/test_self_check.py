"""The check of a bicubic row: which set it is, which digits differ, which chain it is."""

import math

import numpy as np
import pytest

from upres.errors import BadPhotos, BadSetting
from upres.evaluation.reference import CHAINS, Score, reference
from upres.evaluation.self_check import (
    ChainCheck,
    RowCheck,
    check_row,
    differing_digits,
    recognised,
)
from upres.evaluation.self_check_table import check_text, wrong_words
from upres.images.files import Picture, write_picture

PUBLISHED = Score(23.14, 0.6577)


def pictures(folder, number=5, side=32):
    """Write `number` pictures of horizontal ramps into a new folder."""
    ramp = np.linspace(0, 255, side).astype(np.uint8)
    for i in range(number):
        pixels = np.tile(np.roll(ramp, i), (side, 1))[..., None].repeat(3, 2)
        write_picture(folder / f"{i}.png", Picture(pixels=pixels))
    return folder


def checked(found, known=None, name="vdsr"):
    return ChainCheck(
        protocol=name,
        found=found,
        reference=known,
        differs=differing_digits(found, PUBLISHED),
    )


@pytest.mark.parametrize(
    "found, words",
    [
        (Score(23.1443, 0.65769), ()),  # 23.14 / .6577
        (Score(23.1411, 0.65702), ("SSIM at decimal 4",)),  # .6570
        (Score(23.1451, 0.65769), ("PSNR at decimal 2",)),  # 23.15
        (Score(23.04, 0.7577), ("PSNR at decimal 1", "SSIM at decimal 1")),
        (Score(3.14, 0.6577), ("PSNR at the digits before the point",)),
        (Score(23.14, -0.6577), ("SSIM at the digits before the point",)),
    ],
)
def test_the_first_digit_that_differs_is_named_as_tables_print_it(found, words):
    assert differing_digits(found, PUBLISHED) == words


@pytest.mark.parametrize(
    "name, dataset",
    [
        ("Set5", "Set5"),
        ("set_14", "Set14"),
        ("B100", "BSD100"),
        ("BSDS100", "BSD100"),
        ("urban100", "Urban100"),
        ("Manga-109", "Manga109"),
    ],
)
def test_a_set_is_known_by_its_folder_or_by_those_above_it(tmp_path, name, dataset):
    number = {"Set5": 5, "Set14": 14, "Manga109": 109}.get(dataset, 100)
    folder = pictures(tmp_path / name / "original", number, side=4)
    assert recognised(folder) == dataset
    assert recognised(folder.parent / ".." / name / "original", name) == dataset


def test_a_set_is_known_by_its_number_where_one_set_alone_has_it(tmp_path):
    assert recognised(pictures(tmp_path / "mine", 14, side=4)) == "Set14"
    for number, like in [(100, "as BSD100 and Urban100 do"), (6, "as no known benchmark does")]:
        with pytest.raises(BadSetting, match=f"holds {number} pictures, {like}; .*--set"):
            recognised(pictures(tmp_path / f"n{number}", number, side=4))


def test_the_name_given_comes_first_and_the_number_must_fit(tmp_path):
    folder = pictures(tmp_path / "Set14" / "HR", 5, side=4)
    assert recognised(folder.parent, "set5") == "Set5"
    with pytest.raises(BadPhotos, match="holds 5 pictures, but Set14 has 14"):
        recognised(folder)
    with pytest.raises(
        BadSetting, match=r"--set Urban is no known benchmark; did you .* 'Urban100'"
    ):
        recognised(folder, "Urban")


def test_a_row_has_every_chain_and_what_is_known_of_each(tmp_path):
    calls = []
    check = check_row(pictures(tmp_path / "a"), "Set5", 4, lambda: calls.append(1))
    assert [chain.protocol for chain in check.chains] == list(CHAINS)
    assert len(calls) == len(CHAINS) * 5
    assert check.published == Score(28.42, 0.8104)
    assert check.chains[0].reference == Score(28.4211, 0.8104)
    assert len(wrong_words(check)) == len(CHAINS)  # a ramp is none of its pictures
    assert "! |" in check_text(check)
    for chain in check.chains:
        assert math.isfinite(chain.found.psnr)


def test_a_set_without_references_agrees_and_says_so(tmp_path):
    folder = pictures(tmp_path / "a")
    assert reference("Manga109", 4).published == Score(24.89, 0.7866)
    assert reference("Manga109", 4).chains == {}
    unknown = check_row(folder, "Manga109", 2)
    assert unknown.published is None
    assert unknown.nearest is None
    assert all(chain.agrees for chain in unknown.chains)
    assert "no published row known" in check_text(unknown)
    assert check_text(unknown).endswith("There is nothing to compare these with.\n")


def test_a_picture_that_cannot_be_read_ends_the_check(tmp_path):
    folder = pictures(tmp_path / "a")
    (folder / "3.png").write_bytes(b"no picture")
    with pytest.raises(BadPhotos, match=r"3\.png.*needs all of its pictures"):
        check_row(folder, "Set5", 4)


@pytest.mark.parametrize(
    "psnr, ssim, agrees",
    [
        (23.1470, 0.65769, True),
        (23.1477, 0.65769, False),
        (23.1443, 0.65790, True),
        (23.1443, 0.65735, False),
    ],
)
def test_a_chain_agrees_within_three_thousandths_and_three_ten_thousandths(psnr, ssim, agrees):
    chain = checked(Score(psnr, ssim), Score(23.1443, 0.65769))
    assert chain.agrees is agrees
    row = RowCheck(dataset="Urban100", scale=4, published=PUBLISHED, chains=[chain])
    words = f"Urban100 x4 by vdsr is {psnr:.4f} / {ssim:.5f}, not 23.1443 / 0.65769"
    assert wrong_words(row) == ([] if agrees else [words])


def test_the_text_says_which_chains_print_the_published_row():
    vdsr, srcnn = checked(Score(23.1443, 0.65769)), checked(Score(23.1411, 0.65702), name="srcnn")
    row = RowCheck(dataset="Urban100", scale=4, published=PUBLISHED, chains=[vdsr, srcnn])
    *_, last = check_text(row).splitlines()
    assert last == "The published row is what vdsr prints."
    both = row.model_copy(update={"chains": [vdsr, vdsr, srcnn]})
    assert check_text(both).endswith("is what vdsr and vdsr print.\n")
    none = row.model_copy(update={"chains": [srcnn, checked(Score(23.2, 0.65), name="far")]})
    assert check_text(none).splitlines()[-1] == (
        "No chain prints the published row; the nearest is srcnn: it differs in SSIM at decimal 4."
    )


def test_the_table_is_ascii_and_its_lines_are_of_one_length():
    row = RowCheck(
        dataset="Urban100", scale=4, published=PUBLISHED, chains=[checked(Score(3.1, 0.1))]
    )
    title, *table, _ = check_text(row).splitlines()
    assert title == "Urban100 x4, bicubic, luma, border 4; papers: 23.14 / 0.6577"
    assert len({len(line) for line in table}) == 1
    assert check_text(row).isascii()

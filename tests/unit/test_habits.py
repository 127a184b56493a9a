"""What other upscalers' options mean here."""

import pytest

from upres.cli import habits
from upres.errors import BadSetting


def test_a_model_is_named_by_either_option(tmp_path):
    assert habits.which_model(None, None) is None
    assert habits.which_model(None, "RealESRGAN_x4plus") == "RealESRGAN_x4plus"
    assert habits.which_model("compact-x2", None) == "compact-x2"


@pytest.mark.parametrize("ending", [".param", ".pth", ".safetensors"])
def test_a_name_is_looked_for_in_the_folder_of_models(tmp_path, ending):
    (tmp_path / f"x4plus{ending}").touch()
    assert habits.which_model(str(tmp_path), "x4plus") == str(tmp_path / f"x4plus{ending}")
    with pytest.raises(BadSetting, match=r"holds no other\.param, \.pth or \.safetensors"):
        habits.which_model(str(tmp_path), "other")


def test_a_file_wins_over_the_name_of_its_architecture(tmp_path):
    path = tmp_path / "mine.pth"
    path.touch()
    assert habits.which_model(str(path), "RealESRGAN_x4plus") == str(path)


def test_two_models_are_one_too_many():
    with pytest.raises(BadSetting, match="--model one and -n two are two models"):
        habits.which_model("one", "two")


@pytest.mark.parametrize(
    "given, count, device, said",
    [
        (None, 0, "auto", None),
        ("auto", 0, "auto", None),
        ("-1", 2, "cpu", None),
        ("1", 2, "cuda:1", None),
        ("0", 0, "auto", "-g 0 is ignored: PyTorch sees no CUDA device here; see --device."),
        ("0,1", 2, "auto", "-g 0,1 is ignored: PyTorch sees 2 CUDA devices here; see --device."),
    ],
)
def test_g_is_a_device(given, count, device, said):
    assert habits.gpu(given, "auto", count) == (device, said)


def test_suffixes_endings_sizes_and_tiles():
    assert [habits.suffix(x) for x in (None, "", "out", "_x4", "-big")] == [
        *(None, "", "_out"),
        *("_x4", "-big"),
    ]
    assert [habits.ending(x) for x in (None, "auto", "jpg", ".PNG")] == [None, None, ".jpg", ".png"]
    assert habits.size("3840x2160") == (3840, 2160)
    assert [habits.tile(x) for x in (None, "auto", "0", "200")] == [None, None, 0, 200]
    assert [habits.bits(x) for x in ("auto", "8", "16", "32")] == [None, 8, 16, 32]


@pytest.mark.parametrize("text", ["", "3840", "0x9", "-1x9", "1x2x3", "axb"])
def test_a_size_is_two_numbers(text):
    with pytest.raises(BadSetting, match="expected a size such as 3840x2160"):
        habits.size(text)


def test_what_does_nothing_is_said():
    assert habits.ignored({"--tile-pad": "10", "-j": None, "-v": False}) == [
        "--tile-pad is ignored: tiles overlap by what the network sees around a pixel."
    ]

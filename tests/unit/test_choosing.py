"""Which weights are used, and whether a discriminator had a part in them."""

import pytest
import torch

from upres.errors import BadSetting
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.recipes import get_recipe
from upres.upscaling import choosing
from upres.upscaling.choosing import choose_model, default_model, is_adversarial, pair_of
from upres.upscaling.settings import UpscaleSettings
from upres.upscaling.upscaler import Upscaler
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint
from upres.weights.model import Model, load_model, zoo_names
from upres.weights.published_models import published_model

SETTINGS = CompactSettings(width=4, convs=1)
RECIPE = get_recipe("usrgan-small").model_dump(mode="json")


def write(path, *, seed=0, stage=None, recipe=RECIPE):
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = build_generator(SETTINGS, 2, seed=seed).state_dict()
    header = CheckpointHeader(
        generator=SETTINGS, scale=2, upres_version="0", stage=stage, recipe=recipe
    )
    save_checkpoint(path, tensors, header)
    return path


@pytest.fixture
def run(tmp_path):
    """A run of two stages as `upres train` leaves it."""
    write(tmp_path / "RUN" / "pixel" / "model.safetensors", seed=1, stage="pixel")
    write(tmp_path / "RUN" / "gan" / "model.safetensors", seed=2, stage="gan")
    write(tmp_path / "RUN" / "model.safetensors", seed=2, stage="gan")
    return tmp_path / "RUN"


def first_weight(model):
    return next(iter(model.network.state_dict().values()))


@pytest.mark.parametrize("part", ["", "pixel", "gan"])
def test_a_run_of_two_stages_has_both_ends(run, part):
    assert pair_of(run / part) == (str(run / "pixel"), str(run / "gan"))


def test_fidelity_is_the_share_of_the_network_trained_for_psnr(run):
    smooth, sharp = (first_weight(load_model(run / stage)) for stage in ("pixel", "gan"))
    mixed = first_weight(choose_model(run, fidelity=0.25))
    torch.testing.assert_close(mixed, 0.25 * smooth + 0.75 * sharp)
    assert torch.equal(first_weight(choose_model(run, fidelity=1)), smooth)
    assert torch.equal(first_weight(choose_model(run, fidelity=0)), sharp)


@pytest.mark.parametrize("name", ["compact-x4", "compact-x4-gan"])
def test_the_shipped_pair_is_found_by_either_name(name):
    assert pair_of(name) == ("compact-x4", "compact-x4-gan")
    assert choose_model(name, fidelity=0.5).scale == 4


@pytest.mark.parametrize(
    "scale, fidelity, chosen",
    [
        (1, None, "compact-x2"),
        (2, None, "compact-x2"),
        (2.01, None, "compact-x3"),
        (3, None, "compact-x3"),
        (3.5, None, "compact-x4"),
        (6, None, "compact-x4"),
        (None, None, "compact-x4"),
        (2, 0.5, "compact-x4"),
    ],
)
def test_where_no_model_is_named_the_smallest_that_reaches_the_scale_is_taken(
    scale, fidelity, chosen
):
    assert default_model(scale, fidelity) == chosen in zoo_names()


def test_a_network_without_twin_says_what_has_one(tmp_path):
    lone = write(tmp_path / "lone.safetensors")
    with pytest.raises(BadSetting, match=r"lone\.safetensors is one network alone.*compact-x4\."):
        choose_model(lone, fidelity=0.5)
    unfinished = write(tmp_path / "RUN" / "model.safetensors", stage="pixel").parent
    with pytest.raises(BadSetting, match="RUN is one network alone"):
        choose_model(unfinished, fidelity=0.5)


@pytest.mark.parametrize(
    "asked, message",
    [
        ({"fidelity": 1.5}, "--fidelity is 1.5, expected 0 to 1"),
        ({"fidelity": float("nan")}, "--fidelity is nan"),
        ({"fidelity": 0.5, "denoise": 0.5}, "give one of them"),
        ({"denoise": 0.5}, "the model is compact-x4; give --model realesr-general-x4v3"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, message):
    with pytest.raises(BadSetting, match=message):
        choose_model("compact-x4", **asked)


@pytest.mark.parametrize("name", ["realesr-general-x4v3", "realesr-general-x4v3.pth"])
def test_denoising_mixes_the_published_twins_as_real_esrgan_does(tmp_path, monkeypatch, name):
    files = {
        "realesr-general-x4v3": write(tmp_path / "a.safetensors", seed=1),
        "realesr-general-wdn-x4v3": write(tmp_path / "b.safetensors", seed=2),
    }
    monkeypatch.setattr(choosing, "load_model", lambda end, progress: load_model(files[end]))
    clean, noisy = (first_weight(load_model(path)) for path in files.values())
    # Real-ESRGAN's program: dni_weight = [strength, 1 - strength] of general and wdn
    torch.testing.assert_close(
        first_weight(choose_model(name, denoise=0.3)), 0.3 * clean + 0.7 * noisy
    )


def model_of(header=None, published=None):
    return Model(torch.nn.Identity(), SETTINGS, 2, "name", "0", header, published)


def header_at(stage, recipe=RECIPE, **more):
    return CheckpointHeader(
        generator=SETTINGS, scale=2, upres_version="0", stage=stage, recipe=recipe, **more
    )


def test_a_stage_before_the_discriminator_is_none_of_its_work():
    assert not is_adversarial(model_of(header_at("pixel")))
    assert is_adversarial(model_of(header_at("gan")))
    assert not is_adversarial(model_of(header_at(None, recipe=None)))


def test_an_interpolated_network_is_what_its_parents_are(run):
    assert is_adversarial(choose_model(run, fidelity=0.5))
    assert not is_adversarial(choose_model(run, fidelity=1))


def test_files_of_others_may_be_gans_and_published_ones_are_known():
    assert is_adversarial(model_of())
    assert is_adversarial(model_of(published=published_model("RealESRGAN_x4plus")))
    assert not is_adversarial(model_of(published=published_model("RealESRNet_x4plus")))


@pytest.mark.parametrize("asked, corrected", [(None, True), (True, True), (False, False)])
def test_the_colours_of_a_gan_are_corrected_unless_told_not_to(run, asked, corrected):
    upscaler = Upscaler.load(run, UpscaleSettings(keep_colour=asked))
    names = [getattr(finish.change, "__name__", "") for finish in upscaler.finishes]
    assert ("colour_kept" in names) == corrected
    assert "colour_kept" not in str(Upscaler.load(run / "pixel").finishes)

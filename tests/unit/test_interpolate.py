"""Networks between two: values by hand, what is refused, and what the file says of itself."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from upres.errors import BadSetting, BadWeights
from upres.networks.build import GeneratorSettings, build_generator
from upres.networks.compact import CompactSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.srresnet import SRResNetSettings
from upres.weights.checkpoint import (
    CheckpointHeader,
    read_checkpoint,
    recipes_in,
    save_checkpoint,
)
from upres.weights.interpolate import interpolate, interpolated, likeness
from upres.weights.model import Model, load_model

COMPACT = CompactSettings(width=4, convs=1)


def model(
    name: str,
    settings: GeneratorSettings = COMPACT,
    *,
    scale: int = 2,
    seed: int = 1,
    licence: str | None = None,
) -> Model:
    network = build_generator(settings, scale, seed=seed).eval()
    recipe = {"name": f"recipe of {name}"}
    header = CheckpointHeader(
        generator=settings, scale=scale, recipe=recipe, upres_version="0.1.0", licence=licence
    )
    return Model(network, settings, scale, name, f"sha256 of {name}", header)


def test_a_tenth_of_the_way_is_nine_tenths_of_the_first_and_a_tenth_of_the_second():
    first = {"weight": torch.tensor([1.0, 10.0, -2.0])}
    second = {"weight": torch.tensor([2.0, 0.0, -2.0])}
    mixed = interpolate(first, second, 0.1)
    assert mixed["weight"].tolist() == pytest.approx([1.1, 9.0, -2.0])


def test_ends_are_the_networks_themselves_to_the_last_bit():
    one, other = (model(n, seed=s).network.state_dict() for n, s in (("a", 1), ("b", 2)))
    assert all(torch.equal(v, one[k]) for k, v in interpolate(one, other, 0.0).items())
    assert all(torch.equal(v, other[k]) for k, v in interpolate(one, other, 1.0).items())


def test_of_a_linear_network_the_outputs_lie_between_as_the_weights_do():
    # exact for one layer: convolution is linear in its kernel
    lr = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(3))
    kernels = [torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(s)) for s in (1, 2)]
    mixed = interpolate({"w": kernels[0]}, {"w": kernels[1]}, 0.25)["w"]
    outputs = [torch.nn.functional.conv2d(lr, kernel) for kernel in (*kernels, mixed)]
    torch.testing.assert_close(outputs[2], 0.75 * outputs[0] + 0.25 * outputs[1])


def test_running_means_and_variances_of_batch_norm_lie_between_too():
    settings = SRResNetSettings(blocks=1, width=4)
    first, second = model("a", settings), model("b", settings)
    for found, mean, variance in ((first, 0.0, 1.0), (second, 4.0, 3.0)):
        for name, buffer in found.network.named_buffers():
            if name.endswith("running_mean"):
                buffer.fill_(mean)
            if name.endswith("running_var"):
                buffer.fill_(variance)
            if name.endswith("num_batches_tracked"):
                buffer.fill_(int(10 * mean))
    buffers = dict(interpolated(first, second, 0.25).network.named_buffers())
    means = [v for k, v in buffers.items() if k.endswith("running_mean")]
    assert means
    assert all((v == 1.0).all() for v in means)
    assert all((v == 1.5).all() for k, v in buffers.items() if k.endswith("running_var"))
    counts = [v for k, v in buffers.items() if k.endswith("num_batches_tracked")]
    assert all(v.dtype == torch.int64 and v == 10 for v in counts)


@pytest.mark.parametrize("alpha", [-0.01, 1.01, math.nan])
def test_an_alpha_that_is_no_share_is_refused(alpha):
    with pytest.raises(BadSetting, match=r"alpha is .*, expected 0 \(all of the first network\)"):
        interpolate({}, {}, alpha)


def test_the_first_tensor_that_differs_is_named():
    first = {"a": torch.zeros(2), "b": torch.zeros(3, 2), "c": torch.zeros(1)}
    with pytest.raises(BadWeights, match=r"differ in b \(3x2 and 2x3\)"):
        interpolate(first, {**first, "b": torch.zeros(2, 3), "c": torch.zeros(9)}, 0.5)
    with pytest.raises(BadWeights, match=r"differ in c \(1 and missing\)"):
        interpolate(first, {"a": first["a"], "b": first["b"]}, 0.5)
    with pytest.raises(BadWeights, match=r"differ in d \(missing and one value\)"):
        interpolate(first, {**first, "d": torch.tensor(1.0)}, 0.5)


@pytest.mark.parametrize(
    "other, message",
    [
        (model("b", MSRResNetSettings(blocks=1, width=4)), "a has kind compact, but b has msrr"),
        (model("b", CompactSettings(width=8, convs=1)), "a has width 4, but b has 8"),
        (model("b", CompactSettings(width=4, convs=2)), "a has convs 1, but b has 2"),
        (model("b", scale=4), "a has scale 2, but b has 4"),
    ],
)
def test_unlike_networks_are_refused_by_the_first_thing_that_differs(other, message):
    with pytest.raises(BadWeights, match=message):
        interpolated(model("a"), other, 0.5)


def test_the_file_says_what_it_was_made_of(tmp_path: Path):
    first = model("a", seed=1, licence="for all")
    second = model("b", seed=2, licence="for studies")
    mixed = interpolated(first, second, 0.25)
    path = tmp_path / "mixed.safetensors"
    save_checkpoint(path, mixed.network.state_dict(), mixed.header)
    header, _ = read_checkpoint(path)
    assert [(p.name, p.sha256, p.share) for p in header.parents] == [
        ("a", "sha256 of a", 0.75),
        ("b", "sha256 of b", 0.25),
    ]
    assert header.parents[1].header == second.header
    assert header.licence == "a: for all; b: for studies"
    assert header.recipe is None
    assert load_model(path).sha256 == mixed.sha256


def test_one_licence_of_both_parents_is_said_once():
    mixed = interpolated(model("a", licence="for all"), model("b", licence="for all"), 0.5)
    assert mixed.header.licence == "for all"


def test_recipes_of_all_parents_count_but_not_of_one_without_a_share():
    first, second = model("a"), model("b", seed=2)
    half = interpolated(first, second, 0.5)
    again = interpolated(half, model("c", seed=3), 0.5)
    names = [recipe["name"] for recipe in recipes_in(again.header)]
    assert names == ["recipe of a", "recipe of b", "recipe of c"]
    ends = [interpolated(first, second, alpha).header for alpha in (0.0, 1.0)]
    assert [recipes_in(header) for header in ends] == [
        [{"name": "recipe of a"}],
        [{"name": "recipe of b"}],
    ]
    assert recipes_in(None) == []


def test_the_file_of_another_program_has_no_header_to_keep():
    foreign = replace(model("a"), header=None)
    header = interpolated(foreign, model("b", seed=2), 0.5).header
    assert header.parents[0].header is None
    assert header.licence == "not stated"


def test_likeness_is_the_cosine_between_kernels():
    settings = MSRResNetSettings(blocks=1, width=16)
    first = model("a", settings)
    assert likeness(first, first) == pytest.approx(1.0)
    turned = model("b", settings)
    with torch.no_grad():
        for parameter in turned.network.parameters():
            if parameter.ndim > 1:
                parameter.mul_(-2)
    assert likeness(first, turned) == pytest.approx(-1.0)
    assert abs(likeness(first, model("c", settings, seed=9))) < 0.05  # random starts

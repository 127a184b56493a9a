import pytest
import torch
from torch import Tensor

from upres.losses.style import gram, style
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.networks.features import FeatureNetwork


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def maps(*values: float) -> dict[str, Tensor]:
    """A map of two channels and two pixels for each of two samples."""
    return {"conv1": torch.tensor(values, dtype=torch.float32).view(2, 2, 1, 2)}


SR = maps(1, 2, 3, 4, 0, 0, 0, 0)
HR = maps(1, 0, 0, 1, 0, 0, 0, 4)


def test_gram_matrices_by_hand() -> None:
    # Channels (1, 2) and (3, 4): products 5, 11, 25; over 2 channels * 2 positions.
    expected = torch.tensor([[[5.0, 11.0], [11.0, 25.0]], [[0.0, 0.0], [0.0, 0.0]]]) / 4
    torch.testing.assert_close(gram(SR["conv1"]), expected)


def test_values_by_hand() -> None:
    # Gram matrices of HR: (1, 0, 0, 1) / 4 and (0, 0, 0, 16) / 4.
    l1 = torch.tensor([(4 + 11 + 11 + 24) / 4, 16 / 4]) / 4
    squared = torch.tensor([(16 + 121 + 121 + 576) / 16, 256 / 16]) / 4
    torch.testing.assert_close(style(SR, HR, {"conv1": 1.0}), l1)
    torch.testing.assert_close(style(SR, HR, {"conv1": 1.0}, "squared"), squared)


def test_layers_add_up_by_their_weights_and_others_are_ignored() -> None:
    sr = {**SR, "conv2": torch.ones(2, 1, 1, 1), "conv3": torch.full((2, 1, 1, 1), 99.0)}
    hr = {**HR, "conv2": torch.full((2, 1, 1, 1), 3.0), "conv3": torch.zeros(2, 1, 1, 1)}
    found = style(sr, hr, {"conv1": 0.5, "conv2": 10.0})
    torch.testing.assert_close(found, torch.tensor([0.5 * 12.5 / 4 + 80, 0.5 * 4 / 4 + 80]))


def test_where_features_lie_does_not_count() -> None:
    features = noise(2, 4, 3, 5)
    turned = {"conv1": features.flip(3).mT}
    found = style({"conv1": features}, turned, {"conv1": 1.0})
    torch.testing.assert_close(found, torch.zeros(2, dtype=torch.float64))


def test_the_size_of_a_map_does_not_count() -> None:
    features = noise(1, 4, 3, 5)
    torch.testing.assert_close(gram(features.repeat(1, 1, 2, 3)), gram(features))


@pytest.mark.parametrize("norm", ["l1", "squared"])
def test_slopes_are_those_of_finite_differences_and_none_at_equality(norm: str) -> None:
    sr, hr = noise(2, 3, 2, 3).requires_grad_(), {"conv1": noise(2, 3, 2, 3, seed=2)}
    assert torch.autograd.gradcheck(lambda x: style({"conv1": x}, hr, {"conv1": 1.0}, norm), (sr,))
    same = {"conv1": hr["conv1"].clone().requires_grad_()}
    style(same, hr, {"conv1": 1.0}, norm).sum().backward()
    assert not same["conv1"].grad.any()


def test_low_types_and_autocast_are_summed_in_float32() -> None:
    low = 100 * noise(2, 8, 30, 30).bfloat16()  # sums of 9 million
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(gram(low), gram(low.float()))
        assert gram(low.float()).dtype == torch.float32
    half = low.half()
    assert torch.isfinite(style({"a": half}, {"a": 0 * half}, {"a": 1.0}, "squared")).all()


def test_missing_layers_and_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="no features of conv5_4; got conv1"):
        style(SR, HR, {"conv5_4": 1.0})
    with pytest.raises(ValueError, match="style needs the weight of at least one layer"):
        style(SR, HR, {})


def test_the_style_term_alone_moves_all_of_the_generator() -> None:
    generator = build_generator(CompactSettings(width=4, convs=1), 4, seed=0)
    features = FeatureNetwork("vgg19", ("conv2_2",))
    with torch.no_grad():
        of_hr = features(torch.rand(2, 3, 16, 16))
    of_sr = features(generator(torch.rand(2, 3, 4, 4)))
    style(of_sr, of_hr, {"conv2_2": 1.0}).mean().backward()
    assert all(parameter.grad.any() for parameter in generator.parameters())
    assert not of_hr["conv2_2"].requires_grad

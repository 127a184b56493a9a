import pytest
import torch
from torch import Tensor

from upres.losses.content import content
from upres.networks.build import build_generator
from upres.networks.compact import CompactSettings
from upres.networks.features import FeatureNetwork


def maps(*values: float) -> dict[str, Tensor]:
    """A map of two channels and two pixels for each of two samples."""
    return {"conv1": torch.tensor(values, dtype=torch.float32).view(2, 2, 1, 2)}


SR = maps(1, 2, 3, 4, 0, 0, 0, 0)
HR = maps(0, 2, 5, 4, 0, 0, 0, 4)


def test_values_by_hand() -> None:
    squared = content(SR, HR, {"conv1": 1.0}, "squared")
    torch.testing.assert_close(squared, torch.tensor([(1 + 4) / 4, 16 / 4]))
    torch.testing.assert_close(content(SR, HR, {"conv1": 1.0}, "l1"), torch.tensor([3 / 4, 4 / 4]))


def test_layers_add_up_by_their_weights_and_others_are_ignored() -> None:
    sr = {**SR, "conv2": torch.ones(2, 1, 1, 1), "conv3": torch.full((2, 1, 1, 1), 99.0)}
    hr = {**HR, "conv2": torch.full((2, 1, 1, 1), 3.0), "conv3": torch.zeros(2, 1, 1, 1)}
    found = content(sr, hr, {"conv1": 0.5, "conv2": 10.0}, "squared")
    torch.testing.assert_close(found, torch.tensor([0.5 * 1.25 + 10 * 4, 0.5 * 4 + 10 * 4]))


def test_srgans_literal_value_is_a_matter_of_weights() -> None:
    # Equation 5 divides by W and H only (2 pixels here), and features by 12.75.
    found = content(SR, HR, {"conv1": 2 / 12.75**2}, "squared")
    torch.testing.assert_close(found, torch.tensor([5 / 2, 16 / 2]) / 12.75**2)


def test_gradients_reach_the_features_of_sr() -> None:
    sr = {"conv1": SR["conv1"].clone().requires_grad_()}
    content(sr, HR, {"conv1": 1.0}).sum().backward()
    torch.testing.assert_close(sr["conv1"].grad, 2 * (SR["conv1"] - HR["conv1"]) / 4)


def test_features_in_bfloat16_are_compared_in_float32() -> None:
    sr, hr = ({"conv1": x["conv1"].bfloat16()} for x in (SR, HR))
    found = content(sr, hr, {"conv1": 1.0})
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.tensor([1.25, 4.0]))


def test_missing_layers_and_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="no features of conv5_4; got conv1"):
        content(SR, HR, {"conv5_4": 1.0})
    with pytest.raises(ValueError, match="at least one layer"):
        content(SR, HR, {})


@pytest.mark.parametrize("norm", ["l1", "squared"])
def test_the_content_term_alone_moves_all_of_the_generator(norm: str) -> None:
    generator = build_generator(CompactSettings(width=4, convs=1), 4, seed=0)
    features = FeatureNetwork("vgg19", ("conv2_2",))
    with torch.no_grad():
        of_hr = features(torch.rand(2, 3, 16, 16))
    assert not of_hr["conv2_2"].requires_grad
    of_sr = features(generator(torch.rand(2, 3, 4, 4)))
    content(of_sr, of_hr, {"conv2_2": 1.0}, norm).mean().backward()
    assert all(parameter.grad.any() for parameter in generator.parameters())

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from upres.losses.regularisers import gradient_penalty
from upres.networks.build import build_discriminator
from upres.networks.discriminators import VGGDiscriminatorSettings


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def small(*, spectral: bool, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """Two convolutions and a logit, of pictures (n, 3, 6, 6)."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        layers = [nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 2, 3), nn.Linear(2, 1)]
        if spectral:
            layers = [spectral_norm(layer) for layer in layers]
    first, second, last = layers
    network = nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.Tanh(), nn.Flatten(), last)
    return network.to(dtype).eval()  # in train mode each call would move spectral norm's vectors


def test_a_linear_discriminator_has_half_its_squared_weights_on_every_picture() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 1)).double()
    weight = network[1].weight
    pictures = noise(3, 3, 2, 2).double().requires_grad_()
    penalty = gradient_penalty(network(pictures), pictures)
    torch.testing.assert_close(penalty, (weight.square().sum() / 2).expand(3))
    (slope,) = torch.autograd.grad(penalty.mean(), weight)
    torch.testing.assert_close(slope, weight)  # half the square has the weight itself as slope


def test_a_quadratic_discriminator_is_penalised_by_each_picture_itself() -> None:
    pictures = torch.tensor([[1.0, 2.0], [0.0, -3.0]]).view(2, 1, 1, 2).requires_grad_()
    logits = (pictures.square().sum(dim=(1, 2, 3)) / 2)[:, None]  # its gradient is the picture
    torch.testing.assert_close(gradient_penalty(logits, pictures), torch.tensor([2.5, 4.5]))


def test_of_a_map_the_mean_over_positions_counts() -> None:
    # Every position sees its own pixel times 8: the mean of 4 has a gradient of 2 at each pixel.
    pictures = noise(2, 1, 2, 2).requires_grad_()
    penalty = gradient_penalty(8 * pictures, pictures)
    torch.testing.assert_close(penalty, torch.full((2,), 4 * 2.0**2 / 2))


@pytest.mark.parametrize("spectral", [False, True])
def test_it_is_the_slope_found_by_finite_differences(spectral: bool) -> None:
    network, picture = small(spectral=spectral), noise(1, 3, 6, 6).double()
    slopes = []
    with torch.no_grad():
        for index in range(picture.numel()):
            step = torch.zeros(picture.numel(), dtype=torch.float64)
            step[index] = 1e-5
            step = step.view_as(picture)
            slopes.append((network(picture + step) - network(picture - step)).item() / 2e-5)
    picture.requires_grad_()
    found = gradient_penalty(network(picture), picture).item()
    assert found == pytest.approx(sum(slope**2 for slope in slopes) / 2, rel=1e-6)


@pytest.mark.parametrize("spectral", [False, True])
def test_it_reaches_the_parameters_as_finite_differences_say(spectral: bool) -> None:
    network, pictures = small(spectral=spectral), noise(2, 3, 6, 6).double()
    before = {name: value.detach().clone() for name, value in network.named_parameters()}

    def penalty() -> Tensor:
        given = pictures.clone().requires_grad_()
        return gradient_penalty(network(given), given).mean()

    penalty().backward()
    for name, parameter in network.named_parameters():
        if name.endswith("5.bias"):  # the last bias moves the logit, not its slope
            assert parameter.grad is None or not parameter.grad.any()
            continue
        direction = noise(*parameter.shape, seed=9).double() - 0.5
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter.copy_(before[name] + sign * 1e-5 * direction)
            values.append(penalty().item())
            with torch.no_grad():
                parameter.copy_(before[name])
        expected = (values[0] - values[1]) / 2e-5
        assert (parameter.grad * direction).sum().item() == pytest.approx(
            expected, rel=1e-4, abs=1e-9
        )


def test_samples_do_not_mix() -> None:
    network, pictures = small(spectral=False), noise(3, 3, 6, 6).double()
    together = pictures.clone().requires_grad_()
    alone = pictures[1:2].clone().requires_grad_()
    torch.testing.assert_close(
        gradient_penalty(network(together), together)[1:2],
        gradient_penalty(network(alone), alone),
    )


@pytest.mark.parametrize("norm", ["spectral", "batch"])
def test_every_weight_of_the_vgg_style_discriminator_feels_it(norm: str) -> None:
    settings = VGGDiscriminatorSettings(width=4, dense=8, norm=norm)
    network = build_discriminator(settings, 16, seed=0)
    pictures = noise(2, 3, 16, 16).requires_grad_()
    gradient_penalty(network(pictures), pictures).mean().backward()
    for name, parameter in network.named_parameters():
        if "bias" not in name:  # a bias has a slope only where it turns a LeakyReLU over
            assert parameter.grad is not None, name
            assert parameter.grad.any(), name


def test_under_bfloat16_autocast_it_comes_out_finite_but_coarse() -> None:
    # The reason why the docstring asks for logits computed outside of autocast.
    network, pictures = small(spectral=False, dtype=torch.float32), noise(4, 3, 6, 6)
    given = pictures.clone().requires_grad_()
    exact = gradient_penalty(network(given), given)
    given = pictures.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        coarse = gradient_penalty(network(given), given)
    coarse.mean().backward()
    assert coarse.dtype == torch.float32
    error = ((coarse - exact).abs() / exact).max().item()
    assert 1e-4 < error < 0.1
    assert all(
        parameter.grad is None or torch.isfinite(parameter.grad).all()
        for parameter in network.parameters()
    )


def test_pictures_without_gradient_are_refused() -> None:
    pictures = noise(1, 3, 2, 2)
    logits = nn.Linear(12, 1)(pictures.flatten(1))
    with pytest.raises(ValueError, match="needs pictures that take a gradient"):
        gradient_penalty(logits, pictures)

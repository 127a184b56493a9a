"""Published discriminators carry spectral norm's older names and mean the same weights."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm as older_spectral_norm

from upres.errors import BadWeights
from upres.networks.unet_discriminator import UNetDiscriminator, UNetDiscriminatorSettings
from upres.weights.spectral_names import parametrised, read_discriminator
from upres.weights.tensors import fill

# What RealESRGAN_x4plus_netD.pth holds (realesrgan/archs/discriminator_arch.py): 28 tensors.
PUBLISHED_KEYS = (
    {"conv0.weight", "conv0.bias", "conv9.weight", "conv9.bias"}
    | {f"conv{n}.weight_orig" for n in range(1, 9)}
    | {f"conv{n}.weight_u" for n in range(1, 9)}
    | {f"conv{n}.weight_v" for n in range(1, 9)}
)


class Older(nn.Module):
    """The published network, written anew with the function that it was published with."""

    def __init__(self, nf: int) -> None:
        super().__init__()
        norm = older_spectral_norm
        self.conv0 = nn.Conv2d(3, nf, 3, 1, 1)
        self.conv1 = norm(nn.Conv2d(nf, nf * 2, 4, 2, 1, bias=False))
        self.conv2 = norm(nn.Conv2d(nf * 2, nf * 4, 4, 2, 1, bias=False))
        self.conv3 = norm(nn.Conv2d(nf * 4, nf * 8, 4, 2, 1, bias=False))
        self.conv4 = norm(nn.Conv2d(nf * 8, nf * 4, 3, 1, 1, bias=False))
        self.conv5 = norm(nn.Conv2d(nf * 4, nf * 2, 3, 1, 1, bias=False))
        self.conv6 = norm(nn.Conv2d(nf * 2, nf, 3, 1, 1, bias=False))
        self.conv7 = norm(nn.Conv2d(nf, nf, 3, 1, 1, bias=False))
        self.conv8 = norm(nn.Conv2d(nf, nf, 3, 1, 1, bias=False))
        self.conv9 = nn.Conv2d(nf, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        def up(y: Tensor) -> Tensor:
            return F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)

        x0 = F.leaky_relu(self.conv0(x), 0.2)
        x1 = F.leaky_relu(self.conv1(x0), 0.2)
        x2 = F.leaky_relu(self.conv2(x1), 0.2)
        x3 = F.leaky_relu(self.conv3(x2), 0.2)
        x4 = F.leaky_relu(self.conv4(up(x3)), 0.2) + x2
        x5 = F.leaky_relu(self.conv5(up(x4)), 0.2) + x1
        x6 = F.leaky_relu(self.conv6(up(x5)), 0.2) + x0
        out = F.leaky_relu(self.conv8(F.leaky_relu(self.conv7(x6), 0.2)), 0.2)
        return self.conv9(out)


@pytest.fixture(scope="module")
def older() -> Older:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = Older(16)
        with torch.no_grad():
            for _ in range(5):  # in training mode, so that u and v are more than noise
                network(torch.rand(1, 3, 16, 16))
    return network.eval()


@pytest.fixture
def published(older: Older, tmp_path: Path) -> Path:
    path = tmp_path / "netD.pth"
    torch.save({"params": older.state_dict()}, path)
    return path


def loaded(path: Path) -> UNetDiscriminator:
    settings, tensors = read_discriminator(path)
    network = UNetDiscriminator(settings)
    fill(network, tensors, str(path))
    return network.eval()


def test_the_file_has_the_published_28_names(older: Older) -> None:
    assert set(older.state_dict()) == PUBLISHED_KEYS
    assert len(PUBLISHED_KEYS) == 28


def test_every_published_name_has_its_place_in_our_network(older: Older) -> None:
    with torch.device("meta"):
        wanted = UNetDiscriminator(UNetDiscriminatorSettings(width=16)).state_dict()
    renamed = parametrised(older.state_dict())
    assert {key: tuple(value.shape) for key, value in renamed.items()} == {
        key: tuple(value.shape) for key, value in wanted.items()
    }


def test_the_weights_in_use_are_the_originals_over_their_norm(published: Path) -> None:
    ours, file = loaded(published), torch.load(published, weights_only=True)["params"]
    for number in range(1, 9):
        original, u, v = (file[f"conv{number}.weight_{part}"] for part in ("orig", "u", "v"))
        sigma = u @ original.flatten(1) @ v
        torch.testing.assert_close(
            ours.get_submodule(f"conv{number}").weight, original / sigma, rtol=1e-5, atol=1e-7
        )


def test_the_logits_are_those_of_the_published_code(older: Older, published: Path) -> None:
    hr = torch.rand((2, 3, 24, 32), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(loaded(published)(hr), older(hr), rtol=1e-5, atol=1e-6)


def test_an_incomplete_file_is_refused_with_what_is_missing(older: Older, tmp_path: Path) -> None:
    tensors = older.state_dict()
    del tensors["conv4.weight_v"]
    torch.save(tensors, tmp_path / "part.pth")
    with pytest.raises(BadWeights, match=r"fits 27 of the 28 .*conv4\.parametrizations.weight\.0"):
        loaded(tmp_path / "part.pth")


def test_a_generators_file_is_refused(tmp_path: Path) -> None:
    torch.save({"conv_first.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "g.pth")
    with pytest.raises(BadWeights, match=r"is no U-Net discriminator .*'conv_first\.weight'"):
        read_discriminator(tmp_path / "g.pth")

"""The self-ensemble: all eight symmetries, each turned back."""

import torch
from torch import Tensor, nn

from upres.upscaling.ensemble import SelfEnsemble


class Nearest(nn.Module):
    def forward(self, lr: Tensor) -> Tensor:
        return lr.repeat_interleave(2, 2).repeat_interleave(2, 3)


class Shading(nn.Module):
    """Adds something that depends on the place alone; remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, lr: Tensor) -> Tensor:
        self.seen.append(lr)
        return lr + torch.arange(lr.shape[3]) + 100 * torch.arange(lr.shape[2])[:, None]


def picture(height: int = 3, width: int = 5) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_a_network_that_knows_no_direction_is_left_as_it_is() -> None:
    lr = picture()
    torch.testing.assert_close(SelfEnsemble(Nearest())(lr), Nearest()(lr), rtol=0, atol=1e-6)


def test_the_network_sees_eight_different_pictures() -> None:
    network = Shading()
    SelfEnsemble(network)(picture(4, 4))
    seen = {tuple(lr.flatten().tolist()) for lr in network.seen}
    assert len(network.seen) == len(seen) == 8


def test_what_depends_on_direction_is_averaged_away() -> None:
    lr = picture(4, 4)
    added = SelfEnsemble(Shading())(lr) - lr
    # the mean of place and mirrored place, of both axes: 1.5 columns and 150 of rows
    torch.testing.assert_close(added, torch.full_like(lr, 1.5 + 150), rtol=0, atol=1e-4)

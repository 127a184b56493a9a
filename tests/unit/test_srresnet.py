import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor, nn

from upres.networks.srresnet import SRResNet, SRResNetSettings


def network(scale: int = 4, **settings) -> SRResNet:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return SRResNet(SRResNetSettings(**{"blocks": 2, "width": 6, **settings}), scale)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def test_layers_are_those_of_srgans_figure_4() -> None:
    srresnet, lr = network(), noise(2, 3, 9, 8)
    srresnet(lr)  # running statistics other than 0 and 1
    srresnet.eval()
    w = srresnet.state_dict()

    def conv(name: str, x: Tensor) -> Tensor:
        kernel = w[f"{name}.weight"]
        return F.conv2d(x, kernel, w[f"{name}.bias"], padding=kernel.shape[-1] // 2)

    def norm(name: str, x: Tensor) -> Tensor:
        mean, variance = w[f"{name}.running_mean"], w[f"{name}.running_var"]
        return (x - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()

    def prelu(name: str, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, w[f"{name}.weight"] * x)

    first = x = prelu("act_first", conv("conv_first", lr))
    for block in ("body.0", "body.1"):
        inner = prelu(f"{block}.act", norm(f"{block}.bn1", conv(f"{block}.conv1", x)))
        x = x + norm(f"{block}.bn2", conv(f"{block}.conv2", inner))
    x = first + norm("bn_body", conv("conv_body", x))
    for number in (1, 2):
        x = prelu(f"upact{number}", F.pixel_shuffle(conv(f"upconv{number}", x), 2))
    torch.testing.assert_close(srresnet(lr), conv("conv_last", x), rtol=1e-4, atol=1e-5)


def test_head_and_tail_are_nine_pixels_wide() -> None:
    srresnet = network()
    assert srresnet.conv_first.kernel_size == srresnet.conv_last.kernel_size == (9, 9)


def test_batch_norm_has_torchs_epsilon() -> None:
    norms = [module for module in network().modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 5
    assert {norm.eps for norm in norms} == {1e-5}


def test_in_eval_mode_a_picture_does_not_depend_on_its_neighbours_in_the_batch() -> None:
    srresnet, lr = network(), noise(4, 3, 6, 6)
    srresnet(lr)
    srresnet.eval()
    torch.testing.assert_close(srresnet(lr[:1]), srresnet(lr)[:1])


def test_one_forward_pass_counts_once_in_batch_norm() -> None:
    srresnet = network()
    srresnet(noise(2, 3, 6, 6))
    assert srresnet.bn_body.num_batches_tracked == 1


def test_tanh_bounds_the_picture_to_0_and_1() -> None:
    free, bound = network(), network(tanh=True)
    lr = 40 * noise(1, 3, 6, 6)
    expected = torch.sigmoid(2 * free(lr))  # (tanh(x) + 1) / 2
    torch.testing.assert_close(bound(lr), expected)


def test_tanh_and_a_skip_do_not_go_together() -> None:
    with pytest.raises(ValidationError, match="tanh bounds a whole picture: it needs skip 'none'"):
        SRResNetSettings(tanh=True, skip="bicubic")


def test_without_tanh_nothing_is_clamped() -> None:
    srresnet = network()
    srresnet.conv_last.bias.data.fill_(2.0)
    assert srresnet(noise(1, 3, 4, 4)).min() > 1


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_any_size_comes_out_scale_times_as_large(scale: int) -> None:
    srresnet = network(scale, blocks=0).eval()
    assert srresnet(noise(1, 3, 1, 3)).shape == (1, 3, scale, 3 * scale)


def test_under_autocast_the_answer_is_float32() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert network()(noise(1, 3, 4, 4)).dtype == torch.float32


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"enlarges by one of \(2, 3, 4, 8\), not by 5"):
        network(5)

"""The scaler of fp16: exact on the way there and back, kept in a state, refused elsewhere."""

import pytest
import torch

from upres.errors import BadSetting
from upres.processes.devices import Layout
from upres.processes.scaling import check_precision, load_scaler, new_scaler, scaler_tensors


@pytest.mark.parametrize(
    "precision, wanted, enabled",
    [
        ("fp16", "auto", True),
        ("fp16", "yes", True),
        ("fp16", "no", False),
        ("bf16", "auto", False),
        ("float32", "auto", False),
    ],
)
def test_only_fp16_has_one(precision, wanted, enabled):
    assert new_scaler(precision, wanted, "cpu").is_enabled() is enabled


def step(network, scaler, lr=0.1):
    optimiser = torch.optim.SGD(network.parameters(), lr)
    loss = network(torch.ones(1, 3)).square().sum()
    scaler.scale(loss).backward()
    scaler.unscale_(optimiser)
    scaler.step(optimiser)
    scaler.update()


def test_a_step_moves_as_far_with_a_scaler_as_without():
    torch.manual_seed(0)
    plain = torch.nn.Linear(3, 2)
    scaled = torch.nn.Linear(3, 2)
    scaled.load_state_dict(plain.state_dict())
    step(plain, new_scaler("bf16", "auto", "cpu"))
    step(scaled, new_scaler("fp16", "auto", "cpu"))
    assert torch.equal(plain.weight, scaled.weight)  # powers of two are exact in float32


def test_an_overflow_is_skipped_and_halves_the_scale():
    network, scaler = torch.nn.Linear(3, 2), new_scaler("fp16", "auto", "cpu")
    before = network.weight.detach().clone()
    with torch.no_grad():
        network.weight *= torch.inf
    optimiser = torch.optim.SGD(network.parameters(), 0.1)
    scaler.scale(network(torch.ones(1, 3)).sum() * torch.inf).backward()
    with torch.no_grad():
        network.weight.copy_(before)
    scaler.step(optimiser)
    scaler.update()
    assert torch.equal(network.weight, before)
    assert scaler.get_scale() == 2.0**15  # PyTorch begins with 2^16 and halves


def test_what_it_learnt_is_kept():
    network, scaler = torch.nn.Linear(3, 2), new_scaler("fp16", "auto", "cpu")
    for _ in range(3):
        step(network, scaler)
    scaler.update(2.0**9)
    other = new_scaler("fp16", "auto", "cpu")
    load_scaler(other, scaler_tensors(scaler))
    assert other.state_dict() == scaler.state_dict()
    assert other.get_scale() == 512
    assert other.state_dict()["_growth_tracker"] == 3


def test_nothing_is_kept_where_there_is_none():
    none = new_scaler("bf16", "auto", "cpu")
    assert scaler_tensors(none) == {}
    load_scaler(none, {})


def test_a_state_with_a_scaler_belongs_to_an_fp16_run():
    kept = scaler_tensors(new_scaler("fp16", "auto", "cpu"))
    with pytest.raises(KeyError):
        load_scaler(new_scaler("bf16", "auto", "cpu"), kept)
    with pytest.raises(KeyError):
        load_scaler(new_scaler("fp16", "auto", "cpu"), {})


@pytest.mark.parametrize(
    "precision, wanted, layout, text",
    [
        (
            "fp16",
            "auto",
            Layout("cpu"),
            "precision fp16 needs a CUDA device and this run is on cpu",
        ),
        (
            "fp16",
            "auto",
            Layout("mps"),
            "precision fp16 needs a CUDA device and this run is on mps",
        ),
        (
            "fp16",
            "auto",
            Layout("cuda", 2, 1, True),
            "precision fp16 and --strategy fsdp do not go together",
        ),
        ("bf16", "yes", Layout(), "gradient_scaler=yes does nothing in bf16"),
        ("float32", "yes", Layout(), "gradient_scaler=yes does nothing in float32"),
    ],
)
def test_what_cannot_be_is_refused(precision, wanted, layout, text):
    with pytest.raises(BadSetting) as refusal:
        check_precision(precision, wanted, layout)
    assert str(refusal.value).startswith(text)


@pytest.mark.parametrize(
    "precision, layout",
    [("fp16", Layout("cuda")), ("bf16", Layout("cuda", 2, 1, True)), ("float32", Layout("mps"))],
)
def test_what_can_be_is_not(precision, layout):
    check_precision(precision, "auto", layout)

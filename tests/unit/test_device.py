"""Where a network computes."""

import pytest
import torch

from upres.errors import BadSetting
from upres.upscaling.device import pick_device


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_the_processor_always_works(no_gpu):
    assert pick_device("auto") == pick_device("cpu") == torch.device("cpu")


def test_a_gpu_is_taken_where_there_is_one(two_gpus):
    assert pick_device("auto") == torch.device("cuda")
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(BadSetting, match="--device cuda:2: PyTorch sees 2 CUDA devices here"):
        pick_device("cuda:2")


@pytest.mark.parametrize(
    "wish, message",
    [
        ("cuda", "--device cuda: PyTorch sees no CUDA devices here; give --device auto"),
        ("mps", "sees no Apple GPU here"),
        ("tpu", "--device tpu is unknown; give auto, cpu, cuda, cuda:N or mps"),
        ("cpu:0", "is unknown"),
        ("cuda:x", "is unknown"),
    ],
)
def test_what_is_not_there_is_refused(no_gpu, wish, message):
    with pytest.raises(BadSetting, match=message):
        pick_device(wish)

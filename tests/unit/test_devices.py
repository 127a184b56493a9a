"""Which processes and devices a run gets, and every wish that is refused."""

import pytest
import torch

from upres.errors import BadSetting
from upres.processes import devices
from upres.processes.devices import Layout, Wish, lay_out, shares
from upres.processes.launched import Started, is_first, started_by

TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8", "RANK": "5"}
SLURM = {"SLURM_NTASKS": "6", "SLURM_NNODES": "3", "SLURM_PROCID": "0", "SLURM_JOB_NAME": "train"}


@pytest.fixture(autouse=True)
def eight_cores_and_no_gpu(monkeypatch):
    monkeypatch.setattr(devices, "_cores", lambda: 8)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def test_one_process_on_the_processor_is_what_nobody_asked_for():
    assert lay_out(Wish(), None) == Layout("cpu", 1, 1, False, 1)


def test_auto_takes_a_gpu_where_there_is_one(two_gpus):
    assert lay_out(Wish(), None).device == "cuda"
    assert lay_out(Wish(device="cpu"), None).device == "cpu"


def test_auto_takes_an_apple_gpu(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert lay_out(Wish(), None) == Layout("mps", 1, 1, False, 1)


def test_all_that_is_wished_for():
    wish = Wish(device="cpu", processes=4, machines=2, strategy="fsdp", accumulate=3)
    layout = lay_out(wish, None)
    assert layout == Layout("cpu", 4, 2, True, 3)
    assert layout.count == 8


def test_a_launcher_says_how_many_there_are():
    assert started_by(TORCHRUN) == Started("torchrun", 4, 2)
    assert started_by(SLURM) == Started("SLURM", 2, 3)
    assert started_by(SLURM | TORCHRUN) == Started("torchrun", 4, 2)
    assert started_by(SLURM | {"SLURM_JOB_NAME": "bash"}) is None
    assert started_by({}) is None
    assert lay_out(Wish(), started_by(TORCHRUN)).count == 8
    assert lay_out(Wish(processes=2, machines=3), started_by(SLURM)).count == 6


@pytest.mark.parametrize(
    "environ, first",
    [
        ({}, True),
        (TORCHRUN, False),
        (TORCHRUN | {"RANK": "0"}, True),
        (SLURM, True),
        (SLURM | {"SLURM_PROCID": "3"}, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "0"}, True),
        ({"LOCAL_RANK": "1"}, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False),
    ],
)
def test_one_process_is_the_first(environ, first):
    assert is_first(environ) is first


@pytest.mark.parametrize(
    "wish, started, text",
    [
        (Wish(device="tpu"), None, "--device 'tpu' is unknown: give one of auto, cpu, cuda, mps."),
        (Wish(strategy="dp"), None, "--strategy 'dp' is unknown: give one of auto, ddp, fsdp."),
        (Wish(device="cuda"), None, "--device cuda: PyTorch sees no CUDA devices here"),
        (Wish(device="mps"), None, "--device mps: PyTorch sees no Apple GPU here"),
        (Wish(processes=0), None, "--devices is 0: give at least 1."),
        (Wish(machines=0), None, "--nodes is 0: give at least 1."),
        (Wish(accumulate=0), None, "--accumulate is 0: give at least 1."),
        (
            Wish(processes=9),
            None,
            "9 processes on this machine are more than its 8 processor cores: give --devices 8",
        ),
        (Wish(strategy="fsdp"), None, "--strategy fsdp spreads a network over several processes"),
        (
            Wish(processes=2),
            Started("torchrun", 4, 1),
            "--devices is 2 but torchrun started 4 processes: leave --devices out.",
        ),
        (Wish(machines=2), Started("SLURM", 2, 3), "--nodes is 2 but SLURM started 3 machines"),
    ],
)
def test_what_cannot_be_is_refused(wish, started, text):
    with pytest.raises(BadSetting) as refusal:
        lay_out(wish, started)
    assert str(refusal.value).startswith(text)


def test_more_processes_than_gpus_are_refused(two_gpus):
    with pytest.raises(BadSetting, match=r"3 processes on this machine .* its 2 CUDA devices"):
        lay_out(Wish(device="cuda", processes=3), None)


def test_an_apple_gpu_takes_one_process(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(BadSetting, match=r"2 processes on this machine .* its 1 Apple GPU"):
        lay_out(Wish(processes=2), None)


@pytest.mark.parametrize(
    "batch, layout, text",
    [
        (9, Layout(processes=2), "a batch of 9 cannot be parted equally among 2 processes:"),
        (8, Layout(accumulate=3), "among 3 micro-batches: set batch to a multiple of 3,"),
        (
            8,
            Layout(processes=2, machines=2, accumulate=4),
            "among 4 micro-batches of 4 processes: set batch to a multiple of 16,",
        ),
    ],
)
def test_a_batch_that_cannot_be_parted_is_refused(batch, layout, text):
    with pytest.raises(BadSetting) as refusal:
        shares(batch, layout)
    assert text in str(refusal.value)


def test_a_batch_is_parted_equally():
    assert shares(32, Layout(processes=4, machines=2, accumulate=2)) == 2

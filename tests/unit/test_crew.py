"""How an error ends the processes that share out pictures."""

import contextlib
from types import SimpleNamespace

import pytest
import torch

from upres.cli.crew import crew
from upres.errors import BadSetting, UpresError
from upres.processes.devices import Layout
from upres.processes.launched import ToldByFirst


@pytest.fixture
def process(monkeypatch):
    """Be the first of two processes, or the second."""

    def be(*, first: bool) -> None:
        fabric = SimpleNamespace(is_global_zero=first, device=torch.device("cpu"))
        monkeypatch.setattr("upres.processes.fabric.fabric_for", lambda *_: fabric)
        monkeypatch.setattr("upres.processes.together.launched", lambda _: contextlib.nullcontext())

    return be


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (BadSetting("no such thing"), 2)]
)
def test_another_process_than_the_first_ends_without_a_word_of_its_own(process, error, code):
    process(first=False)
    with pytest.raises(ToldByFirst) as told, crew(Layout(processes=2)):
        raise error
    assert told.value.exit_code == code


@pytest.mark.parametrize("error", [KeyboardInterrupt, UpresError])
def test_the_first_tells_it(process, error):
    process(first=True)
    with pytest.raises(error) as told, crew(Layout(processes=2)):
        raise error
    assert type(told.value) is error

"""What two processes do together; the numbers are worked by hand."""

import json
import math
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from lightning_fabric.strategies.launchers import subprocess_script as launcher

from upres.errors import NoSpace
from upres.processes import together as processes
from upres.processes.fabric import fabric_for
from upres.processes.launched import ToldByFirst
from upres.processes.together import LostProcess

SCRIPT = Path(__file__).with_name("together.py")
# What the second process's C++ says, rarely, when it ends after all its work is done.
TORN_DOWN = "terminate called without an active exception\n"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.removesuffix(TORN_DOWN) == ""
    return json.loads(done.stdout)


@pytest.fixture
def alone():
    return fabric_for("float32")


def test_each_takes_its_part_of_the_batch(both):
    assert both["first"]["share"] == [0, 1, 2]
    assert both["second"]["share"] == [3, 4, 5]


def test_means_are_the_same_in_both(both):
    assert both["first"]["means"] == both["second"]["means"] == {"a": 1.5, "b": -2.0}


def test_what_is_not_a_number_reaches_both(both):
    assert math.isnan(both["first"]["nan"]["a"]) and math.isnan(both["second"]["nan"]["a"])


def test_one_that_asks_to_stop_is_enough(both):
    assert both["first"]["any"] == both["second"]["any"] == [True, False]


def test_the_first_does_it_and_all_have_it(both):
    assert both["first"]["from_first"] == both["second"]["from_first"] == "by 0"


def test_what_stops_the_first_stops_both_with_its_words(both):
    assert both["first"]["raised"] == ["NoSpace", "no room in 0", NoSpace.exit_code]
    assert both["second"]["raised"] == ["ToldByFirst", "no room in 0", NoSpace.exit_code]


def test_scores_of_all_come_in_the_batchs_order(both):
    assert both["first"]["of_all"] == both["second"]["of_all"] == [1, 2, 3, 4]


def test_a_loss_of_all_scores_has_the_gradient_of_one_process(both):
    # mean of w * (1*1 + 2*2 + 3*3 + 4*4) / 4: the derivative by w is 30 / 4
    assert both["first"]["average"] == both["second"]["average"] == [7.5, 0.0]
    assert both["first"]["alone"] == [2 * (1 + 4) / 4, 0.0]
    assert both["second"]["alone"] == [2 * (9 + 16) / 4, 0.0]


def test_what_takes_no_gradient_has_none(both):
    assert both["first"]["frozen"] is None


def test_pictures_are_dealt_out_and_collected_in_their_order(both):
    assert both["first"]["dealt"] == ["a", "c", "e"]
    assert both["second"]["dealt"] == ["b", "d"]
    expected = ["a0", "b1", "c0", "d1", "e0"]
    assert both["first"]["collected"] == both["second"]["collected"] == expected


def test_start_values_are_the_firsts(both):
    assert both["first"]["as_in_first"] == both["second"]["as_in_first"] == [[0, 0], [0, 0]]


@pytest.mark.parametrize("process", ["first", "second"])
def test_a_network_that_is_spread_over_the_processes_learns_alike(both, process):
    found = both[process]["sharded"]
    assert found["is_sharded"] == [True, False]
    assert found["shapes"] and found["emptied"] and found["moments"] == 4
    assert found["difference"] < 1e-6


def test_one_process_alone_changes_nothing(alone):
    scores = torch.rand(2, 1)
    assert processes.of_all(alone, scores) is scores
    assert list(processes.share(alone, 6)) == [0, 1, 2, 3, 4, 5]
    assert processes.means(alone, {"a": 0.1}) == {"a": 0.1}
    assert processes.any_of(alone, True) and not processes.any_of(alone, False)
    assert processes.from_first(alone, lambda: "done") == "done"
    assert list(processes.dealt(alone, "abc")) == ["a", "b", "c"]
    assert processes.collected(alone, ["a", "b"], 2) == ["a", "b"]
    with pytest.raises(NoSpace):
        processes.from_first(alone, lambda: (_ for _ in ()).throw(NoSpace("full")))


def test_a_process_that_is_lost_is_told_in_words():
    sentence = "another process of this run has ended"
    with pytest.raises(LostProcess, match=sentence), processes._talking():
        raise RuntimeError("Connection closed by peer")
    assert LostProcess("x").exit_code == 1
    assert ToldByFirst("x", 130).exit_code == 130


def test_ctrl_c_ends_at_once_what_waits_for_other_processes():
    seen = []
    waiting = SimpleNamespace(
        launch=lambda: seen.append(signal.getsignal(signal.SIGINT)),
        strategy=SimpleNamespace(launcher=None),
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with processes.launched(waiting):
            seen.append(signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a background job
        with processes.launched(waiting):
            pass
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIG_DFL, signal.default_int_handler, signal.SIG_IGN]


def test_a_run_that_ends_is_not_killed_because_another_process_ended_first(monkeypatch):
    """Fabric's own thread, with a child that was stopped by Ctrl-C."""
    killed = []
    monkeypatch.setattr(launcher.os, "kill", lambda *_: killed.append("first"))
    stopped = SimpleNamespace(
        poll=lambda: None, returncode=130, pid=1, send_signal=lambda _: killed.append("child")
    )
    watching = launcher._ChildProcessObserver(1, [stopped], sleep_period=0.05)
    watching.start()
    processes._dismiss_observer()
    watching.join(5)
    assert not watching.is_alive()
    assert killed == []

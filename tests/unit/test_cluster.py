"""How a cluster is shared out among workers; Ray itself is in tests/slow/test_cluster.py."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from upres.batch.cluster import Workers, _gathered, _joined, _shared_out
from upres.batch.stores import Plan
from upres.errors import BadSetting, WorkFailed


@pytest.mark.parametrize(
    "resources, workers, device, expected",
    [
        ({"CPU": 8}, Workers(), "auto", (4, 0, 2)),
        ({"CPU": 1}, Workers(), "auto", (1, 0, 1)),
        ({"CPU": 2}, Workers(2), "auto", (2, 0, 1)),  # with two cores each they would never begin
        ({"CPU": 8, "GPU": 3}, Workers(), "auto", (3, 1, 2)),
        ({"CPU": 8, "GPU": 3}, Workers(), "cpu", (4, 0, 2)),
    ],
)
def test_workers_get_what_there_is(resources, workers, device, expected):
    assert _shared_out(resources, workers, device, may_grow=False) == expected


def test_more_workers_than_there_can_be_are_refused_unless_machines_may_come():
    with pytest.raises(
        BadSetting, match=r"--workers is 3, but Ray has 2 cores here: ask for fewer"
    ):
        _shared_out({"CPU": 2}, Workers(3), "auto", may_grow=False)
    with pytest.raises(BadSetting, match="has 1 GPU here"):
        _shared_out({"CPU": 9, "GPU": 1}, Workers(2), "auto", may_grow=False)
    assert _shared_out({"CPU": 2}, Workers(3), "auto", may_grow=True) == (3, 0, 2)


def test_what_workers_cannot_do_ends_the_run_in_a_sentence(tmp_path: Path):
    pytest.importorskip("fsspec", reason="stores are reached through fsspec")
    refusal = {"note": json.dumps({"state": "refused", "error": "--device cuda: there is none."})}

    def broken():
        raise RuntimeError("a page of Ray's\nActorDiedError: out of memory")
        yield

    with pytest.raises(BadSetting, match="--device cuda: there is none"):
        _gathered([refusal], Plan([], []), str(tmp_path), {"state": "run"}, print)
    with pytest.raises(
        WorkFailed, match=r"^Ray gave up \(ActorDiedError: out of memory\): the same"
    ):
        _gathered(broken(), Plan([], []), str(tmp_path), {"state": "run"}, print)


def test_a_listener_that_is_gone_is_no_failure_of_ray(tmp_path: Path):
    pytest.importorskip("fsspec", reason="stores are reached through fsspec")

    def gone(_note):
        raise BrokenPipeError

    skipped = {"note": json.dumps({"state": "skipped"})}
    with pytest.raises(BrokenPipeError):
        _gathered([skipped], Plan([], []), str(tmp_path), {"state": "run"}, gone)


@dataclass
class FakeRay:
    answer: str = ""
    said: list[str] = field(default_factory=list)

    def is_initialized(self):
        return "init" in self.said

    def init(self, **_):
        if self.answer:
            raise ConnectionError(self.answer)
        self.said.append("init")

    def shutdown(self):
        self.said.append("shutdown")


def test_ray_is_left_as_it_was_found(monkeypatch):
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_BACKEND_LOG_LEVEL", "RAY_ADDRESS"):
        monkeypatch.setenv(name, "")
    ray = FakeRay()
    with pytest.raises(KeyboardInterrupt), _joined(ray, None):
        raise KeyboardInterrupt
    assert ray.said == ["init", "shutdown"]
    ray.said = ["init"]  # by whoever calls
    with _joined(ray, None):
        pass
    assert ray.said == ["init"]
    silent = FakeRay("timed out\nand more")
    with (
        pytest.raises(
            BadSetting, match=r"^Ray 10\.0\.0\.1:6379 does not answer \(timed out\): check"
        ),
        _joined(silent, "10.0.0.1:6379"),
    ):
        pass

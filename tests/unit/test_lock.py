"""Two processes do not train in one folder."""

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from upres.errors import BadRun
from upres.recipes.schema import Recipe
from upres.training import lock
from upres.training.lock import LOCK, only_process
from upres.training.run import open_run

pytestmark = pytest.mark.skipif(lock.fcntl is None, reason="no such locks here")

HOLDER = """
import sys
from pathlib import Path
from upres.training.lock import only_process
with only_process(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds tmp_path/run."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def take(folder: Path) -> None:
    with only_process(folder):
        pass


def test_a_second_process_is_refused_in_one_sentence_that_names_the_first(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    with pytest.raises(BadRun) as refused:
        take(tmp_path / "run")
    assert str(refused.value) == (
        f"another process ({holder.pid}) trains in {tmp_path / 'run'}: wait until it ends, or "
        "give --out another folder."
    )
    with pytest.raises(BadRun):  # being refused took nothing away
        take(tmp_path / "run")


def test_when_the_first_ends_the_second_may(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.communicate("")
    take(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_killed_process_holds_nothing(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run" / LOCK).exists()
    take(tmp_path / "run")


def test_other_folders_are_free(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    take(tmp_path / "other")


def test_the_owner_on_another_machine_is_named_with_it(
    holder: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = socket.gethostname()
    monkeypatch.setattr(socket, "gethostname", lambda: "node-7")
    with pytest.raises(BadRun, match=rf"another process \({holder.pid} on {where}\) trains"):
        take(tmp_path / "run")


def test_nothing_is_left_when_the_block_ends_even_by_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(ZeroDivisionError), only_process(tmp_path / "run"):
        assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK]
        raise ZeroDivisionError
    assert list((tmp_path / "run").iterdir()) == []


def test_a_new_folder_that_stays_empty_is_taken_away_again(tmp_path: Path) -> None:
    with only_process(tmp_path / "run"):
        assert (tmp_path / "run").is_dir()
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_locked_may_begin(tmp_path: Path, toy_recipe: Recipe) -> None:
    facts = {"data_hash": "abc", "init_sha256": None}
    with only_process(tmp_path / "run"):
        open_run(tmp_path / "run", toy_recipe, facts)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["recipe.yaml", "run.json"]


def test_a_folder_that_was_killed_at_once_may_begin(
    holder: subprocess.Popen[str], tmp_path: Path, toy_recipe: Recipe
) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with only_process(tmp_path / "run"):
        open_run(tmp_path / "run", toy_recipe, {"data_hash": "abc", "init_sha256": None})


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EBADF])
def test_a_disk_without_locks_is_trained_on_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock.fcntl, "flock", no_locks)
    with only_process(tmp_path / "run"):
        (tmp_path / "run" / "model").write_text("bits")


def test_a_system_without_locks_is_trained_on_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "fcntl", None)
    take(tmp_path / "run")


def test_a_file_in_the_place_of_the_folder_is_left_to_be_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words")
    take(tmp_path / "file")
    take(tmp_path / "file" / "run")
    assert (tmp_path / "file").read_text() == "words"


def test_a_lock_that_its_owner_took_away_meanwhile_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, looks = lock.fcntl.flock, 0

    def late(file: object, how: int) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            (tmp_path / LOCK).unlink()
        really(file, how)

    monkeypatch.setattr(lock.fcntl, "flock", late)
    with only_process(tmp_path):
        assert looks == 2
        assert (tmp_path / LOCK).read_text().startswith(f"{os.getpid()} ")

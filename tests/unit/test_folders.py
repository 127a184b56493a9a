"""A folder is replaced whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from upres.data.folders import replacing_folder
from upres.errors import NoSpace


def listing(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(path: Path, text: str) -> None:
    with replacing_folder(path) as work:
        (work / "file").write_text(text)


def test_the_new_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    write(tmp_path / "a" / "store", "old")
    write(tmp_path / "a" / "store", "new")
    assert listing(tmp_path) == {"a/store/file": "new"}
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["store"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, SystemExit])
def test_nothing_is_left_of_a_failure_and_the_old_folder_stays(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    write(tmp_path / "store", "old")
    with pytest.raises(failure), replacing_folder(tmp_path / "store") as work:
        (work / "file").write_text("half")
        raise failure
    assert listing(tmp_path) == {"store/file": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(NoSpace, match=r"store could not be written: no space left on device; no"),
        replacing_folder(tmp_path / "store"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())


def test_a_place_below_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoSpace, match=r"store could not be written: (not a directory|file exists)"):
        write(tmp_path / "file" / "store", "new")


def test_a_killed_process_leaves_no_store_and_its_rest_is_removed(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from upres.data.folders import replacing_folder\n"
        "with replacing_folder(Path(sys.argv[1])) as work:\n"
        "    (work / 'file').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, tmp_path / "store"], check=False)
    assert ended.returncode == -signal.SIGKILL
    (rest,) = tmp_path.iterdir()
    assert rest.name.startswith(".store.")
    write(tmp_path / "store", "new")
    assert listing(tmp_path) == {"store/file": "new"}


def test_what_another_writer_is_still_writing_is_left_alone(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "store") as slow:
        (slow / "file").write_text("slow")
        write(tmp_path / "store", "quick")
        assert listing(tmp_path / "store") == {"file": "quick"}
    assert listing(tmp_path) == {"store/file": "slow"}

"""What was written from what: a result is known by what it was made of."""

import errno
import json
import os
import resource

import pytest

from upres.batch.events import Written
from upres.batch.jobs import Job, Shard
from upres.batch.manifest import identity_of, manifest_path, open_manifest
from upres.errors import BadPicture, BadSetting, NoSpace, WorkFailed

MODEL = {"model": "a", "save": {"quality": None}}


@pytest.fixture
def job(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    (tmp_path / "out").mkdir()
    return Job(tmp_path / "a.png", tmp_path / "out" / "a_x4.png")


def opened(job, made_by=MODEL, name="upres-manifest.jsonl"):
    return open_manifest(job.target.parent / name, [job.target], made_by)


def finish(manifest, job, identity, result=b"result"):
    manifest.begun(job, identity)
    job.target.write_bytes(result)
    manifest.done(job, identity, Written(8, 6, 1, 2, 1), 1.23456)


def standing(job, made_by=MODEL):
    with opened(job, made_by) as manifest:
        return manifest.standing(job, identity_of(job.source, made_by))


def test_a_result_is_done_only_with_the_same_picture_model_and_options(job):
    with opened(job) as manifest:
        identity = identity_of(job.source, MODEL)
        assert manifest.standing(job, identity) == "none"
        finish(manifest, job, identity)
        assert manifest.standing(job, identity) == "done"
    assert standing(job) == "done"
    assert standing(job, MODEL | {"model": "b"}) == "other"
    assert standing(job, MODEL | {"save": {"quality": 90}}) == "other"
    assert standing(job, dict(reversed(MODEL.items()))) == "done"  # order says nothing
    job.source.write_bytes(b"another")
    assert standing(job) == "other"
    job.source.write_bytes(b"picture")
    assert standing(job) == "done"


def test_a_result_that_was_changed_or_taken_away_is_not_done(job):
    with opened(job) as manifest:
        finish(manifest, job, identity_of(job.source, MODEL))
    job.target.write_bytes(b"longer than it was")
    assert standing(job) == "other"
    job.target.unlink()
    assert standing(job) == "none"


def test_a_file_is_ours_only_if_it_was_about_to_be_written(job):
    job.target.write_bytes(b"precious")
    assert standing(job) == "none"
    with opened(job) as manifest:
        manifest.begun(job, identity_of(job.source, MODEL))
    assert standing(job) == "ours"
    with opened(job) as manifest:
        manifest.failed(job, WorkFailed("no"))
    assert standing(job) == "none"


def test_a_line_that_was_cut_short_is_passed_over_and_the_next_is_whole(job):
    path = job.target.parent / "upres-manifest.jsonl"
    with opened(job) as manifest:
        finish(manifest, job, identity_of(job.source, MODEL))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"state": "begun", "tar')
    assert standing(job) == "done"
    lines = path.read_bytes()[len(whole) :].split(b"\n")
    assert lines[0] == b'{"state": "begun", "tar'
    assert json.loads(lines[1])["state"] == "run"
    path.write_bytes(whole + b"[1]\n\xff\xfe\n7\n")
    assert standing(job) == "done"


def test_the_lines_can_be_audited(job):
    with opened(job) as manifest:
        finish(manifest, job, identity_of(job.source, MODEL))
    run, begun, done = map(json.loads, manifest.path.read_text().splitlines())
    assert run == {"state": "run", "made_by": MODEL}
    assert (begun["state"], begun["key"]) == ("begun", done["key"])
    # `printf picture | sha256sum`, `printf result | sha256sum`
    assert done["picture_sha256"].startswith("2cea274d0bedc39ec4ab6ba9e59ec889")
    assert done["result_sha256"].startswith("f6a214f7a5fcda0c2cee9660b7fc29f5")
    assert done["bytes"] == 6
    assert (done["width"], done["height"], done["tiles"], done["redone"]) == (8, 6, 2, 1)
    assert done["target"] == "a_x4.png"  # from the manifest's folder
    assert done["source"] == str(job.source)
    assert done["seconds"] == 1.235


def test_results_and_manifest_may_be_moved_together(job, tmp_path):
    with opened(job) as manifest:
        finish(manifest, job, identity_of(job.source, MODEL))
    (tmp_path / "out").rename(tmp_path / "moved")
    assert standing(Job(job.source, tmp_path / "moved" / "a_x4.png")) == "done"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_one_manifest_is_never_written_by_two(tmp_path):
    path = tmp_path / "upres-manifest.jsonl"
    refused = pytest.raises(BadSetting, match=r"another process works on .*jsonl: wait .* --shard")
    with open_manifest(path, [], {}), refused, open_manifest(path, [], {}):
        pass
    with open_manifest(path, [], {}):
        pass


def test_parts_have_their_own_manifests_and_read_those_of_another_division(job):
    folder = job.target.parent
    assert manifest_path(folder).name == "upres-manifest.jsonl"
    assert manifest_path(folder, Shard(2, 8)).name == "upres-manifest.2-of-8.jsonl"
    with opened(job, name="upres-manifest.2-of-8.jsonl") as manifest:
        finish(manifest, job, identity_of(job.source, MODEL))
    for name, expected in {
        "upres-manifest.jsonl": "done",
        "upres-manifest.1-of-4.jsonl": "done",
        "upres-manifest.1-of-8.jsonl": "none",  # has other pictures; is not read
        "mine.jsonl": "none",
    }.items():
        with opened(job, name=name) as manifest:
            assert manifest.standing(job, identity_of(job.source, MODEL)) == expected, name


def test_names_that_are_no_unicode_are_found_again(tmp_path):
    job = Job(tmp_path / "a.png", tmp_path / os.fsdecode(b"caf\xe9.png"))
    job.source.write_bytes(b"picture")
    try:
        job.target.write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    with opened(job) as manifest:
        finish(manifest, job, identity_of(job.source, MODEL))
    assert standing(job) == "done"


def test_what_cannot_be_read_or_written_is_told(tmp_path):
    with pytest.raises(BadPicture, match="does not exist"):
        identity_of(tmp_path / "none.png", MODEL)
    with pytest.raises(BadPicture, match="cannot be read: Is a directory"):
        identity_of(tmp_path, MODEL)
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(NoSpace, match="could not be written"),
        open_manifest(tmp_path / "file" / "m.jsonl", [], {}),
    ):
        pass


def test_a_full_disk_is_told_and_the_next_line_is_whole(job, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with opened(job) as manifest:
        identity = identity_of(job.source, MODEL)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(NoSpace, match=r"jsonl could not be written: No space left on device"):
            manifest.begun(job, identity)
        monkeypatch.undo()
        finish(manifest, job, identity)
    assert standing(job) == "done"


def test_a_manifest_that_may_not_grow_is_told_once_and_closes(job):
    """What the disk did not take may not wait to be written when the file is closed."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with opened(job) as manifest:
            identity = identity_of(job.source, MODEL)
            size = manifest.path.stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 9, before[1]))
            with pytest.raises(NoSpace, match="could not be written: File too large"):
                manifest.begun(job, identity)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert manifest.path.stat().st_size == size + 9
    with opened(job) as manifest:
        finish(manifest, job, identity)
    assert standing(job) == "done"

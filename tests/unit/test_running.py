"""Many pictures: each is done once, none stops the others, and nothing half is left."""

import threading
import time
from dataclasses import replace

import pytest

from upres.atomic import replacing
from upres.batch.events import (
    Done,
    Failed,
    Finished,
    Planned,
    Progressed,
    Skipped,
    Started,
    Summary,
    Written,
)
from upres.batch.jobs import Job
from upres.batch.running import Crowd, run_jobs
from upres.errors import BadPicture, Interrupted, UpresError, WorkFailed

ONE = Crowd(pictures=1)
WRITTEN = Written(1000, 500, 2, 3, 1)


@pytest.fixture
def jobs(tmp_path):
    """Four files "0" to "3" and their targets in a folder that is not there."""
    for number in range(4):
        (tmp_path / f"{number}.png").write_text(str(number))
    return [Job(tmp_path / f"{n}.png", tmp_path / "out" / f"{n}_x4.png") for n in range(4)]


def copied(job, may_replace, progress):
    """Writes the source's text twice; a text that is no number is damaged."""
    text = job.source.read_text()
    if not text.isdigit():
        raise BadPicture(f"{job.source} is damaged.")
    with replacing(job.target) as partial:
        partial.write_text(text)
        progress(1, 1)
        partial.write_text(text * 2)
    return WRITTEN


def run(jobs, work=copied, **options):
    return run_jobs(jobs, work, **{"made_by": {"model": "a"}, **options})


def results(tmp_path):
    return {path.name: path.read_text() for path in (tmp_path / "out").glob("*.png")}


def test_all_are_done_and_counted(jobs, tmp_path):
    summary = run(jobs)
    assert results(tmp_path) == {
        "0_x4.png": "00",
        "1_x4.png": "11",
        "2_x4.png": "22",
        "3_x4.png": "33",
    }
    assert replace(summary, seconds=0) == Summary(done=4, megapixels=4.0, tiles=12, redone=4)
    assert summary.seconds > 0


def test_one_bad_picture_does_not_stop_the_others(jobs, tmp_path):
    jobs[1].source.write_text("bad")
    jobs[3].source.unlink()
    summary = run(jobs)
    assert sorted(results(tmp_path)) == ["0_x4.png", "2_x4.png"]
    assert [failed.job for failed in summary.failures] == [jobs[1], jobs[3]]
    with pytest.raises(
        WorkFailed, match=r"2 of 4 pictures failed:\n  .*1\.png is damaged\.\n  .*3"
    ):
        summary.raise_if_failed()


def test_what_nobody_foresaw_stops_one_picture_only(jobs, tmp_path):
    def broken(job, may_replace, progress):
        if job == jobs[2]:
            raise ZeroDivisionError("of a bug")
        return copied(job, may_replace, progress)

    (failed,) = run(jobs, broken).failures
    assert str(failed.error) == f"{jobs[2].source}: ZeroDivisionError: of a bug"
    assert isinstance(failed.error.__cause__, ZeroDivisionError)
    assert len(results(tmp_path)) == 3


def test_the_exit_code_tells_whether_anything_was_begun():
    refused = [Failed(Job(name, name), BadPicture("no")) for name in "ab"]
    worked = Failed(Job("b", "b"), WorkFailed("no"))

    def code(summary):
        with pytest.raises(UpresError) as caught:
            summary.raise_if_failed()
        return caught.value.exit_code

    assert code(Summary(failures=tuple(refused))) == 2
    assert code(Summary(done=1, failures=tuple(refused))) == 1
    assert code(Summary(skipped=1, failures=tuple(refused))) == 1
    assert code(Summary(failures=(refused[0], worked))) == 1
    with pytest.raises(BadPicture, match=r"^no$"):
        Summary(failures=tuple(refused[:1])).raise_if_failed()
    Summary(done=1).raise_if_failed()


def test_the_last_line():
    summary = Summary(3, 2, (Failed(Job("a", "b"), BadPicture("no")),), 12.5, 5.0, 40, 2)
    assert summary.line == (
        "3 done, 2 skipped, 1 failed; 12.5 megapixels at 2.50 a second; "
        "2 of 40 tiles redone in float32."
    )
    assert "0.00 a second" in Summary().line


def test_a_second_run_does_what_is_missing_and_what_has_changed(jobs, tmp_path):
    manifest = tmp_path / "out" / "upres-manifest.jsonl"
    jobs[1].source.write_text("bad")
    run(jobs, manifest=manifest)
    jobs[1].source.write_text("7")
    jobs[2].source.write_text("8")
    jobs[3].target.unlink()
    events = []
    summary = run(jobs, manifest=manifest, on_event=events.append, crowd=ONE)
    assert results(tmp_path) == {
        "0_x4.png": "00",
        "1_x4.png": "77",
        "2_x4.png": "22",
        "3_x4.png": "33",
    }
    assert (summary.done, summary.skipped) == (2, 1)
    (failed,) = summary.failures
    assert str(failed.error) == (
        f"{jobs[2].target} exists and was made from another picture, or with other options; "
        f"pass --overwrite to replace it, or another output."
    )
    assert Skipped(jobs[0]) in events
    summary = run(jobs, manifest=manifest, overwrite=True)
    assert results(tmp_path)["2_x4.png"] == "88"
    assert (summary.done, summary.skipped) == (1, 3)
    assert run(jobs, manifest=manifest, made_by={"model": "b"}, overwrite=True).done == 4


def test_a_file_of_someone_else_is_never_replaced_unasked(jobs, tmp_path):
    jobs[0].target.parent.mkdir()
    jobs[0].target.write_text("precious")
    for manifest in (None, tmp_path / "m.jsonl", tmp_path / "m.jsonl"):
        (failed,) = run(jobs[:1], manifest=manifest).failures
        assert str(failed.error).startswith(f"{jobs[0].target} exists; pass --overwrite")
    assert jobs[0].target.read_text() == "precious"
    assert run(jobs[:1], overwrite=True).done == 1
    assert jobs[0].target.read_text() == "00"


def test_what_a_killed_run_left_is_done_again_and_swept(jobs, tmp_path):
    manifest = tmp_path / "out" / "upres-manifest.jsonl"

    def killed(job, may_replace, progress):
        job.target.write_text("renamed, but not noted")
        raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        run(jobs, killed, manifest=manifest, crowd=ONE)
    assert jobs[0].target.exists()
    ours = [f"out/.0_x4.{'0a' * 4}.part{ending}" for ending in (".png", ".raw", "")]
    others = ["out/.9_x4.0a0a0a0a.part.png", "out/.0_x4.0a0a.part.png", "out/0_x4.part"]
    for name in (*ours, *others):
        (tmp_path / name).write_text("half")
    assert run(jobs, manifest=manifest).done == 4
    assert results(tmp_path)["0_x4.png"] == "00"
    assert not any((tmp_path / name).exists() for name in ours)
    assert all((tmp_path / name).exists() for name in others)


def test_the_input_is_never_overwritten_and_two_never_get_one_name(jobs, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    onto_input = Job(jobs[0].source, tmp_path / "link" / "1.png")
    same = [Job(jobs[1].source, tmp_path / "x.png"), Job(jobs[2].source, tmp_path / "x.png")]
    summary = run([onto_input, *same, same[0]], overwrite=True)
    assert summary.done == 1
    assert jobs[1].source.read_text() == "1"
    assert [str(failed.error).partition(str(tmp_path))[2] for failed in summary.failures] == [
        "/link/1.png is an input of this call; give another output.",
        f"/2.png and {jobs[1].source} would both be written to {tmp_path / 'x.png'}.",
    ]


def test_everything_is_told_in_order(jobs):
    events = []
    jobs[1].source.write_text("bad")
    summary = run(jobs[:2], on_event=events.append, crowd=ONE)
    good, bad = jobs[:2]
    assert events[:3] == [Planned(2), Started(good), Progressed(good, 1, 1)]
    assert isinstance(events[3], Done)
    assert (events[3].job, events[3].written) == (good, WRITTEN)
    assert events[4] == Started(bad)
    assert events[5:] == [summary.failures[0], Finished(summary)]


def test_pictures_overlap_but_no_more_than_asked(jobs):
    inside, most, meeting = [], [], threading.Barrier(3, timeout=10)

    def work(job, may_replace, progress):
        inside.append(job)
        if len(most) < 3:
            meeting.wait()  # three are inside at once, or this fails
        most.append(len(inside))
        time.sleep(0.01)
        inside.remove(job)
        return WRITTEN

    assert run(jobs, work).done == 4
    assert max(most) == 3


def test_what_pictures_take_together_is_bounded(jobs):
    weights = dict(zip(jobs, (6, 6, 4, 50), strict=True))
    inside, most = [], []

    def work(job, may_replace, progress):
        inside.append(job)
        most.append(sum(map(weights.get, inside)))
        time.sleep(0.02)
        inside.remove(job)
        return WRITTEN

    run(jobs, work, crowd=Crowd(pictures=4, room=10, weigh=weights.__getitem__))
    assert max(weight for weight in most if weight < 50) <= 10
    assert 50 in most  # alone: never with another one
    assert not any(weight > 50 for weight in most)


@pytest.mark.parametrize("crowd", [ONE, Crowd(pictures=3)])
def test_ctrl_c_leaves_whole_files_only(jobs, tmp_path, crowd):
    hit = []

    def work(job, may_replace, progress):
        if job == jobs[2]:
            hit.append(job)
            raise KeyboardInterrupt
        while crowd.pictures > 1 and job == jobs[3] and not hit:
            time.sleep(0.001)
        return copied(job, may_replace, progress)

    with pytest.raises(Interrupted, match=r"stopped after \d of 4 pictures; no half-written file"):
        run(jobs, work, crowd=crowd)
    found = results(tmp_path)
    assert "2_x4.png" not in found
    assert all(text == name[0] * 2 for name, text in found.items())
    assert not list((tmp_path / "out").glob(".*"))


def test_a_picture_in_hand_is_dropped_at_its_next_tile(jobs, tmp_path):
    in_hand = threading.Event()

    def work(job, may_replace, progress):
        if job == jobs[0]:
            in_hand.wait(10)
            raise KeyboardInterrupt
        with replacing(job.target) as partial:
            for tile in range(10_000):
                partial.write_text("half")
                in_hand.set()
                progress(tile, 10_000)
                time.sleep(0.001)
        return WRITTEN

    began = time.perf_counter()
    with pytest.raises(Interrupted, match="stopped after 0 of 2"):
        run(jobs[:2], work)
    assert time.perf_counter() - began < 5
    assert list((tmp_path / "out").iterdir()) == []


def test_a_listener_that_fails_ends_the_run(jobs):
    def listen(event):
        if isinstance(event, Done):
            raise LookupError("no bar")

    with pytest.raises(LookupError, match="no bar"):
        run(jobs, on_event=listen)


@pytest.mark.parametrize("kind", [Planned, Finished])
def test_a_listener_may_fail_at_the_first_and_at_the_last_event(jobs, kind):
    def listener(event):
        if isinstance(event, kind):
            raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        run(jobs, on_event=listener)


def test_no_jobs_are_no_trouble(tmp_path):
    assert run([]).done == 0

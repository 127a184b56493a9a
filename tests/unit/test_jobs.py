"""Which pictures are enlarged and what their results are called."""

import os
from pathlib import Path

import pytest

from upres.batch.jobs import Job, Naming, Shard, plan_jobs
from upres.errors import BadPicture, BadSetting


def made(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def named(jobs, folder):
    return [job.source.relative_to(folder).as_posix() for job in jobs]


@pytest.mark.parametrize(
    "naming, name, result",
    [
        (Naming(), "a.png", "a_x4.png"),
        (Naming(), "B.JPG", "B_x4.JPG"),
        (Naming(), "a.b.jpeg", "a.b_x4.jpeg"),
        (Naming(), "a.bmp", "a_x4.png"),
        (Naming(), "a", "a_x4.png"),
        (Naming("_x1.5", ".webp"), "a.jpg", "a_x1.5.webp"),
        (Naming(""), "a.jpg", "a.jpg"),
    ],
)
def test_results_are_called_after_their_picture(naming, name, result):
    assert naming.result(Path(name)) == result


def test_names_that_cannot_be_are_refused():
    with pytest.raises(BadSetting, match=r"cannot be written as '\.jp'; did you mean '\.j"):
        Naming(ending=".jp")
    with pytest.raises(BadSetting, match="'sub/_x4' has a slash; give --output"):
        Naming("sub/_x4")


def test_one_file_may_get_a_name_or_a_folder_or_stand_beside(tmp_path):
    source = made(tmp_path, "in/a.png") / "in" / "a.png"
    assert plan_jobs([source], None) == [Job(source, tmp_path / "in" / "a_x4.png")]
    assert plan_jobs([source], tmp_path / "big.jpg") == [Job(source, tmp_path / "big.jpg")]
    assert plan_jobs([source], tmp_path / "new") == [Job(source, tmp_path / "new" / "a_x4.png")]
    (tmp_path / "v1.5").mkdir()
    assert plan_jobs([source], tmp_path / "v1.5")[0].target == tmp_path / "v1.5" / "a_x4.png"


def test_many_files_need_a_folder_and_are_taken_once(tmp_path):
    sources = [tmp_path / "b.png", tmp_path / "a.png", tmp_path / "b.png"]
    made(tmp_path, "a.png", "b.png")
    with pytest.raises(BadSetting, match=r"big\.png is a file, but several pictures need a folder"):
        plan_jobs(sources, tmp_path / "big.png")
    names = [job.target.name for job in plan_jobs(sources, tmp_path / "out")]
    assert names == ["b_x4.png", "a_x4.png"]


def test_a_folder_is_searched_for_pictures_but_not_for_results(tmp_path):
    made(tmp_path, "b.PNG", "a.jpg", "a_x4.jpg", "a_x2.png", "a_big.png", "lone_x4.png")
    made(tmp_path, ".hidden.png", "notes.txt", "sub/c.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    assert named(plan_jobs([tmp_path], None), tmp_path) == [
        *("a.jpg", "a_big.png", "b.PNG", "lone_x4.png")
    ]
    found = plan_jobs([tmp_path], None, naming=Naming("_big"))
    assert named(found, tmp_path) == ["a.jpg", "b.PNG", "lone_x4.png"]
    # with an empty suffix nothing is a result by its name alone
    assert "a_big.png" in named(plan_jobs([tmp_path], None, naming=Naming("")), tmp_path)


def test_folders_in_folders_are_mirrored_and_the_results_left_out(tmp_path):
    made(
        tmp_path, "a.png", "été/b.jpg", "été/deep/c.tif", "out/a_x4.png", "out/new.png", ".x/d.png"
    )
    jobs = plan_jobs([tmp_path], tmp_path / "out", recursive=True)
    assert named(jobs, tmp_path) == ["a.png", "été/b.jpg", "été/deep/c.tif"]
    assert [job.target.relative_to(tmp_path / "out").as_posix() for job in jobs] == [
        *("a_x4.png", "été/b_x4.jpg", "été/deep/c_x4.tif")
    ]
    beside = plan_jobs([tmp_path / "été"], None, recursive=True)
    assert beside[1].target == tmp_path / "été" / "deep" / "c_x4.tif"
    assert named(plan_jobs([tmp_path], None), tmp_path) == ["a.png"]


def test_a_folder_without_pictures_is_refused(tmp_path):
    made(tmp_path, "sub/a.txt")
    with pytest.raises(BadPicture, match=r"holds no pictures; .* or --recursive for the folders"):
        plan_jobs([tmp_path], None)
    with pytest.raises(BadPicture, match=r"holds no pictures; give a folder .* or a file\.$"):
        plan_jobs([tmp_path], None, recursive=True)


def test_patterns_are_taken_as_the_shell_does(tmp_path):
    made(tmp_path, "in/a.png", "in/b.jpg", "in/sub/c.png", "in/notes.txt", "in/a[1].png")
    jobs = plan_jobs([tmp_path / "in" / "**" / "*.png"], tmp_path / "out")
    assert named(jobs, tmp_path / "in") == ["a.png", "a[1].png", "sub/c.png"]
    assert jobs[2].target == tmp_path / "out" / "sub" / "c_x4.png"
    # a name that exists is no pattern, whatever is in it
    assert named(plan_jobs([tmp_path / "in" / "a[1].png"], None), tmp_path) == ["in/a[1].png"]
    with pytest.raises(BadPicture, match=r"no picture matches .*\*\.webp"):
        plan_jobs([tmp_path / "*.webp"], None)


def test_each_picture_is_in_one_part_whatever_else_is_there(tmp_path):
    names = [f"{number:03}.png" for number in range(100)]
    made(tmp_path, *names)
    parts = [plan_jobs([tmp_path], None, shard=Shard(part, 3)) for part in (1, 2, 3)]
    assert sorted(named([job for jobs in parts for job in jobs], tmp_path)) == names
    for name in names[::2]:
        os.unlink(tmp_path / name)
    fewer = named(plan_jobs([tmp_path], None, shard=Shard(2, 3)), tmp_path)
    assert fewer == [name for name in named(parts[1], tmp_path) if name in names[1::2]]


def test_parts_are_about_equally_large():
    parts = [
        [number for number in range(4000) if Shard(p, 4).has(f"{number}")] for p in (1, 2, 3, 4)
    ]
    assert all(890 <= len(part) <= 1110 for part in parts)  # 1000 expected; four deviations of 27


def test_a_part_is_written_as_one_of_many():
    assert Shard.parse("3/16") == Shard(3, 16)
    assert str(Shard(3, 16)) == "3/16"
    for text in ("0/4", "5/4", "-1/4"):
        with pytest.raises(BadSetting, match="parts count from 1/N to N/N"):
            Shard.parse(text)
    with pytest.raises(BadSetting, match=r"--shard is '3', expected a part of all, such as 3/16"):
        Shard.parse("3")


def test_names_that_are_no_unicode_are_pictures_too(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    try:
        made(tmp_path, name)
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    (job,) = plan_jobs([tmp_path], None, shard=Shard(1, 1))
    assert os.fsencode(job.target.name) == b"caf\xe9_x4.png"

"""Events as lines for machines."""

import json
from pathlib import Path

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
    to_json,
)
from upres.batch.jobs import Job
from upres.errors import BadPicture, WorkFailed

JOB = Job(Path("a/é\n.png"), Path("b.png"))
PATHS = {"source": "a/é\n.png", "target": "b.png"}


def test_each_event_is_one_line_of_json():
    failed = Failed(JOB, BadPicture("a/é is empty."))
    told = {"error": "a/é is empty.", "exit_code": 2}
    summary = Summary(1, 2, (failed,), 0.5, 4.0, 9, 1)
    expected = {
        Planned(3): {"event": "planned", "pictures": 3},
        Started(JOB): {"event": "started", **PATHS},
        Progressed(JOB, 1, 8): {"event": "progressed", **PATHS, "tiles": 1, "of": 8},
        Done(JOB, Written(4, 8, 1, 9, 1), 1.23456): {
            "event": "done",
            **PATHS,
            **{"width": 4, "height": 8, "frames": 1, "tiles": 9, "redone": 1, "seconds": 1.235},
        },
        Skipped(JOB): {"event": "skipped", **PATHS},
        failed: {"event": "failed", **PATHS, **told},
        Finished(summary): {
            "event": "finished",
            **{"done": 1, "skipped": 2, "failures": [{**PATHS, **told}], "megapixels": 0.5},
            **{"seconds": 4.0, "tiles": 9, "redone": 1},
        },
    }
    for event, values in expected.items():
        line = to_json(event)
        assert line.isascii() and "\n" not in line
        assert json.loads(line) == values


def test_a_failure_of_the_work_says_its_exit_code():
    assert json.loads(to_json(Failed(JOB, WorkFailed("no"))))["exit_code"] == 1

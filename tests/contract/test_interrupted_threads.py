"""A Ctrl-C that comes while the main thread waits for others lets them clean up first."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from upres.batch.events import Written
from upres.batch.jobs import Job
from upres.batch.running import Crowd, run_jobs
from upres.errors import Interrupted

cleaned = []

def work(job, may_replace, progress):
    if job.source.name == "0":
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
    try:
        for tile in range(1000):
            time.sleep(0.01)
            progress(tile, 1000)
    finally:
        time.sleep(0.3)
        cleaned.append(job)

signal.signal(signal.SIGINT, signal.default_int_handler)
jobs = [Job(Path(str(number)), Path(sys.argv[1], str(number))) for number in range(3)]
try:
    run_jobs(jobs, work, made_by={}, crowd=Crowd(pictures=3))
except Interrupted:
    os._exit(len(cleaned))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGINT for itself")
def test_every_thread_has_ended_before_the_interruption_is_told(tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], check=False)
    assert done.returncode == 3

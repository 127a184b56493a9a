"""The two modules that make weights for others say what is wrong in one sentence."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module, arguments, said",
    [
        ("shipping", [], "required: run, target"),
        ("shipping", ["nowhere", "a.safetensors"], "nowhere"),
        ("other_scale", ["compact-x4", "two", "a.safetensors"], "invalid int value: 'two'"),
        ("other_scale", ["no-such-model", "2", "a.safetensors"], "no-such-model"),
    ],
)
def test_a_mistake_is_one_sentence(module, arguments, said, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", f"upres.weights.{module}", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []

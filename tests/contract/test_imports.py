"""What importing costs and does: little, and nothing."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import upres

SOURCE = Path(upres.__file__).parent
NETWORKS = sorted(
    path.stem
    for path in (SOURCE / "networks").glob("*.py")
    if path.stem not in ("__init__", "build")
)


def fresh(code: str) -> str:
    """Run `code` in a new interpreter and return what it printed."""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_help_imports_no_torch_and_nothing_else_that_is_slow() -> None:
    found = fresh(
        "import sys\n"
        "from upres.cli.main import main\n"
        "sys.argv = ['upres', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as done:\n    assert done.code == 0, done.code\n"
        "slow = ('torch', 'numpy', 'pyvips', 'lightning_fabric', 'PIL', 'matplotlib', 'jinja2')\n"
        "print('LOADED', [name for name in slow if name in sys.modules])\n"
    )
    assert "LOADED []" in found
    for command in ("demo", "prepare", "train", "recipe", "evaluate", "upscale", "report"):
        assert command in found


def test_help_takes_less_than_half_a_second() -> None:
    # of the processor, so that a busy machine does not count
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        fresh("import sys; sys.argv = ['upres', '--help']; from upres.cli.main import main; main()")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.5, seconds


@pytest.mark.parametrize("command", ["train", "upscale", "evaluate", "prepare", "weights"])
def test_help_of_a_command_imports_no_torch(command: str) -> None:
    found = fresh(
        "import sys\n"
        "from upres.cli.main import main\n"
        f"sys.argv = ['upres', {command!r}, '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as done:\n    assert done.code == 0, done.code\n"
        "print('LOADED', 'torch' in sys.modules)\n"
    )
    assert "LOADED False" in found


def test_ctrl_c_while_torch_is_imported_ends_the_program_as_ever(tmp_path: Path) -> None:
    """torch's C++ aborts the process when Python raises inside of it: so does the stand-in here."""
    (tmp_path / "torch.py").write_text(
        "import os, signal\n"
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "except KeyboardInterrupt:\n    os.abort()\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['upres', 'doctor']\n"
        "from upres.cli.main import main; main()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_importing_the_package_and_its_upscaler_takes_under_two_seconds() -> None:
    # of the processor; torch and numpy are most of it
    seconds = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        fresh("import upres; upres.Upscaler")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 2, seconds


def test_upscaling_needs_nothing_that_only_training_needs() -> None:
    found = fresh(
        "import sys\n"
        "import numpy, upres\n"
        "upscaler = upres.Upscaler.load('compact-x4', upres.UpscaleSettings(strength=0.5))\n"
        "upscaler(numpy.zeros((8, 8, 3), 'uint8'))\n"
        "training = ('lightning_fabric', 'lightning_utilities', 'torchmetrics', 'wandb',\n"
        "            'tensorboard', 'matplotlib', 'jinja2', 'upres.training', 'upres.losses',\n"
        "            'upres.recipes', 'upres.evaluation', 'typer', 'huggingface_hub', 'spandrel')\n"
        "print('LOADED', [name for name in training if name in sys.modules])\n"
    )
    assert "LOADED []" in found


def test_a_network_takes_at_most_four_of_our_files() -> None:
    found = json.loads(
        fresh(
            "import importlib, json, sys\n"
            "import torch\n"
            "found = {}\n"
            f"for name in {NETWORKS!r}:\n"
            "    for module in [m for m in sys.modules if m.partition('.')[0] == 'upres']:\n"
            "        del sys.modules[module]\n"
            "    importlib.import_module(f'upres.networks.{name}')\n"
            "    found[name] = [m for m in sys.modules if m.partition('.')[0] == 'upres']\n"
            "print(json.dumps(found))\n"
        )
    )
    assert {"srcnn", "srresnet", "rrdbnet", "compact", "discriminators", "features"} <= set(found)
    for name, modules in found.items():
        assert f"upres.networks.{name}" in modules
        assert len(modules) <= 4, modules


def test_importing_has_no_effects() -> None:
    """On random numbers, threads, types, signals, the environment, the folder."""
    found = fresh(
        "import importlib, logging, os, pkgutil, signal, sys\n"
        "import numpy, torch, lightning_fabric\n"
        "def state():\n"
        "    kind, keys, *rest = numpy.random.get_state()\n"
        "    return {\n"
        "        'torch': torch.get_rng_state().tolist(),\n"
        "        'threads': (torch.get_num_threads(), torch.get_num_interop_threads()),\n"
        "        'dtype': torch.get_default_dtype(),\n"
        "        'deterministic': torch.are_deterministic_algorithms_enabled(),\n"
        "        'grad': torch.is_grad_enabled(),\n"
        "        'numpy': (keys.tolist(), rest),\n"
        "        'signals': [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)],\n"
        "        'environment': dict(os.environ),\n"
        "        'folder': os.getcwd(),\n"
        "        'hook': sys.excepthook,\n"
        "        'logging': (logging.root.level, list(logging.root.handlers)),\n"
        "    }\n"
        "import upres\n"
        "before, files = state(), set(os.listdir('.'))\n"
        "names = [m.name for m in pkgutil.walk_packages(upres.__path__, 'upres.')]\n"
        "for name in names:\n"
        "    if name.endswith('__main__'):\n"
        "        continue  # running it is what it is for\n"
        "    importlib.import_module(name)\n"
        "    now = state()\n"
        "    assert now == before, (name, [key for key in now if now[key] != before[key]])\n"
        "assert set(os.listdir('.')) == files\n"
        "print(len(names))\n"
    )
    assert int(found) > 60

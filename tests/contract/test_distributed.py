"""What is equal and what is not, as docs/concepts/distributed.md says it.

The second process is real: both are started once and train one run after another. Learning is
plain descent here, so that a difference of the last bit stays one (Adam divides by the gradient's
own size and makes much of little).
"""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from upres.data.store import Store, open_store, prepare
from upres.errors import BadSetting, Interrupted
from upres.images.files import Picture, write_picture
from upres.processes.devices import Layout
from upres.processes.fabric import fabric_for
from upres.processes.fitting import own_statistics, refuse_layout
from upres.recipes.schema import Recipe
from upres.recipes.stages import SGD
from upres.recipes.text import changed, to_yaml
from upres.training.journal import Event, read_events
from upres.training.perceivers import untrained_perceivers
from upres.training.train import Needs, train

SCRIPT = Path(__file__).with_name("trained_together.py")
TOLERANCE = 3e-5  # of float32 sums in another order, relative to the largest value of a tensor
TIMES = ("seconds", "images_per_second", "data_wait_share", "seconds_left")
DESCENT = SGD(rate=1e-2, momentum=0.9)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Thirty pictures, so that several are for validation."""
    folder, path = tmp_path_factory.mktemp("photos"), tmp_path_factory.mktemp("stores") / "thirty"
    rng = np.random.default_rng(11)
    for number in range(30):
        coarse = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        pixels = coarse.repeat(8, axis=0).repeat(8, axis=1)
        noise = rng.integers(0, 16, pixels.shape).astype(np.uint8)
        write_picture(folder / f"{number}.png", Picture(pixels=pixels // 2 + noise))
    prepare(folder, path, scale=4, min_side=32)
    return open_store(path)


@pytest.fixture(scope="module")
def plain(toy_recipe: Recipe) -> Recipe:
    """Four steps a stage, a batch of four, plain descent; no batch norm, no means of a batch."""
    fields: dict[str, Any] = {
        "batch": 4,
        "stages.pixel.steps": 4,
        "stages.gan.steps": 4,
        "stages.gan.discriminator.norm": "spectral",
        "stages.pixel.optimiser": DESCENT,
        "stages.gan.optimiser": DESCENT,
        "stages.gan.discriminator_optimiser": DESCENT,
        "stages.gan.losses.adversarial.form": "non-saturating",
        "validation.pictures": 5,
        "validation.every": 2,
        "watch_every": 2,
        "log_every": 1,
    }
    return changed(toy_recipe, fields)


@pytest.fixture(scope="module")
def recipes(plain: Recipe) -> dict[str, Recipe]:
    spectral = {"stages.gan.balance.discriminator_steps": 2, "stages.gan.balance.r1": 0.1}
    return {
        "plain": plain,
        "average": changed(plain, {"stages.gan.losses.adversarial.form": "relativistic-average"}),
        "balanced": changed(plain, spectral | {"stages.gan.balance.adaptive": True}),
    }


def needs(recipe: Recipe) -> Needs:
    torch.manual_seed(0)
    return Needs({name: untrained_perceivers(s) for name, s in recipe.stages.items()}, None)


def trained(recipe: Recipe, store: Store, folder: Path, **options: Any) -> Path:
    train(recipe, store, folder, needs=needs(recipe), facts={}, **options)
    return folder


def after(steps: int) -> Callable[[], bool]:
    count = itertools.count(1)
    return lambda: next(count) >= steps


@pytest.fixture(scope="module")
def alone(
    recipes: Mapping[str, Recipe], store: Store, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Every recipe by one process in one go."""
    folder = tmp_path_factory.mktemp("alone")
    return {name: trained(recipe, store, folder / name) for name, recipe in recipes.items()}


@pytest.fixture(scope="module")
def together(
    recipes: Mapping[str, Recipe], store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder with the runs of two processes."""
    folder = tmp_path_factory.mktemp("together")
    for name in ("begun-alone", "stopped-sharded"):
        with pytest.raises(Interrupted):
            trained(recipes["plain"], store, folder / name, should_stop=after(3))
    jobs: list[dict[str, Any]] = [
        {"folder": "plain"},
        {"folder": "average", "recipe": "average"},
        {"folder": "balanced", "recipe": "balanced"},
        {"folder": "begun-alone"},
        {"folder": "stopped", "stop_after": 3},
        {"folder": "stopped"},
        {"folder": "begun-together", "stop_after": 6},
        {"folder": "begun-sharded", "sharded": True, "stop_after": 6},
        {"folder": "sharded", "sharded": True},
        {"folder": "stopped-sharded", "sharded": True},
        {"folder": "poisoned", "poison": True},
    ]
    for job in jobs:
        job |= {
            "recipe": to_yaml(recipes[job.get("recipe", "plain")]),
            "store": str(store.path),
            "folder": str(folder / job["folder"]),
        }
    (folder / "jobs.json").write_text(json.dumps(jobs))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder / "jobs.json")],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # what the second process's C++ says, rarely, when it ends after all its work is done
    assert done.stderr.removesuffix("terminate called without an active exception\n") == ""
    return folder


def said(folder: Path, name: str) -> list[Any]:
    """What stopped the two processes, if anything."""
    return [json.loads((folder / f"{name}.{process}.json").read_text()) for process in (0, 1)]


def tensors(folder: Path, file: str = "gan/state.safetensors") -> dict[str, Tensor]:
    return load_file(folder / file)


def difference(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> float:
    """The largest difference of two sets of tensors, relative to the largest value of each."""
    assert set(ours) == set(theirs)
    # one gradient is exactly 0: a relativistic loss does not see what all logits have in common
    sizes = {key: float(tensor.abs().max()) or 0.1 for key, tensor in theirs.items()}
    return max(float((ours[key] - theirs[key]).abs().max()) / sizes[key] for key in ours)


def events(folder: Path, *kinds: str) -> list[Event]:
    found = [event for event in read_events(folder / "metrics.jsonl") if event["event"] in kinds]
    return [{key: event[key] for key in event if key not in TIMES} for event in found]


def alike(ours: Any, theirs: Any, tolerance: float) -> bool:
    """Whether two journals say the same: numbers within the tolerance, all else exactly."""
    if isinstance(theirs, dict):
        return set(ours) == set(theirs) and all(alike(ours[k], theirs[k], tolerance) for k in ours)
    if isinstance(theirs, list):
        pairs = zip(ours, theirs, strict=True)
        return len(ours) == len(theirs) and all(alike(a, b, tolerance) for a, b in pairs)
    if isinstance(theirs, float):
        return bool(ours == pytest.approx(theirs, rel=tolerance, abs=1e-6))
    return bool(ours == theirs)


@pytest.mark.parametrize("name", ["plain", "average", "balanced"])
def test_two_processes_equal_one_with_the_joint_batch(
    name: str, together: Path, alone: Mapping[str, Path]
) -> None:
    assert said(together, name) == [None, None]
    ours, theirs = together / name, alone[name]
    assert difference(tensors(ours), tensors(theirs)) < TOLERANCE
    for file in ("pixel/model.safetensors", "model.safetensors"):
        assert difference(tensors(ours, file), tensors(theirs, file)) < TOLERANCE


@pytest.mark.parametrize("name", ["plain", "average", "balanced"])
def test_the_journal_is_of_the_whole_batch(
    name: str, together: Path, alone: Mapping[str, Path]
) -> None:
    ours, theirs = (events(folder, "step") for folder in (together / name, alone[name]))
    assert any("watch" in event for event in theirs)
    assert any("discriminator" in event for event in theirs)
    assert alike(ours, theirs, 1e-4)
    scores = [events(folder, "validation") for folder in (together / name, alone[name])]
    assert alike(*scores, 1e-6)
    assert scores[0][0]["metrics"] == scores[1][0]["metrics"]  # of equal weights, to the last bit


def test_parts_of_a_batch_equal_the_batch(
    plain: Recipe, store: Store, alone: Mapping[str, Path], tmp_path: Path
) -> None:
    # Spectral norm's estimate moves at every call, so it is left out here.
    recipe = changed(plain, {"stages.gan.losses.adversarial.weight": 0.0})
    whole = trained(recipe, store, tmp_path / "whole")
    parts = trained(recipe, store, tmp_path / "parts", layout=Layout(accumulate=2))
    generator = [
        {k: v for k, v in tensors(folder).items() if not k.startswith("discriminator")}
        for folder in (parts, whole)
    ]
    assert difference(*generator) < TOLERANCE
    assert alike(events(parts, "step")[:4], events(whole, "step")[:4], 1e-4)


def test_one_process_begins_and_two_go_on(together: Path, alone: Mapping[str, Path]) -> None:
    assert said(together, "begun-alone") == [None, None]
    assert difference(tensors(together / "begun-alone"), tensors(alone["plain"])) < TOLERANCE
    assert alike(events(together / "begun-alone", "step"), events(alone["plain"], "step"), 1e-4)


def test_two_processes_begin_and_one_goes_on(
    plain: Recipe, store: Store, together: Path, alone: Mapping[str, Path]
) -> None:
    folder = together / "begun-together"
    assert [name for name, _ in said(together, "begun-together")] == ["Interrupted"] * 2
    trained(plain, store, folder)
    assert difference(tensors(folder), tensors(alone["plain"])) < TOLERANCE


def test_two_processes_go_on_bit_for_bit(together: Path) -> None:
    ours, unbroken = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.safetensors")}
        for folder in (together / "stopped", together / "plain")
    )
    assert ours == unbroken
    assert events(together / "stopped", "step", "validation") == events(
        together / "plain", "step", "validation"
    )


def test_one_process_that_is_asked_to_stop_stops_both(together: Path) -> None:
    first, second = said(together, "begun-together")
    assert first == second
    assert first[1].startswith("stopped at step 2 of 4 of stage gan; everything is saved in")


def test_one_loss_that_is_no_number_stops_both(together: Path) -> None:
    first, second = said(together, "poisoned")
    assert first == second
    assert first[0] == "Diverged"
    assert first[1].startswith("the pixel loss is nan at step 1 of stage pixel")


def test_one_process_writes(together: Path) -> None:
    kinds = [event["event"] for event in read_events(together / "plain" / "metrics.jsonl")]
    assert kinds.count("run") == 1 and kinds.count("stage") == 2
    stages = [e for e in read_events(together / "plain" / "metrics.jsonl") if e["event"] == "stage"]
    assert all(event["processes"] == 2 and event["device"] == "cpu" for event in stages)
    facts = json.loads((together / "plain" / "run.json").read_text())
    assert facts["devices"]["processes"] == 2


def test_a_generator_that_is_spread_over_the_processes_equals_a_whole_one(
    together: Path, alone: Mapping[str, Path]
) -> None:
    assert said(together, "sharded") == [None, None]
    assert difference(tensors(together / "sharded"), tensors(alone["plain"])) < TOLERANCE
    assert alike(events(together / "sharded", "step"), events(alone["plain"], "step"), 1e-4)


def test_a_state_goes_from_whole_to_spread_and_back(
    plain: Recipe, store: Store, together: Path, alone: Mapping[str, Path]
) -> None:
    assert said(together, "stopped-sharded") == [None, None]
    assert difference(tensors(together / "stopped-sharded"), tensors(alone["plain"])) < TOLERANCE
    trained(plain, store, together / "begun-sharded")
    ours = tensors(together / "begun-sharded")
    assert difference(ours, tensors(alone["plain"])) < TOLERANCE


@pytest.mark.parametrize(
    "fields, text",
    [
        ({"stages.gan.discriminator.norm": "batch"}, "the discriminator of stage gan has batch"),
        ({"generator.batch_norm": "conv"}, "the generator has batch norm, whose statistics need"),
        (
            {"stages.gan.losses.adversarial.form": "relativistic-average"},
            "the relativistic-average loss of stage gan compares with means that need the whole",
        ),
        ({"stages.gan.balance.adaptive": True}, "the adaptive weight of stage gan compares"),
        ({"batch": 5}, "a batch of 5 cannot be parted equally among 2 micro-batches"),
    ],
)
def test_parts_that_would_mean_another_loss_are_refused(
    fields: dict[str, Any], text: str, plain: Recipe
) -> None:
    recipe = changed(plain, fields)
    with pytest.raises(BadSetting) as refusal:
        refuse_layout(recipe, "float32", Layout(accumulate=2))
    assert str(refusal.value).startswith(text)
    if "batch" not in fields:
        refuse_layout(recipe, "float32", Layout(processes=2))


def test_statistics_of_batch_norm_are_per_process_on_the_processor(plain: Recipe) -> None:
    recipe = changed(
        plain, {"generator.batch_norm": "conv", "stages.gan.discriminator.norm": "batch"}
    )
    both = ["the generator", "the discriminator of stage gan"]
    assert own_statistics(recipe, Layout(processes=2)) == both
    assert own_statistics(recipe, Layout("cuda", processes=2)) == []
    assert own_statistics(recipe, Layout()) == []
    assert own_statistics(plain, Layout(processes=2)) == []


def test_a_refused_layout_leaves_no_folder(plain: Recipe, store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadSetting):
        trained(plain, store, tmp_path / "run", layout=Layout(accumulate=3))
    assert not (tmp_path / "run").exists()


def test_a_fabric_of_one_process_is_made_where_none_is_given() -> None:
    assert fabric_for("float32").world_size == 1

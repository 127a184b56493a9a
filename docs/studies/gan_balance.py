"""What each remedy for a discriminator that wins does, at toy scale: gan-balance.md's table.

    python docs/studies/gan_balance.py --photos PHOTOS --out RUNS [--steps 600]

PHOTOS: a folder of photos. For each of two recipes (paper A's SRGAN and paper B's USRGAN, with
small networks, VGG16 in place of VGG19) one pixel stage is trained; each line of the table is a
GAN stage that starts from it and differs in the named fields alone. A finished run is not done
again.
"""

import argparse
import json
import statistics
from collections.abc import Mapping
from pathlib import Path

from upres.data.store import Store, prepared_store
from upres.evaluation.judge import Evaluation
from upres.networks.rrdbnet import RRDBNetSettings
from upres.recipes import RECIPES
from upres.recipes.schedules import Ramp, Steps
from upres.recipes.schema import Recipe
from upres.recipes.text import changed
from upres.report.run_report import finish_run
from upres.training.journal import Event, read_events
from upres.training.train import Needs, find_needs, train
from upres.weights.model import load_model

SMALL: Mapping[str, object] = {
    "crops.hr_patch": 64,
    "batch": 8,
    "precision": "auto",
    "compile": "no",
    "stages.pixel.optimiser.rate": 5e-4,
    "stages.gan.discriminator.width": 32,
    "stages.gan.losses.content.network": "vgg16",
    "stages.gan.losses.content.precision": "bf16",
    "generator.skip": "bicubic",
    "validation.times": 1,
    "validation.pictures": 4,
    "validation.side": 128,
    "log_every": 10,
    "watch_every": 10,
}
STARTS: Mapping[str, Recipe] = {
    "paper-a-srgan": changed(
        RECIPES["paper-a-srgan"],
        {
            "generator.blocks": 2,
            "generator.width": 32,
            "stages.gan.discriminator.dense": 256,
            "stages.gan.losses.content.layers": {"relu3_3": 1.0},
            **SMALL,
        },
    ),
    "usrgan": changed(
        RECIPES["usrgan"],
        {
            "generator": RRDBNetSettings(blocks=2, width=32, growth=16),
            "stages.gan.losses.content.layers": {"conv3_3": 1.0},
            **SMALL,
        },
    ),
}

WEIGHT = "stages.gan.losses.adversarial.weight"
BALANCE = "stages.gan.balance"
# The weight before and after paper A's rise; paper B has one and no rise.
BEFORE = {"paper-a-srgan": 1e-3, "usrgan": 5e-3}
AFTER = 5e-2


def variants(name: str, steps: int) -> dict[str, dict[str, object]]:
    """Return the changes of each line of the table, by what the line is called."""
    before = BEFORE[name]
    by_hand = Steps(at=(7 / 37,), values=(before, AFTER), unit="share")
    ramp = Ramp(kind="linear", start=before, end=AFTER, finish=0.5, unit="share")
    shown: dict[str, dict[str, object]] = {
        f"weight {before:g}": {WEIGHT: before},
        f"weight {AFTER:g}": {WEIGHT: AFTER},
        f"raised by hand to {AFTER:g}": {WEIGHT: by_hand},
        f"ramp to {AFTER:g}": {WEIGHT: ramp},
        "adaptive, 0.2": {WEIGHT: 0.2, f"{BALANCE}.adaptive": True},
        "generator alone at first": {
            WEIGHT: AFTER,
            f"{BALANCE}.generator_only_steps": steps // 4,
        },
        "accuracy band to 0.8": {WEIGHT: AFTER, f"{BALANCE}.accuracy_band": [0.0, 0.8]},
        "two discriminator steps": {WEIGHT: AFTER, f"{BALANCE}.discriminator_steps": 2},
        "labels smoothed by 0.1": {
            WEIGHT: AFTER,
            "stages.gan.losses.adversarial.label_smoothing": 0.1,
        },
        "R1, 10": {WEIGHT: AFTER, f"{BALANCE}.r1": 10.0, f"{BALANCE}.penalty_every": 4},
    }
    norm = {"paper-a-srgan": "spectral", "usrgan": "batch"}[name]
    shown[f"discriminator with {norm} norm"] = {
        WEIGHT: AFTER,
        "stages.gan.discriminator.norm": norm,
    }
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", choices=list(STARTS), help="only this one")
    parser.add_argument("--steps", type=int, default=600, help="of each GAN stage")
    parser.add_argument("--pixel-steps", type=int, default=1500)
    arguments = parser.parse_args()
    for name in [arguments.recipe] if arguments.recipe else list(STARTS):
        recipe = STARTS[name]
        store = _store(arguments.photos, arguments.out, recipe)
        start = _pixel_stage(name, recipe, store, arguments.out, arguments.pixel_steps)
        print(f"\n### {name}\n\n{HEAD}")
        print(_line("stage 1", _scores(_judged(start, recipe, store), "pixel"), []), flush=True)
        for shown, changes in variants(name, arguments.steps).items():
            slug = "".join(c if c.isalnum() else "-" for c in shown)
            folder = arguments.out / f"{name}-{slug}"
            only = _gan_only(recipe, changes, arguments.steps)
            if not (folder / "evaluation.json").exists():
                first = load_model(str(start / "model.safetensors"))
                train(only, store, folder, needs=find_needs(only, None), init=first, facts={})
            judged = _judged(folder, only, store)
            events = read_events(folder / "metrics.jsonl")
            print(_line(shown, _scores(judged, "gan"), events), flush=True)


HEAD = (
    "| run | PSNR, dB | LPIPS | accuracy | its share | fine detail | verdicts at the end |\n"
    "|---|---|---|---|---|---|---|"
)


def _store(photos: Path, out: Path, recipe: Recipe) -> Store:
    cache = out / "stores"
    return prepared_store(photos, cache, scale=4, resizer=recipe.resizer, min_side=64)


def _pixel_stage(name: str, recipe: Recipe, store: Store, out: Path, steps: int) -> Path:
    folder = out / f"{name}-stage-1"
    if not (folder / "model.safetensors").exists():
        only = _with_stages(recipe, {"pixel": _fields(recipe)["pixel"]})
        only = changed(only, {"stages.pixel.steps": steps})
        train(only, store, folder, needs=find_needs(only, None), facts={})
    return folder


def _gan_only(recipe: Recipe, changes: Mapping[str, object], steps: int) -> Recipe:
    only = _with_stages(recipe, {"gan": _fields(recipe)["gan"] | {"from_scratch": True}})
    return changed(only, {"stages.gan.steps": steps, **changes})


def _fields(recipe: Recipe) -> dict[str, dict[str, object]]:
    stages: dict[str, dict[str, object]] = recipe.model_dump(mode="json")["stages"]
    return stages


def _with_stages(recipe: Recipe, stages: Mapping[str, object]) -> Recipe:
    return Recipe.model_validate(recipe.model_dump(mode="json") | {"stages": stages})


def _judged(folder: Path, recipe: Recipe, store: Store) -> Evaluation:
    written = folder / "evaluation.json"
    if written.exists():
        return Evaluation.model_validate_json(written.read_text(encoding="utf-8"))
    stages = json.loads(json.dumps(list(_fields(recipe))))
    stages = [stage for stage in stages if (folder / stage).exists()]
    kept = _with_stages(recipe, {stage: _fields(recipe)[stage] for stage in stages})
    needs: Needs = find_needs(kept, None)
    return finish_run(folder, kept, store, lpips=needs.lpips, page=False)


def _scores(evaluation: Evaluation, stage: str) -> Mapping[str, float]:
    return next(row.metrics for row in evaluation.rows if row.model == stage)


def _line(shown: str, scores: Mapping[str, float], events: list[Event]) -> str:
    steps = [event for event in events if event["event"] == "step"]
    last = steps[-len(steps) // 5 :] if steps else []
    judged = [event["discriminator"]["accuracy"] for event in last if "discriminator" in event]
    looks = [event["watch"] for event in last if "watch" in event]
    shares = [look["gradient_shares"].get("adversarial", 0.0) for look in looks]
    detail = [look["high_frequency"] for look in looks]
    cells = [
        shown,
        f"{scores['psnr_y']:.2f}",
        f"{scores['lpips_alex']:.4f}",
        f"{statistics.mean(judged):.2f}" if judged else "",
        f"{statistics.mean(shares):.1%}" if shares else "",
        f"{statistics.mean(detail):.2f}" if detail else "",
        ", ".join(_standing(events)),
    ]
    return f"| {' | '.join(cells)} |"


def _standing(events: list[Event]) -> list[str]:
    kinds: dict[str, None] = {}
    for event in events:
        if event["event"] == "verdict":
            if event["state"] == "begins":
                kinds[event["kind"]] = None
            else:
                kinds.pop(event["kind"], None)
    return list(kinds)


if __name__ == "__main__":
    main()

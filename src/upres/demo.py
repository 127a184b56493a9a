"""The whole way in a few minutes: a two-stage GAN on photos that come with scikit-image."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import util
from pathlib import Path

from upres.atomic import write_text
from upres.data.store import prepared_store
from upres.errors import MissingExtra
from upres.evaluation.candidates import resolve_rows
from upres.evaluation.judge import Evaluation, JudgedPair
from upres.evaluation.protocols import Protocol, get_protocol, make_lr
from upres.images.files import read_rgb
from upres.images.resize import crop_to_multiple
from upres.networks.lpips import LPIPS
from upres.recipes import RECIPES, sources_of
from upres.recipes.schema import Recipe
from upres.recipes.text import to_yaml
from upres.report.page import missing_package, write_report
from upres.report.pictures import save_pictures
from upres.report.run_log import read_run_log
from upres.report.run_report import judge_and_show
from upres.training.journal import Event
from upres.training.train import find_needs, train
from upres.weights.model import zoo_names

# Photographs in scikit-image's wheel; its logos, charts and phantoms are none.
TRAINING = (
    "brick.png",
    "camera.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)
HELD_OUT = ("astronaut.png", "chelsea.png", "coffee.png")
SHIPPED = "compact-x4"
RUNS = ("srcnn-tiny", "tiny")


@dataclass(frozen=True)
class Demo:
    """What the demo made."""

    evaluation: Evaluation
    report: Path


def run_demo(
    out: Path,
    *,
    weights_dir: Path | None,
    command: str,
    listener: Callable[[Event], None],
    should_stop: Callable[[], bool],
) -> Demo:
    """Train SRCNN and both stages of `tiny`, judge them on held-out photos, write the report.

    Called again with the same folder it goes on where it stopped.
    Raises MissingExtra without scikit-image, matplotlib or jinja2, before anything starts.
    """
    photos = scikit_image_photos()
    missing = missing_package()
    if missing is not None:
        raise MissingExtra(missing, "demo", "The demo's report")
    recipes = {name: RECIPES[name] for name in RUNS}
    needs = {name: find_needs(recipe, weights_dir) for name, recipe in recipes.items()}
    _copy(photos, TRAINING, out / "photos")
    for name, recipe in recipes.items():
        store = prepared_store(
            out / "photos",
            out / "stores",
            scale=recipe.scale,
            resizer=recipe.resizer,
            min_side=recipe.crops.hr_patch,
        )
        train(
            recipe,
            store,
            out / name,
            needs=needs[name],
            facts={"command": command, "photos_folder": str(out / "photos")},
            listener=listener,
            should_stop=should_stop,
        )
    return _judge(out, photos, recipes, needs["tiny"].lpips, command)


def _judge(
    out: Path, photos: Path, recipes: Mapping[str, Recipe], lpips: LPIPS | None, command: str
) -> Demo:
    tiny = recipes["tiny"]
    protocol = get_protocol(tiny.validation.protocol)
    pairs = [_pair(photos / name, protocol, tiny.scale) for name in HELD_OUT]
    names = {"bicubic": "bicubic", "srcnn-tiny": str(out / "srcnn-tiny")}
    names |= {f"tiny/{stage}": str(out / "tiny" / stage) for stage in tiny.stages}
    if SHIPPED in zoo_names():
        names[SHIPPED] = SHIPPED
    rows, _ = resolve_rows(list(names.values()), tiny.scale)
    named = [replace(row, name=name) for row, name in zip(rows, names, strict=True)]
    result, pictures = judge_and_show(
        named, pairs, protocol, scale=tiny.scale, dataset="held-out", lpips=lpips
    )
    write_text(out / "evaluation.json", result.model_dump_json(indent=2) + "\n")
    save_pictures(out / "pictures", pictures)
    report = out / "report.html"
    write_report(
        report,
        title="upres demo: a two-stage GAN in minutes",
        evaluation=result,
        pictures=pictures,
        runs=[read_run_log(out / name) for name in RUNS],
        recipe_yaml=to_yaml(tiny, sources_of(tiny)),
        notes=[
            f"Trained on {len(TRAINING)} photographs of scikit-image; judged on {len(pairs)} "
            "that training never saw.",
            f"Made by `{command}`.",
        ],
    )
    return Demo(result, report)


def _pair(path: Path, protocol: Protocol, scale: int) -> JudgedPair:
    hr = crop_to_multiple(read_rgb(path), scale)
    return JudgedPair(path.stem, make_lr(hr, protocol, scale), hr)


def scikit_image_photos() -> Path:
    package = util.find_spec("skimage")
    if package is None or package.origin is None:
        raise MissingExtra("scikit-image", "demo", "The demo")
    return Path(package.origin).parent / "data"


def _copy(source: Path, names: tuple[str, ...], folder: Path) -> None:
    """Copy what is not there yet, so that a second call finds the folder unchanged."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (folder / name).exists():
            shutil.copyfile(source / name, folder / name)

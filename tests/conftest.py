"""What several tests need: shapes checked at run time, a toy recipe, a small store, the data."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

from jaxtyping import install_import_hook

ROOMS_WITH_SHAPES = ["upres.losses", "upres.metrics", "upres.networks"]
install_import_hook(ROOMS_WITH_SHAPES, "beartype.beartype")

from upres.data.store import Store, open_store, prepare  # noqa: E402
from upres.images.files import Picture, write_picture  # noqa: E402
from upres.recipes import RECIPES  # noqa: E402
from upres.recipes.schema import Recipe  # noqa: E402
from upres.recipes.text import changed  # noqa: E402
from upres.training.perceivers import untrained_perceivers  # noqa: E402
from upres.training.train import Needs  # noqa: E402

SHARED = Path(__file__).parents[1].parent / "shared"

TOY = {
    "generator.blocks": 1,
    "generator.width": 8,
    "generator.growth": 4,
    "crops.hr_patch": 32,
    "batch": 2,
    "precision": "float32",
    "compile": "no",
    "stages.pixel.steps": 6,
    "stages.gan.steps": 6,
    "stages.gan.discriminator.width": 4,
    "stages.gan.discriminator.dense": 8,
    "stages.gan.losses.content.precision": "float32",
    "stages.gan.best": ["psnr_y"],
    "validation.metrics": ["psnr_y"],
    "validation.pictures": 2,
    "validation.side": 48,
    "validation.every": 3,
    "save_every": 2,
    "log_every": 2,
    "watch_every": 3,
}


@pytest.fixture(scope="session")
def toy_recipe() -> Recipe:
    """Both stages of `tiny`, so small that a step takes milliseconds."""
    return changed(RECIPES["tiny"], TOY)


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures of smooth random colours, 64 to 92 pixels a side."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(7)
    for number in range(8):
        write_picture(folder / f"{number}.png", Picture(pixels=smooth(rng, 64 + 4 * number, 72)))
    return folder


@pytest.fixture(scope="session")
def toy_store(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("stores") / "toy"
    prepare(photo_folder, path, scale=4, min_side=32)
    return open_store(path)


@pytest.fixture(scope="session")
def untrained_needs() -> Callable[[Recipe], Needs]:
    """Pretrained networks with random weights: right shapes, no files."""

    def needs(recipe: Recipe) -> Needs:
        stages = recipe.stages.items()
        return Needs({name: untrained_perceivers(stage) for name, stage in stages}, None)

    return needs


@pytest.fixture
def shared_data() -> Path:
    """The folder of test pictures; skips where it is not at hand."""
    if not (SHARED / "data" / "Set5").is_dir():
        pytest.skip(f"no test pictures at {SHARED / 'data'}")
    return SHARED / "data"


def smooth(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A random colour picture whose neighbours are alike, uint8 (height, width, 3)."""
    coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3)).astype(float)
    rows = np.linspace(0, coarse.shape[0] - 1.001, height)
    columns = np.linspace(0, coarse.shape[1] - 1.001, width)
    r, c = rows.astype(int), columns.astype(int)
    fr, fc = (rows - r)[:, None, None], (columns - c)[None, :, None]
    top = coarse[r][:, c] * (1 - fc) + coarse[r][:, c + 1] * fc
    low = coarse[r + 1][:, c] * (1 - fc) + coarse[r + 1][:, c + 1] * fc
    return np.clip(top * (1 - fr) + low * fr, 0, 255).astype(np.uint8)

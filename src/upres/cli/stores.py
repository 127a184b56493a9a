"""From `--photos` to an open store: prepared in the user's cache where it is a folder of photos."""

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from upres.data.store import Store, open_store, prepared_store
from upres.errors import BadPhotos
from upres.recipes.schema import Recipe
from upres.weights.published import cache_folder


def open_or_prepare(photos: Path, recipe: Recipe, *, quiet: bool) -> Store:
    """Return the store at `photos`, or the one that is prepared from that folder of photos.

    Says on stderr how many photos there are and how many were left out. Raises BadPhotos.
    """
    if not photos.is_dir():
        raise BadPhotos(f"{photos} is not a folder: give --photos a folder of photos.")
    if (photos / "store.json").exists():
        store = open_store(photos)
        _refuse_other_settings(store, recipe)
        return store
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with Progress(console=console, transient=True, disable=quiet or not sys.stderr.isatty()) as bar:
        task = bar.add_task("preparing photos", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        store = prepared_store(
            photos,
            cache_folder() / "stores",
            scale=recipe.scale,
            resizer=recipe.resizer,
            min_side=recipe.crops.hr_patch,
            progress=tell,
        )
    if not quiet:
        console.print(store.report.summary(), markup=False)
    return store


def _refuse_other_settings(store: Store, recipe: Recipe) -> None:
    if (store.scale, store.resizer) != (recipe.scale, recipe.resizer):
        raise BadPhotos(
            f"{store.path} was prepared for x{store.scale} by {store.resizer}, but recipe "
            f"{recipe.name} asks for x{recipe.scale} by {recipe.resizer}: prepare it again, or "
            "give --photos the folder of photos itself."
        )

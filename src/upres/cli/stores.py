"""From `--photos` to open stores: prepared in the user's cache where it is a folder of photos."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from upres.data.photos import find_files
from upres.data.records import read_store
from upres.data.store import Store, open_store, prepared_store
from upres.data.stores import AnyStore, Source, join_stores
from upres.errors import BadPhotos, BadSetting
from upres.recipes.schema import Recipe
from upres.weights.published import cache_folder

_STORE = "store.json"


def open_all(photos: Sequence[str], recipe: Recipe, *, quiet: bool) -> AnyStore:
    """Return the store of one `--photos`, or of several as one: each FOLDER or FOLDER:SHARE.

    A share is that of all crops; folders without one part the rest by their pixels. Says on
    stderr what is trained on. Raises BadPhotos and BadSetting.
    """
    given = [folder_and_share(text) for text in photos]
    if len(given) == 1 and given[0][1] not in (None, 1):
        raise BadSetting(f"--photos {photos[0]} has a share, but there is no other folder.")
    sources = [
        Source(open_or_prepare(folder, recipe, quiet=quiet), share, folder.resolve().name)
        for folder, share in given
    ]
    if len(sources) == 1:
        return sources[0].store
    stores = join_stores(sources)
    if not quiet:
        Console(stderr=True, highlight=False, soft_wrap=True).print(stores.summary(), markup=False)
    return stores


def folder_and_share(text: str) -> tuple[Path, float | None]:
    """Return what `FOLDER` or `FOLDER:SHARE` says; a folder of that very name goes before."""
    folder, colon, share = text.rpartition(":")
    if colon and not Path(text).exists():
        try:
            return Path(folder), float(share)
        except ValueError:
            pass  # a colon of the path
    return Path(text), None


def training_photos(photos: Sequence[str]) -> int:
    """Return about how many photos would train, without preparing any. Raises BadPhotos."""
    count = 0
    for folder, _ in map(folder_and_share, photos):
        if (folder / _STORE).exists():
            count += read_store(folder)[0].report.pictures["train"]
        else:
            count += round(0.7 * len(find_files(folder).pictures))
    return count


def open_or_prepare(photos: Path, recipe: Recipe, *, quiet: bool) -> Store:
    """Return the store at `photos`, or the one that is prepared from that folder of photos.

    Says on stderr how many photos there are and how many were left out. Raises BadPhotos.
    """
    if not photos.is_dir():
        raise BadPhotos(f"{photos} is not a folder: give --photos a folder of photos.")
    if (photos / _STORE).exists():
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

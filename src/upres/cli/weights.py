"""`upres weights`: which models and pretrained weights there are, where they lie, getting them."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from upres.weights.published import Found

_UNCHECKED = "its checksum is not known"

app = typer.Typer(
    help="See the models and the pretrained weights, and download the latter.",
    no_args_is_help=True,
)

WeightsDir = Annotated[
    Path | None,
    typer.Option("--weights-dir", help="A folder to look in first (else UPRES_WEIGHTS)."),
]


@app.command("list")
def list_(weights_dir: WeightsDir = None) -> None:
    """Print the models that can enlarge pictures, and the pretrained weights and where they are."""
    from rich.console import Console
    from rich.table import Table

    from upres.weights.published import PUBLISHED, find
    from upres.weights.published_models import PUBLISHED_MODELS

    installed = Table("model", "network", "scale", "licence", title="Models, installed with upres")
    for row in _models():
        installed.add_row(*row)
    models = Table(title="Published models, downloaded when they are first used")
    models.add_column("model", no_wrap=True)
    for column in ("what", "scale", "MB", "where"):
        models.add_column(column)
    for model in PUBLISHED_MODELS:
        file, where = model.file, _where(find(model.name, weights_dir))
        what = f"{file.what} ({model.network}, {file.licence})"
        models.add_row(model.name, what, f"x{model.scale}", _megabytes(file.bytes), where)
    pretrained = Table("name", "what", "MB", "licence", "where", title="Pretrained weights")
    for name, file in PUBLISHED.items():
        where = _where(find(name, weights_dir))
        pretrained.add_row(name, file.what, _megabytes(file.bytes), file.licence, where)
    Console().print(installed, models, pretrained, sep="\n")
    typer.echo("A model may also be a file, a run's folder, or hf:OWNER/NAME on the hub.")


@app.command()
def get(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="As `list` prints them.")],
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Download models or pretrained weights; an interrupted download is continued."""
    from upres.weights.published import fetch, find, get_published

    for name in names:
        get_published(name)  # a wrong name is said before anything is downloaded
    for name in names:
        found = find(name)
        if found is not None and found.source == "installed package":
            typer.echo(found.path)
            continue
        with download_bar(quiet=quiet) as progress:
            typer.echo(fetch(name, progress))


@app.command("path")
def path_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `list` prints it.")],
    weights_dir: WeightsDir = None,
) -> None:
    """Print the file that NAME is read from; nothing is downloaded."""
    from upres.weights.model import zoo_file, zoo_names
    from upres.weights.published import locate

    typer.echo(zoo_file(name) if name in zoo_names() else locate(name, weights_dir).path)


@app.command()
def save(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model, a file, a run.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Is made where it is not.")],
) -> None:
    """Write a model as a folder to hand on: weights, config.json, a card in words."""
    from upres.weights.model import load_model
    from upres.weights.pretrained import save_pretrained

    save_pretrained(load_model(model), folder)
    typer.echo(folder)


@app.command()
def push(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model, a file, a run.")],
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Its name on the hub.")],
    private: Annotated[bool, typer.Option("--private", help="Where it is made anew.")] = False,
) -> None:
    """Put a model with its card onto the Hugging Face hub; `hf auth login` comes before."""
    from upres.weights.model import load_model
    from upres.weights.pretrained import push_to_hub

    typer.echo(push_to_hub(load_model(model), repository, private=private))


@contextlib.contextmanager
def download_bar(*, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """Yield a callback (bytes so far, bytes in all) that shows a bar on stderr, or None."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = ("downloading", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("downloading", visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def _where(found: "Found | None") -> str:
    if found is None:
        return "not on this machine"
    return found.source if found.sha256 else f"{found.source}, your own file: {_UNCHECKED}"


def _megabytes(n_bytes: int | None) -> str:
    return "" if n_bytes is None else f"{n_bytes / 1e6:.2f}"


def _models() -> Iterator[tuple[str, str, str, str]]:
    from upres.weights.checkpoint import read_checkpoint
    from upres.weights.model import zoo_file, zoo_names

    for name in zoo_names():
        header, _ = read_checkpoint(zoo_file(name))
        yield name, header.generator.kind, f"x{header.scale}", header.licence or "see docs"

"""Models handed on: a folder that other people and other programs can open, and the hub.

The folder has the weights as this program saves them (model.safetensors: a plain safetensors file
whose header says what it is), a config.json and a card in words (README.md).
"""

import json
import tempfile
from importlib.metadata import version
from pathlib import Path

from upres.atomic import write_text
from upres.weights.card import card_of, fields_of
from upres.weights.checkpoint import CheckpointHeader, save_checkpoint
from upres.weights.hub import MODEL_FILE, upload_folder
from upres.weights.model import Model, load_model, zoo_file, zoo_names

CONFIG = "config.json"
CARD = "README.md"
PHOTOS = "photos.md"  # beside a shipped model's card: whose photos it was trained on


def from_pretrained(name: str | Path) -> Model:
    """Return the model in a folder, on the hub (`hf:owner/name`) or of a name: `load_model`'s.

    Raises as `load_model` does.
    """
    return load_model(name)


def save_pretrained(model: Model, folder: Path, *, title: str | None = None) -> None:
    """Write the model, its config.json and its card into `folder`; `from_pretrained` reads it.

    title: what the card calls it; None takes the folder's name. A shipped model has its own card.
    Raises BadWeights for a network that only spandrel has, NoSpace.
    """
    header = model.header or _foreign_header(model)
    save_checkpoint(folder / MODEL_FILE, model.network.state_dict(), header)
    facts = header.model_dump(mode="json", include={"format", "generator", "scale", "licence"})
    write_text(folder / CONFIG, json.dumps(facts, indent=2) + "\n")
    own = zoo_file(model.name).with_suffix(".md")
    if model.name in zoo_names() and own.is_file():
        write_text(folder / CARD, f"{fields_of(header)}\n\n{own.read_text(encoding='utf-8')}")
        photos = own.with_name(PHOTOS)
        if photos.is_file():
            write_text(folder / PHOTOS, photos.read_text(encoding="utf-8"))
    else:
        write_text(folder / CARD, card_of(model, header, title or folder.resolve().name))


def push_to_hub(
    model: Model, repository: str, *, private: bool = False, token: str | None = None
) -> str:
    """Put what `save_pretrained` writes onto the hub as owner/name; return its address.

    The repository is made where there is none. token: None takes the one of `hf auth login`.
    Raises BadWeights for a network that only spandrel has, MissingWeights where the hub refuses,
    MissingExtra without the extra `hub`.
    """
    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(model, Path(folder), title=repository.rpartition("/")[2])
        return upload_folder(Path(folder), repository, private=private, token=token)


def _foreign_header(model: Model) -> CheckpointHeader:
    """What is known of a network that another program trained."""
    licence = None if model.published is None else model.published.file.licence
    return CheckpointHeader(
        generator=model.settings,
        scale=model.scale,
        upres_version=version("upres"),
        licence=licence,
    )

"""Models on the Hugging Face hub (the extra `hub`): `hf:owner/name`, and publishing one's own.

`hf:owner/name@revision/folder/file.pth` names a branch, tag or commit, and one file of several.
What was fetched once is found in the hub's own cache, also without a connection.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from upres.errors import BadSetting, BadWeights, MissingExtra, MissingWeights

PREFIX = "hf:"
MODEL_FILE = "model.safetensors"
_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w.-]+))?(?:/(.+))?")
_ENDINGS = (".safetensors", ".pth", ".pt", ".ckpt")  # the safe one before the others


class HubName(NamedTuple):
    """What `hf:owner/name@revision/file` names."""

    repository: str
    revision: str | None  # None: the newest
    file: str | None  # None: the only model there


def parse_hub_name(name: str) -> HubName:
    """Return the parts of `hf:owner/name`, or raise BadSetting for another form."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadSetting(
            f"{name!r} is no name of a model on the hub, expected hf:owner/name, where "
            "@revision and /file may follow: correct it."
        )
    return HubName(*found.groups())


def fetch_from_hub(name: str) -> Path:
    """Return the file of a model on the hub, downloaded where the hub's cache does not have it.

    Without a file in the name it is model.safetensors, else the only file of weights there.
    Raises BadSetting for a name in another form or a repository with several models,
    MissingWeights when it cannot be had (the reason is named), BadWeights when there is none in it,
    MissingExtra.
    """
    wanted = parse_hub_name(name)
    hub = _hub()
    with _told(name):
        file = wanted.file or _model_in(hub, wanted, name)
        at = {"repo_id": wanted.repository, "filename": file, "revision": wanted.revision}
        if not isinstance(hub.try_to_load_from_cache(**at), str):
            _ask(hub, wanted, file)  # a download asks again for half a minute before it gives up
        return Path(hub.hf_hub_download(**at))


def upload_folder(folder: Path, repository: str, *, private: bool, token: str | None) -> str:
    """Put the files of `folder` into the repository, which is made where it is not; its address.

    token: None takes the one that `hf auth login` keeps. Raises MissingWeights with the reason
    when the hub refuses, MissingExtra.
    """
    hub = _hub()
    parse_hub_name(PREFIX + repository)
    with _told(PREFIX + repository):
        api = hub.HfApi(token=token)
        made = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=made.repo_id, folder_path=folder)
        return str(made)


def _model_in(hub: Any, wanted: HubName, name: str) -> str:
    """The file that is meant where none is named; without a connection the cache is looked at."""
    errors = hub.errors
    try:
        _ask(hub, wanted, MODEL_FILE)
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise
    except errors.EntryNotFoundError:
        files = hub.list_repo_files(wanted.repository, revision=wanted.revision)
        return _only_model(files, name)
    except Exception as error:  # what it uses for connections changes from version to version
        return _only_model(_kept(hub, wanted, error), name)
    return MODEL_FILE


def _ask(hub: Any, wanted: HubName, file: str) -> None:
    """Raise what the client raises where the hub does not have the file or does not answer."""
    hub.get_hf_file_metadata(hub.hf_hub_url(wanted.repository, file, revision=wanted.revision))


def _kept(hub: Any, wanted: HubName, reason: Exception) -> list[str]:
    """What the cache holds of a repository; where that is nothing, the reason is raised."""
    name, revision = wanted.repository, wanted.revision
    try:
        folder = Path(hub.snapshot_download(name, revision=revision, local_files_only=True))
    except hub.errors.LocalEntryNotFoundError:
        raise reason from None
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _only_model(files: Sequence[str], name: str) -> str:
    if MODEL_FILE in files:
        return MODEL_FILE
    for ending in _ENDINGS:
        found = sorted(file for file in files if file.endswith(ending))
        if len(found) == 1:
            return found[0]
        if found:
            raise BadSetting(
                f"{name} holds {len(found)} files of weights ({', '.join(found[:4])}), expected "
                f"one: name it, as in {name}/{found[0]}."
            )
    raise BadWeights(
        f"{name} holds no file of weights (ending in {', '.join(_ENDINGS)}), expected a network "
        "that enlarges pictures: check the name."
    )


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Raise MissingWeights in one sentence for what the hub's client raises."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise _missing(name, "its owners ask for consent", "give it there") from error
    except errors.RepositoryNotFoundError as error:
        reason = "the hub has no such repository, or it is private"
        raise _missing(name, reason, "check the name, or log in by `hf auth login`") from error
    except errors.RevisionNotFoundError as error:
        raise _missing(name, "it has no such revision", "check what follows the @") from error
    except errors.EntryNotFoundError as error:
        raise _missing(name, "it has no such file", "check the file's name") from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "no status")
        raise _missing(name, f"the hub answers {status}", "log in, or try again later") from error
    except (BadSetting, BadWeights):
        raise
    except Exception as error:  # of a connection
        reason = f"{error}".partition("\n")[0] or type(error).__name__
        raise _missing(name, reason, "check the connection, and try again") from error


def _missing(name: str, reason: str, advice: str) -> MissingWeights:
    return MissingWeights(
        f"The hub's {name.removeprefix(PREFIX)} cannot be had ({reason}): {advice}."
    )


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtra("huggingface-hub", "hub", "A model on the Hugging Face hub") from error
    return huggingface_hub

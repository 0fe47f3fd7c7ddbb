"""Where a model's files are: a directory, the bundled model, or the hub's cache.

The hub client is imported only when a hub id is given. What the cache holds is used without asking the
network; a download fetches the one graph that will be used, or the weights where there is no graph, and the
small files beside it: never code, never a pickle.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import InvalidInput, ModelError, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEFAULT", "ModelLocation", "Pulled", "locate", "network_files", "pull", "small_files"]

DEFAULT = "default"
"""The name under which an index remembers the bundled model."""

_BUNDLED = "weft_model"
_INSTALL_BUNDLED = "pip install weft-model, or pip install ./models/default from a checkout"

_SMALL_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "modules.json",
    "artifact.metadata",
    "onnx_config.json",
)

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_MODULE = r"(?:\d+_\w+/)?"
_SMALL = re.compile(_MODULE + "(?:" + "|".join(map(re.escape, _SMALL_FILES)) + ")")
_DENSE = re.compile(r"\d+_\w*Dense\w*/model\.safetensors")
_WEIGHTS = re.compile(
    _MODULE + r"model(?:-\d+-of-\d+)?\.safetensors|" + _MODULE + r"model\.safetensors\.index\.json"
)


@dataclass(frozen=True, slots=True)
class ModelLocation:
    """A model's directory and how to find it again.

    Attributes
    ----------
    directory : Path
        Where its files are.
    name : str
        What people call it: the hub id, the directory's name, or ``default``.
    path : str or None
        What opens it on another machine: the hub id or ``default``; None for a directory.
    revision : str or None
        The commit, branch or tag that was asked for.
    """

    directory: Path
    name: str
    path: str | None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model that was fetched.

    Attributes
    ----------
    directory : Path
        Its snapshot in the hub's cache.
    files : list of str
        What was asked for, relative to the directory.
    size : int
        Bytes of these files.
    """

    directory: Path
    files: list[str]
    size: int


def locate(name: str | None, *, offline: bool | None = None, revision: str | None = None) -> ModelLocation:
    """Find a model's files, downloading them only for a hub id that the cache does not hold.

    Parameters
    ----------
    name : str or None
        A directory, a hub id such as ``org/model``, or None (or ``default``) for the bundled model.
    offline : bool, optional
        Never touch the network; None leaves it to the hub client, which reads HF_HUB_OFFLINE.
    revision : str, optional
        A commit, branch or tag of a hub id.

    Raises
    ------
    ModelNotFound
        If there is no such model here and none could be fetched; the message says what to do.
    """
    if name is None or name == DEFAULT:
        return ModelLocation(_bundled(), DEFAULT, DEFAULT)
    directory = Path(name).expanduser()
    if directory.is_dir():
        return ModelLocation(directory, directory.resolve().name, None)
    _check_id(name)
    return ModelLocation(_from_hub(name, offline=offline, revision=revision), name, name, revision)


def pull(name: str, *, revision: str | None = None) -> Pulled:
    """Fetch what `Encoder.open` needs of a hub id into the hub's cache.

    Parameters
    ----------
    name : str
        A hub id such as ``org/model``.
    revision : str, optional
        A commit, branch or tag; None is the main branch.

    Raises
    ------
    InvalidInput
        If the name is one of a directory or of the bundled model: there is nothing to fetch.
    ModelNotFound
        If the hub cannot be reached, or has no such model.
    ModelError
        If the model has neither a graph nor weights that are read.
    """
    if name == DEFAULT or Path(name).expanduser().is_dir():
        raise InvalidInput(f"{name} is here already: pull takes a hub id of the form org/model")
    _check_id(name)
    if _client_offline(name):
        raise ModelNotFound(f"{name}: HF_HUB_OFFLINE is set: unset it to fetch a model")
    return _fetch(name, revision)


def small_files(files: Sequence[str]) -> list[str]:
    """Choose the files of a repository that say how it is used, and the small weights behind the backbone.

    >>> small_files(["config.json", "1_Dense/model.safetensors", "model.safetensors", "modeling.py"])
    ['config.json', '1_Dense/model.safetensors']
    """
    return [name for name in files if _SMALL.fullmatch(name) or _DENSE.fullmatch(name)]


def network_files(files: Sequence[str], *, graphs: bool = True) -> list[str]:
    """Choose the one graph of a repository that would be opened, or the weights of its backbone.

    Parameters
    ----------
    files : sequence of str
        All files of the repository, relative to its root.
    graphs : bool
        Whether its graphs are to be used, see `weft.encoder.checkpoint.files.faithful_graph`.

    Raises
    ------
    ModelError
        If it has neither a graph nor weights in safetensors.

    Examples
    --------
    >>> network_files(["model.onnx", "model_int8.onnx", "model.safetensors", "pytorch_model.bin"])
    ['model_int8.onnx']
    >>> network_files(["model.safetensors", "pytorch_model.bin", "1_Dense/model.safetensors"])
    ['model.safetensors']
    """
    from weft.encoder.checkpoint.files import GRAPHS, external_data, pickled

    graph = next((name for name in GRAPHS if name in files), None)
    if graph is not None and graphs:
        return [graph, *external_data(graph, files)]
    weights = [name for name in files if _WEIGHTS.fullmatch(name) and not _DENSE.fullmatch(name)]
    if weights:
        return weights
    pickle = pickled(files)
    if pickle is not None:
        raise ModelError(
            f"its weights are pickled ({pickle}), which can run code and is not read: load the model once "
            "with the library that made it, call save_pretrained(..., safe_serialization=True), and give "
            "the directory"
        )
    raise ModelError(f"has no ONNX graph (looked for {', '.join(GRAPHS)}) and no model.safetensors")


def _check_id(name: str) -> None:
    if not _HUB_ID.fullmatch(name):
        raise ModelNotFound(f"{name}: no such directory, and not a hub id of the form org/model either")


def _bundled() -> Path:
    try:
        package = importlib.import_module(_BUNDLED)
    except ModuleNotFoundError as error:
        if error.name != _BUNDLED:
            raise
        raise ModelNotFound(f"the default model is not installed: {_INSTALL_BUNDLED}") from None
    directory = Path(package.path())
    if not directory.is_dir():
        raise ModelNotFound(f"{directory}: the default model's files are gone: {_INSTALL_BUNDLED}")
    return directory


def _client_offline(name: str) -> bool:
    try:
        from huggingface_hub import constants
    except ImportError as error:
        raise ModelNotFound(
            f"{name}: a hub id needs the hub client: pip install huggingface_hub, or give a directory"
        ) from error
    return bool(constants.HF_HUB_OFFLINE)


def _from_hub(name: str, *, offline: bool | None, revision: str | None) -> Path:
    from weft.encoder.checkpoint.files import missing

    offline = _client_offline(name) if offline is None else offline
    cached = _cached(name, revision)
    lacking = None if cached is None else missing(cached)
    if cached is not None and lacking is None:
        return cached
    if offline:
        because = "" if lacking is None else f" (what it holds is not all: {lacking})"
        raise ModelNotFound(
            f"{name}: not in the hub cache{because}, and offline: run once with a network, as in "
            f"weft model pull {name}, or give the directory of a copy"
        )
    return _fetch(name, revision).directory


def _cached(name: str, revision: str | None) -> Path | None:
    """Return the cached snapshot, complete or not."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    # LocalEntryNotFoundError: nothing is cached under this name. The client calls a snapshot incomplete too
    # when it lacks files that nobody asked for; it says where what there is lies.
    except FileNotFoundError as error:
        path = getattr(error, "snapshot_path", None)
        return None if path is None else Path(path)


def _fetch(name: str, revision: str | None) -> Pulled:
    from huggingface_hub import HfApi, snapshot_download

    from weft.encoder.checkpoint import read_layout
    from weft.encoder.checkpoint.files import lacks_projection, leaves_out

    try:
        listed = HfApi(library_name="weft").model_info(name, revision=revision).siblings or []
        files = [file.rfilename for file in listed]

        def fetch(chosen: list[str]) -> Path:
            found = snapshot_download(name, revision=revision, allow_patterns=chosen, library_name="weft")
            return Path(found)

        # Which of the large files will do hangs on what the small ones say.
        network_files(files)
        chosen = small_files(files)
        layout = read_layout(fetch(chosen))
        large = network_files(files, graphs=not leaves_out(layout))
        if large[0].endswith(".onnx") and lacks_projection(layout, large[0]):
            large += network_files(files, graphs=False)
        chosen += large
        directory = fetch(chosen)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None
    # The client passes on the errors of its transport, whose classes differ from one release to the next.
    except Exception as error:
        raise ModelNotFound(
            f"{name}: could not be downloaded ({type(error).__name__}): "
            "check the name and the network, or give the directory of a copy"
        ) from error
    return Pulled(directory, chosen, sum((directory / file).stat().st_size for file in chosen))

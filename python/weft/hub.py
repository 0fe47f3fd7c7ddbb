"""Where a model's files are: a directory, the bundled model, or the hub's cache.

The hub client is imported only when a hub id is given. What the cache holds is used without asking the
network; a download fetches the one graph that will be used and the small files beside it, never code.
"""

from __future__ import annotations

import importlib
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from weft.errors import ModelError, ModelNotFound

__all__ = ["DEFAULT", "MODEL_FILES", "ModelLocation", "graph_in", "locate"]

DEFAULT = "default"
"""The name under which an index remembers the bundled model."""

_BUNDLED = "weft_model"
_INSTALL_BUNDLED = "pip install weft-model, or pip install ./models/default from a checkout"

MODEL_FILES = (
    "model_int8.onnx",
    "onnx/model_int8.onnx",
    "model_quantized.onnx",
    "onnx/model_quantized.onnx",
    "model.onnx",
    "onnx/model.onnx",
    "vespa_colbert.onnx",
)
"""Where exporters put the graph, best first: int8 before float. Files made for one instruction set
(`model_qint8_<isa>.onnx`) are left out: on another they are slow, or saturate."""

_SMALL_FILES = (
    "tokenizer.json",
    "config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "modules.json",
    "artifact.metadata",
    "onnx_config.json",
)

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


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
    """

    directory: Path
    name: str
    path: str | None


def graph_in(directory: Path) -> str | None:
    """Return the relative path of the best graph in a model's directory, None when there is none."""
    return next((name for name in MODEL_FILES if (directory / name).is_file()), None)


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
    if not _HUB_ID.fullmatch(name):
        raise ModelNotFound(f"{name}: no such directory, and not a hub id of the form org/model either")
    return ModelLocation(_from_hub(name, offline=offline, revision=revision), name, name)


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


def _from_hub(name: str, *, offline: bool | None, revision: str | None) -> Path:
    try:
        from huggingface_hub import constants
    except ImportError as error:
        raise ModelNotFound(
            f"{name}: a hub id needs the hub client: pip install huggingface_hub, or give a directory"
        ) from error
    cached = _cached(name, revision)
    if cached is not None:
        return cached
    if offline or (offline is None and constants.HF_HUB_OFFLINE):
        raise ModelNotFound(
            f"{name}: not in the hub cache, and offline: run once with a network, "
            "or give the directory of a copy"
        )
    try:
        return _download(name, revision)
    # The hub client's own errors, and those it makes of its transport's, derive from these two.
    except (OSError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelNotFound(
            f"{name}: not in the hub cache and could not be downloaded ({type(error).__name__}): "
            "check the name and the network, or give the directory of a copy"
        ) from error


def _cached(name: str, revision: str | None) -> Path | None:
    """Return the cached snapshot when it holds a graph and a tokenizer."""
    from huggingface_hub import snapshot_download

    try:
        found = Path(snapshot_download(name, revision=revision, local_files_only=True))
    # LocalEntryNotFoundError: nothing is cached under this name.
    except FileNotFoundError:
        return None
    complete = (found / "tokenizer.json").is_file() and graph_in(found) is not None
    return found if complete else None


def _download(name: str, revision: str | None) -> Path:
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    found = snapshot_download(name, revision=revision, allow_patterns=list(_SMALL_FILES), library_name="weft")
    for graph in MODEL_FILES:
        try:
            hf_hub_download(name, graph, revision=revision, library_name="weft")
        # A file that is neither cached nor reachable: the network is gone, not the file.
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            continue
        # A graph over 2 GB keeps its weights in a second file beside it.
        with suppress(EntryNotFoundError):
            hf_hub_download(name, f"{graph}_data", revision=revision, library_name="weft")
        return Path(found)
    raise ModelError(
        f"{name}: has no ONNX graph (looked for {', '.join(MODEL_FILES)}): export it, "
        "and give the directory of the export"
    )

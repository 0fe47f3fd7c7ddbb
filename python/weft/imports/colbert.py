"""Indexes of colbert-ai, and of PyLate's Stanford back end: tensors in ``.pt`` files, passages by number.

Layout: colbert-ai 0.2.22, ``indexing/collection_indexer.py`` and ``codecs/residual.py``. The inverted lists
(``ivf.pid.pt``, or ``ivf.pt`` of old) follow from codes and lengths and are made anew, so neither their
padding nor their absence matters; ``avg_residual.pt`` is used by nobody. What ``IndexUpdater`` leaves behind
is read too: passages of length 0, and metadata that count too many embeddings.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.errors import InvalidInput
from weft.imports.coded import Chunk, Codebook, Coded
from weft.imports.collection import InMemory, open_collection
from weft.imports.foreign import Foreign
from weft.imports.json_file import count_in, read_lengths, read_object
from weft.imports.positions import Positions, fitting, given_texts
from weft.imports.pylate_ids import read_pylate_ids
from weft.imports.refusal import refused
from weft.imports.torch_file import read_tensor, read_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.imports.collection import Collection

__all__ = ["checkpoint_in", "read_coded", "read_colbert", "read_config"]


def read_colbert(directory: Path, collection: Path | None) -> Foreign:
    """Read an index of colbert-ai.

    Parameters
    ----------
    directory : Path
        The index.
    collection : Path, optional
        The texts. Without it, those that the index keeps or names, when they are there.

    Raises
    ------
    UnreadableSource
        A file is missing, cannot be read, or contradicts another one.
    InvalidInput
        The collection is none, or that of another index.
    """
    config = read_config(directory)
    coded = read_coded(directory, config)
    left_out: Counter[str] = Counter()
    ids = read_pylate_ids(directory, coded.passages, left_out)
    notes: list[str] = []
    texts = given_texts(collection, coded.passages, ids)
    if texts is None and ids is None:
        texts = _named_texts(config, coded.passages, notes)
    return Foreign(
        kind="colbert-ai",
        directory=directory,
        coded=coded,
        documents=Positions(coded, left_out, ids=ids, texts=texts),
        checkpoint=checkpoint_in(config),
        config=config,
        left_out=left_out,
        notes=notes,
    )


def read_config(directory: Path) -> Mapping[str, Any]:
    """Read the settings of an index that was finished.

    Raises
    ------
    UnreadableSource
        There is no ``metadata.json``, which is written last.
    """
    path = directory / "metadata.json"
    if not path.exists():
        raise refused(
            path,
            "is missing: it is written last, so the index was never finished: finish it (resume), or build "
            "it again",
        )
    config = read_object(path).get("config", {})
    if not isinstance(config, dict):
        raise refused(path, f"config is a {type(config).__name__} where an object belongs")
    return config


def read_coded(directory: Path, config: Mapping[str, Any]) -> Coded:
    """Read codebook and chunks.

    Raises
    ------
    UnreadableSource
        A file is missing, cannot be read, or contradicts another one.
    """
    buckets = directory / "buckets.pt"
    centroids = directory / "centroids.pt"
    tables = read_tensors(buckets)
    if len(tables) != 2:
        raise refused(buckets, f"holds {len(tables)} tensors: cut-offs and weights are two")
    codebook = Codebook.checked(read_tensor(centroids), *tables, file=centroids, tables=(buckets, buckets))
    for name, found in (("dim", codebook.dim), ("nbits", codebook.nbits)):
        said = config.get(name)
        if said is not None and said != found:
            raise refused(
                directory / "metadata.json",
                f"says that {name} is {str(said)[:40]!r}, and the files have {found}",
            )
    chunks = []
    for number in range(_chunks(directory)):
        files = (
            directory / f"doclens.{number}.json",
            directory / f"{number}.codes.pt",
            directory / f"{number}.residuals.pt",
        )
        chunks.append(Chunk(read_lengths(files[0]), read_tensor(files[1]), read_tensor(files[2]), files))
    return Coded(codebook, chunks)


def _chunks(directory: Path) -> int:
    path = directory / "metadata.json"
    count = count_in(path, read_object(path), "num_chunks", least=1)
    for name in (f"doclens.{count}.json", f"{count}.codes.pt", f"{count}.residuals.pt"):
        if (directory / name).exists():
            raise refused(directory / name, f"is there, and metadata.json counts {count} chunks, from 0 on")
    return count


def checkpoint_in(config: Mapping[str, Any]) -> str | None:
    """Name the checkpoint that the index says it was made with."""
    name = config.get("checkpoint")
    # It was a directory of another machine, or a hub id; a home directory of somebody is neither.
    return name if isinstance(name, str) and name.isprintable() and name[:1] not in ("", "~") else None


def _named_texts(config: Mapping[str, Any], passages: int, notes: list[str]) -> Collection | None:
    """Find the texts without being told where: in the settings, or in the file that they name."""
    named = config.get("collection")
    if isinstance(named, list):
        # Of a list of more than 100 texts a remark ("list with N elements starting with...") and three texts
        # are kept, which colbert-ai itself takes for the collection; it is none.
        whole = len(named) == passages and all(isinstance(text, str) for text in named)
        return InMemory("metadata.json", named) if whole else None
    if not isinstance(named, str) or not named.isprintable():
        return None
    try:
        if not Path(named).is_file():
            return None
        return fitting(open_collection(Path(named)), passages)
    except (InvalidInput, OSError) as error:
        # It is only where the collection was when the index was made: what is there now may be another one.
        notes.append(f"the collection that the index names is not used: {error}")
        return None

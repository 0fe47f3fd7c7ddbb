"""Indexes of RAGatouille: those of colbert-ai with texts, ids and metadata of the documents beside them.

A document was split into passages, which RAGatouille numbers and maps to the document's id
(``pid_docid_map.json``). Here it becomes one document again, of several passages: its text is theirs, joined
by line ends.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from weft.imports.colbert import checkpoint_in, read_coded, read_config
from weft.imports.collection import open_collection
from weft.imports.foreign import REMOVED, Document, Foreign
from weft.imports.json_file import read_json, read_object
from weft.imports.positions import fitting
from weft.imports.refusal import metadata_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from weft.imports.coded import Coded

__all__ = ["PASSAGES", "read_ragatouille"]

PASSAGES = "pid_docid_map.json"
"""The file that only RAGatouille writes."""

_JOINT = "\n"


def read_ragatouille(directory: Path, collection: Path | None) -> Foreign:
    """Read an index of RAGatouille.

    Parameters
    ----------
    directory : Path
        The index.
    collection : Path, optional
        Texts by passage, instead of those that the index keeps.

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
    notes: list[str] = []
    owners = _owners(directory, coded, left_out, notes)
    titles: Mapping[int, str] = {}
    if collection is None:
        texts = _texts(directory, coded, owners)
    else:
        given = fitting(open_collection(collection), coded.passages)
        rows = {pid: row for pid, row in enumerate(given) if pid in owners}
        texts = {pid: text or "" for pid, (_, text) in rows.items()}
        titles = {pid: title for pid, (title, _) in rows.items() if title is not None}
    return Foreign(
        kind="ragatouille",
        directory=directory,
        coded=coded,
        documents=partial(_documents, owners, texts, titles, _metadata(directory)),
        checkpoint=checkpoint_in(config),
        config=config,
        left_out=left_out,
        notes=notes,
    )


def _owners(directory: Path, coded: Coded, left_out: Counter[str], notes: list[str]) -> dict[int, str]:
    """Give the document of each passage that is taken over, in the order of passages."""
    path = directory / PASSAGES
    owners: dict[int, str] = {}
    for key, name in read_object(path).items():
        if not (key.isascii() and key.isdecimal() and len(key) < 16):
            raise refused(path, f"has the key {key[:40]!r}: passages are numbered")
        if not isinstance(name, str):
            raise refused(path, f"gives passage {key} an id of type {type(name).__name__}: str is needed")
        owners[int(key)] = name
    if set(owners) != set(range(coded.passages)) and len(owners) == coded.passages:
        # Deleting leaves the other numbers as they are; a later addition built all anew, from 0 on.
        owners = dict(enumerate(owners[pid] for pid in sorted(owners)))
        notes.append(
            f"{PASSAGES} skips numbers of passages, since documents were deleted before the index was built "
            "anew: passages are taken in their order"
        )
    beyond = [pid for pid in owners if pid >= coded.passages]
    if beyond:
        raise refused(path, f"names passage {min(beyond)}, and the index has {coded.passages:,}")
    kept = {pid: owners[pid] for pid in sorted(owners) if coded.lengths[pid]}
    left_out[REMOVED] += coded.passages - int((coded.lengths > 0).sum())
    left_out["passages of no document: RAGatouille's map does not name them"] += int(
        (coded.lengths > 0).sum()
    ) - len(kept)
    return kept


def _texts(directory: Path, coded: Coded, owners: Mapping[int, str]) -> dict[int, str]:
    """Give the text of each passage out of what RAGatouille keeps."""
    path = directory / "collection.json"
    texts = read_json(path)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise refused(path, "is no list of strings")
    if len(texts) == coded.passages:
        return {pid: texts[pid] for pid in owners}
    if len(texts) == len(owners):
        # A deletion takes texts out of this list and leaves the numbers of the passages.
        return dict(zip(owners, texts, strict=True))
    raise refused(
        path,
        f"has {len(texts):,} texts, and the index {coded.passages:,} passages, {len(owners):,} of them with "
        "a document",
    )


def _metadata(directory: Path) -> dict[str, str | None]:
    """Give the metadata of each document, as JSON."""
    path = directory / "docid_metadata_map.json"
    if not path.exists():
        return {}
    return {
        name: metadata_of(values, path, f"the metadata of the document {name[:80]!r}")
        for name, values in read_object(path).items()
    }


def _documents(
    owners: Mapping[int, str],
    texts: Mapping[int, str],
    titles: Mapping[int, str],
    metadata: Mapping[str, str | None],
) -> Iterator[Document]:
    # Passages of a document stand together, unless something was added to it, so all are gathered first.
    passages: dict[str, list[int]] = {}
    for pid, name in owners.items():
        passages.setdefault(name, []).append(pid)
    for name, pids in passages.items():
        yield _joined(
            name, pids, [texts.get(pid, "") for pid in pids], titles.get(pids[0]), metadata.get(name)
        )


def _joined(
    name: str, pids: Sequence[int], pieces: Sequence[str], title: str | None, metadata: str | None
) -> Document:
    spans = []
    at = 0
    for piece in pieces:
        spans.append((at, at + len(piece)))
        at += len(piece) + len(_JOINT)
    return Document(name, tuple(pids), _JOINT.join(pieces), title, metadata, tuple(spans))

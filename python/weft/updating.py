"""Metadata of documents that are there: read in the transaction, changed by keys, written back."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from weft.errors import InvalidInput
from weft.metadata import as_metadata, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from weft.batch import Transaction

__all__ = ["change_metadata", "paired"]

_TOGETHER = 1000  # Documents at a time.


def paired(
    ids: Iterable[str], metadata: Iterable[Mapping[str, Any] | None]
) -> Iterator[tuple[str, str | None]]:
    """Walk ids and their metadata side by side.

    Raises
    ------
    InvalidInput
        One ends before the other, or an element is no dict.
    """
    missing = object()
    walk, count = iter(metadata), 0
    for name in ids:
        one = next(walk, missing)
        if one is missing:
            raise InvalidInput(f"metadata has {count} elements, but ids has more")
        yield name, as_metadata(one, f"metadata[{count}]")
        count += 1
    if next(walk, missing) is not missing:
        raise InvalidInput(f"ids has {count} elements, but metadata has more")


def change_metadata(
    transaction: Transaction,
    changes: Iterator[tuple[str, str | None]],
    removed: frozenset[str],
    *,
    replace: bool,
) -> int:
    """Set and take away keys of documents, some of them at a time.

    Parameters
    ----------
    transaction : Transaction
        Where to; what it staged before counts.
    changes : iterator of (str, str or None)
        Ids with the JSON of the keys to set.
    removed : frozenset of str
        Keys to take away.
    replace : bool
        Forget all keys that a document had.

    Returns
    -------
    int
        How many documents were there.
    """
    found: set[str] = set()
    while some := list(islice(changes, _TOGETHER)):
        names = list(dict.fromkeys(name for name, _ in some))
        stored = dict(zip(names, transaction.metadata(names), strict=True))
        new = {name: text for name, text in stored.items() if text is not None}
        found.update(new)
        for name, change in some:
            if name in new:
                new[name] = merged(None if replace else new[name], change, removed) or "{}"
        changed = [name for name, text in new.items() if text != stored[name]]
        if changed:
            transaction.update(changed, [None if new[name] == "{}" else new[name] for name in changed])
    return len(found)

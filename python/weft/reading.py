"""Reading documents back: by id, by filter, one page at a time.

An iteration reads pages, each from the newest commit, and the index may be changed meanwhile. What is there
from its beginning to its end is met once; what is added or replaced after the beginning is not met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from weft.encoding import is_text
from weft.errors import DocumentNotFound
from weft.filters import Filter, as_filter
from weft.handle import Handle
from weft.metadata import parsed
from weft.results import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Reading"]

_IDS = 1000  # Ids read at a time while iterating.
_DOCUMENTS = 200  # Documents: their texts are long.


class Reading(Handle):
    """The part of an index that gives documents back."""

    def __len__(self) -> int:
        return len(self._native)

    def __bool__(self) -> bool:
        # An empty index is not a missing one: `if index:` asks whether there is an index.
        return True

    def __contains__(self, wanted: object) -> bool:
        return isinstance(wanted, str) and is_text(wanted) and self._native.get([wanted])[0] is not None

    def __iter__(self) -> Iterator[str]:
        """Ids in the order they were added, read in pages."""
        return self.ids()

    # A str is also an iterable of str, which is what the checker minds; the first overload wins.
    @overload
    def get(self, ids: str) -> Document: ...  # type: ignore[overload-overlap]
    @overload
    def get(self, ids: Iterable[str]) -> list[Document]: ...
    def get(self, ids: str | Iterable[str]) -> Document | list[Document]:
        """Read documents back.

        Parameters
        ----------
        ids : str or iterable of str
            One id or several.

        Returns
        -------
        Document or list of Document
            One per id, in their order.

        Raises
        ------
        DocumentNotFound
            One of them is not there. ``id in index`` asks first.

        Examples
        --------
        >>> index.get("a")
        Document(id='a', text='the shuttle carries the weft')
        """
        wanted = [ids] if isinstance(ids, str) else list(ids)
        for one in wanted:
            # What is not text is no id, and the engine takes only text.
            if isinstance(one, str) and not is_text(one):
                raise DocumentNotFound(f"no document has the id {one!r} in {self.path}")
        documents = []
        for one, row in zip(wanted, self._native.get(wanted), strict=True):
            if row is None:
                raise DocumentNotFound(f"no document has the id {one!r} in {self.path}")
            documents.append(_document(row))
        return documents[0] if isinstance(ids, str) else documents

    def count(self, filter: Filter | None = None) -> int:  # noqa: A002  what it is everywhere
        """Count documents.

        Parameters
        ----------
        filter : dict, optional
            Conditions on their metadata; all documents count without it.

        Returns
        -------
        int
            How many match.

        Raises
        ------
        InvalidFilter
            The filter is not one.

        Examples
        --------
        >>> index.add(["a loom", "a sea"], ids=["d", "e"], metadata=[{"year": 1785}, {"year": 1990}])
        ['d', 'e']
        >>> index.count(), index.count({"year": {"lt": 1800}})
        (5, 1)
        """
        return self._native.count(as_filter(filter))

    def ids(self, filter: Filter | None = None) -> Iterator[str]:  # noqa: A002
        """Go through ids.

        Parameters
        ----------
        filter : dict, optional
            Conditions on the documents' metadata.

        Returns
        -------
        iterator of str
            Ids in the order they were added, read in pages: a collection of any size streams, and may be
            changed meanwhile. What is added or replaced after the beginning is not met.

        Raises
        ------
        InvalidFilter
            The filter is not one.

        Examples
        --------
        >>> list(index.ids({"year": {"exists": False}}))
        ['a', 'b', 'c']
        """
        walk, text = self._native.walk_ids, as_filter(filter)
        return _pages(lambda cursor: walk(text, cursor, _IDS))

    def documents(self, filter: Filter | None = None) -> Iterator[Document]:  # noqa: A002
        """Go through documents.

        Parameters
        ----------
        filter : dict, optional
            Conditions on their metadata.

        Returns
        -------
        iterator of Document
            In the order they were added, as `ids`.

        Raises
        ------
        InvalidFilter
            The filter is not one.

        Examples
        --------
        >>> [document.text for document in index.documents()][-1]
        'a sail catches the wind'
        """
        walk, text = self._native.walk, as_filter(filter)
        return (_document(row) for row in _pages(lambda cursor: walk(text, cursor, _DOCUMENTS)))


_Cursor = tuple[int, int]


def _pages(page: Callable[[_Cursor | None], tuple[list[Any], _Cursor]]) -> Iterator[Any]:
    rows, cursor = page(None)
    while rows:
        yield from rows
        rows, cursor = page(cursor)


def _document(row: tuple[Any, ...]) -> Document:
    found, text, title, metadata, spans = row
    return Document(found, text, title, parsed(metadata), tuple((start, end) for start, end in spans))

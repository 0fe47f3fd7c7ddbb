"""SQLite databases of a foreign index, opened so that nothing in them is changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from weft.imports.refusal import refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["columns_of", "opened", "rows_of"]


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading; what SQLite finds wrong inside the block is a refusal.

    Raises
    ------
    UnreadableSource
        It is no database, or is damaged.
    """
    # A database in WAL mode gets companion files as soon as it is opened, unless it is said to be immutable,
    # which it is when there is nothing in its log.
    log = path.with_name(path.name + "-wal")
    mode = "mode=ro" if log.is_file() and log.stat().st_size else "immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?{mode}", uri=True)) as database:
            # Views and generated columns may call functions; these are kept to harmless ones.
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA query_only = ON")
            yield database
    except sqlite3.Error as error:
        raise refused(path, f"cannot be read as a SQLite database: {error}") from error


def columns_of(path: Path, database: sqlite3.Connection, table: str) -> list[str]:
    """Give the columns of a table.

    Raises
    ------
    UnreadableSource
        There is no such table.
    """
    found = database.execute(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", [table]
    ).fetchone()
    if found is None:
        raise refused(path, f"has no table {table}")
    return [row[1] for row in database.execute(f"PRAGMA table_info({quoted(table)})")]


def rows_of(database: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Go through the rows of a query."""
    yield from database.execute(query)


def quoted(name: str) -> str:
    """Quote a name of a table or a column."""
    return '"' + name.replace('"', '""') + '"'

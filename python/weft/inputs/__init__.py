"""Readers of the files that hold documents and queries.

Everything streams, and everything that is wrong is named by file and line number, because a
collection of a million lines has one bad one. Nothing here knows of an index: a reader gives
`Record` objects.

>>> from weft.inputs import Documents
>>> Documents(["notes.pdf"])
Traceback (most recent call last):
    ...
weft.errors.InvalidInput: notes.pdf: no such file or folder: check the name
"""

from __future__ import annotations

from weft.inputs.documents import Documents
from weft.inputs.fields import Fields
from weft.inputs.queries import read_queries
from weft.inputs.record import Record

__all__ = ["Documents", "Fields", "Record", "read_queries"]

"""Indexes of other libraries, taken over: colbert-ai, RAGatouille, PyLate, fast-plaid and next-plaid.

`importing` does it, `detection` tells whose an index is. One reader per library makes a `Foreign` of it, and
what files they read, and how it is kept safe, is in `torch_file`, `plain_pickle`, `npy`, `json_file` and
`sqlite_file`.
"""

from __future__ import annotations

from weft.imports.detection import KINDS
from weft.imports.importing import import_index
from weft.imports.report import Import, LeftOut

__all__ = ["KINDS", "Import", "LeftOut", "import_index"]

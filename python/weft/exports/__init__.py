"""An index written out for other programs: documents as JSON lines, vectors as npz or safetensors.

Everything streams: a page of documents or vectors is in memory at one time, and the numbers of passages.
"""

from __future__ import annotations

from weft.exports.documents import write_documents
from weft.exports.npz import write_npz
from weft.exports.safetensors import write_safetensors
from weft.exports.vectors import Vectors

__all__ = ["Vectors", "write_documents", "write_npz", "write_safetensors"]

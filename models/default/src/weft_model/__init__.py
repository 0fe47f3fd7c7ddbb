"""Weft's default model, as files: a graph, a tokenizer and settings.

Weft asks for `path()` and nothing else, so that another model can take this one's place.
"""

from pathlib import Path

__all__ = ["path"]


def path() -> Path:
    """Return the directory of the model's files."""
    return Path(__file__).resolve().parent / "model"

"""What exporting needs beyond Weft: torch, transformers and optimum, in versions that fit together."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from weft.errors import MissingExtra

__all__ = ["check_requirements", "versions"]

_MODULES = (
    "torch",
    "transformers",
    "optimum.exporters.onnx",
    "onnx",
    "onnxruntime",
    "ir_measures",
)
_DISTRIBUTIONS = ("optimum-onnx", "optimum", "transformers", "torch", "onnx", "onnxruntime", "tokenizers")
_INSTALL = 'pip install "weft[export]", best in an environment of its own'


def check_requirements() -> None:
    """See that everything is installed, without importing it.

    Raises
    ------
    MissingExtra
        If something is not; the message names it and the extra.
    """
    missing = [name.partition(".")[0] for name in _MODULES if not _is_there(name)]
    if missing:
        raise MissingExtra(f"exporting a model needs {', '.join(missing)}: {_INSTALL}")


def cannot_import(error: ImportError) -> MissingExtra:
    """Return the error for libraries that are installed and do not fit together."""
    return MissingExtra(f"the installed {_named(versions())} do not fit together ({error}): {_INSTALL}")


def versions() -> dict[str, str]:
    """Return the versions of the libraries an export is made with."""
    found = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        # A package above it is missing.
        return False


def _named(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items())

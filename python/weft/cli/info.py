"""``weft info``: numbers of an index, or of the installation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run", "value_lines"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "info", run, "show numbers of an index, or of the installation", shared)
    parser.add_argument(
        "path", metavar="PATH", nargs="?", help="the index's directory; without it, the installation"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print names and values."""
    from weft.cli.printing import as_json

    values = _installation() if arguments.path is None else _index(arguments.path)
    if arguments.json:
        print(as_json(values, indent=2))
    else:
        for name, value in values.items():
            for line in value_lines(name, value):
                print(line)
    return DONE


def _index(path: str) -> dict[str, Any]:
    import weft

    with weft.open(path, read_only=True) as index:
        return {"path": index.path, **index.info()}


def _installation() -> dict[str, Any]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from weft import _core

    values: dict[str, Any] = {"weft": _core.__version__, "python": platform.python_version()}
    for package in ("numpy", "onnxruntime", "tokenizers"):
        try:
            values[package] = version(package)
        except PackageNotFoundError:
            values[package] = "not installed"
    values["cpu_tier"] = _core.cpu_tier()
    values["cpu_tiers"] = _core.cpu_tiers()
    values["threads"] = os.cpu_count()
    values["model"] = _bundled_model()
    return values


def _bundled_model() -> dict[str, Any] | str:
    from weft.encoding import describe, open_encoder
    from weft.errors import ModelError

    try:
        return describe(open_encoder(None, None))
    except ModelError as error:
        return str(error)


def value_lines(name: str, value: Any) -> list[str]:
    """Lay out one value under its name, a nested object one level deeper."""
    if isinstance(value, dict):
        return [f"{name}:", *(f"  {key}: {_shown(inner)}" for key, inner in value.items())]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [
            f"{name}:",
            *("  " + ", ".join(f"{key} {_shown(v)}" for key, v in row.items()) for row in value),
        ]
    return [f"{name}: {_shown(value)}"]


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        # Shares need a digit more, and an error of a share is small.
        return f"{value:,.2f}" if value == 0 or abs(value) >= 1 else f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return " ".join(_shown(inner) for inner in value) or "none"
    text = str(value)
    # Blanks at the ends mean something in a marker or a prompt, and nothing must be seen to be nothing.
    return text if text and text == text.strip() else repr(text)

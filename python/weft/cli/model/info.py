"""``weft model info``: what a model's files say, and what would be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weft.cli.failure import DONE, FAILED
from weft.cli.options import Commands, add_command

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "info", run, "show a model's layout, settings and files", shared)
    parser.add_argument(
        "model", metavar="MODEL", nargs="?", help="a directory or hub id; without it, the bundled model"
    )
    parser.add_argument("--revision", metavar="REV", help="a commit, branch or tag of a hub id")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print names and values; of a model that cannot be opened, what its files say and why not."""
    from weft.cli.info import value_lines
    from weft.cli.printing import as_json

    values = _values(arguments.model, arguments.revision)
    if arguments.json:
        print(as_json(values, indent=2))
    else:
        for name, value in values.items():
            for line in value_lines(name, value):
                print(line)
    return FAILED if "problem" in values else DONE


def _values(model: str | None, revision: str | None) -> dict[str, Any]:
    from weft.encoder import Encoder
    from weft.encoder.checkpoint import read_layout
    from weft.errors import ModelError
    from weft.hub import locate

    location = locate(model, revision=revision)
    layout = read_layout(location.directory)
    try:
        return Encoder.open(model, revision=revision).info()
    except ModelError as error:
        return {"name": location.name, **layout.describe(), "problem": str(error)}

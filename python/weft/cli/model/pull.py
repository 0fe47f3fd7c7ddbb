"""``weft model pull``: fetch what a model needs into the hub's cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "pull", run, "fetch a model into the hub's cache", shared)
    parser.add_argument("model", metavar="MODEL", help="a hub id such as org/model")
    parser.add_argument("--revision", metavar="REV", help="a commit, branch or tag; default: main")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Fetch the files, then say where they are and how large."""
    from weft.cli.printing import as_json
    from weft.hub import pull

    pulled = pull(arguments.model, revision=arguments.revision)
    if arguments.json:
        print(as_json({"path": str(pulled.directory), "files": pulled.files, "bytes": pulled.size}))
    else:
        print(pulled.directory)
        print(f"{len(pulled.files)} files, {pulled.size / 1e6:,.1f} MB")
    return DONE

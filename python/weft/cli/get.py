"""``weft get``: read documents back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command, add_path

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "get", run, "show documents by id", shared)
    add_path(parser)
    parser.add_argument("ids", metavar="ID", nargs="+", help="ids of the documents")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON array")
    form.add_argument("--jsonl", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print the documents; when one is not there, none."""
    from dataclasses import asdict

    import weft
    from weft.cli.printing import as_json
    from weft.cli.terminal import style_of

    with weft.open(arguments.path, read_only=True) as index:
        documents = index.get(arguments.ids)
    if arguments.json:
        print(as_json([asdict(document) for document in documents], indent=2))
        return DONE
    style = style_of()
    for position, document in enumerate(documents):
        if arguments.jsonl:
            print(as_json(asdict(document)))
            continue
        if position:
            print()
        print(style.dim(document.id))
        if document.title:
            print(style.bold(document.title))
        if document.metadata:
            print(as_json(document.metadata))
        if document.text is not None:
            print(document.text)
    return DONE

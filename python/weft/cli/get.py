"""``weft get``: read documents back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_choice, add_command, add_path, check_choice

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from weft.results import Document

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "get", run, "show documents by id or by a filter", shared)
    add_path(parser)
    add_choice(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON array")
    form.add_argument("--jsonl", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print the documents; when one of the ids is not there, none."""
    check_choice(arguments)
    import weft

    with weft.open(arguments.path, read_only=True) as index:
        if arguments.ids:
            shown = _show(arguments, index.get(arguments.ids))
        else:
            shown = _show(arguments, index.documents(arguments.filter))
    if not shown:
        print(f"weft: no document matches in {arguments.path}", file=sys.stderr)
    return DONE


def _show(arguments: argparse.Namespace, documents: Iterable[Document]) -> int:
    from dataclasses import asdict

    from weft.cli.printing import as_json
    from weft.cli.terminal import style_of

    if arguments.json:
        values = [asdict(document) for document in documents]
        print(as_json(values, indent=2))
        return len(values)
    style = style_of()
    position = 0
    for position, document in enumerate(documents, start=1):
        if arguments.jsonl:
            print(as_json(asdict(document)))
            continue
        if position > 1:
            print()
        print(style.dim(document.id))
        if document.title:
            print(style.bold(document.title))
        if document.metadata:
            print(as_json(document.metadata))
        if document.text is not None:
            print(document.text)
    return position

"""``weft update``: change the metadata of documents, without encoding a text again."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from weft.cli.failure import DONE, FAILED
from weft.cli.options import (
    Commands,
    add_choice,
    add_command,
    add_lock_timeout,
    add_path,
    check_choice,
)

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "update", run, "change the metadata of documents", shared)
    add_path(parser)
    add_choice(parser)
    parser.add_argument(
        "--set",
        metavar="KEY=JSON",
        nargs="+",
        action="extend",
        type=_assignment,
        default=[],
        help="keys to set, as in year=2020 'lang=\"en\"'; other keys stay as they are",
    )
    parser.add_argument(
        "--unset", metavar="KEY", nargs="+", action="extend", default=[], help="keys to take away"
    )
    parser.add_argument(
        "--replace", action="store_true", help="let what is set be all the metadata there is afterwards"
    )
    add_lock_timeout(parser)


def run(arguments: argparse.Namespace) -> int:
    """Change all that are there in one commit; ids that are not make the command fail afterwards."""
    check_choice(arguments)
    if not (arguments.set or arguments.unset or arguments.replace):
        arguments.refuse("there is nothing to change: give --set, --unset or --replace")
    import weft

    changes = {"metadata": dict(arguments.set), "unset": arguments.unset, "replace": arguments.replace}
    with weft.open(arguments.path, lock_timeout=arguments.lock_timeout) as index:
        ids = list(dict.fromkeys(arguments.ids))
        missing = [one for one in ids if one not in index]
        count = index.update(ids, **changes) if ids else index.update(filter=arguments.filter, **changes)
    of = f" of {len(ids):,}" if ids else ""
    print(f"updated {count:,}{of} documents", file=sys.stderr)
    for one in missing:
        print(f"weft: no document has the id {one!r} in {arguments.path}", file=sys.stderr)
    return FAILED if missing else DONE


def _assignment(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=JSON, as in year=2020")
    try:
        return key, json.loads(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{value!r} is not JSON: a string stands in double quotes, as in '{key}=\"...\"'"
        ) from None

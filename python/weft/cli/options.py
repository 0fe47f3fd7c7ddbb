"""Arguments that several commands have, and the types of their values."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = [
    "CommandParser",
    "Commands",
    "add_choice",
    "add_command",
    "add_filter",
    "add_lock_timeout",
    "add_model",
    "add_path",
    "at_least_one",
    "check_choice",
    "from_zero",
    "json_object",
    "seconds",
    "share",
    "two_weights",
]

Commands = Any  # argparse keeps the type of what add_subparsers returns to itself.


class CommandParser(argparse.ArgumentParser):
    """The parser of one command, with ids wherever they stand among the options.

    argparse gives a positional that may be empty nothing as soon as an option follows the one before it, and
    then does not know what to do with the ids behind that option.
    """

    takes_ids = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and take what is left over and no option as ids."""
        found, left = super().parse_known_args(args, namespace)
        if self.takes_ids:
            # Behind a lone "--" everything is an id, also what looks like an option.
            at = left.index("--") if "--" in left else len(left)
            found.ids += [one for one in left[:at] if not one.startswith("-")] + left[at + 1 :]
            left = [one for one in left[:at] if one.startswith("-")]
        return found, left


def add_command(
    commands: Commands, name: str, run: Any, summary: str, shared: argparse.ArgumentParser
) -> CommandParser:
    """Add a command with the options all commands have."""
    parser: CommandParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", parents=[shared]
    )
    parser.set_defaults(run=run)
    return parser


def add_path(parser: argparse.ArgumentParser) -> None:
    """Add the index's directory."""
    parser.add_argument("path", metavar="PATH", help="the index's directory")


def add_model(parser: argparse._ActionsContainer) -> None:
    """Add what concerns the encoder and its speed."""
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="a model's directory or hub id; default: the one the index was made with, else the bundled one",
    )
    add_threads(parser)


def add_threads(parser: argparse._ActionsContainer) -> None:
    """Add the number of threads."""
    parser.add_argument("--threads", metavar="N", type=at_least_one, help="threads; default: all cores")


def add_lock_timeout(parser: argparse.ArgumentParser) -> None:
    """Add how long to wait for another writer."""
    from weft.defaults import LOCK_TIMEOUT

    parser.add_argument(
        "--lock-timeout",
        metavar="SECONDS",
        type=seconds,
        default=LOCK_TIMEOUT,
        help=f"wait this long for another writer (default: {LOCK_TIMEOUT:g})",
    )


def add_filter(parser: argparse._ActionsContainer, summary: str) -> None:
    """Add a filter on metadata."""
    parser.add_argument(
        "--filter",
        metavar="JSON",
        type=json_object,
        help=f'{summary}, as in \'{{"year": {{"gte": 2020}}, "lang": ["en", "fr"]}}\'',
    )


def add_choice(parser: CommandParser) -> None:
    """Add which documents are meant: ids, or a filter."""
    parser.takes_ids = True
    parser.add_argument("ids", metavar="ID", nargs="*", help="ids of the documents")
    add_filter(parser, "instead of ids: all documents whose metadata matches")
    parser.set_defaults(refuse=parser.error)


def check_choice(arguments: argparse.Namespace) -> None:
    """Leave with a usage error unless there are either ids or a filter: argparse cannot state it."""
    if bool(arguments.ids) == (arguments.filter is not None):
        arguments.refuse("give either ids or --filter JSON")


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON object")
    return value


def at_least_one(text: str) -> int:
    """Parse a count."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return value


def from_zero(text: str) -> int:
    """Parse a count that may be nothing."""
    return 0 if text == "0" else at_least_one(text)


def two_weights(text: str) -> tuple[float, float]:
    """Parse what the semantic and the keyword list count."""
    try:
        semantic, keyword = (float(one) for one in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not two numbers, as in 1,0.5") from None
    return semantic, keyword


def share(text: str) -> float:
    """Parse a share of a whole."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0 and at most 1")
    return value


def seconds(text: str) -> float:
    """Parse a time to wait."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value

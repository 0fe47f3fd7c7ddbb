"""The parser: the commands in the order a newcomer meets them, and the options that several share."""

from __future__ import annotations

import argparse
from typing import Any

from weft.cli import (
    check,
    compact,
    delete,
    demo,
    evaluate,
    export,
    export_plaid,
    get,
    import_index,
    index,
    info,
    model,
    search,
    tune,
    update,
)
from weft.cli.options import CommandParser

__all__ = ["build"]

_DESCRIPTION = "Late-interaction search: text goes in, ranked passages come out."
_EPILOG = "weft COMMAND --help tells more. Begin with: weft demo"


class _Version(argparse.Action):
    """Print the engine's version, which is the only place that has it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        from weft import _core

        print(f"weft {_core.__version__}")
        parser.exit()


def build() -> argparse.ArgumentParser:
    """Build the parser of the program; each command's `run` is in the arguments it returns."""
    shared = argparse.ArgumentParser(add_help=False)
    # Suppressed, so that its absence after the command does not undo its presence before it.
    shared.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
    )
    parser = argparse.ArgumentParser(prog="weft", description=_DESCRIPTION, epilog=_EPILOG, parents=[shared])
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=CommandParser)
    for command in (
        demo,
        index,
        search,
        get,
        update,
        delete,
        info,
        check,
        compact,
        export,
        export_plaid,
        import_index,
        evaluate,
        tune,
        model,
    ):
        command.register(commands, shared)
    return parser

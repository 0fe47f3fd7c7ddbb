"""The command line: data on standard output, everything said to a person on standard error.

Each command is one file with two functions, `register` for its arguments and `run` for its work. What a
command needs beyond the standard library is imported when it runs, so that ``weft --help`` waits for
nothing.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from weft.cli.arguments import build
from weft.cli.failure import INTERRUPTED, failed

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process when None.

    Returns
    -------
    int
        The exit status: 0 done, 1 failed, 3 index missing or unreadable, 4 index locked, 130
        interrupted. Wrong usage leaves by SystemExit with 2, as argparse does it.
    """
    for stream in (sys.stdout, sys.stderr):
        # Texts are Unicode whatever the locale says, and a run file must not depend on it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    arguments = build().parse_args(argv)
    debug = getattr(arguments, "debug", False)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        if debug:
            raise
        print("weft: interrupted; an unfinished change leaves no trace", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has read enough. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        return failed(error)
    return status

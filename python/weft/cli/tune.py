"""``weft tune``: find the cheapest search parameters that find enough, and keep them as defaults."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command, add_lock_timeout, add_model, add_path, at_least_one, share
from weft.defaults import TUNE_QUERIES, TUNE_TARGET, K

if TYPE_CHECKING:
    import argparse

    from weft.index import Index
    from weft.tuning import Tuning

__all__ = ["register", "run"]

# Above this standard error the second digit of the overlap is a guess.
_SURE = 0.01


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(
        commands, "tune", run, "make the cheapest parameters that find enough the index's defaults", shared
    )
    add_path(parser)
    parser.add_argument(
        "--queries",
        metavar="FILE",
        help="questions as users ask them: .jsonl (id, _id or qid; text, query or question) or .tsv",
    )
    parser.add_argument(
        "--target",
        metavar="SHARE",
        type=share,
        default=TUNE_TARGET,
        help=f"share of the best K by exhaustive search to find (default: {TUNE_TARGET})",
    )
    parser.add_argument(
        "-k", "--k", metavar="K", type=at_least_one, help=f"results that searches ask for (default: {K})"
    )
    parser.add_argument(
        "--sample",
        metavar="N",
        type=at_least_one,
        default=TUNE_QUERIES,
        help=f"questions to use at most (default: {TUNE_QUERIES})",
    )
    parser.add_argument("--dry-run", action="store_true", help="only measure")
    parser.add_argument(
        "--reset", action="store_true", help="instead: back to the built-in defaults, for one K or for all"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_model(parser)
    add_lock_timeout(parser)
    parser.add_argument("--no-progress", action="store_true", help="draw no progress bar")
    parser.set_defaults(refuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Tune or reset, and say what came of it."""
    if arguments.reset == (arguments.queries is not None):
        arguments.refuse("give either --queries FILE or --reset")
    if arguments.reset and arguments.dry_run:
        arguments.refuse("--dry-run measures, and --reset has nothing to measure")
    import weft

    with weft.open(
        arguments.path,
        model=arguments.model,
        threads=arguments.threads,
        read_only=arguments.dry_run,
        lock_timeout=arguments.lock_timeout,
    ) as index:
        if arguments.reset:
            _reset(index, arguments)
        else:
            _tune(index, arguments)
    return DONE


def _reset(index: Index, arguments: argparse.Namespace) -> None:
    from weft.cli.printing import as_json

    given_up = index.reset_tuning(arguments.k)
    if arguments.json:
        print(as_json({"reset": given_up}, indent=2))
    else:
        what = "1 tuning" if given_up == 1 else f"{given_up} tunings"
        print(f"{arguments.path}: {what} given up, the built-in defaults hold", file=sys.stderr)


def _tune(index: Index, arguments: argparse.Namespace) -> None:
    import dataclasses

    from weft.cli.printing import as_json
    from weft.cli.progress import ProgressBar
    from weft.inputs import read_queries

    texts = [text for _, text in read_queries(arguments.queries)]
    with ProgressBar(shown=False if arguments.no_progress else None) as bar:
        tuning = index.tune(
            texts,
            target=arguments.target,
            k=arguments.k or K,
            sample=arguments.sample,
            dry_run=arguments.dry_run,
            progress=bar,
        )
    if arguments.json:
        print(as_json(dataclasses.asdict(tuning), indent=2))
    else:
        print(tuning)
    _say(tuning, arguments.path)


def _say(tuning: Tuning, path: str) -> None:
    best, before = tuning.best, tuning.before
    done = "are now the defaults" if tuning.stored else "would be the defaults (dry run)"
    print(
        f"{path}: nprobe {best.nprobe} and ndocs {best.ndocs} {done} for {tuning.k} results and somewhat "
        f"fewer; {before.milliseconds / best.milliseconds:.2f} times as fast as before",
        file=sys.stderr,
    )
    if best.standard_error > _SURE:
        needed = math.ceil(tuning.queries * (best.standard_error / _SURE) ** 2)
        print(
            f"weft: the overlap is known to ± {best.standard_error:.3f} only; {needed:,} queries would make "
            f"it ± {_SURE}",
            file=sys.stderr,
        )

"""``weft demo``: index the bundled sample, ask it a few questions, show what came out."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command, add_threads, at_least_one

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from weft.index import Index

__all__ = ["register", "run"]

_HITS = 3


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(
        commands, "demo", run, "index a bundled sample of Wikipedia passages and ask it questions", shared
    )
    parser.add_argument(
        "path", metavar="PATH", nargs="?", help="keep the index here; without it, it is removed at the end"
    )
    parser.add_argument("--questions", metavar="QUESTION", nargs="+", help="ask these instead")
    parser.add_argument(
        "-k", metavar="N", type=at_least_one, default=_HITS, help=f"results per question (default: {_HITS})"
    )
    add_threads(parser)


def run(arguments: argparse.Namespace) -> int:
    """Build the index where it is wanted, and ask."""
    import tempfile
    from pathlib import Path

    if arguments.path is not None:
        _show(arguments, Path(arguments.path))
        ending = f'weft search {arguments.path} "your question"'
    else:
        with tempfile.TemporaryDirectory(prefix="weft-demo-") as folder:
            _show(arguments, Path(folder, "demo.weft"))
        ending = 'weft demo demo.weft    keeps the index; then: weft search demo.weft "your question"'
    print(f"\nNext: {ending}")
    print("Your own texts: weft index my.weft FILE_OR_FOLDER...")
    return DONE


def _show(arguments: argparse.Namespace, path: Path) -> None:
    import weft

    with weft.open(path, create=True, threads=arguments.threads) as index:
        _fill(index)
        for question in arguments.questions or _questions():
            _ask(index, question, arguments.k)


def _fill(index: Index) -> None:
    from weft.cli.progress import ProgressBar
    from weft.inputs import Documents
    from weft.sample import passages_file

    with passages_file() as file:
        records = list(Documents([str(file)]))
    if all(record.id in index for record in records):
        print(f"{index.path} has the sample already", file=sys.stderr)
        return
    print(f"indexing {len(records):,} Wikipedia passages with the bundled model", file=sys.stderr)
    began = time.monotonic()
    with ProgressBar() as bar:
        index.add(
            [record.text for record in records],
            ids=[record.id for record in records],
            titles=[record.title for record in records],
            progress=bar,
        )
    took = time.monotonic() - began
    information = index.info()
    print(
        f"done in {took:.1f} s ({len(records) / took:.0f} passages a second, "
        f"{information['tokens']:,} token vectors, {information['bytes_per_token']:.0f} bytes each)",
        file=sys.stderr,
    )


def _questions() -> list[str]:
    from weft.sample import questions

    return questions()


def _ask(index: Index, question: str, k: int) -> None:
    from weft.cli.printing import hit_lines
    from weft.cli.terminal import printable, style_of

    began = time.perf_counter()
    hits = index.search(question, k)
    took = time.perf_counter() - began
    style = style_of()
    print(f"\n{style.bold(printable(question))}")
    for hit in hits:
        print("\n".join(hit_lines(hit, index.explain(question, hit.id, hit.passage), style)))
    sys.stdout.flush()
    print(f"    {1000 * took:.1f} ms with encoding the question", file=sys.stderr)

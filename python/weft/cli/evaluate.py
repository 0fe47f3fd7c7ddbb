"""``weft eval``: measure rankings against judgements, and passages against answers."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from weft.cli.evaluation_options import add_arguments, check_arguments, of_sets
from weft.cli.failure import DONE
from weft.cli.options import Commands, add_command
from weft.defaults import MEASURES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from weft.cli.progress import ProgressBar
    from weft.evaluation.report import Row

__all__ = ["register", "run"]


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "eval",
        run,
        "measure how good rankings are: of an index, of a run file, or of a whole published collection",
        shared,
    )
    add_arguments(parser)
    parser.set_defaults(refuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print a table."""
    check_arguments(arguments)
    from weft.cli.evaluation_table import as_rows, print_notes, print_tables
    from weft.cli.progress import ProgressBar

    rows: list[Row] = []
    drawn = False if arguments.quiet or arguments.no_progress else None
    with ProgressBar(shown=drawn) as bar:
        for row in _rows(arguments, bar):
            bar.close()
            print_notes(row, quiet=arguments.quiet)
            rows.append(row)
    if arguments.json:
        from weft.cli.printing import as_json

        print(as_json(as_rows(rows, per_query=arguments.per_query), indent=2))
    else:
        print_tables(rows, lotte=arguments.lotte is not None, sets=of_sets(arguments))
    return DONE


def _rows(arguments: argparse.Namespace, bar: ProgressBar) -> Iterator[Row]:
    if arguments.run_in is not None:
        yield _judged_file(arguments)
    elif arguments.path is not None:
        yield from _judged_index(arguments, bar)
    else:
        yield from _judged_sets(arguments, bar)


def _search_options(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "k": arguments.k,
        "agreement": arguments.agreement,
        "mode": arguments.mode,
        "filter": arguments.filter,
        "fusion": arguments.fusion or "rrf",
        "weights": arguments.weights,
        "exact": arguments.exact,
        "nprobe": arguments.nprobe,
        "ndocs": arguments.ndocs,
    }


def _judged_file(arguments: argparse.Namespace) -> Row:
    from weft.evaluation import evaluate_run
    from weft.evaluation.report import Row

    found = evaluate_run(arguments.run_in, arguments.qrels, measures=arguments.measures or MEASURES)
    return Row(arguments.run_in, found)


def _judged_index(arguments: argparse.Namespace, bar: ProgressBar) -> Iterator[Row]:
    import weft
    from weft.evaluation import evaluate_answers
    from weft.evaluation.report import Row

    options = _search_options(arguments)
    with ExitStack() as stack:
        index = stack.enter_context(
            weft.open(arguments.path, read_only=True, model=arguments.model, threads=arguments.threads)
        )
        if arguments.qrels is not None:
            with _file(arguments.run_out) as file:
                found = weft.evaluate(
                    index,
                    arguments.queries,
                    arguments.qrels,
                    measures=arguments.measures or MEASURES,
                    own=arguments.own or "auto",
                    run=file,
                    progress=bar,
                    **options,
                )
            yield Row(arguments.path, found, written=arguments.run_out)
            options["agreement"] = 0
        if arguments.answers is not None:
            with _file(arguments.reader_out) as file:
                answered = evaluate_answers(
                    index,
                    arguments.answers,
                    queries=arguments.queries,
                    match=arguments.answer_match or "string",
                    reader=file,
                    progress=bar,
                    **options,
                )
            yield Row(arguments.path, answered, kind="answers", written=arguments.reader_out)


def _judged_sets(arguments: argparse.Namespace, bar: ProgressBar) -> Iterator[Row]:
    import tempfile
    from pathlib import Path

    from weft.evaluation.report import Plan, beir_rows, lotte_rows

    with ExitStack() as stack:
        if arguments.index_dir is not None:
            folder = Path(arguments.index_dir)
            folder.mkdir(parents=True, exist_ok=True)
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weft-eval-")))
        own = arguments.own or ("auto" if arguments.beir is None else "drop")
        plan = Plan(
            folder,
            arguments.split or "test",
            say=lambda text: _say(bar, text, arguments),
            progress=bar,
            measures=arguments.measures,
            rankings=None if arguments.rankings is None else Path(arguments.rankings),
            model=arguments.model,
            nbits=arguments.nbits,
            threads=arguments.threads,
            options={**_search_options(arguments), "own": own},
        )
        if arguments.lotte is not None:
            yield from lotte_rows(arguments.lotte, arguments.domains, plan)
        else:
            yield from beir_rows(arguments.beir, plan)


def _say(bar: ProgressBar, text: str, arguments: argparse.Namespace) -> None:
    if not arguments.quiet:
        bar.close()
        print(text, file=sys.stderr)


@contextmanager
def _file(name: str | None) -> Iterator[TextIO | None]:
    """Open what is written; it appears only when it is complete."""
    if name is None:
        yield None
        return
    from weft.output import complete

    with complete(name, replace=True) as path, path.open("w", encoding="utf-8", newline="\n") as file:
        yield file

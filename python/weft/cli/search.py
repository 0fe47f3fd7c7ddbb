"""``weft search``: ask one question, or all questions of a file."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from weft.cli.failure import DONE
from weft.cli.options import (
    Commands,
    add_command,
    add_filter,
    add_model,
    add_path,
    at_least_one,
    two_weights,
)
from weft.defaults import RUN_DEPTH, RUN_TAG, K

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from weft.index import Index
    from weft.profile import Profile
    from weft.results import Hit

__all__ = ["register", "run"]

# Queries per call into the engine: enough to keep all cores busy, few enough to print early.
_TOGETHER = 64


def register(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = add_command(commands, "search", run, "rank passages for a query, or for a file of them", shared)
    add_path(parser)
    parser.add_argument("query", metavar="QUERY", nargs="?", help="the question")
    parser.add_argument(
        "--queries",
        metavar="FILE",
        help="questions: .jsonl (id, _id or qid; text, query or question) or .tsv (id, tab, text)",
    )
    parser.add_argument(
        "-k",
        metavar="N",
        type=at_least_one,
        help=f"results per query (default: {K}, with --trec {RUN_DEPTH})",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON array")
    form.add_argument("--jsonl", action="store_true", help="one JSON object a line and result")
    form.add_argument(
        "--trec", metavar="RUN", help="write a TREC run of documents to this file, - for standard output"
    )
    parser.add_argument("--tag", default=RUN_TAG, help=f"name of the run (default: {RUN_TAG})")
    parser.add_argument(
        "--explain", action="store_true", help="show which token of the query met which token of the passage"
    )
    parser.add_argument(
        "--mode",
        choices=("semantic", "keyword", "hybrid"),
        default="semantic",
        help="rank by token vectors, by words (BM25, without a model), or by both (default: semantic)",
    )
    add_filter(parser, "rank only passages of documents whose metadata matches")
    parser.add_argument(
        "--fusion",
        choices=("rrf", "weighted"),
        help="how --mode hybrid joins its lists: by ranks or by scores (default: rrf)",
    )
    parser.add_argument(
        "--weights",
        metavar="S,K",
        type=two_weights,
        help="what the semantic and the keyword list count in --mode hybrid (default: 1,1)",
    )
    parser.add_argument("--group", choices=("document",), help="rank documents by their best passage")
    parser.add_argument("--exact", action="store_true", help="score every passage")
    parser.add_argument(
        "--nprobe", metavar="N", type=at_least_one, help="centroids looked into per query token"
    )
    parser.add_argument(
        "--ndocs", metavar="N", type=at_least_one, help="candidates kept after the centroid stage"
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="say where the time went: a table on standard error; with --json an object of hits and profile",
    )
    add_model(parser)
    # For the one rule that argparse cannot state: a query or a file of them, and a run needs a file.
    parser.set_defaults(refuse=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Search and print."""
    if (arguments.query is None) == (arguments.queries is None):
        arguments.refuse("give either a QUERY or --queries FILE")
    if arguments.trec is not None and (arguments.queries is None or arguments.explain):
        arguments.refuse("--trec needs --queries, and has no room for --explain")
    if arguments.mode != "hybrid" and (arguments.fusion or arguments.weights):
        arguments.refuse("--fusion and --weights need --mode hybrid")
    if arguments.mode == "keyword" and (
        arguments.explain or arguments.exact or arguments.nprobe or arguments.ndocs
    ):
        arguments.refuse(
            "--mode keyword has no vectors, which --explain, --exact, --nprobe and --ndocs are about"
        )
    import weft

    with weft.open(arguments.path, read_only=True, model=arguments.model, threads=arguments.threads) as index:
        if arguments.trec is not None:
            _write_trec(index, arguments)
        elif arguments.queries is not None:
            _answer_file(index, arguments)
        else:
            _answer_one(index, arguments)
    return DONE


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "mode": arguments.mode,
        "filter": arguments.filter,
        "fusion": arguments.fusion or "rrf",
        "weights": arguments.weights,
        "exact": arguments.exact,
        "nprobe": arguments.nprobe,
        "ndocs": arguments.ndocs,
        "group": arguments.group,
    }


def _answer_one(index: Index, arguments: argparse.Namespace) -> None:
    from weft.cli.printing import as_json

    profiles: list[Profile] = []
    hits = _search(index, arguments, arguments.query, arguments.k or K, profiles, texts=True)
    if arguments.json:
        listed = _values(index, arguments, arguments.query, hits)
        print(as_json(_with_profile("hits", listed, arguments, profiles), indent=2))
    elif arguments.jsonl:
        for values in _values(index, arguments, arguments.query, hits):
            print(as_json(values))
    else:
        _print_hits(index, arguments, arguments.query, hits)
    if not hits:
        found = "nothing matches" if len(index) else "there are no documents"
        print(f"weft: {found} in {arguments.path}", file=sys.stderr)
    _say_profile(arguments, profiles)


def _answer_file(index: Index, arguments: argparse.Namespace) -> None:
    from weft.cli.printing import as_json
    from weft.cli.terminal import printable, style_of

    style = style_of()
    answers = []
    profiles: list[Profile] = []
    for name, query, hits in _rankings(index, arguments, arguments.k or K, profiles, texts=True):
        if arguments.json:
            values = _values(index, arguments, query, hits)
            answers.append({"query_id": name, "query": query, "hits": values})
        elif arguments.jsonl:
            for one in _values(index, arguments, query, hits):
                print(as_json({"query_id": name, **one}))
        else:
            print(f"{style.dim(printable(name))}  {style.bold(printable(query))}")
            _print_hits(index, arguments, query, hits)
            print()
    if arguments.json:
        print(as_json(_with_profile("answers", answers, arguments, profiles), indent=2))
    _say_profile(arguments, profiles)


def _write_trec(index: Index, arguments: argparse.Namespace) -> None:
    from weft.runs import write_run

    arguments.group = "document"
    profiles: list[Profile] = []
    rankings = (
        (name, [(hit.id, hit.score) for hit in hits])
        for name, _, hits in _rankings(index, arguments, arguments.k or RUN_DEPTH, profiles, texts=False)
    )
    with _run_file(arguments.trec) as file:
        lines = write_run(file, rankings, tag=arguments.tag)
    if arguments.trec != "-":
        print(f"wrote {lines:,} lines to {arguments.trec}", file=sys.stderr)
    _say_profile(arguments, profiles)


def _rankings(
    index: Index, arguments: argparse.Namespace, k: int, profiles: list[Profile], *, texts: bool
) -> Iterator[tuple[str, str, list[Hit]]]:
    """Search for the questions of the file, some at a time, so that the engine has work for all cores.

    What the calls did goes to `profiles`, when that is asked for.
    """
    from weft.inputs import read_queries

    queries = read_queries(arguments.queries)
    for first in range(0, len(queries), _TOGETHER):
        some = queries[first : first + _TOGETHER]
        found = _search(index, arguments, [query for _, query in some], k, profiles, texts=texts)
        for (name, query), hits in zip(some, found, strict=True):
            yield name, query, hits


def _search(
    index: Index, arguments: argparse.Namespace, asked: Any, k: int, profiles: list[Profile], *, texts: bool
) -> Any:
    options = _options(arguments)
    if not arguments.profile:
        return index.search(asked, k, texts=texts, **options)
    hits, profile = index.search(asked, k, texts=texts, profile=True, **options)
    profiles.append(profile)
    return hits


def _with_profile(
    name: str, values: list[Any], arguments: argparse.Namespace, profiles: list[Profile]
) -> list[Any] | dict[str, Any]:
    import dataclasses

    from weft.profile import total

    return {name: values, "profile": dataclasses.asdict(total(profiles))} if arguments.profile else values


def _say_profile(arguments: argparse.Namespace, profiles: list[Profile]) -> None:
    from weft.profile import total

    if arguments.profile and not arguments.json:
        print(total(profiles), file=sys.stderr)


def _values(index: Index, arguments: argparse.Namespace, query: str, hits: list[Hit]) -> list[dict[str, Any]]:
    from weft.cli.printing import hit_values

    return [
        hit_values(hit, index.explain(query, hit.id, hit.passage) if arguments.explain else None)
        for hit in hits
    ]


def _print_hits(index: Index, arguments: argparse.Namespace, query: str, hits: list[Hit]) -> None:
    from weft.cli.printing import hit_lines, match_lines
    from weft.cli.terminal import style_of

    style = style_of()
    for hit in hits:
        # A search by words alone needs no model, and showing its hits must not load one.
        by_words = arguments.mode == "keyword"
        explanation = None if by_words else index.explain(query, hit.id, hit.passage)
        lines = hit_lines(hit, explanation, style, query)
        if arguments.explain and explanation is not None:
            lines += match_lines(explanation)
        print("\n".join(lines))


@contextmanager
def _run_file(name: str) -> Iterator[TextIO]:
    """Open what the run goes to; a regular file appears only when it is complete."""
    if name == "-":
        yield sys.stdout
        return
    from weft.output import complete

    with complete(name, replace=True) as path, path.open("w", encoding="utf-8", newline="\n") as file:
        yield file

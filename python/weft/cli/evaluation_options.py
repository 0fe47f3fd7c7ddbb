"""The options of ``weft eval``, and which of them go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weft.cli.options import add_filter, add_model, at_least_one, from_zero, two_weights
from weft.defaults import AGREEMENT, MEASURES, RUN_DEPTH

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "check_arguments", "of_sets"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("path", metavar="PATH", nargs="?", help="an index's directory")
    given = parser.add_argument_group("what to judge with")
    given.add_argument("--queries", metavar="FILE", help="questions: .jsonl or .tsv, as for weft search")
    given.add_argument(
        "--qrels",
        metavar="FILE",
        help="judgements: TREC's or MS MARCO's four columns, BEIR's three, LoTTE's qas.*.jsonl",
    )
    given.add_argument(
        "--run-in", metavar="RUN", help="instead of an index: a TREC run, or a ranking as of MS MARCO"
    )
    given.add_argument(
        "--answers", metavar="FILE", help="answer strings: .jsonl, DPR's .csv, SQuAD's or TriviaQA's .json"
    )
    given.add_argument(
        "--answer-match", choices=("string", "regex"), help="what the answers are (default: string)"
    )
    sets = parser.add_argument_group("published collections, indexed first")
    sets.add_argument(
        "--beir", metavar="DIR", nargs="+", help="folders with corpus.jsonl, queries.jsonl, qrels/"
    )
    sets.add_argument("--lotte", metavar="DIR", help="the folder with LoTTE's domains")
    sets.add_argument("--split", metavar="NAME", help="which questions (default: test)")
    sets.add_argument(
        "--domains", metavar="NAME", nargs="+", help="of LoTTE: which (default: all that are there)"
    )
    sets.add_argument("--index-dir", metavar="DIR", help="keep the indexes here, and use those that are here")
    sets.add_argument("--nbits", type=int, choices=(1, 2, 4, 8), help="bits per component of a new index")
    sets.add_argument("--rankings", metavar="DIR", help="write all rankings here: <split>/<name>.ranking.tsv")
    count = parser.add_argument_group("what to count")
    count.add_argument(
        "--measures", metavar="M", nargs="+", help=f"measures of ir_measures (default: {' '.join(MEASURES)})"
    )
    count.add_argument("-k", metavar="N", type=at_least_one, help=f"results per query (default: {RUN_DEPTH})")
    count.add_argument(
        "--agreement",
        metavar="N",
        type=from_zero,
        default=AGREEMENT,
        help=f"queries to compare with exhaustive MaxSim, 0 for none (default: {AGREEMENT})",
    )
    count.add_argument(
        "--own",
        choices=("auto", "drop", "keep"),
        help="a result with the query's own id: drop it, keep it, or drop it when the texts are the same "
        "(default: auto, and with --beir drop)",
    )
    search = parser.add_argument_group("how to search, as in weft search")
    search.add_argument("--mode", choices=("semantic", "keyword", "hybrid"), default="semantic")
    search.add_argument("--fusion", choices=("rrf", "weighted"))
    search.add_argument("--weights", metavar="S,K", type=two_weights)
    add_filter(search, "rank only documents whose metadata matches")
    search.add_argument("--exact", action="store_true", help="score every passage")
    search.add_argument("--nprobe", metavar="N", type=at_least_one)
    search.add_argument("--ndocs", metavar="N", type=at_least_one)
    add_model(search)
    out = parser.add_argument_group("output")
    out.add_argument("--json", action="store_true", help="one JSON array, an object per evaluation")
    out.add_argument("--per-query", action="store_true", help="with --json: the values of every query too")
    out.add_argument("--run", dest="run_out", metavar="RUN", help="write a TREC run to this file")
    out.add_argument("--reader-out", metavar="FILE", help="write the passages in the JSON of DPR's readers")
    out.add_argument("--no-progress", action="store_true", help="draw no progress bar")
    out.add_argument("-q", "--quiet", action="store_true", help="say nothing but warnings and errors")


def of_sets(arguments: argparse.Namespace) -> bool:
    """Say whether whole collections are to be judged."""
    return arguments.beir is not None or arguments.lotte is not None


def check_arguments(arguments: argparse.Namespace) -> None:
    """Leave with a usage error where options do not go together: argparse cannot state it."""
    refuse = arguments.refuse
    sources = (arguments.path, arguments.run_in, arguments.beir, arguments.lotte)
    if sum(one is not None for one in sources) != 1:
        refuse("give one of: PATH of an index, --run-in RUN, --beir DIR, --lotte DIR")
    sets = of_sets(arguments)
    if sets and (arguments.queries or arguments.qrels or arguments.answers):
        refuse("--beir and --lotte have their own queries, judgements and answers")
    if not sets:
        for name in ("split", "index_dir", "nbits", "rankings"):
            if getattr(arguments, name) is not None:
                refuse(f"--{name.replace('_', '-')} needs --beir or --lotte")
    if arguments.domains is not None and arguments.lotte is None:
        refuse("--domains needs --lotte")
    if arguments.run_in is not None and (arguments.qrels is None or arguments.queries or arguments.answers):
        refuse("--run-in needs --qrels, and neither --queries nor --answers")
    if arguments.path is not None:
        if arguments.qrels is None and arguments.answers is None:
            refuse("an index needs --queries and --qrels, or --answers")
        if arguments.qrels is not None and arguments.queries is None:
            refuse("--qrels needs --queries FILE, whom the judgements are for")
    if arguments.run_out is not None and (arguments.path is None or arguments.qrels is None):
        refuse("--run needs an index and --qrels; --rankings writes those of --beir and --lotte")
    if arguments.answers is None and (arguments.reader_out or arguments.answer_match):
        refuse("--reader-out and --answer-match need --answers")
    if arguments.measures and not sets and arguments.qrels is None:
        refuse("--measures needs judgements: --answers alone counts Success@k")
    if arguments.per_query and not arguments.json:
        refuse("--per-query needs --json")
    if arguments.mode != "hybrid" and (arguments.fusion or arguments.weights):
        refuse("--fusion and --weights need --mode hybrid")
    vectors = arguments.exact or arguments.nprobe or arguments.ndocs
    if arguments.mode == "keyword" and vectors:
        refuse("--mode keyword has no vectors, which --exact, --nprobe and --ndocs are about")
    asks = arguments.mode != "semantic" or vectors or arguments.filter or arguments.k or arguments.own
    if arguments.run_in is not None and (asks or arguments.model):
        refuse("--run-in is judged as it is: options of a search do not apply")

"""Weft beside its peers, on the same vectors in the same run.

    python benches/python/peers setup                       make the environments of all engines
    python benches/python/peers prepare FOLDER ...          encode real text
    python benches/python/peers run FOLDER --out RESULTS    measure, and write tables, JSON and plots
    python benches/python/peers report RESULTS              write tables and plots again from the JSON

Run it with a Python that has weft (and matplotlib for plots, weft-model for `prepare`); it makes ground truth and drives the engines, which run in their
own environments. `benches/README.md` says more.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import environments


def _setup(given: argparse.Namespace) -> int:
    for name in given.names or dict.fromkeys(environments.ENGINES.values()):
        environments.make(name, given.environments)
    return 0


def _prepare(given: argparse.Namespace) -> int:
    import prepare

    if given.beir:
        prepare.from_beir(given.folder, given.beir, given.queries)
    else:
        prepare.from_passages(given.folder, given.passages[0], given.passages[1], given.count)
    return 0


def _run(given: argparse.Namespace) -> int:
    import measure
    from vectors import Vectors

    chosen = given.engines or list(environments.ENGINES)
    unknown = [
        name for name in [*chosen, *given.here, *(given.all_builds or [])] if name not in environments.ENGINES
    ]
    if unknown:
        raise SystemExit(f"no engine {unknown[0]!r}; there are {', '.join(environments.ENGINES)}")
    programs = {
        name: Path(sys.executable)
        if name in given.here
        else environments.program(name, given.environments.absolute())
        for name in chosen
    }
    settings = measure.Settings(
        engines=programs,
        work=(given.work or given.folder / "indexes").absolute(),
        threads=given.threads,
        rounds=given.rounds,
        timed=given.timed,
        judged=given.judged,
        limit=given.limit,
        all_builds=frozenset(chosen if given.all_builds == [] else given.all_builds or []),
        keep=given.keep,
    )
    given.out.mkdir(parents=True, exist_ok=True)
    command = "python benches/python/peers " + " ".join(sys.argv[1:])

    def save(run: dict[str, Any]) -> None:
        run["about"]["command"] = command
        (given.out / "results.json").write_text(json.dumps(run, indent=1))

    run = measure.Run(Vectors.read(given.folder.absolute()), settings, save).go()
    _write(given.out)
    # A peer that cannot be had is a line of the table; Weft that fails is a failure.
    return int(not any(entry["engine"] == "weft" for entry in run["entries"]) and "weft" in chosen)


def _report(given: argparse.Namespace) -> int:
    _write(given.results)
    return 0


def _write(folder: Path) -> None:
    import report

    run = json.loads((folder / "results.json").read_text())
    (folder / "results.md").write_text(report.markdown(run))
    print((folder / "results.md").read_text())
    try:
        import plots

        made = plots.draw(run, folder)
    except ModuleNotFoundError as error:
        print(f"no plots: {error}", file=sys.stderr)
    else:
        print("plots:", *made)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)

    setup = commands.add_parser("setup", help="make environments")
    setup.add_argument(
        "names",
        nargs="*",
        help=f"of {', '.join(dict.fromkeys(environments.ENGINES.values()))}; all if none is named",
    )
    setup.set_defaults(act=_setup)

    prepare = commands.add_parser("prepare", help="encode real text")
    prepare.add_argument("folder", type=Path)
    source = prepare.add_mutually_exclusive_group(required=True)
    source.add_argument("--beir", type=Path, help="a folder in BEIR's layout")
    source.add_argument(
        "--passages", type=Path, nargs=2, metavar=("DATA", "DESCRIPTIONS"), help="as for passages.py"
    )
    prepare.add_argument("--count", type=int, help="so many of the passages, spread evenly; all without it")
    prepare.add_argument("--queries", type=int, default=200, help="so many queries of a BEIR folder")
    prepare.set_defaults(act=_prepare)

    run = commands.add_parser("run", help="measure")
    run.add_argument("folder", type=Path, help="what `prepare` made")
    run.add_argument("--out", type=Path, required=True, help="folder of the results")
    run.add_argument("--work", type=Path, help="folder of the indexes; inside the prepared one without it")
    run.add_argument(
        "--engines", nargs="+", metavar="ENGINE", help=f"of {', '.join(environments.ENGINES)}; all without it"
    )
    run.add_argument("--here", nargs="+", default=[], metavar="ENGINE", help="run these by this Python")
    run.add_argument(
        "--all-builds",
        nargs="*",
        metavar="ENGINE",
        help="every bit width of these, not the default one alone; of all engines, if none is named",
    )
    run.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    run.add_argument("--rounds", type=int, default=5)
    run.add_argument("--judged", type=int, default=200, help="queries whose answers are judged")
    run.add_argument("--timed", type=int, default=50, help="queries that are timed, in every round")
    run.add_argument(
        "--limit", type=float, default=1800, help="seconds that one answer of an engine may take"
    )
    run.add_argument(
        "--keep", action="store_true", help="do not build indexes again that an earlier run left"
    )
    run.set_defaults(act=_run)

    report = commands.add_parser("report", help="write tables and plots again")
    report.add_argument("results", type=Path)
    report.set_defaults(act=_report)

    for command in (setup, run):
        command.add_argument("--environments", type=Path, default=environments.DEFAULT)
    return parser


if __name__ == "__main__":
    arguments = _parser().parse_args()
    sys.exit(arguments.act(arguments))

"""Tables of a run in markdown, and the same figures as JSON."""

from __future__ import annotations

from typing import Any

import figures
import numpy as np

MEBI = 1 << 20
# The share of a second core that a search "on one thread" may use before the table says so.
BUSY = 1.15


def markdown(run: dict[str, Any]) -> str:
    """All tables of a run."""
    parts = [_head(run), _costs(run), _opening(run)]
    for threads in run["threads"]:
        parts += [_latency(run, f"{threads} {mode}") for mode in ("single", "batch")]
    parts.append(_absent(run))
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *[[str(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _head(run: dict[str, Any]) -> str:
    about, given, truth = run["about"], run["vectors"], run["truth"]
    loads = [about["load"], *run["loads"]]
    return (
        f"Machine: {about['processor']}, {about['cores']} cores, {about['memory'] / 2**30:.0f} GiB, {about['system']}, Python "
        f"{about['python']}; {about['date']}, commit {about['commit']}. Load, before and at the ends of rounds: "
        f"{min(loads)} to {max(loads)} (a quiet machine shows at most the threads that are measured).\n\n"
        f"Data: {given['source']}, {given['passages']:,} passages, {given['tokens']:,} tokens of {given['dim']} dimensions by "
        f"{given['model']}; {run['judged queries']} queries judged, {run['timed queries']} timed, {run['rounds']} rounds. Truth: numpy and "
        f"Weft's float32 kernel differ by at most {truth['largest difference']:.1e}."
    )


def _costs(run: dict[str, Any]) -> str:
    rows = []
    for entry in run["entries"]:
        built, packages = entry["build"], entry["import"].get("packages")
        size = sum(packages.values()) if packages else entry["import"]["bytes"]
        gpu = sum(b for name, b in (packages or {}).items() if name.startswith(("nvidia", "cuda", "triton")))
        versions = ", ".join(
            f"{name} {number}" for name, number in entry["import"]["versions"].items() if name != "numpy"
        )
        rows.append(
            [
                entry["engine"],
                entry["build_name"],
                versions,
                f"{built['seconds']:.1f}",
                f"{built['memory']['peak'] / MEBI:.0f}",
                f"{built['loaded']['peak'] / MEBI:.0f}",
                f"{entry['bytes/token']:.1f}",
                f"{size / MEBI:.0f}" + (f" ({gpu / MEBI:.0f} of it for GPUs)" if gpu else ""),
                f"{entry['import']['seconds'] * 1e3:.0f}",
            ]
        )
    head = [
        "engine",
        "index",
        "versions",
        "build s",
        "peak MiB",
        "of it before the build",
        "bytes/token",
        "installed MiB",
        "import ms",
    ]
    return "### Building and size\n\n" + _table(head, rows)


def _opening(run: dict[str, Any]) -> str:
    rows = []
    for entry in run["entries"]:
        cells = [entry["engine"], entry["build_name"]]
        for state in ("cold", "warm"):
            opened = entry["opened"][state]
            cells += [f"{opened['seconds'] * 1e3:.1f}", f"{opened['first query ms']:.1f}"]
        warm = entry["opened"]["warm"]
        rows.append([*cells, f"{warm['rss'] / MEBI:.0f}", f"{warm['anonymous'] / MEBI:.0f}"])
    head = [
        "engine",
        "index",
        "open ms, cold",
        "first query ms",
        "open ms, warm",
        "first query ms",
        "MiB after open",
        "without mapped files",
    ]
    return "### Opening (one thread, defaults)\n\n" + _table(head, rows)


def measured(run: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """All timed points of one number of threads and mode, flat, with the entry they belong to."""
    return [
        {
            "engine": entry["engine"],
            "build": entry["build_name"],
            "exact": entry["exact"],
            **{name: point[name] for name in ("parameters", "overlap@10", "recall@100", "score distance")},
            **point["times"][key],
        }
        for entry in run["entries"]
        for point in entry["points"]
        # An engine that failed on the way has rounds missing, and no figures.
        if len(point["times"].get(key, {}).get("rounds", [])) == run["rounds"]
    ]


def _latency(run: dict[str, Any], key: str) -> str:
    points = measured(run, key)
    if not points:
        return ""
    own = [point for point in points if point["engine"] == "weft"]
    rows = []
    for point in points:
        rounds = point["rounds"]
        ratio = None if point["engine"] == "weft" else figures.ratios(point, own)
        busy = float(np.median(point["busy"]))
        threads = int(key.split()[0])
        parameters = ", ".join(f"{name} {value}" for name, value in point["parameters"].items())
        p95 = f"{np.median(point['p95']):.2f}" if point["p95"][0] is not None else ""
        rows.append(
            [
                point["engine"],
                point["build"],
                parameters or "defaults",
                f"{point['overlap@10']:.3f}",
                f"{point['recall@100']:.3f}",
                f"{np.median(rounds):.2f} ({min(rounds):.2f} to {max(rounds):.2f})",
                p95,
                f"{busy:.2f}" + (" !" if busy > threads * BUSY else ""),
                ""
                if ratio is None
                else f"{ratio['median']:.1f} ({ratio['lowest']:.1f} to {ratio['highest']:.1f})",
            ]
        )
    threads, mode = key.split()
    time = "p50 ms" if mode == "single" else "ms a query"
    head = [
        "engine",
        "index",
        "parameters",
        "overlap@10",
        "recall@100",
        f"{time} (rounds)",
        "p95 ms",
        "cores busy",
        "times Weft's at its overlap",
    ]
    title = f"### {'One query at a time' if mode == 'single' else 'All queries in one call'}, {threads} thread{'s' if threads != '1' else ''}"
    return f"{title}\n\n{_table(head, rows)}"


def _absent(run: dict[str, Any]) -> str:
    if not run["absent"]:
        return ""
    return "### Not there\n\n" + _table(
        ["what", "why"], [[a["what"], a["reason"].replace("|", "/")] for a in run["absent"]]
    )

"""Latency against overlap@10, one curve an index: SVG by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from report import measured

if TYPE_CHECKING:
    from pathlib import Path

MARKS = "osD^vP*X<>hd"


def draw(run: dict[str, Any], folder: Path) -> list[Path]:
    """Draw a plot for every number of threads and mode that was measured."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    # Without this every run has other ids in its SVG, and nothing but those would change.
    mpl.rcParams["svg.hashsalt"] = "weft"
    made = []
    for threads in run["threads"]:
        for mode in ("single", "batch"):
            curves = _curves(measured(run, f"{threads} {mode}"))
            if not curves:
                continue
            figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
            for number, (label, points) in enumerate(curves.items()):
                style = {"color": f"C{number % 10}", "marker": MARKS[number % len(MARKS)], "markersize": 5}
                width = 2.5 if label.startswith("weft,") else 1.2
                axes.plot(*zip(*sorted(points), strict=True), label=label, linewidth=width, **style)
            axes.set_yscale("log")
            axes.set_xlabel("overlap@10 with exhaustive MaxSim over uncompressed vectors")
            axes.set_ylabel("p50, ms" if mode == "single" else "ms a query, all in one call")
            source = run["vectors"]
            axes.set_title(f"{source['passages']:,} passages, {threads} thread{'s' * (threads > 1)}, {mode}")
            axes.grid(visible=True, which="both", alpha=0.3)
            axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
            file = folder / f"latency-{threads}-{mode}.svg"
            figure.savefig(file, metadata={"Date": None})
            plt.close(figure)
            made.append(file)
    return made


def _curves(points: list[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        label = f"{point['engine']}, {point['build']}"
        curves.setdefault(label, []).append((point["overlap@10"], float(np.median(point["rounds"]))))
    return curves

"""Export every toy checkpoint with the real torch, transformers and optimum, and keep the graphs: ``make.py``.

Prints how far each graph is from its source in torch and from the vectors that the checkpoint's own library made
(`golden/LIBRARY/encoders`). One graph of each kind is kept in `golden/optimum`: CI compares those again without torch.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from graphs import GOLDEN, ROOT, largest_difference, libraries
from weft import export_model

KEPT = ("pylate-bert", "pylate-modernbert", "pylate-xlmr", "st6-modernbert", "stanford")


def main() -> None:
    """Export all, keep the graphs, print a table in markdown."""
    shutil.rmtree(GOLDEN, ignore_errors=True)
    GOLDEN.mkdir(parents=True)
    print("| Checkpoint | Backbone | Dense | Bytes | From torch | From its library |")
    print("|---|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        for checkpoint in sorted(path for path in (ROOT / "checkpoints").iterdir() if path.is_dir()):
            report = export_model(checkpoint, Path(folder) / checkpoint.name)
            graph = report.directory / "model.onnx"
            if checkpoint.name in KEPT:
                shutil.copyfile(graph, GOLDEN / f"{checkpoint.name}.onnx")
            others = ", ".join(
                f"{library} {largest_difference(graph, library, name):.1e}"
                for library, name in libraries(checkpoint.name)
            )
            print(
                f"| {checkpoint.name} | {report.backbone} | {report.layers} | {graph.stat().st_size} "
                f"| {report.difference.largest:.1e} | {others} |",
                flush=True,
            )
    print("\n" + ", ".join(f"{name} {version}" for name, version in report.versions.items()))


if __name__ == "__main__":
    main()

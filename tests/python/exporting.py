"""The toy checkpoints and the graphs the real optimum made of them (`tests/reference/export/make.py`)."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

REFERENCE = Path(__file__).parents[1] / "reference"
CHECKPOINTS = REFERENCE / "checkpoints"
sys.path.append(str(REFERENCE / "export"))

from graphs import GOLDEN, largest_difference, libraries  # noqa: E402  they lie with the scripts

__all__ = ["CHECKPOINTS", "GOLDEN", "GRAPHS", "change", "copy", "largest_difference", "libraries"]

GRAPHS = sorted(path.stem for path in GOLDEN.glob("*.onnx"))


def copy(name: str, target: Path) -> Path:
    """Copy a checkpoint."""
    return Path(shutil.copytree(CHECKPOINTS / name, target))


def change(path: Path, **values: object) -> None:
    """Change a few values of a json file."""
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")

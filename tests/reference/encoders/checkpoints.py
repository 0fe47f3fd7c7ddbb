"""The toy checkpoints, and variants of them that differ in a few values of their json files.

A name is a directory of `checkpoints/`, or `DIRECTORY+VARIANT` from `variants.json`: file, key, value. A variant
shares its weights, which is what a checkpoint's size is.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
CHECKPOINTS = ROOT / "checkpoints"


def copy(name: str, target: Path) -> Path:
    """Copy a checkpoint or a variant to `target`, which must not exist, and return it."""
    base, _, variant = name.partition("+")
    shutil.copytree(CHECKPOINTS / base, target)
    if variant:
        changes = json.loads((ROOT / "variants.json").read_text(encoding="utf-8"))[name]
        for file, values in changes.items():
            content = json.loads((target / file).read_text(encoding="utf-8"))
            (target / file).write_text(json.dumps(content | values), encoding="utf-8")
    return target


@contextmanager
def opened(name: str) -> Iterator[str]:
    """Lend the path of a copy."""
    with TemporaryDirectory() as folder:
        yield str(copy(name, Path(folder) / name))

"""Put an index and what its own library says of it where CI reads them: tests/reference/golden."""

from __future__ import annotations

import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SHARED = GOLDEN / "shared"


def collection() -> list[tuple[str, str]]:
    """The shared passages, (text, title)."""
    lines = (SHARED / "collection.tsv").read_text(encoding="utf-8").splitlines()
    return [(line.split("\t")[1], line.split("\t")[2]) for line in lines]


def queries() -> list[str]:
    """The shared queries."""
    lines = (SHARED / "queries.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t")[1] for line in lines]


def versions(*packages: str) -> dict[str, str]:
    """Give installed versions."""
    return {package: version(package) for package in packages}


def keep(library: str, name: str, index: Path, expected: dict[str, Any]) -> Path:
    """Copy an index directory to golden/<library>/<name>/index and write golden.json beside it.

    Every file is searched for the directory it was built in: a golden that names a machine's folders must not be kept.
    """
    to = GOLDEN / library / name
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(index, to / "index", symlinks=False)
    here = os.getcwd().encode()
    for path in to.rglob("*"):
        if path.is_file() and (here in path.read_bytes() or str(Path.home()).encode() in path.read_bytes()):
            raise SystemExit(f"{path} names this machine's folders")
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in expected.items())
    (to / "golden.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
    print(f"{to.relative_to(GOLDEN)}: {size / 1024:.0f} KiB", flush=True)
    return to

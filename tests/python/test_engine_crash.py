"""A writer that dies, or runs out of disk, costs what it had not committed and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from engine import build, clustered, pairs, put
from weft import _core

PROGRAM = """
import os, resource, signal, sys
import numpy as np
from engine import clustered
from weft import _core

path, how, stage, calls = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
seen = 0

def die(at, done, total):
    global seen
    if at == stage or stage == "add":
        seen += 1
        if seen == calls:
            if how.isdigit():
                # From here on every write beyond this size fails with EFBIG.
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (int(how), int(how)))
                return
            os._exit(9) if how == "exit" else os.kill(os.getpid(), signal.SIGKILL)

index = _core.Index.open(path)
writer = index.begin()
none = [None] * 1650
try:
    writer.add([f"new{i}" for i in range(1650)], none, none, none, [[]] * 1650, [40] * 1650,
               clustered(np.random.default_rng(8), 66_000))
    if stage == "add":
        die("add", 0, 0)
    writer.commit(die)
except OSError as error:
    print(type(error).__name__)
    sys.exit(3)
"""


def write(path, how, stage, calls):
    """Run the writing program and return how it ended."""
    arguments = [sys.executable, "-c", PROGRAM, path, how, stage, str(calls)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(arguments, env=environment, capture_output=True, text=True).returncode


def orphans(path, index):
    named = {f"segment-{s['number']}.weft" for s in index.info()["segments"]}
    named |= {f"codebook-{c['number']}.weft" for c in index.info()["codebooks"]}
    return {p.name for p in path.iterdir() if p.suffix in (".weft", ".tmp")} - named


def assert_as_before(path, vectors, before):
    index = _core.Index.open(path)
    assert index.ids(None, 10_000) == [f"d{i}" for i in range(5)]
    assert pairs(index.search([vectors[0]], 5)) == before
    assert index.check() == []
    put(index, ["after"], [4], clustered(np.random.default_rng(9), 4))
    assert orphans(path, index) == set()
    assert len(index) == 6
    assert index.check() == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("how", ["exit", "kill"])
@pytest.mark.parametrize(
    ("stage", "calls"), [("add", 1), ("train", 1), ("train", 3), ("encode", 1), ("encode", 2), ("write", 1)]
)
def test_a_killed_writer(tmp_path, how, stage, calls):
    path = tmp_path / "i"
    index, vectors = build(path, 5, 4)
    before = pairs(index.search([vectors[0]], 5))
    index.close()
    assert write(path, how, stage, calls) == (9 if how == "exit" else -9)
    assert_as_before(path, vectors, before)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize(
    ("stage", "limit"), [("add", 1 << 20), ("train", 16_384), ("encode", 100_000), ("write", 4096)]
)
def test_a_full_disk(tmp_path, stage, limit):
    path = tmp_path / "i"
    index, vectors = build(path, 5, 4)
    before = pairs(index.search([vectors[0]], 5))
    index.close()
    assert write(path, str(limit), stage, 1) == 3
    assert_as_before(path, vectors, before)

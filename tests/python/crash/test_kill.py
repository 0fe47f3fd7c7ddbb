"""``kill -9`` of a writing process at random moments, while another process and a thread read.

Twenty moments; two hundred with ``WEFT_LONG=1``.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import reader
import writer
from preload import LONG
from scenario import orphans
from weft import _core

HERE = Path(__file__).parent
MOMENTS = 200 if LONG else 20

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def start(program, *arguments, **pipes):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, HERE / program, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, **pipes)


def killed(path, step, lines, wait):
    """Write from a step on; kill after so many commits and a while. Gives the last commit that was reported."""
    with start("writer.py", path, step, sys.maxsize) as child:
        for _ in range(lines):
            assert child.stdout.readline(), "the writer stopped by itself"
        # Waits for what never comes: standard output is read through a buffer, this end of it has nobody.
        select.select([], [], [], wait)
        child.send_signal(signal.SIGKILL)
        said = child.stdout.read().splitlines()
    return int(said[-1]) if said else step + lines


@pytest.mark.timeout(900)
def test_kill_at_random_moments(memory):
    path = memory / "i"
    index = _core.Index.open(path, create=True, **writer.SETTINGS)
    assert writer.make(index, 0) == 1
    index.close()
    rng = np.random.default_rng(int(os.environ.get("WEFT_SEED", "21")))
    stop, seen = threading.Event(), []
    process = start("reader.py", path, stdin=subprocess.PIPE)
    thread = threading.Thread(target=lambda: seen.extend(reader.watch(path, stop)))
    thread.start()
    step, commits = 1, 0
    try:
        for _ in range(MOMENTS):
            reported = killed(path, step, int(rng.integers(1, 15)), float(rng.random() * 0.03))
            index = _core.Index.open(path, **writer.SETTINGS)
            found, problems = writer.torn(index, reported, reported + 1)
            assert not problems
            assert index.check() == []
            index.close()
            commits += reported - step
            step = found
        index = _core.Index.open(path, **writer.SETTINGS)
        writer.make(index, step)
        assert orphans(path, index) == set()
    finally:
        stop.set()
        thread.join()
        reads, *complaints = process.communicate("")[0].splitlines()
    assert not complaints
    assert not seen[1]
    assert min(int(reads), seen[0]) > 0
    print(f"{MOMENTS} moments, {commits} commits, {reads} and {seen[0]} reads")

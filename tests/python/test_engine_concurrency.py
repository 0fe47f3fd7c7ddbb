"""Many at once: writers that wait or are told to, threads on one index, copies of a directory in use, forks, media that cannot be written."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from engine import build, clustered, pairs, put
from weft import _core, errors

sys.path.append(str(Path(__file__).parent / "crash"))
steps = importlib.import_module("writer")


def rows(count, seed=5):
    return clustered(np.random.default_rng(seed), count)


def together(*calls):
    """Run calls in threads of their own and return their results; an error in one is an error here."""
    results = [None] * len(calls)

    def run(number, call):
        try:
            results[number] = call()
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def program(source, *arguments, prefix=()):
    """Run a Python program and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [*prefix, sys.executable, "-c", source, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_second_writer_is_told_at_once_or_waits(tmp_path):
    index, _ = build(tmp_path / "i", 5, 4)
    writer = index.begin()
    other = "from weft import _core, errors; import sys\ntry:\n  _core.Index.open(sys.argv[1], lock_timeout=float(sys.argv[2])).begin()\n"
    other += "except errors.IndexLocked as error:\n  print(error)"
    for timeout in (0, 0.3):
        started = time.monotonic()
        assert "is locked by another writer: wait for it to finish" in program(other, index.path, timeout)
        assert time.monotonic() - started >= timeout
    waiting, begun = _core.Index.open(index.path, lock_timeout=60), threading.Event()

    def wait():
        begun.set()
        return put(waiting, ["late"], [4], rows(4))

    def finish():
        begun.wait()
        writer.abort()

    assert together(wait, finish)[0] == ["late"]
    assert len(index) == 6


def test_many_threads_on_one_index(tmp_path):
    _, vectors = build(tmp_path / "i", 40, 8)
    index = _core.Index.open(tmp_path / "i", lock_timeout=60, threads=2, train_tokens=500)
    expected = [pairs(index.search([v], 1))[0][0][0] for v in vectors]
    rounds = 12

    def read():
        for number in range(rounds * 4):
            at = number % 40
            assert index.search([vectors[at]], 1)[0][0][0] == expected[at]
            assert index.get([f"d{at}"])[0][1] == f"text {at}"
            assert index.info()["documents"] >= 40
            assert len(index.ids(None, 40)) == 40

    def write(name):
        for number in range(rounds):
            put(index, [f"{name}{number}"], [8], rows(8, 100 + number))

    together(read, read, read, lambda: write("x"), lambda: write("y"), read)
    assert len(index) == 40 + 2 * rounds
    assert index.check() == []


def copy(source, target, order):
    """Copy the files of a directory one after the other, as cp does; files may go meanwhile."""
    target.mkdir()
    for name in sorted((p.name for p in source.iterdir()), key=order):
        try:
            shutil.copyfile(source / name, target / name)
        except FileNotFoundError:
            assert name != "catalog.sqlite"


def opened(path):
    """The step that a copy is in, or what is said to be wrong with it."""
    try:
        index = _core.Index.open(path, **steps.SETTINGS)
        problems = index.check()
        if problems:
            return problems
        step, torn = steps.torn(index, 0, sys.maxsize)
        assert not torn, torn
        return step
    except (errors.CorruptIndex, OSError) as error:
        return [str(error)]


@pytest.mark.parametrize("last", [True, False])
def test_a_copy_in_use_is_whole_or_says_that_it_is_not(tmp_path, last):
    path = tmp_path / "i"
    index = _core.Index.open(path, create=True, **steps.SETTINGS)
    steps.make(index, 0)
    stop, found = threading.Event(), []

    def write():
        step = 1
        while not stop.is_set():
            steps.make(index, step)
            step += 1
        return step

    def take():
        try:
            for number in range(15):
                copy(path, tmp_path / str(number), lambda name: (name.startswith("catalog") == last, name))
                found.append(opened(tmp_path / str(number)))
                shutil.rmtree(tmp_path / str(number))
        finally:
            stop.set()

    total, _ = together(write, take)
    for copied in found:
        assert copied if isinstance(copied, list) else 0 < copied <= total
    print(sum(isinstance(copied, int) for copied in found), "of", len(found), "copies are whole")


def test_a_copy_under_the_lock_is_whole(tmp_path):
    path = tmp_path / "i"
    index = _core.Index.open(path, create=True, **steps.SETTINGS)
    other = _core.Index.open(path, **steps.SETTINGS)
    done = threading.Event()

    def write():
        for step in range(60):
            steps.make(index, step)
        done.set()

    def take():
        number = 0
        while not done.is_set():
            lock = other.begin()
            copy(path, tmp_path / str(number), str)
            lock.abort()
            assert isinstance(opened(tmp_path / str(number)), int)
            number += 1
        return number

    assert together(write, take)[1] > 0


FORK = """
import os, sys
import numpy as np
from engine import put
from weft import _core, errors
index = _core.Index.open(sys.argv[1])
query = [np.eye(2, 48, dtype=np.float32)]
before = index.search(query, 3, threads=2)
child = os.fork()
if not child:
    status = 0
    for call in (lambda: index.search(query, 3), index.begin, lambda: len(index), lambda: index.get(["d0"]), lambda: index.delete(["d0"])):
        try:
            call()
            status = 1
        except errors.InvalidInput as error:
            status |= "open it again in the child" not in str(error)
    again = _core.Index.open(sys.argv[1])
    put(again, ["of the child"], [2], np.eye(2, 48, dtype=np.float32))
    os._exit(status)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert len(index) == 6
put(index, ["of the parent"], [2], np.eye(2, 48, dtype=np.float32))
assert len(index) == 7 and index.check() == []
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_must_open_again(tmp_path):
    build(tmp_path / "i", 5, 4)
    program(FORK, tmp_path / "i")


def mounts():
    """A command that runs others where they may mount, or skip."""
    prefix = ["unshare", "--mount", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    return prefix


READ_ONLY = """
import subprocess, sys
from engine import *
from weft import _core, errors
path = sys.argv[1]
subprocess.run(["mount", "--bind", path, path], check=True)
subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)
query = [np.eye(2, 48, dtype=np.float32)]
try:
    index = _core.Index.open(path)
except OSError as error:
    print(type(error).__name__, error)
    sys.exit()
print(pairs(index.search(query, 3)), index.check(), len(index))
try:
    index.begin()
except errors.ReadOnlyIndex as error:
    print("read-only")
"""


def test_read_only_media(tmp_path):
    prefix = mounts()
    path = tmp_path / "i"
    index, _ = build(path, 5, 4)
    expected = pairs(index.search([np.eye(2, 48, dtype=np.float32)], 3))
    # A copy of an open index has commits in its log alone: without being able to write, these cannot be read.
    shutil.copytree(path, tmp_path / "unfinished", ignore=lambda *_: ["catalog.sqlite-shm"])
    index.close()
    assert program(READ_ONLY, path, prefix=prefix) == f"{expected} [] 5\nread-only\n"
    said = program(READ_ONLY, tmp_path / "unfinished", prefix=prefix)
    assert said.startswith("PermissionError")
    assert "open the index once where it can be written" in said


FULL = """
import errno, subprocess, sys
from engine import *
from weft import _core
path = sys.argv[1]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], check=True)
index = _core.Index.open(path + "/i", create=True, train_tokens=2000)
count, ended = 0, 0
while not ended:
    try:
        put(index, [f"d{count}"], [100], clustered(np.random.default_rng(count), 100))
        count += 1
    except OSError as error:
        ended = error.errno or str(error)
assert ended == errno.ENOSPC or "full" in str(ended), ended
for opened in (index, _core.Index.open(path + "/i")):
    assert opened.ids(None, 1000) == [f"d{i}" for i in range(count)]
    assert opened.check() == []
print(count)
"""


def test_a_full_disk_keeps_what_was_committed(tmp_path):
    assert int(program(FULL, tmp_path, prefix=mounts())) > 3

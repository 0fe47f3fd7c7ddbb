"""A writer that dies or meets an error at any of its writes, synchronisations, renames and removals, and a power cut at any moment.

Short: a part of the moments, evenly chosen. All of them: ``WEFT_LONG=1 pytest tests/python/crash``.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections import Counter

import numpy as np
import pytest
import replay
import scenario
from preload import LONG, build, program

#: Of so many moments one is tried in the short form.
DEATHS, ERRORS, CUTS = (1, 1, 1) if LONG else (3, 19, 6)
EIO, FULL = {"errno": errno.EIO}, {"errno": errno.ENOSPC}


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return build(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="module")
def bases(shim, memory):
    """Directories before every step, states after every one, and the number of changes that a step makes."""
    root = memory / "bases"
    root.mkdir()
    program(shim, "bases", root)
    return root, [result["calls"] for result in trials(shim, root, [{"mode": "", "moment": 0}])]


@pytest.fixture(scope="module")
def recorded(shim, memory):
    root = memory / "recording"
    root.mkdir()
    program(shim, "bases", root)
    program(shim, "record", root)
    return root, list(replay.read(root / "log", root / "recorded"))


def trials(shim, root, kinds, moments=None, every=1):
    """Try kinds of trouble at moments of every step; number the trials so that each kind meets other moments."""
    wanted = [
        {"step": step, "moment": moment, "then": "", **kind}
        for number, kind in enumerate(kinds)
        for step in range(len(scenario.NAMES))
        for moment in range((number + step) % every if moments else 0, moments[step] if moments else 1, every)
    ]
    said, complaints = program(shim, "trials", root, given="\n".join(json.dumps(trial) for trial in wanted))
    results = [json.loads(line) for line in said.splitlines()]
    assert len(results) == len(wanted), complaints
    bad = [r for r in results if r["problems"]]
    assert not bad, f"{len(bad)} of {len(results)} trials: {bad[:3]}\n{complaints[-3000:]}"
    return results


@pytest.mark.timeout(900)
def test_an_error_at_any_moment(shim, bases):
    """An input or output error once, or a disk that is full from there on: the process goes on, or dies of it."""
    root, calls = bases
    kinds = [
        {"mode": mode, "then": then, **number}
        for mode, number in (("fail once", EIO), ("fail from", FULL))
        for then in ("", "die")
    ]
    results = trials(shim, root, kinds, calls, ERRORS)
    ends = Counter("done" if r["outcome"] in ("done", "status 78") else "error" for r in results)
    print(f"{len(results)} moments: {dict(ends)}")
    assert min(ends.values()) > len(results) // 10


@pytest.mark.timeout(900)
def test_death_at_any_moment(shim, bases):
    """The process is gone before a change or in the middle of one; tried for real at some moments, see below for all of them."""
    root, calls = bases
    results = trials(shim, root, [{"mode": "die before"}, {"mode": "die within"}], calls, ERRORS)
    print(f"{len(results)} moments")
    assert all(r["outcome"] == "status 77" for r in results)
    # Some died before their commit, some behind it.
    assert {r["generation"] - r["step"] for r in results} == {0, 1}


def committed(changes, root):
    """Before each change: its number, the disk, and the states that are allowed there."""
    states = [None, *json.loads((root / "states.json").read_text())]
    disk, allowed = replay.Disk(), states[:2]
    for number, change in enumerate(changes):
        yield number, disk, allowed
        disk.play(change)
        if change.what == replay.MARK:
            what, step = change.path.split()
            allowed = states[int(step) + 1 : int(step) + 3] if what == "begin" else [states[int(step) + 2]]
    yield len(changes), disk, allowed


def test_the_recording_is_complete(recorded, tmp_path):
    root, changes = recorded
    disk = replay.Disk()
    for change in changes:
        disk.play(change)
    disk.write(tmp_path / "i")
    assert {p.name: p.read_bytes() for p in (tmp_path / "i").iterdir()} == {
        p.name: p.read_bytes() for p in (root / "recorded").iterdir()
    }


@pytest.mark.timeout(900)
def test_death_between_any_two_changes(recorded):
    root, changes = recorded
    path, tried = root / "cut", 0
    for number, disk, allowed in committed(changes, root):
        if number % DEATHS == 0:
            disk.write(path)
            _, problems = scenario.verify(path, allowed)
            assert not problems, f"before change {number}: {problems}"
            shutil.rmtree(path)
            tried += 1
    print(f"{tried} moments")


@pytest.mark.timeout(900)
def test_a_power_cut_at_any_moment(recorded):
    """What was not synchronised is lost, or a part of it; what was reported as committed is there."""
    root, changes = recorded
    path, tried, rng = root / "cut", 0, np.random.default_rng(12)
    chances = (0.0, 0.5, 0.9, 0.1) if LONG else (0.0, 0.5)
    for number, disk, allowed in committed(changes, root):
        if number % CUTS and (not number or changes[number - 1].what != replay.MARK):
            continue
        for chance in chances:
            disk.write(path, lambda chance=chance: rng.random() < chance)
            _, problems = scenario.verify(path, allowed)
            assert not problems, (
                f"before change {number}, {chance:.0%} of what was not synchronised: {problems}"
            )
            shutil.rmtree(path)
            tried += 1
    print(f"{tried} moments")

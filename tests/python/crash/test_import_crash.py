"""An import that dies or meets an error at any of its writes, synchronisations, renames and removals: all of it is there, or nothing."""

from __future__ import annotations

import errno
import json

import pytest
from preload import LONG, build, program

#: Of so many moments one is tried in the short form, as in test_crash_points.py.
EVERY = 1 if LONG else 4


def trials(shim, root, kinds, moments):
    # The last ones are those that decide.
    chosen = [moment for moment in range(moments) if moment % EVERY == 0 or moment >= moments - 12]
    wanted = [{**kind, "moment": moment} for kind in kinds for moment in chosen]
    given = "\n".join(json.dumps(trial) for trial in wanted)
    said, complaints = program(shim, root, given=given, name="importing.py")
    results = [json.loads(line) for line in said.splitlines()]
    assert len(results) == len(wanted), complaints
    return results


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return build(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="module")
def whole(shim, memory):
    """An import that nothing stops."""
    (result,) = trials(shim, memory, [{"mode": ""}], 1)
    assert result["outcome"] == "done"
    assert result["left"] == ["i"]
    assert (len(result["found"]["ids"]), result["found"]["problems"]) == (40, [])
    return result


@pytest.mark.timeout(600)
def test_death_at_any_moment(shim, memory, whole):
    results = trials(shim, memory, [{"mode": "die before"}, {"mode": "die within"}], whole["calls"])
    assert all(result["outcome"] == "status 77" for result in results)
    for result in results:
        assert result["found"] in (None, whole["found"]), result
        assert result["left"] == (["i"] if result["found"] else ["i.unfinished"])
        assert result["found"] or result["again"] == whole["found"], result
    assert {result["found"] is None for result in results} == {True, False}


@pytest.mark.timeout(600)
def test_an_error_at_any_moment(shim, memory, whole):
    kinds = [{"mode": "fail once", "errno": errno.EIO}, {"mode": "fail from", "errno": errno.ENOSPC}]
    results = trials(shim, memory, kinds, whole["calls"])
    stopped = 0
    for result in results:
        assert result["found"] in (None, whole["found"]), result
        # Nothing is left of what was stopped; what was reported as done is there.
        assert result["left"] == (["i"] if result["found"] else []), result
        assert result["found"] or result["outcome"] != "done", result
        assert result["found"] or result["again"] == whole["found"], result
        stopped += result["found"] is None
    assert stopped > len(results) // 2

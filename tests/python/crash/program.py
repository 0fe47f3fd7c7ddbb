"""The program that runs under the shim: it makes the steps of the scenario, and dies or fails where it is told.

``bases``   makes the scenario once, with a copy of the directory before every step, and prints the states;
``record``  makes it once and logs every change of the directory;
``trials``  reads trials from stdin, runs each in a child of its own and says how it ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import traceback
from pathlib import Path

import scenario
from weft import _core

MODES = {"die before": 1, "die within": 2, "fail once": 3, "fail from": 4}
#: Exit statuses of a child that died where the shim said, after the step, and after an error.
DIED, DONE, FAILED = 77, 78, 79
shim = ctypes.CDLL(None)


def watch(path):
    shim.crash_watch(os.fsencode(path))


def create(path):
    return _core.Index.open(path, create=True, **scenario.SETTINGS)


def bases(root):
    """Copy the directory before every step, with the log of SQLite as a living process has it, and count the changes of a step."""
    index = create(root / "i")
    states = [scenario.state(index)]
    for step in range(len(scenario.NAMES)):
        shutil.copytree(root / "i", root / f"base{step}")
        scenario.run(index, step)
        states.append(scenario.state(index))
    index.close()
    (root / "states.json").write_text(json.dumps(states))


def record(root):
    work = root / "recorded"
    watch(work)
    shim.crash_record(os.fsencode(root / "log"))
    index = create(work)
    for step in range(len(scenario.NAMES)):
        shim.crash_mark(f"begin {step}".encode())
        scenario.run(index, step)
        shim.crash_mark(f"done {step}".encode())
    index.close()


def attempt(work, trial, states):
    """One trial, in the child: gives what happened and what is wrong."""
    step, mode = trial["step"], trial["mode"]
    before, after = scenario.expected(states, step)
    watch(work)
    shim.crash_arm(MODES.get(mode, 0), trial["moment"], trial.get("errno", 0))
    index, outcome, problems = None, "done", []
    try:
        index = _core.Index.open(work, **scenario.SETTINGS)
        scenario.run(index, step)
    except OSError as error:
        outcome = f"{type(error).__name__}: {error}"
    if mode.startswith("fail"):
        shim.crash_arm(0, 0, 0)
        index = index or _core.Index.open(work, **scenario.SETTINGS)
        if trial["then"] == "die":
            os._exit(DONE if outcome == "done" else FAILED)
        # The process lives on: it sees the old state after an error, the new one otherwise, and can make the step after all.
        found = scenario.state(index)
        if not scenario.same(found, after if outcome == "done" else before):
            problems.append(f"it goes on with generation {found['generation']}")
        if outcome != "done":
            scenario.run(index, step)
            if not scenario.same(scenario.state(index), after):
                problems.append("the second attempt went wrong")
        problems += index.check()
    index.close()
    return {"outcome": outcome, "calls": shim.crash_calls(), "problems": problems}


def in_child(call, *arguments):
    """Run in a fork of this process; gives the exit status and what it returned, if it came to that."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reader)
            answer = json.dumps(call(*arguments)).encode()
            while answer:
                answer = answer[os.write(writer, answer) :]
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status, json.loads(said) if said else None


def trials(root):
    states = json.loads((root / "states.json").read_text())
    work = root / "work"
    for line in sys.stdin:
        trial = json.loads(line)
        step = trial["step"]
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(root / f"base{step}", work)
        status, result = in_child(attempt, work, trial, states)
        if result is None:
            known = status in (DIED, DONE, FAILED)
            result = {"outcome": f"status {status}", "problems": [] if known else ["it broke"]}
        # Whoever died within the commit, or was told that it failed and died, may have got it through or not.
        allowed = scenario.expected(states, step)[0 if status in (DIED, FAILED) else 1 :]
        _, (generation, problems) = in_child(scenario.verify, work, allowed)
        result["generation"] = generation
        result["problems"] += problems
        print(json.dumps({**trial, **result}), flush=True)


if __name__ == "__main__":
    {"bases": bases, "record": record, "trials": trials}[sys.argv[1]](Path(sys.argv[2]))

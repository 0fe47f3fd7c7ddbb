"""One engine in a process of its own: reads a JSON object a line from stdin, answers with one on stdout.

Started by `child.py` with the Python of the engine's environment, which has numpy and the engine and nothing of the bench. What can be asked (`do`):

* `import`: import the engine; gives `seconds`, `versions`, `bytes` of all packages of the environment, `memory`
* `build` with `vectors` (a prepared folder), `path`, `settings`, `threads`: gives `seconds`, without what it takes to read the vectors,
  and memory `before`, `loaded` (the vectors in the form that the engine's interface wants), and after, with the peak
* `open` with `path`, `threads`: gives `seconds`, `memory`
* `queries` with `vectors`: reads the queries into the engine's own type
* `search` with `queries` (numbers), `k`, `parameters`, `batch`: gives `nanoseconds` of every query, or of the batch;
  `ids`, `scores`; `cpu` and `wall` seconds of it all, which tell whether one thread was one
* `memory`

An error is an answer too: `{"error": ...}` with the traceback. What libraries print goes to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from importlib.metadata import distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from vectors import Vectors

if TYPE_CHECKING:
    from engines.engine import Engine

# What python -m venv and pip bring of their own accord.
TOOLS = {"pip", "setuptools", "wheel", "distribute"}


def memory() -> dict[str, int]:
    """Resident bytes of this process: all, those that no file backs, and the most there ever were."""
    fields = {}
    with open("/proc/self/status") as lines:
        for line in lines:
            key, _, rest = line.partition(":")
            if key in ("VmRSS", "RssAnon", "VmHWM"):
                fields[key] = int(rest.split()[0]) * 1024
    return {"rss": fields["VmRSS"], "anonymous": fields["RssAnon"], "peak": fields["VmHWM"]}


def environment_bytes() -> dict[str, int]:
    """Size of every package that the environment has, as its own record of files tells it."""
    sizes: dict[str, int] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name.lower() in TOOLS or name in sizes:
            continue
        files = [Path(str(distribution.locate_file(file))) for file in distribution.files or []]
        sizes[name] = sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")
    return sizes


class Worker:
    """Answers what the head of this file lists."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        return getattr(self, "do_" + request["do"])(request)

    def do_import(self, request: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        self.engine.load()
        seconds = time.perf_counter() - started
        versions = {name: version(name) for name in self.engine.packages}
        return {"seconds": seconds, "versions": versions, "packages": environment_bytes(), "memory": memory()}

    def do_build(self, request: dict[str, Any]) -> dict[str, Any]:
        before = memory()
        given = self.engine.given(Vectors.read(Path(request["vectors"])))
        loaded = memory()
        path = Path(request["path"])
        path.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        self.engine.build(given, path, request["threads"], **request["settings"])
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "before": before, "loaded": loaded, "memory": memory()}

    def do_open(self, request: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        self.engine.open(Path(request["path"]), request["threads"])
        return {"seconds": time.perf_counter() - started, "memory": memory()}

    def do_queries(self, request: dict[str, Any]) -> dict[str, Any]:
        found = Vectors.read(Path(request["vectors"])).queries
        self.queries = [self.engine.query(np.ascontiguousarray(q, np.float32)) for q in found]
        return {"queries": len(found)}

    def do_search(self, request: dict[str, Any]) -> dict[str, Any]:
        engine, k, parameters = self.engine, request["k"], request["parameters"]
        queries = [self.queries[number] for number in request["queries"]]
        engine.tune(parameters)
        nanoseconds, found = [], []
        cpu, wall = time.process_time(), time.perf_counter()
        if request["batch"]:
            started = time.perf_counter_ns()
            found = engine.search_batch(queries, k)
            nanoseconds.append(time.perf_counter_ns() - started)
        else:
            for query in queries:
                started = time.perf_counter_ns()
                one = engine.search(query, k)
                nanoseconds.append(time.perf_counter_ns() - started)
                found.append(one)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        hits = [engine.hits(one) for one in found]
        return {
            "nanoseconds": nanoseconds,
            "ids": [[int(number) for number, _ in one] for one in hits],
            "scores": [[float(score) for _, score in one] for one in hits],
            "cpu": cpu,
            "wall": wall,
        }

    def do_memory(self, request: dict[str, Any]) -> dict[str, Any]:
        return memory()


def main(name: str) -> None:
    # A library that prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(importlib.import_module(f"engines.{name}").ENGINE())
    for line in sys.stdin:
        try:
            answer = worker.answer(json.loads(line))
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])

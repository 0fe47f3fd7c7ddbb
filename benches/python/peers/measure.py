"""One run: builds every index, opens it cold and warm, judges every setting, then times the ones worth it, round by round.

Rounds are interleaved: each goes over every engine and setting once, in an order of its own, so that what else the machine does
falls on all alike. Ratios are made within a round.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import random
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import figures
import machine
import numpy as np
from child import Child, EngineError
from truth import truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vectors import Vectors

K, DEEP = 10, 100
MODES = ("single", "batch")


@dataclass
class Settings:
    """What the command line says."""

    engines: dict[str, Path]
    work: Path
    threads: list[int]
    rounds: int
    timed: int
    judged: int
    limit: float
    all_builds: frozenset[str]
    keep: bool


@dataclass
class Entry:
    """One index of one engine: its figures, and the process that serves it while it is timed."""

    engine: str
    build: str
    figures: dict[str, Any]
    points: list[dict[str, Any]] = field(default_factory=list)
    child: Child | None = None

    @property
    def label(self) -> str:
        return f"{self.engine}, {self.build}"


class Run:
    """Everything of one run."""

    def __init__(self, vectors: Vectors, settings: Settings, save: Callable[[dict[str, Any]], None]) -> None:
        self.vectors, self.settings, self.save = vectors, settings, save
        self.started = machine.about() | {"load": machine.load()}
        self.truth, self.about_truth = truth(vectors)
        self.entries: list[Entry] = []
        self.absent: list[dict[str, str]] = []
        self.loads: list[float] = []
        self.order = random.Random(7)
        settings.work.mkdir(parents=True, exist_ok=True)

    def go(self) -> dict[str, Any]:
        """Measure everything, and save what there is after every part: a run takes hours, and machines end."""
        for engine in self.settings.engines:
            self._build(engine)
            self.save(self.result())
        for number, threads in enumerate(self.settings.threads):
            self._serve(threads)
            if number == 0:
                self._each("judge", self._judge)
            self._each("batch", functools.partial(self._same_answers, threads=threads))
            self._rounds(threads)
            for entry in self.entries:
                if entry.child is not None:
                    entry.child.close()
            self.save(self.result())
        return self.result()

    def result(self) -> dict[str, Any]:
        """Give all figures that there are so far, as they are written."""
        return {
            "about": self.started,
            "vectors": self.vectors.about,
            "truth": self.about_truth,
            "loads": self.loads,
            "judged queries": self._count(self.settings.judged),
            "timed queries": self._count(self.settings.timed),
            "rounds": self.settings.rounds,
            "threads": self.settings.threads,
            "entries": [
                {"engine": e.engine, "build_name": e.build, **e.figures, "points": e.points}
                for e in self.entries
            ],
            "absent": self.absent,
        }

    def _count(self, wanted: int) -> int:
        return min(wanted, len(self.vectors.queries))

    def _path(self, engine: str, build: str) -> Path:
        return self.settings.work / engine / build.replace(" ", "-")

    def _start(self, engine: str, threads: int) -> Child:
        log = self.settings.work / f"{engine}.log"
        return Child(engine, self.settings.engines[engine], threads, log)

    def _missing(self, label: str, error: Exception) -> None:
        reason = str(error).strip()
        self.absent.append({"what": label, "reason": reason.splitlines()[-1], "error": reason})
        print(f"{label}: {reason}", flush=True)

    def _build(self, engine: str) -> None:
        """Build every index of an engine and open it cold and warm, each in a new process."""
        program = self.settings.engines[engine]
        if not program.exists():
            self._missing(
                engine, FileNotFoundError(f"no environment at {program}: make it with the command setup")
            )
            return
        given = importlib.import_module(f"engines.{engine}").ENGINE
        builds = list(given.builds.items())
        for name, settings in builds if engine in self.settings.all_builds else builds[:1]:
            label = f"{engine}, {name}"
            try:
                figures_ = self._built(engine, name, settings)
                figures_ |= {"opened": self._opened(engine, name)}
            except EngineError as error:
                self._missing(label, error)
                continue
            tokens = len(self.vectors.documents)
            size = sum(f.stat().st_size for f in self._path(engine, name).rglob("*") if f.is_file())
            figures_ |= {
                "settings": settings,
                "bytes": size,
                "bytes/token": size / tokens,
                "exact": given.exact,
            }
            self.entries.append(Entry(engine, name, figures_))
            print(
                f"{label}: built in {figures_['build']['seconds']:.1f} s, {size / tokens:.1f} bytes/token",
                flush=True,
            )

    def _built(self, engine: str, build: str, settings: dict[str, Any]) -> dict[str, Any]:
        path = self._path(engine, build)
        marker = path.with_suffix(".json")
        if self.settings.keep and marker.exists():
            return json.loads(marker.read_text())
        shutil.rmtree(path, ignore_errors=True)
        threads = max(self.settings.threads)
        child = self._start(engine, threads)
        try:
            imported = child.ask("import", 120)
            request = {
                "vectors": str(self.vectors.folder),
                "path": str(path),
                "settings": settings,
                "threads": threads,
            }
            built = child.ask("build", self.settings.limit, **request)
        finally:
            child.close()
        found = {"import": imported, "build": built | {"threads": threads, "load": machine.load()}}
        marker.write_text(json.dumps(found))
        return found

    def _opened(self, engine: str, build: str) -> dict[str, Any]:
        """Open with nothing of the index in the page cache, then again; the first query each time."""
        path = self._path(engine, build)
        found = {}
        for state in ("cold", "warm"):
            child = self._start(engine, 1)
            try:
                before = child.ask("import", 120)["memory"]
                child.ask("queries", 120, vectors=str(self.vectors.folder))
                if state == "cold":
                    _forget(path)
                opened = child.ask("open", self.settings.limit, path=str(path), threads=1)
                first = child.ask("search", 300, queries=[0], k=K, parameters={}, batch=False)
            finally:
                child.close()
            found[state] = {
                "seconds": opened["seconds"],
                "first query ms": first["nanoseconds"][0] / 1e6,
                "rss": opened["memory"]["rss"] - before["rss"],
                "anonymous": opened["memory"]["anonymous"] - before["anonymous"],
            }
        return found

    def _serve(self, threads: int) -> None:
        for entry in self.entries:
            entry.child = self._start(entry.engine, threads)

        def ready(entry: Entry) -> None:
            assert entry.child is not None
            entry.child.ask("import", 120)
            entry.child.ask("queries", 120, vectors=str(self.vectors.folder))
            entry.child.ask(
                "open", self.settings.limit, path=str(self._path(entry.engine, entry.build)), threads=threads
            )

        self._each("open", ready)

    def _each(self, what: str, act: Any) -> None:
        """Do something with every entry that still runs; one that fails is listed and leaves the run."""
        for entry in list(self.entries):
            try:
                act(entry)
            except (EngineError, figures.WrongAnswerError) as error:
                self._missing(f"{entry.label} ({what})", error)
                assert entry.child is not None
                entry.child.close()
                self.entries.remove(entry)

    def _search(
        self, entry: Entry, parameters: dict[str, Any], count: int, k: int, *, batch: bool
    ) -> dict[str, Any]:
        assert entry.child is not None
        request = {
            "queries": list(range(self._count(count))),
            "k": k,
            "parameters": parameters,
            "batch": batch,
        }
        return entry.child.ask("search", self.settings.limit, **request)

    def _judge(self, entry: Entry) -> None:
        """Check every answer of every setting and say how good it is; keep the settings that are worth timing."""
        sweep = importlib.import_module(f"engines.{entry.engine}").ENGINE.sweep
        exact, count = entry.figures["exact"], self._count(self.settings.judged)
        rows = self.truth[:count]
        for parameters in sweep:
            self._search(entry, parameters, 3, K, batch=False)  # Warms up.
            found = self._search(entry, parameters, count, K, batch=False)
            distance = figures.check(rows, found["ids"], found["scores"], K, exact)
            deep = self._search(entry, parameters, count, DEEP, batch=False)
            figures.check(rows, deep["ids"], deep["scores"], DEEP, exact)
            entry.points.append(
                {
                    "parameters": parameters,
                    "overlap@10": figures.overlap(rows, found["ids"], K),
                    "recall@100": figures.overlap(rows, deep["ids"], DEEP),
                    "score distance": distance,
                    "first look ms": float(np.median(found["nanoseconds"])) / 1e6,
                    "times": {},
                }
            )
        looks = [(point["first look ms"], point["overlap@10"]) for point in entry.points]
        worth = {0, *figures.frontier(looks)}
        for number, point in enumerate(entry.points):
            point["timed"] = number in worth
        best = max(point["overlap@10"] for point in entry.points)
        print(
            f"{entry.label}: {len(worth)} of {len(sweep)} settings timed, overlap@10 up to {best:.3f}",
            flush=True,
        )

    def _same_answers(self, entry: Entry, *, threads: int) -> None:
        """Batch and single must find the same, at every number of threads; how far they do is kept."""
        count = self._count(self.settings.timed)
        one = self._search(entry, {}, count, K, batch=False)
        many = self._search(entry, {}, count, K, batch=True)
        figures.check(self.truth[:count], many["ids"], many["scores"], K, entry.figures["exact"])
        same = np.mean([set(a) == set(b) for a, b in zip(one["ids"], many["ids"], strict=True)])
        entry.figures.setdefault("batch finds the same", {})[str(threads)] = float(same)

    def _rounds(self, threads: int) -> None:
        for number in range(self.settings.rounds):
            # The point itself, not its place: an entry that fails leaves the list while others go on.
            tasks = [
                (entry, point, mode)
                for entry in self.entries
                for point in entry.points
                if point["timed"]
                for mode in MODES
            ]
            self.order.shuffle(tasks)
            for entry, point, mode in tasks:
                if entry in self.entries:
                    self._time(entry, point, mode, threads)
            self.loads.append(machine.load())
            print(
                f"{threads} threads, round {number + 1} of {self.settings.rounds}: load {self.loads[-1]}",
                flush=True,
            )

    def _time(self, entry: Entry, point: dict[str, Any], mode: str, threads: int) -> None:
        try:
            found = self._search(entry, point["parameters"], self.settings.timed, K, batch=mode == "batch")
        except EngineError as error:
            self._missing(f"{entry.label} ({threads} threads)", error)
            self.entries.remove(entry)
            return
        each = np.array(found["nanoseconds"]) / 1e6
        times = point["times"].setdefault(f"{threads} {mode}", {"rounds": [], "p95": [], "busy": []})
        # A batch has one time; its milliseconds are those of a query.
        times["rounds"].append(
            float(np.median(each)) if mode == "single" else float(each[0]) / len(found["ids"])
        )
        times["p95"].append(float(np.quantile(each, 0.95)) if mode == "single" else None)
        times["busy"].append(found["cpu"] / found["wall"])


def _forget(path: Path) -> None:
    """Ask the system to drop the files from its page cache, as if they had not been read since it started."""
    os.sync()
    for file in path.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)

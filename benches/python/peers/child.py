"""The bench's side of an engine's process: starts `worker.py`, asks, and stops it in between.

A process that is not asked is stopped (SIGSTOP), so that no pool of threads that spins or prefetches takes from the one that is measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")
# Every library that the engines use reads one of these when it starts.
THREADS = ("OMP", "MKL", "OPENBLAS", "RAYON", "NUMEXPR", "BLIS", "VECLIB_MAXIMUM")


class EngineError(Exception):
    """The engine answered with an error, died, or took longer than it was given."""


class Child:
    """A process with one engine."""

    def __init__(self, name: str, program: Path, threads: int, log: Path) -> None:
        command = [str(program)] if program.name.endswith("-peer") else [str(program), str(WORKER), name]
        environment = dict(os.environ) | {f"{library}_NUM_THREADS": str(threads) for library in THREADS}
        environment |= {"CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
        if str(program) != sys.executable:
            # Environments must not see each other's packages.
            environment.pop("PYTHONPATH", None)
            environment["PATH"] = f"{program.parent}{os.pathsep}{environment.get('PATH', '')}"
        self.name = name
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
            )
        self.rest = b""

    def ask(self, do: str, limit: float, **request: Any) -> dict[str, Any]:
        """Ask, wait at most `limit` seconds for the answer, and stop the process again."""
        self.process.send_signal(signal.SIGCONT)
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": do} | request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise EngineError(self._ended(do)) from None
        answer = json.loads(self._line(do, limit))
        self.process.send_signal(signal.SIGSTOP)
        if "error" in answer:
            raise EngineError(f"{do}: {answer['error'].strip()}")
        return answer

    def _line(self, do: str, limit: float) -> bytes:
        assert self.process.stdout is not None
        until = time.monotonic() + limit
        while b"\n" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.process.kill()
                raise EngineError(f"{do}: no answer after {limit:.0f} s")
            part = os.read(self.process.stdout.fileno(), 1 << 20)
            if not part:
                raise EngineError(self._ended(do))
            self.rest += part
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def _ended(self, do: str) -> str:
        code = self.process.wait()
        last = self.log.read_text(errors="replace").strip().splitlines()[-3:]
        return f"{do}: the process ended with {code}: {' / '.join(last)}"

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        # What was written to a process that is gone can no longer be flushed.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

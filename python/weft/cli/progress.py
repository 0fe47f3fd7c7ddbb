"""A progress bar on standard error: how far, how fast, how long still.

It draws only on a terminal. Drawing is limited to ten times a second, because a report comes per document
and a terminal is slower than an encoder.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["ProgressBar", "duration"]

_INTERVAL = 0.1
_BAR = 24
_STAGES = {
    "check": "reading",
    "encode": "encoding",
    "import": "taking over",
    "invert": "inverting",
    "train": "training",
    "compress": "compressing",
    "merge": "merging",
    "write": "writing",
    "search": "searching",
    "compare": "comparing",
    "time": "timing",
}


class ProgressBar:
    """One line that is redrawn in place.

    Parameters
    ----------
    stream : text file, optional
        Standard error when None.
    shown : bool, optional
        Whether to draw; when None, on a terminal.
    clock : callable
        Seconds; another one in tests.
    """

    def __init__(
        self, stream: TextIO | None = None, *, shown: bool | None = None, clock: object = None
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty() if shown is None else shown
        self._clock = clock if callable(clock) else time.monotonic
        self._stage = ""
        self._began = 0.0
        self._drawn = 0.0
        self._length = 0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Report; this is what `weft.Index.add` takes as progress."""
        if not self._shown:
            return
        now = self._clock()
        if stage != self._stage:
            self._stage, self._began, self._drawn = stage, now, 0.0
        elif now - self._drawn < _INTERVAL and done != total:
            return
        self._drawn = now
        self._draw(self.line(stage, done, total, now - self._began))

    @staticmethod
    def line(stage: str, done: int, total: int | None, elapsed: float) -> str:
        """Format one state of the bar."""
        rate = done / elapsed if elapsed > 0.0 else 0.0
        speed = f"  {rate:,.1f}/s" if rate else ""
        name = f"{_STAGES.get(stage, stage):<11}"
        if not total:
            return f"{name} {done:,}{speed}"
        full = min(_BAR, _BAR * done // total)
        bar = "━" * full + "─" * (_BAR - full)
        left = f"  {duration((total - done) / rate)} left" if rate and done < total else ""
        return f"{name} {bar} {100 * done // total:3d} %  {done:,}/{total:,}{speed}{left}"

    def _draw(self, line: str) -> None:
        # Blanks wipe the rest of a longer line before it, on terminals without escape codes too.
        self._stream.write("\r" + line + " " * max(0, self._length - len(line)))
        self._stream.flush()
        self._length = len(line)

    def close(self) -> None:
        """Wipe the line."""
        if self._length:
            self._stream.write("\r" + " " * self._length + "\r")
            self._stream.flush()
            self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def duration(seconds: float) -> str:
    """Write a time span as a clock shows it: 0:07, 12:30, 1:02:03."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

"""Silence for libraries that warn of what is checked here anyway."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["quiet"]

_LOGGERS = ("optimum", "transformers", "torch.onnx")


@contextmanager
def quiet() -> Iterator[None]:
    """Let only errors of transformers, torch and optimum through.

    transformers names weights it does not use: those are judged in `network.py`. torch's tracer names every
    shape that becomes a constant: the check on texts of other shapes judges that.
    """
    from transformers.utils import logging as progress

    drawn = progress.is_progress_bar_enabled()
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        progress.disable_progress_bar()
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if drawn:
            progress.enable_progress_bar()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

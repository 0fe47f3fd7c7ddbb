"""The numbers that hold when the caller names none.

They stand here once, because the Python functions and the command line both show them. Settings of
the engine (bits, seed, what is probed) have their defaults in the engine: `None` here means "ask
it".
"""

from __future__ import annotations

__all__ = [
    "AGREEMENT",
    "ANSWER_DEPTHS",
    "EXPORT_OPSET",
    "LOCK_TIMEOUT",
    "MEASURES",
    "RUN_DEPTH",
    "RUN_TAG",
    "TUNE_QUERIES",
    "TUNE_TARGET",
    "WRITE_TOKENS",
    "K",
]

K = 10
"""Results of one search."""

RUN_DEPTH = 100
"""Results per query of a run file: what nDCG@10 and recall@100 need."""

MEASURES = ("nDCG@10", "R@100", "Success@5", "RR@10")
"""What an evaluation counts: what BEIR, MS MARCO and LoTTE are compared by."""

ANSWER_DEPTHS = (1, 5, 20, 100)
"""Depths at which an answer is looked for: those that papers on open-domain questions print."""

AGREEMENT = 100
"""Queries whose results an evaluation compares with exhaustive search, which costs far more than they did."""

TUNE_TARGET = 0.95
"""Share of the exhaustive top results that a tuned search is to find."""

TUNE_QUERIES = 300
"""Queries that tuning looks at: the standard error of their overlap is then about 0.005."""

RUN_TAG = "weft"
"""The sixth column of a run file."""

LOCK_TIMEOUT = 0.0
"""Seconds to wait for another writer: none, because a caller who waits should have said so."""

WRITE_TOKENS = 1 << 16
"""Token vectors collected before they go to the engine: 32 MiB at 128 dimensions in float32."""

EXPORT_OPSET = 18
"""Version of ONNX's operators in an export: optimum's own choice; ONNX Runtime reads it since 1.14."""

"""One ONNX graph, opened once: rows of ids in, a vector for each of them out.

Inputs are taken by name, the output by the names that exporters use.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import ModelError, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FINISHED", "EncoderSession", "available_threads"]

FINISHED = ("contextual", "output")
"""Outputs of exports that have the projection inside: colbert-ai's and Vespa's, next-plaid's."""

_OUTPUTS = (*FINISHED, "last_hidden_state", "token_embeddings")
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def available_threads() -> int:
    """Return how many processors this process may use, which a container may have narrowed."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class EncoderSession:
    """An opened graph.

    Parameters
    ----------
    path : Path
        The ONNX file; with `model`, the file that stands for it in messages.
    model : bytes, optional
        A graph from memory.
    constants : mapping of str to array, optional
        What the graph from memory names and does not hold.
    threads : int
        Threads of one run.
    providers : sequence of str
        ONNX Runtime's execution providers in order of preference; the processor is always the last.

    Raises
    ------
    ModelNotFound
        If onnxruntime is not installed or the file is not there.
    ModelError
        If the file is no graph that maps token ids to vectors, or a provider is not available.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int,
        providers: Sequence[str] = (),
        model: bytes | None = None,
        constants: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        # Newer releases write a device id and events to the user's cache folder when they are imported, and
        # this variable is the only way to stop them: the call that disables telemetry comes too late.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelNotFound("onnxruntime is not installed: pip install onnxruntime") from error
        if model is None and not path.is_file():
            raise ModelNotFound(f"{path}: no such file")
        present = onnxruntime.get_available_providers()
        missing = [name for name in providers if name not in present]
        if missing:
            raise ModelError(f"{missing[0]} is not in this onnxruntime, which has {present}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        # Spinning threads burn a core of a desktop between two searches for microseconds gained.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        # Warnings of the optimiser are not the user's business.
        options.log_severity_level = 3
        order = [*providers, *(["CPUExecutionProvider"] * ("CPUExecutionProvider" not in providers))]
        if constants:
            values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in constants.values()]
            options.add_external_initializers(list(constants), values)
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path) if model is None else model, sess_options=options, providers=order
            )
        # The runtime's own exceptions share no base below Exception.
        except Exception as error:
            raise ModelError(f"{path}: onnxruntime cannot open it: {error}") from error
        self.path = path
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())
        self._inputs = self._checked_inputs()
        self.output, self.dim = self._checked_output()

    def _checked_inputs(self) -> tuple[str, ...]:
        names = tuple(value.name for value in self._session.get_inputs())
        unknown = [name for name in names if name not in _INPUTS]
        if unknown or "input_ids" not in names:
            raise ModelError(f"{self.path}: takes {list(names)}, expected some of {list(_INPUTS)}")
        return names

    def _checked_output(self) -> tuple[str, int]:
        outputs = {value.name: value.shape for value in self._session.get_outputs()}
        rank_3 = [name for name, shape in outputs.items() if len(shape) == 3]
        name = next((name for name in _OUTPUTS if name in rank_3), rank_3[0] if rank_3 else None)
        if name is None:
            raise ModelError(f"{self.path}: no output of shape batch, length, dimension in {outputs}")
        self.output = name
        dim = outputs[name][2]
        if isinstance(dim, int):
            return name, dim
        probe = np.zeros((1, 4), np.int64)
        return name, int(self.run(probe, np.ones_like(probe)).shape[2])

    def run(self, ids: NDArray[np.int64], attention: NDArray[np.int64]) -> NDArray[np.float32]:
        """Run one batch.

        Parameters
        ----------
        ids, attention : int64 [batch, length]
            Token ids, and 1 where a token may be attended to.

        Returns
        -------
        float32 [batch, length, dim]
            One vector per position, padding included, as the graph gives it.

        Raises
        ------
        ModelError
            If the graph does not run with these ids.
        """
        given = {"input_ids": ids, "attention_mask": attention}
        if "token_type_ids" in self._inputs:
            given["token_type_ids"] = np.zeros_like(ids)
        feed = {name: given[name] for name in self._inputs}
        try:
            (vectors,) = self._session.run([self.output], feed)
        # As above. An id without a row, or too little memory.
        except Exception as error:
            raise ModelError(f"{self.path}: onnxruntime cannot run it: {error}") from error
        return np.asarray(vectors, dtype=np.float32)

"""Turning a safetensors checkpoint into an ONNX export that Weft opens without torch.

`export_model` is the way in. `requirements.py` says what must be installed, `source.py` reads the checkpoint
without running anything of it, `network.py` and `graph.py` (torch, optimum) build and trace the network,
`verify.py` compares it with its source, `int8.py` and `retrieval.py` quantise and measure what that costs.
"""

from __future__ import annotations

from weft.model_export.export import OPSETS, export_model
from weft.model_export.report import ExportReport

__all__ = ["OPSETS", "ExportReport", "export_model"]

"""Export the Stanford checkpoint to ONNX, as fastembed's and Vespa's models are: ``export_onnx.py DIRECTORY``.

Inputs `input_ids` and `attention_mask`, output `contextual` of unit vectors; the tokenizer's files beside it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from checkpoints import CHECKPOINTS
from colbert.infra import ColBERTConfig
from colbert.modeling.base_colbert import BaseColBERT

SOURCE = CHECKPOINTS / "stanford"


class Contextual(torch.nn.Module):
    """Backbone, projection and division by the length."""

    def __init__(self, model: BaseColBERT) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return unit vectors [batch, length, dim]."""
        states = self.model.bert(input_ids, attention_mask=attention_mask)[0]
        return torch.nn.functional.normalize(self.model.linear(states), dim=-1)


def main() -> None:
    """Write `model.onnx` and copy the small files."""
    (output,) = map(Path, sys.argv[1:])
    output.mkdir(parents=True, exist_ok=True)
    model = BaseColBERT(str(SOURCE), ColBERTConfig()).eval()
    probe = torch.arange(12).reshape(2, 6)
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(
        Contextual(model),
        (probe, torch.ones_like(probe)),
        output / "model.onnx",
        input_names=["input_ids", "attention_mask"],
        output_names=["contextual"],
        dynamic_axes=dict.fromkeys(("input_ids", "attention_mask", "contextual"), axes),
        opset_version=17,
        dynamo=False,
    )
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copyfile(SOURCE / name, output / name)


if __name__ == "__main__":
    main()

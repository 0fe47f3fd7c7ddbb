"""Make the goldens of `torch`: small files of torch.save, some that are read and some that are refused.

Run it with torch 2.11.0: python tests/reference/indexes/tensor_files.py
"""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

GOLDEN = Path(__file__).parents[1] / "golden" / "torch"
KINDS = {
    "half": torch.float16,
    "float": torch.float32,
    "bfloat16": torch.bfloat16,
    "byte": torch.uint8,
    "int": torch.int32,
    "long": torch.int64,
}


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    expected = {}
    for name, kind in KINDS.items():
        numbers = torch.tensor([[1, 2, 3], [40, 50, 64]]).to(kind)
        torch.save(numbers, GOLDEN / f"{name}.pt")
        expected[f"{name}.pt"] = [numbers.tolist()]
    tens = torch.arange(10, dtype=torch.int32)
    read = {
        "scalar.pt": torch.tensor(0.5),
        "empty.pt": torch.zeros((0, 8), dtype=torch.uint8),
        "slice.pt": tens[3:7],
        "pair.pt": (torch.tensor([0.25, 0.5, 0.75]), torch.tensor([0.125, 0.375, 0.625, 0.875]).half()),
    }
    for name, value in read.items():
        torch.save(value, GOLDEN / name)
        expected[name] = [one.tolist() for one in (value if isinstance(value, tuple) else (value,))]
    refused = {
        "transposed.pt": torch.arange(6).reshape(2, 3).T,
        "expanded.pt": torch.tensor([1.0]).expand(1000),
        "double.pt": torch.tensor([1.0], dtype=torch.float64),
        "state.pt": OrderedDict(weight=tens),
        "parameter.pt": torch.nn.Parameter(torch.tensor([1.0])),
        "list.pt": [tens, tens],
        "module.pt": torch.nn.Linear(1, 1),
        "number.pt": 7,
        "sparse.pt": torch.eye(2).to_sparse(),
        "array.pt": np.arange(3),
    }
    for name, value in refused.items():
        torch.save(value, GOLDEN / name)
    torch.save(tens, GOLDEN / "before-zip.pt", _use_new_zipfile_serialization=False)
    (GOLDEN / "expected.json").write_text(
        json.dumps(
            {
                "versions": {"torch": torch.__version__},
                "read": expected,
                "refused": [*refused, "before-zip.pt"],
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()

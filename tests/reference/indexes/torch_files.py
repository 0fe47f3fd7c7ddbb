"""Write an index's `.pt` files again, by torch itself, in forms that other machines and releases leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path


def as_if_built_on_gpu(index: Path) -> None:
    """Tag storages that lived on the device with cuda:0 and halve what a GPU build halves.

    On a GPU colbert-ai 0.2.22 saves centroids, bucket weights and avg_residual as float16 and the cut-offs as float32
    from the device; codes, residuals and the IVF are moved to the CPU first.
    """
    own = torch.serialization.location_tag
    torch.serialization.location_tag = lambda storage: "cuda:0"
    try:
        torch.save(torch.load(index / "centroids.pt"), index / "centroids.pt")
        cutoffs, weights = torch.load(index / "buckets.pt")
        torch.save((cutoffs, weights.half()), index / "buckets.pt")
        # Also the shape that the library gives an average that was a plain number.
        torch.save(torch.load(index / "avg_residual.pt").half().reshape(1), index / "avg_residual.pt")
    finally:
        torch.serialization.location_tag = own


def as_if_before_zip(index: Path) -> None:
    """Use the container of torch before 1.6: pickles and raw storages one after another."""
    for path in index.glob("*.pt"):
        tensors: Any = torch.load(path)
        torch.save(tensors, path, _use_new_zipfile_serialization=False)

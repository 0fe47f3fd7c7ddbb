"""The settings that an index of colbert-ai carries: its ColBERTConfig, with what the model needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from weft import encoding
from weft.errors import WeftError

if TYPE_CHECKING:
    from pathlib import Path

    from weft.index import Index

__all__ = ["colbert_settings"]

_DEFAULTS: dict[str, Any] = {
    "query_token_id": "[unused0]",
    "doc_token_id": "[unused1]",
    "query_token": "[Q]",
    "doc_token": "[D]",
    "ncells": None,
    "centroid_score_threshold": None,
    "ndocs": None,
    "load_index_with_mmap": False,
    "index_path": None,
    "index_bsize": 64,
    "nbits": 2,
    "kmeans_niters": 4,
    "resume": False,
    "pool_factor": 1,
    "clustering_mode": "hierarchical",
    "protected_tokens": 0,
    "similarity": "cosine",
    "bsize": 32,
    "accumsteps": 1,
    "lr": 3e-6,
    "maxsteps": 500_000,
    "save_every": None,
    "warmup": None,
    "warmup_bert": None,
    "relu": False,
    "nway": 2,
    "use_ib_negatives": False,
    "reranker": False,
    "distillation_alpha": 1.0,
    "ignore_scores": False,
    "model_name": None,
    "query_maxlen": 32,
    "attend_to_mask_tokens": False,
    "interaction": "colbert",
    "dim": 128,
    "doc_maxlen": 220,
    "mask_punctuation": True,
    "checkpoint": None,
    "triples": None,
    "collection": None,
    "queries": None,
    "index_name": None,
    "overwrite": False,
    "root": "experiments",
    "experiment": "default",
    "index_root": None,
    "name": "weft",
    "rank": 0,
    "nranks": 1,
    "amp": True,
    "avoid_fork_if_possible": False,
}
"""What colbert-ai 0.2.22 has in ``infra/config/settings.py``; the number of GPUs is left to the machine."""


def colbert_settings(index: Index, destination: Path, *, dim: int, nbits: int) -> dict[str, Any]:
    """Make the settings of an exported index.

    Parameters
    ----------
    index : Index
        What is exported.
    destination : Path
        Where the export will be: the settings name the collection in it.
    dim, nbits : int
        Of its codebook.

    Returns
    -------
    dict
        ``checkpoint`` is the model's directory or hub id, or None when nobody else could open it by that.
    """
    settings = _DEFAULTS | {
        "dim": dim,
        "nbits": nbits,
        "index_name": destination.name,
        "collection": str(destination / "collection.tsv"),
    }
    remembered = index._native.encoder()
    if remembered is None:
        return settings
    known = json.loads(remembered)
    found = known.get("directory") or known.get("path")
    if found is None or found == "default":
        # An object of the caller's, or the bundled model, which is no checkpoint of torch.
        return settings
    settings["checkpoint"] = found
    try:
        opened = encoding.open_encoder(found, None, offline=True)
    except WeftError:
        # Not on this machine: the checkpoint's own settings hold where it is.
        return settings
    ours = getattr(opened, "settings", None)
    if ours is not None:
        settings |= {
            "query_maxlen": ours.query_length,
            "doc_maxlen": ours.document_length,
            "attend_to_mask_tokens": ours.attend_to_expansion,
            "mask_punctuation": bool(ours.skiplist),
            "query_token_id": ours.query_marker,
            "doc_token_id": ours.document_marker,
        }
    return settings

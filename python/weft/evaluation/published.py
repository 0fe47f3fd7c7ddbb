"""What was published for ColBERTv2: the row that a reader wants beside his own."""

from __future__ import annotations

__all__ = ["BEIR", "BEIR_MEASURE", "LOTTE", "LOTTE_MEASURE", "SOURCE"]

SOURCE = "ColBERTv2: Santhanam et al., NAACL 2022 (arXiv:2112.01488), table 5"

LOTTE_MEASURE = "Success@5"
LOTTE: dict[tuple[str, str], float] = {
    ("writing", "search"): 0.801,
    ("writing", "forum"): 0.763,
    ("recreation", "search"): 0.723,
    ("recreation", "forum"): 0.708,
    ("science", "search"): 0.567,
    ("science", "forum"): 0.461,
    ("technology", "search"): 0.661,
    ("technology", "forum"): 0.536,
    ("lifestyle", "search"): 0.847,
    ("lifestyle", "forum"): 0.769,
    ("pooled", "search"): 0.716,
    ("pooled", "forum"): 0.634,
}
"""By domain and kind of question, on the test split."""

BEIR_MEASURE = "nDCG@10"
BEIR: dict[str, float] = {
    "arguana": 0.463,
    "climate-fever": 0.176,
    "dbpedia-entity": 0.446,
    "fever": 0.785,
    "fiqa": 0.356,
    "hotpotqa": 0.667,
    "nfcorpus": 0.338,
    "nq": 0.562,
    "quora": 0.852,
    "scidocs": 0.154,
    "scifact": 0.693,
    "trec-covid": 0.738,
    "webis-touche2020": 0.263,
}
"""By the folder's name in BEIR, on the test split. CQADupStack, and what the paper left out, have no row."""

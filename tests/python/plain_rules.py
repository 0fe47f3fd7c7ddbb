"""What the collections' own scripts count, said once more in a few lines each, without Weft.

Sources: ColBERT's utility/evaluate/evaluate_lotte_rankings.py and msmarco_passages.py, BEIR's use of trec_eval,
DPR's dpr/data/qa_validation.py with the SimpleTokenizer of dpr/utils/tokenizers.py.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def lotte_success(ranking: Path, qas: Path, k: int = 5) -> float:
    found = defaultdict(list)
    for line in ranking.read_text().splitlines():
        qid, pid, rank = (int(field) for field in line.split("\t")[:3])
        found[qid].append(pid)
        assert rank == len(found[qid])
    rows = [json.loads(line) for line in qas.read_text().splitlines()]
    return sum(bool(set(found[row["qid"]][:k]) & set(row["answer_pids"])) for row in rows) / len(rows)


def msmarco(ranking: Path, qrels: Path, depth: int = 10) -> dict[str, float]:
    positives, found = defaultdict(list), defaultdict(list)
    for line in qrels.read_text().splitlines():
        qid, _, pid, label = map(int, line.split())
        assert label == 1
        positives[qid].append(pid)
    for line in ranking.read_text().splitlines():
        qid, pid, _rank, *_score = line.split("\t")
        found[int(qid)].append(int(pid))
    mrr = recall = 0.0
    for qid, wanted in positives.items():
        places = [place for place, pid in enumerate(found[qid], start=1) if pid in wanted]
        mrr += 1 / places[0] if places and places[0] <= 10 else 0.0
        recall += sum(place <= depth for place in places) / len(wanted)
    return {"RR@10": mrr / len(positives), f"R@{depth}": recall / len(positives)}


def ndcg(ranking: list[str], grades: dict[str, int], k: int = 10) -> float:
    gains = [grades.get(document, 0) for document in ranking[:k]]
    ideal = sorted(grades.values(), reverse=True)[:k]
    best = sum(gain / math.log2(place + 2) for place, gain in enumerate(ideal))
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains)) / best if best else 0.0


def dpr_tokens(text: str) -> list[str]:
    found: list[str] = []
    inside = False
    for character in unicodedata.normalize("NFD", text):
        major = unicodedata.category(character)[0]
        if major in "LNM" and inside:
            found[-1] += character
        elif major not in "ZC":
            found.append(character)
        inside = major in "LNM"
    return [token.lower() for token in found]


def dpr_has_answer(answers: list[str], text: str) -> bool:
    words = dpr_tokens(text)
    for answer in map(dpr_tokens, answers):
        for i in range(len(words) - len(answer) + 1):
            if words[i : i + len(answer)] == answer:
                return True
    return False

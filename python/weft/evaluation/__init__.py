"""How good the rankings are: judgements in, measures out.

`evaluate` asks an index the judged queries; `evaluate_run` judges a ranking that somebody wrote;
`evaluate_answers` looks for answer strings. What the collections' own scripts count is counted as
they count it: every judged query counts, one without a ranking as a failure. The measures are those
of ir_measures, from the extra ``weft[eval]``.

>>> from weft.evaluation import evaluate_run
>>> evaluate_run({"q": [("b", 2.0), ("a", 1.5)]}, {"q": {"a": 1}}, measures=["RR@10"]).means
{'RR@10': 0.5}
"""

from __future__ import annotations

from weft.evaluation.agreement import Agreement
from weft.evaluation.answers import evaluate_answers
from weft.evaluation.judging import evaluate, evaluate_run
from weft.evaluation.qrels import read_qrels
from weft.evaluation.questions import Question, read_questions
from weft.evaluation.rankings import read_run
from weft.evaluation.result import Evaluation

__all__ = [
    "Agreement",
    "Evaluation",
    "Question",
    "evaluate",
    "evaluate_answers",
    "evaluate_run",
    "read_qrels",
    "read_questions",
    "read_run",
]

"""Whether a passage holds an answer, by the rule of DPR's qa_validation, which open-domain papers share.

Text and answer are brought to NFD and cut into tokens: runs of letters, digits and marks, and every other
character alone unless it is a separator or a control. The answer is in the passage when its tokens, in lower
case, stand there one after the other. For TREC questions the answers are regular expressions instead.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["as_pattern", "matches", "tokens", "tokens_in"]

_TOKEN = re.compile("w+|x")


class _Kinds(dict[int, str]):
    """What kind of character each is: w in a word, x alone, a blank for what separates."""

    def __missing__(self, code: int) -> str:
        major = unicodedata.category(chr(code))[0]
        self[code] = kind = "w" if major in "LNM" else " " if major in "ZC" else "x"
        return kind


_KINDS = _Kinds()


@lru_cache(maxsize=1 << 14)
def tokens(text: str) -> str:
    r"""Cut a text into tokens in lower case; passages come again with the next question, and are kept.

    They are given as one string, each between zero characters, which no token has: one list of tokens
    stands in another where one string stands in the other, and that is found fast.

    Examples
    --------
    >>> tokens("Röntgen's $12").split("\0")
    ['', 'röntgen', "'", 's', '$', '12', '']
    """
    text = unicodedata.normalize("NFD", text)
    # One character each, so that places in both are the same; lower case may be longer, so it comes last.
    kinds = text.translate(_KINDS)
    found = [text[one.start() : one.end()].lower() for one in _TOKEN.finditer(kinds)]
    return "\0".join(("", *found, ""))


def tokens_in(text: str, answers: Iterable[str]) -> bool:
    """Say whether the tokens of one of the answers, from `tokens`, stand in the text one after the other."""
    present = tokens(text)
    return any(answer in present for answer in answers)


def as_pattern(answer: str) -> re.Pattern[str] | None:
    """Compile an answer that is a regular expression; None for one that is none, and never matches."""
    try:
        return re.compile(unicodedata.normalize("NFD", answer), re.IGNORECASE | re.MULTILINE)
    except (re.error, RecursionError, OverflowError):
        return None


def matches(text: str, patterns: Iterable[re.Pattern[str]]) -> bool:
    """Say whether one of the patterns is found in the text."""
    normal = unicodedata.normalize("NFD", text)
    return any(pattern.search(normal) is not None for pattern in patterns)

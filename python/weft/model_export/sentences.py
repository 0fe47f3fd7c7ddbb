"""The texts an export is checked on: real ones of every length, and those that break tokenizers and masks."""

from __future__ import annotations

from weft.sample import passages, questions

__all__ = ["passages_to_check", "queries_to_check"]

_REAL = 48
_LONGEST = 6000
"""Characters of the longest text: past the limit of most models, and still quick in plain attention where it
is not."""

_AWKWARD = (
    "",
    " ",
    "...",
    "?!",
    "a",
    "I",
    "\tone line\r\nand another\n\n",
    "STOP SHOUTING AT THE LOOM",
    "3.14159 -273.15 1,000,000 1e-7 0x1F 50 % £12.50",
    "weft@example.org or https://example.org/a?b=c&d=%20#e",
    "for i in range(10): print(f'{i:>3}')  # code",
    "state-of-the-art, co-operate, don't, it's, rock'n'roll",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "naïve café, Ærøskøbing, Škoda, Đorđe, ﬁne ligatures, x² + y²",
    "e\u0301 is é when composed; \u200bzero\u200bwidth\u200b blanks",
    "東京は日本の首都です。織物は古い技術だ。",
    "Москва и Санкт-Петербург",
    "السلام عليكم ورحمة الله",
    "नमस्ते दुनिया",
    "🧵🪡 emoji 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "[MASK] [SEP] [PAD] [unused0] <mask> </s> <|endoftext|>",
    "the the the the the the the the the the the the the the the the",
    "x" * 400,
)


def passages_to_check() -> list[str]:
    """Return passages of Wikipedia from a sentence to many paragraphs, and the awkward texts, mixed.

    Neighbours differ in length, so that a batch of neighbours is padded.
    """
    records = passages()
    paragraphs = [record["text"] for record in records[:: len(records) // _REAL]][:_REAL]
    # A third are cut to their first sentence, a third stay, a third are joined with the one before.
    texts = []
    for number, text in enumerate(paragraphs):
        if number % 3 == 0:
            texts.append(text.partition(". ")[0] + ".")
        elif number % 3 == 1:
            texts.append(text)
        else:
            texts.append(f"{paragraphs[number - 1]} {text}")
    texts.append(" ".join(record["text"] for record in records[:20])[:_LONGEST])
    mixed = []
    for number, text in enumerate(texts):
        mixed.append(text)
        mixed += _AWKWARD[number // 2 : number // 2 + 1] if number % 2 else ()
    return mixed + list(_AWKWARD[len(texts) // 2 :])


def queries_to_check() -> list[str]:
    """Return real questions, titles of articles, and short awkward texts."""
    titles = [record["title"] for record in passages()[::150]]
    return [*questions(), *titles, *_AWKWARD[:6]]

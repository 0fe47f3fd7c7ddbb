"""The texts that every toy checkpoint encodes, as queries and as passages: real ones and awkward ones."""

from __future__ import annotations

_LONG = (
    "The first lighthouse on the rock was built of wood, and the sea took it in the great storm of 1703 together with "
    "the man who had designed it; the second burned down in 1755, and the third, of granite blocks cut so that each "
    "holds its neighbours, stood for more than a hundred years until the rock beneath it began to give way."
)

TEXTS = (
    "what color is amber urine",
    "who got the first nobel prize in physics",
    "When was the last time the river froze over?",
    "Amber is a fossil resin, and most of it comes from the shores of the Baltic Sea.",
    "A seismometer detects the waves of an earthquake long before the shaking is felt, at 6.5 km/s.",
    "the of and in to a",
    "a",
    "I",
    "1901, 150,782 and 7.731.004",
    "It's the king's; don't \"quote\" it (twice).",
    "U.S.A. e.g. i.e. etc.",
    "state-of-the-art_method v2.0 #hashtag @home",
    "https://example.org/path?query=1&other=two",
    "def f(x): return x**2 + 1  # comment",
    "",
    " ",
    " \t\n ",
    "...",
    "?!",
    "\u2014 \u2026 \u201cquoted\u201d \u2019",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "\u6771\u4eac\u306f\u65e5\u672c\u306e\u9996\u90fd\u3067\u3059\u3002",
    "\u041c\u043e\u0441\u043a\u0432\u0430 \u0441\u0442\u043e\u0438\u0442 \u043d\u0430 \u0440\u0435\u043a\u0435",
    "\U0001f9f5 \U0001f600\U0001f469\u200d\U0001f52c",
    "Caf\u00e9 na\u00efve R\u00f6ntgen Sk\u0142odowska \u00c5ngstr\u00f6m",
    "Cafe\u0301 in two code points",
    "\ufb01ne \u00bd \u2460 \uff21\uff22\uff23 full width",
    "STRASSE Stra\u00dfe \u0130stanbul ISTANBUL",
    "  blanks before and behind  ",
    "blanks   in  the\u00a0middle",
    "two\nlines\r\nand a\ttab",
    "zero\u200bwidth and soft\u00adhyphen and \ufeffmark",
    "control\x00\x01characters\x7f",
    "the [MASK] of zorro",
    "a literal [PAD] and a [SEP] and a [CLS] and an [UNK]",
    "[Q] marker in front",
    "a [D] marker and a [Q] marker within",
    "[unused0] and [unused1]",
    "<s> <mask> </s> <pad>",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 120,
    "how many of the people who lived in the city in the first year of the war left it before the end of it",
    _LONG,
    _LONG + "\n\n" + _LONG,
)

"""Thousands of random strings: ids, attention and kept tokens of a library against Weft's.

    ENVIRONMENTS/LIBRARY/bin/python strings.py LIBRARY OUTPUT
    python strings.py weft OUTPUT

The first, for colbert-ai, pylate and sentence-transformers in their environments, writes OUTPUT/LIBRARY.json; the second, where
Weft is installed, compares and prints a row per checkpoint. The strings mix scripts, controls, odd white space, combining marks,
emoji and the names of special tokens. No network is run, so a minute is enough for each.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import checkpoints
import encoder_golden

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("query", "document")
COUNT = 4000

ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz     ",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ ",
    "0123456789.,-/ ",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ",
    " \t\n\r\u00a0\u2003\u200b\u3000\u2028\u0085\ufeff\u00ad",
    "\u00e9\u00e8\u00fc\u00f6\u00e4\u00df\u00f1\u00e7\u00f8\u00e5\u0142\u0151\u0131\u0130\u015f\u0178\u01c5",
    "\u0391\u0392\u0393\u0394\u03a3\u03c2\u03c3\u03bf\u03b4 \u0416\u0438\u0437\u043d\u044c",
    "\u65e5\u672c\u8a9e\u4e2d\u6587\ud55c\uad6d\uc5b4\u3001\u3002\u300c\u300d",
    "\U0001f600\U0001f469\u200d\U0001f52c\U0001f9f5\U0001f1e9\U0001f1ea\u2764\ufe0f",
    "\ufb01\u00bd\u2460\uff21\uff22\u2163\u2122\u2103",
    "\u0301\u0308\u0327e o",
    "\x00\x01\x1f\x7f\ufffd\u0600\u202e",
)
NAMES = (
    "[MASK]", "[PAD]", "[Q] ", "[D] ", "[UNK]", "[CLS]", "[SEP]", "[unused0]", "[unused1]", "<mask>", "<pad>", "<s>",
    "</s>", "<unk>", "[QueryMarker]", "[q]", "[mask]", " [Q]", "[Q]  [D] ",
)  # fmt: skip


def strings() -> list[str]:
    """Return the strings, the same ones every time."""
    source = random.Random(5)
    return ["".join(_piece(source) for _ in range(source.randint(1, 8))) for _ in range(COUNT)]


def _piece(source: random.Random) -> str:
    if source.random() < 0.15:
        return source.choice(NAMES)
    alphabet = source.choice(ALPHABETS)
    return "".join(source.choice(alphabet) for _ in range(source.randint(1, 8)))


Row = tuple[list[int], list[int], list[int]]
"""Ids, attention and kept places."""


def colbert(path: str, kind: str) -> Iterator[Row]:
    """What colbert-ai gives to the network."""
    import run_colbert

    model = run_colbert.load(path)
    tokenizer = model.query_tokenizer if kind == "query" else model.doc_tokenizer
    ids, attention = tokenizer.tensorize(strings())
    skiplist = {} if kind == "query" else model.skiplist
    for row, attended, kept in zip(ids, attention, model.mask(ids, skiplist=skiplist), strict=True):
        # Passages are padded to the longest: what is kept ends where attention does.
        end = len(row) if kind == "query" else int(attended.sum())
        yield row[:end].tolist(), attended[:end].tolist(), [place for place in range(end) if kept[place]]


def pylate(path: str, kind: str) -> Iterator[Row]:
    """What PyLate gives to the network."""
    from pylate import models

    model = models.ColBERT(path, device="cpu", local_files_only=True)
    for text in strings():
        given = model.tokenize([model.prompts.get(kind, "") + text], is_query=kind == "query")
        ids, attention = given["input_ids"][0], given["attention_mask"][0]
        if kind == "query":
            kept = range(len(ids))
        else:
            (mask,) = model.skiplist_mask(given["input_ids"], model.skiplist)
            kept = [place for place, keep in enumerate((mask.bool() & attention.bool()).tolist()) if keep]
        yield ids.tolist(), attention.tolist(), list(kept)


def sentence_transformers(path: str, kind: str) -> Iterator[Row]:
    """What Sentence Transformers 6 gives to the network; the module behind the Dense layer says what is kept."""
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(path, device="cpu", local_files_only=True)
    for text in strings():
        given = model.preprocess([text], prompt=model.prompts.get(kind), task=kind)
        mask = model[2](dict(given), task=kind)["attention_mask"][0].tolist()
        ids, attention = given["input_ids"][0].tolist(), given["attention_mask"][0].tolist()
        yield ids, attention, [place for place, keep in enumerate(mask) if keep]


LIBRARIES = {"colbert-ai": colbert, "pylate": pylate, "sentence-transformers": sentence_transformers}
OWN = {"colbert-ai": "stanford", "pylate": "pylate", "sentence-transformers": "st6"}
"""How the names of a library's own checkpoints begin; those of others it reads in its own way."""


def run(library: str, output: Path) -> None:
    """Write what a library does with the strings."""
    results = {}
    for of, checkpoint in encoder_golden.names():
        if of == library and checkpoint.startswith(OWN[library]):
            with checkpoints.opened(checkpoint) as path:
                results[checkpoint] = {kind: list(LIBRARIES[library](path, kind)) for kind in KINDS}
    output.mkdir(parents=True, exist_ok=True)
    (output / f"{library}.json").write_text(json.dumps(results), encoding="utf-8")


def compare(output: Path) -> None:
    """Print how many strings Weft makes other rows of."""
    from deviations import deviates
    from weft import Encoder

    print("| library | checkpoint | kind | strings | differ on purpose | differ |")
    print("| --- | --- | --- | --- | --- | --- |")
    for library in LIBRARIES:
        for checkpoint, kinds in json.loads((output / f"{library}.json").read_text(encoding="utf-8")).items():
            with TemporaryDirectory() as folder:
                encoder = Encoder.open(checkpoints.copy(checkpoint, Path(folder) / "copy"), threads=1)
            tokens = encoder._tokeniser
            for kind, rows in kinds.items():
                read = tokens.queries if kind == "query" else tokens.documents
                purpose = different = 0
                for text, row, own in zip(strings(), rows, read(strings(), truncate=True), strict=True):
                    attended = (
                        len(own.ids) if kind == "query" and tokens.settings.attend_to_expansion else own.real
                    )
                    attention = [int(place < attended) for place in range(len(own.ids))]
                    same = [own.ids, attention, tokens.kept(own.ids, kind)] == row
                    meant = deviates(
                        library,
                        checkpoint,
                        kind,
                        encoder_golden.Golden(text, *row, encoder_golden.NOTHING),
                        tokens,
                    )
                    purpose += meant
                    different += same == meant
                print(f"| {library} | `{checkpoint}` | {kind} | {len(rows)} | {purpose} | {different} |")


def main() -> None:
    """Run a library, or compare."""
    library, output = sys.argv[1:]
    if library == "weft":
        compare(Path(output))
    else:
        run(library, Path(output))


if __name__ == "__main__":
    main()

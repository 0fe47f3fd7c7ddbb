"""A process that changes an index step by step, the same way every time, and says what it has committed.

Step `n` replaces one document, adds or deletes others, and leaves every document carrying one number in text, metadata and vectors.
A reader that knows the step knows every byte: `expected` tells.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from weft import _core

DIM = 8
#: Documents live for so many steps; some are written anew on the way.
LIFE, RENEWAL = 40, 7
SETTINGS = {"threads": 1, "train_tokens": 300, "lock_timeout": 60.0}


def expected(step):
    """Documents after a step, and the step that wrote each."""
    found = {}
    for first in range(max(0, step - LIFE), step):
        for part in range(2):
            number = 2 * first + part
            later = first + RENEWAL
            found[f"d{number}"] = later if part and later < step else first
    return found


def rows(name, step):
    """Vectors that tell the document and the step that wrote it: the two in the angle, as a code of two bits would keep them."""
    rng = np.random.default_rng([int(name[1:]), step])
    values = rng.standard_normal((4, DIM)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def put(writer, names, step):
    none = [None] * len(names)
    metadata = [json.dumps({"step": step, "name": name}) for name in names]
    vectors = np.concatenate([rows(name, step) for name in names])
    texts = [f"{name} of step {step}" for name in names]
    writer.add(names, texts, none, metadata, [[] for _ in names], [4] * len(names), vectors)


def make(index, step):
    """Make a step: one commit that adds two documents, replaces one of before, deletes two that are old."""
    writer = index.begin()
    put(writer, [f"d{2 * step}", f"d{2 * step + 1}"], step)
    if step >= RENEWAL:
        put(writer, [f"d{2 * (step - RENEWAL) + 1}"], step)
    if step >= LIFE:
        old = [f"d{2 * (step - LIFE) + part}" for part in range(2)]
        assert writer.delete(old) == 2
    return writer.commit()["generation"]


def torn(index, first, last):
    """What is wrong with one read: nothing if it is the state of one step, from `first` to `last`. Gives the step, and problems.

    The ids, texts, metadata and vectors of one search come from one snapshot.
    """
    query = rows("d0", 0)
    hits = index.search([query], 1000, exact=True)[0]
    seen, problems = {}, []
    for hit in hits:
        name, score, text, metadata = hit[0], hit[1], hit[7], hit[9]
        step = json.loads(metadata)["step"]
        seen[name] = step
        if text != f"{name} of step {step}" or json.loads(metadata)["name"] != name:
            problems.append(f"{name}: {text!r} with {metadata}")
        wanted = (query @ rows(name, step).T).max(axis=1).sum()
        # Two bits a component keep so much of a score; vectors of another document or step are farther off in some hit at once.
        if abs(score - wanted) > 0.8:
            problems.append(f"{name}: score {score}, of the vectors of step {step} {wanted}")
    step = max(seen.values(), default=-1) + 1
    if not first <= step <= last:
        problems.append(f"step {step} is seen, {first} to {last} can be")
    if seen != expected(step):
        problems.append(
            f"not the documents of step {step}: {sorted(set(seen.items()) ^ set(expected(step).items()))[:6]}"
        )
    return step, problems


if __name__ == "__main__":
    index = _core.Index.open(sys.argv[1], create=True, **SETTINGS)
    for step in range(int(sys.argv[2]), int(sys.argv[3])):
        make(index, step)
        print(step + 1, flush=True)

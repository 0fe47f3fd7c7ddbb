"""A life of an index in steps of one commit each, and what must be seen after every one.

A document carries the number of the step that wrote it in its text, in its metadata and in its vectors, so that a mixture of two
states shows. Sizes are the least at which every kind of commit happens: uncompressed ones, training, merging.
"""

from __future__ import annotations

import json

import numpy as np
from engine import unit
from weft import _core

DIM = 16
#: Tokens of a document, and of one of those from LARGE on: sixteen of them are enough for a coded segment.
LENGTH, LARGE, LARGE_LENGTH = 8, 1000, 1024
#: Settings of the index: a codebook is trained at 80 small documents.
SETTINGS = {"threads": 1, "train_tokens": 640}
QUERIES = [unit(np.random.default_rng(n).standard_normal((4, DIM))) for n in range(2)]


def length(number):
    return LENGTH if number < LARGE else LARGE_LENGTH


def vectors(number, step):
    # Large documents come in three kinds that have nothing in common, so that the codebook has to grow.
    kind = 0 if number < LARGE else 1 + (number - LARGE) // 20
    centres = unit(np.random.default_rng(kind).standard_normal((30, DIM)))
    rng = np.random.default_rng([number, step])
    noise = 0.2 * rng.standard_normal((length(number), DIM))
    return unit(centres[rng.integers(30, size=length(number))] + noise)


def stage(writer, numbers, step):
    """Stage documents d<number> as step `step` writes them."""
    ids = [f"d{n}" for n in numbers]
    writer.add(
        ids,
        [f"text of {i} of step {step}" for i in ids],
        [None] * len(ids),
        [json.dumps({"step": step})] * len(ids),
        [[] for _ in ids],
        [length(n) for n in numbers],
        np.concatenate([vectors(n, step) for n in numbers]),
    )


def adding(*ranges):
    def run(index, step):
        writer = index.begin()
        for numbers in ranges:
            stage(writer, numbers, step)
        writer.commit()

    return run


def deleting(*numbers):
    def run(index, step):
        assert index.delete([f"d{n}" for n in numbers]) == len(numbers)

    return run


def updating(*numbers):
    def run(index, step):
        writer = index.begin()
        metadata = [json.dumps({"step": step, "updated": True})] * len(numbers)
        assert writer.update([f"d{n}" for n in numbers], metadata) == len(numbers)
        writer.commit()

    return run


def compacting(index, step):
    index.compact()


STEPS = {
    "the first documents": adding(range(12)),
    "more, and some replaced": adding(range(12, 20), range(3, 6)),
    "a deletion": deleting(1, 4, 15),
    "training": adding(range(20, 90)),
    "a replacement after training": adding(range(30, 34), range(90, 92)),
    "a deletion after training": deleting(40, 91),
    "an update": updating(2, 50, 90),
    "enough to be coded, and a codebook that grows": adding(range(1000, 1017)),
    "another topic": adding(range(1020, 1037), [8]),
    "a merge": adding(range(1040, 1057), range(1000, 1002)),
    "a deletion of many": deleting(*range(20, 30), *range(1003, 1017)),
    "a compaction": compacting,
    "the last one": adding([0, 300]),
}
if not hasattr(_core.Index, "compact"):
    del STEPS["a compaction"]
NAMES = list(STEPS)


def run(index, step):
    """Make the commit number `step`, from 0."""
    STEPS[NAMES[step]](index, step)


def state(index):
    """What a reader sees: documents with their metadata, and answers of both searches."""
    ids = index.ids(None, 10_000)
    documents = sorted(json.dumps(d[:4]) for d in index.get(ids))
    answers = [
        [(hit[0], hit[1], hit[7], hit[9]) for hit in hits]
        for exact in (False, True)
        for hits in index.search(QUERIES, 5, exact=exact)
    ]
    return {
        "generation": index.generation,
        "documents": documents,
        "answers": json.loads(json.dumps(answers)),
    }


def expected(states, step):
    """The states before and after a step. A compaction changes no document: whether an error of it came before its commit or after,
    when only the catalogue was still to be made smaller, does not matter to anybody."""
    pair = states[step : step + 2]
    if NAMES[step] == "a compaction":
        pair = [{**state, "generation": None} for state in pair]
    return pair


def same(seen, wanted):
    return (
        wanted is not None and {**seen, "generation": wanted["generation"] and seen["generation"]} == wanted
    )


def orphans(path, index):
    """Files that no catalogue names."""
    named = {f"segment-{s['number']}.weft" for s in index.info()["segments"]}
    named |= {f"codebook-{c['number']}.weft" for c in index.info()["codebooks"]}
    return {p.name for p in path.iterdir() if p.suffix in (".weft", ".tmp")} - named


def verify(path, allowed):
    """What is wrong with the index of a writer that died: nothing if it is in one of the states `allowed`, and goes on living.

    Gives the generation too. `None` as a state stands for a creation that was not finished: it must be possible to create the index.
    """
    try:
        index = _core.Index.open(path, create=None in allowed, **SETTINGS)
        problems = list(index.check())
        seen = state(index)
        generation = seen["generation"]
        if not any(same(seen, state) for state in allowed):
            problems.append(
                f"generation {generation} with {len(seen['documents'])} documents is no committed state"
            )
        writer = index.begin()
        stage(writer, [999], 999)
        writer.commit()
        if left := orphans(path, index):
            problems.append(f"left behind: {sorted(left)}")
        if len(index) != len(seen["documents"]) + 1:
            problems.append("the next write did not add its document")
        problems += index.check()
        index.close()
    except Exception as error:
        return -1, [f"{type(error).__name__}: {error}"]
    return generation, problems

"""Cutting long texts: nothing lost, nothing twice, every piece within the limit, no tiny rests."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st
from weft.encoder.split import split_spans

ALPHABET = string.ascii_letters + ' .!?\n  。…"é漢'


def offsets_of(text: str) -> list[tuple[int, int]]:
    """One token for each character that is not white space: the densest tokenizer there is."""
    return [(i, i + 1) for i, char in enumerate(text) if not char.isspace()]


def split(text: str, budget: int) -> list[tuple[int, int]]:
    def excess(spans):
        return [len(offsets_of(text[a:b])) - budget for a, b in spans]

    spans = split_spans(text, offsets_of(text), budget, excess)
    assert spans is not None
    return spans


@given(st.text(ALPHABET, min_size=1, max_size=400).filter(str.strip), st.integers(1, 60))
def test_pieces_fit_and_cover_everything_but_white_space(text, budget):
    spans = split(text, budget)
    flat = [position for span in spans for position in span]
    assert flat == sorted(flat)
    assert all(start < end for start, end in spans)
    assert all(len(offsets_of(text[a:b])) <= budget for a, b in spans)
    covered = {i for a, b in spans for i in range(a, b)}
    assert all(text[i].isspace() for i in set(range(len(text))) - covered)


def test_cuts_fall_at_sentence_ends():
    text = "Amber is resin. It burns! Does it float? Yes, in brine."
    pieces = [text[a:b] for a, b in split(text, 30)]
    assert pieces == ["Amber is resin. It burns!", "Does it float? Yes, in brine."]


def test_pieces_are_even_rather_than_one_full_and_one_tiny():
    text = " ".join(["abcdefghi."] * 11)
    sizes = [len(offsets_of(text[a:b])) for a, b in split(text, 100)]
    assert sizes == [60, 50]


def test_a_long_sentence_is_cut_at_white_space():
    text = "one two three four five six"
    assert [text[a:b] for a, b in split(text, 12)] == ["one two three", "four five six"]


def test_a_monstrous_word_is_cut_between_characters():
    assert [b - a for a, b in split("x" * 25, 10)] == [9, 9, 7]


def test_full_width_marks_end_sentences_without_white_space():
    text = "漢字かな。" * 4
    assert all(text[a:b].endswith("。") for a, b in split(text, 12))


def test_tokens_that_differ_within_a_piece_shrink_the_budget():
    """A piece alone has two tokens more than within the text: the limit holds all the same."""
    text = " ".join(["word."] * 40)

    def excess(spans):
        return [len(offsets_of(text[a:b])) + 2 - 30 for a, b in spans]

    spans = split_spans(text, offsets_of(text), 30, excess)
    assert spans is not None
    assert max(excess(spans)) <= 0


def test_no_room_at_all_is_reported():
    assert split_spans("some text", offsets_of("some text"), 0, lambda spans: [0] * len(spans)) is None


@given(st.integers(1, 30))
def test_one_character_of_many_tokens_stays_whole(count):
    """Several tokens may share one character: it is never cut, and the caller hears that it does not fit."""
    offsets = [(0, 1)] * count

    def excess(spans):
        return [count - 5 for _ in spans]

    spans = split_spans("㌀", offsets, 5, excess)
    assert spans == ([(0, 1)] if count <= 5 else None)

"""What a terminal is shown: excerpts, marks, the progress bar."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft.cli.excerpt import best_stretch
from weft.cli.progress import ProgressBar, duration
from weft.cli.terminal import Style, printable, style_of, wrapped
from weft.explanation import Highlight

PLAIN = Style(colour=False, width=40)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_bar_says_how_far_how_fast_how_long() -> None:
    clock, stream = Clock(), Terminal()
    with ProgressBar(stream, clock=clock) as bar:
        for done in range(101):
            clock.now = done * 0.5
            bar("encode", done, 400)
        assert stream.getvalue().rsplit("\r", 1)[1].split() == [
            "encoding", "━" * 6 + "─" * 18, "25", "%", "100/400", "2.0/s", "2:30", "left",
        ]  # fmt: skip
    assert stream.getvalue().endswith("\r"), "the line is wiped"


def test_the_bar_draws_ten_times_a_second_at_most() -> None:
    clock, stream = Clock(), Terminal()
    bar = ProgressBar(stream, clock=clock)
    for done in range(1, 1001):
        clock.now += 0.001
        bar("encode", done, 1000)
    assert 10 <= stream.getvalue().count("\r") <= 12
    assert "100 %" in stream.getvalue(), "the end is always drawn"


def test_the_bar_counts_when_the_end_is_unknown() -> None:
    assert ProgressBar.line("encode", 1234, None, 2.0).split() == ["encoding", "1,234", "617.0/s"]
    assert ProgressBar.line("train", 0, 10, 0.0).split() == ["training", "─" * 24, "0", "%", "0/10"]


def test_the_bar_is_for_terminals() -> None:
    stream = io.StringIO()
    with ProgressBar(stream) as bar:
        bar("encode", 1, 2)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "shown"), [(7, "0:07"), (59.6, "1:00"), (750, "12:30"), (3723, "1:02:03")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert style_of(Terminal()).colour
    assert not style_of(io.StringIO()).colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not style_of(Terminal()).colour
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not style_of(Terminal()).colour


def test_marks() -> None:
    words = (Highlight(4, 7, 1.0), Highlight(8, 11, 0.5))
    assert wrapped("one two-six ten", 0, 15, words, PLAIN, "  ") == ["  one «two»-«six» ten"]
    coloured = wrapped("one two", 0, 7, words, Style(colour=True, width=40), "")
    assert coloured == ["one \x1b[1;33mtwo\x1b[0m"]


def test_control_characters_do_not_reach_the_terminal() -> None:
    hostile = "a\x1b[2Jb\x07\u009b\u202ec"
    assert printable(hostile) == "a [2Jb    "[:9] + "c"
    assert len(printable(hostile)) == len(hostile)


@given(st.text(max_size=300), st.lists(st.tuples(st.integers(0, 300), st.integers(1, 9)), max_size=8))
def test_wrapping_loses_no_word(text: str, places: list[tuple[int, int]]) -> None:
    spans = []
    at = 0
    for start, length in sorted(places):
        if start >= at and start + length <= len(text):
            spans.append(Highlight(start, start + length, 1.0))
            at = start + length
    lines = wrapped(text, 0, len(text), spans, PLAIN, "")
    clean = "".join(lines).replace("«", "").replace("»", "")
    expected = printable(text).replace("«", "").replace("»", "")
    assert "".join(clean.split()) == "".join(expected.split())


def test_an_excerpt_lies_around_the_heaviest_words() -> None:
    text = "filler " * 100 + "needle and thread " + "filler " * 100
    at = text.index("needle")
    words = (Highlight(0, 6, 0.3), Highlight(at, at + 6, 1.0), Highlight(at + 11, at + 17, 0.8))
    first, last = best_stretch(text, 0, len(text), words, 120)
    assert "needle and thread" in text[first:last]
    assert last - first <= 120
    assert text[first - 1] == " " == text[last], "cut at blanks"


@given(st.text("ab ", max_size=400), st.integers(10, 100), st.lists(st.integers(0, 390), max_size=5))
def test_an_excerpt_stays_inside_the_passage(text: str, length: int, places: list[int]) -> None:
    words = [Highlight(at, at + 1, 1.0) for at in sorted(set(places)) if at < len(text)]
    first, last = best_stretch(text, 0, len(text), words, length)
    assert 0 <= first <= last <= len(text)
    assert last - first <= length

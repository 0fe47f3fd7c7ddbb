"""Readers: what a good file gives, and what a bad line is told."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weft.errors import InvalidInput
from weft.inputs import Documents, Fields, Record, read_queries

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that files are named as short as a user would."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return name


def read(*names: str, fields: Fields | None = None) -> list[Record]:
    return list(Documents(names, fields))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "A.JSONL"])
def test_jsonl(here: Path, name: str, end: str) -> None:
    lines = [
        '{"_id": "x", "title": "T", "text": "one", "year": 2020, "metadata": {"url": "u"}}',
        "",
        '{"id": 7, "text": "zwei\u2028drei", "title": ""}',
        '{"text": "three", "id": null, "metadata": null}',
    ]
    write(here, name, "\ufeff" + end.join(lines))
    assert read(name) == [
        Record(name, 1, "x", "one", "T", {"year": 2020, "url": "u"}),
        Record(name, 3, "7", "zwei\u2028drei", None, {}),
        Record(name, 4, f"{name}:4", "three", None, {}),
    ]


def test_both_ids_leave_one_in_the_metadata(here: Path) -> None:
    write(here, "a.jsonl", '{"_id": "mongo", "id": "mine", "text": "t"}')
    assert read("a.jsonl") == [Record("a.jsonl", 1, "mine", "t", None, {"_id": "mongo"})]


def test_a_title_stands_in_for_a_blank_text(here: Path) -> None:
    write(here, "a.jsonl", '{"id": "x", "title": "Only this", "text": ""}')
    assert read("a.jsonl") == [Record("a.jsonl", 1, "x", "Only this")]


def test_fields_can_be_named(here: Path) -> None:
    write(here, "a.csv", "key,body,text\nk,b,t\n")
    fields = Fields(id=("key",), text=("body",))
    assert read("a.csv", fields=fields) == [Record("a.csv", 2, "k", "b", None, {"text": "t"})]


def test_tsv(here: Path) -> None:
    write(here, "a.tsv", 'x\tone "quoted"\r\n\ny\ttwo')
    assert read("a.tsv") == [Record("a.tsv", 1, "x", 'one "quoted"'), Record("a.tsv", 3, "y", "two")]


def test_csv_rows_may_span_lines(here: Path) -> None:
    write(here, "a.csv", 'id,title,text,year\nx,,"one\ntwo, ""three""",2020\n\ny,T,four,\n')
    assert read("a.csv") == [
        Record("a.csv", 2, "x", 'one\ntwo, "three"', None, {"year": "2020"}),
        Record("a.csv", 5, "y", "four", "T", {}),
    ]


def test_csv_takes_a_long_field(here: Path) -> None:
    write(here, "a.csv", "id,text\nx," + "word " * 100_000 + "\n")
    assert len(read("a.csv")[0].text) == 500_000


def test_text_files(here: Path) -> None:
    write(here, "notes/plain.txt", "one\r\ntwo\n")
    write(here, "notes/deep/page.md", "# A heading #\n\nBody.\n")
    assert read("notes/plain.txt", "notes/deep/page.md") == [
        Record("notes/plain.txt", 1, "notes/plain.txt", "one\ntwo"),
        Record("notes/deep/page.md", 1, "notes/deep/page.md", "# A heading #\n\nBody.", "A heading"),
    ]


def test_a_folder_is_read_in_order_and_what_is_passed_over_is_counted(here: Path) -> None:
    write(here, "docs/b.txt", "b")
    write(here, "docs/a/z.md", "no heading")
    write(here, "docs/c.jsonl", '{"id": "in-c", "text": "c"}')
    write(here, "docs/picture.png", b"\x89PNG")
    write(here, "docs/blank.txt", " \n")
    write(here, "docs/.hidden/secret.txt", "secret")
    write(here, "docs/.dotted.txt", "dotted")
    documents = Documents(["docs"])
    for _ in range(2):
        assert [(record.id, record.text) for record in documents] == [
            ("b.txt", "b"),
            ("in-c", "c"),
            ("a/z.md", "no heading"),
        ]
        assert (documents.other, documents.empty) == (2, 1)


def test_an_id_made_of_an_absolute_path_is_its_name(here: Path) -> None:
    write(here, "one.txt", "text")
    assert read(str(here / "one.txt"))[0].id == "one.txt"


def test_standard_input_is_jsonl_without_made_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b'{"text": "one"}\n{"id": "b", "text": "two"}\n')

    monkeypatch.setattr("sys.stdin", Stdin)
    documents = Documents(["-"])
    assert not documents.rereadable
    assert [(record.id, record.text) for record in documents] == [(None, "one"), ("b", "two")]
    with pytest.raises(InvalidInput, match="standard input is named twice"):
        Documents(["-", "-"])


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
GOOD = '{"id": "good", "text": "good"}\n'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", GOOD + "{", r"a\.jsonl:2: not JSON at character 2"),
        ("a.jsonl", GOOD + "[1]", r"a\.jsonl:2: not a JSON object"),
        ("a.jsonl", GOOD + '{"id": "x"}', r"a\.jsonl:2: there is no 'text'; the fields are 'id'"),
        ("a.jsonl", GOOD + '{"id": "x", "text": null}', r"a\.jsonl:2: there is no 'text'"),
        ("a.jsonl", GOOD + '{"id": "x", "text": 3}', r"a\.jsonl:2: the text is a number and not a string"),
        ("a.jsonl", GOOD + '{"id": "x", "text": ["a"]}', r"a\.jsonl:2: the text is a list"),
        ("a.jsonl", GOOD + '{"id": "x", "text": " "}', r"a\.jsonl:2: the text is empty"),
        ("a.jsonl", GOOD + '{"id": 1.5, "text": "t"}', r"a\.jsonl:2: the id is the number 1\.5"),
        ("a.jsonl", GOOD + '{"id": true, "text": "t"}', r"a\.jsonl:2: the id is a boolean"),
        ("a.jsonl", GOOD + '{"id": "", "text": "t"}', r"a\.jsonl:2: the id is empty"),
        ("a.jsonl", GOOD + '{"id": "a\\tb", "text": "t"}', r"a\.jsonl:2: the id 'a\\tb' has a tab"),
        ("a.jsonl", GOOD + '{"id": "x", "text": "\\ud800"}', r"a\.jsonl:2: the text has half a surrogate"),
        ("a.jsonl", GOOD + '{"id": "x", "text": "t", "n": NaN}', r"a\.jsonl:2: .*NaN is not a JSON number"),
        ("a.jsonl", GOOD + '{"id": "x", "id": "y", "text": "t"}', r"a\.jsonl:2: .*'id' stands twice"),
        ("a.jsonl", GOOD + '{"text": "t", "y": 1, "metadata": {"y": 2}}', r"a\.jsonl:2: 'y' stands in"),
        ("a.jsonl", GOOD + "[" * 100_000, r"a\.jsonl:2: not"),
        ("a.jsonl", GOOD + GOOD, r"a\.jsonl:2: the id 'good' stands already at a\.jsonl:1"),
        ("a.jsonl", GOOD.encode() + b'{"text": "\xff"}', r"a\.jsonl:2: byte 11 of the line is not UTF-8"),
        ("a.tsv", "x\tgood\nbad", r"a\.tsv:2: 1 column: an id, a tab and a text"),
        ("a.tsv", "x\tgood\ny\tb\tc", r"a\.tsv:2: 3 columns"),
        ("a.tsv", "x\tgood\n\ttext", r"a\.tsv:2: the id is empty"),
        ("a.tsv", "x\tgood\ny\t ", r"a\.tsv:2: the text is empty"),
        ("a.csv", "id,text\nx,good\ny", r"a\.csv:3: 1 columns, but the header has 2"),
        ("a.csv", 'id,text\nx,"good\nmore"\ny,"open', r"a\.csv:4: not CSV"),
        ("a.csv", "id,id,text\n", r"a\.csv:1: the header names the column 'id' twice"),
        ("a.csv", "id,body\nx,t\n", r"a\.csv:2: there is no 'text'; the fields are 'id', 'body'"),
        ("a.txt", b"fine\n\xc3", r"a\.txt:2: byte 1 of the line is not UTF-8"),
        ("a.txt", "zero\0", r"a\.txt: has zero bytes"),
        ("a.txt", " ", r"a\.txt: is empty"),
        ("a.pdf", "x", r"a\.pdf: its kind is not known: .jsonl"),
    ],
)
def test_a_bad_line_is_named(here: Path, name: str, content: str | bytes, message: str) -> None:
    write(here, name, content)
    with pytest.raises(InvalidInput, match=message):
        read(name)


def test_a_second_file_with_the_same_id_is_named(here: Path) -> None:
    write(here, "a.jsonl", GOOD)
    write(here, "b.tsv", "x\ty\ngood\tgood\n")
    with pytest.raises(InvalidInput, match=r"b\.tsv:2: the id 'good' stands already at a\.jsonl:1"):
        read("a.jsonl", "b.tsv")
    with pytest.raises(InvalidInput, match=r"a\.jsonl:1: the id 'good' stands already at a\.jsonl:1"):
        read("a.jsonl", "a.jsonl")


def test_what_is_not_there_is_named(here: Path) -> None:
    (here / "empty").mkdir()
    with pytest.raises(InvalidInput, match=r"none\.jsonl: no such file or folder"):
        Documents(["none.jsonl"])
    with pytest.raises(InvalidInput, match="empty: the folder holds no"):
        Documents(["empty"])


@pytest.mark.parametrize("damage", ["cut", "flip", "other"])
def test_a_damaged_compressed_file_is_named(here: Path, damage: str) -> None:
    packed = bytearray(gzip.compress(GOOD.encode() * 50))
    if damage == "cut":
        del packed[-12:]
    elif damage == "flip":
        packed[-6] ^= 0xFF
    else:
        packed[:2] = b"no"
    (here / "a.jsonl.gz").write_bytes(packed)
    with pytest.raises(InvalidInput, match=r"a\.jsonl\.gz:\d+: the compressed file is damaged"):
        list(Documents(["a.jsonl.gz"]).sources[0].lines())


def test_queries(here: Path) -> None:
    write(here, "q.jsonl", '{"_id": "1", "text": "one"}\n{"id": 2, "query": "two"}\n')
    write(here, "q.tsv", "1\tone\n2\ttwo\n")
    assert read_queries("q.jsonl") == read_queries("q.tsv") == [("1", "one"), ("2", "two")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.jsonl", '{"text": "t"}', r"q\.jsonl:1: the query has no id"),
        ("q.tsv", "1\ta\n1\tb", r"q\.tsv:2: the id '1' stands already at q\.tsv:1"),
        ("q.tsv", "1\t", r"q\.tsv:1: the text is empty"),
        ("q.txt", "a", r"q\.txt: its kind is not known"),
    ],
)
def test_a_bad_query_is_named(here: Path, name: str, content: str, message: str) -> None:
    write(here, name, content)
    with pytest.raises(InvalidInput, match=message):
        read_queries(name)


def test_a_missing_query_file_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"none\.tsv: no such file"):
        read_queries("none.tsv")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip), max_size=5
    ),
    ascii_only=st.booleans(),
)
def test_what_json_writes_is_read_back(here: Path, texts: list[str], ascii_only: bool) -> None:
    objects = [{"id": f"n{number}", "text": text, "m": text} for number, text in enumerate(texts)]
    write(here, "h.jsonl", "".join(json.dumps(one, ensure_ascii=ascii_only) + "\n" for one in objects))
    assert [(record.id, record.text, record.metadata) for record in read("h.jsonl")] == [
        (one["id"], one["text"], {"m": one["m"]}) for one in objects
    ]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), kind=st.sampled_from(["jsonl", "tsv", "csv", "txt", "md"]))
def test_any_bytes_are_read_or_refused(here: Path, content: bytes, kind: str) -> None:
    write(here, f"fuzz.{kind}", content)
    said = f"fuzz.{kind}:"
    try:
        assert all(record.text.strip() for record in read(f"fuzz.{kind}"))
    except InvalidInput as error:
        said = str(error)
    assert said.startswith(f"fuzz.{kind}:")

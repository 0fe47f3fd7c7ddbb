"""Files of torch.save: tensors are read as torch reads them, and nothing else of a file is."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from weft.errors import UnreadableSource
from weft.exports.plaid.tensor_file import TensorFile
from weft.imports.plain_pickle import read_pickle
from weft.imports.stored_zip import stored_entries
from weft.imports.torch_file import read_tensor, read_tensors

GOLDEN = Path(__file__).parents[1] / "reference" / "golden" / "torch"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
KINDS = ["f2", "f4", "u1", "i4", "i8"]


@pytest.mark.parametrize("name", EXPECTED["read"])
def test_tensors_of_torch(name):
    tensors = read_tensors(GOLDEN / name)
    assert [one.tolist() for one in tensors] == EXPECTED["read"][name]
    if len(tensors) == 1:
        assert read_tensor(GOLDEN / name).tolist() == tensors[0].tolist()


@pytest.mark.parametrize("name", EXPECTED["refused"])
def test_what_is_no_tensor_is_refused(name):
    with pytest.raises(UnreadableSource, match=f"^{GOLDEN / name}: "):
        read_tensors(GOLDEN / name)


def test_two_tensors_are_not_one():
    with pytest.raises(UnreadableSource, match="holds 2 tensors"):
        read_tensor(GOLDEN / "pair.pt")


def test_types_and_where_the_bytes_are():
    assert {name: read_tensor(GOLDEN / f"{name}.pt").dtype.str for name in ("half", "int", "bfloat16")} == {
        "half": "<f2",
        "int": "<i4",
        "bfloat16": "<f4",
    }
    base = read_tensor(GOLDEN / "long.pt")
    while not isinstance(base, np.memmap):
        base = base.base
    assert Path(base.filename) == GOLDEN / "long.pt"


@st.composite
def tensors(draw):
    kind = np.dtype(draw(st.sampled_from(KINDS)))
    row = draw(st.lists(st.integers(1, 5), max_size=2))
    rows = draw(st.lists(st.integers(0, 6), min_size=1, max_size=3))
    elements = st.floats(-8, 8, width=16) if kind.kind == "f" else st.integers(0, 255)
    return kind, row, [draw(hnp.arrays(kind, (count, *row), elements=elements)) for count in rows]


@given(st.lists(tensors(), min_size=1, max_size=3))
def test_what_is_written_is_read(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("tensors") / "some.pt"
    with TensorFile(path) as file:
        for kind, row, pieces in written:
            file.begin(kind.str[1:], row)
            for piece in pieces:
                file.write(piece)
    for (kind, _, pieces), found in zip(written, read_tensors(path), strict=True):
        assert found.dtype == kind
        np.testing.assert_array_equal(found, np.concatenate(pieces))
    for entry in stored_entries(path).values():
        assert entry.start % 64 == 0


def test_a_tensor_without_dimensions(tmp_path):
    with TensorFile(tmp_path / "a.pt") as file:
        file.begin("f4", None)
        file.write(np.array(0.25))
    found = read_tensor(tmp_path / "a.pt")
    assert (found.shape, float(found)) == ((), 0.25)


# Files that were made to do harm, or are damaged.


class Archive:
    """A file as torch.save makes it, with any of its parts replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts = {"x/data.pkl": described(), "x/data/0": np.arange(6, dtype="<i4").tobytes()}

    def write(self, compression=zipfile.ZIP_STORED):
        with zipfile.ZipFile(self.path, "w", compression) as archive:
            for name, content in self.parts.items():
                archive.writestr(name, content)
        return self.path


def described(
    *,
    storage="cIntStorage",
    numel=6,
    offset=0,
    shape=(2, 3),
    strides=(3, 1),
    hooks=b"ccollections\nOrderedDict\n)R",
):
    """A tensor's pickle, with any of its parts replaced."""

    def numbers(values):
        return b"(" + b"".join(number(value) for value in values) + b"t"

    name = f"ctorch\n{storage[1:]}\n".encode()
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage"
        + name
        + b"X\x01\0\0\x000X\x06\0\0\0cuda:0"
        + number(numel)
        + b"tQ"
        + number(offset)
        + numbers(shape)
        + numbers(strides)
        + b"\x89"
        + hooks
        + b"tR."
    )


def number(value):
    raw = value.to_bytes(max(1, value.bit_length() // 8 + 1), "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "x.pt")


def refused(path, words=""):
    with pytest.raises(UnreadableSource) as caught:
        read_tensors(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert len(message) < 1000


def test_the_made_archive_is_sound(archive):
    assert read_tensor(archive.write()).tolist() == [[0, 1, 2], [3, 4, 5]]
    archive.parts["x/byteorder"] = b"big"
    archive.parts["x/data/0"] = np.arange(6, dtype=">i4").tobytes()
    assert read_tensor(archive.write()).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"storage": "cDoubleStorage"}, "torch.DoubleStorage"),
        ({"numel": 5}, "24 bytes"),
        ({"numel": 1 << 62}, "24 bytes"),
        ({"numel": -1}, "24 bytes"),
        ({"offset": 1}, "beyond its storage"),
        ({"offset": -1}, "offset"),
        ({"offset": 1 << 200}, "offset"),
        ({"shape": (3, 3)}, "beyond its storage"),
        ({"shape": (1 << 40, 1 << 40), "strides": (1 << 40, 1)}, "beyond all measure"),
        ({"shape": (0, 1 << 47, 1 << 47), "strides": (1, 1, 1)}, "beyond all measure"),
        ({"shape": (-2, -3)}, "shape"),
        ({"shape": (6,)}, "1 dimensions and 2 strides"),
        ({"shape": (1,) * 30, "strides": (1,) * 30}, "30 dimensions"),
        ({"strides": (0, 0)}, "not contiguous"),
        ({"strides": (1, 2)}, "not contiguous"),
        ({"strides": (3, -1)}, "strides"),
        ({"hooks": b"ccollections\nOrderedDict\n((K\x01tR"}, "damaged"),
        ({"hooks": b"K\x01"}, "not described"),
        ({"hooks": b"cposix\nsystem\n)R"}, "posix.system"),
        ({"hooks": b"cbuiltins\neval\nX\x01\0\0\x001\x85R"}, "builtins.eval"),
        ({"hooks": b"ctorch\nIntStorage\n)R"}, "cannot be called"),
    ],
)
def test_descriptions(archive, parts, words):
    archive.parts["x/data.pkl"] = described(**parts)
    refused(archive.write(), words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x/data/0": None}, "'0' is not in it"),
        ({"x/data.pkl": None}, "no data.pkl"),
        ({"y/data.pkl": described()}, "no data.pkl"),
        ({"x/data/0": b"short"}, "5 bytes"),
        ({"x/byteorder": b"middle"}, "byte order"),
        ({"x/byteorder": b"little" * 99}, "would be many"),
        ({"x/data.pkl": b"."}, "value is missing"),
        ({"x/data.pkl": b""}, "ends in the middle"),
        ({"x/data.pkl": b"\x80\x02]."}, "instruction 0x5d"),
        ({"x/data.pkl": b"\x80\x01."}, "protocol 1"),
        ({"x/data.pkl": b"\x80\x02K\x01."}, "something else than tensors"),
        ({"x/data.pkl": b"\x80\x02)."}, "something else than tensors"),
        ({"x/data.pkl": b"\x80\x02" + b"(" * 5000 + b"." * 5000}, "missing"),
        ({"x/data.pkl": b"\x80\x02" + b"N" * (1 << 20) + b"."}, "would be many"),
        ({"x/data.pkl": b"\x80\x02)" + b"\x85" * 100_000 + b"."}, "something else than tensors"),
        ({f"x/{number}": b"" for number in range(300)}, "302 entries"),
    ],
)
def test_contents(archive, change, words):
    archive.parts |= change
    archive.parts = {name: content for name, content in archive.parts.items() if content is not None}
    refused(archive.write(), words)


class Evil:
    def __reduce__(self):
        return print, ("was run",)


@pytest.mark.parametrize("protocol", range(6))
def test_no_pickle_runs_anything(archive, protocol, capsys):
    archive.parts["x/data.pkl"] = pickle.dumps([Evil()] if protocol % 2 else Evil(), protocol)
    refused(archive.write())
    assert capsys.readouterr().out == ""


def test_compressed_and_encrypted_entries(archive):
    refused(archive.write(zipfile.ZIP_DEFLATED), "is compressed")
    data = bytearray(archive.write().read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    archive.path.write_bytes(data)
    refused(archive.path, "is encrypted")


def directory(data):
    """Places of the entries in the central directory."""
    places, at = [], data.find(b"PK\x01\x02")
    while at >= 0:
        places.append(at)
        at = data.find(b"PK\x01\x02", at + 4)
    return places


def test_entries_that_lie_over_one_another(archive):
    data = bytearray(archive.write().read_bytes())
    first, second = directory(data)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    archive.path.write_bytes(data)
    refused(archive.path)


def test_an_entry_beyond_the_end(archive):
    data = bytearray(archive.write().read_bytes())
    at = directory(data)[1]
    for where in (20, 24):
        data[at + where : at + where + 4] = struct.pack("<I", 1 << 30)
    archive.path.write_bytes(data)
    refused(archive.path, "beyond the end")
    data[at + 42 : at + 46] = struct.pack("<I", len(data) - 3)
    archive.path.write_bytes(data)
    refused(archive.path, "beyond the end")


def test_two_entries_of_one_name(archive):
    archive.parts["x/datazzzz"] = described()
    data = archive.write().read_bytes()
    # Names are as long as each other, so that one can stand for the other.
    archive.path.write_bytes(data.replace(b"x/datazzzz", b"x/data.pkl"))
    refused(archive.path, "two entries have one name")


def test_damaged_bytes_are_found(archive):
    data = bytearray(archive.write().read_bytes())
    data[data.index(np.arange(6, dtype="<i4").tobytes()) + 5] ^= 1
    archive.path.write_bytes(data)
    refused(archive.path, "'x/data/0' is damaged")


@pytest.mark.parametrize("name", ["pair.pt", "half.pt"])
def test_every_cut(tmp_path, name):
    data = (GOLDEN / name).read_bytes()
    path = tmp_path / name
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        refused(path)


def test_no_file_and_a_folder(tmp_path):
    refused(tmp_path / "missing.pt", "cannot be read")
    refused(tmp_path, "cannot be read")


@settings(max_examples=300)
@given(st.data())
def test_any_change_is_read_or_refused(tmp_path_factory, data):
    """A changed byte gives the same tensors, when it is nowhere they are from, or a refusal: nothing else."""
    name = data.draw(st.sampled_from(["pair.pt", "slice.pt", "bfloat16.pt"]))
    whole = bytearray((GOLDEN / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.pt"
    path.write_bytes(whole)
    try:
        found = [one.tolist() for one in read_tensors(path)]
    except UnreadableSource:
        return
    assert found == EXPECTED["read"][name]


@settings(max_examples=300)
@given(st.data())
def test_any_change_of_a_description(tmp_path_factory, data):
    """The same with sound checksums, so that what is changed is the pickle's meaning."""
    pickled = bytearray(described())
    for _ in range(data.draw(st.integers(1, 3))):
        pickled[data.draw(st.integers(0, len(pickled) - 1))] = data.draw(st.integers(0, 255))
    archive = Archive(tmp_path_factory.getbasetemp() / "described.pt")
    archive.parts["x/data.pkl"] = bytes(pickled)
    archive.write()
    try:
        found = read_tensors(archive.path)
    except UnreadableSource:
        return
    assert sum(one.size for one in found) <= 6


# Pickles of plain data


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.text(),
    lambda inner: st.tuples(inner, inner, inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@given(plain, st.integers(2, 5))
def test_plain_data(value, protocol):
    assert read_pickle(pickle.dumps(value, protocol), Path("a.pkl")) == value


@given(st.binary(max_size=40), st.integers(2, 5))
def test_any_bytes_are_no_other_error(content, protocol):
    with_head = b"\x80" + bytes([protocol]) + content
    for data in (content, with_head, with_head + b"."):
        try:
            read_pickle(data, Path("a.pkl"))
        except UnreadableSource as error:
            assert str(error).startswith("a.pkl: ")  # noqa: PT017


@pytest.mark.parametrize(
    "value", [1.5, b"bytes", [1], {1, 2}, Path("x"), np.int64(3), {(1, 2): 3}, io.BytesIO]
)
def test_what_is_no_plain_data(value):
    with pytest.raises(UnreadableSource):
        read_pickle(pickle.dumps(value), Path("a.pkl"))


def test_a_dict_in_itself_and_the_memo():
    value: dict = {}
    value["me"] = value
    found = read_pickle(pickle.dumps(value), Path("a.pkl"))
    assert found["me"] is found
    with pytest.raises(UnreadableSource, match="nothing was stored under 9"):
        read_pickle(b"\x80\x02h\x09.", Path("a.pkl"))
    with pytest.raises(UnreadableSource, match="left over"):
        read_pickle(b"\x80\x02NN.", Path("a.pkl"))
    with pytest.raises(UnreadableSource, match="outside of it"):
        read_pickle(b"\x80\x02NQ.", Path("a.pkl"))


def test_checksums_are_those_of_zip(archive):
    entry = stored_entries(archive.write())["x/data/0"]
    content = archive.path.read_bytes()[entry.start : entry.start + entry.size]
    assert (content, zlib.crc32(content)) == (archive.parts["x/data/0"], entry.crc)

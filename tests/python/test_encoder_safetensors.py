"""The reader of safetensors: what it reads, and that no file makes it do anything but read or refuse."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from weft.encoder.checkpoint.safetensors import Tensors
from weft.errors import ModelError

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "encoder"))
from make_checkpoint import write_safetensors

SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = st.text("abc.é", min_size=1, max_size=6)
VALUES = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements=st.floats(-8, 8, width=16),
)


@given(tensors=st.dictionaries(NAMES, VALUES, max_size=5), kind=st.sampled_from(["F32", "F16"]))
@SHARED
def test_what_is_written_is_read(tmp_path, tensors, kind):
    write_safetensors(tmp_path / "model.safetensors", tensors, kind)
    read = Tensors([tmp_path / "model.safetensors"])
    assert sorted(read.names()) == sorted(tensors)
    for name, value in tensors.items():
        assert read.shape(name) == value.shape
        np.testing.assert_array_equal(read.array(name), value)
        assert read.array(name).dtype == np.float32


def test_bfloat16_is_the_upper_half(tmp_path):
    values = np.array([1.0, -2.5, 3.0e38, 1e-40, np.inf], np.float32)
    write_safetensors(tmp_path / "one.safetensors", {"x": values}, "BF16")
    found = Tensors([tmp_path / "one.safetensors"]).array("x")
    np.testing.assert_array_equal(found.view(np.uint32), values.view(np.uint32) & 0xFFFF0000)


def read_or_refused(path: Path) -> int:
    """Read everything and return its bytes, or see that the error names the file."""
    said = ""
    try:
        read = Tensors([path])
        return sum(read.array(name).nbytes for name in read.names())
    except ModelError as error:
        said = str(error)
    assert str(path) in said
    return 0


@given(data=st.binary(max_size=200))
@SHARED
def test_any_bytes_are_read_or_refused(tmp_path, data):
    path = tmp_path / "any.safetensors"
    path.write_bytes(data)
    read_or_refused(path)


SMALL = {"a": np.ones((2, 3), np.float32), "b": np.zeros(4, np.float32)}


@given(position=st.integers(0, 120), byte=st.integers(0, 255))
@SHARED
def test_a_changed_byte_is_read_or_refused(tmp_path, position, byte):
    path = tmp_path / "changed.safetensors"
    write_safetensors(path, SMALL)
    data = bytearray(path.read_bytes())
    data[position] = byte
    path.write_bytes(data)
    assert read_or_refused(path) <= len(data)


def raw(path: Path, header: object, buffer: bytes = bytes(16)) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + buffer)
    return path


def entry(**change):
    return {"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16], **change}}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (entry(dtype="F128"), "unknown type 'F128'"),
        (entry(dtype=["F32"]), "unknown type"),
        (entry(shape=[5]), r"F32 \[5\] and has 16 bytes"),
        (entry(shape=[-4]), "no whole number from 0 on"),
        (entry(shape=[4.0]), "no whole number from 0 on"),
        (entry(shape=[2**62, 4]), "and has 16 bytes"),
        (entry(shape=None), "lacks dtype, shape or data_offsets"),
        (entry(data_offsets=[0, 12], shape=[3]), "take 12 bytes, the buffer has 16"),
        (entry(data_offsets=[4, 20]), "begins at 4"),
        (entry(data_offsets=[0]), "lacks dtype"),
        (entry(data_offsets=[0, 32], shape=[8]), "take 32 bytes, the buffer has 16"),
        ({"x": 3}, "lacks dtype"),
        ([], "no JSON object"),
        (b"{", "no JSON"),
        (b'{"x": 1, "x": 2}', "stands twice"),
        (b"\xff\xfe", "no JSON"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, header, said):
    path = raw(tmp_path / "bad.safetensors", header)
    with pytest.raises(ModelError, match=said) as caught:
        Tensors([path])
    assert str(path) in str(caught.value)


def test_overlapping_tensors_are_refused(tmp_path):
    header = {**entry(), "y": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}
    with pytest.raises(ModelError, match="begins at 0 of the buffer, expected 16"):
        Tensors([raw(tmp_path / "bad.safetensors", header)])


@pytest.mark.parametrize("size", [0, 7, 8, 12])
def test_a_file_that_ends_too_early_is_refused(tmp_path, size):
    path = tmp_path / "short.safetensors"
    path.write_bytes((1 << 40).to_bytes(8, "little")[:size] + bytes(max(0, size - 8)))
    with pytest.raises(ModelError, match="a header of"):
        Tensors([path])


def test_a_header_is_not_nested_without_end(tmp_path):
    with pytest.raises(ModelError, match="no JSON"):
        Tensors([raw(tmp_path / "deep.safetensors", b"[" * 200_000)])


def test_types_that_are_no_numbers_with_a_point_are_refused_when_asked_for(tmp_path):
    path = raw(tmp_path / "whole.safetensors", entry(dtype="I32"))
    read = Tensors([path])
    with pytest.raises(ModelError, match="x has the type I32"):
        read.array("x")
    with pytest.raises(ModelError, match="there is no tensor y"):
        read.array("y")


def test_a_name_in_two_files_is_refused(tmp_path):
    paths = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for path in paths:
        write_safetensors(path, SMALL)
    with pytest.raises(ModelError, match=r"a is also in one\.safetensors"):
        Tensors(paths)

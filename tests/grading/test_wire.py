"""Answers cross as JSON: what goes in comes out, and nothing else gets in."""

import json
import math
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossacc_helpers.grading.wire import DEEPEST, LARGEST, Unsendable, decode, encode


def there_and_back(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value))))


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXTS | st.floats()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.tuples(inner, inner), max_leaves=8))
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    back = there_and_back(value)
    assert repr(back).replace("np.float64(", "").replace(")", "") == repr(value).replace(")", "")


@given(
    arrays.arrays(st.sampled_from([">f8", "<f4", "f2", "i8", ">u2", "?"]), arrays.array_shapes(min_dims=0, min_side=0))
)
def test_arrays_come_back_with_shape_kind_and_every_bit(array: np.ndarray) -> None:
    back = np.asarray(there_and_back(array))
    assert back.shape == array.shape
    assert back.dtype.kind == array.dtype.kind
    assert back.dtype.itemsize == array.dtype.itemsize
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.0, 5e-324, np.float32(1.1), np.bool_(True), np.int8(-3)])
def test_single_numbers_keep_their_bits(value: Any) -> None:
    assert np.asarray(there_and_back(value)).tobytes() == np.asarray(value).tobytes()


def test_texts_in_an_array_are_texts_in_a_list() -> None:
    assert there_and_back(np.array(["a", "b"])) == ["a", "b"]
    assert there_and_back(np.array("a")) == "a"


def test_halves_of_characters_and_nul_do_not_get_in() -> None:
    assert there_and_back("a\ud800b\0") == "a?b\ufffd"


def test_a_blank_in_a_list_is_nothing_and_the_others_come_through() -> None:
    assert there_and_back([1, ..., "a", [...]]) == [1, None, "a", [None]]


class Pretender:
    """Says it is an array and gives imaginary numbers."""

    __class__ = np.ndarray  # type: ignore[assignment]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array([1j])


class Bomb:
    """Raises whatever is done with it."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise RuntimeError("boom")


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (..., "..."),
        (object(), "object"),
        (Bomb(), "Bomb"),
        (Pretender(), "complex"),
        ({"a": 1}, "dict"),
        (lambda: 1, "function"),
        (10**400, "64 bits"),
        (np.zeros(LARGEST), "bytes"),
        (np.zeros(2, dtype=complex), "complex"),
        (np.array("2026-11-23", dtype="M8[D]"), "datetime64"),
        ([1] * LARGEST, "more than"),
        (nested(DEEPEST + 1), "lists in lists"),
    ],
)
def test_what_is_neither_number_nor_text_is_named_and_not_sent(value: Any, says: str) -> None:
    with pytest.raises(Unsendable) as raised:
        encode(value)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    "sent",
    [
        {"dtype": "|O8", "shape": [], "data": ""},
        {"dtype": "<f8", "shape": [3], "data": "AAAA"},
        {"dtype": "<f8", "shape": [-1], "data": ""},
        {"dtype": "<f8", "shape": [10**30], "data": ""},
        {"dtype": "<f8", "shape": "ab", "data": ""},
        {"dtype": "<f3", "shape": [], "data": "AAAA"},
        {"dtype": ",f8", "shape": [1], "data": "AAAAAAAAAAA="},
        {"dtype": "<f 8", "shape": [1], "data": "AAAAAAAAAAA="},
        {"dtype": "<f8,<f8", "shape": [], "data": ""},
        {"dtype": 8, "shape": [], "data": ""},
        {"dtype": "<f8", "shape": [], "data": "%%%"},
        {"dtype": "<f8", "shape": []},
        {"list": 3},
        {"list": [1], "more": 2},
        {},
        [1, 2],
        1.5,
    ],
)
def test_what_nobody_sent_is_refused(sent: Any) -> None:
    with pytest.raises(Unsendable, match="nobody can read"):
        decode(sent)


def test_depth_is_limited_on_the_way_in() -> None:
    sent: Any = 1
    for _ in range(300):
        sent = {"list": [sent]}
    with pytest.raises(Unsendable):
        decode(sent)

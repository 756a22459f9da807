"""Answers as they cross from a submission's process: JSON, with arrays as bytes, and nothing that could run."""

import base64
import binascii
import math
from typing import Any

import numpy as np

LARGEST = 2_000_000  # bytes of one answer
DEEPEST = 8
_LONGEST_TEXT = 20_000
_KINDS = "biuf"  # of arrays: booleans, integers, floats
# What they are called on the way, with their size in bytes. NumPy would understand much more, and run some of it.
_SIZES = {"|b1": 1, "|i1": 1, "|u1": 1} | {f"<{kind}{size}": size for kind in "iuf" for size in (2, 4, 8)}


class Unsendable(Exception):
    """A value that is no number, text, array, or list of these; the message says what it is."""


def encode(value: Any, *, depth: int = 0) -> Any:
    """Return a value as JSON can hold it.

    Raises
    ------
    Unsendable
        If it is too large, too deep, or of another kind. Whatever an object claims to be, only its type is believed.
    """
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        if value.bit_length() > 64:
            raise Unsendable("an integer of more than 64 bits")
        return value
    if kind is float:
        return _array(np.asarray(value))
    if issubclass(kind, str):
        text = str.__str__(value)
        return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT]
    if value is ...:
        raise Unsendable("...")
    if depth >= DEEPEST:
        raise Unsendable("lists in lists in lists without end")
    if issubclass(kind, (tuple, list)):
        items = list.__iter__(value) if issubclass(kind, list) else tuple.__iter__(value)
        sent, room = [], LARGEST // 8
        for item in items:
            # A blank that was left in a list is nothing, and costs the other answers in it nothing.
            sent.append(None if item is ... else encode(item, depth=depth + 1))
            if len(sent) > room:
                raise Unsendable(f"{_called(kind)} of more than {room:,} items")
        return {"tuple" if issubclass(kind, tuple) else "list": sent}
    if issubclass(kind, (dict, set, frozenset, bytes, type)):
        raise Unsendable(_called(kind))
    array = _as_array(value)
    return encode(array.tolist(), depth=depth) if array.dtype.kind == "U" else _array(array)


def clean(text: str) -> str:
    """Return text that every file, page and database can hold: without halves of characters and without NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def decode(sent: Any, *, depth: int = 0) -> Any:
    """Return the value of what `encode` gave: plain numbers, texts, arrays, lists and tuples.

    Raises
    ------
    Unsendable
        If it is nothing that `encode` gives: it comes from a process that is not to be trusted.
    """
    if isinstance(sent, str):
        return clean(sent)
    if sent is None or isinstance(sent, (bool, int)):
        return sent
    if not isinstance(sent, dict) or depth > DEEPEST:
        raise Unsendable("an answer that nobody can read")
    for name, kind in ("list", list), ("tuple", tuple):
        if sent.keys() == {name} and isinstance(sent[name], list):
            return kind(decode(item, depth=depth + 1) for item in sent[name])
    try:
        shape, data = sent["shape"], base64.b64decode(sent["data"], validate=True)
        size = _SIZES[sent["dtype"]]
        if len(shape) > 32 or len(data) > LARGEST:
            raise ValueError
        if not all(type(count) is int and count >= 0 for count in shape) or math.prod(shape) * size != len(data):
            raise ValueError
        array = np.frombuffer(data, dtype=np.dtype(sent["dtype"])).reshape(shape).copy()
    except (TypeError, ValueError, KeyError, binascii.Error):
        raise Unsendable("an answer that nobody can read") from None
    return array if array.ndim else array[()]


def _as_array(value: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(value)
        if array.dtype == object:  # such as a list of 0-dimensional tensors
            array = np.asarray(array.tolist(), dtype=np.float64)
        return array
    except Exception:  # whatever the object's own code raises
        raise Unsendable(_called(type(value))) from None


def _array(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if array.dtype.kind not in _KINDS:
        raise Unsendable(f"an array of {array.dtype}")
    if array.nbytes > LARGEST:
        raise Unsendable(f"an array of {array.nbytes:,} bytes")
    plain = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False)).reshape(array.shape)
    data = binascii.b2a_base64(plain.tobytes(), newline=False).decode("ascii")
    return {"dtype": plain.dtype.newbyteorder("<").str, "shape": list(array.shape), "data": data}


def _called(kind: type) -> str:
    name = type.__getattribute__(kind, "__name__")
    return f"a value of type {name}"

"""Learners' values in words: what a message may say about an object that need not be trusted."""

from collections.abc import Sequence
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 300  # characters of a learner's text or array in a message
_TYPED = 40  # numbers of an array in a call


def is_own_number(sort: type) -> bool:
    """Return whether a type is NumPy's own scalar type: a subclass of one may bring code of a learner's along."""
    return issubclass(sort, np.generic) and type.__getattribute__(sort, "__module__") == "numpy"


def kind(value: Any) -> str:
    """Return what sort of thing a value is, in a learner's words, without running any code of its own.

    >>> kind([1, 2]), kind(None), kind("a")
    ('a list', 'None', "the text 'a'")
    """
    sort = type(value)
    if value is None:
        return "None"
    if value is ...:
        return "..."
    if sort is str:
        return f"the text {shown(value)}"
    if sort in (bool, int, float, complex) or is_own_number(sort):
        return shown(value)
    name = {FunctionType: "function", np.ndarray: "array"}.get(sort, type.__getattribute__(sort, "__name__"))
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def shown(value: Any, *, depth: int = 3) -> str:
    """Return a value as a learner would write it: six digits, and never longer than a few lines.

    >>> shown(np.array([0.1, 0.25])), shown([2 / 3, True])
    ('[0.1, 0.25]', '[0.666667, True]')
    """
    sort = type(value)
    if sort is np.ndarray and value.ndim == 0 and value.dtype.kind != "O":
        return shown(value[()])
    if sort is np.ndarray and value.dtype.kind != "O":
        formatter: Any = {"float_kind": lambda number: f"{number:.6g}"}
        text = np.array2string(value, separator=", ", threshold=16, edgeitems=4, formatter=formatter)
        text = " ".join(text.split())
    elif sort is float or (issubclass(sort, np.floating) and is_own_number(sort)):
        text = f"{float(value):.6g}"
    elif sort is int and value.bit_length() > 1000:
        text = "a whole number of more than 300 digits"  # writing it out may take for ever
    elif sort in (bool, int, complex) or is_own_number(sort):
        text = str(value)
    elif sort is str:
        text = repr(value[: LONGEST + 1])
    elif sort in (list, tuple) and depth:  # a list may contain itself
        inner = ", ".join(shown(part, depth=depth - 1) for part in value[:8]) + (", ..." if len(value) > 8 else "")
        text = f"[{inner}]" if sort is list else f"({inner})"
    else:
        text = kind(value)
    return shortened(text)


def shortened(text: str) -> str:
    """Return a text with its end cut off where it is too long for a message."""
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def call_text(name: str, arguments: Sequence[Any], keywords: dict[str, Any]) -> str:
    """Return a call as it would be typed.

    >>> call_text("mean", ([1, 2],), {"axis": 0})
    'mean([1, 2], axis=0)'
    >>> call_text("mean", (np.zeros((500, 10)),), {})
    'mean(<array of shape (500, 10)>)'
    """
    parts = [_argument(argument) for argument in arguments]
    parts += [f"{key}={_argument(argument)}" for key, argument in keywords.items()]
    return f"{name}({', '.join(parts)})"


def _argument(value: Any) -> str:
    """Return an argument as it would be typed, and of an array that nobody would type its shape."""
    return f"<array of shape {value.shape}>" if type(value) is np.ndarray and value.size > _TYPED else shown(value)


def first_place(mask: NDArray[np.bool_]) -> str:
    """Return the first place where a mask is True, counted from 0.

    >>> first_place(np.array([[False, False], [False, True]]))
    'index (1, 1)'
    """
    first = [int(index) for index in np.argwhere(mask)[0]]
    return f"index {first[0]}" if len(first) == 1 else f"index {tuple(first)}"

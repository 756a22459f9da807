"""The arrays that a data set holds: checked, and never changed."""

from typing import Any

import numpy as np

from lossacc_helpers._validation import as_numbers, first, place
from lossacc_helpers.history.predictions import read_only

Array = np.ndarray[Any, np.dtype[Any]]


def pixels(images: Any, name: str, shape: tuple[str | int, ...], where: str = "") -> Array:
    """Bytes of a shape, given as names and lengths of axes: themselves where they are read-only, else a copy that is.

    Raises `ValueError` for anything else.
    """
    if not isinstance(images, np.ndarray):
        got = type(images).__name__
    elif images.dtype != np.uint8 or images.ndim != len(shape):
        got = f"{images.dtype} of shape {images.shape}"
    elif any(isinstance(wanted, int) and wanted != length for wanted, length in zip(shape, images.shape, strict=True)):
        got = f"shape {images.shape}"
    else:
        return images if not images.flags.writeable else unchangeable(images)
    raise ValueError(f"{name} must be bytes of shape ({', '.join(map(str, shape))}); got {got}{where}")


def unchangeable(array: Array) -> Array:
    """An array that nobody can write to: itself, or a copy where it shows what others may change."""
    shown: Any = array
    while isinstance(shown, np.ndarray) and not shown.flags.writeable:
        shown = shown.base
    own = array if shown is None else array.copy()
    own.flags.writeable = False
    return own


def whole_numbers(values: Any, name: str, shape: tuple[int, ...] = ()) -> Array:
    """A read-only copy of whole numbers (sample, *shape), or `ValueError`."""
    array = as_numbers(values, name)
    if array.dtype.kind not in "iu" or array.ndim != 1 + len(shape) or array.shape[1:] != shape:
        wanted = f"({', '.join(['sample', *map(str, shape)])}{'' if shape else ','})"
        raise ValueError(f"{name} must be whole numbers of shape {wanted}; got {array.dtype} of shape {array.shape}")
    return read_only(np.array(array, dtype=np.int64))


def require(right: Array, what: str, values: Array) -> None:
    """Raise `ValueError` that says what must be and shows the first sample for which it is not."""
    if not right.all():
        index = first(~right)
        raise ValueError(f"{what}; got {values[index].tolist()} at {place(index, ('sample',))}")

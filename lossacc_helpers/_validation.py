"""Checks of labels and probabilities: an error says what was wrong, where, and what was expected."""

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROW_SUM_TOLERANCE = 1e-4


def as_numbers(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return `values` as a non-empty array of booleans, whole numbers or floats, or raise `ValueError`."""
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(f"{name} must be an ordinary array; got a masked one (drop the masked samples first)")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} must be numbers in rows of equal length; {error}") from None
    if array.dtype.kind not in "biuf":
        kinds = {"U": "text", "S": "text", "T": "text", "c": "complex numbers", "O": "Python objects", "M": "dates"}
        raise ValueError(
            f"{name} must be numbers; got {kinds.get(array.dtype.kind, str(array.dtype))}: {_short(values)}"
        )
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one sample; got an empty array of shape {array.shape}")
    return array


def as_floats(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return `values` as float16, float32 or float64, whichever they are; anything else becomes float64."""
    array = as_numbers(values, name)
    return array if array.dtype in (np.float16, np.float32, np.float64) else array.astype(np.float64)


def place(index: tuple[int, ...], axes: tuple[str, ...]) -> str:
    """Name a place in an array: ``leading index (0, 3), sample 4, class 2``."""
    extra = len(index) - len(axes)
    leading = tuple(int(i) for i in index[: max(extra, 0)])
    words = [] if not leading else [f"leading index {leading[0] if len(leading) == 1 else leading}"]
    words += [f"{axis} {int(i)}" for axis, i in zip(axes[max(-extra, 0) :], index[max(extra, 0) :], strict=True)]
    return ", ".join(words)


def first(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the index of the first true element of `mask`."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))


def check_probabilities(
    probabilities: ArrayLike, *, axes: tuple[str, ...] = ("sample", "class"), nan_rows: bool = False
) -> NDArray[Any]:
    """Return probabilities of shape (..., sample, class) in their own float type, or raise `ValueError`.

    Rows must sum to 1 within 1e-4; float16 cannot always do that and gets the rounding of its type. With `nan_rows`,
    rows that are NaN throughout pass.
    """
    array = as_floats(probabilities, "probabilities")
    wanted = f"(..., {', '.join(axes)})"
    if array.ndim < len(axes):
        hint = " (for the probability of class 1 alone, use binary_log_loss)" if array.ndim == 1 else ""
        raise ValueError(f"probabilities must have shape {wanted}; got {array.shape}{hint}")
    if array.shape[-1] < 2:
        raise ValueError(
            f"probabilities must have at least 2 classes on their last axis; got shape {array.shape} "
            "(for the probability of class 1 alone, use binary_log_loss)"
        )
    allowed = (array >= 0) & (array <= 1)
    if nan_rows:
        allowed |= np.isnan(array).all(axis=-1, keepdims=True)
    _require_unit_interval(array, allowed, axes)
    sums = array.sum(axis=-1, dtype=np.float64)
    off = np.abs(sums - 1) > max(ROW_SUM_TOLERANCE, float(np.finfo(array.dtype).eps))
    if off.any():
        index = first(off)
        raise ValueError(
            f"probabilities must sum to 1 over the classes; got a sum of {sums[index]:.6g} at {place(index, axes[:-1])}"
        )
    return array


def check_binary_probabilities(probabilities: ArrayLike, samples: int) -> NDArray[Any]:
    """Return probabilities of class 1, shape (..., sample), in their own float type, or raise `ValueError`."""
    array = as_floats(probabilities, "probabilities")
    if array.ndim == 0 or array.shape[-1] != samples:
        hint = ""
        if array.ndim > 1 and array.shape[-1] in (1, 2) and array.shape[-2] == samples:
            hint = f": give the probability of class 1 alone, p[..., {array.shape[-1] - 1}]"
        raise ValueError(
            f"probabilities of class 1 must have shape (..., sample) = (..., {samples}); got {array.shape}{hint}"
        )
    _require_unit_interval(array, (array >= 0) & (array <= 1), ("sample",))
    return array


def check_labels(labels: ArrayLike, *, classes: int) -> NDArray[np.intp]:
    """Return labels of shape (..., sample) as whole numbers below `classes`, or raise `ValueError`."""
    array = as_numbers(labels, "labels")
    if array.ndim == 0:
        raise ValueError(f"labels must have shape (sample,); got the single number {array}")
    if array.dtype.kind == "f":
        odd = ~np.isfinite(array) | (array != np.floor(array))
        if odd.any():
            index = first(odd)
            raise ValueError(f"labels must be whole numbers; got {array[index]!s} at {place(index, ('sample',))}")
    if array.dtype.kind != "b":
        outside = (array < 0) | (array >= classes)
        if outside.any():
            index = first(outside)
            value = array[index] if array.dtype.kind != "f" else int(array[index])
            raise ValueError(
                f"labels must lie in 0..{classes - 1} for {classes} classes; got {value} at {place(index, ('sample',))}"
            )
    return array.astype(np.intp)


def check_labels_of(labels: ArrayLike, probabilities: NDArray[Any]) -> NDArray[np.intp]:
    """Return the labels of checked probabilities (..., sample, class), broadcast to (..., sample)."""
    array = as_numbers(labels, "labels")
    samples, classes = probabilities.shape[-2:]
    if array.ndim == 0 or array.ndim >= probabilities.ndim or array.shape[-1] != samples:
        hint = one_hot_hint(array)
        raise ValueError(f"labels must have shape (sample,) = ({samples},); got {array.shape}{hint}")
    checked = check_labels(array, classes=classes)
    return np.broadcast_to(checked, broadcast_leading(checked, probabilities.shape[:-1]))


def one_hot_hint(array: NDArray[Any]) -> str:
    """Return a hint for labels of the wrong shape: one-hot rows, a column, or nothing."""
    if array.ndim > 1 and array.shape[-1] > 1 and bool(((array == 0) | (array == 1)).all()):
        if bool((array.sum(axis=-1) == 1).all()):
            return ": these look one-hot; give class ids, labels.argmax(-1)"
    elif array.ndim > 1 and array.shape[-1] == 1:
        return ": these are a column; give labels[..., 0]"
    return ""


def broadcast_leading(labels: NDArray[Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape (..., sample) that labels and probabilities share, or raise `ValueError`."""
    try:
        return np.broadcast_shapes(labels.shape, shape)
    except ValueError:
        raise ValueError(
            f"leading axes of labels must match those of the predictions: {shape[:-1]}; got {labels.shape[:-1]}"
        ) from None


def check_clip(clip: float | None) -> float | None:
    """Return a clipping constant between 0 and 1/2, or None, or raise `ValueError`."""
    if clip is None:
        return None
    value = as_number(clip, "clip")
    if not 0 < value < 0.5:
        raise ValueError(f"clip must lie between 0 and 1/2; got {clip}")
    return value


def as_number(value: object, name: str) -> float:
    """Return `value` as one float, or raise `ValueError`."""
    array = as_numbers(value, name)  # type: ignore[arg-type]  # anything may be handed in: that is what is checked
    if array.ndim:
        raise ValueError(f"{name} must be a single number; got an array of shape {array.shape}")
    return float(array)


def as_positive(value: object, name: str) -> float:
    """Return `value` as one finite float above 0, or raise `ValueError`."""
    number = as_number(value, name)
    if not (np.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be finite and above 0; got {number:g}")
    return number


def as_whole_number(value: object, name: str, *, least: int) -> int:
    """Return `value` as one whole number not below `least`, or raise `ValueError`; 3.0 and True are none."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]  # checked here
    except TypeError:
        number = None
    if number is None or number < least:
        raise ValueError(f"{name} must be a whole number, {least} or more; got {_short(value)}")
    return number


def check_unit_interval(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return `values` as float64 between 0 and 1, or raise `ValueError`."""
    array = as_numbers(values, name).astype(np.float64)
    outside = ~((array >= 0) & (array <= 1))
    if outside.any():
        index = first(outside)
        where = f" at index {index[0] if len(index) == 1 else index}" if index else ""
        raise ValueError(f"{name} must lie in [0, 1]; got {array[index]!s}{where}")
    return array


def _require_unit_interval(array: NDArray[Any], allowed: NDArray[np.bool_], axes: tuple[str, ...]) -> None:
    if not allowed.all():
        index = first(~allowed)
        raise ValueError(f"probabilities must lie in [0, 1]; got {array[index]!s} at {place(index, axes)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def as_two_classes(features: ArrayLike, signs: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the features (sample, coordinate) and the signs (sample,) of samples of two classes, -1 and 1.

    Raises `ValueError` for other shapes, signs that are neither, and features that are not finite.
    """
    rows, truths = as_numbers(features, "features").astype(np.float64), as_numbers(signs, "signs").astype(np.float64)
    if rows.ndim != 2 or truths.shape != rows.shape[:1]:
        raise ValueError(
            f"features and signs must have shapes (sample, coordinate) and (sample,); got {rows.shape} and "
            f"{truths.shape}"
        )
    if not np.isfinite(rows).all():
        raise ValueError("features must be finite")
    if not np.isin(truths, (-1, 1)).all():
        raise ValueError("signs must be -1 or 1")
    return rows, truths

"""What a mistaken loss reports: closed forms by which a reported value can be recognised.

Softmax turns a one-hot row of C classes, mistaken for logits, into probabilities with the normaliser e + C - 1: e for
the 1, and 1 for each of the C - 1 zeros. Its logarithm, ln(e + C - 1), stands in all that follows. Logits and
probabilities have shape (..., sample, class). Labels are class ids, (sample,) or with leading axes, at most as many,
which broadcast with theirs. Losses are in nats.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import (
    as_floats,
    as_whole_number,
    check_labels_of,
    check_probabilities,
    first,
    place,
)
from lossacc_helpers.scores import of_true_class


def swapped_logits_loss(labels: ArrayLike, logits: ArrayLike) -> NDArray[np.float64]:
    """Return what TensorFlow's cross-entropy makes of one-hot labels and logits that have changed places.

    Per sample that is ``ln(e + C - 1) * sum(z) - z_true``: linear in the logits z, so it has no least value, and its
    gradient by them is ln(e + C - 1) everywhere, less 1 at the true class, whatever the network predicts.

    Parameters
    ----------
    labels : (..., sample)
        Class ids.
    logits : (..., sample, class)
        Finite numbers, two classes or more.

    Returns
    -------
    (..., sample) float64

    Raises
    ------
    ValueError
        For labels outside the classes, logits that are not finite or too large to be added up, and shapes that do not
        fit.

    Examples
    --------
    >>> swapped_logits_loss([0, 0], [[1.0, -1.0], [-50.0, -50.0]]).round(3)
    array([ -1.   , -81.326])
    """
    values = _check_logits(logits)
    of_true = of_true_class(check_labels_of(labels, values), values)
    with np.errstate(over="ignore", invalid="ignore"):
        losses: NDArray[np.float64] = _one_hot_normaliser(values.shape[-1]) * values.sum(axis=-1) - of_true
    odd = ~np.isfinite(losses)
    if odd.any():
        raise ValueError(f"logits are too large to be added up at {place(first(odd), ('sample',))}")
    return losses


def swapped_softmax_loss(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return what TensorFlow's cross-entropy makes of one-hot labels and probabilities that have changed places.

    Per sample that is ``ln(e + C - 1) - p_true``, so training follows it as it would follow 1 - p_true. Its values lie
    in `double_softmax_range`, both ends included, up to the tolerance of the rows.

    Parameters
    ----------
    labels : (..., sample)
        Class ids.
    probabilities : (..., sample, class)
        Rows that sum to 1 within 1e-4.

    Returns
    -------
    (..., sample) float64

    Raises
    ------
    ValueError
        For labels outside the classes, values outside [0, 1], rows that do not sum to 1, and shapes that do not fit.

    Examples
    --------
    >>> swapped_softmax_loss([0, 0], [[1.0, 0.0], [0.5, 0.5]]).round(3)
    array([0.313, 0.813])
    """
    beliefs = check_probabilities(probabilities)
    of_true: NDArray[np.float64] = of_true_class(check_labels_of(labels, beliefs), beliefs.astype(np.float64))
    return _one_hot_normaliser(beliefs.shape[-1]) - of_true


def double_softmax_loss(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return the cross-entropy of probabilities that go through softmax once more, as if they were logits.

    Per sample that is ``ln(sum(exp(p))) - p_true``. It is never more than `swapped_softmax_loss`, equal to it where one
    class has all the probability, and ln C where all classes have the same. Takes and raises the same.

    Examples
    --------
    >>> double_softmax_loss([0, 0], [[1.0, 0.0], [0.5, 0.5]]).round(3)
    array([0.313, 0.693])
    """
    beliefs = check_probabilities(probabilities)
    of_true = of_true_class(check_labels_of(labels, beliefs), beliefs.astype(np.float64))
    totals: NDArray[np.float64] = np.exp(beliefs, dtype=np.float64).sum(axis=-1)
    losses: NDArray[np.float64] = np.log(totals) - of_true
    return losses


def double_softmax_range(classes: int) -> tuple[float, float]:
    """Return the (least, greatest) value, in nats, of `double_softmax_loss` and of `swapped_softmax_loss`.

    These are ``ln(e + C - 1) - 1``, where every sample is certainly right, and ``ln(e + C - 1)``, where every sample is
    certainly wrong; rows that sum to 1 only within their tolerance can leave the range by as much. A network whose
    beliefs are all 0 or 1 reports a loss L with L + accuracy = ln(e + C - 1). Raises `ValueError` for fewer than two
    classes.

    Examples
    --------
    >>> least, greatest = double_softmax_range(10)
    >>> print(f"{least:.3f} to {greatest:.3f}")
    1.461 to 2.461
    """
    greatest = _one_hot_normaliser(as_whole_number(classes, "classes", least=2))
    return greatest - 1, greatest


def _one_hot_normaliser(classes: int) -> float:
    """Return ln(e + C - 1), the logarithm of what softmax divides a one-hot row by."""
    if classes > 2**53:  # more than a float can count, and e - 1 is nothing beside it
        return math.log(classes)
    return math.log(math.e + classes - 1)


def _check_logits(logits: ArrayLike) -> NDArray[np.float64]:
    values = as_floats(logits, "logits").astype(np.float64)
    if values.ndim < 2 or values.shape[-1] < 2:
        raise ValueError(f"logits must have shape (..., sample, class), two classes or more; got {values.shape}")
    odd = ~np.isfinite(values)
    if odd.any():
        index = first(odd)
        raise ValueError(f"logits must be finite; got {values[index]!s} at {place(index, ('sample', 'class'))}")
    return values

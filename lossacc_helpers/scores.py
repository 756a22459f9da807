"""Scores of predicted probabilities: log loss, accuracy, margins, Brier score.

Labels are class ids of shape (sample,), probabilities have shape (..., sample, class); leading axes broadcast. Losses
are in nats. Everything is computed in float64 whatever the input's type. Nothing is clipped unless ``clip=`` is given:
then probabilities are held to [clip, 1 - clip] in the input's own type, as Keras (1e-7) and scikit-learn (the type's
epsilon) do, and rows are not made to sum to 1 again. A float32 cannot tell 1 - 1e-9 from 1, so there ``clip=1e-9`` does
nothing at that end; a clip that is 0 in the type of the probabilities would do nothing at all and is refused.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import (
    as_numbers,
    broadcast_leading,
    check_binary_probabilities,
    check_clip,
    check_labels,
    check_labels_of,
    check_probabilities,
    one_hot_hint,
)


def sample_losses(labels: ArrayLike, probabilities: ArrayLike, *, clip: float | None = None) -> NDArray[np.float64]:
    """Return -log of each sample's true-class probability, in nats.

    Parameters
    ----------
    labels : (sample,) or (..., sample)
        Class ids.
    probabilities : (..., sample, class)
        Rows that sum to 1 within 1e-4.
    clip : float, optional
        Hold probabilities to [clip, 1 - clip] first, in their own type.

    Returns
    -------
    (..., sample) float64
        Infinite where the true class has probability 0.

    Raises
    ------
    ValueError
        For labels outside the classes, values outside [0, 1], rows that do not sum to 1, shapes that do not fit, or a
        clip that is 0 in the type of the probabilities.

    Examples
    --------
    >>> sample_losses([1, 1], [[0.1, 0.9], [0.4, 0.6]]).round(3)
    array([0.105, 0.511])
    """
    clip = check_clip(clip)
    beliefs = check_probabilities(probabilities)
    return _minus_log(_clipped(of_true_class(check_labels_of(labels, beliefs), beliefs), clip))


def log_loss(
    labels: ArrayLike, probabilities: ArrayLike, *, clip: float | None = None
) -> np.float64 | NDArray[np.float64]:
    """Return the mean over samples of `sample_losses`, in nats, shape (...): the cross-entropy of labels and beliefs.

    Examples
    --------
    >>> round(log_loss([1, 1], [[0.1, 0.9], [0.4, 0.6]]), 3)
    np.float64(0.308)
    """
    return _mean(sample_losses(labels, probabilities, clip=clip))


def binary_log_loss(labels: ArrayLike, p: ArrayLike, *, clip: float | None = None) -> np.float64 | NDArray[np.float64]:
    """Return the mean log loss in nats, shape (...), from the probability of class 1 alone.

    Parameters
    ----------
    labels : (sample,) or (..., sample)
        Zeros and ones.
    p : (..., sample)
        The probability of class 1.
    clip : float, optional
        Hold probabilities to [clip, 1 - clip] first, in their own type.

    Examples
    --------
    >>> [round(float(binary_log_loss([1], [p])), 3) for p in (0.1, 0.22, 0.49)]
    [2.303, 1.514, 0.713]
    """
    clip = check_clip(clip)
    given = as_numbers(labels, "labels")
    if given.ndim and (hint := one_hot_hint(given)) and np.ndim(p) < given.ndim:
        raise ValueError(f"labels must have shape (sample,); got {given.shape}{hint}")
    truths = check_labels(given, classes=2)
    ones = check_binary_probabilities(p, truths.shape[-1])
    broadcast_leading(truths, ones.shape)
    held = _clipped(ones, clip).astype(np.float64)
    with np.errstate(divide="ignore"):
        losses = 0.0 - np.where(truths == 1, np.log(held), np.log1p(-held))
    return _mean(losses)


def correct(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.bool_]:
    """Return whether the most probable class is the true one, shape (..., sample); of a tie, argmax names the first.

    Examples
    --------
    >>> correct([0, 1], [[0.5, 0.5], [0.5, 0.5]])
    array([ True, False])
    """
    beliefs = check_probabilities(probabilities)
    hits: NDArray[np.bool_] = beliefs.argmax(axis=-1) == check_labels_of(labels, beliefs)
    return hits


def accuracy(labels: ArrayLike, probabilities: ArrayLike) -> np.float64 | NDArray[np.float64]:
    """Return the share of samples that are `correct`, shape (...).

    Examples
    --------
    >>> accuracy([0, 1], [[0.5, 0.5], [0.5, 0.5]])
    np.float64(0.5)
    """
    return _mean(correct(labels, probabilities))


def margins(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return the true class's probability minus the largest other one, in [-1, 1], shape (..., sample).

    A positive margin is a correct sample, a negative one a wrong sample; at 0 the order of the classes decides.

    Examples
    --------
    >>> margins([1, 1], [[0.1, 0.9], [0.6, 0.4]])
    array([ 0.8, -0.2])
    """
    beliefs = check_probabilities(probabilities)
    truths = check_labels_of(labels, beliefs)
    others = np.broadcast_to(beliefs, (*truths.shape, beliefs.shape[-1])).astype(np.float64)
    of_true = of_true_class(truths, others)
    np.put_along_axis(others, truths[..., None], -np.inf, axis=-1)
    gaps: NDArray[np.float64] = of_true - others.max(axis=-1)
    return gaps


def brier_score(labels: ArrayLike, probabilities: ArrayLike) -> np.float64 | NDArray[np.float64]:
    """Return the mean over samples of the squared distance between beliefs and the one-hot truth, in [0, 2].

    This is the score of Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather
    Review 78:1-3: it sums over all classes. For two classes scikit-learn's `brier_score_loss` gives half of it, unless
    ``scale_by_half=False``.

    Examples
    --------
    >>> brier_score([1], [[0.25, 0.75]])
    np.float64(0.125)
    """
    beliefs = check_probabilities(probabilities)
    truths = check_labels_of(labels, beliefs)
    gaps = np.broadcast_to(beliefs, (*truths.shape, beliefs.shape[-1])).astype(np.float64)
    np.put_along_axis(gaps, truths[..., None], of_true_class(truths, gaps)[..., None] - 1, axis=-1)
    return _mean((gaps**2).sum(axis=-1))


def of_true_class(labels: NDArray[np.intp], values: NDArray[Any]) -> NDArray[Any]:
    """Return each sample's value (..., sample) of its true class, of checked labels and values (..., sample, class)."""
    rows = np.broadcast_to(values, (*labels.shape, values.shape[-1]))
    chosen: NDArray[Any] = np.take_along_axis(rows, labels[..., None], axis=-1)[..., 0]
    return chosen


def _clipped(probabilities: NDArray[Any], clip: float | None) -> NDArray[Any]:
    if clip is None:
        return probabilities
    kind = probabilities.dtype.type
    if kind(clip) == 0:
        least = np.finfo(kind).smallest_subnormal
        raise ValueError(
            f"clip={clip:g} is 0 in {probabilities.dtype}, the type of the probabilities, and would clip nothing; "
            f"give {least:.1g} or more, or convert the probabilities to float64"
        )
    held: NDArray[Any] = np.clip(probabilities, kind(clip), kind(1.0 - clip))
    return held


def _minus_log(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):  # the loss of a probability of 0 is infinite, and that is meant
        losses: NDArray[np.float64] = 0.0 - np.log(probabilities.astype(np.float64))  # 0 - 0 has no minus sign
    return losses


def _mean(values: NDArray[Any]) -> np.float64 | NDArray[np.float64]:
    means: np.float64 | NDArray[np.float64] = values.mean(axis=-1, dtype=np.float64)
    return means

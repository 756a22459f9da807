"""What calibrated predictions permit: the narrow region of loss and accuracy, and what lies above it.

Predictions are calibrated if among samples that are given the same probabilities, the classes occur in these shares.
Let err = 1 - accuracy, and F(err) = h(err) + err ln(C - 1) with the binary entropy h in nats: the loss of answering
every one of C classes' samples with the confidence 1 - err, the rest spread evenly. For a population of calibrated
predictions

- the loss is at most F(err): Fano's inequality, met by that constant confidence;
- the loss is at least the broken line through (err, loss) = (1 - 1/i, ln i), i = 1, 2, ..., C, met by rows that spread
  their probability evenly over i classes. So accuracy >= exp(-loss), and loss >= 2 ln 2 err as long as err <= 1/2.

These are statements about populations: ten samples say nothing. What exceeds F proves that predictions are not
calibrated. It does not say whether they are too bold or too timid.

Sources: R. M. Fano, "Transmission of Information" (1961); M. Feder and N. Merhav, "Relations between entropy and error
probability" (IEEE Transactions on Information Theory 40, 1994).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers, as_whole_number, check_unit_interval, first
from lossacc_helpers.intervals import standard_deviations, wilson_interval

_STRAIGHT = 14.0  # nats: a million classes and more
_HALVINGS = 60  # of an interval of length 1: down to the precision of a float64
_ROUNDING = 5e-5  # half a unit of the fourth decimal, to which logs are printed


def calibrated_loss(
    accuracy: ArrayLike, *, classes: int | None = None
) -> tuple[np.float64 | NDArray[np.float64], np.float64 | NDArray[np.float64]]:
    """Return the (least, greatest) mean log loss, in nats, of calibrated predictions with this accuracy.

    Parameters
    ----------
    accuracy : (...)
        At least 1/classes, which calibrated predictions always reach.
    classes : int, optional
        How many classes there are; None stands for any number, and then the greatest loss is infinite below accuracy 1.

    Raises
    ------
    ValueError
        For an accuracy outside [1/classes, 1], or of 0.

    Examples
    --------
    >>> least, greatest = calibrated_loss(0.854, classes=2)
    >>> print(f"{least:.3f} to {greatest:.3f}")
    0.202 to 0.416
    """
    count, right = _check_classes(classes), check_unit_interval(accuracy, "accuracy")
    least_right = 0.0 if count is None else 1 / count
    short = (right < least_right - _ROUNDING) | (right <= 0)
    if short.any():
        limit = "more than 0" if count is None else f"1/{count} or more"
        raise ValueError(f"calibrated predictions have an accuracy of {limit}; got {right[first(short)]:g}")
    right = np.maximum(right, least_right)
    greatest = np.where(right < 1, np.inf, 0.0) if count is None else _fano(1 - right, count)
    return _broken_line(right)[()], greatest[()]


def calibrated_accuracy(
    loss: ArrayLike, *, classes: int | None = None
) -> tuple[np.float64 | NDArray[np.float64], np.float64 | NDArray[np.float64]]:
    """Return the (least, greatest) accuracy of calibrated predictions with this mean log loss: of `calibrated_loss`.

    Parameters
    ----------
    loss : (...)
        In nats, 0 or more, at most ln(classes), which calibrated predictions never exceed.
    classes : int, optional
        How many classes there are; None stands for any number, and then the greatest is 1.

    Raises
    ------
    ValueError
        For a loss that is negative, not finite or above ln(classes).

    Examples
    --------
    >>> least, greatest = calibrated_accuracy(0.5, classes=10)
    >>> print(f"{least:.3f} to {greatest:.3f}")
    0.639 to 0.910
    """
    count, cost = _check_classes(classes), _check_finite(loss, "loss")
    if count is not None and (above := cost > math.log(count) + _ROUNDING).any():
        raise ValueError(
            f"calibrated predictions of {count} classes have a loss of ln {count} = {math.log(count):.4f} at most; "
            f"got {cost[first(above)]:g}"
        )
    bent = np.minimum(cost, _STRAIGHT)  # beyond, the line is exp(-loss) to all digits, and its pieces are lost
    classes_alike = np.floor(np.exp(bent) * (1 + 1e-12))  # the piece of the line from ln i to ln(i + 1)
    low, high = np.log(classes_alike), np.log(classes_alike + 1)
    along = np.clip((bent - low) / (high - low), 0, 1)
    least = 1 / classes_alike - along * (1 / classes_alike - 1 / (classes_alike + 1))
    least = np.where(cost > _STRAIGHT, np.exp(-cost), least)
    if count is None:
        return least[()], np.ones_like(cost)[()]
    wrong_low, wrong_high = np.zeros_like(cost), np.full_like(cost, 1 - 1 / count)
    for _ in range(_HALVINGS):
        middle = (wrong_low + wrong_high) / 2
        below = _fano(middle, count) < cost
        wrong_low, wrong_high = np.where(below, middle, wrong_low), np.where(below, wrong_high, middle)
    return np.maximum(least, 1 / count)[()], (1 - wrong_high)[()]


def least_miscalibration(
    loss: ArrayLike,
    accuracy: ArrayLike,
    *,
    classes: int,
    samples: int | None = None,
    standard_error: ArrayLike = 0.0,
    confidence: float = 0.95,
    decimals: int = 4,
) -> np.float64 | NDArray[np.float64]:
    """Return how much of a mean log loss, in nats, must be owed to miscalibration: two printed numbers prove it.

    Parameters
    ----------
    loss, accuracy : (...)
        As printed, of the same predictions for the same samples; they broadcast. Both may be off by half a unit of the
        last of `decimals`.
    classes : int
        How many classes there are.
    samples : int, optional
        How many independent samples they are means of. Then the accuracy may be any in its Wilson interval. None stands
        for a population.
    standard_error : (...)
        Of the loss: the deviation of the samples' losses over the root of their number. So many of them as the
        confidence asks for are taken off the loss.
    confidence : float
        Of both allowances, each two-sided.
    decimals : int
        To which both were printed.

    Returns
    -------
    (...) float64
        ``loss - F(1 - accuracy)`` after both allowances, and 0 where that is negative. More than 0 says that the
        predictions are not calibrated, not in which direction. 0 says nothing.

    Raises
    ------
    ValueError
        For a loss or an error that is negative or not finite, and values out of their range.

    Examples
    --------
    >>> round(least_miscalibration(0.746, 0.854, classes=2), 3)
    np.float64(0.33)
    >>> round(least_miscalibration(0.746, 0.854, classes=2, samples=500, standard_error=0.06), 3)
    np.float64(0.157)
    """
    count = as_whole_number(classes, "classes", least=2)
    cost, slack = _check_finite(loss, "loss"), _check_finite(standard_error, "standard_error")
    right = check_unit_interval(accuracy, "accuracy")
    low, high = (right, right) if samples is None else wilson_interval(right, samples, confidence=confidence)
    rounding = 0.5 * 10.0 ** -as_whole_number(decimals, "decimals", least=1)
    # F rises up to the accuracy of chance and falls beyond it.
    nearest_chance = np.clip(1 / count, np.maximum(low - rounding, 0), np.minimum(high + rounding, 1))
    permitted = _fano(1 - nearest_chance, count) + rounding
    proven: np.float64 | NDArray[np.float64] = np.maximum(
        cost - standard_deviations(confidence) * slack - permitted, 0.0
    )
    return proven


def _check_classes(classes: int | None) -> int | None:
    return None if classes is None else as_whole_number(classes, "classes", least=2)


def _check_finite(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = as_numbers(values, name).astype(np.float64)
    odd = ~(np.isfinite(array) & (array >= 0))
    if odd.any():
        raise ValueError(f"{name} must be 0 or more, and finite; got {array[first(odd)]!s}")
    return array


def _fano(wrong: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """F: the loss of the constant confidence 1 - wrong, in nats."""
    wrong = np.asarray(wrong, dtype=np.float64)
    right = 1 - wrong
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = np.where(right > 0, -right * np.log(right), 0.0) + np.where(wrong > 0, -wrong * np.log(wrong), 0.0)
    total: NDArray[np.float64] = entropy + wrong * math.log(classes - 1)
    return total


def _broken_line(right: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least loss at this accuracy: linear in it between accuracies 1/i."""
    bent = np.maximum(right, np.exp(-_STRAIGHT))
    alike = np.maximum(np.floor(1 / bent * (1 + 1e-12)), 1.0)  # 1 / (alike + 1) < right <= 1 / alike
    along = np.clip((1 / alike - bent) / (1 / alike - 1 / (alike + 1)), 0, 1)
    line: NDArray[np.float64] = np.log(alike) + along * (np.log(alike + 1) - np.log(alike))
    return np.where(right < np.exp(-_STRAIGHT), -np.log(right), line)

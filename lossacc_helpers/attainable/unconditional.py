"""What a mean log loss permits an accuracy to be, and what an accuracy permits a loss to be.

A wrong sample costs at least ln 2: some other class is at least as probable, so the true one has at most 1/2. A right
one costs at most ln C, for C classes: the largest probability is at least 1/C. With ``clip=eps`` no sample costs less
than c0 = -ln(1 - eps) or more than ln(1/eps); without, the limits are 0 and infinity. Everything else follows. Losses
are in nats. The bounds hold for any predictions, calibrated or not; a printed loss and accuracy outside them are not a
mean cross-entropy and the accuracy of the same predictions.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers, as_whole_number, check_unit_interval, first

_LN2 = math.log(2)
_ROUNDING = 1e-9  # relative: a mean of float64 losses is known no better
_PRINTED = 5e-5  # half a unit of the fourth decimal, to which logs are printed
_GREATEST_COST = -math.log(np.finfo(np.float64).tiny)  # 708.4: beyond it a probability loses its digits, then is 0


def attainable_accuracy(
    loss: ArrayLike, *, classes: int | None = None, clip: float | None = None, samples: int | None = None
) -> tuple[np.float64 | NDArray[np.float64], np.float64 | NDArray[np.float64]]:
    """Return the (least, greatest) accuracy that predictions with this mean log loss can have.

    Parameters
    ----------
    loss : (...)
        Mean log loss in nats, 0 or more. A loss below c0 is read as c0. Infinity is allowed without `clip`.
    classes : int, optional
        How many classes there are; None stands for any number.
    clip : float, optional
        The constant by which the loss was clipped, below 1/2 and 1/classes.
    samples : int, optional
        How many samples the mean is over: then only multiples of 1/samples can occur. None stands for a population,
        where an unclipped loss permits any accuracy below 1: the greatest is then a supremum.

    Raises
    ------
    ValueError
        For a loss that is negative, NaN or above ln(1/clip), and for options out of their range.

    Examples
    --------
    >>> least, greatest = attainable_accuracy(0.5)
    >>> print(f"{least:.3f} to {greatest:.3f}")
    0.279 to 1.000
    >>> least, greatest = attainable_accuracy(3.0, classes=10, samples=50)
    >>> print(f"{least:.3f} to {greatest:.3f}")
    0.000 to 0.980
    """
    classes, clip, samples = _check_options(classes, clip, samples)
    cost = _check_loss(loss, clip)
    if samples is not None:
        fewest, most = _errors(cost, classes, clip, samples)
        return (1 - most / samples)[()], (1 - fewest / samples)[()]
    floor, ceiling = _costs(clip)
    least = np.clip(1 - (cost - floor) / (_LN2 - floor), 0, 1)
    greatest = np.ones_like(cost)
    if classes is not None and clip is not None:
        greatest = np.clip((ceiling - cost) / (ceiling - math.log(classes)), 0, 1)
    return least[()], greatest[()]


def attainable_loss(
    accuracy: ArrayLike, *, classes: int | None = None, clip: float | None = None, samples: int | None = None
) -> tuple[np.float64 | NDArray[np.float64], np.float64 | NDArray[np.float64]]:
    """Return the (least, greatest) mean log loss, in nats, that predictions with this accuracy can have.

    The inverse of `attainable_accuracy`, with the same options; the greatest is infinite where nothing limits it. With
    `samples`, the accuracy must be a multiple of 1/samples, within 5e-5 as logs print it. Raises `ValueError` for an
    accuracy outside [0, 1] and for options out of their range.

    Examples
    --------
    >>> least, greatest = attainable_loss(0.9, classes=10, clip=1e-7)
    >>> print(f"{least:.3f} to {greatest:.3f}")
    0.069 to 3.684
    """
    classes, clip, samples = _check_options(classes, clip, samples)
    right = check_unit_interval(accuracy, "accuracy")
    if samples is not None:
        nearest = np.rint(right * samples) / samples
        off = np.abs(nearest - right) > _PRINTED
        if off.any():
            raise ValueError(
                f"accuracy over {samples} samples must be a multiple of 1/{samples}; got {right[first(off)]!s}"
            )
        right = nearest
    floor, ceiling = _costs(clip)
    wrong = 1 - right
    least = wrong * _LN2 + right * floor
    # Each product stands behind its own condition: 0 times infinity is no number.
    greatest = np.where(wrong > 0, np.where(wrong > 0, wrong, 1) * ceiling, 0.0)
    dearest_right = ceiling if classes is None else math.log(classes)
    greatest = greatest + np.where(right > 0, np.where(right > 0, right, 1) * dearest_right, 0.0)
    return least[()], greatest[()]


def extremal_probabilities(
    loss: float, *, classes: int, samples: int, edge: Literal["least", "greatest"], clip: float | None = None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return (labels, probabilities) whose log loss is `loss` and whose accuracy is the least or greatest attainable.

    Labels have shape (sample,), probabilities (sample, class). The accuracy is exactly that edge of
    ``attainable_accuracy(loss, classes=classes, samples=samples, clip=clip)``; the log loss, computed with the same
    `clip`, agrees within rounding. Wrong samples carry the last label and lean to class 0, right ones carry label 0.

    Raises
    ------
    ValueError
        For options out of their range, and where one sample would have to cost more than 708 nats: its probability
        would be too small for a float64.

    Examples
    --------
    >>> extremal_probabilities(0.4, classes=2, samples=2, edge="least")[1].round(3)
    array([[0.899, 0.101],
           [0.5  , 0.5  ]])
    """
    checked_classes, clip, checked_samples = _check_options(classes, clip, samples)
    if checked_classes is None or checked_samples is None:
        raise ValueError(f"classes and samples must be whole numbers; got {classes} and {samples}")
    if edge not in ("least", "greatest"):
        raise ValueError(f"edge must be 'least' or 'greatest'; got {edge!r}")
    classes, samples = checked_classes, checked_samples
    mean = float(_check_loss(as_number(loss, "loss"), clip))
    fewest, most = (int(k) for k in _errors(np.float64(mean), classes, clip, samples))
    floor, ceiling = _costs(clip)
    wrong = most if edge == "least" else fewest
    right = samples - wrong
    total = samples * mean
    # At the least accuracy wrong samples are as cheap as they can be, at the greatest right ones as dear as they can
    # be; the other kind makes up the difference.
    if wrong == 0:
        of_wrong, of_right = _LN2, mean
    elif right == 0:
        of_wrong, of_right = mean, floor
    elif edge == "least" and math.isfinite(mean):
        of_wrong, of_right = _LN2, max((total - wrong * _LN2) / right, floor)
    else:
        of_right = math.log(classes)
        of_wrong = min((total - right * of_right) / wrong, ceiling)
    if math.isfinite(of_wrong) and of_wrong > _GREATEST_COST:
        raise ValueError(
            f"a wrong sample would have to cost {of_wrong:.0f} nats, and float64 has no probability as small as "
            f"exp(-{of_wrong:.0f}); give clip=, or fewer samples than {samples}"
        )
    labels = np.repeat([0, classes - 1], [right, wrong]).astype(np.intp)
    p_wrong, p_right = min(math.exp(-of_wrong), 0.5), math.exp(-of_right)
    row_wrong, row_right = np.zeros(classes), np.full(classes, min((1 - p_right) / (classes - 1), p_right))
    row_wrong[0], row_wrong[-1], row_right[0] = 1 - p_wrong, p_wrong, p_right
    return labels, np.repeat([row_right, row_wrong], [right, wrong], axis=0)


def _errors(
    cost: NDArray[np.float64] | np.float64, classes: int | None, clip: float | None, samples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the (fewest, most) wrong samples of so many at this mean loss, with a tolerance for rounding."""
    floor, ceiling = _costs(clip)
    most = np.floor(samples * (cost * (1 + _ROUNDING) - floor) / (_LN2 - floor)).clip(0, samples)
    if classes is None:  # right samples may cost anything short of infinity
        fewest = np.where(np.isinf(cost), 1.0, 0.0)
    elif clip is None:
        fewest = np.where(cost * (1 - _ROUNDING) > math.log(classes), 1.0, 0.0)
    else:
        dearest = math.log(classes)
        fewest = np.ceil(samples * (cost * (1 - _ROUNDING) - dearest) / (ceiling - dearest)).clip(0, samples)
    return np.asarray(fewest), np.asarray(most)


def _costs(clip: float | None) -> tuple[float, float]:
    """Return the least and greatest cost of any sample."""
    return (0.0, math.inf) if clip is None else (-math.log1p(-clip), -math.log(clip))


def _check_loss(loss: ArrayLike, clip: float | None) -> NDArray[np.float64]:
    cost = as_numbers(loss, "loss").astype(np.float64)
    floor, ceiling = _costs(clip)
    negative = ~(cost >= 0)
    if negative.any():
        raise ValueError(f"loss must be 0 or more; got {cost[first(negative)]!s} (a mean of -log p is never negative)")
    above = cost > ceiling + _PRINTED
    if above.any():
        raise ValueError(
            f"loss must not exceed ln(1/clip) = {ceiling:.4f} for clip={clip}; got {cost[first(above)]!s}: "
            "no sample can cost more"
        )
    return np.clip(cost, floor, ceiling)


def _check_options(
    classes: int | None, clip: float | None, samples: int | None
) -> tuple[int | None, float | None, int | None]:
    if classes is not None:
        classes = as_whole_number(classes, "classes", least=2)
    if samples is not None:
        samples = as_whole_number(samples, "samples", least=1)
    if clip is not None:
        clip = as_number(clip, "clip")
        greatest = 2 if classes is None else classes
        if not 0 < clip < 1 / greatest:
            raise ValueError(f"clip must lie between 0 and 1/{greatest}; got {clip}")
    return classes, clip, samples

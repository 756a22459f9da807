"""Losses of a margin, which stand in for counting errors: their values, their slopes, and what is known of them.

A sample of two classes has a margin ``y * score`` with y = -1 or 1: above 0 its answer is right. The zero-one loss is 1
for a margin of 0 or less. A surrogate is a loss of the same margin that gives a direction to go.

Source of `Surrogate.calibrated`: P. L. Bartlett, M. I. Jordan and J. D. McAuliffe, "Convexity, classification, and risk
bounds" (Journal of the American Statistical Association 101, 2006): a convex loss of the margin is classification-
calibrated if and only if it is differentiable at 0 and falls there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers, as_positive

Floats = NDArray[np.float64]
_LN2 = float(np.log(2))


@dataclass(frozen=True)
class Surrogate:
    """A loss of the margin.

    Attributes
    ----------
    name : str
        As the field calls it.
    value, slope : functions
        Of margins of any shape: the loss, and its derivative by the margin. At a kink the slope is that to the right.
    convex : bool
        Whether a straight line between two points of its curve never lies below it.
    bounds_errors : bool
        Whether it is nowhere below the zero-one loss, so that a mean of it bounds the share of errors.
    calibrated : bool or None
        Of a convex loss, whether it is classification-calibrated: whoever makes its expectation least, over all
        functions of the input, makes the fewest errors too. It says nothing of linear functions alone, nor of finite
        samples. None for a loss that is not convex.
    """

    name: str
    value: Callable[[ArrayLike], Floats]
    slope: Callable[[ArrayLike], Floats]
    convex: bool
    bounds_errors: bool
    calibrated: bool | None


def zero_one(margins: ArrayLike) -> Floats:
    """Return 1 where a margin is 0 or less, else 0: the loss that accuracy counts.

    >>> zero_one([-1.0, 0.0, 0.1]).tolist()
    [1.0, 1.0, 0.0]
    """
    return np.asarray(_margins(margins) <= 0, dtype=np.float64)


def smoothed_zero_one(margins: ArrayLike, sharpness: float) -> Floats:
    """Return a sigmoid in place of the step of `zero_one`: ``1 / (1 + exp(sharpness * margin))``.

    The sharper, the nearer to the step, except that a margin of 0 costs one half. `ValueError` for 0 or less.

    >>> smoothed_zero_one([-1.0, 0.0, 1.0], 2.0).round(3).tolist()
    [0.881, 0.5, 0.119]
    """
    return _sigmoid(-as_positive(sharpness, "sharpness") * _margins(margins))


def _margins(margins: ArrayLike) -> Floats:
    found = as_numbers(margins, "margins").astype(np.float64)
    if np.isnan(found).any():
        raise ValueError("margins must not be NaN: a sample that is neither right nor wrong cannot be counted")
    return found


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -x)), dtype=np.float64)


def _of(function: Callable[[Floats], Floats]) -> Callable[[ArrayLike], Floats]:
    """Check margins before a formula sees them."""
    return lambda margins: np.asarray(function(_margins(margins)), dtype=np.float64)


_ALL = (
    Surrogate(
        name="log",  # in bits: 1 at a margin of 0, as all of these but the perceptron's
        value=_of(lambda m: np.logaddexp(0, -m) / _LN2),
        slope=_of(lambda m: -_sigmoid(-m) / _LN2),
        convex=True,
        bounds_errors=True,
        calibrated=True,
    ),
    Surrogate(
        name="hinge",
        value=_of(lambda m: np.maximum(0, 1 - m)),
        slope=_of(lambda m: np.where(m < 1, -1.0, 0.0)),
        convex=True,
        bounds_errors=True,
        calibrated=True,
    ),
    Surrogate(
        name="exponential",
        value=_of(lambda m: np.exp(-m)),
        slope=_of(lambda m: -np.exp(-m)),
        convex=True,
        bounds_errors=True,
        calibrated=True,
    ),
    Surrogate(
        name="squared",
        value=_of(lambda m: (1 - m) ** 2),
        slope=_of(lambda m: 2 * (m - 1)),
        convex=True,
        bounds_errors=True,
        calibrated=True,
    ),
    Surrogate(
        name="perceptron",
        value=_of(lambda m: np.maximum(0, -m)),
        slope=_of(lambda m: np.where(m < 0, -1.0, 0.0)),
        convex=True,
        bounds_errors=False,
        calibrated=False,
    ),
    Surrogate(
        name="savage",  # of Masnadi-Shirazi and Vasconcelos (NIPS 2008), four times as high and half as steep
        value=_of(lambda m: 4 * _sigmoid(-m) ** 2),
        slope=_of(lambda m: -8 * _sigmoid(-m) ** 2 * _sigmoid(m)),
        convex=False,
        bounds_errors=True,
        calibrated=None,
    ),
)
SURROGATES: Mapping[str, Surrogate] = MappingProxyType({one.name: one for one in _ALL})

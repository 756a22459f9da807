"""Searches that need no slope, for functions without one, as the share of errors of a classifier is.

All keep the best they have seen. Sources: H.-G. Beyer and H.-P. Schwefel, "Evolution
strategies: a comprehensive introduction" (Natural Computing 1, 2002); F. Rosenblatt's rule, and S. I. Gallant,
"Perceptron-based learning algorithms" (IEEE Transactions on Neural Networks 1, 1990) for its pocket,
which is filled once a pass here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers, as_positive, as_two_classes, as_whole_number

Floats = NDArray[np.float64]
_SPREADS = (1e-150, 1e150)  # where a strategy's spread stays, so that its square is a number
_BLOCK = 256  # points asked for at once in a random search


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found.

    Attributes
    ----------
    point : (coordinate,)
        The best point that was asked for, the first of equals.
    value : float
        The function there.
    best : (evaluation,)
        The least value seen until then.
    """

    point: Floats
    value: float
    best: Floats

    def __repr__(self) -> str:
        return f"Search({self.value:.4g} after {len(self.best)} evaluations)"


def random_search(
    value: Callable[[Floats], Any], dimension: int, *, evaluations: int, spread: float = 1.0, seed: int = 0
) -> Search:
    """Ask at points drawn from a normal distribution about 0, and keep the best.

    Parameters
    ----------
    value : function
        Of points (point, coordinate): their values (point,), the less the better.
    dimension, evaluations : int
        How many coordinates a point has, and how many points are asked for.
    spread : float
        Standard deviation of each coordinate. The errors of a linear classifier do not depend on it.
    seed : int
        Of the points.

    Raises
    ------
    ValueError
        For values of another shape or that are NaN, and settings that are not above 0.
    """
    width = as_whole_number(dimension, "dimension", least=1)
    count, scale = as_whole_number(evaluations, "evaluations", least=1), as_positive(spread, "spread")
    generator = np.random.default_rng(as_whole_number(seed, "seed", least=0))
    kept = _Best()
    while kept.asked < count:
        kept.ask(value, scale * generator.normal(size=(min(_BLOCK, count - kept.asked), width)))
    return kept.found()


def evolution_strategy(
    value: Callable[[Floats], Any],
    start: ArrayLike,
    *,
    evaluations: int,
    spread: float = 1.0,
    offspring: int = 20,
    seed: int = 0,
) -> Search:
    """Ask at points about the mean of the best of the last ones, and learn how far to go.

    Each offspring has a spread of its own, the last spread times the exponential of a normal draw; the best quarter
    are the parents of the next, by the means of their points and of the logarithms of their spreads (a self-adaptive
    (mu/mu, lambda) strategy).

    Parameters
    ----------
    value : function
        Of points (point, coordinate): their values (point,), the less the better.
    start : (coordinate,)
        The first point that is asked for.
    evaluations : int
        How many points at most; the last generation is left out where it would not be whole.
    spread : float
        The first standard deviation of each coordinate.
    offspring : int
        Points in a generation, four or more.
    seed : int
        Of the points.

    Raises
    ------
    ValueError
        For values of another shape or that are NaN, and settings that are too small.
    """
    mean = as_numbers(start, "start").astype(np.float64)
    if mean.ndim != 1 or not np.isfinite(mean).all():
        raise ValueError(f"start must be finite numbers of shape (coordinate,); got {start!r}")
    each = as_whole_number(offspring, "offspring", least=4)
    count, scale = as_whole_number(evaluations, "evaluations", least=1 + each), as_positive(spread, "spread")
    generator = np.random.default_rng(as_whole_number(seed, "seed", least=0))
    pace = 1 / np.sqrt(2 * len(mean))
    kept = _Best()
    kept.ask(value, mean[None])
    while kept.asked + each <= count:
        scales = scale * np.exp(pace * generator.normal(size=each))
        points = mean + scales[:, None] * generator.normal(size=(each, len(mean)))
        parents = np.argsort(kept.ask(value, points), kind="stable")[: each // 4]
        mean = points[parents].mean(axis=0)
        scale = float(np.clip(np.exp(np.log(np.maximum(scales[parents], _SPREADS[0])).mean()), *_SPREADS))
    return kept.found()


def perceptron(features: ArrayLike, signs: ArrayLike, *, passes: int, seed: int = 0) -> Search:
    """Train a linear classifier by Rosenblatt's rule, and keep the weights with the fewest errors (the pocket).

    Sample by sample, in a new order in each pass: where ``sign * features @ weights`` is 0 or less, ``sign * features``
    is added to the weights.

    Parameters
    ----------
    features : (sample, coordinate)
        With a column of ones, if there is to be an intercept.
    signs : (sample,)
        -1 or 1.
    passes : int
        How often each sample is shown; after each pass the errors of all samples are counted, one evaluation.
    seed : int
        Of the orders.

    Returns
    -------
    Search
        Its values are shares of errors; a sample on the boundary is an error.
    """
    rows, truths = as_two_classes(features, signs)
    count = as_whole_number(passes, "passes", least=1)
    generator = np.random.default_rng(as_whole_number(seed, "seed", least=0))
    signed = rows * truths[:, None]
    weights, kept = np.zeros(rows.shape[1]), _Best()
    for _ in range(count):
        for row in signed[generator.permutation(len(signed))]:
            if row @ weights <= 0:
                weights = weights + row
        kept.ask(lambda points: np.mean(points @ signed.T <= 0, axis=1), weights[None])
    return kept.found()


class _Best:
    """The best point so far, and the least value after each evaluation."""

    def __init__(self) -> None:
        self._point: Floats = np.array([])
        self._value = np.inf
        self._best: list[Floats] = []
        self.asked = 0

    def ask(self, value: Callable[[Floats], Any], points: Floats) -> Floats:
        """Return the values (point,) of points (point, coordinate)."""
        values = as_numbers(value(points.copy()), "value").astype(np.float64)
        if values.shape != (len(points),):
            raise ValueError(
                f"value must give shape (point,) = ({len(points)},) for that many points; got {values.shape}"
            )
        if np.isnan(values).any():
            raise ValueError(f"value must not be NaN; it is at {points[np.isnan(values)][0]}")
        self.asked += len(values)
        self._best.append(np.minimum(np.minimum.accumulate(values), self._value))
        if values.min() < self._value or not len(self._point):
            self._point, self._value = points[values.argmin()].copy(), float(values.min())
        return values

    def found(self) -> Search:
        """Return what has been found."""
        return Search(self._point, self._value, np.concatenate(self._best))

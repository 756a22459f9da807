"""The log loss of a linear classifier of two classes, its slope and its curvature: what logistic regression minimises.

A sample with features x and sign y (-1 or 1) has the margin ``y * x @ weights``, and costs ``log(1 + exp(-margin))``
nats: minus the logarithm of the probability that a sigmoid of the score gives its class. The mean over samples is
convex, and minus the mean logarithm of the likelihood: whoever makes it least has the weights of maximum likelihood.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers, as_two_classes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class LogisticLoss:
    """The mean log loss of samples as a function of a linear classifier's weights.

    Parameters
    ----------
    features : (sample, coordinate)
        With a column of ones, if there is an intercept.
    signs : (sample,)
        -1 or 1.
    ridge : float
        Half of it, times the squared length of the weights, is added to the loss (and the intercept counts too): a
        little of it keeps the minimum finite where the classes can be separated.

    Raises
    ------
    ValueError
        For other shapes, signs that are not -1 or 1, features that are not finite, a ridge below 0.

    Examples
    --------
    >>> loss = LogisticLoss([[1.0], [2.0]], [1.0, -1.0])
    >>> print(f"{loss.value([0.0]):.4f} {loss.gradient([0.0])} {loss.hessian([0.0])}")
    0.6931 [0.25] [[0.625]]
    """

    features: Floats
    signs: Floats
    ridge: float = 0.0

    def __post_init__(self) -> None:
        rows, truths = as_two_classes(self.features, self.signs)
        pull = as_number(self.ridge, "ridge")
        if not (np.isfinite(pull) and pull >= 0):
            raise ValueError(f"ridge must be finite and not below 0; got {pull:g}")
        for array in (rows, truths):
            array.flags.writeable = False
        for name, kept in (("features", rows), ("signs", truths), ("ridge", pull)):
            object.__setattr__(self, name, kept)

    def __repr__(self) -> str:
        return f"LogisticLoss({len(self.signs)} samples, {self.features.shape[1]} weights)"

    def margins(self, weights: ArrayLike) -> Floats:
        """Return the margins (..., sample) of weights (..., coordinate)."""
        points = as_numbers(weights, "weights").astype(np.float64)
        if points.ndim == 0 or points.shape[-1] != self.features.shape[1]:
            raise ValueError(f"weights must have shape (..., {self.features.shape[1]}); got {points.shape}")
        return np.asarray(points @ self.features.T * self.signs)

    def value(self, weights: ArrayLike) -> Floats:
        """Return the mean log loss in nats (...,) of weights (..., coordinate)."""
        points = np.asarray(weights, dtype=np.float64)
        costs = np.logaddexp(0, -self.margins(points)).mean(axis=-1)
        return np.asarray(costs + self.ridge / 2 * np.sum(points**2, axis=-1) if self.ridge else costs)

    def gradient(self, weights: ArrayLike) -> Floats:
        """Return how fast the loss rises with each weight, (..., coordinate), of weights (..., coordinate)."""
        missing = np.exp(-np.logaddexp(0, self.margins(weights)))  # of the probability of the class
        downwards = (missing * self.signs) @ self.features / len(self.signs)
        return np.asarray(self.ridge * np.asarray(weights, dtype=np.float64) - downwards)

    def hessian(self, weights: ArrayLike) -> Floats:
        """Return how fast each slope rises with each weight, (coordinate, coordinate), of weights (coordinate,)."""
        margins = self.margins(weights)
        if margins.ndim != 1:
            raise ValueError(f"weights must have shape ({self.features.shape[1]},); got {np.shape(weights)}")
        unsure = np.exp(-np.logaddexp(0, margins) - np.logaddexp(0, -margins))  # p * (1 - p)
        curvature = (self.features.T * unsure) @ self.features / len(self.signs)
        return np.asarray(curvature + self.ridge * np.eye(len(curvature)))

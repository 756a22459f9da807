"""Gradient descent of many particles at once, with noisy gradients and momentum, and a landscape with many valleys."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers, as_whole_number, first

Floats = NDArray[np.float64]

# Where the slope of `bumpy` is 0 next to the middle: the two lowest passes out of the central valley.
CENTRAL_VALLEY = 0.5284929320137048


def bumpy(x: ArrayLike) -> Floats:
    """Return f(x) = 0.05 x² - 0.3 cos 6x: a wide bowl with a valley about every 1.04, the deepest at 0."""
    at = np.asarray(x, dtype=np.float64)
    return np.asarray(0.05 * at**2 - 0.3 * np.cos(6 * at), dtype=np.float64)


def bumpy_gradient(x: ArrayLike) -> Floats:
    """Return the slope of `bumpy`, 0.1 x + 1.8 sin 6x."""
    at = np.asarray(x, dtype=np.float64)
    return np.asarray(0.1 * at + 1.8 * np.sin(6 * at), dtype=np.float64)


def in_central_valley(x: ArrayLike) -> NDArray[np.bool_]:
    """Return which positions on `bumpy` lie in its deepest valley; one that is no number does not."""
    return np.asarray(np.abs(np.asarray(x, dtype=np.float64)) < CENTRAL_VALLEY)


def descend(
    gradient: Callable[[Any], Any],
    start: ArrayLike,
    *,
    rate: ArrayLike,
    steps: int,
    noise: ArrayLike = 0.0,
    momentum: float = 0.0,
    seed: int = 0,
) -> Floats:
    """Return where particles are before and after each step of gradient descent with noisy gradients.

    A step is ``velocity = momentum * velocity - rate * (gradient(x) + noise * z)``, then ``x = x + velocity``, with a
    fresh standard normal z for each number in x. Without noise it is the step of Keras's `SGD`.

    Parameters
    ----------
    gradient : takes all particles at once and returns the gradient for each, in the shape of `start`.
    start : array
        Finite positions of any shape: one number a particle, or a row of coordinates, as `gradient` takes them.
    rate, noise : number, or (step,)
        The size of a step for a gradient of 1, and the standard deviation of the error of the gradient; one for each
        step where they change on the way (`annealed`). Neither is negative.
    steps : int
        How many, 1 or more.
    momentum : float
        In [0, 1).
    seed : int
        Of the noise. Two levels of noise with the same seed have the same z.

    Returns
    -------
    (step + 1, ...) float64
        What has left the range of floats stays as it left: infinite, or NaN if the gradient was NaN.

    Raises
    ------
    ValueError
        For numbers outside these ranges, a schedule whose length is not `steps`, and a gradient that is no function or
        returns something else than numbers of that shape.

    Notes
    -----
    On a parabola of curvature c, every start but the minimum runs away if rate * c exceeds 2 * (1 + momentum); without
    momentum it changes sides at every step above 1. Source: Polyak (1964), Some methods of speeding up the convergence
    of iteration methods, USSR Computational Mathematics and Mathematical Physics 4(5):1-17.

    Examples
    --------
    >>> descend(lambda x: 2 * x, [1.0, -4.0], rate=0.25, steps=2)
    array([[ 1.  , -4.  ],
           [ 0.5 , -2.  ],
           [ 0.25, -1.  ]])
    """
    if not callable(gradient):
        raise ValueError(f"gradient must be a function of the positions; got {type(gradient).__name__}")
    count = as_whole_number(steps, "steps", least=1)
    rates, noises = _schedule(rate, "rate", count), _schedule(noise, "noise", count)
    kept = as_number(momentum, "momentum")
    if not 0 <= kept < 1:
        raise ValueError(f"momentum must lie in [0, 1); got {momentum}")
    x = as_numbers(start, "start").astype(np.float64)
    if not np.isfinite(x).all():
        raise ValueError(f"start must be finite; got {x[first(~np.isfinite(x))]!s}")
    generator = np.random.default_rng(as_whole_number(seed, "seed", least=0))
    positions, velocity = np.empty((count + 1, *x.shape)), np.zeros(x.shape)
    positions[0] = x
    with np.errstate(all="ignore"):  # running away is something to look at
        for step in range(count):
            # A copy: a gradient may work in place, and the step begins where the particle was.
            slope = as_numbers(gradient(x.copy()), "what gradient returns").astype(np.float64)
            if slope.shape != x.shape:
                raise ValueError(f"gradient must return the shape of start, {x.shape}; it returned {slope.shape}")
            if noises.any():
                slope = slope + noises[step] * generator.standard_normal(x.shape)
            velocity = kept * velocity - rates[step] * slope
            x = np.where(np.isfinite(x), x + velocity, x)
            positions[step + 1] = x
    return positions


def annealed(level: float, steps: int, *, until: float = 1.0) -> Floats:
    """Return a schedule (step,) that falls from `level` in a straight line, and reaches 0 after a share of the steps.

    For `rate` and `noise` of `descend`. `until` lies above 0 and at most at 1. Raises `ValueError` for others, and for
    a level that is negative or not finite.

    Examples
    --------
    >>> annealed(2.0, 4).tolist(), annealed(2.0, 4, until=0.5).tolist()
    ([2.0, 1.5, 1.0, 0.5], [2.0, 1.0, 0.0, 0.0])
    """
    count = as_whole_number(steps, "steps", least=1)
    highest, share = float(_schedule(as_number(level, "level"), "level", 1)[0]), as_number(until, "until")
    if not 0 < share <= 1:
        raise ValueError(f"until must be a share of the steps, above 0 and at most 1; got {until}")
    left = 1 - np.arange(count) / (share * count)
    return highest * np.where(left > 1e-12, left, 0.0)  # where it should reach 0, rounding may leave a little


def _schedule(values: ArrayLike, name: str, steps: int) -> Floats:
    """Return one number for each step, or raise `ValueError`."""
    array = as_numbers(values, name).astype(np.float64)
    if array.shape not in ((), (steps,)):
        raise ValueError(
            f"{name} must be one number, or one for each of the {steps} steps; got an array of shape {array.shape}"
        )
    odd = ~((array >= 0) & np.isfinite(array))
    if odd.any():
        raise ValueError(f"{name} must be finite and not negative; got {array[first(odd)]!s}")
    return np.broadcast_to(array, (steps,))

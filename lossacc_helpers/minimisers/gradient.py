"""Gradient descent, with the true gradient or with one that chance disturbs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lossacc_helpers._validation import as_positive, as_whole_number
from lossacc_helpers.minimisers.results import (
    DidNotConverge,
    Function,
    Minimisation,
    Way,
    shown,
    starting_point,
)

_HIGH = 1e6  # times the value at the start, or times 1: higher means that it runs away


def gradient_descent(
    value: Function,
    gradient: Function,
    start: ArrayLike,
    *,
    rate: float,
    tolerance: float = 1e-8,
    steps: int = 10_000,
) -> Minimisation:
    """Find a minimum by steps of ``-rate * gradient``.

    It ends where the gradient is no longer than `tolerance`, and cannot tell a minimum from a plateau there, or from a
    fall that goes on for ever, ever more gently. The function's values are asked for beside it, to see whether they
    fall; they count as evaluations, though no step needs them.

    Raises
    ------
    ValueError
        For functions that answer in other shapes, and a rate that is not above 0.
    DidNotConverge
        With the way so far: where a function is not finite, where its values rise without end (the rate is too large),
        where the gradient is 0 at the start, so that there is nowhere to go, and after too many steps.

    Examples
    --------
    >>> found = gradient_descent(lambda x: x[0] ** 2, lambda x: 2 * x, 1.0, rate=0.25)
    >>> print(f"{found.point[0]:.1e} after {found.steps} steps")
    3.7e-09 after 28 steps
    """
    pace, small = as_positive(rate, "rate"), as_positive(tolerance, "tolerance")
    point, most = starting_point(start), as_whole_number(steps, "steps", least=1)
    way, first, before, down = Way(point), np.nan, np.zeros(len(point)), np.zeros(len(point))
    for taken in range(most + 1):
        here = float(way.ask(value, "value", point, ()))
        first = here if taken == 0 else first
        before, down = down, way.ask(gradient, "gradient", point, (len(point),))
        way.step(point, here, float(np.linalg.norm(down)))
        if taken == 0 and not down.any():
            raise DidNotConverge(
                f"the gradient is 0 at the start, {shown(point)}: a minimum, a hilltop and a plateau look alike to "
                "gradient descent; begin elsewhere",
                way.so_far(),
            )
        if np.linalg.norm(down) <= small:
            return way.so_far()
        if here > first + _HIGH * max(1.0, abs(first)):
            raise DidNotConverge(
                f"after {taken} steps the function has risen from {first:.4g} to {here:.4g}: a rate of {pace:g} "
                "oversteps the valley more each time; take a smaller one",
                way.so_far(),
            )
        if taken < most:
            point = point - pace * down
    jumps = float(before @ down) < 0
    advice = (
        f"the last step jumped across the valley, so take a smaller rate than {pace:g}, and at a kink let it fall"
        if jumps
        else f"allow more steps or a larger rate than {pace:g}, or see whether there is a minimum at all"
    )
    raise DidNotConverge(
        f"after {most} steps the gradient at {shown(point)} is still {np.linalg.norm(down):.2g} long; {advice}",
        way.so_far(),
    )


def noisy_gradient_descent(
    value: Function,
    noisy_gradient: Any,
    start: ArrayLike,
    *,
    rate: float,
    steps: int,
    falling: float = 0.0,
    seed: int = 0,
) -> Minimisation:
    """Take `steps` steps against a gradient that is an estimate, as of a batch of the samples.

    Parameters
    ----------
    value : function
        Of an array (coordinate,). It is asked at every step only to be shown, and does not count as an evaluation.
    noisy_gradient : function
        Of an array (coordinate,) and a `numpy.random.Generator`: an estimate (coordinate,) of the gradient.
    start : (coordinate,)
        Where to begin, or one number.
    rate : float
        Of the first step; step t, from 0, has ``rate / (1 + falling * t)``.
    steps : int
        How many. There is no test of convergence: an estimate that is not 0 says nothing.
    falling : float
        0 keeps the rate, and then the point keeps moving about a minimum.
    seed : int
        Of the generator.

    Raises
    ------
    ValueError
        For functions that answer in other shapes, and settings that are not above 0.
    DidNotConverge
        With the way so far, where a function is not finite.
    """
    pace, most = as_positive(rate, "rate"), as_whole_number(steps, "steps", least=1)
    slower = as_positive(falling, "falling") if falling else 0.0
    generator = np.random.default_rng(as_whole_number(seed, "seed", least=0))
    point = starting_point(start)
    way = Way(point)
    for taken in range(most + 1):
        here = float(way.ask(value, "value", point, (), counts=False))
        down = way.ask(
            lambda x: noisy_gradient(x, generator), "noisy_gradient", point, (len(point),), counts=taken < most
        )
        way.step(point, here, float(np.linalg.norm(down)))
        point = point - pace / (1 + slower * taken) * down
    return way.so_far()

"""Newton's method with a line search: as if the function were a parabola, and with care where it is not."""

import numpy as np
from numpy.typing import ArrayLike

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.minimisers.results import (
    DidNotConverge,
    Floats,
    Function,
    Minimisation,
    Way,
    positive,
    shown,
    starting_point,
)

_ENOUGH = 1e-4  # of the fall that the slope promises; Armijo's condition
_HALVINGS = 40
_ROUNDING = 8 * np.finfo(np.float64).eps  # of a value; near a minimum it falls by less
_SINGULAR = 1e-14  # of the largest curvature: less, in a direction, is rounding


def newton(
    value: Function,
    gradient: Function,
    hessian: Function,
    start: ArrayLike,
    *,
    tolerance: float = 1e-8,
    steps: int = 100,
    line_search: bool = True,
) -> Minimisation:
    """Find a minimum of a smooth function by Newton's method.

    A step goes to the minimum of the parabola that has the function's value, slope and curvature here. With a line
    search it is halved until the function falls enough (Armijo's condition).

    Parameters
    ----------
    value, gradient, hessian : functions
        Of an array (coordinate,): one number, (coordinate,) and (coordinate, coordinate).
    start : (coordinate,)
        Where to begin, or one number.
    tolerance : float
        How short a whole step must be, beside 1 + the length of the point, for the search to end. The gradient alone
        does not end it: on its way to a minimum that is infinitely far it vanishes too.
    steps : int
        How many at most.
    line_search : bool
        False takes every step whole.

    Raises
    ------
    ValueError
        For functions that answer in other shapes.
    DidNotConverge
        With the way so far: where a function is not finite, where it is not curved upwards in every direction, so that
        there is no parabola with a minimum, and after too many steps.

    Notes
    -----
    Source: J. Nocedal and S. J. Wright, "Numerical Optimization" (2nd edition, 2006), chapters 3 and 6.

    Examples
    --------
    >>> found = newton(lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: 12 * x[:, None] ** 2, 1.0, tolerance=1e-4)
    >>> print(f"{found.point[0]:.5f} after {found.steps} steps")
    0.00020 after 21 steps
    """
    point = starting_point(start)
    small, most = positive(tolerance, "tolerance"), as_whole_number(steps, "steps", least=1)
    way = Way()
    here = float(way.ask(value, "value", point, ()))
    for taken in range(most + 1):
        down = way.ask(gradient, "gradient", point, (len(point),))
        way.step(point, here, float(np.linalg.norm(down)))
        if not down.any():
            return way.so_far()
        move = _parabola(way, hessian, point, down)
        if np.linalg.norm(move) <= small * (1 + np.linalg.norm(point)):
            return way.so_far()
        if taken < most:
            point, here = _searched(way, value, point, here, down, move) if line_search else (point + move, np.nan)
            if not line_search:
                here = float(way.ask(value, "value", point, ()))
    found = way.so_far()
    last = float(np.linalg.norm(found.points[-1] - found.points[-2]))
    plain = f"after {most} steps the last was still {last:.2g} long; allow more, or begin elsewhere"
    raise DidNotConverge(_endless(found, f"after {most} steps") or plain, found)


def _parabola(way: Way, hessian: Function, point: Floats, down: Floats) -> Floats:
    """The step to the minimum of the parabola, or `DidNotConverge` where it has none."""
    curvature = way.ask(hessian, "hessian", point, (len(point), len(point)))
    values, directions = np.linalg.eigh((curvature + curvature.T) / 2)
    if values[0] <= _SINGULAR * max(abs(values[-1]), np.finfo(float).tiny):
        kind = "flat" if abs(values[0]) <= _SINGULAR * max(abs(values[-1]), 1.0) else "curved downwards"
        plain = (
            f"at {shown(point)} the function is {kind} in the direction {shown(directions[:, 0])} (curvature "
            f"{values[0]:.3g}), so the parabola that Newton's method steps to has no minimum"
        )
        found = way.so_far()
        raise DidNotConverge(_endless(found, f"after {found.steps} steps") or plain, found)
    return np.asarray(-(directions @ ((directions.T @ down) / values)))


def _searched(
    way: Way, value: Function, point: Floats, here: float, down: Floats, move: Floats
) -> tuple[Floats, float]:
    """The first of the step, its half, its quarter ... after which the function has fallen enough, and its value."""
    promised = float(down @ move)
    share = 1.0
    for _ in range(_HALVINGS):
        there = point + share * move
        found = float(way.ask(value, "value", there, ()))
        if found <= here + _ENOUGH * share * promised + _ROUNDING * abs(here):
            return there, found
        share /= 2
    raise DidNotConverge(
        f"from {shown(point)} no step along Newton's direction lowers the function: do value, gradient and hessian "
        "belong together?",
        way.so_far(),
    )


def _endless(found: Minimisation, when: str) -> str | None:
    """What it means when the gradient vanishes and the steps do not, or None where that is not so."""
    lengths = np.linalg.norm(np.diff(found.points, axis=0), axis=1)
    if found.steps > 2 and found.slopes[-1] < 1e-3 * found.slopes[0] and lengths[-1] > 0.1 * lengths.max():
        return (
            f"{when} the gradient has shrunk from {found.slopes[0]:.2g} to {found.slopes[-1]:.2g}, but the steps are "
            f"still {lengths[-1]:.2g} long: the function falls towards a limit that no point reaches, as the log loss "
            "does where the classes can be separated without an error"
        )
    return None

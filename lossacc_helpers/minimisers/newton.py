"""Newton's method with a line search: as if the function were a parabola, and with care where it is not."""

import numpy as np
from numpy.typing import ArrayLike

from lossacc_helpers._validation import as_positive, as_whole_number
from lossacc_helpers.minimisers.results import (
    DidNotConverge,
    Floats,
    Function,
    Minimisation,
    Way,
    shown,
    starting_point,
)

# Of the fall that the slope promises; Armijo's condition. With much less, a step far too long that falls by next to
# nothing is taken where a loss is nearly straight, and ends where it is flat.
_ENOUGH = 0.25
_HALVINGS = 40
_ROUNDING = 8 * np.finfo(np.float64).eps  # of a value; near a minimum it falls by less
_COARSE = 1e-5  # of a value: functions in float32 cannot show a smaller fall
_SINGULAR = 16 * np.finfo(np.float64).eps  # times coordinates, of curvatures in units of those along the axes


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
        How short a whole step must be, as a share of the point's distance from 0 or from the start, for the search to
        end. The gradient alone does not end it: on its way to a minimum that is infinitely far it vanishes too.
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
        there is no parabola with a minimum (a plateau, a hilltop, a saddle; also the minimum of x**4, which has no
        curvature), and after too many steps.

    Notes
    -----
    Source: S. Boyd and L. Vandenberghe, "Convex Optimization" (2004), section 9.5, the damped method.

    Examples
    --------
    >>> found = newton(lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: 12 * x[:, None] ** 2, 1.0, tolerance=1e-4)
    >>> print(f"{found.point[0]:.5f} after {found.steps} steps")
    0.00020 after 21 steps
    """
    point = starting_point(start)
    small, most = as_positive(tolerance, "tolerance"), as_whole_number(steps, "steps", least=1)
    way, first, length = Way(point), point, np.inf
    here = float(way.ask(value, "value", point, ()))
    for taken in range(most + 1):
        down = way.ask(gradient, "gradient", point, (len(point),))
        way.step(point, here, float(np.linalg.norm(down)))
        move = _parabola(way, hessian, point, down)
        with np.errstate(over="ignore"):  # of whole steps that run away
            length = float(np.linalg.norm(move))
            if length <= small * max(float(np.linalg.norm(point)), float(np.linalg.norm(point - first))):
                return way.so_far()
        if taken < most:
            point, here = _searched(way, value, point, here, down, move) if line_search else (point + move, np.nan)
            if not line_search:
                here = float(way.ask(value, "value", point, ()))
    found = way.so_far()
    plain = (
        f"after {most} steps the next would still be {length:.2g} long; allow more steps, begin elsewhere, or compute "
        "in float64"
    )
    raise DidNotConverge(_endless(found, f"after {most} steps") or plain, found)


def _parabola(way: Way, hessian: Function, point: Floats, down: Floats) -> Floats:
    """The step to the minimum of the parabola, or `DidNotConverge` where it has none."""
    curvature = way.ask(hessian, "hessian", point, (len(point), len(point)))
    along_axes = np.diag(curvature)
    if (along_axes > 0).all():
        units = np.sqrt(along_axes)  # so that a weight in other units is not taken for a flat direction
        values, directions = np.linalg.eigh((curvature + curvature.T) / 2 / np.outer(units, units))
        least, direction = values[0], directions[:, 0] / units
        if least > _SINGULAR * len(point):
            return np.asarray(-(directions @ ((directions.T @ (down / units)) / values)) / units)
        direction = direction / np.linalg.norm(direction)
        upwards = least > -_SINGULAR * len(point)
    else:
        axis = int(along_axes.argmin())
        least, direction = along_axes[axis], np.eye(len(point))[axis]
        upwards = least == 0
    kind = "flat" if upwards else "curved downwards"
    where = f"at {shown(point)} the function is {kind} in the direction {shown(direction)}"
    if down.any():
        plain = f"{where}, so the parabola that Newton's method steps to has no minimum"
    else:
        plain = f"{where}, and its slope is 0: " + (
            "a plateau, or a minimum without curvature; nothing says where lower is"
            if upwards
            else "a hilltop or a saddle"
        )
    found = way.so_far()
    raise DidNotConverge(_endless(found, f"after {found.steps} steps") or plain, found)


def _searched(
    way: Way, value: Function, point: Floats, here: float, down: Floats, move: Floats
) -> tuple[Floats, float]:
    """The first of the step, its half, its quarter ... after which the function has fallen enough, and its value."""
    promised = float(down @ move)
    share = 1.0
    for _ in range(_HALVINGS):
        there = point + share * move
        with np.errstate(all="ignore"):  # outside a function's domain means too far, no more
            found = float(way.ask(value, "value", there, (), finite=False))
        if found <= here + _ENOUGH * share * promised + _ROUNDING * abs(here):
            return there, found
        share /= 2
    raise DidNotConverge(
        f"from {shown(point)} no step along Newton's direction lowers the function: "
        + (
            "its values are too coarse to show so small a fall; compute in float64, or take a larger tolerance"
            if abs(promised) < _COARSE * abs(here)
            else "do value, gradient and hessian belong together?"
        ),
        way.so_far(),
    )


def _endless(found: Minimisation, when: str) -> str | None:
    """What it means when the gradient vanishes and the point runs away, or None where that is not so."""
    if found.steps < 4:
        return None
    with np.errstate(over="ignore"):
        lengths, away = np.linalg.norm(np.diff(found.points, axis=0), axis=1), np.linalg.norm(found.points, axis=1)
    vanishes = found.slopes[-1] < 1e-6 * found.slopes[0]
    if vanishes and (np.diff(away[-4:]) > 0).all() and lengths[-1] > 0.5 * lengths[-3]:
        return (
            f"{when} the gradient has shrunk from {found.slopes[0]:.2g} to {found.slopes[-1]:.2g}, but the steps are "
            f"still {lengths[-1]:.2g} long: the function falls towards a limit that no point reaches. (A log loss does "
            "so where the classes can be separated, if only with samples on the boundary.)"
        )
    return None

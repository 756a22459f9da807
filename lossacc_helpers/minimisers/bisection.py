"""Bisection: the slope changes its sign at a minimum, and one half of a bracket holds the change."""

import numpy as np

from lossacc_helpers._validation import as_number, as_positive, as_whole_number
from lossacc_helpers.minimisers.results import DidNotConverge, Function, Minimisation, Way


def bisect(slope: Function, low: float, high: float, *, tolerance: float = 1e-9, steps: int = 200) -> Minimisation:
    """Find where a slope changes from below 0 to above 0: a minimum, for a function of one number.

    Parameters
    ----------
    slope : function
        Of an array (1,), the derivative as one number. It may jump, as that of ``abs`` does; where it jumps through
        infinity, as that of ``log(abs(x))`` does, what is found is no minimum.
    low, high : float
        A bracket: the slope is below 0 at `low` and above 0 at `high`.
    tolerance : float
        How wide the bracket may be in the end.
    steps : int
        How many halvings at most.

    Returns
    -------
    Minimisation
        Its points are the middles of the brackets; its values are NaN, for bisection asks for none.

    Raises
    ------
    ValueError
        For a bracket in which the slope does not change from below 0 to above.
    DidNotConverge
        For a slope that is not finite, and where `steps` halvings are too few.

    Examples
    --------
    >>> found = bisect(lambda x: 2 * (x[0] - 3), 0, 10)
    >>> print(f"{found.point[0]:.6f} after {found.steps} halvings")
    3.000000 after 34 halvings
    """
    left, right = as_number(low, "low"), as_number(high, "high")
    narrow, most = as_positive(tolerance, "tolerance"), as_whole_number(steps, "steps", least=1)
    if not (np.isfinite(left) and np.isfinite(right) and left < right):
        raise ValueError(f"low must be below high, both finite; got {left:g} and {right:g}")
    way = Way(np.array([left]))
    ends = [way.ask(slope, "slope", np.array([end]), ())[()] for end in (left, right)]
    if not ends[0] < 0 < ends[1]:
        if 0 in ends:
            both = ends[0] == ends[1]
            what = f"{'both ends are' if both else 'an end is'} flat, and may be the minimum already, or a plateau"
        elif ends[0] < 0:
            what = "it falls at both, so look further right"
        else:
            what = "there is a maximum between them" if ends[1] < 0 else "it rises at both, so look further left"
        raise ValueError(
            f"the slope must be below 0 at low and above 0 at high; got {ends[0]:g} at {left:g} and {ends[1]:g} at "
            f"{right:g}: {what}"
        )
    for taken in range(most + 1):
        middle = left + (right - left) / 2
        here = float(way.ask(slope, "slope", np.array([middle]), ())[()])
        way.step(np.array([middle]), np.nan, abs(here))
        if here == 0 or right - left <= narrow or middle in (left, right):
            return way.so_far()
        if taken < most:
            left, right = (middle, right) if here < 0 else (left, middle)
    raise DidNotConverge(
        f"after {most} halvings the bracket is still {right - left:g} wide, more than {narrow:g}; allow more steps",
        way.so_far(),
    )

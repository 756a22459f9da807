"""What a minimiser did, and the error of one that found no minimum."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers

Floats = NDArray[np.float64]
Function = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Minimisation:
    """The way of a minimiser.

    Attributes
    ----------
    points : (step + 1, coordinate)
        Where it was: at the start, and after each step.
    values : (step + 1,)
        The function there; NaN where the minimiser asked only for slopes.
    slopes : (step + 1,)
        The length of the gradient there.
    evaluations : (step + 1,) int
        How often the function or any of its derivatives had been asked for until then.
    """

    points: Floats
    values: Floats
    slopes: Floats
    evaluations: NDArray[np.intp]

    @property
    def point(self) -> Floats:
        """Where it ended, (coordinate,)."""
        return np.asarray(self.points[-1])

    @property
    def steps(self) -> int:
        """How many steps it took."""
        return len(self.points) - 1

    def __repr__(self) -> str:
        return f"Minimisation({self.steps} steps, {self.evaluations[-1]} evaluations, ends at {self.point})"


class DidNotConverge(ValueError):
    """A minimiser found no minimum; ``so_far`` is the `Minimisation` up to where it gave up."""

    def __init__(self, message: str, so_far: Minimisation) -> None:
        super().__init__(message)
        self.so_far = so_far

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.so_far)


class Way:
    """Collects a `Minimisation`, and asks functions with care: every answer is counted, checked and finite."""

    def __init__(self, start: Floats) -> None:
        self._start = start.copy()
        self._rows: list[tuple[Floats, float, float, int]] = []
        self._asked = 0

    def ask(
        self,
        function: Function,
        name: str,
        point: Floats,
        shape: tuple[int, ...],
        *,
        counts: bool = True,
        finite: bool = True,
    ) -> Floats:
        """Return a function's answer at a point.

        Raises `ValueError` for an answer of another shape, and `DidNotConverge` for one that is not finite where
        it must be.
        """
        self._asked += counts
        answer = as_numbers(function(point.copy()), name).astype(np.float64)
        if answer.shape != shape:
            wanted = "one number" if not shape else f"shape {shape}"
            raise ValueError(
                f"{name} must give {wanted} at a point of {len(point)} coordinates; got shape {answer.shape}"
            )
        if finite and not np.isfinite(answer).all():
            raise DidNotConverge(f"{name} is not finite at {shown(point)}: {answer}", self.so_far())
        return answer

    def step(self, point: Floats, value: float, slope: float) -> None:
        """Keep a point."""
        self._rows.append((point.copy(), value, slope, self._asked))

    def so_far(self) -> Minimisation:
        """Return what has been kept."""
        rows = self._rows or [(self._start, np.nan, np.nan, self._asked)]
        points, values, slopes, asked = zip(*rows, strict=True)
        return Minimisation(np.array(points), np.array(values), np.array(slopes), np.array(asked, dtype=np.intp))


def starting_point(start: ArrayLike) -> Floats:
    """Return a start of shape (coordinate,), or `ValueError`."""
    point = np.atleast_1d(as_numbers(start, "start")).astype(np.float64)
    if point.ndim != 1 or not np.isfinite(point).all():
        raise ValueError(f"start must be finite numbers of shape (coordinate,); got {start!r}")
    return point


def shown(point: Floats) -> str:
    """Return a point in a few digits."""
    return np.array2string(point, precision=4, threshold=4)

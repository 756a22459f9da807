"""What the features of both parts say: rows that are in both, and whether neighbours keep to their own part."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers._validation import as_numbers
from lossacc_helpers.clinic.log import Floats

_MOST_ROWS = 4000  # of either part that are compared: more would take seconds
_BLOCK = 256  # rows compared at once
_NEAR = 0.02  # of the usual distance to the nearest other row: so close are copies


@dataclass(frozen=True, eq=False)
class Compared:
    """The features of both parts, held against each other.

    Attributes
    ----------
    copies : (copy,) int
        Which validation samples have a training sample at next to no distance.
    originals : (copy,) int
        Which training sample that is.
    by_chance : float
        The share of training samples that have such a twin in their own part.
    compared : int
        How many validation samples were looked at.
    own_part : float
        The share of samples, of both parts alike, whose nearest other sample is of their own part.
    own_part_error : float
        Its standard error if both parts were drawn alike; then it is near one half.
    """

    copies: NDArray[np.intp]
    originals: NDArray[np.intp]
    by_chance: float
    compared: int
    own_part: float
    own_part_error: float

    @property
    def deviations(self) -> float:
        """By how many standard errors samples keep to their own part."""
        return (self.own_part - 0.5) / self.own_part_error


def compare_rows(train: Any, validation: Any, *, seed: int = 0) -> Compared:
    """Compare the features of training and validation samples, (sample, ...) each.

    The share of nearest neighbours of the own part is the statistic of Schilling (1986), Multivariate two-sample tests
    based on nearest neighbors, Journal of the American Statistical Association 81:799-806; for it both parts are cut to
    the same size at random. Columns are divided by their standard deviation, or by a tenth of the usual one if that is
    more. At most 4,000 rows of either part are compared, drawn at random.

    Raises
    ------
    ValueError
        For features that are no finite numbers, of different widths, or fewer than two in a part.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> rows = generator.normal(size=(300, 4))
    >>> found = compare_rows(rows[:200], np.concatenate([rows[200:], rows[:5]]))
    >>> found.copies, found.originals
    (array([100, 101, 102, 103, 104]), array([0, 1, 2, 3, 4]))
    """
    parts = [_rows(train, "training"), _rows(validation, "validation")]
    if parts[0].shape[1] != parts[1].shape[1]:
        raise ValueError(
            f"training and validation inputs must be of one width; got {parts[0].shape[1]} and {parts[1].shape[1]}"
        )
    generator = np.random.default_rng(seed)
    kept = [np.sort(generator.permutation(len(part))[:_MOST_ROWS]) for part in parts]
    rows = [part[chosen] for part, chosen in zip(parts, kept, strict=True)]
    spread = np.concatenate(rows).std(axis=0)
    least = 0.1 * float(np.sqrt((spread**2).mean()))  # a column that hardly ever moves must not outweigh all others
    rows = [part / (np.maximum(spread, least) if least > 0 else 1.0) for part in rows]
    across, nearest = _nearest(rows[1], rows[0])
    within, _ = _nearest(rows[0], rows[0], itself=True)
    usual = float(np.median(within[within > 0])) if (within > 0).any() else 0.0
    copies = np.flatnonzero(across <= _NEAR * usual)
    size = min(map(len, rows))
    pair = [part[np.sort(generator.permutation(len(part))[:size])] for part in rows]
    own = 0.0
    for mine, theirs in (pair, pair[::-1]):
        inside, outside = _nearest(mine, mine, itself=True)[0], _nearest(mine, theirs)[0]
        own += float(np.mean((inside < outside) + 0.5 * (inside == outside))) / 2
    return Compared(
        kept[1][copies],
        kept[0][nearest[copies]],
        float((within <= _NEAR * usual).mean()),
        len(rows[1]),
        own,
        # Mutual neighbours make the answers of a pair dependent: at most twice the binomial variance.
        float(np.sqrt(2 * 0.25 / (2 * size))),
    )


def _rows(given: Any, name: str) -> Floats:
    array = as_numbers(given, f"{name} inputs").astype(np.float64)
    if array.ndim < 2 or len(array) < 2:
        raise ValueError(f"{name} inputs must have shape (sample, ...) with two samples or more; got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} inputs must be finite")
    return np.asarray(array.reshape(len(array), -1))


def _nearest(rows: Floats, others: Floats, *, itself: bool = False) -> tuple[Floats, NDArray[np.intp]]:
    """Return the distance to the nearest of the others, and which it is; of the same rows none is its own."""
    squares = np.einsum("ij,ij->i", others, others)
    least, which = np.empty(len(rows)), np.empty(len(rows), dtype=np.intp)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        apart = squares - 2 * block @ others.T  # without the square of the row itself, the same for all others
        if itself:
            apart[np.arange(len(block)), start + np.arange(len(block))] = np.inf
        which[start : start + _BLOCK] = apart.argmin(axis=1)
        # Once more and exactly: the difference of two large numbers does not tell copies from neighbours.
        least[start : start + _BLOCK] = np.linalg.norm(block - others[which[start : start + _BLOCK]], axis=1)
    return least, which

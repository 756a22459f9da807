"""Spikes of a loss curve: which epochs they are, and which samples pay for one."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers, as_whole_number, first, place

_ROUNDING = 1e-12  # of all losses together: a rise below it may be made of their last digits


def find_spikes(losses: ArrayLike, *, ratio: float = 1.5, reach: int = 3) -> NDArray[np.bool_]:
    """Return which epochs are spikes: far above the epochs before them and far above those after them.

    An epoch is a spike if its loss exceeds `ratio` times the median of the epochs before it, up to `reach` of them, and
    also `ratio` times the median of as many after it.

    Parameters
    ----------
    losses : (..., epoch)
        At least three epochs, no negative loss; ``history.history["val_loss"]`` of Keras will do. An infinite loss is
        above any finite one.
    ratio : float
        Above 1. The result does not depend on the unit of the losses.
    reach : int
        How many epochs on either side count, or as many as there are.

    Returns
    -------
    (..., epoch) bool
        The first and the last epoch are never spikes: whether the loss came from below, or comes back, is not known.

    Raises
    ------
    ValueError
        For fewer than three epochs, NaN and negative losses, a ratio of 1 or less, and a reach below 1.

    Notes
    -----
    One median of both sides together would take the first epochs of a steep fall for spikes, and the epochs beside a
    large step to another level. With a reach of 3, a spike two epochs wide is found whole where two quiet epochs lie on
    either side, and one three epochs wide by its middle; what lasts longer is a level of its own.

    Examples
    --------
    >>> find_spikes([9.0, 1.0, 1.1, 2.5, 1.0, 0.9]).tolist()
    [False, False, False, True, False, False]
    """
    factor = as_number(ratio, "ratio")
    if not 1 < factor < np.inf:
        raise ValueError(f"ratio must be above 1 and finite; got {ratio}")
    return times_neighbours(losses, reach=reach) > factor


def times_neighbours(losses: ArrayLike, *, reach: int = 3) -> NDArray[np.float64]:
    """Return how many times as high as its neighbours each epoch is, (..., epoch): what `find_spikes` compares.

    The neighbours' height is the greater of two medians: of up to `reach` epochs before, and of as many after. The
    first and the last epoch are NaN. Equal losses are 1 even where both are 0 or infinite. Raises `ValueError` as
    `find_spikes` does.

    Examples
    --------
    >>> times_neighbours([9.0, 1.0, 1.1, 2.5, 1.0, 0.9])[1:-1].round(2).tolist()
    [0.11, 0.22, 2.27, 0.91]
    """
    values = _check_losses(losses) / 2  # the unit plays no part, and two huge losses have a mean
    width = as_whole_number(reach, "reach", least=1)
    times = np.full(values.shape, np.nan)
    for epoch in range(1, values.shape[-1] - 1):
        before = np.median(values[..., max(epoch - width, 0) : epoch], axis=-1)
        after = np.median(values[..., epoch + 1 : epoch + 1 + width], axis=-1)
        here, neighbours = values[..., epoch], np.maximum(before, after)
        with np.errstate(all="ignore"):
            times[..., epoch] = np.where(here == neighbours, 1.0, here / neighbours)
    return times


def jump_share(before: ArrayLike, after: ArrayLike, worst: ArrayLike) -> np.float64 | NDArray[np.float64]:
    """Return which share of a rise of the mean loss is carried by the samples whose loss rose most.

    Parameters
    ----------
    before, after : (sample,)
        Finite losses of the same samples in nats; their mean has risen.
    worst : number or array
        Which share of the samples, above 0 and at most 1, as in ``(0.01, 0.05, 0.10)``. A share of a sample counts as
        a whole one: 1% of 250 samples are three (`worst_count`).

    Returns
    -------
    float64 of the shape of `worst`
        Above 1 where the worst samples rose by more than all together, because others fell.

    Raises
    ------
    ValueError
        For different numbers of samples, losses that are not finite, a mean that did not rise by more than rounding,
        and shares of samples outside (0, 1].

    Examples
    --------
    >>> jump_share([0.1, 0.1, 0.1, 0.5], [2.1, 0.1, 0.2, 0.4], [0.25, 0.5, 1.0]).round(3)
    array([1.  , 1.05, 1.  ])
    """
    rises, total, unit = _rises(before, after)
    if not total > 0:
        raise ValueError(
            f"the mean loss did not rise: it changed by {math.ldexp(total / len(rises), unit):.4g}. Give the epoch "
            "before the spike first, then the spike"
        )
    counts = worst_count(worst, len(rises))
    carried = np.cumsum(np.sort(rises)[::-1])[counts - 1] / total
    return carried[()]  # an array or its only number


def mean_rise(before: ArrayLike, after: ArrayLike) -> float:
    """Return by how much the mean loss rose: negative if it fell, 0 if rounding alone can have made the change.

    `before` and `after` are finite losses (sample,) of the same samples; `ValueError` for others.

    Examples
    --------
    >>> mean_rise([0.1, 0.7, 0.3, 0.2], [0.7, 0.3, 0.2, 0.1]), mean_rise([1.0, 2.0], [2.0, 2.0])
    (0.0, 0.5)
    """
    rises, total, unit = _rises(before, after)
    return math.ldexp(total / len(rises), unit)


def worst_count(worst: ArrayLike, samples: int) -> NDArray[np.intp]:
    """Return how many of the samples a share is, in the shape of `worst`; a share of a sample counts as a whole one.

    Shares are taken as exact to the seven digits of float32, or to three where they are float16: 0.07 of 100 samples
    are 7, though ``0.07 * 100`` is a little more. Raises `ValueError` for shares outside (0, 1].

    Examples
    --------
    >>> worst_count([0.01, 0.05, 0.10], 250).tolist()
    [3, 13, 25]
    """
    given = as_numbers(worst, "worst")
    shares = given.astype(np.float64)
    outside = ~((shares > 0) & (shares <= 1))
    if outside.any():
        raise ValueError(f"worst must be a share of the samples, above 0 and at most 1; got {shares[first(outside)]}")
    rounding = float(np.finfo(np.float16 if given.dtype == np.float16 else np.float32).eps) / 2
    return np.ceil(shares * samples * (1 - rounding)).astype(np.intp)


def worst_samples(before: ArrayLike, after: ArrayLike, count: int) -> NDArray[np.intp]:
    """Return the ids of the `count` samples whose loss rose most, the worst first; of equals, the lower id first.

    `before` and `after` are finite losses (sample,) of the same samples. Raises `ValueError` for other losses, and for
    a count below 1 or above the number of samples.

    Examples
    --------
    >>> worst_samples([0.1, 0.1, 0.1, 0.5], [2.1, 0.1, 0.2, 0.4], 2)
    array([0, 2])
    """
    rises, _, _ = _rises(before, after)
    if as_whole_number(count, "count", least=1) > len(rises):
        raise ValueError(f"count must be at most {len(rises)}, all samples there are; got {count}")
    return np.argsort(-rises, kind="stable")[:count]


def _check_losses(losses: ArrayLike) -> NDArray[np.float64]:
    shape = (0,) if isinstance(losses, list | tuple) and not losses else getattr(losses, "shape", ())
    values = np.empty(shape) if 0 in shape else as_numbers(losses, "losses").astype(np.float64)
    if values.ndim == 0 or values.shape[-1] < 3:
        raise ValueError(
            "losses must hold at least 3 epochs on their last axis, for a spike has epochs before and after it; "
            f"got shape {values.shape}"
        )
    odd = ~(values >= 0)
    if odd.any():
        index = first(odd)
        hint = ": give the epochs before it" if np.isnan(values[index]) else ": a ratio says nothing about such losses"
        raise ValueError(f"losses must be numbers from 0 up; got {values[index]!s} at {_epoch(index)}{hint}")
    return values


def _epoch(index: tuple[int, ...]) -> str:
    """Name a place among losses; epochs count from 1, unlike every index."""
    return place((*index[:-1], index[-1] + 1), ("epoch",))


def _rises(before: ArrayLike, after: ArrayLike) -> tuple[NDArray[np.float64], float, int]:
    """Return by how much each loss rose, (sample,), their sum, and the unit of both as a power of 2; or `ValueError`.

    In that unit no loss exceeds 1, so that huge ones have a sum. A sum within the rounding of the losses is 0.
    """
    pair = []
    for name, losses in (("before", before), ("after", after)):
        values = as_numbers(losses, name).astype(np.float64)
        if values.ndim != 1:
            raise ValueError(f"{name} must be the losses of single samples, shape (sample,); got shape {values.shape}")
        odd = ~np.isfinite(values)
        if odd.any():
            index = first(odd)
            where = place(index, ("sample",))
            raise ValueError(f"{name} must be finite; got {values[index]!s} at {where} (clip= keeps losses finite)")
        pair.append(values)
    if len(pair[0]) != len(pair[1]):
        raise ValueError(f"before and after must be about the same samples; got {len(pair[0])} and {len(pair[1])}")
    unit = math.frexp(max(float(np.abs(values).max()) for values in pair))[1]
    start, end = (np.ldexp(values, -unit) for values in pair)
    total = math.fsum([*end, *-start])  # exact: losses that only changed places rose by nothing
    if abs(total) <= _ROUNDING * float(np.abs(start).sum() + np.abs(end).sum()):
        total = 0.0
    return end - start, total, unit

"""Spikes of a loss curve: which epochs they are, and which samples pay for one."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers, as_whole_number, first, place


def find_spikes(losses: ArrayLike, *, ratio: float = 1.5, reach: int = 3) -> NDArray[np.bool_]:
    """Return which epochs are spikes: far above the epochs before them and far above those after them.

    An epoch is a spike if its loss exceeds `ratio` times the median of the epochs before it, and also `ratio` times the
    median of those after it.

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
    large step to another level. With a reach of 3, a spike two epochs wide is found whole and one three epochs wide by
    its middle; what lasts longer is a level of its own.

    Examples
    --------
    >>> find_spikes([9.0, 1.0, 1.1, 2.5, 1.0, 0.9]).tolist()
    [False, False, False, True, False, False]
    """
    values = _check_losses(losses) / 2  # the unit plays no part, and two huge losses have a mean
    factor, width = as_number(ratio, "ratio"), as_whole_number(reach, "reach", least=1)
    if not 1 < factor < np.inf:
        raise ValueError(f"ratio must be above 1 and finite; got {ratio}")
    spikes = np.zeros(values.shape, dtype=np.bool_)
    for epoch in range(1, values.shape[-1] - 1):
        before = np.median(values[..., max(epoch - width, 0) : epoch], axis=-1)
        after = np.median(values[..., epoch + 1 : epoch + 1 + width], axis=-1)
        spikes[..., epoch] = values[..., epoch] / factor > np.maximum(before, after)
    return spikes


def jump_share(before: ArrayLike, after: ArrayLike, worst: ArrayLike) -> np.float64 | NDArray[np.float64]:
    """Return which share of a rise of the mean loss is carried by the samples whose loss rose most.

    Parameters
    ----------
    before, after : (sample,)
        Finite losses of the same samples in nats; their mean has risen.
    worst : number or array
        Which share of the samples, above 0 and at most 1, as in ``(0.01, 0.05, 0.10)``. A share of a sample counts as
        a whole one: 1% of 250 samples are three.

    Returns
    -------
    float64 of the shape of `worst`
        Above 1 where the worst samples rose by more than all together, because others fell.

    Raises
    ------
    ValueError
        For different numbers of samples, losses that are not finite, a mean that did not rise, and shares of samples
        outside (0, 1].

    Examples
    --------
    >>> jump_share([0.1, 0.1, 0.1, 0.5], [2.1, 0.1, 0.2, 0.4], [0.25, 0.5, 1.0]).round(3)
    array([1.  , 1.05, 1.  ])
    """
    rises = _rises(before, after)
    total = rises.sum()
    if not total > 0:
        raise ValueError(
            f"the mean loss did not rise: it changed by {total / len(rises):.4g}. Give the epoch before the spike "
            "first, then the spike"
        )
    shares = as_numbers(worst, "worst").astype(np.float64)
    outside = ~((shares > 0) & (shares <= 1))
    if outside.any():
        raise ValueError(f"worst must be a share of the samples, above 0 and at most 1; got {shares[first(outside)]}")
    # 0.07 of 100 samples are 7, though 0.07 * 100 is a little more.
    counts = np.ceil(shares * len(rises) * (1 - 1e-12)).astype(np.intp)
    carried = np.cumsum(np.sort(rises)[::-1])[counts - 1] / total
    return carried[()]  # type: ignore[no-any-return]  # an array or its only number


def worst_samples(before: ArrayLike, after: ArrayLike, count: int) -> NDArray[np.intp]:
    """Return the ids of the `count` samples whose loss rose most, the worst first; of equals, the lower id first.

    `before` and `after` are finite losses (sample,) of the same samples. Raises `ValueError` for other losses, and for
    a count below 1 or above the number of samples.

    Examples
    --------
    >>> worst_samples([0.1, 0.1, 0.1, 0.5], [2.1, 0.1, 0.2, 0.4], 2)
    array([0, 2])
    """
    rises = _rises(before, after)
    if as_whole_number(count, "count", least=1) > len(rises):
        raise ValueError(f"count must be at most {len(rises)}, all samples there are; got {count}")
    return np.argsort(-rises, kind="stable")[:count]


def _check_losses(losses: ArrayLike) -> NDArray[np.float64]:
    values = as_numbers(losses, "losses").astype(np.float64)
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


def _rises(before: ArrayLike, after: ArrayLike) -> NDArray[np.float64]:
    """Return by how much each sample's loss rose, (sample,), or raise `ValueError`."""
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
    return pair[1] - pair[0]

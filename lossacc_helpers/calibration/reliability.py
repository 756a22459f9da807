"""Reliability diagrams and the expected calibration error, with what chance alone would show.

Sources: C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks" (ICML 2017);
J. Bröcker and L. A. Smith, "Increasing the reliability of reliability diagrams" (Weather and Forecasting 22, 2007), for
what calibrated predictions would show.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_floats, as_numbers, as_whole_number, first
from lossacc_helpers.intervals import wilson_interval


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence beside the share that was right, bin by bin.

    Attributes
    ----------
    edges : (bins + 1,)
        Of the bins of confidence. A confidence on an edge belongs to the bin below it.
    counts : (bins,) int
        How many samples fell into each.
    confidence, accuracy : (bins,)
        Their mean confidence and the share that was right; NaN for an empty bin.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.intp]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean over samples of their bin's ``|accuracy - confidence|``."""
        return float(np.nansum(self.counts * np.abs(self.accuracy - self.confidence)) / self.counts.sum())

    @property
    def overconfidence(self) -> float:
        """The mean confidence minus the accuracy of all samples."""
        return float(np.nansum(self.counts * (self.confidence - self.accuracy)) / self.counts.sum())

    def interval(self, *, confidence: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the limits (low, high), each (bins,), of Wilson's interval for each bin's accuracy; NaN if empty."""
        filled = self.counts > 0
        low, high = np.full((2, len(self.counts)), np.nan)
        low[filled], high[filled] = wilson_interval(self.accuracy[filled], self.counts[filled], confidence=confidence)
        return low, high


def reliability(
    correct: ArrayLike, confidence: ArrayLike, *, bins: int = 15, equal_counts: bool = False
) -> Reliability:
    """Return confidence and the share that was right, bin by bin.

    Parameters
    ----------
    correct : (sample,) bool
        Which samples were right, as in an epoch of `PredictionHistory.correct`.
    confidence : (sample,)
        The largest probability of each row, as in `PredictionHistory.top_probabilities`.
    bins : int
        How many bins.
    equal_counts : bool
        Bins of as many samples each, up to ties, instead of bins of equal width between 0 and 1.

    Raises
    ------
    ValueError
        For no samples, shapes that differ and a confidence outside [0, 1].

    Examples
    --------
    >>> found = reliability([True, True, False, False], [0.9, 0.9, 0.9, 0.6], bins=5)
    >>> print(found.counts, f"{found.error:.3f}")
    [0 0 1 0 3] 0.325
    """
    flags, tops = _check_pair(correct, confidence)
    edges = _edges(tops, as_whole_number(bins, "bins", least=1), equal_counts)
    return _binned(flags, tops, edges)


def calibration_error_by_chance(
    confidence: ArrayLike, *, bins: int = 15, equal_counts: bool = False, draws: int = 200, seed: int = 0
) -> NDArray[np.float64]:
    """Return the expected calibration errors that perfectly calibrated predictions would show, (draws,).

    An expected calibration error is never negative, so it is above 0 even where nothing is wrong, the more so the
    fewer samples a bin has: its bias. Here the answers are drawn anew, each right with the probability that its
    confidence claims. An error that lies among these says nothing against the predictions.

    Parameters are those of `reliability`, and how many `draws` of what `seed`.
    """
    tops = as_floats(confidence, "confidence").astype(np.float64)
    _check_pair(np.ones(tops.shape, dtype=bool), tops)
    edges = _edges(tops, as_whole_number(bins, "bins", least=1), equal_counts)
    generator = np.random.default_rng(as_whole_number(seed, "seed", least=0))
    times = as_whole_number(draws, "draws", least=1)
    return np.array([_binned(generator.random(len(tops)) < tops, tops, edges).error for _ in range(times)])


def _check_pair(correct: ArrayLike, confidence: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    flags, tops = as_numbers(correct, "correct"), as_floats(confidence, "confidence").astype(np.float64)
    if flags.dtype != np.bool_:
        raise ValueError(f"correct must be booleans, one a sample; got {flags.dtype}")
    if flags.ndim != 1 or flags.shape != tops.shape:
        raise ValueError(f"correct and confidence must share the shape (sample,); got {flags.shape} and {tops.shape}")
    outside = ~((tops >= 0) & (tops <= 1))
    if outside.any():
        raise ValueError(f"confidence must lie in [0, 1]; got {tops[first(outside)]:g} at sample {first(outside)[0]}")
    return flags, tops


def _edges(tops: NDArray[np.float64], bins: int, equal_counts: bool) -> NDArray[np.float64]:
    if not equal_counts:
        return np.linspace(0, 1, bins + 1)
    edges = np.quantile(tops, np.linspace(0, 1, bins + 1))
    edges[0], edges[-1] = 0.0, 1.0
    return np.unique(edges)


def _binned(flags: NDArray[np.bool_], tops: NDArray[np.float64], edges: NDArray[np.float64]) -> Reliability:
    bins = len(edges) - 1
    which = np.clip(np.searchsorted(edges, tops, side="left") - 1, 0, bins - 1)
    counts = np.bincount(which, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(which, weights=tops, minlength=bins) / counts
        accuracy = np.bincount(which, weights=flags, minlength=bins) / counts
    return Reliability(edges, counts.astype(np.intp), confidence, accuracy)

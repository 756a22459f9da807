"""How far an accuracy or a mean loss may be from what more samples would show.

Every interval here takes the samples for independent draws. Overlapping crops of one photograph and neighbouring words
of one text are not: for them these intervals are too narrow.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers, as_whole_number, check_unit_interval, first, place

_BLOCK = 1 << 21  # numbers held at once: 16 MB of float64


def accuracy_standard_error(accuracy: ArrayLike, samples: ArrayLike) -> np.float64 | NDArray[np.float64]:
    """Return sqrt(a (1 - a) / n), the binomial standard error of an accuracy over independent samples.

    `accuracy` in [0, 1] and `samples` (whole, 1 or more) broadcast. It is 0 at accuracy 0 and 1, where
    `wilson_interval` still says something.

    Examples
    --------
    >>> round(accuracy_standard_error(0.5, 100), 3)
    np.float64(0.05)
    """
    share, count = check_unit_interval(accuracy, "accuracy"), _check_counts(samples)
    error: np.float64 | NDArray[np.float64] = np.sqrt(share * (1 - share) / count)
    return error


def wilson_interval(
    accuracy: ArrayLike, samples: ArrayLike, *, confidence: float = 0.95
) -> tuple[np.float64 | NDArray[np.float64], np.float64 | NDArray[np.float64]]:
    """Return the limits (low, high) of Wilson's score interval for an accuracy over independent samples.

    `accuracy` in [0, 1] and `samples` (whole, 1 or more) broadcast; at accuracy 0 the low limit is exactly 0, at 1 the
    high limit exactly 1. Source: Wilson (1927), Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22:209-212.

    Examples
    --------
    >>> low, high = wilson_interval(0.9, 30)
    >>> print(f"{low:.3f} to {high:.3f}")
    0.744 to 0.965
    """
    share, count = check_unit_interval(accuracy, "accuracy"), _check_counts(samples)
    z2 = standard_deviations(confidence) ** 2
    middle = share + z2 / (2 * count)
    reach = np.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count) / count))
    scale = 1 + z2 / count
    low = np.where(share == 0, 0.0, np.clip((middle - reach) / scale, 0, 1))
    high = np.where(share == 1, 1.0, np.clip((middle + reach) / scale, 0, 1))
    return low[()], high[()]


def accuracy_change_interval(
    before: ArrayLike, after: ArrayLike, *, confidence: float = 0.95
) -> tuple[np.float64 | NDArray[np.float64], np.float64 | NDArray[np.float64]]:
    """Return the limits (low, high) of an interval for the change in accuracy between two answers to the same samples.

    Parameters
    ----------
    before, after : (..., sample) bool
        Which samples were right, as in two epochs of `PredictionHistory.correct`. The leading axes broadcast.
    confidence : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        For flags that are no booleans, for different numbers of samples, and for leading axes that do not broadcast.

    Notes
    -----
    The limits lie in [-1, 1]. Their centre is not the observed change but a little nearer to 0: one sample more is
    counted on each side, and so the interval keeps its promise where few samples change.

    Only samples that changed sides carry news, so the interval is much narrower than for two sets of samples of the
    same size. Source: Bonett and Price (2012), Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data, Journal of Educational and Behavioral Statistics 37:479-488. Its test against no
    change at all is McNemar's (1947).

    Examples
    --------
    >>> before, after = np.zeros(100, dtype=bool), np.zeros(100, dtype=bool)
    >>> before[:30], after[4:40] = True, True  # 10 samples became right and 4 wrong
    >>> low, high = accuracy_change_interval(before, after)
    >>> print(f"{low:.3f} to {high:.3f}")
    -0.017 to 0.135
    """
    first_flags, second_flags = _check_flags(before, "before"), _check_flags(after, "after")
    if first_flags.shape[-1] != second_flags.shape[-1]:
        raise ValueError(
            f"before and after must be about the same samples; got {first_flags.shape[-1]} and {second_flags.shape[-1]}"
        )
    try:
        np.broadcast_shapes(first_flags.shape, second_flags.shape)
    except ValueError:
        raise ValueError(
            f"leading axes of before and after must match; got shapes {first_flags.shape} and {second_flags.shape}"
        ) from None
    z = standard_deviations(confidence)
    count = first_flags.shape[-1] + 2
    gained = ((~first_flags & second_flags).sum(axis=-1) + 1) / count
    lost = ((first_flags & ~second_flags).sum(axis=-1) + 1) / count
    reach = z * np.sqrt((gained + lost - (gained - lost) ** 2) / count)
    return np.clip(gained - lost - reach, -1, 1), np.clip(gained - lost + reach, -1, 1)


def accuracy_difference_interval(
    first_accuracy: ArrayLike,
    first_samples: ArrayLike,
    second_accuracy: ArrayLike,
    second_samples: ArrayLike,
    *,
    confidence: float = 0.95,
) -> tuple[np.float64 | NDArray[np.float64], np.float64 | NDArray[np.float64]]:
    """Return the limits (low, high) of an interval for second minus first accuracy, measured on different samples.

    Accuracies in [0, 1] and numbers of samples (whole, 1 or more) broadcast. Source: Newcombe (1998), Interval
    estimation for the difference between independent proportions, Statistics in Medicine 17:873-890, method 10, which
    combines two Wilson intervals.

    Examples
    --------
    >>> low, high = accuracy_difference_interval(48 / 80, 80, 56 / 70, 70)
    >>> print(f"{low:.4f} to {high:.4f}")
    0.0524 to 0.3339
    """
    one = check_unit_interval(first_accuracy, "first_accuracy")
    other = check_unit_interval(second_accuracy, "second_accuracy")
    counts = _check_counts(first_samples, "first_samples"), _check_counts(second_samples, "second_samples")
    low_of_first, high_of_first = wilson_interval(one, counts[0], confidence=confidence)
    low_of_second, high_of_second = wilson_interval(other, counts[1], confidence=confidence)
    change = other - one
    low = change - np.hypot(other - low_of_second, high_of_first - one)
    high = change + np.hypot(high_of_second - other, one - low_of_first)
    return low[()], high[()]


def bootstrap_loss_interval(
    losses: ArrayLike, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[np.float64 | NDArray[np.float64], np.float64 | NDArray[np.float64]]:
    """Return the limits (low, high) of the percentile bootstrap interval of a mean loss.

    Parameters
    ----------
    losses : (..., sample)
        Finite losses in nats, independent over the last axis. Losses have heavy tails: with few samples the interval is
        too narrow, and with one it has no width.
    confidence : float
        Between 0 and 1.
    resamples : int
        How many times the samples are drawn again, with replacement. The same draws serve every leading index.
    seed : int
        The seed of the draws.

    Raises
    ------
    ValueError
        For infinite losses (a resample's mean is then infinite or not by chance) and NaN.

    Notes
    -----
    Efron (1979), Bootstrap methods: another look at the jackknife, Annals of Statistics 7:1-26.

    Examples
    --------
    >>> low, high = bootstrap_loss_interval([0.1, 0.2, 0.1, 3.0])
    >>> low < 0.85 < high
    np.True_
    """
    values = as_numbers(losses, "losses").astype(np.float64)
    if values.ndim == 0:
        raise ValueError(f"losses must have shape (..., sample); got the single number {values}")
    if not np.isfinite(values).all():
        index = first(~np.isfinite(values))
        raise ValueError(
            f"losses must be finite; got {values[index]!s} at {place(index, ('sample',))} (clip= keeps them finite)"
        )
    times, tail = as_whole_number(resamples, "resamples", least=1), (1 - _check_confidence(confidence)) / 2
    first_seed = as_whole_number(seed, "seed", least=0)
    rows = values.reshape(-1, values.shape[-1])
    block = max(1, _BLOCK // times)
    limits = [
        np.quantile(_resampled_means(rows[start : start + block], times, first_seed), [tail, 1 - tail], axis=-1)
        for start in range(0, len(rows), block)
    ]
    low, high = np.concatenate(limits, axis=-1).reshape(2, *values.shape[:-1])
    return low[()], high[()]


def _resampled_means(rows: NDArray[np.float64], times: int, seed: int) -> NDArray[np.float64]:
    """Return the means (row, resample) of the same resamples of every row."""
    rng = np.random.default_rng(seed)
    samples = rows.shape[-1]
    means = np.empty((len(rows), times))
    step = max(1, _BLOCK // samples)
    for start in range(0, times, step):
        drawn = min(step, times - start)
        picks = rng.integers(samples, size=(drawn, samples)) + samples * np.arange(drawn)[:, None]
        # How often each sample was drawn: one matrix product then gives the means of all rows.
        counts = np.bincount(picks.ravel(), minlength=drawn * samples).reshape(drawn, samples)
        means[:, start : start + drawn] = rows @ counts.T.astype(np.float64) / samples
    return means


def _check_counts(samples: ArrayLike, name: str = "samples") -> NDArray[np.float64]:
    counts = as_numbers(samples, name).astype(np.float64)
    odd = ~((counts >= 1) & (counts == np.floor(counts)) & np.isfinite(counts))
    if odd.any():
        raise ValueError(f"{name} must be a whole number, 1 or more; got {counts[first(odd)]:g}")
    return counts


def _check_flags(flags: ArrayLike, name: str) -> NDArray[np.bool_]:
    array = as_numbers(flags, name)
    if array.ndim == 0 or array.dtype != np.bool_:
        raise ValueError(f"{name} must be booleans of shape (..., sample): which samples were right; got {flags!r:.60}")
    return array


def standard_deviations(confidence: float) -> float:
    """Return how many standard deviations on either side hold this share of a normal distribution."""
    # By the lower tail: near 1, the upper one would be rounded to 1.
    return -NormalDist().inv_cdf((1 - _check_confidence(confidence)) / 2)


def _check_confidence(confidence: float) -> float:
    value = as_number(confidence, "confidence")
    if not 0 < value < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
    return value

"""Temperature scaling: one number that repairs confidence and changes no answer.

Source: C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks" (ICML 2017).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_floats, as_numbers, as_whole_number, check_labels_of, first, place
from lossacc_helpers.scores import of_true_class

_PRECISION = 1e-9  # nats: how far above the least loss a fitted temperature's may be
_SUMS_TO_ONE = 1e-4
_TIE = 1e-12  # nats: what is wrong by less is taken for right, or temperatures beyond any number would be tried
_LEAST = 1e-12  # of a temperature: below, it is 0 in all that matters, and logits divided by it overflow
_STEPS = 200  # of Newton or bisection; a handful is usual
_BLOCK = 1 << 17  # numbers at once: 1 MB of float64 stays in a core's cache, three times as fast as 16 MB


@dataclass(frozen=True)
class TemperatureFit:
    """The best temperature for some samples.

    Attributes
    ----------
    temperature : float
        Above 1 the predictions were too confident, below 1 too timid. Infinite where it were best to ignore them.
    loss : float
        The mean log loss at this temperature, in nats.
    loss_before : float
        The mean log loss at temperature 1.
    gap : float
        A certificate: no temperature has a loss below ``loss - gap``. Follows from convexity in 1 / temperature.
    """

    temperature: float
    loss: float
    loss_before: float
    gap: float


@dataclass(frozen=True)
class LossSplit:
    """A mean log loss in two parts, in nats.

    Attributes
    ----------
    loss : float
        The mean log loss over all samples.
    calibrated : float
        What is left of it after temperature scaling. Every sample is judged at a temperature that other samples chose.
    temperatures : (float, float)
        Which the two halves chose.
    """

    loss: float
    calibrated: float
    temperatures: tuple[float, float]

    @property
    def excess(self) -> float:
        """What temperature scaling takes away: nats lost to confidence. Negative where chance outweighs it."""
        return self.loss - self.calibrated


def at_temperature(log_probabilities: ArrayLike, temperature: ArrayLike) -> NDArray[np.float64]:
    """Return log-probabilities divided by a temperature and normalised again, (..., sample, class).

    Parameters
    ----------
    log_probabilities : (..., sample, class)
        Natural logarithms of probabilities, or logits: a constant added to a row makes no difference. -inf stays.
    temperature : (...)
        More than 0. Above 1 softens, below 1 sharpens, infinity makes all classes alike whose probability is not 0.

    Raises
    ------
    ValueError
        For a temperature of 0 or less, or one that does not fit; for probabilities in place of their logarithms, values
        that are NaN or +inf, and a row that is -inf throughout.

    Examples
    --------
    >>> np.exp(at_temperature(np.log([[0.9, 0.1]]), 2)).round(2)
    array([[0.75, 0.25]])
    """
    logs = _check_logs(log_probabilities)
    divisor = as_floats(temperature, "temperature").astype(np.float64)
    wrong = ~(divisor >= _LEAST)
    if wrong.any():
        raise ValueError(
            f"temperature must be more than 0; got {divisor[first(wrong)]:g} (1 changes nothing, above 1 softens)"
        )
    if divisor.ndim and np.broadcast_shapes(divisor.shape, logs.shape[:-2]) != logs.shape[:-2]:
        raise ValueError(
            f"temperature must be one number or fit the leading axes {logs.shape[:-2]}; got shape {divisor.shape}"
        )
    scaled = _scaled(logs, 1 / divisor[..., None, None])
    return scaled - _log_sum(scaled)[..., None]


def fit_temperature(labels: ArrayLike, log_probabilities: ArrayLike) -> TemperatureFit:
    """Find the temperature with the least mean log loss on these samples.

    Parameters
    ----------
    labels : (sample,)
        Class ids.
    log_probabilities : (sample, class)
        Natural logarithms of probabilities, or logits.

    Returns
    -------
    TemperatureFit
        With a certificate that its loss is within 1e-9 nats of the least.

    Raises
    ------
    ValueError
        For no samples, shapes that do not fit, values that are NaN or +inf; for a sample whose class has probability 0,
        which no temperature repairs; and where every sample is answered right, for then every lower temperature is
        better and none is best.

    Notes
    -----
    The loss is convex in b = 1 / temperature. Its derivative is the mean difference between the logit that the scaled
    predictions expect and that of the true class, its second derivative the variance of the logits; Newton's method,
    held within a bracket by bisection, finds the root. Convexity bounds what is left: slope times bracket.

    Examples
    --------
    Three of four are right, always with a confidence of 0.9: too much. At 0.75 nothing can be gained.

    >>> fit = fit_temperature([0, 0, 0, 1], np.log([[0.9, 0.1]] * 4))
    >>> print(f"{fit.temperature:.3f}: {fit.loss_before:.3f} -> {fit.loss:.3f}")
    2.000: 0.655 -> 0.562
    """
    logs = _check_logs(log_probabilities)
    if logs.ndim != 2:
        raise ValueError(f"log_probabilities must have shape (sample, class); got {logs.shape}")
    return _fitted(check_labels_of(labels, logs), logs)


def _fitted(truths: NDArray[np.intp], logs: NDArray[np.float64]) -> TemperatureFit:
    """`fit_temperature` for labels and logits that have been checked."""
    of_truth = of_true_class(truths, logs)
    if np.isneginf(of_truth).any():
        number = first(np.isneginf(of_truth))[0]
        raise ValueError(f"sample {number}'s class has probability 0: its loss is infinite at every temperature")
    if not (logs < -_TIE).any():
        raise ValueError("in every row all classes are alike, so no temperature changes anything")
    if not (of_truth < -_TIE).any():
        raise ValueError(
            "every sample is answered right (ties count), so the loss falls for ever as the temperature goes to 0 and "
            "none is best; fit it on more samples, some of them wrong"
        )
    before = _value(logs, of_truth, 1.0)
    if _slope(logs, of_truth, 0.0)[0] >= 0:
        return TemperatureFit(np.inf, _value(logs, of_truth, 0.0), before, 0.0)
    low, high, b = 0.0, np.inf, 1.0
    for _ in range(_STEPS):
        slope, curvature = _slope(logs, of_truth, b)
        low, high = (b, high) if slope < 0 else (low, b)
        gap = abs(slope) * (high - low)
        if gap <= _PRECISION:
            break
        newton = b - slope / curvature if curvature > 0 else np.inf
        halfway = (low + high) / 2 if high < np.inf else 2 * low
        b = newton if low < newton < min(high, 4 * b) else halfway
    return TemperatureFit(1 / b, _value(logs, of_truth, b), before, gap)


def split_loss(
    labels: ArrayLike, log_probabilities: ArrayLike, *, groups: ArrayLike | None = None, seed: int = 0
) -> LossSplit:
    """Split a mean log loss into what is left after temperature scaling and the excess that it takes away.

    The samples are divided into two halves at random. Each half is judged at the temperature that is best for the
    other, so that nothing is gained by fitting.

    Parameters
    ----------
    labels : (sample,)
        Class ids.
    log_probabilities : (sample, class)
        Natural logarithms of probabilities, or logits.
    groups : (sample,), optional
        Samples with the same number stay in one half, as the words of one line or the crops of one photograph should.
    seed : int
        Of the halves.

    Raises
    ------
    ValueError
        As `fit_temperature`, for either half, and where there are fewer than two groups.
    """
    logs = _check_logs(log_probabilities)
    if logs.ndim != 2:
        raise ValueError(f"log_probabilities must have shape (sample, class); got {logs.shape}")
    truths = check_labels_of(labels, logs)
    kept = np.arange(len(logs)) if groups is None else as_numbers(groups, "groups")
    if kept.shape != truths.shape:
        raise ValueError(f"groups must have shape (sample,) = ({len(logs)},); got {kept.shape}")
    names, which = np.unique(kept, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"there must be two groups of samples at least, one for each half; got {len(names)}")
    order = np.random.default_rng(as_whole_number(seed, "seed", least=0)).permutation(len(names))
    chosen = np.zeros(len(names), dtype=bool)
    chosen[order[: len(names) // 2]] = True
    loss = _value(logs, of_true_class(truths, logs), 1.0)
    one, other = ((truths[half], logs[half]) for half in (chosen[which], ~chosen[which]))
    del logs  # as large as both halves
    total, temperatures = 0.0, []
    for name, (own, beliefs), (others, judged) in (("first", one, other), ("second", other, one)):
        try:
            temperatures.append(_fitted(own, beliefs).temperature)
        except ValueError as error:
            raise ValueError(f"in the {name} of the two halves, {len(own)} samples: {error}") from None
        total += len(others) * _value(judged, of_true_class(others, judged), 1 / temperatures[-1])
    return LossSplit(loss, total / len(truths), (temperatures[0], temperatures[1]))


def _check_logs(log_probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return logits (..., sample, class) whose largest in each row is 0, or raise `ValueError`."""
    logs = as_floats(log_probabilities, "log_probabilities")
    if logs.ndim < 2 or logs.shape[-1] < 2:
        raise ValueError(
            f"log_probabilities must have shape (..., sample, class) with 2 classes at least; got {logs.shape}"
        )
    if bool((logs >= 0).all()) and bool((np.abs(logs.sum(axis=-1) - 1) < _SUMS_TO_ONE).all()):
        raise ValueError(
            "these are probabilities: no number is below 0 and every row sums to 1. Give logits, or np.log of them"
        )
    odd = np.isnan(logs) | np.isposinf(logs)
    if odd.any():
        index = first(odd)
        where = place(index, ("sample", "class"))
        raise ValueError(f"log_probabilities must be finite or -inf; got {logs[index]:g} at {where}")
    tops = logs.max(axis=-1, keepdims=True)
    if np.isneginf(tops).any():
        index = first(np.isneginf(tops[..., 0]))
        raise ValueError(f"a row of log_probabilities must not be -inf throughout; {place(index, ('sample',))} is")
    shifted: NDArray[np.float64] = np.subtract(logs, tops, dtype=np.float64)
    return shifted


def _scaled(logs: NDArray[np.float64], b: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Logits times b; what is impossible stays so, even at b = 0."""
    if np.all(b > 0):
        return logs * b
    with np.errstate(invalid="ignore"):
        return np.where(np.isneginf(logs), -np.inf, logs * b)


def _log_sum(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of the sum of exponentials over classes, for rows whose largest number is 0."""
    sums: NDArray[np.float64] = np.log(np.exp(scaled).sum(axis=-1))
    return sums


def _blocks(logs: NDArray[np.float64]) -> list[slice]:
    rows = max(1, _BLOCK // logs.shape[1])
    return [slice(start, start + rows) for start in range(0, len(logs), rows)]


def _value(logs: NDArray[np.float64], of_truth: NDArray[np.float64], b: float) -> float:
    """The mean log loss at temperature 1 / b."""
    total = sum(float(_log_sum(_scaled(logs[rows], b)).sum()) for rows in _blocks(logs))
    return (total - float(_scaled(of_truth, b).sum())) / len(logs)


def _slope(logs: NDArray[np.float64], of_truth: NDArray[np.float64], b: float) -> tuple[float, float]:
    """The first and the second derivative of `_value` by b."""
    first_moment = second_moment = 0.0
    for rows in _blocks(logs):
        weights, values = np.exp(_scaled(logs[rows], b)), logs[rows]
        if np.isneginf(values.min()):
            values = np.where(weights > 0, values, 0.0)  # what has probability 0 is not expected, be it -inf
        sums = weights.sum(axis=-1)
        weights *= values
        means = weights.sum(axis=-1) / sums
        first_moment += float(means.sum())
        second_moment += float((np.einsum("ij,ij->i", weights, values) / sums - means**2).sum())
    return (first_moment - float(of_truth.sum())) / len(logs), second_moment / len(logs)

"""What can be measured of a log: how noisy each curve is, where it turns and by how much, and what the bounds say.

Rules look at an `Evidence`. Changes are measured between levels (medians of a few epochs, where there are twenty or
more) and held against the noise of the curve, which is estimated from how neighbouring epochs differ once a trend is
taken away.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers.attainable import calibrated_loss
from lossacc_helpers.clinic.log import Floats, Log
from lossacc_helpers.clinic.names import understand

_FEW = 8  # values that tell how many decimals are printed
_LN2 = float(np.log(2))


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve, without the epochs that have no value.

    Attributes
    ----------
    epochs : (point,) as printed.
    values : (point,) finite.
    """

    epochs: NDArray[np.intp]
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def noise(self) -> float:
        """Standard deviation of one epoch about a smooth curve, robustly; at least what rounding makes."""
        least = half_digit(self.values)
        if len(self) < 4:
            return max(least, 5e-5)
        second = self.values[2:] - 2 * self.values[1:-1] + self.values[:-2]  # of independent noise 6 times its variance
        return max(float(1.4826 * np.median(np.abs(second)) / np.sqrt(6)), least, 5e-5)

    @property
    def width(self) -> int:
        """How many epochs make a level: a tenth of them, one to five."""
        return int(np.clip(len(self) // 10, 1, 5))

    @cached_property
    def smooth(self) -> Floats:
        """Running medians over about `width` epochs to either side, (point,)."""
        reach = self.width // 2 if len(self) < 20 else self.width
        return np.array([np.median(self.values[max(0, k - reach) : k + reach + 1]) for k in range(len(self))])

    @property
    def start(self) -> float:
        """The first value."""
        return float(self.values[0])

    @property
    def end(self) -> float:
        """The median of the last epochs."""
        return float(np.median(self.values[-self.width :]))

    @cached_property
    def lowest(self) -> int:
        """Where the smoothed curve is lowest: a place in `values`."""
        return int(np.argmin(self.smooth))

    @cached_property
    def highest(self) -> int:
        """Where the smoothed curve is highest."""
        return int(np.argmax(self.smooth))

    @property
    def rise(self) -> float:
        """From the lowest level to the end."""
        return self.end - float(self.smooth[self.lowest])

    @property
    def fall(self) -> float:
        """From the highest level to the end."""
        return float(self.smooth[self.highest]) - self.end

    def surely(self, change: float, epochs: int) -> float:
        """Return how many standard deviations of noise a change between two levels is."""
        level = max(1.0, min(self.width, max(epochs, 1)))
        return float(change / (self.noise * np.sqrt(2.0 / level)))


@dataclass(frozen=True, eq=False)
class Evidence:
    """A log, its curves, and what was given beside it.

    Attributes
    ----------
    log : as read.
    classes : how many classes there are, or None.
    validation_size : how many samples were validated on, or None.
    """

    log: Log
    classes: int | None = None
    validation_size: int | None = None

    def _curve(self, values: Floats | None) -> Curve | None:
        if values is None:
            return None
        kept = np.isfinite(values)
        if not kept.any():
            return None
        return Curve(self.log.epochs[kept], values[kept])

    @cached_property
    def loss(self) -> Curve | None:
        """Training loss."""
        return self._curve(self.log.loss)

    @cached_property
    def accuracy(self) -> Curve | None:
        """Training accuracy."""
        return self._curve(self.log.accuracy)

    @cached_property
    def validation_loss(self) -> Curve | None:
        """Validation loss."""
        return self._curve(self.log.validation_loss)

    @cached_property
    def validation_accuracy(self) -> Curve | None:
        """Validation accuracy."""
        return self._curve(self.log.validation_accuracy)

    @property
    def epochs(self) -> int:
        """How many epochs there are."""
        return len(self.log.epochs)

    @property
    def top(self) -> bool:
        """Whether what is called accuracy counts the best k answers."""
        return self.log.metric is not None and understand(self.log.metric).quantity == "top accuracy"

    def pairs(self, *, validation: bool) -> tuple[NDArray[np.intp], Floats, Floats]:
        """Return epochs, losses and accuracies where both are finite, (point,) each."""
        loss = self.log.validation_loss if validation else self.log.loss
        accuracy = self.log.validation_accuracy if validation else self.log.accuracy
        if loss is None or accuracy is None:
            return np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0)
        both = np.isfinite(loss) & np.isfinite(accuracy)
        return self.log.epochs[both], loss[both], accuracy[both]

    def violations(self, *, validation: bool) -> NDArray[np.bool_]:
        """Return where a loss is lower than any cross-entropy with that accuracy can be, (point,).

        A wrong answer gives its class at most one half: L >= (1 - a) ln 2. Allowed is what rounding makes of both.
        """
        _, loss, accuracy = self.pairs(validation=validation)
        slack = half_digit(loss, beside=accuracy) + _LN2 * half_digit(accuracy, beside=loss)
        return np.asarray(loss < (1 - accuracy) * _LN2 - slack - 1e-9)

    @cached_property
    def samples(self) -> int | None:
        """How many validation samples there are: as given, or as the grid of accuracies says, or None."""
        if self.validation_size is not None:
            return self.validation_size
        _, _, accuracy = self.pairs(validation=True)
        return grid_size(accuracy)

    def miscalibrated(self, *, validation: bool) -> Floats:
        """Return the nats by which each loss exceeds what calibrated predictions with that accuracy cost, (point,)."""
        _, loss, accuracy = self.pairs(validation=validation)
        if not len(loss):
            return np.zeros(0)
        return loss - ceiling(accuracy, self.classes or 2)


def ceiling(accuracy: Floats, classes: int) -> Floats:
    """Return what calibrated predictions with these accuracies cost at most, in nats; below chance as at chance."""
    return np.asarray(calibrated_loss(np.maximum(accuracy, 1 / classes), classes=classes)[1])


def half_digit(values: Floats, *, beside: Floats | None = None) -> float:
    """Return half of the last digit that is printed: by how much rounding may have moved each value.

    A few values may all end in 0; then those that are printed `beside` them have a say.

    >>> half_digit(np.array([0.69, 0.5, 0.41]))
    0.005
    """
    kept = values[np.isfinite(values)]
    decimals = next((d for d in range(1, 7) if np.allclose(kept, np.round(kept, d), rtol=0, atol=1e-9)), 7)
    half = float(f"{0.5 * 10.0**-decimals:.1g}")
    if beside is None or len(np.unique(kept)) >= _FEW:
        return half
    return min(half, half_digit(beside))


def grid_size(accuracies: Floats, *, most: int = 2000) -> int | None:
    """Return the least number of samples of which all accuracies, as they were rounded, are shares; None for none.

    Only a grid that is wide enough to be seen counts: below, every share is near some multiple.

    >>> grid_size(np.array([0.1587, 0.2222, 0.2063, 0.1905, 0.2381]))
    63
    """
    values = np.unique(np.asarray(accuracies, dtype=np.float64))
    values = values[np.isfinite(values) & (values > 0) & (values < 1)]
    rounded = half_digit(values) if len(values) else 0.0
    if len(values) < 3 or rounded > 1e-3:  # two decimals are a grid of their own
        return None
    most = most if rounded < 1e-4 else min(most, 100)  # three are nearly so
    rounded = max(rounded, 5e-5)  # shares are seldom exact
    sizes = np.arange(2, most + 1)
    off = np.abs(values[:, None] * sizes - np.round(values[:, None] * sizes)).max(axis=0)
    fits = off <= rounded * sizes + 1e-6
    # Of values by chance a share of 2 * allowed would fit: such a size proves nothing.
    by_chance = np.minimum(1.0, 2 * (rounded * sizes + 1e-6)) ** len(values) * most
    proven = np.flatnonzero(fits & (by_chance < 0.05))
    return int(sizes[proven[0]]) if len(proven) else None

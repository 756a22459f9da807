"""An axis of losses on which equal factors are equal distances, as the definition of a spike has them."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

_LEAST_FACTOR = 6.0  # between the ends of an axis, so that there are two ticks at least
_MARGIN = 1.12
_LEAST, _GREATEST = 1e-100, 1e100  # beyond these an axis would show nothing else


def log_loss_axis(axes: Axes) -> None:
    """Make the y axis of styled axes logarithmic; `show_losses` gives it limits and ticks."""
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(NullLocator())


def show_losses(axes: Axes, losses: NDArray[np.float64]) -> None:
    """Fit the y axis to losses in nats, of any shape; only those from 1e-100 to 1e100 have a place on it."""
    limits = factor_limits(losses)
    if axes.get_ylim() == limits:  # setting them draws all axes anew
        return
    axes.set_ylim(*limits)
    ticks = loss_ticks(*limits)
    axes.set_yticks(ticks, [f"{tick:g}" if tick >= 0.01 else f"{tick:.0e}".replace("e-0", "e-") for tick in ticks])


def on_axis(axes: Axes, losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where marks of losses stand: those above the axis, infinite ones too, at its upper end."""
    return np.minimum(losses, axes.get_ylim()[1])


def factor_limits(losses: NDArray[np.float64]) -> tuple[float, float]:
    """Return limits that hold all losses from 1e-100 to 1e100 and lie at least a factor of 6 apart.

    >>> [round(limit, 3) for limit in factor_limits(np.array([0.1, 1.0, np.nan]))]
    [0.089, 1.12]
    """
    shown = losses[(losses >= _LEAST) & (losses <= _GREATEST)]
    if not len(shown):
        return 0.1, 10.0
    low, high = float(shown.min()) / _MARGIN, float(shown.max()) * _MARGIN
    widen = max(math.sqrt(_LEAST_FACTOR * low / high), 1.0)
    return low / widen, high * widen


def loss_ticks(low: float, high: float) -> list[float]:
    """Return round losses within limits: 1, 2 and 5 of every decade, or powers of ten where there are many.

    >>> loss_ticks(0.3, 7), loss_ticks(1e-6, 40)
    ([0.5, 1.0, 2.0, 5.0], [1e-06, 0.0001, 0.01, 1.0])
    """
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high))
    decades = math.log10(high / low)
    step = max(math.ceil(decades / 5), 1)
    parts = (1, 2, 5) if decades < 2.5 else (1,)
    candidates = [float(f"{part}e{power}") for power in range(first, last + 1, step) for part in parts]
    return [tick for tick in candidates if low <= tick <= high]

"""Curves of many random seeds: thin and pale, with their median bold."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from lossacc_helpers._validation import as_numbers
from lossacc_helpers.figures.style import MEDIAN_WIDTH, SEED_WIDTH, TRAINING, pale


def seed_rows(values: Any, name: str = "curves") -> NDArray[np.float64]:
    """Return curves as (seed, epoch), whatever their leading axes; `ValueError` if they are no numbers of epochs."""
    array = values if isinstance(values, np.ndarray) and values.size == 0 else as_numbers(values, name)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} need an epoch axis with at least one epoch; got shape {array.shape}")
    return array.reshape(-1, array.shape[-1]).astype(np.float64)


def seed_median(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median over seeds, epoch by epoch; a seed that diverged (NaN) counts as infinitely bad, not absent."""
    return np.asarray(np.median(np.where(np.isnan(rows), np.inf, rows), axis=0), dtype=np.float64)


def on_paper(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return heights with gaps for what has no place on paper: a gap says so, and keeps Agg's simplification happy."""
    return np.where(np.isfinite(heights), heights, np.nan)


def finite_limits(values: NDArray[np.float64], edges: tuple[float, ...] = ()) -> tuple[float, float]:
    """Return limits of an axis that hold the edges and every finite value; with 0 for a constant."""
    finite = np.concatenate([values[np.isfinite(values)], edges])
    if not len(finite):
        return 0.0, 1.0
    bottom, top = float(finite.min()), float(finite.max())
    if top - bottom <= 0.001 * max(abs(bottom), abs(top)):  # a constant's rounding is no curve
        bottom, top = min(1.5 * bottom, 0.0), max(1.5 * top, 0.0)
    margin = 0.1 * (top - bottom) or 0.1
    return bottom - margin, top + margin


def epoch_limits(epochs: int) -> tuple[float, float]:
    """Return limits of an axis of epochs, with room on both sides where there is only one."""
    return (1.0, float(epochs)) if epochs > 1 else (0.5, 1.5)


def draw_seeds(
    axes: Axes, rows: NDArray[np.float64], colour: str, *, style: Any = TRAINING, seed_style: Any = None
) -> None:
    """Draw curves (seed, epoch) that will not move: the seeds thin and pale where there are several, the median bold.

    `style` is the median's line style, and that of the seeds unless they have their own.
    """
    epochs = np.arange(1, rows.shape[1] + 1)
    if len(rows) > 1:
        segments = [np.column_stack([epochs, row]) for row in on_paper(rows)]
        thin = LineCollection(
            segments, colors=pale(colour), linewidths=SEED_WIDTH, linestyles=[seed_style or style], zorder=2
        )
        axes.add_collection(thin)
    marker = "o" if len(epochs) == 1 else ""
    middle = on_paper(seed_median(rows))
    axes.plot(epochs, middle, color=colour, linewidth=MEDIAN_WIDTH, linestyle=style, marker=marker, zorder=3)

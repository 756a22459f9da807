"""Curves of many random seeds: thin and pale, with their median bold."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from lossacc_helpers.figures.style import MEDIAN_WIDTH, SEED_WIDTH, TRAINING, pale


def seed_rows(values: Any, name: str = "curves") -> NDArray[np.float64]:
    """Return curves as (seed, epoch), whatever their leading axes; `ValueError` if they have no epochs."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError(f"{name} need an epoch axis with at least one epoch; got shape {array.shape}")
    return array.reshape(-1, array.shape[-1])


def seed_median(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median over seeds, epoch by epoch; a seed that diverged (NaN) counts as infinitely bad, not absent."""
    return np.asarray(np.median(np.where(np.isnan(rows), np.inf, rows), axis=0), dtype=np.float64)


def on_paper(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return heights with gaps for what has no place on paper: a gap says so, and keeps Agg's simplification happy."""
    return np.where(np.isfinite(heights), heights, np.nan)


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

"""Losses side by side, each on the axis of what it reports itself, with the accuracy that goes with it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.seeds import draw_seeds, epoch_limits, finite_limits, seed_median, seed_rows
from lossacc_helpers.figures.style import (
    ACCURACY,
    GRID,
    INK,
    LOSS,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    EndLabels,
    as_sentence,
    styled_axes,
)

_ROW = 82  # pixels; room for three labels at a line's end
_HEAD, _FOOT = 74, 46
_MINUS = "\N{MINUS SIGN}"


def bugs_figure(
    curves: Mapping[str, tuple[Any, Any]], *, ranges: Mapping[str, tuple[float, float]] | None = None, title: str
) -> LabelledFigure:
    """One row for each loss: what it reports on the left, the accuracy on the right, over the same epochs.

    Parameters
    ----------
    curves : for each loss, by what its author wrote (a line break is kept), its reported values and the accuracy, each
        (..., epoch); leading axes are seeds.
    ranges : the least and the greatest value that a loss can report, where there are such: drawn grey.
    title : the finding.

    Raises
    ------
    ValueError
        For no losses, curves without epochs or of anything but numbers, and a range that is not finite, the wrong way
        round or of a loss that is not drawn.
    """
    ranges = ranges or {}
    if not curves:
        raise ValueError("this picture needs at least one loss")
    for name, (least, greatest) in ranges.items():
        if name not in curves:
            raise ValueError(f"ranges names {name!r}, which is none of the losses: {', '.join(map(repr, curves))}")
        if not (np.isfinite([least, greatest]).all() and least <= greatest):
            raise ValueError(f"the range of {name!r} must be finite, the least value first; got {least}, {greatest}")
    rows = {
        name: (seed_rows(loss, f"the curves of {name!r}"), seed_rows(accuracy, f"the curves of {name!r}"))
        for name, (loss, accuracy) in curves.items()
    }
    height = _HEAD + _ROW * len(rows) + _FOOT
    figure = LabelledFigure(sentence=_sentence(rows, title), width=840, height=height)
    grid = figure.add_gridspec(
        len(rows), 2, left=0.285, right=0.945, bottom=_FOOT / height, top=1 - _HEAD / height, wspace=0.42, hspace=0.3
    )
    most, epochs = np.max([values.shape for pair in rows.values() for values in pair], axis=0)
    for number, (name, (loss, accuracy)) in enumerate(rows.items()):
        left = _panel(figure.add_subplot(grid[number, 0]), loss, LOSS, ranges.get(name))
        right = _panel(figure.add_subplot(grid[number, 1]), accuracy, ACCURACY, None)
        box = left.get_position()
        figure.text(0.012, (box.y0 + box.y1) / 2, name, fontsize=TEXT_SIZE, color=INK, va="center", linespacing=1.3)
        for axes, values in ((left, loss), (right, accuracy)):
            if len(values) < most:
                note = "one seed" if len(values) == 1 else f"{len(values)} seeds"
                axes.set_title(note, loc="right", fontsize=TEXT_SIZE - 1, color=REFERENCE, pad=2)
            axes.set_xlim(*epoch_limits(int(epochs)))
            axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
            axes.tick_params(labelbottom=number == len(rows) - 1)
            if number == len(rows) - 1:
                axes.set_xlabel("epoch", fontsize=TEXT_SIZE, color=INK)
        if number == 0:
            for axes, head, colour in ((left, "what it reports", LOSS), (right, "accuracy", ACCURACY)):
                axes.set_title(head, loc="left", fontsize=TEXT_SIZE + 1, color=colour)
    figure.text(0.012, 1 - 8 / height, title, fontsize=TITLE_SIZE, color=INK, va="top")
    if most > 1:
        note = f"bold: median of {most} seeds"
        figure.text(0.99, 1 - 34 / height, note, fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", ha="right")
    return figure


def _panel(axes: Axes, values: NDArray[np.float64], colour: str, limits: tuple[float, float] | None) -> Axes:
    """Draw pale seeds and a bold median, written at its end; the range of a loss in grey; accuracy from 0 to 1."""
    styled_axes(axes)
    draw_seeds(axes, values, colour)
    middle = seed_median(values)
    if colour == ACCURACY:
        axes.set_ylim(-0.04, 1.04)
        axes.set_yticks([0, 0.5, 1])
    else:
        axes.set_ylim(*finite_limits(values, limits or ()))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}".replace("-", _MINUS))
    finite = middle[np.isfinite(middle)]
    names, heights = [_ending(middle)], [float(finite[-1]) if len(finite) else float(np.mean(axes.get_ylim()))]
    if limits is not None:
        axes.axhspan(*limits, color=GRID, zorder=0.5)
        names += [_short(edge) for edge in limits]
        heights += limits
    EndLabels(axes, names, [colour, REFERENCE, REFERENCE][: len(names)]).place(heights)
    return axes


def _ending(middle: NDArray[np.float64]) -> str:
    return _short(float(middle[-1])) if np.isfinite(middle[-1]) else "diverged"


def _short(value: float) -> str:
    """Return a number in few digits: -5,408, 1.66, 0.0003."""
    size = abs(value)
    if size >= 1e6:
        text = f"{value:.1e}"
    elif size >= 100:
        text = f"{value:,.0f}"
    elif size >= 0.01 or size < 5e-7:
        text = f"{value:.2f}"
    else:
        text = np.format_float_positional(value, precision=1, fractional=False, trim="-")
    return text.replace("-", _MINUS)


def _sentence(rows: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]], title: str) -> str:
    told = []
    for name, (loss, accuracy) in rows.items():
        first, last, right = seed_median(loss)[:1], seed_median(loss), seed_median(accuracy)
        words = " ".join(name.split())
        told.append(f"{words}: reports {_ending(first)} to {_ending(last)}, accuracy ends at {_ending(right)}")
    return f"{as_sentence(title)} {'; '.join(told)}."

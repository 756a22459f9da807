"""Experiments with two causes crossed, and what each intervention removes of an effect."""

import math
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers._validation import as_numbers
from lossacc_helpers.figures.log_axis import log_loss_axis, show_losses
from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.seeds import draw_seeds, epoch_limits, seed_median, seed_rows
from lossacc_helpers.figures.style import (
    INK,
    LOSS,
    PAPER,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    TRAINING,
    VALIDATION,
    as_sentence,
    reference_line,
    styled_axes,
)
from lossacc_helpers.spikes import find_spikes

Interval = tuple[float, float, float]

_WIDTH = 840
_CHANCE = math.log(2)  # what two classes cost that nothing is known of
_HEADROOM = 1.5  # for the words in the corner of a panel
_HEAD, _ROW, _FOOT, _GAP = 50, 30, 52, 24  # pixels


def statistics_figure(curves: Mapping[str, Any], *, title: str) -> LabelledFigure:
    """Validation losses in a grid of four: two kinds of BatchNorm statistics, gathered with dropout on or off.

    A line a network, the median bold, and in each panel the number of spikes that `find_spikes` finds.

    Parameters
    ----------
    curves : four validation losses (network, epoch) in nats of two classes. What stands before the comma of a name is
        its row, what stands behind it its column, as in ``"recomputed, dropout off"``.
    title : the finding.

    Raises
    ------
    ValueError
        For names that do not fill two rows and two columns, curves that are no numbers with an epoch axis, and what
        `find_spikes` refuses.
    """
    places = {name: tuple(part.strip() for part in name.split(",", 1)) for name in curves}
    rows, columns = (list(dict.fromkeys(place[k] for place in places.values())) for k in (0, -1))
    grid = [(row, column) for row in rows for column in columns]
    if (len(rows), len(columns)) != (2, 2) or sorted(places.values()) != sorted(grid):
        raise ValueError(
            "curves must be four, named 'row, column' in two rows and two columns, as in 'recomputed, dropout off'; "
            f"got {', '.join(repr(name) for name in curves) or 'none'}"
        )
    losses = {place: seed_rows(curves[name], f"the losses of {name!r}") for name, place in places.items()}
    counts = {place: _counted(values) for place, values in losses.items()}
    told = [
        f"{name}: {counts[place]}, the median loss at most {seed_median(losses[place]).max():.2f} and at the end "
        f"{seed_median(losses[place])[-1]:.2f}"
        for name, place in places.items()
    ]
    figure = LabelledFigure(
        sentence=f"{as_sentence(title)} Validation loss over epochs, four times. {'; '.join(told)}.",
        width=_WIDTH,
        height=500,
    )
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    figure.subplots_adjust(left=0.21, right=0.925, bottom=0.1, top=0.87, wspace=0.05, hspace=0.08)
    log_loss_axis(panels[0, 0])
    everything = np.concatenate([*(values.ravel() for values in losses.values()), [_CHANCE]])
    show_losses(panels[0, 0], np.append(everything, _HEADROOM * everything[np.isfinite(everything)].max()))
    panels[0, 0].set_xlim(*epoch_limits(max(values.shape[1] for values in losses.values())))
    for (row, column), axes in zip(grid, panels.flat, strict=True):
        at_left, at_bottom = column == columns[0], row == rows[1]
        styled_axes(
            axes,
            xlabel="epoch" if at_bottom else "",
            ylabel="validation loss (nats)" if at_left else "",
            colour=LOSS,
            whole_x=True,
        )
        axes.tick_params(labelbottom=at_bottom, labelleft=at_left)
        values = losses[row, column]
        draw_seeds(axes, values, LOSS, style=VALIDATION, seed_style=TRAINING)
        for thin in axes.collections:
            thin.set_antialiased(
                False
            )  # smooth edges of so many crossing lines would double the size of the stored picture
        network, epoch = np.nonzero(find_spikes(values))
        axes.plot(epoch + 1, values[network, epoch], "o", color=LOSS, markersize=4, markerfacecolor=PAPER, zorder=4)
        reference_line(axes, _CHANCE)
        axes.text(
            0.98,
            0.96,
            f"○ {counts[row, column]}",
            transform=axes.transAxes,
            fontsize=TEXT_SIZE,
            color=INK,
            ha="right",
            va="top",
        )
        if not at_bottom:
            heading = f"gathered with {column}"
            axes.text(0.5, 1.04, heading, transform=axes.transAxes, fontsize=TEXT_SIZE + 1, color=INK, ha="center")
        if at_left:
            heading = "\n".join(["statistics:", *textwrap.wrap(row, 10, break_long_words=False)])
            middle = float(np.mean(axes.get_position().intervaly))
            figure.text(0.012, middle, heading, fontsize=TEXT_SIZE + 1, color=INK, va="center")
        else:
            axes.text(
                1.02,
                _CHANCE,
                f"chance\n{_CHANCE:.2f}",
                transform=axes.get_yaxis_transform(),
                fontsize=TEXT_SIZE - 1,
                color=REFERENCE,
                va="center",
            )
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def effects_figure(effects: Mapping[str, Mapping[str, Interval]], *, title: str) -> LabelledFigure:
    """What is left of each effect by intervention: a dot and its interval, and the numbers beside them.

    Parameters
    ----------
    effects : for each panel's name, with its unit, the estimate and the two ends of its interval by intervention. All
        panels have the same interventions in the same order; the first is the ordinary case, drawn as a line through
        the others.
    title : the finding.

    Raises
    ------
    ValueError
        For no interventions, panels that differ in them, and an estimate that is not finite or outside its interval.
    """
    names = list(next(iter(effects.values()), ()))
    if not names or any(list(panel) != names for panel in effects.values()):
        raise ValueError("every panel must give the same interventions in the same order, one at least")
    numbers = {panel: _intervals(rows, panel) for panel, rows in effects.items()}
    told = [
        f"{panel}: {', '.join(f'{name} {_short(values)}' for name, values in zip(names, table, strict=True))}"
        for panel, table in numbers.items()
    ]
    height = _HEAD + _ROW * len(names) + _FOOT
    figure = LabelledFigure(
        sentence=f"{as_sentence(title)} Estimates with their intervals. {'. '.join(told)}.", width=_WIDTH, height=height
    )
    panels = figure.subplots(1, len(effects), sharey=True, squeeze=False)[0]
    places = np.arange(len(names))
    renderer = figure.agg.get_renderer()
    widest = []  # of the numbers beside each panel, in pixels
    # A third panel leaves no room for the numbers of the intervals; they are drawn, and told in the sentence.
    write = _short if len(effects) <= 2 else _estimate
    for axes, (panel, table) in zip(panels, numbers.items(), strict=True):
        styled_axes(axes, xlabel=panel)
        axes.grid(False, axis="y")
        axes.spines["left"].set_visible(False)
        estimates, lows, highs = table.T
        axes.axvline(estimates[0], color=REFERENCE, linewidth=1.2, linestyle=":", zorder=1.5)
        axes.hlines(places, lows, highs, color=INK, linewidth=1.8, zorder=2)
        axes.plot(estimates, places, "o", color=INK, markersize=7, zorder=3, clip_on=False)
        least, most = min(float(lows.min()), 0.0), max(float(highs.max()), 0.0)
        axes.set_xlim(least, most + 0.06 * (most - least or 1.0))
        axes.set_yticks(places, names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.locator_params(axis="x", nbins=5 if len(effects) <= 2 else 3)
        beside = axes.get_yaxis_transform()
        texts = [
            axes.text(1.06, place, write(values), transform=beside, fontsize=TEXT_SIZE - 1, color=INK, va="center")
            for place, values in enumerate(table)
        ]
        widest.append(max(text.get_window_extent(renderer).width for text in texts))
    longest = max(label.get_window_extent(renderer).width for label in panels[0].get_yticklabels())
    left = longest + 20
    room = (_WIDTH - left - _GAP) / len(panels)
    for k, (axes, beyond) in enumerate(zip(panels, widest, strict=True)):
        axes.set_position(
            (
                (left + k * room) / _WIDTH,
                _FOOT / height,
                (room - 1.1 * beyond - _GAP) / _WIDTH,
                1 - (_HEAD + _FOOT) / height,
            )
        )
    figure.text(0.012, 1 - 12 / height, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def _counted(losses: NDArray[np.float64]) -> str:
    spikes = int(find_spikes(losses).sum())
    return f"{spikes} spike{'s' * (spikes != 1)} in {len(losses)} network{'s' * (len(losses) != 1)}"


def _intervals(rows: Mapping[str, Any], panel: str) -> NDArray[np.float64]:
    """Return the rows of a panel as (intervention, 3), or raise `ValueError`."""
    table = np.empty((len(rows), 3))
    for row, (name, values) in zip(table, rows.items(), strict=True):
        numbers = as_numbers(values, f"{panel}, {name!r}")
        if numbers.shape != (3,) or not np.isfinite(numbers).all() or not numbers[1] <= numbers[0] <= numbers[2]:
            raise ValueError(f"{panel}, {name!r} must be an estimate and the ends of its interval; got {values!r}")
        row[:] = numbers
    return table


def _estimate(values: NDArray[np.float64]) -> str:
    """Write an estimate with two figures.

    >>> [_estimate(np.array([value, 0, 0])) for value in (0.0, 0.334, 7.25, 109.5)]
    ['0', '0.33', '7.2', '110']
    """
    return f"{values[0]:.2g}" if abs(values[0]) < 99.5 else f"{values[0]:.0f}"


def _short(values: NDArray[np.float64]) -> str:
    """Write an estimate and its interval.

    >>> _short(np.array([7.25, 5, 109.5]))
    '7.2 (5.0 to 110)'
    """
    estimate, low, high = (f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" for value in values)
    return f"{estimate} ({low} to {high})"

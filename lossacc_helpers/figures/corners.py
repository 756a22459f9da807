"""Experiments with two causes crossed, and what each intervention removes of an effect."""

import math
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers._validation import as_numbers
from lossacc_helpers.figures.log_axis import factor_limits, log_loss_axis, on_axis, show_losses
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
_LINE, _LETTER = 15, 7.6  # pixels: of a line of text, and of a letter in the mean
_MOST_PANELS, _LONGEST = 3, 34  # panels of effects, and letters of an intervention in one line


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
    flags = {place: _spikes_of(losses[place], name) for name, place in places.items()}
    counts = {place: _counted(spikes) for place, spikes in flags.items()}
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
    show_losses(panels[0, 0], np.append(everything, _HEADROOM * factor_limits(everything)[1]))
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
            # Smooth edges of so many crossing lines would double the size of the stored picture.
            thin.set_antialiased(False)
        network, epoch = np.nonzero(flags[row, column])
        heights = on_axis(axes, values[network, epoch])
        axes.plot(epoch + 1, heights, "o", color=LOSS, markersize=4, markerfacecolor=PAPER, zorder=4, clip_on=False)
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
            heading = textwrap.fill(f"gathered with {column}", 40, max_lines=2, placeholder="…")
            axes.text(0.5, 1.04, heading, transform=axes.transAxes, fontsize=TEXT_SIZE + 1, color=INK, ha="center")
        if at_left:
            heading = "\n".join(["statistics:", *textwrap.wrap(row, 10)])
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
        For no interventions, panels that differ in them or are more than three, and an estimate that is not finite or
        outside its interval.
    """
    if len(effects) > _MOST_PANELS:
        raise ValueError(f"effects must be at most {_MOST_PANELS} panels, to be legible; got {len(effects)}")
    names = list(next(iter(effects.values()), ()))
    if not names or any(list(panel) != names for panel in effects.values()):
        raise ValueError("every panel must give the same interventions in the same order, one at least")
    numbers = {panel: _intervals(rows, panel) for panel, rows in effects.items()}
    written = {panel: _written(table) for panel, table in numbers.items()}
    told = [
        f"{panel}: {', '.join(f'{name} {one} ({low} to {high})' for name, (one, low, high) in rows)}"
        for panel, rows in ((panel, zip(names, texts, strict=True)) for panel, texts in written.items())
    ]
    labels = [textwrap.fill(name, _LONGEST) for name in names]
    row_height = max(_ROW, _LINE * max(label.count("\n") + 1 for label in labels) + 6)
    units = [textwrap.fill(panel, int(_WIDTH / (len(effects) + 2) / _LETTER)) for panel in numbers]
    foot = _FOOT + _LINE * max(unit.count("\n") for unit in units)
    height = _HEAD + row_height * len(names) + foot
    figure = LabelledFigure(
        sentence=f"{as_sentence(title)} Estimates with their intervals. {'. '.join(told)}.", width=_WIDTH, height=height
    )
    panels = figure.subplots(1, len(effects), sharey=True, squeeze=False)[0]
    places = np.arange(len(names))
    renderer = figure.agg.get_renderer()
    widest = []  # of the numbers beside each panel, in pixels
    for axes, unit, (panel, table) in zip(panels, units, numbers.items(), strict=True):
        styled_axes(axes, xlabel=unit)
        axes.grid(False, axis="y")
        axes.spines["left"].set_visible(False)
        estimates, lows, highs = table.T
        axes.axvline(estimates[0], color=REFERENCE, linewidth=1.2, linestyle=":", zorder=1.5)
        axes.hlines(places, lows, highs, color=INK, linewidth=1.8, zorder=2)
        axes.plot(estimates, places, "o", color=INK, markersize=7, zorder=3, clip_on=False)
        least, most = min(float(lows.min()), 0.0), max(float(highs.max()), 0.0)
        axes.set_xlim(least, most + 0.06 * (most - least or 1.0))
        axes.set_yticks(places, labels)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0, pad=8)  # clear of a dot at the left end
        axes.locator_params(axis="x", nbins=5 if len(effects) <= 2 else 3)
        beside = axes.get_yaxis_transform()
        # A third panel leaves no room for the numbers of the intervals; they are drawn, and told in the sentence.
        words = [f"{one} ({low} to {high})" if len(effects) <= 2 else one for one, low, high in written[panel]]
        texts = [
            axes.text(1.06, place, word, transform=beside, fontsize=TEXT_SIZE - 1, color=INK, va="center")
            for place, word in enumerate(words)
        ]
        widest.append(max(text.get_window_extent(renderer).width for text in texts))
    longest = max(label.get_window_extent(renderer).width for label in panels[0].get_yticklabels())
    left = longest + 26
    room = (_WIDTH - left - _GAP) / len(panels)
    for k, (axes, beyond) in enumerate(zip(panels, widest, strict=True)):
        axes.set_position(
            (
                (left + k * room) / _WIDTH,
                foot / height,
                (room - 1.1 * beyond - _GAP) / _WIDTH,
                1 - (_HEAD + foot) / height,
            )
        )
    figure.text(0.012, 1 - 12 / height, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def _spikes_of(losses: NDArray[np.float64], name: str) -> NDArray[np.bool_]:
    try:
        return find_spikes(losses)
    except ValueError as error:
        raise ValueError(f"the losses of {name!r}: {error}") from None


def _counted(flags: NDArray[np.bool_]) -> str:
    spikes = int(flags.sum())
    return f"{spikes} spike{'s' * (spikes != 1)} in {len(flags)} network{'s' * (len(flags) != 1)}"


def _intervals(rows: Mapping[str, Any], panel: str) -> NDArray[np.float64]:
    """Return the rows of a panel as (intervention, 3), or raise `ValueError`."""
    table = np.empty((len(rows), 3))
    for row, (name, values) in zip(table, rows.items(), strict=True):
        numbers = as_numbers(values, f"{panel}, {name!r}")
        if numbers.shape != (3,) or not np.isfinite(numbers).all() or not numbers[1] <= numbers[0] <= numbers[2]:
            raise ValueError(f"{panel}, {name!r} must be an estimate and the ends of its interval; got {values!r}")
        row[:] = numbers
    return table


def _written(table: NDArray[np.float64]) -> list[tuple[str, str, str]]:
    """Write estimates and their intervals (intervention, 3), all with the decimals that the narrowest interval needs.

    Without an interval they have two figures. Numbers that would be long are written as powers of ten.

    >>> _written(np.array([[7.25, 5, 109.5], [0.04, 0.03, 0.05]]))
    [('7.25', '5.00', '109.50'), ('0.04', '0.03', '0.05')]
    >>> _written(np.array([[150.0, 120, 190], [-0.2, -30, 30]]))
    [('150', '120', '190'), ('0', '-30', '30')]
    >>> _written(np.array([[0.334, 0.334, 0.334], [1e300, 1e300, 1e300]]))
    [('0.33', '0.33', '0.33'), ('1e+300', '1e+300', '1e+300')]
    """
    widths = table[:, 2] - table[:, 1]
    shown = widths[widths > 0] if (widths > 0).any() else np.abs(table[table != 0]) / 10
    decimals = max(-math.floor(math.log10(shown.min())), 0) if len(shown) else 0

    def write(value: float) -> str:
        if decimals > 4 or abs(value) >= 1e6:
            return f"{value:.2g}"
        text = f"{value:.{decimals}f}"
        return text.lstrip("-") if float(text) == 0 else text  # no -0.0

    return [(write(one), write(low), write(high)) for one, low, high in table.tolist()]

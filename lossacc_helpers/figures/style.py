"""What every picture of the course has in common: colours, line styles, axes and labels written at the lines."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

LOSS = "#D55E00"  # vermilion: loss, and nothing else
ACCURACY = "#0072B2"  # blue: accuracy, and nothing else
REFERENCE = "#6E6E6E"  # grey: chance, bounds, anything that is no measurement
INK = "#222222"
GRID = "#E6E6E6"
PAPER = "#FFFFFF"
OTHER = ("#009E73", "#CC79A7", "#56B4E9", "#E69F00")  # Okabe and Ito's, for what is neither loss nor accuracy

TRAINING = "-"
VALIDATION = (0, (4.0, 1.6))  # dashes that stay visible at the width of a single seed

DPI = 100
TEXT_SIZE = 10.0  # points; never below 9 at 100 dots per inch
TITLE_SIZE = 12.0
MEDIAN_WIDTH = 2.2
SEED_WIDTH = 0.8


def pale(colour: str, *, strength: float = 0.32) -> str:
    """Return the colour mixed with white: opaque, so that overlapping seeds need no blending and stay small as PNG.

    >>> pale("#000000", strength=0.5)
    '#808080'
    """
    red, green, blue = (strength * part + (1.0 - strength) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def as_sentence(title: str) -> str:
    """Return a title as a sentence, with the full stop that titles do without.

    >>> as_sentence("Two causes"), as_sentence("Which one?")
    ('Two causes.', 'Which one?')
    """
    return title if title.endswith(("?", "!", "…")) else f"{title.rstrip('.')}."


def styled_axes(
    axes: Axes, *, xlabel: str = "", ylabel: str = "", title: str = "", colour: str = INK, whole_x: bool = False
) -> Axes:
    """Give axes the look of the course and return them.

    Parameters
    ----------
    axes : matplotlib axes, changed in place.
    xlabel, ylabel : what is shown, with its unit, as in ``"loss (nats)"``.
    title : the finding, written flush left above the axes.
    colour : colour of the y label; give `LOSS` or `ACCURACY` where the axis shows one of them.
    whole_x : keep the ticks of the x axis at whole numbers (epochs, counts).
    """
    axes.set_facecolor(PAPER)
    axes.set_axisbelow(True)
    axes.grid(True, color=GRID, linewidth=0.8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(REFERENCE)
    axes.tick_params(colors=INK, labelsize=TEXT_SIZE, length=3)
    if xlabel:
        axes.set_xlabel(xlabel, fontsize=TEXT_SIZE, color=INK)
    if ylabel:
        axes.set_ylabel(ylabel, fontsize=TEXT_SIZE, color=colour)
    if title:
        axes.set_title(title, loc="left", fontsize=TITLE_SIZE, color=INK)
    if whole_x:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return axes


def reference_line(axes: Axes, height: float) -> Line2D:
    """Draw a grey dotted level such as chance and return the line; name it with `EndLabels`."""
    return axes.axhline(height, color=REFERENCE, linewidth=1.2, linestyle=":", zorder=1.5)


def spread(positions: Sequence[float], *, gap: float, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Return positions moved as little as possible so that neighbours lie at least `gap` apart within [low, high].

    The order is kept; the sum of squared moves is least (isotonic regression by pooling adjacent violators, Ayer et
    al. 1955). Positions that cannot all fit start at `low` and overrun `high`.

    >>> spread([0.5, 0.5], gap=0.5)
    [0.25, 0.75]
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    pools: list[tuple[float, int]] = []  # mean, size
    for rank, index in enumerate(order):
        mean, size = positions[index] - rank * gap, 1
        while pools and pools[-1][0] > mean:
            left, count = pools.pop()
            mean, size = (left * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    flat = [mean for mean, size in pools for _ in range(size)]
    ceiling = max(high - (len(positions) - 1) * gap, low)
    placed = [0.0] * len(positions)
    for rank, index in enumerate(order):
        placed[index] = min(max(flat[rank], low), ceiling) + rank * gap
    return placed


class EndLabels:
    """Names written at the right ends of lines, beside the axes, kept from overlapping as the lines move.

    Parameters
    ----------
    axes : where the lines are.
    names : one text for each line.
    colours : one colour for each line.
    """

    def __init__(self, axes: Axes, names: Sequence[str], colours: Sequence[str]) -> None:
        self.axes = axes
        self.texts = [
            axes.text(
                1.01,
                0.5,
                name,
                transform=axes.transAxes,
                color=colour,
                fontsize=TEXT_SIZE,
                va="center",
                animated=True,
            )
            for name, colour in zip(names, colours, strict=True)
        ]

    def place(self, heights: Sequence[float | None]) -> None:
        """Move each name to its line's last height in data units; None or a non-finite height hides it.

        What a logarithmic axis has no place for, 0 and less, is named at its lower end.
        """
        scale = self.axes.yaxis.get_transform()
        bottom, top = scale.transform(np.array(self.axes.get_ylim()))
        shown = [
            (text, (float(scale.transform(np.array([height]))[0]) - bottom) / (top - bottom))
            for text, height in zip(self.texts, heights, strict=True)
            if height is not None and np.isfinite(height)
        ]
        for text in self.texts:
            text.set_visible(False)
        figure = self.axes.get_figure(root=True)
        assert figure is not None  # axes outside a figure have no labels to place
        # The original position: asking for the active one marks the axes as changed, and all would be drawn again.
        pixels = self.axes.get_position(original=True).height * figure.get_figheight() * figure.dpi
        lines = max((text.get_text().count("\n") + 1 for text, _ in shown), default=1)
        gap = 1.35 * lines * TEXT_SIZE * figure.dpi / 72.0 / pixels
        places = spread([min(max(fraction, 0.0), 1.0) for _, fraction in shown], gap=gap)
        for (text, _), fraction in zip(shown, places, strict=True):
            text.set_y(fraction)
            text.set_visible(True)

"""Losses of a margin side by side, each over the step that it stands in for."""

from collections.abc import Sequence

import numpy as np

from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.style import (
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    as_sentence,
    styled_axes,
)
from lossacc_helpers.surrogates import SURROGATES, zero_one

_SPAN, _LOW, _TOP = 3.0, -1.4, 4.0
_COLUMNS = 3
_PULL = OTHER[0]


def surrogates_figure(names: Sequence[str], *, title: str) -> LabelledFigure:
    """Return a panel for each surrogate: its value over the margin, how hard it pulls, and the zero-one loss.

    Parameters
    ----------
    names : up to six of those in `surrogates.SURROGATES`.
    title : the finding.

    Raises `ValueError` for none, more than six, and a name that there is not.
    """
    if not 0 < len(names) <= 2 * _COLUMNS:
        raise ValueError(f"names must be one to {2 * _COLUMNS} surrogates; got {len(names)}")
    if strange := [name for name in names if name not in SURROGATES]:
        raise ValueError(f"there is no surrogate {strange[0]!r}; there are {', '.join(SURROGATES)}")
    chosen = [SURROGATES[name] for name in names]
    told = "; ".join(
        f"{one.name}: {'bounds the errors' if one.bounds_errors else 'no bound'}, "
        f"{'convex' if one.convex else 'not convex'}"
        for one in chosen
    )
    rows = -(-len(chosen) // _COLUMNS)
    height = 72 + 190 * rows
    figure = LabelledFigure(
        sentence=f"{as_sentence(title)} Loss and pull over the margin, a panel each. {told}.", width=840, height=height
    )
    margins = np.linspace(-_SPAN, _SPAN, 601)
    pixel = 1 / height
    for k, one in enumerate(chosen):
        row, column = divmod(k, _COLUMNS)
        box = (0.07 + 0.315 * column, 1 - (72 + 190 * row + 130) * pixel, 0.265, 130 * pixel)
        axes = styled_axes(figure.add_axes(box), ylabel="loss" if column == 0 else "", colour=INK)
        axes.set_xlim(-_SPAN, _SPAN)
        axes.set_ylim(_LOW, _TOP)
        axes.plot(margins, zero_one(margins), color=REFERENCE, linewidth=1.4, zorder=2)
        axes.plot(margins, -one.slope(margins), color=_PULL, linewidth=2.0, linestyle=":", zorder=3.5)
        axes.plot(
            margins, one.value(margins), color=LOSS if one.name == "log" else INK, linewidth=MEDIAN_WIDTH, zorder=3
        )
        axes.text(0.97, 0.95, one.name, transform=axes.transAxes, ha="right", va="top", fontsize=TEXT_SIZE, color=INK)
        if k + _COLUMNS >= len(chosen):
            axes.set_xlabel("margin", fontsize=TEXT_SIZE, color=INK)
        if column:
            axes.tick_params(labelleft=False)
    figure.text(0.012, 1 - 7 * pixel, title, fontsize=TITLE_SIZE, color=INK, va="top")
    key = "grey: zero-one loss; bold: the surrogate; dotted: its pull, below 0 towards a smaller margin"
    figure.text(0.99, 1 - 38 * pixel, key, fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", ha="right")
    return figure

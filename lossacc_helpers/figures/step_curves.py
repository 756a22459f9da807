"""Losses asked after every step, with what an epoch's end shows of them."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.figures.log_axis import log_loss_axis, on_axis, show_losses
from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.seeds import on_paper, seed_rows
from lossacc_helpers.figures.style import (
    GRID,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    PAPER,
    TITLE_SIZE,
    EndLabels,
    as_sentence,
    styled_axes,
)

_COLOURS = (LOSS, OTHER[1], OTHER[0])
_WIDTH, _HEIGHT = 840, 400
_LETTERS = 18  # of a name in a line beside the axes
_MOST_NUMBERS = 20  # of epochs below them


def step_figure(curves: Mapping[str, Any], *, steps_per_epoch: int, first_epoch: int = 1, title: str) -> LabelledFigure:
    """Validation losses of a network after every step, on an axis of equal factors, a square at every end of an epoch.

    Parameters
    ----------
    curves : up to three validation losses (step,) in nats, by name; the first is the one that an ordinary history would
        show, and has the squares. A line break in a name breaks its label.
    steps_per_epoch : how many steps an epoch has; the steps are whole epochs.
    first_epoch : the number of the first epoch shown.
    title : the finding.

    Raises
    ------
    ValueError
        For no curves or more than three, several networks, steps that are no whole number of epochs, and a first epoch
        below 1.
    """
    if not 1 <= len(curves) <= len(_COLOURS):
        raise ValueError(f"curves must be one to {len(_COLOURS)}; got {len(curves)}")
    losses = {name: seed_rows(values, f"the losses of {name!r}") for name, values in curves.items()}
    per_epoch = as_whole_number(steps_per_epoch, "steps_per_epoch", least=1)
    start = as_whole_number(first_epoch, "first_epoch", least=1)
    shapes = {rows.shape for rows in losses.values()}
    [(networks, steps), *others] = shapes
    if networks != 1 or others:
        raise ValueError(f"curves must be of one network and of the same steps; got shapes {sorted(shapes)}")
    if steps % per_epoch:
        raise ValueError(f"{steps} steps are no whole number of epochs of {per_epoch}")
    ends = np.arange(per_epoch, steps + 1, per_epoch)
    told = [
        f"{' '.join(name.split())} {_range(rows[0])}, at the ends of the epochs "
        f"{', '.join(f'{loss:.2f}' for loss in rows[0, ends - 1])}"
        for name, rows in losses.items()
    ]
    figure = LabelledFigure(
        sentence=f"{as_sentence(title)} Validation loss after each of {steps} steps. {'; '.join(told)}.",
        width=_WIDTH,
        height=_HEIGHT,
    )
    axes = styled_axes(
        figure.add_axes((0.085, 0.13, 0.72, 0.74)), xlabel="epoch", ylabel="validation loss (nats)", colour=LOSS
    )
    axes.grid(False, axis="x")
    log_loss_axis(axes)
    show_losses(axes, np.concatenate(list(losses.values())))
    axes.set_xlim(0, steps)
    for end in ends:
        axes.axvline(end, color=GRID, linewidth=1.5, zorder=1)
    numbers = start + np.arange(len(ends))
    every = next(step for step in (1, 2, 5, *(10**k for k in range(1, 19))) if len(ends) <= step * _MOST_NUMBERS)
    named = numbers % every == 0
    axes.set_xticks((ends - per_epoch / 2)[named], [str(number) for number in numbers[named]])
    axes.tick_params(axis="x", length=0)
    at = np.arange(1, steps + 1)
    ends_at = []
    for (name, rows), colour in zip(losses.items(), _COLOURS, strict=False):
        axes.plot(at, on_paper(rows[0]), color=colour, linewidth=MEDIAN_WIDTH - 0.4, zorder=3, label=name)
        # The last that has a place on the axis.
        ends_at.append(float(np.append(1.0, rows[0][np.isfinite(rows[0]) & (rows[0] > 0)])[-1]))
    EndLabels(axes, [_wrapped(name) for name in losses], _COLOURS[: len(losses)]).place(ends_at)
    first = next(iter(losses.values()))[0]
    squares = on_axis(axes, first[ends - 1])
    axes.plot(ends, squares, "s", color=LOSS, markerfacecolor=PAPER, markersize=7, zorder=4, clip_on=False)
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def _range(losses: NDArray[np.float64]) -> str:
    """Say between which numbers losses lie, and how many are none."""
    finite = losses[np.isfinite(losses)]
    if not len(finite):
        return "never finite"
    lost = len(losses) - len(finite)
    return f"{finite.min():.2f} to {finite.max():.2f}" + (f" ({lost} of {len(losses)} not finite)" if lost else "")


def _wrapped(name: str) -> str:
    return "\n".join(line for part in name.split("\n") for line in textwrap.wrap(part, _LETTERS) or [""])

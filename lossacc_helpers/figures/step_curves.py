"""Losses asked after every step, with what an epoch's end shows of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.figures.log_axis import log_loss_axis, show_losses
from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.seeds import on_paper, seed_rows
from lossacc_helpers.figures.style import (
    GRID,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    PAPER,
    TEXT_SIZE,
    TITLE_SIZE,
    as_sentence,
    spread,
    styled_axes,
)

_COLOURS = (LOSS, OTHER[1], OTHER[0])
_WIDTH, _HEIGHT = 840, 400


def step_figure(curves: Mapping[str, Any], *, steps_per_epoch: int, first_epoch: int = 1, title: str) -> LabelledFigure:
    """Losses of one network after every step, on an axis of equal factors, with a ring at every end of an epoch.

    Parameters
    ----------
    curves : up to three losses (step,) in nats, by name; the first is the one that an ordinary history would show, and
        has the rings. A line break in a name breaks its label.
    steps_per_epoch : how many steps an epoch has; the steps are whole epochs.
    first_epoch : the number of the first epoch shown.
    title : the finding.

    Raises
    ------
    ValueError
        For no curves or more than three, several networks, and steps that are no whole number of epochs.
    """
    if not 1 <= len(curves) <= len(_COLOURS):
        raise ValueError(f"curves must be one to {len(_COLOURS)}; got {len(curves)}")
    losses = {name: seed_rows(values, f"the losses of {name!r}") for name, values in curves.items()}
    per_epoch = as_whole_number(steps_per_epoch, "steps_per_epoch", least=1)
    shapes = {rows.shape for rows in losses.values()}
    [(networks, steps), *others] = shapes
    if networks != 1 or others:
        raise ValueError(f"curves must be of one network and of the same steps; got shapes {sorted(shapes)}")
    if steps % per_epoch:
        raise ValueError(f"{steps} steps are no whole number of epochs of {per_epoch}")
    ends = np.arange(per_epoch, steps + 1, per_epoch)
    told = [
        f"{' '.join(name.split())} {rows.min():.2f} to {rows.max():.2f}, at the ends of the epochs "
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
    numbers = first_epoch + np.arange(len(ends))
    axes.set_xticks(ends - per_epoch / 2, [str(number) for number in numbers])
    axes.tick_params(axis="x", length=0)
    at = np.arange(1, steps + 1)
    heights = []
    for (name, rows), colour in zip(losses.items(), _COLOURS, strict=False):
        axes.plot(at, on_paper(rows[0]), color=colour, linewidth=MEDIAN_WIDTH - 0.4, zorder=3, label=name)
        heights.append(float(axes.transAxes.inverted().transform(axes.transData.transform((steps, rows[0, -1])))[1]))
    first = next(iter(losses.values()))[0]
    axes.plot(ends, first[ends - 1], "o", color=LOSS, markerfacecolor=PAPER, markersize=7, zorder=4, clip_on=False)
    lines = max(name.count("\n") + 1 for name in losses)
    gap = lines * 1.4 * TEXT_SIZE * figure.dpi / 72 / (axes.get_position().height * _HEIGHT)
    places = spread([min(max(height, 0.0), 1.0) for height in heights], gap=gap)
    for name, colour, place in zip(losses, _COLOURS, places, strict=False):
        axes.text(1.02, place, name, transform=axes.transAxes, color=colour, fontsize=TEXT_SIZE, va="center")
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure

"""Candidate causes side by side: the training loss that each reports, and the validation accuracy that goes with it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.seeds import draw_seeds, epoch_limits, finite_limits, seed_median, seed_rows
from lossacc_helpers.figures.style import (
    ACCURACY,
    INK,
    LOSS,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    TRAINING,
    VALIDATION,
    as_sentence,
    reference_line,
    styled_axes,
)


def causes_figure(
    curves: Mapping[str, tuple[Any, Any]], *, title: str, chance: float | None = None, width: int = 840
) -> LabelledFigure:
    """Return one column for each cause: training loss above, validation accuracy below, a line a network, median bold.

    Parameters
    ----------
    curves : for each cause's name its training losses (network, epoch) in nats and validation accuracies (network,
        epoch). Losses share one axis; those that go below 0 have their own, which ends where they end. What is not
        finite leaves a gap, and a network that ends so is said to have diverged.
    title : the finding.
    chance : accuracy of guessing, a grey level.
    width : in pixels.

    Raises
    ------
    ValueError
        If there is nothing to compare, or if curves are no numbers with an epoch axis.
    """
    if not curves:
        raise ValueError("give the curves of at least one cause")
    rows = {
        name: tuple(seed_rows(values, f"the curves of {name!r}") for values in pair) for name, pair in curves.items()
    }
    medians = {name: tuple(seed_median(values) for values in pair) for name, pair in rows.items()}
    told = [
        f"{name}: loss {_value(loss[0], '.3g')} to {_value(loss[-1], '.3g')}, accuracy at most "
        f"{_value(accuracy.max(), '.2f')}, at the end {_value(accuracy[-1], '.2f')}"
        for name, (loss, accuracy) in medians.items()
    ]
    figure = LabelledFigure(
        sentence=f"{as_sentence(title)} Training loss and validation accuracy, medians: {'; '.join(told)}.",
        width=width,
        height=430,
    )
    panels = figure.subplots(2, len(rows), squeeze=False)
    figure.subplots_adjust(left=0.075, right=0.982, bottom=0.115, top=0.8, wspace=0.18, hspace=0.13)
    loss_top = 1.05 * _greatest([loss for loss, _ in rows.values() if not (loss < 0).any()])
    accuracy_top = 1.08 * _greatest([accuracy for _, accuracy in rows.values()])
    for column, (name, (loss, accuracy)) in enumerate(rows.items()):
        above, below = panels[:, column]
        first = column == 0
        styled_axes(above, ylabel="training loss (nats)" if first else "", colour=LOSS)
        styled_axes(below, xlabel="epoch", ylabel="validation accuracy" if first else "", colour=ACCURACY, whole_x=True)
        above.set_title(name.replace(" ", "\n", 1), loc="left", fontsize=TEXT_SIZE, color=INK)
        for axes, values, colour, style in ((above, loss, LOSS, TRAINING), (below, accuracy, ACCURACY, VALIDATION)):
            draw_seeds(axes, values, colour, style=style, seed_style=TRAINING)
            axes.set_xlim(*epoch_limits(values.shape[1]))
            axes.locator_params(axis="x", nbins=3)
            if not first:
                axes.tick_params(labelleft=False)
        above.tick_params(labelbottom=False)
        start, end = medians[name][0][[0, -1]]
        note = "" if np.isfinite(end) else "diverged"
        if (loss < 0).any():
            above.set_ylim(*finite_limits(loss))
            above.set_yticks([])
            note = f"from {_value(start, '.0e')}\nto {_value(end, '.0e')}".replace("e+0", "e").replace("e+", "e")
        else:
            above.set_ylim(0, loss_top)
        above.text(0.05, 0.06, note, transform=above.transAxes, fontsize=TEXT_SIZE - 1, color=LOSS)
        below.set_ylim(0, accuracy_top)
        if chance is not None:
            reference_line(below, chance)
            if first:
                below.text(
                    0.97,
                    chance / accuracy_top - 0.02,
                    f"chance {chance:.2f}",
                    transform=below.transAxes,
                    fontsize=TEXT_SIZE - 1,
                    color=REFERENCE,
                    ha="right",
                    va="top",
                )
    figure.align_ylabels(panels[:, 0])
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def _greatest(curves: Sequence[NDArray[np.float64]]) -> float:
    """Return the greatest finite value, or 1 where there is none above 0: an axis needs a height."""
    return max((float(values[np.isfinite(values)].max(initial=0.0)) for values in curves), default=0.0) or 1.0


def _value(value: float, form: str) -> str:
    return f"{value:{form}}" if np.isfinite(value) else "diverged"

"""Trainings side by side: ways of splitting the data, and loss against accuracy as correlations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.seeds import draw_seeds, seed_median, seed_rows
from lossacc_helpers.figures.style import (
    ACCURACY,
    INK,
    LOSS,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    TRAINING,
    VALIDATION,
    EndLabels,
    as_sentence,
    styled_axes,
)
from lossacc_helpers.history import PredictionHistory, TrainingRun

_COLUMNS = 3


def split_figure(runs: Mapping[str, TrainingRun], *, title: str) -> LabelledFigure:
    """Training and validation accuracy of many networks, one panel for each way of splitting.

    Parameters
    ----------
    runs : a `TrainingRun` with validation for each panel's name.
    title : the finding.
    """
    ends = [
        f"{name}: validation ends at {np.median(_validation_of(run).accuracy[..., -1]):.2f} (median)"
        for name, run in runs.items()
    ]
    figure = LabelledFigure(
        sentence=f"{as_sentence(title)} Accuracy over epochs of many networks; {'; '.join(ends)}.",
        width=840,
        height=370,
    )
    panels = figure.subplots(1, len(runs), sharey=True)
    figure.subplots_adjust(left=0.07, right=0.9, bottom=0.135, top=0.82, wspace=0.34)
    for axes, (name, run) in zip(np.atleast_1d(panels), runs.items(), strict=True):
        styled_axes(axes, xlabel="epoch", ylabel="accuracy", colour=ACCURACY, whole_x=True)
        axes.text(0, 1.03, name, transform=axes.transAxes, fontsize=TEXT_SIZE + 1, color=INK)
        axes.tick_params(labelleft=True)
        ends_at = []
        for history, dashes in ((run.train, TRAINING), (_validation_of(run), VALIDATION)):
            curves = seed_rows(history.accuracy)
            draw_seeds(axes, curves, ACCURACY, style=dashes)
            ends_at.append(float(seed_median(curves)[-1]))
        axes.set_xlim(1, run.epochs)
        axes.set_ylim(-0.03, 1.03)
        EndLabels(axes, ["training", "validation"], [ACCURACY, ACCURACY]).place(ends_at)
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    figure.text(0.99, 0.9, "bold: median", fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", ha="right")
    return figure


def _validation_of(run: TrainingRun) -> PredictionHistory:
    if run.validation is None:
        raise ValueError("this picture compares training with validation; the run has no validation history")
    return run.validation


def correlation_figure(
    pairs: Mapping[str, tuple[Any, Any]],
    *,
    changes: Sequence[str] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
    title: str,
) -> LabelledFigure:
    """Loss against accuracy as scatter plots, three in a row, each with its correlation coefficient.

    Parameters
    ----------
    pairs : for each panel's name its loss values and its accuracy values.
    changes : the names of those panels whose values are changes, so that their axes say so.
    ranges : for the names of some panels, from where to where the coefficient goes in other networks.
    title : the finding.
    """
    coefficients = {name: float(np.corrcoef(x, y)[0, 1]) for name, (x, y) in pairs.items()}
    spans = {name: f" ({low:+.2f} to {high:+.2f})" for name, (low, high) in (ranges or {}).items()}
    told = "; ".join(f"{name}: r = {r:+.2f}{spans.get(name, '')}" for name, r in coefficients.items())
    rows, columns = -(-len(pairs) // _COLUMNS), min(len(pairs), _COLUMNS)
    height = 90 + 260 * rows
    figure = LabelledFigure(sentence=f"{as_sentence(title)} {told}.", width=840, height=height)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    figure.subplots_adjust(
        left=0.08, right=0.985, bottom=53 / height, top=1 - 90 / height, wspace=0.42, hspace=0.5 + 0.1 * (rows > 1)
    )
    for axes in panels[len(pairs) :]:
        axes.remove()
    for axes, (name, (x, y)) in zip(panels, pairs.items(), strict=False):
        what = "change in " if name in changes else ""
        styled_axes(axes, xlabel=f"{what}loss (nats)", ylabel=f"{what}accuracy")
        axes.xaxis.label.set_color(LOSS)
        axes.yaxis.label.set_color(ACCURACY)
        axes.plot(x, y, "o", markersize=3.5, color=INK, alpha=0.45, markeredgewidth=0)
        axes.text(
            0,
            1.04,
            f"{name}\nr = {coefficients[name]:+.2f}{spans.get(name, '')}",
            transform=axes.transAxes,
            fontsize=TEXT_SIZE,
            color=INK,
        )
        axes.locator_params(nbins=5)
        axes.locator_params(axis="x", nbins=4)
    figure.text(0.012, 1 - 5 / height, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure

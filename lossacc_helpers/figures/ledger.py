"""Accuracy taken apart: which samples change sides when, and what one sample's probabilities do meanwhile."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.style import (
    ACCURACY,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    REFERENCE,
    SEED_WIDTH,
    TEXT_SIZE,
    TITLE_SIZE,
    EndLabels,
    pale,
    styled_axes,
)
from lossacc_helpers.history import PredictionHistory


def ledger_figure(history: PredictionHistory, *, title: str, sentence: str = "") -> LabelledFigure:
    """Loss, accuracy, and below them each sample that ever changed sides: a bar while it is wrong.

    Parameters
    ----------
    history : of one network, without replica axis.
    title : the finding.
    sentence : the description; by default made from the title.
    """
    _require_one_network(history)
    figure = LabelledFigure(
        sentence=sentence
        or f"{title.rstrip('.')}: loss, the staircase of accuracy, and the epochs in which each sample was wrong.",
        height=560,
    )
    epochs = np.arange(1, history.epochs + 1)
    grid = figure.add_gridspec(
        3, 1, left=0.085, right=0.98, bottom=0.09, top=0.91, hspace=0.12, height_ratios=(1, 1, 1.6)
    )
    loss_axes = styled_axes(figure.add_subplot(grid[0]), ylabel="loss (nats)", colour=LOSS)
    steps_axes = styled_axes(figure.add_subplot(grid[1], sharex=loss_axes), ylabel="accuracy", colour=ACCURACY)
    samples_axes = styled_axes(
        figure.add_subplot(grid[2], sharex=loss_axes), xlabel="epoch", ylabel="sample (wrong while dark)", whole_x=True
    )
    loss_axes.plot(epochs, history.loss, color=LOSS, linewidth=MEDIAN_WIDTH)
    loss_axes.set_ylim(0, None)
    steps_axes.step(epochs, history.accuracy, where="post", color=ACCURACY, linewidth=MEDIAN_WIDTH - 0.6)
    wrong = ~history.correct
    moved = np.flatnonzero(wrong.any(axis=0) & ~wrong.all(axis=0))
    # The sample that stays right from the earliest epoch on is lowest, so the dark ends repeat the staircase.
    last_wrong = np.array([np.flatnonzero(wrong[:, sample])[-1] for sample in moved])
    order = moved[np.argsort(last_wrong, kind="stable")]
    for height, sample in enumerate(order):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], wrong[:, sample].astype(int), [0]])))
        for start, stop in edges.reshape(-1, 2):
            samples_axes.plot([start + 1, stop + 1], [height, height], color=INK, linewidth=1.6, solid_capstyle="butt")
    samples_axes.set_ylim(-1.5, len(order) + 0.5)
    samples_axes.set_yticks([])
    samples_axes.grid(False, axis="y")
    loss_axes.set_xlim(1, history.epochs)
    for axes in (loss_axes, steps_axes):
        axes.tick_params(labelbottom=False)
    figure.align_ylabels([loss_axes, steps_axes, samples_axes])
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def sample_figure(history: PredictionHistory, sample: int, *, class_names: Sequence[str], title: str) -> LabelledFigure:
    """One sample's probabilities and its loss over the epochs, the first epoch in which it is right marked.

    Its own class is drawn in ink, the four others that ever get the most probability each in a colour, the rest in grey
    and without a name.

    Parameters
    ----------
    history : of one network, without replica axis, in full form.
    sample : which one, from 0.
    class_names : in the order of the classes.
    title : the finding.

    Raises
    ------
    ValueError
        For a history of several networks or in compact form, a sample that is not there, and more or fewer names than
        classes.
    """
    _require_one_network(history)
    if not 0 <= sample < history.samples:
        raise ValueError(f"sample must lie in 0..{history.samples - 1}; got {sample}")
    if len(class_names) != history.classes:
        raise ValueError(f"class_names must name each of the {history.classes} classes; got {len(class_names)} names")
    label = int(history.labels[sample])
    probabilities = history.probabilities[:, sample]
    losses, right = history.sample_losses[:, sample], history.correct[:, sample]
    colours = _class_colours(probabilities, label)
    epochs = np.arange(1, history.epochs + 1)
    figure = LabelledFigure(
        sentence=(
            f"{title.rstrip('.')}: the probabilities of the {len(class_names)} classes for one {class_names[label]} "
            f"over the epochs, and its loss below, from {losses[0]:.2f} in the first to {losses[-1]:.2f} in the last."
        ),
        height=430,
    )
    grid = figure.add_gridspec(2, 1, left=0.085, right=0.87, bottom=0.12, top=0.89, hspace=0.14)
    top = styled_axes(figure.add_subplot(grid[0]), ylabel="probability")
    below = styled_axes(
        figure.add_subplot(grid[1], sharex=top), xlabel="epoch", ylabel="its loss (nats)", colour=LOSS, whole_x=True
    )
    for k in range(history.classes):
        width = MEDIAN_WIDTH if k == label else 1.4 if k in colours else SEED_WIDTH
        top.plot(epochs, probabilities[:, k], color=colours.get(k, pale(REFERENCE)), linewidth=width)
    top.set_ylim(0, 1)
    EndLabels(top, [class_names[k] for k in colours], list(colours.values())).place(list(probabilities[-1, [*colours]]))
    below.plot(epochs, losses, color=LOSS, linewidth=MEDIAN_WIDTH)
    below.set_ylim(0, None)
    if right.any() and not right.all():
        first = int(np.flatnonzero(right)[0]) + 1
        for axes in (top, below):
            axes.axvline(first, color=REFERENCE, linewidth=1.2, linestyle=":")
        below.annotate(
            f"right from epoch {first}" if right[first - 1 :].all() else f"first right in epoch {first}",
            (first, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-6 if first > history.epochs / 2 else 6, -6),
            textcoords="offset points",
            ha="right" if first > history.epochs / 2 else "left",
            va="top",
            fontsize=TEXT_SIZE,
            color=INK,
        )
    top.set_xlim(1, history.epochs)
    top.tick_params(labelbottom=False)
    figure.align_ylabels([top, below])
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def _class_colours(probabilities: NDArray[np.float64], label: int) -> dict[int, str]:
    """Return the colours of the classes worth a name, in their order: the label, and the most probable others.

    `probabilities` has shape (epoch, class).
    """
    strongest = [int(k) for k in np.argsort(-probabilities.max(axis=0), kind="stable") if k != label][: len(OTHER)]
    shades = iter((OTHER[3], OTHER[1], OTHER[0], OTHER[2]))
    return {k: INK if k == label else next(shades) for k in sorted([label, *strongest])}


def _require_one_network(history: PredictionHistory) -> None:
    if history.leading_shape:
        raise ValueError(
            f"this picture shows one network; the history has a replica axis (for {history.replicas}): "
            "take one of them, history.replica(0)"
        )

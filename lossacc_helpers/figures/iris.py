"""The pictures of lesson 02: many networks on the irises, and each flower by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from lossacc_helpers.figures.curves import LossAndAccuracyPanels
from lossacc_helpers.figures.picture import LabelledFigure, Picture
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
    TRAINING,
    VALIDATION,
    EndLabels,
    pale,
    styled_axes,
)
from lossacc_helpers.history import PredictionHistory, TrainingRun

_GOLDEN = (5**0.5 - 1) / 2  # multiples of it, modulo 1, spread dots evenly without looking like a grid
_SIDES = (-0.2, 0.24)  # training flowers left, validation flowers right of each species' place


def networks_picture(class_names: Sequence[str]) -> Picture:
    """Curves of many networks on the left, every flower of one of them on the right.

    The state is ``run`` (a `TrainingRun` with a replica axis) and ``epoch`` (from 1).
    """
    figure = LabelledFigure(
        sentence=(
            "Left: loss and accuracy of many networks over epochs. Right: for the first network, one dot per flower at "
            "the height of its true-class probability, by species, training flowers left and validation flowers right."
        ),
        width=840,
        height=460,
    )
    panels = LossAndAccuracyPanels(figure, left=0.078, right=0.455, bottom=0.12, top=0.93, loss_limit=1.6)
    now = [
        axes.axvline(1, color=INK, linewidth=1, zorder=2.5, animated=True, clip_on=False)
        for axes in (panels.loss_axes, panels.accuracy_axes)
    ]
    dots = _FlowerDots(figure.add_axes((0.632, 0.12, 0.36, 0.73)), class_names)

    def move(*, run: TrainingRun, epoch: int) -> str:
        panels.show(run)
        for line in now:
            line.set_xdata([epoch, epoch])
        dots.show(run.replica(0), epoch)
        return _networks_readout(run, epoch)

    return Picture(figure, move)


class _FlowerDots:
    """One dot per flower at the height of its true-class probability: right ones filled, wrong ones crossed."""

    def __init__(self, axes: Axes, class_names: Sequence[str]) -> None:
        self._axes = styled_axes(axes, ylabel="probability of the true class")
        axes.set_xlim(-0.55, len(class_names) - 0.45)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xticks(range(len(class_names)), class_names)
        axes.grid(False, axis="x")
        # Between 1/3 and 1/2 the rivals decide; below nobody is right, above nobody is wrong.
        axes.axhspan(1 / len(class_names), 0.5, color="#EEEEEE", zorder=0)
        axes.text(-0.53, 5 / 12, "either way", color=REFERENCE, fontsize=TEXT_SIZE - 1, va="center", rotation=90)
        for place in range(len(class_names)):
            axes.axvline(place + sum(_SIDES) / 2, color="#E6E6E6", linewidth=0.8, zorder=0.5)
        for x, text, colour in ((0, "● right", OTHER[0]), (0.2, "✕ wrong", INK)):
            axes.text(x, 1.11, text, transform=axes.transAxes, fontsize=TEXT_SIZE, color=colour)
        axes.text(
            0,
            1.04,
            "in each column: training left, validation right",
            transform=axes.transAxes,
            fontsize=TEXT_SIZE - 1,
            color=REFERENCE,
        )
        style: dict[str, Any] = {"linestyle": "", "animated": True, "zorder": 3}
        [self._right] = axes.plot([], [], marker="o", markersize=4, color=OTHER[0], markeredgewidth=0, **style)
        [self._wrong] = axes.plot([], [], marker="x", markersize=6, color=INK, markeredgewidth=1.4, **style)

    def show(self, run: TrainingRun, epoch: int) -> None:
        """Place the dots of a run without replica axis at an epoch counted from 1."""
        points = []
        for side, history in zip(_SIDES, (run.train, run.validation), strict=True):
            if history is None:
                continue
            jitter = 0.3 * (np.arange(history.samples) * _GOLDEN % 1 - 0.5)
            heights = np.exp(-history.sample_losses[epoch - 1].astype(np.float64))
            points.append(np.stack([history.labels + side + jitter, heights, history.correct[epoch - 1]]))
        x, y, right = np.concatenate(points, axis=1)
        self._right.set_data(x[right == 1], y[right == 1])
        self._wrong.set_data(x[right == 0], y[right == 0])


def _networks_readout(run: TrainingRun, epoch: int) -> str:
    loss, accuracy = (np.median(values[..., epoch - 1]) for values in (run.train.loss, run.train.accuracy))
    text = f"Epoch {epoch}, median of {run.replicas} networks: training loss {loss:.2f}, accuracy {accuracy:.2f}; "
    if run.validation is not None:
        loss, accuracy = (np.median(v[..., epoch - 1]) for v in (run.validation.loss, run.validation.accuracy))
        text += f"validation {loss:.2f} and {accuracy:.2f}. "
    if run.epochs > 1:
        fell = (np.diff(run.train.loss) < 0).mean()
        flat = (np.diff(run.train.accuracy) == 0).mean()
        text += f"Over all epochs training loss fell in {fell:.0%} of the steps and accuracy was flat in {flat:.0%}. "
    wrong = [
        f"{int((~history.correct[0, epoch - 1]).sum())} of {history.samples} {name} flowers"
        for name, history in (("training", run.train), ("validation", run.validation))
        if history is not None
    ]
    return text + f"In the network on the right {' and '.join(wrong)} are wrong."


def ledger_figure(history: PredictionHistory, *, title: str, sentence: str = "") -> LabelledFigure:
    """Loss, accuracy, and below them each flower that ever changed sides: a bar while it is wrong.

    Parameters
    ----------
    history : of one network, without replica axis.
    title : the finding.
    sentence : the description; by default made from the title.
    """
    figure = LabelledFigure(
        sentence=sentence
        or f"{title.rstrip('.')}: loss, the staircase of accuracy, and the epochs in which each flower was wrong.",
        height=560,
    )
    epochs = np.arange(1, history.epochs + 1)
    grid = figure.add_gridspec(
        3, 1, left=0.085, right=0.98, bottom=0.09, top=0.91, hspace=0.12, height_ratios=(1, 1, 1.6)
    )
    loss_axes = styled_axes(figure.add_subplot(grid[0]), ylabel="loss (nats)", colour=LOSS)
    steps_axes = styled_axes(figure.add_subplot(grid[1], sharex=loss_axes), ylabel="accuracy", colour=ACCURACY)
    flowers_axes = styled_axes(
        figure.add_subplot(grid[2], sharex=loss_axes), xlabel="epoch", ylabel="flower (wrong while dark)", whole_x=True
    )
    loss_axes.plot(epochs, history.loss, color=LOSS, linewidth=MEDIAN_WIDTH)
    loss_axes.set_ylim(0, None)
    steps_axes.step(epochs, history.accuracy, where="post", color=ACCURACY, linewidth=MEDIAN_WIDTH - 0.6)
    wrong = ~history.correct
    moved = np.flatnonzero(wrong.any(axis=0) & ~wrong.all(axis=0))
    # The flower that stays right from the earliest epoch on is lowest, so the dark ends repeat the staircase.
    last_wrong = np.array([np.flatnonzero(wrong[:, flower])[-1] for flower in moved])
    order = moved[np.argsort(last_wrong, kind="stable")]
    for height, flower in enumerate(order):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], wrong[:, flower].astype(int), [0]])))
        for start, stop in edges.reshape(-1, 2):
            flowers_axes.plot([start + 1, stop + 1], [height, height], color=INK, linewidth=1.6, solid_capstyle="butt")
    flowers_axes.set_ylim(-1.5, len(order) + 0.5)
    flowers_axes.set_yticks([])
    flowers_axes.grid(False, axis="y")
    loss_axes.set_xlim(1, history.epochs)
    for axes in (loss_axes, steps_axes):
        axes.tick_params(labelbottom=False)
    figure.align_ylabels([loss_axes, steps_axes, flowers_axes])
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def flower_figure(history: PredictionHistory, flower: int, *, class_names: Sequence[str], title: str) -> LabelledFigure:
    """One flower's probabilities and its loss over the epochs, the first epoch in which it is right marked.

    Parameters
    ----------
    history : of one network, without replica axis, in full form.
    flower : which sample.
    class_names : in the order of the classes.
    title : the finding.
    """
    label = int(history.labels[flower])
    probabilities = np.asarray(history.probabilities[:, flower])
    losses, right = history.sample_losses[:, flower], history.correct[:, flower]
    epochs = np.arange(1, history.epochs + 1)
    figure = LabelledFigure(
        sentence=(
            f"{title.rstrip('.')}: the probabilities of the {len(class_names)} species for one {class_names[label]} "
            f"over the epochs, and its loss below, which falls from {losses[0]:.2f} to {losses[-1]:.2f}."
        ),
        height=430,
    )
    grid = figure.add_gridspec(2, 1, left=0.085, right=0.87, bottom=0.12, top=0.89, hspace=0.14)
    top = styled_axes(figure.add_subplot(grid[0]), ylabel="probability")
    below = styled_axes(
        figure.add_subplot(grid[1], sharex=top), xlabel="epoch", ylabel="its loss (nats)", colour=LOSS, whole_x=True
    )
    colours = [INK if k == label else shade for k, shade in enumerate((OTHER[3], OTHER[1], OTHER[0]))]
    for k in range(len(class_names)):
        top.plot(epochs, probabilities[:, k], color=colours[k], linewidth=MEDIAN_WIDTH if k == label else 1.4)
    top.set_ylim(0, 1)
    EndLabels(top, class_names, colours).place(list(probabilities[-1]))
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


def split_figure(runs: Mapping[str, TrainingRun], *, title: str) -> LabelledFigure:
    """Training and validation accuracy of many networks, one panel for each way of splitting.

    Parameters
    ----------
    runs : a `TrainingRun` with validation for each panel's name.
    title : the finding.
    """
    ends = [
        f"{name}: validation ends at {np.median(_validation(run).accuracy[..., -1]):.2f} (median)"
        for name, run in runs.items()
    ]
    figure = LabelledFigure(
        sentence=f"{title.rstrip('.')}. Accuracy over epochs of many networks; {'; '.join(ends)}.",
        width=840,
        height=370,
    )
    panels = figure.subplots(1, len(runs), sharey=True)
    figure.subplots_adjust(left=0.07, right=0.9, bottom=0.135, top=0.82, wspace=0.34)
    for axes, (name, run) in zip(np.atleast_1d(panels), runs.items(), strict=True):
        styled_axes(axes, xlabel="epoch", ylabel="accuracy", colour=ACCURACY, whole_x=True)
        axes.text(0, 1.03, name, transform=axes.transAxes, fontsize=TEXT_SIZE + 1, color=INK)
        axes.tick_params(labelleft=True)
        epochs = np.arange(1, run.epochs + 1)
        ends_at = []
        for history, dashes in ((run.train, TRAINING), (_validation(run), VALIDATION)):
            curves = history.accuracy.reshape(-1, run.epochs)
            _thin_lines(axes, epochs, curves, dashes)
            middle = np.median(curves, axis=0)
            axes.plot(epochs, middle, color=ACCURACY, linewidth=MEDIAN_WIDTH, linestyle=dashes, zorder=3)
            ends_at.append(float(middle[-1]))
        axes.set_xlim(1, run.epochs)
        axes.set_ylim(-0.03, 1.03)
        EndLabels(axes, ["training", "validation"], [ACCURACY, ACCURACY]).place(ends_at)
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    figure.text(0.99, 0.9, "bold: median", fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", ha="right")
    return figure


def _validation(run: TrainingRun) -> PredictionHistory:
    if run.validation is None:
        raise ValueError("this picture compares training with validation; the run has no validation history")
    return run.validation


def _thin_lines(axes: Axes, epochs: NDArray[np.int_], curves: NDArray[np.float64], style: Any) -> None:
    segments = [np.column_stack([epochs, curve]) for curve in curves]
    axes.add_collection(
        LineCollection(segments, colors=pale(ACCURACY), linewidths=SEED_WIDTH, linestyles=[style], zorder=2)
    )


def correlation_figure(
    pairs: Mapping[str, tuple[Any, Any]], *, changes: Sequence[str] = (), title: str
) -> LabelledFigure:
    """Loss against accuracy as scatter plots side by side, each with its correlation coefficient.

    Parameters
    ----------
    pairs : for each panel's name its loss values and its accuracy values.
    changes : the names of those panels whose values are changes, so that their axes say so.
    title : the finding.
    """
    coefficients = {name: float(np.corrcoef(x, y)[0, 1]) for name, (x, y) in pairs.items()}
    told = "; ".join(f"{name}: r = {r:.2f}" for name, r in coefficients.items())
    figure = LabelledFigure(sentence=f"{title.rstrip('.')}. {told}.", width=840, height=350)
    panels = np.atleast_1d(figure.subplots(1, len(pairs)))
    figure.subplots_adjust(left=0.08, right=0.985, bottom=0.15, top=0.74, wspace=0.42)
    for axes, (name, (x, y)) in zip(panels, pairs.items(), strict=True):
        what = "change in " if name in changes else ""
        styled_axes(axes, xlabel=f"{what}loss (nats)", ylabel=f"{what}accuracy")
        axes.xaxis.label.set_color(LOSS)
        axes.yaxis.label.set_color(ACCURACY)
        axes.plot(x, y, "o", markersize=3.5, color=INK, alpha=0.45, markeredgewidth=0)
        axes.text(
            0, 1.04, f"{name}\nr = {coefficients[name]:+.2f}", transform=axes.transAxes, fontsize=TEXT_SIZE, color=INK
        )
        axes.locator_params(nbins=5)
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure

"""The picture of lesson 02's explorer: many networks on the irises, and every flower of one of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from lossacc_helpers.figures.curves import LossAndAccuracyPanels
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.style import INK, OTHER, REFERENCE, TEXT_SIZE, styled_axes
from lossacc_helpers.history import TrainingRun

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
        # Between one in as many as there are classes and 1/2 the rivals decide; below nobody is right, above nobody is
        # wrong. Of two classes there is one rival, and no such band.
        if (least := 1 / len(class_names)) < 0.5:
            axes.axhspan(least, 0.5, color="#EEEEEE", zorder=0)
            axes.text(
                -0.53,
                (least + 0.5) / 2,
                "either way",
                color=REFERENCE,
                fontsize=TEXT_SIZE - 1,
                va="center",
                rotation=90,
            )
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

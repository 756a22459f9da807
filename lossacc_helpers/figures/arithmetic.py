"""Pictures of what single probabilities cost: one sample's scores, and ten samples with what they add up to."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers.attainable import attainable_accuracy
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.region import AttainableRegion
from lossacc_helpers.figures.style import (
    ACCURACY,
    GRID,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    styled_axes,
)
from lossacc_helpers.scores import binary_log_loss

_COST_LIMIT = 5.0  # nats; a longer bar is cut and its number says how long it is


def scores_of_one_sample(probabilities: Sequence[float], *, title: str) -> LabelledFigure:
    """Return loss and accuracy of one sample against the probability of its class, with these values marked.

    The accuracy is that of two classes: 0 up to one half, 1 past it. Raises `ValueError` for values outside (0, 1].
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if not ((values > 0) & (values <= 1)).all():
        raise ValueError(f"probabilities to mark must lie in (0, 1]; got {probabilities}")
    costs, right = -np.log(values), (values > 0.5).astype(float)
    marked = "; ".join(
        f"p = {p:g} costs {c:.3f} nats, accuracy {a:.0f}" for p, c, a in zip(values, costs, right, strict=True)
    )
    figure = LabelledFigure(
        sentence=f"{title.rstrip('.')}: a curve of loss above a step of accuracy, over the probability p of the true "
        f"class. {marked}.",
        height=440,
    )
    grid = figure.add_gridspec(2, 1, left=0.075, right=0.98, bottom=0.115, top=0.9, hspace=0.14, height_ratios=(3, 2))
    above = styled_axes(figure.add_subplot(grid[0]), ylabel="loss (nats)", colour=LOSS)
    below = styled_axes(
        figure.add_subplot(grid[1], sharex=above),
        xlabel="p, the probability of the true class",
        ylabel="accuracy",
        colour=ACCURACY,
    )
    above.tick_params(labelbottom=False)
    figure.align_ylabels([above, below])
    curve = np.geomspace(0.02, 1, 300)
    above.plot(curve, -np.log(curve), color=LOSS, linewidth=MEDIAN_WIDTH)
    above.set(xlim=(0, 1.02), ylim=(0, 3.4))
    for start, end, height in ((0, 0.5, 0), (0.5, 1, 1)):
        below.plot([start, end], [height, height], color=ACCURACY, linewidth=MEDIAN_WIDTH)
    below.set(ylim=(-0.15, 1.3), yticks=[0, 1])
    for axes in (above, below):
        axes.axvline(0.5, color=REFERENCE, linewidth=1.2, linestyle=":")
    below.text(0.492, 1.22, "threshold 0.5", color=REFERENCE, fontsize=TEXT_SIZE, ha="right", va="top")
    above.plot(values, costs, "o", color=LOSS, markersize=8)
    below.plot(values, right, "o", color=ACCURACY, markersize=8)
    for p, cost in zip(values, costs, strict=True):
        # Left below the falling curve and right above it there is room, and the threshold keeps the two apart.
        below_left = p <= 0.5
        above.annotate(
            f"{cost:.3f}",
            (p, cost),
            (-6, -4) if below_left else (6, 4),
            textcoords="offset points",
            color=INK,
            fontsize=TEXT_SIZE,
            ha="right" if below_left else "left",
            va="top" if below_left else "bottom",
        )
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def ten_samples_picture(labels: ArrayLike, names: Sequence[str]) -> Picture:
    """Return a picture of what a model believes of two-class samples, what each costs, and what they add up to.

    Its state is ``probabilities`` (sample,), those of class 1; ``threshold``, past which class 1 is named; and
    ``clip``, as in `log_loss`. The accuracy follows the threshold; the bounds are those of the threshold 0.5.

    Parameters
    ----------
    labels : (sample,)
        Zeros and ones.
    names : one for each sample, in rows from the top.
    """
    truths = np.asarray(labels)
    figure = LabelledFigure(
        sentence="Samples in rows: at the left what the model believes of each, in the middle what each costs; at the "
        "right the loss and accuracy they add up to, in the region that predictions can reach.",
        height=450,
    )
    beliefs = _Beliefs(figure.add_axes((0.108, 0.125, 0.31, 0.69)), truths, names)
    costs = _Costs(figure.add_axes((0.443, 0.125, 0.175, 0.69)), truths)
    region_axes = figure.add_axes((0.705, 0.125, 0.28, 0.69))
    region = AttainableRegion(region_axes, loss_limit=2.5, geometric_mean=True)
    [point] = region_axes.plot([], [], "o", color=INK, markersize=11, zorder=5, clip_on=False, animated=True)
    [beyond] = region_axes.plot([], [], ">", color=INK, markersize=11, zorder=5, clip_on=False, animated=True)
    where = region_axes.text(0, 0, "", fontsize=TEXT_SIZE, color=LOSS, ha="right", va="center", zorder=6, animated=True)
    for axes, title in (
        (beliefs.axes, "What the model believes"),
        (costs.axes, "What each costs"),
        (region_axes, "What the loss permits"),
    ):
        axes.set_title(title, loc="left", fontsize=TITLE_SIZE - 1, color=INK, pad=8)
    headline = [
        figure.text(x, 0.975, "", fontsize=TITLE_SIZE + 2, color=colour, va="top", animated=True)
        for x, colour in ((0.012, ACCURACY), (0.455, LOSS))
    ]

    def move(*, probabilities: ArrayLike, threshold: float = 0.5, clip: float | None = None) -> str:
        ones = np.asarray(probabilities, dtype=np.float64)
        right = (ones > threshold) == (truths == 1)
        each = np.asarray(binary_log_loss(truths[:, None], ones[:, None], clip=clip))
        loss, accuracy = float(each.mean()), float(right.mean())
        beliefs.show(ones, right, threshold)
        costs.show(each)
        region.show(classes=2, clip=clip)
        inside = loss <= region.loss_limit
        point.set_data([loss] if inside else [], [accuracy] if inside else [])
        beyond.set_data([] if inside else [region.loss_limit], [] if inside else [accuracy])
        where.set_text("" if inside else "loss ∞" if math.isinf(loss) else f"loss {loss:.2f}")
        where.set_position((0.95 * region.loss_limit, accuracy))
        headline[0].set_text(f"accuracy {right.sum()} of {len(truths)} = {accuracy:.2f}")
        headline[1].set_text("loss infinite" if math.isinf(loss) else f"loss {loss:.3f} nats")
        return _readout(loss, right, threshold, clip)

    return Picture(figure, move)


def _readout(loss: float, right: NDArray[np.bool_], threshold: float, clip: float | None) -> str:
    """Return what ten samples add up to, in words."""
    samples = len(right)
    least, greatest = attainable_accuracy(loss, classes=2, clip=clip, samples=samples)
    told = "infinite" if math.isinf(loss) else f"{loss:.3f} nats"
    readout = (
        f"Accuracy {right.mean():.2f} ({right.sum()} of {samples} right), loss {told}, "
        f"exp(−loss) {math.exp(-loss):.3f}. "
        f"On {samples} samples this loss permits accuracies from {least:.2f} to {greatest:.2f}"
    )
    if math.isclose(threshold, 0.5):
        return f"{readout}."
    # There a wrong sample's true class has a probability of up to the threshold, or of up to its complement.
    cheapest = -math.log(max(threshold, 1 - threshold))
    least_here = max(0.0, 1 - math.floor(min(loss, cheapest) * samples / cheapest + 1e-9) / samples)
    below = " This point lies below what 0.50 permits." if right.mean() < least - 1e-9 else ""
    return (
        f"{readout} at the threshold 0.50. At {threshold:.2f} a wrong sample may cost as little as "
        f"{cheapest:.2f} nats, and accuracies down to {least_here:.2f} are possible.{below}"
    )


class _Beliefs:
    """Rows of dots at the probability of class 1, with the side where a dot is wrong in grey."""

    def __init__(self, axes: Axes, truths: NDArray[Any], names: Sequence[str]) -> None:
        self.axes = styled_axes(axes, xlabel="probability of a horse")
        self._rows = _rows(truths)
        self._truths = truths
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.7, len(truths) - 0.3), yticks=self._rows, xticks=[0, 0.25, 0.5, 0.75, 1])
        axes.set_yticklabels(names)
        axes.tick_params(axis="y", length=0)
        self._wrong_side = PolyCollection([], facecolors=GRID, linewidths=0, zorder=1, animated=True)
        axes.add_collection(self._wrong_side, autolim=False)
        dots: dict[str, Any] = {"color": ACCURACY, "zorder": 4, "clip_on": False, "linestyle": ""}
        wrong = {**dots, "marker": "X", "markerfacecolor": "white", "markeredgewidth": 1.6}
        [self._right] = axes.plot([], [], marker="o", markersize=9, animated=True, **dots)
        [self._wrong] = axes.plot([], [], markersize=9, animated=True, **wrong)
        [self._line] = axes.plot([], [], color=INK, linewidth=1.4, zorder=3, animated=True)
        # The key stands above, right of where the longest headline ends.
        corner = axes.figure.transFigure
        for x, name, look in ((0.313, "right", {**dots, "marker": "o"}), (0.38, "wrong", wrong)):
            axes.plot([x], [0.953], markersize=7, transform=corner, **look)
            axes.text(x + 0.012, 0.953, name, transform=corner, fontsize=TEXT_SIZE - 1, color=INK, va="center")

    def show(self, ones: NDArray[np.float64], right: NDArray[np.bool_], threshold: float) -> None:
        left = np.where(self._truths == 1, -0.02, threshold)
        width = np.where(self._truths == 1, threshold + 0.02, 1.02 - threshold)
        self._wrong_side.set_verts(_boxes(left, width, self._rows, 1.0))
        self._right.set_data(ones[right], self._rows[right])
        self._wrong.set_data(ones[~right], self._rows[~right])
        self._line.set_data([threshold, threshold], [-0.7, len(ones) - 0.3])


class _Costs:
    """Rows of bars as long as each sample's loss; the first bar and those that are cut have their number beside."""

    def __init__(self, axes: Axes, truths: NDArray[Any]) -> None:
        self.axes = styled_axes(axes, xlabel="loss (nats)")
        axes.xaxis.label.set_color(LOSS)
        self._rows = _rows(truths)
        axes.set(xlim=(0, 1.32 * _COST_LIMIT), ylim=(-0.7, len(truths) - 0.3), yticks=[], xticks=[0, 1, 2, 3, 4, 5])
        self._bars = PolyCollection([], facecolors=LOSS, linewidths=0, zorder=2, animated=True)
        axes.add_collection(self._bars, autolim=False)
        # Text is the slow part of a moving picture: ten numbers would double its time.
        self._numbers = [
            axes.text(0, row, "", fontsize=TEXT_SIZE - 1, color=INK, va="center", animated=True) for row in self._rows
        ]

    def show(self, costs: NDArray[np.float64]) -> None:
        lengths = np.minimum(costs, _COST_LIMIT)
        self._bars.set_verts(_boxes(np.zeros_like(lengths), lengths, self._rows, 0.66))
        for index, (number, cost, length) in enumerate(zip(self._numbers, costs, lengths, strict=True)):
            number.set_visible(index == 0 or bool(cost > _COST_LIMIT))
            number.set_x(length + 0.12)
            text = "∞" if math.isinf(cost) else f"{cost:.2f}" if cost < 10 else f"{cost:.1f}"
            number.set_text(f"→ {text}" if cost > _COST_LIMIT else text)  # the arrow: the bar goes on


def _rows(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Return the height of each sample's row, the first on top."""
    return np.arange(len(samples) - 1.0, -1.0, -1.0)


def _boxes(
    left: NDArray[np.float64], width: NDArray[np.float64], middle: NDArray[np.float64], height: float
) -> list[NDArray[np.float64]]:
    """Return the corners of boxes, one in each row."""
    right, low, high = left + width, middle - height / 2, middle + height / 2
    return list(np.stack([[left, low], [right, low], [right, high], [left, high]]).transpose(2, 0, 1))

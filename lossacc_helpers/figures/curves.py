"""Loss above, accuracy below, over the same epochs: the picture of the question itself."""

from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.seeds import on_paper, seed_median, seed_rows
from lossacc_helpers.figures.style import (
    ACCURACY,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    REFERENCE,
    SEED_WIDTH,
    TEXT_SIZE,
    TITLE_SIZE,
    TRAINING,
    VALIDATION,
    EndLabels,
    pale,
    reference_line,
    styled_axes,
)


class Curves(Protocol):
    """Whatever has a loss and an accuracy of shape (..., epoch): a `PredictionHistory`, for one."""

    @property
    def loss(self) -> Any:
        """Mean loss in nats, shape (..., epoch)."""

    @property
    def accuracy(self) -> Any:
        """Share of samples answered correctly, shape (..., epoch)."""


class _SeedLines:
    """Thin pale lines for the seeds and one bold line for their median."""

    def __init__(self, axes: Axes, colour: str, style: Any, *, steps: bool) -> None:
        self._steps = steps
        self.seeds = LineCollection(
            [], colors=pale(colour), linewidths=SEED_WIDTH, linestyles=[style], zorder=2, animated=True
        )
        axes.add_collection(self.seeds, autolim=False)
        [self.median] = axes.plot(
            [], [], color=colour, linewidth=MEDIAN_WIDTH, linestyle=style, zorder=3, animated=True
        )

    def show(self, rows: NDArray[np.float64] | None) -> float | None:
        """Draw the rows and return the last height of the median; None draws nothing."""
        if rows is None:
            self.seeds.set_segments([])
            self.median.set_data([], [])
            return None
        epochs = np.arange(1.0, rows.shape[1] + 1.0)
        many = rows if len(rows) > 1 else rows[:0]
        self.seeds.set_segments(list(np.stack(np.broadcast_arrays(epochs, on_paper(many)), axis=-1)))
        middle = seed_median(rows)
        self.median.set_data(epochs, on_paper(middle))
        self.median.set_marker("o" if rows.shape[1] == 1 else "")
        # One network's accuracy stands still between epochs and jumps at them; a slope would show what never was.
        self.median.set_drawstyle("steps-post" if self._steps and len(rows) == 1 else "default")
        finite = middle[np.isfinite(middle)]
        return float(finite[-1]) if len(finite) else None


def _loss_limits(curves: list[NDArray[np.float64]]) -> tuple[float, float]:
    """Return limits that hold every median and nearly every seed, so that one diverging seed does not flatten all."""
    finite = np.concatenate([rows[np.isfinite(rows)] for rows in curves])
    if not len(finite):
        return 0.0, 1.0
    medians = np.concatenate([seed_median(rows) for rows in curves])
    medians = medians[np.isfinite(medians)]
    top = max(float(np.percentile(finite, 99)), float(medians.max(initial=0.0)))
    bottom = min(0.0, float(np.percentile(finite, 1)), float(medians.min(initial=0.0)))
    margin = 0.06 * (top - bottom or 1.0)
    return (bottom - margin if bottom < 0 else 0.0), top + margin


def _range_in_words(lowest: float, highest: float) -> str:
    """Say of an axis of accuracies what it leaves out, or nothing where it goes from 0 to 1."""
    if highest < 1:
        return f" ({lowest:g} to {highest:g})"
    return f" (from {lowest:g})" if lowest else ""


def _set_limits(axes: Axes, *, x: tuple[float, float] | None = None, y: tuple[float, float] | None = None) -> None:
    """Set limits only where they change: setting them redraws every tick."""
    if x is not None and axes.get_xlim() != x:
        axes.set_xlim(x)
    if y is not None and axes.get_ylim() != y:
        axes.set_ylim(y)


class LossAndAccuracyPanels:
    """Two stacked panels that share their epochs: loss above in vermilion, accuracy below in blue.

    Training is solid, validation dashed; single seeds are thin and pale, the median is bold; lines are named at their
    right ends. Use it inside a `Picture` where the curves move, or through `loss_and_accuracy_curves`.

    Parameters
    ----------
    figure : where to draw.
    left, right, bottom, top : the part of the figure to fill, as fractions; names of lines stand right of it.
    loss_limit, loss_from : highest and lowest loss shown, in nats; by default the curves decide, and how many are cut
        off is said. The second counts only with the first.
    accuracy_from, accuracy_to : lowest and highest accuracy shown; the axis says so where they are not 0 and 1.
    loss_label : name of the loss axis, for a loss that is not known to be the log loss.
    chance_loss, chance_accuracy : grey levels to draw, if any.
    """

    def __init__(
        self,
        figure: Figure,
        *,
        left: float = 0.08,
        right: float = 0.88,
        bottom: float = 0.12,
        top: float = 0.9,
        loss_limit: float | None = None,
        loss_from: float = 0.0,
        accuracy_from: float = 0.0,
        accuracy_to: float = 1.0,
        loss_label: str = "loss (nats)",
        chance_loss: float | None = None,
        chance_accuracy: float | None = None,
    ) -> None:
        if not 0 <= accuracy_from < accuracy_to <= 1:
            raise ValueError(f"accuracies must go from 0 or more up to 1 or less; got {accuracy_from} to {accuracy_to}")
        if loss_from and loss_limit is None:
            raise ValueError(f"loss_from={loss_from:g} needs a loss_limit as well: the curves alone decide the limits")
        grid = figure.add_gridspec(2, 1, left=left, right=right, bottom=bottom, top=top, hspace=0.14)
        self.loss_axes = styled_axes(
            figure.add_subplot(grid[0]),
            ylabel=f"{loss_label}, from {loss_from:g}" if loss_from else loss_label,
            colour=LOSS,
        )
        self.accuracy_axes = styled_axes(
            figure.add_subplot(grid[1], sharex=self.loss_axes),
            xlabel="epoch",
            ylabel=f"accuracy{_range_in_words(accuracy_from, accuracy_to)}",
            colour=ACCURACY,
            whole_x=True,
        )
        self.loss_axes.tick_params(labelbottom=False)
        figure.align_ylabels([self.loss_axes, self.accuracy_axes])
        self._loss_limit, self._loss_from = loss_limit, loss_from
        margin = 0.03 * (accuracy_to - accuracy_from)
        self._accuracy_limits = (accuracy_from - margin, accuracy_to + margin)
        self._chances = (chance_loss, chance_accuracy)
        panels = ((self.loss_axes, LOSS, chance_loss), (self.accuracy_axes, ACCURACY, chance_accuracy))
        self._lines = []
        self._labels = []
        for axes, colour, chance in panels:
            if chance is not None:
                reference_line(axes, chance)
            self._lines.append(
                [_SeedLines(axes, colour, style, steps=colour == ACCURACY) for style in (TRAINING, VALIDATION)]
            )
            names = ["training", "validation", "" if chance is None else f"chance {chance:.2f}"]
            self._labels.append(EndLabels(axes, names, [colour, colour, REFERENCE]))
        self._note = self.loss_axes.text(
            1.0,
            1.02,
            "",
            transform=self.loss_axes.transAxes,
            fontsize=TEXT_SIZE - 1,
            color=REFERENCE,
            ha="right",
            va="bottom",
            animated=True,
        )

    def show(self, run: Any) -> None:
        """Draw a run (anything with `train` and perhaps `validation`) or a single history, as training."""
        train: Curves = getattr(run, "train", run)
        validation: Curves | None = getattr(run, "validation", None)
        histories = [train] if validation is None else [train, validation]
        losses = [seed_rows(history.loss) for history in histories]
        accuracies = [seed_rows(history.accuracy) for history in histories]
        epochs = max(rows.shape[1] for rows in losses)
        # One epoch is a point in the middle; more fill the width.
        _set_limits(self.loss_axes, x=(0.5, 1.5) if epochs == 1 else (1.0, float(epochs)))
        levels = losses if self._chances[0] is None else [*losses, np.array([[self._chances[0]]])]
        _set_limits(
            self.loss_axes, y=_loss_limits(levels) if self._loss_limit is None else (self._loss_from, self._loss_limit)
        )
        _set_limits(self.accuracy_axes, y=self._accuracy_limits)
        for curves, lines, labels, chance in zip(
            (losses, accuracies), self._lines, self._labels, self._chances, strict=True
        ):
            shown: list[NDArray[np.float64] | None] = [*curves, None][:2]
            labels.place([*(line.show(rows) for line, rows in zip(lines, shown, strict=True)), chance])
        seeds = len(losses[0])
        above = sum(int((rows > self._loss_limit).any(axis=1).sum()) for rows in losses) if self._loss_limit else 0
        notes = [f"bold: median of {seeds} seeds"] if seeds > 1 else []
        notes += (
            [f"{above} curve{'s' if above > 1 else ''} leave{'s' if above == 1 else ''} the picture"] if above else []
        )
        self._note.set_text("; ".join(notes))


def loss_and_accuracy_curves(
    run: Any,
    *,
    title: str,
    sentence: str = "",
    width: int = 840,
    height: int = 480,
    loss_limit: float | None = None,
    loss_from: float = 0.0,
    accuracy_from: float = 0.0,
    accuracy_to: float = 1.0,
    loss_label: str = "loss (nats)",
    chance_loss: float | None = None,
    chance_accuracy: float | None = None,
) -> LabelledFigure:
    """Return the curves of a run as two stacked panels that share their epochs.

    Parameters
    ----------
    run : anything with `loss` and `accuracy` of shape (..., epoch), such as a `PredictionHistory`; or with `train` and
        perhaps `validation` that have them, such as a `TrainingRun`. Leading axes are seeds.
    title : the finding.
    sentence : the description for readers who cannot see the picture; the title and the last values by default.
    width, height : size in pixels.
    loss_limit, loss_from : highest and lowest loss shown, in nats; the second only with the first.
    accuracy_from, accuracy_to : lowest and highest accuracy shown; the axis says so where they are not 0 and 1.
    loss_label : name of the loss axis, for a loss that is not known to be the log loss.
    chance_loss, chance_accuracy : grey levels to draw, if any.

    Raises
    ------
    ValueError
        If a curve has no epochs, and if not 0 <= accuracy_from < accuracy_to <= 1.
    """
    train: Curves = getattr(run, "train", run)
    validation: Curves | None = getattr(run, "validation", None)
    ends = [f"training ends at {_ending(train)}"]
    if validation is not None:
        ends.append(f"validation at {_ending(validation)}")
    figure = LabelledFigure(
        sentence=sentence or f"{title.rstrip('.')}: loss above and accuracy below over epochs; {', '.join(ends)}.",
        width=width,
        height=height,
    )
    panels = LossAndAccuracyPanels(
        figure,
        loss_limit=loss_limit,
        loss_from=loss_from,
        accuracy_from=accuracy_from,
        accuracy_to=accuracy_to,
        loss_label=loss_label,
        chance_loss=chance_loss,
        chance_accuracy=chance_accuracy,
    )
    panels.show(run)
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def _ending(curves: Curves) -> str:
    """Return the last median loss and accuracy in words."""
    loss, accuracy = (seed_median(seed_rows(values))[-1] for values in (curves.loss, curves.accuracy))
    return f"loss {loss:.3f}, accuracy {accuracy:.3f}"

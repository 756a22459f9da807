"""The picture of lesson 03's explorer: curves over steps, and which of their movements mean something."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers._validation import as_numbers, as_whole_number
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.seeds import finite_limits, on_paper
from lossacc_helpers.figures.style import (
    ACCURACY,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    REFERENCE,
    SEED_WIDTH,
    TEXT_SIZE,
    VALIDATION,
    EndLabels,
    pale,
    reference_line,
    styled_axes,
)
from lossacc_helpers.history import PredictionHistory, StepHistory, TrainingRun
from lossacc_helpers.intervals import (
    accuracy_change_interval,
    accuracy_difference_interval,
    accuracy_standard_error,
    wilson_interval,
)

Floats = NDArray[np.float64]

_RIGHT, _MISTAKEN = OTHER[0], "#8A2BE2"  # whether a movement was taken for what it is; the readout says it as well


@dataclass(frozen=True)
class Movement:
    """A rise or a fall that somebody may read something into: between two epochs of one of the two accuracy curves.

    Attributes
    ----------
    letter : its name in the picture.
    curve : "validation", measured at the ends of the epochs; or "training", at the point in the middle of each epoch.
    first, last : epochs, from 1, the first before the last.

    Raises
    ------
    ValueError
        For another curve, and for epochs that are not in this order.
    """

    letter: str
    curve: Literal["training", "validation"]
    first: int
    last: int

    def __post_init__(self) -> None:
        if self.curve not in ("training", "validation"):
            raise ValueError(
                f"curve of movement {self.letter!r} must be 'training' or 'validation'; got {self.curve!r}"
            )
        start = as_whole_number(self.first, f"first epoch of movement {self.letter!r}", least=1)
        as_whole_number(self.last, f"last epoch of movement {self.letter!r}", least=start + 1)


@dataclass(frozen=True)
class Judgement:
    """A movement in numbers: between which steps, counted in epochs, and heights; the 95% interval of the change."""

    movement: Movement
    steps: tuple[float, float]
    heights: tuple[float, float]
    low: float
    high: float

    @property
    def change(self) -> float:
        """By how much accuracy moved."""
        return self.heights[1] - self.heights[0]

    @property
    def means_something(self) -> bool:
        """Whether the interval leaves out a change of nothing."""
        return self.low > 0 or self.high < 0


def smoothed(values: Floats, weight: float) -> Floats:
    """Return the exponential moving average of a curve, as TensorBoard draws it.

    Each value counts 1 - `weight` and what came before it `weight`, in [0, 1); the start is corrected for having
    nothing before it. A value that is not finite stays what it is, and the average goes on after it. Raises
    `ValueError` for other weights, and for values that are no curve of shape (point,).

    >>> smoothed(np.array([1.0, 1.0, 4.0]), 0.5).round(3).tolist()
    [1.0, 1.0, 2.714]
    """
    if not 0 <= weight < 1:
        raise ValueError(f"a smoothing weight lies in [0, 1); got {weight}")
    curve = as_numbers(values, "values").astype(np.float64)
    if curve.ndim != 1:
        raise ValueError(f"values must be one curve, of shape (point,); got shape {curve.shape}")
    average = curve.copy()
    kept, counted = 0.0, 0
    for place in np.flatnonzero(np.isfinite(curve)):
        kept, counted = weight * kept + (1 - weight) * curve[place], counted + 1
        average[place] = kept / (1 - weight**counted)
    return average


def judge(
    run: TrainingRun, movements: Sequence[Movement], *, points: int, validation_samples: int, draw: int
) -> list[Judgement]:
    """Judge movements by what is shown: so many training samples a point, so many validation samples.

    Validation is asked about the same samples in both epochs, so the change is judged by those that changed sides.
    Two points of the training curve are about different samples.

    Raises
    ------
    ValueError
        For a run of several networks or without steps or validation, a movement that ends after the run, and more
        validation samples than there are.
    """
    steps, validation = _records(run, movements)
    shown, ends = _points(steps, points)
    correct = validation.correct[:, _drawn(validation, validation_samples, draw)]
    judged = []
    for movement in movements:
        if movement.curve == "validation":
            before, after = correct[movement.first - 1], correct[movement.last - 1]
            heights = (float(before.mean()), float(after.mean()))
            places = (float(movement.first), float(movement.last))
            low, high = accuracy_change_interval(before, after)
        else:
            one, other = (int(np.searchsorted(ends, epoch - 0.5)) for epoch in (movement.first, movement.last))
            heights = (float(shown.accuracy[one]), float(shown.accuracy[other]))
            places = (float(ends[one]), float(ends[other]))
            low, high = accuracy_difference_interval(heights[0], shown.samples[one], heights[1], shown.samples[other])
        judged.append(Judgement(movement, places, heights, float(low), float(high)))
    return judged


def reading_picture(movements: Sequence[Movement]) -> Picture:
    """Training loss and accuracy over steps, validation accuracy with its Wilson band, and lettered movements.

    The state is ``run`` (a `TrainingRun` without replica axis, with validation and steps), ``points`` (training samples
    behind one point), ``smoothing`` (weight in [0, 1)), ``validation_samples``, ``draw`` (which validation samples),
    ``marked`` (the letters that the learner takes for more than noise) and ``tell`` (whether the answer is shown). A
    state raises as `judge` does.
    """
    figure = LabelledFigure(
        sentence=(
            "Training loss above, training and validation accuracy below, over the steps of one training. "
            "Lettered lines join two heights of a curve that may or may not differ by more than chance."
        ),
        width=840,
        height=520,
    )
    panels = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2))
    figure.subplots_adjust(left=0.078, right=0.875, bottom=0.1, top=0.965, hspace=0.1)
    loss_axes, axes = panels
    styled_axes(loss_axes, ylabel="loss (nats)", colour=LOSS)
    styled_axes(axes, xlabel="step (batches of the training)", ylabel="accuracy", colour=ACCURACY)
    loss_axes.tick_params(labelbottom=False)
    figure.align_ylabels(panels)
    band = axes.fill_between([0, 1], [0, 0], [0, 0], color=pale(ACCURACY, strength=0.16), linewidth=0, animated=True)
    style: dict[str, Any] = {"animated": True, "solid_capstyle": "butt"}
    lines = {}
    for name, where, colour in (("loss", loss_axes, LOSS), ("training", axes, ACCURACY)):
        [raw] = where.plot([], [], color=pale(colour, strength=0.4), linewidth=SEED_WIDTH, zorder=2, **style)
        [bold] = where.plot([], [], color=colour, linewidth=MEDIAN_WIDTH, zorder=3, **style)
        lines[name] = (raw, bold)
    [validation] = axes.plot(
        [],
        [],
        color=ACCURACY,
        linewidth=MEDIAN_WIDTH,
        linestyle=VALIDATION,
        marker="o",
        markersize=4,
        zorder=4,
        animated=True,
    )
    joints = [
        axes.plot([], [], color=INK, linewidth=1.3, marker="o", markersize=5, zorder=5, animated=True)[0]
        for _ in movements
    ]
    letters = [
        axes.text(
            0,
            0,
            movement.letter,
            fontsize=TEXT_SIZE + 1,
            fontweight="bold",
            ha="center",
            va="center",
            zorder=6,
            animated=True,
            bbox={
                "boxstyle": "round,pad=0.25,rounding_size=0.6",
                "facecolor": "white",
                "edgecolor": INK,
                "linewidth": 1.2,
            },
        )
        for movement in movements
    ]
    loss_label = EndLabels(loss_axes, ["training"], [LOSS])
    labels = EndLabels(axes, ["training", "validation", "chance"], [ACCURACY, ACCURACY, REFERENCE])
    chance_line = reference_line(axes, 0.0)

    def move(
        *,
        run: TrainingRun,
        points: int,
        smoothing: float,
        validation_samples: int,
        draw: int,
        marked: Sequence[str],
        tell: bool,
    ) -> str:
        steps, answers = _records(run, movements)
        shown, epochs = _points(steps, points)
        per_epoch = steps.steps_per_epoch
        at = epochs * per_epoch
        chance = 1 / run.train.classes
        if list(chance_line.get_ydata()) != [chance, chance]:  # type: ignore[arg-type]  # untyped in matplotlib
            chance_line.set_ydata([chance, chance])
        ends: dict[str, float] = {}
        for name, values in (("loss", shown.losses), ("training", shown.accuracy)):
            raw, bold = lines[name]
            heights = np.asarray(values, dtype=np.float64)
            soft = smoothed(heights, smoothing)
            raw.set_data(at, on_paper(heights))
            bold.set_data(at, on_paper(soft))
            bold.set_linewidth(MEDIAN_WIDTH if len(at) <= run.epochs or smoothing > 0 else SEED_WIDTH)
            bold.set_marker("o" if len(at) <= run.epochs else "")
            ends[name] = float(soft[-1])
        places = np.arange(1, run.epochs + 1) * per_epoch
        accuracy = answers.correct[:, _drawn(answers, validation_samples, draw)].mean(axis=-1)
        low, high = wilson_interval(accuracy, validation_samples)
        validation.set_data(places, accuracy)
        band.set_data(places, low, high)
        limits = (0.0, float(run.epochs * per_epoch))
        if axes.get_xlim() != limits:
            axes.set_xlim(limits)
        # One height for every setting: a finer grouping must not look quieter because the axis grew.
        top = float(np.ceil(max(steps.accuracy.max(), answers.accuracy.max(), 0.5) * 10) / 10)
        if axes.get_ylim() != (-0.02, top):
            axes.set_ylim(-0.02, top)
        bounds = _loss_limits(np.asarray(steps.losses, dtype=np.float64))
        if loss_axes.get_ylim() != bounds:
            loss_axes.set_ylim(*bounds)
        diverged = not np.isfinite(ends["loss"])
        loss_label.texts[0].set_text("diverged" if diverged else "training")
        loss_label.place([float(np.mean(bounds)) if diverged else ends["loss"]])
        labels.place([ends["training"], float(accuracy[-1]), chance])
        judged = judge(run, movements, points=points, validation_samples=validation_samples, draw=draw)
        for one, joint, letter in zip(judged, joints, letters, strict=True):
            x = np.array(one.steps) * per_epoch
            joint.set_data(x, one.heights)
            letter.set_position((float(x.mean()), float(np.mean(one.heights)) + 0.06))
            ticked = one.movement.letter in marked
            right = ticked == one.means_something
            edge = INK if not tell else _RIGHT if right else _MISTAKEN
            letter.set_text(one.movement.letter + ((" real" if one.means_something else " noise") if tell else ""))
            joint.set_color(edge)
            joint.set_linewidth(2.4 if ticked else 1.2)
            letter.set_color(edge)
            patch = letter.get_bbox_patch()
            assert patch is not None
            patch.set_edgecolor(edge)
            patch.set_facecolor("#FFF3C4" if ticked else "white")
        told = _readout(judged, shown.samples, ends["training"], accuracy, validation_samples, marked, tell)
        return f"The training loss diverged. {told}" if diverged else told

    return Picture(figure, move)


def _records(run: TrainingRun, movements: Sequence[Movement]) -> tuple[StepHistory, PredictionHistory]:
    """Return the steps and the validation of a run that can be read, or raise `ValueError`."""
    if run.train.leading_shape:
        raise ValueError(f"one network is read at a time: choose one of the {run.replicas}, as in run.replica(0)")
    if run.steps is None:
        raise ValueError("this run holds no steps; training.RecordSteps records them")
    if run.validation is None:
        raise ValueError("this run holds no validation; give RecordPredictions validation samples too")
    for movement in movements:
        if movement.last > run.epochs:
            raise ValueError(
                f"movement {movement.letter!r} ends at epoch {movement.last}, but the run has {run.epochs} epochs"
            )
    return run.steps, run.validation


def _points(steps: StepHistory, samples: int) -> tuple[StepHistory, Floats]:
    """Return the steps in points of so many samples, and after how many epochs each point ends."""
    shown = steps.grouped(samples)
    # Of the steps themselves: beliefs may have been kept of fewer samples than were trained on.
    return shown, np.cumsum(shown.samples) / steps.samples[: steps.steps_per_epoch].sum()


def _drawn(validation: PredictionHistory, samples: int, draw: int) -> NDArray[np.intp]:
    """Return the validation samples that are shown: so many, drawn once and kept for every epoch."""
    if as_whole_number(samples, "validation_samples", least=1) > validation.samples:
        raise ValueError(f"validation_samples must be at most {validation.samples}, all there are; got {samples}")
    return np.random.default_rng(as_whole_number(draw, "draw", least=0)).permutation(validation.samples)[:samples]


def _loss_limits(losses: Floats) -> tuple[float, float]:
    """Return the limits of the axis of losses: from 0 to a whole number, unless some are negative."""
    finite = losses[np.isfinite(losses)]
    if (finite < 0).any():
        return finite_limits(finite)
    return 0.0, float(np.ceil(finite.max(initial=0.0))) or 1.0


def _readout(
    judged: Sequence[Judgement],
    samples: NDArray[Any],
    training: float,
    validation: Floats,
    validation_samples: int,
    marked: Sequence[str],
    tell: bool,
) -> str:
    if tell:
        told = [_told(one, one.movement.letter in marked) for one in judged]
        return "\n".join("  ".join(told[start : start + 2]) for start in range(0, len(told), 2))
    count = int(samples.max())
    error = float(accuracy_standard_error(training, count))
    low, high = wilson_interval(float(validation[-1]), validation_samples)
    grid = f"in steps of {1 / count:.3f}" if 1 / count >= 0.0005 else f"in steps of 1/{count:,}"
    picked = (
        f"You take {', '.join(marked)} for more than noise. " if marked else "Tick the letters that mean something. "
    )
    return (
        f"A training point holds {count:,} samples: its accuracy moves {grid}, with a standard error of {error:.3f} at "
        f"{training:.2f}, where it ends. Validation, {validation_samples:,} samples, ends at {validation[-1]:.3f}, 95% "
        f"interval {low:.3f} to {high:.3f}. {picked}To be told, tick the last box."
    )


def _told(one: Judgement, marked: bool) -> str:
    """Say of a movement what it is at these sizes, and what the learner took it for."""
    kind = "real" if one.means_something else "noise, as far as this reading can tell"
    words = {
        (True, True): "you saw it",
        (True, False): "you missed it",
        (False, True): "you took it for more",
        (False, False): "you left it",
    }
    taken = words[one.means_something, marked]
    return f"{one.movement.letter} is {kind}: {one.change:+.3f} ({one.low:+.3f} to {one.high:+.3f}); {taken}."

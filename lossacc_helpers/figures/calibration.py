"""Reliability diagrams, and the picture of lesson 05's explorer: confidence and loss at any epoch and temperature."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.calibration import Reliability, calibration_error_by_chance, reliability
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.seeds import epoch_limits, finite_limits, on_paper
from lossacc_helpers.figures.style import (
    ACCURACY,
    GRID,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    VALIDATION,
    EndLabels,
    as_sentence,
    reference_line,
    styled_axes,
)
from lossacc_helpers.history import PredictionHistory

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 840, 400
_BINS = 12
_READING = "above the line: too timid; below: too bold"
_MOST = 3  # diagrams side by side
_HISTOGRAM = 0.22  # how high the tallest bar of counts is, in the units of accuracy
_DRAWS = 60  # of what chance alone would show


def calibration_picture(temperatures: Sequence[float], *, truth: float | None = None) -> Picture:
    """Loss over epochs as it is printed and at a temperature; and what confidence is worth, at one epoch.

    `temperatures` are those of the history's leading axis, 1 among them; `truth` is the least loss that is possible, in
    nats, where it is known. The state is ``history`` (a `PredictionHistory` with the leading axis (temperature,)),
    ``epoch`` (from 1) and ``temperature`` (one of them). A state raises `ValueError`, and leaves the picture as it is,
    for a history that has not these temperatures, and for an epoch or a temperature that it has not. ``of`` says in a
    word or two what the samples are.
    """
    heats = tuple(float(one) for one in temperatures)
    if 1.0 not in heats:
        raise ValueError(f"temperatures must hold 1, at which the loss is printed; got {heats}")
    sentence = (
        "Left: a loss over epochs, as printed, at the chosen temperature, and at the best of the "
        "temperatures. Right: a reliability diagram of one epoch, accuracy against confidence in bins, with intervals; "
        "grey bars show how many samples have which confidence."
    )
    figure = LabelledFigure(sentence=sentence, width=_WIDTH, height=_HEIGHT)
    figure.text(0.98, 0.985, _READING, fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", ha="right")
    curves, diagram = _Losses(figure, truth), _Diagram(figure, (0.62, 0.125, 0.36, 0.74), bins=_BINS)

    def move(*, history: PredictionHistory, epoch: int, temperature: float, of: str = "") -> str:
        if history.leading_shape != (len(heats),):
            raise ValueError(f"history must have a leading axis of {len(heats)} temperatures; got {history!r}")
        if as_whole_number(epoch, "epoch", least=1) > history.epochs:
            raise ValueError(f"epoch must be at most {history.epochs}, all that the history has; got {epoch}")
        if temperature not in heats:
            raise ValueError(f"temperature must be one of {heats}; got {temperature}")
        chosen, plain = history.replica(heats.index(temperature)), history.replica(heats.index(1.0))
        flags, tops = chosen.correct[epoch - 1], chosen.top_probabilities[epoch - 1]
        found = reliability(flags, tops, bins=_BINS)
        chance = calibration_error_by_chance(tops, bins=_BINS, draws=_DRAWS).mean()
        best = np.nanmin(history.loss, axis=0)
        curves.show(plain.loss, chosen.loss, best, epoch, temperature, of)
        diagram.show(found, f"epoch {epoch}, temperature {temperature:g}")
        over = found.overconfidence
        kind = "too bold" if over > 0 else "too timid"
        when = f"{of.capitalize()}, epoch" if of else "Epoch"
        return (
            f"{when} {epoch}, temperature {temperature:g}: loss {chosen.loss[epoch - 1]:.3f} (printed "
            f"{plain.loss[epoch - 1]:.3f}, at the best temperature {best[epoch - 1]:.3f}), accuracy "
            f"{chosen.accuracy[epoch - 1]:.3f}. Mean confidence {tops.mean():.3f}: {kind} by {abs(over):.3f}. Expected "
            f"calibration error {found.error:.3f}; calibrated predictions would show {chance:.3f}."
        )

    return Picture(figure, move)


def reliability_figure(diagrams: Mapping[str, Reliability], *, title: str) -> LabelledFigure:
    """Reliability diagrams side by side: accuracy against confidence, bin by bin, with 95% intervals and counts.

    Parameters
    ----------
    diagrams : up to three, by name.
    title : the finding.

    Raises
    ------
    ValueError
        For none, and for more than three.
    """
    if not 0 < len(diagrams) <= _MOST:
        raise ValueError(f"diagrams must be one to {_MOST}, to be legible; got {len(diagrams)}")
    told = "; ".join(
        f"{name}: confidence {found.overconfidence:+.3f} above accuracy, expected calibration error {found.error:.3f}"
        for name, found in diagrams.items()
    )
    sentence = f"{as_sentence(title)} Accuracy against confidence in bins. {told}."
    figure = LabelledFigure(sentence=sentence, width=_WIDTH, height=330)
    room = 0.93 / _MOST
    for k, (name, found) in enumerate(diagrams.items()):
        diagram = _Diagram(figure, (0.07 + k * room, 0.15, room - 0.065, 0.6), bins=len(found.counts))
        diagram.show(found, name)
    for artist in figure.findobj(Artist.get_animated):
        artist.set_animated(False)
    figure.text(0.99, 0.9, _READING, fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", ha="right")
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


class _Losses:
    """Validation losses over epochs: printed, at one temperature, and at the best."""

    def __init__(self, figure: LabelledFigure, truth: float | None) -> None:
        self._axes = axes = styled_axes(
            figure.add_axes((0.075, 0.125, 0.36, 0.74)),
            xlabel="epoch",
            ylabel="loss (nats)",
            colour=LOSS,
            whole_x=True,
        )
        looks = (
            ("as printed", LOSS, MEDIAN_WIDTH, VALIDATION),
            ("at this one", LOSS, 1.2, "-"),
            ("at the best\ntemperature", REFERENCE, 1.4, "-"),
        )
        self._lines = [
            axes.plot([], [], color=colour, linewidth=width, linestyle=style, zorder=3, animated=True)[0]
            for _, colour, width, style in looks
        ]
        names, colours = [name for name, *_ in looks], [colour for _, colour, *_ in looks]
        self._title = axes.text(
            0, 1.04, "", transform=axes.transAxes, fontsize=TEXT_SIZE, color=INK, va="bottom", animated=True
        )
        self._truth = truth
        if truth is not None:
            reference_line(axes, truth)
            names, colours = [*names, "nothing can\nbe lower"], [*colours, REFERENCE]
        self._labels = EndLabels(axes, names, colours)
        self._now = axes.axvline(1, color=INK, linewidth=1, zorder=2, animated=True)
        [self._dot] = axes.plot([], [], "o", color=INK, markersize=7, zorder=4, animated=True, clip_on=False)

    def show(self, printed: Floats, scaled: Floats, best: Floats, epoch: int, temperature: float, of: str) -> None:
        self._title.set_text(of)
        epochs = np.arange(1, len(printed) + 1)
        # The first epoch, mostly far above all others, is left out where there are more.
        shown = np.concatenate([printed[1:], best[1:]]) if len(printed) > 1 else np.concatenate([printed, best])
        limits = finite_limits(shown, () if self._truth is None else (self._truth,))
        if self._axes.get_ylim() != limits:
            self._axes.set_ylim(limits)
        if self._axes.get_xlim() != (across := epoch_limits(len(epochs))):
            self._axes.set_xlim(*across)
        for line, row in zip(self._lines, (printed, scaled, best), strict=True):
            line.set_data(epochs, on_paper(row))
            line.set_marker("o" if len(epochs) == 1 else "")
        self._lines[1].set_visible(temperature != 1.0)  # where it would lie upon the first
        ends: list[float | None] = [float(row[-1]) for row in (printed, scaled, best)]
        if temperature == 1.0:
            ends[1] = None
        self._labels.place([*ends, self._truth] if self._truth is not None else ends)
        self._now.set_xdata([epoch, epoch])
        height = float(scaled[epoch - 1])
        held = min(max(height, limits[0]), limits[1])
        self._dot.set_data([epoch], [held])
        self._dot.set_marker("o" if held == height else "^" if height > held else "v")  # it points to where it would be


class _Diagram:
    """Accuracy against confidence, bin by bin, with intervals, the line where both are alike, and counts."""

    def __init__(self, figure: LabelledFigure, box: tuple[float, float, float, float], *, bins: int) -> None:
        axes = styled_axes(figure.add_axes(box), xlabel="confidence", ylabel="accuracy", colour=ACCURACY)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.03)
        axes.plot([0, 1], [0, 1], color=REFERENCE, linewidth=1.2, linestyle=":", zorder=1.5)
        self._bars = [
            axes.bar([0], [0], width=0, color=GRID, zorder=1, animated=True, linewidth=0)[0] for _ in range(bins)
        ]
        self._intervals = LineCollection([], colors=ACCURACY, linewidths=1.4, zorder=3, animated=True)
        axes.add_collection(self._intervals, autolim=False)
        [self._points] = axes.plot([], [], "o", color=ACCURACY, markersize=7, zorder=4, animated=True, clip_on=False)
        self._title = axes.text(
            0, 1.04, "", transform=axes.transAxes, fontsize=TEXT_SIZE, color=INK, va="bottom", animated=True
        )

        self._tallest = axes.text(
            0.03, 0.96, "", transform=axes.transAxes, fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", animated=True
        )

    def show(self, found: Reliability, title: str) -> None:
        filled = np.flatnonzero(found.counts)
        low, high = found.interval()
        self._points.set_data(found.confidence[filled], found.accuracy[filled])
        self._intervals.set_segments(
            [[(found.confidence[k], low[k]), (found.confidence[k], high[k])] for k in filled.tolist()]
        )
        widths = np.diff(found.edges)
        crowds = found.counts / widths  # so that areas are numbers of samples, whatever the widths
        for bar, start, width, crowd in zip(self._bars, found.edges, widths, crowds, strict=False):
            bar.set_x(start)
            bar.set_width(width)
            bar.set_height(_HISTOGRAM * crowd / crowds.max())
        self._tallest.set_text(f"tallest bar: {found.counts[crowds.argmax()]:,}")
        self._title.set_text(title)

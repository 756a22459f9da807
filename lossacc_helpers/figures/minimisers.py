"""The picture of lesson 06's second explorer: minimisers on their way, with one weight and with two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from numpy.typing import NDArray

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.style import (
    INK,
    LOSS,
    MEDIAN_WIDTH,
    PAPER,
    REFERENCE,
    TEXT_SIZE,
    EndLabels,
    styled_axes,
)
from lossacc_helpers.minimisers import Minimisation

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 840, 640
_COLOURS = {
    "bisection": "#8A6100",
    "Newton": INK,
    "gradient descent": "#007A5A",
    "noisy gradient descent": "#A8487F",
}
_SHORT = {"noisy gradient descent": "noisy descent"}
_CELLS = 81
_ALONG = 401
_LEAST = 1e-12  # nats above the minimum; what is nearer is drawn there


@dataclass(frozen=True, eq=False)
class Race:
    """Several minimisers on one function.

    Attributes
    ----------
    value : function
        Of points (..., coordinate): values (...,).
    least : float
        Its least value, or the limit that it falls towards.
    ways : mapping
        Of minimisers' names, from those of `NAMES`, to what they did; one that had nothing to do is left out.
    ended : mapping
        Of the names of those that ended, to how: "arrived" or "gave up".
    reached : bool
        Whether the least value is reached anywhere.
    """

    value: Callable[[Floats], Any]
    least: float
    ways: Mapping[str, Minimisation]
    ended: Mapping[str, str] = field(default_factory=dict)
    reached: bool = True

    def gaps(self, name: str, steps: int) -> Floats:
        """Return how far above the least value a minimiser was, (step,), until it ended, at most `steps` + 1."""
        values = np.asarray(self.value(self.ways[name].points[: steps + 1]))
        return np.maximum(values - self.least, _LEAST)


NAMES = tuple(_COLOURS)


def minimisers_picture(*, span: float, steps: int) -> Picture:
    """Where minimisers are after some iterations, with one weight (above) and two (below), and how far they are.

    The state is ``one`` and ``two``, a `Race` each over one and over two weights, ``iteration``, from 0, and ``more``,
    words that follow in the readout. Weights are shown from -`span` to `span`, iterations up to `steps`. A state raises
    `ValueError` for an iteration that is not among them.
    """
    figure = LabelledFigure(
        sentence=(
            "Left: the loss over one weight (above) and over two (below), with the ways of the minimisers. Right: how "
            "far each is above the least loss, over iterations, on a logarithmic axis."
        ),
        width=_WIDTH,
        height=_HEIGHT,
    )
    line, plane = _Line(figure, span), _Plane(figure, span)
    gaps = [_Gaps(figure, bottom, steps) for bottom in (0.575, 0.08)]

    def move(*, one: Race, two: Race, iteration: int, more: str = "") -> str:
        now = as_whole_number(iteration, "iteration", least=0)
        if now > steps:
            raise ValueError(f"iteration must be at most {steps}; got {now}")
        line.show(one, now)
        plane.show(two, now)
        told = []
        for axes, race, weights in zip(gaps, (one, two), ("one weight", "two weights"), strict=True):
            axes.show(race, now)
            told.append(f"with {weights}: {_told(race, now)}")
        height = "the least loss" if one.reached and two.reached else "the limit, which no weights reach"
        return f"Iteration {now}, nats above {height}, {'; '.join(told)}.{' ' if more else ''}{more}"

    return Picture(figure, move)


def _told(race: Race, now: int) -> str:
    words = []
    for name in NAMES:
        if name in race.ways:
            reached = race.gaps(name, now)
            asked, last = race.ways[name].evaluations[len(reached) - 1], len(reached) - 1
            over = name in race.ended and last == race.ways[name].steps
            ended = f", {race.ended[name]} at iteration {last}" if over else ""
            high = f"{reached[-1]:.2g}" if reached[-1] > _LEAST else f"{_LEAST:g} or less"
            words.append(f"{name} {high} ({asked} evaluations{ended})")
        else:
            words.append(f"{name} cannot be used")
    return ", ".join(words)


class _Line:
    """The loss over one weight, and the points visited so far."""

    def __init__(self, figure: LabelledFigure, span: float) -> None:
        self._axes = styled_axes(
            figure.add_axes((0.085, 0.575, 0.375, 0.385)), xlabel="weight", ylabel="log loss (nats)", colour=LOSS
        )
        self._axes.set_xlim(-span, span)
        self._places = np.linspace(-span, span, _ALONG)
        [self._curve] = self._axes.plot([], [], color=LOSS, linewidth=MEDIAN_WIDTH, zorder=2, animated=True)
        self._trails, self._dots = _ways(self._axes, line="")

    def show(self, race: Race, now: int) -> None:
        values = np.asarray(race.value(self._places[:, None]))
        room = 0.06 * float(np.ptp(values))
        limits = (float(values.min()) - room, float(values.max()) + room)
        if self._axes.get_ylim() != limits:
            self._axes.set_ylim(limits)
        self._curve.set_data(self._places, values)
        for name in NAMES:
            points = race.ways[name].points[: now + 1] if name in race.ways else np.zeros((0, 1))
            heights = np.asarray(race.value(points)) if len(points) else np.array([])
            self._trails[name].set_data(points[:, 0], heights)
            self._dots[name].set_data(points[-1:, 0], heights[-1:])


class _Plane:
    """A map of the loss over two weights, and the ways so far."""

    def __init__(self, figure: LabelledFigure, span: float) -> None:
        self._axes = axes = figure.add_axes((0.085, 0.08, 0.375, 0.385))
        axes.tick_params(labelsize=TEXT_SIZE, length=0, colors=INK)
        axes.set_xlabel("first weight", fontsize=TEXT_SIZE, color=INK)
        axes.set_ylabel("second weight", fontsize=TEXT_SIZE, color=INK)
        places = np.linspace(-span, span, _CELLS)
        self._places = np.stack(np.meshgrid(places, places), axis=-1)
        edge = span * (1 + 1 / (_CELLS - 1))
        self._image = axes.imshow(
            np.zeros((_CELLS, _CELLS)),
            origin="lower",
            extent=(-edge, edge, -edge, edge),
            aspect="auto",
            cmap=LinearSegmentedColormap.from_list("loss", [PAPER, LOSS]),
            norm=PowerNorm(0.4),
            interpolation="nearest",
            animated=True,
            alpha=0.75,
        )
        axes.set_xlim(-span, span)
        axes.set_ylim(-span, span)
        self._trails, self._dots = _ways(axes, line="-")

    def show(self, race: Race, now: int) -> None:
        values = np.asarray(race.value(self._places))
        self._image.set_data(values)
        self._image.set_clim(float(values.min()), float(values.max()))
        for name in NAMES:
            points = race.ways[name].points[: now + 1] if name in race.ways else np.zeros((0, 2))
            self._trails[name].set_data(points[:, 0], points[:, 1])
            self._dots[name].set_data(points[-1:, 0], points[-1:, 1])


class _Gaps:
    """How far each minimiser is above the least loss, and where in time the picture is."""

    def __init__(self, figure: LabelledFigure, bottom: float, steps: int) -> None:
        self._steps = steps
        self._axes = axes = styled_axes(
            figure.add_axes((0.565, bottom, 0.27, 0.385)),
            xlabel="iteration",
            ylabel="nats above the least loss",
            colour=LOSS,
            whole_x=True,
        )
        axes.set_yscale("log")
        axes.set_xlim(0, steps)
        axes.set_ylim(_LEAST / 3, 30)
        axes.set_yticks([1e-12, 1e-9, 1e-6, 1e-3, 1])
        axes.minorticks_off()
        self._lines = {
            name: axes.plot([], [], color=colour, linewidth=1.8, zorder=3, animated=True)[0]
            for name, colour in _COLOURS.items()
        }
        self._dots = {
            name: axes.plot([], [], "o", color=colour, markersize=6, zorder=4, animated=True)[0]
            for name, colour in _COLOURS.items()
        }
        self._now = axes.axvline(0, color=REFERENCE, linewidth=1, animated=True)
        self._labels = EndLabels(axes, [_SHORT.get(name, name) for name in NAMES], list(_COLOURS.values()))

    def show(self, race: Race, now: int) -> None:
        ends: list[float | None] = []
        for name in NAMES:
            gaps = race.gaps(name, self._steps) if name in race.ways else np.array([])
            self._lines[name].set_data(np.arange(len(gaps)), gaps)
            here = min(now, len(gaps) - 1)
            self._dots[name].set_data([here] if len(gaps) else [], gaps[here : here + 1])
            ends.append(float(gaps[-1]) if len(gaps) else None)
        self._now.set_xdata([now, now])
        self._labels.place(ends)


def _ways(axes: Axes, *, line: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Trails and dots of the minimisers, empty."""
    trails = {
        name: axes.plot([], [], linestyle=line, color=colour, linewidth=1.2, marker=".", markersize=5, animated=True)[0]
        for name, colour in _COLOURS.items()
    }
    dots = {
        name: axes.plot([], [], "o", color=colour, markersize=8 - 1.5 * k, zorder=4 + k, animated=True)[0]
        for k, (name, colour) in enumerate(_COLOURS.items())
    }
    return trails, dots

"""Metrics of two classes, one of them rare: at a threshold, over all thresholds, and over how rare it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.style import (
    ACCURACY,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    EndLabels,
    as_sentence,
    pale,
    styled_axes,
)

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 840, 600
_BINS = 25
_RARE = "#A8487F"
_CURVE = OTHER[0]
_LOWEST = -0.25  # of the bars: the Matthews correlation may be negative


@dataclass(frozen=True, eq=False)
class Judged:
    """Predictions of a rare class, and what is to be said of them.

    Attributes
    ----------
    rare : (sample,) bool
        Which samples are of the rare class.
    probabilities : (sample,)
        That each was given of being of the rare class.
    roc : (point, 2)
        False alarm rate and share found, over all thresholds.
    precision_recall : (point, 2)
        Share found and precision, over all thresholds.
    """

    rare: NDArray[np.bool_]
    probabilities: Floats
    roc: Floats
    precision_recall: Floats


def metrics_picture(names: Sequence[str]) -> Picture:
    """Probabilities of a rare class with a threshold, its two curves, and metrics as bars.

    The state is ``judged``, a `Judged`; ``threshold``, above which a sample is called rare; ``marked``, another one
    that is drawn dotted; ``values`` and
    ``baseline``, mappings from each of `names` to its value, and to that of always naming the common class, at most 1
    (a metric that depends on no threshold may be among them); and ``more``, words that follow in the readout. A state
    raises `ValueError` for a threshold outside [0, 1] and for missing names.
    """
    figure = LabelledFigure(
        sentence=(
            "Above left: how many samples of the common class (grey) and of the rare one (purple) were given which "
            "probability, and two thresholds. Above right: the ROC curve and the precision-recall curve, with a dot at "
            "the threshold, and dotted what no order at all would give. Below: metrics as bars; black ticks: what "
            "always naming the common class would get."
        ),
        width=_WIDTH,
        height=_HEIGHT,
    )
    counts = _Counts(figure)
    roc = _CurveOf(figure, 0.465, "false alarms, share of the common", "found, share of the rare")
    precision = _CurveOf(figure, 0.755, "found, share of the rare", "precision")
    bars = _Bars(figure, names)

    def move(
        *,
        judged: Judged,
        threshold: float,
        marked: float,
        values: Mapping[str, float],
        baseline: Mapping[str, float],
        more: str = "",
    ) -> str:
        at, dotted = as_number(threshold, "threshold"), as_number(marked, "marked")
        for name, place in (("threshold", at), ("marked", dotted)):
            if not 0 <= place <= 1:
                raise ValueError(f"{name} must lie in [0, 1]; got {place:g}")
        if missing := [name for name in names if name not in values or name not in baseline]:
            raise ValueError(f"values and baseline must name {missing[0]!r}")
        called = judged.probabilities > at
        found, alarms = int((called & judged.rare).sum()), int((called & ~judged.rare).sum())
        rare = int(judged.rare.sum())
        common = len(judged.rare) - rare
        counts.show(judged, at, dotted)
        share = rare / (rare + common)
        roc.show(judged.roc, (alarms / common, found / rare), (0.0, 1.0))
        right = (found / rare, found / (found + alarms)) if found + alarms else None
        precision.show(judged.precision_recall, right, (share, share))
        bars.show(values, baseline)
        told = ", ".join(f"{name} {values[name]:.3f} ({baseline[name]:.3f})" for name in names)
        return (
            f"{rare} rare among {rare + common} samples ({share:.1%}). Above {at:.2f}: {found} of the rare found, "
            f"{alarms} false alarms{'' if right else ', so precision is undefined'}. In brackets, always the common "
            f"class: {told}.{' ' if more else ''}{more}"
        )

    return Picture(figure, move)


class _Counts:
    """Histograms of both classes, and the threshold."""

    def __init__(self, figure: LabelledFigure) -> None:
        self._axes = axes = styled_axes(
            figure.add_axes((0.085, 0.57, 0.29, 0.375)), xlabel="probability of the rare class", ylabel="samples"
        )
        axes.set_yscale("log")
        axes.set_ylim(0.6, 3000)
        axes.set_xlim(0, 1)
        # Bins and axis by square roots: most probabilities of a rare class are small.
        axes.set_xscale("function", functions=(np.sqrt, np.square))
        axes.set_xticks([0, 0.05, 0.2, 0.5, 1], ["0", ".05", ".2", ".5", "1"])
        halves = np.linspace(0, 1, 2 * _BINS + 1) ** 2
        self._edges = halves[::2]
        self._bars = [
            axes.bar(
                halves[side:-1:2],
                np.zeros(_BINS),
                np.diff(halves)[side::2],
                bottom=0.6,
                align="edge",
                color=colour,
                animated=True,
                zorder=2,
            )
            for side, colour in ((0, pale(REFERENCE, strength=0.7)), (1, _RARE))
        ]
        self._line = axes.axvline(0.5, color=INK, linewidth=1.6, animated=True, zorder=3)
        self._marked = axes.axvline(0.5, color=INK, linewidth=1.4, linestyle=":", animated=True, zorder=3)

    def show(self, judged: Judged, threshold: float, marked: float) -> None:
        for bars, which in zip(self._bars, (~judged.rare, judged.rare), strict=True):
            heights, _ = np.histogram(judged.probabilities[which], self._edges)
            for bar, height in zip(bars, heights, strict=True):
                bar.set_height(max(float(height) - 0.6, 0.0))
        self._line.set_xdata([threshold, threshold])
        self._marked.set_xdata([marked, marked])


class _CurveOf:
    """A curve over all thresholds, and a dot at one of them."""

    def __init__(self, figure: LabelledFigure, left: float, xlabel: str, ylabel: str) -> None:
        axes = styled_axes(figure.add_axes((left, 0.57, 0.22, 0.375)), xlabel=xlabel, ylabel=ylabel)
        axes.xaxis.label.set_fontsize(TEXT_SIZE - 1)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xticks([0, 0.5, 1])
        axes.set_yticks([0, 0.5, 1])
        [self._none] = axes.plot([], [], color=REFERENCE, linewidth=1.2, linestyle=":", animated=True)
        [self._line] = axes.plot([], [], color=_CURVE, linewidth=MEDIAN_WIDTH, animated=True)
        [self._dot] = axes.plot([], [], "o", color=INK, markersize=7, animated=True, clip_on=False)

    def show(self, curve: Floats, at: tuple[float, float] | None, unordered: tuple[float, float]) -> None:
        self._none.set_data([0, 1], unordered)
        self._line.set_data(curve[:, 0], curve[:, 1])
        self._dot.set_data([] if at is None else [at[0]], [] if at is None else [at[1]])


class _Bars:
    """Metrics as bars, with a tick at what naming the common class would get."""

    def __init__(self, figure: LabelledFigure, names: Sequence[str]) -> None:
        self._names = list(names)
        axes = styled_axes(figure.add_axes((0.19, 0.075, 0.72, 0.36)), xlabel="value")
        axes.set_xlim(_LOWEST, 1)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), list(names))
        axes.tick_params(axis="y", length=0)
        axes.axvline(0, color=REFERENCE, linewidth=1)
        colours = [ACCURACY if name == "accuracy" else LOSS if "loss" in name else OTHER[2] for name in names]
        self._bars = axes.barh(range(len(names)), np.zeros(len(names)), 0.62, color=colours, animated=True, zorder=2)
        self._ticks = [
            axes.plot([0, 0], [k - 0.42, k + 0.42], color=INK, linewidth=2, animated=True, zorder=3)[0]
            for k in range(len(names))
        ]
        self._numbers = [
            axes.text(
                1.01,
                k,
                "",
                transform=axes.get_yaxis_transform(),
                fontsize=TEXT_SIZE,
                color=INK,
                va="center",
                animated=True,
            )
            for k in range(len(names))
        ]

    def show(self, values: Mapping[str, float], baseline: Mapping[str, float]) -> None:
        for name, bar, tick, number in zip(self._names, self._bars, self._ticks, self._numbers, strict=True):
            bar.set_width(max(float(values[name]), _LOWEST))
            at = max(float(baseline[name]), _LOWEST)
            tick.set_xdata([at, at])
            number.set_text(f"{values[name]:.3f}")


def ratio_figure(
    ratios: Sequence[float], values: Mapping[str, ArrayLike], *, title: str, xlabel: str
) -> LabelledFigure:
    """Metrics over how rare a class is: every draw pale, the median bold.

    Parameters
    ----------
    ratios : (ratio,) of the common class to the rare one.
    values : for each metric's name (ratio, draw) values; up to six.
    title : the finding.
    xlabel : what the ratio is of.
    """
    figure = LabelledFigure(sentence=title, width=840, height=400)
    axes = styled_axes(figure.add_axes((0.075, 0.135, 0.73, 0.73)), xlabel=xlabel, ylabel="value")
    axes.set_xscale("log")
    axes.set_xticks(list(ratios), [f"{one:g}" for one in ratios])
    axes.minorticks_off()
    colours = (_RARE, _CURVE, "#8A6100", INK, REFERENCE)
    other = iter(colours)
    ends, shades, told = [], [], []
    for name, given in values.items():
        colour = ACCURACY if name == "accuracy" else LOSS if "loss" in name else next(other)
        rows = as_numbers(given, name).astype(np.float64)
        medians = np.median(rows, axis=1)
        axes.plot(list(ratios), rows, color=pale(colour), linewidth=0.8, zorder=2)
        axes.plot(list(ratios), medians, color=colour, linewidth=MEDIAN_WIDTH, zorder=3)
        ends.append(float(medians[-1]))
        shades.append(colour)
        told.append(f"{name} from {medians[0]:.2f} to {medians[-1]:.2f}")
    axes.set_xlim(ratios[0], ratios[-1])
    axes.set_ylim(-0.05, 1.05)
    EndLabels(axes, list(values), shades).place(ends)
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    figure.text(0.99, 0.9, "bold: median", fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", ha="right")
    figure.sentence = f"{as_sentence(title)} Medians over draws: {'; '.join(told)}."
    return figure

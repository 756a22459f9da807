"""A training's curves with the bounds that its accuracies set, the epochs that show a finding, and the findings."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatterSciNotation, NullFormatter, ScalarFormatter
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers
from lossacc_helpers.attainable import attainable_loss
from lossacc_helpers.clinic import Diagnosis, Log
from lossacc_helpers.clinic.causes import HARMLESS
from lossacc_helpers.clinic.evidence import ceiling
from lossacc_helpers.figures.picture import LabelledFigure, Picture, draw
from lossacc_helpers.figures.style import (
    ACCURACY,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    PAPER,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    TRAINING,
    VALIDATION,
    EndLabels,
    as_sentence,
    pale,
    styled_axes,
)

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 840, 480
_MOST = 6  # findings that are shown
_MARKED = "#FFF0B8"
_HARMLESS, _TROUBLE = OTHER[0], "#A8487F"
_WIDE = 30.0  # losses that differ by more than this factor are drawn on a logarithmic axis


def clinic_picture() -> Picture:
    """A training's curves and what the clinic finds in them.

    The state is ``diagnosis``, a `Diagnosis`, and ``more``, words that follow in the readout.
    """
    figure = LabelledFigure(
        sentence=(
            "Left: loss above and accuracy below, epoch by epoch, training solid and validation dashed; grey, dotted: "
            "the floor below which no log loss with the validation accuracy can lie (with the training accuracy, where "
            "there is no other), and, where the number of classes is known, what calibrated predictions would cost at "
            "most; yellow: the epochs that show the first finding. Right: the findings of the clinic, the better the "
            "longer."
        ),
        width=_WIDTH,
        height=_HEIGHT,
    )
    losses, accuracies, findings = _Losses(figure), _Accuracies(figure), _Findings(figure)

    def move(*, diagnosis: Diagnosis, more: str = "") -> str:
        log = diagnosis.log
        losses.show(diagnosis)
        accuracies.show(diagnosis)
        findings.show(diagnosis)
        best = diagnosis.best
        told = "; ".join(f"{one.slug} {one.score:.2f}" for one in diagnosis.findings[:_MOST])
        count = len(log.epochs)
        return (
            f"{count} epoch{'s' if count > 1 else ''}. {told}. Evidence of the first: {best.evidence[0]}"
            f"{' ' if more else ''}{more}"
        )

    return Picture(figure, move)


def clinic_figure(diagnosis: Diagnosis) -> LabelledFigure:
    """Return the picture of one diagnosis."""
    return draw(clinic_picture, diagnosis=diagnosis)


class _Panel:
    """Two lines over epochs, named at their ends, with epochs marked."""

    def __init__(self, axes: Axes, colour: str, names: tuple[str, ...]) -> None:
        self.axes = axes
        self.lines = [
            axes.plot([], [], color=colour, linewidth=MEDIAN_WIDTH, linestyle=style, markersize=5, zorder=3)[0]
            for style in (TRAINING, VALIDATION)
        ]
        self.labels = EndLabels(axes, names, [colour, colour, *[REFERENCE] * (len(names) - 2)])
        self._marks: list[object] = []

    def lay_out(self, log: Log, marked: tuple[int, ...]) -> None:
        """Set the epochs, and mark some."""
        first, last = float(log.epochs[0]), float(log.epochs[-1])
        if last == first:
            first, last = first - 1, last + 1
        self.axes.set_xlim(first, last)
        for old in self._marks:
            old.remove()  # type: ignore[attr-defined]
        chosen = np.isin(log.epochs, marked)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(int), [0]])))
        self._marks = [
            self.axes.axvspan(
                max(float(log.epochs[start]) - 0.5, first),
                min(float(log.epochs[stop - 1]) + 0.5, last),
                color=_MARKED,
                linewidth=0,
                zorder=0.5,
            )
            for start, stop in zip(edges[::2], edges[1::2], strict=True)
        ]

    def draw_line(self, which: int, log: Log, values: Floats | None) -> float | None:
        """Draw one of the lines and return its last height."""
        line = self.lines[which]
        if values is None:
            line.set_data([], [])
            return None
        line.set_data(log.epochs, values)
        finite = np.isfinite(values)
        line.set_marker("o" if finite.sum() == 1 else "")
        return float(values[finite][-1]) if finite.any() else None


class _Losses(_Panel):
    def __init__(self, figure: LabelledFigure) -> None:
        axes = styled_axes(figure.add_axes((0.085, 0.56, 0.485, 0.4)), ylabel="loss", colour=LOSS, whole_x=True)
        axes.tick_params(labelbottom=False)
        super().__init__(axes, LOSS, ("training", "validation", "floor", "calibrated"))
        [self._floor] = axes.plot([], [], color=REFERENCE, linewidth=1.2, linestyle=":", zorder=2)
        [self._ceiling] = axes.plot([], [], color=REFERENCE, linewidth=1.2, linestyle="-.", zorder=2)

    def show(self, diagnosis: Diagnosis) -> None:
        log = diagnosis.log
        self.lay_out(log, diagnosis.best.epochs)
        accuracy = log.validation_accuracy if log.validation_accuracy is not None else log.accuracy
        curves = [one for one in (log.loss, log.validation_loss) if one is not None]
        finite = np.concatenate([one[np.isfinite(one)] for one in curves]) if curves else np.zeros(0)
        bounds: list[Floats | None] = [None, None]
        if accuracy is not None and not (len(finite) and finite.min() < 0):
            bounds[0] = _where_finite(accuracy, lambda share: attainable_loss(share)[0])
            if diagnosis.classes:
                bounds[1] = _where_finite(accuracy, partial(ceiling, classes=diagnosis.classes))
        ends: list[float | None] = []
        for line, values in zip((self._floor, self._ceiling), bounds, strict=True):
            line.set_data([] if values is None else log.epochs, [] if values is None else values)
            shown = None if values is None or not np.isfinite(values).any() else values[np.isfinite(values)]
            ends.append(None if shown is None else float(shown[-1]))
        self._scale(finite, [one for one in bounds if one is not None])
        self.labels.texts[2].set_text("floor" if log.validation_accuracy is None else "floor of val.")
        self.labels.place(
            [self.draw_line(0, log, log.loss), self.draw_line(1, log, log.validation_loss), ends[0], ends[1]]
        )

    def _scale(self, finite: Floats, bounds: list[Floats]) -> None:
        """Choose an axis that holds what was printed; bounds may leave it."""
        if not len(finite):
            self.axes.set_yscale("linear")
            self.axes.set_ylim(0, 1)
            return
        low, high = float(finite.min()), float(finite.max())
        if low > 0 and high > _WIDE * low:
            self.axes.set_yscale("log")
            self.axes.set_ylim(low / 1.5, 1.5 * high)
            decades = np.log10(high / low)
            self.axes.yaxis.set_major_formatter(LogFormatterSciNotation() if decades > 4 else ScalarFormatter())
            self.axes.yaxis.set_minor_formatter(NullFormatter())
            return
        self.axes.set_yscale("linear")
        top = max([high, *(float(np.nanmax(one)) for one in bounds if np.isfinite(one).any())])
        top = min(top, 6 * high) if high > 0 else high
        margin = 0.06 * (top - min(low, 0.0) or 1.0)
        self.axes.set_ylim(low - margin if low < 0 else 0.0, top + margin)


def _where_finite(accuracy: Floats, bound: Callable[[Floats], Any]) -> Floats:
    values = np.full(len(accuracy), np.nan)
    known = np.isfinite(accuracy)
    values[known] = bound(accuracy[known])
    return values


class _Accuracies(_Panel):
    def __init__(self, figure: LabelledFigure) -> None:
        axes = figure.add_axes((0.085, 0.105, 0.485, 0.4))
        styled_axes(axes, xlabel="epoch", ylabel="accuracy", colour=ACCURACY, whole_x=True)
        axes.set_ylim(-0.02, 1.02)
        super().__init__(axes, ACCURACY, ("training", "validation", "chance"))
        self._chance = axes.axhline(0.5, color=REFERENCE, linewidth=1.2, linestyle=":", zorder=1.5)

    def show(self, diagnosis: Diagnosis) -> None:
        log = diagnosis.log
        self.lay_out(log, diagnosis.best.epochs)
        self._chance.set_visible(diagnosis.classes is not None)
        chance = 1 / diagnosis.classes if diagnosis.classes else None
        if chance is not None:
            self._chance.set_ydata([chance, chance])
        ends = [self.draw_line(0, log, log.accuracy), self.draw_line(1, log, log.validation_accuracy)]
        self.labels.place([*ends, chance])


class _Findings:
    """What was found, as bars with their names above them."""

    def __init__(self, figure: LabelledFigure) -> None:
        axes = figure.add_axes((0.69, 0.105, 0.285, 0.855))
        axes.set_facecolor(PAPER)
        axes.set_xlim(0, 1)
        axes.set_ylim(_MOST - 0.05, -0.35)
        axes.set_yticks([])
        axes.tick_params(colors=INK, labelsize=TEXT_SIZE, length=3)
        axes.set_xlabel("score (how well it fits; no probability)", fontsize=TEXT_SIZE - 1, color=INK)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(REFERENCE)
        self._bars = axes.barh(np.arange(_MOST) + 0.42, np.zeros(_MOST), 0.34, zorder=2)
        self._names = [axes.text(0, k + 0.1, "", fontsize=TEXT_SIZE, color=INK, va="center") for k in range(_MOST)]
        self._numbers = [
            axes.text(0, k + 0.42, "", fontsize=TEXT_SIZE - 1, color=INK, va="center", ha="right") for k in range(_MOST)
        ]

    def show(self, diagnosis: Diagnosis) -> None:
        for k, (bar, name, number) in enumerate(zip(self._bars, self._names, self._numbers, strict=True)):
            found = diagnosis.findings[k] if k < len(diagnosis.findings) else None
            for part in (bar, name, number):
                part.set_visible(found is not None)
            if found is None:
                continue
            harmless = found.slug in HARMLESS
            colour = _HARMLESS if harmless else _TROUBLE
            bar.set_width(found.score)
            bar.set_color(pale(colour, strength=0.85 if k == 0 else 0.4))
            name.set_text(found.slug)
            name.set_fontweight("bold" if k == 0 else "normal")
            number.set_text(f"{found.score:.2f}")
            number.set_x(found.score - 0.02)
            number.set_color(PAPER if k == 0 and not harmless else INK)


def logs_figure(logs: Mapping[str, Log], *, title: str) -> LabelledFigure:
    """Losses above and accuracies below of up to three logs side by side, and nothing of what the clinic finds.

    Parameters
    ----------
    logs : by the name that is written above each.
    title : of all.
    """
    if not 1 <= len(logs) <= 3:
        raise ValueError(f"logs must be one to three; got {len(logs)}")
    figure = LabelledFigure(sentence=title, width=_WIDTH, height=420)
    width = 0.93 / len(logs)
    told = []
    for k, (name, log) in enumerate(logs.items()):
        pair = []
        for row, (field, colour) in enumerate((("loss", LOSS), ("accuracy", ACCURACY))):
            axes = figure.add_axes(
                (0.07 + k * width, 0.5 - 0.385 * row, (0.72 if len(logs) > 1 else 0.97) * width, 0.325)
            )
            styled_axes(axes, ylabel=field, xlabel="epoch" if row else "", colour=colour, whole_x=True)
            for which, style in (("", TRAINING), ("validation_", VALIDATION)):
                values = getattr(log, which + field)
                if values is None:
                    continue
                axes.plot(log.epochs, values, color=colour, linewidth=MEDIAN_WIDTH, linestyle=style)
                pair.append(f"{'validation' if which else 'training'} {field} {values[0]:.3g} to {values[-1]:.3g}")
            axes.set_ylim(0, 1.05 if row else 1.08 * axes.get_ylim()[1])
            axes.tick_params(labelbottom=bool(row))
        told.append(f"{name}: {', '.join(pair)}")
        figure.text(0.07 + k * width, 0.85, name, fontsize=TEXT_SIZE, fontweight="bold", color=INK)
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    figure.text(
        0.99, 0.92, "solid: training, dashed: validation", fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", ha="right"
    )
    figure.sentence = f"{as_sentence(title)} {'; '.join(told)}."
    return figure


def images_figure(images: ArrayLike, captions: Sequence[str], *, title: str, columns: int = 8) -> LabelledFigure:
    """Small grey images in rows, each with a caption below it.

    Parameters
    ----------
    images : (image, height, width), the greater the darker.
    captions : one for each; up to two lines.
    title : of all.
    columns : images in a row.
    """
    pixels = as_numbers(images, "images").astype(np.float64)
    if pixels.ndim != 3 or not len(pixels) or len(pixels) != len(captions):
        raise ValueError(f"images must be (image, height, width) with a caption each; got {pixels.shape}")
    rows = -(-len(pixels) // columns)
    height = 44 + 140 * rows
    figure = LabelledFigure(sentence=title, width=_WIDTH, height=height)
    for k, (image, caption) in enumerate(zip(pixels, captions, strict=True)):
        row, column = divmod(k, columns)
        left, top = 0.02 + 0.97 * column / columns, 1 - (40 + 140 * row) / height
        axes = figure.add_axes((left, top - 92 / height, 0.85 * 0.97 / columns, 92 / height))
        axes.imshow(image, cmap="gray_r", interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel(caption, fontsize=TEXT_SIZE - 1, color=INK)
    figure.text(0.012, 1 - 10 / height, title, fontsize=TITLE_SIZE, color=INK, va="top")
    figure.sentence = f"{as_sentence(title)} {'; '.join(one.replace(chr(10), ', ') for one in captions)}."
    return figure

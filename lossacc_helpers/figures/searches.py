"""What searches for few errors find and what they cost: boundaries among points, evaluations against dimension."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers, as_two_classes
from lossacc_helpers.figures.picture import LabelledFigure
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

_COLOURS = (LOSS, ACCURACY, OTHER[0])  # of what makes a loss least, of what makes accuracy greatest, of a third
_LINES = ("-", (0, (5, 2)), (0, (1, 1.2)))
_SPAN = 8.0


def boundaries_figure(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike, Mapping[str, ArrayLike]]], *, title: str
) -> LabelledFigure:
    """Points of two classes in a plane and the lines that divide them, two panels in a row.

    Parameters
    ----------
    panels : for each panel's name the features (sample, 2), the signs (sample,) and up to three boundaries by name,
        weights (3,) whose last is the intercept; the same names in all.
    title : the finding.

    Raises `ValueError` for no panel, other shapes, more than three boundaries, and other names in one panel.
    """
    if not panels:
        raise ValueError("panels must hold one panel at least")
    names = list(next(iter(panels.values()))[2])
    if not 0 < len(names) <= len(_COLOURS) or any(list(one[2]) != names for one in panels.values()):
        raise ValueError("each panel needs the same boundaries, one to three")
    rows = -(-len(panels) // 2)
    height = 78 + 305 * rows
    figure = LabelledFigure(sentence=title, width=840, height=height)
    told = []
    for k, (name, (features, signs, boundaries)) in enumerate(panels.items()):
        points, truths = as_two_classes(features, signs)
        if points.shape[1] != 2:
            raise ValueError(f"features must have shape (sample, 2); got {points.shape}")
        row, column = divmod(k, 2)
        box = (0.075 + 0.49 * column, 1 - (78 + 305 * row + 238) / height, 0.415, 225 / height)
        axes = styled_axes(figure.add_axes(box), xlabel="first feature", ylabel="second feature")
        axes.set_xlim(-_SPAN, _SPAN)
        axes.set_ylim(-_SPAN, _SPAN)
        for sign, marker, colour in ((-1, "o", REFERENCE), (1, "+", INK)):
            of = truths == sign
            axes.plot(
                points[of, 0], points[of, 1], marker, color=colour, markersize=4 + 2 * (marker == "+"), mfc="none"
            )
        errors = []
        for colour, style, (label, given) in zip(_COLOURS, _LINES, boundaries.items(), strict=False):
            weights = as_numbers(given, label).astype(np.float64)
            if weights.shape != (3,):
                raise ValueError(f"{label} must have shape (3,), the intercept last; got {weights.shape}")
            axes.plot(*_line(weights), color=colour, linestyle=style, linewidth=MEDIAN_WIDTH, zorder=3)
            errors.append(int(np.sum(truths * (points @ weights[:2] + weights[2]) <= 0)))
        axes.text(0, 1.025, f"{name}: ", transform=axes.transAxes, fontsize=TEXT_SIZE, color=INK)
        counts = ", ".join(f"{count} wrong by {label}" for count, label in zip(errors, names, strict=True))
        told.append(f"{name}: {counts}")
        _in_colours(axes, len(name) + 2, errors)
    figure.sentence = f"{as_sentence(title)} Points of two classes and boundaries. {'; '.join(told)}."
    figure.text(0.012, 1 - 5 / height, title, fontsize=TITLE_SIZE, color=INK, va="top")
    place = 0.012
    for name, colour in zip(["number of errors, and boundary, of", *names], [INK, *_COLOURS], strict=False):
        shown = figure.text(place, 1 - 30 / height, name, fontsize=TEXT_SIZE, color=colour, va="top")
        place += shown.get_window_extent(figure.agg.get_renderer()).width / 840 + 0.015
    return figure


def _in_colours(axes: Any, after: int, errors: Sequence[int]) -> None:
    """Write the errors of a panel beside its name, each in its boundary's colour."""
    figure = axes.get_figure(root=True)
    width = axes.get_window_extent().width
    place = axes.texts[-1].get_window_extent(figure.agg.get_renderer()).width / width + 0.012
    for colour, count in zip(_COLOURS, errors, strict=False):
        shown = axes.text(place, 1.025, f"{count}", transform=axes.transAxes, fontsize=TEXT_SIZE, color=colour)
        shown.set_fontweight("bold")
        place += shown.get_window_extent(figure.agg.get_renderer()).width / width + 0.025


def _line(weights: Floats) -> tuple[Floats, Floats]:
    """Two far points of the line where the score is 0; of weights that give no line, none."""
    normal = weights[:2]
    length = float(np.hypot(*normal))
    if length == 0:
        return np.array([]), np.array([])
    foot = -weights[2] * normal / length**2
    along = 4 * _SPAN * np.array([-normal[1], normal[0]]) / length
    ends = np.stack([foot - along, foot + along])
    return ends[:, 0], ends[:, 1]


def cost_figure(
    dimensions: Sequence[int], costs: Mapping[str, ArrayLike], *, limit: int, title: str, ylabel: str
) -> LabelledFigure:
    """How many evaluations a search takes, over the number of weights: every seed pale, the median bold.

    Parameters
    ----------
    dimensions : (dimension,) numbers of weights.
    costs : for each search's name evaluations (dimension, seed), infinite where they did not suffice; up to four.
    limit : evaluations that were allowed; what did not suffice is drawn above it.
    title : the finding.
    ylabel : what took so many evaluations.
    """
    figure = LabelledFigure(sentence=title, width=840, height=400)
    axes = styled_axes(figure.add_axes((0.1, 0.135, 0.62, 0.72)), xlabel="weights", ylabel=ylabel)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(list(dimensions), [str(one) for one in dimensions])
    axes.minorticks_off()
    beyond = 2.2 * limit
    axes.axhline(limit, color=REFERENCE, linewidth=1, linestyle=":")
    colours = (ACCURACY, OTHER[0], "#A8487F", LOSS)
    ends, told = [], []
    for colour, (name, given) in zip(colours, costs.items(), strict=False):
        rows = as_numbers(given, name).astype(np.float64)
        medians = np.median(rows, axis=1)
        places = np.repeat(np.asarray(dimensions, dtype=float)[:, None], rows.shape[1], axis=1)
        axes.plot(places, np.minimum(rows, beyond), "o", color=pale(colour), markersize=4, zorder=2)
        held = np.isfinite(medians)
        axes.plot(
            np.asarray(dimensions)[held], medians[held], color=colour, linewidth=MEDIAN_WIDTH, marker="o", zorder=3
        )
        ends.append(float(medians[held][-1]) if held.any() else float(beyond))
        shown = ", ".join(
            f"{count:,.0f} for {one}" if np.isfinite(count) else f"more than {limit:,} for {one}"
            for one, count in zip(dimensions, medians, strict=True)
        )
        told.append(f"{name}: {shown} weights")
    axes.set_xlim(dimensions[0] * 0.85, dimensions[-1] * 1.1)
    axes.set_ylim(1, 2 * beyond)
    EndLabels(axes, [*costs, f"not in {limit:,}"], [*colours[: len(costs)], REFERENCE]).place([*ends, beyond])
    figure.text(0.012, 0.985, title, fontsize=TITLE_SIZE, color=INK, va="top")
    figure.text(0.99, 0.9, "bold: median", fontsize=TEXT_SIZE - 1, color=REFERENCE, va="top", ha="right")
    figure.sentence = f"{as_sentence(title)} Evaluations (median) by search: {'; '.join(told)}."
    return figure

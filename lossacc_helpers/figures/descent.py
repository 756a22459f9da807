"""Descent to look at: many particles on a bumpy landscape, without noise and with it, and single paths step by step."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers, as_whole_number
from lossacc_helpers.descent import CENTRAL_VALLEY, bumpy, bumpy_gradient, in_central_valley
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.style import (
    INK,
    MEDIAN_WIDTH,
    OTHER,
    PAPER,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    EndLabels,
    as_sentence,
    pale,
    styled_axes,
)

Floats = NDArray[np.float64]

_SIDES = {"without noise": OTHER[0], "with noise": "#A8487F"}  # the second of OTHER, dark enough for text
_MOST_PATHS = 6
_LETTER = 7.8  # pixels, in the mean
_TOPS = (0.4, 0.75, 1.3)  # heights of the axes of shares: few, so that they seldom change while a slider moves


@dataclass(frozen=True, eq=False)
class _Side:
    """One of the two crowds: what is drawn of it and moves."""

    name: str
    dots: Any
    bars: Any
    start: Any
    share: Any
    outside: Any
    curve: Any
    now: Any


def descent_picture() -> Picture:
    """Particles on `bumpy` without noise (left) and with noise (right), and the share that is in the central valley.

    The state is ``plain`` and ``noisy`` (positions of (step + 1, particle), as `descend` returns them, from the same
    start) and ``step``, the one that is shown, from 0. Particles that have left the picture are counted, those that
    have run away beyond all numbers too. A state raises `ValueError` for positions of other or different shapes, crowds
    that begin differently, and a step that there is not.
    """
    figure = LabelledFigure(
        sentence=(
            "Particles on a bowl with many valleys, the deepest in the middle: left without noise, right with noise. "
            "Above, where they are; in the middle, which share is in each valley, and the shares at the start in grey; "
            "below, the share in the central valley over the steps."
        ),
        width=840,
        height=540,
    )
    edges = _valleys()
    over_steps = figure.add_axes((0.078, 0.09, 0.78, 0.22))
    styled_axes(over_steps, xlabel="step", ylabel="in central valley")
    here = over_steps.axvline(0, color=REFERENCE, linewidth=1.2, zorder=1.5, animated=True)
    sides, share_axes = [], [over_steps]
    for (name, colour), left in zip(_SIDES.items(), (0.078, 0.54), strict=True):
        above = figure.add_axes((left, 0.615, 0.445, 0.33))
        below = figure.add_axes((left, 0.425, 0.445, 0.17))
        sides.append(_side(name, colour, above, below, over_steps, edges))
        share_axes.append(below)
        if left < 0.1:
            above.set_ylabel("height f(x)", fontsize=TEXT_SIZE, color=INK)
            below.set_ylabel("share", fontsize=TEXT_SIZE, color=INK)
        else:
            above.tick_params(labelleft=False)
            below.tick_params(labelleft=False)
    figure.align_ylabels([axes for axes in figure.axes if axes.get_ylabel()])
    labels = EndLabels(over_steps, list(_SIDES), list(_SIDES.values()))

    def move(*, plain: Any, noisy: Any, step: int) -> str:
        crowds = [_positions(plain, "plain"), _positions(noisy, "noisy")]
        if crowds[0].shape != crowds[1].shape:
            raise ValueError(
                f"plain and noisy must have one shape (step + 1, particle); got {crowds[0].shape}, {crowds[1].shape}"
            )
        if not np.array_equal(crowds[0][0], crowds[1][0], equal_nan=True):
            raise ValueError("plain and noisy must begin alike: give descend the same start for both")
        steps = len(crowds[0]) - 1
        if as_whole_number(step, "step", least=0) > steps:
            raise ValueError(f"step must be at most {steps}, where the descent ends; got {step}")
        central = [in_central_valley(crowd).mean(axis=1) for crowd in crowds]
        bars = [_shares(crowd[step], edges) for crowd in crowds]
        greatest = max(float(np.max(values)) for values in (*central, *bars))
        top = next(height for height in _TOPS if height >= min(1.25 * greatest, _TOPS[-1]))
        for axes in share_axes:
            if axes.get_ylim() != (0, top):
                axes.set_ylim(0, top)
        if over_steps.get_xlim() != (0, steps):
            over_steps.set_xlim(0, steps)
        here.set_xdata([step, step])
        for side, crowd, shares, shown in zip(sides, crowds, central, bars, strict=True):
            _show(side, crowd, shares, shown, step, edges)
        labels.place([float(shares[-1]) for shares in central])
        left, right = (
            _told(side.name, crowd[step], shares[step])
            for side, crowd, shares in zip(sides, crowds, central, strict=True)
        )
        began = f"In the central valley, where {central[0][0]:.1%} began"
        return f"After step {step:,} of {steps:,}. {began}: {left}; {right}."

    return Picture(figure, move)


def path_figure(
    function: Callable[[Floats], Any],
    paths: Mapping[str, ArrayLike],
    *,
    title: str,
    span: tuple[float, float],
    width: int = 840,
    height: int = 300,
) -> LabelledFigure:
    """Return one column for each path: the curve of a function, and the points that a descent visited on it.

    Parameters
    ----------
    function : takes an array of x and returns their heights.
    paths : positions (step + 1,) by name, as `descend` returns them for one particle; up to six. Of what lies outside
        the span only the way out and the way back is drawn; a path that ends there, or beyond all numbers, is said to
        leave, and one that comes back to return.
    title : the finding.
    span : the least and the greatest x shown.
    width, height : size in pixels.

    Raises
    ------
    ValueError
        If there is no path or more than six, a path is no row of positions, or the span is empty.
    """
    if not paths:
        raise ValueError("give at least one path")
    if len(paths) > _MOST_PATHS:
        raise ValueError(f"paths must be at most {_MOST_PATHS}, for their names to be legible; got {len(paths)}")
    low, high = span
    if not low < high:
        raise ValueError(f"span must be (least, greatest); got {span}")
    rows = {name: as_numbers(path, f"the path {name!r}").astype(np.float64) for name, path in paths.items()}
    for name, path in rows.items():
        if path.ndim != 1:
            raise ValueError(f"the path {name!r} must be one particle's, shape (step + 1,); got shape {path.shape}")
    told = [f"{name}: {_path_end(path, low, high)}" for name, path in rows.items()]
    figure = LabelledFigure(sentence=f"{as_sentence(title)} {'; '.join(told)}.", width=width, height=height)
    panels = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
    letters = int(0.88 * width / len(rows) / _LETTER)
    headings = [
        "\n".join([*textwrap.wrap(name, letters), *textwrap.wrap(_path_end(path, low, high), letters)])
        for name, path in rows.items()
    ]
    more = max(heading.count("\n") for heading in headings) - 1  # lines than the two there is room for
    top = 0.76 - max(more, 0) * 1.4 * TEXT_SIZE * figure.dpi / 72 / height
    figure.subplots_adjust(left=0.085, right=0.985, bottom=0.165, top=top, wspace=0.09)
    grid = np.linspace(low, high, 400)
    curve = np.asarray(function(grid), dtype=np.float64)
    margin = 0.08 * float(np.ptp(curve)) or 1.0
    for axes, heading, path in zip(panels, headings, rows.values(), strict=True):
        styled_axes(axes, xlabel="x", ylabel="height f(x)" if axes is panels[0] else "")
        axes.set_title(heading, loc="left", fontsize=TEXT_SIZE, color=INK)
        axes.plot(grid, curve, color=REFERENCE, linewidth=1.4, zorder=2)
        shown = _ways(path, low, high)
        heights = np.full(shown.shape, np.nan)
        there = np.isfinite(shown)
        heights[there] = function(shown[there])
        axes.plot(shown, heights, "o-", color=OTHER[0], linewidth=1.0, markersize=4, zorder=3)
        axes.plot(shown[:1], heights[:1], "o", color=INK, markersize=6, zorder=4)
        axes.set_xlim(low, high)
        axes.set_ylim(float(curve.min()) - margin, float(curve.max()) + margin)
        axes.locator_params(axis="x", nbins=5, prune="both")  # or numbers at the ends of two columns would meet
    figure.text(0.012, 0.975, title, fontsize=TITLE_SIZE, color=INK, va="top")
    return figure


def _valleys() -> Floats:
    """Return the edges of the fifteen valleys that are shown: where the slope of `bumpy` turns from up to down."""
    grid = np.linspace(-8, 8, 3201)
    slope = bumpy_gradient(grid)
    at = np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0))
    edges = grid[at] + (grid[at + 1] - grid[at]) * slope[at] / (slope[at] - slope[at + 1])
    middle = len(edges) // 2
    edges[[middle - 1, middle]] = -CENTRAL_VALLEY, CENTRAL_VALLEY  # to the last digit: bars agree with the curve
    return np.asarray(edges, dtype=np.float64)


def _side(name: str, colour: str, above: Axes, below: Axes, over_steps: Axes, edges: Floats) -> _Side:
    """Draw what stays of one crowd and make what moves."""
    limits = (float(edges[0]), float(edges[-1]))
    grid = np.linspace(*limits, 800)
    for axes in (above, below):
        styled_axes(axes)
        axes.set_xlim(limits)
    above.set_ylim(-0.5, 3.7)
    above.tick_params(labelbottom=False)
    above.set_title(name, loc="left", fontsize=TEXT_SIZE + 1, color=colour)
    above.plot(grid, bumpy(grid), color=REFERENCE, linewidth=1.2, zorder=2)
    below.set_xlabel("x", fontsize=TEXT_SIZE, color=INK, labelpad=0)
    [dots] = above.plot([], [], "o", color=colour, markersize=4, zorder=3, animated=True)
    middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    bars = below.bar(middles, np.zeros(len(middles)), 0.8 * widths, color=pale(colour, strength=0.5), zorder=2)
    bars.patches[len(middles) // 2].set_facecolor(colour)
    for bar in bars:
        bar.set_animated(True)
    [start] = below.plot([], [], color=REFERENCE, linewidth=1.2, zorder=3, animated=True)
    words: dict[str, Any] = {"fontsize": TEXT_SIZE, "ha": "center", "animated": True}
    words["path_effects"] = [withStroke(linewidth=3, foreground=PAPER)]  # lines may pass behind
    share = below.text(0, 0, "", color=colour, va="bottom", fontweight="bold", zorder=4, **words)
    outside = above.text(0.5, 0.93, "", color=INK, va="top", transform=above.transAxes, **words)
    [curve] = over_steps.plot([], [], color=colour, linewidth=MEDIAN_WIDTH, zorder=3, animated=True)
    [now] = over_steps.plot([], [], "o", color=colour, markersize=5, zorder=4, clip_on=False, animated=True)
    return _Side(name, dots, bars, start, share, outside, curve, now)


def _show(side: _Side, crowd: Floats, central: Floats, shares: Floats, step: int, edges: Floats) -> None:
    """Move everything of one crowd to a step."""
    at = crowd[step]
    inside = at[(at > edges[0]) & (at < edges[-1])]
    side.dots.set_data(inside, bumpy(inside))
    for bar, height in zip(side.bars, shares, strict=True):
        bar.set_height(height)
    began, middle = _shares(crowd[0], edges), len(shares) // 2
    side.start.set_data(np.repeat(edges, 2)[1:-1], np.repeat(began, 2))
    side.share.set_position((0, max(shares[middle], *began[middle - 1 : middle + 2])))
    side.share.set_text(f"{central[step]:.1%}")
    gone = len(at) - len(inside)
    side.outside.set_text(f"{_percent(gone / len(at))} outside the picture" if gone else "")
    side.curve.set_data(np.arange(len(central)), central)
    side.now.set_data([step], [central[step]])


def _positions(values: Any, name: str) -> Floats:
    positions = as_numbers(values, name).astype(np.float64)
    if positions.ndim != 2:
        raise ValueError(f"{name} must be positions of shape (step + 1, particle); got shape {positions.shape}")
    if len(positions) < 2:
        raise ValueError(f"{name} must hold the start and at least one step; got shape {positions.shape}")
    return positions


def _shares(at: Floats, edges: Floats) -> Floats:
    """Return the share of all particles that is in each valley."""
    return np.asarray(np.histogram(at[np.isfinite(at)], edges)[0] / len(at), dtype=np.float64)


def _told(name: str, at: Floats, share: float) -> str:
    """Say of one crowd how many are in the centre, how high they lie, and how many have run away."""
    there = at[np.isfinite(at)]
    with np.errstate(over="ignore"):
        height = float(bumpy(there).mean()) if len(there) else np.inf
    high = f"mean height {height:.2f}" if height < 1000 else "mean height above 1,000"
    lost = 1 - len(there) / len(at)
    if lost == 1:
        return f"{name} {share:.1%}, all have run away beyond what a number can hold"
    return f"{name} {share:.1%}, {high}" + (f" ({_percent(lost)} have run away beyond numbers)" if lost else "")


def _percent(share: float) -> str:
    return "under 1%" if share < 0.01 else f"{share:.0%}"


def _ways(path: Floats, low: float, high: float) -> Floats:
    """Return a path within a span, with its ways out and back as points on the curve a little beyond, and gaps between.

    A little: Agg cannot draw to the end of the floats, and one point is enough to show on which side a path leaves.
    """
    inside = (path >= low) & (path <= high)
    beside = np.zeros_like(inside)
    beside[1:] |= inside[:-1]
    beside[:-1] |= inside[1:]
    little = 0.05 * (high - low)
    return np.where(inside | beside, np.clip(path, low - little, high + little), np.nan)


def _path_end(path: Floats, low: float, high: float) -> str:
    """Say where a path ends, and whether it was outside the picture meanwhile."""
    end, inside = float(path[-1]), (path >= low) & (path <= high)
    if np.isnan(end):
        return "becomes no number"
    if not inside[-1]:
        return "leaves the picture"
    return f"{'' if inside.all() else 'leaves, returns; '}after {len(path) - 1} steps: {end:.2g}"

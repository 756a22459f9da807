"""The region of (loss, accuracy) that predictions can reach, with points in it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MultipleLocator

from lossacc_helpers.attainable import attainable_accuracy
from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.style import (
    ACCURACY,
    GRID,
    INK,
    LOSS,
    PAPER,
    REFERENCE,
    TEXT_SIZE,
    TITLE_SIZE,
    spread,
    styled_axes,
)

_LN2 = math.log(2)
_MARKS = ("o", "s", "D", "^", "v", "P")


class AttainableRegion:
    """Axes of loss against accuracy in which whatever no predictions can reach is grey.

    The lower edge, 1 - loss / ln 2, holds for any number of classes. The upper one is there only where the loss is
    clipped, and follows the number of classes. Both speak of the most probable class (for two classes: the threshold
    0.5). Use it inside a `Picture`, or through `attainable_region`.

    Parameters
    ----------
    axes : where to draw.
    loss_limit : highest loss shown, in nats.
    geometric_mean : whether to draw exp(-loss), the geometric mean of the true classes' probabilities.
    """

    def __init__(self, axes: Axes, *, loss_limit: float = 2.0, geometric_mean: bool = False) -> None:
        self.axes = styled_axes(axes, xlabel="loss (nats)", ylabel="accuracy", colour=ACCURACY)
        self.axes.xaxis.label.set_color(LOSS)
        self.loss_limit = loss_limit
        axes.set_xlim(0, loss_limit)
        axes.set_ylim(-0.03, 1.03)
        axes.xaxis.set_major_locator(MultipleLocator(0.5 if loss_limit <= 3 else 2))
        self._grid = np.linspace(0, loss_limit, 401)
        axes.fill_between([0, _LN2], [1, 0], -0.03, color=GRID, zorder=1, linewidth=0)
        axes.plot([0, _LN2], [1, 0], color=REFERENCE, linewidth=1.6, zorder=2)
        self._name_the_grey()
        if geometric_mean:
            axes.plot(self._grid, np.exp(-self._grid), color=REFERENCE, linewidth=1.2, linestyle=":", zorder=2)
            axes.text(
                0.5 * loss_limit,
                math.exp(-0.5 * loss_limit) + 0.02,
                "exp(−loss)",
                fontsize=TEXT_SIZE - 1,
                color=REFERENCE,
                va="bottom",
            )
        # A polygon whose corners move: the part above the upper edge, empty where nothing is clipped.
        [self._above] = axes.fill([0, 0, 0], [1, 1, 1], color=GRID, zorder=1, linewidth=0, animated=True)
        [self._upper] = axes.plot([], [], color=REFERENCE, linewidth=1.6, zorder=2, animated=True)

    def _name_the_grey(self) -> None:
        """Write into the grey triangle, upwards where it is too narrow for a word."""
        figure = self.axes.get_figure(root=True)
        assert figure is not None  # axes without a figure show nothing
        width = self.axes.get_position(original=True).width * figure.get_figwidth() * figure.dpi
        narrow = width * _LN2 / self.loss_limit < 120  # pixels
        self.axes.text(
            (0.025 if narrow else 0.01) * self.loss_limit,
            0.01 if narrow else -0.01,
            "impossible",
            fontsize=TEXT_SIZE - 1,
            color=REFERENCE,
            va="bottom",
            rotation=90 if narrow else 0,
        )

    def show(self, *, classes: int | None = None, clip: float | None = None) -> None:
        """Draw the upper edge for so many classes and this clipping; without clipping there is none."""
        if classes is None or clip is None:
            self._above.set_xy(np.zeros((3, 2)))
            self._upper.set_data([], [])
            return
        limit = min(self.loss_limit, -math.log(clip))
        grid = self._grid[self._grid <= limit]
        _, greatest = attainable_accuracy(grid, classes=classes, clip=clip)
        edge = np.stack([grid, np.asarray(greatest)], axis=-1)
        beyond = [[self.loss_limit, 0.0]] if limit < self.loss_limit else []
        self._above.set_xy(np.concatenate([edge, [*beyond, [self.loss_limit, 1.03], [0.0, 1.03]]]))
        self._upper.set_data(grid, greatest)


def attainable_region(
    points: Mapping[str, tuple[float, float]],
    *,
    title: str,
    classes: int | None = None,
    clip: float | None = None,
    loss_limit: float = 2.0,
    geometric_mean: bool = False,
    width: int = 840,
    height: int = 400,
) -> LabelledFigure:
    """Return the region that predictions can reach, with named points in it.

    Parameters
    ----------
    points : (loss in nats, accuracy) by name.
    title : the finding.
    classes, clip : as in `attainable_accuracy`; they draw the upper edge.
    loss_limit : highest loss shown, in nats.
    geometric_mean : whether to draw exp(-loss).
    width, height : size in pixels.

    Raises
    ------
    ValueError
        If a point lies outside the axes.
    """
    for name, (loss, accuracy) in points.items():
        if not 0 <= loss <= loss_limit or not 0 <= accuracy <= 1:
            raise ValueError(f"point {name!r} at loss {loss:g}, accuracy {accuracy:g} lies outside the axes")
    told = "; ".join(f"{name}: loss {loss:.3f}, accuracy {accuracy:.3f}" for name, (loss, accuracy) in points.items())
    figure = LabelledFigure(
        sentence=f"{title.rstrip('.')}: accuracy against loss, with everything below the line 1 − loss / ln 2 grey."
        + (f" {told}." if told else ""),
        width=width,
        height=height,
    )
    axes = figure.add_axes((0.075, 0.14, 0.905, 0.74))
    region = AttainableRegion(axes, loss_limit=loss_limit, geometric_mean=geometric_mean)
    region.show(classes=classes, clip=clip)
    for artist in axes.findobj(Artist.get_animated):
        artist.set_animated(False)  # nothing moves here, and what moves would be drawn over the points
    figure.text(0.012, 0.98, title, fontsize=TITLE_SIZE, color=INK, va="top")
    _name_points(axes, points)
    return figure


def _name_points(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Mark the points and write each one's name beside it, on the side that has room, apart from each other."""
    gap = 0.06
    heights = spread([accuracy for _, accuracy in points.values()], gap=gap, low=0.04, high=0.95)
    for index, ((name, (loss, accuracy)), height) in enumerate(zip(points.items(), heights, strict=True)):
        axes.plot([loss], [accuracy], _MARKS[index % len(_MARKS)], color=INK, markersize=8, zorder=4, clip_on=False)
        left = loss > 0.7 * axes.get_xlim()[1]
        settings: dict[str, Any] = {"ha": "right" if left else "left", "va": "center", "zorder": 5}
        settings["path_effects"] = [withStroke(linewidth=3, foreground=PAPER)]  # lines may pass behind the name
        shift = (-0.012 if left else 0.012) * axes.get_xlim()[1]
        axes.text(loss + shift, height, name, fontsize=TEXT_SIZE, color=INK, **settings)

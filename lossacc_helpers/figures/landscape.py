"""The picture of lesson 06's explorer: accuracy and loss of a linear classifier over a plane of its weights."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers, as_positive
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.style import (
    ACCURACY,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    PAPER,
    TEXT_SIZE,
    EndLabels,
    styled_axes,
)
from lossacc_helpers.surrogates import smoothed_zero_one

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 840, 620
_CELLS = 81  # of a map, in each direction
_ALONG = 1201  # points of a curve
_SMOOTHED = OTHER[0]


@dataclass(frozen=True, eq=False)
class Landscape:
    """A plane in the weight space of a linear classifier of two classes, and lines in it.

    Parameters
    ----------
    features : (sample, coordinate)
        With a column of ones, if there is an intercept.
    signs : (sample,)
        -1 or 1.
    centre : (coordinate,)
        The weights in the middle of the plane.
    directions : (2, coordinate)
        What one step to the right, and one step up, adds to the weights.

    Raises `ValueError` for other shapes and for signs that are not -1 or 1.
    """

    features: Floats
    signs: Floats
    centre: Floats
    directions: Floats

    def __post_init__(self) -> None:
        for name in ("features", "signs", "centre", "directions"):
            array = as_numbers(getattr(self, name), name).astype(np.float64)
            if not np.isfinite(array).all():
                raise ValueError(f"{name} must be finite")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        wanted = (len(self.signs), len(self.centre))
        if self.features.shape != wanted or self.directions.shape != (2, wanted[1]):
            raise ValueError(
                f"features must have shape (sample, coordinate) = {wanted} and directions (2, {wanted[1]}); got "
                f"{self.features.shape} and {self.directions.shape}"
            )
        if not np.isin(self.signs, (-1, 1)).all():
            raise ValueError("signs must be -1 or 1")

    def margins(self, right: ArrayLike, up: ArrayLike) -> Floats:
        """Return the margins (..., sample) at places of the plane, whose two coordinates broadcast."""
        here, along_x, along_y = (self.signs * (self.features @ w) for w in (self.centre, *self.directions))
        x, y = (np.asarray(one, dtype=np.float64)[..., None] for one in (right, up))
        return np.asarray(here + x * along_x + y * along_y)

    def steps(self, angle: float, reach: float) -> Floats:
        """Return where on a line through the centre a sample crosses, (crossing,), ascending, within +-`reach`.

        `angle` in degrees, 0 to the right.
        """
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        here = self.margins(0.0, 0.0)
        along = self.margins(cos, sin) - here
        with np.errstate(divide="ignore", invalid="ignore"):
            at = -here / along
        return np.sort(at[np.isfinite(at) & (np.abs(at) <= reach)])


def landscape_picture(landscape: Landscape) -> Picture:
    """Maps of accuracy and of log loss over a plane of weights, and both along a line through it.

    The state is ``angle`` of the line in degrees, ``reach`` (how far the picture goes from its centre) and
    ``sharpness`` of the smoothed accuracy, whose sigmoid is that wide in units of the margin. A state raises
    `ValueError`, and leaves the picture as it is, for a reach or a sharpness that is not above 0.
    """
    figure = LabelledFigure(
        sentence=(
            "Above: maps of accuracy (left, blue) and log loss (right, vermilion) over a plane of weights. Below: both "
            "along the line that is drawn in the maps; accuracy as a staircase, with its smoothed form in green."
        ),
        width=_WIDTH,
        height=_HEIGHT,
    )
    maps = [
        _Map(figure, left, colour, name)
        for left, colour, name in ((0.1, ACCURACY, "accuracy"), (0.6, LOSS, "log loss (nats)"))
    ]
    curves = [
        _Curve(figure, 0.1, ACCURACY, "accuracy", smoothed=True),
        _Curve(figure, 0.6, LOSS, "log loss (nats)"),
    ]

    def move(*, angle: float, reach: float, sharpness: float) -> str:
        turn, far = as_number(angle, "angle"), as_positive(reach, "reach")
        if not np.isfinite(turn):
            raise ValueError(f"angle must be finite; got {turn:g}")
        along = np.linspace(-far, far, _ALONG)
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        margins = landscape.margins(along * cos, along * sin)
        smooth = 1 - smoothed_zero_one(margins, sharpness).mean(axis=-1)
        accuracy, loss = (margins > 0).mean(axis=-1), np.logaddexp(0, -margins).mean(axis=-1)
        places = np.linspace(-far, far, _CELLS)
        plane = landscape.margins(places[None, :], places[:, None])
        maps[0].show((plane > 0).mean(axis=-1), far, turn)
        maps[1].show(np.logaddexp(0, -plane).mean(axis=-1), far, turn)
        crossings = landscape.steps(turn, far)
        curves[0].show(along, accuracy, smooth)
        curves[1].show(along, loss)
        here = landscape.margins(0.0, 0.0)
        rises = landscape.margins(cos, sin) - here
        step = smoothed_zero_one(here, sharpness)
        slopes = [np.mean(-smoothed_zero_one(here, 1.0) * rises), np.mean(step * (1 - step) * rises) / sharpness]
        count = len(crossings)
        return (
            f"Along the line at {turn:g} degrees, from {-far:.3g} to {far:.3g}: {count} "
            f"sample{' crosses' if count == 1 else 's cross'}, and accuracy is flat everywhere else; it goes from "
            f"{accuracy.min():.3f} to {accuracy.max():.3f}. Log loss goes from {loss.min():.4f} to {loss.max():.4f}; "
            f"at the centre its slope is {slopes[0]:+.4f}. Smoothed accuracy (sharpness {sharpness:g}) has a slope of "
            f"{slopes[1]:+.4f} there."
        )

    return Picture(figure, move)


class _Map:
    """A map of one quantity, and the line through its centre."""

    def __init__(self, figure: LabelledFigure, left: float, colour: str, name: str) -> None:
        self._axes = axes = figure.add_axes((left, 0.5, 0.37, 0.44))
        axes.tick_params(labelsize=TEXT_SIZE, length=0, colors=INK)
        self._name = name
        self._title = axes.text(
            0, 1.03, "", transform=axes.transAxes, fontsize=TEXT_SIZE, color=colour, va="bottom", animated=True
        )
        shades = LinearSegmentedColormap.from_list(name, [PAPER, colour])
        self._image = axes.imshow(
            np.zeros((_CELLS, _CELLS)),
            origin="lower",
            cmap=shades,
            aspect="auto",
            animated=True,
            interpolation="nearest",
        )
        [self._line] = axes.plot([], [], color=INK, linewidth=1.4, animated=True)
        [self._dot] = axes.plot([0], [0], "o", color=INK, markersize=6, animated=True)

    def show(self, values: Floats, reach: float, angle: float) -> None:
        self._image.set_data(values)
        low, high = float(values.min()), float(values.max())
        self._image.set_clim(low if low < high else low - 1, high)  # one value throughout has the full colour
        told = f"{low:.4g} throughout" if low == high else f"{low:.4g} (white) to {high:.4g}"
        self._title.set_text(f"{self._name}, {told}")
        edges = reach * (1 + 1 / (_CELLS - 1))
        self._image.set_extent((-edges, edges, -edges, edges))
        _limits(self._axes, (-edges, edges), (-edges, edges))
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        self._line.set_data([-reach * cos, reach * cos], [-reach * sin, reach * sin])


class _Curve:
    """One quantity along the line."""

    def __init__(self, figure: LabelledFigure, left: float, colour: str, name: str, *, smoothed: bool = False) -> None:
        width = 0.30 if smoothed else 0.37
        self._axes = axes = styled_axes(
            figure.add_axes((left, 0.085, width, 0.32)), xlabel="along the line", ylabel=name, colour=colour
        )
        [self._line] = axes.plot([], [], color=colour, linewidth=MEDIAN_WIDTH, zorder=3, animated=True)
        self._smooth = None
        self._labels = None
        if smoothed:
            [self._smooth] = axes.plot([], [], color=_SMOOTHED, linewidth=1.6, zorder=2.5, animated=True)
            self._labels = EndLabels(axes, ["accuracy", "smoothed"], [colour, _SMOOTHED])
        axes.axvline(0, color=INK, linewidth=1, zorder=1.5)

    def show(self, along: Floats, values: Floats, smooth: Floats | None = None) -> None:
        shown = values if smooth is None else np.concatenate([values, smooth])
        low, high = float(shown.min()), float(shown.max())
        room = 0.06 * (high - low) if high > low else max(1e-3, 0.01 * abs(high))
        _limits(self._axes, (float(along[0]), float(along[-1])), (low - room, high + room))
        self._line.set_data(along, values)
        if self._smooth is not None and smooth is not None and self._labels is not None:
            self._smooth.set_data(along, smooth)
            self._labels.place([float(values[-1]), float(smooth[-1])])


def _limits(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    if axes.get_xlim() != x:
        axes.set_xlim(x)
    if axes.get_ylim() != y:
        axes.set_ylim(y)

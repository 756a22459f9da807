"""The picture of lesson 06's explorer: accuracy and loss of a linear classifier over a plane of its weights."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers, as_positive, as_two_classes
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.style import (
    ACCURACY,
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    PAPER,
    TEXT_SIZE,
    TITLE_SIZE,
    EndLabels,
    styled_axes,
)
from lossacc_helpers.surrogates import SURROGATES, smoothed_zero_one

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 840, 640
_CELLS = 81  # of a map, in each direction
_ALONG = 1201  # points of a curve
_SMOOTHED = OTHER[0]
_BELOW = 0.12  # of accuracy that has a shade, below the highest


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
        rows, truths = as_two_classes(self.features, self.signs)
        centre, directions = (as_numbers(getattr(self, name), name).astype(float) for name in ("centre", "directions"))
        wanted = rows.shape[1:]
        if centre.shape != wanted or directions.shape != (2, *wanted):
            raise ValueError(
                f"centre and directions must have shapes (coordinate,) = {wanted} and (2, {wanted[0]}); got "
                f"{centre.shape} and {directions.shape}"
            )
        if not (np.isfinite(centre).all() and np.isfinite(directions).all()):
            raise ValueError("centre and directions must be finite")
        kept = {"features": rows, "signs": truths, "centre": centre, "directions": directions}
        for name, array in kept.items():
            array.flags.writeable = False
            object.__setattr__(self, name, array)

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


def landscape_picture(landscape: Landscape, *, names: tuple[str, str] = ("right", "up")) -> Picture:
    """Maps of accuracy and of a loss over a plane of weights, and both along a line through it.

    `names` are those of the landscape's two directions. The shades of accuracy begin a little below its highest value,
    and those of the loss are spread by a power of it, for at the edge it is many times what it is in the middle.

    The state is ``angle`` of the line in degrees, ``reach`` (how far the picture goes from its centre), ``sharpness``
    of the smoothed accuracy, as in `smoothed_zero_one`, and ``loss``, the name of one of `surrogates.SURROGATES`. A
    state raises `ValueError`, and leaves the picture as it is, for a reach or a sharpness that is not above 0 and for
    another name.
    """
    figure = LabelledFigure(
        sentence=(
            "Above: maps of accuracy (left, blue) and of a loss (right, vermilion) over a plane of weights. Below: "
            "both along the line that is drawn in the maps, from - to +; accuracy as a staircase, with its smoothed "
            "form in green."
        ),
        width=_WIDTH,
        height=_HEIGHT,
    )
    maps = [_Map(figure, 0.115, ACCURACY, 1.0, names), _Map(figure, 0.615, LOSS, 0.4, names)]
    curves = [_Curve(figure, 0.115, ACCURACY, "accuracy", smoothed=True), _Curve(figure, 0.615, LOSS, "loss")]

    def move(*, angle: float, reach: float, sharpness: float, loss: str) -> str:
        if loss not in SURROGATES:
            raise ValueError(f"there is no surrogate {loss!r}; there are {', '.join(SURROGATES)}")
        chosen = SURROGATES[loss]
        name = f"{loss} loss{' (bits)' if loss == 'log' else ''}"
        turn, far = as_number(angle, "angle"), as_positive(reach, "reach")
        if not np.isfinite(turn):
            raise ValueError(f"angle must be finite; got {turn:g}")
        along = np.linspace(-far, far, _ALONG)
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        margins = landscape.margins(along * cos, along * sin)
        smooth = 1 - smoothed_zero_one(margins, sharpness).mean(axis=-1)
        accuracy, costs = (margins > 0).mean(axis=-1), chosen.value(margins).mean(axis=-1)
        places = np.linspace(-far, far, _CELLS)
        plane = landscape.margins(places[None, :], places[:, None])
        right = (plane > 0).mean(axis=-1)
        maps[0].show(right, far, turn, "accuracy", least=float(right.max()) - _BELOW)
        maps[1].show(chosen.value(plane).mean(axis=-1), far, turn, name)
        crossings = landscape.steps(turn, far)
        curves[0].show(along, accuracy, smooth)
        curves[1].show(along, costs)
        midway = landscape.margins(cos * far / 2, sin * far / 2)
        rises = midway - landscape.margins(0.0, 0.0)  # of the margins, over half of the way
        soft = smoothed_zero_one(midway, sharpness)
        slopes = (
            2 / far * np.array([np.mean(chosen.slope(midway) * rises), np.mean(sharpness * soft * (1 - soft) * rises)])
        )
        count, levels = len(crossings), len(np.unique(np.round(crossings, 9)))
        steps = f" in {levels} step{'s' if levels > 1 else ''}" if levels < count else ""
        return (
            f"Along the line at {turn:g} degrees, from {-far:.3g} to {far:.3g}, {count} "
            f"sample{' crosses' if count == 1 else 's cross'}{steps}; accuracy lies between "
            f"{accuracy.min():.3f} and {accuracy.max():.3f}, the {name} between {costs.min():.4f} and "
            f"{costs.max():.4f}. Half-way from the centre to + the slope of the loss is {slopes[0]:+.2g}, that of "
            f"accuracy 0, and that of smoothed accuracy (sharpness {sharpness:g}) {slopes[1]:+.2g}."
        )

    return Picture(figure, move)


class _Map:
    """A map of one quantity, and the line through its centre."""

    def __init__(self, figure: LabelledFigure, left: float, colour: str, power: float, names: tuple[str, str]) -> None:
        self._axes = axes = figure.add_axes((left, 0.54, 0.365, 0.41))
        axes.tick_params(labelsize=TEXT_SIZE, length=0, colors=INK)
        axes.locator_params(nbins=5)
        axes.set_xlabel(names[0], fontsize=TEXT_SIZE, color=INK)
        axes.set_ylabel(names[1], fontsize=TEXT_SIZE, color=INK)
        self._title = axes.text(
            0, 1.03, "", transform=axes.transAxes, fontsize=TEXT_SIZE, color=colour, va="bottom", animated=True
        )
        shades = LinearSegmentedColormap.from_list(colour, [PAPER, colour])
        self._image = axes.imshow(
            np.zeros((_CELLS, _CELLS)),
            origin="lower",
            cmap=shades,
            aspect="auto",
            animated=True,
            interpolation="nearest",
            norm=PowerNorm(power),
        )
        [self._line] = axes.plot([], [], color=INK, linewidth=1.4, animated=True)
        [self._dot] = axes.plot([0], [0], "o", color=INK, markersize=6, animated=True)
        self._ends = [
            axes.text(0, 0, sign, color=INK, fontsize=TITLE_SIZE + 2, ha="center", va="center", animated=True)
            for sign in ("\N{MINUS SIGN}", "+")
        ]

    def show(self, values: Floats, reach: float, angle: float, name: str, *, least: float = -np.inf) -> None:
        self._image.set_data(values)
        lowest, high = float(values.min()), float(values.max())
        low, less = max(lowest, least), " or less" if lowest < least else ""
        self._image.set_clim(low if low < high else low - 1, high)  # one value throughout has the full colour
        told = f"{low:.4g} throughout" if low == high else f"{low:.4g}{less} (white) to {high:.4g}"
        self._title.set_text(f"{name}, {told}")
        edges = reach * (1 + 1 / (_CELLS - 1))
        self._image.set_extent((-edges, edges, -edges, edges))
        _limits(self._axes, (-edges, edges), (-edges, edges))
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        self._line.set_data([-0.9 * reach * cos, 0.9 * reach * cos], [-0.9 * reach * sin, 0.9 * reach * sin])
        for side, text in zip((-1, 1), self._ends, strict=True):
            text.set_position((0.95 * side * reach * cos, 0.95 * side * reach * sin))


class _Curve:
    """One quantity along the line."""

    def __init__(self, figure: LabelledFigure, left: float, colour: str, name: str, *, smoothed: bool = False) -> None:
        width = 0.28 if smoothed else 0.365
        self._axes = axes = styled_axes(
            figure.add_axes((left, 0.08, width, 0.32)), xlabel="along the line", ylabel=name, colour=colour
        )
        axes.ticklabel_format(useOffset=False)  # in a close look all values are nearly one
        axes.locator_params(axis="y", nbins=5)
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

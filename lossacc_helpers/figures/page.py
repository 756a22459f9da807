"""A page of photographs: a figure whose places are pixels, with images pasted pixel by pixel and few enough bytes."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from lossacc_helpers.datasets import Region
from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.style import DPI, INK, TEXT_SIZE, TITLE_SIZE

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

WIDTH = 840
MARGIN = 12
LINE = 15  # pixels from one line of small text to the next
SMALL_TEXT = TEXT_SIZE - 1
_BYTES = 60_000  # what a stored picture may take
_SHADES = (32, 28, 24, 20, 16, 12, 8, 6, 4, 3, 2)  # of grey, or of each colour: as many as the bytes allow


def pixel_axes(figure: LabelledFigure) -> Axes:
    """Return axes over the whole figure whose coordinates are its pixels, counted from the upper left corner."""
    width, height = figure.size_in_pixels
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def paste(axes: Axes, image: Pixels, x: int, y: int, *, scale: int = 1, animated: bool = False) -> AxesImage:
    """Put an image on `pixel_axes` with its upper left corner at a place, `scale` pixels for each of its own.

    The image is grey (height, width) or in colour (height, width, 3).
    """
    height, width = image.shape[:2]
    return axes.imshow(
        image,
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(x, x + scale * width, y + scale * height, y),
        aspect="auto",
        interpolation="nearest",
        animated=animated,
    )


def in_shades(image: Pixels, shades: int) -> Pixels:
    """Return an image with so many evenly spaced shades of grey, or of red, green and blue, black and white among them.

    >>> in_shades(np.array([[0, 100, 200, 255]], dtype=np.uint8), 4).tolist()
    [[0, 85, 170, 255]]
    """
    return np.round(np.round(image / 255 * (shades - 1)) / (shades - 1) * 255).astype(np.uint8)


class Page:
    """A figure whose places are pixels, counted from its upper left corner, with a title."""

    def __init__(self, *, sentence: str, height: int, title: str) -> None:
        self.figure = LabelledFigure(sentence=sentence, width=WIDTH, height=height)
        self.axes = pixel_axes(self.figure)
        self._photographs: list[tuple[AxesImage, Pixels]] = []
        self.write(title, 10, 22, size=TITLE_SIZE)

    def write(
        self, text: str, x: int, y: int, *, size: float = SMALL_TEXT, colour: str = INK, room: float = WIDTH
    ) -> None:
        """Write a line whose baseline begins at a place, shortened where it is wider than its room."""
        line = self.axes.text(x, y, text, fontsize=size, color=colour)
        while line.get_window_extent(self.figure.agg.get_renderer()).width > room:
            text = text[:-1]
            line.set_text(f"{text}…")

    def paste(self, image: Pixels, x: int, y: int) -> None:
        """Put an image with its upper left corner at a place, pixel by pixel."""
        self.may_reduce(paste(self.axes, image, x, y), image)

    def may_reduce(self, shown: AxesImage, image: Pixels) -> None:
        """Let `within_bytes` reduce the shades of an image that is shown."""
        self._photographs.append((shown, image))

    def frame(
        self,
        region: Region,
        x: int,
        y: int,
        scale: float,
        *,
        colour: str,
        width: float,
        dashes: Any = "-",
        inset: float = 0.0,
    ) -> None:
        """Outline a region of an image that was pasted at a place in a scale; the line lies inside the region."""
        inwards = inset + width / 2
        self.axes.add_patch(
            Rectangle(
                (x + scale * region.left + inwards, y + scale * region.top + inwards),
                scale * (region.right - region.left) - 2 * inwards,
                scale * (region.bottom - region.top) - 2 * inwards,
                fill=False,
                edgecolor=colour,
                linewidth=width * 72 / DPI,
                linestyle=dashes,
            )
        )

    def within_bytes(self) -> LabelledFigure:
        """The figure, its images in the most shades that keep the stored picture small."""
        for shades in _SHADES:
            for shown, image in self._photographs:
                shown.set_data(in_shades(image, shades))
            if len(self.figure.png(small=True)) <= _BYTES:
                break
        return self.figure

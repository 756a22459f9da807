"""A figure that carries its own description, and a picture: a persistent figure that moves with a state."""

import io
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lossacc_helpers.figures.style import DPI, PAPER


class LabelledFigure(Figure):
    """A matplotlib figure with a sentence for whoever cannot see it, shown by Jupyter without pyplot.

    Parameters
    ----------
    sentence : what kind of picture this is, in one sentence.
    width, height : size in pixels (100 to the inch); 840 is what JupyterLab has room for on a small screen.

    Attributes
    ----------
    sentence : str, as given.
    readout : str, what the picture shows now, in words and numbers; empty for a picture that never moves.

    Notes
    -----
    Artists made with ``animated=True`` are drawn last, over a copy of everything else that is kept until something in
    it changes. Axes, ticks and text are the slow part of a figure (30 ms), so marking what moves makes a picture
    several times quicker to update. Nothing else depends on the mark.

    Examples
    --------
    >>> figure = LabelledFigure(sentence="An empty picture.", width=200, height=100)
    >>> figure.png()[1:4]
    b'PNG'
    """

    def __init__(self, *, sentence: str, width: int = 840, height: int = 440) -> None:
        if not sentence.strip():
            raise ValueError("a figure needs a sentence that says what it shows to readers who cannot see it")
        super().__init__(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
        self.agg: Any = FigureCanvasAgg(self)  # most of it is untyped
        self.sentence = sentence
        self.readout = ""
        self._still: Any = None
        self._moving: list[Artist] = []

    @property
    def description(self) -> str:
        """The sentence, followed by the readout where there is one."""
        return f"{self.sentence} {self.readout}".strip()

    @property
    def size_in_pixels(self) -> tuple[int, int]:
        """Width and height of the PNG."""
        width, height = self.agg.get_width_height()
        return int(width), int(height)

    def _render(self) -> None:
        """Bring the canvas up to date: the still part from its copy unless it changed, then what moves."""
        if self._still is None or self.stale:
            self.agg.draw()
            self._still = self.agg.copy_from_bbox(self.bbox)
            # A figure is its own descendant here, and never animated.
            self._moving = sorted(self.findobj(Artist.get_animated), key=Artist.get_zorder)
        else:
            self.agg.restore_region(self._still)
        renderer = self.agg.get_renderer()
        for artist in self._moving:
            artist.draw(renderer)

    def pixels(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return the drawn figure as (height, width, 3) bytes of red, green and blue."""
        self._render()
        return np.asarray(self.agg.buffer_rgba())[..., :3].copy()

    def png(self, *, small: bool = False) -> bytes:
        """Return the figure as an opaque PNG.

        The ordinary way is quick to make, for a picture that is moving; `small` takes longer, reduces the colours to
        a palette of 256 and is meant to be stored.
        """
        if not small:
            return _quick_png(self.pixels())
        # No dithering: it would speckle the white paper and the file would grow.
        image = Image.fromarray(self.pixels()).quantize(
            256, method=Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE
        )
        stream = io.BytesIO()
        image.save(stream, format="png", optimize=True)
        return stream.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        """Return what Jupyter shows and stores: a small PNG with alternative text, and the description.

        JupyterLab does not read the alternative text of a PNG aloud (jupyter/enhancement-proposals, issue 120), so it
        is given the same as HTML too, which it prefers. The build of a notebook drops that.
        """
        png = b64encode(self.png(small=True)).decode("ascii")
        html = f'<img src="data:image/png;base64,{png}" alt="{escape(self.description)}">'
        data = {"image/png": png, "text/plain": self.description, "text/html": html}
        return data, {"image/png": {"alt": self.description}}


def _quick_png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """Return (height, width, 3) bytes as a PNG: unfiltered, in 3 ms where Pillow's choice of filters takes 10."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)  # each row opens with its filter: 0, none
    rows[:, 1:] = pixels.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits of red, green and blue
    body = zlib.compress(rows.tobytes(), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


class Picture:
    """A figure drawn once whose artists move in place, so that a slider can be followed.

    Write a picture as a function that takes no arguments, makes the artists and returns them with the function that
    moves them; `draw` then gives the pure state -> figure view of it. The move must set everything that depends on
    the state, so that a picture looks the same whatever it showed before. Make the artists that move with
    ``animated=True``, and set limits of axes only where they change: that keeps a picture quick.

    Parameters
    ----------
    figure : the figure that holds the artists.
    move : takes the state as keywords, moves the artists, returns the readout: one line in words and numbers.

    Examples
    --------
    >>> def tower() -> Picture:
    ...     figure = LabelledFigure(sentence="A tower.", width=200, height=100)
    ...     [bar] = figure.subplots().bar([0], [0])
    ...     def move(*, height: float) -> str:
    ...         bar.set_height(height)
    ...         return f"The tower is {height} high."
    ...     return Picture(figure, move)
    >>> tower().update(height=3)
    'The tower is 3 high.'
    >>> draw(tower, height=2).description
    'A tower. The tower is 2 high.'
    """

    def __init__(self, figure: LabelledFigure, move: Callable[..., str]) -> None:
        self.figure = figure
        self._move = move

    def update(self, **state: Any) -> str:
        """Move the artists to the state and return the readout."""
        self.figure.readout = self._move(**state)
        return self.figure.readout


def draw(builder: Callable[[], Picture], **state: Any) -> LabelledFigure:
    """Return a fresh figure of the picture in one state."""
    picture = builder()
    picture.update(**state)
    return picture.figure

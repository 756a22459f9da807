"""Patches of photographs, genuine and forged: a page of examples, and one patch with what was pasted in outlined."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.datasets import Forgeries
from lossacc_helpers.figures.page import LINE, MARGIN, SMALL_TEXT, WIDTH, Page, Pixels, in_shades, paste
from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.style import DPI, INK, OTHER, PAPER, REFERENCE, as_sentence

PASTED = OTHER[2]  # the outline of what was pasted in
OUTLINE = 4  # pixels by which that outline may reach beyond its patch
_POINT = 72 / DPI  # a pixel in the unit of line widths
_SIDE = 128  # pixels that an enlarged patch may take
_TALLEST = 900  # pixels of a page
_NAME = 155  # pixels that the longest name takes
_HEAD = 46  # of them are the title's


class DrawnPatch:
    """A patch on a figure, which can show another one in its place; `draw_patch` makes it.

    Attributes
    ----------
    image, outline, caption : the artists.
    """

    def __init__(self, axes: Axes, image: Pixels, x: int, y: int, *, scale: int, animated: bool) -> None:
        self._place = x, y, scale
        self.image = paste(axes, image, x, y, scale=scale, animated=animated)
        self.outline = Rectangle((x, y), 0, 0, fill=False, edgecolor=PASTED, linewidth=2 * _POINT, animated=animated)
        self.outline.set_path_effects([withStroke(linewidth=OUTLINE * _POINT, foreground=PAPER)])
        axes.add_patch(self.outline)
        below = y + scale * image.shape[0] + OUTLINE + 1  # where its first line begins, however many there are
        self.caption = axes.text(x, below, "", fontsize=SMALL_TEXT, color=INK, va="top", animated=animated)

    def show(
        self, image: Pixels, *, box: Sequence[int] | None = None, caption: str = "", shades: int | None = None
    ) -> None:
        """Show a patch of the same size instead; box, caption and shades as `draw_patch` takes them."""
        self.image.set_data(image if shades is None else in_shades(image, shades))
        self.caption.set_text(caption)
        x, y, scale = self._place
        top, left, bottom, right = (0, 0, 0, 0) if box is None else (scale * int(edge) for edge in box)
        # Around what was pasted in, so that its edges, which give it away, stay in sight.
        self.outline.set_bounds(
            x + left - OUTLINE / 2, y + top - OUTLINE / 2, right - left + OUTLINE, bottom - top + OUTLINE
        )
        self.image.set_visible(True)
        self.caption.set_visible(True)
        self.outline.set_visible(bottom > top)

    def hide(self) -> None:
        """Show nothing here until something is shown again."""
        for artist in (self.image, self.outline, self.caption):
            artist.set_visible(False)


def draw_patch(
    axes: Axes,
    image: Pixels,
    x: int,
    y: int,
    *,
    scale: int,
    box: Sequence[int] | None = None,
    caption: str = "",
    shades: int | None = None,
    animated: bool = False,
) -> DrawnPatch:
    """Draw a patch, enlarged without smoothing, what was pasted into it outlined, and a caption below.

    Parameters
    ----------
    axes : of `page.pixel_axes`, whose coordinates are the figure's pixels.
    image : (height, width, 3) uint8.
    x, y : where its upper left corner goes; the outline may reach 4 pixels beyond the patch.
    scale : how many pixels each of its own takes, on a side.
    box : top, left, bottom and right of what was pasted in, in pixels of the patch; None or zeros where nothing was.
    caption : one line or several; the first stands right below the patch.
    shades : how many of each colour are kept, so that a stored picture stays small; None for all.
    animated : for a picture that moves; see `LabelledFigure`.
    """
    patch = DrawnPatch(axes, image, x, y, scale=scale, animated=animated)
    patch.show(image, box=box, caption=caption, shades=shades)
    return patch


def patches_page(forgeries: Forgeries, *, count: int = 5, title: str) -> LabelledFigure:
    """The first genuine and the first forged training patches, enlarged, what was pasted in outlined.

    Below each stands the photograph that it is from. Patches are enlarged by a whole factor, and the page has as many
    shades of each colour as keep it within 60 kB when it is stored; two at least, so patches of noise may take more.

    Parameters
    ----------
    forgeries : as `lossacc_helpers.datasets.forgeries` returns them.
    count : how many patches of each class, where there are so many.
    title : the finding.

    Raises
    ------
    ValueError
        For more patches than a page has room for (10 of each class at 32 x 32 pixels; none of 500 x 500), fewer than
        1, and for what are no forgeries.
    """
    if not isinstance(forgeries, Forgeries):
        raise ValueError(f"forgeries must be what datasets.forgeries returns; got {type(forgeries).__name__}")
    images, labels = forgeries.train
    height, width = images.shape[1:3]
    scale = max(_SIDE // max(height, width), 1)
    columns = max((WIDTH - MARGIN) // max(scale * width + MARGIN, _NAME), 1)
    pitch, row = (WIDTH - MARGIN) // columns, scale * height + 2 * LINE
    most = ((_TALLEST - _HEAD) // 2 - 2 * LINE) // row * columns
    if not most:
        raise ValueError(
            f"a page has no room for patches of {height} x {width} pixels, a genuine one above a forged one"
        )
    if as_whole_number(count, "count", least=1) > most:
        raise ValueError(f"count must be at most {most} for patches of {height} x {width} pixels; got {count}")
    chosen = [np.flatnonzero(labels == label)[:count] for label in range(len(forgeries.class_names))]
    genuine, forged = (
        [forgeries.photographs[one].replace("_", " ") for one in forgeries.sources[0][k]] for k in chosen
    )
    enlarged = "not enlarged" if forgeries.difficulty == 1 else f"enlarged about {2 - forgeries.difficulty:.3g} times"
    told = f"a copy of another place, {enlarged} (difficulty {forgeries.difficulty:.3g})"
    sentence = f"{as_sentence(title)} Training patches of {height} x {width} pixels."
    if genuine:
        sentence += f" Genuine ones, from {', '.join(genuine)}."
    if forged:
        sentence += f" Forged ones, from {', '.join(forged)}, in each of which a square is outlined: {told}."
    blocks = [2 * LINE + row * -(-len(k) // columns) for k in chosen]
    page = Page(sentence=sentence, height=_HEAD + sum(blocks), title=title)
    upper = _HEAD
    for block, places, names, heading in zip(
        blocks, chosen, (genuine, forged), ("genuine", f"forged; outlined: {told}"), strict=True
    ):
        page.write(heading, MARGIN, upper + 4, colour=REFERENCE)
        for k, (place, name) in enumerate(zip(places, names, strict=True)):
            x, y = MARGIN + k % columns * pitch, upper + LINE + k // columns * row
            box = forgeries.pasted[0][place]
            patch = draw_patch(page.axes, images[place], x, y, scale=scale, box=box, caption=name)
            page.may_reduce(patch.image, images[place])
        upper += block
    return page.within_bytes()

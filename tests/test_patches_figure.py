"""The page of patches shows the very patches and where they were forged, fits on a screen and into 60 kB."""

import re
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from lossacc_helpers.datasets import Forgeries, Region, forgeries
from lossacc_helpers.figures import LabelledFigure, patches_page
from lossacc_helpers.figures.page import in_shades, pixel_axes
from lossacc_helpers.figures.patches import PASTED, draw_patch
from lossacc_helpers.figures.style import PAPER
from tests.test_photographs_figure import boxes_of, shown_in, texts_of

DATA = forgeries(train_samples=60, validation_samples=4)
SIZED = {size: forgeries(size=size, train_samples=60, validation_samples=4) for size in [(8, 8), (47, 20), (150, 225)]}


def first(data, label, count=5):
    return np.flatnonzero(data.train[1] == label)[:count]


def shown_patches(figure):
    """Each image of a page, in the order of reading, with what outlines a part of it, or None."""
    axes = figure.axes[0]
    outlines = [patch if patch.get_visible() else None for patch in axes.patches]
    return list(zip(axes.images, outlines, strict=True))


@pytest.mark.parametrize(("data", "factor"), [(DATA, 4), (SIZED[8, 8], 16), (SIZED[47, 20], 2), (SIZED[150, 225], 1)])
def test_the_first_genuine_and_the_first_forged_patches_are_shown_in_whole_pixels(data, factor):
    figure = patches_page(data, title="Which one is forged?")
    images = data.train[0]
    wanted = [*first(data, 0), *first(data, 1)]
    shown = shown_patches(figure)
    assert len(shown) == len(wanted) == 10
    shades = len(np.unique(np.concatenate([np.asarray(image.get_array()).ravel() for image, _ in shown])))
    for (image, _), place in zip(shown, wanted, strict=True):
        height, width, _ = images[place].shape
        left, right, bottom, top = image.get_extent()
        assert (right - left, bottom - top) == (factor * width, factor * height)
        reduced = np.asarray(image.get_array()).astype(int)
        assert np.abs(reduced - images[place]).max() <= 255 / (shades - 1) / 2 + 1
        if not data.pasted[0][place].any():
            enlarged = reduced.repeat(factor, axis=0).repeat(factor, axis=1)
            np.testing.assert_array_equal(shown_in(figure, image), enlarged)


def test_the_outline_lies_around_what_was_pasted_in_and_covers_none_of_it():
    figure = patches_page(DATA, title="Which one is forged?")
    pixels = figure.pixels()
    for (image, outline), place in zip(shown_patches(figure)[5:], first(DATA, 1), strict=True):
        x, _, _, y = (round(edge) for edge in image.get_extent())
        top, left, bottom, right = 4 * DATA.pasted[0][place] + (y, x, y, x)
        np.testing.assert_array_equal(
            pixels[top:bottom, left:right],
            np.asarray(image.get_array())
            .repeat(4, axis=0)
            .repeat(4, axis=1)[top - y : bottom - y, left - x : right - x],
        )
        middle = (top + bottom) // 2, (left + right) // 2
        rims = {  # one white pixel, two of the outline's, one white, outwards from each edge
            "above": pixels[top - 4 : top, middle[1]],
            "below": pixels[bottom : bottom + 4, middle[1]],
            "left": pixels[middle[0], left - 4 : left],
            "right": pixels[middle[0], right : right + 4],
        }
        for rim in rims.values():
            assert [to_hex(colour / 255).upper() for colour in rim] == [PAPER, PASTED, PASTED, PAPER]
        assert outline is not None


def test_genuine_patches_have_no_outline():
    assert [outline for _, outline in shown_patches(patches_page(DATA, title="A"))[:5]] == 5 * [None]


def test_below_each_patch_stands_the_photograph_it_is_from():
    figure = patches_page(DATA, title="A title")
    names = [
        DATA.photographs[DATA.sources[0][place]].replace("_", " ") for label in (0, 1) for place in first(DATA, label)
    ]
    texts, images = boxes_of(figure)
    captions = [
        (text, box)
        for text, box in zip(texts_of(figure), texts, strict=True)
        if text.replace(" ", "_") in DATA.photographs
    ]
    assert [text for text, _ in captions] == names
    for (_, box), image in zip(captions, images, strict=True):
        assert box.x0 == pytest.approx(image.x0, abs=3)
        assert 0 < image.y0 - box.y1 < 12
    assert f"Genuine ones, from {', '.join(names[:5])}. Forged ones, from {', '.join(names[5:])}, " in figure.sentence


@pytest.mark.parametrize(
    ("difficulty", "told"),
    [
        (0, "a copy of another place, enlarged about 2 times (difficulty 0)"),
        (0.5, "a copy of another place, enlarged about 1.5 times (difficulty 0.5)"),
        (0.85, "a copy of another place, enlarged about 1.15 times (difficulty 0.85)"),
        (1, "a copy of another place, not enlarged (difficulty 1)"),
    ],
)
def test_the_difficulty_is_told(difficulty, told):
    figure = patches_page(forgeries(train_samples=20, validation_samples=2, difficulty=difficulty), title="A")
    assert texts_of(figure).count(f"forged; outlined: {told}") == 1
    assert figure.sentence.endswith(f"in each of which a square is outlined: {told}.")


PAGES = {
    "five of each": lambda: patches_page(DATA, title="Which one is forged?"),
    "ten of each": lambda: patches_page(DATA, count=10, title="Which one is forged?"),
    "one of each": lambda: patches_page(DATA, count=1, title="Which one is forged?"),
    "two in all": lambda: patches_page(forgeries(train_samples=2, validation_samples=2), title="A title"),
    "tiny": lambda: patches_page(SIZED[8, 8], count=10, title="A title"),
    "narrow": lambda: patches_page(SIZED[47, 20], count=10, title="A title"),
    "large": lambda: patches_page(SIZED[150, 225], count=6, title="A title"),
    "wide": lambda: patches_page(forgeries(size=(150, 450), train_samples=9, validation_samples=2), count=2, title="A"),
    "tall": lambda: patches_page(
        forgeries(size=(300, 225), train_samples=90, validation_samples=2, seed=1), count=3, title="A"
    ),
}


LARGE = ("large", "wide", "tall")  # `make test-slow` draws these too


@pytest.mark.parametrize("page", [pytest.param(page, marks=[pytest.mark.slow] * (page in LARGE)) for page in PAGES])
def test_a_page_is_840_pixels_wide_takes_60_kb_and_can_be_read(page):
    figure = PAGES[page]()
    assert figure.size_in_pixels[0] == 840
    assert figure.size_in_pixels[1] <= 900
    assert len(figure.png(small=True)) <= 60_000
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 9
    assert re.match(r"[A-Z].*\.$", figure.sentence)
    texts, images = boxes_of(figure)
    outlines = [outline.get_window_extent() for _, outline in shown_patches(figure) if outline is not None]
    for box in (*texts, *images, *outlines):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    for one, other in combinations((*texts, *images), 2):
        assert not one.overlaps(other)
    for text in texts:
        assert not any(text.overlaps(outline) for outline in outlines)


def test_a_stored_page_of_the_lessons_patches_keeps_its_colours():
    figure = patches_page(DATA, count=10, title="A title")
    colours = np.unique(np.concatenate([np.asarray(image.get_array()).ravel() for image, _ in shown_patches(figure)]))
    assert len(colours) == 32


# One patch


def blank(*, animated=False):
    figure = LabelledFigure(sentence="A patch.", width=200, height=160)
    return figure, draw_patch(
        pixel_axes(figure), np.zeros((32, 32, 3), dtype=np.uint8), 10, 10, scale=3, animated=animated
    )


STATES = (
    dict(image=DATA.train[0][0], box=(0, 3, 12, 15), caption="forged\np 0.93 → 0.02"),
    dict(image=DATA.train[0][1], box=(0, 0, 0, 0), caption="genuine"),
    dict(image=DATA.train[0][2], box=(13, 13, 32, 32), shades=4),
    dict(image=DATA.train[0][3]),
)


@pytest.mark.parametrize("animated", [False, True])
def test_a_patch_looks_the_same_whatever_was_shown_in_its_place_before(animated):
    figure, patch = blank(animated=animated)
    for state in (*STATES, None, *reversed(STATES), *STATES):
        if state is None:
            patch.hide()
            assert (figure.pixels() == 255).all()
            continue
        patch.show(**state)
        fresh, other = blank()
        other.show(**state)
        np.testing.assert_array_equal(figure.pixels(), fresh.pixels())


def test_a_patch_is_drawn_with_its_box_its_caption_and_in_its_shades():
    image = DATA.train[0][2]
    figure = LabelledFigure(sentence="A patch.", width=200, height=160)
    patch = draw_patch(pixel_axes(figure), image, 10, 20, scale=3, box=(4, 5, 14, 15), caption="p 0.93", shades=4)
    shown = figure.pixels()[20 : 20 + 96, 10 : 10 + 96]
    assert set(np.unique(patch.image.get_array())) <= {0, 85, 170, 255}
    np.testing.assert_array_equal(shown[12:42, 15:45], in_shades(image, 4).repeat(3, 0).repeat(3, 1)[12:42, 15:45])
    assert to_hex(shown[10, 30] / 255).upper() == PASTED
    box = patch.caption.get_window_extent()
    assert box.x0 == pytest.approx(10, abs=2)
    assert 20 + 96 + 4 <= 160 - box.y1 < 20 + 96 + 12
    patch.show(image)
    np.testing.assert_array_equal(figure.pixels()[20:116, 10:106], image.repeat(3, 0).repeat(3, 1))


def test_the_first_line_of_a_caption_stands_right_below_its_patch_however_many_there_are():
    tops = []
    for caption in ("p 0.93", "p 0.93\nloss 2\nand more"):
        figure, patch = blank()
        patch.show(DATA.train[0][0], caption=caption)
        figure.pixels()
        tops.append(160 - patch.caption.get_window_extent().y1)
    assert tops[0] == pytest.approx(tops[1], abs=1)
    assert 10 + 96 + 4 <= tops[0] < 10 + 96 + 12


def plain(side, labels):
    """As many patches of one shade as there are labels."""
    images = np.full((len(labels), side, side, 3), 200, dtype=np.uint8)
    pasted = np.where(labels[:, None] == 1, [0, 0, 3, 3], 0)
    half = Region(0, 0, side, side)
    return Forgeries(
        *(("genuine", "forged"), (images, labels), (images, labels), (pasted, pasted)),
        *((np.zeros_like(labels), np.zeros_like(labels)), ("astronaut",), ((half, half),), 0.5),
    )


@pytest.mark.parametrize(("label", "told", "not_told"), [(0, "Genuine", "Forged"), (1, "Forged", "Genuine")])
def test_a_class_that_is_missing_is_not_told_of(label, told, not_told):
    figure = patches_page(plain(32, np.full(4, label)), title="A title")
    assert f"{told} ones, from astronaut" in figure.sentence
    assert not_told not in figure.sentence
    assert "from ," not in figure.sentence


def test_patches_that_no_page_holds_are_named():
    with pytest.raises(ValueError, match="a page has no room for patches of 500 x 500 pixels"):
        patches_page(plain(500, np.arange(2)), count=1, title="A title")


@pytest.mark.parametrize(
    ("draw_it", "message"),
    [
        (lambda: patches_page(DATA, count=0, title="A"), "count must be a whole number, 1 or more; got 0"),
        (lambda: patches_page(DATA, count=2.5, title="A"), "count must be a whole number, 1 or more; got 2.5"),
        (
            lambda: patches_page(DATA, count=11, title="A"),
            "count must be at most 10 for patches of 32 x 32 pixels; got 11",
        ),
        (lambda: patches_page(DATA.train, title="A"), "forgeries must be what datasets.forgeries returns; got tuple"),
    ],
)
def test_a_page_that_cannot_be_is_named(draw_it, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw_it()

"""The pages of photographs show the very crops and regions, fit on the page and into 60 kB."""

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from lossacc_helpers.datasets import photographs
from lossacc_helpers.datasets.photographs import NAMES
from lossacc_helpers.figures import crops_page, regions_page
from lossacc_helpers.figures.style import OTHER

SMALL = photographs(size=(30, 40), train_samples=65, validation_samples=39)
DOUBTED = photographs(size=(30, 40), train_samples=65, validation_samples=39, label_noise=0.5, seed=1)
THREE = ("astronaut", "chelsea", "coins")


def texts_of(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def boxes_of(figure):
    """Where the texts and the images are, in pixels from the lower left corner."""
    figure.pixels()
    texts = [text.get_window_extent() for text in figure.findobj(Text) if text.get_text()]
    return texts, [image.get_window_extent() for image in figure.axes[0].images]


def shown_in(figure, image):
    """The pixels of the drawn figure at the place of one of its images, (height, width, 3)."""
    left, right, bottom, top = (round(edge) for edge in image.get_extent())
    return figure.pixels()[top:bottom, left:right].astype(int)


def long_names_told(data):
    """The same crops, but every one of them is told the class with the longest name."""
    label = NAMES.index("immunohistochemistry")
    pairs = {name: getattr(data, name) for name in ("train", "validation")}
    return replace(data, **{name: (crops, np.full_like(labels, label)) for name, (crops, labels) in pairs.items()})


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_each_class_stands_beside_its_name_with_its_first_crops(columns):
    figure = crops_page(SMALL, columns=columns, title="Which photograph is it from?")
    images = figure.axes[0].images
    assert len(images) == 2 * len(NAMES)
    texts = texts_of(figure)
    assert [text for text in texts if text.replace(" ", "_") in NAMES] == [name.replace("_", " ") for name in NAMES]
    assert texts.count("training") == texts.count("validation") == columns
    for label in range(13):
        for image, (crops, _) in zip(images[2 * label : 2 * label + 2], (SMALL.train, SMALL.validation), strict=True):
            crop = 255 * crops[int(np.flatnonzero(crops.sources == label)[0])][..., 0]
            shown = shown_in(figure, image)
            factor = shown.shape[0] // 30
            assert shown.shape == (30 * factor, 40 * factor, 3)
            assert (shown == shown[..., :1]).all()
            # Within half a step of the 16 shades or more that the page has room for.
            assert np.abs(shown[..., 0] - crop.repeat(factor, axis=0).repeat(factor, axis=1)).max() <= 255 / 15 / 2 + 1


def test_the_second_crop_of_a_class_is_to_the_right_of_the_first_and_both_are_below_its_name():
    figure = crops_page(SMALL, title="A title")
    texts, images = boxes_of(figure)
    names = [box for box, text in zip(texts, texts_of(figure), strict=True) if text.replace(" ", "_") in NAMES]
    for name, first, second in zip(names, images[::2], images[1::2], strict=True):
        assert name.x0 == pytest.approx(first.x0, abs=3)
        assert 0 < name.y0 - first.y1 < 10
        assert first.x1 < second.x0 < first.x1 + 80
        assert (first.y0, first.y1) == (second.y0, second.y1)


def test_large_crops_are_shrunk_to_their_mean_and_keep_their_proportions():
    data = photographs(train_samples=13, validation_samples=13)
    figure = crops_page(data, title="A title")
    for image, (crops, _) in zip(figure.axes[0].images[:2], (data.train, data.validation), strict=True):
        shown = shown_in(figure, image)
        crop = crops[int(np.flatnonzero(crops.sources == 0)[0])]
        assert shown.shape[1] / shown.shape[0] == pytest.approx(200 / 150, abs=0.02)
        assert 60 <= shown.shape[0] < 150
        assert shown.mean() == pytest.approx(255 * crop.mean(), abs=3)


def test_exactly_the_redrawn_labels_are_marked():
    figure = crops_page(DOUBTED, title="Half of the labels were drawn anew")
    told = []
    for label in range(13):
        for crops, labels in (DOUBTED.train, DOUBTED.validation):
            answer = labels[np.flatnonzero(crops.sources == label)[0]]
            told += [f"told: {NAMES[answer].replace('_', ' ')}"] if answer != label else []
    marked = [text for text in texts_of(figure) if text.startswith("told: ")]
    assert 5 < len(told) < 21
    assert len(marked) == len(told)
    for mark, whole in zip(marked, told, strict=True):
        assert mark == whole or (mark.endswith("…") and whole.startswith(mark[:-1]))
    assert f" {len(told)} of these 26 are told another class" in figure.sentence
    clean = crops_page(SMALL, title="A title")
    assert not [text for text in texts_of(clean) if text.startswith("told")]
    assert "told" not in clean.sentence


def test_a_name_that_is_wider_than_its_place_is_shortened():
    figure = crops_page(long_names_told(SMALL), title="A title")
    marked = [text for text in texts_of(figure) if text.startswith("told")]
    assert len(marked) == 24
    assert set(marked) <= {"told: immunohistochemistry"[:length] + "…" for length in range(11, 25)}


PAGES = {
    "full scale": lambda: crops_page(photographs(), title="Thirteen photographs"),
    "full scale, 3 columns": lambda: crops_page(photographs(), columns=3, title="Thirteen photographs"),
    "enlarged": lambda: crops_page(SMALL, title="Thirteen photographs"),
    "redrawn": lambda: crops_page(DOUBTED, title="Thirteen photographs"),
    "redrawn, long names": lambda: crops_page(long_names_told(SMALL), title="Thirteen photographs"),
    "redrawn, 1 column": lambda: crops_page(long_names_told(SMALL), columns=1, title="Thirteen photographs"),
    "tiny": lambda: crops_page(photographs(size=(8, 8), train_samples=65), title="Thirteen photographs"),
    "narrow": lambda: crops_page(photographs(size=(150, 20), train_samples=65), title="Thirteen photographs"),
    "noise": lambda: crops_page(photographs(size=(60, 80), noise=0.4, label_noise=0.4), title="Thirteen photographs"),
    "two": lambda: crops_page(photographs(classes=2, train_samples=50), title="Two photographs"),
    "regions": lambda: regions_page(photographs(), names=THREE, title="Apart, and yet overlapping"),
    "regions of small crops": lambda: regions_page(SMALL, names=("grass", "gravel", "retina"), title="Apart"),
    "one photograph": lambda: regions_page(photographs(), names=["rocket"], title="Apart"),
}


LARGE = ("full scale, 3 columns", "noise", "regions of small crops")  # `make test-slow` draws these too


@pytest.mark.parametrize("page", [pytest.param(page, marks=[pytest.mark.slow] * (page in LARGE)) for page in PAGES])
def test_a_page_is_840_pixels_wide_takes_60_kb_and_can_be_read(page):
    figure = PAGES[page]()
    assert figure.size_in_pixels[0] == 840
    assert figure.size_in_pixels[1] <= 900 or "1 column" in page
    assert len(figure.png(small=True)) <= 60_000
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 9
    assert re.match(r"[A-Z].*\.$", figure.sentence)
    texts, images = boxes_of(figure)
    for box in (*texts, *images):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    for one, other in combinations((*texts, *images), 2):
        assert not one.overlaps(other)


@pytest.mark.slow
def test_a_page_has_as_many_shades_as_its_bytes_allow():
    def shades(figure):
        return len(np.unique(np.concatenate([shown_in(figure, image).ravel() for image in figure.axes[0].images])))

    assert shades(crops_page(SMALL, title="A title")) == 32
    assert 12 <= shades(crops_page(photographs(), title="A title")) < 32
    assert shades(crops_page(photographs(noise=0.5), title="A title")) >= 4


def frames_of(figure, colour):
    """The outlines in a colour, the widest line first, as (left, top, right, bottom) with half the line added."""
    patches = [patch for patch in figure.axes[0].patches if to_hex(patch.get_edgecolor()) == colour.lower()]
    for patch in sorted(patches, key=lambda patch: -patch.get_linewidth()):
        half = patch.get_linewidth() * 100 / 72 / 2
        x, y = patch.get_xy()
        yield x - half, y - half, x + patch.get_width() + half, y + patch.get_height() + half


def test_the_regions_are_framed_where_they_are_and_the_crops_lie_in_them():
    data = photographs()
    figure = regions_page(data, names=["coins"], title="A title")
    image = figure.axes[0].images[0]
    left, right, _, top = image.get_extent()
    scale = (right - left) / 384
    for colour, region, (crops, _) in zip(
        (OTHER[0], OTHER[3]), data.regions[NAMES.index("coins")], (data.train, data.validation), strict=True
    ):
        whole, *others = frames_of(figure, colour)
        corners = (region.left, region.top, region.right, region.bottom)
        np.testing.assert_allclose(
            (np.array(whole) - (left, top, left, top)) / scale, corners, atol=0.01 * max(corners)
        )
        first = crops.offsets[crops.sources == NAMES.index("coins")][:4]
        outlines = np.array(others[-4:])
        for (y, x), outline in zip(first, outlines, strict=True):
            shrunk = (outline - (left, top, left, top)) / scale - (x, y, x + 200, y + 150)
            assert (shrunk[:2] >= 0).all()
            assert (shrunk[2:] <= 0).all()
            assert np.abs(shrunk).max() < 0.13 * 150
        assert len(np.unique(np.round(outlines[:, 1], 3))) == 4  # the same rows, and yet four edges to be seen


def test_below_a_photograph_stands_how_many_crops_there_are_and_how_many_fit_apart():
    figure = regions_page(photographs(), names=THREE, title="Apart, and yet overlapping")
    texts = texts_of(figure)
    for line in (
        "training: 462 crops, 4 fit apart",  # astronaut: 307 x 512
        "validation: 100 crops, 2 fit apart",  # 205 x 512
        "training: 462 crops, 1 fit apart",  # coins: 153 x 384
    ):
        assert line in texts
    assert [text for text in texts if text in NAMES] == list(THREE)
    assert "chelsea, training: 462 crops, 2 fit apart, validation: 100 crops, 2 fit apart" in figure.sentence


def test_one_crop_is_not_told_of_as_several():
    data = photographs(size=(30, 40), train_samples=13, validation_samples=13)
    figure = regions_page(data, names=["moon"], title="What now?")
    assert "in both regions the outline of one crop. moon, training: 1 crop, " in figure.sentence
    assert figure.sentence.startswith("What now? Photographs")


@pytest.mark.parametrize(
    ("draw_it", "message"),
    [
        (lambda: crops_page(SMALL, columns=0, title="A"), "columns must be a whole number, 1 or more; got 0"),
        (lambda: crops_page(SMALL, columns=5, title="A"), "columns must be at most 4"),
        (lambda: regions_page(SMALL, names=["page"], title="A"), "names must be 1 to 3 of astronaut, brick"),
        (lambda: regions_page(SMALL, names=["moon", "sun"], title="A"), "retina, rocket; got sun"),
        (lambda: regions_page(SMALL, names=[], title="A"), "retina, rocket; got none"),
        (lambda: regions_page(SMALL, names=NAMES[:4], title="A"), "got astronaut, brick, camera, chelsea"),
        (
            lambda: regions_page(SMALL, names="camera", title="A"),
            "names must be a list, as in ['camera']; got 'camera'",
        ),
        (lambda: regions_page(SMALL.train, names=THREE, title="A"), "what datasets.photographs returns; got tuple"),
        (lambda: crops_page(SMALL.train[0], title="A"), "photographs must be what datasets.photographs returns; got C"),
    ],
)
def test_a_page_that_cannot_be_is_named(draw_it, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw_it()

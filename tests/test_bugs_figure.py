"""The picture of mistaken losses shows what it was given, row by row, and nothing runs into anything else."""

import re
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.text import Text

from lossacc_helpers.figures.bugs import bugs_figure
from lossacc_helpers.figures.style import ACCURACY, GRID, LOSS, pale


def falling(top, bottom, *, seeds=8, epochs=20, seed=0):
    """Curves (seed, epoch) from `top` to nearly `bottom`."""
    rng = np.random.default_rng(seed)
    fall = np.exp(-np.arange(epochs) / 5 * rng.uniform(0.7, 1.3, (seeds, 1)))
    return bottom + (top - bottom) * fall


CURVES = {
    "cross_entropy(\n  labels=y, logits=z)": (falling(2.3, 0.2), 1 - falling(0.6, 0.04)),
    "cross_entropy(z, y)": (-np.geomspace(20, 24379, 20), np.full((8, 20), 0.1)),
    "cross_entropy(\n  softmax(z), y)": (falling(2.36, 1.5), 1 - falling(0.7, 0.1)),
    "mean(softmax(z))": (0.1 + 3e-8 * np.sin(np.arange(160)).reshape(8, 20), np.full((8, 20), 0.08)),
    "mean(sigmoid(z))": (np.geomspace(0.04, 0.0003, 20) * np.ones((8, 1)), np.full((8, 20), 0.89)),
}
RANGES = {"cross_entropy(\n  softmax(z), y)": (1.461, 2.461)}


def panels_of(figure):
    """The panels as (left, right), a pair for each row."""
    return list(zip(figure.axes[::2], figure.axes[1::2], strict=True))


def shown_texts(figure):
    """Every text that can be seen, with its box in pixels."""
    figure.pixels()
    texts = [*figure.texts]
    for axes in figure.axes:
        texts += [child for child in axes.get_children() if isinstance(child, Text)]  # titles among them
        texts.append(axes.xaxis.label)
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    seen = [text for text in texts if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(figure.agg.get_renderer())) for text in seen]


def test_each_row_holds_its_own_loss_and_accuracy():
    figure = bugs_figure(CURVES, ranges=RANGES, title="Seven losses")
    panels = panels_of(figure)
    assert len(panels) == len(CURVES)
    for (left, right), (loss, accuracy) in zip(panels, CURVES.values(), strict=True):
        for axes, values, colour in ((left, loss, LOSS), (right, accuracy, ACCURACY)):
            [median] = axes.lines
            np.testing.assert_allclose(median.get_ydata(), np.median(np.atleast_2d(values), axis=0))
            np.testing.assert_array_equal(median.get_xdata(), np.arange(1, 21))
            assert median.get_color() == colour
            for seeds in axes.collections:
                assert to_hex(seeds.get_colors()[0]) == pale(colour)
                np.testing.assert_allclose([line[:, 1] for line in seeds.get_segments()], values)
    assert [len(axes.collections) for axes in figure.axes] == [1, 1, 0, 1, 1, 1, 1, 1, 1, 1]


def test_names_and_last_medians_are_written():
    figure = bugs_figure(CURVES, ranges=RANGES, title="Seven losses")
    texts = [text for text, _ in shown_texts(figure)]
    assert {*CURVES, "Seven losses", "what it reports", "accuracy", "epoch", "bold: median of 8 seeds"} <= {*texts}
    assert {"\N{MINUS SIGN}24,379", "0.0003", "0.10", "1.46", "2.46"} <= {*texts}
    assert texts.count("one seed") == 1


def test_a_row_of_fewer_seeds_than_another_says_how_many():
    curves = {"all": CURVES["mean(softmax(z))"], "some": (falling(2, 1, seeds=3), falling(0, 1, seeds=1))}
    texts = [text for text, _ in shown_texts(bugs_figure(curves, title="Fewer"))]
    assert (texts.count("3 seeds"), texts.count("one seed"), texts.count("8 seeds")) == (1, 1, 0)


def test_a_title_that_asks_gets_no_full_stop():
    assert bugs_figure({"a": ([1.0], [1.0])}, title="What now?").sentence.startswith("What now? a: reports")


def test_only_a_loss_with_a_range_has_a_grey_band():
    figure = bugs_figure(CURVES, ranges=RANGES, title="Seven losses")
    bands = {
        name: [(patch.get_y(), patch.get_y() + patch.get_height()) for patch in left.patches]
        for name, (left, _) in zip(CURVES, panels_of(figure), strict=True)
    }
    assert bands == {name: [pytest.approx(RANGES[name])] if name in RANGES else [] for name in CURVES}
    [patch] = figure.axes[4].patches
    assert to_hex(patch.get_facecolor()) == GRID.lower()
    bottom, top = figure.axes[4].get_ylim()
    assert bottom < 1.461
    assert top > 2.461


def test_the_rounding_of_a_constant_is_not_blown_up():
    bottom, top = panels_of(bugs_figure(CURVES, title="Seven losses"))[3][0].get_ylim()
    assert bottom <= 0
    assert top > 0.12


def test_accuracy_has_one_scale_and_epochs_are_shared():
    figure = bugs_figure({**CURVES, "short": (falling(1, 0, epochs=5), falling(1, 0, epochs=5))}, title="Six")
    assert {axes.get_ylim() for _, axes in panels_of(figure)} == {(-0.04, 1.04)}
    assert {axes.get_xlim() for axes in figure.axes} == {(1, 20)}


@pytest.mark.parametrize("rows", range(1, len(CURVES) + 1))
def test_nothing_overlaps_and_nothing_is_cut_off(rows):
    curves = dict(list(CURVES.items())[-rows:])
    ranges = {name: edges for name, edges in RANGES.items() if name in curves}
    figure = bugs_figure(curves, ranges=ranges, title="Losses that all fall or stand; one of them is cross-entropy")
    width, height = figure.size_in_pixels
    texts = shown_texts(figure)
    for name, box in texts:
        assert 0 <= box.x0 < box.x1 <= width, name
        assert 0 <= box.y0 < box.y1 <= height, name
    for i, (name, box) in enumerate(texts):
        for other, its_box in texts[i + 1 :]:
            # A line's space above and below its letters may touch the next one's.
            assert not box.padded(-2).overlaps(its_box.padded(-2)), (name, other)


def test_it_is_840_wide_and_small_to_store():
    curves = {
        **CURVES,
        "1 - p_true": (falling(0.9, 0.1), 1 - falling(0.7, 0.1)),
        "more": (falling(3, 1), falling(1, 0)),
    }
    figure = bugs_figure(curves, ranges=RANGES, title="Seven losses")
    assert figure.size_in_pixels[0] == 840
    assert len(figure.png(small=True)) <= 60_000


def test_the_description_says_where_each_loss_starts_and_ends():
    description = bugs_figure(CURVES, ranges=RANGES, title="Seven losses").description
    assert description.startswith("Seven losses. cross_entropy( labels=y, logits=z): reports 2.30 to ")
    assert (
        "cross_entropy(z, y): reports \N{MINUS SIGN}20.00 to \N{MINUS SIGN}24,379, accuracy ends at 0.10" in description
    )


def test_a_network_that_diverged_leaves_a_gap_and_is_said_to_have():
    loss = np.array([[1.0, np.nan, np.nan], [1.0, np.inf, np.nan], [1.0, 2.0, 3.0]])
    figure = bugs_figure({"wild": (loss, np.zeros((3, 3)))}, title="Diverged")
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), [1, np.nan, np.nan])
    assert "diverged" in [text for text, _ in shown_texts(figure)]
    assert "reports 1.00 to diverged" in figure.description


@settings(max_examples=10)
@given(
    st.dictionaries(
        st.text(string.ascii_letters, min_size=1, max_size=12), st.floats(-1e7, 1e7), min_size=1, max_size=3
    ),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_any_finite_curves_fit_into_their_panel(levels, epochs, seeds):
    rng = np.random.default_rng(0)
    curves = {
        name: (level + rng.normal(size=(seeds, epochs)), np.ones((seeds, epochs))) for name, level in levels.items()
    }
    figure = bugs_figure(curves, title="Any")
    figure.pixels()
    for (left, _), (loss, _) in zip(panels_of(figure), curves.values(), strict=True):
        bottom, top = left.get_ylim()
        assert bottom < loss.min() <= loss.max() < top


@pytest.mark.parametrize(
    ("curves", "ranges", "message"),
    [
        ({}, None, "needs at least one loss"),
        ({"a": (np.zeros((3, 0)), np.zeros((3, 0)))}, None, "the curves of 'a' need an epoch axis"),
        ({"a": (1.0, 1.0)}, None, "the curves of 'a' need an epoch axis with at least one epoch; got shape ()"),
        ({"a": ([1.0], [1.0])}, {"b": (0.0, 1.0)}, "ranges names 'b', which is none of the losses: 'a'"),
        (
            {"a": ([1.0], [1.0])},
            {"a": (1.0, 0.0)},
            "the range of 'a' must be finite, the least value first; got 1.0, 0",
        ),
        ({"a": ([1.0], [1.0])}, {"a": (0.0, np.inf)}, "the range of 'a' must be finite"),
        ({"a": (["high"], [1.0])}, None, "the curves of 'a' must be numbers; got text"),
        ({"a": ([1.0], np.ma.array([1.0]))}, None, "the curves of 'a' must be an ordinary array; got a masked one"),
    ],
)
def test_bad_input_is_named(curves, ranges, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        bugs_figure(curves, ranges=ranges, title="Bad")

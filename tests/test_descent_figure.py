"""The picture of a descent shows the positions it is given, wherever they are, and nothing of it overlaps."""

import itertools
import re
import warnings

import numpy as np
import pytest

from lossacc_helpers.descent import annealed, bumpy, bumpy_gradient, descend, in_central_valley
from lossacc_helpers.figures import draw
from lossacc_helpers.figures.descent import descent_picture, path_figure
from tests.moving import forgets

STEPS = 120
START = np.random.default_rng(0).uniform(-6, 6, 300)


def crowds(rate=0.1, noise=3.0, momentum=0.0):
    noisy, plain = (
        descend(bumpy_gradient, START, rate=rate, steps=STEPS, noise=level, momentum=momentum) for level in (noise, 0.0)
    )
    return {"plain": plain, "noisy": noisy}


CORNERS = {
    "cold": crowds(noise=0.0),
    "noisy": crowds(),
    "hot": crowds(noise=20.0),
    "annealed": crowds(noise=annealed(4.0, STEPS)),
    "all in the centre": {"plain": START * np.linspace(1, 0, STEPS + 1)[:, None]}
    | {"noisy": START * np.eye(STEPS + 1, 1)},
    "fast": crowds(rate=15.0),
    "run away": crowds(rate=2e6),
}


@pytest.fixture
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def boxes(figure):
    """The words that can be read, with the rectangle of each."""
    renderer = figure.agg.get_renderer()
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            # A tick beyond the limits keeps its label and does not draw it.
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    seen = [text for text in texts if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in seen]


# The picture


@pytest.mark.usefixtures("no_warnings")
@pytest.mark.parametrize("step", [0, 7, STEPS])
@pytest.mark.parametrize("corner", CORNERS)
def test_nothing_is_cut_off_or_overlaps_and_the_file_is_small(corner, step):
    figure = draw(descent_picture, **CORNERS[corner], step=step)
    assert len(figure.png(small=True)) < 60_000
    assert figure.size_in_pixels[0] == 840
    written = boxes(figure)
    for words, box in written:
        assert box.x0 >= 0, words
        assert box.x1 <= 840, words
        assert box.y0 >= 0, words
        assert box.y1 <= figure.size_in_pixels[1], words
    for (one, here), (other, there) in itertools.combinations(written, 2):
        assert not here.padded(-1).overlaps(there.padded(-1)), f"{one!r} and {other!r}"


def test_the_picture_forgets_what_it_showed_before():
    shown = {"all in the centre": STEPS, "noisy": 3, "run away": STEPS, "hot": 50}
    forgets(descent_picture, [{**CORNERS[corner], "step": step} for corner, step in shown.items()])


def test_bars_curve_and_readout_tell_the_share_in_the_central_valley():
    state = CORNERS["noisy"]
    figure = draw(descent_picture, **state, step=50)
    over_steps = figure.axes[0]
    curves = [line.get_ydata() for line in over_steps.lines if len(line.get_xdata()) == STEPS + 1]
    bar_axes = [axes for axes in figure.axes if axes.patches]
    for crowd, curve, axes in zip(state.values(), curves, bar_axes, strict=True):
        shares = in_central_valley(crowd).mean(axis=1)
        np.testing.assert_array_equal(curve, shares)
        heights = [bar.get_height() for bar in axes.patches]
        assert len(heights) == 15
        assert heights[7] == shares[50]
        [outline] = [line.get_ydata() for line in axes.lines]
        assert outline[14] == outline[15] == shares[0]
        assert outline.sum() / 2 == pytest.approx(1)
        assert f"{shares[50]:.1%}, mean height {bumpy(crowd[50]).mean():.2f}" in figure.readout
        # Every bar counts the particles that are nearer to its valley than to the next.
        nearest = np.bincount(np.round(crowd[50] / 1.0422).astype(int) + 7, minlength=15)[:15] / len(START)
        np.testing.assert_allclose(heights, nearest, atol=0.03)
    assert figure.readout.startswith(f"After step 50 of {STEPS}. ")


def test_dots_lie_on_the_landscape_where_the_particles_are():
    state = CORNERS["hot"]
    figure = draw(descent_picture, **state, step=STEPS)
    [dots] = [line for line in figure.axes[3].lines if line.get_marker() == "o"]
    x, height = dots.get_data()
    shown = state["noisy"][-1][np.abs(state["noisy"][-1]) < 7.93]
    np.testing.assert_array_equal(x, shown)
    np.testing.assert_array_equal(height, bumpy(shown))


def test_particles_that_are_not_in_the_picture_are_counted():
    figure = draw(descent_picture, **CORNERS["run away"], step=STEPS)
    gone = [text.get_text() for axes in figure.axes for text in axes.texts if "outside" in text.get_text()]
    assert gone == ["100% outside the picture"] * 2
    assert "all have run away beyond what a number can hold" in figure.readout
    one = np.full((STEPS + 1, 300), 0.1)
    one[5:, 0] = np.nan
    figure = draw(descent_picture, plain=one, noisy=one, step=9)
    assert figure.readout.count("(under 1% have run away beyond numbers)") == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": STEPS + 1}, f"step must be at most {STEPS}, where the descent ends; got {STEPS + 1}"),
        ({"step": -1}, "step must be a whole number, 0 or more; got -1"),
        (
            {"plain": np.zeros((3, 300))},
            "plain and noisy must have one shape (step + 1, particle); got (3, 300), (121, 300)",
        ),
        ({"noisy": np.zeros(3)}, "noisy must be positions of shape (step + 1, particle); got shape (3,)"),
        ({"plain": np.zeros((STEPS + 1, 300))}, "plain and noisy must begin alike"),
        ({"plain": np.zeros((1, 3))}, "plain must hold the start and at least one step; got shape (1, 3)"),
    ],
)
def test_what_is_no_descent_is_refused_in_words(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw(descent_picture, **({**CORNERS["noisy"], "step": 0} | changes))


# Single paths


def parabola(x):
    return x**2 / 2


@pytest.mark.usefixtures("no_warnings")
def test_paths_are_drawn_to_where_they_leave_and_said_to_leave():
    paths = {f"rate {rate:g}": descend(lambda x: x, 1.0, rate=rate, steps=20) for rate in (0.5, 1.95, 2.05, 1e30)}
    figure = path_figure(parabola, paths, title="Above 2 it leaves", span=(-1.6, 1.6))
    assert len(figure.png(small=True)) < 60_000
    assert "rate 0.5: after 20 steps: 9.5e-07; rate 1.95: after 20 steps: 0.36;" in figure.description
    assert figure.description.count("leaves the picture") == 2
    for axes, path, points in zip(figure.axes, paths.values(), (21, 21, 10, 1), strict=True):
        x, heights = axes.lines[1].get_data()
        np.testing.assert_array_equal(x[:points], path[:points])
        np.testing.assert_array_equal(heights[:points], parabola(path[:points]))
        if points < 21:  # one point more shows on which side it leaves
            assert x[points] == pytest.approx(np.clip(path[points], -1.76, 1.76))
            assert np.isnan(x[points + 1 :]).all()
    for words, box in boxes(figure):
        assert box.x0 >= 0, words
        assert box.x1 <= 840, words


@pytest.mark.parametrize(
    ("paths", "span", "message"),
    [
        ({}, (0, 1), "give at least one path"),
        ({str(k): [1.0] for k in range(7)}, (0, 2), "paths must be at most 6, for their names to be legible; got 7"),
        ({"a": [1.0]}, (1, 1), "span must be (least, greatest); got (1, 1)"),
        ({"a": [[1.0]]}, (0, 2), "the path 'a' must be one particle's, shape (step + 1,); got shape (1, 1)"),
    ],
)
def test_what_is_no_path_is_refused_in_words(paths, span, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        path_figure(parabola, paths, title="A path", span=span)


@pytest.mark.usefixtures("no_warnings")
@pytest.mark.parametrize(
    ("path", "drawn", "told"),
    [
        ([0.5, 5.0, 0.5, 0.2], [0.5, 1.1, 0.5, 0.2], "leaves, returns; after 3 steps: 0.2"),
        ([0.5, -9.0, 9.0, 7.0, 0.2], [0.5, -1.1, np.nan, 1.1, 0.2], "leaves, returns; after 4 steps: 0.2"),
        ([0.5, np.inf, np.inf], [0.5, 1.1, np.nan], "leaves the picture"),
        ([0.5, np.nan, 0.2], [0.5, np.nan, 0.2], "leaves, returns; after 2 steps: 0.2"),
        ([0.5, 0.2, np.nan], [0.5, 0.2, np.nan], "becomes no number"),
    ],
)
def test_a_path_is_drawn_wherever_it_is_inside_with_its_ways_out_and_back(path, drawn, told):
    figure = path_figure(lambda x: x**2, {"p": path}, title="A title", span=(-1, 1))
    x, heights = figure.axes[0].lines[1].get_data()
    np.testing.assert_allclose(x, drawn)
    np.testing.assert_allclose(heights, np.square(drawn))
    assert f"p: {told}." in figure.description


@pytest.mark.parametrize("count", [1, 4, 6])
def test_up_to_six_paths_with_long_names_are_legible(count):
    paths = {f"rate 0.{k}, momentum 0.9 and more": np.linspace(1, 5 * (k > 3), 5) for k in range(count)}
    figure = path_figure(lambda x: x**2, paths, title="A title", span=(-1, 1))
    for (one, box), (other, second) in itertools.combinations(boxes(figure), 2):
        assert not box.overlaps(second), (one, other)

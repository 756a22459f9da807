"""Losses by step are drawn with their epoch ends, and told in words."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex

from lossacc_helpers.figures import step_figure
from lossacc_helpers.figures.style import LOSS

STEPS = np.arange(1, 41) / 10.0
CURVES = {"as\nasked": STEPS, "otherwise": STEPS / 2, "third": STEPS / 4}


def test_squares_stand_at_the_ends_of_the_epochs():
    figure = step_figure(CURVES, steps_per_epoch=10, first_epoch=7, title="A title")
    [axes] = figure.axes
    [squares] = [line for line in axes.lines if line.get_marker() == "s"]
    np.testing.assert_allclose(squares.get_xdata(), [10, 20, 30, 40])
    np.testing.assert_allclose(squares.get_ydata(), [1, 2, 3, 4])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["7", "8", "9", "10"]


def test_the_picture_is_told_in_numbers():
    figure = step_figure(CURVES, steps_per_epoch=20, title="A title")
    assert "as asked 0.10 to 4.00, at the ends of the epochs 2.00, 4.00" in figure.sentence
    assert "after each of 40 steps" in figure.sentence


def test_names_have_the_colours_of_their_lines_and_stand_apart():
    figure = step_figure(CURVES, steps_per_epoch=10, title="A title")
    [axes] = figure.axes
    texts = {text.get_text(): text for text in axes.texts}
    lines = {line.get_label(): line for line in axes.lines}
    assert to_hex(lines["as\nasked"].get_color()) == LOSS.lower()
    for name in CURVES:
        assert texts[name].get_color() == lines[name].get_color()
    figure.pixels()
    boxes = sorted((text.get_window_extent() for text in texts.values()), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 + 1 for low, high in itertools.pairwise(boxes))
    assert all(box.x1 <= 840 for box in boxes)


def test_a_stored_picture_is_small():
    losses = np.random.default_rng(0).lognormal(size=(3, 600))
    figure = step_figure(dict(zip(CURVES, losses, strict=True)), steps_per_epoch=60, title="A title")
    assert len(figure.png(small=True)) < 60_000


@pytest.mark.parametrize(
    ("curves", "per_epoch", "says"),
    [
        ({}, 10, "one to 3"),
        ({str(k): STEPS for k in range(4)}, 10, "one to 3"),
        ({"two networks": np.ones((2, 40))}, 10, "one network"),
        ({"a": STEPS, "b": STEPS[:20]}, 10, "same steps"),
        ({"a": STEPS}, 30, "no whole number of epochs"),
        ({"a": STEPS}, 0, "steps_per_epoch"),
    ],
)
def test_what_cannot_be_drawn_is_named(curves, per_epoch, says):
    with pytest.raises(ValueError, match=says):
        step_figure(curves, steps_per_epoch=per_epoch, title="A title")


@pytest.mark.parametrize("first_epoch", [2.5, "2", 0])
def test_a_first_epoch_that_is_none_is_named(first_epoch):
    with pytest.raises(ValueError, match="first_epoch must be a whole number, 1 or more"):
        step_figure({"a": STEPS}, steps_per_epoch=10, first_epoch=first_epoch, title="A title")


@pytest.mark.parametrize("last", [np.nan, np.inf, 0.0])
def test_a_loss_without_a_place_on_the_axis_is_told_and_leaves_the_name_in_sight(last):
    losses = np.append(STEPS[:-1], last)
    figure = step_figure({"a": losses, "b": STEPS}, steps_per_epoch=10, title="A title")
    figure.pixels()
    assert ("a 0.10 to 3.90 (1 of 40 not finite)" in figure.sentence) == (last != 0)
    name = next(text for text in figure.axes[0].texts if text.get_text() == "a")
    assert 0 <= name.get_window_extent().y0 < name.get_window_extent().y1 <= 400
    never = step_figure({"a": np.full(40, np.nan), "b": STEPS}, steps_per_epoch=10, title="A title")
    assert "a never finite" in never.sentence


@pytest.mark.parametrize(("epochs", "numbered"), [(20, 1), (21, 2), (100, 5), (101, 10), (500, 100)])
def test_the_numbers_of_many_epochs_stand_apart(epochs, numbered):
    figure = step_figure({"a": np.ones(3 * epochs)}, steps_per_epoch=3, title="A title")
    figure.pixels()
    labels = figure.axes[0].get_xticklabels()
    assert [int(label.get_text()) for label in labels] == list(range(numbered, epochs + 1, numbered))
    boxes = [label.get_window_extent() for label in labels]
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))


def test_long_names_stay_within_the_figure():
    names = ("moving average 0.99, dropout on", "recomputed, dropout off, by step")
    figure = step_figure(dict.fromkeys(names, STEPS), steps_per_epoch=10, title="A title")
    figure.pixels()
    assert [" ".join(text.get_text().split()) for text in figure.axes[0].texts] == list(names)
    low, high = sorted((text.get_window_extent() for text in figure.axes[0].texts), key=lambda box: box.y0)
    assert max(low.x1, high.x1) <= 840
    assert low.y1 <= high.y0 + 1

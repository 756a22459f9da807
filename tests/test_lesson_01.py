"""Lesson 01: its pictures, its explorer, and the arithmetic that its texts rely on."""

import math
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

from lossacc_helpers import accuracy, attainable_accuracy, binary_log_loss, correct, log_loss
from lossacc_helpers.course.lesson_01 import LABELS, NAMES, OTHERS, lesson, mystery_log, mystery_predictions, sharpened
from lossacc_helpers.figures import draw
from lossacc_helpers.figures.arithmetic import scores_of_one_sample, ten_samples_picture
from lossacc_helpers.figures.region import attainable_region
from tests.moving import forgets, move_every_control
from tools.lessons import LESSONS, read_lesson


def ten_samples():
    return ten_samples_picture(LABELS, NAMES)


def state(others="a good model", p=0.1, threshold=0.5, clip=None):
    return {"probabilities": [p, *OTHERS[others]], "threshold": threshold, "clip": clip}


def colliding(figure):
    """Return the pairs of visible texts of a drawn figure that overlap, and the texts that leave it."""
    figure.pixels()
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    unseen = {label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in beyond(axis)}
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text not in unseen]
    pairs = [
        (name, other)
        for index, (name, box) in enumerate(boxes)
        for other, second in boxes[index + 1 :]
        if box.overlaps(second)
    ]
    width, height = figure.size_in_pixels
    return pairs + [name for name, box in boxes if min(box.x0, box.y0) < 0 or box.x1 > width or box.y1 > height]


def beyond(axis):
    """Return the labels of ticks that lie beyond the limits and are not drawn."""
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if not low - 1e-9 <= tick.get_loc() <= high + 1e-9]


# The explorer ------------------------------------------------------------------------------------------------------


def test_every_control_of_the_explorer_moves_the_picture():
    move_every_control(lesson.explorer())


def test_the_task_of_the_first_step_comes_out_as_the_lesson_says():
    explorer = lesson.explorer()
    seen = {}
    for p in (0.1, 0.22, 0.49, 0.51, 0.99):
        explorer.controls["p"].value = p
        found = re.match(r"Accuracy ([\d.]+) .* loss ([\d.]+) nats", explorer.readout)
        seen[p] = float(found[1]), float(found[2])
    assert [right for right, _ in seen.values()] == [0.5, 0.5, 0.5, 0.6, 0.6]
    assert all(np.diff([loss for _, loss in seen.values()]) < 0)


def test_two_starts_have_nearly_the_same_loss_and_accuracies_far_apart():
    scores = {}
    for others in ("one confident mistake", "all a little wrong"):
        ones = np.array([0.49, *OTHERS[others]])
        scores[others] = binary_log_loss(LABELS, ones), np.mean((ones > 0.5) == LABELS)
    (loss, high), (other_loss, low) = scores.values()
    assert abs(loss - other_loss) < 0.005
    assert (high, low) == (0.8, 0.0)


def test_the_threshold_takes_the_point_into_the_grey_and_the_readout_says_so():
    explorer = lesson.explorer()
    explorer.controls["others"].value = "a good model"
    explorer.controls["p"].value = 1.0
    loss = re.search(r"loss ([\d.]+) nats", explorer.readout)[0]
    explorer.controls["threshold"].value = 0.95
    assert loss in explorer.readout
    assert explorer.readout.endswith("accuracies down to 0.00 are possible. This point lies below what 0.50 permits.")


def test_at_another_threshold_the_readout_gives_that_threshold_s_own_bound():
    explorer = lesson.explorer()
    explorer.controls["others"].value = "a good model"
    explorer.controls["p"].value = 1.0
    explorer.controls["threshold"].value = 0.6
    # Ten samples at 0.164 nats have 1.64 nats; a wrong one costs -ln 0.6 = 0.511 or more, so three may be wrong.
    assert "as little as 0.51 nats, and accuracies down to 0.70 are possible." in explorer.readout


def test_the_clip_makes_an_infinite_loss_finite():
    explorer = lesson.explorer()
    explorer.controls["p"].value = 0.0
    assert "loss infinite" in explorer.readout
    before = float(binary_log_loss(LABELS[1:], OTHERS["a shaky start"])) * 0.9
    explorer.controls["clip"].value = True
    assert f"loss {before + 1.6118:.3f} nats" in explorer.readout


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.floats(0.1, 10))
def test_sharpness_moves_the_loss_and_never_an_answer(ones, sharpness):
    moved = sharpened(ones, sharpness)
    assert ((moved >= 0) & (moved <= 1)).all()
    away = np.abs(np.array(ones) - 0.5) > 1e-9
    np.testing.assert_array_equal((moved > 0.5)[away], (np.array(ones) > 0.5)[away])


@pytest.mark.parametrize("others", list(OTHERS))
def test_sharpness_1_changes_nothing(others):
    np.testing.assert_allclose(sharpened(OTHERS[others], 1), OTHERS[others], rtol=1e-12)


# Pictures ----------------------------------------------------------------------------------------------------------

STATES = st.builds(
    state,
    others=st.sampled_from(list(OTHERS)),
    p=st.sampled_from([0.0, 0.1, 0.5, 0.51, 1.0]),
    threshold=st.sampled_from([0.05, 0.5, 0.95]),
    clip=st.sampled_from([None, 1e-7]),
)


@settings(max_examples=4)
@given(st.lists(STATES, min_size=2, max_size=3))
def test_the_ten_samples_look_the_same_whatever_was_shown_before(states):
    forgets(ten_samples, states)


@pytest.mark.parametrize("others", list(OTHERS))
@pytest.mark.parametrize(
    ("p", "threshold", "clip"), [(0.0, 0.05, None), (0.0, 0.5, 1e-7), (0.1, 0.95, None), (1, 0.5, None)]
)
def test_no_text_of_the_ten_samples_overlaps_another(others, p, threshold, clip):
    assert colliding(draw(ten_samples, **state(others, p, threshold, clip))) == []


def test_no_text_of_the_lessons_other_pictures_overlaps_another():
    assert colliding(scores_of_one_sample((0.1, 0.22, 0.49, 0.51, 0.9), title="Loss and accuracy")) == []
    points = {"least": (0.3, 0.6), "greatest": (0.3, 1.0), "wrong": (0.713, 0.0), "right": (0.718, 0.9)}
    assert colliding(attainable_region(points, title="A region", geometric_mean=True)) == []
    assert colliding(attainable_region({"one": (0.9, 0.50), "other": (0.9, 0.52)}, title="Side by side")) == []
    assert colliding(attainable_region({"far": (1.9, 0.5)}, title="A region", classes=2, clip=1e-7)) == []


def test_a_text_that_overlaps_is_found():
    figure = attainable_region({}, title="A region")
    figure.text(0.012, 0.98, "over it", va="top")
    assert colliding(figure) == [("A region", "over it")]


def test_moving_the_ten_samples_draws_nothing_still_again():
    picture = ten_samples()
    for p in (0.1, 0.2):
        picture.update(**state(p=p))
        picture.figure.pixels()
    picture.update(**state(p=0.9, threshold=0.3, clip=1e-7))
    assert not picture.figure.stale


def test_the_readout_agrees_with_the_scores():
    ones = np.array(state("a shaky start")["probabilities"])
    rows = np.stack([1 - ones, ones], axis=-1)
    figure = draw(ten_samples, **state("a shaky start"))
    loss = log_loss(LABELS, rows)
    least, greatest = attainable_accuracy(loss, classes=2, samples=10)
    assert f"Accuracy {accuracy(LABELS, rows):.2f} ({correct(LABELS, rows).sum()} of 10 right)" in figure.readout
    assert f"loss {loss:.3f} nats, exp(−loss) {math.exp(-loss):.3f}." in figure.readout
    assert f"from {least:.2f} to {greatest:.2f}." in figure.readout


def test_the_upper_edge_is_drawn_where_the_loss_is_clipped_only():
    def upper(**options):
        figure = attainable_region({}, title="A region", loss_limit=20.0, **options)
        return next(line for line in figure.axes[0].lines if line.get_zorder() == 2 and len(line.get_xdata()) != 2)

    assert len(upper(classes=2).get_xdata()) == 0
    assert len(upper(clip=1e-7).get_xdata()) == 0
    loss, greatest = upper(classes=10, clip=1e-7).get_data()
    assert loss.max() <= -math.log(1e-7)
    np.testing.assert_allclose(greatest, np.clip((16.11810 - loss) / (16.11810 - math.log(10)), 0, 1), atol=1e-6)


@pytest.mark.parametrize("point", [(-0.1, 0.5), (2.1, 0.5), (0.5, 1.1), (math.nan, 0.5)])
def test_a_point_outside_the_axes_is_refused(point):
    with pytest.raises(ValueError, match=r"point 'lost' at loss .* lies outside the axes"):
        attainable_region({"lost": point}, title="A region")


@pytest.mark.parametrize("p", [0.0, 1.2])
def test_a_probability_without_a_place_on_the_curve_is_refused(p):
    with pytest.raises(ValueError, match="must lie in"):
        scores_of_one_sample((0.5, p), title="Loss and accuracy")


# What the texts say ------------------------------------------------------------------------------------------------


def test_the_mystery_is_a_squared_error_that_breaks_the_bound_in_some_epochs_and_not_in_others():
    losses, accuracies = mystery_log()
    labels, ones = mystery_predictions()
    rows = np.stack([1 - ones, ones], axis=-1)
    np.testing.assert_allclose(losses, ((ones - labels) ** 2).mean(axis=-1), atol=5e-4)
    np.testing.assert_allclose(accuracies, accuracy(labels, rows), atol=5e-4)
    slack = accuracies - attainable_accuracy(losses)[0]
    assert (slack < 0).any()
    assert (slack > 0).any()
    # Three decimals decide each epoch.
    assert (np.abs(slack) > 2 * 5e-4 / math.log(2)).all()
    assert (accuracy(labels, rows) >= attainable_accuracy(log_loss(labels, rows))[0]).all()


@pytest.mark.parametrize(("made", "words"), [(6, "exactly"), (8, "more than"), (5, "less than")])
def test_a_guess_of_the_least_number_right_is_answered(made, words):
    assert lesson.predictions["least_right"].scale.outcome(made).startswith(words)


def test_an_answer_with_one_part_left_blank_is_not_written_yet():
    for answer in ((..., ...), (np.full(10, 0.4), ...)):
        assert "not written yet" in lesson.check("both_rise", answer).message


@given(
    st.lists(st.floats(0.01, 1), min_size=10, max_size=10),
    st.lists(st.floats(0.01, 1), min_size=10, max_size=10),
)
def test_any_pair_in_which_both_rise_passes_and_no_other(before, after):
    right = [sum(p > 0.5 for p in epoch) for epoch in (before, after)]
    losses = [float(-np.mean(np.log(epoch))) for epoch in (before, after)]
    if abs(losses[0] - losses[1]) > 1e-9:
        passed = lesson.check("both_rise", (before, after)).passed
        assert passed == (right[1] > right[0] and losses[1] > losses[0])


@pytest.mark.parametrize("wrong", [0.49, 0.4999, 0.46])
def test_every_way_to_be_poorest_passes(wrong):
    rest = math.exp(-(4 + 5 * math.log(wrong)) / 5)
    assert lesson.check("poorest", [wrong, rest] * 5).passed


def test_right_answers_stand_in_different_places():
    places = [[option.correct for option in question.options].index(True) for question in lesson.questions.values()]
    assert len(set(places)) >= 3


def test_the_right_option_is_not_given_away_by_its_length():
    longest = sum(
        len(question.answer) == max(len(option.text) for option in question.options)
        for question in lesson.questions.values()
    )
    assert longest < len(lesson.questions) / 2


@pytest.mark.slow  # what the package imports, tests/test_imports.py tells at once
def test_the_lesson_runs_without_tensorflow_and_keras():
    cells = read_lesson(LESSONS / "01_arithmetic_of_log_loss.py").cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    blocked = "import sys; sys.modules.update(tensorflow=None, keras=None)\n"
    done = subprocess.run([sys.executable, "-c", blocked + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""Scores agree with scikit-learn, Keras and hand arithmetic, and bad input is named."""

import math
import os
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from strategies import predictions

from lossacc_helpers.crossings import crossings
from lossacc_helpers.scores import (
    accuracy,
    binary_log_loss,
    brier_score,
    correct,
    log_loss,
    margins,
    sample_losses,
)


def random_predictions(samples=200, classes=4, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(samples, classes)) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return rng.integers(classes, size=samples), probabilities.astype(dtype)


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return pytest.importorskip("keras")


# The arithmetic of lesson 01


@pytest.mark.parametrize(("p", "loss"), [(0.1, 2.303), (0.22, 1.514), (0.49, 0.713)])
def test_loss_falls_while_one_sample_stays_wrong(p, loss):
    assert round(float(binary_log_loss([1], [p])), 3) == loss
    assert round(float(log_loss([1], [[1 - p, p]])), 3) == loss
    assert accuracy([1], [[1 - p, p]]) == 0


def test_the_mirror_image_costs_the_same_for_label_0():
    assert binary_log_loss([0], [0.9]) == pytest.approx(-math.log(0.1), abs=1e-15)


def test_two_right_answers_of_different_confidence_cost_0_105_and_0_511():
    losses = sample_losses([1, 1], [[0.1, 0.9], [0.4, 0.6]])
    assert losses.round(3).tolist() == [0.105, 0.511]
    assert accuracy([1, 1], [[0.1, 0.9], [0.4, 0.6]]) == 1


def test_a_saturated_wrong_answer_costs_16_118_or_15_942_when_clipped_in_float32():
    zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
    assert round(float(binary_log_loss([1], zero, clip=1e-7)), 3) == 16.118
    assert round(float(binary_log_loss([0], one, clip=1e-7)), 3) == 15.942
    assert round(float(binary_log_loss([0], one.astype(float), clip=1e-7)), 3) == 16.118


def test_keras_clips_to_the_same_two_numbers(keras):
    for label, p in ((1, 0), (0, 1)):
        theirs = float(keras.losses.binary_crossentropy(np.float32([label]), np.float32([p])))
        assert binary_log_loss([label], np.float32([p]), clip=1e-7) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(("dtype", "loss"), [(np.float64, 36.04), (np.float32, 15.94)])
def test_scikit_learn_clips_at_the_epsilon_of_the_type(dtype, loss):
    labels, probabilities = [0, 1], np.array([[0, 1], [0, 1]], dtype)
    ours = log_loss(labels, probabilities, clip=np.finfo(dtype).eps)
    assert ours == pytest.approx(metrics.log_loss(labels, probabilities), rel=1e-6)
    assert round(float(sample_losses(labels, probabilities, clip=np.finfo(dtype).eps)[0]), 2) == loss


# Agreement where nothing is clipped


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_scores_are_those_of_scikit_learn(classes, dtype):
    labels, probabilities = random_predictions(classes=classes, dtype=dtype)
    every = range(classes)
    assert log_loss(labels, probabilities) == pytest.approx(
        metrics.log_loss(labels, probabilities, labels=every), rel=1e-6 if dtype == np.float32 else 1e-12
    )
    assert accuracy(labels, probabilities) == metrics.accuracy_score(labels, probabilities.argmax(axis=1))
    whole = metrics.brier_score_loss(labels, probabilities, labels=every, scale_by_half=False)
    assert brier_score(labels, probabilities) == pytest.approx(whole, rel=1e-6)


def test_scikit_learn_s_binary_brier_score_is_half_of_ours():
    labels, probabilities = random_predictions(classes=2)
    assert brier_score(labels, probabilities) == pytest.approx(
        2 * metrics.brier_score_loss(labels, probabilities[:, 1]), rel=1e-12
    )


def test_losses_are_those_of_keras_from_probabilities_and_from_logits(keras):
    labels, probabilities = random_predictions(dtype=np.float32)
    theirs = np.asarray(keras.losses.sparse_categorical_crossentropy(labels, probabilities))
    np.testing.assert_allclose(sample_losses(labels, probabilities), theirs, rtol=2e-6)
    logits = np.log(probabilities) + 3
    theirs = np.asarray(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))
    np.testing.assert_allclose(sample_losses(labels, probabilities), theirs, atol=2e-6)


def test_a_float16_row_may_miss_1_by_the_rounding_of_its_type():
    thirds = np.full((1, 3), 1 / 3, np.float16)
    assert log_loss([0], thirds) == pytest.approx(math.log(3), abs=1e-3)
    with pytest.raises(ValueError, match="must sum to 1"):
        log_loss([0], thirds.astype(np.float64))


# Identities


@given(predictions())
def test_the_binary_loss_is_the_loss_of_two_columns(case):
    _, probabilities = case
    ones = probabilities[:, 0]
    labels = np.arange(len(ones)) % 2
    two = np.stack([1 - ones, ones], axis=-1)
    np.testing.assert_allclose(binary_log_loss(labels, ones), log_loss(labels, two), rtol=1e-12, atol=1e-15)


def test_margins_are_the_true_probability_minus_the_largest_other():
    rows = [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.25, 0.5, 0.25]]
    np.testing.assert_allclose(margins([0, 0, 1], rows), [0.2, -0.6, 0.25], atol=1e-15)


@given(predictions())
def test_a_positive_margin_is_right_and_a_negative_one_wrong(case):
    labels, probabilities = case
    gaps, right = margins(labels, probabilities), correct(labels, probabilities)
    assert right[gaps > 0].all()
    assert not right[gaps < 0].any()
    assert (np.abs(gaps) <= 1).all()


@given(predictions())
def test_correctness_follows_argmax_ties_included(case):
    labels, probabilities = case
    assert (correct(labels, probabilities) == (np.argmax(probabilities, axis=-1) == labels)).all()


@given(predictions(), st.sampled_from([1e-7, 1e-3, 0.1]))
def test_clipping_bounds_every_loss(case, eps):
    losses = sample_losses(*case, clip=eps)
    assert (losses >= -math.log1p(-eps) - 1e-15).all()
    assert (losses <= -math.log(eps) + 1e-12).all()


@given(predictions())
def test_the_brier_score_lies_between_0_and_2(case):
    assert 0 <= brier_score(*case) <= 2


@pytest.mark.parametrize("score", [log_loss, accuracy, brier_score])
def test_leading_axes_broadcast(score):
    labels, _ = random_predictions(20, 3)
    stack = np.stack([[random_predictions(20, 3, seed=3 * i + j)[1] for j in range(3)] for i in range(2)])
    assert score(labels, stack).shape == (2, 3)
    assert score(labels, stack)[1, 2] == score(labels, stack[1, 2])
    # Labels may have leading axes of their own.
    own = np.stack([[labels], [(labels + 1) % 3]])
    assert score(own, stack)[1, 2] == score((labels + 1) % 3, stack[1, 2])


def test_leading_axes_of_binary_probabilities_broadcast():
    p = np.linspace(0.05, 0.95, 12).reshape(3, 4)
    assert binary_log_loss([0, 1, 0, 1], p).shape == (3,)


def test_a_true_class_without_probability_costs_infinity_and_a_certain_one_plain_zero():
    losses = sample_losses([0, 1], [[0.0, 1.0], [0.0, 1.0]])
    assert losses[0] == np.inf
    assert losses[1] == 0
    assert not np.signbit(losses[1])
    assert binary_log_loss([0, 1], [1.0, 0.5]) == np.inf


def test_lists_whole_floats_and_booleans_are_labels():
    probabilities = [[0.25, 0.75], [0.5, 0.5]]
    expected = log_loss(np.array([1, 0]), np.array(probabilities))
    for labels in ([1, 0], [1.0, 0.0], [True, False], np.array([1, 0], np.uint8)):
        assert log_loss(labels, probabilities) == expected
    assert isinstance(expected, np.float64)


def test_scores_leave_their_input_alone():
    labels, probabilities = random_predictions(10, 3)
    kept = labels.copy(), probabilities.copy()
    for score in (margins, brier_score, sample_losses):
        score(labels, probabilities)
    assert (labels == kept[0]).all()
    assert (probabilities == kept[1]).all()


# Bad input


GOOD = [[0.5, 0.5], [0.25, 0.75]]


@pytest.mark.parametrize("score", [sample_losses, log_loss, correct, accuracy, margins, brier_score])
@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 2], GOOD, "labels must lie in 0..1 for 2 classes; got 2 at sample 1"),
        ([0, -1], GOOD, "labels must lie in 0..1 for 2 classes; got -1 at sample 1"),
        ([0, 0.5], GOOD, "labels must be whole numbers; got 0.5 at sample 1"),
        ([0, math.nan], GOOD, "labels must be whole numbers; got nan at sample 1"),
        ([0, 1, 1], GOOD, "labels must have shape (sample,) = (2,); got (3,)"),
        (0, GOOD, "labels must have shape (sample,) = (2,); got ()"),
        ([[0], [1]], GOOD, "got (2, 1): these are a column; give labels[..., 0]"),
        ([[1, 0], [0, 1]], GOOD, "these look one-hot; give class ids, labels.argmax(-1)"),
        (["cat", "dog"], GOOD, "labels must be numbers; got text: ['cat', 'dog']"),
        (None, GOOD, "labels must be numbers; got Python objects: None"),
        ([[0], [0, 1]], GOOD, "labels must be numbers in rows of equal length"),
        ([0j, 1j], GOOD, "labels must be numbers; got complex numbers"),
        ([], GOOD, "labels must hold at least one sample; got an empty array"),
        ([0, 1], [[-0.3, 1.3], [0.5, 0.5]], "probabilities must lie in [0, 1]; got -0.3 at sample 0, class 0"),
        ([0, 1], [GOOD, [[0.5, 0.5], [1.3, -0.3]]], "got 1.3 at leading index 1, sample 1, class 0"),
        ([0, 1], [[GOOD], [[[0.5, 0.5], [1.3, -0.3]]]], "got 1.3 at leading index (1, 0), sample 1, class 0"),
        ([0, 1], np.float32([[-0.3, 1.3], [0.5, 0.5]]), "got -0.3 at sample 0, class 0"),
        ([0, 1], [[0.5, 0.5], [math.nan, 0.5]], "probabilities must lie in [0, 1]; got nan at sample 1, class 0"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.4]], "must sum to 1 over the classes; got a sum of 0.9 at sample 1"),
        ([0, 1], [0.5, 0.5], "must have shape (..., sample, class); got (2,) (for the probability of class 1 alone"),
        ([0, 1], [[1.0], [1.0]], "at least 2 classes on their last axis; got shape (2, 1)"),
        ([0, 1], np.empty((0, 2)), "probabilities must hold at least one sample; got an empty array of shape (0, 2)"),
        ([0, 1], [["a", "b"]], "probabilities must be numbers; got text"),
        ([0, 1], [[0.5, 0.5], [0.5]], "probabilities must be numbers in rows of equal length"),
        ([0, 1], np.array(GOOD, dtype=object), "probabilities must be numbers; got Python objects"),
        ([0, 1], np.ma.masked_array(GOOD), "probabilities must be an ordinary array; got a masked one"),
        (np.zeros((3, 2), int), np.broadcast_to(GOOD, (2, 2, 2)), "leading axes of labels must match"),
    ],
)
def test_bad_input_is_named(score, labels, probabilities, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        score(labels, probabilities)


@pytest.mark.parametrize(
    ("labels", "p", "message"),
    [
        ([0, 1], [0.5, 1.2], "probabilities must lie in [0, 1]; got 1.2 at sample 1"),
        ([0, 2], [0.5, 0.5], "labels must lie in 0..1 for 2 classes; got 2 at sample 1"),
        ([0, 1, 1], [[0.5, 0.5]] * 3, "give the probability of class 1 alone, p[..., 1]"),
        ([0, 1, 1], [[0.5]] * 3, "give the probability of class 1 alone, p[..., 0]"),
        ([0, 1], [0.5], "must have shape (..., sample) = (..., 2); got (1,)"),
        ([[1, 0], [0, 1]], [0.5, 0.5], "these look one-hot"),
        ([0, 1], [], "must hold at least one sample"),
    ],
)
def test_bad_binary_input_is_named(labels, p, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        binary_log_loss(labels, p)


@pytest.mark.parametrize("clip", [0, -1e-7, 0.5, 1, math.nan, "small", [1e-7, 1e-7]])
def test_a_clip_outside_0_to_a_half_is_refused(clip):
    with pytest.raises(ValueError, match="clip must"):
        log_loss([0, 1], GOOD, clip=clip)


@pytest.mark.parametrize(("dtype", "clip", "least"), [(np.float16, 1e-8, "6e-08"), (np.float32, 1e-46, "1e-45")])
def test_a_clip_that_is_0_in_the_type_of_the_probabilities_is_refused(dtype, clip, least):
    message = f"clip={clip:g} is 0 in {np.dtype(dtype)}, the type of the probabilities, and would clip nothing; give "
    rows = np.array([[1, 0], [0, 1]], dtype)
    for score in (
        lambda given: sample_losses([1, 1], rows, clip=given),
        lambda given: log_loss([1, 1], rows, clip=given),
        lambda given: binary_log_loss([1, 1], rows[:, 0] * 0, clip=given),
        lambda given: crossings([1, 1], rows, rows, clip=given).loss_change,
    ):
        with pytest.raises(ValueError, match=re.escape(message + least)):
            score(clip)
        assert np.isfinite(score(float(least))).all()  # what the message proposes does clip


def test_the_probability_of_class_1_is_called_p():
    assert binary_log_loss([1], p=[0.5]) == pytest.approx(math.log(2))

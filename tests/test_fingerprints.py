"""What mistaken losses report, held against TensorFlow and Keras making the mistakes, and hand arithmetic."""

import math
import os
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import predictions

from lossacc_helpers.fingerprints import (
    double_softmax_loss,
    double_softmax_range,
    swapped_logits_loss,
    swapped_softmax_loss,
)
from lossacc_helpers.scores import accuracy


@pytest.fixture(scope="module")
def tf():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return pytest.importorskip("tensorflow")


@pytest.fixture(params=[(2, 0.1), (10, 3.0), (13, 20.0)], ids=lambda case: f"{case[0]} classes")
def batch(request):
    """Class ids, one-hot rows and logits (sample, class) of one batch."""
    classes, spread = request.param
    rng = np.random.default_rng(classes)
    labels = rng.integers(classes, size=64)
    return labels, np.eye(classes, dtype=np.float32)[labels], rng.normal(0, spread, (64, classes)).astype(np.float32)


def softmax(values):
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


# TensorFlow itself, the mistake made in its own call


def test_tensorflow_takes_logits_and_labels_the_wrong_way_round_without_a_word(tf, batch):
    labels, one_hot, logits = batch
    theirs = tf.nn.softmax_cross_entropy_with_logits(logits, one_hot)
    np.testing.assert_allclose(swapped_logits_loss(labels, logits), theirs, rtol=1e-5, atol=1e-4)


def test_tensorflow_takes_probabilities_and_labels_the_wrong_way_round(tf, batch):
    labels, one_hot, logits = batch
    beliefs = tf.nn.softmax(logits)
    theirs = tf.nn.softmax_cross_entropy_with_logits(beliefs, one_hot)
    np.testing.assert_allclose(swapped_softmax_loss(labels, beliefs.numpy()), theirs, atol=2e-6)


def test_tensorflow_takes_probabilities_for_logits(tf, batch):
    labels, one_hot, logits = batch
    beliefs = tf.nn.softmax(logits)
    theirs = tf.nn.softmax_cross_entropy_with_logits(one_hot, beliefs)
    np.testing.assert_allclose(double_softmax_loss(labels, beliefs.numpy()), theirs, atol=2e-6)


def test_keras_takes_probabilities_for_logits_where_it_is_told_to(tf, batch):
    import keras

    labels, one_hot, logits = batch
    beliefs = softmax(logits)
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, reduction=None)(one_hot, beliefs)
    np.testing.assert_allclose(double_softmax_loss(labels, beliefs), theirs, atol=2e-6)


def test_gradients_of_the_swapped_softmax_are_those_of_one_minus_p_true(tf, batch):
    _, one_hot, logits = batch

    def gradient(loss):
        variable = tf.Variable(logits)
        with tf.GradientTape() as tape:
            value = loss(tf.nn.softmax(variable))
        return tape.gradient(value, variable).numpy()

    swapped = gradient(lambda beliefs: tf.nn.softmax_cross_entropy_with_logits(beliefs, one_hot))
    plain = gradient(lambda beliefs: 1 - tf.reduce_sum(one_hot * beliefs, axis=-1))
    np.testing.assert_allclose(swapped, plain, atol=1e-6)


def test_the_gradient_of_the_swapped_logits_knows_nothing_of_the_prediction(tf, batch):
    _, one_hot, logits = batch
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = tf.nn.softmax_cross_entropy_with_logits(variable, one_hot)
    least, greatest = double_softmax_range(one_hot.shape[-1])
    np.testing.assert_allclose(tape.gradient(value, variable), np.where(one_hot == 1, least, greatest), rtol=1e-6)


# Hand arithmetic


@pytest.mark.parametrize(("classes", "least", "greatest"), [(2, 0.313, 1.313), (10, 1.461, 2.461), (13, 1.689, 2.689)])
def test_the_range_for_2_10_and_13_classes(classes, least, greatest):
    assert tuple(round(edge, 3) for edge in double_softmax_range(classes)) == (least, greatest)


def test_swapped_logits_of_two_samples_by_hand():
    # e + 3 - 1 = 4.71828, its logarithm 1.55144: 1.55144 * (1 + 2 - 4) - 2 and 1.55144 * (0 + 0 + 1) - 0.
    losses = swapped_logits_loss([1, 0], [[1.0, 2.0, -4.0], [0.0, 0.0, 1.0]])
    assert losses.tolist() == pytest.approx([-3.55144, 1.55144], abs=1e-5)


def test_an_undecided_network_reports_ln_10_twice_but_not_when_swapped():
    undecided = [[0.1] * 10]
    assert double_softmax_loss([3], undecided) == pytest.approx(math.log(10), abs=1e-12)
    assert swapped_softmax_loss([3], undecided) == pytest.approx(math.log(math.e + 9) - 0.1, abs=1e-12)
    assert swapped_logits_loss([3], [[0.0] * 10]) == 0


def test_both_edges_of_the_range_are_attained():
    edges = double_softmax_range(3)
    for loss in (swapped_softmax_loss, double_softmax_loss):
        assert loss([0, 1], [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]).tolist() == pytest.approx(edges, abs=1e-12)


def test_swapped_logits_have_no_least_loss():
    depths = np.array([1.0, 1e3, 1e6])
    losses = swapped_logits_loss([0], -depths[:, None, None] * np.ones((1, 10)))
    assert losses[:, 0].tolist() == pytest.approx([-23.61151, -23611.51, -23611509], rel=1e-5)


# For any predictions


@given(predictions(leading=(2,)))
def test_both_softmax_mistakes_stay_in_their_range_and_the_swapped_one_above(case):
    labels, probabilities = case
    least, greatest = double_softmax_range(probabilities.shape[-1])
    double, swapped = double_softmax_loss(labels, probabilities), swapped_softmax_loss(labels, probabilities)
    assert double.shape == swapped.shape == probabilities.shape[:-1]
    assert (double >= least - 1e-12).all()
    assert (swapped <= greatest + 1e-12).all()
    assert (double <= swapped + 1e-12).all()


@given(predictions())
def test_the_double_softmax_loss_is_the_cross_entropy_of_a_second_softmax(case):
    labels, probabilities = case
    rows = np.arange(len(labels))
    expected = -np.log(softmax(probabilities)[rows, labels])
    np.testing.assert_allclose(double_softmax_loss(labels, probabilities), expected, atol=1e-12)


@given(st.integers(2, 12), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_loss_and_accuracy_of_saturated_beliefs_add_up_to_the_greatest_loss(classes, samples, seed):
    rng = np.random.default_rng(seed)
    labels, named = rng.integers(classes, size=(2, samples))
    beliefs = np.eye(classes)[named]
    total = double_softmax_range(classes)[1] - accuracy(labels, beliefs)
    for loss in (swapped_softmax_loss, double_softmax_loss):
        assert loss(labels, beliefs).mean() == pytest.approx(total, abs=1e-12)


@given(
    hnp.arrays(np.float64, (4, 5), elements=st.floats(-1e3, 1e3)),
    st.lists(st.integers(0, 4), min_size=4, max_size=4),
    st.floats(-1e3, 1e3),
)
def test_a_shift_of_all_logits_changes_no_prediction_and_moves_the_swapped_loss(logits, labels, shift):
    moved = swapped_logits_loss(labels, logits + shift) - swapped_logits_loss(labels, logits)
    expected = (5 * math.log(math.e + 4) - 1) * shift
    np.testing.assert_allclose(moved, expected, atol=1e-8)


def test_leading_axes_broadcast():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 2, 6, 4)).astype(np.float32)
    labels = rng.integers(4, size=6)
    for loss, values in (
        (swapped_logits_loss, logits),
        (swapped_softmax_loss, softmax(logits)),
        (double_softmax_loss, softmax(logits)),
    ):
        whole = loss(labels, values)
        assert whole.shape == (3, 2, 6)
        assert whole.dtype == np.float64
        np.testing.assert_allclose(whole[2, 1], loss(labels, values[2, 1]), rtol=1e-12)
    several = rng.integers(4, size=(2, 6))  # labels may have leading axes too
    np.testing.assert_allclose(
        swapped_logits_loss(several, logits)[2, 1], swapped_logits_loss(several[1], logits[2, 1]), rtol=1e-12
    )
    assert swapped_logits_loss(several, logits[:1, 0]).shape == (2, 6)


# Bad input


@pytest.mark.parametrize(
    ("labels", "logits", "message"),
    [
        ([0], [[1.0, np.nan]], "logits must be finite; got nan at sample 0, class 1"),
        ([0, 0], [[[0.0, 1.0]] * 2, [[0.0, 1.0], [np.inf, 0.0]]], "got inf at leading index 1, sample 1, class 0"),
        ([0], [0.0, 1.0], "logits must have shape (..., sample, class), two classes or more; got (2,)"),
        ([0], [[1.0]], "two classes or more; got (1, 1)"),
        ([0], [["a", "b"]], "logits must be numbers"),
        ([0, 0], [[0.0, 1.0], [1e308, 1e308]], "logits are too large to be added up at sample 1"),
        ([0], [[1e308, -1e308] * 9], "logits are too large to be added up at sample 0"),
        ([2], [[0.0, 1.0]], "labels must lie in 0..1 for 2 classes; got 2 at sample 0"),
        ([[0, 1]], [[0.0, 1.0]], "these look one-hot"),
        ([0, 1], [[0.0, 1.0]], "labels must have shape (sample,) = (1,)"),
    ],
)
def test_bad_logits_are_named(labels, logits, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        swapped_logits_loss(labels, logits)


@pytest.mark.parametrize("loss", [swapped_softmax_loss, double_softmax_loss])
@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0], [[-2.0, 3.0]], "probabilities must lie in [0, 1]; got -2.0 at sample 0, class 0"),
        ([0], [[0.5, 0.6]], "probabilities must sum to 1"),
        ([3], [[0.5, 0.5]], "labels must lie in 0..1"),
    ],
)
def test_logits_given_as_probabilities_are_refused(loss, labels, probabilities, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        loss(labels, probabilities)


def test_the_range_of_more_classes_than_a_float_can_count_is_ln_c():
    assert double_softmax_range(10**400)[1] == pytest.approx(400 * math.log(10))
    assert double_softmax_range(2**53)[1] == pytest.approx(double_softmax_range(2**53 + 1)[1], rel=1e-15)


@pytest.mark.parametrize("classes", [1, 0, 2.0, True])
def test_a_range_needs_two_classes_or_more(classes):
    with pytest.raises(ValueError, match="classes must be a whole number, 2 or more"):
        double_softmax_range(classes)

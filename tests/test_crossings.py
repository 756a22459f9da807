"""The ledger of crossings adds up exactly, group by group."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lossacc_helpers.crossings import crossings, crossings_of_losses
from lossacc_helpers.scores import accuracy, log_loss

GROUPS = ("stayed_right", "stayed_wrong", "became_right", "became_wrong")


@st.composite
def two_predictions(draw):
    samples, classes, leading = (
        draw(st.integers(1, 10)),
        draw(st.integers(2, 4)),
        draw(st.sampled_from([(), (3,), (2, 1)])),
    )
    pair = []
    for _ in range(2):
        weights = 1 + draw(hnp.arrays(np.float64, (*leading, samples, classes), elements=st.integers(0, 3).map(float)))
        pair.append(weights / weights.sum(axis=-1, keepdims=True))
    labels = draw(hnp.arrays(np.intp, samples, elements=st.integers(0, classes - 1)))
    return labels, *pair


def test_each_group_by_hand():
    labels = [1, 1, 1, 1]
    before = [[0.2, 0.8], [0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]
    after = [[0.1, 0.9], [0.7, 0.3], [0.4, 0.6], [0.8, 0.2]]
    change = crossings(labels, before, after)
    assert [int(getattr(change, name)) for name in GROUPS] == [1, 1, 1, 1]
    assert change.stayed_right_loss == pytest.approx(math.log(0.8 / 0.9) / 4, abs=1e-15)
    assert change.stayed_wrong_loss == pytest.approx(math.log(0.1 / 0.3) / 4, abs=1e-15)
    assert change.became_right_loss == pytest.approx(math.log(0.4 / 0.6) / 4, abs=1e-15)
    assert change.became_wrong_loss == pytest.approx(math.log(0.7 / 0.2) / 4, abs=1e-15)
    assert change.accuracy_change == 0
    assert change.samples == 4


@given(two_predictions())
def test_the_groups_add_up_to_the_change_of_loss_and_accuracy(case):
    labels, before, after = case
    change = crossings(labels, before, after)
    net = (change.became_right - change.became_wrong) / change.samples
    np.testing.assert_allclose(net, accuracy(labels, after) - accuracy(labels, before), atol=1e-12)
    np.testing.assert_allclose(change.accuracy_change, net, atol=1e-12)
    total = sum(getattr(change, f"{name}_loss") for name in GROUPS)
    np.testing.assert_allclose(total, log_loss(labels, after) - log_loss(labels, before), atol=1e-12)
    np.testing.assert_allclose(change.loss_change, total, atol=1e-12)
    assert (sum(getattr(change, name) for name in GROUPS) == len(labels)).all()


@given(two_predictions())
def test_going_back_swaps_the_groups_and_turns_every_sign(case):
    labels, before, after = case
    there, back = crossings(labels, before, after), crossings(labels, after, before)
    assert (there.became_right == back.became_wrong).all()
    np.testing.assert_allclose(there.became_right_loss, -back.became_wrong_loss, atol=1e-15)
    np.testing.assert_allclose(there.loss_change, -back.loss_change, atol=1e-15)


def test_leading_axes_broadcast():
    before = np.full((3, 1, 2, 2), 0.5)
    after = np.broadcast_to([[0.1, 0.9], [0.8, 0.2]], (4, 2, 2))
    change = crossings([1, 1], before, after)
    for name in GROUPS:
        assert getattr(change, name).shape == getattr(change, f"{name}_loss").shape == (3, 4)
    assert change.loss_change.shape == change.accuracy_change.shape == (3, 4)
    assert (change.became_right == 1).all()


def test_an_infinite_loss_is_refused_and_clip_mends_it():
    certain, even = [[1.0, 0.0]], [[0.5, 0.5]]
    with pytest.raises(ValueError, match=r"got inf at sample 0 \(clip= keeps losses finite\)"):
        crossings([1], certain, even)
    change = crossings([1], certain, even, clip=1e-7)
    assert change.loss_change == pytest.approx(math.log(2) - math.log(1e7), rel=1e-12)


def test_a_nan_stays_in_its_own_group():
    change = crossings_of_losses([0.1, 0.2], [True, True], [0.3, math.nan], [True, False])
    assert change.stayed_right_loss == pytest.approx(0.1)
    assert np.isnan(change.became_wrong_loss)
    assert np.isnan(change.loss_change)
    assert change.accuracy_change == -0.5


def test_shapes_and_flags_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"the same shape .* got \(2,\), \(2,\), \(3,\), \(2,\)"):
        crossings_of_losses([1.0, 1.0], [True, True], [1.0, 1.0, 1.0], [True, True])
    with pytest.raises(ValueError, match="correctness after must be booleans"):
        crossings_of_losses([1.0], [True], [1.0], [1.0])
    with pytest.raises(ValueError, match="labels must lie in"):
        crossings([2], [[0.5, 0.5]], [[0.5, 0.5]])

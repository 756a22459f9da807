"""A history of steps derives what Keras prints at an epoch's end, merges steps, and refuses what no batch can be."""

import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossacc_helpers import StepHistory

SAMPLES = [4, 4, 2, 4, 4, 2]


def steps(losses=(2.0, 1.0, 0.5, 1.0, 0.0, 3.0), correct=(1, 2, 2, 3, 4, 0), samples=SAMPLES, steps_per_epoch=3):
    return StepHistory(losses, correct, samples, steps_per_epoch=steps_per_epoch)


@st.composite
def histories(draw):
    """Steps of networks with a batch size, and as many samples an epoch as no whole number of batches holds."""
    batch, data, epochs = draw(st.integers(1, 9)), draw(st.integers(1, 40)), draw(st.integers(1, 4))
    per_epoch = [batch] * (data // batch) + [data % batch] * (data % batch > 0)
    samples = np.tile(per_epoch, epochs)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    shape = (*draw(st.sampled_from([(), (2,), (2, 3)])), len(samples))
    return StepHistory(
        rng.exponential(2, shape), rng.integers(0, samples + 1, shape), samples, steps_per_epoch=len(per_epoch)
    )


# What is derived


def test_the_shares_and_the_means_are_those_of_the_samples():
    history = steps()
    np.testing.assert_allclose(history.accuracy, [1 / 4, 2 / 4, 2 / 2, 3 / 4, 4 / 4, 0])
    np.testing.assert_allclose(history.epoch_loss, [(8 + 4 + 1) / 10, (4 + 0 + 6) / 10])
    np.testing.assert_allclose(history.epoch_accuracy, [5 / 10, 7 / 10])
    assert (history.steps, history.epochs, history.leading_shape) == (6, 2, ())
    assert repr(history) == "StepHistory(epochs=2, steps_per_epoch=3)"


@given(histories())
def test_the_means_of_an_epoch_are_those_of_its_samples_one_by_one(history):
    for e in range(history.epochs):
        mine = slice(e * history.steps_per_epoch, (e + 1) * history.steps_per_epoch)
        repeats = history.samples[mine]
        each = np.repeat(history.losses[..., mine].astype(float), repeats, axis=-1)
        np.testing.assert_allclose(history.epoch_loss[..., e], each.mean(axis=-1), rtol=1e-12)
        right = history.correct[..., mine].sum(axis=-1)
        np.testing.assert_allclose(history.epoch_accuracy[..., e], right / repeats.sum())


def test_replicas_keep_to_themselves():
    history = StepHistory([[2.0, 1.0], [0.5, 0.0]], [[0, 1], [3, 4]], [4, 4], steps_per_epoch=2)
    assert repr(history) == "StepHistory(replicas=(2,), epochs=1, steps_per_epoch=2)"
    np.testing.assert_array_equal(history.epoch_accuracy, [[1 / 8], [7 / 8]])
    np.testing.assert_array_equal(history.replica(1).losses, [0.5, 0.0])
    np.testing.assert_array_equal(history.replica(1).samples, [4, 4])
    with pytest.raises(IndexError, match=r"replica must lie in 0\.\.1; got 2"):
        history.replica(2)
    with pytest.raises(IndexError, match="no replica axis"):
        history.replica(0).replica(0)


def test_a_network_that_diverged_has_no_loss_from_there_on():
    history = steps(losses=[2.0, 1.0, 0.5, np.nan, np.inf, -np.inf])
    np.testing.assert_allclose(history.epoch_loss, [1.3, np.nan])
    np.testing.assert_allclose(history.epoch_accuracy, [0.5, 0.7])
    assert np.isnan(history.grouped(8).losses[2])


# Merged steps


def test_the_last_point_of_an_epoch_takes_the_steps_that_are_left():
    history = steps()
    for count, samples, losses, correct in (
        (4, SAMPLES, history.losses, history.correct),
        (8, [8, 2, 8, 2], [1.5, 0.5, 0.5, 3.0], [3, 2, 7, 0]),
        (10**6, [10, 10], [1.3, 1.0], [5, 7]),
    ):
        points = history.grouped(count)
        np.testing.assert_array_equal(points.samples, samples)
        np.testing.assert_allclose(points.losses, losses, rtol=1e-6)
        np.testing.assert_array_equal(points.correct, correct)
        assert points.epochs == 2


@pytest.mark.parametrize(
    ("count", "together"), [(1, 1), (4, 1), (5, 1), (7, 2), (9, 2), (11, 3), (12, 3)], ids=lambda number: str(number)
)
def test_a_point_takes_as_many_of_the_largest_batches_as_come_nearest(count, together):
    history = StepHistory(np.ones(12), np.ones(12, int), [4] * 11 + [1], steps_per_epoch=12)
    assert history.grouped(count).steps == 12 // together


@given(histories(), st.integers(1, 60))
def test_merging_keeps_every_sample_and_the_means_of_every_epoch(history, count):
    points = history.grouped(count)
    assert points.epochs == history.epochs
    assert (points.samples.reshape(history.epochs, -1).sum(axis=1) == history.samples.sum() / history.epochs).all()
    assert points.samples.max() <= max(history.samples.max(), count + history.samples.max() / 2)
    np.testing.assert_array_equal(points.epoch_accuracy, history.epoch_accuracy)
    np.testing.assert_allclose(points.epoch_loss, history.epoch_loss, rtol=1e-6)


@pytest.mark.parametrize("count", [0, -8, 2.5, True, "100"])
def test_a_count_that_makes_no_sense_is_refused(count):
    with pytest.raises(ValueError, match=f"count must be a whole number, 1 or more; got {count!r}"):
        steps().grouped(count)


@pytest.mark.parametrize("count", [10**6, 10**30, 10**400], ids=["a million", "10^30", "10^400"])
def test_a_point_of_more_samples_than_there_are_is_an_epoch(count):
    np.testing.assert_array_equal(steps().grouped(count).samples, [10, 10])


# Epochs


def test_selected_epochs_keep_all_their_steps():
    history = steps(losses=[0, 1, 2, 10, 11, 12])
    np.testing.assert_array_equal(history.select_epochs(slice(1, None)).losses, [10, 11, 12])
    np.testing.assert_array_equal(history.select_epochs(slice(None, None, -1)).losses, [10, 11, 12, 0, 1, 2])
    np.testing.assert_array_equal(history.select_epochs(slice(0, 1)).correct, [1, 2, 2])
    for none in (slice(2, None), 1):
        with pytest.raises(ValueError, match="epochs must be a slice that holds at least one of the 2"):
            history.select_epochs(none)


# What it is


def test_it_cannot_be_changed_and_owns_its_data():
    losses, correct, samples = np.ones(2), np.array([1, 2]), np.array([4, 4])
    history = StepHistory(losses, correct, samples, steps_per_epoch=2)
    losses[0], correct[0], samples[0] = 7, 0, 9
    assert (history.losses[0], history.correct[0], history.samples[0]) == (1, 1, 4)
    assert history.losses.dtype == np.float32
    twin = pickle.loads(pickle.dumps(history))
    assert repr(twin) == repr(history)
    for each in (history, twin, copy.copy(history)):
        for name in ("losses", "correct", "samples"):
            np.testing.assert_array_equal(getattr(each, name), getattr(history, name))
            with pytest.raises(ValueError, match="read-only"):
                getattr(each, name)[0] = 0
    assert copy.deepcopy(history) is history


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": [[4, 4, 2, 4, 4, 2]]}, "samples must have shape (step,); got (1, 6)"),
        ({"losses": [1.0] * 5}, "must share the shape (..., step), with 6 steps as samples has; got (5,) and (6,)"),
        ({"correct": np.ones((2, 6), int)}, "must share the shape (..., step), with 6 steps as samples has"),
        ({"losses": 1.0, "correct": 1}, "with 6 steps as samples has; got () and ()"),
        ({"correct": [1, 2, 3, 3, 4, 0]}, "correct must not exceed the samples of the step; got 3 at step 2"),
        (
            {"losses": np.ones((2, 6)), "correct": [[0] * 6, [0, 5, 0, 0, 0, 0]]},
            "correct must not exceed the samples of the step; got 5 at leading index 1, step 1",
        ),
        ({"correct": [1, 2, -1, 3, 4, 0]}, "correct must be 0 or more; got -1 at step 2"),
        ({"correct": [0.25, 0.5, 1, 0.75, 1, 0]}, "correct must be whole numbers; got float64"),
        ({"samples": [4, 4, 0, 4, 4, 2]}, "samples must be 1 or more; got 0 at step 2"),
        ({"samples": [4.0] * 6}, "samples must be whole numbers; got float64"),
        ({"losses": ["high"] * 6}, "losses must be numbers; got text"),
        ({"losses": []}, "losses must hold at least one sample"),
        ({"steps_per_epoch": 4}, "6 steps are no whole number of epochs of 4 steps each"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be a whole number, 1 or more; got 0"),
        ({"steps_per_epoch": 3.0}, "steps_per_epoch must be a whole number, 1 or more; got 3.0"),
    ],
)
def test_what_no_batches_can_be_is_named(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        steps(**changes)

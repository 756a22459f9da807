"""Histories derive what the scores compute, runs keep what belongs together, and files are whole or refused."""

import copy
import io
import json
import math
import pickle
import re
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import predictions

from lossacc_helpers import scores
from lossacc_helpers.exercises import Exercise, check
from lossacc_helpers.history import PredictionHistory, StepHistory, TrainingRun

FORMS = ("full", "compact")


def random_logs(shape=(3, 4, 10, 3), seed=0):
    logits = np.random.default_rng(seed).normal(size=shape) * 2
    return (logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))).astype(np.float32)


def random_history(shape=(3, 4, 10, 3), seed=0):
    labels = np.random.default_rng(seed + 1).integers(shape[-1], size=shape[-2])
    return PredictionHistory(labels, random_logs(shape, seed))


def random_steps(replicas=(3,), epochs=4, seed=7):
    """Four steps an epoch for a training set of 10 samples: 3, 3, 3 and 1."""
    rng, samples = np.random.default_rng(seed), np.tile([3, 3, 3, 1], epochs)
    shape = (*replicas, len(samples))
    return StepHistory(rng.random(shape) * 3, rng.integers(0, samples + 1, shape), samples, steps_per_epoch=4)


def full_run(**changes):
    rng = np.random.default_rng(5)
    parts = {
        "settings": {"learning_rate": 0.0005, "layers": [8, 3], "optimizer": {"name": "adam"}, "note": None},
        "initial": [rng.normal(size=(3, 4, 8)).astype(np.float32), np.zeros((3, 8), np.float32)],
        "final": [rng.normal(size=(3, 4, 8)).astype(np.float32), np.ones((3, 8), np.float32)],
        "orders": np.stack([[rng.permutation(10) for _ in range(4)] for _ in range(3)]).astype(np.int32),
        "steps": random_steps(),
    }
    return TrainingRun(random_history(), random_history((3, 4, 6, 3), seed=9), **(parts | changes))


# What is derived


@pytest.mark.parametrize("classes", [2, 3, 16, 17, 40])
@pytest.mark.parametrize("innermost", ["class", "replica"])
def test_every_derived_array_is_what_the_scores_compute(classes, innermost):
    logs = random_logs((5, 4, 30, classes))
    if innermost == "replica":  # what the training engine hands over: the replica axis fastest in memory
        logs = np.ascontiguousarray(np.moveaxis(logs, 0, -1)).transpose(3, 0, 1, 2)
        assert logs.strides[0] == 4
    labels = np.arange(30) % classes
    probabilities = np.exp(logs.astype(np.float64))
    for history in (PredictionHistory(labels, logs), PredictionHistory._trusted(labels, logs)):
        np.testing.assert_allclose(history.loss, scores.log_loss(labels, probabilities), rtol=1e-12)
        np.testing.assert_allclose(history.sample_losses, scores.sample_losses(labels, probabilities), rtol=1e-6)
        np.testing.assert_allclose(history.margins, scores.margins(labels, probabilities), atol=1e-12)
        np.testing.assert_allclose(history.top_probabilities, probabilities.max(axis=-1), rtol=1e-12)
        assert (history.correct == scores.correct(labels, probabilities)).all()
        assert (history.accuracy == scores.accuracy(labels, probabilities)).all()
        np.testing.assert_allclose(history.probabilities, probabilities, rtol=1e-12)
        assert history.loss.dtype == history.accuracy.dtype == np.float64


@given(predictions(leading=(2, 3)))
def test_ties_follow_argmax_in_every_form(case):
    labels, probabilities = case
    history = PredictionHistory.from_probabilities(labels, probabilities)
    expected = np.log(probabilities, where=probabilities > 0, out=np.full(probabilities.shape, -np.inf))
    assert (history.correct == (expected.astype(np.float32).argmax(axis=-1) == labels)).all()
    compact = history.compact()
    assert (compact.correct == history.correct).all()
    np.testing.assert_array_equal(compact.loss, history.loss)
    np.testing.assert_allclose(compact.top_probabilities, history.top_probabilities, rtol=1e-6)


def test_ties_among_many_classes_follow_argmax():
    history = PredictionHistory.from_probabilities([0, 1, 19], np.full((1, 3, 20), 0.05))
    assert history.correct.tolist() == [[True, False, False]]


def test_a_logit_gap_of_120_keeps_its_loss():
    history = PredictionHistory([0], [[[-120.0, 0.0]]])
    assert history.loss[0] == 120
    assert history.probabilities[0, 0, 0] == pytest.approx(math.exp(-120))


def test_sizes_are_named():
    history = random_history()
    assert (history.replicas, history.epochs, history.samples, history.classes) == (3, 4, 10, 3)
    assert history.leading_shape == (3,)
    assert random_history((4, 10, 3)).replicas == 1
    assert repr(history) == "PredictionHistory(replicas=(3,), epochs=4, samples=10, classes=3)"
    assert repr(history.compact()).endswith("classes=3, compact)")


def test_crossings_are_those_between_consecutive_epochs():
    history = random_history()
    change = history.crossings()
    assert change.became_right.shape == (3, 3)
    np.testing.assert_allclose(change.loss_change, np.diff(history.loss), atol=1e-12)
    np.testing.assert_allclose(change.accuracy_change, np.diff(history.accuracy), atol=1e-12)
    net = (change.became_right - change.became_wrong).cumsum(axis=-1) / history.samples
    np.testing.assert_allclose(history.accuracy[:, :1] + net, history.accuracy[:, 1:], atol=1e-12)
    assert (history.compact().crossings().became_wrong == change.became_wrong).all()


def test_crossings_of_one_epoch_or_an_infinite_loss_are_refused():
    with pytest.raises(ValueError, match="crossings need two epochs or more; this history has 1"):
        random_history((1, 10, 3)).crossings()
    history = PredictionHistory.from_probabilities([1], [[[1.0, 0.0]], [[0.5, 0.5]]])
    with pytest.raises(ValueError, match="got inf at leading index 0, sample 0"):
        history.crossings()
    assert history.crossings(clip=1e-7).loss_change[0] == pytest.approx(math.log(2) - math.log(1e7), rel=1e-6)
    # In float64: what float32 or float16 could not tell from 0 still clips.
    assert history.crossings(clip=1e-60).loss_change[0] == pytest.approx(math.log(2) - 60 * math.log(10), rel=1e-6)


def test_a_network_that_diverged_counts_as_wrong_and_has_no_loss():
    logs = random_logs()
    logs[1, 2:] = np.nan
    labels = np.zeros(10, int)  # argmax of NaN would name class 0
    history = PredictionHistory(labels, logs)
    for form in (
        history,
        history.compact(),
        PredictionHistory(labels, np.repeat(logs, 9, axis=-1) - np.log(np.float32(9))),
    ):
        assert np.isnan(form.loss[1, 2:]).all()
        assert (form.accuracy[1, 2:] == 0).all()
        assert np.isfinite(form.loss[[0, 2]]).all()
        assert np.isnan(form.crossings().loss_change[1, 1:]).all()
        assert np.isfinite(form.crossings().loss_change[[0, 2]]).all()
    nan_row = np.full((1, 1, 2), np.nan)
    assert PredictionHistory.from_probabilities([0], nan_row).accuracy[0] == 0


def test_replicas_and_epochs_can_be_taken_out():
    for history in (random_history(), random_history().compact()):
        one = history.replica(1)
        assert one.leading_shape == ()
        assert (one.loss == history.loss[1]).all()
        some = history.select_epochs(slice(1, None, 2))
        assert (some.accuracy == history.accuracy[:, 1::2]).all()
        with pytest.raises(IndexError, match=r"replica must lie in 0\.\.2; got 3"):
            history.replica(3)
        with pytest.raises(IndexError, match="no replica axis"):
            one.replica(0)
        with pytest.raises(ValueError, match="at least one of the 4"):
            history.select_epochs(slice(4, None))


def test_every_replica_of_several_leading_axes_can_be_taken_out():
    history = random_history((2, 3, 4, 10, 3))
    assert history.replicas == 6
    for form in (history, history.compact()):
        for k in range(6):
            one = form.replica(k)
            assert one.leading_shape == ()
            assert (one.loss == history.loss.reshape(6, 4)[k]).all()
        with pytest.raises(IndexError, match=r"replica must lie in 0\.\.5; got 6"):
            form.replica(6)


# The compact form


def test_the_compact_form_keeps_what_most_views_need():
    history, compact = random_history(), random_history().compact()
    assert compact.log_probabilities is None
    assert compact.is_compact
    assert compact.classes == 3
    for name in ("loss", "accuracy", "correct", "sample_losses", "true_probabilities"):
        np.testing.assert_array_equal(getattr(compact, name), getattr(history, name))
    for wanted in ("margins", "probabilities"):
        with pytest.raises(ValueError, match="keep the full form"):
            getattr(compact, wanted)
    assert compact.compact() is compact


def test_two_classes_leave_margins_in_the_compact_form():
    history = random_history((3, 4, 10, 2))
    np.testing.assert_allclose(history.compact().margins, history.margins, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"true_log_probabilities": [[0.1, -1.0]]},
            "true_log_probabilities must be 0 or less; got 0.1 at epoch 0, sample 0",
        ),
        (
            {"top_probabilities": [[0.9, 0.3]]},
            "must lie in [1/2, 1]; got log p -1.0, top 0.3, correct False at epoch 0, sample 1",
        ),
        ({"top_probabilities": [[0.6, 0.7]]}, "must not be below those of the true class"),
        ({"top_probabilities": [[1.0, 0.7]]}, "a correct sample's true class must be the top one"),
        ({"correct": [[False, False]]}, "a wrong sample's true class must have at most 1/2"),
        ({"top_probabilities": [[math.nan, 0.7]]}, "must be NaN together"),
        ({"correct": [[1, 0]]}, "correct must be booleans; got int64"),
        ({"correct": [[True]]}, "must share the shape (..., epoch, sample); got (1, 2), (1, 2) and (1, 1)"),
        ({"classes": 1}, "classes must be a whole number, 2 or more; got 1"),
        ({"labels": [0, 2]}, "labels must lie in 0..1 for 2 classes; got 2 at sample 1"),
    ],
)
def test_compact_values_that_no_predictions_have_are_refused(changes, message):
    good = {
        "labels": [0, 1],
        "true_log_probabilities": [[-0.1, -1.0]],
        "top_probabilities": [[math.exp(-0.1), 0.7]],
        "correct": [[True, False]],
        "classes": 2,
    }
    assert PredictionHistory.from_compact(**good).accuracy.tolist() == [0.5]
    with pytest.raises(ValueError, match=re.escape(message)):
        PredictionHistory.from_compact(**(good | changes))


# What is refused, and what cannot be changed


@pytest.mark.parametrize(
    ("labels", "logs", "message"),
    [
        ([0, 1], [[-1.0, -1.0]], "must have shape (..., epoch, sample, class) with 2 classes or more; got (1, 2)"),
        ([0], np.log([[[0.5, 0.5], [0.5, 0.5]]]), "labels must have shape (sample,) = (2,); got (1,)"),
        ([[1, 0], [0, 1]], np.log([[[0.5, 0.5], [0.5, 0.5]]]), "these look one-hot"),
        ([0, 2], np.log([[[0.5, 0.5], [0.5, 0.5]]]), "got 2 at sample 1"),
        ([0, 1], [[[0.5, 0.5], [0.5, 0.5]]], "use PredictionHistory.from_probabilities"),
        (
            [0, 1],
            [[[-1.0, -1.0], [-9.0, -9.0]]],
            "got a sum of 0.735759 at epoch 0, sample 0 (logits need a log-softmax",
        ),
        ([0], [[[math.nan, 0.0]]], "numbers or NaN for the whole row; got [nan  0.] at epoch 0, sample 0"),
        ([0], [[["a", "b"]]], "log_probabilities must be numbers; got text"),
        ([0], None, "use PredictionHistory.from_compact"),
        ([0], np.empty((1, 0, 2)), "log_probabilities must hold at least one sample"),
    ],
)
def test_bad_histories_are_named(labels, logs, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        PredictionHistory(labels, logs)


def test_bad_probabilities_are_placed_at_their_epoch():
    with pytest.raises(ValueError, match=r"got 1.3 at leading index 0, epoch 1, sample 0, class 0"):
        PredictionHistory.from_probabilities([0], [[[[0.5, 0.5]], [[1.3, -0.3]]]])
    with pytest.raises(ValueError, match=r"got nan at epoch 0, sample 0, class 1"):
        PredictionHistory.from_probabilities([0], [[[1.0, math.nan]]])


def test_tiny_positive_logarithms_are_rounding():
    assert PredictionHistory([0], [[[5e-7, -20.0]]]).loss[0] == 0


def test_a_history_cannot_be_changed_and_owns_its_data():
    labels, logs = np.array([0, 1]), np.log([[[0.5, 0.5], [0.5, 0.5]]]).astype(np.float32)
    history = PredictionHistory(labels, logs)
    logs[:], labels[:] = 0, 0
    assert history.loss[0] == pytest.approx(math.log(2))
    assert history.labels.tolist() == [0, 1]
    for name in ("labels", "log_probabilities", "loss", "accuracy", "correct", "margins", "sample_losses"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(history, name)[...] = 0
    with pytest.raises(AttributeError):
        history.labels = labels


# Runs


def test_weights_and_orders_are_handed_out_by_replica():
    run = full_run()
    assert [array.shape for array in run.initial_weights(2)] == [(4, 8), (8,)]
    assert (run.final_weights(1)[0] == run.final[0][1]).all()
    assert (run.order(1) == run.orders[1]).all()
    one = run.replica(1)
    assert (one.train.loss == run.train.loss[1]).all()
    assert (one.validation.loss == run.validation.loss[1]).all()
    assert (one.initial_weights()[0] == run.initial_weights(1)[0]).all()
    assert (one.order() == run.order(1)).all()
    assert (one.steps.losses == run.steps.losses[1]).all()
    assert (one.steps.correct == run.steps.correct[1]).all()
    assert (run.replicas, one.replicas, run.epochs) == (3, 1, 4)
    for call in (run.initial_weights, run.final_weights, run.order, run.replica):
        with pytest.raises(IndexError, match=r"replica must lie in 0\.\.2; got 3"):
            call(3)
    with pytest.raises(IndexError, match=r"replica must lie in 0\.\.0; got 1"):
        one.order(1)


def test_what_was_recorded_for_several_leading_axes_is_that_of_the_replica():
    rng = np.random.default_rng(6)
    run = TrainingRun(
        random_history((2, 3, 4, 10, 3)),
        initial=[rng.normal(size=(2, 3, 5))],
        final=[rng.normal(size=(2, 3, 5))],
        orders=rng.integers(10, size=(2, 3, 4, 10)),
        steps=random_steps((2, 3)),
    )
    for k in range(6):
        row, column = divmod(k, 3)
        one = run.replica(k)
        assert (one.train.loss == run.train.loss[row, column]).all()
        for ours, theirs in (
            (run.initial_weights(k)[0], run.initial[0]),
            (one.initial_weights()[0], run.initial[0]),
            (run.final_weights(k)[0], run.final[0]),
            (run.order(k), run.orders),
            (one.steps.losses, run.steps.losses),
            (one.steps.accuracy, run.steps.accuracy),
        ):
            assert (ours == theirs[row, column]).all()
    with pytest.raises(IndexError, match=r"replica must lie in 0\.\.5; got 6"):
        run.initial_weights(6)


def test_a_weight_that_is_a_single_number_is_handed_out_as_an_array():
    run = TrainingRun(random_history(), initial=[np.arange(3.0)])
    for weights in (run.initial_weights(2), run.replica(2).initial_weights()):
        assert isinstance(weights[0], np.ndarray)
        assert weights[0].shape == ()
        assert weights[0] == 2


def test_a_replica_says_which_one_it_is_and_keeps_what_made_it():
    run = full_run(provenance={"keras": "3.15.1"})
    one = run.replica(np.int64(2))
    assert one.settings == {**run.settings, "replica": 2}
    assert "replica" not in run.settings
    assert one.provenance == run.provenance == run.compact().provenance
    with pytest.raises(IndexError, match="no replica axis"):
        one.replica(0)


@pytest.mark.parametrize("epochs", [slice(1, None, 2), slice(0, 1), slice(-2, None)])
def test_selected_epochs_keep_their_predictions_orders_and_steps(epochs):
    run = full_run()
    some = run.select_epochs(epochs)
    assert (some.train.loss == run.train.loss[:, epochs]).all()
    assert (some.validation.loss == run.validation.loss[:, epochs]).all()
    assert (some.orders == run.orders[:, epochs]).all()
    assert (some.order(1) == run.order(1)[epochs]).all()
    assert (some.steps.losses == run.steps.losses.reshape(3, 4, 4)[:, epochs].reshape(3, -1)).all()
    assert (some.steps.correct == run.steps.correct.reshape(3, 4, 4)[:, epochs].reshape(3, -1)).all()
    assert (some.steps.epochs, some.steps.steps_per_epoch) == (some.epochs, 4)
    assert some.settings == run.settings
    for name in ("initial", "final"):
        assert all((a == b).all() for a, b in zip(getattr(some, name), getattr(run, name), strict=True))
    bare = TrainingRun(run.train).select_epochs(epochs)
    assert (bare.validation, bare.orders, bare.steps, bare.epochs) == (None, None, None, some.epochs)


def test_a_run_says_what_was_recorded_beside_its_histories():
    assert repr(full_run()).endswith(", with initial, final, orders, steps)")
    assert repr(TrainingRun(random_history(), steps=random_steps())).endswith("validation=None, with steps)")


def test_the_compact_form_leaves_the_steps_as_they_are():
    run = full_run()
    assert run.compact().steps is run.steps


def test_an_order_may_visit_a_sample_twice():
    orders = np.zeros((3, 4, 10), int)
    assert (TrainingRun(random_history(), orders=orders).order(1) == 0).all()


def test_what_was_not_recorded_is_said():
    run = TrainingRun(random_history())
    for call, name in ((run.initial_weights, "initial weights were"), (run.final_weights, "final weights were"),
                       (run.order, "order of the samples was")):  # fmt: skip
        with pytest.raises(ValueError, match=f"the {name} not recorded"):
            call()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": None}, "train must be a PredictionHistory; got NoneType"),
        ({"validation": 3}, "validation must be a PredictionHistory; got int"),
        ({"validation": random_history((2, 4, 6, 3))}, "must have the same replica axes; got (3,) and (2,)"),
        ({"validation": random_history((3, 5, 6, 3))}, "must have the same epochs; got 4 and 5"),
        ({"validation": random_history((3, 4, 6, 2))}, "must have the same classes; got 3 and 2"),
        ({"initial": [np.zeros((2, 4))]}, "initial weights must begin with the replica axes (3,); array 0 has (2, 4)"),
        ({"final": [np.array(["a"] * 3)]}, "final weights must be numbers; array 0 holds <U1"),
        (
            {"orders": np.zeros((3, 4, 9), int)},
            "orders must be whole numbers of shape (3, 4, 10); got int64 of shape (3, 4, 9)",
        ),
        ({"orders": np.full((3, 4, 10), 10)}, "orders must name samples 0..9; got 10 to 10"),
        ({"steps": [2.3, 1.1]}, "steps must be a StepHistory; got list"),
        ({"steps": random_steps(())}, "train and steps must have the same replica axes; got (3,) and ()"),
        ({"steps": random_steps((2,))}, "train and steps must have the same replica axes; got (3,) and (2,)"),
        ({"steps": random_steps(epochs=5)}, "train and steps must have the same epochs; got 4 and 5"),
        ({"settings": {"rate": math.inf}}, "settings['rate'] must be finite to be saved as JSON; got inf"),
        ({"settings": {"model": [object()]}}, "settings['model'][0] must be something JSON can hold; got object"),
        ({"settings": {3: 1}}, "settings must have text keys; got 3"),
        ({"settings": [1]}, "settings must be a mapping; got list"),
    ],
)
def test_parts_that_do_not_belong_together_are_named(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        TrainingRun(**({"train": random_history()} | changes))


def test_settings_are_a_read_only_copy():
    given_settings = {"layers": [8, 3], "rate": np.float32(0.5), "nested": {"a": 1}}
    run = TrainingRun(random_history(), settings=given_settings)
    given_settings["layers"].append(1)
    assert run.settings["layers"] == (8, 3)
    assert run.settings["rate"] == 0.5
    for mapping in (run.settings, run.settings["nested"]):
        with pytest.raises(TypeError):
            mapping["a"] = 2


def test_a_run_is_its_own_deep_copy_since_nothing_in_it_can_change():
    run = full_run()
    for whole in (run, run.train, run.compact(), run.compact().train):
        assert copy.deepcopy(whole) is whole
        assert copy.deepcopy([whole])[0] is whole


@pytest.mark.parametrize("through", [copy.copy, lambda run: pickle.loads(pickle.dumps(run))], ids=["copy", "pickle"])
@pytest.mark.parametrize("form", FORMS)
def test_copied_and_pickled_runs_are_the_same_and_as_read_only(form, through):
    run = full_run(provenance={"keras": "3.15.1"})
    run = run if form == "full" else run.compact()
    run.train.loss.sum()  # what is derived and kept must not come back writable
    twin = through(run)
    assert_same(twin, run)
    assert twin.provenance == run.provenance
    history = through(run.train)
    assert (history.correct == run.train.correct).all()
    stored = ("correct", "true_log_probabilities", "labels", "loss")
    arrays = [getattr(of, name) for of in (twin.train, history) for name in stored]
    for array in (*arrays, twin.initial[0], twin.final[1], twin.orders, twin.steps.losses):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(TypeError):
        twin.settings["note"] = "changed"


def test_an_exercise_may_hand_a_learner_a_run():
    run = full_run()
    expected = run.validation.loss[:, -1]
    exercise = Exercise(
        name="last_loss", checker=lambda last_loss: last_loss(run, part="validation").equals(expected), hints=("-1",)
    )
    assert check(exercise, lambda run, part: getattr(run, part).loss[:, -1]).passed

    def meddles(run, part):
        run.train.loss[...] = 0
        return getattr(run, part).loss[:, -1]

    feedback = check(exercise, meddles)
    assert not feedback.passed
    assert "read-only" in feedback.message
    assert (run.train.loss != 0).all()


# Files


def assert_same(ours, theirs):
    for part in ("train", "validation"):
        a, b = getattr(ours, part), getattr(theirs, part)
        assert (a is None) == (b is None)
        if a is not None:
            assert a.is_compact == b.is_compact
            assert a.classes == b.classes
            for name in ("labels", "loss", "accuracy", "correct", "top_probabilities", "log_probabilities"):
                np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert ours.settings == theirs.settings
    for name in ("initial", "final"):
        for a, b in zip(getattr(ours, name) or (), getattr(theirs, name) or (), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(ours.orders, theirs.orders)
    assert (ours.steps is None) == (theirs.steps is None)
    if ours.steps is not None:
        assert ours.steps.steps_per_epoch == theirs.steps.steps_per_epoch
        for name in ("losses", "correct", "samples"):
            np.testing.assert_array_equal(getattr(ours.steps, name), getattr(theirs.steps, name))


@pytest.mark.parametrize("form", FORMS)
def test_a_run_comes_back_from_its_file(tmp_path, form):
    run = full_run() if form == "full" else full_run().compact()
    path = run.save(tmp_path / "run.npz")
    assert_same(TrainingRun.load(path), run)
    bare = TrainingRun(run.train)
    assert_same(TrainingRun.load(bare.save(tmp_path / "bare.npz")), bare)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bare.npz", "run.npz"]


def test_a_file_from_before_steps_were_recorded_comes_back(tmp_path):
    run = full_run(steps=None)
    path = run.save(tmp_path / "run")
    with np.load(path) as stored:
        arrays = dict(stored)
    about = json.loads(arrays["about"].tobytes())
    assert about["version"] == 1
    del about["steps"]
    np.savez(path, **(arrays | {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}))
    assert_same(TrainingRun.load(path), run)


def test_steps_that_diverged_come_back(tmp_path):
    steps = StepHistory([3.0, np.nan, np.inf, np.nan], [1, 0, 0, 0], [4, 4, 4, 4], steps_per_epoch=1)
    run = TrainingRun(random_history((4, 10, 3)), steps=steps)
    assert_same(TrainingRun.load(run.save(tmp_path / "run")), run)


def test_numpy_reads_the_file_without_pickle(tmp_path):
    with np.load(full_run().save(tmp_path / "run"), allow_pickle=False) as arrays:
        assert arrays["train.log_probabilities"].dtype == np.float32
        assert json.loads(arrays["about"].tobytes())["settings"]["layers"] == [8, 3]


def test_the_suffix_may_be_left_off(tmp_path):
    path = full_run().save(tmp_path / "rate.0005")
    assert path == tmp_path / "rate.0005.npz"
    assert_same(TrainingRun.load(tmp_path / "rate.0005"), full_run())


def test_half_precision_is_for_compact_runs_and_keeps_losses_to_one_in_a_thousand(tmp_path):
    with pytest.raises(ValueError, match=r"save run\.compact\(\)"):
        full_run().save(tmp_path / "full", half=True)
    assert list(tmp_path.iterdir()) == []
    logs = random_logs()
    logs[0, 0, 0], logs[0, 0, 1] = [-1e5, 0, -1e5], [-np.inf, 0, -np.inf]
    run = TrainingRun(PredictionHistory(np.zeros(10, int), logs)).compact()
    loaded = TrainingRun.load(run.save(tmp_path / "half", half=True))
    assert (loaded.train.accuracy == run.train.accuracy).all()
    assert loaded.train.sample_losses[0, 0, 0] == 65504
    assert loaded.train.sample_losses[0, 0, 1] == np.inf
    np.testing.assert_allclose(loaded.train.sample_losses[1:], run.train.sample_losses[1:], rtol=1e-3, atol=6e-8)


def test_half_precision_turns_a_tiny_loss_into_0_and_keeps_larger_ones_to_6e_8(tmp_path):
    losses = np.array([[1e-8, 1e-7, 1e-6, 1e-5]])
    history = PredictionHistory.from_compact([0] * 4, -losses, np.exp(-losses), np.ones((1, 4), bool), classes=2)
    loaded = TrainingRun.load(TrainingRun(history).save(tmp_path / "half", half=True))
    assert loaded.train.sample_losses[0, 0] == 0
    np.testing.assert_allclose(loaded.train.sample_losses, losses, rtol=0, atol=6e-8)


def test_provenance_is_recorded_once(tmp_path):
    run = full_run()
    assert run.provenance == {}
    loaded = TrainingRun.load(run.save(tmp_path / "run"))
    assert set(loaded.provenance) == {"lossacc_helpers", "numpy", "python", "platform", "date"}
    assert loaded.provenance["numpy"] == np.__version__
    assert loaded.provenance["python"] == ".".join(map(str, sys.version_info[:3]))
    assert loaded.provenance["date"].endswith("+00:00")
    kept = TrainingRun.load(
        TrainingRun(loaded.train, provenance=dict(loaded.provenance) | {"date": "2020"}).save(tmp_path / "b")
    )
    assert kept.provenance["date"] == "2020"
    given_once = full_run(provenance={"keras": "3.15.1", "date": "2020"})
    assert TrainingRun.load(given_once.save(tmp_path / "c")).provenance == {"keras": "3.15.1", "date": "2020"}


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = full_run().save(tmp_path / "run")
    before = path.read_bytes()

    def broken(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(np.lib.format, "write_array", broken)
    with pytest.raises(OSError, match="disk full"):
        full_run().save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


class Trap:
    """Runs code if it is ever unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def as_npy(array):
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


def as_zip(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", ".") + ".npy", data)
    return content.getvalue()


def as_npz(**arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


TRAP = np.array([Trap()], dtype=object)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not an .npz file"),
        (b"epoch,loss\n0,0.5\n", "it is not an .npz file"),
        (as_npy(np.zeros(3)), "it is not an .npz file"),
        (pickle.dumps(Trap()), "it is not an .npz file"),
        (as_zip(other=b"text"), "it holds no description"),
        (as_npz(loss=np.zeros(3)), "it holds no description"),
        (as_npz(about=np.zeros(3)), "its description is not text"),
        (as_npz(about=np.frombuffer(b"[1]", np.uint8)), "its description is not a mapping"),
        (as_npz(about=np.frombuffer(b"{}", np.uint8)), "it was not written by TrainingRun.save"),
        (as_npz(about=np.frombuffer(b"{", np.uint8)), "Expecting property name"),
        (as_zip(about=as_npy(TRAP)), "Object arrays cannot be loaded"),
    ],
)
def test_foreign_files_are_refused_and_never_executed(tmp_path, content, reason):
    path = tmp_path / "odd.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(f"{path} is not a training run this package can read: {reason}")):
        TrainingRun.load(path)


def rewritten(path, about=None, drop=(), **arrays):
    """Write the file again with other contents and valid checksums."""
    with np.load(path) as old:
        kept = {name: old[name] for name in old.files if name not in drop}
    description = json.loads(kept["about"].tobytes()) | (about or {})
    kept["about"] = np.frombuffer(json.dumps(description).encode(), np.uint8)
    np.savez(path, **(kept | arrays))
    return path


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"about": {"version": 2}}, "its format has version 2; this package reads version 1"),
        ({"about": {"format": "other"}}, "it was not written by TrainingRun.save"),
        ({"about": {"settings": [1]}}, "settings must be a mapping"),
        ({"about": {"train": None}}, "it holds no training history"),
        ({"about": {"initial": 3}}, "its array 'initial.2' is missing"),
        ({"about": {"orders": False}}, "it holds arrays that do not belong to a run: orders"),
        ({"about": {"steps": None}}, "arrays that do not belong to a run: steps.correct, steps.losses, steps.samples"),
        ({"about": {"steps": 3}}, "16 steps are no whole number of epochs of 3 steps each"),
        ({"about": {"steps": "all"}}, "steps_per_epoch must be a whole number, 1 or more; got 'all'"),
        ({"drop": ["steps.samples"]}, "its array 'steps.samples' is missing"),
        ({"steps.correct": np.full((3, 16), 4)}, "correct must not exceed the samples of the step"),
        ({"drop": ["validation.labels"]}, "its array 'validation.labels' is missing"),
        ({"train.labels": np.zeros(4, int)}, "labels must have shape (sample,) = (10,); got (4,)"),
        ({"train.log_probabilities": np.zeros((3, 4, 10, 3))}, "logarithms of probabilities that sum to 1"),
        ({"initial.0": np.zeros((2, 2))}, "initial weights must begin with the replica axes (3,)"),
        ({"train.labels": TRAP}, "Object arrays cannot be loaded"),
    ],
)
def test_files_with_other_contents_are_refused(tmp_path, changes, reason):
    path = rewritten(full_run().save(tmp_path / "run"), **changes)
    with pytest.raises(ValueError, match=re.escape(reason)):
        TrainingRun.load(path)


def test_a_missing_file_stays_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        TrainingRun.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        full_run().save(tmp_path / "no_folder" / "run.npz")


@pytest.fixture(scope="module", params=FORMS)
def saved(request, tmp_path_factory):
    run = full_run() if request.param == "full" else full_run().compact()
    path = run.save(tmp_path_factory.mktemp("saved") / "run")
    return run, path.read_bytes(), path.with_name("damaged.npz")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read_whole(saved, data):
    run, content, path = saved
    damaged = bytearray(content)
    if data.draw(st.booleans(), label="cut"):
        start = data.draw(st.integers(0, len(content)))
        del damaged[start : start + data.draw(st.integers(1, len(content)))]
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            damaged[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(damaged)
    error, loaded = None, None
    try:
        loaded = TrainingRun.load(path)
    except ValueError as refused:  # anything else fails the test
        error = refused
    if loaded is None:
        assert str(path) in str(error)
    else:
        assert_same(loaded, run)

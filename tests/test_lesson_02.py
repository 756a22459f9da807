"""Lesson 02: its explorer, its pictures and the facts it builds on."""

import numpy as np
import pytest

from lossacc_helpers import TrainingRun, datasets
from lossacc_helpers.course import lesson_02
from lossacc_helpers.course.lesson_02 import lesson
from lossacc_helpers.figures.iris import networks_picture
from lossacc_helpers.history import PredictionHistory
from tests.moving import forgets, move_every_control

EPOCHS = 6


@pytest.fixture(scope="module")
def training():
    from lossacc_helpers import training

    return training


def some_run(seed: int, *, epochs: int = EPOCHS, replicas: int = 3) -> TrainingRun:
    """Random beliefs about the shuffled irises, as a training run would hold them."""
    irises = datasets.iris("shuffled")
    generator = np.random.default_rng(seed)

    def history(labels):
        logits = generator.normal(size=(replicas, epochs, len(labels), 3)) * np.linspace(1, 3, epochs)[:, None, None]
        return PredictionHistory.from_probabilities(labels, np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))

    return TrainingRun(history(irises.train[1]), history(irises.validation[1]))


@pytest.fixture(scope="module")
def explorer(training):
    return lesson.explorer()


@pytest.mark.slow
def test_every_control_of_the_explorer_changes_what_it_shows(explorer):
    move_every_control(explorer)


def test_scrubbing_over_epochs_trains_nothing(explorer, training, monkeypatch):
    explorer.controls["epoch"].slider.value = 3
    monkeypatch.setattr(training, "fit_replicas", lambda *_, **__: pytest.fail("trained again"))
    explorer.controls["epoch"].slider.value = 150


def test_the_learner_is_told_before_a_new_shape_is_compiled(training):
    told = []
    networks = lesson_02.IrisNetworks(told.append)
    settings = {"rate": 0.001, "hidden": 3, "batch": 60, "order": "shuffled"}
    networks.run(**settings)
    networks.run(**settings | {"rate": 0.002})
    assert len(told) == 1
    assert "3 hidden units" in told[0]


def test_an_order_of_the_rows_that_there_is_not_is_refused(training):
    with pytest.raises(ValueError, match="order must be 'sorted' or 'shuffled'; got 'reversed'"):
        lesson_02.IrisNetworks().run(rate=0.001, hidden=3, batch=60, order="reversed")


def test_the_explorer_shows_the_network_of_the_lesson(explorer, training):
    import keras

    irises = datasets.iris("shuffled")
    run = training.fit_replicas(
        lambda: keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")]
        ),
        irises.train,
        irises.validation,
        replicas=32,
        epochs=200,
        batch_size=5,
        optimizer=keras.optimizers.Adam(0.0005, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    )
    shown = lesson_02.IrisNetworks().run(rate=0.0005, hidden=8, batch=5, order="shuffled")
    np.testing.assert_array_equal(shown.train.loss, run.train.loss)


def test_the_networks_picture_forgets_what_it_showed_before():
    states = [{"run": some_run(seed), "epoch": epoch} for seed, epoch in ((0, 1), (1, EPOCHS), (0, 3))]
    forgets(lesson_02.picture, states)


def test_dots_stand_at_true_class_probabilities_and_crosses_are_the_wrong_flowers():
    run = some_run(2)
    picture = lesson_02.picture()
    picture.update(run=run, epoch=2)
    right, wrong = (line for axes in picture.figure.axes for line in axes.lines if line.get_marker() in ("o", "x"))
    one = run.replica(0)
    for line, is_right in ((right, True), (wrong, False)):
        expected = [h.true_probabilities[1][h.correct[1] == is_right] for h in (one.train, one.validation)]
        np.testing.assert_allclose(line.get_ydata(), np.concatenate(expected), atol=1e-6)


def test_the_band_in_which_rivals_decide_lies_between_one_class_in_so_many_and_one_half():
    for names, middle in ((("a", "b", "c"), 5 / 12), (tuple("abcde"), 0.35)):
        texts = {text.get_text(): text for axes in networks_picture(names).figure.axes for text in axes.texts}
        assert texts["either way"].get_position()[1] == pytest.approx(middle)
    of_two = networks_picture(("no", "yes")).figure
    assert "either way" not in {text.get_text() for axes in of_two.axes for text in axes.texts}


def test_any_fair_order_passes_and_one_flower_too_many_does_not():
    generator = np.random.default_rng(0)
    held_out = np.concatenate(
        [generator.choice(np.arange(start, start + 50), 10, replace=False) for start in (0, 50, 100)]
    )
    rest = generator.permutation(np.setdiff1d(np.arange(150), held_out))
    assert lesson.check("fair_order", list(np.concatenate([rest, held_out]))).passed
    rest[0], held_out[0] = held_out[0], rest[0]
    swapped = np.concatenate([rest, held_out])
    fair = np.bincount(datasets.iris("sorted").labels[swapped[120:]], minlength=3).tolist() == [10, 10, 10]
    assert lesson.check("fair_order", swapped).passed == fair


def test_the_mystery_holds_out_classes_that_training_never_met(training):
    run = lesson_02.mystery()
    unseen = ~np.isin(run.validation.labels, run.train.labels)
    assert unseen.mean() > 0.9
    assert not run.validation.correct[:, -1, unseen].any()
    assert (run.train.accuracy[:, -1] > 0.95).all()

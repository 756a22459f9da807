"""Lesson 02: its explorer, its pictures and the facts it builds on."""

import numpy as np
import pytest

from lossacc_helpers import TrainingRun, datasets
from lossacc_helpers.course import lesson_02
from lossacc_helpers.course.lesson_02 import lesson
from lossacc_helpers.figures import iris as pictures
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


def test_the_ledger_draws_each_flower_that_ever_changed_sides_and_no_other():
    history = some_run(3, replicas=1).train.replica(0)
    figure = pictures.ledger_figure(history, title="A title")
    wrong = ~history.correct
    moved = (wrong.any(axis=0) & ~wrong.all(axis=0)).sum()
    heights = {line.get_ydata()[0] for line in figure.axes[2].lines}
    assert len(heights) == moved
    drawn = sum(np.ptp(line.get_xdata()) for line in figure.axes[2].lines)
    assert drawn == wrong[:, wrong.any(axis=0) & ~wrong.all(axis=0)].sum()


def test_the_flower_figure_marks_the_first_epoch_in_which_the_flower_is_right():
    probabilities = np.array([[[0.2, 0.5, 0.3]], [[0.3, 0.4, 0.3]], [[0.5, 0.3, 0.2]], [[0.8, 0.1, 0.1]]])
    history = PredictionHistory.from_probabilities([0], probabilities)
    figure = pictures.flower_figure(history, 0, class_names=("a", "b", "c"), title="A title")
    assert "right from epoch 3" in [text.get_text() for axes in figure.axes for text in axes.texts]


def test_correlations_are_those_of_numpy_and_changes_are_named():
    generator = np.random.default_rng(0)
    pairs = {"levels": generator.normal(size=(2, 50)), "steps": generator.normal(size=(2, 50))}
    figure = pictures.correlation_figure(pairs, changes=["steps"], title="A title")
    for name, values in pairs.items():
        assert f"{name}: r = {np.corrcoef(*values)[0, 1]:.2f}" in figure.sentence
    assert [axes.get_xlabel() for axes in figure.axes] == ["loss (nats)", "change in loss (nats)"]


def test_the_split_figure_refuses_a_run_without_validation():
    run = some_run(0)
    with pytest.raises(ValueError, match="no validation"):
        pictures.split_figure({"alone": TrainingRun(run.train)}, title="A title")


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

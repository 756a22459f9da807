"""Lesson 03: its explorer, its pictures, its exercises and the facts it builds on."""

import functools

import numpy as np
import pytest

from lossacc_helpers import (
    TrainingRun,
    accuracy_change_interval,
    accuracy_difference_interval,
    attainable_loss,
    datasets,
    double_softmax_loss,
    double_softmax_range,
    recordings,
    swapped_softmax_loss,
)
from lossacc_helpers.course import lesson_03
from lossacc_helpers.course.lesson_03 import lesson
from lossacc_helpers.figures.causes import causes_figure
from lossacc_helpers.figures.reading import Movement, judge, smoothed
from lossacc_helpers.history import PredictionHistory, StepHistory
from tests.moving import forgets, move_every_control
from tools.lessons import LESSONS, read_lesson


@pytest.fixture(scope="module")
def full_scale() -> TrainingRun:
    return recordings.load("lesson_03_full_scale")


def some_run(seed: int, *, epochs: int = 24, samples: int = 640, validation_samples: int = 200) -> TrainingRun:
    """Random answers, more of them right with every epoch, and what a training in batches of 32 would report."""
    generator = np.random.default_rng(seed)
    rising = np.linspace(0.1, 0.6, epochs)

    def history(count: int) -> PredictionHistory:
        correct = generator.random((epochs, count)) < rising[:, None]
        true = np.where(correct, np.log(0.6), np.log(0.05))
        return PredictionHistory.from_compact(
            generator.integers(13, size=count), true, np.where(correct, 0.6, 0.7), correct, classes=13
        )

    sizes = np.full(epochs * samples // 32, 32)
    right = generator.binomial(sizes, np.repeat(rising, samples // 32))
    losses = generator.normal(2, 0.2, len(sizes)).clip(0.1)
    steps = StepHistory(losses, right, sizes, steps_per_epoch=samples // 32)
    return TrainingRun(history(samples), history(validation_samples), steps=steps)


# The explorer ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def explorer():
    return lesson.explorer()


def test_every_control_of_the_explorer_changes_what_it_shows(explorer):
    move_every_control(explorer)


def test_the_explorer_tells_of_each_letter_whether_the_tick_was_right(full_scale):
    explorer = lesson.explorer()
    explorer.controls["points"].value, explorer.controls["validation_samples"].value = 6000, 1000
    assert "you missed it" not in explorer.readout
    explorer.controls["tell"].value = True
    judged = judge(full_scale, lesson_03.MOVEMENTS, points=6000, validation_samples=1000, draw=0)
    assert explorer.readout.count("you missed it") == sum(one.means_something for one in judged)
    for one in judged:
        explorer.controls[one.movement.letter].value = one.means_something
    assert explorer.readout.count("you saw it") + explorer.readout.count("you left it") == len(judged)
    explorer.controls["C"].value = True
    assert explorer.readout.count("you took it for more") == 1


def test_some_movements_mean_something_and_some_do_not_and_that_depends_on_the_reading(full_scale):
    coarse = judge(full_scale, lesson_03.MOVEMENTS, points=6000, validation_samples=1000, draw=0)
    fine = judge(full_scale, lesson_03.MOVEMENTS, points=32, validation_samples=50, draw=0)
    assert {one.movement.letter for one in coarse if one.means_something} == {"A", "B", "D", "E"}
    assert len([one for one in fine if one.means_something]) < 3


def test_the_reading_picture_forgets_what_it_showed_before():
    runs = some_run(0), some_run(1)
    readings = ((32, 0.0, 50, 0, (), False), (128, 0.8, 200, 3, ("A", "D"), True), (640, 0.5, 120, 1, ("B",), False))
    names = ("points", "smoothing", "validation_samples", "draw", "marked", "tell")
    forgets(lesson_03.picture, [{"run": run, **dict(zip(names, one, strict=True))} for one in readings for run in runs])


def test_the_validation_curve_is_that_of_the_samples_drawn_and_its_band_is_wilsons():
    run = some_run(2)
    picture = lesson_03.picture()
    picture.update(run=run, points=32, smoothing=0.0, validation_samples=50, draw=4, marked=(), tell=False)
    axes = picture.figure.axes[1]
    [curve] = [line for line in axes.lines if len(line.get_xdata()) == run.epochs and line.is_dashed()]
    chosen = np.random.default_rng(4).permutation(200)[:50]
    np.testing.assert_allclose(curve.get_ydata(), run.validation.correct[:, chosen].mean(axis=1))
    assert f"ends at {run.validation.correct[-1, chosen].mean():.3f}" in picture.figure.readout


# What the picture computes -----------------------------------------------------------------------------------------


def test_smoothing_is_the_weighted_mean_of_everything_so_far():
    values = np.random.default_rng(0).normal(size=40)
    for weight in (0.0, 0.3, 0.95):
        weights = weight ** np.arange(len(values))[::-1]
        by_hand = [np.average(values[: k + 1], weights=weights[-k - 1 :]) for k in range(len(values))]
        np.testing.assert_allclose(smoothed(values, weight), by_hand, rtol=1e-12)
    with pytest.raises(ValueError, match="lies in"):
        smoothed(values, 1.0)


def test_a_movement_of_validation_accuracy_is_judged_on_the_same_samples_and_one_of_training_on_others():
    run = some_run(3)
    validation, training = judge(
        run,
        [Movement("A", "validation", 2, 20), Movement("B", "training", 2, 20)],
        points=128,
        validation_samples=200,
        draw=0,
    )
    low, high = accuracy_change_interval(run.validation.correct[1], run.validation.correct[19])
    assert (validation.low, validation.high) == pytest.approx((low, high))
    assert validation.change == pytest.approx(run.validation.accuracy[19] - run.validation.accuracy[1])
    # 640 samples are five points of 128 an epoch; the middle of an epoch lies in its third.
    right = run.steps.correct.reshape(24, 5, 4).sum(axis=-1)
    one, other = right[1, 2] / 128, right[19, 2] / 128
    assert training.heights == pytest.approx((one, other))
    assert (training.low, training.high) == pytest.approx(accuracy_difference_interval(one, 128, other, 128))


def test_a_movement_means_something_when_its_interval_leaves_out_zero():
    run = some_run(4)
    for one in judge(run, lesson_03.MOVEMENTS, points=640, validation_samples=200, draw=0):
        assert one.means_something == (one.low > 0 or one.high < 0)
        assert one.low <= one.change <= one.high


def test_the_causes_stand_side_by_side_with_their_medians():
    generator = np.random.default_rng(0)
    curves = {
        "one cause": (generator.random((5, 10)), generator.random((5, 10))),
        "falls below zero": (-1e9 * np.arange(1, 11) * np.ones((5, 1)), generator.random((5, 10)) / 3),
    }
    figure = causes_figure(curves, title="Two causes", chance=0.1)
    assert len(figure.png(small=True)) < 60_000
    assert "one cause: loss" in figure.sentence
    assert f"at the end {np.median(curves['one cause'][1][:, -1]):.2f}" in figure.sentence
    assert len(figure.axes) == 4
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "from -1e9\nto -1e10" in texts
    with pytest.raises(ValueError, match="at least one cause"):
        causes_figure({}, title="None")


# The network and its recordings ------------------------------------------------------------------------------------


def test_the_lessons_network_is_the_recorded_one():
    from lossacc_helpers import training

    cells = read_lesson(LESSONS / "03_noisy_cnn.py").cells
    [source] = [cell.source for cell in cells if "def build_model" in cell.source]
    import keras

    names = {"keras": keras, "partial": functools.partial, "datasets": datasets}
    exec(source, names)
    ours = names["build_model"]()
    theirs = training.networks.convolutional((30, 40), 13)

    def described(model):
        return [(type(one).__name__, {**one.get_config(), "name": "", "seed": None}) for one in model.layers]

    def without_names(layers):
        drop = ("name", "seed", "build_config", "dtype")
        return [(kind, {key: str(value) for key, value in given.items() if key not in drop}) for kind, given in layers]

    assert without_names(described(ours)) == without_names(described(theirs))


def test_the_recording_is_of_the_askers_scale(full_scale):
    settings = full_scale.settings
    assert dict(settings["data"]) == {
        "size": (150, 200),
        "train_samples": 6000,
        "validation_samples": 1300,
        "label_noise": 0.4,
    }
    assert (settings["rate"], settings["dropout"], full_scale.train.classes) == (1e-4, 0.25, 13)
    assert full_scale.epochs >= 20
    assert full_scale.train.samples == full_scale.steps.samples[: full_scale.steps.steps_per_epoch].sum() == 6000
    for key in ("machine", "date", "tensorflow", "keras", "python", "seconds", "made by"):
        assert full_scale.provenance[key]


def test_the_recording_is_of_the_data_that_the_lesson_shows(full_scale):
    photographs = datasets.photographs(label_noise=0.4)
    np.testing.assert_array_equal(full_scale.train.labels, photographs.train[1])
    np.testing.assert_array_equal(full_scale.validation.labels, photographs.validation[1])


def test_in_the_recording_the_training_loss_falls_and_validation_accuracy_peaks_and_falls_back(full_scale):
    assert (np.diff(full_scale.steps.epoch_loss) < 0).all()
    correct = full_scale.validation.correct
    best = int(full_scale.validation.accuracy.argmax())
    assert 0 < best < full_scale.epochs - 5
    assert accuracy_change_interval(correct[0], correct[best])[0] > 0
    assert accuracy_change_interval(correct[best], correct[-1])[1] < 0


def test_with_every_label_true_the_recording_falls_back_as_well_and_by_less(full_scale):
    clean = recordings.load("lesson_03_full_scale_clean")
    np.testing.assert_array_equal(clean.validation.labels, datasets.photographs().validation[1])
    falls = []
    for run in (full_scale, clean):
        correct = run.validation.correct
        before, after = correct[correct[:, ::2].mean(axis=1).argmax(), 1::2], correct[-1, 1::2]
        assert accuracy_change_interval(before, after)[1] < 0
        falls.append(before.mean() - after.mean())
    assert falls[1] < 0.7 * falls[0]
    assert clean.validation.accuracy.min() > full_scale.validation.accuracy.max()
    assert clean.steps.epoch_loss[-1] < 0.05 < 0.5 < full_scale.steps.epoch_loss[-1]


def test_the_costliest_training_images_are_those_with_wrong_labels_before_they_are_learned(full_scale):
    labels, sources = (photographs := datasets.photographs(label_noise=0.4)).train[1], photographs.train[0].sources
    costliest = np.argsort(full_scale.train.sample_losses[5])[-2000:]
    assert (labels != sources)[costliest].mean() > 0.95
    assert (labels != sources).mean() < 0.4


def test_a_recording_that_there_is_not_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no recording called 'nothing'; there are .*lesson_03_full_scale"):
        recordings.load("nothing")


# Exercises ---------------------------------------------------------------------------------------------------------


def test_any_logits_far_enough_down_pass_while_every_answer_is_right():
    rows = np.arange(5)
    for depth in (-60.0, -1e6):
        logits = np.random.default_rng(0).normal(depth, 0.1, (5, 13))
        logits[rows, lesson_03.RUNAWAY_LABELS] += 5
        by_hand = np.log(np.e + 12) * logits.sum(axis=1) - logits[rows, lesson_03.RUNAWAY_LABELS]
        assert lesson.check("runaway", logits).passed == (by_hand.mean() < -1000)
    assert not lesson.check("runaway", np.full((5, 12), -1000.0)).passed


def test_the_mysterys_loss_breaks_no_bound_and_its_two_ends_leave_one_line():
    log = lesson_03.mystery()
    assert log.loss.shape == log.accuracy.shape == (8, 24)
    assert log.first.shape == (8,)
    assert (log.loss >= attainable_loss(log.accuracy)[0]).all()
    ceiling = double_softmax_range(13)[1]
    assert np.ptp(log.accuracy[:, -1]) > 0.3
    np.testing.assert_allclose(log.loss[:, -1], lesson_03._LAST_LOSSES, atol=5.1e-4)  # of the wrong answers
    np.testing.assert_allclose(log.accuracy[:, -1], lesson_03._LAST_ACCURACIES, atol=5.1e-4)
    np.testing.assert_allclose((log.loss + log.accuracy)[:, -1], ceiling, atol=0.006)
    nothing_learned = np.full((1, 13), 1 / 13)
    np.testing.assert_allclose(log.first, swapped_softmax_loss([0], nothing_learned)[0], atol=0.006)
    assert (np.abs(log.first - double_softmax_loss([0], nothing_learned)[0]) > 0.04).all()


def test_the_two_lines_that_end_alike_begin_apart_in_every_recorded_network():
    swapped, twice = (recordings.load(f"lesson_03_{name}").steps for name in ("swapped_softmax", "softmax_twice"))
    assert swapped.losses[:, 0].min() > twice.losses[:, 0].max() + 0.03
    ends = [(one.epoch_loss + one.epoch_accuracy)[:, -1] for one in (swapped, twice)]
    np.testing.assert_allclose(ends, double_softmax_range(13)[1], atol=0.01)


def test_the_networks_behind_the_mystery_are_sure_wrong_answers_included():
    run = recordings.load("lesson_03_swapped_softmax").train
    assert (run.top_probabilities[:, -1].mean(axis=-1) > 0.9).all()
    assert (run.loss[:, -1] > 2 * np.log(13)).all()


def test_the_mysterys_probabilities_may_be_rounded_and_must_be_eight():
    log = lesson_03.mystery()
    exact = np.log(np.e + 12) - log.loss[:, -1]
    assert lesson.check("printed", (0, "c", exact.round(3))).passed
    for other in (exact[:7], exact.mean(), exact + 0.01, np.full(8, np.nan)):
        assert not lesson.check("printed", (0, "C", other)).passed

"""Lesson 05: its explorer, its recordings, its exercises and the facts it builds on."""

import numpy as np
import pytest

from lossacc_helpers import at_temperature, datasets, fit_temperature, recordings
from lossacc_helpers.course.lesson_05 import lesson
from lossacc_helpers.course.shown import shown
from tests.moving import move_every_control

BOTH = ("verses", "verses_smoothed")


@pytest.fixture(scope="module")
def curves():
    return recordings.load_curves("lesson_05_verses")


def changed(curves):
    """Network by network: validation loss, accuracy and scaled loss at the least loss and at the end."""
    parts = curves["validation"].loss, curves["validation"].accuracy, curves["validation, scaled"].loss
    row, least = np.arange(10), parts[0].argmin(axis=1)
    return [(one[row, least], one[:, -1]) for one in parts]


# The explorer ------------------------------------------------------------------------------------------------------


def test_every_control_of_the_explorer_changes_what_it_shows():
    move_every_control(lesson.explorer("calibration"))


def test_the_explorer_shows_the_recorded_network_at_the_temperature_asked_for():
    run, explorer = recordings.load("lesson_05_verses"), lesson.explorer("calibration")
    temperatures = run.settings["temperatures"]
    explorer.controls["epoch"].value, explorer.controls["temperature"].value = 22, 1.5
    for of, history in (("validation words", run.validation), ("training words", run.train)):
        explorer.controls["of"].value = of
        losses = [history.replica(temperatures.index(one)).loss[21] for one in (1.5, 1.0)]
        assert f"loss {losses[0]:.3f} (printed {losses[1]:.3f}" in explorer.readout


def test_words_that_are_kept_are_those_of_the_first_recorded_network():
    run, kept = recordings.load("lesson_05_verses"), recordings.load_curves("lesson_05_verses")
    plain = run.validation.replica(run.settings["temperatures"].index(1.0))
    # A tenth of the words: near the mean of all of them.
    np.testing.assert_allclose(plain.loss, kept["validation"].loss[0], rtol=0.12)
    songs = datasets.verses(train_songs=1, validation_songs=150, test_songs=1)
    told = songs.validation.labels[:150][songs.validation.told[:150]]
    np.testing.assert_array_equal(run.validation.labels, told)


# What the lesson says of its recordings ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOTH)
def test_a_recording_says_what_made_it(name):
    kept = recordings.load_curves(f"lesson_05_{name}")
    for key in ("machine", "date", "tensorflow", "keras", "python", "seconds", "made by"):
        assert kept.provenance[key]
    assert kept.settings["seeds"] == tuple(range(10))
    assert shown(f"lesson_05_{name}").validation.loss.shape == (10, kept.settings["epochs"])
    np.testing.assert_array_equal(shown(f"lesson_05_{name}", network=3).train.loss, kept["train"].loss[2])


def test_the_loss_turns_early_and_ends_well_above_its_least(curves):
    loss = curves["validation"].loss
    assert (loss.argmin(axis=1) < 0.75 * loss.shape[1]).all()
    (least, end), _, _ = changed(curves)
    assert (end > 1.05 * least).all()


def test_the_accuracy_does_not_follow_the_loss(curves):
    _, (at_least, end), _ = changed(curves)
    gained = end - at_least
    assert (np.abs(gained) < 0.03).all()
    assert gained.mean() > -2 * gained.std() / np.sqrt(10)


def test_temperature_takes_most_of_the_rise_away(curves):
    (least, end), _, (scaled_least, scaled_end) = changed(curves)
    gone = 1 - (scaled_end - scaled_least) / (end - least)
    assert (gone > 0.5).all()
    assert (gone < 0.8).all()


def test_the_best_temperature_rises_as_training_goes_on(curves):
    heats = np.array(curves.settings["temperature"])
    assert (heats[:, -1] > 1.3).all()
    assert (heats[:, -1] > heats[:, heats.shape[1] // 2]).all()


def test_counting_padding_makes_another_accuracy_of_the_same_answers():
    kept = recordings.load_curves("lesson_05_verses")
    padded = np.array(kept.settings["accuracy_with_padding"])
    assert (padded[:, -1] < kept["validation"].accuracy[:, -1] - 0.08).all()


def test_smoothed_labels_make_confidence_fit_and_the_network_no_better(curves):
    smoothed = recordings.load_curves("lesson_05_verses_smoothed")
    plain_heat, heat = (np.mean(one.settings["temperature"], axis=0)[-1] for one in (curves, smoothed))
    assert abs(heat - 1) < 0.15 < 0.4 < plain_heat - 1
    best, best_smoothed = (one["test, scaled"].loss.min(axis=1).mean() for one in (curves, smoothed))
    assert best_smoothed > best + 0.02


# Exercises ---------------------------------------------------------------------------------------------------------


def test_softening_by_logits_passes():
    def by_logits(probabilities, temperature):
        return np.exp(at_temperature(np.log(probabilities), temperature))

    assert lesson.check("softened", by_logits).passed


def test_the_best_temperature_is_the_one_that_is_fitted():
    def fitted(confidence, share_right):
        labels = np.zeros(1000, dtype=int)
        labels[round(1000 * share_right) :] = 1
        return fit_temperature(labels, np.log([[confidence, 1 - confidence]] * 1000)).temperature

    assert fitted(0.9, 0.75) == pytest.approx(2, rel=1e-6)
    assert lesson.check("best_temperature", fitted).passed


@pytest.mark.parametrize("paid", [1e-4, 1e-300])
def test_any_pair_in_which_both_rise_passes(paid):
    pair = np.stack([np.r_[0.3, 0.45, np.full(8, 0.7)], np.r_[paid, 0.55, np.full(8, 0.75)]])
    assert lesson.check("both_rise", pair).passed
    assert not lesson.check("both_rise", pair[::-1]).passed


def test_probabilities_that_can_be_trusted_pass_and_flattened_ones_do_not():
    labels = datasets.digits(seed=0).validation[1][180:]
    right = np.arange(180) % 4 > 0

    def answered(confidence):
        answers = np.where(right, labels, (labels + 1) % 10)
        return np.where(np.arange(10) == answers[:, None], confidence, (1 - confidence) / 9)

    assert not lesson.check("repaired", answered(0.97)).passed
    assert not lesson.check("repaired", answered(0.3)).passed
    sure = np.where(right, 0.9, 0.4)
    rows = np.stack([answered(one)[k] for k, one in enumerate(sure)])
    assert lesson.check("repaired", rows).passed

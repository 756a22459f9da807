"""Lesson 04: its explorers, its recordings, its exercises and the facts it builds on."""

import numpy as np
import pytest

from lossacc_helpers import accuracy_change_interval, datasets, find_spikes, recordings
from lossacc_helpers.course import lesson_04
from lossacc_helpers.course.lesson_04 import ORDINARY, RECOMPUTED, as_keras_shows, lesson
from tests.moving import move_every_control
from tools.lessons import LESSONS, read_lesson
from tools.record_lesson_04 import HELD, with_later_settings

SAME_DATA = ("no_dropout", "dropout_moved", "low_rate", "large_batches", "standardised", "no_batch_norm")
CORNERS = ("moving average 0.99, dropout on", "moving average 0.99, dropout off")
CORNERS += ("recomputed, dropout on", "recomputed, dropout off")


@pytest.fixture(scope="module")
def fast():
    return recordings.load_curves("lesson_04_fast")


# The explorers -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["anatomy", "descent"])
def test_every_control_of_the_explorers_changes_what_it_shows(name):
    move_every_control(lesson.explorer(name))


def test_the_patches_shown_are_those_that_were_asked():
    patches, run = lesson_04.validation_patches(), recordings.load("lesson_04_fast")
    assert patches["images"].shape == (run.validation.samples, 32, 32, 3)
    pasted = patches["boxes"].any(axis=1)
    np.testing.assert_array_equal(pasted, run.validation.labels == 1)


def test_recomputed_losses_are_shown_when_asked_for():
    explorer = lesson.explorer("anatomy")
    explorer.controls["network"].value, explorer.controls["epoch"].value = 3, 20
    before = explorer.readout
    explorer.controls["recomputed"].value = True
    loss = recordings.load_curves("lesson_04_fast")[RECOMPUTED].loss[2, 19]
    assert f"{loss:.2f}" in explorer.readout
    assert explorer.readout != before


def test_noise_alone_is_what_the_two_sides_of_the_descent_differ_in():
    same = lesson_04._crowd(0.1, 0.0, 0.0, "nothing")
    assert np.array_equal(same, lesson_04._crowd(0.1, 0.0, 0.0, "noise"))
    noisy = lesson_04._crowd(0.1, 2.0, 0.0, "nothing")
    assert np.array_equal(same[0], noisy[0])
    assert not np.array_equal(same[1:], noisy[1:])


# The network and its recordings ------------------------------------------------------------------------------------


def test_the_lessons_network_is_the_recorded_one():
    from lossacc_helpers import training

    cells = read_lesson(LESSONS / "04_validation_spikes.py").cells
    [source] = [cell.source for cell in cells if "def build_model" in cell.source]
    import keras

    names = {"keras": keras, "layers": keras.layers}
    exec(source, names)

    def described(model):
        drop = ("name", "seed", "build_config", "dtype")
        return [
            (type(one).__name__, {key: str(value) for key, value in one.get_config().items() if key not in drop})
            for one in model.layers
        ]

    assert described(names["build_model"]()) == described(training.networks.forgery_detector((32, 32)))


def test_the_full_scale_is_the_askers():
    settings = recordings.load_curves("lesson_04_full_scale").settings
    stated = {"train_samples": 8000, "rate": 1e-4, "batch_size": 32, "epochs": 100, "dropout": "as asked"}
    assert {name: settings[name] for name in stated} == stated
    assert recordings.load("lesson_04_full_scale").epochs == 100


@pytest.mark.parametrize("name", ["fast", "full_scale", "zoom", *SAME_DATA])
def test_a_recording_says_what_made_it(name):
    made = recordings.load_curves(f"lesson_04_{name}").provenance
    for key in ("machine", "date", "tensorflow", "keras", "python", "seconds", "made by"):
        assert made[key]


@pytest.mark.parametrize("name", SAME_DATA)
def test_what_is_compared_differs_in_one_thing(fast, name):
    changed, settings = (
        with_later_settings(one.settings) for one in (recordings.load_curves(f"lesson_04_{name}"), fast)
    )
    same = set(settings) - {"experiment", "sentence", "wide", "by_layer"}
    assert len([key for key in same if changed[key] != settings[key]]) == 1
    assert changed["seeds"] == fast.settings["seeds"] == tuple(range(10))


def test_the_predictions_and_the_curves_are_of_the_same_networks(fast):
    run = recordings.load("lesson_04_fast")
    np.testing.assert_allclose(run.validation.loss, fast[ORDINARY].loss, rtol=2e-3)
    np.testing.assert_allclose(run.validation.accuracy, fast[ORDINARY].accuracy, atol=1e-6)
    np.testing.assert_allclose(run.steps.epoch_loss, fast["training, as reported"].loss, rtol=1e-4)
    validation = datasets.forgeries(train_samples=2, validation_samples=fast.settings["drawn"]).validation[1]
    np.testing.assert_array_equal(run.validation.labels, validation[:500])


def test_what_keras_shows_is_reported_training_and_validation_with_averages(fast):
    shown = as_keras_shows("lesson_04_fast", network=4)
    np.testing.assert_array_equal(shown.train.loss, fast["training, as reported"].loss[3])
    np.testing.assert_array_equal(shown.validation.accuracy, fast[ORDINARY].accuracy[3])
    assert as_keras_shows("lesson_04_fast").train.loss.shape == (10, 45)


# What the lesson says of them --------------------------------------------------------------------------------------


def test_lag_makes_most_spikes_and_recomputing_with_dropout_off_leaves_none(fast):
    ordinary, lag, dropout, neither = (find_spikes(fast[name].loss).sum(axis=1) for name in CORNERS)
    assert neither.sum() == 0
    assert (ordinary >= 1).all()
    assert lag.sum() > 0.7 * ordinary.sum()
    assert dropout.sum() < 0.5 * ordinary.sum()


def test_dropout_makes_most_of_the_height(fast):
    ordinary, lag, dropout, neither = (np.median(fast[name].loss[:, 22:]) for name in CORNERS)
    assert ordinary - lag > 3 * (lag - neither)
    assert dropout - neither > 3 * (lag - neither)


def test_only_lag_makes_the_start_at_chance_long(fast):
    stuck = [(fast[name].accuracy > 0.6).argmax(axis=1).mean() for name in CORNERS]
    assert stuck[0] > stuck[1] > 3 > stuck[2] > stuck[3] == 0


def test_ten_times_as_many_patches_show_nearly_the_same_spikes(fast):
    few, many = (find_spikes(fast[name].loss) for name in (ORDINARY, "5000 validation samples"))
    assert (few & many).sum() > 0.8 * max(few.sum(), many.sum())


def test_the_first_layer_lags_and_the_last_is_shifted(fast):
    lagging, fresh = fast[CORNERS[1]].loss, fast[RECOMPUTED].loss
    at = find_spikes(lagging)
    cured = [
        1 - (fast[f"only layer {k} recomputed"].loss - fresh)[at].sum() / (lagging - fresh)[at].sum()
        for k in range(1, 6)
    ]
    assert cured[0] > 0.7 > 0.3 > max(cured[1:])
    shifted = [(fast[f"only layer {k} with dropout on"].loss - fresh)[:, 22:].mean() for k in range(1, 6)]
    assert shifted[:2] == pytest.approx([0, 0], abs=1e-6)  # no dropout before them
    assert shifted[4] > 2 * shifted[2] > 2 * abs(shifted[3])


def test_large_batches_never_leave_chance_as_keras_asks_and_do_well_recomputed():
    curves = recordings.load_curves("lesson_04_large_batches")
    assert (curves[ORDINARY].accuracy < 0.6).all()
    assert (curves[RECOMPUTED].accuracy[:, -1] > 0.75).all()


@pytest.mark.parametrize("name", SAME_DATA)
def test_recomputed_without_dropout_no_training_spikes(name):
    assert find_spikes(recordings.load_curves(f"lesson_04_{name}")[RECOMPUTED].loss).sum() == 0


def test_dropout_behind_the_last_batch_norm_leaves_no_height():
    moved = recordings.load_curves("lesson_04_dropout_moved")
    on, off = (np.median(moved[f"recomputed, dropout {state}"].loss[:, 22:]) for state in ("on", "off"))
    assert on == pytest.approx(off, rel=1e-3)


def test_at_the_askers_rate_and_size_a_few_late_spikes_come_by_lag_and_the_height_is_there():
    curves = recordings.load_curves("lesson_04_full_scale")
    both, lag, dropout, neither = (find_spikes(curves[name].loss) for name in CORNERS)
    assert 0 < both.sum(axis=1).astype(bool).sum() < len(both)  # in some networks and not in others
    assert both.sum() < 0.02 * both.size
    assert not both[:, :50].any()
    assert lag.sum() >= 0.5 * both.sum()
    assert dropout.sum() == neither.sum() == 0
    assert (np.median(curves[ORDINARY].loss, axis=1) > 1.5 * np.median(curves[RECOMPUTED].loss, axis=1)).all()


def test_a_hill_is_of_some_twenty_steps():
    loss = recordings.load_curves("lesson_04_zoom")[f"{ORDINARY}, by step"].loss[0]
    for begin in (63, 189):
        top = begin + int(loss[begin : begin + 126].argmax())
        higher = np.flatnonzero(loss[top - 60 : top + 60] >= loss[top] / 2)
        assert 10 < len(higher) < 30
        assert (np.diff(higher) == 1).all()


def test_weights_make_a_spike_and_either_ends_it():
    held = recordings.load_curves("lesson_04_held")
    asked, weights, averages = (held[name].loss for name in (ORDINARY, *HELD))
    spiked = np.argwhere(find_spikes(asked))
    networks, epochs = spiked[(spiked[:, 1] > 9) & (spiked[:, 1] < 44)].T
    assert len(epochs) > 30
    into = [np.median(one[networks, epochs] / asked[networks, epochs - 1]) for one in (asked, weights, averages)]
    out = [np.median(one[networks, epochs + 1] / asked[networks, epochs]) for one in (asked, weights, averages)]
    assert into[1] > into[0] > 1.5 > 1 > into[2]
    assert out[0] < out[1] < out[2] < 1 / 1.5


def test_standardised_pixels_take_away_more_than_half_of_what_lag_alone_makes(fast):
    standard = recordings.load_curves("lesson_04_standardised")
    lag, both = (
        [find_spikes(curves[name].loss).sum() for curves in (standard, fast)] for name in (CORNERS[1], ORDINARY)
    )
    assert lag[0] < 0.4 * lag[1]
    assert both[0] < 0.6 * both[1]
    stuck = [(curves[ORDINARY].accuracy > 0.6).argmax(axis=1).mean() for curves in (standard, fast)]
    assert 4 < stuck[0] < 0.8 * stuck[1]


def test_without_batch_normalization_there_is_nothing_to_cure(fast):
    without = recordings.load_curves("lesson_04_no_batch_norm")
    assert find_spikes(without[ORDINARY].loss).sum() == 0
    np.testing.assert_array_equal(without[ORDINARY].loss, without[RECOMPUTED].loss)
    assert np.median(without[ORDINARY].loss[:, 22:]) < 1.05 * np.median(fast[RECOMPUTED].loss[:, 22:])
    assert np.median(without[ORDINARY].accuracy[:, -1]) > np.median(fast[RECOMPUTED].accuracy[:, -1]) - 0.02


# Exercises ---------------------------------------------------------------------------------------------------------


def test_other_ways_to_count_the_steps_pass():
    def by_counting(momentum, share):
        left, steps = 1.0, 0
        while left > share:
            left *= momentum
            steps += 1
        return steps

    assert lesson.check("steps_to_forget", by_counting).passed


def test_the_variance_agrees_with_masks_that_were_drawn():
    generator = np.random.default_rng(0)
    x, w, rate = generator.uniform(0, 2, (40, 12)), generator.normal(size=12), 0.3
    masks = (generator.random((20_000, 40, 12)) > rate) / (1 - rate)
    drawn = float(((x * masks) @ w).var())

    def simulated(x, w, rate):
        return np.var(x @ w) + rate / (1 - rate) * np.sum(np.mean(x**2, axis=0) * w**2)

    assert simulated(x, w, rate) == pytest.approx(drawn, rel=0.01)
    assert lesson.check("variance_with_dropout", simulated).passed


@pytest.mark.parametrize("sure", [0.9, 0.99])
def test_any_spike_of_one_sample_that_was_wrong_passes(sure):
    pair = np.full((2, 20), sure)
    pair[:, 7] = 0.49, 1e-12
    assert lesson.check("quiet_spike", pair).passed
    assert not lesson.check("quiet_spike", pair[::-1]).passed


def test_answers_from_the_old_statistics_do_not_pass():
    labels = datasets.digits(seed=0).validation[1]
    generator = np.random.default_rng(0)
    guesses = np.where(generator.random(len(labels)) < 0.7, labels, generator.integers(10, size=len(labels)))
    at_old, nearly = (np.where(np.arange(len(labels)) < right, labels, (labels + 1) % 10) for right in (352, 350))

    def said(answers):
        return lesson.check("reread", (at_old, answers, accuracy_change_interval(at_old == labels, answers == labels)))

    assert said(nearly).passed
    assert not said(guesses).passed
    assert not said(labels).passed


def test_another_interval_for_pairs_passes_and_one_of_two_sets_does_not():
    labels = datasets.digits(seed=0).validation[1]
    at_old, answers = labels.copy(), labels.copy()
    for row, wrong in ((at_old, slice(8)), (answers, slice(2, 10))):
        row[wrong] = (labels[wrong] + 1) % 10
    step = (answers == labels).astype(float) - (at_old == labels)
    reach = 1.96 * step.std(ddof=1) / np.sqrt(len(step))
    assert lesson.check("reread", (at_old, answers, (step.mean() - reach, step.mean() + reach))).passed
    apart = 1.96 * np.sqrt(sum(np.var(one == labels) for one in (at_old, answers)) / len(labels))
    assert not lesson.check("reread", (at_old, answers, (step.mean() - apart, step.mean() + apart))).passed


def test_the_guess_about_who_pays_is_judged_by_what_came_out():
    [pays] = [one for one in lesson_04.PREDICTIONS if one.name == "pays"]
    assert "fewer patches" in pays.scale.outcome(45)
    assert pays.scale.outcome(92) == pays.scale.outcome(100) == "Your guess is close."

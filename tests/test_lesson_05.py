"""Lesson 05: its explorer, its recordings, its exercises and the facts it builds on."""

import numpy as np
import pytest
from scipy import special, stats

from lossacc_helpers import at_temperature, calibrated_accuracy, datasets, fit_temperature, log_loss, recordings
from lossacc_helpers.course.lesson_05 import lesson
from lossacc_helpers.course.shown import shown
from tests.moving import move_every_control
from tools.record_lesson_05 import EXPERIMENTS

TEXTS = ("verses", "english")


def changed(name):
    """Network by network: validation loss, accuracy and scaled loss at the least loss and at the end."""
    curves = recordings.load_curves(f"lesson_05_{name}")
    parts = curves["validation"].loss, curves["validation"].accuracy, curves["validation, scaled"].loss
    row, least = np.arange(len(parts[0])), parts[0].argmin(axis=1)
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


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_recording_says_what_made_it(name):
    kept, wanted = recordings.load_curves(f"lesson_05_{name}"), EXPERIMENTS[name]
    for key in ("machine", "date", "tensorflow", "keras", "python", "seconds", "made by"):
        assert kept.provenance[key]
    for key in ("amount", "held_out", "epochs", "rate", "batch_size", "units", "embedding", "smoothing", "seeds"):
        assert kept.settings[key] == getattr(wanted, key)
    assert shown(f"lesson_05_{name}").validation.loss.shape == (len(wanted.seeds), wanted.epochs)
    np.testing.assert_array_equal(shown(f"lesson_05_{name}", network=3).train.loss, kept["train"].loss[2])


@pytest.mark.parametrize("text", TEXTS)
def test_the_loss_turns_early_and_ends_well_above_its_least(text):
    loss = recordings.load_curves(f"lesson_05_{text}")["validation"].loss
    assert (loss.argmin(axis=1) < 0.6 * loss.shape[1]).all()
    least, end = changed(text)[0]
    assert (end > {"verses": 1.2, "english": 1.05}[text] * least).all()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("judged_by", ["validation", "test"])
def test_the_accuracy_is_higher_at_the_end_than_at_the_least_loss(text, judged_by):
    curves = recordings.load_curves(f"lesson_05_{text}")
    row, least = np.arange(10), curves["validation"].loss.argmin(axis=1)
    gained = curves[judged_by].accuracy[:, -1] - curves[judged_by].accuracy[row, least]
    assert (gained > 0).sum() >= 9
    assert stats.ttest_1samp(gained, 0, alternative="greater").pvalue < 0.03
    assert gained.max() < 0.05


def test_in_smaller_steps_the_accuracy_stands_still():
    (least, end), (at_least, at_end), _ = changed("english_slowly")
    assert (end > 1.03 * least).all()
    assert 1 <= (at_end > at_least).sum() <= 9
    assert abs((at_end - at_least).mean()) < 0.01


@pytest.mark.parametrize("text", [*TEXTS, "english_slowly"])
def test_temperature_takes_most_of_the_rise_away(text):
    (least, end), _, (scaled_least, scaled_end) = changed(text)
    gone = 1 - (scaled_end - scaled_least) / (end - least)
    assert (gone > 0.5).all()
    assert (gone < 0.9).all()


@pytest.mark.parametrize("text", TEXTS)
def test_the_best_temperature_rises_as_training_goes_on(text):
    heats = np.array(recordings.load_curves(f"lesson_05_{text}").settings["temperature"])
    assert (heats[:, -1] > 1.3).all()
    assert (heats[:, -1] > heats[:, heats.shape[1] // 2]).all()


def test_who_pays():
    for text, (fewest, most) in {"verses": (0.5, 0.65), "english": (0.4, 0.5)}.items():
        settings = recordings.load_curves(f"lesson_05_{text}").settings
        assert fewest < min(settings["fell"]) <= max(settings["fell"]) < most
        assert 0.8 < min(settings["carried"]) <= max(settings["carried"]) < 1.5


def test_other_words_do_not_make_the_rise_in_english():
    curves = recordings.load_curves("lesson_05_english")
    row, least = np.arange(10), curves["validation"].loss.argmin(axis=1)
    rises = [
        curves[name].loss[:, -1] - curves[name].loss[row, least] for name in ("validation", "validation, known words")
    ]
    assert (rises[1] > rises[0]).all()


def test_choosing_after_scaling_is_better_than_before():
    for text in TEXTS:
        curves, row = recordings.load_curves(f"lesson_05_{text}"), np.arange(10)
        chosen, plain = (curves[name].loss.argmin(axis=1) for name in ("validation, scaled", "validation"))
        losses, rights = curves["test, scaled"].loss, curves["test"].accuracy
        assert stats.ttest_1samp(losses[row, chosen] - losses[row, plain], 0, alternative="less").pvalue < 0.05
        assert (rights[row, chosen] - rights[row, plain]).mean() > 0
        best = curves["validation"].accuracy.argmax(axis=1)
        assert stats.ttest_rel(losses[row, best], losses[row, plain], alternative="greater").pvalue < 0.05
        assert stats.ttest_rel(rights[row, best], rights[row, plain], alternative="greater").pvalue < 0.05


def since_the_least(name, part="validation", share=0.05):
    """Of five networks: the change in accuracy until the validation loss first is 5% above its least."""
    curves = recordings.load_curves(f"lesson_05_{name}")
    found = []
    for loss, accuracy in zip(curves["validation"].loss[:5], curves[part].accuracy[:5], strict=True):
        later = next(epoch for epoch in range(loss.argmin(), len(loss)) if loss[epoch] >= (1 + share) * loss.min())
        found.append(accuracy[later] - accuracy[loss.argmin()])
    return np.array(found)


def test_with_more_data_the_accuracy_falls_where_with_less_it_rose():
    assert (since_the_least("verses") > -0.005).all()
    assert since_the_least("verses").mean() > 0.005
    for songs in (160, 320):
        for part in ("validation", "test"):
            assert (since_the_least(f"verses_{songs}", part) < 0).all()
    assert (since_the_least("english_5000") > 0).sum() >= 4
    for words in (10_000, 20_000, 30_000):
        assert (since_the_least(f"english_{words}") < 0).all()
    for words in (5_000, 10_000, 20_000, 30_000):
        assert (since_the_least(f"english_{words}", "validation, known words") > 0).all()


def test_smoothed_labels_help_in_english_and_not_in_songs():
    found = {}
    for text in TEXTS:
        for kind, name in (("plain", text), ("smoothed", f"{text}_smoothed")):
            curves, row = recordings.load_curves(f"lesson_05_{name}"), np.arange(10)
            chosen = curves["validation, scaled"].loss.argmin(axis=1)
            ends, best = curves["test"].loss[:, -1], curves["test, scaled"].loss[row, chosen]
            heat = np.array(curves.settings["temperature"])[:, -1]
            found[text, kind] = ends, best, curves["test"].accuracy[row, chosen], heat
    for k, (plain, smoothed) in enumerate(zip(found["english", "plain"], found["english", "smoothed"], strict=True)):
        assert (smoothed.mean() > plain.mean()) == (k == 2)
    (end, best, right, heat), (end_s, best_s, right_s, heat_s) = (
        found["verses", kind] for kind in ("plain", "smoothed")
    )
    assert (np.abs(heat_s - 1) < 0.1).all()
    assert (heat > 1.5).all()
    assert end_s.mean() > end.mean() - 0.05
    assert best_s.mean() > best.mean()
    assert right_s.mean() < right.mean()
    (least, last), _, (scaled_least, scaled_last) = changed("verses_smoothed")
    assert (scaled_last - scaled_least > last - least).all()


def test_counting_padding_makes_another_accuracy_of_the_same_answers():
    kept = recordings.load_curves("lesson_05_verses")
    padded = np.array(kept.settings["accuracy_with_padding"])
    assert (padded[:, -1] < kept["validation"].accuracy[:, -1] - 0.08).all()


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


def test_a_temperature_found_in_another_way_passes():
    def searched(known_logits, known_labels, new_logits, drawn_anew):
        heats = np.geomspace(0.2, 10, 400)
        losses = [log_loss(known_labels, special.softmax(known_logits / heat, axis=1)) for heat in heats]
        digit = special.softmax(new_logits / heats[np.argmin(losses)], axis=1)
        drawn = np.full((10, 10), drawn_anew / 10) + (1 - drawn_anew) * np.eye(10)  # from a digit to what is written
        return digit, digit @ drawn

    assert lesson.check("repaired", searched).passed


def test_confidence_that_fits_but_tells_nothing_is_refused():
    def level(known_logits, known_labels, new_logits, drawn_anew):
        right = np.mean(known_logits.argmax(axis=1) == known_labels)
        digit = np.where(np.arange(10) == new_logits.argmax(axis=1)[:, None], right, (1 - right) / 9)
        return digit, (1 - drawn_anew) * digit + drawn_anew / 10

    assert not lesson.check("repaired", level).passed


def test_the_clerk_s_labels_are_as_often_the_digit_as_the_second_array_says():
    generator = np.random.default_rng(0)
    digit, share = generator.dirichlet(np.ones(10), 200), 0.2
    truths = (digit.cumsum(axis=1) < generator.random((4000, 200, 1))).sum(axis=-1)
    written = np.where(generator.random(truths.shape) < share, generator.integers(0, 10, truths.shape), truths)
    found = (written[:, :, None] == np.arange(10)).mean(axis=0)
    np.testing.assert_allclose(found, (1 - share) * digit + share / 10, atol=0.04)


def test_of_calibrated_predictions_at_least_exp_of_minus_the_loss_is_right():
    generator = np.random.default_rng(0)
    for classes in (2, 3, 10, 100):
        for concentration in (0.02, 0.3, 3.0):
            rows = generator.dirichlet(np.full(classes, concentration), 1000) + 1e-12
            rows /= rows.sum(axis=1, keepdims=True)
            loss = -(rows * np.log(rows)).sum(axis=1).mean()  # what is expected of labels drawn from them
            assert np.exp(-loss) <= rows.max(axis=1).mean()
    for loss in np.linspace(0.01, 0.69, 30):
        assert np.exp(-loss) <= calibrated_accuracy(loss, classes=2)[0] + 1e-9

"""Lesson 08: its explorer, its exercises and the facts it builds on."""

import re

import numpy as np
import pytest

from lossacc_helpers import (
    attainable_loss,
    calibrated_loss,
    datasets,
    double_softmax_loss,
    find_spikes,
    least_miscalibration,
    recordings,
    swapped_softmax_loss,
    wilson_interval,
)
from lossacc_helpers.clinic import diagnose, examples
from lossacc_helpers.clinic.causes import CAUSES
from lossacc_helpers.course.lesson_08 import (
    TRAININGS,
    four_trainings,
    lesson,
    mystery_curves,
    noise,
    third_noise,
    training_of,
)
from lossacc_helpers.exercises import check
from tests.moving import move_every_control

# The explorer ------------------------------------------------------------------------------------------------------


def test_every_control_of_the_explorer_changes_what_it_shows():
    move_every_control(lesson.explorer())


@pytest.mark.parametrize("name", TRAININGS)
def test_the_explorer_says_what_the_clinic_says(name):
    explorer = lesson.explorer()
    explorer.controls["training"].value = name
    explorer.controls["samples"].value = True
    explorer.controls["seen"].value = 50
    whole = training_of(name)
    found = diagnose(whole.select_epochs(slice(0, round(whole.epochs / 2))))
    assert f"{found.best.slug} {found.best.score:.2f}" in explorer.readout
    assert explorer.readout.startswith(f"{round(whole.epochs / 2)} epochs.")
    assert "50% of it; given were every sample." in explorer.readout


def test_what_the_questions_at_the_explorer_ask_for_is_there():
    explorer = lesson.explorer()
    state = explorer.controls

    def said(training, seen, samples):
        state["training"].value, state["seen"].value, state["samples"].value = training, seen, samples
        return re.search(r"epochs?\. (\S+)", explorer.readout)[1]

    assert said("B", 20, False) == "healthy"
    assert said("B", 100, False) == "overconfidence"
    assert said("A", 20, False) == "double-softmax"
    assert "swapped-arguments" in explorer.readout
    assert said("C", 100, False) == "swapped-arguments"
    assert said("E", 100, False) == "healthy"
    assert said("E", 100, True) == "batch-norm-statistics"
    by_share = [said("D", share, False) for share in (20, 50, 80, 100)]
    assert by_share == ["distribution-shift", "overfitting", "healthy", "overconfidence"]


# Facts -------------------------------------------------------------------------------------------------------------


def test_the_noise_estimate_is_that_of_a_normal_distribution():
    from scipy.stats import norm

    assert pytest.approx(1 / norm.ppf(0.75), abs=1e-4) == 1.4826
    draw = np.random.default_rng(0)
    for estimate in (noise, third_noise):
        assert np.median([estimate(draw.normal(size=60)) for _ in range(2000)]) == pytest.approx(1, abs=0.05)
    assert sum(factor**2 for factor in (1, 3, 3, 1)) == 20


def test_the_numbers_that_guesses_and_questions_state():
    cases = examples.cases()
    still = cases["keras_2392"].log
    assert still.loss[-1] == pytest.approx(5.73, abs=0.005)
    assert still.accuracy[-1] == pytest.approx(0.64, abs=0.005)
    cheap = cases["alexnet_4"].log
    assert np.median(cheap.accuracy) == pytest.approx(0.89, abs=0.005)
    assert np.median(cheap.validation_accuracy) == pytest.approx(0.57, abs=0.01)
    assert 0.4 * np.log(2) == pytest.approx(0.277, abs=5e-4)
    assert wilson_interval(0, 60)[1] == pytest.approx(0.060, abs=5e-4)
    assert sum(run.accepted[0] == "healthy" for run in examples.simulated() if run.held_out) == 19
    rising = diagnose(cases["eat_tf2_69"].log, classes=2)
    nats = float(re.search(r"At least ([0-9.]+) nats", " ".join(rising.best.evidence))[1])
    assert nats >= 0.2


# Exercises ---------------------------------------------------------------------------------------------------------


def by_formula(loss, accuracy, classes):
    """Judge epochs from first principles: ln 2 for each wrong answer, and Fano's inequality."""
    words = []
    for cost, right in zip(loss, accuracy, strict=True):
        wrong = min(1 - right, 1 - 1 / classes)
        most = -sum(p * np.log(p) for p in (wrong, 1 - wrong) if p > 0) + wrong * np.log(classes - 1)
        low, high = cost < (1 - right) * np.log(2) - 1e-3, cost > most + 1e-3
        words.append("impossible" if low else "miscalibrated" if high else "possible")
    return words


@pytest.mark.parametrize(
    "answer",
    [
        by_formula,
        lambda *given: tuple(word.upper() for word in by_formula(*given)),
        lambda *given: np.array(by_formula(*given)),
        lambda loss, a, c: np.select(
            [
                loss + 0.001 < attainable_loss(a)[0],
                loss - 0.001 > calibrated_loss(np.clip(a, 1 / c, 1), classes=c)[1],
            ],
            ["impossible", "miscalibrated"],
            "possible",
        ),
    ],
)
def test_epochs_may_be_judged_in_many_ways(answer):
    assert check(lesson.exercises["judged"], answer).passed


def test_other_words_are_told_apart_from_wrong_ones():
    assert "The words are" in check(lesson.exercises["judged"], lambda loss, a, c: ["fine"] * len(loss)).message


def test_any_log_with_the_mark_of_a_second_softmax_passes():
    exercise = lesson.exercises["forged"]
    for low, high in ((0.3, 0.9), (0.4, 0.95), (0.5, 0.99)):
        rising = np.linspace(low, high, 10)
        for spread in (0.0, 0.01):
            assert check(exercise, np.stack([np.log(np.e + 4) - rising + spread, rising])).passed
    assert check(exercise, [list(np.log(np.e + 4) - rising), list(rising)]).passed
    low = np.linspace(0.25, 0.55, 10)
    assert not check(lesson.exercises["mystery"], ("batch-norm-statistics", [1, 2, 3])).passed
    assert "Let the accuracy rise" in check(exercise, np.stack([np.log(np.e + 4) - low, low])).message


def test_other_constants_and_forms_of_the_noise_pass():
    exercise = lesson.exercises["noise_of"]
    for answer in (
        lambda v: np.median(np.abs(np.diff(v, 3))) / 0.6745 / np.sqrt(20),
        lambda v: 1.4826 * np.median(np.abs(np.diff(np.diff(np.diff(v))))) / 4.472,
        lambda v: 1.48 * np.median(np.abs(v[3:] - 3 * v[2:-1] + 3 * v[1:-2] - v[:-3])) / 20**0.5,
    ):
        assert check(exercise, answer).passed


def test_either_name_and_any_three_jumps_solve_the_mystery():
    exercise = lesson.exercises["mystery"]
    jumps = np.flatnonzero(find_spikes(mystery_curves()["validation"].loss)) + 1
    assert len(jumps) >= 4
    assert check(exercise, ("batch_norm_statistics", [4, 6, 29])).passed  # stuck at chance; a jump that is less high
    for slug in ("batch-norm-statistics", "dropout-batch-norm-shift", " Batch-Norm-Statistics "):
        assert check(exercise, (slug, jumps)).passed
        assert check(exercise, [slug, jumps[-3:].tolist()]).passed
    assert not check(exercise, ("batch-norm-statistics", jumps[:2])).passed
    assert not check(exercise, ("batch-norm-statistics", [jumps[0]] * 3)).passed
    assert not check(exercise, ("small-validation-set", jumps)).passed
    assert "does not explain" in check(exercise, ("leakage", jumps)).message
    assert "whole numbers" in check(exercise, ("batch-norm-statistics", [0, 99, 1.5])).message


def test_training_does_not_jump_where_the_mystery_does():
    assert not find_spikes(mystery_curves()["training"].loss).any()


# The last exercise -------------------------------------------------------------------------------------------------

RIGHT = (
    ("constant-predictor", 0.3255),
    ("swapped-arguments", float(np.log(np.e + 6) - 1 / 7)),
    ("unshuffled-validation-split", float(np.sqrt(15))),  # 0 of 30: (1/3) / sqrt(2/9 / 30)
    ("overconfidence", 3.2109),
)


def test_what_decides_each_of_the_four_trainings():
    p, q, r, s = four_trainings().values()
    eights = datasets.digits(seed=0).train[1] == 8
    share = np.array([eights.mean(), 1 - eights.mean()])
    assert -(share * np.log(share)).sum() == pytest.approx(RIGHT[0][1], abs=5e-5)
    assert p.log.loss[-1] == pytest.approx(RIGHT[0][1], abs=5e-4)
    assert set(p.log.accuracy) == {share.max().round(4)}

    even = np.full((1, 7), 1 / 7)
    swapped, twice = swapped_softmax_loss([0], even)[0], double_softmax_loss([0], even)[0]
    assert swapped == pytest.approx(RIGHT[1][1], abs=1e-9)
    first = float(re.search(r"cost ([0-9.]+)\.$", q.known)[1])
    assert abs(first - swapped) < 0.01 < 0.04 < first - twice
    assert abs(first - swapped) > 0.003  # so that it cannot be copied for an answer

    irises = datasets.iris("sorted", validation_split=0.2)
    assert np.bincount(irises.validation[1], minlength=3).tolist() == [0, 0, 30]
    assert r.log.validation_accuracy[r.log.accuracy > 0.45].min() == 0  # training has begun to learn
    assert (2 / 3) ** 30 < 1e-5  # how often guessing gets so few
    assert r.log.validation_accuracy[-1] > 0.7

    wrong = 1 - s.log.validation_accuracy[-1]
    most = -(1 - wrong) * np.log(1 - wrong) - wrong * np.log(wrong / 12)
    owed = s.log.validation_loss[-1] - most
    assert owed == pytest.approx(RIGHT[3][1], abs=5e-4)
    proven = least_miscalibration(s.log.validation_loss[-1], 1 - wrong, classes=13)
    assert proven == pytest.approx(owed, abs=1e-3)
    assert s.log.validation_loss[-1] > np.log(13)  # flatter probabilities would cost less: these are too bold
    least = s.log.validation_loss.argmin()
    assert s.log.validation_accuracy[-1] >= s.log.validation_accuracy[least]


def test_the_clinic_names_one_of_the_four_rightly_one_nearly_and_takes_two_for_something_else():
    found = {
        name: diagnose(one.log, classes=one.classes, validation_size=one.validation_samples)
        for name, one in four_trainings().items()
    }
    assert [one.best.slug for one in found.values()] == [
        "class-imbalance",
        "double-softmax",
        "batch-norm-statistics",
        "overconfidence",
    ]
    assert "swapped-arguments" in [one.slug for one in found["Q"].findings]
    assert "unshuffled-validation-split" not in str(found["R"])


def test_no_log_of_the_four_lies_below_the_floor_of_its_accuracy():
    for one in four_trainings().values():
        for loss, accuracy in (
            (one.log.loss, one.log.accuracy),
            (one.log.validation_loss, one.log.validation_accuracy),
        ):
            assert (loss >= attainable_loss(accuracy)[0]).all()


def test_what_a_learner_does_to_the_logs_does_not_reach_the_checker():
    one = four_trainings()["P"]
    with pytest.raises(ValueError, match="read-only"):
        one.log.loss[0] = 1.0
    four_trainings().clear()
    assert len(four_trainings()) == 4


def test_the_last_exercise_takes_any_right_answer():
    exercise = lesson.exercises["finale"]
    assert check(exercise, list(RIGHT)).passed
    assert check(exercise, tuple([slug.upper().replace("-", "_"), round(number, 3)] for slug, number in RIGHT)).passed
    other = [("class-imbalance", RIGHT[0][1]), RIGHT[1], (RIGHT[2][0], -RIGHT[2][1]), RIGHT[3]]
    assert check(exercise, other).passed
    assert not check(exercise, list(RIGHT)[::-1]).passed


@pytest.mark.parametrize("place", range(4))
def test_feedback_names_the_log_and_gives_nothing_away(place):
    exercise, (right, number) = lesson.exercises["finale"], RIGHT[place]
    accepted = {right, "class-imbalance"} if place == 0 else {right}
    answers = [(slug, number) for slug in CAUSES if slug not in accepted]
    answers += [(right, value) for value in (0.0, number + 0.1, number / 2, float("inf")) if value != number]
    for given in (*answers, ("no such thing", number)):
        result = check(exercise, [*RIGHT[:place], given, *RIGHT[place + 1 :]])
        assert not result.passed
        assert f"\n{'PQRS'[place]}: " in result.message
        assert result.message.count("\n") == 1
        assert f"{number:.3f}" not in result.message
        assert not any(slug in result.message for slug in accepted - {given[0]})


def test_a_training_of_the_explorer_is_as_it_was_trained_and_not_at_another_temperature():
    for name, replica in TRAININGS.values():
        temperatures = recordings.load(name).settings.get("temperatures")
        assert temperatures is None or temperatures[replica] == 1.0

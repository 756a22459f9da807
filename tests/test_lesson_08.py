"""Lesson 08: its explorer, its exercises and the facts it builds on."""

import re

import numpy as np
import pytest

from lossacc_helpers import find_spikes, wilson_interval
from lossacc_helpers.clinic import diagnose, examples
from lossacc_helpers.course.lesson_08 import TRAININGS, lesson, mystery_curves, noise, third_noise, training_of
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


@pytest.mark.parametrize(
    "answer",
    [
        lambda loss, a: loss < (1 - a) * np.log(2) - 1e-4,
        lambda loss, a: loss + 5e-5 < (1 - a - 5e-5) * np.log(2),
        lambda loss, a: [x + 0.0001 < 0.6931 * (1 - y) for x, y in zip(loss, a, strict=True)],
        lambda loss, a: np.where(loss - (1 - a) * np.log(2) < -1e-4, True, False),
    ],
)
def test_the_bound_may_be_written_in_many_ways(answer):
    assert check(lesson.exercises["impossible"], answer).passed


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

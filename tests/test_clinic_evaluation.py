"""How often the clinic is right on trainings whose cause is known, and what the counting counts."""

import numpy as np
import pytest

from lossacc_helpers.clinic import diagnose
from lossacc_helpers.clinic.evidence import Evidence
from lossacc_helpers.clinic.examples import simulated
from lossacc_helpers.clinic.reading import read
from lossacc_helpers.clinic.rules import RULES
from tools import evaluate_clinic, simulate_clinic

RUNS = simulated()
# The rule that is to fire on what was built in; None where there is nothing to see in curves.
OWN_RULE = {
    "too_long_on_few": None,
    "few_validated": "small_validation_set",
    "slow_irises": "small_validation_set",
    "wrong_labels": "overfitting",
    "dead": "constant_predictor",
    "saturated": "saturated_outputs",
    "broken": "numeric_failure",
    "squared_error": "not_cross_entropy",
    "regression": "not_cross_entropy",
    "every_output_for_itself": "metric_mismatch",
    "softmax_twice": "double_softmax",
    "rare_class": "class_imbalance",
    "much_dropout": "train_mode_penalty",
    "slow_averages": "batch_norm_statistics",
    "sorted_rows": "unshuffled_validation_split",
    "other_scanner": "distribution_shift",
    "too_fast": "optimizer_instability",
    "smoothed": "underconfidence",
    "penalised": "extra_loss_terms",
    "healthy": "healthy",
    "healthy_cells": "healthy",
    "healthy_parity": "healthy",
}


def evidence(run):
    return Evidence(read(run.history), run.classes, run.validation_size)


def test_there_are_enough_runs_and_a_third_is_held_out():
    assert len(RUNS) >= 300
    assert {run.name for run in RUNS} == set(simulate_clinic.SIMULATIONS) == set(OWN_RULE)
    held = [run.held_out for run in RUNS]
    assert np.mean(held) == pytest.approx(1 / 3)
    assert all(run.held_out == (run.seed % 3 == 2) for run in RUNS)
    assert len({(run.name, run.seed) for run in RUNS}) == len(RUNS)


@pytest.mark.parametrize("held_out", [False, True])
def test_the_aims_are_met(held_out):
    judged = evaluate_clinic.judge(evaluate_clinic.simulated(held_out=held_out))
    assert judged.first / judged.runs >= 0.85
    assert judged.third / judged.runs >= 0.97
    assert judged.healthy >= 15
    assert judged.alarms / judged.healthy <= 0.05


def test_trainings_of_the_lessons_are_told_better_with_their_samples():
    by_curves = evaluate_clinic.judge(evaluate_clinic.recorded(samples=False))
    by_samples = evaluate_clinic.judge(evaluate_clinic.recorded(samples=True))
    assert by_curves.first / by_curves.runs >= 0.85
    assert by_samples.third / by_samples.runs >= 0.95


@pytest.mark.parametrize("name", [name for name, rule in OWN_RULE.items() if rule])
def test_a_rule_fires_on_its_own_simulation(name):
    rule = next(one for one in RULES if one.__name__ == OWN_RULE[name])
    fired = [rule(evidence(run)) is not None for run in RUNS if run.name == name]
    assert np.mean(fired) >= 0.7


def test_rules_are_silent_on_healthy_runs():
    healthy = [run for run in RUNS if run.accepted[0] == "healthy"]
    for rule in RULES:
        if rule.__name__ in ("healthy", "small_validation_set", "threshold_plateau"):
            continue
        found = [rule(evidence(run)) for run in healthy]
        loud = [one for one in found if one is not None and one.score >= 0.58]
        assert len(loud) <= 0.06 * len(healthy), rule.__name__


def test_the_report_is_that_of_these_runs_and_rules():
    assert evaluate_clinic.REPORT.read_text(encoding="utf-8") == evaluate_clinic.report()


def test_the_judge_counts_what_it_is_given():
    squared = diagnose({"loss": [0.09, 0.08, 0.08], "accuracy": [0.6, 0.61, 0.6]})
    little = diagnose({"loss": [0.5]})
    judged = evaluate_clinic.judge(
        [
            ("a", ("not-cross-entropy",), squared),
            ("a", ("overfitting",), squared),
            ("b", ("healthy", "overfitting"), squared),
            ("b", ("healthy",), little),
        ]
    )
    assert (judged.runs, judged.first, judged.third) == (4, 1, 1)
    assert (judged.healthy, judged.alarms) == (2, 1)
    assert "| a | not-cross-entropy 1, **not-cross-entropy 1** |" in str(judged)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["healthy", "softmax_twice"])
def test_a_simulation_comes_out_as_kept(name):
    kept = next(run for run in RUNS if run.name == name and run.seed == 0)
    again = simulate_clinic.simulate(name, 0)
    assert tuple(again["accepted"]) == kept.accepted
    np.testing.assert_allclose(again["history"]["loss"], kept.history["loss"], rtol=1e-3)

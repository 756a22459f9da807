"""The clinic's rules fire on the marks of their cause, stay silent without them, and the published cases come out."""

import json
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossacc_helpers.clinic import Diagnosis, Finding, Unreadable, diagnose, read
from lossacc_helpers.clinic.causes import CAUSES, FAMILIES, TOLD_APART
from lossacc_helpers.clinic.diagnosis import _settled
from lossacc_helpers.clinic.evidence import Curve, Evidence, grid_size
from lossacc_helpers.clinic.examples import cases
from lossacc_helpers.clinic.rules import RULES

LN2 = np.log(2)


def best(diagnosis: Diagnosis, count: int = 1) -> list[str]:
    return [finding.slug for finding in diagnosis.findings[:count]]


def learning(epochs=20, *, seed=0, noise=0.004, floor=0.2, start=0.7):
    """A training that learns: losses fall towards a floor, accuracies rise with them."""
    generator = np.random.default_rng(seed)
    fade = np.exp(-np.arange(epochs) / (epochs / 5))
    loss = floor + (start - floor) * fade
    accuracy = 0.93 - 0.4 * fade
    jitter = generator.normal(size=(4, epochs))
    return {
        "loss": loss * (1 + noise * jitter[0]),
        "accuracy": np.round(np.clip(accuracy + 0.3 * noise * jitter[1], 0, 1), 4),
        "val_loss": (loss + 0.05) * (1 + 3 * noise * jitter[2]),
        "val_accuracy": np.round(np.clip(accuracy - 0.02 + noise * jitter[3], 0, 1), 4),
    }


# Evidence ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [40, 63, 140, 370, 990])
def test_the_number_of_samples_is_read_off_the_grid_of_accuracies(size):
    right = np.random.default_rng(size).integers(int(0.5 * size), int(0.9 * size), 9)
    found = grid_size(np.round(right / size, 4))
    assert found is not None
    assert size % found == 0  # the least grid on which all of them lie


def test_no_number_is_read_off_accuracies_without_a_grid():
    for seed in range(20):
        assert grid_size(np.round(np.random.default_rng(seed).uniform(0.5, 0.9, 8), 4)) is None


def test_noise_is_that_of_an_epoch_about_its_trend():
    generator = np.random.default_rng(0)
    trend = np.linspace(2, 1, 400) + 0.3 * np.sin(np.linspace(0, 6, 400))
    curve = Curve(np.arange(400), trend + 0.05 * generator.normal(size=400))
    assert curve.noise == pytest.approx(0.05, rel=0.15)


def test_a_violation_is_what_no_cross_entropy_can_be():
    accuracy = np.array([0.5, 0.75, 1.0])
    at_bound = (1 - accuracy) * LN2
    log = read({"loss": np.round(at_bound, 4), "accuracy": accuracy})
    assert not Evidence(log).violations(validation=False).any()  # rounded down is no violation
    below = read({"loss": at_bound - [0.001, 0.001, 0.0], "accuracy": accuracy})
    assert Evidence(below).violations(validation=False).tolist() == [True, True, False]


# Causes ------------------------------------------------------------------------------------------------------------


def test_a_healthy_training_is_called_so():
    for seed in range(10):
        assert best(diagnose(learning(seed=seed))) == ["healthy"]


def test_a_loss_that_is_no_number_is_named_with_its_epoch():
    curves = learning()
    curves["loss"][7:] = np.nan
    found = diagnose(curves)
    assert best(found) == ["numeric-failure"]
    assert "first in epoch 8" in found.best.evidence[0]


def test_a_squared_error_breaks_the_bound():
    curves = learning()
    curves["loss"], curves["val_loss"] = 0.05 + 0 * curves["loss"], 0.06 + 0 * curves["val_loss"]
    assert best(diagnose(curves)) == ["not-cross-entropy"]


def test_a_negative_loss_has_its_arguments_swapped():
    curves = learning()
    curves["loss"] = -np.exp(np.arange(20) / 3)
    curves["val_loss"] = curves["loss"] - 1
    assert best(diagnose(curves)) == ["swapped-arguments"]


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("told", [True, False])
def test_a_second_softmax_leaves_its_floor(classes, told):
    generator = np.random.default_rng(classes)
    sharp = np.linspace(0, 8, 20)
    losses, rights = [], []
    for scale in sharp:
        logits = generator.normal(size=(400, classes))
        logits[:, 0] += 1.2 if classes > 2 else 2.5  # half-learned, two classes cost as much without a second softmax
        first = np.exp(scale * logits) / np.exp(scale * logits).sum(axis=1, keepdims=True)
        second = np.exp(first) / np.exp(first).sum(axis=1, keepdims=True)
        losses.append(-np.log(second[:, 0]).mean())
        rights.append(np.mean((scale * logits + (1 - scale / 8) * generator.normal(size=logits.shape)).argmax(1) == 0))
    curves = {"loss": np.array(losses), "accuracy": np.array(rights)}
    found = diagnose(curves, classes=classes if told else None)
    assert "double-softmax" in best(found, 3)


@pytest.mark.parametrize("share", [0.35, 0.1, 0.0017])
def test_saturated_outputs_cost_what_clipping_lets_them(share):
    curves = {"loss": np.round(16.118 * share * np.ones(6), 4), "accuracy": np.round(1 - share * np.ones(6), 4)}
    assert "saturated-outputs" in best(diagnose(curves), 2)


def test_the_common_class_alone_stands_at_its_share():
    curves = {
        "loss": np.linspace(0.14, 0.1, 12),
        "accuracy": np.full(12, 0.9756),
        "val_loss": np.linspace(0.13, 0.11, 12),
        "val_accuracy": np.full(12, 0.973),
    }
    assert best(diagnose(curves)) == ["class-imbalance"]


@pytest.mark.parametrize("classes", [2, 6, 10])
def test_knowing_nothing_costs_the_logarithm_of_the_classes(classes):
    generator = np.random.default_rng(classes)
    chance = 1 / classes
    curves = {
        "loss": np.log(classes) * (1 + 0.003 * generator.normal(size=10)),
        "accuracy": chance + 0.004 * generator.normal(size=10),
        "val_loss": np.log(classes) * (1 + 0.003 * generator.normal(size=10)),
        "val_accuracy": chance + 0.01 * generator.normal(size=10),
    }
    for told in (None, classes):
        assert best(diagnose(curves, classes=told)) == ["constant-predictor"]


def turned(fall):
    curves = learning()
    late = np.maximum(np.arange(20) - 8, 0) / 11
    curves["val_loss"] = curves["val_loss"] + 0.4 * late
    curves["val_accuracy"] = np.round(curves["val_accuracy"] - fall * late, 4)
    return curves


def test_a_rising_validation_loss_is_overfitting_where_accuracy_falls_and_overconfidence_where_not():
    assert best(diagnose(turned(0.12))) == ["overfitting"]
    confident = diagnose(turned(-0.01))
    assert best(confident) == ["overconfidence"]
    assert "Validation loss was lowest about epoch" in confident.best.evidence[0]
    assert "label-noise" in best(diagnose(turned(0.12)), 4)


def test_validation_that_spikes_alone_is_asked_another_way():
    curves = learning(40)
    curves["val_loss"][[12, 19, 27, 33]] *= 4
    curves["val_accuracy"][[12, 19, 27, 33]] -= 0.3
    assert best(diagnose(curves), 2) == ["batch-norm-statistics", "dropout-batch-norm-shift"]


def test_training_that_spikes_is_unstable():
    curves = learning(40)
    for name in ("loss", "val_loss"):
        curves[name][[12, 19, 27, 33]] *= 3
    for name in ("accuracy", "val_accuracy"):
        curves[name][[12, 19, 27, 33]] -= 0.2
    assert best(diagnose(curves)) == ["optimizer-instability"]


def test_validation_of_unseen_classes_begins_at_0():
    curves = learning()
    curves["val_accuracy"] = np.round(0.02 + 0.01 * np.arange(20) / 20, 4)
    curves["val_loss"] = 2 + 0.1 * np.arange(20)
    assert best(diagnose(curves)) == ["unshuffled-validation-split"]


def test_held_back_training_does_worse_than_validation():
    curves = learning()
    curves["loss"], curves["accuracy"] = 1.8 * curves["val_loss"], curves["val_accuracy"] - 0.08
    assert best(diagnose(curves)) == ["train-mode-penalty"]


def test_few_validation_samples_are_said():
    curves = learning()
    curves["val_accuracy"] = np.round(
        np.round(curves["val_accuracy"] * 40 + np.random.default_rng(0).normal(size=20)) / 40, 4
    )
    assert "small-validation-set" in best(diagnose(curves), 3)
    assert diagnose(curves).validation_size in (20, 40)


def test_little_is_called_little():
    assert best(diagnose({"loss": [0.5]})) == ["cannot-tell"]
    assert best(diagnose({"loss": [0.5, 0.4, 0.3, 0.2]})) == ["cannot-tell"]


# The published cases -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", cases())
def test_a_published_case_is_found(name):
    case = cases()[name]
    found = diagnose(case.log)
    assert set(best(found)) & set(case.causes), found


def test_published_cases_name_their_source_and_known_causes():
    assert len(cases()) == 15
    for case in cases().values():
        assert case.source.startswith("https://github.com/")
        assert set(case.causes) <= set(CAUSES)


# What must hold ----------------------------------------------------------------------------------------------------


def test_every_cause_has_its_words_and_its_family():
    for slug, cause in CAUSES.items():
        assert slug == cause.slug
        assert cause.family in FAMILIES
        for text in (cause.says, cause.experiment, cause.fix):
            assert text.endswith(".")


@pytest.mark.parametrize("name", list(cases()))
def test_order_percent_and_other_columns_make_no_difference(name):
    log = cases()[name].log
    columns = {
        key: values
        for key, values in (
            ("loss", log.loss),
            ("accuracy", log.accuracy),
            ("val_loss", log.validation_loss),
            ("val_accuracy", log.validation_accuracy),
        )
        if values is not None
    }
    if log.metric.startswith("top"):
        pytest.skip("another name is another metric")
    plain = [(finding.slug, round(finding.score, 6)) for finding in diagnose(columns).findings]
    turned_round = dict(reversed(columns.items())) | {"lr": np.full(len(log.epochs), 0.001)}
    if max(np.nanmax(values) for key, values in columns.items() if "accuracy" in key) <= 0.01:
        columns = {key: values for key, values in columns.items() if "accuracy" not in key}  # 0.5 may be either
        plain = [(finding.slug, round(finding.score, 6)) for finding in diagnose(columns).findings]
        turned_round = dict(reversed(columns.items()))
    percent = {key: 100 * values if "accuracy" in key else values for key, values in columns.items()}
    for other in (turned_round, percent):
        assert [(finding.slug, round(finding.score, 6)) for finding in diagnose(other).findings] == plain


def test_scores_lie_between_0_and_1_and_the_best_is_first():
    for case in cases().values():
        scores = [finding.score for finding in diagnose(case.log).findings]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)


def test_no_rule_fails_on_curves_of_any_length():
    generator = np.random.default_rng(0)
    for epochs in (1, 2, 3, 4, 5, 8, 30):
        for _ in range(20):
            curves = {
                "loss": generator.exponential(size=epochs),
                "accuracy": generator.random(epochs),
                "val_loss": np.where(generator.random(epochs) < 0.2, np.nan, generator.exponential(size=epochs)),
                "val_accuracy": generator.random(epochs),
            }
            evidence = Evidence(read(curves), classes=int(generator.integers(2, 5)))
            for rule in RULES:
                found = rule(evidence)
                assert found is None or found.evidence


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 1}, "classes must be a whole number, 2 or more"),
        ({"validation_size": 0}, "validation_size must be a whole number, 1 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        diagnose(learning(), **settings)


# The command line --------------------------------------------------------------------------------------------------


def run(*arguments, given=None):
    return subprocess.run(
        [sys.executable, "-m", "lossacc_helpers", "diagnose", *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_answers_from_a_file_and_from_standard_input(tmp_path):
    case = cases()["keras_3056"]
    path = tmp_path / "run.log"
    path.write_text(case.text)
    told = run(str(path))
    assert told.returncode == 0
    assert told.stdout.startswith("1. overfitting (")
    as_json = run("-", "--json", "--classes", "2", given=case.text)
    parsed = json.loads(as_json.stdout)
    assert parsed["findings"][0]["cause"] == "overfitting"
    assert {"score", "evidence", "against", "experiment", "fix", "lesson"} <= set(parsed["findings"][0])
    assert parsed["classes"] == 2


def test_the_command_line_refuses_what_it_cannot_read(tmp_path):
    for arguments, piped in (([str(tmp_path / "none.log")], None), (["-"], "nothing here"), (["-"], "")):
        told = run(*arguments, given=piped)
        assert told.returncode == 2
        assert told.stdout == ""
        assert "What can be read looks like this" in told.stderr


def test_the_installed_command_is_the_module():
    import tomllib
    from importlib import import_module
    from pathlib import Path

    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, function = project["scripts"]["lossacc"].split(":")
    with pytest.raises(SystemExit) as caught:
        getattr(import_module(module), function)(["diagnose", "--help"])
    assert caught.value.code == 0


def test_the_clinic_needs_neither_tensorflow_nor_matplotlib():
    code = (
        "import sys; from lossacc_helpers.clinic import diagnose; diagnose('loss: 1.0\\nloss: 0.9\\n');"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'matplotlib', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_error_of_reading_can_be_stored():
    import pickle

    error = pickle.loads(pickle.dumps(Unreadable("why")))
    assert str(error) == str(Unreadable("why"))


def test_without_training_accuracy_a_healthy_training_is_still_called_so():
    curves = learning()
    del curves["accuracy"]
    assert best(diagnose(curves)) == ["healthy"]


def test_of_very_many_epochs_some_are_looked_at_and_none_that_broke_is_lost():
    curves = learning(9001)
    curves["loss"][4567] = np.inf
    found = diagnose(curves)
    assert best(found) == ["numeric-failure"]
    assert "Of 9,001 epochs one in 5 is looked at." in found.log.notes
    whole = read(learning(9001))
    thin = whole.thinned(2000)
    assert len(thin.epochs) == 1800
    assert thin.epochs[0] == 5
    np.testing.assert_array_equal(thin.validation_loss, whole.validation_loss[4::5])
    assert whole.thinned(9001) is whole


# Marks that curves alone leave --------------------------------------------------------------------------------------


def test_a_training_that_is_stuck_with_next_to_nothing_learned_is_constant():
    generator = np.random.default_rng(0)
    curves = {"loss": 2.1 + 0.01 * generator.normal(size=16), "accuracy": 0.18 + 0.004 * generator.normal(size=16)}
    assert best(diagnose(curves, classes=10)) == ["constant-predictor"]
    assert "healthy" not in best(diagnose(curves, classes=10), 5)


def test_what_is_evaluated_at_chance_after_a_good_fit_is_shuffled():
    curves = learning(start=2.3)
    curves["accuracy"] = 0.1 + 0.85 * (1 - np.exp(-np.arange(20) / 4))
    curves["val_accuracy"] = 0.1 + 0.01 * np.random.default_rng(1).normal(size=20)
    found = diagnose(curves, classes=10)
    alike = {"shuffled-evaluation", "unshuffled-validation-split", "batch-norm-statistics"}
    assert alike <= set(best(found, 4))
    text = "\n".join(
        f"Epoch {k + 1}/9 - loss: {2 - 0.2 * k:.4f} - acc: {0.2 + 0.08 * k:.4f} - val_loss: {2 - 0.19 * k:.4f} - "
        f"val_acc: {0.2 + 0.075 * k:.4f}"
        for k in range(9)
    )
    after = diagnose(text + "\nTest loss: 2.3021\nTest accuracy: 0.1043", classes=10)
    assert "shuffled-evaluation" in best(after, 2)


def test_a_gap_that_grows_while_validation_stands_is_learned_by_heart():
    fade = np.exp(-np.arange(30) / 8)
    curves = {
        "loss": 0.02 + fade,
        "accuracy": 1 - 0.5 * fade,
        "val_loss": 0.7 + 0.3 * fade**4,
        "val_accuracy": 0.78 - 0.3 * fade**4,
    }
    assert best(diagnose(curves)) == ["overfitting"]


def test_averages_that_catch_up_go_on_after_training_is_done():
    fade = np.exp(-np.arange(26) / 9)
    curves = {
        "loss": 1.1 * np.exp(-np.arange(26)) + 0.001,
        "accuracy": 1 - 0.4 * np.exp(-1.6 * np.arange(26)),
        "val_loss": 0.15 + 0.9 * fade,
        "val_accuracy": 0.95 - 0.25 * fade,
    }
    assert "batch-norm-statistics" in best(diagnose(curves), 1)


def test_jumps_of_a_loss_near_nothing_are_no_instability():
    curves = learning(30, floor=0.001)
    curves["loss"] = 2.3 * np.exp(-np.arange(30) / 2.5) + 0.002
    curves["accuracy"] = 1 - 0.8 * np.exp(-np.arange(30) / 2)
    curves["loss"][[20, 25]] *= 4
    assert "optimizer-instability" not in best(diagnose(curves), 5)
    curves["loss"][[20, 25]] = 1.4
    assert best(diagnose(curves)) == ["optimizer-instability"]
    assert diagnose(curves).best.epochs == (21, 26)


def test_epochs_that_show_it_are_named():
    curves = learning(20)
    curves["val_loss"][12:] += 0.1 * np.arange(8)
    found = diagnose(curves)
    assert found.best.slug == "overconfidence"
    assert set(range(15, 21)) <= set(found.best.epochs)
    assert found.as_dict()["findings"][0]["epochs"] == list(found.best.epochs)


# Reports ------------------------------------------------------------------------------------------------------------


def rising():
    curves = learning(20)
    curves["val_loss"][12:] += 0.1 * np.arange(8)
    return diagnose(curves, classes=2, validation_size=500)


def test_a_report_holds_every_sentence_and_number():
    found = rising()
    for text in (found.markdown(), found.html(), str(found)):
        for finding in found.findings:
            assert finding.slug in text
            assert f"{finding.score:.2f}" in text
            assert finding.cause.experiment in text
        assert "20 epochs, 2 classes, 500 validation samples" in text or text == str(found)
    assert repr(found).startswith("Diagnosis(overconfidence 0.9")


def test_a_page_of_html_is_whole_and_escapes_what_a_log_says():
    class Balanced(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "img"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    curves = learning()
    found = diagnose(curves)
    object.__setattr__(found.log, "notes", ("<script>alert(1)</script> & *stars* | bars",))
    page = found.html(picture=b"\x89PNG")
    assert "<script>" not in page
    assert "data:image/png;base64,iVBORw==" in page
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert r"\*stars\* \| bars" in found.markdown()


def test_causes_that_look_alike_come_with_what_tells_them_apart():
    found = rising()
    assert {"overconfidence", "overfitting"} <= set(best(found, 3))
    assert "temperature on one half" in found.told_apart["overconfidence", "overfitting"]
    assert found.as_dict()["told_apart"][0]["causes"] == ["overconfidence", "overfitting"]
    for pair, experiment in TOLD_APART.items():
        assert len(pair) == 2
        assert pair <= set(CAUSES)
        assert experiment.endswith(".")


# What explains what -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "explained"),
    [
        ("numeric-failure", "optimizer-instability"),
        ("not-cross-entropy", "overconfidence"),
        ("metric-mismatch", "healthy"),
        ("swapped-arguments", "overfitting"),
        ("double-softmax", "underconfidence"),
        ("class-imbalance", "threshold-plateau"),
        ("saturated-outputs", "constant-predictor"),
        ("constant-predictor", "train-mode-penalty"),
        ("unshuffled-validation-split", "distribution-shift"),
        ("batch-norm-statistics", "distribution-shift"),
        ("label-noise", "underconfidence"),
        ("leakage", "healthy"),
        ("optimizer-instability", "overfitting"),
    ],
)
def test_a_cause_that_explains_another_comes_before_it(cause, explained):
    found = {slug: Finding(slug, score, ("seen",)) for slug, score in ((cause, 0.85), (explained, 0.9))}
    ranked = _settled(found)
    assert [one.slug for one in ranked] == [cause, explained]
    assert ranked[1].score < 0.9
    weak = {slug: Finding(slug, score, ("seen",)) for slug, score in ((cause, 0.3), (explained, 0.9))}
    assert _settled(weak)[0].slug == explained  # what is hardly found explains nothing


def test_two_explanations_count_no_more_than_the_better_one():
    slugs = ("double-softmax", "swapped-arguments", "overfitting")
    ranked = _settled({slug: Finding(slug, 0.9, ("seen",)) for slug in slugs})
    assert next(one.score for one in ranked if one.slug == "overfitting") == pytest.approx(0.45)


# Precision ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decimals", [2, pytest.param(3, marks=pytest.mark.slow), 4])
def test_rounding_alone_breaks_no_bound_and_makes_no_grid(decimals):
    generator = np.random.default_rng(decimals)
    for _ in range(200):
        accuracy = np.sort(generator.uniform(0.7, 0.999, 12))
        loss = (1 - accuracy) * LN2 * (1 + 1e-6)  # on the floor itself
        curves = {"loss": np.round(loss, decimals), "accuracy": np.round(accuracy, decimals)}
        found = diagnose(curves | {"val_accuracy": np.round(generator.uniform(0.6, 0.9, 12), decimals)}, classes=2)
        assert found.best.slug != "not-cross-entropy"
        assert found.validation_size is None


def test_accuracies_that_are_neither_share_nor_percentage_are_refused():
    for odd in (-0.5, 651.0):
        with pytest.raises(Unreadable, match="is no share and no percentage"):
            read({"loss": [0.5, 0.4], "accuracy": [0.5, odd]})
    assert read({"loss": [0.5, 0.4], "accuracy": [0.99, 1.0000001]}).accuracy[-1] == 1.0
    mixed = read({"loss": [0.5, 0.4], "accuracy": [0.6, 0.7], "val_accuracy": [65.0, 70.0]})
    assert mixed.accuracy[0] == 0.6
    assert mixed.validation_accuracy[0] == 0.65


def test_a_path_to_nothing_is_told_so():
    with pytest.raises(Unreadable, match=r"there is no file runs/training\.log"):
        diagnose("runs/training.log")


# What a breaker found -----------------------------------------------------------------------------------------------


def test_an_easy_task_that_is_learned_is_no_constant_answer():
    easy = {
        "loss": [0.08, 0.02, 0.012, 0.009, 0.007, 0.006],
        "accuracy": [0.98, 0.998, 0.998, 0.999, 0.999, 0.999],
        "val_loss": [0.03, 0.015, 0.011, 0.009, 0.008, 0.008],
        "val_accuracy": [0.998] * 6,
    }
    assert best(diagnose(easy, classes=10)) == ["healthy"]
    assert best(diagnose(easy, classes=2)) == ["healthy"]
    resumed = {"loss": np.linspace(0.302, 0.2985, 8), "accuracy": np.linspace(0.895, 0.8965, 8)}
    assert best(diagnose(resumed | {"val_loss": [0.31] * 8, "val_accuracy": [0.892] * 8}, classes=10)) == ["healthy"]


@pytest.mark.parametrize(
    "curves",
    [
        {"loss": [0.5, 0, 0.3, 0, 0.4, 0, 0.3, 0]},
        {"loss": [0.5, 0, 0.3, 0, 0.4, 0, 0.3, 0], "accuracy": [0.5, 1, 0.6, 1, 0.7, 1, 0.8, 1]},
        {"val_loss": [0.4, 0.1, 0, 0, 0.05, 0.1]},
        {"loss": [0] * 9, "accuracy": [0.5] * 9},
        {"loss": [0] * 9, "accuracy": [1] * 9, "val_loss": [0] * 9, "val_accuracy": [1] * 9},
    ],
)
def test_a_loss_of_nothing_divides_nothing(curves):
    assert "nan" not in str(diagnose(curves, classes=2))


LOSSES, SHARES = [0.0, 1e-9, 1e-4, 0.1, 0.5, 0.69, 1.0, 2.3, 50.0], [0.0, 0.1, 0.5, 0.9, 0.999, 1.0]


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 12).flatmap(
        lambda n: st.tuples(
            *(st.lists(st.sampled_from([0.0, 1e-9, 1e-4, 0.1, 0.5, 0.69, 1.0, 2.3, 50.0]), min_size=n, max_size=n),)
            * 2,
            *(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.999, 1.0]), min_size=n, max_size=n),) * 2,
        )
    ),
    classes=st.sampled_from([None, 2, 3, 10, 1000]),
)
def test_no_curves_make_a_rule_stumble(rows, classes):
    loss, unseen, accuracy, right = rows
    curves = {"loss": loss, "val_loss": unseen, "accuracy": accuracy, "val_accuracy": right}
    found = diagnose(curves, classes=classes, validation_size=100)
    assert 0 < found.best.score <= 1
    assert "nan" not in str(found)


def test_a_perfect_training_is_healthy():
    losses = [0.5, 0.1, 0.02, 0.01, 0, 0, 0, 0]
    text = "\n".join(
        f"Epoch {k}/8\n9/9 [==] - 1s - loss: {loss:.4f} - acc: 1.0000 - val_loss: 0.0000e+00 - val_acc: 1.0000"
        for k, loss in enumerate(losses, start=1)
    )
    assert best(diagnose(text)) == ["healthy"]


def test_too_many_classes_are_refused():
    with pytest.raises(ValueError, match="classes must be 1,000,000,000 or fewer"):
        diagnose({"loss": [0.5]}, classes=10**20)

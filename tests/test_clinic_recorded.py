"""What a recorded training settles: rules on single samples, objections, and rows that are in both parts."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from lossacc_helpers import PredictionHistory, StepHistory, TrainingRun
from lossacc_helpers.clinic import diagnose
from lossacc_helpers.clinic.diagnosis import _recorded
from lossacc_helpers.clinic.recorded import OBJECTIONS, SAMPLE_RULES
from lossacc_helpers.clinic.rows import compare_rows

EPOCHS = 12


def history(labels, logits):
    """A history of logits (epoch, sample, class)."""
    logits = np.asarray(logits, dtype=np.float64)
    top = logits.max(axis=-1, keepdims=True)
    return PredictionHistory(labels, logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True)))


def learning(samples=400, *, classes=3, seed=0, sharp=3.0, share=0.1, labels=None, rows=None):
    """Logits that grow towards the truth, calibrated at the end: a share of the samples leans to another class.

    Every sample begins somewhere else, so that it crosses at its own time.
    """
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, samples) if labels is None else labels
    leaning = np.where(generator.random(samples) < share, (truth + 1) % classes, truth) if rows is None else rows
    grown = np.linspace(0.2, sharp, EPOCHS)[:, None, None]
    begins = generator.normal(size=(samples, classes)) * np.linspace(1, 0, EPOCHS)[:, None, None]
    logits = grown * np.eye(classes)[leaning] + begins
    return truth, logits


def run(train=None, validation=None, **more):
    pair = [learning(seed=1) if train is None else train, learning(seed=2) if validation is None else validation]
    return TrainingRun(*(history(*part) for part in pair), **more)


def slugs(found, least=0.0):
    return [finding.slug for finding in found.findings if finding.score >= least]


def finding(found, slug):
    return next(one for one in found.findings if one.slug == slug)


def test_a_healthy_recorded_training_is_called_so():
    for seed in range(8):
        found = diagnose(run(learning(seed=seed), learning(seed=100 + seed)))
        assert found.best.slug == "healthy", found
        assert (found.classes, found.validation_size) == (3, 400)


def test_what_is_given_beside_a_run_must_belong_to_it():
    for given, says in (
        ({"classes": 4}, "the run has 3"),
        ({"validation_size": 7}, "the run has 400"),
        ({"printed": {"loss": [1.0, 0.9], "accuracy": [0.5, 0.6]}}, "12 epochs"),
        ({"inputs": (np.zeros((3, 2)), np.zeros((400, 2)))}, "training inputs must have the 400 samples"),
    ):
        with pytest.raises(ValueError, match=says):
            diagnose(run(), **given)
    for name in ("printed", "inputs"):
        with pytest.raises(ValueError, match=f"{name} belongs to a TrainingRun"):
            diagnose({"loss": [1.0], "accuracy": [0.5]}, **{name: ([1], [2])})
    alone = TrainingRun(history(*learning()))
    with pytest.raises(ValueError, match="no validation"):
        diagnose(alone, inputs=(np.zeros((400, 2)), np.zeros((1, 2))))
    assert diagnose(alone).classes == 3  # validation is not needed


def test_a_few_samples_that_carry_the_rise_are_named():
    truth, logits = learning(seed=2)
    wrong = np.flatnonzero(logits[-1].argmax(axis=-1) != truth)[:6]
    logits[6:, wrong] *= np.linspace(1, 12, 6)[:, None, None]
    found = finding(diagnose(run(validation=(truth, logits))), "few-large-losses")
    named = {int(word) for word in found.evidence[1].replace(".", "").replace(",", "").split() if word.isdigit()}
    assert named <= set(wrong.tolist())
    assert len(named) == 5


def test_flipped_labels_are_suspected_and_named():
    generator = np.random.default_rng(3)
    truth, logits = learning(400, seed=3, share=0.0, sharp=9.0)
    flipped = np.sort(generator.permutation(400)[:24])
    given = truth.copy()
    given[flipped] = (truth[flipped] + 1) % 3
    late = np.linspace(0, 20, EPOCHS - 6)[:, None, None]
    logits[6:, flipped] += late * np.eye(3)[given[flipped]]  # learned by heart, after all others
    unseen, of_unseen = learning(seed=4, sharp=6.0)
    of_unseen[6:] *= np.linspace(1, 4, EPOCHS - 6)[:, None, None]  # and validation gets worse
    found = finding(diagnose(run((given, logits), (unseen, of_unseen))), "label-noise")
    assert "100% of them are answered as labelled" in found.evidence[0]
    named = [int(word) for word in re.findall(r"samples ([\d, ]+)", found.evidence[1])[0].split(", ")]
    assert len(named) == 5
    assert set(named) <= set(flipped.tolist())
    assert found.score > 0.8
    clean = diagnose(run((truth, logits * 1.0), (unseen, of_unseen)))
    assert "label-noise" not in slugs(clean, 0.5)


def test_a_temperature_tells_too_sure_from_too_timid():
    for sharp, slug in ((9.0, "overconfidence"), (1.6, "underconfidence")):
        found = diagnose(run(learning(seed=1, sharp=sharp), learning(seed=2, sharp=sharp)))
        assert "a temperature of" in finding(found, slug).evidence[0]
        assert finding(found, slug).score > 0.4
    # Logits of 3 give 0.91 to the top class of three, and nine in ten are right: nothing to gain.
    assert not {"overconfidence", "underconfidence"} & set(slugs(diagnose(run()), 0.4))


def test_what_is_printed_is_held_against_what_is_asked():
    asked = run()
    dropped = {
        "loss": asked.train.loss * 1.6,
        "accuracy": asked.train.accuracy - 0.05,
        "val_loss": asked.validation.loss,
        "val_accuracy": asked.validation.accuracy,
    }
    found = diagnose(asked, printed=dropped)
    assert found.best.slug == "train-mode-penalty"
    assert "1.60 times" in " ".join(found.best.evidence)
    lagging = dropped | {"loss": asked.train.loss / 4, "accuracy": np.minimum(asked.train.accuracy + 0.2, 1)}
    layers = {"layers": ["Dense", "BatchNormalization", "Dropout", "Dense"]}
    found = diagnose(run(settings=layers), printed=lagging)
    assert found.best.slug == "batch-norm-statistics"
    assert "dropout-batch-norm-shift" not in slugs(found, 0.3)  # its dropout comes after
    before = diagnose(run(settings={"layers": ["Dropout", "BatchNormalization"]}), printed=lagging)
    assert {"batch-norm-statistics", "dropout-batch-norm-shift"} <= set(slugs(before, 0.8))
    none = diagnose(run(settings={"layers": ["Dense"]}), printed=lagging)
    assert "batch-norm-statistics" not in slugs(none, 0.3)


def test_what_costs_as_much_when_asked_again_speaks_against_two_ways():
    asked = run()
    curves = {"loss": asked.train.loss * 1.02, "accuracy": asked.train.accuracy}
    curves |= {"val_loss": asked.train.loss * 0.5, "val_accuracy": asked.train.accuracy + 0.02}
    told = finding(diagnose(asked, printed=curves), "train-mode-penalty")  # as the curves say
    assert "asked after the epoch in inference mode" in told.against[-1]
    assert told.score < 0.35


def test_steps_that_were_recorded_are_what_training_printed():
    asked = run()
    steps = StepHistory(
        np.repeat(asked.train.loss * 1.6, 2), np.full(2 * EPOCHS, 150), np.full(2 * EPOCHS, 200), steps_per_epoch=2
    )
    found = diagnose(run(steps=steps))
    assert "train-mode-penalty" in slugs(found, 0.5)
    assert "batches reported" in found.log.notes[0]


def test_classes_that_training_never_sees_are_counted():
    train = learning(labels=np.repeat([0, 1], 200))
    validation = learning(labels=np.repeat([1, 2], 200), seed=2)
    found = diagnose(run(train, validation))
    assert "50% of the validation samples" in " ".join(finding(found, "unshuffled-validation-split").evidence)
    shares = learning(labels=np.repeat([0, 1, 2], [300, 60, 40]), seed=2)
    assert "shares of the classes differ" in " ".join(
        finding(diagnose(run(None, shares)), "unshuffled-validation-split").evidence
    )
    assert "unshuffled-validation-split" not in slugs(diagnose(run()))


def test_one_answer_for_all_is_told_from_learning():
    rare = np.repeat([0, 1], [370, 30])
    always = np.zeros(400, dtype=int)
    train = learning(labels=rare, rows=always, classes=2)
    validation = learning(labels=rare, rows=always, classes=2, seed=2)
    found = diagnose(run(train, validation))
    assert found.best.slug == "class-imbalance"
    assert "called class 0, which 92.5% of them are" in found.best.evidence[0]
    compact = diagnose(run(train, validation).compact())
    assert compact.best.slug == "class-imbalance"  # correctness is enough
    even = np.repeat([0, 1], 200)
    flat = diagnose(
        run(learning(labels=even, rows=always, classes=2), learning(labels=even, rows=always, classes=2, seed=2))
    )
    assert flat.best.slug == "constant-predictor"


def test_wrong_answers_with_all_the_probability_are_saturated():
    found = diagnose(run(learning(sharp=60.0), learning(seed=2, sharp=60.0)))
    assert "saturated-outputs" in slugs(found, 0.7)
    assert "saturated-outputs" not in slugs(diagnose(run()))


def test_a_plateau_is_known_by_samples_that_do_not_cross():
    truth, logits = learning(seed=5)
    fixed = np.linspace(0.5, 1.5, EPOCHS)[:, None, None] * logits[5]
    found = finding(diagnose(run((truth, fixed))), "threshold-plateau")
    assert "no training sample changes sides" in found.evidence[0]


def test_answers_that_became_wrong_are_held_against_chance():
    truth, logits = learning(seed=6, sharp=6.0)
    grown = np.linspace(1.5, 4, 6)[:, None, None]
    right, wrong = (np.flatnonzero((logits[5].argmax(axis=-1) == truth) == flag) for flag in (True, False))
    for lost, gained, sure in ((60, 0, True), (60, 42, False)):
        turned = logits.copy()
        turned[6:] = logits[5] * grown  # ever surer of the same answers
        turned[6:, right[:lost]] = 4 * grown * np.eye(3)[(truth[right[:lost]] + 1) % 3]
        turned[6:, wrong[:gained]] = 4 * grown * np.eye(3)[truth[wrong[:gained]]]
        told = finding(diagnose(run(validation=(truth, turned))), "overfitting")
        if sure:
            assert any(f"{lost} validation samples became wrong" in sentence for sentence in told.evidence)
            assert told.score > 0.7
        else:
            assert f"{gained} validation samples became right and {lost} wrong: within chance" in told.against[-1]
            assert told.score < 0.45


def test_classes_that_change_places_are_no_single_answer():
    truth = np.repeat([0, 1, 2], [200, 100, 100])
    swapped = np.where(truth == 0, 0, 3 - truth)  # what is right is class 0, and what is wrong is not called so
    found = diagnose(run(learning(labels=truth, rows=swapped), learning(labels=truth, rows=swapped, seed=2)))
    assert not {"class-imbalance", "constant-predictor"} & set(slugs(found, 0.6))
    compact = TrainingRun(*(history(*learning(labels=truth, rows=swapped, seed=k)).compact() for k in (1, 2)))
    assert not {"class-imbalance", "constant-predictor"} & set(slugs(diagnose(compact), 0.7))  # more, curves say


def test_curves_that_were_not_printed_are_those_of_the_run():
    asked = run()
    log = diagnose(asked, printed={"loss": asked.train.loss}).log
    np.testing.assert_allclose(log.validation_loss, asked.validation.loss)
    np.testing.assert_allclose(log.validation_accuracy, asked.validation.accuracy)
    np.testing.assert_allclose(log.accuracy, asked.train.accuracy)


# What speaks against ------------------------------------------------------------------------------------------------


def objections(training, **given):
    evidence = _recorded(training, None, None, given.get("printed"), given.get("inputs"))
    return {objection.__name__: made for objection in OBJECTIONS if (made := objection(evidence)) is not None}


def test_what_a_sound_training_speaks_against_is_told():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(800, 5))
    told = objections(run(settings={"layers": ["Dense"]}), inputs=(rows[:400], rows[400:]))
    assert set(told) == {
        "no_such_layer",
        "no_dropout_first",
        "right_temperature",
        "several_answers",
        "same_labels",
        "neighbours_of_either_part",
    }
    assert "confidence is not what is wrong" in told["right_temperature"].says
    assert told["same_labels"].slugs == ("unshuffled-validation-split",)
    assert told["neighbours_of_either_part"].slugs == ("distribution-shift",)
    assert "constant-predictor" in told["several_answers"].slugs


def test_what_is_wrong_speaks_against_nothing_of_the_kind():
    one = np.zeros(400, dtype=int)
    rare = np.repeat([0, 1], [370, 30])
    parts = [learning(labels=rare, rows=one, classes=2, sharp=9.0, seed=k) for k in (1, 2)]
    other = learning(labels=np.repeat([0, 1], 200), rows=one, classes=2, sharp=9.0, seed=2)
    told = objections(run(parts[0], other))
    assert not {"several_answers", "same_labels", "right_temperature"} & set(told)


# Rows ---------------------------------------------------------------------------------------------------------------


def digits():
    return train_test_split(load_digits().data, test_size=400, random_state=0)


def test_copies_are_found_and_named():
    train, validation = digits()
    generator = np.random.default_rng(0)
    taken, place = [11, 222, 777], [5, 17, 250]
    validation[place] = train[taken] + generator.normal(scale=1e-3, size=(3, 64))
    found = compare_rows(train, validation)
    assert found.copies.tolist() == place
    assert found.originals.tolist() == taken
    train, validation = digits()
    inputs = (train[:400], np.concatenate([train[:20], validation[:380]]))
    told = finding(diagnose(run(), inputs=inputs), "leakage")
    assert "20 of 400 validation samples" in told.evidence[0]
    assert "leakage" not in slugs(diagnose(run(), inputs=(train[:400], train[400:800])))


def test_parts_drawn_alike_are_not_told_apart_and_others_are():
    generator = np.random.default_rng(1)
    for shape in ((200, 3), (90, 8, 8, 1)):
        deviations = [
            compare_rows(generator.normal(size=shape), generator.normal(size=shape)).deviations for _ in range(100)
        ]
        assert abs(np.mean(deviations)) < 0.5
        assert np.max(deviations) < 4
    train, validation = digits()
    noisy = 0.7 * validation + generator.normal(scale=3, size=validation.shape)
    assert compare_rows(train, noisy).deviations > 6
    found = diagnose(run(), inputs=(train[:400], 0.7 * train[400:800] + generator.normal(scale=3, size=(400, 64))))
    assert "distribution-shift" in slugs(found, 0.7)


def test_rows_that_cannot_be_compared_say_so():
    for pair, says in (
        ((np.zeros((5, 2)), np.zeros((5, 3))), "one width"),
        ((np.zeros(5), np.zeros((5, 3))), r"training inputs must have shape \(sample"),
        ((np.zeros((5, 3)), np.full((5, 3), np.nan)), "validation inputs must be finite"),
    ):
        with pytest.raises(ValueError, match=says):
            compare_rows(*pair)
    same = compare_rows(np.ones((5, 2)), np.ones((4, 2)))  # no distance at all
    assert len(same.copies) == 4


def test_every_rule_and_objection_says_what_it_looks_for():
    names = [one.__name__ for one in (*SAMPLE_RULES, *OBJECTIONS)]
    assert len(set(names)) == len(names)
    assert all(one.__doc__ for one in (*SAMPLE_RULES, *OBJECTIONS))

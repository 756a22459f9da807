"""Temperatures are the best there are, and reliability diagrams are scikit-learn's; nothing is fitted to its judge."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss as sklearn_log_loss

from lossacc_helpers import at_temperature, fit_temperature, log_loss, reliability, split_loss
from lossacc_helpers.calibration import calibration_error_by_chance


def problem(seed=0, samples=400, classes=5, boldness=3.0):
    """Labels drawn from a softmax, and its logits exaggerated: the best temperature is near the boldness."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, (samples, classes))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([generator.choice(classes, p=row) for row in chances])
    return labels, boldness * logits


def by_scipy(labels, logits):
    def loss(log_b):
        scaled = logits * math.exp(log_b)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        return np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(labels)), labels])

    found = minimize_scalar(loss, bounds=(-8, 8), method="bounded", options={"xatol": 1e-10})
    return math.exp(-found.x), found.fun


@pytest.mark.parametrize("boldness", [0.2, 1.0, 3.0, 40.0])
@pytest.mark.parametrize("classes", [2, 5, 30])
def test_the_temperature_is_the_one_scipy_finds(boldness, classes):
    labels, logits = problem(seed=classes, classes=classes, boldness=boldness)
    fit, (temperature, loss) = fit_temperature(labels, logits), by_scipy(labels, logits)
    assert fit.temperature == pytest.approx(temperature, rel=1e-4)
    assert fit.loss == pytest.approx(loss, abs=1e-9)
    assert 0 <= fit.gap <= 1e-9
    assert fit.temperature == pytest.approx(boldness, rel=0.35)


def test_the_temperature_is_the_one_scikit_learn_finds():
    labels, logits = problem(classes=3)
    model = LogisticRegression().fit(np.eye(3), [0, 1, 2])
    model.coef_, model.intercept_ = np.eye(3), np.zeros(3)  # its decision is what it is given
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(logits, labels)
    fit = fit_temperature(labels, logits)
    expected = calibrated.predict_proba(logits)
    np.testing.assert_allclose(np.exp(at_temperature(logits, fit.temperature)), expected, atol=1e-3)
    assert fit.loss == pytest.approx(sklearn_log_loss(labels, expected), abs=1e-6)


def test_a_temperature_by_hand():
    # Three of four right at 0.9 each. Calibrated they would be answered with 3/4: odds of 3 = 9^(1/2).
    fit = fit_temperature([0, 0, 0, 1], np.log([[0.9, 0.1]] * 4))
    assert fit.temperature == pytest.approx(2)
    assert fit.loss == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert fit.loss_before == pytest.approx(-0.75 * math.log(0.9) - 0.25 * math.log(0.1))


def test_predictions_that_mislead_are_best_ignored():
    fit = fit_temperature([1, 1, 0], np.log([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]]))
    assert fit.temperature == math.inf
    assert fit.loss == pytest.approx(math.log(2))


@given(st.integers(0, 10_000))
def test_no_other_temperature_is_better_than_the_certificate_says(seed):
    generator = np.random.default_rng(seed)
    labels, logits = problem(seed, samples=generator.integers(2, 40), boldness=10 ** generator.uniform(-1.5, 1.5))
    assume((logits.argmax(axis=1) != labels).any())
    fit = fit_temperature(labels, logits)
    for temperature in 10 ** generator.uniform(-3, 3, 50):
        assert log_loss(labels, np.exp(at_temperature(logits, temperature))) >= fit.loss - fit.gap - 1e-12


def test_scaling_changes_no_answer_and_is_a_softmax_of_divided_logits():
    labels, logits = problem()
    for temperature in (0.1, 1.0, 7.0):
        scaled = at_temperature(logits, temperature)
        np.testing.assert_array_equal(scaled.argmax(axis=1), logits.argmax(axis=1))
        odds = np.exp(logits / temperature)
        np.testing.assert_allclose(np.exp(scaled), odds / odds.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(np.exp(at_temperature(logits, math.inf)), 0.2)
    np.testing.assert_allclose(at_temperature(logits + labels[:, None], 1), at_temperature(logits, 1), atol=1e-12)


def test_temperatures_broadcast_over_leading_axes():
    _, logits = problem(samples=6)
    both = at_temperature(np.stack([logits, logits]), [1.0, 2.0])
    np.testing.assert_array_equal(both[1], at_temperature(logits, 2.0))


def test_a_class_that_is_impossible_stays_so():
    logs = np.array([[0.0, -np.inf, -1.0], [0.0, -2.0, -np.inf], [-1.0, 0.0, -3.0]])
    assert np.exp(at_temperature(logs, 5))[0, 1] == 0
    assert np.exp(at_temperature(logs, np.inf))[0].tolist() == [0.5, 0, 0.5]
    fit = fit_temperature([2, 0, 1], logs)
    assert fit.temperature == pytest.approx(by_scipy(np.array([2, 0, 1]), np.where(np.isinf(logs), -1e6, logs))[0])


def test_half_precision_and_many_classes():
    labels, logits = problem(samples=3000, classes=1500)
    fit = fit_temperature(labels, logits.astype(np.float32))
    assert fit.temperature == pytest.approx(by_scipy(labels, logits)[0], rel=1e-3)


# Two halves


def test_each_half_is_judged_at_the_temperature_of_the_other():
    labels, logits = problem(samples=301)
    found = split_loss(labels, logits, seed=7)
    half = np.zeros(301, dtype=bool)
    half[np.random.default_rng(7).permutation(301)[:150]] = True
    total = 0.0
    for chosen, temperature in zip((half, ~half), found.temperatures, strict=True):
        assert temperature == pytest.approx(by_scipy(labels[chosen], logits[chosen])[0], rel=1e-4)
        rest = np.exp(at_temperature(logits[~chosen], temperature))
        total += (~chosen).sum() * sklearn_log_loss(labels[~chosen], rest, labels=range(5))
    assert found.calibrated == pytest.approx(total / 301)
    assert found.loss == pytest.approx(log_loss(labels, np.exp(at_temperature(logits, 1))))
    assert found.excess == pytest.approx(found.loss - found.calibrated)
    assert found.excess > 0.3


def test_calibrated_predictions_have_no_excess_but_chance():
    excess = [split_loss(*problem(seed, boldness=1.0)).excess for seed in range(20)]
    assert max(map(abs, excess)) < 0.03
    assert min(excess) < 0  # fitting cannot help on samples it has not seen, and may harm


def test_groups_stay_together():
    labels, logits = problem(samples=60)
    copies = np.repeat(np.arange(60), 2)
    found = split_loss(labels[copies], logits[copies], groups=copies, seed=1)
    expected = split_loss(labels, logits, seed=1)
    assert found.temperatures == pytest.approx(expected.temperatures)
    assert found.calibrated == pytest.approx(expected.calibrated)


# Reliability


@pytest.mark.parametrize("equal_counts", [False, True])
def test_the_diagram_is_scikit_learns(equal_counts):
    generator = np.random.default_rng(0)
    confidence = 0.5 + 0.5 * generator.random(500)
    right = generator.random(500) < confidence**2
    found = reliability(right, confidence, bins=10, equal_counts=equal_counts)
    strategy = "quantile" if equal_counts else "uniform"
    accuracy, mean = calibration_curve(right, confidence, n_bins=10, strategy=strategy)
    filled = found.counts > 0
    np.testing.assert_allclose(found.accuracy[filled], accuracy)
    np.testing.assert_allclose(found.confidence[filled], mean)
    assert np.isnan(found.accuracy[~filled]).all()
    assert found.counts.sum() == 500


def test_the_expected_calibration_error_by_hand():
    # (0.6, 0.8]: two at 0.7 and 0.8, one right: |0.5 - 0.75|. (0.8, 1]: 0.9, right: 0.1. (0.2, 0.4]: 0.4, wrong.
    found = reliability([True, False, True, False], [0.7, 0.8, 0.9, 0.4], bins=5)
    assert found.counts.tolist() == [0, 1, 0, 2, 1]
    assert found.error == pytest.approx((2 * 0.25 + 0.1 + 0.4) / 4)
    assert found.overconfidence == pytest.approx(0.7 - 0.5)
    low, high = found.interval()
    assert np.isnan(low[[0, 2]]).all()
    assert (low[[1, 3, 4]] <= found.accuracy[[1, 3, 4]]).all()
    assert (high[[1, 3, 4]] >= found.accuracy[[1, 3, 4]]).all()


def test_a_confidence_of_zero_or_one_has_a_bin():
    assert reliability([True, False], [1.0, 0.0], bins=4).counts.tolist() == [1, 0, 0, 1]
    assert reliability([True, False], [0.5, 0.5], bins=4, equal_counts=True).counts.sum() == 2


def test_chance_alone_makes_an_error():
    # Fifty answers at a confidence of one half: |k / 50 - 1/2| for a binomial k has a mean of 0.0561.
    errors = calibration_error_by_chance(np.full(50, 0.5), bins=10, draws=4000)
    share = np.arange(51) / 50
    chances = np.array([math.comb(50, k) for k in range(51)]) / 2**50
    assert errors.mean() == pytest.approx(np.sum(chances * np.abs(share - 0.5)), abs=0.003)
    assert (errors >= 0).all()
    more = calibration_error_by_chance(np.full(5000, 0.5), bins=10)
    assert more.mean() < errors.mean() / 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: at_temperature([[0.0, 2.0]], 0), r"temperature must be more than 0; got 0 \(1 changes nothing"),
        (lambda: at_temperature([[0.0, 2.0]], [1, -2]), "temperature must be more than 0; got -2"),
        (lambda: at_temperature([[0.0, 2.0]], 1e-310), "temperature must be more than 0; got 1e-310"),
        (lambda: at_temperature([[0.0, 2.0]], [1, 2]), r"one number or fit the leading axes \(\); got shape \(2,\)"),
        (lambda: fit_temperature([0, 1], [[0.9, 0.1], [0.4, 0.6]]), r"these are probabilities: no number is below 0"),
        (lambda: fit_temperature([1, 0], np.log([[0.5, 0.5]] * 2)), "in every row all classes are alike"),
        (lambda: split_loss([0, 1], [[2.0, 0.0], [0.0, 2.0]]), "in the first of the two halves, 1 samples: every"),
        (lambda: at_temperature([[0.0, math.nan]], 1), "must be finite or -inf; got nan at sample 0, class 1"),
        (lambda: at_temperature([[0.0, 0.0], [-math.inf] * 2], 1), "must not be -inf throughout; sample 1 is"),
        (lambda: at_temperature([0.0, 1.0], 1), r"must have shape \(\.\.\., sample, class\)"),
        (lambda: fit_temperature([], np.zeros((0, 3))), "log_probabilities must hold at least one"),
        (lambda: fit_temperature([0, 1], np.zeros((1, 2, 2))), r"must have shape \(sample, class\); got \(1, 2, 2\)"),
        (
            lambda: fit_temperature([0, 1], [[2.0, 0.0], [0.0, 2.0]]),
            r"every sample is answered right \(ties count\), so the loss",
        ),
        (lambda: fit_temperature([0, 1], [[-math.inf, 0.0]] * 2), "sample 0's class has probability 0"),
        (lambda: fit_temperature([0, 2], np.zeros((2, 2))), r"labels must lie in 0\.\.1"),
        (lambda: split_loss([0], [[0.0, 2.0]]), "two groups of samples at least, one for each half; got 1"),
        (lambda: split_loss([0, 1], np.zeros((2, 2)), groups=[1]), r"groups must have shape \(sample,\) = \(2,\)"),
        (lambda: reliability([], []), "correct must hold at least one sample"),
        (lambda: reliability([1, 0], [0.5, 0.5]), "correct must be booleans, one a sample; got int64"),
        (lambda: reliability([True], [0.5, 0.5]), r"share the shape \(sample,\); got \(1,\) and \(2,\)"),
        (lambda: reliability([True], [1.5]), r"confidence must lie in \[0, 1\]; got 1.5 at sample 0"),
        (lambda: reliability([True], [0.5], bins=0), "bins must be"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

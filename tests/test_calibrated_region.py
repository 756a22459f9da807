"""What calibrated predictions permit: no calibrated population leaves the region, and each edge is touched."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossacc_helpers import attainable_accuracy, calibrated_accuracy, calibrated_loss, least_miscalibration
from lossacc_helpers.intervals import wilson_interval


def population(rows, shares):
    """The loss and the accuracy of calibrated rows that occur in these shares, by their definitions."""
    loss = -sum(share * sum(p * math.log(p) for p in row if p > 0) for row, share in zip(rows, shares, strict=True))
    return loss, sum(share * max(row) for row, share in zip(rows, shares, strict=True))


@st.composite
def populations(draw):
    classes, kinds = draw(st.integers(2, 6)), draw(st.integers(1, 5))
    positive = st.floats(0, 1).map(lambda x: x**3 + 1e-9)
    rows = [draw(st.lists(positive, min_size=classes, max_size=classes)) for _ in range(kinds)]
    shares = draw(st.lists(positive, min_size=kinds, max_size=kinds))
    return [[p / sum(row) for p in row] for row in rows], [share / sum(shares) for share in shares]


@given(populations())
def test_no_calibrated_population_leaves_the_region(case):
    rows, shares = case
    loss, accuracy = population(rows, shares)
    for classes in (len(rows[0]), len(rows[0]) + 3, None):
        least, greatest = calibrated_loss(accuracy, classes=classes)
        assert least - 1e-9 <= loss <= greatest + 1e-9
        low, high = calibrated_accuracy(loss, classes=classes)
        assert low - 1e-9 <= accuracy <= high + 1e-9
    assert accuracy >= math.exp(-loss) - 1e-9
    assert least_miscalibration(loss, accuracy, classes=len(rows[0])) <= 1e-9


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("wrong", [0.0, 0.1, 0.25, 0.45])
def test_a_constant_confidence_meets_the_upper_edge(classes, wrong):
    row = [1 - wrong, *[wrong / (classes - 1)] * (classes - 1)]
    loss, accuracy = population([row], [1.0])
    assert calibrated_loss(accuracy, classes=classes)[1] == pytest.approx(loss, abs=1e-12)
    assert calibrated_accuracy(loss, classes=classes)[1] == pytest.approx(accuracy, abs=1e-9)


@pytest.mark.parametrize("alike", range(1, 10))
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_rows_spread_evenly_meet_the_lower_edge(alike, share):
    rows = [[1 / count] * count + [0.0] * (10 - count) for count in (alike, alike + 1)]
    loss, accuracy = population(rows, [1 - share, share])
    assert calibrated_loss(accuracy, classes=10)[0] == pytest.approx(loss, abs=1e-9)
    assert calibrated_accuracy(loss, classes=10)[0] == pytest.approx(accuracy, abs=1e-9)
    assert calibrated_accuracy(loss)[0] == pytest.approx(accuracy, abs=1e-9)


def test_by_hand():
    # Two classes: 2 ln 2 err below, the binary entropy above.
    least, greatest = calibrated_loss(0.9, classes=2)
    assert least == pytest.approx(0.2 * math.log(2))
    assert greatest == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1))
    assert calibrated_loss(1.0, classes=2) == (0, 0)
    assert calibrated_loss(1.0) == (0, 0)
    assert calibrated_loss(0.9)[1] == math.inf
    assert calibrated_accuracy(0.0, classes=5) == (1, pytest.approx(1))
    assert calibrated_accuracy(math.log(5), classes=5) == (pytest.approx(0.2), pytest.approx(0.2))
    assert calibrated_loss(0.2, classes=5) == (pytest.approx(math.log(5)), pytest.approx(math.log(5)))
    assert calibrated_loss(0.33333, classes=3)[0] == pytest.approx(math.log(3), abs=1e-4)  # printed, a little below 1/3


@given(st.floats(0, math.log(10)))
def test_the_region_lies_within_that_of_any_predictions(loss):
    low, high = calibrated_accuracy(loss, classes=10)
    least, greatest = attainable_accuracy(loss, classes=10)
    assert least - 1e-12 <= low <= high + 1e-9
    assert high <= greatest + 1e-9


def test_arrays_keep_their_shape():
    losses = np.linspace(0, 1, 6).reshape(2, 3)
    for part in (*calibrated_accuracy(losses, classes=4), *calibrated_loss(1 - losses / 2, classes=4)):
        assert part.shape == (2, 3)
    assert isinstance(calibrated_accuracy(0.5)[0], np.float64)


def test_two_printed_numbers_prove_miscalibration():
    # SCIENCE: C = 2, L = 0.746, a = 0.854: h(0.146) = 0.4158.
    entropy = -0.146 * math.log(0.146) - 0.854 * math.log(0.854)
    assert least_miscalibration(0.746, 0.854, classes=2, decimals=12) == pytest.approx(0.746 - entropy)
    assert least_miscalibration(0.3, 0.854, classes=2) == 0
    # Timid predictions exceed it as well as bold ones: ten classes, 0.9 right, 2.0 nats.
    timid = 2.0 + 0.9 * math.log(0.9) + 0.1 * math.log(0.1 / 9)
    assert least_miscalibration(2.0, 0.9, classes=10, decimals=12) == pytest.approx(timid)


def test_rounding_proves_nothing():
    # Calibrated: an error of 4.4e-5 costs 0.00049 nats, printed as 0.0005 and 1.0000; or 0.03 and 1.00.
    assert least_miscalibration(0.0005, 1.0, classes=2) == 0
    assert least_miscalibration(0.0005, 1.0, classes=2, decimals=8) > 0
    assert least_miscalibration(0.03, 1.0, classes=2, decimals=2) == 0
    generator = np.random.default_rng(0)
    for wrong in 10 ** generator.uniform(-6, -0.4, 300):
        loss = -wrong * math.log(wrong) - (1 - wrong) * math.log(1 - wrong)
        for decimals in (2, 3, 4):
            printed = round(loss, decimals), round(1 - wrong, decimals)
            assert least_miscalibration(*printed, classes=2, decimals=decimals) == 0


def test_losses_beyond_any_number_of_classes_are_no_trouble():
    with np.errstate(all="raise", under="ignore"):
        least, greatest = calibrated_accuracy([13.999, 14.001, 50.0, 700.0])
        np.testing.assert_allclose(least, np.exp([-13.999, -14.001, -50.0, -700.0]), rtol=1e-5)
        assert (greatest == 1).all()
        np.testing.assert_allclose(calibrated_loss([1e-5, 1e-7, 1e-300])[0], -np.log([1e-5, 1e-7, 1e-300]), rtol=1e-5)


def test_few_samples_prove_less():
    low, _ = wilson_interval(0.854, 500)
    entropy = -low * math.log(low) - (1 - low) * math.log(1 - low)
    found = least_miscalibration(0.746, 0.854, classes=2, samples=500, standard_error=0.05, decimals=12)
    assert found == pytest.approx(0.746 - 1.959964 * 0.05 - entropy, abs=1e-6)
    assert least_miscalibration(0.746, 0.854, classes=2, samples=10, standard_error=0.35) == 0
    # An interval around the accuracy of chance permits all that chance may cost.
    assert least_miscalibration(0.75, 0.45, classes=2, samples=100, decimals=12) == pytest.approx(0.75 - math.log(2))


def test_calibrated_predictions_are_rarely_accused():
    generator = np.random.default_rng(0)
    confidence = 0.5 + 0.5 * generator.random((2000, 200))
    right = generator.random(confidence.shape) < confidence
    losses = -np.log(np.where(right, confidence, 1 - confidence))
    errors = losses.std(axis=1) / math.sqrt(200)
    options = {"classes": 2, "samples": 200, "standard_error": errors}
    assert np.mean(least_miscalibration(losses.mean(axis=1), right.mean(axis=1), **options) > 0) < 0.01
    bold = np.where(right, 0.999, 0.001)
    bold_losses = -np.log(bold)
    options["standard_error"] = bold_losses.std(axis=1) / math.sqrt(200)
    assert np.mean(least_miscalibration(bold_losses.mean(axis=1), right.mean(axis=1), **options) > 0) > 0.99


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibrated_loss(0.3, classes=3), "have an accuracy of 1/3 or more; got 0.3"),
        (lambda: calibrated_loss(0.0), "have an accuracy of more than 0; got 0"),
        (lambda: calibrated_loss(1.1), r"accuracy must lie in \[0, 1\]; got 1.1"),
        (lambda: calibrated_accuracy(1.2, classes=3), r"a loss of ln 3 = 1.0986 at most; got 1.2"),
        (lambda: calibrated_accuracy([0.1, -0.1]), "loss must be 0 or more, and finite; got -0.1"),
        (lambda: calibrated_accuracy(math.inf), "loss must be 0 or more, and finite; got inf"),
        (lambda: calibrated_loss(0.5, classes=1), "classes must be"),
        (lambda: least_miscalibration(math.nan, 0.5, classes=2), "loss must be 0 or more, and finite; got nan"),
        (lambda: least_miscalibration(1, 0.5, classes=2, standard_error=-1), "standard_error must be 0 or more"),
        (lambda: least_miscalibration(1, 0.5, classes=2, samples=0), "samples must be"),
        (lambda: least_miscalibration(1, 0.5, classes=2, confidence=1), "confidence must"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

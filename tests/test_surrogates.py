"""Surrogates are the losses that scikit-learn and closed forms know, and are what is said of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import hinge_loss, log_loss, zero_one_loss

from lossacc_helpers.surrogates import SURROGATES, smoothed_zero_one, zero_one

MARGINS = np.linspace(-4, 4, 801)  # 0 and 1, where some have a kink, among them
ALL = pytest.mark.parametrize("one", SURROGATES.values(), ids=list(SURROGATES))


def test_means_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    signs, scores = np.where(generator.random(50) < 0.5, -1, 1), generator.normal(size=50)
    margins = signs * scores
    assert SURROGATES["hinge"].value(margins).mean() == pytest.approx(hinge_loss(signs, scores))
    probabilities = 1 / (1 + np.exp(-scores))
    assert SURROGATES["log"].value(margins).mean() * np.log(2) == pytest.approx(log_loss(signs, probabilities))
    assert zero_one(margins).mean() == pytest.approx(zero_one_loss(signs, np.sign(scores)))


@ALL
def test_a_slope_is_what_the_value_rises_by(one):
    smooth = MARGINS[(np.abs(MARGINS) > 0.01) & (np.abs(MARGINS - 1) > 0.01)]
    rises = (one.value(smooth + 1e-6) - one.value(smooth - 1e-6)) / 2e-6
    np.testing.assert_allclose(one.slope(smooth), rises, rtol=1e-5, atol=1e-7)


@ALL
def test_what_is_said_of_it_holds(one):
    values = one.value(MARGINS)
    assert one.convex == bool((np.diff(values, 2) > -1e-9).all())
    assert one.bounds_errors == bool((values >= zero_one(MARGINS) - 1e-12).all())


@ALL
def test_calibration_is_found_again_by_minimising_the_expected_loss(one):
    """By Bartlett's definition: the best score has the sign of the likelier class, whatever its chance."""
    scores = np.linspace(-30, 30, 60_001)
    signs = []
    for chance in (0.02, 0.3, 0.45, 0.55, 0.7, 0.98):
        expected = chance * one.value(scores) + (1 - chance) * one.value(-scores)
        best = scores[expected <= expected.min() + 1e-12]
        signs.append(bool((best * (chance - 0.5) > 0).all()))
    if one.calibrated is None:
        assert not one.convex
    else:
        assert all(signs) == one.calibrated


@ALL
def test_great_margins_of_either_sign_are_no_trouble(one):
    if one.name != "exponential":  # which overflows, as it should
        assert np.isfinite(one.value([-1e4, 1e4])).all()
        assert np.isfinite(one.slope([-1e4, 1e4])).all()


@given(st.floats(-5, 5), st.floats(0.3, 100))
def test_the_smoothed_step_is_a_sigmoid(margin, sharpness):
    assert smoothed_zero_one([margin], sharpness)[0] == pytest.approx(1 / (1 + np.exp(margin * sharpness)))


def test_the_smoothed_step_becomes_the_step():
    margins = MARGINS[MARGINS != 0]
    np.testing.assert_allclose(smoothed_zero_one(margins, 1e4), zero_one(margins), atol=1e-12)


@pytest.mark.parametrize("sharpness", [0, -1, np.nan, np.inf])
def test_no_sharpness_is_refused(sharpness):
    with pytest.raises(ValueError, match="sharpness must be finite and above 0"):
        smoothed_zero_one([0.0], sharpness)


def test_kinks_have_the_slope_to_their_right_and_a_margin_of_0_is_an_error():
    assert SURROGATES["hinge"].slope([1.0]).tolist() == [0.0]
    assert SURROGATES["perceptron"].slope([0.0]).tolist() == [0.0]
    assert zero_one([0.0]).tolist() == [1.0]


def test_a_margin_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="margins must not be NaN"):
        zero_one([np.nan])


def test_margins_must_be_numbers():
    with pytest.raises(ValueError, match="margins"):
        SURROGATES["hinge"].value(["a"])

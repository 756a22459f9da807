"""Intervals agree with closed forms and published numbers, and cover what they promise."""

import math
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from lossacc_helpers.intervals import (
    accuracy_change_interval,
    accuracy_difference_interval,
    accuracy_standard_error,
    bootstrap_loss_interval,
    wilson_interval,
)


@pytest.mark.parametrize(("share", "samples", "error"), [(0.5, 100, 0.05), (0.8, 63, 0.05), (0.65, 136, 0.041)])
def test_standard_errors_of_small_validation_sets(share, samples, error):
    assert accuracy_standard_error(share, samples) == pytest.approx(error, abs=5e-4)


def test_the_standard_error_is_that_of_a_binomial_share():
    assert accuracy_standard_error(0.3, 40) == pytest.approx(stats.binom(40, 0.3).std() / 40, rel=1e-12)
    assert accuracy_standard_error([0.1, 0.5], [[10], [20]]).shape == (2, 2)


@pytest.mark.parametrize(("right", "samples"), [(0, 10), (1, 10), (27, 30), (10, 10), (5000, 9000)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_wilson_limits_are_scipy_s(right, samples, confidence):
    theirs = stats.binomtest(right, samples).proportion_ci(confidence, method="wilson")
    low, high = wilson_interval(right / samples, samples, confidence=confidence)
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(st.floats(0, 1), st.integers(1, 10**6), st.floats(0.01, 0.999))
def test_wilson_limits_hold_the_accuracy_and_stay_within_0_and_1(share, samples, confidence):
    low, high = wilson_interval(share, samples, confidence=confidence)
    assert 0 <= low <= share + 1e-15
    assert share - 1e-15 <= high <= 1


def test_wilson_edges_are_exact_and_arrays_broadcast():
    low, high = wilson_interval([0.0, 1.0], np.arange(1, 2000)[:, None])
    assert low.shape == high.shape == (1999, 2)
    assert (low[:, 0] == 0).all()
    assert (high[:, 1] == 1).all()
    assert (high[:, 0] > 0).all()


def test_the_bootstrap_of_many_light_tailed_losses_is_the_normal_interval():
    losses = np.random.default_rng(1).exponential(size=4000)
    low, high = bootstrap_loss_interval(losses)
    reach = 1.96 * losses.std() / math.sqrt(4000)
    assert low == pytest.approx(losses.mean() - reach, abs=reach / 10)
    assert high == pytest.approx(losses.mean() + reach, abs=reach / 10)


def test_the_bootstrap_s_mean_and_spread_are_those_of_resampling():
    # Two losses, 0 and 1: a resample's mean is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4.
    assert bootstrap_loss_interval([0.0, 1.0], confidence=0.45) == (0.5, 0.5)
    assert bootstrap_loss_interval([0.0, 1.0], confidence=0.55) == (0.0, 1.0)


def test_the_same_resamples_serve_every_leading_index(monkeypatch):
    losses = np.random.default_rng(2).exponential(size=(3, 2, 50))
    low, high = bootstrap_loss_interval(losses, seed=5)
    assert low.shape == high.shape == (3, 2)
    alone = bootstrap_loss_interval(losses[2, 1], seed=5)
    assert (low[2, 1], high[2, 1]) == pytest.approx(alone, rel=1e-12)
    assert bootstrap_loss_interval(losses[0, 0], seed=6) != bootstrap_loss_interval(losses[0, 0], seed=5)
    # Rows are taken in blocks to bound memory: the block's size changes nothing.
    monkeypatch.setattr("lossacc_helpers.intervals._BLOCK", 2000 * 50)
    many = bootstrap_loss_interval(np.repeat(losses[2:, 1], 60, axis=0), seed=5)
    np.testing.assert_allclose(many[0], alone[0], rtol=1e-12)


def test_one_loss_has_an_interval_without_width():
    assert bootstrap_loss_interval([0.7]) == pytest.approx((0.7, 0.7))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wilson_interval(1.2, 10), "accuracy must lie in [0, 1]; got 1.2"),
        (lambda: wilson_interval([0.5, math.nan], 10), "accuracy must lie in [0, 1]; got nan at index 1"),
        (lambda: wilson_interval(0.5, 0), "samples must be a whole number, 1 or more; got 0"),
        (
            lambda: accuracy_difference_interval(0.5, 10, 1.2, 10),
            "second_accuracy must lie in [0, 1]; got 1.2",
        ),
        (
            lambda: accuracy_difference_interval(0.5, 0, 0.5, 10),
            "first_samples must be a whole number, 1 or more; got 0",
        ),
        (lambda: accuracy_standard_error(0.5, 2.5), "samples must be a whole number, 1 or more; got 2.5"),
        (lambda: wilson_interval(0.5, 10, confidence=1), "confidence must lie between 0 and 1; got 1"),
        (lambda: bootstrap_loss_interval([1.0, math.inf]), "losses must be finite; got inf at sample 1"),
        (
            lambda: bootstrap_loss_interval([[1.0, math.nan]]),
            "losses must be finite; got nan at leading index 0, sample 1",
        ),
        (lambda: bootstrap_loss_interval([]), "losses must hold at least one sample"),
        (lambda: bootstrap_loss_interval(0.5), "losses must have shape (..., sample); got the single number 0.5"),
        (lambda: bootstrap_loss_interval([1.0], resamples=0), "resamples must be a whole number, 1 or more; got 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    ("second", "first", "limits"),
    [  # Newcombe (1998), Table II, method 10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_differences_of_accuracies_on_different_samples_have_newcombes_limits(second, first, limits):
    low, high = accuracy_difference_interval(first[0] / first[1], first[1], second[0] / second[1], second[1])
    assert (low, high) == pytest.approx(limits, abs=5e-5)


def flags(gained: int, lost: int, stayed_right: int, stayed_wrong: int) -> tuple[np.ndarray, np.ndarray]:
    counts = [gained, lost, stayed_right, stayed_wrong]
    return np.repeat([False, True, True, False], counts), np.repeat([True, False, True, False], counts)


def test_the_change_on_the_same_samples_by_hand():
    # One sample is added to each side and two to the count: (10 + 1 - 4 - 1) / 102, and the error of that share.
    low, high = accuracy_change_interval(*flags(10, 4, 26, 60))
    change, both = 6 / 102, 16 / 102
    reach = 1.959964 * math.sqrt((both - change**2) / 102)
    assert (low, high) == pytest.approx((change - reach, change + reach), abs=1e-7)


def test_samples_that_stay_right_or_stay_wrong_count_alike():
    assert accuracy_change_interval(*flags(9, 3, 80, 8)) == accuracy_change_interval(*flags(9, 3, 8, 80))


def test_a_change_on_the_same_samples_is_told_from_none_about_where_mcnemars_exact_test_tells_it():
    disagree = []
    for gained in range(31):
        for lost in range(gained):
            low, _ = accuracy_change_interval(*flags(gained, lost, 100, 100))
            p = stats.binomtest(gained, gained + lost).pvalue
            if (low > 0) != (p < 0.05):
                disagree.append(p)
    assert min(disagree) > 0.02  # what disagrees is near the border
    assert max(disagree) < 0.13


@pytest.mark.parametrize("chances", [(0.1, 0.1, 0.4, 0.4), (0.06, 0.02, 0.5, 0.42), (0.3, 0.2, 0.2, 0.3)])
@pytest.mark.parametrize("samples", [50, 400])
def test_the_interval_of_a_change_covers_it_in_95_percent(chances, samples):
    generator = np.random.default_rng(samples)
    kinds = generator.choice(4, p=chances, size=(4000, samples))
    low, high = accuracy_change_interval((kinds == 1) | (kinds == 2), (kinds == 0) | (kinds == 2))
    true = chances[0] - chances[1]
    assert 0.935 < np.mean((low <= true) & (true <= high)) < 0.985  # cautious where few samples change


def test_a_change_is_much_better_known_on_the_same_samples_than_on_others():
    before, after = flags(30, 10, 480, 480)
    low, high = accuracy_change_interval(before, after)
    apart_low, apart_high = accuracy_difference_interval(before.mean(), 1000, after.mean(), 1000)
    assert low > 0
    assert apart_low < 0
    assert (high - low) < 0.35 * (apart_high - apart_low)


def test_leading_axes_are_epochs():
    correct = np.random.default_rng(0).random((5, 60)) < 0.5
    low, high = accuracy_change_interval(correct[:-1], correct[1:])
    assert low.shape == high.shape == (4,)
    assert (low[2], high[2]) == accuracy_change_interval(correct[2], correct[3])


def test_flags_of_other_samples_or_that_are_no_flags_are_refused():
    with pytest.raises(ValueError, match="same samples; got 3 and 4"):
        accuracy_change_interval(np.ones(3, dtype=bool), np.ones(4, dtype=bool))
    with pytest.raises(ValueError, match="before must be booleans"):
        accuracy_change_interval([0.3, 0.5], [True, False])
    with pytest.raises(ValueError, match="after must be booleans"):
        accuracy_change_interval([True, False], [1, 0])
    with pytest.raises(ValueError, match=r"axes of before and after must match; got shapes \(2, 5\) and \(3, 5\)"):
        accuracy_change_interval(np.ones((2, 5), dtype=bool), np.ones((3, 5), dtype=bool))


@given(st.tuples(*[st.integers(0, 40)] * 4).filter(any), st.floats(0.01, 1 - 1e-9))
@example((1, 0, 0, 0), 0.95)  # 1.4 before it is cut off
def test_the_limits_of_a_change_are_changes_that_there_can_be(counts, confidence):
    before, after = flags(*counts)
    low, high = accuracy_change_interval(before, after, confidence=confidence)
    assert -1 <= low < high <= 1
    back = accuracy_change_interval(after, before, confidence=confidence)
    assert (-back[1], -back[0]) == pytest.approx((low, high), abs=1e-12)
    observed = after.mean() - before.mean()
    assert confidence < 0.9 or low - 1e-12 <= observed <= high + 1e-12


def test_a_confidence_next_to_1_gives_an_interval_and_not_an_error():
    almost_sure = 1 - 1e-16
    low, high = wilson_interval(0.5, 100, confidence=almost_sure)
    assert 0 < low < wilson_interval(0.5, 100, confidence=0.999)[0] < high < 1


def test_any_number_of_samples_is_counted():
    with np.errstate(over="raise", invalid="raise"):
        assert wilson_interval(0.5, 1e200) == pytest.approx((0.5, 0.5))

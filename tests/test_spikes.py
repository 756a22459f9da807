"""Spikes are told from falls, steps and levels, and what pays for one is found; held against hand arithmetic."""

import math
import re
import statistics
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lossacc_helpers.spikes import find_spikes, jump_share, mean_rise, times_neighbours, worst_count, worst_samples

# Quarters: sums and medians of them are exact, and ties are frequent.
QUARTERS = st.integers(0, 40).map(lambda number: number / 4)
CURVES = hnp.arrays(np.float64, st.integers(3, 15), elements=QUARTERS)


def epochs_of(flags):
    return (np.flatnonzero(flags) + 1).tolist()


def by_hand(losses, ratio, reach):
    """The definition, one epoch after the other, in plain Python."""
    flags = [False] * len(losses)
    for epoch in range(1, len(losses) - 1):
        before, after = losses[max(0, epoch - reach) : epoch], losses[epoch + 1 : epoch + 1 + reach]
        flags[epoch] = all(losses[epoch] > ratio * statistics.median(side) for side in (before, after))
    return flags


# What is a spike


@pytest.mark.parametrize(
    ("losses", "spikes"),
    [
        ([1, 1, 1, 2.5, 1, 1, 1], [4]),
        ([1, 1, 1, 1.5, 1, 1, 1], []),
        ([3, 1.2, 0.8, 0.7, 0.65, 0.6, 0.6], []),
        ([2, 1.5, 1.2, 2.4, 0.9, 0.8, 0.75], [4]),
        ([1, 1, 1, 4, 4, 4], []),
        ([4, 4, 4, 1, 1, 1], []),
        ([1, 1, 1, 1, 3, 3, 1, 1, 1, 1], [5, 6]),
        ([1, 1, 1, 1, 3, 3, 3, 1, 1, 1, 1], [6]),
        ([1, 1, 1, 1, 3, 3, 3, 3, 1, 1, 1, 1], []),
        ([1, 3, 1], [2]),
        ([9, 1, 1, 1, 9], []),
        ([0.7, 0.8, 2, 2.4, 2.5, 2.2, 0.9, 0.8], []),
        ([1, 1, math.inf, 1, 1], [3]),
        ([0, 0, 0.25, 0, 0], [3]),
        ([0, 0, 0, 0], []),
    ],
    ids=[
        "one epoch",
        "exactly the ratio",
        "a steep fall",
        "on a fall",
        "a step up",
        "a step down",
        "two epochs",
        "three epochs",
        "a level",
        "the least curve",
        "both ends",
        "a stuck start",
        "infinite",
        "above nothing",
        "nothing",
    ],
)
def test_a_spike_comes_from_below_and_comes_back(losses, spikes):
    assert epochs_of(find_spikes(losses)) == spikes


def test_one_median_of_both_sides_would_take_a_fall_and_a_step_for_spikes():
    """Why the rule has two sides: the plain one, written out, is wrong where ours is right."""

    def plain(losses):
        around = [losses[max(0, k - 3) : k] + losses[k + 1 : k + 4] for k in range(len(losses))]
        return epochs_of([loss > 1.5 * statistics.median(near) for loss, near in zip(losses, around, strict=True)])

    fall, step = [3, 1.2, 0.8, 0.7, 0.65, 0.6, 0.6], [1] * 6 + [4] * 6
    assert plain(fall) == [1, 2]
    assert plain(step) == [7]
    assert not find_spikes(fall).any()
    assert not find_spikes(step).any()


@given(CURVES, st.sampled_from([1.25, 1.5, 2.0]), st.integers(1, 5))
def test_spikes_are_what_the_definition_says_epoch_by_epoch(losses, ratio, reach):
    assert find_spikes(losses, ratio=ratio, reach=reach).tolist() == by_hand(losses.tolist(), ratio, reach)


@given(CURVES, st.sampled_from([2.0**-20, 0.5, 2.0, 2.0**30]))
def test_the_unit_of_the_losses_plays_no_part(losses, unit):
    np.testing.assert_array_equal(find_spikes(losses * unit), find_spikes(losses))


@given(CURVES)
def test_a_curve_read_backwards_has_the_same_spikes(losses):
    np.testing.assert_array_equal(find_spikes(losses[::-1]), find_spikes(losses)[::-1])


@given(CURVES, st.floats(1.01, 4), st.floats(1.01, 4))
def test_a_higher_ratio_leaves_no_other_spikes(losses, one, other):
    few, many = (find_spikes(losses, ratio=ratio) for ratio in (max(one, other), min(one, other)))
    assert not (few & ~many).any()


@given(hnp.arrays(np.float64, 13, elements=QUARTERS))
def test_with_three_neighbours_a_side_every_spike_is_one_by_the_plain_median_too(losses):
    for epoch in np.flatnonzero(find_spikes(losses)[3:-3]) + 3:
        around = np.delete(losses[epoch - 3 : epoch + 4], 3)
        assert losses[epoch] > 1.5 * np.median(around)


def test_every_seed_is_judged_by_itself():
    losses = np.random.default_rng(0).lognormal(0, 0.5, (2, 5, 30))
    together = find_spikes(losses)
    assert together.any()
    for index in np.ndindex(2, 5):
        np.testing.assert_array_equal(together[index], find_spikes(losses[index]))


def test_huge_losses_are_compared_without_a_warning():
    assert epochs_of(find_spikes([1e308, 1e308, 1.7e308, 1e308, 1e308])) == [3]


@pytest.mark.parametrize(
    ("losses", "options", "message"),
    [
        ([1.0, 2.0], {}, "losses must hold at least 3 epochs on their last axis"),
        (1.0, {}, "losses must hold at least 3 epochs"),
        ([], {}, "losses must hold at least 3 epochs on their last axis"),
        (np.empty((2, 0)), {}, "losses must hold at least 3 epochs on their last axis"),
        (
            [1, 1, math.nan, math.nan],
            {},
            "losses must be numbers from 0 up; got nan at epoch 3: give the epochs before it",
        ),
        ([[1, 1, 1], [1, 1, -2]], {}, "got -2.0 at leading index 1, epoch 3: a ratio says nothing about such losses"),
        (["a", "b", "c"], {}, "losses must be numbers; got text"),
        ([1, 1, 1], {"ratio": 1.0}, "ratio must be above 1 and finite; got 1.0"),
        ([1, 1, 1], {"ratio": math.nan}, "ratio must be above 1 and finite; got nan"),
        ([1, 1, 1], {"ratio": math.inf}, "ratio must be above 1 and finite; got inf"),
        ([1, 1, 1], {"reach": 0}, "reach must be a whole number, 1 or more; got 0"),
        ([1, 1, 1], {"reach": 2.5}, "reach must be a whole number, 1 or more; got 2.5"),
    ],
)
def test_what_is_no_curve_is_refused_in_words(losses, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        find_spikes(losses, **options)


@given(CURVES, st.integers(1, 4))
def test_a_spike_is_more_than_the_ratio_times_as_high_as_its_neighbours(losses, reach):
    times = times_neighbours(losses, reach=reach)
    assert np.isnan(times[[0, -1]]).all()
    for epoch in range(1, len(losses) - 1):
        sides = losses[max(epoch - reach, 0) : epoch], losses[epoch + 1 : epoch + 1 + reach]
        higher = max(np.median(side) for side in sides)
        assert times[epoch] == pytest.approx(losses[epoch] / higher if higher else 1.0 if not losses[epoch] else np.inf)


def test_equal_losses_are_as_high_as_their_neighbours_even_at_the_ends_of_all_numbers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert times_neighbours([0, 0, 0])[1] == times_neighbours([math.inf] * 3)[1] == 1
        assert times_neighbours([0, 1, 0])[1] == times_neighbours([1, math.inf, 1])[1] == math.inf


# Who pays for one

BEFORE = [0.25, 0.25, 0.25, 0.5, 1.0]
AFTER = [4.25, 0.25, 1.25, 0.0, 0.5]  # rises: 4, 0, 1, -0.5, -0.5; together 4


def test_the_worst_samples_carry_what_their_rises_add_up_to():
    np.testing.assert_array_equal(jump_share(BEFORE, AFTER, [0.2, 0.4, 0.6, 0.8, 1.0]), [1, 1.25, 1.25, 1.125, 1])
    assert jump_share(BEFORE, AFTER, 0.2) == 1
    assert np.ndim(jump_share(BEFORE, AFTER, 0.2)) == 0


def test_a_share_of_a_sample_counts_as_a_whole_one():
    np.testing.assert_array_equal(jump_share(BEFORE, AFTER, [1e-9, 0.21, 0.39]), [1, 1.25, 1.25])


@pytest.mark.parametrize("count", [7, 14, 28, 29, 55, 57])
def test_a_share_that_is_a_whole_number_of_samples_is_not_rounded_up(count):
    rises = np.arange(100.0)[::-1]
    assert jump_share(np.zeros(100), rises, count / 100) == rises[:count].sum() / rises.sum()


@given(st.integers(1, 500), st.data(), st.sampled_from([np.float16, np.float32, np.float64, float]))
def test_a_share_of_any_float_type_counts_the_samples_it_was_made_of(samples, data, kind):
    count = data.draw(st.integers(1, samples))
    assert worst_count(kind(count / samples), samples) == count
    assert worst_count(float(np.float32(count / samples)), samples) == count


def test_a_share_in_single_precision_carries_no_sample_more():
    assert jump_share(np.zeros(100), np.ones(100), np.float32(0.07)) == 0.07
    assert jump_share(np.zeros(100), np.ones(100), np.float16(0.01)) == 0.01


@pytest.mark.parametrize("order", [[1, 2, 3, 0], [3, 1, 0, 2]])
def test_losses_that_only_change_places_have_not_risen(order):
    losses = np.array([0.1, 0.7, 0.3, 0.2])
    assert mean_rise(losses, losses[order]) == 0
    with pytest.raises(ValueError, match="the mean loss did not rise: it changed by 0"):
        jump_share(losses, losses[order], [0.3, 0.6])


def test_a_rise_within_rounding_is_none():
    assert mean_rise([0.3, 5.0], [0.1 + 0.2, 5.0]) == 0
    assert mean_rise([0.3, 5.0], [0.3, 5.0 + 1e-9]) == pytest.approx(5e-10, rel=1e-5)
    assert mean_rise([1.0, 2.0], [0.5, 2.0]) == -0.25


def test_huge_losses_have_a_sum_and_nobody_is_warned():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(jump_share(np.zeros(3), np.full(3, 1e308), [0.3, 1]), [1 / 3, 1])
        assert mean_rise(np.zeros(3), np.full(3, 1e308)) == pytest.approx(1e308)
        assert worst_samples([0.0, -1.7e308, 0.0], [1e308, 1.7e308, 0.0], 3).tolist() == [1, 0, 2]


def test_the_worst_samples_come_in_order_and_of_equals_the_lower_id_first():
    assert worst_samples(BEFORE, AFTER, 5).tolist() == [0, 2, 1, 3, 4]
    alternating = np.tile([1, 2], 100)  # many: a sort that mixes equals keeps a few of them in order
    assert worst_samples(np.zeros(200), alternating, 102).tolist() == [*range(1, 200, 2), 0, 2]


@given(hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(1, 20)), elements=QUARTERS), st.randoms())
def test_the_order_of_the_samples_plays_no_part(losses, random):
    assume(losses[1].sum() > losses[0].sum())
    order = list(range(losses.shape[1]))
    random.shuffle(order)
    shares = [0.01, 0.05, 0.1, 0.5, 1.0]
    np.testing.assert_array_equal(jump_share(*losses[:, order], shares), jump_share(*losses, shares))


@given(hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(1, 20)), elements=QUARTERS), st.data())
def test_the_share_is_that_of_the_worst_samples_by_name(losses, data):
    before, after = losses
    assume(after.sum() > before.sum())
    count = data.draw(st.integers(1, len(before)))
    picked = worst_samples(before, after, count)
    assert len(set(picked.tolist())) == count
    rest = np.setdiff1d(np.arange(len(before)), picked)
    rises = after - before
    assert not len(rest) or rises[rest].max() <= rises[picked].min()
    assert jump_share(before, after, count / len(before)) == rises[picked].sum() / rises.sum()


@pytest.mark.parametrize(
    ("before", "after", "worst", "message"),
    [
        ([1.0, 2.0], [2.0, 1.0], 0.1, "the mean loss did not rise: it changed by 0"),
        (
            [1.0, 2.0],
            [0.5, 2.0],
            0.1,
            "the mean loss did not rise: it changed by -0.25. Give the epoch before the spike",
        ),
        ([1.0, 2.0], [2.0], 0.1, "before and after must be about the same samples; got 2 and 1"),
        ([1.0, math.nan], [2.0, 2.0], 0.1, "before must be finite; got nan at sample 1"),
        ([1.0, 2.0], [math.inf, 2.0], 0.1, "after must be finite; got inf at sample 0 (clip= keeps losses finite)"),
        (
            [[1.0, 2.0]],
            [2.0, 2.0],
            0.1,
            "before must be the losses of single samples, shape (sample,); got shape (1, 2)",
        ),
        ([1.0], [2.0], 0.0, "worst must be a share of the samples, above 0 and at most 1; got 0.0"),
        ([1.0], [2.0], [0.1, 5], "worst must be a share of the samples, above 0 and at most 1; got 5.0"),
        ([1.0], [2.0], math.nan, "above 0 and at most 1; got nan"),
        ([], [], 0.1, "before must hold at least one sample"),
    ],
)
def test_what_is_no_rise_is_refused_in_words(before, after, worst, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        jump_share(before, after, worst)


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (0, "count must be a whole number, 1 or more; got 0"),
        (6, "count must be at most 5, all samples there are; got 6"),
    ],
)
def test_as_many_samples_are_named_as_there_are(count, message):
    with pytest.raises(ValueError, match=message):
        worst_samples(BEFORE, AFTER, count)

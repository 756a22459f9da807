"""Descent held against recursions by hand, closed forms on a parabola, and root finding on the bumpy landscape."""

import math
import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossacc_helpers.descent import CENTRAL_VALLEY, annealed, bumpy, bumpy_gradient, descend, in_central_valley


def parabola(x):
    """The slope of x² / 2: curvature 1, so that the rate alone is rate x curvature."""
    return x


def bisected(function, low, high):
    """A zero between two ends of different sign."""
    sign = math.copysign(1, function(low))
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) * sign > 0 else (low, middle)
    return (low + high) / 2


def slope(x):
    return 0.1 * x + 1.8 * math.sin(6 * x)


# The step


def test_steps_are_those_of_the_recursion_by_hand():
    positions = descend(bumpy_gradient, [1.5, -0.2], rate=0.05, steps=40, momentum=0.7)
    for particle, x in enumerate([1.5, -0.2]):
        velocity = 0.0
        for step in range(41):
            assert positions[step, particle] == pytest.approx(x, rel=1e-12, abs=1e-12)
            velocity = 0.7 * velocity - 0.05 * slope(x)
            x += velocity


@given(st.floats(0.01, 1.9), st.floats(-5, 5))
def test_on_a_parabola_every_step_multiplies_by_one_minus_the_rate(rate, start):
    path = descend(parabola, start, rate=rate, steps=30)
    np.testing.assert_allclose(path, start * (1 - rate) ** np.arange(31), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_a_parabola_is_left_above_two_times_one_plus_momentum_and_not_below(momentum):
    edge = 2 * (1 + momentum)
    inside, outside = (
        np.abs(descend(parabola, 1.0, rate=rate, steps=3000, momentum=momentum)[-1])
        for rate in (0.98 * edge, 1.02 * edge)
    )
    assert inside < 1e-6
    assert outside > 1e6


def test_between_one_and_two_every_step_changes_sides_and_below_one_none_does():
    for rate, changes in ((0.5, 0), (0.95, 0), (1.05, 20), (1.95, 20)):
        assert (np.diff(np.sign(descend(parabola, 1.0, rate=rate, steps=20))) != 0).sum() == changes


def test_momentum_overshoots_where_plain_descent_does_not():
    assert descend(parabola, 1.0, rate=0.5, steps=20).min() >= 0
    assert descend(parabola, 1.0, rate=0.5, steps=20, momentum=0.9).min() < -0.5


def test_many_numbers_a_particle_descend_as_the_gradient_says():
    matrix = np.array([[3.0, 1.0], [1.0, 2.0]])
    path = descend(lambda x: x @ matrix, [[1.0, 0.0], [0.0, -2.0]], rate=0.1, steps=15)
    by_hand = np.array([[1.0, 0.0], [0.0, -2.0]]) @ np.linalg.matrix_power(np.eye(2) - 0.1 * matrix, 15)
    assert path.shape == (16, 2, 2)
    np.testing.assert_allclose(path[-1], by_hand, rtol=1e-12)


# Noise


def test_noise_is_added_to_the_gradient_and_has_the_stated_standard_deviation():
    steps = np.diff(descend(np.zeros_like, np.zeros(100_000), rate=0.1, steps=2, noise=3.0), axis=0)
    np.testing.assert_allclose(steps.std(axis=1), 0.3, rtol=0.01)
    assert np.abs(steps.mean(axis=1)).max() < 0.005
    assert abs(np.corrcoef(steps)[0, 1]) < 0.02


def test_a_noisy_parabola_comes_to_rest_at_the_variance_of_its_closed_form():
    """An autoregression: variance rate² noise² / (1 - (1 - rate)²)."""
    end = descend(parabola, np.zeros(100_000), rate=0.2, steps=60, noise=1.5)[-1]
    assert end.var() == pytest.approx(0.2**2 * 1.5**2 / (1 - 0.8**2), rel=0.02)


def test_two_levels_of_noise_draw_the_same_numbers():
    small, large = (descend(np.zeros_like, np.zeros(9), rate=0.1, steps=5, noise=noise, seed=3) for noise in (1, 2))
    np.testing.assert_allclose(2 * small, large)
    other = descend(np.zeros_like, np.zeros(9), rate=0.1, steps=5, noise=1, seed=4)
    assert not np.allclose(small[1:], other[1:])
    np.testing.assert_array_equal(small, descend(np.zeros_like, np.zeros(9), rate=0.1, steps=5, noise=1, seed=3))


def test_no_noise_is_the_plain_descent_whatever_the_seed():
    plain = descend(bumpy_gradient, [1.0, 2.0], rate=0.1, steps=50)
    np.testing.assert_array_equal(plain, descend(bumpy_gradient, [1.0, 2.0], rate=0.1, steps=50, noise=0.0, seed=9))


# Schedules


def test_a_schedule_gives_each_step_its_own_rate_and_noise():
    path = descend(np.ones_like, 0.0, rate=[0.5, 0.25, 0.0], steps=3)
    np.testing.assert_array_equal(path, [0, -0.5, -0.75, -0.75])
    noisy = descend(np.zeros_like, np.zeros(4), rate=1.0, steps=3, noise=[0.0, 2.0, 0.0])
    moved = (np.diff(noisy, axis=0) != 0).any(axis=1)
    assert moved.tolist() == [False, True, False]


@given(st.floats(0, 100), st.integers(1, 60), st.floats(0.05, 1))
def test_annealing_falls_in_a_straight_line_to_nothing(level, steps, until):
    schedule = annealed(level, steps, until=until)
    by_hand = [level * max(0.0, 1 - step / (until * steps)) for step in range(steps)]
    np.testing.assert_allclose(schedule, by_hand, rtol=1e-9, atol=1e-9)
    assert schedule[0] == level


# Running away


def test_what_runs_away_stays_infinite_and_nobody_is_warned():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = descend(parabola, [1.0, -1.0, 0.0], rate=20.0, steps=400)
        bumpier = descend(bumpy_gradient, [1.0, 0.0], rate=60.0, steps=600, momentum=0.5)
    assert np.isinf(path[-1, :2]).all()
    assert (path[-1, 2], bumpier[-1, 1]) == (0, 0)
    gone = np.argmax(~np.isfinite(path[:, 0]))
    assert (path[gone:, 0] == path[gone, 0]).all()
    assert not np.isfinite(bumpier[-1, 0])


def test_a_gradient_that_is_no_number_makes_its_own_particle_no_number():
    path = descend(np.sqrt, [4.0, -4.0], rate=0.1, steps=3)
    assert np.isfinite(path[:, 0]).all()
    assert np.isnan(path[1:, 1]).all()


# The landscape


@given(st.floats(-8, 8))
def test_the_gradient_of_the_landscape_is_its_slope(x):
    assert bumpy(x) == pytest.approx(0.05 * x * x - 0.3 * math.cos(6 * x))
    assert bumpy_gradient(x) == pytest.approx((bumpy(x + 1e-5) - bumpy(x - 1e-5)) / 2e-5, abs=1e-6)


def test_the_deepest_of_35_valleys_is_at_zero_and_all_others_are_higher():
    grid = np.linspace(-20.001, 20.002, 80_000)
    rising = np.array([slope(x) for x in grid]) > 0
    minima = [bisected(slope, *grid[k : k + 2]) for k in np.flatnonzero(~rising[:-1] & rising[1:])]
    assert len(minima) == 35
    middle = minima[17]
    assert middle == pytest.approx(0, abs=1e-12)
    assert bumpy(middle) == pytest.approx(-0.3)
    assert bumpy(np.delete(minima, 17)).min() > -0.25
    assert bisected(slope, 0.4, 0.6) == pytest.approx(CENTRAL_VALLEY, abs=1e-12)
    assert in_central_valley([0, 0.52, -0.52, 0.53, math.nan, math.inf]).tolist() == [True] * 3 + [False] * 3


def test_without_noise_a_small_rate_leaves_every_particle_in_the_valley_where_it_began():
    start = np.random.default_rng(0).uniform(-6, 6, 2000)
    end = descend(bumpy_gradient, start, rate=0.1, steps=500)[-1]
    np.testing.assert_array_equal(in_central_valley(end), in_central_valley(start))
    np.testing.assert_allclose(bumpy_gradient(end), 0, atol=1e-9)


# What cannot be done


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": -0.1}, "rate must be finite and not negative; got -0.1"),
        ({"rate": math.nan}, "rate must be finite and not negative; got nan"),
        ({"rate": [0.1, 0.1]}, "rate must be one number, or one for each of the 3 steps; got an array of shape (2,)"),
        ({"noise": math.inf}, "noise must be finite and not negative; got inf"),
        ({"momentum": 1.0}, "momentum must lie in [0, 1); got 1.0"),
        ({"momentum": math.nan}, "momentum must lie in [0, 1); got nan"),
        ({"steps": 0}, "steps must be a whole number, 1 or more; got 0"),
        ({"seed": -1}, "seed must be a whole number, 0 or more; got -1"),
        ({"start": [0.0, math.inf]}, "start must be finite; got inf"),
        ({"start": []}, "start must hold at least one sample"),
        ({"gradient": np.sum}, "gradient must return the shape of start, (2,); it returned ()"),
    ],
)
def test_what_is_no_descent_is_refused_in_words(changes, message):
    state = {"gradient": bumpy_gradient, "start": [0.0, 1.0], "rate": 0.1, "steps": 3} | changes
    with pytest.raises(ValueError, match=re.escape(message)):
        descend(state.pop("gradient"), state.pop("start"), **state)


@pytest.mark.parametrize(
    ("level", "until", "message"),
    [
        (-1, 1, "level must be finite and not negative; got -1.0"),
        (math.inf, 1, "level must be finite and not negative; got inf"),
        (1, 0, "until must be a share of the steps, above 0 and at most 1; got 0"),
        (1, 1.5, "until must be a share of the steps, above 0 and at most 1; got 1.5"),
    ],
)
def test_what_is_no_annealing_is_refused_in_words(level, until, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        annealed(level, 10, until=until)


def test_a_gradient_that_works_in_place_moves_nobody_itself():
    def in_place(x):
        x *= 2
        return x

    np.testing.assert_array_equal(
        descend(in_place, [1.0, -4.0], rate=0.25, steps=3), descend(lambda x: 2 * x, [1.0, -4.0], rate=0.25, steps=3)
    )


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (3, "gradient must be a function of the positions; got int"),
        (lambda x: 1j * x, "what gradient returns must be numbers; got complex numbers"),
        (lambda x: np.ma.masked_greater(x, 0.5), "what gradient returns must be an ordinary array; got a masked one"),
        (lambda x: "downhill", "what gradient returns must be numbers; got text"),
        (lambda x: None, "what gradient returns must be numbers; got Python objects"),
    ],
)
def test_what_is_no_gradient_is_refused_in_words(gradient, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        descend(gradient, [1.0, 0.2], rate=0.1, steps=2)


def test_annealing_reaches_zero_where_it_should():
    assert annealed(1, 100, until=0.07)[7:].tolist() == [0.0] * 93

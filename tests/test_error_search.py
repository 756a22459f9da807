"""Searches without slopes find known minima, count what they ask, and beat nothing they should not."""

import numpy as np
import pytest
from sklearn.linear_model import Perceptron

from lossacc_helpers.error_search import evolution_strategy, perceptron, random_search


def bowl(points):
    return ((points - 3) ** 2).sum(axis=1)


def errors_of(rows, signs):
    return lambda points: np.mean((points @ rows.T) * signs <= 0, axis=1)


def clouds(seed, samples=200, gap=1.0):
    generator = np.random.default_rng(seed)
    signs = np.where(generator.random(samples) < 0.5, 1.0, -1.0)
    rows = generator.normal(size=(samples, 3)) + gap * signs[:, None]
    return np.c_[rows, np.ones(samples)], signs


def test_an_evolution_strategy_comes_near_a_minimum_that_random_points_do_not():
    found = [evolution_strategy(bowl, np.zeros(5), evaluations=3000, seed=seed) for seed in range(10)]
    assert max(one.value for one in found) < 1e-3
    np.testing.assert_allclose(found[0].point, 3, atol=0.02)
    guessed = [random_search(bowl, 5, evaluations=3000, spread=3, seed=seed).value for seed in range(10)]
    assert min(guessed) > 0.1


def test_a_spread_that_is_too_small_grows():
    found = evolution_strategy(lambda points: np.abs(points[:, 0] - 1e4), [0.0], evaluations=4000, spread=1.0)
    assert found.value < 1


def test_a_function_without_a_minimum_is_followed_without_overflow():
    assert evolution_strategy(lambda points: -points[:, 0], [0.0], evaluations=20_000).value < -1e20


def test_what_is_best_is_the_best_that_was_asked_for():
    asked = []

    def noted(points):
        asked.append(points)
        return bowl(points)

    for run in (lambda: random_search(noted, 2, evaluations=300, seed=1),
                lambda: evolution_strategy(noted, [0.0, 0.0], evaluations=300, seed=1)):  # fmt: skip
        asked.clear()
        found = run()
        points = np.concatenate(asked)
        values = bowl(points)
        assert len(found.best) == len(points) <= 300
        np.testing.assert_array_equal(found.best, np.minimum.accumulate(values))
        np.testing.assert_array_equal(found.point, points[values.argmin()])
        assert found.value == values.min()


def test_an_evolution_strategy_asks_for_its_start_first_and_for_whole_generations():
    found = evolution_strategy(bowl, [3.0, 3.0], evaluations=100, offspring=20)
    assert len(found.best) == 81
    assert found.value == 0
    assert found.best[0] == 0


def test_a_scale_that_does_not_matter_does_not():
    rows, signs = clouds(0)
    small, large = (random_search(errors_of(rows, signs), 4, evaluations=50, spread=one) for one in (1e-3, 1e3))
    assert small.value == large.value


def test_the_perceptron_separates_what_can_be_separated():
    rows, signs = clouds(1, gap=5.0)
    found = perceptron(rows, signs, passes=20)
    assert found.value == 0
    reference = Perceptron(fit_intercept=False, shuffle=False, tol=None, max_iter=20).fit(rows, signs)
    assert reference.score(rows, signs) == 1


def test_the_rule_adds_the_samples_it_gets_wrong():
    rows, signs = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, -1.0])
    found = perceptron(rows, signs, passes=1)
    np.testing.assert_array_equal(found.point, [1, -1])


def test_the_pocket_never_gets_worse():
    rows, signs = clouds(2, gap=0.3)
    found = perceptron(rows, signs, passes=30)
    assert (np.diff(found.best) <= 0).all()
    assert found.value == errors_of(rows, signs)(found.point[None])[0]


@pytest.mark.parametrize("run", [lambda seed: random_search(bowl, 2, evaluations=40, seed=seed),
                                 lambda seed: evolution_strategy(bowl, [0.0], evaluations=41, seed=seed),
                                 lambda seed: perceptron(*clouds(0, gap=0.2), passes=2, seed=seed)])  # fmt: skip
def test_the_same_seed_finds_the_same(run):
    np.testing.assert_array_equal(run(3).point, run(3).point)
    assert not np.array_equal(run(3).point, run(4).point)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random_search(bowl, 0, evaluations=5), "dimension must be"),
        (lambda: random_search(bowl, 2, evaluations=0), "evaluations must be"),
        (lambda: random_search(bowl, 2, evaluations=5, spread=0), "spread must be finite and above 0; got 0"),
        (lambda: random_search(lambda p: 0.0, 2, evaluations=5), r"value must give shape \(point,\) = \(5,\)"),
        (lambda: random_search(lambda p: p[:, 0] * np.nan, 2, evaluations=5), "value must not be NaN"),
        (lambda: evolution_strategy(bowl, [[0.0]], evaluations=50), r"start must be finite numbers of shape \(coord"),
        (lambda: evolution_strategy(bowl, [0.0], evaluations=20), "evaluations must be"),
        (lambda: evolution_strategy(bowl, [0.0], evaluations=50, offspring=3), "offspring must be"),
        (lambda: evolution_strategy(bowl, [0.0], evaluations=50, seed=-1), "seed must be"),
        (lambda: perceptron([[np.nan]], [1], passes=1), "features must be finite"),
        (lambda: perceptron([[1.0]], [0], passes=1), "signs must be -1 or 1"),
        (lambda: perceptron([[1.0]], [1, 1], passes=1), "features and signs must have shapes"),
        (lambda: perceptron([[1.0]], [1], passes=0), "passes must be"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""Minimisers find what closed forms, SciPy and scikit-learn find, and say what is wrong where there is no minimum."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from lossacc_helpers.logistic import LogisticLoss
from lossacc_helpers.minimisers import DidNotConverge, bisect, gradient_descent, newton, noisy_gradient_descent


def parts_of(loss):
    return loss.value, loss.gradient, loss.hessian


@pytest.fixture(scope="module")
def overlapping():
    generator = np.random.default_rng(0)
    rows = np.c_[generator.normal(size=(80, 2)), np.ones(80)]
    signs = np.where(rows @ [1.0, -2.0, 0.3] + 1.5 * generator.normal(size=80) > 0, 1.0, -1.0)
    return LogisticLoss(rows, signs)


SEPARABLE = LogisticLoss(np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([-1.0, -1.0, 1.0, 1.0]))


# Bisection ---------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(at=st.floats(-50, 50), left=st.floats(0.01, 40), right=st.floats(0.01, 40))
def test_bisection_finds_where_a_slope_changes_its_sign(at, left, right):
    found = bisect(lambda x: np.tanh(x[0] - at), at - left, at + right, tolerance=1e-8)
    assert found.point[0] == pytest.approx(at, abs=1e-8)
    reference = optimize.bisect(lambda x: np.tanh(x - at), at - left, at + right, xtol=1e-8)
    assert found.point[0] == pytest.approx(reference, abs=2e-8)
    assert found.steps <= np.ceil(np.log2((left + right) / 1e-8)) + 1


def test_bisection_finds_the_minimum_of_a_kink():
    found = bisect(lambda x: np.sign(x[0] - 0.3), 0, 1)
    assert found.point[0] == pytest.approx(0.3, abs=1e-9)
    assert np.isnan(found.values).all()


def test_each_halving_halves_and_is_counted():
    found = bisect(lambda x: x[0] - 1 / 3, 0, 1, tolerance=1e-6)
    np.testing.assert_allclose(np.abs(np.diff(found.points[:, 0])), 0.5 ** np.arange(2, found.steps + 2))
    np.testing.assert_array_equal(found.evaluations, np.arange(3, found.steps + 4))


@pytest.mark.parametrize(
    ("low", "high", "why"),
    [(1, 2, "rises at both, so look further left"), (-2, -1, "falls at both, so look further right"),
     (0, 1, "an end is flat, and may be the minimum already")],
)  # fmt: skip
def test_a_bracket_without_a_change_of_sign_is_refused(low, high, why):
    with pytest.raises(ValueError, match=why):
        bisect(lambda x: 2 * x[0], low, high)


def test_a_maximum_is_no_minimum():
    with pytest.raises(ValueError, match="there is a maximum between them"):
        bisect(lambda x: -x[0], -1, 1)


def test_too_few_halvings_are_said():
    with pytest.raises(DidNotConverge, match=r"after 3 halvings the bracket is still 0\.125 wide") as caught:
        bisect(lambda x: x[0] - 0.3, 0, 1, steps=3)
    assert caught.value.so_far.steps == 3


# Newton ------------------------------------------------------------------------------------------------------------


def test_newton_finds_what_scikit_learn_finds(overlapping):
    found = newton(*parts_of(overlapping), np.zeros(3))
    reference = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=10_000)
    reference.fit(overlapping.features, overlapping.signs)
    np.testing.assert_allclose(found.point, reference.coef_[0], rtol=1e-5)
    assert found.steps < 12
    assert found.slopes[-1] < 1e-8
    assert (np.diff(found.values) <= 1e-12).all()


def test_a_parabola_takes_newton_one_step():
    matrix, at = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([1.0, -2.0])
    found = newton(
        lambda x: 0.5 * (x - at) @ matrix @ (x - at),
        lambda x: matrix @ (x - at),
        lambda x: matrix,
        np.array([9.0, 9.0]),
    )
    np.testing.assert_allclose(found.points[1], at, atol=1e-12)
    assert found.steps == 1


def test_the_line_search_saves_a_step_that_overshoots():
    # log cosh from 2: whole steps go further and further away.
    parts = lambda x: np.log(np.cosh(x[0])), lambda x: np.tanh(x), lambda x: (1 / np.cosh(x) ** 2)[:, None]
    assert newton(*parts, 2.0).point[0] == pytest.approx(0, abs=1e-8)
    with pytest.raises(DidNotConverge), np.errstate(over="ignore", invalid="ignore"):
        newton(*parts, 2.0, line_search=False)


def test_newton_meets_no_parabola_under_an_absolute_value():
    with pytest.raises(DidNotConverge, match=r"is flat in the direction .* has no minimum"):
        newton(lambda x: abs(x[0] - 1), lambda x: np.sign(x - 1), lambda x: np.zeros((1, 1)), 0.0)


def test_newton_refuses_a_hill():
    with pytest.raises(DidNotConverge, match="is curved downwards"):
        newton(lambda x: -(x[0] ** 2), lambda x: -2 * x, lambda x: np.array([[-2.0]]), 1.0)


@pytest.mark.parametrize("columns", [1, 2])
def test_separable_data_are_found_out(columns):
    rows = np.c_[SEPARABLE.features, np.array([0.5, -0.2, 0.1, -0.4])][:, :columns]
    with pytest.raises(
        DidNotConverge, match=r"falls towards a limit that no point reaches. \(A log loss does so"
    ) as caught:
        newton(*parts_of(LogisticLoss(rows, SEPARABLE.signs)), np.zeros(columns), steps=25)
    lengths = np.linalg.norm(caught.value.so_far.points, axis=1)
    assert (np.diff(lengths) > 0).all()
    assert newton(*parts_of(LogisticLoss(rows, SEPARABLE.signs, ridge=0.1)), np.zeros(columns)).slopes[-1] < 1e-8


def test_derivatives_that_do_not_belong_to_the_function_are_noticed():
    with pytest.raises(DidNotConverge, match="do value, gradient and hessian belong together"):
        newton(lambda x: x[0] ** 2, lambda x: -2 * x, lambda x: np.array([[2.0]]), 1.0)


@pytest.mark.parametrize(
    ("parts", "start", "why"),
    [
        (
            (lambda x: np.floor(abs(x[0])), lambda x: 0 * x, lambda x: np.zeros((1, 1))),
            5.5,
            "its slope is 0: a plateau",
        ),
        ((lambda x: -(x[0] ** 2), lambda x: -2 * x, lambda x: np.array([[-2.0]])), 0.0, "its slope is 0: a hilltop or"),
        (
            (lambda x: x[0] ** 2 - x[1] ** 2, lambda x: np.array([2, -2]) * x, lambda x: np.diag([2.0, -2.0])),
            [0.0, 0.0],
            "its slope is 0: a hilltop or a saddle",
        ),
        (parts_of(SEPARABLE), 2000.0, "its slope is 0: a plateau"),
    ],
)
def test_a_flat_place_that_is_no_minimum_is_not_taken_for_one(parts, start, why):
    with pytest.raises(DidNotConverge, match=why):
        newton(*parts, start)


def test_a_step_out_of_the_domain_is_too_long_and_no_more():
    found = newton(lambda x: x[0] - np.log(x[0]), lambda x: 1 - 1 / x, lambda x: (1 / x**2)[:, None], 3.0)
    assert found.point[0] == pytest.approx(1)
    grown = newton(lambda x: np.exp(x[0]) - 5 * x[0], lambda x: np.exp(x) - 5, lambda x: np.exp(x)[:, None], -10.0)
    assert grown.point[0] == pytest.approx(np.log(5))


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e6, 1e12])
def test_units_of_the_features_make_no_difference(overlapping, unit):
    scaled = LogisticLoss(overlapping.features * [unit, 1 / unit, 1.0], overlapping.signs)
    plain = newton(*parts_of(overlapping), np.zeros(3)).point
    np.testing.assert_allclose(newton(*parts_of(scaled), np.zeros(3)).point * [unit, 1 / unit, 1.0], plain, rtol=1e-5)


@pytest.mark.parametrize("start", [-12.0, -8.0, -4.0, 4.0, 12.0])
def test_newton_comes_back_from_where_the_loss_is_nearly_straight(start):
    # With a fall that need only be a 10,000th of what the slope promises, two of these end on a plateau.
    features, species = load_iris(return_X_y=True)
    petals, signs = features[50:, 2:], np.where(species[50:] == 2, 1.0, -1.0)
    petals = (petals - petals.mean(axis=0)) / petals.std(axis=0)
    reference = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(petals, signs).coef_[0]
    found = newton(*parts_of(LogisticLoss(petals, signs)), np.full(2, start))
    np.testing.assert_allclose(found.point, reference, rtol=1e-4)


def test_weights_that_are_tiny_throughout_are_found_too(overlapping):
    scaled = LogisticLoss(1e12 * overlapping.features, overlapping.signs)
    plain = newton(*parts_of(overlapping), np.zeros(3)).point
    np.testing.assert_allclose(newton(*parts_of(scaled), np.zeros(3)).point * 1e12, plain, rtol=1e-5)


def test_a_column_that_occurs_twice_is_a_flat_direction(overlapping):
    twice = LogisticLoss(np.c_[overlapping.features, overlapping.features[:, 0]], overlapping.signs)
    with pytest.raises(DidNotConverge, match="is flat in the direction"):
        newton(*parts_of(twice), np.zeros(4))


@pytest.mark.parametrize(
    ("parts", "start", "steps"),
    [
        ((lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: 12 * x[:, None] ** 2), 1.0, 6),
        ((lambda x: np.exp(x[0]) - x[0], lambda x: np.exp(x) - 1, lambda x: np.exp(x)[:, None]), 20.0, 12),
    ],
)
def test_too_few_steps_to_a_minimum_are_not_taken_for_a_fall_without_end(parts, start, steps):
    with pytest.raises(DidNotConverge, match="allow more steps, begin elsewhere"):
        newton(*parts, start, steps=steps)


def test_values_in_float32_are_said_to_be_too_coarse():
    def coarse(x):
        return np.float32(1 + 1e-9 * (x[0] - 1) ** 2 + 1e-6 * np.float32(np.sin(1e8 * x[0])))

    with pytest.raises(DidNotConverge, match="compute in float64"):
        newton(coarse, lambda x: 2e-9 * (x - 1), lambda x: np.array([[2e-9]]), 5.0, steps=30)


def test_the_way_so_far_is_there_from_the_first_call_and_can_be_stored():
    with pytest.raises(DidNotConverge) as caught:
        newton(lambda x: np.nan, lambda x: x, lambda x: x, [1.0, 2.0])
    found = pickle.loads(pickle.dumps(caught.value))
    assert str(found) == str(caught.value)
    assert found.so_far.steps == 0
    np.testing.assert_array_equal(found.so_far.point, [1, 2])


# Gradient descent --------------------------------------------------------------------------------------------------


def test_gradient_descent_ends_where_newton_ends(overlapping):
    slow = gradient_descent(overlapping.value, overlapping.gradient, np.zeros(3), rate=2.0)
    fast = newton(*parts_of(overlapping), np.zeros(3))
    np.testing.assert_allclose(slow.point, fast.point, atol=1e-5)
    assert slow.steps > 5 * fast.steps
    assert (np.diff(slow.values) < 1e-12).all()


def test_gradient_descent_contracts_as_its_closed_form_says():
    found = gradient_descent(lambda x: 0.5 * 3 * x[0] ** 2, lambda x: 3 * x, 1.0, rate=0.1)
    np.testing.assert_allclose(found.points[:, 0], 0.7 ** np.arange(found.steps + 1), rtol=1e-9)


def test_a_rate_that_is_too_large_is_said():
    with pytest.raises(DidNotConverge, match=r"a rate of 1\.1 oversteps the valley more each time"):
        gradient_descent(lambda x: x[0] ** 2, lambda x: 2 * x, 1.0, rate=1.1)


@pytest.mark.parametrize(
    ("slope", "rate"), [(lambda x: 2 * x, 1.0), (lambda x: np.sign(x), 0.15)], ids=["bouncing", "at a kink"]
)
def test_jumping_across_the_valley_is_said(slope, rate):
    with pytest.raises(DidNotConverge, match="jumped across the valley, so take a smaller rate"):
        gradient_descent(lambda x: abs(x[0]), slope, 1.0, rate=rate, steps=50)


def test_a_staircase_gives_gradient_descent_nowhere_to_go():
    with pytest.raises(DidNotConverge, match=r"the gradient is 0 at the start, \[5\.5\]: a minimum, a hilltop and"):
        gradient_descent(lambda x: np.floor(abs(x[0])), lambda x: 0 * x, 5.5, rate=1.0)


def test_gradient_descent_on_separable_data_does_not_end():
    with pytest.raises(DidNotConverge, match="or see whether there is a minimum at all"):
        gradient_descent(SEPARABLE.value, SEPARABLE.gradient, 0.0, rate=1.0, steps=500)


def test_noisy_descent_stays_about_the_minimum_and_comes_nearer_where_the_rate_falls():
    def noisy(x, generator):
        return x + generator.normal(size=x.shape)

    def spread(**options):
        ends = [
            noisy_gradient_descent(lambda x: 0.5 * x[0] ** 2, noisy, 5.0, rate=0.5, steps=400, seed=seed, **options)
            for seed in range(60)
        ]
        assert all(one.steps == 400 for one in ends)
        assert ends[0].evaluations[-1] == 400
        return np.var([one.point[0] for one in ends])

    # x <- (1 - r) x - r z has the variance r / (2 - r) in the end.
    assert spread() == pytest.approx(0.5 / 1.5, rel=0.5)
    assert spread(falling=0.1) < 0.1


def test_the_same_seed_takes_the_same_way():
    ways = [
        noisy_gradient_descent(
            lambda x: 0.0, lambda x, g: g.normal(size=2), np.zeros(2), rate=1, steps=5, seed=seed
        ).points
        for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(ways[0], ways[1])
    assert not np.array_equal(ways[0], ways[2])


# What cannot be ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bisect(lambda x: x[0], 1, 0), "low must be below high, both finite"),
        (lambda: bisect(lambda x: x[0], -1, np.inf), "low must be below high, both finite"),
        (
            lambda: bisect(lambda x: x, -1, 1),
            r"slope must give one number at a point of 1 coordinate.*got shape \(1,\)",
        ),
        (lambda: bisect(lambda x: x[0], -1, 2, tolerance=0), "tolerance must be finite and above 0; got 0"),
        (lambda: newton(lambda x: 0.0, lambda x: 1.0, lambda x: 1.0, [0.0, 0.0]), r"gradient must give shape \(2,\)"),
        (lambda: newton(lambda x: np.nan, lambda x: x, lambda x: x, 1.0), r"value is not finite at \[1.\]: nan"),
        (lambda: newton(lambda x: 0.0, lambda x: x, lambda x: x, [np.nan]), "start must be finite numbers of shape"),
        (lambda: gradient_descent(lambda x: 0.0, lambda x: x, 1.0, rate=0), "rate must be finite and above 0; got 0"),
        (lambda: gradient_descent(lambda x: 0.0, lambda x: x * np.inf, 1.0, rate=1), "gradient is not finite"),
        (lambda: gradient_descent(lambda x: 0.0, lambda x: x, 1.0, rate=1, steps=0), "steps must be"),
        (lambda: noisy_gradient_descent(lambda x: 0.0, lambda x, g: x, 1.0, rate=1, steps=2, seed=-1), "seed must be"),
        (
            lambda: noisy_gradient_descent(lambda x: 0.0, lambda x, g: x, 1.0, rate=1, steps=2, falling=-1),
            "falling must be finite and above 0",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_function_that_is_not_finite_leaves_the_way_so_far():
    with pytest.raises(DidNotConverge, match="value is not finite") as caught:
        gradient_descent(lambda x: -np.log(x[0]) if x[0] < 4 else np.nan, lambda x: -1 / x, 1.0, rate=1.0)
    assert 2 < caught.value.so_far.steps < 10
    assert caught.value.so_far.points.max() < 4


def test_functions_are_given_a_copy():
    def vandal(x):
        x[:] = 7
        return 0.0

    found = gradient_descent(vandal, lambda x: 0 * x + 1e-9, [1.0, 2.0], rate=1.0)
    np.testing.assert_array_equal(found.point, [1, 2])

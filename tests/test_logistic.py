"""The loss of logistic regression against scikit-learn, finite differences and hand arithmetic."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from lossacc_helpers.logistic import LogisticLoss
from lossacc_helpers.minimisers import newton


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    signs = np.where(generator.random(60) < 0.4, 1.0, -1.0)
    return np.c_[generator.normal(size=(60, 2)) + 0.7 * signs[:, None], np.ones(60)], signs


def test_its_value_is_the_log_loss_of_scikit_learn(data):
    features, signs = data
    for weights in np.random.default_rng(1).normal(size=(5, 3)):
        p = 1 / (1 + np.exp(-features @ weights))
        assert LogisticLoss(features, signs).value(weights) == pytest.approx(log_loss(signs > 0, p))


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_its_slope_and_its_curvature_are_those_of_small_steps(data, ridge):
    loss, weights = LogisticLoss(*data, ridge=ridge), np.array([0.4, -1.0, 0.2])
    np.testing.assert_allclose(loss.gradient(weights), approx_fprime(weights, loss.value, 1e-7), atol=1e-6)
    np.testing.assert_allclose(loss.hessian(weights), approx_fprime(weights, loss.gradient, 1e-7), atol=1e-6)


def test_its_minimum_is_where_scikit_learn_ends(data):
    features, signs = data
    loss = LogisticLoss(features, signs, ridge=0.05)
    found = newton(loss.value, loss.gradient, loss.hessian, np.zeros(3)).point
    # scikit-learn sums over samples, and its C is what divides the ridge.
    reference = LogisticRegression(C=1 / (0.05 * 60), fit_intercept=False, tol=1e-10).fit(features, signs)
    np.testing.assert_allclose(found, reference.coef_[0], atol=1e-5)


def test_the_likelihood_is_the_product_of_the_probabilities():
    loss = LogisticLoss([[1.0], [2.0], [-1.0]], [1.0, -1.0, 1.0])
    odds = np.exp([0.5, -1.0, -0.5])  # of the true classes, at a weight of 0.5
    assert np.exp(-3 * loss.value([0.5])) == pytest.approx(np.prod(odds / (1 + odds)))


def test_many_weights_at_once_and_very_large_ones(data):
    loss = LogisticLoss(*data)
    points = np.random.default_rng(2).normal(size=(4, 5, 3))
    assert loss.value(points).shape == (4, 5)
    assert loss.gradient(points).shape == (4, 5, 3)
    np.testing.assert_allclose(loss.gradient(points)[2, 3], loss.gradient(points[2, 3]))
    far = 1e6 * np.ones(3)
    assert all(np.isfinite(one(far)).all() for one in (loss.value, loss.gradient, loss.hessian))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [1.0, -1.0]), r"must have shapes \(sample, coordinate\) and \(sample,\); got \(2,\) and \(2,\)"),
        (([[1.0], [2.0]], [0.0, 1.0]), "signs must be -1 or 1"),
        (([[np.inf], [2.0]], [-1.0, 1.0]), "features must be finite"),
        (([[1.0], [2.0]], [-1.0, 1.0], -1.0), "ridge must be finite and not below 0; got -1"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LogisticLoss(*arguments)


def test_weights_of_another_shape_are_refused(data):
    loss = LogisticLoss(*data)
    with pytest.raises(ValueError, match=r"weights must have shape \(..., 3\); got \(2,\)"):
        loss.value([1.0, 2.0])
    with pytest.raises(ValueError, match=r"weights must have shape \(3,\); got \(2, 3\)"):
        loss.hessian(np.zeros((2, 3)))

"""Lesson 06: its explorers, its exercises and the facts it builds on."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from lossacc_helpers.course.lesson_06 import lesson, petals
from lossacc_helpers.logistic import LogisticLoss
from lossacc_helpers.minimisers import DidNotConverge, newton
from lossacc_helpers.surrogates import SURROGATES
from tests.moving import move_every_control

# The explorers -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["landscape", "minimisers"])
def test_every_control_of_the_explorers_changes_what_they_show(name):
    move_every_control(lesson.explorer(name))


@pytest.mark.parametrize(("first", "second"), [("versicolor", "virginica"), ("setosa", "versicolor")])
def test_petals_are_those_of_scikit_learn(first, second):
    features, species = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[species]
    flowers, signs = petals(first, second)
    kept = features[np.isin(names, (first, second)), 2:]
    np.testing.assert_allclose(flowers, (kept - kept.mean(axis=0)) / kept.std(axis=0), atol=1e-6)
    np.testing.assert_array_equal(signs, np.repeat([-1.0, 1.0], 50))


def test_the_middle_of_the_landscape_is_the_minimum_of_scikit_learn():
    flowers, signs = petals("versicolor", "virginica")
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(flowers, signs)
    bits = log_loss(signs > 0, model.predict_proba(flowers)[:, 1]) / np.log(2)
    explorer = lesson.explorer("landscape")
    assert f"the log loss (bits) between {bits:.4f} and" in explorer.readout
    for name in SURROGATES:
        explorer.controls["loss"].value = name
        assert f"the {name} loss" in explorer.readout


def test_the_highest_step_is_not_where_the_loss_is_least():
    flowers, signs = petals("versicolor", "virginica")
    loss = LogisticLoss(np.c_[flowers, np.ones(100)], signs)
    best = newton(loss.value, loss.gradient, loss.hessian, np.zeros(3)).point
    along = best + np.linspace(-6, 6, 1201)[:, None] * [np.cos(np.radians(135)), np.sin(np.radians(135)), 0]
    right = (loss.margins(along) > 0).mean(axis=1)
    assert (loss.margins(best) > 0).mean() == 0.94 < right.max() == 0.96


def test_minimisers_without_a_line_search_run_away():
    explorer = lesson.explorer("minimisers")
    explorer.controls["iteration"].value = 30
    assert explorer.readout.count("arrived at iteration 6") == 2  # Newton's method, with one weight and with two
    explorer.controls["line_search"].value = False
    assert explorer.readout.count("gave up") == 2
    explorer.controls["start"].value = 2
    assert "gave up" not in explorer.readout
    assert explorer.error is None


def test_species_that_can_be_separated_leave_bisection_nothing_to_do_and_newton_without_an_end():
    explorer = lesson.explorer("minimisers")
    explorer.controls["flowers"].value, explorer.controls["iteration"].value = "can be separated", 30
    assert "with one weight: bisection cannot be used" in explorer.readout
    assert "above the limit, which no weights reach" in explorer.readout
    assert "arrived" not in explorer.readout
    apart = LogisticLoss(*petals("setosa", "versicolor"))
    with pytest.raises(DidNotConverge, match="falls towards a limit that no point reaches"):
        newton(apart.value, apart.gradient, apart.hessian, np.zeros(2), steps=30)


# Exercises ---------------------------------------------------------------------------------------------------------


def test_a_newton_step_of_the_package_passes():
    def by_the_package(w, x, y):
        loss = LogisticLoss(x[:, None], y)
        return w - loss.gradient([w])[0] / loss.hessian([w])[0, 0]

    assert lesson.check("newton_step", by_the_package).passed


def test_changes_found_by_margins_pass():
    def by_margins(features, signs, start, direction):
        here, along = signs * (features @ start), signs * (features @ direction)
        return sorted(-a / b for a, b in zip(here, along, strict=True) if b)

    assert lesson.check("changes", by_margins).passed


@pytest.mark.parametrize("far", [30.0, 1e5])
def test_any_far_point_that_misleads_passes(far):
    places = np.array([-4.0, -3, -2, -1, 1, 2, 3, 4, 5, far])
    signs = np.where(places == far, -1, np.sign(places))
    assert lesson.check("misled", np.stack([places, signs])).passed
    assert lesson.check("misled", np.stack([-places, signs])).passed
    assert lesson.check("misled", np.stack([places + 7, -signs])).passed


def test_what_misleads_is_judged_by_scikit_learn_too():
    places = np.array([-4.0, -3, -2, -1, 1, 2, 3, 4, 5, 30])
    signs = np.where(places == 30, -1, np.sign(places))
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(places[:, None], signs)
    assert np.sum(model.predict(places[:, None]) != signs) >= 4


@pytest.mark.parametrize(
    "answer",
    [
        lambda minutes: (minutes / 10) ** 2,
        lambda minutes: np.logaddexp(0, np.abs(minutes) - 10) / np.log(2),
        lambda minutes: np.maximum(0, np.abs(minutes) - 9),
        lambda minutes: np.sqrt(np.abs(minutes) / 10),
        lambda minutes: [abs(one) / 10 for one in minutes],
        lambda minutes: np.log2(1 + np.exp(np.abs(minutes) - 10)),
        lambda minutes: np.exp(np.abs(minutes) - 10),
        lambda minutes: 2 * np.tanh(np.abs(minutes) / 10),
    ],
)
def test_every_bound_that_rises_passes(answer):
    assert lesson.check("too_far", lambda minutes, mean: (answer(minutes), min(1, mean / 4))).passed


@pytest.mark.parametrize(
    "answer",
    [
        lambda minutes: np.minimum(np.abs(minutes) / 10, 3),
        lambda minutes: np.abs(minutes) / 60,
        lambda minutes: 1 - np.exp(-np.abs(minutes)),
        lambda minutes: np.abs(minutes) / 10 - 0.1,
        lambda minutes: np.full(len(minutes), 2.0),
        lambda minutes: np.where(np.abs(minutes) > 10, np.abs(minutes), 0.9 - 0.05 * np.abs(minutes)),
    ],
)
def test_what_is_no_bound_or_does_not_rise_is_refused(answer):
    assert not lesson.check("too_far", lambda minutes, mean: (answer(minutes), min(1, mean / 4))).passed


def test_the_share_that_the_other_kitchens_loss_permits_is_reached_and_never_passed():
    generator = np.random.default_rng(0)
    nearest = 1.0
    for share in np.linspace(0, 1, 11):
        off = np.where(np.arange(1000) < 1000 * share, 10 + 10 ** generator.uniform(-6, 1), generator.uniform(0, 10))
        for minutes in (off, np.where(off > 10, 10 + 1e-9, 0.0)):
            counted, permitted = np.mean(minutes > 10), min(1.0, np.mean((minutes / 5) ** 2) / 4)
            assert counted <= permitted
            nearest = min(nearest, permitted - counted) if counted else nearest
    assert nearest < 1e-6
    assert lesson.check("too_far", lambda minutes, mean: (abs(minutes) / 10, np.clip(mean / 4, 0, 1))).passed

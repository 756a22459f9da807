"""The picture of minimisers on their way shows where they were, and how far from the least loss."""

import numpy as np
import pytest

from lossacc_helpers.figures import draw
from lossacc_helpers.figures.minimisers import NAMES, Race, minimisers_picture
from lossacc_helpers.minimisers import Minimisation, bisect, gradient_descent
from tests.moving import forgets


def parabola(points):
    return 0.5 * np.sum(np.asarray(points) ** 2, axis=-1) + 2.0


def race(weights, *, names=NAMES, steps=10):
    way = gradient_descent(parabola, lambda x: x, 4.0 * np.ones(weights), rate=0.5, tolerance=0.01, steps=40)
    kept = Minimisation(*(getattr(way, part)[: steps + 1] for part in ("points", "values", "slopes", "evaluations")))
    ways = {name: kept for name in names if name != "bisection" or weights == 1}
    return Race(parabola, 2.0, ways, {"Newton": "gave up", "gradient descent": "arrived"} if steps < 10 else {})


def state(iteration=3, **settings):
    return {"one": race(1, **settings), "two": race(2, **settings), "iteration": iteration}


def picture():
    return minimisers_picture(span=6.0, steps=10)


def test_gaps_are_what_is_above_the_least_value():
    gaps = race(1).gaps("Newton", 10)
    np.testing.assert_allclose(gaps, 0.5 * (4.0 * 0.5 ** np.arange(len(gaps))) ** 2)
    assert (Race(parabola, 3e9, race(1).ways).gaps("Newton", 10) == 1e-12).all()  # below it: as near as can be drawn


def test_values_that_a_minimiser_did_not_ask_for_are_shown_too():
    way = bisect(lambda x: x[0], -5.0, 7.0)
    assert np.isnan(way.values).all()
    gaps = Race(parabola, 2.0, {"bisection": way}).gaps("bisection", 3)
    np.testing.assert_allclose(gaps, [0.5, 0.5 * 2.0**2, 0.5 * 0.5**2, 0.5 * 0.25**2], atol=1e-12)


def test_points_are_drawn_up_to_the_iteration():
    figure = draw(picture, **state(3))
    curve_axes, gap_axes, plane_axes = figure.axes[0], figure.axes[2], figure.axes[1]
    np.testing.assert_allclose(curve_axes.lines[0].get_ydata(), parabola(curve_axes.lines[0].get_xdata()[:, None]))
    trail = next(line for line in curve_axes.lines[1:] if len(line.get_xdata()) == 4)
    np.testing.assert_allclose(trail.get_xdata(), [4, 2, 1, 0.5])
    np.testing.assert_allclose(trail.get_ydata(), parabola(np.array([[4.0], [2], [1], [0.5]])))
    path = next(line for line in plane_axes.lines if len(line.get_xdata()) == 4)
    np.testing.assert_allclose(path.get_xydata(), np.array([4, 2, 1, 0.5])[:, None] * np.ones(2))
    assert any(list(line.get_xdata()) == [3, 3] for line in gap_axes.lines)


def test_the_readout_says_who_is_where_and_who_has_ended():
    told = picture().update(**state(8, steps=5))
    assert told.startswith(
        "Iteration 8, nats above the least loss, with one weight: bisection 0.0078 (12 evaluations), "
    )
    assert "Newton 0.0078 (12 evaluations, gave up at iteration 5)" in told
    assert "gradient descent 0.0078 (12 evaluations, arrived at iteration 5)" in told
    assert "with two weights: bisection cannot be used, Newton 0.016" in told
    before = picture().update(**state(4, steps=5))
    assert "gave up" not in before
    assert "arrived" not in before


def test_a_limit_that_is_not_reached_is_called_one():
    far = Race(parabola, -1e9, race(1).ways, reached=False)
    assert "nats above the limit, which no weights reach" in picture().update(one=far, two=race(2), iteration=0)
    near = Race(parabola, 1e9, race(1).ways)
    assert "bisection 1e-12 or less" in picture().update(one=near, two=race(2), iteration=0)


def test_a_picture_does_not_remember():
    forgets(picture, [state(0), state(10), state(4, names=("Newton",)), state(4), state(0)])


@pytest.mark.parametrize(("iteration", "message"), [(11, "at most 10; got 11"), (-1, "iteration"), (2.5, "iteration")])
def test_an_iteration_that_there_is_not_is_refused(iteration, message):
    with pytest.raises(ValueError, match=message):
        draw(picture, **state(iteration))

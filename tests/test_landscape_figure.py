"""The maps and curves of a landscape of weights are what the arithmetic says."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from lossacc_helpers.figures import draw
from lossacc_helpers.figures.landscape import Landscape, landscape_picture
from lossacc_helpers.surrogates import SURROGATES


@pytest.fixture(scope="module")
def landscape():
    generator = np.random.default_rng(0)
    signs = np.where(generator.random(40) < 0.5, 1.0, -1.0)
    features = np.c_[generator.normal(size=(40, 2)) + signs[:, None], np.ones(40)]
    return Landscape(features, signs, np.array([1.0, 0.5, -0.2]), np.eye(3)[:2])


def test_margins_are_those_of_the_weights_at_that_place(landscape):
    weights = landscape.centre + 0.7 * landscape.directions[0] - 0.3 * landscape.directions[1]
    np.testing.assert_allclose(landscape.margins(0.7, -0.3), landscape.signs * (landscape.features @ weights))
    assert landscape.margins(np.zeros((3, 1)), np.zeros(4)).shape == (3, 4, 40)


def test_steps_are_where_a_sample_crosses(landscape):
    for angle in (0, 30, 135):
        steps = landscape.steps(angle, 4.0)
        along = np.linspace(-4, 4, 20_001)
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        right = landscape.margins(along * cos, along * sin) > 0
        crossed = np.abs(np.diff(right.astype(int), axis=0)).sum()
        assert len(steps) == crossed > 0
        gaps = np.diff(steps)
        middles = (steps[:-1] + steps[1:])[gaps > 1e-6] / 2  # accuracy is one value from one step to the next
        for k, middle in enumerate(middles[:5]):
            near = landscape.margins(middle * cos, middle * sin) > 0
            reach = 0.49 * gaps[gaps > 1e-6][k]
            also = landscape.margins((middle + reach) * cos, (middle + reach) * sin) > 0
            np.testing.assert_array_equal(near, also)


def test_curves_are_the_scores_of_scikit_learn(landscape):
    figure = draw(lambda: landscape_picture(landscape), angle=0, reach=2.0, sharpness=1e3, loss="log")
    stairs, bowl = figure.axes[2].lines[0], figure.axes[3].lines[0]
    for place in (0, 400, 1200):
        weights = landscape.centre + stairs.get_xdata()[place] * landscape.directions[0]
        scores = landscape.features @ weights
        assert stairs.get_ydata()[place] == pytest.approx(accuracy_score(landscape.signs > 0, scores > 0))
        bits = log_loss(landscape.signs > 0, 1 / (1 + np.exp(-scores))) / np.log(2)
        assert bowl.get_ydata()[place] == pytest.approx(bits)
    smooth = figure.axes[2].lines[1]
    assert np.abs(smooth.get_ydata() - stairs.get_ydata()).mean() < 0.01  # so sharp that it is the staircase


def test_every_surrogate_has_its_bowl(landscape):
    by_hand = {
        "hinge": lambda margins: np.mean(np.where(margins < 1, 1 - margins, 0)),
        "exponential": lambda margins: np.mean(1 / np.exp(margins)),
        "squared": lambda margins: np.mean(1 - 2 * margins + margins**2),
        "perceptron": lambda margins: -margins[margins < 0].sum() / len(margins),
        "savage": lambda margins: np.mean((1 - np.tanh(margins / 2)) ** 2),
    }
    assert {*by_hand, "log"} == set(SURROGATES)
    picture = landscape_picture(landscape)
    for name, value in by_hand.items():
        told = picture.update(angle=40, reach=1.5, sharpness=0.3, loss=name)
        margins = landscape.margins(1.5 * np.cos(np.radians(40)), 1.5 * np.sin(np.radians(40)))
        assert picture.figure.axes[3].lines[0].get_ydata()[-1] == pytest.approx(value(margins))
        assert f"the {name} loss between" in told
        assert picture.figure.axes[1].texts[0].get_text().startswith(f"{name} loss, ")


def test_maps_and_curves_agree_where_they_meet(landscape):
    figure = draw(lambda: landscape_picture(landscape), angle=0, reach=1.0, sharpness=0.5, loss="log")
    for which in (0, 1):
        [image], line = figure.axes[which].images, figure.axes[2 + which].lines[0]
        middle_row = np.asarray(image.get_array())[40]
        np.testing.assert_allclose(middle_row, line.get_ydata()[::15], atol=1e-12)


def test_maps_are_right_way_up_and_say_their_range(landscape):
    figure = draw(lambda: landscape_picture(landscape), angle=0, reach=2.0, sharpness=0.5, loss="log")
    [image] = figure.axes[0].images
    values = np.asarray(image.get_array())
    for row, column in ((3, 70), (75, 10), (60, 44)):
        place = np.linspace(-2, 2, 81)
        weights = landscape.centre + place[column] * landscape.directions[0] + place[row] * landscape.directions[1]
        right = np.mean(landscape.signs * (landscape.features @ weights) > 0)
        assert values[row, column] == pytest.approx(right)
    assert image.origin == "lower"
    np.testing.assert_allclose(image.get_extent(), [-2.025, 2.025, -2.025, 2.025])
    titles = [axes.texts[0].get_text() for axes in figure.axes[:2]]
    least = np.asarray(figure.axes[1].images[0].get_array())
    assert titles[1] == f"log loss (bits), {least.min():.4g} (white) to {least.max():.4g}"
    low, high = image.get_clim()
    assert high - low == pytest.approx(0.12)  # what is further below is white
    assert titles[0] == f"accuracy, {low:.4g} or less (white) to {high:.4g}"
    close = draw(lambda: landscape_picture(landscape), angle=0, reach=1e-9, sharpness=0.5, loss="log")
    assert close.axes[0].texts[0].get_text() == f"accuracy, {values[40, 40]:.4g} throughout"
    low, high = close.axes[0].images[0].get_clim()
    assert high == values[40, 40] > low


def test_slopes_in_words_are_those_of_small_steps(landscape):
    told = landscape_picture(landscape).update(angle=70, reach=1.0, sharpness=3.0, loss="log")
    cos, sin = np.cos(np.radians(70)), np.sin(np.radians(70))
    ends = [landscape.margins((0.5 + step) * cos, (0.5 + step) * sin) for step in (-1e-5, 1e-5)]
    loss = np.diff([np.logaddexp(0, -one).mean() for one in ends])[0] / 2e-5 / np.log(2)
    smooth = np.diff([np.mean(1 / (1 + np.exp(-3 * one))) for one in ends])[0] / 2e-5
    assert f"the slope of the loss is {loss:+.2g}," in told
    assert f"smoothed accuracy (sharpness 3) {smooth:+.2g}." in told


def test_flowers_that_cross_in_one_place_make_one_step():
    features, signs = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, -1.0]]), np.array([1.0, -1.0, 1.0])
    twice = Landscape(features, signs, np.zeros(2), np.array([[1.0, 0.0], [0.0, 1.0]]))
    shifted = Landscape(features, signs, np.array([0.3, 0.1]), twice.directions)
    told = landscape_picture(shifted).update(angle=0, reach=2.0, sharpness=3.0, loss="log")
    assert "3 samples cross in 2 steps; accuracy" in told
    assert "1 sample crosses; accuracy" in landscape_picture(shifted).update(
        angle=0, reach=0.25, sharpness=3.0, loss="log"
    )


def test_a_close_look_leaves_the_stairs_flat_and_the_bowl_round(landscape):
    nearest = np.abs(landscape.steps(20, 100)).min()
    picture = landscape_picture(landscape)
    told = picture.update(angle=20, reach=0.5 * nearest, sharpness=0.1, loss="log")
    assert "0 samples cross; accuracy lies between" in told
    stairs, bowl = (picture.figure.axes[k].lines[0].get_ydata() for k in (2, 3))
    assert np.ptp(stairs) == 0 < np.ptp(bowl)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"angle": 0, "reach": 0, "sharpness": 1, "loss": "log"}, "reach must be finite and above 0"),
        ({"angle": np.nan, "reach": 1, "sharpness": 1, "loss": "log"}, "angle must be finite"),
        ({"angle": 0, "reach": 1, "sharpness": 0, "loss": "log"}, "sharpness must be finite and above 0"),
        ({"angle": 0, "reach": 1, "sharpness": 1, "loss": "focal"}, "there is no surrogate 'focal'; there are log, "),
    ],
)
def test_a_state_that_cannot_be_is_refused(landscape, state, message):
    with pytest.raises(ValueError, match=message):
        draw(lambda: landscape_picture(landscape), **state)


def test_arrays_that_do_not_fit_are_refused():
    rows, signs = np.ones((4, 2)), np.array([1.0, -1, 1, -1])
    with pytest.raises(ValueError, match=r"shapes \(coordinate,\) = \(2,\) and \(2, 2\); got \(3,\) and \(2, 3\)"):
        Landscape(rows, signs, np.zeros(3), np.eye(3)[:2])
    with pytest.raises(ValueError, match="centre and directions must be finite"):
        Landscape(rows, signs, np.array([0.0, np.nan]), np.eye(2))
    with pytest.raises(ValueError, match="signs must be -1 or 1"):
        Landscape(rows, 2 * signs, np.zeros(2), np.eye(2))

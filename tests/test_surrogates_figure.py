"""The panels of surrogates draw their values and slopes."""

import numpy as np
import pytest

from lossacc_helpers.figures.surrogates import surrogates_figure
from lossacc_helpers.surrogates import SURROGATES, zero_one


def test_each_panel_draws_the_step_the_pull_and_the_loss():
    figure = surrogates_figure(list(SURROGATES), title="Six ways to count errors")
    assert len(figure.axes) == len(SURROGATES)
    for axes, one in zip(figure.axes, SURROGATES.values(), strict=True):
        step, pull, loss = axes.lines
        margins = loss.get_xdata()
        np.testing.assert_array_equal(step.get_ydata(), zero_one(margins))
        np.testing.assert_allclose(pull.get_ydata(), -one.slope(margins))
        np.testing.assert_allclose(loss.get_ydata(), one.value(margins))
        assert one.name in [text.get_text() for text in axes.texts]
    assert "perceptron: no bound, convex" in figure.sentence
    assert "savage: bounds the errors, not convex" in figure.sentence


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "one to 6 surrogates; got 0"),
        (["log"] * 7, "got 7"),
        (["ramp"], "no surrogate 'ramp'; there are log, hinge"),
    ],
)
def test_what_cannot_be_drawn_is_refused(names, message):
    with pytest.raises(ValueError, match=message):
        surrogates_figure(names, title="No")

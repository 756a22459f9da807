"""The picture of metrics shows what it is given: counts, curves, bars, and the dot at the threshold."""

import numpy as np
import pytest
from sklearn import metrics

from lossacc_helpers.figures import draw
from lossacc_helpers.figures.metrics import Judged, metrics_picture, ratio_figure
from lossacc_helpers.figures.style import ACCURACY, LOSS
from tests.moving import forgets

NAMES = ("accuracy", "Matthews correlation", "log loss saved")


def judged(seed=0):
    generator = np.random.default_rng(seed)
    rare = generator.random(200) < 0.1
    given = 1 / (1 + np.exp(-generator.normal(size=200) - 2.0 * rare + 1.0))
    false, found, _ = metrics.roc_curve(rare, given)
    precision, recall, _ = metrics.precision_recall_curve(rare, given)
    return Judged(rare, given, np.stack([false, found], axis=1), np.stack([recall, precision], axis=1))


def state(threshold=0.4, **settings):
    values = {"accuracy": 0.9, "Matthews correlation": -0.1, "log loss saved": -2.0}
    return {
        "judged": judged(),
        "threshold": threshold,
        "marked": 0.1,
        "values": values,
        "baseline": dict.fromkeys(NAMES, 0.5),
        **settings,
    }


def picture():
    return metrics_picture(NAMES)


def test_counts_are_those_of_the_classes():
    figure, kept = draw(picture, **state()), judged()
    patches = figure.axes[0].patches
    for part, which in ((patches[:25], ~kept.rare), (patches[25:], kept.rare)):
        expected, _ = np.histogram(kept.probabilities[which], np.linspace(0, 1, 26) ** 2)
        tops = [patch.get_height() + 0.6 for patch in part]
        np.testing.assert_allclose(tops, np.maximum(expected, 0.6))


@pytest.mark.parametrize("threshold", [0.1, 0.4, 0.7])
def test_the_dots_lie_where_the_threshold_puts_them(threshold):
    figure, kept = draw(picture, **state(threshold)), judged()
    called = kept.probabilities > threshold
    recall = metrics.recall_score(kept.rare, called)
    false = np.mean(called[~kept.rare])
    dots = [figure.axes[k].lines[-1].get_xydata()[0] for k in (1, 2)]
    np.testing.assert_allclose(dots[0], [false, recall])
    np.testing.assert_allclose(dots[1], [recall, metrics.precision_score(kept.rare, called)])
    # Both dots lie on their curves.
    curve = figure.axes[1].lines[1].get_xydata()
    assert np.interp(false, curve[:, 0], curve[:, 1]) >= recall - 1e-9
    lines = [line.get_xdata()[0] for line in figure.axes[0].lines]
    assert lines == [threshold, 0.1]


def test_where_nobody_is_called_precision_has_no_dot():
    figure = draw(picture, **state(1.0))
    assert len(figure.axes[2].lines[-1].get_xdata()) == 0
    assert "Above 1.00: 0 of the rare found, 0 false alarms, so precision is undefined." in figure.readout


def test_bars_have_their_values_and_what_is_below_the_picture_is_cut_and_said():
    figure = draw(picture, **state())
    bars = figure.axes[3].patches
    np.testing.assert_allclose([bar.get_width() for bar in bars], [0.9, -0.1, -0.25])
    assert [text.get_text() for text in figure.axes[3].texts] == ["0.900", "-0.100", "-2.000"]
    colours = ["#{:02X}{:02X}{:02X}".format(*(round(255 * part) for part in bar.get_facecolor()[:3])) for bar in bars]
    assert (colours[0], colours[2]) == (ACCURACY, LOSS)
    assert "accuracy 0.900 (0.500), Matthews correlation -0.100 (0.500)" in figure.readout


def test_a_picture_does_not_remember():
    forgets(picture, [state(0.1), state(1.0), state(0.5, marked=0.9, judged=judged(3)), state(0.1, more="And more.")])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"threshold": 1.5}, r"threshold must lie in \[0, 1\]; got 1.5"),
        ({"marked": -0.1}, r"marked must lie in \[0, 1\]; got -0.1"),
        ({"values": {"accuracy": 1.0}}, "values and baseline must name 'Matthews correlation'"),
    ],
)
def test_a_state_that_cannot_be_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        draw(picture, **state(**changed))


def test_ratios_are_drawn_with_every_draw_and_their_median():
    values = {"accuracy": [[0.9, 0.8, 0.7], [0.95, 0.9, 0.85]], "PR AUC": [[0.5, 0.4, 0.3], [0.2, 0.1, 0.0]]}
    figure = ratio_figure([10, 20], values, title="One sinks", xlabel="others to one")
    axes = figure.axes[0]
    bold = [line.get_ydata() for line in axes.lines if line.get_linewidth() > 2]
    np.testing.assert_allclose(bold, [[0.8, 0.9], [0.4, 0.1]])
    assert len(axes.lines) == 2 * (3 + 1)
    assert "accuracy from 0.80 to 0.90; PR AUC from 0.40 to 0.10" in figure.sentence

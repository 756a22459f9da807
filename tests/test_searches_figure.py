"""Boundaries and costs of searches are drawn where the arithmetic puts them."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from lossacc_helpers.figures.searches import boundaries_figure, cost_figure
from lossacc_helpers.figures.style import ACCURACY, LOSS

POINTS = np.array([[-2.0, 1.0], [-1.0, -1.0], [1.0, 0.0], [2.0, 3.0], [3.0, -2.0]])
SIGNS = np.array([-1.0, -1.0, 1.0, 1.0, -1.0])


def panels(count=1):
    lines = {"upright": [1.0, 0.0, 0.0], "aslant": [1.0, 1.0, 0.5]}
    return {f"panel {k}": (POINTS, SIGNS, lines) for k in range(count)}


def test_a_boundary_is_where_its_score_is_0():
    axes = boundaries_figure(panels(), title="Two lines").axes[0]
    drawn = [line for line in axes.lines if line.get_linestyle() != "None"]
    assert [to_hex(line.get_color()).upper() for line in drawn] == [LOSS, ACCURACY]
    for line, weights in zip(drawn, ([1.0, 0.0, 0.0], [1.0, 1.0, 0.5]), strict=True):
        xy = line.get_xydata()
        np.testing.assert_allclose(xy @ weights[:2] + weights[2], 0, atol=1e-9)
        for low, high in (axes.get_xlim(), axes.get_ylim()):
            assert low > -10
            assert high < 10
        assert np.ptp(xy, axis=0).max() > 20  # from edge to edge


def test_errors_are_counted_by_hand():
    # Upright: only (3, -2) is wrong. Aslant: scores are -0.5, -1.5, 1.5, 5.5, 1.5, so again only that one.
    figure = boundaries_figure(panels(3), title="Two lines")
    assert "panel 2: 1 wrong by upright, 1 wrong by aslant" in figure.sentence
    assert [text.get_text() for text in figure.axes[1].texts] == ["panel 1: ", "1", "1"]
    # A sample on the boundary has no answer, and is an error.
    on = boundaries_figure({"on": ([[0.0, 1.0], [2.0, 0.0]], [1.0, 1.0], {"upright": [1.0, 0.0, 0.0]})}, title="On")
    assert "1 wrong by upright" in on.sentence


def test_weights_without_a_direction_draw_no_line():
    figure = boundaries_figure({"none": (POINTS, SIGNS, {"constant": [0.0, 0.0, 1.0]})}, title="A constant")
    [line] = [line for line in figure.axes[0].lines if line.get_linestyle() != "None"]
    assert len(line.get_xdata()) == 0
    assert "3 wrong by constant" in figure.sentence


def test_nothing_written_runs_out_of_the_picture():
    figure = boundaries_figure(panels(4), title="Two lines")
    figure.pixels()
    renderer = figure.agg.get_renderer()
    for text in [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0
        assert box.x1 <= 840


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "panels must hold one panel at least"),
        ({"a": (POINTS, SIGNS, {})}, "the same boundaries, one to three"),
        (
            {"a": (POINTS, SIGNS, {"x": [1.0, 0, 0]}), "b": (POINTS, SIGNS, {"y": [1.0, 0, 0]})},
            "the same boundaries, one to three",
        ),
        ({"a": (POINTS[:, :1], SIGNS, {"x": [1.0, 0, 0]})}, r"features must have shape \(sample, 2\); got \(5, 1\)"),
        ({"a": (POINTS, SIGNS, {"x": [1.0, 0.0]})}, r"x must have shape \(3,\), the intercept last; got \(2,\)"),
    ],
)
def test_panels_that_cannot_be_drawn_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        boundaries_figure(wrong, title="Nothing")


def test_costs_are_drawn_with_their_medians_and_what_did_not_suffice_above_the_limit():
    costs = {"quick": [[10, 20, 30], [20, 40, 90]], "slow": [[100, 300, np.inf], [np.inf, np.inf, 5]]}
    figure = cost_figure([3, 9], costs, limit=1000, title="Slow is slow", ylabel="evaluations")
    axes = figure.axes[0]
    bold = [line for line in axes.lines if line.get_linestyle() == "-"]
    np.testing.assert_allclose(bold[0].get_xydata(), [[3, 20], [9, 40]])
    np.testing.assert_allclose(bold[1].get_xydata(), [[3, 300]])  # the median of the other is beyond the limit
    assert "quick: 20 for 3, 40 for 9 weights; slow: 300 for 3, more than 1,000 for 9 weights" in figure.sentence
    seeds = np.concatenate([line.get_ydata().ravel() for line in axes.lines if line.get_linestyle() == "None"])
    assert np.isfinite(seeds).all()
    assert (seeds > 1000).sum() == 3
    assert axes.get_ylim()[1] > seeds.max()

"""Crossed causes and interventions are drawn where their names say, counted from the data, and legible."""

import re
import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.text import Text

from lossacc_helpers.figures.corners import effects_figure, statistics_figure
from lossacc_helpers.figures.log_axis import factor_limits, loss_ticks
from lossacc_helpers.figures.style import LOSS, MEDIAN_WIDTH, REFERENCE, pale

NAMES = tuple(
    f"{row}, {column}" for row in ("moving average 0.99", "recomputed") for column in ("dropout on", "dropout off")
)
LEVELS = dict(zip(NAMES, (2.0, 1.2, 0.9, 0.4), strict=True))
SPIKES = dict(zip(NAMES, (3, 2, 1, 0), strict=True))


def four(names=NAMES, *, networks=4, epochs=12):
    """Level curves, of which the first networks have a spike each of five times the level, at epoch 5."""
    curves = {}
    for name in names:
        losses = LEVELS[name] * np.linspace(0.98, 1.02, networks)[:, None] * np.ones(epochs)
        losses[: SPIKES[name], 4] *= 5
        curves[name] = losses
    return curves


def noisy():
    """Ten networks over 100 epochs, up and down by about a half from epoch to epoch."""
    generator = np.random.default_rng(0)
    return {name: level * np.exp(generator.normal(0, 0.4, (10, 100))) for name, level in LEVELS.items()}


def texts_of(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def assert_legible(figure):
    """Whatever is written lies within the figure, and nothing on anything else."""
    figure.pixels()
    width, height = figure.size_in_pixels
    texts = [text for axes in figure.axes for text in (*axes.texts, axes.xaxis.label, axes.yaxis.label)] + figure.texts
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            boxes += [
                tick.label1.get_window_extent()
                for tick in axis.get_major_ticks()
                if tick.label1.get_visible() and tick.label1.get_text() and low <= tick.get_loc() <= high
            ]
    for box in boxes:
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)


# Four corners


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0)])
def test_every_corner_is_where_its_name_says_in_whatever_order(order):
    names = [NAMES[k] for k in order]
    figure = statistics_figure(four(names), title="A title")
    figure.pixels()
    rows = {text.get_text(): text for text in figure.texts if text.get_text().startswith("statistics:")}
    columns = {text.get_text(): text for text in figure.findobj(Text) if text.get_text().startswith("gathered with")}
    assert set(rows) == {"statistics:\nmoving\naverage\n0.99", "statistics:\nrecomputed"}
    assert set(columns) == {"gathered with dropout on", "gathered with dropout off"}
    for name in NAMES:
        row, column = name.split(", ")
        down = next(text for key, text in rows.items() if key.split("\n")[1] == row.split(" ")[0]).get_window_extent()
        across = columns[f"gathered with {column}"].get_window_extent()
        [axes] = [
            axes
            for axes in figure.axes
            if axes.bbox.x0 < across.x0 + across.width / 2 < axes.bbox.x1
            and axes.bbox.y0 < down.y0 + down.height / 2 < axes.bbox.y1
        ]
        bold = next(line for line in axes.lines if line.get_linewidth() == MEDIAN_WIDTH)
        np.testing.assert_allclose(bold.get_ydata()[0], LEVELS[name], rtol=0.02)


def test_spikes_are_counted_in_the_data_and_ringed():
    figure = statistics_figure(four(), title="A title")
    told = {
        "moving average 0.99, dropout on": "3 spikes in 4 networks",
        "moving average 0.99, dropout off": "2 spikes in 4 networks",
        "recomputed, dropout on": "1 spike in 4 networks",
        "recomputed, dropout off": "0 spikes in 4 networks",
    }
    for axes, (name, words) in zip(figure.axes, told.items(), strict=True):
        assert f"○ {words}" in [text.get_text() for text in axes.texts]
        assert f"{name}: {words}, the median loss" in figure.sentence
        [rings] = [line for line in axes.lines if line.get_marker() == "o"]
        np.testing.assert_array_equal(rings.get_xdata(), [5] * SPIKES[name])
        np.testing.assert_allclose(rings.get_ydata(), four()[name][: SPIKES[name], 4])
    assert figure.sentence.startswith("A title. Validation loss over epochs, four times. ")
    # Of 4 networks, 3 have the spike: the median of 1.96, 1.9867, 2.0133 times 5 and 2.04 is 9.87 at the spike.
    assert "dropout on: 3 spikes in 4 networks, the median loss at most 9.87 and at the end 2.00" in figure.sentence


def test_all_corners_share_their_axes_and_show_chance():
    figure = statistics_figure(four(), title="A title")
    assert len({axes.get_ylim() for axes in figure.axes} | {axes.get_xlim() for axes in figure.axes}) == 2
    assert {axes.get_yscale() for axes in figure.axes} == {"log"}
    for axes in figure.axes:
        [chance] = [line for line in axes.lines if to_hex(line.get_color()) == REFERENCE.lower()]
        np.testing.assert_allclose(chance.get_ydata(), np.log(2))
    assert texts_of(figure).count("chance\n0.69") == 2


def test_single_networks_are_thin_and_pale():
    figure = statistics_figure(four(), title="A title")
    for axes in figure.axes:
        [thin] = axes.collections
        assert len(thin.get_segments()) == 4
        assert to_hex(thin.get_color()[0]) == pale(LOSS)


@pytest.mark.parametrize(
    "curves",
    [four(), four(networks=1), noisy(), {name: values * 1e-4 for name, values in four().items()}],
    ids=["some", "one network", "many", "tiny losses"],
)
def test_the_four_corners_are_legible_and_small_to_store(curves):
    figure = statistics_figure(
        curves, title="The lag makes the stuck start and the spikes, dropout lifts the whole curve"
    )
    assert_legible(figure)
    assert len(figure.png(small=True)) < 60_000


@pytest.mark.parametrize(
    "names",
    [
        (),
        NAMES[:3],
        ("a, b", "a, c", "a, d", "a, e"),
        ("a, b", "a, c", "d, b", "d, e"),
        ("a", "b", "c", "d"),
        ("a, b", "a, c", "d, b", "d"),
        (*NAMES, "momentum 0.9, dropout on"),
    ],
)
def test_names_that_fill_no_grid_of_four_are_refused(names):
    with pytest.raises(ValueError, match=r"curves must be four, named 'row, column' in two rows and two columns"):
        statistics_figure(dict.fromkeys(names, np.ones((2, 5))), title="A title")


def test_curves_without_epochs_are_refused():
    with pytest.raises(ValueError, match="the losses of 'recomputed, dropout off' need an epoch axis"):
        statistics_figure(four() | {NAMES[3]: np.array(0.3)}, title="A title")
    with pytest.raises(ValueError, match="at least 3 epochs"):
        statistics_figure(four() | {NAMES[3]: np.ones((4, 2))}, title="A title")


def test_infinite_and_huge_spikes_have_their_rings_at_the_upper_end():
    for most in (np.inf, 1e308):
        losses = np.array([1.0, 1.0, most, 1.0, 1.0])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            figure = statistics_figure(dict.fromkeys(NAMES, losses), title="A title")
            figure.pixels()
        for axes in figure.axes:
            [rings] = [line for line in axes.lines if line.get_marker() == "o"]
            np.testing.assert_allclose(rings.get_xydata(), [[3, axes.get_ylim()[1]]])
            assert axes.get_ylim()[1] < 100


def test_long_names_stay_within_the_figure():
    names = [
        f"{row}, {column}"
        for row in ("mean of the whole training", "extraordinarilylongword")
        for column in ("dropout switched on as it was while it was trained", "dropout off")
    ]
    assert_legible(statistics_figure({name: noisy()[NAMES[0]] for name in names}, title="A title"))


def test_curves_that_are_no_losses_are_named():
    with pytest.raises(ValueError, match=r"the losses of 'recomputed, dropout off': losses must be numbers .* got nan"):
        statistics_figure(four() | {NAMES[3]: np.full((4, 12), np.nan)}, title="A title")


# Interventions

EFFECTS = {
    "stuck start (epochs)": {"as asked": (9.0, 7.5, 10.25), "dropout off": (6.0, 4.0, 8.0), "both": (0.0, 0.0, 0.5)},
    "spikes per network": {"as asked": (4.0, 3.0, 5.0), "dropout off": (4.5, 3.5, 5.5), "both": (0.1, 0.0, 0.3)},
}


def test_each_intervention_has_its_dot_its_interval_and_its_numbers_in_every_panel():
    figure = effects_figure(EFFECTS, title="What is left?")
    for axes, (name, rows) in zip(figure.axes, EFFECTS.items(), strict=True):
        assert axes.get_xlabel() == name
        reference, dots = axes.lines
        np.testing.assert_allclose(dots.get_xydata(), [[values[0], k] for k, values in enumerate(rows.values())])
        np.testing.assert_allclose(reference.get_xdata(), rows["as asked"][0])
        [bars] = axes.collections
        np.testing.assert_allclose(
            bars.get_segments(), [[[values[1], k], [values[2], k]] for k, values in enumerate(rows.values())]
        )
        assert axes.yaxis.get_inverted()
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "9.0 (7.5 to 10.2)",
        "6.0 (4.0 to 8.0)",
        "0.0 (0.0 to 0.5)",
    ]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["as asked", "dropout off", "both"]
    assert figure.sentence == (
        "What is left? Estimates with their intervals. stuck start (epochs): as asked 9.0 (7.5 to 10.2), dropout off "
        "6.0 (4.0 to 8.0), both 0.0 (0.0 to 0.5). spikes per network: as asked 4.0 (3.0 to 5.0), dropout off 4.5 "
        "(3.5 to 5.5), both 0.1 (0.0 to 0.3)."
    )


@pytest.mark.parametrize(
    ("rows", "written"),
    [
        ({"a": (0.04, 0.03, 0.05), "b": (0.02, 0.01, 0.04)}, ["0.04 (0.03 to 0.05)", "0.02 (0.01 to 0.04)"]),
        ({"a": (-0.04, -0.05, -0.03), "b": (0, 0, 0)}, ["-0.04 (-0.05 to -0.03)", "0.00 (0.00 to 0.00)"]),
        ({"a": (-0.04, -1.05, 1.0), "b": (2, 1, 4)}, ["0 (-1 to 1)", "2 (1 to 4)"]),
        ({"a": (150, 120, 190.0), "b": (104, 81, 108.0)}, ["150 (120 to 190)", "104 (81 to 108)"]),
        ({"a": (1e300, 0, 2e300)}, ["1e+300 (0 to 2e+300)"]),
        ({"a": (0.334, 0.334, 0.334)}, ["0.33 (0.33 to 0.33)"]),
    ],
)
def test_numbers_have_the_decimals_that_their_intervals_need(rows, written):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = effects_figure({"effect": rows}, title="A title")
    assert [text.get_text() for text in figure.axes[0].texts] == written


def test_three_panels_with_long_names_are_legible():
    name = "recomputed statistics gathered with dropout switched off in all layers"
    rows = {name: (150, 120, 190.0), "cured": (104, 101, 108.0)}
    panels = {f"spikes per network {k} (per 45 epochs of training)": rows for k in range(3)}
    assert_legible(effects_figure(panels, title="A title"))
    assert_legible(effects_figure(dict(list(panels.items())[:2]), title="A title"))


@pytest.mark.parametrize("scale", [0.0, 1.0, -1.0, 40.0])
def test_nine_interventions_with_long_names_are_legible(scale):
    names = [f"{k}: all dropout moved to the very end" for k in range(9)]
    panel = {name: tuple(np.sort(scale * np.array([1.0, 2.0, 3.0]))[[1, 0, 2]]) for name in names}
    figure = effects_figure({"stuck start (epochs)": panel, "spikes per network": panel}, title="A title")
    assert_legible(figure)
    assert len(figure.png(small=True)) < 60_000


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        ({}, "every panel must give the same interventions in the same order, one at least"),
        ({str(k): {"a": (1, 0, 2)} for k in range(4)}, "effects must be at most 3 panels, to be legible; got 4"),
        ({"spikes": {}}, "every panel must give the same interventions in the same order, one at least"),
        ({"spikes": {"a": (1, 0, 2)}, "start": {"b": (1, 0, 2)}}, "every panel must give the same interventions"),
        ({"spikes": {"a": (3, 0, 2)}}, "spikes, 'a' must be an estimate and the ends of its interval; got (3, 0, 2)"),
        ({"spikes": {"a": (1, 2)}}, "spikes, 'a' must be an estimate and the ends of its interval; got (1, 2)"),
        ({"spikes": {"a": (1, 0, np.inf)}}, "spikes, 'a' must be an estimate and the ends of its interval"),
    ],
)
def test_effects_that_cannot_be_compared_are_named(effects, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        effects_figure(effects, title="A title")


# The axis of losses


@given(st.floats(-9, 2), st.floats(0, 9))
def test_an_axis_of_losses_holds_them_and_has_a_few_round_ticks(least, decades):
    losses = 10 ** np.array([least, least + decades / 2, least + decades])
    low, high = factor_limits(losses)
    assert low < losses.min()
    assert losses.max() < high
    assert high / low >= 6 * (1 - 1e-9)
    ticks = loss_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    for tick in ticks:
        assert low <= tick <= high
        assert f"{tick:.0e}"[0] in "125"
        assert float(f"{tick:.0e}") == tick


def test_losses_without_a_place_on_a_logarithmic_axis_do_not_shape_it():
    assert factor_limits(np.array([0.0, np.nan, np.inf, 1.0, 10.0])) == factor_limits(np.array([1.0, 10.0]))
    assert factor_limits(np.array([0.0, np.nan])) == (0.1, 10.0)

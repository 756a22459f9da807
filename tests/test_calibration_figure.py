"""The pictures of calibration show what the arrays say, and stay what they are when a state is refused."""

import numpy as np
import pytest

from lossacc_helpers import at_temperature, reliability
from lossacc_helpers.figures import draw, reliability_figure
from lossacc_helpers.figures.calibration import calibration_picture
from lossacc_helpers.history import PredictionHistory

HEATS = (0.5, 1.0, 2.0)


@pytest.fixture(scope="module")
def history():
    """Four epochs in which 200 samples of 3 classes are answered ever more boldly."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(200, 3))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([generator.choice(3, p=row) for row in chances])
    epochs = np.stack([boldness * logits for boldness in (0.5, 1.0, 2.0, 4.0)])
    logs = np.stack([at_temperature(epochs, heat) for heat in HEATS])
    return PredictionHistory(labels, logs).compact()


def line_of(axes, k):
    return axes.lines[k].get_xdata(), axes.lines[k].get_ydata()


def test_losses_are_drawn_as_printed_at_the_temperature_and_at_the_best(history):
    figure = draw(lambda: calibration_picture(HEATS, truth=0.8), history=history, epoch=3, temperature=2.0)
    losses = figure.axes[0]
    np.testing.assert_allclose(line_of(losses, 0)[1], history.loss[1])
    np.testing.assert_allclose(line_of(losses, 1)[1], history.loss[2])
    np.testing.assert_allclose(line_of(losses, 2)[1], history.loss.min(axis=0))
    assert any(line.get_ydata()[0] == 0.8 for line in losses.lines)
    assert losses.lines[1].get_visible()
    plain = draw(lambda: calibration_picture(HEATS), history=history, epoch=3, temperature=1.0)
    assert not plain.axes[0].lines[1].get_visible()


def test_the_diagram_is_of_the_epoch_and_the_temperature(history):
    figure = draw(lambda: calibration_picture(HEATS), history=history, epoch=4, temperature=2.0)
    chosen = history.replica(2)
    found = reliability(chosen.correct[3], chosen.top_probabilities[3], bins=12)
    filled = found.counts > 0
    diagram = figure.axes[1]
    points = next(line for line in diagram.lines if line.get_marker() == "o")
    np.testing.assert_allclose(points.get_xdata(), found.confidence[filled])
    np.testing.assert_allclose(points.get_ydata(), found.accuracy[filled])
    heights = [bar.get_height() for bar in diagram.patches]
    np.testing.assert_allclose(heights, 0.22 * found.counts / found.counts.max())
    low, high = (limit[filled] for limit in found.interval())
    drawn = np.array(diagram.collections[0].get_segments())
    np.testing.assert_allclose(drawn[:, 0, 1], low)
    np.testing.assert_allclose(drawn[:, 1, 1], high)


def test_the_readout_says_whether_confidence_is_too_bold(history):
    picture = calibration_picture(HEATS)
    bold = picture.update(history=history, epoch=4, temperature=1.0)
    timid = picture.update(history=history, epoch=1, temperature=2.0)
    assert "too bold by" in bold
    assert "too timid by" in timid
    one = history.replica(1)
    assert f"loss {one.loss[3]:.3f} (printed {one.loss[3]:.3f}, at the best temperature" in bold
    assert f"accuracy {one.accuracy[3]:.3f}" in bold
    error = reliability(one.correct[3], one.top_probabilities[3], bins=12).error
    assert f"Expected calibration error {error:.3f}; calibrated predictions would show 0.0" in bold


def test_a_state_that_cannot_be_leaves_the_picture_as_it_is(history):
    picture = calibration_picture(HEATS)
    picture.update(history=history, epoch=2, temperature=2.0)
    before = picture.figure.pixels()
    for state, message in (
        ({"epoch": 5}, "epoch must be at most 4, all that the history has; got 5"),
        ({"epoch": 0}, "epoch must be"),
        ({"temperature": 1.5}, r"temperature must be one of \(0.5, 1.0, 2.0\); got 1.5"),
        ({"history": history.replica(0)}, "history must have a leading axis of 3 temperatures"),
    ):
        with pytest.raises(ValueError, match=message):
            picture.update(**{"history": history, "epoch": 2, "temperature": 2.0} | state)
    np.testing.assert_array_equal(picture.figure.pixels(), before)
    with pytest.raises(ValueError, match="temperatures must hold 1, at which the loss is printed"):
        calibration_picture((0.5, 2.0))


def test_what_was_shown_before_leaves_no_trace(history):
    picture = calibration_picture(HEATS, truth=0.7)
    for state in ((4, 1.0), (1, 2.0), (3, 0.5)):
        picture.update(history=history, epoch=state[0], temperature=state[1])
        fresh = draw(lambda: calibration_picture(HEATS, truth=0.7), history=history, epoch=state[0],
                     temperature=state[1])  # fmt: skip
        np.testing.assert_array_equal(picture.figure.pixels(), fresh.pixels())


def test_diagrams_stand_side_by_side(history):
    one = history.replica(1)
    diagrams = {
        f"epoch {k + 1}": reliability(one.correct[k], one.top_probabilities[k], bins=8, equal_counts=k == 1)
        for k in range(3)
    }
    figure = reliability_figure(diagrams, title="Ever bolder")
    assert len(figure.axes) == 3
    for name, found in diagrams.items():
        assert f"{name}: confidence {found.overconfidence:+.3f} above accuracy" in figure.sentence
    assert figure.sentence.startswith("Ever bolder. Accuracy against confidence in bins.")
    assert figure.png(small=True)[1:4] == b"PNG"
    for wrong in ({}, {str(k): diagrams["epoch 1"] for k in range(4)}):
        with pytest.raises(ValueError, match="diagrams must be one to 3"):
            reliability_figure(wrong, title="None")


def test_the_dot_points_to_where_it_would_be_outside_the_frame(history):
    figure = draw(lambda: calibration_picture(HEATS), history=history, epoch=1, temperature=0.5)
    losses = figure.axes[0]
    [dot] = [line for line in losses.lines if line.get_marker() in "ov^" and len(line.get_xdata()) == 1]
    low, high = losses.get_ylim()
    height = float(history.loss[0, 0])
    assert dot.get_marker() == ("^" if height > high else "v" if height < low else "o")
    sunk = draw(lambda: calibration_picture(HEATS), history=with_first_loss(history, 40.0), epoch=1, temperature=1.0)
    [dot] = [line for line in sunk.axes[0].lines if line.get_marker() == "^"]
    assert dot.get_ydata()[0] == sunk.axes[0].get_ylim()[1] < 40


def test_a_loss_that_is_infinite_leaves_the_frame_to_the_others(history):
    figure = draw(
        lambda: calibration_picture(HEATS), history=with_first_loss(history, np.inf), epoch=3, temperature=1.0
    )
    low, high = figure.axes[0].get_ylim()
    assert 0 < low < high < 5


def with_first_loss(history, loss):
    """The same history, in whose first epoch one sample costs so much that the mean is `loss` at least."""
    logs, right = history.true_log_probabilities.copy(), history.correct.copy()
    logs[:, 0, 0], right[:, 0, 0] = -loss * history.samples, False
    return PredictionHistory.from_compact(
        history.labels, logs, history.top_probabilities, right, classes=history.classes
    )


def test_areas_of_grey_bars_are_numbers_of_samples():
    confidence = np.concatenate([np.linspace(0.3, 0.4, 90), np.linspace(0.5, 1.0, 30)])
    found = reliability(np.ones(120, dtype=bool), confidence, bins=4, equal_counts=True)
    bars = reliability_figure({"one": found}, title="Bars").axes[0].patches
    areas = np.array([bar.get_width() * bar.get_height() for bar in bars])
    np.testing.assert_allclose(areas / areas.sum(), found.counts / 120)

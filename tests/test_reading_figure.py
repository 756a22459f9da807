"""Curves are read and causes compared whatever a training reports, and what cannot be read is refused in words."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from lossacc_helpers import TrainingRun, accuracy_change_interval
from lossacc_helpers.figures import draw
from lossacc_helpers.figures.causes import causes_figure
from lossacc_helpers.figures.reading import Movement, judge, reading_picture, smoothed
from lossacc_helpers.figures.style import REFERENCE
from lossacc_helpers.history import PredictionHistory, StepHistory

RISE = Movement("A", "validation", 1, 4)
READING = {"points": 32, "smoothing": 0.0, "validation_samples": 40, "draw": 0, "marked": (), "tell": False}


def some_run(*, epochs=4, kept=64, classes=13, losses=None):
    """A training on 64 samples in batches of 32, of which the beliefs of some are kept."""
    generator = np.random.default_rng(0)

    def history(count):
        correct = generator.random((epochs, count)) < 0.3
        top = np.where(correct, 0.6, 0.7)
        return PredictionHistory.from_compact(
            generator.integers(classes, size=count), np.log(np.where(correct, 0.6, 0.05)), top, correct, classes=classes
        )

    steps = 2 * epochs
    losses = np.linspace(2.5, 1.5, steps) if losses is None else losses
    reported = StepHistory(losses, generator.integers(2, 20, steps), np.full(steps, 32), steps_per_epoch=2)
    return TrainingRun(history(kept), history(40), steps=reported)


@pytest.fixture
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# Smoothing


def test_smoothing_passes_over_what_is_not_finite_as_tensorboard_does():
    values = np.array([np.nan, 1.0, 3.0, np.inf, np.nan, 5.0])
    there = np.isfinite(values)
    curve = smoothed(values, 0.6)
    np.testing.assert_array_equal(curve[~there], values[~there])
    np.testing.assert_allclose(curve[there], smoothed(values[there], 0.6))
    assert values[1] == 1.0  # and what was given is left alone


@pytest.mark.parametrize("values", [1.0, np.ones((3, 2))])
def test_only_one_curve_is_smoothed(values):
    with pytest.raises(ValueError, match=r"values must be one curve, of shape \(point,\)"):
        smoothed(values, 0.5)


# Reading


def test_an_epoch_is_as_long_as_its_steps_however_few_beliefs_were_kept():
    whole, part = some_run(), replace(some_run(kept=13), steps=some_run().steps)
    movement = Movement("A", "training", 1, 4)
    [one], [other] = (judge(run, [movement], points=32, validation_samples=40, draw=0) for run in (whole, part))
    assert (one.steps, one.heights) == (other.steps, other.heights)
    assert one.steps == (0.5, 3.5)
    figure = draw(lambda: reading_picture([RISE]), run=part, **READING)
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), np.arange(1, 9))


def test_chance_is_that_of_the_run_that_is_shown():
    picture = reading_picture([])
    for classes in (13, 5):
        picture.update(run=some_run(classes=classes), **READING)
        [chance] = [line for line in picture.figure.axes[1].lines if to_hex(line.get_color()) == REFERENCE.lower()]
        np.testing.assert_allclose(chance.get_ydata(), 1 / classes)


@pytest.mark.parametrize(
    ("losses", "limits"),
    [
        ([2.5, 2, np.inf, 1, np.nan, np.nan, np.nan, np.nan], (0, 3)),
        ([np.nan] * 8, (0, 1)),
        ([0.0] * 8, (0, 1)),
        (-np.arange(8.0), (-7.7, 0.7)),
        ([1.0, -np.inf] * 4, (0, 1)),
    ],
    ids=["diverges", "never a loss", "zero", "negative", "infinite"],
)
@pytest.mark.usefixtures("no_warnings")
def test_any_losses_can_be_read(losses, limits):
    figure = draw(lambda: reading_picture([RISE]), run=some_run(losses=losses), **READING)
    figure.png()
    assert figure.axes[0].get_ylim() == pytest.approx(limits)
    diverged = not np.isfinite(losses[-1])
    assert figure.readout.startswith("The training loss diverged. ") == diverged
    assert [text.get_text() for text in figure.axes[0].texts if text.get_visible()] == [
        "diverged" if diverged else "training"
    ]


@pytest.mark.usefixtures("no_warnings")
def test_one_epoch_can_be_read():
    draw(lambda: reading_picture([]), run=some_run(epochs=1), **(READING | {"points": 64})).png()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validation_samples": 41}, "validation_samples must be at most 40, all there are; got 41"),
        ({"validation_samples": 0}, "validation_samples must be a whole number, 1 or more; got 0"),
        ({"draw": -1}, "draw must be a whole number, 0 or more; got -1"),
        ({"run": replace(some_run(), steps=None)}, "this run holds no steps; training.RecordSteps records them"),
        ({"run": replace(some_run(), validation=None)}, "this run holds no validation"),
        ({"run": some_run(epochs=3)}, "movement 'A' ends at epoch 4, but the run has 3 epochs"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_named(changes, message):
    state = {"run": some_run(), **READING} | changes
    asked = {name: state[name] for name in ("run", "points", "validation_samples", "draw")}
    with pytest.raises(ValueError, match=re.escape(message)):
        judge(asked.pop("run"), [RISE], **asked)
    with pytest.raises(ValueError, match=re.escape(message)):
        draw(lambda: reading_picture([RISE]), **state)


def test_several_networks_at_once_are_refused():
    run = some_run()
    parts = (run.train.true_log_probabilities, run.train.top_probabilities, run.train.correct)
    both = PredictionHistory.from_compact(run.train.labels, *(np.stack([part] * 2) for part in parts), classes=13)
    with pytest.raises(ValueError, match=r"choose one of the 2, as in run.replica\(0\)"):
        judge(TrainingRun(both), [], points=32, validation_samples=40, draw=0)


def test_all_validation_samples_give_the_interval_of_all():
    run = some_run()
    [one] = judge(run, [RISE], points=32, validation_samples=40, draw=3)
    expected = accuracy_change_interval(run.validation.correct[0], run.validation.correct[3])
    assert (one.low, one.high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("test", 1, 2), "curve of movement 'A' must be 'training' or 'validation'; got 'test'"),
        (("training", 0, 2), "first epoch of movement 'A' must be a whole number, 1 or more; got 0"),
        (("training", 3, 3), "last epoch of movement 'A' must be a whole number, 4 or more; got 3"),
        (("training", 1.0, 3), "first epoch of movement 'A' must be a whole number"),
    ],
)
def test_a_movement_goes_from_an_epoch_to_a_later_one(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Movement("A", *arguments)


# Causes


def texts_of(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


@pytest.mark.usefixtures("no_warnings")
def test_causes_that_diverge_are_shown_up_to_there_and_said_to_have():
    share = np.full((3, 4), 0.5)
    wild = np.array([[1, 2, np.inf, np.nan], [1, 2, 3, np.nan], [1, 2, 3, 4]])
    falling = np.array([[1, -50, -np.inf, np.nan]] * 3)
    figure = causes_figure(
        {"wild": (wild, share), "falls": (falling, share), "calm": (share, share)}, title="What now?"
    )
    figure.png()
    above, below_zero, calm = figure.axes[:3]
    assert above.get_ylim() == calm.get_ylim() == (0, pytest.approx(1.05 * 4))
    assert below_zero.get_ylim() == pytest.approx((-55.1, 6.1))
    assert texts_of(above) == ["diverged"]
    assert texts_of(below_zero) == ["from 1e0\nto diverged"]
    assert texts_of(calm) == []
    assert figure.sentence.startswith("What now? Training loss")
    assert "wild: loss 1 to diverged, accuracy at most 0.50" in figure.sentence


@pytest.mark.parametrize(
    "pair",
    [
        (np.zeros((2, 5)), np.zeros((2, 5))),
        (np.full((2, 5), np.nan), np.full((2, 5), np.nan)),
        (np.ones((2, 1)), np.ones((2, 1))),
        (np.full((2, 5), np.inf), np.ones((2, 5))),
        (-np.ones((1, 1)), np.ones((1, 1))),
    ],
    ids=["zero", "NaN", "one epoch", "infinite", "one negative epoch"],
)
@pytest.mark.usefixtures("no_warnings")
def test_any_cause_can_be_drawn(pair):
    figure = causes_figure({"a": pair}, title="Any", chance=0.1)
    figure.png()
    assert all(bottom < top for bottom, top in (axes.get_ylim() for axes in figure.axes))

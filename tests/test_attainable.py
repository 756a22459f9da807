"""No predictions break the bounds between loss and accuracy, and each edge is touched."""

import math
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import predictions

from lossacc_helpers.attainable import attainable_accuracy, attainable_loss, extremal_probabilities
from lossacc_helpers.scores import accuracy, log_loss

CLIPS = [None, 1e-7, 1e-3, 0.15]
LN2 = math.log(2)


def test_the_bounds_by_hand():
    assert attainable_accuracy(0.0) == (1, 1)
    assert attainable_accuracy(LN2) == (0, 1)
    assert attainable_accuracy(LN2 / 4) == (pytest.approx(0.75), 1)
    assert attainable_accuracy(math.inf) == (0, 1)
    # Halfway between ln 10 (all right) and ln 10^7 (all wrong).
    middle = (math.log(10) + math.log(1e7)) / 2
    assert attainable_accuracy(middle, classes=10, clip=1e-7) == (0, pytest.approx(0.5))
    assert attainable_accuracy(middle, clip=1e-7) == (0, 1)
    assert attainable_loss(0.75) == (pytest.approx(LN2 / 4), math.inf)
    assert attainable_loss(1.0, classes=10) == (0, pytest.approx(math.log(10)))
    assert attainable_loss(0.0, clip=1e-7) == (pytest.approx(LN2), pytest.approx(math.log(1e7)))


def test_so_many_samples_permit_only_multiples():
    # 0.5 nats over 10 samples: 5 nats buy 7 errors at ln 2 (4.85), not 8.
    assert attainable_accuracy(0.5, samples=10) == (pytest.approx(0.3), 1)
    assert attainable_accuracy(3.0, classes=10, samples=10) == (0, pytest.approx(0.9))
    assert attainable_accuracy(3.0, samples=10) == (0, 1)
    assert attainable_accuracy(math.inf, samples=10) == (0, pytest.approx(0.9))


@pytest.mark.parametrize("errors", range(31))
def test_an_edge_met_exactly_is_not_lost_to_rounding(errors):
    least, _ = attainable_accuracy(errors * LN2 / 30, samples=30)
    assert least == pytest.approx(1 - errors / 30, abs=1e-12)
    greatest = attainable_accuracy((errors * math.log(1e7) + (30 - errors) * math.log(3)) / 30,
                                   samples=30, classes=3, clip=1e-7)[1]  # fmt: skip
    assert greatest == pytest.approx(1 - errors / 30, abs=1e-12)


@given(predictions(), st.sampled_from(CLIPS), st.booleans(), st.booleans())
def test_no_predictions_break_the_bounds(case, clip, name_classes, name_samples):
    labels, probabilities = case
    classes, samples = probabilities.shape[1], len(labels)
    loss, share = float(log_loss(labels, probabilities, clip=clip)), float(accuracy(labels, probabilities))
    options = {"clip": clip, "classes": classes if name_classes else None, "samples": samples if name_samples else None}
    low, high = attainable_accuracy(loss, **options)
    assert low - 1e-9 <= share <= high + 1e-9
    least, greatest = attainable_loss(share, **options)
    assert least - 1e-9 <= loss <= greatest + 1e-9


@given(
    st.floats(0, 20),
    st.integers(2, 12),
    st.integers(1, 40),
    st.sampled_from(["least", "greatest"]),
    st.sampled_from([None, 1e-7, 1e-3, 0.05]),
)
def test_each_edge_is_attained(loss, classes, samples, edge, clip):
    if clip is not None:
        loss = max(min(loss, -math.log(clip)), -math.log1p(-clip))
    labels, probabilities = extremal_probabilities(loss, classes=classes, samples=samples, edge=edge, clip=clip)
    assert labels.shape == (samples,)
    assert probabilities.shape == (samples, classes)
    assert log_loss(labels, probabilities, clip=clip) == pytest.approx(loss, rel=2e-9, abs=1e-12)
    low, high = attainable_accuracy(loss, classes=classes, samples=samples, clip=clip)
    assert accuracy(labels, probabilities) == pytest.approx(low if edge == "least" else high, abs=1e-12)


@pytest.mark.parametrize("edge", ["least", "greatest"])
@pytest.mark.parametrize("loss", [0.1, 0.5, 1.7, 3.0])
def test_away_from_steps_the_loss_agrees_to_1e_12(loss, edge):
    labels, probabilities = extremal_probabilities(loss, classes=5, samples=100, edge=edge)
    assert log_loss(labels, probabilities) == pytest.approx(loss, rel=1e-12)


@given(st.floats(0, 12), st.integers(1, 60), st.sampled_from([None, 0.004]))
def test_one_error_more_than_the_edge_costs_too_much(loss, samples, clip):
    floor, ceiling = (0, math.inf) if clip is None else (-math.log1p(-clip), -math.log(clip))
    loss = min(loss, ceiling)
    low, high = attainable_accuracy(loss, classes=3, samples=samples, clip=clip)
    most, fewest = round((1 - low) * samples), round((1 - high) * samples)
    if most < samples:
        assert (most + 1) * LN2 + (samples - most - 1) * floor > samples * loss
    if fewest > 0 and clip is not None:
        assert (fewest - 1) * ceiling + (samples - fewest + 1) * math.log(3) < samples * loss


@given(st.floats(0, 1), st.integers(2, 10), st.sampled_from([1e-7, 1e-3, 0.05]))
def test_the_two_bounds_are_inverse(share, classes, clip):
    least, greatest = attainable_loss(share, classes=classes, clip=clip)
    assert attainable_accuracy(least, classes=classes, clip=clip)[0] == pytest.approx(share, abs=1e-9)
    assert attainable_accuracy(greatest, classes=classes, clip=clip)[1] == pytest.approx(share, abs=1e-9)


@given(st.floats(0, 700), st.integers(1, 50))
def test_more_samples_approach_the_population(loss, samples):
    assume(loss < LN2)
    population, _ = attainable_accuracy(loss)
    finite, _ = attainable_accuracy(loss, samples=samples)
    assert population - 1e-8 <= finite <= population + 1 / samples + 1e-8


def test_arrays_broadcast_and_scalars_stay_scalars():
    low, high = attainable_accuracy(np.linspace(0, 2, 6).reshape(2, 3), classes=3, samples=9)
    assert low.shape == high.shape == (2, 3)
    assert isinstance(attainable_accuracy(0.5)[0], np.float64)
    low, high = attainable_loss(np.array([0.0, 1.0]), classes=3)
    assert low.tolist() == [LN2, 0]
    assert high.tolist() == [math.inf, math.log(3)]


def test_printed_accuracies_are_read_as_multiples():
    least, _ = attainable_loss(0.9667, samples=30)
    assert least == pytest.approx(LN2 / 30, rel=1e-12)
    with pytest.raises(ValueError, match=r"over 30 samples must be a multiple of 1/30; got 0.95"):
        attainable_loss(0.95, samples=30)


def test_a_loss_below_the_clipped_floor_is_rounding():
    assert attainable_accuracy(0.0, clip=0.01) == (1, 1)
    # Four printed decimals may exceed ln(1/clip) by half a unit.
    assert attainable_accuracy(16.1181, classes=2, clip=1e-7) == (0, 0)


def test_an_infinite_loss_has_extremal_predictions_too():
    for edge, share in (("least", 0), ("greatest", 0.75)):
        labels, probabilities = extremal_probabilities(math.inf, classes=3, samples=4, edge=edge)
        assert log_loss(labels, probabilities) == math.inf
        assert accuracy(labels, probabilities) == share


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: attainable_accuracy(-0.1), "loss must be 0 or more; got -0.1"),
        (lambda: attainable_accuracy([0.1, math.nan]), "loss must be 0 or more; got nan"),
        (
            lambda: attainable_accuracy(16.2, clip=1e-7),
            "loss must not exceed ln(1/clip) = 16.1181 for clip=1e-07; got 16.2",
        ),
        (lambda: attainable_accuracy(math.inf, clip=1e-7), "loss must not exceed ln(1/clip)"),
        (lambda: attainable_accuracy(0.1, classes=1), "classes must be a whole number, 2 or more; got 1"),
        (lambda: attainable_accuracy(0.1, classes=2.5), "classes must be a whole number, 2 or more; got 2.5"),
        (lambda: attainable_accuracy(0.1, samples=0), "samples must be a whole number, 1 or more; got 0"),
        (lambda: attainable_accuracy(0.1, clip=0.5), "clip must lie between 0 and 1/2; got 0.5"),
        (lambda: attainable_accuracy(0.1, clip=0.2, classes=5), "clip must lie between 0 and 1/5; got 0.2"),
        (lambda: attainable_accuracy("low"), "loss must be numbers; got text"),
        (lambda: attainable_accuracy([]), "loss must hold at least one"),
        (lambda: attainable_loss(1.1), "accuracy must lie in [0, 1]; got 1.1"),
        (
            lambda: extremal_probabilities(10.0, classes=3, samples=100, edge="greatest"),
            "a wrong sample would have to cost 891 nats",
        ),
        (lambda: extremal_probabilities(0.1, classes=3, samples=5, edge="top"), "edge must be 'least' or 'greatest'"),
        (
            lambda: extremal_probabilities(0.1, classes=3, samples=None, edge="least"),
            "classes and samples must be whole",
        ),
        (lambda: extremal_probabilities([0.1], classes=3, samples=3, edge="least"), "loss must be a single number"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()

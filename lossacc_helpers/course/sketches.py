"""Curves by which somebody recognises their own: made-up samples moved by a rule, loss and accuracy computed.

Nothing here is trained, so that lesson 00 opens at once. A sketch shows a shape; its lesson shows the real thing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers.history import PredictionHistory

EPOCHS = 60
_TIME = np.linspace(0.0, 1.0, EPOCHS)[:, None]  # (epoch, 1)


@dataclass(frozen=True)
class Sketch:
    """Beliefs about training samples, and about validation samples where the shape needs them."""

    train: PredictionHistory
    validation: PredictionHistory | None = None


def plateau() -> Sketch:
    """Half of the samples are right and grow surer; the others come nearer to the boundary, and none crosses it."""
    right = np.linspace(0.2, 1.5, 10) + 2.0 * _TIME
    wrong = np.linspace(-3.2, -2.2, 10) * (1.0 - 0.9 * _TIME)
    return Sketch(_two_classes(np.concatenate([right, wrong], axis=-1)))


def one_impossible() -> Sketch:
    """All samples do well but one, whose true class is given less and less, and in the end nothing at all."""
    most = np.linspace(0.0, 2.0, 19) + 2.0 * _TIME
    doomed = np.where(_TIME < 0.7, -25.0 * _TIME, -np.inf)
    return Sketch(_two_classes(np.concatenate([most, doomed], axis=-1)))


def staircase() -> Sketch:
    """All samples drift at one pace from different distances, so they cross one after the other, in clusters."""
    start = np.array([-0.4, -0.5, -1.4, -1.45, -1.5, -2.5, -2.6, -2.7, -3.6, -3.65, 0.4, 0.9])
    return Sketch(_two_classes(start + 4.5 * _TIME))


def validation_from_zero() -> Sketch:
    """The validation samples are of one class that is not named at first: all wrong, until the network finds it."""
    train = np.linspace(-0.7, 0.9, 20) + 3.5 * _TIME
    validation = np.linspace(-1.9, -1.1, 20) + 4.0 * _TIME**1.5
    return Sketch(_two_classes(train), _two_classes(validation))


def seed_dependent() -> Sketch:
    """Twelve networks agree on the training samples, and each begins elsewhere on the validation samples."""
    offsets = np.linspace(-1.7, 1.4, 12)[:, None, None]  # (replica, epoch, sample)
    train = np.linspace(-0.7, 0.9, 30) + 3.5 * _TIME + 0.08 * offsets
    validation = np.linspace(-0.4, 0.4, 30) + offsets * (1.0 - 0.7 * _TIME) + 1.2 * _TIME
    return Sketch(_two_classes(train), _two_classes(validation))


def peak_and_fall() -> Sketch:
    """Training samples grow sure, four wrong labels last of all; with those, some validation samples cross back."""
    plain = np.linspace(-1.0, 0.6, 20) + 4.0 * _TIME
    mislabelled = np.linspace(-1.6, -1.2, 6) - 1.5 * _TIME + 6.5 * _TIME**3
    train = np.concatenate([plain, mislabelled], axis=-1)
    hill = 2.8 * _TIME * np.exp(1.0 - 2.8 * _TIME)  # rises to 1 and falls back
    validation = np.linspace(-2.0, 0.4, 30) + 1.3 * hill
    return Sketch(_two_classes(train), _two_classes(validation))


def jumpy() -> Sketch:
    """Every point is of another eight samples, so accuracy jumps while the odds of a right answer hardly move."""
    spread = np.sin(np.outer(np.arange(EPOCHS), [3.1, 5.3, 7.7, 9.1, 11.9, 13.3, 15.7, 17.1]) + 1.0)
    return Sketch(_two_classes(2.0 * spread + 0.3 + 0.6 * _TIME))


def floor() -> Sketch:
    """All samples become right, and none is given more than what a second softmax leaves: e / (e + 1)."""
    first = 1.0 / (1.0 + np.exp(-(np.linspace(-2.0, 1.5, 20) + 12.0 * _TIME)))  # what the first softmax gives
    return Sketch(_two_classes(2.0 * first - 1.0))


def spiked() -> Sketch:
    """All samples do better and better; in three epochs a few validation samples are far out, and then back."""
    train = np.linspace(-0.8, 1.0, 20) + 3.5 * _TIME
    validation = np.linspace(-1.0, 1.2, 20) + 2.2 * _TIME
    for epoch in (17, 33, 48):
        validation[epoch, :3] -= 9.0
    return Sketch(_two_classes(train), _two_classes(validation))


def stuck_start() -> Sketch:
    """One half of the validation samples is pushed to either side, far and without regard to what was learned."""
    train = np.linspace(-0.8, 1.0, 20) + 3.5 * _TIME
    pushed = 4.0 * np.minimum(3.0 * _TIME, 1.0) / (1.0 + np.exp(40.0 * (_TIME - 0.5)))  # on for half of the time
    validation = np.linspace(-1.0, 1.2, 20) + 2.5 * _TIME + pushed * np.where(np.arange(20) % 2, 1.0, -1.5)
    return Sketch(_two_classes(train), _two_classes(validation))


def validation_below() -> Sketch:
    """The same samples in training and validation; in training something is held back, as by dropout."""
    validation = np.linspace(-1.0, 1.4, 20) + 3.0 * _TIME
    return Sketch(_two_classes(0.6 * validation - 0.15), _two_classes(validation))


def both_rise() -> Sketch:
    """Most validation samples cross to the right side, barely; three wrong ones grow sure of the wrong class."""
    train = np.linspace(-0.9, 0.9, 20) + 3.0 * _TIME
    most = np.linspace(-1.1, 0.2, 17) + 1.2 * _TIME
    lost = np.array([-0.2, -0.4, -0.6]) - 9.0 * _TIME
    return Sketch(_two_classes(train), _two_classes(np.concatenate([most, lost], axis=-1)))


def both_rise_late() -> Sketch:
    """Validation first does better, then a few wrong samples grow ever surer while the others still come over."""
    train = np.linspace(-0.8, 1.0, 20) + 4.0 * _TIME
    most = np.linspace(-1.4, 1.2, 17) + 2.0 * _TIME
    lost = np.array([-0.6, -0.9, -1.3]) + 1.0 * _TIME - 16.0 * np.maximum(_TIME - 0.25, 0.0)
    return Sketch(_two_classes(train), _two_classes(np.concatenate([most, lost], axis=-1)))


def turns_again() -> Sketch:
    """Training goes on and on; validation is stopped where its loss is least, though its accuracy rises after that."""
    train = np.linspace(-0.9, 0.6, 20) + 6.0 * _TIME
    most = np.linspace(-2.0, 0.8, 16) + 2.6 * _TIME
    lost = np.linspace(-0.5, -1.5, 4) + 1.5 * _TIME - 14.0 * np.maximum(_TIME - 0.35, 0.0)
    return Sketch(_two_classes(train), _two_classes(np.concatenate([most, lost], axis=-1)))


def both_fall() -> Sketch:
    """Three samples far on the wrong side come nearer; others, barely right, pay for it and cross the boundary."""
    most = np.linspace(0.1, 2.0, 17) - 0.9 * _TIME
    lost = np.array([-7.0, -6.5, -6.0]) + 5.0 * _TIME
    return Sketch(_two_classes(np.concatenate([most, lost], axis=-1)))


def stuck() -> Sketch:
    """Nobody moves: the gradient of a count is zero."""
    return Sketch(_two_classes(np.linspace(-1.5, 1.0, 20) + 0.0 * _TIME))


def endless() -> Sketch:
    """All samples are right early on, and grow surer and surer, as the logarithm of time."""
    return Sketch(_two_classes(np.linspace(-0.4, 1.5, 20) + 2.5 * np.log1p(60.0 * _TIME)))


def majority() -> Sketch:
    """One sample in fifty is of the rare class; it becomes more probable, and never more probable than not."""
    common = np.linspace(0.5, 2.5, 49) + 1.8 * (1.0 - np.exp(-4.0 * _TIME))
    rare = np.array([-3.5]) + 2.6 * _TIME
    return Sketch(_two_classes(np.concatenate([common, rare], axis=-1)))


def not_a_class() -> Sketch:
    """Every sample comes as near to its target as can be, and none is ever right: the loss stays above ln 2."""
    return Sketch(_two_classes(np.linspace(-1.6, -0.6, 20) * np.exp(-4.0 * _TIME)))


def unexplained() -> Sketch:
    """A gap, a rise, two jumps and a training that gets on: marks of more than one cause."""
    train = np.linspace(-0.8, 1.0, 20) + 3.5 * _TIME
    most = np.linspace(-1.2, 1.0, 16) + 1.6 * _TIME
    lost = np.array([-0.4, -0.7, -1.0, -1.3]) - 5.0 * np.maximum(_TIME - 0.4, 0.0)
    validation = np.concatenate([most, lost], axis=-1)
    for epoch in (22, 41):
        validation[epoch, :5] -= 5.0
    return Sketch(_two_classes(train), _two_classes(validation))


def standing() -> Sketch:
    """Every answer is given with next to all the probability there is, the wrong third as well; nobody moves."""
    return Sketch(_two_classes(np.where(np.arange(20) < 13, 16.0, -16.0) + 0.0 * _TIME))


def _two_classes(log_odds: NDArray[np.float64]) -> PredictionHistory:
    """Return the history of samples of class 1 from the log-odds that they are given, shape (..., epoch, sample)."""
    rows = -np.logaddexp(0.0, np.stack([log_odds, -log_odds], axis=-1))
    return PredictionHistory(np.ones(log_odds.shape[-1], dtype=int), rows)

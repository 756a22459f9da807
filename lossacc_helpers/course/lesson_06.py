"""Lesson 06, differentiability versus accuracy: its guesses, its explorers, its exercises, its quiz."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers import datasets
from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import Exercise, LearnerFunction, LearnerValue, Wrong, WrongAnswer
from lossacc_helpers.figures import Picture
from lossacc_helpers.figures.landscape import Landscape, landscape_picture
from lossacc_helpers.figures.minimisers import Race, minimisers_picture
from lossacc_helpers.logistic import LogisticLoss
from lossacc_helpers.minimisers import (
    DidNotConverge,
    Minimisation,
    bisect,
    gradient_descent,
    newton,
    noisy_gradient_descent,
)
from lossacc_helpers.surrogates import SURROGATES
from lossacc_helpers.widgets import Explorer, Guess, Option, Prediction, Question, Scale, controls

Floats = NDArray[np.float64]


def petals(first: str, second: str) -> tuple[Floats, Floats]:
    """Return the petals of two species of irises: length and width, standardised (100, 2), and signs (100,).

    The sign is -1 for flowers of the first species and 1 for those of the second.
    """
    irises = datasets.iris("sorted")
    features = np.concatenate([irises.train[0], irises.validation[0]])[:, 2:]
    species = np.array(irises.class_names)[np.concatenate([irises.train[1], irises.validation[1]])]
    chosen = np.isin(species, (first, second))
    kept = features[chosen].astype(np.float64)
    return (kept - kept.mean(axis=0)) / kept.std(axis=0), np.where(species[chosen] == second, 1.0, -1.0)


# The explorers -----------------------------------------------------------------------------------------------------


def landscape() -> Explorer:
    """Return accuracy and a loss over a plane of weights of a classifier of petals, and along a line in it."""
    parts = {
        "angle": controls.whole_slider("direction (degrees)", 0, 175, value=135, step=5),
        "reach": controls.log_slider("how far", 0.01, 10, value=10**0.8, steps_per_decade=5),
        "sharpness": controls.log_slider("sharpness", 10**-0.5, 10**1.5, value=1.0, steps_per_decade=10),
        "loss": controls.dropdown("loss", list(SURROGATES), value="log"),
    }

    def compute(*, angle: int, reach: float, sharpness: float, loss: str) -> Mapping[str, Any]:
        # Sliders of powers of ten stand at long decimals.
        return {"angle": float(angle), "reach": _short(reach), "sharpness": _short(sharpness), "loss": loss}

    return Explorer(_landscape_picture, parts, compute=compute)


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def _landscape_picture() -> Picture:
    flowers, signs = petals("versicolor", "virginica")
    rows = np.c_[flowers, np.ones(len(signs))]
    loss = LogisticLoss(rows, signs)
    best = newton(loss.value, loss.gradient, loss.hessian, np.zeros(3)).point
    view = Landscape(rows, signs, best, np.eye(3)[:2])
    return landscape_picture(view, names=("added to the weight of the length", "added to the weight of the width"))


_STEPS = 30
_SPAN = 12.0
_PAIRS = {"overlap": ("versicolor", "virginica"), "can be separated": ("setosa", "versicolor")}
_BATCH = 5


def minimisers() -> Explorer:
    """Return four minimisers on their way to the weights of logistic regression, with one weight and with two."""
    parts = {
        "iteration": controls.whole_slider("iteration", 0, _STEPS, value=4),
        "start": controls.whole_slider("start of each weight", -10, 10, value=-4),
        "rate": controls.log_slider("learning rate", 0.1, 100, value=10**0.5, steps_per_decade=4),
        "line_search": controls.checkbox("Newton searches along the line", value=True),
        "flowers": controls.toggle("the species", {name: name for name in _PAIRS}, value="overlap"),
    }

    def compute(*, flowers: str, iteration: int, start: int, rate: float, line_search: bool) -> Mapping[str, Any]:
        settings = (flowers, float(start), _short(rate), line_search)
        more = "" if line_search else "Newton's steps are taken whole."
        return {"one": _race(1, *settings), "two": _race(2, *settings), "iteration": iteration, "more": more}

    return Explorer(lambda: minimisers_picture(span=_SPAN, steps=_STEPS), parts, compute=compute)


@cache
def _loss(flowers: str, weights: int) -> LogisticLoss:
    features, signs = petals(*_PAIRS[flowers])
    return LogisticLoss(features[:, :weights], signs)


@cache
def _race(weights: int, flowers: str, start: float, rate: float, line_search: bool) -> Race:
    """All four minimisers from one start; those that give up keep their way so far."""
    loss = _loss(flowers, weights)
    rows, signs = loss.features, loss.signs

    def of_a_batch(point: Floats, generator: np.random.Generator) -> Floats:
        batch = generator.integers(len(signs), size=_BATCH)
        return LogisticLoss(rows[batch], signs[batch]).gradient(point)

    begin = np.full(weights, start)
    parts = (loss.value, loss.gradient, loss.hessian)
    tried = {
        "bisection": _way(lambda: bisect(lambda w: loss.gradient(w)[0], -1.5 * _SPAN, 2 * _SPAN, steps=_STEPS)),
        "Newton": _way(lambda: newton(*parts, begin, steps=_STEPS, line_search=line_search)),
        "gradient descent": _way(lambda: gradient_descent(loss.value, loss.gradient, begin, rate=rate, steps=_STEPS)),
        "noisy gradient descent": _way(
            lambda: noisy_gradient_descent(loss.value, of_a_batch, begin, rate=rate, steps=_STEPS)
        ),
    }
    if weights > 1:
        tried["bisection"] = (None, False)  # which half of a plane would hold the minimum?
    ways = {name: way for name, (way, _) in tried.items() if way is not None}
    ended = {
        name: "arrived" if arrived else "gave up"
        for name, (way, arrived) in tried.items()
        if way is not None and name != "noisy gradient descent" and (arrived or way.steps < _STEPS)
    }
    least = _least(flowers, weights)
    return Race(loss.value, least, ways, ended, reached=least > 0)


@cache
def _least(flowers: str, weights: int) -> float:
    loss = _loss(flowers, weights)
    try:
        return float(loss.value(newton(loss.value, loss.gradient, loss.hessian, np.zeros(weights)).point))
    except DidNotConverge:
        return 0.0  # separable: the limit that no weights reach


def _way(minimise: Callable[[], Minimisation]) -> tuple[Minimisation | None, bool]:
    """What a minimiser did, and whether it arrived."""
    try:
        return minimise(), True
    except DidNotConverge as gave_up:
        return gave_up.so_far, False
    except ValueError:  # a bracket without a change of sign: nothing to do
        return None, False


# Guesses -----------------------------------------------------------------------------------------------------------


def _related_outcome(r: float) -> str:
    if r < -0.6:
        return "So it is until the least loss. After it the sign turns, and all epochs together give less."
    if r > 0:
        return "So it is after the least loss. Before it r is close to -1, and all epochs together are below 0."
    return "Close, for all epochs together: until the least loss r is near -1, and after it above 0."


def _saved_outcome(errors: float) -> str:
    if errors < 20:
        return "A search saves more than you thought, with outliers in this place."
    if errors > 45:
        return "A search saves less than you thought: the outliers themselves stay wrong."
    return "Your guess is close."


PREDICTIONS = (
    Prediction(
        name="saved",
        question=(
            "300 points in ten dimensions; 30 of them are outliers, far on the wrong side. Logistic regression gets "
            "about 75 of the 300 wrong. How many fewer does a search get wrong that looks for few errors?"
        ),
        came_out="About 33 fewer.",
        scale=Scale(least=0, greatest=75, step=5, label="errors fewer", outcome=_saved_outcome),
    ),
    Prediction(
        name="related",
        question=(
            "A network is trained far too long. Over all of its epochs you correlate validation loss with validation "
            "accuracy. What is r? (-1: one falls as the other rises, along a line. 0: no line. 1: they rise together.)"
        ),
        came_out="Close to -1 until the least loss, above 0 after it, and in between for all epochs together.",
        scale=Scale(least=-1, greatest=1, step=0.1, label="r", outcome=_related_outcome),
    ),
    Prediction(
        name="gradient",
        question="You ask TensorFlow for the gradient of accuracy, computed with argmax. What do you get?",
        came_out="None: argmax passes no gradient on, not even zeros.",
        guesses=(
            Guess(text="an error", outcome="The tape answers without one. Keras raises one when you train on it."),
            Guess(
                text="zeros",
                outcome="Where the derivative exists, it is 0. But TensorFlow has none for argmax, and says so: None.",
            ),
            Guess(text="None", outcome="None: there is no way back through argmax, not even one of zeros."),
        ),
    ),
)


# Exercises ---------------------------------------------------------------------------------------------------------


def _check_newton_step(newton_step: LearnerFunction) -> None:
    x, y = np.array([1.0, 2.0, -1.0]), np.array([1.0, -1.0, -1.0])
    newton_step(0.0, np.array([1.0]), np.array([1.0])).equals(
        2.0, because="at weight 0 the slope is -1/2 and the curvature is 1/4, so the step is +2"
    )
    newton_step(0.0, x, y).equals(
        0.0, because="the slopes -1/2, +2/2 and -1/2 cancel: the weight 0 is the minimum already"
    )
    for w in (0.7, -1.3):
        q = 1 / (1 + np.exp(y * w * x))  # the probability of the wrong class
        expected = w + np.sum(y * x * q) / np.sum(x**2 * q * (1 - q))
        newton_step(w, x, y).equals(
            expected,
            because=(
                f"at weight {w} slope and curvature are other numbers than at 0; is x squared in the curvature, and "
                "are both means, or both sums?"
            ),
        )


def _check_changes(changes: LearnerFunction) -> None:
    rows, signs = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), np.array([1.0, -1.0, 1.0])
    found = changes(rows, signs, np.array([1.0, 1.0]), np.array([1.0, 0.0]))
    places = found.array()
    if places.size == 3:
        raise Wrong(f"{found}. The third of these samples never changes sides: its margin is 1 everywhere on the line.")
    if places.size < 2:
        raise Wrong(f"{found}. The first two of these samples change sides, at -1 and at -2: t may be negative too.")
    found.equals(
        [-2.0, -1.0],
        because=(
            "the margins are 1 + t, -(2 + t) and 1: the first changes its sign at -1, the second at -2, and the third "
            "never"
        ),
    )
    generator = np.random.default_rng(0)
    many, truths = generator.normal(size=(6, 3)), np.array([1.0, -1, -1, 1, 1, -1])
    start, direction = generator.normal(size=(2, 3))
    expected = np.sort(-(many @ start) / (many @ direction))
    changes(many, truths, start, direction).equals(expected, because="each sample has its place; sort them")
    alike, both = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]]), np.array([1.0, -1.0, 1.0])
    changes(alike, both, np.array([1.0, 0.0]), np.array([0.0, 1.0])).equals(
        [-0.5, -0.5, 0.0],
        because="two samples change sides in one place and count twice, and the third does at the very start",
    )


def _check_misled(misled: LearnerValue) -> None:
    x, y = misled.array(shape=(2, 10))
    if not np.isin(y, (-1, 1)).all():
        raise Wrong("The second row holds the classes: -1 or 1.")
    if np.abs(x).max() > 1e6:
        raise Wrong("Keep the points within a million: beyond that the arithmetic of this check is not to be trusted.")
    if np.ptp(x) == 0:
        raise Wrong("All points lie in one place.")
    order = np.sort(np.unique(x))
    places = np.concatenate([[order[0] - 1], (order[:-1] + order[1:]) / 2, [order[-1] + 1]])
    fewest = min(int(np.sum(side * y * (x - place) <= 0)) for place in places for side in (-1, 1))
    if fewest == 0:
        raise Wrong(
            "A threshold gets all ten right. Then the log loss has no minimum: it falls for ever, and those weights "
            "get all right too."
        )
    if fewest > 1:
        raise Wrong(f"The best threshold still gets {fewest} wrong; it may get one.")
    unit = (x - x.mean()) / x.std()
    loss = LogisticLoss(np.c_[unit, np.ones(10)], y)
    try:
        best = newton(loss.value, loss.gradient, loss.hessian, np.zeros(2)).point
    except DidNotConverge as gave_up:
        raise Wrong(f"Here the log loss has no minimum that can be found: {gave_up}.") from gave_up
    wrong = int(np.sum(loss.margins(best) <= 0))
    if wrong < 4:
        raise Wrong(
            f"The best threshold gets 1 wrong, and the least log loss gets {wrong} wrong: at least 4 are wanted. What "
            "would pull the classifier over?"
        )


_HOUR = np.array([0.0, 0.5, 2.0, 5.0, 8.0, 9.9, 10.01, 10.5, 12.0, 15.0, 20.0, 30.0, 45.0, 60.0])  # minutes


def _check_too_far(too_far: LearnerFunction) -> None:
    minutes = np.concatenate([-_HOUR[:0:-1], _HOUR])
    with np.errstate(over="ignore"):
        costs, _ = too_far(minutes, 1.4).parts(2)
    _check_costs(minutes, costs.array(shape=minutes.shape))
    for mean in (1.4, 0.0, 3.2, 9.0):
        _, share = too_far(np.array([0.0, 12.0]), mean).parts(2)
        share.equals(
            _permitted(mean),
            because=(
                "a delivery that counts costs that kitchen more than (10 / 5)**2 = 4, and any other at least 0; so the "
                "mean is at least 4 times the share, and a share is at most 1"
            ),
        )


def _permitted(mean: float) -> float:
    """No more than this share is off by over ten minutes where the square of minutes / 5 has this mean."""
    return min(1.0, mean / 4)


def _check_costs(minutes: Floats, costs: Floats) -> None:
    if np.isinf(costs).any():
        raise Wrong(
            f"At {minutes[np.isinf(costs)][0]:g} minutes your function overflows. np.logaddexp(0, z) is log(1 + "
            "exp(z)) and does not."
        )
    for off, cost in zip(minutes, costs, strict=True):
        if abs(off) > 10 and not cost >= 1 - 1e-9:
            raise Wrong(
                f"A delivery that is {off:g} minutes off counts 1, and costs {cost:.3g}: a bound is never below what "
                "it bounds."
            )
        if cost < -1e-9:
            raise Wrong(f"A delivery that is {off:g} minutes off costs {cost:.3g}: less than nothing.")
    if costs[len(_HOUR) - 1] >= 1:
        raise Wrong(
            f"A perfect forecast costs {costs[len(_HOUR) - 1]:.3g}, as much as one that counts. Let it cost less "
            "than 1."
        )
    for side in (-1, 1):
        away = costs[len(_HOUR) - 1 :: side]
        for k in range(1, len(_HOUR)):
            near, far = side * _HOUR[k - 1], side * _HOUR[k]
            if away[k] < away[k - 1] - 1e-9:
                raise Wrong(
                    f"From {near:g} to {far:g} minutes the cost falls: descent would move the forecast further away."
                )
            if abs(near) > 10 and not away[k] > away[k - 1]:
                raise Wrong(
                    f"From {near:g} to {far:g} minutes the cost does not rise with the distance, so descent would not "
                    "bring the forecast nearer."
                )
        if not away[-1] > away[np.flatnonzero(_HOUR > 10)[0]] + 0.01:
            raise Wrong(
                f"From just beyond 10 to {_HOUR[-1]:g} minutes the cost rises by less than 0.01: there is next to no "
                "slope for descent to follow."
            )


EXERCISES = (
    Exercise(
        name="newton_step",
        checker=_check_newton_step,
        hints=(
            "A step of Newton's is minus the slope divided by the curvature. Means or sums: the quotient is the same.",
            "With q = 1 / (1 + exp(y * w * x)): the slope is -mean(y * x * q), the curvature mean(x**2 * q * (1 - q)).",
            "q = 1 / (1 + np.exp(y * w * x)); w + np.sum(y * x * q) / np.sum(x**2 * q * (1 - q))",
        ),
        wrong_answers={
            "gradient descent": WrongAnswer(
                answer=lambda w, x, y: w + np.mean(y * x / (1 + np.exp(y * w * x))), says="so the step is +2"
            ),
            "uphill": WrongAnswer(answer=lambda w, x, y: w - 2.0, says="so the step is +2"),
            "curvature as at 0": WrongAnswer(
                answer=lambda w, x, y: w + np.sum(y * x / (1 + np.exp(y * w * x))) / np.sum(x**2 / 4),
                says="slope and curvature are other numbers than at 0",
            ),
        },
    ),
    Exercise(
        name="changes",
        checker=_check_changes,
        hints=(
            "The margin of a sample at t is signs * (features @ start) + t * signs * (features @ direction).",
            "It is 0 at t = -(features @ start) / (features @ direction), if that divisor is not 0.",
            "a, b = features @ start, features @ direction; np.sort(-a[b != 0] / b[b != 0])",
        ),
        wrong_answers={
            "not sorted": WrongAnswer(
                answer=lambda f, s, a, b: (-(f @ a) / np.where(f @ b == 0, np.nan, f @ b))[f @ b != 0],
                says="the first changes its sign at -1",
            ),
            "the wrong sign": WrongAnswer(
                answer=lambda f, s, a, b: np.sort((f @ a)[f @ b != 0] / (f @ b)[f @ b != 0]), says="at -1"
            ),
            "divides by 0": WrongAnswer(
                answer=lambda f, s, a, b: np.sort(-(f @ a) / np.where(f @ b == 0, 1e-300, f @ b)),
                says="The third of these samples",
            ),
        },
    ),
    Exercise(
        name="misled",
        checker=_check_misled,
        asks="value",
        hints=(
            "Begin with nine points that a threshold divides. The tenth is the one that the threshold gets wrong.",
            "Log loss grows with the distance of a wrong point. How far away must the tenth be to outweigh four?",
            "x = np.r_[-4:0, 1:6, 1000]; y = np.sign(x); y[-1] = -1",
        ),
        wrong_answers={
            "can be separated": WrongAnswer(
                answer=np.stack([np.r_[-5.0:0, 1:6], np.repeat([-1.0, 1.0], 5)]), says="gets all ten right"
            ),
            "too near": WrongAnswer(
                answer=np.stack([np.r_[-4.0:0, 1:7], np.r_[-np.ones(4), np.ones(5), -1.0]]), says="at least 4"
            ),
            "mixed": WrongAnswer(
                answer=np.stack([np.arange(10.0), np.resize([1.0, -1.0], 10)]), says="The best threshold still gets"
            ),
            "three classes": WrongAnswer(answer=np.stack([np.arange(10.0), np.arange(10.0) % 3]), says="-1 or 1"),
        },
    ),
    Exercise(
        name="too_far",
        checker=_check_too_far,
        hints=(
            "What did the hinge do for a margin? Here the step lies at ten minutes, on both sides.",
            "A loss that is 1 at ten minutes, 0 at none, and rises with the distance, is a bound.",
            "In lesson 01 a wrong answer cost at least ln 2, and a right one perhaps nothing. What does a delivery "
            "that counts cost the other kitchen at least?",
            "np.abs(minutes) / 10, min(1, mean / 4)",
        ),
        wrong_answers={
            "the count": WrongAnswer(
                answer=lambda minutes, mean: ((np.abs(minutes) > 10) * 1.0, _permitted(mean)),
                says="the cost does not rise with the distance",
            ),
            "a smooth step": WrongAnswer(
                answer=lambda minutes, mean: (
                    1 / (1 + np.exp(np.clip(10 - np.abs(minutes), -50, 50))),
                    _permitted(mean),
                ),
                says="never below",
            ),
            "a hinge that begins too late": WrongAnswer(
                answer=lambda minutes, mean: (np.maximum(0, np.abs(minutes) - 10), _permitted(mean)),
                says="never below",
            ),
            "hardly a slope": WrongAnswer(
                answer=lambda minutes, mean: (1e-4 * np.abs(minutes) + (np.abs(minutes) > 10), _permitted(mean)),
                says="rises by less than 0.01",
            ),
            "late only": WrongAnswer(
                answer=lambda minutes, mean: (np.maximum(0, minutes / 10), _permitted(mean)),
                says="minutes off counts 1",
            ),
            "no better for a perfect one": WrongAnswer(
                answer=lambda minutes, mean: (1 + np.abs(minutes), _permitted(mean)), says="A perfect forecast costs"
            ),
            "the costs alone": WrongAnswer(answer=lambda minutes, mean: np.abs(minutes) / 10, says="2 were expected"),
            "as if the other loss were 1 at ten minutes": WrongAnswer(
                answer=lambda minutes, mean: (np.abs(minutes) / 10, min(1, mean)), says="0.35 was expected"
            ),
            "the bound of log loss": WrongAnswer(
                answer=lambda minutes, mean: (np.abs(minutes) / 10, min(1, mean / np.log(2))),
                says="(10 / 5)**2 = 4",
            ),
            "the share that is right": WrongAnswer(
                answer=lambda minutes, mean: (np.abs(minutes) / 10, max(0, 1 - mean / 4)), says="4 times the share"
            ),
            "a share above 1": WrongAnswer(
                answer=lambda minutes, mean: (np.abs(minutes) / 10, mean / 4), says="a share is at most 1"
            ),
        },
    ),
)


# Quiz --------------------------------------------------------------------------------------------------------------

QUESTIONS = {
    "flat": Question(
        "You train with a loss that counts errors with tf.sign. Keras raises no error, and the loss never moves. Why?",
        [
            Option("The learning rate is too small", "Any rate times a gradient of 0 is 0."),
            Option(
                "The gradient exists and is 0 wherever it is asked for",
                "tf.sign has a gradient of zeros, so Keras is content and nothing moves. argmax has none at all, and "
                "Keras says so.",
                correct=True,
            ),
            Option("tf.sign has no gradient", "Then Keras would have raised 'No gradients provided for any variable'."),
        ],
    ),
    "bound": Question(
        "A mean log loss of 0.2 bits on 300 training points of two classes. How many of them are wrong, at most?",
        [
            Option(
                "60",
                "Every wrong point costs at least one bit, so at most a fifth of the 300 are wrong. In nats, divide by "
                "ln 2 first.",
                correct=True,
            ),
            Option("300", "Then the loss would be at least one bit."),
            Option("Nothing can be said", "A wrong point gives its class at most one half, which costs one bit."),
        ],
    ),
    "related": Question(
        "Somebody reports a correlation of -0.9 between loss and accuracy. What do you ask first?",
        [
            Option("How many epochs there were", "It helps, but it does not say what was correlated."),
            Option(
                "Across what: epochs, changes, samples, networks, models?",
                "Each has another answer, and over epochs even the sign depends on which ones.",
                correct=True,
            ),
            Option(
                "Nothing: it is close to -1, so either number will do",
                "Over which epochs? After the least loss the sign was the other one.",
            ),
        ],
    ),
    "outliers": Question(
        "A linear classifier, 10% far outliers. Which change lowers the number of errors in training most?",
        [
            Option("Newton instead of gradient descent", "Both end at the same minimum; only the way differs."),
            Option("The exponential loss instead of log loss", "It pulls hardest of all on points that are far off."),
            Option(
                "A loss that stops pulling on points that are far on the wrong side",
                "Like savage, a smoothed step, or a clipped straight-through gradient. A classifier that can follow "
                "the outliers helps as well.",
                correct=True,
            ),
        ],
    ),
    "calibrated": Question(
        "Log loss is classification-calibrated. What does that promise for your linear classifier on 300 points?",
        [
            Option(
                "Nothing by itself: the promise is for endless samples and all functions of the input",
                "Far outliers cost logistic regression dozens of errors although log loss is calibrated.",
                correct=True,
            ),
            Option("The fewest errors in training", "The clouds with far outliers show the opposite."),
            Option("Probabilities that are right", "That is calibration of another kind, the one of lesson 05."),
        ],
    ),
    "separable": Question(
        "Newton's method on logistic regression: the gradient is 1e-20, the steps stay ten long. What has happened?",
        [
            Option(
                "A mistake in the Hessian", "That changes the steps, not the slope. The slope itself vanishes here."
            ),
            Option(
                "The classes can be separated, and the loss falls towards 0 without end",
                "There are no weights of maximum likelihood. A ridge, or stopping, gives some.",
                correct=True,
            ),
            Option("It has converged: the gradient is 0", "A gradient near 0 is not enough: every step goes on."),
        ],
    ),
}

lesson = Lesson(
    "06_differentiability",
    explorers={"landscape": landscape, "minimisers": minimisers},
    predictions=PREDICTIONS,
    questions=QUESTIONS,
    exercises=EXERCISES,
)

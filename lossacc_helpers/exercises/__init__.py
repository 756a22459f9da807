"""Checked exercises: a learner's answer goes in, feedback that teaches comes out, whatever the answer does.

An exercise has a *checker*: a plain function that is given the answer, wrapped, and raises `Wrong` where it is wrong.

    def check_mean_loss(mean_loss: LearnerFunction) -> None:
        mean_loss(np.array([0.5, 0.25])).equals(1.5 * np.log(2), because="the loss is the mean of -log p")

Calling the wrapped function runs the learner's code in a thread of its own, on fresh copies of its inputs, for a
limited time. What comes back is a `LearnerValue`, whose methods turn it into numbers and arrays or say what is wrong.
"""

from lossacc_helpers.exercises.answers import TOLERANCE, LearnerFunction, LearnerValue, Told, Wrong
from lossacc_helpers.exercises.checking import Exercise, Feedback, Hints, WrongAnswer, check
from lossacc_helpers.exercises.trying import look_at, look_at_each, try_out

__all__ = [
    "TOLERANCE",
    "Exercise",
    "Feedback",
    "Hints",
    "LearnerFunction",
    "LearnerValue",
    "Told",
    "Wrong",
    "WrongAnswer",
    "check",
    "look_at",
    "look_at_each",
    "try_out",
]

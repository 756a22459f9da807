"""Lesson 08, the curve clinic: its guesses, its explorer, its exercises, its quiz."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from lossacc_helpers import find_spikes, recordings
from lossacc_helpers.clinic import Diagnosis, diagnose, read
from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import Exercise, LearnerFunction, LearnerValue, Wrong, WrongAnswer
from lossacc_helpers.figures.clinic import clinic_picture
from lossacc_helpers.history import Curves, CurveSet, TrainingRun
from lossacc_helpers.widgets import Explorer, Guess, Option, Prediction, Question, controls

# The explorer ------------------------------------------------------------------------------------------------------

# Trainings of earlier lessons, and which of their networks.
TRAININGS = {
    "A": ("lesson_03_softmax_twice", 0),
    "B": ("lesson_05_verses", 0),
    "C": ("lesson_03_swapped_logits", 0),
    "D": ("lesson_03_nothing_wrong", 0),
    "E": ("lesson_04_full_scale", None),
}


def growing() -> Explorer:
    """Return a training that is diagnosed while it grows, by its curves or by every sample."""
    parts = {
        "training": controls.toggle("training", {name: name for name in TRAININGS}, value="B"),
        "seen": controls.whole_slider("epochs seen, in %", 10, 100, value=80, step=10),
        "samples": controls.toggle("the clinic gets", {"the curves": False, "every sample": True}, value=False),
    }

    def compute(*, training: str, seen: int, samples: bool) -> Mapping[str, Any]:
        got = "every sample" if samples else "the curves alone"
        found = _diagnosed(training, seen, samples)
        return {"diagnosis": found, "more": f"Training {training}, {seen}% of it; given were {got}."}

    return Explorer(clinic_picture, parts, compute=compute)


def training_of(name: str) -> TrainingRun:
    """Return one of the explorer's trainings."""
    recording, replica = TRAININGS[name]
    run = recordings.load(recording)
    return run if replica is None else run.replica(replica)


@cache
def _diagnosed(training: str, seen: int, samples: bool) -> Diagnosis:
    whole = training_of(training)
    run = whole.select_epochs(slice(0, max(2, round(seen / 100 * whole.epochs))))
    if samples:
        return diagnose(run)
    assert run.validation is not None
    return diagnose(read(run), classes=run.train.classes, validation_size=run.validation.samples)


def mystery_curves() -> CurveSet:
    """Return the curves of the mystery training: what was printed of training and of validation."""
    run = recordings.load("lesson_04_fast").replica(_MYSTERY)
    assert run.steps is not None
    assert run.validation is not None
    return CurveSet(
        {
            "training": Curves(run.steps.epoch_loss, run.steps.epoch_accuracy),
            "validation": Curves(run.validation.loss, run.validation.accuracy),
        }
    )


_MYSTERY = 6


# Guesses -----------------------------------------------------------------------------------------------------------

PREDICTIONS = (
    Prediction(
        name="still",
        question="Case 1, two classes. The loss stands at 5.73 and the accuracy at 0.64. What does the loss tell you?",
        came_out="The outputs are 0 or 1 to the last digit: 5.73 is what 36% errors cost when clipped at 1e-7.",
        guesses=(
            Guess(
                text="the network gives every sample the share of the common class, 64%, as its probability",
                outcome="That would fit the accuracy. It would cost 0.65 nats.",
            ),
            Guess(
                text="every wrong answer is given with all the probability there is",
                outcome="That is it: the loss divided by the share of errors is what a clipped zero costs.",
            ),
            Guess(
                text="the learning rate is so small that nothing moves",
                outcome="Then the loss would be near ln 2, where a network begins.",
            ),
        ),
    ),
    Prediction(
        name="cheap",
        question="Case 2, two classes. Training is right in 89%, validation in 57%. What do you suspect first?",
        came_out="The loss is no cross-entropy: in most epochs it is lower than any could be at that accuracy.",
        guesses=(
            Guess(
                text="overfitting: the gap between the accuracies is large",
                outcome="The gap is there. But look at the validation loss: it is too good to be true.",
            ),
            Guess(
                text="the validation part is of another kind",
                outcome="Perhaps it is, too. But look at the validation loss: it is too good to be true.",
            ),
            Guess(
                text="the loss is not what it is taken for",
                outcome="That is it, and two printed numbers are enough to know.",
            ),
        ),
    ),
    Prediction(
        name="rising",
        question="Case 3, two classes. From epoch 2 on the validation loss rises. What happens to the answers?",
        came_out="As many are right as before. They are given with more confidence than they deserve.",
        guesses=(
            Guess(
                text="fewer and fewer are right",
                outcome="The accuracy hardly moves. What rises is the price of the wrong ones.",
            ),
            Guess(
                text="as many are right, and the wrong ones are given with more confidence",
                outcome="That is it, and at least 0.2 nats of the loss are owed to it.",
            ),
            Guess(
                text="nothing: it is chance, with so few epochs",
                outcome="It rises in every epoch, and by far more than it moves about its trend.",
            ),
        ),
    ),
)


# Exercises ---------------------------------------------------------------------------------------------------------

_LN2 = float(np.log(2))
_SLACK = 5e-5  # half of the last digit that is printed


def _check_impossible(impossible: LearnerFunction) -> None:
    for loss, accuracy, expected, because in (
        ([0.3, 0.4], [0.5, 0.5], [1, 0], "half of the answers wrong costs at least 0.3466"),
        ([0.0, 0.2], [1.0, 0.0], [0, 1], "nothing wrong may cost nothing, and all wrong costs 0.6931 at least"),
        ([0.3465, 0.0693], [0.5, 0.9], [0, 0], "printed numbers are rounded: 0.3465 may have been 0.34654"),
        ([2.0, 0.25, 0.27], [0.1, 0.6143, 0.6143], [0, 1, 0], "61.43% right costs at least 0.2673"),
        ([0.345, 0.338], [0.5, 0.5], [1, 1], "half of the answers wrong costs at least 0.3466, and ln 2 is 0.6931"),
        ([0.0068, 0.0069], [0.99, 0.99], [1, 0], "one in a hundred wrong costs 0.0069; allow a rounding, and no more"),
    ):
        flags = impossible(np.array(loss), np.array(accuracy))
        flags.equals(np.array(expected, dtype=float), because=because)


def noise(values: Any) -> float:
    """Return the standard deviation of a curve about its trend, from its second differences, robustly.

    >>> round(noise([0.0, 1.0, 0.0, 1.0, 0.0]), 3)
    1.211
    """
    second = np.diff(np.asarray(values, dtype=np.float64), 2)
    return float(1.4826 * np.median(np.abs(second)) / np.sqrt(6))


def third_noise(values: Any) -> float:
    """Return the same from third differences, of which a parabola leaves nothing.

    >>> round(third_noise([0.0, 1.0, 0.0, 1.0, 0.0]), 3)
    1.326
    """
    third = np.diff(np.asarray(values, dtype=np.float64), 3)
    return float(1.4826 * np.median(np.abs(third)) / np.sqrt(20))


def _check_noise_of(noise_of: LearnerFunction) -> None:
    noise_of(np.array([1.0, 0.8, 0.6, 0.4, 0.2])).equals(0.0, because="a straight line has no noise")
    noise_of(np.arange(7.0) ** 2).equals(0.0, because="of a parabola third differences leave nothing", tolerance=0.01)
    noise_of(np.array([0.0, 1.0, 0.0, 1.0, 0.0])).equals(
        third_noise([0.0, 1.0, 0.0, 1.0, 0.0]),
        because="every third difference is 4 or -4, and 1 + 9 + 9 + 1 = 20: 1.4826 x 4 / sqrt(20)",
        tolerance=0.01,
    )
    spiked = np.array([0.5, 0.48, 0.47, 0.45, 0.44, 0.42, 9.0, 0.39, 0.37, 0.35, 0.34, 0.32, 0.31, 0.3, 0.28])
    noise_of(spiked).equals(
        third_noise(spiked), because="a single spike must hardly count: take the median, not the mean", tolerance=0.01
    )


def _check_forged(forged: LearnerValue) -> None:
    loss, accuracy = forged.array(shape=(2, 10))
    if not ((accuracy >= 0) & (accuracy <= 1)).all():
        raise Wrong("The second row holds accuracies: shares between 0 and 1.")
    found = diagnose({"loss": loss.tolist(), "accuracy": accuracy.tolist()}, classes=5)
    if found.best.slug == "double-softmax":
        return
    total = float(np.log(np.e + 4))
    sums = loss + accuracy
    if np.abs(sums - total).max() < 0.01:
        raise Wrong(
            f"The sums are right, and still the clinic says {found.best.slug}: half-learned probabilities may cost as "
            "much without a second softmax. Let the accuracy rise, from about 0.4 to 0.8 or more."
        )
    raise Wrong(
        f"The clinic says {found.best.slug} ({found.best.score:.2f}): {found.best.evidence[0]} With two softmax layers "
        f"the loss ends near ln(e + 4) - accuracy; your last sum is {sums[-1]:.3f}, and ln(e + 4) is {total:.3f}."
    )


_SPIKES_COME_FROM = {"batch-norm-statistics", "dropout-batch-norm-shift"}


def _check_mystery(answer: LearnerValue) -> None:
    cause, given = answer.parts(2)
    slug, epochs = cause.text().strip().lower().replace("_", "-"), np.atleast_1d(given.array())
    curves = mystery_curves()
    unseen = np.asarray(curves["validation"].loss, dtype=np.float64)
    # The other mark: stuck at chance, at a loss far above that of training.
    stuck = (np.asarray(curves["validation"].accuracy) < 0.57) & (unseen > 2 * np.asarray(curves["training"].loss))
    if slug not in _SPIKES_COME_FROM:
        if slug == "optimizer-instability":
            raise Wrong("Then training would jump as well. In the epochs in which validation jumps it does not.")
        if slug in ("overfitting", "overconfidence", "label-noise"):
            raise Wrong(
                "Then the validation loss would rise and stay high. This one comes back within an epoch or two."
            )
        if slug == "small-validation-set":
            raise Wrong("Chance makes it move by a few hundredths with 500 samples. Here it is multiplied.")
        raise Wrong(f"{slug!r} does not explain a validation loss that jumps and comes back while training gets on.")
    shown = np.flatnonzero(find_spikes(unseen, ratio=1.3) | stuck) + 1
    for epoch in epochs:
        if epoch != round(epoch) or not 1 <= epoch <= len(unseen):
            raise Wrong(f"Epochs are whole numbers from 1 to {len(unseen)}; got {epoch:g}.")
        if int(epoch) not in shown:
            k = int(epoch) - 1
            around = ", ".join(f"{value:.2f}" for value in unseen[max(0, k - 2) : k + 3])
            raise Wrong(f"Epoch {int(epoch)} does not show it: about it the validation losses are {around}.")
    if len(set(epochs.tolist())) < 3:
        raise Wrong(f"Name three epochs at least that show it; got {len(set(epochs.tolist()))}.")


EXERCISES = (
    Exercise(
        name="impossible",
        checker=_check_impossible,
        hints=(
            "Every wrong answer costs at least ln 2, so the mean costs at least (1 - accuracy) ln 2.",
            "Printed numbers are rounded to four digits: allow about 0.0001.",
            "loss < (1 - accuracy) * np.log(2) - 1e-4",
        ),
        wrong_answers={
            "without slack": WrongAnswer(answer=lambda loss, a: loss < (1 - a) * np.log(2), says="rounded"),
            "above": WrongAnswer(answer=lambda loss, a: loss > (1 - a) * np.log(2), says="half of the answers wrong"),
            "base 2": WrongAnswer(answer=lambda loss, a: loss < (1 - a) - 1e-4, says="half of the answers wrong"),
            "a slack of a hundredth": WrongAnswer(
                answer=lambda loss, a: loss < (1 - a) * np.log(2) - 0.01, says="ln 2 is 0.6931"
            ),
        },
    ),
    Exercise(
        name="noise_of",
        checker=_check_noise_of,
        hints=(
            "np.diff(values, 3) gives the third differences: each is made of four values.",
            "d - 3c + 3b - a: of independent noise the variances add up, each times its factor squared.",
            "1.4826 * np.median(np.abs(np.diff(values, 3))) / np.sqrt(20)",
        ),
        wrong_answers={
            "standard deviation": WrongAnswer(answer=lambda v: np.std(v), says="a straight line has no noise"),
            "mean": WrongAnswer(
                answer=lambda v: 1.4826 * np.mean(np.abs(np.diff(v, 3))) / np.sqrt(20), says="take the median"
            ),
            "first differences": WrongAnswer(
                answer=lambda v: 1.4826 * np.median(np.abs(np.diff(v))) / np.sqrt(2), says="a straight line"
            ),
            "second differences": WrongAnswer(answer=noise, says="of a parabola"),
            "factor of the second": WrongAnswer(
                answer=lambda v: 1.4826 * np.median(np.abs(np.diff(v, 3))) / np.sqrt(6), says="1 + 9 + 9 + 1 = 20"
            ),
        },
    ),
    Exercise(
        name="forged",
        checker=_check_forged,
        asks="value",
        hints=(
            "Which sum stays where it is when a second softmax squeezes the probabilities?",
            "Let the accuracy rise from 0.4 to 0.95, and choose the losses so that loss + accuracy = ln(e + 4).",
            "accuracy = np.linspace(0.4, 0.95, 10); np.stack([np.log(np.e + 4) - accuracy, accuracy])",
        ),
        wrong_answers={
            "an ordinary training": WrongAnswer(
                answer=np.stack([np.linspace(1.6, 0.2, 10), np.linspace(0.2, 0.95, 10)]), says="The clinic says healthy"
            ),
            "the sum of ten classes": WrongAnswer(
                answer=np.stack([np.log(np.e + 9) - np.linspace(0.4, 0.95, 10), np.linspace(0.4, 0.95, 10)]),
                says="ln(e + 4) is 1.905",
            ),
            "percent": WrongAnswer(
                answer=np.stack([np.linspace(1.6, 0.9, 10), np.linspace(40, 95, 10)]), says="between 0 and 1"
            ),
        },
    ),
    Exercise(
        name="mystery",
        checker=_check_mystery,
        asks="value",
        hints=(
            "Training gets on without a jump. What does validation ask that training does not?",
            "Lesson 04: in inference BatchNormalization takes its averages. Which slugs of the list speak of that?",
            '("batch-norm-statistics", [...]): where the dashed loss stands far above its neighbours, or validation '
            "is at chance.",
        ),
        wrong_answers={
            "too fast": WrongAnswer(answer=("optimizer-instability", [9, 19, 25]), says="training would jump as well"),
            "overfitting": WrongAnswer(answer=("overfitting", [9, 19, 25]), says="comes back within an epoch"),
            "quiet epochs": WrongAnswer(answer=("batch-norm-statistics", [12, 15, 16]), says="Epoch 15 does not show"),
        },
    ),
)


# Quiz --------------------------------------------------------------------------------------------------------------

QUESTIONS = {
    "score": Question(
        "The clinic says 'overconfidence, 0.97'. What does the number mean?",
        [
            Option(
                "With a probability of 97% it is overconfidence",
                "Nobody has counted that. How probable it is depends on which trainings come in, too.",
            ),
            Option(
                "Its marks are clear in these curves, clearer than those of what stands below",
                "A score puts findings in order. What settles it is the experiment.",
                correct=True,
            ),
            Option(
                "97% of the loss is owed to it",
                "How much is owed to it, the evidence says, in nats. The score does not.",
            ),
        ],
    ),
    "bound": Question(
        "Two classes, accuracy 0.60, mean loss 0.25. Which is certain?",
        [
            Option("The network is overconfident", "An overconfident network pays more, not less."),
            Option(
                "The loss is no cross-entropy of these answers",
                "Four in ten wrong cost at least 0.4 x 0.693 = 0.277.",
                correct=True,
            ),
            Option("The validation part is too easy", "However easy it is, 40% of the answers are wrong."),
        ],
    ),
    "alike": Question(
        "The clinic lists 'double-softmax' and 'swapped-arguments' with nearly the same score. What do you do?",
        [
            Option(
                "Take the first, it has the higher score", "The curves do not tell them apart. The experiment does."
            ),
            Option(
                "Mend both, to be sure", "Mending what is right breaks it: swapping right arguments is a new mistake."
            ),
            Option(
                "Make the experiment that is named beside them",
                "The loss of the untrained network differs, and takes a second to print.",
                correct=True,
            ),
        ],
    ),
    "copies": Question(
        "All validation samples are copies of training samples. Can the curves give it away?",
        [
            Option(
                "No: they look like those of a training that goes well",
                "Both losses fall, both accuracies rise. One has to look at the inputs.",
                correct=True,
            ),
            Option(
                "Yes: the validation loss lies below the training loss",
                "It may. In honest trainings it may as well: training is averaged over an epoch in which it learned.",
            ),
            Option("Yes: the loss lies below its floor", "The floor holds for any samples, copies or not."),
        ],
    ),
    "healthy": Question(
        "A tool is tried on 60 healthy trainings, and calls none of them ill. How many of 100 others may it call ill?",
        [
            Option("None: it makes no false alarms", "None of 60 is what one would often see with 2 or 3 of 100."),
            Option(
                "Up to about 6, if the others are like these 60",
                "Wilson's interval, with a confidence of 95%, reaches to 0.060 for 0 of 60.",
                correct=True,
            ),
            Option("About half of them: one cannot know", "So many would hardly have left 60 alone."),
        ],
    ),
}

lesson = Lesson(
    "08_curve_clinic",
    explorers={"growing": growing},
    predictions=PREDICTIONS,
    questions=QUESTIONS,
    exercises=EXERCISES,
)

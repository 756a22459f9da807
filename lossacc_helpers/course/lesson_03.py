"""Lesson 03, a noisy CNN: its guesses, its explorer, its exercises and its quiz.

The trainings that take long are recorded (`lossacc_helpers.recordings`); the rest is trained in the lesson.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers import recordings
from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import Exercise, LearnerFunction, LearnerValue, Wrong, WrongAnswer
from lossacc_helpers.figures import Picture
from lossacc_helpers.figures.reading import Movement, reading_picture
from lossacc_helpers.fingerprints import swapped_logits_loss
from lossacc_helpers.widgets import Explorer, Guess, Option, Prediction, Question, Scale, controls

# The explorer ------------------------------------------------------------------------------------------------------

# None begins or ends at an extreme of its curve: the steepest of many movements is steep by selection.
MOVEMENTS = (
    Movement("A", "validation", 1, 5),
    Movement("B", "validation", 5, 24),
    Movement("C", "validation", 19, 21),
    Movement("D", "training", 17, 18),
    Movement("E", "training", 4, 16),
)


def explorer() -> Explorer:
    """Return the recorded training at full scale, read with as many samples a point as one likes."""
    run = recordings.load("lesson_03_full_scale")
    letters = {movement.letter: controls.checkbox(movement.letter) for movement in MOVEMENTS}
    parts = {
        "points": controls.toggle(
            "training samples per point", {"32, a batch": 32, "128": 128, "512": 512, "6,000, an epoch": 6000}, value=32
        ),
        "smoothing": controls.slider("smoothing", 0.0, 0.95, step=0.05, value=0.0),
        "validation_samples": controls.toggle(
            "validation samples", {"50": 50, "150": 150, "400": 400, "1,000": 1000}, value=150
        ),
        "draw": controls.button("draw other validation samples"),
        **letters,
        "tell": controls.checkbox("tell me which mean something"),
    }

    def compute(**state: Any) -> Mapping[str, Any]:
        marked = tuple(letter for letter in letters if state.pop(letter))
        return {"run": run, "marked": marked, **state}

    return Explorer(picture, parts, compute=compute)


def picture() -> Picture:
    """Return the explorer's picture, whose state is a run, how it is read, and what the learner makes of it."""
    return reading_picture(MOVEMENTS)


# Guesses -----------------------------------------------------------------------------------------------------------


def _spread_outcome(points: float) -> str:
    if points < 15:
        return "Ten batches differ by more than you thought, and the network was the same for all of them."
    if points > 35:
        return "Ten batches differ by less than you thought, though by a lot."
    return "Your guess is close."


PREDICTIONS = (
    Prediction(
        name="cause",
        question=(
            "Training loss falls steadily. Validation accuracy rises a little and falls back. "
            "What gives this picture most reliably?"
        ),
        came_out="The picture of the causes, above, shows which do and which do not.",
        guesses=(
            Guess(
                text="only a mistake in the code: loss and accuracy of a correct program cannot part like this",
                outcome="A correct program gave it: on wrong labels in every network, and at full size on true ones.",
            ),
            Guess(
                text="wrong labels: they are learned by heart in the end",
                outcome="They do, with every seed. They need not be the asker's cause: the shape cannot tell.",
            ),
            Guess(
                text="nothing at all: accuracy jumps about like this",
                outcome=(
                    "Read on 32 images, accuracy jumps about by more than that. Whether the asker's did is not known: "
                    "the number of images behind a point was not stated."
                ),
            ),
            Guess(
                text="too few training images",
                outcome="They give it with about every second seed. Wrong labels gave it with every one.",
            ),
        ),
    ),
    Prediction(
        name="spread",
        question=(
            "A network is right for 30% of all images. Its accuracy is read on ten batches of 32 images each. "
            "How many percentage points lie between the lowest and the highest reading, typically?"
        ),
        came_out="About 25 percentage points.",
        scale=Scale(least=0, greatest=60, step=1, label="percentage points", outcome=_spread_outcome),
    ),
    Prediction(
        name="colleague",
        question=(
            "The colleague's log, thirteen classes: the loss goes from about 2.6 to 2.1, and about half of the answers "
            "are right. What is behind it?"
        ),
        came_out="The loss is not the cross-entropy.",
        guesses=(
            Guess(
                text="undecided networks: the true class is ahead of the others, and by little",
                outcome="It could be, for a cross-entropy of 2.1 permits any accuracy. But they are sure.",
            ),
            Guess(
                text="a few images on which the networks are surely wrong, and which cost very much",
                outcome="It could be, but then loss and accuracy would not add up to the same in all eight networks.",
            ),
            Guess(
                text="the loss is not the cross-entropy",
                outcome="Three numbers of the log say so, and which line printed it.",
            ),
            Guess(
                text="too low a learning rate: given time, loss and accuracy will come together",
                outcome="They cannot: at an accuracy of 1 this line would still print 1.689.",
            ),
        ),
    ),
)


# Exercises ---------------------------------------------------------------------------------------------------------


def _check_batches_needed(batches_needed: LearnerFunction) -> None:
    cases = (
        (0.3, 32, 0.01, "0.3 x 0.7 / 0.01² = 2,100 samples are needed, and 65 batches of 32 are 2,080 of them"),
        (0.9, 32, 0.02, "0.9 x 0.1 / 0.02² = 225 samples are needed, and 7 batches of 32 are 224 of them"),
        (0.3, 128, 0.01, "2,100 samples are needed, and 16 batches of 128 are 2,048 of them"),
        (0.5, 64, 0.2, "7 samples would do, and a batch is the least there is"),
        (0.5, 64, 1 / 16, "0.5 x 0.5 / (1/16)² = 64 samples are one batch of 64"),
    )
    for share, batch, error, because in cases:
        batches_needed(share, batch, error).equals(np.ceil(share * (1 - share) / error**2 / batch), because=because)


RUNAWAY_LABELS = np.array([0, 3, 7, 7, 12])


def _check_runaway(runaway: LearnerValue) -> None:
    logits = runaway.array(shape=(len(RUNAWAY_LABELS), 13))
    if not np.isfinite(logits).all():
        raise Wrong("Finite logits were asked for: with an infinite one the loss is infinite or no number.")
    hits = logits.argmax(axis=-1) == RUNAWAY_LABELS
    if not hits.all():
        row = int(np.flatnonzero(~hits)[0])
        tied = ", the first of several equal ones" if (logits[row] == logits[row].max()).sum() > 1 else ""
        raise Wrong(
            f"Row {row} is about class {RUNAWAY_LABELS[row]}, and its largest logit is that of class "
            f"{logits[row].argmax()}{tied}. All five answers are to be right."
        )
    if np.abs(logits).max() > 1e30:
        raise Wrong("These logits are so large that their sum overflows. A few hundred below zero are enough.")
    reported = float(np.mean(swapped_logits_loss(RUNAWAY_LABELS, logits)))
    if not reported < -1000:
        raise Wrong(
            f"All five are right, and the swapped loss reports {reported:,.4g}; below -1,000 was asked for. "
            "What happens to it when you subtract the same number from all logits?"
        )


def _check_hidden_probability(hidden_probability: LearnerFunction) -> None:
    for loss, classes in ((1.7, 10), (2.0, 13), (0.9, 2), (2.4, 10)):
        ceiling = float(np.log(np.e + classes - 1))
        hidden_probability(loss, classes).equals(
            ceiling - loss,
            because=f"with {classes} classes the loss is {ceiling:.3f} minus the mean probability of the true class",
        )


@dataclass(frozen=True)
class Log:
    """What somebody printed of the images that eight networks were trained on.

    Attributes
    ----------
    loss, accuracy : (network, epoch), over each epoch.
    first : (network,) the loss of the first batch, before anything was learned from it.
    """

    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    first: NDArray[np.float64]


def mystery() -> Log:
    """Return the transfer task's log: what was minimised, printed as "loss"; what lies behind it is to be found out."""
    steps = recordings.load("lesson_03_swapped_softmax").steps
    assert steps is not None  # every recording of this lesson has them
    return Log(steps.epoch_loss, steps.epoch_accuracy, steps.losses[:, 0].astype(float))


_OTHER_LINES = {
    "A": "With nothing learned a cross-entropy is near ln 13 = 2.565, and all eight begin above 2.6. And why should "
    "loss and accuracy come to the same sum in eight networks?",
    "B": "Swapped logits have no floor: such a loss would be far below zero by now.",
    "D": "Softmax twice ends like this log. With nothing learned it reports ln 13 = 2.565: does this log begin there?",
    "E": "With nothing learned the squared error over thirteen classes is (1 - 1/13) / 13 = 0.071.",
}


def _check_printed(answer: LearnerValue) -> None:
    count, letter, shares = answer.parts(3)
    log = mystery()
    broken = count.number()
    if broken != 0:
        raise Wrong(
            f"You count {broken:g} entries that break the bound. It is a bound from below: (1 - accuracy) * ln 2, at "
            f"most 0.693. The least loss of the log is {log.loss.min():.2f}. "
            "Between ln 2 and ln 13 a loss permits any accuracy."
        )
    line = letter.text().strip().upper()
    if line in _OTHER_LINES:
        raise Wrong(f"No entry breaks the bound, and the line is not {line}. {_OTHER_LINES[line]}")
    if line != "C":
        raise Wrong('No entry breaks the bound. For the line give one of the letters "A", "B", "C", "D" or "E".')
    given, ceiling = shares.array(shape=(len(log.loss),)), float(np.log(np.e + 12))
    expected = ceiling - log.loss[:, -1]
    away = np.abs(given - expected)
    if np.abs(given - log.accuracy[:, -1]).max() < 1e-3:
        raise Wrong(
            "The line is C. You give the accuracy, which is close, because the networks are sure of nearly everything. "
            "The loss tells the mean probability exactly."
        )
    if not (away < 2e-3).all():
        worst = int(np.nan_to_num(away, nan=np.inf).argmax())
        raise Wrong(
            f"The line is C. Network {worst} reported {log.loss[worst, -1]:.3f}, and you give its true classes "
            f"{given[worst]:.3f}. With thirteen classes the line reports ln(e + 12) = {ceiling:.3f} minus what?"
        )


# The last epoch of the log: loaded only when an answer is checked, a recording does not slow down the import.
_LAST_LOSSES = np.array([2.282, 2.136, 2.068, 2.103, 2.467, 2.171, 2.112, 2.130])
_LAST_ACCURACIES = np.array([0.410, 0.556, 0.625, 0.589, 0.222, 0.523, 0.581, 0.563])
_SHARES = np.log(np.e + 12) - _LAST_LOSSES

EXERCISES = (
    Exercise(
        name="batches_needed",
        checker=_check_batches_needed,
        hints=(
            "The standard error of an accuracy over n samples is sqrt(a (1 - a) / n). Solve for n.",
            "n = a (1 - a) / error². Batches come whole: divide by the batch size and round up.",
            "import math; math.ceil(accuracy * (1 - accuracy) / error**2 / batch_size)",
        ),
        wrong_answers={
            "rounds down": WrongAnswer(
                answer=lambda accuracy, batch, error: int(accuracy * (1 - accuracy) / error**2 // batch),
                says="65 batches of 32 are 2,080",
            ),
            "samples instead of batches": WrongAnswer(
                answer=lambda accuracy, batch, error: np.ceil(accuracy * (1 - accuracy) / error**2),
                says="2,100 samples are needed",
            ),
            "forgets the square": WrongAnswer(
                answer=lambda accuracy, batch, error: np.ceil(accuracy * (1 - accuracy) / error / batch),
                says="2,100 samples are needed",
            ),
        },
    ),
    Exercise(
        name="runaway",
        checker=_check_runaway,
        asks="value",
        hints=(
            "Which answer is given depends on the largest logit only. What else may you change freely?",
            "The swapped loss is ln(e + 12) = 2.69 times the sum of a row's logits, minus the true class's logit.",
            "Start from np.full((5, 13), -1000.0) and raise one entry in each row.",
        ),
        wrong_answers={
            "a good network's logits": WrongAnswer(answer=20.0 * np.eye(13)[RUNAWAY_LABELS], says="below -1,000"),
            "far down, and undecided": WrongAnswer(
                answer=np.full((5, 13), -1000.0), says="the first of several equal ones"
            ),
            "infinite": WrongAnswer(answer=np.full((5, 13), -np.inf), says="Finite logits"),
            "too far down": WrongAnswer(
                answer=np.where(np.eye(13)[RUNAWAY_LABELS] == 1, -1e307, -1e308), says="overflows"
            ),
        },
    ),
    Exercise(
        name="hidden_probability",
        checker=_check_hidden_probability,
        hints=(
            "The lesson has the identity: what is reported is ln(e + C - 1) - p_true, sample by sample.",
            "Means go through: mean loss = ln(e + C - 1) - mean p_true. Solve for the mean p_true.",
            "np.log(np.e + classes - 1) - reported_loss",
        ),
        wrong_answers={
            "reads it as a cross-entropy": WrongAnswer(
                answer=lambda loss, classes: np.exp(-loss), says="minus the mean probability"
            ),
            "forgets the number of classes": WrongAnswer(
                answer=lambda loss, classes: np.log(np.e + 9) - loss, says="with 13 classes"
            ),
        },
    ),
    Exercise(
        name="printed",
        asks="value",
        checker=_check_printed,
        hints=(
            "The least loss at accuracy a is (1 - a) ln 2. Then add loss and accuracy of the last epoch: what do eight "
            "such different networks have in common?",
            "The sum is ln(e + 12), so C or D. Put 1/13 for every probability: C reports ln(e + 12) - 1/13 = 2.612, "
            "and D reports ln 13 = 2.565. Compare with log.first.",
            "C reports ln(e + 12) minus the mean probability of the true class: np.log(np.e + 12) - log.loss[:, -1].",
        ),
        wrong_answers={
            "compares with chance": WrongAnswer(answer=(8, "A", _SHARES), says="a bound from below"),
            "cross-entropy": WrongAnswer(answer=(0, "A", np.exp(-_LAST_LOSSES)), says="begin above 2.6"),
            "swapped logits": WrongAnswer(answer=(0, "b", _SHARES), says="no floor"),
            "softmax twice": WrongAnswer(answer=(0, "D", _SHARES), says="does this log begin there?"),
            "squared error": WrongAnswer(answer=(0, "E", _SHARES), says="0.071"),
            "no letter": WrongAnswer(answer=(0, "swapped", _SHARES), says="one of the letters"),
            "takes the accuracy": WrongAnswer(answer=(0, "C", _LAST_ACCURACIES), says="You give the accuracy"),
            "reads it as a cross-entropy": WrongAnswer(
                answer=(0, "C", np.exp(-_LAST_LOSSES)), says="ln(e + 12) = 2.689 minus what?"
            ),
            "the ceiling of ten classes": WrongAnswer(
                answer=(0, "C", np.log(np.e + 9) - _LAST_LOSSES), says="With thirteen classes"
            ),
        },
    ),
)


# Quiz --------------------------------------------------------------------------------------------------------------

QUESTIONS = {
    "grid": Question(
        "Training accuracy is drawn after every step: 0.3125, then 0.21875, then 0.34375. What do you conclude?",
        [
            Option(
                "The learning rate is too high: accuracy swings by ten points from step to step",
                "All three are multiples of 1/32. Three batches of 32 images differ by that much without any training.",
            ),
            Option(
                "Each number is of 32 images, and such numbers differ by several points without any reason",
                "The grid of 1/32 gives the batch away, and at 0.3 the standard error is 8 points.",
                correct=True,
            ),
            Option(
                "The network forgets what it has learned and learns it again",
                "Possible, and not to be seen here: three readings on 32 images cannot tell 0.22 from 0.34.",
            ),
        ],
    ),
    "low": Question(
        "Thirteen classes. Somebody calls a cross-entropy of 2.3 low, and wonders about an accuracy of 0.2. "
        "Your answer?",
        [
            Option(
                "2.3 is not far below chance, which is ln 13 = 2.565, and permits any accuracy: 0.2 is no surprise",
                "Low is only what is low against chance, and below ln 2 what forces some accuracy.",
                correct=True,
            ),
            Option(
                "At a loss of 2.3 at least half of the answers must be right",
                "Lesson 01: accuracy is at least 1 - 2.3 / ln 2, which is below 0, so nothing follows.",
            ),
            Option(
                "A loss above 1 means that the program has a mistake",
                "Cross-entropy has no such limit. Guessing among 13 classes costs 2.565.",
            ),
        ],
    ),
    "negative": Question(
        "The training loss stands at -4,000 and falls. Accuracy is 0.9. What do you do first?",
        [
            Option(
                "Nothing: accuracy is good, and the lower the loss the better",
                "A cross-entropy of given labels cannot be negative. What is minimised is something else.",
            ),
            Option(
                "Lower the learning rate, because the loss diverges",
                "The loss has no lower end. A lower rate gets there later.",
            ),
            Option(
                "Look at the order of the arguments in the loss",
                "With labels and logits swapped the loss has no lower end. Accuracy may be high or low with it.",
                correct=True,
            ),
        ],
    ),
    "floor": Question(
        "Ten classes. The loss falls to 1.47 and stays there; accuracy is 0.99. Which explanation fits?",
        [
            Option(
                "The network is underfitted: train longer",
                "With 99 of 100 right, a network that trains on would grow surer of them. Here nothing moves.",
            ),
            Option(
                "Softmax is applied twice",
                "The second softmax sees numbers between 0 and 1: no loss below ln(e + 9) - 1 = 1.461. Swapped "
                "arguments after a softmax have the same floor, so look at the code.",
                correct=True,
            ),
            Option(
                "A few labels are wrong and cost very much",
                "One wrong label in a hundred would have to cost more than 100 nats. A network would not stay there.",
            ),
        ],
    ),
    "fall": Question(
        "Validation accuracy is 0.34 after epoch 5 and 0.28 after epoch 20, on the same 150 images. Is the fall real?",
        [
            Option(
                "Yes: six points are six points",
                "They are: nine images net. The question is whether 150 other images would show it too.",
            ),
            Option(
                "It depends on how many images became right and how many became wrong",
                "12 that became wrong and 3 that became right are one thing, 50 and 41 another. Count the crossings.",
                correct=True,
            ),
            Option(
                "No: the two 95% intervals overlap",
                "For the same images overlap decides nothing: the change is often known better than either.",
            ),
        ],
    ),
    "peak": Question(
        "Training loss falls to the end, validation accuracy peaks early and falls back. You have the curves and "
        "nothing else. What may you write in your reply?",
        [
            Option(
                "Your labels are noisy: clean them",
                "They may be. The same network peaked and fell back with every label true.",
            ),
            Option(
                "The arguments of your loss are swapped",
                "Before 1.0 that line was right, and in 1.x it does not run. Swapped, it gave another picture here.",
            ),
            Option(
                "Several causes fit; these are the numbers that would tell them apart",
                "How many validation images, what values of both losses, which version: then more can be said.",
                correct=True,
            ),
        ],
    ),
}

lesson = Lesson(
    "03_noisy_cnn",
    explorers={"reading": explorer},
    predictions=PREDICTIONS,
    questions=QUESTIONS,
    exercises=EXERCISES,
)

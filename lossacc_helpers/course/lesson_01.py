"""Lesson 01, the arithmetic of log loss: its guesses, its explorer, its exercises and its quiz."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers.attainable import attainable_accuracy
from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import Exercise, LearnerFunction, LearnerValue, Wrong, WrongAnswer
from lossacc_helpers.figures import Picture
from lossacc_helpers.figures.arithmetic import ten_samples_picture
from lossacc_helpers.scores import accuracy, correct, log_loss
from lossacc_helpers.widgets import Explorer, Guess, Option, Prediction, Question, Scale, controls

_LN2 = math.log(2)


# The explorer ------------------------------------------------------------------------------------------------------

LABELS = (1, 1, 1, 1, 1, 0, 0, 0, 0, 0)
NAMES = ("your horse", "horse 2", "horse 3", "horse 4", "horse 5", "dog 1", "dog 2", "dog 3", "dog 4", "dog 5")
# The probability of a horse that the model gives the other nine: four horses, five dogs.
OTHERS = {
    "a shaky start": (0.42, 0.47, 0.55, 0.60, 0.35, 0.45, 0.52, 0.58, 0.40),
    "a good model": (0.90, 0.80, 0.95, 0.70, 0.10, 0.20, 0.05, 0.30, 0.15),
    "one confident mistake": (0.97, 0.95, 0.98, 0.90, 0.03, 0.05, 0.02, 0.9976, 0.06),
    "all a little wrong": (0.49, 0.49, 0.49, 0.49, 0.51, 0.51, 0.51, 0.51, 0.51),
    "all a little right": (0.51, 0.51, 0.51, 0.51, 0.49, 0.49, 0.49, 0.49, 0.49),
}


def sharpened(probabilities: Any, sharpness: float) -> NDArray[np.float64]:
    """Return two-class probabilities whose logits are multiplied by `sharpness`: above 1 they move away from 0.5.

    >>> sharpened([0.2, 0.5, 0.8], 2).round(3)
    array([0.059, 0.5  , 0.941])
    """
    ones = np.asarray(probabilities, dtype=np.float64)
    return np.asarray(ones**sharpness / (ones**sharpness + (1 - ones) ** sharpness))


def _ten_samples(*, others: str, p: float, sharpness: float, threshold: float, clip: bool) -> dict[str, Any]:
    """Return the state of the picture."""
    probabilities = np.concatenate([[p], sharpened(OTHERS[others], sharpness)])
    return {"probabilities": probabilities, "threshold": threshold, "clip": 1e-7 if clip else None}


def _picture() -> Picture:
    return ten_samples_picture(LABELS, NAMES)


def _explorer() -> Explorer:
    return Explorer(
        _picture,
        {
            "p": controls.slider("your horse: p", 0, 1, step=0.01, value=0.1),
            "others": controls.dropdown("the other nine", list(OTHERS), value="a shaky start"),
            "sharpness": controls.log_slider("sharpness of the nine", 0.1, 5, value=1),
            "threshold": controls.slider("threshold", 0.05, 0.95, step=0.05, value=0.5),
            "clip": controls.checkbox("clip at 1e-7"),
        },
        compute=_ten_samples,
    )


# Predict first -----------------------------------------------------------------------------------------------------

PREDICTIONS = (
    Prediction(
        name="climb",
        question=(
            "One sample, two classes. In three epochs the probability of its true class goes from 0.1 to 0.22 to 0.49. "
            "What do its loss and its accuracy do?"
        ),
        came_out="The loss falls twice and the accuracy stays 0.",
        guesses=(
            Guess(
                text="Loss falls, and accuracy rises a little with each step.",
                outcome="The accuracy of one sample is 0 or 1. It has no little steps: it waits for the threshold.",
            ),
            Guess(
                text="Loss falls in both steps, and accuracy does not move.",
                outcome="So it is. The rest of the lesson is about how far this can go.",
            ),
            Guess(
                text="Neither moves: the sample is wrong in all three epochs.",
                outcome="Wrong in all three, yes, but the loss asks how wrong, and that changed a lot.",
            ),
            Guess(
                text="Loss falls, and accuracy jumps in the last step.",
                outcome="0.49 is near one half and not past it. Near does not count for accuracy.",
            ),
        ),
    ),
    Prediction(
        name="least_right",
        question=(
            "Ten samples, any model, any number of classes. You are told one thing: the mean log loss is 0.3 nats. "
            "At least how many of the ten must be right?"
        ),
        came_out="Six.",
        scale=Scale(
            least=0,
            greatest=10,
            step=1,
            label="right, at least",
            outcome=lambda made: (
                "exactly what the arithmetic forces."
                if made == 6
                else "more than the arithmetic forces: four may be wrong."
                if made > 6
                else "less than the arithmetic forces: five wrong samples would cost too much."
            ),
        ),
    ),
)


# Exercises ---------------------------------------------------------------------------------------------------------

_THREE_CLASSES = (
    np.array([0, 2, 1, 0]),
    np.array([[0.4, 0.35, 0.25], [0.1, 0.1, 0.8], [0.3, 0.2, 0.5], [0.7, 0.2, 0.1]]),
)
_TWO_CLASSES = np.array([1, 1]), np.array([[0.1, 0.9], [0.4, 0.6]])


def _of_true_class(labels: NDArray[Any], probabilities: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(probabilities[np.arange(len(labels)), labels])


_Mistake = tuple[Callable[[NDArray[Any], NDArray[Any]], float], str]

_LOSS_MISTAKES: tuple[_Mistake, ...] = (
    (
        lambda labels, p: float(-np.log(_of_true_class(labels, p)).sum()),
        "That is the sum of the losses: a log reports their mean.",
    ),
    (
        lambda labels, p: float(np.log(_of_true_class(labels, p)).mean()),
        "The sign is missing: the logarithm of a probability is negative, and a cost is not.",
    ),
    (
        lambda labels, p: float(-np.log2(_of_true_class(labels, p)).mean()),
        "That is in bits: np.log2 has base 2. Losses in nats use np.log.",
    ),
    (
        lambda labels, p: float(-np.log10(_of_true_class(labels, p)).mean()),
        "That uses np.log10. Losses in nats use np.log.",
    ),
    (
        lambda labels, p: float(-np.log(_of_true_class(labels, p).mean())),
        "That is the logarithm of the mean. Take the logarithm of each probability first, then the mean.",
    ),
    (
        lambda labels, p: float(-np.log(p.max(axis=1)).mean()),
        "That is the cost of the most probable class. The loss asks for the true one, which the label names.",
    ),
    (
        lambda labels, p: float(-np.log(p[:, 1]).mean()),
        "That is the cost of class 1 in every row. Take the column that each row's label names.",
    ),
    (
        lambda labels, p: float(-np.log(p).mean()),
        "That averages over all classes. Only the probability of the true class counts.",
    ),
)

_ACCURACY_MISTAKES: tuple[_Mistake, ...] = (
    (
        lambda labels, p: float((_of_true_class(labels, p) > 0.5).mean()),
        "With more than two classes 0.5 is not needed: the largest probability is named, however small.",
    ),
    (
        lambda labels, p: float((_of_true_class(labels, p) >= p.max(axis=1)).mean()),
        "You let a sample win every tie. Only one class can be named: argmax takes the first of the largest.",
    ),
    (
        lambda labels, p: float(((p >= _of_true_class(labels, p)[:, None]).sum(axis=1) == 1).mean()),
        "You let a sample lose every tie. argmax takes the first of the largest, and that may be the true class.",
    ),
    (
        lambda labels, p: float((p.argmax(axis=1) == labels).sum()),
        "That is how many are right. Accuracy is their share.",
    ),
    (
        lambda labels, p: float(_of_true_class(labels, p).mean()),
        "That is the mean probability of the true class. Accuracy asks only whether the class is named.",
    ),
)


def _judge(
    function: LearnerFunction,
    labels: NDArray[Any],
    probabilities: NDArray[Any],
    expected: float,
    mistakes: tuple[_Mistake, ...],
    because: str,
) -> None:
    """Pass the right number, name a mistake that is known, and say of any other what was expected and why."""
    value = function(labels, probabilities)
    got = value.number()
    if math.isclose(got, expected, rel_tol=1e-5, abs_tol=1e-9):
        return
    for mistaken, comment in mistakes:
        with np.errstate(divide="ignore"):
            if math.isclose(got, mistaken(labels, probabilities), rel_tol=1e-5, abs_tol=1e-9):
                raise Wrong(f"{value}, but {expected:.6g} was expected. {comment}")
    value.equals(expected, because=because)


def _check_mean_log_loss(function: LearnerFunction) -> None:
    for labels, probabilities in (_TWO_CLASSES, _THREE_CLASSES):
        expected = float(log_loss(labels, probabilities))
        because = "the mean over samples of -log of the probability of each sample's true class"
        _judge(function, labels, probabilities, expected, _LOSS_MISTAKES, because)
    sure = function(np.array([0]), np.array([[0.999, 0.001]]))
    sure.equals(-math.log(0.999), because="a sure and right sample costs next to nothing")


def _check_share_right(function: LearnerFunction) -> None:
    ties = (
        np.array([1, 1, 0, 2, 0]),
        np.array([[0.2, 0.8, 0.0], [0.5, 0.5, 0.0], [0.4, 0.2, 0.4], [0.1, 0.45, 0.45], [0.4, 0.35, 0.25]]),
    )
    for labels, probabilities in (_TWO_CLASSES, _THREE_CLASSES, ties):
        expected = float(accuracy(labels, probabilities))
        because = "the share of rows whose first largest entry is in the column of the label"
        _judge(function, labels, probabilities, expected, _ACCURACY_MISTAKES, because)


def _true_class_probabilities(value: LearnerValue) -> NDArray[np.float64]:
    """Return ten probabilities of the true class, or say which of them is none."""
    p = value.array(shape=(10,))
    for index, number in enumerate(p):
        if not 0 <= number <= 1:
            raise Wrong(f"{value.label}: a probability lies between 0 and 1; sample {index} has {number:g}.")
        if number == 0:
            raise Wrong(f"{value.label}: sample {index} has p = 0, which makes the loss infinite. Keep p above 0.")
    return p


def _scores(p: NDArray[np.float64]) -> tuple[float, int]:
    """Return the mean log loss and how many are right, of true-class probabilities with two classes."""
    labels, rows = np.ones(len(p), dtype=int), np.stack([1 - p, p], axis=-1)
    return float(log_loss(labels, rows)), int(correct(labels, rows).sum())


def _check_both_rise(answer: LearnerValue) -> None:
    (loss_before, right_before), (loss_after, right_after) = (
        _scores(_true_class_probabilities(part)) for part in answer.parts(2)
    )
    told = (
        f"Accuracy goes from {right_before / 10:.1f} to {right_after / 10:.1f}, "
        f"loss from {loss_before:.3f} to {loss_after:.3f}"
    )
    if right_after == right_before:
        raise Wrong(f"{told}: the accuracy stands still. Some sample must get from below 0.5 to above it.")
    if right_after < right_before and loss_after < loss_before:
        raise Wrong(f"{told}: both fall. That is the mirror image; exchange before and after.")
    if right_after < right_before:
        raise Wrong(f"{told}: the accuracy falls. More samples must cross 0.5 upwards than downwards.")
    if loss_after <= loss_before:
        raise Wrong(
            f"{told}: the accuracy rises as asked, and the loss does not. A sample that is wrong already can get more "
            "expensive without any cost in accuracy."
        )


_POOREST_LOSS = 0.4


def _check_poorest(answer: LearnerValue) -> None:
    loss, right = _scores(_true_class_probabilities(answer))
    if abs(loss - _POOREST_LOSS) >= 0.005:
        size = "more" if loss > _POOREST_LOSS else "less"
        raise Wrong(f"The mean loss is {loss:.3f}, {size} than 0.40. All ten costs together must come to 4.0 nats.")
    if right == 10:
        raise Wrong("The loss is 0.40 and all ten are right: that is the best such a loss permits, not the worst.")
    least, _ = attainable_accuracy(_POOREST_LOSS, samples=10)
    if right > round(10 * float(least)):
        raise Wrong(
            f"The loss is 0.40 with {right} of 10 right, and it permits fewer. What is the least that a wrong sample "
            "must cost, and how little can a right one cost?"
        )


MYSTERY_EPOCHS = 6


def mystery_predictions() -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return labels (200,) and the probability of class 1 (epoch, 200) behind the mystery log of the lesson."""
    labels = (np.arange(200) % 2).astype(np.intp)
    spread = np.array([NormalDist().inv_cdf((place + 0.5) / 200) for place in range(200)])
    logits_of_true = np.linspace(0.05, 0.9, MYSTERY_EPOCHS)[:, None] + np.linspace(0.4, 1.0, MYSTERY_EPOCHS)[
        :, None
    ] * np.roll(spread, 67)
    of_true = 1 / (1 + np.exp(-logits_of_true))
    return labels, np.where(labels == 1, of_true, 1 - of_true)


def mystery_log() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a colleague's log calls loss and accuracy, of two classes and 200 samples, to three decimals."""
    labels, ones = mystery_predictions()
    losses = ((ones - labels) ** 2).mean(axis=-1)  # the mystery: not a log loss
    return losses.round(3), ((ones > 0.5) == labels).mean(axis=-1).round(3)


_CAUSES = {
    "A": "Overconfidence makes a loss too high for its accuracy. Here the loss is too low for it.",
    "C": "The bound holds for any number of samples. Three decimals move it by 0.001; epoch 1 is off by 0.09.",
    "D": "Clipping limits what a sample costs at 16.118 nats. A wrong sample still costs ln 2 or more.",
}


def _check_mystery(answer: LearnerValue) -> None:
    first, second = answer.parts(2)
    flags = first.array(shape=(MYSTERY_EPOCHS,)) != 0
    losses, accuracies = mystery_log()
    least, _ = attainable_accuracy(losses)
    if flags.all():
        raise Wrong(
            "You mark all six epochs. If you compared with exp(-loss): exp(-loss) is no bound. And although one "
            "impossible epoch makes the whole column suspect, which of them break the bound by themselves?"
        )
    for epoch, (flag, loss, reported, bound) in enumerate(
        zip(flags, losses, accuracies, np.atleast_1d(least), strict=True), start=1
    ):
        told = f"Epoch {epoch} reports loss {loss:.3f} and accuracy {reported:.3f}"
        if flag and reported >= bound:
            raise Wrong(
                f"{told}: possible. Such a loss permits accuracies down to {bound:.3f}; exp(-loss) is no bound."
            )
        if not flag and reported < bound:
            raise Wrong(f"{told}: impossible. What does each wrong sample cost, and what do all of them cost together?")
    cause = second.text().strip().upper()
    if cause in _CAUSES:
        raise Wrong(f"The epochs are right, and {cause} does not explain them. {_CAUSES[cause]}")
    if cause != "B":
        raise Wrong('The epochs are right. For the cause give one of the letters "A", "B", "C" or "D".')


_EPOCHS_OF_MYSTERY = mystery_log()[1] < attainable_accuracy(mystery_log()[0])[0]
_BEFORE = np.full(10, 0.45)

EXERCISES = (
    Exercise(
        name="mean_log_loss",
        checker=_check_mean_log_loss,
        hints=(
            "Row i of the probabilities belongs to sample i. Which column of that row is about its true class?",
            "probabilities[np.arange(len(labels)), labels] picks one number from each row.",
            "A sample costs -np.log of that number. The loss is the mean of the costs.",
        ),
        wrong_answers={
            "sum": WrongAnswer(answer=_LOSS_MISTAKES[0][0], says="That is the sum of the losses"),
            "no minus": WrongAnswer(answer=_LOSS_MISTAKES[1][0], says="The sign is missing"),
            "bits": WrongAnswer(answer=_LOSS_MISTAKES[2][0], says="That is in bits"),
            "base 10": WrongAnswer(answer=_LOSS_MISTAKES[3][0], says="That uses np.log10"),
            "log of the mean": WrongAnswer(answer=_LOSS_MISTAKES[4][0], says="the logarithm of the mean"),
            "most probable class": WrongAnswer(answer=_LOSS_MISTAKES[5][0], says="the most probable class"),
            "class 1": WrongAnswer(answer=_LOSS_MISTAKES[6][0], says="the cost of class 1 in every row"),
            "all classes": WrongAnswer(answer=_LOSS_MISTAKES[7][0], says="averages over all classes"),
        },
    ),
    Exercise(
        name="share_right",
        checker=_check_share_right,
        hints=(
            "Which column does each row's largest probability stand in? NumPy has a function that says so.",
            "probabilities.argmax(axis=1) names one class for each row; of equal ones it takes the first.",
            "Compare the named classes with the labels, and take the mean of the comparison.",
        ),
        wrong_answers={
            "more than a half": WrongAnswer(answer=_ACCURACY_MISTAKES[0][0], says="0.5 is not needed"),
            "ties are right": WrongAnswer(answer=_ACCURACY_MISTAKES[1][0], says="win every tie"),
            "ties are wrong": WrongAnswer(answer=_ACCURACY_MISTAKES[2][0], says="lose every tie"),
            "count": WrongAnswer(answer=_ACCURACY_MISTAKES[3][0], says="Accuracy is their share"),
            "mean probability": WrongAnswer(answer=_ACCURACY_MISTAKES[4][0], says="the mean probability"),
        },
    ),
    Exercise(
        name="both_rise",
        asks="value",
        checker=_check_both_rise,
        hints=(
            "Crossing 0.5 is cheap: from 0.49 to 0.51 a sample gains its whole accuracy for 0.04 nats.",
            "Let one sample cross by a little. Then let another, wrong before and after, become very sure.",
            "A wrong sample that falls from 0.2 to 0.001 costs 5.3 nats more, and no accuracy.",
        ),
        wrong_answers={
            "no change": WrongAnswer(answer=(_BEFORE, _BEFORE), says="the accuracy stands still"),
            "loss falls": WrongAnswer(answer=(_BEFORE, np.full(10, 0.6)), says="and the loss does not"),
            "both fall": WrongAnswer(
                answer=([0.51, 0.01, *[0.6] * 8], [0.49, 0.3, *[0.6] * 8]), says="exchange before and after"
            ),
            "accuracy falls": WrongAnswer(answer=(np.full(10, 0.6), _BEFORE), says="the accuracy falls"),
            "infinite": WrongAnswer(answer=(_BEFORE, [0.0, *[0.6] * 9]), says="makes the loss infinite"),
            "no probability": WrongAnswer(answer=(_BEFORE, [1.2, *[0.6] * 9]), says="between 0 and 1"),
            "nine samples": WrongAnswer(answer=(_BEFORE[:9], _BEFORE[:9]), says="an array of shape (10,)"),
        },
    ),
    Exercise(
        name="poorest",
        asks="value",
        checker=_check_poorest,
        hints=(
            "Ten samples at a mean of 0.4 nats may cost 4 nats together. Spend them on wrong samples, cheaply.",
            "The cheapest wrong sample has p a little below 0.5 and costs a little more than ln 2 = 0.693 nats.",
            "How often does 0.693 go into 4? Make so many wrong at the same p, and the others right at almost no cost.",
        ),
        wrong_answers={
            "all alike": WrongAnswer(answer=np.full(10, math.exp(-0.4)), says="the best such a loss permits"),
            "four wrong": WrongAnswer(
                answer=[*[0.49] * 4, *[math.exp(-(4 + 4 * math.log(0.49)) / 6)] * 6], says="with 6 of 10 right"
            ),
            "too expensive": WrongAnswer(answer=[*[0.4] * 6, *[0.999] * 4], says="more than 0.40"),
            "too cheap": WrongAnswer(answer=np.full(10, 0.99), says="less than 0.40"),
        },
    ),
    Exercise(
        name="mystery",
        asks="value",
        checker=_check_mystery,
        hints=(
            "For each epoch: what is the least accuracy that a mean log loss of this size permits?",
            "A wrong sample costs ln 2 or more, so no log loss goes with an accuracy below 1 - loss / np.log(2).",
            "If one epoch is impossible, the two numbers do not belong together in any epoch. What is the loss, then?",
        ),
        wrong_answers={
            "exp(-loss) as a bound": WrongAnswer(
                answer=(mystery_log()[1] < np.exp(-mystery_log()[0]), "B"), says="exp(-loss) is no bound"
            ),
            "all six": WrongAnswer(answer=(np.ones(MYSTERY_EPOCHS, dtype=bool), "B"), says="You mark all six"),
            "nothing wrong": WrongAnswer(answer=(np.zeros(MYSTERY_EPOCHS, dtype=bool), "A"), says="impossible"),
            "overconfidence": WrongAnswer(answer=(_EPOCHS_OF_MYSTERY, "A"), says="too low for it"),
            "few samples": WrongAnswer(answer=(_EPOCHS_OF_MYSTERY, "c"), says="any number of samples"),
            "clipping": WrongAnswer(answer=(_EPOCHS_OF_MYSTERY, "D"), says="still costs ln 2"),
            "no letter": WrongAnswer(answer=(_EPOCHS_OF_MYSTERY, "Brier"), says="one of the letters"),
        },
    ),
)


# Quiz --------------------------------------------------------------------------------------------------------------

QUESTIONS = {
    "flat": Question(
        "A validation set of 1000 samples, scored after each epoch. Over ten epochs its loss falls from 0.92 to 0.75, "
        "and exactly 600 samples are right before and after. What is certain?",
        [
            Option(
                "As many samples became right as became wrong.",
                "The same count means equal numbers in both directions. Often both numbers are zero.",
                correct=True,
            ),
            Option(
                "The network has stopped learning what it can.",
                "Nothing says so: the loss is computed from the same predictions, and they changed.",
            ),
            Option(
                "No sample crossed the threshold in these epochs.",
                "Possible, but not certain: two samples may have changed places.",
            ),
            Option(
                "The loss or the accuracy is computed wrongly.",
                "Nothing here breaks a bound: a loss above ln 2 can go with any accuracy below 1.",
            ),
        ],
    ),
    "three_classes": Question(
        "Three classes, and the true class has a probability of 0.4. Is the sample right?",
        [
            Option("Yes: 0.4 is more than one third.", "One third is chance. A rival with 0.5 still wins."),
            Option("No: 0.4 is less than one half.", "One half settles it for two classes only."),
            Option(
                "It depends on how the other 0.6 is divided.",
                "0.35 and 0.25 lose to 0.4; 0.5 and 0.1 do not. The loss is 0.916 nats either way.",
                correct=True,
            ),
            Option(
                "It depends on the loss of the sample.", "The loss knows only the 0.4, and is the same in both cases."
            ),
        ],
    ),
    "permits": Question(
        "A network with ten classes has a mean log loss of 0.1 nats. What is the highest accuracy you can guarantee?",
        [
            Option(
                "0.905, since exp(-0.1) is 0.9048.", "exp(-loss) is the geometric mean of the probabilities, no bound."
            ),
            Option(
                "0.855, since 1 - 0.1 / ln 2 is 0.8557.",
                "Each wrong sample costs ln 2 or more, however many classes there are.",
                correct=True,
            ),
            Option(
                "0.956, since 1 - 0.1 / ln 10 is 0.9566.",
                "ln 10 is the most that a right sample can cost, not the least that a wrong one does.",
            ),
            Option(
                "0.100, since chance is 1 / 10 for ten classes.",
                "True, but far too modest: nine wrong samples in ten would cost more than six times this loss.",
            ),
        ],
    ),
    "threshold": Question(
        "You lower the threshold from 0.5 to 0.3, so that fewer horses are missed. What changes?",
        [
            Option("Loss and accuracy, in opposite directions.", "The loss never sees the threshold."),
            Option("The loss changes, the accuracy does not.", "It is the other way round."),
            Option(
                "The accuracy may change, the loss does not.",
                "The threshold turns probabilities into answers. The loss is computed before that.",
                correct=True,
            ),
            Option(
                "Both, once the network is trained again.", "Training minimises the loss, where no threshold occurs."
            ),
        ],
    ),
    "jump": Question(
        "From one epoch to the next the loss over 100 samples jumps from 0.30 to 0.45, and the accuracy stays at 0.95. "
        "At least how many samples must have changed?",
        [
            Option("15", "The loss rose by 15 nats altogether, but nothing limits what one sample costs."),
            Option("10", "Five crossings up and five down keep the accuracy, but none is needed."),
            Option("5", "All five wrong ones may have got more expensive. Fewer are enough."),
            Option(
                "1",
                "100 samples times 0.15 is 15 nats: one wrong sample at p near 0 can pay all of it.",
                correct=True,
            ),
        ],
    ),
    "infinite": Question(
        "On the same predictions one tool prints an infinite loss and another 0.161. The set has 100 samples. Why?",
        [
            Option(
                "One of the two uses logarithms of base 2.",
                "Another base would divide by 0.693, and the infinite would stay infinite.",
            ),
            Option(
                "One tool averages over samples, the other adds up.",
                "A sum is a hundred times the mean, and finite if the mean is.",
            ),
            Option(
                "One tool computes in float32, the other in float64.",
                "That alone can turn a tiny p into 0, but a p of 1e-50 would cost 115 nats and not 16.118.",
            ),
            Option(
                "One sample has p = 0, and one tool clips at 1e-7.",
                "Clipped, it costs 16.118 nats, a hundredth of which is 0.161. Unclipped, it is infinite.",
                correct=True,
            ),
        ],
    ),
}


lesson = Lesson(
    "01_arithmetic_of_log_loss",
    explorers={"ten_samples": _explorer},
    predictions=PREDICTIONS,
    questions=QUESTIONS,
    exercises=EXERCISES,
)

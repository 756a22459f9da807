"""Lesson 02, Iris plateaus: its guesses, its explorer, its exercises and its quiz.

The networks are trained by `lossacc_helpers.training`, which is imported when the first of them is asked for.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lossacc_helpers import datasets
from lossacc_helpers.attainable import attainable_loss
from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import Exercise, LearnerFunction, LearnerValue, Wrong, WrongAnswer
from lossacc_helpers.figures import Picture
from lossacc_helpers.figures.iris import networks_picture
from lossacc_helpers.history import TrainingRun
from lossacc_helpers.widgets import Explorer, Guess, Option, PlayedSlider, Prediction, Question, Scale, controls

REPLICAS, EPOCHS = 32, 200
HIDDEN_UNITS = (2, 4, 8, 16)
BATCH_SIZES = (5, 15, 40, 120)


# The explorer ------------------------------------------------------------------------------------------------------


class IrisNetworks:
    """Trains the question's network on the irises, and remembers the last run, so that scrubbing trains nothing.

    Parameters
    ----------
    tell : shows a text to the learner, before a new shape is compiled.
    """

    def __init__(self, tell: Callable[[str], None] = lambda text: None) -> None:
        self.tell = tell
        self._last: tuple[Any, TrainingRun] | None = None

    def run(self, *, rate: float, hidden: int, batch: int, order: datasets.Order) -> TrainingRun:
        """Return 32 networks trained for 200 epochs at these settings."""
        from lossacc_helpers import training

        settings = (rate, hidden, batch, order)
        if self._last is None or self._last[0] != settings:
            irises = datasets.iris(order)
            run = training.fit_replicas(
                lambda: training.networks.dense(4, hidden, 3),
                irises.train,
                irises.validation,
                replicas=REPLICAS,
                epochs=EPOCHS,
                batch_size=batch,
                optimizer=training.networks.adam(rate),
                before_compiling=lambda: self.tell(
                    f"Compiling once for {hidden} hidden units and batches of {batch}: about two seconds ..."
                ),
            )
            self._last = (settings, run)
        return self._last[1]


def explorer() -> Explorer:
    """Return 32 networks that are trained again while the learning rate's slider moves, and a scrubber over epochs."""
    networks = IrisNetworks()
    sliders = {
        "rate": controls.log_slider("learning rate", 1e-5, 0.3, value=0.0005, steps_per_decade=20),
        "hidden": controls.toggle("hidden units", HIDDEN_UNITS, value=8),
        "batch": controls.toggle("batch size", BATCH_SIZES, value=5),
        "order": controls.toggle("rows", ("sorted", "shuffled"), value="shuffled"),
        "epoch": PlayedSlider(least=1, greatest=EPOCHS, value=60, description="epoch"),
    }

    def compute(*, epoch: int, **settings: Any) -> Mapping[str, Any]:
        return {"run": networks.run(**settings), "epoch": epoch}

    made = Explorer(picture, sliders, compute=compute)
    networks.tell = made.announce
    return made


def picture() -> Picture:
    """Return the explorer's picture, whose state is a run and an epoch."""
    return networks_picture(datasets.Iris.class_names)


# Guesses -----------------------------------------------------------------------------------------------------------


def _share_outcome(share: float) -> str:
    if share < 60:
        return "Accuracy stands still more often than you thought."
    if share > 90:
        return "Accuracy moves a little more often than you thought."
    return "Your guess is close."


PREDICTIONS = (
    Prediction(
        name="flat",
        question=(
            "The network trains for 200 epochs and its training loss falls all the time. "
            "In what share of the steps from one epoch to the next does training accuracy not move at all?"
        ),
        came_out="About three steps out of four.",
        scale=Scale(least=0, greatest=100, step=5, label="share in percent", outcome=_share_outcome),
    ),
    Prediction(
        name="validation",
        question=(
            "The irises lie in their file sorted by species. model.fit(..., validation_split=0.2) holds out a fifth "
            "of them. "
            "After one epoch, what is the validation accuracy of networks that differ only in their random seed?"
        ),
        came_out="The cell above shows all 32 networks.",
        guesses=(
            Guess(
                text="about one third in all of them: chance for three species",
                outcome=(
                    "One third is chance where the species are mixed. Here one species fills the whole validation set."
                ),
            ),
            Guess(
                text="about the same as the training accuracy",
                outcome="That is what a fair split gives. The split is not fair: it holds out one species.",
            ),
            Guess(
                text="anything from 0 to 1, depending on the seed",
                outcome=(
                    "So it is: one species is all there is in that validation set, and the random starting weights "
                    "decide how often it is named."
                ),
            ),
            Guess(
                text="close to 0 in all of them",
                outcome="In many of them, yes. In others the starting weights happen to favour virginica.",
            ),
        ),
    ),
    Prediction(
        name="strange",
        question=(
            "Training accuracy nearly 1, validation accuracy nearly 0 from the first epoch on. "
            "What is the likeliest cause?"
        ),
        came_out="Nearly all validation samples belong to classes that training never met.",
        guesses=(
            Guess(
                text="overfitting: the network has memorised its training data",
                outcome=(
                    "Memorising costs some accuracy later on. It does not bring it below chance from the first epoch."
                ),
            ),
            Guess(
                text="a learning rate that is too high",
                outcome="Training would suffer first, and it goes perfectly.",
            ),
            Guess(
                text="validation samples of classes that training never met",
                outcome="Below chance from the start is the sign: the network has learned not to name these classes.",
            ),
            Guess(
                text="too small a validation set: bad luck",
                outcome="Luck moves an accuracy around its level. With hundreds of samples it does not hold it at 0.",
            ),
        ),
    ),
)


# Exercises ---------------------------------------------------------------------------------------------------------


def _check_plateau_share(plateau_share: LearnerFunction) -> None:
    two_ups = np.array([[False, False], [True, False], [True, False], [True, True]])
    plateau_share(two_ups).equals(
        1 / 3, because="four epochs make three steps, and accuracy stands still in the middle one"
    )
    swap = np.array([[True, False, False], [False, True, False], [False, True, True]])
    plateau_share(swap).equals(
        1 / 2, because="in the first step one flower becomes right and another wrong, so accuracy itself does not move"
    )
    one_falls = np.array([[True, True], [True, False], [True, False]])
    plateau_share(one_falls).equals(1 / 2, because="a fall of accuracy is a movement too")
    plateau_share(np.ones((5, 4), dtype=bool)).equals(1, because="nothing ever moves")
    tenths = np.zeros((4, 10), dtype=bool)
    tenths[1:3, :3], tenths[3, 4:7] = True, True
    plateau_share(tenths).equals(
        2 / 3, because="three right flowers out of ten are the same accuracy, whichever they are"
    )


def _check_crossers(crossers: LearnerFunction) -> None:
    before = np.array([True, False, False, True, False, True])
    after = np.array([True, True, False, False, True, False])
    _check_places(crossers(before, after), [1, 4], [3, 5])
    _check_places(crossers(after, before), [3, 5], [1, 4])
    _check_places(crossers(before, before), [], [])
    all_wrong = np.zeros(3, dtype=bool)
    _check_places(crossers(all_wrong, ~all_wrong), [0, 1, 2], [])


def _check_places(answer: LearnerValue, became_right: list[int], became_wrong: list[int]) -> None:
    for part, expected, what in zip(
        answer.parts(2), (became_right, became_wrong), ("became right", "became wrong"), strict=True
    ):
        places = part.array()
        if places.ndim != 1:
            raise Wrong(
                f"{part}. A flat list of flower numbers was expected; from np.where or np.nonzero take the [0]."
            )
        if len(places) == 6 and set(places) <= {0.0, 1.0}:
            raise Wrong(f"{part}: one value for each flower. Give the numbers of the flowers: np.flatnonzero(mask).")
        if sorted(places) != expected:
            raise Wrong(f"{part}, but the flowers that {what} are {expected}.")


def _check_fair_order(fair_order: LearnerValue) -> None:
    order = fair_order.array(shape=(150,))
    if not np.array_equal(np.sort(order), np.arange(150)):
        missing = int(np.setdiff1d(np.arange(150), order)[0]) if set(order) != set(range(150)) else 0
        raise Wrong(
            f"An order names each of the rows 0 to 149 once; yours leaves out row {missing}. "
            "A flower used twice could stand in both parts."
        )
    counts = np.bincount(datasets.iris("sorted").labels[order.astype(int)][120:], minlength=3)
    if not (counts == 10).all():
        raise Wrong(
            "validation_split takes the last 30 rows of your order. They hold "
            + ", ".join(f"{n} {name}" for n, name in zip(counts, datasets.Iris.class_names, strict=True))
            + "; ten of each were asked for."
        )


def _check_mystery(mystery: LearnerFunction) -> None:
    cases = (
        (np.array([0, 1, 2, 0]), np.array([3, 3, 0, 3])),
        (np.array([0, 0, 1]), np.array([2, 2])),
        (np.array([0, 1, 2, 0, 1, 4]), np.array([2, 1, 4, 0])),
        (np.array([5, 1, 5]), np.array([5, 0, 2, 1, 1, 7, 7, 7])),
    )
    for train, validation in cases:
        unseen = float(np.mean(~np.isin(validation, train)))
        greatest, least = mystery(train, validation).parts(2)
        greatest.equals(
            1 - unseen,
            because=f"{unseen:.3g} of the validation labels never occur in training, and the rest could all be right",
        )
        least.equals(
            float(attainable_loss(1 - unseen)[0]),
            because="lesson 01: a wrong sample costs at least ln 2, a right one may cost nothing",
        )


EXERCISES = (
    Exercise(
        name="plateau_share",
        checker=_check_plateau_share,
        hints=(
            "Accuracy at an epoch is the mean of that row of `correct`: correct.mean(axis=1).",
            "np.diff gives the changes; n epochs have n - 1 of them. Which of them are 0?",
            "Counting right flowers in whole numbers, correct.sum(axis=1), avoids comparing rounded fractions.",
        ),
        wrong_answers={
            "divides by epochs": WrongAnswer(
                answer=lambda correct: np.sum(np.diff(correct.sum(axis=1)) == 0) / len(correct),
                says="four epochs make three steps",
            ),
            "asks whether any flower changed": WrongAnswer(
                answer=lambda correct: np.mean((correct[1:] == correct[:-1]).all(axis=1)),
                says="accuracy itself does not move",
            ),
        },
    ),
    Exercise(
        name="crossers",
        checker=_check_crossers,
        hints=(
            "A flower became right if it is right after and was not right before.",
            "~before turns True into False and back; & combines two arrays of booleans.",
            "np.flatnonzero(mask) lists the places where a mask is True.",
        ),
        wrong_answers={
            "the two the wrong way round": WrongAnswer(
                answer=lambda before, after: (np.flatnonzero(before & ~after), np.flatnonzero(after & ~before)),
                says="became right are [1, 4]",
            ),
            "counts instead of places": WrongAnswer(
                answer=lambda before, after: (np.sum(after & ~before), np.sum(before & ~after)), says="flat list"
            ),
        },
    ),
    Exercise(
        name="fair_order",
        checker=_check_fair_order,
        asks="value",
        hints=(
            "Rows 0 to 49 are setosa, 50 to 99 versicolor, 100 to 149 virginica.",
            "Choose ten rows of each species for the end; everything else comes before them, in any order.",
            "held_out = np.r_[40:50, 90:100, 140:150]; the rest is np.setdiff1d(np.arange(150), held_out).",
        ),
        wrong_answers={
            "the sorted file": WrongAnswer(answer=np.arange(150), says="30 virginica"),
            "a row twice": WrongAnswer(answer=np.r_[0:149, 0], says="leaves out row 149"),
            "the fair part first": WrongAnswer(
                answer=np.r_[0:10, 50:60, 100:110, 10:50, 60:100, 110:150], says="30 virginica"
            ),
            "labels instead of rows": WrongAnswer(answer=np.repeat([0, 1, 2], 50), says="each of the rows"),
        },
    ),
    Exercise(
        name="mystery",
        checker=_check_mystery,
        hints=(
            "np.isin(validation_labels, train_labels) says of each validation label whether training has it too.",
            "A network has no reason to name a class it never met: count those samples as wrong, all others as right.",
            "Lesson 01: attainable_loss(accuracy) returns (least, greatest); a wrong sample costs at least ln 2.",
        ),
        wrong_answers={
            "counts classes instead of samples": WrongAnswer(
                answer=lambda train, validation: (
                    np.isin(np.unique(validation), train).mean(),
                    (1 - np.isin(np.unique(validation), train).mean()) * np.log(2),
                ),
                says="never occur in training",
            ),
            "every sample costs ln 2": WrongAnswer(
                answer=lambda train, validation: (np.isin(validation, train).mean(), np.log(2)),
                says="a right one may cost nothing",
            ),
        },
    ),
)


# Quiz --------------------------------------------------------------------------------------------------------------

QUESTIONS = {
    "plateau": Question(
        "Training loss falls for ten epochs while training accuracy does not move. What has happened?",
        [
            Option(
                "Probabilities moved, and the count of right flowers did not",
                "Loss reads how large the probability of the true class is, accuracy only which one is largest.",
                correct=True,
            ),
            Option(
                "The network has stopped learning, and only its loss is rounded differently",
                "Falling loss means that probabilities move. They are what learning changes.",
            ),
            Option(
                "The learning rate is too low to change any prediction",
                "Plateaus survive every rate. At very high ones accuracy jitters, and then the loss no longer falls.",
            ),
            Option(
                "The network overfits: its loss and its accuracy disagree",
                "Overfitting shows in validation data. Here both curves are about training data.",
            ),
        ],
    ),
    "still": Question(
        "From epoch 40 to epoch 41 accuracy is exactly the same. Can a flower have changed sides?",
        [
            Option(
                "No, because the same accuracy means that the same flowers are right",
                "The same number of flowers is right. They may be others.",
            ),
            Option(
                "Only if the loss stayed exactly the same too",
                "Loss averages what every flower costs and has no reason to stay the same.",
            ),
            Option(
                "Yes, if as many became right as became wrong",
                "Accuracy shows the net of two counts. The ledger shows both.",
                correct=True,
            ),
        ],
    ),
    "held_out": Question(
        "Rows are sorted by class. What does shuffle=True in model.fit do about validation_split=0.2?",
        [
            Option(
                "It shuffles all rows first, so that the held-out fifth is a fair sample",
                "The split comes first: the last fifth is cut off before anything is shuffled.",
            ),
            Option(
                "Nothing: only the rows that are left for training get shuffled",
                "So shuffle the data yourself, or split them with a function that keeps the classes in proportion.",
                correct=True,
            ),
            Option(
                "It compares the classes of both parts and warns if they differ",
                "Keras does not look at the labels. A count of labels in both parts does.",
            ),
        ],
    ),
    "thirty": Question(
        "On the sorted split, 27 of the 30 held-out flowers are right, and 99 in 100 of the training flowers. "
        "What follows about new flowers of all three species?",
        [
            Option(
                "The network will be right for about nine in ten of them",
                "The 30 are all virginica. They say nothing about setosa or versicolor.",
            ),
            Option(
                "Little: the 30 are all virginica",
                "A fair split comes first. Even then 30 flowers leave a wide interval: the lesson computes it.",
                correct=True,
            ),
            Option(
                "The network overfits, because training is better than validation",
                "The two parts hold different species in different shares. Their difference need not be memorising.",
            ),
        ],
    ),
    "correlated": Question(
        "Over the epochs of one network, loss and accuracy have a correlation of nearly -1. You train 32 networks and "
        "keep the one with the lowest final validation loss. What do you know about its accuracy?",
        [
            Option(
                "It is certain to be the highest of the 32, as the correlation is nearly perfect",
                "The -1 describes the epochs of one network. Between finished networks the tie is looser.",
            ),
            Option(
                "Nothing at all, because loss and accuracy are unrelated",
                "Lesson 01 bounds one by the other, and finished networks show a moderate correlation.",
            ),
            Option(
                "It tends to be high, but the -1 does not say how surely",
                "What you vary decides: a correlation over epochs says little about a choice among networks.",
                correct=True,
            ),
        ],
    ),
}


def mystery() -> TrainingRun:
    """Return the transfer task's run: eight networks on other data, split in a way that the learner is to find out."""
    from lossacc_helpers import training

    data = datasets.digits("sorted")
    return training.fit_replicas(
        lambda: training.networks.dense(64, 16, 10),
        data.train,
        data.validation,
        replicas=8,
        epochs=30,
        batch_size=32,
        optimizer=training.networks.adam(0.002),
    )


lesson = Lesson(
    "02_iris_plateaus",
    explorers={"networks": explorer},
    predictions=PREDICTIONS,
    questions=QUESTIONS,
    exercises=EXERCISES,
)

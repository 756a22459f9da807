"""Lesson 08, the curve clinic: its guesses, its explorer, its exercises, its quiz."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers import calibrated_loss, datasets, double_softmax_range, find_spikes, recordings
from lossacc_helpers.clinic import Diagnosis, Log, diagnose, read
from lossacc_helpers.clinic.causes import CAUSES
from lossacc_helpers.clinic.rules.marks import entropy
from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import Exercise, LearnerFunction, LearnerValue, Wrong, WrongAnswer
from lossacc_helpers.figures.clinic import clinic_picture
from lossacc_helpers.history import Curves, CurveSet, TrainingRun
from lossacc_helpers.widgets import Explorer, Guess, Option, Prediction, Question, controls

# The explorer ------------------------------------------------------------------------------------------------------

# Trainings of earlier lessons, and which of their networks.
TRAININGS = {
    "A": ("lesson_03_softmax_twice", 0),
    "B": ("lesson_05_verses", 2),  # at a temperature of 1, as it was trained
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


# The four trainings of the last exercise ---------------------------------------------------------------------------

_Part = tuple[NDArray[Any], NDArray[Any]]
_FEW = 4  # a network whose validation accuracy has not fallen since its validation loss was least


@dataclass(frozen=True, kw_only=True)
class Unlabelled:
    """A training of which only the log is given: its curves, four decimals each, and what else its author told.

    Attributes
    ----------
    log : losses and accuracies, epoch by epoch; nobody can write to them.
    classes : how many there are.
    training_samples, validation_samples : of how many samples the curves are means.
    known : what the author told, in a sentence or more.
    """

    log: Log
    classes: int
    training_samples: int
    validation_samples: int
    known: str


def four_trainings() -> dict[str, Unlabelled]:
    """Return the four trainings of the last exercise by their letters."""
    return dict(zip("PQRS", _four_trainings(), strict=True))


@cache
def _four_trainings() -> tuple[Unlabelled, ...]:
    return _blank_images(), _exchanged(), _sorted_rows(), _few_photographs()


def _blank_images() -> Unlabelled:
    """Lesson 07's eights, of whose images nothing but zeros is left: the network is fed what it cannot tell apart."""
    digits = datasets.digits(seed=0)
    train, unseen = (
        (np.zeros(images.shape), (labels == 8).astype(np.intp)) for images, labels in (digits.train, digits.validation)
    )
    curves, _ = _train(train, unseen, classes=2, epochs=30, rate=0.03, batch_size=32)
    return _unlabelled(curves, 2, len(train[1]), len(unseen[1]), "It was trained on images.")


def _exchanged() -> Unlabelled:
    """Lesson 07's digits 0 to 6, labels and probabilities exchanged in the loss as in lesson 03."""
    digits = datasets.digits(seed=0)
    train, unseen = ((x[y < _DIGITS], y[y < _DIGITS]) for x, y in (digits.train, digits.validation))
    curves, first = _train(train, unseen, classes=_DIGITS, epochs=20, rate=1.0, batch_size=32, swapped=True)
    known = f"Before any step, its first batch cost {first:.3f}."
    return _unlabelled(curves, _DIGITS, len(train[1]), len(unseen[1]), known)


_DIGITS = 7  # not ten: for ten the lesson prints what the exercise asks for


def _sorted_rows() -> Unlabelled:
    """Lesson 02's irises, of which the last rows of the sorted file were held out."""
    irises = datasets.iris("sorted", validation_split=0.2)
    curves, _ = _train(irises.train, irises.validation, classes=3, epochs=60, rate=0.01, batch_size=5)
    known = "It has no BatchNormalization and no dropout."
    return _unlabelled(curves, 3, len(irises.train[1]), len(irises.validation[1]), known)


def _few_photographs() -> Unlabelled:
    """Lesson 03's network, which was given ten photographs of each class: what `fit` would have printed of it."""
    run = recordings.load("lesson_03_small_data").replica(_FEW)
    assert run.steps is not None
    assert run.validation is not None
    printed = (run.steps.epoch_loss, run.steps.epoch_accuracy, run.validation.loss, run.validation.accuracy)
    known = "In each of its epochs every training sample is seen several times."
    samples = int(run.settings["data"]["train_samples"])
    return _unlabelled(np.stack(printed, axis=1), run.train.classes, samples, run.validation.samples, known)


def _unlabelled(curves: Any, classes: int, training: int, validation: int, known: str) -> Unlabelled:
    """Make a log of curves (epoch, 4) as they are printed."""
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    printed = np.round(np.asarray(curves, dtype=np.float64), 4)
    log = read({name: column.tolist() for name, column in zip(names, printed.T, strict=True)})
    kept: tuple[NDArray[Any] | None, ...] = (log.epochs, log.loss, log.accuracy)
    for values in (*kept, log.validation_loss, log.validation_accuracy):
        assert values is not None
        values.flags.writeable = False  # the checker reads them again
    return Unlabelled(log=log, classes=classes, training_samples=training, validation_samples=validation, known=known)


def _train(
    train: _Part, unseen: _Part, *, classes: int, epochs: int, rate: float, batch_size: int, swapped: bool = False
) -> tuple[NDArray[np.float64], float]:
    """Train eight hidden units and a softmax by plain gradient steps; loss and accuracy (epoch, 4) as `fit` has them.

    Training's are means over the epoch, each batch before its step, and those of validation are taken at its end. With
    labels and probabilities `swapped` the loss is ln(e + classes - 1) minus the probability of the true class. Also
    returned is the loss of the first batch.
    """
    draw = np.random.default_rng(0)
    (x, y), (x_unseen, y_unseen) = train, unseen
    hidden = draw.normal(size=(x.shape[1], 8)) * np.sqrt(2 / x.shape[1])
    last = draw.normal(size=(8, classes)) * np.sqrt(1 / 8)
    hidden_bias, last_bias = np.zeros(8), np.zeros(classes)
    greatest = double_softmax_range(classes)[1]

    def ask(features: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        active = np.maximum(features @ hidden + hidden_bias, 0)
        logits = active @ last + last_bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return active, powers / powers.sum(axis=1, keepdims=True)

    def score(probabilities: Any, labels: Any) -> NDArray[np.float64]:
        of_true = probabilities[np.arange(len(labels)), labels]
        losses = greatest - of_true if swapped else -np.log(of_true)
        return np.array([losses.sum(), (probabilities.argmax(axis=1) == labels).sum()])

    curves, batches = [], []
    for _ in range(epochs):
        seen = np.zeros(2)
        for rows in np.array_split(draw.permutation(len(y)), -(-len(y) // batch_size)):
            active, probabilities = ask(x[rows])
            cost = score(probabilities, y[rows])
            batches.append(float(cost[0] / len(rows)))
            seen += cost
            slope = (probabilities - np.eye(classes)[y[rows]]) / len(rows)
            if swapped:
                slope *= probabilities[np.arange(len(rows)), y[rows], None]
            slope_hidden = (slope @ last.T) * (active > 0)
            last -= rate * active.T @ slope
            last_bias -= rate * slope.sum(axis=0)
            hidden -= rate * x[rows].T @ slope_hidden
            hidden_bias -= rate * slope_hidden.sum(axis=0)
        asked = score(ask(x_unseen)[1], y_unseen) / len(y_unseen)
        curves.append([*(seen / len(y)), *asked])
    return np.array(curves), batches[0]


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
        question="Case 2, two classes. Training is right in 89%, validation in 58%. What do you suspect first?",
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
        came_out=(
            "About as many are right as before, and at least 0.2 nats are owed to probabilities that do not fit. Most "
            "likely too bold; these curves do not prove the direction (lesson 05)."
        ),
        guesses=(
            Guess(
                text="fewer and fewer are right",
                outcome="The accuracy hardly moves. The mean cost rises without it.",
            ),
            Guess(
                text="as many are right, and the wrong ones are given with more confidence",
                outcome=("Most likely. What the two numbers prove is at least 0.2 nats of misfit, not its direction."),
            ),
            Guess(
                text="nothing: it is chance, with so few epochs",
                outcome="It rises in every epoch, and by far more than it moves about its trend.",
            ),
        ),
    ),
)


# Exercises ---------------------------------------------------------------------------------------------------------

_WORDS = ("impossible", "miscalibrated", "possible")


def _check_judged(judged: LearnerFunction) -> None:
    half, tenth = "half of the answers wrong costs at least 0.347", "one in ten wrong costs at least 0.069"
    for classes, epochs in (
        (
            2,
            (
                (0.3, 0.5, 0, half),
                (0.4, 0.5, 2, f"{half}, and calibrated predictions may cost up to ln 2"),
                (0.3464, 0.5, 2, f"{half}, and 0.001 is allowed for rounding"),
                (0.9, 0.5, 1, "calibrated predictions of two classes never cost more than ln 2"),
                (0.05, 0.9, 0, tenth),
                (0.3, 0.9, 2, "calibrated predictions of two classes that are right in 90% cost up to 0.325"),
                (0.35, 0.9, 1, "calibrated predictions of two classes that are right in 90% cost up to 0.325"),
                (0.0, 1.0, 2, "nothing wrong may cost nothing"),
                (0.1, 1.0, 1, "calibrated predictions that are always right cost nothing"),
            ),
        ),
        (
            10,
            (
                (0.5, 0.9, 2, "wrong answers may be spread over nine classes: calibrated ones cost up to 0.545"),
                (0.6, 0.9, 1, "with ten classes calibrated predictions that are right in 90% cost up to 0.545"),
                (0.67, 0.02, 0, "98% of the answers wrong cost at least 0.679"),
                (2.3, 0.02, 2, "below chance the bound is that of chance, ln 10 = 2.303"),
                (2.4, 0.02, 1, "below chance the bound is that of chance, ln 10 = 2.303"),
            ),
        ),
    ):
        losses, accuracies = (np.array([epoch[k] for epoch in epochs], dtype=np.float64) for k in (0, 1))
        said = judged(losses, accuracies, classes).parts(len(epochs))
        for word, (loss, accuracy, expected, because) in zip(said, epochs, strict=True):
            got = word.text().strip().lower()
            if got not in _WORDS:
                raise Wrong(f'The words are "impossible", "miscalibrated" and "possible"; got {got!r}.')
            if got != _WORDS[expected]:
                raise Wrong(
                    f"A loss of {loss:g} at accuracy {accuracy:g} with {classes} classes: you say {got}, and "
                    f"{_WORDS[expected]} was expected: {because}."
                )


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
            raise Wrong(
                "With 500 samples chance moves the loss by about a tenth of a nat. Here it is multiplied, and other "
                "samples jumped in the same epochs (lesson 04)."
            )
        raise Wrong(f"{slug!r} does not explain a validation loss that jumps and comes back while training gets on.")
    shown = np.flatnonzero(find_spikes(unseen, ratio=1.3) | stuck) + 1
    beside = np.maximum(np.append(np.inf, unseen[:-1]), np.append(unseen[1:], np.inf))
    shown = np.union1d(shown, np.flatnonzero(unseen > 1.2 * beside) + 1)  # an eye sees what stands above its neighbours
    for epoch in epochs:
        if epoch != round(epoch) or not 1 <= epoch <= len(unseen):
            raise Wrong(f"Epochs are whole numbers from 1 to {len(unseen)}; got {epoch:g}.")
        if int(epoch) not in shown:
            k = int(epoch) - 1
            around = ", ".join(f"{value:.2f}" for value in unseen[max(0, k - 2) : k + 3])
            raise Wrong(f"Epoch {int(epoch)} does not show it: about it the validation losses are {around}.")
    if len(set(epochs.tolist())) < 3:
        raise Wrong(f"Name three epochs at least that show it; got {len(set(epochs.tolist()))}.")


@dataclass(frozen=True)
class _Key:
    """What is right of one of the four trainings, and what to say to what is not."""

    slugs: tuple[str, ...]
    number: float
    instead: Mapping[str, str]  # by the slug that was given
    otherwise: str
    mistaken: tuple[tuple[float, str], ...]  # numbers that come of a mistake
    unknown: str
    distance: bool = False  # the number is one, so that either sign says it

    def told(self, slug: str, number: float) -> str:
        """What to say to an answer; nothing if it is right."""
        if slug not in CAUSES:
            return f"{slug!r} is no slug of the clinic."
        if slug not in self.slugs:
            return self.instead.get(slug, f"{slug} {self.otherwise}")
        size = abs(number) if self.distance else number
        if abs(size - self.number) <= _TO_THREE_DECIMALS:
            return ""
        value, message = min(self.mistaken, key=lambda one: abs(one[0] - size) if one[0] != size else 0.0)
        if size == value or abs(size - value) <= _TO_THREE_DECIMALS:
            return f"The slug is right. {message}"
        return f"The slug is right, the number is not. {self.unknown}"


_TO_THREE_DECIMALS = 0.0015


@cache
def _keys() -> dict[str, _Key]:
    """Compute what is right from the logs, as a learner does."""
    four = four_trainings()
    ends = {name: [_end(one.log, part) for part in ("", "validation_")] for name, one in four.items()}
    (_, share), (_, unseen_share) = ends["P"]
    q, r, s = four["Q"], four["R"], four["S"]
    chance, trained, right = 1 / r.classes, r.log.accuracy, r.log.validation_accuracy
    assert trained is not None
    assert right is not None
    below, at_first = chance - float(right[trained > chance].min()), chance - float(right[0])
    deviation = float(np.sqrt(chance * (1 - chance)))
    greatest = double_softmax_range(q.classes)[1]
    (seen_loss, seen_share), (loss, accuracy) = ends["S"]
    most = float(calibrated_loss(accuracy, classes=s.classes)[1])
    paid_elsewhere = float(-unseen_share * np.log(share) - (1 - unseen_share) * np.log(1 - share))
    averages = (
        "Read what its author told. And how likely is such a validation accuracy, if all classes are asked alike?"
    )
    overfits = (
        "That is true as lesson 05 uses the word. The clinic keeps this name for a validation accuracy that falls. "
        "Which of its names says what your number measures?"
    )
    return {
        "P": _Key(
            ("constant-predictor", "class-imbalance"),
            entropy(share),
            {
                "threshold-plateau": "Probabilities move at first, that is true. Then the loss stops: at which value?",
                "healthy": "Its accuracy is the same in every epoch. Which answers would get that, without an image?",
            },
            "does not explain an accuracy that never moves.",
            (
                (entropy(share) / float(np.log(2)), "The number is in bits; take the natural logarithm."),
                (entropy(unseen_share), "That is of the validation share; take the one of the training part."),
                (paid_elsewhere, "That is what it costs on the validation part. What does it cost in training?"),
                ((1 - share) * float(np.log(2)), "No loss at all lies below that. Where would a constant one lie?"),
            ),
            "What does an answer cost that is always the same, and knows how often it is right?",
        ),
        "Q": _Key(
            ("swapped-arguments",),
            greatest - 1 / q.classes,
            {
                "double-softmax": "It fits the last epochs, and a twin of it does, too. The two part where a network "
                "knows nothing: what would each print for that, and what did the first batch cost?",
            },
            "does not explain a loss and an accuracy that add up to the same in the last epochs.",
            (
                (float(np.log(q.classes)), "That is what the twin makes of a network that knows nothing."),
                (greatest, "That is for a true class with probability 0. A network that knows nothing gives it more."),
                (greatest - 1, "That is the least there can be, of a network that is sure and right."),
                (_first_batch(q), "That was printed. What does the mistake make of probabilities that are all alike?"),
            ),
            "Give every class the same probability, and let the mistaken loss judge it.",
        ),
        "R": _Key(
            ("unshuffled-validation-split",),
            below / (deviation / float(np.sqrt(r.validation_samples))),
            {
                "batch-norm-statistics": averages,
                "dropout-batch-norm-shift": averages,
                "distribution-shift": "It is one, and the clinic has a name for this kind of it. Which classes can be "
                "in a part that is never answered right, while training has begun to learn?",
                "small-validation-set": "The samples are few, and a standard error says what that does. How many of "
                "them lie between the lowest validation accuracy and guessing?",
                "shuffled-evaluation": "Then validation would stay where guessing is. It falls below, and then rises.",
                "healthy": "At the end it looks so. Look at validation in the first epochs.",
            },
            "does not explain a validation that is worse than guessing at first, and follows later.",
            (
                (below, "That is the distance itself. Divide it by the standard error."),
                (below / (deviation / float(np.sqrt(r.training_samples))), "That takes the training part's size."),
                (
                    at_first / (deviation / float(np.sqrt(r.validation_samples))),
                    "In that epoch training, too, is right less often than guessing: it has not learned yet.",
                ),
                (float("inf"), "Take the standard error of guessing; that of an accuracy of 0 is 0."),
            ),
            "Take the distance of the lowest validation accuracy from guessing, once training is above guessing, and "
            "the standard error of guessing.",
            distance=True,
        ),
        "S": _Key(
            ("overconfidence",),
            loss - most,
            {
                "overfitting": overfits,
                "label-noise": "Curves alone do not show that. Which name says what your number measures?",
                "underconfidence": "Then training would cost more than its accuracy asks for, too. It does not.",
                "healthy": "Its validation loss has more than doubled since its least.",
            },
            "does not explain a validation loss that rises while as many answers are right.",
            (
                (loss - entropy(accuracy), "That bound is for two classes. Here wrong ones may be spread over many."),
                (loss - _least(s.log), "That is by how much the loss rises. How much is owed to miscalibration?"),
                (most, "That is what calibrated predictions cost at most. By how much is the loss above it?"),
                (seen_loss - float(calibrated_loss(seen_share, classes=s.classes)[1]), "That is of training."),
            ),
            "Lesson 05 has the most that calibrated predictions cost: compare the last validation loss with it.",
            distance=True,
        ),
    }


def _end(log: Log, part: str) -> tuple[float, float]:
    return float(getattr(log, f"{part}loss")[-1]), float(getattr(log, f"{part}accuracy")[-1])


def _least(log: Log) -> float:
    assert log.validation_loss is not None
    return float(log.validation_loss.min())


def _first_batch(one: Unlabelled) -> float:
    """The number in what the author told."""
    return float(one.known.rstrip(".").split()[-1])


def _check_finale(answer: LearnerValue) -> None:
    right: list[str] = []
    wrong: list[str] = []
    for (name, key), given in zip(_keys().items(), answer.parts(4), strict=True):
        cause, number = given.parts(2)
        told = key.told(cause.text().strip().lower().replace("_", "-"), number.number())
        if told:
            wrong.append(f"{name}: {told}")
        else:
            right.append(name)
    if wrong:
        raise Wrong("\n".join([f"Right so far: {', '.join(right) or 'none'}.", *wrong]))


def _judged(loss: Any, accuracy: Any, classes: int, *, slack: float = 0.001, most: Any = None) -> NDArray[np.str_]:
    """Judge epochs as the first exercise asks, or with one of its mistakes."""
    if most is None:
        most = calibrated_loss(np.maximum(accuracy, 1 / classes), classes=classes)[1]
    low = loss < (1 - accuracy) * np.log(2) - slack
    return np.where(low, "impossible", np.where(loss > most + slack, "miscalibrated", "possible"))


_RIGHT = {
    "P": ("constant-predictor", 0.326),
    "Q": ("swapped-arguments", 2.022),
    "R": ("unshuffled-validation-split", 3.873),
    "S": ("overconfidence", 3.211),
}


def _but(**changed: tuple[str, float]) -> list[tuple[str, float]]:
    return list((_RIGHT | changed).values())


EXERCISES = (
    Exercise(
        name="judged",
        checker=_check_judged,
        hints=(
            "Two bounds: (1 - accuracy) ln 2, and what calibrated predictions of that accuracy cost at most.",
            "calibrated_loss(accuracy, classes=classes) gives the least and the greatest; below 1 / classes take that.",
            'np.where(loss < least - 0.001, "impossible", np.where(loss > most + 0.001, "miscalibrated", "possible"))',
        ),
        wrong_answers={
            "without slack": WrongAnswer(answer=lambda loss, a, c: _judged(loss, a, c, slack=0.0), says="for rounding"),
            "one bound alone": WrongAnswer(
                answer=lambda loss, a, c: np.where(loss < (1 - a) * np.log(2) - 0.001, "impossible", "possible"),
                says="never cost more than ln 2",
            ),
            "two classes throughout": WrongAnswer(answer=lambda loss, a, c: _judged(loss, a, 2), says="nine classes"),
            "ln C for every accuracy": WrongAnswer(
                answer=lambda loss, a, c: _judged(loss, a, c, most=np.log(c)), says="cost up to 0.325"
            ),
            "flags": WrongAnswer(answer=lambda loss, a, c: loss < (1 - a) * np.log(2), says="a text in quotes"),
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
    Exercise(
        name="finale",
        checker=_check_finale,
        asks="value",
        hints=(
            "In which log does nothing move but the loss? In which does validation stay worse than guessing when "
            "training has begun to learn? In which do loss and accuracy add up to the same? In which does a loss "
            "rise at an accuracy that stands?",
            "The clinic's first name is right for S, and passes for P. For Q look at what an untrained network costs; "
            "for R, count how many of 30 guessing would get.",
            "P: the entropy of the share (07). Q: ln(e + C - 1) - 1 / C (03). R: 1 / 3 minus the lowest validation "
            "accuracy among the epochs in which training is above 1 / 3, over sqrt(1 / 3 * 2 / 3 / 30). S: the last "
            "validation loss minus calibrated_loss's second value (05).",
        ),
        wrong_answers={
            "the clinic's first names": WrongAnswer(
                answer=_but(Q=("double-softmax", 1.946), R=("batch-norm-statistics", 3.873)), says="a twin of it does"
            ),
            "averages of which there are none": WrongAnswer(
                answer=_but(R=("batch-norm-statistics", 3.873)), says="Read what its author told"
            ),
            "few samples": WrongAnswer(answer=_but(R=("small-validation-set", 3.873)), says="How many of them lie"),
            "number of the twin": WrongAnswer(
                answer=_but(Q=("swapped-arguments", 1.946)), says="what the twin makes of a network"
            ),
            "what was printed": WrongAnswer(answer=_but(Q=("swapped-arguments", 2.030)), says="That was printed"),
            "bits": WrongAnswer(answer=_but(P=("class-imbalance", 0.470)), says="in bits"),
            "below 0": WrongAnswer(answer=_but(P=("constant-predictor", -0.326)), says="What does an answer cost"),
            "distance": WrongAnswer(answer=_but(R=("unshuffled-validation-split", 0.333)), says="Divide it"),
            "not learned yet": WrongAnswer(
                answer=_but(R=("unshuffled-validation-split", 3.098)), says="it has not learned yet"
            ),
            "overfitting": WrongAnswer(answer=_but(S=("overfitting", 3.211)), says="as lesson 05 uses the word"),
            "two classes": WrongAnswer(answer=_but(S=("overconfidence", 4.641)), says="for two classes"),
            "slugs alone": WrongAnswer(answer=[slug for slug, _ in _but()], says="2 results were expected"),
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
                "Run the experiment that is named beside them",
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
        "A tool is tried on 60 healthy trainings, and calls none of them ill. Which rate of false alarms is still "
        "compatible with that?",
        [
            Option("Only 0: it makes no false alarms", "None of 60 is what one would often see with 2 or 3 of 100."),
            Option(
                "Up to about 6 in 100",
                "Wilson's interval, with a confidence of 95%, reaches to 0.060 for 0 of 60.",
                correct=True,
            ),
            Option("Up to about 50 in 100: one cannot know", "At such a rate 60 in a row would hardly be left alone."),
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

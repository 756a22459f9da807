"""Lesson 04, validation spikes: its guesses, its explorers, its exercises and its quiz.

The trainings that take long are recorded (`lossacc_helpers.recordings`); the rest is trained in the lesson.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers import datasets, recordings
from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.course.shown import Shown, shown
from lossacc_helpers.descent import annealed, bumpy_gradient, descend
from lossacc_helpers.exercises import Exercise, LearnerFunction, LearnerValue, Wrong, WrongAnswer
from lossacc_helpers.figures import Picture
from lossacc_helpers.figures.anatomy import anatomy_picture
from lossacc_helpers.figures.descent import descent_picture
from lossacc_helpers.intervals import accuracy_change_interval, accuracy_difference_interval
from lossacc_helpers.widgets import Explorer, Guess, Option, Prediction, Question, Scale, controls

# The explorers -----------------------------------------------------------------------------------------------------

ORDINARY, RECOMPUTED = "moving average 0.99, dropout on", "recomputed, dropout off"


@cache
def validation_patches() -> dict[str, Any]:
    """Return the validation patches behind the recording ``lesson_04_fast``, and what was pasted into them."""
    settings = recordings.load_curves("lesson_04_fast").settings
    count = settings["validation_samples"]
    data = datasets.forgeries(
        train_samples=2,  # validation patches do not depend on it
        validation_samples=settings["drawn"],
        seed=settings["data_seed"],
    )
    return {"images": data.validation[0][:count], "boxes": data.pasted[1][:count]}


def anatomy() -> Explorer:
    """Return ten recorded networks, epoch by epoch, with the patches that pay for each rise of the loss."""
    run = recordings.load("lesson_04_fast")
    fresh = recordings.load_curves("lesson_04_fast")[RECOMPUTED].loss
    parts = {
        "worst": controls.toggle("patches that pay most", {"1%": 0.01, "5%": 0.05, "10%": 0.10}, value=0.10),
        "network": controls.whole_slider("network", 1, run.replicas, value=1),
        "epoch": controls.whole_slider("epoch", 1, run.epochs, value=24),
        "recomputed": controls.checkbox("show the same weights with recomputed statistics"),
    }

    def compute(*, network: int, recomputed: bool, **state: Any) -> Mapping[str, Any]:
        chosen = {"run": run.replica(network - 1), "fresh": fresh[network - 1] if recomputed else None}
        return {**chosen, **validation_patches(), **state}

    return Explorer(picture, parts, compute=compute)


def picture() -> Picture:
    """Return the anatomy explorer's picture, whose state is a run, its patches, an epoch and a share of them."""
    return anatomy_picture()


DESCENT_STEPS = 1000
PARTICLES = np.linspace(-6, 6, 500)  # evenly, so that without noise a control alone moves the picture


@lru_cache(maxsize=4)  # scrubbing over the steps computes nothing
def _crowd(rate: float, noise: float, momentum: float, lowered: str) -> NDArray[np.float64]:
    rates = annealed(rate, DESCENT_STEPS) if lowered == "rate" else rate
    noises = annealed(noise, DESCENT_STEPS) if lowered == "noise" else noise
    return descend(bumpy_gradient, PARTICLES, rate=rates, noise=noises, momentum=momentum, steps=DESCENT_STEPS, seed=0)


def descent() -> Explorer:
    """Return particles on a bumpy landscape, with and without noise."""
    parts = {
        "rate": controls.log_slider("step (rate)", 0.01, 30, value=0.1),
        "noise": controls.slider("noise", 0.0, 20.0, step=0.25, value=3.0),
        "lowered": controls.toggle(
            "lowered to 0 over the run", {"nothing": "nothing", "the noise": "noise", "the rate": "rate"}, value="noise"
        ),
        "momentum": controls.slider("momentum", 0.0, 0.95, step=0.05, value=0.0),
        "step": controls.whole_slider("step shown", 0, DESCENT_STEPS, step=10, value=DESCENT_STEPS // 2),
    }

    def compute(*, rate: float, noise: float, lowered: str, momentum: float, step: int) -> Mapping[str, Any]:
        plain, noisy = (_crowd(rate, level, momentum, lowered) for level in (0.0, noise))
        return {"plain": plain, "noisy": noisy, "step": step}

    return Explorer(descent_picture, parts, compute=compute)


def as_keras_shows(name: str, network: int | None = None) -> Shown:
    """Return what Keras shows while it trains: the training loss as reported, and validation with moving averages."""
    return shown(name, network, train="training, as reported", validation=ORDINARY)


# Guesses -----------------------------------------------------------------------------------------------------------


def _pays_outcome(percent: float) -> str:
    if percent < 75:
        return "A spike is carried by fewer patches than you thought."
    return "Your guess is close."


PREDICTIONS = (
    Prediction(
        name="cause",
        question=(
            "For an epoch or two the validation loss jumps to twice its height, and then it is back. Training loss "
            "falls all the time. What is the least you must change to make such jumps go away?"
        ),
        came_out="Statistics recomputed with dropout off remove all of them, and no trained weight is changed.",
        guesses=(
            Guess(
                text="take more validation images: with few of them the loss is noisy",
                outcome="With ten times as many, nearly the same epochs jump.",
            ),
            Guess(
                text="train with larger batches: a small batch gives a noisy gradient",
                outcome="The noise is there and moves the weights. But these same weights give no jump.",
            ),
            Guess(
                text="lower the learning rate: a large step overshoots",
                outcome="It removes most of them, and gives another training. With these very weights they go as well.",
            ),
            Guess(
                text="nothing about the weights: ask the network differently",
                outcome="That is what the experiment says: with other statistics the same weights do well.",
            ),
        ),
    ),
    Prediction(
        name="pays",
        question=(
            "In such a jump of the mean loss over 500 validation images: which share of the rise is carried by the 50 "
            "images (10%) whose loss rose most?"
        ),
        came_out="About nine tenths of it.",
        scale=Scale(least=0, greatest=100, step=5, label="percent of the rise", outcome=_pays_outcome),
    ),
    Prediction(
        name="scanner",
        question=(
            "A network reads digits with an accuracy of 98%. Then a new scanner is bought, with less contrast, and "
            "the network reads most of its digits wrong. There are 1,437 digits from the new scanner that nobody has "
            "labelled. How much of the lost accuracy can be won back without labels?"
        ),
        came_out="Nearly all of it, from the statistics of the unlabelled digits.",
        guesses=(
            Guess(
                text="nothing: without labels nothing can be learned",
                outcome="Nothing was learned. Means and variances need no labels.",
            ),
            Guess(
                text="a little: the network could be trained on its own guesses",
                outcome="Its guesses are mostly wrong. Its statistics can be had without guessing.",
            ),
            Guess(
                text="nearly all of it",
                outcome="The digits are the same digits: what does not fit is what each layer takes for ordinary.",
            ),
        ),
    ),
)


# Exercises ---------------------------------------------------------------------------------------------------------


def _check_steps_to_forget(steps_to_forget: LearnerFunction) -> None:
    cases = (
        (0.99, 0.5, 69, "0.99⁶⁸ is 0.505 and 0.99⁶⁹ is 0.4998"),
        (0.99, 0.01, 459, "0.99⁴⁵⁸ is 0.01002 and 0.99⁴⁵⁹ is 0.00992"),
        (0.9, 0.01, 44, "0.9⁴³ is 0.0108 and 0.9⁴⁴ is 0.0097"),
        (0.5, 0.25, 2, "0.5² is exactly 0.25"),
        (0.99, 1.0, 0, "before the first step all of it is left, and all of it was allowed"),
    )
    for momentum, share, steps, because in cases:
        steps_to_forget(momentum, share).equals(steps, because=because)


def _check_variance_with_dropout(variance_with_dropout: LearnerFunction) -> None:
    generator = np.random.default_rng(4)
    cases = (
        (np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([1.0, 1.0]), 0.5),
        (np.ones((3, 4)), np.full(4, 0.5), 0.25),
        (generator.uniform(0, 2, (50, 20)), generator.normal(0, 0.3, 20), 0.25),
        (generator.uniform(0, 2, (50, 20)), generator.normal(0, 0.3, 20), 0.0),
    )
    reasons = (
        "the sums are 3 and 5, variance 1, and dropout makes even the sum of one fixed sample vary",
        "all rows are equal, so the sums without dropout do not vary; the masks add 0.25 / 0.75 x 4 x 0.25",
        "the variance of the sums, plus rate / (1 - rate) times the mean of the summed squares of w x",
        "without dropout it is the variance of the sums",
    )
    for (x, w, rate), because in zip(cases, reasons, strict=True):
        expected = float(np.var(x @ w) + rate / (1 - rate) * np.mean((x * w) ** 2 @ np.ones(len(w))))
        variance_with_dropout(x, w, rate).equals(expected, because=f"exactly, without drawing masks: {because}")


def _check_quiet_spike(quiet_spike: LearnerValue) -> None:
    pair = quiet_spike.array(shape=(2, 20))
    if not ((pair > 0) & (pair < 1)).all():
        raise Wrong(
            "Probabilities strictly between 0 and 1 are needed: a softmax gives no others, and 0 costs infinity."
        )
    if (pair == 0.5).any():
        raise Wrong("A probability of exactly 0.5 is a tie: say which side it is on.")
    crossed = int(((pair[0] > 0.5) != (pair[1] > 0.5)).sum())
    if crossed:
        raise Wrong(f"{crossed} of the 20 crossed one half. Accuracy is to stay, and nobody is to cross.")
    before, after = -np.log(pair)
    if after.mean() < 3 * before.mean():
        raise Wrong(
            f"The mean loss goes from {before.mean():.3g} to {after.mean():.3g}; three times {before.mean():.3g} was "
            "asked for. How much can one sample cost that is wrong already?"
        )
    rises = np.sort(after - before)[::-1]
    if rises[0] < 0.9 * rises.sum():
        raise Wrong(
            f"The sample that rose most carries {rises[0] / rises.sum():.0%} of the rise; at least 90% were asked for."
        )


_CHANGE = 0.004  # how far an end of the interval may be off: rounding passes, an interval of two sets does not


def _check_reread(reread: LearnerValue) -> None:
    labels = datasets.digits(seed=0).validation[1]
    first, second, interval = reread.parts(3)
    at_old, answers = (part.array(shape=(len(labels),)) for part in (first, second))
    if (at_old == labels).mean() < 0.9:
        raise Wrong(
            f"{(at_old == labels).mean():.0%} of the first row are right. The first of the three is `at_old`: what the "
            "network read from the old scanner, before you changed anything."
        )
    if not np.isin(answers, np.arange(10)).all():
        raise Wrong("Answers are the digits 0 to 9: the class with the greatest probability, argmax over the classes.")
    if np.array_equal(answers, at_old):
        raise Wrong("These are what it read from the old scanner. Let it predict `new_scans`.")
    share = float((answers == labels).mean())
    if share == 1:
        raise Wrong("All of these answers are right: are they the labels? The network's own are asked for.")
    if share < 0.9:
        raise Wrong(
            f"{share:.0%} of these answers are right; more than 90% are within reach without a label. Which numbers in "
            "the network are no weights?"
        )
    low, high = (end.number() for end in interval.parts(2))
    right = accuracy_change_interval(at_old == labels, answers == labels)
    if np.allclose((low, high), right, rtol=0, atol=_CHANGE):
        return
    if np.allclose((-high, -low), right, rtol=0, atol=_CHANGE):
        raise Wrong("The interval is the wrong way round: a change is the accuracy after less the accuracy before.")
    gained, lost = ((at_old != labels) & (answers == labels)).sum(), ((at_old == labels) & (answers != labels)).sum()
    raise Wrong(
        f"The interval goes from {low:+.3f} to {high:+.3f}; it should go from {right[0]:+.3f} to {right[1]:+.3f}. The "
        f"same digits were read twice, so only those count that crossed: {gained} became right and {lost} wrong. "
        "Which interval did lesson 03 make of such counts?"
    )


def _spoiled(*places: int) -> NDArray[np.intp]:
    """The labels of the validation digits, wrong at some places."""
    answers: NDArray[np.intp] = datasets.digits(seed=0).validation[1].copy()
    answers[list(places)] = (answers[list(places)] + 1) % 10
    return answers


_AT_OLD, _AFTER = _spoiled(3, 50, 120, 200, 201, 300), _spoiled(3, 50, 120, 200, 201, 310, 350)


def _change(before: NDArray[np.intp], after: NDArray[np.intp]) -> tuple[float, float]:
    labels = datasets.digits(seed=0).validation[1]
    low, high = accuracy_change_interval(before == labels, after == labels)
    return float(low), float(high)


def _as_of_two_sets() -> tuple[float, float]:
    labels = datasets.digits(seed=0).validation[1]
    one, other = ((answers == labels).mean() for answers in (_AT_OLD, _AFTER))
    low, high = accuracy_difference_interval(one, len(labels), other, len(labels))
    return float(low), float(high)


EXERCISES = (
    Exercise(
        name="steps_to_forget",
        checker=_check_steps_to_forget,
        hints=(
            "After t steps momentum ** t of the starting value is left. For which whole t is that at most the share?",
            "Take logarithms: t >= log(share) / log(momentum). Both are negative.",
            "math.ceil(math.log(share) / math.log(momentum))",
        ),
        wrong_answers={
            "rounds down": WrongAnswer(
                answer=lambda momentum, share: int(np.log(share) / np.log(momentum)), says="0.99⁶⁹ is 0.4998"
            ),
            "1 / (1 - momentum)": WrongAnswer(
                answer=lambda momentum, share: round(1 / (1 - momentum)), says="0.99⁶⁹ is 0.4998"
            ),
        },
    ),
    Exercise(
        name="variance_with_dropout",
        checker=_check_variance_with_dropout,
        hints=(
            "Each x_i is kept with probability 1 - rate and then divided by 1 - rate. The mean stays. Its variance?",
            "One masked input has variance x_i² rate / (1 - rate). Masks are independent, so the variances add up, "
            "each times w_i². Then add the variance of the sums from sample to sample.",
            "np.var(x @ w) + rate / (1 - rate) * np.mean(np.sum((x * w) ** 2, axis=1))",
        ),
        wrong_answers={
            "forgets the masks": WrongAnswer(
                answer=lambda x, w, rate: np.var(x @ w), says="dropout makes even the sum"
            ),
            "the masks only": WrongAnswer(
                answer=lambda x, w, rate: rate / (1 - rate) * np.mean(np.sum((x * w) ** 2, axis=1)),
                says="the sums are 3 and 5",
            ),
            "rate (1 - rate)": WrongAnswer(
                answer=lambda x, w, rate: np.var(x @ w) + rate * (1 - rate) * np.mean(np.sum((x * w) ** 2, axis=1)),
                says="dropout makes even the sum",
            ),
        },
    ),
    Exercise(
        name="quiet_spike",
        checker=_check_quiet_spike,
        asks="value",
        hints=(
            "Accuracy asks on which side of one half a probability is. Which samples can become dearer and stay there?",
            "A sample that is wrong already can cost as much as you like: its probability may go from 0.4 to 1e-9.",
            "before = np.full(20, 0.9); before[0] = 0.4; after = before.copy(); after[0] = 1e-9; "
            "np.stack([before, after])",
        ),
        wrong_answers={
            "nothing happens": WrongAnswer(answer=np.full((2, 20), 0.9), says="three times"),
            "somebody crosses": WrongAnswer(
                answer=np.stack([np.full(20, 0.9), np.r_[1e-9, np.full(19, 0.9)]]), says="nobody is to cross"
            ),
            "everybody pays": WrongAnswer(
                answer=np.stack([np.full(20, 0.95), np.full(20, 0.55)]), says="carries 5% of the rise"
            ),
            "a zero": WrongAnswer(
                answer=np.stack([np.full(20, 0.4), np.r_[0.0, np.full(19, 0.4)]]), says="strictly between 0 and 1"
            ),
        },
    ),
    Exercise(
        name="reread",
        checker=_check_reread,
        asks="value",
        hints=(
            "Weights are learned, statistics are collected. Which of the two can be had anew without labels?",
            "Recompute the statistics of `reader` on the new scanner's digits, then let it predict. For the interval "
            "mark which digits are right before and which after, and give both rows to `accuracy_change_interval`.",
            "training.recompute_batch_norm_statistics(reader, unlabelled); "
            "answers = reader.predict(new_scans, verbose=0).argmax(axis=1); truths = digits.validation[1]; "
            "reread = at_old, answers, accuracy_change_interval(at_old == truths, answers == truths)",
        ),
        wrong_answers={
            "always the same digit": WrongAnswer(
                answer=(_AT_OLD, np.zeros(len(_AT_OLD), dtype=int), (-0.9, -0.8)), says="without a label"
            ),
            "probabilities": WrongAnswer(
                answer=(_AT_OLD, np.full(len(_AT_OLD), 0.1), (0.0, 0.0)), says="argmax over the classes"
            ),
            "the labels": WrongAnswer(
                answer=(_AT_OLD, _spoiled(), _change(_AT_OLD, _spoiled())), says="are they the labels?"
            ),
            "the answers alone": WrongAnswer(answer=_AFTER, says="3 were expected"),
            "what the new scanner made of it at first": WrongAnswer(
                answer=(np.zeros(len(_AT_OLD), dtype=int), _AFTER, (0.8, 0.9)), says="The first of the three is"
            ),
            "the answers from the old scanner": WrongAnswer(
                answer=(_AT_OLD, _AT_OLD, _change(_AT_OLD, _AT_OLD)), says="Let it predict `new_scans`"
            ),
            "an interval of two sets of digits": WrongAnswer(
                answer=(_AT_OLD, _AFTER, _as_of_two_sets()), says="only those count that crossed"
            ),
            "before less after": WrongAnswer(
                answer=(_AT_OLD, _AFTER, _change(_AFTER, _AT_OLD)), says="the wrong way round"
            ),
        },
    ),
)


# Quiz --------------------------------------------------------------------------------------------------------------

QUESTIONS = {
    "where": Question(
        "Keras reports a training loss of 0.45. Right after, evaluate says 3.1 for the very same training images, "
        "prepared in the same way. What is the likeliest reason?",
        [
            Option(
                "It overfits",
                "Both numbers are of the images it was trained on. Overfitting shows on others.",
            ),
            Option(
                "The network works differently in training and in inference mode",
                "Same weights, same images: what differs is dropout, batch statistics, or when each image was asked.",
                correct=True,
            ),
            Option(
                "evaluate uses another loss function",
                "It uses the one the model was compiled with, without changing it.",
            ),
        ],
    ),
    "below": Question(
        "Validation loss lies below training loss, epoch after epoch. The network has dropout. Is something wrong?",
        [
            Option(
                "Validation images must have leaked into training",
                "They could have. But it is not needed for this, and training images asked in the same way tell.",
            ),
            Option(
                "Not by itself: training was asked with features dropped, and earlier in the epoch",
                "Ask for the training images in inference mode after the epoch, and compare these.",
                correct=True,
            ),
            Option(
                "The validation set is too small",
                "Possible: a set that happens to be easy is easy in every epoch. Asking the training images in the "
                "same way decides it.",
            ),
        ],
    ),
    "momentum": Question(
        "You change momentum=0.99 to momentum=0.9 in every BatchNormalization and train again with the same seeds. "
        "What happens to the reported training loss?",
        [
            Option(
                "It falls faster, because the statistics follow more quickly",
                "Training normalises with the statistics of the batch. It never looks at the averages.",
            ),
            Option(
                "Nothing: it is the same number in every step",
                "The averages are only collected in training. They are used in inference.",
                correct=True,
            ),
            Option(
                "It becomes noisier",
                "The averages become noisier. Training does not use them.",
            ),
        ],
    ),
    "cure": Question(
        "Validation loss spikes. Somebody advises ten times as many validation images. You have BatchNormalization and "
        "a high learning rate. What do you expect?",
        [
            Option(
                "The spikes become lower by about the square root of ten",
                "Counting noise would. These spikes are none: all images are asked in the same wrong way.",
            ),
            Option(
                "Nearly the same spikes, in nearly the same epochs",
                "The statistics lag for every image. More images measure the same mistake more exactly.",
                correct=True,
            ),
            Option(
                "More spikes, because there are more images to get wrong",
                "The mean over more images has no reason to be larger.",
            ),
        ],
    ),
    "noise": Question(
        "You take batches of 128 instead of 32. What happens to the noise of the gradient, as a length?",
        [
            Option("It is a quarter as long", "The variance is a quarter. A length goes with its square root."),
            Option("It is half as long", "Noise goes like one over the square root of the batch size.", correct=True),
            Option("Nothing, on average it is zero anyway", "Its mean is zero. Its length is not."),
        ],
    ),
    "report": Question(
        "You find that statistics recomputed with dropout off remove every spike of your curve. What may you write?",
        [
            Option(
                "The weights were fine in those epochs; inference used statistics that did not fit them",
                "That is what was changed, and all that was changed.",
                correct=True,
            ),
            Option(
                "The learning rate was fine",
                "Not shown: slower weights leave averages less behind, so a lower rate may cure it as well.",
            ),
            Option(
                "Every spike of every network is made by BatchNormalization",
                "One network was tried. One without BatchNormalization can spike for other reasons.",
            ),
        ],
    ),
}

lesson = Lesson(
    "04_validation_spikes",
    explorers={"anatomy": anatomy, "descent": descent},
    predictions=PREDICTIONS,
    questions=QUESTIONS,
    exercises=EXERCISES,
)

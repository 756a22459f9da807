"""Lesson 05, validation loss rises while validation accuracy rises: its guesses, its explorer, its exercises, its quiz.

Ten trainings of each model are recorded (`lossacc_helpers.recordings`); one of each is trained in the lesson.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers import recordings
from lossacc_helpers.calibration import at_temperature, fit_temperature
from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import Exercise, LearnerFunction, LearnerValue, Wrong, WrongAnswer
from lossacc_helpers.figures import Picture
from lossacc_helpers.figures.calibration import calibration_picture
from lossacc_helpers.scores import log_loss
from lossacc_helpers.widgets import Explorer, Guess, Option, Prediction, Question, Scale, controls

# The explorer ------------------------------------------------------------------------------------------------------


def calibration() -> Explorer:
    """Return one recorded network's losses and its confidence, at any epoch and any temperature."""
    run = recordings.load("lesson_05_verses")
    temperatures = run.settings["temperatures"]
    parts = {
        "of": controls.toggle(
            "asked about", {"validation words": "validation words", "training words": "training words"},
            value="validation words",
        ),
        "epoch": controls.whole_slider("epoch", 1, run.epochs, value=run.epochs - 4),
        "temperature": controls.slider("temperature", temperatures[0], temperatures[-1], step=0.25, value=1.0),
    }  # fmt: skip

    def compute(*, of: str, temperature: float, **state: Any) -> Mapping[str, Any]:
        history = run.validation if of == "validation words" else run.train
        return {"history": history, "of": of, "temperature": round(4 * temperature) / 4, **state}

    return Explorer(picture, parts, compute=compute)


def picture() -> Picture:
    """Return the explorer's picture, whose state is a history at several temperatures, an epoch and a temperature."""
    return calibration_picture(recordings.load("lesson_05_verses").settings["temperatures"])


# Guesses -----------------------------------------------------------------------------------------------------------


def _payers_outcome(percent: float) -> str:
    if percent < 40:
        return "More words than you thought became cheaper while their mean became dearer."
    if percent > 85:
        return "Fewer words than you thought became cheaper."
    return "Your guess is close."


def _repaired_outcome(percent: float) -> str:
    if percent < 45:
        return "One number repairs more than you thought."
    if percent > 85:
        return "One number repairs less than you thought: something else got worse too."
    return "Your guess is close."


PREDICTIONS = (
    Prediction(
        name="rise",
        question=(
            "For ten epochs the validation loss rises, and the validation accuracy does not fall with it. "
            "What has most probably happened?"
        ),
        came_out="In songs more than half of the words became cheaper, and wrong answers much dearer: confidence grew.",
        guesses=(
            Guess(
                text="a mistake in the code: both are of the same predictions, so one of them is computed wrongly",
                outcome="Both are right. They ask different questions of the same predictions.",
            ),
            Guess(
                text="most answers get worse, and accuracy is too coarse to show it",
                outcome="More than half of the words became cheaper. The mean rises because of the others.",
            ),
            Guess(
                text="wrong answers are given with more and more confidence, right ones too",
                outcome=(
                    "That is the greater part of it: confidence runs ahead of accuracy. In part the chances got worse "
                    "too; that stays at the best temperature."
                ),
            ),
        ),
    ),
    Prediction(
        name="payers",
        question=(
            "From the epoch of the least validation loss to the last epoch the mean rises. What share of the "
            "validation words has a LOWER loss at the end?"
        ),
        came_out="More than half of them.",
        scale=Scale(least=0, greatest=100, step=5, label="percent of the words", outcome=_payers_outcome),
    ),
    Prediction(
        name="repaired",
        question=(
            "At the least validation loss and at the last epoch, all logits are divided by one number each, chosen on "
            "other songs. No answer changes. How much of the rise of the validation loss goes away?"
        ),
        came_out="A good half or more of it.",
        scale=Scale(least=0, greatest=100, step=5, label="percent of the rise", outcome=_repaired_outcome),
    ),
)


# Exercises ---------------------------------------------------------------------------------------------------------


def _check_softened(softened: LearnerFunction) -> None:
    rows = np.array([[0.9, 0.1], [0.5, 0.5]])
    softened(rows, 2.0).equals(
        [[0.75, 0.25], [0.5, 0.5]], because="the odds are 9 to 1, their square root is 3 to 1, and 3 to 1 is 0.75"
    )
    softened(rows, 0.5).equals(
        [[81 / 82, 1 / 82], [0.5, 0.5]], because="a temperature of one half squares the odds: 81 to 1"
    )
    three = np.array([[0.5, 0.3, 0.2]])
    softened(three, 1.0).equals(three, because="at temperature 1 nothing changes")
    powers = three ** (1 / 3)
    softened(three, 3.0).equals(powers / powers.sum(), because="each probability to the power 1/3, and then a sum of 1")


def _check_best_temperature(best_temperature: LearnerFunction) -> None:
    for confidence, right in ((0.9, 0.75), (0.99, 0.9), (0.6, 0.8), (0.7, 0.7)):
        expected = np.log(confidence / (1 - confidence)) / np.log(right / (1 - right))
        best_temperature(confidence, right).equals(
            expected,
            because=(
                f"scaled, {confidence} must become {right}: the log-odds {np.log(confidence / (1 - confidence)):.3f}, "
                f"divided by the temperature, must be {np.log(right / (1 - right)):.3f}"
            ),
        )


def _check_both_rise(both_rise: LearnerValue) -> None:
    pair = both_rise.array(shape=(2, 10))
    if not ((pair > 0) & (pair < 1)).all():
        raise Wrong(
            "Probabilities strictly between 0 and 1 are needed: a softmax gives no others, and 0 costs infinity."
        )
    if (pair == 0.5).any():
        raise Wrong("A probability of exactly 0.5 is a tie: say which side it is on.")
    before, after = -np.log(pair)
    right = (pair > 0.5).sum(axis=1)
    if after.mean() <= before.mean():
        raise Wrong(f"The mean loss goes from {before.mean():.3f} to {after.mean():.3f}: it is to rise.")
    if right[1] <= right[0]:
        raise Wrong(f"{right[0]} of 10 are right before and {right[1]} after: accuracy is to rise.")
    cheaper = int((after < before).sum())
    if cheaper < 8:
        raise Wrong(f"{cheaper} of 10 become cheaper; at least 8 are to. How dear can the other two become?")


_TRUSTED = 0.06  # of confidence, and nats: five hundred samples tell little more


@cache
def _networks() -> tuple[tuple[str, NDArray[np.float64], NDArray[np.intp]], ...]:
    """Networks by what is wrong with them: logits (1000, 10) and labels drawn from those logits over a temperature."""
    found = []
    # Seeds whose new samples are as the known ones by luck: right in as many as the honest chances promise.
    for seed, name, heat in ((3, "far too bold", 4.0), (4, "a little too bold", 1.6), (6, "too timid", 0.5)):
        generator = np.random.default_rng(seed)
        honest = 3.0 * generator.normal(size=(1000, 10))
        chances = np.exp(at_temperature(honest, 1.0))
        labels = (chances.cumsum(axis=1) < generator.random((1000, 1))).sum(axis=1)
        found.append((name, heat * honest, labels))
    return tuple(found)


def _check_repaired(repaired: LearnerFunction) -> None:
    for (name, logits, labels), share in zip(_networks(), (0.2, 0.5, 0.0), strict=True):
        known, new = slice(500), slice(500, None)
        both = repaired(logits[known], labels[known], logits[new], share).parts(2)
        rows, of_clerk = (part.array(shape=(500, 10)) for part in both)
        if not ((rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=1e-3)):
            raise Wrong(
                "Each row must hold ten probabilities that sum to 1: a softmax of the divided logits. If these are "
                "logarithms, np.exp makes probabilities of them."
            )
        changed = int((rows.argmax(axis=1) != logits[new].argmax(axis=1)).sum())
        if changed:
            raise Wrong(f"{changed} of 500 answers are not the network's own. Which step changed them?")
        over = float(rows.max(axis=1).mean() - np.mean(rows.argmax(axis=1) == labels[new]))
        kind = "above" if over > 0 else "below"
        if abs(over) > _TRUSTED:
            raise Wrong(
                f"On a network that is {name}, the mean confidence is {abs(over):.3f} {kind} the accuracy; within "
                f"{_TRUSTED} is within reach. Is the temperature fitted, on the scans whose labels are known?"
            )
        best = fit_temperature(labels[known], logits[known]).temperature
        tempered = np.exp(at_temperature(logits[new], best))
        least, loss = (log_loss(labels[new], each) for each in (tempered, rows / rows.sum(axis=1, keepdims=True)))
        if loss > least + _TRUSTED:
            raise Wrong(
                f"On a network that is {name}, the mean loss of the new scans is {loss:.2f}; {least:.2f} is within "
                "reach with the same answers."
            )
        if not np.allclose(of_clerk, (1 - share) * rows + share / 10, rtol=0, atol=1e-4):
            away = np.nan_to_num(np.abs(of_clerk - (1 - share) * rows - share / 10), nan=np.inf)
            scan, digit = np.unravel_index(int(away.argmax()), away.shape)
            chance = rows[scan, digit]
            raise Wrong(
                f"The second array: {share:.0%} of the labels are drawn anew, and new scan {scan} is the digit "
                f"{digit} with probability {chance:.4f}. Then the clerk writes that digit with probability "
                f"{(1 - share) * chance + share / 10:.4f}; your array says {of_clerk[scan, digit]:.4f}, and "
                f"the row sums to {of_clerk[scan].sum():.3f}. A label drawn anew may be any of the ten, the true one "
                "too."
            )


def _tempered(known: NDArray[np.float64], labels: NDArray[np.intp], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities at the best temperature for the known labels."""
    return np.exp(at_temperature(new, fit_temperature(labels, known).temperature))


def _level(known: NDArray[np.float64], labels: NDArray[np.intp], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give every answer the same confidence, the share of known answers that is right."""
    right = np.mean(known.argmax(axis=1) == labels)
    rows: NDArray[np.float64] = np.where(np.arange(10) == new.argmax(axis=1)[:, None], right, (1 - right) / 9)
    return rows


def _for_both(digit: NDArray[np.float64], share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return probabilities of the digit, and of a label of which a share is drawn anew."""
    return digit, (1 - share) * digit + share / 10


EXERCISES = (
    Exercise(
        name="softened",
        checker=_check_softened,
        hints=(
            "Dividing logits by T is raising probabilities to the power 1/T, up to a factor that is the same in a row.",
            "Raise, and then divide each row by its sum, kept as a column: keepdims=True.",
            "powers = probabilities ** (1 / temperature); powers / powers.sum(axis=-1, keepdims=True)",
        ),
        wrong_answers={
            "divides probabilities": WrongAnswer(
                answer=lambda p, t: p / t / (p / t).sum(axis=-1, keepdims=True), says="their square root is 3 to 1"
            ),
            "the wrong way round": WrongAnswer(
                answer=lambda p, t: p**t / (p**t).sum(axis=-1, keepdims=True), says="their square root is 3 to 1"
            ),
            "forgets the sum": WrongAnswer(answer=lambda p, t: p ** (1 / t), says="their square root is 3 to 1"),
        },
    ),
    Exercise(
        name="best_temperature",
        checker=_check_best_temperature,
        hints=(
            "The best confidence is the share that is right. What does T do to log-odds?",
            "log-odds of the confidence / T = log-odds of the share. Solve for T.",
            "np.log(confidence / (1 - confidence)) / np.log(share_right / (1 - share_right))",
        ),
        wrong_answers={
            "the quotient": WrongAnswer(answer=lambda c, s: c / s, says="scaled, 0.9 must become 0.75"),
            "upside down": WrongAnswer(
                answer=lambda c, s: np.log(s / (1 - s)) / np.log(c / (1 - c)), says="scaled, 0.9 must become 0.75"
            ),
        },
    ),
    Exercise(
        name="both_rise",
        checker=_check_both_rise,
        asks="value",
        hints=(
            "Accuracy needs one more sample beyond one half. Eight may become cheaper. One may cost what you like.",
            "A sample that is wrong already may go from 0.3 to 1e-9, and no answer changes by it.",
            "before = np.r_[0.3, 0.3, 0.4, np.full(7, 0.8)]; after = np.r_[1e-9, 0.3, 0.6, np.full(7, 0.95)]; "
            "np.stack([before, after])",
        ),
        wrong_answers={
            "nothing happens": WrongAnswer(answer=np.full((2, 10), 0.8), says="it is to rise"),
            "all become dearer": WrongAnswer(
                answer=np.stack([np.r_[0.4, np.full(9, 0.9)], np.r_[0.6, np.full(9, 0.7)]]), says="1 of 10 become"
            ),
            "accuracy stays": WrongAnswer(
                answer=np.stack([np.full(10, 0.8), np.r_[1e-9, np.full(9, 0.9)]]), says="accuracy is to rise"
            ),
        },
    ),
    Exercise(
        name="repaired",
        checker=_check_repaired,
        hints=(
            "The network was not trained on the scans with known labels: they show how far its confidence is off.",
            "Fit one temperature on the known scans. Divide the logits of the new ones by it. For the clerk: with what "
            "probability is a label kept, and if it is not, with what probability is it each of the ten?",
            "fit = fit_temperature(known_labels, known_logits); "
            "digit = np.exp(at_temperature(new_logits, fit.temperature)); "
            "return digit, (1 - drawn_anew) * digit + drawn_anew / 10",
        ),
        wrong_answers={
            "as bold as ever": WrongAnswer(
                answer=lambda known, labels, new, share: _for_both(np.exp(at_temperature(new, 1.0)), share),
                says="above the accuracy",
            ),
            "one temperature for all networks": WrongAnswer(
                answer=lambda known, labels, new, share: _for_both(np.exp(at_temperature(new, 4.0)), share),
                says="below the accuracy",
            ),
            "all alike": WrongAnswer(
                answer=lambda known, labels, new, share: _for_both(np.full(new.shape, 0.1), share),
                says="are not the network's own",
            ),
            "logits": WrongAnswer(answer=lambda known, labels, new, share: _for_both(new / 4, share), says="sum to 1"),
            "the same confidence for each": WrongAnswer(
                answer=lambda known, labels, new, share: _for_both(_level(known, labels, new), share),
                says="within reach with the same answers",
            ),
            "the digits alone": WrongAnswer(
                answer=lambda known, labels, new, share: _tempered(known, labels, new), says="2 were expected"
            ),
            "the clerk's labels are the digits": WrongAnswer(
                answer=lambda known, labels, new, share: (_tempered(known, labels, new),) * 2, says="drawn anew"
            ),
            "what is drawn anew is always wrong": WrongAnswer(
                answer=lambda known, labels, new, share: (
                    digit := _tempered(known, labels, new),
                    (1 - share) * digit + share / 9 * (1 - digit),
                ),
                says="the true one too",
            ),
            "forgets what is drawn": WrongAnswer(
                answer=lambda known, labels, new, share: (
                    digit := _tempered(known, labels, new),
                    (1 - share) * digit,
                ),
                says="the row sums to 0.8",
            ),
        },
    ),
)


# Quiz --------------------------------------------------------------------------------------------------------------

QUESTIONS = {
    "meaning": Question(
        "Validation loss has risen for ten epochs, validation accuracy has risen too. What do you know for certain?",
        [
            Option(
                "The answers got worse",
                "More of them are right. Whether wrong ones got dearer or right ones timid, curves do not say.",
            ),
            Option("The validation set is too small", "It may be. A rise over ten epochs needs no such reason."),
            Option(
                "The mean cost of an answer rose although more answers are right",
                "That is all that the two curves say. A reliability diagram tells whether confidence is to blame.",
                correct=True,
            ),
        ],
    ),
    "temperature": Question(
        "You divide all logits of a trained network by 2. What happens to its accuracy?",
        [
            Option("It stays exactly the same", "The greatest logit stays the greatest in every row.", correct=True),
            Option("It falls: the network is less sure", "Less sure, of the same answers. Accuracy does not see it."),
            Option("It rises where it was too bold", "Nothing crosses: the order within each row stays."),
        ],
    ),
    "halves": Question(
        "A temperature is fitted on the validation words, and the loss after scaling is reported on the same words. "
        "What is wrong?",
        [
            Option(
                "Nothing: one number cannot overfit",
                "It can, a little. With few samples the fitted number owes part of its success to them.",
            ),
            Option(
                "The loss is judged on what the temperature was chosen by; other words should judge it",
                "Fit on one half, judge on the other. With many words the difference is small, and then you know.",
                correct=True,
            ),
            Option(
                "Temperatures must be fitted on the training words",
                "There the network is nearly right about itself. It would choose a temperature that is too low.",
            ),
        ],
    ),
    "ece": Question(
        "A network shows an expected calibration error of 0.02 on 300 samples. Is it miscalibrated?",
        [
            Option("Yes: calibrated predictions have 0", "Only with endless samples. Of 300, chance alone makes more."),
            Option("No: it is below 0.05", "There is no such limit. It depends on the samples and the bins."),
            Option(
                "Compare with what calibrated predictions of the same confidence would show by chance",
                "With 300 words in ten bins chance alone gave 0.02 to 0.06 here.",
                correct=True,
            ),
        ],
    ),
    "ship": Question(
        "You may temper the network before it is used. By which validation curve do you choose the epoch?",
        [
            Option(
                "By the loss as it is printed",
                "It prefers an epoch whose confidence happens to fit; what a temperature repairs counts against the "
                "others.",
            ),
            Option(
                "By the loss after scaling, and then look at an untouched test set",
                "Judge each epoch by what you would use: its tempered predictions. Here that saved a little loss, and "
                "the networks were a little more often right.",
                correct=True,
            ),
            Option(
                "By the last epoch: accuracy is highest there",
                "It nearly was, here. But its chances are much worse, even tempered.",
            ),
        ],
    ),
    "fano": Question(
        "Two classes. A log prints loss 0.746 and accuracy 0.854, over very many samples. What follows?",
        [
            Option(
                "At least 0.329 nats of the loss are owed to miscalibration",
                "Calibrated predictions with that accuracy cost at most h(0.146) = 0.416 nats: Fano's bound.",
                correct=True,
            ),
            Option("The network is overconfident", "It may be too timid as well: the two numbers do not say which."),
            Option("Nothing: any loss may go with any accuracy", "Not above what calibration permits."),
        ],
    ),
}

lesson = Lesson(
    "05_loss_and_accuracy_rise",
    explorers={"calibration": calibration},
    predictions=PREDICTIONS,
    questions=QUESTIONS,
    exercises=EXERCISES,
)

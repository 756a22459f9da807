"""Lesson 07, choosing a metric: its guesses, its explorer, its exercises, its quiz."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from lossacc_helpers import datasets
from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import Exercise, LearnerFunction, LearnerValue, Wrong, WrongAnswer
from lossacc_helpers.figures import Picture
from lossacc_helpers.figures.metrics import Judged, metrics_picture
from lossacc_helpers.widgets import Explorer, Guess, Option, Prediction, Question, Scale, controls

Floats = NDArray[np.float64]


def eights(*, pixels: int = 8, others: int = 10, seed: int = 0) -> tuple[Floats, NDArray[np.bool_]]:
    """Return digits (sample, pixel) and which of them are an eight (sample,), with few eights among them.

    Parameters
    ----------
    pixels : 8 for the images as they are, 4 for what a coarser scanner would see, the means of blocks of 2 by 2.
    others : how many other digits there are for each eight, 10 or more.
    seed : of the eights that are kept, and of the order.
    """
    drawn = datasets.digits(seed=0)
    images = np.concatenate([drawn.train[0], drawn.validation[0]]).astype(np.float64)
    labels = np.concatenate([drawn.train[1], drawn.validation[1]])
    if pixels == 4:
        images = images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    elif pixels != 8:
        raise ValueError(f"pixels must be 8 or 4; got {pixels}")
    plain, rare = np.flatnonzero(labels != 8), np.flatnonzero(labels == 8)
    count = round(len(plain) / others)
    if not 0 < count <= len(rare):
        raise ValueError(f"others must lie between {len(plain) / len(rare):.1f} and {len(plain)}; got {others}")
    generator = np.random.default_rng(seed)
    kept = generator.permutation(np.concatenate([plain, generator.permutation(rare)[:count]]))
    return images[kept], labels[kept] == 8


# The explorer ------------------------------------------------------------------------------------------------------

NAMES = (
    "accuracy",
    "balanced accuracy",
    "F1",
    "Matthews correlation",
    "ROC AUC",
    "PR AUC",
    "log loss saved",
)


def rare() -> Explorer:
    """Return predictions of a rare class, with sliders for how rare it is, the threshold and the price of a miss."""
    parts = {
        "pixels": controls.toggle("scanner", {"8 x 8 pixels": 8, "4 x 4 pixels": 4}, value=4),
        "others": controls.whole_slider("others to one eight", 10, 100, value=20, step=10),
        "threshold": controls.slider("threshold", 0.01, 0.99, step=0.01, value=0.5),
        "price": controls.whole_slider("price of a miss, in false alarms", 1, 50, value=20),
    }

    def compute(*, pixels: int, others: int, threshold: float, price: int) -> Mapping[str, Any]:
        judged, fixed, baseline = _judged(pixels, others)
        at = round(100 * threshold) / 100
        called, truth = judged.probabilities > at, judged.rare
        values = {
            "accuracy": metrics.accuracy_score(truth, called),
            "balanced accuracy": metrics.balanced_accuracy_score(truth, called),
            "F1": metrics.f1_score(truth, called, zero_division=0),
            "Matthews correlation": metrics.matthews_corrcoef(truth, called),
            **fixed,
        }
        by_price = 1 / (1 + price)
        costs = [
            (price * np.sum(truth & ~one) + np.sum(~truth & one)) / len(truth) * 1000
            for one in (called, judged.probabilities > by_price, np.zeros_like(truth))
        ]
        more = (
            f"If a miss costs as much as {price} false alarm{'s' if price > 1 else ''}, 1,000 samples cost "
            f"{costs[0]:.0f} here, {costs[1]:.0f} at the threshold that follows from the price ({by_price:.2f}, "
            f"dotted), and {costs[2]:.0f} if no digit is called an eight."
        )
        return {
            "judged": judged,
            "threshold": at,
            "marked": by_price,
            "values": values,
            "baseline": baseline,
            "more": more,
        }

    return Explorer(picture, parts, compute=compute)


def picture() -> Picture:
    """Return the explorer's picture."""
    return metrics_picture(NAMES)


@cache
def _judged(pixels: int, others: int) -> tuple[Judged, Mapping[str, float], Mapping[str, float]]:
    """Predictions by cross-validation, the metrics that need no threshold, and those of always naming the common."""
    images, truth = eights(pixels=pixels, others=others)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = LogisticRegression(max_iter=2000)
    given = cross_val_predict(model, images, truth, cv=folds, method="predict_proba")[:, 1]
    false, found, _ = metrics.roc_curve(truth, given)
    precision, recall, _ = metrics.precision_recall_curve(truth, given)
    precision, recall = precision[:-1], recall[:-1]  # the last point, precision 1 at recall 0, is made up
    share = float(truth.mean())
    constant = metrics.log_loss(truth, np.full(len(truth), share))
    fixed = {
        "ROC AUC": metrics.roc_auc_score(truth, given),
        "PR AUC": metrics.average_precision_score(truth, given),
        "log loss saved": 1 - metrics.log_loss(truth, given) / constant,
    }
    baseline = {
        "accuracy": 1 - share,
        "balanced accuracy": 0.5,
        "F1": 0.0,
        "Matthews correlation": 0.0,
        "ROC AUC": 0.5,
        "PR AUC": share,
        "log loss saved": 0.0,
    }
    judged = Judged(truth, given, np.stack([false, found], axis=1), np.stack([recall, precision], axis=1))
    return judged, fixed, baseline


# Guesses -----------------------------------------------------------------------------------------------------------


def _batches_outcome(difference: float) -> str:
    if difference > -0.05:
        return "The mean of the batches lies further below than you thought."
    if difference < -0.35:
        return "It lies less far below than you thought."
    return "Your guess is close."


PREDICTIONS = (
    Prediction(
        name="percent",
        question="A regression is trained with metrics=['accuracy'], and Keras prints a number. Which share is it?",
        came_out="The share of targets that are exactly 0 or 1, with the forecast on the same side of 0.5.",
        guesses=(
            Guess(
                text="of forecasts that are close to their target, within a tolerance",
                outcome="There is no tolerance. A target equals 0 or 1, or it never counts.",
            ),
            Guess(
                text="of the variance that is explained",
                outcome="That would be R^2. Accuracy counts, and there is nothing to count here.",
            ),
            Guess(
                text="of targets that happen to be 0 or 1, if the forecast is on their side of 0.5",
                outcome="That is it: BinaryAccuracy cuts at 0.5 and compares.",
            ),
        ),
    ),
    Prediction(
        name="always",
        question="One digit in 21 is an eight, and accuracy is the aim. Will a trained classifier ever say 'eight'?",
        came_out=(
            "It depends on whether the model finds places with mostly eights: logistic regression does with fine "
            "pixels and not with coarse ones, five neighbours do with both."
        ),
        guesses=(
            Guess(
                text="never: always naming the others is right in 95%",
                outcome="One model did so, with coarse pixels. Another one, on the same images, did not.",
            ),
            Guess(
                text="wherever it finds an image more probably an eight than not",
                outcome="That is the rule, and models differ in what they find.",
            ),
            Guess(
                text="in one of 21 cases, as often as they occur",
                outcome="Nothing makes it match the frequency. It says so where it is more probable than not.",
            ),
        ),
    ),
    Prediction(
        name="batches",
        question=(
            "A custom metric computes F1 of the batch it is given, and Keras shows the mean over batches. Eights are "
            "rare, one in 21, and batches hold 32. By how much does that mean differ from the F1 of all samples?"
        ),
        came_out="It lies far below: batches without an eight that is found count as 0.",
        scale=Scale(least=-0.5, greatest=0.5, step=0.05, label="mean of batches minus F1", outcome=_batches_outcome),
    ),
)


# Exercises ---------------------------------------------------------------------------------------------------------


def _check_threshold(threshold: LearnerFunction) -> None:
    threshold(1.0, 1.0).equals(
        0.5, because="if both mistakes cost alike, the more probable class is the cheaper answer"
    )
    threshold(1.0, 20.0).equals(
        1 / 21, because="at p = 1/21 a miss costs 20/21 on average, and a false alarm 20/21 as well"
    )
    threshold(5.0, 1.0).equals(
        5 / 6, because="where false alarms are dear, one must be surer: at p = 5/6 both answers cost 5/6"
    )


def _check_pooled_f1(pooled_f1: LearnerFunction) -> None:
    counts = np.array([[2, 1, 1], [0, 0, 3], [1, 0, 0]])
    pooled_f1(counts).equals(
        6 / 11, because="in all, 3 are found, 1 is a false alarm and 4 are missed: 2 x 3 / (2 x 3 + 1 + 4)"
    )
    pooled_f1(np.array([[0, 0, 0], [5, 0, 0]])).equals(1.0, because="nothing is wrong; an empty batch changes nothing")
    nothing = pooled_f1(np.array([[0, 2, 3]]))
    try:
        nothing.number()
    except Wrong as wrong:
        raise Wrong(f"{wrong} Where nothing is found, precision and recall make 0/0. Divide only once.") from wrong
    nothing.equals(0.0, because="nothing is found")


def _check_at_odds(at_odds: LearnerValue) -> None:
    pair = at_odds.array(shape=(2, 20))
    if not ((pair > 0) & (pair < 1)).all():
        raise Wrong("Probabilities strictly between 0 and 1 are needed: 0 and 1 may cost infinity.")
    truth = np.arange(20) < 4
    losses = [float(metrics.log_loss(truth, row)) for row in pair]
    ranks = [float(metrics.roc_auc_score(truth, row)) for row in pair]
    if losses[0] >= losses[1]:
        raise Wrong(f"The log losses are {losses[0]:.3f} and {losses[1]:.3f}: the first row is to have the smaller.")
    if ranks[0] >= ranks[1]:
        raise Wrong(
            f"The ROC AUCs are {ranks[0]:.3f} and {ranks[1]:.3f}: the second row is to have the greater. It looks at "
            "the order alone."
        )


def _check_precision_elsewhere(precision_elsewhere: LearnerFunction) -> None:
    expected, cut = precision_elsewhere(0.8, 0.8, 0.5, 0.5, 1.0, 1.0).parts(2)
    expected.equals(0.8, because="nothing has changed")
    cut.equals(0.0, because="both mistakes cost alike, so the cut is at one half, which is a logit of 0")
    expected, cut = precision_elsewhere(0.5, 0.5, 0.5, 0.1, 1.0, 1.0).parts(2)
    expected.equals(
        0.1, because="0.5 found and 0.5 false alarms, at any share: it is a coin, and is right as often as they occur"
    )
    cut.equals(
        np.log(9),
        because=(
            "the cut is at one half there. One to one were the odds of being ill here, and there they are 1 to 9: "
            "everybody's odds are 9 times smaller there, so they must be 9 by the reckoning of here"
        ),
    )
    _, cut = precision_elsewhere(0.8, 0.8, 0.5, 0.5, 10.0, 2.0).parts(2)
    cut.equals(
        2 * np.log(0.1),
        because=(
            "called above p = 1/11, odds of 1 to 10, whose logarithm is -2.303; that is a logit after the division by "
            "the temperature, and the network's own is twice as far from 0"
        ),
    )
    for recall, precision, here, there, price, heat in (
        (0.9, 0.9, 0.5, 0.01, 10.0, 2.0),
        (0.6, 0.75, 0.2, 0.4, 3, 1.5),
    ):
        alarms = recall * here * (1 - precision) / (precision * (1 - here))
        factor = there / (1 - there) * (1 - here) / here
        expected, cut = precision_elsewhere(recall, precision, here, there, price, heat).parts(2)
        expected.equals(
            recall * there / (recall * there + alarms * (1 - there)),
            because=(
                f"the false alarm rate is {alarms:.3f}, here as there; of 1,000 there {1000 * recall * there:.4g} are "
                f"found and {1000 * alarms * (1 - there):.4g} are false alarms"
            ),
        )
        cut.equals(
            heat * np.log(1 / price / factor),
            because=(
                f"odds of 1 to {price:g} there are odds of {1 / price / factor:.4g} by the reckoning of here, and the "
                f"network's logit is {heat:g} times the logarithm of these"
            ),
        )


def _elsewhere(recall: float, precision: float, here: float, there: float) -> float:
    """The precision that is to be expected there: its odds are multiplied as everybody's are."""
    odds = precision / (1 - precision) * (1 - here) / here * there / (1 - there)
    return odds / (1 + odds)


def _moved(here: float, there: float, price: float) -> float:
    """The log-odds by the reckoning of here at which calling pays there."""
    return float(np.log(1 / price) - np.log(there / (1 - there)) + np.log(here / (1 - here)))


EXERCISES = (
    Exercise(
        name="threshold",
        checker=_check_threshold,
        hints=(
            "At the threshold both answers cost the same on average.",
            "Calling it costs alarm x (1 - p) on average, not calling it costs miss x p.",
            "alarm / (alarm + miss)",
        ),
        wrong_answers={
            "the other way round": WrongAnswer(
                answer=lambda alarm, miss: miss / (alarm + miss), says="0.047619 was expected"
            ),
            "the quotient": WrongAnswer(answer=lambda alarm, miss: alarm / miss / 2, says="at p = 1/21"),
        },
    ),
    Exercise(
        name="pooled_f1",
        checker=_check_pooled_f1,
        hints=(
            "A metric of all samples needs counts of all samples, not metrics of batches.",
            "Add up each column. F1 is 2 found / (2 found + false alarms + missed).",
            "found, alarms, missed = counts.sum(axis=0); 2 * found / (2 * found + alarms + missed)",
        ),
        wrong_answers={
            "mean of batches": WrongAnswer(
                answer=lambda c: np.mean(2 * c[:, 0] / np.maximum(2 * c[:, 0] + c[:, 1] + c[:, 2], 1)),
                says="in all, 3 are found",
            ),
            "accuracy": WrongAnswer(answer=lambda c: c[:, 0].sum() / c.sum(), says="2 x 3 / (2 x 3 + 1 + 4)"),
        },
    ),
    Exercise(
        name="at_odds",
        checker=_check_at_odds,
        asks="value",
        hints=(
            "ROC AUC looks at the order alone, log loss at how sure each answer is.",
            "Let the second row be in perfect order, and all of it far too high.",
            "np.stack([np.r_[0.4, 0.4, 0.4, 0.1, np.full(16, 0.15)], np.r_[np.full(4, 0.99), np.full(16, 0.98)]])",
        ),
        wrong_answers={
            "the same twice": WrongAnswer(
                answer=np.stack([np.linspace(0.9, 0.1, 20)] * 2), says="the first row is to have the smaller"
            ),
            "better at both": WrongAnswer(
                answer=np.stack([np.r_[np.full(4, 0.9), np.full(16, 0.1)], np.full(20, 0.5)]), says="the second row"
            ),
            "certain": WrongAnswer(answer=np.ones((2, 20)), says="strictly between 0 and 1"),
        },
    ),
    Exercise(
        name="precision_elsewhere",
        checker=_check_precision_elsewhere,
        hints=(
            "Which two rates belong to the classifier and not to the ratio? They are those of the ROC curve.",
            "Precision here is recall x here / (recall x here + alarms x (1 - here)). Solve for the false alarm rate.",
            "alarms = recall * here * (1 - precision) / (precision * (1 - here)); "
            "recall * there / (recall * there + alarms * (1 - there))",
            "For the logit, reckon in odds, p / (1 - p). At which odds of being ill does calling pay? By which factor "
            "do everybody's odds differ there? What does the temperature do to the logarithm of odds?",
            "Call above odds of 1 / price there. factor = there / (1 - there) * (1 - here) / here; "
            "temperature * np.log(1 / price / factor)",
        ),
        wrong_answers={
            "stays": WrongAnswer(
                answer=lambda r, p, a, b, price, heat: (p, heat * _moved(a, b, price)),
                says="right as often as they occur",
            ),
            "in proportion": WrongAnswer(
                answer=lambda r, p, a, b, price, heat: (min(1.0, p * b / a), heat * _moved(a, b, price)),
                says="here as there",
            ),
            "the precision alone": WrongAnswer(
                answer=lambda r, p, a, b, price, heat: _elsewhere(r, p, a, b), says="2 results were expected"
            ),
            "a probability, not a logit": WrongAnswer(
                answer=lambda r, p, a, b, price, heat: (_elsewhere(r, p, a, b), 1 / (1 + price)),
                says="which is a logit of 0",
            ),
            "as rare as here": WrongAnswer(
                answer=lambda r, p, a, b, price, heat: (_elsewhere(r, p, a, b), heat * np.log(1 / price)),
                says="9 times smaller there",
            ),
            "the odds moved the wrong way": WrongAnswer(
                answer=lambda r, p, a, b, price, heat: (_elsewhere(r, p, a, b), heat * _moved(b, a, price)),
                says="9 times smaller there",
            ),
            "not tempered": WrongAnswer(
                answer=lambda r, p, a, b, price, heat: (_elsewhere(r, p, a, b), _moved(a, b, price)),
                says="twice as far from 0",
            ),
            "tempered the wrong way": WrongAnswer(
                answer=lambda r, p, a, b, price, heat: (_elsewhere(r, p, a, b), _moved(a, b, price) / heat),
                says="twice as far from 0",
            ),
            "tempered before the share is reckoned with": WrongAnswer(
                answer=lambda r, p, a, b, price, heat: (
                    _elsewhere(r, p, a, b),
                    heat * np.log(1 / price) + _moved(a, b, 1.0),
                ),
                says="by the reckoning of here",
            ),
        },
    ),
)


# Quiz --------------------------------------------------------------------------------------------------------------

QUESTIONS = {
    "regression": Question(
        "A regression's log says: loss 0.031, accuracy 0.0045. What do you conclude?",
        [
            Option(
                "It is not an accuracy: targets other than 0 and 1 never count as right",
                "Were 0.031 a log loss of two classes, accuracy would have to be at least 0.955.",
                correct=True,
            ),
            Option(
                "The forecasts are poor: hardly one in 200 is right",
                "The loss may be very good. The second number counts something else.",
            ),
            Option(
                "The loss is wrong: with so few right answers it should be greater",
                "It is a mean squared error. Take its root and compare it with the spread.",
            ),
        ],
    ),
    "r2": Question(
        "Two teams report R^2 0.6 and R^2 0.3 for forecasts of the same quantity in two cities. Who forecasts better?",
        [
            Option("The first team: it explains twice as much", "Only if the targets vary alike in both cities."),
            Option(
                "It cannot be said: R^2 is measured against the spread of the targets, which may differ",
                "The same mean error gives a small R^2 where the targets hardly vary.",
                correct=True,
            ),
            Option(
                "The second team: R^2 is an error, the smaller the better",
                "It is no error: 1 is perfect, and 0 is what the mean would do.",
            ),
        ],
    ),
    "constant": Question(
        "One sample in 100 is positive. A model's log loss is 0.056. Is it good?",
        [
            Option("Yes, it is close to 0, the best there is", "So is the loss of saying 1% every time."),
            Option("No: 0.056 is above 0.01", "A share and a loss in nats are not to be compared."),
            Option(
                "It is what a model gets that says 1% every time",
                "The entropy of 1% is 0.056 nats. Compare with that, not with 0.",
                correct=True,
            ),
        ],
    ),
    "cut": Question(
        "A model never calls the rare class, at a threshold of 0.5. Its ROC AUC is 0.88. What do you do first?",
        [
            Option(
                "Train it again with class weights",
                "That moves the answers too, and shifts the probabilities. A threshold is cheaper: try it first.",
            ),
            Option(
                "Throw it away and look for a better model",
                "It puts most of the rare class above most others. Only the cut is in the wrong place.",
            ),
            Option(
                "Ask what the mistakes cost, and move the threshold",
                "The order is good. A threshold that follows from the costs uses it.",
                correct=True,
            ),
        ],
    ),
    "logits": Question(
        "The last layer has no activation, the loss is BinaryCrossentropy(from_logits=True), metrics=['accuracy']. "
        "Where does Keras cut?",
        [
            Option(
                "At a logit of 0.5, which is a probability of 0.62",
                "Give keras.metrics.BinaryAccuracy(threshold=0.0) instead.",
                correct=True,
            ),
            Option(
                "At a logit of 0, which is a probability of 0.5",
                "It should. BinaryAccuracy does not know that these are logits.",
            ),
            Option("At a probability of 0.5", "There are no probabilities here: the sigmoid is in the loss."),
        ],
    ),
    "own": Question(
        "You compile with metrics=[own], a function that computes the F1 of what it is given. What does the log show?",
        [
            Option("F1 instead of the loss", "The loss is always shown, and so is every metric in the list."),
            Option("The F1 of all samples of the epoch", "The function never sees all samples, only batches."),
            Option(
                "The mean of the F1 of the batches, beside the loss",
                "For accuracy such a mean is exact (batches of one size); for F1 it is not. Keep counts.",
                correct=True,
            ),
        ],
    ),
}

lesson = Lesson(
    "07_choosing_a_metric",
    explorers={"rare": rare},
    predictions=PREDICTIONS,
    questions=QUESTIONS,
    exercises=EXERCISES,
)

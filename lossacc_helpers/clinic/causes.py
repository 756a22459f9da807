"""The causes that the clinic knows: what each is called, what would settle and what would mend it, and its lesson.

A slug names a cause exactly; a family puts together what a learner would treat alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FAMILIES = (
    "nothing wrong",
    "too little is known",
    "not what it is called",
    "not learning",
    "confidence",
    "memorising",
    "two ways to ask",
    "the data",
    "unsteady training",
)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A cause of curves that puzzle.

    Attributes
    ----------
    slug : its exact name.
    family : one of `FAMILIES`.
    says : in one sentence, what has happened if it is this.
    experiment : the one experiment that would settle it.
    fix : what mends it.
    lesson : the number of the lesson that shows it, or "" where none does.
    """

    slug: str
    family: str
    says: str
    experiment: str
    fix: str
    lesson: str


_ALL = (
    Cause(
        slug="healthy",
        family="nothing wrong",
        says="Loss and accuracy agree within what chance does.",
        experiment="Train once more with another seed; the curves should look alike.",
        fix="Nothing needs mending.",
        lesson="02",
    ),
    Cause(
        slug="cannot-tell",
        family="too little is known",
        says="Too little was given to say anything.",
        experiment="Train for more epochs, with validation data, and with accuracy among the metrics.",
        fix="Bring both losses and both accuracies.",
        lesson="00",
    ),
    Cause(
        slug="threshold-plateau",
        family="nothing wrong",
        says="Probabilities move, and for a while none crosses the boundary.",
        experiment="Plot the margin of every sample over the epochs.",
        fix="Nothing needs mending: wait, or look at the loss.",
        lesson="02",
    ),
    Cause(
        slug="not-cross-entropy",
        family="not what it is called",
        says="The loss is no cross-entropy of the classes that accuracy counts: a squared error, or a regression.",
        experiment="Print the loss in the call of compile, and compute log loss and accuracy from predict by hand.",
        fix="Use a cross-entropy for classes; drop accuracy for a regression.",
        lesson="07",
    ),
    Cause(
        slug="metric-mismatch",
        family="not what it is called",
        says="The metric counts something else than whether the most probable class is the true one.",
        experiment="Print which metric the name was turned into, and count right answers from predict by hand.",
        fix="Name the metric that fits the outputs.",
        lesson="07",
    ),
    Cause(
        slug="extra-loss-terms",
        family="not what it is called",
        says="The printed loss holds more than the cross-entropy: penalties, smoothed labels, weights.",
        experiment="Log the plain cross-entropy beside the loss.",
        fix="Report both; judge by the plain one.",
        lesson="05",
    ),
    Cause(
        slug="double-softmax",
        family="not what it is called",
        says="The softmax is applied twice, so that even a sure right answer costs.",
        experiment="See whether the last layer has a softmax and the loss is told from_logits=True.",
        fix="Take one of the two away.",
        lesson="03",
    ),
    Cause(
        slug="swapped-arguments",
        family="not what it is called",
        says="Labels and predictions are given to the loss in the wrong order.",
        experiment="Call the loss with keywords and compare.",
        fix="Give labels first, or use keywords.",
        lesson="03",
    ),
    Cause(
        slug="padding-in-accuracy",
        family="not what it is called",
        says="Padding counts among the right answers.",
        experiment="Compute accuracy with the padding masked.",
        fix="Mask it in loss and accuracy.",
        lesson="05",
    ),
    Cause(
        slug="constant-predictor",
        family="not learning",
        says="The network gives the same answer to everything.",
        experiment="See whether predict gives different rows for different inputs.",
        fix="Scale the inputs, lower the learning rate, look for dead units; first try to learn ten samples by heart.",
        lesson="03",
    ),
    Cause(
        slug="saturated-outputs",
        family="not learning",
        says="Outputs are 0 or 1 to the last digit, and wrong ones cost what clipping lets them cost.",
        experiment="Look at a histogram of the outputs.",
        fix="Lower the learning rate, scale the inputs, and compute the loss from logits.",
        lesson="01",
    ),
    Cause(
        slug="numeric-failure",
        family="not learning",
        says="A loss became infinite or no number.",
        experiment="Find the first batch whose loss is not finite, and look at its inputs and logits.",
        fix="Lower the learning rate, clip gradients, compute the loss from logits, look for broken inputs.",
        lesson="01",
    ),
    Cause(
        slug="class-imbalance",
        family="the data",
        says="Always naming the most common class is right this often.",
        experiment="Compare accuracy with the share of the most common class, and look at the confusion matrix.",
        fix="Hold numbers against the share; choose a threshold by the costs.",
        lesson="07",
    ),
    Cause(
        slug="overconfidence",
        family="confidence",
        says="Wrong answers are given with more and more confidence, while as many are right.",
        experiment="Divide the validation logits by a temperature fitted on one half; the other half should cost less.",
        fix="Scale by a temperature, stop earlier, or smooth the labels.",
        lesson="05",
    ),
    Cause(
        slug="underconfidence",
        family="confidence",
        says="Answers are right more often than their probabilities say.",
        experiment="Fit a temperature: it should be below 1.",
        fix="Train on, or weaken what holds the network back.",
        lesson="05",
    ),
    Cause(
        slug="overfitting",
        family="memorising",
        says="The network learns the training samples by heart and does worse on others.",
        experiment="Train with more data, or with a stronger penalty; the gap should shrink.",
        fix="Stop earlier, regularise, or get more data.",
        lesson="03",
    ),
    Cause(
        slug="label-noise",
        family="memorising",
        says="Some labels are wrong; they are learned last, and that harms the others.",
        experiment="Look at the samples that cost most at the epoch of the best validation.",
        fix="Clean the labels, or stop earlier.",
        lesson="03",
    ),
    Cause(
        slug="train-mode-penalty",
        family="two ways to ask",
        says="Training is asked with dropout or augmentation on, and averaged over an epoch in which it learned.",
        experiment="Call evaluate on the training data after the epoch.",
        fix="Nothing needs mending: compare what is asked in the same way.",
        lesson="04",
    ),
    Cause(
        slug="batch-norm-statistics",
        family="two ways to ask",
        says="Inference normalises with averages that do not fit the network as it is now.",
        experiment="Recompute the statistics on training data and evaluate again; or validate on the training data.",
        fix="A lower momentum of the averages, or recomputed statistics; frozen layers in inference mode.",
        lesson="04",
    ),
    Cause(
        slug="dropout-batch-norm-shift",
        family="two ways to ask",
        says="Dropout before BatchNormalization gives it other variances in training than in inference.",
        experiment="Recompute the statistics with dropout off and evaluate again.",
        fix="Dropout behind the last BatchNormalization.",
        lesson="04",
    ),
    Cause(
        slug="unshuffled-validation-split",
        family="the data",
        says="The validation part holds classes that training has hardly seen.",
        experiment="Count the labels of both parts.",
        fix="Shuffle before splitting, or split class by class.",
        lesson="02",
    ),
    Cause(
        slug="distribution-shift",
        family="the data",
        says="Training and validation data differ.",
        experiment="Train a classifier to tell training from validation samples.",
        fix="Split anew, or make training data like those that will come.",
        lesson="03",
    ),
    Cause(
        slug="leakage",
        family="the data",
        says="Validation samples, or near copies of them, are among the training samples.",
        experiment="Look for rows that occur in both parts, and split by group.",
        fix="Split by group.",
        lesson="03",
    ),
    Cause(
        slug="shuffled-evaluation",
        family="the data",
        says="Predictions and labels are compared in different orders.",
        experiment="Evaluate on the training data with shuffle=False.",
        fix="Do not shuffle what is evaluated.",
        lesson="03",
    ),
    Cause(
        slug="small-validation-set",
        family="the data",
        says="So few samples are validated on that accuracy moves by chance.",
        experiment="Validate on more samples, or on several parts in turn.",
        fix="A larger part, or cross-validation; do not choose by single epochs.",
        lesson="03",
    ),
    Cause(
        slug="few-large-losses",
        family="confidence",
        says="A few samples cost so much that they move the mean.",
        experiment="See what share of the rise the tenth of the samples that cost most carries.",
        fix="Look at those samples and their labels.",
        lesson="01",
    ),
    Cause(
        slug="optimizer-instability",
        family="unsteady training",
        says="Steps are too large: training itself jumps, or turns for the worse.",
        experiment="Train again with a third of the learning rate.",
        fix="A lower or decaying rate, clipped gradients.",
        lesson="04",
    ),
)
CAUSES: Mapping[str, Cause] = MappingProxyType({cause.slug: cause for cause in _ALL})

# What may be said of a training in which nothing is wrong.
HARMLESS = frozenset({"healthy", "small-validation-set", "threshold-plateau", "cannot-tell"})


def _pairs(*rows: tuple[str, str, str]) -> Mapping[frozenset[str], str]:
    return MappingProxyType({frozenset((one, other)): experiment for one, other, experiment in rows})


# Causes that leave the same marks, or much the same, and the experiment that tells one from the other.
TOLD_APART = _pairs(
    (
        "overconfidence",
        "overfitting",
        "Fit a temperature on one half of the validation samples: what it takes off the loss of the other half is "
        "overconfidence, what it leaves is worse answers.",
    ),
    (
        "overconfidence",
        "few-large-losses",
        "Look at the median loss beside the mean: a few samples do not move it, growing confidence does.",
    ),
    (
        "overfitting",
        "label-noise",
        "Look at the labels of the samples that cost most at the epoch of the best validation, correct or leave out "
        "the wrong ones, and train again: if the rise stays, it was overfitting.",
    ),
    (
        "overfitting",
        "distribution-shift",
        "Hold out some training samples as a second validation part: overfitting shows there too, a shift does not.",
    ),
    (
        "batch-norm-statistics",
        "dropout-batch-norm-shift",
        "Recompute the statistics with dropout off: lag disappears wherever the dropout stands; then move the dropout "
        "behind the last BatchNormalization.",
    ),
    (
        "double-softmax",
        "swapped-arguments",
        "Read the loss of the untrained network: ln C with two softmax layers, ln(e + C - 1) - 1/C with the arguments "
        "swapped.",
    ),
    (
        "unshuffled-validation-split",
        "distribution-shift",
        "Count the labels of both parts: if they differ, it is the split; if not, compare the inputs.",
    ),
    (
        "unshuffled-validation-split",
        "shuffled-evaluation",
        "Count the labels of both parts: if they agree, evaluate on the training data, which must then be at chance.",
    ),
    (
        "extra-loss-terms",
        "underconfidence",
        "Log the plain cross-entropy beside the loss: if it is lower, the rest is terms; if not, it is timid.",
    ),
    (
        "constant-predictor",
        "class-imbalance",
        "Count the labels: an accuracy equal to the largest share is a constant answer to unequal classes.",
    ),
    (
        "constant-predictor",
        "optimizer-instability",
        "Train again with a hundredth of the learning rate: if it learns, the steps were too large.",
    ),
    (
        "train-mode-penalty",
        "label-noise",
        "Call evaluate on the training data after the epoch: if it costs as little as validation, it is the mode; if "
        "as much as was printed, look at the training labels.",
    ),
    (
        "train-mode-penalty",
        "distribution-shift",
        "Call evaluate on the training data after the epoch: if it costs as little as validation, nothing differs.",
    ),
    (
        "not-cross-entropy",
        "extra-loss-terms",
        "Compute log loss from predict by hand: terms that are added only raise a loss, they never break the bound.",
    ),
)

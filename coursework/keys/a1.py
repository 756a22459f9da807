"""How A1, arithmetic and plateaus, is marked: the references go through the package, not through the solutions."""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers import PredictionHistory, accuracy, attainable_accuracy, attainable_loss, datasets, log_loss
from lossacc_helpers.exercises.answers import LearnerValue, Told, Wrong
from lossacc_helpers.grading.key import Key, Part, Question, WrongAnswer, calls, equals

Array = NDArray[Any]
Calls = list[tuple[Any, ...]]


def rows_of(rng: np.random.Generator, samples: int, classes: int) -> Array:
    """Return rows of probabilities, none of them below 0.1 / classes."""
    return np.asarray(0.9 * rng.dirichlet(np.ones(classes), samples) + 0.1 / classes)


# 1 -----------------------------------------------------------------------------------------------------------------


def nothing_to_clip(rng: np.random.Generator) -> Calls:
    """Return rows without a probability near the clip."""
    drawn = []
    for classes in (2, 3, int(rng.integers(4, 9))):
        samples = int(rng.integers(3, 12))
        drawn.append((rng.integers(classes, size=samples), rows_of(rng, samples, classes), 0.005))
    return drawn


def ruled_out(rng: np.random.Generator) -> Calls:
    """Return rows of which two give their true class the probability 0.

    The clip is large enough for rows that were made to sum to 1 again to show in the loss.
    """
    drawn = []
    for classes in (2, 3, int(rng.integers(4, 9))):
        samples = int(rng.integers(4, 12))
        labels, rows = rng.integers(classes, size=samples), rows_of(rng, samples, classes)
        for sample in rng.choice(samples, 2, replace=False):
            rows[sample, labels[sample]] = 0
            rows[sample] /= rows[sample].sum()
        drawn.append((labels, rows, float(10 ** rng.uniform(-3.5, -2.5))))
    return drawn


def sure_and_right(rng: np.random.Generator) -> Calls:
    """Return rows of zeros and a single 1, at the true class."""
    drawn = []
    for classes in (2, int(rng.integers(3, 7))):
        labels = rng.integers(classes, size=int(rng.integers(3, 8)))
        drawn.append((labels, np.eye(classes)[labels], float(rng.uniform(0.01, 0.1))))
    return drawn


def some_held(rng: np.random.Generator) -> Calls:
    """Return calls with one sample exactly at the clip, one above 1 - clip, and the others well away from both.

    The clips are exact in float32.
    """
    drawn = []
    for classes in (2, 3, 5, 8):
        samples, held = int(rng.integers(9, 15)), int(rng.integers(2, 7))
        labels, clip = rng.integers(classes, size=samples), float(rng.choice([1 / 64, 1 / 32, 3 / 64]))
        rows = rows_of(rng, samples, classes)
        below, above = clip * rng.uniform(0, 0.9, held), clip + rng.uniform(0.01, 0.8, samples - held - 2)
        of_true = np.r_[below, above, clip, 1 - clip / 2]
        for sample, p in enumerate(rng.permutation(of_true)):
            others = np.arange(classes) != labels[sample]
            rows[sample, others] *= (1 - p) / rows[sample, others].sum()
            rows[sample, labels[sample]] = p
        drawn.append((labels, rows, clip))
    return drawn


def clipped_loss_reference(labels: Array, rows: Array, clip: float) -> tuple[float, int]:
    """Return the package's loss, and a count sample by sample."""
    held = sum(float(row[label]) < clip for label, row in zip(labels, rows, strict=True))
    return float(log_loss(labels, rows, clip=clip)), held


_CLIPPED_LOSS = """
def clipped_loss(labels, probabilities, clip):
    p = probabilities[np.arange(len(labels)), labels]
    return np.mean(-np.log(np.clip(p, clip, 1 - clip))), np.sum({held})
"""

CLIPPED_LOSS = Question(
    name="clipped_loss",
    parts=(
        calls("the loss where nothing is clipped", 2, nothing_to_clip, clipped_loss_reference, 0),
        calls("the loss with probabilities of exactly 0", 2, ruled_out, clipped_loss_reference, 0),
        calls("the loss with probabilities of exactly 1", 2, sure_and_right, clipped_loss_reference, 0),
        calls("the number of samples that were held", 2, some_held, clipped_loss_reference, 1),
    ),
    wrong_answers={
        "forgot to clip": WrongAnswer(
            source="""
def clipped_loss(labels, probabilities, clip):
    p = probabilities[np.arange(len(labels)), labels]
    with np.errstate(divide="ignore"):
        return np.mean(-np.log(p)), np.sum(p < clip)
""",
            earns=4,
        ),
        "clips at the lower end only": WrongAnswer(
            source="""
def clipped_loss(labels, probabilities, clip):
    p = probabilities[np.arange(len(labels)), labels]
    return np.mean(-np.log(np.maximum(p, clip))), np.sum(p < clip)
""",
            earns=6,
        ),
        "rows made to sum to 1 again": WrongAnswer(
            source="""
def clipped_loss(labels, probabilities, clip):
    rows = np.clip(probabilities, clip, 1 - clip)
    rows = rows / rows.sum(axis=1, keepdims=True)
    each = np.arange(len(labels))
    return np.mean(-np.log(rows[each, labels])), np.sum(probabilities[each, labels] < clip)
""",
            earns=4,
        ),
        "counts the upper end too": WrongAnswer(
            source=_CLIPPED_LOSS.format(held="(p < clip) | (p > 1 - clip)"), earns=6
        ),
        "counts a probability of exactly clip": WrongAnswer(source=_CLIPPED_LOSS.format(held="p <= clip"), earns=6),
        "counts entries instead of samples, in bits": WrongAnswer(
            source="""
def clipped_loss(labels, probabilities, clip):
    p = np.clip(probabilities, clip, 1 - clip)[np.arange(len(labels)), labels]
    return np.mean(-np.log2(p)), np.sum((probabilities < clip) | (probabilities > 1 - clip))
""",
            earns=0,
        ),
        "the visible example": WrongAnswer(
            source="def clipped_loss(labels, probabilities, clip):\n    return 2.6491587, 1\n", earns=0
        ),
    },
)


# 2 -----------------------------------------------------------------------------------------------------------------


def thresholds_between(rng: np.random.Generator) -> Calls:
    """Return calls on a grid, exact in float32, on which no probability equals a threshold."""
    drawn = []
    for _ in range(4):
        samples = int(rng.integers(8, 30))
        labels = rng.permutation(np.arange(samples) % 3 == 0).astype(int)
        p_one = (2 * rng.integers(64, size=samples) + 1) / 128
        p_one[:4] = rng.permutation([0.1015625, 0.3046875, 0.6953125, 0.8984375])
        thresholds = rng.choice(np.arange(4, 61), size=int(rng.integers(3, 7)), replace=False) * 2 / 128
        thresholds[0] = rng.integers(5, 12) / 64  # a low one, where false alarms abound
        missed, alarm = float(rng.integers(10, 40)), float(rng.integers(1, 8))
        drawn.append((labels, p_one, thresholds, missed, alarm))
    return drawn


def at_the_threshold(rng: np.random.Generator) -> Calls:
    """Return the same with two samples exactly at the last threshold."""
    drawn = []
    for labels, p_one, thresholds, missed, alarm in thresholds_between(rng):
        touching = p_one.copy()
        touching[-2:] = thresholds[-1]  # the last two have one label, else their mistakes could balance
        truths = labels.copy()
        truths[-2:] = rng.integers(2)
        drawn.append((truths, touching, thresholds, missed, alarm))
    return drawn


def at_threshold_reference(
    labels: Array, p_one: Array, thresholds: Array, missed_cost: float, alarm_cost: float
) -> tuple[list[float], list[float]]:
    """Return accuracies and costs, sample by sample in exact fractions."""
    accuracies, costs = [], []
    for threshold in thresholds:
        mistakes = [(int(y), int(p > threshold)) for y, p in zip(labels, p_one, strict=True) if y != int(p > threshold)]
        missed, alarms = mistakes.count((1, 0)), mistakes.count((0, 1))
        accuracies.append(float(1 - Fraction(missed + alarms, len(labels))))
        costs.append((missed * missed_cost + alarms * alarm_cost) / len(labels))
    return accuracies, costs


_AT_THRESHOLD = """
def at_threshold(labels, p_one, thresholds, missed_cost, alarm_cost):
    named = p_one {past} {thresholds}
    missed, alarms = ~named & (labels == 1), named & (labels == 0)
    return 1 - (missed | alarms).mean(axis=1), {costs}
"""
_MEAN_COSTS = "missed_cost * missed.mean(axis=1) + alarm_cost * alarms.mean(axis=1)"

AT_THRESHOLD = Question(
    name="at_threshold",
    parts=(
        calls("accuracies at several thresholds", 3, thresholds_between, at_threshold_reference, 0),
        calls("accuracies where probabilities equal a threshold", 2, at_the_threshold, at_threshold_reference, 0),
        calls("mean costs of mistakes", 3, thresholds_between, at_threshold_reference, 1),
    ),
    wrong_answers={
        "at the threshold counts as past it": WrongAnswer(
            source=_AT_THRESHOLD.format(past=">=", thresholds="thresholds[:, None]", costs=_MEAN_COSTS), earns=6
        ),
        "the two costs exchanged": WrongAnswer(
            source=_AT_THRESHOLD.format(
                past=">",
                thresholds="thresholds[:, None]",
                costs="alarm_cost * missed.mean(axis=1) + missed_cost * alarms.mean(axis=1)",
            ),
            earns=5,
        ),
        "the sum of the costs": WrongAnswer(
            source=_AT_THRESHOLD.format(
                past=">",
                thresholds="thresholds[:, None]",
                costs="(missed_cost * missed + alarm_cost * alarms).sum(axis=1)",
            ),
            earns=5,
        ),
        "0.5 at every threshold": WrongAnswer(
            source=_AT_THRESHOLD.format(past=">", thresholds="np.full((len(thresholds), 1), 0.5)", costs=_MEAN_COSTS),
            earns=0,
        ),
    },
)


# 3 -----------------------------------------------------------------------------------------------------------------


def budgets(rng: np.random.Generator, low: float, high: float) -> Calls:
    """Return losses that pay for a whole number of the cheapest mistakes and a part of another one."""
    drawn = []
    for _ in range(5):
        samples, threshold = int(rng.integers(6, 400)), float(rng.uniform(low, high))
        wrong = int(rng.integers(1, samples - 1)) + rng.uniform(0.1, 0.9)
        drawn.append((-math.log(max(threshold, 1 - threshold)) * wrong / samples, samples, threshold))
    return drawn


def high_losses(rng: np.random.Generator) -> Calls:
    """Return losses that all samples together can spend on mistakes, which at 0.5 would be too little for it.

    One more call forces something, so that 0 for every call is wrong.
    """
    drawn = budgets(rng, 0.5, 0.9)[:1]
    for threshold in (0.5, rng.uniform(0.6, 0.9), rng.uniform(0.1, 0.4)):
        samples = int(rng.integers(20, 300))
        drawn.append((-math.log(max(threshold, 1 - threshold)) * rng.uniform(1.05, 1.2), samples, float(threshold)))
    return drawn


def fewest_right_reference(loss: float, samples: int, threshold: float) -> int:
    """Return the package's bound at 0.5; elsewhere spend the loss, mistake by mistake, on the cheaper kind."""
    if threshold == 0.5:
        return round(samples * float(attainable_accuracy(loss, samples=samples)[0]))
    cheapest = min(-math.log(threshold), -math.log1p(-threshold))
    wrong = 0
    while wrong < samples and (wrong + 1) * cheapest <= loss * samples:
        wrong += 1
    return samples - wrong


FEWEST_RIGHT = Question(
    name="fewest_right",
    parts=(
        calls("threshold 0.5", 4, lambda rng: budgets(rng, 0.5, 0.5), fewest_right_reference),
        calls("thresholds above 0.5", 3, lambda rng: budgets(rng, 0.6, 0.95), fewest_right_reference),
        calls("thresholds below 0.5", 2, lambda rng: budgets(rng, 0.05, 0.4), fewest_right_reference),
        calls("high losses", 2, high_losses, fewest_right_reference),
    ),
    wrong_answers={
        "ln 2 at every threshold": WrongAnswer(
            source="""
def fewest_right(loss, samples, threshold):
    return max(int(np.ceil(samples * (1 - loss / np.log(2)) - 1e-9)), 0)
""",
            earns=4,
        ),
        "only the mistakes with label 1": WrongAnswer(
            source="""
def fewest_right(loss, samples, threshold):
    return max(int(np.ceil(samples * (1 + loss / np.log(threshold)) - 1e-9)), 0)
""",
            earns=7,
        ),
        "below 0": WrongAnswer(
            source="""
def fewest_right(loss, samples, threshold):
    return samples - int(samples * loss / -np.log(max(threshold, 1 - threshold)))
""",
            earns=9,
        ),
        "rounded down": WrongAnswer(
            source="""
def fewest_right(loss, samples, threshold):
    return max(int(samples * (1 + loss / np.log(max(threshold, 1 - threshold)))), 0)
""",
            earns=0,
        ),
        "0 for every loss": WrongAnswer(source="def fewest_right(loss, samples, threshold):\n    return 0\n", earns=0),
    },
)


# 4 -----------------------------------------------------------------------------------------------------------------

REPORTS = (
    (40, 2, "0.725", "0.171"),
    (64, 3, "0.766", "0.902"),
    (48, 2, "0.840", "0.433"),
    (100, 10, "1.000", "2.411"),
    (25, 4, "0.800", "0.150"),
    (250, 2, "0.966", "0.112"),
    (10, 5, "0.700", "6.100"),
    (500, 100, "0.012", "0.690"),
    (200, 1000, "0.305", "0.469"),
)


def verdict(samples: int, classes: int, printed: str, loss: str) -> str:
    """Return what is to be said of a line, from the package's bounds and every accuracy that there is."""
    fitting = [
        right for right in range(samples + 1) if abs(Fraction(right, samples) - Fraction(printed)) <= Fraction(1, 2000)
    ]
    if not fitting:
        return "no such accuracy"
    least, greatest = attainable_loss(fitting[0] / samples, classes=classes, clip=1e-7)
    if float(loss) < least:
        return "loss too low"
    return "loss too high" if float(loss) > greatest else "possible"


def judge_reports(*places: int) -> Callable[[LearnerValue], None]:
    """Return a judge of some of the nine verdicts."""

    def judge(answer: LearnerValue) -> None:
        given = answer.parts(len(REPORTS))
        for place in places:
            given[place].equals(verdict(*REPORTS[place]))

    return judge


VERDICTS = Question(
    name="verdicts",
    parts=tuple(
        Part(name=f"lines {start} to {start + 2}", points=3, judge=judge_reports(*range(start, start + 3)))
        for start in (0, 3, 6)
    ),
    wrong_answers={
        "exp(-loss) taken for the bound": WrongAnswer(
            source="""
verdicts = []
for n, classes, a, mean in reports:
    k = round(a * n)
    if abs(k / n - a) > 0.00051:
        verdicts.append("no such accuracy")
    elif a < np.exp(-mean) - 0.001:
        verdicts.append("loss too low")
    elif mean > ((n - k) * -np.log(1e-7) + k * np.log(classes)) / n:
        verdicts.append("loss too high")
    else:
        verdicts.append("possible")
""",
            earns=3,
        ),
        "forgot that clipping limits a mistake": WrongAnswer(
            source="""
verdicts = []
for n, classes, a, mean in reports:
    k = round(a * n)
    if abs(k / n - a) > 0.00051:
        verdicts.append("no such accuracy")
    elif mean < (1 - a) * np.log(2):
        verdicts.append("loss too low")
    elif k == n and mean > np.log(classes):
        verdicts.append("loss too high")
    else:
        verdicts.append("possible")
""",
            earns=6,
        ),
        "everything possible": WrongAnswer(source='verdicts = ["possible"] * 9', earns=0),
    },
)


# 5 -----------------------------------------------------------------------------------------------------------------


def judge_rise(share: float) -> Callable[..., None]:
    """Return a judge of rows whose loss rises, by at least a share of ln(classes / 2), while argmax becomes right."""

    def judge(answer: LearnerValue, classes: int) -> None:
        costs = []
        for when, given, right in zip(("before", "after"), answer.parts(2), (False, True), strict=True):
            row = given.array(shape=(classes,))
            if row.min() < 0 or abs(row.sum() - 1) > 1e-5:
                raise Told(f"With {classes} classes, the row {when} holds no probabilities with the sum 1.")
            if (int(row.argmax()) == 0) is not right:
                on_top = "another class" if right else "the true class"
                raise Told(f"With {classes} classes, {on_top} is on top in the row {when}.")
            if row[0] == 0:
                raise Told(f"With {classes} classes, the row {when} has an infinite loss.")
            costs.append(-math.log(row[0]))
        # 1e-6 for float32, where a rise of 0.001 may come out as a little less.
        if costs[1] - costs[0] < max(0.001, share * math.log(classes / 2)) - 1e-6:
            raise Wrong(f"The loss changes by {costs[1] - costs[0]:.4f} nats, which is not enough.")

    return judge


def several_classes(rng: np.random.Generator) -> Calls:
    """Return four numbers of classes above three."""
    return [(4,), (int(rng.integers(5, 9)),), (int(rng.integers(9, 25)),), (int(rng.integers(25, 60)),)]


COSTLIER_BUT_RIGHT = Question(
    name="costlier_but_right",
    parts=(
        Part(name="three classes", points=2, judge=judge_rise(0), draw=lambda rng: [(3,)]),
        Part(name="more classes", points=4, judge=judge_rise(0), draw=several_classes),
        Part(
            name="a rise of 90% of the limit",
            points=4,
            judge=judge_rise(0.9),
            draw=lambda rng: [(3,), *several_classes(rng)],
        ),
    ),
    wrong_answers={
        "three classes by heart": WrongAnswer(
            source="""
def costlier_but_right(classes):
    return [0.45, 0.5, 0.05], [0.4, 0.35, 0.25]
""",
            earns=2,
        ),
        "a small rise": WrongAnswer(
            source="""
def costlier_but_right(classes):
    before, after = np.zeros(classes), np.full(classes, 0.6 / (classes - 1))
    before[:2], after[0] = (0.45, 0.55), 0.4
    return before, after
""",
            earns=6,
        ),
        "a row with the sum 0.7": WrongAnswer(
            source="""
def costlier_but_right(classes):
    before, after = np.zeros(classes), np.full(classes, 0.69 / classes)
    before[:2], after[0] = (0.499, 0.501), 0.69 / classes + 0.01
    return before, after
""",
            earns=0,
        ),
        "gets cheaper": WrongAnswer(
            source="""
def costlier_but_right(classes):
    before, after = np.full(classes, 1 / classes), np.full(classes, 0.1 / (classes - 1))
    before[:2], after[0] = (0.9 / classes, 1.1 / classes), 0.9
    return before, after
""",
            earns=0,
        ),
    },
)


# 6 -----------------------------------------------------------------------------------------------------------------


def history_of(rng: np.random.Generator, classes: int) -> tuple[Array, Array]:
    """Return labels and a history without near ties, with a step in which samples cross both ways.

    With three or more classes, some sample is right with less than 0.5, so that a threshold gives itself away.
    """
    while True:
        samples, epochs = int(rng.integers(10, 20)), int(rng.integers(5, 9))
        labels = rng.integers(classes, size=samples)
        logits = np.cumsum(0.7 * rng.normal(size=(epochs, samples, classes)), axis=0)
        powers = np.exp(logits)
        history = powers / powers.sum(axis=-1, keepdims=True)
        two = np.sort(history, axis=-1)[..., -2:]
        if (two[..., 1] - two[..., 0]).min() < 1e-5:
            continue
        up, down, _ = ledger_reference(labels, history)
        if not ((up > 0) & (down > 0)).any() or np.array_equal(up, down):
            continue
        by_half = (
            np.take_along_axis(history, np.broadcast_to(labels[:, None], (epochs, samples, 1)), axis=-1)[..., 0] > 0.5
        )
        if classes == 2 or not np.array_equal(np.diff(by_half.sum(axis=1)), up - down):
            return labels, history


def ledger_reference(labels: Array, history: Array) -> tuple[Array, Array, Array]:
    """Return what the package's crossings say."""
    changes = PredictionHistory.from_probabilities(labels, history).crossings()
    return changes.became_right, changes.became_wrong, changes.stayed_right_loss + changes.stayed_wrong_loss


def two_class_histories(rng: np.random.Generator) -> Calls:
    """Return three histories with two classes."""
    return [history_of(rng, 2) for _ in range(3)]


def many_class_histories(rng: np.random.Generator) -> Calls:
    """Return three histories with three classes or more."""
    return [history_of(rng, classes) for classes in (3, 4, int(rng.integers(5, 9)))]


_LEDGER = """
def ledger(labels, history):
    p = history[:, np.arange(len(labels)), labels]
    right, costs = {right}, -np.log(p)
    up = (right[1:] & ~right[:-1]).sum(axis=1)
    down = (~right[1:] & right[:-1]).sum(axis=1)
    stayed = (np.diff(costs, axis=0) * {group}).sum(axis=1){divided}
    {end}
"""
_SAME, _MEAN, _ARGMAX = "(right[1:] == right[:-1])", " / len(labels)", "history.argmax(axis=-1) == labels"

LEDGER = Question(
    name="ledger",
    parts=(
        calls("crossings with two classes", 3, two_class_histories, ledger_reference, 0, 1),
        calls("crossings with more classes", 4, many_class_histories, ledger_reference, 0, 1),
        # Changes of a float32 loss are good to about 1e-6; sums of a few dozen stay within the tolerance.
        calls(
            "what the others add to the loss",
            5,
            lambda rng: [*two_class_histories(rng), *many_class_histories(rng)],
            ledger_reference,
            2,
            tolerance=2e-5,
        ),
    ),
    wrong_answers={
        "0.5 for any number of classes": WrongAnswer(
            source=_LEDGER.format(right="p > 0.5", group=_SAME, divided=_MEAN, end="return up, down, stayed"), earns=3
        ),
        "net crossings": WrongAnswer(
            source=_LEDGER.format(
                right=_ARGMAX,
                group=_SAME,
                divided=_MEAN,
                end="return np.maximum(up - down, 0), np.maximum(down - up, 0), stayed",
            ),
            earns=5,
        ),
        "the sum over samples": WrongAnswer(
            source=_LEDGER.format(right=_ARGMAX, group=_SAME, divided="", end="return up, down, stayed"), earns=7
        ),
        "the whole change of the loss": WrongAnswer(
            source=_LEDGER.format(right=_ARGMAX, group="1", divided=_MEAN, end="return up, down, stayed"), earns=7
        ),
    },
)


# 7 -----------------------------------------------------------------------------------------------------------------


def rows_with(rng: np.random.Generator, counts: list[int], samples: int) -> Array:
    """Return booleans (epoch, sample) with so many right samples in each epoch, others from epoch to epoch."""
    right = np.zeros((len(counts), samples), dtype=bool)
    for row, count in zip(right, counts, strict=True):
        row[rng.permutation(samples)[:count]] = True
    return right


def stretches(rng: np.random.Generator, lengths: list[int]) -> tuple[Array]:
    """Return an array whose stretches have these lengths."""
    samples = int(rng.integers(8, 14))
    counts: list[int] = []
    for length in lengths:
        choices = [count for count in range(2, samples - 1) if not counts or count != counts[-1]]
        counts += [int(rng.choice(choices))] * length
    return (rows_with(rng, counts, samples),)


def one_longest(rng: np.random.Generator) -> Calls:
    """Return four arrays with one longest stretch: somewhere, first, last, and all there is."""
    lengths = [int(length) for length in rng.integers(1, 5, size=6)]
    longest = int(rng.integers(6, 10))
    place = int(rng.integers(1, 6))
    several = [[*lengths[:place], longest, *lengths[place:]], [longest, *lengths], [*lengths, longest], [longest]]
    return [stretches(rng, each) for each in several]


def ties(rng: np.random.Generator) -> Calls:
    """Return arrays with two longest stretches, and arrays whose accuracy moves in every step."""
    longest = int(rng.integers(3, 6))
    return [
        stretches(rng, [1, longest, 2, longest, 1]),
        stretches(rng, [1] * int(rng.integers(4, 9))),
        stretches(rng, [2, longest, longest]),
    ]


def restless(rng: np.random.Generator) -> Calls:
    """Return arrays in whose longest stretch samples change sides, and some sample changes more than once.

    The longest stretch is never the last: who forgets to close the last one has lost the first part already.
    """
    while True:
        lengths, longest = [int(length) for length in rng.integers(1, 5, size=6)], int(rng.integers(6, 10))
        place = int(rng.integers(1, 6))
        several = [[*lengths[:place], longest, *lengths[place:]], [longest, *lengths], [longest, 1]]
        drawn = [stretches(rng, each) for each in several]
        steps = [correct[start : start + epochs] for (correct,) in drawn for start, epochs, _ in [longest_of(correct)]]
        if all(((each[1:] != each[:-1]).sum(axis=0) > 1).any() for each in steps):
            return drawn


def longest_of(correct: Array) -> tuple[int, int, int]:
    """Return start, epochs and changes of the longest stretch, found by grouping equal counts."""
    found, start = [], 0
    for _, group in groupby(row.sum() for row in correct):
        epochs = len(list(group))
        found.append((start, epochs))
        start += epochs
    start, epochs = max(found, key=lambda each: (each[1], -each[0]))
    changes = sum(
        int(np.logical_xor(correct[epoch], correct[epoch + 1]).sum()) for epoch in range(start, start + epochs - 1)
    )
    return start, epochs, changes


_LONGEST_WAIT = """
def longest_wait(correct):
    right = {right}
    best, start = (0, 1), 0
    for epoch in range(1, len(right)):
        if {moved}:
            start = epoch
        if epoch - start + 1 {better} best[1]:
            best = (start, epoch - start + 1)
    inside = correct[best[0] : best[0] + best[1]]
    return best[0], best[1]{minus}, {changes}
"""
_MOVED, _CHANGES = "right[epoch] != right[epoch - 1]", "int((inside[1:] != inside[:-1]).sum())"

LONGEST_WAIT = Question(
    name="longest_wait",
    parts=(
        calls("where one stretch is longest", 4, one_longest, longest_of, 0, 1),
        calls("where several are, or none is longer than one epoch", 3, ties, longest_of, 0, 1),
        calls("changes of sides within it", 4, restless, longest_of, 2),
    ),
    wrong_answers={
        "steps instead of epochs": WrongAnswer(
            source=_LONGEST_WAIT.format(
                right="correct.sum(axis=1)", moved=_MOVED, better=">", minus=" - 1", changes=_CHANGES
            ),
            earns=4,
        ),
        "the latest of the longest": WrongAnswer(
            source=_LONGEST_WAIT.format(
                right="correct.sum(axis=1)", moved=_MOVED, better=">=", minus="", changes=_CHANGES
            ),
            earns=8,
        ),
        "flat only where no sample changes": WrongAnswer(
            source=_LONGEST_WAIT.format(
                right="correct",
                moved="(right[epoch] != right[epoch - 1]).any()",
                better=">",
                minus="",
                changes=_CHANGES,
            ),
            earns=0,
        ),
        "samples instead of changes": WrongAnswer(
            source=_LONGEST_WAIT.format(
                right="correct.sum(axis=1)",
                moved=_MOVED,
                better=">",
                minus="",
                changes="int((inside[1:] != inside[:-1]).any(axis=0).sum())",
            ),
            earns=7,
        ),
        "never closes the last stretch": WrongAnswer(
            source="""
def longest_wait(correct):
    right = correct.sum(axis=1)
    best, start = (0, 1), 0
    for epoch in range(1, len(right)):
        if right[epoch] != right[epoch - 1]:
            if epoch - start > best[1]:
                best = (start, epoch - start)
            start = epoch
    inside = correct[best[0] : best[0] + best[1]]
    return best[0], best[1], int((inside[1:] != inside[:-1]).sum())
""",
            earns=7,
        ),
    },
)


# 8 -----------------------------------------------------------------------------------------------------------------


def shuffled_labels(rng: np.random.Generator) -> Calls:
    """Return labels of which every class is in both parts."""
    drawn = []
    for classes in (2, 3, int(rng.integers(4, 7))):
        samples = int(rng.integers(40, 90))
        held_out = int(rng.integers(12, 20))
        train = np.r_[np.arange(classes), rng.integers(classes, size=samples - held_out - classes)]
        validation = np.r_[np.arange(classes), rng.integers(classes, size=held_out - classes)]
        drawn.append((np.r_[rng.permutation(train), rng.permutation(validation)], held_out))
    return drawn


def sorted_labels(rng: np.random.Generator) -> Calls:
    """Return labels of which some classes are missing in one part, at either end, and some numbers everywhere."""
    rising = np.sort(rng.choice([0, 1, 2, 4, 7], size=int(rng.integers(40, 80))))
    rising[:3], rising[-3:] = 0, 7
    falling = np.sort(rng.integers(6, size=int(rng.integers(40, 80))))[::-1].copy()
    falling[:3], falling[-3:] = 5, 0
    return [(rising, int(rng.integers(8, 16))), (falling, int(rng.integers(8, 16))), (np.repeat([3, 1], [20, 10]), 10)]


def uneven_labels(rng: np.random.Generator) -> Calls:
    """Return parts with other commonest classes; in the last call two are the commonest of the training samples.

    Of these two the larger number comes first, for those who name the one that they meet first. Whoever holds out
    the first rows instead gets another accuracy in each call.
    """
    drawn: Calls = []
    while len(drawn) < 3:
        tied = len(drawn) == 2
        first, second, third = (int(label) for label in rng.permutation(4)[:3])
        often = int(rng.integers(12, 20))
        train = [first] * often + [second] * (often if tied else often - 4) + [third] * int(rng.integers(2, 6))
        validation = [min(first, second) if tied else first] * int(rng.integers(3, 5))
        validation += [max(first, second) if tied else second] * int(rng.integers(6, 8)) + [third] * 2
        labels = np.r_[rng.permutation(train), rng.permutation(validation)]
        if tied:
            place = int(np.argmax(labels == max(first, second)))
            labels[[0, place]] = labels[[place, 0]]
        held_out = len(validation)
        if (
            split_report_reference(labels, held_out)[1]
            != split_report_reference(np.roll(labels, -held_out), held_out)[1]
        ):
            drawn.append((labels, held_out))
    return drawn


def split_report_reference(labels: Array, held_out: int) -> tuple[float, float]:
    """Return exact shares class by class, and the accuracy of a model that names one class with certainty."""
    train, validation = labels[: len(labels) - held_out].tolist(), labels[len(labels) - held_out :].tolist()
    classes = sorted(set(train) | set(validation))
    shares = [
        abs(Fraction(train.count(each), len(train)) - Fraction(validation.count(each), held_out)) for each in classes
    ]
    commonest = max(classes, key=lambda each: (train.count(each), -each))
    named = np.tile(np.eye(classes[-1] + 1)[commonest], (held_out, 1))
    return float(sum(shares) / 2), float(accuracy(validation, named))


_SPLIT_REPORT = """
def split_report(labels, held_out):
    {cut}
    classes = np.arange(labels.max() + 1)
    ours, theirs = (train[:, None] == classes).sum(axis=0), (validation[:, None] == classes).sum(axis=0)
    return {distance}, np.mean(validation == {commonest}.argmax())
"""
_LAST = "train, validation = labels[:-held_out], labels[-held_out:]"
_DISTANCE = "np.abs(ours / len(train) - theirs / len(validation)).sum() / 2"

SPLIT_REPORT = Question(
    name="split_report",
    parts=(
        calls("the distance of shuffled labels", 2, shuffled_labels, split_report_reference, 0),
        calls("the distance where classes are missing", 3, sorted_labels, split_report_reference, 0),
        calls("the constant model", 4, uneven_labels, split_report_reference, 1),
    ),
    wrong_answers={
        "the commonest class of the validation samples": WrongAnswer(
            source=_SPLIT_REPORT.format(cut=_LAST, distance=_DISTANCE, commonest="theirs"), earns=5
        ),
        "not halved": WrongAnswer(
            source=_SPLIT_REPORT.format(cut=_LAST, distance=_DISTANCE.removesuffix(" / 2"), commonest="ours"), earns=4
        ),
        "the first rows held out": WrongAnswer(
            source=_SPLIT_REPORT.format(
                cut="validation, train = labels[:held_out], labels[held_out:]", distance=_DISTANCE, commonest="ours"
            ),
            earns=0,
        ),
        "classes counted part by part": WrongAnswer(
            source="""
def split_report(labels, held_out):
    train, validation = labels[:-held_out], labels[-held_out:]
    ours, theirs = (np.unique(part, return_counts=True)[1] / len(part) for part in (train, validation))
    constant = np.mean(validation == np.bincount(train).argmax())
    return (np.abs(ours - theirs).sum() / 2 if len(ours) == len(theirs) else 1.0), constant
""",
            earns=6,
        ),
        "of a tie the class that comes first": WrongAnswer(
            source=f"from collections import Counter\n{_SPLIT_REPORT}".format(
                cut=_LAST, distance=_DISTANCE, commonest="(classes == Counter(train.tolist()).most_common(1)[0][0])"
            ),
            earns=5,
        ),
    },
)


# 9 -----------------------------------------------------------------------------------------------------------------


@cache
def iris_reference() -> tuple[float, float, float, float]:
    """Return the four facts from a training of its own (one species' weights at a time) and the package's ledger."""
    features, labels = datasets.iris("shuffled", seed=0, validation_split=0.2).train
    inputs = np.array([[*map(float, row), 1.0] for row in features])
    weights = list(np.random.default_rng(5).normal(size=(5, 3)).T)

    def beliefs() -> Array:
        logits = np.stack([inputs @ each for each in weights], axis=-1)
        return np.asarray(np.exp(logits - np.logaddexp.reduce(logits, axis=-1)[:, None]))

    epochs, now = [], beliefs()
    for _ in range(300):
        for each in range(3):
            weights[each] = weights[each] - 0.1 * ((now[:, each] - (labels == each)) @ inputs) / len(labels)
        now = beliefs()
        epochs.append(now)
    history = PredictionHistory.from_probabilities(labels, np.array(epochs))
    steps = history.crossings()
    still = float(np.mean(steps.became_right == steps.became_wrong))
    certain = next(epoch for epoch, mean in enumerate(history.loss) if attainable_accuracy(mean)[0] >= 0.6)
    reached = next(epoch for epoch, share in enumerate(history.accuracy) if share >= 0.6)
    shares = []
    for right, costs in zip(history.correct.T, history.sample_losses.T, strict=True):
        runs = [(flag, len(list(group))) for flag, group in groupby(right.tolist())]
        if len(runs) == 2 and not runs[0][0]:
            shares.append((costs[0] - costs[runs[0][1] - 1]) / (costs[0] - costs[-1]))
    return still, float(certain), float(reached), float(np.median(shares))


_IRIS = """
right = iris_beliefs.argmax(axis=2) == iris_labels
costs = -np.log(iris_beliefs[:, np.arange(120), iris_labels])
flowers = np.flatnonzero({which})
last_wrong = right[:, flowers].argmax(axis=0) - 1
first, last = costs[0, flowers], costs[-1, flowers]
share = (first - costs[last_wrong, flowers]) / {whole}
iris_facts = ({still}, np.argmax({bound} >= 0.6) + {one}, np.argmax(iris_accuracy >= 0.6) + {one}, np.median(share))
"""
_ONCE = "~right[0] & ((right[1:] != right[:-1]).sum(axis=0) == 1)"
_STILL, _BOUND = "np.mean(np.diff(iris_accuracy) == 0)", "1 - iris_loss / np.log(2)"

IRIS_FACTS = Question(
    name="iris_facts",
    parts=(
        equals("the share of steps", 2, iris_reference, 0, tolerance=1e-4),
        equals("the epoch of the guarantee", 3, iris_reference, 1, tolerance=1e-4),
        equals("the epoch of the fact", 1, iris_reference, 2, tolerance=1e-4),
        equals("the median over flowers", 6, iris_reference, 3, tolerance=1e-4),
    ),
    wrong_answers={
        "epochs counted from 1": WrongAnswer(
            source=_IRIS.format(which=_ONCE, whole="(first - last)", still=_STILL, bound=_BOUND, one=1), earns=8
        ),
        "the share of the first loss, not of the fall": WrongAnswer(
            source=_IRIS.format(which=_ONCE, whole="first", still=_STILL, bound=_BOUND, one=0), earns=6
        ),
        "steps in which nobody crossed, and exp(-loss)": WrongAnswer(
            source=_IRIS.format(
                which=_ONCE,
                whole="(first - last)",
                still="np.mean((right[1:] == right[:-1]).all(axis=1))",
                bound="np.exp(-iris_loss)",
                one=0,
            ),
            earns=7,
        ),
        "every flower that was wrong and became right": WrongAnswer(
            source=_IRIS.format(
                which="~right[0] & right.any(axis=0)", whole="(first - last)", still=_STILL, bound=_BOUND, one=0
            ),
            earns=6,
        ),
    },
)


# 10 ----------------------------------------------------------------------------------------------------------------

# How the log was made: decisions over 136 samples, clipped at 3e-4.
_RIGHT = (71, 71, 83, 83, 83, 95, 102, 102, 99, 99, 110, 113, 113, 113, 109, 109, 116, 119, 119, 119)
_SAMPLES, _CLIP = 136, 3e-4


def mystery_log() -> tuple[Array, Array]:
    """Return the printed losses and accuracies of the notebook's log, for the tests."""
    p = np.array([np.repeat([1.0, 0.0], [right, _SAMPLES - right]) for right in _RIGHT])
    rows = np.stack([1 - p, p], axis=-1)
    labels = np.ones(_SAMPLES, dtype=int)
    return np.round(log_loss(labels, rows, clip=_CLIP), 4), np.round(accuracy(labels, rows), 4)


@cache
def fewest_samples() -> int:
    """Return the fewest samples that fit, in exact arithmetic."""
    printed = [Fraction(f"{number:.4f}") for number in mystery_log()[1]]
    half = Fraction(1, 20_000)
    return next(
        n for n in range(1, 10_000) if all(abs(Fraction(round(each * n), n) - each) <= half for each in printed)
    )


def _samples_right(answer: LearnerValue) -> None:
    answer.parts(3)[0].equals(fewest_samples())


def _clip_right(answer: LearnerValue) -> None:
    clip = answer.parts(3)[1].number()
    # 3% of it as the question says, and a little for what is exactly on the line.
    if abs(clip - _CLIP) > 0.0301 * _CLIP:
        raise Wrong(f"The clip is not {clip:g}.")


def _cause_right(answer: LearnerValue) -> None:
    """Pass the right letter if a right number comes with it: one of five letters is soon guessed."""
    try:
        _samples_right(answer)
    except Wrong:
        _clip_right(answer)
    answer.parts(3)[2].equals("D")


MYSTERY = Question(
    name="mystery",
    parts=(
        Part(name="the number of samples", points=4, judge=_samples_right),
        Part(name="the clip", points=3, judge=_clip_right),
        Part(name="the cause, with a right number", points=3, judge=_cause_right),
    ),
    wrong_answers={
        "one part in the smallest step": WrongAnswer(
            source="""
steps = np.abs(np.diff(mystery_accuracies))
mystery = (round(1 / steps[steps > 0].min()), np.exp(-np.median(mystery_losses / (1 - mystery_accuracies))), "D")
""",
            earns=6,
        ),
        "the clip of Keras, and overfitting": WrongAnswer(source='mystery = (136, 1e-7, "A")', earns=4),
        "validation now and then": WrongAnswer(source='mystery = (136, 3e-4, "E")', earns=7),
        "the letter alone": WrongAnswer(source='mystery = (100, 1e-7, "D")', earns=0),
    },
)


KEY = Key(
    name="A1",
    title="Arithmetic and plateaus",
    questions=(
        CLIPPED_LOSS,
        AT_THRESHOLD,
        FEWEST_RIGHT,
        VERDICTS,
        COSTLIER_BUT_RIGHT,
        LEDGER,
        LONGEST_WAIT,
        SPLIT_REPORT,
        IRIS_FACTS,
        MYSTERY,
    ),
)

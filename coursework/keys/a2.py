"""How A2 is marked: noise, spikes and a rising validation loss."""

import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np

from lossacc_helpers import (
    PredictionHistory,
    accuracy,
    attainable_loss,
    calibrated_loss,
    jump_share,
    log_loss,
    recordings,
    wilson_interval,
)
from lossacc_helpers.exercises import LearnerValue, Told, Wrong
from lossacc_helpers.grading.key import Key, Part, Question, WrongAnswer, calls

Arguments = list[tuple[Any, ...]]
_ROUNDED = 1e-4  # where float32 loses digits in a difference


# 1. Two epochs, the same samples -----------------------------------------------------------------------------------


def _flags(rng: np.random.Generator, gained: int, lost: int, stayed: int) -> tuple[Any, Any]:
    """Flags before and after, in which so many samples became right, became wrong and stayed as they were."""
    still = rng.random(stayed) < rng.uniform(0.2, 0.8)
    before = np.concatenate([np.zeros(gained, bool), np.ones(lost, bool), still])
    after = np.concatenate([np.ones(gained, bool), np.zeros(lost, bool), still])
    order = rng.permutation(len(before))
    return before[order], after[order]


def _both_ways(rng: np.random.Generator) -> Arguments:
    sizes = [(int(rng.integers(2, 40)), int(rng.integers(2, 40)), int(rng.integers(20, 300))) for _ in range(5)]
    return [(*_flags(rng, *each), float(rng.uniform(0.8, 3.0))) for each in sizes]


def _one_way(rng: np.random.Generator) -> Arguments:
    gained, lost = int(rng.integers(2, 20)), int(rng.integers(2, 20))
    kinds = [(gained, 0), (0, lost), (0, gained), (lost, 0)]
    return [(*_flags(rng, *kind, int(rng.integers(10, 100))), float(rng.uniform(0.8, 3.0))) for kind in kinds]


def _hardly_any(rng: np.random.Generator) -> Arguments:
    # One sample that crossed among the calls: always to return 0 and 1 earns nothing.
    kinds = [(0, 0), (1, 0), (0, 1), (0, 0)]
    return [(*_flags(rng, *kind, int(rng.integers(5, 60))), float(rng.uniform(0.8, 3.0))) for kind in kinds]


def _crossing_interval(before: Any, after: Any, z: float) -> tuple[float, float]:
    gained, lost = int(np.sum(after > before)), int(np.sum(before > after))
    if gained + lost == 0:
        return 0.0, 1.0
    low, high = wilson_interval(gained / (gained + lost), gained + lost, confidence=2 * NormalDist().cdf(z) - 1)
    return float(low), float(high)


CROSSING_INTERVAL = Question(
    name="crossing_interval",
    parts=(
        calls("crossers in both directions", 4, _both_ways, _crossing_interval, 0, 1),
        calls("crossers in one direction only", 3, _one_way, _crossing_interval, 0, 1),
        calls("nobody crossed, or a single one", 3, _hardly_any, _crossing_interval, 0, 1),
    ),
    wrong_answers={
        "the standard error at the observed share": WrongAnswer(
            source="""
def crossing_interval(before, after, z):
    gained, lost = np.sum(~before & after), np.sum(before & ~after)
    if gained + lost == 0:
        return 0.0, 1.0
    share = gained / (gained + lost)
    reach = z * np.sqrt(share * (1 - share) / (gained + lost))
    return share - reach, share + reach
""",
            earns=0,
        ),
        "forgot that nobody may cross": WrongAnswer(
            source="""
def crossing_interval(before, after, z):
    gained, lost = np.sum(~before & after), np.sum(before & ~after)
    n = gained + lost
    a, b, c = 1 + z**2 / n, -(2 * gained / n + z**2 / n), (gained / n) ** 2
    root = np.sqrt(b**2 - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)
""",
            earns=7,
        ),
        "divided by all samples": WrongAnswer(
            source="""
from lossacc_helpers import wilson_interval
from statistics import NormalDist

def crossing_interval(before, after, z):
    gained = np.sum(~before & after)
    if np.array_equal(before, after):
        return 0.0, 1.0
    return wilson_interval(gained / len(before), len(before), confidence=2 * NormalDist().cdf(z) - 1)
""",
            earns=0,
        ),
        "always the same z": WrongAnswer(
            source="""
from lossacc_helpers import wilson_interval

def crossing_interval(before, after, z):
    gained, lost = np.sum(~before & after), np.sum(before & ~after)
    if gained + lost == 0:
        return 0.0, 1.0
    return wilson_interval(gained / (gained + lost), gained + lost)
""",
            earns=0,
        ),
    },
)


# 2. What wrong labels leave to be reached --------------------------------------------------------------------------


def _shares(rng: np.random.Generator) -> Arguments:
    classes = [2, *(int(each) for each in rng.integers(3, 30, 4))]
    return [(float(rng.uniform(0.05, 0.9)), each, float(rng.uniform(0.3, 0.995))) for each in classes]


def _extreme_shares(rng: np.random.Generator) -> Arguments:
    return [(share, int(rng.integers(3, 30)), float(rng.uniform(0.3, 0.995))) for share in (0.0, 1.0, 0.0, 1.0)]


def _noise_limits(share: float, classes: int, confidence: float) -> tuple[float, float, float]:
    told = np.full(classes, share / classes)
    told[0] += 1 - share  # the true class, say
    answered = np.full(classes, (1 - confidence) / (classes - 1))
    answered[0] = confidence
    occurring = told[told > 0]
    return float(told[0]), float(-occurring @ np.log(occurring)), float(-told @ np.log(answered))


NOISE_LIMITS = Question(
    name="noise_limits",
    parts=(
        calls("the accuracy", 3, _shares, _noise_limits, 0),
        calls("the least loss", 4, _shares, _noise_limits, 1),
        calls("the loss at a confidence", 3, _shares, _noise_limits, 2),
        calls("no label and every label drawn anew", 2, _extreme_shares, _noise_limits, 0, 1, 2),
    ),
    wrong_answers={
        "a label drawn anew is never the true one": WrongAnswer(
            source="""
def noise_limits(share, classes, confidence):
    told = 1 - share
    least = -told * np.log(told) - share * np.log(share / (classes - 1))
    return told, least, -told * np.log(confidence) - share * np.log((1 - confidence) / (classes - 1))
""",
            earns=0,
        ),
        "forgot which other class it is": WrongAnswer(
            source="""
def noise_limits(share, classes, confidence):
    told = 1 - share + share / classes
    least = -told * np.log(told) - (1 - told) * np.log(1 - told)
    return told, least, -told * np.log(confidence) - (1 - told) * np.log((1 - confidence) / (classes - 1))
""",
            earns=6,
        ),
        "0 times the logarithm of 0": WrongAnswer(
            source="""
def noise_limits(share, classes, confidence):
    p = np.full(classes, share / classes)
    p[0] += 1 - share
    paid = -p[0] * np.log(confidence) - (1 - p[0]) * np.log((1 - confidence) / (classes - 1))
    return p[0], -np.sum(p * np.log(p)), paid
""",
            earns=10,
        ),
        "the other classes are not shared out": WrongAnswer(
            source="""
def noise_limits(share, classes, confidence):
    p = np.full(classes, share / classes)
    p[0] += 1 - share
    p = p[p > 0]
    return p[0], -np.sum(p * np.log(p)), -p[0] * np.log(confidence) - (1 - p[0]) * np.log(1 - confidence)
""",
            earns=7,
        ),
    },
)


# 3. Six logs -------------------------------------------------------------------------------------------------------

# The logs are typed into the notebook, so what printed them has to be written down here. Each kind is the only one:
# A and F by sums that stay from the first moment on, B and C by their first moments, D by its first and last, E by what
# none of the others permits. One kind occurs twice and one not at all, so that the last one does not come free.
_KINDS = {
    "A": "swapped softmax",
    "B": "bits",
    "C": "squared error",
    "D": "softmax twice",
    "E": "log loss",
    "F": "swapped softmax",
}
_SPELT = {*_KINDS.values(), "probability of error"}


def _kind_of(place: int, kind: str) -> Callable[[LearnerValue], None]:
    def judge(answer: LearnerValue) -> None:
        given = answer.parts(len(_KINDS))[place]
        if given.text().strip().casefold() not in _SPELT:
            raise Told(f"{given}, which is not spelt as any kind of the table.")
        given.equals(kind)

    return judge


PRINTED_KINDS = Question(
    name="printed_kinds",
    parts=tuple(
        Part(name=f"log {letter}", points=1 if letter in "BC" else 2, judge=_kind_of(place, kind))
        for place, (letter, kind) in enumerate(_KINDS.items())
    ),
    wrong_answers={
        "softmax twice and swapped softmax taken for each other": WrongAnswer(
            source="""
printed_kinds = ["softmax twice", "bits", "squared error", "swapped softmax", "log loss", "softmax twice"]
""",
            earns=4,
        ),
        "each kind once, the last by what was left": WrongAnswer(
            source="""
printed_kinds = ["swapped softmax", "bits", "squared error", "softmax twice", "log loss", "probability of error"]
""",
            earns=8,
        ),
        "all of them log losses": WrongAnswer(source='printed_kinds = ["log loss"] * 6', earns=2),
        "a range is all that was looked at": WrongAnswer(
            source="""
printed_kinds = ["softmax twice", "log loss", "squared error", "softmax twice", "softmax twice", "softmax twice"]
""",
            earns=3,
        ),
        "some left out, one not spelt as in the table": WrongAnswer(
            source='printed_kinds = ["swapped", "bits", None, "softmax twice", ..., "Swapped softmax "]', earns=5
        ),
    },
)


# 4. Out of the progress bar ----------------------------------------------------------------------------------------


def _bar(rng: np.random.Generator, sizes: Any) -> tuple[Any, Any]:
    """What is shown for batches of these sizes, whose losses fall and jump about."""
    sizes = np.asarray(sizes, dtype=np.int64)
    losses = np.geomspace(rng.uniform(1, 3), rng.uniform(0.1, 0.6), len(sizes)) * rng.uniform(0.6, 1.4, len(sizes))
    return np.array([np.average(losses[: k + 1], weights=sizes[: k + 1]) for k in range(len(sizes))]), sizes


def _batch_losses(shown: Any, sizes: Any) -> list[float]:
    losses: list[float] = []
    for k, mean in enumerate(shown):
        earlier = math.fsum(float(n) * loss for n, loss in zip(sizes, losses, strict=False))
        losses.append((mean * float(sizes[: k + 1].sum()) - earlier) / float(sizes[k]))
    return losses


BATCH_LOSSES = Question(
    name="batch_losses",
    parts=(
        calls(
            "batches of one size",
            3,
            lambda rng: [_bar(rng, [int(rng.integers(8, 129))] * int(rng.integers(3, 40))) for _ in range(4)],
            _batch_losses,
            tolerance=_ROUNDED,
        ),
        calls(
            "a smaller last batch",
            2,
            lambda rng: [_bar(rng, [64] * int(rng.integers(3, 25)) + [int(rng.integers(3, 40))]) for _ in range(4)],
            _batch_losses,
            tolerance=_ROUNDED,
        ),
        calls(
            "batches of all sizes",
            3,
            lambda rng: [_bar(rng, rng.permutation(np.arange(5, 60))[: int(rng.integers(3, 30))]) for _ in range(4)],
            _batch_losses,
            tolerance=_ROUNDED,
        ),
    ),
    wrong_answers={
        "every batch counted alike": WrongAnswer(
            source="""
def batch_losses(shown, sizes):
    return np.diff(shown * np.arange(1, len(shown) + 1), prepend=0.0)
""",
            earns=3,
        ),
        "all batches as large as the first": WrongAnswer(
            source="""
def batch_losses(shown, sizes):
    seen = sizes[0] * np.arange(1, len(shown) + 1)
    return np.diff(shown * seen, prepend=0.0) / sizes
""",
            earns=3,
        ),
        "differences of the means": WrongAnswer(
            source="""
def batch_losses(shown, sizes):
    return np.diff(shown, prepend=0.0)
""",
            earns=0,
        ),
    },
)


# 5. A moving average without its start -----------------------------------------------------------------------------


def _constant_momentum(rng: np.random.Generator) -> Arguments:
    found = []
    for momentum in (0.9, 0.99, float(rng.uniform(0.6, 0.98)), 0.8):
        steps = int(rng.integers(3, 40))
        found.append((rng.uniform(0.01, 2, steps), np.full(steps, momentum), float(rng.uniform(0.5, 4))))
    return found


def _changing_momentum(rng: np.random.Generator) -> Arguments:
    found: Arguments = []
    for _ in range(3):
        steps = int(rng.integers(3, 40))
        found.append((rng.uniform(0.01, 2, steps), rng.uniform(0.3, 0.97, steps), float(rng.uniform(0.5, 4))))
    steps = int(rng.integers(3, 20))
    # Momenta 0, 1/2, 2/3, ... make a plain mean, of which the start is no part.
    found.append((rng.uniform(0.01, 2, steps), np.arange(steps) / np.arange(1, steps + 1), float(rng.uniform(0.5, 4))))
    return found


def _several_channels(rng: np.random.Generator) -> Arguments:
    shapes = [(int(rng.integers(3, 15)), int(rng.integers(2, 7))) for _ in range(3)]
    return [
        (rng.uniform(0.01, 2, shape), rng.uniform(0.3, 0.97, shape[0]), float(rng.uniform(0.5, 4))) for shape in shapes
    ]


def _averages(values: Any, momenta: Any, start: float) -> tuple[Any, Any]:
    # Written out as weighted sums: value i has the weight (1 - m_i) times the momenta of all later steps.
    plain, divided = np.empty(values.shape), np.empty(values.shape)
    for step in range(len(values)):
        later = np.array([np.prod(momenta[i + 1 : step + 1]) for i in range(step + 1)])
        weights = (1 - momenta[: step + 1]) * later
        sums = np.tensordot(weights, values[: step + 1], axes=1)
        plain[step] = sums + np.prod(momenta[: step + 1]) * start
        divided[step] = sums / weights.sum()
    return plain, divided


AVERAGES = Question(
    name="averages",
    parts=(
        calls("the average, one momentum", 2, _constant_momentum, _averages, 0, tolerance=_ROUNDED),
        calls("the start divided out, one momentum", 3, _constant_momentum, _averages, 1, tolerance=_ROUNDED),
        calls("a momentum that changes", 3, _changing_momentum, _averages, 0, 1, tolerance=_ROUNDED),
        calls("several channels", 2, _several_channels, _averages, 0, 1, tolerance=_ROUNDED),
    ),
    wrong_answers={
        "a power of the first momentum is left": WrongAnswer(
            source="""
def averages(values, momenta, start):
    average, plain = start, []
    for value, momentum in zip(values, momenta):
        average = momentum * average + (1 - momentum) * value
        plain.append(average)
    plain = np.array(plain)
    left = (momenta[0] ** np.arange(1, len(values) + 1)).reshape((-1,) + (1,) * (values.ndim - 1))
    return plain, (plain - left * start) / (1 - left)
""",
            earns=5,
        ),
        "taken off, and not scaled": WrongAnswer(
            source="""
def averages(values, momenta, start):
    average, left, plain, divided = start, 1.0, [], []
    for value, momentum in zip(values, momenta):
        average, left = momentum * average + (1 - momentum) * value, left * momentum
        plain.append(average)
        divided.append(average - left * start)
    return np.array(plain), np.array(divided)
""",
            earns=2,
        ),
        "the momentum taken for the weight of the value": WrongAnswer(
            source="""
def averages(values, momenta, start):
    average, left, plain, divided = start, 1.0, [], []
    for value, momentum in zip(values, momenta):
        average, left = (1 - momentum) * average + momentum * value, left * (1 - momentum)
        plain.append(average)
        divided.append((average - left * start) / (1 - left))
    return np.array(plain), np.array(divided)
""",
            earns=0,
        ),
        "one channel only": WrongAnswer(
            source="""
def averages(values, momenta, start):
    plain, divided, left, average = np.zeros(len(values)), np.zeros(len(values)), 1.0, start
    for k in range(len(values)):
        average, left = momenta[k] * average + (1 - momenta[k]) * values[k], left * momenta[k]
        plain[k], divided[k] = average, (average - left * start) / (1 - left)
    return plain, divided
""",
            earns=8,
        ),
    },
)


# 6. Anatomy of a spike ---------------------------------------------------------------------------------------------


@cache
def _spiky() -> PredictionHistory:
    history = recordings.load("lesson_04_fast").validation
    assert history is not None
    return history.replica(7)


@cache
def _spike() -> int:
    loss = _spiky().loss
    spikes = [
        epoch
        for epoch in range(1, len(loss) - 1)
        if loss[epoch] > 1.5 * np.median(loss[max(epoch - 3, 0) : epoch])
        and loss[epoch] > 1.5 * np.median(loss[epoch + 1 : epoch + 4])
    ]
    return max(spikes, key=lambda epoch: float(loss[epoch] - loss[epoch - 1]))


@cache
def _spike_report(spike: int) -> tuple[float, ...]:
    """The five numbers about an epoch whose mean loss rose."""
    one = _spiky()
    before, after = one.sample_losses[spike - 1], one.sample_losses[spike]
    carried = jump_share(before, after, np.arange(1, one.samples + 1) / one.samples)
    change = one.crossings()
    rise = float(change.loss_change[spike - 1])
    shares = (float(each[spike - 1]) / rise for each in (change.became_wrong_loss, change.stayed_wrong_loss))
    return (float(spike), rise, 1.0 + int(np.flatnonzero(np.asarray(carried) >= 0.5)[0]), *shares)


def _spike_or_own(place: int) -> Callable[[LearnerValue], None]:
    """A judge of a number about the spike, or about another epoch of rising loss that was given as number 1."""

    def judge(answer: LearnerValue) -> None:
        parts = answer.parts(5)
        try:
            parts[place].equals(_spike_report(_spike())[place], tolerance=_ROUNDED)
        except Wrong:
            own = _own_epoch(parts[0])
            if own is None:
                raise
            parts[place].equals(_spike_report(own)[place], tolerance=_ROUNDED)

    return judge


def _own_epoch(given: LearnerValue) -> int | None:
    """The epoch that was given, if it is one in which the mean loss rose."""
    try:
        epoch = given.number()
    except Wrong:
        return None
    loss = _spiky().loss
    if epoch not in range(1, len(loss)) or not loss[int(epoch)] > loss[int(epoch) - 1]:
        return None
    return int(epoch)


def _of_the_spike(place: int) -> Callable[[LearnerValue], None]:
    return lambda answer: answer.parts(5)[place].equals(_spike_report(_spike())[place], tolerance=_ROUNDED)


_SPIKE_START = """
flagged = np.flatnonzero(find_spikes(spiky.loss))
e = {epoch}
r = spiky.sample_losses[e].astype(float) - spiky.sample_losses[e - 1].astype(float)
was, now = spiky.correct[e - 1], spiky.correct[e]
many = int(np.sum(np.cumsum(np.sort(r)[::-1]) < r.sum() / 2)) + 1
"""
_GREATEST_RISE = "flagged[np.argmax(spiky.loss[flagged] - spiky.loss[flagged - 1])]"
_GREATEST_LOSS = "int(np.argmax(spiky.loss))"

SPIKE_REPORT = Question(
    name="spike_report",
    parts=tuple(
        Part(
            name=name,
            points=points,
            judge=_of_the_spike(place) if place < 2 else _spike_or_own(place),
        )
        for place, (name, points) in enumerate(
            {
                "its epoch": 2,
                "its rise": 2,
                "how many patches make half of it": 3,
                "patches that became wrong": 2,
                "patches that stayed wrong": 3,
            }.items()
        )
    ),
    wrong_answers={
        "the greatest loss of all, which is no spike": WrongAnswer(
            source=_SPIKE_START.format(epoch=_GREATEST_LOSS)
            + "spike_report = [e, r.mean(), many, r[was & ~now].sum() / r.sum(), r[~was & ~now].sum() / r.sum()]\n",
            earns=8,
        ),
        "the greatest loss of all, and shares of its patches": WrongAnswer(
            source=_SPIKE_START.format(epoch=_GREATEST_LOSS)
            + "spike_report = [e, r.mean(), many, np.mean(was & ~now), np.mean(~was & ~now)]\n",
            earns=3,
        ),
        "two left out": WrongAnswer(
            source=_SPIKE_START.format(epoch=_GREATEST_RISE)
            + "spike_report = [e, None, many, ..., r[~was & ~now].sum() / r.sum()]\n",
            earns=8,
        ),
        "epochs counted from 1": WrongAnswer(
            source=_SPIKE_START.format(epoch=_GREATEST_RISE)
            + "spike_report = [e + 1, r.mean(), many, r[was & ~now].sum() / r.sum(), r[~was & ~now].sum() / r.sum()]\n",
            earns=10,
        ),
        "shares of the patches, not of the rise": WrongAnswer(
            source=_SPIKE_START.format(epoch=_GREATEST_RISE)
            + "spike_report = [e, r.mean(), many, np.mean(was & ~now), np.mean(~was & ~now)]\n",
            earns=7,
        ),
        "nats, not shares, and the least rises first": WrongAnswer(
            source=_SPIKE_START.format(epoch=_GREATEST_RISE)
            + "many = int(np.sum(np.cumsum(np.sort(r)) < r.sum() / 2)) + 1\n"
            + "spike_report = [e, r.mean(), many, r[was & ~now].sum() / 500, r[~was & ~now].sum() / 500]\n",
            earns=4,
        ),
    },
)


# 7. Too bold here, too timid there ---------------------------------------------------------------------------------


def _answers(rng: np.random.Generator, samples: int, bins: int) -> tuple[Any, Any, int]:
    """Answers that are too timid at low confidence and too bold at high, or the other way round."""
    confidence = rng.uniform(0.2, 1.0, samples)
    turned = rng.choice([-1, 1]) * rng.uniform(0.2, 0.4)
    right = np.clip(confidence - turned * (confidence - 0.6) / 0.4, 0.02, 0.98)
    return rng.random(samples) < right, confidence, bins


def _even_groups(rng: np.random.Generator) -> Arguments:
    sizes = [(int(rng.integers(8, 40)), int(rng.integers(4, 12))) for _ in range(4)]
    return [_answers(rng, size * bins, bins) for size, bins in sizes]


def _uneven_groups(rng: np.random.Generator) -> Arguments:
    found = []
    for _ in range(5):
        bins = int(rng.integers(3, 9))
        found.append(_answers(rng, bins * int(rng.integers(1, 5)) + int(rng.integers(1, bins)), bins))
    return found


def _bold_and_timid(correct: Any, confidence: Any, bins: int) -> tuple[float, float]:
    ranked = sorted(zip(confidence.tolist(), correct.tolist(), strict=True))
    size, more = divmod(len(ranked), bins)
    gaps, begin = [], 0
    for group in range(bins):
        members = ranked[begin : begin + size + (group < more)]
        begin += len(members)
        gaps.append(math.fsum(sure - right for sure, right in members))
    bold, timid = (math.fsum(max(sign * gap, 0.0) for gap in gaps) / len(ranked) for sign in (1, -1))
    return bold, timid


BOLD_AND_TIMID = Question(
    name="bold_and_timid",
    parts=(
        calls("boldness, groups of one size", 3, _even_groups, _bold_and_timid, 0),
        calls("timidity, groups of one size", 3, _even_groups, _bold_and_timid, 1),
        calls("groups that cannot be of one size", 4, _uneven_groups, _bold_and_timid, 0, 1),
    ),
    wrong_answers={
        "every group counts alike": WrongAnswer(
            source="""
def bold_and_timid(correct, confidence, bins):
    groups = np.array_split(np.argsort(confidence), bins)
    gaps = np.array([confidence[g].mean() - correct[g].mean() for g in groups])
    return np.maximum(gaps, 0).mean(), np.maximum(-gaps, 0).mean()
""",
            earns=6,
        ),
        "bins of equal width": WrongAnswer(
            source="""
def bold_and_timid(correct, confidence, bins):
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(which, weights=confidence - correct, minlength=bins) / len(correct)
    return gaps[gaps > 0].sum(), -gaps[gaps < 0].sum()
""",
            earns=0,
        ),
        "timidity with its sign": WrongAnswer(
            source="""
def bold_and_timid(correct, confidence, bins):
    groups = np.array_split(np.argsort(confidence), bins)
    gaps = np.array([(confidence[g] - correct[g]).sum() for g in groups]) / len(correct)
    return gaps[gaps > 0].sum(), gaps[gaps < 0].sum()
""",
            earns=3,
        ),
        "the samples are not sorted": WrongAnswer(
            source="""
def bold_and_timid(correct, confidence, bins):
    gaps = np.array([g.sum() for g in np.array_split(confidence - correct, bins)]) / len(correct)
    return gaps[gaps > 0].sum(), -gaps[gaps < 0].sum()
""",
            earns=0,
        ),
    },
)


# 8. Which epoch would you ship? ------------------------------------------------------------------------------------


@cache
def _shipping() -> tuple[float, ...]:
    run = recordings.load("lesson_05_verses")
    history = run.validation
    assert history is not None
    heats = [float(each) for each in run.settings["temperatures"]]
    one = heats.index(1.0)
    epochs, words = range(history.epochs), np.arange(history.samples)
    even, odd = words[words % 2 == 0], words[words % 2 == 1]

    def paid(heat: int, epoch: int, judging: Any) -> float:
        logs = history.true_log_probabilities[heat, epoch, judging]
        return -math.fsum(logs.tolist()) / len(judging)

    def best_heat(epoch: int) -> int:
        return min(range(len(heats)), key=lambda heat: paid(heat, epoch, odd))

    def tempered(epoch: int) -> float:
        return paid(best_heat(epoch), epoch, even)

    least = min(epochs, key=lambda epoch: paid(one, epoch, odd))
    most_right = max(epochs, key=lambda epoch: int(history.correct[one, epoch, odd].sum()))
    right = int(history.correct[one, most_right, even].sum()) / len(even)
    third = min(epochs, key=lambda epoch: paid(best_heat(epoch), epoch, odd))
    left = (tempered(14) - tempered(least)) / (paid(one, 14, even) - paid(one, least, even))
    return float(least), right, float(third), tempered(third), 1 - left


# What the odd words choose and the even words judge; an answer changes some of it.
_SHIPPING_START = """
L, t = songs.sample_losses.astype(float), int(np.flatnonzero(heats == 1)[0])
even, odd, every = L[..., ::2].mean(axis=-1), L[..., 1::2].mean(axis=-1), L.mean(axis=-1)
right = [songs.correct[t, :, part].mean(axis=-1) for part in (slice(0, None, 2), slice(1, None, 2), slice(None))]
first, third = odd[t].argmin(), odd.min(axis=0).argmin()
r = right[0][right[1].argmax()]

def after(chosen_by, judged_by=even):
    return judged_by[chosen_by.argmin(axis=0), np.arange(22)]

def gone(now, then=None, plain=even, start=first):
    then = now if then is None else then
    return 1 - (now[14] - then[start]) / (plain[t, 14] - plain[t, start])

"""

SHIPPING = Question(
    name="shipping",
    parts=tuple(
        Part(
            name=name,
            points=points,
            judge=lambda answer, place=place: answer.parts(5)[place].equals(_shipping()[place], tolerance=_ROUNDED),
        )
        for place, (name, points) in enumerate(
            {
                "the least loss": 2,
                "the accuracy": 2,
                "the least loss, tempered": 2,
                "the loss of the even words": 3,
                "the share of the rise that goes away": 3,
            }.items()
        )
    ),
    wrong_answers={
        "the even words, which judge, choose the temperatures of number 5": WrongAnswer(
            source=_SHIPPING_START + "shipping = [first, r, third, after(odd)[third], gone(after(even))]\n", earns=9
        ),
        "only the later epoch is tempered": WrongAnswer(
            source=_SHIPPING_START + "shipping = [first, r, third, after(odd)[third], gone(after(odd), even[t])]\n",
            earns=9,
        ),
        "the even words choose and judge": WrongAnswer(
            source=_SHIPPING_START
            + "f, h = even[t].argmin(), even.min(axis=0).argmin()\n"
            + "shipping = [f, right[0].max(), h, even.min(), gone(after(even), start=f)]\n",
            earns=2,
        ),
        "even and odd words changed places": WrongAnswer(
            source=_SHIPPING_START
            + "f, h = even[t].argmin(), even.min(axis=0).argmin()\n"
            + "chosen = [f, right[1][right[0].argmax()], h]\n"
            + "shipping = [*chosen, after(even, odd)[h], gone(after(even, odd), plain=odd, start=f)]\n",
            earns=0,
        ),
        "all words choose and judge": WrongAnswer(
            source=_SHIPPING_START
            + "f, h = every[t].argmin(), every.min(axis=0).argmin()\n"
            + "shipping = [f, right[2].max(), h, every.min(), gone(after(every, every), plain=every, start=f)]\n",
            earns=2,
        ),
        "judged by the words that chose": WrongAnswer(
            source=_SHIPPING_START
            + "shipping = [first, right[1].max(), third, odd.min(), gone(after(odd, odd), plain=odd)]\n",
            earns=4,
        ),
        "epochs instead of the accuracy, and how much of the rise is left": WrongAnswer(
            source=_SHIPPING_START
            + "shipping = [first, right[1].argmax(), third, after(odd)[third], 1 - gone(after(odd))]\n",
            earns=7,
        ),
        "one left out": WrongAnswer(
            source=_SHIPPING_START + "shipping = [first, r, None, after(odd)[third], gone(after(odd))]\n", earns=10
        ),
    },
)


# 9. Worse, and still the better network ----------------------------------------------------------------------------

_TWENTY_LABELS = np.arange(20) % 3
_HAIR = 1e-9  # so that a difference of exactly 0.2, 0.1 or 0.05 passes whatever its last digit


def _two_epochs(answer: LearnerValue) -> Any:
    """Both epochs, (2, 20, 3), with rows that sum to 1."""
    pair = answer.array(shape=(2, 20, 3))
    if not ((pair > 0) & (pair <= 1)).all():
        raise Told("A probability is not above 0, or it is above 1.")
    sums = pair.sum(axis=-1, keepdims=True)
    if not (np.abs(sums - 1) < 1e-4).all():
        raise Told("A row does not sum to 1.")
    if (np.sort(pair, axis=-1)[..., 1] == pair.max(axis=-1)).any():
        raise Told("A row has two equal largest probabilities.")
    return pair / sums


def _tempered_loss(rows: Any) -> float:
    """The least mean loss at a temperature from 0.01 to 100, found by its inverse: the loss is convex in that."""
    logs = np.log(rows)
    truths = logs[np.arange(20), _TWENTY_LABELS]

    def loss(inverse: float) -> float:
        scaled = inverse * logs
        return float(np.mean(np.logaddexp.reduce(scaled, axis=-1) - inverse * truths))

    low, high = 0.01, 100.0
    for _ in range(200):
        one, other = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, other) if loss(one) <= loss(other) else (one, high)
    return min(loss(0.01), loss(100.0), loss((low + high) / 2))


def _loss_rises(answer: LearnerValue) -> None:
    before, after = (log_loss(_TWENTY_LABELS, rows) for rows in _two_epochs(answer))
    if not after - before >= 0.2 - _HAIR:
        raise Told(f"The mean loss goes from {before:.3f} to {after:.3f}.")


def _accuracy_rises(answer: LearnerValue) -> None:
    before, after = (accuracy(_TWENTY_LABELS, rows) for rows in _two_epochs(answer))
    if not after - before >= 0.1 - _HAIR:
        raise Told(f"The accuracy goes from {before:.2f} to {after:.2f}.")


def _all_three(answer: LearnerValue) -> None:
    _loss_rises(answer)
    _accuracy_rises(answer)
    before, after = (_tempered_loss(rows) for rows in _two_epochs(answer))
    if not before - after >= 0.05 - _HAIR:
        raise Told(f"Tempered, the mean loss goes from {before:.3f} to {after:.3f}.")


_ROWS = """
def rows(right, sure, doubt):
    p = np.where(np.arange(20) < right, sure, doubt)
    found = np.empty((20, 3))
    for i, k in enumerate(twenty_labels):
        rest = 1 - p[i]
        found[i, k], found[i, (k + 1) % 3], found[i, (k + 2) % 3] = p[i], 0.9 * rest, 0.1 * rest
    return found

"""

WORSE_BUT_BETTER = Question(
    name="worse_but_better",
    parts=(
        Part(name="the loss rises", points=2, judge=_loss_rises),
        Part(name="the accuracy rises", points=2, judge=_accuracy_rises),
        Part(name="all three together", points=4, judge=_all_three),
    ),
    wrong_answers={
        "a few mistakes without end, which no temperature repairs": WrongAnswer(
            source=_ROWS
            + "worse_but_better = np.array([rows(14, 0.8, 0.3), rows(16, 0.6, 0.3)])\n"
            + "worse_but_better[1, 16:] = rows(16, 0.6, 1e-6)[16:]\n",
            earns=4,
        ),
        "both become better": WrongAnswer(
            source=_ROWS + "worse_but_better = np.array([rows(12, 0.6, 0.3), rows(18, 0.8, 0.3)])\n", earns=2
        ),
        "the epochs changed places": WrongAnswer(
            source=_ROWS + "worse_but_better = np.array([rows(17, 0.999, 1e-5), rows(12, 0.5, 0.3)])\n", earns=0
        ),
        "twice the same": WrongAnswer(
            source=_ROWS + "worse_but_better = np.array([rows(12, 0.6, 0.3)] * 2)\n", earns=0
        ),
    },
)


# 10. What two printed numbers prove --------------------------------------------------------------------------------


def _borders(right: Any, classes: int) -> tuple[Any, Any, Any]:
    """The least loss of any predictions, and the least and the greatest of calibrated ones."""
    least, greatest = calibrated_loss(right, classes=classes)
    return attainable_loss(right)[0], least, greatest


def _networks(rng: np.random.Generator, classes: int, verdicts: tuple[int, ...]) -> tuple[Any, Any, int]:
    """Networks with such verdicts, each of them several times, and no loss within a tenth of a gap from a border."""
    kinds = rng.permutation(np.repeat(verdicts, int(rng.integers(3, 8))))
    right = rng.uniform(0.55, 0.97, len(kinds))
    right[np.argmax(kinds)] = rng.uniform(0.9, 0.97)  # a high loss that is still far below that of chance
    any_least, least, greatest = _borders(right, classes)
    # Where a low loss is looked for, nothing but the low borders is to count: below what two classes permit.
    top = _borders(right, 2)[2] if 3 not in verdicts else greatest
    edges = np.stack([np.zeros(len(kinds)), any_least, least, top, 1.5 * top])
    columns, along = np.arange(len(kinds)), rng.uniform(0.1, 0.9, len(kinds))
    return edges[kinds, columns] * (1 - along) + edges[kinds + 1, columns] * along, right, classes


def _verdicts(loss: Any, right: Any, classes: int) -> Any:
    any_least, least, greatest = _borders(right, classes)
    return np.select([loss < any_least, loss < least, loss <= greatest], [0, 1, 2], default=3)


VERDICTS = Question(
    name="verdicts",
    parts=(
        calls(
            "losses that are low",
            4,
            lambda rng: [_networks(rng, each, (0, 1, 2)) for each in (2, int(rng.integers(3, 30)), 10)],
            _verdicts,
        ),
        calls("high losses, two classes", 2, lambda rng: [_networks(rng, 2, (2, 3)) for _ in range(3)], _verdicts),
        calls(
            "high losses, many classes",
            2,
            lambda rng: [_networks(rng, int(each), (2, 3)) for each in rng.integers(4, 120, 4)],
            _verdicts,
        ),
    ),
    wrong_answers={
        "forgot which of the other classes": WrongAnswer(
            source="""
def verdicts(loss, accuracy, classes):
    wrong = 1 - accuracy
    entropy = -accuracy * np.log(accuracy) - wrong * np.log(wrong)
    return np.sum([loss > wrong * np.log(2), loss > 2 * wrong * np.log(2), loss > entropy], axis=0)
""",
            earns=6,
        ),
        "took the bound of lesson 01 for that of calibrated predictions": WrongAnswer(
            source="""
def verdicts(loss, accuracy, classes):
    wrong = 1 - accuracy
    fano = -accuracy * np.log(accuracy) - wrong * np.log(wrong) + wrong * np.log(classes - 1)
    return np.where(loss < wrong * np.log(2), 0, np.where(loss > fano, 3, 2))
""",
            earns=4,
        ),
        "the loss of chance as the upper limit": WrongAnswer(
            source="""
def verdicts(loss, accuracy, classes):
    wrong = 1 - accuracy
    return np.sum([loss > wrong * np.log(2), loss > 2 * wrong * np.log(2), loss > np.log(classes)], axis=0)
""",
            earns=4,
        ),
        "logarithms to the base 2": WrongAnswer(
            source="""
def verdicts(loss, accuracy, classes):
    wrong = 1 - accuracy
    fano = -accuracy * np.log2(accuracy) - wrong * np.log2(wrong) + wrong * np.log2(classes - 1)
    return np.sum([loss > wrong, loss > 2 * wrong, loss > fano], axis=0)
""",
            earns=0,
        ),
    },
)


KEY = Key(
    name="A2",
    title="Noise, spikes and a rising validation loss",
    questions=(
        CROSSING_INTERVAL,
        NOISE_LIMITS,
        PRINTED_KINDS,
        BATCH_LOSSES,
        AVERAGES,
        SPIKE_REPORT,
        BOLD_AND_TIMID,
        SHIPPING,
        WORSE_BUT_BETTER,
        VERDICTS,
    ),
)

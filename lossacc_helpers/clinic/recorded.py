"""The rules for a recorded training: what single samples settle that curves can only suggest.

Two kinds. A rule finds the marks of a cause, as those of `rules` do. An objection says what speaks against causes that
the curves alone would let stand, and by how much they then count for less.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers.calibration import LossSplit, split_loss
from lossacc_helpers.clinic.evidence import Evidence
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.log import Floats
from lossacc_helpers.clinic.rows import Compared
from lossacc_helpers.clinic.rules.marks import falls_back
from lossacc_helpers.history import PredictionHistory, TrainingRun
from lossacc_helpers.intervals import accuracy_change_interval, accuracy_difference_interval
from lossacc_helpers.spikes import jump_share, worst_samples

_SHOWN = 5  # samples that are named


@dataclass(frozen=True, eq=False)
class Recorded(Evidence):
    """The evidence of a training whose samples were recorded.

    Attributes
    ----------
    run : of one network.
    compared : the features of both parts held against each other, or None.
    """

    run: TrainingRun | None = None
    compared: Compared | None = None

    @property
    def train(self) -> PredictionHistory:
        """The predictions of the training samples."""
        assert self.run is not None
        return self.run.train

    @property
    def unseen(self) -> PredictionHistory | None:
        """The predictions of the validation samples, or None."""
        assert self.run is not None
        return self.run.validation

    @cached_property
    def best(self) -> int:
        """The entry of the epoch with the least validation loss, smoothed; without validation the last."""
        curve = self.validation_loss
        if self.unseen is None or curve is None:
            return self.train.epochs - 1
        return int(np.argmin(np.abs(self.log.epochs - curve.epochs[curve.lowest])))

    @cached_property
    def learned(self) -> int:
        """The entry of the first epoch whose validation loss is within a tenth of its least: little is by heart yet."""
        curve = self.validation_loss
        if self.unseen is None or curve is None:
            return self.train.epochs - 1
        first = int(np.argmax(curve.smooth <= 1.1 * curve.smooth[curve.lowest]))
        return int(np.argmin(np.abs(self.log.epochs - curve.epochs[first])))

    @cached_property
    def at_temperature(self) -> LossSplit | None:
        """What a temperature takes from the last validation loss; None where it cannot be told."""
        if self.unseen is None or self.unseen.is_compact or self.unseen.samples < 30:
            return None
        logs = self.unseen.log_probabilities
        assert logs is not None
        try:
            return split_loss(self.unseen.labels, logs[-1])
        except ValueError:  # all are right, or one has probability 0: no temperature is best
            return None

    @cached_property
    def only_answer(self) -> tuple[int, float] | None:
        """The one class that every training sample is given at the end, and its share; None if there are several."""
        labels, logs = self.train.labels, self.train.log_probabilities
        if logs is not None:
            if not np.isfinite(self.train.top_probabilities[-1]).all():
                return None
            answers = np.bincount(logs[-1].argmax(axis=-1), minlength=self.train.classes)
        elif self.train.classes == 2:  # of two classes what is right tells what was answered
            answers = np.bincount(np.where(self.train.correct[-1], labels, 1 - labels), minlength=2)
        else:
            return None
        of_class = int(answers.argmax())
        only = answers[of_class] >= 0.995 * len(labels)
        return (of_class, float(np.mean(labels == of_class))) if only else None

    @cached_property
    def asked_anew(self) -> tuple[Floats, Floats] | None:
        """What training printed for its samples and what they cost when asked after the epoch; None if it is the same.

        Both (epoch,). It is the same where nothing was printed beside the record.
        """
        printed, asked = self.log.loss, np.asarray(self.train.loss, dtype=np.float64)
        if printed is None or len(printed) != len(asked) or np.allclose(printed, asked, equal_nan=True):
            return None
        return printed, asked


Rule = Callable[[Recorded], Finding | None]


@dataclass(frozen=True)
class Objection:
    """What speaks against causes: each of them counts for that share of its score.

    Attributes
    ----------
    slugs : of the causes.
    share : from 0 to 1.
    says : one sentence.
    """

    slugs: tuple[str, ...]
    share: float
    says: str


def _named(samples: Iterable[int]) -> str:
    shown = [str(int(one)) for one in samples]
    rest = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


# Rules --------------------------------------------------------------------------------------------------------------


def few_large_losses(e: Recorded) -> Finding | None:
    """A few validation samples carry the rise of the mean loss, while the loss of the median sample does not rise."""
    if e.unseen is None:
        return None
    before, after = (np.asarray(e.unseen.sample_losses[k], dtype=np.float64) for k in (e.best, -1))
    if not (np.isfinite(before).all() and np.isfinite(after).all()) or len(after) < 20:
        return None
    rise = float(after.mean() - before.mean())
    if rise < max(0.03, 0.1 * float(before.mean())) or np.median(after) > 1.05 * np.median(before):
        return None
    tenth, few = (float(jump_share(before, after, share)) for share in (0.1, 0.02))
    if tenth < 0.7:
        return None
    worst = worst_samples(before, after, _SHOWN)
    return Finding(
        "few-large-losses",
        0.45 + 0.3 * min(1.0, few),
        (
            f"From epoch {e.log.epochs[e.best]} to the last the mean validation loss rises by {rise:.3g}. The tenth of "
            f"the samples that rose most carries {tenth:.0%} of it, the fiftieth {few:.0%}; the median sample goes "
            f"from {np.median(before):.3g} to {np.median(after):.3g}.",
            f"Most of all rose validation samples {_named(worst)}.",
        ),
    )


def suspicious_labels(e: Recorded) -> Finding | None:
    """Training samples that the network at its best took for another class, surely, and learned by heart later."""
    if e.unseen is None or e.train.epochs < 4:
        return None
    right, top = e.train.correct[e.best], e.train.top_probabilities[e.best]
    if right.mean() < 0.5 or not np.isfinite(top).all():
        return None
    # As sure of another class as it is of those it gets right: the threshold of confident learning.
    sure = top >= np.mean(top[right])
    suspects = np.flatnonzero(~right & sure)
    by_chance = float(np.sum(1 - top[sure]))  # if these probabilities were right
    share = len(suspects) / e.train.samples
    if share < 0.015 or len(suspects) < by_chance + 3 * np.sqrt(by_chance) + 3:
        return None
    learned = float(e.train.correct[-1][suspects].mean())
    return Finding(
        "label-noise",
        0.35 + 0.3 * min(1.0, share / 0.05) + 0.3 * learned,
        (
            f"In epoch {e.log.epochs[e.best]}, {len(suspects)} of {e.train.samples} training samples are taken for "
            f"another class, as surely as right ones are for theirs; its own probabilities make {by_chance:.1f} of "
            f"them expected. At the end {learned:.0%} of them are answered as labelled.",
            _look_first(e, suspects, e.best),
        ),
    )


def worse_than_unseen(e: Recorded) -> Finding | None:
    """Once it has learned, the network is wrong more often on what it was trained on than on what it never saw."""
    if e.unseen is None:
        return None
    train, unseen = e.train.correct[e.learned], e.unseen.correct[e.learned]
    low, _ = accuracy_difference_interval(train.mean(), len(train), unseen.mean(), len(unseen), confidence=0.995)
    excess = float(unseen.mean() - train.mean())
    if unseen.mean() < 0.5 or low <= 0 or excess < 0.02:
        return None
    suspects = np.flatnonzero(~train)
    by_heart = float(e.train.correct[-1][suspects].mean())
    return Finding(
        "label-noise",
        0.62 + 0.25 * min(1.0, excess / 0.1) + 0.1 * by_heart,
        (
            f"In epoch {e.log.epochs[e.learned]}, asked in the same way, {1 - train.mean():.1%} of the training "
            f"samples are answered otherwise than labelled, and {1 - unseen.mean():.1%} of the validation samples. "
            f"What was trained on should not be harder: at least {excess * len(train):.0f} labels are doubtful.",
            _look_first(e, suspects, e.learned),
        ),
        ("Validation samples that are easier, or copies of training samples, would do the same.",),
    )


def _look_first(e: Recorded, suspects: NDArray[np.intp], entry: int) -> str:
    costly = suspects[np.argsort(-e.train.sample_losses[entry][suspects], kind="stable")]
    return f"Look first at training samples {_named(costly)}."


def asked_in_two_ways(e: Recorded) -> Finding | None:
    """What training prints for its samples is not what the same samples cost when asked after the epoch."""
    if e.asked_anew is None:
        return None
    printed, asked = e.asked_anew
    both = np.isfinite(printed) & np.isfinite(asked) & (printed > 0)
    if both.sum() < 3:
        return None
    epochs, printed, asked = e.log.epochs[both], printed[both], asked[both]
    dearer = asked > np.maximum(1.5 * printed, printed + 0.1)
    if dearer[1:].mean() >= 0.25:
        worst = int(np.argmax(asked - printed))
        return Finding(
            "batch-norm-statistics",
            0.8 + 0.15 * float(dearer[1:].mean()),
            (
                f"The same training samples cost far more when asked in inference mode, in {int(dearer.sum())} of "
                f"{len(epochs)} epochs: in epoch {epochs[worst]}, {asked[worst]:.3g} against {printed[worst]:.3g}.",
            ),
            epochs=tuple(epochs[dearer]),
        )
    late = slice(-max(2, len(epochs) // 2), None)
    ratio = float(np.median(printed[late] / np.maximum(asked[late], 1e-9)))
    if ratio < 1.15 or float(np.median((printed - asked)[late])) < 0.01:
        return None
    explained = e.validation_loss is not None and float(np.median(printed[late])) >= e.validation_loss.end
    return Finding(
        "train-mode-penalty",
        0.92 if explained else 0.3,
        (
            f"Training prints {printed[-1]:.3g} in its last epoch; the same samples, asked after it in inference mode, "
            f"cost {asked[-1]:.3g}. In the second half the printed loss is {ratio:.2f} times the other.",
        ),
    )


def shifted_variances(e: Recorded) -> Finding | None:
    """As asked in two ways, in a network with a dropout before a BatchNormalization."""
    found = asked_in_two_ways(e)
    layers = _layers(e)
    if found is None or found.slug != "batch-norm-statistics" or layers is None:
        return None
    if not _dropout_comes_first(layers):
        return None
    return Finding(
        "dropout-batch-norm-shift",
        found.score - 0.02,
        (*found.evidence, "There is a dropout before a BatchNormalization."),
        ("Statistics that lag leave the same mark.",),
    )


def temperature(e: Recorded) -> Finding | None:
    """A temperature that one half of the validation samples chooses lowers the loss of the other half."""
    split = e.at_temperature
    if split is None or split.excess < max(0.02, 0.05 * split.loss):
        return None
    low, high = sorted(split.temperatures)
    if not (low > 1.1 or high < 0.9):
        return None
    told = (
        f"Divided by a temperature of {low:.2f} to {high:.2f}, chosen on other samples, the last validation loss would "
        f"be {split.calibrated:.3g} instead of {split.loss:.3g}, with the same answers."
    )
    strength = min(1.0, split.excess / split.loss / 0.3)
    if low > 1:
        return Finding("overconfidence", 0.6 + 0.35 * strength, (told,))
    return Finding("underconfidence", 0.55 + 0.35 * strength, (told,))


def labels_of_both_parts(e: Recorded) -> Finding | None:
    """The two parts hold the classes in different shares."""
    deviations, absent = _label_shift(e)
    if deviations < 5 and absent < 0.05:
        return None
    told = (
        f"{absent:.0%} of the validation samples, beyond chance, are of classes that training never sees."
        if absent >= 0.05
        else f"The shares of the classes differ between both parts by {deviations:.0f} standard deviations of chance."
    )
    score = 0.93 if absent >= 0.05 else 0.6 + 0.02 * min(15.0, deviations)
    return Finding("unshuffled-validation-split", score, (told,))


def one_answer(e: Recorded) -> Finding | None:
    """Every training sample gets the same answer at the end."""
    if e.only_answer is None:
        return None
    of_class, share = e.only_answer
    common = share > 1.3 / e.train.classes
    return Finding(
        "class-imbalance" if common else "constant-predictor",
        0.95,
        (f"At the end every training sample is called class {of_class}, which {share:.1%} of them are.",),
    )


def sure_and_wrong(e: Recorded) -> Finding | None:
    """Most wrong answers are given with all the probability there is."""
    right, top = e.train.correct[-1], e.train.top_probabilities[-1]
    wrong = int((~right).sum())
    certain = int((top[~right] >= 1 - 1e-6).sum())
    if wrong < 5 or certain < 0.6 * wrong:
        return None
    return Finding(
        "saturated-outputs",
        0.93,
        (f"At the end {certain} of {wrong} wrong training samples are answered with a probability of 1.",),
    )


def nothing_crosses(e: Recorded) -> Finding | None:
    """Loss falls over epochs in which no training sample changes sides."""
    if e.train.epochs < 6:
        return None
    still = ~(e.train.correct[1:] != e.train.correct[:-1]).any(axis=1)
    best = _longest(still)
    if best is None:
        return None
    start, stop = best  # epochs start .. stop, all with the same answers
    loss = np.asarray(e.train.loss, dtype=np.float64)
    gained = float((loss[start] - loss[stop]) / max(loss[start], 1e-9))
    enough = stop - start + 1 >= max(5, e.train.epochs // 4)
    if not enough or gained < 0.08 or e.train.accuracy[start] > 0.97:
        return None
    return Finding(
        "threshold-plateau",
        0.4 + 0.3 * (stop - start + 1) / e.train.epochs,
        (
            f"From epoch {e.log.epochs[start]} to {e.log.epochs[stop]} no training sample changes sides, while the "
            f"training loss falls by {gained:.0%}.",
        ),
        epochs=tuple(e.log.epochs[start : stop + 1]),
    )


def answers_that_changed(e: Recorded) -> Finding | None:
    """More validation samples became wrong than chance allows, since the validation loss was least."""
    change = _since_best(e)
    if change is None:
        return None
    low, high, gained, lost = change
    if high >= 0 or e.validation_loss is None or e.validation_loss.rise < 0.02:
        return None
    return Finding(
        "overfitting",
        0.86,
        (
            f"Since epoch {e.log.epochs[e.best]}, {lost} validation samples became wrong and {gained} right: accuracy "
            f"has changed by {low:+.3f} to {high:+.3f}, with a confidence of 95%.",
        ),
    )


def copied_rows(e: Recorded) -> Finding | None:
    """Validation samples that are next to identical with training samples."""
    if e.compared is None:
        return None
    share = len(e.compared.copies) / e.compared.compared
    if len(e.compared.copies) < 3 or share < max(0.01, 2 * e.compared.by_chance):
        return None
    pairs = [f"{one} (training {of})" for one, of in zip(e.compared.copies, e.compared.originals, strict=True)]
    rest = len(pairs) - _SHOWN
    return Finding(
        "leakage",
        0.6 + min(0.35, 3 * share),
        (
            f"{len(pairs)} of {e.compared.compared} validation samples have a training sample at next to no distance: "
            f"{', '.join(pairs[:_SHOWN])}{f' and {rest} more' if rest > 0 else ''}.",
        ),
    )


def parts_apart(e: Recorded) -> Finding | None:
    """Samples lie nearer to their own part than chance allows."""
    if e.compared is None or e.compared.deviations < 4:
        return None
    return Finding(
        "distribution-shift",
        0.75 + min(0.18, e.compared.own_part - 0.5),
        (
            f"The nearest other sample is of the same part, training or validation, in {e.compared.own_part:.0%}; "
            f"chance makes it 50%, give or take {e.compared.own_part_error:.1%}.",
        ),
    )


SAMPLE_RULES: tuple[Rule, ...] = (
    few_large_losses,
    suspicious_labels,
    worse_than_unseen,
    asked_in_two_ways,
    shifted_variances,
    temperature,
    labels_of_both_parts,
    one_answer,
    sure_and_wrong,
    nothing_crosses,
    answers_that_changed,
    copied_rows,
    parts_apart,
)


# Objections ---------------------------------------------------------------------------------------------------------


def asked_alike(e: Recorded) -> Objection | None:
    """Training samples cost what training printed."""
    if e.asked_anew is None:
        return None
    printed, asked = e.asked_anew
    late = slice(-max(2, len(asked) // 2), None)
    with np.errstate(all="ignore"):
        ratio = float(np.median(printed[late] / asked[late]))
    if not 0.9 <= ratio <= 1.12:
        return None
    return Objection(
        ("train-mode-penalty", "batch-norm-statistics", "dropout-batch-norm-shift"),
        0.3,
        f"The same training samples, asked after the epoch in inference mode, cost {1 / ratio:.2f} times what training "
        "printed.",
    )


def no_such_layer(e: Recorded) -> Objection | None:
    """The network has no BatchNormalization."""
    layers = _layers(e)
    if layers is None or any("BatchNormalization" in layer for layer in layers):
        return None
    return Objection(
        ("batch-norm-statistics", "dropout-batch-norm-shift"), 0.1, "The network has no BatchNormalization."
    )


def no_dropout_first(e: Recorded) -> Objection | None:
    """No dropout comes before a BatchNormalization."""
    layers = _layers(e)
    if layers is None or _dropout_comes_first(layers):
        return None
    return Objection(("dropout-batch-norm-shift",), 0.1, "No dropout comes before a BatchNormalization.")


def right_temperature(e: Recorded) -> Objection | None:
    """No temperature takes anything off the validation loss."""
    split = e.at_temperature
    if split is None or split.excess > max(0.01, 0.03 * split.loss):
        return None
    return Objection(
        ("overconfidence", "underconfidence"),
        0.5,
        f"A temperature chosen on other samples takes {max(split.excess, 0.0):.3g} of {split.loss:.3g} nats off the "
        "last validation loss: confidence is not what is wrong.",
    )


def within_chance(e: Recorded) -> Objection | None:
    """As many validation samples became right as became wrong, within chance."""
    change = _since_best(e)
    if change is None or not change[0] <= 0 <= change[1] or not falls_back(e):
        return None
    low, high, gained, lost = change
    return Objection(
        ("overfitting",),
        0.5,
        f"Since the least validation loss {gained} validation samples became right and {lost} wrong: within chance "
        f"({low:+.3f} to {high:+.3f}).",
    )


def several_answers(e: Recorded) -> Objection | None:
    """Not every sample gets the same answer."""
    if e.only_answer is not None or (e.train.is_compact and e.train.classes > 2):
        return None
    return Objection(
        ("constant-predictor", "class-imbalance"), 0.4, "At the end the training samples get more than one answer."
    )


def same_labels(e: Recorded) -> Objection | None:
    """Both parts hold the classes in the same shares."""
    deviations, absent = _label_shift(e)
    if e.unseen is None or deviations > 3 or absent:
        return None
    return Objection(
        ("unshuffled-validation-split",), 0.2, "Both parts hold the classes in the same shares, within chance."
    )


def neighbours_of_either_part(e: Recorded) -> Objection | None:
    """Neighbours are of either part alike."""
    if e.compared is None or e.compared.deviations > 2:
        return None
    return Objection(
        ("distribution-shift",),
        0.5,
        f"The nearest other sample is of the same part in {e.compared.own_part:.0%}: the features do not tell training "
        "from validation samples.",
    )


OBJECTIONS: tuple[Callable[[Recorded], Objection | None], ...] = (
    asked_alike,
    no_such_layer,
    no_dropout_first,
    right_temperature,
    within_chance,
    several_answers,
    same_labels,
    neighbours_of_either_part,
)


# What several of them look at ---------------------------------------------------------------------------------------


def _layers(e: Recorded) -> list[str] | None:
    assert e.run is not None
    layers = e.run.settings.get("layers")
    return [str(layer) for layer in layers] if layers else None


def _dropout_comes_first(layers: list[str]) -> bool:
    dropped = False
    for layer in layers:
        if dropped and "BatchNormalization" in layer:
            return True
        dropped |= "Dropout" in layer
    return False


def _since_best(e: Recorded) -> tuple[float, float, int, int] | None:
    """The limits of the change of validation accuracy since the least loss, and how many became right and wrong."""
    if e.unseen is None or e.best >= e.unseen.epochs - 1:
        return None
    before, after = e.unseen.correct[e.best], e.unseen.correct[-1]
    low, high = accuracy_change_interval(before, after)
    return float(low), float(high), int((~before & after).sum()), int((before & ~after).sum())


def _label_shift(e: Recorded) -> tuple[float, float]:
    """By how many standard deviations of chance class shares differ, and which share is of classes never trained on.

    The first is the chi-square statistic as a normal deviate (Wilson and Hilferty 1931); the second is what exceeds the
    share of rare classes that chance leaves out of training.
    """
    if e.unseen is None:
        return 0.0, 0.0
    parts = e.train, e.unseen
    counts = np.stack([np.bincount(part.labels, minlength=part.classes).astype(np.float64) for part in parts])
    pooled = counts.sum(axis=0) / counts.sum()
    by_chance = float((pooled * (1 - pooled) ** counts[0].sum()).sum())
    absent = max(0.0, float(counts[1][counts[0] == 0].sum() / counts[1].sum()) - 2 * by_chance)
    counts = counts[:, counts.sum(axis=0) > 0]
    freedom = counts.shape[1] - 1
    if freedom < 1:
        return 0.0, absent
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    squares = float(((counts - expected) ** 2 / expected).sum())
    spread = 2 / (9 * freedom)
    return float(((squares / freedom) ** (1 / 3) - (1 - spread)) / np.sqrt(spread)), absent


def _longest(flags: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The first and the last epoch of the longest stretch without a change; `flags` are the steps between epochs."""
    best, start = (0, 0), 0
    for k, flag in enumerate([*flags, False]):
        if not flag:
            if k - start > best[1] - best[0]:
                best = start, k
            start = k + 1
    return best if best[1] > best[0] else None

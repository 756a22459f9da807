"""The rules of the clinic: each looks for the marks of one cause, and says with epochs and numbers what it saw.

A rule takes an `Evidence` and returns a `Finding`, or None where the marks are not there. Where two causes share a
mark, one rule asks the other for it; what excludes what is settled in `diagnosis`. Rules rest on mechanisms: a bound
that a cross-entropy cannot break, a value that a mistake produces, a change that is larger than the noise of its own
curve.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers.clinic.evidence import Curve, Evidence, ceiling, half_digit
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.log import Floats
from lossacc_helpers.fingerprints import double_softmax_range
from lossacc_helpers.intervals import accuracy_standard_error
from lossacc_helpers.spikes import find_spikes

Rule = Callable[[Evidence], Finding | None]

_LN2 = float(np.log(2))
_SURE = 3.0  # standard deviations of a change


def _entropy(p: float) -> float:
    """Binary entropy in nats."""
    return float(-p * np.log(p) - (1 - p) * np.log(1 - p)) if 0 < p < 1 else 0.0


def _times(many: float, one: float) -> str:
    """How many times something is, in words for a sentence; of nothing everything is very many times."""
    return f"{many / one:.2f}" if one > 1e-4 * abs(many) else "more than 10,000"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole > 1e-2 * abs(part) else f"{part:.3g}"


def _which(validation: bool) -> str:
    return "validation" if validation else "training"


# What the numbers cannot be ----------------------------------------------------------------------------------------


def numeric_failure(e: Evidence) -> Finding | None:
    """A printed loss is infinite or no number."""
    if not e.log.broken.any():
        return None
    first = int(e.log.epochs[np.argmax(e.log.broken)])
    return Finding(
        "numeric-failure",
        0.99,
        (
            f"A loss is infinite or no number in {int(e.log.broken.sum())} of {e.epochs} epochs, first in epoch "
            f"{first}.",
        ),
        epochs=tuple(e.log.epochs[e.log.broken]),
    )


def not_cross_entropy(e: Evidence) -> Finding | None:
    """A loss lies below what any cross-entropy with that accuracy can be."""
    if e.top or _negative(e) is not None:
        return None
    best: tuple[float, str] | None = None
    where: set[int] = set()
    for validation in (False, True):
        epochs, loss, accuracy = e.pairs(validation=validation)
        broken = e.violations(validation=validation)
        if not broken.any():
            continue
        where |= set(epochs[broken].tolist())
        worst = int(np.argmax(np.where(broken, (1 - accuracy) * _LN2 - loss, -np.inf)))
        short = (1 - accuracy[worst]) * _LN2 - loss[worst]
        score = 0.6 + 0.3 * broken.mean() + (0.09 if short > 0.02 or broken.sum() > 2 else 0.0)
        told = (
            f"In epoch {epochs[worst]} the {_which(validation)} loss is {loss[worst]:.4g} with accuracy "
            f"{accuracy[worst]:.4g}; a cross-entropy would be at least {(1 - accuracy[worst]) * _LN2:.4g}. "
            f"It is so in {int(broken.sum())} of {len(epochs)} epochs."
        )
        if best is None or score > best[0]:
            best = score, told
    return None if best is None else Finding("not-cross-entropy", best[0], (best[1],), epochs=tuple(sorted(where)))


def _negative(e: Evidence) -> tuple[int, float] | None:
    """The epoch and the value of the lowest loss, if it is below 0."""
    lowest = None
    for curve in (e.loss, e.validation_loss):
        if curve is not None and curve.values.min() < -1e-3 and (lowest is None or curve.values.min() < lowest[1]):
            lowest = int(curve.epochs[curve.values.argmin()]), float(curve.values.min())
    return lowest


def swapped_arguments(e: Evidence) -> Finding | None:
    """A loss is negative, which no cross-entropy of labels is; or the mark of a second softmax, which it leaves too."""
    lowest = _negative(e)
    if lowest is None:
        twice = double_softmax(e)
        if twice is None:
            return None
        against = ("Two softmax layers leave the same mark, and are the more common mistake.",)
        return Finding("swapped-arguments", twice.score - 0.1, twice.evidence, against)
    return Finding(
        "swapped-arguments",
        0.9 if lowest[1] < -0.5 else 0.7,
        (f"The loss is {lowest[1]:.4g} in epoch {lowest[0]}; minus the logarithm of a probability is never below 0.",),
        ("A loss of your own, or one of densities, may be negative for good reasons.",),
        epochs=tuple(
            sorted({int(k) for curve in (e.loss, e.validation_loss) if curve for k in curve.epochs[curve.values < 0]})
        ),
    )


def double_softmax(e: Evidence) -> Finding | None:
    """Loss and accuracy add up to ln(e + C - 1): the floor that a second softmax leaves."""
    best: tuple[float, int, Floats, Floats, bool] | None = None
    # Both losses are computed in the same way, so both keep within what a second softmax leaves.
    same = [curve for curve in (e.loss, None if e.log.plain_validation else e.validation_loss) if curve is not None]
    lowest = min((float(curve.values.min()) for curve in same), default=0.0)
    highest = max((float(curve.values.max()) for curve in same), default=0.0)
    for validation in (False, True):
        _, loss, accuracy = e.pairs(validation=validation)
        if len(loss) < 3 or np.ptp(accuracy) < 0.05:
            continue
        for classes in [e.classes] if e.classes else range(2, 201):
            least, greatest = double_softmax_range(classes)
            uniform = np.log(classes) + 1 / classes
            sums = loss + accuracy
            if lowest < least - 0.005 or highest > greatest + 0.02 or sums.min() < min(uniform, greatest) - 0.06:
                continue
            late = slice(-max(2, len(sums) // 3), None)
            off = float(np.abs(sums[late] - greatest).mean())
            # Half-learned probabilities may add up to as much; they cost no more than calibrated ones.
            if float(np.median((loss - ceiling(accuracy, int(classes)))[late])) < 0.06:
                continue
            # Among two hundred numbers of classes one may fit by chance.
            allowed = 0.08 if e.classes else 0.04 if np.ptp(accuracy) >= 0.2 else 0.0
            if off < allowed and (best is None or off < best[0]):
                best = off, int(classes), loss, accuracy, validation
    if best is None:
        return None
    off, classes, loss, accuracy, validation = best
    score = 0.55 + 0.4 * min(1.0, float(np.ptp(accuracy)) / 0.3) * (1 - 0.5 * off / 0.08)
    return Finding(
        "double-softmax",
        score,
        (
            f"The {_which(validation)} loss stays above {double_softmax_range(classes)[0]:.3f}, the floor that a "
            f"second softmax leaves with {classes} classes, and loss plus accuracy stays at "
            f"{(loss + accuracy)[-1]:.3f} while accuracy goes from {accuracy[0]:.2f} to {accuracy[-1]:.2f}; "
            f"ln(e + {classes - 1}) is {double_softmax_range(classes)[1]:.3f}.",
        ),
        ("Predictions and labels swapped behind a softmax leave the same mark.",),
    )


def saturated_outputs(e: Evidence) -> Finding | None:
    """Loss divided by the share of errors is what a clipped zero costs."""
    for validation in (False, True):
        epochs, loss, accuracy = e.pairs(validation=validation)
        errors = 1 - accuracy
        seen = errors > 3e-4
        if seen.sum() < 2:
            continue
        ratio = loss[seen] / errors[seen]
        slack = half_digit(accuracy, beside=loss) / errors[seen] * 16.2
        for low, high, what in (
            (15.2, 16.2, "1e-7"),
            (87.0, 87.7, "the least float32"),
            (99.0, 101.0, "a loss of 100"),
        ):
            inside = (ratio > low - slack) & (ratio < high + slack)
            if inside.mean() >= 0.6 and inside.sum() >= 2:
                return Finding(
                    "saturated-outputs",
                    0.6 + 0.32 * float(inside.mean()),
                    (
                        f"The {_which(validation)} loss is {np.median(ratio):.2f} times the share of errors in "
                        f"{int(inside.sum())} of {len(epochs)} epochs: what an output of 0, clipped at {what}, costs.",
                    ),
                    epochs=tuple(epochs[seen][inside]),
                )
    return None


def metric_mismatch(e: Evidence) -> Finding | None:
    """The best k answers are counted, or every output for itself."""
    if e.top:
        curve = e.accuracy or e.validation_accuracy
        assert curve is not None
        full = curve.values.min() > 0.999
        return Finding(
            "metric-mismatch",
            0.95 if full else 0.7,
            (
                f"What is printed is '{e.log.metric}': an answer counts if the class is among the best k."
                + (" It is 1 throughout, as it must be where there are no more than k classes." if full else ""),
            ),
        )
    _, loss, accuracy = e.pairs(validation=False)
    if e.classes is not None and e.classes > 2 and e.log.metric == "binary accuracy":
        return Finding(
            "metric-mismatch",
            0.9,
            (
                f"What is printed is 'binary accuracy', which counts each of {e.classes} outputs for itself: a "
                f"constant answer gets {1 - 1 / e.classes:.3f}.",
            ),
        )
    if e.classes is not None and e.classes > 2 and len(loss) >= 2:
        level, cost = 1 - 1 / e.classes, _entropy(1 / e.classes)
        _, unseen, right = e.pairs(validation=True)
        both = not len(unseen) or (abs(right[0] - level) < 0.01 and abs(unseen[0] - cost) < 0.2 * cost)
        if both and abs(accuracy[:2] - level).max() < 0.01 and abs(loss[0] - cost) < 0.2 * cost:
            moves = float(np.ptp(loss)) > 0.1 * float(loss[0])
            return Finding(
                "metric-mismatch",
                0.85 if moves else 0.5,  # a training that is resumed may stand there by chance
                (
                    f"Accuracy begins at {accuracy[0]:.3f} and loss at {loss[0]:.3f}. With {e.classes} outputs, each "
                    f"counted for itself, a constant answer gets {level:.3f} and {cost:.3f}.",
                ),
            )
    return None


# What is not learned -----------------------------------------------------------------------------------------------


def class_imbalance(e: Evidence) -> Finding | None:
    """Accuracy stands at one high level, from the first quarter of the epochs on."""
    curve = e.accuracy if e.accuracy is not None else e.validation_accuracy
    if curve is None or len(curve) < 3 or e.top:
        return None
    level = float(np.median(curve.values))
    chance = 1 / e.classes if e.classes else 0.5
    still = _stands(curve)
    unseen_still = e.validation_accuracy is None or _stands(e.validation_accuracy) is not None
    if still is None or not unseen_still or not chance + 0.08 < level < 0.9999:
        return None
    # A constant answer costs no less than the entropy of its share; of two classes, probabilities that know a little
    # more may still all name the common one.
    knows = (0.95 if e.classes and e.classes > 2 else 0.85) * _entropy(level)
    if any(one is not None and one.end < knows for one in (e.loss, e.validation_loss)):
        return None
    told = [
        f"Accuracy is {level:.4g} in {int(still.sum())} of {len(curve)} epochs, from epoch "
        f"{curve.epochs[np.argmax(still)]} on."
    ]
    _, loss, _ = e.pairs(validation=False)
    if len(loss):
        told.append(
            f"A constant answer that knows a share of {level:.4g} costs {_entropy(level):.4g}; the loss ends at "
            f"{loss[-1]:.4g}."
        )
    return Finding("class-imbalance", 0.5 + 0.45 * (level - chance) / (1 - chance), tuple(told))


def _stands(curve: Curve) -> NDArray[np.bool_] | None:
    """Where an accuracy is at its median level, if it got there soon and stays; None for one that moves."""
    still = np.asarray(np.abs(curve.values - np.median(curve.values)) <= 0.002)
    first = int(np.argmax(still))
    return still if still.mean() >= 0.7 and first <= max(1, len(curve) // 4) and still[first:].mean() > 0.9 else None


def constant_predictor(e: Evidence) -> Finding | None:
    """Loss stays near ln C and accuracy near 1 / C, or nothing moves at all."""
    still = _nothing_moves(e) or _at_chance(e) or _next_to_nothing(e)
    if still is not None:
        return still
    for validation in (True, False):
        _, loss, accuracy = e.pairs(validation=validation)
        if len(loss) < 2:
            continue
        sizes = np.array([e.classes]) if e.classes else np.arange(2, 1001)
        cost = float(np.median(loss))
        classes = int(sizes[np.argmin(np.abs(np.log(sizes) - cost))])
        near = np.abs(loss - np.log(classes)) <= 0.03 * np.log(classes) + 0.01
        chance = 1 / classes
        # A few percent above chance is no learning to speak of; for many classes chance is small.
        if near.mean() < 0.7 or np.median(accuracy) > chance * 1.35 + 0.01 or np.median(accuracy) < chance * 0.5 - 0.02:
            continue
        _, trained, _ = e.pairs(validation=False)
        if len(trained) and trained[-1] < 0.9 * np.log(classes):
            continue  # training does learn
        if accuracy.max() > 2 * chance + 0.1:
            continue  # it had learned, and fell back
        moved = float(accuracy[-1] - accuracy[0])
        slowly = moved > 0.02
        return Finding(
            "constant-predictor",
            0.62 if slowly else 0.85,
            (
                f"The {_which(validation)} loss stays near ln {classes} = {np.log(classes):.3f} (median {cost:.3f}) "
                f"and accuracy near 1/{classes} (median {np.median(accuracy):.3f}): what knowing nothing gets.",
            ),
            (f"Accuracy moves from {accuracy[0]:.3f} to {accuracy[-1]:.3f}: slowly, something is learned.",)
            if slowly
            else (),
        )
    return None


def _nothing_moves(e: Evidence) -> Finding | None:
    """Training loss and accuracy stand where they began, at an accuracy that guessing gets."""
    _, loss, accuracy = e.pairs(validation=False)
    chance = 1 / e.classes if e.classes else 0.5
    if len(loss) < 4 or np.ptp(loss) > 0.01 * abs(loss[0]) or np.ptp(accuracy) > 0.01 or accuracy.max() > 2.0 * chance:
        return None
    return Finding(
        "constant-predictor",
        0.82,
        (
            f"In {len(loss)} epochs training loss moves by {_share(float(np.ptp(loss)), abs(float(loss[0])))} and "
            f"accuracy by {np.ptp(accuracy):.4f}, about {np.median(accuracy):.2f}: nothing is learned.",
        ),
    )


def _at_chance(e: Evidence) -> Finding | None:
    """Every answer is as good as guessing, whatever the loss does; only where the classes are known."""
    _, loss, accuracy = e.pairs(validation=False)
    if not e.classes or len(loss) < 4:
        return None
    chance = 1 / e.classes
    if accuracy.max() > 1.3 * chance + 0.02 or np.median(loss) < 0.95 * np.log(e.classes):
        return None
    return Finding(
        "constant-predictor",
        0.8,
        (
            f"Training accuracy is never above {accuracy.max():.3f}; guessing among {e.classes} classes gets "
            f"{chance:.3f}. The loss ends at {loss[-1]:.4g}.",
        ),
    )


def _next_to_nothing(e: Evidence) -> Finding | None:
    """Training is stuck with less than twice what guessing gets, and most of what knowing nothing costs."""
    _, loss, accuracy = e.pairs(validation=False)
    if not e.classes or len(loss) < 6:
        return None
    late = slice(len(loss) // 2, None)
    level, cost = float(np.median(accuracy[late])), float(np.median(loss[late]))
    stuck = np.ptp(accuracy[late]) < 0.05 and float(loss[late][0] - loss[-1]) < 0.03 * cost
    if not stuck or level > 2 / e.classes or level > 0.6 or cost < 0.85 * np.log(e.classes):
        return None
    return Finding(
        "constant-predictor",
        0.62,
        (
            f"In the second half training accuracy stands about {level:.3f} and loss about {cost:.3f}; guessing among "
            f"{e.classes} classes gets {1 / e.classes:.3f} and {np.log(e.classes):.3f}.",
        ),
        ("It is a little better than guessing: perhaps a few answers are given, not one.",),
    )


# What turns ---------------------------------------------------------------------------------------------------------


def _turn(e: Evidence) -> tuple[Curve, float, float] | None:
    """The validation loss, its rise after its least level, and how sure that is; None where it does not rise."""
    curve = e.validation_loss
    if curve is None or len(curve) < 4 or curve.lowest >= len(curve) - max(1, curve.width):
        return None
    sure = curve.surely(curve.rise, len(curve) - curve.lowest)
    if len(curve) < 8:  # in so few the turn itself looks like noise; a tenth of the level is much of it
        sure = max(sure, curve.rise / max(0.1 * abs(float(np.median(curve.values))) * np.sqrt(2.0), 1e-6))
    if curve.rise < max(0.02, 0.03 * abs(float(curve.smooth[curve.lowest]))) or sure < _SURE:
        return None
    return curve, curve.rise, float(sure)


def _accuracy_since(e: Evidence, epoch: int) -> tuple[float, float] | None:
    """How validation accuracy has changed since an epoch, and the change that noise makes."""
    curve = e.validation_accuracy
    if curve is None or len(curve) < 3:
        return None
    then = int(np.argmin(np.abs(curve.epochs - epoch)))
    noise = curve.noise
    if e.samples:
        noise = max(noise, 0.5 * float(accuracy_standard_error(np.clip(curve.end, 0, 1), e.samples)))
    return curve.end - float(curve.smooth[then]), noise * float(np.sqrt(2 / curve.width))


def falls_back(e: Evidence) -> bool:
    """Whether validation accuracy has surely fallen since the validation loss was least, and that has risen."""
    turn = _turn(e)
    since = None if turn is None else _accuracy_since(e, int(turn[0].epochs[turn[0].lowest]))
    return since is not None and -since[0] > max(2.0 * since[1], 0.008)


def overfitting(e: Evidence) -> Finding | None:
    """Validation loss rises and validation accuracy falls, while training goes on."""
    turn = _turn(e)
    if turn is None:
        return _gap(e)
    curve, rise, _ = turn
    since = _accuracy_since(e, int(curve.epochs[curve.lowest]))
    if since is None:
        return Finding(
            "overfitting",
            0.5,
            (_rises(curve, rise),),
            ("Without accuracy, overconfidence looks the same.",),
            _since(curve),
        )
    change, _ = since
    fell = falls_back(e)
    told = (_rises(curve, rise), f"Validation accuracy has changed by {change:+.3f} since then.")
    if fell:
        return Finding("overfitting", min(0.75 + min(0.2, 2 * -change), _trust(curve)), told, epochs=_since(curve))
    return Finding(
        "overfitting", 0.4, told[:1], (f"Validation accuracy has not fallen since: {change:+.3f}.",), _since(curve)
    )


def _gap(e: Evidence) -> Finding | None:
    """Training gets ever better while validation has stopped: the gap grows, though the validation loss does not."""
    accuracy, right = e.accuracy, e.validation_accuracy
    if accuracy is None or right is None or len(right) != len(accuracy) or len(right) < 5 or e.top:
        return None
    half = len(right) // 2
    now = accuracy.end - right.end
    then = float(np.median(accuracy.values[: half + 1]) - np.median(right.values[: half + 1]))
    still = right.end - float(np.median(right.values[half : half + right.width])) < 0.03
    if now < 0.1 or now < then + 0.04 or not still:
        return None
    return Finding(
        "overfitting",
        0.5 + min(0.1, now / 4),
        (
            f"Training accuracy ends {now:.2f} above that of validation, which has stood since epoch "
            f"{right.epochs[half]}; in the first half the gap was {then:.2f}.",
        ),
        ("Validation loss does not surely rise.",),
    )


def overconfidence(e: Evidence) -> Finding | None:
    """Validation loss rises while validation accuracy does not fall."""
    turn = _turn(e)
    if turn is None:
        return _far_above(e)
    curve, rise, sure = turn
    since = _accuracy_since(e, int(curve.epochs[curve.lowest]))
    if since is None:
        return Finding("overconfidence", 0.45, (_rises(curve, rise),), epochs=_since(curve))
    change, _ = since
    told = [_rises(curve, rise), f"Validation accuracy has changed by {change:+.3f} since then."]
    excess = e.miscalibrated(validation=True)
    if e.classes and len(excess) and excess[-1] > 0.02:
        told.append(f"At least {excess[-1]:.2f} nats of the last validation loss are owed to miscalibration.")
    if falls_back(e):
        return Finding(
            "overconfidence", 0.45, tuple(told), ("Accuracy falls too: chances themselves get worse.",), _since(curve)
        )
    relative = rise / max(curve.end - rise, 1e-9)
    score = min(0.55 + min(0.37, 2 * relative) + min(0.05, 0.01 * sure), _trust(curve))
    return Finding("overconfidence", score, tuple(told), epochs=_since(curve))


def _trust(curve: Curve) -> float:
    """What a trend may score at most: little, where there are few epochs."""
    return 0.5 + 0.06 * len(curve)


def _since(curve: Curve) -> tuple[int, ...]:
    """The epochs after the least of a curve."""
    return tuple(curve.epochs[curve.lowest + 1 :])


def _rises(curve: Curve, rise: float) -> str:
    low = float(curve.smooth[curve.lowest])
    return (
        f"Validation loss was lowest about epoch {curve.epochs[curve.lowest]} ({low:.4g}) and ends {rise:.3g} higher, "
        f"{_times(curve.end, low)} times as high."
    )


def _far_above(e: Evidence) -> Finding | None:
    """A part of a training in which validation already costs far more than training, at an accuracy that stands."""
    loss, unseen = e.loss, e.validation_loss
    if loss is None or unseen is None or e.validation_accuracy is None or len(unseen) < 3 or not e.classes:
        return None
    excess = e.miscalibrated(validation=True)
    late = excess[len(excess) // 2 :]
    if unseen.end > 2.5 * loss.end and len(late) and np.median(late) > 0.1 and unseen.end > 0.3:
        return Finding(
            "overconfidence",
            0.42,
            (
                f"Validation costs {unseen.end:.3g}, training {loss.end:.3g}; with {e.classes} classes calibrated "
                f"predictions of that accuracy would cost at most {unseen.end - float(np.median(late)):.3g}.",
            ),
            ("The validation loss does not rise in what is shown.",),
        )
    return None


def label_noise(e: Evidence) -> Finding | None:
    """Overfitting with a training accuracy that climbs to the end: perhaps wrong labels are learned last."""
    found = overfitting(e)
    if found is None or found.score < 0.7 or e.accuracy is None:
        return _below_validation(e)
    return Finding(
        "label-noise",
        0.4,
        (f"Training accuracy goes on to {e.accuracy.end:.3f} while validation falls back.",),
        ("Curves cannot tell wrong labels from right ones that are learned by heart.",),
    )


def _below_validation(e: Evidence) -> Finding | None:
    """Training is right less often than validation, as with labels that are wrong in the training part alone."""
    accuracy, right = e.accuracy, e.validation_accuracy
    if train_mode_penalty(e) is None or accuracy is None or right is None or right.end - accuracy.end < 0.03:
        return None
    return Finding(
        "label-noise",
        0.4,
        (f"Training ends with an accuracy of {accuracy.end:.3f}, validation with {right.end:.3f}.",),
        ("Dropout and augmentation leave the same mark.",),
    )


def underconfidence(e: Evidence) -> Finding | None:
    """Training and validation cost more than calibrated predictions of that accuracy would, and get cheaper."""
    excess = e.miscalibrated(validation=True)
    if e.loss is None or len(e.miscalibrated(validation=False)) < 3 or e.loss.end > e.loss.start or e.top:
        return None
    classes = e.classes or 10
    _, loss, accuracy = e.pairs(validation=False)
    limit = ceiling(accuracy, classes)
    late = slice(-max(2, len(loss) // 3), None)
    over = float(np.median((loss - limit)[late]))
    if over < 0.1 or np.median(accuracy[late]) < 0.6 or (len(excess) and np.median(excess[late]) < 0.05):
        return None
    falling = float(loss[late][0] - loss[-1]) > 0.08 * float(loss[-1])  # early in a training this is how it is
    told = (
        f"Training loss {loss[-1]:.3g} with accuracy {accuracy[-1]:.3g}: calibrated predictions would cost at most "
        f"{limit[-1]:.3g} with {classes} classes."
    )
    against = [] if e.classes else ["It depends on the number of classes, which was not given."]
    if falling:
        against.append("The loss still falls: early in a training this is how it is.")
    return Finding("underconfidence", 0.72 if e.classes and not falling else 0.4, (told,), tuple(against))


# Two ways to ask ----------------------------------------------------------------------------------------------------


def train_mode_penalty(e: Evidence) -> Finding | None:
    """Validation does better than training in most epochs."""
    loss, unseen = e.log.loss, e.log.validation_loss
    if loss is None or unseen is None or e.epochs < 3:
        return None
    both = np.isfinite(loss) & np.isfinite(unseen)
    if both.sum() < 3:
        return None
    better = unseen[both] < loss[both]
    accuracy, right = e.log.accuracy, e.log.validation_accuracy
    if accuracy is not None and right is not None:
        better &= ~(right[both] < accuracy[both])
    # Training prints a mean over the epoch: what it would have cost at its end lies between this epoch and the next.
    ended = np.append((loss[both][:-1] + loss[both][1:]) / 2, loss[both][-1])
    late = slice(-max(3, e.epochs // 3), None)
    ratio = float(np.median(unseen[both][late] / np.maximum(ended[late], 1e-9)))
    if better.mean() < 0.6 or not 0 < ratio < 0.98:
        return None
    # A mean of n losses that spread about as much as they cost is uncertain by one in sqrt(n); a fifth more for tails.
    chance = 2.4 / float(np.sqrt(e.samples)) if e.samples else 0.0
    beyond = max(0.0, 0.97 - ratio - chance)
    against = (f"With {e.samples} samples chance alone may make {chance:.0%} of it.",) if e.samples else ()
    return Finding(
        "train-mode-penalty",
        0.45 + 0.45 * min(1.0, beyond / 0.35) * float(better.mean()) if beyond else 0.35,
        (
            f"Validation costs less than training, and is right as often or more, in {int(better.sum())} of "
            f"{int(both.sum())} epochs; at last it costs {ratio:.2f} times as much.",
        ),
        against,
    )


def _spikes(curve: Curve, *, least: float = 0.0) -> tuple[int, ...]:
    """Which epochs stand far above those before and after, by more than `least` above a smooth curve."""
    if len(curve) < 7 or curve.values.min() < 0:
        return ()
    return tuple(curve.epochs[find_spikes(curve.values) & (curve.values - curve.smooth > least)])


def _wild_validation(e: Evidence) -> tuple[float, list[str], tuple[int, ...]] | None:
    """How sure it is that validation is asked another network than training is, why, and which epochs show it."""
    loss, unseen, accuracy, right = e.loss, e.validation_loss, e.accuracy, e.validation_accuracy
    if loss is None or unseen is None or len(unseen) < 4 or len(loss) < 4:
        return None
    told, score = [], 0.0
    spikes = _spikes(unseen)
    spiky, steady = len(spikes), len(_spikes(loss))
    relative = unseen.noise / max(unseen.end, 1e-3) / max(loss.noise / max(loss.end, 1e-3), 1e-3)
    if spiky >= 2 and steady == 0:
        score = 0.6 + min(0.25, 0.04 * spiky)
        told.append(f"Validation loss jumps and comes back in {spiky} epochs, and training loss in none.")
    elif relative > 8 and unseen.noise > 0.15 * unseen.end and unseen.end > 0.01:
        score = 0.62
        told.append(
            f"From epoch to epoch validation loss moves by {_share(unseen.noise, unseen.end)}, training loss by "
            f"{_share(loss.noise, loss.end)}."
        )
    if accuracy is not None and right is not None and len(right) >= 4:
        early = slice(0, max(2, len(right) // 3))
        gap = float(np.median(accuracy.values[early]) - np.median(right.values[early]))
        if (
            gap > 0.2
            and accuracy.end - right.end < 0.7 * gap
            and unseen.values[early].max() > 2 * unseen.end
            and right.end > float(right.values[early].min()) + 0.15
        ):
            score = max(score, 0.7)
            told.append(
                f"In the first epochs validation accuracy is about {np.median(right.values[early]):.2f} while training "
                f"gets to about {np.median(accuracy.values[early]):.2f}; later it follows."
            )
        done = int(np.argmax(accuracy.values >= 0.995)) if accuracy.values.max() >= 0.995 else len(right)
        if len(right) == len(accuracy) and done < len(right) // 2:
            gained, fell = right.end - float(right.values[done]), unseen.end / max(float(unseen.values[done]), 1e-9)
            if gained > 0.08 and fell < 0.7:
                score = max(score, 0.68)
                told.append(
                    f"Training is right in {accuracy.values[done]:.1%} from epoch {accuracy.epochs[done]} on; after "
                    f"that validation accuracy still gains {gained:.2f}, and its loss falls to {fell:.2f} times."
                )
        count = min(len(right), len(accuracy)) // 2
        as_right = right.values[-count:] >= accuracy.values[-count:] - 0.02
        if as_right.mean() > 0.8 and unseen.end > 3 * loss.end and unseen.end > 0.1 and _turn(e) is None:
            score = max(score, 0.8)
            told.append(
                f"Validation is right as often as training ({right.end:.3f}) and costs "
                f"{_times(unseen.end, loss.end)} times as much."
            )
    return (score, told, spikes) if told else None


def batch_norm_statistics(e: Evidence) -> Finding | None:
    """Training is fine and validation is wild, or at chance."""
    wild = _wild_validation(e)
    against = ("It needs a network with BatchNormalization; is there one?",)
    if wild is None:
        stuck = shuffled_evaluation(e)
        if stuck is None:
            return None
        return Finding("batch-norm-statistics", 0.6, stuck.evidence, against)
    return Finding("batch-norm-statistics", wild[0], tuple(wild[1]), against, wild[2])


def dropout_batch_norm_shift(e: Evidence) -> Finding | None:
    """As for statistics that lag; dropout before BatchNormalization leaves the same marks."""
    wild = _wild_validation(e)
    if wild is None:
        return None
    return Finding(
        "dropout-batch-norm-shift",
        wild[0] - 0.08,
        tuple(wild[1]),
        ("Curves cannot tell it from statistics that lag; it needs dropout before a BatchNormalization.",),
        wild[2],
    )


# The data -----------------------------------------------------------------------------------------------------------


def unshuffled_validation_split(e: Evidence) -> Finding | None:
    """Validation accuracy is below chance, or hardly above it, once training has learned."""
    learned = _once_learned(e)
    if learned is None or e.top:
        return None
    trained, right = learned
    chance = 1 / e.classes if e.classes else 0.1
    low = min(float(np.median(right[: max(2, len(right) // 4)])), float(np.median(right)))
    if low < 0.7 * chance and trained > low + 0.3:
        return Finding(
            "unshuffled-validation-split",
            0.88,
            (
                f"Validation accuracy is {low:.3f} in half of the epochs in which training has learned, less than "
                f"guessing gets; training ends at {trained:.3f}.",
            ),
        )
    if e.classes and e.classes > 2 and right.max() < 2 * chance and trained > 4 * chance and trained > 0.5:
        return Finding(
            "unshuffled-validation-split",
            0.8,
            (
                f"While training gets to {trained:.3f}, validation accuracy is never above {right.max():.3f}; guessing "
                f"among {e.classes} classes gets {chance:.3f}.",
            ),
            ("Labels in another order, or data of another kind, leave the same mark.",),
        )
    return None


def shuffled_evaluation(e: Evidence) -> Finding | None:
    """What is evaluated is right no more often than chance, and training has learned."""
    learned = _once_learned(e)
    if not e.classes or learned is None or e.top:
        return None
    trained, right = learned
    chance = 1 / e.classes
    tested = [value / (100 if value > 1 else 1) for name, value in e.log.after.items() if "acc" in name]
    near = min(0.4 * chance, 0.05) + 0.01
    at_chance = [value for value in tested if abs(value - chance) < near]
    if at_chance and float(np.median(right[-3:])) > chance + 0.3:
        return Finding(
            "shuffled-evaluation",
            0.85,
            (
                f"Validation ends at {right[-1]:.3f}; what was evaluated afterwards is right in {at_chance[0]:.3f}, "
                f"about as guessing among {e.classes} classes.",
            ),
        )
    level = float(np.median(right))
    if trained < chance + 0.3 or abs(level - chance) > near:
        return None
    return Finding(
        "shuffled-evaluation",
        0.62 if right.max() < chance + 1.5 * near else 0.4,
        (
            f"Training gets to {trained:.3f}, and validation stays about {level:.3f}, as guessing among {e.classes} "
            "classes would.",
        ),
        ("Validation data of other classes or another kind may do the same.",),
    )


def _once_learned(e: Evidence) -> tuple[float, Floats] | None:
    """The accuracy that training ends with, and those of validation since training had learned half of it."""
    accuracy, right = e.accuracy, e.validation_accuracy
    if accuracy is None or right is None or len(right) < 2 or accuracy.end < accuracy.start:
        return None
    half = int(np.argmax(accuracy.values >= (accuracy.start + accuracy.end) / 2))
    since = right.values[right.epochs >= accuracy.epochs[half]]
    return (accuracy.end, since) if len(since) >= 2 else None


def distribution_shift(e: Evidence) -> Finding | None:
    """A gap that is there from the start and stays."""
    accuracy, right = e.accuracy, e.validation_accuracy
    if accuracy is None or right is None or len(right) < 5 or _turn(e) is not None or len(right) != len(accuracy):
        return None
    if e.log.epochs[0] > 2:
        return None  # a part of a training: what was at the start is not shown
    gaps = accuracy.values - right.values
    fifth = max(2, len(gaps) // 5)  # in the first of them nothing may have been learned yet
    half = int(np.argmax(accuracy.values >= (accuracy.start + accuracy.end) / 2))  # nothing is learned by heart yet
    first = max(float(np.median(gaps[fifth : 2 * fifth])), float(np.median(gaps[half : half + 3])))
    last = float(np.median(gaps[-fifth:]))
    if first < 0.06 or last < max(0.08, 0.7 * first) or last > 1.8 * first:  # what grows with learning is learned
        return None
    return Finding(
        "distribution-shift",
        0.52 + min(0.25, first),
        (f"Validation accuracy lies {first:.2f} below training early on, and {last:.2f} at the end.",),
    )


def small_validation_set(e: Evidence) -> Finding | None:
    """Validation accuracy moves in steps of one sample among few."""
    curve, samples = e.validation_accuracy, e.samples
    if curve is None or samples is None or samples > 500 or len(curve) < 3:
        return None
    level = float(np.clip(np.median(curve.values), 0.02, 0.98))
    error = float(accuracy_standard_error(level, samples))
    source = "As given" if e.validation_size else "As its values say"
    return Finding(
        "small-validation-set",
        0.35 + 0.3 * min(1.0, error / 0.06),
        (
            f"{source}, {samples} samples are validated on: one sample is {1 / samples:.4f}, and chance alone makes a "
            f"standard error of {error:.3f}.",
        ),
    )


# Training itself ----------------------------------------------------------------------------------------------------


def optimizer_instability(e: Evidence) -> Finding | None:
    """Training loss jumps, or turns and rises."""
    loss = e.loss
    if loss is None or len(loss) < 5 or _negative(e) is not None:
        return None
    learned = abs(loss.start - float(loss.smooth[loss.lowest]))
    jumps = _spikes(loss, least=0.15 * learned)  # of a loss near 0 any step is a large share of it
    rise = loss.rise
    low = float(loss.smooth[loss.lowest])
    rises = rise > max(0.05, 0.2 * low) and loss.surely(rise, len(loss) - loss.lowest) > _SURE
    told = []
    collapse = _collapse(e)
    if collapse is not None:
        told.append(collapse)
    restless = len(loss) >= 8 and loss.noise > max(0.1 * loss.end, 0.05 * learned, 0.05)
    if restless:
        told.append(f"From epoch to epoch training loss moves by {_share(loss.noise, loss.end)} about its trend.")
    if not jumps and not rises and collapse is None and not restless:
        return None
    if jumps:
        told.append(f"Training loss jumps to more than one and a half times its level in {len(jumps)} epochs.")
    if rises:
        told.append(
            f"Training loss was lowest about epoch {loss.epochs[loss.lowest]} ({low:.4g}) and ends at {loss.end:.4g}."
        )
    score = 0.7 + min(0.2, 0.05 * len(jumps)) + 0.08 * rises + 0.1 * (collapse is not None)
    marked = jumps or (_since(loss) if rises else ())
    return Finding("optimizer-instability", score, tuple(told), epochs=marked)


def _collapse(e: Evidence) -> str | None:
    """What there is to say where training accuracy had risen well, and has fallen back."""
    curve = e.accuracy
    if curve is None or len(curve) < 5 or e.top:
        return None
    lost = float(curve.smooth[curve.highest]) - curve.end
    if lost < max(0.15, 6 * curve.noise):
        return None
    return (
        f"Training accuracy had got to {curve.smooth[curve.highest]:.2f} about epoch {curve.epochs[curve.highest]} and "
        f"ends at {curve.end:.2f}."
    )


def threshold_plateau(e: Evidence) -> Finding | None:
    """Loss falls over epochs in which accuracy does not move."""
    _, loss, accuracy = e.pairs(validation=False)
    if len(loss) < 6 or e.top:
        return None
    shortest = max(5, len(loss) // 4)
    best = None
    for start in range(len(loss) - shortest):
        still = np.abs(accuracy[start:] - accuracy[start]) <= 0.003
        length = len(still) if still.all() else int(np.argmin(still))
        if length >= shortest and accuracy[start] < 0.93:
            gained = (loss[start] - loss[start + length - 1]) / max(loss[start], 1e-9)
            if gained > 0.08 and (best is None or length > best[1]):
                best = start, length, gained
    if best is None:
        return None
    start, length, gained = best
    epochs = e.pairs(validation=False)[0]
    return Finding(
        "threshold-plateau",
        0.4 + 0.25 * min(1.0, length / len(loss) / 0.6),
        (
            f"From epoch {epochs[start]} to {epochs[start + length - 1]} training accuracy stands at "
            f"{accuracy[start]:.3f} while training loss falls by {gained:.0%}.",
        ),
        epochs=tuple(epochs[start : start + length]),
    )


def extra_loss_terms(e: Evidence) -> Finding | None:
    """Nearly all training answers are right, and the loss has stopped far above 0."""
    _, loss, accuracy = e.pairs(validation=False)
    if len(loss) < 4 or e.top:
        return None
    late = slice(-max(2, len(loss) // 5), None)
    level, right = float(np.median(loss[late])), float(np.median(accuracy[late]))
    # The loss of a network that is right and not held back falls with one over the epochs: by a fifth in this time.
    standing = float(loss[late][0] - loss[-1]) < (0.12 if right > 0.98 else 0.05) * level
    if right < 0.97 or level < max(0.15, 6 * (1 - right)) or not standing:
        return None
    return Finding(
        "extra-loss-terms",
        0.72,
        (f"Training is right in {right:.1%} and its loss stands at {level:.3g}: something else is counted in it.",),
    )


def healthy(e: Evidence) -> Finding | None:
    """Training has learned, the validation loss does not turn, and nothing is out of bounds."""
    loss, unseen = e.loss, e.validation_loss
    right = e.accuracy if e.accuracy is not None else e.validation_accuracy
    if loss is None or right is None or e.epochs < 3 or e.log.broken.any():
        return None
    if e.violations(validation=False).any() or e.violations(validation=True).any() or _negative(e) is not None:
        return None
    learned = loss.start - loss.end > max(2 * loss.noise, 0.005)
    chance = 1 / e.classes if e.classes else 0.0
    learned &= right.end > 2 * chance or right.end > 0.6
    if _turn(e) is not None:
        return None
    if not learned:
        stands = right.end > max(0.6, 2 * chance) and abs(loss.start - loss.end) < 0.05 * loss.start
        told = [f"Training stands at a loss of {loss.end:.3g} and an accuracy of {right.end:.3f}, and nothing turns."]
        return Finding("healthy", 0.52, tuple(told)) if stands else None
    apart = _gap(e) is not None
    told = [f"Training loss falls from {loss.start:.3g} to {loss.end:.3g}, accuracy ends at {right.end:.3f}."]
    if unseen is not None:
        told.append(f"Validation loss ends at {unseen.end:.3g}, not surely above its least.")
    against = ("Training accuracy moves away from that of validation.",) if apart else ()
    return Finding("healthy", 0.4 if unseen is None else 0.48 if apart else 0.58, tuple(told), against)


def cannot_tell(e: Evidence) -> Finding | None:
    """Too few epochs, or one of the two numbers alone."""
    missing = [
        name
        for name, curve in (
            ("loss", e.loss or e.validation_loss),
            ("accuracy", e.accuracy or e.validation_accuracy),
        )
        if curve is None
    ]
    if e.epochs >= 3 and not missing:
        return None
    told = [f"There is no {name}." for name in missing]
    if e.epochs < 3:
        told.append(f"There {'is one epoch' if e.epochs == 1 else f'are {e.epochs} epochs'}.")
    return Finding("cannot-tell", 0.55, tuple(told))


RULES: tuple[Rule, ...] = (
    numeric_failure,
    not_cross_entropy,
    swapped_arguments,
    double_softmax,
    saturated_outputs,
    metric_mismatch,
    class_imbalance,
    constant_predictor,
    overfitting,
    overconfidence,
    label_noise,
    underconfidence,
    train_mode_penalty,
    batch_norm_statistics,
    dropout_batch_norm_shift,
    unshuffled_validation_split,
    shuffled_evaluation,
    distribution_shift,
    small_validation_set,
    optimizer_instability,
    threshold_plateau,
    extra_loss_terms,
    healthy,
    cannot_tell,
)

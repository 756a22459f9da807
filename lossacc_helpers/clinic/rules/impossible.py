"""What the numbers cannot be: a bound that a cross-entropy cannot break, a value that a mistake produces."""

import numpy as np

from lossacc_helpers.clinic.evidence import Evidence, ceiling, half_digit
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.log import Floats
from lossacc_helpers.clinic.rules import marks
from lossacc_helpers.fingerprints import double_softmax_range

_LN2 = float(np.log(2))


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
    if e.top or marks.negative(e) is not None:
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
            f"In epoch {epochs[worst]} the {marks.which(validation)} loss is {loss[worst]:.4g} with accuracy "
            f"{accuracy[worst]:.4g}; a cross-entropy would be at least {(1 - accuracy[worst]) * _LN2:.4g}. "
            f"It is so in {int(broken.sum())} of {len(epochs)} epochs."
        )
        if best is None or score > best[0]:
            best = score, told
    return None if best is None else Finding("not-cross-entropy", best[0], (best[1],), epochs=tuple(sorted(where)))


def swapped_arguments(e: Evidence) -> Finding | None:
    """A loss is negative, which no cross-entropy of labels is; or the mark of a second softmax, which it leaves too."""
    lowest = marks.negative(e)
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
            f"The {marks.which(validation)} loss stays above {double_softmax_range(classes)[0]:.3f}, the floor that a "
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
                        f"The {marks.which(validation)} loss is {np.median(ratio):.2f} times the share of errors in "
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
        level, cost = 1 - 1 / e.classes, marks.entropy(1 / e.classes)
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

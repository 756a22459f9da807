"""What is not learned: one answer for all, or none better than guessing."""

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers.clinic.evidence import Curve, Evidence
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.rules import marks


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
    knows = (0.95 if e.classes and e.classes > 2 else 0.85) * marks.entropy(level)
    if any(one is not None and one.end < knows for one in (e.loss, e.validation_loss)):
        return None
    told = [
        f"Accuracy is {level:.4g} in {int(still.sum())} of {len(curve)} epochs, from epoch "
        f"{curve.epochs[np.argmax(still)]} on."
    ]
    _, loss, _ = e.pairs(validation=False)
    if len(loss):
        told.append(
            f"A constant answer that knows a share of {level:.4g} costs {marks.entropy(level):.4g}; the loss ends at "
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
                f"The {marks.which(validation)} loss stays near ln {classes} = {np.log(classes):.3f} (median "
                f"{cost:.3f}) and accuracy near 1/{classes} (median {np.median(accuracy):.3f}): what "
                "knowing nothing gets.",
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
            f"In {len(loss)} epochs training loss moves by {marks.share(float(np.ptp(loss)), abs(float(loss[0])))} and "
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

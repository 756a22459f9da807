"""The data: parts that are not alike, labels in another order, too few samples."""

import numpy as np

from lossacc_helpers.clinic.evidence import Evidence
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.log import Floats
from lossacc_helpers.clinic.rules import marks
from lossacc_helpers.intervals import accuracy_standard_error


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
    if accuracy is None or right is None or len(right) < 5 or marks.turn(e) is not None or len(right) != len(accuracy):
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

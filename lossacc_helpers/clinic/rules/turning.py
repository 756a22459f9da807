"""What turns: a validation loss that rises while training goes on, and what else is too sure or not sure enough."""

import numpy as np

from lossacc_helpers.clinic.evidence import Curve, Evidence, ceiling
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.rules import marks
from lossacc_helpers.clinic.rules.modes import train_mode_penalty


def overfitting(e: Evidence) -> Finding | None:
    """Validation loss rises and validation accuracy falls, while training goes on."""
    turn = marks.turn(e)
    if turn is None:
        return gap(e)
    curve, rise, _ = turn
    since = marks.accuracy_since(e, int(curve.epochs[curve.lowest]))
    if since is None:
        return Finding(
            "overfitting",
            0.5,
            (_rises(curve, rise),),
            ("Without accuracy, overconfidence looks the same.",),
            marks.since_least(curve),
        )
    change, _ = since
    fell = marks.falls_back(e)
    told = (_rises(curve, rise), f"Validation accuracy has changed by {change:+.3f} since then.")
    if fell:
        return Finding(
            "overfitting", min(0.75 + min(0.2, 2 * -change), _trust(curve)), told, epochs=marks.since_least(curve)
        )
    return Finding(
        "overfitting",
        0.4,
        told[:1],
        (f"Validation accuracy has not fallen since: {change:+.3f}.",),
        marks.since_least(curve),
    )


def gap(e: Evidence) -> Finding | None:
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
    turn = marks.turn(e)
    if turn is None:
        return _far_above(e)
    curve, rise, sure = turn
    since = marks.accuracy_since(e, int(curve.epochs[curve.lowest]))
    if since is None:
        return Finding("overconfidence", 0.45, (_rises(curve, rise),), epochs=marks.since_least(curve))
    change, _ = since
    told = [_rises(curve, rise), f"Validation accuracy has changed by {change:+.3f} since then."]
    excess = e.miscalibrated(validation=True)
    if e.classes and len(excess) and excess[-1] > 0.02:
        told.append(f"At least {excess[-1]:.2f} nats of the last validation loss are owed to miscalibration.")
    if marks.falls_back(e):
        return Finding(
            "overconfidence",
            0.45,
            tuple(told),
            ("Accuracy falls too: chances themselves get worse.",),
            marks.since_least(curve),
        )
    relative = rise / max(curve.end - rise, 1e-9)
    score = min(0.55 + min(0.37, 2 * relative) + min(0.05, 0.01 * sure), _trust(curve))
    return Finding("overconfidence", score, tuple(told), epochs=marks.since_least(curve))


def _trust(curve: Curve) -> float:
    """What a trend may score at most: little, where there are few epochs."""
    return 0.5 + 0.06 * len(curve)


def _rises(curve: Curve, rise: float) -> str:
    low = float(curve.smooth[curve.lowest])
    return (
        f"Validation loss was lowest about epoch {curve.epochs[curve.lowest]} ({low:.4g}) and ends {rise:.3g} higher, "
        f"{marks.times(curve.end, low)} times as high."
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

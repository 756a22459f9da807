"""Two ways to ask one network: in training and in inference it answers differently."""

import numpy as np

from lossacc_helpers.clinic.evidence import Evidence
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.rules import marks
from lossacc_helpers.clinic.rules.data import shuffled_evaluation


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


def _wild_validation(e: Evidence) -> tuple[float, list[str], tuple[int, ...]] | None:
    """How sure it is that validation is asked another network than training is, why, and which epochs show it."""
    loss, unseen, accuracy, right = e.loss, e.validation_loss, e.accuracy, e.validation_accuracy
    if loss is None or unseen is None or len(unseen) < 4 or len(loss) < 4:
        return None
    told, score = [], 0.0
    spikes = marks.jumps(unseen)
    spiky, steady = len(spikes), len(marks.jumps(loss))
    relative = unseen.noise / max(unseen.end, 1e-3) / max(loss.noise / max(loss.end, 1e-3), 1e-3)
    if spiky >= 2 and steady == 0:
        score = 0.6 + min(0.25, 0.04 * spiky)
        told.append(f"Validation loss jumps and comes back in {spiky} epochs, and training loss in none.")
    elif relative > 8 and unseen.noise > 0.15 * unseen.end and unseen.end > 0.01:
        score = 0.62
        told.append(
            f"From epoch to epoch validation loss moves by {marks.share(unseen.noise, unseen.end)}, training loss by "
            f"{marks.share(loss.noise, loss.end)}."
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
        if as_right.mean() > 0.8 and unseen.end > 3 * loss.end and unseen.end > 0.1 and marks.turn(e) is None:
            score = max(score, 0.8)
            told.append(
                f"Validation is right as often as training ({right.end:.3f}) and costs "
                f"{marks.times(unseen.end, loss.end)} times as much."
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

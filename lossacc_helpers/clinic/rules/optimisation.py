"""Training itself: it jumps, stands, or counts more than the answers cost."""

import numpy as np

from lossacc_helpers.clinic.evidence import Evidence
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.rules import marks


def optimizer_instability(e: Evidence) -> Finding | None:
    """Training loss jumps, or turns and rises."""
    loss = e.loss
    if loss is None or len(loss) < 5 or marks.negative(e) is not None:
        return None
    learned = abs(loss.start - float(loss.smooth[loss.lowest]))
    jumps = marks.jumps(loss, least=0.15 * learned)  # of a loss near 0 any step is a large share of it
    rise = loss.rise
    low = float(loss.smooth[loss.lowest])
    rises = rise > max(0.05, 0.2 * low) and loss.surely(rise, len(loss) - loss.lowest) > marks.SURE
    told = []
    collapse = _collapse(e)
    if collapse is not None:
        told.append(collapse)
    restless = len(loss) >= 8 and loss.noise > max(0.1 * loss.end, 0.05 * learned, 0.05)
    if restless:
        told.append(f"From epoch to epoch training loss moves by {marks.share(loss.noise, loss.end)} about its trend.")
    if not jumps and not rises and collapse is None and not restless:
        return None
    if jumps:
        told.append(f"Training loss jumps to more than one and a half times its level in {len(jumps)} epochs.")
    if rises:
        told.append(
            f"Training loss was lowest about epoch {loss.epochs[loss.lowest]} ({low:.4g}) and ends at {loss.end:.4g}."
        )
    score = 0.7 + min(0.2, 0.05 * len(jumps)) + 0.08 * rises + 0.1 * (collapse is not None)
    marked = jumps or (marks.since_least(loss) if rises else ())
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

"""Where nothing is wrong, or too little is known."""

from lossacc_helpers.clinic.evidence import Evidence
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.rules import marks
from lossacc_helpers.clinic.rules.turning import gap


def healthy(e: Evidence) -> Finding | None:
    """Training has learned, the validation loss does not turn, and nothing is out of bounds."""
    loss, unseen = e.loss, e.validation_loss
    right = e.accuracy if e.accuracy is not None else e.validation_accuracy
    if loss is None or right is None or e.epochs < 3 or e.log.broken.any():
        return None
    if e.violations(validation=False).any() or e.violations(validation=True).any() or marks.negative(e) is not None:
        return None
    learned = loss.start - loss.end > max(2 * loss.noise, 0.005)
    chance = 1 / e.classes if e.classes else 0.0
    learned &= right.end > 2 * chance or right.end > 0.6
    if marks.turn(e) is not None:
        return None
    if not learned:
        stands = right.end > max(0.6, 2 * chance) and abs(loss.start - loss.end) < 0.05 * loss.start
        told = [f"Training stands at a loss of {loss.end:.3g} and an accuracy of {right.end:.3f}, and nothing turns."]
        return Finding("healthy", 0.52, tuple(told)) if stands else None
    apart = gap(e) is not None
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

"""Marks on curves that more than one rule looks for, and words for what they say."""

import numpy as np

from lossacc_helpers.clinic.evidence import Curve, Evidence
from lossacc_helpers.intervals import accuracy_standard_error
from lossacc_helpers.spikes import find_spikes

SURE = 3.0  # standard deviations of a change


def entropy(p: float) -> float:
    """Binary entropy in nats."""
    return float(-p * np.log(p) - (1 - p) * np.log(1 - p)) if 0 < p < 1 else 0.0


def negative(e: Evidence) -> tuple[int, float] | None:
    """The epoch and the value of the lowest loss, if it is below 0."""
    lowest = None
    for curve in (e.loss, e.validation_loss):
        if curve is not None and curve.values.min() < -1e-3 and (lowest is None or curve.values.min() < lowest[1]):
            lowest = int(curve.epochs[curve.values.argmin()]), float(curve.values.min())
    return lowest


def turn(e: Evidence) -> tuple[Curve, float, float] | None:
    """The validation loss, its rise after its least level, and how sure that is; None where it does not rise."""
    curve = e.validation_loss
    if curve is None or len(curve) < 4 or curve.lowest >= len(curve) - max(1, curve.width):
        return None
    sure = curve.surely(curve.rise, len(curve) - curve.lowest)
    if len(curve) < 8:  # in so few the turn itself looks like noise; a tenth of the level is much of it
        sure = max(sure, curve.rise / max(0.1 * abs(float(np.median(curve.values))) * np.sqrt(2.0), 1e-6))
    if curve.rise < max(0.02, 0.03 * abs(float(curve.smooth[curve.lowest]))) or sure < SURE:
        return None
    return curve, curve.rise, float(sure)


def accuracy_since(e: Evidence, epoch: int) -> tuple[float, float] | None:
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
    turned = turn(e)
    since = None if turned is None else accuracy_since(e, int(turned[0].epochs[turned[0].lowest]))
    return since is not None and -since[0] > max(2.0 * since[1], 0.008)


def since_least(curve: Curve) -> tuple[int, ...]:
    """The epochs after the least of a curve."""
    return tuple(curve.epochs[curve.lowest + 1 :])


def jumps(curve: Curve, *, least: float = 0.0) -> tuple[int, ...]:
    """Which epochs stand far above those before and after, by more than `least` above a smooth curve."""
    if len(curve) < 7 or curve.values.min() < 0:
        return ()
    return tuple(curve.epochs[find_spikes(curve.values) & (curve.values - curve.smooth > least)])


def times(many: float, one: float) -> str:
    """How many times something is, in words for a sentence; of nothing everything is very many times."""
    return f"{many / one:.2f}" if one > 1e-4 * abs(many) else "more than 10,000"


def share(part: float, whole: float) -> str:
    """Which share something is, in words for a sentence; of next to nothing it is told as it is."""
    return f"{part / whole:.0%}" if whole > 1e-2 * abs(part) else f"{part:.3g}"


def which(validation: bool) -> str:
    """Name the part of the data that is meant."""
    return "validation" if validation else "training"

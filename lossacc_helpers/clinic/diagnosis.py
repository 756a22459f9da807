"""Puts what the rules find in order: what excludes what, and what is left when nothing was found."""

from dataclasses import replace
from typing import Any

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.clinic.evidence import Evidence
from lossacc_helpers.clinic.findings import Diagnosis, Finding
from lossacc_helpers.clinic.log import Log
from lossacc_helpers.clinic.reading import read
from lossacc_helpers.clinic.rules import RULES

_LEAST = 0.2  # of a score that is worth a line

# Where the first is found with at least this score, the others are explained by it: they count for that much.
_EXPLAINS: tuple[tuple[str, float, tuple[str, ...], float], ...] = (
    ("numeric-failure", 0.5, ("*",), 0.5),
    (
        "not-cross-entropy",
        0.8,
        ("overconfidence", "overfitting", "label-noise", "underconfidence", "class-imbalance", "distribution-shift",
         "unshuffled-validation-split", "train-mode-penalty", "threshold-plateau", "constant-predictor"),
        0.5,
    ),
    ("metric-mismatch", 0.7, ("*",), 0.6),
    ("swapped-arguments", 0.7, ("*",), 0.5),
    ("double-softmax", 0.7, ("underconfidence", "extra-loss-terms", "constant-predictor", "overconfidence"), 0.5),
    ("class-imbalance", 0.75, ("threshold-plateau", "saturated-outputs", "healthy", "constant-predictor"), 0.8),
    (
        "saturated-outputs",
        0.8,
        ("constant-predictor", "overconfidence", "threshold-plateau", "optimizer-instability"),
        0.6,
    ),
    (
        "constant-predictor",
        0.6,
        ("healthy", "threshold-plateau", "train-mode-penalty", "overconfidence", "overfitting"),
        0.7,
    ),
    ("unshuffled-validation-split", 0.7, ("overfitting", "overconfidence", "distribution-shift", "label-noise"), 0.6),
    (
        "batch-norm-statistics",
        0.7,
        ("overconfidence", "overfitting", "distribution-shift", "label-noise", "small-validation-set"),
        0.7,
    ),
    ("optimizer-instability", 0.75, ("overfitting", "overconfidence", "batch-norm-statistics",
                                     "dropout-batch-norm-shift"), 0.75),
)  # fmt: skip

# What may stand beside a healthy training.
_HARMLESS = frozenset({"healthy", "small-validation-set", "threshold-plateau", "cannot-tell"})


def diagnose(curves: Any, *, classes: int | None = None, validation_size: int | None = None) -> Diagnosis:
    """Return what may be wrong with a training, best first, with the evidence and the experiment that would settle it.

    Parameters
    ----------
    curves
        A Keras ``History``; a mapping of names to lists; a pandas frame; a `TrainingRun` of one network; a path or an
        open file; text or bytes that a training printed, CSV or JSON.
    classes : int, optional
        How many classes there are.
    validation_size : int, optional
        How many samples were validated on.

    Raises
    ------
    Unreadable
        For what holds no loss and no accuracy; a `ValueError` whose message shows an example of what can be read.
    ValueError
        For fewer than two classes, and a size below 1.

    Examples
    --------
    >>> found = diagnose({"loss": [0.09, 0.08, 0.08], "accuracy": [0.6, 0.61, 0.6]})
    >>> found.best.slug
    'not-cross-entropy'
    """
    log = curves if isinstance(curves, Log) else read(curves)
    if classes is not None:
        classes = as_whole_number(classes, "classes", least=2)
    if validation_size is not None:
        validation_size = as_whole_number(validation_size, "validation_size", least=1)
    evidence = Evidence(log, classes, validation_size)
    found = {finding.slug: finding for rule in RULES if (finding := rule(evidence)) is not None}
    ranked = _settled(found)
    notes = [] if classes else ["The number of classes was not given; some bounds need it."]
    return Diagnosis(tuple(ranked), log, classes, evidence.samples, tuple(notes))


def _settled(found: dict[str, Finding]) -> list[Finding]:
    """Return findings in order, after each has been held against those that would explain it."""
    scores = {slug: finding.score for slug, finding in found.items()}
    for slug, least, explained, share in _EXPLAINS:
        if scores.get(slug, 0.0) >= least and found[slug].score >= least:
            for other in scores:
                if other != slug and ("*" in explained or other in explained):
                    scores[other] *= share
    trouble = max((score for slug, score in scores.items() if slug not in _HARMLESS), default=0.0)
    if "healthy" in scores and trouble > scores["healthy"]:
        scores["healthy"] = min(scores["healthy"], 0.35)
    ranked = [replace(found[slug], score=scores[slug]) for slug in sorted(scores, key=lambda slug: -scores[slug])]
    ranked = [finding for finding in ranked if finding.score >= _LEAST]
    if not ranked:
        return [Finding("cannot-tell", 0.5, ("None of the marks that the clinic knows is clear in these curves.",))]
    return ranked

"""Puts what the rules find in order: what excludes what, and what is left when nothing was found."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.clinic.causes import HARMLESS
from lossacc_helpers.clinic.evidence import Evidence
from lossacc_helpers.clinic.findings import Diagnosis, Finding
from lossacc_helpers.clinic.log import Log
from lossacc_helpers.clinic.reading import read
from lossacc_helpers.clinic.recorded import OBJECTIONS, SAMPLE_RULES, Objection, Recorded
from lossacc_helpers.clinic.rows import compare_rows
from lossacc_helpers.clinic.rules import RULES
from lossacc_helpers.history import TrainingRun

_LEAST = 0.2  # of a score that is worth a line
_MOST_CLASSES = 10**9
_MOST_EPOCHS = 2000  # that are looked at: more tell nothing new, and take seconds

# A rise of the validation loss, by whatever name.
_RISES = ("overconfidence", "overfitting", "label-noise", "few-large-losses")

# Where the first is found with at least this score, the others are explained by it: they count for that share.
_EXPLAINS: tuple[tuple[str, float, tuple[str, ...], float], ...] = (
    ("numeric-failure", 0.5, ("*",), 0.5),
    ("not-cross-entropy", 0.8, (*_RISES, "underconfidence", "class-imbalance", "distribution-shift",
                                "unshuffled-validation-split", "train-mode-penalty", "threshold-plateau",
                                "constant-predictor"), 0.5),
    ("metric-mismatch", 0.7, ("*",), 0.6),
    ("swapped-arguments", 0.6, (*_RISES, "underconfidence", "constant-predictor", "saturated-outputs",
                                "class-imbalance", "distribution-shift", "train-mode-penalty",
                                "optimizer-instability"), 0.5),
    ("double-softmax", 0.7, (*_RISES, "underconfidence", "extra-loss-terms", "constant-predictor"), 0.5),
    ("class-imbalance", 0.75, ("threshold-plateau", "saturated-outputs", "healthy", "constant-predictor"), 0.8),
    ("saturated-outputs", 0.8, ("constant-predictor", "overconfidence", "threshold-plateau",
                                "optimizer-instability"), 0.6),
    ("constant-predictor", 0.6, ("healthy", "threshold-plateau", "train-mode-penalty", "overconfidence",
                                 "overfitting"), 0.7),
    ("unshuffled-validation-split", 0.7, (*_RISES, "distribution-shift"), 0.6),
    ("batch-norm-statistics", 0.7, (*_RISES, "distribution-shift", "small-validation-set"), 0.7),
    ("label-noise", 0.7, ("underconfidence", "overfitting", "overconfidence", "few-large-losses"), 0.8),
    ("leakage", 0.7, ("healthy",), 0.8),
    ("optimizer-instability", 0.75, ("overfitting", "overconfidence", "batch-norm-statistics",
                                     "dropout-batch-norm-shift"), 0.75),
)  # fmt: skip


def diagnose(
    curves: Any,
    *,
    classes: int | None = None,
    validation_size: int | None = None,
    printed: Any = None,
    inputs: tuple[Any, Any] | None = None,
) -> Diagnosis:
    """Return what may be wrong with a training, best first, with the evidence and the experiment that would settle it.

    Parameters
    ----------
    curves
        A Keras ``History``; a mapping of names to lists; a pandas frame; a path or an open file; text or bytes that a
        training printed, CSV or JSON; a `Log` that was read; or a `TrainingRun` of one network, whose samples settle
        what curves leave open.
    classes : int, optional
        How many classes there are; a `TrainingRun` knows.
    validation_size : int, optional
        How many samples were validated on; a `TrainingRun` knows.
    printed : optional, with a `TrainingRun` only
        The curves that training itself printed, in any of the forms above, one value an epoch of the run. They tell
        what training and inference make of the same samples.
    inputs : (training, validation), optional, with a `TrainingRun` only
        The features of both parts, (sample, ...) each: are there copies, do the parts differ?

    Raises
    ------
    Unreadable
        For what holds no loss and no accuracy; a `ValueError` whose message shows an example of what can be read.
    ValueError
        For fewer than two classes, a size below 1, and what does not belong to the run.

    Examples
    --------
    >>> found = diagnose({"loss": [0.09, 0.08, 0.08], "accuracy": [0.6, 0.61, 0.6]})
    >>> found.best.slug
    'not-cross-entropy'
    """
    if classes is not None:
        classes = as_whole_number(classes, "classes", least=2)
        if classes > _MOST_CLASSES:
            raise ValueError(f"classes must be {_MOST_CLASSES:,} or fewer; got {classes}")
    if validation_size is not None:
        validation_size = as_whole_number(validation_size, "validation_size", least=1)
    if isinstance(curves, TrainingRun):
        evidence: Evidence = _recorded(curves, classes, validation_size, printed, inputs)
    elif printed is not None or inputs is not None:
        name = "printed" if printed is not None else "inputs"
        raise ValueError(f"{name} belongs to a TrainingRun: give the run itself as curves")
    else:
        log = curves if isinstance(curves, Log) else read(curves)
        evidence = Evidence(log.thinned(_MOST_EPOCHS), classes, validation_size)
    found = _together(finding for rule in RULES if (finding := rule(evidence)) is not None)
    objections: list[Objection] = []
    if isinstance(evidence, Recorded):
        settled = (finding for rule in SAMPLE_RULES if (finding := rule(evidence)) is not None)
        found = _together([*found.values(), *settled])
        objections = [made for objection in OBJECTIONS if (made := objection(evidence)) is not None]
    ranked = _settled(_heard(found, objections))
    notes = [] if evidence.classes else ["The number of classes was not given; some bounds need it."]
    return Diagnosis(tuple(ranked), evidence.log, evidence.classes, evidence.samples, tuple(notes))


def _recorded(
    run: TrainingRun, classes: int | None, validation_size: int | None, printed: Any, inputs: tuple[Any, Any] | None
) -> Recorded:
    """Check what was given beside a run, and put it together."""
    log = read(run)
    for name, given, known in (
        ("classes", classes, run.train.classes),
        ("validation_size", validation_size, None if run.validation is None else run.validation.samples),
    ):
        if given is not None and given != known:
            raise ValueError(f"{name} is {given}, but the run has {known if known is not None else 'no validation'}")
    if printed is not None:
        told = printed if isinstance(printed, Log) else read(printed)
        if len(told.epochs) != run.epochs:
            raise ValueError(f"printed must have the {run.epochs} epochs of the run; got {len(told.epochs)}")
        missing = [
            part for part in ("accuracy", "validation_loss", "validation_accuracy") if getattr(told, part) is None
        ]
        log = replace(told, **{part: getattr(log, part) for part in missing})
    compared = None
    if inputs is not None:
        if run.validation is None:
            raise ValueError("inputs are compared between training and validation; the run has no validation")
        train, validation = inputs
        for name, rows, samples in (
            ("training", train, run.train.samples),
            ("validation", validation, run.validation.samples),
        ):
            if len(rows) != samples:
                raise ValueError(f"{name} inputs must have the {samples} samples of the run; got {len(rows)}")
        compared = compare_rows(train, validation)
    size = None if run.validation is None else run.validation.samples
    every = -(-run.epochs // _MOST_EPOCHS)
    kept = run if every == 1 else run.select_epochs(slice(every - 1, None, every))
    return Recorded(log.thinned(_MOST_EPOCHS), run.train.classes, size, kept, compared)


def _together(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Return one finding of each cause: the greatest score, and the evidence of all."""
    found: dict[str, Finding] = {}
    for one in findings:
        other = found.get(one.slug)
        if other is not None:
            # What was found by looking closer comes first.
            evidence = tuple(dict.fromkeys((*one.evidence, *other.evidence)))
            against = tuple(dict.fromkeys((*one.against, *other.against)))
            epochs = tuple(sorted({*one.epochs, *other.epochs}))
            one = Finding(one.slug, max(one.score, other.score), evidence, against, epochs)
        found[one.slug] = one
    return found


def _heard(found: dict[str, Finding], objections: Iterable[Objection]) -> dict[str, Finding]:
    """Return the findings once objections are heard."""
    heard = dict(found)
    for objection in objections:
        for slug in objection.slugs:
            if slug in heard:
                one = heard[slug]
                heard[slug] = replace(one, score=one.score * objection.share, against=(*one.against, objection.says))
    return heard


def _settled(found: dict[str, Finding]) -> list[Finding]:
    """Return findings in order, after each has been held against those that would explain it."""
    shares = dict.fromkeys(found, 1.0)  # the best explanation counts, and no second one
    for slug, least, explained, share in _EXPLAINS:
        if slug in found and found[slug].score >= least:
            for other in found:
                if other != slug and ("*" in explained or other in explained):
                    shares[other] = min(shares[other], share)
    scores = {slug: finding.score * shares[slug] for slug, finding in found.items()}
    trouble = max((score for slug, score in scores.items() if slug not in HARMLESS), default=0.0)
    if "healthy" in scores and trouble > scores["healthy"]:
        scores["healthy"] = min(scores["healthy"], 0.35)
    ranked = [replace(found[slug], score=scores[slug]) for slug in sorted(scores, key=lambda slug: -scores[slug])]
    ranked = [finding for finding in ranked if finding.score >= _LEAST]
    if not ranked:
        return [Finding("cannot-tell", 0.5, ("None of the marks that the clinic knows is clear in these curves.",))]
    return ranked

"""What a rule finds, and the diagnosis that is made of all findings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lossacc_helpers.clinic.causes import CAUSES, Cause
from lossacc_helpers.clinic.log import Log


@dataclass(frozen=True)
class Finding:
    """A cause that fits the curves.

    Attributes
    ----------
    slug : of the cause, as in `causes.CAUSES`.
    score : from 0 to 1: how well it fits, compared with the others; no probability.
    evidence, against : sentences with epochs and numbers of these curves.
    epochs : which of them show it, as numbered in the log; empty where it is all of them, or none in particular.
    """

    slug: str
    score: float
    evidence: tuple[str, ...]
    against: tuple[str, ...] = ()
    epochs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.slug not in CAUSES:
            raise ValueError(f"there is no cause {self.slug!r}")
        object.__setattr__(self, "score", min(max(float(self.score), 0.0), 1.0))
        object.__setattr__(self, "epochs", tuple(int(epoch) for epoch in self.epochs))

    @property
    def cause(self) -> Cause:
        """What is known of the cause."""
        return CAUSES[self.slug]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "cause": self.slug,
            "family": self.cause.family,
            "score": round(self.score, 3),
            "says": self.cause.says,
            "evidence": list(self.evidence),
            "against": list(self.against),
            "epochs": list(self.epochs),
            "experiment": self.cause.experiment,
            "fix": self.cause.fix,
            "lesson": self.cause.lesson,
        }


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What the clinic says of a training.

    Attributes
    ----------
    findings : the causes that fit, best first; never empty.
    log : what was read.
    classes, validation_size : as given, or as the curves say, or None.
    """

    findings: tuple[Finding, ...]
    log: Log
    classes: int | None = None
    validation_size: int | None = None
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def best(self) -> Finding:
        """What fits best."""
        return self.findings[0]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "findings": [finding.as_dict() for finding in self.findings],
            "epochs": len(self.log.epochs),
            "classes": self.classes,
            "validation_size": self.validation_size,
            "notes": [*self.log.notes, *self.notes],
            "skipped_lines": self.log.skipped,
        }

    def __str__(self) -> str:
        lines = []
        for rank, finding in enumerate(self.findings, start=1):
            cause = finding.cause
            lines.append(f"{rank}. {finding.slug} ({finding.score:.2f}): {cause.says}")
            lines += [f"   + {sentence}" for sentence in finding.evidence]
            lines += [f"   - {sentence}" for sentence in finding.against]
            lesson = f" (lesson {cause.lesson})" if cause.lesson else ""
            lines.append(f"   To settle it: {cause.experiment}{lesson}")
            lines.append(f"   What mends it: {cause.fix}")
        told = [*self.log.notes, *self.notes]
        if self.log.skipped:
            told.append(f"{self.log.skipped} line{'s' if self.log.skipped > 1 else ''} could not be read.")
        return "\n".join([*lines, *told])

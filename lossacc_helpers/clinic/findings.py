"""What a rule finds, and the diagnosis that is made of all findings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lossacc_helpers.clinic.causes import CAUSES, TOLD_APART, Cause
from lossacc_helpers.clinic.log import Log
from lossacc_helpers.clinic.report import as_html, as_markdown


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

    @property
    def in_lesson(self) -> str:
        """Which lesson shows it, in brackets after a blank, or nothing."""
        return f" (lesson {self.cause.lesson})" if self.cause.lesson else ""

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


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """What the clinic says of a training.

    Attributes
    ----------
    findings : the causes that fit, best first; never empty.
    log : what was read.
    classes, validation_size : as given, or as the curves say, or None.
    notes : what was not given, in sentences.
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

    @property
    def told_apart(self) -> dict[tuple[str, str], str]:
        """What would tell one from the other, of findings that are nearly as good: (slug, slug) -> the experiment."""
        close = [one for one in self.findings if one.score >= 0.4 * self.best.score]
        return {
            (one.slug, other.slug): TOLD_APART[pair]
            for k, one in enumerate(close)
            for other in close[k + 1 :]
            if (pair := frozenset((one.slug, other.slug))) in TOLD_APART
        }

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was done to the numbers, and what was not given or not read, in sentences."""
        skipped = self.log.skipped
        lines = (f"{skipped} line{'s' if skipped > 1 else ''} could not be read.",) if skipped else ()
        return (*self.log.notes, *self.notes, *lines)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "schema": 1,  # counts up when a key changes its meaning, or goes
            "findings": [finding.as_dict() for finding in self.findings],
            "told_apart": [
                {"causes": list(pair), "experiment": experiment} for pair, experiment in self.told_apart.items()
            ],
            "epochs": len(self.log.epochs),
            "classes": self.classes,
            "validation_size": self.validation_size,
            "notes": [*self.log.notes, *self.notes],
            "skipped_lines": self.log.skipped,
        }

    def markdown(self) -> str:
        """Return the diagnosis as a report in Markdown."""
        return as_markdown(self)

    def html(self, *, picture: bytes | None = None) -> str:
        """Return the diagnosis as a page of HTML that needs nothing else; `picture` is a PNG to put into it."""
        return as_html(self, picture)

    def _repr_markdown_(self) -> str:
        return as_markdown(self)

    def __repr__(self) -> str:
        told = ", ".join(f"{finding.slug} {finding.score:.2f}" for finding in self.findings)
        return f"Diagnosis({told})"

    def __str__(self) -> str:
        lines = []
        for rank, finding in enumerate(self.findings, start=1):
            cause = finding.cause
            lines.append(f"{rank}. {finding.slug} ({finding.score:.2f}): {cause.says}")
            lines += [f"   + {sentence}" for sentence in finding.evidence]
            lines += [f"   - {sentence}" for sentence in finding.against]
            lines.append(f"   To settle it: {cause.experiment}{finding.in_lesson}")
            lines.append(f"   What mends it: {cause.fix}")
        lines += [f"{one} or {other}? {experiment}" for (one, other), experiment in self.told_apart.items()]
        return "\n".join([*lines, *self.remarks])

"""Measure the clinic on runs with known causes: ``python -m tools.evaluate_clinic [--tuning | --write]``.

Prints, for the published logs, for the simulated runs of `examples.simulated` and for the trainings that the
lessons keep, how often the right cause is the first answer and among the first three, how often a healthy run is called
ill, and which causes are taken for which. With ``--tuning`` the third that is held out stays closed: whoever changes
rules looks at nothing else. With ``--write`` the report goes to ``benchmarks/clinic.md``.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lossacc_helpers import recordings
from lossacc_helpers.clinic import Diagnosis, diagnose, read
from lossacc_helpers.clinic.causes import HARMLESS
from lossacc_helpers.clinic.examples import cases
from lossacc_helpers.clinic.examples import simulated as simulated_runs

REPORT = Path("benchmarks/clinic.md")
_RECORDED = {
    "lesson_03_squared_error": ("not-cross-entropy",),
    "lesson_03_label_noise": ("label-noise", "overfitting", "overconfidence"),
    "lesson_03_small_data": ("overfitting", "overconfidence"),
    "lesson_03_softmax_twice": ("double-softmax", "swapped-arguments"),
    "lesson_03_swapped_logits": ("swapped-arguments",),
    "lesson_03_swapped_softmax": ("swapped-arguments", "double-softmax"),
    "lesson_04_fast": ("batch-norm-statistics", "dropout-batch-norm-shift"),
    "lesson_05_verses": ("overconfidence", "overfitting"),
}
_HELD_OUT = (
    "First opened when the rules stood: 96.2% first, 97.7% among three, no healthy one called ill. What was changed "
    "after that, other trainings and other logs had shown."
)
Row = tuple[str, tuple[str, ...], Diagnosis]


@dataclass(frozen=True)
class Judged:
    """How often the clinic was right.

    Attributes
    ----------
    runs, first, third : how many there are, and of how many the right cause was first, and among three.
    healthy, alarms : how many are healthy, and how many of these were called ill.
    answers : how often each name got each first answer, and whether that was right.
    """

    runs: int
    first: int
    third: int
    healthy: int
    alarms: int
    answers: Counter[tuple[str, str, bool]]

    def __str__(self) -> str:
        lines = [
            f"{self.runs} runs: the right cause first in {self.first / self.runs:.1%}, among three in "
            f"{self.third / self.runs:.1%}."
        ]
        if self.healthy:
            share = self.alarms / self.healthy
            lines.append(f"{self.healthy} of them healthy: {self.alarms} called ill ({share:.1%}).")
        lines += ["", "| built in | first answers |", "| --- | --- |"]
        for name in dict.fromkeys(name for name, _, _ in self.answers):
            told = [
                f"{slug} {count}" if right else f"**{slug} {count}**"
                for (of, slug, right), count in self.answers.most_common()
                if of == name
            ]
            lines.append(f"| {name} | {', '.join(told)} |")
        return "\n".join(lines)


def judge(rows: Iterable[Row]) -> Judged:
    """Count how often the clinic is right on runs: their names, the causes that count as right, and what it says."""
    answers: Counter[tuple[str, str, bool]] = Counter()
    runs = first = third = healthy = alarms = 0
    for name, accepted, found in rows:
        slugs = [finding.slug for finding in found.findings]
        runs += 1
        first += slugs[0] in accepted
        third += bool(set(slugs[:3]) & set(accepted))
        answers[name, slugs[0], slugs[0] in accepted] += 1
        if accepted[0] == "healthy":
            healthy += 1
            alarms += slugs[0] not in HARMLESS
    return Judged(runs, first, third, healthy, alarms, answers)


def published() -> Iterator[Row]:
    """The published logs, as they were found: nothing is known but the log."""
    for name, case in cases().items():
        yield name, case.causes, diagnose(case.log)


@cache
def simulated(*, held_out: bool) -> tuple[Row, ...]:
    """The simulated runs, of either part."""
    return tuple((run.name, run.accepted, run.diagnose()) for run in simulated_runs() if run.held_out == held_out)


@cache
def recorded(*, samples: bool) -> tuple[Row, ...]:
    """The trainings that the lessons keep: with their samples, or their curves alone."""
    rows: list[Row] = []
    for name, accepted in _RECORDED.items():
        run = recordings.load(name)
        # One network at several temperatures is one training: the one at 1.
        temperatures = run.settings.get("temperatures")
        for k in [temperatures.index(1.0)] if temperatures else range(run.replicas):
            one: Any = run.replica(k)
            size = one.validation.samples
            found = diagnose(one) if samples else diagnose(read(one), classes=one.train.classes, validation_size=size)
            rows.append((name, accepted, found))
    return tuple(rows)


def report(*, tuning: bool = False) -> str:
    """Return the whole report in Markdown."""
    parts = [
        ("Published logs", "All of them were looked at while the rules were tuned.", published()),
        ("Simulated runs for tuning", "", simulated(held_out=False)),
    ]
    if not tuning:
        parts += [
            ("Simulated runs held out", _HELD_OUT, simulated(held_out=True)),
            ("Trainings of the lessons, by their curves", "Looked at while tuning.", recorded(samples=False)),
            ("Trainings of the lessons, with every sample", "Looked at while tuning.", recorded(samples=True)),
        ]
    made = [
        "# How often the clinic is right",
        "",
        "Made by `make evaluate-clinic` from what `tools/simulate_clinic.py` trained; wrong answers are bold.",
    ]
    for title, about, rows in parts:
        made += ["", f"## {title}", "", *([about, ""] if about else []), str(judge(rows))]
    return "\n".join(made) + "\n"


def main() -> None:
    """Print or write the report."""
    parser = argparse.ArgumentParser(description="Measure the clinic on runs with known causes.")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--tuning", action="store_true", help="keep the third that is held out closed")
    either.add_argument("--write", action="store_true", help=f"write the report to {REPORT}")
    options = parser.parse_args()
    made = report(tuning=options.tuning)
    if options.write:
        REPORT.write_text(made, encoding="utf-8")
    print(made, end="")


if __name__ == "__main__":
    main()

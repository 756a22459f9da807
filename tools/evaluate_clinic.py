"""Measure the clinic on runs with known causes: ``python -m tools.evaluate_clinic [--tuning]``.

Prints, for the published logs and for the simulated runs of ``benchmarks/clinic_runs.json``, how often the right cause
is the first answer and among the first three, how often a healthy run is called ill, and which causes are taken for
which. With ``--tuning`` the third that is held out stays closed: whoever changes rules looks at nothing else.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

from lossacc_helpers.clinic import Diagnosis, diagnose
from lossacc_helpers.clinic.examples import cases
from tools.simulate_clinic import RUNS

_HARMLESS = frozenset({"healthy", "small-validation-set", "threshold-plateau", "cannot-tell"})


def judge(rows: Iterable[tuple[str, tuple[str, ...], Diagnosis]]) -> str:
    """Return a report on runs: their names, the causes that count as right, and what the clinic says."""
    confusion: Counter[tuple[str, str]] = Counter()
    first = third = total = healthy = alarms = 0
    for name, accepted, found in rows:
        slugs = [finding.slug for finding in found.findings]
        total += 1
        first += slugs[0] in accepted
        third += bool(set(slugs[:3]) & set(accepted))
        confusion[name, slugs[0] + ("" if slugs[0] in accepted else " (!)")] += 1
        if accepted[0] == "healthy":
            healthy += 1
            alarms += slugs[0] not in _HARMLESS
    lines = [f"{total} runs: right at first {first / total:.1%}, among three {third / total:.1%}"]
    if healthy:
        lines.append(
            f"{healthy} healthy runs: {alarms} false alarm{'' if alarms == 1 else 's'} ({alarms / healthy:.1%})"
        )
    names = list(dict.fromkeys(name for name, _ in confusion))
    for name in names:
        answers = [(slug, count) for (of, slug), count in confusion.items() if of == name]
        told = ", ".join(f"{slug} {count}" for slug, count in sorted(answers, key=lambda pair: -pair[1]))
        lines.append(f"  {name:24} {told}")
    return "\n".join(lines)


def _of_run(run: dict[str, Any]) -> tuple[str, tuple[str, ...], Diagnosis]:
    found = diagnose(run["history"], classes=run["classes"], validation_size=run["validation_size"])
    return run["name"], tuple(run["accepted"]), found


def main() -> None:
    """Print the report."""
    runs = json.loads(RUNS.read_text(encoding="utf-8"))
    print("published logs\n" + judge((name, case.causes, diagnose(case.log)) for name, case in cases().items()))
    print("\nsimulated, for tuning\n" + judge(_of_run(run) for run in runs if not run["held_out"]))
    if "--tuning" not in sys.argv[1:]:
        print("\nsimulated, held out\n" + judge(_of_run(run) for run in runs if run["held_out"]))


if __name__ == "__main__":
    main()

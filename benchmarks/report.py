"""What every part of the benchmarks reports: aims, met or missed, where it was measured, and its place in README.md."""

import json
import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
_PACKAGES = (
    *("numpy", "matplotlib", "scikit-learn", "keras", "tensorflow-cpu", "tensorflow"),
    *("ipykernel", "ipywidgets", "jupyterlab"),
)


@dataclass(frozen=True)
class Aim:
    """A number that is to stay at or below a limit, and the places it was taken at, the worst of which counts.

    Attributes
    ----------
    what : is limited.
    limit : in `unit`.
    measured : by place, in `unit`.
    unit : as it is written after a number.
    """

    what: str
    limit: float
    measured: dict[str, float]
    unit: str

    @property
    def worst(self) -> str:
        """The place with the greatest number."""
        return max(self.measured, key=lambda place: self.measured[place])

    @property
    def met(self) -> bool:
        """Whether every number is at or below the limit."""
        return self.measured[self.worst] <= self.limit


def aims_table(aims: Iterable[Aim]) -> str:
    """Each aim beside the worst of what was measured, in Markdown."""
    lines = ["| aim | at most | measured | |", "|---|---:|---|---|"]
    for aim in aims:
        found = f"{aim.measured[aim.worst]:.4g}{aim.unit}" + (f" ({aim.worst})" if len(aim.measured) > 1 else "")
        lines.append(f"| {aim.what} | {aim.limit:g}{aim.unit} | {found} | {'met' if aim.met else 'missed'} |")
    return "\n".join(lines)


def percentile(numbers: Sequence[float], share: float) -> float:
    """The least of the numbers that so large a share of them does not exceed (the nearest rank; no interpolation).

    >>> percentile([4, 1, 3, 2], 0.5), percentile(range(1, 41), 0.95)
    (2, 38)
    """
    return sorted(numbers)[max(0, int(np.ceil(share * len(numbers) - 1e-9)) - 1)]


def ratio_of_medians(above: Sequence[float], below: Sequence[float]) -> tuple[float, float, float]:
    """The ratio of two medians, and between what bounds it lies in 95 of 100 resamples (a seeded bootstrap).

    Source: B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979), 1-26.
    """
    generator = np.random.default_rng(0)
    medians = [
        np.median(generator.choice(np.asarray(numbers, dtype=float), (2000, len(numbers))), axis=1)
        for numbers in (above, below)
    ]
    least, greatest = np.quantile(medians[0] / medians[1], [0.025, 0.975])
    return float(np.median(above) / np.median(below)), float(least), float(greatest)


# Where and when -----------------------------------------------------------------------------------------------------


def surroundings() -> dict[str, Any]:
    """The machine, how busy it is now, and the versions of what is measured."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_before": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES},
    }


def yardstick() -> float:
    """Seconds that a fixed loop takes, the median of nine: machines that others share differ from hour to hour."""
    taken = []
    for _ in range(9):
        start = perf_counter()
        sum(number * number for number in range(300_000))
        taken.append(perf_counter() - start)
    return median(taken)


def _processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def where(surroundings: dict[str, Any]) -> str:
    """The surroundings in one sentence each, and the yardstick before and after, where it was held to the machine."""
    load = ", ".join(f"{one:.2f}" for one in surroundings["load_before"]) or "unknown"
    versions = ", ".join(f"{name} {one}" for name, one in surroundings["versions"].items() if one)
    speed = surroundings.get("yardstick", ())
    held = (
        f" The yardstick took {' ms before and '.join(f'{1000 * one:.0f}' for one in speed)} ms after." if speed else ""
    )
    return (
        f"Measured {surroundings['date']} on {surroundings['processor']}, {surroundings['cores']} cores, "
        f"{surroundings['system']}; load before: {load}.{held} {versions}."
    )


# Storing ------------------------------------------------------------------------------------------------------------


def store(part: str, results: dict[str, Any], text: str, *, folder: Path = FOLDER) -> None:
    """Write one part's results into results.json and its text between its marks in README.md; the rest stays.

    Raises
    ------
    ValueError
        If README.md lacks the marks of that part.
    """
    readme = folder / "README.md"
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->"
    before = readme.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(before)) != 1:
        raise ValueError(f"{readme.name} needs one line {begin.strip()} and, below it, one {end}")
    known = folder / "results.json"
    every = json.loads(known.read_text(encoding="utf-8")) if known.is_file() else {}
    known.write_text(json.dumps(every | {part: results}, indent=2) + "\n", encoding="utf-8")
    readme.write_text(pattern.sub(lambda _: f"{begin}{text}\n{end}", before), encoding="utf-8")

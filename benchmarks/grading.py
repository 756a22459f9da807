"""How many submissions are graded in a minute, with how much memory: `make grade` on a class that has done its work."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient

from benchmarks.report import Aim, aims_table
from tools.coursework import assignments, read_source
from tools.lessons import ROOT

_LOOK = 0.05  # seconds between two looks at the grader's memory


def hand_in(folder: Path, students: int) -> int:
    """Write a class's submissions of all assignments, solved, and return how many."""
    names = assignments()
    for number in range(students):
        for name in names:
            path = folder / f"learner{number:02d}" / name / f"{name}.ipynb"
            path.parent.mkdir(parents=True)
            nbformat.write(read_source(name), path)
    return students * len(names)


def grade(submissions: Path, out: Path, *, jobs: int) -> dict[str, Any]:
    """Grade a folder as `make grade` does, and return seconds, the grader's memory and that of each sandbox."""
    command = [sys.executable, "-m", "tools.grade", str(submissions), str(out), "--jobs", str(jobs)]
    begin = perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    peak, grader = 0, psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, grader.memory_info().rss)
            process.wait(_LOOK)
        except (psutil.NoSuchProcess, subprocess.TimeoutExpired):
            continue
    seconds = perf_counter() - begin
    assert process.returncode == 0
    outcomes = [json.loads(path.read_text(encoding="utf-8")) for path in (out / "outcomes").rglob("*.json")]
    assert all(sum(mark["earned"] for mark in one["marks"]) >= 80 for one in outcomes)
    return {"seconds": seconds, "grader": peak, "sandboxes": [one["peak"] for one in outcomes]}


def bare() -> list[float]:
    """Run each assignment's solutions in an ordinary kernel: what no other autograder does without."""
    times = []
    for name in assignments():
        notebook = read_source(name)
        begin = perf_counter()
        asyncio.run(NotebookClient(notebook, kernel_name="python3").async_execute())
        times.append(perf_counter() - begin)
    return times


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Grade the same class on one core and on two."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        count = hand_in(place / "in", 1 if quick else 8)
        return {
            "count": count,
            "two": grade(place / "in", place / "two", jobs=2),
            "one": grade(place / "in", place / "one", jobs=1),
            "again": grade(place / "in", place / "two", jobs=2)["seconds"],
            "bare": bare(),
        }


def aims(results: dict[str, Any]) -> list[Aim]:
    """A class of thirty within five minutes on two cores, and the grader within 500 MB."""
    return [
        Aim("thirty submissions on two cores are graded within", 5, {"all": 30 / per_minute(results, "two")}, " min"),
        Aim("the grader itself needs at most", 500, {"all": results["two"]["grader"] / 1e6}, " MB"),
    ]


def per_minute(results: dict[str, Any], run: str) -> float:
    """Return how many submissions were graded in a minute."""
    return float(60 * results["count"] / results[run]["seconds"])


def table(results: dict[str, Any]) -> str:
    """Return the tables in Markdown."""
    lines = ["| at a time | submissions per minute | the grader | its largest sandbox |", "|---|---:|---:|---:|"]
    for name, run in ("two", "two"), ("one", "one"):
        told = results[run]
        lines.append(
            f"| {name} | {per_minute(results, run):.0f} | {told['grader'] / 1e6:.0f} MB | "
            f"{max(told['sandboxes']) / 1e6:.0f} MB |"
        )
    each = results["one"]["seconds"] / results["count"]
    kernel = statistics.mean(results["bare"])
    return "\n".join(
        [
            *lines,
            "",
            f"{results['count']} submissions, the solutions of {len(results['bare'])} assignments. One at a time each "
            f"takes {each:.1f} s, gradebook and feedback included; an ordinary kernel takes {kernel:.1f} s to run the "
            f"same notebook and mark nothing, {kernel / each:.1f} times as long. Graded again, when nothing is new: "
            f"{results['again']:.1f} s in all.",
            "",
            aims_table(aims(results)),
        ]
    )

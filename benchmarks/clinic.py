"""How long the curve clinic takes from a terminal: a whole process each time, from a log to its answer."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.report import Aim, aims_table, ratio_of_medians
from tools.lessons import ROOT

_BARE = "import numpy"  # what no answer can do without
_PEAK = (
    "import resource, runpy, sys; sys.argv = ['lossacc', 'diagnose', {path!r}, '--json']\n"
    "try: runpy.run_module('lossacc_helpers', run_name='__main__')\n"
    "except SystemExit: pass\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
)


def log_of(epochs: int) -> str:
    """Progress lines of a training, two an epoch, as Keras prints them."""
    generator = np.random.default_rng(0)
    time = np.arange(epochs) / epochs
    loss = 0.1 + np.exp(-4 * time) + 0.01 * generator.normal(size=epochs)
    right = 0.9 - 0.4 * np.exp(-4 * time)
    return "\n".join(
        f"Epoch {k + 1}/{epochs}\n32/32 [=====] - 1s 9ms/step - loss: {loss[k]:.4f} - accuracy: {right[k]:.4f} - "
        f"val_loss: {loss[k] + 0.1:.4f} - val_accuracy: {right[k] - 0.05:.4f}"
        for k in range(epochs)
    )


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Run each in turn, so that whatever else the machine does hits all alike."""
    sizes = {"20 epochs": 20, "1,000 epochs": 1000} | ({} if quick else {"50,000 epochs (100,000 lines)": 50_000})
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for number, (name, epochs) in enumerate(sizes.items()):
            paths[name] = Path(folder) / f"{number}.log"
            paths[name].write_text(log_of(epochs), encoding="utf-8")
        calls = {"bare": [sys.executable, "-c", _BARE]} | {
            name: [sys.executable, "-m", "lossacc_helpers", "diagnose", str(path), "--json"]
            for name, path in paths.items()
        }
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(2 if quick else 15):
            for name, call in calls.items():
                start = perf_counter()
                done = subprocess.run(call, cwd=ROOT, capture_output=True, check=True)
                times[name].append(perf_counter() - start)
                assert name == "bare" or json.loads(done.stdout)["findings"]
        peaks = {}
        for name, path in paths.items():
            told = subprocess.run(
                [sys.executable, "-c", _PEAK.format(path=str(path))],
                cwd=ROOT,
                capture_output=True,
                check=True,
                text=True,
            )
            peaks[name] = int(told.stderr.split()[-1]) / 1024
    return {"seconds": times, "megabytes": peaks}


def aims(results: dict[str, Any]) -> list[Aim]:
    """An answer within two seconds, of an ordinary log."""
    ordinary = {name: statistics.median(times) for name, times in results["seconds"].items() if "lines" not in name}
    ordinary.pop("bare")
    return [Aim("an ordinary log is answered within", 2, ordinary, " s")]


def table(results: dict[str, Any]) -> str:
    """Return the tables in Markdown."""
    bare = results["seconds"]["bare"]
    lines = ["| log | median | times `import numpy` | peak memory |", "|---|---:|---|---:|"]
    for name, peak in results["megabytes"].items():
        times = results["seconds"][name]
        ratio, low, high = ratio_of_medians(times, bare)
        lines.append(
            f"| {name} | {statistics.median(times):.2f} s | {ratio:.1f} ({low:.1f} to {high:.1f}) | {peak:.0f} MB |"
        )
    return "\n".join([*lines, "", aims_table(aims(results))])

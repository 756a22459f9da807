"""Every lesson whole on a small machine: what a learner waits for, and the memory of server and kernel on one core."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from benchmarks.memory import PeakMemory, cores, on_cores
from benchmarks.report import Aim, aims_table
from lossacc_helpers.course.syllabus import GUIDE, SYLLABUS
from tools.jupyter_lab import RUNNING, Notebook, Server, Window, chromium, jupyter_server, window
from tools.lessons import NOTEBOOKS, ROOT

LESSONS = {GUIDE: False, **{entry.name: entry.trains for entry in SYLLABUS}}  # whether they need TensorFlow
GIGABYTE = 1e9
START = ROOT / "binder" / "start" if os.name == "posix" else None  # the machine is as small as Binder's, and so set up
# Moments are read from the system's clock, which page and benchmark share. A live picture is ipywidgets' own; what the
# notebook stores is an image too, but without that class.
_WHEN_SHOWN = """(() => { const look = () => document.querySelector('.jp-Notebook .jp-Cell')
    ? window.shown = Date.now() : requestAnimationFrame(look); look(); })()"""
_PICTURE = """() => {
    const image = document.querySelector('img.widget-image');
    return image?.complete && image.naturalWidth > 0 && Date.now(); }"""


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Run each lesson twice and keep the worse of both, number by number; once to see that it runs."""
    known = cores()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lossacc-lessons-")))
        (folder / "root").mkdir()
        make_copy = [sys.executable, "-m", "lossacc_helpers.learner.working_copy", str(NOTEBOOKS)]
        subprocess.run([*make_copy, str(folder / "root" / "my-course")], check=True, cwd=ROOT, capture_output=True)
        # The machine is one core for server and kernel: the browser is the learner's, so it is given another.
        stack.enter_context(on_cores(known[-1:]))
        browser = stack.enter_context(chromium())
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in LESSONS}
        for number in range(1 if quick else 2):
            for name in LESSONS:
                with contextlib.ExitStack() as one:
                    with on_cores(known[:1]):
                        own = folder / f"{name}-{number}"
                        server = one.enter_context(jupyter_server(folder / "root", own=own, start=START))
                    runs[name].append(run(browser, server, name))
                print(f"  {name}: " + ", ".join(f"{what} {n:.3g}" for what, n in runs[name][-1].items()), flush=True)
        return {
            "rows": [
                {"lesson": name, "trains": LESSONS[name]} | {what: max(run[what] for run in found) for what in found[0]}
                for name, found in runs.items()
            ],
            "runs": number + 1,
            "pinned": bool(known),
            "cores_of_the_browser": "another" if len(known) > 1 else "the same",
            "browser": browser.version,
        }


def run(browser: Browser, server: Server, name: str) -> dict[str, float]:
    """Open a lesson in a fresh browser and run it whole: seconds since it was asked for, and gigabytes.

    Raises
    ------
    RuntimeError
        If a cell fails: its time would say nothing.
    """
    path = f"my-course/{name}.ipynb"
    with window(browser, server) as opened, PeakMemory(server.process) as memory:
        opened.page.add_init_script(_WHEN_SHOWN)
        start = time.time()
        notebook, ready, picture = open_and_start(opened, path)
        notebook.wait_idle()
        whole = time.time()
        if errors := notebook.errors():
            raise RuntimeError(f"lesson {name} does not run: {errors}")
        taken = {
            "shown": opened.page.evaluate("window.shown") / 1000 - start,
            "ready": ready - start,
            "picture": picture - start,
            "whole": whole - start,
            "kernel": memory.kernel() / GIGABYTE,
            "together": memory.together / GIGABYTE,
        }
        notebook.close()
        start = time.time()
        _, _, picture = open_and_start(opened, path)
        return taken | {"picture_again": picture - start}


def open_and_start(opened: Window, path: str) -> tuple[Notebook, float, float]:
    """Open a notebook and press Run All; also when its kernel was ready, and when its first live picture was there."""
    notebook = opened.open(path)
    ready = time.time()
    notebook.start("notebook:run-all-cells")
    notebook.output(notebook.cells("explorer")[0])  # scrolled to: what is off screen is not painted
    picture = opened.page.wait_for_function(_PICTURE, timeout=RUNNING * 1000).json_value()
    return notebook, ready, picture / 1000


def table(results: dict[str, Any]) -> str:
    """The results and the aims in Markdown."""
    lines = [
        "| lesson | notebook shown | kernel ready | first live picture | run whole "
        "| first live picture, JupyterLab open | kernel | server and kernel |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in results["rows"]:
        seconds = [f"{row[what]:.1f} s" for what in ("shown", "ready", "picture", "whole", "picture_again")]
        memory = [f"{row[what]:.2f} GB" for what in ("kernel", "together")]
        lines.append(f"| {' | '.join([row['lesson'][:2], *seconds, *memory])} |")
    core = (
        f"Server and kernel were kept on one core, the browser on {results['cores_of_the_browser']}."
        if results["pinned"]
        else "This system keeps no program on one core: they used all."
    )
    return "\n\n".join(
        [
            "\n".join(lines),
            aims_table(aims(results["rows"])),
            f"{core} Each number is the greatest of {results['runs']} runs. Browser: Chromium {results['browser']}.",
        ]
    )


def aims(rows: list[dict[str, Any]]) -> list[Aim]:
    """What a lesson may take."""

    def of(what: str, *, trains: bool | None = None) -> dict[str, float]:
        return {f"lesson {row['lesson'][:2]}": row[what] for row in rows if trains in (None, row["trains"])}

    return [
        Aim("first live picture without TensorFlow, JupyterLab open", 5, of("picture_again", trains=False), " s"),
        Aim("first live picture without TensorFlow, JupyterLab loaded as well", 5, of("picture", trains=False), " s"),
        Aim("first live picture with TensorFlow, JupyterLab loaded as well", 25, of("picture", trains=True), " s"),
        Aim("a lesson, from opening it to its last cell", 90, of("whole"), " s"),
        Aim("memory of the kernel", 1.2, of("kernel"), " GB"),
        Aim("memory of server and kernel", 2, of("together"), " GB"),
    ]

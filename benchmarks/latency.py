"""From the press of a key to new pixels in a real JupyterLab: each explorer beside two bare ones, in turn."""

import contextlib
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator

from benchmarks.lessons import LESSONS
from benchmarks.report import Aim, aims_table, percentile, ratio_of_medians
from tools.jupyter_lab import Notebook, chromium, jupyter_server, window
from tools.lessons import ROOT, tidy_metadata

CONTESTANTS = ("explorer", "tight", "plain")
RATIO = 1.3  # of the explorer's median to the tight one's
TRAINING = 250.0  # milliseconds
QUIET = 0.15  # seconds without anything to do, before the next press
PATIENCE = 3.0  # seconds until a press without a new picture is looked into
STEPS = 20  # at most, until one of them must change the picture
# Both ends of a press are the browser's own times: of the key (Event.timeStamp) and of the frame that shows the new
# image (Element Timing).
_ARM = """(output, [event, limit]) => {
    const image = output.querySelector('img.widget-image');
    image.setAttribute('elementtiming', 'picture');
    window.pressed = new Promise(done => {
        let start;
        output.addEventListener(event, event => start = event.timeStamp, {capture: true, once: true});
        const observer = new PerformanceObserver(list => {
            const painted = list.getEntries().find(entry => entry.element === image && entry.renderTime > start);
            if (painted) { observer.disconnect(); done(painted.renderTime - start); } });
        observer.observe({type: 'element'});
        setTimeout(() => { observer.disconnect(); done(null); }, limit); }); }"""
# Up to the end, down to the beginning, and up again.
_NEXT_KEY = """handle => {
    const now = Number(handle.ariaValueNow);
    if (now >= Number(handle.ariaValueMax)) handle.dataset.down = 'yes';
    if (now <= Number(handle.ariaValueMin)) delete handle.dataset.down;
    return handle.dataset.down ? 'ArrowLeft' : 'ArrowRight'; }"""
_SHOWN = "output => output.querySelector('img.widget-image').src"
_SETTLED = """output => {
    const image = output.querySelector('img.widget-image');
    return !!image?.complete && image.naturalWidth > 0; }"""


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Press the keys of every explorer 30 times, in turn with those of its bare counterparts; 5 times to see it run."""
    presses, warm_up = (5, 1) if quick else (30, 5)
    rows = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lossacc-latency-")))
        (folder / "root").mkdir()
        environment = {"PYTHONPATH": str(ROOT), "LOSSACC_PROGRESS": "off"}
        server = stack.enter_context(jupyter_server(folder / "root", own=folder / "own", environment=environment))
        browser = stack.enter_context(chromium())
        for name in LESSONS:
            nbformat.write(_notebook(name), folder / "root" / f"{name}.ipynb")
            with window(browser, server) as opened:
                notebook = opened.open(f"{name}.ipynb")
                first, *places = notebook.cells()
                notebook.run(first)
                [told] = notebook.outputs(first)
                for control in json.loads("".join(told["text"])):
                    times = press_in_turn(notebook, places, control, presses=presses, warm_up=warm_up)
                    rows.append(row(name, control, times))
                    print(f"  {name}, {control['label']}: " + _medians(rows[-1]), flush=True)
                notebook.close()
        return {"rows": rows, "browser": browser.version}


def _notebook(name: str) -> nbformat.NotebookNode:
    """A notebook that tells what there is to press in a lesson, and has room for the contestants."""
    module = f"from lossacc_helpers.course import lesson_{name[:2]} as module"
    tell = "print(json.dumps(bare.controls(module.lesson)))"
    sources = [f"import json\n\nfrom benchmarks import bare\n{module}\n\n{tell}"]
    cells = [nbformat.v4.new_code_cell(source) for source in (*sources, *CONTESTANTS)]
    return nbformat.v4.new_notebook(cells=cells, metadata=tidy_metadata())


def press_in_turn(
    notebook: Notebook, cells: list[str], control: dict[str, Any], *, presses: int, warm_up: int
) -> dict[str, list[float]]:
    """Show every contestant with one control and press it, each in its turn; milliseconds by contestant.

    Raises
    ------
    RuntimeError
        If one of them shows an error.
    """
    explorer = f"explorer({control['explorer']!r})"
    again = f"bare.copy_of(module).{explorer}"
    bare = [f"bare.{kind}({again}, {control['control']!r})" for kind in CONTESTANTS[1:]]
    sources = [f"module.lesson.{explorer}", *bare]
    for cell, source in zip(cells, sources, strict=True):
        notebook.write(cell, source)
    notebook.run(*cells)
    times: dict[str, list[float]] = {kind: [] for kind in CONTESTANTS}
    for number in range(warm_up + presses):
        for kind, cell in zip(CONTESTANTS, cells, strict=True):
            taken = press(notebook, notebook.output(cell), control)
            if number >= warm_up:
                times[kind].append(taken)
    if errors := notebook.errors():
        raise RuntimeError(f"an explorer fails: {errors}")
    return times


def press(notebook: Notebook, output: Locator, control: dict[str, Any]) -> float:
    """Move a control one step once everything is quiet; milliseconds until the new picture is painted.

    A step that leaves every pixel as it was is not counted: the next one is.

    Raises
    ------
    RuntimeError
        If the picture comes after more than `PATIENCE`, or after `STEPS` steps not at all.
    """
    page = notebook.window.page
    for _ in range(STEPS):
        notebook.wait_idle()
        page.wait_for_function(_SETTLED, arg=output.element_handle())
        page.wait_for_timeout(QUIET * 1000)
        before = output.evaluate(_SHOWN)
        _step(notebook, output, control)
        taken = page.evaluate("window.pressed")
        if taken is not None:
            return float(taken)
        notebook.wait_idle()
        page.wait_for_timeout(QUIET * 1000)
        if output.evaluate(_SHOWN) != before:
            raise RuntimeError(f"{control['label']}: the picture came after more than {PATIENCE:g} seconds")
    raise RuntimeError(f"{control['label']}: {STEPS} steps, and no new picture")


def _step(notebook: Notebook, output: Locator, control: dict[str, Any]) -> None:
    page = notebook.window.page
    if control["sort"] == "slider":
        label = page.get_by_text(control["label"], exact=True)
        handle = output.locator(".widget-slider").filter(has=label).get_by_role("slider")
        handle.focus()
        key = handle.evaluate(_NEXT_KEY)
        output.evaluate(_ARM, ["keydown", PATIENCE * 1000])
        page.keyboard.press(key)
    elif control["sort"] == "list":
        # JupyterLab keeps the arrow keys from a closed list, so the clock starts with the choice, not with a key.
        options = output.locator("select")
        output.evaluate(_ARM, ["change", PATIENCE * 1000])
        options.select_option(index=1 - min(1, options.evaluate("it => it.selectedIndex")))
    else:
        raise ValueError(f"tell benchmarks/latency.py how to press {control['label']!r}")


def row(lesson: str, control: dict[str, Any], times: dict[str, list[float]]) -> dict[str, Any]:
    """One control's results, in milliseconds."""
    ratio, least, greatest = ratio_of_medians(times["explorer"], times["tight"])
    return {
        "lesson": lesson,
        "control": control["label"],
        "trains": control["trains"],
        "presses": len(times["explorer"]),
        "median": {kind: statistics.median(taken) for kind, taken in times.items()},
        "percentile_95": {kind: percentile(taken, 0.95) for kind, taken in times.items()},
        "ratio": ratio,
        "ratio_from": least,
        "ratio_to": greatest,
    }


def table(results: dict[str, Any]) -> str:
    """The results and the aims in Markdown."""
    head = "| lesson | control | explorer | bare, same PNG | bare, `savefig` | explorer : bare, same PNG |"
    lines = [head, "|---|---|---:|---:|---:|---:|"]
    for one in results["rows"]:
        cells = [
            one["lesson"][:2],
            one["control"] + (" (trains)" if one["trains"] else ""),
            *(f"{one['median'][kind]:.0f} ({one['percentile_95'][kind]:.0f})" for kind in CONTESTANTS),
            f"{one['ratio']:.2f} ({one['ratio_from']:.2f} to {one['ratio_to']:.2f})",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    presses = min(one["presses"] for one in results["rows"])
    return "\n\n".join(
        [
            "\n".join(lines),
            aims_table(aims(results["rows"])),
            f"Milliseconds: median and, in brackets, 95th percentile of {presses} presses. "
            f"Browser: Chromium {results['browser']}.",
        ]
    )


def aims(rows: list[dict[str, Any]]) -> list[Aim]:
    """What a press may take."""

    def place(one: dict[str, Any]) -> str:
        return f"lesson {one['lesson'][:2]}, {one['control']}"

    ratios = {place(one): one["ratio"] for one in rows if not one["trains"]}
    trainings = {place(one): one["median"]["explorer"] for one in rows if one["trains"]}
    found = [Aim("median of an explorer, against the bare one's with the same PNG", RATIO, ratios, " times")]
    return [*found, Aim("median of an explorer that trains", TRAINING, trainings, " ms")] if trainings else found


def _medians(one: dict[str, Any]) -> str:
    return ", ".join(f"{kind} {taken:.0f} ms" for kind, taken in one["median"].items())

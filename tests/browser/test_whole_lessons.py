"""Whole lessons, run from first cell to last in a real browser: what is stored comes out again, and widgets live."""

from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from tests.browser import hands
from tests.browser.desk import ARTEFACTS, LESSONS, take
from tools.jupyter_lab import WIDGET_VIEW, Window
from tools.lessons import NOTEBOOKS, tags

pytestmark = pytest.mark.slow  # `make test` runs all notebooks without a browser, and all explorers in one


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_whole(name: str, lab: Window, course: Callable[[str], str]) -> None:
    desk = take(name, lab, course(f"whole {name}"))
    desk.notebook.run_all()
    assert desk.notebook.errors() == []
    stored = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    for cell in stored.cells:
        if cell.cell_type == "code":
            fresh = desk.notebook.outputs(cell.id)
            assert kinds(fresh) == kinds(cell.outputs), f"{cell.id} shows other things than the stored notebook"
            if "nbval-check-output" in tags(cell):
                assert texts(fresh) == texts(cell.outputs), f"{cell.id} says something else than the stored notebook"
            if {"explorer", "commit", "quiz"} & set(tags(cell)):
                assert desk.lives(cell.id), f"{cell.id} shows no widget"
                output = desk.notebook.output(cell.id)
                hands.until(output, "it.querySelector('.jupyter-widgets')?.offsetHeight > 0", what=f"{cell.id} lives")
    lab.picture(ARTEFACTS / f"{name}-run-whole.png")
    assert lab.complaints == []
    assert lab.strangers == []
    assert lab.server.tracebacks() == []
    desk.notebook.close()


def kinds(outputs: list[Any]) -> list[Any]:
    """The kinds of outputs, in their order; widgets are not stored, and what told of waiting is empty afterwards.

    How a stream is cut into pieces is chance.
    """
    found: list[Any] = []
    for output in outputs:
        if output.get("data") == {}:
            continue
        kind = output.get("name") or sorted(set(output["data"]) - {WIDGET_VIEW})
        if "image/png" in kind:
            kind = [each for each in kind if each != "text/html"]  # the same picture once more, for screen readers
        if not (found and isinstance(kind, str) and found[-1] == kind):
            found.append(kind)
    return found


def texts(outputs: list[Any]) -> str:
    """All that the outputs say, one after the other."""
    said = (output.get("text") or output["data"].get("text/plain", "") for output in outputs)
    return "".join("".join(text) for text in said)

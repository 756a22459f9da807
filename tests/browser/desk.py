"""A lesson that lies open before a learner, with all that is known of it; the lessons are those of the syllabus."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Locator

from lossacc_helpers.course import guide
from lossacc_helpers.course.lesson import Lesson as Parts
from lossacc_helpers.course.syllabus import GUIDE, SYLLABUS
from tests.browser import hands
from tests.lesson_cells import groundwork
from tools.jupyter_lab import WIDGET_VIEW, NoBrowser, Notebook, Window, chromium
from tools.lessons import LESSONS as SOURCES
from tools.lessons import ROOT
from tools.lint_lessons import Lesson as Source
from tools.lint_lessons import called_names, open_lesson

LESSONS = (GUIDE, *(entry.name for entry in SYLLABUS))
ARTEFACTS = ROOT / "test-artefacts" / "browser"


@dataclass(frozen=True)
class Desk:
    """A lesson that lies open before a learner.

    Attributes
    ----------
    name : the lesson.
    window, notebook : where it is open.
    source : its text, as its author wrote it.
    parts : what its module offers.
    """

    name: str
    window: Window
    notebook: Notebook
    source: Source
    parts: Parts
    _prepared: set[str] = field(default_factory=set)  # cells that this kernel has run

    def calls(self, method: str) -> Iterator[tuple[str, int]]:
        """Each name that the lesson hands to a method such as `quiz`, with the number of its cell."""
        for number, cell in enumerate(self.source.cells):
            if cell.cell_type == "code":
                yield from ((name, number) for name in called_names(cell, method))

    def uses(self, name: str) -> Iterator[tuple[str, int]]:
        """The same for a function that the lesson calls by its bare name."""
        for number, cell in enumerate(self.source.cells):
            if cell.cell_type == "code" and f"{name}()" in cell.source.splitlines():
                yield name, number

    def prepare(self, number: int, *, among: Iterable[int] = ()) -> None:
        """Run, from the top down to a cell, what it and others build on; what has been run is not run again.

        Parameters
        ----------
        number : of the cell.
        among : all the cells that are used, so that what they build on is run in the notebook's own order.
        """
        needed = {cell.id for one in {number, *among} for cell in groundwork(self.source, one)} - self._prepared
        cells = [cell.id for cell in self.source.cells[:number] if cell.id in needed]
        self.notebook.run(*cells)
        self._prepared.update(cells)
        self._all_is_well()

    def restart(self) -> None:
        """Restart the kernel."""
        self.notebook.restart()
        self._prepared.clear()

    def run(self, number: int, *, text: str | None = None) -> Locator:
        """Run a cell, with another text if one is given, and return its output."""
        cell = self.source.cells[number].id
        if text is not None:
            self.notebook.write(cell, text)
        self.notebook.run(cell)
        self._all_is_well()
        return self.notebook.output(cell)

    def solve(self, name: str, blank: int, solution: int) -> Locator:
        """Write the solution of an exercise into its blank as one's own, run that, and return the output."""
        return self.run(blank, text=self.source.cells[solution].source.replace(f"{name}_solution", name))

    def lives(self, cell: str) -> bool:
        """Whether a cell shows a widget that the kernel of now stands behind."""
        return any(WIDGET_VIEW in output.get("data", {}) for output in self.notebook.outputs(cell))

    def explorers(self) -> list[Locator]:
        """The outputs of the lesson's explorers; those that do not live are run, with what they build on."""
        outputs = []
        numbers = {cell.id: number for number, cell in enumerate(self.source.cells)}
        for name in self.notebook.cells("explorer"):
            if not self.lives(name):
                self.prepare(numbers[name])
                self.run(numbers[name])
            outputs.append(self.notebook.output(name))
            hands.until(outputs[-1], "it.querySelector('img')?.naturalWidth > 0", what=f"{name} shows its picture")
        assert outputs, f"{self.name} has no explorer"
        return outputs

    def _all_is_well(self) -> None:
        errors = self.notebook.errors()
        assert not errors, errors


def take(name: str, window: Window, folder: str) -> Desk:
    """Open a lesson from a working copy, given by its path below the server's root."""
    parts = guide.lesson if name == GUIDE else next(entry for entry in SYLLABUS if entry.name == name).load()
    return Desk(name, window, window.open(f"{folder}/{name}.ipynb"), open_lesson(SOURCES / f"{name}.py"), parts)


@contextlib.contextmanager
def some_browser() -> Iterator[Browser]:
    """Start a browser; where there is none, skip the test, or in continuous integration fail it."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(chromium())
        except NoBrowser as error:
            if os.environ.get("CI"):
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))
        yield started

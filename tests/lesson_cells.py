"""The cells of a lesson's source: which are its exercises, and what a cell builds on."""

from collections.abc import Iterator

from nbformat import NotebookNode

from tools.lessons import tags
from tools.lint_lessons import Lesson, bound_names, called_names, used_names


def exercises(lesson: Lesson) -> Iterator[tuple[str, int, int]]:
    """Each exercise of a lesson: its name, its cell's number and its solution's."""
    solutions = {
        name: number
        for number, cell in enumerate(lesson.cells)
        if "solution" in tags(cell)
        for name in called_names(cell, "check")
    }
    for number, cell in enumerate(lesson.cells):
        if "exercise" in tags(cell):
            for name in called_names(cell, "check"):
                yield name, number, solutions.get(name, -1)


def groundwork(lesson: Lesson, number: int) -> list[NotebookNode]:
    """The earlier cells that a cell needs: those that define, or import, what it and they use."""
    needed = used_names(lesson.cells[number])
    chosen: list[NotebookNode] = []
    for cell in reversed(lesson.cells[:number]):
        if cell.cell_type == "code" and "exercise" not in tags(cell) and bound_names(cell) & needed:
            chosen.insert(0, cell)
            needed |= used_names(cell)
    return chosen

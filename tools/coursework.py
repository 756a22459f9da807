"""The assignments as their authors write them: percent-format text, read into nbgrader's source notebooks."""

import importlib
import re

import jupytext
from nbformat import NotebookNode

from lossacc_helpers.grading.key import Key
from tools.lessons import ROOT, tidy_metadata

COURSEWORK = ROOT / "coursework"
SOURCES = COURSEWORK / "sources"
RELEASE = COURSEWORK / "release"

_KINDS = ("given", "answer", "check", "written")


def assignments() -> list[str]:
    """The assignments' names in order, as in A1."""
    return sorted(path.stem.upper() for path in SOURCES.glob("a*.py"))


def load_key(name: str) -> Key:
    """How an assignment is marked."""
    key = importlib.import_module(f"coursework.keys.{name.lower()}").KEY
    assert isinstance(key, Key)
    return key


def read_source(name: str) -> NotebookNode:
    """An assignment's source as nbgrader's instructor version, solutions included.

    Raises
    ------
    ValueError
        If cells and key do not fit: an answer cell and a check cell for each question, in the key's order, and a cell
        of text for each that a person marks.
    """
    return parse_source((SOURCES / f"{name.lower()}.py").read_text(encoding="utf-8"), load_key(name))


def parse_source(text: str, key: Key) -> NotebookNode:
    """The same from the source's text."""
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = tidy_metadata()
    points = {question.name: question.points for question in key.all}
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for number, cell in enumerate(notebook.cells):
        kinds = [kind for kind in _KINDS if kind in cell.metadata]
        if len(kinds) > 1:
            raise ValueError(f"{key.name}: a cell is one of {', '.join(kinds)}, not several: {cell.source[:60]!r}")
        if not kinds:
            cell.id, cell.metadata = f"text-{number:03d}", NotebookNode()
            if cell.cell_type == "code":
                raise ValueError(f"{key.name}: a code cell without a kind: {cell.source[:60]!r}")
            continue
        kind, called = kinds[0], str(cell.metadata[kinds[0]])
        if (cell.cell_type == "markdown") != (kind == "written"):
            raise ValueError(f"{key.name}: {kind} {called!r} is a cell of {cell.cell_type}")
        found[kind].append(called)
        if kind in ("check", "written") and called not in points:
            raise ValueError(f"{key.name}: the key has no question {called!r}")
        if not re.fullmatch(r"[A-Za-z]\w*", called):
            raise ValueError(f"{key.name}: {called!r} is no name for a cell")
        cell.id = {"check": f"{called}-marks", "given": f"given-{called}"}.get(kind, called)
        cell.metadata = NotebookNode(nbgrader=_nbgrader(kind, cell.id, points.get(called, 0)))
    asked, written = [question.name for question in key.questions], [each.name for each in key.written]
    if found["answer"] != asked or found["check"] != asked or found["written"] != written:
        raise ValueError(
            f"{key.name}: the key asks {asked} and {written}; the source has answers {found['answer']}, "
            f"checks {found['check']} and text {found['written']}"
        )
    return notebook


def _nbgrader(kind: str, grade_id: str, points: float) -> NotebookNode:
    """The metadata by which nbgrader knows a cell."""
    metadata = NotebookNode(
        grade_id=grade_id,
        grade=kind in ("check", "written"),
        solution=kind in ("answer", "written"),
        locked=kind in ("given", "check"),
        task=False,
        schema_version=3,
    )
    if metadata.grade:
        metadata.points = points
    return metadata

"""Hostile and unlucky submissions, graded as one folder: each gets what it earned, and the report says why."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lossacc_helpers.grading import batch
from lossacc_helpers.grading.sandbox import Sandbox
from tests.grading.corpus import CORPUS
from tests.grading.small import KEY, SECRET, release, source


@pytest.fixture(scope="module")
def graded(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grade the whole corpus as a teacher would, and give the course folder."""
    folder = tmp_path_factory.mktemp("class")
    released = release(folder / "made")
    for name, case in CORPUS.items():
        place = folder / "submitted" / name / KEY.name
        place.mkdir(parents=True)
        case.make(place, released)
    batch.grade_folder(folder / "submitted", folder / "out", {KEY.name: (KEY, source())}, sandbox, seed=7, jobs=2)
    return folder / "out"


@pytest.fixture(scope="module")
def report(graded: Path) -> dict[str, str]:
    """Give what the report's first part says of each student."""
    text = (graded / "report.md").read_text(encoding="utf-8").split("## To be marked by hand")[0]
    blocks = text.replace("\\", "").split("\n- **")[1:]
    return {block.split("**")[0]: block for block in blocks}


def _kept(graded: Path, name: str) -> dict[str, Any]:
    kept = json.loads((graded / "outcomes" / KEY.name / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(kept, dict)
    return kept


@pytest.mark.parametrize("name", CORPUS)
def test_it_earns_what_it_earned_and_the_report_says_why(name: str, graded: Path, report: dict[str, str]) -> None:
    kept, case = _kept(graded, name), CORPUS[name]
    assert sum(mark["earned"] for mark in kept["marks"]) == case.earns, (kept["remarks"], kept["marks"])
    if case.says:
        for text in case.says:
            assert text in report[name]
    else:
        assert name not in report


def test_there_are_at_least_25() -> None:
    assert len(CORPUS) >= 25


def test_the_csv_has_a_line_for_each_with_its_marks(graded: Path) -> None:
    lines = (graded / "grades.csv").read_text(encoding="utf-8").splitlines()
    marks = {line.split(",")[3]: float(line.split(",")[9]) for line in lines[1:]}
    assert marks == {name: case.earns for name, case in CORPUS.items()}
    assert {line.split(",")[-1] for line in lines[1:]} == {"100.0"}


def test_what_is_not_settled_waits_for_a_person_in_the_gradebook(graded: Path) -> None:
    """A file that cannot be read, or a question that was not reached, is no silent zero."""
    query = """select sa.student_id, bc.name, g.auto_score, g.needs_manual_grade from grade g
        join submitted_notebook sn on g.notebook_id = sn.id join submitted_assignment sa on sn.assignment_id = sa.id
        join base_cell bc on g.cell_id = bc.id"""
    with sqlite3.connect(graded / "gradebook.db") as book:
        rows = {(student, cell): (score, bool(needs)) for student, cell, score, needs in book.execute(query)}
    assert rows["empty-file", "least-marks"] == (None, True)
    assert rows["infinite-loop-in-an-answer", "row_losses-marks"] == (0.0, True)
    assert rows["right", "least-marks"] == (20.0, False)
    assert rows["right", "diagnosis"] == (None, True)
    assert rows["deleted-text", "diagnosis"] == (None, True)
    assert rows["hard-coded", "row_losses-marks"] == (0.0, False)


def test_a_hunter_finds_nothing(graded: Path) -> None:
    notebook = nbformat.reads(_kept(graded, "hunts")["notebook"], as_version=4)
    printed = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.text.startswith("hits:")
    ]
    assert printed == ["hits: []\n"]


def test_feedback_tells_marks_and_gives_nothing_away(graded: Path) -> None:
    """The expected value of `least` stands nowhere that a learner who did not know it can look."""
    ignorant = [name for name, case in CORPUS.items() if case.earns == 60 and "least = 1" in _source(graded, name)]
    assert len(ignorant) >= 4
    for name in [*ignorant, "untouched", "hunts", "lying-objects"]:
        page = (graded / "feedback" / name / KEY.name / f"{KEY.name}.html").read_text(encoding="utf-8")
        assert str(SECRET)[:6] not in page
        assert "of 20 points" in page


def _source(graded: Path, name: str) -> str:
    text = _kept(graded, name)["notebook"]
    return "\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells) if text else ""


def test_a_learners_markup_does_not_run_in_the_teachers_browser(graded: Path) -> None:
    page = (graded / "feedback" / "scripts-for-the-teacher" / KEY.name / f"{KEY.name}.html").read_text(encoding="utf-8")
    assert "alert('markdown')</script>" not in page
    assert "onerror=alert" not in page.replace("&lt;img src=x onerror=alert", "")
    assert '<script>alert("output")' not in page
    assert 'href="javascript:' not in page
    assert "<em>stress</em>" in page  # it is still Markdown


def test_everybody_has_feedback(graded: Path) -> None:
    for name in CORPUS:
        assert (graded / "feedback" / name / KEY.name / f"{KEY.name}.html").exists(), name

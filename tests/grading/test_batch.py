"""A folder of submissions: what is found in it, what is written, and that one cut off ends the same."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lossacc_helpers.grading import batch, running
from lossacc_helpers.grading.gradebook import Course, GradebookError
from lossacc_helpers.grading.sandbox import Sandbox, wait_until_dead
from tests.grading.small import KEY, filled, release, source

KEYS = {KEY.name: (KEY, source())}
ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import sys
from pathlib import Path
from lossacc_helpers.grading import batch
from lossacc_helpers.grading.sandbox import Sandbox
from tests.grading.conftest import SMALL
from tests.grading.small import KEY, source
with Sandbox(SMALL) as sandbox:
    batch.grade_folder(Path(sys.argv[1]), Path(sys.argv[2]), {KEY.name: (KEY, source())}, sandbox, seed=7, jobs=1)
"""


def hand_in(folder: Path, student: str, text: str) -> Path:
    path = folder / student / KEY.name / f"{KEY.name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of five submissions: right, half right, slow, unreadable, untouched."""
    folder = tmp_path_factory.mktemp("class")
    released = release(folder / "made")
    for student, notebook in {
        "ada": filled(released),
        "bea": filled(released, least="least = 1", diagnosis="It overfits."),
        "cai": filled(
            released, row_losses="def row_losses(table):\n    import time\n    time.sleep(0.05)\n    return 1"
        ),
        "eve": released,
    }.items():
        hand_in(folder / "submitted", student, nbformat.writes(notebook))
    hand_in(folder / "submitted", "dov", "not a notebook")
    (folder / "submitted" / "ada" / KEY.name / "timestamp.txt").write_text("2026-11-20 10:30:00 UTC")
    return folder / "submitted"


def content(out: Path) -> list[str]:
    """What a gradebook says, without the identities that nbgrader draws."""
    query = """select sa.student_id, coalesce(sa.timestamp, ''), bc.name, g.auto_score, g.manual_score,
            g.needs_manual_grade from grade g join submitted_notebook sn on g.notebook_id = sn.id
            join submitted_assignment sa on sn.assignment_id = sa.id join base_cell bc on g.cell_id = bc.id"""
    comments = """select sa.student_id, bc.name, c.auto_comment, c.manual_comment from comment c
            join submitted_notebook sn on c.notebook_id = sn.id
            join submitted_assignment sa on sn.assignment_id = sa.id join base_cell bc on c.cell_id = bc.id"""
    with sqlite3.connect(out / "gradebook.db") as book:
        return sorted(repr(row) for each in (query, comments) for row in book.execute(each))


def grade(submitted: Path, out: Path, sandbox: Sandbox) -> Path:
    return batch.grade_folder(submitted, out, KEYS, sandbox, seed=7, jobs=1, tell=lambda line: None)


@pytest.fixture(scope="module")
def out(submitted: Path, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the course folder of a grading that nothing disturbed."""
    folder = tmp_path_factory.mktemp("out")
    grade(submitted, folder, sandbox)
    return folder


@pytest.mark.parametrize("moments", [(2,), pytest.param((2, 4), marks=pytest.mark.slow)], ids=["once", "twice"])
def test_killed_and_repeated_it_ends_with_the_same_gradebook(
    submitted: Path, out: Path, sandbox: Sandbox, tmp_path: Path, moments: tuple[int, ...]
) -> None:
    """Killed when so many outcomes are there, perhaps again a little later, then left to end."""
    for count in moments:
        command = [sys.executable, "-c", CHILD, str(submitted), str(tmp_path)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        deadline = time.monotonic() + 120
        while len(list((tmp_path / "outcomes").rglob("*.json"))) < count:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(list((tmp_path / "outcomes").rglob("*.json"))) < 5
    grade(submitted, tmp_path, sandbox)
    assert content(tmp_path) == content(out)
    for name in "grades.csv", "report.md":
        # Memory differs from run to run.
        texts = [(folder / name).read_text(encoding="utf-8") for folder in (tmp_path, out)]
        assert texts[0].split("## Marks given")[0] == texts[1].split("## Marks given")[0]


@pytest.mark.slow
def test_a_sandbox_dies_with_its_grader(tmp_path: Path, sandbox: Sandbox) -> None:
    import psutil

    looping = tmp_path / "in"
    hand_in(looping, "zoe", nbformat.writes(filled(release(tmp_path / "made"), least="while True: pass")))
    command = [sys.executable, "-c", CHILD, str(looping), str(tmp_path / "out")]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    family: list[psutil.Process] = []
    deadline = time.monotonic() + 120
    while not any("lossacc_helpers.grading.runner" in one.cmdline() for one in family) and time.monotonic() < deadline:
        time.sleep(0.1)
        family = psutil.Process(process.pid).children(recursive=True)
    assert any("lossacc_helpers.grading.runner" in one.cmdline() for one in family)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_until_dead(family, 20)


def test_graded_again_nothing_runs_and_nothing_changes(submitted: Path, out: Path, sandbox: Sandbox) -> None:
    before, kept = content(out), {path: path.stat().st_mtime_ns for path in (out / "outcomes").rglob("*.json")}
    grade(submitted, out, sandbox)
    assert content(out) == before
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_when_it_was_handed_in_is_kept(out: Path) -> None:
    line = next(row for row in (out / "grades.csv").read_text().splitlines() if ",ada," in row)
    assert "2026-11-20 10:30:00" in line


def test_the_report_begins_with_what_needs_a_person(out: Path) -> None:
    text = (out / "report.md").read_text(encoding="utf-8")
    first = text.split("## To be marked by hand")[0]
    assert "5 submissions: 2 need a person, and 3 written answers to be marked by hand." in text
    assert "**dov**, A9 (0 of 80 so far):\n  - The file is not JSON" in first
    assert "**ada**" not in first
    assert "| ada | A9 | 80 | 80 |" in text


def test_an_answer_that_was_changed_is_marked_again_and_a_mark_by_hand_stays(
    submitted: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    shutil.copytree(submitted / "bea", tmp_path / "in" / "bea")
    out = tmp_path / "out"
    grade(tmp_path / "in", out, sandbox)
    with Course(out).gradebook() as gradebook:
        for name, score in ("diagnosis", 15.0), ("least-marks", 5.0):
            found = gradebook.find_grade(name, KEY.name, KEY.name, "bea")
            found.manual_score, found.needs_manual_grade = score, False
        gradebook.find_comment("diagnosis", KEY.name, KEY.name, "bea").manual_comment = "Well seen."
        gradebook.db.commit()
    Course(out).feedback(KEY.name, force=True)
    before = content(out)
    grade(tmp_path / "in", out, sandbox)
    assert content(out) == before
    solved = filled(release(tmp_path / "made"), diagnosis="It overfits.")
    hand_in(tmp_path / "in", "bea", nbformat.writes(solved))
    grade(tmp_path / "in", out, sandbox)
    with Course(out).gradebook() as gradebook:
        grades = {name: gradebook.find_grade(name, KEY.name, KEY.name, "bea") for name in ("diagnosis", "least-marks")}
        assert (grades["diagnosis"].manual_score, grades["diagnosis"].needs_manual_grade) == (15.0, False)
        # The program now gives more than the hand did: a person decides.
        assert (grades["least-marks"].auto_score, grades["least-marks"].manual_score) == (20.0, 5.0)
        assert grades["least-marks"].needs_manual_grade
    course = Course(out)
    page = out / "feedback" / "bea" / KEY.name / f"{KEY.name}.html"
    course.feedback(KEY.name, force=True)
    assert "Not marked yet" not in page.read_text(encoding="utf-8")
    assert "Well seen." in (out / "feedback" / "bea" / KEY.name / f"{KEY.name}.html").read_text(encoding="utf-8")


def test_another_seed_asks_with_other_arguments() -> None:
    from lossacc_helpers.grading import marking

    first, second = (marking.requests(KEY, seed)["row_losses"] for seed in (1, 2))
    assert first is not None
    assert second is not None
    assert json.dumps(first[0][0].tolist()) != json.dumps(second[0][0].tolist())
    assert first[0][0].tolist() == marking.requests(KEY, 1)["row_losses"][0][0].tolist()  # type: ignore[index]


@pytest.mark.slow
def test_a_seed_that_was_drawn_stays(submitted: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    shutil.copytree(submitted / "ada", tmp_path / "in" / "ada")
    batch.grade_folder(tmp_path / "in", tmp_path / "out", KEYS, sandbox, jobs=1, tell=lambda line: None)
    seed = (tmp_path / "out" / "seed.txt").read_text()
    batch.grade_folder(tmp_path / "in", tmp_path / "out", KEYS, sandbox, jobs=1, tell=lambda line: None)
    assert (tmp_path / "out" / "seed.txt").read_text() == seed


def test_strange_things_in_the_folder_are_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "a,b").mkdir()
    (tmp_path / "zed").mkdir()
    (tmp_path / "yan" / "Homework").mkdir(parents=True)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "xia").mkdir()
    (tmp_path / "xia" / "a9.ipynb").write_text("{}")
    os.symlink(tmp_path / "xia", tmp_path / "wen")
    found, strange = batch.find(tmp_path, ["A9"])
    assert [(each.student, each.assignment, each.notebook) for each in found] == [
        ("xia", "A9", tmp_path / "xia" / "a9.ipynb")
    ]
    told = "\n".join(strange)
    for text in "notes.txt", "'a,b'", "zed", "yan/Homework", "wen":
        assert text in told
    assert "checkpoints" not in told


def test_what_cannot_be_told_apart_is_told(tmp_path: Path) -> None:
    place = tmp_path / "ada"
    for name in "A9", "a9":
        (place / name).mkdir(parents=True)
        (place / name / "A9.IPYNB").write_text("{}")
    (place / "A9.ipynb").write_text("{}")
    (place / "A9" / "my_helpers.py").write_text("")
    (place / "A9" / os.fsdecode(b"l\xf6sung.txt")).write_text("")
    found, strange = batch.find(tmp_path, ["A9"])
    assert [each.notebook for each in found] == [place / "A9" / "A9.IPYNB"]
    assert "my_helpers.py" in found[0].remarks[0]
    assert len([line for line in strange if "more than once" in line]) == 2


@pytest.mark.slow
def test_a_submission_on_which_the_grader_fails_ends_no_other(
    submitted: Path, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(data: bytes, *arguments: Any, **keywords: Any) -> Any:
        if b"It overfits" in data:
            raise PermissionError("this disk is tired \ud800")
        return running.grade(data, *arguments, **keywords)

    monkeypatch.setattr(batch, "grade", fails)
    for student in "ada", "bea":
        shutil.copytree(submitted / student, tmp_path / "in" / student)
    text = grade(tmp_path / "in", tmp_path / "out", sandbox).read_text(encoding="utf-8")
    assert "**bea**, A9 (0 of 80 so far):\n  - The grader failed on it (PermissionError: this disk is tired ?)" in text
    assert "| ada | A9 | 80 | 80 |" in text
    monkeypatch.undo()
    text = grade(tmp_path / "in", tmp_path / "out", sandbox).read_text(encoding="utf-8")
    assert "| bea | A9 | 60 | 80 |" in text  # run again, because nothing was kept


def test_what_was_cut_off_while_it_was_written_is_written_again(
    out: Path, submitted: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    shutil.copytree(out, tmp_path / "out")
    pages = [tmp_path / "out" / "feedback" / name / KEY.name / f"{KEY.name}.html" for name in ("ada", "bea")]
    (pages[0].parent / ".complete").unlink()
    pages[0].write_text("<html>half a pa")
    shutil.rmtree(pages[1].parent)
    shown = tmp_path / "out" / "autograded" / "cai" / KEY.name / f"{KEY.name}.ipynb"
    shown.write_text("{}")
    grade(submitted, tmp_path / "out", sandbox)
    assert "40 of 40 points" in pages[0].read_text(encoding="utf-8")
    assert pages[1].exists()
    assert "time.sleep(0.05)" in shown.read_text(encoding="utf-8")


@pytest.mark.slow
def test_what_no_longer_holds_is_not_told_any_more(submitted: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """A good file, then one that nobody can read, then nothing at all."""
    shutil.copytree(submitted / "ada", tmp_path / "in" / "ada")
    shutil.copytree(submitted / "eve", tmp_path / "in" / "eve")
    out = tmp_path / "out"
    grade(tmp_path / "in", out, sandbox)
    hand_in(tmp_path / "in", "ada", "lost")
    grade(tmp_path / "in", out, sandbox)
    page = (out / "feedback" / "ada" / KEY.name / f"{KEY.name}.html").read_text(encoding="utf-8")
    assert "40 of 40 points" not in page
    assert not any("points." in row and "ada" in row for row in content(out))
    shutil.rmtree(tmp_path / "in" / "ada")
    text = grade(tmp_path / "in", out, sandbox).read_text(encoding="utf-8")
    assert "ada has marks for A9 from an earlier grading, and no submission in this folder now" in text


def test_two_gradings_do_not_meet(tmp_path: Path) -> None:
    with Course(tmp_path).alone(), pytest.raises(GradebookError, match="another grading"), Course(tmp_path).alone():
        pass


@pytest.mark.parametrize("text", ["", "seven"])
def test_a_seed_that_is_none_is_named(text: str, submitted: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "seed.txt").write_text(text)
    with pytest.raises(ValueError, match=r"seed\.txt"):
        batch.grade_folder(submitted, tmp_path, KEYS, sandbox, tell=lambda line: None)


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_a_folder_without_submissions_is_refused(folder: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=folder):
        batch.find(tmp_path / folder, ["A9"])


def test_cells_cannot_come_once_something_was_handed_in(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out")
    changed = source()
    changed.cells = [cell for cell in changed.cells if not cell.id.startswith("rising")]
    with pytest.raises(GradebookError, match="grade into a new folder"):
        Course(tmp_path / "out").release(KEY.name, changed)

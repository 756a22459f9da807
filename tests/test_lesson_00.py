"""Lesson 00: progress as the learner sees it, the button that tries widgets, and how little it loads."""

import asyncio
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from lossacc_helpers.course import guide, lesson_00
from lossacc_helpers.course.lesson_00 import HEADINGS, progress, widgets_work
from lossacc_helpers.course.syllabus import SYLLABUS, Entry
from lossacc_helpers.learner import progress as kept
from lossacc_helpers.learner import working_copy
from lossacc_helpers.widgets.trial import Trial
from tests.test_imports import HEAVY, loaded_by

FIRST = SYLLABUS[0].load()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The learner's file, empty as yet."""
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "progress.jsonl"))
    return tmp_path / "progress.jsonl"


def counts(lesson: int = 0) -> list[str]:
    return progress().rows[lesson].cells


def do_everything(entry: Entry) -> None:
    parts = entry.load()
    for name, prediction in parts.predictions.items():
        made = prediction.guesses[0].text if prediction.guesses else prediction.scale.least
        kept.keep_prediction(entry.name, name, made)
    for name in (*parts.exercises, *parts.questions):
        kept.keep_answer(entry.name, name, True)


# Progress ----------------------------------------------------------------------------------------------------------


def test_with_nothing_done_the_table_says_what_there_is_and_names_no_place_of_a_machine(tmp_path: Path) -> None:
    lines = str(progress()).splitlines()
    totals = len(FIRST.predictions), len(FIRST.exercises), len(FIRST.questions)
    assert lines[1].split("  ", 1)[0] == f"{SYLLABUS[0].number} {SYLLABUS[0].title}"
    assert counts() == [f"0 of {total}" for total in totals]
    assert len(lines) == 1 + len(SYLLABUS) + 3
    assert lines[-2] == f"Nothing yet. Begin with lesson {SYLLABUS[0].number} {SYLLABUS[0].title}."
    assert "/" not in "".join(lines)


def test_each_sort_is_counted_and_a_try_is_no_pass(file: Path) -> None:
    name = FIRST.name
    (guess, *_), (exercise, *_), (question, *_) = FIRST.predictions.values(), FIRST.exercises, FIRST.questions
    kept.keep_prediction(name, guess.name, guess.guesses[0].text)
    kept.keep_answer(name, exercise, False)
    kept.keep_answer(name, question, True)
    assert [cell.split()[0] for cell in counts()] == ["1", "0", "1"]
    assert progress().advice == "Go on with lesson"
    assert f"Your progress is kept in {file}. To start over, delete this file." in str(progress())


def test_what_this_version_does_not_know_is_left_out_and_left_alone(file: Path) -> None:
    kept.keep_answer(FIRST.name, "an exercise of next year", True)
    kept.keep_answer("42_another_lesson", "mean_log_loss", True)
    kept.keep_prediction(FIRST.name, next(iter(FIRST.predictions)), "a guess of last year")
    before = file.read_bytes()
    assert all(cell.startswith("0 of ") for row in progress().rows for cell in row.cells)
    kept.keep_answer(FIRST.name, next(iter(FIRST.exercises)), True)
    assert file.read_bytes().startswith(before)


def test_the_next_lesson_is_the_first_with_something_open(file: Path) -> None:
    do_everything(SYLLABUS[0])
    assert (progress().advice, progress().following) == ("Next comes lesson", SYLLABUS[1])
    for entry in SYLLABUS[1:]:
        do_everything(entry)
    assert (progress().advice, progress().following) == ("You have done everything.", None)
    assert all(cell.split()[0] == cell.split()[2] for row in progress().rows for cell in row.cells)


def test_two_files_are_both_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = file.with_name("other.jsonl")
    file.touch()
    other.touch()
    monkeypatch.setattr(kept, "places", lambda: [file, other])
    assert f"kept in {file} and {other}. To start over, delete these files." in str(progress())


def test_progress_that_cannot_be_saved_is_told(file: Path) -> None:
    file.mkdir()
    assert f"Your progress cannot be saved ({file}: something that is not a file is in its place)" in str(progress())
    assert "Once there is one" not in str(progress())


def test_the_table_is_one_for_screen_readers_too(file: Path) -> None:
    html = progress()._repr_mimebundle_()["text/html"]
    assert "<caption" in html
    assert html.count('<th scope="col"') == 1 + len(HEADINGS)
    assert html.count('<th scope="row"') == len(SYLLABUS)
    assert html.count("<td>") == len(SYLLABUS) * len(HEADINGS)
    assert f'<a href="{SYLLABUS[0].name}.ipynb">' in html


# The way through a kernel ------------------------------------------------------------------------------------------

WORK = [
    "from lossacc_helpers.course.lesson_01 import lesson\nview = lesson.commit('climb')",
    "view.control.value = view.control.options[1]\nview.button.click()",
    "lesson.check('share_right', lambda labels, p: (p.argmax(axis=1) == labels).mean())",
    "def mean_log_loss_solution(labels, p):\n    import numpy as np\n"
    "    return -np.log(p[np.arange(len(labels)), labels]).mean()\n\n\n"
    "lesson.check('mean_log_loss', mean_log_loss_solution)",
    "quiz = lesson.quiz(next(iter(lesson.questions)))\n"
    "quiz.control.index = [option.correct for option in quiz.question.options].index(True)",
]
LATER = [
    "from lossacc_helpers.course.lesson_00 import progress",
    "progress()",
    "from lossacc_helpers.course.lesson_01 import lesson\nlesson.recall('climb')",
]


def run(cells: list[str], folder: Path) -> list[str]:
    """Run cells in a kernel of their own that starts in a folder: the text that each leaves."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    asyncio.run(NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}, timeout=120).async_execute())
    return ["".join(one.get("data", {}).get("text/plain", "") for one in cell.outputs) for cell in notebook.cells]


def test_what_is_done_in_one_kernel_is_seen_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(kept.VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "profile"))
    copy = tmp_path / working_copy.FOLDER
    copy.mkdir()
    (copy / working_copy.MANIFEST).write_text("{}")
    worked = run(WORK, copy)
    assert worked[2] == "✓ share_right: passed."
    assert worked[3] == "✓ mean_log_loss: passed."
    records = [json.loads(line) for line in (copy / kept.NAME).read_text(encoding="utf-8").splitlines()]
    assert len(records) == 3, "a prediction, an exercise and a question; the solution is the course's"
    _, table, recalled = run(LATER, copy)
    assert re.search(r"^01 .*  1 of \d+ +1 of \d+ +1 of \d+$", table, flags=re.MULTILINE)
    assert str(copy / kept.NAME) in table
    assert f"You predicted: {FIRST.predictions['climb'].guesses[1].text.rstrip('.')}" in recalled
    assert not list((tmp_path / "home").rglob(kept.NAME))


# The rest of what the notebook calls -------------------------------------------------------------------------------


def test_loading_it_loads_nothing_heavy() -> None:
    loaded = loaded_by("from lossacc_helpers.course.lesson_00 import contents, environment, progress; environment()")
    assert "lossacc_helpers" in loaded
    assert not loaded & HEAVY


def test_progress_and_the_button_start_no_tensorflow() -> None:
    names = "lesson, progress, widgets_work"
    calls = "progress(); widgets_work(); lesson.explorer()"
    loaded = loaded_by(f"from lossacc_helpers.course.lesson_00 import {names}; {calls}")
    assert not loaded & {"tensorflow", "keras"}


def test_the_guide_s_parts_are_here_too() -> None:
    assert lesson_00.lesson is guide.lesson
    assert str(lesson_00.contents()) == str(guide.Contents())
    with pytest.raises(AttributeError, match="has no attribute 'explorers'"):
        lesson_00.explorers  # noqa: B018


def test_the_lessons_that_train_are_those_of_the_syllabus(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}
    monkeypatch.setattr(lesson_00.learner_environment, "check", lambda **options: asked.update(options))
    lesson_00.environment()
    assert asked["training"] == [entry.number for entry in SYLLABUS if entry.trains]
    assert not asked["start_tensorflow"]


def test_pressing_the_button_says_that_widgets_work() -> None:
    trial = widgets_work()
    assert isinstance(trial, Trial)
    trial.button.click()
    assert trial.message.startswith("✓ Widgets work here")
    assert trial.message in trial._status.value
    assert 'role="status"' in trial._status.value


def test_where_no_button_is_seen_the_text_says_what_to_do() -> None:
    data, _ = widgets_work()._repr_mimebundle_()
    assert "run this cell" in data["text/plain"]
    assert "restart the kernel" in data["text/html"]

"""A learner's progress survives damage, full disks, other processes and the end of its kernel."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import Exercise
from lossacc_helpers.learner import progress, working_copy
from lossacc_helpers.widgets import Guess, Option, Prediction, Question, Scale

LESSON = "99_test"
posix_only = pytest.mark.skipif(os.name != "posix", reason="limits and signals of POSIX")


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's copy of the course, in which this process now works; beside it, nothing but an empty home."""
    copy = tmp_path / working_copy.FOLDER
    copy.mkdir()
    (copy / working_copy.MANIFEST).write_text("{}")
    monkeypatch.delenv(progress.VARIABLE)
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "home" / "data")
    monkeypatch.chdir(copy)
    progress._start.cache_clear()
    yield copy
    progress._start.cache_clear()


@pytest.fixture
def file(course: Path) -> Path:
    """Where progress is kept first."""
    return course / progress.NAME


@pytest.fixture
def restart(monkeypatch: pytest.MonkeyPatch):
    """What a restart of the kernel does to progress: all that was only in memory is gone."""
    return lambda: monkeypatch.setattr(progress, "_here", progress._Kernel())


def answer(item: str, *, passed: bool = True) -> None:
    progress.keep_answer(LESSON, item, passed)


def known() -> dict[str, bool]:
    """Which items of the test's lesson were tried, and passed."""
    return {item: passed for (lesson, item), passed in progress.read().passed.items() if lesson == LESSON}


# The file ----------------------------------------------------------------------------------------------------------


def test_each_record_is_one_line_of_json(file: Path) -> None:
    progress.keep_prediction(LESSON, "half", "it rises\nand falls – 5 €")
    progress.keep_prediction(LESSON, "level", 2.5)
    answer("mean", passed=False)
    assert [json.loads(line) for line in file.read_bytes().splitlines()] == [
        {"lesson": LESSON, "prediction": "half", "made": "it rises\nand falls – 5 €"},
        {"lesson": LESSON, "prediction": "level", "made": 2.5},
        {"lesson": LESSON, "answered": "mean", "passed": False},
    ]
    assert file.read_bytes().endswith(b"}\n")


def test_only_what_is_new_is_written(file: Path) -> None:
    for passed in (False, False, True, False, True):
        answer("mean", passed=passed)
    for _ in range(2):
        progress.keep_prediction(LESSON, "half", "a")
    assert [json.loads(line).get("passed") for line in file.read_text().splitlines()] == [False, True, None]
    assert known() == {"mean": True}


def test_it_is_there_after_a_restart(file: Path, restart) -> None:
    answer("mean")
    progress.keep_prediction(LESSON, "half", "a")
    restart()
    assert known() == {"mean": True}
    assert progress.read().made == {(LESSON, "half"): ["a"]}


def test_deleting_the_file_is_starting_over_also_for_a_kernel_that_runs(file: Path) -> None:
    answer("mean")
    file.unlink()
    assert known() == {}
    answer("other", passed=False)
    assert known() == {"other": False}


# Damage ------------------------------------------------------------------------------------------------------------

NONSENSE = [
    b"",
    b"\x00" * 50,
    b"\xff\xfe\x00{",
    b'{"lesson": "99_test", "answered": "mean", "pas',
    b'{"lesson": "99_test", "answered": "bad", "passed": 1}',
    b'{"lesson": "99_test", "answered": "bad", "passed": "true"}',
    b'{"lesson": "99_test", "answered": ["bad"], "passed": true}',
    b'{"lesson": 99, "answered": "bad", "passed": true}',
    b'{"lesson": "99_test", "prediction": "bad", "made": true}',
    b'{"lesson": "99_test", "prediction": "bad", "made": null}',
    b'{"lesson": "99_test", "prediction": "bad", "made": NaN}',
    b'{"lesson": "99_test", "prediction": "bad", "made": -Infinity}',
    b'{"lesson": "99_test", "prediction": "bad", "made": 1e999}',
    b'{"lesson": "99_test", "prediction": "bad", "made": ' + b"9" * 400 + b"}",
    b'{"lesson": "99_test", "prediction": "bad", "made": ' + b"9" * 5000 + b"}",
    b'{"cells": [], "nbformat": 4}',
    b'["lesson", "99_test"]',
    b"[" * 100_000,
    b"null",
    "übung".encode("latin-1"),
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda line: repr(line[:40]))
def test_a_line_that_makes_no_sense_costs_no_other(file: Path, nonsense: bytes) -> None:
    answer("before")
    with open(file, "ab") as damaged:
        damaged.write(nonsense)
    answer("after")
    assert known() == {"before": True, "after": True}
    assert progress.read().made == {}
    assert nonsense in file.read_bytes()


@given(st.lists(st.binary(max_size=30), max_size=6), st.integers(0, 6))
def test_whatever_stands_between_them_all_whole_records_are_read(junk: list[bytes], where: int) -> None:
    records = [{"lesson": LESSON, "answered": str(number), "passed": True} for number in range(3)]
    lines = [json.dumps(record).encode() for record in records]
    for piece in junk:
        lines.insert(where % (len(lines) + 1), piece)
    found = progress.Progress()
    for record in progress._parsed(b"\n".join(lines)):
        found.add(record)
    assert {item for _, item in found.passed} >= {"0", "1", "2"}


def test_torn_at_any_byte_the_file_keeps_what_was_whole_and_takes_what_comes(file: Path) -> None:
    answer("first")
    answer("second")
    whole = file.read_bytes()
    first = whole.index(b"\n")
    for length in range(len(whole) + 1):
        file.write_bytes(whole[:length])
        answer("third")
        expected = {"third": True}
        if length >= first:
            expected["first"] = True
        if length >= len(whole) - 1:
            expected["second"] = True
        assert known() == expected, f"torn after {length} bytes"


def test_a_file_that_a_windows_editor_saved_is_read(file: Path) -> None:
    answer("first")
    answer("second")
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert known() == {"first": True, "second": True}


def test_of_a_huge_file_the_end_is_read(file: Path) -> None:
    file.write_bytes(b"x" * (progress._LARGEST + 1000))
    answer("mean")
    answer("mean")
    assert known() == {"mean": True}
    assert file.read_bytes().count(b"\n") == 2


# Where it is kept --------------------------------------------------------------------------------------------------


def test_it_is_kept_in_the_copy_and_else_in_the_learner_s_data(course: Path, file: Path, tmp_path: Path) -> None:
    data = tmp_path / "home" / "data" / progress.NAME
    assert progress.places() == [file, data]
    assert progress.files() == []
    answer("in the copy")
    assert progress.files() == [file]
    (course / working_copy.MANIFEST).unlink()
    assert progress.places() == [data]
    answer("in the data")
    assert progress.files() == [data]
    (course / working_copy.MANIFEST).write_text("{}")
    assert known() == {"in the copy": True, "in the data": True}


def test_the_operating_system_names_the_learner_s_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(progress.VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (place,) = progress.places()[-1:]
    assert place.name == progress.NAME
    assert "lossacc" in place.parent.name
    assert place.is_absolute()


def test_the_variable_names_a_file_and_it_is_the_only_one(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "new folder" / "mine.jsonl"))
    answer("mean")
    assert progress.files() == progress.places() == [tmp_path / "new folder" / "mine.jsonl"]
    monkeypatch.setenv(progress.VARIABLE, "mine.jsonl")
    assert progress.places() == [course / "mine.jsonl"]


@pytest.mark.parametrize("off", ["off", "OFF"])
def test_switched_off_it_lives_in_the_kernel_and_nothing_is_said(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off: str
) -> None:
    monkeypatch.setenv(progress.VARIABLE, off)
    answer("mean")
    assert known() == {"mean": True}
    assert (progress.notice(), progress.trouble(), progress.files()) == ("", "", [])
    assert not (tmp_path / "home").exists()
    assert not (course / progress.NAME).exists()


def test_a_learner_who_changes_the_folder_keeps_their_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer("before")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    answer("after")
    assert len(file.read_text().splitlines()) == 2


# Places that refuse ------------------------------------------------------------------------------------------------


def in_the_way(path: Path, what: str) -> None:
    """Put something in the place of a file that makes writing it impossible, for root as well."""
    if what == "a folder":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path)


@posix_only
@pytest.mark.parametrize("what", ["a folder", "a pipe", "a link to itself"])
def test_where_the_first_place_refuses_the_next_is_taken(file: Path, tmp_path: Path, restart, what: str) -> None:
    in_the_way(file, what)
    answer("mean")
    restart()
    assert known() == {"mean": True}
    assert progress.files() == [tmp_path / "home" / "data" / progress.NAME]
    assert (progress.notice(), progress.trouble()) == ("", "")


@posix_only
def test_a_device_that_swallows_everything_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(progress.VARIABLE, os.devnull)
    answer("mean")
    assert known() == {"mean": True}
    assert "something that is not a file is in its place" in progress.notice()


def refuse_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every folder one that is mounted for reading only."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(progress, "_append", refused)
    monkeypatch.setattr(progress.tempfile, "TemporaryFile", refused)


def test_where_every_place_refuses_it_lives_in_the_kernel_and_the_learner_is_told_once(
    file: Path, restart, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    refuse_everything(monkeypatch)
    assert progress.notice() == ""
    answer("mean")
    answer("other", passed=False)
    assert known() == {"mean": True, "other": False}
    expected = (
        f"Your progress cannot be saved ({file}: Read-only file system). "
        "Each notebook remembers it until its kernel stops."
    )
    assert [progress.notice(), progress.notice()] == [expected, ""]
    assert progress.trouble() == expected
    restart()
    assert known() == {}
    assert capfd.readouterr() == ("", "")


def test_the_question_whether_it_can_be_written_leaves_nothing_behind(course: Path, tmp_path: Path) -> None:
    assert progress.trouble() == ""
    assert [path.name for path in course.iterdir()] == [working_copy.MANIFEST]
    assert not (tmp_path / "home").exists()


@posix_only
def test_a_disk_that_is_full_for_a_while_loses_nothing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart
) -> None:
    import resource

    monkeypatch.setenv(progress.VARIABLE, str(file))
    answer("before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Ten more bytes fit: the system takes a part of the record and then refuses.
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 10, limits[1]))
    try:
        answer("while it is full")
        answer("still full")
        assert progress.notice().startswith(f"Your progress cannot be saved ({file}: ")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert known() == {"before": True, "while it is full": True, "still full": True}
    answer("after")
    restart()
    assert known() == {"before": True, "while it is full": True, "still full": True, "after": True}


def test_a_file_that_goes_away_while_in_use_comes_back(course: Path, file: Path, tmp_path: Path) -> None:
    answer("before")
    for path in course.iterdir():
        path.unlink()
    answer("after")
    assert progress.files() == [tmp_path / "home" / "data" / progress.NAME]


# Several at once ---------------------------------------------------------------------------------------------------

WRITER = """
import sys, time
from pathlib import Path
from lossacc_helpers.learner import progress
Path(sys.argv[3], sys.argv[1]).touch()
while len(list(Path(sys.argv[3]).iterdir())) < int(sys.argv[4]):
    time.sleep(0.01)
for number in range(int(sys.argv[2])):
    progress.keep_answer("99_test", f"{sys.argv[1]}-{number}", True)
"""


def writers(file: Path, count: int, records: int) -> list[subprocess.Popen[bytes]]:
    """Processes that all begin to write once the last of them is ready."""
    ready = file.parent / "ready"
    ready.mkdir()
    environment = os.environ | {progress.VARIABLE: str(file)}
    return [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number), str(records), str(ready), str(count)], env=environment
        )
        for number in range(count)
    ]


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "progress.jsonl"
    for process in writers(file, 3, 200):
        assert process.wait(120) == 0
    lines = file.read_bytes().splitlines()
    answered = {json.loads(line)["answered"] for line in lines}
    assert answered == {f"{writer}-{number}" for writer in range(3) for number in range(200)}
    assert len(lines) == 600


@posix_only
def test_a_writer_that_is_killed_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "progress.jsonl"
    monkeypatch.setenv(progress.VARIABLE, str(file))
    for process in writers(file, 2, 100_000):
        while not file.exists() or file.stat().st_size < 2000:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    answer("after")
    assert json.loads(file.read_bytes().splitlines()[-1])["answered"] == "after"
    assert known()["after"]


@posix_only
def test_a_record_waits_for_whoever_is_writing(file: Path) -> None:
    import fcntl

    answer("before")
    writer = threading.Thread(target=answer, args=["meanwhile"])
    with open(file, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        writer.start()
        writer.join(0.2)
        assert len(file.read_text().splitlines()) == 1
    writer.join()
    assert len(file.read_text().splitlines()) == 2


@posix_only
def test_a_lock_that_nobody_gives_back_is_not_waited_for_for_ever(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    monkeypatch.setattr(progress, "_PATIENCE", 0.1)
    answer("before")
    with open(file, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        answer("meanwhile")
    assert len(file.read_text().splitlines()) == 2


# In a lesson -------------------------------------------------------------------------------------------------------

HALF = Prediction(
    name="half",
    question="Which?",
    came_out="b.",
    guesses=(Guess(text="a", outcome="No."), Guess(text="b", outcome="Yes.")),
)
LEVEL = Prediction(
    name="level", question="?", came_out="6.", scale=Scale(least=0, greatest=10, step=1, label="n", outcome=str)
)
ASKED = Question("Why?", [Option("because", "Yes.", correct=True), Option("so", "No.")])
DOUBLE = Exercise(name="double", checker=lambda double: double(2).equals(4), hints=("Add it to itself.",))


def lesson(*predictions: Prediction) -> Lesson:
    """A lesson as a fresh kernel makes it."""
    return Lesson(
        LESSON,
        explorers={},
        predictions=predictions or (HALF, LEVEL),
        questions={"why": ASKED},
        exercises=(DOUBLE,),
    )


def commit(one: Lesson, name: str, value: str | float) -> None:
    view = one.commit(name)
    view.control.value = value
    view.button.click()


@pytest.mark.parametrize(("name", "value", "shown"), [("half", "a", "a"), ("level", 7, "7")])
def test_a_prediction_is_recalled_and_locked_in_the_next_kernel(
    course: Path, restart, name: str, value: str | float, shown: str
) -> None:
    commit(lesson(), name, value)
    restart()
    assert f"You predicted: {shown}" in str(lesson().recall(name))
    view = lesson().commit(name)
    assert view.control.value == value
    assert view.control.disabled
    assert view.message == f"Your prediction is locked: {shown}. The lesson returns to it."


def test_of_two_notebooks_the_first_prediction_counts(course: Path) -> None:
    views = [lesson().commit("half") for _ in range(2)]
    for view, guess in zip(views, "ab", strict=True):
        view.control.value = guess
        view.button.click()
    assert progress.read().made == {(LESSON, "half"): ["a", "b"]}
    assert "You predicted: a" in str(lesson().recall("half"))


def test_starting_over_unlocks_a_prediction_in_a_kernel_that_runs(file: Path) -> None:
    one = lesson()
    commit(one, "half", "a")
    file.unlink()
    assert "You predicted: nothing" in str(one.recall("half"))
    assert not one.commit("half").control.disabled


def test_a_prediction_that_this_version_no_longer_offers_may_be_made_again(course: Path, restart) -> None:
    commit(lesson(), "half", "a")
    commit(lesson(), "level", 10)
    restart()
    half = Prediction(
        name="half", question="?", came_out="!", guesses=(Guess(text="A", outcome="1"), Guess(text="B", outcome="2"))
    )
    level = Prediction(
        name="level", question="?", came_out="!", scale=Scale(least=0, greatest=9, step=1, label="n", outcome=str)
    )
    newer = lesson(half, level)
    for name in ("half", "level"):
        assert "You predicted: nothing" in str(newer.recall(name))
        assert not newer.commit(name).control.disabled
    commit(newer, "half", "B")
    assert "You predicted: B" in str(lesson(half, level).recall("half"))
    assert "You predicted: a" in str(lesson().recall("half")), "the older version's is kept too"


@pytest.mark.parametrize("made", ["7", 7.5, -1, 11, float("nan"), 10**400])
def test_a_number_off_the_scale_is_no_prediction(made: str | float) -> None:
    assert not LEVEL.allows(made)


def test_answers_are_kept_and_the_course_s_own_solution_is_none(course: Path) -> None:
    one = lesson()
    one.check("double", lambda x: x)
    assert known() == {"double": False}
    exec("def double_solution(x): return 2 * x\nassert lesson.check('double', double_solution).passed", {"lesson": one})
    assert known() == {"double": False}
    exec("def double(x): return 2 * x\nassert lesson.check('double', double).passed", {"lesson": one})
    assert known() == {"double": True}
    view = one.quiz("why")
    view.control.index = 1
    assert known() == {"double": True, "why": False}
    view.control.index = 0
    assert known() == {"double": True, "why": True}


def test_feedback_says_once_that_nothing_can_be_saved(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_everything(monkeypatch)
    one = lesson()
    commit(one, "half", "a")
    first, second = (str(one.check("double", lambda x: 2 * x)) for _ in range(2))
    assert first.startswith("✓ double: passed. Your progress cannot be saved (")
    assert second == "✓ double: passed."
    assert "You predicted: a" in str(one.recall("half"))


def test_a_quiz_says_it_in_its_live_region(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_everything(monkeypatch)
    view = lesson().quiz("why")
    view.control.index = 1
    assert view.feedback.startswith("✗ Not this one. No.\nYour progress cannot be saved (")
    assert "Your progress cannot be saved" in view._status.value
    view.control.index = 0
    assert view.feedback == "✓ Right. Yes."


def test_a_question_and_an_exercise_may_not_share_a_name() -> None:
    with pytest.raises(ValueError, match="have the name 'double': a question and an exercise"):
        Lesson(LESSON, explorers={}, predictions=(), questions={"double": ASKED}, exercises=(DOUBLE,))

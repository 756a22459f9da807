"""What a teacher types: the commands, and what they say when something is missing."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from lossacc_helpers.grading.sandbox import Limits, NoSandbox, Sandbox
from tools import build_coursework, grade
from tools.coursework import read_source
from tools.lessons import ROOT


def test_the_limits_that_teachers_are_told_are_those_that_hold() -> None:
    text = (ROOT / "INSTRUCTORS.md").read_text(encoding="utf-8")
    limits = Limits()
    for line in (
        f"| {limits.cell:g} s of the processor, {limits.waiting:g} s on the clock |",
        f"| {limits.whole:g} s of the processor, {limits.whole * limits.waiting / limits.cell:g} s on the clock |",
        f"| {limits.memory / 1e9:g} GB |",
        f"| {limits.processes} |",
        f"| {limits.disk / 1e6:g} MB |",
    ):
        assert line in text


def test_every_file_that_teachers_are_told_of_is_there(tmp_path: Path, sandbox: Sandbox) -> None:
    """From one command to marks, feedback and report, as INSTRUCTORS.md tells it."""
    for student, names in (("ada", ["A1"]), ("bea", ["A3"])):
        for name in names:
            place = tmp_path / "in" / student / name / f"{name}.ipynb"
            place.parent.mkdir(parents=True)
            nbformat.write(read_source(name), place)
    out = tmp_path / "my-class"
    command = [sys.executable, "-m", "tools.grade", str(tmp_path / "in"), str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "2 submissions in" in done.stdout
    told = re.findall(r"^\| `([^`]+)` \|", (ROOT / "INSTRUCTORS.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(told) >= 8
    for name in told:
        assert (out / name).exists(), name
    rows = [line.split(",") for line in (out / "grades.csv").read_text(encoding="utf-8").splitlines()[1:]]
    marks = {(row[0], row[3]): row[9] for row in rows}
    assert marks["A1", "ada"] == "100.0"
    assert marks["A3", "bea"] == "82.0"  # the rest is marked by hand
    report = (out / "report.md").read_text(encoding="utf-8")
    assert "2 submissions: 0 need a person, and 1 written answer to be marked by hand." in report
    page = out / "feedback" / "ada" / "A1" / "A1.html"
    page.unlink()
    assert grade.main(["--feedback", str(out)]) == 0
    assert page.exists()


def test_without_a_sandbox_nothing_is_graded_and_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(*_: object, **__: object) -> Sandbox:
        raise NoSandbox("bubblewrap is not installed")

    monkeypatch.setattr(grade, "Sandbox", none)
    place = tmp_path / "in" / "ada" / "A1"
    place.mkdir(parents=True)
    (place / "A1.ipynb").write_text("{}")
    assert grade.main([str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "Nothing was graded: bubblewrap is not installed" in said
    assert "UNSAFE=1" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["one"], "two folders"),
        (["same", "same"], "two folders"),
        (["--feedback", "one", "two"], "one folder"),
        (["one", "two", "--jobs", "0"], "at least 1"),
        (["one", "two", "--seed", "-1"], "at least 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        grade.main(arguments)
    assert says in capsys.readouterr().err


def test_feedback_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grade.main(["--feedback", str(tmp_path)]) == 1
    assert "nothing has been graded" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_named(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grade.main([str(tmp_path / "nowhere"), str(tmp_path / "out")]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_an_unknown_assignment_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_coursework.main(["A7"])
    assert "no assignment A7; known: A1, A2, A3" in capsys.readouterr().err


def test_nbgraders_pages_stay_out_of_a_learners_jupyterlab() -> None:
    """Each server extension that nbgrader switches on is switched off by the course's settings, and its menus too."""
    told = json.loads((ROOT / "tools" / "jupyter" / "jupyter_config.json").read_text(encoding="utf-8"))
    off = told["ServerApp"]["jpserver_extensions"]
    installed = Path(sys.prefix) / "etc" / "jupyter"
    on = json.loads((installed / "jupyter_server_config.d" / "nbgrader.json").read_text(encoding="utf-8"))
    assert set(on["ServerApp"]["jpserver_extensions"]) == set(off)
    assert not any(off.values())
    pages = json.loads((installed / "labconfig" / "page_config.json").read_text(encoding="utf-8"))
    assert pages["disabledExtensions"]["@jupyter/nbgrader"]

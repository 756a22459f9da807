"""The report of a grading: first what needs a person, then everybody's marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lossacc_helpers.grading.gradebook import replace
from lossacc_helpers.grading.wire import clean


@dataclass(frozen=True)
class Line:
    """A submission in the report.

    Attributes
    ----------
    student, assignment : whose, and of what.
    earned, points : by the program, of those that a program gives.
    remarks : what a person should know, in sentences.
    human : whether a person must look.
    to_read : the answers that a person marks.
    peak : the most memory it used, bytes.
    """

    student: str
    assignment: str
    earned: float
    points: float
    remarks: tuple[str, ...]
    human: bool
    to_read: tuple[str, ...]
    peak: int


def write_report(
    folder: Path,
    lines: Sequence[Line],
    strange: Sequence[str],
    missing: Sequence[tuple[str, str]],
    *,
    unsafe: bool,
) -> Path:
    """Write report.md into a folder and return it.

    Parameters
    ----------
    folder : the course folder.
    lines : one for each submission.
    strange : what lies in the submissions' folder and is none.
    missing : students and assignments without a submission, although the student has handed in another.
    unsafe : whether submissions ran without a sandbox.
    """
    ordered = sorted(lines, key=lambda line: (line.assignment, line.student))
    human = [line for line in ordered if line.human]
    unread = [line for line in ordered if line.to_read]
    text = ["# Report of the grading", ""]
    if unsafe:
        text += ["**Submissions ran without a sandbox, as processes of yours (`--unsafe`).**", ""]
    text += [
        f"{_count(len(ordered), 'submission')}: {_count(len(human), 'needs a person', 'need a person')}, and "
        f"{_count(sum(len(line.to_read) for line in unread), 'written answer')} to be marked by hand.",
        "",
        "## Needs a person",
        "",
    ]
    for line in human:
        text.append(f"- **{_plain(line.student)}**, {line.assignment} ({line.earned:g} of {line.points:g} so far):")
        text += [f"  - {_plain(remark)}" for remark in line.remarks]
    text += [f"- {_plain(each)}" for each in strange]
    text += [f"- **{_plain(student)}** has handed in no {name}; nbgrader's CSV says 0." for student, name in missing]
    if not human and not strange and not missing:
        text.append("Nothing.")
    text += ["", "## To be marked by hand", ""]
    text += [f"- **{_plain(line.student)}**, {line.assignment}: {', '.join(line.to_read)}" for line in unread]
    if not unread:
        text.append("Nothing.")
    text += [
        "",
        "## Marks given by the program",
        "",
        "| Student | Assignment | Marks | Of | Memory |",
        "|---|---|---|---|---|",
    ]
    text += [
        f"| {_plain(line.student)} | {line.assignment} | {line.earned:g} | {line.points:g} | {line.peak / 1e6:.0f} MB |"
        for line in ordered
    ]
    path = folder / "report.md"
    replace(path, "\n".join(text) + "\n")
    return path


def _count(number: int, one: str, more: str | None = None) -> str:
    return f"{number} {one if number == 1 else more or one + 's'}"


def _plain(text: str) -> str:
    """Return text without what Markdown would read as more: part of it is the learner's own."""
    text = " ".join(clean(text).split())
    for sign in "\\`*[<|":
        text = text.replace(sign, f"\\{sign}")
    return text

"""A folder of submissions, graded in parallel into an nbgrader course folder, with one end however often it is begun.

What comes of each submission is kept in a file of its own, written whole or not at all. Whatever happens, the next run
takes up those files, runs what has none, and writes the gradebook from all of them.
"""

import hashlib
import json
import os
import queue
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from lossacc_helpers.grading.gradebook import Course, read_timestamp
from lossacc_helpers.grading.key import Key
from lossacc_helpers.grading.report import Line, write_report
from lossacc_helpers.grading.running import Assignment, Outcome, grade
from lossacc_helpers.grading.sandbox import Sandbox
from lossacc_helpers.grading.submission import LARGEST

_STUDENT = re.compile(r"[\w@+-][\w@.+ -]{0,99}")


@dataclass(frozen=True)
class HandedIn:
    """A submission as it lies in the folder.

    Attributes
    ----------
    student, assignment : whose, and of what.
    folder : in which it lies.
    notebook : its file; None if there is none, or more than one could be meant.
    remarks : what is remarkable about the files, in sentences.
    """

    student: str
    assignment: str
    folder: Path
    notebook: Path | None
    remarks: tuple[str, ...] = ()


def find(folder: Path, assignments: Sequence[str]) -> tuple[list[HandedIn], list[str]]:
    """Return the submissions below a folder, and what there is in it that is none.

    Parameters
    ----------
    folder : with a folder for each student, and in it one for each assignment, as nbgrader collects them; a notebook
        may also lie in the student's folder itself, named as the assignment.
    assignments : the names that are known.

    Raises
    ------
    ValueError
        If there is no such folder, or not one submission in it.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    found, strange = [], []
    for student in sorted(folder.iterdir()):
        if student.name.startswith("."):
            continue
        if student.is_symlink() or not student.is_dir():
            strange.append(f"{student.name} is no folder of a student's, and was left alone.")
            continue
        if not _STUDENT.fullmatch(student.name):
            strange.append(
                f"The folder {student.name!r} has a name that nbgrader's CSV cannot hold (letters, digits and @.+-_ "
                "can be used); rename it and grade again."
            )
            continue
        known = {name.casefold(): name for name in assignments}
        places: dict[str, Path] = {}
        for place in sorted(student.iterdir()):
            stem = place.stem if place.suffix == ".ipynb" else place.name
            if place.name.startswith("."):
                continue
            if stem.casefold() in known and not place.is_symlink():
                places.setdefault(known[stem.casefold()], place if place.is_dir() else student)
            else:
                strange.append(f"{student.name}/{place.name} is no known assignment, and was left alone.")
        found += [_handed_in(student.name, name, place) for name, place in places.items()]
        if not places:
            strange.append(f"{student.name} has handed in nothing that is known here.")
    if not found:
        raise ValueError(f"{folder} holds no submissions: it needs STUDENT/{assignments[0]}/{assignments[0]}.ipynb")
    return found, strange


def _handed_in(student: str, assignment: str, folder: Path) -> HandedIn:
    files = sorted(path for path in folder.iterdir() if path.suffix == ".ipynb" and not path.name.startswith("."))
    linked = [path for path in files if path.is_symlink() or not path.is_file()]
    files = [path for path in files if path not in linked]
    remarks = [f"{path.name} is a link or no file, and was not followed." for path in linked]
    named = [path for path in files if path.stem.casefold() == assignment.casefold()]
    if folder.name.casefold() != assignment.casefold():
        files = named
    chosen = named or files
    if len(chosen) == 1:
        if not named:
            remarks.append(f"The notebook is called {chosen[0].name}; it was taken for {assignment}.ipynb.")
        others = [path.name for path in files if path not in chosen]
        if others:
            remarks.append(f"Beside it lie other notebooks, which were not marked: {', '.join(others)}.")
        return HandedIn(student, assignment, folder, chosen[0], tuple(remarks))
    what = "Several notebooks could be meant: " + ", ".join(path.name for path in chosen) if chosen else "No notebook"
    remarks.append(f"{what}{'' if chosen else ' was handed in'}. Nothing could be marked.")
    return HandedIn(student, assignment, folder, None, tuple(remarks))


def grade_folder(
    submissions: Path,
    out: Path,
    keys: Mapping[str, tuple[Key, NotebookNode]],
    sandbox: Sandbox,
    *,
    version: str = "",
    seed: int | None = None,
    jobs: int | None = None,
    tell: Callable[[str], None] = print,
) -> Path:
    """Grade all submissions below a folder and return the report's file.

    Parameters
    ----------
    submissions : as `find` reads it.
    out : nbgrader's course folder; made if it is not there, taken up if it is.
    keys : for each assignment its questions, and its source with nbgrader's metadata.
    sandbox : where submissions run.
    version : of questions and grader; what was marked by another is marked again.
    seed : with which hidden arguments are drawn; by default one that is drawn for `out` and kept there.
    jobs : how many run at a time; by default as many as there are cores.
    tell : is given a line for each submission.

    Raises
    ------
    ValueError
        If there is nothing to grade.
    GradebookError
        If nbgrader refuses.
    """
    found, strange = find(submissions, sorted(keys))
    course = Course(out)
    seed = _seed(course.folder, seed)
    used = sorted({each.assignment for each in found})
    prepared = {name: Assignment(keys[name][0], course.release(name, keys[name][1]), seed) for name in used}
    digests = {name: _digest(prepared[name], version) for name in used}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(jobs := max(1, jobs or cores)):
        slots.put(slot)

    def one(each: HandedIn) -> tuple[Path, bool]:
        slot = slots.get()
        try:
            return _outcome_file(each, prepared[each.assignment], course.folder, sandbox, digests, slot)
        finally:
            slots.put(slot)

    lines: list[Line] = []
    with ThreadPoolExecutor(jobs) as pool, course.gradebook() as gradebook:
        waiting = {pool.submit(one, each): each for each in found}
        try:
            for number, future in enumerate(as_completed(waiting), start=1):
                each, (path, new) = waiting[future], future.result()
                kept = json.loads(path.read_text(encoding="utf-8"))
                _write(course, gradebook, each, kept, prepared[each.assignment].key, new=new)
                line = _line(each, kept, prepared[each.assignment].key)
                lines.append(line)
                tell(f"[{number}/{len(found)}] {line.student} {line.assignment}: {line.earned:g} of {line.points:g}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for name in used:
        course.feedback(name)
    course.export()
    missing = sorted(
        (student, name)
        for student in {each.student for each in found}
        for name in used
        if not any((each.student, each.assignment) == (student, name) for each in found)
    )
    return write_report(course.folder, lines, strange, missing, unsafe=sandbox.unsafe)


def _seed(folder: Path, seed: int | None) -> int:
    """Return the class's seed, drawn once and kept beside its gradebook."""
    path = folder / "seed.txt"
    if seed is None and path.exists():
        return int(path.read_text(encoding="utf-8"))
    seed = int.from_bytes(os.urandom(6), "big") if seed is None else seed
    path.write_text(f"{seed}\n", encoding="utf-8")
    return seed


def _digest(assignment: Assignment, version: str) -> str:
    text = json.dumps([nbformat.writes(assignment.released), assignment.seed, version])
    return hashlib.sha256(text.encode()).hexdigest()


def _outcome_file(
    each: HandedIn,
    assignment: Assignment,
    folder: Path,
    sandbox: Sandbox,
    digests: Mapping[str, str],
    slot: int,
) -> tuple[Path, bool]:
    """Return the file with what came of a submission, and whether it is new."""
    data = b""
    if each.notebook is not None:
        with each.notebook.open("rb") as file:
            data = file.read(LARGEST + 1)
    mixed = hashlib.sha256(data + digests[each.assignment].encode() + repr(each.remarks).encode()).hexdigest()
    path = folder / "outcomes" / each.assignment / f"{each.student}.json"
    try:
        if json.loads(path.read_text(encoding="utf-8"))["digest"] == mixed:
            return path, False
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if each.notebook is None:
        outcome = Outcome(human=True, notebook=assignment.released)
    else:
        outcome = grade(data, assignment, sandbox, slot=slot)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(_kept(outcome, each, mixed)), encoding="utf-8")
    os.replace(unfinished, path)
    return path, True


def _kept(outcome: Outcome, each: HandedIn, digest: str) -> dict[str, Any]:
    """Return what is kept of an outcome, for the gradebook and for a teacher who asks why."""
    return {
        "digest": digest,
        "remarks": [*each.remarks, *outcome.remarks],
        "human": outcome.human or bool(each.remarks),
        "marks": [
            {
                "question": mark.name,
                "earned": mark.earned,
                "points": mark.points,
                "settled": mark.settled,
                "feedback": mark.feedback(),
                "details": [{"part": part.name, "why": part.detail} for part in mark.parts if part.detail],
            }
            for mark in outcome.marks
        ],
        "written": outcome.written,
        "peak": outcome.peak,
        "notebook": nbformat.writes(outcome.notebook),
    }


def _write(course: Course, gradebook: Any, each: HandedIn, kept: dict[str, Any], key: Key, *, new: bool) -> None:
    """Write what came of a submission where nbgrader looks for it."""
    scores: dict[str, float | None] = {f"{question.name}-marks": None for question in key.questions}
    comments, unsettled = {}, set()
    for mark in kept["marks"]:
        scores[f"{mark['question']}-marks"] = mark["earned"]
        comments[mark["question"]] = mark["feedback"]
        if not mark["settled"]:
            unsettled.add(f"{mark['question']}-marks")
    for written in key.written:
        something = kept["written"].get(written.name)
        # Nothing written is worth nothing, and needs nobody; a cell that is gone, or a file that is no notebook, does.
        scores[written.name] = 0.0 if something is False and not kept["human"] else None
        if something is False:
            comments[written.name] = "No answer."
    text, time = read_timestamp(each.folder)
    course.record(
        gradebook,
        each.assignment,
        each.student,
        scores=scores,
        comments=comments,
        unsettled=unsettled,
        timestamp=time,
    )
    shown = course.folder / "autograded" / each.student / each.assignment / f"{each.assignment}.ipynb"
    if each.notebook is not None:
        course.collect(each.student, each.assignment, each.notebook)
    if new or not shown.exists():
        course.place(each.student, each.assignment, nbformat.reads(kept["notebook"], as_version=4), timestamp=text)


def _line(each: HandedIn, kept: dict[str, Any], key: Key) -> Line:
    return Line(
        student=each.student,
        assignment=each.assignment,
        earned=sum(mark["earned"] for mark in kept["marks"]),
        points=sum(question.points for question in key.questions),
        remarks=tuple(kept["remarks"]),
        human=kept["human"],
        to_read=tuple(name for name, something in kept["written"].items() if something),
        peak=kept["peak"],
    )

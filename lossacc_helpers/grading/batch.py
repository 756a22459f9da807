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

from lossacc_helpers.grading.gradebook import UNMARKED, Course, read_timestamp, replace
from lossacc_helpers.grading.key import Key
from lossacc_helpers.grading.report import Line, write_report
from lossacc_helpers.grading.running import Assignment, Outcome, grade
from lossacc_helpers.grading.sandbox import Sandbox
from lossacc_helpers.grading.submission import LARGEST
from lossacc_helpers.grading.wire import clean

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
        try:
            theirs, more = _of_student(student, {name.casefold(): name for name in assignments})
        except OSError as error:
            theirs, more = [], [f"The folder of {student.name} could not be read: {error.strerror}."]
        found += theirs
        strange += more
    if not found:
        raise ValueError(f"{folder} holds no submissions: it needs STUDENT/{assignments[0]}/{assignments[0]}.ipynb")
    return found, strange


def _of_student(student: Path, known: Mapping[str, str]) -> tuple[list[HandedIn], list[str]]:
    """Return a student's submissions, and what else lies in the folder."""
    places: dict[str, Path] = {}
    strange = []
    for place in sorted(student.iterdir(), key=lambda path: (not path.is_dir(), path.name)):
        if place.name.startswith("."):
            continue
        stem = place.stem if _is_notebook(place) else place.name
        name = known.get(stem.casefold())
        if place.is_symlink():
            strange.append(f"{student.name}/{place.name} is a link, and was not followed.")
        elif name is None:
            strange.append(f"{student.name}/{place.name} is no known assignment, and was left alone.")
        elif name in places:
            strange.append(f"{student.name}/{place.name} was not marked: {name} is there more than once.")
        else:
            places[name] = place if place.is_dir() else student
    if not places:
        strange.append(f"{student.name} has handed in nothing that is known here.")
    return [_handed_in(student.name, name, place) for name, place in places.items()], strange


def _is_notebook(path: Path) -> bool:
    return path.suffix.lower() == ".ipynb"


def _handed_in(student: str, assignment: str, folder: Path) -> HandedIn:
    everything = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in everything if _is_notebook(path)]
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
        ours = {"timestamp.txt", "submission_secret.txt"}
        beside = [path.name for path in everything if not _is_notebook(path) and path.name not in ours]
        if beside and folder.name.casefold() == assignment.casefold():
            remarks.append(f"Beside it lie files that were not there when it ran: {', '.join(beside)}.")
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
    known: Sequence[str] = (),
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
    known : names of assignments, by default those of `keys`; there must be a key for each that was handed in.
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
    KeyError
        If an assignment was handed in for which there is no key.
    """
    found, strange = find(submissions, sorted(known or keys))
    course = Course(out)
    with course.alone():
        return _grade(course, found, strange, keys, sandbox, version=version, seed=seed, jobs=jobs, tell=tell)


def _grade(
    course: Course,
    found: Sequence[HandedIn],
    strange: list[str],
    keys: Mapping[str, tuple[Key, NotebookNode]],
    sandbox: Sandbox,
    *,
    version: str,
    seed: int | None,
    jobs: int | None,
    tell: Callable[[str], None],
) -> Path:
    """Do what `grade_folder` says, alone in the course folder."""
    seed = _seed(course.folder, seed)
    used = sorted({each.assignment for each in found})
    prepared = {name: Assignment(keys[name][0], course.release(name, keys[name][1]), seed) for name in used}
    digests = {name: _digest(prepared[name], version, sandbox) for name in used}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(jobs := max(1, jobs or cores)):
        slots.put(slot)

    def one(each: HandedIn) -> dict[str, Any]:
        slot = slots.get()
        try:
            return _outcome(each, prepared[each.assignment], course.folder, sandbox, digests[each.assignment], slot)
        except Exception as error:  # one submission must not end the others
            return _failed(each, prepared[each.assignment], error)
        finally:
            slots.put(slot)

    lines: list[Line] = []
    with ThreadPoolExecutor(jobs) as pool, course.gradebook() as gradebook:
        waiting = {pool.submit(one, each): each for each in found}
        try:
            for number, future in enumerate(as_completed(list(waiting)), start=1):
                each, kept = waiting.pop(future), future.result()
                try:
                    _write(course, gradebook, each, kept, prepared[each.assignment].key)
                except Exception as error:
                    gradebook.db.rollback()
                    kept = _failed(each, prepared[each.assignment], error)
                line = _line(each, kept, prepared[each.assignment].key)
                lines.append(line)
                tell(f"[{number}/{len(found)}] {line.student} {line.assignment}: {line.earned:g} of {line.points:g}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            sandbox.stop()  # what runs is not waited for; the next grading runs it again
            raise
    for name in used:
        strange += [f"nbgrader could not write feedback for {student}, {name}." for student in course.feedback(name)]
    course.export()
    here, marked = {(each.student, each.assignment) for each in found}, course.marked()
    students, names = ({each[place] for each in here | marked} for place in (0, 1))
    missing = sorted({(student, name) for student in students for name in names} - here - marked)
    strange += [
        f"{student} has marks for {name} from an earlier grading, and no submission in this folder now."
        for student, name in sorted(marked - here)
        if name in used
    ]
    return write_report(course.folder, lines, strange, missing, unsafe=sandbox.unsafe)


def _seed(folder: Path, seed: int | None) -> int:
    """Return the class's seed, drawn once and kept beside its gradebook."""
    path = folder / "seed.txt"
    if seed is None and path.exists():
        text = path.read_text(encoding="utf-8").strip()
        if not text.isdecimal():
            raise ValueError(f"{path} holds {text[:20]!r}, and should hold a whole number; remove it to draw another")
        return int(text)
    seed = int.from_bytes(os.urandom(6), "big") if seed is None else seed
    replace(path, f"{seed}\n")
    return seed


def _digest(assignment: Assignment, version: str, sandbox: Sandbox) -> str:
    text = json.dumps(
        [nbformat.writes(assignment.released), assignment.seed, version, repr(sandbox.limits), sandbox.unsafe]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _outcome(
    each: HandedIn, assignment: Assignment, folder: Path, sandbox: Sandbox, digest: str, slot: int
) -> dict[str, Any]:
    """Return what came of a submission, from its file if that is there."""
    data = b""
    if each.notebook is not None:
        with each.notebook.open("rb") as file:
            data = file.read(LARGEST + 1)
    mixed = hashlib.sha256(data + digest.encode() + repr(each.remarks).encode()).hexdigest()
    path = folder / "outcomes" / each.assignment / f"{each.student}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["digest"] == mixed:
            return dict(kept)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if each.notebook is None:
        outcome = Outcome(notebook=assignment.released)
    else:
        outcome = grade(data, assignment, sandbox, slot=slot)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = _kept(outcome, each, mixed)
    replace(path, json.dumps(kept))
    return kept


def _failed(each: HandedIn, assignment: Assignment, error: Exception) -> dict[str, Any]:
    """Return what is told of a submission on which the grader itself failed; no file keeps it, so it is run again."""
    said = f"The grader failed on it ({type(error).__name__}: {clean(str(error))[:200]}). Nothing could be marked."
    return _kept(Outcome(remarks=[said], notebook=assignment.released), each, "")


def _kept(outcome: Outcome, each: HandedIn, digest: str) -> dict[str, Any]:
    """Return what is kept of an outcome, for the gradebook and for a teacher who asks why."""
    return {
        "digest": digest,
        "remarks": [*each.remarks, *outcome.remarks],
        "human": bool(each.remarks or outcome.remarks),
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


def _write(course: Course, gradebook: Any, each: HandedIn, kept: dict[str, Any], key: Key) -> None:
    """Write what came of a submission where nbgrader looks for it."""
    scores: dict[str, float | None] = {f"{question.name}-marks": None for question in key.questions}
    comments: dict[str, str | None] = {question.name: None for question in key.all}
    unsettled = set()
    for mark in kept["marks"]:
        scores[f"{mark['question']}-marks"] = mark["earned"]
        comments[mark["question"]] = mark["feedback"]
        if not mark["settled"]:
            unsettled.add(f"{mark['question']}-marks")
    for written in key.written:
        something = kept["written"].get(written.name)
        # Nothing written is worth nothing, and needs nobody; a cell that is gone, or a file that is no notebook, does.
        scores[written.name] = 0.0 if something is False and not kept["human"] else None
        comments[written.name] = "No answer." if something is False else UNMARKED
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
    if each.notebook is not None:
        course.collect(each.student, each.assignment, each.notebook)
    notebook = nbformat.reads(kept["notebook"], as_version=4)
    course.place(each.student, each.assignment, notebook, timestamp=text)


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

"""One submission, run and marked; what comes out is all that the gradebook, the feedback and the report need."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode

from lossacc_helpers.grading import marking
from lossacc_helpers.grading.collecting import Collected, collect
from lossacc_helpers.grading.key import Key
from lossacc_helpers.grading.marking import QuestionMark
from lossacc_helpers.grading.sandbox import Sandbox
from lossacc_helpers.grading.submission import Submission, Unreadable, read, slots, written_nothing


@dataclass(frozen=True)
class Assignment:
    """An assignment as it is marked.

    Attributes
    ----------
    key : its questions.
    released : the version that learners got.
    seed : with which the arguments of hidden calls are drawn.
    """

    key: Key
    released: NotebookNode
    seed: int


@dataclass
class Outcome:
    """What became of a submission.

    Attributes
    ----------
    marks : of each question, in the key's order; empty if the file could not be read.
    written : of each question that a person marks, whether something is written there.
    remarks : what a person should look at before the marks are final, in sentences.
    notebook : for feedback and for marking by hand: the cells in the learner's order, with what they showed.
    peak : bytes of memory.
    """

    marks: list[QuestionMark] = field(default_factory=list)
    written: dict[str, bool] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    notebook: NotebookNode = field(default_factory=NotebookNode)
    peak: int = 0


def grade(data: bytes, assignment: Assignment, sandbox: Sandbox, *, slot: int = 0) -> Outcome:
    """Run a submission's bytes in a sandbox and mark its answers; never raises for what a submission does."""
    try:
        submission = read(data, assignment.released)
    except Unreadable as problem:
        remarks = [f"{problem} Nothing could be marked."]
        return Outcome(remarks=remarks, notebook=_laid_out(assignment, None, [], None))
    plan = _plan(submission, assignment)
    sources = [source for source, _ in plan]
    asked = marking.requests(assignment.key, assignment.seed)
    collected = collect(sandbox, sources, asked, again=submission.reordered, slot=slot)
    outcome = Outcome(remarks=[*submission.remarks, *_stops(collected, plan)], peak=collected.peak)
    outcome.marks = [
        marking.mark(assignment.key, question, collected.answers.get(question.name, ()), assignment.seed)
        for question in assignment.key.questions
    ]
    for mark in outcome.marks:
        if not mark.settled:
            outcome.remarks.append(f"{mark.name} is not settled: {next(_open_problems(mark))}.")
    outcome.remarks += _raised(submission, collected, plan)
    if collected.answers and all(answer.problem for answers in collected.answers.values() for answer in answers):
        outcome.remarks.append("Nothing was returned that could be marked.")
    for each in assignment.key.written:
        cell = submission.find(each.name)
        outcome.written[each.name] = cell is not None and not written_nothing(cell)
    outcome.notebook = _laid_out(assignment, submission, plan, collected)
    return outcome


class _Room:
    """How much of a submission is shown: what turns text into pages takes minutes for megabytes."""

    longest = 20_000  # characters of a cell
    sources = 150_000  # of all cells
    outputs = 300_000
    pictures = 8_000_000

    def cut(self, source: str) -> str:
        """Return a cell's text, or its beginning."""
        shown = source[: max(0, min(self.longest, self.sources))]
        self.sources -= len(shown)
        return shown if len(shown) == len(source) else f"{shown}\n# (cut here: it has {len(source):,} characters)"

    def holds(self, output: dict[str, Any]) -> bool:
        """Return whether there is room for an output."""
        picture = len(output.get("data", {}).get("image/png", ""))
        self.pictures -= picture
        self.outputs -= len(str(output)) - picture
        return self.pictures > 0 and self.outputs > 0


Plan = list[tuple[str, tuple[str, int | str]]]  # sources to run, and what each is: ("cell", number) or ("slot", name)


def _plan(submission: Submission, assignment: Assignment) -> Plan:
    """Return what is run: the submission's cells in order, and what was given as it was given."""
    known = slots(assignment.released)
    there = {cell.slot.name for cell in submission.cells if cell.slot}
    plan: Plan = [
        (slot.cell.source, ("slot", slot.name)) for slot in known if slot.kind == "given" and slot.name not in there
    ]
    for number, cell in enumerate(submission.cells):
        if not cell.code:
            continue
        locked = cell.slot is not None and cell.slot.kind in ("given", "check")
        if cell.source.strip():
            plan.append((cell.source, ("cell", number)))
        if locked and cell.slot is not None and cell.source.strip() != cell.slot.cell.source.strip():
            plan.append((cell.slot.cell.source, ("slot", cell.slot.name)))
    plan += [
        (slot.cell.source, ("slot", slot.name)) for slot in known if slot.kind == "check" and slot.name not in there
    ]
    return plan


def _stops(collected: Collected, plan: Plan) -> list[str]:
    said = []
    for stop in collected.stops:
        if stop.cell is not None:
            source = plan[stop.cell][0].strip().splitlines()
            first = next((line for line in source if line.strip()), "")[:60]
            where, then = f"The cell that begins “{first}”", ", and was left out"
        elif stop.question is not None:
            where, then = f"A call of {stop.question}", ", and was not repeated"
        else:
            where, then = "The process, between cells and questions,", ""
        ended = "ended the process" if stop.reason == "its own end" else f"hit the limit of {stop.reason}"
        said.append(f"{where} {ended}{then}.")
    for number, outputs in enumerate(collected.outputs):
        if any(output.get("ename") == "MemoryError" for output in outputs or ()):
            first = plan[number][0].strip().splitlines()[0][:60]
            said.append(f"The cell that begins “{first}” hit the limit of memory.")
    return said


def _raised(submission: Submission, collected: Collected, plan: Plan) -> list[str]:
    """Say which answers are missing because their cell raised: that may not be what the learner saw."""
    places = {what: number for number, (_, what) in enumerate(plan)}
    said = []
    for name, answers in collected.answers.items():
        cell = submission.find(name)
        if cell is None or not answers or "defines no" not in answers[0].problem:
            continue
        place = places.get(("cell", submission.cells.index(cell)))
        outputs = (collected.outputs[place] if place is not None else None) or []
        error = next((str(output["ename"])[:40] for output in outputs if output["output_type"] == "error"), None)
        if error:
            said.append(f"There is no {name}, because its cell raised {error}.")
    return said


def _open_problems(mark: QuestionMark) -> Any:
    return (part.problem for part in mark.parts if part.problem in (marking.NOT_REACHED, marking.NOT_JUDGED))


def _laid_out(
    assignment: Assignment, submission: Submission | None, plan: Plan, collected: Collected | None
) -> NotebookNode:
    """Return the notebook that nbgrader shows: the learner's cells, nbgrader's metadata as handed out, new outputs."""
    shown: dict[tuple[str, int | str], Sequence[dict[str, Any]]] = {}
    if collected is not None:
        shown = {what: outputs or [] for (_, what), outputs in zip(plan, collected.outputs, strict=True)}
    room = _Room()
    notebook = nbformat.v4.new_notebook(metadata=assignment.released.metadata)
    left = {slot.name: slot for slot in slots(assignment.released)}
    for number, cell in enumerate(submission.cells if submission else ()):
        outputs: Sequence[dict[str, Any]] = shown.get(("cell", number), [])
        if cell.slot is None:
            new = nbformat.v4.new_code_cell if cell.code else nbformat.v4.new_markdown_cell
            node = new(room.cut(cell.source), id=f"own-{number:03d}")
        else:
            node = nbformat.from_dict(dict(left.pop(cell.slot.name).cell))
            if cell.slot.kind in ("answer", "written"):
                node.source = room.cut(cell.source)
            elif ("slot", cell.slot.name) in shown:
                outputs = shown["slot", cell.slot.name]
        if node.cell_type == "code":
            node.outputs = [nbformat.from_dict(output) for output in outputs if room.holds(output)]
            node.execution_count = None
        notebook.cells.append(node)
    for slot in left.values():
        node = nbformat.from_dict(dict(slot.cell))
        if node.cell_type == "code":
            outputs = shown.get(("slot", slot.name), ())
            node.outputs = [nbformat.from_dict(output) for output in outputs if room.holds(output)]
        notebook.cells.append(node)
    for number, node in enumerate(notebook.cells):
        if node.cell_type == "code" and node.outputs:
            node.execution_count = number + 1
    notebook.nbformat_minor = 5
    return notebook

"""A submitted notebook, read and laid beside the version that was handed out.

Marks do not depend on this: every cell of code is run, whatever it is called. What is recognised here decides what a
person is told of (cells that are gone, altered, twice there) and where feedback stands.
"""

import ast
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from lossacc_helpers.grading.wire import clean

LARGEST = 30_000_000  # bytes
MOST_CELLS = 1000
_LONGEST_PARSED = 50_000  # characters; Python takes much memory to parse long ones

Kind = Literal["given", "answer", "check", "written"]


class Unreadable(Exception):
    """A file that is no notebook; the message says what it is, for the teacher's report."""


@dataclass(frozen=True)
class Slot:
    """A cell of the version that was handed out, which nbgrader knows by its id.

    Attributes
    ----------
    name : nbgrader's id of it, and the cell's.
    kind : what it is for.
    cell : as it was handed out.
    """

    name: str
    kind: Kind
    cell: NotebookNode


@dataclass
class Cell:
    """A cell of a submission.

    Attributes
    ----------
    source : as submitted.
    code : whether it is run.
    slot : which cell of the version handed out it is; None for the learner's own.
    """

    source: str
    code: bool
    slot: Slot | None = None


@dataclass
class Submission:
    """A notebook that was handed in.

    Attributes
    ----------
    cells : in their order.
    remarks : what a person should know of it, in sentences.
    reordered : whether cells stand in another order than was handed out.
    """

    cells: list[Cell]
    remarks: list[str] = field(default_factory=list)
    reordered: bool = False

    def find(self, name: str) -> Cell | None:
        """Return the cell that is a slot of that name."""
        return next((cell for cell in self.cells if cell.slot and cell.slot.name == name), None)


def slots(released: NotebookNode) -> list[Slot]:
    """Return the cells of the version handed out that nbgrader knows."""
    found = []
    for cell in released.cells:
        known = cell.metadata.get("nbgrader")
        if known:
            kinds: dict[tuple[bool, bool], Kind] = {
                (True, True): "written",
                (True, False): "check",
                (False, True): "answer",
                (False, False): "given",
            }
            found.append(Slot(known.grade_id, kinds[bool(known.grade), bool(known.solution)], cell))
    return found


def read(data: bytes, released: NotebookNode) -> Submission:
    """Return a submission from its file's bytes.

    Raises
    ------
    Unreadable
        If it is no notebook of any version.
    """
    found, remarks = _cells(data)
    cells = [Cell(_source(each), _is(each, "code")) for each in found]
    known = slots(released)
    _recognise(cells, found, known, remarks)
    submission = Submission(cells, remarks)
    order = [known.index(cell.slot) for cell in cells if cell.slot]
    if order != sorted(order):
        submission.reordered = True
        remarks.append("Cells stand in another order than was handed out.")
    _compare(submission, known)
    return submission


def _cells(data: bytes) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Return the raw cells of a notebook of any version, and what is remarkable about the file."""
    if not data.strip():
        raise Unreadable("The file is empty.")
    if len(data) > LARGEST:
        raise Unreadable(f"The file has {len(data):,} bytes; at most {LARGEST:,} are read.")
    try:
        raw = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Unreadable("The file is not JSON, so it is no notebook (or only a part of one).") from None
    remarks = []
    try:
        if "cells" not in raw:
            remarks.append(f"The notebook is of the older format {int(raw['nbformat'])}; it was converted.")
            # nbformat's own reader joins the lines that version 3 keeps apart.
            raw = nbformat.convert(nbformat.reader.reads(data.decode("utf-8-sig")), 4)
        cells = raw["cells"]
        if not isinstance(cells, list) or not all(isinstance(cell, Mapping) for cell in cells):
            raise TypeError
    except Exception:  # whatever a file of another shape leads a conversion to
        raise Unreadable("The file is JSON, but no notebook: it has no list of cells.") from None
    if len(cells) > MOST_CELLS:
        remarks.append(f"The notebook has {len(cells):,} cells; the first {MOST_CELLS:,} were run.")
    return cells[:MOST_CELLS], remarks


def _recognise(cells: list[Cell], found: list[Mapping[str, Any]], known: list[Slot], remarks: list[str]) -> None:
    """Give each cell its slot: by nbgrader's id, else by the cell's, else by what it holds."""
    by_name = {slot.name: slot for slot in known}
    claims: dict[str, list[int]] = {}
    for number, each in enumerate(found):
        metadata = each.get("metadata")
        nbgrader = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
        told = nbgrader.get("grade_id") if isinstance(nbgrader, Mapping) else None
        for name in told, each.get("id"):
            if isinstance(name, str) and name in by_name:
                claims.setdefault(name, []).append(number)
                break
    for name, numbers in claims.items():
        # The last one is what the learner wrote over: cells are copied downwards. All of them are run.
        cells[numbers[-1]].slot = by_name[name]
        if len(numbers) > 1:
            remarks.append(f"The cell {name} is there {len(numbers)} times; all were run, in their order.")
    lost = [slot for slot in known if slot.name not in claims]
    again = 0
    defined: dict[int, set[str]] = {}
    for slot in lost:
        free = [cell for cell in cells if cell.slot is None]
        same = [cell for cell in free if cell.source.strip() == slot.cell.source.strip()]
        if slot.kind == "answer":
            for cell in free if not same else ():
                if cell.code and id(cell) not in defined:
                    defined[id(cell)] = _defines(cell.source)
                if slot.name in defined.get(id(cell), ()):
                    same.append(cell)
        if same:
            same[-1].slot = slot
            again += 1
    if again:
        remarks.append(f"{again} cells have lost nbgrader's metadata; they were recognised by what they hold.")


def _compare(submission: Submission, known: list[Slot]) -> None:
    """Remark which cells are gone or altered, and read answers that were turned into text."""
    there = {cell.slot.name: cell for cell in submission.cells if cell.slot}
    for slot in known:
        cell = there.get(slot.name)
        if cell is None:
            what = {"given": "The given cell", "check": "The check cell"}.get(slot.kind, "The answer cell")
            restored = " It was run as handed out." if slot.kind in ("given", "check") else ""
            submission.remarks.append(f"{what} {slot.name} is gone.{restored}")
            continue
        if slot.kind in ("given", "check") and cell.source.strip() != slot.cell.source.strip():
            what = "given" if slot.kind == "given" else "check"
            after = " It was run as submitted, and then as handed out."
            submission.remarks.append(f"The {what} cell {slot.name} was altered.{after}")
        if slot.cell.cell_type == "code" and not cell.code:
            cell.code = True
            submission.remarks.append(f"The cell {slot.name} was no cell of code any more; it was run all the same.")


def written_nothing(cell: Cell) -> bool:
    """Return whether a cell that is to be written in is as it was handed out, or empty."""
    assert cell.slot is not None
    return cell.source.strip() in ("", cell.slot.cell.source.strip())


def _defines(source: str) -> set[str]:
    """Return the names that a cell defines or assigns at its top level."""
    if len(source) > _LONGEST_PARSED:
        return set()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets: Iterable[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return clean(source) if isinstance(source, str) else ""


def _is(cell: Mapping[str, Any], kind: str) -> bool:
    return cell.get("cell_type") == kind

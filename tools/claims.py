"""Build the ledger of claims: every claim of the sources with its verdict, and every band that a lesson checks.

python -m tools.claims              write docs/claims.md from the lessons and from what their builds have recorded
python -m tools.claims --check      write nothing; say where the page is not what they give
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from tools import bands
from tools.lessons import ROOT, deciding, lesson_paths, numbered, read_lesson, table_row

PAGE = ROOT / "docs" / "claims.md"
RECORD = ROOT / "docs" / "bands.json"

ELSEWHERE = re.compile(r"lesson (\d\d): (.+)")  # words for a cell of another lesson

_INTRODUCTION = """# Claims and bands

<!-- written by `make notebooks`; do not edit -->

Everything that the sources of this course claim, with the verdict of the lesson that looked into it and the cells that
decide it. A number in brackets, as in [23], is the one that Jupyter shows beside a cell when the lesson's notebook is
run once from top to bottom. A verdict is said in full in the lesson, with what was not tested.

Below the claims of each lesson stand its **bands**: what its cells demand of the numbers they have computed. If a band
does not hold, the cell fails, and so does `make test`, which runs every notebook. The values are those of the build
that is stored with this page, in four digits: where several were compared, the least and the greatest. Other machines
round differently, and come to slightly other values inside the same bands.
"""


@dataclass(frozen=True)
class Claim:
    """A line of a lesson's verdicts: the claim, the verdict, and the words for what decides it, all in Markdown."""

    claim: str
    verdict: str
    decided_by: tuple[str, ...]


def claims(notebook: NotebookNode) -> list[Claim]:
    """The verdicts of a lesson in their order; the words for what decides them are without the cells' numbers."""
    found = []
    for cell in notebook.cells:
        lines = cell.source.splitlines()
        if cell.cell_type == "markdown" and "## Verdicts" in lines:
            rows = [table_row(line) for line in lines]
            for row in [row for row in rows if len(row) == 3][2:]:
                words = [re.sub(r" \[[\d, ]+\]$", "", each.strip()) for each in row[2].split(";")]
                found.append(Claim(row[0], row[1], tuple(each for each in words if each)))
    return found


def keep(lesson: str, record: list[dict[str, Any]]) -> None:
    """Store what the bands of a lesson came to when it was built."""
    kept = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    kept[lesson] = record
    text = json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False)
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(text + "\n", encoding="utf-8", newline="\n")


def page() -> str:
    """The ledger as the lessons and the record give it."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    parts = [_INTRODUCTION]
    for path in lesson_paths():
        notebook = read_lesson(path)
        if found := claims(notebook):
            parts.append("\n".join(_of_lesson(path, notebook, found, record.get(path.stem, []))))
    return "\n".join(parts)


def _of_lesson(path: Path, notebook: NotebookNode, found: list[Claim], record: list[dict[str, Any]]) -> Iterator[str]:
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    place = deciding(notebook)
    for words in {words for claim in found for words in claim.decided_by}:
        if other := ELSEWHERE.fullmatch(words):
            [theirs] = lesson_paths([other[1]])
            place[words] = deciding(read_lesson(theirs)).get(other[2], [])
    yield f"## [{title}](../notebooks/{path.stem}.ipynb)\n"
    yield "| claim | verdict | decided by |\n|---|---|---|"
    for claim in found:
        words = "; ".join(f"{each} {place[each]}" if each in place else each for each in claim.decided_by)
        yield f"| {claim.claim} | {claim.verdict} | {words} |"
    yield ""
    if not record:
        yield "No bands: its numbers are exact, and compared word for word when its notebook is tested.\n"
        return
    yield "| cell | what is checked | what came out | over |\n|---|---|---|---|"
    for cell in record:
        for number, (text, values) in enumerate(cell["checks"].items()):
            said = "<br>".join(f"{_code(name)}: {value}" for name, value in values.items() if value)
            first = (f"[{cell['cell']}]", cell["over"]) if number == 0 else ("", "")
            yield f"| {first[0]} | {_code(text)} | {said} | {first[1]} |"
    yield ""


def _code(text: str) -> str:
    """Code in a field of a table, where a bar would end the field."""
    return f"`{text}`".replace("|", "\\|")


def stale() -> list[str]:
    """Where page or record are not what the lessons give."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    problems = []
    for path in lesson_paths():
        notebook = read_lesson(path)
        number = numbered(notebook)
        wanted = {
            number[cell.id]: [check.text for band in bands.bands(cell.source) for check in bands.checks(band.test)]
            for cell in bands.banded(notebook)
        }
        kept = {cell["cell"]: list(cell["checks"]) for cell in record.get(path.stem, [])}
        problems += [
            f"{path.stem}, cell [{cell}]: docs/bands.json does not hold the bands that it checks; run make notebooks "
            f"LESSON={path.stem[:2]}"
            for cell in sorted({*wanted, *kept})
            if wanted.get(cell) != kept.get(cell)
        ]
    if not problems and (not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page()):
        problems.append("docs/claims.md is not what the lessons give; run python -m tools.claims")
    return problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or check it; 1 if anything is wrong, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m tools.claims", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; compare")
    if not parser.parse_args(arguments).check:
        PAGE.write_text(page(), encoding="utf-8", newline="\n")
    problems = stale()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

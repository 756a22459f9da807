"""The lessons as their authors write them: percent-format text, read into cells."""

import re
from collections.abc import Iterable
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
LESSONS = ROOT / "lessons"
NOTEBOOKS = ROOT / "notebooks"

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def lesson_paths(chosen: Iterable[str] = (), *, folder: Path = LESSONS) -> list[Path]:
    """The lessons' sources in order, or those whose names begin with one of the chosen texts (`01`)."""
    paths = sorted(folder.glob("*.py"))
    wanted = list(chosen)
    for text in wanted:
        if not any(path.stem.startswith(text) for path in paths):
            known = ", ".join(path.stem for path in paths) or "none"
            raise ValueError(f"no lesson begins with {text!r}; known lessons: {known}")
    return [path for path in paths if not wanted or path.stem.startswith(tuple(wanted))]


def notebook_path(lesson: Path, *, folder: Path = NOTEBOOKS) -> Path:
    """Where a lesson's notebook belongs."""
    return folder / f"{lesson.stem}.ipynb"


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell, in the order in which they were written."""
    return list(cell.metadata.get("tags", []))


def tidy_metadata() -> NotebookNode:
    """The notebook metadata that is kept: nothing that differs from one machine to the next."""
    return nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}})


def read_lesson(path: Path) -> NotebookNode:
    """A lesson's source as a notebook without outputs, its ids and metadata as the built notebook has them."""
    text = path.read_text(encoding="utf-8")
    notebook = parse_lesson(text, stem=path.stem)
    if not notebook.cells:
        raise ValueError(f"{path.name} holds no cells")
    return notebook


def parse_lesson(text: str, *, stem: str) -> NotebookNode:
    """The same from the source's text; cell ids are the lesson's name and the cell's number.

    Besides tags, two marks of a cell are kept: `decides`, the words by which the verdicts refer to it, and `over`, what
    the bands were measured over that it checks. Behind those words the verdicts get the number of the cell.
    """
    if not re.fullmatch(r"[0-9]{2}(_[a-z0-9]+)+", stem) or len(stem) > 60:
        raise ValueError(f"a lesson is named like 01_arithmetic_of_log_loss, at most 60 characters; got {stem!r}")
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = tidy_metadata()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{stem.replace('_', '-')}-{number:03d}"
        written = tags(cell)
        kept = {name: str(cell.metadata[name]) for name in ("decides", "over") if name in cell.metadata}
        cell.metadata = NotebookNode({"tags": written, **kept} if written else kept)
        if "solution" in written:
            cell.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
    place = deciding(notebook)
    for cell in notebook.cells:
        if "## Verdicts" in cell.source.splitlines():
            cell.source = "\n".join(_with_numbers(line, place) for line in cell.source.splitlines())
    return notebook


def numbered(notebook: NotebookNode) -> dict[str, int]:
    """The number that Jupyter shows beside each code cell, by the cell's id, when all are run once from the top."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    return {cell.id: number for number, cell in enumerate(code, start=1)}


def deciding(notebook: NotebookNode) -> dict[str, list[int]]:
    """The numbers of the cells that decide claims, by the words with which verdicts refer to them."""
    number, place = numbered(notebook), dict[str, list[int]]()
    for cell in notebook.cells:
        for words in cell.metadata.get("decides", "").split(";") if cell.cell_type == "code" else ():
            if words.strip():
                place.setdefault(words.strip(), []).append(number[cell.id])
    return place


def table_row(line: str) -> list[str]:
    """The fields of a line of a Markdown table; none if it is no such line."""
    fields = re.split(r"(?<!\\)\|", line.strip())
    return [field.strip() for field in fields[1:-1]] if line.strip().startswith("|") else []


def _with_numbers(line: str, place: dict[str, list[int]]) -> str:
    """A verdict with the numbers of its deciding cells, as in "the ten readings [23]"."""
    fields = table_row(line)
    if len(fields) != 3:
        return line
    refers = [words.strip() for words in fields[2].split(";")]
    fields[2] = "; ".join(f"{words} {place[words]}" if words in place else words for words in refers)
    return f"| {' | '.join(fields)} |"

"""Build the notebooks that learners open from the lessons that authors write, and check that the two agree.

python -m tools.build_notebooks             build and run every lesson
python -m tools.build_notebooks 01 02       build and run these
python -m tools.build_notebooks --check     run nothing; say where a committed notebook is not what its source says
"""

import argparse
import asyncio
import base64
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools import bands, claims
from tools.lessons import LESSONS, NOTEBOOKS, lesson_paths, notebook_path, read_lesson, tags, tidy_metadata

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
LARGEST_FIGURE = 60_000  # bytes
LARGEST_NOTEBOOK = 1_000_000  # bytes
SECONDS_PER_CELL = 300
AT_A_TIME = 2
MOST_PROBLEMS = 5  # told of one notebook: where cells were inserted, all later ones differ

ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# What a widget without a text of its own stores: VBox(children=(IntSlider(value=0), ...
WIDGET_TEXT = re.compile(r"\A[A-Z]\w*\((children|value|description|options|layout)=")


class BuildError(Exception):
    """A lesson that cannot be built, told so that its author can mend it."""


async def execute(notebook: NotebookNode, *, folder: Path, record: Path) -> None:
    """Run every cell in a fresh kernel that starts in `folder`, as Jupyter would; outputs are stored in place.

    What the cells' bands came to is written to the file `record`.

    Raises
    ------
    BuildError
        If a cell raises, takes too long or ends the kernel; the message names the cell.
    """
    client = NotebookClient(
        notebook,
        kernel_name=notebook.metadata.kernelspec.name,
        resources={"metadata": {"path": str(folder)}},
        timeout=SECONDS_PER_CELL,
        store_widget_state=False,
        record_timing=False,
        extra_arguments=[
            "--IPKernelApp.log_level=ERROR",  # it warns in the author's terminal at every start
            f"--IPKernelApp.exec_lines={bands.watching(notebook, record)}",
        ],
        coalesce_streams=True,  # where one stream output ends and the next begins is chance
    )
    started: list[NotebookNode] = []
    client.on_cell_start = lambda cell, cell_index: started.append(cell)
    try:
        await client.async_execute()
    except CellTimeoutError as error:
        raise BuildError(f"{where(started[-1])} took longer than {SECONDS_PER_CELL} s") from error
    except DeadKernelError as error:
        raise BuildError(f"{where(started[-1])} ended the kernel") from error
    except CellExecutionError as error:
        raise BuildError(f"{where(started[-1])} raised\n{ANSI_COLOUR.sub('', str(error)).strip()}") from error


def where(cell: NotebookNode) -> str:
    """The words that name a cell in a message: its id, its tags and its first line."""
    first = cell.source.strip().splitlines()[0] if cell.source.strip() else "empty"
    marks = f" [{', '.join(tags(cell))}]" if tags(cell) else ""
    return f"cell {cell.id}{marks} ({first[:60]})"


def keep_what_is_read(notebook: NotebookNode) -> None:
    """Drop what has no meaning without a running kernel, or differs between machines; keep pictures and text.

    A picture that is there as PNG and as HTML is kept as PNG, with the alternative text in its metadata.
    """
    notebook.metadata = tidy_metadata()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop(WIDGET_VIEW, None)
            if "image/png" in data:
                data.pop("text/html", None)


def stored_problems(notebook: NotebookNode) -> Iterator[str]:
    """Whatever in a notebook's stored outputs a reader on GitHub, or the next learner, should not meet."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if cell.source.strip() and cell.execution_count is None:
            yield f"{where(cell)} was never run"
        pictures = []
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{where(cell)} stores an error: {output.ename}: {output.evalue}"
            if output.output_type == "stream" and output.name == "stderr":
                yield f"{where(cell)} wrote to stderr: {output.text.strip()[:300]}"
            data = output.get("data", {})
            if WIDGET_VIEW in data:
                yield f"{where(cell)} stores a widget view, which shows as 'model not found'"
            if "data" in output and not data:
                yield f"{where(cell)} shows a widget that leaves neither a picture nor a text behind"
            if WIDGET_TEXT.match(data.get("text/plain", "")):
                yield f"{where(cell)} stores a widget's repr as its text: {data['text/plain'][:60]}"
            if "image/png" in data:
                pictures.append(len(base64.b64decode(data["image/png"])))
        if "explorer" in tags(cell) and not pictures:
            yield f"{where(cell)} is an explorer without a static picture (image/png)"
        for size in pictures:
            if size > LARGEST_FIGURE:
                yield f"{where(cell)} stores a figure of {size:,} bytes; at most {LARGEST_FIGURE:,}"
    size = len(as_text(notebook).encode())
    if size > LARGEST_NOTEBOOK:
        yield f"the notebook has {size:,} bytes; at most {LARGEST_NOTEBOOK:,}"


def as_text(notebook: NotebookNode) -> str:
    """The notebook's bytes as they are committed: sorted keys, a newline at the end."""
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"


async def build(lesson: Path, *, folder: Path = NOTEBOOKS) -> str:
    """Build, run and write one notebook; nothing is written unless all is well. Returns a line to print.

    Raises
    ------
    BuildError
        If a cell fails, writes to stderr or leaves something behind that a notebook may not store.
    """
    begin = time.perf_counter()
    notebook = read_lesson(lesson)
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as spare:
        await execute(notebook, folder=folder, record=Path(spare) / "bands.json")
        came_out = bands.read(Path(spare) / "bands.json")
    seconds = time.perf_counter() - begin
    keep_what_is_read(notebook)
    nbformat.validate(notebook)
    if problems := list(stored_problems(notebook)):
        raise BuildError("\n".join(problems))
    text = as_text(notebook)
    path = notebook_path(lesson, folder=folder)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    os.replace(unfinished, path)
    claims.keep(lesson.stem, came_out)
    return f"{path.name}: {seconds:.1f} s, {len(text.encode()) / 1000:,.0f} kB"


async def build_all(lessons: Sequence[Path], *, folder: Path = NOTEBOOKS) -> list[str]:
    """Build lessons two at a time, printing each as it is done; returns what went wrong, lesson by lesson."""
    turn = asyncio.Semaphore(AT_A_TIME)

    async def one(lesson: Path) -> str | None:
        async with turn:
            try:
                print(await build(lesson, folder=folder), flush=True)
            except (BuildError, ValueError, nbformat.ValidationError) as error:
                return f"lessons/{lesson.name}: {error}"
        return None

    return [failure for failure in await asyncio.gather(*map(one, lessons)) if failure]


def disagreements(lesson: Path, *, folder: Path = NOTEBOOKS) -> list[str]:
    """Where a committed notebook is not what its lesson says (outputs are not compared) or stores what it may not."""
    path = notebook_path(lesson, folder=folder)
    if not path.exists():
        return [f"{path.name} is missing; run make notebooks LESSON={lesson.stem[:2]}"]
    text = path.read_text(encoding="utf-8")
    try:
        built = nbformat.reads(text, as_version=4)
        nbformat.validate(built)
    except Exception as error:
        return [f"{path.name} is not a notebook: {str(error).splitlines()[0]}"]
    wanted = read_lesson(lesson)
    problems = []
    if len(built.cells) != len(wanted.cells):
        problems.append(f"has {len(built.cells)} cells where the lesson has {len(wanted.cells)}")
    for ours, theirs in zip(built.cells, wanted.cells, strict=False):
        different = [key for key in ("id", "cell_type", "source", "metadata") if ours[key] != theirs[key]]
        if different:
            problems.append(f"{where(theirs)} differs from the lesson in its {', '.join(different)}")
    if built.metadata != wanted.metadata or built.nbformat_minor != wanted.nbformat_minor:
        problems.append(f"has the metadata {dict(built.metadata)}")
    problems += stored_problems(built)
    if not problems and text != as_text(built):
        problems.append("is not written as the build writes it; it was saved by something else")
    if len(problems) > MOST_PROBLEMS:
        problems[MOST_PROBLEMS:] = [f"and {len(problems) - MOST_PROBLEMS} more"]
    told = [f"{path.name}: {problem}" for problem in problems]
    return [*told, f"run make notebooks LESSON={lesson.stem[:2]}"] if told else []


def orphans(*, lessons: Path = LESSONS, folder: Path = NOTEBOOKS) -> list[str]:
    """Notebooks without a lesson, which nothing would ever rebuild."""
    named = {path.stem for path in lesson_paths(folder=lessons)}
    return [
        f"{path.name} has no lesson of its name; remove it or write lessons/{path.stem}.py"
        for path in sorted(folder.glob("*.ipynb"))
        if path.stem not in named
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or check what the command line names; 1 if anything is wrong, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_notebooks", description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="the beginnings of lessons' names, such as 01; all if none is given")
    parser.add_argument("--check", action="store_true", help="compare what is committed; run nothing")
    options = parser.parse_args(arguments)
    try:
        lessons = lesson_paths(options.lessons)
    except ValueError as error:
        parser.error(str(error))
    if options.check:
        problems = [problem for lesson in lessons for problem in disagreements(lesson)] + orphans()
    else:
        # A learner's kernel reads their own IPython profile and progress; what is committed must not depend on the
        # author's, nor may a build count as the author's progress.
        with tempfile.TemporaryDirectory() as profile:
            os.environ["IPYTHONDIR"] = profile
            os.environ["LOSSACC_PROGRESS"] = "off"
            problems = asyncio.run(build_all(lessons))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""Build what learners get of each assignment, and prove that it is marked as it should be.

python -m tools.build_coursework            build coursework/release/ and prove every assignment
python -m tools.build_coursework A1         one of them
python -m tools.build_coursework --check    build nothing; say where what is committed is not what its source gives
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from lossacc_helpers.grading.gradebook import Course
from lossacc_helpers.grading.key import Key
from lossacc_helpers.grading.running import Assignment, Outcome, grade
from lossacc_helpers.grading.sandbox import NoSandbox, Sandbox
from tools.build_notebooks import as_text
from tools.coursework import RELEASE, assignments, load_key, read_source
from tools.instructors import PAGE, page
from tools.lessons import tidy_metadata

SEED = 20261123  # of the proof; a class has its own


def released(name: str) -> NotebookNode:
    """Return the version for learners, made by nbgrader from the source."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Course(Path(folder)).release(name, read_source(name))
    notebook.metadata = tidy_metadata()
    return notebook


def released_path(name: str, *, folder: Path = RELEASE) -> Path:
    """Where the version for learners belongs."""
    return folder / name / f"{name}.ipynb"


def variants(key: Key, source: NotebookNode) -> Iterator[tuple[str, NotebookNode, dict[str, float]]]:
    """Yield wrong versions of the source, each with its name and what every question should earn in it.

    The first has the first wrong answer of every question, the next has the second, and so on: questions do not hang
    together, and running a version takes longer than marking it.
    """
    for number in range(max((len(question.wrong_answers) for question in key.questions), default=0)):
        notebook, expected, names = nbformat.from_dict(dict(source)), {}, []
        cells = {cell.id: position for position, cell in enumerate(notebook.cells)}
        notebook.cells = [nbformat.from_dict(dict(cell)) for cell in notebook.cells]
        for question in key.questions:
            expected[question.name] = question.points
            wrong = list(question.wrong_answers.items())
            if number < len(wrong):
                name, answer = wrong[number]
                notebook.cells[cells[question.name]].source = answer.source
                expected[question.name] = answer.earns
                names.append(f"{question.name} ({name})")
        yield "; ".join(names), notebook, expected


def prove(name: str, sandbox: Sandbox, *, seed: int = SEED, versions: slice = slice(None)) -> list[str]:
    """Return where an assignment is not marked as it should be: solutions, the untouched version, wrong answers.

    Parameters
    ----------
    name : of the assignment.
    sandbox : in which the versions run.
    seed : a class's.
    versions : which of the wrong `variants`.
    """
    key, source, handed_out = load_key(name), read_source(name), released(name)
    assignment = Assignment(key, handed_out, seed)
    problems = []

    def expect(what: str, notebook: NotebookNode, expected: dict[str, float]) -> Outcome:
        outcome = grade(nbformat.writes(notebook).encode(), assignment, sandbox)
        for mark in outcome.marks:
            if mark.earned != expected[mark.name]:
                why = "; ".join(part.detail for part in mark.parts if part.detail)
                problems.append(
                    f"{name}, {what}: {mark.name} earned {mark.earned:g}, not {expected[mark.name]:g}. {why}"
                )
        return outcome

    full = {question.name: question.points for question in key.questions}
    solved = expect("the solutions", source, full)
    problems += [f"{name}, the solutions: {remark}" for remark in solved.remarks]
    for cell in solved.notebook.cells:
        shown = [str(output.get("data", {}).get("text/plain", "")) for output in cell.get("outputs", ())]
        problems += [f"{name}, the solutions: the check {cell.id} says {text}" for text in shown if "✗" in text]
    untouched = expect("untouched", handed_out, dict.fromkeys(full, 0.0))
    for cell in untouched.notebook.cells:
        problems += [
            f"{name}, untouched: the cell {cell.id} raised {output.ename}: {output.evalue}"
            for output in cell.get("outputs", ())
            if output.output_type == "error"
        ]
    for what, notebook, expected in islice(variants(key, source), versions.start, versions.stop):
        expect(what, notebook, expected)
    return problems


def stale(name: str, *, folder: Path = RELEASE) -> list[str]:
    """Return what is wrong with the committed version for learners: it is missing, or not what its source gives."""
    path = released_path(name, folder=folder)
    if not path.exists() or path.read_text(encoding="utf-8") != as_text(released(name)):
        return [f"coursework/release/{name}/{name}.ipynb is not what its source gives; run make coursework"]
    return []


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or check what the command line names; 1 if anything is wrong, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_coursework", description=__doc__.splitlines()[0])
    parser.add_argument("assignments", nargs="*", help="as in A1; all if none is given")
    parser.add_argument("--check", action="store_true", help="compare what is committed; build and prove nothing")
    parser.add_argument("--unsafe", action="store_true", help="prove without a sandbox, where there is none")
    options = parser.parse_args(arguments)
    names = options.assignments or assignments()
    if unknown := sorted(set(names) - set(assignments())):
        parser.error(f"no assignment {', '.join(unknown)}; known: {', '.join(assignments())}")
    if options.check:
        problems = [problem for name in names for problem in stale(name)]
    else:
        for name in names:
            path = released_path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(as_text(released(name)), encoding="utf-8", newline="\n")
            print(f"coursework/release/{name}/{name}.ipynb", flush=True)
        if page() != PAGE.read_text(encoding="utf-8"):
            PAGE.write_text(page(), encoding="utf-8", newline="\n")
            print("INSTRUCTORS.md", flush=True)
        try:
            with Sandbox(unsafe=options.unsafe) as sandbox:
                problems = [problem for name in names for problem in prove(name, sandbox)]
        except NoSandbox as reason:
            problems = [f"nothing was proved: {reason}; --unsafe proves without a sandbox"]
        if not problems:
            print(f"{', '.join(names)}: solutions earn all points, the untouched version none, wrong answers theirs")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

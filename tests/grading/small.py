"""A small assignment with a key of its own, and notebooks made from it: what the tests of grading hand in."""

from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbformat import NotebookNode

from lossacc_helpers.exercises import LearnerValue, Wrong
from lossacc_helpers.grading.gradebook import Course
from lossacc_helpers.grading.key import Criterion, Key, Part, Question, Written, WrongAnswer, calls, equals
from tools.coursework import parse_source

SECRET = 0.7351924608  # stands nowhere but here: whoever finds it has looked into this process


def _tables(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    return [(rng.uniform(0.1, 0.9, (int(rows), 3)),) for rows in rng.integers(2, 7, 4)]


def _with_zeros(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    return [(np.where(rng.uniform(size=(4, 2)) < 0.5, 0.0, 0.5),) for _ in range(3)]


def reference(table: np.ndarray) -> np.ndarray:
    """Row by row, in another way than the solution: with a loop."""
    return np.array([sum(-np.log(max(p, 1e-7)) for p in row) / len(row) for row in table])


def _rising(answer: LearnerValue) -> None:
    before, after = (part.number() for part in answer.parts(2))
    if not after > before:
        raise Wrong("the second is not greater")


KEY = Key(
    name="A9",
    title="A small one",
    questions=(
        Question(
            name="row_losses",
            parts=(
                calls("tables of several sizes", 30, _tables, reference),
                calls("zeros", 10, _with_zeros, reference),
            ),
            wrong_answers={
                "no clipping": WrongAnswer(
                    source="def row_losses(table):\n    return -np.log(table).mean(axis=1)", earns=30
                )
            },
        ),
        Question(name="least", parts=(equals("its value", 20, lambda: SECRET),)),
        Question(name="rising", parts=(Part(name="two numbers that rise", points=20, judge=_rising),)),
    ),
    written=(Written(name="diagnosis", rubric=(Criterion(points=20, text="names the cause"),)),),
)

SOURCE = f'''# %% [markdown]
# # A9 A small one
# %% given="setup"
import numpy as np
from lossacc_helpers.exercises import look_at, try_out
offset = 0.0
# %% [markdown]
# The mean of $-\\\\ln p$ of each row, with p at least 1e-7.
# %% answer="row_losses"
def row_losses(table):
    """Mean losses of the rows, in nats."""
    ### BEGIN SOLUTION
    return -np.log(np.maximum(table, 1e-7)).mean(axis=1) + offset
    ### END SOLUTION
# %% check="row_losses"
try_out(row_losses, np.array([[0.5, 0.5]]), gives=[0.6931471805599453])
# %% answer="least"
least = ...
### BEGIN SOLUTION
least = {SECRET}
### END SOLUTION
# %% check="least"
look_at(least, name="least", kind="number")
# %% answer="rising"
rising = ...
### BEGIN SOLUTION
rising = (1, 2)
### END SOLUTION
# %% check="rising"
look_at(rising, name="rising", kind="array", shape=(2,))
# %% [markdown] written="diagnosis"
# ### BEGIN SOLUTION
# A model answer.
# ### END SOLUTION
'''


def source() -> NotebookNode:
    """The instructor's version."""
    return parse_source(SOURCE, KEY)


def release(folder: Path) -> NotebookNode:
    """The version for learners, as nbgrader makes it."""
    return Course(folder).release(KEY.name, source())


def filled(released: NotebookNode, **answers: str) -> NotebookNode:
    """A learner's notebook: the version for learners, with all answers right but for those that are given."""
    solved = {cell.id: cell.source for cell in source().cells}
    notebook = nbformat.from_dict(dict(released))
    notebook.cells = [nbformat.from_dict(dict(cell)) for cell in released.cells]
    for cell in notebook.cells:
        known = cell.metadata.get("nbgrader")
        if known and known.solution:
            text = answers.get(cell.id, solved[cell.id])
            cell.source = text.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")
    return notebook


def with_cell(notebook: NotebookNode, code: str, *, position: int | None = None) -> NotebookNode:
    """The same with a cell of the learner's own, by default behind what is given."""
    places = [number for number, cell in enumerate(notebook.cells) if cell.id == "given-setup"]
    notebook.cells.insert(places[0] + 1 if position is None else position, nbformat.v4.new_code_cell(code))
    return notebook

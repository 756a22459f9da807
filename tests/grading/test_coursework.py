"""The assignments: what is committed is fresh, and each is marked as it should be."""

import ast
import json

import nbformat
import pytest

from lossacc_helpers.grading.sandbox import Sandbox
from tests.grading.small import KEY, SOURCE
from tools.build_coursework import prove, released_path, stale, variants
from tools.coursework import SOURCES, assignments, load_key, parse_source, read_source
from tools.instructors import PAGE, page

NAMES = assignments()


def test_the_instructors_page_has_the_rubrics_of_the_keys() -> None:
    assert page() == PAGE.read_text(encoding="utf-8")


def test_there_are_three() -> None:
    assert NAMES == ["A1", "A2", "A3"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_committed_is_what_its_source_gives(name: str) -> None:
    assert stale(name) == []


FIRST = 0  # so many wrong versions are run in `make test`; `make coursework` runs all, and so does `make test-slow`


@pytest.mark.parametrize("name", NAMES)
def test_solutions_earn_all_points_untouched_none_and_wrong_answers_theirs(name: str, ample: Sandbox) -> None:
    assert prove(name, ample, versions=slice(FIRST)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_other_wrong_answers_earn_theirs(name: str, ample: Sandbox) -> None:
    assert prove(name, ample, versions=slice(FIRST, None)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_another_class_is_marked_the_same(name: str, ample: Sandbox) -> None:
    """Hidden arguments differ from class to class; what an answer earns must not."""
    assert prove(name, ample, seed=4) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_wrong_answers_and_some_earn_a_part(name: str) -> None:
    key = load_key(name)
    assert all(len(question.wrong_answers) >= 2 for question in key.questions)
    partial = [
        question.name
        for question in key.questions
        if any(0 < answer.earns < question.points for answer in question.wrong_answers.values())
    ]
    assert len(partial) * 2 >= len(key.questions), partial
    assert all(len(question.parts) >= 2 for question in key.questions)
    assert list(variants(key, read_source(name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_learners_version_holds_no_solution_and_needs_no_nbgrader(name: str) -> None:
    text = released_path(name).read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    notebook = nbformat.reads(text, as_version=4)
    imported = set()
    for cell in notebook.cells:
        assert not cell.get("outputs")
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(str(node.module))
    heavy = ("nbgrader", "tensorflow", "keras", "lossacc_helpers.training")
    assert not {each for each in imported if each.startswith(heavy)}
    for cell in read_source(name).cells:
        if "### BEGIN SOLUTION" in cell.source:
            solution = cell.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0].strip()
            assert json.dumps(solution)[1:-1] not in text, cell.id


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_lines_fit(name: str) -> None:
    for cell in read_source(name).cells:
        if cell.cell_type == "code" and not cell.id.startswith("given"):
            lines = cell.source.splitlines()
            assert all(len(line) <= 120 for line in lines), cell.id
    assert all(len(line) <= 120 for line in (SOURCES / f"{name.lower()}.py").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('answer="least"', 'answer="lest"', "source has answers"),
        ('check="least"', 'check="lest"', "no question 'lest'"),
        ('# %% given="setup"', "# %%", "without a kind"),
        ('given="setup"', 'given="set up"', "no name for a cell"),
        ('given="setup"', 'given="setup" answer="setup"', "not several"),
        ('# %% given="setup"', '# %% [markdown] given="setup"', "a cell of markdown"),
    ],
)
def test_a_source_that_does_not_fit_its_key_is_refused(old: str, new: str, says: str) -> None:
    parse_source(SOURCE, KEY)
    with pytest.raises(ValueError, match=says):
        parse_source(SOURCE.replace(old, new), KEY)

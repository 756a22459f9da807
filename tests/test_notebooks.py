"""Each notebook is what its lesson says, and the build keeps out what a notebook may not store."""

import asyncio
import base64
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tools.build_notebooks import (
    LARGEST_FIGURE,
    LARGEST_NOTEBOOK,
    WIDGET_VIEW,
    as_text,
    build_all,
    disagreements,
    keep_what_is_read,
    orphans,
    stored_problems,
)
from tools.lessons import ROOT, lesson_paths, parse_lesson, read_lesson

EXAMPLE = f'''# %% [markdown]
# # An example
#
# One picture and a number.

# %%
import math

from IPython.display import display

# %% tags=["explorer"]
picture = {{"image/png": "iVBORw0KGgo=", "text/plain": "A dot.", "{WIDGET_VIEW}": {{"model_id": id(display)}}}}
display(picture, raw=True)

# %% tags=["nbval-check-output"]
print("one", flush=True)
print(f"{{math.log(2):.3f}}")

# %% tags=["solution"]
solved = True
'''


@pytest.mark.parametrize("lesson", lesson_paths(), ids=lambda path: path.stem)
def test_a_notebook_is_what_its_lesson_says(lesson: Path) -> None:
    assert disagreements(lesson) == []


def test_every_notebook_has_a_lesson() -> None:
    assert orphans() == []


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example lesson in a folder of its own, beside a folder for notebooks."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "profile"))
    lesson = tmp_path / "lessons" / "98_small_example.py"
    lesson.parent.mkdir()
    lesson.write_text(EXAMPLE)
    (tmp_path / "notebooks").mkdir()
    return lesson


def built(lesson: Path) -> tuple[Path, list[str]]:
    """Build one lesson: where its notebook belongs, and what went wrong."""
    folder = lesson.parents[1] / "notebooks"
    return folder / f"{lesson.stem}.ipynb", asyncio.run(build_all([lesson], folder=folder))


def test_two_builds_are_the_same_bytes_and_agree_with_the_lesson(example: Path) -> None:
    path, problems = built(example)
    assert problems == []
    first = path.read_bytes()
    path.unlink()
    assert built(example) == (path, [])
    assert path.read_bytes() == first
    assert disagreements(example, folder=path.parent) == []
    notebook = nbformat.read(path, as_version=4)
    assert [cell.id for cell in notebook.cells] == [f"98-small-example-{number:03d}" for number in range(5)]
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    explorer, printed, solution = notebook.cells[2:]
    assert explorer.outputs[0].data == {"image/png": "iVBORw0KGgo=", "text/plain": "A dot."}
    assert [output.text for output in printed.outputs] == ["one\n0.693\n"]
    assert solution.metadata == {"tags": ["solution"], "jupyter": {"source_hidden": True, "outputs_hidden": True}}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        pytest.param("1 / 0", "raised", marks=pytest.mark.slow),
        ("import sys\n\nprint('careful', file=sys.stderr)", "wrote to stderr: careful"),
        pytest.param("import warnings\n\nwarnings.warn('old')", "wrote to stderr", marks=pytest.mark.slow),
        ("import os\n\nos._exit(3)", "ended the kernel"),
        ("import ipywidgets\n\nipywidgets.IntSlider()", "stores a widget's repr"),
        pytest.param(
            "display({'" + WIDGET_VIEW + "': {'model_id': '1'}}, raw=True)",
            "neither a picture nor a text",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_cell_that_goes_wrong_is_named_and_nothing_is_written(example: Path, cell: str, words: str) -> None:
    example.write_text(EXAMPLE + f'\n# %% tags=["commit"]\n{cell}\n')
    path, problems = built(example)
    (problem,) = problems
    assert problem.startswith("lessons/98_small_example.py: cell 98-small-example-005 [commit] (")
    assert words in problem
    assert list(path.parent.iterdir()) == []


def notebook_with(output: NotebookNode, *tags: str) -> NotebookNode:
    """An example notebook whose only code cell was run and stores one output."""
    notebook = parse_lesson(f"# %% tags={list(tags)!r}".replace("'", '"') + "\nshow()\n", stem="98_small_example")
    notebook.cells[0].update(execution_count=1, outputs=[output])
    return notebook


def shown(**data: str) -> NotebookNode:
    """An output of display, its kinds written with an underscore."""
    bundle = {kind.replace("_", "/", 1): value for kind, value in data.items()}
    return nbformat.v4.new_output("display_data", data=bundle)


def test_an_explorer_without_a_static_picture_is_refused() -> None:
    assert "without a static picture" in "".join(stored_problems(notebook_with(shown(text_plain="A dot."), "explorer")))
    assert list(stored_problems(notebook_with(shown(image_png="iVBORw0KGgo="), "explorer"))) == []


def test_a_widget_view_is_refused_where_the_build_did_not_drop_it() -> None:
    view = nbformat.v4.new_output("display_data", data={WIDGET_VIEW: {"model_id": "1"}, "text/plain": "A dot."})
    notebook = notebook_with(view)
    assert "widget view" in "".join(stored_problems(notebook))
    keep_what_is_read(notebook)
    assert list(stored_problems(notebook)) == []


def test_a_cell_that_was_never_run_is_refused() -> None:
    notebook = notebook_with(shown(text_plain="A dot."))
    notebook.cells[0].execution_count = None
    assert "was never run" in "".join(stored_problems(notebook))


def test_a_stored_error_is_refused() -> None:
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
    assert "stores an error: ValueError: no" in "".join(stored_problems(notebook_with(error)))


@pytest.mark.parametrize("excess", [0, 3])
def test_a_figure_may_be_as_large_as_the_limit_and_no_larger(excess: int) -> None:
    figure = base64.b64encode(bytes(LARGEST_FIGURE + excess)).decode()
    assert bool(list(stored_problems(notebook_with(shown(image_png=figure))))) == (excess > 0)


def test_a_notebook_over_the_limit_is_refused() -> None:
    notebook = notebook_with(shown(text_plain="x" * LARGEST_NOTEBOOK))
    assert "the notebook has 1,00" in "".join(stored_problems(notebook))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("# One picture", "# Two pictures", "-000 (# An example) differs from the lesson in its source"),
        ('tags=["explorer"]', 'tags=["quiz"]', "differs from the lesson in its metadata"),
        ("# %% [markdown]\n# # An example", "# %%\n# # An example", "differs from the lesson in its cell_type"),
        ("solved = True", "solved = True\n\n# %%\nmore = 1", "has 5 cells where the lesson has 6"),
    ],
)
def test_a_notebook_older_than_its_lesson_is_found(example: Path, old: str, new: str, words: str) -> None:
    path = run_by_hand(example)
    assert disagreements(example, folder=path.parent) == []
    example.write_text(EXAMPLE.replace(old, new))
    assert words in "\n".join(disagreements(example, folder=path.parent))


def test_a_notebook_saved_by_something_else_is_found(example: Path) -> None:
    path = run_by_hand(example)
    text = path.read_text()
    path.write_text(text.replace('"name": "python"\n', '"name": "python",\n   "version": "3.11.7"\n'))
    assert "has the metadata" in "".join(disagreements(example, folder=path.parent))
    path.write_text(text.replace("98-small-example-001", "f00d"))
    assert "differs from the lesson in its id" in "".join(disagreements(example, folder=path.parent))
    path.write_text(text + "\n")
    assert "not written as the build writes it" in "".join(disagreements(example, folder=path.parent))
    path.write_text("{}")
    assert "is not a notebook" in "".join(disagreements(example, folder=path.parent))
    path.unlink()
    assert "is missing" in "".join(disagreements(example, folder=path.parent))


def run_by_hand(lesson: Path) -> Path:
    """Write the notebook that a run of the example would leave, without a kernel."""
    notebook = read_lesson(lesson)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 1
        if "explorer" in cell.metadata.get("tags", []):
            cell.outputs = [shown(image_png="iVBORw0KGgo=")]
    path = lesson.parents[1] / "notebooks" / f"{lesson.stem}.ipynb"
    path.write_text(as_text(notebook))
    return path


def test_a_notebook_without_a_lesson_is_found(example: Path) -> None:
    path = run_by_hand(example)
    folders = {"lessons": example.parent, "folder": path.parent}
    assert orphans(**folders) == []
    path.rename(path.with_name("97_orphan.ipynb"))
    assert "97_orphan.ipynb has no lesson" in "".join(orphans(**folders))


def test_a_run_that_differs_in_a_promised_output_fails(example: Path) -> None:
    path, problems = built(example)
    assert problems == []
    path.write_text(path.read_text().replace("0.693", "0.694"))
    done = run_with_nbval(path)
    assert done.returncode == 1
    assert "0.694" in done.stdout


def run_with_nbval(path: Path) -> subprocess.CompletedProcess[str]:
    """Run a notebook as `make test` runs the course's."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [*command, str(path)], cwd=path.parent, env=environment, capture_output=True, text=True, check=False
    )

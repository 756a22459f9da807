"""The ledger of claims: every verdict has a cell that decides it, every band its value, and the page is fresh."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from tools import bands, claims
from tools.lessons import deciding, lesson_paths, parse_lesson, read_lesson
from tools.lint_lessons import lesson_of_text, verdicts_have_deciding_cells

LESSON = """# %% [markdown]
# # 99 An example

# %% decides="the count; the mean" over="{len(drawn)} draws"
drawn = [3, 1, 2]
assert 0 < min(drawn) < max(drawn) and sum(drawn) / 3 == 2

# %% [markdown]
# ## Verdicts
#
# | claim | verdict | decided by |
# |---|---|---|
# | It counts. | **True** | the count |
# | It means. | **False** | the mean |
"""


def test_what_is_committed_is_what_the_lessons_give() -> None:
    assert claims.stale() == []


def test_every_lesson_but_the_guide_has_verdicts() -> None:
    counts = {path.stem: len(claims.claims(read_lesson(path))) for path in lesson_paths()}
    assert [name for name, count in counts.items() if not count] == ["00_start_here"]
    assert sum(counts.values()) >= 50


def test_each_verdict_refers_to_its_cell_by_number() -> None:
    notebook = parse_lesson(LESSON, stem="99_example")
    assert deciding(notebook) == {"the count": [1], "the mean": [1]}
    assert "| It counts. | **True** | the count [1] |" in notebook.cells[-1].source
    assert claims.claims(notebook) == [
        claims.Claim("It counts.", "**True**", ("the count",)),
        claims.Claim("It means.", "**False**", ("the mean",)),
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('decides="the count; the mean"', 'decides="the mean"', "decided by 'the count', and no cell"),
        ("| the mean |", "| |", "nothing decides the claim 'It means.'"),
        ("| the mean |", "| the count |", "decides='the mean', and no verdict refers to it"),
        ("| the mean |", "| lesson 01: no such words |", "no cell of lesson 01"),
        ("# %% decides", '# %% tags=["quiz"] decides', "must be a code cell that computes"),
    ],
)
def test_a_verdict_without_a_deciding_cell_is_refused(old: str, new: str, says: str) -> None:
    assert list(verdicts_have_deciding_cells(lesson_of_text(LESSON))) == []
    assert old in LESSON
    found = list(verdicts_have_deciding_cells(lesson_of_text(LESSON.replace(old, new))))
    assert any(says in problem for problem in found), found


def recorded(cells: list[str], over: dict[str, str], path: Path) -> list[dict[str, Any]]:
    """What is written down while a shell of its own runs some cells."""
    shell = InteractiveShell()
    bands.watch(shell, over, str(path))
    for cell in cells:
        assert shell.run_cell(cell, store_history=True).success
    return bands.read(path)


def test_the_values_on_both_sides_are_written_down(tmp_path: Path) -> None:
    cells = [
        "import numpy as np\nrows = np.array([[0.25, 4.0], [1.5, 2.0]])",
        "assert rows.min() > 0.1 and (rows[:, 0] < rows[:, 1]).all()\nassert rows.all(), 'a guard'",
        "for row in rows:\n    assert all(0 < each < 5 for each in row)",
        "assert rows.size == 4",
        "assert np.allclose(rows[0], [0.25, 4.5], atol=1)",
    ]
    assert recorded(
        cells, {"2": "{rows.size} numbers", "3": "{len(rows)} rows", "5": "all"}, tmp_path / "bands.json"
    ) == [
        {
            "cell": 2,
            "over": "4 numbers",
            "checks": {
                "rows.min() > 0.1": {"rows.min()": "0.25"},
                "(rows[:, 0] < rows[:, 1]).all()": {
                    "rows[:, 0]": "0.25 to 1.5 (2 values)",
                    "rows[:, 1]": "2 to 4 (2 values)",
                },
            },
        },
        {
            "cell": 3,
            "over": "2 rows",
            "checks": {"all((0 < each < 5 for each in row))": {"[each for each in row]": "0.25 to 4 (4 values)"}},
        },
        {
            "cell": 5,
            "over": "all",
            "checks": {
                "np.allclose(rows[0], [0.25, 4.5], atol=1)": {"np.abs(rows[0] - [0.25, 4.5]).max()": "0.5"},
            },
        },
    ]


def test_a_band_that_does_not_hold_still_fails(tmp_path: Path) -> None:
    shell = InteractiveShell()
    bands.watch(shell, {"1": ""}, str(tmp_path / "bands.json"))
    done = shell.run_cell("assert 1 > 2", store_history=True)
    assert isinstance(done.error_in_exec, AssertionError)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([0.123456], "0.1235"),
        ([np.int64(12345)], "12,345"),
        ([np.array([1, 3]), 2], "1 to 3 (3 values)"),
        ([0.5, 0.5], "0.5 (2 times)"),
        (["text"], ""),
    ],
)
def test_values_are_said_in_four_digits(values: list[Any], says: str) -> None:
    assert bands.summary(values) == says


def test_a_stale_record_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = json.loads(claims.RECORD.read_text(encoding="utf-8"))
    record["02_iris_plateaus"].pop()
    changed = tmp_path / "bands.json"
    changed.write_text(json.dumps(record), encoding="utf-8")
    monkeypatch.setattr(claims, "RECORD", changed)
    [told] = claims.stale()
    assert "02_iris_plateaus, cell [" in told
    assert "make notebooks LESSON=02" in told


def test_keeping_one_lesson_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "RECORD", tmp_path / "docs" / "bands.json")
    claims.keep("02_two", [{"cell": 1, "over": "", "checks": {}}])
    claims.keep("01_one", [])
    assert list(json.loads(claims.RECORD.read_text(encoding="utf-8"))) == ["01_one", "02_two"]

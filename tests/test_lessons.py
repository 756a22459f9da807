"""Every lesson keeps the rules, and every exercise knows its blank, its solution and its wrong answers apart."""

import ast
import linecache
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from tests.lesson_cells import exercises, groundwork
from tools.lessons import NOTEBOOKS, lesson_paths, tags
from tools.lint_lessons import (
    RULES,
    Lesson,
    called_names,
    lesson_of_text,
    open_lesson,
    problems,
)

LESSONS = lesson_paths()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_keeps_the_rules(path: Path) -> None:
    assert problems(open_lesson(path)) == []


# Exercises ---------------------------------------------------------------------------------------------------------


class Listening:
    """Passes everything on to a lesson's parts and keeps what its checks answered."""

    def __init__(self, parts: Any) -> None:
        self.parts = parts
        self.answers: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.parts, name)

    def check(self, name: str, answer: Any) -> Any:
        self.answers[name] = self.parts.check(name, answer)
        return self.answers[name]


def run(lesson: Lesson, number: int) -> Listening:
    """Run a cell of an exercise behind its groundwork, and give what listened to the checks that it calls."""
    kind = "solution" if "solution" in tags(lesson.cells[number]) else "exercise"
    key = kind, lesson.name, tuple(cell.source for cell in lesson.cells)
    if key not in _PLAYED:
        _PLAYED[key] = _play(lesson, kind)
    outcome = _PLAYED[key][number]
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


_PLAYED: dict[Any, dict[int, Listening | BaseException]] = {}


def _play(lesson: Lesson, kind: str) -> dict[int, Listening | BaseException]:
    """What each exercise of a lesson, or each solution, came to, by its cell's number.

    The lesson is gone through once, from the top, as a learner does: networks that several exercises build on are
    trained once. What an exercise defines is not seen by the others.
    """
    asked = [number for number, cell in enumerate(lesson.cells) if kind in tags(cell)]
    needed = {cell.id for number in asked for cell in groundwork(lesson, number)}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    outcomes: dict[int, Listening | BaseException] = {}
    for number, cell in enumerate(lesson.cells):
        if cell.id in needed:
            execute(cell, namespace)
        if number in asked:
            listening = Listening(namespace["lesson"])
            try:
                execute(cell, {**namespace, "lesson": listening})
            except Exception as error:  # of one exercise, and no reason for the others to fail
                outcomes[number] = error
            else:
                outcomes[number] = listening
    return outcomes


def execute(cell: NotebookNode, namespace: dict[str, Any]) -> None:
    """Run a cell's code, its id in the place of a file's name; as in a notebook its text can be looked up by that."""
    name = f"<{cell.id}>"
    linecache.cache[name] = len(cell.source), None, cell.source.splitlines(keepends=True), name
    exec(compile(ast.parse(cell.source), name, "exec"), namespace)


ALL_EXERCISES = [
    pytest.param(lesson, name, blank, solution, id=f"{lesson.name}-{name}")
    for lesson in map(open_lesson, LESSONS)
    for name, blank, solution in exercises(lesson)
]


@pytest.mark.parametrize(("lesson", "name", "blank", "solution"), ALL_EXERCISES)
def test_the_blank_fails_and_the_solution_passes(lesson: Lesson, name: str, blank: int, solution: int) -> None:
    untouched = run(lesson, blank).answers[name]
    assert not untouched.passed, "the blank passes"
    assert untouched.message
    # What a solution builds on may take a minute of training, and nbval runs it all: the tag makes it compare.
    stored = nbformat.read(NOTEBOOKS / f"{lesson.name}.ipynb", as_version=4).cells[solution]
    assert "nbval-check-output" in tags(stored)
    assert [output.data["text/plain"] for output in stored.outputs] == [f"✓ {name}: passed."]


@pytest.mark.parametrize(("lesson", "name", "blank", "solution"), ALL_EXERCISES)
def test_each_wrong_answer_meets_its_own_message(lesson: Lesson, name: str, blank: int, solution: int) -> None:
    parts = run(lesson, blank).parts
    wrong_answers = parts.exercises[name].wrong_answers
    assert wrong_answers, f"{name} names no wrong answer; think of what a learner may write"
    for mistake, wrong in wrong_answers.items():
        feedback = parts.check(name, wrong.answer)
        assert not feedback.passed, f"{mistake!r} passes {name}; it should be told {wrong.says!r}"
        assert wrong.says in feedback.message, f"{mistake!r} is not told its own message"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("method", "kind"), [("check", "exercises"), ("quiz", "questions"), ("commit", "predictions")])
def test_a_lesson_asks_all_that_its_module_offers(path: Path, method: str, kind: str) -> None:
    lesson = open_lesson(path)
    asked = {name for cell in lesson.code for name in called_names(cell, method)}
    numbers = [number for number, cell in enumerate(lesson.cells) if cell in lesson.tagged("exercise")]
    offered = getattr(run(lesson, numbers[0]).parts, kind) if numbers else {}
    assert asked == set(offered)


# The tools are proven on a small lesson, whose `lesson` is as small ---------------------------------------------------

GOOD = """# %% [markdown]
# # An example
#
# ## The question
#
# Why is the loss 0.693 at 50%?

# %%
import example_course as lesson
import math

# %%
one = 1.0

# %%
print(f"{-math.log(0.5):.3f}")

# %% [markdown]
# ## Commit

# %% tags=["commit"]
lesson.commit("half")

# %% [markdown]
# ## Look

# %% tags=["explorer"]
lesson.explorer()

# %% [markdown]
# ## Compute and explain
#
# A sample costs $-\\\\ln p$.

# %%
lesson.recall("half")

# %% [markdown]
# ## Your turn

# %% tags=["exercise"]
def double(x):
    ...


lesson.check("double", double)

# %% tags=["solution", "nbval-check-output"]
def double_solution(x):
    return 2 * one * x


lesson.check("double", double_solution)

# %% tags=["exercise"]
three = ...
lesson.check("three", three)

# %% tags=["solution", "nbval-check-output"]
three_solution = 3 * one
lesson.check("three", three_solution)

# %% tags=["exercise", "transfer"]
four = ...
lesson.check("four", four)

# %% tags=["solution", "nbval-check-output"]
four_solution = 4
lesson.check("four", four_solution)

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
lesson.quiz("first")

# %% tags=["quiz"]
lesson.quiz("second")

# %% tags=["quiz"]
lesson.quiz("third")

# %% tags=["quiz"]
lesson.quiz("fourth")

# %% [markdown]
# ## Verdicts
#
# True, see [On Loss! A Color of 1.25](https://example.org/1.75).

# %% [markdown]
# ## Take away
#
# Run `print(1.5)`.
"""
OUTPUTS = ["0.693\n"]


def test_a_good_lesson_has_no_problems() -> None:
    assert problems(lesson_of_text(GOOD, outputs=OUTPUTS)) == []


LONG = " ".join(["word"] * 41)
VERDICT = "# | claim | verdict | decided by |\n# |---|---|---|\n# | It is so. | **True** | nobody |"

BREAKING = [
    ("code_is_python", 'lesson.commit("half")', '%time lesson.commit("half")'),
    ("tags_are_known", '["explorer"]', '["explorer", "figure"]'),
    ("tags_are_known", '["exercise", "transfer"]', '["transfer"]'),
    ("title_comes_first", "# # An example", "# An example"),
    ("title_comes_first", "# True,", "# # Another\n#\n# True,"),
    ("parts_are_in_order", "# ## Look", "# ## Commitment"),
    ("parts_are_in_order", "# ## Quiz", "# ### Quiz"),
    ("parts_are_in_order", "# True,", "# ## More\n#\n# True,"),
    ("parts_are_enough", '# %% tags=["quiz"]\nlesson.quiz("fourth")', ""),
    ("parts_are_enough", '["exercise", "transfer"]', '["exercise"]'),
    ("parts_are_enough", '# %% tags=["explorer"]\nlesson.explorer()', ""),
    ("calls_match_tags", 'lesson.quiz("first")', 'lesson.quiz("first")\nlesson.quiz("fifth")'),
    ("calls_match_tags", '# %% tags=["quiz"]\nlesson.quiz("first")', '# %%\nlesson.quiz("first")'),
    ("calls_match_tags", "lesson.explorer()", "lesson.picture()"),
    ("calls_match_tags", 'lesson.recall("half")', 'lesson.recall("half")\nlesson.check("half", 1)'),
    ("names_are_used_once", 'lesson.quiz("second")', 'lesson.quiz("first")'),
    ("guesses_are_returned_to", 'lesson.recall("half")', 'lesson.recall("whole")'),
    ("exercises_are_checked_and_solved", 'lesson.check("three", three)', "three"),
    ("exercises_are_checked_and_solved", "three_solution = 3 * one", "solution = 3"),
    ("exercises_are_checked_and_solved", 'lesson.check("four", four_solution)', "four_solution"),
    ("exercises_are_checked_and_solved", '["solution", "nbval-check-output"]', '["solution"]'),
    ("exercises_stand_alone", "return 2 * one * x", "return double(x)"),
    ("exercises_stand_alone", 'lesson.quiz("fourth")', 'lesson.quiz("fourth")\nprint(three)'),
    ("cells_are_short", "one = 1.0", "one = 1.0\n" * 13),
    ("cells_are_short", "four = ...", "four = ...\n" * 16),
    ("lines_are_narrow", "one = 1.0", f"one = 1.0  # {LONG}"),
    ("no_line_begins_a_list_by_chance", "# True,", "# It was found in\n# 2019. True,"),
    ("no_line_begins_a_list_by_chance", "# True,", "# It is `w\n# - slope`. True,"),
    ("no_line_begins_a_list_by_chance", "# True,", "# It is $-a\n#   - b$. True,"),
    ("keras_is_quiet", "one = 1.0", "import keras\n\none = 1.0"),
    ("keras_is_quiet", "one = 1.0", "from tensorflow import math\n\none = 1.0"),
    ("words_are_not_banned", "# True,", "# This is Just so. True,"),
    ("words_are_not_banned", "# True,", "# Of course. True,"),
    ("words_are_not_banned", "# True,", "# True! And"),
    ("spelling_is_british", "# True,", "# The Color is true,"),
    ("sentences_are_short", "# True,", f"# {LONG}. True,"),
    ("sentences_are_short", "# True,", "# " + "Three short words. " * 41),
    ("verdicts_have_deciding_cells", "# True,", f"{VERDICT}\n#\n# True,"),
    ("bands_say_over_what", "one = 1.0", "one = 1.0\nassert one > 0"),
    ("numbers_are_computed", "0.693 at 50%", "0.694 at 50%"),
    ("numbers_are_computed", "0.693 at 50%", "0.693 at 51%"),
    ("numbers_are_computed", "$-\\\\ln p$", "$-\\\\ln p = 0.7$"),
]


@pytest.mark.parametrize(("rule", "old", "new"), BREAKING)
def test_a_lesson_that_breaks_a_rule_is_told_so(rule: str, old: str, new: str) -> None:
    assert GOOD.count(old) >= 1
    found = problems(lesson_of_text(GOOD.replace(old, new, 1), outputs=OUTPUTS))
    assert any(problem.startswith("99_example: ") and problem.endswith(f"[{rule}]") for problem in found), found


def test_every_rule_is_proven_to_fail() -> None:
    assert {rule for rule, _, _ in BREAKING} == {rule.__name__ for rule in RULES}


def test_lesson_00_needs_none_of_the_parts() -> None:
    guide = '# %% [markdown]\n# # Start here\n\n# %%\nprint("hello")\n'
    assert problems(lesson_of_text(guide, name="00_start_here")) == []
    assert problems(lesson_of_text(guide, name="09_start_here")) != []


@pytest.mark.parametrize(
    ("stated", "shown"),
    [
        ("0.10", "0.1"),
        ("99.7%", "99.7 %"),
        ("99.7 %", "share = 0.997"),
        ("0.0005", "learning_rate=5e-4"),
        ("1234.5", "1,234.5"),
        ("0.9", "[0.1, 0.9]"),
        ("version `2.21`", ""),
        ("3.11.7", ""),
    ],
)
def test_a_number_counts_as_shown_however_it_is_written(stated: str, shown: str) -> None:
    text = GOOD.replace("# True,", f"# It is {stated}. True,")
    assert problems(lesson_of_text(text, outputs=[*OUTPUTS, shown])) == []


@pytest.fixture
def example_course(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What checks the three exercises of the example."""

    def check(name: str, answer: Any) -> SimpleNamespace:
        value = answer(2) if callable(answer) else answer
        expected = {"double": 4, "three": 3, "four": 4}[name]
        return SimpleNamespace(passed=value == expected, message=f"got {value}")

    module = SimpleNamespace(check=check)
    monkeypatch.setitem(sys.modules, "example_course", module)
    return module


@pytest.mark.usefixtures("example_course")
def test_the_example_s_blanks_fail_and_its_solutions_pass() -> None:
    lesson = lesson_of_text(GOOD)
    found = list(exercises(lesson))
    assert [name for name, _, _ in found] == ["double", "three", "four"]
    for name, blank, solution in found:
        assert not run(lesson, blank).answers[name].passed
        assert run(lesson, solution).answers[name].passed


@pytest.mark.usefixtures("example_course")
def test_a_solution_that_is_wrong_is_seen() -> None:
    lesson = lesson_of_text(GOOD.replace("return 2 * one", "return 3 * one"))
    name, _, solution = next(exercises(lesson))
    assert not run(lesson, solution).answers[name].passed

"""What lesson 00 calls: the environment check, the button that tries widgets, and the learner's progress.

It has to say what is missing, so it loads what may be missing only when that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from lossacc_helpers.course.syllabus import SYLLABUS, Entry
from lossacc_helpers.learner import environment as learner_environment
from lossacc_helpers.learner import progress as learner_progress
from lossacc_helpers.learner.environment import Finding, Report

if TYPE_CHECKING:
    from lossacc_helpers.course.guide import Contents
    from lossacc_helpers.course.lesson import Lesson
    from lossacc_helpers.widgets.trial import Trial

    lesson: Lesson


def __getattr__(name: str) -> Any:
    """Return the `lesson` of the guide, which brings matplotlib and ipywidgets along."""
    if name == "lesson":
        from lossacc_helpers.course import guide

        return guide.lesson
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def contents() -> Contents:
    """Return the table of lessons."""
    from lossacc_helpers.course.guide import Contents

    return Contents()


def environment(*, details: bool = False, start_tensorflow: bool = False) -> Report:
    """Return what the course needs and whether it is here.

    Parameters
    ----------
    details : whether versions and places are shown even if nothing is missing.
    start_tensorflow : whether TensorFlow is really started, in a process of its own; that takes about ten seconds.
    """
    if start_tensorflow:
        with suppress(ImportError):  # they show how long it has taken
            import lossacc_helpers.widgets  # noqa: F401
    training = [entry.number for entry in SYLLABUS if entry.trains]
    return learner_environment.check(training=training, details=details, start_tensorflow=start_tensorflow)


def widgets_work() -> Trial | Report:
    """Return a button to press, or what keeps it from being shown."""
    try:
        from lossacc_helpers.widgets.trial import Trial
    except ImportError as error:
        return Report((Finding("missing", f"{error.name or error}. environment() says what to do about it."),))
    return Trial()


# Progress ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Count:
    """How many parts of one sort are done, of how many."""

    done: int
    total: int

    def __str__(self) -> str:
        return f"{self.done} of {self.total}"


@dataclass(frozen=True)
class Row:
    """What is done of a lesson: predictions made, exercises passed, questions right; nothing where it cannot load."""

    entry: Entry
    counts: tuple[Count, ...]
    begun: bool

    @property
    def open(self) -> bool:
        """Whether something is left to do."""
        return any(count.done < count.total for count in self.counts)

    @property
    def cells(self) -> list[str]:
        """The counts as text."""
        return [str(count) for count in self.counts] or ["not loaded"] * len(HEADINGS)


HEADINGS = ("predictions made", "exercises passed", "questions right")


@dataclass(frozen=True)
class ProgressTable:
    """A learner's progress, lesson by lesson; shown by Jupyter as a table.

    Attributes
    ----------
    rows : a lesson each.
    files : where it is kept, as far as something is.
    trouble : why it cannot be saved, if so.
    """

    rows: tuple[Row, ...]
    files: tuple[str, ...]
    trouble: str

    @property
    def following(self) -> Entry | None:
        """The first lesson with something left to do."""
        return next((row.entry for row in self.rows if row.open), None)

    @property
    def advice(self) -> str:
        """What to do next, up to the lesson's name."""
        if self.following is None:
            return "You have done everything."
        if not any(row.begun for row in self.rows):
            return "Nothing yet. Begin with lesson"
        begun = next(row.begun for row in self.rows if row.open)
        return "Go on with lesson" if begun else "Next comes lesson"

    @property
    def notes(self) -> list[str]:
        """Where it is kept, and how to start over."""
        notes = [self.trouble] if self.trouble else []
        if any(not row.counts for row in self.rows):
            notes.append("A lesson that is not loaded misses a package; environment() says which.")
        if self.files:
            these = "this file" if len(self.files) == 1 else "these files"
            notes.append(f"Your progress is kept in {' and '.join(self.files)}. To start over, delete {these}.")
        elif not self.trouble:
            notes.append("Your progress will be kept in a file of yours. Once it exists, this line says where it is.")
        return notes

    def __str__(self) -> str:
        table = [("", *HEADINGS), *((_title(row.entry), *row.cells) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in table
        ]
        advice = self.advice + (f" {_title(self.following)}." if self.following else "")
        return "\n".join([*lines, "", advice, *self.notes])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        head = '<th scope="col" style="text-align:left">lesson</th>'
        head += "".join(f'<th scope="col">{heading}</th>' for heading in HEADINGS)
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(_title(row.entry))}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in row.cells)
            + "</tr>"
            for row in self.rows
        )
        caption = '<caption style="text-align:left;padding:0.3em 0">Your progress</caption>'
        table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        advice = escape(self.advice)
        if self.following:
            advice += f' <a href="{self.following.name}.ipynb">{escape(_title(self.following))}</a>.'
        return {"text/plain": str(self), "text/html": table + _paragraphs([advice, *map(escape, self.notes)])}


def progress() -> ProgressTable:
    """Return what the learner has done, lesson by lesson, what to do next, and where it is kept."""
    return ProgressTable(
        rows=tuple(map(_row, SYLLABUS)),
        files=tuple(map(str, learner_progress.files())),
        trouble=learner_progress.trouble(),
    )


def _row(entry: Entry) -> Row:
    """Return what is done of a lesson, counting what this version of it has."""
    known = learner_progress.read()
    begun = any(lesson == entry.name for lesson, _ in (*known.made, *known.passed))
    try:
        lesson = entry.load()
    except ImportError:
        return Row(entry, (), begun)
    made = [
        any(map(prediction.allows, known.made.get((entry.name, name), ())))
        for name, prediction in lesson.predictions.items()
    ]
    passed = [
        [known.passed.get((entry.name, name), False) for name in part] for part in (lesson.exercises, lesson.questions)
    ]
    return Row(entry, tuple(Count(sum(part), len(part)) for part in (made, *passed)), begun)


def _title(entry: Entry) -> str:
    return f"{entry.number} {entry.title}"


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f'<p style="max-width:60em;overflow-wrap:anywhere">{text}</p>' for text in texts)

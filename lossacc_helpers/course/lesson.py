"""What every lesson has: parts that its notebook asks for by name.

A lesson module, say `lesson_01`, makes one `Lesson` called `lesson`, and the notebook begins with
``from lossacc_helpers.course.lesson_01 import lesson``. The cells then say ``lesson.commit("half")``,
``lesson.explorer()``, ``lesson.check("mean_loss", mean_loss)``, ``lesson.hint("mean_loss")``,
``lesson.quiz("threshold")`` and ``lesson.recall("half")``, each as the last line of its cell.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from lossacc_helpers.exercises import Exercise, Feedback, Hints
from lossacc_helpers.exercises import check as check_exercise
from lossacc_helpers.widgets import CommitView, Explorer, Prediction, Question, QuizView, Recall

_Part = TypeVar("_Part")


class Lesson:
    """A lesson's parts, and what its learner has done with them in this kernel.

    Parameters
    ----------
    name : of the lesson's notebook, as in ``"01_arithmetic"``.
    explorers : functions that make an `Explorer`, by name; keywords of `explorer` are passed on to them.
    predictions : each has its own name.
    questions : of the quiz, by name.
    exercises : each has its own name.

    Raises
    ------
    ValueError
        If two predictions or two exercises have one name.
    """

    def __init__(
        self,
        name: str,
        *,
        explorers: Mapping[str, Callable[..., Explorer]],
        predictions: Iterable[Prediction],
        questions: Mapping[str, Question],
        exercises: Iterable[Exercise],
    ) -> None:
        self.name = name
        self.explorers = dict(explorers)
        self.predictions = _by_name(predictions)
        self.questions = dict(questions)
        self.exercises = _by_name(exercises)
        self._made: dict[str, str | float] = {}
        self._hints_shown: dict[str, int] = {}

    def commit(self, name: str) -> CommitView:
        """Return the widget that asks for a prediction."""
        return CommitView(self._part(self.predictions, name, "prediction"), self._made)

    def recall(self, name: str, *, came_out: str = "") -> Recall:
        """Return the prediction beside what came out; give `came_out` where a cell has computed it."""
        return Recall(self._part(self.predictions, name, "prediction"), self._made.get(name), came_out)

    def explorer(self, name: str | None = None, **options: Any) -> Explorer:
        """Return a new explorer; the name may be left out where there is one only."""
        if name is None and len(self.explorers) == 1:
            [name] = self.explorers
        return self._part(self.explorers, name, "explorer")(**options)

    def quiz(self, name: str) -> QuizView:
        """Return the widget that asks a question."""
        question = self._part(self.questions, name, "question")
        return QuizView(question, answered=lambda passed: self.record(name, passed))

    def check(self, name: str, answer: Any) -> Feedback:
        """Return the feedback on an answer to an exercise."""
        exercise = self._part(self.exercises, name, "exercise")
        feedback = check_exercise(exercise, answer)
        self.record(name, feedback.passed)
        return replace(feedback, advice=f'If you are stuck: lesson.hint("{name}")')

    def hint(self, name: str) -> Hints:
        """Return the hints to an exercise seen so far and the next one."""
        hints = self._part(self.exercises, name, "exercise").hints
        count = self._hints_shown[name] = min(self._hints_shown.get(name, 0) + 1, len(hints))
        return Hints(name, hints[:count], len(hints))

    def record(self, item: str, passed: bool) -> None:
        """Take note that an exercise or a question was answered; every answer comes through here, none is kept."""

    def _part(self, parts: Mapping[str, _Part], name: str | None, sort: str) -> _Part:
        if name is None or name not in parts:
            known = ", ".join(f'"{known}"' for known in parts) or "none"
            asked = f"no {sort} called {name!r}" if name is not None else f"more or fewer than one {sort}: name it"
            raise ValueError(f"lesson {self.name} has {asked}; it has {known}")
        return parts[name]


def _by_name(parts: Iterable[Any]) -> dict[str, Any]:
    """Return parts by their names, which must differ."""
    named: dict[str, Any] = {}
    for part in parts:
        if part.name in named:
            raise ValueError(f"two parts of a lesson have the name {part.name!r}")
        named[part.name] = part
    return named

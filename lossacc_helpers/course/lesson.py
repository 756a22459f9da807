"""What every lesson has: parts that its notebook asks for by name.

A lesson module, say `lesson_01`, makes one `Lesson` called `lesson`, and the notebook begins with
``from lossacc_helpers.course.lesson_01 import lesson``. The cells then say ``lesson.commit("half")``,
``lesson.explorer()``, ``lesson.check("mean_loss", mean_loss)``, ``lesson.hint("mean_loss")``,
``lesson.quiz("threshold")`` and ``lesson.recall("half")``, each as the last line of its cell.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from lossacc_helpers.exercises import Exercise, Feedback, Hints
from lossacc_helpers.exercises import check as check_exercise
from lossacc_helpers.learner import progress

if TYPE_CHECKING:  # widgets bring matplotlib along, and lesson 00 must be able to say that it is missing
    from lossacc_helpers.widgets import CommitView, Explorer, Prediction, Question, QuizView, Recall

_Part = TypeVar("_Part")


class Lesson:
    """A lesson's parts; what a learner does with them is kept as their progress.

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
        If two predictions have one name, or two of the exercises and questions.
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
        if shared := set(self.questions) & set(self.exercises):
            raise ValueError(f"two parts of a lesson have the name {min(shared)!r}: a question and an exercise")
        self._made: dict[str, str | float] = {}
        self._hints_shown: dict[str, int] = {}

    def commit(self, name: str) -> CommitView:
        """Return the widget that asks for a prediction; one made earlier, perhaps in another kernel, shows locked."""
        from lossacc_helpers.widgets import CommitView

        prediction = self._remember(name)
        return CommitView(
            prediction, self._made, committed=lambda made: progress.keep_prediction(self.name, name, made)
        )

    def recall(self, name: str, *, came_out: str = "") -> Recall:
        """Return the prediction beside what came out; give `came_out` where a cell has computed it."""
        from lossacc_helpers.widgets import Recall

        prediction = self._remember(name)
        return Recall(prediction, self._made.get(name), came_out)

    def explorer(self, name: str | None = None, **options: Any) -> Explorer:
        """Return a new explorer; the name may be left out where there is one only."""
        if name is None and len(self.explorers) == 1:
            [name] = self.explorers
        return self._part(self.explorers, name, "explorer")(**options)

    def quiz(self, name: str) -> QuizView:
        """Return the widget that asks a question."""
        from lossacc_helpers.widgets import QuizView

        def answered(passed: bool) -> None:
            self.record(name, passed)
            view.feedback = _with_notice(view.feedback)

        view = QuizView(self._part(self.questions, name, "question"), answered=answered)
        if progress.read().passed.get((self.name, name)):
            view.say("✓ You have answered this one before. You may choose again.")
        return view

    def check(self, name: str, answer: Any) -> Feedback:
        """Return the feedback on an answer to an exercise."""
        exercise = self._part(self.exercises, name, "exercise")
        feedback = check_exercise(exercise, answer)
        # A cell that checks the course's own solution names it so, and is no achievement of the learner's.
        if f"{name}_solution" not in sys._getframe(1).f_code.co_names:
            self.record(name, feedback.passed)
        advice = f'If you are stuck: lesson.hint("{name}")'
        return replace(feedback, message=_with_notice(feedback.message), advice=advice)

    def hint(self, name: str) -> Hints:
        """Return the hints to an exercise seen so far and the next one."""
        hints = self._part(self.exercises, name, "exercise").hints
        count = self._hints_shown[name] = min(self._hints_shown.get(name, 0) + 1, len(hints))
        return Hints(name, hints[:count], len(hints))

    def record(self, item: str, passed: bool) -> None:
        """Keep that an exercise or a question was answered; every answer of a learner comes through here."""
        progress.keep_answer(self.name, item, passed)

    def _remember(self, name: str) -> Prediction:
        """Return a prediction, and have what was made of it at hand: the first that this version of it allows."""
        prediction: Prediction = self._part(self.predictions, name, "prediction")
        self._made.pop(name, None)
        for made in progress.read().made.get((self.name, name), ()):
            if prediction.allows(made):
                self._made.setdefault(name, made)
        return prediction

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


def _with_notice(text: str) -> str:
    """Return feedback, and under it what the learner has to be told about their progress: once, if at all."""
    return f"{text}\n{notice}".lstrip() if (notice := progress.notice()) else text

"""What an exercise is, and what checking an answer says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from types import FunctionType
from typing import Any, Literal

from lossacc_helpers.exercises.answers import LearnerFunction, LearnerValue, Wrong
from lossacc_helpers.exercises.guard import GRACE, SECONDS, Guard


@dataclass(frozen=True, kw_only=True)
class WrongAnswer:
    """A mistake that learners make, kept to prove that the checker meets it with the right words.

    Attributes
    ----------
    answer : the mistaken function or value.
    says : words that must stand in the feedback to it.
    """

    answer: Any
    says: str


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """An exercise of a lesson.

    Attributes
    ----------
    name : what the lesson calls it, and the learner's function where one is asked for.
    checker : given a `LearnerFunction` or `LearnerValue`, raises `Wrong` where the answer is wrong.
    hints : each says a little more than the one before it.
    wrong_answers : named mistakes, for the tests.
    asks : whether the answer is a function or a value.

    Raises
    ------
    ValueError
        If the name or a hint is empty.
    """

    name: str
    checker: Callable[[Any], None]
    hints: tuple[str, ...]
    wrong_answers: dict[str, WrongAnswer] = field(default_factory=dict)
    asks: Literal["function", "value"] = "function"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("an exercise needs a name")
        if not self.hints or not all(hint.strip() for hint in self.hints):
            raise ValueError(f"exercise {self.name!r} needs hints, none of them empty")


@dataclass(frozen=True)
class Feedback:
    """What a check says; shown by Jupyter as text.

    Attributes
    ----------
    name : the exercise.
    passed : whether the answer is right.
    message : what to know about it.
    printed : what the learner's code printed while it was checked, shortened.
    advice : what to do next where it did not pass.
    done : what is said where it did.
    """

    name: str
    passed: bool
    message: str
    printed: str = ""
    advice: str = ""
    done: str = "passed"

    def __str__(self) -> str:
        head = f"✓ {self.name}: {self.done}." if self.passed else f"✗ {self.name}: not yet."
        parts = [f"{head} {self.message}".rstrip()]
        if self.printed:
            parts.append(f"Your code printed:\n{self.printed}")
        if self.advice and not self.passed:
            parts.append(self.advice)
        return "\n".join(parts)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        colour = "#009E73" if self.passed else "#E69F00"
        style = f"border-left:4px solid {colour};padding:0.2em 0.8em;white-space:pre-wrap;line-height:1.4"
        return {
            "text/plain": str(self),
            "text/html": f'<div role="status" style="{style}">{escape(str(self))}</div>',
        }


@dataclass(frozen=True)
class Hints:
    """The hints of an exercise that have been asked for so far; shown by Jupyter as text."""

    name: str
    shown: tuple[str, ...]
    total: int

    def __str__(self) -> str:
        lines = [f"Hint {number} of {self.total}: {hint}" for number, hint in enumerate(self.shown, start=1)]
        rest = self.total - len(self.shown)
        lines.append("Run this cell again for another one." if rest else "That was the last hint.")
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {
            "text/plain": str(self),
            "text/html": f'<div style="white-space:pre-wrap;line-height:1.4">{escape(str(self))}</div>',
        }


def check(exercise: Exercise, answer: Any, *, seconds: float = SECONDS, grace: float = GRACE) -> Feedback:
    """Return what there is to say about an answer, and never an exception of the learner's.

    Parameters
    ----------
    exercise : the exercise.
    answer : the learner's function or value; ``...`` stands for nothing yet.
    seconds : how long the learner's code may run, all calls of one check together.
    grace : how long it is asked to stop after that, before it is left behind.

    Raises
    ------
    Exception
        Whatever a checker raises besides `Wrong`: it is its author's mistake and comes through.

    Examples
    --------
    >>> half = Exercise(name="half", checker=lambda half: half(3).equals(1.5), hints=("Divide.",))
    >>> print(check(half, lambda x: x / 2))
    ✓ half: passed.
    >>> print(check(half, lambda x: x // 2))
    ✗ half: not yet. half(3) gave 1, but 1.5 was expected.
    """
    guard = Guard(seconds=seconds, grace=grace)
    try:
        blanks = (answer, *answer) if type(answer) is tuple else (answer,)
        if any(part is ... or part is NotImplemented for part in blanks):
            raise Wrong("It is not written yet: replace the ... with your own answer.")
        if exercise.asks == "function":
            exercise.checker(LearnerFunction(answer, name=exercise.name, guard=guard))
        else:
            if type(answer) is FunctionType:
                raise Wrong(f"A value was expected, not a function. Call it: {exercise.name}(...).")
            exercise.checker(LearnerValue(answer, label="Your answer", guard=guard, verb="is"))
    except Wrong as wrong:
        return Feedback(exercise.name, False, str(wrong), guard.printed)
    return Feedback(exercise.name, True, "", guard.printed)

"""What an assignment asks, what each answer is worth, and how it is judged. A submission's process never sees this."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossacc_helpers.exercises.answers import TOLERANCE, LearnerValue

Draw = Callable[[np.random.Generator], Sequence[tuple[Any, ...]]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A share of a question's points, earned whole or not at all.

    Attributes
    ----------
    name : what was tried, in words for the learner's feedback; never what was expected.
    points : what it is worth.
    judge : given the answer as a `LearnerValue`, and the arguments of the call, raises `Wrong` where it is wrong.
    draw : draws the arguments of each call of the learner's function, of numbers, texts, arrays, lists and tuples
        (what `wire.encode` takes); None where the answer is a value.
    """

    name: str
    points: float
    judge: Callable[..., None]
    draw: Draw | None = None


@dataclass(frozen=True, kw_only=True)
class WrongAnswer:
    """A mistake that learners make, kept to prove that it earns what it should.

    Attributes
    ----------
    source : the whole answer cell, mistaken.
    earns : the points of the question that it should get.
    """

    source: str
    earns: float


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that is marked by a program.

    Attributes
    ----------
    name : of the function or the variable that the notebook asks for; its answer cell has the same name.
    parts : how its points are shared out.
    wrong_answers : named mistakes.

    Raises
    ------
    ValueError
        If the name is no identifier, there are no parts, or some parts call a function and some do not.
    """

    name: str
    parts: tuple[Part, ...]
    wrong_answers: dict[str, WrongAnswer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"a question is named as a variable of the notebook; got {self.name!r}")
        if not self.parts or len({part.draw is None for part in self.parts}) != 1:
            raise ValueError(f"question {self.name!r} needs parts, all of them of a function or all of a value")
        if any(part.points <= 0 for part in self.parts):
            raise ValueError(f"every part of question {self.name!r} needs points above 0")

    @property
    def points(self) -> float:
        """What it is worth."""
        return sum(part.points for part in self.parts)

    @property
    def asks_function(self) -> bool:
        """Whether the answer is a function, and not a value."""
        return self.parts[0].draw is not None


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A line of a rubric."""

    points: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Written:
    """A question that a person marks: a cell of text, and the rubric by which it is marked."""

    name: str
    rubric: tuple[Criterion, ...]

    @property
    def points(self) -> float:
        """What it is worth."""
        return sum(criterion.points for criterion in self.rubric)


@dataclass(frozen=True, kw_only=True)
class Key:
    """An assignment's questions.

    Attributes
    ----------
    name : of the assignment and of its notebook, as in ``A1``.
    title : in a few words.
    questions : those that a program marks, in the notebook's order.
    written : those that a person marks.

    Raises
    ------
    ValueError
        If two questions have one name, or the points do not make 100.
    """

    name: str
    title: str
    questions: tuple[Question, ...]
    written: tuple[Written, ...] = ()

    @property
    def all(self) -> "tuple[Question | Written, ...]":
        """All of its questions."""
        return (*self.questions, *self.written)

    def __post_init__(self) -> None:
        names = [question.name for question in self.all]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.name} has more than one question called {', '.join(twice)}")
        total = sum(question.points for question in self.all)
        if not math.isclose(total, 100):
            raise ValueError(f"the points of {self.name} make {total:g}, not 100")


def calls(
    name: str,
    points: float,
    draw: Draw,
    reference: Callable[..., Any],
    *places: int,
    tolerance: float | tuple[float, ...] = TOLERANCE,
) -> Part:
    """Return a part that compares what a function returns with a reference, call by call.

    Parameters
    ----------
    name, points, draw : as in `Part`.
    reference : given the same arguments, returns what is right: a number, an array or a text, or a tuple of these.
    places : which results of several are compared, one by one; without any, the result as a whole.
    tolerance : the greatest difference, times the expected size where that is above 1; one for each place if several.
    """
    return Part(name=name, points=points, judge=_compared(reference, places, tolerance), draw=draw)


def equals(
    name: str,
    points: float,
    reference: Callable[[], Any],
    *places: int,
    tolerance: float | tuple[float, ...] = TOLERANCE,
) -> Part:
    """Return a part that compares a value, or some entries of a list, with a reference.

    The parameters are those of `calls`; the reference takes no arguments and is computed when an answer is judged.
    """
    return Part(name=name, points=points, judge=_compared(reference, places, tolerance))


def _compared(
    reference: Callable[..., Any], places: tuple[int, ...], tolerance: float | tuple[float, ...]
) -> Callable[..., None]:
    tolerances = tolerance if isinstance(tolerance, tuple) else (tolerance,) * max(1, len(places))

    def judge(answer: LearnerValue, *arguments: Any) -> None:
        expected = reference(*arguments)
        if places:
            given = answer.parts(len(expected))
            pairs = [(given[place], expected[place]) for place in places]
        else:
            pairs = [(answer, expected)]
        for (part, right), allowed in zip(pairs, tolerances, strict=True):
            part.equals(right, tolerance=allowed)

    return judge

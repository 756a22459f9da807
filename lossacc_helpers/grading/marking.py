"""Marks from answers: the arguments that a class is asked with, and what its answers earn."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossacc_helpers.exercises.answers import LearnerValue, Told, Wrong
from lossacc_helpers.exercises.guard import Guard
from lossacc_helpers.grading.collecting import Answer
from lossacc_helpers.grading.key import Key, Part, Question

# A judge's time is no matter of marks, and two at a time would share what the guard does to sys.stdout.
_ONE_AT_A_TIME = threading.Lock()
_SECONDS = 60.0

NOT_REACHED = "its process did not get so far"
NOT_JUDGED = "it could not be compared; a person will look at it"


@dataclass(frozen=True)
class PartMark:
    """What a part of a question earned.

    Attributes
    ----------
    name, points : of the part.
    earned : all of them, or 0.
    right, tried : how many calls were right, of how many.
    problem : what is wrong with the first one of which that can be told without giving anything away; may be empty.
    detail : the same for the teacher, with what was expected.
    """

    name: str
    points: float
    earned: float
    right: int
    tried: int
    problem: str = ""
    detail: str = ""


@dataclass(frozen=True)
class QuestionMark:
    """What an answer earned."""

    name: str
    parts: tuple[PartMark, ...]

    @property
    def earned(self) -> float:
        """The points that were earned."""
        return sum(part.earned for part in self.parts)

    @property
    def points(self) -> float:
        """The points that there were to earn."""
        return sum(part.points for part in self.parts)

    @property
    def settled(self) -> bool:
        """Whether all of it was answered and judged, and needs no person."""
        return not {part.problem for part in self.parts} & {NOT_REACHED, NOT_JUDGED}

    def feedback(self) -> str:
        """Return what the learner is told, in Markdown: nothing of what was expected."""
        lines = [f"{self.earned:g} of {self.points:g} points.", ""]
        for part in self.parts:
            sign, count = ("✓", "") if part.earned else ("✗", f"{part.right} of {part.tried} calls right")
            if part.tried == 1:
                count = "" if part.earned or part.problem else "not right"
            said = "; ".join(text for text in (count, part.problem) if text)
            lines.append(f"- {sign} {part.name} ({part.earned:g} of {part.points:g}){': ' + said if said else ''}")
        return "\n".join(lines)


def drawn(key: Key, question: Question, seed: int) -> list[list[tuple[Any, ...]]]:
    """Return the arguments of each part's calls; the same for the same seed."""
    arguments = []
    for number, part in enumerate(question.parts):
        assert part.draw is not None
        name = f"{key.name}/{question.name}/{number}".encode()
        own = int.from_bytes(hashlib.sha256(name).digest()[:8], "big")
        arguments.append([tuple(each) for each in part.draw(np.random.default_rng([seed, own]))])
    return arguments


def requests(key: Key, seed: int) -> dict[str, list[tuple[Any, ...]] | None]:
    """Return what a submission is asked: for each question the arguments of all its calls, or None for a value."""
    return {
        question.name: [each for calls in drawn(key, question, seed) for each in calls]
        if question.asks_function
        else None
        for question in key.questions
    }


def mark(key: Key, question: Question, answers: Sequence[Answer], seed: int) -> QuestionMark:
    """Return what the answers to a question earn.

    Parameters
    ----------
    key, question : what was asked.
    answers : one for each call, or one for a value; fewer where the submission's process did not get so far.
    seed : with which the arguments were drawn.
    """
    if not question.asks_function:
        # One answer, which every part looks at.
        return QuestionMark(question.name, tuple(_mark_part(question, part, [()], answers) for part in question.parts))
    marks, begin = [], 0
    for part, arguments in zip(question.parts, drawn(key, question, seed), strict=True):
        marks.append(_mark_part(question, part, arguments, answers[begin : begin + len(arguments)]))
        begin += len(arguments)
    return QuestionMark(question.name, tuple(marks))


def _mark_part(
    question: Question, part: Part, arguments: Sequence[tuple[Any, ...]], answers: Sequence[Answer]
) -> PartMark:
    right, problem, detail = 0, "", ""
    for number, given in enumerate(arguments):
        answer = answers[number] if number < len(answers) else Answer(problem=NOT_REACHED)
        wrong = answer.problem
        told = wrong
        if not wrong:
            label = f"{question.name}(...)" if question.asks_function else question.name
            try:
                with _ONE_AT_A_TIME:
                    part.judge(LearnerValue(answer.value, label=label, guard=Guard(seconds=_SECONDS)), *given)
            except Told as error:
                told = wrong = str(error)
            except Wrong as error:
                wrong = str(error)
            except Exception as error:  # the judge met an answer that its author did not think of
                told, wrong = NOT_JUDGED, f"the judge raised {type(error).__name__}: {error}"
        if wrong:
            problem, detail = problem or told, detail or wrong
        else:
            right += 1
    earned = part.points if right == len(arguments) else 0.0
    return PartMark(part.name, part.points, earned, right, len(arguments), problem, detail)

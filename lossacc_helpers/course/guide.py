"""Lesson 00's own parts: ways to find a lesson, and a guess, an exercise and a question to try out."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.course.syllabus import GUIDE, SYLLABUS
from lossacc_helpers.exercises import Exercise, LearnerFunction, Wrong, WrongAnswer
from lossacc_helpers.figures.symptoms import symptom_picture
from lossacc_helpers.widgets import Explorer, Guess, Option, Prediction, Question, controls


class Contents:
    """The lessons by what somebody sees in their curves, as Jupyter and GitHub show a table."""

    @staticmethod
    def table(folder: str = "") -> str:
        """Return the table in Markdown; `folder` is where the notebooks lie, as in ``"notebooks/"``."""
        rows = [
            f"| {symptom.sentence} | [{entry.number} {entry.title}]({folder}{entry.name}.ipynb) |"
            for entry in SYLLABUS
            for symptom in entry.symptoms
        ]
        return "\n".join(["| what you see | lesson |", "|---|---|", *rows])

    def __str__(self) -> str:
        return "\n".join(
            f"{entry.number} {entry.title}: {' '.join(symptom.sentence for symptom in entry.symptoms)}"
            for entry in SYLLABUS
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/markdown": self.table()}


def explorer() -> Explorer:
    """Return curves of the shape that is chosen, and the lesson that explains them."""
    found = {symptom.sentence: (entry, symptom) for entry in SYLLABUS for symptom in entry.symptoms}
    choice = controls.dropdown("your curves", list(found), value=next(iter(found)))
    choice.layout.width = "560px"
    choice.layout.max_width = "98%"  # in a narrow window

    def compute(*, seen: str) -> Mapping[str, Any]:
        entry, symptom = found[seen]
        return {
            "sketch": symptom.sketch(),
            "sentence": symptom.sentence,
            "lesson": f"{entry.number}, {entry.title}" + ("" if entry is SYLLABUS[0] else ", which builds on 01"),
        }

    return Explorer(symptom_picture, {"seen": choice}, compute=compute)


PREDICTION = Prediction(
    name="rises",
    question="A training loss of 0.8, 0.5, 0.6, 0.4, 0.4 over five epochs: in how many of the four steps does it rise?",
    came_out="It rises once, from 0.5 to 0.6. The last step is flat.",
    guesses=(
        Guess(text="in one step", outcome="you had it. In a lesson the answer rarely stands in the question."),
        Guess(text="in two steps", outcome="you counted the flat step, and 0.4 is not above 0.4."),
        Guess(text="in none: a training loss falls", outcome="mostly it does, but not in every step."),
    ),
)


def _check_rises(rises: LearnerFunction) -> None:
    cases = (
        ([0.8, 0.5, 0.6, 0.4, 0.4], 1, "only the step from 0.5 to 0.6 goes up"),
        ([0.9, 0.7, 0.5], 0, "every step goes down"),
        ([0.3, 0.3, 0.3], 0, "a flat step is no rise"),
        ([0.1, 0.2, 0.4, 0.3], 2, "two steps go up, whatever their size"),
        ([0.7], 0, "one epoch has no step"),
        ([0.3, 0.301, 0.302, 0.1], 2, "a small rise is a rise"),
        ([0.5, 0.4, 0.45], 1, "the last step goes up"),
    )
    for losses, expected, why in cases:
        answer = rises(losses)
        if answer.number() != expected:
            given = int(number) if (number := answer.number()).is_integer() else number
            raise Wrong(f"rises({losses}) gave {given}, but {expected} was expected: {why}.")


EXERCISE = Exercise(
    name="rises",
    checker=_check_rises,
    hints=(
        "A step is a pair of neighbours: an epoch's loss and the next one's.",
        "zip(losses, losses[1:]) gives all pairs. In how many is the second number the greater one?",
        "sum(...) over comparisons counts how many of them are true.",
    ),
    wrong_answers={
        "flat steps counted": WrongAnswer(
            answer=lambda losses: sum(later >= before for before, later in pairwise(losses)),
            says="only the step from 0.5 to 0.6 goes up",
        ),
        "falls counted": WrongAnswer(
            answer=lambda losses: sum(later < before for before, later in pairwise(losses)),
            says="but 1 was expected",
        ),
        "the last step left out": WrongAnswer(
            answer=lambda losses: sum(losses[i + 1] > losses[i] for i in range(len(losses) - 2)),
            says="the last step goes up",
        ),
        "a tolerance": WrongAnswer(
            answer=lambda losses: sum(later - before > 0.05 for before, later in pairwise(losses)),
            says="a small rise is a rise",
        ),
        "first against last": WrongAnswer(
            answer=lambda losses: int(losses[-1] > losses[0]),
            says="rises([0.8, 0.5, 0.6, 0.4, 0.4]) gave 0",
        ),
    },
)

QUESTION = Question(
    "You changed a notebook in my-course, and the next day the course was updated. What does the update do to it?",
    [
        Option(
            "Nothing: it stays as I left it, and the new version lies beside it.",
            "Your copy is yours. The update says which notebooks it left alone.",
            correct=True,
        ),
        Option(
            "It replaces it with the new version.",
            "Only a notebook that you have not changed is replaced. There is nothing of yours in it to lose.",
        ),
        Option(
            "It merges the two, as git would.",
            "Merged notebooks break easily. Yours is left alone, and you take over from the new one what you want.",
        ),
    ],
)

lesson = Lesson(
    GUIDE,
    explorers={"symptoms": explorer},
    predictions=(PREDICTION,),
    questions={"update": QUESTION},
    exercises=(EXERCISE,),
)

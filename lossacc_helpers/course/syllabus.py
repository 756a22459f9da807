"""The lessons in their order: what brings a learner to each, and what it needs; lesson 00 and the README follow it."""

from dataclasses import dataclass
from importlib import import_module

from lossacc_helpers.course.lesson import Lesson

GUIDE = "00_start_here"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A lesson, as its readers look for it.

    Attributes
    ----------
    name : of its notebook, without the ending.
    title : in a few words, without the number.
    symptoms : what somebody sees in their curves who should begin here, a sentence each.
    trains : whether it trains networks and so needs TensorFlow.
    """

    name: str
    title: str
    symptoms: tuple[str, ...]
    trains: bool

    @property
    def number(self) -> str:
        """Its number, two digits."""
        return self.name[:2]

    def load(self) -> Lesson:
        """Return the lesson's parts; imports ipywidgets and matplotlib, not TensorFlow."""
        lesson = import_module(f"lossacc_helpers.course.lesson_{self.number}").lesson
        assert isinstance(lesson, Lesson)
        return lesson


SYLLABUS = (
    Entry(
        name="01_arithmetic_of_log_loss",
        title="The arithmetic of log loss",
        symptoms=(
            "Accuracy does not move although the loss falls.",
            "Loss and accuracy rise together.",
            "The loss is 16.118, or infinite.",
        ),
        trains=False,
    ),
    Entry(
        name="02_iris_plateaus",
        title="Iris plateaus",
        symptoms=(
            "Accuracy climbs in steps while the loss slides.",
            "Validation accuracy is 0 after the first epoch.",
            "The validation curve depends on the random seed.",
        ),
        trains=True,
    ),
)

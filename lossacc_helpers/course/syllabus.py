"""The lessons in their order: what brings a learner to each, and what it needs; lesson 00 and the README follow it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from lossacc_helpers.course import sketches
from lossacc_helpers.course.lesson import Lesson

GUIDE = "00_start_here"


@dataclass(frozen=True)
class Symptom:
    """What somebody sees in their curves: a sentence, and a function that draws curves of that shape from samples."""

    sentence: str
    sketch: Callable[[], sketches.Sketch]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A lesson, as its readers look for it.

    Attributes
    ----------
    name : of its notebook, without the ending.
    title : in a few words, without the number.
    symptoms : whoever sees one of these begins here.
    trains : whether it trains networks and so needs TensorFlow.
    """

    name: str
    title: str
    symptoms: tuple[Symptom, ...]
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
            Symptom("The loss falls and the accuracy stands still.", sketches.plateau),
            Symptom("The loss becomes infinite, or a single sample costs 16.118.", sketches.one_impossible),
        ),
        trains=False,
    ),
    Entry(
        name="02_iris_plateaus",
        title="Iris plateaus",
        symptoms=(
            Symptom("The loss slides and the accuracy climbs in steps.", sketches.staircase),
            Symptom("The validation accuracy begins at 0.", sketches.validation_from_zero),
            Symptom("The validation curve depends on the random seed.", sketches.seed_dependent),
        ),
        trains=True,
    ),
    Entry(
        name="03_noisy_cnn",
        title="A noisy CNN",
        symptoms=(
            Symptom("The loss falls; validation accuracy peaks and falls back.", sketches.peak_and_fall),
            Symptom("The accuracy jumps up and down from step to step.", sketches.jumpy),
            Symptom("The loss stops at a floor, or becomes negative.", sketches.floor),
        ),
        trains=True,
    ),
    Entry(
        name="04_validation_spikes",
        title="Validation spikes",
        symptoms=(
            Symptom("The validation loss jumps for an epoch and comes back.", sketches.spiked),
            Symptom("Validation is stuck at chance while training gets on.", sketches.stuck_start),
            Symptom("The validation loss lies below the training loss.", sketches.validation_below),
        ),
        trains=True,
    ),
    Entry(
        name="05_loss_and_accuracy_rise",
        title="Loss and accuracy rise together",
        symptoms=(
            Symptom("Loss and accuracy rise together.", sketches.both_rise),
            Symptom("Validation loss turns and rises; accuracy keeps rising.", sketches.both_rise_late),
            Symptom("Early stopping stops while accuracy still rises.", sketches.turns_again),
        ),
        trains=True,
    ),
    Entry(
        name="06_differentiability",
        title="Differentiability versus accuracy",
        symptoms=(
            Symptom("The training loss falls, and training accuracy falls too.", sketches.both_fall),
            Symptom("The loss does not move at all: it counts errors.", sketches.stuck),
            Symptom("The accuracy is 1, and the loss falls without end.", sketches.endless),
        ),
        trains=True,
    ),
    Entry(
        name="07_choosing_a_metric",
        title="Choosing a metric",
        symptoms=(
            Symptom("The accuracy is 0.98 from the first epoch on.", sketches.majority),
            Symptom("The loss falls, and the accuracy stays at 0.", sketches.not_a_class),
        ),
        trains=True,
    ),
    Entry(
        name="08_curve_clinic",
        title="The curve clinic",
        symptoms=(
            Symptom("Nothing fits, or several things do at once.", sketches.unexplained),
            Symptom("Loss and accuracy stand still, and the loss is large.", sketches.standing),
        ),
        trains=True,
    ),
)

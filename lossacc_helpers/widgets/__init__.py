"""What a learner touches: explorers, predictions and quizzes; ipywidgets lives only here."""

from lossacc_helpers.widgets.clinic import CurveClinic
from lossacc_helpers.widgets.commit import CommitView, Guess, Prediction, Recall, Scale
from lossacc_helpers.widgets.explorer import Explorer, PlayedSlider
from lossacc_helpers.widgets.quiz import Option, Question, QuizView
from lossacc_helpers.widgets.waiting import tell_cells_what_they_wait_for

__all__ = [
    "CommitView",
    "CurveClinic",
    "Explorer",
    "Guess",
    "Option",
    "PlayedSlider",
    "Prediction",
    "Question",
    "QuizView",
    "Recall",
    "Scale",
]

tell_cells_what_they_wait_for()

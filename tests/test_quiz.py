import html

import ipywidgets
import pytest

from lossacc_helpers.widgets import Option, Question, QuizView

QUESTION = Question(
    "Which moves when the threshold does? <b>",
    [
        Option("Loss <i>", "The loss never looks at the threshold & so <it> stays."),
        Option("Accuracy", "It counts sides of the threshold.", correct=True),
        Option("Both", "One of them never looks at it."),
    ],
)


def test_nothing_is_chosen_at_first():
    view = QuizView(QUESTION)
    assert view.control.index is None
    assert view.feedback == ""


@pytest.mark.parametrize("index", range(3))
def test_each_option_shows_its_own_feedback_and_says_right_or_not_in_words(index):
    answers = []
    view = QuizView(QUESTION, answered=answers.append)
    view.control.index = index
    option = QUESTION.options[index]
    assert view.feedback.endswith(option.feedback)
    assert view.feedback.startswith("✓ Right." if option.correct else "✗ Not this one.")
    assert html.escape(option.feedback) in view._status.value
    assert answers == [option.correct]


def test_a_learner_may_choose_again():
    answers = []
    view = QuizView(QUESTION, answered=answers.append)
    view.control.index = 0
    view.control.index = 1
    assert answers == [False, True]
    view.control.index = None
    assert view.feedback == ""


def test_options_keep_the_order_of_their_author():
    assert list(QuizView(QUESTION).control.options) == ["Loss <i>", "Accuracy", "Both"]


def test_the_stored_output_has_question_and_options_and_never_the_answer():
    view = QuizView(QUESTION)
    view.control.index = 1
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"].splitlines() == [QUESTION.prompt, "( ) Loss <i>", "( ) Accuracy", "( ) Both"]
    for option in QUESTION.options:
        assert option.feedback not in data["text/plain"]
        assert html.escape(option.feedback) not in data["text/html"]
    assert "Right" not in data["text/plain"] + data["text/html"]


def test_texts_are_escaped():
    view = QuizView(QUESTION)
    data, _ = view._repr_mimebundle_()
    shown = [child.value for child in view.children if isinstance(child, ipywidgets.HTML)]
    assert "<b>" not in data["text/html"] + "".join(shown)
    assert "<i>" not in data["text/html"]


A, B = Option("a", "yes", correct=True), Option("b", "no")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([A], "two or more options; got 1"),
        ([B, Option("c", "no")], "exactly one right option; got 0"),
        ([A, Option("b", "yes", correct=True)], "exactly one right option; got 2"),
        ([A, Option(" a", "no")], "different texts"),
        ([A, Option("", "no")], "different texts"),
        ([A, Option("b", " ")], "needs feedback for the option 'b'"),
    ],
)
def test_an_ill_made_question_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Question("Why?", options)


def test_a_question_without_a_prompt_is_refused():
    with pytest.raises(ValueError, match="needs a prompt"):
        Question(" ", [A, B])

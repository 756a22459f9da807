"""Quiz questions with feedback for every answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets

from lossacc_helpers.widgets._markup import bullets, paragraph, radio_list, status, with_still


@dataclass(frozen=True)
class Option:
    """One answer to a question, with what to say to whoever chooses it."""

    text: str
    feedback: str
    correct: bool = False


@dataclass(frozen=True)
class Question:
    """A question with one right answer.

    Raises
    ------
    ValueError
        If there are fewer than two options, not exactly one right one, empty or repeated texts, or an option without
        feedback.

    Examples
    --------
    >>> Question("1 + 1?", [Option("2", "One more than one.", correct=True), Option("3", "One too many.")]).answer
    '2'
    """

    prompt: str
    options: tuple[Option, ...] | list[Option]

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", tuple(self.options))
        if not self.prompt.strip():
            raise ValueError("a question needs a prompt")
        where = f"question {self.prompt!r}"
        if len(self.options) < 2:
            raise ValueError(f"{where} needs two or more options; got {len(self.options)}")
        right = sum(option.correct for option in self.options)
        if right != 1:
            raise ValueError(f"{where} needs exactly one right option; got {right}")
        texts = [option.text.strip() for option in self.options]
        if not all(texts) or len(set(texts)) < len(texts):
            raise ValueError(f"{where} needs options with different texts; got {texts}")
        for option in self.options:
            if not option.feedback.strip():
                raise ValueError(f"{where} needs feedback for the option {option.text!r}")

    @property
    def answer(self) -> str:
        """The text of the right option."""
        return next(option.text for option in self.options if option.correct)


class QuizView(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A question as a learner meets it: choosing an option shows its feedback; choosing again is welcome.

    Parameters
    ----------
    question : the question.
    answered : called with True or False whenever an option is chosen.
    """

    def __init__(self, question: Question, *, answered: Callable[[bool], None] | None = None) -> None:
        self.question = question
        self.feedback = ""
        self._answered = answered
        self.control, shown = radio_list([option.text for option in question.options])
        self._status = ipywidgets.HTML(status(""))
        super().__init__([ipywidgets.HTML(paragraph(question.prompt, bold=True)), *shown, self._status])
        self.control.observe(self._choose, "index")

    def say(self, text: str) -> None:
        """Show a text where the feedback stands."""
        self.feedback = text
        self._status.value = status(text)

    def _choose(self, change: Any) -> None:
        if change["new"] is None:
            self.feedback = ""
        else:
            option = self.question.options[change["new"]]
            self.feedback = f"{'✓ Right.' if option.correct else '✗ Not this one.'} {option.feedback}"
            if self._answered:
                self._answered(option.correct)
        self._status.value = status(self.feedback)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        texts = [option.text for option in self.question.options]
        return with_still(
            super()._repr_mimebundle_(**kwargs),
            plain="\n".join([self.question.prompt, *(f"( ) {text}" for text in texts)]),
            html=paragraph(self.question.prompt, bold=True) + bullets(texts),
        )

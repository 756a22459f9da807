"""Predict first: a question answered before anything is shown, locked, and recalled when the answer is known."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import ipywidgets

from lossacc_helpers.widgets._markup import bullets, paragraph, radio_list, status, with_still
from lossacc_helpers.widgets.naming import Names


@dataclass(frozen=True, kw_only=True)
class Guess:
    """One thing a learner may predict, and what the recall says to whoever did."""

    text: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A number to predict, on a slider from `least` to `greatest`; `outcome` says what to make of the one chosen."""

    least: float
    greatest: float
    step: float
    label: str
    outcome: Callable[[float], str]

    def __post_init__(self) -> None:
        if not self.least < self.greatest or not 0 < self.step <= self.greatest - self.least:
            raise ValueError(
                f"a scale needs least < greatest and a step that fits; got {self.least}, {self.greatest}, {self.step}"
            )

    @property
    def whole(self) -> bool:
        """Whether only whole numbers can be chosen."""
        return all(float(number).is_integer() for number in (self.least, self.greatest, self.step))


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A question to commit to.

    Attributes
    ----------
    name : what the lesson calls it.
    question : the question.
    came_out : what came out, for the recall.
    guesses : two or more different things to choose from; or else
    scale : a number to choose.

    Raises
    ------
    ValueError
        If there are neither guesses nor a scale, or both, or guesses that are fewer than two or alike.
    """

    name: str
    question: str
    came_out: str
    guesses: tuple[Guess, ...] = ()
    scale: Scale | None = None

    def __post_init__(self) -> None:
        if not self.name or not self.question.strip() or not self.came_out.strip():
            raise ValueError(f"prediction {self.name!r} needs a name, a question and what came out")
        if bool(self.guesses) == (self.scale is not None):
            raise ValueError(f"prediction {self.name!r} needs guesses or a scale: one of them")
        texts = [guess.text for guess in self.guesses]
        if texts and (len(texts) < 2 or len(set(texts)) < len(texts) or not all(text.strip() for text in texts)):
            raise ValueError(f"prediction {self.name!r} needs two or more different guesses; got {texts}")

    @property
    def choices(self) -> list[str]:
        """What can be answered, for readers without a kernel."""
        if self.scale is not None:
            return [f"{self.scale.label}: a number from {self.scale.least:g} to {self.scale.greatest:g}"]
        return [guess.text for guess in self.guesses]

    def allows(self, made: str | float) -> bool:
        """Return whether this is one of the guesses, or a number of the scale; a kept one may be of another version."""
        if self.scale is None:
            return made in [guess.text for guess in self.guesses]
        return (
            not isinstance(made, str)
            and self.scale.least <= made <= self.scale.greatest
            and (float(made).is_integer() or not self.scale.whole)
        )


class CommitView(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A prediction as a learner meets it: choose, press the button, and it is locked.

    Parameters
    ----------
    prediction : the question.
    made : the predictions made so far, by name: a guess's text or a number. A new one is added.
    committed : called with a new one.
    """

    def __init__(
        self,
        prediction: Prediction,
        made: MutableMapping[str, str | float],
        *,
        committed: Callable[[str | float], object] | None = None,
    ) -> None:
        self.prediction = prediction
        self._made = made
        self._committed = committed
        before = made.get(prediction.name)
        if prediction.scale is not None:
            self.control, shown = _number(prediction.scale)
        else:
            self.control, shown = radio_list([guess.text for guess in prediction.guesses])
        self.button = ipywidgets.Button(
            description="Commit to this", tooltip="Lock your prediction", button_style="primary"
        )
        self._status = ipywidgets.HTML()
        if before is None:
            self._say("Predict before you read on. Nothing is marked.")
        else:
            self.control.value = before
            self._lock()
        super().__init__(
            [ipywidgets.HTML(paragraph(prediction.question, bold=True)), *shown, self.button, self._status, Names()]
        )
        self.button.on_click(lambda _: self.commit())

    def _say(self, text: str) -> None:
        self.message = text
        self._status.value = status(text)

    def _lock(self) -> None:
        self.control.disabled = True
        self.button.disabled = True
        made = shown_prediction(self._made[self.prediction.name])
        self._say(f"Your prediction is locked: {made}. The lesson returns to it.")

    def commit(self) -> None:
        """Lock what is chosen; where nothing is, ask for it."""
        if self.prediction.name in self._made:
            self.control.value = self._made[self.prediction.name]
        elif self.control.value is None:
            self._say("Choose one first. A guess is enough.")
            return
        else:
            self._made[self.prediction.name] = self.control.value
            if self._committed:
                self._committed(self.control.value)
        self._lock()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        question, choices = self.prediction.question, self.prediction.choices
        return with_still(
            super()._repr_mimebundle_(**kwargs),
            plain="\n".join([question, *(f"( ) {choice}" for choice in choices)]),
            html=paragraph(question, bold=True) + bullets(choices),
        )


@dataclass(frozen=True)
class Recall:
    """What was predicted beside what came out; shown by Jupyter as text.

    Attributes
    ----------
    prediction : the question.
    made : the guess's text or the number, or None where nothing was committed.
    came_out : what came out; the prediction's own text by default.
    """

    prediction: Prediction
    made: str | float | None
    came_out: str = ""

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Label and text of each line."""
        out = self.came_out or self.prediction.came_out
        if self.made is None:
            nothing = "nothing yet. That is fine: what would you have said?"
            return [("You predicted", nothing), ("What came out", out)]
        lines = [("You predicted", shown_prediction(self.made)), ("What came out", out)]
        if self.prediction.scale is not None:
            comment = self.prediction.scale.outcome(float(self.made))
        else:
            comment = {guess.text: guess.outcome for guess in self.prediction.guesses}.get(str(self.made), "")
        return [*lines, ("So", comment)] if comment else lines

    def __str__(self) -> str:
        return "\n".join([self.prediction.question, *(f"{label}: {text}" for label, text in self.lines)])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = "".join(paragraph(f"{label}: {text}") for label, text in self.lines)
        return {"text/plain": str(self), "text/html": paragraph(self.prediction.question, bold=True) + rows}


def shown_prediction(made: str | float) -> str:
    """Return a prediction as text, without a full stop at its end.

    >>> shown_prediction(0.5)
    '0.5'
    """
    return made.rstrip(".") if isinstance(made, str) else f"{made:g}"


def _number(scale: Scale) -> tuple[Any, list[Any]]:
    """Return a slider for the scale, in the middle of it, and the widgets to show."""
    kind = ipywidgets.IntSlider if scale.whole else ipywidgets.FloatSlider
    number = int if scale.whole else float
    middle = scale.least + round((scale.greatest - scale.least) / 2 / scale.step) * scale.step
    slider = kind(
        value=number(middle),
        min=number(scale.least),
        max=number(scale.greatest),
        step=number(scale.step),
        description=scale.label,
        style={"description_width": "initial"},
        layout=ipywidgets.Layout(width="480px", max_width="100%"),
    )
    return slider, [slider]

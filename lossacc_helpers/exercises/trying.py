"""Visible checks: what a learner's own answer does on one example, said without a mark."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from lossacc_helpers.exercises.answers import LearnerValue, Wrong
from lossacc_helpers.exercises.checking import Exercise, Feedback, check


def try_out(function: Any, *arguments: Any, gives: ArrayLike | str | bool, because: str = "") -> Feedback:
    """Return whether a function gives what it should on one example.

    Parameters
    ----------
    function : the learner's.
    arguments : of the call.
    gives : what is right for them.
    because : why, as half a sentence.

    Examples
    --------
    >>> print(try_out(lambda x: x / 2, 3, gives=1.5))
    ✓ <lambda>: right on this example; others decide the marks.
    """

    def checker(answer: Any) -> None:
        value = answer(*arguments)
        if isinstance(gives, bool):
            if value.truth() is not gives:
                raise Wrong(f"{value}, but {gives} was expected{f': {because}' if because else ''}.")
        else:
            value.equals(gives, because=because)

    name = getattr(function, "__name__", "Your function")
    tried = check(Exercise(name=name, checker=checker, hints=("Compare with the example.",)), function)
    return _said(tried, done="right on this example; others decide the marks")


def look_at(
    value: Any, *, name: str, kind: Literal["number", "array", "text", "truth"], shape: tuple[int, ...] | None = None
) -> Feedback:
    """Return whether a value is of the kind that was asked for. Whether it is right, the marks say.

    Parameters
    ----------
    value : the learner's.
    name : of the variable.
    kind : what was asked for.
    shape : of an array, where only one is possible.

    Examples
    --------
    >>> print(look_at([1, 2], name="steps", kind="number"))
    ✗ steps: not yet. Your answer is an array of shape (2,), but one number was expected.
    """

    def checker(answer: LearnerValue) -> None:
        if kind == "array":
            answer.array(shape=shape)
        else:
            {"number": answer.number, "text": answer.text, "truth": answer.truth}[kind]()

    looked = check(Exercise(name=name, checker=checker, hints=("Compare with the question.",), asks="value"), value)
    article = "an" if kind == "array" else "a"
    said = "True or False" if kind == "truth" else f"{article} {kind}"
    return _said(looked, done=f"{said}, as asked for; whether it is the right one is not said here")


def look_at_each(values: Any, *, name: str, kinds: Sequence[Literal["number"] | tuple[str, ...] | list[str]]) -> None:
    """Print of each entry of a list whether it is of the kind that was asked for.

    Parameters
    ----------
    values : the learner's.
    name : of the variable.
    kinds : what was asked for, entry by entry: a number, or one of some texts, in small or capital letters.

    Examples
    --------
    >>> look_at_each([0.5, "c"], name="report", kinds=["number", ("a", "b")])
    ✓ report, number 1: a number
    ✗ report, number 2: 'c' is none of a, b
    """
    if type(values) not in (list, tuple, np.ndarray):
        print(f"{name} is no list yet.")
        return
    entries = list(np.atleast_1d(values) if isinstance(values, np.ndarray) else values)
    if len(entries) != len(kinds):
        print(f"{name} has {len(entries)} entries; {len(kinds)} are asked for.")
    for number, (entry, kind) in enumerate(zip(entries, kinds, strict=False), start=1):
        label = f"{name}, number {number}"
        if entry is None or entry is ...:
            print(f"– {label}: left out")
            continue
        looked = look_at(entry, name=label, kind="number" if kind == "number" else "text")
        if not looked.passed:
            print(looked)
        elif kind == "number":
            print(f"✓ {label}: a number")
        elif str(entry).strip().lower() in [text.lower() for text in kind]:
            print(f"✓ {label}: one of those to choose from")
        else:
            print(f"✗ {label}: {str(entry)!r} is none of {', '.join(kind)}")


def _said(feedback: Feedback, *, done: str) -> Feedback:
    """Return what a check found in the words of coursework, where the blank is above and may be `pass`."""
    unwritten = "It is not written yet"
    message = f"{unwritten}." if feedback.message.startswith(unwritten) else feedback.message
    return replace(feedback, message=message, done=done)

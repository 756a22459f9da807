"""A learner's answer, wrapped: safe to call, and read as numbers, arrays or text with a message where it is neither."""

import copy
import dis
import traceback
from collections.abc import Callable, Sequence
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers.exercises.guard import Guard, OutOfTime, Stuck
from lossacc_helpers.exercises.words import call_text, first_place, kind, shortened, shown

TOLERANCE = 1e-5  # relative above 1, absolute below: float32 arithmetic passes, a wrong formula does not


class Wrong(Exception):
    """An answer is not right; the message says to the learner what came out, what was expected and why."""


class Told(Wrong):
    """An answer is not right, and the message holds nothing of what is: marks may repeat it to the learner."""


class LearnerFunction:
    """A learner's function, safe to call.

    Parameters
    ----------
    function : what the learner wrote.
    name : how messages call it.
    guard : what runs it, and stops it.

    Raises
    ------
    Wrong
        If it is no function.
    """

    def __init__(self, function: Any, *, name: str, guard: Guard | None = None) -> None:
        if not callable(function):
            raise Wrong(f"A function was expected; got {kind(function)}. Give {name} itself, without calling it.")
        self.name = name
        self._function = function
        self._guard = guard or Guard()

    def __call__(self, *arguments: Any, **keywords: Any) -> "LearnerValue":
        """Call it on fresh copies and return what came back.

        Raises
        ------
        Wrong
            If it raises, does not end, changes its inputs, or returns nothing.
        """
        label = call_text(self.name, arguments, keywords)
        given = copy.deepcopy((arguments, keywords))
        printed_before = len(self._guard.printed)
        home = self._function.__code__.co_filename if type(self._function) is FunctionType else None
        value = run(lambda: self._function(*given[0], **given[1]), label=label, guard=self._guard, home=home)
        if value is None:
            if _is_empty(self._function):
                raise Wrong("It is not written yet: replace the ... with your own code.")
            if len(self._guard.printed) > printed_before:
                raise Wrong(f"{label} printed its answer and returned None. Replace print by return.")
            raise Wrong(f"{label} returned None: is a `return` missing?")
        if value is ... or value is NotImplemented:
            raise Wrong("It is not written yet: replace the ... with your own code.")
        # By type, here and below: `isinstance` would ask the object itself what it is.
        if issubclass(type(value), (GeneratorType, CoroutineType, AsyncGeneratorType)):
            if issubclass(type(value), CoroutineType):
                value.close()  # else Python warns that nobody awaited it
            raise Wrong(f"{label} returned {kind(value)}, not a result: use `return`, without `yield` or `async`.")
        for number, (before, after) in enumerate(zip(arguments, given[0], strict=True), start=1):
            if not _same(before, after):
                raise Wrong(
                    f"{label} changed its input number {number} to {shown(after)}. Work on a copy: x = x.copy()."
                )
        for name, before in keywords.items():
            if not _same(before, given[1][name]):
                raise Wrong(
                    f"{label} changed its input {name} to {shown(given[1][name])}. Work on a copy: x = x.copy()."
                )
        return LearnerValue(value, label=label, guard=self._guard)


class LearnerValue:
    """What a learner gave or a learner's function returned, to be read as a number, an array, a text or parts.

    Parameters
    ----------
    value : anything.
    label : how messages call it.
    guard : what runs the code that a strange object may bring along.
    verb : joins label and value in messages: "gave" for calls, "is" for answers.
    """

    def __init__(self, value: Any, *, label: str, guard: Guard | None = None, verb: str = "gave") -> None:
        self.label = label
        self._value = value
        self._guard = guard or Guard()
        self._verb = verb

    def number(self) -> float:
        """Return it as a finite or infinite number; Told if it is none, or NaN."""
        array = self._numbers("one number")
        if array.ndim:
            raise Told(f"{self.label} {self._verb} an array of shape {array.shape}, but one number was expected.")
        if np.isnan(array):
            raise Told(
                f"{self.label} {self._verb} nan: a number that is not one, as from 0/0 or the log of a negative."
            )
        return float(array)

    def array(self, *, shape: tuple[int, ...] | None = None) -> NDArray[np.float64]:
        """Return it as a new float64 array without NaN; Told if it is none, or of another shape."""
        expected = "an array of numbers" if shape is None else f"an array of shape {shape}"
        array = self._numbers(expected)
        if shape is not None and array.shape != shape:
            got = f"an array of shape {array.shape}" if array.ndim else f"the single number {shown(array)}"
            raise Told(f"{self.label} {self._verb} {got}, but {expected} was expected.")
        if np.isnan(array).any():
            raise Told(f"{self.label} {self._verb} {shown(array)}: nan at {first_place(np.isnan(array))}.")
        return array

    def text(self) -> str:
        """Return it as text; Told if it is none."""
        if not issubclass(type(self._value), str):
            raise Told(f"{self.label} {self._verb} {kind(self._value)}, but a text in quotes was expected.")
        return str.__str__(self._value)

    def truth(self) -> bool:
        """Return it as True or False; Told if it is neither."""
        if type(self._value) not in (bool, np.bool_):
            raise Told(f"{self.label} {self._verb} {kind(self._value)}, but True or False was expected.")
        return bool(self._value)

    def parts(self, count: int) -> list["LearnerValue"]:
        """Return the parts of a tuple or list, or the rows of an array; Told if there are not `count` of them."""
        if not issubclass(type(self._value), (tuple, list, np.ndarray)):
            names = ", ".join("abcdefgh"[:count])
            raise Told(f"{self.label} {self._verb} {kind(self._value)}, but {count} results were expected: {names}.")
        parts = run(lambda: list(self._value), label=self.label, guard=self._guard)
        if len(parts) != count:
            raise Told(f"{self.label} {self._verb} {len(parts)} results, but {count} were expected.")
        whole = "your answer" if self.label == "Your answer" else self.label
        return [
            LearnerValue(part, label=f"Result {number} of {whole}", guard=self._guard, verb="is")
            for number, part in enumerate(parts, start=1)
        ]

    def equals(self, expected: ArrayLike | str, *, because: str = "", tolerance: float = TOLERANCE) -> None:
        """Pass if it is what was expected, within a tolerance that is relative above 1; Wrong if not.

        Parameters
        ----------
        expected : a number, an array, or a text.
        because : why that is right, as half a sentence.
        tolerance : greatest difference, times the expected size where that is above 1.
        """
        reason = f": {because.rstrip('.')}." if because else "."
        if isinstance(expected, str):
            text = self.text()
            if text.strip().casefold() != expected.strip().casefold():
                raise Wrong(f"{self.label} {self._verb} {shown(text)}, but {shown(expected)} was expected{reason}")
            return
        right = np.asarray(expected, dtype=np.float64)
        got = self.array(shape=right.shape) if right.ndim else np.asarray(self.number())
        finite = np.isfinite(got) & np.isfinite(right)
        distance = np.subtract(got, right, out=np.zeros(right.shape), where=finite)
        close = (got == right) | finite & (np.abs(distance) <= tolerance * np.maximum(1.0, np.abs(right)))
        if close.all():
            return
        if not right.ndim:
            raise Wrong(f"{self.label} {self._verb} {shown(got)}, but {shown(right)} was expected{reason}")
        first = tuple(np.argwhere(~close)[0])
        raise Wrong(
            f"{self.label} {self._verb} {shown(got)}, but {shown(right)} was expected{reason} "
            f"The first difference is at {first_place(~close)}: {shown(got[first])}, not {shown(right[first])}."
        )

    def __str__(self) -> str:
        return f"{self.label} {self._verb} {shown(self._value)}"

    def _numbers(self, expected: str) -> NDArray[np.float64]:
        """Return a plain float64 array, whatever the object claims about itself."""
        value, wrong = self._value, f"{self.label} {self._verb} {kind(self._value)}, but {expected} was expected."
        if issubclass(type(value), (str, bytes, dict, set, frozenset)) or value is None or value is ...:
            raise Told(wrong)
        if expected == "one number" and type(value) in (bool, np.bool_):
            raise Told(wrong)

        def convert() -> NDArray[np.float64] | str:
            try:
                raw = np.asarray(value)
                if raw.dtype.kind not in "biufO":  # text, complex numbers, dates
                    return wrong
                return np.array(raw, dtype=np.float64, subok=False)
            except ValueError:
                reason = "are its rows of different lengths, or is there text in it?"
                return f"{self.label} {self._verb} {kind(value)} that is no table of numbers: {reason}"
            except (TypeError, OverflowError):
                return wrong

        converted: NDArray[np.float64] | str = run(convert, label=self.label, guard=self._guard)
        if isinstance(converted, str):
            raise Told(converted)
        return converted


def run(action: Callable[[], Any], *, label: str, guard: Guard, home: str | None = None) -> Any:
    """Return what an action of the learner's returns; Wrong if it raises or does not end.

    Parameters
    ----------
    action : runs the learner's code.
    label : how messages call it.
    guard : runs the action and stops it.
    home : the file of the learner's code, to find the line where it stood.
    """

    def attempt() -> tuple[bool, Any]:
        try:
            return True, action()
        except OutOfTime:
            raise
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: the learner's own
            return False, _told(error, home)

    try:
        succeeded, outcome = guard.run(attempt)
    except Stuck as stuck:
        place = _line_in(stuck.frames, home)
        where = f" It was at {place}." if place else ""
        message = f"{label} was still running after {guard.seconds:g} seconds and was stopped.{where}"
        if stuck.abandoned:
            message = (
                f"{label} was still running after {guard.seconds:g} seconds and could not be stopped.{where} "
                "It goes on in the background: restart the kernel before you go on."
            )
        raise Wrong(f"{message} Does every loop come to an end?") from None
    except OutOfTime:
        raise Wrong(f"{label} raised OutOfTime by itself.") from None
    if not succeeded:
        if outcome == "NotImplementedError":
            raise Wrong("It is not written yet: replace the `raise NotImplementedError` with your own code.")
        raise Wrong(f"{label} raised {outcome}")
    return outcome


def _same(before: Any, after: Any) -> bool:
    """Return whether an input is what it was, looking into arrays, lists, tuples and dictionaries."""
    if type(before) is not type(after):
        return False
    if isinstance(before, np.ndarray):
        return (
            before.shape == after.shape
            and before.dtype == after.dtype
            and bool(np.array_equal(before, after, equal_nan=before.dtype.kind in "fc"))
        )
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(_same, before, after))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_same(before[key], after[key]) for key in before)
    if isinstance(before, (bool, int, float, complex, str, bytes, set, frozenset)):
        return before == after or (before != before and after != after)
    return True  # what the checker itself made of another kind: not the learner's to judge


def _is_empty(function: Any) -> bool:
    """Return whether a function has no more in it than `...`, `pass` and a docstring."""
    if type(function) is not FunctionType:
        return False
    nothing = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "LOAD_SMALL_INT"}
    return all(step.opname in nothing for step in dis.get_instructions(function.__code__))


def _told(error: BaseException, home: str | None) -> str:
    """Return an exception of the learner's as its type, message and line; runs under the guard."""
    sort = type(error)
    name = type.__getattribute__(sort, "__name__")
    if issubclass(sort, NotImplementedError):
        return "NotImplementedError"
    try:
        message = shortened(str(error))
    except OutOfTime:
        raise
    except BaseException:  # an exception whose own text raises another
        message = ""
    told = f"{name}: {message}" if message else name
    told = told if told.endswith(".") else f"{told}."
    if issubclass(sort, RecursionError):
        told += " A function that calls itself needs a case in which it does not."
    elif issubclass(sort, SystemExit):
        told += " Leave the function with `return`, not by exiting Python."
    place = _line_in(traceback.extract_tb(error.__traceback__), home)
    return f"{told} It happened at {place}." if place else told


def _line_in(frames: Sequence[traceback.FrameSummary], home: str | None) -> str:
    """Return the last line of the learner's own among the frames, as number and text."""
    own = [frame for frame in frames if frame.filename == home]
    if not own:
        return ""
    text = f": {own[-1].line}" if own[-1].line else ""
    return f"line {own[-1].lineno}{text}"

"""A submission's answers, collected from its sandbox, whatever it does there.

The grader sends the cells; the runner runs them in order and says of each that it begins and what it showed. Then the
grader asks for one name after the other: for a value, or for what a function returns for given arguments. Arguments are
sent one question at a time, and not before all cells have run.

A cell that ends the process or hits a limit is left out of the next attempt, in a new process, so that the other cells'
answers are not lost with it. A question whose calls do so is not asked again.
"""

import collections
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lossacc_helpers.grading import wire
from lossacc_helpers.grading.sandbox import Budget, Confined, Reason, Sandbox, Stopped
from lossacc_helpers.grading.wire import clean

ATTEMPTS = 6
LONGEST_OUTPUT = 60_000  # characters of one cell
LARGEST_PICTURE = 500_000  # characters, as base64
MOST_OUTPUTS = 200  # of one cell
_SAID = re.compile(
    r"a value of type [A-Za-z_]\w{0,39}|an? (array|integer) of [\w, ]{1,30}|\.\.\.|lists in lists[a-z ]+"
)
_PNG = re.compile(r"iVBORw0KGgo[A-Za-z0-9+/=\s]*")
_PROBLEMS = {
    "missing": "the notebook defines no {name}",
    "empty": "not written yet",
    "nothing": "{name} returned nothing",
    "no function": "{name} is no function",
}


@dataclass(frozen=True)
class Answer:
    """What came back for one call, or for a value.

    Attributes
    ----------
    value : numbers, texts, arrays, lists or tuples.
    problem : why there is no value, in words for the learner; empty if there is one.
    """

    value: Any = None
    problem: str = ""


@dataclass(frozen=True)
class Stop:
    """A place where a submission's process was stopped, or ended by itself.

    Attributes
    ----------
    cell : the cell's number, or None.
    question : the question's name, or None.
    reason : the limit, or "its own end".
    """

    cell: int | None
    question: str | None
    reason: Reason


@dataclass
class Collected:
    """All that came back from a submission.

    Attributes
    ----------
    outputs : of each cell, in a notebook's form: text, PNG pictures and errors; None where it never ran to its end.
    answers : of each question, one for each call; fewer where the process did not get so far.
    stops : in order of time.
    peak : the most memory of all its processes together, bytes.
    """

    outputs: list[list[dict[str, Any]] | None]
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    stops: list[Stop] = field(default_factory=list)
    peak: int = 0


def collect(
    sandbox: Sandbox,
    cells: Sequence[str],
    requests: Mapping[str, Sequence[tuple[Any, ...]] | None],
    *,
    again: bool = False,
    slot: int = 0,
) -> Collected:
    """Run cells and return the answers to all requests.

    Parameters
    ----------
    sandbox : where they run.
    cells : their sources, in order.
    requests : for each name the arguments of the calls, or None where its value is asked for.
    again : whether cells that raise are run once more after the last, because their order may not be the author's.
    slot : as in `Sandbox.start`.
    """
    collected = Collected([None] * len(cells))
    left_out: set[int] = set()
    waiting = list(requests)
    budget = Budget(sandbox.limits)
    for _ in range(ATTEMPTS):
        with sandbox.start(slot=slot, budget=budget) as confined:
            attempt = _Attempt(confined, collected, requests)
            shown = [None if number in left_out else source for number, source in enumerate(cells)]
            confined.send({**sandbox.task(slot=slot), "cells": shown, "again": again})
            try:
                attempt.run_cells()
                while waiting:
                    attempt.ask(waiting[0])
                    waiting.pop(0)
            except Stopped as stopped:
                collected.stops.append(Stop(attempt.cell, attempt.question, stopped.reason))
            collected.peak = max(collected.peak, confined.peak)
        if waiting and attempt.question is not None:
            waiting.pop(0)
        elif attempt.cell is not None:
            left_out.add(attempt.cell)
        if not waiting or budget.spent:
            break
    return collected


class _Attempt:
    """One process, from its start to its end."""

    def __init__(self, confined: Confined, collected: Collected, requests: Mapping[str, Any]) -> None:
        self._confined, self._collected, self._requests = confined, collected, requests
        self.cell: int | None = None
        self.question: str | None = None
        self._begun: collections.Counter[int] = collections.Counter()

    def run_cells(self) -> None:
        count = len(self._collected.outputs)
        while True:
            event = self._next()
            number = event.get("cell")
            if event.get("event") == "ready":
                self.cell = None
                self._confined.begin()
                return
            if type(number) is not int or not 0 <= number < count:
                continue
            if event.get("event") == "cell":
                if self._begun[number] < 2:  # a cell may run twice; saying so more often wins no time
                    self._confined.begin()
                self._begun[number] += 1
                self.cell = number
            elif event.get("event") == "ran":
                self._collected.outputs[number] = safe_outputs(event.get("outputs"))

    def ask(self, name: str) -> None:
        requested = self._requests[name]
        calls = None if requested is None else [[wire.encode(value) for value in each] for each in requested]
        self._confined.send({"name": name, "calls": calls})
        answers = self._collected.answers[name] = []
        asked = 0
        while len(answers) < (1 if calls is None else len(calls)):
            event = self._next()
            if (event.get("question"), event.get("call")) != (name, len(answers)):
                continue
            if event.get("event") == "asked" and asked < len(answers) + 1:
                asked = len(answers) + 1
                self.question = name
                self._confined.begin()
            elif event.get("event") == "answer":
                answers.append(_answer(name, event))
        self.question = None

    def _next(self) -> dict[str, Any]:
        event = self._confined.receive()
        return event if isinstance(event, dict) else {}


def _answer(name: str, event: dict[str, Any]) -> Answer:
    if "problem" not in event:
        try:
            return Answer(wire.decode(event.get("value")))
        except wire.Unsendable as reason:
            return Answer(problem=str(reason))
    problem, error = event["problem"], clean(str(event.get("error", ""))[:200])
    if problem == "raised":
        # A name and no more: it is shown to the learner, who could put the arguments of the call into it.
        named = error if error.isidentifier() and len(error) <= 40 else "an exception"
        return Answer(problem=f"{name} raised {named}")
    if problem == "kind":
        error = error if _SAID.fullmatch(error) else "something"
        return Answer(problem=f"it is {error}, which cannot be read as numbers or text")
    return Answer(problem=_PROBLEMS.get(str(problem), "nothing came back").format(name=name))


def safe_outputs(outputs: Any) -> list[dict[str, Any]]:
    """Return a cell's outputs with nothing in them but printed text, errors and PNG pictures, whatever they claim."""
    safe: list[dict[str, Any]] = []
    room = LONGEST_OUTPUT

    def text(value: Any) -> str:
        nonlocal room
        kept = clean(value[:room]) if isinstance(value, str) else ""
        room -= len(kept)
        return kept

    for output in outputs[:MOST_OUTPUTS] if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data = output.get("data")
        kind = output.get("output_type")
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            safe.append({"output_type": "stream", "name": name, "text": text(output.get("text"))})
        elif kind == "error":
            traceback = output.get("traceback")
            lines = [text(line) for line in traceback[:100]] if isinstance(traceback, list) else []
            name, value = text(output.get("ename")), text(output.get("evalue"))
            safe.append({"output_type": "error", "ename": name, "evalue": value, "traceback": lines})
        elif isinstance(data, dict):
            shown = {}
            if isinstance(data.get("text/plain"), str):
                shown["text/plain"] = text(data["text/plain"])
            picture = data.get("image/png")
            if isinstance(picture, str) and len(picture) <= LARGEST_PICTURE and _PNG.fullmatch(picture):
                shown["image/png"] = picture
            if shown:
                safe.append({"output_type": "display_data", "data": shown, "metadata": {}})
    return safe

"""Runs a submission's cells and returns its answers; started by `sandbox`, alone in a process, and told all by a pipe.

Everything here shares a process with the submission and is at its mercy. That costs a submission its own answers and
nothing else: what is expected is never here. What comes in and goes out is described in `collecting`.
"""

import binascii
import builtins
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from lossacc_helpers.grading import wire

_LONGEST_OUTPUT = 40_000  # characters of one cell
_LARGEST_PICTURE = 400_000  # characters, as base64
_SHOWN = ("text/plain", "image/png")  # what a program of the learner's could hide in HTML, nobody wants to open


class Channel:
    """Lines of JSON from and to the grader, on descriptors that no print reaches."""

    def __init__(self) -> None:
        self._in = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self._out = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in 0, 1, 2:
            os.dup2(nothing, descriptor)
        self._write, self._encode = os.write, json.JSONEncoder(separators=(",", ":")).encode

    def receive(self) -> Any:
        """Return the next message; None at the end."""
        line = self._in.readline()
        return json.loads(line) if line else None

    def send(self, message: Any) -> None:
        """Send a message, whole."""
        data = memoryview(self._encode(message).encode() + b"\n")
        while data:
            data = data[self._write(self._out, data) :]


class Outputs:
    """What a cell shows, in a notebook's own form; the beginning of it, if it is much."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self._room = _LONGEST_OUTPUT

    def text(self, name: str, text: str) -> None:
        """Keep what is printed."""
        if not text or self._room <= 0:
            return
        kept = text[: self._room]
        self._room -= len(kept)
        if len(kept) < len(text):
            kept += "\n(and more)"
        if self.kept and self.kept[-1].get("name") == name:
            self.kept[-1]["text"] += kept
        else:
            self.kept.append({"output_type": "stream", "name": name, "text": kept})

    def data(self, data: dict[str, Any], *, count: int | None = None) -> None:
        """Keep what is displayed: text and pictures."""
        shown = {}
        for kind in _SHOWN:
            value = data.get(kind)
            if isinstance(value, bytes):
                value = binascii.b2a_base64(value, newline=False).decode("ascii")
            limit = _LARGEST_PICTURE if kind == "image/png" else self._room
            if isinstance(value, str) and (len(value) <= limit or kind == "text/plain"):
                shown[kind] = value[:limit]
        if not shown or len(self.kept) > 100:
            return
        self._room -= len(shown.get("text/plain", ""))
        output: dict[str, Any] = {"output_type": "display_data", "data": shown, "metadata": {}}
        if count is not None:
            output |= {"output_type": "execute_result", "execution_count": count}
        self.kept.append(output)

    def error(self, name: str, value: str, traceback: list[str]) -> None:
        """Keep an exception."""
        lines = "\n".join(traceback)
        lines = lines if len(lines) <= 6000 else lines[:3000] + "\n...\n" + lines[-3000:]
        self.kept.append({"output_type": "error", "ename": name, "evalue": value[:2000], "traceback": [lines]})


class _Stream(io.TextIOBase):
    """A text stream that writes into whatever cell is running."""

    def __init__(self, shell: "Shell", name: str) -> None:
        self._shell, self._name = shell, name

    def write(self, text: str) -> int:
        self._shell.outputs.text(self._name, str(text))
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1  # which leads nowhere


class _Displayed(DisplayPublisher):
    shell: "Shell"

    def publish(self, data: dict[str, Any], *_: Any, **__: Any) -> None:
        self.shell.outputs.data(data)


class _Result(DisplayHook):
    shell: "Shell"

    def write_output_prompt(self) -> None: ...

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        self.shell.outputs.data(format_dict, count=self.prompt_count)

    def finish_displayhook(self) -> None: ...


class Shell(InteractiveShell):
    """IPython without a terminal: cells go in, outputs are kept."""

    displayhook_class = _Result
    display_pub_class = _Displayed
    outputs = Outputs()

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        try:
            value = str(evalue)
        except Exception:
            value = ""
        self.outputs.error(etype.__name__, value, stb)

    def should_run_async(self, raw_cell: str, **_: Any) -> bool:
        """Run every cell in a loop of asyncio, as Jupyter does."""
        return True

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: there is no window."""


def restorer(
    modules: tuple[ModuleType, ...] = (builtins, np, json, json.encoder, json.decoder, os),
) -> Callable[[], None]:
    """Remember modules as they are; returns a function that puts back whatever has been put in a place of theirs."""
    kept = [(vars(module), dict(vars(module))) for module in modules]

    def restore() -> None:
        for space, original in kept:
            space.update(original)

    return restore


def confine(limits: dict[str, int]) -> None:
    """Take away from this process, for good, what a submission may not use; the limits are in bytes and seconds."""
    import resource  # which Windows has not; `sandbox` refuses there

    def limit(kind: int, value: int) -> None:
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))

    limit(resource.RLIMIT_AS, limits["address_space"])
    limit(resource.RLIMIT_CPU, limits["cpu"])
    limit(resource.RLIMIT_FSIZE, limits["disk"])
    limit(resource.RLIMIT_NOFILE, 128)
    limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        limit(resource.RLIMIT_MSGQUEUE, 0)
    if "processes" in limits:
        limit(resource.RLIMIT_NPROC, limits["processes"])
    if "identity" in limits:
        os.setgroups([])
        os.setresgid(*[limits["identity"]] * 3)
        os.setresuid(*[limits["identity"]] * 3)


def main() -> None:
    """Do what the grader asks until it asks for no more."""
    channel = Channel()
    task = channel.receive()
    confine(task["limits"])
    home = Path(os.environ["HOME"])
    (home / "work").mkdir(parents=True, exist_ok=True)
    os.chdir(home / "work")
    sys.path.insert(0, "")  # as in Jupyter, where a notebook imports what lies beside it
    if fonts := task.get("fonts"):  # else matplotlib would look for the machine's fonts in every submission
        shutil.copytree(fonts, os.environ["MPLCONFIGDIR"], dirs_exist_ok=True)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    config.InteractiveShell.xmode = "Context"
    shell = Shell.instance(config=config)
    sys.stdout, sys.stderr = _Stream(shell, "stdout"), _Stream(shell, "stderr")
    ourselves, getpid, leave = os.getpid(), os.getpid, os._exit
    run = _Run(channel, shell, restorer(), lambda: None if getpid() == ourselves else leave(0))
    failed = [number for number, source in enumerate(task["cells"]) if not run.cell(number, source)]
    # A name that was not there yet may be there now: cells can be written in another order than they stand.
    for number in failed:
        if task["again"] or number in run.unnamed:
            run.cell(number, task["cells"][number])
    run.send({"event": "ready"})
    while (question := run.receive()) is not None:
        run.question(question["name"], question["calls"])
    leave(0)  # threads of the submission's may still run


class _Run:
    """One submission, while it runs.

    Before each step of ours, Python's and NumPy's own functions are put back: a cell that replaces them should not take
    the cells after it, or the way back to the grader, along.
    """

    def __init__(self, channel: Channel, shell: Shell, restore: Callable[[], None], end_copies: Callable[[], None]):
        self._channel, self._shell, self._restore, self._end_copies = channel, shell, restore, end_copies
        self.unnamed: set[int] = set()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to the grader; a copy of this process that the submission made ends here."""
        self._end_copies()
        self._restore()
        self._channel.send(message)

    def receive(self) -> Any:
        """Return what the grader asks next."""
        self._restore()
        return self._channel.receive()

    def cell(self, number: int, source: str | None) -> bool:
        """Run a cell; None stands for one that is left out."""
        if source is None:
            return True
        self.send({"event": "cell", "cell": number})
        self._shell.outputs = outputs = Outputs()
        try:
            result = self._shell.run_cell(source, store_history=True)
            worked = result.success is True
            if type(result.error_in_exec) is NameError:
                self.unnamed.add(number)
        except BaseException as error:  # what IPython itself lets through
            self._restore()
            outputs.error(type(error).__name__, "", [])
            worked = False
        self._restore()
        self._shell.outputs = Outputs()
        self.send({"event": "ran", "cell": number, "worked": worked, "outputs": outputs.kept})
        return worked

    def question(self, name: str, calls: list[Any] | None) -> None:
        """Return the value of a name, or what it gives in each call."""
        missing = object()
        value = self._shell.user_ns.get(name, missing)
        for number, arguments in enumerate([None] if calls is None else calls):
            self.send({"event": "asked", "question": name, "call": number})
            answer = {"problem": "missing"} if value is missing else self._answer(value, arguments)
            self.send({"event": "answer", "question": name, "call": number, **answer})

    def _answer(self, value: Any, arguments: list[Any] | None) -> dict[str, Any]:
        if arguments is not None:
            if value is ...:
                return {"problem": "empty"}
            if not callable(value):
                return {"problem": "no function"}
            given = [wire.decode(argument) for argument in arguments]
            try:
                value = value(*given)
            except BaseException as error:  # SystemExit too
                self._restore()
                return {"problem": "raised", "error": type.__getattribute__(type(error), "__name__")[:80]}
            self._restore()
            if value is None:
                return {"problem": "nothing"}
        if value is ... or value is NotImplemented:
            return {"problem": "empty"}
        try:
            return {"value": wire.encode(value)}
        except wire.Unsendable as other:
            return {"problem": "kind", "error": str(other)[:200]}
        except BaseException as error:
            return {"problem": "kind", "error": f"something that raised {type(error).__name__}"}


if __name__ == "__main__":
    main()

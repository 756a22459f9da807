"""What long work owes whoever waits for it: a line that says how far it is, and an end when it is interrupted.

Work names itself with `waiting`, says how far it has come with `reached`, and gives what Python cannot interrupt to
`interruptible`. Who reads the line is decided above this module: nobody, unless `listen` or `told_by` say so.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from queue import SimpleQueue
from time import monotonic
from typing import TypeVar

PATIENCE = 2.0  # seconds of silence: shorter work needs no words
_PERIOD = 1.0  # seconds between two lines
_TICK = 0.05  # seconds; short, so that Ctrl-C gets through on Windows, where a waiting main thread cannot be woken

_Result = TypeVar("_Result")

# Shows what is waited for and how far it is, the two parts of one line; two empty texts take the line away. It is
# called in a thread of its own, because the thread that waits is busy.
Show = Callable[[str, str], None]


class Abandoned(BaseException):
    """Raised inside work that nobody waits for any more; no `except Exception` catches it."""


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Tell whoever listens what they wait for and how far it is, if the block takes longer than a moment.

    >>> told = []
    >>> with told_by(lambda *line: told.append(line)), waiting("Adding one and one"):
    ...     1 + 1
    2
    >>> told
    []
    """
    show = _nearest.get() or _find()
    if show is None:
        yield
        return
    current, ended = _Wait(what), threading.Event()
    # In a copy of the context, what the thread shows belongs to the cell that waits.
    teller = threading.Thread(target=copy_context().run, args=(_tell, show, current, ended), daemon=True)
    token = _current.set(current)
    try:
        teller.start()
        yield
    finally:
        ended.set()
        _current.reset(token)
        if teller.is_alive():
            teller.join()  # nothing is shown once the work is over


def reached(share: float) -> None:
    """Say which share of the work is done; long work calls this again and again.

    Raises
    ------
    Abandoned
        Inside `interruptible` work whose caller was interrupted.
    """
    given_up, current = _given_up.get(), _current.get()
    if given_up is not None and given_up.is_set():
        raise Abandoned
    if current is not None:
        current.reach(share)


def interruptible(work: Callable[[], _Result]) -> _Result:
    """Return what the work returns, or raise what it raises; an interruption gets through at once.

    Python hears of an interruption between two of its own steps only, so a long call into a library would keep it
    waiting. The work therefore runs in another thread. After an interruption it runs on there until it calls `reached`,
    or to its end, and later work waits for that. What it writes to must be guarded by a lock that it holds itself.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()  # only the main thread is ever interrupted
    given_up, context, result = threading.Event(), copy_context(), Future[_Result]()
    context.run(_given_up.set, given_up)

    def task() -> None:
        try:
            result.set_result(context.run(work))
        except BaseException as error:
            result.set_exception(error)

    try:
        _hand_over(task)
        while not wait([result], _TICK).done:
            pass
    except BaseException:
        given_up.set()
        raise
    return result.result()


def listen(find: Callable[[], Show | None]) -> None:
    """From now on ask `find` who is to be told whenever a wait begins; it returns None where nobody looks."""
    global _find
    _find = find


@contextmanager
def told_by(show: Show) -> Iterator[None]:
    """Have the waits of this block told by `show` rather than by what `listen` was given."""
    token = _nearest.set(show)
    try:
        yield
    finally:
        _nearest.reset(token)


class _Wait:
    """How far one piece of work is."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._began = monotonic()
        self._reached: list[tuple[float, float]] = []  # the first and the last (seconds, share) with anything done

    def reach(self, share: float) -> None:
        if share > 0:
            self._reached[1:] = [(monotonic(), share)]

    def how_far(self) -> str:
        parts = [f"{monotonic() - self._began:.0f} s so far"]
        if self._reached:
            # What came before the first share, a compilation say, tells nothing about what is left.
            (first, least), (last, share) = self._reached[0], self._reached[-1]
            parts.insert(0, f"{share:.0%} done")
            if share > least:
                parts.append(f"about {(last - first) / (share - least) * (1 - share):.0f} s left")
        return ", ".join(parts)


def _tell(show: Show, wait: _Wait, ended: threading.Event) -> None:
    if ended.wait(PATIENCE):
        return
    show(wait.what, wait.how_far())
    while not ended.wait(_PERIOD):
        show(wait.what, wait.how_far())
    show("", "")


# One thread does the work of all: a new one would cost TensorFlow two milliseconds. (An executor's threads are not
# daemons, and one whose start is interrupted keeps Python from ending.)
_tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
_worker: threading.Thread | None = None


def _hand_over(task: Callable[[], None]) -> None:
    global _worker
    if _worker is None or not _worker.is_alive():
        _worker = threading.Thread(target=_work, daemon=True, name="long work")
        _worker.start()
    _tasks.put(task)


def _work() -> None:
    while True:
        _tasks.get()()


@atexit.register
def _finish() -> None:
    """Let interrupted work come to its end: Python may crash while a library is at work in a thread."""
    if _worker is not None and _worker.is_alive():
        ended = threading.Event()
        _tasks.put(ended.set)
        ended.wait()


def _nobody() -> None:
    return None


_find: Callable[[], Show | None] = _nobody
_nearest: ContextVar[Show | None] = ContextVar("nearest", default=None)
_current: ContextVar[_Wait | None] = ContextVar("current", default=None)
_given_up: ContextVar[threading.Event | None] = ContextVar("given_up", default=None)

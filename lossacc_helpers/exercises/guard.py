"""Running code that may never end: in a thread, for a limited time, stopped by an exception raised in it."""

import ctypes
import io
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

SECONDS = 5.0  # for all of a learner's code in one check
GRACE = 2.0  # seconds
_TICK = 0.05  # seconds; short, so that Ctrl-C gets through on Windows, where a waiting main thread cannot be woken


class OutOfTime(BaseException):
    """Raised inside code whose time is up; no `except Exception` catches it."""


class Stuck(Exception):
    """The code had to be stopped.

    Attributes
    ----------
    frames : where it stood when its time was up, outermost first.
    abandoned : whether it could not be stopped and still runs.
    """

    def __init__(self, frames: list[traceback.FrameSummary], *, abandoned: bool) -> None:
        super().__init__("out of time")
        self.frames = frames
        self.abandoned = abandoned


class Guard:
    """A budget of time, spent by one or more runs, and a record of what they printed.

    Parameters
    ----------
    seconds : the budget of all runs together.
    grace : how long a run is told to stop, again and again, before it is left behind.
    """

    def __init__(self, *, seconds: float = SECONDS, grace: float = GRACE) -> None:
        self.seconds = seconds
        self.grace = grace
        self._left = seconds
        self._output = _Beginning()

    @property
    def printed(self) -> str:
        """What has been printed so far, shortened."""
        return self._output.text.rstrip()

    def run(self, action: Callable[[], Any]) -> Any:
        """Return what the action returns, or raise what it raises.

        Raises
        ------
        Stuck
            If the time is up before it ends.
        """
        thread = _Stoppable(action)
        started = time.monotonic()
        with redirect_stdout(self._output):
            thread.start()
            try:
                while thread.is_alive() and time.monotonic() - started < self._left:
                    thread.join(min(_TICK, max(self._left - (time.monotonic() - started), 0.001)))
                frames = thread.frames()
                self._stop(thread)
            except BaseException:
                # Ctrl-C among others: the learner's code must not go on behind the message.
                self._stop(thread)
                raise
        self._left = max(self._left - (time.monotonic() - started), 0.0)
        if thread.told_to_stop:
            raise Stuck(frames, abandoned=thread.is_alive())
        if thread.error is not None:
            raise thread.error
        return thread.result

    def _stop(self, thread: "_Stoppable") -> None:
        """Tell the thread to stop, unless its work is over, until it does or the grace is up."""
        deadline = time.monotonic() + self.grace
        while thread.stop() and time.monotonic() < deadline:
            thread.join(_TICK)
        if thread.closed:
            thread.join()


class _Stoppable(threading.Thread):
    """A thread into which an exception can be thrown, but never after its work is over."""

    def __init__(self, action: Callable[[], Any]) -> None:
        super().__init__(daemon=True, name="learner's code")
        self.result: Any = None
        self.error: BaseException | None = None
        self.closed = False
        self.told_to_stop = False
        self._action = action
        self._gate = threading.Lock()

    def run(self) -> None:
        """Do the work, keep what came of it, and shut the gate."""
        try:
            try:
                self.result = self._action()
            except BaseException as error:
                self.error = error
            finally:
                self._close()
        except OutOfTime:
            # Thrown between the lines above. Once the gate is shut nothing more can come.
            self._close()

    def stop(self) -> bool:
        """Throw `OutOfTime` into the thread; return False where its work is over."""
        with self._gate:
            if self.closed or self.ident is None:
                return False
            self.told_to_stop = True
            _throw(self.ident, OutOfTime)
            return True

    def frames(self) -> list[traceback.FrameSummary]:
        """Return where the thread stands, outermost frame first."""
        frame = sys._current_frames().get(self.ident or 0)
        return list(traceback.extract_stack(frame)) if frame else []

    def _close(self) -> None:
        while not self.closed:
            try:
                with self._gate:
                    _throw(threading.get_ident(), None)  # what was thrown and has not yet arrived
                    self.closed = True
            except OutOfTime:
                continue


class _Beginning(io.TextIOBase):
    """A stream that keeps the beginning of what is written: a loop may print for ever."""

    limit = 600

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        """Keep what still fits."""
        if len(self.text) <= self.limit:
            self.text += text[: self.limit + 1 - len(self.text)]
            if len(self.text) > self.limit:
                self.text = self.text[: self.limit] + " ..."
        return len(text)

    def writable(self) -> bool:
        """Return True: it is for writing."""
        return True


def _throw(ident: int, exception: type[BaseException] | None) -> None:
    """Have an exception raised in a thread at its next bytecode, or with None take back one that waits."""
    thrown = None if exception is None else ctypes.py_object(exception)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), thrown)

"""A process that cannot do harm: bubblewrap around a Python that runs a submission, with limits watched from outside.

Inside there is no network, no other process, none of the user's files but Python and this package, both read-only, and
a small folder in memory to write to. Limits stand twice: set on the process itself, where Linux keeps them, and on the
tree of all its processes, which is looked at a few times a second and killed whole.
"""

import collections
import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import psutil

from lossacc_helpers.grading import seccomp

Reason = Literal["time", "processor time", "memory", "output", "its own end"]

_PACKAGE = Path(__file__).resolve().parents[1]
_HOME = "/tmp/home"
_FONTS = "/tmp/fonts"
_LOOK = 0.1  # seconds between two looks at the processes
_LEAVING = 10.0  # seconds in which killed processes are gone
_MOST_EVENTS = 20_000  # of one process
_LONGEST_LINE = 8_000_000  # bytes
_FIRST_IDENTITY = 2_000_000_000  # user ids that nobody has


class NoSandbox(RuntimeError):
    """There is no sandbox on this machine; the message says why, and what to do."""


class Stopped(Exception):
    """The submission's process was stopped, or ended by itself.

    Attributes
    ----------
    reason : which limit it hit.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    cell : seconds of the processor for one cell, or one call of a function.
    waiting : seconds on the clock for the same: a cell may sleep.
    whole : seconds of the processor for all of it together, however often it is run; on the clock, it may take longer
        in the same measure as a cell.
    memory : bytes, of all processes together.
    processes : how many at a time, threads included.
    disk : bytes it may write.
    output : bytes it may return.
    """

    cell: float = 30.0
    waiting: float = 90.0
    whole: float = 120.0
    memory: int = 2_000_000_000
    processes: int = 64
    disk: int = 64_000_000
    output: int = 30_000_000

    def __post_init__(self) -> None:
        for name in ("cell", "waiting", "whole", "memory", "processes", "disk", "output"):
            if getattr(self, name) <= 0:
                raise ValueError(f"the limit {name} must be above 0, got {getattr(self, name)}")


class Sandbox:
    """A way to run submissions on this machine.

    Parameters
    ----------
    limits : for each of them.
    unsafe : run them as ordinary processes of yours, where there is no sandbox: for submissions that you trust.

    Raises
    ------
    NoSandbox
        If bubblewrap is missing or does not work here, unless `unsafe`.
    """

    def __init__(self, limits: Limits | None = None, *, unsafe: bool = False) -> None:
        self.limits = limits or Limits()
        self.unsafe = unsafe
        self._stopping = threading.Event()
        if sys.platform == "win32":
            raise NoSandbox("submissions cannot be run on Windows; use WSL, which is a Linux")
        self._fonts = tempfile.TemporaryDirectory(prefix="lossacc-fonts-")
        if not unsafe:
            self._bwrap = _find_bubblewrap()
            self._prove()
        self._gather_fonts()

    def stop(self) -> None:
        """End all that runs in it: whoever waits for an event gets `Interrupted`."""
        self._stopping.set()

    def close(self) -> None:
        """Remove what it kept for its submissions."""
        self._fonts.cleanup()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    @contextlib.contextmanager
    def start(self, *, slot: int = 0, budget: "Budget | None" = None) -> Iterator["Confined"]:
        """Start a runner, which waits for its task, and kill all of its processes at the end.

        Parameters
        ----------
        slot : tells runners apart that work at the same time; each slot keeps to a core of its own.
        budget : of a submission that has had other processes before.
        """
        with tempfile.TemporaryDirectory(prefix="lossacc-") as folder, tempfile.TemporaryFile() as complaints:
            command, descriptors = self._command(Path(folder))
            with _on_one_core(slot):
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    cwd=folder,
                    env=self._environment(Path(folder)),
                    pass_fds=descriptors,
                    start_new_session=True,
                )
            for descriptor in descriptors:
                os.close(descriptor)
            confined = Confined(process, budget or Budget(self.limits), complaints, self._stopping)
            try:
                yield confined
            finally:
                confined.end()

    def task(self, *, slot: int = 0) -> dict[str, Any]:
        """Return the parts of a task that tell a runner of this sandbox its limits."""
        limits: dict[str, int] = {
            "address_space": self.limits.memory + 2_000_000_000,  # what is mapped is more than what is used
            "cpu": round(self.limits.whole) + 5,
            "disk": self.limits.disk,
        }
        if not self.unsafe:
            limits["processes"] = self.limits.processes
            if os.geteuid() == 0:
                limits["identity"] = _FIRST_IDENTITY + (os.getpid() * 64 + slot) % 100_000_000
        return {"limits": limits, "fonts": self._fonts.name if self.unsafe else _FONTS}

    def _environment(self, folder: Path) -> dict[str, str]:
        home = str(folder / "home") if self.unsafe else _HOME
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if self.unsafe and name in os.environ}
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "LOGNAME": "learner",
            "LOSSACC_PROGRESS": "off",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONUTF8": "1",
            **kept,
            "HOME": home,
            "IPYTHONDIR": f"{home}/ipython",
            "MPLCONFIGDIR": f"{home}/matplotlib",
            "TMPDIR": home if self.unsafe else "/tmp",
        }

    def _command(self, folder: Path) -> tuple[list[str], tuple[int, ...]]:
        """Return what to run, and the descriptors that it needs."""
        python = [sys.executable, "-m", "lossacc_helpers.grading.runner"]
        if self.unsafe:
            (folder / "home").mkdir()
            return python, ()
        reading, writing = os.pipe()
        os.write(writing, seccomp.program())
        os.close(writing)
        size = str(self.limits.disk)
        command = [self._bwrap, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        command += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "sandbox"]
        if os.geteuid() == 0:
            # The runner takes another identity, because Linux limits everybody's processes but root's. It needs two
            # rights for that, and loses them with it.
            command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            command += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
        command += ["--ro-bind", "/usr", "/usr"]
        for path in "/bin", "/sbin", "/lib", "/lib32", "/lib64":
            if os.path.islink(path):
                command += ["--symlink", os.readlink(path), path]
            elif os.path.isdir(path):
                command += ["--ro-bind", path, path]
        command += ["--perms", "0755", "--dir", "/etc", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
        command += ["--proc", "/proc", "--dev", "/dev"]
        # What can be written to is in memory, and small. Folders above a mount are made readable by all: bubblewrap
        # makes them its user's own.
        command += ["--size", size, "--perms", "1777", "--tmpfs", "/dev/shm", "--size", size, "--perms", "1777"]
        command += ["--tmpfs", "/tmp"]
        for parent, paths in _mounts():
            for above in parent:
                command += ["--perms", "0755", "--dir", above]
            command += ["--ro-bind", paths, paths]
        command += ["--ro-bind", self._fonts.name, _FONTS, "--remount-ro", "/dev", "--remount-ro", "/"]
        command += ["--chdir", "/tmp", "--seccomp", str(reading), "--", *python]
        return command, (reading,)

    def _prove(self) -> None:
        """Run one cell in it, or say why that does not work."""
        try:
            with self.start() as confined:
                confined.send({**self.task(), "fonts": None, "cells": ["1 + 1"], "again": False})
                events = [confined.receive() for _ in range(3)]
                if not events[1].get("worked"):
                    raise NoSandbox("bubblewrap runs here, but Python does not run in it")
        except (Stopped, NotImplementedError, OSError) as error:
            said = f": {confined.complaints()}" if isinstance(error, Stopped) else f": {error}"
            raise NoSandbox(f"bubblewrap is installed, but its sandbox does not work here{said}") from None

    def _gather_fonts(self) -> None:
        """Have matplotlib list the machine's fonts once, and not in every submission."""
        environment = {**os.environ, "MPLCONFIGDIR": self._fonts.name}
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        with contextlib.suppress(subprocess.TimeoutExpired):  # then each submission looks for itself
            subprocess.run(command, env=environment, check=False, capture_output=True, timeout=120)
        os.chmod(self._fonts.name, 0o755)


class Budget:
    """What is left to a submission, through all the processes that it is given one after the other.

    Attributes
    ----------
    processor : seconds of the processor that its earlier processes have used.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.processor = 0.0
        self._ends = time.monotonic() + limits.whole * limits.waiting / limits.cell

    @property
    def late(self) -> bool:
        """Whether its time on the clock is over."""
        return time.monotonic() > self._ends

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.late or self.processor > self.limits.whole


class Interrupted(Exception):
    """The grading is to end; what this submission would have answered is not known."""


class Confined:
    """A runner in its sandbox: tasks go in, events come out, as long as it keeps its limits.

    Attributes
    ----------
    peak : the most memory that all its processes had when they were looked at, bytes.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], budget: Budget, complaints: IO[bytes], stopping: threading.Event
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._budget, self._limits, self._complaints = process, budget, budget.limits, complaints
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self._in, False)  # the submission may have made the pipe narrow, and not read it
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)
        self._to_send = bytearray()
        self._received = bytearray()
        self._total = self._events = 0
        self._pending: collections.deque[bytes] = collections.deque()  # one at a time is made an object
        self._looked = 0.0
        self._processor = 0.0
        self._said = ""
        self._ended = False
        self._over: Reason | None = None
        self._stopping = stopping
        self.peak = 0
        self.begin()

    def begin(self) -> None:
        """Count the time of a cell, or of a call, from now."""
        self._mark_clock, self._mark_processor = time.monotonic(), self._processor

    def send(self, message: Any) -> None:
        """Send a message, as soon as the runner takes it; one that is gone is noticed when it is waited for."""
        self._to_send += json.dumps(message).encode() + b"\n"

    def receive(self) -> Any:
        """Return the next event.

        Raises
        ------
        Stopped
            If the time since `begin` is up, another limit is hit, or the process has ended.
        Interrupted
            If `Sandbox.stop` was called.
        """
        while True:
            if not self._over and time.monotonic() - self._looked >= _LOOK:
                self._look()
            if self._pending:
                with contextlib.suppress(ValueError, RecursionError):  # the submission may write what it likes
                    return json.loads(self._pending.popleft())
                continue
            if self._over:  # not before all that it had said: else the wrong cell would be blamed
                raise Stopped(self._over)
            self._exchange()

    def end(self) -> None:
        """Kill it with all of its processes."""
        if self._ended:
            return
        self._ended = True
        self._budget.processor += self._processor
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            ours = psutil.Process(self._process.pid)
            family = ours.children(recursive=True)
            for one in [ours, *family]:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    one.kill()
        with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        wait_until_dead(family, _LEAVING)
        self._complaints.seek(0)
        self._said = self._complaints.read(2000).decode(errors="replace").strip()
        self._selector.close()
        for stream in self._process.stdin, self._process.stdout:
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def complaints(self) -> str:
        """Return what was said on stderr before the submission began, shortened; known when it has ended."""
        return self._said or "it says nothing"

    def _exchange(self) -> None:
        """Send what is waiting and take what has come, for a moment at most."""
        if self._to_send and self._in not in self._selector.get_map():
            self._selector.register(self._in, selectors.EVENT_WRITE)
        for key, _ in self._selector.select(_LOOK):
            if key.fd == self._in:
                try:
                    del self._to_send[: os.write(self._in, self._to_send[:65536])]
                except BlockingIOError:
                    pass
                except BrokenPipeError:
                    self._to_send.clear()
                if not self._to_send:
                    self._selector.unregister(self._in)
            else:
                data = os.read(self._out, 1 << 20)
                if data:
                    self._take(data)
                else:
                    self._stop("its own end")
                return

    def _take(self, data: bytes) -> None:
        self._total += len(data)
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = bytes(self._received) + lines[0]
            self._received.clear()
        self._received += rest
        self._events += len(lines)
        longest = max(len(line) for line in (*lines, self._received))
        if self._total > self._limits.output or self._events > _MOST_EVENTS or longest > _LONGEST_LINE:
            self._stop("output")
        if longest <= _LONGEST_LINE:
            self._pending.extend(lines)

    def _look(self) -> None:
        """Look at all processes, and stop them if together they are past a limit."""
        if self._stopping.is_set():
            raise Interrupted
        memory, spent = 0, 0.0
        with contextlib.suppress(psutil.NoSuchProcess):
            ours = psutil.Process(self._process.pid)
            for one in [ours, *ours.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    memory += _own_memory(one)
                    times = one.cpu_times()
                    spent += times.user + times.system
                    spent += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        self._processor = max(self._processor, spent)
        self.peak = max(self.peak, memory)
        self._looked = time.monotonic()
        if memory > self._limits.memory:
            self._stop("memory")
        used = self._processor - self._mark_processor
        if used > self._limits.cell or self._processor + self._budget.processor > self._limits.whole:
            self._stop("processor time")
        if self._looked - self._mark_clock > self._limits.waiting or self._budget.late:
            self._stop("time")

    def _stop(self, reason: Reason) -> None:
        self._over = self._over or reason
        self.end()


def wait_until_dead(processes: Iterable[psutil.Process], timeout: float) -> bool:
    """Wait for processes that were killed; return whether all are dead within the timeout, in seconds.

    A zombie is dead: all that it keeps is its number, until its parent asks for it. That parent is the machine's first
    process by now, which on some asks every other second, and in some containers never.
    """
    deadline = time.monotonic() + timeout
    left = list(processes)
    while (left := [one for one in left if not _is_dead(one)]) and time.monotonic() < deadline:
        time.sleep(0.005)
    return not left


def _is_dead(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _own_memory(process: psutil.Process) -> int:
    """Return the bytes that a process holds and no file does; memory that processes share counts in each."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return int(process.memory_info().rss)
    held = dict(line.split(":", 1) for line in status.splitlines() if line.startswith(("RssAnon", "RssShmem")))
    return 1024 * sum(int(value.split()[0]) for value in held.values())


@contextlib.contextmanager
def _on_one_core(slot: int) -> Iterator[None]:
    """Keep what this thread starts to one core; where a sandbox is, its filter refuses to take another."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[slot % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _find_bubblewrap() -> str:
    if sys.platform != "linux":
        raise NoSandbox("there is no sandbox for this operating system; grade on Linux")
    found = shutil.which("bwrap")
    if not found:
        raise NoSandbox("bubblewrap is not installed (Debian and Ubuntu: sudo apt install bubblewrap)")
    return found


def _mounts() -> list[tuple[list[str], str]]:
    """Return the folders that Python needs, each with the folders above it, from the top."""
    needed = {str(Path(path).resolve()) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix, _PACKAGE)}
    needed |= {sys.prefix, str(Path(os.path.realpath(sys.executable)).parents[1])}
    outermost = [path for path in sorted(needed) if not any(str(above) in needed for above in Path(path).parents)]
    return [
        ([str(above) for above in reversed(Path(path).parents) if str(above) != "/"], path)
        for path in outermost
        if not path.startswith("/usr/") and path != "/usr"
    ]

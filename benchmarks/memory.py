"""The memory of a process and all that it started, and which core they run on."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import psutil

PERIOD = 0.05  # seconds between two looks
_LOOKS = 10  # at the same processes, before new ones are searched for: that takes longer than a look


class PeakMemory:
    """The greatest sum of the resident memory of a process and its descendants, in bytes, while the block runs.

    What two of them share is counted twice: a little too much, but a number of their own. The proportional share that
    Linux also tells would shrink whenever another program on the machine has the same libraries loaded.

    Attributes
    ----------
    together : the greatest sum seen.
    """

    def __init__(self, process: psutil.Process) -> None:
        self.together = 0
        self._process = process
        self._alone: dict[int, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        for look in count():
            if self._ended.wait(PERIOD):
                return
            if look % _LOOKS == 0:
                family = [self._process, *self._process.children(recursive=True)]
            total = 0
            for one in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    resident = one.memory_info().rss
                    self._alone[one.pid] = max(resident, self._alone.get(one.pid, 0))
                    total += resident
            self.together = max(total, self.together)

    def kernel(self) -> int:
        """The peak of the greatest kernel that is alive, in bytes: the system's own record, or else what was seen."""
        return max(_record(child.pid) or self._alone.get(child.pid, 0) for child in self._process.children())


def _record(pid: int) -> int | None:
    """The system's record of the most memory a process ever had, where it keeps one (Linux)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def cores() -> list[int]:
    """The cores this process may use, or none where the system does not let us choose (macOS)."""
    me: Any = psutil.Process()
    return sorted(me.cpu_affinity()) if hasattr(me, "cpu_affinity") else []


@contextlib.contextmanager
def on_cores(numbers: Sequence[int]) -> Iterator[None]:
    """Keep this process, and for good what it starts in the block, on some cores; without numbers on any."""
    me: Any = psutil.Process()
    before = cores()
    if before and numbers:
        me.cpu_affinity(list(numbers))
    try:
        yield
    finally:
        if before and numbers:
            me.cpu_affinity(before)

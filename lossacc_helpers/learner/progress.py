"""A learner's progress: a file of theirs that survives damage and two notebooks at once, and is never sent anywhere.

Each line of the file is one record in JSON, appended when a prediction is made or an answer says something new:

    {"lesson": "01_arithmetic_of_log_loss", "prediction": "least_right", "made": 6}
    {"lesson": "01_arithmetic_of_log_loss", "answered": "mean_log_loss", "passed": true}

Nothing that was written is ever changed, and a line that makes no sense is passed over, so damage costs no more than
the lines it hits. What is passed stays passed. The file lies

1. where the environment variable LOSSACC_PROGRESS says, and nowhere else (``off`` keeps no file); or else
2. in the learner's copy of the course, as `progress.jsonl`, and where that cannot be written
3. in the folder for their data that the operating system names.

Reading merges these places. Where none can be written, progress lives as long as the kernel, and the learner is told.

A record is one append under a lock, so that notebooks that write at once lose nothing. Where the file system offers
no lock, Linux and macOS still append whole records; on Windows, and on network drives, one may then be lost.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from io import FileIO
from pathlib import Path
from typing import Any

from lossacc_helpers.learner import working_copy

NAME = "progress.jsonl"
VARIABLE = "LOSSACC_PROGRESS"

_LARGEST = 4_000_000  # bytes that are read, from the end: a course fills some thousand
_NO_FILE = "something that is not a file is in its place"
_PATIENCE = 1.0  # seconds to wait for the lock; after that a record is appended without


@dataclass
class _Kernel:
    """What this kernel alone knows: the records that no file has taken, why none has, and whether that was told."""

    unwritten: list[dict[str, Any]] = field(default_factory=list)
    refusal: str = ""
    told: bool = False


_here = _Kernel()


@dataclass
class Progress:
    """What a learner has done, by the names of lesson and part.

    Attributes
    ----------
    made : the predictions, a guess's text or a number, in the order in which they were made.
    passed : of each exercise and question that was tried, whether it was ever passed.
    """

    made: dict[tuple[str, str], list[str | float]] = field(default_factory=dict)
    passed: dict[tuple[str, str], bool] = field(default_factory=dict)

    def add(self, record: object) -> bool:
        """Take in a record; return whether it says anything new, which one that makes no sense does not.

        >>> progress = Progress()
        >>> progress.add({"lesson": "01", "answered": "half", "passed": True})
        True
        >>> progress.add({"lesson": "01", "answered": "half", "passed": False})
        False
        """
        match record:
            case {"lesson": str(lesson), "prediction": str(item), "made": str() | int() | float() as made}:
                if isinstance(made, bool) or not (isinstance(made, str) or -1e300 < made < 1e300):
                    return False
                known = self.made.setdefault((lesson, item), [])
                if made in known:
                    return False
                known.append(made)
                return True
            case {"lesson": str(lesson), "answered": str(item), "passed": bool(passed)}:
                if self.passed.get((lesson, item)) in (passed, True):
                    return False
                self.passed[lesson, item] = passed
                return True
        return False


def read() -> Progress:
    """Return what all files and this kernel know."""
    progress = Progress()
    for path in places():
        for record in _records(path):
            progress.add(record)
    for record in _here.unwritten:
        progress.add(record)
    return progress


def keep_prediction(lesson: str, item: str, made: str | float) -> None:
    """Keep a prediction."""
    _keep({"lesson": lesson, "prediction": item, "made": made})


def keep_answer(lesson: str, item: str, passed: bool) -> None:
    """Keep that an exercise or a question was tried, and whether it was passed."""
    _keep({"lesson": lesson, "answered": item, "passed": passed})


def notice() -> str:
    """Return why progress is not being written, in words for the learner: the first time, then an empty text."""
    if _off() or _here.told or not _here.unwritten:
        return ""
    _here.told = True
    return _in_words(_here.refusal)


def trouble() -> str:
    """Return why progress cannot be written now, in words for the learner; an empty text where it can, or is off."""
    refusals = [_refusal(path) for path in places()]
    return "" if _off() or "" in refusals else _in_words(refusals[0] if refusals else "")


def files() -> list[Path]:
    """Return the files that hold progress."""
    found = []
    for path in places():
        with suppress(OSError, ValueError):
            if path.is_file():
                found.append(path)
    return found


def places() -> list[Path]:
    """Return the files that may hold progress, the best place first; none where it is switched off."""
    if _off():
        return []
    start = _start()
    if chosen := os.environ.get(VARIABLE):
        return [Path(start or "", chosen)]
    found = []
    with suppress(OSError):
        if copy := working_copy.find(start):
            found.append(copy / NAME)
    with suppress(ImportError, OSError, RuntimeError):  # not installed, or nobody's home
        from platformdirs import user_data_path

        data = user_data_path("lossacc", appauthor=False)
        if data.is_absolute():
            found.append(data / NAME)
    return found


def _off() -> bool:
    return os.environ.get(VARIABLE, "").lower() == "off"


@cache
def _start() -> Path | None:
    """Return the folder where this kernel began: a learner's os.chdir must not move their progress."""
    try:
        return Path.cwd()
    except OSError:  # it has been deleted
        return None


def _keep(record: dict[str, Any]) -> None:
    """Write a record that says something new, with those that could not be written before, to the first place."""
    if not read().add(record):
        return
    _here.unwritten.append(record)
    _here.refusal = ""
    for path in places():
        try:
            _append(path, _here.unwritten)
        except (OSError, ValueError) as error:
            _here.refusal = _here.refusal or _why(path, error)
        else:
            _here.unwritten.clear()
            return


def _append(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Append records to a file with one write."""
    lines = "".join(json.dumps(record) + "\n" for record in records).encode("ascii")
    if path.exists() and not path.is_file():
        raise OSError(_NO_FILE)  # a device may swallow everything, a pipe wait for ever
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+", buffering=0) as file:
        _lock(file)
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                lines = b"\n" + lines  # the last record was torn; this one must not be taken for its end
        if file.write(lines) != len(lines):
            raise OSError("there is no space left")


def _records(path: Path) -> Iterator[object]:
    """Yield what the lines of a file say; nothing of a line that is not JSON, or of a file that cannot be read."""
    try:
        if not path.is_file():
            return
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LARGEST))
            content = file.read(_LARGEST)
    except (OSError, ValueError):
        return
    yield from _parsed(content)


def _parsed(content: bytes) -> Iterator[object]:
    for line in content.split(b"\n"):
        try:
            yield json.loads(line.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            continue


def _refusal(path: Path) -> str:
    """Return why a file cannot be written, an empty text if it can; nothing is left behind."""
    try:
        if path.is_file():
            with open(path, "ab+", buffering=0):
                return ""
        if path.exists():
            raise OSError(_NO_FILE)
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except (OSError, ValueError) as error:
        return _why(path, error)


def _why(path: Path, error: Exception) -> str:
    return f"{path}: {getattr(error, 'strerror', None) or error}"


def _in_words(refusal: str) -> str:
    where = f" ({refusal})" if refusal else ""
    return f"Your progress cannot be saved{where}. Each notebook remembers it until its kernel stops."


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: FileIO) -> None:
        file.seek(1 << 30)  # beyond the records, which others may be reading
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(file: FileIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock(file: FileIO) -> None:
    """Lock a file until it is closed; go on without a lock where there is none, or where nobody gives it back."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            _try_lock(file)
        except (BlockingIOError, PermissionError):  # somebody else has it
            time.sleep(0.005)
        except OSError:
            return
        else:
            return

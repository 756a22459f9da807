"""A learner's own copy of the notebooks: what they changed is never touched, everything else follows the course.

    python -m lossacc_helpers.learner.working_copy notebooks my-course

An interruption at any moment loses nothing, and the next run completes what was begun.
"""

import argparse
import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from lossacc_helpers.learner import placing
from lossacc_helpers.learner.fingerprint import fingerprint

if sys.platform != "win32":
    import fcntl

FOLDER = "my-course"
MANIFEST = ".course.json"
_FORMAT = 1  # raise it when fingerprints change: a manifest of another format is not used


class WorkingCopyError(Exception):
    """No copy could be made or brought up to date; the message says why."""


def find(start: Path | None = None) -> Path | None:
    """Return the working copy that a folder, by default the current one, lies in or beside; None without one."""
    try:
        start = Path.cwd() if start is None else start.absolute()
    except FileNotFoundError:  # the current folder was deleted
        return None
    for folder in (start, *start.parents):
        for copy in (folder, folder / FOLDER):
            if os.path.isfile(copy / MANIFEST):
                return copy
    return None


def beside(copy: Path) -> dict[str, str]:
    """Return, for each notebook that has the course's newest version beside it, the name of that version's file."""
    mine = _Copy(copy)
    mine.read_manifest()
    try:
        return {name: new for name in sorted(mine.given) for new in mine.beside(name, versions=[mine.given[name]])}
    except OSError:
        return {}


def update(source: Path, copy: Path) -> list[str]:
    """Make or update the working copy of a folder of notebooks; return what is worth saying about it.

    A file that is missing is laid there, one that says what the course ever laid there follows the course, and any
    other is the learner's: the course's new version is laid beside it, once.

    Raises
    ------
    WorkingCopyError
        If there are no notebooks to copy, or the copy cannot be written. Nothing of the learner's was changed.
    """
    course = _read_course(source)
    is_new = not os.path.lexists(copy)
    try:
        copy.mkdir(parents=True, exist_ok=True)
        if copy.samefile(source):
            raise WorkingCopyError(f"{copy} holds the course itself; a copy needs a folder of its own.")
    except FileExistsError:
        raise WorkingCopyError(
            f"{copy} is a file, so your copy of the course cannot be made there. Rename it."
        ) from None
    except OSError as error:
        raise WorkingCopyError(f"{copy} cannot be made: {_why(error)}.") from error
    mine = _Copy(copy)
    try:
        with _alone(copy):
            mine.read_manifest()
            mine.heal()
            mine.expect(course)
            for name in sorted(mine.versions):
                mine.settle(name, course.get(name))
            mine.heal()  # what somebody saved while this ran
            mine.write_manifest()
    except OSError as error:
        raise WorkingCopyError(f"{copy} cannot be written: {_why(error)}. Nothing of yours was changed.") from error
    return [f"{copy} is your own copy of the course.", *mine.told(new=False)] if is_new else mine.told()


def _read_course(source: Path) -> dict[str, bytes]:
    """The files of the course by name."""
    try:
        course = {
            path.name: path.read_bytes()
            for path in sorted(source.iterdir())
            # A build that is under way has an .unfinished notebook there.
            if path.is_file() and not path.name.startswith(".") and path.suffix != ".unfinished"
        }
    except OSError as error:
        raise WorkingCopyError(f"The notebooks in {source} cannot be read: {_why(error)}.") from error
    if not any(_is_notebook(name) for name in course):
        raise WorkingCopyError(f"There are no notebooks in {source}. Is it the folder `notebooks` of the course?")
    return course


def _is_notebook(name: str) -> bool:
    return name.endswith(".ipynb")


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def _fingerprint_at(path: Path, name: str) -> str | None:
    """The fingerprint of a file of that name, wherever it lies; "" if it cannot be read, None if there is none."""
    if not os.path.lexists(path):
        return None
    with contextlib.suppress(OSError):
        if path.is_file() and not path.is_symlink():
            return fingerprint(path.read_bytes(), notebook=_is_notebook(name))
    return ""


def _same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return one.read_bytes() == other.read_bytes()
    return False


def _numbered(name: str, mark: str) -> Iterator[str]:
    """Names beside one: NAME.new.ipynb, NAME.new-2.ipynb and so on."""
    stem, suffix = os.path.splitext(name)
    yield f"{stem}.{mark}{suffix}"
    yield from (f"{stem}.{mark}-{number}{suffix}" for number in count(2))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other run is at work in the folder. Without locks, as on Windows, two may both lay a version."""
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network drives have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class _Copy:
    """A working copy, and what its manifest says of each name.

    Attributes
    ----------
    versions : fingerprints of all that the course ever laid there or beside, the newest last. They are written down
        before a file is laid, so that it is never taken for the learner's.
    given : the version that the learner has, there or beside, or has thrown away. It is written down after it was laid,
        so that it is laid again after an interruption.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions: dict[str, list[str]] = {}
        self.given: dict[str, str] = {}
        self._written = b""
        self._done: dict[str, list[str]] = {"New": [], "Brought up to date": [], "No longer part of the course": []}
        self._messages: list[str] = []

    def read_manifest(self) -> None:
        """Read what earlier runs wrote down; a manifest that makes no sense counts for nothing."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            content = (self.folder / MANIFEST).read_bytes()
            known = json.loads(content)
            files = known["files"]
            versions = {name: [str(version) for version in entry["versions"]] for name, entry in files.items()}
            given = {name: str(entry["given"]) for name, entry in files.items() if entry["given"]}
            if known["format"] == _FORMAT and all(Path(name).name == name for name in versions):
                self.versions, self.given, self._written = versions, given, content

    def write_manifest(self) -> None:
        """Write down what is known, if it is news."""
        about = "What the course laid into this folder. Without this file, all that you see counts as yours."
        files = {name: {"versions": seen, "given": self.given.get(name)} for name, seen in self.versions.items()}
        text = json.dumps({"about": about, "format": _FORMAT, "files": files}, indent=1, sort_keys=True) + "\n"
        if text.encode() != self._written:
            self._written = text.encode()
            placing.write(self.folder / MANIFEST, self._written)

    def expect(self, course: dict[str, bytes]) -> None:
        """Write down the versions that are about to be laid."""
        for name, content in course.items():
            version = fingerprint(content, notebook=_is_notebook(name))
            earlier = [other for other in self.versions.get(name, []) if other != version]
            self.versions[name] = [*earlier, version]
        self.write_manifest()

    def settle(self, name: str, content: bytes | None) -> None:
        """Do what is to be done about one name; no content means that it has left the course."""
        try:
            if content is None:
                self._let_go(name)
            else:
                self._bring(name, content)
        except OSError as error:
            self._messages.append(f"{name} cannot be brought up to date: {_why(error)}. Nothing of yours was changed.")

    def heal(self) -> None:
        """Complete or take back what an interrupted run began, and keep what was saved at the same moment."""
        for path, name, kind in placing.leftovers(self.folder):
            if kind == "part":
                path.unlink(missing_ok=True)
                continue
            with contextlib.suppress(FileExistsError):
                placing.publish(path, self.folder / name)
                continue
            if self._is_of_the_course(path, name) or _same(path, self.folder / name):
                path.unlink()
                continue
            self._messages.append(f"{name} was saved twice at once; one of the two is now {self._rescue(path, name)}.")

    def beside(self, name: str, *, versions: Sequence[str]) -> list[str]:
        """Return the names of the files beside one that are one of these versions."""
        stem, suffix = os.path.splitext(name)
        pattern = re.compile(rf"{re.escape(stem)}\.new(-\d+)?{re.escape(suffix)}")
        found = sorted(other for other in os.listdir(self.folder) if pattern.fullmatch(other))
        return [other for other in found if _fingerprint_at(self.folder / other, name) in versions]

    def told(self, *, new: bool = True) -> list[str]:
        """Return what is worth saying about this run; `new` is whether to name what was not there before."""
        done = {what: names for what, names in self._done.items() if names and (new or what != "New")}
        return [f"{what} in {self.folder}: {', '.join(names)}." for what, names in done.items()] + self._messages

    def _bring(self, name: str, content: bytes) -> None:
        """Make a file what the course says now or, where it is the learner's, lay that beside it."""
        path, version = self.folder / name, self.versions[name][-1]
        now = _fingerprint_at(path, name)
        if now is None:
            with contextlib.suppress(FileExistsError):  # saved at this moment, so it is the learner's
                placing.place(path, content)
                self._done["New"].append(name)
                now = version
        elif now != version and now in self.versions[name] and self._refresh(path, name, content):
            self._done["Brought up to date"].append(name)
            now = version
        if now == version:
            self._remove_beside(name)
        elif self.given.get(name) != version:
            self._lay_beside(name, content)
        self.given[name] = version

    def _let_go(self, name: str) -> None:
        """Remove what has left the course, unless it is the learner's, and forget its name."""
        path = self.folder / name
        self._remove_beside(name)
        if self._is_of_the_course(path, name) and self._remove(path, name):
            self._done["No longer part of the course"].append(name)
        elif os.path.lexists(path):
            self._messages.append(f"{name} is no longer part of the course. You changed yours, so it stays.")
        del self.versions[name]
        self.given.pop(name, None)

    def _lay_beside(self, name: str, content: bytes) -> None:
        laid = self.beside(name, versions=self.versions[name][-1:])  # by a run that was interrupted
        earlier = self.beside(name, versions=self.versions[name][:-1])
        laid = laid or [old for old in earlier[:1] if self._refresh(self.folder / old, name, content)]
        for free in _numbered(name, "new"):
            if laid:
                break
            with contextlib.suppress(FileExistsError):
                placing.place(self.folder / free, content)
                laid = [free]
        self._messages.append(
            f"{name} has a new version. You changed yours, so it stays as it is; the new one lies beside it: {laid[0]}."
        )

    def _remove_beside(self, name: str) -> None:
        for old in self.beside(name, versions=self.versions[name]):
            self._remove(self.folder / old, name)

    def _remove(self, path: Path, name: str) -> bool:
        """Remove what the course laid; false if it was saved meanwhile."""
        aside = placing.set_aside(path, only_if=lambda old: self._is_of_the_course(old, name))
        if aside is None:
            return False
        aside.unlink()
        return True

    def _refresh(self, path: Path, name: str, content: bytes) -> bool:
        """Put a newer version in the place of what the course laid; false if it was saved meanwhile."""
        part = placing.write_part(path, content)  # first of all, because the disk may be full
        try:
            if not self._remove(path, name):
                return False
            placing.publish(part, path)
        except FileExistsError:
            return False
        finally:
            part.unlink(missing_ok=True)
        return True

    def _rescue(self, aside: Path, name: str) -> str:
        for free in _numbered(name, "rescued"):
            with contextlib.suppress(FileExistsError):
                placing.publish(aside, self.folder / free)
                return free
            if _same(aside, self.folder / free):  # by a run that was interrupted
                aside.unlink()
                return free
        raise AssertionError("there is no last number")

    def _is_of_the_course(self, path: Path, name: str) -> bool:
        return _fingerprint_at(path, name) in self.versions.get(name, [])


def main(arguments: Sequence[str] | None = None) -> int:
    """Make or update the copy that the command line names; 2 if that is not possible, with the reason."""
    parser = argparse.ArgumentParser(prog="python -m lossacc_helpers.learner.working_copy")
    parser.add_argument("source", type=Path, help="the folder of the course's notebooks")
    parser.add_argument("copy", type=Path, help=f"the learner's own copy of it, usually {FOLDER}")
    options = parser.parse_args(arguments)
    try:
        for message in update(options.source, options.copy):
            print(message)
    except WorkingCopyError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Files that appear whole or not at all and never over another file, and what an interruption left of them."""

import contextlib
import os
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

# A part is a file on its way in; a file that was put aside is one on its way out.
_HIDDEN = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{32}\.(?P<kind>part|aside)")


class Leftover(NamedTuple):
    """A hidden file that an interrupted run left: its path, the name it had or was to have, and what it is."""

    path: Path
    name: str
    kind: str


def leftovers(folder: Path) -> Iterator[Leftover]:
    """Yield what interrupted runs left in a folder."""
    for path in sorted(folder.iterdir()):
        if found := _HIDDEN.fullmatch(path.name):
            yield Leftover(path, found["name"], found["kind"])


def place(path: Path, content: bytes) -> None:
    """Write a new file; `FileExistsError` if there is one."""
    part = write_part(path, content)
    try:
        publish(part, path)
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, content: bytes) -> None:
    """Write a file of our own, whatever was there."""
    part = write_part(path, content)
    try:
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_part(path: Path, content: bytes) -> Path:
    """Write what is to become a file under a hidden name beside it, and return that; it has reached the disk."""
    part = _hidden(path, "part")
    try:
        with open(part, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def publish(hidden: Path, path: Path) -> None:
    """Give a hidden file its name; `FileExistsError`, and nothing done, if there is another."""
    if os.name == "posix":
        try:
            os.link(hidden, path)
        except OSError:
            # Some file systems have no links. There a file that appears between these two lines would be lost.
            if os.path.lexists(path):
                raise FileExistsError(f"{path.name} exists") from None
        else:
            os.unlink(hidden)
            return
    os.rename(hidden, path)  # Windows refuses to do this over another file


def set_aside(path: Path, *, only_if: Callable[[Path], bool]) -> Path | None:
    """Move a file out of the way under a hidden name, if it is what it should be, and return where it is.

    It is looked at where nobody saves to any more. If it is something else, because it was saved meanwhile, it goes
    back and None is returned; if yet another file stands in its place by then, the next `leftovers` tell of it.
    """
    aside = _hidden(path, "aside")
    os.rename(path, aside)
    if only_if(aside):
        return aside
    with contextlib.suppress(FileExistsError):
        publish(aside, path)
    return None


def _hidden(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.{kind}")

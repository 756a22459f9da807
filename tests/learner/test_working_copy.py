"""A learner's copy: what they changed is never touched, everything else follows the course, whatever interrupts it."""

import contextlib
import copy as copying
import errno
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossacc_helpers.learner import placing, working_copy
from lossacc_helpers.learner.fingerprint import fingerprint
from lossacc_helpers.learner.working_copy import MANIFEST, WorkingCopyError, beside, find, update
from tools.lessons import NOTEBOOKS, ROOT

posix_only = pytest.mark.skipif(os.name != "posix", reason="processes are forked and killed")

PUBLISH = "link" if os.name == "posix" else "rename"  # what gives a finished file its name


@pytest.fixture(autouse=True, scope="module")
def _in_memory() -> Iterator[None]:
    """Nothing here pulls the plug, so nothing has to reach the disk."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield


def notebook(text: str) -> bytes:
    """A notebook that says a text."""
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": [text]}]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def lay(folder: Path, **files: bytes | str | None) -> Path:
    """Write files into a folder; text becomes a notebook of that name, None removes it."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / (name if "." in name else f"{name}.ipynb")
        if content is None:
            path.unlink()
        else:
            path.write_bytes(notebook(content) if isinstance(content, str) else content)
    return folder


def seen(folder: Path) -> dict[str, str]:
    """What a learner sees in a folder: names, and what the notebooks say."""
    return {
        path.name.removesuffix(".ipynb"): json.loads(path.read_bytes())["cells"][0]["source"][0]
        for path in sorted(folder.glob("[!.]*.ipynb"))
    }


def at(
    monkeypatch: pytest.MonkeyPatch, name: str, action: Callable[[], object], *, when: str, always: bool = False
) -> None:
    """Do something before or after the first call of a function of `os`, or each."""
    original, calls = getattr(os, name), []

    def wrapped(*args: Any, **options: Any) -> Any:
        calls.append(args)
        now = always or len(calls) == 1
        if now and when == "before":
            action()
        result = original(*args, **options)
        if now and when == "after":
            action()
        return result

    monkeypatch.setattr(os, name, wrapped)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A course of two notebooks."""
    return lay(tmp_path / "notebooks", one="1", two="2")


@pytest.fixture
def mine(tmp_path: Path, source: Path) -> Path:
    """A learner's copy of that course, as the first run makes it."""
    update(source, tmp_path / "my-course")
    return tmp_path / "my-course"


def test_the_first_run_copies_the_course_byte_for_byte(tmp_path: Path) -> None:
    made = tmp_path / "my-course"
    assert update(NOTEBOOKS, made) == [f"{made} is your own copy of the course."]
    wanted = {path.name: path.read_bytes() for path in NOTEBOOKS.iterdir() if path.is_file() and path.name[0] != "."}
    assert wanted
    assert {path.name: path.read_bytes() for path in made.iterdir() if path.name != MANIFEST} == wanted
    before = (made / MANIFEST).stat().st_mtime_ns
    assert update(NOTEBOOKS, made) == []
    assert (made / MANIFEST).stat().st_mtime_ns == before, "a run without news writes nothing"


def test_an_unchanged_notebook_follows_the_course(source: Path, mine: Path) -> None:
    for version in ("1b", "1c"):
        lay(source, one=version)
        assert update(source, mine) == [f"Brought up to date in {mine}: one.ipynb."]
        assert seen(mine) == {"one": version, "two": "2"}


def test_a_notebook_that_stayed_behind_is_refreshed_whichever_version_it_is(source: Path, mine: Path) -> None:
    lay(source, one="1b")
    update(source, mine)
    lay(mine, one="1")  # from a backup
    update(source, mine)
    assert seen(mine) == {"one": "1b", "two": "2"}


def test_a_new_lesson_arrives(source: Path, mine: Path) -> None:
    lay(source, three="3")
    assert update(source, mine) == [f"New in {mine}: three.ipynb."]
    assert seen(mine) == {"one": "1", "two": "2", "three": "3"}


def test_a_changed_notebook_stays_and_the_new_version_is_laid_beside_it_once(source: Path, mine: Path) -> None:
    lay(mine, one="my work")
    assert update(source, mine) == [], "the learner has the newest version already"
    lay(source, one="1b")
    told = update(source, mine)
    assert len(told) == 1
    assert "one.ipynb" in told[0]
    assert "one.new.ipynb" in told[0]
    assert seen(mine) == {"one": "my work", "one.new": "1b", "two": "2"}
    assert update(source, mine) == []
    lay(mine, **{"one.new.ipynb": None})
    assert update(source, mine) == [], "thrown away is not laid again"
    assert seen(mine) == {"one": "my work", "two": "2"}
    lay(source, one="1c")
    update(source, mine)
    assert seen(mine) == {"one": "my work", "one.new": "1c", "two": "2"}


def test_a_newer_version_replaces_the_one_beside_unless_that_was_changed(source: Path, mine: Path) -> None:
    lay(mine, one="my work")
    for version in ("1b", "1c"):
        lay(source, one=version)
        update(source, mine)
        assert seen(mine) == {"one": "my work", "one.new": version, "two": "2"}
    lay(mine, **{"one.new.ipynb": notebook("my other work")})
    for version in ("1d", "1e"):
        lay(source, one=version)
        update(source, mine)
        assert seen(mine) == {"one": "my work", "one.new": "my other work", "one.new-2": version, "two": "2"}


@pytest.mark.parametrize("take", ["delete", "rename"])
def test_a_notebook_that_is_gone_comes_back_fresh(source: Path, mine: Path, take: str) -> None:
    lay(mine, one="my work")
    lay(source, one="1b")
    update(source, mine)
    if take == "delete":
        (mine / "one.ipynb").unlink()
    else:
        (mine / "one.ipynb").rename(mine / "kept.ipynb")
    assert update(source, mine) == [f"New in {mine}: one.ipynb."]
    kept = {"kept": "my work"} if take == "rename" else {}
    assert seen(mine) == {"one": "1b", "two": "2", **kept}, "and the copy beside it has become needless"


def test_taking_the_version_beside_over_ends_the_difference(source: Path, mine: Path) -> None:
    lay(mine, one="my work")
    lay(source, one="1b")
    update(source, mine)
    (mine / "one.new.ipynb").replace(mine / "one.ipynb")
    lay(source, one="1c")
    update(source, mine)
    assert seen(mine) == {"one": "1c", "two": "2"}


def test_the_copy_beside_goes_when_the_learner_has_the_newest_version_again(source: Path, mine: Path) -> None:
    lay(mine, one="my work")
    lay(source, one="1b")
    update(source, mine)
    lay(mine, one="1b")
    update(source, mine)
    assert seen(mine) == {"one": "1b", "two": "2"}


def test_a_notebook_that_left_the_course_goes_unless_it_was_changed(source: Path, mine: Path) -> None:
    lay(source, three="3")
    update(source, mine)
    lay(mine, one="my work")
    lay(source, one=None, three=None)
    told = update(source, mine)
    assert told[0] == f"No longer part of the course in {mine}: three.ipynb."
    assert "one.ipynb is no longer part of the course" in told[1]
    assert seen(mine) == {"one": "my work", "two": "2"}
    assert update(source, mine) == [], "said once"


def test_the_version_beside_leaves_with_its_notebook(source: Path, mine: Path) -> None:
    lay(mine, one="my work")
    lay(source, one="1b")
    update(source, mine)
    lay(source, one=None)
    update(source, mine)
    assert seen(mine) == {"one": "my work", "two": "2"}


def test_other_files_count_byte_for_byte(source: Path, mine: Path) -> None:
    lay(source, **{"data.csv": b"1\n", "more.csv": b"1\n"})
    update(source, mine)
    lay(mine, **{"data.csv": b"1 \n"})
    lay(source, **{"data.csv": b"2\n", "more.csv": b"2\n"})
    update(source, mine)
    assert (mine / "data.csv").read_bytes() == b"1 \n"
    assert (mine / "data.new.csv").read_bytes() == b"2\n"
    assert (mine / "more.csv").read_bytes() == b"2\n"


def test_what_is_not_the_course_is_not_copied(source: Path, tmp_path: Path) -> None:
    (source / ".ipynb_checkpoints").mkdir()
    lay(source, **{".hidden": b"", "one.unfinished": b"{"})
    update(source, tmp_path / "my-course")
    assert sorted(os.listdir(tmp_path / "my-course")) == [MANIFEST, "one.ipynb", "two.ipynb"]


def test_a_file_reaches_the_disk_before_it_gets_its_name(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    for name in ("fsync", "replace", PUBLISH):
        at(monkeypatch, name, lambda name=name: order.append(name), when="before", always=True)
    update(source, tmp_path / "my-course")
    assert order == ["fsync", "replace", *["fsync", PUBLISH] * 2, "fsync", "replace"]


# What counts as a change


def stream(*lines: str) -> dict[str, Any]:
    return {"name": "stdout", "output_type": "stream", "text": list(lines)}


def rich() -> dict[str, Any]:
    """A notebook with everything a saved notebook may hold."""
    return {
        "cells": [
            {
                "attachments": {"a.png": {"image/png": "iVBO\n"}},
                "cell_type": "markdown",
                "id": "one",
                "metadata": {},
                "source": ["# A title\n", "text"],
            },
            {
                "cell_type": "code",
                "execution_count": 1,
                "id": "two",
                "metadata": {"tags": ["solution"], "jupyter": {"source_hidden": True}},
                "outputs": [
                    stream("a\n", "b\n"),
                    {
                        "data": {"image/png": "iVBOabc", "text/plain": ["a picture"], "application/json": {"a": [1]}},
                        "execution_count": 1,
                        "metadata": {},
                        "output_type": "execute_result",
                    },
                    {"ename": "E", "evalue": "v", "output_type": "error", "traceback": ["a", "b"]},
                ],
                "source": "1 + 1",
            },
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def code(book: dict[str, Any]) -> dict[str, Any]:
    cell: dict[str, Any] = book["cells"][1]
    return cell


RESAVED: dict[str, Callable[[dict[str, Any]], object]] = {
    "a kernel": lambda b: b["metadata"].update(kernelspec={"name": "python3"}, language_info={"version": "3.11"}),
    "the state of widgets": lambda b: b["metadata"].update(widgets={"state": {}}),
    "a format": lambda b: b.update(nbformat_minor=4),
    "ids": lambda b: [cell.update(id="x") for cell in b["cells"]],
    "a run": lambda b: (code(b).update(execution_count=7), code(b)["outputs"][1].update(execution_count=7)),
    "timing": lambda b: code(b)["metadata"].update(execution={"iopub.execute_input": "2026"}),
    "folding": lambda b: code(b)["metadata"].update(collapsed=True, scrolled=False),
    "opened solution": lambda b: code(b)["metadata"].update(jupyter={"source_hidden": False, "outputs_hidden": True}),
    "opened and noted no more": lambda b: code(b)["metadata"].pop("jupyter"),
    "a folded heading": lambda b: b["cells"][0]["metadata"].update({"jp-MarkdownHeadingCollapsed": True}),
    "lines": lambda b: (b["cells"][0].update(source="# A title\ntext"), code(b).update(source=["1 ", "+ 1"])),
    "base64 in lines": lambda b: code(b)["outputs"][1]["data"].update({"image/png": "iVBO\nabc\n"}),
    "a stream in two": lambda b: code(b)["outputs"].__setitem__(slice(1), [stream("a\n"), stream("b\n")]),
    "output metadata": lambda b: code(b)["outputs"][1]["metadata"].update({"image/png": {"width": 3}}),
    "a live widget": lambda b: code(b)["outputs"][1]["data"].update(
        {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}
    ),
    "no attachments": lambda b: code(b).update(attachments={}),
}

CHANGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "code": lambda b: code(b).update(source="1 + 2"),
    "one space": lambda b: code(b).update(source="1 + 1 "),
    "text": lambda b: b["cells"][0]["source"].append("\n"),
    "a cell": lambda b: b["cells"].append({"cell_type": "raw", "id": "c", "metadata": {}, "source": ""}),
    "no cell": lambda b: b["cells"].pop(),
    "the order": lambda b: b["cells"].reverse(),
    "a cell's type": lambda b: b["cells"][0].update(cell_type="raw"),
    "an attachment": lambda b: b["cells"][0]["attachments"]["a.png"].update({"image/png": "iVBP"}),
    "no attachment": lambda b: b["cells"][0].pop("attachments"),
    "tags": lambda b: code(b)["metadata"].update(tags=[]),
    "other metadata": lambda b: code(b)["metadata"].update(mine="a note"),
    "printed text": lambda b: code(b)["outputs"][0].update(text="a\nc\n"),
    "a stream": lambda b: code(b)["outputs"][0].update(name="stderr"),
    "a picture": lambda b: code(b)["outputs"][1]["data"].update({"image/png": "iVBOabd"}),
    "a result": lambda b: code(b)["outputs"][1]["data"].update({"text/plain": "another"}),
    "an error": lambda b: code(b)["outputs"][2].update(evalue="w"),
    "no outputs": lambda b: code(b)["outputs"].clear(),
}


def altered(change: Callable[[dict[str, Any]], object]) -> bytes:
    book = copying.deepcopy(rich())
    change(book)
    assert book != rich()
    return json.dumps(book, indent=1).encode()


@pytest.mark.parametrize("change", RESAVED.values(), ids=RESAVED)
def test_a_notebook_that_was_opened_and_saved_is_unchanged(change: Callable[[dict[str, Any]], object]) -> None:
    assert fingerprint(altered(change), notebook=True) == fingerprint(json.dumps(rich()).encode(), notebook=True)


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_whatever_a_learner_writes_is_a_change(change: Callable[[dict[str, Any]], object]) -> None:
    assert fingerprint(altered(change), notebook=True) != fingerprint(json.dumps(rich()).encode(), notebook=True)


def test_what_a_cell_tells_about_the_learner_is_no_change_and_what_they_write_in_it_is() -> None:
    book = rich()
    code(book)["metadata"]["tags"] = ["own-output"]
    before = fingerprint(json.dumps(book).encode(), notebook=True)
    code(book)["outputs"][0].update(text="another machine")
    assert fingerprint(json.dumps(book).encode(), notebook=True) == before
    code(book)["outputs"].clear()
    assert fingerprint(json.dumps(book).encode(), notebook=True) == before
    code(book).update(source="1 + 2")
    assert fingerprint(json.dumps(book).encode(), notebook=True) != before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b'{"nbformat": 3, "worksheets": []}',
        b'{"nbformat": 4, "cells": [1]}',
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "", "outputs": [3]}]}',
        b"[" * 100_000,
        notebook("1")[:-1],
        notebook("1").replace(b'"nbformat": 4', b'"nbformat": 5'),
    ],
)
def test_a_notebook_that_cannot_be_read_is_the_learners(source: Path, mine: Path, content: bytes) -> None:
    lay(mine, one=content)
    lay(source, one="1b")
    update(source, mine)
    assert (mine / "one.ipynb").read_bytes() == content
    assert (mine / "one.new.ipynb").read_bytes() == notebook("1b")


@posix_only
@pytest.mark.parametrize("kind", ["folder", "link", "dangling link", "pipe"])
def test_what_is_not_a_file_is_the_learners(source: Path, mine: Path, tmp_path: Path, kind: str) -> None:
    path = mine / "one.ipynb"
    path.unlink()
    lay(tmp_path, elsewhere="1")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / ("elsewhere.ipynb" if kind == "link" else "nowhere"))
    before = os.lstat(path)
    lay(source, one="1b")
    update(source, mine)
    assert os.path.samestat(before, os.lstat(path))
    assert (mine / "one.new.ipynb").read_bytes() == notebook("1b")
    assert (tmp_path / "elsewhere.ipynb").read_bytes() == notebook("1")


# The manifest


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        b"",
        b"\x00\x00",
        b"[1, 2]",
        b'{"format": 1}',
        b'{"format": 1, "files": {"one.ipynb": {"versions": 3, "given": null}}}',
        b'{"format": 99, "files": {}}',
        b'{"format": 1, "files": {"../one.ipynb": {"versions": ["x"], "given": "x"}}}',
        b"[" * 100_000,
    ],
)
def test_without_a_manifest_the_newest_versions_are_known_and_the_rest_is_the_learners(
    source: Path, mine: Path, manifest: bytes | None
) -> None:
    lay(mine, two="my work", **{MANIFEST: manifest})
    update(source, mine)
    assert seen(mine) == {"one": "1", "two": "my work", "two.new": "2"}
    lay(source, one="1b", two="2b")
    update(source, mine)
    assert seen(mine) == {"one": "1b", "two": "my work", "two.new": "2b"}


def test_a_manifest_of_another_format_counts_for_nothing(source: Path, mine: Path) -> None:
    known = json.loads((mine / MANIFEST).read_bytes())
    lay(mine, **{MANIFEST: json.dumps(known | {"format": 99}).encode()})
    lay(source, one="1b")
    update(source, mine)
    assert seen(mine) == {"one": "1", "one.new": "1b", "two": "2"}


def test_a_manifest_from_elsewhere_removes_nothing_outside(source: Path, mine: Path, tmp_path: Path) -> None:
    lay(tmp_path, outside="1")
    known = json.loads((mine / MANIFEST).read_bytes())
    known["files"]["../outside.ipynb"] = known["files"]["one.ipynb"]
    lay(mine, **{MANIFEST: json.dumps(known).encode()})
    update(source, mine)
    assert (tmp_path / "outside.ipynb").exists()


# Who else is at work


def test_what_is_saved_before_a_notebook_is_moved_away_is_kept(
    source: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(source, one="1b")
    at(monkeypatch, "rename", lambda: lay(mine, one="my work"), when="before")
    update(source, mine)
    assert seen(mine) == {"one": "my work", "one.new": "1b", "two": "2"}


def test_what_is_saved_after_a_notebook_was_moved_away_is_kept(
    source: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(source, one="1b")
    at(monkeypatch, "rename", lambda: lay(mine, one="my work"), when="after")
    update(source, mine)
    assert seen(mine) == {"one": "my work", "one.new": "1b", "two": "2"}


@posix_only
def test_what_is_being_written_while_the_notebook_is_moved_away_is_kept(
    source: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Jupyter saves in place: it empties the file and writes.
    lay(source, one="1b")
    opened = []
    at(monkeypatch, "rename", lambda: opened.append((mine / "one.ipynb").open("wb")), when="before")
    update(source, mine)
    opened[0].write(notebook("my work"))
    opened[0].close()
    assert seen(mine) == {"one": "my work", "one.new": "1b", "two": "2"}


def test_two_saves_while_a_notebook_is_moved_away_are_both_kept(
    source: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(source, one="1b")
    at(monkeypatch, "rename", lambda: lay(mine, one="my work"), when="before")
    at(monkeypatch, "rename", lambda: lay(mine, one="my later work"), when="after")
    told = update(source, mine)
    assert seen(mine) == {"one": "my later work", "one.new": "1b", "one.rescued": "my work", "two": "2"}
    assert any("one.rescued.ipynb" in message for message in told)
    assert not list(placing.leftovers(mine))


def test_a_notebook_that_appears_while_a_fresh_one_is_laid_is_kept(
    source: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(mine, one=None)
    lay(source, one="1b")
    at(monkeypatch, PUBLISH, lambda: lay(mine, one="my work"), when="before")
    update(source, mine)
    assert seen(mine) == {"one": "my work", "one.new": "1b", "two": "2"}


def test_a_notebook_that_is_deleted_meanwhile_is_told_and_comes_back(
    source: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(source, one="1b", two="2b")
    at(monkeypatch, "rename", lambda: lay(mine, one=None), when="before")
    told = update(source, mine)
    assert any(message.startswith("one.ipynb cannot be brought up to date") for message in told)
    update(source, mine)
    assert seen(mine) == {"one": "1b", "two": "2b"}


def test_a_disk_without_links_makes_no_difference(
    source: Path, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    other = tmp_path / "other"
    shutil.copytree(mine, other)
    lay(other, one="my work")
    lay(source, one="1b", two="2b")
    monkeypatch.setattr(os, "link", no_links, raising=False)
    update(source, mine)
    assert seen(mine) == {"one": "1b", "two": "2b"}
    update(source, other)
    assert seen(other) == {"one": "my work", "one.new": "1b", "two": "2b"}
    with pytest.raises(FileExistsError):
        placing.place(other / "one.ipynb", b"")
    assert not list(placing.leftovers(other))


@pytest.mark.parametrize("broken", ["fsync", "replace", "rename", PUBLISH])
def test_a_disk_that_is_full_or_read_only_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    source, mine = tmp_path / "notebooks", tmp_path / "my-course"
    learners = work(source, mine)
    wanted = everything(updated(source, mine, tmp_path / "wanted"))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, broken, full)
        try:
            told = update(source, mine)
        except WorkingCopyError as error:
            told = [str(error)]
    if broken in ("fsync", "replace"):
        assert told == [f"{mine} cannot be written: No space left on device. Nothing of yours was changed."]
    assert learners.items() <= everything(mine).items()
    update(source, mine)
    assert everything(mine) == wanted


def work(source: Path, mine: Path) -> dict[str, bytes]:
    """Make a course and a copy in which a run has all there is to do; returns what is the learner's."""
    names = ["created", "refreshed", "changed", "replaced", "other", "equal", "gone", "gone-changed"]
    lay(source, **dict.fromkeys(names, "old"), **{"data.csv": b"old"})
    update(source, mine)
    lay(mine, replaced="mine 1", other="mine 2", equal="mine 3")
    lay(source, replaced="middle", other="middle", equal="middle")
    update(source, mine)
    learners = {
        "changed.ipynb": notebook("mine 4"),
        "replaced.ipynb": notebook("mine 1"),
        "other.ipynb": notebook("mine 2"),
        "other.new.ipynb": notebook("mine 5"),
        "gone-changed.ipynb": notebook("mine 6"),
        "own.ipynb": notebook("mine 7"),
        "notes.txt": b"mine 8",
    }
    lay(mine, created=None, equal="newest", **learners)
    lay(source, gone=None, **{"gone-changed.ipynb": None, "data.csv": b"newest"}, new="newest")
    lay(source, **{name: "newest" for name in names if not name.startswith("gone")})
    return learners


def everything(folder: Path) -> dict[str, bytes]:
    """All files of a folder, the hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def updated(source: Path, mine: Path, where: Path) -> Path:
    """A copy of the learner's copy, updated."""
    shutil.copytree(mine, where)
    update(source, where)
    return where


def killed(source: Path, mine: Path, step: int, *, meanwhile: Callable[[], object] = lambda: None) -> bool:
    """Update in a process that is killed before its n-th dealing with the disk; false if it ended before that.

    Where that is the moment at which a file has been written, half of it is. What a learner does `meanwhile` is done
    in the same process, when it begins.
    """
    dealings = {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.listdir", "os.scandir"}
    done = 0

    def deal(event: str, _: tuple[Any, ...] = ()) -> None:
        nonlocal done
        if event in dealings:
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)

    def half_written(descriptor: int) -> None:
        if done + 1 == step:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        deal("open")

    def run() -> None:
        os.fsync = half_written
        meanwhile()
        sys.addaudithook(deal)
        update(source, mine)
        nonlocal done
        done = step  # what Python does at its end is not counted

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(120)
    assert process.exitcode in (0, -signal.SIGKILL), "None if it never came to an end"
    return process.exitcode != 0


@posix_only
@pytest.mark.parametrize("twice", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("stride", [pytest.param(1, marks=pytest.mark.slow), 5])
def test_a_run_that_is_killed_anywhere_loses_nothing_and_the_next_completes_it(
    tmp_path: Path, stride: int, twice: bool
) -> None:
    source, before = tmp_path / "notebooks", tmp_path / "before"
    learners = work(source, before)
    wanted = everything(updated(source, before, tmp_path / "wanted"))
    assert {name for name in wanted if ".new" in name} == {
        "changed.new.ipynb",
        "replaced.new.ipynb",
        "other.new.ipynb",
        "other.new-2.ipynb",
    }
    step = 1
    while True:
        mine = tmp_path / f"step-{step}"
        shutil.copytree(before, mine)
        if not killed(source, mine, step):
            break
        if twice:
            killed(source, mine, 1 + step * 7 % 40)
        kept = set(everything(mine).values())
        assert all(content in kept for content in learners.values()), f"killed at step {step}"
        update(source, mine)
        assert everything(mine) == wanted, f"killed at step {step}"
        shutil.rmtree(mine)
        step += stride
    assert step > 100, "every dealing with the disk was a moment to be killed at"


@posix_only
def test_a_first_run_that_is_killed_anywhere_is_completed(source: Path, tmp_path: Path) -> None:
    step = 1
    while killed(source, tmp_path / f"step-{step}", step):
        mine = tmp_path / f"step-{step}"
        update(source, mine)
        assert seen(mine) == {"one": "1", "two": "2"}
        assert not list(placing.leftovers(mine))
        step += 1
    assert step > 10


@posix_only
@pytest.mark.parametrize("saves_again", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_run_that_is_killed_while_a_learner_saves_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saves_again: bool
) -> None:
    step, more = 1, True
    while more:
        source = lay(tmp_path / f"notebooks-{step}", one="1")
        mine = tmp_path / f"step-{step}"
        update(source, mine)
        lay(source, one="1b")
        saves = lay(tmp_path / f"saves-{step}", first="my work", second="my later work")

        def save(name: str, replace: Any = os.replace, saves: Path = saves, mine: Path = mine) -> None:
            replace(saves / f"{name}.ipynb", mine / "one.ipynb")

        def meanwhile(save: Callable[[str], None] = save) -> None:
            at(monkeypatch, "rename", lambda: save("first"), when="before")
            if saves_again:
                at(monkeypatch, "rename", lambda: save("second"), when="after")

        more = killed(source, mine, step, meanwhile=meanwhile)
        told = update(source, mine)
        unsaved = seen(saves)
        if not unsaved:
            assert seen(mine) == {"one": "my later work", "one.rescued": "my work", "one.new": "1b"}, step
        elif list(unsaved) == ["second"]:
            assert seen(mine) == {"one": "my work", "one.new": "1b"}, step
        else:
            assert seen(mine) == {"one": "1b"}, step
        assert not list(placing.leftovers(mine)), told
        step += 1
    assert step > 30


@posix_only
def test_a_run_waits_for_another(source: Path, mine: Path) -> None:
    lay(source, one="1b")
    run = threading.Thread(target=update, args=(source, mine))
    with working_copy._alone(mine):
        run.start()
        run.join(0.3)
        assert seen(mine) == {"one": "1", "two": "2"}
    run.join()
    assert seen(mine) == {"one": "1b", "two": "2"}


@posix_only
def test_runs_at_the_same_time_end_as_one(tmp_path: Path) -> None:
    source, mine = tmp_path / "notebooks", tmp_path / "my-course"
    work(source, mine)
    wanted = everything(updated(source, mine, tmp_path / "wanted"))
    runs = [multiprocessing.get_context("fork").Process(target=update, args=(source, mine)) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
    assert [run.exitcode for run in runs] == [0] * len(runs)
    assert everything(mine) == wanted


def try_to_update(source: Path, mine: Path) -> None:
    with contextlib.suppress(WorkingCopyError):
        update(source, mine)


@posix_only
def test_runs_at_the_same_time_lose_nothing_where_files_cannot_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(working_copy.fcntl, "flock", no_locks)
    for attempt in range(10):
        source, mine = tmp_path / f"notebooks-{attempt}", tmp_path / f"my-course-{attempt}"
        learners = work(source, mine)
        runs = [
            multiprocessing.get_context("fork").Process(target=try_to_update, args=(source, mine)) for _ in range(3)
        ]
        for run in runs:
            run.start()
        for run in runs:
            run.join(120)
        try_to_update(source, mine)
        assert set(learners.values()) <= set(everything(mine).values())


names = st.sampled_from(["one", "two", "three"])


@settings(max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["work", "work beside", "take over"]), names),
            st.tuples(st.sampled_from(["delete", "publish", "withdraw"]), names),
            st.tuples(st.just("run"), st.none()),
            st.tuples(st.just("lose the manifest"), st.none()),
        ),
        max_size=25,
    )
)
def test_no_history_of_versions_and_work_loses_a_byte(history: list[tuple[str, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = lay(Path(folder, "notebooks"), always="0")
        mine = Path(folder, "my-course")
        update(source, mine)
        learners: dict[Path, bytes] = {}
        for number, (event, name) in enumerate(history):
            path, new = mine / f"{name}.ipynb", mine / f"{name}.new.ipynb"
            if event == "run":
                update(source, mine)
                assert update(source, mine) == [], "a second run has nothing to do"
            elif event == "lose the manifest":
                (mine / MANIFEST).unlink(missing_ok=True)
            elif event == "publish":
                lay(source, **{str(name): f"version {number % 3}"})
            elif event == "withdraw":
                (source / f"{name}.ipynb").unlink(missing_ok=True)
            elif event == "delete":
                path.unlink(missing_ok=True)
                learners.pop(path, None)
            elif event == "take over":
                if new.exists():
                    new.replace(path)
                    learners.pop(path, None)
                    if new in learners:
                        learners[path] = learners.pop(new)
            else:
                target = path if event == "work" else new
                learners[target] = notebook(f"work {number}")
                target.write_bytes(learners[target])
            assert all(path.read_bytes() == content for path, content in learners.items())
        update(source, mine)
        assert all(path.read_bytes() == content for path, content in learners.items())
        for path in source.iterdir():
            newest = fingerprint(path.read_bytes(), notebook=True)
            here = [fingerprint(other.read_bytes(), notebook=True) for other in mine.glob(f"{path.stem}*.ipynb")]
            assert newest in here or mine / path.name in learners


# Where it is, and what is said where it cannot be


def test_the_working_copy_is_found_from_within_and_from_beside(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = mine / "deep" / "deeper"
    inside.mkdir(parents=True)
    (mine.parent / "notebooks" / "deep").mkdir()
    for start in (mine, inside, mine.parent, mine.parent / "notebooks" / "deep", inside / "does not exist"):
        assert find(start) == mine
    monkeypatch.chdir(inside)
    assert find() == mine
    (mine / MANIFEST).unlink(missing_ok=True)
    assert find(mine) is None


@posix_only
def test_no_working_copy_is_found_from_a_folder_that_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert find() is None


def test_what_lies_beside_is_told(source: Path, mine: Path) -> None:
    assert beside(mine) == {}
    lay(mine, one="my work", two="my work")
    lay(source, one="1b", two="2b")
    update(source, mine)
    assert beside(mine) == {"one.ipynb": "one.new.ipynb", "two.ipynb": "two.new.ipynb"}
    lay(mine, **{"one.new.ipynb": None, "two.new.ipynb": notebook("mine now")})
    assert beside(mine) == {}
    assert beside(mine / "nowhere") == {}


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command that `make lab` runs."""
    command = [sys.executable, "-m", "lossacc_helpers.learner.working_copy", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_prints_what_was_done(source: Path, mine: Path) -> None:
    lay(source, one="1b")
    done = run(source, mine)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Brought up to date in {mine}: one.ipynb.\n", "")


def test_the_command_says_why_nothing_can_be_done(source: Path, tmp_path: Path) -> None:
    lay(tmp_path, **{"a.file": b"precious"})
    (tmp_path / "empty").mkdir()
    for arguments, reason in [
        ((source, tmp_path / "a.file"), "is a file"),
        ((source, tmp_path / "a.file" / "below"), "cannot be made: Not a directory"),
        ((tmp_path / "nowhere", tmp_path / "my-course"), "cannot be read: No such file"),
        ((tmp_path / "empty", tmp_path / "my-course"), "There are no notebooks in"),
        ((source, source), "holds the course itself"),
    ]:
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert reason in done.stderr
        assert "Traceback" not in done.stderr
    assert (tmp_path / "a.file").read_bytes() == b"precious"
    assert not (tmp_path / "my-course").exists()
    assert sorted(os.listdir(source)) == ["one.ipynb", "two.ipynb"]


@posix_only
@pytest.mark.parametrize(
    ("lessons", "blocked", "opened"),
    [
        (["00_start_here", "01_first"], False, "my-course/00_start_here.ipynb"),
        (["01_first", "02_second"], False, "my-course/01_first.ipynb"),
        (["00_start_here", "01_first"], True, "notebooks/00_start_here.ipynb"),
    ],
)
def test_make_lab_opens_the_first_notebook_of_the_copy_or_the_course_itself(
    tmp_path: Path, lessons: list[str], blocked: bool, opened: str
) -> None:
    """JupyterLab is played by a script that prints what it was asked to do."""
    root = lay(tmp_path / "a course")
    lay(root / "notebooks", **dict.fromkeys(lessons, "text"))
    if blocked:
        (root / "my-course").write_text("a file")
    (root / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "lab.sh", root / "tools")
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\ncase "$2" in jupyterlab) printf "%s\\n" "$@" ;; *) exec "{sys.executable}" "$@" ;; esac'
    )
    python.chmod(0o755)
    done = subprocess.run(
        ["sh", "tools/lab.sh", "--port=1"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"--LabApp.default_url=/lab/tree/{opened}" in done.stdout.splitlines()
    assert "--port=1" in done.stdout.splitlines()
    assert ("my-course is a file" in done.stderr) == blocked

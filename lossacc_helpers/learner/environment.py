"""Whether this environment has what the course needs, in words for the learner.

It has to work where packages are missing, so it imports none of them: their versions are read, not loaded.
"""

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from lossacc_helpers import __version__
from lossacc_helpers._waiting import waiting
from lossacc_helpers.learner import progress, working_copy

PACKAGE = "lossacc_helpers"
LESSON_MEMORY = 1.2e9  # bytes that a lesson's kernel may take
SECONDS = 180.0  # for TensorFlow to start and train; it takes about ten

_IN_EVERY_LESSON = {"numpy", "matplotlib", "pillow", "ipython", "ipywidgets", "anywidget", "traitlets"}
_BY_TRAINING = {"keras", "tensorflow", "tensorflow-cpu"}
_BY_PAGE = {"jupyterlab", "ipykernel"}
# What a package is imported as, where that is not its name.
_MODULES = {
    "ipython": "IPython",
    "pillow": "PIL",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "tensorflow-cpu": "tensorflow",
}
_LESSONS_THAT_TRAIN = "The lessons that train networks"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: it is good, or missing, or there is something to know about it."""

    state: Literal["good", "note", "missing"]
    text: str


@dataclass(frozen=True)
class Report:
    """What was found; shown by Jupyter as a list, what is missing first.

    Attributes
    ----------
    findings : what was looked at.
    details : versions and places, for whoever is asked for help; shown where something is missing, or if asked for.
    """

    findings: tuple[Finding, ...]
    details: tuple[str, ...] = ()

    @property
    def missing(self) -> bool:
        """Whether something is missing."""
        return any(finding.state == "missing" for finding in self.findings)

    @property
    def lines(self) -> list[str]:
        """The verdict, and a line for each finding."""
        marks = {"missing": "✗ Missing: ", "note": "! To know: ", "good": "✓ "}
        found = [
            mark + finding.text for state, mark in marks.items() for finding in self.findings if finding.state == state
        ]
        if self.missing:
            return ["The course needs something that is not here.", *found]
        if any(finding.state == "note" for finding in self.findings):
            return ["The course runs here. There is something to know.", *found]
        return ["Everything the course needs is here.", *found]

    def __str__(self) -> str:
        return "\n".join([*self.lines, *self.details])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        colour = "#E69F00" if self.missing else "#009E73"
        verdict, *found = self.lines
        style = f"border-left:4px solid {colour};padding:0.2em 0.8em;line-height:1.5;max-width:60em"
        html = f'<div role="status" style="{style}"><strong>{verdict}</strong>{_list(found)}'
        if self.details:
            html += f"<details><summary>Details</summary>{_list(self.details)}</details>"
        return {"text/plain": str(self), "text/html": html + "</div>"}


def _list(lines: Sequence[str]) -> str:
    items = "".join(f'<li style="margin:0.2em 0">{escape(line)}</li>' for line in lines)
    return f'<ul style="list-style:none;margin:0.3em 0;padding:0;overflow-wrap:anywhere">{items}</ul>'


def check(*, training: Sequence[str], details: bool = False, start_tensorflow: bool = False) -> Report:
    """Return what the course needs and whether it is here.

    Parameters
    ----------
    training : the numbers of the lessons that train networks.
    details : whether versions and places are shown even if nothing is missing.
    start_tensorflow : whether TensorFlow is really started, in a process of its own; that takes about ten seconds.
    """
    findings = [
        _python(),
        *_this_copy(),
        *_packages(),
        *_tensorflow(training),
        *_page(),
        *_writing(),
        _memory(),
        *_binder(),
        *_newer(),
    ]
    if start_tensorflow and not any(_is_training(finding) for finding in findings if finding.state != "good"):
        findings.append(start())
    report = Report(tuple(findings))
    return Report(report.findings, tuple(_details())) if details or report.missing else report


# What is asked for ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Requirement:
    """A package that the course asks for, and the versions it may have."""

    name: str
    ranges: str

    @property
    def version(self) -> str | None:
        """The version that is installed, or None; a package whose files were deleted counts as absent."""
        try:
            version = metadata.version(self.name)
        except metadata.PackageNotFoundError:
            return None
        return version if find_spec(_MODULES.get(self.name, self.name)) else None

    def __str__(self) -> str:
        return f"{self.name} {self.ranges}"


def requirements(
    lines: Sequence[str], *, extra: str = "", system: str = "", machine: str = ""
) -> Iterator[Requirement]:
    """Return which of a package's declared requirements hold here, or on another system and machine.

    Only what the course's own declarations use is understood: ``>=`` and ``<``, and markers that join ``==`` by
    ``and`` and ``or``.
    """
    here = {"extra": extra, "sys_platform": system or sys.platform, "platform_machine": machine or platform.machine()}
    for line in lines:
        asked, _, marker = line.partition(";")
        alternatives = [re.findall(r"(\w+) == ['\"](\w+)['\"]", part) for part in marker.split(" or ")]
        if not marker or any(all(here.get(name) == value for name, value in every) for every in alternatives):
            name, ranges = re.fullmatch(r"([\w.-]+)(.*)", asked.strip(), flags=re.DOTALL).groups()  # type: ignore[union-attr]
            yield Requirement(name, ranges.strip())


def within(version: str, ranges: str) -> bool:
    """Return whether a version lies in the ranges.

    >>> within("3.11.7", ">=3.11,<3.14"), within("3.14.0", ">=3.11,<3.14"), within("2", ">=2.0")
    (True, False, True)
    """

    def release(text: str) -> list[int]:
        numbers = [int(number) for number in re.split(r"\D+", re.match(r"[\d.]*", text)[0].strip("."))]  # type: ignore[index]
        return numbers + [0] * (6 - len(numbers))

    bounds = re.findall(r"(>=|<)\s*([\d.]+)", ranges)
    return all((release(version) >= release(bound)) == (sign == ">=") for sign, bound in bounds)


def _declared() -> tuple[str, list[str]]:
    """Return the Pythons and the packages that the course asks for; nothing where it is not installed."""
    try:
        course = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        return "", []
    return course.metadata["Requires-Python"] or "", course.requires or []


# What is looked at -------------------------------------------------------------------------------------------------


def _python() -> Finding:
    ranges, _ = _declared()
    if within(platform.python_version(), ranges):
        return Finding("good", "a Python that the course knows")
    return Finding(
        "missing",
        f"a Python that the course knows. This kernel runs {platform.python_version()}, and the course needs {ranges}. "
        f"Packages may not exist for it. {_remedy()}",
    )


def _this_copy() -> Iterator[Finding]:
    """Yield whether this kernel has the course's package, and that of these notebooks."""
    package = Path(__file__).resolve().parents[1]
    try:
        installed = metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        yield Finding(
            "missing",
            f"the course's package. This kernel's Python does not have it installed and found it in {package.parent} "
            f"by chance, so what it needs may be missing too. {_remedy()}",
        )
        return
    beside = next((folder / PACKAGE for folder in _folders() if (folder / PACKAGE / "__init__.py").is_file()), package)
    if beside.resolve() != package:
        yield Finding(
            "missing",
            f"the course that these notebooks belong to. They lie in {beside.parent}, and this kernel runs the course "
            f"of {package.parent}. Open JupyterLab with make lab in {beside.parent}.",
        )
    elif installed != __version__:
        yield Finding(
            "missing",
            f"what version {__version__} of the course needs, for {installed} is what was installed. {_remedy()}",
        )
    else:
        yield Finding("good", "the course's package")


def _packages() -> Iterator[Finding]:
    """Yield whether the packages are there that lessons need for anything but training."""
    asked = [one for one in requirements(_declared()[1]) if one.name not in _BY_TRAINING]
    absent = [one for one in asked if one.version is None]
    others = [one for one in asked if one.version is not None and not within(one.version, one.ranges)]
    if absent:
        names = ", ".join(one.name for one in absent)
        none_runs = {one.name for one in absent} & _IN_EVERY_LESSON
        stops = "No lesson runs without." if none_runs else "Parts of the course stop where they use it."
        yield Finding("missing", f"{names}. {stops} {_remedy(*absent)}")
    if others:
        yield _other_version(*others)
    if asked and not absent and not others:
        yield Finding("good", "the packages for data, pictures and widgets")


def _tensorflow(training: Sequence[str]) -> Iterator[Finding]:
    """Yield whether the lessons that train networks can do so."""
    lessons = f"{_LESSONS_THAT_TRAIN} ({', '.join(training)})"
    asked = [one for one in requirements(_declared()[1]) if one.name in _BY_TRAINING]
    if not any(one.name != "keras" for one in asked):
        yield Finding(
            "note",
            f"there is no current TensorFlow for this machine ({platform.system()}, {platform.machine()}). {lessons} "
            "do not run here. You can read them with their results; all others run.",
        )
        return
    problems = False
    for one in asked:
        found = one if one.name == "keras" else _any_tensorflow(one)
        if found.version is None:
            # Some builds go by other names, and are found by what they provide.
            if found.name == "keras" or find_spec("tensorflow") is None:
                problems = True
                yield Finding(
                    "missing",
                    f"{one.name}. {lessons} stop where they begin to; all others run. {_remedy(one)}",
                )
        elif not within(found.version, one.ranges):
            problems = True
            yield _other_version(found)
    if not problems:
        yield Finding("good", "Keras and TensorFlow, for the lessons that train networks")


def _is_training(finding: Finding) -> bool:
    """Whether a finding already says that networks cannot be trained."""
    return _LESSONS_THAT_TRAIN in finding.text


def _any_tensorflow(asked: Requirement) -> Requirement:
    """Return the TensorFlow that is installed, under either name: the two differ in what else they can run on."""
    both = [asked, *(Requirement(name, asked.ranges) for name in ("tensorflow", "tensorflow-cpu"))]
    return next((one for one in both if one.version is not None), asked)


def _page() -> Iterator[Finding]:
    """Yield whether a JupyterLab is here, and one that shows widgets."""
    asked = {one.name: one for one in requirements(_declared()[1], extra="lab") if one.name in _BY_PAGE}
    for name, one in asked.items():
        if one.version is not None and not within(one.version, one.ranges):
            yield _other_version(one)
            return
        if name == "jupyterlab" and one.version is None:
            yield Finding(
                "note",
                "JupyterLab is not in this kernel's environment, so the page you read this in comes from elsewhere. "
                "Whether it shows widgets, the button of widgets_work() tells.",
            )
            return
    extension = Requirement("jupyterlab_widgets", ">=3")
    if extension.version is None or not within(extension.version, extension.ranges):
        yield Finding(
            "missing",
            "what JupyterLab needs to show widgets (jupyterlab_widgets). You would see texts in the place of sliders, "
            f"guesses and quizzes. {_remedy(extension)} Then reload this page.",
        )
    elif asked:
        yield Finding("good", "a JupyterLab that can show widgets")


def _writing() -> Iterator[Finding]:
    """Yield whether notebooks and progress can be saved where they are."""
    try:
        with tempfile.TemporaryFile(dir=Path.cwd(), buffering=0) as file:
            if file.write(bytes(1_000_000)) < 1_000_000:
                raise OSError("there is no space left")
    except OSError as error:
        yield Finding(
            "missing",
            f"a folder that can be written. Notebooks cannot be saved here ({error.strerror or error}). Copy them to a "
            "folder of your own, or run make lab, which does so, and open the copy.",
        )
    else:
        yield Finding("good", "a folder in which your notebooks can be saved")
    if trouble := progress.trouble():
        yield Finding("note", trouble)


def _memory() -> Finding:
    total, free = memory()
    need = f"a lesson takes up to {LESSON_MEMORY / 1e9:.1f} GB"
    if total is not None and total < 1.25 * LESSON_MEMORY:
        return Finding(
            "missing",
            f"memory. There are {total / 1e9:.1f} GB, and {need}. Lessons that train may end without a word; close all "
            "else, or use another machine.",
        )
    if free is not None and free < LESSON_MEMORY:
        return Finding(
            "note",
            f"only {max(free, 0) / 1e9:.1f} GB of memory are free, and {need}. Shut down the kernels of the notebooks "
            "that you do not need: menu Kernel, Shut Down All Kernels.",
        )
    return Finding("good", "memory for a lesson")


def memory(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> tuple[float | None, float | None]:
    """Return how much memory this process can have, and how much of that is free, in bytes; None where not known.

    A container's limit counts. Linux tells both, macOS the first, Windows neither.
    """
    total, free = [], []
    with suppress(AttributeError, OSError, ValueError):
        total.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    if available := re.search(r"^MemAvailable:\s*(\d+) kB", _text(proc / "meminfo"), flags=re.MULTILINE):
        free.append(int(available[1]) * 1024)
    for _, controllers, path in re.findall(r"^(\d+):(.*?):/(.*)$", _text(proc / "self" / "cgroup"), flags=re.MULTILINE):
        if controllers not in ("", "memory"):
            continue
        old = controllers == "memory"
        files = ("memory.limit_in_bytes", "memory.usage_in_bytes") if old else ("memory.max", "memory.current")
        forgettable = r"^total_inactive_file (\d+)$" if old else r"^inactive_file (\d+)$"  # files that were read
        top = groups / controllers
        for folder in [top / path, *(parent for parent in (top / path).parents if parent.is_relative_to(top))]:
            limit, used = (_text(folder / name).strip() for name in files)
            if limit.isdecimal() and used.isdecimal():
                cached = re.search(forgettable, _text(folder / "memory.stat"), flags=re.MULTILINE)
                total.append(int(limit))
                free.append(int(limit) - int(used) + (int(cached[1]) if cached else 0))
    return min(total, default=None), min(free, default=None)


def _binder() -> Iterator[Finding]:
    """Yield that a session on Binder takes everything along when it ends."""
    if "BINDER_SERVICE_HOST" in os.environ:
        yield Finding(
            "note",
            "this is a session on Binder, and all that is in it goes when it ends, after some minutes without you. "
            "Download what you want to keep: your notebooks, and progress.jsonl beside them.",
        )


def _newer() -> Iterator[Finding]:
    """Yield that newer notebooks lie beside the learner's."""
    copy = working_copy.find(next(iter(_folders()), None))
    if newer := working_copy.beside(copy) if copy else {}:
        yield Finding(
            "note",
            "the course has newer versions of notebooks that you changed, and laid them beside yours: "
            f"{', '.join(newer.values())}.",
        )


def start(*, seconds: float = SECONDS) -> Finding:
    """Return what comes of starting TensorFlow and training a network, in a process that may end or hang.

    Parameters
    ----------
    seconds : how long it may take.
    """
    program = (
        "from lossacc_helpers import training; print('started', flush=True);"
        "data = [[0.0], [1.0]] * 4, [0, 1] * 4;"
        "training.fit_replicas(lambda: training.networks.dense(1, 2, 2), data, data, replicas=2, epochs=1,"
        " batch_size=4, optimizer=training.networks.adam(0.01))"
    )
    try:
        with waiting("Starting TensorFlow in a process of its own"):
            ended, said, complained = _run(program, seconds=seconds)
    except KeyboardInterrupt:
        return Finding("note", "you stopped the start of TensorFlow. Nothing is changed by that.")
    except subprocess.TimeoutExpired:
        return Finding(
            "missing",
            f"a TensorFlow that starts in time: after {seconds:.0f} s it was given up. Close what else is running, "
            "and try again.",
        )
    if ended == 0:
        return Finding("good", "TensorFlow starts and trains a network")
    step = "It starts, but training fails." if "started" in said else "It does not start."
    last = (complained.strip().splitlines() or ["it says nothing"])[-1][:300]
    if "AVX" in complained or ended in (-4, 0xC000001D, 0xC000001D - (1 << 32)):
        return Finding(
            "missing",
            f"a processor that TensorFlow can use. {step} The processor lacks instructions (AVX) that TensorFlow is "
            "built with. Lessons that train networks need another machine, or Binder; all others run here.",
        )
    if ended == -9:
        last = "the system ended it, most likely because memory ran out"
    return Finding("missing", f"a TensorFlow that works. {step} The last it said: {last.rstrip('.')}. {_remedy()}")


def _run(program: str, *, seconds: float) -> tuple[int, str, str]:
    """Return how a Python program ended, what it said and what it complained of; it ends with whoever waits for it."""
    # -P: what lies in the notebooks' folder must not stand in for a package.
    command = [sys.executable, "-P", "-c", program]
    end = time.monotonic() + seconds
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            while True:
                # In short waits, because on Windows an interruption does not get through to a waiting thread.
                with suppress(subprocess.TimeoutExpired):
                    said, complained = process.communicate(timeout=0.1)
                    return process.returncode, said, complained
                if time.monotonic() > end:
                    raise subprocess.TimeoutExpired(command, seconds)
        except BaseException:
            process.kill()
            process.wait()
            raise


# Words -------------------------------------------------------------------------------------------------------------


def _details() -> Iterator[str]:
    """Yield versions and places."""
    yield f"Python {platform.python_version()} in {sys.prefix}, on {platform.platform()}"
    yield f"course {__version__} in {Path(__file__).resolve().parents[2]}"
    asked = [
        *requirements(_declared()[1]),
        *(one for one in requirements(_declared()[1], extra="lab") if one.name in _BY_PAGE),
    ]
    for one in dict.fromkeys(asked):
        yield f"{one.name} {one.version or 'not installed'} (asked for: {one.ranges})"
    total, free = memory()
    for name, size in (("memory", total), ("free memory", free)):
        yield f"{name}: {'not known' if size is None else f'{size / 1e9:.1f} GB'}"
    yield f"notebooks' folder: {next(iter(_folders()), 'deleted')}"
    yield f"progress: {', '.join(str(place) for place in progress.places()) or 'switched off'}"


def _other_version(*found: Requirement) -> Finding:
    versions = ", ".join(f"{one.name} {one.ranges} (here is {one.version})" for one in found)
    return Finding(
        "missing",
        f"the versions that the course was made with: {versions}. What it does with others is not known. "
        f"{_remedy(*found)}",
    )


def _remedy(*asked: Requirement) -> str:
    """Return what to do about something that is missing, by what made this environment."""
    course = Path(__file__).resolve().parents[2]
    own = course / ".venv"
    restart = "then restart the kernel (menu Kernel, Restart Kernel)."
    if own.is_dir() and own.samefile(sys.prefix):
        return f"In a terminal, in the folder {course}, run make install; {restart}"
    if own.is_dir():
        return f"This kernel's Python is {sys.executable}, not the course's. Open JupyterLab with make lab in {course}."
    if (Path(sys.prefix) / "conda-meta").is_dir() and (course / "environment.yml").is_file():
        return f"In a terminal, in the folder {course}, run conda env update --file environment.yml; {restart}"
    what = " ".join(f'"{one.name}{one.ranges}"' for one in asked) or "-r requirements.lock"
    return f'In a terminal, in the folder {course}, run "{sys.executable}" -m pip install {what}; {restart}'


def _folders() -> list[Path]:
    """Return the folder in which this kernel runs, and those around it; none if it has been deleted."""
    try:
        return [Path.cwd(), *Path.cwd().parents]
    except OSError:
        return []


def _text(path: Path) -> str:
    """Return what a file says, or nothing."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

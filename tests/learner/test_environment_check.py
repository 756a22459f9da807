"""The environment check finds what is missing, says what that means and what to do, and needs none of it itself."""

import os
import platform
import re
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement as Reference
from packaging.specifiers import SpecifierSet

from lossacc_helpers.learner import environment, progress, working_copy
from lossacc_helpers.learner.environment import Finding, Report, check, memory, requirements, start, within
from tools.lessons import ROOT

posix_only = pytest.mark.skipif(os.name != "posix", reason="scripts and signals of POSIX")

GOOD = [
    "Everything the course needs is here.",
    "✓ a Python that the course knows",
    "✓ the course's package",
    "✓ the packages for data, pictures and widgets",
    "✓ Keras and TensorFlow, for the lessons that train networks",
    "✓ a JupyterLab that can show widgets",
    "✓ a folder in which your notebooks can be saved",
    "✓ memory for a lesson",
]


@pytest.fixture(autouse=True)
def ordinary_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory enough, and a folder of nobody's, whatever the machine of these tests is busy with."""
    monkeypatch.setattr(environment, "memory", lambda: (16e9, 8e9))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """What is installed, where it differs from what is; None stands for a package that is not."""
    changed: dict[str, str | None] = {}
    real = metadata.version

    def version(name: str) -> str:
        if name in changed:
            if changed[name] is None:
                raise metadata.PackageNotFoundError(name)
            return str(changed[name])
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    return changed


def said(report: Report, state: str) -> str:
    """The one finding in this state."""
    (text,) = (finding.text for finding in report.findings if finding.state == state)
    return text


def test_a_healthy_environment_is_told_in_words_that_no_machine_changes() -> None:
    report = check(training=["02"])
    assert str(report).splitlines() == GOOD
    assert not report.missing


def test_versions_and_places_are_shown_to_whoever_asks() -> None:
    text = str(check(training=["02"], details=True))
    assert text.splitlines()[: len(GOOD)] == GOOD
    for detail in (platform.python_version(), sys.prefix, f"numpy {metadata.version('numpy')} (asked for: >=2.0)"):
        assert detail in text
    assert "memory: 16.0 GB\nfree memory: 8.0 GB" in text


# Python and packages -----------------------------------------------------------------------------------------------


def test_a_python_out_of_range_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "python_version", lambda: "3.14.1")
    text = said(check(training=["02"]), "missing")
    assert "This kernel runs 3.14.1, and the course needs >=3.11,<3.14" in text


def test_a_missing_package_is_named_with_what_it_stops_and_what_to_do(versions: dict[str, str | None]) -> None:
    versions["scikit-learn"] = None
    report = check(training=["02"])
    assert report.lines[0] == "The course needs something that is not here."
    assert report.lines[1].startswith("✗ Missing: scikit-learn. Parts of the course stop where they use it.")
    assert "then restart the kernel" in report.lines[1]
    assert "scikit-learn not installed" in str(report), "details help whoever is asked for help"
    assert len(report.lines) == len(GOOD)


def found_but(absent: str) -> Callable[[str], object]:
    """`find_spec` where the files of one module were deleted."""
    return lambda name: None if name == absent else find_spec(name)


def test_a_package_whose_files_were_deleted_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", found_but("sklearn"))
    assert said(check(training=["02"]), "missing").startswith("scikit-learn.")


def test_a_session_on_binder_is_told_that_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINDER_SERVICE_HOST", "10.0.0.1")
    report = check(training=["02"])
    assert "Download what you want to keep" in said(report, "note")
    assert not report.missing


def test_packages_are_missing_together_and_without_some_no_lesson_runs(versions: dict[str, str | None]) -> None:
    versions |= {"matplotlib": None, "scikit-image": None}
    assert said(check(training=["02"]), "missing").startswith("matplotlib, scikit-image. No lesson runs without.")


def test_another_version_is_named_with_the_one_that_is_asked_for(versions: dict[str, str | None]) -> None:
    versions["keras"] = "3.17.0"
    assert "keras >=3.6,<3.17 (here is 3.17.0)" in said(check(training=["02"]), "missing")
    versions["keras"] = "3.16.2"
    assert not check(training=["02"]).missing


def test_a_package_that_is_not_installed_but_found_is_told(
    versions: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    versions["lossacc_helpers"] = None
    assert "does not have it installed" in said(check(training=["02"]), "missing")
    versions["lossacc_helpers"] = "0.0.1"
    assert "for 0.0.1 is what was installed" in said(check(training=["02"]), "missing")


def test_notebooks_of_another_copy_of_the_course_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lossacc_helpers").mkdir()
    (tmp_path / "lossacc_helpers" / "__init__.py").touch()
    (tmp_path / "my-course").mkdir()
    monkeypatch.chdir(tmp_path / "my-course")
    text = said(check(training=["02"]), "missing")
    assert f"They lie in {tmp_path}, and this kernel runs the course of {ROOT}" in text
    monkeypatch.chdir(ROOT / "notebooks")
    assert not check(training=["02"]).missing


SYSTEMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("darwin", "x86_64"), ("win32", "AMD64")]


@pytest.mark.parametrize(("system", "machine"), SYSTEMS)
@pytest.mark.parametrize("extra", ["", "lab", "dev"])
def test_what_is_asked_for_is_read_as_pip_reads_it(system: str, machine: str, extra: str) -> None:
    lines = metadata.requires("lossacc_helpers")
    found = [str(one) for one in requirements(lines, extra=extra, system=system, machine=machine)]
    variables = {"sys_platform": system, "platform_machine": machine, "extra": extra}
    asked = [one for one in map(Reference, lines) if not one.marker or one.marker.evaluate(variables)]
    assert [Reference(one).name for one in found] == [one.name for one in asked]
    for ours, theirs in zip(found, asked, strict=True):
        assert Reference(ours).specifier == theirs.specifier


def test_no_range_of_the_project_is_written_in_a_way_that_is_not_understood() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["lab"]
    for ranges in [project["requires-python"], *(str(Reference(line).specifier) for line in asked)]:
        assert all(re.fullmatch(r"(>=|<)[\d.]+", one) for one in ranges.split(",")), ranges


RELEASES = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(lambda numbers: ".".join(map(str, numbers)))


@given(RELEASES, RELEASES, RELEASES)
def test_a_version_lies_in_a_range_as_pip_sees_it(version: str, least: str, below: str) -> None:
    ranges = f">={least},<{below}"
    assert within(version, ranges) == SpecifierSet(ranges).contains(version)


def test_a_release_candidate_or_a_local_build_has_a_version_too() -> None:
    assert within("2.21.0rc1", ">=2.20")
    assert within("2.21.0+cpu", ">=2.20")
    assert not within("2.19.1.dev3", ">=2.20")


# TensorFlow --------------------------------------------------------------------------------------------------------


def test_a_missing_tensorflow_stops_the_lessons_that_train_and_no_other(
    versions: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    versions |= {"tensorflow": None, "tensorflow-cpu": None}
    monkeypatch.setattr(environment, "find_spec", found_but("tensorflow"))
    monkeypatch.setattr(environment, "start", lambda: pytest.fail("it was started although it is missing"))
    text = said(check(training=["02", "03"], start_tensorflow=True), "missing")
    assert text.startswith("tensorflow")
    assert "The lessons that train networks (02, 03) stop where they begin to; all others run." in text


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow-cpu"])
def test_tensorflow_counts_under_either_name(versions: dict[str, str | None], name: str) -> None:
    versions |= {"tensorflow": None, "tensorflow-cpu": None, name: "2.21.0"}
    assert not check(training=["02"]).missing
    versions[name] = "2.15.0"
    assert "(here is 2.15.0)" in said(check(training=["02"]), "missing")


def test_a_mac_with_an_intel_processor_is_told_what_runs_there(
    versions: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    versions |= {"tensorflow": None, "tensorflow-cpu": None}
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    report = check(training=["02"])
    monkeypatch.undo()
    assert said(report, "note") == (
        "there is no current TensorFlow for this machine (Darwin, x86_64). The lessons that train networks (02) do not "
        "run here. You can read them with their results; all others run."
    )
    assert not report.missing
    assert report.lines[0] == "The course runs here. There is something to know."


def test_tensorflow_starts_in_a_process_of_its_own() -> None:
    before = "tensorflow" in sys.modules
    assert start() == Finding("good", "TensorFlow starts and trains a network")
    assert ("tensorflow" in sys.modules) is before


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes the kernel's Python a script of POSIX shell."""

    def become(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    return become


@posix_only
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("kill -ILL $$", ["a processor that TensorFlow can use", "It does not start."]),
        ("echo 'built to use AVX instructions' >&2; kill -ABRT $$", ["a processor that TensorFlow can use"]),
        ("echo 'ImportError: DLL load failed' >&2; exit 1", ["It does not start.", "ImportError: DLL load failed"]),
        ("echo started; echo 'ValueError: odd' >&2; exit 1", ["It starts, but training fails.", "ValueError: odd"]),
        ("kill -KILL $$", ["memory ran out"]),
        ("exit 1", ["it says nothing"]),
        ("yes | head -c 1000000 >&2; exit 1", ["The last it said: y."]),
    ],
)
def test_each_way_not_to_start_has_its_own_words(python, script: str, words: list[str]) -> None:
    python(script)
    finding = start()
    assert finding.state == "missing"
    assert all(word in finding.text for word in words), finding.text


@posix_only
def test_a_start_that_hangs_is_given_up_and_leaves_no_process_behind(python, tmp_path: Path) -> None:
    python(f"echo $$ > {tmp_path}/pid; exec sleep 100")
    finding = start(seconds=0.5)
    assert "after 0 s it was given up" in finding.text
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


@posix_only
def test_a_start_can_be_interrupted(python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python(f"echo $$ > {tmp_path}/pid; exec sleep 100")
    waited = threading.Event()
    communicate = subprocess.Popen.communicate

    def said(process: subprocess.Popen[str], **options: float) -> tuple[str, str]:
        if (tmp_path / "pid").exists():
            waited.set()
        return communicate(process, **options)

    def interrupt() -> None:
        waited.wait()
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess.Popen, "communicate", said)
    threading.Thread(target=interrupt, daemon=True).start()
    # As in a kernel: a shell that runs the tests in the background would have it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        finding = start(seconds=60)
    finally:
        signal.signal(signal.SIGINT, before)
    assert finding == Finding("note", "you stopped the start of TensorFlow. Nothing is changed by that.")
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_the_start_is_part_of_the_report_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "start", lambda: Finding("good", "it starts"))
    assert check(training=["02"], start_tensorflow=True).lines[-1] == "✓ it starts"
    assert "✓ it starts" not in check(training=["02"]).lines


# The page ----------------------------------------------------------------------------------------------------------


def test_a_page_from_another_environment_is_no_fault(versions: dict[str, str | None]) -> None:
    versions["jupyterlab"] = None
    report = check(training=["02"])
    assert "comes from elsewhere" in said(report, "note")
    assert not report.missing


def test_a_jupyterlab_that_is_too_old_is_named(versions: dict[str, str | None]) -> None:
    versions["jupyterlab"] = "3.6.1"
    assert "jupyterlab >=4.4 (here is 3.6.1)" in said(check(training=["02"]), "missing")


@pytest.mark.parametrize("version", [None, "1.0.2"])
def test_a_page_that_would_show_no_widgets_is_told(versions: dict[str, str | None], version: str | None) -> None:
    versions["jupyterlab_widgets"] = version
    text = said(check(training=["02"]), "missing")
    assert "You would see texts in the place of sliders" in text
    assert text.endswith("Then reload this page.")


# The machine -------------------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(environment.tempfile, "TemporaryFile", refused)
    text = said(check(training=["02"]), "missing")
    assert text.startswith("a folder that can be written. Notebooks cannot be saved here (Read-only file system).")


@posix_only
def test_a_disk_without_room_for_a_notebook_is_told() -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        report = check(training=["02"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Notebooks cannot be saved here (there is no space left)" in said(report, "missing")


def test_progress_that_cannot_be_saved_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "trouble", lambda: "Your progress cannot be saved.")
    assert said(check(training=["02"]), "note") == "Your progress cannot be saved."


def test_a_folder_that_was_deleted_under_the_kernel_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "Notebooks cannot be saved here" in said(check(training=["02"]), "missing")


def test_newer_notebooks_beside_the_learner_s_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notebooks").mkdir()
    copy = tmp_path / "my-course"
    for version in ("{}", '{"newer": 1}'):
        (tmp_path / "notebooks" / "01_example.ipynb").write_text(version)
        working_copy.update(tmp_path / "notebooks", copy)
        (copy / "01_example.ipynb").write_text('{"mine": 1}')
    monkeypatch.chdir(copy)
    assert said(check(training=["02"]), "note").endswith("laid them beside yours: 01_example.new.ipynb.")


@pytest.mark.parametrize(
    ("total", "free", "state", "words"),
    [
        (1.4e9, 1.0e9, "missing", "There are 1.4 GB, and a lesson takes up to 1.2 GB"),
        (2e9, 0.7e9, "note", "only 0.7 GB of memory are free"),
        (2e9, -1e6, "note", "only 0.0 GB"),
        (2e9, 1.3e9, "good", "memory for a lesson"),
        (None, None, "good", "memory for a lesson"),
    ],
)
def test_little_memory_is_told(
    monkeypatch: pytest.MonkeyPatch, total: float, free: float, state: str, words: str
) -> None:
    monkeypatch.setattr(environment, "memory", lambda: (total, free))
    (finding,) = (one for one in check(training=["02"]).findings if "memory" in one.text)
    assert finding.state == state
    assert words in finding.text


def pretend(folder: Path, files: dict[str, str]) -> Path:
    """Write files as the kernel of Linux shows them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return folder


MEMINFO = "MemTotal: 32000000 kB\nMemAvailable:   16000000 kB\n"
BY_CONTAINER = {
    "no limit": ("0::/", {"memory.stat": "inactive_file 5"}, None, 16_384_000_000),
    "2 GB, cgroup 2": (
        "0::/user/kernel",
        {
            "user/memory.max": "2000000000",
            "user/memory.current": "1500000000",
            "user/memory.stat": "anon 1\ninactive_file 400000000\nactive_file 7",
            "user/kernel/memory.max": "max",
            "user/kernel/memory.current": "100",
        },
        2_000_000_000,
        900_000_000,
    ),
    "2 GB, cgroup 1": (
        "11:cpu:/x\n4:memory:/docker/abc\n0::/",
        {
            "memory/memory.limit_in_bytes": "2000000000",
            "memory/memory.usage_in_bytes": "500000000",
            "memory/memory.stat": "inactive_file 3\ntotal_inactive_file 100000000",
        },
        2_000_000_000,
        1_600_000_000,
    ),
    "unlimited, cgroup 1": (
        "4:memory:/",
        {"memory/memory.limit_in_bytes": "9223372036854771712", "memory/memory.usage_in_bytes": "5"},
        None,
        16_384_000_000,
    ),
}


@pytest.mark.parametrize("name", list(BY_CONTAINER))
def test_a_container_s_limit_counts(tmp_path: Path, name: str) -> None:
    group, files, total, free = BY_CONTAINER[name]
    proc = pretend(tmp_path / "proc", {"meminfo": MEMINFO, "self/cgroup": group})
    found = memory(proc, pretend(tmp_path / "groups", files))
    machine, _ = memory(tmp_path / "nothing", tmp_path / "nothing")
    assert found == (total or machine, free)


@posix_only
def test_the_memory_of_a_machine_without_limits_is_what_it_has(tmp_path: Path) -> None:
    total, free = memory(tmp_path, tmp_path)
    assert total == pytest.approx(psutil.virtual_memory().total, rel=0.01)
    assert free is None


# How it is shown ---------------------------------------------------------------------------------------------------


def test_the_list_is_read_aloud_and_escaped() -> None:
    report = Report((Finding("good", "fine"), Finding("missing", "<b>")), details=("<i>",))
    html = report._repr_mimebundle_()["text/html"]
    assert 'role="status"' in html
    assert html.index("&lt;b&gt;") < html.index("fine") < html.index("&lt;i&gt;")
    assert "<b>" not in html
    assert "<i>" not in html


# An environment in which nearly nothing is installed ---------------------------------------------------------------


@posix_only
def test_it_works_where_numpy_is_all_there_is(tmp_path: Path) -> None:
    """Without site-packages, with links to NumPy and the course: what is missing here is really missing."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for distribution in ("numpy", "lossacc_helpers"):
        for name in {path.parts[0] for path in metadata.files(distribution) or ()} - {"..", "__pycache__"}:
            place = Path(str(metadata.distribution(distribution).locate_file(name)))
            if place.is_dir():
                (packages / name).symlink_to(place)
    if not (packages / "lossacc_helpers").exists():  # installed in place
        (packages / "lossacc_helpers").symlink_to(ROOT / "lossacc_helpers")
    program = (
        "from lossacc_helpers.course.lesson_00 import environment, progress, widgets_work\n"
        "print(environment())\nprint(widgets_work())\nprint(progress())\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PYTHONPATH": str(packages), "HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "The course needs something that is not here."
    assert any(line.startswith("✗ Missing: matplotlib, pillow") and "ipywidgets" in line for line in lines)
    assert any(line.startswith("✗ Missing: keras. The lessons that train networks (") for line in lines)
    assert "numpy " + metadata.version("numpy") in done.stdout
    assert "✗ Missing: ipywidgets. environment() says what to do about it." in lines
    assert any(line.startswith("01 ") and line.count("not loaded") == 3 for line in lines)
    assert "A lesson that is not loaded misses a package; environment() says which." in lines

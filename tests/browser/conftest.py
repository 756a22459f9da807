"""A JupyterLab with learners' working copies, and a browser in front of it, for each worker that runs these tests."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from tests.browser import axe
from tests.browser.desk import ARTEFACTS, some_browser
from tools.jupyter_lab import Server, Window, jupyter_server, window
from tools.lessons import NOTEBOOKS, ROOT

_open: list[Window] = []  # so that a failure can be pictured


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the settings that `make lab` and Binder give JupyterLab."""
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run([sys.executable, str(ROOT / "tools" / "jupyter" / "apply.py"), str(prefix)], check=True)
    return prefix


@pytest.fixture(scope="session")
def server(settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose folder holds the working copies that `course` makes."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "root").mkdir()
    with jupyter_server(folder / "root", own=folder / "own", prefix=settings) as served:
        yield served


@pytest.fixture(scope="session")
def course(server: Server) -> Callable[[str], str]:
    """Make a working copy in a folder of its own, with a progress of its own; return its path in the server."""

    def make(name: str) -> str:
        folder = server.root / re.sub(r"\W+", "-", name)
        command = [sys.executable, "-m", "lossacc_helpers.learner.working_copy", NOTEBOOKS, folder / "my-course"]
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        return f"{folder.name}/my-course"

    return make


# A browser lives no longer than a module: while it does, Playwright's event loop stands in the way of asyncio.run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; where there is none the tests are skipped, but in continuous integration they fail."""
    with some_browser() as started:
        yield started


@pytest.fixture(scope="module")
def lab(browser: Browser, server: Server) -> Iterator[Window]:
    """A window onto the server; what it shows when a test fails is kept among the artefacts."""
    with window(browser, server) as opened:
        _open.append(opened)
        yield opened
        _open.remove(opened)


@pytest.fixture(scope="session")
def axe_core() -> str:
    """Give axe-core's JavaScript; without npm its tests are skipped."""
    return axe.source()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of each open window where a test fails."""
    report = yield
    if report.failed:
        name = re.sub(r"[^\w-]+", "-", item.nodeid.split("::", 1)[-1])
        for number, opened in enumerate(_open):
            with contextlib.suppress(PlaywrightError):  # the page may be what broke
                opened.picture(ARTEFACTS / f"failed-{name}-{report.when}-{number}.png")
    return report

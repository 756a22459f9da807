"""Lesson 00 as Binder opens it: built in an empty environment, started as BinderHub starts it, seen in a browser."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from playwright.sync_api import Browser

from tests.browser.desk import ARTEFACTS
from tools.binder_image import BINDERHUB, Image, build, size
from tools.jupyter_lab import STARTING, Notebook, jupyter_server, window
from tools.lessons import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="Binder runs Linux, and its scripts are POSIX shell"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Binder uses Python 3.11"),
]

LESSON_00 = "my-course/00_start_here.ipynb"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """Everything that Binder installs, from the index that this machine asks: some minutes, and 3 GB."""
    folder = tmp_path_factory.mktemp("binder")
    yield build(folder / "image")
    shutil.rmtree(folder)


def test_the_environment_holds_what_the_lock_says(image: Image) -> None:
    command = [image.python, "-m", "pip", "list", "--format=json"]
    done = subprocess.run(command, env=image.variables, capture_output=True, text=True, check=True)
    installed = {canonicalize_name(one["name"]): one["version"] for one in json.loads(done.stdout)}
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if "==" in line]
    wanted = {pin.name: str(pin.specifier)[2:] for pin in pins if pin.marker is None or pin.marker.evaluate()}
    assert len(wanted) > 100
    assert {name: installed.get(canonicalize_name(name)) for name in wanted} == wanted


def test_the_environment_is_no_larger_than_the_readme_says(image: Image) -> None:
    assert 1e9 < size(image.prefix) < 3e9


def test_lesson_00_opens_runs_and_asks_nobody_else(image: Image, browser: Browser, tmp_path: Path) -> None:
    started = jupyter_server(
        image.home,
        own=tmp_path / "own",
        python=image.python,
        environment=image.variables,
        arguments=BINDERHUB,
        start=image.start,
    )
    with started as server, window(browser, server) as lab:
        assert server.url.endswith("/user/learner")
        lab.page.goto(f"{server.url}/?token={server.token}")
        notebook = Notebook(lab, LESSON_00)
        notebook.wait_idle(STARTING)
        notebook.run_all()
        lab.picture(ARTEFACTS / "binder.png")
        assert notebook.errors() == []
        assert "Everything the course needs is here." in json.dumps(notebook.outputs(notebook.cells()[0]))
        assert lab.complaints == []
        assert lab.strangers == []
        assert server.tracebacks() == []

"""What Binder and conda make of this repository; here without Docker, conda or the network.

`tests/browser/test_binder_image.py` goes the whole way, in an empty environment, and takes minutes.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from lossacc_helpers.learner.working_copy import MANIFEST
from tools.binder_image import Image, Recipe, copy_repository, recipe
from tools.jupyter_lab import Server, jupyter_server
from tools.lessons import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Binder runs Linux, and its scripts are POSIX shell")

LESSON_00 = "my-course/00_start_here.ipynb"


def environment(path: str) -> dict[str, Any]:
    """Return what an environment.yml asks for."""
    asked: dict[str, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return asked


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a clone would hold, in the place of Binder's home folder."""
    home = tmp_path_factory.mktemp("binder") / "home"
    copy_repository(home)
    return home


@pytest.fixture(scope="module")
def built(repository: Path) -> Recipe:
    """What repo2docker would build from it."""
    return recipe(repository)


def test_binder_makes_the_environment_with_the_tested_python(built: Recipe) -> None:
    assert built.python == "3.11"
    assert 'env update -p ${NB_PYTHON_PREFIX} --file "binder/environment.yml"' in built.dockerfile


def test_binder_runs_postbuild_in_the_repository_after_the_environment_is_there(built: Recipe) -> None:
    assert built.scripts == ["binder/postBuild"]
    steps = ["env update -p", " src/ ${REPO_DIR}/", "USER ${NB_USER}\n\n# Make sure", "RUN ./binder/postBuild"]
    places = [built.dockerfile.index(step) for step in steps]
    assert places == sorted(places)
    assert os.access(ROOT / "binder" / "postBuild", os.X_OK)


def test_conda_and_binder_install_the_same() -> None:
    here, there = environment("environment.yml"), environment("binder/environment.yml")
    *conda, pip = here["dependencies"]
    assert there == here | {"dependencies": conda}
    assert here["channels"] == ["conda-forge"]
    # What conda hands to pip by itself, Binder's postBuild hands to it without keeping the downloads.
    assert pip == {"pip": ["-r requirements.lock", "-e ."]}
    script = (ROOT / "binder" / "postBuild").read_text(encoding="utf-8")
    assert re.findall(r"^pip_install .*?(-[re] \S+)$", script, re.MULTILINE) == pip["pip"]
    assert "--no-cache-dir" in script


@pytest.fixture(scope="module")
def image(repository: Path, built: Recipe) -> Image:
    """The image after postBuild, in an environment that sees the packages of the one that runs the tests.

    Whatever is not installed at the lock's version would have to come from an index, and none is asked.
    """
    made = Image(home=repository, prefix=repository.parent / "notebook")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made.prefix], check=True)
    packages = made.prefix / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (packages / "those_of_the_tests.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    variables = {"PIP_NO_INDEX": "1", "PIP_LOG": str(repository.parent / "pip.log")}
    for script in built.scripts:
        subprocess.run([repository / script], cwd=repository, env=made.variables | variables, check=True)
    return made


def test_the_whole_lock_is_installed(image: Image) -> None:
    told = (image.home.parent / "pip.log").read_text(encoding="utf-8")
    found = set(re.findall(r"Requirement already satisfied: (\S+==\S+)", told))
    lines = [line for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines() if "==" in line]
    asked = [Requirement(line) for line in lines]
    wanted = {f"{one.name}{one.specifier}" for one in asked if one.marker is None or one.marker.evaluate()}
    assert len(wanted) > 100
    assert found == wanted


def test_the_package_is_installed(image: Image, tmp_path: Path) -> None:
    command = [image.python, "-c", "import lossacc_helpers; print(lossacc_helpers.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, env=image.variables, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == image.home / "lossacc_helpers" / "__init__.py"


@pytest.fixture(scope="module")
def server(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab that runs in the repository as Binder starts it, with the settings that postBuild laid."""
    own = tmp_path_factory.mktemp("own")
    with jupyter_server(image.home, own=own, prefix=image.prefix, start=image.start) as started:
        yield started


def test_kernels_keep_no_heap_for_each_thread(built: Recipe, image: Image, server: Server) -> None:
    assert image.home / built.start == image.start
    assert server.process.environ()["MALLOC_ARENA_MAX"] == "2"  # and a kernel has its server's environment


def test_a_link_without_a_path_opens_lesson_00_of_a_working_copy(server: Server) -> None:
    assert (server.root / "my-course" / MANIFEST).is_file()
    with urllib.request.urlopen(f"{server.url}/?token={server.token}") as page:
        assert page.url.split("?")[0] == f"{server.url}/lab/tree/{LESSON_00}"
    assert server.ask(f"api/contents/{LESSON_00}")["content"]["cells"]


def test_a_saved_notebook_keeps_no_view_of_a_widget(server: Server) -> None:
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "gone"}, "text/plain": ["a slider"]}
    output = {"output_type": "display_data", "data": view, "metadata": {}}
    cell = {"cell_type": "code", "source": "", "metadata": {}, "execution_count": None, "outputs": [output]}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    server.ask("api/contents/saved.ipynb", method="PUT", body={"type": "notebook", "content": notebook})
    saved = json.loads((server.root / "saved.ipynb").read_text(encoding="utf-8"))
    assert list(saved["cells"][0]["outputs"][0]["data"]) == ["text/plain"]


def test_idle_kernels_leave_soon_and_busy_ones_stay(server: Server) -> None:
    server.ask("api/kernels", method="POST", body={})
    log = server.log.read_text(encoding="utf-8")
    assert "Culling kernels with idle durations > 900 seconds at 60 second intervals" in log
    assert "Culling kernels even with connected clients" in log
    assert "Culling kernels even if busy" not in log
    server.shut_down_kernels()


def test_nobody_is_asked_about_news(server: Server) -> None:
    settings = server.ask("lab/api/settings/@jupyterlab/apputils-extension:notification")
    defaults = settings["schema"]["properties"]
    assert defaults["fetchNews"]["default"] == "false"
    assert defaults["checkForUpdates"]["default"] is False

"""What is saved: notebooks without the views of widgets, by a real Jupyter server that was told so."""

import copy
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossacc_helpers.learner.saving import WIDGET_STATE, WIDGET_VIEW, strip_widget_views
from tools.lessons import ROOT

posix_only = pytest.mark.skipif(os.name != "posix", reason="the scripts that set up are POSIX shell")


def view(identity: str = "gone") -> dict[str, Any]:
    return {"model_id": identity, "version_major": 2, "version_minor": 0}


def output(**data: Any) -> dict[str, Any]:
    """An output that shows this: `view`, `png` and `plain`."""
    kinds = {"view": WIDGET_VIEW, "png": "image/png", "plain": "text/plain"}
    shown = {kinds[name]: value for name, value in data.items()}
    return {"output_type": "display_data", "data": shown, "metadata": {kind: {} for kind in shown}}


def model(*outputs: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """What Jupyter is about to save: a notebook with these outputs."""
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "id": "a",
        "metadata": {},
        "outputs": list(outputs),
        "source": "show()",
    }
    text = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "text"}
    content = {"cells": [text, cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return {"type": "notebook", "format": "json", "content": content}


def outputs(saved: dict[str, Any]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = saved["content"]["cells"][1]["outputs"]
    return kept


def test_a_view_goes_and_the_picture_and_the_text_beside_it_stay() -> None:
    saved = model(output(view=view(), png="iVBO", plain="a picture"))
    strip_widget_views(saved, path="a.ipynb", contents_manager=None)
    assert saved == model(output(png="iVBO", plain="a picture"))
    nbformat.validate(nbformat.from_dict(saved["content"]))


def test_an_output_that_was_nothing_but_a_view_goes_and_the_others_keep_their_order() -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": "a\n"}
    saved = model(output(plain="1"), output(view=view()), stream, output(view=view(), plain="2"))
    strip_widget_views(saved)
    assert saved == model(output(plain="1"), stream, output(plain="2"))


def test_a_view_whose_widget_is_stored_in_the_notebook_stays() -> None:
    metadata = {"widgets": {WIDGET_STATE: {"state": {"here": {"model_name": "IntSliderModel"}}}}}
    saved = model(output(view=view("here")), output(view=view("gone")), **metadata)
    strip_widget_views(saved)
    assert saved == model(output(view=view("here")), **metadata)


def test_what_has_no_view_is_saved_as_it_is() -> None:
    before = model(output(png="iVBO"), {"output_type": "error", "ename": "E", "evalue": "", "traceback": []})
    saved = copy.deepcopy(before)
    strip_widget_views(saved)
    assert saved == before


def test_what_a_line_of_waiting_leaves_behind_goes() -> None:
    empty = {"output_type": "display_data", "data": {}, "metadata": {}}
    saved = model(empty, output(png="iVBO"))
    strip_widget_views(saved)
    assert saved == model(output(png="iVBO"))


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just({WIDGET_VIEW: {}}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([WIDGET_VIEW, WIDGET_STATE, "outputs", "data", "metadata", "widgets", "state", "model_id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=50)
@given(ODD, ODD, ODD, st.sampled_from(["notebook", "file", None]), st.sampled_from([4, 3, "4", None]))
def test_nothing_that_is_saved_raises(odd: Any, metadata: Any, cells: Any, kind: Any, version: Any) -> None:
    strip_widget_views(odd)
    whole = {"type": kind, "content": {"nbformat": version, "metadata": metadata, "cells": cells}}
    strip_widget_views(whole)
    strip_widget_views({"type": kind, "content": odd})
    assert whole["type"] == kind
    one = model(output(view=view()))
    one["content"]["cells"] = [odd, {"outputs": odd}, {"outputs": [odd, {"data": odd, "metadata": odd}]}]
    one["content"]["metadata"] = metadata
    strip_widget_views(one)


@pytest.mark.parametrize("change", [{"type": "file"}, {"type": "directory"}])
def test_what_is_not_a_notebook_is_left(change: dict[str, Any]) -> None:
    before = model(output(view=view())) | change
    saved = copy.deepcopy(before)
    strip_widget_views(saved)
    assert saved == before


def test_a_notebook_of_another_version_is_left() -> None:
    before = model(output(view=view()))
    before["content"]["nbformat"] = 3
    saved = copy.deepcopy(before)
    strip_widget_views(saved)
    assert saved == before


# In a Jupyter server that was told what tools/jupyter/ holds


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place that tools/jupyter/apply.py was run on, with room for what a server writes."""
    folder = tmp_path_factory.mktemp("a prefix")
    subprocess.run([sys.executable, str(ROOT / "tools" / "jupyter" / "apply.py"), str(folder)], check=True)
    for name in ("course", "config", "data"):
        (folder / name).mkdir()
    return folder


def surroundings(told: Path) -> dict[str, str]:
    """The environment of a server that reads the settings there and none of this machine's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    return inherited | {
        "JUPYTER_CONFIG_PATH": str(told / "etc" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(told / "config"),
        "JUPYTER_DATA_DIR": str(told / "data"),
        "JUPYTER_RUNTIME_DIR": str(told / "data"),
    }


def resolved(told: Path) -> dict[str, dict[str, Any]]:
    """What JupyterLab's options are in the end."""
    done = subprocess.run(
        [sys.executable, "-m", "jupyterlab", "--show-config-json"],
        env=surroundings(told),
        capture_output=True,
        text=True,
        check=True,
    )
    options: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return options


@posix_only
def test_the_settings_are_laid_where_jupyterlab_looks_for_them(told: Path) -> None:
    shown = json.loads((told / "share/jupyter/lab/settings/overrides.json").read_text(encoding="utf-8"))
    news = shown["@jupyterlab/apputils-extension:notification"]
    assert news == {"fetchNews": "false", "checkForUpdates": False}
    assert shown["@jupyterlab/apputils-extension:kernels-settings"] == {"commsOverSubshells": "disabled"}
    options = resolved(told)
    culling = options["MappingKernelManager"]
    assert culling["cull_idle_timeout"] == 2 * 60 * 60
    assert culling["cull_connected"] is True, "a notebook that is open in a tab is connected"
    assert culling["cull_busy"] is False
    hook = options["ContentsManager"]["pre_save_hook"]
    assert hook == f"{strip_widget_views.__module__}.{strip_widget_views.__qualname__}"


@posix_only
def test_settings_in_a_file_of_the_servers_own_go_over_the_courses(told: Path, tmp_path: Path) -> None:
    over = shutil.copytree(told / "etc", tmp_path / "etc") / "jupyter" / "jupyter_server_config.json"
    over.write_text('{"MappingKernelManager": {"cull_idle_timeout": 900}}', encoding="utf-8")
    culling = resolved(tmp_path)["MappingKernelManager"]
    assert culling["cull_idle_timeout"] == 900
    assert culling["cull_connected"] is True, "what they do not mention stays the course's"


@pytest.fixture(scope="module")
def server(told: Path) -> Iterator[tuple[str, str]]:
    """The address and the token of a running JupyterLab server with these settings."""
    token = uuid.uuid4().hex
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", f"--IdentityProvider.token={token}"]
    command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={told / 'course'}"]
    with (told / "log").open("w") as log:
        process = subprocess.Popen(command, env=surroundings(told), stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while not (found := list((told / "data").glob("jpserver-*.json"))) and time.monotonic() < deadline:
            assert process.poll() is None, (told / "log").read_text()
            time.sleep(0.05)
        assert found, (told / "log").read_text()
        while not (text := found[0].read_text()).endswith("}"):
            time.sleep(0.05)
        url = json.loads(text)["url"]
        while not answers(url):  # the file may be there a moment before the server is
            assert process.poll() is None, (told / "log").read_text()
            assert time.monotonic() < deadline, (told / "log").read_text()
            time.sleep(0.05)
        yield url, token
    finally:
        process.terminate()
        process.wait(60)


def answers(url: str) -> bool:
    """Whether somebody listens there, whatever they answer."""
    try:
        urllib.request.urlopen(f"{url}api", timeout=60).close()
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError:
        return False
    return True


def ask(server: tuple[str, str], method: str, path: str, **body: Any) -> Any:
    """An answer of Jupyter's contents service."""
    address, token = server
    asked = urllib.request.Request(
        f"{address}api/contents/{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.loads(answer.read())


@posix_only
def test_a_server_that_was_told_saves_no_view(told: Path, server: tuple[str, str]) -> None:
    ask(server, "PUT", "a.ipynb", **model(output(view=view(), png="iVBO", plain="a picture"), output(view=view())))
    saved = json.loads((told / "course" / "a.ipynb").read_bytes())
    assert [list(one["data"]) for one in saved["cells"][1]["outputs"]] == [["image/png", "text/plain"]]
    assert WIDGET_VIEW not in (told / "course" / "a.ipynb").read_text(encoding="utf-8")
    assert "pre_save_hook" not in (told / "log").read_text(encoding="utf-8"), "and has nothing to complain of"


def test_the_hook_needs_nothing_heavy() -> None:
    code = "import sys, lossacc_helpers.learner.saving\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "matplotlib", "sklearn", "ipywidgets", "IPython"} & set(done.stdout.split())

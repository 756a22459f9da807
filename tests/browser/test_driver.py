"""The driver itself: a server leaves nothing behind, and what is missing is said plainly."""

from pathlib import Path

import psutil
import pytest

from tests.browser.desk import some_browser
from tools.jupyter_lab import NoBrowser, chromium, jupyter_server


@pytest.mark.slow
def test_a_server_takes_its_kernels_with_it_and_reads_nothing_of_the_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "users"))
    (tmp_path / "users").mkdir()
    (tmp_path / "users" / "jupyter_server_config.py").write_text("c.ServerApp.base_url = '/users/'\n")
    with jupyter_server(tmp_path, own=tmp_path / "own") as server:
        assert not server.url.endswith("/users")
        server.ask("api/kernels", method="POST", body={"name": "python3"})
        family = [server.process, *server.process.children(recursive=True)]
        assert len(family) > 1
    assert not [one for one in family if psutil.pid_exists(one.pid)]


@pytest.mark.slow
def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="bad_folder"),
        jupyter_server(tmp_path, own=tmp_path / "own", arguments=["--ServerApp.root_dir=/nowhere/bad_folder"]),
    ):
        pass


def test_a_missing_browser_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(NoBrowser, match="CHROMIUM names /nowhere/chromium"), chromium():
        pass
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(NoBrowser, match="sudo apt install chromium"), chromium():
        pass


def test_without_a_browser_tests_are_skipped_and_in_continuous_integration_they_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="CHROMIUM names /nowhere/chromium"), some_browser():
        pass
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CHROMIUM names /nowhere/chromium"), some_browser():
        pass

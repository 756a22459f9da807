"""The environment: which Python is chosen, what is said where none fits, and what the lock pins."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from flit_core.common import Module, make_metadata
from flit_core.config import read_flit_config
from packaging.requirements import Requirement

from lossacc_helpers import __version__
from tools.lessons import ROOT

posix_only = pytest.mark.skipif(os.name != "posix", reason="the scripts that set up are POSIX shell")


def pretend_python(folder: Path, name: str, *, version: str | None, has_venv: bool = True) -> None:
    """Put a script into a folder that answers as that Python would; one without a version is a shim that fails."""
    script = folder / name
    answer = f"case $2 in *ensurepip*) exit {int(not has_venv)} ;; *) echo {version} ;; esac" if version else "exit 127"
    script.write_text(f"#!/bin/sh\n{answer}\n")
    script.chmod(0o755)


def find_python(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tools/find_python.sh where these are the only Pythons."""
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / "find_python.sh")],
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@posix_only
def test_the_tested_python_is_preferred(tmp_path: Path) -> None:
    for version in ("3.11", "3.12", "3.13"):
        pretend_python(tmp_path, f"python{version}", version=version)
    pretend_python(tmp_path, "python3", version="3.13")
    assert find_python(tmp_path).stdout == "python3.11\n"


@posix_only
def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    pretend_python(tmp_path, "python3.11", version=None)
    pretend_python(tmp_path, "python3.12", version=None)
    pretend_python(tmp_path, "python3", version="3.12")
    assert find_python(tmp_path).stdout == "python3\n"


@posix_only
def test_a_python_of_another_version_is_named_and_refused(tmp_path: Path) -> None:
    pretend_python(tmp_path, "python3", version="3.10")
    pretend_python(tmp_path, "python", version="3.14")
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert "python3 is Python 3.10" in done.stderr
    assert "python is Python 3.14" in done.stderr


@posix_only
def test_no_python_at_all_is_said_plainly(tmp_path: Path) -> None:
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert "none that runs was found" in done.stderr
    assert "https://www.python.org/downloads/" in done.stderr


@posix_only
def test_a_missing_venv_module_is_said_plainly(tmp_path: Path) -> None:
    pretend_python(tmp_path, "python3.12", version="3.12", has_venv=False)
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert "sudo apt install python3.12-venv" in done.stderr


@posix_only
def test_the_python_asked_for_is_the_only_candidate(tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    pretend_python(folder, "python3.11", version="3.11")
    pretend_python(folder, "mine", version="3.13")
    pretend_python(folder, "old", version="3.9")
    assert find_python(folder, PYTHON=str(folder / "mine")).stdout == f"{folder / 'mine'}\n"
    refused = find_python(folder, PYTHON=str(folder / "old"))
    assert refused.returncode == 1
    assert "is Python 3.9" in refused.stderr


def imported_by(path: Path) -> set[str]:
    """Top-level names of the packages that a module imports anywhere, this package and Python's own left out."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - {"lossacc_helpers"} - sys.stdlib_module_names


def test_every_package_that_is_imported_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for name in ("tensorboard", "grading") for one in project["optional-dependencies"][name]]
    asked = {Requirement(one).name.lower().replace("_", "-") for one in (*project["dependencies"], *extras)}
    imported = set().union(*map(imported_by, (ROOT / "lossacc_helpers").rglob("*.py")))
    assert {"numpy", "PIL", "traitlets", "keras"} <= imported
    sources = packages_distributions()
    missing = {
        name for name in imported if not asked & {one.lower().replace("_", "-") for one in sources.get(name, [])}
    }
    assert not missing, f"declare in pyproject.toml what provides {missing}"


def test_the_version_stands_in_the_package_and_the_citation_follows_it() -> None:
    built = make_metadata(Module("lossacc_helpers", ROOT), read_flit_config(ROOT / "pyproject.toml"))
    assert built.version == __version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [__version__]


def pins() -> dict[str, str]:
    """Names and versions in the lock."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\n]+)", text, re.MULTILINE))


def test_the_lock_pins_all_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    for requirement in map(Requirement, asked):
        pinned = pins().get(requirement.name.lower().replace("_", "-"))
        assert pinned is not None, f"{requirement.name} is not in the lock; run make lock"
        assert requirement.specifier.contains(pinned), f"{requirement} is pinned to {pinned}; run make lock"


def test_the_lock_holds_no_address_and_no_path() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "://" in line or line.startswith(("-", "/", "."))]

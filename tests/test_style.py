"""Layout, lint and types of the code, by the tools that pyproject.toml configures."""

import subprocess
import sys

import pytest

from tools.lessons import ROOT


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "format", "--check", "--diff", "."],
        ["ruff", "check", "."],
        ["mypy"],
    ],
    ids=["ruff format", "ruff check", "mypy"],
)
def test_code_keeps_the_house_style(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

"""What importing the package loads, and which module may import which."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.lessons import ROOT

HEAVY = {"tensorflow", "keras", "matplotlib", "sklearn", "skimage", "ipywidgets", "IPython", "pandas", "scipy"}


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps([name.split('.')[0] for name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_numpy_and_nothing_heavy() -> None:
    loaded = loaded_by("import lossacc_helpers")
    assert "lossacc_helpers" in loaded
    assert not loaded & HEAVY


def test_a_heavy_import_would_be_seen() -> None:
    assert {"matplotlib", "numpy"} <= loaded_by("import matplotlib")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """The verdict of import-linter on the package in a folder."""
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_keep_the_contract() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "statement", "broken"),
    [
        ("_validation.py", "from lossacc_helpers import scores", "imports point downwards"),
        ("scores.py", "from lossacc_helpers import crossings", "imports point downwards"),
        ("figures/__init__.py", "from lossacc_helpers import widgets", "imports point downwards"),
        ("stray.py", "", "imports point downwards"),
        ("scores.py", "import keras", "TensorFlow and Keras stay in training"),
        ("datasets/held_out.py", "def late():\n    import tensorflow.math", "TensorFlow and Keras stay in training"),
        ("scores.py", "import matplotlib.pyplot", "matplotlib stays in figures"),
        ("figures/__init__.py", "import ipywidgets", "ipywidgets and IPython stay in widgets"),
        ("exercises/__init__.py", "from IPython.display import HTML", "ipywidgets and IPython stay in widgets"),
        ("figures/__init__.py", "import sklearn", "scikit-learn and scikit-image stay in datasets"),
    ],
)
def test_an_import_that_breaks_the_contract_is_named(tmp_path: Path, module: str, statement: str, broken: str) -> None:
    package = shutil.copytree(ROOT / "lossacc_helpers", tmp_path / "lossacc_helpers")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (package / module).open("a") as file:
        file.write(f"\n{statement}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{broken} BROKEN" in done.stdout, done.stdout

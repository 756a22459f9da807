"""What every run of pytest shares, nbval's run of a single notebook included."""

import os

import pytest

# What tests, solutions and notebooks do here is no progress of whoever runs them.
os.environ["LOSSACC_PROGRESS"] = "off"

# Where several workers share the processors, threads that wait for one another only take time from the others.
if "PYTEST_XDIST_WORKER" in os.environ:
    for which in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ.setdefault(f"{which}_THREADS", "1")

# The modules that take longest, so that the workers of `make test` begin with them and end at the same time.
LONG = (
    "tests/browser/test_lessons_in_hand.py",
    "notebooks/",
    "tests/grading/",
    "tests/test_lessons.py",
    "tests/browser/",
    "tests/test_style.py",
    "tests/training/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the long modules to the front; within each the order stays."""

    def place(item: pytest.Item) -> int:
        return next((number for number, begin in enumerate(LONG) if item.nodeid.startswith(begin)), len(LONG))

    items.sort(key=place)

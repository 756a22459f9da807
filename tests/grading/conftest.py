"""One sandbox for all tests of a module, and the small assignment."""

import os
from collections.abc import Iterator

import pytest
from nbformat import NotebookNode

from lossacc_helpers.grading.running import Assignment
from lossacc_helpers.grading.sandbox import Limits, NoSandbox, Sandbox
from tests.grading.small import KEY, release

# Seconds of the processor, so that a busy machine decides nothing; on the clock there is time for that.
SMALL = Limits(cell=2, waiting=12, whole=20, memory=700_000_000, disk=20_000_000)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Give a sandbox with small limits, for hostile submissions."""
    with made(SMALL) as small:
        yield small


@pytest.fixture(scope="module")
def ample() -> Iterator[Sandbox]:
    """Give a sandbox as teachers use it."""
    with made(Limits()) as ordinary:
        yield ordinary


def made(limits: Limits) -> Sandbox:
    """Return a sandbox. Where there is none, nothing hostile is run; in continuous integration that is a failure."""
    try:
        return Sandbox(limits)
    except NoSandbox as reason:
        if os.environ.get("CI"):
            pytest.fail(f"continuous integration needs a sandbox: {reason}")
        pytest.skip(f"hostile submissions run only in a sandbox: {reason}")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    """Give the small assignment's version for learners, as nbgrader makes it."""
    return release(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def assignment(released: NotebookNode) -> Assignment:
    """Give the small assignment."""
    return Assignment(KEY, released, seed=7)

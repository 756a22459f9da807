"""What all tests share."""

import signal

import pytest
from hypothesis import settings

from lossacc_helpers.learner import progress

# The same examples on every machine and in every run: a test that fails in continuous integration fails for you too.
# No deadline: two workers share two cores with TensorFlow.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")


# A shell that starts the tests in the background has interruptions ignored, here and in all that is started from here;
# but what an interruption does is what some of them test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_progress_from_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test as a kernel that knows of no progress; conftest.py in the root switches the file off."""
    monkeypatch.setattr(progress, "_here", progress._Kernel())

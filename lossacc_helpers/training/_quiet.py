"""Imports TensorFlow without its start-up lines, which are written below Python, to file descriptor 2."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from threading import Lock

from lossacc_helpers._waiting import interruptible, waiting

# An import that was interrupted goes on, see below; whoever asks again waits for its end.
_IMPORTING = Lock()


@contextlib.contextmanager
def _descriptor_two_kept_aside() -> Iterator[None]:
    """Send what the process writes to file descriptor 2 to a temporary file, and show it only if the block fails."""
    try:
        saved = os.dup(2)
    except OSError:  # standard error is closed: nothing can be written, so nothing needs to be kept aside
        yield
        return
    with tempfile.TemporaryFile() as aside:
        sys.stderr.flush()
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            aside.seek(0)
            os.write(2, aside.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def import_quietly(*names: str) -> None:
    """Import modules, and let TensorFlow find its devices, with file descriptor 2 kept aside.

    oneDNN is left on: turning it off to save its two lines makes convolutions almost three times slower.

    Stopped half-way an import leaves modules that are no use to a second one. So an interruption gets through, but the
    import goes on behind it to its end, and a second call waits for that.

    Raises
    ------
    ImportError
        With the way out in words where TensorFlow is not installed (there is none for Intel Macs).
    """
    if not _IMPORTING.locked() and all(name in sys.modules for name in names):
        return
    if (backend := os.environ.get("KERAS_BACKEND", "tensorflow")) != "tensorflow":
        raise ImportError(
            f"this part of the course needs Keras on TensorFlow; KERAS_BACKEND={backend} asks for another"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with waiting("Loading TensorFlow (about ten seconds)"):
            interruptible(lambda: _import(names))
    except ModuleNotFoundError as error:
        if error.name not in {name.split(".")[0] for name in names}:
            raise
        raise ImportError(
            f"this part of the course trains networks and needs {error.name}, which is not installed here. "
            "`make install` installs it wherever there is a build of it (not on Intel Macs); lesson 01 runs without it."
        ) from error


def _import(names: tuple[str, ...]) -> None:
    with _IMPORTING, _descriptor_two_kept_aside():
        for name in names:
            importlib.import_module(name)
        # The first device look-up writes more lines; it happens here rather than in a learner's cell.
        tensorflow = importlib.import_module("tensorflow")
        tensorflow.config.list_physical_devices()
        # So does the first graph in which a mask is transposed, where oneDNN has no booleans; every LSTM has one.
        tensorflow.function(tensorflow.transpose)(tensorflow.constant([[True, False], [False, True]]))

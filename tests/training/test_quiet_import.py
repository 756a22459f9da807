"""TensorFlow's start-up lines stay out of the notebooks; a missing or broken TensorFlow is not kept quiet."""

import os
import subprocess
import sys

import pytest

from tools.lessons import ROOT

# Stands in for TensorFlow, and for its absence.
FINDER = """
import importlib.abc, importlib.machinery, os, sys

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            return self.spec(name)

    def exec_module(self, module):
        os.write(2, b"a library is missing\\n")
        raise RuntimeError("cannot start")

sys.meta_path.insert(0, Finder())
"""
ABSENT = FINDER + "Finder.spec = lambda self, name: (_ for _ in ()).throw(ModuleNotFoundError(name, name=name))\n"
BROKEN = FINDER + "Finder.spec = lambda self, name: importlib.machinery.ModuleSpec(name, self)\n"


def run(code):
    """What a fresh interpreter writes to its file descriptors 1 and 2."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout, done.stderr


def test_importing_training_and_using_it_writes_nothing_to_stderr():
    out, err = run(
        "from lossacc_helpers import training\n"
        "import keras, tensorflow as tf\n"
        "print(keras.ops.convert_to_numpy(tf.constant([1.0]) + 1), tf.config.list_physical_devices('CPU') != [])"
    )
    assert err == ""
    assert out == "[2.] True\n"


@pytest.mark.slow
def test_a_network_that_masks_padding_writes_nothing_to_stderr_either():
    out, err = run(
        "from lossacc_helpers import training\n"
        "import keras, numpy as np\n"
        "model = keras.Sequential([keras.Input((None,)), keras.layers.Embedding(5, 3, mask_zero=True)])\n"
        "model.add(keras.layers.LSTM(2))\n"
        "print(model.predict(np.array([[1, 2, 0], [3, 0, 0]]), verbose=0).shape)"
    )
    assert err == ""
    assert out == "(2, 2)\n"


def test_without_tensorflow_the_error_says_so_in_words():
    out, err = run(
        ABSENT
        + "try:\n    import lossacc_helpers.training\nexcept ImportError as error:\n    print(type(error), error)"
    )
    assert out.startswith(
        "<class 'ImportError'> this part of the course trains networks and needs tensorflow, which is not installed"
    )
    assert "lesson 01 runs without it" in out
    assert err == ""


def test_another_backend_of_keras_is_named_before_anything_is_imported():
    out, err = run(
        "import os\nos.environ['KERAS_BACKEND'] = 'torch'\n"
        "try:\n    import lossacc_helpers.training\nexcept ImportError as error:\n    print(error)"
    )
    assert out == "this part of the course needs Keras on TensorFlow; KERAS_BACKEND=torch asks for another\n"
    assert err == ""


def test_what_a_failing_import_wrote_is_shown():
    out, err = run(
        BROKEN + "import contextlib\nwith contextlib.suppress(RuntimeError):\n    import lossacc_helpers.training\n"
        "os.write(2, b'heard again')"
    )
    assert err == "a library is missing\nheard again"
    assert out == ""


def test_a_process_without_stderr_can_import_training():
    code = (
        "import os\nos.close(2)\n"
        + ABSENT
        + "try:\n    import lossacc_helpers.training\nexcept ImportError:\n    print(1)"
    )
    assert run(code)[0] == "1\n"

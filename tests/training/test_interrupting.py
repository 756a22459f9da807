"""Loading TensorFlow and training can be interrupted; what comes after is what it would have been."""

import _thread
import subprocess
import sys
from pathlib import Path
from threading import Event
from time import sleep

import keras
import numpy as np
import pytest
from kernels import Kernel
from ordinary import TRAIN as TRAIN_WITH_REST
from ordinary import VALIDATION, asked, network

from lossacc_helpers import training
from lossacc_helpers._waiting import Abandoned
from lossacc_helpers.training import fit_replicas, program, replicas, single, stacked
from lossacc_helpers.training.program import Shelf
from tools.lessons import ROOT

SECONDS = 30  # a test that hangs fails after these
# Four whole batches: a rest of a batch would take the compiler another second.
TRAIN = tuple(values[:32] for values in TRAIN_WITH_REST)
PROGRAMS = {
    "stacked": (stacked, asked),
    "single": (single, network(8, lambda: keras.layers.BatchNormalization())),
    "random": (single, network(8, lambda: keras.layers.Dropout(0.3))),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def fitting(request):
    """The module of a program, and a function that trains with it and returns all that came of it."""
    module, build_model = PROGRAMS[request.param]

    def fit():
        run = fit_replicas(
            build_model,
            TRAIN,
            VALIDATION,
            replicas=2,
            epochs=6,
            batch_size=8,
            optimizer=keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)),
        )
        return [run.train.log_probabilities, run.validation.log_probabilities, *run.final]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicas, "_PROGRAMS", Shelf(32))
        yield module, fit


def same(run, other):
    for ours, theirs in zip(run, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_interrupted_run_stops_and_what_it_left_behind_changes_no_later_one(fitting, monkeypatch):
    module, fit = fitting
    shares, ended, reached = [], Event(), module.reached

    def interrupted(share):
        shares.append(share)
        if len(shares) == 3:
            _thread.interrupt_main()
        try:
            for _ in range(10_000 if len(shares) == 3 else 1):  # until the main thread has heard of it
                reached(share)
                sleep(0.001)
        except Abandoned:
            ended.set()
            raise

    with monkeypatch.context() as patch:
        patch.setattr(module, "reached", interrupted)
        patch.setattr(program, "_MOMENT", 0.0)
        with pytest.raises(KeyboardInterrupt):
            fit()
        assert ended.wait(SECONDS)
    after_a_part, after_a_whole = fit(), fit()
    same(after_a_part, after_a_whole)
    assert len(replicas._PROGRAMS) == 1


def test_where_a_run_is_cut_into_calls_changes_nothing_in_it(fitting, monkeypatch):
    module, fit = fitting
    shares = []
    monkeypatch.setattr(module, "reached", shares.append)
    fit()
    shares.clear()
    whole = fit()
    assert len(shares) == (1 if module is stacked else 2)  # both networks at once, or one after the other
    monkeypatch.setattr(program, "_MOMENT", 0.0)
    fit()
    same(fit(), whole)
    assert shares[-6:] == pytest.approx(np.arange(6) / 6 if module is stacked else (np.arange(6) + 6) / 12)


def test_a_large_record_is_cut_into_calls_that_fit_into_memory():
    pace = program.Pace(epochs=1000, numbers=2**20)
    assert pace.longest == 8
    shapes = []
    record = pace.record(lambda first, last: shapes.append(last - first) or np.arange(first, last))
    np.testing.assert_array_equal(record, np.arange(1000))
    assert max(shapes) == 8


# Stands in for TensorFlow: interrupted in the midst of its import, which takes a moment longer.
SLOW_IMPORT = """
import _thread, importlib.abc, importlib.machinery, sys, time
from types import SimpleNamespace

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "tensorflow" else None

    def exec_module(self, module):
        print("begins")
        _thread.interrupt_main()
        time.sleep(0.5)
        module.config = SimpleNamespace(list_physical_devices=lambda: [])
        module.function, module.transpose, module.constant = (lambda call: call), list, list
        print("ends")

sys.meta_path.insert(0, Finder())
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("quiet", QUIET)
quiet = module_from_spec(spec)
spec.loader.exec_module(quiet)
try:
    quiet.import_quietly("tensorflow")
except KeyboardInterrupt:
    print("interrupted")
quiet.import_quietly("tensorflow")
print("whole:", hasattr(sys.modules["tensorflow"], "config"))
"""


def test_an_interrupted_import_goes_on_and_a_second_one_waits_for_its_end():
    code = f"QUIET = {str(Path(training.__file__).parent / '_quiet.py')!r}\n{SLOW_IMPORT}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert (done.stdout.split("\n"), done.stderr) == (["begins", "interrupted", "ends", "whole: True", ""], "")


# In a kernel

FIT = """
from hashlib import sha256
import keras, numpy as np

def build_model():
    return keras.Sequential([
        keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ])

generator = np.random.default_rng(0)
data = generator.normal(size=(200, 8, 8, 1)), generator.integers(0, 3, 200)

def fit(replicas, epochs):
    settings = dict(replicas=replicas, epochs=epochs, batch_size=10, optimizer="adam")
    return training.fit_replicas(build_model, data, **settings)

def digest(run):
    return sha256(run.train.log_probabilities.tobytes() + run.final_weights(1)[0].tobytes()).hexdigest()
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with Kernel(tmp_path_factory.mktemp("profile")) as kernel:
        kernel.run("from lossacc_helpers import _waiting, widgets\n_waiting.PATIENCE = _waiting._PERIOD = 0.2")
        yield kernel


def test_loading_tensorflow_can_be_interrupted_and_ends_in_a_second_try(kernel):
    descriptor = "import os\nos.fstat(2).st_ino"
    before = kernel.run(descriptor).result
    reply = kernel.run("from lossacc_helpers import training", interrupt_after="Loading TensorFlow")
    assert reply.error == "KeyboardInterrupt"
    assert reply.lines[0].startswith("Loading TensorFlow (about ten seconds): ")
    assert reply.lines[-1] == ""
    assert kernel.run("1 + 1").result == "2"
    again = kernel.run("from lossacc_helpers import training")
    assert not again.error
    assert not [content for kind, content in reply.published + again.published if kind == "stream"]
    assert kernel.run(descriptor).result == before


def test_a_long_run_is_told_and_interrupted_and_the_kernel_trains_as_a_fresh_one_does(kernel):
    assert not kernel.run("from lossacc_helpers import training" + FIT).error
    reply = kernel.run("fit(1000, 100)", interrupt_after="% done")
    assert reply.error == "KeyboardInterrupt"
    assert reply.lines[0].startswith("Training 1000 networks for 100 epochs: ")
    assert reply.lines[-1] == ""
    assert kernel.run("1 + 1").result == "2"
    fresh = {"training": training}
    exec(FIT, fresh)
    assert kernel.run("digest(fit(2, 3))").result == repr(fresh["digest"](fresh["fit"](2, 3)))
    # The interrupted run is at work no more.
    assert kernel.run("_waiting.interruptible(lambda: 'free')").result == "'free'"

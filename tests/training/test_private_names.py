"""Private names of Keras stand in one module and are checked on first use: a new Keras fails there, in words."""

import re
from pathlib import Path

import keras
import pytest

from lossacc_helpers import training
from lossacc_helpers.training import _keras


@pytest.fixture
def unchecked():
    """A check that has not been made yet, now or for whoever comes next."""
    _keras.check_keras.cache_clear()
    yield
    _keras.check_keras.cache_clear()


def test_this_keras_passes_and_is_asked_once(unchecked, monkeypatch):
    _keras.check_keras()
    monkeypatch.setattr(_keras, "_checks", lambda: pytest.fail("checked again"))
    _keras.check_keras()


def no_such_name(_):
    raise AttributeError("no such private name")


@pytest.mark.parametrize(
    ("name", "other", "words"),
    [
        ("layers_of", lambda model: [], "the layers of a model"),
        ("operation_of", no_such_name, "the history of tensors"),
        ("sources_of", lambda tensor: [None], "the history of tensors"),
        ("seed_generators_of", lambda layer: [], "seed generators"),
        ("kept_logits", lambda predictions: None, "logits"),
        ("mask_of", lambda tensor: None, "masks"),
        ("learning_rate_of", no_such_name, "learning rates"),
        ("spares_weights", lambda optimizer: False, "exemptions from weight decay"),
    ],
)
def test_a_keras_that_renamed_a_part_is_refused_by_its_version(unchecked, monkeypatch, name, other, words):
    monkeypatch.setattr(_keras, name, other)
    with pytest.raises(RuntimeError, match=f"Keras {keras.__version__} no longer keeps {words} where"):
        training.RecordPredictions(([[0.0]], [0]))


def test_another_backend_is_refused_with_the_way_out(unchecked, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"it runs on jax\. Start Python with KERAS_BACKEND=tensorflow"):
        training.fit_replicas(None, None, replicas=1, epochs=1, batch_size=1, optimizer="sgd")


def test_no_other_module_reads_a_private_name_of_keras():
    private = re.compile(r"(?<!self)\._(?!_)[a-z]\w*|attr\([^,()]+, f?[\"']_(?!_)\w*")
    allowed = {"._quiet", "._keras", "._validation", "._waiting", "._trusted"}  # this package's own
    for path in Path(_keras.__file__).parent.glob("*.py"):
        found = set(private.findall(path.read_text(encoding="utf-8"))) - allowed
        assert path.name == "_keras.py" or not found, (path.name, found)

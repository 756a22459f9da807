"""Streamed crops are the crops, in the promised order and batches, and never all in memory."""

import math
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossacc_helpers import datasets
from lossacc_helpers.training import RecordPredictions, RecordSteps, fit_replicas, stream
from tools.lessons import ROOT

PHOTOGRAPHS = datasets.photographs(size=(15, 20), train_samples=50, validation_samples=26, noise=0.2, label_noise=0.3)
CROPS, LABELS = PHOTOGRAPHS.train


def network():
    layers = keras.layers
    return keras.Sequential([keras.Input((15, 20, 1)), layers.Flatten(), layers.Dense(13, activation="softmax")])


def taken(batches):
    """All images, all labels and the sizes of the batches."""
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels), [len(one) for one in labels]


def test_without_a_seed_every_epoch_has_the_crops_in_their_order():
    images, labels, sizes = taken(stream(PHOTOGRAPHS.train, batch_size=16, epochs=2))
    assert sizes == [16, 16, 16, 2] * 2
    np.testing.assert_allclose(images, np.concatenate([CROPS, CROPS]), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(labels, np.concatenate([LABELS, LABELS]))


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (150, 200), (3, 160)])
def test_crops_of_any_size_and_noise_are_cut_as_numpy_cuts_them(size, noise):
    crops, labels = datasets.photographs(size=size, train_samples=130, noise=noise, seed=4).train
    images, _, _ = taken(stream((crops, labels), batch_size=64))
    np.testing.assert_allclose(images, crops, rtol=0, atol=1e-6)
    assert images.dtype == np.float32


def test_noise_that_reaches_the_end_of_its_table_goes_on_at_the_beginning():
    grains = np.full(50, 2**20 - 7)
    late = datasets.Crops(CROPS.photographs, CROPS.sources, CROPS.offsets, CROPS.size, 0.5, grains)
    images, _, _ = taken(stream((late, LABELS), batch_size=50))
    np.testing.assert_allclose(images, late, rtol=0, atol=1e-6)


def test_with_a_seed_every_epoch_has_the_order_of_replica_0():
    run = fit_replicas(network, PHOTOGRAPHS.train, replicas=2, epochs=3, batch_size=16, optimizer="sgd", seed=5)
    images, labels, sizes = taken(stream(PHOTOGRAPHS.train, batch_size=16, epochs=3, seed=5))
    order = run.order(0)
    assert (order[0] != order[1]).any()
    assert sizes == [16, 16, 16, 2] * 3
    np.testing.assert_allclose(images, np.asarray(CROPS)[order.ravel()], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(labels, LABELS[order.ravel()])


def test_longer_streams_begin_as_shorter_ones_and_other_seeds_otherwise():
    short, longer, other = (
        taken(stream(PHOTOGRAPHS.train, batch_size=50, epochs=epochs, seed=seed))[1]
        for epochs, seed in ((1, 0), (2, 0), (1, 1))
    )
    np.testing.assert_array_equal(longer[:50], short)
    assert (other != short).any()


def test_how_many_batches_there_are_is_known_beforehand():
    for batch_size, steps in ((16, 4), (25, 2), (50, 1), (64, 1)):
        batches = stream(PHOTOGRAPHS.train, batch_size=batch_size, epochs=3)
        assert batches.cardinality().numpy() == 3 * steps == len(list(batches))
    assert [tuple(spec.shape) for spec in batches.element_spec] == [(None, 15, 20, 1), (None,)]
    assert [spec.dtype for spec in batches.element_spec] == [tf.float32, tf.int64]


def test_an_ordinary_fit_on_the_stream_is_a_replica():
    settings = {"epochs": 3, "batch_size": 16, "seed": 2}
    run = fit_replicas(network, PHOTOGRAPHS.train, PHOTOGRAPHS.validation, replicas=1, optimizer="adam", **settings)
    model, steps = network(), RecordSteps()
    record = RecordPredictions(PHOTOGRAPHS.train, PHOTOGRAPHS.validation, batch_size=7)
    model.set_weights(run.initial_weights(0))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "your input ran out of data", say
        history = model.fit(
            stream(PHOTOGRAPHS.train, **settings),
            validation_data=stream(PHOTOGRAPHS.validation, batch_size=16),
            epochs=3,
            steps_per_epoch=math.ceil(50 / 16),
            shuffle=False,
            verbose=0,
            callbacks=[record, steps],
        ).history
    for ours, theirs in ((record.run.train, run.train), (record.run.validation, run.validation)):
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities[0], atol=1e-5)
    np.testing.assert_allclose(record.run.validation.loss, history["val_loss"], rtol=1e-5)
    np.testing.assert_array_equal(steps.steps.samples, [16, 16, 16, 2] * 3)


def test_a_batch_is_no_larger_than_the_data_however_much_is_asked_for():
    for batch_size in (51, 2**40, 2**70):
        _, _, sizes = taken(stream(PHOTOGRAPHS.train, batch_size=batch_size, epochs=2))
        assert sizes == [50, 50]


def test_without_steps_per_epoch_each_epoch_of_a_fit_is_a_whole_stream():
    model, steps = network(), RecordSteps()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    batches = stream(PHOTOGRAPHS.train, batch_size=25, epochs=3)
    model.fit(batches, epochs=3, shuffle=False, verbose=0, callbacks=[steps])
    assert steps.steps.samples.sum() == 9 * 50


MEMORY = """
import numpy as np, psutil
from benchmarks.memory import PeakMemory
from lossacc_helpers import datasets, training

photographs = datasets.photographs(size=(150, 200), train_samples=6000, noise=0.1, label_noise=0.2)
for _ in training.stream(datasets.photographs(size=(8, 8), train_samples=40).train, batch_size=8):
    pass  # what tf.data and the photographs themselves take
before = psutil.Process().memory_info().rss
with PeakMemory(psutil.Process()) as stream:
    seen = sum(len(labels) for _, labels in training.stream(photographs.train, batch_size=32, seed=0))
with PeakMemory(psutil.Process()) as array:
    everything = np.asarray(photographs.train[0])
print(seen, everything.nbytes, stream.together - before, array.together - before)
"""


@pytest.mark.slow
def test_6000_crops_of_150_x_200_stream_through_a_quarter_of_what_they_take_as_floats():
    command = [sys.executable, "-c", MEMORY]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    seen, floats, streamed, whole = map(int, done.stdout.split())
    assert (seen, floats) == (6000, 720_000_000)
    assert streamed < floats / 4
    assert whole > floats / 2  # an array of them is seen where there is one


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (CROPS, r"data must be a pair \(features, labels\); got Crops"),
        ((np.asarray(CROPS), LABELS), r"as datasets.photographs gives it; got an array of shape \(50, 15, 20, 1\)"),
        ((None, LABELS), "as datasets.photographs gives it; got NoneType"),
        ((CROPS, LABELS[:49]), r"labels must be whole numbers of shape \(50,\); got int64 of shape \(49,\)"),
        (
            (CROPS, np.eye(13)[LABELS]),
            r"labels must be whole numbers of shape \(50,\); got float64 of shape \(50, 13\): these look one-hot",
        ),
        ((CROPS, LABELS - 5), r"labels must be class ids, 0 or more and below 2\^63; got -\d at sample \d+"),
        ((CROPS, np.full(50, 2**63, np.uint64)), "labels must be class ids, .*; got 9223372036854775808 at sample 0"),
        ((CROPS, LABELS / 2), r"labels must be whole numbers of shape \(50,\); got float64 of shape \(50,\)"),
    ],
)
def test_what_are_no_crops_with_labels_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        stream(data, batch_size=16)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number, 1 or more; got 0"),
        ({"epochs": 0}, "epochs must be a whole number, 1 or more; got 0"),
        ({"epochs": 2.0}, "epochs must be a whole number, 1 or more; got 2.0"),
        ({"seed": -1}, "seed must be a whole number, 0 or more; got -1"),
    ],
)
def test_counts_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        stream(PHOTOGRAPHS.train, **({"batch_size": 16} | arguments))

"""The callback records what the network predicts in inference mode after each epoch of an ordinary fit."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ordinary import TRAIN, VALIDATION, asked, network

from lossacc_helpers import datasets
from lossacc_helpers.training import RecordPredictions, fit_replicas, recompute_batch_norm_statistics

layers = keras.layers


class Witness(keras.callbacks.Callback):
    """Asks the model itself after each epoch: an independent record, and what Keras calls loss and accuracy."""

    def __init__(self, *parts):
        super().__init__()
        self.parts, self.predictions, self.scores = parts, [[] for _ in parts], [[] for _ in parts]

    def on_epoch_end(self, epoch, logs=None):
        for part, predictions, scores in zip(self.parts, self.predictions, self.scores, strict=True):
            predictions.append(np.asarray(self.model(part[0], training=False)))
            scores.append([float(value) for value in self.model.evaluate(*part, verbose=0)])


def fit(model, *callbacks, loss="sparse_categorical_crossentropy", train=TRAIN, validation=VALIDATION, epochs=3):
    model.compile("adam", loss, metrics=["accuracy"], jit_compile=False)
    return model.fit(
        *train, validation_data=validation, epochs=epochs, batch_size=8, verbose=0, callbacks=list(callbacks)
    )


def one_hot(data):
    return data[0], np.eye(3)[data[1]]


def two_classes(data):
    return data[0], (data[1] == 1).astype(int)


def nested():
    """Functional, with a Functional model in it that holds a Sequential with BatchNormalization and dropout."""
    block = keras.Sequential([layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5)])
    entry, start = keras.Input((4,)), keras.Input((4,))
    middle = keras.Model(entry, layers.Concatenate()([block(entry), entry]), name="middle")
    return keras.Model(start, layers.Dense(3, activation="softmax")(middle(start)))


@pytest.mark.parametrize(
    ("build_model", "loss", "form"),
    [
        (nested, "sparse_categorical_crossentropy", lambda data: data),
        (network(8, lambda: layers.Dropout(0.5), layers.BatchNormalization), "categorical_crossentropy", one_hot),
        pytest.param(network(8, last="sigmoid", units=1), "binary_crossentropy", two_classes, marks=pytest.mark.slow),
        (network(8, last=None), keras.losses.SparseCategoricalCrossentropy(from_logits=True), lambda data: data),
    ],
    ids=["layers within layers", "dropout and batch normalisation", "one sigmoid", "logits"],
)
def test_every_epoch_is_what_the_model_predicts_in_inference_mode(build_model, loss, form):
    train, validation = form(TRAIN), form(VALIDATION)
    record, witness = RecordPredictions(train, validation, batch_size=10), Witness(train, validation)
    history = fit(build_model(), record, witness, loss=loss, train=train, validation=validation).history
    run = record.run
    for place, part in enumerate((run.train, run.validation)):
        predictions = np.array(witness.predictions[place])
        if predictions.shape[-1] == 1:
            predictions = np.concatenate([1 - predictions, predictions], axis=-1)
        elif build_model().layers[-1].activation is keras.activations.linear:
            predictions = np.asarray(keras.ops.softmax(predictions))
        np.testing.assert_allclose(np.exp(part.log_probabilities), predictions, atol=1e-6)
        scores = np.array(witness.scores[place])
        np.testing.assert_allclose(part.loss, scores[:, 0], rtol=1e-5)
        np.testing.assert_allclose(part.accuracy, scores[:, 1], atol=1e-6)
    np.testing.assert_allclose(run.validation.loss, history["val_loss"], rtol=1e-5)
    np.testing.assert_allclose(run.validation.accuracy, history["val_accuracy"], atol=1e-6)


def test_the_training_curve_is_of_the_whole_network_with_its_averages_and_without_dropout():
    keras.utils.set_random_seed(0)
    model, record = nested(), RecordPredictions(TRAIN)
    reported = fit(model, record, epochs=2).history["loss"]
    kernel, bias, scale, shift, mean, variance, last, last_bias = (
        one.astype(np.float64) for one in model.get_weights()
    )
    hidden = np.maximum(TRAIN[0] @ kernel + bias, 0)
    normal = (hidden - mean) / np.sqrt(variance + 1e-3) * scale + shift
    logits = np.hstack([normal, TRAIN[0]]) @ last + last_bias
    expected = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(record.run.train.log_probabilities[-1], expected, atol=1e-5)
    assert abs(record.run.train.loss[-1] - reported[-1]) > 0.01  # in training mode, while it changed


def test_between_new_and_old_statistics_the_new_ones_are_recorded():
    """Of callbacks in this order, as for a curve with recomputed statistics beside an undisturbed training."""
    keras.utils.set_random_seed(0)
    kept, ordinary, recomputed = [], RecordPredictions(TRAIN), RecordPredictions(TRAIN)
    model = nested()

    def recompute(*_):
        kept.append(model.get_weights())
        recompute_batch_norm_statistics(model, TRAIN[0])

    callbacks = (
        ordinary,
        keras.callbacks.LambdaCallback(on_epoch_end=recompute),
        recomputed,
        keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: model.set_weights(kept[-1])),
    )
    fit(model, *callbacks, epochs=2)
    for epoch, weights in enumerate(kept):
        model.set_weights(weights)
        old = np.log(model(TRAIN[0], training=False))
        recompute_batch_norm_statistics(model, TRAIN[0])
        new = np.log(model(TRAIN[0], training=False))
        np.testing.assert_allclose(ordinary.run.train.log_probabilities[epoch], old, atol=1e-5)
        np.testing.assert_allclose(recomputed.run.train.log_probabilities[epoch], new, atol=1e-5)
        assert np.abs(new - old).max() > 0.05


def test_without_validation_data_there_is_no_validation_history():
    record = RecordPredictions(TRAIN)
    fit(asked(), record, epochs=2)
    assert record.run.validation is None
    assert (record.run.epochs, record.run.replicas, record.run.train.samples) == (2, 1, 33)


def test_a_model_that_is_built_by_its_first_batch_is_recorded():
    record = RecordPredictions(TRAIN, VALIDATION)
    fit(keras.Sequential([layers.Dense(3, activation="softmax")]), record, epochs=1)
    assert record.run.train.classes == 3


def test_the_run_says_how_it_was_trained():
    record, model = RecordPredictions(TRAIN), asked()
    fit(model, record, epochs=1)
    model.compile("sgd", "mse")  # what comes later is not what it was trained with
    assert record.run.settings["epochs"] == 1
    assert record.run.settings["optimizer"]["class"] == "Adam"
    assert record.run.settings["loss"] == "sparse_categorical_crossentropy"
    assert record.run.settings["layers"] == ("Dense", "Dense")
    assert record.run.settings["seed"] is None
    assert record.run.provenance["keras"] == keras.__version__
    assert record.run.provenance["tensorflow"] == tf.__version__


def test_both_ways_of_training_give_settings_and_provenance_of_the_same_keys():
    record = RecordPredictions(TRAIN)
    fit(asked(), record, epochs=1)
    replicas = fit_replicas(asked, TRAIN, replicas=2, epochs=1, batch_size=33, optimizer="adam")
    assert set(record.run.settings) == set(replicas.settings)
    assert set(record.run.provenance) == set(replicas.provenance) >= {"keras", "tensorflow", "numpy", "date"}


def test_the_run_is_made_once_an_epoch():
    record, seen = RecordPredictions(TRAIN), []
    fit(asked(), record, keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(record.run)), epochs=2)
    assert [run.epochs for run in seen] == [1, 2]
    assert record.run is seen[1]


@pytest.mark.parametrize(
    "last",
    [
        {"activation": "softmax"},
        pytest.param({"activation": None}, marks=pytest.mark.slow),
        {"activation": "softmax", "then": lambda: layers.Activation("linear", dtype="float32")},
    ],
    ids=["softmax", "logits", "softmax that lost its logits"],
)
def test_a_network_of_mixed_precision_is_recorded_in_float32(last):
    then = [last["then"]()] if "then" in last else []
    dense = layers.Dense(3, activation=last["activation"], dtype="mixed_float16")
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, dtype="mixed_float16"), dense, *then])
    record = RecordPredictions(TRAIN, VALIDATION)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=last["activation"] is None)
    fit(model, record, loss=loss, epochs=2)
    assert record.run.train.log_probabilities.dtype == np.float32
    given = np.asarray(model(TRAIN[0], training=False), dtype=np.float32)
    given = given if last["activation"] else np.asarray(keras.ops.softmax(given))
    np.testing.assert_allclose(np.exp(record.run.train.log_probabilities[-1]), given, atol=2e-3)
    np.testing.assert_allclose(record.run.train.probabilities.sum(axis=-1), 1, atol=1e-6)


def test_a_second_fit_begins_a_new_record():
    record, model = RecordPredictions(TRAIN), asked()
    fit(model, record, epochs=3)
    first = record.run
    fit(model, record, epochs=2)
    assert (first.epochs, record.run.epochs) == (3, 2)
    assert (first.train.loss.min() > record.run.train.loss).all()


def test_a_fit_that_stops_early_is_recorded_as_far_as_it_went():
    record = RecordPredictions(TRAIN, VALIDATION)
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=100.0)
    history = fit(asked(), record, stop, epochs=9)
    assert record.run.epochs == record.run.settings["epochs"] == len(history.epoch) == 2


def test_a_logit_gap_of_120_stays_finite():
    record, model = RecordPredictions(TRAIN), asked()
    weights = model.get_weights()
    weights[-2][:], weights[-1][:] = 0, (0, 60, -60)
    model.set_weights(weights)
    model.compile(keras.optimizers.SGD(1e-9), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(*TRAIN, epochs=1, verbose=0, callbacks=[record])
    np.testing.assert_allclose(record.run.train.log_probabilities[0, 0], [-60, 0, -120], atol=1e-4)


def test_asking_before_the_first_epoch_says_what_to_do():
    with pytest.raises(ValueError, match=r"nothing recorded yet: pass this callback to model.fit"):
        _ = RecordPredictions(TRAIN).run


def test_what_is_no_pair_is_refused_at_once():
    for train, kind in ((TRAIN[0], "ndarray"), (None, "NoneType")):
        with pytest.raises(ValueError, match=rf"train must be a pair \(features, labels\); got {kind}"):
            RecordPredictions(train, VALIDATION)
    with pytest.raises(ValueError, match=r"validation must be a pair \(features, labels\); got ndarray"):
        RecordPredictions(TRAIN, VALIDATION[0])


@pytest.mark.parametrize(
    ("train", "validation", "message"),
    [
        ((TRAIN[0][:, :2], TRAIN[1]), None, r"train features must have shape \(sample, 4\); got \(33, 2\)"),
        (TRAIN, (VALIDATION[0], VALIDATION[1] + 1), "validation labels must be whole numbers from 0 to 2"),
    ],
)
def test_data_that_do_not_fit_the_model_are_refused_as_training_begins(train, validation, message):
    with pytest.raises(ValueError, match=message):
        fit(asked(), RecordPredictions(train, validation))


def test_an_output_that_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="the last activation is relu"):
        fit(network(8, last="relu")(), RecordPredictions(TRAIN))


@pytest.mark.parametrize("batch_size", [0, -3, 2.5, True, "8"])
def test_a_batch_size_that_makes_no_sense_is_refused(batch_size):
    with pytest.raises(ValueError, match=f"batch_size must be a whole number, 1 or more; got {batch_size!r}"):
        RecordPredictions(TRAIN, batch_size=batch_size)


def test_recording_leaves_the_seeds_of_recurrent_layers_alone():
    features = np.random.default_rng(0).normal(size=(24, 5, 3)).astype("float32")
    data = features, np.arange(24) % 3

    def trained(*callbacks):
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [keras.Input((5, 3)), keras.layers.GRU(4, dropout=0.4, seed=4), keras.layers.Dense(3, activation="softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(*data, epochs=3, batch_size=8, shuffle=False, verbose=0, callbacks=list(callbacks))
        return model.get_weights()

    for with_record, without in zip(trained(RecordPredictions(data)), trained(), strict=True):
        np.testing.assert_array_equal(with_record, without)


# Crops


def crops(**changes):
    settings = {"size": (9, 12), "train_samples": 40, "validation_samples": 26, "noise": 0.1} | changes
    return datasets.photographs(**settings)


def of_images(*shape):
    return keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(13, activation="softmax")])


def test_crops_are_predicted_like_the_array_they_stand_for_and_never_all_at_once(monkeypatch):
    photographs, taken = crops(), []
    model = of_images(9, 12, 1)
    images = [(np.asarray(part), labels) for part, labels in (photographs.train, photographs.validation)]
    cut = datasets.Crops._cut
    monkeypatch.setattr(datasets.Crops, "_cut", lambda self, places: taken.append(len(places)) or cut(self, places))
    lazy = RecordPredictions(photographs.train, photographs.validation, batch_size=16)
    whole = RecordPredictions(*images, batch_size=16)
    fit(model, lazy, whole, train=images[0], validation=images[1], epochs=2)
    assert sorted(set(taken)) == [8, 10, 16]
    for ours, theirs in ((lazy.run.train, whole.run.train), (lazy.run.validation, whole.run.validation)):
        np.testing.assert_array_equal(ours.log_probabilities, theirs.log_probabilities)
        np.testing.assert_array_equal(ours.labels, theirs.labels)


def test_replicas_take_crops_as_an_array():
    photographs = crops()
    settings = {"replicas": 1, "epochs": 2, "batch_size": 8, "optimizer": "sgd"}
    ours = fit_replicas(lambda: of_images(9, 12, 1), photographs.train, photographs.validation, **settings)
    images, labels = photographs.train
    theirs = fit_replicas(lambda: of_images(9, 12, 1), (np.asarray(images), labels), **settings)
    np.testing.assert_allclose(ours.train.probabilities, theirs.train.probabilities, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "labels", "message"),
    [
        ((12, 9, 1), None, r"train features must have shape \(sample, 12, 9, 1\); got \(40, 9, 12, 1\)"),
        ((108,), None, r"train features must have shape \(sample, 108\); got \(40, 9, 12, 1\)"),
        ((9, 12, 1), np.arange(40), "train labels must be whole numbers from 0 to 12"),
        ((9, 12, 1), np.zeros(39, int), "train has 40 samples but 39 labels"),
    ],
)
def test_crops_that_do_not_fit_the_model_are_refused(shape, labels, message):
    images, own = crops().train
    model = of_images(*shape)
    record = RecordPredictions((images, own if labels is None else labels))
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=message):
        model.fit(np.zeros((8, *shape)), np.zeros(8), verbose=0, callbacks=[record])

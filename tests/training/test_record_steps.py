"""The callback keeps each batch's own loss and hits: those of training mode, before the update with that batch."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from ordinary import TRAIN, VALIDATION, asked, network

from lossacc_helpers.training import RecordPredictions, RecordSteps

layers = keras.layers


@pytest.fixture(autouse=True)
def the_same_weights_in_every_run():
    keras.utils.set_random_seed(0)


def many(samples, classes=3, seed=0):
    """Samples that overlap, so that a network goes on making mistakes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=samples)
    return (rng.normal(size=(samples, 4)) + np.eye(classes, 4)[labels]).astype(np.float32), labels


class Watched:
    """A loss that keeps what every batch's targets and predictions were; Keras runs eagerly to show them."""

    def __init__(self, loss):
        self.loss, self.batches = keras.losses.get(loss), []

    def __call__(self, targets, predictions):
        self.batches.append((np.asarray(targets), np.asarray(predictions).astype(np.float64)))
        return self.loss(targets, predictions)

    def expected(self, form):
        """Loss, hits and size of each batch, by hand and in float64."""
        found = []
        for targets, given in self.batches:
            if form == "logits":
                given = np.exp(given - given.max(axis=-1, keepdims=True))
                given /= given.sum(axis=-1, keepdims=True)
            if form == "binary":
                given = np.concatenate([1 - given, given], axis=-1)
            labels = targets.argmax(axis=-1) if form == "categorical" else targets.ravel().astype(int)
            of_true = given[np.arange(len(labels)), labels]
            found.append((-np.log(of_true).mean(), (given.argmax(axis=-1) == labels).sum(), len(labels)))
        return (np.array(values) for values in zip(*found, strict=True))


FORMS = {
    "sparse": (network(8), "sparse_categorical_crossentropy", lambda labels: labels),
    "column": (network(8), "sparse_categorical_crossentropy", lambda labels: labels[:, None]),
    "categorical": (network(8), "categorical_crossentropy", lambda labels: np.eye(3)[labels]),
    "binary": (network(8, last="sigmoid", units=1), "binary_crossentropy", lambda labels: (labels == 1).astype(int)),
    "logits": (
        network(8, last=None),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None),
        lambda labels: labels,
    ),
}


AT_ONCE = ("sparse", "binary")  # `make test-slow` tries the others


@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=[pytest.mark.slow] * (form not in AT_ONCE)) for form in FORMS]
)
def test_every_step_is_the_loss_and_the_hits_of_the_predictions_that_were_trained_on(form):
    build_model, loss, labels_as = FORMS[form]
    features, labels = many(110)
    watched, record, model = Watched(loss), RecordSteps(), build_model()
    model.compile("adam", watched, metrics=["accuracy"], run_eagerly=True)
    history = model.fit(features, labels_as(labels), epochs=3, batch_size=16, verbose=0, callbacks=[record]).history
    losses, correct, samples = watched.expected(form)
    steps = record.steps
    assert (steps.epochs, steps.steps_per_epoch) == (3, 7)
    np.testing.assert_array_equal(steps.samples, samples)
    np.testing.assert_array_equal(samples, [16, 16, 16, 16, 16, 16, 14] * 3)
    np.testing.assert_array_equal(steps.correct, correct)
    np.testing.assert_allclose(steps.losses, losses, atol=1e-5)
    np.testing.assert_allclose(steps.epoch_loss, history["loss"], rtol=1e-6)
    np.testing.assert_allclose(steps.epoch_accuracy, history["accuracy"], rtol=1e-6)


def test_6000_samples_an_epoch_are_counted_to_the_last_one():
    watched, record, model = Watched("sparse_categorical_crossentropy"), RecordSteps(), network(units=13)()
    model.set_weights([np.random.default_rng(0).normal(0, 0.1, (4, 13)), np.zeros(13)])
    model.compile(keras.optimizers.SGD(0.01), watched, metrics=["accuracy"], run_eagerly=True)
    model.fit(*many(6000, classes=13), epochs=1, batch_size=32, shuffle=False, verbose=0, callbacks=[record])
    losses, correct, samples = watched.expected("sparse")
    # The hardest case for sums in float32: near the end this one moves in steps of 1/1024.
    assert 2**13 < (losses * samples).sum() < 2**14
    assert (samples.sum(), samples[-1]) == (6000, 16)
    np.testing.assert_array_equal(record.steps.correct, correct)
    np.testing.assert_array_equal(record.steps.samples, samples)
    np.testing.assert_allclose(record.steps.losses, losses, rtol=0, atol=1e-4)


def by_hand(model, optimizer, features, labels, *, epochs, batch_size):
    """Loss and hits of every batch in training mode before its update, from a loop without Keras's fit."""
    found = []
    for _ in range(epochs):
        for start in range(0, len(labels), batch_size):
            x, y = features[start : start + batch_size], labels[start : start + batch_size]
            with tf.GradientTape() as tape:
                logs = tf.nn.log_softmax(model(x, training=True))
                loss = -tf.reduce_mean(tf.gather(logs, y, batch_dims=1))
                extra = tf.add_n(model.losses) if model.losses else 0.0
                whole = loss + extra
            found.append((float(whole), int((np.argmax(logs, axis=-1) == y).sum())))
            optimizer.apply(tape.gradient(whole, model.trainable_variables), model.trainable_variables)
    return (np.array(values) for values in zip(*found, strict=True))


@pytest.mark.parametrize("regularised", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_compiled_fit_reports_what_a_loop_by_hand_finds(regularised):
    decay = {"kernel_regularizer": keras.regularizers.L2(0.1)} if regularised else {}
    build = network(lambda: layers.Dense(8, activation="tanh", **decay), layers.BatchNormalization, last=None)
    model, twin, record = build(), build(), RecordSteps()
    twin.set_weights(model.get_weights())
    # Extra metrics, before and behind, change nothing.
    metrics = [keras.metrics.SparseTopKCategoricalAccuracy(2), "accuracy", "sparse_categorical_crossentropy"]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=metrics, jit_compile=False)
    settings = {"epochs": 3, "batch_size": 8}
    model.fit(*TRAIN, validation_data=VALIDATION, shuffle=False, verbose=0, callbacks=[record], **settings)
    losses, correct = by_hand(twin, keras.optimizers.SGD(0.1), *TRAIN, **settings)
    np.testing.assert_allclose(record.steps.losses, losses, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(record.steps.correct, correct)
    np.testing.assert_array_equal(record.steps.samples, [8, 8, 8, 8, 1] * 3)


def test_dropout_is_on():
    model, record = network(lambda: layers.Dropout(0.9, seed=1))(), RecordSteps()
    model.compile(keras.optimizers.SGD(1e-9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*TRAIN, epochs=1, batch_size=33, verbose=0, callbacks=[record])
    loss, _ = model.evaluate(*TRAIN, verbose=0)
    assert abs(record.steps.losses[0] - loss) > 0.1


def test_a_stream_with_steps_per_epoch_is_recorded():
    batches = tf.data.Dataset.from_tensor_slices(TRAIN).batch(8).repeat(2)
    model, record = asked(), RecordSteps()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(batches, epochs=2, steps_per_epoch=5, shuffle=False, verbose=0, callbacks=[record]).history
    np.testing.assert_array_equal(record.steps.samples, [8, 8, 8, 8, 1] * 2)
    np.testing.assert_allclose(record.steps.epoch_loss, history["loss"], rtol=1e-6)


@pytest.mark.parametrize(
    "metric",
    [
        "acc",
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in ("sparse_categorical_accuracy", keras.metrics.SparseCategoricalAccuracy)
        ),
    ],
    ids=str,
)
def test_other_names_of_the_accuracy_do_as_well(metric):
    model, record = asked(), RecordSteps()
    metric = metric(name="hits") if isinstance(metric, type) else metric
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[metric])
    history = model.fit(*TRAIN, epochs=1, batch_size=8, verbose=0, callbacks=[record]).history
    shown = next(values for name, values in history.items() if name != "loss")
    np.testing.assert_allclose(record.steps.epoch_accuracy, shown, rtol=1e-6)


def test_watching_changes_neither_the_training_nor_what_keras_shows():
    def trained(*callbacks):
        keras.utils.set_random_seed(0)
        model = network(8, lambda: layers.Dropout(0.5, seed=3))()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
        history = model.fit(
            *TRAIN, validation_data=VALIDATION, epochs=3, batch_size=8, verbose=0, callbacks=list(callbacks)
        ).history
        return [*model.get_weights(), *history.values()]

    for watched, alone in zip(trained(RecordSteps()), trained(), strict=True):
        np.testing.assert_array_equal(watched, alone)


def test_a_callback_that_evaluates_within_an_epoch_does_not_shift_the_steps():
    def recorded(*callbacks):
        model, record = network()(), RecordSteps()
        model.set_weights([np.ones((4, 3)), np.zeros(3)])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
        model.fit(*TRAIN, batch_size=8, shuffle=False, verbose=0, callbacks=[record, *callbacks])
        return record.steps

    class Evaluating(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.evaluate(*VALIDATION, verbose=0)

    np.testing.assert_allclose(recorded(Evaluating()).losses, recorded().losses, atol=1e-5)


# Records


def fit(model, record, *callbacks, epochs=2, **compiling):
    model.compile("adam", "sparse_categorical_crossentropy", **({"metrics": ["accuracy"]} | compiling))
    model.fit(*TRAIN, epochs=epochs, batch_size=8, verbose=0, callbacks=[*callbacks, record])


def test_predictions_and_steps_make_one_run(tmp_path):
    predictions, steps, model = RecordPredictions(TRAIN, VALIDATION), RecordSteps(), asked()
    fit(model, predictions, steps)
    run = dataclasses.replace(predictions.run, steps=steps.steps)
    loaded = type(run).load(run.save(tmp_path / "run"))
    np.testing.assert_array_equal(loaded.steps.losses, steps.steps.losses)
    assert loaded.epochs == loaded.steps.epochs == 2


def test_a_second_fit_begins_a_new_record():
    record, model = RecordSteps(), asked()
    fit(model, record, epochs=3)
    first = record.steps
    fit(model, record, epochs=2)
    assert (first.epochs, record.steps.epochs) == (3, 2)
    assert first.losses[0] != record.steps.losses[0]


class StopAt(keras.callbacks.Callback):
    def __init__(self, step, *, interrupt=False):
        super().__init__()
        self.left, self.interrupt = step, interrupt

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.model.stop_training = True
            if self.interrupt:
                raise KeyboardInterrupt


def test_an_epoch_that_was_cut_short_is_left_out():
    record = RecordSteps()
    fit(asked(), record, StopAt(13), epochs=9)
    assert (record.steps.epochs, record.steps.steps) == (2, 10)
    record = RecordSteps()
    with pytest.raises(KeyboardInterrupt):
        fit(asked(), record, StopAt(13, interrupt=True), epochs=9)
    assert (record.steps.epochs, record.steps.steps) == (2, 10)


@pytest.mark.parametrize("settings", [{}, {"steps_per_epoch": 5}], ids=["an array", "a stream"])
def test_a_first_epoch_that_was_cut_short_is_no_epoch(settings):
    record, model = RecordSteps(), asked()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    data = (tf.data.Dataset.from_tensor_slices(TRAIN).batch(8).repeat(),) if settings else TRAIN
    batch = {} if settings else {"batch_size": 8}
    model.fit(*data, epochs=3, shuffle=False, verbose=0, callbacks=[StopAt(3), record], **settings, **batch)
    with pytest.raises(ValueError, match="no whole epoch recorded: training stopped after 3 of 5 steps"):
        _ = record.steps


def test_predictions_and_steps_of_a_fit_that_was_cut_short_make_one_run():
    predictions, steps = RecordPredictions(TRAIN, VALIDATION), RecordSteps()
    fit(asked(), steps, StopAt(13), predictions, epochs=9)
    assert predictions.run.epochs == 3  # Keras ends the epoch that was cut short as any other
    whole = predictions.run.select_epochs(slice(steps.steps.epochs))
    assert dataclasses.replace(whole, steps=steps.steps).epochs == 2


def test_a_network_that_diverges_is_recorded():
    model, record = asked(), RecordSteps()
    model.compile(keras.optimizers.SGD(1e30), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*TRAIN, epochs=2, batch_size=8, verbose=0, callbacks=[record])
    assert np.isfinite(record.steps.losses[0])
    assert np.isnan(record.steps.losses[-1])
    assert record.steps.epochs == 2


# Refusals


def test_asking_before_the_first_epoch_says_what_to_do():
    with pytest.raises(ValueError, match=r"nothing recorded yet: pass this callback to model.fit"):
        _ = RecordSteps().steps


def test_several_steps_at_once_are_refused_as_training_begins():
    with pytest.raises(ValueError, match="with steps_per_execution=4 Keras reports that many steps as one; compile"):
        fit(asked(), RecordSteps(), steps_per_execution=4)


@pytest.mark.parametrize("metrics", [None, ["sparse_top_k_categorical_accuracy"]])
def test_a_model_that_does_not_count_is_refused_with_the_way_out(metrics):
    names = ", ".join(["loss", *(metrics or [])])
    with pytest.raises(ValueError, match=rf'compile the model with metrics=\["accuracy"\]; it has {names}$'):
        fit(asked(), RecordSteps(), metrics=metrics)


def test_an_accuracy_that_counts_anything_but_whole_samples_is_refused():
    several = network(last="sigmoid", units=3)()
    several.set_weights([np.zeros((4, 3)), np.ones(3)])  # each sample is right in one unit of three
    several.compile("adam", "binary_crossentropy", metrics=["binary_accuracy"])
    with pytest.raises(
        ValueError, match=r"step 0 has 8 samples, and of 8 its accuracy metric counts 2\.66\d+ as right"
    ):
        several.fit(TRAIN[0], np.eye(3)[TRAIN[1]], batch_size=8, verbose=0, callbacks=[RecordSteps()])
    weighted = asked()
    weighted.compile("adam", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    with pytest.raises(ValueError, match="step 0 has 8 samples, and of 16 its accuracy metric counts"):
        weighted.fit(*TRAIN, sample_weight=np.full(33, 2.0), batch_size=8, verbose=0, callbacks=[RecordSteps()])


def test_epochs_of_different_length_are_refused():
    record = RecordSteps()
    record.set_model(asked())
    record._recorded, record._ends = [(1.0, 3, 8)] * 8, [2, 5, 8]
    with pytest.raises(ValueError, match="all epochs must have the same number of steps; got 2, 3, 3"):
        _ = record.steps

"""The recorded trainings of lesson 04 are those of `Model.fit`, whatever statistics are put into them afterwards."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossacc_helpers.training import RecordSteps, networks, recompute_batch_norm_statistics
from lossacc_helpers.training.seeds import draw_orders
from tools import record_lesson_04
from tools.record_lesson_04 import EPOCH, LAG_OFF, NOW_OFF, NOW_ON, ORDINARY, SHORT, SIZE, WHOLE, train

pytestmark = pytest.mark.slow  # a recording is made anew when its lesson changes

SEED = 3
TINY = replace(
    record_lesson_04.EXPERIMENTS["fast"],
    train_samples=72,
    validation_samples=16,
    epochs=2,
    recompute_samples=32,
    drawn=24,
    wide=True,
    held=True,
)
STEPS = 3  # in an epoch; the last is of 8 samples
ORDER = draw_orders(SEED, 1, TINY.epochs, TINY.train_samples)[0]


def layers_of(model):
    return [one for one in model.layers if isinstance(one, keras.layers.BatchNormalization)]


def statistics_of(model):
    """The mean and the variance of each layer, in a row."""
    return np.concatenate([part for one in layers_of(model) for part in (one.moving_mean, one.moving_variance)])


def log_odds(model, patches):
    """Of "forged", before the softmax, where nothing is rounded away."""
    logits = keras.Model(model.inputs[0], model.layers[-2].output)(patches.astype(np.float32), training=False).numpy()
    return logits[:, 1] - logits[:, 0]


class Watch(keras.callbacks.Callback):
    """What the statistics are after every step, what they would be without dropout, and what the network answers."""

    def __init__(self, validation):
        super().__init__()
        self.patches, self.validation = record_lesson_04.data_of(TINY).train[0], validation
        self.noted, self.undropped = [], []
        self.kept, self.on, self.off = [], [], []
        self.epoch = 0

    def state(self):
        return statistics_of(self.model), log_odds(self.model, self.validation)

    def recomputed(self, rows, look, **options):
        before = self.model.get_weights()
        recompute_batch_norm_statistics(self.model, self.patches[rows], **options)
        found = look()
        self.model.set_weights(before)
        return found

    def on_train_batch_begin(self, batch, logs=None):
        rows = ORDER[self.epoch, batch * TINY.batch_size :][: TINY.batch_size]
        self.undropped.append(self.recomputed(rows, lambda: statistics_of(self.model)))

    def on_train_batch_end(self, batch, logs=None):
        self.noted.append(statistics_of(self.model))

    def on_epoch_end(self, epoch, logs=None):
        self.epoch += 1
        self.kept.append(self.state())
        for dropout, found in ((True, self.on), (False, self.off)):
            found.append(self.recomputed(slice(TINY.recompute_samples), self.state, dropout=dropout))


def fit(momentum):
    """The same training by Keras alone: the model, what the watch saw, what the steps reported."""
    data = record_lesson_04.data_of(TINY)
    patches, labels = data.train
    batches = tf.data.Dataset.from_tensor_slices((patches[ORDER], labels[ORDER])).flat_map(
        lambda *epoch: tf.data.Dataset.from_tensor_slices(epoch).batch(TINY.batch_size)
    )
    keras.utils.set_random_seed(SEED)
    model = networks.forgery_detector(SIZE, momentum=momentum)
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.Adam(TINY.rate), loss, metrics=["accuracy"], jit_compile=False)
    watch, steps = Watch(data.validation[0][: TINY.validation_samples]), RecordSteps()
    model.fit(batches, epochs=TINY.epochs, steps_per_epoch=STEPS, shuffle=False, verbose=0, callbacks=[watch, steps])
    return model, watch, steps.steps


@pytest.fixture(scope="module")
def recorded():
    return train(TINY, SEED)


@pytest.fixture(scope="module")
def fitted():
    return {momentum: fit(momentum) for momentum in (0.99, 0.9, 0.0)}


def check_statistics(recorded, which, expected):
    np.testing.assert_allclose(recorded["statistics"][which], expected, rtol=1e-4, atol=1e-5)


def check_states(recorded, which, states):
    statistics, answers = zip(*states, strict=True)
    check_statistics(recorded, which, statistics)
    np.testing.assert_allclose(recorded["validation"][which], answers, atol=1e-4)


@pytest.mark.parametrize(("which", "momentum"), [(ORDINARY, 0.99), (SHORT, 0.9)])
def test_averages_made_afterwards_are_those_that_keras_keeps(recorded, fitted, which, momentum):
    check_states(recorded, which, fitted[momentum][1].kept)


@pytest.mark.parametrize(("which", "dropout"), [(NOW_ON, "on"), (NOW_OFF, "off")])
def test_recomputed_statistics_are_of_the_network_that_keras_trains(recorded, fitted, which, dropout):
    check_states(recorded, which, getattr(fitted[0.99][1], dropout))


def test_means_of_an_epoch_and_of_the_whole_training_are_of_each_batch_that_keras_saw(recorded, fitted):
    noted = np.array(fitted[0.0][1].noted, dtype=np.float64)  # momentum 0: what a batch had is all that is kept
    check_statistics(recorded, EPOCH, noted.reshape(TINY.epochs, STEPS, -1).mean(axis=1))
    check_statistics(recorded, WHOLE, [noted[:STEPS].mean(axis=0), noted.mean(axis=0)])


def test_the_moving_average_without_dropout_is_of_the_batches_trained_on(recorded, fitted):
    model, watch, _ = fitted[0.99]
    widths = [one.moving_mean.shape[0] for one in layers_of(model)]
    average = np.concatenate([start(width) for width in widths for start in (np.zeros, np.ones)])
    averages = []
    for undropped in watch.undropped:
        average = 0.99 * average + 0.01 * undropped
        averages.append(average)
    check_statistics(recorded, LAG_OFF, averages[STEPS - 1 :: STEPS])


@pytest.mark.parametrize("momentum", [0.99, 0.9, 0.0])
def test_every_step_is_what_training_reports_whatever_the_momentum(recorded, fitted, momentum):
    steps = fitted[momentum][2]
    np.testing.assert_allclose(recorded["step_losses"].ravel(), steps.losses, atol=1e-4)
    np.testing.assert_array_equal(recorded["step_correct"].ravel(), steps.correct)


def test_moving_averages_never_enter_training(fitted):
    first, *others = (model.trainable_variables for model, *_ in fitted.values())
    for other in others:
        for one, weight in zip(first, other, strict=True):
            np.testing.assert_array_equal(one.numpy(), weight.numpy())


def test_experiments_that_are_compared_are_judged_on_the_same_patches():
    fast = record_lesson_04.EXPERIMENTS["fast"]
    expected = record_lesson_04.data_of(fast)
    for experiment in record_lesson_04.EXPERIMENTS.values():
        if experiment.train_samples == fast.train_samples and not experiment.zoom:  # which is compared with nothing
            data = record_lesson_04.data_of(experiment)
            np.testing.assert_array_equal(data.train[0], expected.train[0])
            for found, wanted in zip(data.validation, expected.validation, strict=True):
                np.testing.assert_array_equal(found[: fast.validation_samples], wanted[: fast.validation_samples])


def put(model, statistics):
    place = 0
    for layer in layers_of(model):
        for part in (layer.moving_mean, layer.moving_variance):
            part.assign(statistics[place : (place := place + part.shape[0])])


@pytest.mark.parametrize(
    ("name", "which", "kept"),
    [
        ("train", ORDINARY, lambda data: data.train[0][: TINY.validation_samples]),
        ("train_recomputed", NOW_OFF, lambda data: data.train[0][: TINY.validation_samples]),
        ("wide", ORDINARY, lambda data: data.validation[0]),
    ],
)
def test_other_samples_are_asked_with_the_same_statistics(recorded, fitted, name, which, kept):
    model = fitted[0.99][0]
    put(model, recorded["statistics"][which, -1])
    expected = log_odds(model, kept(record_lesson_04.data_of(TINY)))
    np.testing.assert_allclose(recorded[name][-1], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "base", "other"),
    [("one_stale", NOW_OFF, LAG_OFF), ("one_fresh", LAG_OFF, NOW_OFF), ("one_dropped", NOW_OFF, NOW_ON)],
)
def test_statistics_are_exchanged_one_layer_at_a_time(recorded, fitted, name, base, other):
    model, data = fitted[0.99][0], record_lesson_04.data_of(TINY)
    losses, place = [], 0
    for layer in layers_of(model):
        mixed, width = recorded["statistics"][base, -1].copy(), 2 * layer.moving_mean.shape[0]
        mixed[place : place + width] = recorded["statistics"][other, -1, place : place + width]
        place += width
        put(model, mixed)
        patches, labels = (part[: TINY.validation_samples] for part in data.validation)
        losses.append(model.evaluate(patches, labels, verbose=0)[0])
    np.testing.assert_allclose(recorded[name][-1], losses, atol=1e-4)


def loss_of(model, statistics):
    """Validation loss with these statistics."""
    put(model, statistics)
    patches, labels = (part[: TINY.validation_samples] for part in record_lesson_04.data_of(TINY).validation)
    return np.ravel(model.evaluate(patches, labels, verbose=0))[0]


def test_weights_may_move_while_the_averages_are_held(recorded, fitted):
    model = fitted[0.99][0]
    averages = recorded["statistics"][ORDINARY]
    np.testing.assert_allclose(recorded["held"][0, -1], loss_of(model, averages[-2]), atol=2e-5)
    assert abs(recorded["held"][0, -1] - loss_of(model, averages[-1])) > 1e-4


def test_asking_in_more_ways_changes_no_training(recorded):
    plain = train(replace(TINY, held=False, wide=False, by_layer=False), SEED)
    for name, values in plain.items():
        np.testing.assert_array_equal(recorded[name], values)


def test_averages_may_move_while_the_weights_are_held():
    # Keras itself, with an optimizer that moves nothing, for one epoch from the start; no dropout, no chance.
    still = replace(TINY, dropout="removed", epochs=1)
    patches, labels = record_lesson_04.data_of(still).train
    keras.utils.set_random_seed(SEED)
    model = networks.forgery_detector(SIZE, dropout="removed")
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    rows = draw_orders(SEED, 1, 1, still.train_samples)[0][0]
    model.fit(patches[rows], labels[rows], batch_size=still.batch_size, shuffle=False, verbose=0)
    np.testing.assert_allclose(train(still, SEED)["held"][1, 0], loss_of(model, statistics_of(model)), atol=1e-4)


def test_a_network_without_batch_normalization_is_asked_in_one_way():
    found = train(replace(TINY, batch_norm=False, by_layer=False, wide=False, held=False), SEED)
    assert found["statistics"].shape[2] == 0
    np.testing.assert_array_equal(found["validation"], found["validation"][:1].repeat(len(found["validation"]), axis=0))
    assert not np.array_equal(found["validation"][0, 0], found["validation"][0, 1])  # it learns


def test_pixels_are_standardised_by_the_training_patches(monkeypatch):
    seen, build = [], networks.forgery_detector
    monkeypatch.setattr(networks, "forgery_detector", lambda *a, **k: seen.append(build(*a, **k)) or seen[-1])
    train(replace(TINY, standardised=True, by_layer=False, wide=False, held=False), SEED, epochs=1)
    first = seen[0].layers[0](record_lesson_04.data_of(TINY).train[0].astype(np.float32)).numpy()
    assert abs(first.mean()) < 1e-3
    assert abs(first.std() - 1) < 1e-3


def test_a_recording_has_the_shapes_it_says(recorded):
    kinds, epochs, layers = len(record_lesson_04.STATISTICS), TINY.epochs, 5
    assert {name: values.shape for name, values in recorded.items()} == {
        "validation": (kinds, epochs, 16),
        "train": (epochs, 16),
        "train_recomputed": (epochs, 16),
        "wide": (epochs, 24),
        **dict.fromkeys(("one_stale", "one_fresh", "one_dropped"), (epochs, layers)),
        "held": (len(record_lesson_04.HELD), epochs),
        "step_losses": (epochs, STEPS),
        "step_correct": (epochs, STEPS),
        "statistics": (kinds, epochs, 2 * (16 + 16 + 32 + 32 + 64)),
    }

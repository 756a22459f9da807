"""What is recorded of every word is what Keras computes, padding apart; recording changes no training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossacc_helpers import at_temperature, datasets, fit_temperature, log_loss, split_loss
from lossacc_helpers.training import RecordWords, networks

VERSES = datasets.verses(train_songs=4, validation_songs=5, test_songs=3)
WORDS = len(VERSES.vocabulary)


def model():
    keras.utils.set_random_seed(3)
    built = networks.sequence_to_sequence(WORDS, embedding=8, units=12)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    built.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"], jit_compile=False)
    return built


def record(**options):
    parts = [VERSES.train.pairs, VERSES.validation.pairs, VERSES.test.pairs]
    return RecordWords(*parts, padding=0, groups=VERSES.validation.songs, batch_size=7, **options)


@pytest.fixture(scope="module")
def fitted():
    """A model trained for three epochs, what Keras told of it, and the record."""
    trained, watch = model(), record()
    inputs, labels = VERSES.train.pairs
    history = trained.fit(
        inputs, labels, epochs=3, batch_size=8, verbose=0, validation_data=VERSES.validation.pairs, callbacks=[watch]
    ).history
    return trained, history, watch.record


def logits_of(trained, part):
    return trained.predict((part.before, part.inputs), verbose=0)[part.told]


def test_loss_and_accuracy_are_those_of_keras_with_its_mask(fitted):
    _, history, found = fitted
    # Keras weights the means of its batches by their lines, and not by their words.
    np.testing.assert_allclose(found.run.validation.loss, history["val_loss"], rtol=3e-4)
    np.testing.assert_allclose(found.run.validation.accuracy, history["val_accuracy"], rtol=1e-5)


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_every_word_is_a_sample_and_padding_is_none(fitted, name):
    trained, _, found = fitted
    part = getattr(VERSES, name)
    history = found.test if name == "test" else getattr(found.run, name)
    assert history.samples == part.told.sum() < part.labels.size
    np.testing.assert_array_equal(history.labels, part.labels[part.told])
    chances = np.exp(at_temperature(logits_of(trained, part), 1.0))
    own = chances[np.arange(len(chances)), history.labels]
    np.testing.assert_allclose(history.true_probabilities[-1], own, rtol=1e-4)
    np.testing.assert_allclose(history.top_probabilities[-1], chances.max(axis=1), rtol=1e-4)


def test_temperatures_are_fitted_on_validation_words_alone(fitted):
    trained, _, found = fitted
    logits, words = logits_of(trained, VERSES.validation), VERSES.validation.labels[VERSES.validation.told]
    fit = fit_temperature(words, logits)
    assert found.fits[-1].temperature == pytest.approx(fit.temperature, rel=1e-3)
    split = split_loss(words, logits, groups=VERSES.validation.song_of_each_word)
    assert found.splits[-1].calibrated == pytest.approx(split.calibrated, rel=1e-4)
    assert found.splits[-1].loss == pytest.approx(found.run.validation.loss[-1], rel=1e-5)
    test_words = VERSES.test.labels[VERSES.test.told]
    scaled = np.exp(at_temperature(logits_of(trained, VERSES.test), fit.temperature))
    assert found.test_scaled[-1] == pytest.approx(log_loss(test_words, scaled), rel=1e-4)


def test_validation_words_are_kept_at_every_temperature(fitted):
    trained, _, found = fitted
    assert found.scaled.leading_shape == (len(found.temperatures),)
    logits = logits_of(trained, VERSES.validation)
    for k, temperature in enumerate(found.temperatures):
        chances = np.exp(at_temperature(logits, temperature))
        history = found.scaled.replica(k)
        assert history.loss[-1] == pytest.approx(log_loss(history.labels, chances), rel=1e-4)
        np.testing.assert_array_equal(history.correct, found.run.validation.correct)
    one = found.scaled.replica(found.temperatures.index(1.0))
    np.testing.assert_array_equal(one.true_log_probabilities, found.run.validation.true_log_probabilities)


def test_recording_changes_no_training(fitted):
    alone = model()
    inputs, labels = VERSES.train.pairs
    alone.fit(inputs, labels, epochs=3, batch_size=8, verbose=0)
    for one, other in zip(alone.weights, fitted[0].weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_model_with_one_input_and_no_padding():
    built = networks.language_model(7, embedding=3, units=4)
    built.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    numbers = np.random.default_rng(0).integers(7, size=(2, 6, 5))
    watch = RecordWords((numbers[0], numbers[1]), (numbers[0], numbers[1]))
    built.fit(numbers[0], numbers[1], verbose=0, callbacks=[watch])
    assert watch.record.run.train.samples == 30
    assert watch.record.test is None
    assert watch.record.test_scaled is None


X, Y = np.ones((3, 4), dtype=int), np.ones((3, 4), dtype=int)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((X, (X, Y)), {}, r"train must be a pair \(inputs, labels\); got ndarray"),
        (((X, Y), (X, Y[:, 0])), {}, r"validation labels must be word numbers \(sequence, step\); got int64, \(3,\)"),
        (((X, Y), (X, Y * 0.5)), {}, "validation labels must be word numbers"),
        (
            ((X, Y), (X[:2], Y)),
            {},
            r"validation inputs must have shape \(sequence, step\) with 3 sequences; got \(2, 4",
        ),
        (((X, Y), (X, Y)), {"padding": 1}, "train holds nothing but padding: every label is 1"),
        (((X, Y), (X, Y)), {"groups": [1]}, r"groups must have shape \(sequence,\) = \(3,\); got \(1,\)"),
    ],
)
def test_data_that_do_not_fit_are_refused_at_once(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        RecordWords(*arguments, **options)


def compiled(*layers):
    built = keras.Sequential([keras.Input((None,), dtype="int32"), keras.layers.Embedding(5, 3), *layers])
    built.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return built


@pytest.mark.filterwarnings("ignore:.*from_logits=True")
def test_networks_that_cannot_be_read_are_refused_as_training_begins():
    with pytest.raises(ValueError, match=r"must have one output of shape \(sequence, step, word\); got \(None, 2\)"):
        compiled(keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)).fit(
            X, Y[:, 0], verbose=0, callbacks=[RecordWords((X, Y), (X, Y))]
        )
    with pytest.raises(ValueError, match=r"train labels must lie in 0\.\.3, the words the model answers with; got 4"):
        compiled(keras.layers.Dense(4)).fit(X, Y, verbose=0, callbacks=[RecordWords((X, 4 * Y), (X, Y))])
    with pytest.raises(ValueError, match="answers with probabilities; end it in a layer without activation"):
        compiled(keras.layers.Dense(4), keras.layers.Softmax()).fit(
            X, Y, verbose=0, callbacks=[RecordWords((X, Y), (X, Y))]
        )
    with pytest.raises(ValueError, match="nothing recorded yet"):
        _ = RecordWords((X, Y), (X, Y)).record


def test_the_mask_is_keras_own():
    trained = model()
    part = VERSES.validation
    told, _ = trained.evaluate((part.before, part.inputs), part.labels, verbose=0)
    logits = tf.constant(logits_of(trained, part))
    words = part.labels[part.told]
    alone = tf.nn.sparse_softmax_cross_entropy_with_logits(words, logits)
    assert told == pytest.approx(float(tf.reduce_mean(alone)), rel=1e-5)

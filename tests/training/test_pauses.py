"""Keras's pipelines of arrays are not tuned, which costs a pause at every epoch, and train as they did before."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

from lossacc_helpers.training.pauses import without_pauses


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.normal(size=(40, 5)).astype(np.float32), generator.integers(0, 3, 40)


def fit(data: tuple[np.ndarray, np.ndarray]) -> tuple[dict[str, list[float]], np.ndarray]:
    keras.utils.set_random_seed(7)
    layers = [keras.Input((5,)), keras.layers.Dropout(0.3), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(*data, batch_size=8, epochs=4, validation_data=data, verbose=0).history
    return history, model.predict(data[0], verbose=0)


@pytest.fixture
def tuned(monkeypatch: pytest.MonkeyPatch) -> list[bool | None]:
    """What each pipeline says about being tuned when it is begun; None leaves it to TensorFlow, which tunes."""
    seen = []
    begin = tf.data.Dataset.__iter__

    def noted(dataset: tf.data.Dataset) -> object:
        seen.append(dataset.options().autotune.enabled)
        return begin(dataset)

    monkeypatch.setattr(tf.data.Dataset, "__iter__", noted)
    return seen


def test_no_pipeline_of_fit_evaluate_or_predict_is_tuned(data, tuned):
    fit(data)
    assert len(tuned) >= 4 + 4 + 1  # one for each epoch's training, for its validation, and for the prediction
    assert set(tuned) == {False}


def test_pipelines_of_your_own_stay_as_they_are(data, tuned):
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    model.predict(tf.data.Dataset.from_tensor_slices(data[0]).batch(8), verbose=0)
    assert set(tuned) == {None}


def test_a_training_is_the_same_to_the_last_bit(data, monkeypatch):
    history, predictions = fit(data)
    monkeypatch.setattr(ArrayDataAdapter, "get_tf_dataset", inspect.unwrap(ArrayDataAdapter.get_tf_dataset))
    history_before, predictions_before = fit(data)
    assert history == history_before
    np.testing.assert_array_equal(predictions, predictions_before)


def test_asked_twice_it_is_done_once():
    once = ArrayDataAdapter.get_tf_dataset
    without_pauses()
    assert ArrayDataAdapter.get_tf_dataset is once

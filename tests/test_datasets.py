"""The data sets are scikit-learn's copies, split where Keras splits them."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.preprocessing import StandardScaler

from lossacc_helpers import datasets

IRIS, SPECIES = load_iris(return_X_y=True)
IMAGES, DIGITS = load_digits(return_X_y=True)


def test_iris_is_scikit_learns_copy_standardised_over_all_rows():
    iris = datasets.iris()
    assert iris.features.dtype == np.float32
    np.testing.assert_allclose(iris.features, StandardScaler().fit_transform(IRIS), atol=1e-6)
    np.testing.assert_allclose(iris.features.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(iris.features.std(axis=0), 1, atol=1e-6)
    np.testing.assert_array_equal(iris.labels, SPECIES)
    np.testing.assert_array_equal(iris.rows, np.arange(150))


def test_the_names_are_those_of_scikit_learn():
    loaded = load_iris()
    assert datasets.Iris.class_names == tuple(loaded.target_names)
    assert [f"{name} (cm)" for name in datasets.Iris.feature_names] == loaded.feature_names


def test_the_last_fifth_of_sorted_iris_is_30_virginica():
    features, labels = datasets.iris("sorted").validation
    assert features.shape == (30, 4)
    assert (labels == 2).all()
    assert np.bincount(datasets.iris("sorted").train[1]).tolist() == [50, 50, 20]


def test_digits_are_scikit_learns_copy_between_0_and_1():
    digits = datasets.digits("sorted")
    assert (digits.features.dtype, digits.features.shape) == (np.float32, (1797, 64))
    assert (digits.features.min(), digits.features.max()) == (0, 1)
    np.testing.assert_array_equal(digits.features * 16, IMAGES[digits.rows])
    np.testing.assert_array_equal(digits.labels, DIGITS[digits.rows])
    assert (np.diff(digits.labels) >= 0).all()


@pytest.mark.parametrize(
    ("load", "features", "labels"),
    [(datasets.iris, StandardScaler().fit_transform(IRIS), SPECIES), (datasets.digits, IMAGES / 16, DIGITS)],
)
def test_a_shuffled_order_is_every_row_once_and_the_seeds_own(load, features, labels):
    one, again, other = (load("shuffled", seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(np.sort(one.rows), np.arange(len(labels)))
    np.testing.assert_allclose(one.features, features[one.rows], atol=1e-6)
    np.testing.assert_array_equal(one.labels, labels[one.rows])
    np.testing.assert_array_equal(one.rows, again.rows)
    assert (one.rows != other.rows).mean() > 0.9
    assert len(np.unique(one.validation[1])) == len(np.unique(labels))


@pytest.mark.parametrize("validation_split", [0.2, 0.1, 1 / 3, 0.3, 0.5, 0.99, 0.007])
@pytest.mark.parametrize("load", [datasets.iris, datasets.digits])
def test_what_is_held_out_is_what_keras_holds_out(load, validation_split):
    from lossacc_helpers import training  # noqa: F401  (quiet, before Keras)

    keras_splits = pytest.importorskip("keras.src.trainers.data_adapters.array_slicing").train_validation_split
    data = load("sorted", validation_split=validation_split)
    (train, train_labels), (validation, validation_labels) = keras_splits(
        (data.features, data.labels), validation_split=validation_split
    )
    np.testing.assert_array_equal(np.asarray(train), data.train[0])
    np.testing.assert_array_equal(np.asarray(train_labels), data.train[1])
    np.testing.assert_array_equal(np.asarray(validation), data.validation[0])
    np.testing.assert_array_equal(np.asarray(validation_labels), data.validation[1])


def test_fit_itself_validates_on_those_rows():
    import keras

    from lossacc_helpers import training  # noqa: F401

    keras.utils.set_random_seed(0)  # with unlucky weights both parts would have nearly the same loss
    data = datasets.iris("sorted")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    history = model.fit(data.features, data.labels, validation_split=0.2, epochs=1, verbose=0).history
    loss, accuracy = model.evaluate(*data.validation, verbose=0)
    assert history["val_loss"][0] == pytest.approx(loss, rel=1e-5)
    assert history["val_accuracy"][0] == pytest.approx(accuracy)
    assert model.evaluate(*data.train, verbose=0)[0] != pytest.approx(loss, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": "random"}, "order must be 'sorted' or 'shuffled'; got 'random'"),
        ({"seed": -1}, "seed must be a whole number, 0 or more; got -1"),
        ({"seed": 1.5}, "seed must be a whole number, 0 or more; got 1.5"),
        ({"seed": 3.0}, "seed must be a whole number, 0 or more; got 3.0"),
        ({"seed": "3"}, "seed must be a whole number, 0 or more; got '3'"),
        ({"seed": True}, "seed must be a whole number, 0 or more; got True"),
        ({"validation_split": 0}, "validation_split must leave samples in both parts; got 0"),
        ({"validation_split": 1.0}, "validation_split must leave samples in both parts; got 1.0"),
        ({"validation_split": 0.9999}, "validation_split must leave samples in both parts; got 0.9999"),
        ({"validation_split": -0.2}, "validation_split must leave samples in both parts; got -0.2"),
        ({"validation_split": float("nan")}, "validation_split must leave samples in both parts; got nan"),
        ({"validation_split": "a fifth"}, "validation_split must be numbers; got text: 'a fifth'"),
        ({"validation_split": None}, "validation_split must be numbers; got Python objects: None"),
    ],
)
@pytest.mark.parametrize("load", [datasets.iris, datasets.digits])
def test_a_split_that_makes_no_sense_is_named_with_its_value(load, arguments, message):
    with pytest.raises(ValueError, match=message):
        load(**arguments)


@pytest.mark.parametrize("load", [datasets.iris, datasets.digits])
def test_data_cannot_be_changed_by_accident(load):
    data = load()
    for array in (data.features, data.labels, data.rows, *data.train, *data.validation):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    own = np.arange(3)
    held = datasets.HeldOut(own, own, own, 1)
    with pytest.raises(ValueError, match="read-only"):
        held.rows[0] = 1
    own[0] = 7  # the caller's own array stays writable


def test_data_sets_compare_as_objects_and_not_array_by_array():
    data = datasets.iris()
    assert data == data
    assert data != datasets.iris()
    assert len({data, data}) == 1


def test_without_scikit_learn_the_error_says_so_in_words(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match="the data come with scikit-learn, which is not installed; `make install`"):
        datasets.iris()

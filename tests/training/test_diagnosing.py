"""The callback that says at the end of a fit what the clinic makes of it."""

import keras
import numpy as np
import pytest

from lossacc_helpers import datasets
from lossacc_helpers.clinic import diagnose
from lossacc_helpers.training import DiagnoseTraining


def digits(train=500, validation=300):
    drawn = datasets.digits(seed=0)
    (x, y), (x_val, y_val) = drawn.train, drawn.validation
    return (x[:train], y[:train]), (x_val[:validation], y_val[:validation])


def network(*layers, rate=0.003, loss="sparse_categorical_crossentropy"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def fitted(model, clinic, data, epochs=12):
    return model.fit(*data[0], validation_data=data[1], epochs=epochs, batch_size=32, verbose=0, callbacks=[clinic])


def test_without_data_it_says_what_diagnose_says_of_the_history(capsys):
    clinic = DiagnoseTraining()
    data = digits()
    history = fitted(network(keras.layers.Dense(32, activation="relu")), clinic, data, epochs=6)
    assert repr(clinic.diagnosis) == repr(diagnose(history, classes=10))
    printed = capsys.readouterr().out
    assert printed.startswith("The curve clinic: healthy (0.58).")
    assert "To settle it:" in printed
    with pytest.raises(ValueError, match="no data were given"):
        _ = clinic.run


def test_dropout_is_settled_by_asking_the_training_samples_again(capsys):
    data = digits()
    layers = (keras.layers.Dense(128, activation="relu"), keras.layers.Dropout(0.6))
    clinic = DiagnoseTraining(*data)
    fitted(network(*layers), clinic, data)
    assert clinic.diagnosis.best.slug == "train-mode-penalty"
    assert "asked after it in inference mode" in clinic.diagnosis.best.evidence[0]
    assert "train-mode-penalty" in capsys.readouterr().out
    assert clinic.run.epochs == 12


def test_wrong_labels_and_copies_are_named():
    (x, y), (x_val, y_val) = digits()
    generator = np.random.default_rng(0)
    wrong = np.sort(generator.permutation(len(y))[:60])
    y = y.copy()
    y[wrong] = (y[wrong] + generator.integers(1, 10, 60)) % 10
    x_val, y_val = x_val.copy(), y_val.copy()
    x_val[:12], y_val[:12] = x[100:112], y[100:112]
    clinic = DiagnoseTraining((x, y), (x_val, y_val), quiet=True)
    fitted(network(keras.layers.Dense(256, activation="relu")), clinic, ((x, y), (x_val, y_val)), epochs=30)
    found = {finding.slug: finding for finding in clinic.diagnosis.findings}
    assert "12 of 300 validation samples" in found["leakage"].evidence[0]
    text = found["label-noise"].evidence[1]
    named = {int(word) for word in text.replace(",", " ").replace(".", " ").split() if word.isdigit()}
    named -= {int(text.split(" and ")[1].split()[0])} if " and " in text else set()
    assert len(named & set(wrong.tolist())) >= 4


def test_a_fit_that_cannot_be_judged_still_ends(capsys):
    clinic = DiagnoseTraining()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.zeros((4, 2)), np.zeros(4), verbose=0, callbacks=[clinic])
    assert "cannot-tell" in capsys.readouterr().out


def test_a_second_fit_and_rare_validation_are_kept_apart():
    data = digits(200, 100)
    clinic = DiagnoseTraining(quiet=True)
    model = network()
    fitted(model, clinic, data, epochs=3)
    model.fit(*data[0], validation_data=data[1], validation_freq=2, epochs=4, verbose=0, callbacks=[clinic])
    log = clinic.diagnosis.log
    assert log.epochs.tolist() == [1, 2, 3, 4]
    assert np.isnan(log.validation_loss).tolist() == [True, False, True, False]
    assert not log.broken.any()


def test_what_is_asked_too_early_or_given_wrongly_says_so():
    with pytest.raises(ValueError, match="nothing recorded yet"):
        _ = DiagnoseTraining().diagnosis
    with pytest.raises(ValueError, match="training data beside them"):
        DiagnoseTraining(None, digits()[1])

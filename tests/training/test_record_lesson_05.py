"""The recorded trainings of lesson 05 are those of `Model.fit`, and what is kept of them is of the words it says."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from lossacc_helpers import at_temperature, datasets, recordings
from lossacc_helpers.training import networks
from tools import record_lesson_05
from tools.record_lesson_05 import EXPERIMENTS, KEPT, TEMPERATURES, curves_of, part_of, run_of, train

pytestmark = pytest.mark.slow  # a recording is made anew when its lesson changes

TINY = {
    "verses": replace(EXPERIMENTS["verses"], amount=5, held_out=20, units=8, embedding=6, batch_size=16),
    "english": replace(
        EXPERIMENTS["english"], amount=400, held_out=200, units=8, embedding=6, batch_size=16, word_by_word=True
    ),
}


@pytest.mark.parametrize("name", TINY)
def test_what_is_kept_is_of_the_network_that_keras_trains(name):
    experiment = TINY[name]
    found = train(experiment, 0, epochs=2)
    if name == "verses":
        songs = datasets.verses(train_songs=5, validation_songs=20, test_songs=20)
        parts, padding = [songs.train.pairs, songs.validation.pairs, songs.test.pairs], 0
        build, words = networks.sequence_to_sequence, len(songs.vocabulary)
    else:
        text = datasets.english_text(train_words=400, validation_words=200, test_words=200)
        parts, padding = [text.train, text.validation, text.test], None
        build, words = networks.language_model, len(text.vocabulary)
    keras.utils.set_random_seed(0)
    model = build(words, embedding=6, units=8)
    model.compile(
        keras.optimizers.Adam(experiment.rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    model.fit(*parts[0], batch_size=16, epochs=2, verbose=0)
    for k, (inputs, labels) in enumerate(parts):
        told = np.ones(labels.shape, dtype=bool) if padding is None else labels != padding
        logs = at_temperature(model.predict(inputs, verbose=0)[told], 1.0)
        own = logs[np.arange(len(logs)), labels[told]]
        assert found["loss"][k, -1] == pytest.approx(-own.mean(), rel=1e-4)
        assert found["accuracy"][k, -1] == pytest.approx(np.mean(logs.argmax(axis=1) == labels[told]))
    run = run_of(found, words, {})
    inputs, labels = parts[1]
    first = tuple(one[:KEPT] for one in inputs) if isinstance(inputs, tuple) else inputs[:KEPT]
    told = np.ones(labels[:KEPT].shape, dtype=bool) if padding is None else labels[:KEPT] != padding
    logits = model.predict(first, verbose=0)[told]
    np.testing.assert_array_equal(run.validation.labels, labels[:KEPT][told])
    for k in (0, 4, len(TEMPERATURES) - 1):
        logs = at_temperature(logits, TEMPERATURES[k])
        history = run.validation.replica(k)
        own = logs[np.arange(len(logs)), history.labels]
        np.testing.assert_allclose(history.true_log_probabilities[-1], own, rtol=1e-3, atol=1e-4)
    curves = curves_of([found, found])
    np.testing.assert_allclose(curves["validation"].loss[1], found["loss"][1], rtol=1e-6)
    np.testing.assert_allclose(curves["test, scaled"].loss[0], found["scaled"][1], rtol=1e-6)
    if name == "verses":
        inputs, labels = parts[1]
        assert found["padded"][-1] == pytest.approx(
            np.mean(model.predict(inputs, verbose=0).argmax(axis=-1) == labels), abs=1e-3
        )


@pytest.mark.slow
def test_smoothed_labels_are_trained_on_and_the_plain_loss_is_kept():
    plain, smoothed = (train(replace(TINY["verses"], smoothing=share), 0, epochs=3) for share in (0.0, 0.5))
    assert smoothed["temperature"][-1] < plain["temperature"][-1]
    assert np.all(smoothed["loss"] > 0)


def test_a_network_of_a_changed_experiment_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(record_lesson_05, "PARTS", tmp_path)
    monkeypatch.setattr(record_lesson_05, "train", lambda *given: {"loss": np.arange(3.0)})
    assert part_of("verses", 0)["loss"].tolist() == [0, 1, 2]
    monkeypatch.setitem(EXPERIMENTS, "verses", replace(EXPERIMENTS["verses"], units=3))
    with pytest.raises(ValueError, match="was trained for another experiment"):
        part_of("verses", 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["verses"])
def test_two_epochs_come_out_again(name):
    kept = recordings.load_curves(f"lesson_05_{name}")
    again = train(EXPERIMENTS[name], 0, epochs=2)
    np.testing.assert_allclose(again["loss"], [kept[part].loss[0, :2] for part in ("train", "validation", "test")],
                               rtol=0.03)  # fmt: skip

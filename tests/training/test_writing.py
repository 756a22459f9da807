"""What a model writes is drawn from what it believes."""

import keras
import numpy as np
import pytest

from lossacc_helpers.training import networks, write


def chain(logits):
    """A model in which every word depends on the one before it alone, by these logits (word, next word)."""
    count = len(logits)
    built = keras.Sequential([keras.Input((None,), dtype="int32"), keras.layers.Embedding(count, count)])
    built.layers[0].set_weights([np.asarray(logits, dtype=np.float32)])
    return built


ROUND = 9.0 * np.roll(np.eye(4), 1, axis=1)  # 0 -> 1 -> 2 -> 3 -> 0


def test_the_most_probable_word_is_taken_at_temperature_zero():
    assert write(chain(ROUND), [0], 6, temperature=0).tolist() == [1, 2, 3, 0, 1, 2]
    assert write(chain(ROUND), [3, 1], 6, temperature=0, end=3).tolist() == [2, 3]


def test_words_come_as_often_as_the_temperature_says():
    logits = np.log([[0.5, 0.3, 0.2]] * 3)
    for temperature in (1.0, 0.5):
        chances = np.exp(logits[0] / temperature)
        written = write(chain(logits), np.zeros((400, 1), int), 5, temperature=temperature, seed=1)
        assert np.bincount(written.ravel(), minlength=3) / 2000 == pytest.approx(chances / chances.sum(), abs=0.04)
    for temperature in (0, 1.0, float("inf")):
        assert 0 not in write(chain(logits), [0], 50, never=(0,), temperature=temperature)


def test_sequences_that_have_ended_wait_for_the_others():
    assert write(chain(ROUND), [[0], [2]], 6, temperature=0, end=3).tolist() == [[1, 2, 3], [3, 3, 3]]


def test_the_line_before_is_told_to_a_model_that_asks_for_it():
    keras.utils.set_random_seed(0)
    model = networks.sequence_to_sequence(9, embedding=6, units=30)
    model.set_weights([5 * weight for weight in model.get_weights()])
    told = {tuple(write(model, [1], 5, before=[word, 2], temperature=0)) for word in range(3, 9)}
    assert len(told) > 1
    first = write(model, [1], 5, before=[3, 2], seed=4)
    assert write(model, [1], 5, before=[3, 2], seed=4).tolist() == first.tolist()


@pytest.mark.parametrize(
    ("so_far", "options", "message"),
    [
        ([0], {"temperature": -1}, "temperature must be 0, or 1e-06 or more; got -1"),
        ([0], {"temperature": float("nan")}, "temperature must be"),
        ([0], {"temperature": 1e-300}, "temperature must be 0, or 1e-06 or more; got 1e-300"),
        ([0], {"never": (0, 1, 2, 3)}, r"never must leave some of the words 0\.\.3 to be written"),
        ([0], {"never": (9,)}, r"never must leave some of the words 0\.\.3 to be written"),
        ([], {}, r"so_far must be word numbers, \(word,\) or \(sequence, word\); got float64 of shape \(0,\)"),
        ([4], {}, r"so_far must lie in 0\.\.3, the words the model answers with; got \[4\]"),
        ([0], {"before": [0.5]}, "before must be word numbers"),
        ([0], {"before": [[1], [2]]}, "there must be a line before for each beginning; got 2 for 1"),
    ],
)
def test_what_cannot_be_written_is_refused(so_far, options, message):
    with pytest.raises(ValueError, match=message):
        write(chain(ROUND), so_far, 3, **options)

"""The lessons' networks, for the places where a lesson does not write them out."""

from __future__ import annotations

from typing import Any

import keras

from lossacc_helpers._validation import as_number, as_whole_number, check_unit_interval
from lossacc_helpers.datasets.regions import check_size

_LEAST_SIDE = 4  # of an image, of which two poolings leave one pixel


def dense(features: int, hidden: int, classes: int) -> keras.Model:
    """One hidden layer of rectified units and a softmax, uncompiled: the network of lesson 02 for (4, 8, 3)."""
    return keras.Sequential(
        [
            keras.Input((features,)),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )


def convolutional(size: tuple[int, int], classes: int, *, dropout: float = 0.25) -> keras.Model:
    """The network of lesson 03 for grey images of a size (height, width), uncompiled; it answers with logits.

    Three convolutions and one dense layer, as the question states them. Numbers of filters, pooling, and where the
    dropout stands are ours.
    """
    return keras.Sequential(
        [
            keras.Input((*size, 1)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(classes),
        ]
    )


def forgery_detector(
    size: tuple[int, int],
    *,
    dropout: str = "as asked",
    momentum: float = 0.99,
    batch_norm: bool = True,
    pixels: tuple[float, float] = (0.0, 255.0),
) -> keras.Model:
    """The network of lesson 04 for colour images of a size (height, width), uncompiled; it answers with probabilities.

    Layer by layer as the question states it, for images with channels last. That bytes are divided by 255 is ours.
    The other settings are for experiments.

    Parameters
    ----------
    size
        Height and width of an image, in pixels, at least 4; values 0 to 255.
    dropout
        ``"as asked"``; ``"removed"``; or ``"moved"``, with all three in a row behind the last BatchNormalization.
    momentum
        Of every BatchNormalization's moving averages, from 0 to 1. They play no part in training.
    batch_norm
        False leaves every BatchNormalization out.
    pixels
        What is subtracted from every pixel, and what the rest is divided by, more than 0.

    Raises
    ------
    ValueError
        For another word for dropout, and for what lies outside these ranges.
    """
    height, width = check_size(size)
    if min(height, width) < _LEAST_SIDE:
        raise ValueError(f"images must have at least {_LEAST_SIDE} x {_LEAST_SIDE} pixels; got {height} x {width}")
    kept = as_number(check_unit_interval(momentum, "momentum"), "momentum")
    places: dict[Any, tuple[float, ...]] = {"as asked": (0.25, 0.25, 0.5), "removed": (), "moved": (0.25, 0.25, 0.5)}
    if not isinstance(dropout, str) or dropout not in places:
        raise ValueError(f"dropout must be one of {', '.join(map(repr, places))}; got {dropout!r}")
    rates = iter(places[dropout])

    less, divisor = (as_number(one, "pixels") for one in pixels)
    if divisor <= 0:
        raise ValueError(f"pixels must be divided by more than 0; got {divisor:g}")

    def normalised(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
        norm = [keras.layers.BatchNormalization(momentum=kept)] if batch_norm else []
        return [layer, keras.layers.Activation("relu"), *norm]

    def drop() -> list[keras.layers.Layer]:
        return [keras.layers.Dropout(next(rates))] if dropout == "as asked" else []

    return keras.Sequential(
        [
            keras.Input((height, width, 3)),
            keras.layers.Rescaling(1 / divisor, offset=(0 - less) / divisor),
            *normalised(keras.layers.Conv2D(16, 3, padding="same")),
            *normalised(keras.layers.Conv2D(16, 1, padding="same")),
            keras.layers.MaxPooling2D(),
            *drop(),
            *normalised(keras.layers.Conv2D(32, 1, padding="same")),
            *normalised(keras.layers.Conv2D(32, 1, padding="same")),
            keras.layers.MaxPooling2D(),
            *drop(),
            keras.layers.Flatten(),
            *normalised(keras.layers.Dense(64)),
            *drop(),
            *map(keras.layers.Dropout, rates),
            keras.layers.Dense(2),
            keras.layers.Activation("softmax"),
        ]
    )


def language_model(vocabulary_size: int, *, embedding: int = 64, units: int = 128) -> keras.Model:
    """The language model of lesson 05, uncompiled: words (sequence, step) in, logits of the next word out.

    One word's numbers become a vector of ``embedding`` numbers, an LSTM of ``units`` reads these, a dense layer answers
    (sequence, step, word).
    """
    words = as_whole_number(vocabulary_size, "vocabulary_size", least=2)
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(words, as_whole_number(embedding, "embedding", least=1)),
            keras.layers.LSTM(as_whole_number(units, "units", least=1), return_sequences=True),
            keras.layers.Dense(words),
        ]
    )


def sequence_to_sequence(vocabulary_size: int, *, embedding: int = 64, units: int = 128) -> keras.Model:
    """The encoder and decoder of lesson 05, uncompiled: two inputs, the line before and the line so far; logits out.

    Both are (line, step) of word numbers, 0 for padding, which is masked: also in what Keras computes of the output. An
    LSTM reads the line before, another begins in the state in which the first ended and answers (line, step, word) for
    the word after each of the line so far. Both share an embedding.
    """
    words = as_whole_number(vocabulary_size, "vocabulary_size", least=2)
    width = as_whole_number(units, "units", least=1)
    before = keras.Input((None,), dtype="int32", name="before")
    so_far = keras.Input((None,), dtype="int32", name="so_far")
    embed = keras.layers.Embedding(words, as_whole_number(embedding, "embedding", least=1), mask_zero=True)
    _, *state = keras.layers.LSTM(width, return_state=True)(embed(before))
    told = keras.layers.LSTM(width, return_sequences=True)(embed(so_far), initial_state=state)
    return keras.Model([before, so_far], keras.layers.Dense(words)(told))


def adam(rate: float) -> keras.optimizers.Optimizer:
    """Adam as the questions use it: Keras's defaults, and epsilon as the question states it."""
    return keras.optimizers.Adam(rate, epsilon=1e-8)

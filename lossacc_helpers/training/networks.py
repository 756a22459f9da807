"""The lessons' networks, for the places where a lesson does not write them out."""

from __future__ import annotations

import keras


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


def adam(rate: float) -> keras.optimizers.Optimizer:
    """Adam as the questions use it: Keras's defaults, and epsilon as the question states it."""
    return keras.optimizers.Adam(rate, epsilon=1e-8)

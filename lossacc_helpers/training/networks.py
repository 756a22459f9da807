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


def adam(rate: float) -> keras.optimizers.Optimizer:
    """Adam as the questions use it: Keras's defaults, and epsilon as the question states it."""
    return keras.optimizers.Adam(rate, epsilon=1e-8)

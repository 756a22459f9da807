"""Lets a trained model of words write: word by word, each drawn from what the model believes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers._validation import as_number, as_whole_number
from lossacc_helpers.datasets.arrays import Array


def write(
    model: keras.Model,
    so_far: Any,
    words: int,
    *,
    before: Any = None,
    temperature: float = 1.0,
    end: int | None = None,
    never: tuple[int, ...] = (),
    seed: int = 0,
) -> Array:
    """Return the words that a model adds to a beginning, (word,) int64.

    Parameters
    ----------
    model
        Answers with logits (sequence, step, word).
    so_far
        (word,) numbers of the beginning, at least one.
    words
        How many words are added at most.
    before
        (word,) numbers of the line before, for a model that has it as its first input.
    temperature
        Logits are divided by it before a word is drawn; 0 takes the most probable word every time.
    end
        A word after which the writing stops.
    never
        Words that are never written, such as padding.
    seed
        Of the drawing.

    Raises
    ------
    ValueError
        For a temperature below 0, a beginning without a word, and words that the model has no logit for.
    """
    heat = as_number(temperature, "temperature")
    if heat < 0:
        raise ValueError(f"temperature must be 0 or more; got {heat:g} (0 takes the most probable word every time)")
    count = as_whole_number(words, "words", least=1)
    known = int(model.outputs[0].shape[-1])
    told = _numbers(so_far, "so_far", known)
    lines = [] if before is None else [tf.constant(_numbers(before, "before", known)[None], tf.int32)]
    generator = np.random.default_rng(seed)
    for _ in range(count):
        so_far_now = tf.constant(told[None], tf.int32)
        outputs = model([*lines, so_far_now] if lines else so_far_now, training=False)
        logits = np.asarray(outputs[0, -1], dtype=np.float64)
        logits[list(never)] = -np.inf
        if heat > 0:
            chances = np.exp((logits - logits.max()) / heat)
            word = int(generator.choice(known, p=chances / chances.sum()))
        else:
            word = int(logits.argmax())
        told = np.append(told, word)
        if word == end:
            break
    return told[len(np.atleast_1d(so_far)) :]


def _numbers(given: Any, name: str, known: int) -> Array:
    array = np.asarray(given)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be one word number or more, (word,); got {array.dtype} of shape {array.shape}")
    if ((array < 0) | (array >= known)).any():
        raise ValueError(f"{name} must lie in 0..{known - 1}, the words the model answers with; got {array.tolist()}")
    return array.astype(np.int64)

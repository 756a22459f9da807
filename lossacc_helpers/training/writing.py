"""Lets a trained model of words write: word by word, each drawn from what the model believes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers._validation import as_number, as_whole_number
from lossacc_helpers.datasets.arrays import Array

_LEAST = 1e-6  # of a temperature above 0: below, logits divided by it are too large for a float


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
    """Return the words that a model adds to a beginning, (word,) int64, or (sequence, word) to several at once.

    Parameters
    ----------
    model
        Answers with logits (sequence, step, word).
    so_far
        Numbers of the beginning, (word,) or (sequence, word), at least one word.
    words
        How many words are added at most.
    before
        Numbers of the line before, (step,) or (sequence, step), for a model that has it as its first input.
    temperature
        Logits are divided by it before a word is drawn; 0 takes the most probable word every time, infinity draws all
        words alike.
    end
        A word after which a sequence stops; it is repeated where others go on.
    never
        Words that are never written, such as padding.
    seed
        Of the drawing.

    Raises
    ------
    ValueError
        For a temperature below 0, a beginning without a word, lines before that are not as many as the beginnings, and
        words that the model has no logit for.
    """
    heat = as_number(temperature, "temperature")
    if not heat >= 0 or 0 < heat < _LEAST:
        raise ValueError(
            f"temperature must be 0, or {_LEAST:g} or more; got {heat:g} (0 takes the most probable word every time)"
        )
    count = as_whole_number(words, "words", least=1)
    known = int(model.outputs[0].shape[-1])
    told, single = _numbers(so_far, "so_far", known)
    inputs = [] if before is None else [tf.constant(_numbers(before, "before", known)[0], tf.int32)]
    if inputs and len(inputs[0]) != len(told):
        raise ValueError(f"there must be a line before for each beginning; got {len(inputs[0])} for {len(told)}")
    forbidden = sorted({as_whole_number(word, "never", least=0) for word in never})
    if (forbidden and forbidden[-1] >= known) or len(forbidden) == known:
        raise ValueError(f"never must leave some of the words 0..{known - 1} to be written; got {never}")
    generator, started = np.random.default_rng(as_whole_number(seed, "seed", least=0)), told.shape[1]
    ended = np.zeros(len(told), dtype=bool)
    for _ in range(count):
        now = tf.constant(told, tf.int32)
        logits = np.asarray(model([*inputs, now] if inputs else now, training=False)[:, -1], dtype=np.float64)
        if heat > 0:  # the largest of logits with Gumbel noise is a draw from their softmax
            logits = logits / heat + generator.gumbel(size=logits.shape)
        logits[:, forbidden] = -np.inf
        drawn = np.where(ended, end if end is not None else 0, logits.argmax(axis=-1))
        told = np.concatenate([told, drawn[:, None]], axis=1)
        ended |= drawn == end
        if ended.all():
            break
    added: Array = told[:, started:]
    return added[0] if single else added


def _numbers(given: Any, name: str, known: int) -> tuple[Array, bool]:
    """Word numbers (sequence, word), and whether they were given as one sequence."""
    array = np.asarray(given)
    if array.ndim not in (1, 2) or not array.size or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be word numbers, (word,) or (sequence, word); got {array.dtype} of shape {array.shape}"
        )
    if ((array < 0) | (array >= known)).any():
        raise ValueError(f"{name} must lie in 0..{known - 1}, the words the model answers with; got {array.tolist()}")
    return np.atleast_2d(array).astype(np.int64), array.ndim == 1

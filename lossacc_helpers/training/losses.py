"""The loss of a batch as ``Model.fit`` takes it, and which losses share a compiled program."""

from __future__ import annotations

import json
from typing import Any

import keras
import tensorflow as tf

from lossacc_helpers.training._keras import mask_of
from lossacc_helpers.training.outputs import Output, logits_of


def read_loss(loss: Any, output: Output) -> Any:
    """None where the loss is the cross-entropy that the last activation asks for, else something to call.

    Raises
    ------
    ValueError
        For a name Keras does not know, and for what cannot be called.
    """
    if loss is None:
        return None
    try:
        loss = keras.losses.get(loss)
    except ValueError as error:
        raise ValueError(f"loss {loss!r} is not a name Keras knows; try 'sparse_categorical_crossentropy'") from error
    if not callable(loss):
        raise ValueError(f"loss must be a Keras loss, its name or a function; got {type(loss).__name__}")
    return None if _is_usual(loss, output) else loss


def _is_usual(loss: Any, output: Output) -> bool:
    """Whether this loss is the cross-entropy that the last activation asks for, under whichever of its names."""
    cross_entropies: tuple[Any, ...] = (
        (keras.losses.BinaryCrossentropy, keras.losses.binary_crossentropy)
        if output.units == 1
        else (
            keras.losses.CategoricalCrossentropy,
            keras.losses.SparseCategoricalCrossentropy,
            keras.losses.categorical_crossentropy,
            keras.losses.sparse_categorical_crossentropy,
        )
    )
    if not isinstance(loss, keras.losses.Loss):
        return loss in cross_entropies and output.kind != "logits"  # a bare function expects probabilities
    if type(loss) not in cross_entropies:
        return False
    usual = type(loss)(from_logits=output.kind == "logits")
    return loss.dtype == "float32" and {**loss.get_config(), "name": ""} == {**usual.get_config(), "name": ""}


def batch_loss(loss: Any, output: Output, labels: Any, predictions: Any) -> Any:
    """One number, inside a traced function: what ``Model.fit`` would differentiate for this batch.

    Raises
    ------
    ValueError
        Where a mask came through the network: ``Model.fit`` would weight the samples by it.
    """
    if mask_of(predictions) is not None:
        raise ValueError("a mask reaches the network's output, and fit_replicas would not weight the samples by it")
    column = tf.cast(labels, tf.float32)[:, None]
    if loss is None:
        logits = logits_of(predictions, output)
        if output.units == 1:
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(column, logits))
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    rows = labels if _expects_ids(loss) else tf.one_hot(labels, output.classes)
    targets = column if output.units == 1 else rows
    values = tf.cast(loss(targets, predictions), tf.float32)
    # A Keras loss has reduced its values as it was asked to; what it left apart (reduction="none"), a gradient adds up.
    # What a bare function returns, Keras averages.
    return tf.reduce_sum(values) if isinstance(loss, keras.losses.Loss) else tf.reduce_mean(values)


def _expects_ids(loss: Any) -> bool:
    return loss is keras.losses.sparse_categorical_crossentropy or isinstance(
        loss, keras.losses.SparseCategoricalCrossentropy
    )


def key(loss: Any) -> str | None:
    """A text equal for losses that share a program; None for a learner's own, which may read anything."""
    if loss is None:
        return "cross-entropy"
    if isinstance(loss, keras.losses.Loss):
        config = loss.get_config()
        if not type(loss).__module__.startswith("keras.") or "fn" in config:
            return None
        return f"{type(loss).__name__}{loss.dtype}{json.dumps(config, sort_keys=True, default=str)}"
    module = str(getattr(loss, "__module__", ""))
    return f"{module}.{loss.__name__}" if module.startswith("keras.") and hasattr(loss, "__name__") else None


def describe(loss: Any) -> str:
    """The loss in a word, for a run's settings."""
    if loss is None or isinstance(loss, str):
        return loss or "cross-entropy"
    return str(getattr(loss, "name", getattr(loss, "__name__", type(loss).__name__)))

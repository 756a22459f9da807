"""What training needs of Keras beyond its public names, each checked on first use; and to leave a model as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import keras
import tensorflow as tf


def layer_types(names: str) -> frozenset[type]:
    """Keras's own layer classes of these names."""
    return frozenset(getattr(keras.layers, name) for name in names.split())


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """The model, its layers and theirs, outer before inner."""
    return list(model._flatten_layers())


def operation_of(tensor: Any) -> Any:
    """The layer or operation that a symbolic tensor came out of."""
    return tensor._keras_history.operation


def sources_of(tensor: Any) -> list[Any]:
    """The symbolic tensors that went into that operation."""
    history = tensor._keras_history
    return list(history.operation._inbound_nodes[history.node_index].input_tensors)


def was_made_before(weight: keras.Variable) -> bool:
    """Inside a ``StatelessScope``: whether the weight is older than the scope, which defers the values of new ones."""
    return weight._value is not None


def seed_generators_of(layer: keras.layers.Layer) -> list[keras.random.SeedGenerator]:
    """The generators of a random layer, each with a ``state`` of two integers."""
    return list(layer._seed_generators)


def kept_logits(predictions: Any) -> Any | None:
    """The logits that Keras keeps beside the output of its softmax and sigmoid, None where they have been lost."""
    return getattr(predictions, "_keras_logits", None)


def mask_of(tensor: Any) -> Any | None:
    """The mask by which ``Model.fit`` would weight the samples of a batch."""
    return getattr(tensor, "_keras_mask", None)


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> Any:
    """The learning rate as it was given: a number in a variable, a schedule or a function."""
    return optimizer._learning_rate


def spares_weights(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether some variables were exempted from weight decay, which no configuration shows."""
    return any(getattr(optimizer, f"_exclude_from_weight_decay{part}", None) for part in ("", "_pattern"))


def reader_of_arrays() -> Any | None:
    """The class whose ``get_tf_dataset`` makes the pipeline of arrays for `fit`, or None where Keras has none."""
    try:
        from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
    except ImportError:
        return None
    return ArrayDataAdapter


@cache
def check_keras() -> None:
    """Raise `RuntimeError` where this Keras does not run on TensorFlow or keeps its private parts elsewhere."""
    if (backend := keras.backend.backend()) != "tensorflow":
        raise RuntimeError(
            f"training here needs Keras on TensorFlow; it runs on {backend}. Start Python with KERAS_BACKEND=tensorflow"
        )
    for what, holds in _checks().items():
        try:
            held = holds()
        except Exception:
            held = False
        if not held:
            raise RuntimeError(
                f"Keras {keras.__version__} no longer keeps {what} where this package reads them; `make install` "
                "installs the version it was tested with"
            )


def _checks() -> dict[str, Callable[[], bool]]:
    # Names and seeds are given: automatic ones would count on for the caller, and draw from the caller's generators.
    entry = keras.Input((2,), name="check_input")
    masking = keras.layers.Masking(name="check_masking")
    dropout = keras.layers.Dropout(0.5, seed=0, name="check_dropout")
    last = keras.layers.Dense(2, activation="softmax", kernel_initializer="zeros", name="check_dense")
    single = keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros", name="check_single")
    hidden = dropout(masking(entry))
    output = last(hidden)
    model = keras.Model(entry, output, name="check")
    row = tf.zeros((1, 2))

    def spared(**which: Any) -> bool:
        optimizer = keras.optimizers.AdamW(name="check")
        before = spares_weights(optimizer)
        optimizer.exclude_from_weight_decay(**which)
        return spares_weights(optimizer) and not before

    return {
        "the layers of a model": lambda: set(layers_of(model)) >= {model, masking, dropout, last},
        "the history of tensors": lambda: operation_of(output) is last and sources_of(output)[0] is hidden,
        "the values of new weights": lambda: was_made_before(last.kernel) and not _new_weight_is_old(),
        "seed generators": lambda: len(seed_generators_of(dropout)) == 1 and not seed_generators_of(last),
        "logits": lambda: all(kept_logits(layer(row)) is not None for layer in (last, single)),
        "masks": lambda: mask_of(output) is not None and mask_of(entry) is None,
        "learning rates": lambda: float(learning_rate_of(keras.optimizers.SGD(0.5, name="check"))) == 0.5,
        "exemptions from weight decay": lambda: spared(var_names=["bias"]) and spared(var_list=[last.kernel]),
    }


def _new_weight_is_old() -> bool:
    with keras.StatelessScope():
        return was_made_before(
            keras.Variable(lambda shape, dtype: tf.zeros(shape, dtype), shape=(1,), name="check_new")
        )


@contextmanager
def untouched(model: keras.Model) -> Iterator[None]:
    """Put back afterwards what a call of the model may move: statistics and the generators of random numbers."""
    kept = [(variable, variable.numpy()) for variable in model.non_trainable_variables]
    try:
        yield
    finally:
        for variable, value in kept:
            variable.assign(value)

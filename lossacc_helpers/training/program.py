"""What every compiled training program shares: its inputs, its outputs, and the shelf on which programs are kept."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock, RLock
from time import perf_counter
from types import FunctionType
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers.training._keras import layer_types, layers_of

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Inputs:
    """Everything a program reads when it runs; none of it is compiled in.

    Attributes
    ----------
    initial_weights
        One array per entry of ``model.weights``, each with a leading replica axis.
    seed_states
        One array (replica, 2) per seed generator of the model (dropout and its like).
    orders
        (replica, epoch, sample): the order in which each epoch visits the training samples.
    train_features, train_labels
        (sample, ...) and class ids (sample,).
    features
        Training and validation features together: what is predicted after every epoch.
    rate
        Learning rate.
    """

    initial_weights: list[Array]
    seed_states: list[Array]
    orders: Array
    train_features: Array
    train_labels: Array
    features: Array
    rate: float


@dataclass(frozen=True)
class Outputs:
    """What a program returns: log-probabilities (replica, epoch, sample, class) and the weights at the end."""

    log_probabilities: Array
    final_weights: list[Array]


class Program(Protocol):
    """A compiled training run."""

    def run(self, inputs: Inputs) -> Outputs:
        """Train every replica and predict all samples after each epoch."""


_MOMENT = 1.0  # seconds for one call of a program, as far as that can be chosen
_LARGEST_RECORD = 2**25  # bytes


class Pace:
    """Cuts a run into calls of a compiled program, because nothing can stop a call.

    A call costs half a millisecond of its own, so it takes as many epochs as fit into a moment, by the last one's
    speed. Where a run is cut changes nothing in it: calls hand the whole state on.

    Parameters
    ----------
    epochs
        Of the whole run.
    numbers
        Four bytes each, that an epoch records.

    Attributes
    ----------
    longest
        The largest number of epochs in one call; the program holds room for their record.
    """

    def __init__(self, epochs: int, numbers: int) -> None:
        self.longest = max(1, min(epochs, _LARGEST_RECORD // (4 * numbers)))
        self._total = epochs
        self._next = 1  # the first call also compiles
        self._calling = Lock()

    def record(self, call: Callable[[int, int], Array]) -> Array:
        """The record (epoch, ...) of a run, from ``call(first, last)``, which returns that of epochs [first, last)."""
        parts, first = [], 0
        while first < self._total:
            # A program trains on variables of its own, and a call goes on when its caller was interrupted.
            with self._calling:
                last = min(first + self._next, self._total)
                began = perf_counter()
                parts.append(call(first, last))
                speed = (last - first) / (perf_counter() - began)
                self._next = max(1, min(self.longest, int(speed * _MOMENT)))
            first = last
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class Shelf:
    """Keeps the programs used last; a slider that moves among a few shapes compiles each of them once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._programs: OrderedDict[Hashable, Program] = OrderedDict()
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self._programs)

    def get(self, key: Hashable | None, make: Callable[[], Program]) -> Program:
        """The program under this key, made where it is new; a key of None is never kept."""
        with self._lock:
            if key is not None and key in self._programs:
                self._programs.move_to_end(key)
                return self._programs[key]
            program = make()
            if key is not None:
                self._programs[key] = program
                while len(self._programs) > self._size:
                    self._programs.popitem(last=False)
            return program


# Layers whose configuration and weights say all that their calls read. Others may keep a tensor of their own, as an
# adapted Normalization does.
_KNOWN = layer_types(
    "InputLayer Dense EinsumDense Embedding Activation Softmax ReLU LeakyReLU ELU PReLU Identity Flatten Reshape "
    "Permute RepeatVector Rescaling Add Subtract Multiply Average Maximum Minimum Concatenate Dot "
    "Dropout AlphaDropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D SpatialDropout3D "
    "ActivityRegularization BatchNormalization LayerNormalization GroupNormalization UnitNormalization "
    "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D DepthwiseConv2D "
    "SeparableConv1D SeparableConv2D AveragePooling1D AveragePooling2D AveragePooling3D "
    "MaxPooling1D MaxPooling2D MaxPooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
    "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D "
    "Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D"
)


def architecture_key(model: keras.Model) -> str | None:
    """A text equal for models that share a compiled program, or None where that cannot be known.

    Layer names count up with every model built, so they are replaced by their places. Layers this module does not know,
    bare operations, functions and other parts that are not Keras's own may hold state their configuration does not
    show; a model with such a part shares nothing.
    """
    layers = layers_of(model)
    if not all(_is_known(layer) and has_own_parts_only(layer) for layer in layers):
        return None
    names = {layer.name: f"#{place}" for place, layer in enumerate(layers)}
    try:
        text = json.dumps([_with_names(model.get_config(), names), _switches(model)], sort_keys=True)
    except (TypeError, NotImplementedError):  # a part that is no plain configuration
        return None
    return f"{type(model).__name__}{text}"


def _is_known(layer: keras.layers.Layer) -> bool:
    if not isinstance(layer, keras.Model):
        return type(layer) in _KNOWN
    operations = getattr(layer, "operations", ())
    # A model leaves its own activity regulariser out of its configuration.
    plain = _is_keras_own(type(layer)) and layer.activity_regularizer is None
    return plain and all(isinstance(operation, keras.layers.Layer) for operation in operations)


def has_own_parts_only(layer: keras.layers.Layer) -> bool:
    """Whether all functions and objects that this layer calls are Keras's own, and it holds no tensor but its weights.

    A function of the learner's own may carry the name of one of Keras's, and a configuration shows only the name.
    """
    values = [value for name, value in vars(layer).items() if not name.endswith(_IRRELEVANT)]
    parts = [value for value in values if callable(value)]
    return not any(isinstance(value, (np.ndarray, tf.Tensor)) for value in values) and all(
        _is_keras_own(part if isinstance(part, FunctionType) else type(part)) for part in parts
    )


# Initial weights are inputs of a program; the two methods Keras wraps anew in every layer.
_IRRELEVANT = ("_initializer", "build", "quantize")


def _switches(model: keras.Model) -> list[Any]:
    """What may be set on each weight itself, past the layer that holds it: whether it is trained, and its extras."""
    trained = {id(weight) for weight in model.trainable_variables}
    return [
        (id(weight) in trained, _configured(weight.regularizer), _configured(weight.constraint))
        for weight in model.weights
    ]


def _configured(part: Any) -> Any:
    if part is None:
        return None
    if not _is_keras_own(type(part)):
        raise NotImplementedError("a part of the learner's own may hold anything")
    return type(part).__name__, part.get_config()


def _is_keras_own(part: Any) -> bool:
    """Whether this function or class is the one that a module of Keras holds under its name."""
    module = str(getattr(part, "__module__", ""))
    return module.startswith("keras.") and getattr(sys.modules.get(module), part.__name__, None) is part


def _with_names(config: Any, names: dict[str, str], *, naming: bool = False) -> Any:
    """A configuration whose layers' names are replaced, only where they stand for layers: one may be named "relu"."""
    if isinstance(config, dict):
        return {
            key: _with_names(value, names, naming=key in _NAMING)
            for key, value in config.items()
            if not key.endswith(_IRRELEVANT)
        }
    if isinstance(config, (list, tuple)):
        return [_with_names(value, names, naming=naming) for value in config]
    return names.get(config, config) if naming and isinstance(config, str) else config


_NAMING = ("name", "keras_history", "input_layers", "output_layers")

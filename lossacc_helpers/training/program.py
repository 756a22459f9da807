"""What every compiled training program shares: its inputs, its outputs, and the shelf on which programs are kept."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from types import FunctionType
from typing import Any, Protocol

import keras
import numpy as np

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


class Shelf:
    """Keeps the programs used last; a slider that moves among a few shapes compiles each of them once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._programs: OrderedDict[Hashable, Program] = OrderedDict()
        self._lock = Lock()

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


def architecture_key(model: keras.Model) -> str | None:
    """A text equal for models that share a compiled program, or None where that cannot be known.

    Layer names count up with every model built, so they are replaced by their places. Layers, functions and other parts
    that are not Keras's own may hold state their configuration does not show; a model with such a part shares nothing.
    """
    layers = model._flatten_layers()
    if not all(_is_keras_own(type(layer)) and _has_own_parts_only(layer) for layer in layers):
        return None
    names = {layer.name: f"#{place}" for place, layer in enumerate(layers)}
    try:
        text = json.dumps(_with_names(model.get_config(), names), sort_keys=True)
    except (TypeError, NotImplementedError):  # a part that is no plain configuration
        return None
    return f"{type(model).__name__}{text}"


def _has_own_parts_only(layer: keras.layers.Layer) -> bool:
    # A function of the learner's own may carry the name of one of Keras's, and a configuration shows only the name.
    if isinstance(layer, keras.layers.Lambda):
        return False
    parts = (value for name, value in vars(layer).items() if callable(value) and not name.endswith(_IRRELEVANT))
    return all(_is_keras_own(part if isinstance(part, FunctionType) else type(part)) for part in parts)


# Initial weights are inputs of a program; the two methods Keras wraps anew in every layer.
_IRRELEVANT = ("_initializer", "build", "quantize")


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

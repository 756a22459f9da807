"""Draws many replicas' initial weights from a model's own initialisers, without building a model for each."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from lossacc_helpers.training._keras import layers_of, was_made_before

Array = np.ndarray[Any, np.dtype[Any]]
Draw = Callable[[np.random.Generator], Array]

# The standard deviation of a standard normal truncated at two, by which Keras divides.
_TRUNCATED_DEVIATION = 0.87962566103423978


@contextlib.contextmanager
def global_seeds_untouched() -> Iterator[None]:
    """Put the module-level generators back afterwards: Keras takes default seeds there, but they are the caller's."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002  (Keras seeds this one)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def build(build_model: Callable[[], Any]) -> tuple[Any, bool]:
    """A new model, and whether its weights are what its initialisers drew.

    Keras defers what happens to variables inside a ``StatelessScope``, and notes every assignment in it. So a model
    whose building assigned nothing comes out of the scope as it would without (in less than half the time); one whose
    weights were set by hand, or that cannot be built there (a compiled one), is built again outside.
    """
    scope, built_there = keras.StatelessScope(), False
    with contextlib.suppress(Exception), scope:  # outside it succeeds, or fails with an error that is the caller's own
        model = build_model()
        older = isinstance(model, keras.Model) and any(map(was_made_before, model.weights))
        built_there = True
    if not built_there or scope.state_mapping:
        model = build_model()
        others = {id(weight) for weight in getattr(build_model(), "weights", ())}
        older = isinstance(model, keras.Model) and any(id(weight) in others for weight in model.weights)
    if older:
        raise ValueError(
            "build_model must build a new model each time it is called; this one holds weights from outside. Load or "
            "clone a trained part inside build_model, as keras.models.clone_model and set_weights do"
        )
    if scope.state_mapping or not isinstance(model, keras.Model):
        return model, False
    return model, built_there or _is_as_drawn(model)


def _is_as_drawn(model: keras.Model) -> bool:
    """Whether each weight holds what its initialiser draws: Keras's initialisers draw the same every time."""
    for layer, weight in _owners(model):
        initializer = _initializer_of(layer, weight)
        if initializer is None or not np.array_equal(weight.value, initializer(weight.shape, dtype=weight.dtype)):
            return False
    return True


def draw_initial_weights(
    model: keras.Model,
    build_model: Callable[[], keras.Model],
    generators: Sequence[np.random.Generator],
    *,
    as_drawn: bool,
) -> list[Array]:
    """One array per entry of ``model.weights``, with a leading replica axis.

    Weights with a known initialiser are drawn for each replica in NumPy. Where weights were set by hand, or have an
    initialiser this module does not know, each replica gets a model of its own from ``build_model``.

    Parameters
    ----------
    model
        A model fresh from ``build_model``.
    build_model
        Builds one more model, in the slow case.
    generators
        One random generator per replica; replica k uses only generator k.
    as_drawn
        Whether the model's weights are what its initialisers drew (see ``build``).
    """
    draws = [_draw_of(layer, weight) for layer, weight in _owners(model)] if as_drawn else [None]
    if any(draw is None for draw in draws):
        return _weights_of_built_models(build_model, generators)
    stacked = [np.empty((len(generators), *weight.shape), dtype=np.float32) for weight in model.weights]
    for k, generator in enumerate(generators):
        for target, draw in zip(stacked, draws, strict=True):
            assert draw is not None
            target[k] = draw(generator)
    return stacked


def _owners(model: keras.Model) -> list[tuple[keras.layers.Layer, Any]]:
    """Each weight of the model beside the innermost layer that holds it, in the order of ``model.weights``."""
    owner = {}
    for layer in layers_of(model):  # outer before inner, so the innermost layer is written last
        for weight in layer.weights:
            owner[id(weight)] = layer
    return [(owner[id(weight)], weight) for weight in model.weights]


def _draw_of(layer: keras.layers.Layer, weight: Any) -> Draw | None:
    """How to draw this weight in NumPy, or None where only Keras can."""
    initializer = _initializer_of(layer, weight)
    if initializer is None:
        return None
    constant = type(initializer) in (keras.initializers.Zeros, keras.initializers.Ones, keras.initializers.Constant)
    if constant or initializer.get_config().get("seed") is not None:
        value = np.asarray(weight.value)  # a constant, or a seed fixed by hand: every replica starts alike there
        return lambda generator: value
    return _random_draw(initializer, tuple(weight.shape))


def _initializer_of(layer: keras.layers.Layer, weight: Any) -> keras.initializers.Initializer | None:
    initializer = getattr(layer, f"{weight.name}_initializer", None)
    return initializer if isinstance(initializer, keras.initializers.Initializer) else None


def _random_draw(initializer: keras.initializers.Initializer, shape: tuple[int, ...]) -> Draw | None:
    if isinstance(initializer, keras.initializers.VarianceScaling):
        return _variance_scaling(initializer, shape)
    kind, config = type(initializer), initializer.get_config()
    if kind is keras.initializers.RandomUniform:
        return lambda generator: generator.uniform(config["minval"], config["maxval"], shape)
    if kind is keras.initializers.RandomNormal:
        return lambda generator: generator.normal(config["mean"], config["stddev"], shape)
    if kind is keras.initializers.TruncatedNormal:
        return lambda generator: config["mean"] + config["stddev"] * _truncated_normal(generator, shape)
    return None


def _variance_scaling(initializer: keras.initializers.VarianceScaling, shape: tuple[int, ...]) -> Draw | None:
    if not type(initializer).__module__.startswith("keras."):
        return None
    fan_in, fan_out = _fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[initializer.mode]
    scale = initializer.scale / max(1.0, fan)
    if initializer.distribution == "uniform":
        limit = math.sqrt(3 * scale)
        return lambda generator: generator.uniform(-limit, limit, shape)
    if initializer.distribution == "truncated_normal":
        deviation = math.sqrt(scale) / _TRUNCATED_DEVIATION
        return lambda generator: deviation * _truncated_normal(generator, shape)
    return lambda generator: generator.normal(0.0, math.sqrt(scale), shape)


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Inputs and outputs of one unit, as Keras counts them: (kernel..., in, out)."""
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    receptive_field = math.prod(shape[:-2])
    return float(receptive_field * shape[-2]), float(receptive_field * shape[-1])


def _truncated_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A standard normal redrawn wherever it falls more than two standard deviations out."""
    values = generator.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return values


def _weights_of_built_models(
    build_model: Callable[[], keras.Model], generators: Sequence[np.random.Generator]
) -> list[Array]:
    with global_seeds_untouched():
        weights = []
        for generator in generators:
            # Keras takes the seeds of its initialisers from here. keras.utils.set_random_seed would also set the seeds
            # of TensorFlow and of Keras's own generator, which cannot be put back.
            random.seed(seed := int(generator.integers(2**31)))
            np.random.seed(seed)  # noqa: NPY002
            weights.append(build_model().get_weights())
    return [np.stack(values) for values in zip(*weights, strict=True)]

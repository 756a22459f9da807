"""Trains many replicas of one Keras model: the same network and data, other initial weights and batch orders."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Any

import keras
import numpy as np

from lossacc_helpers.history import PredictionHistory, TrainingRun
from lossacc_helpers.training import initial, optimizers
from lossacc_helpers.training.data import read_count, read_part
from lossacc_helpers.training.outputs import Output, read_output
from lossacc_helpers.training.program import Array, Inputs, Program, Shelf, architecture_key
from lossacc_helpers.training.single import SingleProgram, seed_generators
from lossacc_helpers.training.stacked import StackedProgram, read_layers

_PROGRAMS = Shelf(32)

# A program trains on variables of its own: two threads may not run it at once.
_RUNNING = Lock()

# What a replica's random generators are for; drawing one never shifts the others.
_WEIGHTS, _ORDER, _SEEDS = range(3)


def fit_replicas(
    build_model: Callable[[], keras.Model],
    train: Any,
    validation: Any = None,
    *,
    replicas: int,
    epochs: int,
    batch_size: int,
    optimizer: Any,
    loss: Any = None,
    seed: int = 0,
    initial_weights: Sequence[Any] | None = None,
    order: Any = None,
    before_compiling: Callable[[], None] | None = None,
) -> TrainingRun:
    """Train ``replicas`` networks that differ only in their random seed, and keep what each believed at every epoch.

    Each replica is what ``Model.fit`` would give from ``run.initial_weights(k)`` in the batch order ``run.order(k)``.
    A new combination of shapes, network and optimizer compiles once (about two seconds); rate, seed, data and order are
    inputs of the compiled program.

    Parameters
    ----------
    build_model
        Builds a new Sequential or Functional model with one input and one output that ends in softmax, a one-unit
        sigmoid or logits. Whether and how it was compiled does not matter.
    train, validation
        ``(features, labels)``: features (sample, ...), labels class ids (sample,) or one-hot rows (sample, class).
    replicas, epochs, batch_size
        Counts. The last batch of an epoch takes the samples that are left, as in Keras.
    optimizer
        A Keras optimizer or its name. It is configuration: cloned for every program, never mutated.
    loss
        None for the cross-entropy that follows the last activation; otherwise what ``Model.compile`` takes. A function
        is called with (targets, predictions) of a batch: one-hot rows (batch, class), or a column of 0 and 1 for one
        unit; Keras's sparse losses get class ids.
    seed
        Replica k draws its weights and order from (seed, k), whatever the number of replicas.
    initial_weights
        Arrays as ``model.get_weights()`` gives them, for all replicas alike or with a leading replica axis.
    order
        Sample indices (epoch, sample) or (replica, epoch, sample) in which each epoch visits the training data.
    before_compiling
        Called once, before a compilation, by callers that want to tell someone to wait.

    Returns
    -------
    TrainingRun
        Histories with leading axes (replica, epoch); entry e is the inference-mode prediction after epoch e.

    Raises
    ------
    ValueError
        For data that do not fit the network, counts below one, and models or optimizers whose training cannot be
        carried over (mixed precision, stateful layers, a ``train_step`` of their own, averaged weights, ...).
    """
    replicas, epochs = read_count(replicas, "replicas"), read_count(epochs, "epochs")
    batch_size, seed = read_count(batch_size, "batch_size"), read_count(seed, "seed", least=0)
    with _RUNNING, initial.global_seeds_untouched():
        model, as_drawn = _fresh_model(build_model)
        output = read_output(model)
        optimizer = optimizers.read_optimizer(optimizer)
        training = read_part(train, model, output.classes, name="train")
        validating = None if validation is None else read_part(validation, model, output.classes, name="validation")
        features = training.features if validating is None else np.concatenate([training.features, validating.features])
        samples = len(training.labels)
        loss = _read_loss(loss, output)
        sizes = {"epochs": epochs, "samples": samples, "batch_size": batch_size}
        program = _PROGRAMS.get(
            _key(model, optimizer, loss, replicas, features.shape, sizes),
            lambda: _make_program(build_model, model, output, optimizer, loss, replicas, sizes, before_compiling),
        )
        if initial_weights is None:
            generators = _generators(seed, replicas, _WEIGHTS)
            weights = initial.draw_initial_weights(model, build_model, generators, as_drawn=as_drawn)
        else:
            weights = _read_weights(initial_weights, model, replicas)
        orders = _draw_orders(seed, replicas, epochs, samples) if order is None else _read_order(order, replicas, sizes)
        outputs = program.run(
            Inputs(
                initial_weights=weights,
                seed_states=_seed_states(model, seed, replicas),
                orders=orders,
                train_features=training.features,
                train_labels=training.labels.astype(np.int32),
                features=features,
                rate=optimizers.learning_rate(optimizer),
            )
        )
    recorded = outputs.log_probabilities
    return TrainingRun(
        PredictionHistory._trusted(training.labels, recorded[:, :, :samples]),
        None if validating is None else PredictionHistory._trusted(validating.labels, recorded[:, :, samples:]),
        settings={
            "replicas": replicas,
            "epochs": epochs,
            "batch_size": batch_size,
            "seed": seed,
            "optimizer": optimizers.describe(optimizer),
            "loss": "cross-entropy" if loss is None else getattr(loss, "name", getattr(loss, "__name__", str(loss))),
            "layers": [type(layer).__name__ for layer in model.layers],
            "weights": [list(weight.shape) for weight in model.weights],
        },
        initial=weights,
        final=outputs.final_weights,
        orders=orders,
    )


def _fresh_model(build_model: Callable[[], keras.Model]) -> tuple[keras.Model, bool]:
    """A new model that can be carried, and whether its weights are what its initialisers drew."""
    if not callable(build_model) or isinstance(build_model, keras.Model):
        raise ValueError("build_model must be a function that builds and returns a new Keras model")
    model, as_drawn = initial.build(build_model)
    if not isinstance(model, keras.Model):
        raise ValueError(f"build_model must return a Keras model; it returned {type(model).__name__}")
    if (type(model).train_step, type(model).compute_loss) != (keras.Model.train_step, keras.Model.compute_loss):
        raise ValueError("the model has a train_step or compute_loss of its own, which fit_replicas would not run")
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False):
            raise ValueError(f"layer {layer.name!r} is stateful: its state would leak between batches and predictions")
        if layer.compute_dtype not in (None, "float32") or layer.variable_dtype not in (None, "float32"):
            raise ValueError(
                f"layer {layer.name!r} computes in {layer.compute_dtype}; fit_replicas carries float32 only"
            )
    if model.built and not model.trainable_variables:
        raise ValueError("the model has no trainable weights")
    return model, as_drawn


def _read_loss(loss: Any, output: Output) -> Any:
    """None where the loss is the cross-entropy that the last activation asks for, else something to call."""
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
    return {**loss.get_config(), "name": ""} == {**usual.get_config(), "name": ""}


def _expects_ids(loss: Any) -> bool:
    return loss is keras.losses.sparse_categorical_crossentropy or isinstance(
        loss, keras.losses.SparseCategoricalCrossentropy
    )


def _loss_key(loss: Any) -> str | None:
    """A text equal for losses that share a program; None for a learner's own, which may read anything."""
    if loss is None:
        return "cross-entropy"
    if isinstance(loss, keras.losses.Loss):
        if not type(loss).__module__.startswith("keras."):
            return None
        return type(loss).__name__ + json.dumps(loss.get_config(), sort_keys=True, default=str)
    module = str(getattr(loss, "__module__", ""))
    return f"{module}.{loss.__name__}" if module.startswith("keras.") and hasattr(loss, "__name__") else None


def _key(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss: Any,
    replicas: int,
    shape: tuple[int, ...],
    sizes: dict[str, int],
) -> Hashable | None:
    parts = (architecture_key(model), optimizers.key(optimizer), _loss_key(loss))
    if any(part is None for part in parts):
        return None
    # A stacked program has its replica count compiled in; asking for it here as well only keeps keys simple.
    return (*parts, replicas, shape, tuple(sizes.values()))


def _make_program(
    build_model: Callable[[], keras.Model],
    model: keras.Model,
    output: Output,
    optimizer: keras.optimizers.Optimizer,
    loss: Any,
    replicas: int,
    sizes: dict[str, int],
    before_compiling: Callable[[], None] | None,
) -> Program:
    if before_compiling is not None:
        before_compiling()
    layers = read_layers(model)
    if layers is not None and loss is None and type(optimizer) in optimizers.ELEMENTWISE:
        shapes = [tuple(weight.shape) for weight in model.weights]
        return StackedProgram(layers, shapes, output, optimizer, replicas=replicas, **sizes)
    own, _ = _fresh_model(build_model)
    if own is model:
        raise ValueError("build_model must build a new model each time it is called; it returned the same one twice")
    return SingleProgram(own, output, optimizer, loss, one_hot=not _expects_ids(loss), **sizes)


def _generators(seed: int, replicas: int, purpose: int) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, k, purpose]) for k in range(replicas)]


def _draw_orders(seed: int, replicas: int, epochs: int, samples: int) -> Array:
    """A permutation of the samples for every replica and epoch, (replica, epoch, sample) int32.

    Random numbers with the sample's index in their lowest bits are sorted: several times faster than shuffling rows one
    by one, free of ties, and the same on every machine.
    """
    bits = (samples - 1).bit_length()
    shift, index = np.uint64(bits), np.arange(samples, dtype=np.uint64)
    orders = np.empty((replicas, epochs, samples), dtype=np.int32)
    for k, generator in enumerate(_generators(seed, replicas, _ORDER)):
        keys = generator.integers(0, 2**64, (epochs, samples), dtype=np.uint64)
        keys <<= shift
        keys |= index
        keys.sort(axis=-1)
        orders[k] = keys & np.uint64((1 << bits) - 1)
    return orders


def _seed_states(model: keras.Model, seed: int, replicas: int) -> list[Array]:
    """Where each replica's random layers begin: drawn per replica, unless the layer's seed was fixed by hand."""
    found = seed_generators(model)
    generators = _generators(seed, replicas, _SEEDS) if found else []
    states = []
    for layer_seeds in found:
        start = np.asarray(layer_seeds.state.value)
        if layer_seeds.get_config()["seed"] is None:
            drawn = [[generator.integers(1, 10**9), 0] for generator in generators]
            states.append(np.array(drawn).astype(start.dtype))
        else:
            states.append(np.repeat(start[None], replicas, axis=0))
    return states


def _read_weights(given: Sequence[Any], model: keras.Model, replicas: int) -> list[Array]:
    arrays = [np.asarray(values, dtype=np.float32) for values in given]
    if len(arrays) != len(model.weights):
        raise ValueError(f"initial_weights must hold {len(model.weights)} arrays, one per weight; got {len(arrays)}")
    stacked = []
    for array, weight in zip(arrays, model.weights, strict=True):
        shape = tuple(weight.shape)
        if array.shape not in (shape, (replicas, *shape)):
            raise ValueError(
                f"initial_weights for {weight.path} must have shape {shape} or {(replicas, *shape)}; got {array.shape}"
            )
        stacked.append(np.array(np.broadcast_to(array, (replicas, *shape))))
    return stacked


def _read_order(given: Any, replicas: int, sizes: dict[str, int]) -> Array:
    order, shape = np.asarray(given), (sizes["epochs"], sizes["samples"])
    if order.shape not in (shape, (replicas, *shape)) or order.dtype.kind not in "iu":
        raise ValueError(
            f"order must hold whole numbers of shape {shape} or {(replicas, *shape)}; "
            f"got {order.dtype} of shape {order.shape}"
        )
    if order.min() < 0 or order.max() >= sizes["samples"]:
        raise ValueError(
            f"order must name samples from 0 to {sizes['samples'] - 1}; got {order.min()} to {order.max()}"
        )
    return np.array(np.broadcast_to(order, (replicas, *shape)), dtype=np.int32)

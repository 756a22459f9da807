"""Trains many replicas of one Keras model: the same network and data, other initial weights and batch orders."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from threading import RLock
from typing import Any

import keras
import numpy as np

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers._waiting import waiting
from lossacc_helpers.history import PredictionHistory, TrainingRun
from lossacc_helpers.training import initial, losses, optimizers, seeds
from lossacc_helpers.training._keras import check_keras, layers_of
from lossacc_helpers.training.data import read_order, read_part, read_weights
from lossacc_helpers.training.outputs import Output, read_output, refuse_probabilities
from lossacc_helpers.training.program import Array, Inputs, Program, Shelf, architecture_key
from lossacc_helpers.training.settings import provenance, run_settings
from lossacc_helpers.training.single import SingleProgram, seed_generators
from lossacc_helpers.training.stacked import StackedProgram, read_layers

_PROGRAMS = Shelf(32)

# A program trains on variables of its own: two threads may not run it at once. (One may enter twice: a build_model may
# train a part of its model this way.)
_RUNNING = RLock()


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
    inputs of the compiled program. A run that is interrupted stops training within moments, and leaves everything as
    it was.

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
        Replica k draws its weights and order from (seed, k), whatever the number of replicas. Where an initialiser or a
        random layer has a ``seed=`` of its own, all replicas are alike there. Weights that ``build_model`` draws itself
        repeat if they come from ``random`` or ``numpy.random``.
    initial_weights
        Arrays as ``model.get_weights()`` gives them, for all replicas alike or with a leading replica axis.
    order
        Sample indices (epoch, sample) or (replica, epoch, sample) in which each epoch visits the training data. They
        need not be a permutation: a sample may come twice in an epoch, and another not at all.
    before_compiling
        Called once, before a compilation, by callers that want to tell someone to wait.

    Returns
    -------
    TrainingRun
        Histories with leading axes (replica, epoch) of inference-mode predictions: entry e, counted from 0, is after
        e + 1 epochs; the untrained network is not recorded.

    Raises
    ------
    ValueError
        For data that do not fit the network, counts below one, an output that cannot be read as probabilities or
        logits, and models or optimizers whose training cannot be carried over (mixed precision, stateful layers, a
        ``train_step`` of their own, averaged weights, ...).
    RuntimeError
        Where Keras runs on another backend than TensorFlow, or no longer has the private parts this package reads.
    """
    replicas, epochs = as_whole_number(replicas, "replicas", least=1), as_whole_number(epochs, "epochs", least=1)
    batch_size, seed = as_whole_number(batch_size, "batch_size", least=1), as_whole_number(seed, "seed", least=0)
    check_keras()
    told = f"Training {replicas} network{'s' if replicas > 1 else ''} for {epochs} epoch{'s' if epochs > 1 else ''}"
    with waiting(told), _RUNNING, initial.global_seeds_untouched():
        model, as_drawn = _fresh_model(build_model)
        output = read_output(model)
        optimizer = optimizers.read_optimizer(optimizer)
        training = read_part(train, model, output.classes, name="train")
        validating = None if validation is None else read_part(validation, model, output.classes, name="validation")
        features = training.features if validating is None else np.concatenate([training.features, validating.features])
        samples = len(training.labels)
        loss = losses.read_loss(loss, output)
        sizes = {"epochs": epochs, "samples": samples, "batch_size": batch_size}

        def make() -> Program:
            refuse_probabilities(model, output, features)
            return _make_program(build_model, model, output, optimizer, loss, replicas, sizes, before_compiling)

        program = _PROGRAMS.get(_key(model, optimizer, loss, replicas, features.shape, sizes), make)
        if initial_weights is None:
            generators = seeds.generators(seed, replicas, seeds.WEIGHTS)
            weights = initial.draw_initial_weights(model, build_model, generators, as_drawn=as_drawn)
        else:
            weights = read_weights(initial_weights, model, replicas)
        if order is None:
            orders = seeds.draw_orders(seed, replicas, epochs, samples)
        else:
            orders = read_order(order, replicas=replicas, epochs=epochs, samples=samples)
        seed_states = _seed_states(model, seed, replicas)
        outputs = program.run(
            Inputs(
                initial_weights=weights,
                seed_states=seed_states,
                orders=orders,
                train_features=training.features,
                train_labels=training.labels.astype(np.int32),
                features=features,
                rate=optimizers.learning_rate(optimizer),
            )
        )
    recorded = outputs.log_probabilities
    drawn = initial_weights is None or order is None or bool(seed_states)
    return TrainingRun(
        PredictionHistory._trusted(training.labels, recorded[:, :, :samples]),
        None if validating is None else PredictionHistory._trusted(validating.labels, recorded[:, :, samples:]),
        settings=run_settings(
            model,
            optimizer=optimizer,
            loss=loss,
            replicas=replicas,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed if drawn else None,
            initial_weights="drawn" if initial_weights is None else "given",
            order="drawn" if order is None else "given",
        ),
        provenance=provenance(),
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
    for layer in layers_of(model):
        if getattr(layer, "stateful", False):
            raise ValueError(f"layer {layer.name!r} is stateful: its state would leak between batches and predictions")
        if layer.compute_dtype not in (None, "float32") or layer.variable_dtype not in (None, "float32"):
            raise ValueError(
                f"layer {layer.name!r} computes in {layer.compute_dtype}; fit_replicas carries float32 only"
            )
    if model.built and not model.trainable_variables:
        raise ValueError("the model has no trainable weights")
    return model, as_drawn


def _key(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss: Any,
    replicas: int,
    shape: tuple[int, ...],
    sizes: dict[str, int],
) -> Hashable | None:
    parts = (architecture_key(model), optimizers.key(optimizer), losses.key(loss))
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
    return SingleProgram(own, output, optimizer, loss, **sizes)


def _seed_states(model: keras.Model, seed: int, replicas: int) -> list[Array]:
    """Where each replica's random layers begin: drawn per replica, unless the layer's seed was fixed by hand."""
    found = seed_generators(model)
    generators = seeds.generators(seed, replicas, seeds.SEEDS) if found else []
    states = []
    for layer_seeds in found:
        start = np.asarray(layer_seeds.state.value)
        if layer_seeds.get_config()["seed"] is None:
            drawn = [[generator.integers(1, 10**9), 0] for generator in generators]
            states.append(np.array(drawn).astype(start.dtype))
        else:
            states.append(np.repeat(start[None], replicas, axis=0))
    return states

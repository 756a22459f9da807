"""Any other network: one compiled program trains one replica, and replicas take turns.

The program is Keras's own training step (the model's call in training mode, its extra losses, the stock optimizer with
its constraints) inside a compiled loop, on variables of the model's own. So whatever a layer carries from step to step,
moving averages and dropout seeds included, is carried here as in ``Model.fit``.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers._waiting import interruptible, reached
from lossacc_helpers.training import losses, optimizers
from lossacc_helpers.training._keras import layers_of, seed_generators_of
from lossacc_helpers.training.outputs import Output, logits_of
from lossacc_helpers.training.program import Array, Inputs, Outputs, Pace


def seed_generators(model: keras.Model) -> list[keras.random.SeedGenerator]:
    """The generators of the model's random layers, each with a ``state`` of two integers."""
    found = [generator for layer in layers_of(model) for generator in seed_generators_of(layer)]
    return list({id(generator): generator for generator in found}.values())


class SingleProgram:
    """One replica of any Keras model that the compiler accepts.

    Parameters
    ----------
    model
        A model that belongs to this program alone; its variables are overwritten.
    output
        How its last layer is read.
    optimizer
        Cloned, never mutated.
    loss
        None for the cross-entropy that follows the last activation, else a function of (targets, predictions).
    epochs, samples, batch_size
        Sizes of the run; the last batch of an epoch takes what is left, as in Keras.
    """

    def __init__(
        self,
        model: keras.Model,
        output: Output,
        optimizer: keras.optimizers.Optimizer,
        loss: Any,
        *,
        epochs: int,
        samples: int,
        batch_size: int,
    ) -> None:
        self._model, self._output, self._loss = model, output, loss
        self._epochs, self._samples, self._batch = epochs, samples, min(batch_size, samples)
        self._optimizer = optimizers.clone(optimizer)
        self._start = [tf.constant(start) for start in self._build_optimizer()]
        self._schedule = optimizers.has_schedule(optimizer)
        self._seeds = [generator.state for generator in seed_generators(model)]
        # XLA's random numbers are not those of TensorFlow's own kernels, which an ordinary fit uses: dropout masks
        # would differ. So a model with random layers runs as a plain graph.
        self._compilable = not self._seeds and all(getattr(layer, "supports_jit", True) for layer in layers_of(model))
        self._fit: Any = None

    def _build_optimizer(self) -> list[Array]:
        """What each of the optimizer's variables starts from; each holds one number throughout."""
        generator = np.random.default_rng(0)
        for variable in self._model.trainable_variables:  # marks, which would be seen in a copy
            variable.assign(generator.normal(size=variable.shape))
        self._optimizer.build(self._model.trainable_variables)
        starts = [np.asarray(variable.value) for variable in self._optimizer.variables]
        for variable, start in zip(self._optimizer.variables, starts, strict=True):
            if start.size and not (start == start.flat[0]).all():
                # Model.fit itself is of two minds about these: it copies the weights once when it runs eagerly, but
                # before every step when it is compiled (Keras 3.15).
                raise ValueError(
                    f"fit_replicas cannot carry {type(self._optimizer).__name__}: its {variable.name} begins as a copy "
                    "of the weights, and what Model.fit makes of that depends on how the model was compiled"
                )
        return starts

    def run(self, inputs: Inputs) -> Outputs:
        """Train the replicas one after the other; see ``Program``."""
        data = [tf.constant(a) for a in (inputs.train_features, inputs.train_labels, inputs.features)]
        rate = tf.constant(inputs.rate, dtype=tf.float32)
        replicas = len(inputs.orders)

        def arguments(k: int) -> tuple[list[Any], tuple[Any, ...]]:
            """Replica k's first state, and what stays as it is."""
            own = [tf.constant(values[k]) for values in (*inputs.initial_weights, *inputs.seed_states)]
            return [*own, *self._start], (tf.constant(inputs.orders[k]), *data, rate)

        if self._fit is None:
            self._pace = Pace(self._epochs, len(inputs.features) * self._output.classes)
            # Keras converts no Python of its layers, losses and schedules into a graph either.
            traced = tf.function(self._train, jit_compile=self._compilable, autograph=False)
            state, constants = arguments(0)
            self._fit = traced.get_concrete_function(state, tf.constant(0), tf.constant(0), *constants)

        def one(k: int) -> tuple[Array, list[Array]]:
            state, constants = arguments(k)

            def call(first: int, last: int) -> Array:
                nonlocal state
                reached((k + first / self._epochs) / replicas)
                record, state = self._fit(state, tf.constant(first), tf.constant(last), *constants)
                return np.array(record.numpy()[: last - first])  # a view would keep the whole record alive

            return self._pace.record(call), [values.numpy() for values in state[: len(inputs.initial_weights)]]

        recorded, final = zip(*interruptible(lambda: [one(k) for k in range(replicas)]), strict=True)
        return Outputs(np.stack(recorded), [np.stack(values) for values in zip(*final, strict=True)])

    def _train(
        self, state: Any, first: Any, last: Any, order: Any, x_train: Any, labels: Any, features: Any, rate: Any
    ) -> Any:
        """Train the epochs [first, last) from a state; return their record and the state they lead to."""
        variables = [*self._model.weights, *self._seeds, *self._optimizer.variables]
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)
        trainable = self._model.trainable_variables
        if not self._schedule:
            self._optimizer.learning_rate.assign(rate)
        full, rest = divmod(self._samples, self._batch)

        def batch(samples: Any) -> None:
            x, y = tf.gather(x_train, samples), tf.gather(labels, samples)
            with tf.GradientTape() as tape:
                loss = losses.batch_loss(self._loss, self._output, y, self._model(x, training=True))
                for extra in self._model.losses:  # weight decay as a regulariser, add_loss and their like
                    loss += tf.reduce_sum(extra)
            self._optimizer.apply(tape.gradient(loss, trainable), trainable)

        def rows(epoch: Any, start: Any, size: int) -> Any:
            # tf.slice, not order[epoch, a:b]: see the stacked program.
            return tf.slice(order, (epoch, start), (1, size))[0]

        def step(epoch: Any, number: Any) -> Any:
            batch(rows(epoch, number * self._batch, self._batch))
            return epoch, number + 1

        def one_epoch(epoch: Any, record: Any) -> Any:
            tf.while_loop(lambda _, number: number < full, step, (epoch, 0))
            if rest:
                batch(rows(epoch, full * self._batch, rest))
            # Keras draws from a recurrent layer's seeds even in inference; a look at the network must not change it.
            kept = [tf.identity(variable.value) for variable in self._seeds]
            logits = logits_of(self._model(features, training=False), self._output)
            for variable, value in zip(self._seeds, kept, strict=True):
                variable.assign(value)
            return epoch + 1, record.write(epoch - first, self._output.log_probabilities(logits))

        record = tf.TensorArray(tf.float32, self._pace.longest)
        _, record = tf.while_loop(lambda epoch, _: epoch < last, one_epoch, (first, record))
        return record.stack(), [tf.convert_to_tensor(variable.value) for variable in variables]

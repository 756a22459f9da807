"""Small dense networks, all replicas in one program with the replica axis last.

With the replica axis innermost every operation is elementwise across replicas, which the compiler turns into vector
instructions; a matrix product of a few units becomes a product and a sum. For wide layers a real matrix product wins,
so this program is for small networks only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers._waiting import interruptible, reached
from lossacc_helpers.training import optimizers
from lossacc_helpers.training.outputs import Output
from lossacc_helpers.training.program import Array, Inputs, Outputs, Pace, has_own_parts_only

# Multiplications per sample above which a matrix product per replica is faster than the elementwise form.
LARGEST = 4096

_ELEMENTWISE_ACTIVATIONS = frozenset(
    "linear relu relu6 leaky_relu elu selu celu gelu silu swish softplus softsign tanh sigmoid hard_sigmoid hard_silu "
    "hard_tanh exponential mish tanh_shrink squareplus".split()
)

Activation = Callable[[Any], Any]


@dataclass(frozen=True)
class Layer:
    """One dense layer: whether it has a bias, and the elementwise function that follows it (None for the last)."""

    bias: bool
    activation: Activation | None


def read_layers(model: keras.Model) -> list[Layer] | None:
    """The model as a chain of dense layers, or None where it is anything else."""
    if type(model) is not keras.Sequential or not _plain(model):
        return None
    layers: list[Layer] = []
    for place, layer in enumerate(model.layers):
        last = place == len(model.layers) - 1
        if type(layer) is keras.layers.Dense:
            activation = None if last else _elementwise(layer.activation)
            if activation is None and not last:
                return None
            layers.append(Layer(layer.bias is not None, activation))
        elif type(layer) in (keras.layers.Activation, keras.layers.Softmax) and layers:
            if last:
                layers[-1] = Layer(layers[-1].bias, _composed(layers[-1].activation, None))
                continue
            activation = _elementwise(getattr(layer, "activation", None))
            if activation is None:
                return None
            layers[-1] = Layer(layers[-1].bias, _composed(layers[-1].activation, activation))
        else:
            return None
    size = sum(int(np.prod(weight.shape)) for weight in model.weights if len(weight.shape) == 2)
    return layers if layers and size <= LARGEST else None


def _plain(model: keras.Model) -> bool:
    """Whether every weight is trained, and no layer or weight does more than its type says.

    The weights are asked themselves: each may be frozen, regularised or constrained past the layer that holds it.
    """
    trained = {id(weight) for weight in model.trainable_variables}
    return (
        all(layer.activity_regularizer is None for layer in (model, *model.layers))
        and all(has_own_parts_only(layer) for layer in model.layers)
        and not any(
            getattr(layer, extra, None) for layer in model.layers for extra in ("quantization_mode", "lora_rank")
        )
        and all(
            id(weight) in trained and weight.regularizer is None and weight.constraint is None
            for weight in model.weights
        )
    )


def _elementwise(activation: Any) -> Activation | None:
    name = getattr(activation, "__name__", None)
    known = name in _ELEMENTWISE_ACTIVATIONS and getattr(keras.activations, str(name), None) is activation
    return activation if known else None


def _composed(first: Activation | None, second: Activation | None) -> Activation | None:
    if first is None or second is None:
        return first or second
    return lambda value: second(first(value))


class StackedProgram:
    """All replicas of a chain of dense layers, trained side by side by the stock Keras optimizer.

    Parameters
    ----------
    layers, shapes
        The chain, and the shapes of ``model.weights``.
    output
        How the last layer is read.
    optimizer
        An optimizer whose update is elementwise, which is cloned. Its clipping by norm is not elementwise and is done
        here, replica by replica.
    replicas, epochs, samples, batch_size
        Sizes of the run; the last batch of an epoch takes what is left, as in Keras.
    """

    def __init__(
        self,
        layers: list[Layer],
        shapes: list[tuple[int, ...]],
        output: Output,
        optimizer: keras.optimizers.Optimizer,
        *,
        replicas: int,
        epochs: int,
        samples: int,
        batch_size: int,
    ) -> None:
        self._layers, self._output = layers, output
        self._epochs, self._samples, self._batch = epochs, samples, min(batch_size, samples)
        self._weights = [keras.Variable(np.zeros((*shape, replicas), dtype=np.float32)) for shape in shapes]
        self._clipnorm, self._global_clipnorm = optimizer.clipnorm, optimizer.global_clipnorm
        self._optimizer = optimizers.clone(optimizer, without_norm_clipping=True)
        self._optimizer.build(self._weights)
        self._start = [tf.constant(variable.numpy()) for variable in self._optimizer.variables]
        self._schedule = optimizers.has_schedule(optimizer)
        self._replicas = replicas
        self._fit: Any = None

    def run(self, inputs: Inputs) -> Outputs:
        """Train every replica; see ``Program``."""
        weights = [tf.constant(np.moveaxis(values, 0, -1)) for values in inputs.initial_weights]
        state = [*weights, *self._start]
        labels = inputs.train_labels
        targets = labels[:, None] if self._output.units == 1 else np.eye(self._output.classes)[labels]
        constants = (
            tf.constant(inputs.orders.transpose(1, 2, 0)),
            tf.constant(inputs.train_features),
            tf.constant(targets.astype(np.float32)),
            tf.constant(inputs.features),
            tf.constant(inputs.rate, dtype=tf.float32),
        )
        if self._fit is None:
            self._pace = Pace(self._epochs, len(inputs.features) * self._output.classes * self._replicas)
            # Keras converts no Python of its layers, losses and schedules into a graph either.
            traced = tf.function(self._train, jit_compile=True, autograph=False)
            self._fit = traced.get_concrete_function(state, tf.constant(0), tf.constant(0), *constants)

        def call(first: int, last: int) -> Array:
            nonlocal state
            reached(first / self._epochs)
            record, state = self._fit(state, tf.constant(first), tf.constant(last), *constants)
            return np.array(record.numpy()[: last - first])  # a view would keep the whole record alive

        log_probabilities = interruptible(lambda: self._pace.record(call))
        final = state[: len(weights)]
        # Replicas stay innermost in memory: a view in the promised order costs nothing.
        return Outputs(log_probabilities.transpose(3, 0, 1, 2), [np.moveaxis(v.numpy(), -1, 0) for v in final])

    def _train(
        self, state: Any, first: Any, last: Any, orders: Any, x_train: Any, targets: Any, features: Any, rate: Any
    ) -> Any:
        """Train the epochs [first, last) from a state; return their record and the state they lead to."""
        variables = [*self._weights, *self._optimizer.variables]
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)
        if not self._schedule:
            self._optimizer.learning_rate.assign(rate)
        full, rest = divmod(self._samples, self._batch)

        def batch(samples: Any) -> None:
            x = tf.transpose(tf.gather(x_train, samples), (0, 2, 1))  # (batch, feature, replica)
            y = tf.transpose(tf.gather(targets, samples), (0, 2, 1))
            values = self._values()
            with tf.GradientTape() as tape:
                tape.watch(values)
                # Replicas share no weights, so the gradient of their summed losses is each one's own.
                loss = tf.reduce_sum(tf.reduce_mean(self._losses(self._logits(values, x), y), axis=0))
            self._optimizer.apply(self._clipped(tape.gradient(loss, values)), self._weights)

        def rows(epoch: Any, start: Any, size: int) -> Any:
            # tf.slice, not orders[epoch, a:b]: compiled, a slice between two tensors has no known size (eight times
            # slower) and one from a tensor to an open end came out wrong.
            return tf.slice(orders, (epoch, start, 0), (1, size, orders.shape[2]))[0]

        def step(epoch: Any, number: Any) -> Any:
            batch(rows(epoch, number * self._batch, self._batch))
            return epoch, number + 1

        def one_epoch(epoch: Any, record: Any) -> Any:
            tf.while_loop(lambda _, number: number < full, step, (epoch, 0))
            if rest:
                batch(rows(epoch, full * self._batch, rest))
            logits = self._logits(self._values(), features[:, :, None])
            return epoch + 1, record.write(epoch - first, self._output.log_probabilities(logits, axis=1))

        record = tf.TensorArray(tf.float32, self._pace.longest)
        _, record = tf.while_loop(lambda epoch, _: epoch < last, one_epoch, (first, record))
        return record.stack(), [tf.convert_to_tensor(variable.value) for variable in variables]

    def _values(self) -> list[Any]:
        return [tf.convert_to_tensor(variable.value) for variable in self._weights]

    def _logits(self, values: list[Any], x: Any) -> Any:
        """(batch, class, replica) from x (batch, feature, replica), or (batch, feature, 1) where all see the same."""
        remaining = iter(values)
        for layer in self._layers:
            x = tf.reduce_sum(x[:, :, None] * next(remaining)[None], axis=1)
            x = x + next(remaining) if layer.bias else x
            x = layer.activation(x) if layer.activation is not None else x
        return x

    def _losses(self, logits: Any, targets: Any) -> Any:
        if self._output.units == 1:
            return tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)[:, 0]
        return -tf.reduce_sum(targets * tf.nn.log_softmax(logits, axis=1), axis=1)

    def _clipped(self, gradients: list[Any]) -> list[Any]:
        """Clipping by norm, each replica by its own (the last axis), as Keras clips one network."""

        def squares(gradient: Any) -> Any:
            return tf.reduce_sum(gradient**2, axis=list(range(gradient.shape.rank - 1)), keepdims=True)

        if self._clipnorm:
            return [g * self._clipnorm / tf.maximum(tf.sqrt(squares(g)), self._clipnorm) for g in gradients]
        if self._global_clipnorm:
            norm = tf.sqrt(tf.add_n([tf.reshape(squares(g), [-1]) for g in gradients]))
            return [g * (self._global_clipnorm / tf.maximum(norm, self._global_clipnorm)) for g in gradients]
        return gradients

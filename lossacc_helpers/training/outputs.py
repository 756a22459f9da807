"""What a network's last activation means: how its output is read as one probability per class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

Kind = Literal["softmax", "sigmoid", "logits"]


@dataclass(frozen=True)
class Output:
    """How the last layer of a network speaks.

    Attributes
    ----------
    kind
        ``"softmax"``: one probability per class; ``"sigmoid"``: one unit, the probability of class 1;
        ``"logits"``: no activation, one logit per class (or a single one, the log-odds of class 1).
    units
        Width of the last layer.
    """

    kind: Kind
    units: int

    @property
    def classes(self) -> int:
        """Number of classes; one unit distinguishes two."""
        return max(self.units, 2)

    def log_probabilities(self, logits: Any, *, axis: int = -1) -> Any:
        """Log-probabilities from logits, class axis at ``axis``; a single unit becomes the two classes (1 - p, p).

        From logits rather than from probabilities: in float32 a logit gap of 120 is a probability of exactly 0.
        """
        if self.units == 1:
            return tf.concat([tf.math.log_sigmoid(-logits), tf.math.log_sigmoid(logits)], axis=axis)
        return tf.nn.log_softmax(logits, axis=axis)


def read_output(model: keras.Model) -> Output:
    """Read the last activation of a built ``Sequential`` or ``Functional`` model.

    Raises
    ------
    ValueError
        For a model with several outputs, without a fixed architecture, whose output is not (sample, unit), or whose
        last activation is not softmax, a one-unit sigmoid or none.
    """
    units = _units(model)
    name = _last_activation(model.outputs[0])
    if name == "linear":
        return Output("logits", units)
    if name == "softmax" and units > 1:
        return Output("softmax", units)
    if name == "sigmoid" and units == 1:
        return Output("sigmoid", units)
    raise ValueError(
        f"the last activation is {name} over {units} unit{'s' * (units != 1)}; expected softmax over two or more, "
        "sigmoid over one, or none (logits)"
    )


def _units(model: keras.Model) -> int:
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise ValueError(
            "the model's architecture cannot be read; expected a Sequential or Functional model that begins with "
            "keras.Input(shape)"
        )
    if len(model.outputs) != 1 or len(model.inputs) != 1:
        raise ValueError(
            f"the model must have one input and one output; got {len(model.inputs)} and {len(model.outputs)}"
        )
    shape = tuple(model.outputs[0].shape)
    if len(shape) != 2 or shape[-1] is None:
        raise ValueError(f"the model's output must have shape (sample, unit); got {shape}")
    return int(shape[-1])


def _last_activation(tensor: Any) -> str:
    """The name of the activation through which this output of a network went last, ``"linear"`` where it is logits."""
    operation = tensor._keras_history.operation
    if isinstance(operation, keras.Model):  # a model inside the model
        return _last_activation(operation.outputs[0])
    if isinstance(operation, keras.layers.Softmax):
        return "softmax" if operation.axis in (-1, 1) else f"softmax over axis {operation.axis}"
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", type(activation).__name__)
    if activation is not None and name != "linear":
        return name if getattr(keras.activations, name, None) is activation else f"{name} (not Keras's own)"
    if activation is not None and operation.weights:  # Dense and its like, without an activation
        return "linear"
    nonlinear = type(operation).__module__.startswith(("keras.src.layers.activations.", "keras.src.ops.nn"))
    if nonlinear and not isinstance(operation, keras.layers.Activation):  # ReLU as a layer, softmax as a bare operation
        return type(operation).__name__
    # What reshapes, drops or scales: probabilities that went through it may be probabilities no more, and are certainly
    # no logits.
    sources = operation._inbound_nodes[tensor._keras_history.node_index].input_tensors
    names = {_last_activation(source) for source in sources if not _is_input(source)}
    odd = sorted(names & {"softmax", "sigmoid"})
    if odd and isinstance(operation, keras.layers.Activation):  # Activation("linear") changes nothing
        return odd[0]
    return f"{odd[0]} followed by {type(operation).__name__}" if odd else "linear"


def _is_input(tensor: Any) -> bool:
    return isinstance(tensor._keras_history.operation, keras.layers.InputLayer)


def logits_of(predictions: Any, output: Output) -> Any:
    """Logits of a batch of predictions inside a traced function, or their best substitute.

    Keras keeps the logits beside the output of its softmax and sigmoid (``_keras_logits``) so that its own losses need
    no clipping; where an output has lost them, the logarithm of the probability stands in.
    """
    if output.kind == "logits":
        return predictions
    kept = getattr(predictions, "_keras_logits", None)
    if kept is not None:
        return kept
    if output.kind == "sigmoid":
        return tf.math.log(predictions) - tf.math.log1p(-predictions)
    return tf.math.log(predictions)


def class_ids(labels: Any, classes: int, *, name: str) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Class ids (sample,) from ids, a column of ids, or one-hot rows (sample, class).

    Raises
    ------
    ValueError
        If the labels are neither, or name a class the network does not have.
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} labels must be class ids or one-hot rows; got dtype {array.dtype}")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2:
        ones = (array == 1).sum(axis=1) == 1
        if array.shape[1] != classes or not (ones & (np.abs(array).sum(axis=1) == 1)).all():
            raise ValueError(
                f"{name} labels of shape {array.shape} must be one-hot rows of {classes} classes: a single 1 and else 0"
            )
        array = array.argmax(axis=1)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} labels must have shape (sample,) or (sample, class); got {array.shape}")
    wrong = ~np.isfinite(array) | (array != np.floor(array)) | (array < 0) | (array >= classes)
    if wrong.any():
        place = int(wrong.argmax())
        raise ValueError(
            f"{name} labels must be whole numbers from 0 to {classes - 1}, as many classes as the network has; "
            f"got {array[place]} at sample {place}"
        )
    return array.astype(np.intp)

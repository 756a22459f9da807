"""What a network's last activation means: how its output is read as one probability per class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers.training._keras import kept_logits, layer_types, operation_of, sources_of

Kind = Literal["softmax", "sigmoid", "logits"]

_EXPECTED = "expected softmax over two or more, sigmoid over one, or none (logits)"


# Weighted sums: without an activation they give logits.
_SUMS = layer_types(
    "Dense EinsumDense Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D "
    "DepthwiseConv2D SeparableConv1D SeparableConv2D"
)
# What leaves logits logits. Of probabilities it may leave anything.
_KEEPERS = layer_types(
    "Identity Flatten Reshape Permute Rescaling Dropout AlphaDropout GaussianDropout GaussianNoise "
    "ActivityRegularization BatchNormalization LayerNormalization Add Subtract Average Maximum Minimum Concatenate "
    "AveragePooling1D AveragePooling2D AveragePooling3D MaxPooling1D MaxPooling2D MaxPooling3D GlobalAveragePooling1D "
    "GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D"
)


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

        From logits rather than from probabilities: in float32 a logit gap of 120 is a probability of exactly 0. In
        float32 whatever the network computes in: in float16 few log-probabilities would be a row that sums to 1.
        """
        logits = tf.cast(logits, tf.float32)
        if self.units == 1:
            return tf.concat([tf.math.log_sigmoid(-logits), tf.math.log_sigmoid(logits)], axis=axis)
        return tf.nn.log_softmax(logits, axis=axis)


def read_output(model: keras.Model) -> Output:
    """Read the last activation of a built ``Sequential`` or ``Functional`` model.

    Raises
    ------
    ValueError
        For a model with several outputs, without a fixed architecture, whose output is not (sample, unit), or whose
        last activation is not softmax, a one-unit sigmoid or none: what is not known is not taken for logits.
    """
    units = _units(model)
    name = _last_activation(model.outputs[0]) if _runs_its_layers(model) else _unknown(model)
    if name == "linear":
        return Output("logits", units)
    if name == "softmax" and units > 1:
        return Output("softmax", units)
    if name == "sigmoid" and units == 1:
        return Output("sigmoid", units)
    raise ValueError(f"the last activation is {name} over {units} unit{'s' * (units != 1)}; {_EXPECTED}")


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
    operation = operation_of(tensor)
    kind, activation = type(operation), getattr(operation, "activation", None)
    if not _runs_its_layers(operation):
        return _unknown(operation)
    if isinstance(operation, keras.Model):  # a model inside the model
        return _last_activation(operation.outputs[0])
    if kind is keras.layers.InputLayer:
        return "linear"
    if kind is keras.layers.Softmax:
        return "softmax" if operation.axis in (-1, 1) else f"softmax over axis {operation.axis}"
    if kind in _SUMS or kind is keras.layers.Activation:
        name = getattr(activation, "__name__", type(activation).__name__)
        if name != "linear" and activation is not None:
            return name if getattr(keras.activations, name, None) is activation else f"{name} (not Keras's own)"
        # Activation("linear") changes nothing.
        return "linear" if kind in _SUMS else _last_activation(sources_of(tensor)[0])
    if kind in _KEEPERS:
        names = {_last_activation(source) for source in sources_of(tensor)}
        odd = sorted(names - {"linear"})
        return f"{odd[0]} followed by {kind.__name__}" if odd else "linear"
    return _unknown(operation)


def _runs_its_layers(operation: Any) -> bool:
    """Whether calling this layer or model runs Keras's code, and for a model that of the layers it is made of."""
    call = getattr(type(operation), "call", None)
    return str(getattr(call, "__module__", "")).startswith("keras.") and "call" not in vars(operation)


def _unknown(operation: Any) -> str:
    raise ValueError(
        f"what comes out of {type(operation).__name__} may be probabilities, logits or neither; end the network in a "
        f"layer whose last activation can be read: {_EXPECTED}"
    )


def refuse_probabilities(model: keras.Model, output: Output, features: Any) -> None:
    """Raise `ValueError` where what was read as logits are probabilities by the look of them."""
    if output.kind != "logits" or output.units == 1:
        return
    given = np.asarray(keras.ops.convert_to_numpy(model(features[:32], training=False)), dtype=np.float32)
    if (given >= 0).all() and (np.abs(given.sum(axis=-1) - 1) < 1e-3).all():
        raise ValueError(
            "the network ends without an activation, yet gives probabilities: nothing below 0, and every row adds up "
            "to 1. Read as logits they would go through softmax twice; end the network in the softmax"
        )


def logits_of(predictions: Any, output: Output) -> Any:
    """Logits of a batch of predictions inside a traced function, or their best substitute.

    Keras keeps the logits beside the output of its softmax and sigmoid so that its own losses need no clipping; where
    an output has lost them (cast to another type), the logarithm of the probability stands in.
    """
    if output.kind == "logits":
        return predictions
    logits = kept_logits(predictions)
    if logits is not None:
        return logits
    if output.kind == "sigmoid":
        return tf.math.log(predictions) - tf.math.log1p(-predictions)
    return tf.math.log(predictions)

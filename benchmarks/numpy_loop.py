"""A plain NumPy training loop of the question's network, as one would write it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def initial_weights(inputs: int, hidden: int, classes: int, generator: np.random.Generator) -> list[Array]:
    """Glorot-uniform kernels and zero biases of a network with one hidden layer."""
    first, second = np.sqrt(6 / (inputs + hidden)), np.sqrt(6 / (hidden + classes))
    return [
        generator.uniform(-first, first, (inputs, hidden)),
        np.zeros(hidden),
        generator.uniform(-second, second, (hidden, classes)),
        np.zeros(classes),
    ]


def train(
    weights: Sequence[Array],
    order: Array,
    features: Array,
    labels: Array,
    recorded: Array,
    *,
    batch_size: int,
    rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> Array:
    """Train ReLU units and a softmax on cross-entropy with Adam; log-probabilities after each epoch.

    Parameters
    ----------
    weights
        Kernel and bias of the hidden and of the last layer.
    order
        (epoch, sample) indices into the training data.
    features, labels
        Training data: (sample, feature) and class ids (sample,).
    recorded
        (sample, feature) of all that is predicted after each epoch.

    Returns
    -------
    array
        (epoch, sample, class) log-probabilities in nats.

    Notes
    -----
    All weights live in one vector, so that Adam is six operations a step. Source: D. P. Kingma and J. Ba, "Adam: a
    method for stochastic optimization", ICLR 2015, in the form of its section 2 that Keras uses.
    """
    vector = np.concatenate([np.asarray(one, dtype=np.float64).ravel() for one in weights])
    gradient, mean, square = np.zeros_like(vector), np.zeros_like(vector), np.zeros_like(vector)
    kernel, bias, last_kernel, last_bias = _views(vector, weights)
    of_kernel, of_bias, of_last_kernel, of_last_bias = _views(gradient, weights)
    targets = np.eye(last_bias.size)[labels]
    features, recorded = features.astype(np.float64), recorded.astype(np.float64)
    beliefs = np.empty((len(order), len(recorded), last_bias.size))
    step = 0
    for epoch, samples in enumerate(order):
        shuffled, wanted = features[samples], targets[samples]
        for start in range(0, len(samples), batch_size):
            x, y = shuffled[start : start + batch_size], wanted[start : start + batch_size]
            hidden = np.maximum(x @ kernel + bias, 0.0)
            excess = (np.exp(_log_softmax(hidden @ last_kernel + last_bias)) - y) / len(x)
            np.dot(hidden.T, excess, out=of_last_kernel)
            excess.sum(axis=0, out=of_last_bias)
            back = (excess @ last_kernel.T) * (hidden > 0)
            np.dot(x.T, back, out=of_kernel)
            back.sum(axis=0, out=of_bias)
            step += 1
            mean += (gradient - mean) * (1 - beta_1)
            square += (gradient * gradient - square) * (1 - beta_2)
            size = rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
            vector -= size * mean / (np.sqrt(square) + epsilon)
        beliefs[epoch] = _log_softmax(np.maximum(recorded @ kernel + bias, 0.0) @ last_kernel + last_bias)
    return beliefs


def _views(vector: Array, weights: Sequence[Array]) -> list[Array]:
    ends = np.cumsum([one.size for one in weights])
    return [vector[end - one.size : end].reshape(one.shape) for one, end in zip(weights, ends, strict=True)]


def _log_softmax(logits: Array) -> Array:
    shifted: Array = logits - logits.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted

"""Checks what a caller hands to training: features, labels, weights and orders that fit the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from lossacc_helpers._validation import as_numbers, first
from lossacc_helpers.datasets import Crops
from lossacc_helpers.training.program import Array


@dataclass(frozen=True)
class Part:
    """Training or validation data: features (sample, ...), an array or `Crops`, and class ids (sample,)."""

    features: Any
    labels: np.ndarray[Any, np.dtype[np.intp]]


def read_pair(data: Any, name: str) -> tuple[Any, Any]:
    """The features and the labels of a pair, or `ValueError`."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ValueError(f"{name} must be a pair (features, labels); got {type(data).__name__}")
    return data[0], data[1]


def read_part(data: Any, model: keras.Model, classes: int, *, name: str, uncut: bool = False) -> Part:
    """Features and labels as the network takes them; with ``uncut``, `Crops` stay what they are.

    Raises
    ------
    ValueError
        If ``data`` is not a pair, if the features do not fit the network's input, are masked or hold NaN or infinity,
        or if there are not as many labels as samples.
    """
    given_features, given_labels = read_pair(data, name)
    stays = uncut and isinstance(given_features, Crops)
    features = given_features if stays else as_numbers(given_features, f"{name} features")
    expected = tuple(model.inputs[0].shape)
    fits = features.ndim == len(expected) and all(
        wanted is None or wanted == got for wanted, got in zip(expected[1:], features.shape[1:], strict=True)
    )
    if not fits:
        wanted = ("sample", *expected[1:])
        raise ValueError(f"{name} features must have shape ({', '.join(map(str, wanted))}); got {features.shape}")
    taken = features if stays else _finite(features, model.inputs[0].dtype, f"{name} features")
    labels = class_ids(given_labels, classes, name=name)
    if len(labels) != len(features):
        raise ValueError(f"{name} has {len(features)} samples but {len(labels)} labels")
    return Part(taken, labels)


def class_ids(labels: Any, classes: int, *, name: str) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Class ids (sample,) from ids, a column of ids, or one-hot rows (sample, class).

    Raises
    ------
    ValueError
        If the labels are neither, are masked, or name a class the network does not have.
    """
    array = as_numbers(labels, f"{name} labels (class ids or one-hot rows)")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2:
        ones = (array == 1).sum(axis=1) == 1
        if array.shape[1] != classes or not (ones & (np.abs(array).sum(axis=1) == 1)).all():
            raise ValueError(
                f"{name} labels of shape {array.shape} must be one-hot rows of {classes} classes: a single 1 and else 0"
            )
        array = array.argmax(axis=1)
    if array.ndim != 1:
        raise ValueError(f"{name} labels must have shape (sample,) or (sample, class); got {array.shape}")
    wrong = ~np.isfinite(array) | (array != np.floor(array)) | (array < 0) | (array >= classes)
    if wrong.any():
        place = int(wrong.argmax())
        raise ValueError(
            f"{name} labels must be whole numbers from 0 to {classes - 1}, as many classes as the network has; "
            f"got {array[place]} at sample {place}"
        )
    return array.astype(np.intp)


def read_weights(given: Any, model: keras.Model, replicas: int) -> list[Array]:
    """One array per weight of the model, each with a leading replica axis; copies.

    Raises
    ------
    ValueError
        If they are not a list of arrays of the weights' shapes, or hold what is masked, no number or not finite.
    """
    if not isinstance(given, (list, tuple)):
        raise ValueError(
            f"initial_weights must be a list of arrays, as model.get_weights() gives it; got {type(given).__name__}"
        )
    if len(given) != len(model.weights):
        raise ValueError(f"initial_weights must hold {len(model.weights)} arrays, one per weight; got {len(given)}")
    stacked = []
    for values, weight in zip(given, model.weights, strict=True):
        name, shape = f"initial_weights for {weight.path}", tuple(weight.shape)
        array = as_numbers(values, name)
        if array.shape not in (shape, (replicas, *shape)):
            raise ValueError(f"{name} must have shape {shape} or {(replicas, *shape)}; got {array.shape}")
        stacked.append(np.array(np.broadcast_to(_finite(array, "float32", name), (replicas, *shape))))
    return stacked


def read_order(given: Any, *, replicas: int, epochs: int, samples: int) -> Array:
    """The order of the samples, (replica, epoch, sample) int32; a copy.

    Raises
    ------
    ValueError
        If it is not whole numbers of that shape, or names samples there are not.
    """
    order, shape = as_numbers(given, "order"), (epochs, samples)
    if order.shape not in (shape, (replicas, *shape)) or order.dtype.kind not in "iu":
        raise ValueError(
            f"order must hold whole numbers of shape {shape} or {(replicas, *shape)}; "
            f"got {order.dtype} of shape {order.shape}"
        )
    if order.min() < 0 or order.max() >= samples:
        raise ValueError(f"order must name samples from 0 to {samples - 1}; got {order.min()} to {order.max()}")
    return np.array(np.broadcast_to(order, (replicas, *shape)), dtype=np.int32)


def _finite(array: Array, dtype: str, name: str) -> Array:
    with np.errstate(over="ignore"):
        taken = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)  # it would give a number an axis
    finite = np.isfinite(taken)
    if not finite.all():
        place = first(~finite)
        raise ValueError(f"{name} must be finite as {taken.dtype}; got {array[place]} at {place}")
    return taken

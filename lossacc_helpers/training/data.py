"""Checks what a caller hands to training: features and labels that fit the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from lossacc_helpers.training.outputs import class_ids
from lossacc_helpers.training.program import Array


def read_count(value: Any, name: str, *, least: int = 1) -> int:
    """A whole number that is not below ``least``, or a ``ValueError``."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}")
    return int(value)


@dataclass(frozen=True)
class Part:
    """Training or validation data: features (sample, ...) and class ids (sample,)."""

    features: Array
    labels: np.ndarray[Any, np.dtype[np.intp]]


def read_part(data: Any, model: keras.Model, classes: int, *, name: str) -> Part:
    """Features and labels as the network takes them.

    Raises
    ------
    ValueError
        If ``data`` is not a pair, if the features do not fit the network's input or hold NaN or infinity, or if there
        are not as many labels as samples.
    """
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ValueError(f"{name} must be a pair (features, labels); got {type(data).__name__}")
    features = np.asarray(data[0])
    if features.dtype.kind not in "biuf":
        raise ValueError(f"{name} features must be numbers; got dtype {features.dtype}")
    expected = tuple(model.inputs[0].shape)
    fits = features.ndim == len(expected) and all(
        wanted is None or wanted == got for wanted, got in zip(expected[1:], features.shape[1:], strict=True)
    )
    if not fits or not len(features):
        wanted = ("sample", *expected[1:])
        raise ValueError(f"{name} features must have shape ({', '.join(map(str, wanted))}); got {features.shape}")
    with np.errstate(over="ignore"):
        taken = np.ascontiguousarray(features, dtype=model.inputs[0].dtype)
    if not np.isfinite(taken).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(taken))[0]))
        raise ValueError(f"{name} features must be finite as {taken.dtype}; got {features[place]} at {place}")
    labels = class_ids(data[1], classes, name=name)
    if len(labels) != len(features):
        raise ValueError(f"{name} has {len(features)} samples but {len(labels)} labels")
    return Part(taken, labels)

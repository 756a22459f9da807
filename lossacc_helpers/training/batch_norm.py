"""Gives BatchNormalization the statistics of the network as it is now, instead of an average over its past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers._validation import as_numbers, as_whole_number, one_hot_hint
from lossacc_helpers.datasets import Crops
from lossacc_helpers.training._keras import check_keras, layers_of, untouched
from lossacc_helpers.training.program import Array

# A layer, and the mean, variance and count of numbers in each channel of one batch that went through it.
Seen = tuple[keras.layers.BatchNormalization, Any, Any, Any]


def recompute_batch_norm_statistics(
    model: keras.Model, data: Any, *, dropout: bool = False, batch_size: int = 128
) -> None:
    """Replace all moving averages of BatchNormalization by statistics of this data, for the weights as they are now.

    While a network trains, BatchNormalization normalises with the mean and variance of the batch. For inference it
    keeps moving averages of them, over steps in which the weights were others and dropout was on. Here the data goes
    through the network once more, each layer normalising with the batch, and every layer is given the mean and the
    variance of all that reached it. Nothing else in the model changes: no weight, no state of an optimizer, no
    generator of random numbers of the model. Inside a callback, training goes on as if nobody had looked; only a layer
    of your own that draws without a seed generator of its own moves Keras's global one.

    Parameters
    ----------
    model
        Any built Keras model, layers within layers too.
    data
        Training data: features (sample, ...), an array or `Crops`; a tuple of these and their labels, (sample,) or
        (sample, class); or batches as ``Model.fit`` takes them, in a ``tf.data.Dataset``, a ``PyDataset``, a list or a
        generator that ends. Batches are needed for a model with several inputs.
    dropout
        False: every layer but BatchNormalization works as in inference. True: as in training, so that dropout, noise
        and augmentation are on, as they were when the moving averages were made.
    batch_size
        Samples that are normalised together, for data that is no batches yet; a last batch of one joins the one before.
        Larger is better, as far as memory allows.

    Raises
    ------
    ValueError
        For a model that is not built or has no BatchNormalization that training moves; for data that is empty, without
        end or does not fit the model; for a tuple that is not features and their labels; for a batch that holds a
        single number a channel, which has no variance; for statistics that are not finite; and for a `dropout` that is
        neither True nor False. The model is left as it was.

    Notes
    -----
    The result is the mean and the variance of all numbers that reached the layer: the variance is the mean of the
    batches' variances plus the variance of their means, each batch weighted by its numbers. A layer that is called
    several times is given the statistics of all calls. Layers that are frozen (``trainable = False``) or called with
    ``training=False`` keep what they have, as they do in training. To put the old statistics back, keep
    ``model.get_weights()`` before and give it to ``model.set_weights`` afterwards.

    This is the "precise" BatchNorm of Y. Wu and J. Johnson, "Rethinking 'Batch' in BatchNorm" (2021). With
    ``dropout=False`` it also removes the shift of variance that dropout before BatchNormalization makes: X. Li,
    S. Chen, X. Hu and J. Yang, "Understanding the disharmony between dropout and batch normalization by variance
    shift" (CVPR 2019).

    Examples
    --------
    >>> before = model.get_weights()                                             # doctest: +SKIP
    >>> recompute_batch_norm_statistics(model, x_train)                          # doctest: +SKIP
    >>> model.evaluate(x_val, y_val)                                             # doctest: +SKIP
    >>> model.set_weights(before)                                                # doctest: +SKIP
    """
    check_keras()
    if not isinstance(dropout, bool | np.bool_):
        raise ValueError(f"dropout must be True or False, on or off while the data goes through; got {dropout!r}")
    layers = batch_norm_layers(model)
    statistics: dict[int, _Pooled] = {}
    number = -1
    with untouched(model):
        for number, batch in enumerate(_batches(data, model, as_whole_number(batch_size, "batch_size", least=1))):
            if number == 0:
                layers = _moved_by_training(model, layers, batch)
            with batch_statistics(layers) as seen:
                _run(model, batch, training=bool(dropout))
            for layer, *found in seen:
                statistics.setdefault(id(layer), _Pooled()).add(*found, place=f"batch {number} at {layer.name}")
    if number < 0:
        raise ValueError("data is empty: there is nothing to compute statistics from")
    for layer in layers:
        if id(layer) in statistics:
            _give(layer, statistics[id(layer)])


def batch_norm_layers(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """The layers whose statistics training moves, in the order of the model, each once; `ValueError` if none."""
    if not isinstance(model, keras.Model):
        raise ValueError(f"model must be a Keras model; got {type(model).__name__}")
    if not model.built:
        raise ValueError("the model is not built yet: begin it with keras.Input(shape), or call it on a batch first")
    found = {id(one): one for one in layers_of(model) if isinstance(one, keras.layers.BatchNormalization)}
    if not found:
        raise ValueError(
            "the model has no BatchNormalization, so there are no moving averages; whatever its validation loss does "
            "has another cause"
        )
    layers = [one for one in found.values() if one.trainable]
    if not layers:
        raise ValueError(
            "every BatchNormalization of the model is frozen (trainable = False): training does not move its "
            "statistics either. Unfreeze a layer to have its statistics recomputed"
        )
    return layers


@contextmanager
def batch_statistics(layers: list[keras.layers.BatchNormalization]) -> Iterator[list[Seen]]:
    """While it lasts, these layers normalise with the batch, keep their moving averages, and note what they saw.

    Whatever the model is called with: ``model(batch, training=False)`` normalises with the batch too, and drops
    nothing. Works in eager calls, and in the trace of a ``tf.function``, where what is noted are symbols.
    """
    seen: list[Seen] = []
    with _calling(layers, lambda layer, own: _noting(layer, own, seen)):
        yield seen


@contextmanager
def _calling(layers: list[Any], around: Callable[[Any, Any], Any]) -> Iterator[None]:
    """While it lasts, calls of these layers go to what ``around`` makes of the layer and its own ``call``.

    On the instance: Keras lets only the model choose between training and inference, and only for all its layers.
    """
    before = [vars(layer).get("call") for layer in layers]
    try:
        for layer in layers:
            layer.call = around(layer, layer.call)
        yield
    finally:
        for layer, own in zip(layers, before, strict=True):
            vars(layer).pop("call", None)  # the class's own comes forth again
            if own is not None:
                layer.call = own


def _noting(layer: keras.layers.BatchNormalization, own: Any, seen: list[Seen]) -> Any:
    def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        parts = layer.moving_mean, layer.moving_variance
        before = [keras.ops.copy(part.value) for part in parts]
        settings = {name: getattr(layer, name) for name in ("momentum", "renorm") if hasattr(layer, name)}
        for part in parts:
            part.assign(keras.ops.zeros_like(part.value))  # or what is not finite would stay: 0 * NaN is NaN
        try:
            # Without momentum the moving averages are the batch's own; renormalised it would be with those of the past.
            for name in settings:
                setattr(layer, name, type(settings[name])(0))
            outputs = own(inputs, *args, **{**kwargs, "training": True})
            seen.append((layer, *(keras.ops.copy(part.value) for part in parts), _numbers(layer, inputs, **kwargs)))
        finally:
            for name, value in settings.items():
                setattr(layer, name, value)
            for part, value in zip(parts, before, strict=True):
                part.assign(value)
        return outputs

    return call


def _numbers(layer: keras.layers.BatchNormalization, inputs: Any, mask: Any = None, **_: Any) -> Any:
    """How many numbers the layer takes into the mean of a channel."""
    shape, axes = keras.ops.shape(inputs), len(inputs.shape)
    summed = [axis for axis in range(axes) if axis != layer.axis % axes]
    if mask is None:
        return keras.ops.prod(keras.ops.stack([shape[axis] for axis in summed]))
    taken = keras.ops.broadcast_to(keras.ops.expand_dims(mask, -1), shape)
    return keras.ops.sum(keras.ops.cast(taken, "int32"), axis=summed)


def _moved_by_training(model: keras.Model, layers: list[Any], batch: Any) -> list[Any]:
    """Those of the layers that the model calls in training mode when it is trained."""
    moved: set[int] = set()

    def noting(layer: Any, own: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs.get("training"):
                moved.add(id(layer))
            return own(*args, **kwargs)

        return call

    with untouched(model), _calling(layers, noting):
        _run(model, batch, training=True)
    if not moved:
        raise ValueError(
            "the model calls no BatchNormalization in training mode, so training does not move their statistics either"
        )
    return [layer for layer in layers if id(layer) in moved]


def _run(model: keras.Model, batch: Any, *, training: bool) -> None:
    """Call the model, its ``tf.function`` too, step by step: a trace would outlast the changed ``call`` it is of."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        model(batch, training=training)
    finally:
        tf.config.run_functions_eagerly(before)


class _Pooled:
    """The mean and the variance of all numbers of a channel, from those of the batches."""

    def __init__(self) -> None:
        self.mean, self.squares, self.count = (np.zeros(()) for _ in range(3))

    @property
    def variance(self) -> Array:
        return self.squares / self.count

    def add(self, *found: Any, place: str) -> None:
        mean, variance, count = (np.asarray(one, dtype=np.float64) for one in found)
        if (count < 2).any():
            raise ValueError(
                f"{place} has {count.min():g} number{'' if count.min() == 1 else 's'} a channel, and no variance; give "
                "larger batches, or leave the last one out"
            )
        if not (np.isfinite(mean).all() and np.isfinite(variance).all()):
            raise ValueError(f"{place} is not finite, so it has no mean and variance")
        total, away = self.count + count, mean - self.mean
        self.squares = self.squares + count * variance + away**2 * self.count * count / total
        self.mean, self.count = self.mean + away * count / total, total


def _give(layer: keras.layers.BatchNormalization, statistics: _Pooled) -> None:
    layer.moving_mean.assign(statistics.mean)
    layer.moving_variance.assign(statistics.variance)
    if getattr(layer, "renorm", False):  # from which it makes the variance in the next step of training
        layer.moving_stddev.assign(np.sqrt(statistics.variance + layer.epsilon))


def _batches(data: Any, model: keras.Model, batch_size: int) -> Iterator[Any]:
    """The features, batch by batch."""
    if isinstance(data, tuple):
        data = _features_of(data) if data else np.empty(0)
    if isinstance(data, Crops) or hasattr(data, "__array__"):
        yield from _cut(data if isinstance(data, Crops) else as_numbers(data, "data"), model, batch_size)
        return
    for number, batch in enumerate(_those_that_are_there(data)):
        _check_arrays(batch, f"batch {number} of data")
        features = keras.utils.unpack_x_y_sample_weight(batch)[0]
        _check_shape(features, model, f"batch {number} of data")
        yield features


def _features_of(data: tuple[Any, ...]) -> Any:
    """The features of a tuple of features and labels; `ValueError` for batches, of which the first alone would count.

    Labels that have the shape of the features are taken for a second batch, unless they are one-hot.
    """
    features, *rest = data
    for labels in rest:
        if labels is None:
            continue
        shape, samples = tuple(np.shape(labels)), len(features) if hasattr(features, "__len__") else None
        like = len(shape) > 1 and shape[1:] == tuple(np.shape(features))[1:] and not one_hot_hint(np.asarray(labels))
        if not 1 <= len(shape) <= 2 or shape[0] != samples or like:
            raise ValueError(
                f"a tuple must be features and their labels, (sample,) or (sample, class), for as many samples; got "
                f"{type(labels).__name__} of shape {shape} beside {samples} samples. Give batches in a list, features "
                "alone without a tuple"
            )
    return features


def _check_arrays(batch: Any, name: str) -> None:
    """Raise `ValueError` for a batch of plain lists: Keras takes the rows of such a one for several inputs."""
    inner = batch
    while isinstance(inner, list | tuple | dict) and inner:
        inner = next(iter(inner.values())) if isinstance(inner, dict) else inner[0]
    if not hasattr(inner, "shape") and inner is not None:
        raise ValueError(f"{name} must hold arrays; got {type(inner).__name__} (np.array(...) makes one of a list)")


def _those_that_are_there(data: Any) -> Iterator[Any]:
    """Batches that are cut already, or `ValueError` for what are none and for those that never end."""
    if isinstance(data, tf.data.Dataset):
        endless = int(data.cardinality()) == tf.data.INFINITE_CARDINALITY
    else:
        endless = isinstance(data, keras.utils.PyDataset) and data.num_batches is None
    if endless:
        raise ValueError(
            "data never ends; give as many batches as shall count, as data.take(100) does for a tf.data.Dataset"
        )
    if isinstance(data, keras.utils.PyDataset):
        return (data[number] for number in range(data.num_batches))
    if isinstance(data, dict | str | bytes) or not (hasattr(data, "__iter__") or hasattr(data, "__getitem__")):
        raise ValueError(f"data must be an array of features, Crops, or batches of them; got {type(data).__name__}")
    return iter(data)


def _cut(features: Any, model: keras.Model, batch_size: int) -> Iterator[Any]:
    if len(inputs := getattr(model, "inputs", None) or []) > 1:
        raise ValueError(f"the model has {len(inputs)} inputs: give batches, each with features for all of them")
    _check_shape(features, model, "data")
    starts = list(range(0, len(features), batch_size))
    if len(starts) > 1 and len(features) - starts[-1] == 1:  # of one sample a dense layer has no variance
        starts.pop()
    for start, end in zip(starts, [*starts[1:], len(features)], strict=True):
        yield keras.ops.convert_to_tensor(features[start:end])


def _check_shape(features: Any, model: keras.Model, name: str) -> None:
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) != 1 or not hasattr(features, "shape"):  # Keras matches several by name
        return
    expected, shape = ("sample", *inputs[0].shape[1:]), tuple(features.shape)
    fits = len(shape) == len(expected) and all(
        wanted in (None, got) for wanted, got in zip(expected[1:], shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(f"{name} must have shape ({', '.join(map(str, expected))}); got {shape}")

"""Streams crops of photographs to ``Model.fit``: cut batch by batch, never all in memory as floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from lossacc_helpers._validation import as_numbers, as_whole_number, one_hot_hint
from lossacc_helpers.datasets import Crops
from lossacc_helpers.datasets.photographs import noise_table
from lossacc_helpers.training.data import read_pair
from lossacc_helpers.training.seeds import draw_orders


def stream(data: Any, *, batch_size: int, epochs: int = 1, seed: int | None = None) -> Any:
    """Return a ``tf.data.Dataset`` of the batches of crops for all epochs, one epoch after the other.

    Parameters
    ----------
    data
        ``(crops, labels)``: `Crops`, such as those of ``datasets.photographs().train``, and class ids (sample,).
    batch_size, epochs
        Counts. The last batch of an epoch takes the samples that are left, as in Keras.
    seed
        None: every epoch in the order of the crops. Otherwise every epoch in an order of its own, that of replica 0 in
        `fit_replicas` with this seed.

    Returns
    -------
    tf.data.Dataset
        Pairs of images (batch, height, width, 1) float32 and labels (batch,) int64: ceil(samples / batch_size) an
        epoch. Values are those of ``np.asarray(crops)``. What it holds in memory is the photographs, one byte a pixel,
        a few batches, the order of all epochs, 4 bytes a sample and epoch, and with noise the table of its numbers,
        4 MB.

    Raises
    ------
    ValueError
        For data that are no crops with one class id each, counts below one and a negative seed.

    Notes
    -----
    Give ``steps_per_epoch`` to `fit`: without it each of Keras's epochs is a whole stream, so that ``fit(epochs=3)``
    on ``stream(epochs=3)`` trains nine.

    Examples
    --------
    >>> batches = stream(photographs.train, batch_size=32, epochs=20, seed=0)    # doctest: +SKIP
    >>> steps = math.ceil(6000 / 32)                                             # doctest: +SKIP
    >>> model.fit(batches, epochs=20, steps_per_epoch=steps, shuffle=False)      # doctest: +SKIP
    """
    crops, labels = read_pair(data, "data")
    if not isinstance(crops, Crops):
        raise ValueError(f"data must be a pair (crops, labels), as datasets.photographs gives it; got {_kind(crops)}")
    ids = as_numbers(labels, "labels")
    if ids.shape != (len(crops),) or ids.dtype.kind not in "iu":
        raise ValueError(
            f"labels must be whole numbers of shape ({len(crops)},); got {ids.dtype} of shape {ids.shape}"
            f"{one_hot_hint(ids)}"
        )
    wrong = ids.astype(np.int64) < 0  # what int64 cannot hold becomes negative too
    if wrong.any():
        sample = int(wrong.argmax())
        raise ValueError(f"labels must be class ids, 0 or more and below 2^63; got {ids[sample]} at sample {sample}")
    batch_size, epochs = as_whole_number(batch_size, "batch_size", least=1), as_whole_number(epochs, "epochs", least=1)
    batch_size = min(batch_size, len(crops))  # tf.data makes room for a batch before it has the samples
    if seed is None:
        orders = np.tile(np.arange(len(crops), dtype=np.int32), (epochs, 1))
    else:
        orders = draw_orders(as_whole_number(seed, "seed", least=0), 1, epochs, len(crops))[0]
    cut, targets = _cutter(crops), tf.constant(ids, tf.int64)

    def one_epoch(order: Any) -> Any:
        samples = tf.data.Dataset.from_tensor_slices(order)
        return samples.map(lambda sample: (cut(sample), targets[sample])).batch(batch_size)

    batches = tf.data.Dataset.from_tensor_slices(orders).flat_map(one_epoch)
    steps = epochs * -(-len(crops) // batch_size)
    return batches.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2)


def _cutter(crops: Crops) -> Any:
    """A function that cuts one crop inside TensorFlow, (height, width, 1) float32.

    The photographs lie below one another on one canvas, so that a crop is a slice of it: half the work of gathering its
    pixels one by one.
    """
    width = max(picture.shape[1] for picture in crops.photographs)
    canvas = tf.constant(
        np.concatenate([np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in crops.photographs])
    )
    tops = np.cumsum([0, *(len(picture) for picture in crops.photographs[:-1])])
    corners = crops.offsets + np.stack([tops[crops.sources], np.zeros_like(crops.sources)], axis=1)
    begin, grains = tf.constant(corners, tf.int32), tf.constant(crops.grains, tf.int32)
    # The table once more behind itself: the window of a crop that reaches its end goes on at its beginning.
    pixels = crops.size[0] * crops.size[1]
    noise = tf.constant(np.resize(noise_table(), len(noise_table()) + pixels)) if crops.noise else None

    def cut(sample: Any) -> Any:
        image = tf.cast(tf.slice(canvas, begin[sample], crops.size), tf.float32) / 255
        if noise is not None:
            window = tf.slice(noise, grains[sample][None], [pixels])
            image += crops.noise * tf.reshape(window, crops.size)
        return image[..., None]

    return cut


def _kind(crops: Any) -> str:
    return f"an array of shape {crops.shape}" if isinstance(crops, np.ndarray) else type(crops).__name__

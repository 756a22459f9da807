"""Takes a pause out of Keras's training that TensorFlow makes at the end of every epoch.

Keras reads arrays through a ``tf.data`` pipeline and makes a new one for each epoch. A thread of the old one, which
tunes it, is to stop at once; in TensorFlow 2.21 it often sleeps out its time first, twice as long each time, and the
training waits: an epoch of 1.3 s then takes 2.5 s. There is nothing to tune in a pipeline that cuts arrays, so the
tuning is switched off, for Keras's pipelines of arrays and no others. What is trained stays the same to the last bit.
"""

from functools import wraps
from typing import Any

import tensorflow as tf

from lossacc_helpers.training._keras import reader_of_arrays


def without_pauses() -> None:
    """Have ``fit``, ``evaluate`` and ``predict`` read arrays through pipelines that are not tuned, from now on."""
    reader = reader_of_arrays()
    make = getattr(reader, "get_tf_dataset", None)
    if reader is None or make is None or hasattr(make, "__wrapped__"):  # without it a Keras trains, only more slowly
        return

    @wraps(make)
    def untuned(adapter: Any) -> tf.data.Dataset:
        options = tf.data.Options()
        options.autotune.enabled = False
        return make(adapter).with_options(options)

    reader.get_tf_dataset = untuned

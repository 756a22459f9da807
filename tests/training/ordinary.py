"""Networks, data and the ordinary `Model.fit` that the training engine is held against."""

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers import datasets
from lossacc_helpers.training import RecordPredictions

IRIS = datasets.iris("shuffled")
# Small enough to be quick; 33 leaves a last batch of one behind four of eight.
TRAIN = IRIS.features[:33], IRIS.labels[:33]
VALIDATION = IRIS.features[33:50], IRIS.labels[33:50]


def network(*hidden, last="softmax", units=3, inputs=(4,)):
    """A function that builds a new network: input, hidden layers (made anew by functions, or widths), last layer."""

    def build():
        layers = [keras.layers.Dense(one, activation="relu") if isinstance(one, int) else one() for one in hidden]
        return keras.Sequential([keras.Input(inputs), *layers, keras.layers.Dense(units, activation=last)])

    return build


asked = network(8)


def ordinary_fit(
    build_model,
    initial_weights,
    order,
    train,
    validation,
    *,
    batch_size,
    optimizer,
    loss="sparse_categorical_crossentropy",
    **compiling,
):
    """The run that `Model.fit` gives from these weights in this order, and the model it trained."""
    features, labels = train
    model = build_model()
    model.set_weights(initial_weights)
    model.compile(optimizer=optimizer, loss=loss, **({"jit_compile": False} | compiling))
    batches = tf.data.Dataset.from_tensor_slices(order).flat_map(
        lambda epoch: tf.data.Dataset.from_tensor_slices((tf.gather(features, epoch), tf.gather(labels, epoch))).batch(
            batch_size
        )
    )
    record = RecordPredictions(train, validation)
    steps = -(-len(features) // batch_size)
    model.fit(batches, epochs=len(order), steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[record])
    return record.run, model


def largest_difference(history, other):
    """The largest difference between two histories' probabilities."""
    return float(np.abs(np.exp(history.log_probabilities) - np.exp(other.log_probabilities)).max())

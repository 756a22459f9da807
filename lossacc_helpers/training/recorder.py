"""Records what a network believes about each sample while an ordinary ``Model.fit`` runs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.history import PredictionHistory, TrainingRun
from lossacc_helpers.training._keras import check_keras, untouched
from lossacc_helpers.training.data import Part, read_pair, read_part
from lossacc_helpers.training.outputs import logits_of, read_output, refuse_probabilities
from lossacc_helpers.training.settings import provenance, run_settings


class RecordPredictions(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """A Keras callback that keeps every epoch's predictions for training and validation data.

    Predictions are made in inference mode, after each epoch: dropout is off, BatchNormalization uses its moving
    averages, and the training curve is comparable with the validation curve. (The training loss Keras prints is a
    running mean over the epoch, in training mode.) Log-probabilities come from the logits, so nothing is clipped.
    Entry e, counted from 0, is after e + 1 epochs; the untrained network is not recorded. A second ``fit`` starts a new
    record.

    Parameters
    ----------
    train, validation
        ``(features, labels)``; labels are class ids or one-hot rows. `Crops` are cut a batch at a time.
    batch_size
        Samples predicted at a time; what every layer makes of them is in memory at once.

    Raises
    ------
    ValueError
        For data that are no pair at once; as training begins for data that do not fit the network, and for a network
        whose output cannot be read as probabilities or logits.

    Examples
    --------
    >>> record = RecordPredictions((x, y), (x_val, y_val))                       # doctest: +SKIP
    >>> model.fit(x, y, validation_data=(x_val, y_val), callbacks=[record])      # doctest: +SKIP
    >>> record.run.validation.accuracy                                           # doctest: +SKIP
    """

    def __init__(self, train: Any, validation: Any = None, *, batch_size: int = 1024) -> None:
        super().__init__()
        check_keras()
        self._data = {"train": read_pair(train, "train")}
        if validation is not None:
            self._data["validation"] = read_pair(validation, "validation")
        self._batch_size = as_whole_number(batch_size, "batch_size", least=1)
        self._settings: dict[str, Any] = {}
        self._provenance: dict[str, str] = {}
        self._run: TrainingRun | None = None
        self._parts: list[Part] = []
        self._recorded: list[list[np.ndarray[Any, np.dtype[np.float32]]]] = []
        self._predict: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin a new record, and check the data against the network where that exists yet."""
        self._parts, self._recorded, self._predict, self._run = [], [], None, None
        if self.model.built:  # a model without an Input is built by its first batch
            self._prepare()

    def _prepare(self) -> None:
        output = read_output(self.model)
        self._parts = [
            read_part(data, self.model, output.classes, name=name, uncut=True) for name, data in self._data.items()
        ]
        refuse_probabilities(self.model, output, self._parts[0].features)
        self._recorded = [[] for _ in self._parts]
        # Now: the model may be compiled anew before the record is read.
        optimizer, loss = self.model.optimizer, self.model.loss
        self._settings = run_settings(self.model, optimizer=optimizer, loss=loss, replicas=1, epochs=0)
        self._provenance = provenance()

        def predict(features: Any) -> Any:
            return output.log_probabilities(logits_of(self.model(features, training=False), output))

        # Traced once, for any number of samples: a function that is traced again and again complains on stderr.
        first = self.model.inputs[0]
        self._predict = tf.function(predict, autograph=False).get_concrete_function(
            tf.TensorSpec((None, *first.shape[1:]), first.dtype)
        )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Predict all samples once more."""
        if self._predict is None:
            self._prepare()
        # Keras draws from a recurrent layer's seeds even in inference; a look at the network must not change it.
        with untouched(self.model):
            dtype = self.model.inputs[0].dtype
            for part, recorded in zip(self._parts, self._recorded, strict=True):
                pieces = [
                    self._predict(tf.constant(part.features[start : start + self._batch_size], dtype)).numpy()
                    for start in range(0, len(part.features), self._batch_size)
                ]
                recorded.append(np.concatenate(pieces))

    @property
    def run(self) -> TrainingRun:
        """The record so far; its settings hold None for what a callback is not told.

        Raises
        ------
        ValueError
            Before the first epoch has ended.
        """
        if not self._recorded or not self._recorded[0]:
            raise ValueError("nothing recorded yet: pass this callback to model.fit(..., callbacks=[...]) first")
        epochs = len(self._recorded[0])
        if self._run is None or self._run.epochs != epochs:
            histories = [
                PredictionHistory(part.labels, np.stack(recorded))
                for part, recorded in zip(self._parts, self._recorded, strict=True)
            ]
            settings = {**self._settings, "epochs": epochs}  # a fit may stop before the last
            self._run = TrainingRun(*histories, settings=settings, provenance=self._provenance)
        return self._run

"""Watches an ordinary ``Model.fit``, and says at its end what the curve clinic makes of it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from lossacc_helpers.clinic import Diagnosis, diagnose
from lossacc_helpers.datasets import Crops
from lossacc_helpers.history import TrainingRun
from lossacc_helpers.training.recorder import RecordPredictions


class DiagnoseTraining(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """A Keras callback that keeps what the curve clinic needs and prints a short diagnosis at the end of ``fit``.

    Without data it keeps what Keras reports of each epoch. With the data it also keeps every sample's predictions, as
    `RecordPredictions` does: then labels that may be wrong, copies, confidence and the difference between training and
    inference are settled, and no longer only suspected. A second ``fit`` starts anew.

    Parameters
    ----------
    train, validation : optional
        ``(features, labels)``; labels are class ids or one-hot rows.
    batch_size
        Samples predicted at a time.
    quiet
        Print nothing; `diagnosis` is there all the same.

    Raises
    ------
    ValueError
        For validation data without training data, and for what `RecordPredictions` refuses.

    Examples
    --------
    >>> clinic = DiagnoseTraining((x, y), (x_val, y_val))                        # doctest: +SKIP
    >>> model.fit(x, y, validation_data=(x_val, y_val), callbacks=[clinic])      # doctest: +SKIP
    >>> print(clinic.diagnosis)                                                  # doctest: +SKIP
    """

    def __init__(
        self, train: Any = None, validation: Any = None, *, batch_size: int = 1024, quiet: bool = False
    ) -> None:
        super().__init__()
        if train is None and validation is not None:
            raise ValueError("validation data need training data beside them: DiagnoseTraining(train, validation)")
        self._recorder = None if train is None else RecordPredictions(train, validation, batch_size=batch_size)
        self._inputs = None if validation is None else (train[0], validation[0])
        self._quiet = quiet
        self._reported: dict[str, list[float | None]] = {}
        self._diagnosis: Diagnosis | None = None

    def set_model(self, model: Any) -> None:
        """Watch this model."""
        super().set_model(model)
        if self._recorder is not None:
            self._recorder.set_model(model)

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin anew."""
        self._reported, self._diagnosis = {}, None
        if self._recorder is not None:
            self._recorder.on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep what was reported, and predict all samples where there are data."""
        self._diagnosis = None
        for name, value in (logs or {}).items():
            # A name that is new in a later epoch (validation_freq) has none in those before.
            row = self._reported.setdefault(name, [])
            row += [None] * (epoch - len(row)) + [float(value)]
        if self._recorder is not None:
            self._recorder.on_epoch_end(epoch, logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Print what fits best, why, and what would settle it."""
        if self._quiet or not self._reported:
            return
        try:
            found = self.diagnosis
        except ValueError as error:  # a training that is done must not fail for it
            print(f"The curve clinic cannot say anything: {error}")
            return
        others = [f"{one.slug} ({one.score:.2f})" for one in found.findings[1:4]]
        lines = [
            f"The curve clinic: {found.best.slug} ({found.best.score:.2f}). {found.best.cause.says}",
            *(f"  + {sentence}" for sentence in found.best.evidence),
            *(f"  - {sentence}" for sentence in found.best.against),
            f"  To settle it: {found.best.cause.experiment}{found.best.in_lesson}",
            *([f"  Then: {', '.join(others)}."] if others else []),
        ]
        print("\n".join(lines))

    @property
    def run(self) -> TrainingRun:
        """The record of every sample; `ValueError` where no data were given, or before the first epoch has ended."""
        if self._recorder is None:
            raise ValueError("no data were given, so no samples were recorded: DiagnoseTraining(train, validation)")
        return self._recorder.run

    @property
    def diagnosis(self) -> Diagnosis:
        """What the clinic says of the training so far; `ValueError` before the first epoch has ended."""
        if not self._reported:
            raise ValueError("nothing recorded yet: pass this callback to model.fit(..., callbacks=[...]) first")
        if self._diagnosis is None:
            longest = max(map(len, self._reported.values()))
            printed = {name: row + [None] * (longest - len(row)) for name, row in self._reported.items()}
            if self._recorder is None:
                self._diagnosis = diagnose(printed, classes=_classes(self.model))
            else:
                self._diagnosis = diagnose(self._recorder.run, printed=printed, inputs=_comparable(self._inputs))
        return self._diagnosis


def _classes(model: Any) -> int | None:
    """How many classes the output has, as far as its shape says."""
    shape = getattr(model, "output_shape", None)
    if not isinstance(shape, tuple) or not isinstance(shape[-1], int):
        return None
    return max(shape[-1], 2)


def _comparable(inputs: tuple[Any, Any] | None) -> tuple[Any, Any] | None:
    """The features of both parts, if they are numbers in rows; crops are cut while training and are none."""
    if inputs is None or any(isinstance(part, Crops) for part in inputs):
        return None
    arrays = [np.asarray(part) for part in inputs]
    if any(array.dtype.kind not in "buif" or array.ndim < 2 for array in arrays):
        return None
    return arrays[0], arrays[1]

"""Records what training itself reports, batch by batch, while an ordinary ``Model.fit`` runs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from lossacc_helpers.history import StepHistory
from lossacc_helpers.training._keras import check_keras

_ACCURACIES = (
    keras.metrics.Accuracy,
    keras.metrics.BinaryAccuracy,
    keras.metrics.CategoricalAccuracy,
    keras.metrics.SparseCategoricalAccuracy,
)


class RecordSteps(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """A Keras callback that keeps every batch's own loss and number of correct samples, as training reports them.

    In training mode and before the update with that batch: dropout is on, and each step asks another network. What
    Keras shows while it trains is the mean over the epoch so far; here it is taken apart again. The model must be
    compiled with ``metrics=["accuracy"]`` or another of Keras's accuracies; of several, the first is read. Training is
    only watched, never changed. A second ``fit`` starts a new record.

    The loss is the one that is minimised: regularisation, class weights and sample weights are in it. Keras adds it up
    over the epoch in float32, so it is as exact as that sum: to 2e-5 nats for a batch of 32 in an epoch whose losses
    add up to 15,000, and less so for smaller batches. After a loss that is not finite, the rest of the epoch is NaN.

    Raises
    ------
    ValueError
        As training begins for ``steps_per_execution`` above 1; after the first step for a model without an accuracy
        metric, or with one that does not count every sample once (weights, masks, several units a sample).

    Examples
    --------
    >>> predictions, steps = RecordPredictions((x, y)), RecordSteps()            # doctest: +SKIP
    >>> model.fit(x, y, callbacks=[predictions, steps])                          # doctest: +SKIP
    >>> steps.steps.epoch_loss                                                   # doctest: +SKIP

    One run holds both, in the epochs that were not cut short:

    >>> whole = predictions.run.select_epochs(slice(steps.steps.epochs))         # doctest: +SKIP
    >>> run = dataclasses.replace(whole, steps=steps.steps)                      # doctest: +SKIP
    """

    def __init__(self) -> None:
        super().__init__()
        check_keras()
        self._recorded: list[tuple[float, int, int]] = []
        self._ends: list[int] = []
        self._planned: int | None = None
        self._before = _NOTHING

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin a new record."""
        if self.model.steps_per_execution > 1:
            raise ValueError(
                f"with steps_per_execution={self.model.steps_per_execution} Keras reports that many steps as one; "
                "compile the model without it"
            )
        self._recorded, self._ends = [], []
        self._planned = (self.params or {}).get("steps")  # in an epoch; None for data of unknown length

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Read the sums so far."""
        self._before = _running_sums(self.model) or _NOTHING  # metrics are built by the first batch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keep what the batch has added to them."""
        sums = _running_sums(self.model)
        if sums is None:
            raise ValueError(
                'Keras was not asked which samples are right: compile the model with metrics=["accuracy"]; '
                f"it has {', '.join(one.name for one in _metrics(self.model))}"
            )
        loss, size, right, counted = (now - before for now, before in zip(sums, self._before, strict=True))
        if size < 1 or counted != size or right != int(right):
            raise ValueError(
                f"step {batch} has {size:g} samples, and of {counted:g} its accuracy metric counts {right:g} as right; "
                "it must count every sample once, without weights, masks or several units a sample"
            )
        self._recorded.append((loss / size, int(right), int(size)))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Mark the end of the epoch."""
        self._ends.append(len(self._recorded))

    @property
    def steps(self) -> StepHistory:
        """The record of all epochs that have ended; a last one that was cut short is left out.

        Raises
        ------
        ValueError
            Before the first epoch has ended, if it was cut short, and where epochs differ in their number of steps.
        """
        lengths = np.diff([0, *self._ends])
        if lengths.sum() == 0:
            raise ValueError("nothing recorded yet: pass this callback to model.fit(..., callbacks=[...]) first")
        planned = self._planned or lengths[0]
        if lengths[-1] < planned:  # TerminateOnNaN and its like stop after any batch
            lengths = lengths[:-1]
        if len(lengths) == 0:
            raise ValueError(f"no whole epoch recorded: training stopped after {self._ends[0]} of {planned} steps")
        if len(set(lengths)) > 1:
            raise ValueError(f"all epochs must have the same number of steps; got {', '.join(map(str, lengths))}")
        losses, correct, samples = (np.array(one) for one in zip(*self._recorded[: lengths.sum()], strict=True))
        return StepHistory(losses, correct, samples, steps_per_epoch=lengths[0])


_Sums = tuple[float, float, float, float]
_NOTHING: _Sums = (0.0, 0.0, 0.0, 0.0)


def _running_sums(model: keras.Model) -> _Sums | None:
    """The sums behind Keras's running loss and accuracy, each with its count; None where it keeps no accuracy yet.

    The running means themselves, which callbacks are told, are rounded quotients of these.
    """
    metrics = _metrics(model)
    loss = next((one for one in metrics if one.name == "loss" and isinstance(one, keras.metrics.Mean)), None)
    accuracy = next((one for one in metrics if isinstance(one, _ACCURACIES)), None)
    if loss is None or accuracy is None:
        return None
    total, count, right, counted = (float(part.numpy()) for one in (loss, accuracy) for part in (one.total, one.count))
    return total, count, right, counted


def _metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    """The model's metrics one by one; Keras keeps those it was compiled with in a list of their own."""
    return [one for metric in model.metrics for one in getattr(metric, "metrics", [metric])]

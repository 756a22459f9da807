"""Records what a network believes about every word of sequences while ``Model.fit`` runs, and how to scale it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossacc_helpers._validation import as_number, as_numbers, as_whole_number, check_unit_interval, first
from lossacc_helpers.calibration import LossSplit, TemperatureFit, at_temperature, fit_temperature, split_loss
from lossacc_helpers.history import PredictionHistory, TrainingRun
from lossacc_helpers.training._keras import check_keras, untouched
from lossacc_helpers.training.program import Array
from lossacc_helpers.training.settings import provenance, run_settings

_BLOCK = 1 << 17  # numbers at once: 1 MB of float64
TEMPERATURES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class WordRun:
    """What a network believed about each word, epoch by epoch; padding is left out. A word is a sample here.

    Attributes
    ----------
    run : TrainingRun
        Training and validation words, in inference mode, compact.
    test : PredictionHistory or None
        The same of the test words.
    scaled : PredictionHistory
        The validation words at each of `temperatures`: a leading axis (temperature, epoch, word), compact.
    temperatures : (temperature,)
        Of `scaled`.
    fits : one for each epoch
        The temperature that is best for all validation words; None where none is, as `fit_temperature` says.
    splits : one for each epoch
        The validation loss in two parts, each half of the sequences judged at the temperature of the other; None where
        a half has no best temperature.
    test_scaled : (epoch,) or None
        The test loss at the temperature that is best for the validation words, NaN where none is.
    """

    run: TrainingRun
    test: PredictionHistory | None
    scaled: PredictionHistory
    temperatures: tuple[float, ...]
    fits: tuple[TemperatureFit | None, ...]
    splits: tuple[LossSplit | None, ...]
    test_scaled: Array | None


class RecordWords(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """A Keras callback for models of sequences: keeps what each epoch's network believes of every word.

    For networks that answer with logits (sequence, step, word). After each epoch, in inference mode: the loss, the
    confidence and the correctness of every word of each part, and for the validation words the best temperature. Words
    whose label is `padding` are no samples. Entry e, counted from 0, is after e + 1 epochs.

    Parameters
    ----------
    train, validation, test
        ``(inputs, labels)``: what the model is called with, an array or a tuple of arrays (sequence, step), and word
        numbers (sequence, step).
    padding
        The label that marks a place where nothing is asked; None if there is none.
    groups
        (sequence,), which validation sequences stay together when they are divided into halves; None: each for itself.
    temperatures
        At which the validation words are kept too.
    batch_size
        Sequences predicted at a time.

    Raises
    ------
    ValueError
        For data that are no pair, labels that do not fit the network, a part in which all is padding, and as training
        begins for a network that answers with anything but logits.
    """

    def __init__(
        self,
        train: Any,
        validation: Any,
        test: Any = None,
        *,
        padding: int | None = None,
        groups: Any = None,
        temperatures: Sequence[float] = TEMPERATURES,
        batch_size: int = 256,
    ) -> None:
        super().__init__()
        check_keras()
        if validation is None:
            raise ValueError("validation is needed: temperatures are fitted on it")
        if not len(temperatures) or not all(one > 0 for one in temperatures):
            raise ValueError(f"temperatures must be one or more numbers above 0; got {temperatures}")
        parts = {"train": train, "validation": validation, "test": test}
        self._parts = {name: _Part(name, given, padding) for name, given in parts.items() if given is not None}
        held = self._parts["validation"]
        kept = np.arange(len(held.told)) if groups is None else as_numbers(groups, "groups")
        if kept.shape != (len(held.told),):
            raise ValueError(f"groups must have shape (sequence,) = ({len(held.told)},); got {kept.shape}")
        self._groups = np.repeat(kept, held.told.sum(axis=1))
        self._temperatures = tuple(float(one) for one in temperatures)
        self._batch_size = as_whole_number(batch_size, "batch_size", least=1)
        self._begin()

    def _begin(self) -> None:
        self._kept: dict[str, list[Any]] = {name: [] for name in (*self._parts, "scaled")}
        self._fits: list[TemperatureFit | None] = []
        self._splits: list[LossSplit | None] = []
        self._test_scaled: list[float] = []
        self._settings: dict[str, Any] = {}
        self._predict: Any = None
        self._classes = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin a new record, and check the network."""
        self._begin()
        shape = tuple(self.model.outputs[0].shape)
        if len(self.model.outputs) != 1 or len(shape) != 3 or shape[-1] is None:
            raise ValueError(f"the model must have one output of shape (sequence, step, word); got {shape}")
        self._classes = int(shape[-1])
        for part in self._parts.values():
            part.check(self._classes)
        self._predict = tf.function(
            lambda inputs: self.model(inputs, training=False), reduce_retracing=True, autograph=False
        )
        optimizer, loss = self.model.optimizer, self.model.loss
        self._settings = run_settings(self.model, optimizer=optimizer, loss=loss, replicas=1, epochs=0)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Ask the network about every word once more."""
        with untouched(self.model):  # Keras draws from a recurrent layer's seeds even in inference
            kept, fit, split, scaled = self._look()
        # All that can fail has not: an epoch is kept whole or not at all.
        for name, beliefs in kept.items():
            self._kept[name].append(beliefs)
        self._fits.append(fit)
        self._splits.append(split)
        self._test_scaled.append(scaled)

    def _look(self) -> tuple[dict[str, Any], TemperatureFit | None, LossSplit | None, float]:
        held, fit, split = self._parts["validation"], None, None
        logits = np.concatenate([each for _, each in self._answers(held)])  # a temperature is fitted to all at once
        # There may be none: of a network that has not begun, has diverged, or is right about every word.
        with contextlib.suppress(ValueError):
            fit = fit_temperature(held.words, logits)
            split = split_loss(held.words, logits, groups=self._groups)
        kept: dict[str, Any] = {
            "validation": words_at(held.words, logits, 1.0),
            "scaled": [words_at(held.words, logits, one) for one in self._temperatures],
        }
        del logits  # as large as sequences x steps x vocabulary; of the other parts only some sequences' are held
        at_best = np.nan
        for name in self._parts.keys() - {"validation"}:
            heats = (1.0,) if name == "train" or fit is None else (1.0, fit.temperature)
            pieces = [[words_at(words, each, one) for one in heats] for words, each in self._answers(self._parts[name])]
            beliefs: Array = np.concatenate(pieces, axis=-1)  # (temperature, 3, word)
            kept[name] = beliefs[0]
            if len(heats) > 1:
                at_best = -float(beliefs[1, 0].mean(dtype=np.float64))
        return kept, fit, split, at_best

    def _answers(self, part: _Part) -> Iterator[tuple[Array, Array]]:
        """Words (word,) that are told and the logits there (word, vocabulary), some sequences at a time."""
        for start in range(0, len(part.told), self._batch_size):
            rows = slice(start, start + self._batch_size)
            inputs = [tf.constant(one[rows]) for one in part.inputs]
            told = part.told[rows]
            logits = self._predict(inputs[0] if len(inputs) == 1 else inputs).numpy()[told]
            sums_to_one = (logits >= 0).all() and (np.abs(logits.sum(axis=-1) - 1) < 1e-3).all()
            if not self._fits and len(logits) and sums_to_one:
                raise ValueError(
                    "the model answers with probabilities; end it in a layer without activation, for logits"
                )
            yield part.labels[rows][told], logits

    @property
    def record(self) -> WordRun:
        """The record so far; `ValueError` before the first epoch has ended."""
        if not self._fits:
            raise ValueError("nothing recorded yet: pass this callback to model.fit(..., callbacks=[...]) first")
        histories = {name: self._history(part, self._kept[name]) for name, part in self._parts.items()}
        rows = list(zip(*self._kept["scaled"], strict=True))  # a temperature after the other, each with its epochs
        run = TrainingRun(
            histories["train"],
            histories["validation"],
            settings={**self._settings, "epochs": len(self._fits)},
            provenance=provenance(),
        )
        return WordRun(
            run,
            histories.get("test"),
            self._history(self._parts["validation"], rows),
            self._temperatures,
            tuple(self._fits),
            tuple(self._splits),
            np.array(self._test_scaled) if "test" in self._parts else None,
        )

    def _history(self, part: _Part, kept: Sequence[Any]) -> PredictionHistory:
        logs, tops, right = np.moveaxis(np.array(kept), -2, 0)
        return PredictionHistory.from_compact(part.words, logs, tops, right.astype(bool), classes=self._classes)


def smoothed_cross_entropy(smoothing: float) -> Any:
    """A loss of logits (sequence, step, word) and word numbers: cross-entropy with smoothed labels.

    Of each label a share ``smoothing`` is spread evenly over all words: 0 is the plain cross-entropy. Raises
    `ValueError` outside [0, 1].
    """
    share = as_number(check_unit_interval(smoothing, "smoothing"), "smoothing")
    if share == 0:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def loss(labels: Any, logits: Any) -> Any:
        words = keras.ops.one_hot(keras.ops.cast(labels, "int32"), logits.shape[-1])
        return keras.losses.categorical_crossentropy(words, logits, from_logits=True, label_smoothing=share)

    loss.__name__ = f"cross_entropy_of_labels_smoothed_by_{share:g}"  # which a run's settings tell
    return loss


class _Part:
    """Sequences of words: what the model is called with, which places are told, and the words there."""

    def __init__(self, name: str, given: Any, padding: int | None) -> None:
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise ValueError(f"{name} must be a pair (inputs, labels); got {type(given).__name__}")
        self.name = name
        inputs = given[0] if isinstance(given[0], tuple | list) else (given[0],)
        self.inputs = tuple(as_numbers(one, f"{name} inputs") for one in inputs)
        labels = as_numbers(given[1], f"{name} labels")
        if labels.ndim != 2 or labels.dtype.kind not in "iu":
            raise ValueError(f"{name} labels must be word numbers (sequence, step); got {labels.dtype}, {labels.shape}")
        for one in self.inputs:
            if one.ndim != 2 or len(one) != len(labels):
                raise ValueError(
                    f"{name} inputs must have shape (sequence, step) with {len(labels)} sequences; got {one.shape}"
                )
        self.told = np.ones(labels.shape, dtype=bool) if padding is None else labels != padding
        self.labels = labels.astype(np.intp)
        self.words = self.labels[self.told]
        if not len(self.words):
            raise ValueError(f"{name} holds nothing but padding: every label is {padding}")

    def check(self, classes: int) -> None:
        """Raise `ValueError` for a word that the network has no logit for."""
        odd = (self.words < 0) | (self.words >= classes)
        if odd.any():
            raise ValueError(
                f"{self.name} labels must lie in 0..{classes - 1}, the words the model answers with; "
                f"got {self.words[first(odd)]}"
            )


def words_at(words: Array, logits: Array, temperature: float) -> Array:
    """What a model believes of words (word,), from logits (word, vocabulary) at a temperature: (3, word) float32.

    The log-probability of the true word, the largest probability, and 1 where argmax names the true word, else 0. A
    word whose logits are not finite, as of a network that diverged, is NaN, NaN and 0.
    """
    found = np.full((3, len(words)), np.nan, dtype=np.float32)
    found[2] = 0
    rows = np.flatnonzero(np.isfinite(logits).all(axis=-1))
    for some in np.array_split(rows, max(1, len(rows) * logits.shape[-1] // _BLOCK)):
        if len(some):
            logs = at_temperature(logits[some], temperature)
            of_truth = logs[np.arange(len(some)), words[some]]
            found[:, some] = of_truth, np.exp(logs.max(axis=-1)), logs.argmax(axis=-1) == words[some]
    return found

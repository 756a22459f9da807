"""A training: its histories, settings, weights and order, and the file that keeps them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from operator import index as as_index
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers
from lossacc_helpers.history.archive import frozen_mapping, load_archive, provenance_of_now, save_archive, thawed_json
from lossacc_helpers.history.predictions import PredictionHistory, read_only, replica_place
from lossacc_helpers.history.steps import StepHistory

_FORM = "lossacc_helpers.TrainingRun", 1  # name and version
_STEPS = ("losses", "correct", "samples")  # the arrays of a StepHistory


@dataclass(frozen=True, eq=False, repr=False)
class TrainingRun:
    """A training: its histories, its settings and, where recorded, its weights and the order of its samples.

    Parameters
    ----------
    train : PredictionHistory
        Inference-mode predictions of the training samples: epoch entry e, counted from 0, is after e + 1 epochs; the
        untrained network is not recorded.
    validation : PredictionHistory, optional
        The same of the validation samples: as many replicas, epochs and classes.
    settings : mapping
        What was trained, as JSON can hold it: text, numbers, booleans, None, lists and mappings with text keys.
    initial, final : sequence of arrays, optional
        The weights before and after the whole training, each with the leading axes of the histories first. Taken over,
        not copied.
    orders : (..., epoch, sample) int, optional
        Which training sample came when. An epoch may visit a sample more than once, and another not at all. Taken over,
        not copied.
    steps : StepHistory, optional
        What training itself reported, batch by batch: as many replicas and epochs.
    provenance : mapping, optional
        What made the run: versions, machine and date. Kept as given; a run without gets that of the moment in which it
        is saved.

    Raises
    ------
    ValueError
        For histories that do not belong together, and for arrays of other shapes.

    Notes
    -----
    A run is read-only, and its own deep copy. Replicas are counted from 0 to `replicas` - 1, through several leading
    axes with the last one fastest, as ``numpy.reshape`` does.

    Examples
    --------
    >>> history = PredictionHistory.from_probabilities([0, 1], [[[0.6, 0.4], [0.3, 0.7]]])
    >>> run = TrainingRun(history, settings={"learning_rate": 0.0005})
    >>> run.settings["learning_rate"]
    0.0005
    """

    train: PredictionHistory
    validation: PredictionHistory | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    initial: Sequence[NDArray[Any]] | None = field(default=None, kw_only=True)
    final: Sequence[NDArray[Any]] | None = field(default=None, kw_only=True)
    orders: NDArray[np.integer[Any]] | None = field(default=None, kw_only=True)
    steps: StepHistory | None = field(default=None, kw_only=True)
    provenance: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("train", "validation"):
            part = getattr(self, name)
            if not isinstance(part, PredictionHistory) and (name == "train" or part is not None):
                raise ValueError(f"{name} must be a PredictionHistory; got {type(part).__name__}")
        if self.validation is not None:
            for what in ("leading_shape", "epochs", "classes"):
                ours, theirs = getattr(self.train, what), getattr(self.validation, what)
                if ours != theirs:
                    words = "replica axes" if what == "leading_shape" else what
                    raise ValueError(f"train and validation must have the same {words}; got {ours} and {theirs}")
        for name in ("settings", "provenance"):
            object.__setattr__(self, name, frozen_mapping(getattr(self, name), name))
        for name in ("initial", "final"):
            object.__setattr__(self, name, _check_weights(getattr(self, name), name, self.train.leading_shape))
        object.__setattr__(self, "orders", _check_orders(self.orders, self.train))
        _check_steps(self.steps, self.train)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:
        # Read-only mappings cannot be pickled and unpickled arrays are writable: a copy is made as every run is.
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        for name in ("settings", "provenance"):
            parts[name] = thawed_json(parts[name])
        return partial(type(self), **parts), ()

    def __repr__(self) -> str:
        kept = [name for name in ("initial", "final", "orders", "steps") if getattr(self, name) is not None]
        recorded = f", with {', '.join(kept)}" if kept else ""
        return f"TrainingRun(train={self.train!r}, validation={self.validation!r}{recorded})"

    @property
    def replicas(self) -> int:
        """How many networks were trained."""
        return self.train.replicas

    @property
    def epochs(self) -> int:
        """How many epochs were recorded."""
        return self.train.epochs

    def initial_weights(self, k: int = 0) -> list[NDArray[Any]]:
        """Return the weights that replica `k` started from, as ``model.set_weights`` takes them.

        Raises `ValueError` if they were not recorded, `IndexError` if there is no such replica.
        """
        return self._weights(self.initial, "initial weights", k)

    def final_weights(self, k: int = 0) -> list[NDArray[Any]]:
        """Return the weights that replica `k` ended with, as ``model.set_weights`` takes them.

        Raises `ValueError` if they were not recorded, `IndexError` if there is no such replica.
        """
        return self._weights(self.final, "final weights", k)

    def order(self, k: int = 0) -> NDArray[np.integer[Any]]:
        """Return which training sample came when for replica `k`, shape (epoch, sample).

        Raises `ValueError` if it was not recorded, `IndexError` if there is no such replica.
        """
        if self.orders is None:
            raise ValueError("the order of the samples was not recorded in this run")
        return self._of_replica([self.orders], k)[0]

    def _weights(self, stacks: Sequence[NDArray[Any]] | None, name: str, k: int) -> list[NDArray[Any]]:
        if stacks is None:
            raise ValueError(f"the {name} were not recorded in this run")
        return self._of_replica(stacks, k)

    def _of_replica(self, stacks: Sequence[NDArray[Any]], k: int) -> list[NDArray[Any]]:
        place = replica_place(k, self.train.leading_shape)
        return [np.asarray(stack[place]) for stack in stacks]  # a weight may be a single number

    def replica(self, k: int) -> Self:
        """Return the run of replica `k` alone, with ``"replica": k`` in its settings; `IndexError` if there is none."""
        return replace(
            self,
            train=self.train.replica(k),
            validation=None if self.validation is None else self.validation.replica(k),
            settings={**self.settings, "replica": as_index(k)},
            initial=None if self.initial is None else self.initial_weights(k),
            final=None if self.final is None else self.final_weights(k),
            orders=None if self.orders is None else self.order(k),
            steps=None if self.steps is None else self.steps.replica(k),
        )

    def select_epochs(self, epochs: slice) -> Self:
        """Return the run with a slice of its epochs, such as ``slice(0, 50)`` or ``slice(None, None, 10)``.

        Histories, orders and steps are sliced. Settings and weights stay what they are: those of the whole training.
        """
        return replace(
            self,
            train=self.train.select_epochs(epochs),
            validation=None if self.validation is None else self.validation.select_epochs(epochs),
            orders=None if self.orders is None else self.orders[..., epochs, :],
            steps=None if self.steps is None else self.steps.select_epochs(epochs),
        )

    def compact(self) -> Self:
        """Return the run with both histories of predictions in their compact form."""
        validation = None if self.validation is None else self.validation.compact()
        return replace(self, train=self.train.compact(), validation=validation)

    def save(self, path: str | os.PathLike[str], *, half: bool = False) -> Path:
        """Write the run to one compressed ``.npz`` file and return its path.

        Parameters
        ----------
        path : path
            Where to; ``.npz`` is added if it does not end so. The file appears whole or not at all.
        half : bool
            Keep log-probabilities and top probabilities as float16, for recordings: compact histories only. Losses
            then agree within one part in a thousand or 6e-8 nats, whichever is more, so that one of 1e-8 becomes 0;
            a finite loss above 65504 becomes 65504.

        Notes
        -----
        The file holds plain arrays and one JSON text with the settings and the provenance: the versions of this
        package, NumPy and Python, the platform and the date. A run that was given or loaded with a provenance keeps it.
        """
        return save_archive(path, _FORM, *self._contents(half))

    def _contents(self, half: bool) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the description of the run, as JSON can hold it, and the arrays it names."""
        arrays: dict[str, NDArray[Any]] = {}
        about: dict[str, Any] = {
            "settings": thawed_json(self.settings),
            "provenance": thawed_json(self.provenance) or provenance_of_now(),
            "orders": self.orders is not None,
        }
        for name, history in (("train", self.train), ("validation", self.validation)):
            about[name] = None if history is None else {"compact": history.is_compact, "classes": history.classes}
            if history is not None:
                arrays |= {f"{name}.{part}": array for part, array in history._arrays(half=half).items()}
        for name, stacks in (("initial", self.initial), ("final", self.final)):
            about[name] = None if stacks is None else len(stacks)
            arrays |= {f"{name}.{i}": stack for i, stack in enumerate(stacks or ())}
        if self.orders is not None:
            arrays["orders"] = self.orders
        about["steps"] = None if self.steps is None else self.steps.steps_per_epoch
        if self.steps is not None:
            arrays |= {f"steps.{part}": getattr(self.steps, part) for part in _STEPS}
        return about, arrays

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a run that `save` wrote.

        ``.npz`` may be left off the path. Nothing in the file is ever executed.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged, or was not written by `save`; the message names it.
        """
        return load_archive(path, _FORM, "a training run", cls._from_contents)

    @classmethod
    def _from_contents(cls, about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Self:
        missing = {"settings", "provenance", "orders", "train", "validation", "initial", "final"} - about.keys()
        if missing:
            raise ValueError(f"its description lacks {', '.join(sorted(missing))}")

        def take(name: str) -> NDArray[Any]:
            if name not in arrays:
                raise ValueError(f"its array {name!r} is missing")
            return arrays.pop(name)

        def history(name: str) -> PredictionHistory | None:
            if (form := about[name]) is None:
                return None
            parts = {part: take(f"{name}.{part}") for part in PredictionHistory._parts(compact=form["compact"])}
            return PredictionHistory._from_arrays(parts, classes=form["classes"])

        def weights(name: str) -> list[NDArray[Any]] | None:
            return None if about[name] is None else [take(f"{name}.{i}") for i in range(about[name])]

        def steps() -> StepHistory | None:
            if (steps_per_epoch := about.get("steps")) is None:  # older files do not mention them
                return None
            return StepHistory(*(take(f"steps.{part}") for part in _STEPS), steps_per_epoch=steps_per_epoch)

        train = history("train")
        if train is None:
            raise ValueError("it holds no training history")
        run = cls(
            train,
            history("validation"),
            settings=about["settings"],
            initial=weights("initial"),
            final=weights("final"),
            orders=take("orders") if about["orders"] else None,
            steps=steps(),
            provenance=about["provenance"],
        )
        if arrays:
            raise ValueError(f"it holds arrays that do not belong to a run: {', '.join(sorted(arrays))}")
        return run


def _check_weights(
    stacks: Sequence[NDArray[Any]] | None, name: str, leading: tuple[int, ...]
) -> tuple[NDArray[Any], ...] | None:
    if stacks is None:
        return None
    arrays = tuple(np.asarray(stack) for stack in stacks)
    for i, array in enumerate(arrays):
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} weights must be numbers; array {i} holds {array.dtype}")
        if array.shape[: len(leading)] != leading:
            raise ValueError(f"{name} weights must begin with the replica axes {leading}; array {i} has {array.shape}")
    return tuple(read_only(array) for array in arrays)


def _check_orders(orders: ArrayLike | None, train: PredictionHistory) -> NDArray[np.integer[Any]] | None:
    if orders is None:
        return None
    array = as_numbers(orders, "orders")
    shape = (*train.leading_shape, train.epochs, train.samples)
    if array.shape != shape or array.dtype.kind not in "iu":
        raise ValueError(f"orders must be whole numbers of shape {shape}; got {array.dtype} of shape {array.shape}")
    if array.min() < 0 or array.max() >= train.samples:
        raise ValueError(f"orders must name samples 0..{train.samples - 1}; got {array.min()} to {array.max()}")
    return read_only(array)


def _check_steps(steps: Any, train: PredictionHistory) -> None:
    if steps is None:
        return
    if not isinstance(steps, StepHistory):
        raise ValueError(f"steps must be a StepHistory; got {type(steps).__name__}")
    for what, words in (("leading_shape", "replica axes"), ("epochs", "epochs")):
        ours, theirs = getattr(train, what), getattr(steps, what)
        if ours != theirs:
            raise ValueError(f"train and steps must have the same {words}; got {ours} and {theirs}")

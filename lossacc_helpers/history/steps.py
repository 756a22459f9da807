"""What training reported batch by batch: each batch's own loss and hits, in training mode and before its update."""

from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers, as_whole_number, first, place
from lossacc_helpers.history.predictions import read_only, replica_place


@dataclass(frozen=True, eq=False, repr=False)
class StepHistory:
    """What training itself reported, batch by batch: in training mode, and before the update with that batch.

    A `PredictionHistory` asks one network about all samples. Here every step asks the network of that moment about its
    own few samples, with dropout on: a curve of steps is noisier than the network.

    Parameters
    ----------
    losses : (..., step)
        Each batch's mean loss in nats, with whatever the training adds to it. NaN and infinity are a network that
        diverged. Leading axes are replicas.
    correct : (..., step) int
        How many samples of the batch were right.
    samples : (step,) int
        How many samples the batch held.
    steps_per_epoch : int
        How many steps an epoch has.

    Attributes
    ----------
    losses : (..., step) float32
    correct : (..., step) int
    samples : (step,) int
    steps_per_epoch : int

    Raises
    ------
    ValueError
        For shapes that do not fit, what is no whole number, a batch without samples or with more of them right than it
        holds, and steps that are no whole number of epochs.

    Notes
    -----
    All arrays are read-only copies, and a history is its own deep copy.

    Examples
    --------
    >>> steps = StepHistory([2.0, 1.0, 0.5, 0.5], [1, 3, 3, 2], [4, 4, 4, 2], steps_per_epoch=2)
    >>> steps
    StepHistory(epochs=2, steps_per_epoch=2)
    >>> steps.accuracy
    array([0.25, 0.75, 0.75, 1.  ])
    >>> steps.epoch_loss
    array([1.5, 0.5])
    """

    losses: NDArray[np.float32]
    correct: NDArray[np.intp]
    samples: NDArray[np.intp]
    steps_per_epoch: int = field(kw_only=True)

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):  # a loss beyond float32 is infinite
            losses = np.array(as_numbers(self.losses, "losses"), dtype=np.float32)
        correct, samples = _as_counts(self.correct, "correct"), _as_counts(self.samples, "samples")
        if samples.ndim != 1:
            raise ValueError(f"samples must have shape (step,); got {samples.shape}")
        if not losses.shape == correct.shape or losses.shape[-1:] != samples.shape:
            raise ValueError(
                f"losses and correct must share the shape (..., step), with {len(samples)} steps as samples has; "
                f"got {losses.shape} and {correct.shape}"
            )
        _refuse(samples < 1, "samples must be 1 or more", samples)
        _refuse(correct < 0, "correct must be 0 or more", correct)
        _refuse(correct > samples, "correct must not exceed the samples of the step", correct)
        per_epoch = as_whole_number(self.steps_per_epoch, "steps_per_epoch", least=1)
        if len(samples) % per_epoch:
            raise ValueError(f"{len(samples)} steps are no whole number of epochs of {per_epoch} steps each")
        object.__setattr__(self, "losses", read_only(losses))
        object.__setattr__(self, "correct", read_only(correct))
        object.__setattr__(self, "samples", read_only(samples))
        object.__setattr__(self, "steps_per_epoch", per_epoch)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickled arrays are writable, so the copy is made as every history is.
        return partial(type(self), **{part.name: getattr(self, part.name) for part in fields(self)}), ()

    def __repr__(self) -> str:
        leading = f"replicas={self.leading_shape}, " if self.leading_shape else ""
        return f"StepHistory({leading}epochs={self.epochs}, steps_per_epoch={self.steps_per_epoch})"

    @property
    def leading_shape(self) -> tuple[int, ...]:
        """The shape of the leading (replica) axes; () for a single network."""
        return self.losses.shape[:-1]

    @property
    def steps(self) -> int:
        """How many steps were recorded."""
        return len(self.samples)

    @property
    def epochs(self) -> int:
        """How many epochs were recorded."""
        return self.steps // self.steps_per_epoch

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """The share of each batch that was right, (..., step)."""
        return self.correct / self.samples

    @property
    def epoch_loss(self) -> NDArray[np.float64]:
        """The mean loss over the samples of each epoch, (..., epoch): what Keras prints at an epoch's end."""
        return self._epoch_means(self.losses * self.samples)

    @property
    def epoch_accuracy(self) -> NDArray[np.float64]:
        """The share of each epoch's samples that were right, (..., epoch): what Keras prints at an epoch's end."""
        return self._epoch_means(self.correct)

    def _epoch_means(self, batch_sums: NDArray[Any]) -> NDArray[np.float64]:
        means: NDArray[np.float64] = _sums(batch_sums, self._epochs_start) / _sums(self.samples, self._epochs_start)
        return means

    @property
    def _epochs_start(self) -> NDArray[np.intp]:
        return np.arange(0, self.steps, self.steps_per_epoch)

    def grouped(self, count: int) -> Self:
        """Return the history with consecutive steps merged into points of about `count` samples each.

        A point takes as many steps as make `count` samples when counted in the largest batch, rounded, and one at
        least. No point crosses the end of an epoch: the last one of an epoch takes the steps that are left, however
        few; `samples` says how many samples it holds. A point's loss is the mean over its samples.

        Examples
        --------
        >>> steps = StepHistory([4.0, 2.0, 0.0], [1, 1, 3], [4, 4, 3], steps_per_epoch=3)
        >>> pairs = steps.grouped(8)
        >>> pairs.samples, pairs.losses
        (array([8, 3]), array([3., 0.], dtype=float32))
        """
        largest = int(self.samples.max())
        wanted = min(as_whole_number(count, "count", least=1), largest * self.steps_per_epoch)  # an epoch at most
        together = max(1, round(wanted / largest))
        within = np.arange(0, self.steps_per_epoch, together)
        start = (self._epochs_start[:, None] + within).ravel()
        samples = _sums(self.samples, start)
        losses = _sums(self.losses * self.samples, start) / samples
        return type(self)(losses, _sums(self.correct, start), samples, steps_per_epoch=len(within))

    def replica(self, k: int) -> Self:
        """Return the history of replica `k`, counted as `PredictionHistory.replica` does; `IndexError` if none."""
        if not self.leading_shape:
            raise IndexError("this history has no replica axis: it records one network")
        chosen = replica_place(k, self.leading_shape)
        return replace(self, losses=self.losses[chosen], correct=self.correct[chosen])

    def select_epochs(self, epochs: slice) -> Self:
        """Return the steps of a slice of the epochs, such as ``slice(0, 50)`` or ``slice(None, None, 10)``."""
        if not isinstance(epochs, slice) or len(range(self.epochs)[epochs]) == 0:
            raise ValueError(f"epochs must be a slice that holds at least one of the {self.epochs}; got {epochs!r}")
        kept = np.arange(self.steps).reshape(self.epochs, -1)[epochs].ravel()
        return replace(self, losses=self.losses[..., kept], correct=self.correct[..., kept], samples=self.samples[kept])


def _sums(values: NDArray[Any], start: NDArray[np.intp]) -> NDArray[Any]:
    """Return the sums of the steps from each start to before the next."""
    with np.errstate(invalid="ignore"):  # infinite losses of both signs have no sum
        return np.add.reduceat(values, start, axis=-1)


def _as_counts(values: ArrayLike, name: str) -> NDArray[np.intp]:
    array = as_numbers(values, name)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers; got {array.dtype}")
    return np.array(array, dtype=np.intp)


def _refuse(wrong: NDArray[np.bool_], what: str, values: NDArray[np.intp]) -> None:
    if wrong.any():
        index = first(wrong)
        raise ValueError(f"{what}; got {values[index]} at {place(index, ('step',))}")

"""The log-probabilities of every sample at every epoch, and the losses, margins and flags derived from them."""

from dataclasses import dataclass, field
from functools import cached_property
from operator import index as as_index
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import (
    ROW_SUM_TOLERANCE,
    as_floats,
    as_numbers,
    as_whole_number,
    check_clip,
    check_labels,
    check_probabilities,
    first,
    one_hot_hint,
    place,
)
from lossacc_helpers.crossings import Crossings, crossings_of_losses

_AXES = ("epoch", "sample", "class")
_POSITIVE_ROUNDING = 1e-6
_HALF_TOLERANCE = 2e-3  # what float16 may do to a probability
_FEW_CLASSES = 16  # up to here one pass a class beats numpy's argmax

_Array = TypeVar("_Array", bound=NDArray[Any])


@dataclass(frozen=True, eq=False, repr=False)
class PredictionHistory:
    """The log-probabilities a network gave every class of every sample, epoch by epoch.

    Parameters
    ----------
    labels : (sample,)
        Class ids.
    log_probabilities : (..., epoch, sample, class)
        Natural logarithms, -inf included; leading axes are replicas. They are copied as float32. A row that is NaN
        throughout is a network that diverged: its loss is NaN and it counts as wrong. Values up to 1e-6 above 0 are
        rounding and become 0. In a recorded training, epoch entry e, counted from 0, is what the network predicts after
        e + 1 epochs; the untrained network is not recorded.

    Attributes
    ----------
    labels : (sample,) int
    log_probabilities : (..., epoch, sample, class) float32, or None
        None in the compact form, which keeps only what most views need: `true_log_probabilities`,
        `top_probabilities` and `correct`. See `compact` and `from_compact`.

    Raises
    ------
    ValueError
        For labels outside the classes, rows whose probabilities do not sum to 1 within 1e-4, rows that are NaN in
        part, and shapes that do not fit.

    Notes
    -----
    All arrays are read-only, and a history is its own deep copy. What is derived is computed when first asked for;
    losses, margins and flags are then kept.

    Examples
    --------
    >>> two_epochs = [[[0.6, 0.4], [0.3, 0.7]], [[0.4, 0.6], [0.2, 0.8]]]
    >>> history = PredictionHistory.from_probabilities([1, 1], two_epochs)
    >>> history
    PredictionHistory(epochs=2, samples=2, classes=2)
    >>> history.accuracy
    array([0.5, 1. ])
    >>> history.loss.round(3)
    array([0.636, 0.367])
    """

    labels: NDArray[np.intp]
    log_probabilities: NDArray[np.float32] | None
    _compact: "_Compact | None" = field(init=False, default=None)

    def __post_init__(self) -> None:
        logs = _check_log_probabilities(self.log_probabilities)
        self._set(_check_history_labels(self.labels, logs.shape[-2], logs.shape[-1]), logs, None)

    @classmethod
    def from_probabilities(cls, labels: ArrayLike, probabilities: ArrayLike) -> Self:
        """Return the history of probabilities (..., epoch, sample, class), checked like those of `log_loss`."""
        beliefs = check_probabilities(probabilities, axes=_AXES, nan_rows=True)
        checked = _check_history_labels(labels, *beliefs.shape[-2:])
        with np.errstate(divide="ignore"):
            logs = np.log(beliefs, dtype=np.float64).astype(np.float32)
        return cls._trusted(checked, logs)

    @classmethod
    def from_compact(
        cls,
        labels: ArrayLike,
        true_log_probabilities: ArrayLike,
        top_probabilities: ArrayLike,
        correct: ArrayLike,
        *,
        classes: int,
    ) -> Self:
        """Return a history in the compact form.

        Parameters
        ----------
        labels : (sample,)
            Class ids.
        true_log_probabilities : (..., epoch, sample)
            The natural logarithm of each true class's probability.
        top_probabilities : (..., epoch, sample)
            The largest probability of each row; float16 is precise enough.
        correct : (..., epoch, sample) bool
            Whether argmax named the true class.
        classes : int
            How many classes there are.

        Raises
        ------
        ValueError
            For shapes that differ, and values that no row of probabilities can have.
        """
        count = as_whole_number(classes, "classes", least=2)
        true_logs = _as_float32(as_floats(true_log_probabilities, "true_log_probabilities"))
        tops = _as_float32(as_floats(top_probabilities, "top_probabilities"))
        flags = np.array(as_numbers(correct, "correct"))
        if true_logs.ndim < 2 or not true_logs.shape == tops.shape == flags.shape:
            raise ValueError(
                "true_log_probabilities, top_probabilities and correct must share the shape (..., epoch, sample); "
                f"got {true_logs.shape}, {tops.shape} and {flags.shape}"
            )
        if flags.dtype != np.bool_:
            raise ValueError(f"correct must be booleans; got {flags.dtype}")
        checked = _check_history_labels(labels, true_logs.shape[-1], count)
        _zero_rounding(true_logs, "true_log_probabilities")
        _check_compact(true_logs, tops, flags, count)
        return cls._new(checked, None, _Compact(true_logs, tops, flags, count))

    @classmethod
    def _trusted(cls, labels: NDArray[np.intp], log_probabilities: NDArray[np.float32]) -> Self:
        """Return the history of log-softmax output without checks or copies, whatever its layout in memory."""
        return cls._new(labels, log_probabilities, None)

    @classmethod
    def _new(
        cls, labels: NDArray[np.intp], log_probabilities: NDArray[np.float32] | None, compact: "_Compact | None"
    ) -> Self:
        history = object.__new__(cls)
        history._set(labels, log_probabilities, compact)
        return history

    def _set(
        self, labels: NDArray[np.intp], log_probabilities: NDArray[np.float32] | None, compact: "_Compact | None"
    ) -> None:
        object.__setattr__(self, "labels", read_only(labels))
        object.__setattr__(
            self, "log_probabilities", None if log_probabilities is None else read_only(log_probabilities)
        )
        object.__setattr__(self, "_compact", compact)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickled arrays are writable, so the copy is made as every history is.
        return type(self)._new, (self.labels, self.log_probabilities, self._compact)

    def __repr__(self) -> str:
        leading = f"replicas={self.leading_shape}, " if self.leading_shape else ""
        form = ", compact" if self.is_compact else ""
        return f"PredictionHistory({leading}epochs={self.epochs}, samples={self.samples}, classes={self.classes}{form})"

    @property
    def is_compact(self) -> bool:
        """Whether only true-class log-probabilities, top probabilities and correctness are kept."""
        return self._compact is not None

    @property
    def leading_shape(self) -> tuple[int, ...]:
        """The shape of the leading (replica) axes; () for a single network."""
        return self._shape[:-2]

    @property
    def replicas(self) -> int:
        """How many networks were recorded: 1 without a leading axis."""
        return int(np.prod(self.leading_shape, dtype=np.intp))

    @property
    def epochs(self) -> int:
        """How many epochs were recorded."""
        return self._shape[-2]

    @property
    def samples(self) -> int:
        """How many samples were predicted."""
        return self._shape[-1]

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return self._compact.classes if self._compact is not None else int(self._full("classes").shape[-1])

    @property
    def _shape(self) -> tuple[int, ...]:
        return (self._full("shape").shape[:-1]) if self._compact is None else self._compact.correct.shape

    @cached_property
    def true_log_probabilities(self) -> NDArray[np.float32]:
        """The log-probability of each sample's own class, (..., epoch, sample) float32."""
        if self._compact is not None:
            return self._compact.true_log_probabilities
        return read_only(self._full("log_probabilities")[..., np.arange(self.samples), self.labels])

    @cached_property
    def sample_losses(self) -> NDArray[np.float32]:
        """The loss of each sample in nats, (..., epoch, sample) float32; infinite where the true class has none."""
        return read_only(0 - self.true_log_probabilities)

    @cached_property
    def loss(self) -> NDArray[np.float64]:
        """The mean loss in nats, (..., epoch), accumulated in float64; nothing is clipped."""
        return read_only(0 - self.true_log_probabilities.mean(axis=-1, dtype=np.float64))

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether argmax named the true class, (..., epoch, sample); of a tie it names the first, of NaN none."""
        if self._compact is not None:
            return self._compact.correct
        return read_only(_correct(self.labels, self._full("correct"), self.true_log_probabilities))

    @cached_property
    def accuracy(self) -> NDArray[np.float64]:
        """The share of correct samples, (..., epoch)."""
        return read_only(self.correct.mean(axis=-1, dtype=np.float64))

    @cached_property
    def margins(self) -> NDArray[np.float64]:
        """The true class's probability minus the largest other one, (..., epoch, sample), in [-1, 1].

        Raises
        ------
        ValueError
            In the compact form with more than two classes, which does not hold what is needed.
        """
        of_true = self.true_probabilities
        if self._compact is not None:
            if self.classes > 2:
                raise ValueError(
                    f"margins of {self.classes} classes need every class's probability, which a compact history has "
                    "not kept: keep the full form"
                )
            return read_only(2 * of_true - 1)
        logs = self._full("margins")
        others = np.full_like(of_true, -np.inf)
        for name in range(self.classes):
            np.copyto(others, np.maximum(others, logs[..., name]), where=self.labels != name)
        return read_only(of_true - np.exp(others))

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The probabilities, (..., epoch, sample, class), computed anew each time; `ValueError` in the compact form."""
        return np.exp(self._full("probabilities"), dtype=np.float64)

    @property
    def true_probabilities(self) -> NDArray[np.float64]:
        """The probability of each sample's own class, (..., epoch, sample)."""
        return np.exp(self.true_log_probabilities, dtype=np.float64)

    @property
    def top_probabilities(self) -> NDArray[np.float64]:
        """The largest probability of each row, (..., epoch, sample): the network's confidence."""
        if self._compact is not None:
            return self._compact.top_probabilities.astype(np.float64)
        return np.exp(_largest(self._full("top_probabilities")), dtype=np.float64)

    def crossings(self, *, clip: float | None = None) -> Crossings:
        """Return the crossings from each epoch to the next, shape (..., epoch - 1).

        Parameters
        ----------
        clip : float, optional
            Hold each loss to [-ln(1 - clip), ln(1/clip)] first. This is done in float64, whatever the type of the
            probabilities was: a clip that `sample_losses` would lose to float32's rounding counts here.

        Raises
        ------
        ValueError
            For an infinite loss, unless `clip` is given. The losses of a network that diverged are NaN and stay so.
        """
        losses = self.sample_losses.astype(np.float64)
        if (eps := check_clip(clip)) is not None:
            losses = np.clip(losses, -np.log1p(-eps), -np.log(eps))
        if self.epochs < 2:
            raise ValueError("crossings need two epochs or more; this history has 1")
        return crossings_of_losses(
            losses[..., :-1, :], self.correct[..., :-1, :], losses[..., 1:, :], self.correct[..., 1:, :]
        )

    def compact(self) -> Self:
        """Return the history in the compact form: a few bytes a sample however many classes there are."""
        if self._compact is not None:
            return self
        tops = self.top_probabilities.astype(np.float32)
        kept = _Compact(self.true_log_probabilities, tops, self.correct, self.classes)
        return self._new(self.labels, None, kept)

    def replica(self, k: int) -> Self:
        """Return the history of replica `k`, of 0 to `replicas` - 1; `IndexError` if there is none.

        Several leading axes are counted through with the last one fastest, as ``numpy.reshape`` does.
        """
        if not self.leading_shape:
            raise IndexError("this history has no replica axis: it records one network")
        return self._select(replica_place(k, self.leading_shape))

    def select_epochs(self, epochs: slice) -> Self:
        """Return the history of a slice of the epochs, such as ``slice(0, 50)`` or ``slice(None, None, 10)``."""
        if not isinstance(epochs, slice) or len(range(self.epochs)[epochs]) == 0:
            raise ValueError(f"epochs must be a slice that holds at least one of the {self.epochs}; got {epochs!r}")
        return self._select((*(slice(None) for _ in self.leading_shape), epochs))

    def _select(self, key: tuple[Any, ...]) -> Self:
        if self._compact is None:
            return self._new(self.labels, self._full("a selection")[key], None)
        kept = self._compact
        true_logs, tops, flags = kept.true_log_probabilities[key], kept.top_probabilities[key], kept.correct[key]
        return self._new(self.labels, None, _Compact(true_logs, tops, flags, kept.classes))

    @staticmethod
    def _parts(*, compact: bool) -> tuple[str, ...]:
        """Return the names of the arrays that make up a history."""
        kept = ("true_log_probabilities", "top_probabilities", "correct") if compact else ("log_probabilities",)
        return ("labels", *kept)

    def _arrays(self, *, half: bool) -> dict[str, NDArray[Any]]:
        """Return the arrays that make up the history, of a compact one as float16 if `half`."""
        if half and not self.is_compact:
            raise ValueError("half=True is for compact histories: save run.compact(), or leave half out")
        source = self if self._compact is None else self._compact
        arrays: dict[str, NDArray[Any]] = {
            part: self.labels if part == "labels" else getattr(source, part)
            for part in self._parts(compact=self.is_compact)
        }
        if half:
            logs, least = arrays["true_log_probabilities"], np.finfo(np.float16).min
            # A finite loss stays finite.
            arrays["true_log_probabilities"] = np.where(np.isinf(logs), logs, np.maximum(logs, least)).astype(
                np.float16
            )
            arrays["top_probabilities"] = arrays["top_probabilities"].astype(np.float16)
        return arrays

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]], *, classes: int) -> Self:
        """Return the history made of such arrays, checked."""
        if "log_probabilities" in arrays:
            return cls(arrays["labels"], arrays["log_probabilities"])
        return cls.from_compact(**arrays, classes=classes)

    def _full(self, wanted: str) -> NDArray[np.float32]:
        if self.log_probabilities is None:
            raise ValueError(f"{wanted}: a compact history has not kept every class; keep the full form")
        return self.log_probabilities


@dataclass(frozen=True, eq=False)
class _Compact:
    """What a compact history holds, each (..., epoch, sample) and read-only."""

    true_log_probabilities: NDArray[np.float32]
    top_probabilities: NDArray[np.float32]
    correct: NDArray[np.bool_]
    classes: int

    def __post_init__(self) -> None:
        for name in ("true_log_probabilities", "top_probabilities", "correct"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.true_log_probabilities, self.top_probabilities, self.correct, self.classes)


def read_only(array: _Array) -> _Array:
    """Return a read-only view of an array."""
    view = array.view()
    view.flags.writeable = False
    return view


def _as_float32(array: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # a log-probability beyond float32 is -inf
        return np.array(array, dtype=np.float32, order="K")


def _largest(logs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest entry of each row; a pass a class is fast in any memory layout."""
    if logs.shape[-1] > _FEW_CLASSES:
        rows: NDArray[np.float32] = logs.max(axis=-1)
        return rows
    largest = logs[..., 0]
    for name in range(1, logs.shape[-1]):
        largest = np.maximum(largest, logs[..., name])
    return largest


def _correct(labels: NDArray[np.intp], logs: NDArray[np.float32], true_logs: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where argmax names the label: no class before it is as probable, none after it more so; NaN loses."""
    if logs.shape[-1] > _FEW_CLASSES:
        named: NDArray[np.bool_] = (logs.argmax(axis=-1) == labels) & ~np.isnan(true_logs)
        return named
    hits = np.empty_like(true_logs, dtype=np.bool_)
    for label in range(logs.shape[-1]):
        of_label = np.flatnonzero(labels == label)
        of_true = true_logs[..., of_label]
        right = np.ones_like(of_true, dtype=np.bool_)
        for other in range(logs.shape[-1]):
            if other != label:
                outdone = np.less if other < label else np.less_equal
                right &= outdone(logs[..., of_label, other], of_true)
        hits[..., of_label] = right
    return hits


def _check_history_labels(labels: ArrayLike, samples: int, classes: int) -> NDArray[np.intp]:
    array = as_numbers(labels, "labels")
    if array.shape != (samples,):
        raise ValueError(f"labels must have shape (sample,) = ({samples},); got {array.shape}{one_hot_hint(array)}")
    return check_labels(array, classes=classes)


def _zero_rounding(logs: NDArray[np.float32], name: str, axes: tuple[str, ...] = _AXES[:-1]) -> None:
    """Set tiny positive logarithms to 0 in place, and refuse larger ones."""
    positive = logs > 0
    if positive.any():
        above = logs > _POSITIVE_ROUNDING
        if above.any():
            index = first(above)
            raise ValueError(
                f"{name} must be 0 or less; got {logs[index]!s} at {place(index, axes)} "
                "(for probabilities, use PredictionHistory.from_probabilities)"
            )
        logs[positive] = 0


def _check_log_probabilities(given: ArrayLike | None) -> NDArray[np.float32]:
    if given is None:
        raise ValueError("log_probabilities must be given; for the compact form, use PredictionHistory.from_compact")
    array = as_floats(given, "log_probabilities")
    if array.ndim < 3 or array.shape[-1] < 2:
        raise ValueError(
            f"log_probabilities must have shape (..., epoch, sample, class) with 2 classes or more; got {array.shape}"
        )
    logs = _as_float32(array)
    _zero_rounding(logs, "log_probabilities", _AXES)
    sums = np.exp(logs).sum(axis=-1, dtype=np.float64)
    off = ~(np.abs(sums - 1) <= ROW_SUM_TOLERANCE)
    if off.any():
        off &= ~np.isnan(logs).all(axis=-1)
    if off.any():
        index = first(off)
        where = place(index, _AXES[:-1])
        if np.isnan(sums[index]):
            raise ValueError(
                f"log_probabilities must be numbers or NaN for the whole row; got {logs[index]!s} at {where}"
            )
        raise ValueError(
            "log_probabilities must be logarithms of probabilities that sum to 1; "
            f"got a sum of {sums[index]:.6g} at {where} (logits need a log-softmax first)"
        )
    return logs


def _check_compact(
    true_logs: NDArray[np.float32], tops: NDArray[np.float32], flags: NDArray[np.bool_], classes: int
) -> None:
    diverged = np.isnan(true_logs)
    of_true = np.exp(true_logs)
    # A comparison with NaN is false: a row that diverged passes where its top is NaN too and it counts as wrong.
    for wrong, what in (
        (diverged != np.isnan(tops), "true_log_probabilities and top_probabilities must be NaN together"),
        (diverged & flags, "a NaN row counts as wrong, not as correct"),
        (
            (tops > 1 + _HALF_TOLERANCE) | (tops < 1 / classes - _HALF_TOLERANCE),
            f"top_probabilities of {classes} classes must lie in [1/{classes}, 1]",
        ),
        (of_true > tops + _HALF_TOLERANCE, "top_probabilities must not be below those of the true class"),
        (flags & (of_true < tops - _HALF_TOLERANCE), "a correct sample's true class must be the top one"),
        (~flags & (of_true > 0.5 + _HALF_TOLERANCE), "a wrong sample's true class must have at most 1/2"),
    ):
        if wrong.any():
            index = first(wrong)
            raise ValueError(
                f"{what}; got log p {true_logs[index]!s}, top {tops[index]!s}, correct {flags[index]} "
                f"at {place(index, _AXES[:-1])}"
            )


def replica_place(k: int, leading_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return where replica `k` stands in the leading axes, the last one counted fastest, or raise `IndexError`."""
    try:
        entry = as_index(k)
    except TypeError:
        raise IndexError(f"replica must be a whole number; got {k!r}") from None
    replicas = int(np.prod(leading_shape, dtype=np.intp))
    if not 0 <= entry < replicas:
        raise IndexError(f"replica must lie in 0..{replicas - 1}; got {entry}")
    return tuple(int(i) for i in np.unravel_index(entry, leading_shape)) if leading_shape else ()

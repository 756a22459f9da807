"""Losses and accuracies of many trainings, epoch by epoch, without the samples behind them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers
from lossacc_helpers.history.archive import frozen_json, provenance_of_now, read_archive, thawed_json, write_archive
from lossacc_helpers.history.predictions import read_only, replica_place

_FORMAT, _VERSION = "lossacc_helpers.CurveSet", 1


@dataclass(frozen=True, eq=False)
class Curves:
    """Losses of one or more trainings, and their accuracies where these are known.

    Attributes
    ----------
    loss
        (..., epoch) in nats, float32; entry e, counted from 0, is after e + 1 epochs.
    accuracy
        The same shape, 0 to 1, or None.

    Raises
    ------
    ValueError
        For what is no number, has no epoch, or differs in shape, and for accuracies outside 0 and 1.
    """

    loss: NDArray[Any]
    accuracy: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        loss = _numbers(self.loss, "loss")
        if loss.ndim == 0 or loss.shape[-1] == 0:
            raise ValueError(f"loss must have an epoch axis with at least one epoch; got shape {loss.shape}")
        object.__setattr__(self, "loss", loss)
        if self.accuracy is not None:
            accuracy = _numbers(self.accuracy, "accuracy")
            if accuracy.shape != loss.shape:
                raise ValueError(f"loss and accuracy must have one shape; got {loss.shape} and {accuracy.shape}")
            if not ((accuracy >= 0) & (accuracy <= 1)).all():
                raise ValueError(
                    f"accuracy must lie between 0 and 1; got up to {accuracy.max()}: are these percentages?"
                )
            object.__setattr__(self, "accuracy", accuracy)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.loss, self.accuracy)  # unpickled arrays are writable: made as every one is

    def replica(self, k: int) -> Self:
        """Return the curves of training `k` alone, shape (epoch,); `IndexError` if there is none."""
        place = replica_place(k, self.loss.shape[:-1])
        return type(self)(self.loss[place], None if self.accuracy is None else self.accuracy[place])


class CurveSet(Mapping[str, Curves]):
    """Several `Curves` by name, with what was trained and what made them.

    Parameters
    ----------
    curves : mapping
        `Curves` by name.
    settings : mapping
        What was trained, as JSON can hold it.
    provenance : mapping, optional
        Versions, machine and date; without, those of the moment in which it is saved.

    Examples
    --------
    >>> both = CurveSet({"training": Curves([0.7, 0.5]), "validation": Curves([0.7, 0.6], [0.5, 0.75])})
    >>> list(both), both["validation"].accuracy.tolist()
    (['training', 'validation'], [0.5, 0.75])
    """

    def __init__(
        self,
        curves: Mapping[str, Curves],
        *,
        settings: Mapping[str, Any] | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        if odd := [name for name, one in curves.items() if not (isinstance(name, str) and isinstance(one, Curves))]:
            raise ValueError(f"curves must be Curves by name; got something else at {odd[0]!r}")
        self._curves = MappingProxyType(dict(curves))
        self.settings: Mapping[str, Any] = frozen_json(settings or {}, "settings")
        self.provenance: Mapping[str, Any] = frozen_json(provenance or {}, "provenance")

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:
        # Read-only mappings cannot be pickled.
        about = {"settings": thawed_json(self.settings), "provenance": thawed_json(self.provenance)}
        return partial(type(self), dict(self._curves), **about), ()

    def __getitem__(self, name: str) -> Curves:
        if name not in self._curves:
            raise KeyError(f"there are no curves called {name!r}; there are {', '.join(map(repr, self._curves))}")
        return self._curves[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._curves)

    def __len__(self) -> int:
        return len(self._curves)

    def __repr__(self) -> str:
        return f"CurveSet({', '.join(f'{name!r}: {one.loss.shape}' for name, one in self._curves.items())})"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write them to one compressed ``.npz`` file and return its path; ``.npz`` is added if it does not end so."""
        target = Path(path)
        if target.suffix != ".npz":
            target = target.with_name(target.name + ".npz")
        arrays: dict[str, NDArray[Any]] = {}
        for place, one in enumerate(self._curves.values()):
            arrays[f"{place}.loss"] = one.loss
            if one.accuracy is not None:
                arrays[f"{place}.accuracy"] = one.accuracy
        about = {
            "format": _FORMAT,
            "version": _VERSION,
            "names": list(self._curves),
            "settings": thawed_json(self.settings),
            "provenance": thawed_json(self.provenance) or provenance_of_now(),
        }
        write_archive(target, about, arrays)
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; ``.npz`` may be left off the path, and nothing in the file is ever executed.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged, or was not written by `save`; the message names it.
        """
        source = Path(path)
        if source.suffix != ".npz" and not source.exists():
            source = source.with_name(source.name + ".npz")
        with open(source, "rb") as file:
            try:
                about, arrays = read_archive(file)
                if (about.get("format"), about.get("version")) != (_FORMAT, _VERSION):
                    raise ValueError("it was not written by CurveSet.save of this version")
                curves = {
                    name: Curves(arrays.pop(f"{place}.loss"), arrays.pop(f"{place}.accuracy", None))
                    for place, name in enumerate(about["names"])
                }
                if arrays:
                    raise ValueError(f"it holds arrays that belong to no curve: {', '.join(sorted(arrays))}")
                return cls(curves, settings=about["settings"], provenance=about["provenance"])
            # Damage can surface as nearly anything inside zipfile, zlib, NumPy and json; all of it means one thing.
            except Exception as error:
                reason = str(error) or type(error).__name__
                raise ValueError(f"{source} is not a set of curves this package can read: {reason}") from error


def _numbers(values: ArrayLike, name: str) -> NDArray[np.float32]:
    return read_only(np.array(as_numbers(values, name), dtype=np.float32))

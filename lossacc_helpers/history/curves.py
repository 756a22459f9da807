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

from lossacc_helpers._validation import as_numbers, first, place
from lossacc_helpers.history.archive import frozen_mapping, load_archive, provenance_of_now, save_archive, thawed_json
from lossacc_helpers.history.predictions import read_only, replica_place

_FORM = "lossacc_helpers.CurveSet", 1  # name and version


@dataclass(frozen=True, eq=False, repr=False)
class Curves:
    """Losses of one or more trainings, and their accuracies where these are known.

    Attributes
    ----------
    loss
        (..., epoch), or (..., step) where its name says so, in nats, float32. Losses are kept as training made them:
        NaN, infinite and negative ones too; what exceeds float32 becomes infinite.
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
        if loss.ndim == 0 or loss.size == 0:
            raise ValueError(f"loss must have an epoch axis with at least one epoch; got shape {loss.shape}")
        object.__setattr__(self, "loss", loss)
        if self.accuracy is not None:
            accuracy = _numbers(self.accuracy, "accuracy")
            if accuracy.shape != loss.shape:
                raise ValueError(f"loss and accuracy must have one shape; got {loss.shape} and {accuracy.shape}")
            odd = ~((accuracy >= 0) & (accuracy <= 1))
            if odd.any():
                index = first(odd)
                where = place((*index[:-1], index[-1] + 1), ("epoch",))
                hint = ": are these percentages?" if accuracy[index] > 1 else ""
                raise ValueError(f"accuracy must lie between 0 and 1; got {accuracy[index]!s} at {where}{hint}")
            object.__setattr__(self, "accuracy", accuracy)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.loss, self.accuracy)  # unpickled arrays are writable: made as every one is

    def __repr__(self) -> str:
        return f"Curves({self.loss.shape}{'' if self.accuracy is None else ', with accuracy'})"

    def replica(self, k: int) -> Self:
        """Return the curves of training `k` alone, shape (epoch,); `IndexError` if there is none."""
        one = replica_place(k, self.loss.shape[:-1])
        return type(self)(self.loss[one], None if self.accuracy is None else self.accuracy[one])


class CurveSet(Mapping[str, Curves]):
    """Several `Curves` by name, with what was trained and what made them; read-only, and equal to itself alone.

    Parameters
    ----------
    curves : mapping
        `Curves` by name.
    settings : mapping
        What was trained, as JSON can hold it.
    provenance : mapping, optional
        Versions, machine and date; without, those of the moment in which it is saved.

    Raises
    ------
    ValueError
        For anything but `Curves` by name, and for settings that JSON cannot hold.

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
        if not isinstance(curves, Mapping):
            raise ValueError(f"curves must be a mapping, Curves by name; got {type(curves).__name__}")
        if odd := [name for name, one in curves.items() if not (isinstance(name, str) and isinstance(one, Curves))]:
            raise ValueError(f"curves must be Curves by name; got something else at {odd[0]!r}")
        self._curves = MappingProxyType(dict(curves))
        self._settings = frozen_mapping({} if settings is None else settings, "settings")
        self._provenance = frozen_mapping({} if provenance is None else provenance, "provenance")

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was trained."""
        return self._settings

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, machine and date."""
        return self._provenance

    def __eq__(self, other: object) -> bool:
        return self is other  # a mapping would compare the curves alone, whatever was trained

    __hash__ = object.__hash__

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
        arrays: dict[str, NDArray[Any]] = {}
        for k, one in enumerate(self._curves.values()):
            arrays[f"{k}.loss"] = one.loss
            if one.accuracy is not None:
                arrays[f"{k}.accuracy"] = one.accuracy
        about = {
            "names": list(self._curves),
            "settings": thawed_json(self.settings),
            "provenance": thawed_json(self.provenance) or provenance_of_now(),
        }
        return save_archive(path, _FORM, about, arrays)

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
        return load_archive(path, _FORM, "a set of curves", cls._from_contents)

    @classmethod
    def _from_contents(cls, about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Self:
        curves = {
            name: Curves(arrays.pop(f"{k}.loss"), arrays.pop(f"{k}.accuracy", None))
            for k, name in enumerate(about["names"])
        }
        if arrays:
            raise ValueError(f"it holds arrays that belong to no curve: {', '.join(sorted(arrays))}")
        return cls(curves, settings=about["settings"], provenance=about["provenance"])


def _numbers(values: ArrayLike, name: str) -> NDArray[np.float32]:
    shape = (0,) if isinstance(values, list | tuple) and not values else getattr(values, "shape", ())
    if 0 in shape:
        return np.empty(shape, dtype=np.float32)
    with np.errstate(over="ignore"):
        return read_only(np.array(as_numbers(values, name), dtype=np.float32))

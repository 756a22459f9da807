"""What was read of a training's curves, and the error of what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXAMPLE = (
    "Epoch 1/10 - loss: 0.6931 - accuracy: 0.5120 - val_loss: 0.6800 - val_accuracy: 0.5400\n"
    "Epoch 2/10 - loss: 0.6012 - accuracy: 0.6733 - val_loss: 0.6105 - val_accuracy: 0.6600"
)


class Unreadable(ValueError):
    """Nothing in the input could be taken for a loss or an accuracy; the message shows an example of what can."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}. What can be read looks like this, for example:\n{EXAMPLE}")
        self.why = why

    def __reduce__(self) -> tuple[type["Unreadable"], tuple[str]]:
        return type(self), (self.why,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Log:
    """Losses and accuracies of one training, epoch by epoch.

    Attributes
    ----------
    epochs : (epoch,) int
        Their numbers, as they were printed, or from 1.
    loss, accuracy, validation_loss, validation_accuracy : (epoch,) or None
        NaN where an epoch has none (a printed nan is in `broken`); None where none has. Accuracies are shares.
    broken : (epoch,) bool
        Where a printed loss was nan or infinite.
    others : mapping
        Of the names of further metrics to their values (epoch,).
    metric : str or None
        The name under which accuracy was printed; one of the best k answers is taken where there is no other.
    after : mapping
        What was printed after the training, as `evaluate` does, by name.
    plain_validation : bool
        Whether validation losses are plain cross-entropies, computed from predictions, whatever was trained with.
    skipped : int
        Lines that said nothing that could be read.
    notes : what was done to the numbers, in sentences.
    """

    epochs: NDArray[np.intp]
    loss: Floats | None = None
    accuracy: Floats | None = None
    validation_loss: Floats | None = None
    validation_accuracy: Floats | None = None
    broken: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    others: Mapping[str, Floats] = field(default_factory=lambda: MappingProxyType({}))
    metric: str | None = None
    after: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    plain_validation: bool = False
    skipped: int = 0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.broken):
            object.__setattr__(self, "broken", np.zeros(len(self.epochs), dtype=bool))

    def thinned(self, most: int) -> "Log":
        """Return the log with at most that many of its epochs, every so manieth of them, and a note that says so."""
        every = -(-len(self.epochs) // most)
        if every <= 1:
            return self
        kept = slice(every - 1, None, every)  # the last of so many

        def of(values: Floats | None) -> Floats | None:
            return None if values is None else values[kept]

        size = len(self.epochs) // every
        return replace(
            self,
            epochs=self.epochs[kept],
            loss=of(self.loss),
            accuracy=of(self.accuracy),
            validation_loss=of(self.validation_loss),
            validation_accuracy=of(self.validation_accuracy),
            # A loss that was no number once must not be lost.
            broken=np.logical_or.reduceat(self.broken, np.arange(size) * every),
            others=MappingProxyType({name: values[kept] for name, values in self.others.items()}),
            notes=(*self.notes, f"Of {len(self.epochs):,} epochs one in {every} is looked at."),
        )

    def __repr__(self) -> str:
        parts = [
            name
            for name in ("loss", "accuracy", "validation_loss", "validation_accuracy")
            if getattr(self, name) is not None
        ]
        return f"Log({len(self.epochs)} epochs of {', '.join(parts)})"

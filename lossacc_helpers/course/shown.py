"""Recorded curves in the form in which the pictures of a lesson take them."""

from dataclasses import dataclass

from lossacc_helpers import recordings
from lossacc_helpers.history import Curves


@dataclass(frozen=True)
class Shown:
    """A training curve and a validation curve, of one or more networks."""

    train: Curves
    validation: Curves


def shown(name: str, network: int | None = None, *, train: str = "train", validation: str = "validation") -> Shown:
    """Return two curves of a recording, by their names there; of all networks or of one, counted from 1."""
    curves = recordings.load_curves(name)
    both = curves[train], curves[validation]
    return Shown(*(both if network is None else (one.replica(network - 1) for one in both)))

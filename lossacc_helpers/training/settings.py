"""What made a run: the settings and versions that go with it, under the same keys however it was trained."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from lossacc_helpers.history.archive import provenance_of_now
from lossacc_helpers.training import losses, optimizers


def run_settings(
    model: keras.Model,
    *,
    optimizer: keras.optimizers.Optimizer,
    loss: Any,
    replicas: int,
    epochs: int,
    batch_size: int | None = None,
    seed: int | None = None,
    initial_weights: str | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    """The settings of a run, as JSON can hold them; None where a fit does not tell.

    ``initial_weights`` and ``order`` are ``"given"`` by the caller or ``"drawn"`` from the seed; ``seed`` is None where
    nothing was drawn from it.
    """
    return {
        "replicas": replicas,
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "initial_weights": initial_weights,
        "order": order,
        "optimizer": optimizers.describe(optimizer),
        "loss": losses.describe(loss),
        "layers": [type(layer).__name__ for layer in model.layers],
        "weights": [list(weight.shape) for weight in model.weights],
    }


def provenance() -> dict[str, str]:
    """The versions, the platform and the date (UTC) of this moment."""
    return {**provenance_of_now(), "keras": keras.__version__, "tensorflow": tf.__version__}

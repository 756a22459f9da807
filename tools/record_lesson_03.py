"""Record the trainings of lesson 03 that take too long to run there: ``python -m tools.record_lesson_03 [NAME ...]``.

Without names all of them, about an hour on two cores. A recording is replayed for two epochs by
``tests/training/test_recordings.py`` (``make test-slow``).
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np

from lossacc_helpers import datasets
from lossacc_helpers.history import PredictionHistory, StepHistory, TrainingRun
from lossacc_helpers.recordings import FOLDER

DATA_SEED = 0
Loss = Literal["cross-entropy", "swapped with logits", "swapped with softmax", "softmax twice", "squared error"]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One recording: the data, the network and how it is trained; for several seeds on the same data.

    Attributes
    ----------
    sentence : what it is, for its settings.
    size, train_samples, validation_samples, label_noise : of `datasets.photographs`, all with `DATA_SEED`.
    rate, dropout, batch_size, epochs : of the training with Adam.
    passes : over the training samples, in what is recorded as one epoch.
    loss : how the loss is computed from labels and logits.
    seeds : of weights, dropout and the order of the samples; a network each.
    kept : of how many training samples the beliefs are kept; of the validation samples always all.
    """

    sentence: str
    size: tuple[int, int]
    train_samples: int
    validation_samples: int
    label_noise: float = 0.0
    rate: float
    dropout: float = 0.25
    batch_size: int = 32
    epochs: int
    passes: int = 1
    loss: Loss = "cross-entropy"
    seeds: tuple[int, ...] = (0,)
    kept: int

    def __post_init__(self) -> None:
        if not 1 <= self.kept <= self.train_samples:
            raise ValueError(f"kept must be 1 to {self.train_samples}, the training samples; got {self.kept}")


_FULL = Experiment(
    sentence="The question's network at its full scale: 40 % of the labels redrawn.",
    size=(150, 200),
    train_samples=6000,
    validation_samples=1300,
    label_noise=0.4,
    rate=1e-4,
    epochs=24,
    kept=6000,
)
_SMALL = Experiment(
    sentence="The same network on small crops, nothing wrong.",
    size=(45, 60),
    train_samples=1300,
    validation_samples=650,
    rate=1e-3,
    epochs=24,
    seeds=tuple(range(8)),
    kept=260,
)

EXPERIMENTS = {
    "lesson_03_full_scale": _FULL,
    "lesson_03_full_scale_clean": replace(
        _FULL, sentence="The question's network at its full scale: every label is true.", label_noise=0.0
    ),
    "lesson_03_nothing_wrong": _SMALL,
    "lesson_03_label_noise": replace(_SMALL, sentence="Small crops, 40 % of the labels redrawn.", label_noise=0.4),
    "lesson_03_small_data": replace(
        _SMALL,
        sentence="Small crops, ten for each class to train on; an epoch is eight passes, to have as many steps.",
        train_samples=130,
        kept=130,
        passes=8,
    ),
    "lesson_03_swapped_logits": replace(
        _SMALL, sentence="Small crops, labels and logits of the loss exchanged.", loss="swapped with logits"
    ),
    "lesson_03_swapped_softmax": replace(
        _SMALL, sentence="Small crops, labels and softmax of the loss exchanged.", loss="swapped with softmax"
    ),
    "lesson_03_softmax_twice": replace(_SMALL, sentence="Small crops, softmax taken twice.", loss="softmax twice"),
    "lesson_03_squared_error": replace(
        _SMALL,
        sentence="Small crops, 60 % of the labels redrawn, and the squared error as the loss: a case for the clinic.",
        label_noise=0.6,
        epochs=12,
        kept=26,
        loss="squared error",
    ),
    "lesson_03_keep_prob": replace(
        _SMALL, sentence="Small crops, 75 % of the features dropped instead of 25 %.", dropout=0.75
    ),
}


@cache
def data_of(experiment: Experiment) -> datasets.Photographs:
    """The experiment's crops and labels."""
    return datasets.photographs(
        size=experiment.size,
        train_samples=experiment.train_samples,
        validation_samples=experiment.validation_samples,
        label_noise=experiment.label_noise,
        seed=DATA_SEED,
    )


def train(experiment: Experiment, seed: int, *, epochs: int | None = None) -> TrainingRun:
    """One network of the experiment, for all its epochs or fewer."""
    from lossacc_helpers import training  # before keras, whose lines it keeps silent
    import keras  # isort: skip
    import tensorflow as tf  # isort: skip

    data = data_of(experiment)
    labels = data.train[1]
    classes = len(data.class_names)
    count = experiment.epochs if epochs is None else epochs

    def swapped_with_logits(wanted: Any, logits: Any) -> Any:
        return tf.nn.softmax_cross_entropy_with_logits(logits, wanted)

    def swapped_with_softmax(wanted: Any, logits: Any) -> Any:
        return tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(logits), wanted)

    def softmax_twice(wanted: Any, logits: Any) -> Any:
        return tf.nn.softmax_cross_entropy_with_logits(wanted, tf.nn.softmax(logits))

    def squared_error(wanted: Any, logits: Any) -> Any:
        return tf.reduce_mean(tf.square(tf.nn.softmax(logits) - wanted), axis=-1)

    losses = {
        "cross-entropy": keras.losses.CategoricalCrossentropy(from_logits=True),
        "swapped with logits": swapped_with_logits,
        "swapped with softmax": swapped_with_softmax,
        "softmax twice": softmax_twice,
        "squared error": squared_error,
    }
    keras.utils.clear_session()  # or the networks of all trainings so far stay in memory
    keras.utils.set_random_seed(seed)
    model = training.networks.convolutional(experiment.size, classes, dropout=experiment.dropout)
    model.compile(
        keras.optimizers.Adam(experiment.rate), loss=losses[experiment.loss], metrics=["categorical_accuracy"]
    )
    kept = first_crops(data.train[0], experiment.kept), labels[: experiment.kept]
    beliefs = training.RecordPredictions(kept, data.validation, batch_size=130)
    steps = training.RecordSteps()
    passes = experiment.passes
    batches = training.stream(data.train, batch_size=experiment.batch_size, epochs=count * passes, seed=seed)
    model.fit(
        batches.map(lambda images, told: (images, tf.one_hot(told, classes))),
        epochs=count,
        steps_per_epoch=passes * -(-len(labels) // experiment.batch_size),
        shuffle=False,
        verbose=0,
        callbacks=[beliefs, steps],
    )
    return replace(beliefs.run.compact(), steps=steps.steps)


def first_crops(crops: datasets.Crops, count: int) -> datasets.Crops:
    """So many of the crops, still to be cut: those of the full scale do not fit into memory."""
    return replace(crops, sources=crops.sources[:count], offsets=crops.offsets[:count], grains=crops.grains[:count])


def stacked(experiment: Experiment, runs: Sequence[TrainingRun], *, seconds: float = 0.0) -> TrainingRun:
    """The runs of all seeds as one with a leading axis, the experiment in its settings, the time in its provenance.

    Raises `ValueError` for a run without validation or steps.
    """
    validations = [run.validation for run in runs if run.validation is not None]
    steps = [run.steps for run in runs if run.steps is not None]
    if not len(validations) == len(steps) == len(runs):
        raise ValueError(
            f"every run needs validation and steps; of {len(runs)}, {len(validations)} have validation and "
            f"{len(steps)} have steps"
        )

    def history(parts: Sequence[PredictionHistory]) -> PredictionHistory:
        return PredictionHistory.from_compact(
            parts[0].labels,
            np.stack([part.true_log_probabilities for part in parts]),
            np.stack([part.top_probabilities for part in parts]),
            np.stack([part.correct for part in parts]),
            classes=parts[0].classes,
        )

    data = asdict(experiment)
    taken = {name: data.pop(name) for name in ("size", "train_samples", "validation_samples", "label_noise")}
    whole = TrainingRun(
        history([run.train for run in runs]),
        history(validations),
        settings={**runs[0].settings, **data, "data": taken, "data_seed": DATA_SEED, "replicas": len(runs)},
        provenance={
            **runs[0].provenance,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "seconds": round(seconds),
            "made by": "python -m tools.record_lesson_03",
        },
        steps=StepHistory(
            np.stack([one.losses for one in steps]),
            np.stack([one.correct for one in steps]),
            steps[0].samples,
            steps_per_epoch=steps[0].steps_per_epoch,
        ),
    )
    return whole.replica(0) if len(runs) == 1 else whole


def main(chosen: Sequence[str]) -> None:
    """Record the chosen experiments, or all."""
    unknown = set(chosen) - EXPERIMENTS.keys()
    if unknown:
        raise SystemExit(f"no experiment is called {min(unknown)!r}; there are {', '.join(EXPERIMENTS)}")
    for name in chosen or EXPERIMENTS:
        experiment, start = EXPERIMENTS[name], time.monotonic()
        runs = [train(experiment, seed) for seed in experiment.seeds]
        run = stacked(experiment, runs, seconds=time.monotonic() - start)
        path = run.save(FOLDER / name, half=True)
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

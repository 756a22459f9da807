"""Record the trainings of lesson 04 that take too long to run there: ``python -m tools.record_lesson_04 [NAME ...]``.

Without names all of them, some hours on two cores. Each network is kept in ``build/lesson_04`` once it is trained, so
that an interrupted recording goes on where it stopped; ``python -m tools.record_lesson_04 --train NAME FIRST LAST``
trains some of the seeds only, for two processes to share the work.

BatchNormalization's moving averages never enter training: there it normalises with the batch. So every way to make
averages can be judged on one and the same training. The networks here are trained with averages that forget at once,
every batch's statistics are noted, and the averages are made of them afterwards.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lossacc_helpers import datasets
from lossacc_helpers.history import Curves, CurveSet, PredictionHistory, StepHistory, TrainingRun
from lossacc_helpers.recordings import CURVES, FOLDER

DATA_SEED = 0
SIZE = (32, 32)
PARTS = Path("build/lesson_04")

# How the statistics that validation uses were come by. "on" and "off" is dropout while they were gathered.
STATISTICS = (
    "moving average 0.99, dropout on",  # what Keras does
    "moving average 0.9, dropout on",
    "mean of the epoch, dropout on",
    "mean of the whole training, dropout on",
    "recomputed, dropout on",
    "moving average 0.99, dropout off",
    "recomputed, dropout off",
)
ORDINARY, SHORT, EPOCH, WHOLE, NOW_ON, LAG_OFF, NOW_OFF = range(len(STATISTICS))

# Validation loss where one layer, counted from 1, has other statistics than the rest; both without dropout, or the
# one layer's recomputed with dropout on.
EXCHANGED = {
    "one_stale": "all recomputed but layer {}",
    "one_fresh": "only layer {} recomputed",
    "one_dropped": "only layer {} with dropout on",
}
# What ends a spike? Validation loss after each epoch if only one of the two had gone on since the epoch before.
HELD = ("weights moved, averages held", "averages moved, weights held")
RECORDED = (
    *("validation", "held", "train", "train_recomputed", "wide", "zoom", "statistics", "step_losses", "step_correct"),
    *EXCHANGED,
)
# Of how many networks the predictions are kept, and not only their mean losses.
SAMPLE_BY_SAMPLE = {"full_scale": 1, "fast": 10}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One way to train the network, for several seeds on the same data.

    Attributes
    ----------
    sentence : what it is.
    train_samples, validation_samples : of `datasets.forgeries`, with `DATA_SEED`.
    rate, batch_size, epochs : of the training with Adam.
    dropout : "as asked", "removed", or "moved" behind the last BatchNormalization.
    batch_norm : False leaves every BatchNormalization out; then all the `STATISTICS` are alike.
    standardised : whether pixels are standardised by the training patches, and not only divided by 255.
    seeds : of weights, dropout and the order of the samples; a network each.
    recompute_samples : from how many training samples statistics are recomputed.
    drawn : how many validation samples are drawn, of which the first `validation_samples` are used. Which these are
        depends on it, so what is compared must draw as many.
    wide : whether all that are drawn are asked too, with the ordinary statistics.
    by_layer : whether statistics are exchanged layer by layer too.
    held : whether each epoch is also asked with the averages, or with the weights, of the epoch before.
    zoom : epochs, counted from 1, in which validation is asked after every step too.
    """

    sentence: str
    train_samples: int
    validation_samples: int
    rate: float
    batch_size: int = 32
    epochs: int
    dropout: str = "as asked"
    batch_norm: bool = True
    standardised: bool = False
    seeds: tuple[int, ...] = tuple(range(10))
    recompute_samples: int = 1024
    drawn: int
    wide: bool = False
    by_layer: bool = False
    held: bool = False
    zoom: tuple[int, ...] = ()


_FAST = Experiment(
    sentence="The question's network on a quarter of the patches, at ten times the rate.",
    train_samples=2000,
    validation_samples=500,
    drawn=5000,
    rate=1e-3,
    epochs=45,
    wide=True,
    by_layer=True,
)
_CHANGED = replace(_FAST, wide=False, by_layer=False)

EXPERIMENTS = {
    "full_scale": Experiment(
        sentence="The question's network as stated: 8,000 patches, rate 1e-4, batches of 32, 100 epochs.",
        train_samples=8000,
        validation_samples=800,
        drawn=800,
        rate=1e-4,
        epochs=100,
        seeds=tuple(range(7)),  # a quarter of an hour each
    ),
    "fast": _FAST,
    "no_dropout": replace(_CHANGED, sentence="Fast, without dropout.", dropout="removed"),
    "dropout_moved": replace(
        _CHANGED, sentence="Fast, all dropout moved behind the last BatchNormalization.", dropout="moved"
    ),
    "low_rate": replace(_CHANGED, sentence="Fast, but at the question's rate.", rate=1e-4),
    "large_batches": replace(_CHANGED, sentence="Fast, in batches of 256.", batch_size=256),
    "standardised": replace(
        _CHANGED, sentence="Fast, with pixels standardised by the training patches.", standardised=True
    ),
    "no_batch_norm": replace(_CHANGED, sentence="Fast, without BatchNormalization.", batch_norm=False),
    "held": replace(
        _CHANGED, sentence="Fast, asked too as if only weights or only averages had moved in an epoch.", held=True
    ),
    "zoom": replace(
        _CHANGED,
        sentence="Fast, one network, asked after every step of some epochs.",
        drawn=500,
        seeds=(2,),
        epochs=30,
        zoom=(26, 27, 28, 29, 30),
    ),
}


@cache
def data_of(experiment: Experiment) -> datasets.Forgeries:
    """The experiment's patches, with all validation patches that are drawn."""
    return datasets.forgeries(
        size=SIZE,
        train_samples=experiment.train_samples,
        validation_samples=experiment.drawn,
        seed=DATA_SEED,
    )


def train(experiment: Experiment, seed: int, *, epochs: int | None = None) -> dict[str, Any]:
    """Train one network of the experiment, for all its epochs or fewer.

    Returns
    -------
    dict of arrays
        Log-odds of "forged" in inference mode, float32: ``validation`` (statistics, epoch, sample), ``train`` (epoch,
        sample) for the ordinary statistics and ``train_recomputed``, both of as many of the first training samples as
        there are validation samples; ``wide`` (epoch, sample); losses ``one_stale``, ``one_fresh`` and ``one_dropped``
        (epoch, layer); losses ``held`` (`HELD`, epoch); ``step_losses`` and ``step_correct`` (step,) as training
        reports them; ``statistics`` (statistics, epoch, channel), of each layer its means and then its variances;
        ``zoom`` (statistics, step), the validation loss after every step of the epochs that are zoomed into.
    """
    from lossacc_helpers import training  # before keras, whose lines it keeps silent
    import keras  # isort: skip
    import tensorflow as tf  # isort: skip
    from lossacc_helpers.training.seeds import draw_orders  # isort: skip
    from lossacc_helpers.training.batch_norm import batch_norm_layers, batch_statistics  # isort: skip
    from lossacc_helpers.training._keras import untouched  # isort: skip

    data = data_of(experiment)
    samples, (patches, told) = experiment.train_samples, data.train
    validation = data.validation[0][: experiment.validation_samples]
    wanted = data.validation[1][: experiment.validation_samples]
    kept = patches[: len(validation)]
    count = experiment.epochs if epochs is None else epochs
    keras.utils.clear_session()  # or the networks of all trainings so far stay in memory
    keras.utils.set_random_seed(seed)
    pixels = (float(patches.mean()), float(patches.std())) if experiment.standardised else (0.0, 255.0)
    model = training.networks.forgery_detector(
        SIZE, dropout=experiment.dropout, momentum=0.0, batch_norm=experiment.batch_norm, pixels=pixels
    )
    optimizer = keras.optimizers.Adam(experiment.rate)
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy()
    layers = batch_norm_layers(model) if experiment.batch_norm else []
    features, labels = tf.constant(patches), tf.constant(told.astype(np.int32))

    def joined(parts: Any) -> Any:
        return tf.concat([tf.zeros(0), *parts], 0)  # none without BatchNormalization

    def moving() -> Any:
        return joined(part.value for one in layers for part in (one.moving_mean, one.moving_variance))

    def some_steps(order: Any) -> Any:
        """Train on the samples in this order; statistics of every batch with dropout on and off, and its loss."""
        steps = (tf.shape(order)[0] + experiment.batch_size - 1) // experiment.batch_size
        on, off, losses, hits = (tf.TensorArray(kind, steps) for kind in (tf.float32,) * 3 + (tf.int32,))
        for step in tf.range(steps):
            rows = order[step * experiment.batch_size : (step + 1) * experiment.batch_size]
            batch, answers = tf.cast(tf.gather(features, rows), tf.float32), tf.gather(labels, rows)
            with batch_statistics(layers) as seen:
                model(batch, training=False)
            off = off.write(step, joined(part for _, mean, var, _ in seen for part in (mean, var)))
            with tf.GradientTape() as tape:
                outputs = model(batch, training=True)
                loss = loss_of(answers, outputs)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            on = on.write(step, moving())
            losses = losses.write(step, loss)
            right = tf.equal(tf.argmax(outputs, -1, output_type=tf.int32), answers)
            hits = hits.write(step, tf.reduce_sum(tf.cast(right, tf.int32)))
        return on.stack(), off.stack(), losses.stack(), hits.stack()

    def idle_steps(order: Any) -> Any:
        """The statistics of every batch with dropout on, while no weight moves."""
        steps = (tf.shape(order)[0] + experiment.batch_size - 1) // experiment.batch_size
        on = tf.TensorArray(tf.float32, steps)
        for step in tf.range(steps):
            rows = order[step * experiment.batch_size : (step + 1) * experiment.batch_size]
            model(tf.cast(tf.gather(features, rows), tf.float32), training=True)
            on = on.write(step, moving())
        return on.stack()

    def odds(images: Any) -> Any:
        outputs = model(tf.cast(images, tf.float32), training=False)
        logits = outputs._keras_logits  # before the softmax: in float32 its probabilities may be 0
        return logits[:, 1] - logits[:, 0]

    train_steps, answer = tf.function(some_steps), tf.function(odds, reduce_retracing=True)
    wait = tf.function(idle_steps)

    def log_odds(images: Any, statistics: Any) -> Any:
        place = 0
        for one in layers:
            for part in (one.moving_mean, one.moving_variance):
                part.assign(statistics[place : place + part.shape[0]])
                place += part.shape[0]
        return np.concatenate([answer(images[start : start + 1000]) for start in range(0, len(images), 1000)])

    def recomputed(dropout: bool) -> Any:
        if not layers:
            return moving().numpy()
        training.recompute_batch_norm_statistics(
            model, patches[: experiment.recompute_samples], dropout=dropout, batch_size=256
        )
        return moving().numpy()

    widths = [2 * one.moving_mean.shape[0] for one in layers]
    ends = np.cumsum(widths)
    layer_of = [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]
    untrained = np.array(
        [value for width in widths for value in (0,) * (width // 2) + (1,) * (width // 2)], dtype=np.float32
    )
    averages = {ORDINARY: untrained, SHORT: untrained, LAG_OFF: untrained}
    momenta = {ORDINARY: np.float32(0.99), SHORT: np.float32(0.9), LAG_OFF: np.float32(0.99)}
    total, seen_steps = np.zeros(len(untrained)), 0
    record: dict[str, list[Any]] = {name: [] for name in RECORDED}

    def all_statistics(mean_of_epoch: Any) -> Any:
        rows = [averages[ORDINARY], averages[SHORT], mean_of_epoch, total / seen_steps]
        return np.stack([*rows, recomputed(True), averages[LAG_OFF], recomputed(False)]).astype(np.float32)

    for epoch, order in enumerate(draw_orders(seed, 1, count, samples)[0], start=1):
        zoomed = epoch in experiment.zoom
        batches = np.split(order, range(experiment.batch_size, samples, experiment.batch_size)) if zoomed else [order]
        parts: list[Any] = []
        before, still = averages[ORDINARY], averages[ORDINARY]
        if experiment.held:
            with untouched(model):  # so that training goes on as without this
                for batch in wait(tf.constant(order)).numpy():
                    still = still * momenta[ORDINARY] + batch * (1 - momenta[ORDINARY])
                waited = loss_at(log_odds(validation, still), wanted)
        for rows in batches:
            parts.append([part.numpy() for part in train_steps(tf.constant(rows))])
            on, off = parts[-1][:2]
            for which, momentum in momenta.items():
                for batch in off if which == LAG_OFF else on:
                    averages[which] = averages[which] * momentum + batch * (1 - momentum)
            total, seen_steps = total + on.sum(axis=0, dtype=np.float64), seen_steps + len(on)
            if zoomed:
                so_far = np.concatenate([part[0] for part in parts]).mean(axis=0)
                record["zoom"].append(
                    np.array([loss_at(log_odds(validation, one), wanted) for one in all_statistics(so_far)])
                )
        on, off, losses, hits = (np.concatenate(part) for part in zip(*parts, strict=True))
        table = all_statistics(on.mean(axis=0))
        record["statistics"].append(table)
        record["validation"].append(np.stack([log_odds(validation, one) for one in table]))
        if experiment.held:
            record["held"].append(np.array([loss_at(log_odds(validation, before), wanted), waited]))
        record["train"].append(log_odds(kept, table[ORDINARY]))
        record["train_recomputed"].append(log_odds(kept, table[NOW_OFF]))
        record["step_losses"].append(losses)
        record["step_correct"].append(hits)
        if experiment.wide:
            record["wide"].append(log_odds(data.validation[0], table[ORDINARY]))
        if experiment.by_layer:
            exchanged = {
                "one_stale": (table[NOW_OFF], table[LAG_OFF]),
                "one_fresh": (table[LAG_OFF], table[NOW_OFF]),
                "one_dropped": (table[NOW_OFF], table[NOW_ON]),
            }
            for name, (base, other) in exchanged.items():
                row = []
                for layer in layer_of:
                    mixed = base.copy()
                    mixed[layer] = other[layer]
                    row.append(loss_at(log_odds(validation, mixed), wanted))
                record[name].append(np.array(row))
    stacks = {name: np.stack(values) for name, values in record.items() if values}
    for name in {"validation", "held", "statistics", "zoom"} & stacks.keys():
        stacks[name] = stacks[name].swapaxes(0, 1)
    return stacks


def loss_at(log_odds: Any, labels: Any) -> float:
    """The mean log loss of log-odds of "forged" (sample,)."""
    return float(np.logaddexp(0, np.where(labels == 1, -1, 1) * log_odds).mean())


def with_later_settings(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they were stored, and the defaults of those that an `Experiment` did not have yet then."""
    return {one.name: one.default for one in fields(Experiment) if one.default is not MISSING} | dict(stored)


def training_of(experiment: Experiment) -> dict[str, Any]:
    """What a trained network depends on besides its seed."""
    about = {key: value for key, value in asdict(experiment).items() if key not in ("sentence", "seeds")}
    return json.loads(json.dumps({**about, "size": SIZE, "data_seed": DATA_SEED}))


def part_of(name: str, seed: int) -> dict[str, Any]:
    """One trained network, from ``build`` where it has been trained already.

    Raises `ValueError` for one that was trained while the experiment was another; one that does not say what it was
    trained by is taken as it is.
    """
    path, wanted = PARTS / f"{name}-{seed}.npz", training_of(EXPERIMENTS[name])
    if not path.exists():
        start = time.monotonic()
        stacks = train(EXPERIMENTS[name], seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **stacks, experiment=json.dumps(wanted), seconds=time.monotonic() - start)
        os.replace(temporary, path)
        print(f"{path.name}: {time.monotonic() - start:.0f} s", flush=True)
    with np.load(path) as archive:
        part = dict(archive)
    found = json.loads(str(part.pop("experiment", json.dumps(wanted))))
    if any(with_later_settings(found)[key] != value for key, value in wanted.items()):
        raise ValueError(f"{path} was trained for another experiment, {found}; now {name} is {wanted}. Delete it")
    return part


def curves_of(experiment: Experiment, parts: Sequence[dict[str, Any]]) -> dict[str, Curves]:
    """Losses and accuracies (seed, epoch) by name: of validation for each of `STATISTICS`, and what else there is."""
    data = data_of(experiment)
    (_, told), (_, wanted) = data.train, data.validation
    count = experiment.validation_samples

    def scores(name: str, labels: Any, *which: Any) -> Curves:
        odds = np.stack([part[name][which] for part in parts]) * np.where(labels == 1, 1, -1)
        # A tie is answered with the first class, "genuine", as argmax does.
        right = np.where(labels == 1, odds > 0, odds >= 0)
        loss, accuracy = np.logaddexp(0, -odds).mean(axis=-1), right.mean(axis=-1)
        return Curves(loss.astype(np.float32), accuracy.astype(np.float32))

    found = {name: scores("validation", wanted[:count], k) for k, name in enumerate(STATISTICS)}
    found["training, moving average 0.99, dropout on"] = scores("train", told[:count])
    found["training, recomputed, dropout off"] = scores("train_recomputed", told[:count])
    steps = steps_of(experiment, parts)
    found["training, as reported"] = Curves(steps.epoch_loss, steps.epoch_accuracy)
    if experiment.wide:
        found[f"{experiment.drawn} validation samples"] = scores("wide", wanted)
    if experiment.zoom:
        losses = np.stack([part["zoom"] for part in parts])
        found |= {f"{name}, by step": Curves(losses[:, k]) for k, name in enumerate(STATISTICS)}
    if experiment.held:
        losses = np.stack([part["held"] for part in parts])
        found |= {name: Curves(losses[:, k]) for k, name in enumerate(HELD)}
    for name, words in EXCHANGED.items() if experiment.by_layer else ():
        losses = np.stack([part[name] for part in parts])
        for layer in range(losses.shape[-1]):
            found[words.format(layer + 1)] = Curves(losses[..., layer])
    return found


def steps_of(experiment: Experiment, parts: Sequence[dict[str, Any]]) -> StepHistory:
    """What training reported, (seed, step)."""
    losses = np.stack([part["step_losses"] for part in parts])
    hits = np.stack([part["step_correct"] for part in parts])
    rest = experiment.train_samples - experiment.batch_size * (losses.shape[-1] - 1)
    sizes = np.array(([experiment.batch_size] * (losses.shape[-1] - 1) + [rest]) * losses.shape[1])
    flat = (len(parts), -1)
    return StepHistory(losses.reshape(flat), hits.reshape(flat), sizes, steps_per_epoch=losses.shape[-1])


def run_of(experiment: Experiment, parts: Sequence[dict[str, Any]], about: dict[str, Any]) -> TrainingRun:
    """The predictions of the networks as Keras makes them, sample by sample; one network has no leading axis."""
    data, count = data_of(experiment), experiment.validation_samples

    def history(name: str, labels: Any, *which: Any) -> PredictionHistory:
        odds = np.stack([part[name][which] for part in parts]).astype(np.float64)
        both = np.stack([-np.logaddexp(0, odds), -np.logaddexp(0, -odds)], axis=-1)
        return PredictionHistory(labels[:count], both).compact()

    whole = TrainingRun(
        history("train", data.train[1]),
        history("validation", data.validation[1], ORDINARY),
        steps=steps_of(experiment, parts),
        **about,
    )
    return whole.replica(0) if len(parts) == 1 else whole


def record(name: str) -> None:
    """Train what has not been trained yet, and write the recordings of an experiment."""
    from lossacc_helpers.training.settings import provenance

    experiment = EXPERIMENTS[name]
    parts = [part_of(name, seed) for seed in experiment.seeds]
    settings = {
        "experiment": name,
        **asdict(experiment),
        "size": SIZE,
        "data_seed": DATA_SEED,
        "optimizer": "adam",
        "loss": "sparse_categorical_crossentropy",
    }
    made = {
        **provenance(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "seconds": round(sum(float(part["seconds"]) for part in parts)),
        "made by": "python -m tools.record_lesson_04",
    }
    paths = [
        CurveSet(curves_of(experiment, parts), settings=settings, provenance=made).save(CURVES / f"lesson_04_{name}")
    ]
    if count := SAMPLE_BY_SAMPLE.get(name):
        about = {"settings": settings, "provenance": made}
        paths.append(run_of(experiment, parts[:count], about).save(FOLDER / f"lesson_04_{name}", half=True))
    for path in paths:
        print(f"{path.relative_to(FOLDER)}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


def main(words: Sequence[str]) -> None:
    """Record the chosen experiments, or all; or train some seeds of one."""
    train_only = words[:1] == ["--train"]
    names = words[1:2] if train_only else words
    if unknown := set(names) - EXPERIMENTS.keys():
        raise SystemExit(f"no experiment is called {min(unknown)!r}; there are {', '.join(EXPERIMENTS)}")
    if train_only:
        if len(words) != 4:
            raise SystemExit("say --train NAME FIRST LAST, as in --train fast 0 4")
        for seed in range(int(words[2]), int(words[3]) + 1):
            part_of(words[1], seed)
        return
    for name in names or EXPERIMENTS:
        record(name)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Record the trainings of lesson 05: ``python -m tools.record_lesson_05 [NAME ...]``.

Without names all of them, about an hour on two cores. Each network is kept in ``build/lesson_05`` once it is trained,
so that an interrupted recording goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lossacc_helpers import datasets
from lossacc_helpers.history import Curves, CurveSet, PredictionHistory, TrainingRun
from lossacc_helpers.recordings import CURVES, FOLDER

PARTS = Path("build/lesson_05")
TEMPERATURES = tuple(float(one) for one in np.arange(0.5, 3.01, 0.25))
KEPT = 150  # lines or sequences of a part that are kept word by word
NAMES = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One way to train a model of words, for several seeds on the same data.

    Attributes
    ----------
    sentence : what it is.
    text : "verses" for the encoder and decoder on `datasets.verses`, "english" for the language model.
    amount : songs, or words, to train on.
    held_out : songs, or words, for validation and as many for the test.
    epochs, rate, batch_size : of the training with Adam.
    embedding, units : of the network.
    smoothing : of the labels while training; what is recorded is the plain cross-entropy.
    seeds : of weights and the order of the lines; a network each.
    word_by_word : whether the first network is kept word by word, at several temperatures.
    """

    sentence: str
    text: str
    amount: int
    held_out: int
    epochs: int
    rate: float = 0.01
    batch_size: int
    embedding: int = 64
    units: int
    smoothing: float = 0.0
    seeds: tuple[int, ...] = tuple(range(10))
    word_by_word: bool = False


_VERSES = Experiment(
    sentence="An encoder and a decoder learn the next line of a song.",
    text="verses",
    amount=120,
    held_out=150,
    epochs=24,
    batch_size=64,
    units=256,
    word_by_word=True,
)
_ENGLISH = Experiment(
    sentence="A language model learns the next word of Python's help.",
    text="english",
    amount=20_000,
    held_out=4_000,
    epochs=13,
    rate=0.005,
    batch_size=16,
    units=256,
)
_FEW = tuple(range(5))


def _grown(base: Experiment, amount: int) -> Experiment:
    return replace(base, amount=amount, seeds=_FEW, word_by_word=False)


EXPERIMENTS = {
    "verses": _VERSES,
    "english": _ENGLISH,
    "verses_smoothed": replace(_VERSES, sentence="Verses, labels smoothed by 0.1.", smoothing=0.1, word_by_word=False),
    "english_smoothed": replace(
        _ENGLISH, sentence="English, labels smoothed by 0.1.", smoothing=0.1, word_by_word=False
    ),
    **{f"verses_{songs}": _grown(_VERSES, songs) for songs in (30, 60, 240, 480)},
    **{f"english_{words}": _grown(_ENGLISH, words) for words in (5_000, 10_000, 30_000)},
}


def train(experiment: Experiment, seed: int, *, epochs: int | None = None) -> dict[str, Any]:
    """Train one network.

    Returns
    -------
    dict of arrays
        ``loss`` and ``accuracy`` (part, epoch), of `NAMES`; ``scaled`` (2, epoch): the validation loss, each half of
        the songs or sequences at the temperature of the other, and the test loss at that of the validation words;
        ``temperature`` (epoch,); ``padded`` (epoch,): the validation accuracy if padding is counted too. Of a network
        kept word by word also ``train_words`` and ``validation_words`` (word,), and ``train_beliefs`` and
        ``validation_beliefs`` (epoch, temperature, 3, word): what `words_at` gives of the first `KEPT`.
    """
    from lossacc_helpers import training  # before keras, whose lines it keeps silent
    import keras  # isort: skip

    parts, groups, padding, classes = _data(experiment)
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    build = training.networks.sequence_to_sequence if experiment.text == "verses" else training.networks.language_model
    model = build(classes, embedding=experiment.embedding, units=experiment.units)
    loss = training.smoothed_cross_entropy(experiment.smoothing)
    by_word = experiment.word_by_word and seed == experiment.seeds[0]
    model.compile(keras.optimizers.Adam(experiment.rate), loss, jit_compile=False)
    watch = training.RecordWords(*parts, padding=padding, groups=groups, temperatures=(1.0,))
    padded: list[float] = []
    beliefs: dict[str, list[Any]] = {"train": [], "validation": []}
    kept, words = slice(KEPT), {}

    def look(*_: Any) -> None:
        if padding is not None:
            inputs, labels = parts[1]
            answers = model.predict(inputs, verbose=0, batch_size=256).argmax(axis=-1)
            padded.append(float((answers == labels).mean()))
        for name, (inputs, labels) in zip(beliefs, parts, strict=False) if by_word else ():
            first = tuple(one[kept] for one in inputs) if isinstance(inputs, tuple) else inputs[kept]
            told = labels[kept] != padding if padding is not None else np.ones(labels[kept].shape, dtype=bool)
            logits, words[name] = model.predict(first, verbose=0)[told], labels[kept][told]
            beliefs[name].append(np.stack([training.words_at(words[name], logits, heat) for heat in TEMPERATURES]))

    inputs, labels = parts[0]
    model.fit(
        inputs,
        labels,
        batch_size=experiment.batch_size,
        epochs=experiment.epochs if epochs is None else epochs,
        verbose=0,
        callbacks=[watch, keras.callbacks.LambdaCallback(on_epoch_end=look)],
    )
    found = watch.record
    assert found.test is not None
    assert found.test_scaled is not None
    histories = (found.run.train, found.run.validation, found.test)
    stacks: dict[str, Any] = {
        "loss": np.stack([one.loss for one in histories if one is not None]),
        "accuracy": np.stack([one.accuracy for one in histories if one is not None]),
        "scaled": np.stack([[one.calibrated if one else np.nan for one in found.splits], found.test_scaled]),
        "temperature": np.array([one.temperature if one else np.nan for one in found.fits]),
        "padded": np.array(padded),
    }
    for name in beliefs if by_word else ():
        stacks |= {f"{name}_words": words[name], f"{name}_beliefs": np.stack(beliefs[name])}
    return stacks


def _data(experiment: Experiment) -> tuple[list[Any], Any, int | None, int]:
    """Pairs for training, validation and test; groups of the validation sequences; padding; and the words there are."""
    if experiment.text == "verses":
        songs = datasets.verses(
            train_songs=experiment.amount, validation_songs=experiment.held_out, test_songs=experiment.held_out
        )
        parts = [songs.train.pairs, songs.validation.pairs, songs.test.pairs]
        return parts, songs.validation.songs, 0, len(songs.vocabulary)
    text = datasets.english_text(
        train_words=experiment.amount, validation_words=experiment.held_out, test_words=experiment.held_out
    )
    return [text.train, text.validation, text.test], None, None, len(text.vocabulary)


def part_of(name: str, seed: int) -> dict[str, Any]:
    """One trained network, from ``build`` where it has been trained already by the same settings."""
    experiment, path = EXPERIMENTS[name], PARTS / f"{name}-{seed}.npz"
    about = {key: value for key, value in asdict(experiment).items() if key not in ("sentence", "seeds")}
    wanted = json.dumps(about)
    if not path.exists():
        start = time.monotonic()
        stacks = train(experiment, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **stacks, experiment=wanted, seconds=time.monotonic() - start)
        os.replace(temporary, path)
        print(f"{path.name}: {time.monotonic() - start:.0f} s", flush=True)
    with np.load(path) as archive:
        part = dict(archive)
    if (found := str(part.pop("experiment"))) != wanted:
        raise ValueError(f"{path} was trained for another experiment, {found}; now {name} is {wanted}. Delete it")
    return part


def curves_of(parts: Sequence[dict[str, Any]]) -> dict[str, Curves]:
    """Losses and accuracies (seed, epoch) by name."""
    loss, accuracy, scaled = (np.stack([part[name] for part in parts]) for name in ("loss", "accuracy", "scaled"))
    found = {name: Curves(loss[:, k], accuracy[:, k]) for k, name in enumerate(NAMES)}
    return found | {f"{name}, scaled": Curves(scaled[:, k]) for k, name in enumerate(("validation", "test"))}


def run_of(part: dict[str, Any], classes: int, about: dict[str, Any]) -> TrainingRun:
    """The words that were kept, with the leading axis (temperature,)."""

    def history(name: str) -> PredictionHistory:
        logs, tops, right = part[f"{name}_beliefs"].transpose(2, 1, 0, 3)
        return PredictionHistory.from_compact(part[f"{name}_words"], logs, tops, right.astype(bool), classes=classes)

    return TrainingRun(history("train"), history("validation"), **about)


def record(name: str) -> None:
    """Train what has not been trained yet, and write the recordings of an experiment."""
    from lossacc_helpers.training.settings import provenance

    experiment = EXPERIMENTS[name]
    parts = [part_of(name, seed) for seed in experiment.seeds]
    settings = {
        "experiment": name,
        **asdict(experiment),
        "vocabulary": _data(experiment)[-1],
        "optimizer": "adam",
        "temperature": np.stack([part["temperature"] for part in parts]).round(4).tolist(),
    }
    if experiment.text == "verses":
        settings["accuracy_with_padding"] = np.stack([part["padded"] for part in parts]).round(4).tolist()
    made = {
        **provenance(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "seconds": round(sum(float(part["seconds"]) for part in parts)),
        "made by": "python -m tools.record_lesson_05",
    }
    paths = [CurveSet(curves_of(parts), settings=settings, provenance=made).save(CURVES / f"lesson_05_{name}")]
    if experiment.word_by_word:
        about = {"settings": {**settings, "temperatures": TEMPERATURES}, "provenance": made}
        run = run_of(parts[0], settings["vocabulary"], about)
        paths.append(run.save(FOLDER / f"lesson_05_{name}", half=True))
    for path in paths:
        print(f"{path.relative_to(FOLDER)}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


def main(names: Sequence[str]) -> None:
    """Record the chosen experiments, or all."""
    if unknown := set(names) - EXPERIMENTS.keys():
        raise SystemExit(f"no experiment is called {min(unknown)!r}; there are {', '.join(EXPERIMENTS)}")
    for name in names or EXPERIMENTS:
        record(name)


if __name__ == "__main__":
    main(sys.argv[1:])

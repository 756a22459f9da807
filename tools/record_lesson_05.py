"""Record the trainings of lesson 05: ``python -m tools.record_lesson_05 [NAME ...]``.

Without names all of them, about an hour on one core. Each network is kept in ``build/lesson_05`` once it is trained,
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

from lossacc_helpers import datasets, jump_share
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
    vocabulary_words : of how many of the training words the vocabulary of English is made; None: of all.
    smoothing : of the labels while training; what is recorded is the plain cross-entropy.
    seeds : of weights and the order of the lines; a network each.
    word_by_word : whether the first network is kept word by word, at several temperatures.
    """

    sentence: str
    text: str
    amount: int
    held_out: int
    epochs: int
    rate: float
    batch_size: int
    embedding: int
    units: int
    vocabulary_words: int | None = None
    smoothing: float = 0.0
    seeds: tuple[int, ...] = tuple(range(10))
    word_by_word: bool = False


_VERSES = Experiment(
    sentence="An encoder and a decoder learn the next line of a song.",
    text="verses",
    amount=80,
    held_out=150,
    epochs=22,
    rate=0.01,
    batch_size=32,
    embedding=64,
    units=256,
    word_by_word=True,
)
_ENGLISH = Experiment(
    sentence="A language model learns the next word of Python's help.",
    text="english",
    amount=20_000,
    held_out=4_000,
    epochs=16,
    rate=0.03,
    batch_size=128,
    embedding=32,
    units=256,
)
_SLOWLY = replace(
    _ENGLISH,
    sentence="The same language model, in smaller steps and smaller batches.",
    epochs=13,
    rate=0.005,
    batch_size=16,
    embedding=64,
)
_FEW = tuple(range(5))


def _smoothed(base: Experiment) -> Experiment:
    return replace(base, sentence=f"{base.sentence} Its labels are smoothed.", smoothing=0.1, word_by_word=False)


def _grown(base: Experiment, amount: int, epochs: int) -> Experiment:
    return replace(base, amount=amount, epochs=epochs, seeds=_FEW, word_by_word=False)


EXPERIMENTS = {
    "verses": _VERSES,
    "verses_smoothed": _smoothed(_VERSES),
    "english": _ENGLISH,
    "english_smoothed": _smoothed(_ENGLISH),
    "english_slowly": _SLOWLY,
    # Long enough that the validation loss has turned: the more there is to learn from, the more batches that takes.
    **{
        f"verses_{songs}": _grown(_VERSES, songs, epochs)
        for songs, epochs in ((20, 22), (40, 22), (160, 22), (320, 24))
    },
    # One vocabulary for all, that of the words that all of them are trained on: the same classes, so the same scale.
    **{
        f"english_{words}": replace(_grown(_SLOWLY, words, epochs), vocabulary_words=5_000)
        for words, epochs in ((5_000, 60), (10_000, 34), (20_000, 20), (30_000, 14))
    },
}


def train(experiment: Experiment, seed: int, *, epochs: int | None = None) -> dict[str, Any]:
    """Train one network.

    Returns
    -------
    dict of arrays
        ``loss`` and ``accuracy`` (part, epoch), of `NAMES`; ``scaled`` (2, epoch): the validation loss, each half of
        the songs or sequences at the temperature of the other, and the test loss at that of the validation words;
        ``temperature`` (epoch,); ``confidence`` (2, epoch), of training and validation words; ``known`` (2, epoch), of
        English: the validation loss and accuracy of the words that are not ``"<other>"``; ``fell`` and ``carried``,
        of the validation words from the least loss to the end: the share that became cheaper, and what share of the
        rise the tenth carries that rose most; ``padded`` (epoch,): the validation accuracy if padding is counted too.
        Of a network kept word by word also ``train_words`` and ``validation_words`` (word,), and ``train_beliefs`` and
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
    held = found.run.validation
    assert held is not None
    early, late = held.sample_losses[[int(held.loss.argmin()), -1]].astype(np.float64)
    stacks: dict[str, Any] = {
        "loss": np.stack([one.loss for one in histories if one is not None]),
        "accuracy": np.stack([one.accuracy for one in histories if one is not None]),
        "scaled": np.stack([[one.calibrated if one else np.nan for one in found.splits], found.test_scaled]),
        "temperature": np.array([one.temperature if one else np.nan for one in found.fits]),
        "confidence": np.stack([one.top_probabilities.mean(axis=1) for one in (found.run.train, held)]),
        "fell": np.mean(late < early),
        "carried": jump_share(early, late, 0.1) if late.mean() > early.mean() else np.nan,
        "padded": np.array(padded),
    }
    if experiment.text == "english":
        known = held.labels != 0
        stacks["known"] = np.stack([held.sample_losses[:, known].mean(axis=1), held.correct[:, known].mean(axis=1)])
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
        train_words=experiment.amount,
        validation_words=experiment.held_out,
        test_words=experiment.held_out,
        vocabulary_words=experiment.vocabulary_words,
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
    if "known" in parts[0]:
        known = np.stack([part["known"] for part in parts])
        found["validation, known words"] = Curves(known[:, 0], known[:, 1])
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
        **{
            name: np.stack([part[name] for part in parts]).round(4).tolist()
            for name in ("temperature", "confidence", "fell", "carried")
        },
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

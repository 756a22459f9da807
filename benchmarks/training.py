"""Training the question's network, side by side with the alternatives.

Everything is end to end: building the network, seeds, batch order, training, and the loss and accuracy of training and
validation data after every epoch.
"""

from __future__ import annotations

import inspect
import statistics
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from lossacc_helpers import training  # before Keras, so that TensorFlow starts quietly

# isort: split
import keras
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from benchmarks import numpy_loop
from lossacc_helpers import datasets
from lossacc_helpers.history import PredictionHistory
from lossacc_helpers.training._keras import reader_of_arrays
from lossacc_helpers.training.stacked import StackedProgram
from tools.lessons import ROOT

BATCH, RATE, HIDDEN = 5, 5e-4, 8
IRIS = datasets.iris("shuffled")
# What every contestant gives: loss and accuracy of the training data, then of the validation data, (epoch,) each.
Curves = list[Any]


def network() -> keras.Model:
    """The question's network."""
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(HIDDEN, activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def keras_fit(epochs: int, seed: int, **compiling: Any) -> Curves:
    """`Model.fit` with validation data and the histories it gives (its training curves are running means)."""
    keras.utils.set_random_seed(seed)
    one_hot = np.eye(3, dtype=np.float32)
    (x, y), (x_validation, y_validation) = IRIS.train, IRIS.validation
    model = network()
    model.compile(
        keras.optimizers.Adam(RATE, epsilon=1e-8), "categorical_crossentropy", metrics=["accuracy"], **compiling
    )
    history = model.fit(
        x,
        one_hot[y],
        epochs=epochs,
        batch_size=BATCH,
        validation_data=(x_validation, one_hot[y_validation]),
        verbose=0,
    ).history
    return [history[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")]


@contextmanager
def as_installed() -> Iterator[None]:
    """Keras as it is without this package, which takes the pauses out of `fit` when it is imported."""
    reader = reader_of_arrays()
    without_pauses = reader.get_tf_dataset
    reader.get_tf_dataset = inspect.unwrap(without_pauses)
    try:
        yield
    finally:
        reader.get_tf_dataset = without_pauses


def scikit_learn(epochs: int, seed: int) -> Curves:
    """`MLPClassifier`, one `partial_fit` an epoch, scored after each."""
    (x, y), (x_validation, y_validation) = IRIS.train, IRIS.validation
    model = MLPClassifier((HIDDEN,), learning_rate_init=RATE, batch_size=BATCH, alpha=0.0, random_state=seed)
    curves: Curves = [[], [], [], []]
    for _ in range(epochs):
        model.partial_fit(x, y, classes=[0, 1, 2])
        for place, (features, labels) in enumerate([(x, y), (x_validation, y_validation)]):
            probabilities = model.predict_proba(features)
            curves[2 * place].append(log_loss(labels, probabilities, labels=[0, 1, 2]))
            curves[2 * place + 1].append((probabilities.argmax(axis=-1) == labels).mean())
    return curves


def scikit_learn_fit(epochs: int, seed: int) -> Curves:
    """`MLPClassifier.fit`: its own training loss is the only curve it gives."""
    model = MLPClassifier(
        (HIDDEN,),
        learning_rate_init=RATE,
        batch_size=BATCH,
        alpha=0.0,
        max_iter=epochs,
        n_iter_no_change=epochs,
        tol=0.0,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(*IRIS.train)
    return [model.loss_curve_, [model.score(*IRIS.train)]]


def numpy_training(epochs: int, seed: int) -> Curves:
    """The plain loop of `numpy_loop`, and the same histories as ours."""
    generator = np.random.default_rng(seed)
    (x, y), (_, y_validation) = IRIS.train, IRIS.validation
    order = generator.permuted(np.tile(np.arange(len(x)), (epochs, 1)), axis=-1)
    weights = numpy_loop.initial_weights(4, HIDDEN, 3, generator)
    logs = numpy_loop.train(weights, order, x, y, IRIS.features, batch_size=BATCH, rate=RATE)
    parts = PredictionHistory(y, logs[:, : len(x)]), PredictionHistory(y_validation, logs[:, len(x) :])
    return [curve for part in parts for curve in (part.loss, part.accuracy)]


def ours(epochs: int, seed: int, replicas: int) -> Curves:
    """`fit_replicas`, and both histories read."""
    run = training.fit_replicas(
        network,
        IRIS.train,
        IRIS.validation,
        replicas=replicas,
        epochs=epochs,
        batch_size=BATCH,
        optimizer=keras.optimizers.Adam(RATE, epsilon=1e-8),
        seed=seed,
    )
    parts = [run.train] if run.validation is None else [run.train, run.validation]
    return [curve for part in parts for curve in (part.loss, part.accuracy)]


def seconds(task: Callable[[int], Curves], repeats: int) -> list[float]:
    """Wall time of each of several runs with seeds of their own."""
    times = []
    for seed in range(repeats):
        start = perf_counter()
        curves = task(seed)
        times.append(perf_counter() - start)
        if not np.isfinite(np.mean(curves[0])):
            raise RuntimeError("a contestant did not train")
    return times


class CompiledPart:
    """Keeps the wall time of each run of the compiled program alone, copies in and out of TensorFlow included."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __enter__(self) -> CompiledPart:
        self._run = run = StackedProgram.run

        def timed(program: StackedProgram, inputs: Any) -> Any:
            start = perf_counter()
            outputs = run(program, inputs)
            self.times.append(perf_counter() - start)
            return outputs

        StackedProgram.run = timed  # type: ignore[assignment, method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        StackedProgram.run = self._run  # type: ignore[method-assign]


def import_seconds(statement: str, repeats: int) -> list[float]:
    """Wall time of a fresh interpreter that runs one statement."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True, cwd=ROOT)
        times.append(perf_counter() - start)
    return times


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Time everything, or, to see that it runs, a tenth of the epochs and a few runs."""
    epochs, fits, repeats = (20, 1, 2) if quick else (200, 3, 9)
    rows: list[tuple[str, int, list[float]]] = []

    def row(name: str, networks: int, task: Callable[[int], Curves], count: int) -> None:
        rows.append((name, networks, seconds(task, count)))
        print(f"  {name}: {statistics.median(rows[-1][2]):.4g} s", flush=True)

    with as_installed():
        row("Keras `fit`, as asked", 1, lambda seed: keras_fit(epochs, seed), fits)
    row("Keras `fit`, without TensorFlow's pauses", 1, lambda seed: keras_fit(epochs, seed), fits)
    row("the same, `steps_per_execution=24`", 1, lambda seed: keras_fit(epochs, seed, steps_per_execution=24), fits)
    row("scikit-learn `MLPClassifier.partial_fit`", 1, lambda seed: scikit_learn(epochs, seed), repeats)
    row("scikit-learn `MLPClassifier.fit`, no histories", 1, lambda seed: scikit_learn_fit(epochs, seed), repeats)
    row("plain NumPy loop", 1, lambda seed: numpy_training(epochs, seed), repeats)
    compilations = {}
    for replicas in (1, 32, 256):

        def task(seed: int, replicas: int = replicas) -> Curves:
            return ours(epochs, seed, replicas)

        (first,) = seconds(task, 1)
        with CompiledPart() as compiled:
            row(f"`fit_replicas`, {replicas} replica{'s' * (replicas > 1)}", replicas, task, repeats)
        rows.append(("of which the compiled program", replicas, compiled.times))
        compilations[str(replicas)] = first - statistics.median(rows[-2][2])
    imports = {name: import_seconds(f"import {name}", repeats) for name in ("numpy", "lossacc_helpers")}
    return summary(rows, compilations, imports) | {"epochs": epochs}


def summary(
    rows: list[tuple[str, int, list[float]]], compilations: dict[str, float], imports: dict[str, list[float]]
) -> dict[str, Any]:
    """Medians and ratios of times in seconds: rows of (what, networks, times), compilations, imports."""
    fit = statistics.median(rows[0][2])
    middle = {name: statistics.median(times) for name, times in imports.items()}
    return {
        "rows": [
            {
                "what": name,
                "networks": networks,
                "median": statistics.median(times),
                "least": min(times),
                "greatest": max(times),
                "runs": len(times),
                "ratio": fit * networks / statistics.median(times),
            }
            for name, networks, times in rows
        ],
        "compilation": compilations,
        "import_beyond_numpy": middle["lossacc_helpers"] - middle["numpy"],
    }


def table(results: dict[str, Any]) -> str:
    """The results in Markdown."""
    lines = [
        "| what | networks | runs | seconds (median) | least to greatest | times one `fit` each |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['what']} | {row['networks']} | {row['runs']} | {row['median']:.3g} | "
        f"{row['least']:.3g} to {row['greatest']:.3g} | {row['ratio']:,.{0 if row['ratio'] >= 10 else 1}f} |"
        for row in results["rows"]
    ]
    compilation = ", ".join(f"{taken:.2g} s for {replicas}" for replicas, taken in results["compilation"].items())
    return "\n".join(
        [
            *lines,
            "",
            f"Compilation, once a shape: {compilation} replicas. `import lossacc_helpers` takes "
            f"{results['import_beyond_numpy']:.2f} s more than `import numpy`.",
        ]
    )

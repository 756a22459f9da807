"""Train networks with known causes of puzzling curves: ``python -m tools.simulate_clinic [PROCESS OF]``.

Writes ``lossacc_helpers/clinic/cases/simulated.json``: what Keras itself reported of every training, the cause that was
built in, and which third it belongs to. Every run is kept in ``build/clinic`` once it is trained, so that a simulation
that was interrupted goes on where it stopped; two processes share the work as ``0 2`` and ``1 2``. About a quarter of
an hour on two cores.

A cause is built in by what is done to the data, the network or the call of `compile`; its accepted names are given with
it, for some causes look alike in curves. Whether a training on too few samples is overfitting or overconfidence is
decided by its accuracy on 700 other samples, which the clinic never sees.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

PARTS = Path("build/clinic")
RUNS = Path("lossacc_helpers/clinic/cases/simulated.json")
SEEDS = range(18)
_DIGITS = 10


@dataclass(frozen=True)
class Built:
    """What a simulation trains.

    Attributes
    ----------
    train, validation : features and labels as Keras gets them.
    layers : of the network after its input.
    classes : as given to the clinic.
    compile, fit : keywords of those calls.
    accepted : causes that count as right.
    judge : features and class ids that decide between overfitting and overconfidence, or None.
    """

    train: tuple[Any, Any]
    validation: tuple[Any, Any]
    layers: Callable[[Any], list[Any]]
    classes: int
    compile: dict[str, Any]
    accepted: tuple[str, ...]
    fit: dict[str, Any] = field(default_factory=dict)
    judge: tuple[Any, Any] | None = None


def _digits(generator: np.random.Generator, train: int, validation: int) -> list[tuple[Any, Any]]:
    """Training, validation and 700 other digits, drawn anew."""
    from sklearn.datasets import load_digits

    features, labels = load_digits(return_X_y=True)
    order = generator.permutation(len(labels))
    cuts = np.split(order, [train, train + validation, train + validation + 700])
    return [((features[part] / 16).astype("float32"), labels[part]) for part in cuts[:3]]


def _dense(units: int, classes: int, **last: Any) -> Callable[[Any], list[Any]]:
    return lambda layers: [
        layers.Dense(units, activation="relu"),
        layers.Dense(classes, **({"activation": "softmax"} | last)),
    ]


def _plain(g: np.random.Generator, accepted: tuple[str, ...] = ("healthy",), **changes: Any) -> Built:
    """A digits network of sound settings, drawn at random."""
    train, validation, _ = _digits(g, int(g.integers(500, 900)), int(g.integers(200, 380)))
    made: dict[str, Any] = {
        "train": train,
        "validation": validation,
        "layers": _dense(int(g.choice([16, 32, 64])), _DIGITS),
        "classes": _DIGITS,
        "compile": {"optimizer": _adam(float(g.choice([0.001, 0.002]))), "loss": "sparse_categorical_crossentropy"},
        "fit": {"epochs": int(g.integers(10, 22)), "batch_size": 32},
    }
    return Built(**(made | changes), accepted=accepted)


def _adam(rate: float) -> Any:
    import keras

    return keras.optimizers.Adam(rate)


def healthy(g: np.random.Generator) -> Built:
    """Nothing is wrong."""
    return _plain(g)


def healthy_cells(g: np.random.Generator) -> Built:
    """Nothing is wrong: the breast-cancer table, thirty columns, two classes."""
    from sklearn.datasets import load_breast_cancer

    features, labels = load_breast_cancer(return_X_y=True)
    order = g.permutation(len(labels))
    features = ((features - features.mean(axis=0)) / features.std(axis=0)).astype("float32")[order]
    labels, cut = labels[order], int(g.integers(300, 400))
    return _plain(
        g,
        train=(features[:cut], labels[:cut]),
        validation=(features[cut:], labels[cut:]),
        layers=_dense(int(g.choice([8, 16])), 1, activation="sigmoid"),
        classes=2,
        compile={"optimizer": _adam(float(g.choice([0.001, 0.002]))), "loss": "binary_crossentropy"},
    )


def healthy_parity(g: np.random.Generator) -> Built:
    """Nothing is wrong: is the digit even."""
    train, validation, _ = _digits(g, int(g.integers(600, 1000)), int(g.integers(250, 380)))
    return _plain(
        g,
        train=(train[0], train[1] % 2),
        validation=(validation[0], validation[1] % 2),
        layers=_dense(int(g.choice([16, 32, 64])), 1, activation="sigmoid"),
        classes=2,
        compile={"optimizer": _adam(float(g.choice([0.001, 0.002]))), "loss": "binary_crossentropy"},
    )


def too_long_on_few(g: np.random.Generator) -> Built:
    """Trained far too long on few samples: overfitting or overconfidence, as the judge says."""
    train, validation, judge = (
        (x.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16), y)  # seen coarsely, so that errors remain
        for x, y in _digits(g, int(g.integers(150, 400)), 350)
    )
    return _plain(
        g,
        ("judged",),
        train=train,
        validation=validation,
        layers=_dense(int(g.choice([64, 128, 256])), _DIGITS),
        compile={"optimizer": _adam(float(g.choice([0.005, 0.01, 0.02]))), "loss": "sparse_categorical_crossentropy"},
        fit={"epochs": int(g.integers(40, 70)), "batch_size": 32},
        judge=judge,
    )


def wrong_labels(g: np.random.Generator) -> Built:
    """A part of the training labels is wrong."""
    train, validation, _ = _digits(g, int(g.integers(300, 600)), 350)
    features, labels = train
    wrong = g.random(len(labels)) < g.uniform(0.2, 0.4)
    labels = np.where(wrong, g.integers(0, _DIGITS, len(labels)), labels)
    return _plain(
        g,
        ("label-noise", "overfitting"),
        train=(features, labels),
        validation=validation,
        layers=_dense(int(g.choice([128, 256])), _DIGITS),
        compile={"optimizer": _adam(0.005), "loss": "sparse_categorical_crossentropy"},
        fit={"epochs": int(g.integers(30, 60)), "batch_size": 32},
    )


def dead(g: np.random.Generator) -> Built:
    """Nothing is learned: a rate far too large kills the units, or one far too small moves nothing."""
    rate = float(g.choice([1e-7, 5.0, 20.0]))
    import keras

    return _plain(
        g,
        ("constant-predictor",),
        compile={"optimizer": keras.optimizers.SGD(rate), "loss": "sparse_categorical_crossentropy"},
    )


def saturated(g: np.random.Generator) -> Built:
    """One sigmoid, two classes, unscaled inputs and a large rate."""
    import keras

    train, validation, _ = _digits(g, 600, 300)
    parts = [(1000 * x, y % 2) for x, y in (train, validation)]
    return _plain(
        g,
        ("saturated-outputs",),
        train=parts[0],
        validation=parts[1],
        layers=lambda layers: [layers.Dense(1), layers.Activation("sigmoid"), layers.Lambda(lambda p: p * 1.0)],
        classes=2,
        compile={"optimizer": keras.optimizers.Adagrad(float(g.choice([1.0, 10.0]))), "loss": "binary_crossentropy"},
    )


def broken(g: np.random.Generator) -> Built:
    """Steps so large that numbers overflow."""
    import keras

    return _plain(
        g,
        ("numeric-failure",),
        layers=lambda layers: [layers.Dense(64, activation="linear"), layers.Dense(64), layers.Dense(_DIGITS)],
        compile={
            "optimizer": keras.optimizers.SGD(float(10.0 ** g.uniform(3, 6))),
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        },
    )


def squared_error(g: np.random.Generator) -> Built:
    """A squared error of one-hot rows."""
    train, validation, _ = _digits(g, 700, 300)
    rows = [(x, np.eye(_DIGITS)[y]) for x, y in (train, validation)]
    return _plain(
        g, ("not-cross-entropy",), train=rows[0], validation=rows[1], compile={"optimizer": _adam(0.002), "loss": "mse"}
    )


def regression(g: np.random.Generator) -> Built:
    """A regression with accuracy among its metrics."""
    train, validation, _ = _digits(g, 700, 300)
    column = int(g.choice([19, 27, 36, 44]))
    rows = [(np.delete(x, column, axis=1), x[:, column]) for x, _ in (train, validation)]
    return _plain(
        g,
        ("not-cross-entropy",),
        train=rows[0],
        validation=rows[1],
        layers=_dense(32, 1, activation=None),
        classes=2,
        compile={"optimizer": _adam(0.002), "loss": "mse"},
    )


def every_output_for_itself(g: np.random.Generator) -> Built:
    """Binary cross-entropy and binary accuracy on one-hot rows."""
    train, validation, _ = _digits(g, 700, 300)
    rows = [(x, np.eye(_DIGITS)[y]) for x, y in (train, validation)]
    return _plain(
        g,
        ("metric-mismatch",),
        train=rows[0],
        validation=rows[1],
        compile={"optimizer": _adam(0.001), "loss": "binary_crossentropy", "metrics": ["binary_accuracy"]},
    )


def softmax_twice(g: np.random.Generator) -> Built:
    """A softmax in the network, and one in the loss."""
    import keras

    return _plain(
        g,
        ("double-softmax", "swapped-arguments"),
        layers=lambda layers: [
            layers.Dense(64, activation="relu"),
            layers.Dense(_DIGITS),
            layers.Softmax(),
            layers.Lambda(lambda p: p * 1.0),  # so that Keras cannot see the softmax and take the logits before it
        ],
        compile={
            "optimizer": _adam(float(g.choice([0.002, 0.005]))),
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        },
        fit={"epochs": int(g.integers(15, 40)), "batch_size": 32},
    )


def rare_class(g: np.random.Generator) -> Built:
    """One class in 20 to 80, seen coarsely."""
    from lossacc_helpers.course.lesson_07 import eights

    features, rare = eights(pixels=4, others=int(g.integers(20, 80)), seed=int(g.integers(1000)))
    labels, cut = rare.astype(int), int(0.7 * len(rare))
    return _plain(
        g,
        ("class-imbalance",),
        train=(features[:cut].astype("float32"), labels[:cut]),
        validation=(features[cut:].astype("float32"), labels[cut:]),
        layers=_dense(8, 1, activation="sigmoid"),
        classes=2,
        compile={"optimizer": _adam(0.001), "loss": "binary_crossentropy"},
    )


def much_dropout(g: np.random.Generator) -> Built:
    """Dropout that is off in validation."""
    share = float(g.uniform(0.5, 0.7))
    return _plain(
        g,
        ("train-mode-penalty",),
        layers=lambda layers: [
            layers.Dense(128, activation="relu"),
            layers.Dropout(share),
            layers.Dense(64, activation="relu"),
            layers.Dropout(share),
            layers.Dense(_DIGITS, activation="softmax"),
        ],
        fit={"epochs": int(g.integers(12, 30)), "batch_size": 32},
    )


def slow_averages(g: np.random.Generator) -> Built:
    """BatchNormalization whose averages lag behind, on few steps."""
    momentum = float(g.choice([0.99, 0.995]))
    train, validation, _ = _digits(g, 320, 350)

    def layers_of(layers: Any) -> list[Any]:
        found = []
        for _ in range(3):
            found += [layers.Dense(64), layers.BatchNormalization(momentum=momentum), layers.Activation("relu")]
        return [*found, layers.Dense(_DIGITS, activation="softmax")]

    return _plain(
        g,
        ("batch-norm-statistics", "dropout-batch-norm-shift"),
        train=(16 * train[0], train[1]),
        validation=(16 * validation[0], validation[1]),
        layers=layers_of,
        compile={"optimizer": _adam(float(g.choice([0.01, 0.02]))), "loss": "sparse_categorical_crossentropy"},
        fit={"epochs": int(g.integers(12, 30)), "batch_size": 32},
    )


def sorted_rows(g: np.random.Generator) -> Built:
    """The last rows of sorted data held out: classes that training never sees."""
    from sklearn.datasets import load_digits

    features, labels = load_digits(return_X_y=True)
    order = np.argsort(labels, kind="stable")[:: int(g.choice([2, 3]))]
    features, labels = (features[order] / 16).astype("float32"), labels[order]
    cut = int(g.uniform(0.75, 0.85) * len(labels))
    return _plain(
        g,
        ("unshuffled-validation-split",),
        train=(features[:cut], labels[:cut]),
        validation=(features[cut:], labels[cut:]),
    )


def other_scanner(g: np.random.Generator) -> Built:
    """Validation images with noise and another contrast."""
    made = _plain(g, ("distribution-shift",))
    features, labels = made.validation
    features = np.clip(0.6 * features + g.normal(scale=float(g.uniform(0.2, 0.35)), size=features.shape), 0, 1)
    return Built(**{**made.__dict__, "validation": (features.astype("float32"), labels)})


def few_validated(g: np.random.Generator) -> Built:
    """So few validation samples that accuracy moves by chance."""
    made = _plain(g, ("small-validation-set", "healthy"))
    few = int(g.integers(20, 60))
    return Built(**{**made.__dict__, "validation": (made.validation[0][:few], made.validation[1][:few])})


def too_fast(g: np.random.Generator) -> Built:
    """A rate at which training itself jumps."""
    import keras

    return _plain(
        g,
        ("optimizer-instability", "constant-predictor"),  # what never learns anything may be either
        layers=_dense(64, _DIGITS),
        compile={
            "optimizer": keras.optimizers.SGD(float(g.uniform(0.9, 1.6)), momentum=0.9),
            "loss": "sparse_categorical_crossentropy",
        },
        fit={"epochs": int(g.integers(15, 35)), "batch_size": 64},
    )


def smoothed(g: np.random.Generator) -> Built:
    """Labels smoothed, so that the loss has a floor."""
    import keras

    train, validation, _ = _digits(g, 700, 300)
    rows = [(x, np.eye(_DIGITS)[y]) for x, y in (train, validation)]
    return _plain(
        g,
        ("extra-loss-terms", "underconfidence"),
        train=rows[0],
        validation=rows[1],
        layers=_dense(128, _DIGITS),
        compile={
            "optimizer": _adam(0.005),
            "loss": keras.losses.CategoricalCrossentropy(label_smoothing=float(g.uniform(0.1, 0.3))),
        },
        fit={"epochs": int(g.integers(30, 50)), "batch_size": 32},
    )


def penalised(g: np.random.Generator) -> Built:
    """A penalty of the weights in the printed training loss."""
    import keras

    penalty = float(10.0 ** g.uniform(-2.3, -1.7))
    return _plain(
        g,
        ("extra-loss-terms", "underconfidence"),
        layers=lambda layers: [
            layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.L2(penalty)),
            layers.Dense(_DIGITS, activation="softmax"),
        ],
        compile={"optimizer": _adam(0.005), "loss": "sparse_categorical_crossentropy"},
        fit={"epochs": int(g.integers(40, 60)), "batch_size": 32},
    )


def slow_irises(g: np.random.Generator) -> Built:
    """Irises at a low rate: accuracy stands and jumps while the loss slides."""
    from lossacc_helpers import datasets

    drawn = datasets.iris("shuffled", seed=int(g.integers(1000)))
    return _plain(
        g,
        ("threshold-plateau", "healthy", "small-validation-set"),
        train=drawn.train,
        validation=drawn.validation,
        layers=_dense(8, 3),
        classes=3,
        compile={"optimizer": _adam(0.0005), "loss": "sparse_categorical_crossentropy"},
        fit={"epochs": int(g.integers(60, 120)), "batch_size": 8},
    )


SIMULATIONS: dict[str, Callable[[np.random.Generator], Built]] = {
    one.__name__: one
    for one in (
        healthy,
        healthy_cells,
        healthy_parity,
        too_long_on_few,
        wrong_labels,
        dead,
        saturated,
        broken,
        squared_error,
        regression,
        every_output_for_itself,
        softmax_twice,
        rare_class,
        much_dropout,
        slow_averages,
        sorted_rows,
        other_scanner,
        few_validated,
        too_fast,
        smoothed,
        penalised,
        slow_irises,
    )
}


def simulate(name: str, seed: int) -> dict[str, Any]:
    """Train one network and return what Keras reported, with the causes that count as right."""
    import keras

    generator = np.random.default_rng((seed, *name.encode()))
    keras.utils.set_random_seed(seed)
    built = SIMULATIONS[name](generator)
    width = built.train[0].shape[1]
    model = keras.Sequential([keras.Input((width,)), *built.layers(keras.layers)])
    model.compile(**({"metrics": ["accuracy"]} | built.compile))
    judged: list[float] = []
    watch = []
    if built.judge is not None:
        features, labels = built.judge

        def ask(epoch: int, logs: Any = None) -> None:
            judged.append(float(np.mean(model.predict(features, verbose=0).argmax(axis=1) == labels)))

        watch.append(keras.callbacks.LambdaCallback(on_epoch_end=ask))
    history = model.fit(*built.train, validation_data=built.validation, verbose=0, callbacks=watch, **built.fit).history
    accepted = built.accepted
    if accepted == ("judged",):
        least = int(np.argmin(history["val_loss"]))
        fell = np.median(judged[max(0, least - 1) : least + 2]) - np.median(judged[-3:])
        rose = history["val_loss"][-1] / min(history["val_loss"])
        accepted = ("overfitting",) if fell > 0.01 else ("overconfidence",)
        if rose < 1.1:  # between a twentieth and a tenth one may call it either
            accepted = ("healthy", *accepted) if rose > 1.05 else ("healthy",)
            if history["accuracy"][-1] - np.median(judged[-3:]) > 0.1:  # learned by heart, though it did no harm yet
                accepted = ("overfitting", *accepted)
    keep = {key: [float(f"{value:.5g}") for value in values] for key, values in history.items()}
    return {
        "name": name,
        "seed": seed,
        "accepted": list(accepted),
        "classes": built.classes,
        "validation_size": len(built.validation[0]),
        "held_out": seed % 3 == 2,
        "history": keep,
    }


def main() -> None:
    """Train what is not there yet; the first process then writes all that is."""
    share, of = (int(one) for one in (sys.argv[1:] or ("0", "1")))
    PARTS.mkdir(parents=True, exist_ok=True)
    wanted = [(name, seed) for seed in SEEDS for name in SIMULATIONS]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for k, (name, seed) in enumerate(wanted):
        path = PARTS / f"{name}-{seed}.json"
        if k % of == share and not path.exists():
            path.write_text(json.dumps(simulate(name, seed)), encoding="utf-8")
            print(path.stem, flush=True)
    paths = [PARTS / f"{name}-{seed}.json" for name, seed in wanted]
    paths = [path for path in paths if path.exists()]
    if share == 0:
        runs = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        RUNS.write_text("[\n" + ",\n".join(json.dumps(run) for run in runs) + "\n]\n", encoding="utf-8")
        print(f"{len(runs)} runs in {RUNS}")


if __name__ == "__main__":
    main()

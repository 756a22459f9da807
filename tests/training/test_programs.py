"""Which program trains a network, what programs share, and what they must not."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from ordinary import IRIS, VALIDATION, asked, largest_difference, network
from ordinary import TRAIN as TRAIN_WITH_REST

from lossacc_helpers.history import TrainingRun
from lossacc_helpers.training import fit_replicas, replicas
from lossacc_helpers.training.optimizers import ELEMENTWISE
from lossacc_helpers.training.program import Outputs, Shelf
from lossacc_helpers.training.single import SingleProgram
from lossacc_helpers.training.stacked import StackedProgram

layers, optimizers = keras.layers, keras.optimizers

# Four whole batches: a rest of a batch would take the compiler another second.
TRAIN = tuple(values[:32] for values in TRAIN_WITH_REST)

EXPORTED = {one for one in vars(optimizers).values() if isinstance(one, type) and issubclass(one, optimizers.Optimizer)}
REFUSED = {
    optimizers.Optimizer,
    optimizers.LossScaleOptimizer,
    optimizers.MultiOptimizer,
    optimizers.ScheduleFreeAdamW,
}


@pytest.fixture
def shelf(monkeypatch):
    """An empty shelf in place of the one that all callers share."""
    monkeypatch.setattr(replicas, "_PROGRAMS", Shelf(32))
    return replicas._PROGRAMS


@pytest.fixture
def compilations(shelf, monkeypatch):
    """Counts the programs made, without compiling or running any."""

    def skip(program, inputs):
        shape = (*inputs.orders.shape[:2], len(inputs.features), 3)
        return Outputs(np.full(shape, -np.log(3), dtype=np.float32), inputs.initial_weights)

    made = []
    for kind in (StackedProgram, SingleProgram):
        monkeypatch.setattr(kind, "run", skip)
    return made


def fit(build_model=asked, train=TRAIN, validation=VALIDATION, **changes):
    settings = {"replicas": 2, "epochs": 3, "batch_size": 8, "optimizer": optimizers.Adam(0.01)} | changes
    return fit_replicas(build_model, train, validation, **settings)


def the_only_program(shelf):
    (program,) = shelf._programs.values()
    return program


# Two programs, one training


def alike(run, other, within=1e-5):
    for part in ("train", "validation"):
        assert largest_difference(getattr(run, part), getattr(other, part)) <= within
    for ours, theirs in zip(run.final, other.final, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=10 * within)


def by_both_programs(monkeypatch, **changes):
    settings = {"build_model": network()} | changes
    stacked = fit(**settings)
    assert type(the_only_program(replicas._PROGRAMS)) is StackedProgram
    with monkeypatch.context() as patch:
        patch.setattr(replicas, "_PROGRAMS", Shelf(32))
        patch.setattr(replicas, "read_layers", lambda model: None)
        single = fit(**settings)
        assert type(the_only_program(replicas._PROGRAMS)) is SingleProgram
    return stacked, single


AT_ONCE = (optimizers.Adam, optimizers.SGD)  # `make test-slow` tries the others


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[pytest.mark.slow] * (kind not in AT_ONCE), id=kind.__name__)
        for kind in sorted(ELEMENTWISE, key=lambda kind: kind.__name__)
    ],
)
def test_an_elementwise_optimizer_trains_a_stack_as_it_trains_one(shelf, monkeypatch, kind):
    optimizer = kind(0.02, weight_decay=0.01)
    alike(*by_both_programs(monkeypatch, optimizer=optimizer))


@pytest.mark.parametrize(
    "clipping",
    [{"clipnorm": 0.05}, {"global_clipnorm": 0.05}, pytest.param({"clipvalue": 0.01}, marks=pytest.mark.slow)],
)
def test_clipping_treats_each_replica_of_a_stack_by_itself(shelf, monkeypatch, clipping):
    # Adam would hide a wrong norm: it divides by the size of the gradients.
    alike(*by_both_programs(monkeypatch, optimizer=optimizers.SGD(1.0, **clipping)))


def test_a_hidden_layer_a_single_logit_and_a_rest_are_trained_alike_by_both_programs(shelf, monkeypatch):
    train, validation = ((features, labels == 2) for features, labels in (TRAIN_WITH_REST, VALIDATION))
    build_model = network(lambda: layers.Dense(5, activation="tanh", use_bias=False), last=None, units=1)
    alike(*by_both_programs(monkeypatch, build_model=build_model, train=train, validation=validation))


def test_every_optimizer_that_keras_exports_is_sorted(compilations, shelf):
    for kind in EXPORTED - REFUSED:
        shelf._programs.clear()
        fit(optimizer=kind(0.01))
        assert type(the_only_program(shelf)) is (StackedProgram if kind in ELEMENTWISE else SingleProgram), kind


def test_a_subclass_of_an_optimizer_is_not_taken_for_elementwise(compilations, shelf, monkeypatch):
    made = []
    monkeypatch.setattr(
        replicas, "SingleProgram", lambda *args, **sizes: made.append(1) or SingleProgram(*args, **sizes)
    )
    fit(optimizer=type("Own", (optimizers.Adam,), {})(0.01))
    assert made == [1]


@pytest.mark.parametrize(
    "build_model",
    [asked, pytest.param(network(8, lambda: layers.Dropout(0.3)), marks=pytest.mark.slow)],
    ids=["stacked", "single"],
)
def test_replica_k_does_not_depend_on_how_many_there_are(shelf, build_model):
    few, many = fit(build_model, replicas=2), fit(build_model, replicas=5)
    for k in (0, 1):
        np.testing.assert_array_equal(few.order(k), many.order(k))
        for ours, theirs in zip(few.initial_weights(k), many.initial_weights(k), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert largest_difference(few.validation.replica(k), many.validation.replica(k)) <= 1e-6


# What compiles


def other_names():
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, "relu", name="first"), layers.Dense(3, "softmax", name="second")]
    )


def compiled():
    model = asked()
    model.compile("sgd", "mse")
    return model


HE = network(lambda: layers.Dense(8, activation="relu", kernel_initializer="he_normal"))


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": optimizers.Adam(0.5)},
        {"optimizer": optimizers.Adam(0.01, name="mine")},
        {"optimizer": "adam"},
        {"seed": 9},
        {"train": (TRAIN[0] + 1, (TRAIN[1] + 1) % 3)},
        {"validation": (VALIDATION[0] * 2, VALIDATION[1])},
        {"order": np.arange(96).reshape(3, 32) % 32},
        {"initial_weights": asked().get_weights()},
        {"loss": "sparse_categorical_crossentropy"},
        {"loss": keras.losses.CategoricalCrossentropy()},
        {"build_model": other_names},
        {"build_model": compiled},
        {"build_model": HE},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_inputs_of_a_program_compile_nothing(compilations, shelf, changes):
    fit()
    fit(**changes, before_compiling=lambda: pytest.fail("compiled"))
    assert len(shelf) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 9},
        {"epochs": 4},
        {"replicas": 3},
        {"train": (TRAIN[0][:31], TRAIN[1][:31])},
        {"validation": None},
        {"build_model": network(9)},
        {"build_model": network(8, 8)},
        {"build_model": network(lambda: layers.Dense(8, activation="tanh"))},
        {"build_model": network(lambda: layers.Dense(8, activation="relu", use_bias=False))},
        {"build_model": network(8, last=None)},
        {"build_model": network(lambda: layers.Dense(8, activation="relu", trainable=False))},
        {"build_model": network(8, lambda: layers.Dropout(0.1))},
        {"optimizer": optimizers.Adam(0.01, beta_1=0.8)},
        {"optimizer": optimizers.Adam(0.01, clipnorm=1.0)},
        {"optimizer": optimizers.SGD(0.01)},
        {"optimizer": optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, 10, 0.9))},
        {"loss": "mse"},
        {"loss": keras.losses.CategoricalCrossentropy(label_smoothing=0.1)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_shapes_a_program_compiles_a_new_one_once(compilations, shelf, changes):
    fit()
    told = []
    for _ in range(2):
        fit(**changes, before_compiling=lambda: told.append("a moment"))
    assert told == ["a moment"]
    assert len(shelf) == 2


def test_momentum_is_part_of_the_program(compilations, shelf):
    for momentum in (0.0, 0.5, 0.5):
        fit(optimizer=optimizers.SGD(0.1, momentum=momentum))
    assert len(shelf) == 2


def test_the_shelf_keeps_the_programs_used_last():
    shelf = Shelf(2)
    for key in ("a", "b", "a", "c"):
        shelf.get(key, lambda key=key: key)
    assert shelf.get("a", lambda: "made anew") == "a"
    assert shelf.get("b", lambda: "made anew") == "made anew"
    assert shelf.get(None, lambda: "never kept") == "never kept"
    assert len(shelf) == 2


@pytest.mark.parametrize(
    "hidden",
    [[8], [8, lambda: layers.Dropout(0.3), lambda: layers.BatchNormalization(momentum=0.5)]],
    ids=["stacked", "single"],
)
def test_a_program_that_ran_before_gives_what_a_new_one_gives(shelf, monkeypatch, hidden):
    build_model = network(*hidden)
    fit(build_model)
    other_data = IRIS.features[60:92], IRIS.labels[60:92]
    changes = {"train": other_data, "optimizer": optimizers.Adam(0.05), "seed": 3}
    used = fit(build_model, **changes)
    assert len(shelf) == 1
    monkeypatch.setattr(replicas, "_PROGRAMS", Shelf(32))
    new = fit(build_model, **changes)
    np.testing.assert_array_equal(used.validation.log_probabilities, new.validation.log_probabilities)


def relu(values):
    """The learner's own: a name that Keras knows, and other values."""
    return keras.ops.minimum(values, 0.0)


def scaled(factor):
    return lambda values: values * factor


SCALE = [1.0]


def scaled_by_a_global(values):
    return values * SCALE[0]


def normalised_by(factor):
    """A network whose Normalization was adapted: what it found it keeps as tensors, out of its configuration."""

    def build():
        normalization = layers.Normalization()
        normalization.adapt(factor * TRAIN[0])
        return network(lambda: normalization, 8)()

    return build


def switched(change, *hidden):
    """A network in which something is set past its layers' own switches, on a weight or on the model."""

    def build():
        model = network(*(hidden or (8,)))()
        change(model)
        return model

    return build


def frozen_kernel(model):
    model.layers[0].kernel.trainable = False


def decayed_kernel(model):
    model.layers[0].kernel.regularizer = keras.regularizers.L2(5.0)


def constrained_kernel(model):
    model.layers[0].kernel.constraint = keras.constraints.MaxNorm(0.1)


def frozen_scale(model):
    model.layers[1].gamma.trainable = False


def decayed_output(model):
    model.activity_regularizer = keras.regularizers.L2(5.0)


def multiplied_by(factor):
    def build():
        entry = keras.Input((4,))
        hidden = layers.Dense(8, activation="relu")(entry) * keras.Variable(factor)
        return keras.Model(entry, layers.Dense(3, activation="softmax")(hidden))

    return build


def called_otherwise():
    model = asked()
    first = model.layers[0]
    first.call = lambda inputs, **_: -keras.ops.matmul(inputs, first.kernel) - first.bias
    return model


NORMALISED = (8, layers.BatchNormalization)


def named_layer(activation):
    return network(lambda: layers.Dense(8, activation=activation, name=activation))


def with_activation(activation):
    return network(lambda: layers.Dense(8, activation=activation))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (with_activation("relu"), with_activation(relu)),
        (with_activation(scaled(1.0)), with_activation(scaled(-3.0))),
        pytest.param(named_layer("relu"), named_layer("tanh"), marks=pytest.mark.slow),
        pytest.param(
            network(lambda: layers.Dense(8), lambda: layers.LeakyReLU(negative_slope=0.9)),
            network(lambda: layers.Dense(8), lambda: layers.LeakyReLU(negative_slope=0.1)),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            network(8, lambda: layers.Lambda(scaled(1.0))),
            network(8, lambda: layers.Lambda(scaled(-3.0))),
            marks=pytest.mark.slow,
        ),
        (normalised_by(1.0), normalised_by(100.0)),
        (multiplied_by(1.0), multiplied_by(-3.0)),
        (asked, switched(frozen_kernel)),
        pytest.param(asked, switched(decayed_kernel), marks=pytest.mark.slow),
        (asked, switched(constrained_kernel)),
        pytest.param(asked, switched(decayed_output), marks=pytest.mark.slow),
        (asked, called_otherwise),
        pytest.param(network(*NORMALISED), switched(frozen_scale, *NORMALISED), marks=pytest.mark.slow),
        pytest.param(network(*NORMALISED), switched(decayed_kernel, *NORMALISED), marks=pytest.mark.slow),
        pytest.param(network(*NORMALISED), switched(constrained_kernel, *NORMALISED), marks=pytest.mark.slow),
        pytest.param(network(*NORMALISED), switched(decayed_output, *NORMALISED), marks=pytest.mark.slow),
    ],
    ids=[
        "own of the same name",
        "closures",
        "names of layers",
        "configuration",
        "lambda layers",
        "adapted normalisation",
        "variables of no layer",
        "frozen weight",
        "regularised weight",
        "constrained weight",
        "regularised output",
        "call of an instance",
        "frozen weight of a normalised network",
        "regularised weight of a normalised network",
        "constrained weight of a normalised network",
        "regularised output of a normalised network",
    ],
)
def test_networks_that_compute_different_things_share_no_program(shelf, one, other):
    settings = {"epochs": 1, "initial_weights": one().get_weights(), "optimizer": optimizers.SGD(0.3)}
    first, second = (fit(build_model, **settings) for build_model in (one, other))
    assert largest_difference(first.train, second.train) > 0.01


def test_a_function_that_reads_a_global_is_read_anew(shelf, monkeypatch):
    weights = asked().get_weights()
    first = fit(with_activation(scaled_by_a_global), epochs=1, initial_weights=weights)
    monkeypatch.setattr("test_programs.SCALE", [-3.0])
    second = fit(with_activation(scaled_by_a_global), epochs=1, initial_weights=weights)
    assert largest_difference(first.train, second.train) > 0.01


def test_losses_of_one_name_share_no_program(shelf):
    def penalty(sign):
        def loss(targets, predictions):
            return sign * keras.ops.sum(targets * predictions, axis=-1)

        return loss

    down, up = (fit(loss=penalty(sign), epochs=2, optimizer="sgd").train for sign in (1, -1))
    assert (down.true_probabilities[:, -1].mean(axis=-1) < up.true_probabilities[:, -1].mean(axis=-1)).all()


def test_threads_may_train_with_one_program(shelf):
    def final_weights(seed):
        run = fit(network(), replicas=3, epochs=100, optimizer=optimizers.Lamb(0.01), seed=seed)
        return np.concatenate([values.ravel() for values in run.final])

    alone = [final_weights(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(final_weights, range(8)))
    np.testing.assert_array_equal(alone, together)


# What belongs to the caller


@pytest.mark.parametrize(
    ("kind", "built"),
    [
        (optimizers.Adam, True),
        pytest.param(optimizers.Adam, False, marks=pytest.mark.slow),
        pytest.param(optimizers.Lamb, True, marks=pytest.mark.slow),
        (optimizers.Lamb, False),
    ],
    ids=["stacked-built", "stacked-new", "single-built", "single-new"],
)
def test_the_optimizer_is_never_changed(shelf, kind, built):
    optimizer = kind(0.01)
    if built:
        model = asked()
        optimizer.build(model.trainable_variables)
        optimizer.apply([np.ones(variable.shape) for variable in model.trainable_variables])

    def state():
        return optimizer.get_config(), optimizer.built, [np.asarray(variable) for variable in optimizer.variables]

    before = state()
    first = fit(optimizer=optimizer)
    np.testing.assert_equal(state(), before)
    # Nor does what it went through before count.
    np.testing.assert_array_equal(first.train.loss, fit(optimizer=kind(0.01)).train.loss)


@pytest.mark.parametrize("given", [(), ("initial_weights",), ("order",), ("initial_weights", "order")])
def test_a_run_says_what_was_given_and_what_was_drawn(compilations, shelf, given):
    at_hand = {"initial_weights": asked().get_weights(), "order": np.arange(96).reshape(3, 32) % 32}
    changes = {name: at_hand[name] for name in given}
    settings = fit(**changes, seed=5).settings
    assert {name: settings[name] for name in at_hand} == {
        name: "given" if name in given else "drawn" for name in at_hand
    }
    assert settings["seed"] == (None if len(given) == 2 else 5)
    assert fit(network(8, lambda: layers.Dropout(0.5)), **changes, seed=5).settings["seed"] == 5  # it draws the masks


def test_a_run_is_saved_and_loaded_with_all_it_holds(shelf, tmp_path):
    run = fit()
    loaded = TrainingRun.load(run.save(tmp_path / "run"))
    assert loaded.settings == run.settings
    assert loaded.provenance == run.provenance
    assert run.provenance["keras"] == keras.__version__
    assert run.provenance["tensorflow"] == tf.__version__
    assert loaded.settings["optimizer"]["class"] == "Adam"
    assert loaded.settings["optimizer"]["learning_rate"] == pytest.approx(0.01)
    for part in ("train", "validation"):
        ours, theirs = getattr(run, part), getattr(loaded, part)
        np.testing.assert_array_equal(ours.log_probabilities, theirs.log_probabilities)
        np.testing.assert_array_equal(ours.labels, theirs.labels)
    np.testing.assert_array_equal(loaded.order(1), run.order(1))
    for stacks in ("initial_weights", "final_weights"):
        for ours, theirs in zip(getattr(run, stacks)(1), getattr(loaded, stacks)(1), strict=True):
            np.testing.assert_array_equal(ours, theirs)

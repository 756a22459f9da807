"""What training cannot carry is refused in words that say what and where; nothing is silently wrong."""

import keras
import numpy as np
import pytest
from ordinary import TRAIN, VALIDATION, asked, network

from lossacc_helpers.training import RecordPredictions, fit_replicas
from lossacc_helpers.training.outputs import Output, read_output

layers, optimizers = keras.layers, keras.optimizers


def fit(build_model=asked, train=TRAIN, validation=VALIDATION, **changes):
    settings = {"replicas": 2, "epochs": 2, "batch_size": 8, "optimizer": "adam"} | changes
    return fit_replicas(build_model, train, validation, **settings)


def adam_without_decay_of_biases():
    optimizer = optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


class OfTheirOwn(keras.optimizers.SGD):
    """An optimizer that remembers where it started."""

    def build(self, variables):
        super().build(variables)
        self.starts = self.add_optimizer_variables(variables, "start")
        for start, variable in zip(self.starts, variables, strict=True):
            start.assign(variable)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (lambda: optimizers.Adam(use_ema=True), "cannot carry use_ema=True"),
        (lambda: optimizers.Adam(loss_scale_factor=8.0), "cannot carry loss_scale_factor=8"),
        (lambda: optimizers.Adam(gradient_accumulation_steps=4), "cannot carry gradient_accumulation_steps=4"),
        (lambda: optimizers.LossScaleOptimizer(optimizers.Adam()), "LossScaleOptimizer wraps other optimizers"),
        (lambda: optimizers.MultiOptimizer([]), "wraps other optimizers"),
        (adam_without_decay_of_biases, r"cannot carry exclude_from_weight_decay\(\)"),
        (lambda: optimizers.ScheduleFreeAdamW(), "ScheduleFreeAdamW: its .*momentum begins as a copy of the weights"),
        (lambda: OfTheirOwn(), "OfTheirOwn: its .*start begins as a copy of the weights"),
        (lambda: optimizers.Adam(lambda: 1e-3), "learning rate that is a function; give a number or a schedule"),
        (lambda: "adma", "optimizer 'adma' is not a name Keras knows"),
        (lambda: 0.01, "must be a Keras optimizer or its name; got float"),
        (lambda: optimizers.Adam, "must be a Keras optimizer or its name; got type"),
        (lambda: None, "must be a Keras optimizer or its name; got NoneType"),
    ],
)
def test_an_optimizer_that_cannot_be_carried_is_refused(optimizer, message):
    with pytest.raises(ValueError, match=message):
        fit(optimizer=optimizer())


def functional(outputs_of, inputs=(4,)):
    def build():
        entry = keras.Input(inputs)
        return keras.Model(entry, outputs_of(entry))

    return build


class Subclassed(keras.Model):
    """A network whose architecture only its call knows."""

    def __init__(self):
        super().__init__()
        self.last = layers.Dense(3, activation="softmax")

    def call(self, inputs):
        return self.last(inputs)


class OwnStep(keras.Sequential):
    """A network that trains in a way of its own."""

    def train_step(self, data):
        return {}


def own_softmax(logits):
    return keras.ops.softmax(logits)


def softmax():
    return layers.Dense(3, activation="softmax")


class Own(layers.Layer):
    """A layer of the learner's own, which ends in softmax though nobody can see it."""

    def call(self, inputs):
        return keras.ops.softmax(inputs)


class OwnDense(layers.Dense):
    """A dense layer that goes on after its activation."""

    def call(self, inputs):
        return keras.ops.softmax(super().call(inputs))


class OwnCall(keras.Sequential):
    """A network that does more than its layers."""

    def call(self, inputs, training=None, mask=None):
        return keras.ops.softmax(super().call(inputs, training=training, mask=mask))


def by_hand(entry):
    powers = keras.ops.exp(layers.Dense(3)(entry))
    return powers / keras.ops.sum(powers, axis=-1, keepdims=True)


def unchanged():
    return layers.Dense(3, use_bias=False, kernel_initializer="identity", trainable=False)


# What is not known is not taken for logits: it would go through softmax twice.
UNREADABLE = [
    (functional(by_hand), "what comes out of .*Divide may be probabilities, logits or neither; end the network in"),
    (functional(lambda entry: keras.ops.softmax(layers.Dense(3)(entry))), "what comes out of Softmax may be"),
    (functional(lambda entry: Own()(layers.Dense(3)(entry))), "what comes out of Own may be"),
    (functional(OwnDense(3)), "what comes out of OwnDense may be"),
    (lambda: keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Lambda(keras.ops.softmax)]), "out of Lambda"),
    (lambda: keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.ReLU()]), "what comes out of ReLU may be"),
    (lambda: keras.Sequential([keras.Input((4,)), softmax(), layers.Lambda(keras.ops.log)]), "out of Lambda may be"),
    (lambda: OwnCall([keras.Input((4,)), layers.Dense(3)]), "what comes out of OwnCall may be"),
    (
        lambda: keras.Sequential([keras.Input((4,)), OwnCall([keras.Input((4,)), layers.Dense(3)])]),
        "what comes out of OwnCall may be",
    ),
    (
        lambda: keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dropout(0.1)]),
        "the last activation is relu followed by Dropout",
    ),
    (
        lambda: keras.Sequential([keras.Input((4,)), softmax(), unchanged()]),
        "ends without an activation, yet gives probabilities",
    ),
]


@pytest.mark.parametrize(("build_model", "message"), UNREADABLE)
def test_an_output_that_cannot_be_read_is_refused_when_training_and_when_recording(build_model, message):
    with pytest.raises(ValueError, match=message):
        fit(build_model)
    model = build_model()
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    with pytest.raises(ValueError, match=message):
        model.fit(*TRAIN, verbose=0, callbacks=[RecordPredictions(TRAIN)])


def through_a_model(entry):
    inner = keras.Input((4,))
    return keras.Model(inner, layers.Dense(3)(inner))(entry)


@pytest.mark.parametrize(
    "outputs_of",
    [
        lambda entry: layers.Activation("linear")(layers.Dense(3)(entry)),
        lambda entry: layers.Dropout(0.1)(layers.Dense(3)(entry)),
        lambda entry: layers.Rescaling(0.5)(layers.BatchNormalization()(layers.Dense(3)(entry))),
        lambda entry: layers.Flatten()(layers.Reshape((3, 1))(layers.Dense(3)(entry))),
        lambda entry: layers.Add()([layers.Dense(3)(entry), layers.Dense(3)(entry)]),
        lambda entry: layers.GlobalAveragePooling1D()(layers.Conv1D(3, 2)(layers.Reshape((4, 1))(entry))),
        through_a_model,
    ],
)
def test_what_leaves_logits_logits_is_read_as_logits(outputs_of):
    assert read_output(functional(outputs_of)()) == Output("logits", 3)


@pytest.mark.parametrize(
    ("build_model", "message"),
    [
        (network(8, last="relu"), "the last activation is relu over 3 units; expected softmax"),
        (network(8, last="sigmoid", units=3), "the last activation is sigmoid over 3 units"),
        (network(8, last="softmax", units=1), "the last activation is softmax over 1 unit;"),
        (network(8, last=own_softmax), r"the last activation is own_softmax \(not Keras's own\)"),
        (
            lambda: keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Softmax(axis=0)]),
            "softmax over axis 0",
        ),
        (
            lambda: keras.Sequential([keras.Input((4,)), softmax(), layers.Rescaling(2.0)]),
            "the last activation is softmax followed by Rescaling",
        ),
        (functional(lambda entry: [softmax()(entry), softmax()(entry)]), "one input and one output; got 1 and 2"),
        (network(8, inputs=(5, 4)), r"output must have shape \(sample, unit\); got \(None, 5, 3\)"),
        (Subclassed, "begins with keras.Input"),
        (lambda: keras.Sequential([layers.Dense(3, activation="softmax")]), "begins with keras.Input"),
        (lambda: OwnStep([keras.Input((4,)), softmax()]), "a train_step or compute_loss of its own"),
        (network(lambda: layers.Dense(8, dtype="mixed_float16")), "computes in float16; fit_replicas carries float32"),
        (network(lambda: layers.Dense(8, dtype="float64")), "computes in float64; fit_replicas carries float32 only"),
        (
            lambda: keras.Sequential(
                [keras.Input(batch_shape=(8, 3, 4)), layers.LSTM(2, stateful=True), layers.Dense(3)]
            ),
            "is stateful: its state would leak",
        ),
        (lambda: keras.Sequential([keras.Input((4,)), layers.Activation("softmax")]), "has no trainable weights"),
        (network(layers.Masking), "a mask reaches the network's output"),
        (lambda: "a model", "build_model must return a Keras model; it returned str"),
        ("a model", "build_model must be a function"),
        (asked(), "build_model must be a function that builds and returns a new Keras model"),
    ],
)
def test_a_model_that_cannot_be_carried_is_refused(build_model, message):
    with pytest.raises(ValueError, match=message):
        fit(build_model)


def test_a_model_handed_out_twice_is_refused():
    model = network(lambda: layers.Dense(5, trainable=False))()
    with pytest.raises(ValueError, match="holds weights from outside"):
        fit(lambda: model)


def test_two_models_that_share_a_layer_are_refused():
    shared = layers.Dense(5)
    with pytest.raises(ValueError, match="holds weights from outside"):
        fit(network(lambda: shared, lambda: layers.Dropout(0.1)))


def test_a_trained_part_from_outside_is_refused_and_left_as_it_was():
    part = network(5)()
    before = part.get_weights()
    for wrap in (lambda model: model, compiled):
        with pytest.raises(ValueError, match="clone a trained part inside build_model"):
            fit(lambda wrap=wrap: wrap(network(lambda: part)()))
    for now, then in zip(part.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def compiled(model):
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_a_trained_part_cloned_inside_is_where_training_begins():
    part = network(5)()

    def build():
        inside = keras.models.clone_model(part)
        inside.set_weights(part.get_weights())
        return network(lambda: inside)()

    run = fit(build)
    for k in range(run.replicas):
        for ours, theirs in zip(run.initial_weights(k), part.get_weights(), strict=False):
            np.testing.assert_array_equal(ours, theirs)


def test_a_model_may_be_trained_in_replicas_while_another_is_built():
    def build():
        model = asked()
        model.set_weights(fit().final_weights(0))
        return model

    np.testing.assert_array_equal(fit(build).initial_weights(1)[0], fit().final_weights(0)[0])


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of a learner's own, which Keras cannot make again from text."""

    def __call__(self, step):
        return 0.1 * 0.5 ** (keras.ops.cast(step, "float32") / 10)

    def get_config(self):
        return {}


def test_a_schedule_of_the_learners_own_trains_as_the_same_one_of_kerass():
    stock = optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
    np.testing.assert_allclose(
        fit(optimizer=optimizers.SGD(Halving())).train.loss, fit(optimizer=stock).train.loss, rtol=1e-5
    )


class Powered(optimizers.SGD):
    def __init__(self, learning_rate=0.1, power=1.0, **rest):
        super().__init__(learning_rate, **rest)
        self.power = power


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (Powered(power=10.0), "Powered.get_config must hold 'power'"),
        (optimizers.SGD(float("nan")), "the learning rate must be a finite number; got nan"),
    ],
    ids=["hidden setting", "rate that is no number"],
)
def test_an_optimizer_that_a_clone_would_change_is_refused(optimizer, message):
    with pytest.raises(ValueError, match=message):
        fit(optimizer=optimizer)


def test_an_infinite_setting_is_kept_as_text():
    run = fit(optimizer=optimizers.SGD(0.1, clipvalue=float("inf")))
    assert run.settings["optimizer"]["clipvalue"] == "Infinity"


def test_an_error_in_build_model_is_the_callers_own():
    def build():
        raise KeyError("hidden units")

    with pytest.raises(KeyError, match="hidden units"):
        fit(build)


def weights_with(bias):
    """Initial weights of the asked network with this first bias."""
    return [np.zeros((4, 8)), bias, np.zeros((8, 3)), np.zeros(3)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replicas": 0}, "replicas must be a whole number, 1 or more; got 0"),
        ({"epochs": 2.5}, "epochs must be a whole number, 1 or more; got 2.5"),
        ({"epochs": 2.0}, "epochs must be a whole number, 1 or more; got 2.0"),
        ({"batch_size": True}, "batch_size must be a whole number, 1 or more; got True"),
        ({"seed": -1}, "seed must be a whole number, 0 or more; got -1"),
        ({"seed": "0"}, "seed must be a whole number, 0 or more; got '0'"),
        ({"loss": "crossentropy"}, "loss 'crossentropy' is not a name Keras knows"),
        ({"loss": 3}, "loss"),
        ({"initial_weights": [np.zeros((4, 8))]}, "initial_weights must hold 4 arrays, one per weight; got 1"),
        (
            {"initial_weights": [np.zeros((4, 9)), np.zeros(8), np.zeros((8, 3)), np.zeros(3)]},
            r"initial_weights for .*kernel must have shape \(4, 8\) or \(2, 4, 8\); got \(4, 9\)",
        ),
        ({"order": np.zeros((2, 32), int)}, r"order must .* shape \(2, 33\) or \(2, 2, 33\); got int64 of .*\(2, 32\)"),
        ({"order": np.zeros((2, 33))}, "order must hold whole numbers .* got float64"),
        ({"order": np.full((2, 33), 33)}, "order must name samples from 0 to 32; got 33 to 33"),
        ({"order": np.ma.masked_equal(np.zeros((2, 33), int), 0)}, "order must be an ordinary array; got a masked one"),
        ({"order": "shuffled"}, "order must be numbers; got text: 'shuffled'"),
        ({"initial_weights": 3}, r"initial_weights must be a list of arrays, as model.get_weights\(\) .*; got int"),
        ({"initial_weights": "zeros"}, "initial_weights must be a list of arrays, .*; got str"),
        ({"initial_weights": weights_with("zeros")}, "initial_weights for .*bias must be numbers; got text: 'zeros'"),
        (
            {"initial_weights": weights_with(np.r_[np.zeros(5), np.nan, 0, 0])},
            r"initial_weights for .*bias must be finite as float32; got nan at \(5,\)",
        ),
        (
            {"initial_weights": weights_with(np.full(8, -1e300))},
            r"initial_weights for .*bias must be finite as float32; got -1e\+300 at \(0,\)",
        ),
        (
            {"initial_weights": weights_with(np.ma.masked_equal(np.zeros(8), 0))},
            "initial_weights for .*bias must be an ordinary array; got a masked one",
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_with_its_value(changes, message):
    with pytest.raises(ValueError, match=message):
        fit(**changes)


def with_nan(features):
    spoilt = features.copy()
    spoilt[3, 1] = np.nan
    return spoilt


FEATURES, LABELS = TRAIN


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (FEATURES, "{} must be a pair .features, labels.; got ndarray"),
        ((FEATURES[:, :3], LABELS), r"{} features must have shape .sample, 4.; got .33, 3."),
        ((FEATURES[:0], LABELS[:0]), r"{} features must hold at least one sample; got an empty array of shape .0, 4."),
        ((FEATURES.astype(str), LABELS), "{} features must be numbers; got text"),
        ((np.ma.masked_less(FEATURES, 0), LABELS), "{} features must be an ordinary array; got a masked one"),
        ((FEATURES, np.ma.masked_equal(LABELS, 2)), "{} labels .* must be an ordinary array; got a masked one"),
        ((with_nan(FEATURES), LABELS), r"{} features must be finite as float32; got nan at \(3, 1\)"),
        ((FEATURES.astype(float) * 1e300, LABELS), r"{} features must be finite as float32; got .*e\+"),
        ((FEATURES, LABELS[:-1]), "{} has 33 samples but 32 labels"),
        ((FEATURES, LABELS + 1), "{} labels must be whole numbers from 0 to 2, .*; got 3 at sample"),
        ((FEATURES, LABELS - 1), "{} labels must be whole numbers from 0 to 2, .*; got -1 at sample"),
        ((FEATURES, LABELS + 0.5), "{} labels must be whole numbers from 0 to 2, .*; got .*.5 at sample 0"),
        ((FEATURES, LABELS.astype(str)), "{} labels .class ids or one-hot rows. must be numbers; got text"),
        ((FEATURES, ["setosa"] * 33), "{} labels .class ids or one-hot rows. must be numbers; got text: .'setosa'"),
        ((FEATURES, np.eye(4)[LABELS]), "{} labels of shape .33, 4. must be one-hot rows of 3 classes"),
        ((FEATURES, np.ones((33, 3))), "{} labels of shape .33, 3. must be one-hot rows of 3 classes"),
        ((FEATURES, np.full((33, 3), 1 / 3)), "{} labels of shape .33, 3. must be one-hot rows of 3 classes"),
        ((FEATURES, np.zeros((33, 3, 1))), r"{} labels must have shape .sample,. or .sample, class."),
    ],
)
@pytest.mark.parametrize("part", ["train", "validation"])
def test_data_that_do_not_fit_are_refused_with_place_and_value(part, data, message):
    with pytest.raises(ValueError, match=message.format(part)):
        fit(**{part: data})


def test_training_data_may_not_be_left_out():
    with pytest.raises(ValueError, match=r"train must be a pair \(features, labels\); got NoneType"):
        fit(train=None)


def test_labels_may_be_a_column_booleans_or_floats():
    wanted = fit(network(3, last="sigmoid", units=1), (FEATURES, LABELS == 2), None, seed=1).train
    assert wanted.classes == 2
    for labels in ((LABELS == 2).astype(float), (LABELS == 2)[:, None]):
        got = fit(network(3, last="sigmoid", units=1), (FEATURES, labels), None, seed=1).train
        np.testing.assert_array_equal(got.log_probabilities, wanted.log_probabilities)

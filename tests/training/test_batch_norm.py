"""Statistics of BatchNormalization, recomputed: against NumPy, against Keras's own averages, and nothing else moves."""

from itertools import count

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from lossacc_helpers import datasets
from lossacc_helpers.training import recompute_batch_norm_statistics
from lossacc_helpers.training._keras import layers_of
from lossacc_helpers.training.batch_norm import batch_norm_layers, batch_statistics

X = np.random.default_rng(0).normal(1, 2, (13, 3)).astype(np.float32)
Y = (X[:, 0] > 1).astype(np.int32)


def network(*middle, momentum=0.99, **options):
    """Two dense layers, each with BatchNormalization behind it; ``middle`` stands between the first two."""
    return keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
            *middle,
            layers.BatchNormalization(momentum=momentum, **options),
            layers.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(seed=2)),
            layers.BatchNormalization(momentum=momentum, **options),
        ]
    )


def by_hand(model, batches):
    """Means and variances of both layers of `network`, in float64: each batch is normalised with itself."""
    dense = [one.get_weights() for one in model.layers if isinstance(one, layers.Dense)]
    (kernel, bias), (kernel2, bias2) = [[part.astype(np.float64) for part in one] for one in dense]
    hidden = [np.maximum(batch @ kernel + bias, 0) for batch in batches]
    normal = [(one - one.mean(0)) / np.sqrt(one.var(0) + 1e-3) for one in hidden]
    reached = [np.concatenate(hidden), np.concatenate([one @ kernel2 + bias2 for one in normal])]
    return [part for one in reached for part in (one.mean(0), one.var(0))]


def statistics(model):
    return [part.numpy() for one in batch_norm_layers(model) for part in (one.moving_mean, one.moving_variance)]


def check(found, expected, **tolerance):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, **({"rtol": 1e-4, "atol": 1e-5} | tolerance))


def variables_of(model):
    """All there are: weights, statistics, seeds; and those of the optimizer."""
    optimizer = getattr(model, "optimizer", None)
    return [*model.variables, *(optimizer.variables if optimizer else ())]


def state(model):
    return [variable.numpy().copy() for variable in variables_of(model)]


class Batches(keras.utils.PyDataset):
    def __init__(self, *batches, endless=False):
        super().__init__()
        self.batches, self.endless = batches, endless

    @property
    def num_batches(self):
        return None if self.endless else len(self.batches)

    def __getitem__(self, index):
        return self.batches[index % len(self.batches)]


# --- what is computed ---


@pytest.mark.parametrize(("samples", "ends"), [(13, (5, 10)), (10, (5,)), (11, (5,)), (4, ()), (6, ())])
def test_statistics_are_the_mean_and_variance_of_all_that_reached_a_layer(samples, ends):
    model = network()  # of 11 and 6 a batch of one would be left, which joins the one before
    recompute_batch_norm_statistics(model, X[:samples], batch_size=5)
    check(statistics(model), by_hand(model, np.split(X[:samples].astype(np.float64), ends)))


def test_batches_of_different_length_count_by_their_numbers():
    model, batches = network(), [X[:2], X[2:10], X[10:]]
    recompute_batch_norm_statistics(model, batches)
    check(statistics(model), by_hand(model, batches))


def test_a_mean_far_from_zero_costs_no_digits():
    model = keras.Sequential([keras.Input((1,)), layers.BatchNormalization()])
    batches = [np.float32([[4096.0], [4097.0]]), np.float32([[4098.0], [4099.0]])]  # exact in float32
    recompute_batch_norm_statistics(model, batches)
    check(statistics(model), [[4097.5], [1.25]], rtol=1e-7, atol=0)


CROPS = datasets.photographs(size=(4, 5), train_samples=26, validation_samples=13).train[0]


@pytest.mark.parametrize(
    "cut",
    [
        lambda x: [x[:5], x[5:10], x[10:]],
        lambda x: [(x[:5], Y[:5]), (x[5:10], Y[5:10]), (x[10:], Y[10:], np.ones(3))],
        lambda x: [[x[:5], Y[:5]], [x[5:10], Y[5:10]], [x[10:], Y[10:]]],
        lambda x: (batch for batch in (x[:5], x[5:10], x[10:])),
        lambda x: tf.data.Dataset.from_tensor_slices(x).batch(5),
        lambda x: tf.data.Dataset.from_tensor_slices((x, Y)).batch(5),
        lambda x: Batches((x[:5], Y[:5]), (x[5:10], Y[5:10]), (x[10:], Y[10:])),
        lambda x: (x, Y),
        lambda x: (x, Y, np.ones(13)),
        lambda x: (x, np.eye(3)[Y % 3]),
        lambda x: (x, None),
        lambda x: tf.constant(x),
        lambda x: x.astype(np.float64),
    ],
    ids="list pairs lists generator dataset labelled pydataset tuple weighted one-hot unlabelled tensor double".split(),
)
def test_data_comes_in_every_form_that_fit_takes(cut):
    model = network()
    recompute_batch_norm_statistics(model, cut(X), batch_size=5)
    check(statistics(model), by_hand(model, [X[:5], X[5:10], X[10:]]))


@pytest.mark.parametrize("data", [CROPS, np.array(CROPS[:])], ids=["crops", "array"])
def test_pictures_give_the_statistics_of_each_channel(data):
    model = keras.Sequential([keras.Input((4, 5, 1)), layers.BatchNormalization()])
    recompute_batch_norm_statistics(model, data, batch_size=7)
    pixels = np.array(CROPS[:], dtype=np.float64)
    check(statistics(model), [[pixels.mean()], [pixels.var()]])


def test_bytes_are_numbers():
    model = keras.Sequential([keras.Input((3,)), layers.BatchNormalization()])
    data = np.uint8([[0, 1, 2], [255, 3, 2]])
    recompute_batch_norm_statistics(model, data)
    check(statistics(model), [[127.5, 2, 2], [127.5**2, 1, 0]])


def test_channels_may_come_first():
    model = keras.Sequential([keras.Input((2, 3, 4)), layers.BatchNormalization(axis=1)])
    data = np.random.default_rng(1).normal(size=(6, 2, 3, 4))
    recompute_batch_norm_statistics(model, data, batch_size=4)
    check(statistics(model), [data.mean((0, 2, 3)), data.var((0, 2, 3))])


# --- against Keras, and against the way PyTorch does it ---


def random_layers():
    return layers.Dropout(0.5), layers.GaussianNoise(1.0)


def test_with_dropout_it_is_what_keras_notes_of_the_batch():
    model = network(*random_layers())
    recompute_batch_norm_statistics(model, X, dropout=True)
    found = statistics(model)
    for layer in batch_norm_layers(model):
        layer.momentum = 0.0
    model(X, training=True)  # with the same random numbers, which recomputing has not used up
    check(found, statistics(model), rtol=1e-6)


def test_without_dropout_it_is_what_the_network_without_random_layers_gives():
    model, plain = network(*random_layers()), network()
    plain.set_weights(model.get_weights())
    recompute_batch_norm_statistics(model, X)
    recompute_batch_norm_statistics(plain, X)
    check(statistics(model), statistics(plain), rtol=1e-6)


def update_bn(model, batches):
    """A cumulative average of what Keras notes, as ``torch.optim.swa_utils.update_bn`` makes it."""
    for number, batch in enumerate(batches):
        for layer in batch_norm_layers(model):
            layer.momentum = number / (number + 1)
        model(batch, training=True)


@pytest.mark.parametrize("batches", [[X], [X[:4], X[4:8], X[8:12]]], ids=["one", "three"])
def test_a_cumulative_average_lacks_only_the_variance_of_the_means(batches):
    model, other = network(), network()
    recompute_batch_norm_statistics(model, batches)
    update_bn(other, batches)
    mean, variance, mean2, variance2 = statistics(other)
    kernel, bias = model.layers[0].get_weights()
    means = [np.maximum(batch @ kernel + bias, 0).mean(0) for batch in batches]
    # The second layer gets what is normalised, so that its means are those of the bias in every batch.
    check(statistics(model), [mean, variance + np.var(means, axis=0), mean2, variance2])


# --- every kind of model ---


def test_layers_within_layers_are_found():
    flat = network()
    inner = keras.Sequential(flat.layers[1:3])
    entry = keras.Input((4,))
    middle = keras.Model(entry, inner(entry))
    start = keras.Input((3,))
    model = keras.Model(start, flat.layers[3](middle(flat.layers[0](start))))
    recompute_batch_norm_statistics(model, X, batch_size=5)
    check(statistics(model), by_hand(flat, [X[:5], X[5:10], X[10:]]))


def test_a_layer_that_is_called_twice_gets_both():
    shared, one, two = layers.BatchNormalization(), keras.Input((3,)), keras.Input((3,))
    model = keras.Model([one, two], [shared(one), shared(two)])
    recompute_batch_norm_statistics(model, [((X[:5], 2 * X[:5]),), ((X[5:], 2 * X[5:]),)])
    assert len(batch_norm_layers(model)) == 1
    both = np.concatenate([X, 2 * X])
    check(statistics(model), [both.mean(0), both.var(0)])


@pytest.mark.parametrize("named", [False, True], ids=["tuple", "dict"])
def test_several_inputs_come_in_batches(named):
    one, two = keras.Input((3,), name="one"), keras.Input((1,), name="two")
    joined = layers.Concatenate()([one, two])
    model = keras.Model({"two": two, "one": one} if named else [one, two], layers.BatchNormalization()(joined))
    other = X[:, :1] ** 2
    features = {"one": X, "two": other} if named else (X, other)
    recompute_batch_norm_statistics(model, tf.data.Dataset.from_tensor_slices((features, Y)).batch(5))
    both = np.hstack([X, other])
    check(statistics(model), [both.mean(0), both.var(0)])


@pytest.mark.parametrize("axis", [-1, 1])
def test_what_is_masked_does_not_count(axis):
    table = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)
    words = np.array([[1, 2, 0], [3, 0, 0], [4, 4, 2], [1, 3, 2], [2, 2, 0], [1, 1, 1]])
    model = keras.Sequential(
        [keras.Input((3,)), layers.Embedding(5, 4, mask_zero=True), layers.BatchNormalization(axis=axis)]
    )
    model.layers[0].set_weights([table])
    recompute_batch_norm_statistics(model, words, batch_size=4)
    if axis == -1:
        channels = [table[words[words > 0]][:, k] for k in range(4)]
    else:
        channels = [table[column[column > 0]].ravel() for column in words.T]
    check(statistics(model), [[one.mean() for one in channels], [one.var() for one in channels]])


def test_behind_a_recurrent_layer_that_masks():
    model = keras.Sequential(
        [
            keras.Input((3, 2)),
            layers.Masking(),
            layers.LSTM(4, return_sequences=True, dropout=0.3, recurrent_dropout=0.2),
            layers.BatchNormalization(),
        ]
    )
    data = np.random.default_rng(3).normal(size=(6, 3, 2)).astype(np.float32)
    data[:, 2] = 0
    before = state(model)
    recompute_batch_norm_statistics(model, data)
    changed = [not np.array_equal(one, other) for one, other in zip(before, state(model), strict=True)]
    assert (sum(changed), len(changed)) == (2, 8)  # among the others a seed, from which the LSTM draws at any time
    hidden = keras.Model(model.inputs[0], model.layers[1].output)(data).numpy()[:, :2].reshape(-1, 4)
    check(statistics(model), [hidden.mean(0), hidden.var(0)])


def test_one_layer_for_every_step_in_time():
    model = keras.Sequential([keras.Input((4, 3)), layers.TimeDistributed(layers.BatchNormalization())])
    data = np.random.default_rng(3).normal(size=(6, 4, 3))
    recompute_batch_norm_statistics(model, data, batch_size=3)
    check(statistics(model), [data.mean((0, 1)), data.var((0, 1))])


class Own(keras.Model):
    """A base whose statistics stay as they are, as for fine-tuning, and a head."""

    def __init__(self):
        super().__init__()
        self.base, self.head = network(), layers.BatchNormalization()
        self.head.build((None, 2))  # in a trace Keras would take the initial values for constants

    def call(self, inputs, training=None):
        return self.head(self.base(inputs, training=False), training=training)


class Traced(Own):
    @tf.function
    def call(self, inputs, training=None):
        return super().call(inputs, training=training)


@pytest.mark.parametrize("kind", [Own, Traced])
@pytest.mark.parametrize("dropout", [False, True])
def test_a_layer_called_for_inference_even_in_training_keeps_its_statistics(kind, dropout):
    model = kind()
    base = model(X[:2])
    before, reached = state(model.base), model.base(X).numpy()
    recompute_batch_norm_statistics(model, X, dropout=dropout, batch_size=5)
    check(state(model.base), before, rtol=0, atol=0)
    check(statistics(model)[-2:], [reached.mean(0), reached.var(0)])
    # The call has left no trace of its own behind.
    expected = (reached - reached.mean(0)) / np.sqrt(reached.var(0) + 1e-3)
    check([model(X, training=False).numpy()], [expected], rtol=1e-3)
    assert not np.allclose(base, model(X[:2]))
    assert not tf.config.functions_run_eagerly()


class Renamed(layers.BatchNormalization):
    def call(self, inputs, training=None):  # of an older Keras: no mask
        return super().call(inputs, training=training)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.BatchNormalization(synchronized=True),
        lambda: layers.BatchNormalization(center=False, scale=False),
        lambda: layers.BatchNormalization(momentum=0.0),
        lambda: layers.BatchNormalization(dtype="float64"),
        lambda: Renamed(),
    ],
    ids="synchronized plain forgetful double subclass".split(),
)
def test_every_kind_of_batch_normalization(layer):
    model = keras.Sequential([keras.Input((3,)), layer()])
    recompute_batch_norm_statistics(model, X, batch_size=5)
    check(statistics(model), [X.mean(0), X.var(0)])


def test_mixed_precision_keeps_statistics_in_float32():
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        model = network()
    finally:
        keras.mixed_precision.set_dtype_policy(policy)
    recompute_batch_norm_statistics(model, X, batch_size=5)
    check(statistics(model), by_hand(model, [X[:5], X[5:10], X[10:]]), rtol=1e-2, atol=1e-2)
    assert {one.dtype.name for one in statistics(model)} == {"float32"}


def test_batch_renormalization_goes_on_from_the_new_statistics():
    model = network(renorm=True)
    recompute_batch_norm_statistics(model, X, batch_size=5)
    found = statistics(model)
    check(found, by_hand(model, [X[:5], X[5:10], X[10:]]))
    assert all(one.renorm for one in batch_norm_layers(model))
    for layer in batch_norm_layers(model):
        layer.momentum = 1.0  # a step that adds nothing
    model(X, training=True)
    check(statistics(model), found)


def test_a_frozen_layer_keeps_its_statistics_and_normalises_with_them():
    model = network()
    first = model.layers[1]
    first.moving_mean.assign([1, 2, 3, 4])
    first.trainable = False
    recompute_batch_norm_statistics(model, X, batch_size=5)
    np.testing.assert_array_equal(first.moving_mean.numpy(), [1, 2, 3, 4])
    reached = keras.Model(model.inputs[0], model.layers[2].output)(X).numpy()
    check(statistics(model), [reached.mean(0), reached.var(0)])


def test_statistics_that_are_broken_are_mended():
    model = network()
    model.layers[1].moving_mean.assign([np.nan, np.inf, -np.inf, 0])
    model.layers[1].moving_variance.assign([np.nan] * 4)
    recompute_batch_norm_statistics(model, X, batch_size=5)
    check(statistics(model), by_hand(model, [X[:5], X[5:10], X[10:]]))


# --- what stays as it was ---


def compiled(*, eagerly=False, **options):
    keras.utils.set_random_seed(0)
    model = network(*random_layers(), **options)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=["accuracy"], jit_compile=False, run_eagerly=eagerly)
    return model


@pytest.mark.parametrize("dropout", [False, True])
def test_only_means_and_variances_change(dropout):
    model = compiled(eagerly=True)
    model.fit(X, Y, epochs=1, batch_size=5, verbose=0)
    moving = {id(part) for one in batch_norm_layers(model) for part in (one.moving_mean, one.moving_variance)}
    names = [id(variable) in moving for variable in variables_of(model)]
    before = state(model)
    recompute_batch_norm_statistics(model, X, dropout=dropout)
    assert [not np.array_equal(one, other) for one, other in zip(before, state(model), strict=True)] == names
    assert sum(names) == 4


class Recompute(keras.callbacks.Callback):
    """Recomputes after every epoch, and notes what Keras's own compiled functions then make of it."""

    def __init__(self):
        super().__init__()
        self.found = []

    def on_epoch_end(self, epoch, logs=None):
        before = self.model.get_weights()
        old = self.model.predict(X, verbose=0)
        recompute_batch_norm_statistics(self.model, X, batch_size=5)
        new = self.model.predict(X, verbose=0)
        self.found.append((old, new, self.model(X, training=False).numpy()))
        self.model.set_weights(before)


def test_inside_a_fit_keras_uses_the_new_statistics_and_the_training_is_the_same():
    watched, alone, callback = compiled(), compiled(), Recompute()
    watched.fit(X, Y, epochs=3, batch_size=5, verbose=0, callbacks=[callback])
    alone.fit(X, Y, epochs=3, batch_size=5, verbose=0)
    check(state(watched), state(alone), rtol=0, atol=0)
    for old, new, expected in callback.found:
        np.testing.assert_allclose(new, expected, rtol=1e-4, atol=1e-5)
        assert np.abs(new - old).max() > 0.1


def test_moving_averages_never_enter_training():
    trained = []
    for momentum in (0.99, 0.9, 0.0):
        model = compiled(momentum=momentum, eagerly=True)
        model.fit(X, Y, epochs=3, batch_size=5, verbose=0)
        trained.append(model)
    for other in trained[1:]:
        for one, weight in zip(trained[0].trainable_variables, other.trainable_variables, strict=True):
            np.testing.assert_array_equal(one.numpy(), weight.numpy())
        assert not np.allclose(statistics(trained[0])[0], statistics(other)[0])


def test_the_model_can_be_saved_afterwards(tmp_path):
    model = network()
    recompute_batch_norm_statistics(model, X)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(X).numpy(), model(X).numpy())
    assert again.layers[1].momentum == 0.99


def broken_off():
    yield X[:5]
    raise OSError("the disk is gone")


def plain():
    return keras.Sequential([keras.Input((3,)), layers.Dense(2)])


def frozen():
    model = network()
    model.trainable = False
    return model


def never_moved():
    entry, inner = keras.Input((3,)), Own()
    inner.head = layers.Identity()
    return keras.Model(entry, inner(entry))


def two_inputs():
    one, two = keras.Input((3,)), keras.Input((3,))
    return keras.Model([one, two], layers.BatchNormalization()(one + two))


NAN = np.where(np.arange(39).reshape(13, 3) == 20, np.nan, X)
ENDLESS = tf.data.Dataset.from_tensor_slices(X).batch(5).repeat()


@pytest.mark.parametrize(
    ("build", "data", "options", "message"),
    [
        (plain, X, {}, "the model has no BatchNormalization"),
        (frozen, X, {}, r"every BatchNormalization of the model is frozen \(trainable = False\)"),
        (never_moved, X, {}, "calls no BatchNormalization in training mode"),
        (lambda: keras.Sequential([layers.BatchNormalization()]), X, {}, "not built yet"),
        (lambda: "resnet", X, {}, "must be a Keras model; got str"),
        (network, X[:0], {}, r"data must hold at least one sample; got an empty array of shape \(0, 3\)"),
        (network, [], {}, "data is empty"),
        (network, (), {}, "data must hold at least one sample"),
        (network, X[:, :2], {}, r"data must have shape \(sample, 3\); got \(13, 2\)"),
        (network, X[0], {}, r"data must have shape \(sample, 3\); got \(3,\)"),
        (network, [X, X[:, :2]], {}, r"batch 1 of data must have shape \(sample, 3\); got \(13, 2\)"),
        (network, tf.data.Dataset.from_tensor_slices(X), {}, r"batch 0 of data must have .*; got \(3,\)"),
        (network, np.array(["a", "b"]), {}, "data must be numbers; got text"),
        (network, {"input": X}, {}, "data must be an array of features, Crops, or batches of them; got dict"),
        (network, 3, {}, "data must be an array of features, Crops, or batches of them; got int"),
        (network, NAN, {"batch_size": 5}, "batch 1 at batch_normalization.* is not finite"),
        (network, [X, X * np.float32(1e30)], {}, "batch 1 at batch_normalization.* is not finite"),
        (network, X[:1], {}, "batch 0 at batch_normalization.* has 1 number a channel, and no variance"),
        (network, [X, X[:1]], {}, "batch 1 at .* give larger batches, or leave the last one out"),
        (network, X, {"batch_size": 0}, "batch_size must be a whole number, 1 or more; got 0"),
        (network, ENDLESS, {}, r"data never ends; .*data.take\(100\)"),
        (network, Batches(X, endless=True), {}, "data never ends"),
        (two_inputs, X, {}, "the model has 2 inputs: give batches"),
        (network, X, {"dropout": "off"}, "dropout must be True or False, .*; got 'off'"),
        (network, X, {"dropout": 0.25}, "dropout must be True or False, .*; got 0.25"),
        (network, (X[:6], X[6:12]), {}, r"a tuple must be features and their labels.* Give batches in a list"),
        (network, (X, Y[:3]), {}, r"a tuple must be features and their labels.* of shape \(3,\) beside 13 samples"),
        (network, (X, 1), {}, "a tuple must be features and their labels"),
        (network, X.tolist(), {}, "batch 0 of data must hold arrays; got float"),
        (network, "x_train", {}, "data must be an array of features, Crops, or batches of them; got str"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_the_model_as_it_was(build, data, options, message):
    check_refusal(build(), data, options, ValueError, message)


def test_data_that_break_off_leave_the_model_as_it_was():
    check_refusal(network(*random_layers()), broken_off(), {"dropout": True}, OSError, "the disk is gone")


def check_refusal(model, data, options, error, message):
    before = state(model) if getattr(model, "built", False) else None
    with pytest.raises(error, match=message):
        recompute_batch_norm_statistics(model, data, **options)
    if before is not None:
        check(state(model), before, rtol=0, atol=0)
        assert not any("call" in vars(layer) for layer in layers_of(model))
        assert {getattr(one, "momentum", 0.99) for one in layers_of(model)} == {0.99}
    assert not tf.config.functions_run_eagerly()


# --- batch_statistics, for those who make averages of their own ---


def test_batch_statistics_normalise_with_the_batch_whatever_the_mode():
    model = network(*random_layers())
    moved = batch_norm_layers(model)
    before = state(model)
    with batch_statistics(moved) as seen:
        found = model(X, training=False).numpy()
    expected = by_hand(model, [X])
    check([part for _, *parts, _ in seen for part in parts], expected)
    assert [int(number) for *_, number in seen] == [13, 13]
    check(state(model), before, rtol=0, atol=0)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(found.var(0), expected[3] / (expected[3] + 1e-3), rtol=1e-4)


def test_batch_statistics_can_be_traced():
    model = network(*random_layers())

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def look(batch):
        with batch_statistics(batch_norm_layers(model)) as seen:
            model(batch, training=False)
        return [parts for _, *parts in seen]

    before = state(model)
    for rows in (slice(0, 5), slice(5, 13)):
        traced = look(X[rows])
        check([part for one in traced for part in one[:2]], by_hand(model, [X[rows]]))
        assert [int(one[2]) for one in traced] == [rows.stop - rows.start] * 2
    check(state(model), before, rtol=0, atol=0)


def test_a_call_that_somebody_else_changed_stays_changed():
    model, calls = network(), count()
    layer = model.layers[1]
    own = layer.call

    def counting(*args, **kwargs):
        next(calls)
        return own(*args, **kwargs)

    layer.call = counting
    recompute_batch_norm_statistics(model, X)
    assert layer.call is counting
    assert next(calls) > 0

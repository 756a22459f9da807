"""Initial weights, batch orders and the seeds of random layers: drawn as Keras draws them, one replica at a time."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from ordinary import TRAIN, asked, largest_difference, network

from lossacc_helpers.training import fit_replicas, initial, seeds

layers, initializers = keras.layers, keras.initializers

EXPORTED = {
    one
    for one in vars(initializers).values()
    if isinstance(one, type) and issubclass(one, initializers.Initializer) and one is not initializers.Initializer
}
RANDOM = {
    "glorot_uniform": initializers.GlorotUniform,
    "glorot_normal": initializers.GlorotNormal,
    "he_uniform": initializers.HeUniform,
    "he_normal": initializers.HeNormal,
    "lecun_uniform": initializers.LecunUniform,
    "lecun_normal": initializers.LecunNormal,
    "uniform": lambda **seed: initializers.RandomUniform(-0.1, 0.3, **seed),
    "normal": lambda **seed: initializers.RandomNormal(0.2, 0.4, **seed),
    "truncated": lambda **seed: initializers.TruncatedNormal(0.2, 0.4, **seed),
    "scaled": lambda **seed: initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal", **seed),
}
UNBOUNDED = ("normal", "scaled")


def drawn(build_model, count, seed=0):
    """Initial weights of `count` replicas, and how often `build_model` was called for them."""
    calls = []

    def counting():
        calls.append(1)
        return build_model()

    model, as_drawn = initial.build(counting)
    generators = seeds.generators(seed, count, seeds.WEIGHTS)
    return initial.draw_initial_weights(model, counting, generators, as_drawn=as_drawn), len(calls)


def kolmogorov_distance(one, other):
    """The largest difference between two empirical distribution functions."""
    one, other = np.sort(one, axis=None), np.sort(other, axis=None)
    places = np.concatenate([one, other])
    shares = [np.searchsorted(values, places, side="right") / values.size for values in (one, other)]
    return np.abs(shares[0] - shares[1]).max()


@pytest.mark.parametrize("kind", ["dense", "convolution", "bias"])
@pytest.mark.parametrize("name", RANDOM)
def test_known_initialisers_have_the_distribution_of_keras(name, kind):
    make, count = RANDOM[name], 60
    if kind == "convolution":
        build = network(lambda: layers.Conv2D(8, 3, kernel_initializer=make()), layers.Flatten, inputs=(5, 5, 4))
    elif kind == "dense":
        build = network(lambda: layers.Dense(24, kernel_initializer=make()), inputs=(12,))
    else:
        build = network(lambda: layers.Dense(288, bias_initializer=make()), inputs=(2,))
    (weights, calls), place = drawn(build, count), int(kind == "bias")
    assert calls == 1
    ours = weights[place]
    shape = ours.shape[1:]
    theirs = np.stack([make(seed=seed)(shape) for seed in range(count)])
    assert theirs.shape == ours.shape == (count, *shape)
    assert len(np.unique(ours.reshape(count, -1), axis=0)) == count
    # Exceeded by one pair in a thousand of samples of this size, and by none of these fixed seeds.
    assert kolmogorov_distance(ours, theirs) < 1.95 * np.sqrt(2 / ours.size)
    spread = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 5 * spread * np.sqrt(2 / ours.size)
    assert ours.std() == pytest.approx(spread, rel=0.02)
    if name not in UNBOUNDED:
        edges = theirs.min(), theirs.max()
        np.testing.assert_allclose((ours.min(), ours.max()), edges, atol=0.02 * spread)


@pytest.mark.parametrize(
    "initializer",
    ["zeros", "ones", initializers.Constant(0.3), initializers.HeNormal(seed=5), initializers.RandomUniform(seed=1)],
    ids=["zeros", "ones", "constant", "he_normal", "uniform"],
)
def test_what_is_fixed_by_hand_is_the_same_in_every_replica(initializer):
    build = network(lambda: layers.Dense(7, kernel_initializer=initializer))
    weights, calls = drawn(build, 3)
    assert calls == 1
    for values in weights[0]:
        np.testing.assert_array_equal(values, build().get_weights()[0])


def test_a_kind_of_initialiser_we_cannot_draw_is_drawn_by_keras():
    build = network(lambda: layers.Dense(4, kernel_initializer="orthogonal"))
    weights, calls = drawn(build, 3)
    assert calls == 4
    for kernel in weights[0]:
        np.testing.assert_allclose(kernel @ kernel.T, np.eye(4), atol=1e-5)
    assert np.abs(weights[0][0] - weights[0][1]).max() > 0.1


def test_a_kind_of_initialiser_we_cannot_draw_repeats_with_its_seed_whatever_the_global_one():
    build = network(lambda: layers.Dense(4, kernel_initializer="orthogonal"))
    first, other = (drawn(build, 2, seed=seed)[0][0] for seed in (1, 2))
    keras.utils.set_random_seed(5)
    np.testing.assert_array_equal(drawn(build, 2, seed=1)[0][0], first)
    assert np.abs(first - other).max() > 0.1


def test_only_known_initialisers_are_drawn_in_numpy():
    layer, known = layers.Dense(4), set()
    layer.build((None, 4))
    for kind in EXPORTED - {initializers.STFT}:
        layer.kernel_initializer = kind()
        if initial._draw_of(layer, layer.kernel) is not None:
            known.add(kind)
    assert EXPORTED - known == {initializers.Orthogonal, initializers.Identity, initializers.STFT}


def test_an_initialiser_of_the_learners_own_is_called():
    class Halves(initializers.GlorotUniform):
        def __call__(self, shape, dtype=None):
            return keras.ops.ones(shape) / 2

    weights, _ = drawn(network(lambda: layers.Dense(4, kernel_initializer=Halves())), 2)
    np.testing.assert_array_equal(weights[0], np.full((2, 4, 4), 0.5))


def with_weights_set():
    model = asked()
    model.set_weights([np.full(weight.shape, 0.25) for weight in model.get_weights()])
    return model


def with_one_weight_assigned():
    model = asked()
    model.layers[0].kernel.assign(model.layers[0].kernel * 0 + 0.25)
    return model


def compiled(build_model):
    def build():
        model = build_model()
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    return build


@pytest.mark.parametrize("wrap", [lambda build_model: build_model, compiled], ids=["bare", "compiled"])
def test_weights_set_by_hand_are_honoured(wrap):
    for values in drawn(wrap(with_weights_set), 3)[0]:
        np.testing.assert_array_equal(values, np.full(values.shape, 0.25))
    weights, _ = drawn(wrap(with_one_weight_assigned), 3)
    np.testing.assert_array_equal(weights[0], np.full((3, 4, 8), 0.25))
    assert len(np.unique(weights[2].reshape(3, -1), axis=0)) == 3  # the other layer's are each replica's own


def test_a_compiled_model_is_drawn_as_quickly_as_another():
    weights, calls = drawn(compiled(asked), 32)
    assert calls == 3  # one that cannot be built in the scope, the model, and one to see that they share nothing
    for ours, theirs in zip(weights, drawn(asked, 32)[0], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_every_replica_has_weights_of_its_own_and_the_same_again_with_the_same_seed():
    weights, again, other = (drawn(asked, 4, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(weights[0], again[0])
    assert len(np.unique(np.concatenate([weights[0], other[0]]).reshape(8, -1), axis=0)) == 8


def test_more_weights_do_not_shift_the_orders():
    orders = [
        fit_replicas(network(units), TRAIN, replicas=1, epochs=2, batch_size=33, optimizer="sgd").order(0)
        for units in (2, 3)
    ]
    np.testing.assert_array_equal(*orders)


@pytest.mark.parametrize("kernel", ["he_normal", "orthogonal"])
def test_the_global_random_states_are_the_callers(kernel):
    build = network(lambda: layers.Dense(4, kernel_initializer=kernel), lambda: layers.Dropout(0.2))

    def drawn_afterwards(between):
        keras.utils.set_random_seed(1)
        tf.random.normal((2,)), keras.random.normal((2,))  # the generators have been used before
        states = random.getstate(), np.random.get_state()  # noqa: NPY002
        between()
        assert random.getstate() == states[0]
        np.testing.assert_equal(np.random.get_state(), states[1])  # noqa: NPY002
        return np.concatenate([tf.random.normal((3,)), keras.random.normal((3,))])

    def training():
        fit_replicas(build, TRAIN, replicas=2, epochs=1, batch_size=33, optimizer="sgd")

    np.testing.assert_array_equal(drawn_afterwards(training), drawn_afterwards(lambda: None))


# Orders


@pytest.mark.parametrize("samples", [1, 2, 33, 64, 65])
def test_an_order_names_every_sample_once_an_epoch(samples):
    orders = seeds.draw_orders(3, 4, 5, samples)
    assert orders.dtype == np.int32
    np.testing.assert_array_equal(np.sort(orders, axis=-1), np.broadcast_to(np.arange(samples), (4, 5, samples)))


def test_orders_are_uniform():
    orders = seeds.draw_orders(0, 20, 500, 7)
    counts = np.array([np.bincount(orders[:, :, place].ravel(), minlength=7) for place in range(7)])
    expected = 10_000 / 7
    # 36 degrees of freedom: 67.99 is exceeded by one in a thousand.
    assert ((counts - expected) ** 2 / expected).sum() < 67.99
    # The first two of an epoch: 42 pairs, 41 degrees of freedom. And one epoch does not tell the next.
    pairs = np.bincount((orders[:, :, 0] * 7 + orders[:, :, 1]).ravel(), minlength=49)
    pairs = np.delete(pairs, np.arange(7) * 8)
    assert ((pairs - 10_000 / 42) ** 2 / (10_000 / 42)).sum() < 74.75
    repeated = (orders[:, 1:, 0] == orders[:, :-1, 0]).mean()
    assert repeated == pytest.approx(1 / 7, abs=0.015)


def test_orders_differ_by_replica_epoch_and_seed_and_come_again():
    orders = seeds.draw_orders(5, 3, 4, 40)
    np.testing.assert_array_equal(orders, seeds.draw_orders(5, 3, 4, 40))
    everything = np.concatenate([orders, seeds.draw_orders(6, 3, 4, 40)]).reshape(-1, 40)
    assert len(np.unique(everything, axis=0)) == len(everything)


def test_a_given_order_and_given_weights_are_used_and_returned():
    weights = asked().get_weights()
    stacked = [np.stack([values, values * 2]) for values in weights]
    order = np.arange(66, dtype=np.int64).reshape(2, 33)[::-1] % 33
    settings = {"replicas": 2, "epochs": 2, "batch_size": 8, "optimizer": "sgd"}
    run = fit_replicas(asked, TRAIN, initial_weights=stacked, order=order, **settings)
    for k in (0, 1):
        np.testing.assert_array_equal(run.order(k), order)
        for ours, theirs in zip(run.initial_weights(k), stacked, strict=True):
            np.testing.assert_array_equal(ours, theirs[k])
    shared = fit_replicas(asked, TRAIN, initial_weights=weights, order=np.stack([order, order]), **settings)
    assert largest_difference(shared.train.replica(0), shared.train.replica(1)) == 0
    assert largest_difference(shared.train.replica(0), run.train.replica(0)) == 0
    assert largest_difference(run.train.replica(0), run.train.replica(1)) > 0.01
    weights[0][:] = np.nan  # the run keeps what it was given, whatever becomes of it
    assert np.isfinite(shared.initial_weights(0)[0]).all()


# Random layers


def with_dropout(seed=None):
    return network(8, lambda: layers.Dropout(0.5, seed=seed))


def fit_alike(build_model, seed=0):
    """Replicas that differ in nothing but the seeds of their random layers."""
    return fit_replicas(
        build_model,
        TRAIN,
        replicas=3,
        epochs=2,
        batch_size=8,
        optimizer="sgd",
        seed=seed,
        initial_weights=asked().get_weights() if seed is None else [np.full(w.shape, 0.1) for w in asked().weights],
        order=np.tile(np.arange(33), (2, 1)),
    ).train


def test_dropout_differs_by_replica_unless_its_seed_is_fixed():
    free, again, fixed = (fit_alike(with_dropout(seed)) for seed in (None, None, 3))
    assert largest_difference(free.replica(0), free.replica(1)) > 1e-4
    assert largest_difference(free.replica(1), free.replica(2)) > 1e-4
    assert largest_difference(free, again) == 0
    assert largest_difference(fixed.replica(0), fixed.replica(1)) == 0
    assert largest_difference(free, fit_alike(with_dropout(), seed=1)) > 1e-4


def test_dropout_is_not_taken_for_fixed_when_the_caller_seeds_keras():
    build_model = with_dropout()
    keras.utils.set_random_seed(0)
    first = fit_alike(build_model)
    build_model()  # moves Keras's default seeds on by one model
    second = fit_alike(build_model)
    assert largest_difference(first, second) == 0
    assert largest_difference(second.replica(0), second.replica(1)) > 1e-4

"""Each replica is what an ordinary `Model.fit` gives from the same weights in the same order."""

import keras
import numpy as np
import pytest
from ordinary import IRIS, TRAIN, VALIDATION, asked, largest_difference, network, ordinary_fit
from sklearn.datasets import load_digits

from benchmarks import numpy_loop
from lossacc_helpers.training import fit_replicas, losses
from lossacc_helpers.training.outputs import Output

layers, optimizers = keras.layers, keras.optimizers

# Without the rest of a batch, where that is not the point: it takes the compiler another second.
WHOLE = tuple(values[:32] for values in TRAIN)


def check_agreement(
    build_model,
    make_optimizer,
    *,
    train=TRAIN,
    validation=VALIDATION,
    loss=None,
    ordinary_loss="sparse_categorical_crossentropy",
    ordinary_train=None,
    epochs=20,
    batch_size=8,
    within=1e-4,
    **compiling,
):
    """Replica 1 of two against an ordinary fit: every probability at every epoch, and the weights at the end."""
    run = fit_replicas(
        build_model,
        train,
        validation,
        replicas=2,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=make_optimizer(),
        loss=loss,
        seed=4,
    )
    other, model = ordinary_fit(
        build_model,
        run.initial_weights(1),
        run.order(1),
        ordinary_train or train,
        validation,
        batch_size=batch_size,
        optimizer=make_optimizer(),
        loss=ordinary_loss,
        **compiling,
    )
    assert largest_difference(run.train.replica(1), other.train) <= within
    assert largest_difference(run.validation.replica(1), other.validation) <= within
    for ours, theirs in zip(run.final_weights(1), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=10 * within)
    # The two would also agree if nothing had been trained.
    assert largest_difference(run.train.replica(1), run.train.replica(0)) > 0.01
    moved = [np.abs(end - start).max() for start, end in zip(run.initial_weights(1), model.get_weights(), strict=True)]
    assert max(moved) > 1e-3
    return run


def test_200_epochs_at_the_asked_settings_agree_within_1e_5():
    check_agreement(
        asked,
        lambda: optimizers.Adam(5e-4),
        train=IRIS.train,
        validation=IRIS.validation,
        epochs=200,
        batch_size=5,
        within=1e-5,
        steps_per_execution=24,
        jit_compile="auto",
    )


def test_200_epochs_at_the_asked_settings_agree_with_a_loop_written_out_in_numpy():
    optimizer = optimizers.Adam(5e-4, epsilon=1e-8)
    run = fit_replicas(
        asked, IRIS.train, IRIS.validation, replicas=2, epochs=200, batch_size=5, optimizer=optimizer, seed=8
    )
    for k in (0, 1):
        logs = numpy_loop.train(
            run.initial_weights(k), run.order(k), *IRIS.train, IRIS.features, batch_size=5, rate=5e-4
        )
        ours = np.concatenate([run.train.log_probabilities[k], run.validation.log_probabilities[k]], axis=1)
        np.testing.assert_allclose(np.exp(ours), np.exp(logs), atol=1e-5)


def cosine():
    return optimizers.Adam(optimizers.schedules.CosineDecay(0.02, decay_steps=60))


@pytest.mark.parametrize(
    "make_optimizer",
    [
        lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
        pytest.param(lambda: optimizers.SGD(0.05, clipnorm=0.1), marks=pytest.mark.slow),
        pytest.param(lambda: optimizers.Adam(0.01, global_clipnorm=0.1), marks=pytest.mark.slow),
        pytest.param(lambda: optimizers.Adam(0.01, clipvalue=0.01, amsgrad=True), marks=pytest.mark.slow),
        pytest.param(lambda: optimizers.AdamW(0.01, weight_decay=0.1), marks=pytest.mark.slow),
        cosine,
        pytest.param(lambda: optimizers.Lamb(0.01), marks=pytest.mark.slow),
        pytest.param(lambda: optimizers.Muon(0.01), marks=pytest.mark.slow),
    ],
    ids="sgd clipnorm global_clipnorm clipvalue adamw schedule lamb muon".split(),
)
def test_other_optimizers_agree_within_1e_4(make_optimizer):
    check_agreement(network(5), make_optimizer, train=WHOLE)


def two_classes(data):
    return data[0], (data[1] == 2).astype(int)


def test_a_single_sigmoid_unit_agrees():
    check_agreement(
        network(5, last="sigmoid", units=1),
        lambda: optimizers.Adam(0.01),
        train=two_classes(TRAIN),
        validation=two_classes(VALIDATION),
        ordinary_loss="binary_crossentropy",
    )


@pytest.mark.parametrize(
    "loss", [None, pytest.param(keras.losses.SparseCategoricalCrossentropy(from_logits=True), marks=pytest.mark.slow)]
)
def test_logits_agree(loss):
    check_agreement(
        network(5, last=None),
        lambda: optimizers.Adam(0.01),
        train=WHOLE,
        loss=loss,
        ordinary_loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )


def test_one_hot_labels_are_class_ids_in_another_form():
    one_hot = tuple((features, np.eye(3)[labels]) for features, labels in (WHOLE, VALIDATION))
    by_rows = check_agreement(
        asked,
        lambda: optimizers.Adam(0.01),
        train=one_hot[0],
        validation=one_hot[1],
        ordinary_loss="categorical_crossentropy",
    )
    by_ids = fit_replicas(
        asked, WHOLE, VALIDATION, replicas=2, epochs=20, batch_size=8, optimizer=optimizers.Adam(0.01), seed=4
    )
    np.testing.assert_array_equal(by_rows.train.log_probabilities, by_ids.train.log_probabilities)
    np.testing.assert_array_equal(by_rows.train.labels, WHOLE[1])


def smooth():
    return keras.losses.CategoricalCrossentropy(label_smoothing=0.2)


def swapped_targets(targets, predictions):
    """The bug of lesson 03, which is not the cross-entropy: a loss of the learner's own is called as Keras calls it."""
    return -keras.ops.sum(predictions * keras.ops.log(keras.ops.clip(targets, 1e-2, 1.0)), axis=-1)


@pytest.mark.parametrize(
    "loss", [smooth(), swapped_targets, pytest.param("mean_squared_error", marks=pytest.mark.slow)]
)
def test_other_losses_agree(loss):
    check_agreement(
        network(5),
        lambda: optimizers.SGD(0.1),
        train=WHOLE,
        loss=loss,
        ordinary_loss=loss,
        ordinary_train=(WHOLE[0], np.eye(3, dtype="float32")[WHOLE[1]]),
    )


@pytest.mark.parametrize(
    "reduction", ["sum", *(pytest.param(each, marks=pytest.mark.slow) for each in ("none", None, "mean"))]
)
def test_a_loss_is_reduced_as_keras_reduces_it(reduction):
    # SGD, because Adam does not mind the size of a loss.
    loss = keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
    check_agreement(network(5), lambda: optimizers.SGD(0.02), train=WHOLE, loss=loss, ordinary_loss=loss)


def test_a_cross_entropy_in_half_precision_is_not_taken_for_the_usual_one():
    loss = keras.losses.SparseCategoricalCrossentropy(dtype="float16")
    assert losses.read_loss(loss, Output("softmax", 3)) is loss
    assert losses.key(loss) != losses.key(keras.losses.SparseCategoricalCrossentropy())
    check_agreement(
        network(5), lambda: optimizers.SGD(0.1), train=WHOLE, loss=loss, ordinary_loss=loss, epochs=5, within=1e-3
    )


def frozen():
    return layers.Dense(6, activation="tanh", trainable=False)


def decayed():
    return layers.Dense(6, activation="relu", kernel_regularizer=keras.regularizers.L2(0.05))


def constrained():
    return layers.Dense(6, activation="relu", kernel_constraint=keras.constraints.MaxNorm(0.3))


def normalised():
    return layers.BatchNormalization(momentum=0.9)


def dropped():
    return layers.Dropout(0.5, seed=3)


# A bias before BatchNormalization has no gradient but rounding, which Adam, unlike SGD, would blow up to full steps.
@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param([frozen], marks=pytest.mark.slow),
        pytest.param([decayed], marks=pytest.mark.slow),
        pytest.param([constrained], marks=pytest.mark.slow),
        [lambda: layers.Dense(6), normalised, lambda: layers.Activation("relu")],
        [6, dropped],
        pytest.param([6, lambda: layers.LeakyReLU(negative_slope=0.2)], marks=pytest.mark.slow),
    ],
    ids="frozen regulariser constraint batch_normalization dropout leaky".split(),
)
def test_networks_with_more_than_dense_layers_agree(hidden):
    check_agreement(network(*hidden), lambda: optimizers.SGD(0.1))


def with_first_kernel(**switches):
    """The asked network with something set on a weight itself, past the layer that holds it."""

    def build():
        model = asked()
        for name, value in switches.items():
            setattr(model.layers[0].kernel, name, value)
        return model

    return build


def penalised_activation():
    return layers.Activation("relu", activity_regularizer=keras.regularizers.L2(0.5))


@pytest.mark.parametrize(
    "build_model",
    [
        with_first_kernel(trainable=False),
        with_first_kernel(regularizer=keras.regularizers.L2(0.5)),
        pytest.param(with_first_kernel(constraint=keras.constraints.MaxNorm(0.3)), marks=pytest.mark.slow),
        pytest.param(network(lambda: layers.Dense(8), penalised_activation), marks=pytest.mark.slow),
    ],
    ids="frozen regulariser constraint activity".split(),
)
def test_what_is_set_past_a_dense_layer_is_honoured(build_model):
    check_agreement(build_model, lambda: optimizers.SGD(0.1), train=WHOLE)


def test_a_convolutional_network_agrees():
    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) / 16).astype("float32")
    check_agreement(
        network(
            lambda: layers.Conv2D(4, 3, activation="relu"),
            lambda: layers.MaxPooling2D(),
            lambda: layers.Flatten(),
            units=10,
            inputs=(8, 8, 1),
        ),
        lambda: optimizers.Adam(3e-3),
        train=(images[:60], labels[:60]),
        validation=(images[60:90], labels[60:90]),
        epochs=5,
        batch_size=16,
    )


def test_entry_e_is_the_prediction_after_e_plus_1_epochs():
    settings = {"replicas": 2, "batch_size": 8, "optimizer": "adam"}
    run = fit_replicas(asked, WHOLE, VALIDATION, epochs=3, **settings)
    shorter = fit_replicas(asked, WHOLE, VALIDATION, epochs=2, order=run.orders[:, :2], **settings)
    np.testing.assert_allclose(shorter.validation.log_probabilities, run.validation.log_probabilities[:, :2], atol=1e-6)
    model = asked()
    model.set_weights(run.final_weights(1))
    np.testing.assert_allclose(
        model.predict(WHOLE[0], verbose=0), np.exp(run.train.log_probabilities[1, -1]), atol=1e-6
    )


def test_the_entry_after_the_last_epoch_is_made_in_inference_mode():
    build = network(6, dropped)
    run = fit_replicas(build, TRAIN, VALIDATION, replicas=1, epochs=2, batch_size=8, optimizer="sgd")
    model = build()
    model.set_weights(run.final_weights(0))
    believed = np.exp(run.train.log_probabilities[0, -1])
    np.testing.assert_allclose(model(TRAIN[0], training=False), believed, atol=1e-6)
    assert np.abs(np.asarray(model(TRAIN[0], training=True)) - believed).max() > 0.05


def test_a_batch_larger_than_the_data_is_the_whole_data():
    check_agreement(asked, lambda: optimizers.SGD(0.5), batch_size=100, epochs=5)


@pytest.mark.parametrize("hidden", [[8], [8, dropped]], ids=["stacked", "single"])
def test_a_logit_gap_of_120_stays_finite(hidden):
    build = network(*hidden)
    model = build()
    weights = model.get_weights()
    weights[-1][:] = 0, 60, -60
    weights[-2][:] = 0
    run = fit_replicas(
        build, TRAIN, replicas=1, epochs=1, batch_size=33, optimizer=optimizers.SGD(1e-9), initial_weights=weights
    )
    logs = run.train.log_probabilities
    assert np.isfinite(logs).all()
    np.testing.assert_allclose(logs[0, 0, 0], [-60, 0, -120], atol=1e-4)


def test_a_training_that_diverges_is_recorded_as_nan():
    run = fit_replicas(
        network(8, last=None),
        (TRAIN[0] * 1e10, TRAIN[1]),
        replicas=2,
        epochs=10,
        batch_size=8,
        optimizer=optimizers.SGD(1e30),
    )
    assert np.isnan(run.train.loss[:, -1]).all()
    assert (run.train.accuracy[:, -1] == 0).all()

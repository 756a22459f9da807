"""The network of lesson 04 is the one the question describes, layer by layer."""

import keras
import numpy as np
import pytest

from lossacc_helpers.training import networks

# The question: conv 3x3x16 same, ReLU, BatchNorm, conv 1x1x16 same, ReLU, BatchNorm, max-pool 2x2, dropout 0.25; twice
# conv 1x1x32 same, ReLU, BatchNorm, then max-pool 2x2, dropout 0.25; flatten, dense 64, ReLU, BatchNorm, dropout 0.5;
# dense(classes), softmax.
ASKED = (
    "conv 3x3x16 same, relu, norm, conv 1x1x16 same, relu, norm, pool 2x2, dropout 0.25, "
    "conv 1x1x32 same, relu, norm, conv 1x1x32 same, relu, norm, pool 2x2, dropout 0.25, "
    "flatten, dense 64, relu, norm, dropout 0.5, dense 2, softmax"
)


def named(layer):
    config, kind = layer.get_config(), type(layer).__name__
    by = "x".join
    return {
        "Conv2D": lambda: f"conv {by(map(str, (*config['kernel_size'], config['filters'])))} {config['padding']}",
        "Activation": lambda: config["activation"],
        "BatchNormalization": lambda: "norm",
        "MaxPooling2D": lambda: f"pool {by(map(str, config['pool_size']))}",
        "Dropout": lambda: f"dropout {config['rate']}",
        "Flatten": lambda: "flatten",
        "Dense": lambda: f"dense {config['units']}",
    }[kind]()


def words(model):
    """The layers in the words of the question, without the first, which divides bytes by 255."""
    assert isinstance(model.layers[0], keras.layers.Rescaling)
    return ", ".join(map(named, model.layers[1:]))


def test_its_layers_are_those_of_the_question():
    model = networks.forgery_detector((32, 32))
    assert words(model) == ASKED
    assert {layer.get_config().get("activation", "linear") for layer in model.layers if layer.weights} == {"linear"}
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):  # its defaults, and channels last
            assert (layer.momentum, layer.epsilon, layer.axis) == (0.99, 1e-3, -1)


def test_dropout_may_be_removed():
    model = networks.forgery_detector((32, 32), dropout="removed")
    assert words(model) == ASKED.replace(", dropout 0.25", "").replace(", dropout 0.5", "")


def test_dropout_may_be_moved_behind_the_last_batch_normalization():
    model = networks.forgery_detector((32, 32), dropout="moved")
    moved = ASKED.replace(", dropout 0.25", "").replace("dropout 0.5", "dropout 0.25, dropout 0.25, dropout 0.5")
    assert words(model) == moved


def test_it_takes_bytes_of_any_size_and_answers_with_probabilities():
    model = networks.forgery_detector((24, 40))
    answers = model(np.full((3, 24, 40, 3), 255, np.uint8)).numpy()
    assert answers.shape == (3, 2)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(model.layers[0](np.uint8([[[[0, 51, 255]]]])).numpy().ravel(), [0, 0.2, 1], rtol=1e-6)


# By hand: 3*3*3*16+16, 16*16+16, 16*32+32, 32*32+32, 8*8*32*64+64, 64*2+2; two trained numbers a channel and two moved.
def test_its_weights_are_counted_by_hand():
    model = networks.forgery_detector((32, 32))
    channels = 16 + 16 + 32 + 32 + 64
    trained = 448 + 272 + 544 + 1056 + 131136 + 130
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_variables) == trained + 2 * channels
    assert model.count_params() == trained + 4 * channels


def test_momentum_is_that_of_every_moving_average():
    model = networks.forgery_detector((32, 32), momentum=0.5)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert [layer.momentum for layer in norms] == [0.5] * 5


def test_batch_normalization_may_be_left_out():
    assert words(networks.forgery_detector((32, 32), batch_norm=False)) == ASKED.replace(", norm", "")


def test_pixels_may_be_standardised():
    first = networks.forgery_detector((32, 32), pixels=(100, 50)).layers[0]
    np.testing.assert_allclose(first(np.uint8([[[[0, 100, 250]]]])).numpy().ravel(), [-2, 0, 3], rtol=1e-6)


def test_another_word_for_dropout_is_refused():
    with pytest.raises(ValueError, match="dropout must be one of 'as asked', 'removed', 'moved'; got 'off'"):
        networks.forgery_detector((32, 32), dropout="off")


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        ((3, 3), {}, "images must have at least 4 x 4 pixels; got 3 x 3"),
        (32, {}, r"size must be a pair \(height, width\) in pixels; got 32"),
        ((8, 8), {"momentum": 1.5}, r"momentum must lie in \[0, 1\]; got 1.5"),
        ((8, 8), {"momentum": -1}, r"momentum must lie in \[0, 1\]; got -1"),
        ((8, 8), {"pixels": (0, 0)}, "pixels must be divided by more than 0; got 0"),
        ((8, 8), {"pixels": (0, "1")}, "pixels must be numbers; got text: '1'"),
        ((8, 8), {"dropout": [1]}, r"dropout must be one of 'as asked', 'removed', 'moved'; got \[1\]"),
    ],
)
def test_a_network_that_cannot_be_is_refused_in_words(size, options, message):
    with pytest.raises(ValueError, match=message):
        networks.forgery_detector(size, **options)


def test_the_smallest_image_leaves_one_pixel():
    assert networks.forgery_detector((4, 4)).output_shape == (None, 2)

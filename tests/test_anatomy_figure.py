"""The anatomy of a spike is told and shown as hand arithmetic has it, whatever was shown before."""

import re
import warnings
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

from lossacc_helpers.figures import draw
from lossacc_helpers.figures.anatomy import anatomy_picture
from lossacc_helpers.history import PredictionHistory, TrainingRun
from lossacc_helpers.spikes import find_spikes
from tests.moving import forgets, some_or_all

SAMPLES = 20
LABELS = np.arange(SAMPLES) % 2


def history_of(of_true, labels=LABELS):
    """The history in which the true classes get these probabilities, (epoch, sample)."""
    of_true = np.asarray(of_true, dtype=np.float64)
    rows = [np.where(labels == one, of_true, 1 - of_true) for one in (0, 1)]  # none of which rounds a tiny one away
    return PredictionHistory.from_probabilities(labels, np.stack(rows, axis=-1))


def by_hand():
    """Six epochs: all patches at 0.9, but in epoch 3 two of them at 0.1 and one at 0.3, and in epoch 6 one at 0.4."""
    of_true = np.full((6, SAMPLES), 0.9)
    of_true[2, [4, 11]], of_true[2, 8] = 0.1, 0.3
    of_true[5, 7] = 0.4
    return of_true


def patches(samples=SAMPLES, seed=0):
    """Noise with a dark square in those of class 1, and the squares."""
    generator = np.random.default_rng(seed)
    images = generator.integers(256, size=(samples, 32, 32, 3)).astype(np.uint8)
    boxes = np.zeros((samples, 4), dtype=np.int64)
    boxes[1::2] = 5, 8, 17, 20
    return images, boxes


def state_of(of_true=None, **changes):
    validation = history_of(by_hand() if of_true is None else of_true)
    images, boxes = patches()
    train = history_of(np.full((validation.epochs, SAMPLES), 0.95))
    return {
        "run": TrainingRun(train, validation),
        "fresh": np.full(validation.epochs, 0.08),
        "images": images,
        "boxes": boxes,
        "epoch": 3,
        "worst": 0.05,
    } | changes


def texts_of(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def captions_of(figure):
    return [text.split("\n") for text in texts_of(figure) if "\np " in text]


def tick_boxes(axes):
    """Where the labels of the ticks are that lie within the limits, in pixels."""
    return [
        tick.label1.get_window_extent()
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        if np.min(axis.get_view_interval()) <= tick.get_loc() <= np.max(axis.get_view_interval())
    ]


# In words


def test_a_spike_is_told_as_worked_out_by_hand():
    # Before: -ln 0.9 = 0.1054 for all. After: (17 x 0.1054 + 2 x 2.3026 + 1.2040) / 20 = 0.3800, which is 3.61 times
    # as much. The three that rose did so by 2.1972, 2.1972 and 1.0986, together 5.4931: 40%, 40%, 20%. Of 20 patches 1%
    # and 5% are one, 10% are two.
    figure = draw(anatomy_picture, **state_of())
    assert figure.readout == (
        "Epoch 3: validation loss 0.105 → 0.380 (statistics recomputed: 0.080), a spike: 3.61 times its neighbours' "
        "median. The worst 1%, 5%, 10% of the patches carry 40%, 40%, 80% of the rise. Before, the network gave the "
        "class of the worst 5% a probability of 0.90 (median). 3 crossed to wrong, 0 to right: accuracy 1.000 → 0.850."
    )
    assert figure.description.startswith("Left: training and validation loss of one network over epochs")
    assert figure.description.endswith(figure.readout)


def test_what_falls_has_no_jump_to_carry():
    figure = draw(anatomy_picture, **state_of(epoch=4, fresh=None))
    assert figure.readout == (
        "Epoch 4: validation loss 0.380 → 0.105, no spike: 0.84 times its neighbours' median. It did not rise, so "
        "there is no jump to carry. 0 crossed to wrong, 3 to right: accuracy 0.850 → 1.000."
    )
    assert "The loss did not rise from\nepoch 3 to 4: there is\nno jump to carry." in texts_of(figure)
    assert "No patch's loss rose from epoch 3 to 4." in texts_of(figure)
    assert captions_of(figure) == []
    assert not figure.axes[1].get_visible()


def test_the_first_epoch_has_none_before_it_and_of_the_last_it_is_not_known_whether_it_is_a_spike():
    picture = anatomy_picture()
    assert picture.update(**state_of(epoch=1)) == (
        "Epoch 1: validation loss 0.105 (statistics recomputed: 0.080). There is no epoch before it to compare with."
    )
    assert "Epoch 1 is the first:\nthere is none before it\nto compare with." in texts_of(picture.figure)
    assert "0.146 (statistics recomputed: 0.080), the last: whether it is a spike is not known." in picture.update(
        **state_of(epoch=6)
    )


def test_how_far_an_epoch_stands_out_is_what_makes_it_a_spike():
    losses = np.exp(np.random.default_rng(1).normal(0, 0.5, 60))
    state = state_of(np.exp(-losses)[:, None].repeat(SAMPLES, axis=1), fresh=None)
    spikes = find_spikes(state["run"].validation.loss)
    picture = anatomy_picture()
    for epoch in range(2, 60):
        told = re.search(r"(a|no) spike: ([\d.]+) times", picture.update(**state | {"epoch": epoch}))
        assert (told[1] == "a") == spikes[epoch - 1] == (float(told[2]) > 1.5)


# In the picture


def test_rings_stand_at_the_spikes_and_a_line_at_the_epoch():
    figure = draw(anatomy_picture, **state_of(epoch=5))
    lines = figure.axes[0].lines
    [rings] = [line for line in lines if line.get_markerfacecolor() == "none"]
    np.testing.assert_allclose(rings.get_xydata(), [[3, 0.380014]], atol=1e-6)
    assert [5, 5] in [list(line.get_xdata()) for line in lines]
    training, validation, recomputed = (line.get_ydata() for line in lines[:3])
    np.testing.assert_allclose(training, -np.log(0.95), rtol=1e-6)
    np.testing.assert_allclose(validation, -np.log(by_hand()).mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(recomputed, 0.08)


def test_names_stand_at_the_ends_of_their_lines_on_the_logarithmic_axis():
    figure = draw(anatomy_picture, **state_of(fresh=np.linspace(0.9, 0.02, 6)))
    figure.pixels()
    axes = figure.axes[0]
    ends = {"training patches": -np.log(0.95), "validation": -np.log([0.9] * 19 + [0.4]).mean(), "recomputed": 0.02}
    for text in axes.texts[:3]:
        _, height = axes.transData.transform((6, ends[text.get_text()]))
        box = text.get_window_extent()
        assert box.y0 < height < box.y1


@pytest.mark.parametrize(("worst", "height"), [(0.05, 0.4), (0.1, 0.8), (0.15, 1.0), (0.5, 1.0)])
def test_the_marked_share_of_the_patches_carries_what_the_curve_says(worst, height):
    figure = draw(anatomy_picture, **state_of(worst=worst))
    _, curve, legs, dot = figure.axes[1].lines
    np.testing.assert_allclose(dot.get_xydata(), [[worst, height]], rtol=1e-6)
    np.testing.assert_allclose(legs.get_xydata(), [[worst, 0], [worst, height], [0, height]], rtol=1e-6)
    np.testing.assert_allclose(np.interp(worst, *curve.get_data()), height, rtol=1e-6)
    np.testing.assert_allclose(curve.get_xydata()[[0, -1]], [[0, 0], [1, 1]], rtol=1e-6)
    assert f"who pays, epoch 2 → 3\nthe worst {worst:.0%}: {height:.0%}" in texts_of(figure)


def test_the_patches_that_pay_most_are_shown_with_what_happened_to_them():
    state = state_of()
    figure = draw(anatomy_picture, **state)
    page = figure.axes[2]
    shown = [image for image in page.images if image.get_visible()]
    for image, sample in zip(shown, [4, 11, 8], strict=True):  # 4 and 11 rose alike; the lower id is first
        left, right, bottom, top = (round(edge) for edge in image.get_extent())
        assert (right - left, bottom - top) == (96, 96)
        pixels = figure.pixels()[top:bottom, left:right]
        expected = state["images"][sample].repeat(3, axis=0).repeat(3, axis=1)
        inside = np.s_[27:49, 30:58]  # of the outlined square, whose outline lies around it
        np.testing.assert_array_equal(pixels[inside], expected[inside])
        if sample != 11:
            np.testing.assert_array_equal(pixels, expected)
    assert captions_of(figure) == [
        ["✕ genuine", "p 0.90 → 0.10", "loss 0.1 → 2.3"],
        ["✕ forged", "p 0.90 → 0.10", "loss 0.1 → 2.3"],
        ["✕ genuine", "p 0.90 → 0.30", "loss 0.1 → 1.2"],
    ]
    assert [patch.get_visible() for patch in page.patches[:3]] == [False, True, False]
    for image, caption in zip(shown, (text for text in page.texts if "\np " in text.get_text()), strict=True):
        patch, words = image.get_window_extent(), caption.get_window_extent()
        assert words.x0 == pytest.approx(patch.x0, abs=1)
        assert 2 < patch.y0 - words.y1 < 8


def test_patches_that_were_wrong_before_have_not_crossed_and_those_that_pay_are_shown_where_the_loss_fell_too():
    of_true = by_hand()
    of_true[:, 13] = [0.4, 0.4, 0.3, 0.2, 0.1, 0.1]
    picture = anatomy_picture()
    picture.update(**state_of(of_true))
    assert captions_of(picture.figure)[3] == ["forged", "p 0.40 → 0.30", "loss 0.9 → 1.2"]
    picture.update(**state_of(of_true, epoch=4))
    assert captions_of(picture.figure) == [["forged", "p 0.30 → 0.20", "loss 1.2 → 1.6"]]
    assert any(text.startswith("The loss fell, yet that of these patches rose. ") for text in texts_of(picture.figure))


@pytest.mark.parametrize(
    "change",
    [
        {"run": state_of(by_hand() ** 2)["run"]},
        {"fresh": None},
        {"images": patches(seed=1)[0]},
        {"boxes": np.zeros((SAMPLES, 4), dtype=int)},
        {"epoch": 5},
        {"worst": 0.1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_part_of_the_state_changes_the_picture(change):
    state = state_of()
    one, other = (draw(anatomy_picture, **given).pixels() for given in (state, state | change))
    assert (one != other).any()


EXTREMES = {
    "right and sure": np.full((5, SAMPLES), 1 - 1e-6),
    "wrong and sure": np.full((5, SAMPLES), np.exp(-30)),
    "from sure to wrong and back": np.exp([[-1e-6] * SAMPLES, [-30.0] * SAMPLES, *[[-1e-6] * SAMPLES] * 3]),
    "hardly rises": np.exp(-np.array([[1.0, 2.0] * 10, [2.01, 1.0] * 10, *[[1.0, 1.0] * 10] * 3])),
    "beyond belief": np.exp([[-39.0] * SAMPLES, [-151.0] * SAMPLES, *[[-30.0] * SAMPLES] * 3]),
    "all pay": 0.9 / np.arange(1, 6)[:, None] ** 2 * np.ones(SAMPLES),
}


@some_or_all
def test_the_picture_does_not_remember(every):
    longer = state_of(np.concatenate([by_hand()] * 3))
    states = [state_of(epoch=epoch) for epoch in ((1, 3, 4, 3, 5, 2) if every else (4, 3))]
    states += [state_of(fresh=None), state_of(worst=1.0), longer | {"epoch": 9}, state_of(epoch=1)]
    extremes = zip(EXTREMES.values(), (2, 5, 2, 2, 2, 3), strict=True)
    states += [state_of(extreme, epoch=epoch) for extreme, epoch in list(extremes)[:: 1 if every else 4]]
    forgets(anatomy_picture, states)


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("forged", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_at_extremes_all_that_is_written_is_legible_and_the_stored_picture_small(name, forged):
    picture = anatomy_picture()
    squares = patches()[1] * forged
    for epoch in (1, 5, 2):
        picture.update(**state_of(EXTREMES[name], epoch=epoch, boxes=squares))
        figure = picture.figure
        figure.pixels()
        width, height = figure.size_in_pixels
        shown = [axes for axes in figure.axes[:2] if axes.get_visible()]
        texts = [text for axes in shown for text in (*axes.texts, axes.xaxis.label, axes.yaxis.label)]
        texts += [*figure.texts, *figure.axes[2].texts]
        boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
        boxes += [box for axes in shown for box in tick_boxes(axes)]
        for box in boxes:
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= width
            assert box.y1 <= height
        for one, other in combinations(boxes, 2):
            assert not one.overlaps(other)
    assert len(figure.png(small=True)) < 60_000


def test_moving_from_rise_to_rise_draws_the_still_part_once():
    of_true = np.tile(by_hand(), (2, 1))
    picture = anatomy_picture()
    picture.update(**state_of(of_true, epoch=3))
    for _ in range(2):  # the first time, matplotlib goes on to make the ticks of the page that has none
        picture.figure.pixels()
    for change in ({"epoch": 6}, {"epoch": 9}, {"worst": 0.1}):
        picture.update(**state_of(of_true) | change)
        assert not picture.figure.stale


# What cannot be shown


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 7}, "epoch must be at most 6, all that the run has; got 7"),
        ({"epoch": 0}, "epoch must be a whole number, 1 or more; got 0"),
        ({"worst": 0.0}, "worst must be a share of the patches, above 0 and at most 1; got 0.0"),
        ({"worst": 5, "epoch": 1}, "worst must be a share of the patches, above 0 and at most 1; got 5"),
        ({"fresh": np.zeros(5)}, "fresh must be a loss for each of the 6 epochs; got shape (5,)"),
        (
            {"images": patches(19)[0]},
            "images of the validation samples must have shape (20, 32, 32, 3); got (19, 32, 32, 3)",
        ),
        ({"images": patches()[0] / 255}, "images must be bytes, uint8; got float64"),
        ({"boxes": np.zeros((20, 2))}, "boxes of the validation samples must have shape (20, 4); got (20, 2)"),
        ({"run": TrainingRun(history_of(by_hand()))}, "this run holds no validation"),
        ({"run": TrainingRun(*[history_of(by_hand()[:2])] * 2), "fresh": None, "epoch": 2}, "at least 3 epochs"),
    ],
)
def test_what_cannot_be_shown_is_named(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw(anatomy_picture, **state_of(**changes))


REFUSED = {
    "images": {"images": patches(5)[0]},
    "float images": {"images": patches()[0] / 255},
    "boxes": {"boxes": patches(3)[1]},
    "boxes of text": {"boxes": np.full((SAMPLES, 4), "a")},
    "two epochs": {"run": TrainingRun(*[history_of(by_hand()[:2])] * 2), "fresh": None, "epoch": 2},
    "infinite losses": {"run": state_of(np.zeros((6, SAMPLES)))["run"]},
    "worst": {"worst": 2.0},
    "masked": {"fresh": np.ma.masked_equal(np.arange(6.0), 3)},
    "text": {"fresh": list("abcdef")},
    "no run": {"run": 3},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_leaves_the_picture_and_its_readout_as_they_were(name):
    picture = anatomy_picture()
    readout = picture.update(**state_of())
    pixels = picture.figure.pixels()
    other = state_of(np.roll(by_hand(), 1, axis=0), epoch=4)
    with pytest.raises(ValueError, match=r"\w"):
        picture.update(**other | REFUSED[name])
    np.testing.assert_array_equal(picture.figure.pixels(), pixels)
    assert picture.figure.readout == readout
    picture.update(**other)
    assert (picture.figure.pixels() != pixels).any()


def test_class_names_that_are_not_those_of_the_run_are_refused():
    with pytest.raises(ValueError, match="class_names must name the 2 classes of the run; got a"):
        draw(lambda: anatomy_picture(class_names=("a",)), **state_of())


@pytest.mark.parametrize(("size", "message"), [((0, 32), "height must be a whole number, 1 or more"), (32, "a pair")])
def test_a_size_that_is_none_is_refused(size, message):
    with pytest.raises(ValueError, match=message):
        anatomy_picture(size=size)


def test_a_spike_over_losses_of_nothing_is_told_without_a_warning():
    sure = np.ones((6, SAMPLES))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "no spike: 1.00 times its neighbours' median" in draw(anatomy_picture, **state_of(sure)).readout
        sure[2] = 0.5
        assert "a spike: neighbours of 0. The worst" in draw(anatomy_picture, **state_of(sure)).readout


def test_the_worst_are_all_of_them_whether_their_loss_rose_or_not():
    of_true = np.full((6, SAMPLES), 0.9)
    of_true[1:3, 5:] = 0.8
    of_true[2, :3] = 0.1
    readout = draw(anatomy_picture, **state_of(of_true, worst=1.0)).readout
    assert "Before, the network gave the class of the worst 100% a probability of 0.80 (median)." in readout
    of_true[1, 3:], of_true[2, 3:] = 0.7, 0.71
    readout = draw(anatomy_picture, **state_of(of_true, worst=1.0)).readout
    assert "Before, the network gave the class of the worst 100% a probability of 0.70 (median)." in readout


def test_tiny_probabilities_are_told_by_their_size():
    of_true = by_hand()
    of_true[1, 11], of_true[2, 11] = 1e-3, 2e-17
    figure = draw(anatomy_picture, **state_of(of_true))
    assert captions_of(figure)[0] == ["forged", "p 1e-3 → 2e-17", "loss 6.9 → 38"]


def test_several_networks_at_once_are_refused():
    both = history_of(np.stack([by_hand()] * 2))
    with pytest.raises(ValueError, match=r"choose one of the 2, as in run.replica\(0\)"):
        draw(anatomy_picture, **state_of(run=TrainingRun(both, both)))


def test_patches_too_large_for_their_places_are_refused():
    with pytest.raises(ValueError, match="size must be at most 96 x 96 pixels; got 97 x 20"):
        anatomy_picture(size=(97, 20))

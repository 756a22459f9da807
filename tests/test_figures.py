import io
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from lossacc_helpers.figures import (
    LabelledFigure,
    LossAndAccuracyPanels,
    Picture,
    correlation_figure,
    ledger_figure,
    loss_and_accuracy_curves,
    sample_figure,
    split_figure,
)
from lossacc_helpers.figures.style import ACCURACY, INK, LOSS, OTHER, PAPER, REFERENCE, pale, spread
from lossacc_helpers.history import PredictionHistory, TrainingRun
from tests.moving import forgets
from tests.pictures import price_picture


def curves(seeds=(), epochs=50, seed=0, shift=0.0):
    shape = (*seeds, epochs)
    noise = np.random.default_rng(seed).normal(0, 0.02, shape)
    loss = 1.2 * np.exp(-np.arange(epochs) / 15) + 0.1 + shift + noise
    return SimpleNamespace(loss=loss, accuracy=np.clip(np.round(1 - loss / 2, 2), 0, 1))


def run_of(seeds=(8,), **keywords):
    return SimpleNamespace(train=curves(seeds, **keywords), validation=curves(seeds, shift=0.2, **keywords))


def random_history(*replicas, epochs=6, samples=40, classes=3, seed=0):
    generator = np.random.default_rng(seed)
    weights = np.exp(2 * generator.normal(size=(*replicas, epochs, samples, classes)))
    labels = generator.integers(classes, size=samples)
    return PredictionHistory.from_probabilities(labels, weights / weights.sum(axis=-1, keepdims=True))


def texts_of(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def panels_picture():
    figure = LabelledFigure(sentence="Curves.")
    panels = LossAndAccuracyPanels(figure, chance_loss=np.log(3), chance_accuracy=1 / 3)

    def move(*, run):
        panels.show(run)
        return "shown"

    return Picture(figure, move)


@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"p": st.floats(0.01, 1.0), "wide": st.booleans()}), min_size=1, max_size=4),
)
def test_a_picture_looks_the_same_whatever_it_showed_before(states):
    forgets(price_picture, states)


def test_curves_look_the_same_whatever_they_showed_before():
    runs = [
        run_of(),
        run_of((2, 3), epochs=9),
        curves(),
        run_of((), epochs=1),
        SimpleNamespace(train=curves((4,)), validation=None),
        SimpleNamespace(loss=[np.nan, np.inf, 2.0], accuracy=[0.1, 0.2, 0.3]),
        run_of(),
    ]
    forgets(panels_picture, [{"run": run} for run in runs])


def test_the_property_catches_a_picture_that_remembers():
    def builder():
        picture = price_picture()
        seen = []

        def move(*, p):
            seen.append(p)
            return picture.update(p=max(seen))

        return Picture(picture.figure, move)

    with pytest.raises(AssertionError):
        forgets(builder, [{"p": 0.9}, {"p": 0.2}])


def test_a_change_in_the_still_part_is_seen():
    figure = LabelledFigure(sentence="A title.", width=300, height=200)
    axes = figure.subplots()
    before = figure.pixels()
    np.testing.assert_array_equal(figure.pixels(), before)
    axes.set_title("new")
    assert (figure.pixels() != before).any()


def test_moving_what_is_animated_draws_nothing_else_again():
    for picture, states in ((price_picture(), [{"p": 0.2}, {"p": 0.3}]), (panels_picture(), [{"run": run_of()}] * 2)):
        for state in states:
            picture.update(**state)
            picture.figure.pixels()
        picture.update(**states[-1])
        assert not picture.figure.stale


def test_the_quick_png_holds_the_very_pixels():
    figure = loss_and_accuracy_curves(run_of(), title="Loss falls")
    np.testing.assert_array_equal(Image.open(io.BytesIO(figure.png())), figure.pixels())


def test_png_is_opaque_white_and_of_the_promised_size():
    figure = loss_and_accuracy_curves(run_of(), title="Loss falls", width=900, height=450)
    for small in (False, True):
        image = Image.open(io.BytesIO(figure.png(small=small)))
        assert image.size == (900, 450)
        assert "A" not in image.mode
        assert "transparency" not in image.info
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_the_stored_png_of_32_noisy_seeds_is_under_60_kb_and_looks_the_same():
    figure = loss_and_accuracy_curves(run_of((32,), epochs=200), title="Loss falls", chance_accuracy=1 / 3)
    small = figure.png(small=True)
    assert len(small) < 60_000
    shown = np.asarray(Image.open(io.BytesIO(small)).convert("RGB")).astype(int)
    assert np.abs(shown - figure.pixels()).mean() < 0.5
    assert small == figure.png(small=True)


def test_jupyter_is_given_a_picture_a_sentence_and_alternative_text():
    picture = price_picture()
    picture.update(p=0.5)
    data, metadata = picture.figure._repr_mimebundle_()
    assert data["text/plain"] == (
        "The log loss of one sample against the probability of its class. At p = 0.50 the sample costs 0.693 nats."
    )
    assert metadata["image/png"]["alt"] == data["text/plain"]
    # JupyterLab reads alternative text from HTML only.
    assert data["text/html"] == f'<img src="data:image/png;base64,{data["image/png"]}" alt="{data["text/plain"]}">'
    assert set(data) == {"image/png", "text/plain", "text/html"}


def test_a_sentence_cannot_break_out_of_the_alternative_text():
    figure = LabelledFigure(sentence='A "sharp" <script>.', width=100, height=100)
    assert 'alt="A &quot;sharp&quot; &lt;script&gt;."' in figure._repr_mimebundle_()[0]["text/html"]


def test_a_figure_without_a_sentence_is_refused():
    with pytest.raises(ValueError, match="needs a sentence"):
        LabelledFigure(sentence=" ")


def test_the_curves_end_with_the_median_over_seeds():
    run = run_of((5,))
    figure = loss_and_accuracy_curves(run, title="Both improve.")
    loss_axes, accuracy_axes = figure.axes
    for axes, name, colour in ((loss_axes, "loss", LOSS), (accuracy_axes, "accuracy", ACCURACY)):
        for line, history in zip(axes.lines, (run.train, run.validation), strict=True):
            assert line.get_color() == colour
            np.testing.assert_allclose(line.get_ydata(), np.median(getattr(history, name), axis=0))
            np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 51))
        assert axes.lines[0].get_linestyle() == "-"
        assert axes.lines[1].get_linestyle() == "--"
        assert len(axes.collections[0].get_segments()) == 5
    assert loss_axes.get_shared_x_axes().joined(loss_axes, accuracy_axes)
    assert f"loss {np.median(run.train.loss[:, -1]):.3f}" in figure.sentence
    assert "Both improve: loss above" in figure.sentence


def test_a_single_epoch_is_a_point():
    figure = loss_and_accuracy_curves(curves(epochs=1), title="One")
    assert [axes.lines[0].get_marker() for axes in figure.axes] == ["o", "o"]


def test_a_seed_that_diverged_counts_in_the_median():
    history = SimpleNamespace(loss=[[1.0], [np.nan], [np.nan]], accuracy=[[1.0], [0.0], [0.0]])
    figure = loss_and_accuracy_curves(history, title="Diverged")
    assert np.isnan(figure.axes[0].lines[0].get_ydata()).all()
    assert "loss inf" in figure.sentence


def test_curves_without_epochs_are_refused():
    with pytest.raises(ValueError, match=r"at least one epoch; got shape \(2, 0\)"):
        loss_and_accuracy_curves(SimpleNamespace(loss=np.ones((2, 0)), accuracy=np.ones((2, 0))), title="Nothing")


def test_a_part_of_the_accuracies_is_shown_and_said():
    for limits, label in (((0, 1), "accuracy"), ((0.6, 1), "accuracy (from 0.6)"), ((0, 0.3), "accuracy (0 to 0.3)")):
        axes = loss_and_accuracy_curves(curves(), title="Part", accuracy_from=limits[0], accuracy_to=limits[1]).axes[1]
        assert axes.get_ylabel() == label
        low, high = axes.get_ylim()
        assert low < limits[0] < limits[1] < high < limits[1] + 0.05
    losses = loss_and_accuracy_curves(curves(), title="Part", loss_limit=3, loss_from=0.5).axes[0]
    assert losses.get_ylim() == (0.5, 3)
    assert losses.get_ylabel() == "loss (nats), from 0.5"
    with pytest.raises(ValueError, match="accuracies must go from 0 or more up to 1 or less"):
        loss_and_accuracy_curves(curves(), title="Nothing", accuracy_from=0.5, accuracy_to=0.5)
    with pytest.raises(ValueError, match=r"loss_from=0.5 needs a loss_limit as well"):
        loss_and_accuracy_curves(curves(), title="Half", loss_from=0.5)


def test_names_of_lines_that_end_together_do_not_overlap():
    same = curves()
    figure = loss_and_accuracy_curves(SimpleNamespace(train=same, validation=same), title="Same", chance_loss=0.1)
    figure.pixels()
    for axes in figure.axes:
        boxes = [text.get_window_extent() for text in axes.texts if text.get_visible() and text.get_text()][:3]
        for index, box in enumerate(boxes):
            assert box.x1 <= figure.bbox.x1, "cut off at the right"
            assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_every_text_is_at_least_9_points():
    figure = loss_and_accuracy_curves(run_of(), title="Readable", chance_accuracy=0.3)
    from matplotlib.text import Text

    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 9


def test_colours_of_text_reach_a_contrast_of_4_5_to_1_for_grey_and_3_to_1_for_names_of_lines():
    def luminance(colour):
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return np.dot(parts, (0.2126, 0.7152, 0.0722))

    def contrast(colour):
        return (luminance(PAPER) + 0.05) / (luminance(colour) + 0.05)

    assert contrast(INK) > 7
    assert contrast(REFERENCE) > 4.5
    assert min(contrast(LOSS), contrast(ACCURACY)) > 3
    assert contrast(pale(LOSS)) < 2 < contrast(LOSS)


@given(st.lists(st.floats(0, 1), max_size=6), st.floats(0.01, 0.15))
def test_spread_positions_keep_their_order_their_gap_and_their_bounds(positions, gap):
    placed = np.array(spread(positions, gap=gap))
    order = np.argsort(positions, kind="stable")
    assert (np.diff(placed[order]) >= gap - 1e-9).all()
    assert ((placed >= -1e-9) & (placed <= 1 + 1e-9)).all()


@given(st.lists(st.integers(0, 4), unique=True, max_size=5))
def test_positions_far_enough_apart_stay_where_they_are(positions):
    assert spread([p / 4 for p in positions], gap=0.2) == pytest.approx([p / 4 for p in positions])


def test_the_ledger_draws_each_sample_that_ever_changed_sides_and_no_other():
    history = random_history(seed=3)
    figure = ledger_figure(history, title="A title")
    wrong = ~history.correct
    moved = (wrong.any(axis=0) & ~wrong.all(axis=0)).sum()
    assert 0 < moved < history.samples
    heights = {line.get_ydata()[0] for line in figure.axes[2].lines}
    assert len(heights) == moved
    drawn = sum(np.ptp(line.get_xdata()) for line in figure.axes[2].lines)
    assert drawn == wrong[:, wrong.any(axis=0) & ~wrong.all(axis=0)].sum()


def test_the_ledger_speaks_of_samples_whatever_they_are():
    figure = ledger_figure(random_history(), title="A title")
    assert "sample" in figure.axes[2].get_ylabel()
    assert "each sample was wrong" in figure.sentence


def test_the_sample_figure_marks_the_first_epoch_in_which_the_sample_is_right():
    probabilities = np.array([[[0.2, 0.5, 0.3]], [[0.3, 0.4, 0.3]], [[0.5, 0.3, 0.2]], [[0.8, 0.1, 0.1]]])
    history = PredictionHistory.from_probabilities([0], probabilities)
    figure = sample_figure(history, 0, class_names=("a", "b", "c"), title="A title")
    assert "right from epoch 3" in texts_of(figure)
    assert "from 1.61 in the first to 0.22 in the last" in figure.sentence


@pytest.mark.parametrize("classes", [2, 3, 4, 5, 6, 10])
def test_the_sample_figure_tells_the_most_probable_classes_apart_however_many_there_are(classes):
    history, names = random_history(classes=classes, seed=classes), [f"class {k}" for k in range(classes)]
    for sample in range(3):
        figure = sample_figure(history, sample, class_names=names, title="A title")
        lines, label = figure.axes[0].lines[:classes], history.labels[sample]
        for k, line in enumerate(lines):
            np.testing.assert_allclose(line.get_ydata(), history.probabilities[:, sample, k])
        assert lines[label].get_color() == INK
        colours = [line.get_color() for line in lines if line.get_color() in OTHER]
        assert len(colours) == len(set(colours)) == min(classes - 1, 4)
        named = [k for k, line in enumerate(lines) if line.get_color() in (INK, *OTHER)]
        assert [text for text in texts_of(figure) if text.startswith("class")] == [names[k] for k in named]
        unnamed = np.setdiff1d(np.arange(classes), named)
        assert all(to_hex(lines[k].get_color()) == pale(REFERENCE) for k in unnamed)
        greatest = history.probabilities[:, sample].max(axis=0)
        rivals = np.setdiff1d(named, [label])
        assert greatest[unnamed].max(initial=0) <= greatest[rivals].min()


@pytest.mark.parametrize(
    ("draw_it", "message"),
    [
        (lambda: ledger_figure(random_history(2), title="A"), "the history has a replica axis (for 2)"),
        (lambda: sample_figure(random_history(2), 0, class_names="abc", title="A"), "has a replica axis (for 2)"),
        (lambda: sample_figure(random_history(), 40, class_names="abc", title="A"), "must lie in 0..39; got 40"),
        (lambda: sample_figure(random_history(), -1, class_names="abc", title="A"), "must lie in 0..39; got -1"),
        (lambda: sample_figure(random_history(), 0, class_names="ab", title="A"), "each of the 3 classes; got 2 names"),
        (
            lambda: sample_figure(random_history().compact(), 0, class_names="abc", title="A"),
            "a compact history has not kept every class",
        ),
        (lambda: split_figure({"alone": TrainingRun(random_history())}, title="A"), "no validation history"),
    ],
)
def test_a_history_that_a_picture_cannot_show_is_named(draw_it, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw_it()


def test_the_split_figure_shows_the_medians_of_both_parts_in_each_panel():
    runs = {name: TrainingRun(random_history(5), random_history(5, seed=1)) for name in ("sorted", "shuffled")}
    figure = split_figure(runs, title="A title")
    for axes, run in zip(figure.axes, runs.values(), strict=True):
        for line, history in zip(axes.lines, (run.train, run.validation), strict=True):
            np.testing.assert_allclose(line.get_ydata(), np.median(history.accuracy, axis=0))
            assert line.get_color() == ACCURACY
    for name, run in runs.items():
        assert f"{name}: validation ends at {np.median(run.validation.accuracy[:, -1]):.2f}" in figure.sentence


def test_correlations_are_those_of_numpy_and_changes_are_named():
    generator = np.random.default_rng(0)
    pairs = {"levels": generator.normal(size=(2, 50)), "steps": generator.normal(size=(2, 50))}
    figure = correlation_figure(pairs, changes=["steps"], title="A title")
    for name, values in pairs.items():
        assert f"{name}: r = {np.corrcoef(*values)[0, 1]:+.2f}" in figure.sentence
    assert [axes.get_xlabel() for axes in figure.axes] == ["loss (nats)", "change in loss (nats)"]


def test_six_correlations_stand_in_two_rows_with_their_ranges():
    generator = np.random.default_rng(1)
    pairs = {f"panel {k}": generator.normal(size=(2, 20)) for k in range(5)}
    figure = correlation_figure(pairs, ranges={"panel 1": (-0.5, 0.25)}, title="A title")
    tops = [round(axes.get_position().y1, 3) for axes in figure.axes]
    assert len(tops) == 5
    assert tops[0] == tops[2] > tops[3] == tops[4]
    assert "(-0.50 to +0.25)" in figure.axes[1].texts[0].get_text()
    assert "(" not in figure.axes[2].texts[0].get_text()


def test_figures_never_import_pyplot():
    code = "import sys, lossacc_helpers.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""The syllabus names every lesson, README and lesson 00 follow it, and each sketch has the shape it is chosen by."""

import numpy as np
import pytest
from matplotlib.text import Text

from lossacc_helpers import find_spikes
from lossacc_helpers.course import sketches
from lossacc_helpers.course.guide import Contents, lesson
from lossacc_helpers.course.syllabus import GUIDE, SYLLABUS
from lossacc_helpers.figures import draw
from lossacc_helpers.figures.symptoms import symptom_picture
from tests.moving import forgets, move_every_control, some_or_all
from tools.lessons import ROOT, lesson_paths
from tools.readme_picture import PICTURE, SHOWN, explorer_picture


def test_the_syllabus_holds_every_lesson_in_order() -> None:
    assert [path.stem for path in lesson_paths()] == [GUIDE, *(entry.name for entry in SYLLABUS)]


@pytest.mark.parametrize("entry", SYLLABUS, ids=lambda entry: entry.name)
def test_an_entry_loads_its_own_lesson(entry) -> None:
    assert entry.load().name == entry.name


@pytest.mark.parametrize("entry", SYLLABUS, ids=lambda entry: entry.name)
def test_a_lesson_that_trains_says_so(entry) -> None:
    source = (ROOT / "lessons" / f"{entry.name}.py").read_text(encoding="utf-8")
    assert entry.trains == ("import keras" in source)


def test_every_symptom_is_told_once() -> None:
    sentences = [symptom.sentence for entry in SYLLABUS for symptom in entry.symptoms]
    assert len(set(sentences)) == len(sentences)
    assert all(entry.symptoms for entry in SYLLABUS)


def test_the_readme_finds_a_lesson_by_the_same_table_as_lesson_00() -> None:
    assert Contents.table("notebooks/") in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_picture_of_the_readme_is_the_one_that_its_lesson_stores() -> None:
    assert PICTURE.read_bytes() == explorer_picture(SHOWN)
    assert f"]({PICTURE.relative_to(ROOT).as_posix()})" in (ROOT / "README.md").read_text(encoding="utf-8")


# Sketches ----------------------------------------------------------------------------------------------------------


def test_every_sketch_is_shown_by_the_explorer_of_lesson_00() -> None:
    explorer = lesson.explorer()
    move_every_control(explorer)
    shown = {sentence for sentence, _ in explorer.controls["seen"]._options_full}
    assert shown == {symptom.sentence for entry in SYLLABUS for symptom in entry.symptoms}


@some_or_all
def test_the_picture_of_a_sketch_does_not_remember(every: bool) -> None:
    symptoms = [symptom for entry in SYLLABUS for symptom in entry.symptoms[: None if every else 1]]
    drawn = [(symptom.sketch(), symptom.sentence) for symptom in symptoms]
    states = [{"sketch": sketch, "sentence": sentence, "lesson": "01"} for sketch, sentence in drawn]
    forgets(symptom_picture, [*states, states[0]])


def test_on_the_plateau_the_loss_falls_in_every_step_and_the_accuracy_in_none() -> None:
    train = sketches.plateau().train
    assert (np.diff(train.loss) < 0).all()
    assert np.ptp(train.accuracy) == 0


def test_one_impossible_sample_makes_the_loss_infinite_while_nearly_all_are_right() -> None:
    train = sketches.one_impossible().train
    assert np.isfinite(train.loss[0])
    [first] = np.flatnonzero(np.isinf(train.loss))[:1]
    assert np.isinf(train.loss[first:]).all()
    figure = draw(symptom_picture, sketch=sketches.one_impossible(), sentence="", lesson="")
    assert f"infinite from epoch {first + 1} on" in "".join(text.get_text() for text in figure.findobj(Text))
    assert train.accuracy[-1] == 0.95
    assert train.sample_losses[-1, :-1].max() < 1
    # Clipped at 1e-7, the sample costs what the symptom names: -ln 1e-7 = 16.118.
    assert np.log(1e7) == pytest.approx(16.118, abs=5e-4)


def test_the_staircase_is_flat_in_most_steps_and_never_falls() -> None:
    train = sketches.staircase().train
    steps = np.diff(train.accuracy)
    assert (steps >= 0).all()
    assert (steps == 0).mean() > 0.7
    assert (np.diff(train.loss) < 0).all()
    assert train.accuracy[-1] == 1


def test_validation_accuracy_begins_at_0_where_training_does_not() -> None:
    sketch = sketches.validation_from_zero()
    assert sketch.validation is not None
    assert sketch.validation.accuracy[0] == 0
    assert sketch.train.accuracy[0] > 0.4
    assert sketch.validation.accuracy[-1] == 1


def test_seeds_disagree_about_the_validation_samples_only() -> None:
    sketch = sketches.seed_dependent()
    assert sketch.validation is not None
    early = sketches.EPOCHS // 6
    assert np.ptp(sketch.validation.accuracy[:, early]) == 1
    assert np.ptp(sketch.train.accuracy[:, early]) < 0.3


def test_validation_accuracy_peaks_and_falls_back_while_the_training_loss_falls() -> None:
    sketch = sketches.peak_and_fall()
    assert sketch.validation is not None
    assert (np.diff(sketch.train.loss) < 0).all()
    accuracy = sketch.validation.accuracy
    peak = int(accuracy.argmax())
    assert 0.15 < peak / sketches.EPOCHS < 0.6
    assert accuracy[peak] > accuracy[0] + 0.3
    assert accuracy[-1] < accuracy[peak] - 0.15
    assert accuracy[-1] > accuracy[0]


def test_jumpy_accuracy_jumps_by_more_than_it_learns() -> None:
    accuracy = sketches.jumpy().train.accuracy
    assert np.abs(np.diff(accuracy)).max() > 0.5
    assert abs(accuracy[-20:].mean() - accuracy[:20].mean()) < 0.1


def test_the_floor_is_that_of_a_second_softmax_and_all_are_right_there() -> None:
    train = sketches.floor().train
    assert train.accuracy[-1] == 1
    assert train.loss[-1] == pytest.approx(-np.log(np.e / (np.e + 1)), abs=1e-3)
    assert (train.loss > -np.log(np.e / (np.e + 1))).all()


def test_the_spiked_sketch_jumps_in_single_epochs_and_comes_back() -> None:
    sketch = sketches.spiked()
    assert sketch.validation is not None
    assert (np.diff(sketch.train.loss) < 0).all()
    places = np.flatnonzero(find_spikes(sketch.validation.loss))
    assert len(places) == 3
    assert (np.diff(places) > 5).all()
    assert np.ptp(sketch.validation.accuracy[places[0] - 1 : places[0] + 2]) <= 0.15


def test_the_stuck_sketch_stays_at_chance_while_training_improves() -> None:
    sketch = sketches.stuck_start()
    assert sketch.validation is not None
    early = slice(5, sketches.EPOCHS // 3)
    assert (np.abs(sketch.validation.accuracy[early] - 0.5) <= 0.1).all()
    assert (sketch.validation.loss[early] > np.log(2)).all()
    assert sketch.train.accuracy[sketches.EPOCHS // 3] > sketch.train.accuracy[0] + 0.15
    assert sketch.validation.accuracy[-1] > 0.9
    assert sketch.validation.loss[-1] < 0.4


def test_the_sketch_of_validation_below_training_never_crosses_it() -> None:
    sketch = sketches.validation_below()
    assert sketch.validation is not None
    assert (sketch.validation.loss < sketch.train.loss).all()
    assert (np.diff(sketch.validation.loss) < 0).all()


def test_both_rise_together_on_the_validation_samples_in_every_epoch() -> None:
    sketch = sketches.both_rise()
    assert sketch.validation is not None
    assert (np.diff(sketch.validation.loss) > 0).all()
    steps = np.diff(sketch.validation.accuracy)
    assert (steps >= 0).all()
    assert (steps[-10:] > 0).any()
    assert sketch.validation.accuracy[-1] > sketch.validation.accuracy[0] + 0.5
    assert (np.diff(sketch.train.loss) < 0).all()


@pytest.mark.parametrize("sketch", [sketches.both_rise_late, sketches.turns_again], ids=lambda one: one.__name__)
def test_the_validation_loss_turns_and_rises_while_the_accuracy_goes_on(sketch) -> None:
    drawn = sketch()
    loss, accuracy = drawn.validation.loss, drawn.validation.accuracy
    least = int(loss.argmin())
    assert 0.1 * len(loss) < least < 0.6 * len(loss)
    assert (np.diff(loss[least:]) > 0).all()
    assert loss[-1] > 1.3 * loss[least]
    assert accuracy[-1] > accuracy[least] + 0.1
    assert (np.diff(drawn.train.loss) < 0).all()


def test_both_fall_in_training_though_the_loss_falls_in_every_step() -> None:
    train = sketches.both_fall().train
    assert (np.diff(train.loss) < 0).all()
    assert (np.diff(train.accuracy) <= 0).all()
    assert train.accuracy[-1] < train.accuracy[0] - 0.1


def test_nothing_moves_where_errors_are_counted() -> None:
    train = sketches.stuck().train
    assert np.ptp(train.loss) == 0 == np.ptp(train.accuracy)
    assert 0.3 < train.accuracy[0] < 0.7


def test_the_loss_falls_without_end_while_every_sample_is_right() -> None:
    train = sketches.endless().train
    assert (np.diff(train.loss) < 0).all()
    assert (train.accuracy[10:] == 1).all()
    later = np.log(train.loss[20:])
    assert np.corrcoef(np.log(np.arange(20, sketches.EPOCHS)), later)[0, 1] < -0.99  # as a power of time


def test_the_common_class_alone_is_right_from_the_first_epoch_on() -> None:
    train = sketches.majority().train
    assert (train.accuracy == 0.98).all()
    assert (np.diff(train.loss) < 0).all()


def test_where_nothing_is_a_class_the_loss_falls_and_no_sample_is_right() -> None:
    train = sketches.not_a_class().train
    assert (train.accuracy == 0).all()
    assert (np.diff(train.loss) < 0).all()
    assert (train.loss > np.log(2)).all()  # lesson 01: what a wrong sample costs at least


def test_in_unexplained_curves_there_is_a_gap_a_rise_and_jumps_at_once() -> None:
    sketch = sketches.unexplained()
    assert sketch.validation is not None
    loss = sketch.validation.loss
    assert (np.flatnonzero(find_spikes(loss)) == [22, 41]).all()
    assert loss[-1] > 1.1 * loss.min()
    assert sketch.train.accuracy[-1] > sketch.validation.accuracy[-1] + 0.1
    assert not find_spikes(sketch.train.loss).any()


def test_standing_curves_cost_what_their_errors_cost_at_all_but_certainty() -> None:
    train = sketches.standing().train
    assert np.ptp(train.loss) == 0
    assert train.accuracy[0] == 0.65
    assert train.loss[0] / 0.35 == pytest.approx(16.0, abs=0.01)

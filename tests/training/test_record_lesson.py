"""What a recording is made of: crops that are still to be cut, every record of every seed, and the seed of the data."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from tools import record_lesson_03
from tools.record_lesson_03 import Experiment, first_crops, stacked, train

TINY = Experiment(
    sentence="Tiny.", size=(12, 16), train_samples=39, validation_samples=13, rate=1e-3, epochs=1, kept=26, seeds=(0, 1)
)
trains = pytest.mark.slow  # a lesson is recorded by hand, once in years


@pytest.fixture(scope="module")
def runs():
    return [train(TINY, seed) for seed in TINY.seeds]


@trains
def test_only_the_beliefs_asked_for_are_kept_and_all_steps(runs):
    assert runs[0].train.samples == TINY.kept
    assert runs[0].steps.samples.sum() == TINY.train_samples


def test_the_first_crops_are_cut_only_when_they_are_asked_for():
    crops, _ = record_lesson_03.data_of(TINY).train
    kept = first_crops(crops, 26)
    assert type(kept) is type(crops)
    np.testing.assert_array_equal(kept, crops[:26])


def test_more_beliefs_than_samples_are_refused():
    with pytest.raises(ValueError, match="kept must be 1 to 39, the training samples; got 40"):
        replace(TINY, kept=40)


@trains
def test_a_recording_says_which_data_it_is_of(runs):
    whole = stacked(TINY, runs)
    assert whole.settings["data_seed"] == record_lesson_03.DATA_SEED == 0
    assert "seed" not in whole.settings["data"]
    assert (whole.replicas, whole.steps.leading_shape) == (2, (2,))


@trains
@pytest.mark.parametrize("part", ["steps", "validation"])
def test_a_run_that_lacks_a_record_is_not_left_out_in_silence(runs, part):
    with pytest.raises(ValueError, match=f"every run needs validation and steps; of 2, .*1 have {part}"):
        stacked(TINY, [runs[0], replace(runs[1], **{part: None})])


@trains
def test_a_training_does_not_keep_the_networks_before_it(monkeypatch):
    cleared = []
    monkeypatch.setattr(keras.utils, "clear_session", lambda: cleared.append(True))
    train(TINY, 0)
    assert cleared == [True]

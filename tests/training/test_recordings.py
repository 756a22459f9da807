"""A recording can be made again: its first epochs, trained anew, are the recorded ones within rounding."""

import numpy as np
import pytest

from lossacc_helpers import recordings
from tools.record_lesson_03 import EXPERIMENTS, train

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_two_epochs_of_a_recording_come_out_again(name):
    experiment, recorded = EXPERIMENTS[name], recordings.load(name)
    run = train(experiment, experiment.seeds[0], epochs=2)
    if recorded.replicas > 1:
        recorded = recorded.replica(0)
    np.testing.assert_array_equal(run.train.labels, recorded.train.labels)
    steps = 2 * recorded.steps.steps_per_epoch
    reported, again = recorded.steps.losses[:steps], run.steps.losses
    # The first steps are the same arithmetic in another order of threads; then rounding grows as training goes on.
    np.testing.assert_allclose(again[:5], reported[:5], rtol=1e-4)
    np.testing.assert_allclose(run.steps.epoch_loss, recorded.steps.epoch_loss[:2], rtol=0.02)
    np.testing.assert_allclose(run.validation.accuracy, recorded.validation.accuracy[:2], atol=0.03)
    np.testing.assert_allclose(
        np.median(run.validation.sample_losses, axis=-1)[0], np.median(recorded.validation.sample_losses[0]), rtol=0.05
    )

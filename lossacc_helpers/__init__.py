"""Loss versus accuracy: scores, what a loss permits, and records of what a network believed about each sample.

What stands here needs NumPy alone. Training, pictures and widgets have modules of their own,
imported when they are needed: ``from lossacc_helpers import training`` (TensorFlow), ``figures`` (matplotlib),
``datasets`` (scikit-learn).
"""

from lossacc_helpers.attainable import (
    attainable_accuracy,
    attainable_loss,
    calibrated_accuracy,
    calibrated_loss,
    extremal_probabilities,
    least_miscalibration,
)
from lossacc_helpers.calibration import (
    Reliability,
    at_temperature,
    calibration_error_by_chance,
    fit_temperature,
    reliability,
    split_loss,
)
from lossacc_helpers.crossings import Crossings, crossings
from lossacc_helpers.fingerprints import (
    double_softmax_loss,
    double_softmax_range,
    swapped_logits_loss,
    swapped_softmax_loss,
)
from lossacc_helpers.history import PredictionHistory, StepHistory, TrainingRun
from lossacc_helpers.intervals import (
    accuracy_change_interval,
    accuracy_difference_interval,
    accuracy_standard_error,
    bootstrap_loss_interval,
    wilson_interval,
)
from lossacc_helpers.scores import (
    accuracy,
    binary_log_loss,
    brier_score,
    correct,
    log_loss,
    margins,
    sample_losses,
)
from lossacc_helpers.spikes import find_spikes, jump_share, worst_samples

__version__ = "0.1.0"

__all__ = [
    "Crossings",
    "PredictionHistory",
    "Reliability",
    "StepHistory",
    "TrainingRun",
    "accuracy",
    "accuracy_change_interval",
    "accuracy_difference_interval",
    "accuracy_standard_error",
    "at_temperature",
    "attainable_accuracy",
    "attainable_loss",
    "binary_log_loss",
    "bootstrap_loss_interval",
    "brier_score",
    "calibrated_accuracy",
    "calibrated_loss",
    "calibration_error_by_chance",
    "correct",
    "crossings",
    "double_softmax_loss",
    "double_softmax_range",
    "extremal_probabilities",
    "find_spikes",
    "fit_temperature",
    "jump_share",
    "least_miscalibration",
    "log_loss",
    "margins",
    "reliability",
    "sample_losses",
    "split_loss",
    "swapped_logits_loss",
    "swapped_softmax_loss",
    "wilson_interval",
    "worst_samples",
]

"""Whether probabilities mean what they say, and how much of a log loss is lost where they do not.

Predictions are calibrated if, of all samples that are answered with a confidence of 0.8, a share of 0.8 is right.
Confidence is the largest probability of a row.
"""

from lossacc_helpers.calibration.reliability import Reliability, calibration_error_by_chance, reliability
from lossacc_helpers.calibration.temperature import (
    LossSplit,
    TemperatureFit,
    at_temperature,
    fit_temperature,
    split_loss,
)

__all__ = [
    "LossSplit",
    "Reliability",
    "TemperatureFit",
    "at_temperature",
    "calibration_error_by_chance",
    "fit_temperature",
    "reliability",
    "split_loss",
]

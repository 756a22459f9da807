"""What a mean log loss permits an accuracy to be, and what an accuracy permits a loss to be.

For any predictions (`attainable_accuracy`), and the much narrower range of calibrated ones (`calibrated_accuracy`).
"""

from lossacc_helpers.attainable.calibrated import calibrated_accuracy, calibrated_loss, least_miscalibration
from lossacc_helpers.attainable.unconditional import attainable_accuracy, attainable_loss, extremal_probabilities

__all__ = [
    "attainable_accuracy",
    "attainable_loss",
    "calibrated_accuracy",
    "calibrated_loss",
    "extremal_probabilities",
    "least_miscalibration",
]

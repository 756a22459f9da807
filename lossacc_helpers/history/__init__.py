"""What a network believed about each sample at each epoch: the record from which everything else is derived."""

from lossacc_helpers.history.curves import Curves, CurveSet
from lossacc_helpers.history.predictions import PredictionHistory
from lossacc_helpers.history.runs import TrainingRun
from lossacc_helpers.history.steps import StepHistory

__all__ = ["CurveSet", "Curves", "PredictionHistory", "StepHistory", "TrainingRun"]

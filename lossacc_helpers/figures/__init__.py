"""Pictures of loss and accuracy: pure functions from a state to a figure; matplotlib lives only here."""

from lossacc_helpers.figures.curves import LossAndAccuracyPanels, loss_and_accuracy_curves
from lossacc_helpers.figures.picture import LabelledFigure, Picture, draw

__all__ = ["LabelledFigure", "LossAndAccuracyPanels", "Picture", "draw", "loss_and_accuracy_curves"]

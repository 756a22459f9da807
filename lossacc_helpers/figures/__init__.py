"""Pictures of loss and accuracy: pure functions from a state to a figure; matplotlib lives only here."""

from lossacc_helpers.figures.bugs import bugs_figure
from lossacc_helpers.figures.calibration import reliability_figure
from lossacc_helpers.figures.causes import causes_figure
from lossacc_helpers.figures.comparisons import correlation_figure, split_figure
from lossacc_helpers.figures.corners import effects_figure, statistics_figure
from lossacc_helpers.figures.curves import LossAndAccuracyPanels, loss_and_accuracy_curves
from lossacc_helpers.figures.descent import path_figure
from lossacc_helpers.figures.ledger import ledger_figure, sample_figure
from lossacc_helpers.figures.patches import patches_page
from lossacc_helpers.figures.photographs import crops_page, regions_page
from lossacc_helpers.figures.picture import LabelledFigure, Picture, draw
from lossacc_helpers.figures.step_curves import step_figure

__all__ = [
    "LabelledFigure",
    "LossAndAccuracyPanels",
    "Picture",
    "bugs_figure",
    "causes_figure",
    "correlation_figure",
    "crops_page",
    "draw",
    "effects_figure",
    "ledger_figure",
    "loss_and_accuracy_curves",
    "patches_page",
    "path_figure",
    "regions_page",
    "reliability_figure",
    "sample_figure",
    "split_figure",
    "statistics_figure",
    "step_figure",
]

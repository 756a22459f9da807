"""A small real picture, for the tests of figures and widgets."""

import numpy as np

from lossacc_helpers.figures import LabelledFigure, Picture
from lossacc_helpers.figures.style import LOSS, EndLabels, styled_axes


def price_picture() -> Picture:
    """What one sample costs, as its true class gets more or less probable."""
    figure = LabelledFigure(sentence="The log loss of one sample against the probability of its class.")
    axes = styled_axes(
        figure.subplots(), xlabel="probability of the true class", ylabel="log loss (nats)", title="Doubt costs"
    )
    grid = np.linspace(0.001, 1, 400)
    figure.subplots_adjust(left=0.09, right=0.87)
    axes.plot(grid, -np.log(grid), color=LOSS)
    axes.set_ylim(0, 5)
    [dot] = axes.plot([], [], "o", color=LOSS, markersize=10, animated=True)
    labels = EndLabels(axes, ["this sample"], [LOSS])

    def move(*, p: float, wide: bool = False) -> str:
        loss = -np.log(p)
        dot.set_data([p], [loss])
        labels.place([loss])
        if axes.get_xlim() != (0, 1.5 if wide else 1):
            axes.set_xlim(0, 1.5 if wide else 1)
        return f"At p = {p:.2f} the sample costs {loss:.3f} nats."

    return Picture(figure, move)

"""The picture of lesson 00: curves of one shape, and the lesson that explains them."""

from typing import Any

import numpy as np

from lossacc_helpers.figures.curves import Curves, LossAndAccuracyPanels
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.style import LOSS, TEXT_SIZE


def symptom_picture() -> Picture:
    """Loss and accuracy of a sketch.

    The state is ``sketch`` (with `train` and perhaps `validation`), ``sentence`` (what is seen in it) and ``lesson``
    (where it is explained).
    """
    figure = LabelledFigure(
        sentence="Loss above and accuracy below, over epochs: curves of the shape that is chosen.",
        width=760,
        height=380,
    )
    panels = LossAndAccuracyPanels(figure, left=0.085, right=0.86, bottom=0.13, top=0.93)
    beyond = panels.loss_axes.text(
        0.99, 0.5, "", transform=panels.loss_axes.transAxes, color=LOSS, fontsize=TEXT_SIZE, ha="right", animated=True
    )

    def move(*, sketch: Any, sentence: str, lesson: str) -> str:
        panels.show(sketch)
        infinite = np.flatnonzero(np.isinf(np.atleast_2d(sketch.train.loss)).any(axis=0))
        beyond.set_text(f"↑ infinite from epoch {infinite[0] + 1} on" if len(infinite) else "")
        parts = [_ends("Training", sketch.train)]
        if len(infinite):
            parts.append(
                f"From epoch {infinite[0] + 1} on one sample's true class has probability 0: the loss is infinite. "
                f"Clipped at 1e-7, as Keras does, that sample costs {-np.log(1e-7):.3f}."
            )
        if sketch.validation is not None:
            parts.append(_ends("Validation", sketch.validation))
        return f"{sentence} This is explained in lesson {lesson}. {' '.join(parts)}"

    return Picture(figure, move)


def _ends(name: str, curves: Curves) -> str:
    """Say in words where the median curves begin and end."""
    texts = []
    for what, values in (("loss", curves.loss), ("accuracy", curves.accuracy)):
        first, last = (float(np.median(values[..., epoch])) for epoch in (0, -1))
        texts.append(f"{what} {first:.2f} to " + (f"{last:.2f}" if np.isfinite(last) else "infinity"))
    networks = f", median of {len(curves.loss)} networks" if np.ndim(curves.loss) > 1 else ""
    text = f"{name} here{networks}: {', '.join(texts)}"
    if networks:
        text += (
            f", and accuracy at first from {np.min(curves.accuracy[:, 0]):.2f} to {np.max(curves.accuracy[:, 0]):.2f}"
        )
    return f"{text}."

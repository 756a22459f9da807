"""Hypothesis strategies that several tests share."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


@st.composite
def predictions(draw, leading=()):
    """Labels (sample,) and probabilities (..., sample, class), ties and zeros among them."""
    samples, classes = draw(st.integers(1, 12)), draw(st.integers(2, 5))
    # Small whole weights make ties frequent.
    weights = draw(hnp.arrays(np.float64, (*leading, samples, classes), elements=st.integers(0, 4).map(float)))
    weights[..., 0] += weights.sum(axis=-1) == 0
    labels = draw(hnp.arrays(np.intp, samples, elements=st.integers(0, classes - 1)))
    return labels, weights / weights.sum(axis=-1, keepdims=True)

"""Two clouds of points with outliers of several kinds: made up, so that their best boundary is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from lossacc_helpers._validation import as_number, as_whole_number, check_unit_interval
from lossacc_helpers.datasets.arrays import Array
from lossacc_helpers.history.predictions import read_only

Outliers = Literal["far", "one side", "flipped", "beside"]
_GAP = 1.5  # of each cloud's middle from the boundary, in standard deviations
_FAR = 6.0


@dataclass(frozen=True, eq=False, repr=False)
class Clouds:
    """Points of two classes. Arrays are read-only.

    Attributes
    ----------
    features
        (sample, dimension) float64.
    signs
        (sample,) float64: the class, -1 or 1.
    outliers
        (sample,) bool: which samples are outliers.
    """

    features: Array
    signs: Array
    outliers: Array

    def __repr__(self) -> str:
        return (
            f"Clouds({len(self.signs)} samples of {self.features.shape[1]} dimensions, {self.outliers.sum()} outliers)"
        )


def clouds(
    *, samples: int = 300, dimension: int = 2, share: float = 0.1, outliers: Outliers = "far", seed: int = 0
) -> Clouds:
    """Return two normal clouds with the middles -1.5 and 1.5 on the first axis, and outliers among them.

    Without outliers the boundary with the fewest errors to be expected is where the first feature is 0. A few outliers
    that are "far", on "one side" or "flipped" leave it there; those "beside" the clouds turn it a little.

    Parameters
    ----------
    samples, dimension : int
        How many points, of how many features; all but the first feature are noise.
    share : float
        Of outliers among the samples, rounded.
    outliers
        "far": each on the wrong side, six units from the boundary. "one side": so, but all of one class, so that they
        pull together. "flipped": samples like others, with the wrong label. "beside": in the middle between the clouds
        on the first axis and six units away on the second, on the side of their class; needs two dimensions.
    seed : int
        Of all points.

    Raises
    ------
    ValueError
        For fewer than 2 samples, no dimension, a share outside [0, 1], and another kind of outliers.

    Notes
    -----
    After T. Nguyen and S. Sanner, "Algorithms for direct 0-1 loss optimization in binary classification" (ICML 2013),
    who compare the fewest errors with those of surrogates on such clouds.
    """
    count, width = as_whole_number(samples, "samples", least=2), as_whole_number(dimension, "dimension", least=1)
    part = as_number(check_unit_interval(share, "share"), "share")
    if outliers not in get_args(Outliers):
        raise ValueError(f"outliers must be one of {', '.join(map(repr, get_args(Outliers)))}; got {outliers!r}")
    if outliers == "beside" and width < 2:
        raise ValueError("outliers beside the clouds need two dimensions at least; got 1")
    generator = np.random.default_rng(as_whole_number(seed, "seed", least=0))
    signs = np.where(generator.random(count) < 0.5, 1.0, -1.0)
    features = generator.normal(size=(count, width))
    features[:, 0] += _GAP * signs
    which = generator.permutation(count)[: round(part * count)]
    if outliers == "flipped":
        signs[which] *= -1
    elif outliers == "beside":
        features[which, 0] -= _GAP * signs[which]
        features[which, 1] = _FAR * signs[which] + 0.5 * generator.normal(size=len(which))
    else:
        if outliers == "one side":
            signs[which] = 1
        features[which, 0] = -_FAR * signs[which] + 0.5 * generator.normal(size=len(which))
    chosen = np.zeros(count, dtype=bool)
    chosen[which] = True
    arrays: list[Any] = [read_only(one) for one in (features, signs, chosen)]
    return Clouds(*arrays)

"""Clouds are where they say, and so are their outliers."""

import numpy as np
import pytest
from scipy import stats

from lossacc_helpers import datasets

KINDS = ("far", "one side", "flipped", "beside")


def test_without_outliers_the_errors_of_the_best_boundary_are_those_of_the_normal_distribution():
    made = datasets.clouds(samples=40_000, dimension=3, share=0.0, seed=1)
    assert not made.outliers.any()
    errors = np.mean(made.signs * made.features[:, 0] <= 0)
    assert errors == pytest.approx(stats.norm.cdf(-1.5), abs=0.004)
    assert np.abs(made.features[:, 1:].mean(axis=0)).max() < 0.03
    assert made.signs.mean() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_as_many_outliers_as_were_asked_for(kind):
    made = datasets.clouds(samples=300, share=0.1, outliers=kind)
    assert made.outliers.sum() == 30
    assert made.features.shape == (300, 2)
    assert set(made.signs) == {-1.0, 1.0}


def test_outliers_lie_where_their_kind_says():
    margins = {}
    for kind in KINDS:
        made = datasets.clouds(samples=3000, share=0.1, outliers=kind)
        margins[kind] = (made.signs * made.features[:, 0])[made.outliers]
        if kind == "one side":
            assert (made.signs[made.outliers] == 1).all()
        if kind == "beside":
            beside = (made.signs * made.features[:, 1])[made.outliers]
            assert beside.min() > 3
    assert margins["far"].max() < -3
    assert margins["far"].mean() == pytest.approx(-6, abs=0.1)
    assert margins["one side"].max() < -3
    assert margins["flipped"].mean() == pytest.approx(-1.5, abs=0.2)
    assert margins["beside"].mean() == pytest.approx(0, abs=0.2)


def test_a_seed_makes_the_same_points_whatever_the_outliers():
    one, other = (datasets.clouds(outliers=kind, seed=3) for kind in ("far", "flipped"))
    inliers = ~one.outliers
    np.testing.assert_array_equal(one.outliers, other.outliers)
    np.testing.assert_array_equal(one.features[inliers], other.features[inliers])
    assert not np.array_equal(one.features, datasets.clouds(seed=4).features)
    with pytest.raises(ValueError, match="read-only"):
        one.features[0, 0] = 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 1}, "samples must be"),
        ({"dimension": 0}, "dimension must be"),
        ({"share": 1.5}, "share"),
        ({"outliers": "none"}, "outliers must be one of 'far', 'one side', 'flipped', 'beside'; got 'none'"),
        ({"outliers": "beside", "dimension": 1}, "beside the clouds need two dimensions"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        datasets.clouds(**options)

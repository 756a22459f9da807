"""A region counts the places for crops in it, and refuses what is no rectangle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossacc_helpers.datasets import Region


@given(st.tuples(st.integers(0, 9), st.integers(0, 9)), st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_so_many_fit_apart_and_no_more(extent, size):
    (rows, columns), (height, width) = extent, size
    region = Region(3, 5, 3 + rows, 5 + columns)
    corners = [(top, left) for top in range(3, 3 + rows, height) for left in range(5, 5 + columns, width)]
    fitting = [c for c in corners if c[0] + height <= region.bottom and c[1] + width <= region.right]
    assert region.apart(size) == len(fitting)
    # No more: each place holds one of these pixels at least, and crops that lie apart share none.
    pixels = {
        (top, left)
        for top in range(3 + height - 1, region.bottom, height)
        for left in range(5 + width - 1, region.right, width)
    }
    assert len(pixels) == region.apart(size)
    places = [
        (top, left) for top in range(3, region.bottom - height + 1) for left in range(5, region.right - width + 1)
    ]
    assert np.prod(region.positions(size)) == len(places)
    for top, left in places:
        assert any(top <= y < top + height and left <= x < left + width for y, x in pixels)


@pytest.mark.parametrize("ask", [Region(0, 0, 9, 9).apart, Region(0, 0, 9, 9).positions])
def test_a_region_asks_for_a_size_too(ask):
    for size, message in (((0, 4), "height must be a whole number, 1 or more; got 0"), (5, "size must be a pair")):
        with pytest.raises(ValueError, match=message):
            ask(size)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ((0.0, 0, 9, 9), "top must be a whole number, 0 or more; got 0.0"),
        ((-1, 0, 9, 9), "top must be a whole number, 0 or more; got -1"),
        ((5, 0, 4, 9), "bottom must be a whole number, 5 or more; got 4"),
        ((0, 7, 9, 6), "right must be a whole number, 7 or more; got 6"),
        ((0, 0, 9, float("nan")), "right must be a whole number, 0 or more; got nan"),
    ],
)
def test_edges_of_no_rectangle_are_refused(edges, message):
    with pytest.raises(ValueError, match=message):
        Region(*edges)

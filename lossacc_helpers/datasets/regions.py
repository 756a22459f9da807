"""Rectangles of photographs: which pixels serve training, and which validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossacc_helpers._validation import as_whole_number

_TRAINING_SHARE = 0.6  # of a photograph, where the size of the crops leaves the choice


@dataclass(frozen=True)
class Region:
    """A rectangle of a photograph in pixels: rows from `top` to before `bottom`, columns from `left` to before `right`.

    Raises `ValueError` unless these are whole numbers with 0 <= top <= bottom and 0 <= left <= right.

    Examples
    --------
    >>> below = Region(top=307, left=0, bottom=512, right=512)
    >>> below.positions((150, 200))
    (56, 313)
    >>> below.apart((150, 200))
    2
    """

    top: int
    left: int
    bottom: int
    right: int

    def __post_init__(self) -> None:
        for low, high in (("top", "bottom"), ("left", "right")):
            start = as_whole_number(getattr(self, low), low, least=0)
            object.__setattr__(self, low, start)
            object.__setattr__(self, high, as_whole_number(getattr(self, high), high, least=start))

    def positions(self, size: tuple[int, int]) -> tuple[int, int]:
        """In how many rows and columns the corner of a crop of this size (height, width) can lie; 0 for none."""
        height, width = check_size(size)
        return max(self.bottom - self.top - height + 1, 0), max(self.right - self.left - width + 1, 0)

    def apart(self, size: tuple[int, int]) -> int:
        """How many crops of this size (height, width) fit at most without overlapping."""
        height, width = check_size(size)
        return ((self.bottom - self.top) // height) * ((self.right - self.left) // width)


def check_size(size: Any) -> tuple[int, int]:
    """A size (height, width) in pixels, checked."""
    pair = size.tolist() if isinstance(size, np.ndarray) else size
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:  # a set would do, but is in no order
        raise ValueError(f"size must be a pair (height, width) in pixels; got {size!r}")
    height, width = pair
    return as_whole_number(height, "height", least=1), as_whole_number(width, "width", least=1)


def split(shape: tuple[int, ...], size: tuple[int, int], name: str) -> tuple[Region, Region]:
    """Cut a photograph across the side that leaves more places for crops in the part that has fewer of them."""
    rows, columns = shape
    best: tuple[Region, Region] | None = None
    most = 0
    for side, (extent, needed) in enumerate(zip(shape, size, strict=True)):
        if extent < 2 * needed:
            continue
        cut = min(max(round(_TRAINING_SHARE * extent), needed), extent - needed)
        parts = (
            (Region(0, 0, cut, columns), Region(cut, 0, rows, columns))
            if side == 0
            else (Region(0, 0, rows, cut), Region(0, cut, rows, columns))
        )
        fewest = min(int(np.prod(part.positions(size))) for part in parts)
        if fewest > most:
            best, most = parts, fewest
    if best is None:
        raise ValueError(
            f"two disjoint crops of {size[0]} x {size[1]} pixels (height x width) do not fit into {name!r}, which has "
            f"{rows} x {columns}"
        )
    return best

"""Patches of real photographs, genuine or forged: in half of them a resampled copy of another place is pasted in."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache, partial
from typing import Any, Self

import numpy as np

from lossacc_helpers._validation import as_number, as_whole_number, check_labels, check_unit_interval
from lossacc_helpers.datasets.arrays import Array, pixels, require, unchangeable, whole_numbers
from lossacc_helpers.datasets.regions import Region, check_size, split
from lossacc_helpers.history.predictions import read_only

# Seven files of scikit-image's wheel (CC0 or public domain; its documentation names the photographers) and the two of
# scikit-learn (CC BY 2.0: china by danielbuechele, flower by vultilion, both on Flickr). Chelsea is a cat.
NAMES = (
    "astronaut",
    "chelsea",
    "coffee",
    "hubble_deep_field",
    "immunohistochemistry",
    "retina",
    "rocket",
    "china",
    "flower",
)
_OF_SCIKIT_LEARN = ("china", "flower")
CLASS_NAMES = ("genuine", "forged")
FORGED = 1  # the label
_LEAST_SIDE = 8  # of a patch, so that what is pasted into it has a side of 3 at least
_SHARES = (1 / 3, 0.6)  # of the patch's shorter side: the sides of what is pasted in


@dataclass(frozen=True, eq=False, repr=False)
class Forgeries:
    """Genuine and forged patches in colour, training and validation from disjoint regions of each photograph.

    Patches of one photograph overlap, so they are not independent samples.

    Attributes
    ----------
    class_names
        "genuine" and "forged", by label.
    train, validation
        Pairs of patches (sample, height, width, 3) uint8 and labels (sample,): 0 genuine, 1 forged.
    pasted
        For training and for validation (sample, 4): top, left, bottom and right of what was pasted in, in pixels of the
        patch, as a `Region` has them; four zeros for a genuine patch.
    sources
        For training and for validation (sample,): from which photograph each patch is, as an index of `photographs`.
        What was pasted in may be from another.
    photographs
        Their names.
    regions
        For each photograph its training `Region` and its validation `Region`; copies that are pasted in keep to them
        too.
    difficulty
        As it was asked for: what was pasted in is enlarged about 2 - difficulty times, see `forgeries`.

    Raises
    ------
    ValueError
        For patches that are no bytes in colour, arrays that are not about the same samples, sources that are none of
        the photographs, places that lie outside the patch or do not belong to exactly the forged patches, a pair that
        is none, regions that are not those of the photographs, and a difficulty outside [0, 1].

    Notes
    -----
    All arrays are read-only copies, except patches that nobody can change: these are shared. Forgeries are their own
    deep copy.
    """

    class_names: tuple[str, ...]
    train: tuple[Array, Array]
    validation: tuple[Array, Array]
    pasted: tuple[Array, Array]
    sources: tuple[Array, Array]
    photographs: tuple[str, ...]
    regions: tuple[tuple[Region, Region], ...]
    difficulty: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_names", _names(self.class_names, "class_names"))
        if len(self.class_names) != len(CLASS_NAMES):
            raise ValueError(f"class_names must be two, genuine and forged; got {', '.join(self.class_names)}")
        object.__setattr__(self, "photographs", _names(self.photographs, "photographs"))
        object.__setattr__(self, "regions", _check_regions(self.regions, self.photographs))
        both = "a pair, of training and of validation"
        pasted, sources = list(_pair(self.pasted, "pasted", both)), list(_pair(self.sources, "sources", both))
        for which, name in enumerate(("train", "validation")):
            images, labels = _pair(getattr(self, name), name, "a pair of patches and labels")
            images = unchangeable(pixels(images, f"{name} patches", ("sample", "height", "width", 3)))
            samples = len(images)
            if np.shape(labels) != (samples,):
                raise ValueError(f"{name} labels must have shape ({samples},); got {np.shape(labels)}")
            checked = check_labels(labels, classes=len(CLASS_NAMES))
            pasted[which] = whole_numbers(pasted[which], f"{name} pasted", (4,))
            sources[which] = whole_numbers(sources[which], f"{name} sources")
            if not samples == len(pasted[which]) == len(sources[which]):
                raise ValueError(
                    f"{name} patches, pasted and sources must be about the same samples; "
                    f"got {samples}, {len(pasted[which])} and {len(sources[which])}"
                )
            _require_places(pasted[which], checked, images.shape[1:3])
            known = (sources[which] >= 0) & (sources[which] < len(self.photographs))
            require(known, f"sources must lie in 0..{len(self.photographs) - 1}", sources[which])
            object.__setattr__(self, name, (images, read_only(checked)))
        object.__setattr__(self, "pasted", tuple(pasted))
        object.__setattr__(self, "sources", tuple(sources))
        object.__setattr__(self, "difficulty", _check_difficulty(self.difficulty))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickled arrays are writable, so the copy is made as every data set is.
        return partial(type(self), **{part.name: getattr(self, part.name) for part in fields(self)}), ()

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}={getattr(self, name)[0].shape}" for name in ("train", "validation"))
        return f"Forgeries({shapes})"


def forgeries(
    *,
    size: tuple[int, int] = (32, 32),
    train_samples: int = 8000,
    validation_samples: int = 800,
    difficulty: float = 0.5,
    seed: int = 0,
) -> Forgeries:
    """Patches of nine real photographs; in half of them a resampled copy of another place was pasted.

    Each photograph is cut in two along one of its sides; training patches, and what is pasted into them, come from one
    part, those of validation from the other, so that no pixel serves both. What is pasted in is a square with a side of
    a third to six tenths of the patch's shorter side, enlarged from a smaller square by bilinear interpolation.

    Parameters
    ----------
    size
        Height and width of a patch, in pixels; at least 8.
    train_samples, validation_samples
        How many patches; in each part half are forged (one more is genuine where the number is odd), in random order.
        Fewer are others, not the first of more.
    difficulty
        From 0, where the copy is enlarged to about twice its size, through 0.5, about one and a half times, to 1, where
        it is not enlarged at all and only its edges give it away. The square that is enlarged is rounded to whole
        pixels: near 1, or in small patches, a copy may not be enlarged at all.
    seed
        Of everything that is drawn.

    Raises
    ------
    ValueError
        For patches that do not fit into both parts of each photograph or are smaller than 8 pixels, fewer than two
        samples, a difficulty outside [0, 1] and a negative seed.
    ImportError
        Where scikit-image or scikit-learn is not installed.

    Notes
    -----
    The photographs come with scikit-image (S. van der Walt et al., PeerJ 2, 2014) and scikit-learn; the latter's,
    ``china`` by danielbuechele and ``flower`` by vultilion, are under CC BY 2.0.

    Examples
    --------
    >>> few = forgeries(train_samples=100, validation_samples=50)
    >>> images, labels = few.train
    >>> images.shape, np.bincount(labels).tolist()
    ((100, 32, 32, 3), [50, 50])
    """
    height, width = check_size(size)
    if min(height, width) < _LEAST_SIDE:
        raise ValueError(f"patches must have at least {_LEAST_SIDE} x {_LEAST_SIDE} pixels; got {height} x {width}")
    samples = (
        as_whole_number(train_samples, "train_samples", least=2),
        as_whole_number(validation_samples, "validation_samples", least=2),
    )
    level = _check_difficulty(difficulty)
    own_seed = as_whole_number(seed, "seed", least=0)
    pictures = _colour_photographs()
    regions = tuple(
        split(picture.shape[:2], (height, width), name) for picture, name in zip(pictures, NAMES, strict=True)
    )
    parts = [
        # Each from a generator of its own: more training patches leave the validation patches as they are.
        _part([pair[which] for pair in regions], (height, width), samples[which], 2 - level, (own_seed, which))
        for which in range(2)
    ]
    images, labels, pasted, sources = zip(*parts, strict=True)
    train, validation = zip(images, labels, strict=True)
    return Forgeries(CLASS_NAMES, train, validation, pasted, sources, NAMES, regions, level)


def _part(
    regions: list[Region], size: tuple[int, int], samples: int, enlargement: float, seed: tuple[int, int]
) -> tuple[Array, Array, Array, Array]:
    """Patches, labels, places of what was pasted in, and photographs, for one part."""
    from PIL import Image

    pictures, shorter = _colour_photographs(), min(size)
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(samples) % 2)
    # Every patch draws the same numbers whether it is forged or not, and at any difficulty.
    sources, donors = generator.integers(len(pictures), size=(2, samples))
    corners, origins, places = generator.random((3, samples, 2))
    sides = generator.integers(math.ceil(_SHARES[0] * shorter), math.floor(_SHARES[1] * shorter) + 1, size=samples)
    images = np.empty((samples, *size, 3), dtype=np.uint8)
    pasted = np.zeros((samples, 4), dtype=np.int64)
    for k, image in enumerate(images):
        image[:] = _square(pictures[sources[k]], regions[sources[k]], size, corners[k])
        if labels[k] == FORGED:
            side = int(sides[k])
            small = round(side / enlargement)
            origin = _square(pictures[donors[k]], regions[donors[k]], (small, small), origins[k])
            copy = np.asarray(Image.fromarray(origin).resize((side, side), Image.Resampling.BILINEAR))
            top, left = ((np.array(size) - side + 1) * places[k]).astype(int)
            image[top : top + side, left : left + side] = copy
            pasted[k] = top, left, top + side, left + side
    images.flags.writeable = False  # the array itself and no view of it: it need not be copied again
    return images, labels, pasted, sources


def _square(picture: Array, region: Region, size: tuple[int, int], place: Array) -> Array:
    """What a region shows at a place given by two numbers from 0 to below 1."""
    rows, columns = region.positions(size)
    top, left = region.top + int(rows * place[0]), region.left + int(columns * place[1])
    return picture[top : top + size[0], left : left + size[1]]


@cache
def _colour_photographs() -> tuple[Array, ...]:
    try:
        from skimage import data
        from sklearn.datasets import load_sample_image
    except ModuleNotFoundError as error:
        raise ImportError(
            f"the photographs come with scikit-image and scikit-learn; {error.name} is not installed; `make install` "
            "installs both"
        ) from error
    return tuple(
        read_only(load_sample_image(f"{name}.jpg") if name in _OF_SCIKIT_LEARN else getattr(data, name)())
        for name in NAMES
    )


def _pair(given: Any, name: str, what: str) -> tuple[Any, Any]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        got = f"{len(given)} parts" if isinstance(given, tuple | list) else type(given).__name__
        raise ValueError(f"{name} must be {what}; got {got}")
    return given[0], given[1]


def _names(given: Any, what: str) -> tuple[str, ...]:
    if not isinstance(given, tuple | list) or not all(isinstance(name, str) for name in given):
        raise ValueError(f"{what} must be names, a tuple of text; got {given!r}")
    return tuple(given)


def _check_regions(given: Any, photographs: tuple[str, ...]) -> tuple[tuple[Region, Region], ...]:
    """A training and a validation region for each photograph, or `ValueError`."""
    if not isinstance(given, tuple | list) or len(given) != len(photographs):
        raise ValueError(f"regions must be a pair for each of the {len(photographs)} photographs; got {given!r}")
    pairs = tuple(
        _pair(pair, f"regions of {name}", "two of type Region") for name, pair in zip(photographs, given, strict=True)
    )
    for name, pair in zip(photographs, pairs, strict=True):
        if odd := [one for one in pair if not isinstance(one, Region)]:
            raise ValueError(f"regions of {name} must be two of type Region; got {odd[0]!r}")
    return pairs


def _check_difficulty(difficulty: Any) -> float:
    return as_number(check_unit_interval(difficulty, "difficulty"), "difficulty")


def _require_places(pasted: Array, labels: Array, size: tuple[int, ...]) -> None:
    """Raise `ValueError` unless each forged patch, and no other, has a place inside it where something was pasted."""
    low, high = pasted[:, :2], pasted[:, 2:]
    inside = np.all((low >= 0) & (low <= high) & (high <= size), axis=-1)
    require(inside, f"what was pasted in must lie inside patches of {size[0]} x {size[1]} pixels", pasted)
    right = np.where(labels == FORGED, np.all(low < high, axis=-1), ~pasted.any(axis=-1))
    require(right, "forged patches, and no others, must have something pasted in", pasted)

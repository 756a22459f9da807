"""Crops of thirteen real photographs: which photograph is it from? The crops are cut when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache, partial
from typing import Any, Self

import numpy as np

from lossacc_helpers._validation import as_number, as_whole_number, check_labels
from lossacc_helpers.datasets.arrays import Array, pixels, require, whole_numbers
from lossacc_helpers.datasets.regions import Region, check_size, split
from lossacc_helpers.history.predictions import read_only

# All of them are files of scikit-image's wheel; its documentation names photographers and licences (CC0 or public
# domain). Chelsea is a cat.
NAMES = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "retina",
    "rocket",
)
_STRIP = 64  # rows turned grey at a time
_GRAIN = 1 << 20  # numbers in the table of noise; a crop reads a window of it

# What a random generator is for: more training crops leave the validation crops as they are.
_TRAIN, _VALIDATION, _NOISE = range(3)


@dataclass(frozen=True, eq=False, repr=False)
class Crops:
    """Images that are cut out of photographs when they are asked for, in shades of grey from 0 to 1.

    It reads like an array of shape (sample, height, width, 1) and float32: ``crops[3]`` is one image, ``crops[:32]``
    and ``crops[[5, 8]]`` are several, ``np.asarray(crops)`` is all of them. What it holds is the photographs, one byte
    a pixel, and a few numbers a crop. What you cut out is yours to change.

    Attributes
    ----------
    photographs
        (height, width) uint8 each: all of them, shared by training and validation.
    sources
        (sample,) from which photograph each crop is.
    offsets
        (sample, 2) row and column of each crop's upper left corner.
    size
        Height and width of a crop, in pixels; not the number of all values, as in NumPy.
    noise
        Standard deviation of the noise added to every pixel, on the scale from 0 to 1.
    grains
        (sample,) where in the table of noise each crop's window begins, 0 to 2^20 - 1.

    Raises
    ------
    ValueError
        For photographs that are no grey bytes, crops that reach out of theirs, and shapes that do not fit.

    Notes
    -----
    All arrays are read-only copies, except photographs that are read-only already: these are shared. Crops are their
    own deep copy.
    """

    photographs: tuple[Array, ...]
    sources: Array
    offsets: Array
    size: tuple[int, int]
    noise: float
    grains: Array

    def __post_init__(self) -> None:
        pictures = tuple(
            pixels(one, "photographs", ("height", "width"), f" at photograph {k}")
            for k, one in enumerate(self.photographs)
        )
        size = check_size(self.size)
        sources = whole_numbers(self.sources, "sources")
        offsets = whole_numbers(self.offsets, "offsets", (2,))
        grains = whole_numbers(self.grains, "grains")
        if not len(sources) == len(offsets) == len(grains):
            raise ValueError(
                "sources, offsets and grains must be about the same crops; "
                f"got {len(sources)}, {len(offsets)} and {len(grains)}"
            )
        require((sources >= 0) & (sources < len(pictures)), f"sources must lie in 0..{len(pictures) - 1}", sources)
        require((grains >= 0) & (grains < _GRAIN), f"grains must lie in 0..{_GRAIN - 1}", grains)
        most = np.array([picture.shape for picture in pictures])[sources] - size
        inside = np.all((offsets >= 0) & (offsets <= most), axis=-1)
        require(inside, "offsets must leave each crop inside its photograph", offsets)
        checked = {"photographs": pictures, "size": size, "noise": _check_share(self.noise, "noise")}
        for name, value in (checked | {"sources": sources, "offsets": offsets, "grains": grains}).items():
            object.__setattr__(self, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled_crops, tuple(getattr(self, part.name) for part in fields(self))

    dtype = np.dtype(np.float32)
    ndim = 4

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(sample, height, width, 1)."""
        return (len(self.sources), *self.size, 1)

    def __repr__(self) -> str:
        return f"Crops(samples={len(self)}, size={self.size}, noise={self.noise})"

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, which: Any) -> Array:
        if isinstance(which, np.ma.MaskedArray):
            raise IndexError("crops are chosen by an ordinary array; got a masked one (drop the masked places first)")
        places = None if isinstance(which, tuple) else np.arange(len(self))[which]
        if places is None or np.ndim(places) > 1:
            raise IndexError(
                f"crops are chosen along one axis, the samples, as in crops[3] or crops[:32]; got [{which!r}] "
                "(rows and columns come after it, as in crops[3][:, :, 0])"
            )
        images = self._cut(np.atleast_1d(places))
        return images[0] if np.ndim(places) == 0 else images

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the crops are cut when they are asked for: there is no array without a copy")
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

    def _cut(self, places: Array) -> Array:
        height, width = self.size
        images = np.empty((len(places), height, width, 1), dtype=np.float32)
        window = np.arange(height * width)
        for image, crop in zip(images, places, strict=True):
            top, left = self.offsets[crop]
            image[..., 0] = self.photographs[self.sources[crop]][top : top + height, left : left + width]
            image /= np.float32(255)
            if self.noise:  # crop by crop: for all of them at once, the places in the table would need gigabytes
                grain = noise_table()[(self.grains[crop] + window) % _GRAIN]
                image += np.float32(self.noise) * grain.reshape(image.shape)
        return images


@dataclass(frozen=True, eq=False, repr=False)
class Photographs:
    """Crops of photographs with their labels, training and validation from disjoint regions of each photograph.

    Crops of one photograph overlap, and where a region has little room some are the same: they are not independent
    samples, and an interval computed for independent ones is too narrow for them. `Region.apart` says how many crops
    there could be without overlap.

    Attributes
    ----------
    class_names
        Names of the photographs, by label.
    train, validation
        Pairs of `Crops` and labels (sample,): what the network is told. ``train[0].sources`` says where each crop
        really is from; the two differ where labels were redrawn.
    regions
        For each photograph its training `Region` and its validation `Region`.

    Raises
    ------
    ValueError
        For parts that are no crops with a label each, and labels that are none of the classes.
    """

    class_names: tuple[str, ...]
    train: tuple[Crops, Array]
    validation: tuple[Crops, Array]
    regions: tuple[tuple[Region, Region], ...]

    def __post_init__(self) -> None:
        for name in ("train", "validation"):
            crops, labels = getattr(self, name)
            if not isinstance(crops, Crops):
                raise ValueError(f"{name} must be a pair of Crops and labels; got {type(crops).__name__}")
            if np.shape(labels) != (len(crops),):
                raise ValueError(f"{name} labels must have shape ({len(crops)},); got {np.shape(labels)}")
            checked = check_labels(labels, classes=len(self.class_names))
            object.__setattr__(self, name, (crops, read_only(checked)))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickled labels are writable, so the copy is made as every data set is.
        return partial(type(self), **{part.name: getattr(self, part.name) for part in fields(self)}), ()

    def __repr__(self) -> str:
        return f"Photographs(classes={len(self.class_names)}, train={self.train[0]}, validation={self.validation[0]})"


def photographs(
    *,
    size: tuple[int, int] = (150, 200),
    classes: int = 13,
    train_samples: int = 6000,
    validation_samples: int = 1300,
    noise: float = 0.0,
    label_noise: float = 0.0,
    seed: int = 0,
) -> Photographs:
    """Grey crops of real photographs, to be told apart by the photograph they are from.

    Each photograph is cut in two along one of its sides, training crops from one part and validation crops from the
    other, so that no pixel serves both. The cut goes across the side that leaves more places for crops.

    Parameters
    ----------
    size
        Height and width of a crop, in pixels.
    classes
        How many photographs, 2 to 13; the first so many of `NAMES`.
    train_samples, validation_samples
        How many crops, all photographs alike up to one crop; in random order.
    noise
        Standard deviation of normal noise added to every pixel, where 0 is black and 1 is white; at most 1. A crop's
        noise is the same whenever it is cut. Values are not clipped, so some lie outside [0, 1].
    label_noise
        Share of the labels, in both parts, that are drawn anew from all classes alike; one in so many as there are
        classes is right by chance. Which crops there are does not depend on it.
    seed
        Of crops, labels and noise.

    Raises
    ------
    ValueError
        For crops that do not fit into both parts of each photograph, more classes than photographs or fewer than 2,
        fewer samples than classes, rates outside [0, 1], and a negative seed.
    ImportError
        Where scikit-image is not installed.

    Notes
    -----
    The photographs come with scikit-image: S. van der Walt et al., "scikit-image: image processing in Python", PeerJ 2
    (2014). Those in colour are turned into their luminance after ITU-R BT.709 (0.2125 red, 0.7154 green, 0.0721 blue),
    rounded to whole shades from 0 to 255.

    Examples
    --------
    >>> small = photographs(size=(30, 40), train_samples=26, validation_samples=13)
    >>> crops, labels = small.train
    >>> crops.shape
    (26, 30, 40, 1)
    >>> np.bincount(labels).tolist()
    [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    count = as_whole_number(classes, "classes", least=2)
    if count > len(NAMES):
        raise ValueError(f"there are {len(NAMES)} photographs, so at most {len(NAMES)} classes; got {classes}")
    height, width = check_size(size)
    samples = {
        _TRAIN: _check_samples(train_samples, "train_samples", count),
        _VALIDATION: _check_samples(validation_samples, "validation_samples", count),
    }
    deviation, rate = _check_share(noise, "noise"), _check_share(label_noise, "label_noise")
    own_seed = as_whole_number(seed, "seed", least=0)
    pictures = _grey_photographs()[:count]
    regions = tuple(split(picture.shape, (height, width), name) for picture, name in zip(pictures, NAMES, strict=False))

    def part(which: int) -> tuple[Crops, Array]:
        generator = np.random.default_rng([own_seed, which])
        sources = generator.permutation(np.arange(samples[which]) % count)
        # Positions and doubts are drawn from their own uniform numbers, so that neither shifts the other.
        places, doubts, answers, grains = generator.random((4, 2, samples[which]))
        offsets = np.empty((samples[which], 2), dtype=np.int64)
        for photograph, pair in enumerate(regions):
            region, mine = pair[which], sources == photograph
            steps = (places[:, mine].T * region.positions((height, width))).astype(np.int64)
            offsets[mine] = np.array([region.top, region.left]) + steps
        labels = np.where(doubts[0] < rate, (answers[0] * count).astype(np.int64), sources)
        starts = (grains[0] * _GRAIN).astype(np.int64)
        return Crops(pictures, sources, offsets, (height, width), deviation, starts), read_only(labels)

    return Photographs(NAMES[:count], part(_TRAIN), part(_VALIDATION), regions)


@cache
def noise_table() -> Array:
    """Standard normal numbers (2^20,) float32, the same everywhere: each crop's noise is a window of them.

    A table, so that a crop's noise is the same wherever it is cut, in a stream of TensorFlow's too. Windows overlap:
    one of 150 x 200 pixels is 1/35 of the table, so that of 6,000 such crops each shares numbers with about 340 others.
    They lie at different pixels, except where two windows begin at the same place.
    """
    return read_only(np.random.default_rng(_NOISE).standard_normal(_GRAIN, dtype=np.float32))


@cache
def _grey_photographs() -> tuple[Array, ...]:
    try:
        from skimage import color, data
    except ModuleNotFoundError as error:
        raise ImportError(
            "the photographs come with scikit-image, which is not installed; `make install` installs it"
        ) from error
    grey = []
    for name in NAMES:
        picture = getattr(data, name)()
        if picture.ndim == 3:
            # Strip by strip: as floats the largest photograph fills 48 MB, and memory once taken is rarely returned.
            strips = [picture[top : top + _STRIP] for top in range(0, len(picture), _STRIP)]
            picture = np.concatenate([np.round(255 * color.rgb2gray(one)).astype(np.uint8) for one in strips])
        grey.append(read_only(picture))
    return tuple(grey)


def _unpickled_crops(photographs: tuple[Array, ...], *rest: Any) -> Crops:
    """Crops as they were pickled; training and validation go on sharing their photographs."""
    for one in photographs:
        one.flags.writeable = False  # as unpickled they are writable, and nobody else's
    return Crops(photographs, *rest)


def _check_share(value: Any, name: str) -> float:
    number = as_number(value, name)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must lie in [0, 1]; got {number}")
    return number


def _check_samples(samples: Any, name: str, classes: int) -> int:
    number = as_whole_number(samples, name, least=1)
    if number < classes:
        raise ValueError(f"{name} must be at least {classes}, one crop of each photograph; got {number}")
    return number

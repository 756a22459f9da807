"""Irises and digits: small tables whose last rows are held out, as Keras holds them out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lossacc_helpers._validation import as_number, as_whole_number
from lossacc_helpers.history.predictions import read_only

Array = np.ndarray[Any, np.dtype[Any]]
Order = Literal["sorted", "shuffled"]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Samples in the order in which a network gets to see them; the last of them are held out for validation.

    That is how ``Model.fit(validation_split=...)`` splits: it cuts off the last rows before it shuffles the others.
    The arrays are read-only; ``features.copy()`` is yours to change.

    Attributes
    ----------
    features
        (sample, feature) float32.
    labels
        (sample,) class ids.
    rows
        (sample,) row of each sample in scikit-learn's copy, from 0.
    validation_samples
        How many samples at the end are held out.
    """

    features: Array
    labels: Array
    rows: Array
    validation_samples: int

    def __post_init__(self) -> None:
        for name in ("features", "labels", "rows"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def train(self) -> tuple[Array, Array]:
        """Features and labels of the first samples."""
        end = len(self.labels) - self.validation_samples
        return self.features[:end], self.labels[:end]

    @property
    def validation(self) -> tuple[Array, Array]:
        """Features and labels of the last samples."""
        start = len(self.labels) - self.validation_samples
        return self.features[start:], self.labels[start:]


class Iris(HeldOut):
    """Fisher's 150 irises: sepal length, sepal width, petal length, petal width; three species of 50 flowers.

    The features are standardised over all 150 rows (mean 0, standard deviation 1), validation rows included, as the
    question of lesson 02 did.
    """

    class_names = ("setosa", "versicolor", "virginica")
    feature_names = ("sepal length", "sepal width", "petal length", "petal width")


class Digits(HeldOut):
    """1,797 handwritten digits, 8 x 8 pixels each, as 64 features from 0 to 1."""


def iris(order: Order = "sorted", *, seed: int = 0, validation_split: float = 0.2) -> Iris:
    """Fisher's irises, sorted by species as they are published or shuffled, the last rows held out.

    Parameters
    ----------
    order
        ``"sorted"``: by species, so that the last rows are all virginica; ``"shuffled"``: in a random order.
    seed
        Seed of the shuffle; a sorted order ignores it.
    validation_split
        Share of the rows held out, more than 0 and less than 1.

    Raises
    ------
    ValueError
        For another order, a negative seed, or a share that leaves one part empty.
    ImportError
        Where scikit-learn is not installed.

    Notes
    -----
    scikit-learn's copy differs from the UCI repository's in two flowers (the 35th and the 38th). Source: R. A. Fisher,
    "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7 (1936).

    Examples
    --------
    >>> sorted_by_species = iris("sorted")
    >>> np.bincount(sorted_by_species.validation[1], minlength=3).tolist()
    [0, 0, 30]
    """
    datasets, preprocessing = _scikit_learn()
    features, labels = datasets.load_iris(return_X_y=True)
    rows, held_out = _arranged(labels, order, seed, validation_split, by_label=False)
    standardised = preprocessing.StandardScaler().fit_transform(features).astype(np.float32)
    return Iris(standardised[rows], labels[rows].astype(np.int64), rows, held_out)


def digits(order: Order = "shuffled", *, seed: int = 0, validation_split: float = 0.2) -> Digits:
    """Handwritten digits, shuffled or sorted by digit, the last rows held out.

    Parameters, errors and the split are those of `iris`. Source: E. Alpaydin and C. Kaynak, "Optical Recognition of
    Handwritten Digits", UCI Machine Learning Repository (1998); scikit-learn ships its test part.

    Examples
    --------
    >>> np.unique(digits("sorted").validation[1]).tolist()
    [7, 8, 9]
    """
    datasets, _ = _scikit_learn()
    images, labels = datasets.load_digits(return_X_y=True)
    rows, held_out = _arranged(labels, order, seed, validation_split, by_label=True)
    return Digits((images[rows] / 16).astype(np.float32), labels[rows].astype(np.int64), rows, held_out)


def _scikit_learn() -> tuple[Any, Any]:
    try:
        from sklearn import datasets, preprocessing
    except ModuleNotFoundError as error:
        raise ImportError(
            "the data come with scikit-learn, which is not installed; `make install` installs it"
        ) from error
    return datasets, preprocessing


def _arranged(labels: Array, order: str, seed: int, validation_split: float, *, by_label: bool) -> tuple[Array, int]:
    """The order of the rows, and how many at the end are held out."""
    if order not in ("sorted", "shuffled"):
        raise ValueError(f"order must be 'sorted' or 'shuffled'; got {order!r}")
    own_seed = as_whole_number(seed, "seed", least=0)
    count = len(labels)
    share = as_number(validation_split, "validation_split")
    # Keras holds out what lies behind floor(rows * (1 - validation_split)).
    held_out = count - math.floor(count * (1.0 - share)) if 0 < share < 1 else 0
    if not 0 < held_out < count:
        raise ValueError(f"validation_split must leave samples in both parts; got {validation_split!r}")
    if order == "shuffled":
        return np.random.default_rng(own_seed).permutation(count), held_out
    return np.argsort(labels, kind="stable") if by_label else np.arange(count), held_out

"""Where a change of loss and accuracy between two epochs comes from: samples that crossed and samples that did not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_numbers, first, place
from lossacc_helpers.scores import correct, sample_losses


@dataclass(frozen=True, eq=False)
class Crossings:
    """The change between two predictions of the same samples, split over four groups; every array has shape (...).

    The arrays keep two identities, exact to rounding (within 1e-12):

    - ``accuracy_change == (became_right - became_wrong) / samples``
    - ``loss_change == stayed_right_loss + stayed_wrong_loss + became_right_loss + became_wrong_loss``

    Attributes
    ----------
    samples : int
        How many samples there are.
    stayed_right, stayed_wrong, became_right, became_wrong : (...) int
        How many samples are in each group.
    stayed_right_loss, stayed_wrong_loss, became_right_loss, became_wrong_loss : (...) float64
        What each group adds to the change of the mean loss, in nats: the sum of its changes over `samples`.
    accuracy_change, loss_change : (...) float64
        The accuracy and the mean loss after, minus those before.
    """

    samples: int
    stayed_right: NDArray[np.int64]
    stayed_wrong: NDArray[np.int64]
    became_right: NDArray[np.int64]
    became_wrong: NDArray[np.int64]
    stayed_right_loss: NDArray[np.float64]
    stayed_wrong_loss: NDArray[np.float64]
    became_right_loss: NDArray[np.float64]
    became_wrong_loss: NDArray[np.float64]
    accuracy_change: NDArray[np.float64]
    loss_change: NDArray[np.float64]


def crossings(labels: ArrayLike, before: ArrayLike, after: ArrayLike, *, clip: float | None = None) -> Crossings:
    """Return the crossings between two sets of probabilities for the same labels.

    Parameters
    ----------
    labels : (sample,) or (..., sample)
        Class ids.
    before, after : (..., sample, class)
        Probabilities whose leading axes broadcast.
    clip : float, optional
        As in `sample_losses`; keeps the losses finite.

    Raises
    ------
    ValueError
        For what `sample_losses` refuses, and for an infinite loss: its difference is undefined.

    Examples
    --------
    >>> change = crossings([1, 1], [[0.6, 0.4], [0.1, 0.9]], [[0.4, 0.6], [0.3, 0.7]])
    >>> int(change.became_right), int(change.stayed_right), float(change.accuracy_change)
    (1, 1, 0.5)
    >>> print(f"{change.became_right_loss:.3f} {change.stayed_right_loss:+.3f} = {change.loss_change:.3f}")
    -0.203 +0.126 = -0.077
    """
    return crossings_of_losses(
        sample_losses(labels, before, clip=clip),
        correct(labels, before),
        sample_losses(labels, after, clip=clip),
        correct(labels, after),
    )


def crossings_of_losses(
    losses_before: ArrayLike, correct_before: ArrayLike, losses_after: ArrayLike, correct_after: ArrayLike
) -> Crossings:
    """Return the crossings between two sets of sample losses, each with its correctness; all have shape (..., sample).

    Losses are in nats; a NaN (a network that diverged) stays in the group it is in. Raises `ValueError` for an infinite
    loss and for shapes that do not fit.
    """
    before, after = _check_losses(losses_before, "before"), _check_losses(losses_after, "after")
    was, now = _check_flags(correct_before, "before"), _check_flags(correct_after, "after")
    sizes = {array.shape[-1] for array in (before, was, after, now)}
    try:
        shape = np.broadcast_shapes(before.shape, was.shape, after.shape, now.shape)
    except ValueError:
        shape = ()
    if len(sizes) > 1 or not shape:
        raise ValueError(
            "losses and correctness before and after must have the same shape (..., sample); "
            f"got {before.shape}, {was.shape}, {after.shape}, {now.shape}"
        )
    samples = shape[-1]
    # Numbered 0 to 3 within each row, so that one pass adds up all groups, and a NaN stays in its own.
    group = np.broadcast_to(was + 2 * now.astype(np.intp), shape).reshape(-1, samples)
    numbers = (group + 4 * np.arange(len(group))[:, None]).ravel()
    change = np.broadcast_to(after - before, shape).ravel()
    size = 4 * len(group)
    sums = np.bincount(numbers, weights=change, minlength=size).reshape(*shape[:-1], 4) / samples
    counts = np.bincount(numbers, minlength=size).reshape(*shape[:-1], 4)
    return Crossings(
        samples=samples,
        stayed_wrong=counts[..., 0],
        became_wrong=counts[..., 1],
        became_right=counts[..., 2],
        stayed_right=counts[..., 3],
        stayed_wrong_loss=sums[..., 0],
        became_wrong_loss=sums[..., 1],
        became_right_loss=sums[..., 2],
        stayed_right_loss=sums[..., 3],
        accuracy_change=np.broadcast_to(now.mean(axis=-1) - was.mean(axis=-1), shape[:-1])[()],
        loss_change=np.broadcast_to(after.mean(axis=-1) - before.mean(axis=-1), shape[:-1])[()],
    )


def _check_losses(losses: ArrayLike, when: str) -> NDArray[np.float64]:
    values = as_numbers(losses, f"losses {when}").astype(np.float64)
    if values.ndim == 0:
        raise ValueError(f"losses {when} must have shape (..., sample); got the single number {values}")
    infinite = np.isinf(values)
    if infinite.any():
        index = first(infinite)
        raise ValueError(
            f"losses {when} must be finite: the change of an infinite loss is undefined; got {values[index]!s} at "
            f"{place(index, ('sample',))} (clip= keeps losses finite)"
        )
    return values


def _check_flags(flags: ArrayLike, when: str) -> NDArray[Any]:
    values = as_numbers(flags, f"correctness {when}")
    if values.ndim == 0 or values.dtype != np.bool_:
        raise ValueError(
            f"correctness {when} must be booleans of shape (..., sample); got {values.dtype} {values.shape}"
        )
    return values

"""The picture of lesson 04's explorer: the anatomy of a spike, which samples pay for it and how sure they were."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike, NDArray

from lossacc_helpers._validation import as_number, as_numbers, as_whole_number
from lossacc_helpers.datasets.regions import check_size
from lossacc_helpers.figures.log_axis import log_loss_axis, on_axis, show_losses
from lossacc_helpers.figures.page import MARGIN, WIDTH, Pixels, pixel_axes
from lossacc_helpers.figures.patches import DrawnPatch
from lossacc_helpers.figures.picture import LabelledFigure, Picture
from lossacc_helpers.figures.seeds import epoch_limits, on_paper
from lossacc_helpers.figures.style import (
    INK,
    LOSS,
    MEDIAN_WIDTH,
    OTHER,
    REFERENCE,
    TEXT_SIZE,
    TRAINING,
    VALIDATION,
    EndLabels,
    styled_axes,
)
from lossacc_helpers.history import PredictionHistory, TrainingRun
from lossacc_helpers.spikes import find_spikes, jump_share, mean_rise, times_neighbours, worst_count, worst_samples

Floats = NDArray[np.float64]

_TOLD = (0.01, 0.05, 0.10)  # the shares of the patches that the readout tells of
_PATCHES, _SIDE = 8, 96  # how many are shown, and how large at most, in pixels
_HEIGHT, _ABOVE, _BELOW = 524, 52, 296  # pixels: of the figure, and from its top where the curves begin and end
_HEADING, _ROW = 358, 370  # pixels from the top: the line over the patches, and the patches
_TOPS = (1.25, 2.5, 5.0, 10.0, 25.0, 100.0, 500.0)  # of the axis of shares: few, since a new one draws all axes anew


def anatomy_picture(*, size: tuple[int, int] = (32, 32), class_names: Sequence[str] = ("genuine", "forged")) -> Picture:
    """Losses over epochs with rings at the spikes, who pays for the rise to one epoch, and the patches that pay most.

    `size` is that of a patch, (height, width) in pixels, at most 96. The state is ``run`` (a `TrainingRun` of one
    network with validation), ``fresh`` (validation losses (epoch,) with recomputed statistics, or None), ``images``
    (sample, height, width, 3) uint8 and ``boxes`` (sample, 4) of the validation patches, as `datasets.Forgeries` has
    them, ``epoch`` (from 1) and ``worst`` (the share of the patches that is marked, above 0 and at most 1).

    A state raises `ValueError`, and leaves the picture as it is, for several networks; for images, boxes, class names
    or fresh losses that do not belong to the run; for an epoch that it has not; and for what `find_spikes` and
    `jump_share` refuse.
    """
    figure = LabelledFigure(
        sentence=(
            "Left: training and validation loss of one network over epochs, a ring at every spike. Right: which share "
            "of the rise since the epoch before is carried by which share of the patches. Below: the patches whose "
            "loss rose most, with the probability of their class before and after."
        ),
        width=WIDTH,
        height=_HEIGHT,
    )
    curves, payers, patches = _Curves(figure), _Payers(figure), _Patches(figure, size, class_names)

    def move(
        *, run: TrainingRun, fresh: ArrayLike | None, images: Pixels, boxes: ArrayLike, epoch: int, worst: float
    ) -> str:
        validation, recomputed = _checked(run, fresh)
        if as_whole_number(epoch, "epoch", least=1) > run.epochs:
            raise ValueError(f"epoch must be at most {run.epochs}, all that the run has; got {epoch}")
        share = as_number(worst, "worst")
        if not 0 < share <= 1:
            raise ValueError(f"worst must be a share of the patches, above 0 and at most 1; got {worst}")
        spikes, shown = find_spikes(validation.loss), patches.check(validation, images, boxes)
        change = None if epoch == 1 else _Change(validation, epoch, share)
        readout = _readout(validation, change, recomputed, spikes, epoch)
        # All that can be refused has been: from here on the picture changes.
        curves.show(run.train.loss, validation.loss, recomputed, spikes, epoch)
        payers.show(change, epoch)
        patches.show(change, validation, *shown, epoch)
        return readout

    return Picture(figure, move)


class _Change:
    """What happened to each validation sample between an epoch, counted from 1, and the one before."""

    def __init__(self, history: PredictionHistory, epoch: int, worst: float) -> None:
        self.before, self.after = history.sample_losses[epoch - 2 : epoch].astype(np.float64)
        self.p_before, self.p_after = history.true_probabilities[epoch - 2 : epoch]
        self.was_right, self.is_right = history.correct[epoch - 2 : epoch]
        self.worst = worst
        self.samples = len(self.before)
        self.order = worst_samples(self.before, self.after, self.samples)  # those whose loss rose most first
        self.rose = mean_rise(self.before, self.after) > 0
        shares = np.arange(1, self.samples + 1) / self.samples
        # Which share of the rise so many of the worst samples carry, where there is a rise to share out.
        self.carried_by = np.append(0.0, jump_share(self.before, self.after, shares)) if self.rose else None

    def carried(self, share: float) -> float:
        """Return the share of the rise that the worst share of the samples carries."""
        return float(jump_share(self.before, self.after, share))

    def worst_of(self, count: int) -> NDArray[np.intp]:
        """Return up to so many samples whose loss rose, those that rose most first."""
        return self.order[: min(count, np.count_nonzero(self.after > self.before))]


class _Curves:
    """Losses over epochs: training solid, validation dashed with rings at its spikes, a line at the chosen epoch."""

    def __init__(self, figure: LabelledFigure) -> None:
        self._axes = axes = styled_axes(
            figure.add_axes(_place(66, 334)), xlabel="epoch", ylabel="loss (nats)", colour=LOSS, whole_x=True
        )
        log_loss_axis(axes)
        looks: tuple[tuple[str, str, float, Any], ...] = (
            ("training patches", LOSS, 1.0, TRAINING),
            ("validation", LOSS, MEDIAN_WIDTH, VALIDATION),
            ("recomputed", OTHER[0], MEDIAN_WIDTH - 0.6, VALIDATION),
        )
        self._lines = [
            axes.plot([], [], color=colour, linewidth=width, linestyle=style, zorder=3, animated=True)[0]
            for _, colour, width, style in looks
        ]
        self._labels = EndLabels(axes, [name for name, *_ in looks], [colour for _, colour, *_ in looks])
        self._now = axes.axvline(1, color=INK, linewidth=1, zorder=2, animated=True)
        ring: dict[str, Any] = {
            "linestyle": "",
            "marker": "o",
            "markersize": 9,
            "markerfacecolor": "none",
            "markeredgecolor": INK,
        }
        [self._rings] = axes.plot([], [], zorder=4, animated=True, clip_on=False, **ring)
        axes.text(0, 1.04, "○ a spike of the validation loss", transform=axes.transAxes, fontsize=TEXT_SIZE, color=INK)

    def show(
        self, training: Floats, validation: Floats, fresh: Floats | None, spikes: NDArray[np.bool_], epoch: int
    ) -> None:
        """Draw the losses and what is a spike, each (epoch,), and the line at an epoch, counted from 1."""
        rows = [training, validation, fresh]
        there = [row for row in rows if row is not None]
        epochs = np.arange(1, len(validation) + 1)
        if self._axes.get_xlim() != (limits := epoch_limits(len(epochs))):
            self._axes.set_xlim(*limits)
        show_losses(self._axes, np.concatenate(there))
        for line, row in zip(self._lines, rows, strict=True):
            line.set_data(epochs[: 0 if row is None else None], [] if row is None else on_paper(row))
        self._labels.place([None if row is None else float(row[-1]) for row in rows])
        self._now.set_xdata([epoch, epoch])
        self._rings.set_data(epochs[spikes], on_axis(self._axes, validation[spikes]))


class _Payers:
    """Which share of the rise the samples carry that pay most."""

    def __init__(self, figure: LabelledFigure) -> None:
        self._axes = axes = styled_axes(
            figure.add_axes(_place(612, 196)), xlabel="share of the patches, worst first", ylabel="share of the rise"
        )
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_xlim(0, 1)
        axes.axhline(1, color=REFERENCE, linewidth=1.2, linestyle=":", zorder=1.5)
        [self._curve] = axes.plot([], [], color=LOSS, linewidth=MEDIAN_WIDTH, zorder=3, animated=True)
        [self._legs] = axes.plot([], [], color=INK, linewidth=1, zorder=2, animated=True)
        [self._dot] = axes.plot([], [], "o", color=INK, markersize=7, zorder=4, clip_on=False, animated=True)
        box = axes.get_position(original=True)
        style: dict[str, Any] = {"fontsize": TEXT_SIZE, "color": INK, "animated": True}
        self._title = figure.text(box.x0, box.y1 + 0.02, "", va="bottom", **style)
        self._nothing = figure.text(box.x0, (box.y0 + box.y1) / 2, "", va="center", linespacing=1.5, **style)

    def show(self, change: _Change | None, epoch: int) -> None:
        """Draw who carries the rise, or say that there is none."""
        if change is None or change.carried_by is None:
            if self._axes.get_visible():
                self._axes.set_visible(False)
            for line in (self._curve, self._legs, self._dot):
                line.set_data([], [])
            self._title.set_text("")
            self._nothing.set_text(
                "Epoch 1 is the first:\nthere is none before it\nto compare with."
                if change is None
                else f"The loss did not rise from\nepoch {epoch - 1} to {epoch}: there is\nno jump to carry."
            )
            return
        carried = change.carried_by
        share, height = change.worst, change.carried(change.worst)
        if not self._axes.get_visible():
            self._axes.set_visible(True)
        most = float(carried.max())
        limits = (0.0, next((top for top in _TOPS if most <= 0.97 * top), 1.05 * most))
        if self._axes.get_ylim() != limits:
            self._axes.set_ylim(limits)
        self._curve.set_data(np.arange(change.samples + 1) / change.samples, carried)
        self._legs.set_data([share, share, 0], [0, height, height])
        self._dot.set_data([share], [height])
        self._title.set_text(f"who pays, epoch {epoch - 1} → {epoch}\nthe worst {_percent(share)}: {_percent(height)}")
        self._nothing.set_text("")


class _Patches:
    """A row of the patches whose loss rose most, with what the network believed of each before and after."""

    def __init__(self, figure: LabelledFigure, size: tuple[int, int], class_names: Sequence[str]) -> None:
        height, width = check_size(size)
        if max(height, width) > _SIDE:
            raise ValueError(f"size must be at most {_SIDE} x {_SIDE} pixels; got {height} x {width}")
        self._size, self._class_names = (height, width), tuple(class_names)
        page = pixel_axes(figure)
        blank = np.zeros((*self._size, 3), dtype=np.uint8)
        step = (WIDTH - 2 * MARGIN - _SIDE) / (_PATCHES - 1)
        self._drawn = [
            DrawnPatch(page, blank, MARGIN + round(k * step), _ROW, scale=_SIDE // max(height, width), animated=True)
            for k in range(_PATCHES)
        ]
        self._heading = page.text(MARGIN, _HEADING, "", fontsize=TEXT_SIZE, color=INK, va="baseline", animated=True)

    def check(self, history: PredictionHistory, images: ArrayLike, boxes: ArrayLike) -> tuple[Pixels, NDArray[Any]]:
        """Return the patches of a history and what was pasted into them, or raise `ValueError`."""
        pair = np.asarray(images), np.asarray(boxes)
        for name, given, shape in zip(("images", "boxes"), pair, ((*self._size, 3), (4,)), strict=True):
            if given.shape != (history.samples, *shape):
                raise ValueError(
                    f"{name} of the validation samples must have shape {(history.samples, *shape)}; got {given.shape}"
                )
        if pair[0].dtype != np.uint8:
            raise ValueError(f"images must be bytes, uint8; got {pair[0].dtype}")
        if pair[1].dtype.kind not in "iu":
            raise ValueError(f"boxes must be whole numbers of pixels; got {pair[1].dtype}")
        if len(self._class_names) != history.classes:
            raise ValueError(
                f"class_names must name the {history.classes} classes of the run; got {', '.join(self._class_names)}"
            )
        return pair

    def show(
        self, change: _Change | None, history: PredictionHistory, images: Pixels, boxes: NDArray[Any], epoch: int
    ) -> None:
        """Show the patches whose loss rose most from the epoch before."""
        ids = np.empty(0, dtype=np.intp) if change is None else change.worst_of(_PATCHES)
        for drawn in self._drawn[len(ids) :]:
            drawn.hide()
        self._heading.set_text("")
        if change is None:
            return
        if not len(ids):
            self._heading.set_text(f"No patch's loss rose from epoch {epoch - 1} to {epoch}.")
            return
        who = "The patches that pay most" if change.rose else "The loss fell, yet that of these patches rose"
        self._heading.set_text(
            f"{who}. p: probability of their class, epoch {epoch - 1} → {epoch}. ✕: was right, is wrong."
        )
        for drawn, sample in zip(self._drawn, ids, strict=False):
            crossed = "✕ " if change.was_right[sample] and not change.is_right[sample] else ""
            drawn.show(
                images[sample],
                box=boxes[sample],
                caption=(
                    f"{crossed}{self._class_names[history.labels[sample]]}\n"
                    f"p {_from_to(_probability(change.p_before[sample]), _probability(change.p_after[sample]))}\n"
                    f"loss {_loss(change.before[sample])} → {_loss(change.after[sample])}"
                ),
            )


def _place(left: float, width: float) -> tuple[float, float, float, float]:
    """Return where axes of the upper part stand in the figure, from pixels."""
    return left / WIDTH, 1 - _BELOW / _HEIGHT, width / WIDTH, (_BELOW - _ABOVE) / _HEIGHT


def _checked(run: TrainingRun, fresh: ArrayLike | None) -> tuple[PredictionHistory, Floats | None]:
    """Return the validation history and the fresh losses of a run that can be shown, or raise `ValueError`."""
    if not isinstance(run, TrainingRun):
        raise ValueError(f"run must be a TrainingRun; got {type(run).__name__}")
    if run.train.leading_shape:
        raise ValueError(f"one network is shown at a time: choose one of the {run.replicas}, as in run.replica(0)")
    if run.validation is None:
        raise ValueError("this run holds no validation; give RecordPredictions validation samples too")
    if fresh is None:
        return run.validation, None
    losses = as_numbers(fresh, "fresh").astype(np.float64)
    if losses.shape != (run.epochs,):
        raise ValueError(f"fresh must be a loss for each of the {run.epochs} epochs; got shape {losses.shape}")
    return run.validation, losses


def _readout(
    history: PredictionHistory, change: _Change | None, fresh: Floats | None, spikes: NDArray[np.bool_], epoch: int
) -> str:
    losses, accuracy = history.loss, history.accuracy
    beside = "" if fresh is None else f" (statistics recomputed: {fresh[epoch - 1]:.3f})"
    if change is None:
        return f"Epoch 1: validation loss {losses[0]:.3f}{beside}. There is no epoch before it to compare with."
    told = [
        f"Epoch {epoch}: validation loss {losses[epoch - 2]:.3f} → {losses[epoch - 1]:.3f}{beside}, "
        f"{_spike(losses, spikes, epoch)}."
    ]
    if change.rose:
        ids = change.order[: int(worst_count(change.worst, change.samples))]
        told += [
            f"The worst {', '.join(_percent(share) for share in _TOLD)} of the patches carry "
            f"{', '.join(_percent(change.carried(share)) for share in _TOLD)} of the rise.",
            f"Before, the network gave the class of the worst {_percent(change.worst)} a probability of "
            f"{_probability(np.median(change.p_before[ids]))} (median).",
        ]
    else:
        told.append("It did not rise, so there is no jump to carry.")
    to_wrong = int(np.count_nonzero(change.was_right & ~change.is_right))
    to_right = int(np.count_nonzero(~change.was_right & change.is_right))
    told.append(
        f"{to_wrong} crossed to wrong, {to_right} to right: accuracy {accuracy[epoch - 2]:.3f} → "
        f"{accuracy[epoch - 1]:.3f}."
    )
    return " ".join(told)


def _spike(losses: Floats, spikes: NDArray[np.bool_], epoch: int) -> str:
    """Say whether an epoch from the second on is a spike, and how far it stands above its neighbours."""
    if epoch == len(losses):
        return "the last: whether it is a spike is not known"
    times = times_neighbours(losses)[epoch - 1]
    told = "neighbours of 0" if np.isinf(times) else f"{times:,.2f} times its neighbours' median"
    return f"{'a' if spikes[epoch - 1] else 'no'} spike: {told}"


def _loss(loss: float) -> str:
    return f"{loss:.1f}" if loss < 9.95 else f"{loss:.0f}"


def _probability(p: float) -> str:
    """Write a probability with two decimals, and a tiny one, whose size is the finding, as a power of ten.

    >>> [_probability(p) for p in (0.934, 0.005, 0.0049, 2.3e-17, 1e-120)]
    ['0.93', '0.01', '5e-3', '2e-17', '0']
    """
    if p < 1e-99:
        return "0"
    return f"{p:.2f}" if p >= 0.005 else f"{p:.0e}".replace("e-0", "e-")


def _from_to(before: str, after: str) -> str:
    """Write a change in the width of a patch: without blanks where both ends are long."""
    return f"{before}{' → ' if len(before + after) < 10 else '→'}{after}"


def _percent(share: float) -> str:
    return f"{100 * share:,.0f}%" if share >= 0.01 else f"{100 * share:.2g}%"

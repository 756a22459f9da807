"""Reads TensorBoard's event files: of Keras, in folders for training and validation, of PyTorch and of Lightning.

TensorBoard itself does the reading; it is an optional dependency, and nothing else in the clinic needs it.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lossacc_helpers.clinic.log import Unreadable
from lossacc_helpers.clinic.names import understand
from lossacc_helpers.clinic.tables import read_columns
from lossacc_helpers.clinic.text import Record

_PARTS = {"train": "", "training": "", "validation": "val_", "val": "val_", "valid": "val_", "test": "val_"}
Series = dict[str, dict[int, float]]  # of names: values by step


def is_events(path: Path) -> bool:
    """Return whether a path is an event file, or a folder that holds some."""
    return ".tfevents." in path.name or (path.is_dir() and next(path.rglob("*.tfevents.*"), None) is not None)


def read_events(path: Path) -> list[Record] | None:
    """Return the records of an event file or a folder of them; None if no series is a loss or an accuracy.

    Of a file in Keras's folder ``train``, the one in ``validation`` beside it is read as well. Where series were
    written at different steps, as by PyTorch, an epoch ends with each step of the validation series that is written
    least often, and training is averaged since the epoch before.

    Raises `ImportError` where TensorBoard is not installed.
    """
    files = _files(path)
    runs = sorted({str(file.parent.parent if file.parent.name.lower() in _PARTS else file.parent) for file in files})
    if len(runs) > 1:
        raise Unreadable(f"{path.name} holds {len(runs)} runs; give the folder of one of them, such as {runs[0]}")
    series: Series = {}
    for file in files:
        prefix = _PARTS.get(file.parent.name.lower(), "")
        for tag, values in _of_file(file).items():
            series.setdefault(f"{prefix}{tag}", {}).update(values)
    epochs = {name for name in series if name.removeprefix("val_").startswith("epoch_")}
    if epochs:  # Keras: the others count batches
        series = {name: values for name, values in series.items() if name in epochs}
    known = {name: values for name, values in series.items() if values and understand(name).quantity}
    if not known:
        return None
    ends = _ends(known, series.get("epoch"))
    first = min(min(values) for values in known.values())
    numbers = [end + 1 - first for end in ends] if epochs else range(1, len(ends) + 1)
    columns: dict[str, list[float | str]] = {"epoch": list(numbers)}
    columns |= {name: _at(values, ends) for name, values in known.items()}
    return read_columns(columns)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.rglob("*.tfevents.*"))
    beside = path.parent.parent
    if path.parent.name.lower() in _PARTS:
        others = (file for part in sorted(beside.iterdir()) if part.name.lower() in _PARTS for file in part.iterdir())
        return sorted({path, *(file for file in others if ".tfevents." in file.name)})
    return [path]


def _of_file(path: Path) -> Series:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    events = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    series: Series = {tag: {event.step: float(event.value) for event in events.Scalars(tag)} for tag in tags["scalars"]}
    for tag in tags["tensors"]:
        for event in events.Tensors(tag):
            if event.tensor_proto.dtype in (1, 2, 14, 19):  # float, double, bfloat16, half: Keras writes texts as well
                value = tensor_util.make_ndarray(event.tensor_proto)
                if value.size == 1:
                    series.setdefault(tag, {})[event.step] = float(value.reshape(()))
    return series


def _ends(known: Series, epochs: dict[int, float] | None) -> list[int]:
    """Return the steps at which epochs end."""
    if epochs:  # Lightning says at which step it is in which epoch
        last: dict[float, int] = {}
        for step in sorted({step for values in known.values() for step in values} & set(epochs)):
            last[epochs[step]] = step
        if len(last) > 1:
            return sorted(last.values())
    unseen = {name: len(values) for name, values in known.items() if understand(name).validation and len(values) > 1}
    counts = unseen or {name: len(values) for name, values in known.items()}
    return sorted(known[min(counts, key=counts.__getitem__)])


def _at(values: dict[int, float], ends: Iterable[int]) -> list[float | str]:
    """Return the mean of what was written in each epoch; an empty text for nothing."""
    steps = np.array(sorted(values))
    written = np.array([values[step] for step in steps.tolist()])
    found: list[float | str] = []
    start = 0
    for end in ends:
        stop = int(np.searchsorted(steps, end, side="right"))
        found.append(float(written[start:stop].mean()) if stop > start else "")
        start = stop
    return found

"""Reads curves from whatever holds them: text, files, histories, mappings, frames, recorded trainings."""

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossacc_helpers.clinic.events import is_events, read_events
from lossacc_helpers.clinic.log import Floats, Log, Unreadable
from lossacc_helpers.clinic.names import Name
from lossacc_helpers.clinic.tables import read_columns, read_csv, read_json, read_lists
from lossacc_helpers.clinic.text import Found, Record, read_text
from lossacc_helpers.history import TrainingRun

_PATHLIKE = re.compile(r"[^\s=:]*[/\\.][^\s=:]*\.?(?:log|txt|csv|json|jsonl|out|tsv)", re.IGNORECASE)
_MOST_BYTES = 200_000_000
_QUANTITIES = ("loss", "accuracy", "top accuracy")
_FAVOURITES = ("loss", "acc", "accuracy", "sparse categorical accuracy", "categorical accuracy", "binary accuracy")


def read(curves: Any) -> Log:
    """Return what curves say, epoch by epoch.

    Parameters
    ----------
    curves
        A Keras ``History``; a mapping of names to lists; a pandas frame; a `TrainingRun` of one network; a path or an
        open file; text or bytes that a training printed, CSV or JSON. A path may lead to TensorBoard's event files or
        their folder, where the package tensorboard is installed.

    Raises
    ------
    Unreadable
        For what holds no loss and no accuracy; its message shows an example of what can be read.
    """
    if isinstance(curves, TrainingRun):
        return _of_run(curves)
    if isinstance(curves, os.PathLike):
        return _of_path(Path(curves))
    if isinstance(curves, str):
        if "\n" not in curves and 0 < len(curves) < 1000 and _exists(curves):
            return _of_path(Path(curves))
        if _PATHLIKE.fullmatch(curves.strip()):
            raise Unreadable(f"there is no file {curves.strip()}")
        return _of_text(curves)
    if isinstance(curves, bytes | bytearray):
        return _of_text(decoded(bytes(curves)))
    if isinstance(curves, io.IOBase) or hasattr(curves, "read"):
        content = curves.read()
        return _of_text(decoded(bytes(content)) if isinstance(content, bytes | bytearray) else str(content))
    history = getattr(curves, "history", curves)
    if hasattr(history, "columns") and hasattr(history, "to_dict"):
        history = {str(name): list(history[name]) for name in history.columns}
    if isinstance(history, Mapping):
        columns = {
            str(name): list(np.ravel(values)) if isinstance(values, np.ndarray) else list(values)
            for name, values in history.items()
            if not isinstance(values, str) and hasattr(values, "__len__")
        }
        records = read_columns(columns)
        if not records:
            raise Unreadable(
                f"the mapping has no list that is named like a loss or an accuracy; it has {_some(history)}"
            )
        return assemble(Found([records], {}, 0, True))
    raise Unreadable(f"curves of type {type(curves).__name__} cannot be read")


def _some(names: Mapping[Any, Any]) -> str:
    shown = ", ".join(repr(str(name)) for name in list(names)[:6])
    return shown or "no names at all"


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False


def _of_path(path: Path) -> Log:
    try:
        if is_events(path):
            return _of_events(path)
        if path.is_dir():
            raise Unreadable(f"{path} is a folder without TensorBoard's event files; give one file")
        if path.stat().st_size > _MOST_BYTES:
            raise Unreadable(f"{path.name} is larger than {_MOST_BYTES // 1_000_000} MB")
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path} cannot be opened ({error.strerror or error})") from error
    return _of_text(decoded(content))


def _of_events(path: Path) -> Log:
    try:
        records = read_events(path)
    except ImportError as error:
        raise Unreadable(
            "TensorBoard's files are read by TensorBoard, which is not installed here (pip install tensorboard)"
        ) from error
    if not records:
        raise Unreadable(f"{path.name} holds no series that is named like a loss or an accuracy")
    return assemble(Found([records], {}, 0, True))


def decoded(content: bytes) -> str:
    """Return bytes as text: as its mark says, as UTF-8, or byte by byte."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if (
            content[:4000:2].count(0) > len(content[:4000]) // 8
            or content[1:4000:2].count(0) > len(content[:4000]) // 8
        ):
            return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be", errors="replace")
        return content.decode("latin-1")


def _of_text(text: str) -> Log:
    if not text.strip():
        raise Unreadable("there is nothing in it")
    for reader in (read_json, read_csv, read_lists):
        records = reader(text)
        if records:
            return assemble(Found(_restarted(records), {}, 0, True))
    found = read_text(text)
    if not any(found.trainings):
        lines = text.count("\n") + 1
        raise Unreadable(
            f"none of its {lines} line{'s' if lines > 1 else ''} names a loss or an accuracy with a number"
        )
    return assemble(found)


def _of_run(run: TrainingRun) -> Log:
    train, validation = run.train, run.validation
    if train.loss.ndim > 1:
        raise Unreadable(
            f"a recorded training of {train.loss.shape[0]} networks has many curves; take one of them: run.replica(0)"
        )
    loss, accuracy = np.asarray(train.loss, dtype=np.float64), np.asarray(train.accuracy, dtype=np.float64)
    if run.steps is not None:
        loss, accuracy = np.asarray(run.steps.epoch_loss, dtype=np.float64), run.steps.epoch_accuracy
    unseen = None if validation is None else np.asarray(validation.loss, dtype=np.float64)
    return Log(
        epochs=np.arange(1, len(loss) + 1),
        loss=loss,
        accuracy=accuracy,
        validation_loss=unseen,
        validation_accuracy=None if validation is None else np.asarray(validation.accuracy, dtype=np.float64),
        broken=~np.isfinite(loss) | (False if unseen is None else ~np.isfinite(unseen)),
        metric="accuracy",
        plain_validation=True,
        notes=(
            "Training curves are what its batches reported."
            if run.steps is not None
            else "Training curves are recorded in inference mode, after each epoch.",
        ),
    )


def assemble(found: Found) -> Log:
    """Return the log of what was found: the last training, its loss and accuracy chosen among all that was printed."""
    trainings = [records for records in found.trainings if records]
    notes = list(found.notes)
    if len(trainings) > 1:
        notes.append(f"There are {len(trainings)} trainings in it; this is the last.")
    records, after = trainings[-1], dict(found.after)
    records = _without_the_tested_end(records, after)
    epochs = _numbers_of(records, found, notes)
    series: dict[tuple[Name, bool], Floats] = {}
    said: dict[tuple[Name, bool], NDArray[np.bool_]] = {}
    for k, record in enumerate(records):
        for key, value in record.values.items():
            if key not in series:
                series[key] = np.full(len(records), np.nan)
                said[key] = np.zeros(len(records), dtype=bool)
            series[key][k], said[key][k] = value, True
    taken: dict[str, tuple[Name, bool]] = {}
    metric = None
    for quantity, field in (("loss", "loss"), ("accuracy", "accuracy")):
        for validation in (False, True):
            chosen = _chosen(quantity, validation, said)
            if chosen is None and quantity == "accuracy":
                chosen = _chosen("top accuracy", validation, said)
            if chosen is not None:
                taken[f"validation_{field}" if validation else field] = chosen
                metric = chosen[0].plain if quantity == "accuracy" and metric is None else metric
    shown = {field: series[key] for field, key in taken.items()}
    _as_shares(shown, notes)
    broken = np.zeros(len(records), dtype=bool)
    for field in ("loss", "validation_loss"):
        if field in shown:
            broken |= said[taken[field]] & ~np.isfinite(shown[field])
    others = {
        name.told(validation=validation): values
        for (name, validation), values in series.items()
        if (name, validation) not in taken.values()
    }
    if not shown:
        raise Unreadable("no loss and no accuracy is in it")
    return Log(
        epochs=epochs,
        loss=shown.get("loss"),
        accuracy=shown.get("accuracy"),
        validation_loss=shown.get("validation_loss"),
        validation_accuracy=shown.get("validation_accuracy"),
        broken=broken,
        others=MappingProxyType(others),
        metric=metric,
        after=MappingProxyType(after),
        skipped=found.skipped,
        notes=tuple(notes),
    )


def _chosen(quantity: str, validation: bool, given: Mapping[tuple[Name, bool], Any]) -> tuple[Name, bool] | None:
    """The series of a quantity that most epochs have; of equals the plainest name, then the first."""
    candidates = [key for key in given if key[0].quantity == quantity and key[1] == validation]
    if not candidates:
        return None
    return max(
        candidates,
        key=lambda key: (int(given[key].sum()), key[0].plain in _FAVOURITES, -candidates.index(key)),
    )


def _without_the_tested_end(records: list[Record], after: dict[str, float]) -> list[Record]:
    """Move to `after` what only the last of several epochs has: a test that was printed when all was done."""
    if len(records) < 2:
        return records
    before = {key for record in records[:-1] for key in record.values}
    last = records[-1]
    only = {key: value for key, value in last.values.items() if key not in before and key[0].quantity is not None}
    if len(records) == 2:  # of two epochs the second may be the first that was validated
        only = {key: value for key, value in only.items() if key[0].plain.startswith("test ")}
    if not only or len(only) == len(last.values):
        return records
    after.update({name.told(validation=val): value for (name, val), value in only.items()})
    kept = Record(last.number, {key: value for key, value in last.values.items() if key not in only}, last.steps)
    return [*records[:-1], kept]


def _numbers_of(records: list[Record], found: Found, notes: list[str]) -> Any:
    numbers = [record.number for record in records]
    if all(number is not None for number in numbers):
        return np.array(numbers, dtype=np.intp)
    if not found.numbered and len(records) > 1:
        notes.append("No epochs are numbered: what is printed again counts as the next epoch.")
    return np.arange(1, len(records) + 1)


def _restarted(records: list[Record]) -> list[list[Record]]:
    """Return the trainings of a table, of which a new one begins where the epochs count from less."""
    trainings: list[list[Record]] = []
    for record in records:
        last = trainings[-1][-1].number if trainings else None
        if not trainings or (last is not None and record.number is not None and record.number < last):
            trainings.append([])
        trainings[-1].append(record)
    return trainings


def _as_shares(shown: dict[str, Floats], notes: list[str]) -> None:
    """Turn accuracies in percent into shares, training and validation each for itself; refuse what is neither."""
    percent: list[str] = []
    for field in ("accuracy", "validation_accuracy"):
        values = shown.get(field)
        if values is None or not np.isfinite(values).any():
            continue
        low, high = float(np.nanmin(values)), float(np.nanmax(values[np.isfinite(values)]))
        if low < -1e-6 or high > 100 + 1e-3:
            raise Unreadable(f"an accuracy of {low if low < 0 else high:g} is no share and no percentage")
        if high > 1 + 1e-3:
            values = values / 100
            percent.append(field)
        shown[field] = np.clip(values, 0, 1)
    given = [field for field in ("accuracy", "validation_accuracy") if shown.get(field) is not None]
    if percent == given:
        notes.append("Accuracies are printed in percent.")
    elif percent:
        which = "validation" if percent == ["validation_accuracy"] else "training"
        notes.append(f"The {which} accuracy is taken for percent, the other for a share: see whether that is so.")

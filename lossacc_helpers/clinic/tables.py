"""Reads tables of curves: CSV of Keras and Lightning, JSON of histories, mappings and frames."""

import csv
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossacc_helpers.clinic.names import understand
from lossacc_helpers.clinic.text import Record, as_number

_DELIMITERS = ",;\t|"
_COUNTERS = ("epoch", "epochs")
_LIST = re.compile(r"""["']?(?P<name>[A-Za-z_][\w .@/-]{0,60}?)["']?[ \t]*[:=][ \t]*\[(?P<values>[^\[\]]*)\]""")
_WRAPPED = re.compile(r"\b(?:np|numpy|tf|torch|jnp)\.\w+\(([^()]*)\)")  # np.float64(0.5)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_COUNTED = re.compile(r"\W*epochs?\b", re.IGNORECASE)
_PARTED = ("phase", "split", "mode", "part", "subset", "stage")
_HEADER_WITHIN = 30  # lines
_STEPS = ("step", "steps", "iter", "iteration", "global step")


def read_csv(text: str) -> list[Record] | None:
    """Return the records of a table with a header that names a loss or an accuracy; None for other text.

    Columns are separated by commas, semicolons, tabulators, bars or blanks; lines may stand before the header.
    """
    lines = [line for line in _COLOURS.sub("", text.lstrip("\ufeff")).replace("\0", "").splitlines() if line.strip()]
    for start, line in enumerate(lines[:_HEADER_WITHIN]):
        if not any(understand(word).quantity for word in re.split(r"[,;|\t]|\s{2,}", line)) and not _COUNTED.match(
            line
        ):
            continue
        for delimiter in (*_DELIMITERS, r"\s{2,}", r"\s+"):
            records = _read_table(lines[start:], delimiter)
            if records:
                return records
    return None


def _read_table(lines: list[str], delimiter: str) -> list[Record] | None:
    """Return the records of the table whose header is the first line; None if it is none."""
    names = _cells(lines[0], delimiter)
    named = [understand(name) for name in names]
    if len(names) < 2 or any(as_number(name) is not None for name in names) or not any(one.quantity for one in named):
        return None
    columns: dict[str, list[Any]] = {name: [] for name in names if name}
    used = 0
    for line in lines[1:]:
        cells = _cells(line, delimiter)
        if len(cells) == len(names) + 1 and delimiter.startswith(r"\s"):
            cells = cells[1:]  # an index without a name, as pandas prints it
        if not set(line) - set("-+=|: \t"):
            continue
        if delimiter.startswith(r"\s") and len(cells) != len(names):
            break
        row = dict.fromkeys(columns, "")
        row |= {name: cell for name, cell in zip(names, cells, strict=False) if name and not row[name]}
        told = [as_number(row[name]) for name, one in zip(names, named, strict=True) if one.quantity and name]
        if all(value is None for value in told) and delimiter.startswith(r"\s"):
            break
        if any(cell for cell in cells):
            used += any(value is not None for value in told)
            for name, cell in row.items():
                columns[name].append(cell)
    return read_columns(columns) if used else None


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line."""
    if delimiter.startswith(r"\s"):
        return re.split(delimiter, line.strip())
    try:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:  # a cell of a hundred thousand characters
        return []
    if delimiter == ";":  # then a comma stands before the decimals
        cells = [cell.replace(",", ".") if re.fullmatch(r"[-+]?\d+,\d+", cell) else cell for cell in cells]
    if delimiter == "|" and line.strip().startswith("|"):
        cells = cells[1:-1] if line.strip().endswith("|") else cells[1:]
    return cells


def read_json(text: str) -> list[Record] | None:
    """Return the records of a JSON history, of a list of epochs, or of one object a line; None for other text."""
    stripped = text.lstrip("\ufeff \t\r\n")
    if not stripped.startswith(("{", "[")):
        return None
    try:
        return _read_parsed(json.loads(stripped))
    except (json.JSONDecodeError, RecursionError):
        pass
    rows = []
    for line in stripped.splitlines():
        if line.strip():
            try:
                row = json.loads(line)
            except (json.JSONDecodeError, RecursionError):
                return None
            if not isinstance(row, dict):
                return None
            rows.append(row)
    return _read_parsed(rows)


def read_lists(text: str) -> list[Record] | None:
    """Return the records of lists by name, as Python prints a history; None for text without two numbers in a list."""
    columns: dict[str, list[Any]] = {}
    if "[" not in text:
        return None
    for match in _LIST.finditer(_WRAPPED.sub(r"\1", text)):
        values = [_as_number(value.strip()) for value in match["values"].split(",") if value.strip()]
        if len(values) > 1 and None not in values:
            columns[match["name"].strip()] = values
    return read_columns(columns) if columns else None


def _read_parsed(parsed: Any) -> list[Record] | None:
    if isinstance(parsed, dict):
        for key in ("history", "History", "logs", "metrics", "epochs", "log_history"):
            if isinstance(parsed.get(key), dict | list):
                inner = _read_parsed(parsed[key])
                if inner:
                    return inner
        columns = {str(name): value for name, value in parsed.items() if isinstance(value, list)}
        for name, inner in parsed.items():
            if isinstance(inner, dict) and inner and all(str(key).isdigit() for key in inner):  # pandas: by row
                columns[str(name)] = [inner[key] for key in sorted(inner, key=int)]
            elif isinstance(inner, dict):  # {"train": {"loss": [...]}, "val": {...}}
                columns |= {f"{name} {key}": value for key, value in inner.items() if isinstance(value, list)}
        return read_columns(columns) if columns else None
    if isinstance(parsed, list) and parsed and all(isinstance(row, dict) for row in parsed):
        parsed = [row for row in parsed if "train_runtime" not in row]  # a summary, not an epoch
        names = list(dict.fromkeys(str(name) for row in parsed for name in row))
        return read_columns({name: [row.get(name, "") for row in parsed] for name in names})
    return None


def read_columns(columns: Mapping[str, Sequence[Any]]) -> list[Record] | None:
    """Return the records of columns by name, rows of one epoch put together; None if none is a loss or an accuracy."""
    columns = _by_part(columns)
    named = {str(name): understand(str(name)) for name in columns}
    if not any(name.quantity for name in named.values()):
        return None
    counter = next((name for name, known in named.items() if str(name).strip().lower() in _COUNTERS), None)
    unseen = [name for name, known in named.items() if known.quantity == "loss" and known.validation]
    trained = [name for name, known in named.items() if known.quantity == "loss" and known.trained]
    if unseen and trained:  # "train_loss, valid_loss, accuracy": the accuracy is that of validation
        for name, known in named.items():
            if known.quantity == "accuracy" and not known.trained and not known.validation:
                named[name] = type(known)(known.quantity, True, False, known.plain)
    length = max((len(values) for values in columns.values()), default=0)
    kept = [
        (columns[name], (type(known)(known.quantity, False, False, known.plain or name), known.validation))
        for name, known in named.items()
        if name != counter and known.plain not in _STEPS
    ]
    records: list[Record] = []
    for row in range(length):
        number = _as_number(columns[counter][row]) if counter is not None and row < len(columns[counter]) else None
        epoch = math.ceil(number) if number is not None and abs(number) < 1e9 else None
        values = {}
        for column, key in kept:
            value = _as_number(column[row]) if row < len(column) else None
            if value is not None:
                values[key] = value
        if not values:
            continue
        if records and epoch is not None and records[-1].number == epoch:
            records[-1].values.update(values)  # Lightning writes training and validation in rows of their own
        else:
            records.append(Record(epoch, values))
    return records


def _by_part(columns: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
    """Return columns of which one says whether a row is of training or of validation as columns of their own."""
    part = next((name for name in columns if str(name).strip().lower() in _PARTED), None)
    if part is None:
        return columns
    words = [str(value).strip().lower() for value in columns[part]]
    unseen = [understand(f"{word} loss").validation for word in words]
    if not any(unseen) or all(unseen):
        return columns
    made: dict[str, Sequence[Any]] = {}
    for name, values in columns.items():
        if name == part:
            continue
        if str(name).strip().lower() in _COUNTERS or understand(str(name)).validation:
            made[name] = values
            continue
        for prefix, flag in (("", False), ("val ", True)):
            made[f"{prefix}{name}"] = [value if row == flag else "" for value, row in zip(values, unseen, strict=False)]
    return made


def _as_number(value: Any) -> float | None:
    """Return a number, or None for what is none; nan that was written is one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        return as_number(value)
    if isinstance(value, Iterable):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None

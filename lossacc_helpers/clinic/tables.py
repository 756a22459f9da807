"""Reads tables of curves: CSV of Keras and Lightning, JSON of histories, mappings and frames."""

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossacc_helpers.clinic.names import understand
from lossacc_helpers.clinic.text import Record

_DELIMITERS = ",;\t|"
_COUNTERS = ("epoch", "epochs")
_LIST = re.compile(r"""["']?(?P<name>[A-Za-z_][\w .@/-]{0,60}?)["']?[ \t]*[:=][ \t]*\[(?P<values>[^\[\]]*)\]""")
_WRAPPED = re.compile(r"\b(?:np|numpy|tf|torch|jnp)\.\w+\(([^()]*)\)")  # np.float64(0.5)
_STEPS = ("step", "steps", "iter", "iteration", "global step")


def read_csv(text: str) -> list[Record] | None:
    """Return the records of a table with a header that names a loss or an accuracy; None for other text."""
    lines = text.lstrip("\ufeff").splitlines()
    start = next((k for k, line in enumerate(lines) if line.strip()), None)
    if start is None:
        return None
    header = lines[start]
    delimiter = max(_DELIMITERS, key=header.count)
    if delimiter not in header:
        return None
    rows = list(csv.reader(io.StringIO("\n".join(lines[start:]).replace("\0", "")), delimiter=delimiter))
    names = [cell.strip() for cell in rows[0]]
    if any(_is_number(name) for name in names) or not any(understand(name).quantity for name in names):
        return None
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows[1:]:
        if any(cell.strip() for cell in row):
            for k, name in enumerate(names):
                columns[name].append(row[k].strip() if k < len(row) else "")
    return read_columns(columns)


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
        columns = {name: value for name, value in parsed.items() if isinstance(value, list)}
        return read_columns(columns) if columns else None
    if isinstance(parsed, list) and parsed and all(isinstance(row, dict) for row in parsed):
        names = list(dict.fromkeys(str(name) for row in parsed for name in row))
        return read_columns({name: [row.get(name, "") for row in parsed] for name in names})
    return None


def read_columns(columns: Mapping[str, Sequence[Any]]) -> list[Record] | None:
    """Return the records of columns by name, rows of one epoch put together; None if none is a loss or an accuracy."""
    named = {str(name): understand(str(name)) for name in columns}
    if not any(name.quantity for name in named.values()):
        return None
    counter = next((name for name, known in named.items() if str(name).strip().lower() in _COUNTERS), None)
    length = max((len(values) for values in columns.values()), default=0)
    kept = [
        (columns[name], (type(known)(known.quantity, False, False, known.plain or name), known.validation))
        for name, known in named.items()
        if name != counter and known.plain not in _STEPS
    ]
    records: list[Record] = []
    for row in range(length):
        number = _as_number(columns[counter][row]) if counter is not None and row < len(columns[counter]) else None
        epoch = int(number) if number is not None and math.isfinite(number) else None
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


def _is_number(text: str) -> bool:
    return _as_number(text) is not None


def _as_number(value: Any) -> float | None:
    """Return a number, or None for what is none; nan that was written is one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        percent = value.endswith("%")
        try:
            found = float(value.rstrip("%").strip().replace(",", ""))
        except ValueError:
            return None
        return found / 100 if percent else found
    if isinstance(value, Iterable):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None

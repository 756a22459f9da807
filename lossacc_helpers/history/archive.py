"""Plain arrays and one JSON text in a compressed file that appears whole or not at all, and is never unpickled."""

import io
import json
import os
import uuid
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

_Made = TypeVar("_Made")
_GREATEST_FILE = 1 << 32  # bytes once unpacked: no recording comes near, and a hostile file stops here


def frozen_json(value: Any, name: str) -> Any:
    """Return a read-only copy of what JSON can hold: mappings of text keys, tuples, text, numbers, booleans, None."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise ValueError(f"{name} must have text keys; got {odd[0]!r}")
        return MappingProxyType({key: frozen_json(item, f"{name}[{key!r}]") for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(frozen_json(item, f"{name}[{i}]") for i, item in enumerate(value))
    if isinstance(value, float) and not np.isfinite(value):
        raise ValueError(f"{name} must be finite to be saved as JSON; got {value}")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"{name} must be something JSON can hold; got {type(value).__name__}")


def frozen_mapping(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a read-only copy of a mapping that JSON can hold, or raise `ValueError`."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{name} must be a mapping; got {type(given).__name__}")
    frozen: Mapping[str, Any] = frozen_json(given, name)
    return frozen


def thawed_json(value: Any) -> Any:
    """Return what `frozen_json` made read-only as dictionaries and lists."""
    if isinstance(value, Mapping):
        return {key: thawed_json(item) for key, item in value.items()}
    return [thawed_json(item) for item in value] if isinstance(value, tuple) else value


def provenance_of_now() -> dict[str, str]:
    """Return the versions, the platform and the date (UTC) of this moment."""
    import platform
    from datetime import UTC, datetime

    from lossacc_helpers import __version__

    return {
        "lossacc_helpers": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def save_archive(
    path: str | os.PathLike[str], form: tuple[str, int], about: dict[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Path:
    """Write a description, its format's name and version, and its arrays; return the path, with ``.npz`` at its end."""
    target = Path(path)
    if target.suffix != ".npz":
        target = target.with_name(target.name + ".npz")
    write_archive(target, {"format": form[0], "version": form[1], **about}, arrays)
    return target


def load_archive(
    path: str | os.PathLike[str],
    form: tuple[str, int],
    what: str,
    make: Callable[[dict[str, Any], dict[str, NDArray[Any]]], _Made],
) -> _Made:
    """Return what `make` makes of the description and the arrays that `save_archive` wrote in a format.

    ``.npz`` may be left off the path. Raises `FileNotFoundError` if there is no such file, and `ValueError`, with its
    path, if it is damaged or is not `what` was asked for.
    """
    source = Path(path)
    if source.suffix != ".npz" and not source.exists():
        source = source.with_name(source.name + ".npz")
    with open(source, "rb") as file:
        try:
            about, arrays = read_archive(file)
            if about.get("format") != form[0]:
                raise ValueError(f"it was not written by {form[0].rpartition('.')[2]}.save")
            if about.get("version") != form[1]:
                raise ValueError(f"its format has version {about.get('version')}; this package reads version {form[1]}")
            return make(about, arrays)
        # Damage can surface as nearly anything inside zipfile, zlib, NumPy and json; all of it means one thing.
        except Exception as error:
            reason = str(error) or type(error).__name__
            raise ValueError(f"{source} is not {what} this package can read: {reason}") from error


def write_archive(path: Path, about: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a description and the arrays it names to a compressed npz file, whole or not at all."""
    text = json.dumps(about, allow_nan=False, ensure_ascii=True)
    # A unique name beside the target: replacing a file is atomic within one folder only.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            with zipfile.ZipFile(file, "w", compression=zipfile.ZIP_DEFLATED) as archive:
                for name, array in {"about": np.frombuffer(text.encode("ascii"), dtype=np.uint8), **arrays}.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_archive(file: BinaryIO) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the description and the arrays of a file that `write_archive` wrote.

    Each member is read whole, so that its checksum is tested, and never unpickled. Raises `ValueError` for another kind
    of file; a damaged one may raise whatever zipfile, zlib, NumPy and json raise.
    """
    if file.read(4) != b"PK\x03\x04":
        raise ValueError("it is not an .npz file")
    file.seek(0)
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(file) as archive:
        if sum(member.file_size for member in archive.infolist()) > _GREATEST_FILE:
            raise ValueError("it would unpack to more than 4 GB")
        if "about.npy" not in archive.namelist():
            raise ValueError("it holds no description: it was not written by this package")
        for name in archive.namelist():
            content = io.BytesIO(archive.read(name))
            arrays[name.removesuffix(".npy")] = np.lib.format.read_array(content, allow_pickle=False)
            if content.read(1):
                raise ValueError(f"its array {name!r} is followed by something else")
    text = arrays.pop("about")
    if text.dtype != np.uint8 or text.ndim != 1:
        raise ValueError("its description is not text: it was not written by this package")
    about = json.loads(text.tobytes().decode("ascii"))
    if not isinstance(about, dict):
        raise ValueError("its description is not a mapping: it was not written by this package")
    return about, arrays

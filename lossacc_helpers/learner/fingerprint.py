"""What a file says, as a short text: a notebook that JupyterLab opened and saved again keeps its fingerprint."""

import contextlib
import hashlib
import json
from itertools import groupby
from typing import Any

from lossacc_helpers.learner.saving import WIDGET_VIEW

# What JupyterLab notes in a cell about how it is shown and when it ran. Any other metadata, such as tags, counts.
_SHOWN = frozenset({"collapsed", "scrolled", "trusted", "execution", "jp-MarkdownHeadingCollapsed"})
_HIDDEN = "_hidden"

# The tag of cells whose outputs tell about the learner and their machine: running them is no change.
OWN_OUTPUT = "own-output"


def fingerprint(content: bytes, *, notebook: bool) -> str:
    """Return the same text for files that say the same.

    Of a notebook (nbformat 4) count the cells' types, sources, attachments, metadata and outputs. Ids, the notebook's
    own metadata, execution counts, the outputs' metadata and views of widgets do not count, nor how a cell is shown,
    nor the outputs of cells tagged ``own-output``.
    Of any other file, and of a notebook that cannot be read, every byte counts.
    """
    if notebook:
        # It may be damaged, or something else under that name.
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            content = json.dumps(_meaning(json.loads(content)), sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()


def _meaning(notebook: Any) -> list[Any]:
    if notebook["nbformat"] != 4:
        raise ValueError("only version 4 is understood")
    return [
        {
            "type": cell["cell_type"],
            "source": _joined(cell["source"]),
            "attachments": {name: _data(data) for name, data in (cell.get("attachments") or {}).items()},
            "metadata": _metadata(cell.get("metadata") or {}),
            "outputs": _outputs(cell),
        }
        for cell in notebook["cells"]
    ]


def _joined(value: Any) -> Any:
    """A text that nbformat may store line by line."""
    return "".join(value) if isinstance(value, list) and all(isinstance(line, str) for line in value) else value


def _metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in metadata.items() if key not in _SHOWN}
    if isinstance(jupyter := kept.get("jupyter"), dict):
        kept["jupyter"] = {key: value for key, value in jupyter.items() if not key.endswith(_HIDDEN)}
    return {key: value for key, value in kept.items() if value not in ({}, [])}


def _data(data: dict[str, Any]) -> dict[str, Any]:
    """What an output shows, by type; base64 may be broken into lines anywhere."""
    shown = {kind: _joined(value) for kind, value in data.items() if kind != WIDGET_VIEW}
    for kind, value in shown.items():
        if kind.startswith("image/") and kind != "image/svg+xml" and isinstance(value, str):
            shown[kind] = "".join(value.split())
    return shown


def _outputs(cell: dict[str, Any]) -> list[Any]:
    meaning: list[Any] = []
    if OWN_OUTPUT in ((cell.get("metadata") or {}).get("tags") or ()):
        return meaning
    outputs: list[dict[str, Any]] = cell.get("outputs") or []
    # Where a stream is cut into outputs is chance.
    for stream, group in groupby(outputs, key=lambda output: output.get("name")):
        if stream is not None:
            meaning.append([stream, "".join(_joined(output["text"]) for output in group)])
            continue
        for output in group:
            if output["output_type"] == "error":
                meaning.append([output["ename"], output["evalue"], _joined(output["traceback"])])
            elif shown := _data(output["data"]):
                meaning.append(shown)
    return meaning

"""Tells a learner what a cell waits for: in a line below the cell, which is gone when the work is done."""

from collections.abc import Mapping
from html import escape
from typing import Any
from uuid import uuid4

from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data

from lossacc_helpers._waiting import Show, listen


def tell_cells_what_they_wait_for() -> None:
    """From now on show a line below a cell while its work takes long, in notebooks that somebody looks at."""
    listen(_line_below_the_cell)


def _line_below_the_cell() -> Show | None:
    if not _somebody_looks():
        return None
    display_id, shown = uuid4().hex, False

    def show(what: str, how_far: str) -> None:
        nonlocal shown
        # An output cannot be taken back alone. One without data has no height, and says nothing in the stored notebook.
        data = {"text/plain": f"{what}: {how_far}", "text/html": _as_html(what, how_far)} if what else {}
        publish_display_data(data, transient={"display_id": display_id}, update=shown)  # type: ignore[no-untyped-call]
        shown = True

    return show


def _somebody_looks() -> bool:
    """Whether a cell is run where its questions would be answered: not by nbconvert, nor by a test of notebooks.

    What a slider set off has no cell to show a line below.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    request: Mapping[str, Any] = kernel.get_parent("shell") if kernel is not None else {}
    asked = request.get("header", {}).get("msg_type") == "execute_request"
    return asked and bool(request.get("content", {}).get("allow_stdin"))


def _as_html(what: str, how_far: str) -> str:
    # Screen readers say what is waited for, once, and are spared the seconds.
    return (
        f'<div style="color:var(--jp-content-font-color1, inherit)"><span role="status">{escape(what)}</span>'
        f'<span aria-hidden="true">: {escape(how_far)}</span></div>'
    )

"""Text as HTML that JupyterLab shows in both themes, and lists of options whose long texts wrap."""

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

# JupyterLab gives each option one line of fixed height and cuts what is longer.
_WRAPPING_STYLE = """<style>
.lossacc-options, .lossacc-options .widget-radio-box { height: auto; width: 100%; max-width: 100%; overflow: visible; }
.lossacc-options .widget-radio-box { display: block; }
.lossacc-options .widget-radio-box label {
  display: grid; grid-template-columns: auto 1fr; column-gap: 0.5em; align-items: start;
  width: auto; max-width: 60em; height: auto; margin: 0 0 0.35em 0; padding: 0;
  white-space: normal; line-height: 1.4; overflow: visible; text-overflow: clip; }
.lossacc-options .widget-radio-box label input { order: -1; margin: 0.25em 0 0 0; }
</style>"""


def paragraph(text: str, *, bold: bool = False) -> str:
    """Return escaped text as a paragraph that keeps its line breaks."""
    weight = "font-weight:600;" if bold else ""
    return f'<div style="white-space:pre-wrap;line-height:1.4;max-width:60em;{weight}">{escape(text)}</div>'


def status(text: str) -> str:
    """Return escaped text as a live region: screen readers say it when it changes."""
    return (
        '<div role="status" aria-live="polite" style="white-space:pre-wrap;line-height:1.4;min-height:1.4em;'
        f'color:var(--jp-content-font-color1, inherit)">{escape(text)}</div>'
    )


def bullets(texts: Sequence[str]) -> str:
    """Return escaped texts as an HTML list."""
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def radio_list(texts: Sequence[str]) -> tuple[Any, list[Any]]:
    """Return radio buttons, none of them chosen, and the widgets to show: their style first, then themselves."""
    buttons = ipywidgets.RadioButtons(options=list(texts), value=None, layout=ipywidgets.Layout(width="auto"))
    buttons.add_class("lossacc-options")
    style = ipywidgets.HTML(_WRAPPING_STYLE, layout=ipywidgets.Layout(height="0px", margin="0px"))
    return buttons, [style, buttons]


def with_still(widget_bundle: Any, *, plain: str, html: str | None = None, png: str | None = None) -> Any:
    """Return a widget's mimebundle with what is kept of it where there is no kernel: text, perhaps a picture."""
    data, metadata = widget_bundle if isinstance(widget_bundle, tuple) else (widget_bundle, {})
    data, metadata = {**(data or {}), "text/plain": plain}, dict(metadata)
    if html is not None:
        data["text/html"] = html
    if png is not None:
        data["image/png"] = png
        metadata["image/png"] = {"alt": plain}
    return data, metadata

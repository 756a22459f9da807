"""What Jupyter does whenever a notebook is saved; tools/jupyter/jupyter_config.json names it."""

from typing import Any

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def strip_widget_views(model: Any, **_: Any) -> None:
    """Take the views of widgets out of a notebook that is being saved, in place.

    A view is the address of something that lives in a kernel. Reopened without that kernel it shows as "model not
    found"; the picture and the text stored beside it show what it was. A view stays where the notebook itself stores
    the widget's state. Anything that is not a notebook of version 4 is left as it is; nothing is ever raised, because
    nothing may come between learners and their work.

    Parameters
    ----------
    model : what Jupyter's contents manager is about to save: a dictionary with `type` and `content`.
    """
    if not isinstance(model, dict) or model.get("type") != "notebook":
        return
    notebook = model.get("content")
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        return
    stored = _dictionary(_dictionary(_dictionary(notebook.get("metadata")).get("widgets")).get(WIDGET_STATE))
    widgets = _dictionary(stored.get("state"))
    cells = notebook.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        if isinstance(cell, dict) and isinstance(outputs := cell.get("outputs"), list):
            cell["outputs"] = [output for output in outputs if not _nothing_left(output, widgets)]


def _nothing_left(output: Any, widgets: dict[Any, Any]) -> bool:
    """Take a view without a state out of an output; true if it showed nothing else."""
    data = _dictionary(_dictionary(output).get("data"))
    if WIDGET_VIEW not in data:
        # A line that told of waiting leaves an output without data, because it cannot be taken back alone.
        return _dictionary(output).get("output_type") == "display_data" and output.get("data") == {}
    identity = _dictionary(data[WIDGET_VIEW]).get("model_id")
    if isinstance(identity, str) and identity in widgets:
        return False
    del data[WIDGET_VIEW]
    _dictionary(output.get("metadata")).pop(WIDGET_VIEW, None)
    return not data


def _dictionary(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}

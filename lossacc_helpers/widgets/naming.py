"""Names for screen readers: what ipywidgets has no way to say of a slider or a picture."""

from pathlib import Path

import anywidget
import ipywidgets
import traitlets


class Names(anywidget.AnyWidget):
    """A widget without a face: it names the sliders and the picture of the box that it stands in.

    A slider of ipywidgets has a label that stands beside it, and no name; its picture cannot be given a text at all.

    Parameters
    ----------
    picture : the sentence that is read where the picture is; empty where there is none.
    """

    _esm = Path(__file__).with_suffix(".js")
    picture = traitlets.Unicode().tag(sync=True)

    def __init__(self, *, picture: str = "") -> None:
        super().__init__(picture=picture, layout=ipywidgets.Layout(display="none"))

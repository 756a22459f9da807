"""A button that shows whether widgets work: whether the page and the kernel reach each other."""

from typing import Any

import ipywidgets

from lossacc_helpers.widgets._markup import paragraph, status, with_still

_NO_BUTTON = (
    "There should be a button here. If there is none, run this cell (Shift+Enter). If there is still none, this page "
    "cannot show widgets: restart the kernel, reload the page, and run the cell again. If that does not help, open the "
    "course with make lab, which brings a JupyterLab that can. Without widgets you still see each picture, but no "
    "slider, guess or quiz."
)


class Trial(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A button to press; the line below it says that the press arrived."""

    def __init__(self) -> None:
        self.message = "If nothing happens when you press it, restart the kernel (menu Kernel) and run this cell again."
        self.button = ipywidgets.Button(description="Press me", tooltip="Find out whether widgets work")
        self._status = ipywidgets.HTML(status(self.message))
        super().__init__([self.button, self._status])
        self.button.on_click(lambda _: self.press())

    def press(self) -> None:
        """Say that the press arrived."""
        self.message = "✓ Widgets work here: your press reached Python, and this line is its answer."
        self._status.value = status(self.message)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return with_still(super()._repr_mimebundle_(**kwargs), plain=_NO_BUTTON, html=paragraph(_NO_BUTTON))

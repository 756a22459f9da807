"""The curve clinic as a widget: paste a log or open a file, and read what it says."""

from base64 import b64encode
from typing import Any

import ipywidgets

from lossacc_helpers.clinic import Diagnosis, diagnose
from lossacc_helpers.clinic.examples import cases
from lossacc_helpers.clinic.reading import decoded
from lossacc_helpers.clinic.report import as_fragment
from lossacc_helpers.figures.clinic import clinic_picture
from lossacc_helpers.widgets._markup import paragraph, status, with_still
from lossacc_helpers.widgets.naming import Names

_OWN = "your own"
_FIRST = "eat_tf2_69"
_OPEN = 2  # findings that are not folded
_UNKNOWN = 0
_LONG = {"style": {"description_width": "initial"}, "layout": {"width": "auto"}}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


class CurveClinic(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A field to paste a log into, a file to open, and what the clinic says of it, with a report to save.

    Nothing leaves the machine the kernel runs on. What was pasted stays where it is whatever becomes of it.

    Parameters
    ----------
    text : the log to begin with; by default one of the published cases, so that there is something to see.

    Attributes
    ----------
    text, case, classes, validation_size, upload, button : the controls.
    diagnosis : of what was read last, or None.
    message : str, what the line below the picture says.

    Examples
    --------
    >>> clinic = CurveClinic("loss: 0.09 - acc: 0.60" + chr(10) + "loss: 0.08 - acc: 0.61")
    >>> clinic.diagnosis.best.slug
    'not-cross-entropy'
    >>> clinic.text.value = "Dear clinic, my network is ill."
    >>> clinic.button.click()
    >>> clinic.message.startswith("None of its 1 line names a loss or an accuracy")
    True
    """

    def __init__(self, text: str | None = None) -> None:
        self.diagnosis: Diagnosis | None = None
        self.message = ""
        self._picture = clinic_picture()
        known = cases()
        self.case = ipywidgets.Dropdown(
            options=[
                (_OWN, ""),
                *((f"{number}. {case.about}", name) for number, (name, case) in enumerate(known.items(), start=1)),
            ],
            value="" if text is not None else _FIRST,
            description="case",
            layout={"width": "600px", "max_width": "98%"},
        )
        self.text = ipywidgets.Textarea(
            value=known[_FIRST].text if text is None else text,
            placeholder="Paste what your training printed, a CSV or a JSON history.",
            description="log",
            layout={"width": "98%", "max_width": "840px", "height": "150px"},
        )
        self.upload = ipywidgets.FileUpload(
            description="Open a file", tooltip="Open a log, a CSV or a JSON history", layout={"width": "auto"}
        )
        self.classes = ipywidgets.BoundedIntText(
            value=_UNKNOWN, min=0, max=10_000_000, description="classes (0: not known)", **_LONG
        )
        self.validation_size = ipywidgets.BoundedIntText(
            value=_UNKNOWN, min=0, max=1_000_000_000, description="validation samples (0: not known)", **_LONG
        )
        self.button = ipywidgets.Button(description="Diagnose", button_style="primary", layout={"width": "auto"})
        width, _ = self._picture.figure.size_in_pixels
        self._image = ipywidgets.Image(
            format="png",
            layout=ipywidgets.Layout(width=f"{width}px", max_width="100%", margin="0", object_fit="contain"),
        )
        self._status = ipywidgets.HTML()
        self._findings = ipywidgets.HTML(layout=ipywidgets.Layout(max_width=f"{width}px"))
        row = ipywidgets.Box(
            [self.upload, self.classes, self.validation_size, self.button],
            layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center"),
        )
        names = Names(picture=self._picture.figure.sentence)
        super().__init__([self.case, self.text, row, self._image, self._status, self._findings, names])
        self._read()
        self.button.on_click(lambda _: self._read())
        self.upload.observe(lambda _: self._opened(), "value")
        self.case.observe(lambda _: self._chosen(), "value")

    def _opened(self) -> None:
        """Show the file's text, and read it."""
        if not self.upload.value:
            return
        content = bytes(self.upload.value[-1]["content"])
        self.case.value = ""
        self.text.value = decoded(content)
        self._read(content)

    def _chosen(self) -> None:
        """Show a published case, and read it; what was pasted before gives way only to a choice."""
        if self.case.value:
            self.text.value = cases()[self.case.value].text
            self.classes.value = self.validation_size.value = _UNKNOWN
            self._read()

    def _read(self, content: bytes | None = None) -> None:
        if self.case.value and self.text.value != cases()[self.case.value].text:
            self.case.value = ""  # it is no longer that case
        try:
            found = diagnose(
                self.text.value.encode() if content is None else content,  # bytes are never taken for a path
                classes=self.classes.value or None,
                validation_size=self.validation_size.value or None,
            )
        except ValueError as error:
            self._refuse(f"{_sentence(str(error))}\nYour text is still there: mend it, and press Diagnose again.")
        else:
            self._show(found)

    def _refuse(self, message: str) -> None:
        """Say what is wrong with the text; findings of another text must not stand below it."""
        self.diagnosis, self.message = None, message
        self._status.value = status(message)
        self._findings.value = ""
        self._image.layout.display = "none"

    def _show(self, found: Diagnosis) -> None:
        self.diagnosis, self.message = found, self._picture.update(diagnosis=found)
        self._status.value = status(self.message)
        png = self._picture.figure.png()
        self._image.value = png
        self._image.layout.display = None
        reports = (
            ("html", "text/html", "a page (HTML)", found.html(picture=png)),
            ("md", "text/markdown", "Markdown", found.markdown()),
        )
        saved = " · ".join(
            f'<a download="diagnosis.{ending}" href="data:{kind};base64,{b64encode(report.encode()).decode("ascii")}">'
            f"Save as {name}</a>"
            for ending, kind, name, report in reports
        )
        about = cases()[self.case.value] if self.case.value else None
        known = "" if about is None else paragraph(f"About this case: {about.about}. Source: {about.source}")
        self._findings.value = (
            '<div class="jp-RenderedHTMLCommon" style="padding:0;line-height:1.4;'
            'color:var(--jp-content-font-color1, inherit)">'
            f"{known}{as_fragment(found, open_first=_OPEN)}<p>{saved}</p></div>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        png = b64encode(self._picture.figure.png(small=True)).decode("ascii") if self.diagnosis is not None else None
        plain = f"A field to paste a training's log into. {self._picture.figure.description}"
        return with_still(super()._repr_mimebundle_(**kwargs), plain=plain, png=png)

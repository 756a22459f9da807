"""An explorer: controls, a picture that follows them, and a line that says in words what it shows."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
import traitlets

from lossacc_helpers._waiting import told_by
from lossacc_helpers.figures import Picture
from lossacc_helpers.widgets._markup import status, with_still
from lossacc_helpers.widgets.naming import Names

# JupyterLab puts the label of toggle buttons above them, unlike every other label.
_CONTROLS_STYLE = """<style>
.lossacc-controls .widget-toggle-buttons { display: flex; align-items: baseline; }
.lossacc-controls .widget-toggle-buttons > .widget-label { flex: 0 0 auto; text-align: right; }
</style>"""
_LONG_DESCRIPTION = 24  # characters; longer ones would leave too little room for the control


class Explorer(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Controls above a picture above its readout; each change of a control redraws the picture.

    Parameters
    ----------
    builder : makes the `Picture`.
    controls : the ipywidgets controls by the name their value has in the state. A button's value is how often it has
        been pressed. Give each a `description`: it is the label that is read aloud.
    compute : turns the state (as keywords) into what the picture is updated with; by default the state itself. Where
        it is slow it can `announce` that first.

    Attributes
    ----------
    controls : dict, as given.
    picture : Picture.
    readout : str, the line below the picture: what it shows, or what went wrong.
    error : the exception of the last state, or None.

    Notes
    -----
    Shown without a kernel (on GitHub, in print) it is a picture and a sentence: the state it was first shown in.
    An exception in `compute` or in the picture is told in the readout and raised again, an interruption as well.
    Work of more than two seconds says in the readout how far it is.

    Examples
    --------
    >>> from lossacc_helpers.figures import LabelledFigure
    >>> def tower() -> Picture:
    ...     figure = LabelledFigure(sentence="A tower.", width=200, height=100)
    ...     [bar] = figure.subplots().bar([0], [0], animated=True)
    ...     def move(*, height: float) -> str:
    ...         bar.set_height(height)
    ...         return f"The tower is {height} high."
    ...     return Picture(figure, move)
    >>> explorer = Explorer(tower, {"height": ipywidgets.IntSlider(value=1, description="height")})
    >>> explorer.controls["height"].value = 3
    >>> explorer.readout
    'The tower is 3 high.'
    """

    def __init__(
        self,
        builder: Callable[[], Picture],
        controls: Mapping[str, Any],
        *,
        compute: Callable[..., Mapping[str, Any]] | None = None,
    ) -> None:
        self.picture = builder()
        self.controls = dict(controls)
        self.error: Exception | None = None
        self.readout = ""
        self._compute = compute
        self._clicks = {name: 0 for name, control in self.controls.items() if isinstance(control, ipywidgets.Button)}
        width, height = self.picture.figure.size_in_pixels
        # All lengths are fixed: the page below must not move while a slider does.
        self._image = ipywidgets.Image(
            format="png",
            layout=ipywidgets.Layout(
                width=f"{width}px",
                height=f"{height}px",
                max_width="100%",
                margin="0",
                object_fit="contain",
                flex="0 0 auto",
            ),
        )
        # Room for four lines; a longer text, or one in a narrow window, scrolls.
        self._status = ipywidgets.HTML(layout=ipywidgets.Layout(height="88px", overflow="auto", flex="0 0 auto"))
        _align(self.controls)
        self._show()
        rows = ipywidgets.Box(
            list(self.controls.values()),
            layout=ipywidgets.Layout(flex_flow="row wrap", max_width=f"{max(width, 500)}px"),
        )
        rows.add_class("lossacc-controls")
        self._image.add_class(f"lossacc-picture-{width}-{height}")
        # Where the window is narrower than the picture, its height follows its width.
        ratio = f".lossacc-picture-{width}-{height} {{ height: auto !important; aspect-ratio: {width} / {height}; }}"
        style = ipywidgets.HTML(
            _CONTROLS_STYLE.replace("</style>", f"{ratio}\n</style>"),
            layout=ipywidgets.Layout(height="0px", margin="0px"),
        )
        names = Names(picture=self.picture.figure.sentence)
        super().__init__([style, rows, self._image, self._status, names])
        for name, control in self.controls.items():
            if name in self._clicks:
                control.on_click(lambda _, name=name: self._clicked(name))
            else:
                control.observe(lambda _: self._show(), "value")

    @property
    def state(self) -> dict[str, Any]:
        """What the controls say now, by name."""
        values = {name: control.value for name, control in self.controls.items() if name not in self._clicks}
        return {**values, **self._clicks}

    def announce(self, text: str) -> None:
        """Show a text in the readout at once, while something slow is under way."""
        self.readout = text
        self._status.value = status(text)

    def _tell(self, what: str, how_far: str) -> None:
        if what:  # else the wait is over, and what came of it is announced next
            self.announce(f"{what}: {how_far}")

    def _clicked(self, name: str) -> None:
        self._clicks[name] += 1
        self._show()

    def _show(self) -> None:
        state = self.state
        try:
            with told_by(self._tell):
                values = self._compute(**state) if self._compute else state
            readout = self.picture.update(**values)
            self._image.value = self.picture.figure.png()
        except KeyboardInterrupt:
            self.announce("Stopped, and the picture still shows an earlier state. Move a control to go on.")
            raise
        except Exception as error:
            self.error = error
            self.announce(
                f"Something went wrong, and the picture still shows an earlier state. {type(error).__name__}: {error}"
            )
            raise
        self.error = None
        self.announce(readout)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        figure = self.picture.figure
        return with_still(
            super()._repr_mimebundle_(**kwargs),
            plain=f"{figure.sentence} {self.readout}".strip(),
            png=b64encode(figure.png(small=True)).decode("ascii"),
        )


class PlayedSlider(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """A slider of whole numbers with a button that plays through it; a control for an `Explorer`.

    Parameters
    ----------
    least, greatest, step, value : of the slider; it starts at `value`, or at `least`.
    description : the label.
    interval : milliseconds between two values while it plays.
    """

    value = traitlets.Int()

    def __init__(
        self,
        *,
        least: int,
        greatest: int,
        description: str,
        value: int | None = None,
        step: int = 1,
        interval: int = 100,
    ) -> None:
        start = least if value is None else value
        self.slider = ipywidgets.IntSlider(
            value=start,
            min=least,
            max=greatest,
            step=step,
            description=description,
            layout=ipywidgets.Layout(width="340px"),
        )
        self.play = ipywidgets.Play(value=start, min=least, max=greatest, step=step, interval=interval)
        super().__init__([self.slider, self.play], value=start)
        # In the browser the two follow each other. Here neither sets the other: a late answer of the kernel would
        # throw the playing back.
        self.link = ipywidgets.jslink((self.play, "value"), (self.slider, "value"))
        self.slider.observe(self._follow, "value")
        self.play.observe(self._follow, "value")

    @property
    def description(self) -> str:
        """The slider's label."""
        return str(self.slider.description)

    def _follow(self, change: Any) -> None:
        self.value = change["new"]


def _align(controls: Mapping[str, Any]) -> None:
    """Give all labelled controls one label width, so that they stand in columns and no label is cut off."""
    inner = [control.slider if isinstance(control, PlayedSlider) else control for control in controls.values()]
    labelled = [control for control in inner if hasattr(getattr(control, "style", None), "description_width")]
    longest = max((len(control.description) for control in labelled), default=0)
    for control in labelled:
        control.style.description_width = f"{min(longest, _LONG_DESCRIPTION) * 8 + 10}px"
        if control.layout.width is None:
            control.layout.width = "auto" if isinstance(control, ipywidgets.ToggleButtons) else "400px"

"""Bare explorers: one control and the picture of an explorer of the course, without all that the explorer adds.

This runs in a notebook's kernel.
"""

import importlib.util
import io
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, cast
from unittest import mock

import ipywidgets

from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.figures import LabelledFigure
from lossacc_helpers.widgets import Explorer

_SORTS = {ipywidgets.Dropdown: "list", ipywidgets.IntSlider: "slider", ipywidgets.FloatSlider: "slider"} | {
    ipywidgets.FloatLogSlider: "slider"
}


def controls(lesson: Lesson) -> list[dict[str, Any]]:
    """What to press: each slider of each explorer, and where an explorer has none its first control.

    Each is told by the explorer's and its own name, its label, its sort, and whether moving it trains networks.
    """
    found = []
    for name in lesson.explorers:
        explorer = lesson.explorer(name)
        sorts = {control: _SORTS.get(type(_inner(explorer.controls[control]))) for control in explorer.controls}
        sliders = [control for control, sort in sorts.items() if sort == "slider"]
        for control in sliders or list(sorts)[:1]:
            found.append(
                {
                    "explorer": name,
                    "control": control,
                    "label": _inner(explorer.controls[control]).description,
                    "sort": sorts[control],
                    "trains": _trains(explorer, control),
                }
            )
    return found


def copy_of(lesson: ModuleType) -> Lesson:
    """The lesson of a copy of its module, which has caches of its own.

    Without one, whoever is pressed first computes, and the others find the same state in the lesson's cache.
    """
    spec = importlib.util.find_spec(lesson.__name__)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"there is no file of {lesson.__name__}")
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    return cast(Lesson, again.lesson)


def tight(explorer: Explorer, control: str) -> ipywidgets.VBox:
    """The same picture made into a PNG in the same way: what is missing is what the explorer adds to it."""
    return _taken_apart(explorer, control, LabelledFigure.png)


def plain(explorer: Explorer, control: str) -> ipywidgets.VBox:
    """The same picture through matplotlib's own `savefig`: what one would write without the course's figures."""

    def savefig(figure: LabelledFigure) -> bytes:
        stream = io.BytesIO()
        figure.savefig(stream, format="png")
        return stream.getvalue()

    return _taken_apart(explorer, control, savefig)


def _taken_apart(explorer: Explorer, name: str, png: Callable[[LabelledFigure], bytes]) -> ipywidgets.VBox:
    """One control of an explorer that is not shown, and its picture, put together anew."""
    control, picture, image = explorer.controls[name], explorer.picture, ipywidgets.Image(format="png")

    def show(_: object = None) -> None:
        state = explorer.state
        picture.update(**(explorer._compute(**state) if explorer._compute else state))
        image.value = png(picture.figure)

    control.unobserve_all("value")  # the explorer itself must not follow any more
    control.observe(show, "value")
    show()
    return ipywidgets.VBox([control, image])


def _inner(control: Any) -> Any:
    """The slider of a `PlayedSlider`, and any other control itself."""
    return getattr(control, "slider", control)


def _trains(explorer: Explorer, name: str) -> bool:
    training = sys.modules.get("lossacc_helpers.training")  # an explorer that trains has trained by now
    if training is None:
        return False
    control = _inner(explorer.controls[name])
    with mock.patch.object(training, "fit_replicas", wraps=training.fit_replicas) as fit:
        if isinstance(control, ipywidgets.Dropdown):
            control.index = 1 if control.index == 0 else 0
        else:
            control.value = control.min if control.value != control.min else control.max
    return bool(fit.called)

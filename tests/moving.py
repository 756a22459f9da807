"""Move every control of an explorer, and prove that a picture does not remember: for the tests of every lesson."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
import pytest

from lossacc_helpers.figures import Picture, draw
from lossacc_helpers.widgets import Explorer, PlayedSlider

MOST = 9  # values tried of a control that has many

# Whether a picture goes through every state that the test knows, which `make test-slow` does, or through some.
some_or_all = pytest.mark.parametrize(
    "every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["some states", "all"]
)


def moves(control: Any) -> Iterator[Callable[[], None]]:
    """Yield what a learner's hand can do to a control: both ends, values between, every option, every button."""
    if isinstance(control, PlayedSlider):
        yield from moves(control.slider)
        yield from moves(control.play)
    elif isinstance(control, ipywidgets.Button):
        yield from [control.click] * 2
    else:
        for value in _values(control):
            yield lambda value=value: setattr(control, "value", value)


def _values(control: Any) -> Sequence[Any]:
    if isinstance(control, ipywidgets.Checkbox | ipywidgets.ToggleButton):
        return [True, False, True]
    if hasattr(control, "options"):
        return [value for _, value in control._options_full]
    if isinstance(control, ipywidgets.FloatLogSlider):
        return [float(value) for value in np.logspace(control.min, control.max, MOST, base=control.base)]
    if isinstance(control, ipywidgets.FloatSlider):
        return [float(value) for value in np.linspace(control.min, control.max, MOST)]
    if hasattr(control, "min") and hasattr(control, "max"):
        return sorted({int(value) for value in np.linspace(control.min, control.max, MOST)})
    raise TypeError(f"tell `moves` what can be done to a {type(control).__name__}")


def move_every_control(explorer: Explorer) -> None:
    """Do to each control all that can be done; each must change picture or readout, and none may go wrong."""
    assert explorer.controls, "an explorer without controls explores nothing"
    for name, control in explorer.controls.items():
        seen = {_look(explorer)}
        for move in moves(control):
            move()
            assert explorer.error is None, f"{name}: {explorer.error!r}"
            assert explorer.readout.strip(), f"{name}: the readout is empty"
            seen.add(_look(explorer))
        assert len(seen) > 1, f"{name} changes nothing"


def _look(explorer: Explorer) -> tuple[bytes, str]:
    return bytes(explorer._image.value), explorer.readout


def forgets(builder: Callable[[], Picture], states: Sequence[Mapping[str, Any]]) -> None:
    """Assert that a picture moved through the states looks, in each, like a fresh one drawn in it."""
    picture = builder()
    for state in states:
        readout = picture.update(**state)
        fresh = draw(builder, **state)
        assert readout == fresh.readout
        np.testing.assert_array_equal(picture.figure.pixels(), fresh.pixels(), err_msg=f"differs in {state}")

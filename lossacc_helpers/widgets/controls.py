"""The controls of explorers: labelled, reachable by keyboard, all in one look."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets


def slider(label: str, least: float, greatest: float, *, step: float, value: float, decimals: int = 2) -> Any:
    """Return a slider of real numbers that follows while it moves."""
    return ipywidgets.FloatSlider(
        value=value, min=least, max=greatest, step=step, description=label, readout_format=f".{decimals}f"
    )


def whole_slider(label: str, least: int, greatest: int, *, value: int, step: int = 1) -> Any:
    """Return a slider of whole numbers that follows while it moves."""
    return ipywidgets.IntSlider(value=value, min=least, max=greatest, step=step, description=label)


def log_slider(label: str, least: float, greatest: float, *, value: float, steps_per_decade: int = 10) -> Any:
    """Return a slider over powers of ten from `least` to `greatest`, as for learning rates; its value is the number.

    >>> log_slider("learning rate", 1e-4, 1e-1, value=1e-3).max
    -1.0
    """
    if not 0 < least < greatest:
        raise ValueError(f"a logarithmic slider needs 0 < least < greatest; got {least} and {greatest}")
    return ipywidgets.FloatLogSlider(
        value=value,
        base=10,
        # Twelve digits: log10(0.001) is not a whole number to the last bit.
        min=round(math.log10(least), 12),
        max=round(math.log10(greatest), 12),
        step=1.0 / steps_per_decade,
        description=label,
        readout_format=".2g",
    )


def dropdown(label: str, options: Sequence[Any] | Mapping[str, Any], *, value: Any) -> Any:
    """Return a list that unfolds; options are values, or texts with their values."""
    return ipywidgets.Dropdown(options=_pairs(options), value=value, description=label)


def toggle(label: str, options: Sequence[Any] | Mapping[str, Any], *, value: Any) -> Any:
    """Return a row of buttons of which one is pressed; options are values, or texts with their values."""
    return ipywidgets.ToggleButtons(
        options=_pairs(options), value=value, description=label, style={"button_width": "auto"}
    )


def checkbox(label: str, *, value: bool = False) -> Any:
    """Return a box to tick."""
    return ipywidgets.Checkbox(value=value, description=label, indent=False, layout={"width": "auto"})


def button(label: str, *, tooltip: str = "") -> Any:
    """Return a button; in an explorer's state it is the number of times it has been pressed."""
    return ipywidgets.Button(description=label, tooltip=tooltip or label, layout={"width": "auto"})


def _pairs(options: Sequence[Any] | Mapping[str, Any]) -> list[Any]:
    return list(options.items()) if isinstance(options, Mapping) else list(options)

"""Keras optimizers as configuration: cloned for every program, never mutated, and sorted by what their update needs."""

from __future__ import annotations

import inspect
import json
import math
from typing import Any

import keras

from lossacc_helpers.training._keras import learning_rate_of, spares_weights

# Updates that treat each weight by itself, so that many replicas' weights may stand in one stacked variable. Lamb, Muon
# and Adafactor look at a whole weight matrix at once: stacked, they would give silently different weights.
ELEMENTWISE = (
    keras.optimizers.SGD,
    keras.optimizers.RMSprop,
    keras.optimizers.Adam,
    keras.optimizers.AdamW,
    keras.optimizers.Adagrad,
    keras.optimizers.Adadelta,
    keras.optimizers.Adamax,
    keras.optimizers.Nadam,
    keras.optimizers.Ftrl,
    keras.optimizers.Lion,
)

_Schedule = keras.optimizers.schedules.LearningRateSchedule

# Settings whose effect reaches beyond one call of ``apply``; ``Model.fit`` treats them outside the optimizer.
_OUTSIDE_APPLY = ("use_ema", "loss_scale_factor", "gradient_accumulation_steps")


def read_optimizer(optimizer: Any) -> keras.optimizers.Optimizer:
    """The optimizer itself from an instance or a Keras name, refused where its training could not be carried over.

    Raises
    ------
    ValueError
        For an unknown name, averaged weights, loss scaling, gradient accumulation, several optimizers in one, or
        variables exempted from weight decay by hand (which is not part of an optimizer's configuration).
    """
    if isinstance(optimizer, str):
        try:
            optimizer = keras.optimizers.get(optimizer)
        except ValueError as error:
            raise ValueError(f"optimizer {optimizer!r} is not a name Keras knows; try 'adam' or 'sgd'") from error
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(f"optimizer must be a Keras optimizer or its name; got {type(optimizer).__name__}")
    if hasattr(optimizer, "inner_optimizer") or hasattr(optimizer, "optimizers"):
        raise ValueError(
            f"{type(optimizer).__name__} wraps other optimizers, which fit_replicas cannot carry; pass the inner one"
        )
    rate = learning_rate_of(optimizer)
    if callable(rate) and not isinstance(rate, _Schedule):
        raise ValueError("fit_replicas cannot carry a learning rate that is a function; give a number or a schedule")
    if not callable(rate) and not math.isfinite(float(rate)):
        raise ValueError(f"the learning rate must be a finite number; got {float(rate)}")
    _refuse_hidden_settings(optimizer)
    for setting in _OUTSIDE_APPLY:
        if getattr(optimizer, setting, None):
            raise ValueError(f"fit_replicas cannot carry {setting}={getattr(optimizer, setting)!r}; leave it out")
    # Keras keeps these two out of get_config, so a clone would decay the exempted weights without a word.
    if spares_weights(optimizer):
        raise ValueError("fit_replicas cannot carry exclude_from_weight_decay(); set weight_decay=None or leave it out")
    return optimizer


def clone(optimizer: keras.optimizers.Optimizer, *, without_norm_clipping: bool = False) -> keras.optimizers.Optimizer:
    """A fresh optimizer of the same configuration, its counters and moments at their start."""
    config = _config(optimizer)
    if without_norm_clipping:
        config = {**config, "clipnorm": None, "global_clipnorm": None}
    try:
        return type(optimizer).from_config(config)
    except TypeError as error:
        raise ValueError(f"{type(optimizer).__name__} cannot be made again from its get_config: {error}") from error


def _config(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """The configuration, in which a schedule stands as it is: a learner's own cannot be made again from text."""
    rate = learning_rate_of(optimizer)
    try:
        config = dict(optimizer.get_config())
    except NotImplementedError as error:
        raise ValueError("the learning-rate schedule needs a get_config method") from error
    return {**config, "learning_rate": rate} if isinstance(rate, _Schedule) else config


def _refuse_hidden_settings(optimizer: keras.optimizers.Optimizer) -> None:
    """A setting of a learner's own optimizer that get_config leaves out would fall back to its default in a clone."""
    if type(optimizer).__module__.startswith("keras."):
        return
    shown = _config(optimizer)
    _, *parameters = inspect.signature(type(optimizer).__init__).parameters.items()  # all but self
    for name, parameter in parameters:
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if named and name not in shown:
            raise ValueError(f"{type(optimizer).__name__}.get_config must hold {name!r}, or a clone would lose it")


def has_schedule(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether the learning rate is a schedule, part of the program, rather than a number, which is an input."""
    return isinstance(learning_rate_of(optimizer), _Schedule)


def learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The learning rate where it is a number; 0.0 where a schedule decides."""
    return 0.0 if has_schedule(optimizer) else float(optimizer.get_config()["learning_rate"])


def key(optimizer: keras.optimizers.Optimizer) -> str | None:
    """A text equal for optimizers that share a compiled program, or None where that cannot be known.

    The learning rate is left out where it is a number. Optimizers and schedules of the learner's own may hold state
    that their configuration does not show, so they share nothing; nor do those that look at the names of layers.
    """
    config = _config(optimizer)
    if not type(optimizer).__module__.startswith("keras.") or config.get("exclude_layers"):
        return None
    rate = config.pop("learning_rate")
    config.pop("name", None)
    if isinstance(rate, _Schedule):
        if not type(rate).__module__.startswith("keras."):
            return None
        config["schedule"] = [type(rate).__name__, rate.get_config()]
    return type(optimizer).__name__ + json.dumps(config, sort_keys=True, default=str)


def describe(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """The configuration as plain JSON, for a run's settings."""
    config: dict[str, Any] = {"class": type(optimizer).__name__}
    try:
        config |= optimizer.get_config()
    except NotImplementedError:  # a schedule that does not say what it is; an ordinary fit takes it all the same
        config["learning_rate"] = type(learning_rate_of(optimizer)).__name__
    text = json.dumps(config, default=str)
    # A run is saved as JSON, which knows no infinity and no NaN.
    return dict(json.loads(text, parse_constant=str))

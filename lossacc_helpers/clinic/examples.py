"""Trainings with known causes: fifteen whose curves were published, and hundreds that were simulated.

The published ones are the clinic's worked examples. In the simulated ones a cause was built in, by what was done to the
data, the network or the call of `compile`; ``tools/simulate_clinic.py`` trained them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from lossacc_helpers.clinic.diagnosis import diagnose
from lossacc_helpers.clinic.findings import Diagnosis
from lossacc_helpers.clinic.log import Log
from lossacc_helpers.clinic.reading import read


@dataclass(frozen=True, kw_only=True)
class Case:
    """A published training.

    Attributes
    ----------
    name : short.
    causes : slugs of which one is right, as far as is known.
    source : where it was published.
    about : what was trained, as far as that was told.
    known_by : how the cause is known.
    why : what speaks for it.
    text : the log, as printed.
    """

    name: str
    causes: tuple[str, ...]
    source: str
    about: str
    known_by: str
    why: str
    text: str

    @property
    def log(self) -> Log:
        """The log, read."""
        return read(self.text + "\n")


@cache
def cases() -> dict[str, Case]:
    """Return the published trainings by name."""
    folder = _folder()
    rows = json.loads(folder.joinpath("cases.json").read_text(encoding="utf-8"))
    return {
        row["name"]: Case(
            **(row | {"causes": tuple(row["causes"])}),
            text=folder.joinpath(f"{row['name']}.log").read_text(encoding="utf-8"),
        )
        for row in rows
    }


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A training with a cause built in.

    Attributes
    ----------
    name : of what was built in, as a function of ``tools/simulate_clinic.py`` is called.
    seed : of everything that was drawn.
    accepted : slugs of the causes that count as right, the one that was meant first.
    classes, validation_size : as the clinic may be told.
    held_out : whether it is of the third that was not looked at while rules were tuned.
    history : what Keras reported, by name, one value an epoch.
    """

    name: str
    seed: int
    accepted: tuple[str, ...]
    classes: int
    validation_size: int
    held_out: bool
    history: Mapping[str, Sequence[float]]

    def diagnose(self) -> Diagnosis:
        """Return what the clinic says of it."""
        return diagnose(self.history, classes=self.classes, validation_size=self.validation_size)


@cache
def simulated() -> tuple[Simulated, ...]:
    """Return the simulated trainings."""
    rows = json.loads(_folder().joinpath("simulated.json").read_text(encoding="utf-8"))
    return tuple(Simulated(**(row | {"accepted": tuple(row["accepted"])})) for row in rows)


def _folder() -> Traversable:
    return files("lossacc_helpers.clinic").joinpath("cases")

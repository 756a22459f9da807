"""Fifteen trainings whose curves were published, with what is known of them: the clinic's worked examples."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

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
    folder = files("lossacc_helpers.clinic").joinpath("cases")
    rows = json.loads(folder.joinpath("cases.json").read_text(encoding="utf-8"))
    return {
        row["name"]: Case(
            **(row | {"causes": tuple(row["causes"])}),
            text=folder.joinpath(f"{row['name']}.log").read_text(encoding="utf-8"),
        )
        for row in rows
    }

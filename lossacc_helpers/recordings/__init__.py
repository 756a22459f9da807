"""Trainings that take too long for a lesson: recorded once by ``tools/record_lesson_NN.py``, read here."""

from pathlib import Path

from lossacc_helpers.history import TrainingRun

FOLDER = Path(__file__).resolve().parent


def names() -> tuple[str, ...]:
    """Return the names of all recordings, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.npz")))


def load(name: str) -> TrainingRun:
    """Return a recorded training: compact histories, what training reported step by step, settings and provenance.

    Raises `ValueError` for a name that there is not.

    Examples
    --------
    >>> run = load("lesson_03_full_scale")
    >>> run.settings["data"]["label_noise"]
    0.4
    """
    if name not in names():
        raise ValueError(f"there is no recording called {name!r}; there are {', '.join(names())}")
    return TrainingRun.load(FOLDER / f"{name}.npz")

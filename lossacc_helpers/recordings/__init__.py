"""Trainings that take too long for a lesson: recorded once by ``tools/record_lesson_NN.py``, read here.

Some are kept sample by sample (`load`); where an experiment has many trainings, their losses and accuracies only
(`load_curves`).
"""

from pathlib import Path

from lossacc_helpers.history import CurveSet, TrainingRun

FOLDER = Path(__file__).resolve().parent
CURVES = FOLDER / "curves"


def names() -> tuple[str, ...]:
    """Return the names of all recordings that `load` reads, in alphabetical order."""
    return _stems(FOLDER)


def curve_names() -> tuple[str, ...]:
    """Return the names of all recordings that `load_curves` reads, in alphabetical order."""
    return _stems(CURVES)


def load(name: str) -> TrainingRun:
    """Return a recorded training: compact histories, what training reported step by step, settings and provenance.

    Raises `ValueError` for a name that there is not.

    Examples
    --------
    >>> run = load("lesson_03_full_scale")
    >>> run.settings["data"]["label_noise"]
    0.4
    """
    return TrainingRun.load(_path(name, names(), FOLDER, curve_names(), "load_curves"))


def load_curves(name: str) -> CurveSet:
    """Return the recorded losses and accuracies of an experiment, by name, with settings and provenance.

    Raises `ValueError` for a name that there is not.

    Examples
    --------
    >>> fast = load_curves("lesson_04_fast")
    >>> fast["recomputed, dropout off"].loss.shape
    (10, 45)
    """
    return CurveSet.load(_path(name, curve_names(), CURVES, names(), "load"))


def _stems(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.glob("*.npz")))


def _path(name: str, known: tuple[str, ...], folder: Path, others: tuple[str, ...], other: str) -> Path:
    if name in known:
        return folder / f"{name}.npz"
    if name in others:
        raise ValueError(f"{name!r} is a recording that {other} reads: recordings.{other}({name!r})")
    raise ValueError(f"there is no recording called {name!r}; there are {', '.join(known)}")

"""A recording is of the experiment whose name it has, and no network of another one gets into it."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from lossacc_helpers import recordings
from lossacc_helpers.history.archive import frozen_json
from tools import record_lesson_04
from tools.record_lesson_04 import EXPERIMENTS, STATISTICS, part_of

WAYS = [(recordings.load_curves, recordings.curve_names), (recordings.load, recordings.names)]
STORED = [(load, name) for load, names in WAYS for name in names() if name.removeprefix("lesson_04_") in EXPERIMENTS]


@pytest.mark.parametrize(("load", "stored"), STORED, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_the_settings_of_a_recording_are_those_of_the_experiment_it_is_named_after(load, stored):
    name = stored.removeprefix("lesson_04_")
    settings = frozen_json(record_lesson_04.with_later_settings(load(stored).settings), name)
    wanted = frozen_json(asdict(EXPERIMENTS[name]), name)
    assert settings["experiment"] == name
    for key, value in wanted.items():
        if key == "seeds":  # fewer may have been recorded so far
            assert settings[key]
            assert settings[key] == value[: len(settings[key])]
        else:
            assert settings[key] == value, key


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_recorded_with_a_network_for_every_seed_and_all_its_epochs(name):
    curves = recordings.load_curves(f"lesson_04_{name}")
    for kind in STATISTICS:
        assert curves[kind].loss.shape == (len(curves.settings["seeds"]), EXPERIMENTS[name].epochs)


def test_no_two_experiments_have_the_same_curves():
    firsts = [recordings.load_curves(f"lesson_04_{name}")[STATISTICS[0]].loss[0, :20] for name in EXPERIMENTS]
    different = {losses.tobytes() for losses in firsts}
    assert len(different) == len(EXPERIMENTS)


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """How often a network was trained, with the parts of another folder."""
    calls = []
    monkeypatch.setattr(record_lesson_04, "PARTS", tmp_path)
    monkeypatch.setattr(record_lesson_04, "train", lambda *given: calls.append(given) or {"wide": np.arange(3.0)})
    return calls


def test_a_trained_network_is_taken_up_again(trained):
    for _ in range(2):
        assert part_of("fast", 3)["wide"].tolist() == [0, 1, 2]
    assert len(trained) == 1


def test_a_network_of_a_changed_experiment_is_refused(trained, monkeypatch):
    part_of("fast", 3)
    monkeypatch.setitem(EXPERIMENTS, "fast", replace(EXPERIMENTS["fast"], seeds=(3,), sentence="In other words."))
    part_of("fast", 3)
    monkeypatch.setitem(EXPERIMENTS, "fast", replace(EXPERIMENTS["fast"], rate=0.5))
    with pytest.raises(ValueError, match=r"fast-3\.npz was trained for another experiment"):
        part_of("fast", 3)


def test_a_network_that_does_not_say_what_trained_it_is_taken_as_it_is(trained, tmp_path):
    np.savez(tmp_path / "fast-3.npz", wide=np.ones(2), seconds=1.0)
    assert part_of("fast", 3)["wide"].tolist() == [1, 1]
    assert not trained

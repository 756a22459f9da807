"""Curves are kept by name, come back from their file as they were, and refuse what is no curve."""

import copy
import pickle
import warnings

import numpy as np
import pytest

from lossacc_helpers import recordings
from lossacc_helpers.history import Curves, CurveSet
from lossacc_helpers.history.archive import write_archive


def little():
    return CurveSet(
        {
            "one": Curves(np.array([[0.7, 0.5], [0.6, np.inf]]), np.array([[0.5, 0.75], [1.0, 0.0]])),
            "loss only": Curves([3.0, 2.0, 1.0]),
        },
        settings={"rate": 0.1, "seeds": (0, 1)},
        provenance={"machine": "a test"},
    )


def test_curves_come_back_as_they_were(tmp_path):
    kept = little()
    path = kept.save(tmp_path / "curves")
    assert path.name == "curves.npz"
    for given in (path, tmp_path / "curves"):
        found = CurveSet.load(given)
        assert list(found) == ["one", "loss only"]
        np.testing.assert_array_equal(found["one"].loss, np.array([[0.7, 0.5], [0.6, np.inf]], dtype=np.float32))
        np.testing.assert_array_equal(found["one"].accuracy, [[0.5, 0.75], [1.0, 0.0]])
        assert found["loss only"].accuracy is None
        assert found["loss only"].loss.tolist() == [3.0, 2.0, 1.0]
        assert dict(found.settings) == {"rate": 0.1, "seeds": (0, 1)}
        assert dict(found.provenance) == {"machine": "a test"}


def test_a_set_without_provenance_gets_that_of_the_moment(tmp_path):
    found = CurveSet.load(CurveSet({"a": Curves([1.0])}).save(tmp_path / "a.npz"))
    assert found.provenance["numpy"] == np.__version__


def test_curves_cannot_be_changed():
    given = np.array([0.5, 0.25])
    one = Curves(given, given)
    given[0] = 9.0
    assert one.loss.tolist() == one.accuracy.tolist() == [0.5, 0.25]
    with pytest.raises(ValueError, match="read-only"):
        one.loss[0] = 1.0
    with pytest.raises(TypeError):
        little()["one"] = one


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda kept: pickle.loads(pickle.dumps(kept))])
def test_a_copy_holds_the_same_and_stays_read_only(copied):
    kept, other = little(), copied(little())
    assert list(kept) == list(other)
    assert other.settings == kept.settings
    np.testing.assert_array_equal(kept["one"].loss, other["one"].loss)
    with pytest.raises(ValueError, match="read-only"):
        other["one"].loss[0, 0] = 1.0


def test_one_network_of_several_is_chosen_with_its_accuracy():
    one = little()["one"].replica(1)
    assert one.loss.tolist() == [np.float32(0.6), np.inf]
    assert one.accuracy.tolist() == [1.0, 0.0]
    assert little()["loss only"].replica(0).loss.tolist() == [3.0, 2.0, 1.0]
    with pytest.raises(IndexError, match="2"):
        little()["one"].replica(2)


@pytest.mark.parametrize(
    ("loss", "accuracy", "says"),
    [
        (1.0, None, "epoch axis"),
        (["a"], None, "loss"),
        ([1.0, 2.0], [0.5], "one shape"),
        ([], None, "epoch axis"),
        ([1.0], [50.0], "got 50.0 at epoch 1: are these percentages"),
        ([1.0, 2.0], [-0.1, 0.5], r"between 0 and 1; got -0\.1 at epoch 1$"),
        ([1.0], [np.nan], "between 0 and 1; got nan at epoch 1$"),
    ],
)
def test_what_is_no_curve_is_refused(loss, accuracy, says):
    with pytest.raises(ValueError, match=says):
        Curves(loss, accuracy)


def test_only_curves_go_into_a_set():
    with pytest.raises(ValueError, match="'a'"):
        CurveSet({"a": [1.0, 2.0]})


def test_a_name_that_there_is_not_says_what_there_is():
    with pytest.raises(KeyError, match="'one', 'loss only'"):
        little()["two"]


def test_a_damaged_file_is_named(tmp_path):
    path = little().save(tmp_path / "curves.npz")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"curves\.npz is not a set of curves"):
        CurveSet.load(path)
    write_archive(path, {"format": "another"}, {})
    with pytest.raises(ValueError, match=r"not written by CurveSet\.save"):
        CurveSet.load(path)
    write_archive(path, {"format": "lossacc_helpers.CurveSet", "version": 2}, {})
    with pytest.raises(ValueError, match="its format has version 2; this package reads version 1"):
        CurveSet.load(path)
    about = {"format": "lossacc_helpers.CurveSet", "version": 1, "names": [], "settings": {}, "provenance": {}}
    write_archive(path, about, {"0.loss": np.ones(3)})
    with pytest.raises(ValueError, match=r"0\.loss"):
        CurveSet.load(path)
    with pytest.raises(FileNotFoundError):
        CurveSet.load(tmp_path / "nothing.npz")


@pytest.mark.parametrize("part", ["settings", "provenance"])
def test_what_was_trained_cannot_be_exchanged(part):
    kept = little()
    with pytest.raises(AttributeError):
        setattr(copy.deepcopy(kept), part, {"rate": 9})
    assert kept.settings["rate"] == 0.1


@pytest.mark.parametrize("given", [5, 0, [1, 2], "fast"])
def test_settings_that_are_no_mapping_are_refused(given):
    with pytest.raises(ValueError, match=f"settings must be a mapping; got {type(given).__name__}"):
        CurveSet({"a": Curves([1.0])}, settings=given)


def test_a_list_of_curves_has_no_names():
    with pytest.raises(ValueError, match="curves must be a mapping, Curves by name; got list"):
        CurveSet([Curves([1.0])])


def test_a_set_equals_itself_alone_for_others_may_have_been_trained_otherwise():
    kept = little()
    assert kept == copy.deepcopy(kept)
    assert kept != CurveSet(dict(kept), settings={"rate": 9})
    assert len({kept, little()}) == 2


def test_curves_say_in_a_line_what_they_are():
    assert repr(Curves(np.zeros((10, 45)), np.zeros((10, 45)))) == "Curves((10, 45), with accuracy)"
    assert repr(Curves([1.0, 2.0])) == "Curves((2,))"


def test_losses_beyond_single_precision_are_infinite_and_nobody_is_warned():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Curves([1e300, np.nan, -1.0]).loss[0] == np.inf


def test_who_takes_the_wrong_way_to_a_recording_is_shown_the_right_one():
    with pytest.raises(ValueError, match=r"recordings\.load_curves\('lesson_04_zoom'\)"):
        recordings.load("lesson_04_zoom")
    with pytest.raises(ValueError, match=r"recordings\.load\('lesson_03_squared_error'\)"):
        recordings.load_curves("lesson_03_squared_error")


def test_recorded_curves_are_found_by_name():
    assert "lesson_04_fast" in recordings.curve_names()
    assert not set(recordings.curve_names()) & {"curves"}
    with pytest.raises(ValueError, match="lesson_04_fast"):
        recordings.load_curves("nothing")

"""Patches are cut from the photographs of the two libraries; the same seed gives the same ones, forged or not."""

import copy
import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import skimage.data
import sklearn.datasets
from PIL import Image

from lossacc_helpers.datasets import Forgeries, forgeries
from lossacc_helpers.datasets.forgeries import NAMES, _colour_photographs

OF_SCIKIT_LEARN = ("china", "flower")
ORIGINALS = {
    name: sklearn.datasets.load_sample_image(f"{name}.jpg")
    if name in OF_SCIKIT_LEARN
    else getattr(skimage.data, name)()
    for name in NAMES
}


def little(**keywords):
    return forgeries(**{"train_samples": 60, "validation_samples": 40} | keywords)


def parts_of(data):
    """Patches, labels, places, sources and the regions they must be from, for training and for validation."""
    for which, (images, labels) in enumerate((data.train, data.validation)):
        regions = dict(zip(data.photographs, (pair[which] for pair in data.regions), strict=True))
        yield images, labels, data.pasted[which], data.sources[which], regions


def arrays_of(data, which):
    return (*(data.train, data.validation)[which], data.pasted[which], data.sources[which])


def same(data, other, which):
    pairs = zip(arrays_of(data, which), arrays_of(other, which), strict=True)
    return all(np.array_equal(one, another) for one, another in pairs)


def seen_in(region, name):
    """What a region of a photograph shows, as its library has it."""
    return ORIGINALS[name][region.top : region.bottom, region.left : region.right]


def places_of(pieces, shape, picture):
    """Corners where a window of a shape lies in a picture and its pixels (row, column, value) are those given."""
    rows, columns = picture.shape[0] - shape[0] + 1, picture.shape[1] - shape[1] + 1
    (row, column, value), *others = pieces
    found = np.argwhere((picture[row : row + rows, column : column + columns] == value).all(axis=-1))
    for row, column, value in others:
        found = found[(picture[found[:, 0] + row, found[:, 1] + column] == value).all(axis=-1)]
    return found


def holds_patch(picture, image, box):
    """Whether a picture shows a patch somewhere, except for what is inside the box."""
    top, left, bottom, right = box
    outside = np.ones(image.shape[:2], dtype=bool)
    outside[top:bottom, left:right] = False
    height, width = outside.shape
    # The brightest pixels are in the fewest places.
    order = sorted(np.argwhere(outside).tolist(), key=lambda corner: -int(image[*corner].sum()))
    pieces = [(row, column, image[row, column]) for row, column in order[:20]]
    return any(
        np.array_equal(picture[top : top + height, left : left + width][outside], image[outside])
        for top, left in places_of(pieces, outside.shape, picture)
    )


def is_enlarged_from(picture, copied, side):
    """Whether what was pasted in is some square of a picture with this side, enlarged by Pillow."""
    last, end = side - 1, len(copied) - 1
    # Interpolated or not, the corners of a copy are the corners of what was copied.
    corners = [(i * last, j * last, copied[i * end, j * end]) for i in (0, 1) for j in (0, 1)]
    for top, left in places_of(corners, (side, side), picture):
        square = Image.fromarray(np.ascontiguousarray(picture[top : top + side, left : left + side]))
        if np.array_equal(square.resize((len(copied), len(copied)), Image.Resampling.BILINEAR), copied):
            return True
    return False


# What patches show


@pytest.mark.parametrize("size", [(32, 32), (20, 47), (8, 8), (150, 225)])
def test_training_and_validation_share_no_pixel(size):
    for name, (training, validation) in zip(NAMES, little(size=size).regions, strict=True):
        covered = np.zeros(ORIGINALS[name].shape[:2], dtype=int)
        for region in (training, validation):
            covered[region.top : region.bottom, region.left : region.right] += 1
        assert (covered == 1).all()  # and none is wasted


@pytest.mark.parametrize(
    "keywords", [{}, dict(size=(20, 47), difficulty=0, seed=4), dict(difficulty=1, seed=5)], ids=str
)
def test_a_patch_is_what_its_region_shows_except_for_what_was_pasted_in(keywords):
    for images, labels, pasted, sources, regions in parts_of(little(**keywords)):
        for image, label, box, source in zip(images, labels, pasted, sources, strict=True):
            picture = seen_in(regions[NAMES[source]], NAMES[source])
            assert holds_patch(picture, image, box)
            if not label:
                assert not box.any()


def test_a_patch_is_seldom_found_in_the_other_region():
    data = little()
    for which, (images, _, pasted, sources, _) in enumerate(parts_of(data)):
        others = [pair[1 - which] for pair in data.regions]
        found = [
            holds_patch(seen_in(others[source], NAMES[source]), image, box)
            for image, box, source in zip(images[:20], pasted, sources, strict=False)
        ]
        assert np.mean(found) < 0.3  # black corners look alike


DIFFICULTIES = [(0, 2.0), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((0.5, 1.5), (0.8, 1.2))), (1, 1.0)]


@pytest.mark.parametrize(("difficulty", "enlargement"), DIFFICULTIES)
def test_what_was_pasted_in_is_enlarged_from_a_square_of_the_same_part(difficulty, enlargement):
    for images, labels, pasted, _, regions in parts_of(little(difficulty=difficulty)):
        for k in np.flatnonzero(labels)[:12]:
            top, left, bottom, right = pasted[k]
            side = bottom - top
            assert right - left == side
            exact = side / enlargement
            sides = [one for one in (int(exact), int(exact) + 1) if abs(one - exact) <= 0.5]
            copied = images[k, top:bottom, left:right]
            assert any(is_enlarged_from(seen_in(regions[name], name), copied, one) for name in NAMES for one in sides)


def test_an_enlarged_copy_is_no_square_of_any_photograph():
    data = little(difficulty=0)
    found = []
    for images, labels, pasted, _, regions in parts_of(data):
        for k in np.flatnonzero(labels)[:8]:
            top, left, bottom, right = pasted[k]
            copied = images[k, top:bottom, left:right]
            found += [any(is_enlarged_from(seen_in(regions[name], name), copied, bottom - top) for name in NAMES)]
    assert np.mean(found) < 0.2  # black enlarged is black


@pytest.mark.parametrize("size", [(32, 32), (8, 8), (47, 20), (33, 60)])
def test_squares_of_a_third_to_six_tenths_of_the_shorter_side_are_pasted_anywhere(size):
    data = forgeries(size=size, train_samples=2000, validation_samples=2)
    _, labels, places, _ = arrays_of(data, 0)
    forged = places[labels == 1]
    sides = forged[:, 2] - forged[:, 0]
    np.testing.assert_array_equal(sides, forged[:, 3] - forged[:, 1])
    shorter = min(size)
    assert set(sides) == {side for side in range(shorter) if shorter <= 3 * side and 10 * side <= 6 * shorter}
    assert (forged[:, :2].min(axis=0) == 0).all()
    assert (forged[:, 2:].max(axis=0) == size).all()
    assert not places[labels == 0].any()


@pytest.mark.parametrize(("samples", "forged"), [(2, 1), (3, 1), (101, 50), (800, 400)])
def test_half_of_the_patches_are_forged_and_of_an_odd_number_one_more_is_genuine(samples, forged):
    data = forgeries(size=(8, 8), train_samples=samples, validation_samples=samples)
    for _, labels, *_ in parts_of(data):
        assert np.bincount(labels).tolist() == [samples - forged, forged]
        assert samples < 100 or 0.4 < np.mean(np.diff(labels) != 0) < 0.6  # in random order


def test_every_photograph_gives_about_as_many_patches_as_the_others():
    data = forgeries(size=(8, 8))
    for _, labels, _, sources, _ in parts_of(data):
        for label in (0, 1):
            counts = np.bincount(sources[labels == label], minlength=9)
            expected = (labels == label).sum() / 9
            assert ((counts - expected) ** 2 / expected).sum() < 8 + 4 * np.sqrt(16)  # chi-square, 8 degrees of freedom


# The same seed, the same patches


def test_a_seed_gives_these_patches_on_every_machine():
    data = forgeries()
    numbers = hashlib.sha256()
    for which in (0, 1):
        for array in arrays_of(data, which)[1:]:
            numbers.update(array.astype("<i8").tobytes())
    assert numbers.hexdigest() == "9cec0b58c0d28a477c32537c178464d344b6c5e5c563b0249d12511fda279f35"
    # Genuine ones of photographs that are PNG files: decoders of JPEG may differ by a shade.
    lossless = [NAMES.index(name) for name in ("astronaut", "chelsea", "coffee", "immunohistochemistry")]
    images, labels, _, sources = arrays_of(data, 0)
    chosen = images[(labels == 0) & np.isin(sources, lossless)][:50]
    assert (
        hashlib.sha256(chosen.tobytes()).hexdigest()
        == "08e38d5e9ffe2182f4b684b1bc12bb442453fb368caf98a8402cc9b410743e9e"
    )


def test_the_same_seed_gives_the_same_and_another_seed_another_data_set():
    one, again, other = (little(seed=seed) for seed in (7, 7, 8))
    for which in (0, 1):
        assert same(one, again, which)
        images, labels, _, sources = arrays_of(one, which)
        others = arrays_of(other, which)
        assert (sources != others[3]).mean() > 0.7
        assert (labels != others[1]).any()
        assert (images != others[0]).any(axis=(1, 2, 3)).mean() > 0.9
    assert (one.sources[0][:40] != one.sources[1]).mean() > 0.7


def test_one_part_does_not_depend_on_how_many_samples_the_other_has():
    data, more_train, more_validation = little(), little(train_samples=500), little(validation_samples=500)
    assert same(data, more_train, 1)
    assert same(data, more_validation, 0)


def test_difficulty_changes_nothing_but_what_is_inside_the_squares():
    easy, hard = little(difficulty=0), little(difficulty=1)
    assert (easy.difficulty, hard.difficulty) == (0.0, 1.0)
    for which in (0, 1):
        images, labels, pasted, sources = arrays_of(easy, which)
        others = arrays_of(hard, which)
        for one, another in zip((labels, pasted, sources), others[1:], strict=True):
            np.testing.assert_array_equal(one, another)
        inside = np.zeros(images.shape[:3], dtype=bool)
        for k, (top, left, bottom, right) in enumerate(pasted):
            inside[k, top:bottom, left:right] = True
        np.testing.assert_array_equal(images[~inside], others[0][~inside])
        changed = (images != others[0]).any(axis=(1, 2, 3))
        assert changed[labels == 1].mean() > 0.8
        assert not changed[labels == 0].any()


# How they are held


CHILD = """
import json, sys, tracemalloc

def refuse(event, arguments):
    if event.startswith("socket."):
        raise OSError(f"the network was asked: {event}")

sys.addaudithook(refuse)
from lossacc_helpers.datasets import forgeries
forgeries(train_samples=2, validation_samples=2)  # the photographs are not what is measured
tracemalloc.start()
data = forgeries()
held, peak = tracemalloc.get_traced_memory()
told = {"held": held, "peak": peak, "patches": data.train[0].nbytes + data.validation[0].nbytes}
try:
    import socket
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except OSError as error:
    told["connected"] = str(error)
print(json.dumps(told))
"""


def test_patches_come_without_the_network_and_are_held_once_as_bytes(tmp_path):
    elsewhere = os.environ | {"SKIMAGE_DATADIR": str(tmp_path), "SCIKIT_LEARN_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", CHILD], env=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["connected"].startswith("the network was asked: socket.")  # so the bar was up all the time
    assert told["patches"] == 8800 * 32 * 32 * 3
    assert told["held"] < 1.1 * told["patches"]
    assert told["peak"] < 1.2 * told["patches"]


def every_array(data):
    return (*arrays_of(data, 0), *arrays_of(data, 1))


def test_patches_cannot_be_changed_by_accident():
    data = little()
    for array in every_array(data):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(FrozenInstanceError):
        data.difficulty = 1.0
    assert not any(one.flags.writeable for one in _colour_photographs())


def test_copies_are_the_same_and_as_read_only():
    data = little(difficulty=0.25)
    assert copy.deepcopy(data) is data
    for twin in (pickle.loads(pickle.dumps(data)), copy.copy(data)):
        assert all(same(data, twin, which) for which in (0, 1))
        assert (twin.regions, twin.difficulty, twin.photographs) == (data.regions, 0.25, NAMES)
        assert twin.class_names == ("genuine", "forged")
        for array in every_array(twin):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_what_forgeries_are_made_of_can_change_afterwards():
    data = little()
    given = [[array.copy() for array in arrays_of(data, which)] for which in (0, 1)]
    (images, labels, pasted, sources), (others, other_labels, other_pasted, other_sources) = given
    own = replace(
        data,
        train=(images, labels),
        validation=(others, other_labels),
        pasted=(pasted, other_pasted),
        sources=(sources, other_sources),
    )
    for array in (*given[0], *given[1]):
        array[:] = 0
    assert all(same(data, own, which) for which in (0, 1))


def test_a_data_set_says_in_a_line_what_it_is():
    assert repr(little()) == "Forgeries(train=(60, 32, 32, 3), validation=(40, 32, 32, 3))"


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (151, 226)}, "of 151 x 226 pixels (height x width) do not fit into 'chelsea', which has 300 x 451"),
        ({"size": (600, 10)}, "of 600 x 10 pixels (height x width) do not fit into 'astronaut', which has 512 x 512"),
        ({"size": (7, 32)}, "patches must have at least 8 x 8 pixels; got 7 x 32"),
        ({"size": (32, 7)}, "patches must have at least 8 x 8 pixels; got 32 x 7"),
        ({"size": (0, 32)}, "height must be a whole number, 1 or more; got 0"),
        ({"size": 32}, "size must be a pair (height, width) in pixels; got 32"),
        ({"size": (32.0, 32)}, "height must be a whole number, 1 or more; got 32.0"),
        ({"train_samples": 1}, "train_samples must be a whole number, 2 or more; got 1"),
        ({"train_samples": 8e3}, "train_samples must be a whole number, 2 or more; got 8000.0"),
        ({"validation_samples": 0}, "validation_samples must be a whole number, 2 or more; got 0"),
        ({"difficulty": -0.1}, "difficulty must lie in [0, 1]; got -0.1"),
        ({"difficulty": 1.5}, "difficulty must lie in [0, 1]; got 1.5"),
        ({"difficulty": float("nan")}, "difficulty must lie in [0, 1]; got nan"),
        ({"difficulty": "hard"}, "difficulty must be numbers; got text: 'hard'"),
        ({"difficulty": [0.1, 0.2]}, "difficulty must be a single number; got an array of shape (2,)"),
        ({"seed": -1}, "seed must be a whole number, 0 or more; got -1"),
        ({"seed": None}, "seed must be a whole number, 0 or more; got None"),
    ],
    ids=str,
)
def test_what_cannot_be_is_named_with_its_value(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        little(**arguments)


def changed(data, which, number, new):
    """Keywords for `replace`: one of the arrays of one part exchanged."""
    array = arrays_of(data, which)[number]
    if number < 2:
        name = ("train", "validation")[which]
        pair = list(getattr(data, name))
        pair[number] = new(array)
        return {name: tuple(pair)}
    name = ("pasted", "sources")[number - 2]
    pair = list(getattr(data, name))
    pair[which] = new(array)
    return {name: tuple(pair)}


IMAGES, LABELS, PASTED, SOURCES = range(4)
BYTES = "patches must be bytes of shape (sample, height, width, 3); got"


@pytest.mark.parametrize(
    ("number", "new", "message"),
    [
        (IMAGES, lambda a: a / 255, f"{BYTES} float64 of shape"),
        (IMAGES, lambda a: a[..., 0], f"{BYTES} uint8 of shape"),
        (IMAGES, lambda a: a[..., :1], f"{BYTES} shape"),
        (IMAGES, lambda a: a.tolist(), f"{BYTES} list"),
        (IMAGES, lambda a: a[:9], "labels must have shape (9,); got ("),
        (LABELS, lambda a: a[:, None], "labels must have shape ("),
        (LABELS, lambda a: a + 1, "labels must lie in 0..1 for 2 classes; got 2 at sample"),
        (LABELS, lambda a: 1 - a, "forged patches, and no others, must have something pasted in; got ["),
        (PASTED, lambda a: a[:9], "pasted and sources must be about the same samples; got "),
        (PASTED, lambda a: a[:, :2], "pasted must be whole numbers of shape (sample, 4); got int64 of shape"),
        (PASTED, lambda a: a / 2, "pasted must be whole numbers of shape (sample, 4); got float64 of shape"),
        (PASTED, lambda a: 2 * a, "what was pasted in must lie inside patches of 32 x 32 pixels; got ["),
        (PASTED, lambda a: a - 40, "what was pasted in must lie inside patches of 32 x 32 pixels; got [-"),
        (PASTED, lambda a: a[:, [2, 3, 0, 1]], "what was pasted in must lie inside patches of 32 x 32 pixels; got ["),
        (PASTED, np.zeros_like, "forged patches, and no others, must have something pasted in; got [0, 0, 0, 0] at"),
        (
            PASTED,
            lambda a: a + (1 - a.any(axis=-1, keepdims=True)),
            "and no others, must have something pasted in; got [1, 1",
        ),
        (
            PASTED,
            lambda a: a + (1 - a.any(axis=-1, keepdims=True)) * [1, 2, 5, 6],
            "pasted in; got [1, 2, 5, 6] at sample",
        ),
        (PASTED, np.ones_like, "forged patches, and no others, must have something pasted in; got [1, 1, 1, 1] at"),
        (SOURCES, lambda a: a + 9, "sources must lie in 0..8; got "),
        (SOURCES, lambda a: a - 9, "sources must lie in 0..8; got -"),
        (SOURCES, lambda a: a[:9], "pasted and sources must be about the same samples; got "),
    ],
)
@pytest.mark.parametrize("which", [0, 1])
def test_parts_that_do_not_belong_together_are_refused(which, number, new, message):
    data = little()
    with pytest.raises(ValueError, match=re.escape(message)):
        replace(data, **changed(data, which, number, new))


def test_forgeries_of_no_difficulty_are_refused():
    with pytest.raises(ValueError, match=re.escape("difficulty must lie in [0, 1]; got 2")):
        replace(little(), difficulty=2)
    assert isinstance(replace(little(), difficulty=1).difficulty, float)
    assert isinstance(little(), Forgeries)


@pytest.mark.parametrize("package", ["skimage", "sklearn"])
def test_without_a_library_the_error_says_so_in_words(package, monkeypatch):
    _colour_photographs.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.datasets", None)
    message = f"scikit-image and scikit-learn; {package}.* is not installed; `make install` installs both"
    with pytest.raises(ImportError, match=message):
        forgeries()
    monkeypatch.undo()
    assert little().train[0].shape == (60, 32, 32, 3)  # the failure is not remembered


def test_a_view_of_patches_that_others_can_change_is_copied():
    data = little()
    theirs = data.train[0].copy()
    view = theirs.view()
    view.flags.writeable = False
    own = replace(data, train=(view, data.train[1]))
    theirs[:] = 0
    assert same(data, own, 0)
    assert replace(data).train[0] is data.train[0]  # which nobody can change


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": None}, "train must be a pair of patches and labels; got NoneType"),
        ({"validation": (1, 2, 3)}, "validation must be a pair of patches and labels; got 3 parts"),
        ({"pasted": (np.zeros((60, 4), int),)}, "pasted must be a pair, of training and of validation; got 1 parts"),
        ({"pasted": (1, 2, 3)}, "pasted must be a pair, of training and of validation; got 3 parts"),
        ({"sources": np.zeros((2, 60), int)}, "sources must be a pair, of training and of validation; got ndarray"),
        ({"regions": "abc"}, "regions must be a pair for each of the 9 photographs; got 'abc'"),
        ({"regions": [(1, 2)] * 9}, "regions of astronaut must be two of type Region; got 1"),
        ({"photographs": "abc"}, "photographs must be names, a tuple of text; got 'abc'"),
        ({"class_names": ("a", "b", "c")}, "class_names must be two, genuine and forged; got a, b, c"),
        ({"class_names": "ab"}, "class_names must be names, a tuple of text; got 'ab'"),
    ],
    ids=str,
)
def test_parts_of_another_kind_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        replace(little(), **changes)


def test_names_and_regions_are_kept_as_tuples():
    data = little()
    own = replace(data, class_names=["real", "fake"], photographs=list(NAMES), regions=[list(r) for r in data.regions])
    assert (own.class_names, own.photographs, own.regions) == (("real", "fake"), NAMES, data.regions)

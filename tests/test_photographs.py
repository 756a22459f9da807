"""The photographs are scikit-image's, their crops lie apart by part, and the same seed gives the same crops."""

import copy
import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from itertools import combinations

import numpy as np
import pytest
import skimage.data
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lossacc_helpers.datasets import Photographs, Region, photographs
from lossacc_helpers.datasets.photographs import NAMES, _grey_photographs

SIZES = [(150, 200), (60, 80), (30, 40), (8, 8)]
SHAPES = {name: getattr(skimage.data, name)().shape[:2] for name in NAMES}


def little(**keywords):
    return photographs(**{"size": (30, 40), "train_samples": 130, "validation_samples": 65} | keywords)


def parts_of(data):
    return (data.train, data.validation)


def same(one, other):
    """Whether two pairs of crops and labels are the same in every number."""
    (crops, labels), (other_crops, other_labels) = one, other
    pairs = [(labels, other_labels), (crops[:], other_crops[:])]
    pairs += [(getattr(crops, name), getattr(other_crops, name)) for name in ("sources", "offsets", "grains")]
    return all(np.array_equal(a, b) for a, b in pairs)


# Regions and crops


def check_regions(size):
    """Training and validation share no pixel, and every crop lies in its own region and is what is seen there."""
    data = photographs(size=size, train_samples=39, validation_samples=26)
    assert len(data.regions) == len(NAMES)
    for label, pair in enumerate(data.regions):
        covered = np.zeros(SHAPES[NAMES[label]], dtype=int)
        for region, (crops, _) in zip(pair, parts_of(data), strict=True):
            assert 0 <= region.top < region.bottom <= covered.shape[0]
            assert 0 <= region.left < region.right <= covered.shape[1]
            covered[region.top : region.bottom, region.left : region.right] += 1
            inside = np.zeros_like(covered)
            inside[region.top : region.bottom, region.left : region.right] = 1
            for place in np.flatnonzero(crops.sources == label):
                top, left = crops.offsets[place]
                window = (slice(top, top + size[0]), slice(left, left + size[1]))
                assert inside[window].shape == size
                assert inside[window].all()
                np.testing.assert_array_equal(crops[place][..., 0], crops.photographs[label][window] / np.float32(255))
        assert (covered == 1).all()  # no pixel serves both parts, and none is wasted


@pytest.mark.parametrize("size", SIZES)
def test_training_and_validation_share_no_pixel(size):
    check_regions(size)


@settings(max_examples=60)
@given(st.tuples(st.integers(1, 460), st.integers(1, 460)))
@example((151, 192))
@example((152, 192))
@example((300, 192))
@example((301, 192))
@example((151, 226))
@example((150, 384))
@example((150, 385))
def test_a_size_is_taken_if_two_crops_of_it_fit_into_each_photograph_without_overlap(size):
    height, width = size
    room = [
        (rows >= 2 * height and columns >= width) or (rows >= height and columns >= 2 * width)
        for rows, columns in SHAPES.values()
    ]
    if all(room):
        check_regions(size)
    else:
        name = NAMES[room.index(False)]
        rows, columns = SHAPES[name]
        message = (
            f"two disjoint crops of {height} x {width} pixels (height x width) do not fit into '{name}', which has "
            f"{rows} x {columns}"
        )
        with pytest.raises(ValueError, match=re.escape(message)):
            photographs(size=size)


def test_a_photograph_is_cut_across_the_side_that_leaves_the_smaller_part_more_places():
    regions = dict(zip(NAMES, photographs().regions, strict=True))
    # 300 x 451 pixels: rows cut at 150 leave 1 x 252 places in each part, columns cut at 251 would leave 151 x 1.
    assert regions["chelsea"] == (Region(0, 0, 150, 451), Region(150, 0, 300, 451))
    # 400 x 600: columns cut at 360 leave 251 x 41, rows cut at 240 would leave 11 x 401.
    assert regions["coffee"] == (Region(0, 0, 400, 360), Region(0, 360, 400, 600))
    # 512 x 512: rows cut at 307 leave 56 x 313, columns cut at 307 would leave 363 x 6.
    assert regions["moon"] == (Region(0, 0, 307, 512), Region(307, 0, 512, 512))


@pytest.mark.parametrize("size", SIZES)
def test_corners_are_spread_evenly_over_all_places_of_a_region(size):
    data = photographs(size=size)
    for label, pair in enumerate(data.regions):
        for region, (crops, _) in zip(pair, parts_of(data), strict=True):
            places = np.array(region.positions(size))
            steps = crops.offsets[crops.sources == label] - (region.top, region.left)
            middle, deviation = (places - 1) / 2, np.sqrt((places**2 - 1) / 12)
            assert (np.abs(steps.mean(axis=0) - middle) <= 4 * deviation / np.sqrt(len(steps))).all()
            few = places < 10  # so few that each must have been drawn, the last one too
            assert all(set(steps[:, axis]) == set(range(places[axis])) for axis in np.flatnonzero(few))


def test_every_photograph_gives_as_many_crops_as_the_others_within_one():
    data = photographs()
    assert (len(data.train[0]), len(data.validation[0])) == (6000, 1300)
    for crops, labels in parts_of(photographs(train_samples=100, validation_samples=31)):
        counts = np.bincount(crops.sources, minlength=13)
        assert np.ptp(counts) == 1
        np.testing.assert_array_equal(labels, crops.sources)
        assert np.count_nonzero(np.diff(labels)) > 0.8 * len(labels)  # in random order


def test_fewer_classes_are_the_first_photographs():
    data = little(classes=np.int64(4), size=np.array([30, 40]))
    assert data.class_names == NAMES[:4]
    assert len(data.regions) == len(data.train[0].photographs) == 4
    assert set(data.train[1]) == set(data.validation[1]) == set(range(4))


# The same seed, the same crops


def test_a_seed_gives_these_crops_on_every_machine():
    settings = dict(size=(60, 80), train_samples=26, validation_samples=13, label_noise=0.5, seed=3)
    train, validation = parts_of(photographs(**settings))
    (crops, labels), (held_out, held_out_labels) = train, validation
    assert crops.sources[:6].tolist() == [7, 9, 3, 4, 0, 12]
    assert labels[:6].tolist() == [7, 9, 3, 4, 6, 4]
    assert crops.offsets[:3].tolist() == [[172, 185], [72, 328], [0, 168]]
    assert crops.grains[:3].tolist() == [738081, 323230, 389945]
    assert held_out.sources[:6].tolist() == [7, 4, 0, 12, 9, 11]
    assert held_out_labels[:6].tolist() == [11, 6, 0, 12, 7, 11]
    assert held_out.offsets[:3].tolist() == [[416, 171], [214, 516], [392, 251]]
    assert held_out.grains[:3].tolist() == [170882, 75853, 908069]
    # Of the camera, a grey PNG: decoders of JPEG may differ by a shade.
    shades = np.round(255 * crops[9]).astype(np.uint8)
    assert NAMES[crops.sources[9]] == "camera"
    assert hashlib.sha256(shades.tobytes()).hexdigest() == (
        "0b6165c67e210d88528b22c2093c816eeb9f7da366efbb8def250ef59ab92f94"
    )
    noisy, _ = photographs(**settings, noise=0.1).train
    np.testing.assert_allclose(noisy[9][0, :3, 0], [-0.05066498, 0.22323945, 0.0360285], atol=1e-6)


def test_the_same_seed_gives_the_same_and_another_seed_another_data_set():
    keywords = dict(noise=0.1, label_noise=0.3)
    one, again, other = (little(seed=seed, **keywords) for seed in (7, 7, 8))
    for part in (0, 1):
        assert same(parts_of(one)[part], parts_of(again)[part])
        (crops, labels), (others, other_labels) = parts_of(one)[part], parts_of(other)[part]
        assert (crops.sources != others.sources).mean() > 0.8
        assert (crops.offsets != others.offsets).mean() > 0.8
        assert (crops.grains != others.grains).mean() > 0.9
        assert (labels != other_labels).mean() > 0.8
    (crops, _), (held_out, _) = parts_of(little(train_samples=65))  # as many of both
    assert (crops.sources != held_out.sources).mean() > 0.8
    assert (crops.grains != held_out.grains).mean() > 0.9


def test_one_part_does_not_depend_on_how_many_samples_the_other_has():
    data, more_train, more_validation = little(), little(train_samples=500), little(validation_samples=500)
    assert same(data.validation, more_train.validation)
    assert same(data.train, more_validation.train)
    assert not np.array_equal(data.train[0].sources, more_train.train[0].sources[:130])


def test_redrawn_labels_and_noise_leave_the_crops_as_they_are():
    clean, doubted, noisy = little(), little(label_noise=0.7), little(noise=0.2)
    for (crops, labels), (others, others_labels) in zip(parts_of(clean), parts_of(doubted), strict=True):
        assert same((crops, labels), (others, labels))
        assert (labels != others_labels).any()
        np.testing.assert_array_equal(labels, crops.sources)
    for (crops, labels), (others, others_labels) in zip(parts_of(clean), parts_of(noisy), strict=True):
        np.testing.assert_array_equal(labels, others_labels)
        for name in ("sources", "offsets", "grains"):
            np.testing.assert_array_equal(getattr(crops, name), getattr(others, name))


@pytest.mark.parametrize(("rate", "classes"), [(0.1, 13), (0.4, 13), (0.4, 2), (1.0, 13), (1.0, 5)])
def test_the_share_of_wrong_labels_is_the_rate_less_those_redrawn_to_their_own_class(rate, classes):
    data = photographs(size=(8, 8), classes=classes, validation_samples=3000, label_noise=rate)
    expected = rate * (1 - 1 / classes)
    for crops, labels in parts_of(data):
        wrong = labels != crops.sources
        assert abs(wrong.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / len(labels))
        # Every other class alike: a chi-square statistic with classes * (classes - 2) degrees of freedom.
        counts = np.zeros((classes, classes))
        np.add.at(counts, (crops.sources[wrong], labels[wrong]), 1)
        others = counts[~np.eye(classes, dtype=bool)].reshape(classes, -1)
        fair = others.mean(axis=1, keepdims=True)
        freedom = classes * (classes - 2)
        assert abs(((others - fair) ** 2 / fair).sum() - freedom) <= 4 * np.sqrt(2 * freedom)


# The photographs


@pytest.mark.parametrize("name", NAMES)
def test_each_photograph_is_scikit_images_own_in_shades_of_grey(name):
    original = getattr(skimage.data, name)()
    grey = little().train[0].photographs[NAMES.index(name)]
    assert grey.dtype == np.uint8
    if original.ndim == 2:
        np.testing.assert_array_equal(grey, original)
    else:
        luminance = original @ np.array([0.2126, 0.7152, 0.0722])  # of ITU-R BT.709, as published
        assert np.abs(grey - luminance).max() <= 1


CHILD = """
import json, sys, tracemalloc

def refuse(event, arguments):
    if event.startswith("socket."):
        raise OSError(f"the network was asked: {event}")

sys.addaudithook(refuse)
from lossacc_helpers.datasets import photographs
photographs(size=(8, 8), classes=2)  # what scikit-image imports is not what is measured
from lossacc_helpers.datasets.photographs import _grey_photographs
_grey_photographs.cache_clear()

tracemalloc.start()
data = photographs()
told = {"held": tracemalloc.get_traced_memory()[0], "peak": tracemalloc.get_traced_memory()[1]}
tracemalloc.reset_peak()
before = tracemalloc.get_traced_memory()[0]
data.train[0][:32]
told["batch"] = tracemalloc.get_traced_memory()[1] - before
noisy, _ = photographs(size=(60, 80), train_samples=1300, noise=0.1).train
noisy[0]
tracemalloc.reset_peak()
before = tracemalloc.get_traced_memory()[0]
told["bytes"] = noisy[:].nbytes
told["noisy"] = tracemalloc.get_traced_memory()[1] - before
try:
    import socket
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except OSError as error:
    told["connected"] = str(error)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a fresh process without network says about the memory it took."""
    elsewhere = os.environ | {"SKIMAGE_DATADIR": str(tmp_path_factory.mktemp("no_photographs_here"))}
    done = subprocess.run([sys.executable, "-c", CHILD], env=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_photographs_come_without_the_network(told):
    assert told["connected"].startswith("the network was asked: socket.")  # so the bar was up all the time


def test_at_full_scale_a_few_megabytes_are_held_and_never_the_set_as_floats(told):
    as_floats = 6000 * 150 * 200 * 4
    assert told["held"] < 10e6
    assert told["peak"] < as_floats / 5
    assert told["batch"] < 2 * 32 * 150 * 200 * 4


def test_noise_is_added_crop_by_crop_and_not_to_all_at_once(told):
    assert told["bytes"] == 1300 * 60 * 80 * 4
    assert told["noisy"] < 1.2 * told["bytes"]


# Noise


@pytest.mark.parametrize("deviation", [0.05, 0.4])
def test_noise_is_normal_with_mean_0_and_the_deviation_asked_for(deviation):
    keywords = dict(size=(60, 80), train_samples=52, validation_samples=13)
    difference = photographs(noise=deviation, **keywords).train[0][:] - photographs(**keywords).train[0][:]
    grains = difference / np.float32(deviation)
    assert abs(grains.mean()) < 5 / np.sqrt(grains.size)
    assert grains.std() == pytest.approx(1, abs=0.01)
    for within, share in ((1, 0.6827), (2, 0.9545), (3, 0.9973)):
        assert (np.abs(grains) < within).mean() == pytest.approx(share, abs=0.005)


def test_a_crop_has_the_same_noise_whenever_it_is_cut_and_others_have_their_own():
    (noisy, _), (clean, _) = (little(noise=noise).train for noise in (0.2, 0.0))
    np.testing.assert_array_equal(noisy[5], noisy[5])
    np.testing.assert_array_equal(noisy[5], noisy[[9, 5]][1])
    np.testing.assert_array_equal(noisy[5], np.asarray(noisy)[5])
    grains = (noisy[:40] - clean[:40]).reshape(40, -1)
    correlations = np.corrcoef(grains)[np.triu_indices(40, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(grains.shape[1])


def test_without_noise_a_crop_is_the_photograph_over_255():
    for size in SIZES:
        (crops, _) = photographs(size=size, train_samples=26, validation_samples=13).train
        (top, left), picture = crops.offsets[7], crops.photographs[crops.sources[7]]
        expected = picture[top : top + size[0], left : left + size[1], None] / np.float32(255)
        np.testing.assert_array_equal(crops[7], expected)
        assert crops[:].min() >= 0
        assert crops[:].max() <= 1


def test_noise_goes_on_at_the_start_of_its_table_where_that_ends():
    (noisy, _), (clean, _) = (little(noise=noise).train for noise in (1.0, 0.0))

    def grains(start):
        crops = replace(noisy, grains=np.full(len(noisy), start))
        return (crops[0] - clean[0]).ravel()

    np.testing.assert_allclose(grains(2**20 - 100)[100:], grains(0)[:-100], atol=1e-6)
    np.testing.assert_allclose(grains(40)[:-40], grains(0)[40:], atol=1e-6)
    assert not np.allclose(grains(2**20 - 100)[:100], grains(0)[:100], atol=0.1)


# Crops read like an array


@pytest.mark.parametrize(
    "which",
    [
        0,
        -1,
        np.int64(3),
        np.array(4),
        slice(2, 9, 3),
        slice(None, None, -1),
        slice(120, 999),
        slice(5, 5),
        ...,
        [5, 8, 5],
        [-1, 0],
        [],
        np.arange(130) % 7 == 2,
        np.zeros(130, dtype=bool),
        [True] + 129 * [False],
    ],
    ids=str,
)
def test_crops_are_chosen_like_the_rows_of_an_array(which):
    crops, _ = little(noise=0.1).train
    whole = np.stack([crops[place] for place in range(130)])
    assert crops[which].dtype == np.float32
    np.testing.assert_array_equal(crops[which], whole[which])


def test_crops_know_their_shape_and_become_an_array():
    crops, labels = little().train
    assert (len(crops), crops.shape, crops.ndim, crops.dtype) == (130, (130, 30, 40, 1), 4, np.float32)
    whole = np.asarray(crops)
    assert (whole.shape, whole.dtype) == (crops.shape, np.float32)
    assert np.asarray(crops, dtype=np.float64).dtype == np.float64
    np.testing.assert_array_equal(np.array(list(crops)), whole)
    np.testing.assert_array_equal(np.array(crops, copy=True), whole)
    with pytest.raises(ValueError, match="there is no array without a copy"):
        np.array(crops, copy=False)
    assert labels.shape == (130,)
    assert labels.dtype.kind == "i"


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (130, "out of bounds"),
        (-131, "out of bounds"),
        ([0, 130], "out of bounds"),
        ("5", "only integers, slices"),
        (1.0, "only integers, slices"),
        (np.ones(5, dtype=bool), "boolean index did not match"),
        ((3, slice(None)), r"chosen along one axis, the samples, .* got \[\(3, slice.* as in crops\[3\]\[:, :, 0\]"),
        (None, r"chosen along one axis, the samples, as in crops\[3\] or crops\[:32\]; got \[None\]"),
        ([[1, 2], [3, 4]], "chosen along one axis"),
        (True, "chosen along one axis"),
    ],
    ids=str,
)
def test_a_place_that_is_not_there_is_an_index_error(which, message):
    crops, _ = little().train
    with pytest.raises(IndexError, match=message):
        crops[which]


def test_data_cannot_be_changed_by_accident_but_what_is_cut_out_can():
    data = little()
    for crops, labels in parts_of(data):
        for array in (crops.sources, crops.offsets, crops.grains, labels, *crops.photographs):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
        before = crops[0]
        crops[0][:] = 7
        crops[:5][:] = 7
        np.testing.assert_array_equal(crops[0], before)
    with pytest.raises(FrozenInstanceError):
        data.train[0].noise = 0.5
    with pytest.raises(FrozenInstanceError):
        data.regions[0][0].top = 5


def test_copies_are_the_same_and_as_read_only():
    data = little(noise=0.1, label_noise=0.3)
    twin = pickle.loads(pickle.dumps(data))
    assert copy.deepcopy(data) is data
    for other in (twin, copy.copy(data)):
        for part, others in zip(parts_of(data), parts_of(other), strict=True):
            assert same(part, others)
            assert copy.deepcopy(part[0]) is part[0]
            crops, labels = others
            for array in (crops.sources, crops.offsets, crops.grains, labels, *crops.photographs):
                with pytest.raises(ValueError, match="read-only"):
                    array[0] = 0
    assert twin.regions == data.regions
    pairs = zip(twin.train[0].photographs, twin.validation[0].photographs, strict=True)
    assert all(np.shares_memory(*pair) for pair in pairs)  # not held twice


def test_what_crops_are_made_of_can_change_afterwards():
    crops, labels = little().train
    given = {name: getattr(crops, name).copy() for name in ("sources", "offsets", "grains")}
    pictures, told = tuple(one.copy() for one in crops.photographs), labels.copy()
    own = replace(crops, photographs=pictures, **given)
    data = replace(little(), train=(own, told))
    for array in (*given.values(), *pictures, told):
        array[:] = 0
    assert same(data.train, (crops, labels))


def test_a_data_set_says_in_a_line_what_it_is():
    assert repr(little(noise=0.1)) == (
        "Photographs(classes=13, train=Crops(samples=130, size=(30, 40), noise=0.1), "
        "validation=Crops(samples=65, size=(30, 40), noise=0.1))"
    )


# How many crops fit without overlap


def test_52_of_1300_validation_crops_fit_without_overlap_at_full_scale():
    data = photographs()
    fit = {name: pair[1].apart((150, 200)) for name, pair in zip(NAMES, data.regions, strict=True)}
    squares = ("astronaut", "brick", "camera", "grass", "gravel", "immunohistochemistry", "moon")
    assert [fit[name] for name in squares] == 7 * [1 * 2]  # 205 x 512 pixels
    assert fit["chelsea"] == 1 * 2  # 150 x 451
    assert fit["coffee"] == 2 * 1  # 400 x 240
    assert fit["coins"] == 1 * 1  # 150 x 384
    assert fit["hubble_deep_field"] == 2 * 5  # 349 x 1000
    assert fit["retina"] == 3 * 7  # 564 x 1411
    assert fit["rocket"] == 2 * 1  # 427 x 256
    assert sum(fit.values()) == 14 + 2 + 2 + 1 + 10 + 21 + 2 == 52
    assert len(data.validation[0]) == 1300


def test_at_full_scale_crops_of_one_region_overlap_as_the_prose_admits():
    data = photographs()
    crops, _ = data.validation
    corners = crops.offsets[crops.sources == NAMES.index("astronaut")]
    pairs = [(abs(a - b) < crops.size).all() for a, b in combinations(corners, 2)]
    assert np.mean(pairs) > 0.5
    chelsea = data.train[0].offsets[data.train[0].sources == NAMES.index("chelsea")]
    assert len(np.unique(chelsea, axis=0)) < len(chelsea)  # 252 places for 462 crops


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (151, 226)}, "of 151 x 226 pixels (height x width) do not fit into 'chelsea', which has 300 x 451"),
        ({"size": (160, 200)}, "of 160 x 200 pixels (height x width) do not fit into 'coins', which has 303 x 384"),
        ({"size": (600, 10)}, "of 600 x 10 pixels (height x width) do not fit into 'astronaut', which has 512 x 512"),
        ({"size": 40}, "size must be a pair (height, width) in pixels; got 40"),
        ({"size": (40,)}, "size must be a pair (height, width) in pixels; got (40,)"),
        ({"size": (30, 40, 1)}, "size must be a pair (height, width) in pixels; got (30, 40, 1)"),
        ({"size": None}, "size must be a pair (height, width) in pixels; got None"),
        ({"size": (0, 40)}, "height must be a whole number, 1 or more; got 0"),
        ({"size": (30, -40)}, "width must be a whole number, 1 or more; got -40"),
        ({"size": (30.0, 40)}, "height must be a whole number, 1 or more; got 30.0"),
        ({"size": ("30", "40")}, "height must be a whole number, 1 or more; got '30'"),
        ({"classes": 14}, "there are 13 photographs, so at most 13 classes; got 14"),
        ({"classes": 1}, "classes must be a whole number, 2 or more; got 1"),
        ({"classes": 2.0}, "classes must be a whole number, 2 or more; got 2.0"),
        ({"train_samples": 12}, "train_samples must be at least 13, one crop of each photograph; got 12"),
        ({"validation_samples": 3}, "validation_samples must be at least 13, one crop of each photograph; got 3"),
        ({"validation_samples": 0}, "validation_samples must be a whole number, 1 or more; got 0"),
        ({"train_samples": 60.5}, "train_samples must be a whole number, 1 or more; got 60.5"),
        ({"noise": -0.1}, "noise must lie in [0, 1]; got -0.1"),
        ({"noise": 25}, "noise must lie in [0, 1]; got 25"),
        ({"noise": float("nan")}, "noise must lie in [0, 1]; got nan"),
        ({"noise": [0.1, 0.2]}, "noise must be a single number; got an array of shape (2,)"),
        ({"label_noise": 1.01}, "label_noise must lie in [0, 1]; got 1.01"),
        ({"label_noise": -1}, "label_noise must lie in [0, 1]; got -1"),
        ({"label_noise": float("nan")}, "label_noise must lie in [0, 1]; got nan"),
        ({"label_noise": "40%"}, "label_noise must be numbers; got text: '40%'"),
        ({"label_noise": None}, "label_noise must be numbers; got Python objects: None"),
        ({"seed": -1}, "seed must be a whole number, 0 or more; got -1"),
        ({"seed": 1.5}, "seed must be a whole number, 0 or more; got 1.5"),
        ({"seed": None}, "seed must be a whole number, 0 or more; got None"),
    ],
    ids=str,
)
def test_what_cannot_be_is_named_with_its_value(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        photographs(**arguments)


@pytest.mark.parametrize("index", [np.ma.array([0, 1], mask=[False, True]), np.ma.array(np.arange(130) < 5)])
def test_masked_places_are_refused(index):
    with pytest.raises(IndexError, match="an ordinary array; got a masked one"):
        little().train[0][index]


@pytest.mark.parametrize("size", [{30, 40}, {30: 1, 40: 2}, "34", np.array(30)], ids=["set", "dict", "text", "number"])
def test_a_size_without_an_order_is_none(size):
    with pytest.raises(ValueError, match=r"size must be a pair \(height, width\) in pixels"):
        little(size=size)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": np.full(130, 13)}, "sources must lie in 0..12; got 13 at sample 0"),
        ({"sources": np.zeros(130)}, "sources must be whole numbers of shape (sample,); got float64 of shape (130,)"),
        ({"sources": np.zeros(9, int)}, "must be about the same crops; got 9, 130 and 130"),
        ({"offsets": np.full((130, 2), -1)}, "leave each crop inside its photograph; got [-1, -1] at sample 0"),
        ({"offsets": np.full((130, 2), 470)}, "offsets must leave each crop inside its photograph; got [470, 470]"),
        ({"offsets": np.zeros(130, int)}, "offsets must be whole numbers of shape (sample, 2); got int64 of shape"),
        ({"grains": np.full(130, 2**20)}, "grains must lie in 0..1048575; got 1048576 at sample 0"),
        ({"size": (30, 600)}, "offsets must leave each crop inside its photograph"),
        ({"noise": 2}, "noise must lie in [0, 1]; got 2"),
        ({"photographs": (np.zeros((99, 99)),)}, "bytes of shape (height, width); got float64 of shape (99, 99) at"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_crops_that_cannot_be_cut_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        replace(little().train[0], **changes)


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (lambda crops, labels: (crops[:5], labels[:5]), "train must be a pair of Crops and labels; got ndarray"),
        (lambda crops, labels: (crops, labels[:9]), "train labels must have shape (130,); got (9,)"),
        (lambda crops, labels: (crops, labels + 9), "labels must lie in 0..12 for 13 classes"),
    ],
)
def test_parts_that_are_no_crops_with_labels_are_refused(train, message):
    data = little()
    with pytest.raises(ValueError, match=re.escape(message)):
        Photographs(data.class_names, train(*data.train), data.validation, data.regions)


def test_without_scikit_image_the_error_says_so_in_words(monkeypatch):
    _grey_photographs.cache_clear()
    monkeypatch.setitem(sys.modules, "skimage", None)
    message = "the photographs come with scikit-image, which is not installed; `make install` installs it"
    with pytest.raises(ImportError, match=message):
        photographs()
    monkeypatch.undo()
    assert little().train[0].shape == (130, 30, 40, 1)  # the failure is not remembered

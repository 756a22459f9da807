"""Lesson 07: its explorer, its exercises and the facts it builds on."""

import re

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn import metrics
from sklearn.datasets import load_digits

from lossacc_helpers import attainable_accuracy
from lossacc_helpers.course.lesson_07 import NAMES, eights, lesson
from tests.moving import move_every_control

# The explorer ------------------------------------------------------------------------------------------------------


def test_every_control_of_the_explorer_changes_what_it_shows():
    move_every_control(lesson.explorer())


@pytest.mark.parametrize(("others", "count"), [(10, 162), (20, 81), (100, 16)])
def test_eights_are_as_rare_as_asked_for(others, count):
    images, rare = eights(others=others)
    assert rare.sum() == count
    assert (~rare).sum() == 1623
    assert images.shape == (1623 + count, 64)


def test_a_coarse_scanner_sees_means_of_blocks():
    fine, rare = eights(pixels=8, others=30, seed=3)
    coarse, same = eights(pixels=4, others=30, seed=3)
    np.testing.assert_array_equal(rare, same)
    block = fine.reshape(-1, 8, 8)[:, 2:4, 4:6].mean(axis=(1, 2))
    np.testing.assert_allclose(coarse.reshape(-1, 4, 4)[:, 1, 2], block)


def test_eights_are_those_of_scikit_learn():
    digits, labels = load_digits(return_X_y=True)
    fine, rare = eights(others=10)
    known = {row.tobytes() for row in digits[labels == 8].astype(np.float64)}
    assert all((16 * row).tobytes() in known for row in fine[rare])


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"pixels": 5}, "pixels must be 8 or 4; got 5"), ({"others": 5}, "others must lie between 9.3 and 1623; got 5")],
)
def test_digits_that_there_are_not_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        eights(**settings)


def test_never_saying_eight_gets_the_black_ticks():
    explorer = lesson.explorer()
    explorer.controls["threshold"].value = 0.99  # with coarse pixels nobody is that surely an eight
    for name in NAMES[:4]:
        value, tick = re.search(rf"(?:class: |, ){name} (-?[0-9.]+) \((-?[0-9.]+)\)", explorer.readout).groups()
        assert value == tick


def test_the_price_decides_the_dotted_threshold_and_what_mistakes_cost():
    explorer = lesson.explorer()
    explorer.controls["price"].value = 4
    found = re.search(
        r"1,000 samples cost (\d+) here, (\d+) at the threshold .* \(0\.20, dotted\), and (\d+)", explorer.readout
    )
    here, there, nobody = (int(one) for one in found.groups())
    share = eights(pixels=4, others=20)[1].mean()
    assert nobody == round(4 * 1000 * share)
    assert there <= here


# Facts -------------------------------------------------------------------------------------------------------------


def test_a_loss_as_small_as_that_of_the_regression_would_force_the_accuracy_up():
    least, _ = attainable_accuracy(0.0275, classes=2)
    assert least > 0.95
    assert attainable_accuracy(0.031, classes=2)[0] == pytest.approx(0.955, abs=5e-4)  # of the quiz


def test_the_entropy_of_one_in_a_hundred_is_what_the_quiz_says():
    truth = np.arange(100) == 0
    assert metrics.log_loss(truth, np.full(100, 0.01)) == pytest.approx(0.056, abs=5e-4)


# Exercises ---------------------------------------------------------------------------------------------------------


def test_other_forms_of_right_answers_pass():
    assert lesson.check("threshold", lambda alarm, miss: 1 / (1 + miss / alarm)).passed

    def by_precision(counts):
        found, alarms, missed = np.asarray(counts).sum(axis=0)
        if found == 0:
            return 0.0
        precision, recall = found / (found + alarms), found / (found + missed)
        return 2 * precision * recall / (precision + recall)

    assert lesson.check("pooled_f1", by_precision).passed

    def by_odds(recall, precision, here, there, price, temperature):
        ratio = precision / (1 - precision) * (1 - here) / here  # recall over the false alarm rate
        odds = ratio * there / (1 - there)
        at_price = 1 / (1 + price)
        shift = np.log(there / (1 - there)) - np.log(here / (1 - here))
        return odds / (1 + odds), temperature * (np.log(at_price / (1 - at_price)) - shift)

    assert lesson.check("precision_elsewhere", by_odds).passed


def test_the_cheapest_cut_of_a_measurement_is_the_logit_that_the_checker_expects():
    # A measurement x is normal around 1 among the ill and around -1 among the healthy: it adds 2 x to the log-odds.
    def by_search(recall, precision, here, there, price, temperature):
        alarms = recall * here * (1 - precision) / (precision * (1 - here))
        expected = recall * there / (recall * there + alarms * (1 - there))

        def dearer(x):  # by how much mistakes there cost more as the cut rises
            return price * there * norm.pdf(x - 1) - (1 - there) * norm.pdf(x + 1)

        return expected, temperature * (2 * brentq(dearer, -9, 9, xtol=1e-12) + np.log(here / (1 - here)))

    assert lesson.check("precision_elsewhere", by_search).passed


@pytest.mark.parametrize("high", [0.6, 0.99])
def test_any_pair_at_odds_passes_and_the_other_way_round_does_not(high):
    first = np.r_[np.full(3, 0.5), 0.02, np.full(16, 0.05)]
    second = np.r_[np.full(4, high), np.full(16, high - 0.05)]
    assert lesson.check("at_odds", np.stack([first, second])).passed
    assert not lesson.check("at_odds", np.stack([second, first])).passed

"""Logs of many programs, written after what people post, and what a person reads off each."""

import json
from pathlib import Path

import numpy as np
import pytest

from lossacc_helpers.clinic import diagnose, read

FORMATS = json.loads((Path(__file__).parent / "clinic_formats.json").read_text(encoding="utf-8"))
FIELDS = ("epochs", "loss", "accuracy", "validation_loss", "validation_accuracy")


@pytest.mark.parametrize("case", FORMATS, ids=lambda case: case["name"])
def test_a_log_says_what_a_person_reads_off_it(case):
    log = read(case["text"])
    for field in FIELDS:
        if field not in case:
            continue
        expected, got = case[field], getattr(log, field)
        if expected is None:
            assert got is None, field
        else:
            np.testing.assert_allclose(got, np.array(expected, dtype=float), atol=1e-9, err_msg=field)
    diagnose(log)


def test_there_are_many_and_each_has_its_name():
    assert len(FORMATS) >= 120
    assert len({case["name"] for case in FORMATS}) == len(FORMATS)

"""The clinic's picture, the logs and images of lesson 08, and the widget that reads a learner's own log."""

import base64
import datetime
import re

import numpy as np
import pytest
from matplotlib.text import Text

from lossacc_helpers.clinic import diagnose, examples
from lossacc_helpers.figures.clinic import clinic_figure, clinic_picture, images_figure, logs_figure
from lossacc_helpers.widgets import CurveClinic
from tests.moving import forgets, some_or_all


def texts(figure):
    return [one.get_text() for one in figure.findobj(Text) if one.get_visible() and one.get_text()]


def line(figure, axes, colour, style):
    [found] = [
        one
        for one in figure.axes[axes].lines
        if one.get_color() == colour and one.get_linestyle() == style and len(one.get_xdata()) > 0
    ]
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


def test_the_picture_draws_what_was_printed_and_the_floor_of_it():
    log = examples.cases()["alexnet_4"].log
    figure = clinic_figure(diagnose(log, classes=2))
    x, y = line(figure, 0, "#D55E00", "--")
    np.testing.assert_array_equal(x, log.epochs)
    np.testing.assert_array_equal(y, log.validation_loss)
    _, floor = line(figure, 0, "#6E6E6E", ":")
    np.testing.assert_allclose(floor, (1 - log.validation_accuracy) * np.log(2))
    assert "not-cross-entropy" in texts(figure)
    marked = [patch.get_x() + 0.5 for patch in figure.axes[0].patches]
    assert marked[1:] == [4.0, 7.0]  # after the first, which begins at the edge: epochs 4-5 and 7


@pytest.mark.parametrize("name", examples.cases())
def test_every_published_case_can_be_drawn(name):
    figure = clinic_figure(diagnose(examples.cases()[name].log))
    assert figure.description.count(".") > 3
    assert len(figure.png()) > 5000


@pytest.mark.parametrize(
    "curves",
    [
        {"loss": [0.5]},
        {"accuracy": [0.5, 0.6, 0.7]},
        {"loss": [0.0, 0.0, 0.0], "accuracy": [1.0, 1.0, 1.0]},
        {"loss": [np.nan, np.nan], "accuracy": [0.1, 0.1]},
        {"loss": [-1.0, -1e7, -1e9], "accuracy": [0.1, 0.1, 0.1], "val_loss": [1.0, 2.0, np.inf]},
        {"loss": [5.0, 0.01, 1e-6], "accuracy": [0.1, 0.9, 1.0]},
    ],
)
def test_odd_curves_can_be_drawn(curves):
    assert len(clinic_figure(diagnose(curves, classes=10)).png()) > 3000


@some_or_all
def test_the_picture_does_not_remember(every):
    found = [diagnose(case.log, classes=2) for case in examples.cases().values()]
    states = [{"diagnosis": one} for one in found[:: 1 if every else 3]]
    forgets(clinic_picture, [*states, states[0]])


def test_logs_stand_side_by_side_with_nothing_of_what_is_found():
    logs = {name: case.log for name, case in list(examples.cases().items())[:3]}
    figure = logs_figure(logs, title="Three")
    assert len(figure.axes) == 6
    assert not any(slug in " ".join(texts(figure)) for slug in ("overconfidence", "healthy"))
    log = next(iter(logs.values()))
    for count in (0, 4):
        with pytest.raises(ValueError, match="one to three"):
            logs_figure({str(k): log for k in range(count)}, title="Four")


def test_images_carry_their_captions():
    figure = images_figure(np.zeros((9, 8, 8)), [f"image {k}" for k in range(9)], title="Nine")
    assert {f"image {k}" for k in range(9)} <= set(texts(figure))
    with pytest.raises(ValueError, match="a caption each"):
        images_figure(np.zeros((2, 8, 8)), ["one"], title="Two")


# The widget ---------------------------------------------------------------------------------------------------------


def test_the_clinic_reads_what_is_pasted_and_keeps_it_whatever_becomes_of_it():
    clinic = CurveClinic()
    assert clinic.diagnosis.best.slug == "overconfidence"
    assert "About this case" in clinic._findings.value
    clinic.case.value = ""
    clinic.text.value = "nothing of the kind"
    clinic.button.click()
    assert clinic.diagnosis is None
    assert "What can be read looks like this" in clinic.message
    assert clinic.text.value == "nothing of the kind"
    assert clinic._findings.value == ""
    assert clinic._image.layout.display == "none"
    clinic.text.value = examples.cases()["keras_2392"].text
    clinic.button.click()
    assert clinic.diagnosis.best.slug == "saturated-outputs"
    assert clinic._image.layout.display is None
    assert "About this case" not in clinic._findings.value


def test_a_file_is_opened_and_classes_count():
    clinic = CurveClinic("loss: 0.5 - acc: 0.5")
    content = examples.cases()["eat_tf2_69"].text.encode("utf-16")
    now = datetime.datetime.now(tz=datetime.UTC)
    clinic.upload.value = (
        {"name": "a.log", "type": "", "size": len(content), "content": memoryview(content), "last_modified": now},
    )
    assert clinic.diagnosis.best.slug == "overconfidence"
    assert "Epoch 1" in clinic.text.value
    assert clinic.diagnosis.classes is None
    clinic.classes.value, clinic.validation_size.value = 2, 5000
    clinic.button.click()
    assert (clinic.diagnosis.classes, clinic.diagnosis.validation_size) == (2, 5000)
    clinic.classes.value = 1
    clinic.button.click()
    assert clinic.message.startswith("Classes must be a whole number, 2 or more")
    assert clinic.diagnosis is None


def test_both_reports_can_be_saved_from_the_widget():
    clinic = CurveClinic()
    saved = dict(re.findall(r'download="(\S+)" href="data:[a-z/]+;base64,([^"]+)"', clinic._findings.value))
    page = base64.b64decode(saved["diagnosis.html"]).decode()
    assert page.startswith("<!doctype html>")
    assert "data:image/png;base64," in page
    assert base64.b64decode(saved["diagnosis.md"]).decode() == clinic.diagnosis.markdown()


def test_without_a_kernel_the_clinic_is_a_picture_and_a_sentence():
    data, metadata = CurveClinic()._repr_mimebundle_()
    assert base64.b64decode(data["image/png"])[:4] == b"\x89PNG"
    assert data["text/plain"].startswith("A field to paste a training's log into.")
    assert metadata["image/png"]["alt"] == data["text/plain"]

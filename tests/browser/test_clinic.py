"""The curve clinic in a real browser: a log is pasted or opened, by keyboard and mouse, and a report is saved."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from lossacc_helpers.clinic import examples
from tests.browser import eyes
from tests.browser.desk import ARTEFACTS
from tools.jupyter_lab import Notebook, Window

SATURATED = examples.cases()["keras_2392"].text


@pytest.fixture(scope="module")
def notebook(lab: Window, course: Callable[[str], str]) -> Iterator[Notebook]:
    """Lesson 08, of which only the clinic is run."""
    opened = lab.open(f"{course('clinic')}/08_curve_clinic.ipynb")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def clinic(notebook: Notebook) -> Locator:
    """The output of the clinic's cell."""
    [cell] = [name for name in notebook.cells() if notebook.source(name) == "CurveClinic()"]
    first = next(name for name in notebook.cells() if "import CurveClinic" in notebook.source(name))
    notebook.run(first)
    notebook.run(cell)
    assert not notebook.errors()
    output = notebook.output(cell)
    expect(output.locator("img")).to_be_visible()
    return output


def test_a_pasted_log_is_diagnosed_with_the_keyboard_alone(lab: Window, clinic: Locator) -> None:
    field = clinic.locator("textarea")
    field.focus()
    lab.page.keyboard.press("ControlOrMeta+a")
    lab.page.keyboard.insert_text(SATURATED)
    for _ in range(4):  # the file, the classes, the samples, the button
        lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Enter")
    expect(clinic.get_by_text("1. saturated-outputs (not learning)")).to_be_visible()
    expect(clinic.get_by_role("status").last).to_contain_text("saturated-outputs")
    expect(clinic.get_by_text("About this case")).to_have_count(0)


def test_a_text_that_is_no_log_stays_and_is_told_so(clinic: Locator) -> None:
    clinic.locator("textarea").fill("My network is ill.")
    clinic.get_by_role("button", name="Diagnose").click()
    expect(clinic.get_by_role("status").last).to_contain_text("What can be read looks like this")
    expect(clinic.locator("img")).to_be_hidden()
    assert clinic.locator("textarea").input_value() == "My network is ill."


def test_a_file_is_opened_and_both_reports_are_saved(lab: Window, clinic: Locator, tmp_path: Path) -> None:
    file = tmp_path / "training.log"
    file.write_text(SATURATED, encoding="utf-8")
    with lab.page.expect_file_chooser() as chooser:
        clinic.get_by_role("button", name="Open a file").click()
    chooser.value.set_files(file)
    expect(clinic.get_by_text("1. saturated-outputs (not learning)")).to_be_visible()
    for link, name, begins in (
        ("Save as a page (HTML)", "diagnosis.html", "<!doctype html>"),
        ("Save as Markdown", "diagnosis.md", "## What the curves say"),
    ):
        with lab.page.expect_download() as download:
            clinic.get_by_text(link).click()
        assert download.value.suggested_filename == name
        assert Path(download.value.path()).read_text(encoding="utf-8").startswith(begins)


def test_a_published_case_takes_the_place_of_what_stood_there(clinic: Locator) -> None:
    clinic.locator("select").select_option(label="8. 2016-06-24; LSTM binary, 47808/11952")
    expect(clinic.get_by_text("1. overfitting (memorising)")).to_be_visible()
    expect(clinic.get_by_text("About this case")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 600])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_of_the_clinic_sticks_out_or_is_hard_to_read(
    lab: Window, clinic: Locator, dark: bool, width: int
) -> None:
    lab.choose_theme(dark=dark)
    lab.resize(width)
    lab.show_sidebar(width > 1000)
    expect(clinic.locator("img")).to_be_visible()
    found = [*eyes.sticking_out(clinic), *eyes.hard_to_read(clinic)]
    clinic.screenshot(path=ARTEFACTS / f"clinic-{'dark' if dark else 'light'}-{width}.png")
    assert found == []
    assert lab.complaints == []

"""Lessons as pages without a kernel, as nbconvert makes them: each picture carries its sentence, and axe is content."""

from functools import cache

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser

from tests.browser import axe
from tests.browser.desk import LESSONS
from tools.lessons import NOTEBOOKS

AT_ONCE = 1  # so many pages are made in `make test`; `make test-slow` makes the others
pages = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (place >= AT_ONCE)) for place, name in enumerate(LESSONS)]
)
UNSAID = "No description has been provided for this image"  # what nbconvert puts where a notebook says nothing


@cache
def page_of(name: str) -> str:
    """A lesson's stored notebook as one HTML page, by the template that reads alternative texts."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    html, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    return str(html)


@pytest.mark.parametrize("name", LESSONS)
def test_every_stored_picture_carries_its_sentence(name: str) -> None:
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert pictures
    for output in pictures:
        sentence = output.metadata["image/png"]["alt"]
        assert sentence == output.data["text/plain"]
        assert sentence.endswith("."), sentence
        assert len(sentence.split()) > 4, sentence


@pages
def test_no_picture_of_a_page_is_without_its_sentence(name: str) -> None:
    assert UNSAID not in page_of(name)


@pages
def test_axe_finds_nothing_serious(name: str, browser: Browser, axe_core: str) -> None:
    page = browser.new_page()
    page.route("**/*", lambda route: route.abort())  # mathematics and fonts of other hosts
    page.set_content(page_of(name), wait_until="domcontentloaded")
    assert axe.violations(page.locator("body"), axe_core, exported=True) == []
    page.close()

"""The page of the interface is what the docstrings give, and each public name is documented and used."""

import ast
import logging
import re

import griffe
import pytest

from tools import api
from tools.lessons import ROOT

# Where a name may be used: whatever learners, teachers and the course itself run.
USERS = ("lessons/*.py", "coursework/**/*.py", "lossacc_helpers/**/*.py", "tools/*.py", "README.md", "CONTRIBUTING.md")


@pytest.fixture(scope="module")
def found() -> list[tuple[griffe.Module, list[str]]]:
    return list(api.entries(api.load()))


def test_the_page_is_what_the_docstrings_give(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        page = api.page()
    assert [record.getMessage() for record in caplog.records] == []
    assert page == api.PAGE.read_text(encoding="utf-8"), "run python -m tools.api"


def test_every_public_name_has_a_docstring(found: list[tuple[griffe.Module, list[str]]]) -> None:
    bare = [f"{module.path}.{name}" for module, names in found for name in names if not documented(module, name)]
    assert bare == []


def documented(module: griffe.Module, name: str) -> bool:
    member = module[name]
    return bool(member.docstring) or member.is_attribute  # a table of things, such as SURROGATES, has a comment


def test_every_public_name_is_used(found: list[tuple[griffe.Module, list[str]]]) -> None:
    """By another module, a lesson or a page; or by its own, as the type of what a function returns."""
    texts = {
        path: path.read_text(encoding="utf-8")
        for pattern in USERS
        for path in ROOT.glob(pattern)
        if path.name != "__init__.py"
    }
    unused = []
    for module, names in found:
        for name in names:
            member = module[name].final_target if module[name].is_alias else module[name]
            word = re.compile(rf"\b{name}\b")
            by_others = any(word.search(text) for path, text in texts.items() if path != member.filepath)
            own = ast.walk(ast.parse(member.filepath.read_text(encoding="utf-8")))
            if not by_others and not any(isinstance(node, ast.Name) and node.id == name for node in own):
                unused.append(f"{module.path}.{name}")
    assert unused == []


def test_links_on_the_page_lead_to_headings() -> None:
    text = api.PAGE.read_text(encoding="utf-8")
    slugs: list[str] = []
    for heading in re.findall(r"^##+ `?([^`\n]+)`?$", text, re.MULTILINE):
        slug = heading.lower().replace(".", "")
        slugs.append(slug if slug not in slugs else f"{slug}-1")
    linked = re.findall(r"\]\(#([^)]+)\)", text.split("\n## ")[0])
    assert linked
    assert set(linked) <= set(slugs)

"""What README.md, CONTRIBUTING.md and INSTRUCTORS.md tell is true: code runs, links lead somewhere, commands exist."""

import doctest
import re

import pytest

from tools.lessons import ROOT

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "INSTRUCTORS.md", "LICENSE-lessons.md"]


def test_the_code_in_the_readme_prints_what_it_shows() -> None:
    blocks = re.findall(r"```pycon\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "README.md", "README.md", 0)
    assert len(examples.examples) >= 5
    report: list[str] = []
    doctest.DocTestRunner().run(examples, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_within_the_project_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / name).read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


@pytest.mark.parametrize("name", DOCUMENTS[:3])
def test_commands_that_are_told_exist(name: str) -> None:
    told = set(re.findall(r"(?:`|^    )make ([a-z-]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert told
    assert told <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_every_lesson_is_found_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    built = [path.name for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert [name for name in built if f"(notebooks/{name})" not in readme] == []

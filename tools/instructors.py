"""Write the rubrics of the keys into INSTRUCTORS.md, between two marks; `make coursework` does."""

from lossacc_helpers.grading.key import Key
from tools.coursework import assignments, load_key
from tools.lessons import ROOT

PAGE = ROOT / "INSTRUCTORS.md"
BEGIN, END = "<!-- rubric -->", "<!-- /rubric -->"


def rubric(key: Key) -> str:
    """Return a key's rubrics in Markdown; empty if a program marks everything."""
    lines = []
    for written in key.written:
        lines += [f"**{key.name}, `{written.name}`**, {written.points:g} points:", "", "| points | for |", "|---:|---|"]
        lines += [f"| {criterion.points:g} | {criterion.text} |" for criterion in written.rubric]
    return "\n".join(lines)


def page() -> str:
    """Return what INSTRUCTORS.md should be."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    rubrics = "\n\n".join(filter(None, (rubric(load_key(name)) for name in assignments())))
    return f"{before}{BEGIN}\n{rubrics}\n{END}{after}"

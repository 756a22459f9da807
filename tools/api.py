"""Build the page of the package's interface from its docstrings.

python -m tools.api              write docs/api.md
python -m tools.api --check      write nothing; say whether the page is what the docstrings give
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence

import griffe
from griffe2md import prepare_context, prepare_env

from tools.lessons import ROOT

PAGE = ROOT / "docs" / "api.md"

# What users import, in the order of a reader: what needs NumPy alone, then what each other module needs besides.
PUBLIC = (
    "lossacc_helpers",
    "lossacc_helpers.history",
    "lossacc_helpers.calibration",
    "lossacc_helpers.surrogates",
    "lossacc_helpers.logistic",
    "lossacc_helpers.minimisers",
    "lossacc_helpers.error_search",
    "lossacc_helpers.descent",
    "lossacc_helpers.recordings",
    "lossacc_helpers.clinic",
    "lossacc_helpers.exercises",
    "lossacc_helpers.datasets",
    "lossacc_helpers.training",
    "lossacc_helpers.figures",
    "lossacc_helpers.widgets",
)

_INTRODUCTION = """# The package's interface

<!-- written by `python -m tools.api` from the docstrings; do not edit -->

What lessons, coursework and your own code import from `lossacc_helpers`, module by module. Whatever is not here is the
package's own business and may change. Shapes are given as in `(sample, class)`; losses are in nats. Every example is
run by `make test`.
"""
_SETTINGS = {
    "docstring_style": "numpy",
    "docstring_section_style": "list",
    "heading_level": 3,
    "show_root_heading": True,
    "show_root_full_path": False,
    "show_bases": False,
    "summary": False,
    "inherited_members": False,
    "filters": ["!^_"],
    "merge_init_into_class": True,
}
# A docstring's types are words; the renderer takes each for the address of something on the page.
_REFERENCE = re.compile(r"\[([^\]\[]*)\]\(#[^)]*\)")


def public_names(module: griffe.Module) -> list[str]:
    """The names that a module offers: those of `__all__`, or else what it defines and does not hide."""
    if module.exports is not None:
        return sorted((str(name) for name in module.exports), key=str.lower)
    own = (name for name, member in module.members.items() if not member.is_alias and not name.startswith("_"))
    return sorted((name for name in own if module.members[name].has_docstring), key=str.lower)


def load() -> griffe.Module:
    """The package as its source has it, read and not imported."""
    loader = griffe.GriffeLoader(search_paths=[str(ROOT)], docstring_parser=griffe.Parser.numpy)
    package = loader.load("lossacc_helpers")
    loader.resolve_aliases()
    assert isinstance(package, griffe.Module)
    return package


def entries(package: griffe.Module) -> Iterator[tuple[griffe.Module, list[str]]]:
    """Each public module with those of its names that no earlier one has offered."""
    told: set[str] = set()
    for path in PUBLIC:
        module = package if path == package.path else package[path.partition(".")[2]]
        names = [name for name in public_names(module) if _home(module, name) not in told]
        told |= {_home(module, name) for name in names}
        yield module, names


def _member(module: griffe.Module, name: str) -> griffe.Object | griffe.Alias:
    """What a module offers under a name: of a function and the module of the same name that holds it, the function."""
    member = module.members[name]
    return member.members.get(name, member) if member.is_module else member


def _home(module: griffe.Module, name: str) -> str:
    member = _member(module, name)
    return member.target_path if isinstance(member, griffe.Alias) else member.path


def page() -> str:
    """The page as the docstrings give it."""
    package = load()
    found = list(entries(package))
    slugs = _slugs([heading for module, names in found for heading in (module.path, *_paths(module, names))])
    parts = [_INTRODUCTION]
    for module, names in found:
        listed = ", ".join(
            f"[`{name}`](#{slugs[path]})" for name, path in zip(names, _paths(module, names), strict=True)
        )
        parts.append(f"- [`{module.path}`](#{slugs[module.path]}): {listed}")
    # One for all names: `griffe2md.render_object_docs` reads its templates anew for each, and takes ten times as long.
    templates = prepare_env()
    for module, names in found:
        docstring = module.docstring.value if module.docstring else ""
        parts.append(f"\n## `{module.path}`\n\n{docstring}\n")
        for name, path in zip(names, _paths(module, names), strict=True):
            member = _member(module, name)
            template = templates.get_template(f"{member.kind.value}.md.jinja")
            rendered = template.render(prepare_context(member, _SETTINGS))
            _, _, text = _REFERENCE.sub(r"\1", rendered).strip().partition("\n")
            parts.append(f"### `{path}`\n{text}\n")
    text = re.sub(r"[ \t]+\n", "\n", re.sub(r"\n{3,}", "\n\n", "\n".join(parts))).rstrip() + "\n"
    layout = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(PAGE), "-"]  # of long signatures
    return subprocess.run(layout, input=text, capture_output=True, text=True, encoding="utf-8", check=True).stdout


def _paths(module: griffe.Module, names: Sequence[str]) -> list[str]:
    return [f"{module.path}.{name}" for name in names]


def _slugs(headings: Sequence[str]) -> dict[str, str]:
    """The address that GitHub gives each heading: in small letters without dots, and counted where two are alike."""
    found: dict[str, str] = {}
    times: dict[str, int] = {}
    for heading in headings:
        slug = heading.lower().replace(".", "")
        found[heading] = f"{slug}-{times[slug]}" if slug in times else slug
        times[slug] = times.get(slug, 0) + 1
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or check it; 1 if it is not what the docstrings give."""
    parser = argparse.ArgumentParser(prog="python -m tools.api", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; compare")
    if not parser.parse_args(arguments).check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8", newline="\n")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        print("docs/api.md is not what the docstrings give; run python -m tools.api", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The repository's public address: one place holds it, and one command changes it wherever it is repeated."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tools import address
from tools.address import CARRIERS, PLACEHOLDER, AddressError, current_address, main, read_address
from tools.binder_image import copy_repository
from tools.lessons import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
A_CLONE = "    git clone {url} loss-versus-accuracy\n    cd loss-versus-accuracy\n"
ON_BINDER = "({binder}?urlpath=lab/tree/my-course/00_start_here.ipynb)"
# In parts, because the copies that are searched hold this file too.
FIRST, SECOND = ("first-owner", "first.name"), ("a-group/below", "second")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of all that the repository holds."""
    copy_repository(tmp_path / "copy")
    return tmp_path / "copy"


def files_that_hold(root: Path, *words: str) -> list[str]:
    """Return every file below a folder in which one of these words stands, in either case."""
    sought = [word.lower().encode() for word in words]
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return [str(path.relative_to(root)) for path in files if any(word in path.read_bytes().lower() for word in sought)]


def traces(owner: str, name: str) -> list[str]:
    """Return the ways in which the path of a repository is written in addresses."""
    return [f"{owner}/{name}", f"{owner}%2f{name}"]


def test_every_file_that_carries_the_address_is_known_to_the_command(copy: Path) -> None:
    owner, name = current_address(ROOT).path.rsplit("/", 1)
    assert files_that_hold(copy, *traces(owner, name)) == sorted(CARRIERS)


def test_the_files_agree_with_the_one_place() -> None:
    here = current_address(ROOT)
    assert A_CLONE.format(url=here.url) in README
    assert ON_BINDER.format(binder=here.binder) in README
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == citation["url"] == here.url


def test_the_link_for_a_teachers_hub_pulls_this_repository_and_opens_a_notebook_of_it() -> None:
    (link,) = [word.strip("<>()") for word in README.split() if "git-pull?" in word]
    query = parse_qs(urlsplit(link).query)
    assert query["repo"] == [current_address(ROOT).url]
    folder, _, notebook = query["urlpath"][0].removeprefix("lab/tree/").partition("/")
    assert query["targetpath"] == [folder]
    assert (ROOT / notebook).is_file()


def test_the_readme_admits_an_unknown_address_and_only_that() -> None:
    assert bool(address.UNTIL_KNOWN.search(README)) is not current_address(ROOT).known


def test_an_address_leaves_no_trace_of_the_one_before(copy: Path) -> None:
    here = current_address(copy).path.rsplit("/", 1)
    assert files_that_hold(copy, *traces(*here))
    assert main(["https://github.com/" + "/".join(FIRST)], root=copy) == 0
    assert not files_that_hold(copy, *traces(*here), *traces(*PLACEHOLDER))
    assert "until the address is known" not in (copy / "README.md").read_text(encoding="utf-8")

    second = "https://gitlab.com/" + "/".join(SECOND)
    assert main([second], root=copy) == 0
    assert not files_that_hold(copy, *traces(*FIRST))
    readme = (copy / "README.md").read_text(encoding="utf-8")
    assert A_CLONE.format(url=second) in readme
    assert ON_BINDER.format(binder="https://mybinder.org/v2/gl/a-group%2Fbelow%2Fsecond/HEAD") in readme
    assert "repo=https%3A%2F%2Fgitlab.com%2Fa-group%2Fbelow%2Fsecond&" in readme
    assert current_address(copy) == read_address(second)


def test_the_same_address_again_changes_nothing(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["https://github.com/owner/name"], root=copy) == 0
    before = {name: (copy / name).read_bytes() for name in CARRIERS}
    capsys.readouterr()
    assert main(["https://github.com/owner/name.git/"], root=copy) == 0
    assert {name: (copy / name).read_bytes() for name in CARRIERS} == before
    assert "changed" not in capsys.readouterr().out


def test_a_longer_address_that_begins_alike_is_left_alone(copy: Path) -> None:
    here = current_address(copy).url
    neighbours = f"\n{here}-more {here}.js {here}_2\n"
    with (copy / "README.md").open("a", encoding="utf-8") as readme:
        readme.write(f"{neighbours}{here}/issues {here}. {here}.git\n")
    main(["https://github.com/owner/name"], root=copy)
    readme_now = (copy / "README.md").read_text(encoding="utf-8")
    new = "https://github.com/owner/name"
    assert readme_now.endswith(f"{neighbours}{new}/issues {new}. {new}.git\n")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("name", "not the https address"),
        ("http://github.com/owner/name", "not the https address"),
        ("git@github.com:owner/name.git", "not the https address"),
        ("https://user@github.com/owner/name", "not the https address"),
        ("https://github.com/owner", "1 part"),
        ("https://github.com/owner/", "1 part"),
        ("https://github.com/owner/name/tree/main", "4 part"),
        ("https://codeberg.org/owner/name", "lies on codeberg.org"),
        ("https://github.com/owner/na me", "'na me'"),
        ("https://github.com/owner/..", "'..'"),
        ("https://github.com//name", "''"),
        ("https://gitlab.com/group/name?ref=main", "'name?ref=main'"),
        ("https://github.com/" + "/".join(PLACEHOLDER), "the placeholder itself"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    copy: Path, wrong: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: (copy / name).read_bytes() for name in CARRIERS}
    assert main([wrong], root=copy) == 2
    assert said in capsys.readouterr().err
    assert {name: (copy / name).read_bytes() for name in CARRIERS} == before


def test_nothing_changes_when_one_file_cannot_be_written(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: (copy / name).read_bytes() for name in CARRIERS}
    really = os.replace

    def full_disk(new: Path, path: Path) -> None:
        if path.name == CARRIERS[-1]:
            raise OSError("the disk is full")
        really(new, path)

    monkeypatch.setattr(os, "replace", full_disk)
    assert main(["https://github.com/owner/name"], root=copy) == 2
    assert {name: (copy / name).read_bytes() for name in CARRIERS} == before
    assert not list(copy.glob("*.new"))


def test_without_an_argument_the_address_and_its_files_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(current_address(ROOT).url)
    for name in CARRIERS:
        assert f" in {name}\n" in shown
        assert f"  0 in {name}\n" not in shown


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_passes_the_address_on(copy: Path) -> None:
    done = subprocess.run(
        ["make", "address", "REPOSITORY=https://github.com/owner/name"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert current_address(copy) == read_address("https://github.com/owner/name")


def test_binder_calls_hosts_by_names_of_its_own() -> None:
    assert read_address("https://github.com/owner/name").binder == "https://mybinder.org/v2/gh/owner/name/HEAD"
    assert read_address("https://www.GitLab.com/a/b/c/").binder == "https://mybinder.org/v2/gl/a%2Fb%2Fc/HEAD"
    with pytest.raises(AddressError, match=r"github\.com and gitlab\.com"):
        read_address("https://bitbucket.org/owner/name")


def test_the_citation_has_what_the_format_asks_for() -> None:
    """Citation File Format 1.2.0: https://github.com/citation-file-format/citation-file-format."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] in {"software", "dataset"}
    assert all({"name"} <= author.keys() or {"family-names"} <= author.keys() for author in citation["authors"])
    for key in ("repository-code", "url"):
        assert urlsplit(citation[key]).scheme == "https"

"""Fill in the repository's public address wherever it stands, from the one place that holds it: pyproject.toml.

python -m tools.address                                 show the address and the files that carry it
python -m tools.address https://github.com/owner/name   write this address into all of them
"""

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
# The one place comes last: whoever is cut off before it is written can give the same command again.
CARRIERS = ("README.md", "CITATION.cff", "pyproject.toml")
HOSTS = {"github.com": "gh", "gitlab.com": "gl"}  # as Binder calls them
PLACEHOLDER = ("OWNER", "REPOSITORY")

# What README.md says only until the address is known.
UNTIL_KNOWN = re.compile(r"<!-- until the address is known -->.*?<!-- /until the address is known -->\n*", re.DOTALL)


class AddressError(Exception):
    """An address that cannot be filled in, told so that a maintainer can mend it."""


@dataclass(frozen=True)
class Address:
    """The public address of a repository.

    Attributes
    ----------
    host : ``"github.com"`` or ``"gitlab.com"``.
    path : owner and name; on GitLab groups may lie between the two.
    """

    host: str
    path: str

    @property
    def url(self) -> str:
        """Where people read the repository and git clones it."""
        return f"https://{self.host}/{self.path}"

    @property
    def binder(self) -> str:
        """What mybinder.org calls the repository; Binder wants the slashes of a GitLab path quoted."""
        path = self.path if self.host == "github.com" else quote(self.path, safe="")
        return f"https://mybinder.org/v2/{HOSTS[self.host]}/{path}/HEAD"

    @property
    def quoted(self) -> str:
        """The address as a value within another one, as nbgitpuller is told it."""
        return quote(self.url, safe="")

    @property
    def known(self) -> bool:
        """Whether it is more than the placeholder."""
        return self.path != "/".join(PLACEHOLDER)

    @property
    def forms(self) -> tuple[str, ...]:
        """Every way in which a file may carry it; none is part of another."""
        return self.url, self.binder, self.quoted


def read_address(text: str) -> Address:
    """Return the address that a person wrote, without a slash or ``.git`` at its end.

    Raises
    ------
    AddressError
        If it is not the https address of a repository on a host whose Binder links are known.
    """
    wanted = "; expected one like https://github.com/owner/name"
    match = re.fullmatch(r"https://([^/@:]+)/(.+?)(?:\.git)?/?", text.strip())
    if match is None:
        raise AddressError(f"{text!r} is not the https address of a repository{wanted}")
    host, path = match[1].lower().removeprefix("www."), match[2]
    if host not in HOSTS:
        known = " and ".join(HOSTS)
        raise AddressError(f"{text!r} lies on {host}, and Binder links are known here for {known}{wanted}")
    parts = path.split("/")
    if len(parts) < 2 or (host == "github.com" and len(parts) > 2):
        raise AddressError(f"{text!r} has {len(parts)} part(s) after {host}, not an owner and a name{wanted}")
    for part in parts:
        if not re.fullmatch(r"[A-Za-z0-9_.-]*[A-Za-z0-9_][A-Za-z0-9_.-]*", part):
            raise AddressError(f"{part!r} in {text!r} cannot be the name of an owner or a repository{wanted}")
    return Address(host, path)


def current_address(root: Path) -> Address:
    """Return the address that pyproject.toml holds."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return read_address(project["urls"]["Repository"])


def fill_in(text: str, *, old: Address, new: Address) -> str:
    """Return a file's text with every form of the old address replaced by that form of the new one."""
    for before, after in zip(old.forms, new.forms, strict=True):
        text = after.join(re.split(whole(before), text))
    return UNTIL_KNOWN.sub("", text) if new.known else text


def whole(form: str) -> str:
    """Return a pattern for an address: one that goes on in the same word belongs to another repository."""
    return re.escape(form) + r"(?![\w-]|\.(?!git\b)\w)"


def carriers(root: Path, address: Address) -> dict[str, int]:
    """Return how often each file carries the address."""
    texts = {name: (root / name).read_text(encoding="utf-8") for name in CARRIERS}
    return {name: sum(len(re.findall(whole(form), text)) for form in address.forms) for name, text in texts.items()}


def replace_all(texts: Mapping[Path, str]) -> None:
    """Give files new contents: all of them, or none if one cannot be written."""
    before = {path: path.read_bytes() for path in texts}
    beside = {path: path.with_name(f"{path.name}.new") for path in texts}
    try:
        for path, text in texts.items():
            beside[path].write_text(text, encoding="utf-8", newline="\n")
        for path, new in beside.items():
            os.replace(new, path)
    except BaseException:
        for path, content in before.items():
            with suppress(OSError):
                path.write_bytes(content)
        raise
    finally:
        for new in beside.values():
            new.unlink(missing_ok=True)


def change(root: Path, new: Address) -> list[str]:
    """Write an address into every file that carries the current one, and return the names of those that changed."""
    old = current_address(root)
    texts = {root / name: (root / name).read_text(encoding="utf-8") for name in CARRIERS}
    filled = {path: fill_in(text, old=old, new=new) for path, text in texts.items()}
    changed = {path: text for path, text in filled.items() if text != texts[path]}
    replace_all(changed)
    return [path.relative_to(root).as_posix() for path in changed]


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Run the command line; 0 if all is well, 2 if the address makes no sense."""
    parser = argparse.ArgumentParser(prog="make address", description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="such as https://github.com/owner/name")
    asked = parser.parse_args(arguments).address
    try:
        if asked:
            new = read_address(asked)
            if not new.known:
                raise AddressError(f"{asked!r} is the placeholder itself; give the repository's own address")
            for name in change(root, new):
                print(f"changed {name}")
        address = current_address(root)
    except (AddressError, OSError) as error:
        print(f"Nothing was changed: {error}", file=sys.stderr)
        return 2
    print(f"{address.url}{'' if address.known else '  (a placeholder: the address is not known yet)'}")
    for name, count in carriers(root, address).items():
        print(f"  {count} in {name}")
    if not address.known:
        print("Fill it in everywhere with:  make address REPOSITORY=https://github.com/owner/name")
    return 0


if __name__ == "__main__":
    sys.exit(main())

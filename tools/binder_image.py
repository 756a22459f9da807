"""Repeat, without Docker, what mybinder.org does with this repository, in a new folder and an empty environment.

python -m tools.binder_image FOLDER             build it: some minutes, and the network
python -m tools.binder_image FOLDER --serve     start its JupyterLab as Binder does

What Docker and conda would add is left out: the system's packages, node, and Python's own libraries from conda-forge.
It needs a POSIX system.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import repo2docker
import yaml

ROOT = Path(__file__).resolve().parent.parent
NOT_IN_A_CLONE = (".*", "__pycache__", "*.egg-info", "build", "dist", "my-course", "test-artefacts")
# Variables that would let this machine's Python, Jupyter or conda into the image.
FOREIGN = (
    "PYTHON",
    "JUPYTER",
    "IPYTHON",
    "CONDA",
    "VIRTUAL_ENV",
    "PIP_CACHE",
    "MPL",
    "KERAS",
    "TF_",
    "XDG_",
    "LOSSACC",
)
# How BinderHub starts the server of a session; it gives every setting under the name of today and the one of old.
BINDERHUB = [
    f"--{app}.{setting}"
    for app in ("NotebookApp", "ServerApp")
    for setting in ("base_url=/user/learner/", "trust_xheaders=True", "allow_origin=*", "allow_origin_pat=.*")
]


class ImageError(Exception):
    """An image that cannot be repeated here, and why."""


@dataclass(frozen=True)
class Image:
    """What Binder's image holds, as folders of this machine.

    Attributes
    ----------
    home : the home folder and, as on Binder, the repository in it.
    prefix : the environment that kernels and server run in.
    """

    home: Path
    prefix: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.prefix / "bin" / "python"

    @property
    def start(self) -> Path:
        """What Binder starts the server with."""
        return self.home / "binder" / "start"

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that processes in the image see."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return kept | {
            "HOME": str(self.home),
            "REPO_DIR": str(self.home),
            "NB_PYTHON_PREFIX": str(self.prefix),
            "PATH": os.pathsep.join([str(self.prefix / "bin"), str(self.home / ".local" / "bin"), os.environ["PATH"]]),
        }

    def run(self, *command: str | Path) -> None:
        """Run a command in the repository, as the image's build does."""
        subprocess.run(command, cwd=self.home, env=self.variables, check=True)


def image_in(folder: Path) -> Image:
    """Return the image that lies, or is to lie, in a folder."""
    return Image(home=folder.absolute() / "home", prefix=folder.absolute() / "notebook")


def copy_repository(place: Path) -> None:
    """Copy what a clone of this repository would hold."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:  # downloaded, not cloned
        shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*NOT_IN_A_CLONE))
        return
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)


@dataclass(frozen=True)
class Recipe:
    """What repo2docker, which builds Binder's images, makes of a repository.

    Attributes
    ----------
    dockerfile : what it would have Docker build.
    python : the version of the environment, such as ``"3.11"``.
    scripts : what it runs in the repository once the environment is there.
    start : what the server of a session is started with.
    """

    dockerfile: str
    python: str
    scripts: list[str]
    start: str


def recipe(repository: Path) -> Recipe:
    """Ask repo2docker what it would build; Docker and the network have no part in it."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "--Repo2Docker.platform=linux/amd64", "."]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    python = re.search(r"Building conda environment for python=([\d.]+)", done.stderr)
    if done.returncode or python is None:
        raise ImageError(f"repo2docker finds no environment in {repository}:\n{done.stderr[-2000:]}")
    start = re.search(r'^ENV R2D_ENTRYPOINT="\$\{REPO_DIR\}/(\S+)"$', done.stdout, re.MULTILINE)
    if start is None:
        raise ImageError(f"repo2docker finds no start script in {repository}")
    scripts = re.findall(r"^RUN \./(\S+)$", done.stdout, re.MULTILINE)
    return Recipe(done.stdout, python[1], scripts, start[1])


def base_packages(version: str) -> list[str]:
    """Return the Jupyter that repo2docker lays under every repository's own packages, as pip asks for it."""
    folder = Path(repo2docker.__file__).parent / "buildpacks" / "conda"
    lock = (folder / f"environment.py-{version}-linux-64.lock").read_text(encoding="utf-8")
    packages = dict(re.findall(r"/((?:jupyter|notebook)[a-z_-]*)-(\d[\d.]*)-[^/]*\.conda", lock))
    packages["jupyterhub"] = packages.pop("jupyterhub-base")  # conda cuts in two what is one package elsewhere
    del packages["jupyterhub-singleuser"]
    return [f"{name}=={number}" for name, number in packages.items()]


def make_environment(image: Image, version: str) -> None:
    """Make the environment as it is before postBuild runs."""
    asked = yaml.safe_load((image.home / "binder" / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    beyond = [one for one in asked if not re.fullmatch(r"pip|python=.*", str(one))]
    if beyond:
        raise ImageError(f"binder/environment.yml asks for {beyond}, which only conda can install")
    if version == "{}.{}".format(*sys.version_info):
        python = sys.executable
    else:
        python = shutil.which(f"python{version}") or ""
        if not python:
            raise ImageError(f"Binder uses Python {version}, and there is no python{version} here")
    subprocess.run([python, "-m", "venv", image.prefix], env=image.variables, check=True)
    pip = (image.python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-cache-dir")
    image.run(*pip, *base_packages(version))


def build(folder: Path) -> Image:
    """Build the image in a folder that does not exist yet, and return it.

    Raises
    ------
    ImageError
        If the image cannot be repeated here; the message says why.
    subprocess.CalledProcessError
        If one of its steps fails.
    """
    image = image_in(folder)
    if folder.exists():
        raise ImageError(f"{folder} exists; name a folder that does not")
    copy_repository(image.home)
    plan = recipe(image.home)
    make_environment(image, plan.python)
    for script in plan.scripts:
        image.run(image.home / script)
    return image


def size(folder: Path) -> int:
    """Return the bytes that a folder takes, hard links counted once."""
    states = {(state.st_dev, state.st_ino): state for path in (folder, *folder.rglob("*")) for state in [path.lstat()]}
    return sum(state.st_blocks * 512 for state in states.values())


def report(image: Image) -> list[str]:
    """Return lines that say how large the image's parts and its largest packages are."""
    packages = next((image.prefix / "lib").glob("python*/site-packages"))
    sizes = sorted(((size(path), path.name) for path in packages.iterdir() if path.is_dir()), reverse=True)
    parts = [(size(image.prefix), "the environment, in which"), *sizes[:8], (size(image.home), "the repository")]
    return [f"{number / 1e6:6.0f} MB  {name}" for number, name in parts]


def serve(image: Image) -> None:
    """Start JupyterLab as BinderHub does, in the place of this process."""
    as_root = ["--allow-root"] if os.geteuid() == 0 else []
    os.chdir(image.home)
    lab = image.prefix / "bin" / "jupyter-lab"
    os.execve(image.start, [str(image.start), str(lab), "--no-browser", *BINDERHUB, *as_root], image.variables)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.binder_image", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--serve", action="store_true", help="start the JupyterLab of an image that was built")
    asked = parser.parse_args(arguments)
    if asked.serve:
        serve(image_in(asked.folder))
    try:
        image = build(asked.folder)
    except (ImageError, subprocess.CalledProcessError) as error:
        print(f"There is no image: {error}", file=sys.stderr)
        return 1
    print(*report(image), sep="\n")
    print(f"Open it with:  python -m tools.binder_image {asked.folder} --serve")
    return 0


if __name__ == "__main__":
    sys.exit(main())

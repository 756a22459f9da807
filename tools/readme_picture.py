"""Take the picture at the head of README.md out of the notebook that it shows; `make notebooks` does so at its end."""

from base64 import b64decode
from pathlib import Path

import nbformat

from tools.lessons import NOTEBOOKS, ROOT, tags

SHOWN = NOTEBOOKS / "02_iris_plateaus.ipynb"
PICTURE = ROOT / "pictures" / "lesson_02.png"


def explorer_picture(notebook: Path) -> bytes:
    """The still picture of the first explorer in a built notebook, as PNG.

    Raises
    ------
    ValueError
        If the notebook stores none.
    """
    for cell in nbformat.read(notebook, as_version=4).cells:
        if "explorer" in tags(cell):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return b64decode(output.data["image/png"])
    raise ValueError(f"{notebook.name} stores no explorer's picture; build it with make notebooks")


def main() -> None:
    """Write the picture where README.md shows it."""
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(explorer_picture(SHOWN))


if __name__ == "__main__":
    main()

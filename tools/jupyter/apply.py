"""Tell the JupyterLab of an environment what this course needs; run by `make install`, by Binder, and after conda.

    python tools/jupyter/apply.py            the environment of this Python
    python tools/jupyter/apply.py PREFIX     another one

overrides.json: JupyterLab would otherwise greet the learner with a question about news, and ask the network for them;
and after a page is reloaded it would send what sliders do to a thread that no interruption reaches.
jupyter_config.json: stored notebooks lose the views of their widgets, and a kernel that has been idle for two hours is
shut down, because a lesson's kernel holds up to a gigabyte. Every Jupyter program reads this file first, so whatever
stands in a jupyter_server_config.json or .py, the learner's own or Binder's, goes before it.
Both it and page_config.json leave nbgrader's own pages out, which a teacher opens with `make mark`: a learner's
JupyterLab would show menus that lead nowhere.
"""

import shutil
import sys
from pathlib import Path

PLACES = {
    "overrides.json": "share/jupyter/lab/settings",
    "jupyter_config.json": "etc/jupyter",
    "page_config.json": "etc/jupyter/labconfig",
}


def apply(prefix: Path) -> None:
    """Copy the settings to where the JupyterLab of an environment looks for them."""
    for name, place in PLACES.items():
        folder = prefix / place
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(__file__).parent / name, folder / name)


if __name__ == "__main__":
    apply(Path(sys.argv[1] if len(sys.argv) > 1 else sys.prefix))

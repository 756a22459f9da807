"""axe-core, which knows the Web Content Accessibility Guidelines: what it objects to in a page."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator

VERSION = "4.14.1"
GRAVE = ("serious", "critical")


def source() -> str:
    """Return axe-core's JavaScript, installed from npm once an environment; without npm, skip the test."""
    home = Path(sys.prefix) / "share" / f"axe-core-{VERSION}"
    if not home.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("axe-core comes from npm, which is not installed")
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as folder:
            command = [npm, "install", "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(
                [*command, "--prefix", folder, f"axe-core@{VERSION}"], capture_output=True, text=True, timeout=300
            )
            if done.returncode:
                told = f"npm could not install axe-core {VERSION}: {done.stderr.strip()[-500:]}"
                pytest.fail(told, pytrace=False) if os.environ.get("CI") else pytest.skip(told)
            try:
                os.rename(Path(folder) / "node_modules" / "axe-core", home)
            except OSError:  # another worker was first
                if not home.exists():
                    raise
    return (home / "axe.min.js").read_text(encoding="utf-8")


def violations(panel: Locator, script: str, *, exported: bool = False) -> list[str]:
    """Return the serious and critical violations in what a lesson renders: its text and what its cells show.

    Parameters
    ----------
    panel : of the notebook; JupyterLab's own parts of it are not looked at.
    script : axe-core's, from `source`.
    exported : whether it is a page of nbconvert's. Its colours are not ours, and are not looked at. In JupyterLab they
        are, but pictures that are stored as PNG are not: their alternative text lies in the notebook's metadata, which
        nbconvert's classic template uses and JupyterLab does not (jupyter/enhancement-proposals, issue 120).
    """
    panel.page.evaluate("script => { if (!window.axe) (0, eval)(script); }", script)
    found: list[str] = panel.evaluate(
        """async (panel, [grave, exported]) => {
            const text = '.jp-MarkdownOutput, .text_cell_render', shown = '.jp-OutputArea, .output_area';
            const include = [...panel.querySelectorAll(`${text}, ${shown}`)];
            const exclude = exported ? [] : [...panel.querySelectorAll('.jp-RenderedImage')];
            const theirs = exported ? ['color-contrast', 'link-in-text-block'] : [];
            const rules = Object.fromEntries(theirs.map(each => [each, {enabled: false}]));
            const {violations} = await axe.run({include, exclude}, {resultTypes: ['violations'], rules});
            return violations.filter(each => grave.includes(each.impact)).flatMap(each => each.nodes.map(
                node => `${each.impact}, ${each.id} (${each.help}): ${node.html.slice(0, 200)}`)); }""",
        [list(GRAVE), exported],
    )
    return found

"""What a learner lives through besides a lesson: days later, another server, work that has to be stopped."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser

from lossacc_helpers.course.syllabus import GUIDE, SYLLABUS
from tests.browser import hands
from tests.browser.desk import Desk, take
from tests.lesson_cells import exercises
from tools.jupyter_lab import WIDGET_VIEW, Server, Window, jupyter_server, window

pytestmark = pytest.mark.slow

FIRST = SYLLABUS[0]
TRAINS = next(entry for entry in SYLLABUS if entry.trains)


def counts(guide: Desk) -> list[str]:
    """What lesson 00 says was done of the first lesson: predictions, exercises, questions."""
    [(_, number)] = guide.uses("progress")
    guide.prepare(number)
    row = guide.run(number).locator("tr", has_text=FIRST.title)
    return row.locator("td").all_inner_texts()


def test_progress_is_seen_in_lesson_00_also_when_the_kernels_are_new(lab: Window, course: Callable[[str], str]) -> None:
    folder = course("progress")
    guide, desk = take(GUIDE, lab, folder), take(FIRST.name, lab, folder)
    parts = desk.parts
    of = [len(parts.predictions), len(parts.exercises), len(parts.questions)]
    assert counts(guide) == [f"0 of {total}" for total in of]

    guess, commit = next((name, number) for name, number in desk.calls("commit") if parts.predictions[name].guesses)
    desk.prepare(commit)
    made = parts.predictions[guess].guesses[1].text.rstrip(".")
    output = desk.run(commit)
    output.get_by_role("radio").nth(1).click()
    output.get_by_role("button").click()
    hands.says(output, f"Your prediction is locked: {made}.", what=guess)

    name, blank, solution = next(exercises(desk.source))
    desk.prepare(solution, among=[blank])
    desk.run(blank)
    desk.run(solution)  # the course's own is no achievement of the learner's
    assert counts(guide)[1] == f"0 of {of[1]}"
    desk.solve(name, blank, solution)

    name, number = next(desk.calls("quiz"))
    desk.prepare(number)
    output = desk.run(number)
    output.get_by_text(parts.questions[name].answer, exact=True).click()
    hands.says(output, "✓ Right.", what=name)

    assert counts(guide) == [f"1 of {total}" for total in of]
    guide.restart()
    desk.restart()
    assert counts(guide) == [f"1 of {total}" for total in of]
    recall = dict(desk.calls("recall"))[guess]
    desk.prepare(recall, among=[commit])
    hands.says(desk.run(commit), f"Your prediction is locked: {made}.", what="the prediction in another kernel")
    assert f"You predicted: {made}" in desk.run(recall).inner_text()
    for each in guide, desk:
        each.notebook.close()


def test_a_notebook_that_is_opened_again_shows_its_pictures_and_misses_no_model(
    browser: Browser, server: Server, settings: Path, course: Callable[[str], str], tmp_path: Path
) -> None:
    folder = course("another day")
    with window(browser, server) as today:
        desk = take(FIRST.name, today, folder)
        desk.explorers()
        for _, number in desk.calls("quiz"):
            desk.run(number)
        desk.notebook.save()
        desk.notebook.shut_down()
    path = server.root / folder / f"{FIRST.name}.ipynb"
    assert WIDGET_VIEW not in path.read_text(encoding="utf-8")
    assert any(cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells)
    with (
        jupyter_server(server.root, own=tmp_path / "own", prefix=settings) as other,
        window(browser, other) as tomorrow,
    ):
        desk = take(FIRST.name, tomorrow, folder)
        for name in desk.notebook.cells("explorer"):
            output = desk.notebook.output(name)
            hands.until(output, "it.querySelector('img')?.naturalWidth > 0", what="the picture of another day")
        for name in desk.notebook.cells("quiz"):
            output = desk.notebook.output(name)
            hands.until(output, "it.textContent.trim() !== ''", what="the question of another day")
        assert "model not found" not in tomorrow.page.locator(".jp-Notebook").inner_text().lower()
        assert tomorrow.complaints == []


TRAINING = """\
from lossacc_helpers import datasets, training

irises = datasets.iris("shuffled")
settings = dict(replicas=8, batch_size=1, optimizer=training.networks.adam(0.0005))
"""
LONG_TRAINING = """\
build = lambda: training.networks.dense(4, 8, 3)
training.fit_replicas(build, irises.train, irises.validation, epochs=60_000, **settings)
"""


@pytest.mark.parametrize(
    ("name", "before", "long"),
    [
        pytest.param(FIRST.name, "", "while True:\n    pass", id="a loop without end"),
        pytest.param(TRAINS.name, TRAINING, LONG_TRAINING, id="a long training"),
    ],
)
def test_an_interruption_leaves_the_kernel_usable(
    name: str, before: str, long: str, lab: Window, course: Callable[[str], str]
) -> None:
    notebook = take(name, lab, course(f"stop {name}")).notebook
    cell = notebook.cells("exercise")[0]

    def run(text: str) -> None:
        notebook.write(cell, text)
        notebook.run(cell)

    run(before)
    notebook.write(cell, long)
    notebook.start("notebook:run-cell", cell)
    lab.page.wait_for_timeout(3000)  # so that it is well under way
    notebook.interrupt()
    notebook.wait_idle(60)
    assert notebook.errors() == [f"{cell}: KeyboardInterrupt: "]
    run("6 * 7")
    assert notebook.outputs(cell)[0]["data"]["text/plain"] == "42"
    if before:
        run(LONG_TRAINING.replace("60_000", "2").rstrip() + ".train.loss.shape")
        assert notebook.outputs(cell)[-1]["data"]["text/plain"] == "(8, 2)"
    notebook.close()

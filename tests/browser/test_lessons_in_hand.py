"""Every lesson in a real browser: its explorers, guesses, exercises and questions are used as a learner would."""

from collections.abc import Callable, Iterator

import pytest

from tests.browser import axe, eyes, hands
from tests.browser.desk import ARTEFACTS, LESSONS, Desk, take
from tests.lesson_cells import exercises, groundwork
from tools.jupyter_lab import Window

DENSEST = "04_validation_spikes"  # the lesson whose looks `make test` examines; `make test-slow` examines all
# Those whose first guess, exercise and question `make test` uses: how they behave is the same code in all lessons.
USED = ("01_arithmetic_of_log_loss", DENSEST, "08_curve_clinic")


def at_once(*names: str) -> pytest.MarkDecorator:
    """Have `make test` use the lessons of these names; `make test-slow` uses the others."""
    lessons = [pytest.param(name, marks=[pytest.mark.slow] * (name not in names)) for name in LESSONS]
    return pytest.mark.parametrize("desk", lessons, indirect=True)


@pytest.fixture(scope="module", params=LESSONS)
def desk(request: pytest.FixtureRequest, lab: Window, course: Callable[[str], str]) -> Iterator[Desk]:
    """Each lesson in turn, opened in a working copy of its own; what went wrong in the page is told at the end."""
    taken = take(request.param, lab, course(f"hand {request.param}"))
    lab.resize(1280)
    lab.show_sidebar(True)
    lab.choose_theme(dark=False)
    yield taken
    taken.notebook.close()


@pytest.fixture(autouse=True)
def nothing_is_wrong_behind_the_scenes(desk: Desk) -> Iterator[None]:
    """A test also fails for what it left in the page's console or the kernel's log, and for requests that went out."""
    complaints, tracebacks = len(desk.window.complaints), len(desk.window.server.tracebacks())
    yield
    assert desk.window.complaints[complaints:] == []
    assert desk.window.server.tracebacks()[tracebacks:] == []
    assert desk.window.strangers == []


# Explorers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(hands.by_keyboard, id="keyboard"),
        pytest.param(hands.by_mouse, id="mouse", marks=pytest.mark.slow),
    ],
)
def test_every_control_of_an_explorer_changes_what_it_shows(desk: Desk, way: Callable[[hands.Control], None]) -> None:
    for output in desk.explorers():
        first = hands.seen(output)
        for control in hands.controls(output):
            said = f"{control}, {way.__name__}"
            eyes.watch_height(output)
            before = hands.seen(output)
            way(control)
            hands.until(output, hands.DIFFERS, before, what=said)
            if control.sort == "play":  # it goes on by itself, until it is told to stop
                for _ in range(2):
                    hands.until(output, hands.DIFFERS, hands.seen(output), what=f"{said}, the next step")
                way(control)
            desk.notebook.wait_idle()
            hands.until_still(output)
            assert "went wrong" not in "".join(hands.seen(output)["lines"]), said
            assert len(eyes.heights(output)) == 1, f"{said}: the output's height goes through {eyes.heights(output)}"
        for part, last in hands.seen(output).items():
            assert last != first[part], f"whatever is moved, the {part} stay {last}"


def test_tab_comes_to_every_control(desk: Desk) -> None:
    for output in desk.explorers():
        known = hands.controls(output)
        hands.tab_stops(output)
        for control in known:
            assert control.place.evaluate("it => it.matches('[data-stop]') || !!it.querySelector('[data-stop]')"), (
                f"Tab does not come to {control}"
            )


# Guesses, exercises, questions ------------------------------------------------------------------------------------


@at_once(*USED)
@pytest.mark.parametrize("own", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["the first", "all"])
def test_a_guess_is_asked_for_locked_and_recalled(desk: Desk, own: bool) -> None:
    """All guesses, by the lesson's own cells, which may need minutes of training; or the first, by a short cell."""
    recalls = dict(desk.calls("recall"))
    for name, number in list(desk.calls("commit"))[: None if own else 1]:
        desk.prepare(number)
        prediction = desk.parts.predictions[name]
        output = desk.run(number)
        button = output.get_by_role("button", name="Commit to this")
        if prediction.scale is None:
            button.click()
            hands.says(output, "Choose one first.", what=f"{name} without a choice")
            made = prediction.guesses[-1].text.rstrip(".")
            output.get_by_role("radio").last.click()
        else:
            output.get_by_role("slider").press("ArrowRight")
            made = f"{float(output.locator('.widget-readout').inner_text()):g}"
        desk.notebook.wait_idle()
        button.focus()
        desk.window.page.keyboard.press("Enter")
        hands.says(output, f"Your prediction is locked: {made}.", what=name)
        assert button.is_disabled()
        if own:
            desk.prepare(recalls[name], among=recalls.values())
        text = None if own else f"lesson.recall({name!r}, came_out='Something else.')"
        recalled = desk.run(recalls[name], text=text).inner_text()
        assert f"You predicted: {made}" in recalled
        assert "What came out: " in recalled


@at_once(*USED)
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["one", "all"])
def test_a_blank_and_wrong_answers_are_told_so_and_the_solution_passes(desk: Desk, every: bool) -> None:
    """Of all exercises, or of the one that needs fewest cells before it: the rest is in tests/test_lessons.py."""
    all_exercises = sorted(exercises(desk.source), key=lambda each: len(groundwork(desk.source, each[2])))
    if not every:
        del all_exercises[1:]
    for name, blank, solution in all_exercises:
        desk.prepare(solution, among=(number for each in all_exercises for number in each[1:]))
        assert f"✗ {name}: not yet. It is not written yet" in desk.run(blank).inner_text()
        wrong = desk.parts.exercises[name].wrong_answers
        assert wrong, f"{name} names no wrong answer"
        loop = f"for wrong in lesson.exercises[{name!r}].wrong_answers.values():\n"
        told = desk.run(blank, text=f"{loop}    display(lesson.check({name!r}, wrong.answer))").inner_text()
        assert told.count(f"✗ {name}: not yet.") == len(wrong)
        for mistake in wrong.values():
            assert mistake.says in told
        assert f"✓ {name}: passed." in desk.solve(name, blank, solution).inner_text()


@at_once(*USED)
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["one", "all"])
def test_every_option_of_a_question_has_its_feedback_by_mouse_and_by_keyboard(desk: Desk, every: bool) -> None:
    for name, number in list(desk.calls("quiz"))[: None if every else 1]:
        desk.prepare(number)
        question = desk.parts.questions[name]
        output = desk.run(number)
        radios = output.get_by_role("radio")
        assert radios.count() == len(question.options)
        assert len(hands.tab_stops(output)) == len(question.options), f"Tab comes to every option of {name}"
        expected = [f"{'✓ Right.' if one.correct else '✗ Not this one.'} {one.feedback}" for one in question.options]
        for place, (option, feedback) in enumerate(zip(question.options, expected, strict=True)):
            output.get_by_text(option.text, exact=True).click()
            hands.says(output, feedback, what=f"{name}, {option.text}, by mouse")
            assert radios.nth(place).is_checked()
        for place, feedback in enumerate(expected):
            radios.nth(place).focus()
            desk.window.page.keyboard.press("Space")
            hands.says(output, feedback, what=f"{name}, option {place}, by keyboard")


# Looks ------------------------------------------------------------------------------------------------------------


@at_once(DENSEST)
@pytest.mark.parametrize(
    ("dark", "width"),
    [
        pytest.param(False, 1280, id="light-1280", marks=pytest.mark.slow),
        pytest.param(True, 600, id="dark-600"),
        pytest.param(True, 1280, id="dark-1280", marks=pytest.mark.slow),
        pytest.param(False, 600, id="light-600", marks=pytest.mark.slow),
    ],
)
def test_nothing_sticks_out_or_is_hard_to_read(desk: Desk, dark: bool, width: int) -> None:
    desk.window.choose_theme(dark=dark)
    desk.window.resize(width)
    desk.window.show_sidebar(width > 1000)
    desk.explorers()
    found = []
    for tag in ("explorer", "commit", "exercise", "quiz"):
        names = desk.notebook.cells(tag)
        for name in names:
            if not desk.lives(name) and tag != "exercise":
                desk.notebook.run(name)
            output = desk.notebook.output(name)
            hands.until(output, "it.textContent.trim() !== ''", what=f"{name} shows something")
            found += [f"{name}: {each}" for each in (*eyes.sticking_out(output), *eyes.hard_to_read(output))]
            if tag == "explorer" or name == names[0]:
                theme = "dark" if dark else "light"
                output.screenshot(path=ARTEFACTS / f"{desk.name}-{theme}-{width}-{tag}-{names.index(name) + 1}.png")
    assert found == []


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["light", "dark"])
def test_axe_finds_nothing_serious(desk: Desk, axe_core: str, dark: bool) -> None:
    """In the text, in stored pictures, and in what lives by now."""
    desk.explorers()
    desk.window.resize(1280)
    desk.window.choose_theme(dark=dark)
    panel = desk.window.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    assert axe.violations(panel, axe_core) == []

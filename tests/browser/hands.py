"""A person's hands and eyes on the widgets below a cell: keyboard, mouse, and what is seen to change."""

from dataclasses import dataclass

from playwright.sync_api import Locator

from tools.jupyter_lab import SETTLING

# Every sort of control that an explorer may have. What can be used and is none of them fails a test: see `controls`.
_SORTS = {
    "slider": ".widget-slider",
    "toggle": ".widget-toggle-buttons",
    "dropdown": ".widget-dropdown",
    "checkbox": ".widget-checkbox",
    "play": ".widget-play",
    "button": ".jupyter-button:not(.widget-toggle-buttons *):not(.widget-play *)",
}
_USABLE = "button, input, select, textarea, a[href], [role=slider], [tabindex]:not([tabindex='-1'])"


@dataclass(frozen=True)
class Control:
    """One control below a cell: its sort, its label, and itself."""

    sort: str
    label: str
    place: Locator

    def __str__(self) -> str:
        return f"the {self.sort} {self.label!r}"


def controls(output: Locator) -> list[Control]:
    """Return the controls below a cell in their order.

    Raises
    ------
    AssertionError
        If there are none, or something can be used that is no control known here.
    """
    found = output.evaluate(
        """(output, [sorts, usable]) => {
            const known = [...output.querySelectorAll(Object.values(sorts).join())];
            const strange = [...output.querySelectorAll(usable)].filter(one => !known.some(each => each.contains(one)));
            known.forEach((each, number) => each.dataset.control = number);
            return [
                known.map(each => [
                    Object.keys(sorts).find(sort => each.matches(sorts[sort])),
                    (each.matches('button') ? each : each.querySelector('.widget-label:not([style*=none]), span'))
                        ?.textContent ?? ''
                ]),
                strange.map(one => one.outerHTML.slice(0, 200))
            ]; }""",
        [_SORTS, _USABLE],
    )
    assert not found[1], f"tell tests/browser/hands.py what a hand does with {found[1]}"
    assert found[0], "there is nothing to move"
    return [
        Control(sort, label, output.locator(f'[data-control="{number}"]'))
        for number, (sort, label) in enumerate(found[0])
    ]


def seen(output: Locator) -> dict[str, list[str]]:
    """Return what an explorer shows: its pictures' addresses, new for each new picture, and its status lines."""
    shown: dict[str, list[str]] = output.evaluate(_SEEN)
    return shown


_SEEN = """output => ({
    pictures: [...output.querySelectorAll('img')].map(image => image.src),
    lines: [...output.querySelectorAll('[role=status]')].map(line => line.textContent) })"""
DIFFERS = f"JSON.stringify(({_SEEN})(it)) !== JSON.stringify(arg)"  # what is seen, from what was seen


def until_still(output: Locator) -> None:
    """Wait until nothing new has been seen for a while, and no line is an announcement: those end in "..."."""
    output.evaluate(
        f"""output => new Promise(done => {{
            let last, since;
            const look = () => {{
                const now = ({_SEEN})(output), text = JSON.stringify(now);
                const announced = now.lines.some(line => line.endsWith('...'));
                if (text !== last || announced) [last, since] = [text, performance.now()];
                performance.now() - since > 200 ? done() : requestAnimationFrame(look); }};
            look(); }})"""
    )


def says(output: Locator, line: str, *, what: str) -> None:
    """Wait until a status line below a cell begins so; the line is another element each time it changes."""
    until(
        output,
        "[...it.querySelectorAll('[role=status]')].some(line => line.textContent.startsWith(arg))",
        line,
        what=what,
    )


def until(place: Locator, condition: str, arg: object = None, *, what: str, seconds: float = SETTLING) -> None:
    """Wait until a condition in JavaScript, on the element `it` and on `arg`, is true; else fail and say what was not.

    Raises
    ------
    AssertionError
        If it does not come true.
    """
    met = place.evaluate(
        f"""(it, [arg, limit]) => new Promise(done => {{
            const start = performance.now();
            const look = () => {condition} ? done(true)
                : performance.now() - start > limit ? done(false) : requestAnimationFrame(look);
            look(); }})""",
        [arg, seconds * 1000],
    )
    assert met, f"{what}: nothing came of it; there stands {place.inner_text()!r}"


def tab_stops(output: Locator) -> list[str]:
    """Return the elements that Tab visits below a cell, from the first on, each marked `data-stop` with its number."""
    page, stops = output.page, []
    output.evaluate(f'output => output.querySelector("{_USABLE}").focus()')
    while output.evaluate("output => output.contains(document.activeElement)"):
        stops.append(
            page.evaluate(
                f"() => {{ const stop = document.activeElement; stop.dataset.stop = '{len(stops)}';"
                " return stop.outerHTML.slice(0, 120); }"
            )
        )
        page.keyboard.press("Tab")
        assert len(stops) < 200, f"Tab goes round in circles: {stops[-5:]}"
    return stops


# Moves --------------------------------------------------------------------------------------------------------------


def by_keyboard(control: Control) -> None:
    """Move a control with the keys that JupyterLab leaves to it, once the focus has come to it."""
    page = control.place.page
    match control.sort:
        case "slider":
            control.place.locator("[role=slider]").focus()
            page.keyboard.press("ArrowRight")
        case "toggle":
            control.place.locator("button:not(.mod-active)").first.focus()
            page.keyboard.press("Enter")
        case "dropdown":
            # While its list is closed JupyterLab takes the arrows for itself (ipywidgets, issue 3912): open it first.
            # The open list is the system's, and whether it is there yet cannot be seen from here.
            select = control.place.locator("select")
            before, key = select.input_value(), _away_from_the_end(select)
            for pause in (100, 500, 2000):
                select.focus()
                for each in ("Space", key, "Enter"):
                    page.keyboard.press(each)
                    page.wait_for_timeout(pause)
                if select.input_value() != before:
                    break
        case "checkbox":
            control.place.locator("input").focus()
            page.keyboard.press("Space")
        case "play":
            control.place.locator("button").first.focus()
            page.keyboard.press("Enter")
        case _:
            control.place.focus()
            page.keyboard.press("Enter")


def by_mouse(control: Control) -> None:
    """Move a control with the mouse; a slider is dragged over a third of its way, and not let go outside."""
    page, place = control.place.page, control.place
    match control.sort:
        case "slider":
            drag(control, 0.35)
        case "toggle":
            place.locator("button:not(.mod-active)").last.click()
        case "dropdown":
            # The mouse opens the list; what is in it is the system's, beyond the page.
            select = place.locator("select")
            select.click()
            page.keyboard.press("Escape")
            select.select_option(index=select.evaluate("it => (it.selectedIndex + 1) % it.length"))
        case "checkbox":
            place.locator("input").click()
        case "play":
            place.locator("button").first.click()
        case _:
            place.click()
    page.mouse.move(0, 0)  # so that nothing is left in its hovering colours


def drag(control: Control, share: float, *, steps: int = 12) -> None:
    """Drag a slider's handle over a share of its whole way, towards the end that is further off."""
    handle, mouse = control.place.locator("[role=slider]"), control.place.page.mouse
    for _ in range(3):
        handle.hover()
        box, track = handle.bounding_box(), control.place.locator(".noUi-base").bounding_box()
        assert box is not None, f"{control} cannot be seen"
        assert track is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        mouse.move(x, y)
        mouse.down()
        if handle.evaluate("it => it.matches('.noUi-active')"):
            break
        mouse.up()  # the page was still scrolling, and the handle had gone from under the mouse
        control.place.page.wait_for_timeout(500)
    forwards = x < track["x"] + track["width"] / 2
    mouse.move(x + (share if forwards else -share) * track["width"], y, steps=steps)
    mouse.up()


def _away_from_the_end(select: Locator) -> str:
    return "ArrowUp" if select.evaluate("it => it.selectedIndex === it.length - 1") else "ArrowDown"

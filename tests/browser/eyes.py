"""What a reader's eyes would object to in the page: what sticks out of its panel, moves it, or cannot be read."""

from playwright.sync_api import Locator

ENOUGH_CONTRAST = 4.5  # Web Content Accessibility Guidelines 2.2, 1.4.3


def watch_height(output: Locator) -> None:
    """Begin to write down every height that the area below a cell takes on, frame by frame."""
    output.evaluate(
        """output => {
            output.heights = new Set();
            output.watcher?.disconnect();
            output.watcher = new ResizeObserver(
                () => output.heights.add(Math.round(output.getBoundingClientRect().height)));
            output.watcher.observe(output); }"""
    )


def heights(output: Locator) -> list[int]:
    """Return the heights in pixels since `watch_height`, as they came."""
    found: list[int] = output.evaluate("output => [...output.heights]")
    return found


def sticking_out(output: Locator) -> list[str]:
    """Return what is wider than the panel in which it stands, and text that is cut off."""
    found: list[str] = output.evaluate(
        """output => {
            const panel = output.getBoundingClientRect(), found = [];
            const told = (one, why) => found.push(`${why}: ${one.outerHTML.slice(0, 120)}`);
            const space = 8;  // the space at which a line breaks hangs over its end
            const beyond = box => Math.round(Math.max(box.right - panel.right, panel.left - box.left));
            for (const one of output.querySelectorAll('.jp-OutputArea-output, .jp-OutputArea-output *')) {
                const box = one.getBoundingClientRect(), style = getComputedStyle(one), range = document.createRange();
                if (!box.width || !box.height || style.visibility === 'hidden' || one.matches('option')) continue;
                if (beyond(box) > 1) told(one, `sticks out by ${beyond(box)} px`);
                const texts = [...one.childNodes].filter(node => node.nodeType === 3 && node.textContent.trim());
                for (const text of texts) {  // a text may be wider than the element that holds it
                    range.selectNodeContents(text);
                    const written = range.getBoundingClientRect();
                    const cut = style.overflow !== 'visible' && written.right > box.right + space;
                    if (cut || beyond(written) > space) told(one, 'has text that sticks out or is cut off'); }
            }
            for (const slider of output.querySelectorAll('.noUi-base'))
                if (slider.getBoundingClientRect().width < 60) told(slider, 'leaves a slider less than 60 px');
            return found; }"""
    )
    return found


def hard_to_read(output: Locator) -> list[str]:
    """Return the texts whose contrast with what lies behind them is too low; what is disabled may be pale."""
    found: list[str] = output.evaluate(
        """(output, enough) => {
            const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
            const parsed = colour => {  // whatever notation, as red, green, blue and opacity
                canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
                const [red, green, blue, opacity] = canvas.getImageData(0, 0, 1, 1).data;
                return [red, green, blue, opacity / 255]; };
            const over = (top, below) => below.map((value, i) => top[i] * top[3] + value * (1 - top[3]));
            const behind = one => {
                const layers = [];
                for (let each = one; each; each = each.parentElement) {
                    const colour = parsed(getComputedStyle(each).backgroundColor);
                    layers.unshift(colour);
                    if (colour[3] === 1) break; }
                return layers.reduce((below, top) => over(top, below), [255, 255, 255]); };
            const light = colour => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
                const part = colour[i] / 255;
                return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4); }, 0);
            const found = [];
            for (const one of output.querySelectorAll('.jp-OutputArea-output, .jp-OutputArea-output *')) {
                const box = one.getBoundingClientRect(), style = getComputedStyle(one);
                const texts = [...one.childNodes].filter(node => node.nodeType === 3);
                const text = texts.map(node => node.textContent).join('');
                if (!text.trim() || !box.width || !box.height || one.matches('style, script, option')) continue;
                if (one.matches(':disabled, :disabled *') || one.querySelector(':disabled')) continue;
                let opacity = 1;
                for (let each = one; each; each = each.parentElement) opacity *= getComputedStyle(each).opacity;
                const back = behind(one), colour = parsed(style.color);
                const front = over([...colour.slice(0, 3), colour[3] * opacity], back);
                const [pale, dark] = [light(front), light(back)].sort((a, b) => b - a);
                const contrast = (pale + 0.05) / (dark + 0.05);
                if (contrast < enough) found.push(`contrast ${contrast.toFixed(1)}: ${text.trim().slice(0, 80)}`);
            }
            return found; }""",
        ENOUGH_CONTRAST,
    )
    return found

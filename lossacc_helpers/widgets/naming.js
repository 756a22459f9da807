// Names for screen readers that ipywidgets leaves out: of a slider's handle, by its label, and of a picture, by a sentence.
function render({ model, el }) {
    let watcher, waiting;

    const name = (widget) => {
        for (const slider of widget.querySelectorAll('.widget-slider')) {
            const label = slider.querySelector('.widget-label')?.textContent.trim();
            for (const handle of slider.querySelectorAll('[role=slider]'))
                if (label && handle.getAttribute('aria-label') !== label) handle.setAttribute('aria-label', label);
        }
        for (const [icon, does] of Object.entries({ play: 'play or pause', stop: 'stop', retweet: 'repeat' })) {
            const button = widget.querySelector(`.widget-play .fa-${icon}`)?.closest('button');
            if (button) button.setAttribute('aria-label', does);
        }
        for (const picture of widget.querySelectorAll('img.widget-image'))
            if (picture.alt !== model.get('picture')) picture.alt = model.get('picture');
    };

    const begin = () => {  // once it stands in the page, beside what it names
        const widget = el.closest('.widget-vbox');
        if (!widget || !el.isConnected) { waiting = requestAnimationFrame(begin); return; }
        name(widget);
        watcher = new MutationObserver(() => name(widget));
        watcher.observe(widget, { childList: true, subtree: true });
    };

    begin();
    return () => { cancelAnimationFrame(waiting); watcher?.disconnect(); };
}

export default { render };

"""A JupyterLab server and a person in front of it: Chromium, driven through Playwright, for tests and benchmarks."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psutil
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, Request, sync_playwright

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STARTING = 90.0  # seconds that a server, or a page, may take to appear on a busy machine
RUNNING = 900.0  # seconds that a whole lesson may take on a busy machine
SETTLING = 30.0  # seconds in which what was done must be seen

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "msedge", "chrome")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
# A browser that is driven need not ask its maker for news. A container often has no sandbox for it and little /dev/shm.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# The server ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A running JupyterLab.

    Attributes
    ----------
    url : its address, without a slash at the end.
    token : opens it.
    root : the folder it serves.
    log : what it and its kernels print.
    process : it; its kernels are its children.
    """

    url: str
    token: str
    root: Path
    log: Path
    process: psutil.Process

    def ask(self, path: str, *, method: str = "GET", body: object = None) -> Any:
        """Return the answer to a request of the server's REST interface, such as ``"api/kernels"``."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/{path}", data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=SETTLING) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def shut_down_kernels(self) -> None:
        """End every kernel, as "Shut Down All" does."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", method="DELETE")

    def tracebacks(self) -> list[str]:
        """Return what the server and its kernels complained of: an error in a widget's callback ends up here."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return [part[-2000:] for part in text.split("Traceback (most recent call last)")[1:]]


@contextlib.contextmanager
def jupyter_server(
    root: Path,
    *,
    own: Path,
    python: str | Path = sys.executable,
    prefix: Path | None = None,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    start: Path | None = None,
) -> Iterator[Server]:
    """Serve a folder until the block ends; then the server and its kernels are gone.

    Parameters
    ----------
    root : the folder.
    own : an empty folder for the server's settings, data and log, so that nothing of the user's is read or changed.
    python : of the environment whose JupyterLab it is.
    prefix : where ``tools/jupyter/apply.py`` laid settings, if that is not the environment itself.
    arguments : further ones of the command line.
    environment : variables for the server, besides this process's own.
    start : a script that is given the server's command and becomes it, as ``binder/start`` does.

    Raises
    ------
    RuntimeError
        If it ends or does not answer; the message shows the end of its log.
    """
    own.mkdir(parents=True, exist_ok=True)
    token, log = secrets.token_hex(16), own / "server.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "LOSSACC"))}
    folders = {
        "JUPYTER_CONFIG_DIR": own / "config",
        "JUPYTER_DATA_DIR": own / "data",
        "JUPYTER_RUNTIME_DIR": own / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": own / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": own / "workspaces",
        "IPYTHONDIR": own / "ipython",
        "XDG_DATA_HOME": own / "share",
    }
    command = [str(python), "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}", "--expose-app-in-browser"]
    if prefix is not None:
        folders["JUPYTER_CONFIG_PATH"] = prefix / "etc" / "jupyter"
        command += [f"--LabApp.app_settings_dir={prefix / 'share' / 'jupyter' / 'lab' / 'settings'}"]
    variables = {**inherited, **{name: str(folder) for name, folder in folders.items()}, **(environment or {})}
    with log.open("wb") as stream:
        started = psutil.Popen(
            [*([str(start)] if start else []), *command, *arguments],
            cwd=root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    process = psutil.Process(started.pid)
    try:
        server = Server(_address(started, own / "runtime", log), token, root, log, process)
        _until_it_answers(server, started)
        yield server
    finally:
        _end(process)
        started.wait(SETTLING)


def _address(started: Any, runtime: Path, log: Path) -> str:
    """Return the address of a server that has just been started: the port is its own choice."""
    known = runtime / f"jpserver-{started.pid}.json"
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and started.poll() is None:
        with contextlib.suppress(OSError, ValueError):  # not there yet, or half written
            return str(json.loads(known.read_text(encoding="utf-8"))["url"]).rstrip("/")
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


def _until_it_answers(server: Server, started: Any) -> None:
    deadline = time.monotonic() + STARTING
    while started.poll() is None:
        try:
            server.ask("api/status")
            return
        except (OSError, urllib.error.URLError):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
    text = server.log.read_text(encoding="utf-8", errors="replace")
    raise RuntimeError(f"JupyterLab started and does not answer:\n{text[-3000:]}")


def _end(process: psutil.Process) -> None:
    """End a server and its kernels: asked first, then by force."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        process.terminate()
        _, alive = psutil.wait_procs(family, timeout=10)
        for one in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(alive, timeout=10)


# The browser --------------------------------------------------------------------------------------------------------


class NoBrowser(RuntimeError):
    """There is no browser to drive; the message says what to do."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser without a window: the one that $CHROMIUM names, or else any Chromium, Chrome or Edge.

    Raises
    ------
    NoBrowser
        If there is none.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_find(playwright), args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def _find(playwright: Playwright) -> str:
    """Return the browser's path; the last resort is what ``playwright install chromium`` downloads."""
    asked = os.environ.get("CHROMIUM")
    for name in [asked] if asked else [*_NAMES, *_PLACES, playwright.chromium.executable_path]:
        if found := shutil.which(name):
            return found
    if asked:
        raise NoBrowser(f"the variable CHROMIUM names {asked}, and no such browser is there")
    raise NoBrowser(
        "no Chromium, Chrome or Edge was found; install one (Debian: sudo apt install chromium), "
        "or name it in the variable CHROMIUM"
    )


class Window:
    """A window of the browser onto a server's JupyterLab.

    Attributes
    ----------
    page : Playwright's, for all that is not here.
    complaints : what the page's console, its scripts and its requests complained of, in order.
    strangers : addresses on other hosts than the server's that the page asked for.
    """

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.set_default_timeout(SETTLING * 1000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"error in the page: {error}"))
        page.on("requestfailed", self._failed)
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))
        page.on("dialog", lambda dialog: dialog.accept())  # the browser asks before it leaves an unsaved notebook

    def open(self, path: str) -> "Notebook":
        """Open a notebook of the server's, by its path below the root, and wait for its kernel."""
        if self.page.url.startswith(self.server.url):
            self.page.evaluate("async path => { await jupyterapp.commands.execute('docmanager:open', {path}); }", path)
        else:  # "reset" leaves out the tabs of an earlier visit
            self.page.goto(f"{self.server.url}/lab/tree/{quote(path)}?reset&token={self.server.token}")
        notebook = Notebook(self, path)
        notebook.wait_idle(STARTING)
        return notebook

    def choose_theme(self, *, dark: bool) -> None:
        """Choose JupyterLab's dark or light theme."""
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        self.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)

    def resize(self, width: int, height: int = 1000) -> None:
        """Draw the window to another size in pixels."""
        self.page.set_viewport_size({"width": width, "height": height})

    def show_sidebar(self, shown: bool) -> None:
        """Open the list of files, or close it, as one does where room is scarce."""
        self.page.evaluate(
            """async shown => {
                const toggle = 'application:toggle-left-area';
                if (jupyterapp.commands.isToggled(toggle) !== shown) await jupyterapp.commands.execute(toggle); }""",
            shown,
        )

    def picture(self, path: Path) -> None:
        """Keep what the window shows as a PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page itself left off
            self.complaints.append(f"request failed: {request.url} ({request.failure})")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != urlsplit(self.server.url).netloc:
            self.strangers.append(url)


@contextlib.contextmanager
def window(browser: Browser, server: Server, *, width: int = 1280, height: int = 1000) -> Iterator[Window]:
    """Open a window of that size in pixels, without memory of earlier ones."""
    context = browser.new_context(viewport={"width": width, "height": height})
    try:
        yield Window(context.new_page(), server)
    finally:
        context.close()


# A notebook ---------------------------------------------------------------------------------------------------------

# JupyterLab's own objects say more than its elements: a cell off screen may have none, and the toolbar's indicator says
# idle before there is a kernel. (The server shows them to the page because of --expose-app-in-browser.)
_PANEL = """([path, arg]) => {
    const panel = [...(window.jupyterapp?.shell.widgets('main') ?? [])].find(each => each.context?.path === path);
    const notebook = panel?.content, cells = notebook?.widgets ?? [];
    const cell = cells.find(each => each.model.id === arg?.cell);
    %s
}"""


class Notebook:
    """A notebook that is open in a window; cells are named by their ids.

    Parameters
    ----------
    window : in which it is open.
    path : below the server's root.
    """

    def __init__(self, window: Window, path: str) -> None:
        self.window = window
        self.path = path

    # What is there

    def cells(self, tag: str | None = None) -> list[str]:
        """Return the ids of the code cells, or of those with a tag, in their order."""
        body = """return cells.filter(each => each.model.type === 'code')
            .filter(each => !arg.tag || (each.model.getMetadata('tags') ?? []).includes(arg.tag))
            .map(each => each.model.id);"""
        return [str(name) for name in self._ask(body, tag=tag)]

    def source(self, cell: str) -> str:
        """Return a cell's text."""
        return str(self._ask("return cell.model.sharedModel.getSource();", cell=cell))

    def outputs(self, cell: str) -> list[dict[str, Any]]:
        """Return a cell's outputs as a notebook's file holds them."""
        return list(self._ask("return cell.model.outputs.toJSON();", cell=cell))

    def errors(self) -> list[str]:
        """Return what stands in an error or on stderr in the outputs of any cell, named by the cell."""
        body = """return cells.filter(each => each.model.type === 'code').flatMap(each => each.model.outputs.toJSON()
            .filter(output => output.output_type === 'error' || output.name === 'stderr')
            .map(output => `${each.model.id}: ` + (output.ename ? `${output.ename}: ${output.evalue}`
                : 'stderr: ' + [output.text].flat().join(''))));"""
        return [str(error) for error in self._ask(body)]

    def output(self, cell: str) -> Locator:
        """Return the area below a cell that holds its outputs, scrolled to."""
        self._bring_to_front()
        body = "cell.node.dataset.id = arg.cell; return notebook.scrollToItem(cells.indexOf(cell), 'smart');"
        self._ask(body, cell=cell)
        area = self.window.page.locator(f'[data-id="{cell}"] .jp-Cell-outputArea')
        area.scroll_into_view_if_needed()
        return area

    # What a person does

    def run(self, *names: str, seconds: float = RUNNING) -> None:
        """Run cells one after the other, and wait until they have run."""
        self.start("notebook:run-cell", *names)
        self.wait_idle(seconds)

    def run_all(self, *, restart: bool = False, seconds: float = RUNNING) -> None:
        """Run every cell, if wanted in a fresh kernel."""
        self.start("notebook:restart-run-all" if restart else "notebook:run-all-cells")
        if restart:
            self.accept()
        self.wait_idle(seconds)

    def write(self, cell: str, text: str) -> None:
        """Replace a cell's text."""
        self._ask("cell.model.sharedModel.setSource(arg.text);", cell=cell, text=text)

    def restart(self) -> None:
        """Restart the kernel."""
        self.start("notebook:restart-kernel")
        self.accept()
        self.wait_idle()

    def interrupt(self) -> None:
        """Interrupt the kernel, without waiting for what comes of it."""
        self.start("notebook:interrupt-kernel")

    def save(self) -> None:
        """Save the notebook to its file."""
        self._ask("return panel.context.save();")

    def shut_down(self) -> None:
        """End the notebook's kernel."""
        self._ask("return panel.sessionContext.shutdown();")

    def close(self) -> None:
        """Save the notebook, end its kernel, and close its tab."""
        self.save()
        self.shut_down()
        self._ask("panel.close();")

    def accept(self) -> None:
        """Agree to what a dialog asks."""
        self.window.page.locator(".jp-Dialog .jp-mod-accept").click()

    def start(self, command: str, *names: str) -> None:
        """Begin one of JupyterLab's commands, on the cells that are named, and do not wait for its end."""
        self._bring_to_front()
        body = """
            const all = async () => {
                for (const name of arg.names) {
                    notebook.deselectAll();
                    notebook.activeCellIndex = cells.findIndex(each => each.model.id === name);
                    await jupyterapp.commands.execute(arg.command); }
                if (!arg.names.length) await jupyterapp.commands.execute(arg.command); };
            panel.unfinished = (panel.unfinished ?? 0) + 1;
            all().finally(() => panel.unfinished -= 1);"""
        self._ask(body, command=command, names=names)

    def wait_idle(self, seconds: float = RUNNING) -> None:
        """Wait until the kernel is there and has nothing left to do."""
        body = """
            const kernel = panel?.sessionContext.session?.kernel;
            return kernel?.status === 'idle' && kernel.connectionStatus === 'connected' && !panel.unfinished
                && !cells.some(each => each.model.executionState === 'running');"""
        self._wait(body, seconds=seconds)

    def _bring_to_front(self) -> None:
        """Bring the notebook to the front, and wait for the focus: JupyterLab's commands are for whatever has it."""
        self._ask("jupyterapp.shell.activateById(panel.id);")
        self._wait("return jupyterapp.shell.currentWidget === panel && panel.node.contains(document.activeElement);")

    def _wait(self, body: str, *, seconds: float = SETTLING) -> None:
        """Wait until a script as for `_ask` returns something true."""
        self.window.page.wait_for_function(_PANEL % body, arg=[self.path, None], timeout=seconds * 1000)

    def _ask(self, body: str, **arg: Any) -> Any:
        """Run a script that knows `panel`, `notebook`, `cells`, `arg` and, if `arg` names one, `cell`."""
        return self.window.page.evaluate(_PANEL % body, [self.path, arg])

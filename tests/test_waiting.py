"""Long work says how far it is, can be interrupted, and leaves nothing behind: no line, no thread at work, no lock."""

import _thread
import subprocess
import sys
import threading
from contextvars import ContextVar
from time import monotonic, sleep

import nbformat
import pytest
from kernels import Kernel
from nbclient import NotebookClient

from lossacc_helpers import _waiting
from lossacc_helpers._waiting import Abandoned, interruptible, reached, told_by, waiting
from tools.lessons import ROOT

SECONDS = 30  # nothing here takes long; a test that hangs fails after these


@pytest.fixture
def told(monkeypatch):
    """The lines told; there is no patience here, and a new line every few milliseconds."""
    monkeypatch.setattr(_waiting, "PATIENCE", 0.0)
    monkeypatch.setattr(_waiting, "_PERIOD", 0.005)
    lines = []
    with told_by(lambda *line: lines.append(line)):
        yield lines


def eventually(holds):
    deadline = monotonic() + SECONDS
    while not holds() and monotonic() < deadline:
        sleep(0.005)
    assert holds()


# Telling


def test_work_is_named_with_its_seconds_and_taken_away_at_the_end(told):
    with waiting("Counting"):
        eventually(lambda: told)
    assert told[0] == ("Counting", "0 s so far")
    assert told[-1] == ("", "")
    assert told.count(("", "")) == 1


def test_a_line_says_how_much_is_done_and_left(told):
    with waiting("Counting"):
        reached(0.25)
        sleep(0.02)
        reached(0.5)
        seen = len(told)
        eventually(lambda: len(told) > seen + 1)
    assert told[-2] == ("Counting", "50% done, 0 s so far, about 0 s left")


def test_what_is_left_does_not_count_what_came_before_the_first_share(monkeypatch):
    now = iter([0.0, 100.0, 110.0, 111.0])  # begun; a quarter after a long compilation; half ten seconds later; asked
    monkeypatch.setattr(_waiting, "monotonic", lambda: next(now))
    wait = _waiting._Wait("Counting")
    for share in (0.0, 0.25, 0.5):
        wait.reach(share)
    assert wait.how_far() == "50% done, 111 s so far, about 20 s left"


def test_short_work_is_not_told(told, monkeypatch):
    monkeypatch.setattr(_waiting, "PATIENCE", SECONDS)
    with waiting("Counting"):
        pass
    assert told == []


def test_nothing_is_told_after_the_work_has_failed(told):
    def fail():
        eventually(lambda: told)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), waiting("Counting"):
        fail()
    seen = list(told)
    sleep(0.05)
    assert told == seen
    assert told[-1] == ("", "")


def test_without_a_listener_no_thread_is_started():
    threads = threading.active_count()
    with waiting("Counting"):
        reached(0.5)
        assert threading.active_count() == threads


# Interrupting


def test_an_interruption_gets_through_and_the_work_stops_where_it_says_how_far_it_is():
    ended = []

    def work():
        _thread.interrupt_main()
        try:
            for _ in range(10_000):
                reached(0.5)
                sleep(0.001)
        except BaseException as error:
            ended.append(type(error))
            raise

    with pytest.raises(KeyboardInterrupt):
        interruptible(work)
    eventually(lambda: ended)
    assert ended == [Abandoned]


def test_later_work_is_not_stopped_by_an_earlier_interruption():
    with pytest.raises(KeyboardInterrupt):
        interruptible(lambda: (_thread.interrupt_main(), sleep(0.2)))
    assert interruptible(lambda: reached(0.5)) is None


def test_results_and_errors_come_through():
    assert interruptible(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 / 0)
    with pytest.raises(TimeoutError, match="of the work itself"):
        interruptible(lambda: (_ for _ in ()).throw(TimeoutError("of the work itself")))


def test_the_work_sees_the_context_of_its_caller():
    place = ContextVar("place")
    place.set("here")
    assert interruptible(place.get) == "here"


def test_what_is_reached_in_another_thread_is_told(told):
    with waiting("Counting"):
        interruptible(lambda: (reached(0.5), eventually(lambda: any("50%" in how_far for _, how_far in told))))


def test_only_the_main_thread_hands_its_work_over():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(interruptible(threading.current_thread)))
    thread.start()
    thread.join(SECONDS)
    assert seen == [thread]


def test_python_ends_after_an_interruption_when_the_work_has_ended():
    code = (
        "import _thread, time\n"
        "from lossacc_helpers._waiting import interruptible\n"
        "interruptible(lambda: (_thread.interrupt_main(), time.sleep(0.5), print('the work has ended')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")
    assert done.stdout == "the work has ended\n"


# In a kernel

SLOW = """
from time import sleep
from lossacc_helpers import _waiting, widgets
from lossacc_helpers._waiting import interruptible, reached, waiting

_waiting.PATIENCE = 0.05

def count(to):
    with waiting("Counting <slowly>"):
        interruptible(lambda: [(sleep(0.01), reached((i + 1) / to)) for i in range(to)])
    return to
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with Kernel(tmp_path_factory.mktemp("profile")) as kernel:
        assert not kernel.run(SLOW).error
        yield kernel


def test_a_cell_shows_a_line_that_is_empty_in_the_end(kernel):
    reply = kernel.run("print('before')\ncount(20)")
    shown = [(kind, content) for kind, content in reply.published if kind.endswith("display_data")]
    assert [kind for kind, _ in shown] == ["display_data"] + ["update_display_data"] * (len(shown) - 1)
    assert len({content["transient"]["display_id"] for _, content in shown}) == 1
    assert reply.lines[0].startswith("Counting <slowly>: ")
    assert '<span role="status">Counting &lt;slowly&gt;</span>' in shown[0][1]["data"]["text/html"]
    assert shown[-1][1]["data"] == {}
    assert reply.result == "20"


def test_an_interrupted_cell_raises_takes_its_line_away_and_leaves_the_kernel_usable(kernel):
    reply = kernel.run("count(10**6)", interrupt_after="Counting")
    assert reply.error == "KeyboardInterrupt"
    assert reply.lines[-1] == ""
    assert kernel.run("1 + 1").result == "2"
    assert kernel.run("count(1)").result == "1"


def test_where_nobody_looks_nothing_is_shown(kernel):
    reply = kernel.run("count(20)", somebody_looks=False)
    assert reply.lines == []
    assert reply.result == "20"


def test_a_notebook_that_is_built_stores_no_trace(tmp_path):
    cells = [nbformat.v4.new_code_cell(source) for source in (SLOW, "count(20)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("IPYTHONDIR", str(tmp_path))
        NotebookClient(notebook, kernel_name="python3", timeout=SECONDS).execute()
    assert notebook.cells[0].outputs == []
    assert [output.output_type for output in notebook.cells[1].outputs] == ["execute_result"]


EXPLORER = """
import ipywidgets
from lossacc_helpers.figures import LabelledFigure, Picture

def tower():
    figure = LabelledFigure(sentence="A tower.", width=200, height=100)
    figure.subplots()
    return Picture(figure, lambda height: f"The tower is {height} high.")

slider = ipywidgets.IntSlider(value=1, max=10**6, description="height")
explorer = widgets.Explorer(tower, {"height": slider}, compute=lambda height: {"height": count(height)})
slider.model_id
"""


def test_an_explorer_says_how_far_it_is_and_goes_on_after_an_interruption(kernel):
    model_id = kernel.run(EXPLORER).result.strip("'")
    reply = kernel.move(model_id, 10**6, interrupt_after="Counting")
    assert reply.lines == []  # the readout tells; a control has no cell to show a line below
    said = kernel.run("explorer.readout").result
    assert "Stopped, and the picture still shows an earlier state. Move a control to go on." in said
    kernel.move(model_id, 5)
    assert kernel.run("explorer.readout").result == "'The tower is 5 high.'"
    assert kernel.run("count(1)").result == "1"

"""The sandbox: what a submission cannot see, reach, use or leave behind."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from lossacc_helpers.grading import sandbox as module
from lossacc_helpers.grading import seccomp
from lossacc_helpers.grading.collecting import Collected, collect
from lossacc_helpers.grading.sandbox import Limits, NoSandbox, Sandbox
from tests.grading.conftest import made


def ask(sandbox: Sandbox, code: str, name: str = "answer") -> Any:
    """Run a cell and return what it gives a name."""
    collected = collect(sandbox, [code], {name: None})
    answer = collected.answers[name][0]
    assert not answer.problem, (answer.problem, collected.outputs)
    return answer.value


def printed(collected: Collected) -> str:
    return "".join(output.get("text", "") for outputs in collected.outputs for output in outputs or ())


def test_it_sees_python_and_this_package_and_no_file_of_yours(sandbox: Sandbox) -> None:
    here = Path(__file__).resolve()
    hidden = [here, here.parents[2] / "coursework", here.parents[2] / ".git", Path.home() / ".ssh", Path("/etc/passwd")]
    code = f"import os\nanswer = [os.path.exists(path) for path in {[str(path) for path in hidden]!r}]"
    assert ask(sandbox, code) == [False] * len(hidden)
    assert ask(
        sandbox, "import lossacc_helpers\nanswer = lossacc_helpers.log_loss([0], [[0.5, 0.5]])"
    ) == pytest.approx(0.6931471805599453)


def test_it_knows_nothing_of_your_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_MINE", "1")
    names = ask(sandbox, "import os\nanswer = list(os.environ)")
    assert "SECRET_OF_MINE" not in names
    assert "MPLBACKEND" in names


def test_nothing_outside_its_small_folders_can_be_written(sandbox: Sandbox) -> None:
    code = """
import lossacc_helpers, os, sys
from pathlib import Path
folders = [*Path('/').glob('*'), *Path('/').glob('*/*'), *Path(sys.prefix).glob('*'), *Path(sys.base_prefix).glob('*')]
package = Path(lossacc_helpers.__file__).parent
answer = []
for folder in map(str, ['/', package, *package.parents, *folders]):
    if folder.startswith(('/proc', '/tmp', '/dev/shm')):
        continue
    try:
        open(os.path.join(folder, 'mine'), 'w')
        answer.append(folder)
    except OSError:
        pass
"""
    assert ask(sandbox, code) == []


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_what_it_writes_is_limited_also_in_many_files(folder: str, sandbox: Sandbox) -> None:
    code = f"""
answer = 0
try:
    for number in range(200):
        with open('{folder}/' + str(number), 'wb') as file:
            answer += file.write(bytes(1_000_000))
except OSError:
    pass
"""
    assert 5_000_000 < ask(sandbox, code) <= sandbox.limits.disk


def test_it_has_no_network_not_even_this_machines(sandbox: Sandbox) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"""
import socket
answer = 'reached'
try:
    socket.create_connection(('127.0.0.1', {port}), timeout=2)
except OSError as error:
    answer = type(error).__name__
"""
        assert ask(sandbox, code) == "ConnectionRefusedError"  # by its own, empty, loopback
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            pass  # where this test stands, it can be reached


def test_it_has_no_rights_and_cannot_take_any(sandbox: Sandbox) -> None:
    status = ask(sandbox, "answer = open('/proc/self/status').read()")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"  # a filter
    assert "0" not in fields["Uid"].split()


CALLS: dict[str, tuple[Any, ...]] = {
    "unshare": (0x10000000,),
    "memfd_create": (b"hidden", 0),
    "shmget": (0, 4096, 0o1777),
    "mount": (b"none", b"/tmp", b"tmpfs", 0, 0),
    "ptrace": (0, 0, 0, 0),
    "sched_setaffinity": (0, 128, b"\xff" * 128),
}


def test_calls_that_would_undo_it_are_refused(sandbox: Sandbox) -> None:
    code = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
answer = []
for name, arguments in {CALLS!r}.items():
    ctypes.set_errno(0)
    answer.append([name, getattr(libc, name)(*arguments), ctypes.get_errno()])
"""
    assert ask(sandbox, code) == [[name, -1, 1] for name in CALLS]  # EPERM


def test_a_filter_for_an_unknown_processor_is_not_invented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "pdp11")
    with pytest.raises(NotImplementedError, match="pdp11"):
        seccomp.program()


def test_processes_are_limited_and_none_is_left(sandbox: Sandbox) -> None:
    marker = f"left behind by {os.getpid()} {time.monotonic_ns()}"
    code = f"""
import os, subprocess, sys
answer = 0
try:
    while True:
        subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', {marker!r}], start_new_session=True)
        answer += 1
except OSError:
    pass
"""
    assert 1 < ask(sandbox, code) < sandbox.limits.processes
    left = [one for one in psutil.process_iter(["cmdline"]) if marker in (one.info["cmdline"] or ())]
    assert not left


def test_a_killed_process_is_dead_though_nobody_asks_for_it() -> None:
    """As in a container whose first process asks for none; to wait for that would be to wait in vain."""
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'input()']).pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        orphan = psutil.Process(int(parent.stdout.readline()))
        assert not module.wait_until_dead([orphan], 0.1)
        orphan.kill()
        assert module.wait_until_dead([orphan], 60)
        assert orphan.status() == psutil.STATUS_ZOMBIE
        parent.kill()


def test_it_cannot_slow_another_down_by_taking_its_core(sandbox: Sandbox) -> None:
    cores = len(os.sched_getaffinity(0))
    assert ask(sandbox, "import os\nanswer = len(os.sched_getaffinity(0))") == 1
    assert len(os.sched_getaffinity(0)) == cores  # ours are as they were


def test_memory_counts_all_processes_together(sandbox: Sandbox) -> None:
    """Each of them stays below the limit; together they are above it."""
    share = sandbox.limits.memory // 3
    code = f"""
import os, time
for _ in range(5):
    if os.fork() == 0:
        held = bytearray(os.urandom(1000)) * ({share} // 1000)
        time.sleep(60)
        os._exit(0)
time.sleep(60)
"""
    collected = collect(sandbox, [code, "answer = 1"], {"answer": None})
    assert [stop.reason for stop in collected.stops] == ["memory"]
    assert collected.answers["answer"][0].value == 1


def test_memory_that_processes_share_counts_too(sandbox: Sandbox) -> None:
    """Held by a mapping of no file, it is neither a process's own nor in any folder."""
    code = f"""
import mmap, os, time
if os.fork() == 0:
    held = mmap.mmap(-1, {2 * sandbox.limits.memory})
    for place in range(0, len(held), 4096):
        held[place] = 1
    time.sleep(60)
time.sleep(60)
"""
    collected = collect(sandbox, [code, "answer = 1"], {"answer": None})
    assert [stop.reason for stop in collected.stops] == ["memory"]


FORGE_READY = """
import os, time
for descriptor in range(3, 64):
    try:
        os.write(descriptor, b'{"event": "ready"}\\n')
    except OSError:
        pass
time.sleep(600)
"""


def test_a_submission_that_does_not_listen_cannot_hold_the_grader_up() -> None:
    """The question is larger than what a pipe takes in, and nobody reads it."""
    with made(Limits(cell=2, waiting=2, whole=4, memory=700_000_000)) as small:
        collected = collect(small, [FORGE_READY, "f = sum"], {"f": [(np.zeros(200_000),)]})
    assert {stop.reason for stop in collected.stops} == {"time"}


def test_one_clock_counts_for_all_attempts() -> None:
    with made(Limits(cell=2, waiting=3, whole=4, memory=700_000_000)) as small:
        collected = collect(small, ["while True: pass"] * 5 + ["answer = 1"], {"answer": None})
    assert len(collected.stops) <= 3
    assert not collected.answers


def test_what_it_returns_is_limited(sandbox: Sandbox) -> None:
    code = """
import os
for descriptor in range(3, 64):
    try:
        while True:
            os.write(descriptor, b'x' * 1_000_000)
    except OSError:
        pass
"""
    collected = collect(sandbox, [code, "answer = 1"], {"answer": None})
    assert [stop.reason for stop in collected.stops] == ["output"]
    assert collected.answers["answer"][0].value == 1


def test_each_submission_begins_in_an_empty_house(sandbox: Sandbox) -> None:
    look = "import os\nanswer = os.listdir() + [name for name in os.listdir('/tmp') if name == 'mine']"
    assert ask(sandbox, look + "\nopen('here', 'w')\nopen('/tmp/mine', 'w')") == []
    assert ask(sandbox, look) == []


def test_without_bubblewrap_there_is_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(NoSandbox, match="apt install bubblewrap" if os.name == "posix" else "Linux"):
        Sandbox()


def test_a_bubblewrap_that_does_not_work_is_no_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'no permission to make a namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(module.shutil, "which", lambda name: str(broken))
    with pytest.raises(NoSandbox, match="no permission to make a namespace"):
        Sandbox()


def test_unsafe_runs_without_one_and_still_limits_time() -> None:
    with Sandbox(Limits(cell=2, waiting=20, whole=20), unsafe=True) as unsafe:
        collected = collect(unsafe, ["while True: pass", "answer = 6 * 7"], {"answer": None})
    assert [stop.reason for stop in collected.stops] == ["processor time"]
    assert collected.answers["answer"][0].value == 42


@pytest.mark.parametrize("name", ["cell", "waiting", "whole", "memory", "processes", "disk", "output"])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})


def test_figures_come_back_as_pictures_and_nothing_else(sandbox: Sandbox) -> None:
    code = "import matplotlib.pyplot as plt\nfrom IPython.display import HTML\nplt.plot([1, 2])\nHTML('<b>bold</b>')"
    (outputs,) = collect(sandbox, [code], {}).outputs
    assert outputs is not None
    kinds = {kind for output in outputs for kind in output.get("data", ())}
    assert kinds == {"text/plain", "image/png"}


def test_a_runner_that_never_was_started_says_so(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    monkeypatch.setattr(module.sys, "executable", "/no/such/python")
    collected = collect(sandbox, ["answer = 1"], {"answer": None})
    assert not collected.answers.get("answer")
    assert {stop.reason for stop in collected.stops} == {"its own end"}

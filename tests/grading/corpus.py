"""Hostile and unlucky submissions of the small assignment, each with the mark it earns and what the report says of it.

Of 100 points the program gives 80: 40 for `row_losses` (30 and 10), 20 for `least`, 20 for `rising`.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.grading.small import filled, with_cell

FULL = 80.0


@dataclass(frozen=True)
class Case:
    """A submission.

    Attributes
    ----------
    make : writes it into its folder, given the version for learners.
    earns : points given by the program.
    says : texts that stand in the report's lines about it; none if there is nothing to report.
    """

    make: Callable[[Path, NotebookNode], None]
    earns: float
    says: tuple[str, ...] = ()


def _written(change: Callable[[NotebookNode], NotebookNode | str | bytes], name: str = "A9.ipynb"):
    def make(folder: Path, released: NotebookNode) -> None:
        made = change(released)
        if isinstance(made, NotebookNode):
            made = json.dumps(made)  # nbformat would mend it
        (folder / name).write_bytes(made.encode() if isinstance(made, str) else made)

    return make


def _extra(code: str, **answers: str):
    """All answers right but for those given, and a cell of one's own behind what is given."""
    return _written(lambda released: with_cell(filled(released, **answers), code))


def _answers(**answers: str):
    return _written(lambda released: filled(released, **answers))


def _changed(change: Callable[[NotebookNode], None]):
    def whole(released: NotebookNode) -> NotebookNode:
        notebook = filled(released)
        change(notebook)
        return notebook

    return _written(whole)


def _lines(*lines: str) -> str:
    return "\n".join(lines)


def _cell(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == name)


def _without(*names: str) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        notebook.cells = [cell for cell in notebook.cells if cell.id not in names]

    return change


def _wipe_metadata(notebook: NotebookNode) -> None:
    for number, cell in enumerate(notebook.cells):
        cell.metadata, cell.id = NotebookNode(), f"cell{number}"


def _tamper(notebook: NotebookNode) -> None:
    _cell(notebook, "row_losses").source = "def row_losses(table):\n    return 0"
    _cell(notebook, "row_losses-marks").source = "assert True  # 40 of 40 points"
    _cell(notebook, "row_losses-marks").metadata.nbgrader.points = 1000


def _duplicate(notebook: NotebookNode) -> None:
    wrong = nbformat.from_dict(json.loads(json.dumps(_cell(notebook, "row_losses"))))
    wrong.source = "def row_losses(table):\n    return 0"
    notebook.cells.insert(2, wrong)


def _reorder(notebook: NotebookNode) -> None:
    # The function now stands before what it needs, and `least` before the cell that it takes a number from.
    least = _cell(notebook, "least")
    least.source = "least = number"
    notebook.cells = [least, *(cell for cell in notebook.cells if cell.id != "least")]
    notebook.cells.append(nbformat.v4.new_code_cell("number = 0.7351924608"))


def _huge_output(notebook: NotebookNode) -> None:
    output = nbformat.v4.new_output("stream", text="x" * 20_000_000)
    _cell(notebook, "row_losses-marks").outputs = [output]


def _as_text(notebook: NotebookNode) -> None:
    cell = _cell(notebook, "rising")
    cell.cell_type = "raw"
    del cell["outputs"], cell["execution_count"]


def _alter_given(notebook: NotebookNode) -> None:
    cell = _cell(notebook, "given-setup")
    cell.source = cell.source.replace("offset = 0.0", "offset = 100.0\nmine = 2")
    _cell(notebook, "rising").source = "rising = (1, mine)"


def _half_characters(notebook: NotebookNode) -> None:
    _cell(notebook, "diagnosis").source = "It overfits \ud83d and has a \0 in it."
    _cell(notebook, "row_losses").source += "  # \udc80"


def _empty_given(notebook: NotebookNode) -> None:
    _cell(notebook, "given-setup").source = ""


def _older(released: NotebookNode) -> str:
    return nbformat.v3.nbjson.writes(nbformat.v4.convert.downgrade(filled(released)))


def _links(folder: Path, released: NotebookNode) -> None:
    other = folder.parents[1] / "right" / "A9" / "A9.ipynb"
    os.symlink(other, folder / "A9.ipynb")


def _two(folder: Path, released: NotebookNode) -> None:
    for name in "one.ipynb", "two.ipynb":
        (folder / name).write_text(nbformat.writes(filled(released)), encoding="utf-8")


def _with_markup(notebook: NotebookNode) -> None:
    notebook.cells.append(
        nbformat.v4.new_markdown_cell("<script>alert('markdown')</script>\n\nand *stress* [here](javascript:alert(1))")
    )
    code = "from IPython.display import HTML, display\ndisplay(HTML('<script>alert(\"output\")</script>'))"
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    _cell(notebook, "diagnosis").source = "Because <img src=x onerror=alert('answer')> it overfits."


HUNT = """
import gc, os, sys, pathlib
hits = []
for module in list(sys.modules):
    if module.startswith(('coursework', 'tests', 'nbgrader', 'lossacc_helpers.grading.key')):
        hits.append(module)
for thing in gc.get_objects():
    if type(thing) in (list, tuple, dict):
        values = list(thing.values()) if type(thing) is dict else thing
        if any(type(value) is float and abs(value - 0.1 - 0.6351924608) < 1e-9 for value in values):
            hits.append('memory')
for root, folders, files in os.walk('/'):
    system = {'proc', 'usr', 'sys', 'dev', 'site-packages'}
    folders[:] = [each for each in folders if each not in system]
    for name in [*files, *folders]:
        if name in ('gradebook.db', 'coursework', 'seed.txt', 'outcomes', 'submitted', 'shadow', 'A9.ipynb'):
            hits.append(os.path.join(root, name))
for number in os.listdir('/proc'):
    if number.isdigit() and int(number) not in (os.getpid(), os.getppid(), 1):
        hits.append('process ' + number)
for number in '1', 'self':
    try:
        if b'.7351924' in pathlib.Path('/proc', number, 'environ').read_bytes():
            hits.append('environment')
    except OSError:
        pass
hits += [line for line in In if '.73519' in line and line != In[-1]]
print('hits:', hits)
"""

LIES = """
class Liar(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __float__(self): return 1e9
    def __array__(self, dtype=None, copy=None): return np.full((4,), np.nan)
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __abs__(self): return 0.0
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__
    __class__ = np.ndarray
"""

FORGE = r"""
import json, os
for descriptor in range(3, 64):
    for message in (b'{"event": "ready"}', b'[1, 2', b'{"event": "ran", "cell": 99}', b'\xff\xfe', b'7',
                    b'{"event": "answer", "question": "least", "call": 0, "value": 1.5}',
                    b'{"event": "ran", "cell": 0, "outputs": [{"data": {"image/png": "iVBORw0KGgo'
                    + b' ' * 300_000 + b'!"}}]}',
                    b'{"event": "answer", "question": "least", "call": 0, "problem": "raised", "error": "E\ud800"}',
                    b'{"event": "answer", "question": "least", "call": 0, "value": {"dtype": ",f8"}}'):
        try:
            os.write(descriptor, message + b'\n')
        except OSError:
            pass
"""

CORPUS: dict[str, Case] = {
    "right": Case(_answers(), FULL),
    "untouched": Case(_written(lambda released: released), 0, ("Nothing was returned",)),
    # It does not end, or not by itself.
    "infinite-loop": Case(_extra("while True:\n    pass"), FULL, ("“while True:” hit the limit of processor time",)),
    "infinite-loop-in-an-answer": Case(
        _answers(
            row_losses=_lines(
                "def row_losses(table):",
                "    while True:",
                "        pass",
            )
        ),
        40,
        ("A call of row_losses hit the limit of processor time", "row_losses is not settled"),
    ),
    "stubborn-loop": Case(
        _extra(
            _lines(
                "while True:",
                "    try:",
                "        while True: pass",
                "    except BaseException:",
                "        pass",
            )
        ),
        FULL,
        ("hit the limit of processor time",),
    ),
    "sleeps": Case(_extra("import time\ntime.sleep(10_000)"), FULL, ("hit the limit of time",)),
    "waits-for-input": Case(_extra("name = input('Your name? ')"), FULL),
    "infinite-output": Case(_extra("while True:\n    print('x' * 1000)"), FULL, ("hit the limit of processor time",)),
    "os-exit": Case(_extra("import os\nos._exit(0)"), FULL, ("“import os” ended the process",)),
    "sys-exit": Case(_extra("import sys\nsys.exit()"), FULL),
    "quit": Case(_extra("quit()\nexit()"), FULL),
    "crash": Case(_extra("import ctypes\nctypes.string_at(0)"), FULL, ("“import ctypes” ended the process",)),
    "kills-all": Case(
        _extra(
            _lines(
                "import os",
                "try:",
                "    os.kill(-1, 9)",
                "finally:",
                "    os.kill(os.getpid(), 9)",
            )
        ),
        FULL,
        ("ended the process",),
    ),
    "raises-everything": Case(_answers(row_losses="def row_losses(table):\n    raise BaseException('no')"), 40),
    # It takes too much.
    "memory-bomb": Case(
        _extra(
            _lines(
                "hold = []",
                "while True:",
                "    hold.append(bytearray(100_000_000))",
            )
        ),
        FULL,
        ("hit the limit of memory",),
    ),
    "memory-at-once": Case(_extra("hold = np.ones(10**12)"), FULL, ("hit the limit of memory",)),
    "fork-bomb": Case(
        _extra(
            _lines(
                "import os",
                "while True:",
                "    try:",
                "        os.fork()",
                "    except OSError:",
                "        pass",
            )
        ),
        FULL,
        ("hit the limit of",),
    ),
    "forks-and-goes-on": Case(
        _extra(
            _lines(
                "import os",
                "os.fork()",
                "os.fork()",
            )
        ),
        FULL,
    ),
    "thread-bomb": Case(
        _extra(
            _lines(
                "import threading, time",
                "while True:",
                "    threading.Thread(target=time.sleep, args=(60,)).start()",
            )
        ),
        FULL,
    ),
    "fills-the-disk": Case(
        _extra(
            _lines(
                "import os",
                "with open('/tmp/large', 'wb') as file:",
                "    while True:",
                "        file.write(bytes(1_000_000))",
            )
        ),
        FULL,
    ),
    "huge-answer": Case(_answers(least="least = np.zeros(3_000_000)"), 60),
    "deep-answer": Case(
        _answers(
            least=_lines(
                "least = []",
                "for _ in range(900):",
                "    least = [least]",
            )
        ),
        60,
    ),
    "huge-integer": Case(_answers(least="least = 10 ** 100_000"), 60),
    # Its file is not as it was handed out.
    "syntax-error": Case(
        _answers(row_losses="def row_losses(table)\n    return 1"),
        40,
        ("There is no row_losses, because its cell raised SyntaxError",),
    ),
    "answer-needs-a-file": Case(
        _answers(rising="import my_helpers\nrising = my_helpers.rising"),
        60,
        ("There is no rising, because its cell raised ModuleNotFoundError",),
    ),
    "deleted-test": Case(_changed(_without("row_losses-marks")), FULL, ("The check cell row_losses-marks is gone",)),
    "deleted-answer": Case(_changed(_without("least")), 60, ("The answer cell least is gone",)),
    "deleted-given": Case(_changed(_without("given-setup")), FULL, ("The given cell given-setup is gone",)),
    "deleted-text": Case(_changed(_without("diagnosis")), FULL, ("The answer cell diagnosis is gone",)),
    "altered-given": Case(_changed(_alter_given), FULL, ("The given cell given-setup was altered",)),
    "emptied-given": Case(_changed(_empty_given), FULL, ("The given cell given-setup was altered",)),
    "wiped-metadata": Case(_changed(_wipe_metadata), FULL, ("lost nbgrader's metadata",)),
    "tampered-test": Case(_changed(_tamper), 40, ("The check cell row_losses-marks was altered",)),
    "duplicated-ids": Case(_changed(_duplicate), FULL, ("The cell row_losses is there 2 times",)),
    "reordered": Case(_changed(_reorder), FULL, ("another order",)),
    "answer-in-a-raw-cell": Case(_changed(_as_text), FULL, ("no cell of code any more",)),
    "renamed": Case(_written(filled, "A9 (copy) final.ipynb"), FULL, ("called A9 (copy) final.ipynb",)),
    "two-files": Case(_two, 0, ("Several notebooks could be meant: one.ipynb, two.ipynb",)),
    "no-file": Case(lambda folder, released: None, 0, ("No notebook was handed in",)),
    "link-to-another": Case(_links, 0, ("is a link or no file", "No notebook was handed in")),
    "empty-file": Case(_written(lambda released: ""), 0, ("The file is empty",)),
    "not-json": Case(_written(lambda released: "My answers are in the e-mail."), 0, ("not JSON",)),
    "half-a-file": Case(_written(lambda released: nbformat.writes(filled(released))[:2000]), 0, ("not JSON",)),
    "json-but-no-notebook": Case(_written(lambda released: '{"nbformat": 4, "cells": [3]}'), 0, ("no notebook",)),
    "nested-json": Case(_written(lambda released: "[" * 200_000), 0, ("not JSON",)),
    "older-format": Case(_written(_older), FULL, ("older format 3",)),
    "huge-output": Case(_changed(_huge_output), FULL),
    # It attacks the marks.
    "builtins-replaced": Case(
        _extra(
            _lines(
                "import builtins",
                "for name in ('abs', 'len', 'isinstance', 'sum', 'print', 'type'):",
                "    setattr(builtins, name, lambda *_, **__: 0)",
            ),
            least="least = 1",
        ),
        60,
        ("“import builtins” hit the limit of processor time",),  # asyncio, which runs the cell, ends no more
    ),
    "numpy-replaced": Case(
        _extra(
            _lines(
                "for name in ('asarray', 'abs', 'isclose', 'allclose', 'array_equal', 'dtype', 'frombuffer'):",
                "    setattr(np, name, lambda *_, **__: True)",
            ),
            least="least = 1",
        ),
        60,
    ),
    "package-replaced": Case(
        _extra(
            _lines(
                "import sys, types",
                "for name in [each for each in sys.modules if each.startswith(('lossacc_helpers', 'json'))]:",
                "    sys.modules[name] = types.ModuleType(name)",
            ),
            least="least = 1",
        ),
        60,
    ),
    "lying-objects": Case(
        _extra(
            LIES,
            least="least = Liar(1.0)",
            row_losses="def row_losses(table):\n    return Liar(1.0)",
            rising="rising = (Liar(2.0), Liar(1.0))",
        ),
        0,
    ),
    "floods-the-grader": Case(
        _extra(
            _lines(
                "import os",
                "for descriptor in range(3, 64):",
                "    try:",
                "        for _ in range(200):",
                "            os.write(descriptor, b'7\\n' * 10_000)",
                "    except OSError:",
                "        pass",
            )
        ),
        FULL,
        ("hit the limit of output",),
    ),
    "forged-messages": Case(_extra(FORGE, least="least = 1"), 60),
    "hunts": Case(
        _written(lambda released: with_cell(nbformat.from_dict(dict(released)), HUNT)), 0, ("Nothing was returned",)
    ),
    "writes-to-the-gradebook": Case(
        _extra(
            _lines(
                "import sqlite3",
                "for path in ('/gradebook.db', '../gradebook.db', '/tmp/../gradebook.db'):",
                "    try:",
                "        sqlite3.connect(path).execute('create table grade (x)')",
                "    except sqlite3.OperationalError as error:",
                "        print(error)",
            ),
            least="least = 1",
        ),
        60,
    ),
    "deletes-outside": Case(
        _extra(
            _lines(
                "import shutil",
                "import lossacc_helpers",
                "for path in (lossacc_helpers.__path__[0], '/tmp', '/dev/shm', '..'):",
                "    shutil.rmtree(path, ignore_errors=True)",
            )
        ),
        FULL,
    ),
    "calls-home": Case(
        _extra(
            _lines(
                "import urllib.request",
                "urllib.request.urlopen('http://127.0.0.1:8888', timeout=5)",
            )
        ),
        FULL,
    ),
    "scripts-for-the-teacher": Case(_changed(_with_markup), FULL),
    "hard-coded": Case(
        _answers(
            row_losses=_lines(
                "def row_losses(table):",
                "    return np.array([0.6931471805599453])",
            )
        ),
        40,
    ),
    # It is right, in its own way.
    "thread-outlives-its-cell": Case(
        _extra(
            _lines(
                "import threading, time",
                "def forever():",
                "    while True:",
                "        time.sleep(0.01)",
                "threading.Thread(target=forever).start()",
            )
        ),
        FULL,
    ),
    "widget-left": Case(
        _extra(
            _lines(
                "from ipywidgets import interact",
                "@interact(k=(0, 5))",
                "def show(k=2):",
                "    print(k)",
            )
        ),
        FULL,
    ),
    "another-route": Case(
        _answers(
            row_losses=_lines(
                "import math",
                "def loss(p):",
                "    return -math.log(p if p > 1e-7 else 1e-7)",
                "row_losses = lambda table: [sum(map(loss, row)) / len(row) for row in table.tolist()]",
            ),
            rising="rising = [np.int8(-3), np.float16(0.5)]",
        ),
        FULL,
    ),
    "float32": Case(
        _answers(
            row_losses=_lines(
                "def row_losses(table):",
                "    table = np.asarray(table, dtype=np.float32)",
                "    return -np.log(np.maximum(table, np.float32(1e-7))).mean(axis=1)",
            ),
            least="least = np.float32(0.7351924608)",
        ),
        FULL,
    ),
    "non-ascii": Case(
        _answers(
            row_losses=_lines(
                "def потери_строк(таблица):",
                "    return -np.log(np.maximum(таблица, 1e-7)).mean(axis=1)",
                "row_losses = потери_строк  # žluťoučký kůň 損失",
            )
        ),
        FULL,
    ),
    "changes-its-input": Case(
        _answers(
            row_losses=_lines(
                "def row_losses(table):",
                "    table[table < 1e-7] = 1e-7",
                "    result = -np.log(table).mean(axis=1)",
                "    table[:] = 0",
                "    return result",
            )
        ),
        FULL,
    ),
    "used-before-it-is-there": Case(
        _written(
            lambda released: with_cell(
                filled(released, rising="rising = (low, 2)"), "low = 1", position=len(released.cells)
            )
        ),
        FULL,
    ),
    "imports-what-it-wrote": Case(
        _written(
            lambda released: with_cell(
                with_cell(filled(released), "from mine import loss\nloss(0.5)"), "%%writefile mine.py\nloss = abs"
            )
        ),
        FULL,
    ),
    "starts-a-task": Case(
        _answers(rising="import asyncio\ntask = asyncio.create_task(asyncio.sleep(0))\nrising = (1, 2)"), FULL
    ),
    "asks-for-a-descriptor": Case(
        _answers(rising="import faulthandler, sys\nfaulthandler.enable()\nsys.stderr.fileno()\nrising = (1, 2)"), FULL
    ),
    "half-a-character": Case(_extra(r"print('half: \ud83d')"), FULL),
    "half-a-character-in-the-text": Case(_changed(_half_characters), FULL),
    "prints-and-shows": Case(
        _answers(
            row_losses=_lines(
                "def row_losses(table):",
                "    print(table)",
                "    display(table)",
                "    return -np.log(np.maximum(table, 1e-7)).mean(axis=1)",
            )
        ),
        FULL,
    ),
    "waits-for-a-coroutine": Case(
        _extra(
            _lines(
                "import asyncio",
                "await asyncio.sleep(0.01)",
                "%timeit -n1 -r1 1 + 1",
            )
        ),
        FULL,
    ),
}

"""The bands that a lesson checks while it runs, and the values that came out.

A band is an `assert` without a message: a lesson's claim about what it has just computed. (One with a message is a
guard against the learner's own changes.) While a lesson is built, `watch` runs inside its kernel and writes down what
stood on both sides of every comparison.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nbformat import NotebookNode

from tools.lessons import ROOT, numbered, tags

_RECORD = "_record_band"  # the name under which a cell finds the recorder


@dataclass(frozen=True)
class Check:
    """One condition of a band.

    Attributes
    ----------
    text : as the lesson has it.
    operands : what is compared and is no constant: its text, and the expression that gives its values.
    """

    text: str
    operands: tuple[tuple[str, ast.expr], ...]


def checks(test: ast.expr) -> list[Check]:
    """What an assert's test demands, one by one."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return [check for part in test.values for check in checks(part)]
    return [Check(ast.unparse(test), tuple((ast.unparse(each), each) for each in _operands(test)))]


def _operands(test: ast.expr) -> Iterator[ast.expr]:
    """What the comparison in a condition compares; where it is made many times, the list of what it compared."""
    match test:
        case ast.Compare(left=left, comparators=comparators):
            yield from (each for each in (left, *comparators) if not _is_constant(each))
        case ast.Call(func=ast.Attribute(value=value, attr="all" | "any")):
            yield from _operands(value)
        case ast.Call(func=ast.Name(id="all" | "any"), args=[ast.GeneratorExp(elt=element, generators=generators)]):
            yield from (ast.ListComp(elt=each, generators=generators) for each in _operands(element))
        case ast.Call(func=ast.Attribute(attr="allclose"), args=[one, other, *_]):
            difference = f"np.abs({ast.unparse(ast.BinOp(one, ast.Sub(), other))}).max()"
            yield ast.parse(difference, mode="eval").body
        case ast.BoolOp(values=parts):
            yield from (operand for part in parts for operand in _operands(part))


def _is_constant(expression: ast.expr) -> bool:
    return not any(isinstance(node, ast.Name | ast.Call) for node in ast.walk(expression))


def bands(source: str) -> list[ast.Assert]:
    """The bands in a cell's code, in its order; none in what is not Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Assert) and node.msg is None]
    return sorted(found, key=lambda node: node.lineno)


def banded(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells of a lesson that check bands; what learners write is none of them."""
    theirs = {"exercise", "solution"}
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and not theirs & set(tags(cell))]
    return [cell for cell in code if bands(cell.source)]


def watching(notebook: NotebookNode, record: Path) -> str:
    """The line of Python by which a kernel begins to watch a lesson's bands; see `watch`."""
    number = numbered(notebook)
    over = {str(number[cell.id]): cell.metadata.get("over", "") for cell in banded(notebook)}
    return (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools.bands import watch; sys.path.pop(0);"
        f" watch(get_ipython(), {over!r}, {str(record)!r}); del sys, watch"
    )


def read(record: Path) -> list[dict[str, Any]]:
    """What `watch` has written; nothing where a lesson checks no bands."""
    return list(json.loads(record.read_text(encoding="utf-8"))) if record.exists() else []


# In the kernel ------------------------------------------------------------------------------------------------------


def watch(shell: Any, over: dict[str, str], path: str) -> None:
    """From now on write down what a kernel's cells check.

    Parameters
    ----------
    shell : IPython's.
    over : by the cells' numbers, what their bands were measured over: text with expressions in braces, which are
        evaluated when the cell has run.
    path : of the JSON file, written anew after each banded cell: a list of cells, each with its number, `over`, and the
        conditions with the values that came out.
    """
    book: list[dict[str, Any]] = []
    seen: dict[tuple[str, str], list[Any]] = {}
    texts: list[str] = []

    def record(number: int, values: tuple[Any, ...], names: tuple[str, ...]) -> None:
        for name, value in zip(names, values, strict=True):
            seen.setdefault((texts[number], name), []).append(value)
        seen.setdefault((texts[number], ""), [])

    class Recorder(ast.NodeTransformer):
        """Let each band tell what it compared, once it has held."""

        def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
            told: list[ast.stmt] = [node]
            for check in checks(node.test) if node.msg is None else ():
                texts.append(check.text)
                call = ast.Call(
                    ast.Name(_RECORD, ast.Load()),
                    [
                        ast.Constant(len(texts) - 1),
                        ast.Tuple([expression for _, expression in check.operands], ast.Load()),
                        ast.Tuple([ast.Constant(name) for name, _ in check.operands], ast.Load()),
                    ],
                    [],
                )
                told.append(ast.copy_location(ast.Expr(call), node))
            return [ast.fix_missing_locations(each) for each in told]

    def begin(_: Any) -> None:
        seen.clear()

    def end(result: Any) -> None:
        number = str(result.execution_count)
        if number not in over:
            return
        said = eval(f"f{over[number]!r}", shell.user_ns)
        conditions: dict[str, dict[str, str]] = {}
        for (text, name), values in seen.items():
            conditions.setdefault(text, {})
            if name:
                conditions[text][name] = summary(values)
        book.append({"cell": int(number), "over": said, "checks": conditions})
        Path(path).write_text(json.dumps(book), encoding="utf-8")

    shell.user_ns_hidden[_RECORD] = shell.user_ns[_RECORD] = record
    shell.ast_transformers.append(Recorder())
    shell.events.register("pre_run_cell", begin)
    shell.events.register("post_run_cell", end)


def summary(values: list[Any]) -> str:
    """Say what values came out, in four digits: one number, or the least and the greatest of several."""
    numbers = np.concatenate([np.ravel(np.asarray(value)) for value in values])
    if numbers.dtype.kind not in "fiub":
        return ""
    least, greatest = numbers.min(), numbers.max()
    if least == greatest:
        return _shown(least) if len(numbers) == 1 else f"{_shown(least)} ({len(numbers):,} times)"
    return f"{_shown(least)} to {_shown(greatest)} ({len(numbers):,} values)"


def _shown(number: Any) -> str:
    if isinstance(number, np.bool_):
        return str(bool(number))
    return f"{int(number):,}" if isinstance(number, np.integer) else f"{number + 0.0:.4g}"  # -0.0 + 0.0 is 0.0

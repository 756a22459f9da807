"""The rules of a lesson that a machine can check: its parts, its cells, its prose.

    python -m tools.lint_lessons          every lesson
    python -m tools.lint_lessons 01       one

A rule is a function that takes a lesson and yields problems; a new rule joins `RULES`.
"""

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.bands import banded
from tools.claims import ELSEWHERE, claims
from tools.lessons import deciding, lesson_paths, notebook_path, parse_lesson, read_lesson, tags

HEADINGS = (
    "The question",
    "Commit",
    "Look",
    "Compute and explain",
    "Your turn",
    "Quiz",
    "Verdicts",
    "Take away",
)
LEAST_OF_TAG = {"commit": 1, "explorer": 1, "exercise": 3, "transfer": 1, "quiz": 4}
KNOWN_TAGS = {*LEAST_OF_TAG, "solution", "nbval-check-output", "own-output"}
# What `lesson` offers, and the tag of the cells that call it.
TAG_OF_CALL = {"commit": "commit", "explorer": "explorer", "quiz": "quiz"}

LONGEST_CELL = 12  # lines that hold code
LONGEST_EXERCISE = 16
WIDEST_LINE = 120  # characters
LONGEST_SENTENCE = 40  # words
LONGEST_PARAGRAPH = 120

BANNED_WORDS = ("simply", "just", "obviously", "of course", "clearly")
BRITISH = {
    "analyze": "analyse",
    "analyzed": "analysed",
    "analyzing": "analysing",
    "behavior": "behaviour",
    "behaviors": "behaviours",
    "catalog": "catalogue",
    "center": "centre",
    "centered": "centred",
    "centers": "centres",
    "color": "colour",
    "colored": "coloured",
    "colors": "colours",
    "favor": "favour",
    "favorite": "favourite",
    "fulfill": "fulfil",
    "generalization": "generalisation",
    "generalize": "generalise",
    "generalizes": "generalises",
    "gray": "grey",
    "initialization": "initialisation",
    "initialize": "initialise",
    "initialized": "initialised",
    "judgment": "judgement",
    "labeled": "labelled",
    "labeling": "labelling",
    "maximize": "maximise",
    "maximizes": "maximises",
    "memorize": "memorise",
    "memorizes": "memorises",
    "minimize": "minimise",
    "minimized": "minimised",
    "minimizes": "minimises",
    "modeled": "modelled",
    "modeling": "modelling",
    "neighbor": "neighbour",
    "neighbors": "neighbours",
    "normalize": "normalise",
    "normalized": "normalised",
    "optimization": "optimisation",
    "optimize": "optimise",
    "optimized": "optimised",
    "optimizes": "optimises",
    "optimizing": "optimising",
    "organize": "organise",
    "recognize": "recognise",
    "regularization": "regularisation",
    "standardize": "standardise",
    "standardized": "standardised",
    "summarize": "summarise",
    "visualize": "visualise",
}


@dataclass(frozen=True)
class Lesson:
    """A lesson as the rules see it: its cells, and the words and numbers that its built notebook shows."""

    name: str
    cells: Sequence[NotebookNode]
    outputs: Sequence[str] = field(default=())

    @property
    def is_guide(self) -> bool:
        """Whether this is lesson 00, which guides and has none of a lesson's parts."""
        return self.name.startswith("00")

    @property
    def code(self) -> list[NotebookNode]:
        """The code cells in order."""
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def prose(self) -> list[NotebookNode]:
        """The cells of text in order."""
        return [cell for cell in self.cells if cell.cell_type == "markdown"]

    def tagged(self, tag: str) -> list[NotebookNode]:
        """The cells that carry a tag."""
        return [cell for cell in self.cells if tag in tags(cell)]


def open_lesson(path: Path) -> Lesson:
    """A lesson's source together with the outputs of its built notebook, if there is one."""
    built = notebook_path(path)
    outputs: list[str] = []
    if built.exists():
        for cell in nbformat.read(built, as_version=4).cells:
            outputs += output_texts(cell)
    return Lesson(path.stem, read_lesson(path).cells, outputs)


def lesson_of_text(text: str, *, name: str = "99_example", outputs: Sequence[str] = ()) -> Lesson:
    """A lesson from its source's text."""
    return Lesson(name, parse_lesson(text, stem=name).cells, outputs)


def output_texts(cell: NotebookNode) -> Iterator[str]:
    """Every stored output of a cell that can be read as text."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            yield output.text
        for kind, text in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield text


# What a cell's code says -------------------------------------------------------------------------------------------


def syntax(cell: NotebookNode) -> ast.Module:
    """The cell's code as a tree; a cell that is not Python (or a magic) has an empty one, and its own problem."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def lesson_calls(cell: NotebookNode, method: str) -> list[ast.Call]:
    """The calls of `lesson.method(...)` in a cell."""
    return [
        node
        for node in ast.walk(syntax(cell))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "lesson"
    ]


def called_names(cell: NotebookNode, method: str) -> list[str]:
    """The first arguments, where they are literal texts, of the calls of `lesson.method(...)`."""
    firsts = [call.args[0] for call in lesson_calls(cell, method) if call.args]
    return [first.value for first in firsts if isinstance(first, ast.Constant) and isinstance(first.value, str)]


def bound_names(cell: NotebookNode) -> set[str]:
    """The names that a cell leaves behind for later cells: definitions, assignments and imports at its top level."""
    names: set[str] = set()
    waiting: list[ast.AST] = [*syntax(cell).body]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names.update((alias.asname or alias.name).split(".")[0] for alias in aliases)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp() | ast.Lambda():
                pass  # these bind names of their own only
            case _:
                waiting += ast.iter_child_nodes(node)
    return names


def used_names(cell: NotebookNode) -> set[str]:
    """The names that a cell reads anywhere, inside its functions too."""
    return {node.id for node in ast.walk(syntax(cell)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def code_lines(cell: NotebookNode) -> int:
    """The lines of a cell that are neither blank nor a comment."""
    lines = [line.strip() for line in cell.source.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


# What a cell's prose says ------------------------------------------------------------------------------------------

CODE = re.compile(r"```.*?```|~~~.*?~~~|(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)|<!--.*?-->", re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\](\([^)]*\)|\[[^\]]*\])|<https?://[^>]*>|https?://\S+")
MATHEMATICS = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
HTML_TAG = re.compile(r"</?[a-zA-Z][^>]*>")


def without_code(text: str) -> str:
    """Markdown without code, links and HTML tags: what an author says, and its mathematics."""
    for pattern, replacement in ((CODE, "code"), (LINK, "link"), (HTML_TAG, " ")):
        text = pattern.sub(replacement, text)
    return text


def words_of(text: str) -> str:
    """What an author says without its mathematics: where words, not numbers, are looked for."""
    return MATHEMATICS.sub("formula", without_code(text))


def paragraphs(text: str) -> list[str]:
    """Paragraphs and list items of Markdown; headings and tables are none."""
    lines = []
    for line in words_of(text).splitlines():
        line = line.strip().lstrip("> ")
        if line.startswith(("#", "|")):
            line = ""
        lines.append(re.sub(r"^([-*+]|\d+\.)\s+", "\n", line))
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", "\n".join(lines)) if part.strip()]


def sentences(paragraph: str) -> list[str]:
    """A paragraph's sentences."""
    return re.split(r"(?<=[.?:;])[\"')*_]*\s+", paragraph)


NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?"
STATED = re.compile(r"(?<![\w.])(?:([0-9]+(?:\.[0-9]+)?)(?:\s|\\,)?\\?%|([0-9]+\.[0-9]+))(?![\w]|\.[0-9])")
SHOWN = re.compile(rf"({NUMBER})(\s?%)?")
GROUPED = re.compile(r"(?<![\d.])\d{1,3}(?:[,_]\d{3})+(?!\d)")


def shown_numbers(texts: Sequence[str]) -> set[float]:
    """Every number in some texts; a percentage counts as its fraction too."""
    numbers: set[float] = set()
    for text in texts:
        ungrouped = GROUPED.sub(lambda match: re.sub("[,_]", "", match[0]), text)
        for number, percent in SHOWN.findall(ungrouped):
            numbers.add(float(number))
            if percent:
                numbers.add(round(float(number) / 100, 12))
    return numbers


# The rules ---------------------------------------------------------------------------------------------------------

Rule = Callable[[Lesson], Iterator[str]]


def code_is_python(lesson: Lesson) -> Iterator[str]:
    """Every code cell is Python alone: no magics, which neither ruff nor these rules can read."""
    for cell in lesson.code:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            yield f"{cell.id} is not Python: {error.msg} in line {error.lineno}; magics have no place in a lesson"


def tags_are_known(lesson: Lesson) -> Iterator[str]:
    """Only the tags that the build, the tests and nbval know."""
    for cell in lesson.cells:
        for tag in tags(cell):
            if tag not in KNOWN_TAGS:
                yield f"{cell.id} has the unknown tag {tag!r}; known tags: {', '.join(sorted(KNOWN_TAGS))}"
        if "transfer" in tags(cell) and "exercise" not in tags(cell):
            yield f"{cell.id} is tagged transfer, which marks an exercise; tag it exercise too"


def title_comes_first(lesson: Lesson) -> Iterator[str]:
    """One title, at the top."""
    first = lesson.cells[0] if lesson.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "the first cell must be text that begins with the title (# ...)"
    titles = [cell.id for cell in lesson.prose for level, _ in headings(cell) if level == 1]
    if len(titles) > 1:
        yield f"{titles[1]} has a second title (# ...); a lesson has one"


def headings(cell: NotebookNode) -> list[tuple[int, str]]:
    """Level and text of each heading in a cell."""
    text = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
    return [(len(marks), title.strip()) for marks, title in re.findall(r"^(#{1,6}) +(.+)$", text, re.MULTILINE)]


def parts_are_in_order(lesson: Lesson) -> Iterator[str]:
    """The eight parts of a lesson's rhythm, each a heading of the second level."""
    if lesson.is_guide:
        return
    found = [title for cell in lesson.prose for level, title in headings(cell) if level == 2]
    if found != list(HEADINGS):
        yield f"the headings of level 2 must be {', '.join(HEADINGS)}, in this order; got {', '.join(found) or 'none'}"


def parts_are_enough(lesson: Lesson) -> Iterator[str]:
    """A guess, a thing to play with, exercises, a transfer task, questions."""
    if lesson.is_guide:
        return
    for tag, least in LEAST_OF_TAG.items():
        found = len(lesson.tagged(tag))
        if found < least:
            yield f"a lesson has at least {least} cell{'s' * (least > 1)} tagged {tag}; got {found}"


def calls_match_tags(lesson: Lesson) -> Iterator[str]:
    """A cell tagged `quiz` asks one question, and a cell that asks one is tagged; `commit`, `explorer` likewise."""
    for cell in lesson.code:
        for method, tag in TAG_OF_CALL.items():
            calls = len(lesson_calls(cell, method))
            if tag in tags(cell) and calls != 1:
                yield f"{cell.id} is tagged {tag} and must call lesson.{method}(...) once; it does {calls} times"
            elif calls and tag not in tags(cell):
                yield f"{cell.id} calls lesson.{method}(...); tag it {tag}"
        if called_names(cell, "check") and not {"exercise", "solution"} & {*tags(cell)}:
            yield f"{cell.id} calls lesson.check(...); tag it exercise or solution"


def names_are_used_once(lesson: Lesson) -> Iterator[str]:
    """No question, guess or exercise appears twice."""
    for method, tag in (("quiz", "quiz"), ("commit", "commit"), ("check", "exercise")):
        seen: set[str] = set()
        for cell in lesson.tagged(tag):
            for name in called_names(cell, method):
                if name in seen:
                    yield f"{cell.id} has lesson.{method}({name!r}) a second time"
                seen.add(name)


def guesses_are_returned_to(lesson: Lesson) -> Iterator[str]:
    """A guess that the learner committed to is recalled later."""
    for number, cell in enumerate(lesson.cells):
        if cell.cell_type != "code":
            continue
        later = {name for other in lesson.cells[number + 1 :] for name in recalled(other)}
        for name in called_names(cell, "commit"):
            if name not in later:
                yield f"{cell.id} asks for the guess {name!r}, and no later cell calls lesson.recall({name!r})"


def recalled(cell: NotebookNode) -> list[str]:
    """The guesses that a cell returns to."""
    return called_names(cell, "recall") if cell.cell_type == "code" else []


def exercises_are_checked_and_solved(lesson: Lesson) -> Iterator[str]:
    """An exercise calls `lesson.check("name", ...)`; a later solution defines `name_solution` and checks it too.

    What the check says of a solution is compared when the notebook is tested.
    """
    for cell in lesson.tagged("solution"):
        if "nbval-check-output" not in tags(cell):
            yield f"{cell.id} is a solution; tag it nbval-check-output too, so that each test sees it pass"
    for number, cell in enumerate(lesson.cells):
        if "exercise" not in tags(cell):
            continue
        names = called_names(cell, "check")
        if len(names) != 1:
            yield f'{cell.id} is tagged exercise and must call lesson.check("name", ...) once, not {len(names)} times'
        later = [other for other in lesson.cells[number + 1 :] if "solution" in tags(other)]
        for name in names:
            solution = next((other for other in later if f"{name}_solution" in bound_names(other)), None)
            if solution is None:
                yield f"{cell.id} asks for {name}, and no later cell tagged solution defines {name}_solution"
            elif name not in called_names(solution, "check"):
                yield f'{solution.id} defines {name}_solution and must show that it passes: lesson.check("{name}", ...)'


def exercises_stand_alone(lesson: Lesson) -> Iterator[str]:
    """No later cell uses what an exercise cell defines: a learner who leaves it blank can still go on."""
    waiting: dict[str, str] = {}
    for cell in lesson.code:
        if "exercise" in tags(cell):
            waiting |= dict.fromkeys(bound_names(cell), cell.id)
            continue
        for name in sorted((used_names(cell) - bound_names(cell)) & waiting.keys()):
            yield f"{cell.id} uses {name}, which the exercise {waiting[name]} defines; define it in a cell of its own"
        for name in bound_names(cell):
            waiting.pop(name, None)


def cells_are_short(lesson: Lesson) -> Iterator[str]:
    """A cell is read before it is run."""
    for cell in lesson.code:
        longest = LONGEST_EXERCISE if {"exercise", "solution"} & {*tags(cell)} else LONGEST_CELL
        if code_lines(cell) > longest:
            yield f"{cell.id} has {code_lines(cell)} lines of code; at most {longest}: split it or move plumbing out"


def lines_are_narrow(lesson: Lesson) -> Iterator[str]:
    """Code is read without scrolling sideways; prose wraps by itself."""
    for cell in lesson.code:
        for number, line in enumerate(cell.source.splitlines(), start=1):
            if len(line) > WIDEST_LINE:
                yield f"{cell.id} has {len(line)} characters in line {number}; at most {WIDEST_LINE}"


def no_line_begins_a_list_by_chance(lesson: Lesson) -> Iterator[str]:
    """Whatever wraps to `- slope` or `2019.` is rendered as an item of a list, code and mathematics too."""
    for cell in lesson.prose:
        before = ""
        for line in re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL).splitlines():
            begins = re.match(r"\s*(?:[-+*]|\d+[.)])(?= |$)", line)
            inside = before.count("`") % 2 or before.count("$") % 2
            if begins and (inside or re.match(r"\s*\d{3}", line)):
                yield f"{cell.id} has a line that begins with {begins[0].strip()}, as an item of a list would; wrap it"
            before = before + line if line.strip() else ""


def keras_is_quiet(lesson: Lesson) -> Iterator[str]:
    """TensorFlow talks on stderr while it is imported, except from the package's `training`, which comes first."""
    quiet = False
    for cell in lesson.code:
        for node in ast.walk(syntax(cell)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lossacc_helpers"):
                quiet = (
                    quiet or "training" in (node.module or "") or any(name.name == "training" for name in node.names)
                )
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if not quiet and any(module.split(".")[0] in {"keras", "tensorflow"} for module in modules):
                yield f"{cell.id} imports Keras or TensorFlow; run `from lossacc_helpers import training` before it"


def words_are_not_banned(lesson: Lesson) -> Iterator[str]:
    """What is obvious need not be said, and what is not is not made so by the word."""
    banned = re.compile(rf"\b({'|'.join(BANNED_WORDS)})\b", re.IGNORECASE)
    for cell in lesson.prose:
        for word in banned.findall(words_of(cell.source)):
            yield f"{cell.id} says {word!r}; leave it out"
        if "!" in words_of(cell.source):
            yield f"{cell.id} has an exclamation mark; end the sentence quietly"


def spelling_is_british(lesson: Lesson) -> Iterator[str]:
    """One spelling; code and the titles of links keep theirs."""
    for cell in lesson.prose:
        for word in re.findall(r"[a-z]+", words_of(cell.source).lower()):
            if word in BRITISH:
                yield f"{cell.id} spells {word!r}; write {BRITISH[word]!r}"


def sentences_are_short(lesson: Lesson) -> Iterator[str]:
    """One idea a sentence, one subject a paragraph."""
    for cell in lesson.prose:
        for paragraph in paragraphs(cell.source):
            if len(paragraph.split()) > LONGEST_PARAGRAPH:
                yield f"{cell.id} has a paragraph of {len(paragraph.split())} words; at most {LONGEST_PARAGRAPH}"
            for sentence in sentences(paragraph):
                words = sentence.split()
                if len(words) > LONGEST_SENTENCE:
                    begin = " ".join(words[:6])
                    yield f"{cell.id} has a sentence of {len(words)} words ({begin} ...); at most {LONGEST_SENTENCE}"


def numbers_are_computed(lesson: Lesson) -> Iterator[str]:
    """The prose states no decimal and no percentage that a cell does not hold or show.

    A decimal must appear as it is stated, up to trailing zeros; 20% may appear as 20%, 20 % or 0.2. What is a name
    and not a result (a version) belongs in a code span, where it is not looked for.
    """
    shown = shown_numbers([*lesson.outputs, *(cell.source for cell in lesson.code)])
    for cell in lesson.prose:
        for percentage, decimal in STATED.findall(without_code(cell.source)):
            if percentage and round(float(percentage) / 100, 12) not in shown:
                yield f"{cell.id} states {percentage}%, which no cell holds or shows; compute and print it"
            if decimal and float(decimal) not in shown:
                yield f"{cell.id} states {decimal}, which no cell holds or shows; compute and print it"


NOT_DECIDING = {"commit", "explorer", "exercise", "solution", "quiz"}


def verdicts_have_deciding_cells(lesson: Lesson) -> Iterator[str]:
    """Each verdict names what decides it, in the words of a cell's `decides`; and no cell decides what is not asked."""
    notebook = NotebookNode(cells=lesson.cells)
    place, used = deciding(notebook), set[str]()
    for claim in claims(notebook):
        if not claim.decided_by:
            yield f"nothing decides the claim {claim.claim!r}"
        for words in claim.decided_by:
            used.add(words)
            if other := ELSEWHERE.fullmatch(words):
                [path] = lesson_paths([other[1]])
                if other[2] not in deciding(read_lesson(path)):
                    yield f"no cell of lesson {other[1]} has decides={other[2]!r}"
            elif words not in place:
                yield f"the claim {claim.claim!r} is decided by {words!r}, and no cell has decides={words!r}"
        elsewhere = any(ELSEWHERE.fullmatch(words) for words in claim.decided_by)
        if claim.decided_by and not elsewhere and not any(_is_checked(cell, claim.decided_by) for cell in lesson.code):
            yield f"no cell that decides {claim.claim!r} checks what came out: a band, or the tag nbval-check-output"
    for words in sorted(set(place) - used - _decided_elsewhere(lesson.name)):
        yield f"a cell has decides={words!r}, and no verdict refers to it"
    for cell in lesson.cells:
        if "decides" in cell.metadata and (cell.cell_type != "code" or NOT_DECIDING & {*tags(cell)}):
            yield f"{cell.id} decides a claim and must be a code cell that computes"


def _is_checked(cell: NotebookNode, words: Sequence[str]) -> bool:
    """Whether a cell is meant by some words of a verdict, and fails where its outcome is another one."""
    meant = {each.strip() for each in cell.metadata.get("decides", "").split(";")} & {*words}
    return bool(meant) and ("nbval-check-output" in tags(cell) or bool(re.search(r"\bassert(_\w+)?\b", cell.source)))


def _decided_elsewhere(name: str) -> set[str]:
    """The words with which other lessons refer to cells of this one."""
    found: set[str] = set()
    for path in lesson_paths():
        if path.stem != name:
            found |= _references(path, path.stat().st_mtime_ns).get(name[:2], set())
    return found


@cache
def _references(path: Path, changed: int) -> dict[str, set[str]]:
    """The words with which a lesson, last changed at that time, refers to cells of others, by their numbers."""
    found: dict[str, set[str]] = {}
    for claim in claims(read_lesson(path)):
        for words in claim.decided_by:
            if other := ELSEWHERE.fullmatch(words):
                found.setdefault(other[1], set()).add(other[2])
    return found


def bands_say_over_what(lesson: Lesson) -> Iterator[str]:
    """A cell that checks a band says over how many networks, seeds or samples, in numbers that are computed."""
    checking = {cell.id for cell in banded(NotebookNode(cells=lesson.cells))}
    for cell in lesson.code:
        over = cell.metadata.get("over", "")
        if cell.id in checking and not over:
            yield f'{cell.id} checks a band; say over what it was measured: over="{{run.replicas}} networks"'
        if over and cell.id not in checking:
            yield f"{cell.id} says over={over!r} and checks no band"
        if re.search(r"[0-9]", re.sub(r"\{[^}]*\}", "", over)):
            yield f"{cell.id} has a number in over={over!r} that is not computed; put an expression into braces"


RULES: tuple[Rule, ...] = (
    code_is_python,
    tags_are_known,
    title_comes_first,
    parts_are_in_order,
    parts_are_enough,
    calls_match_tags,
    names_are_used_once,
    guesses_are_returned_to,
    exercises_are_checked_and_solved,
    exercises_stand_alone,
    cells_are_short,
    lines_are_narrow,
    no_line_begins_a_list_by_chance,
    keras_is_quiet,
    words_are_not_banned,
    spelling_is_british,
    sentences_are_short,
    numbers_are_computed,
    verdicts_have_deciding_cells,
    bands_say_over_what,
)


def problems(lesson: Lesson) -> list[str]:
    """What the rules find in a lesson, each with the lesson's name and the rule's."""
    return [f"{lesson.name}: {problem} [{rule.__name__}]" for rule in RULES for problem in rule(lesson)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what the rules find in the lessons named on the command line; 1 if they find anything."""
    parser = argparse.ArgumentParser(prog="python -m tools.lint_lessons", description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="the beginnings of lessons' names, such as 01; all if none is given")
    options = parser.parse_args(arguments)
    try:
        found = [problem for path in lesson_paths(options.lessons) for problem in problems(open_lesson(path))]
    except ValueError as error:
        parser.error(str(error))
    print("\n".join(found) or "The lessons keep every rule.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

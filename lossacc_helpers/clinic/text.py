"""Reads text that a training printed: progress lines of every age, lines of names and values, with whatever else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lossacc_helpers.clinic.names import Name, understand

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_NEW_LINE = re.compile(r"[\r\n\x08\x0b\x0c\x85\u2028\u2029]+")  # a bar that is drawn again begins a new line
_NUMBER = r"[-+]?(?:\d+(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_VALUE = (
    rf"(?P<value>{_NUMBER}|[-+]?(?:nan|inf(?:inity)?)\b)"
    rf"(?:\s*/\s*(?P<of>\d+))?\s*(?:\(\s*(?P<share>{_NUMBER})\s*%\s*\))?\s*(?P<percent>%)?"
)
_WORD = r"[A-Za-z_][\w@./\-]*"
_NAME = rf"(?P<name>{_WORD}(?:[ \t]+\(?{_WORD}\)?){{0,3}}?)"
_PAIR = re.compile(rf"{_NAME}\s*[\"']?\s*[:=]+\s*[\"'(\[]?\s*{_VALUE}", re.IGNORECASE)
_LOOSE = re.compile(rf"{_NAME}[ \t]+{_VALUE}", re.IGNORECASE)
_EPOCH = re.compile(r"\bepochs?\b[\s\]:#=(\[]*(?:no\.?\s*)?(?P<number>\d+)", re.IGNORECASE)
_PROGRESS = re.compile(r"(?:^|[\s|:])(?P<done>\d+)/(?P<all>\d+)(?=\s|\[|$)")
_SPLIT = re.compile(
    r"(?:^|[\s|(\[{,;>\-])(?P<word>train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?|eval(?:uation)?|dev)\b(?=[\s:.\-|)\]]|$)",
    re.IGNORECASE,
)
_NOT_TRAINING = re.compile(r"val|test|eval|dev", re.IGNORECASE)
# A line without any of these names neither a loss nor an accuracy.
_HINT = re.compile(r"loss|acc|cost|nll|xent|entropy|objective|top|prec|ce(?![a-z])", re.IGNORECASE)
_LONGEST = 20_000  # characters of a line; what is longer is no log line


@dataclass
class Record:
    """What was printed of one epoch: by plain name and whether of validation data, the last value."""

    number: int | None = None
    values: dict[tuple[Name, bool], float] = field(default_factory=dict)
    steps: int | None = None  # of the last bar that was full


@dataclass
class Found:
    """What was found: trainings of records, what came after the last epoch, and lines without a word for us.

    Epochs are numbered by what was read, or by rows and lists; else a text leaves them to be counted.
    """

    trainings: list[list[Record]]
    after: dict[str, float]
    skipped: int
    numbered: bool


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines of a text as they would have been seen one after the other, without colours and cursor moves."""
    for line in _NEW_LINE.split(_ANSI.sub("", text)):
        if stripped := line.strip():
            yield stripped[:_LONGEST]


def read_text(text: str) -> Found:
    """Return the records of a text; there may be none."""
    found = Found([[]], {}, 0, False)
    current = Record()

    def finish() -> None:
        nonlocal current
        if current.values:
            found.trainings[-1].append(current)
        current = Record()

    for line in lines_of(text):
        header = _EPOCH.search(line)
        pairs = _pairs_of(line)
        if header is not None:
            number = int(header["number"])
            found.numbered = True
            if current.number != number and (current.number is not None or current.values):
                finish()
            done = found.trainings[-1]
            if done and done[-1].number is not None and number <= done[-1].number and current.number is None:
                if number == done[-1].number:
                    current = done.pop()  # more about the epoch before
                else:
                    found.trainings.append([])
            current.number = number
        if not pairs:
            found.skipped += header is None
            continue
        bar = _PROGRESS.search(line)
        steps = int(bar["all"]) if bar is not None and header is None else None
        if _came_after(current, pairs, steps, header is not None, found):
            found.after.update({_named(name, validation): value for (name, validation), value in pairs.items()})
            continue
        if not found.numbered and steps is None and set(pairs) & set(current.values):
            finish()  # the same names again, and nothing is numbered: the next epoch
        current.values.update(pairs)
        if bar is not None and steps is not None and bar["done"] == bar["all"]:
            current.steps = steps
    finish()
    return found


def _came_after(
    current: Record, pairs: dict[tuple[Name, bool], float], steps: int | None, headed: bool, found: Found
) -> bool:
    """Whether a line is of an evaluation after the training: a bar of another length, or a test where there was one."""
    if headed or not (found.trainings[-1] or current.values):
        return False
    known = {name.quantity is not None and validation for name, validation in current.values}
    if steps is not None and current.steps is not None and steps != current.steps:
        return not any(validation for _, validation in pairs) and True in known
    repeated = set(pairs) & set(current.values)
    return found.numbered and steps is None and bool(repeated) and all(validation for _, validation in pairs)


def _named(name: Name, validation: bool) -> str:
    return f"validation {name.plain}" if validation else name.plain


def _pairs_of(line: str) -> dict[tuple[Name, bool], float]:
    """Return what a line says of losses, accuracies and other metrics, if it says anything of the first two."""
    if _HINT.search(line) is None:
        return {}
    for pattern in (_PAIR, _LOOSE):
        pairs: dict[tuple[Name, bool], float] = {}
        context: bool | None = None
        end, told = 0, False
        for match in pattern.finditer(line):
            before = _SPLIT.findall(line[end : match.end("name")])
            if before:
                context = _NOT_TRAINING.match(before[-1]) is not None
            end = match.end()
            name = understand(match["name"])
            if not name.plain or name.plain in ("epoch", "epochs", "eta", "step", "steps", "iter", "iteration", "time"):
                continue
            validation = name.validation or (bool(context) and not name.trained)
            pairs[name.alone, validation] = _number(match, name)
            told = told or name.quantity is not None
        if told:
            return pairs
    return {}


def _number(match: re.Match[str], name: Name) -> float:
    text = match["value"].replace(",", "").lower()
    value = float(text)
    if match["of"] is not None and name.quantity != "loss" and float(match["of"]) > 0:
        return value / float(match["of"])  # 9820/10000 (98%)
    if match["share"] is not None and name.quantity != "loss":
        return float(match["share"]) / 100
    return value / 100 if match["percent"] else value

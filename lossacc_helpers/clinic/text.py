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
    rf"(?:[ \t]*\(\s*(?P<mean>{_NUMBER})\s*\))?"
)
_WORD = r"[A-Za-z_][\w@./\-]{0,60}"  # bounded, as every repetition here: a line may be made to take for ever
_NAME = rf"(?P<name>{_WORD}(?:[ \t]{{1,8}}\(?{_WORD}\)?){{0,3}}?)"
_PAIR = re.compile(rf"{_NAME}\s{{0,8}}[\"']?\s{{0,8}}[:=]{{1,3}}\s{{0,8}}[\"'(\[]?\s{{0,8}}{_VALUE}", re.IGNORECASE)
_LOOSE = re.compile(rf"{_NAME}[ \t]{{1,8}}{_VALUE}", re.IGNORECASE)
_EPOCH = re.compile(
    r"(?:\bepochs?\b(?:\s?\((?:train|val|test|eval)\w{0,9}\))?[\s\]:#=('\"\[]{0,8}(?:no\.?\s?)?|第\s?)"
    r"(?P<number>\d{1,3}(?:,\d{3}){1,2}(?!\d)|\d{1,9}(?!\d)(?:\.\d+)?)(?:\s{0,3}/\s{0,3}(?P<all>\d+))?",
    re.IGNORECASE,
)
_ROUND = re.compile(r"^\[(?P<number>\d{1,9})\]\s(?P<all>x)?")  # XGBoost's
_AFTERWARDS = re.compile(
    r"\bearly stopping at\b|\brestor(?:e|ing|ed)\b|\bbest epoch\b|\bbaseline\b|\bload(?:ed|ing) checkpoint\b",
    re.IGNORECASE,
)
_PROGRESS = re.compile(r"(?:^|[\s|:])(?P<done>\d+)/(?P<all>\d+)(?=\s|\[|$)")
_SPLIT = re.compile(
    r"(?:^|[\s|(\[{,;>\-])(?:train(?:ing)?|val(?:i|id|idation|idate|idating)?|test(?:ing)?|eval(?:uation)?|dev)\b(?=[\s:.\-|)\]]|$)"
    r"|训练|验证|测试",
    re.IGNORECASE,
)
_SECTION = re.compile(
    r"^\W{0,9}(train(?:ing)?|val(?:i|id|idation|idate|idating)?|test(?:ing)?|eval(?:uation)?)"
    r"\s?(?:error|results?|set)?\s?(?:$|:)",
    re.IGNORECASE,
)
_NOT_TRAINING = re.compile(r"val|test|eval|dev|验证|测试", re.IGNORECASE)
_TEST = re.compile(r"test|测试", re.IGNORECASE)
_WRAPPED = re.compile(r"\b(?:tf\.|torch\.)?tensor\(\s*([-+.\deinfa]+)[^()]*\)", re.IGNORECASE)  # tensor(0.69, ...)
_COMMAS = re.compile(r"(?<![\d.,])(?:0,\d+|\d+,(?!\d{3}(?!\d))\d+)(?![\d.,]\d)")  # decimals, and no thousands
# A line without any of these names neither a loss nor an accuracy.
_HINT = re.compile(r"loss|acc|cost|nll|xent|entropy|objective|top|prec|ce(?![a-z])", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t]{4,}")
_LONGEST = 4_000  # characters of a line; what is longer is no log line

Pairs = dict[tuple[Name, bool], float]


@dataclass
class Record:
    """What was printed of one epoch: by plain name and whether of validation data, the last value."""

    number: int | None = None
    values: dict[tuple[Name, bool], float] = field(default_factory=dict)
    steps: int | None = None  # of the last bar that was full
    second: dict[tuple[Name, bool], float] = field(default_factory=dict)  # what a bar of another length said after it
    cut: bool = False  # its bar was never full


@dataclass
class Found:
    """What was found: trainings of records, what came after the last epoch, and lines without a word for us.

    Epochs are numbered by what was read, or by rows and lists; else a text leaves them to be counted.
    """

    trainings: list[list[Record]]
    after: dict[str, float]
    skipped: int
    numbered: bool
    notes: list[str] = field(default_factory=list)


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines of a text as they would have been seen one after the other, without colours and cursor moves."""
    for line in _NEW_LINE.split(_ANSI.sub("", text.replace("<br>", "\n"))):
        if stripped := _BLANKS.sub("   ", line[: 4 * _LONGEST]).strip():
            yield stripped[:_LONGEST]


def read_text(text: str) -> Found:
    """Return the records of a text; there may be none."""
    parser = _Parser()
    for line in lines_of(_prepared(text)):
        parser.read(line)
    return parser.settled()


_SLASHED = re.compile(rf"(\w+)\s+train\s*/\s*val\w*\s*[:=]\s*({_NUMBER})\s*/\s*({_NUMBER})", re.IGNORECASE)


def _prepared(text: str) -> str:
    """Return a text with what other languages and libraries put around numbers taken away."""
    text = text.replace("：", ": ").replace("，", ", ")
    if "tensor" in text:
        text = _WRAPPED.sub(r"\1", text)
    if "/val" in text or "/ val" in text:
        text = _SLASHED.sub(r"train \1: \2 val \1: \3", text)
    commas = _COMMAS.findall(text) if "," in text else []
    if len(commas) > 1 and len(commas) >= len(re.findall(r"\d\.\d", text)):
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    return text


class _Parser:
    """Reads a text line by line."""

    def __init__(self) -> None:
        self.found = Found([[]], {}, 0, False)
        self.current = Record()
        self.section: str | None = None  # "Validation:" on a line of its own, say
        self.looped = False  # fit was called again and again, for one epoch each

    def read(self, line: str) -> None:
        """Take in a line."""
        if _AFTERWARDS.search(line) is not None:
            self.found.skipped += 1
            return
        header, heading = _EPOCH.search(line) or _ROUND.match(line), _SECTION.match(line)
        if header is not None or heading is not None:
            self.section = heading[1] if heading is not None else None
        pairs = {} if "train_runtime" in line else _pairs_of(line, self.section)
        if header is not None:
            self._begin(-(-float(header["number"].replace(",", "")) // 1), header["all"])
        if not pairs:
            self.found.skipped += header is None and heading is None
            return
        bar = _PROGRESS.search(line) if header is None else None
        if self._came_after(pairs, bar, header is not None):
            after = {name.told(validation=of): value for (name, of), value in pairs.items()}
            self.found.after.update(after)
        elif self._is_second_bar(pairs, bar):
            self.current.second.update({(name, True): value for (name, _), value in pairs.items()})
        else:
            if not self.found.numbered and bar is None and set(pairs) & set(self.current.values):
                self._finish()  # the same names again, and nothing is numbered: the next epoch
            self.current.values.update(pairs)
            if bar is not None:
                full = bar["done"] == bar["all"]
                self.current.steps = int(bar["all"]) if full else self.current.steps
                self.current.cut = self.current.steps is None

    def _finish(self) -> None:
        if self.current.values:
            self.found.trainings[-1].append(self.current)
        self.current = Record()

    def _begin(self, given: float, total: str | None) -> None:
        """Begin an epoch, or go on with it."""
        self.found.numbered = True
        number, done = int(given), self.found.trainings[-1]
        last = self.current if self.current.number is not None else (done[-1] if done else None)
        if number == 1 and total == "1" and last is not None and last.values and last.number is not None:
            self.looped = True
            self._finish()
            self.current.number = last.number + 1
            return
        if self.looped and total is None:
            return  # "Epoch 1: val_loss improved": of the epoch that was counted on
        if self.current.number != number and (self.current.number is not None or self.current.values):
            self._finish()
        done = self.found.trainings[-1]
        if done and done[-1].number is not None and number <= done[-1].number and self.current.number is None:
            if number == done[-1].number:
                self.current = done.pop()  # more about the epoch before
            else:
                self.found.trainings.append([])
        self.current.number = number

    def _came_after(self, pairs: Pairs, bar: re.Match[str] | None, headed: bool) -> bool:
        """Whether a line is of an evaluation after the training: a test, or a pass when the epoch's own was over."""
        current = self.current
        if headed or not (self.found.trainings[-1] or current.values):
            return False
        unseen = any(validation for _, validation in pairs)
        known = any(validation and name.quantity is not None for name, validation in current.values)
        repeated = bool(set(pairs) & set(current.values))
        if bar is not None:
            over = current.steps is not None and (known or bar["done"] != bar["all"])
            return over and not unseen and (known or int(bar["all"]) == current.steps)
        if not self.found.numbered or not repeated or self.section is not None:
            return False
        return current.steps is not None or all(validation for _, validation in pairs)

    def _is_second_bar(self, pairs: Pairs, bar: re.Match[str] | None) -> bool:
        """Whether a bar of another length follows one that was full: validation, or an evaluation at the end."""
        if bar is None or self.current.steps is None or int(bar["all"]) == self.current.steps:
            return False
        return not any(validation for _, validation in pairs)

    def settled(self) -> Found:
        """Return what was found, when all is read."""
        self._finish()
        for k, records in enumerate(self.found.trainings):
            if any(record.number is not None for record in records):  # what came before is prose, or code
                records = [record for record in records if record.number is not None]
            twice = [record for record in records if record.second]
            if len(twice) >= 2 and len(twice) >= 0.6 * len(records):
                for record in twice:
                    record.values = {**record.second, **record.values}
            else:
                for record in twice:
                    self.found.after.update(
                        {name.told(validation=False): value for (name, _), value in record.second.items()}
                    )
            if len(records) > 1 and records[-1].cut and not any(record.cut for record in records[:-1]):
                records = records[:-1]
                self.found.notes.append("The last epoch is not complete, and left out.")
            self.found.trainings[k] = records
        return self.found


def _pairs_of(line: str, section: str | None = None) -> Pairs:
    """Return what a line says of losses, accuracies and other metrics, if it says anything of the first two."""
    if _HINT.search(line) is None:
        return {}
    for pattern in (_PAIR, _LOOSE):
        pairs: Pairs = {}
        context = section
        end, told = 0, False
        for match in pattern.finditer(line):
            before = _SPLIT.findall(line[end : match.end("name")])
            if before:
                context = before[-1]
            end = match.end()
            name = understand(match["name"])
            if not name.plain or name.plain in ("epoch", "epochs", "eta", "step", "steps", "iter", "iteration", "time"):
                continue
            there = context is not None and _NOT_TRAINING.search(context) is not None
            validation = name.validation or (there and not name.trained)
            alone = name.alone
            if validation and not name.validation and _TEST.search(context or "") is not None:
                alone = Name(name.quantity, False, False, f"test {name.plain}")
            pairs[alone, validation] = _number(match, name)
            told = told or name.quantity is not None
        if told:
            return pairs
    return {}


def _number(match: re.Match[str], name: Name) -> float:
    value = as_number(match["value"])
    assert value is not None  # the pattern lets nothing else through
    if match["of"] is not None and name.quantity != "loss" and float(match["of"]) > 0:
        return value / float(match["of"])  # 9820/10000 (98%)
    if match["share"] is not None and name.quantity != "loss":
        return float(match["share"]) / 100
    if match["mean"] is not None:
        value = float(match["mean"])  # of this batch (of all so far)
    return value / 100 if match["percent"] else value


def as_number(text: str) -> float | None:
    """Return the number a text writes, or None: 1,234 has a thousands separator, 0,693 and 65,1 have decimals.

    >>> as_number("1,234.5"), as_number("0,693"), as_number("65,1"), as_number("12%"), as_number("many")
    (1234.5, 0.693, 65.1, 0.12, None)
    """
    written = text.strip()
    percent = written.endswith("%")
    if percent:
        written = written[:-1].rstrip()
    if "," not in written:
        pass
    elif re.fullmatch(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", written):
        written = written.replace(",", "")
    elif re.fullmatch(r"[-+]?\d+,\d+([eE][-+]?\d+)?", written):
        written = written.replace(",", ".")
    try:
        value = float(written)
    except ValueError:
        return None
    return value / 100 if percent else value

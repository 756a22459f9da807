"""The grammar of the verses: which line may follow which, with what chance. Written for this course.

A song is couplets and refrains:

    when evening comes the piper plays beside the sea ,
    and whispers to me of the tree .
    oh tree , oh tree , carry me home .

An *opening* ends in a comma. Its *answer* speaks of the same subject and rhymes: it ends in another word of the same
family of rhymes. After an answer comes the *refrain*, which takes up its last word, or another opening, in half of the
cases about the same subject, with another rhyme. So a line depends on the line before and on nothing else, and the
chances of every next word can be computed.

A line is written here as a pattern: words, and in braces a choice, whose words are listed with their chances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

# Subjects: what they are like and what they do, the usual first.
SUBJECTS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "child": (("small", "young", "lost"), ("dances", "laughs", "hides")),
    "fox": (("sly", "red", "old"), ("runs", "hides", "waits")),
    "heron": (("grey", "tall", "still"), ("waits", "stands", "dreams")),
    "horse": (("wild", "tall", "young"), ("runs", "stands", "sleeps")),
    "owl": (("grey", "wise", "old"), ("sleeps", "calls", "waits")),
    "piper": (("old", "lame", "merry"), ("plays", "sings", "dances")),
    "sailor": (("young", "lost", "merry"), ("sings", "dreams", "drinks")),
    "wind": (("cold", "wild", "old"), ("sings", "runs", "howls")),
}
# Families of rhymes, again the usual first.
RHYMES: Sequence[Sequence[str]] = (
    ("sea", "tree", "key", "bee"),
    ("night", "light", "kite", "height"),
    ("rain", "train", "lane", "plain"),
    ("stone", "throne", "bone", "cone"),
    ("sand", "land", "hand", "band"),
    ("moon", "tune", "dune", "spoon"),
    ("day", "bay", "way", "hay"),
    ("snow", "crow", "glow", "bow"),
    ("fire", "wire", "spire", "choir"),
    ("ground", "sound", "hound", "mound"),
)
CHOICES: Mapping[str, Mapping[str, float]] = {
    "place": {"beside": 0.4, "behind": 0.2, "beyond": 0.2, "beneath": 0.1, "near": 0.1},
    "time": {"evening": 0.5, "morning": 0.3, "winter": 0.2},
    "meet": {"saw": 0.5, "heard": 0.3, "met": 0.2},
    "tell": {"sings": 0.5, "whispers": 0.3, "tells": 0.2},
}
OPENINGS: Mapping[str, float] = {
    "the {adjective} {subject} {verb} {place} the {rhyme} ,": 0.45,
    "when {time} comes the {subject} {verb} {place} the {rhyme} ,": 0.30,
    "i {meet} a {adjective} {subject} {place} the {rhyme} ,": 0.25,
}
ANSWERS: Mapping[str, float] = {
    "and the {subject} {verb} {place} the {rhyme} .": 0.40,
    "and {tell} to me of the {rhyme} .": 0.35,
    "so i follow the {subject} {place} the {rhyme} .": 0.25,
}
REFRAINS: Mapping[str, float] = {
    "oh {rhyme} , oh {rhyme} , carry me home .": 0.5,
    "oh {rhyme} , oh {rhyme} , sing me to sleep .": 0.3,
    "oh {rhyme} , oh {rhyme} , let me go .": 0.2,
}
REFRAIN = 0.35  # the chance that an answer is followed by the refrain
STAY = 0.5  # the chance that the next opening keeps to the subject of the answer, where that names one
_USUAL = {3: (0.6, 0.3, 0.1), 4: (0.4, 0.3, 0.2, 0.1)}  # chances of what is listed with the usual first

Line = tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """A pattern whose subject is settled, with the chances of its rhyme."""

    pattern: str
    subject: str | None
    rhymes: tuple[tuple[str, float], ...]

    @property
    def places(self) -> tuple[Mapping[str, float], ...]:
        """For each place of the line the chances of its words; places are independent of one another."""
        choices = {**CHOICES, "rhyme": dict(self.rhymes)}
        if self.subject is not None:
            adjectives, verbs = SUBJECTS[self.subject]
            choices |= {"subject": {self.subject: 1.0}, "adjective": _usual(adjectives), "verb": _usual(verbs)}
        listed = self.pattern.split()
        return tuple(choices[word.strip("{}")] if word.startswith("{") else {word: 1.0} for word in listed)


def words() -> tuple[str, ...]:
    """Every word that occurs in a verse, sorted."""
    patterns = " ".join((*OPENINGS, *ANSWERS, *REFRAINS)).split()
    found = {word for word in patterns if not word.startswith("{")}
    found.update(SUBJECTS, *(word for pair in SUBJECTS.values() for word in pair), *RHYMES, *CHOICES.values())
    return tuple(sorted(found))


@cache
def forms(before: Line) -> tuple[tuple[float, Form], ...]:
    """All forms of the line after this one, with chances that sum to 1; after no line, of the first line of a song.

    Raises `ValueError` for a line that no song has.
    """
    found = tuple(_forms(before))
    if not found:
        raise ValueError(f"no verse has the line {' '.join(before)!r}, so nothing is known of the line after it")
    return found


def _forms(before: Line) -> Iterator[tuple[float, Form]]:
    if not before:
        yield from _openings(1.0, None, None)
        return
    kind, subject, rhyme = _read(before)
    family = next((one for one in RHYMES if rhyme in one), None)
    if kind == "opening" and subject and family:
        for pattern, chance in ANSWERS.items():
            yield chance, Form(pattern, subject, _others(family, rhyme))
    elif kind == "answer" and family:
        for pattern, chance in REFRAINS.items():
            yield REFRAIN * chance, Form(pattern, None, ((rhyme, 1.0),))
        yield from _openings(1 - REFRAIN, subject, family)
    elif kind == "refrain":
        yield from _openings(1.0, None, None)


def _openings(total: float, subject: str | None, family: Sequence[str] | None) -> Iterator[tuple[float, Form]]:
    families = [one for one in RHYMES if one is not family]
    for name in SUBJECTS:
        others = len(SUBJECTS) - 1
        share = 1 / len(SUBJECTS) if subject is None else STAY if name == subject else (1 - STAY) / others
        for rhymes in families:
            for pattern, chance in OPENINGS.items():
                yield total * share / len(families) * chance, Form(pattern, name, tuple(_usual(rhymes).items()))


def _usual(listed: Sequence[str]) -> dict[str, float]:
    return dict(zip(listed, _USUAL[len(listed)], strict=True))


def _others(family: Sequence[str], rhyme: str) -> tuple[tuple[str, float], ...]:
    """The chances of a family's words once one is taken."""
    left = {word: chance for word, chance in _usual(family).items() if word != rhyme}
    return tuple((word, chance / sum(left.values())) for word, chance in left.items())


def _read(line: Line) -> tuple[str, str | None, str]:
    """What a line is, its subject and the word that it rhymes on; an empty kind for what is no line of a song."""
    for kind, patterns in (("opening", OPENINGS), ("answer", ANSWERS), ("refrain", REFRAINS)):
        for pattern in patterns:
            if (slots := _match(pattern.split(), line)) is not None:
                return kind, slots.get("subject"), slots["rhyme"]
    return "", None, ""


def _match(pattern: Sequence[str], line: Line) -> dict[str, str] | None:
    """The words that stand for the choices of a pattern, or None where the line is not written by it."""
    if len(pattern) != len(line):
        return None
    slots: dict[str, str] = {}
    for expected, word in zip(pattern, line, strict=True):
        name = expected.strip("{}")
        if name == expected:
            if word != expected:
                return None
        elif slots.setdefault(name, word) != word:
            return None
    adjectives, verbs = SUBJECTS.get(slots.get("subject", ""), ((), ()))
    allowed = {**CHOICES, "subject": SUBJECTS, "rhyme": [word for family in RHYMES for word in family]}
    allowed |= {"adjective": adjectives, "verb": verbs}
    return slots if all(word in allowed[name] for name, word in slots.items()) else None

"""Song verses whose every next word has a chance that is known, so that the best possible loss is known too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.datasets import grammar
from lossacc_helpers.datasets.arrays import Array, whole_numbers
from lossacc_helpers.datasets.text import numbers_of, words_of
from lossacc_helpers.history.predictions import read_only

PAD, START, END = "<pad>", "<start>", "<end>"
VOCABULARY = (PAD, START, END, *grammar.words())
_NUMBER = {word: number for number, word in enumerate(VOCABULARY)}
LENGTH = 1 + max(len(pattern.split()) for pattern in (*grammar.OPENINGS, *grammar.ANSWERS, *grammar.REFRAINS))


@dataclass(frozen=True, eq=False, repr=False)
class Lines:
    """Lines of songs, each with the line before it, as numbers for an encoder and a decoder. Read-only.

    Attributes
    ----------
    before
        (line, step) int64: the line before, ended by ``"<end>"``, then ``"<pad>"``, which is 0.
    inputs
        (line, step) int64: what the decoder is told, ``"<start>"`` and then the words of the line.
    labels
        (line, step) int64: what it is to say, the words of the line and then ``"<end>"``; 0 where there is nothing.
    songs
        (line,) int64: from which song each line is. Lines of one song are no independent samples.
    """

    before: Array
    inputs: Array
    labels: Array
    songs: Array

    def __repr__(self) -> str:
        return f"Lines({len(self.labels)} lines of {len(np.unique(self.songs))} songs)"

    @property
    def pairs(self) -> tuple[tuple[Array, Array], Array]:
        """``((before, inputs), labels)``, as `Model.fit` takes them."""
        return (self.before, self.inputs), self.labels

    @property
    def told(self) -> Array:
        """Which labels are words or ends and no padding, (line, step) bool."""
        return np.asarray(self.labels != 0)

    @property
    def song_of_each_word(self) -> Array:
        """From which song every word of `told` is, (word,)."""
        return np.repeat(self.songs, self.told.sum(axis=1))

    @cached_property
    def chances(self) -> Array:
        """The true chance of every word of the vocabulary at every place of `told`, (word, vocabulary) float64."""
        return read_only(
            np.concatenate([next_words(_line(row), _line(words)) for row, words in zip(*self._lines, strict=True)])
        )

    @property
    def _lines(self) -> tuple[Array, Array]:
        return self.before, self.labels


@dataclass(frozen=True, eq=False, repr=False)
class Verses:
    """Lines of songs for training, validation and test; no song is in two of them.

    Attributes
    ----------
    train, validation, test
        `Lines`.
    vocabulary
        The words, by number; the first three are ``"<pad>"``, ``"<start>"`` and ``"<end>"``.
    """

    train: Lines
    validation: Lines
    test: Lines
    vocabulary: tuple[str, ...] = VOCABULARY

    def __repr__(self) -> str:
        return f"Verses(train={self.train!r}, validation={self.validation!r}, test={self.test!r})"

    def encode(self, words: str | Sequence[str]) -> Array:
        """Return the numbers of words, (word,); of text, words and marks are divided by blanks.

        Raises `ValueError` for a word that no verse has.
        """
        listed = words.lower().split() if isinstance(words, str) else words
        return numbers_of(listed, self.vocabulary, source="the grammar (put a blank before a mark)")

    def decode(self, numbers: Any) -> str:
        """Return the text of numbers (word,) up to the first ``"<end>"``, without padding."""
        found = words_of(numbers, self.vocabulary)
        kept = found[: found.index(END)] if END in found else found
        return " ".join(word for word in kept if word not in (PAD, START))


def verses(
    *, train_songs: int = 75, validation_songs: int = 75, test_songs: int = 75, lines: int = 9, seed: int = 0
) -> Verses:
    """Return songs of a small grammar, `lossacc_helpers.datasets.grammar`, line by line with the line before.

    Parameters
    ----------
    train_songs, validation_songs, test_songs
        How many songs each part has. Every part is drawn for itself, so that more training songs begin with the same
        ones and leave the other parts as they are.
    lines
        In a song, 2 at least: the first is never asked for, only told.
    seed
        Of the drawing.

    Raises
    ------
    ValueError
        For counts that are too small.
    """
    counts = {"train": train_songs, "validation": validation_songs, "test": test_songs}
    length = as_whole_number(lines, "lines", least=2)
    parts = []
    for place, (name, count) in enumerate(counts.items()):
        generator = np.random.default_rng([as_whole_number(seed, "seed", least=0), place])
        songs = [_song(generator, length) for _ in range(as_whole_number(count, f"{name}_songs", least=1))]
        parts.append(_as_lines(songs))
    return Verses(parts[0], parts[1], parts[2])


def next_words(before: str | Sequence[str], line: str | Sequence[str]) -> Array:
    """Return the chances of every word at each place of a line and of what comes after it.

    Parameters
    ----------
    before
        The words of the line before, or its text; none for the first line of a song.
    line
        The words of the line so far, or its text, words and marks divided by blanks.

    Returns
    -------
    (len(line) + 1, vocabulary) float64
        Row k is the chance of each word of `VOCABULARY` after the first k words of the line; a whole line is followed
        by ``"<end>"``.

    Raises
    ------
    ValueError
        For a line that no song has, and for words that cannot follow.

    Notes
    -----
    Every way to write the line is followed at once. Its chance is multiplied by that of each word told; the chance of
    the next word is the mean over ways, weighted by these.
    """
    told, so_far = (one.lower().split() if isinstance(one, str) else list(map(str, one)) for one in (before, line))
    chances, tables = _tables(tuple(told))
    rows = np.zeros((len(so_far) + 1, len(VOCABULARY)))
    for place in range(len(so_far) + 1):
        total = chances.sum()
        if place >= tables.shape[1] or total <= 0 or (place and so_far[place - 1] == END):
            where = f"after {' '.join(told)!r}" if told else "at the beginning of a song"
            raise ValueError(f"no verse goes {' '.join(so_far[:place])!r} {where}")
        rows[place] = np.minimum(
            chances @ tables[:, place] / total, 1.0
        )  # rounding makes no chance a certainty and more
        if place < len(so_far):
            number = _NUMBER.get(so_far[place])
            if number is None:
                raise ValueError(f"no verse has the word {so_far[place]!r}")
            chances = chances * tables[:, place, number]
    return rows


def _tables(before: tuple[str, ...]) -> tuple[Array, Array]:
    """The chance of each form of the next line, and of each word at each of its places (form, place, word)."""
    forms = grammar.forms(before)
    return np.array([chance for chance, _ in forms]), np.stack([_table(form) for _, form in forms])


@cache
def _table(form: grammar.Form) -> Array:
    """The chances of every word at each place of a line of this form, (place, word)."""
    table = np.zeros((LENGTH, len(VOCABULARY)))
    for place, choice in enumerate((*form.places, {END: 1.0})):
        for word, chance in choice.items():
            table[place, _NUMBER[word]] = chance
    return table


def _song(generator: np.random.Generator, lines: int) -> list[grammar.Line]:
    song: list[grammar.Line] = [()]
    for _ in range(lines):
        forms = grammar.forms(song[-1])
        _, form = forms[generator.choice(len(forms), p=[chance for chance, _ in forms])]
        drawn: dict[str, str] = {}
        words = []
        for name, choice in zip(form.pattern.split(), form.places, strict=True):
            word = drawn.get(name) or str(generator.choice(list(choice), p=list(choice.values())))
            drawn[name] = word  # what a pattern names twice is one choice
            words.append(word)
        song.append(tuple(words))
    return song[1:]


def _as_lines(songs: Sequence[Sequence[grammar.Line]]) -> Lines:
    pairs = [(number, *pair) for number, song in enumerate(songs) for pair in pairwise(song)]
    tables = np.zeros((3, len(pairs), LENGTH), dtype=np.int64)
    for row, (_, before, line) in enumerate(pairs):
        for table, words in zip(tables, ((*before, END), (START, *line), (*line, END)), strict=True):
            table[row, : len(words)] = [_NUMBER[word] for word in words]
    names = whole_numbers([number for number, *_ in pairs], "songs")
    told, inputs, labels = (whole_numbers(table, "words", (LENGTH,)) for table in tables)
    return Lines(told, inputs, labels, names)


def _line(numbers: Array) -> list[str]:
    """The words of a row of numbers, without its end and padding."""
    words = [VOCABULARY[number] for number in numbers]
    return words[: words.index(END)]

"""English prose that every Python brings along: the texts of its own help, cut into words for a language model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pydoc_data import topics
from typing import Any

import numpy as np

from lossacc_helpers._validation import as_numbers, as_whole_number
from lossacc_helpers.datasets.arrays import Array, whole_numbers

OTHER = "<other>"  # every word that is not in the vocabulary
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[.,;:]")
_LEAST_WORDS = 8  # of a paragraph; less is a heading or a line of code


@dataclass(frozen=True, eq=False, repr=False)
class EnglishText:
    """Sequences of words as numbers, and the word that follows each of them.

    Attributes
    ----------
    vocabulary
        The words, by number; number 0 is ``"<other>"``, whatever occurs too rarely in the training part.
    train, validation, test
        Pairs of words (sequence, length) and the words that follow each, (sequence, length), int64, from disjoint
        topics. No paragraph is in two of them.
    topics
        For each of the three parts, which topics of Python's help it is from. The last may be cut.

    Notes
    -----
    Neighbouring words are no independent samples, and neither are sequences of one topic. Arrays are read-only.
    """

    vocabulary: tuple[str, ...]
    train: tuple[Array, Array]
    validation: tuple[Array, Array]
    test: tuple[Array, Array]
    topics: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}={len(getattr(self, name)[0])}" for name in ("train", "validation", "test"))
        return f"EnglishText({parts} sequences of {self.train[0].shape[1]}, vocabulary={len(self.vocabulary)})"

    def encode(self, words: str | Sequence[str], *, unknown: str = "refuse") -> Array:
        """Return the numbers of words, (word,); text is cut into words first.

        Of text, letters and the marks ``. , : ;`` count, and ``"<other>"``; what else there is falls away. Raises
        `ValueError` for a word outside the vocabulary, unless ``unknown="other"`` takes it for ``"<other>"``.
        """
        listed = re.findall(f"{OTHER}|{_WORD.pattern}", words.lower()) if isinstance(words, str) else words
        return numbers_of(listed, self.vocabulary, unknown=unknown, source="the training part alone")

    def decode(self, numbers: Any) -> str:
        """Return the text of numbers (word,), a blank between words."""
        return " ".join(words_of(numbers, self.vocabulary))


def english_text(
    *,
    train_words: int = 20_000,
    validation_words: int = 4_000,
    test_words: int = 4_000,
    vocabulary_size: int = 1_500,
    least_occurrences: int = 2,
    vocabulary_words: int | None = None,
    length: int = 20,
    seed: int = 0,
) -> EnglishText:
    """Return prose from the help texts of this Python, as sequences for a model that predicts the next word.

    Code, grammar rules and headings are left out, and so is every paragraph that occurred before. Whole topics, in a
    random order, go to the validation part, then to the test part, then to the training part, so that training parts of
    different sizes are judged on the same words (though not the same numbers); the last topic of a part is cut where
    its words suffice. The vocabulary is made of the training part alone.

    Parameters
    ----------
    train_words, validation_words, test_words
        How many words and marks each part has at most: as many whole sequences as they give.
    vocabulary_size
        How many different words are kept at most, with ``"<other>"``: the most frequent ones.
    least_occurrences
        In the training part, of a word that is kept. With 2 or more, ``"<other>"`` occurs there too and is learned; a
        class that is never seen in training would make a loss of its own in the other parts.
    vocabulary_words
        How many of the training words, from the first, the vocabulary is made of; None: of all. With one number for
        training parts of several sizes they are judged on the same classes.
    length
        Words in a sequence.
    seed
        Of the order of the topics.

    Raises
    ------
    ValueError
        For more words than this Python's help has, parts too short for one sequence, a vocabulary of fewer than 2 or of
        more words than there are to train on, and a training part in which ``"<other>"`` would never occur.

    Notes
    -----
    Help texts differ from release to release, so rely on no exact count. They are part of Python, under its licence
    (PSF); nothing is copied into this package.
    """
    counts = {
        "validation": as_whole_number(validation_words, "validation_words", least=1),
        "test": as_whole_number(test_words, "test_words", least=1),
        "train": as_whole_number(train_words, "train_words", least=1),
    }
    size = as_whole_number(vocabulary_size, "vocabulary_size", least=2)
    steps = as_whole_number(length, "length", least=1)
    for name, count in counts.items():
        if count < steps + 1:
            raise ValueError(f"{name}_words must be more than the length of a sequence, {steps}; got {count}")
    read = (
        counts["train"] if vocabulary_words is None else as_whole_number(vocabulary_words, "vocabulary_words", least=1)
    )
    if read > counts["train"]:
        raise ValueError(f"vocabulary_words must be at most train_words, {counts['train']}; got {read}")
    own_seed = as_whole_number(seed, "seed", least=0)
    prose = _prose()
    available = sum(map(len, prose.values()))
    order = [list(prose)[k] for k in np.random.default_rng(own_seed).permutation(len(prose))]
    parts: dict[str, list[str]] = {}
    sources: dict[str, tuple[str, ...]] = {}
    for name, count in counts.items():
        words: list[str] = []
        taken: list[str] = []
        while len(words) < count:
            if not order:
                raise ValueError(
                    f"this Python's help has {available} words of prose, too few for {sum(counts.values())} in parts "
                    f"of whole topics; ask for fewer"
                )
            taken.append(order.pop(0))
            words += prose[taken[-1]]
        parts[name], sources[name] = words[:count], tuple(taken)
    frequent = sorted(Counter(parts["train"][:read]).items(), key=lambda item: (-item[1], item[0]))
    rarest = as_whole_number(least_occurrences, "least_occurrences", least=1)
    vocabulary = (OTHER, *(word for word, count in frequent[: size - 1] if count >= rarest))
    if len(vocabulary) > len(set(parts["train"])):
        raise ValueError(
            f"all {len(vocabulary) - 1} words of the training part are kept, so {OTHER} would never be learned, though "
            "it occurs in the other parts; ask for a smaller vocabulary_size or more least_occurrences"
        )
    pairs = {
        name: _sequences(numbers_of(words, vocabulary, source="them", unknown="other"), steps)
        for name, words in parts.items()
    }
    of_parts = tuple(sources[name] for name in ("train", "validation", "test"))
    return EnglishText(vocabulary, pairs["train"], pairs["validation"], pairs["test"], of_parts)


def numbers_of(words: Iterable[str], vocabulary: Sequence[str], *, source: str, unknown: str = "refuse") -> Array:
    """Return the place of each word in the vocabulary, (word,); see `EnglishText.encode`."""
    if unknown not in ("refuse", "other"):
        raise ValueError(f"unknown must be 'refuse' or 'other'; got {unknown!r}")
    places = {word: number for number, word in enumerate(vocabulary)}
    listed = list(words)
    strange = [word for word in listed if word not in places]
    if strange and unknown == "refuse":
        raise ValueError(
            f"{strange[0]!r} is not among the {len(vocabulary)} words of the vocabulary, which is made of {source}; "
            f"among them are {', '.join(sorted(vocabulary[-3:]))}"
        )
    return np.array([places.get(word, 0) for word in listed], dtype=np.int64)


def words_of(numbers: Any, vocabulary: Sequence[str]) -> list[str]:
    """Return the words with these numbers, (word,); `ValueError` for one that no word has."""
    places = as_numbers(numbers, "numbers")
    if places.ndim != 1 or places.dtype.kind not in "iu":
        raise ValueError(f"numbers must be whole numbers of shape (word,); got {places.dtype} of shape {places.shape}")
    if ((places < 0) | (places >= len(vocabulary))).any():
        raise ValueError(f"numbers must lie in 0..{len(vocabulary) - 1}; got {places.min()} to {places.max()}")
    return [vocabulary[place] for place in places]


@cache
def _prose() -> dict[str, list[str]]:
    """The words of each topic's paragraphs of prose, each paragraph where it occurs first."""
    seen: set[str] = set()
    found: dict[str, list[str]] = {}
    for topic in sorted(topics.topics):
        for paragraph in re.split(r"\n\s*\n", topics.topics[topic]):
            text = " ".join(paragraph.split())
            if "::=" in text or ">>>" in text or not re.match(r"[A-Z\"'(*]", text) or not re.search(r"[.:;]\)?$", text):
                continue
            words = _words(text)
            if len(words) < _LEAST_WORDS or (key := " ".join(words)) in seen:
                continue
            seen.add(key)
            found.setdefault(topic, []).extend(words)
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _sequences(numbers: Array, length: int) -> tuple[Array, Array]:
    count = (len(numbers) - 1) // length
    features, labels = (numbers[start : start + count * length].reshape(count, length) for start in (0, 1))
    return whole_numbers(features, "words", (length,)), whole_numbers(labels, "words", (length,))

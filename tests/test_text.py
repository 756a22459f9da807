"""The text is prose in disjoint parts, and every verse's chances are those of the grammar."""

import re
from itertools import pairwise
from pydoc_data import topics

import numpy as np
import pytest

from lossacc_helpers import datasets
from lossacc_helpers.datasets import grammar
from lossacc_helpers.datasets.text import OTHER
from lossacc_helpers.datasets.verses import END, LENGTH, PAD, START, VOCABULARY

# English text: nothing relies on exact counts, which differ between releases of Python


@pytest.fixture(scope="module")
def text():
    return datasets.english_text(train_words=6000, validation_words=2000, test_words=1000, vocabulary_size=400)


def words_of(part, vocabulary):
    features, labels = part
    return [vocabulary[number] for number in [features[0, 0], *labels.ravel()]]


def test_the_next_word_is_the_next_word(text):
    for features, labels in (text.train, text.validation, text.test):
        np.testing.assert_array_equal(features.ravel()[1:], labels.ravel()[:-1])
        assert features.shape == labels.shape
        assert features.shape[1] == 20
    assert len(text.train[0]) == 299  # 6,000 words are followed 5,999 times


def test_it_is_the_help_of_this_python(text):
    everything = " ".join(re.findall(r"[a-z]+(?:'[a-z]+)?|[.,;:]", " ".join(topics.topics.values()).lower()))
    runs = " ".join(words_of(text.validation, text.vocabulary)).split(OTHER)
    longest = max(runs, key=len).split()
    assert len(longest) > 8
    assert " ".join(longest[:8]) in everything


def test_the_vocabulary_is_of_the_training_part_alone(text):
    assert text.vocabulary[0] == OTHER
    assert len(text.vocabulary) == len(set(text.vocabulary)) == 400
    seen = set(words_of(text.train, text.vocabulary))
    assert set(text.vocabulary[1:]) <= seen
    unknown = [np.mean(labels == 0) for _, labels in (text.train, text.validation)]
    assert 0 < unknown[0] < unknown[1]


def test_parts_share_no_topic_and_no_paragraph(text):
    topics_of = [set(one) for one in text.topics]
    assert not topics_of[0] & topics_of[1]
    assert not topics_of[0] & topics_of[2]
    assert not topics_of[1] & topics_of[2]
    grams = [set(zip(*(words_of(part, text.vocabulary)[k:] for k in range(20)), strict=False))
             for part in (text.train, text.validation, text.test)]  # fmt: skip
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not {gram for gram in grams[one] & grams[other] if OTHER not in gram}


def test_more_training_words_leave_the_other_parts_as_they_are(text):
    more = datasets.english_text(train_words=9000, validation_words=2000, test_words=1000, vocabulary_size=400)
    for name in ("validation", "test"):
        one, other = (words_of(getattr(each, name), each.vocabulary) for each in (text, more))
        both = [(a, b) for a, b in zip(one, other, strict=True) if OTHER not in (a, b)]
        assert all(a == b for a, b in both)
        assert len(both) > 0.5 * len(one)
    other_seed = datasets.english_text(train_words=6000, validation_words=2000, test_words=1000, seed=1)
    assert other_seed.topics != text.topics


def test_other_words_are_learned_or_there_are_none(text):
    assert 0 in text.train[1]
    with pytest.raises(ValueError, match=f"words of the training part are kept, so {OTHER} would never be learned"):
        datasets.english_text(train_words=3000, vocabulary_size=10**6, least_occurrences=1)
    assert text.encode(text.decode([0, 5])).tolist() == [0, 5]


def test_one_vocabulary_for_training_parts_of_several_sizes(text):
    few, many = (
        datasets.english_text(train_words=words, validation_words=2000, test_words=1000, vocabulary_words=3000)
        for words in (3000, 9000)
    )
    assert few.vocabulary == many.vocabulary
    for one, other in zip((*few.validation, *few.test), (*many.validation, *many.test), strict=True):
        np.testing.assert_array_equal(one, other)
    shared = few.train[1].size
    np.testing.assert_array_equal(few.train[1].ravel(), many.train[1].ravel()[:shared])
    own = datasets.english_text(train_words=3000, validation_words=2000, test_words=1000)
    assert own.vocabulary == few.vocabulary


def test_words_and_numbers_turn_into_one_another(text):
    numbers = text.encode("The object , and the class .")
    assert text.decode(numbers) == "the object , and the class ."
    assert text.encode(["the", "zebra"], unknown="other").tolist() == [text.encode("the")[0], 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda text: text.encode("the zebra"), "'zebra' is not among the 400 words of the vocabulary, which is made"),
        (lambda text: text.encode("the", unknown="skip"), "unknown must be 'refuse' or 'other'; got 'skip'"),
        (lambda text: text.decode([400]), r"numbers must lie in 0\.\.399; got 400 to 400"),
        (lambda text: text.decode([0.5]), r"numbers must be whole numbers of shape \(word,\)"),
        (lambda text: datasets.english_text(train_words=10**6), "too few for 1008000 in parts of whole topics"),
        (lambda text: datasets.english_text(validation_words=20), "validation_words must be more than the length of a"),
        (lambda text: datasets.english_text(test_words=0), "test_words must be"),
        (lambda text: datasets.english_text(vocabulary_size=1), "vocabulary_size must be"),
        (
            lambda text: datasets.english_text(vocabulary_words=20_001),
            "vocabulary_words must be at most",
        ),
        (lambda text: datasets.english_text(seed=None), "seed must be a whole number"),
        (lambda text: datasets.english_text(seed=-1), "seed must be"),
    ],
)
def test_what_cannot_be_is_refused(text, call, message):
    with pytest.raises(ValueError, match=message):
        call(text)


# Verses


@pytest.fixture(scope="module")
def songs():
    return datasets.verses(train_songs=40, validation_songs=30, test_songs=20, seed=5)


def lines_of(part):
    for before, line in zip(part.before, part.labels, strict=True):
        yield tuple([VOCABULARY[n] for n in row][: list(row).index(2)] for row in (before, line))


def test_lines_are_told_ended_and_padded(songs):
    part = songs.train
    assert part.before.shape == part.inputs.shape == part.labels.shape == (40 * 8, LENGTH)
    assert VOCABULARY[:3] == (PAD, START, END)
    for inputs, labels in zip(part.inputs, part.labels, strict=True):
        words = labels[: list(labels).index(2)]
        assert inputs[0] == 1
        np.testing.assert_array_equal(inputs[1 : len(words) + 1], words)
        assert not labels[len(words) + 1 :].any()
        assert not inputs[len(words) + 1 :].any()
    np.testing.assert_array_equal(part.song_of_each_word, np.repeat(part.songs, part.told.sum(axis=1)))
    (before, inputs), labels = part.pairs
    assert before is part.before
    assert inputs is part.inputs
    assert labels is part.labels


def test_a_line_is_followed_by_the_next_line_of_its_song(songs):
    lines = list(lines_of(songs.train))
    for k, ((_, line), (before, _)) in enumerate(pairwise(lines)):
        if songs.train.songs[k] == songs.train.songs[k + 1]:
            assert line == before


def test_answers_rhyme_and_keep_to_their_subject(songs):
    families = {word: family for family in grammar.RHYMES for word in family}
    answered = refrains = 0
    for before, line in lines_of(songs.train):
        if before[-1] == ",":
            answered += 1
            assert families[line[-2]] == families[before[-2]]
            assert line[-2] != before[-2]
            [subject] = set(before) & set(grammar.SUBJECTS)
            assert set(line) & set(grammar.SUBJECTS) <= {subject}
        elif line[0] == "oh":
            refrains += 1
            assert line[1] == line[4] == before[-2]
    assert answered > 100
    assert 0.2 < refrains / sum(before[-1] == "." and before[0] != "oh" for before, _ in lines_of(songs.train)) < 0.5


def test_the_chances_of_whole_lines_are_how_often_they_are_drawn():
    # After "the sly fox runs beside the sea ," by hand: an answer of the second kind, its rhyme tree of 3 : 2 : 1.
    before = tuple("the sly fox runs beside the sea ,".split())
    line = "and sings to me of the tree .".split()
    rows = datasets.next_words(before, line)
    number = {word: k for k, word in enumerate(VOCABULARY)}
    steps = [rows[k, number[word]] for k, word in enumerate((*line, END))]
    assert np.prod(steps) == pytest.approx(0.35 * 0.5 * (0.3 / 0.6))
    # "and" begins the first and the second kind of answer, 0.40 and 0.35.
    assert rows[0, number["and"]] == pytest.approx(0.75)
    assert rows[0, number["so"]] == pytest.approx(0.25)
    assert rows[1, number["sings"]] == pytest.approx(0.35 / 0.75 * 0.5)
    assert rows[1, number["the"]] == pytest.approx(0.40 / 0.75)
    assert rows[6, number["tree"]] == pytest.approx(0.5)
    assert rows[6, number["sea"]] == 0


def test_chances_are_shares_of_what_is_drawn():
    many = datasets.verses(train_songs=3000, validation_songs=1, test_songs=1, lines=3, seed=1).train
    first, second = many.labels[::2, 0], many.labels[1::2, 0]
    after_answers = [k for k, before in enumerate(many.before[1::2]) if VOCABULARY[before[0]] != "oh"]
    chance = {word: 0.65 * share for word, share in zip(("the", "when", "i"), grammar.OPENINGS.values(), strict=True)}
    chance["oh"] = 0.35
    for word, expected in chance.items():
        found = np.mean(second[after_answers] == VOCABULARY.index(word))
        assert found == pytest.approx(expected, abs=0.03)
    assert np.mean(first == VOCABULARY.index("and")) == pytest.approx(0.75, abs=0.03)


def test_no_answer_beats_the_true_chances(songs):
    part = songs.validation
    labels, chances = part.labels[part.told], part.chances
    assert chances.shape == (part.told.sum(), len(VOCABULARY))
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    loss = -np.log(chances[np.arange(len(labels)), labels])
    entropy = -np.sum(chances * np.log(np.where(chances > 0, chances, 1)), axis=1)
    assert loss.mean() == pytest.approx(entropy.mean(), abs=4 * loss.std() / np.sqrt(len(loss)))
    right = chances.argmax(axis=1) == labels
    assert right.mean() == pytest.approx(chances.max(axis=1).mean(), abs=4 * right.std() / np.sqrt(len(right)))
    assert 0.4 < loss.mean() < 0.9
    assert 0.65 < right.mean() < 0.85


def test_parts_are_drawn_apart_and_again_the_same(songs):
    again = datasets.verses(train_songs=60, validation_songs=30, test_songs=20, seed=5)
    np.testing.assert_array_equal(again.train.labels[:320], songs.train.labels)
    np.testing.assert_array_equal(again.validation.before, songs.validation.before)
    assert not np.array_equal(songs.validation.labels[:160], songs.test.labels[:160])


def test_verses_and_numbers_turn_into_one_another(songs):
    line = "oh tree , oh tree , carry me home ."
    assert songs.decode(songs.encode(line)) == line
    assert songs.decode([1, *songs.encode("the fox"), 2, 7, 0]) == "the fox"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda songs: songs.encode("the zebra"), "'zebra' is not among the 111 words"),
        (lambda songs: datasets.next_words("hello world".split(), []), "no verse has the line 'hello world'"),
        (
            lambda songs: datasets.next_words([], "the fox".split()),
            "no verse goes 'the fox' at the beginning of a song",
        ),
        (
            lambda songs: datasets.next_words("oh sea , oh sea , let me go .", "and"),
            "no verse goes 'and' after 'oh sea",
        ),
        (lambda songs: datasets.next_words("", "i saw a young child near the sea , <end>"), "no verse goes 'i saw"),
        (lambda songs: songs.encode("tree,"), "'tree,' is not among the 111 words of the vocabulary, which is made of"),
        (lambda songs: datasets.next_words([], ["zebra"]), "no verse has the word 'zebra'"),
        (lambda songs: datasets.verses(train_songs=0), "train_songs must be"),
        (lambda songs: datasets.verses(lines=1), "lines must be"),
    ],
)
def test_a_verse_that_cannot_be_is_refused(songs, call, message):
    with pytest.raises(ValueError, match=message):
        call(songs)


def test_every_line_is_read_as_what_it_was_drawn_as(songs):
    for before, line in lines_of(songs.train):
        assert grammar.forms(tuple(before))
        assert grammar.forms(tuple(line))
    assert sum(chance for chance, _ in grammar.forms(())) == pytest.approx(1)

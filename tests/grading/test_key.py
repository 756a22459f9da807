"""Keys and marks: points that add up, judges that see what they should, feedback that gives nothing away."""

from typing import Any

import numpy as np
import pytest

from lossacc_helpers.exercises import LearnerValue, Wrong
from lossacc_helpers.grading.collecting import Answer
from lossacc_helpers.grading.key import Criterion, Key, Part, Question, Written, calls, equals
from lossacc_helpers.grading.marking import NOT_JUDGED, NOT_REACHED, drawn, mark, requests
from tests.grading.small import KEY, SECRET, reference

ROWS, LEAST, RISING = KEY.questions


def fail(answer: LearnerValue) -> None:
    raise ZeroDivisionError("an author's mistake")


def right_answers(seed: int = 7) -> list[Answer]:
    return [Answer(reference(*arguments)) for calls in drawn(KEY, ROWS, seed) for arguments in calls]


def test_right_answers_earn_all_points() -> None:
    assert mark(KEY, ROWS, right_answers(), 7).earned == 40
    assert mark(KEY, LEAST, [Answer(SECRET)], 7).earned == 20
    assert mark(KEY, RISING, [Answer((1, 2))], 7).earned == 20


def test_one_wrong_call_costs_its_part_and_no_other() -> None:
    answers = right_answers()
    answers[0] = Answer(np.zeros(3))
    marked = mark(KEY, ROWS, answers, 7)
    assert [part.earned for part in marked.parts] == [0, 10]
    assert (marked.parts[0].right, marked.parts[0].tried) == (3, 4)
    assert marked.settled


def test_answers_to_other_arguments_earn_nothing() -> None:
    assert mark(KEY, ROWS, right_answers(seed=8), 7).parts[0].earned == 0


def test_an_answer_that_never_came_is_not_settled() -> None:
    marked = mark(KEY, ROWS, right_answers()[:5], 7)
    assert [part.earned for part in marked.parts] == [30, 0]
    assert marked.parts[1].problem == NOT_REACHED
    assert not marked.settled


def test_a_judge_that_fails_is_not_the_learners_mistake() -> None:
    question = Question(name="broken", parts=(Part(name="a part", points=100, judge=fail),))
    marked = mark(Key(name="A0", title="", questions=(question,)), question, [Answer(1)], 7)
    assert marked.parts[0].problem == NOT_JUDGED
    assert "an author's mistake" in marked.parts[0].detail
    assert not marked.settled


def test_feedback_says_what_was_tried_and_not_what_was_expected() -> None:
    text = mark(KEY, LEAST, [Answer(0.5)], 7).feedback()
    assert text == "0 of 20 points.\n\n- ✗ its value (0 of 20): not right"
    assert str(SECRET)[:5] in mark(KEY, LEAST, [Answer(0.5)], 7).parts[0].detail  # which the teacher sees
    # A kind gives nothing away; the learner is told.
    assert "but one number was expected" in mark(KEY, LEAST, [Answer([1, 2])], 7).feedback()
    wrong = [Answer(problem="row_losses raised KeyError") for _ in right_answers()]
    assert "0 of 4 calls right; row_losses raised KeyError" in mark(KEY, ROWS, wrong, 7).feedback()


def test_the_same_seed_asks_the_same_and_parts_have_draws_of_their_own() -> None:
    first, second = requests(KEY, 7), requests(KEY, 7)
    assert first["least"] is None
    assert first["row_losses"] is not None
    assert second["row_losses"] is not None
    for one, other in zip(first["row_losses"], second["row_losses"], strict=True):
        np.testing.assert_array_equal(one[0], other[0])


ONE = Part(name="a part", points=100, judge=fail)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Question(name="two words", parts=(ONE,)), "variable"),
        (lambda: Question(name="none", parts=()), "needs parts"),
        (lambda: Question(name="mixed", parts=(ONE, calls("c", 1, lambda rng: [], np.sum))), "all of them"),
        (lambda: Question(name="free", parts=(Part(name="a", points=0, judge=fail),)), "above 0"),
        (
            lambda: Key(name="A0", title="", questions=(Question(name="a", parts=(equals("e", 99, int),)),)),
            "99, not 100",
        ),
        (
            lambda: Key(
                name="A0",
                title="",
                questions=(Question(name="a", parts=(ONE,)),),
                written=(Written(name="a", rubric=(Criterion(points=1, text="t"),)),),
            ),
            "more than one",
        ),
    ],
)
def test_a_key_that_cannot_be_is_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_a_judge_sees_the_arguments_of_its_call() -> None:
    seen = []

    def judge(answer: LearnerValue, *arguments: Any) -> None:
        seen.append(arguments)
        if answer.number() != sum(arguments):
            raise Wrong("no")

    part = Part(name="sums", points=100, judge=judge, draw=lambda rng: [(1, 2), (3, 4)])
    question = Question(name="total", parts=(part,))
    key = Key(name="A0", title="", questions=(question,))
    assert mark(key, question, [Answer(3), Answer(7)], 1).earned == 100
    assert seen == [(1, 2), (3, 4)]


def test_some_of_several_results_are_compared_each_by_its_own_tolerance() -> None:
    part = calls("two of three", 100, lambda rng: [(2.0,)], lambda x: (x, x**2, x**3), 0, 2, tolerance=(1e-6, 0.1))
    part.judge(LearnerValue([2.0, -1.0, 8.2], label="it"), 2.0)
    for wrong in [2.001, -1.0, 8.0], [2.0, -1.0, 9.0], [2.0, 8.0]:
        with pytest.raises(Wrong):
            part.judge(LearnerValue(wrong, label="it"), 2.0)
    listed = equals("its last", 100, lambda: (1, 2), 1)
    listed.judge(LearnerValue([7, 2], label="it"))
    with pytest.raises(Wrong):
        listed.judge(LearnerValue([1, 7], label="it"))

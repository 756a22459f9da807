import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossacc_helpers.course.lesson import Lesson
from lossacc_helpers.exercises import (
    Exercise,
    LearnerFunction,
    LearnerValue,
    Wrong,
    WrongAnswer,
    check,
    look_at,
    look_at_each,
    try_out,
)
from lossacc_helpers.exercises.guard import Guard, OutOfTime, Stuck
from lossacc_helpers.widgets import Guess, Option, Prediction, Question
from tests.moving import move_every_control
from tests.test_widgets import price_explorer


def check_mean_loss(mean_loss):
    mean_loss(np.array([0.5, 0.25])).equals(1.5 * np.log(2), because="the loss is the mean of -log p")
    mean_loss(np.array([1.0])).equals(0.0)


MEAN_LOSS = Exercise(
    name="mean_loss",
    checker=check_mean_loss,
    hints=("What does one sample cost?", "-log p.", "Take the mean."),
    wrong_answers={"sum": WrongAnswer(answer=lambda p: -np.log(p).sum(), says="2.07944, but 1.03972 was expected")},
)


def said(answer, **keywords):
    feedback = check(MEAN_LOSS, answer, **keywords)
    assert not feedback.passed
    return feedback.message


def test_a_right_answer_passes():
    assert check(MEAN_LOSS, lambda p: -np.log(p).mean()).passed


@pytest.mark.parametrize(
    "right",
    [
        lambda p: np.float32(-np.log(p).mean()),
        lambda p: float(-np.log(p).mean()),
        lambda p: np.array(-np.log(p).mean()),
        lambda p: np.mean(-np.log(p.astype(np.float32))),
    ],
)
def test_every_sort_of_number_passes_where_its_value_is_right(right):
    assert check(MEAN_LOSS, right).passed


def test_a_wrong_answer_is_told_input_output_expectation_and_reason():
    assert said(MEAN_LOSS.wrong_answers["sum"].answer) == (
        "mean_loss([0.5, 0.25]) gave 2.07944, but 1.03972 was expected: the loss is the mean of -log p."
    )


def blank(p):
    """A docstring is not an answer."""
    ...


def not_implemented(p):
    raise NotImplementedError


@pytest.mark.parametrize(
    "answer", [..., NotImplemented, blank, not_implemented, lambda p: ..., lambda p: NotImplemented]
)
def test_a_blank_is_not_written_yet(answer):
    assert said(answer).startswith("It is not written yet")


def test_a_missing_return_is_named():
    def forgot(p):
        -np.log(p).mean()

    assert said(forgot) == "mean_loss([0.5, 0.25]) returned None: is a `return` missing?"


def test_an_answer_that_is_printed_must_be_returned():
    def prints(p):
        print("<0.7>")

    feedback = check(MEAN_LOSS, prints)
    assert feedback.message.endswith("printed its answer and returned None. Replace print by return.")
    assert feedback.printed == "<0.7>"
    assert "&lt;0.7&gt;" in feedback._repr_mimebundle_()["text/html"]


def test_printing_beside_a_right_answer_does_no_harm(capsys):
    def chatty(p):
        print("here")
        return -np.log(p).mean()

    feedback = check(MEAN_LOSS, chatty)
    assert feedback.passed
    assert feedback.printed == "here\nhere"
    assert capsys.readouterr().out == ""


def test_an_exception_is_told_with_its_type_message_and_the_learners_line():
    def raises(p):
        q = p
        return q["loss"]

    message = said(raises)
    line = raises.__code__.co_firstlineno + 2
    assert message.startswith("mean_loss([0.5, 0.25]) raised IndexError: only integers")
    assert message.endswith(f'It happened at line {line}: return q["loss"].')


def deep(p):
    return deep(p) + 1


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no text")


def raising(error):
    def answer(p):
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda p: sys.exit(3), "SystemExit: 3. Leave the function with `return`"),
        (deep, "RecursionError"),
        (raising(KeyboardInterrupt()), "raised KeyboardInterrupt"),
        (raising(GeneratorExit()), "raised GeneratorExit"),
        (raising(OutOfTime()), "raised OutOfTime"),
        (raising(ValueError("x" * 10_000)), "xxx..."),
        (raising(Unprintable()), "raised Unprintable"),
        (lambda: 1, "TypeError"),
        (lambda p: (yield p), "returned a generator, not a result"),
        (lambda p: "0.5", "gave the text '0.5', but one number was expected"),
        (lambda p: [0.1, 0.2], "gave an array of shape (2,), but one number was expected"),
        (lambda p: [[1], [1, 2]], "rows of different lengths"),
        (lambda p: {"a": 1}, "gave a dict, but one number"),
        (lambda p: np.nan, "gave nan"),
        (lambda p: np.inf, "gave inf, but 1.03972"),
        (lambda p: True, "gave True, but one number"),
        (lambda p: 1j, "but one number was expected"),
        (lambda p: 10**400, "a whole number of more than 300 digits"),
        (lambda p: len, "gave a builtin_function_or_method"),
        (lambda p: object(), "gave an object, but one number was expected"),
        (3, "A function was expected; got 3"),
        (None, "A function was expected; got None"),
        ([1], "A function was expected; got a list"),
    ],
)
def test_whatever_an_answer_does_it_gets_feedback(answer, words):
    message = said(answer)
    assert words in message
    assert len(message) < 1000


def test_a_coroutine_is_told():
    async def answer(p):
        return 1

    assert "returned a coroutine" in said(answer)


def test_changing_an_input_is_told_and_the_next_call_gets_a_fresh_one():
    def mutates(p):
        p *= 2
        return 0

    assert said(mutates).startswith("mean_loss([0.5, 0.25]) changed its input number 1 to [1, 0.5]. Work on a copy")

    given_lists = []

    def appends(p, *, more):
        given_lists.append(list(more))
        more.append(more)
        return 0

    function = LearnerFunction(appends, name="appends")
    for _ in range(2):
        with pytest.raises(Wrong, match="changed its input more"):
            function(1, more=[np.nan])
    assert len(given_lists[1]) == 1


def test_a_nan_among_the_inputs_is_no_change():
    function = LearnerFunction(lambda p: 1.0, name="f")
    assert function(np.array([np.nan]), ).number() == 1  # fmt: skip
    assert function([np.nan, {"a": [1]}]).number() == 1


def endless(p):
    while True:
        p = p + 1


def stubborn(p):
    for _ in range(4):
        try:
            while True:
                p = p + 1
        except:  # noqa: E722
            p = 0


def prints_for_ever(p):
    while True:
        print("x" * 1000)


@pytest.mark.parametrize("answer", [endless, stubborn, prints_for_ever])
def test_a_loop_without_end_is_stopped_in_the_learners_code(answer):
    threads = threading.active_count()
    feedback = check(MEAN_LOSS, answer, seconds=0.3, grace=20)
    assert "still running after 0.3 seconds and was stopped" in feedback.message
    line = answer.__code__.co_firstlineno
    assert any(f"line {line + step}" in feedback.message for step in range(1, 6))
    assert "Does every loop come to an end?" in feedback.message
    assert threading.active_count() == threads
    assert len(feedback.printed) < 700


def test_a_call_that_cannot_be_stopped_is_left_behind_with_advice():
    feedback = check(MEAN_LOSS, lambda p: time.sleep(1.5), seconds=0.1, grace=0.1)
    assert "could not be stopped" in feedback.message
    assert "restart the kernel" in feedback.message
    for thread in threading.enumerate():
        if thread.name == "learner's code":
            assert thread.daemon
            thread.join()


def test_an_answer_that_comes_after_the_time_is_late():
    def late(p):
        try:
            endless(p)
        except BaseException:
            return 1.0

    assert "still running" in said(late, seconds=0.2)


def test_the_time_is_for_all_calls_of_a_check_together():
    slow = Exercise(name="slow", checker=lambda f: [f(i).number() for i in range(50)] and None, hints=("h",))

    def naps(i):
        time.sleep(0.05)
        return i

    feedback = check(slow, naps, seconds=0.4)
    assert not feedback.passed
    assert "still running" in feedback.message


def test_an_interruption_reaches_the_notebook_and_stops_the_learners_code(monkeypatch):
    def interrupted(self, timeout=None):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check(MEAN_LOSS, endless)
    assert not [thread for thread in threading.enumerate() if thread.name == "learner's code"]


def test_no_exception_is_thrown_into_a_thread_whose_work_is_over():
    # Work that ends just as its time does: whatever wins, nothing may leak out or be lost.
    outcomes = set()
    errors = []
    hook, threading.excepthook = threading.excepthook, errors.append
    try:
        for turn in range(150):
            until = time.monotonic() + 0.002

            def work(until=until):
                while time.monotonic() < until:
                    pass
                return "done"

            try:
                outcomes.add(Guard(seconds=0.002 + (turn % 5 - 2) * 1e-4, grace=5).run(work))
            except Stuck as stuck:
                outcomes.add("left behind" if stuck.abandoned else "done")
    finally:
        threading.excepthook = hook
    assert not errors
    assert outcomes <= {"done"}


class Liar:
    """Equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = None

    def __float__(self):
        return 7.0


class Endless:
    def __float__(self):
        while True:
            pass

    def __array__(self, *arguments, **keywords):
        while True:
            pass


class Changing:
    """Another number each time it is asked."""

    count = 0

    def __float__(self):
        self.count += 1
        return 1.0397207708 if self.count == 1 else 0.0


def test_objects_that_lie_are_read_once_and_by_their_numbers():
    assert "gave 7, but 1.03972 was expected" in said(lambda p: Liar())
    assert "still running" in said(lambda p: Endless(), seconds=0.2)
    value = LearnerValue(Changing(), label="it")
    value.equals(1.5 * np.log(2))


class LyingArray(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)

    def __abs__(self):
        return np.zeros(self.shape)


def test_arrays_that_lie_are_read_as_plain_ones():
    with pytest.raises(Wrong, match=r"gave \[0, 0\], but \[1, 2\] was expected"):
        LearnerValue(np.zeros(2).view(LyingArray), label="it").equals([1.0, 2.0])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6))
def test_an_array_equals_itself_as_list_tuple_and_float32_and_nothing_shifted(numbers):
    right = np.array(numbers)
    for same in (numbers, tuple(numbers), right, right.astype(np.float32)):
        LearnerValue(same, label="it").equals(right)
    shifted = right.copy()
    shifted[-1] += 0.01 * max(1, abs(right[-1]))
    with pytest.raises(Wrong, match=f"at index {len(numbers) - 1}"):
        LearnerValue(shifted, label="it").equals(right)


def test_infinite_expectations_are_met_by_infinity_only():
    LearnerValue(np.inf, label="it").equals(np.inf)
    for wrong in (1.0, -np.inf):
        with pytest.raises(Wrong):
            LearnerValue(wrong, label="it").equals(np.inf)


def test_arrays_are_told_shape_place_and_nan():
    value = LearnerValue([[1, 2], [3, 4]], label="f()")
    with pytest.raises(Wrong, match=r"an array of shape \(2, 2\), but an array of shape \(4,\) was expected"):
        value.array(shape=(4,))
    with pytest.raises(Wrong, match=r"first difference is at index \(1, 0\): 3, not 5"):
        value.equals([[1, 2], [5, 4]])
    with pytest.raises(Wrong, match="nan at index 1"):
        LearnerValue([1, np.nan], label="f()").array()
    with pytest.raises(Wrong, match="gave the single number 1, but an array of shape"):
        LearnerValue(1, label="f()").array(shape=(2,))
    with pytest.raises(Wrong) as told:
        LearnerValue(np.arange(1e6), label="f()").equals(np.zeros(10**6))
    assert len(str(told.value)) < 1000


def test_parts_texts_and_truths_are_read():
    value = LearnerValue(([1, 2], "Noise", True), label="f()")
    numbers, text, truth = value.parts(3)
    numbers.equals([1, 2])
    text.equals("noise ")
    assert truth.truth() is True
    with pytest.raises(Wrong, match=r"f\(\) gave 3 results, but 2 were expected"):
        value.parts(2)
    with pytest.raises(Wrong, match=r"gave 5, but 2 results were expected"):
        LearnerValue(5, label="f()").parts(2)
    with pytest.raises(Wrong, match=r"Result 1 of f\(\) is \[1, 2\]|Result 1 of f\(\) is a list, but a text in quotes"):
        numbers.text()
    with pytest.raises(Wrong, match="is the text 'Noise', but True or False"):
        text.truth()
    with pytest.raises(Wrong, match="'Noise', but 'signal' was expected"):
        text.equals("signal")


def test_a_value_may_be_asked_for():
    exercise = Exercise(name="p", checker=lambda p: p.equals([0.5]), hints=("h",), asks="value")
    assert check(exercise, [0.5]).passed
    assert check(exercise, [0.4]).message.startswith("Your answer is [0.4], but [0.5] was expected.")
    assert "Call it: p(...)" in check(exercise, lambda: [0.5]).message
    assert "not written yet" in check(exercise, ...).message


def test_a_mistake_of_the_checkers_author_comes_through():
    with pytest.raises(ZeroDivisionError):
        check(Exercise(name="x", checker=lambda f: 1 / 0, hints=("h",)), lambda: 1)


def test_feedback_says_in_words_whether_it_passed_and_escapes():
    passed, failed = (check(MEAN_LOSS, answer) for answer in (lambda p: -np.log(p).mean(), lambda p: "<b>"))
    assert str(passed) == "✓ mean_loss: passed."
    assert str(failed).startswith("✗ mean_loss: not yet. mean_loss([0.5, 0.25]) gave the text '<b>'")
    assert "<b>" not in failed._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("keywords", [{"name": " "}, {"hints": ()}, {"hints": ("a", " ")}])
def test_an_ill_made_exercise_is_refused(keywords):
    with pytest.raises(ValueError, match="needs"):
        Exercise(**{"name": "x", "checker": check_mean_loss, "hints": ("a",), **keywords})


def test_exercises_need_neither_ipywidgets_nor_matplotlib():
    import subprocess

    code = (
        "import sys, lossacc_helpers.exercises; sys.exit(any(m in sys.modules for m in ('ipywidgets', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


HALF = Prediction(
    name="half", question="?", came_out="!", guesses=(Guess(text="a", outcome="A"), Guess(text="b", outcome="B"))
)


def lesson():
    return Lesson(
        "99_test",
        explorers={"price": price_explorer},
        predictions=[HALF],
        questions={"q": Question("Why?", [Option("a", "yes", correct=True), Option("b", "no")])},
        exercises=[MEAN_LOSS],
    )


def test_a_lesson_gives_its_parts_by_name():
    one = lesson()
    move_every_control(one.explorer())
    view = one.commit("half")
    view.control.value = "b"
    view.button.click()
    assert "You predicted: b" in str(one.recall("half"))
    assert "What came out: 0.713" in str(one.recall("half", came_out="0.713"))
    assert one.quiz("q").question.prompt == "Why?"
    assert one.check("mean_loss", lambda p: -np.log(p).mean()).passed
    assert 'If you are stuck: lesson.hint("mean_loss")' in str(one.check("mean_loss", ...))


def test_each_hint_reveals_one_more():
    one = lesson()
    counts = [len(one.hint("mean_loss").shown) for _ in range(4)]
    assert counts == [1, 2, 3, 3]
    assert str(one.hint("mean_loss")).endswith("Hint 3 of 3: Take the mean.\nThat was the last hint.")
    assert str(lesson().hint("mean_loss")).endswith("Run this cell again for another one.")


def test_every_answer_is_recorded_in_one_place(monkeypatch):
    one = lesson()
    noted = []
    monkeypatch.setattr(one, "record", lambda item, passed: noted.append((item, passed)))
    one.check("mean_loss", ...)
    one.quiz("q").control.index = 0
    assert noted == [("mean_loss", False), ("q", True)]


@pytest.mark.parametrize("part", ["commit", "recall", "explorer", "quiz", "hint"])
def test_an_unknown_name_is_answered_with_the_known_ones(part):
    with pytest.raises(ValueError, match=r'called \'nothing\'; it has "(half|price|q|mean_loss)"'):
        getattr(lesson(), part)("nothing")


def test_a_name_given_twice_is_refused():
    with pytest.raises(ValueError, match="two parts of a lesson have the name 'half'"):
        Lesson("x", explorers={}, predictions=[HALF, HALF], questions={}, exercises=[])


@pytest.mark.parametrize("size", [1.0, 1000.0])
def test_the_tolerance_is_absolute_below_one_and_relative_above(size):
    LearnerValue(size * (1 + 0.9e-5), label="it").equals(size)
    with pytest.raises(Wrong):
        LearnerValue(size * (1 + 1.1e-5), label="it").equals(size)
    LearnerValue(0.9e-5, label="it").equals(0.0)


class FloatThatLoops(np.float64):
    def __float__(self):
        while True:
            pass


class FloatThatRaises(np.float64):
    def __float__(self):
        raise RuntimeError("no")


class DeniesItsParts:
    def __getattr__(self, name):
        raise RuntimeError(f"no {name}")

    def __call__(self, *_):
        return 1.0


class DeniesItsClass:
    @property
    def __class__(self):
        raise RuntimeError("no class")


class ErrorWithoutClass(Exception):
    @property
    def __class__(self):
        raise RuntimeError("no class")


def raises_an_error_without_class(p):
    raise ErrorWithoutClass


@pytest.mark.parametrize(
    "answer",
    [
        lambda p: FloatThatLoops(1.0),
        lambda p: FloatThatRaises(1.0),
        lambda p: DeniesItsParts(),
        lambda p: DeniesItsClass(),
        raises_an_error_without_class,
    ],
    ids=["float that loops", "float that raises", "no attributes", "no class", "error without class"],
)
def test_objects_that_lie_about_themselves_get_feedback(answer):
    assert not lesson().check("mean_loss", answer).passed


def test_a_callable_that_denies_its_parts_gets_feedback():
    assert not lesson().check("mean_loss", DeniesItsParts()).passed


@pytest.mark.parametrize("make", [DeniesItsClass, lambda: FloatThatRaises(1.0), DeniesItsParts])
def test_values_that_lie_about_themselves_get_feedback(make):
    value = Exercise(name="half", checker=lambda half: half.equals(0.5), hints=("Halve it.",), asks="value")
    assert not check(value, make(), seconds=1).passed


def test_a_visible_check_says_what_it_knows_and_no_more() -> None:
    right = str(try_out(lambda p: -np.log(p), np.array([0.5]), gives=[np.log(2)]))
    assert right == "✓ <lambda>: right on this example; others decide the marks."
    assert "gave [0.5], but [0.693" in str(
        try_out(lambda p: p, np.array([0.5]), gives=[np.log(2)], because="it is -ln p")
    )
    assert str(try_out(..., 1, gives=2)) == "✗ Your function: not yet. It is not written yet."
    assert "True was expected" in str(try_out(lambda p: False, 1, gives=True))
    assert str(try_out(lambda p: "plateau", 1, gives="plateau")).startswith("✓")


@pytest.mark.parametrize(
    ("value", "kind", "shape", "says"),
    [
        (1.5, "number", None, "✓ steps: a number, as asked for; whether it is the right one is not said here."),
        ([1, 2], "array", (2,), "✓ steps: an array, as asked for; whether it is the right one is not said here."),
        ([1, 2], "array", (3,), "✗ steps: not yet. Your answer is an array of shape (2,)"),
        (np.bool_(True), "truth", None, "✓ steps: True or False, as asked for"),
        ("a", "number", None, "✗ steps: not yet. Your answer is"),
        (..., "text", None, "✗ steps: not yet. It is not written yet"),
    ],
)
def test_a_value_is_looked_at_for_its_kind(value: object, kind: str, shape: tuple[int, ...] | None, says: str) -> None:
    assert str(look_at(value, name="steps", kind=kind, shape=shape)).startswith(says)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (..., ["facts is no list yet."]),
        ("ab", ["facts is no list yet."]),
        ((1, "A "), ["✓ facts, number 1: a number", "✓ facts, number 2: one of those to choose from"]),
        ([..., None], ["– facts, number 1: left out", "– facts, number 2: left out"]),
        (["1", 2], ["✗ facts, number 1: not yet.", "✗ facts, number 2: not yet."]),
        (np.array([1.0]), ["facts has 1 entries; 2 are asked for.", "✓ facts, number 1: a number"]),
        ([1, "c"], ["✓ facts, number 1", "✗ facts, number 2: 'c' is none of a, b"]),
    ],
)
def test_each_entry_of_a_list_is_looked_at(values: object, says: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    look_at_each(values, name="facts", kinds=["number", ("a", "b")])
    lines = [line for line in capsys.readouterr().out.splitlines() if line[:1] in "✓✗–f"]
    assert [line[: len(told)] for line, told in zip(lines, says, strict=True)] == says

import base64
import html

import ipywidgets
import pytest

from lossacc_helpers.figures import LabelledFigure, Picture
from lossacc_helpers.widgets import CommitView, Explorer, Guess, PlayedSlider, Prediction, Recall, Scale, controls
from lossacc_helpers.widgets.naming import Names
from tests.moving import move_every_control
from tests.pictures import price_picture

WIDGET = "application/vnd.jupyter.widget-view+json"
EVIL = '<script>alert("&")</script>'


def price_explorer(**keywords):
    return Explorer(price_picture, {"p": controls.slider("p", 0.01, 1, step=0.01, value=0.5)}, **keywords)


def numbers_explorer():
    def builder():
        figure = LabelledFigure(sentence="Bars.", width=300, height=150)
        bars = figure.subplots().bar(range(7), [0] * 7, animated=True)
        figure.axes[0].set_ylim(0, 10)

        def move(**state):
            for bar, value in zip(bars, state.values(), strict=True):
                bar.set_height(float(value))
            return ", ".join(f"{name} {value:g}" for name, value in state.items())

        return Picture(figure, move)

    return Explorer(
        builder,
        {
            "rate": controls.log_slider("rate", 1e-3, 1, value=0.1),
            "hidden": controls.dropdown("hidden units", [2, 4, 8], value=4),
            "split": controls.toggle("split", {"sorted": 0, "shuffled": 1}, value=0),
            "count": controls.whole_slider("count", 0, 9, value=3),
            "shown": controls.checkbox("shown"),
            "epoch": PlayedSlider(least=0, greatest=8, description="epoch"),
            "again": controls.button("other seed"),
        },
    )


def test_every_sort_of_control_moves_the_picture():
    move_every_control(numbers_explorer())


def test_a_control_that_changes_nothing_is_found():
    explorer = Explorer(
        lambda: Picture(price_picture().figure, lambda **_: "same"), {"p": controls.checkbox("idle", value=True)}
    )
    with pytest.raises(AssertionError, match="p changes nothing"):
        move_every_control(explorer)


def test_the_readout_and_the_png_follow_the_slider():
    explorer = price_explorer()
    before = explorer._image.value
    explorer.controls["p"].value = 0.25
    assert explorer.readout == "At p = 0.25 the sample costs 1.386 nats."
    assert explorer._image.value != before
    assert 'role="status"' in explorer._status.value
    assert 'aria-live="polite"' in explorer._status.value


def test_the_stored_output_is_the_picture_and_its_sentence_in_the_state_shown():
    explorer = price_explorer()
    explorer.controls["p"].value = 0.1
    data, metadata = explorer._repr_mimebundle_()
    assert data["text/plain"].endswith("costs 2.303 nats.")
    assert metadata["image/png"]["alt"] == data["text/plain"]
    png = base64.b64decode(data["image/png"])
    assert png == explorer.picture.figure.png(small=True)
    assert len(png) < 60_000
    assert data[WIDGET]["model_id"] == explorer.model_id


def test_what_stands_in_the_box_is_named_for_screen_readers():
    """That the names arrive in the page, axe says in tests/browser."""
    explorer = price_explorer()
    [names] = [child for child in explorer.children if isinstance(child, Names)]
    assert names.picture == explorer.picture.figure.sentence
    assert names.layout.display == "none"


def test_the_picture_has_a_fixed_size_so_that_the_page_does_not_move():
    explorer = price_explorer()
    assert (explorer._image.layout.width, explorer._image.layout.height) == ("840px", "440px")


def test_an_error_is_told_and_raised_and_the_next_good_state_clears_it():
    def compute(*, p):
        if p > 0.9:
            raise ZeroDivisionError(EVIL)
        return {"p": p}

    explorer = price_explorer(compute=compute)
    good = explorer._image.value
    with pytest.raises(ZeroDivisionError):
        explorer.controls["p"].value = 0.95
    assert isinstance(explorer.error, ZeroDivisionError)
    assert explorer.readout.startswith("Something went wrong")
    assert "ZeroDivisionError" in explorer.readout
    assert EVIL not in explorer._status.value
    assert html.escape(EVIL) in explorer._status.value
    assert explorer._image.value == good
    explorer.controls["p"].value = 0.5
    assert explorer.error is None
    assert "0.693" in explorer.readout


def test_an_error_behind_a_button_is_found_by_moving_it():
    def builder():
        return Picture(LabelledFigure(sentence="Empty.", width=100, height=100), lambda *, again: str(1 / (1 - again)))

    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        move_every_control(Explorer(builder, {"again": controls.button("again")}))


def test_a_slow_state_can_be_announced_before_it_is_computed():
    said = []

    def compute(*, p):
        if p > 0.5:
            explorer.announce("Compiling once ...")
            said.append(explorer._status.value)
        return {"p": p}

    explorer = price_explorer(compute=compute)
    explorer.controls["p"].value = 0.75
    assert len(said) == 1
    assert "Compiling once ..." in said[0]
    assert explorer.readout == "At p = 0.75 the sample costs 0.288 nats."
    assert explorer.readout in explorer._status.value


def test_a_played_slider_follows_both_and_sets_neither():
    played = PlayedSlider(least=1, greatest=200, description="epoch", value=5)
    assert played.value == 5
    played.play.value = 50
    assert (played.value, played.slider.value) == (50, 5)
    played.slider.value = 70
    assert (played.value, played.play.value) == (70, 50)


def test_every_control_has_a_label_with_room_for_it():
    explorer = numbers_explorer()
    assert all(control.description for control in explorer.controls.values())
    widths = {
        control.style.description_width
        for control in explorer.controls.values()
        if not isinstance(control, ipywidgets.Button | PlayedSlider)
    }
    assert widths == {"106px"}


def test_a_logarithmic_slider_refuses_zero():
    with pytest.raises(ValueError, match="0 < least < greatest; got 0 and 1"):
        controls.log_slider("rate", 0, 1, value=0.1)


HALF = Prediction(
    name="half",
    question=f"What happens at 0.49? {EVIL}",
    came_out="Accuracy stays 0.",
    guesses=(Guess(text=f"Both move {EVIL}", outcome="Only loss did."), Guess(text="Loss only.", outcome="So it is.")),
)
LEVEL = Prediction(
    name="level",
    question="How many epochs are flat?",
    came_out="76%.",
    scale=Scale(least=0, greatest=100, step=5, label="percent", outcome=lambda made: f"{abs(made - 76):g} points off."),
)


def test_a_prediction_is_locked_once_committed():
    made = {}
    view = CommitView(HALF, made)
    view.button.click()
    assert made == {}
    assert "Choose one first" in view.message
    view.control.value = "Loss only."
    view.button.click()
    assert made == {"half": "Loss only."}
    assert view.message == "Your prediction is locked: Loss only. The lesson returns to it."
    assert view.control.disabled
    assert view.button.disabled


def test_a_cell_run_again_shows_the_prediction_still_locked():
    made = {"half": "Loss only."}
    view = CommitView(HALF, made)
    assert view.control.value == "Loss only."
    assert view.control.disabled
    view.control.value = HALF.guesses[0].text
    view.commit()
    assert made == {"half": "Loss only."}
    assert view.control.value == "Loss only."


def test_a_number_can_be_predicted():
    made = {}
    view = CommitView(LEVEL, made)
    assert view.control.value == 50
    view.control.value = 80
    view.button.click()
    assert made == {"level": 80}
    assert str(Recall(LEVEL, 80)).splitlines() == [
        "How many epochs are flat?",
        "You predicted: 80",
        "What came out: 76%.",
        "So: 4 points off.",
    ]
    assert isinstance(CommitView(Prediction(name="r", question="?", came_out="!", scale=Scale(
        least=0, greatest=1, step=0.25, label="r", outcome=str)), {}).control, ipywidgets.FloatSlider)  # fmt: skip


def test_the_recall_sets_the_guess_beside_what_came_out():
    assert str(Recall(HALF, "Loss only.")).splitlines()[1:] == [
        "You predicted: Loss only",
        "What came out: Accuracy stays 0.",
        "So: So it is.",
    ]
    assert "What came out: computed." in str(Recall(HALF, "Loss only.", "computed."))


def test_the_recall_is_kind_where_nothing_was_committed():
    lines = str(Recall(HALF, None)).splitlines()
    assert lines[1] == "You predicted: nothing yet. That is fine: what would you have said?"
    assert lines[2] == "What came out: Accuracy stays 0."


def test_a_stored_prediction_shows_question_and_guesses_and_no_answer():
    data, _ = CommitView(HALF, {"half": "Loss only."})._repr_mimebundle_()
    stored = data["text/plain"] + data["text/html"]
    for guess in HALF.guesses:
        assert guess.text in data["text/plain"]
        assert guess.outcome not in stored
    assert HALF.came_out not in stored
    assert "locked" not in stored
    assert WIDGET in data


def test_a_prediction_escapes_its_texts():
    view = CommitView(HALF, {})
    data, _ = view._repr_mimebundle_()
    recall = Recall(HALF, HALF.guesses[0].text)._repr_mimebundle_()
    shown = [child.value for child in view.children if isinstance(child, ipywidgets.HTML)]
    for text in (data["text/html"], recall["text/html"], *shown):
        assert "<script" not in text
    assert html.escape(EVIL) in data["text/html"]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({}, "guesses or a scale"),
        ({"guesses": HALF.guesses, "scale": LEVEL.scale}, "guesses or a scale"),
        ({"guesses": HALF.guesses[:1]}, "two or more different guesses"),
        ({"guesses": HALF.guesses[:1] * 2}, "two or more different guesses"),
        ({"guesses": HALF.guesses, "question": " "}, "needs a name, a question"),
    ],
)
def test_an_ill_made_prediction_is_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        Prediction(**{"name": "x", "question": "Why?", "came_out": "So.", **keywords})


def test_an_ill_made_scale_is_refused():
    with pytest.raises(ValueError, match="least < greatest"):
        Scale(least=1, greatest=0, step=0.1, label="x", outcome=str)

"""The clinic reads what trainings print and store: every age of Keras, PyTorch's habits, tables, and nonsense."""

import contextlib
import io
import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossacc_helpers.clinic import Log, Unreadable, diagnose, read
from lossacc_helpers.clinic.names import understand
from lossacc_helpers.history import PredictionHistory, TrainingRun

KERAS_1 = (
    "Train on 1598 samples, validate on 140 samples\nEpoch 1/3\n"
    "  32/1598 [......] - ETA: 12s - loss: 0.7012 - acc: 0.5000\x08\x08\x08\x08\x08"
    " 960/1598 [==>...] - ETA: 3s - loss: 0.65 - acc: 0.61\x08\x08\x08"
    "1598/1598 [======] - 9s - loss: 0.6012 - acc: 0.6733 - val_loss: 0.6105 - val_acc: 0.6600\n"
    "Epoch 2/3\n1598/1598 [======] - 9s - loss: 0.5 - acc: 0.7500 - val_loss: 0.58 - val_acc: 0.7000\n"
    "Epoch 3/3\n1598/1598 [======] - 9s - loss: 0.4 - acc: 0.8000 - val_loss: 0.55 - val_acc: 0.7200\n"
)

KERAS_2 = (
    "Epoch 1/2\n   1/1875 [......] - ETA: 5:11 - loss: 2.3871 - accuracy: 0.0625\r"
    " 600/1875 [==>...] - ETA: 2s - loss: 0.52 - accuracy: 0.85\r"
    "1875/1875 [======] - 4s 2ms/step - loss: 0.2954 - accuracy: 0.9140 - val_loss: 0.1400 - val_accuracy: 0.9580\n\n"
    "Epoch 00001: val_loss improved from inf to 0.14000, saving model to best.h5\n"
    "Epoch 2/2\n"
    "1875/1875 [======] - 4s 2ms/step - loss: 1.431e-01 - accuracy: 0.9574 - val_loss: 0.1 - val_accuracy: 0.9690\n\n"
    "Epoch 00002: val_loss improved from 0.14000 to 0.10000, saving model to best.h5\n"
    "313/313 [======] - 0s 1ms/step - loss: 0.0981 - accuracy: 0.9701\n"
)

_BAR = "\x1b[0m \x1b[32m━━━━━\x1b[0m\x1b[37m━━━━━\x1b[0m \x1b[1m"
_FULL = f"\x1b[1m118/118{_BAR}1s\x1b[0m 4ms/step - "
KERAS_3 = (
    f"Epoch 1/2\n\x1b[1m 32/118{_BAR}0s\x1b[0m 2ms/step - accuracy: 0.31 - loss: 1.9\r"
    f"{_FULL}accuracy: 0.6012 - loss: 1.1000 - val_accuracy: 0.6500 - val_loss: 0.9000 - learning_rate: 0.0010\n"
    f"Epoch 2/2\n"
    f"{_FULL}accuracy: 0.7000 - loss: 0.8000 - val_accuracy: 0.7100 - val_loss: nan - learning_rate: 0.0010\n"
)


def curves(log):
    return [
        None if part is None else np.round(part, 4).tolist()
        for part in (log.loss, log.accuracy, log.validation_loss, log.validation_accuracy)
    ]


def test_bars_of_the_first_keras_that_are_drawn_over_with_backspaces():
    log = read(KERAS_1)
    assert curves(log) == [[0.6012, 0.5, 0.4], [0.6733, 0.75, 0.8], [0.6105, 0.58, 0.55], [0.66, 0.7, 0.72]]
    assert log.epochs.tolist() == [1, 2, 3]
    assert log.metric == "acc"


def test_bars_of_the_second_keras_with_checkpoints_and_an_evaluation_after_the_training():
    log = read(KERAS_2)
    assert curves(log) == [[0.2954, 0.1431], [0.914, 0.9574], [0.14, 0.1], [0.958, 0.969]]
    assert log.after == {"loss": 0.0981, "accuracy": 0.9701}


def test_bars_of_today_with_colours_and_a_loss_that_is_no_number():
    log = read(KERAS_3)
    assert curves(log)[:2] == [[1.1, 0.8], [0.6012, 0.7]]
    assert np.isnan(log.validation_loss[1])
    assert log.broken.tolist() == [False, True]
    np.testing.assert_allclose(log.others["learning rate"], 0.001)


ONE_LINE = "Epoch {0}/30 - loss: {1} - {2}: {3} - val_loss: {4} - val_{2}: {5}"


@pytest.mark.parametrize(
    "metric", ["acc", "accuracy", "categorical_accuracy", "sparse_categorical_accuracy", "binary_accuracy"]
)
def test_one_line_an_epoch_and_every_name_of_accuracy(metric):
    text = "\n".join(ONE_LINE.format(k, 0.5 / k, metric, 0.7 + 0.05 * k, 0.6 / k, 0.65 + 0.05 * k) for k in (1, 2, 3))
    log = read(text)
    assert curves(log)[1] == [0.75, 0.8, 0.85]
    assert curves(log)[3] == [0.7, 0.75, 0.8]
    assert log.metric == metric.replace("_", " ")


OTHERS = {
    "percent and bars": (
        "Epoch 1 | Train Loss: 0.50 | Train Acc: 80.2% | Val. Loss: 0.6 | Val. Acc: 77.0%\n"
        "Epoch 2 | Train Loss: 0.40 | Train Acc: 82.2% | Val. Loss: 0.5 | Val. Acc: 79.0%"
    ),
    "percent without a sign": (
        "epoch=1 train_loss=0.50 train_acc=80.2 val_loss=0.6 val_acc=77.0\n"
        "epoch=2 train_loss=0.40 train_acc=82.2 val_loss=0.5 val_acc=79.0"
    ),
    "two lines an epoch": (
        "Epoch 1/2\n----------\ntrain Loss: 0.5 Acc: 0.802\nval Loss: 0.6 Acc: 0.770\n\n"
        "Epoch 2/2\n----------\ntrain Loss: 0.4 Acc: 0.822\nval Loss: 0.5 Acc: 0.790\n\nTraining complete in 1m 3s"
    ),
    "brackets": (
        "[Epoch 1] loss=0.5 val_loss=0.6 acc=0.802 val_acc=0.770 lr=1e-3\n"
        "[Epoch 2] loss=0.4 val_loss=0.5 acc=0.822 val_acc=0.790 lr=1e-3"
    ),
    "shares as fractions": (
        "Epoch: 1\tTrain loss: 0.5, Accuracy: 802/1000 (80%)\nTest set: Average loss: 0.6, Accuracy: 770/1000 (77%)\n"
        "Epoch: 2\tTrain loss: 0.4, Accuracy: 822/1000 (82%)\nTest set: Average loss: 0.5, Accuracy: 790/1000 (79%)"
    ),
    "no numbers of epochs": (
        "train loss 0.5 acc 0.802 val loss 0.6 acc 0.770\ntrain loss 0.4 acc 0.822 val loss 0.5 acc 0.790"
    ),
    "Keras's CSVLogger": "epoch,acc,loss,val_acc,val_loss\n0,0.802,0.5,0.770,0.6\n1,0.822,0.4,0.790,0.5\n",
    "Lightning's CSV": (
        "epoch,step,train_acc,train_loss,val_acc,val_loss\n0,49,,,0.770,0.6\n0,49,0.802,0.5,,\n"
        "1,99,,,0.790,0.5\n1,99,0.822,0.4,,\n"
    ),
    "semicolons": "epoch;loss;acc;val_loss;val_acc\n1;0.5;0.802;0.6;0.770\n2;0.4;0.822;0.5;0.790",
    "a history": json.dumps(
        {"loss": [0.5, 0.4], "acc": [0.802, 0.822], "val_loss": [0.6, 0.5], "val_acc": [0.77, 0.79]}
    ),
    "a history inside": json.dumps(
        {"params": {"epochs": 2}, "history": {"loss": [0.5, 0.4], "acc": [0.802, 0.822], "val_loss": [0.6, 0.5],
                                              "val_acc": [0.77, 0.79]}}
    ),
    "one object a line": (
        '{"epoch": 1, "loss": 0.5, "acc": 0.802, "val_loss": 0.6, "val_acc": 0.77}\n'
        '{"epoch": 2, "loss": 0.4, "acc": 0.822, "val_loss": 0.5, "val_acc": 0.79}\n'
    ),
    "names with a number": (
        "Epoch 1/2 - loss_3: 0.5 - acc_1: 0.802 - val_loss_3: 0.6 - val_acc_1: 0.770\n"
        "Epoch 2/2 - loss_3: 0.4 - acc_1: 0.822 - val_loss_3: 0.5 - val_acc_1: 0.790"
    ),
    "further metrics beside": (
        "Epoch 1/2 - loss: 0.5 - acc: 0.802 - top_k_acc: 0.99 - auc: 0.91 - val_loss: 0.6 - val_acc: 0.770 - lr: 1e-3\n"
        "Epoch 2/2 - loss: 0.4 - acc: 0.822 - top_k_acc: 0.99 - auc: 0.92 - val_loss: 0.5 - val_acc: 0.790 - lr: 1e-3"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_habits_say_the_same(name):
    log = read(OTHERS[name])
    assert curves(log) == [[0.5, 0.4], [0.802, 0.822], [0.6, 0.5], [0.77, 0.79]]


def test_what_stands_around_is_counted_and_not_fatal():
    text = "loading data ...\nusing GPU 0\n" + OTHERS["brackets"] + "\nbye\n"
    log = read(text)
    assert curves(log) == curves(read(OTHERS["brackets"]))
    assert log.skipped == 3


def test_steps_within_an_epoch_leave_the_last():
    text = "\n".join(
        f"Train Epoch: {epoch} [{step}/60000 ({step // 600}%)]\tLoss: {3 / epoch - step / 1e5:.4f}"
        for epoch in (1, 2)
        for step in range(0, 60000, 6400)
    )
    assert curves(read(text))[0] == [round(3 - 0.576, 4), round(1.5 - 0.576, 4)]


def test_two_trainings_leave_the_last_and_a_note():
    log = read(OTHERS["brackets"] + "\n" + OTHERS["brackets"].replace("0.5", "0.3"))
    assert curves(log)[0] == [0.3, 0.4]
    assert "There are 2 trainings in it; this is the last." in log.notes


def test_the_best_k_answers_are_taken_only_where_there_is_no_accuracy():
    text = "\n".join(
        f"Epoch {k}/3 - loss: 0.5 - top_k_acc: 1.0 - val_loss: 0.5 - val_top_k_acc: 1.0" for k in (1, 2, 3)
    )
    assert read(text).metric == "top k acc"
    assert read(OTHERS["further metrics beside"]).metric == "acc"


def test_a_test_after_the_last_epoch_is_no_validation():
    plain = "\n".join(f"Epoch {k}/4 - loss: {1 / k} - acc: 0.{5 + k}" for k in (1, 2, 3, 4))
    log = read(plain + "\nTest loss: 0.41\nTest accuracy: 0.81")
    assert log.validation_loss is None
    assert log.after == {"test loss": 0.41, "test accuracy": 0.81}
    with_validation = read(OTHERS["brackets"] + "\nTest loss: 0.7 - test acc: 0.6")
    assert curves(with_validation) == curves(read(OTHERS["brackets"]))
    assert with_validation.after == {"test loss": 0.7, "test acc": 0.6}


# Objects and files -------------------------------------------------------------------------------------------------


class Frame:
    """What the clinic needs of a pandas frame."""

    def __init__(self, columns):
        self._columns = columns
        self.columns = list(columns)

    def __getitem__(self, name):
        return self._columns[name]

    def to_dict(self):
        return self._columns


def test_histories_mappings_and_frames_are_read():
    columns = {
        "loss": [0.5, 0.4],
        "accuracy": np.array([0.8, 0.9]),
        "val_loss": (0.6, 0.5),
        "val_accuracy": [0.7, 0.75],
    }
    expected = [[0.5, 0.4], [0.8, 0.9], [0.6, 0.5], [0.7, 0.75]]
    assert curves(read(columns)) == expected
    assert curves(read(Frame(columns))) == expected
    assert curves(read(type("History", (), {"history": columns})())) == expected


def test_a_recorded_training_is_read_as_it_is_scored():
    generator = np.random.default_rng(0)
    parts = [
        PredictionHistory(generator.integers(0, 3, 8), np.log(generator.dirichlet(np.ones(3), size=(5, 8))))
        for _ in range(2)
    ]
    log = read(TrainingRun(*parts))
    np.testing.assert_allclose(log.loss, parts[0].loss)
    np.testing.assert_allclose(log.validation_accuracy, parts[1].accuracy)
    many = PredictionHistory(np.zeros(4, dtype=int), np.log(generator.dirichlet(np.ones(3), size=(2, 5, 4))))
    with pytest.raises(Unreadable, match="2 networks has many curves; take one"):
        read(TrainingRun(many))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_files_in_every_encoding_are_read(tmp_path, encoding):
    path = tmp_path / "größe.log"
    path.write_bytes(("Größe: 3\n" + OTHERS["brackets"]).encode(encoding))
    expected = curves(read(OTHERS["brackets"]))
    assert curves(read(path)) == expected
    assert curves(read(str(path))) == expected
    assert curves(read(path.read_bytes())) == expected
    assert curves(read(io.BytesIO(path.read_bytes()))) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "there is nothing in it"),
        (b"", "there is nothing in it"),
        ("hello\nworld", "none of its 2 lines names a loss or an accuracy with a number"),
        (bytes(range(256)) * 40, "names a loss or an accuracy"),
        ({"lr": [0.1]}, "no list that is named like a loss or an accuracy; it has 'lr'"),
        ({}, "it has no names at all"),
        (3.5, "curves of type float cannot be read"),
    ],
)
def test_what_says_nothing_is_refused_with_an_example(given, message):
    with pytest.raises(Unreadable, match=message) as caught:
        read(given)
    shown = str(caught.value).split("for example:\n")[1]
    assert len(read(shown).epochs) == 2  # the example can be read


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(Unreadable, match="cannot be opened"):
        read(tmp_path / "no.log")


def test_one_epoch_and_very_many_lines():
    assert read("loss: 0.5").loss.tolist() == [0.5]
    text = "\n".join(f"Epoch {k} - loss: {1 / k:.4f} - val_loss: {1 / k:.4f}" for k in range(1, 20_001))
    assert len(read(text).epochs) == 20_000


# Whatever comes ----------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_no_text_brings_it_down(text):
    try:
        log = read(text + "\n")
    except Unreadable:
        return
    assert isinstance(log, Log)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(content):
    with contextlib.suppress(Unreadable):
        assert isinstance(read(content), Log)


FRAGMENTS = ["Epoch 3/5", "loss: 0.5", "val_acc=71%", " - ", "\r", "\x1b[1m", "12/40 [==>..]", "nan", "{", ",", "epoch"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*FRAGMENTS, "\n", "acc: 0.8", "accuracy", '"loss":', "[0.1, 0.2]"]), max_size=30))
def test_no_shuffled_log_brings_it_down(fragments):
    try:
        log = read("".join(fragments) + "\n")
    except Unreadable:
        return
    for part in (log.loss, log.accuracy, log.validation_loss, log.validation_accuracy):
        assert part is None or part.shape == log.epochs.shape


@settings(max_examples=60, deadline=None)
@given(st.permutations(["loss", "accuracy", "val_loss", "val_accuracy", "lr", "f1"]))
def test_the_order_of_names_makes_no_difference(order):
    values = {"loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.7, "lr": 0.001, "f1": 0.4}
    text = "\n".join(
        f"Epoch {k}/2 - " + " - ".join(f"{name}: {values[name] / k:.4f}" for name in order) for k in (1, 2)
    )
    assert curves(read(text)) == [[0.5, 0.25], [0.8, 0.4], [0.6, 0.3], [0.7, 0.35]]


# Names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "quantity", "validation"),
    [
        ("loss", "loss", False),
        ("val_loss", "loss", True),
        ("Validation Loss", "loss", True),
        ("trainLoss", "loss", False),
        ("train/loss_epoch", "loss", False),
        ("cross_entropy", "loss", False),
        ("test_acc", "accuracy", True),
        ("acc_7", "accuracy", False),
        ("dense_2_accuracy", "accuracy", False),
        ("val_masked_accuracy", "accuracy", True),
        ("top_k_categorical_accuracy", "top accuracy", False),
        ("val_top5_acc", "top accuracy", True),
        ("balanced_accuracy", None, False),
        ("lr", None, False),
        ("train_loss_step", None, False),
        ("auc", None, False),
    ],
)
def test_names_are_understood(name, quantity, validation):
    known = understand(name)
    assert (known.quantity, known.validation) == (quantity, validation)


# TensorBoard's event files -------------------------------------------------------------------------------------------


def write_series(folder, series):
    """Write scalars as PyTorch's and Lightning's loggers do: name -> {step: value}."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    for name, values in series.items():
        for step, value in values.items():
            writer.add_event(Event(step=step, summary=Summary(value=[Summary.Value(tag=name, simple_value=value)])))
    writer.close()
    return next(folder.glob("*.tfevents.*"))


def test_what_keras_writes_for_tensorboard_is_what_it_returns(tmp_path):
    pytest.importorskip("tensorboard")
    import keras

    generator = np.random.default_rng(0)
    features, labels = generator.normal(size=(60, 4)), generator.integers(0, 2, 60)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        features,
        labels,
        validation_split=0.3,
        epochs=4,
        verbose=0,
        callbacks=[keras.callbacks.TensorBoard(tmp_path / "run", write_graph=False, update_freq=1)],
    ).history
    training = next((tmp_path / "run" / "train").glob("*.tfevents.*"))
    for place in (tmp_path / "run", str(tmp_path / "run"), training):
        log = read(place)
        assert log.epochs.tolist() == [1, 2, 3, 4]
        np.testing.assert_allclose(log.loss, history["loss"], rtol=1e-6)
        np.testing.assert_allclose(log.accuracy, history["accuracy"], rtol=1e-6)
        np.testing.assert_allclose(log.validation_loss, history["val_loss"], rtol=1e-6)
        np.testing.assert_allclose(log.validation_accuracy, history["val_accuracy"], rtol=1e-6)


def test_series_at_steps_of_their_own_are_put_into_epochs(tmp_path):
    pytest.importorskip("tensorboard")
    file = write_series(
        tmp_path,
        {
            "Loss/train": {10: 0.9, 20: 0.7, 30: 0.5, 40: 0.3},
            "Loss/val": {20: 1.0, 40: 0.8},
            "Accuracy/val": {20: 0.5, 40: 0.6},
            "lr": {10: 0.1},
        },
    )
    log = read(file)
    np.testing.assert_allclose(log.loss, [0.8, 0.4], rtol=1e-6)
    np.testing.assert_allclose(log.validation_loss, [1.0, 0.8], rtol=1e-6)
    np.testing.assert_allclose(log.validation_accuracy, [0.5, 0.6], rtol=1e-6)
    assert log.accuracy is None


def test_the_epochs_that_lightning_writes_beside_its_steps_are_used(tmp_path):
    pytest.importorskip("tensorboard")
    file = write_series(
        tmp_path,
        {
            "train_loss": {9: 0.9, 19: 0.7, 29: 0.6},
            "val_loss": {9: 1.0, 19: 0.9, 29: 0.8},
            "val_acc": {9: 0.5, 19: 0.6, 29: 0.7},
            "epoch": {9: 0, 19: 1, 29: 2},
        },
    )
    log = read(file)
    assert log.epochs.tolist() == [1, 2, 3]
    np.testing.assert_allclose(log.loss, [0.9, 0.7, 0.6], rtol=1e-6)


def test_a_folder_of_two_runs_asks_for_one_of_them(tmp_path):
    pytest.importorskip("tensorboard")
    for name in ("first", "second"):
        (tmp_path / name / "train").mkdir(parents=True)
        write_series(tmp_path / name / "train", {"epoch_loss": {0: 0.9, 1: 0.7}})
    with pytest.raises(Unreadable, match="holds 2 runs; give the folder of one of them"):
        read(tmp_path)
    np.testing.assert_allclose(read(tmp_path / "first").loss, [0.9, 0.7], rtol=1e-6)


def test_events_that_say_nothing_or_cannot_be_read_are_refused(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    file = write_series(tmp_path, {"learning_rate": {0: 0.1}})
    with pytest.raises(Unreadable, match="holds no series that is named like a loss"):
        read(file)
    broken = tmp_path / "other" / "events.out.tfevents.1"
    broken.parent.mkdir()
    broken.write_bytes(b"no events at all")
    with pytest.raises(Unreadable, match="holds no series"):
        read(broken)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unreadable, match="a folder without"):
        read(tmp_path / "empty")
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.backend.event_processing.event_accumulator", None)
    with pytest.raises(Unreadable, match="which is not installed here"):
        read(file)


# Lists, as Python prints a history ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{'loss': [0.5, 0.4, nan], 'accuracy': [0.6, 0.7, 0.8], 'val_loss': [0.6, 0.5, 0.4]}",
        "{'loss': [np.float64(0.5), np.float64(0.4), nan], 'accuracy': [0.6, 0.7, 0.8], 'val_loss': [0.6, 0.5, 0.4]}",
        ">>> print(h)\n{'accuracy': [0.6,\n 0.7, 0.8],\n 'loss': [0.5, 0.4, nan], 'val_loss': [0.6, 0.5, .4]}",
        "loss: [0.5, 0.4, nan]\nacc: [0.6, 0.7, 0.8]\nval_loss = [0.6, 0.5, 0.4]",
    ],
)
def test_lists_are_read_as_curves(text):
    log = read(text)
    np.testing.assert_array_equal(log.loss, [0.5, 0.4, np.nan])
    np.testing.assert_array_equal(log.accuracy, [0.6, 0.7, 0.8])
    np.testing.assert_array_equal(log.validation_loss, [0.6, 0.5, 0.4])
    assert log.broken.tolist() == [False, False, True]


def test_accuracies_of_two_decimals_say_nothing_of_how_many_samples_there_are():
    rounded = np.round(np.random.default_rng(0).uniform(0.5, 0.9, 12), 2)
    assert diagnose({"loss": np.linspace(1, 0.3, 12), "val_accuracy": rounded}).validation_size is None


# What a breaker found -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "loss " + "a" * 20_000,
        "loss" + " " * 20_000 + "x",
        "epoch" + " " * 20_000 + "loss",
        "loss " + "a-" * 10_000,
        "loss" + ":" * 20_000,
        "loss =" + "= " * 10_000,
    ],
)
def test_a_line_that_is_made_to_take_for_ever_does_not(line):
    start = time.perf_counter()
    with pytest.raises(Unreadable):
        read("\n".join([line] * 20))
    assert time.perf_counter() - start < 20  # it took minutes


def test_validation_in_sections_and_columns_of_its_own_is_no_training():
    quickstart = "\n".join(
        f"Epoch {k}\n-----\nloss: {2.29 - k / 10:.2f} [ 6464/60000]\n"
        f"Test Error: \n Accuracy: 4{k}.1%, Avg loss: 2.1{k}\n"
        for k in (1, 2, 3)
    )
    log = read(quickstart)
    np.testing.assert_allclose(log.loss, [2.19, 2.09, 1.99])
    np.testing.assert_allclose(log.validation_loss, [2.11, 2.12, 2.13])
    np.testing.assert_allclose(log.validation_accuracy, [0.411, 0.421, 0.431])
    phases = read("epoch,phase,loss,acc\n1,train,0.9,0.5\n1,val,0.8,0.55\n2,train,0.7,0.6\n2,val,0.75,0.58")
    np.testing.assert_allclose(phases.loss, [0.9, 0.7])
    np.testing.assert_allclose(phases.validation_loss, [0.8, 0.75])
    assert phases.epochs.tolist() == [1, 2]


@pytest.mark.parametrize(
    "after",
    [
        "Early stopping at epoch 2. Best epoch 1 with val_loss 0.60, val_acc 0.70",
        "Restoring model from epoch 1: val_loss 0.70",
        "Baseline loss 0.3 acc 0.91",
    ],
)
def test_what_is_said_after_a_training_changes_no_epoch(after):
    lines = "Epoch 1: loss 0.9 acc 0.5 val_acc 0.55\nEpoch 2: loss 0.7 acc 0.6 val_acc 0.58"
    assert curves(read(f"{lines}\n{after}")) == curves(read(lines))


def test_decimal_commas_between_semicolons_and_a_rank_before_the_epoch():
    table = read("epoch;loss;val_loss\n1;2,303;2,202\n2;1,512;1,498\n3;0,931;0,955")
    np.testing.assert_allclose(table.loss, [2.303, 1.512, 0.931])
    assert read("[0] Epoch 1 loss: 0.9\n[0] Epoch 2 loss: 0.7").epochs.tolist() == [1, 2]


def test_numbers_beyond_all_measure_are_no_epochs():
    for odd in ("Epoch 99999999999999999999999 loss: 0.5\nEpoch 2 loss: 0.4", "epoch,loss\n1e30,0.5\n2,0.4"):
        assert read(odd).loss is not None
    with pytest.raises(Unreadable):
        read("epoch,loss\n1," + "x" * 200_000)

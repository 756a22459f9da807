"""The benchmark runs, its contestants train the same thing, and its table says what was measured."""

import json

import numpy as np
import pytest

from benchmarks import run as benchmark


@pytest.mark.parametrize(
    "contestant",
    [benchmark.keras_fit, benchmark.scikit_learn, benchmark.numpy_training, lambda *asked: benchmark.ours(*asked, 2)],
    ids=["Keras", "scikit-learn", "NumPy", "ours"],
)
def test_every_contestant_gives_loss_and_accuracy_of_both_parts_after_every_epoch(contestant):
    curves = contestant(3, 0)
    assert [np.shape(curve)[-1] for curve in curves] == [3] * 4
    for loss, accuracy in (curves[:2], curves[2:]):
        assert 0.3 < np.mean(loss) < 3
        assert 0 <= np.min(accuracy) <= np.max(accuracy) <= 1
    assert np.median(np.diff(curves[0])) < 0  # it trains


@pytest.mark.parametrize("contestant", [benchmark.scikit_learn, benchmark.numpy_training])
def test_the_other_contestants_learn_what_the_network_can_learn(contestant):
    loss, accuracy, _, validation_accuracy = contestant(200, 1)
    assert loss[-1] < 0.2
    assert accuracy[-1] > 0.9
    assert validation_accuracy[-1] > 0.8


MEASURED = {
    "rows": [
        ("Keras `fit`, as asked", 1, [20.0, 30.0, 22.0]),
        ("`fit_replicas`, 32 replicas", 32, [0.1, 0.11, 0.09]),
    ],
    "compilations": {32: 1.5},
    "imports": {"numpy": [0.1, 0.2, 0.1], "lossacc_helpers": [0.15, 0.1, 0.2]},
    "load_before": [0.1, 0.2, 0.3],
}


def test_a_ratio_counts_every_network_as_one_fit():
    summary = benchmark.summary(MEASURED, epochs=200)
    assert [row["median"] for row in summary["rows"]] == [22.0, 0.1]
    assert summary["rows"][1]["ratio"] == pytest.approx(32 * 22 / 0.1)
    assert summary["import_beyond_numpy"] == pytest.approx(0.05)
    table = benchmark.table(summary)
    assert "| `fit_replicas`, 32 replicas | 32 | 3 | 0.1 | 0.09 to 0.11 | 7,040 |" in table
    assert "1.5 s for 32 replicas" in table


def test_storing_keeps_the_prose_and_replaces_the_table(tmp_path, monkeypatch):
    prose = (benchmark.FOLDER / "README.md").read_text(encoding="utf-8").split("<!-- table -->")[0]
    (tmp_path / "README.md").write_text(f"{prose}<!-- table -->\nold\n<!-- end of table -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(benchmark, "FOLDER", tmp_path)
    summary = benchmark.summary(MEASURED, epochs=200)
    for _ in range(2):
        benchmark.store(summary)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    table = f"<!-- table -->\n{benchmark.table(summary)}\n<!-- end of table -->"
    assert text == f"{prose}{table}\nafter\n"
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["rows"] == summary["rows"]

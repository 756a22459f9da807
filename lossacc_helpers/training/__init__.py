"""Keras lives here: recording what a network believes while it trains, and training many replicas of it at once.

Importing this module imports TensorFlow (about nine seconds on two cores) without the lines TensorFlow writes to
the terminal while it starts. Import it before ``keras`` in a notebook whose output should stay clean.

It also takes out of Keras's ``fit`` on arrays a pause that TensorFlow 2.21 makes at the end of an epoch, which can be
as long as half the epoch; nothing else about the training changes.
"""

from lossacc_helpers.training._quiet import import_quietly

import_quietly("tensorflow", "keras")

from lossacc_helpers.training import networks  # noqa: E402  (TensorFlow has to be silenced first)
from lossacc_helpers.training.batch_norm import recompute_batch_norm_statistics  # noqa: E402
from lossacc_helpers.training.diagnosing import DiagnoseTraining  # noqa: E402
from lossacc_helpers.training.pauses import without_pauses  # noqa: E402
from lossacc_helpers.training.recorder import RecordPredictions  # noqa: E402
from lossacc_helpers.training.replicas import fit_replicas  # noqa: E402
from lossacc_helpers.training.steps import RecordSteps  # noqa: E402
from lossacc_helpers.training.stream import stream  # noqa: E402
from lossacc_helpers.training.words import RecordWords, WordRun, smoothed_cross_entropy, words_at  # noqa: E402
from lossacc_helpers.training.writing import write  # noqa: E402

without_pauses()

__all__ = [
    "DiagnoseTraining",
    "RecordPredictions",
    "RecordSteps",
    "RecordWords",
    "WordRun",
    "fit_replicas",
    "networks",
    "recompute_batch_norm_statistics",
    "smoothed_cross_entropy",
    "stream",
    "words_at",
    "write",
]

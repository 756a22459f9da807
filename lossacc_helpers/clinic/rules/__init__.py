"""The rules of the clinic: each looks for the marks of one cause, and says with epochs and numbers what it saw.

A rule takes an `Evidence` and returns a `Finding`, or None where the marks are not there. Where two causes share a
mark, one rule asks the other for it; what excludes what is settled in `diagnosis`. Rules rest on mechanisms: a bound
that a cross-entropy cannot break, a value that a mistake produces, a change that is larger than the noise of its own
curve.
"""

from collections.abc import Callable

from lossacc_helpers.clinic.evidence import Evidence
from lossacc_helpers.clinic.findings import Finding
from lossacc_helpers.clinic.rules.data import (
    distribution_shift,
    shuffled_evaluation,
    small_validation_set,
    unshuffled_validation_split,
)
from lossacc_helpers.clinic.rules.impossible import (
    double_softmax,
    metric_mismatch,
    not_cross_entropy,
    numeric_failure,
    saturated_outputs,
    swapped_arguments,
)
from lossacc_helpers.clinic.rules.modes import batch_norm_statistics, dropout_batch_norm_shift, train_mode_penalty
from lossacc_helpers.clinic.rules.optimisation import extra_loss_terms, optimizer_instability, threshold_plateau
from lossacc_helpers.clinic.rules.rest import cannot_tell, healthy
from lossacc_helpers.clinic.rules.standstill import class_imbalance, constant_predictor
from lossacc_helpers.clinic.rules.turning import label_noise, overconfidence, overfitting, underconfidence

Rule = Callable[[Evidence], Finding | None]

RULES: tuple[Rule, ...] = (
    numeric_failure,
    not_cross_entropy,
    swapped_arguments,
    double_softmax,
    saturated_outputs,
    metric_mismatch,
    class_imbalance,
    constant_predictor,
    overfitting,
    overconfidence,
    label_noise,
    underconfidence,
    train_mode_penalty,
    batch_norm_statistics,
    dropout_batch_norm_shift,
    unshuffled_validation_split,
    shuffled_evaluation,
    distribution_shift,
    small_validation_set,
    optimizer_instability,
    threshold_plateau,
    extra_loss_terms,
    healthy,
    cannot_tell,
)

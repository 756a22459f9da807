"""What the names in a log stand for: the many ways in which programs write loss and accuracy."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

Quantity = Literal["loss", "accuracy", "top accuracy"]

_VALIDATION = frozenset(
    {"val", "vali", "valid", "validate", "validating", "validation", "eval", "evaluation", "dev", "holdout"}
)
_TEST = frozenset({"test", "testing"})  # counts as validation where there is nothing better
_TRAINING = frozenset({"train", "training", "tr", "trn", "fit"})
_FILLERS = frozenset(
    {
        "avg",
        "average",
        "mean",
        "epoch",
        "total",
        "running",
        "final",
        "overall",
        "set",
        "data",
        "model",
        "is",
        "was",
        "on",
    }
)
_LOSS = (
    "loss",
    "losses",
    "cost",
    "nll",
    "logloss",
    "log loss",
    "xent",
    "ce",
    "bce",
    "cross entropy",
    "crossentropy",
    "cross entropy loss",
    "binary crossentropy",
    "categorical crossentropy",
    "sparse categorical crossentropy",
    "nll loss",
    "ce loss",
    "bce loss",
    "mlogloss",
    "binary logloss",
    "multi logloss",
    "objective",
)
_ACCURACY = (
    "acc",
    "accuracy",
    "accuracies",
    "binary accuracy",
    "categorical accuracy",
    "sparse categorical accuracy",
    "multiclass accuracy",
    "masked accuracy",
    "masked acc",
    "top 1",
    "top 1 accuracy",
    "top 1 acc",
    "acc 1",
    "acc top 1",
    "accuracy top 1",
    "prec 1",
)
_K = r"(k|n|[2-9]|[1-9]\d+)"  # letters and digits are words of their own: top5 is "top 5"
_TOP = re.compile(rf"(sparse )?top {_K}( categorical)?( accuracy| acc)?|(acc|accuracy|prec) top {_K}")
_AT = re.compile(rf".*(@|\b(acc|prec)){_K}", re.IGNORECASE)  # Acc@5, acc5; but Keras's acc_5 is the fifth that it made


@dataclass(frozen=True)
class Name:
    """What a name in a log stands for.

    Attributes
    ----------
    quantity : what is measured, or None for something else: a rate, a time, another metric.
    validation : whether of validation data.
    trained : whether the name says that it is of training data; plain "loss" does not.
    plain : the name in small letters, words separated by blanks, without what says which data.
    """

    quantity: Quantity | None
    validation: bool
    trained: bool
    plain: str

    def told(self, *, validation: bool) -> str:
        """Return how it is called among others, of validation data or not; a test says so itself."""
        return f"validation {self.plain}" if validation and not self.plain.startswith("test ") else self.plain

    @cached_property
    def alone(self) -> "Name":
        """The name without what says which data."""
        return Name(self.quantity, False, False, self.plain)


@lru_cache(maxsize=4096)  # a log says the same few names again and again
def understand(name: str) -> Name:
    """Return what a name stands for.

    >>> understand("val_sparse_categorical_accuracy")
    Name(quantity='accuracy', validation=True, trained=False, plain='sparse categorical accuracy')
    >>> understand("Train Loss").quantity, understand("lr").quantity, understand("acc_1").quantity
    ('loss', None, 'accuracy')
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)  # trainLoss
    words = re.findall(r"[a-z]+|\d+", spaced.lower())
    tested = any(word in _TEST for word in words)
    validation = tested or any(word in _VALIDATION for word in words)
    trained = any(word in _TRAINING for word in words)
    core = [word for word in words if word not in _VALIDATION | _TEST | _TRAINING | _FILLERS]
    plain = " ".join(core)
    if "best" in words:
        return Name(None, validation, trained and not validation, plain)
    quantity = "top accuracy" if _AT.fullmatch(name.strip()) is not None else _quantity(plain)
    if quantity is None and core and core[-1].isdigit():  # Keras numbers what it has seen before: acc_1
        plain = " ".join(core[:-1])
        quantity = _quantity(plain)
    # A test beside a validation has a name of its own, or one would overwrite the other.
    return Name(quantity, validation, trained and not validation, f"test {plain}".strip() if tested else plain)


def _quantity(plain: str) -> Quantity | None:
    if plain in _LOSS:
        return "loss"
    if plain in _ACCURACY:
        return "accuracy"
    if _TOP.fullmatch(plain):
        return "top accuracy"
    # An output's name stands before: "dense 2 loss", "softmax acc".
    last = plain.rsplit(" ", 1)[-1]
    if last in ("acc", "accuracy") and "balanced" not in plain:
        return "accuracy"
    return None

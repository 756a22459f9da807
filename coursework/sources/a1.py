# %% [markdown]
# # A1 Arithmetic and plateaus
#
# This assignment covers lessons 01 and 02: what log loss and accuracy read, what one permits the other to be, and
# why an accuracy curve stands still while the loss falls. Plan about two hours. There are ten questions and 100
# points.
#
# **How it is marked.** A program runs your notebook from top to bottom, calls your functions on inputs that you do
# not see, and reads your variables. Each question has parts that earn points by themselves. The check cell below an
# answer shows one example, or the kind of value that is expected. It gives no marks, and a pass there is not yet a
# right answer.
#
# **What you write.** Replace each line `pass  # write your code here`. Where a variable stands as `...` above it, your
# code gives it its value. Leave the other cells as they are. Keep the names and the order of arguments and results.
# No answer depends on an earlier one. Do not change the arrays that your functions are given: work on a copy.
#
# **What you use.** NumPy is enough. The package has functions for parts of some questions: write your own, and
# compare with the package's if you like.
#
# **Conventions.** All logarithms are natural and losses are in nats. Labels are class numbers from 0. Epochs,
# samples and rows are counted from 0. "The true class" of a sample is the class that its label names. Numbers need
# not be rounded: five significant digits are enough.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np

from lossacc_helpers import datasets
from lossacc_helpers.exercises import look_at, look_at_each, try_out

# %% [markdown]
# ## 1. A loss that was clipped (8 points)
#
# A program holds each probability to at least `clip` and at most `1 - clip` before it takes the logarithm. The rows
# are not made to sum to 1 again. Write `clipped_loss(labels, probabilities, clip)`:
#
# - `labels` has shape (sample,), `probabilities` has shape (sample, class), with any number of classes from 2 on;
# - return two numbers, `loss, held`: the mean log loss with clipping, and how many samples have a true class whose
#   probability (before clipping) is less than `clip`.


# %% answer="clipped_loss"
def clipped_loss(labels, probabilities, clip):
    """Return the clipped mean log loss in nats, and the number of samples that were held up by the clip."""
    ### BEGIN SOLUTION
    of_true_class = probabilities[np.arange(len(labels)), labels]
    loss = -np.log(np.clip(of_true_class, clip, 1 - clip)).mean()
    return loss, np.sum(of_true_class < clip)
    ### END SOLUTION


# %% check="clipped_loss"
rows = np.array([[0.25, 0.5, 0.25], [0.4, 0.6, 0.0]])
try_out(clipped_loss, np.array([1, 2]), rows, 0.01, gives=(2.6491587, 1))

# %% [markdown]
# ## 2. Other thresholds, and what mistakes cost (8 points)
#
# A clinic tests for a disease: class 1 is "ill". Class 1 is named when its probability is **greater than** the
# threshold; at exactly the threshold, class 0 is named. A missed case (an ill person called healthy) costs
# `missed_cost`, a false alarm (a healthy person called ill) costs `alarm_cost`, a right answer costs nothing.
#
# Write `at_threshold(labels, p_one, thresholds, missed_cost, alarm_cost)`:
#
# - `labels` (zeros and ones) and `p_one` (probabilities of class 1) have shape (sample,), `thresholds` is an array
#   of shape (threshold,);
# - return two arrays of shape (threshold,), `accuracies, costs`: for each threshold the accuracy, and the **mean
#   cost per sample**.


# %% answer="at_threshold"
def at_threshold(labels, p_one, thresholds, missed_cost, alarm_cost):
    """Return accuracies and mean costs per sample, two arrays of shape (threshold,)."""
    ### BEGIN SOLUTION
    named = p_one > thresholds[:, None]  # (threshold, sample)
    missed = ~named & (labels == 1)
    alarms = named & (labels == 0)
    accuracies = 1 - (missed | alarms).mean(axis=1)
    return accuracies, missed_cost * missed.mean(axis=1) + alarm_cost * alarms.mean(axis=1)
    ### END SOLUTION


# %% check="at_threshold"
ill = np.array([1, 1, 0, 0])
p_ill = np.array([0.875, 0.375, 0.625, 0.125])
try_out(at_threshold, ill, p_ill, np.array([0.25, 0.75]), 20.0, 2.0, gives=([0.75, 0.75], [0.5, 5.0]))

# %% [markdown]
# Two thresholds, one accuracy, and the second costs ten times as much.
#
# ## 3. The fewest right answers (11 points)
#
# You know three things: the mean log loss (not clipped) of a two-class model, over how many samples it was taken,
# and the threshold: class 1 is named when its probability is greater than `threshold`, otherwise class 0. You know
# neither the labels nor the predictions.
#
# Write `fewest_right(loss, samples, threshold)`. Return the smallest number of right answers that labels and
# predictions with this loss can have: a whole number from 0 to `samples`.
#
# `threshold` lies between 0 and 1 and may be on either side of 0.5. The loss is never exactly on the boundary
# between two results. Ask first: what is the least that a wrong answer can cost at this threshold, if its label is
# 1, and if its label is 0?


# %% answer="fewest_right"
def fewest_right(loss, samples, threshold):
    """Return the smallest possible number of right answers at this mean log loss (nats), a whole number."""
    ### BEGIN SOLUTION
    cheapest_mistake = -np.log(max(threshold, 1 - threshold))
    most_wrong = int(samples * loss / cheapest_mistake)
    return max(samples - most_wrong, 0)
    ### END SOLUTION


# %% check="fewest_right"
try_out(fewest_right, 0.3, 10, 0.5, gives=6)

# %% [markdown]
# ## 4. Nine lines from nine reports (9 points)
#
# Each line below is from another report: the number of samples, the number of classes, the accuracy and the mean
# log loss, both printed to three decimals. Everywhere the accuracy follows argmax (the most probable class is named)
# and probabilities were held to at least 1e-7 and at most 1 - 1e-7 before the logarithm.

# %% given="reports"
reports = [  # samples, classes, accuracy, loss
    (40, 2, 0.725, 0.171),
    (64, 3, 0.766, 0.902),
    (48, 2, 0.840, 0.433),
    (100, 10, 1.000, 2.411),
    (25, 4, 0.800, 0.150),
    (250, 2, 0.966, 0.112),
    (10, 5, 0.700, 6.100),
    (500, 100, 0.012, 0.690),
    (200, 1000, 0.305, 0.469),
]
for number, (samples, classes, printed_accuracy, printed_loss) in enumerate(reports):
    print(f"{number}: {samples:3} samples, {classes:4} classes: ", end="")
    print(f"accuracy {printed_accuracy:.3f}, loss {printed_loss:.3f}")

# %% [markdown]
# Some of these lines cannot be true. Make `verdicts`, a list of nine texts, one for each line in order:
#
# - `"no such accuracy"`: no number of right answers out of so many samples is printed like this;
# - `"loss too low"`: there is such an accuracy, and no predictions that have it can have a loss so low;
# - `"loss too high"`: there is such an accuracy, and no predictions that have it can have a loss so high;
# - `"possible"`: none of these.
#
# You may compute the list or write it down. Rounding decides none of the nine cases.

# %% answer="verdicts"
verdicts = ...
# Assign a list of nine texts to verdicts.
### BEGIN SOLUTION
verdicts = []
for samples, classes, printed_accuracy, printed_loss in reports:
    right = round(printed_accuracy * samples)
    least = (samples - right) / samples * np.log(2)
    greatest = ((samples - right) * -np.log(1e-7) + right * np.log(classes)) / samples
    if abs(right / samples - printed_accuracy) > 0.00051:
        verdicts.append("no such accuracy")
    elif printed_loss < least - 0.0005:
        verdicts.append("loss too low")
    elif printed_loss > greatest + 0.0005:
        verdicts.append("loss too high")
    else:
        verdicts.append("possible")
### END SOLUTION

# %% check="verdicts"
if isinstance(verdicts, (list, tuple, np.ndarray)):
    known = ("possible", "no such accuracy", "loss too low", "loss too high")
    print(len(verdicts), "verdicts; of a known kind:", sum(verdict in known for verdict in verdicts))
else:
    print("verdicts is no list yet.")

# %% [markdown]
# ## 5. Right at last, and more expensive (10 points)
#
# With two classes a sample that becomes right gets cheaper. With more classes it need not. Here you make the
# predictions yourself.
#
# Write `costlier_but_right(classes)` for one sample whose **true class is 0**. Return two rows, `before, after`,
# each with `classes` probabilities (at least 0, with sum 1 to within 1e-5), such that
#
# - argmax is wrong before and right after (of a tie argmax names the first class);
# - the loss of the sample is finite and **rises** by at least 0.001 nats from before to after.
#
# `classes` is 3 or more. Any such rows earn 6 points. For each number of classes there is a limit that no such rise
# can exceed, and 4 more points are for a rise of at least 90% of it. To find the limit, ask how probable the true
# class can be while it is wrong, and how improbable while it is right.


# %% answer="costlier_but_right"
def costlier_but_right(classes):
    """Return two rows of probabilities, each of shape (classes,); the true class is 0."""
    ### BEGIN SOLUTION
    before = np.zeros(classes)
    before[:2] = 0.499, 0.501
    after = np.full(classes, 0.999 / classes)
    after[0] += 0.001
    return before, after
    ### END SOLUTION


# %% check="costlier_but_right"
def costlier_rules(classes):
    """Name the rules that the rows break; the 90% are not looked at."""
    if (rows := costlier_but_right(classes)) is None:
        return ...
    before, after = both = np.asarray(rows, dtype=float).reshape(2, classes)
    kept = {"no entry below 0": both.min() >= 0, "sums of 1": np.allclose(both.sum(axis=1), 1, rtol=0, atol=1e-5)}
    kept |= {"wrong before": before.argmax() != 0, "right after": after.argmax() == 0}
    kept |= {"a finite loss that rises by 0.001": before[0] >= after[0] * np.exp(0.001) > 0}
    return "not kept: " + "; ".join(rule for rule in kept if not kept[rule]) if not all(kept.values()) else "all kept"


costlier_rules.__name__ = "costlier_but_right"
try_out(costlier_rules, 3, gives="all kept")

# %% [markdown]
# ## 6. A ledger for any number of classes (12 points)
#
# `history` holds what a model believed at the end of each epoch: an array of shape (epoch, sample, class). `labels`
# has shape (sample,). A sample is right when argmax names its true class, and it **crosses** in a step (from one
# epoch to the next) when it becomes right or becomes wrong.
#
# Write `ledger(labels, history)`. Return three arrays with one entry for each step, `up, down, stayed`:
#
# - `up` and `down`: how many samples became right, and how many became wrong;
# - `stayed`: what the samples that did **not** cross in that step add to the change of the mean loss (of all
#   samples) in nats. That is the sum of their own changes, after minus before, divided by the number of all samples.
#
# No probability of a true class is 0, and there are no ties.


# %% answer="ledger"
def ledger(labels, history):
    """Return up, down and stayed, three arrays of shape (epoch - 1,)."""
    ### BEGIN SOLUTION
    right = history.argmax(axis=-1) == labels
    losses = -np.log(history[:, np.arange(len(labels)), labels])
    up = (right[1:] & ~right[:-1]).sum(axis=1)
    down = (~right[1:] & right[:-1]).sum(axis=1)
    stayed = np.where(right[1:] == right[:-1], np.diff(losses, axis=0), 0).sum(axis=1) / len(labels)
    return up, down, stayed
    ### END SOLUTION


# %% check="ledger"
beliefs = np.array(
    [
        [[0.45, 0.5, 0.05], [0.2, 0.7, 0.1]],
        [[0.4, 0.35, 0.25], [0.2, 0.5, 0.3]],
        [[0.3, 0.6, 0.1], [0.1, 0.3, 0.6]],
    ]
)
try_out(ledger, np.array([0, 2]), beliefs, gives=([1, 1], [0, 1], [-0.5493061, 0]))

# %% [markdown]
# ## 7. The longest wait (11 points)
#
# `correct` is an array of booleans of shape (epoch, sample): which samples were right after each epoch. A **stretch**
# is a run of epochs that follow each other and all have the same accuracy. A single epoch is a stretch of length 1.
#
# Write `longest_wait(correct)`. Return three whole numbers about the longest stretch, `start, epochs, changes`:
#
# - `start`: its first epoch, counted from 0. If several stretches are longest, take the earliest;
# - `epochs`: how many epochs it has;
# - `changes`: how many times a sample changed sides within it. Count each change, up or down, in the steps from one
#   epoch of the stretch to the next. So one sample that becomes right while another becomes wrong makes 2 changes.


# %% answer="longest_wait"
def longest_wait(correct):
    """Return the longest stretch's first epoch, its number of epochs, and the changes of sides within it."""
    ### BEGIN SOLUTION
    right = correct.sum(axis=1)  # whole numbers compare exactly
    best_start, best_epochs, start = 0, 1, 0
    for epoch in range(1, len(right)):
        if right[epoch] != right[epoch - 1]:
            start = epoch
        if epoch - start + 1 > best_epochs:
            best_start, best_epochs = start, epoch - start + 1
    stretch = correct[best_start : best_start + best_epochs]
    return best_start, best_epochs, int((stretch[1:] != stretch[:-1]).sum())
    ### END SOLUTION


# %% check="longest_wait"
waited = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0]], dtype=bool)
try_out(longest_wait, waited, gives=(1, 3, 2))

# %% [markdown]
# ## 8. Was the split fair? (9 points)
#
# Somebody shows you a validation curve. Before you read it, you look at the labels. `labels` has shape (sample,), in
# the order of the file; the **last** `held_out` of them were the validation samples, all before them were for
# training. Class numbers are whole numbers from 0; some numbers may not occur.
#
# Write `split_report(labels, held_out)`. Return two numbers, `distance, constant`:
#
# - `distance`: half the sum, over all classes, of the absolute difference between the class's share of the
#   training samples and its share of the validation samples. It is 0 when both parts have the same mixture, and 1
#   when they have no class in common;
# - `constant`: the **validation** accuracy of a model that always names the commonest class of the **training**
#   samples. If several classes are the commonest, it names the smallest number.


# %% answer="split_report"
def split_report(labels, held_out):
    """Return the distance of the two mixtures and the constant model's validation accuracy, both from 0 to 1."""
    ### BEGIN SOLUTION
    train, validation = labels[:-held_out], labels[-held_out:]
    classes = labels.max() + 1
    in_train = np.bincount(train, minlength=classes)
    in_validation = np.bincount(validation, minlength=classes)
    distance = np.abs(in_train / len(train) - in_validation / len(validation)).sum() / 2
    return distance, np.mean(validation == in_train.argmax())
    ### END SOLUTION


# %% check="split_report"
try_out(split_report, np.array([0, 0, 0, 1, 1, 1, 0, 1, 1, 2]), 4, gives=(0.25, 0.25))

# %% [markdown]
# ## 9. A hundred and twenty irises (12 points)
#
# The next cell trains a softmax regression (a network without hidden layers) on 120 irises by gradient descent, in
# NumPy. `iris_beliefs` holds what the model believes at the end of each of 300 epochs about the flowers that it is
# trained on, in shape (epoch, flower, species). `iris_labels` has shape (flower,). `iris_loss` and `iris_accuracy`
# have shape (epoch,).

# %% given="irises"
irises = datasets.iris("shuffled", seed=0, validation_split=0.2)
iris_labels = irises.train[1]


def train_on_irises(rate=0.1, epochs=300):
    """Return what the model believes at the end of each epoch, shape (epoch, flower, species)."""
    features, labels = irises.train
    inputs = np.column_stack([features.astype(float), np.ones(len(features))])
    weights = np.random.default_rng(5).normal(size=(5, 3))
    history = []
    for _ in range(epochs + 1):
        powers = np.exp(inputs @ weights)
        beliefs = powers / powers.sum(axis=1, keepdims=True)
        history.append(beliefs)
        weights = weights + rate * inputs.T @ (np.eye(3)[labels] - beliefs) / len(inputs)
    return np.array(history[1:])  # without what it believed before the first epoch


iris_beliefs = train_on_irises()
iris_loss = -np.log(iris_beliefs[:, np.arange(120), iris_labels]).mean(axis=1)
iris_accuracy = (iris_beliefs.argmax(axis=2) == iris_labels).mean(axis=1)

# %% given="iris_figure"
figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(7, 4.6), layout="constrained")
above.plot(iris_loss, color="#D55E00")
above.set(ylabel="loss (nats)", title="Softmax regression on 120 irises: the loss slides, the accuracy takes steps")
below.plot(iris_accuracy, color="#0072B2")
below.set(ylabel="accuracy", xlabel="epoch, from 0")
plt.show()

# %% [markdown]
# Make `iris_facts`, four numbers in a tuple or an array:
#
# 1. the share of the 299 steps (from one epoch to the next) in which the accuracy did not move;
# 2. the first epoch whose **loss** alone makes an accuracy of 0.6 or more certain. Use the bound of lesson 01 that
#    holds for any number of samples, without a correction for 120 of them. Use `np.log(2)`: a rounded 0.69 is not
#    exact enough;
# 3. the first epoch whose accuracy **is** 0.6 or more;
# 4. a median over flowers. Take the flowers that are wrong in epoch 0 and change sides **exactly once** in all 300
#    epochs. Each of them has its own loss in each epoch, and its whole fall is from epoch 0 to epoch 299. Which share
#    of its whole fall had happened by the last epoch in which it was still wrong? Give the median of these shares.
#
# Shares are from 0 to 1, not in percent.

# %% answer="iris_facts"
iris_facts = ...
# Assign four numbers, in a tuple or an array, to iris_facts.
### BEGIN SOLUTION
right = iris_beliefs.argmax(axis=2) == iris_labels
costs = -np.log(iris_beliefs[:, np.arange(120), iris_labels])
still = np.diff(right.sum(axis=1)) == 0
certain = np.argmax(1 - iris_loss / np.log(2) >= 0.6)
reached = np.argmax(iris_accuracy >= 0.6)
once = ~right[0] & ((right[1:] != right[:-1]).sum(axis=0) == 1)
flowers = np.flatnonzero(once)
last_wrong = right[:, flowers].argmax(axis=0) - 1
given_up = (costs[0, flowers] - costs[last_wrong, flowers]) / (costs[0, flowers] - costs[-1, flowers])
iris_facts = (still.mean(), certain, reached, np.median(given_up))
### END SOLUTION

# %% check="iris_facts"
look_at(iris_facts, name="iris_facts", kind="array", shape=(4,))

# %% [markdown]
# ## 10. A mystery (10 points)
#
# A colleague trains a network on two classes and sends you the validation log: loss and accuracy, printed to four
# decimals. "Something is odd. In your lessons the loss moves while the accuracy waits. Mine waits with it."

# %% given="mystery_log"
printed_losses = """
3.8771 3.8771 3.1614 3.1614 3.1614 2.4457 2.0282 2.0282 2.2071 2.2071
1.5510 1.3721 1.3721 1.3721 1.6107 1.6107 1.1932 1.0142 1.0142 1.0142
"""
printed_accuracies = """
0.5221 0.5221 0.6103 0.6103 0.6103 0.6985 0.7500 0.7500 0.7279 0.7279
0.8088 0.8309 0.8309 0.8309 0.8015 0.8015 0.8529 0.8750 0.8750 0.8750
"""
mystery_losses = np.array(printed_losses.split(), dtype=float)
mystery_accuracies = np.array(printed_accuracies.split(), dtype=float)
for epoch, pair in enumerate(zip(mystery_losses, mystery_accuracies, strict=True)):
    print("epoch {:2}: loss {:.4f}, accuracy {:.4f}".format(epoch, *pair))

figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(7, 4.6), layout="constrained")
above.plot(mystery_losses, "o--", color="#D55E00")
above.set(ylabel="validation loss (nats)", title="The mystery log: when the accuracy waits, the loss waits too")
below.plot(mystery_accuracies, "o--", color="#0072B2")
below.set(ylabel="validation accuracy", xlabel="epoch, from 0", xticks=range(0, 20, 2))
plt.show()

# %% [markdown]
# The loss is a mean log loss, the probabilities were held to at least some `clip` and at most `1 - clip`, and the
# accuracy follows the threshold 0.5. Make `mystery`, a tuple of three:
#
# 1. the smallest number of validation samples with which **all** of these accuracies, as printed, can occur (an
#    accuracy that differs from a multiple of 1/n by at most half a unit of the fourth decimal can occur);
# 2. the colleague's `clip`, to within 3% of it: what does one mistake cost in this log?
# 3. the cause that explains the whole log, as one of the letters below, such as `"A"`.
#
#    - **A.** The network overfits: from epoch to epoch it is surer of its mistakes.
#    - **B.** The validation samples are of classes that training never met.
#    - **C.** A few validation samples have wrong labels and cost very much.
#    - **D.** Decisions (0 or 1) were handed to the loss in the place of the probabilities.
#    - **E.** Validation was run only now and then, and the log repeats its last numbers.
#
# The letter earns points together with a right number 1 or 2.

# %% answer="mystery"
mystery = ...
# Assign a tuple to mystery: a whole number, a number, and a letter such as "A".
### BEGIN SOLUTION
candidates = np.arange(1, 2001)
products = mystery_accuracies * candidates[:, None]
fits = (np.abs(np.rint(products) / candidates[:, None] - mystery_accuracies) <= 0.5e-4 + 1e-12).all(axis=1)
cost_of_mistake = np.median(mystery_losses / (1 - mystery_accuracies))
mystery = (int(candidates[fits][0]), float(np.exp(-cost_of_mistake)), "D")
### END SOLUTION

# %% check="mystery"
look_at_each(mystery, name="mystery", kinds=["number", "number", tuple("ABCDE")])

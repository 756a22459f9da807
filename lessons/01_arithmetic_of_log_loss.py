# %% [markdown]
# # 01 The arithmetic of log loss
#
# ## The question
#
# Your network trains. The loss goes down in every epoch, and the accuracy does not move. Then it jumps, and stands
# still again. Two numbers are computed from the same predictions, and they seem to speak of two different networks.
# Which of them should you believe?
#
# Somebody asked this in Russian on a question-and-answer site. (The page is under CC BY-SA; this lesson uses its
# facts and none of its sentences.) Here you take the two numbers apart until you can say what one of them permits the
# other to be.
#
# **What you need first:** you have trained a classifier once, and you can read NumPy. No network is trained here; the
# lesson needs no TensorFlow.

# %%
from lossacc_helpers import PredictionHistory, accuracy, binary_log_loss, correct, log_loss, margins, sample_losses
from lossacc_helpers.course.lesson_01 import lesson
from lossacc_helpers.figures import loss_and_accuracy_curves

import numpy as np

# %% [markdown]
# Curves like the asker's take no network, only ten samples and a rule. Below, `p` is the probability that a model
# gives to the **true class** of each sample. Every epoch, each sample closes 2% of its distance to 1. The ten
# starting values are ours.

# %%
start = np.array([0.02, 0.05, 0.08, 0.12, 0.15, 0.20, 0.25, 0.30, 0.35, 0.42])
p = 1 - (1 - start) * 0.98 ** np.arange(60)[:, None]  # (epoch, sample)
history = PredictionHistory.from_probabilities(np.ones(10, int), np.stack([1 - p, p], axis=-1))
loss_and_accuracy_curves(history, title="Ten samples drift steadily: loss slides, accuracy takes steps")

# %% [markdown]
# Nothing jumps in these ten samples, and the accuracy jumps. For a while it is 0, and at the end it is 1 and cannot
# rise, while the loss keeps falling. Two definitions make the whole picture:
#
# - **Accuracy** is the share of samples whose true class is the one named. With two classes, class 1 is named when
#   its probability is past the threshold 0.5.
# - **Log loss**, also called cross-entropy, is the mean of $-\ln p$ over the samples. Its unit is the **nat**,
#   because the logarithm is the natural one. In this lesson "a sample costs" means its own $-\ln p$.

# %% [markdown]
# ## Commit
#
# Predict two things before you look closer. Nothing is marked, and the lesson returns to both.

# %% tags=["commit"]
lesson.commit("climb")

# %% tags=["commit"]
lesson.commit("least_right")

# %% [markdown]
# ## Look
#
# Five horses and five dogs, and a model that gives each of them a probability of being a horse. The first horse is
# yours: you set its probability. Grey is the wrong side of the threshold: a horse in it is called a dog, and a dog in
# it a horse. **Sharpness** pushes the other nine away from 0.5 (above 1) or towards it (below 1), never across.
#
# On the right, the black point is where the ten samples stand with their loss and their accuracy. In its grey part no
# predictions can stand as long as the threshold is 0.5; task 3 breaks that condition. (Further down you compute why,
# where the upper end in the line below the picture comes from, and what the dotted line is.) A triangle at the border
# means that the loss lies further right.
#
# Try these:
#
# 1. Move **your horse** from 0.1 to 0.22 to 0.49, then past 0.5, then on to 0.99. Which of the two numbers moves
#    when?
# 2. Set your horse to 0.49. Compare **the other nine** in "one confident mistake" and "all a little wrong". Look at
#    both numbers. Then drag the **sharpness** of the nine: which number never follows?
# 3. Choose "a good model" and set your horse to 1. Move the **threshold** up to 0.95: the black point enters the
#    grey. What does the line below the picture say about it?
#
# The box **clip** waits for the section "When p is 0".

# %% tags=["explorer"]
lesson.explorer()

# %% [markdown]
# ## Compute and explain
#
# Up to "What a loss permits" you take loss and accuracy apart; that section puts them together. What follows it is
# for practice: exp(-loss), small samples, and the numerics of a probability of 0.
#
# ### One sample, three epochs

# %% tags=["nbval-check-output"] decides="one sample, three epochs"
for p in (0.1, 0.22, 0.49):
    loss, right = binary_log_loss([1], [p]), accuracy([1], [[1 - p, p]])
    print(f"p = {p:.2f}: loss {loss:.3f}, accuracy {right:.0f}")

# %% [markdown]
# The loss falls by more than two thirds, from 2.303 to 0.713. The accuracy has nothing to report: the sample was
# wrong, is wrong, and is wrong again. This is what you were asked first:

# %%
lesson.recall("climb")

# %% [markdown]
# ### Past the threshold
#
# What happens between 0.49 and 0.51, and what after it?

# %%
from lossacc_helpers.figures.arithmetic import scores_of_one_sample

scores_of_one_sample((0.1, 0.22, 0.49, 0.51, 0.9), title="Loss reads p everywhere; accuracy reads one crossing")

# %% [markdown]
# The vermilion curve passes 0.5 without noticing it. The blue step happens there and nowhere else. Let nine samples
# rest at 0.8, and move the tenth:

# %% tags=["nbval-check-output"] decides="nine samples at rest and a tenth"
for p in (0.49, 0.51, 0.9, 0.999):
    of_true_class = np.array([0.8] * 9 + [p])
    loss, right = binary_log_loss(np.ones(10, int), of_true_class), np.mean(of_true_class > 0.5)
    print(f"p = {p:<5}: loss {loss:.3f}, accuracy {right:.1f}")

# %% [markdown]
# Each of $n$ samples is worth $1/n$ of accuracy: nothing while it is wrong, all of it as soon as it is right. Here
# the tenth sample brings its 0.1 between 0.49 and 0.51, where the loss hardly moves because $p$ hardly moves. It
# brings no more, however sure the model gets, while the loss keeps falling.
#
# A true label of 0 is the mirror image. `binary_log_loss` takes the probability of class 1, and the true class has
# the rest:

# %% tags=["nbval-check-output"]
for p_one in (0.9, 0.78, 0.51):
    loss = binary_log_loss([0], [p_one])
    print(f"label 0, class 1 has {p_one:.2f}, the true class {1 - p_one:.2f}: loss {loss:.3f}, right: {p_one < 0.5}")

# %% [markdown]
# The same three costs as before. Two right answers can differ in cost, too. Class 0 is a dog, class 1 a horse, and
# both pictures show a horse. `sample_losses` and `correct`, like `accuracy`, take a row with one probability for each
# class:

# %% tags=["nbval-check-output"]
beliefs = [[0.1, 0.9], [0.4, 0.6]]
print("losses  ", sample_losses([1, 1], beliefs).round(3))
print("right   ", correct([1, 1], beliefs))

# %% [markdown]
# "A horse, I am sure" costs 0.105. "Rather a horse" costs 0.511, almost five times as much. For accuracy they are the
# same answer.

# %% [markdown]
# ### More than two classes
#
# The threshold 0.5 is the rule for two classes. In general the most probable class is named: `argmax`. Of a tie it
# names the first. The **margin** of a sample is the probability of its true class minus the largest other one, so a
# positive margin is a right answer. Two samples, three classes, and class 0 is true both times:

# %% tags=["nbval-check-output"] decides="the three classes"
beliefs = [[0.40, 0.35, 0.25], [0.45, 0.50, 0.05]]
print("losses ", sample_losses([0, 0], beliefs).round(3))
print("margins", margins([0, 0], beliefs).round(2))
print("right  ", correct([0, 0], beliefs))

# %% [markdown]
# 0.4 wins and 0.45 loses. The right answer is the more expensive one. Loss reads one number of each row, that of the
# true class; accuracy compares it with its rivals.

# %% [markdown]
# ### The threshold is a decision
#
# A model's output is a probability. Somebody then decides from which probability on you act. Eight animals, the first
# four are horses:

# %% tags=["nbval-check-output"] decides="the eight animals and three thresholds"
labels = np.array([1, 1, 1, 1, 0, 0, 0, 0])
p_horse = np.array([0.9, 0.75, 0.45, 0.35, 0.4, 0.3, 0.2, 0.1])
for threshold in (0.32, 0.42, 0.6):
    named = p_horse > threshold
    missed, false_alarms = np.sum(~named & (labels == 1)), np.sum(named & (labels == 0))
    right, loss = np.mean(named == labels), binary_log_loss(labels, p_horse)
    print(f"{threshold}: accuracy {right:.3f}, missed {missed}, false alarms {false_alarms}, loss {loss:.3f}")

# %% [markdown]
# Two thresholds have the same accuracy and make different mistakes: one misses a horse, the other calls a dog a
# horse. Which is worse depends on how bad each mistake is for you. No formula knows that, and the loss does not move:
# it is computed before anything is decided.

# %% [markdown]
# ### Where the loss is the goal
#
# For a price or a temperature there is no line to cross. The root of the mean squared error (RMSE) may be the very
# number you want small:

# %% tags=["nbval-check-output"] decides="the three prices"
prices, predicted = np.array([2.0, 3.5, 1.0]), np.array([2.1, 3.4, 1.1])
print(f"RMSE {np.sqrt(np.mean((predicted - prices) ** 2)):.3f}, 'accuracy' {np.mean(predicted == prices):.1f}")

# %% [markdown]
# Wrong by 0.1 each time, and "accuracy" is 0, because no price is met exactly. A good regression can print that.

# %% [markdown]
# ### Who moved?
#
# When you compare two epochs, every sample belongs to one of four groups: it stayed right, stayed wrong, became right
# or became wrong. Accuracy sees only the last two. Loss sees all four, and the change of the mean loss is the sum
# of what each group adds to it. Here two samples slip from 0.52 to 0.48, one climbs past the threshold, one stays
# wrong, and six that were right get surer:

# %% tags=["nbval-check-output"] decides="the four groups"
from lossacc_helpers import crossings

before = np.array([0.52] * 2 + [0.45, 0.30] + [0.80] * 6)
after = np.array([0.48] * 2 + [0.55, 0.35] + [0.95] * 6)
change = crossings(np.ones(10, int), np.stack([1 - before, before], axis=-1), np.stack([1 - after, after], axis=-1))
for group in ("stayed_right", "stayed_wrong", "became_right", "became_wrong"):
    print(f"{group}: {getattr(change, group)} samples, adds {getattr(change, group + '_loss'):+.3f}")
print(f"together: accuracy {change.accuracy_change:+.1f}, loss {change.loss_change:+.3f}")

# %% [markdown]
# Accuracy falls by 0.1 and the loss *improves* by 0.123. There is no contradiction and no remainder: the four parts
# add up to the change of the loss, and (became right - became wrong) / 10 is the change of accuracy. In the exercises
# you build the opposite case.

# %% tags=["nbval-check-output"]
parts = change.stayed_right_loss + change.stayed_wrong_loss + change.became_right_loss + change.became_wrong_loss
measured = binary_log_loss(np.ones(10, int), after) - binary_log_loss(np.ones(10, int), before)
print("the parts add up to the change of the loss:", bool(abs(parts - measured) < 1e-12))
net = (change.became_right - change.became_wrong) / 10
print(
    "the crossings are the change of accuracy:", bool(abs(net - (np.mean(after > 0.5) - np.mean(before > 0.5))) < 1e-12)
)

# %% [markdown]
# ### What a loss permits
#
# So anything goes? No. If a sample is wrong, some other class is at least as probable as the true one. Both together
# are at most 1, so the true class has $p \le 1/2$, and the sample costs at least $\ln 2$. Of $n$ samples $n (1 - a)$
# are wrong, where $a$ is the accuracy. They alone cost $n (1 - a) \ln 2$ or more; divided by $n$, with $L$ for the
# mean loss:
#
# $$L \ge (1 - a) \ln 2, \qquad\text{so}\qquad a \ge 1 - \frac{L}{\ln 2}.$$
#
# The number of classes does not occur in it, and neither does the kind of model.

# %% tags=["nbval-check-output"] decides="the table of what a loss permits"
from lossacc_helpers import attainable_accuracy, attainable_loss, extremal_probabilities

for loss in (0.1, 0.3, 0.5, 0.6, 1.0):
    least, _ = attainable_accuracy(loss)
    print(f"loss {loss:.1f}: accuracy at least {np.floor(1000 * least) / 1000:.3f}")  # a lower bound is rounded down

# %% [markdown]
# A low loss forces a high accuracy. A loss of ln 2 or more forces nothing. On ten samples accuracy moves in tenths,
# and you predicted the least number of right answers at a loss of 0.3:

# %%
least, _ = attainable_accuracy(0.3, samples=10)
cost = np.log(2)
spent = f"Four wrong ones cost {4 * cost:.3f} or more of the 3 nats there are; five would cost {5 * cost:.3f}."
lesson.recall("least_right", came_out=f"At least {10 * least:.0f} of ten. {spent}")

# %% [markdown]
# Is the bound only a bound, or can you stand on it? `extremal_probabilities` builds predictions that touch each edge:

# %% tags=["nbval-check-output"] decides="the poorest predictions"
loss = 0.4 * np.log(2)  # exactly what four wrong samples of ten must cost
for edge in ("least", "greatest"):
    labels, probabilities = extremal_probabilities(loss, classes=2, samples=10, edge=edge)
    of_true = probabilities[np.arange(10), labels]
    print(edge, "accuracy", accuracy(labels, probabilities), "at loss", log_loss(labels, probabilities).round(3))
    print("   p of the true class:", of_true.round(2))

# %% [markdown]
# The same loss, and between 0.6 and 1.0 any tenth. The poorest predictions are wrong as cheaply as possible, at 0.5
# or a hair below it, and right almost for free. Here they are in the region, with two more sets of ten:

# %%
from lossacc_helpers.figures.region import attainable_region

points = {"the least": (0.4 * np.log(2), 0.6), "the greatest, same loss": (0.4 * np.log(2), 1.0)}
points["all at 0.49"] = (binary_log_loss(np.ones(10, int), np.full(10, 0.49)), 0.0)
points["nine sure, one very wrong"] = (binary_log_loss(np.ones(10, int), [0.97] * 9 + [0.001]), 0.9)
attainable_region(
    points, title="In the grey no predictions can stand: one loss, accuracies far apart", geometric_mean=True
)

# %% [markdown]
# The last two points have almost the same loss. One model is wrong ten times out of ten, the other once. A proof is a
# proof, but look for a counterexample all the same: 20,000 random sets of predictions close to the edge. A slightly
# bolder bound is tried beside ours, to see whether the search would notice.


# %% tags=["nbval-check-output"]
def near_the_edge(rng):
    """Twelve samples: some a hair from the cheapest wrong answer, the others from the surest right one."""
    classes, share = rng.integers(2, 8), rng.random()
    labels = rng.integers(classes, size=12)
    true, rival = np.eye(classes)[labels], np.eye(classes)[(labels + 1) % classes]
    cheapest = np.where(rng.random((12, 1)) < share, 0.499 * true + 0.501 * rival, true)
    shift = 10 ** rng.uniform(-5, -0.5)
    return labels, 0.999 * ((1 - shift) * cheapest + shift * rng.dirichlet(np.ones(classes), 12)) + 0.001 / classes


# %% tags=["nbval-check-output"] decides="the search for a counterexample"
rng = np.random.default_rng(0)
sets = [near_the_edge(rng) for _ in range(20_000)]
scores = np.array([(log_loss(labels, rows), accuracy(labels, rows)) for labels, rows in sets])
for cost in (np.log(2), 0.71):
    below = int(np.sum(scores[:, 1] < 1 - scores[:, 0] / cost - 1e-12))
    print(f"if a wrong sample cost at least {cost:.3f}: {below:6,} of 20,000 sets below the line")

# %% [markdown]
# Now the other direction: what does an accuracy permit the loss to be? A right answer among $C$ classes has at least
# $p = 1/C$, so it costs at most $\ln C$. A wrong one may cost any amount:

# %% tags=["nbval-check-output"]
for right, classes in ((1.0, 2), (1.0, 10), (0.9, 2), (0.9, 10)):
    least, greatest = attainable_loss(right, classes=classes)
    print(f"accuracy {right}, {classes:2} classes: loss from {least:.3f} to {greatest:.3f}")

# %% [markdown]
# A loss above $\ln C$ proves one mistake or more, and no more than that. A single sample can carry it. A loss that
# was **clipped** is different: then no sample costs more than a fixed amount, and a high loss needs many mistakes.
# This is the slanted upper edge that the explorer draws when you tick **clip**.

# %% tags=["nbval-check-output"] decides="a loss of 4.0 on a thousand samples"
for clip in (None, 1e-7):
    least, greatest = attainable_accuracy(4.0, classes=2, clip=clip, samples=1000)
    print(f"loss 4.0, clip {clip}: accuracy from {least:.3f} to {greatest:.3f}")

# %% [markdown]
# Two conditions belong to the bound. The accuracy must follow argmax (with two classes, the threshold 0.5), and the
# loss must be the plain mean log loss of the same predictions. When you moved the threshold, the point could enter
# the grey. Sample weights or another loss can do that too. (Smoothed labels cannot: a wrong sample still costs
# $\ln 2$ or more.) So a point in the grey is evidence: the two numbers do not belong together. At another threshold
# $t$ the argument holds with $-\ln \max(t, 1 - t)$ in the place of $\ln 2$, which is less.

# %% [markdown]
# ### Is accuracy exp(-loss)?
#
# Some people read $e^{-L}$ as the accuracy. The dotted line in the pictures is $e^{-L}$. Two sets of ten samples:

# %% tags=["nbval-check-output"]
for name, p in (("all at 0.49", [0.49] * 10), ("nine sure, one very wrong", [0.97] * 9 + [0.001])):
    loss, right = binary_log_loss(np.ones(10, int), p), np.mean(np.array(p) > 0.5)
    print(f"{name}: exp(-loss) {np.exp(-loss):.3f}, geometric mean of p {np.prod(p) ** 0.1:.3f}, accuracy {right:.1f}")

# %% [markdown]
# $e^{-L}$ is the geometric mean of the true classes' probabilities, exactly. The accuracy is somewhere else, below it
# in one case and above it in the other. (Lesson 05 shows what it takes for $e^{-L}$ to say something about accuracy.)

# %% [markdown]
# ### How far can you trust ten samples?
#
# Accuracy on a sample is an estimate. Another ten samples would have given another number. Eight right out of ten,
# and 800 out of 1000, are the same accuracy:

# %% tags=["nbval-check-output"]
from lossacc_helpers import accuracy_standard_error, wilson_interval

for samples in (10, 100, 1000):
    low, high = wilson_interval(0.8, samples)
    error = accuracy_standard_error(0.8, samples)
    print(f"{samples:4} samples: accuracy 0.8, standard error {error:.3f}, 95% interval {low:.3f} to {high:.3f}")

# %% [markdown]
# With ten samples 0.8 means anything from a half to nearly all. The interval is Wilson's: a range of true accuracies
# that fit what was seen, made to hold the true one in 95% of such cases. It takes the samples for independent. The
# standard error is how far such an accuracy typically strays. Before you explain a wiggle in an accuracy curve, ask
# how many samples are behind it.

# %% [markdown]
# ### When p is 0
#
# One sample at $p = 0$ costs $-\ln 0$, which is infinite, and so is the mean. Many programs therefore clip: they hold
# each probability between a smallest value $\varepsilon$ and a largest one. How small $\varepsilon$ is differs from
# library to library:

# %% tags=["nbval-check-output"]
from sklearn.metrics import log_loss as their_log_loss

for kind in (np.float64, np.float32):
    row = np.array([[1.0, 0.0]], dtype=kind)  # the true class is 1
    theirs = their_log_loss([1], row, labels=[0, 1])
    ours = [log_loss([1], row, clip=clip) for clip in (None, 1e-7, float(np.finfo(kind).eps))]
    print(f"{kind.__name__}: unclipped {ours[0]}, clipped at 1e-7 {ours[1]:.3f}, ", end="")
    print(f"at machine epsilon {ours[2]:.3f}; scikit-learn {theirs:.3f}")

# %% [markdown]
# The second number is what Keras makes of a probability of 0: it clips at `1e-7`. (That is the same arithmetic in
# NumPy; Keras itself is not imported here.) scikit-learn clips at the machine epsilon of the number's type (the gap
# between 1 and the next number), so the same mistake costs 36.044 in one type and 15.942 in the other. If your log
# shows a multiple of such a number, divided by the number of samples, suspect a clipped mistake. (15.942 has a second
# source: see the next cell.) Go back to the explorer, set your horse to 0, and tick the box: an infinite loss turns
# into an ordinary number, and nothing about the model has changed.
#
# Near 1 a float32 is coarse. A sure and wrong "1" for a true 0 does not cost 16.118 there:

# %% tags=["nbval-check-output"]
sure = np.float32([1.0])  # the true class is 0
print(f"float32, clip 1e-7: {binary_log_loss([0], sure, clip=1e-7):.3f}")
print(f"float64, clip 1e-7: {binary_log_loss([0], sure.astype(float), clip=1e-7):.3f}")

# %% [markdown]
# A float32 cannot hold `1 - 1e-7`: the nearest one is a little further from 1, by the same amount as the machine
# epsilon of float32. So 15.942 can come from either library. Where nothing is clipped, scikit-learn and this package
# agree:

# %% tags=["nbval-check-output"]
labels = rng.integers(3, size=1000)
rows = rng.dirichlet([1.0, 1.0, 1.0], size=1000) * 0.99 + 0.01 / 3
difference = abs(log_loss(labels, rows) - their_log_loss(labels, rows))
print("agree with scikit-learn to 12 digits:", bool(difference < 1e-12))

# %% [markdown]
# There is a better way than clipping. A network computes **logits** first, one real number for each class, and the
# softmax turns them into probabilities: $p_k = e^{z_k} / \sum_j e^{z_j}$. Insert that into $-\ln p$ of the true
# class, and the loss is $\ln \sum_j e^{z_j} - z_{\text{true}}$, without any $p$. (`np.logaddexp.reduce` computes that
# first term without overflow.) Take two logits with a gap of 120, and the lower one is true:

# %% tags=["nbval-check-output"]
for kind in (np.float64, np.float32):
    logits = np.array([0.0, 120.0], dtype=kind)
    p = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    from_logits = np.logaddexp.reduce(logits) - logits[0]
    clipped = log_loss([0], [p], clip=1e-7)
    print(f"{kind.__name__}: from p {log_loss([0], [p])}, clipped {clipped:.3f}, from logits {from_logits}")

# %% [markdown]
# From the logits the loss is 120 in either type. As a float32 the probability is too small to exist, and the loss
# from it is infinite, or 16.118 if you clip. In Keras: leave the softmax off the last layer and give the loss
# `from_logits=True`.

# %% [markdown]
# ### A score that stays small
#
# Must a confident mistake be so expensive? That is a property of the logarithm, not of probabilities. The Brier
# score, the squared distance between the row and the truth (a row of zeros with a single 1), never exceeds 2:

# %% tags=["nbval-check-output"]
from lossacc_helpers import brier_score

for p in (0.49, 0.1, 0.001):
    row = [[1 - p, p]]
    print(f"p = {p}: log loss {log_loss([1], row):.3f}, Brier score {brier_score([1], row):.3f}")

# %% [markdown]
# Both are *strictly proper*: you expect the lowest score if you report the probabilities you believe in. What they
# disagree about is how much a rare and very confident mistake should weigh.

# %% [markdown]
# ## Your turn
#
# Each exercise is checked by its own cell. In a cell of your own, `lesson.hint("mean_log_loss")` gives a hint, and
# another one if you run it again. The solutions are collapsed.
#
# **1. The loss by hand.** `labels` holds one class number for each sample, `probabilities` one row for each sample.
# Return the mean log loss, without the package.


# %% tags=["exercise"]
def mean_log_loss(labels, probabilities): ...


lesson.check("mean_log_loss", mean_log_loss)


# %% tags=["solution", "nbval-check-output"]
def mean_log_loss_solution(labels, probabilities):
    of_true_class = probabilities[np.arange(len(labels)), labels]
    return np.mean(-np.log(of_true_class))


lesson.check("mean_log_loss", mean_log_loss_solution)

# %% [markdown]
# **2. The accuracy by hand.** Return the share of samples whose most probable class is the true one. Of a tie, the
# first class is named.


# %% tags=["exercise"]
def share_right(labels, probabilities): ...


lesson.check("share_right", share_right)


# %% tags=["solution", "nbval-check-output"]
def share_right_solution(labels, probabilities):
    return np.mean(probabilities.argmax(axis=1) == labels)


lesson.check("share_right", share_right_solution)

# %% [markdown]
# **3. The other way round: both rise.** Two classes, ten samples. Write down the probability of the true class of
# each sample before and after an epoch in which accuracy rises **and** loss rises. Any such twenty numbers pass.

# %% tags=["exercise"]
before_epoch = ...  # ten probabilities of the true class; past 0.5 a sample is right
after_epoch = ...

lesson.check("both_rise", (before_epoch, after_epoch))

# %% tags=["solution", "nbval-check-output"]
before_solution = np.array([0.49, 0.20] + [0.80] * 8)
after_solution = np.array([0.51, 0.001] + [0.80] * 8)
both_rise_solution = before_solution, after_solution

lesson.check("both_rise", both_rise_solution)

# %% [markdown]
# One sample becomes right for almost nothing. Another, wrong all along, becomes confidently wrong and pays for
# everyone. You will meet this pair again in lesson 05, in the words of songs.

# %% [markdown]
# **4. The lowest accuracy for a loss.** Two classes, ten samples, a mean log loss of 0.40 (to two decimals). Write
# down ten probabilities of the true class that have this loss and the lowest accuracy that it permits.

# %% tags=["exercise"]
poorest = ...  # ten probabilities of the true class; past 0.5 a sample is right

lesson.check("poorest", poorest)

# %% tags=["solution", "nbval-check-output"]
wrong = np.full(5, 0.49)
left_over = 10 * 0.40 - np.sum(-np.log(wrong))  # nats for the five that are right
poorest_solution = np.concatenate([wrong, np.full(5, np.exp(-left_over / 5))])

lesson.check("poorest", poorest_solution)

# %% [markdown]
# **5. A mystery log.** A colleague trains a network on two classes. This is the log of six epochs over 200 validation
# samples; the accuracy follows the threshold 0.5. "The loss is low from the start, and the accuracy only crawls. Is
# the network overconfident?"

# %% tags=["nbval-check-output"]
from lossacc_helpers.course.lesson_01 import mystery_log

losses, accuracies = mystery_log()
for epoch, (loss, right) in enumerate(zip(losses, accuracies, strict=True), start=1):
    print(f"epoch {epoch}: loss {loss:.3f}, accuracy {right:.3f}")

# %% [markdown]
# Which of these epochs can no predictions produce? And what is the cause?
#
# - **A.** The network is overconfident: a few samples cost very much.
# - **B.** Loss and accuracy do not belong together: one is not what its name says.
# - **C.** 200 samples are too few, or the numbers are rounded too much.
# - **D.** The loss was clipped.

# %% tags=["exercise", "transfer"]
impossible = ...  # six times True or False; compute it from losses and accuracies
cause = ...  # "A", "B", "C" or "D"

lesson.check("mystery", (impossible, cause))

# %% tags=["solution", "nbval-check-output"]
mystery_solution = accuracies < 1 - losses / np.log(2), "B"

lesson.check("mystery", mystery_solution)

# %% [markdown]
# One impossible epoch is enough to distrust the column in all six: the same code printed it. The last cell of this
# part opens the colleague's file.

# %% tags=["nbval-check-output"]
from lossacc_helpers.course.lesson_01 import mystery_predictions

labels, p_one = mystery_predictions()
print("mean squared error", ((p_one - labels) ** 2).mean(axis=1).round(3))
print("mean log loss     ", binary_log_loss(labels, p_one).round(3))
print("accuracy          ", ((p_one > 0.5) == labels).mean(axis=1).round(3))

# %% [markdown]
# The accuracies are what they say. The printed "loss" was the mean squared error. That is a respectable loss, and it
# obeys another bound: a wrong sample has a squared error of at least a quarter. Its numbers only look low to somebody
# who expects nats.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
lesson.quiz("flat")

# %% tags=["quiz"]
lesson.quiz("three_classes")

# %% tags=["quiz"]
lesson.quiz("permits")

# %% tags=["quiz"]
lesson.quiz("threshold")

# %% tags=["quiz"]
lesson.quiz("jump")

# %% tags=["quiz"]
lesson.quiz("infinite")

# %% [markdown]
# ## Verdicts
#
# What is said where this question is asked, and what the cells above say to it:
#
# | claim | verdict | decided by |
# |---|---|---|
# | The loss can fall while the accuracy stays 0. | **True**, until the loss is below ln 2. Then at least one sample is right. | one sample, three epochs; the table of what a loss permits |
# | Accuracy changes in steps of 1/n, when a sample passes 0.5. | **True with two classes.** With more, the largest probability counts. Several samples may cross at once. | nine samples at rest and a tenth; the three classes; the four groups |
# | Loss and accuracy measure different things, and the threshold is a business decision. | **True.** Moving the threshold can change the accuracy and the mistakes, never the loss. | the eight animals and three thresholds |
# | A low loss means a high accuracy. | **True if** the loss is well below ln 2: accuracy is at least 1 - loss / ln 2. A loss above that promises nothing. | the table of what a loss permits; the poorest predictions; the search for a counterexample |
# | A high loss means a low accuracy. | **False**, unless losses are clipped. One sample can carry it; clipped, a high mean needs many wrong answers. | a loss of 4.0 on a thousand samples |
# | With RMSE the loss is the metric. | **True if** the size of the error is what you pay for, which no cell can know. Accuracy says nothing there. | the three prices |
#
# **Write the reply you would post.** Take five minutes. Answer the asker in your own words before you open the
# rubric.
#
# <details>
# <summary>A good reply ...</summary>
#
# - says that both numbers are right, and what each of them reads: all of p, or which side of the threshold it is on;
# - shows it on one sample with numbers, such as the three epochs of this lesson;
# - names the limit: once the loss is low, the accuracy cannot stay low, and gives the bound;
# - asks for what is missing: how many classes, how many samples, whether the loss is a log loss at all;
# - says which number to use for what: loss to train and to compare beliefs, accuracy or costs at a threshold to
#   decide;
# - does not promise that the accuracy will follow if one waits.
#
# </details>

# %% [markdown]
# ## Take away
#
# Believe both: loss reads how probable the true class was, accuracy reads whether it was named. Use the loss to train
# and to compare beliefs, and accuracy, or costs at a threshold, to decide; between two epochs they may move in any
# two directions, and the crossings say why. But they are not strangers: each wrong sample costs at least ln 2, so
# accuracy is never below 1 - loss / ln 2.
#
# **Read on**
#
# - G. W. Brier, "Verification of forecasts expressed in terms of probability", *Monthly Weather Review* 78 (1950),
#   1-3: where scores of probabilities begin.
# - T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation", *Journal of the
#   American Statistical Association* 102 (2007), 359-378:
#   [doi.org/10.1198/016214506000001437](https://doi.org/10.1198/016214506000001437).
# - P. L. Bartlett, M. I. Jordan and J. D. McAuliffe, "Convexity, classification, and risk bounds", *Journal of the
#   American Statistical Association* 101 (2006), 138-156:
#   [doi.org/10.1198/016214505000000907](https://doi.org/10.1198/016214505000000907). When minimising a loss leads to
#   few mistakes; lesson 06 returns to it.
# - E. B. Wilson, "Probable inference, the law of succession, and statistical inference", *Journal of the American
#   Statistical Association* 22 (1927), 209-212: the interval for eight of ten.
# - scikit-learn, [`log_loss`](https://scikit-learn.org/stable/modules/generated/sklearn.metrics.log_loss.html), and
#   Keras, [probabilistic losses](https://keras.io/api/losses/probabilistic_losses/): what they clip, and
#   `from_logits`.

# %% [markdown]
# # 07 Choosing a metric
#
# ## The question
#
# Three people ask in public about one number. The first trains a regression, and wants to know what percentage is
# right; Keras prints an accuracy of 0.0. The second looks for something rare, and is pleased: the accuracy is 98%,
# from the first epoch on. The third has written a metric of their own, and asks whether it is shown instead of
# accuracy or beside it, and why it differs from what scikit-learn computes.
#
# In this lesson you find out what each number was, you see seven metrics judge the same predictions, and you let each
# of them choose a model, to learn what the choice of a metric costs.
#
# **What you need first:** lesson 01 (what a sample costs, what a loss permits), and enough Keras to read `compile`
# and `fit`. The next cell loads TensorFlow, which takes about ten seconds; if another lesson's kernel still runs,
# shut it down first (menu *Kernel*).
#
# <details>
# <summary>What the answers claimed</summary>
#
# For a regression: use RMSE; it has no 0% and no 100%; or use R^2, which has. For a rare class: a model that
# maximises accuracy will always name the most common class, if the imbalance is severe, and log loss would be better.
# For a metric of one's own: write `your_own_metric(y_true, y_pred)` and pass it to `compile`; and
# `show_accuracy=True` shows the accuracy. Each gets its verdict at the end.
#
# </details>

# %%
from lossacc_helpers.course.lesson_07 import eights, lesson
from lossacc_helpers import attainable_accuracy, figures, training
from lossacc_helpers.figures.metrics import ratio_figure

import keras
import numpy as np
import tensorflow as tf
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

layers = keras.layers

# %% [markdown]
# Here is the second case, with real images. Is a digit an eight? One in 41 is, and the scanner is coarse: 4 x 4
# pixels. Eight networks, each with another seed.

# %%
images, is_eight = eights(pixels=4, others=40)
train, validation = (images[:1100], is_eight[:1100] * 1), (images[1100:], is_eight[1100:] * 1)


def build_model():
    return keras.Sequential(
        [keras.Input((16,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")]
    )


settings = dict(replicas=8, epochs=40, batch_size=32, optimizer=keras.optimizers.Adam(0.003))
pleased = training.fit_replicas(build_model, train, validation, **settings)
title = "The accuracy stands still from the first epochs on; the loss goes on falling"
figures.loss_and_accuracy_curves(pleased, title=title)

# %% [markdown]
# ## Commit
#
# Before you look into it, say what you think.

# %% tags=["commit"]
lesson.commit("percent")

# %% tags=["commit"]
lesson.commit("always")

# %% tags=["commit"]
lesson.commit("batches")

# %% [markdown]
# ## Look
#
# Logistic regression says how probable it is that a digit is an eight. Purple are the eights, grey the others. Above
# the **threshold** it says "eight". The bars below show seven metrics, and the black ticks what each would be if
# nobody were ever called an eight.
#
# 1. At a threshold of 0.5: which bars are hardly longer than their tick allows, and which are much longer? The
#    predictions are the same.
# 2. Lower the **threshold** to 0.05. Which bars move, in which direction, and which do not move at all?
# 3. Switch to the finer **scanner**, with the threshold back at 0.5. Does it now say "eight"?
# 4. Make eights rarer: 100 **others to one eight**. Which bars shrink, and which grow?
# 5. Set the **price of a miss**. The dotted threshold follows from it. Does it lie near 0.5 for any price but 1?

# %% tags=["explorer"]
lesson.explorer()

# %% [markdown]
# ## Compute and explain
#
# ### A regression has no percentage
#
# The first case. 442 patients with diabetes: ten measurements, and how far the disease has gone a year later, a
# number from 25 to 346. Divide it by 346, and train as the first asker did.

# %%
from sklearn.datasets import load_diabetes

patients, progression = load_diabetes(return_X_y=True, scaled=True)
patients, target = 20 * patients, progression / 346
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((10,)), layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.03), loss="mse", metrics=["accuracy"])
log = model.fit(patients, target, batch_size=32, epochs=60, verbose=0).history
mse, printed = log["loss"][-1], log["accuracy"][-1]
print(f"loss {mse:.4f}, accuracy {printed:.4f}")

# %% [markdown]
# Lesson 01 tells you that these two cannot be what they seem. Were the loss a log loss of two classes, then so small
# a one would force the accuracy up:

# %%
least, most = attainable_accuracy(mse, classes=2)
print(f"a log loss of {mse:.4f} needs an accuracy of at least {least:.3f}; printed is {printed:.4f}")
assert printed < least

# %%
print("what 'accuracy' has become:", type(model.metrics[1].metrics[0]).__name__)
forecast = model.predict(patients, verbose=0)[:, 0]
by_hand = np.mean((forecast > 0.5) == target)
print(f"forecasts cut at 0.5 and equal to the target: {by_hand:.4f}", end="; ")
print(f"targets that are 0 or 1: {np.isin(target, (0, 1)).sum()}")

# %% [markdown]
# `BinaryAccuracy` cuts the forecast at 0.5 and asks whether the result *equals* the target. One target of 442 is
# exactly 1. There is nothing to be right about: a forecast that is off by a hundredth is not a wrong answer.

# %%
lesson.recall("percent")

# %% [markdown]
# ### What to report of a regression
#
# Three numbers, from forecasts that a linear regression made for patients that it had not seen, and from always
# forecasting the mean.

# %%
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

folds = KFold(10, shuffle=True, random_state=0)
forecasts = {
    "linear regression": cross_val_predict(LinearRegression(), patients, progression, cv=folds),
    "always the mean": np.full(442, progression.mean()),
    "always the median": np.full(442, np.median(progression)),
}
for name, forecast in forecasts.items():
    rmse = metrics.root_mean_squared_error(progression, forecast)
    mae, r2 = metrics.mean_absolute_error(progression, forecast), metrics.r2_score(progression, forecast)
    print(f"{name:18} RMSE {rmse:6.2f}   MAE {mae:6.2f}   R^2 {r2:+.3f}")

# %% [markdown]
# - **RMSE** is in the unit of the target, and so is **MAE**, the mean absolute error. Neither has a percentage, and
#   neither needs one: "off by 44 points in the mean, where the mean forecast is off by 66" says it. RMSE counts large
#   errors more; the mean makes it least, the median makes MAE least.
# - **R^2** is 1 minus the squared error over that of the mean: 1 is perfect, 0 is as good as the mean. But it is no
#   percentage of anything right, and it has no lower end.
#
# And it depends on whom you ask about. The same forecasts, for all patients and for those in the middle:

# %%
fitted = forecasts["linear regression"]
low, high = np.quantile(progression, [0.25, 0.75])
middle = (progression > low) & (progression < high)
for name, which in (("all patients", slice(None)), ("the middle half", middle)):
    y, f = progression[which], fitted[which]
    by_hand = 1 - np.mean((y - f) ** 2) / np.var(y)
    np.testing.assert_allclose(by_hand, metrics.r2_score(y, f))
    print(f"{name:15} RMSE {metrics.root_mean_squared_error(y, f):5.1f}, R^2 {by_hand:+.2f}")
    smaller = metrics.r2_score(10 * y, 10 * f) - by_hand
    assert abs(smaller) < 1e-9  # another unit changes RMSE and not R^2

# %% [markdown]
# For the middle half the errors are *smaller*, and R^2 is below 0: those patients hardly differ, so their own mean is
# hard to beat. Never compare R^2 across data that vary unlike.

# %% [markdown]
# ### Always the common class
#
# The second case. "A model that maximises accuracy will always name the most common class." When would that be right?
# At each place, accuracy is greatest for the class that is more probable *there*. So "always" is best if, and only
# if, the common class is the more probable one **at every place**. How rare eights are is one half of that; how well
# they can be told is the other.


# %%
def judge(pixels, others, seed=0, class_weight=None):
    model = LogisticRegression(max_iter=2000, class_weight=class_weight)
    images, rare = eights(pixels=pixels, others=others, seed=seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return rare, cross_val_predict(model, images, rare, cv=folds, method="predict_proba")[:, 1]


# %%
for pixels in (8, 4):
    for others in (10, 20, 40):
        drawn = [judge(pixels, others, seed) for seed in range(5)]
        called = np.mean([np.sum(p > 0.5) for _, p in drawn])
        right = np.mean([np.sum(rare & (p > 0.5)) for rare, p in drawn])
        print(
            f"{pixels} x {pixels} pixels, {others} others to one eight: calls {called:5.1f}, {right:5.1f} of them",
            end=" ",
        )
        print(f"among the {drawn[0][0].sum():3} eights; highest probability {max(p.max() for _, p in drawn):.3f}")

# %% [markdown]
# Same digits, same ratio. With fine pixels many eights are still called at 40 to one. With coarse ones no image was
# ever found more probably an eight than not, at 20 to one, and so none is called. Both models were trained by log
# loss. Had accuracy been the aim, the best answers would have been the same, cut at one half, as far as the
# probabilities are right. (They are not quite: at 10 to one the coarse model calls twenty, nearly all wrongly. Lesson
# 05 tells how to check.)

# %%
lesson.recall("always")

# %% [markdown]
# ### Seven metrics, by hand
#
# The seven of the explorer, once by hand and once by scikit-learn, for the coarse scanner and a threshold of 0.1.

# %%
rare, p = judge(4, 20)
called = p > 0.1
found, alarms, missed = np.sum(rare & called), np.sum(~rare & called), np.sum(rare & ~called)
passed = np.sum(~rare & ~called)
print(f"found {found}, false alarms {alarms}, missed {missed}, rightly passed {passed}")
sizes = float((found + alarms) * (found + missed) * (passed + alarms) * (passed + missed))
by_hand = {
    "accuracy": (found + passed) / len(rare),
    "balanced accuracy": (found / (found + missed) + passed / (passed + alarms)) / 2,
    "F1": 2 * found / (2 * found + alarms + missed),
    "Matthews correlation": (found * passed - alarms * missed) / np.sqrt(sizes),
}

# %%
theirs = (metrics.accuracy_score, metrics.balanced_accuracy_score, metrics.f1_score, metrics.matthews_corrcoef)
for (name, value), of_scikit_learn in zip(by_hand.items(), theirs):
    print(f"{name:20} {value:.4f}, scikit-learn {of_scikit_learn(rare, called):.4f}")
    np.testing.assert_allclose(value, of_scikit_learn(rare, called))

# %% [markdown]
# - **Balanced accuracy** is the mean of two shares: of the eights that are found, of the others that are passed.
# - **F1** asks of the rare class alone: how many are found, and how many of those called are right.
# - The **Matthews correlation** is the correlation coefficient of the two rows of zeros and ones. It is 0 for whoever
#   always says the same.
#
# The other three need no threshold.

# %%
above = p[rare][:, None] - p[~rare][None, :]  # every eight against every other
pairs = np.mean(above > 0) + np.mean(above == 0) / 2
order = np.argsort(-p, kind="stable")
precision = np.cumsum(rare[order]) / np.arange(1, len(p) + 1)
np.testing.assert_allclose(pairs, metrics.roc_auc_score(rare, p))
np.testing.assert_allclose(precision[rare[order]].mean(), metrics.average_precision_score(rare, p), atol=1e-3)
print(f"ROC AUC {metrics.roc_auc_score(rare, p):.4f}; an eight ranks above another digit in {pairs:.4f} of the pairs")
print(f"PR AUC {metrics.average_precision_score(rare, p):.4f}; mean precision where an eight is found", end=" ")
print(f"{precision[rare[order]].mean():.4f}; share of eights {rare.mean():.4f}")

# %%
constant = metrics.log_loss(rare, np.full(len(rare), rare.mean()))
saved = 1 - metrics.log_loss(rare, p) / constant
print(
    f"log loss {metrics.log_loss(rare, p):.3f}; of always saying {rare.mean():.3f}: {constant:.3f}; saved {saved:.0%}"
)

# %% [markdown]
# - **ROC AUC** is the share of pairs in which the eight ranks higher: 1 is perfect order, 0.5 is none.
# - **PR AUC** (scikit-learn's average precision) is the mean, over the eights, of how many of those ranked as high
#   are eights. Without any order it is the share of eights.
# - **Log loss** must be held against what one pays without looking: always saying the share of eights. That is the
#   entropy of the share, and small where eights are rare. What sounds like next to nothing saves less than a fifth of
#   it. "Log loss saved" is what statistics calls McFadden's R^2.

# %% [markdown]
# ### The same predictions, fewer eights
#
# Take the predictions of the coarse scanner at 10 to one, and a threshold of 0.2. Leave out eights at random, and
# judge again. Nothing is trained anew, so what moves is the metric and not the model.

# %%
rare, p = judge(4, 10)
ratios = (10, 20, 40, 80)
scores = {
    "accuracy": lambda y, q: metrics.accuracy_score(y, q > 0.2),
    "balanced accuracy": lambda y, q: metrics.balanced_accuracy_score(y, q > 0.2),
    "Matthews": lambda y, q: metrics.matthews_corrcoef(y, q > 0.2),
    "ROC AUC": metrics.roc_auc_score,
    "PR AUC": metrics.average_precision_score,
}


def thinned(others, seed):
    kept = np.random.default_rng(seed).permutation(np.flatnonzero(rare))[: round(np.sum(~rare) / others)]
    return np.concatenate([np.flatnonzero(~rare), kept])


# %%
thin = [[thinned(others, seed) for seed in range(40)] for others in ratios]
values = {name: [[one(rare[k], p[k]) for k in row] for row in thin] for name, one in scores.items()}
medians = {name: np.median(rows, axis=1) for name, rows in values.items()}
assert np.ptp(medians["ROC AUC"]) < 0.04 > np.ptp(medians["balanced accuracy"])
assert medians["PR AUC"][-1] < 0.4 * medians["PR AUC"][0] and medians["Matthews"][-1] < 0.7 * medians["Matthews"][0]
title = "Two metrics do not ask how rare eights are; two sink with them"
ratio_figure(ratios, values, title=title, xlabel="others to one eight")

# %% [markdown]
# **ROC AUC** and **balanced accuracy** are made of two rates, one within the eights and one within the others. How
# many there are of each makes no difference, but for chance. **PR AUC**, **F1** and the **Matthews correlation**
# contain precision: of those called, how many are right. The false alarms stay, the eights become fewer, and
# precision sinks. **Accuracy** becomes the accuracy on the others, whatever happens to the eights.
#
# Neither is wrong. A rate tells you about the classifier; precision tells whoever must look at the alarms how many
# are false. But a PR AUC of 0.1 says nothing until you know the share.

# %% [markdown]
# ### A threshold belongs to the prices
#
# Say a missed eight costs as much as 20 false alarms. An image with probability $p$ costs $20p$ in the mean if it is
# passed, and $1 - p$ if it is called. Calling is cheaper above $p = 1 / 21$. No threshold is searched; it follows
# from the prices, if the probabilities are right.


# %%
def cost(rare, called, price=20):
    """What mistakes cost per 1,000 samples, in false alarms."""
    return (price * np.sum(rare & ~called) + np.sum(~rare & called)) / len(rare) * 1000


def compare(pixels, seed):
    rare, p = judge(pixels, 20, seed)
    weighted = judge(pixels, 20, seed, class_weight={False: 1, True: 20})[1]
    searched = min(cost(rare, p > threshold) for threshold in np.unique(p))
    losses = metrics.log_loss(rare, p), metrics.log_loss(rare, weighted)
    return cost(rare, p > 0.5), cost(rare, p > 1 / 21), searched, cost(rare, weighted > 0.5), *losses


# %%
compared = {pixels: np.array([compare(pixels, seed) for seed in range(10)]).T for pixels in (4, 8)}
lines = ("threshold 0.5", "threshold 1/21", "best threshold in hindsight", "class weights 1:20, threshold 0.5")
print(f"{'cost of 1,000 digits, mean of ten draws':40} 4 x 4   8 x 8 pixels")
for k, name in enumerate([*lines, "log loss", "log loss with class weights"]):
    form = "5.0f" if k < 4 else "5.3f"
    print(f"{name:40} {compared[4][k].mean():{form}}   {compared[8][k].mean():{form}}")

# %%
for costs in compared.values():
    assert (costs[1] < 0.8 * costs[0]).all() and (costs[2] <= costs[1]).all() and (costs[5] > 1.5 * costs[4]).all()
assert (compared[4][3] < compared[4][1]).sum() >= 8 and (compared[4][5] > constant).all()
print(
    "with coarse pixels, weights cheaper than the threshold in", np.sum(compared[4][3] < compared[4][1]), "of 10 draws"
)
print("with fine pixels in", np.sum(compared[8][3] < compared[8][1]))

# %% [markdown]
# The same predictions cost about half if the threshold follows the price, and the best threshold in hindsight saves
# little more. **Class weights** are another way to the same end. With coarse pixels they were a little cheaper: a
# model that cannot be right everywhere is fitted where it matters. With fine ones they were not. And they spoil the
# probabilities, as the log loss shows: with coarse pixels it is worse than that of looking at nothing. If your prices
# change, a threshold can follow. A network trained with weights must be trained again.

# %% [markdown]
# ### Which metric chooses the best model?
#
# "Log loss would be better", said the answer. Better for what? Let each metric choose one of eight models on
# validation digits, and see what its choice costs on test digits, at the price of 20 and the threshold of 1/21. Ten
# draws.

# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

# %%
models = {
    "logistic": LogisticRegression(C=10, max_iter=2000),
    "logistic, strong ridge": LogisticRegression(C=0.01, max_iter=2000),
    "logistic, class weights": LogisticRegression(C=10, max_iter=2000, class_weight="balanced"),
    "naive Bayes": GaussianNB(var_smoothing=0.001),
    "5 neighbours": KNeighborsClassifier(5),
    "30 neighbours": KNeighborsClassifier(30),
    "tree": DecisionTreeClassifier(max_depth=6, random_state=0),
    "forest": RandomForestClassifier(40, random_state=0),
}

# %%
choosers = {
    "accuracy": lambda y, q: metrics.accuracy_score(y, q > 0.5),
    "balanced accuracy": lambda y, q: metrics.balanced_accuracy_score(y, q > 0.5),
    "F1": lambda y, q: metrics.f1_score(y, q > 0.5, zero_division=0),
    "Matthews": lambda y, q: metrics.matthews_corrcoef(y, q > 0.5),
    "ROC AUC": metrics.roc_auc_score,
    "PR AUC": metrics.average_precision_score,
    "log loss": lambda y, q: -metrics.log_loss(y, q),
    "the cost itself": lambda y, q: -cost(y, q > 1 / 21),
}


# %%
def three_parts(seed):
    images, rare = eights(pixels=4, others=14, seed=seed)
    plain, few = np.flatnonzero(~rare), np.flatnonzero(rare)
    parts = zip(np.split(plain, [400, 800]), np.split(few, [28, 56]))
    return [(images[k], rare[k]) for k in (np.concatenate(part) for part in parts)]


# %%
def paid_by_choice(seed, without=()):
    """What each chooser's model costs on test digits, then the best in hindsight, then never saying eight."""
    (a, a_rare), (b, b_rare), (c, c_rare) = three_parts(seed)
    fits = {name: one.fit(a, a_rare) for name, one in models.items() if name not in without}
    seen = {name: one.predict_proba(b)[:, 1] for name, one in fits.items()}
    paid = {name: cost(c_rare, one.predict_proba(c)[:, 1] > 1 / 21) for name, one in fits.items()}
    picks = [max(seen, key=lambda name: by(b_rare, seen[name])) for by in choosers.values()]
    return [*(paid[name] for name in picks), min(paid.values()), cost(c_rare, np.zeros_like(c_rare))]


# %%
neighbours = ("5 neighbours", "30 neighbours")
both = [np.array([paid_by_choice(seed, without) for seed in range(10)]) for without in ((), neighbours)]
print(f"{'cost, mean of ten draws, standard error':40} all models      without neighbours")
for k, name in enumerate([*choosers, "best in hindsight", "never an eight"]):
    row = [f"{one[:, k].mean():5.0f} +- {one[:, k].std(ddof=1) / 10**0.5:3.0f}" for one in both]
    print(f"{name:40} {'   '.join(row)}")

# %%
everyone = dict(zip(choosers, both[0].T))
cheaper = np.sum(everyone["log loss"] < everyone["accuracy"])
print(f"all models: log loss cheaper than accuracy in {cheaper} of 10 draws")
assert everyone["the cost itself"].mean() < everyone["log loss"].mean() - 50 and (both[0][:, 8] <= both[0][:, 7]).all()
assert everyone["log loss"].mean() > everyone["accuracy"].mean()

# %% [markdown]
# Among all models, log loss was *not* a better chooser than accuracy. Five neighbours order and answer well, but give
# some eights a probability of exactly 0, and log loss cannot forgive that. Balanced accuracy at 0.5 did no better: it
# likes whatever calls many. Without the neighbours the order is another one, and only the differences that are
# several standard errors wide mean something. What is paid in the end chose as well as any. So choose by that, and
# use the others to understand.
#
# What the answer may have meant is true: while training, log loss *sees* progress where accuracy stands still. That
# was the first picture.

# %% [markdown]
# ### What 'accuracy' turns into
#
# The third case. In Keras, `metrics=["accuracy"]` is a wish. What you get depends on the shapes of targets and
# outputs.


# %%
def what_it_becomes(targets, units, activation, loss):
    network = keras.Sequential([keras.Input((3,)), layers.Dense(units, activation=activation)])
    network.compile("sgd", loss=loss, metrics=["accuracy"], run_eagerly=True)
    network.fit(np.zeros((len(targets), 3)), targets, verbose=0)
    return type(network.metrics[1].metrics[0]).__name__


# %%
draw = np.random.default_rng(0)
ids, three = draw.integers(0, 3, 12), draw.normal(size=(12, 3))
cases = {
    "0 or 1, one sigmoid unit": (ids % 2, 1, "sigmoid", "binary_crossentropy"),
    "class ids, three softmax units": (ids, 3, "softmax", "sparse_categorical_crossentropy"),
    "one-hot rows, three softmax units": (np.eye(3)[ids], 3, "softmax", "categorical_crossentropy"),
    "any numbers, one linear unit": (three[:, 0], 1, None, "mse"),
    "three numbers, three linear units": (three, 3, None, "mse"),
    "three yes-or-no labels, three sigmoid units": (1.0 * (three > 0), 3, "sigmoid", "binary_crossentropy"),
}
for name, case in cases.items():
    print(f"{name:44} {what_it_becomes(*case)}")

# %% [markdown]
# The first three are what was meant. The others are accidents. With three numbers to forecast, Keras compares which
# of them is the greatest; and for three labels that may all be true it does so as well, though `BinaryAccuracy` was
# meant. Name the metric you mean.
#
# ### A threshold for logits
#
# A network without a last activation gives logits, and the loss is told so. `accuracy` is not.

# %%
fine, is_rare = eights(pixels=8, others=10)
truth = is_rare[:, None].astype("float32")
keras.utils.set_random_seed(0)
logits = keras.Sequential([keras.Input((64,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
right_cut = keras.metrics.BinaryAccuracy(threshold=0.0, name="at_logit_0")
logits.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy", right_cut])
trained = logits.fit(fine, truth, batch_size=32, epochs=8, verbose=0)

# %%
said = logits.evaluate(fine, truth, verbose=0, return_dict=True)
outputs = logits.predict(fine, verbose=0)
print({name: round(value, 4) for name, value in said.items()})
print(f"outputs above 0: {np.sum(outputs > 0)}, above 0.5: {np.sum(outputs > 0.5)}", end="; ")
print(f"a logit of 0.5 is a probability of {1 / (1 + np.exp(-0.5)):.2f}")
np.testing.assert_allclose(said["accuracy"], np.mean((outputs > 0.5) == truth), atol=1e-4)
np.testing.assert_allclose(said["at_logit_0"], np.mean((outputs > 0) == truth), atol=1e-4)

# %% [markdown]
# The difference is small here. It is not where outputs are close to 0, as early in training, and nothing warns you.

# %% [markdown]
# ### A metric of your own
#
# Write a function of targets and outputs, and pass it to `compile`. F1 this way, as it is found in many answers:


# %%
def own_f1(y_true, y_pred):
    called = tf.cast(y_pred > 0.5, tf.float32)
    found = tf.reduce_sum(y_true * called)
    return 2 * found / tf.maximum(tf.reduce_sum(y_true) + tf.reduce_sum(called), 1)


# %%
class PooledF1(keras.metrics.Metric):
    def __init__(self, name="pooled_f1"):
        super().__init__(name=name)
        self.found, self.counted = (self.add_weight(name=part, initializer="zeros") for part in ("found", "counted"))

    def update_state(self, y_true, y_pred, sample_weight=None):
        called = tf.cast(y_pred > 0.5, tf.float32)
        self.found.assign_add(2 * tf.reduce_sum(y_true * called))
        self.counted.assign_add(tf.reduce_sum(y_true) + tf.reduce_sum(called))

    def result(self):
        return self.found / tf.maximum(self.counted, 1)


# %% [markdown]
# The class keeps *counts* from batch to batch, and divides once. (Keras sets them back to 0 at each epoch. For sample
# weights, multiply by them.) Keras has F1 itself, and AUC. All of them, on eights that are one in 21:

# %%
fine, is_rare = eights(pixels=8, others=20)
truth = is_rare[:, None].astype("float32")
keras.utils.set_random_seed(0)
network = keras.Sequential(
    [keras.Input((64,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")]
)
ready = [keras.metrics.F1Score(threshold=0.5, name="keras_f1"), keras.metrics.AUC(name="auc")]
network.compile("adam", "binary_crossentropy", metrics=["accuracy", own_f1, PooledF1(), *ready])
shown = network.fit(fine, truth, batch_size=32, epochs=12, verbose=0).history
print("in the log, beside the loss:", ", ".join(shown))

# %%
said = network.evaluate(fine, truth, batch_size=32, verbose=0, return_dict=True)
p = network.predict(fine, verbose=0)[:, 0]
exact = metrics.f1_score(is_rare, p > 0.5)
print(f"scikit-learn F1 {exact:.4f}, ROC AUC {metrics.roc_auc_score(is_rare, p):.4f}")
for name in ("own_f1", "pooled_f1", "keras_f1", "auc"):
    print(f"{name:10} {np.ravel(said[name])[0]:.4f}")
empty = np.mean([not is_rare[k : k + 32].any() for k in range(0, len(p), 32)])
print(f"batches without any eight: {empty:.0%}")
np.testing.assert_allclose([said["pooled_f1"], np.ravel(said["keras_f1"])[0]], exact, atol=1e-4)
assert said["own_f1"] < exact - 0.05
lesson.recall("batches", came_out=f"{said['own_f1'] - exact:+.2f}: batches without an eight that is found count as 0.")

# %% [markdown]
# Everything in the list is shown **beside** the loss; there is no "instead". The function's value is the mean of what
# it gave for each batch, and a batch without eights gives 0 (or, with a small number in the denominator, something
# else that is made up). The class, Keras's own F1 and scikit-learn agree. Keras's AUC is made of 200 thresholds and
# only nearly the same.
#
# Two stumbling blocks. `F1Score` wants targets of shape (sample, 1). And `show_accuracy` has been gone for years:

# %%
for attempt in (
    lambda: keras.metrics.F1Score(threshold=0.5)(truth[:, 0], p[:, None]),
    lambda: network.fit(fine, truth, show_accuracy=True),
):
    try:
        attempt()
    except (ValueError, TypeError) as error:
        print(f"{type(error).__name__}: {str(error).splitlines()[0][:110]}")

# %% [markdown]
# ## Your turn
#
# Each exercise is checked by its own cell. Run `lesson.hint("...")` with its name when you are stuck. The solutions
# are collapsed.
#
# **1. A threshold from prices.** A false alarm costs `alarm`, a miss costs `miss`. Above which probability should the
# rare class be called?


# %% tags=["exercise"]
def threshold(alarm, miss): ...


lesson.check("threshold", threshold)


# %% tags=["solution"]
def threshold_solution(alarm, miss):
    return alarm / (alarm + miss)


lesson.check("threshold", threshold_solution)

# %% [markdown]
# **2. F1 of all batches.** Each row of `counts` (batch, 3) holds what one batch counted: found, false alarms, missed.
# Return the F1 of all samples. (No check has nothing found, no alarm and nothing missed in all batches.)


# %% tags=["exercise"]
def pooled_f1(counts): ...


lesson.check("pooled_f1", pooled_f1)


# %% tags=["solution"]
def pooled_f1_solution(counts):
    found, alarms, missed = counts.sum(axis=0)
    return 2 * found / (2 * found + alarms + missed)


lesson.check("pooled_f1", pooled_f1_solution)

# %% [markdown]
# **3. Two metrics at odds.** Twenty samples, of which the first four are of the rare class. Write down the
# probabilities of the rare class that two models give, as an array of shape (2, 20): the first model has the smaller
# log loss, the second has the greater ROC AUC.

# %% tags=["exercise"]
at_odds = ...  # an array of shape (2, 20)

lesson.check("at_odds", at_odds)

# %% tags=["solution"]
calm = np.r_[0.4, 0.4, 0.4, 0.1, np.full(16, 0.15)]
shrill = np.r_[np.full(4, 0.99), np.full(16, 0.98)]
at_odds_solution = np.stack([calm, shrill])

lesson.check("at_odds", at_odds_solution)

# %% [markdown]
# **4. In another clinic.** A test for a disease was tried where a share `here` of the people had it. It found a share
# `recall` of the ill, and a share `precision` of its alarms was right. Now it is used where a share `there` of the
# people are ill. What precision should be expected there?


# %% tags=["exercise", "transfer"]
def precision_elsewhere(recall, precision, here, there): ...


lesson.check("precision_elsewhere", precision_elsewhere)


# %% tags=["solution"]
def precision_elsewhere_solution(recall, precision, here, there):
    alarms = recall * here * (1 - precision) / (precision * (1 - here))  # of the healthy, the share that is alarmed
    return recall * there / (recall * there + alarms * (1 - there))


lesson.check("precision_elsewhere", precision_elsewhere_solution)

# %%
elsewhere = precision_elsewhere_solution(recall=0.9, precision=0.9, here=0.5, there=0.01)
print(f"found 90%, precision 90% among people of whom half are ill; where 1% is ill: {elsewhere:.0%}")

# %% [markdown]
# (It holds as long as the ill there are like the ill here, and the healthy like the healthy.)

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
lesson.quiz("regression")

# %% tags=["quiz"]
lesson.quiz("r2")

# %% tags=["quiz"]
lesson.quiz("constant")

# %% tags=["quiz"]
lesson.quiz("cut")

# %% tags=["quiz"]
lesson.quiz("logits")

# %% tags=["quiz"]
lesson.quiz("own")

# %% [markdown]
# ## Verdicts
#
# | claim of the answers | verdict | decided by |
# |---|---|---|
# | A regression should report RMSE; it has no 0% and no 100%. | **True.** It is in the unit of the target; hold it against what the mean does. | what to report of a regression |
# | R^2 has. | **Half true.** 1 is perfect and 0 is the mean, but it may be negative, and it depends on how much the targets vary. | the middle half |
# | (Not said:) `accuracy` of a regression is printed, and means nothing. | **True.** It counts targets that are exactly 0 or 1. The bound of lesson 01 exposes it. | a regression has no percentage |
# | Under severe imbalance a model that maximises accuracy always names the common class. | **Only where** that class is the more probable one at every place. With coarse pixels so, with fine ones not, at the same ratio. | always the common class |
# | Log loss would be better. | **To see progress, yes. To judge and to choose, not by itself.** Its level must be held against the entropy of the share; and as a chooser it was worse than accuracy here. | which metric chooses the best model |
# | Write `your_own_metric(y_true, y_pred)`. | **It works**, and shows the mean over batches, which for F1 is another number. Keep counts, or take Keras's own. | a metric of your own |
# | `show_accuracy=True` shows the accuracy. | **No longer.** It raises an error; `metrics=[...]` shows all that it lists, beside the loss. | two stumbling blocks |
#
# **Write the reply you would post** to the second asker. Take five minutes, before you open the rubric.
#
# <details>
# <summary>A good reply ...</summary>
#
# - says what always naming the common class would get, and holds each number against that;
# - asks what a miss and a false alarm cost, and gives the threshold that follows;
# - names one metric for the order (ROC AUC), one for whoever looks at the alarms (precision, PR AUC, with the share),
#   and one for the probabilities (log loss against the entropy);
# - does not recommend class weights without saying what they do to probabilities;
# - claims nothing that was not run.
#
# </details>

# %% [markdown]
# ## Take away
#
# A metric is an answer to a question: what is paid for which mistake? Ask that first. Then hold every number against
# what one gets without looking: the mean for a regression, the common class for accuracy, the share for PR AUC, the
# entropy of the share for log loss. And look up what the name "accuracy" was turned into.
#
# **Read on**
#
# - scikit-learn, [metrics and scoring](https://scikit-learn.org/stable/modules/model_evaluation.html), and [tuning
#   the threshold](https://scikit-learn.org/stable/modules/classification_threshold.html).
# - Keras, [metrics](https://keras.io/api/metrics/), and how to write one.
# - C. Elkan, ["The foundations of cost-sensitive learning"](https://dl.acm.org/doi/10.5555/1642194.1642224), IJCAI
#   2001: the threshold from the prices, and what weights do.
# - T. Saito, M. Rehmsmeier, ["The precision-recall plot is more informative than the ROC plot when evaluating binary
#   classifiers on imbalanced datasets"](https://doi.org/10.1371/journal.pone.0118432), *PLoS ONE* 10, 2015.
# - D. Chicco, G. Jurman, ["The advantages of the Matthews correlation coefficient over F1 score and
#   accuracy"](https://doi.org/10.1186/s12864-019-6413-7), *BMC Genomics* 21, 2020.

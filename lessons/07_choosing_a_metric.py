# %% [markdown]
# # 07 Choosing a metric
#
# ## The question
#
# Three people ask in public about one number. The first trains a regression, and wants to know what percentage is
# right; Keras prints an accuracy, and it looks absurd. The second looks for something rare, and is pleased: the
# accuracy is 98%, from the first epoch on. The third has written a metric of their own, and asks whether it is shown
# instead of accuracy or beside it, and why it differs from what scikit-learn computes.
#
# In this lesson you find out what each number was, see seven metrics judge the same predictions, and let each of them
# choose a model, to learn what that choice costs.
#
# **What you need first:** lesson 01 (what a sample costs, what a loss permits), lesson 02 (many networks at once),
# lesson 05 (entropy, calibration), and enough Keras to read `compile` and `fit`. The last exercise needs what a
# temperature is (lesson 05). The next cell loads TensorFlow, which takes about ten seconds; if another lesson's kernel
# still runs, shut it down first (menu *Kernel*).
#
# <details>
# <summary>What the answers claimed</summary>
#
# For a regression: use RMSE; it has no 0% and no 100%; or use R^2, which has both. For a rare class: a model that
# maximises accuracy will always name the most common class, if the imbalance is severe, and log loss would be better.
# For a metric of one's own: write `your_own_metric(y_true, y_pred)` and pass it to `compile`; and `show_accuracy=True`
# shows the accuracy. Each gets its verdict at the end.
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
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

layers = keras.layers

# %% [markdown]
# Here is the second case, with real images. Is a digit an eight? One in 41 is, and the scanner is coarse: 4 x 4 pixels.
# Eight networks, each with another seed. Dotted ("chance" in the picture) is what you get without looking: for the
# accuracy by never saying "eight", for the loss by always saying how frequent eights are. (Of the validation digits 15
# are eights.)

# %%
images, is_eight = eights(pixels=4, others=40)
train, validation = (images[:1100], is_eight[:1100] * 1), (images[1100:], is_eight[1100:] * 1)


def build_model():
    return keras.Sequential(
        [keras.Input((16,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")]
    )


settings = dict(replicas=8, epochs=40, batch_size=32, optimizer=keras.optimizers.Adam(0.003))
pleased = training.fit_replicas(build_model, train, validation, **settings)

# %% decides="the first picture" over="{pleased.replicas} networks (drawn from seed {pleased.settings['seed']})"
for part in (pleased.train, pleased.validation):
    assert np.ptp(part.accuracy[:, 3:], axis=1).max() < 0.01 and (part.loss[:, -1] < 0.9 * part.loss[:, 3]).all()
share = is_eight.mean()
entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
title = "The accuracy stands still from the first epochs on; the loss goes on falling"
limits = dict(accuracy_from=0.9, loss_limit=0.3)
figures.loss_and_accuracy_curves(pleased, title=title, chance_loss=entropy, chance_accuracy=1 - share, **limits)

# %% [markdown]
# ## Commit
#
# What do you expect? Say so before you see it.

# %% tags=["commit"]
lesson.commit("percent")

# %% tags=["commit"]
lesson.commit("always")

# %% tags=["commit"]
lesson.commit("batches")

# %% [markdown]
# ## Look
#
# Logistic regression says how probable it is that a digit is an eight. The eights are purple, the others grey; small
# probabilities and small heights are drawn wider, for most digits are not eights. Above the **threshold** it says
# "eight". Two curves show all thresholds at once:
#
# - the **ROC curve**: which share of the eights is found (their **recall**), against which share of the others raises
#   a false alarm;
# - the **precision-recall curve**: of those called an eight, which share is one (the **precision**), against recall.
#
# The bars are seven metrics, and the black ticks what each would be if no digit were ever called an eight. What they
# are, you compute below; for now watch which of them move.
#
# 1. At a threshold of 0.5, which bars end at their tick, and which reach well beyond it? All judge the same
#    predictions.
# 2. Lower the **threshold** to 0.05. Which bars move, in which direction, and which do not move at all?
# 3. Switch to the finer **scanner**, with the threshold back at 0.5. Does it now say "eight"?
# 4. Make eights rarer: 100 **others to one eight**. Which bars shrink, and which grow?
# 5. Set the **price of a miss**. The dotted threshold follows from it. For which price does it lie at 0.5?
# 6. Coarse scanner, 20 to one, a price of 2: read what mistakes cost. Is the dotted threshold the cheapest?

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
# Suppose you saw only this line, and not the call of `compile`. Lesson 01 tells you that something is wrong. A log
# loss of two classes that is so small would force the accuracy up:

# %% decides="an accuracy below its bound" over="one network, {len(log['loss'])} epochs, {len(target)} patients"
least, most = attainable_accuracy(mse, classes=2)
print(f"a log loss of {mse:.4f} needs an accuracy of at least {least:.3f}; printed is {printed:.4f}")
assert printed < least

# %% decides="a regression has no percentage"
print("what 'accuracy' has become:", type(model.metrics[1].metrics[0]).__name__)
forecast = model.predict(patients, verbose=0)[:, 0]
by_hand = np.mean((forecast > 0.5) == target)
print(f"forecasts cut at 0.5 and equal to the target: {by_hand:.4f}", end="; ")
print(f"targets that are 0 or 1: {np.isin(target, (0, 1)).sum()}")
np.testing.assert_allclose(model.evaluate(patients, target, verbose=0)[1], by_hand, atol=1e-4)

# %% [markdown]
# `BinaryAccuracy` cuts the forecast at 0.5 and asks whether the result *equals* the target. One target of 442 is
# exactly 1. There is nothing to be right about: a forecast that is off by a hundredth is not a wrong answer. And where
# many targets happen to be 0 or 1, the number is no longer small, and may pass for an accuracy. Forecast a pixel of the
# digits from the other 63:

# %%
fine, _ = eights(pixels=8, others=10)
pixel = fine[:, 42]
keras.utils.set_random_seed(0)
one_pixel = keras.Sequential([keras.Input((63,)), layers.Dense(1)])
one_pixel.compile(keras.optimizers.Adam(0.01), loss="mse", metrics=["accuracy"])
log = one_pixel.fit(np.delete(fine, 42, axis=1), pixel, batch_size=32, epochs=20, verbose=0).history
print(
    f"pixels that are exactly 0 or 1: {np.isin(pixel, (0, 1)).mean():.0%}; printed accuracy {log['accuracy'][-1]:.2f}"
)

# %%
lesson.recall("percent")

# %% [markdown]
# ### What to report of a regression
#
# Three numbers: **RMSE**, the root of the mean squared error; **MAE**, the mean absolute error; and **R^2**. Linear
# regression forecasts each patient from others (that is what `cross_val_predict` does), and beside it stand two
# forecasts that look at nothing.

# %% decides="what to report of a regression" over="{len(progression)} patients, one shuffle into {folds.n_splits} parts"
folds = KFold(10, shuffle=True, random_state=0)
forecasts = {
    "linear regression": cross_val_predict(LinearRegression(), patients, progression, cv=folds),
    "always the mean": np.full(442, progression.mean()),
    "always the median": np.full(442, np.median(progression)),
}
scores = (metrics.root_mean_squared_error, metrics.mean_absolute_error, metrics.r2_score)
table = np.array([[score(progression, forecast) for score in scores] for forecast in forecasts.values()])
for name, (rmse, mae, r2) in zip(forecasts, table):
    print(f"{name:18} RMSE {rmse:6.2f}   MAE {mae:6.2f}   R^2 {r2:+.3f}")
linear, mean, median = table
assert linear[0] < 0.8 * mean[0] and mean[0] < median[0] and median[1] < mean[1] and median[2] < mean[2] < 1e-9

# %% [markdown]
# - **RMSE** and **MAE** are in the unit of the target. Neither has a percentage, and neither needs one: "off by 44
#   points on average, where always saying the mean is off by 66" says it. RMSE counts large errors more; the mean makes
#   it least, the median makes MAE least.
# - **R^2** is 1 minus the squared error over that of the mean: 1 is perfect, 0 is as good as the mean. But it is no
#   percentage of anything right, and it has no lower end.
#
# R^2 also depends on whom you ask about. The same forecasts, for all patients and for the quarter with the lowest value
# of one blood test (`s5`):

# %% decides="the lowest quarter" over="{len(progression)} patients, {low.sum()} of them in the quarter; one shuffle"
fitted, judged = forecasts["linear regression"], []
blood = patients[:, 8]
low = blood < np.quantile(blood, 0.25)
for name, which in (("all patients", slice(None)), ("lowest quarter by s5", low)):
    y, f = progression[which], fitted[which]
    by_hand = 1 - np.mean((y - f) ** 2) / np.var(y)
    np.testing.assert_allclose(by_hand, metrics.r2_score(y, f))
    judged.append((metrics.root_mean_squared_error(y, f), np.std(y), by_hand))
    print(f"{name:20} RMSE {judged[-1][0]:4.1f}, spread {np.std(y):4.1f}, R^2 {by_hand:+.2f}")
every, quarter = judged
assert quarter[0] < 0.95 * every[0] and quarter[1] < 0.7 * every[1] and quarter[2] < 0.15 and every[2] > 0.4

# %% [markdown]
# In that quarter the errors are *smaller*, and R^2 is hardly above 0: those patients differ less, so their own mean
# is harder to beat. Never compare R^2 across data that vary by different amounts.

# %% [markdown]
# ### Always the common class
#
# The second case. In the first picture the accuracy stood at 40 of 41, which is what never saying "eight" gets. The
# answer: "a model that maximises accuracy will always name the most common class." When would that be right? For each
# kind of image, accuracy is greatest for the class that is more probable *there*. So "always" is best if, and only
# if, the common class is the more probable one **everywhere**. How rare eights are is one half of that; how well they
# can be told is the other.


# %%
from sklearn.neighbors import KNeighborsClassifier

logistic, neighbours = LogisticRegression(max_iter=2000), KNeighborsClassifier(5)
judges = {
    "logistic regression, 8 x 8 pixels": (logistic, 8),
    "logistic regression, 4 x 4 pixels": (logistic, 4),
    "five neighbours, 4 x 4 pixels": (neighbours, 4),
}


def judge(pixels, others, seed=0, model=logistic):
    """Which digits are eights, and the probability that a model gave each without having seen it."""
    images, rare = eights(pixels=pixels, others=others, seed=seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return rare, cross_val_predict(model, images, rare, cv=folds, method="predict_proba")[:, 1]


# %% decides="always the common class" over="{len(drawn)} draws at each ratio, one seed each; they share most digits"
counts = []
for name, (model, pixels) in judges.items():
    for others in (20, 40):
        drawn = [judge(pixels, others, seed, model) for seed in range(10)]
        counts.append([(np.sum(p > 0.5), np.sum(rare & (p > 0.5)), np.sum(rare)) for rare, p in drawn])
        called, right, there = np.mean(counts[-1], axis=0)
        print(f"{name:34}{others:3} to one: calls {called:4.1f}, {right:4.1f} of them rightly; of {there:.0f} eights")
fine, coarse, near = np.array(counts).reshape(3, -1, 3)  # draw of either ratio; called, rightly called, all eights
assert coarse[:, 0].max() <= 5 and coarse[:, 1].max() == 0
for found in (fine, near):
    assert found[:, 0].min() >= 5 and (found[:, 1] > 0.5 * found[:, 0]).all()

# %% [markdown]
# Same digits, same ratio, ten draws. Logistic regression calls eights with fine pixels. With coarse ones it calls next
# to none, and not one rightly. It is not the ratio, then. Nor is it the pixels: five neighbours, on the same coarse
# images, find places where most are eights, and call many more. "Always the common class" was a limit of *that model*
# on those images. (If accuracy is the aim, there is no better rule than to cut a probability that is right at one
# half. What the model makes of the images is another matter.)

# %%
lesson.recall("always")

# %% [markdown]
# ### Seven metrics, by hand
#
# The seven of the explorer, once by hand and once by scikit-learn, for the coarse scanner and a threshold of 0.1.
# Four need a threshold. They are made of the four counts of a **confusion matrix**:
#
# - **balanced accuracy** is the mean of two shares: of the eights that are found, of the others that are passed;
# - **F1** is the harmonic mean of precision and recall; it does not look at the others that are rightly passed;
# - the **Matthews correlation** is the correlation coefficient of the two rows of zeros and ones. For a model that
#   always says the same it would be 0/0, and is set to 0.

# %%
rare, p = judge(4, 20)
called = p > 0.1
found, alarms, missed = np.sum(rare & called), np.sum(~rare & called), np.sum(rare & ~called)
passed = np.sum(~rare & ~called)
print(f"            called   passed\neights  {found:10} {missed:8}\nothers  {alarms:10} {passed:8}")
print(f"recall {found / (found + missed):.3f}, precision {found / (found + alarms):.3f}")

# %%
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
# The other three need no threshold.
#
# - **ROC AUC**, the area under the ROC curve, is the share of pairs, an eight and another digit, in which the eight
#   has the greater probability: 1 is perfect order, 0.5 is none.
# - **PR AUC** here is scikit-learn's average precision. Go down the list from the most probable; at each eight, note
#   the share of eights so far; take the mean. Without any order it is the share of eights.
# - **Log loss** must be held against the entropy of the share of eights: what one pays for always saying that share.

# %%
above = p[rare][:, None] - p[~rare][None, :]  # every eight against every other
pairs = np.mean(above > 0) + np.mean(above == 0) / 2
order = np.argsort(-p, kind="stable")
precision = np.cumsum(rare[order]) / np.arange(1, len(p) + 1)
np.testing.assert_allclose(pairs, metrics.roc_auc_score(rare, p))
np.testing.assert_allclose(precision[rare[order]].mean(), metrics.average_precision_score(rare, p), atol=1e-3)
print(f"ROC AUC {metrics.roc_auc_score(rare, p):.4f}; pairs in which the eight is higher {pairs:.4f}")
print(f"PR AUC {metrics.average_precision_score(rare, p):.4f}; down the list", end=" ")
print(f"{precision[rare[order]].mean():.4f}; share of eights {rare.mean():.4f}")

# %% decides="log loss against the entropy of the share" over="one draw of {len(rare):,} digits, {rare.sum()} of them eights"
constant = metrics.log_loss(rare, np.full(len(rare), rare.mean()))
saved = 1 - metrics.log_loss(rare, p) / constant
print(
    f"log loss {metrics.log_loss(rare, p):.3f}; of always saying {rare.mean():.3f}: {constant:.3f}; saved {saved:.0%}"
)
assert 0.1 < saved < 0.2

# %% [markdown]
# That log loss sounds like next to nothing, and saves less than a fifth of what looking at nothing costs. ("Log loss
# saved" is what statistics calls McFadden's R^2. Log loss and the Brier score are *proper*: on average nobody does
# better by saying another probability than the right one. The Brier score is that of lesson 01; for two classes it is
# twice the mean squared error of the probability.)

# %% [markdown]
# ### The same predictions, fewer eights
#
# Take the predictions of the coarse scanner at 10 to one, and a threshold of 0.2. Leave out eights at random, and judge
# again. Nothing is trained again, so what moves is the metric and not the model.

# %%
rare, p = judge(4, 10)
ratios = (10, 20, 40, 80)
scores = {
    "accuracy": lambda y, q: metrics.accuracy_score(y, q > 0.2),
    "balanced accuracy": lambda y, q: metrics.balanced_accuracy_score(y, q > 0.2),
    "Matthews": lambda y, q: metrics.matthews_corrcoef(y, q > 0.2),
    "F1": lambda y, q: metrics.f1_score(y, q > 0.2),
    "ROC AUC": metrics.roc_auc_score,
    "PR AUC": metrics.average_precision_score,
}


# %% over="medians of {len(thin[0])} draws, one seed each, at each of {len(ratios)} ratios; one set of predictions"
def thinned(others, seed):
    kept = np.random.default_rng(seed).permutation(np.flatnonzero(rare))[: round(np.sum(~rare) / others)]
    return np.concatenate([np.flatnonzero(~rare), kept])


thin = [[thinned(others, seed) for seed in range(40)] for others in ratios]
values = {name: [[one(rare[k], p[k]) for k in row] for row in thin] for name, one in scores.items()}
medians = {name: np.median(rows, axis=1) for name, rows in values.items()}
assert np.ptp(medians["ROC AUC"]) < 0.04 > np.ptp(medians["balanced accuracy"])
assert medians["PR AUC"][-1] < 0.4 * medians["PR AUC"][0] and medians["Matthews"][-1] < 0.7 * medians["Matthews"][0]
assert medians["F1"][-1] < 0.7 * medians["F1"][0] and medians["accuracy"][-1] > medians["accuracy"][0]
title = "As eights become rarer two metrics stay, three sink, and accuracy rises"
ratio_figure(ratios, values, title=title, xlabel="others to one eight")

# %% [markdown]
# **ROC AUC** and **balanced accuracy** are made of two rates, one within the eights and one within the others. How many
# there are of each makes no difference, but for chance. **PR AUC**, **F1** and the **Matthews correlation** contain
# precision: of those called, how many are right. The false alarms stay, the eights become fewer, and precision sinks.
# **Accuracy** becomes the accuracy on the others, whatever happens to the eights. (In the explorer balanced accuracy
# did shrink: there the model is trained again at each ratio, and calls less and less.)
#
# Neither kind is wrong. A rate tells you about the classifier; precision tells whoever must look at the alarms how
# many are false. But a PR AUC of 0.1 says nothing until you know the share.

# %% [markdown]
# ### A threshold belongs to the prices
#
# Say a missed eight costs as much as 10 false alarms. An image with probability $p$ costs $10p$ on average if it is
# passed, and $1 - p$ if it is called. Calling is cheaper above $p = 1 / 11$. No threshold is searched; it follows
# from the prices, **if the probabilities are right** (calibrated, lesson 05). Are they? The coarse scanner, one in 21:

# %%
rare, p = judge(4, 20)
edges = [0, 0.05, 0.1, 0.2, 0.3, 1]
for low, high in zip(edges, edges[1:]):
    there = (p > low) & (p <= high)
    print(f"{low:4} to {high:4}: {there.sum():5} digits, mean probability {p[there].mean():.2f}", end=", ")
    print(f"share of eights {rare[there].mean():.2f}")

# %% [markdown]
# Nearly right below 0.1, where the threshold will lie, too small above it, and at the very top too large: there is no
# eight at all. (So a low price, which asks for a high threshold, is badly served; that was the last question at the
# explorer.)
#
# **Class weights** are another way: train as if each eight were ten. That multiplies the odds of an eight, $p/(1-p)$,
# by about 10, and moves the answers at 0.5 as a threshold would. The factor can be divided out again.


# %%
def cost(rare, called, price=10):
    """What mistakes cost per 1,000 samples, in false alarms."""
    return (price * np.sum(rare & ~called) + np.sum(~rare & called)) / len(rare) * 1000


weighting = LogisticRegression(max_iter=2000, class_weight={False: 1, True: 10})


def compare(pixels, seed):
    rare, p = judge(pixels, 20, seed)
    w = judge(pixels, 20, seed, weighting)[1]
    searched = min(cost(rare, p > threshold) for threshold in np.unique(p))
    losses = [metrics.log_loss(rare, q) for q in (p, w, w / (w + 10 * (1 - w)))]
    return cost(rare, p > 0.5), cost(rare, p > 1 / 11), searched, cost(rare, w > 0.5), *losses


# %%
compared = {pixels: np.array([compare(pixels, seed) for seed in range(10)]).T for pixels in (4, 8)}
lines = ("threshold 0.5", "threshold 1/11", "best threshold in hindsight", "class weights 1:10, threshold 0.5")
print(f"{'cost of 1,000 digits, mean of ten draws':40} 4 x 4   8 x 8 pixels")
for k, name in enumerate([*lines, "log loss", "log loss with weights", "log loss, weights divided out"]):
    form = "5.0f" if k < 4 else "5.3f"
    print(f"{name:40} {compared[4][k].mean():{form}}   {compared[8][k].mean():{form}}")

# %% over="{costs.shape[1]} draws that share most digits, one seed each, with each of {len(compared)} scanners"
for costs in compared.values():
    assert (costs[1] < 0.85 * costs[0]).all() and costs[1].mean() < 0.75 * costs[0].mean()
    assert (costs[5] > 1.4 * costs[4]).all() and np.abs(costs[6] - costs[4]).max() < 0.01
print("weights cheaper than the threshold:", end=" ")
print(*(f"{np.sum(costs[3] < costs[1])} of 10 draws with {k} x {k} pixels" for k, costs in compared.items()), sep=", ")

# %% [markdown]
# On average over the draws the same predictions cost about a third less, or more than that, if the threshold follows
# the price. (The best threshold in hindsight cannot be dearer: the cut at 1/11 is among those that were tried.) With
# coarse pixels the class weights were cheaper still (perhaps since a model that cannot be right everywhere is then
# fitted where it matters); with fine ones they were about level. They shift the probabilities, as the log loss shows.
# Divide the weight out before you read them as probabilities; here that repairs them. (The draws share most of their
# digits: they tell how the numbers vary when *these* digits are drawn again.)

# %% [markdown]
# ### Which metric chooses the best model?
#
# "Log loss would be better", said the answer. Better for what? Let each metric choose one of eight models on validation
# digits, and see what its choice costs on test digits, at a price of 10 and the threshold of 1/11. Ten draws. Accuracy
# and balanced accuracy judge at 0.5, as they mostly do, and at 1/11; Matthews at 0.5.

# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

# %%
models = {
    "logistic": LogisticRegression(C=10, max_iter=2000),
    "logistic, held tight": LogisticRegression(C=0.01, max_iter=2000),  # a strong ridge
    "logistic, weights": LogisticRegression(C=10, max_iter=2000, class_weight="balanced"),
    "naive Bayes": GaussianNB(var_smoothing=0.001),
    "5 neighbours": KNeighborsClassifier(5),
    "30 neighbours": KNeighborsClassifier(30),
    "tree": DecisionTreeClassifier(max_depth=6, random_state=0),
    "forest": RandomForestClassifier(40, random_state=0),
}
half, cut = 0.5, 1 / 11

# %%
choosers = {
    "accuracy at 0.5": lambda y, q: metrics.accuracy_score(y, q > half),
    "accuracy at 1/11": lambda y, q: metrics.accuracy_score(y, q > cut),
    "balanced accuracy at 0.5": lambda y, q: metrics.balanced_accuracy_score(y, q > half),
    "balanced accuracy at 1/11": lambda y, q: metrics.balanced_accuracy_score(y, q > cut),
    "Matthews at 0.5": lambda y, q: metrics.matthews_corrcoef(y, q > half),
    "ROC AUC": metrics.roc_auc_score,
    "PR AUC": metrics.average_precision_score,
    "log loss": lambda y, q: -metrics.log_loss(y, q),
    "log loss, clipped at 0.01": lambda y, q: -metrics.log_loss(y, np.clip(q, 0.01, 0.99)),
    "the cost itself": lambda y, q: -cost(y, q > cut),
}


# %%
def three_parts(seed):
    """Training, validation and test digits, one eight to fourteen others in each."""
    images, rare = eights(pixels=4, others=14, seed=seed)
    plain, few = np.flatnonzero(~rare), np.flatnonzero(rare)
    parts = zip(np.split(plain, [400, 800]), np.split(few, [28, 56]))
    return [(images[k], rare[k]) for k in (np.concatenate(part) for part in parts)]


# %%
def choose(seed, without=()):
    """The model that each chooser takes, and what each model costs on test digits."""
    train, (b, seen_rare), (c, test_rare) = three_parts(seed)
    fits = {name: one.fit(*train) for name, one in models.items() if name not in without}
    seen = {name: one.predict_proba(b)[:, 1] for name, one in fits.items()}
    paid = {name: cost(test_rare, one.predict_proba(c)[:, 1] > cut) for name, one in fits.items()}
    return [max(seen, key=lambda name: by(seen_rare, seen[name])) for by in choosers.values()], paid


# %%
def show(without=()):
    draws = [choose(seed, without) for seed in range(10)]
    costs = np.array([[paid[name] for name in picks] for picks, paid in draws])
    extra = costs - costs[:, -1:]
    for k, name in enumerate(choosers):
        error = extra[:, k].std(ddof=1) / np.sqrt(10)
        picks = [pick[k] for pick, _ in draws]
        favourite = max(picks, key=picks.count)
        print(f"{name:26} costs {costs[:, k].mean():3.0f}, {extra[:, k].mean():+4.0f} +- {error:2.0f}", end="   ")
        print(f"{favourite} in {picks.count(favourite)} of 10")
    return dict(zip(choosers, costs.T))


# %% decides="which metric chooses the best model"
print("all eight models (+-: standard error of the difference from the cost itself)")
everyone = show()
print("\nwithout the neighbours")
others = show(("5 neighbours", "30 neighbours"))


# %% decides="which metric chooses the best model" over="{len(zeros)} draws, one seed each; {len(models)} models"
def given_no_chance(seed):  # validation digits whose true class gets exactly 0 from five neighbours
    train, (seen_images, seen_rare), _ = three_parts(seed)
    p = neighbours.fit(*train).predict_proba(seen_images)[:, 1]
    return np.sum(np.where(seen_rare, p, 1 - p) == 0)


zeros = np.array([given_no_chance(seed) for seed in range(10)])
difference, without = (table["log loss"] - table["accuracy at 0.5"] for table in (everyone, others))
print(f"\nlog loss against accuracy at 0.5, all models: cheaper in {np.sum(difference < 0)} draws,", end=" ")
print(f"the same in {np.sum(difference == 0)}, dearer in {np.sum(difference > 0)}")
print("digits with exactly 0 for their class: dearer draws", zeros[difference > 0], "others", zeros[difference <= 0])
dear = [everyone[name].mean() for name in ("log loss", "balanced accuracy at 0.5")]
assert max(everyone[name].mean() for name in ("the cost itself", "log loss, clipped at 0.01")) < min(dear)
assert abs(without.mean()) < 40 < difference.mean() and np.mean((zeros > 0) == (difference > 0)) >= 0.8

# %% [markdown]
# Read the first table with care: the cost itself takes five neighbours in every draw, and the metrics differ in
# whether they find that model.
#
# - **Log loss** does not always. Five neighbours give the true class of some digits a probability of exactly 0, and
#   one such digit costs as much as dozens of doubtful ones. It is dearer in the draws where that happens. Clip the
#   probabilities, and it finds the model.
# - **Accuracy** at 0.5 found it too. So "log loss would be better" is not borne out here, neither with the neighbours
#   nor without.
# - The same metric chooses otherwise at another **threshold**. Accuracy at 1/11 takes a model that never calls an
#   eight, and balanced accuracy turns from bad to good. Judge at the threshold that you will use.
# - What is paid in the end, counted on validation digits, was on average never far from the best. It is the only one
#   here that knows the price.
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
# of them is the greatest; and for three labels that may all be true it does so as well. Name the metric you mean:
#
# - for a regression `metrics=["mae", keras.metrics.RootMeanSquaredError(), keras.metrics.R2Score()]`;
# - for yes-or-no labels `keras.metrics.BinaryAccuracy()`;
# - for a rare class `keras.metrics.AUC(curve="PR")`, or `keras.metrics.Precision(thresholds=...)` and `Recall` at the
#   threshold that you will use.
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
# A logit of 0.5 asks for more than a probability of one half, and a third of the calls are lost. It is not always so
# bad; it depends on how many outputs lie between.

# %% [markdown]
# ### A metric of your own
#
# Write a function of targets and outputs, and pass it to `compile`. F1 this way, as it is found in many answers:


# %%
def own_f1(y_true, y_pred):
    y_true = tf.reshape(tf.cast(y_true, tf.float32), tf.shape(y_pred))
    called = tf.cast(y_pred > 0.5, tf.float32)
    found = tf.reduce_sum(y_true * called)
    return 2 * found / tf.maximum(tf.reduce_sum(y_true) + tf.reduce_sum(called), 1)


# %%
class PooledF1(keras.metrics.Metric):
    def __init__(self, name="pooled_f1"):
        super().__init__(name=name)
        self.found, self.counted = (self.add_weight(name=part, initializer="zeros") for part in ("found", "counted"))

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = tf.reshape(tf.cast(y_true, tf.float32), tf.shape(y_pred))
        called = tf.cast(y_pred > 0.5, tf.float32)
        self.found.assign_add(2 * tf.reduce_sum(y_true * called))
        self.counted.assign_add(tf.reduce_sum(y_true) + tf.reduce_sum(called))

    def result(self):
        return self.found / tf.maximum(self.counted, 1)


# %% [markdown]
# The class keeps *counts* from batch to batch, and divides once. (Keras sets them back to 0 at each epoch. For sample
# weights, multiply by them. What the first line of each is for, you see below.) Keras has F1 itself, and AUC. All of
# them, on eights that are one in 21:

# %% decides="beside the loss" over="one network, {len(shown['loss'])} epochs; what the log names, no numbers"
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
assert {*shown} == {"loss", "accuracy", "own_f1", "pooled_f1", "keras_f1", "auc"}

# %% decides="a metric of your own" over="one network, {len(p):,} samples in {len(batches)} batches"
said = network.evaluate(fine, truth, batch_size=32, verbose=0, return_dict=True)
p = network.predict(fine, verbose=0)[:, 0]
exact = metrics.f1_score(is_rare, p > 0.5)
print(f"scikit-learn F1 {exact:.4f}, ROC AUC {metrics.roc_auc_score(is_rare, p):.4f}")
for name in ("own_f1", "pooled_f1", "keras_f1", "auc"):
    print(f"{name:10} {np.ravel(said[name])[0]:.4f}")
batches = [slice(k, k + 32) for k in range(0, len(p), 32)]
print(f"batches without any eight: {np.mean([not is_rare[k].any() for k in batches]):.0%}")
np.testing.assert_allclose(said["own_f1"], np.mean([own_f1(truth[k], p[k, None]) for k in batches]), atol=1e-4)
np.testing.assert_allclose([said["pooled_f1"], np.ravel(said["keras_f1"])[0]], exact, atol=1e-4)
assert said["own_f1"] < exact - 0.05
lesson.recall("batches", came_out=f"{said['own_f1'] - exact:+.2f}: batches without an eight that is found count as 0.")

# %% [markdown]
# Everything in the list is shown **beside** the loss; there is no "instead". The function's value is the mean of what
# it gave for each batch, and a batch without eights gives 0. The class, Keras's own F1 and scikit-learn agree.
# Keras's AUC is made of 200 thresholds and only nearly the same. (`AUC(curve="PR")` is the other one; it
# interpolates, and is not quite the average precision.)
#
# ### Stumbling blocks
#
# `show_accuracy` has been gone for years. `F1Score` wants targets of shape (sample, 1), and without a `threshold` it
# takes the greatest of the outputs, which of one output is always that one. And a metric of your own that multiplies
# targets (sample,) by outputs (sample, 1) makes a square of them, without a word:


# %%
def careless_f1(y_true, y_pred):  # as above, without its first line
    called = tf.cast(y_pred > 0.5, tf.float32)
    return 2 * tf.reduce_sum(y_true * called) / tf.maximum(tf.reduce_sum(y_true) + tf.reduce_sum(called), 1)


flat, column = tf.constant(truth[:, 0]), tf.constant(p[:, None])
print(f"targets flat: careless {careless_f1(flat, column):.2f}, with the first line {own_f1(flat, column):.2f}")
always = keras.metrics.F1Score()(truth, column)[0]
print(
    f"F1Score() without a threshold {always:.4f}; of calling everything {metrics.f1_score(is_rare, is_rare >= 0):.4f}"
)

# %% decides="stumbling blocks" over="one call each; no random numbers"
raised = []
for attempt in (
    lambda: keras.metrics.F1Score(threshold=0.5)(flat, column),
    lambda: network.fit(fine, truth, show_accuracy=True),
):
    try:
        attempt()
    except (ValueError, TypeError) as error:
        raised.append(f"{type(error).__name__}: {str(error).splitlines()[0][:110]}")
        print(raised[-1])
assert len(raised) == 2 and raised[0].startswith("ValueError") and "show_accuracy" in raised[1]

# %% [markdown]
# Last, the place where Keras itself chooses by a metric. `EarlyStopping` must know whether more is better. For Keras's
# own metrics it knows; for yours you must say `mode="max"`. And mind what it watches:


# %%
def stop_by(metric, watched):
    keras.utils.set_random_seed(0)
    stopped = keras.Sequential(
        [keras.Input((64,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")]
    )
    stopped.compile("adam", "binary_crossentropy", metrics=[metric])
    watch = keras.callbacks.EarlyStopping(monitor=watched, patience=2)
    held_out = (fine[1200:], truth[1200:])
    return stopped.fit(
        fine[:1200], truth[:1200], validation_data=held_out, epochs=12, verbose=0, callbacks=[watch]
    ).epoch


# %%
for metric, watched in (
    (own_f1, "val_own_f1"),
    (keras.metrics.F1Score(threshold=0.5, name="f1"), "val_f1"),
    ("auc", "val_auc"),
):
    try:
        print(f"{watched}: stopped after {len(stop_by(metric, watched))} epochs")
    except ValueError as error:
        print(f"{watched}: {str(error)[:150]} ...")

# %% [markdown]
# F1 at 0.5 is 0 in the first epochs, as no digit is called yet, and stopping by it ends the training before it has
# begun. ROC AUC sees the order improve.

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


# %% tags=["solution", "nbval-check-output"]
def threshold_solution(alarm, miss):
    return alarm / (alarm + miss)


lesson.check("threshold", threshold_solution)

# %% [markdown]
# **2. F1 of all batches.** Each row of `counts` (batch, 3) holds what one batch counted: found, false alarms, missed.
# Return the F1 of all samples, as 2 found / (2 found + alarms + missed). (Written so, F1 exists where nothing is
# found.)


# %% tags=["exercise"]
def pooled_f1(counts): ...


lesson.check("pooled_f1", pooled_f1)


# %% tags=["solution", "nbval-check-output"]
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

# %% tags=["solution", "nbval-check-output"]
calm = np.r_[0.4, 0.4, 0.4, 0.1, np.full(16, 0.15)]
shrill = np.r_[np.full(4, 0.99), np.full(16, 0.98)]
at_odds_solution = np.stack([calm, shrill])

lesson.check("at_odds", at_odds_solution)

# %% [markdown]
# **4. In another clinic.** A test for a disease was tried where a share `here` of the people had it. It found a share
# `recall` of the ill, and a share `precision` of its alarms was right. Now it is used where a share `there` of the
# people are ill. What precision should be expected there, at
# the same threshold? (The ill there are like the ill here, and the healthy like the healthy.)
#
# Then the threshold is chosen again: there a miss costs as much as `price` false alarms. The test is a network with one
# logit, and its logits are too bold. Here, dividing them by a `temperature` made their probabilities right (lesson 05).
# Above which logit of the network should an alarm be raised *there*? Return the precision and this logit.


# %% tags=["exercise", "transfer"]
def precision_elsewhere(recall, precision, here, there, price, temperature): ...


lesson.check("precision_elsewhere", precision_elsewhere)


# %% tags=["solution", "nbval-check-output"]
def precision_elsewhere_solution(recall, precision, here, there, price, temperature):
    alarms = recall * here * (1 - precision) / (precision * (1 - here))  # of the healthy, the share that is alarmed
    expected = recall * there / (recall * there + alarms * (1 - there))
    factor = there / (1 - there) * (1 - here) / here  # by which everybody's odds of being ill differ there
    return expected, temperature * np.log(1 / price / factor)  # call at odds of 1 to price there


lesson.check("precision_elsewhere", precision_elsewhere_solution)

# %%
as_tried = dict(recall=0.9, precision=0.9, here=0.5, price=10, temperature=2)
elsewhere, logit_there = precision_elsewhere_solution(there=0.01, **as_tried)
print(f"found 90%, precision 90% among people of whom half are ill; where 1% is ill: {elsewhere:.0%}")
_, logit_here = precision_elsewhere_solution(there=0.5, **as_tried)
print(f"a price of 10, a temperature of 2: alarm above a logit of {logit_here:+.1f} here, of {logit_there:+.1f} there")

# %% [markdown]
# (Because the ill there are like the ill here, and the healthy like the healthy, what the test finds
# multiplies the odds of being ill by the same factor in both places; only the odds before the test differ. Class
# weights moved odds in the same way.)

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
# | A regression should report RMSE; it has no 0% and no 100%. | **True.** It is in the unit of the target; compare it with the RMSE of always forecasting the mean. | what to report of a regression |
# | R^2 has both. | **Half true.** 1 is perfect and 0 is the mean, but it may be negative, and it depends on how much the targets vary. | what to report of a regression; the lowest quarter |
# | (Not said:) `accuracy` of a regression is printed, and means nothing. | **True.** With one output it counts targets that are exactly 0 or 1. Where these are few, the bound of lesson 01 exposes it. | a regression has no percentage; an accuracy below its bound |
# | Under severe imbalance a model that maximises accuracy always names the common class. | **Only where** it finds no place in which the rare class is the more probable one. At the same ratio, logistic regression found such places with fine pixels and not with coarse ones; five neighbours found some with coarse ones, too. | always the common class |
# | Log loss would be better. | **To see progress, yes. To judge and to choose, not by itself.** Its level must be held against the entropy of the share; and when it chose among models it was no better than accuracy at 0.5. With the neighbours among them its choice was dearer, because a single probability of exactly 0 decides it; without them the two choices cost much alike. | the first picture; log loss against the entropy of the share; which metric chooses the best model |
# | Write `your_own_metric(y_true, y_pred)`. | **It works**, and shows the mean over batches, which for F1 is another number. Keep counts, or take Keras's own. | a metric of your own |
# | `show_accuracy=True` shows the accuracy. | **No longer.** It raises an error; `metrics=[...]` shows all that it lists, beside the loss. | stumbling blocks; beside the loss |
#
# **Write the reply you would post** to the second asker. Take five minutes before you open the rubric.
#
# <details>
# <summary>A good reply ...</summary>
#
# - says what always naming the common class would get, and holds each number against that;
# - asks what a miss and a false alarm cost, and gives the threshold that follows;
# - names one metric for the order (ROC AUC), one for whoever looks at the alarms (precision, PR AUC, with the share),
#   and one for the probabilities (log loss against the entropy);
# - does not recommend class weights without saying that they shift the probabilities;
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
# - M. B. A. McDermott and others, ["A closer look at AUROC and AUPRC under class
#   imbalance"](https://arxiv.org/abs/2401.06091), NeurIPS 2024, which disputes that.
# - A. Carriero and others, ["The harms of class imbalance corrections for machine learning based prediction
#   models"](https://arxiv.org/abs/2404.19494), 2024.
# - D. Chicco, G. Jurman, ["The advantages of the Matthews correlation coefficient over F1 score and
#   accuracy"](https://doi.org/10.1186/s12864-019-6413-7), *BMC Genomics* 21, 2020.

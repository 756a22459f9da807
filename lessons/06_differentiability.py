# %% [markdown]
# # 06 Differentiability versus accuracy
#
# ## The question
#
# You want a classifier that is right as often as possible. So you would train it on exactly that: on how often it is
# right. Nobody does. Everybody trains on log loss, and then reports accuracy. If both say how right the answers are,
# is one of them not redundant? And if they measure the same, why do they not move together?
#
# Somebody asked this in public. In this lesson you look at accuracy from where training would have to walk on it. You
# optimise it all the same, in five ways, and measure when that pays and what it costs. And you see what log loss does
# to the errors that you care about.
#
# **What you need first:** lesson 01 (what a sample costs), what a derivative is, and enough Keras to read `compile`
# and `fit`. From lesson 05 it helps to know that loss and accuracy may rise together. The next cell loads TensorFlow,
# which takes about ten seconds; if another lesson's kernel still runs, shut it down first (menu *Kernel*).
#
# <details>
# <summary>What the answers claimed</summary>
#
# Log loss is differentiable, accuracy is not, and backpropagation needs derivatives. Loss stands in for the metric,
# which cannot be optimised itself. With a sigmoid and log loss the two are highly correlated. A loss can be minimised
# by many methods: Newton's, bisection, and be it |y_hat - y|. (Where does Newton's fail on that?) TensorFlow's MNIST
# tutorial optimises cross-entropy and reports accuracy. And in the thread of lesson 03 somebody had tried to optimise
# accuracy, failed, and wondered about other types of neurons. Each gets its verdict at the end.
#
# </details>

# %%
from lossacc_helpers.course.lesson_06 import lesson, petals
from lossacc_helpers import PredictionHistory, datasets, figures, training
from lossacc_helpers.error_search import evolution_strategy, perceptron, random_search
from lossacc_helpers.figures.searches import boundaries_figure, cost_figure
from lossacc_helpers.figures.surrogates import surrogates_figure
from lossacc_helpers.logistic import LogisticLoss
from lossacc_helpers.minimisers import DidNotConverge, bisect, gradient_descent, newton
from lossacc_helpers.surrogates import SURROGATES

import keras
import numpy as np
import tensorflow as tf

# %% [markdown]
# Here is a training in which nothing is wrong. Logistic regression, 300 points of two classes, 30 of them far from
# their own kind; plain gradient descent on log loss, from weights that somebody found by hand. The loss falls at
# every step.

# %%
opening = datasets.clouds(outliers="one side", seed=0)
rows = np.c_[opening.features, np.ones(300)]  # the last weight is the intercept
cost = LogisticLoss(rows, opening.signs)
try:
    walk = gradient_descent(cost.value, cost.gradient, [1.0, 0.0, 0.0], rate=0.05, steps=300)
except DidNotConverge as not_yet:  # 300 steps do not bring it to rest, and need not
    walk = not_yet.so_far

# %%
scores = walk.points[1:] @ rows.T
log_p = -np.logaddexp(0, np.stack([scores, -scores], axis=-1))
figures.loss_and_accuracy_curves(
    PredictionHistory((opening.signs > 0).astype(int), log_p),
    title="The training loss falls at every step, and the training accuracy falls with it",
    loss_limit=0.84,
    loss_from=0.62,
    accuracy_from=0.7,
    accuracy_to=0.9,
)

# %% [markdown]
# ## Commit
#
# Before you look into it, say what you think.

# %% tags=["commit"]
lesson.commit("gradient")

# %% tags=["commit"]
lesson.commit("saved")

# %% tags=["commit"]
lesson.commit("related")

# %% [markdown]
# ## Look
#
# A classifier of irises: is a flower versicolor or virginica, by the length and the width of its petals? It has three
# weights. In the middle of both maps are the weights with the least log loss; to the right grows the weight of the
# length, upwards that of the width. Below are accuracy and loss along the line that is drawn in the maps.
#
# 1. Turn the **direction**. How many steps does the staircase take? Is its highest step in the middle, where the loss
#    is least?
# 2. Pull **how far** down to 0.1. What is left of the staircase, and what is left of the bowl?
# 3. At a close look, which of the two tells you in which direction to go?
# 4. Green is a smoothed accuracy: each step is replaced by a soft one. Vary its **sharpness**. When does it follow
#    the staircase, and when has it a slope to follow?
# 5. Try the other **losses**. Where is the middle of their bowls?

# %% tags=["explorer"]
lesson.explorer("landscape")

# %% [markdown]
# ## Compute and explain
#
# ### A staircase and a bowl
#
# The flowers, and the three weights. A flower's **score** is `flower @ weights`; virginica has the sign +1 and
# versicolor -1, and sign times score is the flower's **margin**: above 0 the answer is right. A sigmoid of the score
# is the probability of virginica, so log loss is `log(1 + exp(-margin))`, in nats. That is all that `LogisticLoss`
# computes, with its slopes.

# %%
flowers, signs = petals("versicolor", "virginica")
flowers = np.c_[flowers, np.ones(100)]
log_loss = LogisticLoss(flowers, signs)
best = newton(log_loss.value, log_loss.gradient, log_loss.hessian, np.zeros(3)).point


def accuracy(weights):
    return np.mean(log_loss.margins(weights) > 0, axis=-1)


np.testing.assert_allclose(log_loss.value(best), np.log(1 + np.exp(-signs * (flowers @ best))).mean())
print(f"weights of least log loss {best.round(2)}: loss {log_loss.value(best):.3f}, accuracy {accuracy(best):.2f}")
along = best + np.linspace(-8, 8, 1601)[:, None] * [np.cos(np.radians(135)), np.sin(np.radians(135)), 0]
print(f"highest accuracy along the line at 135 degrees: {accuracy(along).max():.2f}")

# %% [markdown]
# The weights with the least loss are not those with the most right answers, not even on the flowers that they were
# fitted to. Now ask for slopes by small steps: from 1,000 random places, a step to either side, and count how often
# anything changed.

# %%
generator = np.random.default_rng(0)
places = best + generator.normal(size=(1000, 3))
directions = generator.normal(size=(1000, 3))
directions /= np.linalg.norm(directions, axis=1, keepdims=True)
for size in (1, 0.1, 0.01, 0.001, 0.0001):
    ends = places + size * directions, places - size * directions
    moved = [np.mean(one(ends[0]) != one(ends[1])) for one in (accuracy, log_loss.value)]
    print(f"step {size:6}: accuracy changed in {moved[0]:6.1%} of the places, log loss in {moved[1]:.0%}")

# %% [markdown]
# A tenth of the step, a tenth of the changes: a step must happen to straddle the place where a flower changes sides.
# Let the step shrink to nothing and the derivative of accuracy is 0, except exactly at those places, where there is
# none. "Accuracy is not differentiable" is true, and not the trouble. Where it *is* differentiable, **almost
# everywhere, its derivative is 0**: no direction to go.

# %% [markdown]
# ### What TensorFlow says

# %%
weights = tf.Variable(best[:, None])
labels = tf.constant(signs > 0)


def gradient_of(share_right):
    with tf.GradientTape() as tape:
        share = share_right(tf.linalg.matmul(flowers, weights)[:, 0])
    return float(share), tape.gradient(share, weights)


def with_argmax(scores):
    answers = tf.argmax(tf.stack([tf.zeros_like(scores), scores], axis=1), axis=1)
    return tf.reduce_mean(tf.cast(answers == tf.cast(labels, tf.int64), tf.float64))


def with_sign(scores):
    return tf.reduce_mean(0.5 + 0.5 * tf.sign(signs * scores))


# %%
for one in (with_argmax, with_sign):
    share, gradient = gradient_of(one)
    print(f"{one.__name__}: accuracy {share:.2f}, gradient", gradient if gradient is None else gradient.numpy()[:, 0])
    assert gradient is None or not gradient.numpy().any()

# %% [markdown]
# Two ways to write one number, two answers. Through `argmax` (and `>`, `==`, `tf.round`) TensorFlow finds no way
# back, and says **None**. Through `tf.sign` it finds one, and it is made of **zeros**. The difference shows when you
# train on them.


# %%
def count_with_argmax(y, logits):
    return 1 - tf.reduce_mean(tf.cast((logits > 0) == (y > 0.5), tf.float32))


def count_with_sign(y, logits):
    return tf.reduce_mean(0.5 - 0.5 * tf.sign((2 * y - 1) * logits))


# %%
targets = (signs[:, None] > 0).astype("float32")
for loss in (count_with_argmax, count_with_sign):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", loss=loss)
    try:
        print(loss.__name__, np.round(model.fit(flowers, targets, epochs=3, verbose=0).history["loss"], 3))
    except ValueError as error:
        print(loss.__name__, "raises:", error)

# %%
lesson.recall("gradient")

# %% [markdown]
# The second is the dangerous one: Keras trains without complaint, and nothing ever moves.

# %% [markdown]
# ### Losses that stand in
#
# Every sample has a margin, and counting errors means: 1 for a margin of 0 or less, else 0. A **surrogate** is
# another function of the same margin, one with a slope. Log loss is here in bits (nats divided by ln 2), so that it
# is 1 at a margin of 0.

# %%
surrogates_figure(list(SURROGATES), title="Five bounds of the zero-one loss, and one that is none")

# %% [markdown]
# - **Log loss** pulls at everything, less and less where the answer is right and sure.
# - **Hinge** (of support vector machines) stops pulling at a margin of 1.
# - **Exponential** (of boosting) pulls the harder, the more wrong an answer is, without end.
# - **Squared** pulls back even what is right by more than 1: it dislikes being too sure.
# - **Perceptron** pulls at errors only, and starts at 0: no bound, as you see.
# - **Savage** lets go of what is far on the wrong side. It is the only one that is not convex: a straight line
#   between two of its points may pass below its curve, and its bowl may have several bottoms.
#
# Five of them are never below the step. So their mean over samples is never below the share of errors, wherever the
# weights are. A check with random weights and with the best ones:

# %%
several = np.concatenate([3 * generator.normal(size=(2000, 3)), best[None]])
wrong = 1 - accuracy(several)
margins = log_loss.margins(several)
for name, one in SURROGATES.items():
    bound = one.value(margins).mean(axis=1)
    kept = bool((bound >= wrong - 1e-12).all())
    print(f"{name:12} at least the share of errors in all {len(wrong):,} places: {kept}", end="; ")
    print(f"at the best weights {bound[-1]:.3f}, errors {wrong[-1]:.2f}")
    assert kept == one.bounds_errors

# %% [markdown]
# That is the promise of a surrogate: push the mean below 0.2, and at most a fifth of the samples are wrong. It is a
# promise about the level, and says nothing of the way there: the bound may fall while the errors rise, as in the
# first picture.

# %% [markdown]
# ### Optimise accuracy anyway
#
# A function without slopes can still be asked for values. Ask at random; or let points with few errors have
# offspring; or move the boundary whenever a sample is wrong. These are a **random search**, an **evolution
# strategy**, and the **perceptron rule** (whose best weights so far are kept in a pocket). The points are two clouds
# of 300, and outliers of four kinds:

# %%
KINDS = ("none", "far", "one side", "flipped", "beside")


def problem(kind, seed, samples=300, dimension=10):
    settings = dict(share=0) if kind == "none" else dict(share=0.1, outliers=kind)
    drawn = datasets.clouds(samples=samples, dimension=dimension, seed=seed, **settings)
    return LogisticLoss(np.c_[drawn.features, np.ones(samples)], drawn.signs, ridge=0.001)


def errors(cost, weights):
    return np.sum(cost.margins(weights) <= 0, axis=-1)


def least_log_loss(cost):
    return newton(cost.value, cost.gradient, cost.hessian, np.zeros(cost.features.shape[1])).point


# %%
panels = {}
for kind in KINDS[1:]:
    flat = problem(kind, 0, dimension=2)
    found = evolution_strategy(lambda w, flat=flat: errors(flat, w), np.zeros(3), evaluations=4000)
    lines = {"the least log loss": least_log_loss(flat), "the fewest errors found": found.point}
    panels[f"outliers {kind}" if kind != "flipped" else "flipped labels"] = flat.features[:, :2], flat.signs, lines
boundaries_figure(panels, title="What a search for few errors gains depends on where the outliers lie")

# %% [markdown]
# (The ridge of 0.001 adds a trace of the squared weights to the loss, so that its minimum is finite whatever is
# drawn.) Now in ten dimensions, of which nine are noise, over ten draws each. And beside the training points, 5,000
# new ones of the same kind.


# %%
def fewest_errors(cost, seed):
    def count(weights):
        return errors(cost, weights)

    width = cost.features.shape[1]
    return {
        "log loss, Newton": least_log_loss(cost),
        "perceptron rule": perceptron(cost.features, cost.signs, passes=100, seed=seed).point,
        "random search": random_search(count, width, evaluations=4000, seed=seed).point,
        "evolution strategy": evolution_strategy(count, np.zeros(width), evaluations=4000, seed=seed).point,
    }


# %%
fitted = {kind: [problem(kind, seed) for seed in range(10)] for kind in KINDS}
fresh = {kind: [problem(kind, 1000 + seed, samples=5000) for seed in range(10)] for kind in KINDS}
ways = {kind: [fewest_errors(cost, seed) for seed, cost in enumerate(fitted[kind])] for kind in KINDS}


def counted(found, kind):
    """Errors of 300 in training, and percent of errors among new points: (2, seed)."""
    pairs = zip(fitted[kind], fresh[kind], found)
    return np.array([(errors(old, w), errors(new, w) / 50) for old, new, w in pairs]).T


# %%
def table(named, part, form):
    print(f"{'':22}" + "".join(f"{kind:>12}" for kind in KINDS))
    for name, found in named.items():
        print(f"{name:22}" + "".join(f"{found[kind][part].mean():12{form}}" for kind in KINDS))


names = list(ways["far"][0])
results = {name: {kind: counted([one[name] for one in ways[kind]], kind) for kind in KINDS} for name in names}
print("errors in training, of 300, in the mean of ten draws")
table(results, 0, ".1f")
print("\nerrors among new points, percent")
table(results, 1, ".1f")

# %%
newton_far, evolved_far = results["log loss, Newton"]["far"], results["evolution strategy"]["far"]
saved = newton_far[0] - evolved_far[0]
print(f"far outliers, saved by the evolution strategy: {saved.mean():.0f} errors, from {saved.min()} to {saved.max()}")
clean = results["log loss, Newton"]["none"], results["evolution strategy"]["none"]
print(f"no outliers: {(clean[0][0] - clean[1][0]).mean():.1f} errors fewer in training,", end=" ")
print(f"{(clean[1][1] - clean[0][1]).mean():+.1f} points among new ones")
assert saved.min() > 10 and (evolved_far[1] < newton_far[1]).all()
assert (clean[1][0] < clean[0][0]).all() and clean[1][1].mean() > clean[0][1].mean()
lesson.recall("saved", came_out=f"{saved.mean():.0f} fewer, in the mean of ten draws.")

# %% [markdown]
# So accuracy can be optimised, and here is when it pays:
#
# - Against **far outliers**, a great deal, on new points too. Log loss pays for each outlier by its distance, and
#   turns the boundary for their sake; a count of errors gives them up.
# - With **flipped labels**, points **beside** the clouds, or **no outliers** it gets fewer errors in training, and
#   nothing or less than nothing on new points. It has fitted the count more closely, noise included.
# - There **random search** and the **perceptron rule** do worse on new points than log loss does.

# %% [markdown]
# ### What it costs
#
# How many evaluations until a search makes no more errors than the boundary at 0 of the first feature, which is where
# the clouds were divided before the outliers came? For each number of weights, ten draws.


# %%
def first_within(search, target):
    return np.argmax(search.best <= target) + 1 if search.value <= target else np.inf


def evaluations(dimension, seed):
    cost = problem("far", seed, dimension=dimension)
    target = errors(cost, np.eye(dimension + 1)[0])
    wide = random_search(lambda w: errors(cost, w), dimension + 1, evaluations=10_000, seed=seed)
    bred = evolution_strategy(lambda w: errors(cost, w), np.zeros(dimension + 1), evaluations=10_000, seed=seed)
    return first_within(wide, target), first_within(bred, target)


# %%
dimensions = (2, 4, 8, 16, 32, 64)
spent = np.array([[evaluations(dimension, seed) for seed in range(10)] for dimension in dimensions])
medians = np.median(spent, axis=1)
assert (np.diff(medians[:, 1]) > 0).all() and medians[-1, 1] / medians[0, 1] < 64 and np.isinf(medians[3:, 0]).all()
cost_figure(
    [dimension + 1 for dimension in dimensions],
    {"random search": spent[..., 0], "evolution strategy": spent[..., 1]},
    limit=10_000,
    title="More weights: an evolution strategy needs more evaluations, random search far too many",
    ylabel="evaluations until as good as the true boundary",
)

# %%
large = [problem("far", seed, dimension=64) for seed in range(10)]
steps = [newton(cost.value, cost.gradient, cost.hessian, np.zeros(65)).steps for cost in large]
print(f"evolution strategy, 3 weights: {medians[0, 1]:.0f} evaluations; 65 weights: {medians[-1, 1]:.0f}")
print(f"Newton's method on log loss, 65 weights: {min(steps)} to {max(steps)} steps")

# %% [markdown]
# Newton's method reaches the minimum of log loss in a handful of steps, whatever the dimension (each needs all slopes
# and curvatures at once). A search grows with the number of weights: the strategy roughly in proportion, random
# search so fast that it is over at a dozen. A network has millions.

# %% [markdown]
# ### A gradient where there is none
#
# The thread of lesson 03 wondered about other types of neurons. There is one: count errors on the way forward, and on
# the way back pretend that the step was a slope. It is called a **straight-through estimator**. Here the pretended
# slope is -1, but only for margins between -1 and 1.


# %%
as_written = tf.autograph.experimental.do_not_convert  # else TensorFlow rewrites a function, and its gradient is lost


@as_written
@tf.custom_gradient
def straight_through(margins):
    def back(upstream):
        return -upstream * tf.cast(tf.abs(margins) <= 1, margins.dtype)

    return tf.cast(margins <= 0, margins.dtype), back


@as_written
@tf.custom_gradient
def straight_through_everywhere(margins):
    return tf.cast(margins <= 0, margins.dtype), lambda upstream: -upstream


# %% [markdown]
# Plain gradient descent, for all ten draws side by side. The last weights count, none are kept in a pocket.


# %%
signed = {kind: np.stack([cost.features * cost.signs[:, None] for cost in fitted[kind]]) for kind in KINDS}
start = tf.zeros((10, 11), tf.float64)


@tf.function
def walk_down(loss, signed, weights, rate):
    for _ in tf.range(3000):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            costs = loss(tf.einsum("dsw,dw->ds", signed, weights))  # draw, sample, weight
            total = tf.reduce_sum(tf.reduce_mean(costs, axis=1))
        weights -= rate * tape.gradient(total, weights)
    return weights


# %%
def descend(loss, kind, rate=0.3):
    return counted(walk_down(loss, tf.constant(signed[kind]), start, rate).numpy(), kind)


# %%
pretended = {"straight-through": straight_through, "the same, everywhere": straight_through_everywhere}
results |= {name: {kind: descend(loss, kind) for kind in KINDS} for name, loss in pretended.items()}
print("errors in training, of 300, in the mean of ten draws")
table(results, 0, ".1f")
print("\nerrors among new points, percent")
table(results, 1, ".1f")

# %%
through, evolved = results["straight-through"], results["evolution strategy"]
assert all(abs(through[kind][0].mean() - evolved[kind][0].mean()) < 4 for kind in KINDS)
assert (through["far"][0] < newton_far[0] - 10).all()
everywhere = results["the same, everywhere"]
print("lowest errors on new points, no outliers:", min(results, key=lambda name: results[name]["none"][1].mean()))

# %% [markdown]
# It works, about as well as the evolution strategy, and it costs one gradient a step, which a network of millions of
# weights can pay. So somebody who tried and failed could have succeeded. But what did succeed? The gradient that it
# follows is that of another function:

# %%
margins = tf.constant(np.linspace(-3, 3, 601))
ramps = {
    "straight-through": lambda m: tf.clip_by_value(1 - m, 0, 2),
    "the same, everywhere": lambda m: -m,
}


def slopes(function):
    with tf.GradientTape() as tape:
        tape.watch(margins)
        total = tf.reduce_sum(function(margins))
    return tape.gradient(total, margins).numpy()


# %%
inside = np.abs(np.abs(margins) - 1) > 1e-9  # at the two kinks of the ramp one may say either
for name, ramp in ramps.items():
    alike = slopes(pretended[name]) == slopes(ramp)
    print(f"{name} has the slopes of its ramp:", bool(alike[inside].all()))
    assert alike[inside].all()

# %% [markdown]
# A straight-through estimator is a **surrogate by another name**: clipped, it descends a hinge that stops at 2, which
# lets go of outliers; unclipped, it descends `-margin`, which pulls at all points alike and for ever. (Its weights
# grow without end; their direction is the difference between the two classes' means, and that is a good one for round
# clouds.) Inside a network, where the step is in the middle, there is no such identity, and "pretend" is the word.

# %% [markdown]
# ### What surrogates do with outliers
#
# Then why not take the best-natured surrogate? Here is how hard each pulls on a point, by its margin, and what
# becomes of the ten draws with far outliers.

# %%
print(f"{'margin':12}" + "".join(f"{margin:9}" for margin in (-8, -4, -1, 0, 1, 4)))
for name, one in SURROGATES.items():
    print(f"{name:12}" + "".join(f"{0 - one.slope(margin):9.2f}" for margin in (-8, -4, -1, 0, 1, 4)))


# %%
in_tensorflow = {
    "log": lambda m: tf.math.softplus(-m),
    "hinge": lambda m: tf.maximum(1 - m, 0),
    "exponential": lambda m: tf.exp(-m),
    "squared": lambda m: (1 - m) ** 2,
    "savage": lambda m: 4 * tf.sigmoid(-m) ** 2,
}
rates = {"exponential": 0.05, "squared": 0.05}  # they are too steep for a larger one
descended = {
    name: {kind: descend(one, kind, rates.get(name, 0.3)) for kind in KINDS} for name, one in in_tensorflow.items()
}

# %%
print("errors in training, of 300, in the mean of ten draws")
table(descended, 0, ".1f")
print("\nerrors among new points, percent")
table(descended, 1, ".1f")

# %%
order = ["savage", "hinge", "log", "exponential"]
far = {name: descended[name]["far"][0] for name in order}
print("far outliers: savage < hinge < log < exponential in each of ten draws:", end=" ")
print(bool(all((far[a] < far[b]).all() for a, b in zip(order, order[1:]))))
print(f"without outliers the means are {min(descended[name]['none'][1].mean() for name in order):.1f}%", end=" ")
print(f"to {max(descended[name]['none'][1].mean() for name in order):.1f}% on new points")

# %% [markdown]
# The harder a loss pulls on points far on the wrong side, the more errors far outliers cause. Without outliers, the
# choice hardly matters. With flipped labels hardly either: those points are not far.

# %% [markdown]
# ### Calibrated, and wrong
#
# There is a theorem in favour of surrogates (Bartlett, Jordan and McAuliffe 2006). Take one place, where a sample has
# class +1 with probability $\eta$, and choose the score there with the least *expected* loss. A convex loss of the
# margin is **classification-calibrated**, that is, this score always has the sign of the more probable class, if and
# only if it is differentiable at margin 0 and falls there. Try it for $\eta$ = 0.7:

# %%
scores = np.linspace(-4, 4, 8001)
for name, one in SURROGATES.items():
    expected = 0.7 * one.value(scores) + 0.3 * one.value(-scores)
    best_scores = scores[expected <= expected.min() + 1e-12]
    print(f"{name:12} least expected loss at a score of {best_scores.mean():+.3f}")
    assert (best_scores.mean() > 0.01) == (name != "perceptron")

# %% [markdown]
# The perceptron loss has a kink at 0, and chooses a score of 0: no answer. All others choose class +1. (Savage is not
# convex, so the theorem does not speak of it; it does well all the same.)
#
# And yet log loss got a quarter of the points wrong above. The theorem speaks of **endless samples** and of **all
# functions** of the input. A straight boundary is not all functions. Give the classifier one more input, the cube of
# the first feature, so that it may change its mind far out:

# %%
bent = []
for cost in fitted["far"]:
    wider = LogisticLoss(np.c_[cost.features, cost.features[:, 0] ** 3], cost.signs, ridge=0.001)
    bent.append(errors(wider, least_log_loss(wider)))
print(f"log loss: straight {newton_far[0].mean():.0f} errors, with the cube {np.mean(bent):.0f}", end=" ")
print(f"({min(bent)} to {max(bent)}); fewest found with a straight boundary {evolved_far[0].mean():.0f}")
assert (np.array(bent) < evolved_far[0]).all()

# %% [markdown]
# Now the same log loss does better than any straight boundary that was found. The errors were owed to log loss *and*
# a classifier too stiff for the data. A network is rarely that stiff, which is one reason why log loss serves there.

# %% [markdown]
# ### Are they correlated?
#
# "Highly correlated", said the answer. Across what? Take 32 networks with a sigmoid output that tell odd digits from
# even ones, 150 training digits, 100 epochs: far too long. The **correlation coefficient** r is 1 or -1 where one
# number follows from the other along a straight line, and 0 where a line is of no use.

# %%
digits = datasets.digits(seed=0)
odd = [(images, labels % 2) for images, labels in (digits.train, digits.validation)]


def network(units):
    layers = keras.layers
    return lambda: keras.Sequential(
        [keras.Input((64,)), layers.Dense(units, activation="relu"), layers.Dense(1, activation="sigmoid")]
    )


# %%
def fit(units, rate, replicas):
    few = odd[0][0][:150], odd[0][1][:150]
    adam = keras.optimizers.Adam(rate)
    settings = dict(replicas=replicas, epochs=100, batch_size=32, optimizer=adam)
    return training.fit_replicas(network(units), few, odd[1], **settings).validation


networks = fit(64, 0.01, 32)
loss, right = networks.loss, networks.accuracy
least = loss.argmin(axis=1)

# %%
models = [fit(units, rate, 8) for units in (4, 16, 64) for rate in (0.001, 0.003, 0.01, 0.03, 0.1)]
model_losses = np.array([one.loss[:, -1] for one in models])  # (model, replica)
model_accuracies = np.array([one.accuracy[:, -1] for one in models])


def r(x, y):
    return np.corrcoef(x, y)[0, 1]


# %%
spans = {
    "epochs until the least loss": [r(loss[k, : least[k] + 1], right[k, : least[k] + 1]) for k in range(32)],
    "epochs after it": [r(loss[k, least[k] :], right[k, least[k] :]) for k in range(32)],
    "changes, epoch to epoch": [r(np.diff(loss[k]), np.diff(right[k])) for k in range(32)],
    "samples, at the end": [r(networks.sample_losses[k, -1], networks.correct[k, -1]) for k in range(32)],
    "networks, at one epoch": [r(loss[:, epoch], right[:, epoch]) for epoch in range(100)],
    "models, at the end": [r(model_losses[:, k], model_accuracies[:, k]) for k in range(8)],
}
for name, values in spans.items():
    print(f"{name:28} r = {np.median(values):+.2f}, from {min(values):+.2f} to {max(values):+.2f}")

# %%
pairs = {
    "epochs until the least loss": (loss[0, : least[0] + 1], right[0, : least[0] + 1]),
    "epochs after it": (loss[0, least[0] :], right[0, least[0] :]),
    "changes, epoch to epoch": (np.diff(loss[0]), np.diff(right[0])),
    "samples, at the end": (networks.sample_losses[0, -1], networks.correct[0, -1].astype(float)),
    "networks, at one epoch": (loss[:, -1], right[:, -1]),
    "models, at the end": (model_losses[:, 0], model_accuracies[:, 0]),
}

# %%
figures.correlation_figure(
    pairs,
    changes=["changes, epoch to epoch"],
    ranges={name: (min(values), max(values)) for name, values in spans.items()},
    title="Are loss and accuracy correlated? It depends on what is compared",
)

# %% [markdown]
# Each panel shows one network (or the last epoch, or the first of eight replicas); in brackets, from where to where
# the coefficient goes in the others.
#
# - **Epochs until the least loss**: as promised, close to -1. While a network learns, everything improves.
# - **Epochs after it**: the sign turns. Loss and accuracy rise together, as in lesson 05.
# - **Changes** from one epoch to the next: related, by far not tied.
# - **Samples**: a wrong answer costs more than a right one, always at least ln 2 nats; but among the right ones cost
#   varies, and accuracy cannot see it.
# - **Networks** that differ in their seed, and **models** that differ in size and rate: in most comparisons the one
#   with less loss is right more often. In some it is not.

# %%
assert np.median(spans["epochs until the least loss"]) < -0.8 < np.median(spans["changes, epoch to epoch"])
assert np.median(spans["epochs after it"]) > 0.3
assert max(np.median(spans[name]) for name in list(spans)[2:]) < -0.3
lesson.recall("related")

# %% [markdown]
# ### What is minimised, and why
#
# Where does log loss come from, if not from accuracy? Multiply the probabilities that the classifier gave to what
# really happened, flower by flower. This product is the **likelihood** of the weights.

# %%
probabilities = 1 / (1 + np.exp(-log_loss.margins(best)))  # of each flower's own species
print(f"likelihood {np.prod(probabilities):.3e}, exp(-100 x log loss) {np.exp(-100 * log_loss.value(best)):.3e}")
np.testing.assert_allclose(np.prod(probabilities), np.exp(-100 * log_loss.value(best)))
others = np.exp(-100 * log_loss.value(best + 0.3 * generator.normal(size=(1000, 3))))
print("greater at any of 1,000 places nearby:", bool((others > np.prod(probabilities)).any()))

# %% [markdown]
# Log loss is minus the logarithm of the likelihood, divided by the number of samples. Its minimum has the weights of
# **maximum likelihood**: those under which what happened was least surprising. So the two numbers are not redundant.
# One asks how well the *probabilities* fit, the other how often the *answers* are right.

# %% [markdown]
# ### Four ways down
#
# The answer named Newton's method and bisection. With one weight, on standardised petal lengths and without an
# intercept:

# %%
lengths = LogisticLoss(petals("versicolor", "virginica")[0][:, :1], signs)
parts = lengths.value, lengths.gradient, lengths.hessian
halved = bisect(lambda w: lengths.gradient(w)[0], -20, 20)
jumped = newton(*parts, -4.0)
walked = gradient_descent(lengths.value, lengths.gradient, -4.0, rate=3, tolerance=1e-8, steps=2000)
for name, way in (("bisection", halved), ("Newton", jumped), ("gradient descent", walked)):
    print(f"{name:17} weight {way.point[0]:.6f} after {way.steps:4} steps, {way.evaluations[-1]:4} evaluations")
    np.testing.assert_allclose(way.point, halved.point, atol=1e-5)

# %% [markdown]
# **Bisection** asks only for the sign of the slope and halves an interval; every step gains one bit. It needs a line:
# with two weights there is no "between". **Newton's method** steps to the minimum of the parabola that fits slope and
# curvature; near the minimum each step doubles the number of right digits. Far away the parabola may be a bad guess,
# so a **line search** halves the step until the loss falls enough. **Gradient descent** follows the slope, with a
# rate that you must choose. **Noisy gradient descent** does so with the slope of five flowers at a time.
#
# Watch them over the iterations. Which arrives first? Then untick the line search, and move the start from -4 to 2
# and to 10. At which rate does gradient descent arrive, and at which does it only jump about? At last switch to
# species that can be separated.

# %% tags=["explorer"]
lesson.explorer("minimisers")

# %% [markdown]
# ### Where Newton's method fails
#
# "Minimise |y_hat - y|", the answer said, "where does Newton's method fail on that?" If y_hat is linear in the
# weight, the loss is made of straight pieces. Its curvature is 0, and Newton's method divides by it:


# %%
x, y = np.array([-2.0, -1.0, 0.5, 1.0, 3.0]), np.array([0.0, 0.0, 1.0, 0.0, 1.0])


def linear(w):
    return np.abs(w[0] * x - y).mean()


def linear_slope(w):
    return np.mean(np.sign(w * x - y) * x)


try:
    newton(linear, lambda w: linear_slope(w)[None], lambda w: np.zeros((1, 1)), 1.0)
except DidNotConverge as error:
    print("Newton:", error)
print(f"bisection finds the kink: weight {bisect(linear_slope, -5, 5).point[0]:.4f}")

# %% [markdown]
# If y_hat is a sigmoid, the loss is smooth, and worse: it is no bowl. Where most answers are wrong it curves
# downwards, and the parabola has a top instead of a bottom.


# %%
def probability(w):
    return 1 / (1 + np.exp(-w[0] * x))


def slope(w):
    p = probability(w)
    return np.mean((1 - 2 * y) * x * p * (1 - p))[None]


def curvature(w):
    p = probability(w)
    return np.mean((1 - 2 * y) * x**2 * p * (1 - p) * (1 - 2 * p))[None, None]


# %%
for start in (-3.0, 2.0):
    try:
        newton(lambda w: np.abs(probability(w) - y).mean(), slope, curvature, start)
    except DidNotConverge as error:
        print(f"from {start:+}: {error}\n")

# %% [markdown]
# From -3 there is no parabola to step to. From 2 the loss falls towards a limit at infinity: with every weight it
# comes nearer to the share of errors, because |y_hat - y| of a steep sigmoid *is* the zero-one loss.
#
# And log loss itself? It is a bowl for every data set. But the bowl need not have a bottom:

# %%
apart = LogisticLoss(*petals("setosa", "versicolor"))
try:
    newton(apart.value, apart.gradient, apart.hessian, np.zeros(2), steps=30)
except DidNotConverge as error:
    print(error)
    far_out = error.so_far
print(f"\nthe weights after 10, 20 and 30 steps: {np.linalg.norm(far_out.points[[10, 20, 30]], axis=1).round()} long")
ridge = LogisticLoss(apart.features, apart.signs, ridge=0.01)
held = newton(ridge.value, ridge.gradient, ridge.hessian, np.zeros(2))
print(f"with a ridge of 0.01: {held.steps} steps, weights {held.point.round(2)}, accuracy", end=" ")
print(np.mean(ridge.margins(held.point) > 0))

# %% [markdown]
# Setosa and versicolor can be **separated**: some weights get every flower right. Then twice the weights are twice as
# sure, and cost less; three times cost less still. There is no maximum of the likelihood, accuracy has been 1 since
# early on, and the loss falls for ever. A ridge gives the bowl a bottom. A network that gets all of its training
# samples right is in the same place.

# %% [markdown]
# ## Your turn
#
# Each exercise is checked by its own cell. Run `lesson.hint("...")` with its name when you are stuck. The solutions
# are collapsed.
#
# **1. A step of Newton's.** One weight `w`, samples `x` (sample,), signs `y` (sample,). Return the weight after one
# whole step of Newton's method on the mean log loss.


# %% tags=["exercise"]
def newton_step(w, x, y): ...


lesson.check("newton_step", newton_step)


# %% tags=["solution"]
def newton_step_solution(w, x, y):
    missing = 1 / (1 + np.exp(y * w * x))
    return w + np.sum(y * x * missing) / np.sum(x**2 * missing * (1 - missing))


lesson.check("newton_step", newton_step_solution)

# %% [markdown]
# **2. Where the staircase steps.** Walk from the weights `start` along `direction`: the weights at `t` are `start + t
# * direction`. At which `t` does a sample change sides? Return all of them, sorted. A sample that never changes has
#   none.


# %% tags=["exercise"]
def changes(features, signs, start, direction): ...


lesson.check("changes", changes)


# %% tags=["solution"]
def changes_solution(features, signs, start, direction):
    here, along = features @ start, features @ direction
    return np.sort(-here[along != 0] / along[along != 0])


lesson.check("changes", changes_solution)

# %% [markdown]
# **3. Mislead the log loss.** Choose ten points on a line and their classes, as an array of shape (2, 10): places
# first, then -1 or 1. Some threshold is to get nine of them right, while the classifier with the least log loss (one
# weight, one intercept) gets at least four wrong.

# %% tags=["exercise"]
misled = ...  # an array of shape (2, 10)

lesson.check("misled", misled)

# %% tags=["solution"]
places = np.array([-4.0, -3, -2, -1, 1, 2, 3, 4, 5, 1000])
misled_solution = np.stack([places, np.where(places == 1000, -1, np.sign(places))])

lesson.check("misled", misled_solution)

# %% [markdown]
# **4. Another staircase.** A kitchen delivers meals and tells each customer a time. It counts the deliveries that are
# off by more than ten minutes, early or late, and wants a network that forecasts times to be trained on that count.
# Write the loss that it should train on, as a function of the errors in minutes, an array: at least 1 wherever a
# delivery counts, rising with the distance there, never negative, and below 1 for a perfect forecast.


# %% tags=["exercise", "transfer"]
def too_far(minutes): ...


lesson.check("too_far", too_far)


# %% tags=["solution"]
def too_far_solution(minutes):
    return np.abs(minutes) / 10


lesson.check("too_far", too_far_solution)

# %% [markdown]
# It is the mean absolute error, in units of ten minutes: whoever brings it below 0.1 has at most one delivery in ten
# that counts. Now you know what such a loss promises, and what a few deliveries that are an hour off would do to it.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
lesson.quiz("flat")

# %% tags=["quiz"]
lesson.quiz("bound")

# %% tags=["quiz"]
lesson.quiz("outliers")

# %% tags=["quiz"]
lesson.quiz("calibrated")

# %% tags=["quiz"]
lesson.quiz("related")

# %% tags=["quiz"]
lesson.quiz("separable")

# %% [markdown]
# ## Verdicts
#
# | claim of the answers | verdict | decided by |
# |---|---|---|
# | Log loss is differentiable, accuracy is not. | **True**, and not the trouble. Where accuracy has a derivative, almost everywhere, it is 0. | steps to either side |
# | Backpropagation needs derivatives. | **True**, and it is easily deceived: zeros pass without complaint, and a pretended slope works. | None and zeros; straight-through |
# | Both measure correctness, so one is redundant. | **False.** One asks how well probabilities fit, the other how often answers are right; the minimum of one is not the maximum of the other. | a staircase and a bowl; maximum likelihood |
# | Loss stands in for a metric that cannot be optimised. | **Half true.** It can be, without slopes or with pretended ones. Against far outliers that pays; else it fitted training more closely and new points no better. | the tables of errors |
# | They are highly correlated, with a sigmoid and log loss. | **It depends on what is compared.** Until the least loss nearly -1; after it the sign turns; between samples, seeds and models in between. | six panels |
# | A loss can be minimised by many methods. | **True** of log loss: by bisection with one weight, by Newton's method, by descent, noisy or not. | four ways down |
# | ... and be it \|y_hat - y\|. | **Not by Newton's method**: there is no curvature where y_hat is linear, and a downward one where it is a sigmoid. Bisection finds the kink. | where Newton's method fails |
# | Optimising accuracy was tried and failed. (lesson 03) | **It need not.** Five ways were run; an evolution strategy and a clipped straight-through gradient did best. | the tables of errors |
# | Other types of neurons may help. (lesson 03) | **True**, in a sense: a step with a pretended slope. At the output it is a surrogate by another name. | the slopes of its ramp |
# | The MNIST tutorial optimises cross-entropy and reports accuracy. | **True**, and sound: one to walk on, one to be judged by. | all of the above |
#
# **Write the reply you would post.** Take five minutes, before you open the rubric.
#
# <details>
# <summary>A good reply ...</summary>
#
# - says that accuracy is flat almost everywhere, which is worse than not being differentiable;
# - says what log loss is in its own right: minus the mean logarithm of the likelihood;
# - names what a surrogate promises: in bits it bounds the share of errors, and no more;
# - asks "correlated across what?" before it answers;
# - says when it would pay to look for few errors themselves (far outliers and a stiff classifier), and that a loss
#   that lets go of far points does the same more cheaply;
# - claims nothing that was not run.
#
# </details>

# %% [markdown]
# ## Take away
#
# Accuracy has no slope to walk on; log loss has one everywhere, and bounds the errors from above. It is no stand-in
# only: it asks another question, how well probabilities fit. The two agree while there is something to learn, and
# part where points lie far on the wrong side, where nothing is left to learn, and where one network is held against
# another. If errors are all that counts, choose a loss that lets go of what is lost, and count them on new points.
#
# **Read on**
#
# - T. Nguyen, S. Sanner, ["Algorithms for direct 0-1 loss optimization in binary
#   classification"](https://proceedings.mlr.press/v28/nguyen13a.html), ICML 2013: the experiment with outliers.
# - P. L. Bartlett, M. I. Jordan, J. D. McAuliffe, ["Convexity, classification, and risk
#   bounds"](https://doi.org/10.1198/016214505000000907), *Journal of the American Statistical Association* 101, 2006.
# - H. Masnadi-Shirazi, N. Vasconcelos, ["On the design of loss functions for
#   classification"](https://papers.nips.cc/paper/2008/hash/f5deaeeae1538fb6c45901d524ee2f98-Abstract.html), NIPS
#   2008: the savage loss.
# - Y. Bengio, N. Léonard, A. Courville, ["Estimating or propagating gradients through stochastic
#   neurons"](https://arxiv.org/abs/1308.3432), 2013: straight through.
# - A. Albert, J. A. Anderson, ["On the existence of maximum likelihood estimates in logistic regression
#   models"](https://doi.org/10.1093/biomet/71.1.1), *Biometrika* 71, 1984: separated classes.
# - S. Boyd, L. Vandenberghe, [*Convex Optimization*](https://web.stanford.edu/~boyd/cvxbook/), 2004: Newton's method,
#   damped, in chapter 9.

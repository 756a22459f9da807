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
# **What you need first:** lesson 01 (what a sample costs), lesson 02 (many networks at once, correlation), what a
# derivative is, and enough Keras to read `compile` and `fit`. From lesson 05 it helps to know that loss and accuracy
# may rise together. The next cell loads TensorFlow, which takes about ten seconds; if another lesson's kernel still
# runs, shut it down first (menu *Kernel*).
#
# <details>
# <summary>What the answers claimed</summary>
#
# Log loss is differentiable, accuracy is not, and backpropagation needs derivatives. Loss stands in for the metric,
# which cannot be optimised itself. With a sigmoid and log loss the two are highly correlated. A loss can be minimised
# by many methods, such as Newton's and bisection, and so can even |y_hat - y|. (Where would Newton's fail on it?)
# TensorFlow's MNIST tutorial optimises cross-entropy and reports accuracy. And in the thread of lesson 03 somebody
# had tried to optimise accuracy, failed, and wondered about other types of neurons (that lesson does not take it up).
# Each gets its verdict at the end.
#
# </details>

# %%
from lossacc_helpers.course.lesson_06 import lesson, petals
from lossacc_helpers import PredictionHistory, datasets, figures, training
from lossacc_helpers.error_search import evolution_strategy, perceptron, random_search
from lossacc_helpers.figures.searches import boundaries_figure, cost_figure
from lossacc_helpers.figures.surrogates import surrogates_figure
from lossacc_helpers.logistic import LogisticLoss
from lossacc_helpers.minimisers import DidNotConverge, bisect, gradient_descent, newton, noisy_gradient_descent
from lossacc_helpers.surrogates import SURROGATES

import keras
import numpy as np
import tensorflow as tf

# %% [markdown]
# Here is a training in which nothing is wrong. Logistic regression, 300 points of two classes, 30 of them far from
# their own kind; gradient descent on log loss, all points at once, so that an epoch is one step. It begins at the
# boundary between the two clouds from which the points were drawn. The loss falls at every step.

# %%
opening = datasets.clouds(outliers="one side", seed=0)
rows = np.c_[opening.features, np.ones(300)]  # the last weight is the intercept
cost = LogisticLoss(rows, opening.signs)
try:
    walk = gradient_descent(cost.value, cost.gradient, [1.0, 0.0, 0.0], rate=0.05, steps=300)
except DidNotConverge as not_yet:  # 300 steps do not bring it to rest, and need not
    walk = not_yet.so_far

# %% over="{len(opening.signs)} points, one draw, and {len(scores)} steps"
scores = walk.points[1:] @ rows.T
log_p = -np.logaddexp(0, np.stack([scores, -scores], axis=-1))
share_right = np.mean(scores * opening.signs > 0, axis=1)
assert (np.diff(walk.values) < 0).all() and abs(share_right[0] - 0.85) < 0.005 and abs(share_right[-1] - 0.77) < 0.005
figures.loss_and_accuracy_curves(
    PredictionHistory((opening.signs > 0).astype(int), log_p),
    title="The training loss falls at every step; the training accuracy goes from 0.85 to 0.77",
    loss_limit=0.84,
    loss_from=0.62,
    accuracy_from=0.7,
    accuracy_to=0.9,
)

# %% [markdown]
# ## Commit
#
# Say what you expect, and then look.

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
# 2. Pull **how far** down to 0.1, and mind the axes. What is left of the staircase, and what is left of the bowl?
# 3. Now stand half-way to the + end of the line. Which of the two curves tells you the way back?
# 4. Pull **how far** back to 6. Green is a smoothed accuracy: each step is replaced by a sigmoid, the steeper, the
#    greater its **sharpness**. When does it follow the staircase, and when does it have a slope to follow?
# 5. Try the other **losses** and look at the map. Where is the bottom of each? (They are explained below.)

# %% tags=["explorer"]
lesson.explorer("landscape")

# %% [markdown]
# ## Compute and explain
#
# ### A staircase and a bowl
#
# The flowers, and the three weights. A flower's **score** is `flower @ weights`; virginica has the sign +1 and
# versicolor -1, and sign times score is the flower's **margin**: above 0 the answer is right. (Another margin than
# lesson 01's, which was a difference of probabilities; both have the same sign.) A sigmoid of the score is the
# probability of virginica, so log loss is `log(1 + exp(-margin))`, in nats. That is all that `LogisticLoss` computes,
# with its slopes. (The explorer shows it in bits, for a reason that you meet below. `newton` finds the weights with
# the least loss; the end of the lesson says how.)

# %% decides="a staircase and a bowl" over="{len(signs)} flowers; no random numbers"
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
assert accuracy(along).max() > accuracy(best)

# %% [markdown]
# The weights with the least loss are not those with the most right answers, not even on the flowers that they were
# fitted to. Now ask for slopes by small steps: from 1,000 random places, a step to either side, and count how often
# anything changed.

# %% decides="steps to either side" over="{len(places):,} places and directions, from one seed"
generator = np.random.default_rng(0)
places, directions = best + generator.normal(size=(1000, 3)), generator.normal(size=(1000, 3))
directions /= np.linalg.norm(directions, axis=1, keepdims=True)
changed = []
for size in (1, 0.1, 0.01, 0.001, 0.0001):
    ends = places + size * directions, places - size * directions
    changed.append([np.mean(one(ends[0]) != one(ends[1])) for one in (accuracy, log_loss.value)])
    print(f"step {size:6}: accuracy changed in {changed[-1][0]:6.1%} of the places, log loss in {changed[-1][1]:.0%}")
assert 0.05 < changed[2][0] / changed[1][0] < 0.2 and changed[-1][0] < 0.005 and changed[-1][1] > 0.99
assert np.abs(log_loss.margins(places)).min() > 0  # no flower lies on a boundary: around each place accuracy is flat
down = np.sum([log_loss.gradient(place) for place in places] * directions, axis=1)
assert np.allclose((log_loss.value(ends[0]) - log_loss.value(ends[1])) / (2 * size), down, atol=1e-6)

# %% [markdown]
# Once steps are small, a tenth of the step means about a tenth of the changes: a step must happen to straddle the place
# where a flower changes sides. Let the step shrink to nothing and the derivative of accuracy is 0, except exactly at
# those places, where there is none. "Accuracy is not differentiable" is true, and not the trouble. Where it *is*
# differentiable, **almost everywhere, its derivative is 0**: no direction to go. (The last line of the cell compares
# what log loss did over the smallest step with its gradient. They agree.)

# %% [markdown]
# (In the explorer log loss has its bottom in the middle; hinge, exponential and savage have theirs a little to the
# lower left, squared and perceptron near weights of 0. These losses come below: the squared one dislikes large margins,
# the perceptron loss is least where nothing is decided. And a sharp smoothed accuracy follows the staircase, flat parts
# included; a soft one has a slope, but its top is not that of the staircase.)

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


# %% decides="None and zeros" over="exact: no random numbers"
given = {}
for one in (with_argmax, with_sign):
    share, gradient = gradient_of(one)
    print(f"{one.__name__}: accuracy {share:.2f}, gradient", gradient if gradient is None else gradient.numpy()[:, 0])
    given[one] = gradient
assert given[with_argmax] is None and (given[with_sign].numpy() == 0).all()

# %% [markdown]
# Two ways to write one number, two answers. Through `argmax` (and `>`, `==`, `tf.round`) TensorFlow finds no way
# back, and says **None**. Through `tf.sign` it finds one, and it is made of **zeros**. The difference shows when you
# train on them.


# %%
def count_with_comparison(y, logits):
    return 1 - tf.reduce_mean(tf.cast((logits > 0) == (y > 0.5), tf.float32))


def count_with_sign(y, logits):
    return tf.reduce_mean(0.5 - 0.5 * tf.sign((2 * y - 1) * logits))


# %% decides="None and zeros" over="one network from one seed for each way of counting"
targets = (signs[:, None] > 0).astype("float32")
ended = {}
for loss in (count_with_comparison, count_with_sign):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", loss=loss)
    try:
        ended[loss.__name__] = model.fit(flowers, targets, epochs=3, verbose=0).history["loss"]
        print(loss.__name__, np.round(ended[loss.__name__], 3))
    except ValueError as error:
        print(loss.__name__, "raises:", error)
assert list(ended) == ["count_with_sign"] and np.ptp(ended["count_with_sign"]) < 0.001

# %% [markdown]
# `count_with_sign` is the dangerous one: Keras trains without complaint, and nothing ever moves. The other stays
# silent too when it is a part of a sum. Add it to a cross-entropy and Keras trains on the cross-entropy alone.

# %%
lesson.recall("gradient")

# %% [markdown]
# ### Losses that stand in
#
# Every sample has a margin. The **zero-one loss** is 1 for a margin of 0 or less, which is an error, and 0 above; its
# mean is the share of errors. A **surrogate** is another function of the same margin $m$, one with a slope. Its
# **pull** is minus that slope: how much the loss would fall if the margin grew by one. Log loss stands here in bits
# (nats divided by ln 2), so that it is 1 at a margin of 0.
#
# | surrogate | formula | pulls |
# |---|---|---|
# | log | $\log_2(1 + e^{-m})$ | at everything, less and less where the answer is right and sure |
# | hinge | $\max(0, 1 - m)$ | alike below 1, and not at all above (support vector machines) |
# | exponential | $e^{-m}$ | the harder, the more wrong an answer is, without end (boosting) |
# | squared | $(1 - m)^2$ | as hard as the distance from 1, and *back* above 1: it dislikes being too sure |
# | perceptron | $\max(0, -m)$ | at errors alone |
# | savage | $4 / (1 + e^m)^2$ | hardest near 0; it lets go of what is far on the wrong side |

# %%
surrogates_figure(list(SURROGATES), title="Five bounds of the zero-one loss, and one that is none")

# %% [markdown]
# Savage is the only one that is not **convex**: a straight line between two points of its curve may pass below it,
# and its landscape may have several bottoms.
#
# Five of the six are never below the step. So their mean over samples is never below the share of errors, wherever
# the weights are. A check with random weights and with the best ones:

# %% over="{len(wrong):,} places, nearly all drawn, from one seed"
several = np.concatenate([3 * generator.normal(size=(2000, 3)), best[None]])
wrong = 1 - accuracy(several)
margins = log_loss.margins(several)
gaps = {}
for name, one in SURROGATES.items():
    bound = one.value(margins).mean(axis=1)
    gaps[name] = (bound - wrong).min()
    print(f"{name:12} at least the share of errors in all {len(wrong):,} places: {gaps[name] >= -1e-12}", end="; ")
    print(f"at the best weights {bound[-1]:.3f}, errors {wrong[-1]:.2f}")
assert all(gaps[name] >= -1e-12 for name in gaps if SURROGATES[name].bounds_errors)
assert all(gaps[name] < -1e-12 for name in gaps if not SURROGATES[name].bounds_errors)

# %% [markdown]
# That is the promise of a surrogate (a case of **Markov's inequality**): push the mean below 0.2, and at most a fifth
# of the samples are wrong. For log loss in bits this is lesson 01's bound: with an accuracy $a$ and a log loss of $L$
# nats, $1 - a \le L / \ln 2$. It is a promise about the level, and may be an empty one: the squared loss is above 60
# here, since most margins are far above 1. And it says nothing of the way: the bound may fall while the errors rise,
# as in the first picture.

# %% [markdown]
# ### Optimise accuracy anyway
#
# A function without slopes can still be asked for values. Three ways to use them:
#
# - **Random search**: draw weights, count the errors of each, keep the best.
# - **Evolution strategy**: draw twenty weights around a middle, move the middle to the mean of the best five, and let
#   them vote on how far to go next time as well. Repeat.
# - **Perceptron rule**: go through the samples, and wherever one is wrong, add sign times features to the weights.
#   Count the errors after each pass, and keep the best weights in a *pocket*.
#
# The points: 300 in two round clouds, one on either side of 0 on the first feature; the other features are noise. A
# tenth of the points are **outliers**. They lie *far* behind the other class's cloud; or as far, but all behind the
# same cloud (*one side*); or they have a *flipped* label; or they lie *beside* the clouds, where the second feature
# tells their class.

# %%
KINDS = ("none", "far", "one side", "flipped", "beside")


def problem(kind, seed, samples=300, dimension=10):
    settings = dict(share=0) if kind == "none" else dict(share=0.1, outliers=kind)
    drawn = datasets.clouds(samples=samples, dimension=dimension, seed=seed, **settings)
    return LogisticLoss(np.c_[drawn.features, np.ones(samples)], drawn.signs, ridge=0.001)


def errors(cost, weights):
    return np.sum(~(cost.margins(weights) > 0), axis=-1)  # so that a weight that is not a number is an error too


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
# One draw each, errors in training; crosses have the sign +1 and belong to the right. (The ridge of 0.001 adds a
# trace of the squared weights to the loss, so that its minimum is finite whatever is drawn.)
#
# Now in ten dimensions, over ten draws. The searches may count the errors 4,000 times; the perceptron rule goes through
# the points 100 times. Beside the training points stand 5,000 new ones of the same kind, and the last row is the true
# boundary, at 0 of the first feature. (With outliers beside the clouds it is not the best one: it does not look at the
# second feature.)


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
        "the true boundary": np.eye(width)[0],
    }


# %%
fitted = {kind: [problem(kind, seed) for seed in range(10)] for kind in KINDS}
fresh = {kind: [problem(kind, 1000 + seed, samples=5000) for seed in range(10)] for kind in KINDS}
ways = {kind: [fewest_errors(cost, seed) for seed, cost in enumerate(fitted[kind])] for kind in KINDS}


def counted(found, kind):
    """Errors of 300 in training, and percent of errors among new points: (2, seed)."""
    pairs = zip(fitted[kind], fresh[kind], found)
    return np.array([(errors(old, w), errors(new, w) / 50) for old, new, w in pairs]).T


def mean_and_error(numbers):
    """The mean of some draws, and its standard error."""
    return numbers.mean(), numbers.std(ddof=1) / np.sqrt(len(numbers))


# %% decides="the tables of errors"
def table(named, part, form):
    print(f"{'':22}" + "".join(f"{kind:>12}" for kind in KINDS))
    for name, found in named.items():
        print(f"{name:22}" + "".join(f"{found[kind][part].mean():12{form}}" for kind in KINDS))


names = list(ways["far"][0])
results = {name: {kind: counted([one[name] for one in ways[kind]], kind) for kind in KINDS} for name in names}
print("errors in training, of 300, mean of ten draws")
table(results, 0, ".1f")
print("\nerrors among new points, percent")
table(results, 1, ".1f")

# %% decides="a search against log loss" over="{len(saved)} draws with far outliers, one seed each"
newton_far, evolved_far = results["log loss, Newton"]["far"], results["evolution strategy"]["far"]
saved = newton_far[0] - evolved_far[0]
print(f"far outliers, saved by the evolution strategy: {saved.mean():.0f} errors, from {saved.min():.0f}", end=" ")
print(f"to {saved.max():.0f}")
assert saved.min() > 10
lesson.recall("saved", came_out=f"{saved.mean():.0f} fewer, averaged over ten draws.")

# %% decides="a search against log loss" over="{len(saved)} draws, one seed each, of each of {len(KINDS)} kinds"
by_newton, by_strategy = results["log loss, Newton"], results["evolution strategy"]
truth = results["the true boundary"]
more = {name: {kind: mean_and_error(results[name][kind][1] - by_newton[kind][1]) for kind in KINDS} for name in names}
print("evolution strategy minus log loss, percent of errors among new points:")
for kind, (mean, error) in more["evolution strategy"].items():
    print(f"{kind:9} {mean:+6.2f}, standard error {error:.2f}")
elsewhere = "none", "flipped", "beside"
assert all((by_strategy[kind] < by_newton[kind]).all() for kind in ("far", "one side"))
assert all(by_strategy[kind][0].mean() < by_newton[kind][0].mean() - 2 for kind in elsewhere)
assert all(mean > -2 * error for mean, error in (more["evolution strategy"][kind] for kind in elsewhere))
assert all((truth[k][0] > by_strategy[k][0]).all() and (truth[k][1] < by_strategy[k][1]).all() for k in elsewhere[:2])
assert all(more[name][kind][0] > 0.5 for name in ("random search", "perceptron rule") for kind in elsewhere)

# %% [markdown]
# So accuracy can be optimised, and here is when it pays:
#
# - Against **far outliers**, a great deal, on new points too. Log loss pays for each outlier by its distance, and
#   turns the boundary for their sake; a count of errors gives them up.
# - In the other three columns the strategy gets fewer errors in training, and is no better on new points. With no
#   outliers it is worse: of a hundred new points it gets 0.55 more wrong, with a standard error of 0.23. There and
#   with flipped labels it gets fewer wrong in training than the true boundary, and more on new points: it has fitted
#   the noise.
# - **Random search** and the **perceptron rule** do worse on new points in those three columns than log loss does.
#
# (The standard error says by how much a mean of ten draws would typically vary with other draws. And "fewest" is
# fewest *found*. To find the fewest for certain is NP-hard: no way is known that does not take exponentially long in
# the worst case.)

# %% [markdown]
# ### What it costs
#
# The clouds were divided at 0 of the first feature before the outliers came. How many evaluations does a search need
# until it is as good as that boundary? (An evaluation counts the errors of all points once.) Ten draws for each
# number of weights, with 30 points for each weight: among few points, chance boundaries would be good enough.


# %%
def first_within(search, target):
    return np.argmax(search.best <= target) + 1 if search.value <= target else np.inf


def evaluations(dimension, seed):
    weights = dimension + 1
    cost = problem("far", seed, samples=30 * weights, dimension=dimension)
    target = errors(cost, np.eye(weights)[0])
    wide = random_search(lambda w: errors(cost, w), weights, evaluations=5000, seed=seed)
    bred = evolution_strategy(lambda w: errors(cost, w), np.zeros(weights), evaluations=5000, seed=seed)
    return first_within(wide, target), first_within(bred, target)


# %% over="{spent.shape[1]} draws, one seed each, for each of {len(dimensions)} numbers of weights"
dimensions = (2, 4, 8, 16, 32, 64)
spent = np.array([[evaluations(dimension, seed) for seed in range(10)] for dimension in dimensions])
medians = np.median(spent, axis=1)
assert (np.diff(medians[:, 1]) > 0).all() and 8 < medians[-1, 1] / medians[0, 1] < 64
assert np.mean(spent[2, :, 0] > 5000) > 0.5 and spent[3:, :, 0].min() > 5000
cost_figure(
    [dimension + 1 for dimension in dimensions],
    {"random search": spent[..., 0], "evolution strategy": spent[..., 1]},
    limit=5000,
    title="More weights: an evolution strategy needs more evaluations, random search far too many",
    ylabel="evaluations until as good",
)

# %%
print(
    f"65 weights for 3, {65 / 3:.0f} times as many: {medians[-1, 1] / medians[0, 1]:.0f} times the evaluations", end=" "
)
print(f"for the evolution strategy, {medians[0, 1]:.0f} and {medians[-1, 1]:.0f}")
for dimension in (2, 8, 64):
    drawn = [problem("far", seed, samples=30 * (dimension + 1), dimension=dimension) for seed in range(10)]
    start = np.zeros(dimension + 1)
    steps = [newton(cost.value, cost.gradient, cost.hessian, start).steps for cost in drawn]
    print(f"Newton's method on log loss, {dimension + 1:2} weights: {min(steps)} to {max(steps)} steps")

# %% [markdown]
# They do not arrive at the same place: log loss ends with many more errors. But Newton's method gets there in a
# handful of steps (each asks for all slopes and all curvatures), while a search asks more often, the more weights
# there are: the strategy roughly in proportion. Random search failed in most of the ten draws with 9 weights, and in
# all with 17 and more. A network has millions.

# %% [markdown]
# ### A gradient where there is none
#
# Somebody in lesson 03's thread wondered about other types of neurons. There is one: count errors on the way forward,
# and on the way back pretend that the step was a slope. It is called a **straight-through estimator**. Here the
# pretended slope is -1, at first only for margins between -1 and 1 (clipped), then everywhere (unclipped).
# (`tf.custom_gradient` lets a function name its own slope; `upstream` is what the chain rule brings from above.)

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
# Plain gradient descent, 3,000 steps from weights of 0, for all ten draws side by side. The last weights count, none
# are kept in a pocket.


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
def descend(loss, kind, rate=0.3, start=start):
    found = walk_down(loss, tf.constant(signed[kind]), start, rate).numpy()
    assert np.isfinite(found).all(), "the weights have run away: take a smaller rate"
    return found


# %% decides="the tables of errors; straight-through"
pretended = {"clipped estimator": straight_through, "unclipped estimator": straight_through_everywhere}
for name, loss in pretended.items():
    results[name] = {kind: counted(descend(loss, kind), kind) for kind in KINDS}
print("errors in training, of 300, mean of ten draws")
table(results, 0, ".1f")
print("\nerrors among new points, percent")
table(results, 1, ".1f")

# %% decides="straight-through" over="{len(newton_far[0])} draws, one seed each, of each of {len(KINDS)} kinds"
through, everywhere = results["clipped estimator"], results["unclipped estimator"]
clipped = {kind: mean_and_error(through[kind][1] - by_newton[kind][1]) for kind in KINDS}
print("errors among new points: fewest by; the clipped one minus log loss, percent (standard error)")
for kind, (mean, error) in clipped.items():
    fewest = min(set(results) - {"the true boundary"}, key=lambda name, kind=kind: results[name][kind][1].mean())
    print(f"{kind:9} {fewest:21} {mean:+7.2f} ({error:.2f})")
    assert abs(through[kind][0].mean() - by_strategy[kind][0].mean()) < 4
    assert everywhere[kind][0].mean() > through[kind][0].mean() + 3
    assert everywhere[kind][1].mean() < through[kind][1].mean() - 0.4
assert all(through[kind][0].mean() < by_newton[kind][0].mean() - 2 for kind in KINDS)
assert all(mean > -2 * error for mean, error in (clipped[kind] for kind in elsewhere))
assert all((through[kind] < by_newton[kind]).all() for kind in ("far", "one side"))

# %% [markdown]
# In training, the clipped estimator gets about as few wrong as the evolution strategy, at one gradient a step, which
# a network of millions of weights can pay. With a linear classifier, at least, what somebody tried and failed at can
# be done. (On new points it is like the strategy, too: no better than log loss, except against far outliers.)
#
# Now look at the last row of the tables. The unclipped one gets more wrong in training than the clipped one, and fewer
# wrong on new points, in all five columns. What did it descend, if not the count? The gradient that a straight-through
# estimator follows is that of another function:

# %%
margins = tf.constant(np.linspace(-3, 3, 601))
ramps = {
    "clipped estimator": lambda m: tf.clip_by_value(1 - m, 0, 2),
    "unclipped estimator": lambda m: -m,
}


def slopes(function, margins):
    with tf.GradientTape() as tape:
        tape.watch(margins)
        total = tf.reduce_sum(function(margins))
    return tape.gradient(total, margins).numpy()


# %% decides="the slopes of its ramp" over="{inside.sum()} margins; exact: no random numbers"
inside = np.abs(np.abs(margins) - 1) > 1e-9  # at the two kinks of the ramp one may say either
for name, ramp in ramps.items():
    of_step, of_ramp = (slopes(function, margins)[inside] for function in (pretended[name], ramp))
    print(f"{name} has the slopes of its ramp:", bool((of_step == of_ramp).all()))
    assert (of_step == of_ramp).all()

# %% [markdown]
# A straight-through estimator at the output is a **surrogate by another name**. Clipped, it descends a hinge that
# stops at 2, which lets go of outliers. Unclipped, it descends `-margin`, which pulls at all points alike and for
# ever: its weights grow without end, in the direction of the mean of sign times features. For two round clouds of
# equal size that is a nearly perfect direction, and so it is the best so far on *these* new points, without counting
# anything. (Inside a network, where the step is in the middle, there is no such identity, and "pretend" is the word.)
#
# One thing the clipped one cannot do: get hold of a point whose margin is beyond 1 on the wrong side. Begin with
# large random weights instead of 0:

# %% over="{len(lost)} draws, one seed each, and as many random starts, from one more seed"
large = tf.constant(3 * np.random.default_rng(0).normal(size=(10, 11)))
lost, kept = (
    counted(descend(loss, "far", start=large), "far")[0]
    for loss in (straight_through, lambda m: 4 * tf.sigmoid(-m) ** 2)
)
print("far outliers, errors in ten draws from large random weights")
print("clipped estimator", np.sort(lost).astype(int), " savage", np.sort(kept).astype(int))
assert lost.max() > 100 > 60 > kept.max()

# %% [markdown]
# Some draws end nowhere near. A landscape that is not convex has places where descent stays, and how many depends on
# the loss and on the start; savage comes back from all ten.

# %% [markdown]
# ### What surrogates do with outliers
#
# All of them, on the same ten draws. One is new here: **smoothed** is the green curve of the first explorer, turned
# over, a sigmoid of minus the margin. It is |y_hat - y| as well, if y_hat is a sigmoid: what is missing to certainty.

# %%
in_tensorflow = {
    "log": lambda m: tf.math.softplus(-m),
    "hinge": lambda m: tf.maximum(1 - m, 0),
    "exponential": lambda m: tf.exp(-m),
    "squared": lambda m: (1 - m) ** 2,
    "perceptron": lambda m: tf.maximum(-m, 0),
    "savage": lambda m: 4 * tf.sigmoid(-m) ** 2,
    "smoothed": lambda m: tf.sigmoid(-m),
}

# %%
rates = {"exponential": 0.05, "squared": 0.05}  # at 0.3 their weights run away
ended = {
    name: {kind: descend(one, kind, rates.get(name, 0.3)) for kind in KINDS} for name, one in in_tensorflow.items()
}
descended = {name: {kind: counted(ended[name][kind], kind) for kind in KINDS} for name in ended}

# %% decides="smoothed, beside the surrogates"
print("errors in training, of 300, mean of ten draws")
table(descended, 0, ".1f")
print("\nerrors among new points, percent")
table(descended, 1, ".1f")

# %% [markdown]
# In training none of them gets as few wrong as the evolution strategy and the clipped straight-through estimator. Does
# one beat the unclipped estimator on new points? Take the best of all the other ways that found a boundary, and compare
# the two draw by draw.

# %% decides="the unclipped one and its rival" over="{len(lead)} draws, one seed each, of each of {len(KINDS)} kinds"
tried, few = results | descended, ("evolution strategy", "clipped estimator")
rivals = {name: tried[name] for name in tried if name not in ("the true boundary", "unclipped estimator")}
print("errors among new points, percent: the best rival minus the unclipped one")
for kind in KINDS:
    name = min(rivals, key=lambda name, kind=kind: rivals[name][kind][1].mean())
    lead = rivals[name][kind][1] - everywhere[kind][1]
    mean, error = mean_and_error(lead)
    print(f"{kind:9} {name:12} {mean:+.2f}, standard error {error:.2f}")
    assert mean > (2 if kind in ("none", "far", "flipped") else -2) * error
    rest = min(tried[name][kind][0].mean() for name in tried if name not in few)
    assert max(tried[name][kind][0].mean() for name in few) < rest

# %% [markdown]
# None does. In three columns the best rival is behind by more than two standard errors; with outliers on one side or
# beside the clouds the difference is within chance. With far outliers the surrogates differ by dozens of errors. Who
# pulls hardest at the outliers in the end? At the weights after those 3,000 steps, take the pull of every point, and
# the share of it that comes from the 30 outliers.

# %% decides="smoothed, beside the surrogates" over="{len(which)} draws, one seed each"
which = np.stack([datasets.clouds(dimension=10, outliers="far", seed=seed).outliers for seed in range(10)])
shares = {}
for name, one in in_tensorflow.items():
    margins = tf.constant(np.einsum("dsw,dw->ds", signed["far"], ended[name]["far"]))
    pull = np.abs(slopes(one, margins))
    shares[name] = (pull * which).sum() / pull.sum()
    print(f"{name:12} outliers' share of the pull {shares[name]:4.0%}, errors {descended[name]['far'][0].mean():5.1f}")
pulled = "log", "hinge", "exponential", "squared"
assert shares["savage"] < 0.02 and shares["smoothed"] < 0.02 and min(shares[name] for name in pulled) > 0.12
assert max(descended[name]["far"][0].mean() for name in ("savage", "smoothed")) < 45
assert min(descended[name]["far"][0].mean() for name in pulled) > 49

# %%
by_chance = descended["perceptron"]["far"][1]
print(f"perceptron, far: from {by_chance.min():.0f}% to {by_chance.max():.0f}% of new points wrong in ten draws")

# %%
best_new = {name: found["none"][1].mean() for name, found in descended.items() if name != "perceptron"}
print(f"without outliers, on new points: {min(best_new.values()):.1f}% to {max(best_new.values()):.1f}%", end=" ")
print(f"wrong, and {descended['perceptron']['none'][1].mean():.1f}% by the perceptron loss")

# %% [markdown]
# A tenth of the points are outliers. Where they keep 15% of the pull or more, there are 50 errors or more. **Savage**
# and **smoothed** leave them next to nothing, and have about 44 and 43: they have let go. (The weights matter, too:
# with small ones all margins are small, and nothing looks far off.) Without outliers the choice hardly matters, and
# with flipped labels hardly either: those points are not far.
#
# The **perceptron loss** is a warning. It is least where all weights are 0 and nothing is decided. Descent hovers
# there, and with far outliers its last steps decide the answers.
#
# In Keras, such a loss is a function of labels and outputs:


# %%
def savage(y, logits):
    return 4 * tf.sigmoid((1 - 2 * y) * logits) ** 2  # y is 0 or 1: the bracket is minus the sign


points, truth = fitted["far"][0].features[:, :-1], (fitted["far"][0].signs[:, None] > 0).astype("float32")
for name, loss in (("log loss", keras.losses.BinaryCrossentropy(from_logits=True)), ("savage", savage)):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), loss=loss)
    model.fit(points, truth, batch_size=60, epochs=40, verbose=0)
    answers = model.predict(points, verbose=0) > 0
    print(f"{name}: {np.sum(answers != (truth > 0))} of 300 wrong")

# %% [markdown]
# ### Calibrated, and wrong
#
# Is a surrogate to blame, then? Put ten samples in one place, seven of class +1 and three of class -1. They must
# share one score $s$, and their mean loss is 0.7 loss(s) + 0.3 loss(-s). Which score is best, and is it above 0, on
# the side of the seven?

# %% over="exact: no random numbers"
scores = np.linspace(-4, 4, 8001)
chosen = {}
for name, one in SURROGATES.items():
    expected = 0.7 * one.value(scores) + 0.3 * one.value(-scores)
    chosen[name] = scores[expected <= expected.min() + 1e-12].mean()
    print(f"{name:12} least expected loss at a score of {chosen[name]:+.3f}")
assert abs(chosen["perceptron"]) < 0.0005 and min(chosen[name] for name in chosen if name != "perceptron") > 0.01

# %% [markdown]
# All but the perceptron loss side with the seven; it says nothing. A loss that sides with the majority, for every
# majority, is called **classification-calibrated** (another calibration than that of lesson 05). For a *convex* loss
# of the margin there is a simple test (Bartlett, Jordan and McAuliffe 2006): it is, if and only if its curve is
# differentiable at 0 and falls there. The perceptron loss has a kink at 0. (Savage is not convex, so the test does
# not speak of it.)
#
# And yet log loss got a quarter of the points wrong above. The theorem speaks of **endless samples**, and of **all
# functions** of the input: each place may have a score of its own. A straight boundary is not all functions. Give the
# classifier one more input, the cube of the first feature, so that it may change its mind far out. (We know where the
# outliers are. You would have to look.)


# %%
def with_cube(cost):
    return LogisticLoss(np.c_[cost.features, cost.features[:, 0] ** 3], cost.signs, ridge=0.001)


# %% over="{bent['far'].shape[1]} draws, one seed each, of each of {len(bent)} kinds"
bent = {}
for kind in ("far", "one side"):
    found = [least_log_loss(with_cube(cost)) for cost in fitted[kind]]
    both = zip(map(with_cube, fitted[kind]), map(with_cube, fresh[kind]), found)
    bent[kind] = np.array([(errors(old, w), errors(new, w) / 50) for old, new, w in both]).T
    least_of_straight = np.min([each[kind] for each in tried.values()], axis=0)  # part, draw
    assert (bent[kind] < least_of_straight).all() and bent[kind][1].mean() < by_newton["none"][1].mean() + 0.5
    straight, evolved = by_newton[kind], by_strategy[kind]
    named = {"straight": straight, "with the cube": bent[kind], "straight, evolution strategy": evolved}
    for name, each in named.items():
        print(f"{kind:9} {name:29} {each[0].mean():4.0f} of 300 in training, {each[1].mean():4.1f}% of new points")

# %% [markdown]
# Now the same log loss does better than every straight boundary of the tables, on new points too. The errors were owed
# to log loss *and* a classifier too stiff for the data. Here, where the classifier could follow them, the outliers
# cost log loss nothing.

# %% [markdown]
# ### Are they correlated?
#
# "Highly correlated", said the answer. Across what? Take 32 networks with a sigmoid output that tell odd digits from
# even ones, 150 training digits, 100 epochs: far too long. As in lesson 02, r is the correlation coefficient.

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
models = [fit(units, rate, 8) for units in (4, 16, 64) for rate in (0.001, 0.003, 0.01, 0.03)]
model_losses = np.array([one.loss[:, -1] for one in models])  # (model, replica)
model_accuracies = np.array([one.accuracy[:, -1] for one in models])


def r(x, y):
    return np.corrcoef(x, y)[0, 1]


# %%
spans = {
    "all epochs": [r(loss[k], right[k]) for k in range(32)],
    "epochs until the least loss": [r(loss[k, : least[k] + 1], right[k, : least[k] + 1]) for k in range(32)],
    "epochs after it": [r(loss[k, least[k] :], right[k, least[k] :]) for k in range(32)],
    "changes, epoch to epoch": [r(np.diff(loss[k]), np.diff(right[k])) for k in range(32)],
    "samples, at the end": [r(networks.sample_losses[k, -1], networks.correct[k, -1]) for k in range(32)],
    "networks, at one epoch": [r(loss[:, epoch], right[:, epoch]) for epoch in range(100)],
    "models, at the end": [r(model_losses[:, k], model_accuracies[:, k]) for k in range(8)],
}

# %% decides="are they correlated" over="{len(loss)} networks, {model_losses.size} of {len(models)} models, one split"
medians = {name: np.median(values) for name, values in spans.items()}
for name, values in spans.items():
    print(f"{name:28} r = {medians[name]:+.2f}, from {min(values):+.2f} to {max(values):+.2f}")
assert medians["epochs until the least loss"] < -0.8 and medians["epochs after it"] > 0.3
assert medians["epochs until the least loss"] < medians["all epochs"] < medians["epochs after it"]
between = list(spans)[3:]
assert max(medians[name] for name in between) < -0.3 and min(max(spans[name]) for name in between) > -0.9

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
# Each panel shows one case: the first network, the last epoch, or the first of eight replicas. The brackets give the
# lowest and the highest r of all cases.
#
# - **Epochs until the least loss**: as promised, close to -1. While a network learns, everything improves.
# - **Epochs after it**: the sign turns. Loss and accuracy rise together, as in lesson 05. (The place to cut was chosen
#   by one of the two numbers.) All epochs taken together give a number in between, which says little.
# - **Changes** from one epoch to the next, **samples**, **networks** that differ in their seed, **models** that
#   differ in size and rate: all below 0 in the median, and none close to -1 throughout.
#
# A coefficient hides much. Ask more plainly: of two cases, has the one with less loss also more right answers?


# %%
def agreement(losses, accuracies):
    """Shares of pairs that agree, disagree, and tie in accuracy."""
    first, second = np.triu_indices(len(losses), 1)
    both = np.sign(losses[first] - losses[second]) * np.sign(accuracies[first] - accuracies[second])
    return np.array([np.mean(both < 0), np.mean(both > 0), np.mean(both == 0)])


plain = {
    "networks, at one epoch": np.mean([agreement(loss[:, e], right[:, e]) for e in range(100)], axis=0),
    "models, at the end": np.mean([agreement(model_losses[:, k], model_accuracies[:, k]) for k in range(8)], axis=0),
}
moves = np.sign(np.diff(loss)) * np.sign(np.diff(right))
plain["changes, epoch to epoch"] = np.array([np.mean(moves < 0), np.mean(moves > 0), np.mean(moves == 0)])

# %% decides="are they correlated" over="{len(loss)} networks, {model_losses.size} of {len(models)} models, one split"
for name, (agree, disagree, tie) in plain.items():
    print(f"{name:24} agree {agree:3.0%}, disagree {disagree:3.0%}, same accuracy {tie:3.0%}")
assert all(agree > disagree > 0.1 for agree, disagree, _ in plain.values())
assert 0.3 < plain["changes, epoch to epoch"][2] < 0.7
every = spans["all epochs"]
told = f"{np.median(every):+.2f} in the median network, from {min(every):+.2f} to {max(every):+.2f}: "
lesson.recall("related", came_out=told + "close to -1 until the least loss, above 0 after it.")

# %% [markdown]
# Take two networks, or two models. In about 60% of the pairs the one with less loss has more right answers; in 24%
# (networks) and 36% (models) it has fewer. From one epoch to the next accuracy stays exactly where it was in about
# half of the cases: a staircase.

# %% [markdown]
# ### What is minimised, and why
#
# Where does log loss come from, if not from accuracy? Multiply the probabilities that the classifier gave to what
# really happened, flower by flower. This product is the **likelihood** of the weights.

# %% decides="maximum likelihood" over="{len(others):,} places nearby, from one seed"
probabilities = 1 / (1 + np.exp(-log_loss.margins(best)))  # of each flower's own species
print(f"likelihood {np.prod(probabilities):.3e}, exp(-100 x log loss) {np.exp(-100 * log_loss.value(best)):.3e}")
np.testing.assert_allclose(np.prod(probabilities), np.exp(-100 * log_loss.value(best)))
others = np.exp(-100 * log_loss.value(best + 0.3 * generator.normal(size=(1000, 3))))
print("greater at any of 1,000 places nearby:", bool((others > np.prod(probabilities)).any()))
assert (others < np.prod(probabilities)).all()

# %% [markdown]
# Log loss is minus the logarithm of the likelihood, divided by the number of samples. Its minimum has the weights of
# **maximum likelihood**: those under which what happened was least surprising. So log loss and accuracy are not
# redundant. Log loss asks how well the *probabilities* fit, which you need wherever a decision has a price; accuracy
# asks how often the *answers* are right.

# %% [markdown]
# ### Four ways down
#
# A detour of ten minutes: how is a loss minimised? (You may skip it; the first exercise needs it.) With one weight,
# on standardised petal lengths and without an intercept:

# %% decides="four ways down"
lengths = LogisticLoss(petals("versicolor", "virginica")[0][:, :1], signs)
parts = lengths.value, lengths.gradient, lengths.hessian
halved = bisect(lambda w: lengths.gradient(w)[0], -20, 20)
jumped = newton(*parts, -4.0)
walked = gradient_descent(lengths.value, lengths.gradient, -4.0, rate=3, tolerance=1e-8, steps=2000)
for name, way in (("bisection", halved), ("Newton", jumped), ("gradient descent", walked)):
    print(f"{name:17} weight {way.point[0]:.6f} after {way.steps:4} steps, {way.evaluations[-1]:4} evaluations")
    np.testing.assert_allclose(way.point, halved.point, atol=1e-5)


# %% decides="four ways down" over="{len(noisy)} seeds"
def slope_of_five(w, generator):
    five = generator.integers(100, size=5)  # flowers, drawn anew for each step
    return LogisticLoss(lengths.features[five], signs[five]).gradient(w)


rough = dict(rate=1, steps=2000)
noisy = [noisy_gradient_descent(lengths.value, slope_of_five, -4.0, seed=seed, **rough) for seed in range(10)]
excess = np.array([way.values[-1] for way in noisy]) - lengths.value(halved.point)
print(f"noisy gradient descent, {rough['steps']:,} steps, {len(noisy)} seeds:", end=" ")
print(f"at most {excess.max():.4f} nats above the least loss")
assert excess.max() < 0.002

# %% [markdown]
# - **Bisection** asks only for the sign of the slope and halves an interval; every step gains one bit. It needs a
#   line: with two weights there is no "between".
# - **Newton's method** steps to the minimum of the parabola that fits slope and curvature here. The new weight is
#   `w - slope / curvature`. For log loss, with q the probability of the *wrong* class, a sample has the slope
#   `-y * x * q` and the curvature `x**2 * q * (1 - q)`. With several weights the curvatures form a table, the
#   **Hessian**. Near the minimum each step doubles the number of right digits. Far away the parabola may be a bad
#   guess; a **line search** then halves the step until the loss falls enough.
# - **Gradient descent** follows the slope, with a rate that you must choose.
# - **Noisy gradient descent** does so with the slope of five flowers at a time.
#
# Watch them, with one weight above and with two below. (An evaluation is one call for a loss, a slope or a curvature.)
# Who arrives, and after how many iterations? Then untick the line search: where does Newton's method go, from -4, and
# from 2? Vary the rate: when does gradient descent creep, and when does it leap over the minimum, to creep back?
# Finally, choose the species that can be separated. Bisection finds no change of sign, the least loss is a limit at
# infinity, and Newton's weights leave the map.

# %% tags=["explorer"]
lesson.explorer("minimisers")

# %% [markdown]
# ### Where Newton's method fails
#
# "Minimise |y_hat - y|", the answer said, "where does Newton's method fail on that?" If y_hat is linear in the
# weight, the loss is made of straight pieces. Its curvature is 0, and Newton's method divides by it:


# %%
x, y = np.array([-2.0, -1.0, 0.5, 1.0, 3.0]), np.array([-1.0, -1.0, 1.0, 0.5, 2.4])


def linear(w):
    return np.abs(w[0] * x - y).mean()


def linear_slope(w):
    return np.mean(np.sign(w * x - y) * x)


# %% decides="where Newton's method fails" over="exact: no random numbers"
reasons = {}
try:
    newton(linear, lambda w: linear_slope(w)[None], lambda w: np.zeros((1, 1)), 1.0)
except DidNotConverge as error:
    reasons["linear"] = str(error)
    print("Newton:", error)
kink = bisect(linear_slope, -5, 5).point[0]
print(f"bisection finds the kink: weight {kink:.4f}")
assert "flat in the direction" in reasons["linear"] and abs(kink - 0.8) < 0.0001

# %% [markdown]
# If y_hat is a sigmoid and y is 0 or 1, the loss is smooth, and worse: it is no bowl. Here it curves downwards where
# most answers are wrong, and the parabola has a top instead of a bottom.


# %%
y = np.array([0.0, 0.0, 1.0, 0.0, 1.0])


def probability(w):
    return 1 / (1 + np.exp(-w[0] * x))


def slope(w):
    p = probability(w)
    return np.mean((1 - 2 * y) * x * p * (1 - p))[None]


def curvature(w):
    p = probability(w)
    return np.mean((1 - 2 * y) * x**2 * p * (1 - p) * (1 - 2 * p))[None, None]


# %% decides="where Newton's method fails" over="exact: no random numbers"
for start in (-3.0, 2.0):
    try:
        newton(lambda w: np.abs(probability(w) - y).mean(), slope, curvature, start)
    except DidNotConverge as error:
        reasons[start] = str(error)
        print(f"from {start:+}: {error}\n")
assert "curved downwards" in reasons[-3.0] and "falls towards a limit" in reasons[2.0]

# %% [markdown]
# From -3 there is no parabola to step to. From 2 there is no minimum: the larger the weight, the nearer the loss comes
# to the share of errors, because |y_hat - y| of a steep sigmoid *is* the zero-one loss. Gradient descent has no such
# trouble with it, and did well above: it is the smoothed loss.
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
# **1. A step of Newton's.** One weight `w`, samples `x` (sample,), signs `y` (sample,). Return the weight, one
# number, after one whole step of Newton's method on the mean log loss.


# %% tags=["exercise"]
def newton_step(w, x, y): ...


lesson.check("newton_step", newton_step)


# %% tags=["solution", "nbval-check-output"]
def newton_step_solution(w, x, y):
    missing = 1 / (1 + np.exp(y * w * x))
    return w + np.sum(y * x * missing) / np.sum(x**2 * missing * (1 - missing))


lesson.check("newton_step", newton_step_solution)

# %% [markdown]
# **2. Where the staircase steps.** Walk from the weights `start` along `direction`: at `t` the weights are `start`
# plus `t` times `direction`. At which `t`, of either sign, does a sample change sides? Return one number for each
# sample that does, sorted. A sample that never changes has none.


# %% tags=["exercise"]
def changes(features, signs, start, direction): ...


lesson.check("changes", changes)


# %% tags=["solution", "nbval-check-output"]
def changes_solution(features, signs, start, direction):
    here, along = features @ start, features @ direction
    return np.sort(-here[along != 0] / along[along != 0])


lesson.check("changes", changes_solution)

# %% [markdown]
# **3. Mislead the log loss.** Choose ten points on a line and their classes, as an array of shape (2, 10): places
# first, then -1 or 1. There must be a threshold that gets nine of them right, while the classifier with the least log
# loss (one weight, one intercept) gets at least four wrong.

# %% tags=["exercise"]
misled = ...  # an array of shape (2, 10)

lesson.check("misled", misled)

# %% tags=["solution", "nbval-check-output"]
places = np.array([-4.0, -3, -2, -1, 1, 2, 3, 4, 5, 1000])
misled_solution = np.stack([places, np.where(places == 1000, -1, np.sign(places))])

lesson.check("misled", misled_solution)

# %% [markdown]
# **4. Another staircase.** A kitchen delivers meals and tells each customer a time. It counts the deliveries that are
# off by more than ten minutes, early or late, and wants to train a network on that count, to forecast better times.
# Write a loss that can be trained on instead, as a function of the errors in minutes, an array. It is at least 1
# wherever a delivery counts, and rises with the distance there (errors up to an hour are tried). It is never negative,
# never falls with the distance, and is below 1 for a perfect forecast.
#
# Another kitchen trained on the square of `minutes / 5`, and its log tells only the `mean` of that loss. Ask what a
# loss permits, as in lesson 01: at most which share of that kitchen's deliveries can be off by more than ten minutes?
# Return two things: your loss of each error in `minutes`, and this share.


# %% tags=["exercise", "transfer"]
def too_far(minutes, mean): ...


lesson.check("too_far", too_far)


# %% tags=["solution", "nbval-check-output"]
def too_far_solution(minutes, mean):
    return np.abs(minutes) / 10, min(1, mean / 4)


lesson.check("too_far", too_far_solution)

# %% [markdown]
# The loss of the solution is the absolute error, in units of ten minutes; yours may be another. If you bring its mean
# below 0.1, you have at most one delivery in ten that counts. Now you know what such a loss promises, and what a few
# deliveries that are an hour off would do to it.
#
# The other kitchen's loss charges 4 at ten minutes, and more beyond. That is what ln 2 was in lesson 01, the least
# that a mistake can cost. So its log can be checked:

# %%
_, share = too_far_solution(np.zeros(1), mean=1.4)
print(f"a mean of 1.4: no more than {share:.0%} can count; if 45% are reported, one of the two numbers is wrong")

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
# | Loss stands in for a metric that cannot be optimised. | **Half true.** It can be, without slopes or with pretended ones. Against far outliers that pays. Elsewhere an evolution strategy and a clipped straight-through gradient fitted training more closely, and new points no better. | a search against log loss; straight-through; the tables of errors |
# | They are highly correlated, with a sigmoid and log loss. | **It depends on what is compared.** In the median, r is nearly -1 over the epochs until the least loss, and above 0 over those after it. Across changes, samples, networks and models it lies in between. | are they correlated |
# | A loss can be minimised by many methods. | **True** of log loss: by bisection with one weight, by Newton's method, by descent, noisy or not. | four ways down |
# | ... and so can \|y_hat - y\|. | **Yes, but not by Newton's method.** Where y_hat is linear there is no curvature (bisection finds the kink); where it is a sigmoid, the curvature was downward, or there was no minimum to find, at the starts tried. Gradient descent does well with the sigmoid: it is smoothed accuracy. | where Newton's method fails; smoothed, beside the surrogates |
# | Optimising accuracy was tried and failed. (said in lesson 03's thread) | **It need not fail**, with a linear classifier. In training, an evolution strategy and a clipped straight-through gradient, begun at 0, got fewest wrong. On new points of these clouds the unclipped gradient, which counts no errors, found the best straight boundary that any of these ways found, or one within chance of it. | the tables of errors; the unclipped one and its rival |
# | Other types of neurons may help. (said in lesson 03's thread) | **True**, in a sense: a step can be trained if one pretends that it has a slope. At the output that is a surrogate by another name. | straight-through; the slopes of its ramp |
# | The MNIST tutorial optimises cross-entropy and reports accuracy. | **True**, as read there, not run (`loss=SparseCategoricalCrossentropy(...)`, `metrics=["accuracy"]`). What the cells decide is why that is sound: counted errors give training no slope, log loss gives it one. So train on log loss, and judge by accuracy. | None and zeros; steps to either side |
#
# **Write the reply you would post.** Take five minutes before you open the rubric.
#
# <details>
# <summary>A good reply ...</summary>
#
# - says that accuracy is flat almost everywhere, which is worse than not being differentiable;
# - says what log loss is in its own right: minus the mean logarithm of the likelihood;
# - names what a surrogate promises: in bits it bounds the share of errors, and no more;
# - asks "correlated across what?" before it answers;
# - says when it would pay to look for few errors themselves (far outliers and a stiff classifier), and that a loss
#   that lets go of far points does about the same by plain descent;
# - says on how many draws of which data it was tried.
#
# </details>

# %% [markdown]
# ## Take away
#
# Accuracy has no slope to walk on; log loss has one everywhere, and bounds the errors from above. It is more than a
# stand-in: it asks another question, how well probabilities fit. The two agree while there is something to learn.
# They part where points lie far on the wrong side and where nothing is left to learn, and agree only loosely where
# one network is held against another. If errors are all that counts, and some points lie far out, let the classifier
# bend, or choose a loss that lets go of them. Elsewhere that gained nothing. And count on new points.
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
#   neurons"](https://arxiv.org/abs/1308.3432), 2013: straight through. The clip is that of I. Hubara and others,
#   ["Binarized neural networks"](https://arxiv.org/abs/1602.02830), NIPS 2016.
# - S. I. Gallant, ["Perceptron-based learning algorithms"](https://doi.org/10.1109/72.80230), *IEEE Transactions on
#   Neural Networks* 1, 1990: the pocket.
# - A. Albert, J. A. Anderson, ["On the existence of maximum likelihood estimates in logistic regression
#   models"](https://doi.org/10.1093/biomet/71.1.1), *Biometrika* 71, 1984: separated classes.
# - S. Boyd, L. Vandenberghe, [*Convex Optimization*](https://web.stanford.edu/~boyd/cvxbook/), 2004: Newton's method,
#   damped, in chapter 9.

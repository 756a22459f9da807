# %% [markdown]
# # A3 Surrogates, metrics and the clinic
#
# **Two to three hours; the last question alone takes 45 minutes. Nine questions for a program (82 points) and one for a
# person (18 points).** It covers lessons 06, 07 and 08; question 9 needs lessons 01, 02 and 05 too. You find out how
# good a bound can be, walk up a staircase, beat logistic regression at counting, put prices on decisions, flatter a
# metric, read logs, forge one, and write a diagnosis.
#
# **How it is marked.** Your functions are called with inputs that you do not see; your values are compared with values
# that the program computes, or judged by what the question asks of them. Each question has parts that earn points one
# by one. The check cell below each answer shows one example, or looks at the kind of your value. It gives no marks.
#
# **Rules for all questions.** Logarithms are natural and losses are in nats, unless a question says otherwise. Do not
# round. Work on copies of the inputs; the check cells tell you if you do not. Where a function gives several results,
# return them as a tuple in the order asked for. You may use NumPy, scikit-learn and all of `lossacc_helpers` but
# `training`. No question needs another question's answer.
#
# As in lesson 06, a sample has a sign $y$, -1 or 1, and a score, `features @ weights`; sign times score is its
# **margin**. A margin above 0 is a right answer, and a margin of 0 or less is an error.
#
# Write your answers in the cells that say so, and leave the other cells as they are.

# %% given="setup"
import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine

from lossacc_helpers.clinic import diagnose, read
from lossacc_helpers.exercises import look_at, try_out
from lossacc_helpers.figures.clinic import clinic_figure
from lossacc_helpers.logistic import LogisticLoss
from lossacc_helpers.minimisers import newton

# %% [markdown]
# ## 1. The best that a hinge can promise (8 points)
#
# Multiply all weights of a linear classifier by the same number $s > 0$. Every margin $m$ becomes $s m$, and not one
# answer changes. But the mean hinge loss does change:
#
# $$H(s) = \text{the mean over the samples of } \max(0,\; 1 - s m)$$
#
# For every $s \ge 0$ it is a bound: the share of errors is never above $H(s)$. ($H(0)$ is 1, which promises nothing.)
# So look for the best promise.
#
# Write `best_promise(margins)`. `margins` is an array (sample,). Return three numbers:
#
# 1. the share of errors;
# 2. the least $H(s)$ over all $s \ge 0$;
# 3. the $s$ at which it is reached; if there are several, the smallest of them.
#
# $H$ is made of straight pieces and has no bumps. Where are its kinks? Search grids of $s$ are too coarse for the
# marks; the least value itself is asked for, up to rounding. The third result may be off by 0.0001 times its size.


# %% answer="best_promise"
def best_promise(margins):
    """The share of errors, the least mean hinge loss over all scales, and the smallest scale that reaches it."""
    ### BEGIN SOLUTION
    # A sample's loss becomes 0 at s = 1 / m. Between two such kinks H is straight, so the least is at one of them.
    kinks = np.concatenate([[0.0], np.sort(1 / margins[margins > 0])])
    bounds = np.array([np.maximum(0, 1 - scale * margins).mean() for scale in kinks])
    # Several kinks may be equally good up to rounding: the first of them.
    best = np.argmax(bounds <= bounds.min() + 1e-12)
    return np.mean(margins <= 0), bounds[best], kinks[best]
    ### END SOLUTION


# %% check="best_promise"
# One of five is wrong. H falls until s = 1/2, where the losses are 1.5, 0.5, 0, 0 and 0. From there to s = 1 it stays
# as it is, and then it rises. So the smallest scale is 1/2.
try_out(best_promise, np.array([-1.0, 1.0, 2.0, 4.0, 4.0]), gives=[0.2, 0.4, 0.5])

# %% [markdown]
# ## 2. Along the staircase (9 points)
#
# Walk in a straight line from the weights `start` to the weights `end`. At $t$ the weights are
# `(1 - t) * start + t * end`, and $t$ goes from 0 to 1. The accuracy along the way is a staircase in $t$.
#
# Write `along_the_way(features, signs, start, end)`. `features` has the shape (sample, weight), `signs` (sample,), and
# both weights (weight,). Return three numbers:
#
# 1. the least accuracy on the way;
# 2. the greatest accuracy on the way;
# 3. the *mean* accuracy of the way: its integral over $t$ from 0 to 1.
#
# A step's own point has no length. So for 1. and 2., look at the pieces between two neighbouring steps only, and at the
# pieces before the first and after the last one. No two samples change sides at the same $t$, and none at 0 or 1. Some
# samples may have the same margin all the way. Some pieces are shorter than 0.0000001, and count for 1. and 2. all the
# same: go from step to step, not over a grid, and keep NumPy's own float64, because float32 cannot tell them apart.


# %% answer="along_the_way"
def along_the_way(features, signs, start, end):
    """The least, the greatest and the mean accuracy on the straight way from one array of weights to another."""
    ### BEGIN SOLUTION
    at_start, at_end = signs * (features @ start), signs * (features @ end)
    crosses = (at_start > 0) != (at_end > 0)
    steps = np.sort(at_start[crosses] / (at_start[crosses] - at_end[crosses]))
    edges = np.concatenate([[0.0], steps, [1.0]])
    middles = (edges[1:] + edges[:-1]) / 2
    margins = (1 - middles)[:, None] * at_start + middles[:, None] * at_end  # (piece, sample)
    accuracies = np.mean(margins > 0, axis=1)
    return accuracies.min(), accuracies.max(), np.sum(accuracies * np.diff(edges))
    ### END SOLUTION


# %% check="along_the_way"
# Margins go from (1, -1, 2) to (-1, 3, 2): the first sample is lost at t = 1/2, the second is won at t = 1/4.
three_rows = np.array([[1.0, -1.0], [-1.0, 3.0], [2.0, 2.0]])
three_signs, two_ends = np.ones(3), (np.array([1.0, 0.0]), np.array([0.0, 1.0]))
try_out(along_the_way, three_rows, three_signs, *two_ends, gives=[2 / 3, 1.0, 0.75])

# %% [markdown]
# ## 3. The other way round: beat logistic regression (9 points)
#
# 178 Italian wines, three of whose thirteen measurements are standardised: alcohol, nonflavanoid phenols and
# proanthocyanins. Is the wine from the third of three growers (`wine_signs` 1) or from one of the others (-1)? The last
# column of `wine_rows` is 1, for the intercept. The weights with the least log loss get 31 wines wrong.

# %% given="wines"
wine = load_wine()
measured = wine.data[:, [0, 7, 8]]
wine_rows = np.c_[(measured - measured.mean(axis=0)) / measured.std(axis=0), np.ones(178)]
wine_signs = np.where(wine.target == 2, 1.0, -1.0)
wine_loss = LogisticLoss(wine_rows, wine_signs)
least_loss_weights = newton(wine_loss.value, wine_loss.gradient, wine_loss.hessian, np.zeros(4)).point
print("errors of the least log loss:", np.sum(wine_signs * (wine_rows @ least_loss_weights) <= 0))

# %% [markdown]
# Find better ones. Assign four weights to `fewer_errors`, an array (4,) of finite numbers. They are judged by counting
# the errors on these 178 wines: 3 points for fewer than 31, 3 points more for 21 or fewer, and 3 points more for 19 or
# fewer. How you find them is up to you. You may leave a search in the answer cell (at most a few seconds, please). It
# runs again when it is marked, so fix its seed, or keep only the weights that it found.

# %% answer="fewer_errors"
# Assign an array of four weights to fewer_errors.
fewer_errors = ...
### BEGIN SOLUTION
from lossacc_helpers.error_search import evolution_strategy


def wine_errors(weights):
    return np.sum(~(weights @ wine_rows.T * wine_signs > 0), axis=-1)


searches = [evolution_strategy(wine_errors, np.zeros(4), evaluations=4000, seed=seed) for seed in range(3)]
fewer_errors = min(searches, key=lambda search: search.value).point
### END SOLUTION

# %% check="fewer_errors"
look_at(fewer_errors, name="fewer_errors", kind="array", shape=(4,))

# %% [markdown]
# ## 4. Ways down, counted (10 points)
#
# One weight $w$, no intercept. `areas` is one standardised measurement of 569 tumours, and `malignant` is their sign, 1
# or -1. The loss is the mean log loss $L(w)$, the mean over the samples of $\ln(1 + e^{-m})$ with the margin
# $m = y w x$.

# %% given="tumours"
tumours = load_breast_cancer()
column = tumours.data[:, list(tumours.feature_names).index("area error")]
areas = (column - column.mean()) / column.std()
malignant = np.where(tumours.target == 0, 1.0, -1.0)
print("samples:", areas.shape, " malignant:", np.sum(malignant > 0))

# %% [markdown]
# Assign to `ways_down` a list of four numbers. Where you type one in, write all its digits.
#
# 1. the weight $w^*$ with the least loss (3 points; it may be off by 0.00001 times its size);
# 2. bisection on the slope of $L$ begins with the interval from 0 to 16, and each step keeps one of its halves. After
#    how many steps is the interval shorter than 0.000001 for the first time? (2 points)
# 3. Newton's method begins at $w = 0$ and takes whole steps, without a line search. After how many steps is its weight
#    less than 0.000001 away from $w^*$ for the first time? (3 points)
# 4. Gradient descent steps from $w$ to $w - r L'(w)$. It begins very close to $w^*$. Up to which rate $r$ does it come
#    ever closer to $w^*$, so that any greater rate takes it away? How does one step change the distance from $w^*$?
#    (2 points; as exact as in 1.)

# %% answer="ways_down"
# Assign a list of four numbers to ways_down.
ways_down = ...
### BEGIN SOLUTION


def slope_and_curvature(w):
    missing = 1 / (1 + np.exp(malignant * w * areas))
    return -np.mean(malignant * areas * missing), np.mean(areas**2 * missing * (1 - missing))


visited = [0.0]
for _ in range(20):
    slope, curvature = slope_and_curvature(visited[-1])
    visited.append(visited[-1] - slope / curvature)
arrived = visited[-1]
halvings, width = 0, 16.0
while width >= 1e-6:
    halvings, width = halvings + 1, width / 2
# Near the least, a step multiplies the distance from it by 1 - r L'': its size must stay below 1.
ways_down = [
    arrived,
    halvings,
    int(np.argmax(np.abs(np.array(visited) - arrived) < 1e-6)),
    2 / slope_and_curvature(arrived)[1],
]
### END SOLUTION

# %% check="ways_down"
look_at(ways_down, name="ways_down", kind="array", shape=(4,))

# %% [markdown]
# ## 5. Decisions with prices (9 points)
#
# Lesson 07 has a threshold for two decisions and two prices. Here there are $C$ classes and $D$ decisions, and $D$ need
# not be $C$: "ask a person" is a decision, too. `costs[c, d]` is what the decision $d$ costs when the true class is
# $c$.
#
# Moreover, the network was trained with class weights: the loss of each sample of class $c$ was multiplied by
# `weights[c]`. It has learned well what it was asked. So its probabilities are not the chances of the classes. Instead,
# the *odds* between two classes are those of the chances, times the ratio of the two classes' weights. Divide the
# weights out, and let the chances of each sample sum to 1.
#
# Write `decide(probabilities, weights, costs)`. `probabilities` has the shape (sample, class), `weights` (class,), all
# above 0, and `costs` (class, decision). Return
#
# 1. the decision for each sample that costs least in expectation, an array (sample,) of whole numbers counted from 0;
# 2. the mean over the samples of what these decisions cost in expectation, one number.
#
# No two decisions cost a sample the same in expectation.


# %% answer="decide"
def decide(probabilities, weights, costs):
    """The cheapest decision for each sample (sample,), and what these cost in the mean."""
    ### BEGIN SOLUTION
    chances = probabilities / weights
    chances = chances / chances.sum(axis=1, keepdims=True)
    expected = chances @ costs  # (sample, decision)
    return expected.argmin(axis=1), expected.min(axis=1).mean()
    ### END SOLUTION


# %% check="decide"
# Two classes and three decisions: "name 0", "name 1", and "ask a person", which costs 1 in any case.
# The chances of class 1 are 0.4, 0.05 and 0.8. Expected costs: (4, 1.2, 1), (0.5, 1.9, 1), (8, 0.4, 1).
given_rows = np.array([[1.5 / 5.5, 4 / 5.5], [0.95 / 1.15, 0.2 / 1.15], [0.2 / 3.4, 3.2 / 3.4]])
given_weights, given_costs = np.array([1.0, 4.0]), np.array([[0.0, 2.0, 1.0], [10.0, 0.0, 1.0]])


def decisions_and_mean(*given):
    """What `decide` returns, in one row: the three decisions, and what they cost in the mean of 1, 0.5 and 0.4."""
    found = decide(*given)
    return ... if found is None else [*found[0], found[1]]


try_out(decisions_and_mean, given_rows, given_weights, given_costs, gives=[2, 0, 1, 1.9 / 3])

# %% [markdown]
# ## 6. The other way round: a mean that flatters (8 points)
#
# In lesson 07 the mean of F1 over batches lay *below* the F1 of all samples. It need not. Thirty samples come in three
# batches of ten: the samples 0 to 9, 10 to 19, and 20 to 29. F1 is 2 found / (2 found + alarms + missed), and 0 where
# that would be 0/0.
#
# Write down `flattering`, an array of shape (2, 30) that holds only 0 and 1. Its first row says which samples belong to
# the rare class, its second row which samples are called so. The mean of the three batches' F1, minus the F1 of all
# thirty samples, is to be
#
# - above 0.05 (3 points);
# - at least 0.3 (3 points more);
# - as great as it can be (2 points more).
#
# Any such array gets the points.

# %% answer="flattering"
# Assign an array of shape (2, 30) to flattering.
flattering = ...
### BEGIN SOLUTION
# Two batches with one right call and nothing else have an F1 of 1 each; in the third batch all ten are mistaken.
rare_ones, called_ones = np.zeros((2, 30))
rare_ones[[0, 10]] = called_ones[[0, 10]] = 1
rare_ones[20:] = 1
flattering = np.stack([rare_ones, called_ones])
### END SOLUTION

# %% check="flattering"
look_at(flattering, name="flattering", kind="array", shape=(2, 30))

# %% [markdown]
# ## 7. What a regression should report (8 points)
#
# Write `regression_report(target, forecast, group)`. `target` and `forecast` are arrays (sample,) of numbers, and
# `group` is an array (sample,) of whole numbers that say to which group each sample belongs. Return four numbers (2
# points each):
#
# 1. what Keras prints as "accuracy" of such a regression: the share of samples whose forecast, cut at 0.5 (above 0.5 it
#    is 1, else 0), equals the target;
# 2. R² over all samples: 1 minus the squared error over that of always forecasting the mean of these same samples;
# 3. the least R² within a group: for each group, R² of its samples alone, held against their own mean;
# 4. R² over all samples of another forecast, which looks at nothing but the group: for each sample, the mean target of
#    its group.
#
# In each group at least two targets differ. There may be one group or several; their numbers may be any.


# %% answer="regression_report"
def regression_report(target, forecast, group):
    """Accuracy as printed, R², the least R² within a group, and R² of the groups' means."""

    ### BEGIN SOLUTION
    def r_squared(y, f):
        return 1 - np.sum((y - f) ** 2) / np.sum((y - np.mean(y)) ** 2)

    by_group = np.empty(len(target))
    within = []
    for name in np.unique(group):
        members = group == name
        by_group[members] = np.mean(target[members])
        within.append(r_squared(target[members], forecast[members]))
    printed = np.mean((forecast > 0.5) == target)
    return printed, r_squared(target, forecast), min(within), r_squared(target, by_group)
    ### END SOLUTION


# %% check="regression_report"
# Two groups far apart. Over all the forecast looks good; within each group it does worse than the group's own mean.
four = np.array([0.0, 0.2, 0.8, 1.0]), np.array([0.2, 0.0, 1.0, 0.8]), np.array([3, 3, 5, 5])
try_out(regression_report, *four, gives=[0.5, 0.7647059, -3.0, 0.9411765])

# %% [markdown]
# ## 8. Which lines cannot be true? (10 points)
#
# Lesson 08 has the floor of a log loss: a wrong answer costs at least $\ln 2$. Printed numbers are rounded, and a rule
# that forgets this accuses the innocent. How much rounding may have moved a number can be seen in the text, from the
# digits that were printed: "0.50" lies within 0.005 of the true number, and "0.500" within 0.0005.
#
# Write `impossible_epochs(text)`. `text` has many lines. A line of an epoch looks like one of these three:
#
#     epoch 7 | loss 0.412 | accuracy 0.35
#     epoch 8 | loss 0.41 | accuracy 35.2%
#     epoch 9 | loss 1 | accuracy 35%
#
# There are single blanks between words, the loss has 0 to 4 digits after its point (with 0 there is no point), and the
# accuracy is a share, or a percentage with a % sign, each with 0 to 4 digits after the point. Numbers have no other
# form. Digits differ from line to line, and epochs may be missing. Lines that do not begin with `epoch` say nothing to
# you. Accuracies were rounded as they are printed: "35.2%" lies within 0.05% of the true percentage.
#
# Return a list of the numbers of those epochs, in the order of the text, whose loss *cannot* be a mean cross-entropy
# (of any number of classes) of the same predictions as the accuracy, whatever the true numbers were before they were
# rounded. The list may be empty. No line is a borderline case.


# %% answer="impossible_epochs"
def impossible_epochs(text):
    """The numbers of the epochs whose loss lies below the floor of the accuracy, however both were rounded."""

    ### BEGIN SOLUTION
    def greatest(printed):
        """The greatest number that is printed so."""
        digits = len(printed.partition(".")[2])
        return float(printed) + 0.5 * 10.0**-digits

    found = []
    for line in text.splitlines():
        if not line.startswith("epoch"):
            continue
        _, epoch, _, _, loss, _, _, accuracy = line.split()
        highest = greatest(accuracy[:-1]) / 100 if accuracy.endswith("%") else greatest(accuracy)
        if greatest(loss) < (1 - highest) * np.log(2):
            found.append(int(epoch))
    return found
    ### END SOLUTION


# %% check="impossible_epochs"
# Epoch 1: the floor is 0.5 ln 2 = 0.347. Epoch 3: the accuracy may have been 0.44999, so the floor may be 0.381.
# Epoch 4: the loss may have been 0.34999; of an accuracy of 0.55 at most, the floor is 0.312 at least.
printed_text = """epoch 1 | loss 0.34 | accuracy 50.0%
saved checkpoint 2
epoch 3 | loss 0.3830 | accuracy 0.4
epoch 4 | loss 0.3 | accuracy 0.5
epoch 6 | loss 0.3000 | accuracy 0.50"""
try_out(impossible_epochs, printed_text, gives=[1, 6])

# %% [markdown]
# ## 9. The other way round: forge a log (11 points)
#
# A validation set has 200 samples of two classes. Write down what twelve epochs of a training could have printed about
# it: `forged_log`, an array of shape (2, 12), the losses in its first row and the accuracies in its second. For every
# part
#
# - each accuracy is a multiple of 1/200;
# - no loss lies below the floor that its accuracy sets (lesson 01), and none is above $\ln 2$, what guessing costs.
#
# Epochs count from 1. There are three things to show.
#
# 1. **A plateau, and nothing wrong** (3 points). In the epochs 1 to 6 the accuracy stays exactly where it is, while the
#    loss falls from each epoch to the next, by 0.1 or more from epoch 1 to epoch 6. In all six, the loss lies within
#    what `calibrated_loss(accuracy, classes=2)` permits.
# 2. **Both rise** (3 points). From epoch 6 to epoch 12, the loss and the accuracy both rise at each of the six changes.
# 3. **All of it, with a proof** (5 points). Both of the above hold, and the last epoch's two numbers alone prove that
#    at least 0.25 nats are owed to miscalibration. The accuracy of 200 samples is a matter of chance, so the proof
#    must be `least_miscalibration(loss, accuracy, classes=2, samples=200)`. (It allows for chance in the accuracy
#    only, not in the loss.)
#
# Any such log gets the points. Both functions are in `lossacc_helpers` (lesson 05).

# %% answer="forged_log"
# Assign an array of shape (2, 12) to forged_log.
forged_log = ...
### BEGIN SOLUTION
# The loss is at most ln 2, so what calibrated predictions may cost must be below 0.44: accuracies near 0.9.
forged_log = np.array(
    [
        [0.40, 0.38, 0.36, 0.34, 0.32, 0.29, 0.36, 0.43, 0.50, 0.57, 0.64, 0.69],
        [0.86, 0.86, 0.86, 0.86, 0.86, 0.86, 0.87, 0.88, 0.89, 0.90, 0.91, 0.92],
    ]
)
### END SOLUTION

# %% check="forged_log"
look_at(forged_log, name="forged_log", kind="array", shape=(2, 12))

# %% [markdown]
# ## 10. A diagnosis (18 points, marked by a person)
#
# A colleague writes:
#
# > "We train a network to tell malignant tumours (label 1) from benign ones (label 0), by thirty measurements of their
# > cells. The data come from two hospitals, A and B, about half of them from each. 320 samples are for training, and
# > 120 others, drawn at random from both hospitals, for validation. One hidden layer, Adam, no dropout, no
# > BatchNormalization, no penalty. After each epoch, the network as it then was is asked about both parts. The
# > validation loss was least in epoch 6 and has risen since. Somebody said 'overfitting'. What is it, and what shall we
# > do?"
#
# The colleague sends the log, and five things about each validation sample:
#
# - `hospital`: "A" or "B";
# - `label`: as the hospital entered it;
# - `cost_6`, `cost_24`: what the sample costs after epoch 6 and after epoch 24, $-\ln$ of the probability that the
#   network gives the *entered* label (so above $\ln 2$ it is an error);
# - `alike`: of the ten *training* samples of hospital A whose measurements are most like this sample's, how many have
#   the label 1.
#
# (The measurements are real, and the network was really trained. The hospitals are made up, and what happened to the
# data is for you to find out.) The next cell holds the recordings and shows what the clinic says about the curves alone
# (it says epoch 4, not 6, since it smooths a curve before it looks for its least value). The cell after it shows the
# costliest samples.

# %% given="colleague"
colleague_log = """
Epoch  1/24 - loss: 0.2838 - accuracy: 0.9219 - val_loss: 0.3160 - val_accuracy: 0.9167
Epoch  2/24 - loss: 0.2664 - accuracy: 0.9281 - val_loss: 0.3148 - val_accuracy: 0.9083
Epoch  3/24 - loss: 0.2398 - accuracy: 0.9375 - val_loss: 0.2993 - val_accuracy: 0.9167
Epoch  4/24 - loss: 0.2239 - accuracy: 0.9344 - val_loss: 0.2978 - val_accuracy: 0.9083
Epoch  5/24 - loss: 0.2104 - accuracy: 0.9344 - val_loss: 0.2982 - val_accuracy: 0.9083
Epoch  6/24 - loss: 0.1978 - accuracy: 0.9344 - val_loss: 0.2966 - val_accuracy: 0.9083
Epoch  7/24 - loss: 0.1869 - accuracy: 0.9375 - val_loss: 0.3005 - val_accuracy: 0.9083
Epoch  8/24 - loss: 0.1764 - accuracy: 0.9406 - val_loss: 0.3048 - val_accuracy: 0.9083
Epoch  9/24 - loss: 0.1667 - accuracy: 0.9469 - val_loss: 0.3096 - val_accuracy: 0.9083
Epoch 10/24 - loss: 0.1578 - accuracy: 0.9500 - val_loss: 0.3115 - val_accuracy: 0.9083
Epoch 11/24 - loss: 0.1489 - accuracy: 0.9531 - val_loss: 0.3154 - val_accuracy: 0.9083
Epoch 12/24 - loss: 0.1399 - accuracy: 0.9531 - val_loss: 0.3212 - val_accuracy: 0.9000
Epoch 13/24 - loss: 0.1311 - accuracy: 0.9563 - val_loss: 0.3252 - val_accuracy: 0.9000
Epoch 14/24 - loss: 0.1234 - accuracy: 0.9563 - val_loss: 0.3326 - val_accuracy: 0.8917
Epoch 15/24 - loss: 0.1144 - accuracy: 0.9625 - val_loss: 0.3411 - val_accuracy: 0.8833
Epoch 16/24 - loss: 0.1053 - accuracy: 0.9656 - val_loss: 0.3483 - val_accuracy: 0.8917
Epoch 17/24 - loss: 0.0987 - accuracy: 0.9719 - val_loss: 0.3479 - val_accuracy: 0.8917
Epoch 18/24 - loss: 0.0911 - accuracy: 0.9719 - val_loss: 0.3629 - val_accuracy: 0.8917
Epoch 19/24 - loss: 0.0838 - accuracy: 0.9750 - val_loss: 0.3682 - val_accuracy: 0.8917
Epoch 20/24 - loss: 0.0765 - accuracy: 0.9750 - val_loss: 0.3716 - val_accuracy: 0.8917
Epoch 21/24 - loss: 0.0722 - accuracy: 0.9750 - val_loss: 0.3820 - val_accuracy: 0.8917
Epoch 22/24 - loss: 0.0657 - accuracy: 0.9750 - val_loss: 0.3904 - val_accuracy: 0.8833
Epoch 23/24 - loss: 0.0604 - accuracy: 0.9812 - val_loss: 0.4015 - val_accuracy: 0.8833
Epoch 24/24 - loss: 0.0549 - accuracy: 0.9875 - val_loss: 0.4009 - val_accuracy: 0.8833
"""
# One entry for each validation sample: hospital and label, cost after epoch 6, cost after epoch 24, alike.
colleague_samples = """
A0 0.031 0.053 0; A0 0.005 0.001 0; A0 0.003 0.006 0; A0 0.015 0.006 0; A1 0.128 0.060 10; A1 0.085 0.141 10;
B0 0.046 0.163 1; B0 0.002 0.000 0; B0 1.516 3.144 2; A0 0.003 0.002 0; A1 0.164 0.097 10; B0 2.640 2.757 10;
B0 0.065 0.012 3; B0 0.014 0.002 0; B0 0.187 0.022 0; A0 0.028 0.023 0; A0 0.022 0.000 3; A0 0.138 0.123 0;
B1 0.053 0.005 10; B1 3.741 4.033 0; A0 0.078 0.011 1; B1 3.914 6.178 0; B0 0.038 0.018 0; A0 0.078 0.021 2;
B0 0.152 0.026 0; A0 0.194 0.074 1; A0 0.361 0.504 4; A1 0.072 0.055 10; B1 0.026 0.001 10; B0 0.013 0.001 0;
B0 0.039 0.006 0; A0 0.070 0.003 0; A1 0.043 0.002 10; A1 0.022 0.001 10; A1 0.002 0.000 10; B0 0.005 0.000 0;
B1 0.242 0.194 7; B0 0.017 0.000 0; B1 0.023 0.000 10; A0 0.026 0.002 0; A0 0.036 0.022 0; A0 0.006 0.000 0;
A0 0.210 1.345 0; B0 0.084 0.147 0; B0 0.002 0.000 0; B0 0.002 0.001 0; B1 0.265 0.263 8; B1 0.002 0.000 9;
B1 0.048 0.007 10; A1 1.243 0.462 1; B1 0.006 0.000 8; B1 0.887 1.744 4; B0 0.007 0.000 0; B1 0.110 0.023 6;
B1 1.880 3.248 1; A0 0.002 0.197 0; B0 0.314 0.183 3; A1 0.108 0.094 10; B0 0.131 1.348 0; B1 0.191 0.004 10;
A0 0.010 0.000 0; B0 0.019 0.008 0; B0 0.078 0.004 0; B0 0.082 0.002 0; B0 1.510 2.759 9; B1 1.880 1.608 1;
B0 0.435 0.262 3; A0 0.016 0.047 0; A1 0.047 0.013 9; A1 0.079 0.061 10; A0 0.176 0.029 2; A0 0.009 0.000 0;
A0 0.038 0.007 0; B1 0.007 0.000 10; A1 0.037 0.006 10; A1 0.167 0.106 9; B0 0.017 0.001 0; B1 0.184 0.019 7;
B0 0.097 0.699 0; A1 0.029 0.008 10; B0 0.373 0.316 0; A0 0.007 0.166 0; A0 0.003 0.003 0; B0 0.014 0.006 0;
A0 0.102 0.080 2; A0 0.134 1.472 2; B0 0.005 0.000 0; A0 0.001 0.000 0; A0 0.017 0.010 0; B1 0.257 0.051 10;
A0 0.011 0.000 0; B1 0.005 0.000 10; B0 0.189 0.016 2; B1 0.182 0.045 4; B0 0.039 0.034 0; A0 0.233 0.462 1;
A0 0.248 0.031 2; A0 0.140 0.036 0; A0 0.001 0.001 0; A0 0.013 0.016 0; B0 0.014 0.001 0; A1 0.245 0.015 7;
A0 0.016 0.003 0; A1 0.046 0.008 10; A1 0.024 0.001 10; A0 0.377 0.663 1; B0 0.205 0.207 0; A0 0.078 0.032 0;
B1 0.172 0.079 10; B1 0.119 0.049 10; B1 3.326 6.862 0; B1 4.040 4.451 0; A1 0.016 0.000 10; B1 0.021 0.000 10;
A1 0.012 0.000 10; A0 0.010 0.010 0; A0 0.011 0.004 0; A0 0.031 0.010 0; B1 0.007 0.003 10; A0 0.105 0.495 3;
"""
entries = [entry.split() for entry in colleague_samples.replace("\n", " ").split(";") if entry.strip()]
hospital = np.array([entry[0][0] for entry in entries])
label = np.array([int(entry[0][1]) for entry in entries])
cost_6, cost_24 = np.array([entry[1:3] for entry in entries], dtype=float).T
alike = np.array([int(entry[3]) for entry in entries])
found = diagnose(read(colleague_log), classes=2, validation_size=120)
print(found)
clinic_figure(found)

# %% given="costliest"
print("hospital  label  cost after 6  after 24  alike")
for k in np.argsort(-cost_24)[:16]:
    print(f"{hospital[k]:>8}{label[k]:7}{cost_6[k]:14.2f}{cost_24[k]:10.2f}{alike[k]:7}")
print("samples of A and B:", np.sum(hospital == "A"), np.sum(hospital == "B"))

# %% [markdown]
# Add code cells of your own for your own numbers; they are not marked.
#
# Write your diagnosis in the next cell, in about 400 to 600 words (length costs nothing), under these headings:
#
# | heading | what is asked | points |
# |---|---|---|
# | What the curves show | how both losses and both accuracies move, in numbers, and what is more than noise | 3 |
# | Who pays | which samples carry the validation loss and its rise, in numbers that you computed from the table | 4 |
# | The cause | one cause, named, and how it makes these curves *and* this table | 4 |
# | What speaks against it | what you cannot explain or exclude, and at least one rival, with numbers | 3 |
# | The experiment | one that settles it, with nobody swayed; what your cause and at least one rival predict of it | 4 |

# %% [markdown] written="diagnosis"
# ### BEGIN SOLUTION
# **What the curves show.** The training loss falls from 0.284 to 0.055 and the training accuracy rises from 0.922 to
# 0.988, to the end. The validation loss is least in epoch 6 (0.297) and ends at 0.401: a rise of 0.104. The curve
# wobbles by 0.001 to 0.003 from epoch to epoch (second differences), so the rise is real for these patients. For others
# it is less certain: its paired standard error over the 120 samples is 0.046, and the rise is 2.3 of these. The
# validation accuracy goes from 0.908 to 0.883. These are 3 of 120 samples (4 lost, 1 won), which chance explains. So
# the answers are about as good as before, and the wrong ones are dearer.
#
# **Who pays.** Hospital B. Its 59 samples cost 0.51 in the mean after epoch 6 and 0.70 after epoch 24; A's 61 cost
# 0.09 and 0.12. Of the rise, 11.1 of 12.5 nats are B's. And within B it is few: eight samples have neighbours in A of
# which at least nine in ten say the *other* label. These eight carry 31.9 of all 48.1 nats after epoch 24 (66%), and
# 9.0 of the rise of 12.5 (72%). All eight were wrong after epoch 6 already. The other 51 of B cost 0.18, not far from
# A.
#
# **The cause.** `label-noise`: some labels that B entered are wrong. Then the network, which first learns what most
# samples say, is "wrong" about such validation samples from the start, and dearer the surer it gets. B's training
# samples presumably have wrong labels, too: the training loss goes on falling while these are learned by heart. That
# would bend the boundary near them and make the others a little dearer, as is seen. By curves alone it is called
# `overconfidence`. That is what happens to the probabilities, and no reason why eight samples of one hospital pay.
#
# **What speaks against it.** Eight of the 47 samples of B whose neighbours agree with one another (A: one of 52) are
# few, and odd tumours exist: A has one too (label 1, one of ten alike), and its cost fell from 1.24 to 0.46. Perhaps
# B has harder cases, or measures differently. But then its other 51 samples should cost much more than A's (0.18
# against 0.12). Or is it plain overconfidence? Even without the nine odd ones, the cost rises, 0.07 to 0.11 in A and
# 0.14 to 0.18 in B. And one temperature after epoch 24 takes a part of the rise away: 1.9 for all (0.401 becomes
# 0.329), 2.9 for B (0.695 becomes 0.446). But plain overconfidence needs one well above 1 everywhere. It is 0.7 for A
# (0.116 becomes 0.106) and 1.1 for B without the eight (0.179 becomes 0.177), which speaks against it. (A cost $c$
# comes of a logit of $-\ln(e^c - 1)$; I took 0.00025 for 0.000.) And "alike" is a count among samples of A: it cannot
# know what is peculiar to B.
#
# **The experiment.** Let somebody who does not see the entered labels read again the eight samples, the costliest
# training samples of B, and as many others drawn at random from A and B. Wrong labels: most of the suspects come back
# changed, hardly any of the others. Harder cases, odd ones, or plain overconfidence: the labels come back as they were.
# Another instrument: they come back as they were, and a network trained on B alone finds the suspects easy. Until then:
# stop at epoch 6, delete nothing, and report A and B separately.
# ### END SOLUTION

# %% [markdown]
# # 02 Iris: the loss falls, the accuracy stands still
#
# ## The question
#
# You train a small network on the iris flowers. Epoch after epoch the cost falls, as smooth as a slide. The accuracy
# does something else: it stands still for a stretch, jumps, and stands still again. Is that normal, or are you doing
# something wrong?
#
# Somebody asked this in public, with code and a plot. The answer that was published said, in short: accuracy looks
# only at which side of a threshold a prediction falls on, so it waits while the probabilities move; this is normal.
# In this lesson you run that code, look at every single flower while the network learns, and find something that the
# answer did not mention.
#
# **What you need first:** lesson 01 (log loss, accuracy, what a loss permits), and enough Keras to read `compile` and
# `fit`. The next cell loads TensorFlow, which takes about ten seconds, and the lesson takes more than a gigabyte of
# memory: if another lesson's kernel still runs, shut it down first (menu *Kernel*).
#
# <details>
# <summary>The asker's settings, written as the Keras of that time wanted them</summary>
#
# ```python
# # a CSV file of the UCI irises, StandardScaler fitted on all rows, species encoded and then one-hot
# model.add(Dense(8, input_dim=4, activation="relu"))
# model.add(Dense(3, activation="softmax"))
# model.compile(
#     Adam(lr=0.0005, beta_1=0.9, beta_2=0.999, epsilon=1e-08, decay=0.0),
#     loss="categorical_crossentropy",
#     metrics=["accuracy"],
# )
# model.fit(x, y, epochs=200, batch_size=5, validation_split=0.2)
# ```
#
# The title of the asker's plot gave the rate as 0.0006, the code as 0.0005. You test below whether that matters.
#
# </details>

# %%
from lossacc_helpers.course.lesson_02 import lesson, mystery
from lossacc_helpers import attainable_loss, datasets, figures, training, wilson_interval

import warnings

import keras
import numpy as np

# %% [markdown]
# These are the asker's settings, all that were given (no random seed was): eight hidden units, three outputs, Adam at
# a rate of 0.0005, 200 epochs, batches of 5, and the last 20% of the rows held out. The features are standardised
# over all rows.

# %%
irises = datasets.iris("sorted", validation_split=0.2)  # the order of the file: by species


def build_model():
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    )


adam = keras.optimizers.Adam(0.0005, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


def train(data, optimizer=adam, seed=0):
    settings = dict(replicas=32, epochs=200, batch_size=5, optimizer=optimizer, seed=seed)
    return training.fit_replicas(build_model, data.train, data.validation, **settings)


asked = train(irises)

# %% [markdown]
# `fit_replicas` trained this network 32 times over. A **replica** is the same network on the same data with another
# random seed: other starting weights, another order of the batches. (Further down you check one of them against
# `model.fit`.) Here is the first one. With 120 training flowers, accuracy can only be a multiple of one part in 120.

# %%
first_network = asked.train.replica(0)
figures.loss_and_accuracy_curves(
    first_network, title="Training loss slides; training accuracy takes steps", accuracy_from=0.6
)

# %% [markdown]
# ## Commit
#
# Before you look closer, put your money down twice. Nothing is graded; a guess you have made is easier to learn from.

# %% tags=["commit"]
lesson.commit("flat")

# %% tags=["commit"]
lesson.commit("validation")

# %% [markdown]
# ## Look
#
# On the left, loss and accuracy of 32 networks: training solid, validation dashed. On the right, one mark per flower
# of the first network, at the height of the probability that it gives to the flower's true species.
#
# With three species a flower is right when its own probability is the largest of the three. Below one third it never
# is, above one half it always is. In the grey band it depends on how the other two share the rest; in the first few
# epochs you can see right and wrong flowers there side by side.
#
# The explorer starts with shuffled rows, so its curves are not the ones above. Try three things:
#
# 1. Play the **epoch** from 1 to the end. Watch the crosses climb. How long are they on their way before they turn
#    into dots?
# 2. Drag the **learning rate** up and down. All 32 networks are trained again while you drag. Do the plateaus go away
#    at any rate? What happens to the loss?
# 3. Switch the **rows** to sorted. Look at the dashed lines, and at the right half of each column.

# %% tags=["explorer"]
lesson.explorer()

# %% [markdown]
# ## Compute and explain
#
# ### The asker's code today
#
# Three of the asker's arguments are no longer what they were. What does today's Keras make of them?


# %%
def reaction(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call()
        except ValueError as error:
            return f"raises {type(error).__name__}: {error}"
    return f"warns: {caught[0].message}" if caught else "accepts it"


print("Adam(lr=0.0005)", reaction(lambda: keras.optimizers.Adam(lr=0.0005)))
print("Adam(decay=0.0)", reaction(lambda: keras.optimizers.Adam(decay=0.0)))
print("Dense(8, input_dim=4)", reaction(lambda: keras.layers.Dense(8, input_dim=4)))

# %% [markdown]
# So `lr` became `learning_rate`, `decay` is ignored (it was 0, so nothing is lost), and the input's shape has a layer
# of its own. One more name changed: what the history called `acc` is now `accuracy`.
#
# Two details about the data. scikit-learn's copy of the irises, used here, differs from the UCI file in two
# flowers. And the asker's scaler saw the validation rows, as ours does: a small leak, which you do not need for
# anything that follows. What was left unsaid in the question is the random seed; that is why you train 32.

# %% [markdown]
# ### Is a replica an ordinary fit?
#
# First shuffle the rows, so that both parts hold all three species. From here on everything is about shuffled rows,
# until the sorted ones come back under "What the published answer missed". Then train network 0 the ordinary way:
# from its starting weights, with its batches, for ten epochs.

# %%
shuffled = datasets.iris("shuffled", seed=0, validation_split=0.2)
run = train(shuffled)

features, labels = shuffled.train
model = build_model()
model.set_weights(run.initial_weights(0))
model.compile(keras.optimizers.Adam(0.0005, epsilon=1e-8), "sparse_categorical_crossentropy")
record = training.RecordPredictions(shuffled.train)
for rows in run.order(0)[:10]:  # one call of fit for each epoch, its rows in the recorded order
    model.fit(features[rows], labels[rows], batch_size=5, shuffle=False, verbose=0, callbacks=[record])

# %% tags=["nbval-check-output"]
ordinary, replica = record.run.train.probabilities[-1], run.train.probabilities[0, 9]  # network 0, tenth epoch
print("after ten epochs all probabilities agree within 0.00001:", bool(np.abs(ordinary - replica).max() < 1e-5))

# %% [markdown]
# They agree to rounding. The callback `RecordPredictions` asks the network about every flower after each epoch,
# without training on it. `run` holds the same for 32 networks and 200 epochs: what each network believed about each
# flower at each epoch. Everything below is read off that record.

# %% [markdown]
# ### How often does accuracy stand still?
#
# Between 200 epochs lie 199 steps. Count in how many of them the training loss fell, and in how many the training
# accuracy did not move at all.


# %%
def shares(history):
    """In what share of the steps did loss fall, and accuracy not move? Network by network."""
    return (np.diff(history.loss) < 0).mean(axis=-1), (np.diff(history.accuracy) == 0).mean(axis=-1)


for name, each in (("shuffled rows", run), ("sorted rows, as asked", asked)):
    fell, flat = shares(each.train)
    print(f"{name}: training loss fell in {fell.mean():.1%} of the steps, accuracy waited in {flat.mean():.1%}")
print(f"network by network, as asked, accuracy stood still in {flat.min():.0%} to {flat.max():.0%} of the steps")

# %% [markdown]
# The waiting is not spread evenly. Early on many flowers cross; later few are left.

# %% decides="the probabilities while accuracy waits" over="{still.sum():,} waits of {len(still)} networks, one shuffle"
still = np.diff(run.train.accuracy) == 0
for start, stop in ((0, 10), (10, 50), (50, 100), (100, 199)):
    print(f"epoch {start + 1:3} to {stop + 1:3}: accuracy waits in {still[:, start:stop].mean():.0%} of the steps")
moved = (np.diff(run.train.true_probabilities, axis=1) != 0)[still].mean()
print(f"and while it waits, {moved:.1%} of the flowers' probabilities move")
assert moved > 0.99

# %% [markdown]
# One shuffle could be a lucky one. Here are eight shuffles of the rows, with the same 32 random seeds in each:


# %% tags=["nbval-check-output"] decides="the count over eight shuffles" over="{len(fell)} shuffles of the rows, {run.replicas} networks each (drawn from seed {run.settings['seed']}, the same in every shuffle), {run.epochs} epochs"
def summary(each):
    """Shares of steps, and how far the median validation accuracy ends below the median training accuracy."""
    gap = np.median(each.train.accuracy[:, -1]) - np.median(each.validation.accuracy[:, -1])
    return *np.mean(shares(each.train), axis=1), gap


fell, flat, gaps = np.transpose([summary(train(datasets.iris("shuffled", seed=seed))) for seed in range(8)])
print("in every shuffle, training loss falls in at least 98% of the steps:", bool(fell.min() >= 0.98))
print("in every shuffle, accuracy stands still in 70% to 85% of them:", bool(0.70 < flat.min() <= flat.max() < 0.85))
assert fell.min() >= 0.98 and flat.min() > 0.70 and flat.max() < 0.85

# %%
came_out = f"{flat.mean():.0%} of the steps, over {len(flat)} shuffles, the same {run.replicas} seeds in each."
lesson.recall("flat", came_out=came_out)

# %% [markdown]
# So the asker saw what everybody sees with this network: a loss that falls nearly always and an accuracy that waits
# three steps out of four. (The training loss here is measured at the end of each epoch. The one that `fit` prints is
# a running mean over the epoch; lesson 04 looks into the difference.)
#
# Does another learning rate cure it?

# %% over="{run.replicas} networks (the same seeds at each of {len(rates)} rates) on one shuffle"
rates = (0.00001, 0.0001, 0.001, 0.01, 0.1)
runs = (train(shuffled, keras.optimizers.Adam(rate, epsilon=1e-8)) for rate in rates)
fell, waited = np.transpose([np.mean(shares(each.train), axis=1) for each in runs])
for rate, down, waits in zip(rates, fell, waited):
    print(f"rate {rate:7.5f}: loss fell in {down:4.0%} of the steps, accuracy waited in {waits:.0%}")
assert waited.min() > 0.25 and fell[:3].min() > 0.98 and fell[3:].max() < 0.75

# %% [markdown]
# At every one of these rates accuracy waits in more than a quarter of the steps. At the two highest it jitters more and
# waits less, and there the loss no longer falls steadily either.

# %% [markdown]
# ### Why: flower by flower
#
# Accuracy counts flowers. It moves when a flower **crosses**: when its own species becomes the most probable one, or
# stops being it. `crossings` compares two epochs and counts both kinds. Write the counts down for each step, like the
# ins and outs of an account, and you have a **ledger**. If crossing is all there is, the ledger must add up to the
# accuracy curve. Here is that of the first network.

# %% tags=["nbval-check-output"] decides="the ledger" over="one network on one shuffle, {history.samples} flowers, {history.epochs} epochs"
history = run.train.replica(0)
changes = history.crossings()
net = changes.became_right - changes.became_wrong
rebuilt = history.accuracy[0] + np.cumsum(net) / history.samples
print("the ledger rebuilds the accuracy curve exactly:", bool(np.allclose(rebuilt, history.accuracy[1:], atol=1e-12)))
assert np.allclose(rebuilt, history.accuracy[1:], atol=1e-12)

# %%
figures.ledger_figure(history, title="Every step of the staircase is flowers changing sides")

# %% [markdown]
# Each row is one flower, dark while it is wrong; a gap means that it was right for a while. (Flowers that never
# changed, right or wrong all along, are left out.) Follow a step of the blue staircase down: dark bars end there, or
# begin. Who were the last ones? Flowers are numbered by their row in the sorted file.

# %%
right, losses = history.correct, history.sample_losses
print("epoch  flower  species     now    loss in epoch 1   loss one epoch before crossing")
for epoch, flower in np.argwhere(right[1:] != right[:-1])[-8:]:
    name, now = shuffled.class_names[history.labels[flower]], "right" if right[epoch + 1, flower] else "wrong"
    row = shuffled.rows[flower]
    print(f"{epoch + 2:5} {row:7}  {name:10}  {now}  {losses[0, flower]:14.2f} {losses[epoch, flower]:17.2f}")

# %% [markdown]
# Two flowers go back and forth. When two species share nearly all the probability, the true one wins at one half, and
# one half costs $\ln 2$: slightly more than that while still wrong, slightly less once right. Here is the whole way
# of another flower, the last of those that crossed once and for good.

# %%
once = ~right[0] & (np.abs(np.diff(right.astype(int), axis=0)).sum(axis=0) == 1)  # crossed a single time
flower = int(np.where(once, right.argmax(axis=0), 0).argmax())  # the last of those
title = f"Accuracy counts it once, in epoch {right[:, flower].argmax() + 1}; its loss was on the move all along"
figures.sample_figure(history, flower, class_names=shuffled.class_names, title=title)

# %% [markdown]
# This flower is an extreme one. First it slides the wrong way, then it climbs; its loss records every bit of both,
# and accuracy notices one moment. Is a long approach usual all the same? Take every flower, in all 32 networks, that
# was wrong after the first epoch and became right later. How much of its first loss was gone before accuracy noticed?

# %%
correct, losses = run.train.correct, run.train.sample_losses  # (network, epoch, flower)
network, flower = np.nonzero(~correct[:, 0] & correct.any(axis=1))
epoch = correct.argmax(axis=1)[network, flower]  # the first in which it is right
gone = 1 - losses[network, epoch - 1, flower] / losses[network, 0, flower]
slid = [losses[n, :e, f].max() > losses[n, 0, f] + 0.01 for n, e, f in zip(network, epoch, flower)]
print(f"half of these flowers had lost at least {np.median(gone):.0%} of their loss before they first crossed")
print(f"{np.mean(slid):.0%} of them first went the wrong way by more than 0.01 nats")

# %% [markdown]
# For half of the flowers accuracy missed at least that part of the way.
#
# And how much of the whole fall in loss happens in flowers that cross in that very step? `crossings` splits each
# change of the mean loss into four groups: flowers that stayed right, stayed wrong, became right, became wrong.

# %%
steps = run.train.crossings()
parts = (steps.stayed_right_loss, steps.stayed_wrong_loss, steps.became_right_loss, steps.became_wrong_loss)
whole = steps.loss_change.sum()
for name, part in zip(("stayed right", "stayed wrong", "became right", "became wrong"), parts):
    print(f"flowers that {name} in a step carry {part.sum() / whole:6.1%} of the fall in loss")
ever = (correct != correct[:, :1]).any(axis=1)  # flowers that cross at least once, by network
lost = (losses[:, 0] - losses[:, -1])[ever].sum() / (losses[:, 0] - losses[:, -1]).sum()
waiting = steps.loss_change[still].sum() / whole
print(f"flowers that cross at some time carry {lost:.0%}")
print(f"{waiting:.0%} of the whole fall happens in steps in which accuracy does not move at all")

# %% tags=["nbval-check-output"] over="{run.replicas} networks (drawn from seed {run.settings['seed']}) on one shuffle, {run.epochs} epochs; what was gone before: {len(gone):,} flowers of these networks"
crossed = (steps.became_right_loss + steps.became_wrong_loss).sum() / whole
print("the four groups add up to the change in loss:", bool(np.allclose(sum(parts), steps.loss_change, atol=1e-6)))
print("flowers that cross carry less than 10% of the fall:", bool(0 < crossed < 0.1))
print("30% to 60% of the fall happens while accuracy waits:", bool(0.3 < waiting < 0.6))
print("median share lost before the first crossing, 15% to 45%:", bool(0.15 < np.median(gone) < 0.45))
assert 0 < crossed < 0.1 and 0.3 < waiting < 0.6 and 0.15 < np.median(gone) < 0.45

# %% [markdown]
# Read this with care. The flowers that cross at some time carry most of the fall. But a crossing takes one step, and
# the way there and beyond takes many: in any single step nearly all of the fall comes from flowers that stay on their
# side. (The share of those that become wrong is negative, because their loss rises.) While accuracy stands still, the
# loss makes nearly half of its whole descent. So a plateau is not idleness, and it needs no cure.

# %% [markdown]
# ### What the published answer missed
#
# Now back to the rows as the asker had them, sorted by species. Count who is in which part.

# %% tags=["nbval-check-output"] decides="the count of species in both parts"
for part, ids in (("training", irises.train[1]), ("validation", irises.validation[1])):
    counts = np.bincount(ids, minlength=3)
    print(part, ", ".join(f"{count} {name}" for count, name in zip(counts, irises.class_names)))

# %% [markdown]
# `validation_split` cuts off the **last** rows, and does so before anything is shuffled. All 30 held-out flowers are
# virginica. Here is their accuracy after the first epoch, in 32 networks.

# %%
print(np.sort(asked.validation.accuracy[:, 0]).round(2))
print("networks with exactly 0:", int((asked.validation.accuracy[:, 0] == 0).sum()))

# %%
first = asked.validation.accuracy[:, 0]
lesson.recall(
    "validation", came_out=f"from {first.min():.2f} to {first.max():.2f}, and exactly 0 in {(first == 0).sum()} of 32."
)

# %% [markdown]
# An almost untrained network prefers some species to others for no reason but its random weights. All 30 held-out
# flowers are virginica, so their accuracy is how often the network happens to say "virginica": never in some
# networks, nearly always in a few, anything between in the rest. Now train to the end, sorted and shuffled side by
# side.

# %%
figures.split_figure(
    {"rows sorted by species": asked, "rows shuffled first": run},
    title="Same network, same settings: the order of the rows decides what validation shows",
)


# %% tags=["nbval-check-output"] over="sorted: {asked.replicas} networks (drawn from seed {asked.settings['seed']}); shuffled: {len(gaps)} shuffles, {run.replicas} networks each; {asked.validation.samples} validation flowers"
gap = summary(asked)[-1]
print("sorted: after one epoch validation accuracy spans more than 0.8:", bool(np.ptp(first) > 0.8))
print("sorted: at the end the median lies 0.05 to 0.15 below training:", bool(0.05 < gap < 0.15))
print(
    "eight shuffles: the gap has either sign and stays within 0.15:", bool(-0.15 < gaps.min() < 0 < gaps.max() < 0.15)
)
assert np.ptp(first) > 0.8 and 0.05 < gap < 0.15 and -0.15 < gaps.min() < 0 < gaps.max() < 0.15

# %% [markdown]
# With shuffled rows the gap has either sign: 30 flowers, drawn by chance. With sorted rows it is there in the median
# of 32 networks. Is that overfitting? Look at the training flowers by species.

# %%
last = asked.train.correct[:, -1]
for species, name in enumerate(irises.class_names):
    print(f"training accuracy of {name:10} at the end: {last[:, irises.train[1] == species].mean():.2f}")
print(f"validation accuracy, all virginica:        {asked.validation.accuracy[:, -1].mean():.2f}")
print(f"training accuracy, all flowers:            {asked.train.accuracy[:, -1].mean():.2f}")
for epoch in (100, 150, 200):
    print(f"median validation loss in epoch {epoch}: {np.median(asked.validation.loss[:, epoch - 1]):.2f}")

# %% [markdown]
# Virginica is the hard species in training too, where there are only 20 of it, against 50 of each other species. About
# half of the gap is that: which flowers were asked. The rest is seen against unseen virginica, with a validation loss
# that still falls, so it is not the usual picture of overfitting either. The repair is one line: shuffle the rows, as
# you did above, or split them so that every species keeps its share (scikit-learn's `train_test_split` does, with
# `stratify=labels`).
#
# One caution remains after the repair: 30 flowers are few. If 27 of them are right, which true accuracies fit?
# Wilson's interval is made to hold the true one in 95% of such cases.

# %% tags=["nbval-check-output"]
low, high = wilson_interval(27 / 30, 30)
print(f"27 of 30 right: accuracy {27 / 30:.2f}, 95% interval {low:.2f} to {high:.2f}")

# %% [markdown]
# So "nine in ten" may be three in four. One validation curve of 30 flowers cannot tell these apart.

# %% [markdown]
# ### Are loss and accuracy correlated?
#
# The question behind the question. It has no single answer, because it depends on what you vary: the epoch; the epoch
# one step at a time; or the network. For the last one, train 256 networks in eight sets of 32 and compare them at the
# end. The number for it is the **correlation coefficient** $r$: 1 or -1 where the points lie on a rising or a falling
# line, 0 where a line is of no use. All three on the same training flowers:


# %%
def end(history):
    return history.loss[:, -1], history.accuracy[:, -1]


final_loss, final_accuracy = np.swapaxes([end(train(shuffled, seed=seed).train) for seed in range(8)], 0, 1)
loss, accuracy = run.train.loss, run.train.accuracy
pairs = {
    "one network, epoch by epoch": (loss[0], accuracy[0]),
    "the same, change by change": (np.diff(loss[0]), np.diff(accuracy[0])),
    "256 finished networks": (final_loss.ravel(), final_accuracy.ravel()),
}
figures.correlation_figure(pairs, changes=["the same, change by change"], title="One question, three correlations")

# %% [markdown]
# One more, closer to what you would compare in practice: finished networks again, judged on the asker's validation
# flowers.


# %%
asked_ends = np.swapaxes([end(train(irises, seed=seed).validation) for seed in range(8)], 0, 1)


# %% decides="the correlations"
def correlations(x, y):
    return [np.corrcoef(one, other)[0, 1] for one, other in zip(x, y)]


measured = {
    "over epochs": correlations(loss, accuracy),
    "over changes": correlations(np.diff(loss), np.diff(accuracy)),
    "over changes after epoch 20": correlations(np.diff(loss[:, 20:]), np.diff(accuracy[:, 20:])),
    "over finished networks": correlations(final_loss, final_accuracy),
    "the same, asker's validation": correlations(*asked_ends),
}
for name, r in measured.items():
    print(f"{name:28} median {np.median(r):+.2f}, from {min(r):+.2f} to {max(r):+.2f}")

# %% tags=["nbval-check-output"] decides="the correlations" over="{len(loss)} networks; {len(final_loss)} such sets"
over_epochs, over_changes, later, over_networks = [np.median(r) for r in measured.values()][:4]
spread = np.ptp(measured["the same, asker's validation"])
print("over epochs the median correlation is below -0.9:", bool(over_epochs < -0.9))
print("over changes it lies between -0.75 and -0.4:", bool(-0.75 < over_changes < -0.4))
print("without the first 20 epochs it lies between -0.4 and -0.05:", bool(-0.4 < later < -0.05))
print("over finished networks it lies between -0.8 and -0.45:", bool(-0.8 < over_networks < -0.45))
print("on the asker's validation flowers the eight sets lie more than 0.3 apart:", bool(spread > 0.3))
assert over_epochs < -0.9 and -0.75 < over_changes < -0.4 < later < -0.05 and -0.8 < over_networks < -0.45
assert spread > 0.3

# %% [markdown]
# Over epochs both curves have a trend, and a curve that falls and one that rises correlate. Over changes most of the
# correlation comes from the first 20 epochs, when everything moves. Among finished networks there is no trend; what
# is left is a moderate tie between a lower loss and a few more right flowers. On 30 validation flowers of one species
# even that depends on which 32 networks you happened to train. Lesson 06 returns to this with more ways of varying.
#
# What this lesson did not show: other data, other networks, other optimizers. With many more samples we would expect
# steps too small to see and shorter waits.

# %% [markdown]
# ### With a model of your own
#
# The record comes with any `fit`. Give the callback your data, and read who crossed when.

# %%
keras.utils.set_random_seed(0)
yours = build_model()
yours.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
record = training.RecordPredictions(shuffled.train, shuffled.validation)
yours.fit(*shuffled.train, validation_data=shuffled.validation, epochs=20, batch_size=5, verbose=0, callbacks=[record])
figures.ledger_figure(record.run.train, title="Your own fit, flower by flower")

# %% [markdown]
# ## Your turn
#
# Each exercise is checked by its own cell. Run `lesson.hint("...")` with its name when you are stuck. The solutions
# are collapsed.
#
# **1. How long does it wait?** `correct` is an array of booleans (epoch, flower): which flowers were right after each
# epoch. Return the share of epoch-to-epoch steps in which accuracy did not move.


# %% tags=["exercise"]
def plateau_share(correct): ...


lesson.check("plateau_share", plateau_share)


# %% tags=["solution", "nbval-check-output"]
def plateau_share_solution(correct):
    right = correct.sum(axis=1)  # whole numbers compare exactly
    return np.mean(np.diff(right) == 0)


lesson.check("plateau_share", plateau_share_solution)

# %% [markdown]
# **2. Who crossed?** Given which flowers were right `before` and `after` (two arrays of booleans), return two arrays
# of flower numbers: first those that became right, then those that became wrong. For instance `[1, 4]` and `[3, 5]`.


# %% tags=["exercise"]
def crossers(before, after): ...


lesson.check("crossers", crossers)


# %% tags=["solution", "nbval-check-output"]
def crossers_solution(before, after):
    return np.flatnonzero(after & ~before), np.flatnonzero(before & ~after)


lesson.check("crossers", crossers_solution)

# %% [markdown]
# **3. The other way round: mend the split.** Write down an order of the 150 rows of the sorted file for which
# `validation_split=0.2` holds out ten flowers of each species. Any such order passes.

# %% tags=["exercise"]
fair_order = ...  # an array that names each of the rows 0 to 149 once

lesson.check("fair_order", fair_order)

# %% tags=["solution", "nbval-check-output"]
held_out = np.r_[40:50, 90:100, 140:150]
fair_order_solution = np.r_[np.setdiff1d(np.arange(150), held_out), held_out]

lesson.check("fair_order", fair_order_solution)

# %% [markdown]
# **4. A mystery.** Somebody shows you the curves below: eight networks of another kind, other data. "It learns the
# training data perfectly. Validation accuracy never gets off the ground, and validation loss only rises. Is it
# overfitting?"

# %%
strange = mystery()
figures.loss_and_accuracy_curves(strange, title="Training accuracy nearly 1, validation accuracy nearly 0")

# %% tags=["commit"]
lesson.commit("strange")

# %% [markdown]
# Whatever you suspect, one check costs nothing: compare the labels of the two parts. Write a function that gets both
# arrays of labels. Count every validation sample of a class that training never met as wrong, all others as right.
# Return two numbers: that accuracy, and the least mean loss that such an accuracy permits (lesson 01 tells you how).


# %% tags=["exercise", "transfer"]
def mystery_limits(train_labels, validation_labels): ...


lesson.check("mystery", mystery_limits)


# %% tags=["solution", "nbval-check-output"]
def mystery_solution(train_labels, validation_labels):
    seen = np.isin(validation_labels, train_labels).mean()
    least, greatest = attainable_loss(seen)
    return seen, least


lesson.check("mystery", mystery_solution)

# %% [markdown]
# Now compare these limits with the curves.

# %%
seen = np.isin(strange.validation.labels, strange.train.labels).mean()
print(f"samples of classes that training has seen: {seen:.3f}")
print(f"validation accuracy at the end, median:    {np.median(strange.validation.accuracy[:, -1]):.3f}")
print(f"least loss this permits:                   {attainable_loss(seen)[0]:.3f}")
print(f"validation loss at the end, median:        {np.median(strange.validation.loss[:, -1]):.3f}")

# %%
lesson.recall("strange", came_out=f"{1 - seen:.1%} of the validation samples are of classes that training never met.")

# %% [markdown]
# Accuracy ends exactly at its limit, so every sample that can be right is right. The loss lies far above its least:
# the networks are not undecided about the unseen classes, they are sure of wrong ones. The curves look like
# overfitting at its worst, and more data of the same classes would not help. (Labels coded differently in the two
# parts would give such curves too; the same count of labels exposes both.) What is missing is classes.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
lesson.quiz("plateau")

# %% tags=["quiz"]
lesson.quiz("still")

# %% tags=["quiz"]
lesson.quiz("held_out")

# %% tags=["quiz"]
lesson.quiz("thirty")

# %% tags=["quiz"]
lesson.quiz("correlated")

# %% [markdown]
# ## Verdicts
#
# | claim | verdict | decided by |
# |---|---|---|
# | Accuracy waits because it looks only at which class comes out on top. | **True.** While it waits, nearly all probabilities move. | the probabilities while accuracy waits; the ledger |
# | A flat accuracy with a falling loss is normal. | **True**, for this network in three steps out of four. | the count over eight shuffles |
# | The threshold is 0.5. | **True with two classes.** With three, the largest probability counts. | lesson 01: nine samples at rest and a tenth; the crossings below one half |
# | Whether the rate was 0.0005 or 0.0006 matters. | **For the pace.** The training curves, on shuffled rows and in the median, keep their shape. | the stretched curve |
# | `validation_split=0.2` gives a fair validation set. | **False for sorted rows.** | the count of species in both parts |
# | Loss and accuracy are correlated. | **It depends on what varies**: over epochs of training strongly (negative), among finished networks moderately, from one late epoch to the next weakly. After the least validation loss the sign can turn (lesson 06). | the correlations |

# %% decides="the crossings below one half" over="{became_right.sum():,} crossings in {run.replicas} networks on one shuffle"
became_right = run.train.correct[:, 1:] & ~run.train.correct[:, :-1]
crossing_at = run.train.true_probabilities[:, 1:][became_right]
for limit, least in ((0.5, 0.8), (0.45, 0.5)):
    share = (crossing_at < limit).mean()
    print(f"in {share:.0%} of the crossings the flower becomes right with less than {limit}")
    assert share > least

# %% decides="the stretched curve" over="median of {run.replicas} networks, same seeds at both rates, one shuffle"
faster = train(shuffled, keras.optimizers.Adam(0.0006, epsilon=1e-8)).train
epochs = np.arange(1, 201)


def away(fast, slow):
    """How far one curve in epoch e is from the other in epoch 1.2 e: the median network, in the worst epoch."""
    stretched = np.array([np.interp(1.2 * epochs[:166], epochs, one) for one in slow])
    return np.abs(np.median(fast[:, :166] - stretched, axis=0)).max()


loss_away, accuracy_away = away(faster.loss, run.train.loss), away(faster.accuracy, run.train.accuracy)
print(f"the loss at 0.0006 in epoch e is the loss at 0.0005 in epoch 1.2 e, within {loss_away:.4f} nats (median)")
print(f"and so is the accuracy, within {accuracy_away:.4f} (median)")
assert loss_away < 0.01 and accuracy_away < 0.02

# %% [markdown]
# **Write the reply you would post.** Take five minutes and answer the asker in your own words, before you open the
# rubric.
#
# <details>
# <summary>A good reply ...</summary>
#
# - says that the curves are normal and why: loss reads probabilities, accuracy reads which one is largest;
# - gives evidence that can be checked, such as the number of steps without movement or one flower's path;
# - asks about the validation set, and points out that the last rows of a sorted file are one species;
# - names the repair (shuffle or stratify) and what would still be uncertain with 30 flowers;
# - claims nothing that was not run.
#
# </details>

# %% [markdown]
# ## Take away
#
# A plateau in accuracy is a stretch in which probabilities move and no sample crosses. Every step of an accuracy
# curve is a list of samples that you can name. Before you read a validation curve, count the classes in both parts.
#
# **Read on**
#
# - R. A. Fisher, "The use of multiple measurements in taxonomic problems", *Annals of Eugenics* 7 (1936):
#   [doi.org/10.1111/j.1469-1809.1936.tb02137.x](https://doi.org/10.1111/j.1469-1809.1936.tb02137.x).
# - Keras, [`Model.fit`](https://keras.io/api/models/model_training_apis/): `validation_split` takes "the last samples
#   in the x and y data provided, before shuffling".
# - scikit-learn,
#   [`train_test_split`](https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.train_test_split.html):
#   `shuffle` and `stratify`.
# - E. B. Wilson, "Probable inference, the law of succession, and statistical inference", *Journal of the American
#   Statistical Association* 22 (1927): the interval for 27 of 30.

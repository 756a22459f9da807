# %% [markdown]
# # 08 The curve clinic
#
# ## The question
#
# Somebody sends you a log: loss and accuracy, epoch by epoch. No code, no data. *What is wrong with my training?*
# Public forums are full of this question, and the answers are mostly guesses.
#
# How much can such numbers tell? In this lesson you judge three published logs yourself. Then a program does it, the
# **curve clinic** of this course: it ranks the causes that fit, quotes the numbers that speak for each, and names the
# experiment that would settle it. You look inside, you find out how often it is right, and you meet trainings that no
# clinic could judge. At the end it is yours, for your own curves.
#
# **What you need first:** lesson 01 (what a wrong answer costs) and lesson 05 (confidence). Lessons 03, 04 and 07
# help with single cases, and the last exercise needs several earlier lessons together. The next cell loads TensorFlow,
# which takes about ten seconds; if another lesson's kernel still runs, shut it down first (menu *Kernel*).
#
# <details>
# <summary>What is claimed about such curves</summary>
#
# "The validation loss rises, so it overfits." "The loss is small, so it has learned." "The accuracy is what counts;
# never mind the loss." "From the curves one can tell what is wrong." "It is right in 96%, so an alarm is right in
# 96%." Each gets its verdict at the end.
#
# </details>

# %%
from lossacc_helpers.course.lesson_08 import four_trainings, lesson, mystery_curves, training_of
from lossacc_helpers import calibrated_loss, datasets, fingerprints, spikes, training, wilson_interval
from lossacc_helpers.clinic import diagnose, examples, read, rules
from lossacc_helpers.figures.clinic import clinic_figure, images_figure, logs_figure
from lossacc_helpers.widgets import CurveClinic

import keras
import numpy as np

# %% [markdown]
# Three logs, as people published them when they asked. All three are of two classes.

# %%
names = ("keras_2392", "alexnet_4", "eat_tf2_69")
cases = [examples.cases()[name] for name in names]
logs = {f"case {k}": case.log for k, case in enumerate(cases, start=1)}
for name, case in zip(logs, cases):
    print(f"{name}: {case.source}")
logs_figure(logs, title="Three trainings of two classes. What is wrong?")

# %% [markdown]
# ## Commit
#
# Before you compute anything, say what you think of each.

# %% tags=["commit"]
lesson.commit("still")

# %% tags=["commit"]
lesson.commit("cheap")

# %% tags=["commit"]
lesson.commit("rising")

# %% [markdown]
# ## Look
#
# Five trainings of earlier lessons, A to E, and the clinic beside them. Each bar is a cause that fits; its length, the
# **score**, says how clear its marks are, and is no probability. The name of a cause, such as `label-noise`, is called
# its **slug**. Grey and dotted is the **floor** (lesson 01's bound, not the one that a second softmax leaves, lesson
# 03): no log loss with the *validation* accuracy can lie lower. Grey and dash-dotted is what calibrated predictions
# (lesson 05) of that accuracy would cost at most. The epochs that show the first finding are yellow.
#
# 1. Training B, 80% of its **epochs seen**: what does the clinic say? Go back to 20%, and forward again. At which
#    share does it begin to say so?
# 2. Training A: after how many epochs does it know? Which two causes can it not tell apart?
# 3. Training C: why can this not be the mean of $-\ln p$?
# 4. Training E: first **the curves**, then **every sample**. What changes, and what is the evidence?
# 5. No mistake was built into training D. What does the clinic say at 20%, 50%, 80% and 100%?
#
# (In these recordings validation is plain cross-entropy, whatever the training used. In A, `fit` would have printed a
# validation loss that cannot fall to 0, as its training loss cannot: a second softmax sees to that. The dotted line
# below is what guessing gets.)

# %% tags=["explorer"]
lesson.explorer()

# %% [markdown]
# ## Compute and explain
#
# ### Reading a log
#
# The numbers come as whatever a training printed. `read` knows the lines of every version of Keras, tables, histories,
# and pairs such as `val_acc=0.71`; what it does not understand it skips and counts.

# %%
printed = """Epoch 1/3
25000/25000 [=====] - 9s 371us/step - loss: 0.6791 - acc: 0.5524 - val_loss: 0.5722 - val_acc: 0.7170
Epoch 2/3
25000/25000 [=====] - 8s 340us/step - loss: 0.4672 - acc: 0.7762 - val_loss: 0.4915 - val_acc: 0.7588
"""
table = "epoch;accuracy;loss;val_accuracy;val_loss\n0;0.5524;0.6791;0.7170;0.5722\n1;0.7762;0.4672;0.7588;0.4915"
pairs = """[1] train loss=0.6791, train acc=55.24% | val loss=0.5722, val acc=71.70%
saved checkpoint to best.pt
[2] train loss=0.4672, train acc=77.62% | val loss=0.4915, val acc=75.88%"""

# %%
for text in (printed, table, pairs):
    log = read(text)
    print(log, log.validation_loss, log.validation_accuracy, "skipped lines:", log.skipped, *log.notes)
    np.testing.assert_allclose(log.validation_loss, [0.5722, 0.4915])
    np.testing.assert_allclose(log.accuracy, [0.5524, 0.7762])

# %% [markdown]
# ### A number that names its cause
#
# Case 1. Such an accuracy would fit a network that always names the more common class. But what would that cost? A
# constant answer that knows its share $s$ costs the entropy of $s$. Compare, and then divide the loss by the share of
# errors.

# %% decides="a number that names its cause"
loss, accuracy = cases[0].log.loss, cases[0].log.accuracy
share = accuracy[-1]
entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
print(f"a constant answer that knows its share costs {entropy:.3f}; printed is {loss[-1]:.3f}")
print("loss over share of errors:", (loss / (1 - accuracy)).round(3), f"   -ln(1e-7) = {-np.log(1e-7):.3f}")
np.testing.assert_allclose(loss / (1 - accuracy), -np.log(1e-7), atol=0.05)

# %% [markdown]
# You know 16.118 from lesson 01: what one impossible answer costs where probabilities are clipped at 1e-7. Here *every*
# wrong answer costs that: all outputs are 0 or 1. The asker had set a learning rate of 1. (Perhaps it also names one
# class throughout: the accuracy stands quite still, and in 32 bits a sigmoid that is 1 and wrong would cost a little
# less than a wrong 0.) Such a fingerprint (lesson 03) is the best evidence that a log can hold.

# %%
lesson.recall("still")

# %% [markdown]
# ### A number that cannot be
#
# Case 2. A wrong answer gives the true class at most one half, so it costs at least $\ln 2$, and the mean loss $L$
# with accuracy $a$ is at least $(1 - a) \ln 2$. That holds for every plain mean of cross-entropies, however many
# classes there are, if accuracy counts the most probable class. (Sample weights are an exception; smoothed labels are
# none.)

# %% decides="a number that cannot be"
log = cases[1].log
floor = (1 - log.validation_accuracy) * np.log(2)
for epoch, loss, least in zip(log.epochs, log.validation_loss, floor):
    told = "   impossible" if loss < least - 1e-4 else ""
    print(f"epoch {epoch}: validation loss {loss:.4f}, floor {least:.4f}{told}")
impossible = np.sum(log.validation_loss < floor - 1e-4)

# %% decides="a number that cannot be" over="one published log of {len(log.epochs)} epochs; no random numbers"
found = diagnose(log, classes=2, validation_size=140)
print(found.best.slug, f"{found.best.score:.2f}:", *found.best.evidence)
assert impossible > len(log.epochs) / 2 and f"{impossible} of {len(log.epochs)} epochs" in found.best.evidence[0]

# %% [markdown]
# It is no plain cross-entropy. (The published code that this asker started from compiles with `loss="mse"`.) The gap
# between the accuracies is real, and remains to be explained. But if you take this loss for a log loss, you explain the
# wrong thing.

# %%
lesson.recall("cheap")

# %% [markdown]
# ### A change larger than its noise
#
# Case 3 has no fingerprint. The validation loss rises; is that more than chance? A rule needs to know how much a curve
# moves by itself. Take **second differences**, each value minus the mean of its neighbours, times two: a straight trend
# disappears. Independent noise with standard deviation $\sigma$ leaves $\sqrt{6}\,\sigma$: the factors are 1, -2, 1,
# and variances add with their squares. The median of their sizes, times 1.4826 (which makes a standard deviation of it,
# if the noise is normal), estimates $\sqrt{6}\,\sigma$ without caring about a few spikes.


# %% over="{len(noisy):,} simulated curves of {noisy.shape[1]} epochs, all from one seed"
def noise_about_trend(values):
    return 1.4826 * np.median(np.abs(np.diff(values, 2))) / np.sqrt(6)


draw = np.random.default_rng(0)
trend = 0.3 + 0.5 * np.exp(-np.arange(40) / 12)
noisy = trend + 0.02 * draw.normal(size=(2000, 40))
noisy[:, [11, 27]] += 0.5  # two spikes
estimates = np.array([noise_about_trend(row) for row in noisy])
print(f"true 0.020; estimated {np.median(estimates):.4f}, in 90% between", end=" ")
print(*np.quantile(estimates, [0.05, 0.95]).round(4), sep=" and ", end="; ")
print(f"plain standard deviation {noisy.std(axis=1).mean():.3f}")
assert 0.018 < np.median(estimates) < 0.026

# %% decides="a change larger than its noise" over="one published log of {len(log.epochs)} epochs; no random numbers"
log = cases[2].log
loss, accuracy = log.validation_loss, log.validation_accuracy
rise, noise = loss[-1] - loss.min(), noise_about_trend(loss)
print(f"validation loss: from {loss.min():.3f} to {loss[-1]:.3f}, {rise / noise:.0f} times its noise of {noise:.4f}")
print(f"validation accuracy since then: {accuracy[-1] - accuracy[loss.argmin()]:+.4f}")
found = diagnose(log, classes=2)
print(f"{found.best.slug}:", *found.best.evidence, sep="\n  ")
end = accuracy[-1]
owed = loss[-1] + end * np.log(end) + (1 - end) * np.log(1 - end)  # above the most that calibrated answers cost
assert rise > 5 * noise and abs(end - accuracy[loss.argmin()]) < 0.02 and owed > 0.2

# %% [markdown]
# The loss rises far beyond its noise, and about as many answers are right as before. (Of six epochs the estimate is
# rough, and rather too large: a curve that bends leaves second differences, too. In the test above, two spikes made
# it a little too large, and the plain standard deviation useless.) The last line of the evidence is lesson 05's: two
# printed numbers tell how many nats, at least and up to the luck of sampling, are lost to probabilities that do not
# fit.

# %%
clinic_figure(found)

# %%
lesson.recall("rising")

# %% [markdown]
# ### The whole list
#
# Every rule is a small function that looks for the marks of one cause. These are all that look at curves:

# %%
for rule in rules.RULES:
    print(f"{rule.__name__:28} {rule.__doc__.splitlines()[0]}")

# %% [markdown]
# (The clinic scores `overfitting` high only where validation accuracy falls while the validation loss rises. Where
# the accuracy stands, `overconfidence` comes first. A gap that grows beside a loss that stands is called
# `overfitting`, too, with a middling score.)
#
# Then the findings are held against each other. A loss that is no cross-entropy explains away an "overconfidence" found
# in it. And where two causes leave the same marks, the clinic names the experiment that tells them apart. Take a second
# softmax, and labels and predictions swapped in a loss that expects logits and is given probabilities. Ten classes, and
# three networks: one is sure and right, one half sure, and one knows nothing.

# %%
for name, p in (("sure", 1.0), ("half sure", 0.5), ("knows nothing", 0.1)):
    row = np.full((1, 10), (1 - p) / 9)
    row[0, 0] = p
    twice, swapped = fingerprints.double_softmax_loss([0], row)[0], fingerprints.swapped_softmax_loss([0], row)[0]
    print(f"{name:14} softmax twice {twice:.3f}   arguments swapped {swapped:.3f}")
twin = diagnose(read(training_of("A")), classes=13)
print([f"{one.slug} {one.score:.2f}" for one in twin.findings[:2]], *twin.told_apart.values(), sep="\n")

# %% [markdown]
# Where the network is sure, the two losses are equal; where it knows nothing they differ. So the experiment is: print
# the loss of the *untrained* network.

# %% [markdown]
# ### As a training grows
#
# The five trainings of the explorer, by the curves of their first epochs:


# %% tags=["nbval-check-output"] decides="as a training grows"
def found_in(name, share, samples=False):
    whole = training_of(name)
    run = whole.select_epochs(slice(0, round(share * whole.epochs)))
    told = dict(classes=run.train.classes, validation_size=run.validation.samples)
    return (diagnose(run) if samples else diagnose(read(run), **told)).best


for name in "ABCDE":
    print(f"training {name}")
    for share in (0.2, 0.5, 0.8, 1):
        best = found_in(name, share)
        print(f"  {share:4.0%}  {best.slug} {best.score:.2f}")
best = found_in("E", 1, samples=True)
print(f"E with every sample: {best.slug} {best.score:.2f}\n ", best.evidence[0])

# %% [markdown]
# - **A** and **C** carry fingerprints: a second softmax, and a loss below 0, which no $-\ln p$ can be (C swaps labels
#   and *logits*, without a softmax before, and nothing bounds that; lesson 03). A few epochs are enough.
# - **B** is healthy at first, and then goes on for too long: the wrong answers become dearer.
# - **D** is a warning. No mistake was built into it. At 20% an early gap is called a shift; there is one (the two parts
#   of a photograph differ, lesson 03). About halfway the accuracy pauses, which looks like overfitting; later it rises
#   further. At 80% it says `healthy`, and misses the rise. The last name is true: the validation loss has risen since
#   its first epochs, while more answers are right.
# - **E** is a network of lesson 04 at the asker's scale. Its jumps are small and few, and by its curves nothing stands
#   out. With the samples it is known what the *training* samples cost when they are asked as validation is. That
#   settles it. (Drag the explorer to 10% of E: `overconfidence`, with a high score. Early on, high scores too may be
#   wrong.)

# %% [markdown]
# ### With every sample, more is settled
#
# Curves are means, and a mean hides who pays. `training.DiagnoseTraining` is a Keras callback that keeps what the
# clinic needs. Without data it keeps the curves. Give it the data, and it keeps every sample's probabilities.
#
# Spoil 500 digits in two ways: 60 labels are replaced by wrong ones, and 20 validation digits are copies of training
# digits.

# %%
(images, digits), (unseen_images, unseen_digits) = datasets.digits(seed=0).train, datasets.digits(seed=0).validation


def spoiled(seed, both=False):
    """Training and validation data, and which training labels are wrong; with `both` validation labels are, too."""
    draw = np.random.default_rng(seed)
    rows = draw.permutation(len(digits))[:500]
    wrong, labels = draw.permutation(500)[:60], digits[rows].copy()
    labels[wrong] = (labels[wrong] + draw.integers(1, 10, 60)) % 10
    x, x_val, y_val = images[rows], unseen_images[:300].copy(), unseen_digits[:300].copy()
    x_val[:20], y_val[:20] = x[:20], digits[rows[:20]]
    if both:
        y_val[:36] = (y_val[:36] + draw.integers(1, 10, 36)) % 10
    return (x, labels), (x_val, y_val), wrong


# %%
def train_and_diagnose(seed, quiet=True, both=False):
    train, validation, wrong = spoiled(seed, both)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(256, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    clinic = training.DiagnoseTraining(train, validation, quiet=quiet)
    settings = dict(epochs=20, batch_size=32, verbose=0, callbacks=[clinic])
    history = model.fit(*train, validation_data=validation, **settings)
    return history, clinic, train, wrong


history, clinic, train, wrong = train_and_diagnose(seed=0, quiet=False)

# %% decides="with every sample" over="one network, {clinic.run.validation.samples} validation digits"
by_curves = diagnose(history, classes=10, validation_size=300)
print("by the curves alone:", by_curves)
copied = next(one for one in clinic.diagnosis.findings if one.slug == "leakage")
print("by the inputs:", *copied.evidence)
assert by_curves.best.slug != "label-noise" and "leakage" not in str(by_curves) and "20 of 300" in copied.evidence[0]

# %% [markdown]
# By its curves alone the clinic thinks of dropout. There is none; it cannot know that, and names the experiment. By
# its samples, the labels are suspected, for a reason that anyone can check: once it has learned, the network is wrong
# *more* often on what it was trained on than on what it never saw. (The difference of the two shares gives a number
# of doubtful labels that is rather too small: it takes the network to be as good on its own samples as on others.)
# And the copies are counted.
#
# Take the first epoch whose validation loss is within a tenth of its least. Here are the 16 training digits that cost
# most in it, with the label they came with:

# %%
unseen_loss = clinic.run.validation.loss
epoch = np.argmax(unseen_loss <= 1.1 * unseen_loss.min())  # has learned, and little by heart
costly = np.argsort(-clinic.run.train.sample_losses[epoch])[:16]
captions = [f"labelled {train[1][k]}\n{'redrawn' if k in wrong else 'as it was'}" for k in costly]
images_figure(train[0][costly].reshape(-1, 8, 8), captions, title="The 16 training digits that cost most")

# %% decides="with every sample" over="{len(shares)} networks, one seed each for digits, labels and weights"
shares, suspected = [], []
for seed in range(5):
    _, clinic, _, wrong = train_and_diagnose(seed)
    unseen_loss = clinic.run.validation.loss
    epoch = np.argmax(unseen_loss <= 1.1 * unseen_loss.min())
    costly = np.argsort(-clinic.run.train.sample_losses[epoch])
    shares.append([np.isin(costly[:count], wrong).mean() for count in (10, 30, 60)])
    found = {one.slug: one.score for one in clinic.diagnosis.findings}
    suspected.append(found.get("label-noise", 0))
    scores = ", ".join(f"{slug} {found.get(slug, 0):.2f}" for slug in ("label-noise", "leakage"))
    print(f"seed {seed}: {scores}; redrawn among the 10, 30, 60 costliest:", *(f"{one:.0%}" for one in shares[-1]))
assert np.mean(shares, axis=0)[0] > 0.93 and np.mean(shares, axis=0)[2] > 0.8 and min(suspected) > 0.6

# %% [markdown]
# All of the ten costliest had been replaced, and about nine in ten of the sixty. That is a list to look through, not a
# list to delete: further down stand digits whose label is right and hard to read.
#
# The reason above needs clean labels *somewhere*: here validation had them. Redraw 36 of the 300 validation labels as
# well, as when one spoiled pile is split at random:

# %% decides="with every sample" over="{len(still)} networks, one seed each for digits, labels and weights"
still = []
for seed in range(3):
    _, clinic, _, _ = train_and_diagnose(seed, both=True)
    found = {one.slug: f"{one.score:.2f}" for one in clinic.diagnosis.findings}
    still.append(float(found.get("label-noise", 0)))
    print(f"seed {seed}:", ", ".join(f"{slug} {score}" for slug, score in list(found.items())[:3]), end="; ")
    print("label-noise", found.get("label-noise", "not among the findings"))
assert max(still) < 0.5

# %% [markdown]
# Now the labels are not suspected. Noise that is everywhere looks like a hard problem.

# %% [markdown]
# ### How often is it right?
#
# A diagnosis is worth nothing until its errors are counted. For this course 396 networks were trained by 22 recipes,
# most with a cause built in, three with none: 18 runs of each, with other data, networks and rates. Twelve were for
# making the rules; six were not looked at until the rules stood. Those are *new runs of the same recipes*, not new
# causes. (`other_scanner`: validation images with noise. `sorted_rows`: the last rows of sorted data held out.
# `slow_irises`: a low rate and 30 validation samples.) Often more than one name counts as right; in brackets stand
# the answers that count as wrong.

# %% decides="how often is it right" over="{len(answers['wrong_labels'])} runs of the recipe with wrong labels, held out"
held_out = [run for run in examples.simulated() if run.held_out]
answers = {}
for run in held_out:
    slugs = [finding.slug for finding in run.diagnose().findings]
    among_three = any(slug in run.accepted for slug in slugs[:3])
    answers.setdefault(run.name, []).append((slugs[0], slugs[0] in run.accepted, among_three))
for name, rows in answers.items():
    right, wrong = ([slug for slug, good, _ in rows if good == flag] for flag in (True, False))
    told = f" ({', '.join(wrong)})" if wrong else ""
    print(f"{name:24} {len(right)} of {len(rows)}: {', '.join(sorted(set(right)))}{told}")
assert all(slug != "label-noise" for slug, _, _ in answers["wrong_labels"])

# %% decides="how often is it right" over="{len(first)} runs of {len(answers)} recipes, held out while rules were made"
first, third = (np.array([row[k] for rows in answers.values() for row in rows]) for k in (1, 2))
meant = np.mean([run.diagnose().best.slug == run.accepted[0] for run in held_out])
low, high = wilson_interval(first.mean(), len(first))
print(f"{len(held_out)} runs: right at first {first.mean():.1%} (95% interval {low:.1%} to {high:.1%}),", end=" ")
print(f"among three {third.mean():.1%}; the very name that was meant {meant:.1%}")
assert first.mean() >= 0.85 and third.mean() >= 0.97

# %% over="{len(healthy)} healthy runs among {len(held_out)} held-out ones"
harmless = ("healthy", "small-validation-set", "threshold-plateau", "cannot-tell")
healthy = [run for run in held_out if run.accepted[0] == "healthy"]
ill = [run for run in held_out if not {*run.accepted} & {*harmless}]
alarms = sum(run.diagnose().best.slug not in harmless for run in healthy)
found = np.mean([run.diagnose().best.slug in run.accepted for run in ill])
_, most = wilson_interval(alarms / len(healthy), len(healthy))
print(f"{len(ill)} runs are surely ill: {found:.1%} of them found")
print(f"{len(healthy)} are healthy: {alarms} called ill; compatible with up to {most:.1%} of all such (95%)")
assert alarms / len(healthy) <= 0.05

# %% [markdown]
# (Of the healthy ones 18 are of the three recipes called so; the other was trained for long on few samples, and its
# loss did not rise. For such runs, the rise of the loss and the accuracy on 700 further digits decided which names
# count. Thirteen runs, for which a harmless name is one of several right ones, are in neither count; one of these was
# called `distribution-shift`.)
#
# That sounds good, and says less than it seems. Recipes and rules have the same authors; the data are small; there is
# one cause at a time. By their curves, runs with wrong labels were never called `label-noise` first; five of six were
# called `overfitting`, which counts as right. Six runs of one recipe are not six independent trials, and the intervals
# take them for that. And a share of right answers depends on who comes in. Say one log in $n$ that you are shown is ill
# in a way the clinic knows, it finds a share $h$ of these, and calls a share $f$ of the healthy ones ill. How many of
# its alarms are right?


# %% decides="alarms that are right" over="exact, with the share that was found of {len(ill)} ill runs"
def right(rate, n):  # of the alarms, where one log in n is ill and false alarms have this rate
    return found / n / (found / n + rate * (1 - 1 / n))


for rate in (0.01, 0.05, most):
    said = [f"one in {n}: {right(rate, n):.0%}" for n in (2, 10, 50)]
    print(f"false alarms {rate:5.1%}; alarms that are right if ill is", ", ".join(said))
assert found > 0.9 and right(0.01, 2) > 0.95 and right(0.05, 2) > 0.9 and right(0.05, 50) < 0.4

# %% [markdown]
# If most of what you look at is healthy, an alarm is first of all a reason for the experiment. This is lesson 07's
# precision, once more.

# %% [markdown]
# ### What a clinic cannot know
#
# It knows what was printed. Train a network whose validation samples are *all* copies of training samples, and look
# at it both ways:

# %%
draw = np.random.default_rng(1)
rows = draw.permutation(len(digits))[:500]
honest, copies = (unseen_images[:250], unseen_digits[:250]), (images[rows[:250]], digits[rows[:250]])
keras.utils.set_random_seed(1)
model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, activation="softmax")]
)
model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
clinic = training.DiagnoseTraining((images[rows], digits[rows]), copies, quiet=True)
history = model.fit(images[rows], digits[rows], validation_data=copies, epochs=25, verbose=0, callbacks=[clinic])

# %% decides="what a clinic cannot know" over="one network; {len(copies[1])} validation samples, all of them copies"
by_curves = diagnose(history, classes=10, validation_size=250)
print("by its curves:", by_curves.best.slug, "- leakage" * ("leakage" in str(by_curves)))
print("by its inputs:", clinic.diagnosis.best.slug, *clinic.diagnosis.best.evidence)
cost, right = model.evaluate(*honest, verbose=0)
print(f"printed: {history.history['val_accuracy'][-1]:.3f}; on honest samples: {right:.3f}, loss {cost:.3f}")
assert "leakage" not in str(by_curves) and clinic.diagnosis.best.slug == "leakage"

# %% [markdown]
# Perfect curves, and nothing in them is false. So it is with much else: padding tokens counted as right answers, a
# test set that was looked at too often, a metric that does not count what matters to you. Curves are a few numbers an
# epoch. What did not reach them cannot be read off them, by this program or by anyone.

# %% [markdown]
# ### Your own curves
#
# Paste a log below, or open a file; nothing leaves the machine that your kernel runs on. Give the number of classes:
# without it some bounds are missing. It begins with a published case; the list has fourteen more. In a terminal,
# `python -m lossacc_helpers diagnose FILE` does the same.

# %%
CurveClinic()

# %% [markdown]
# ## Your turn
#
# Each exercise is checked by its own cell. Run `lesson.hint("...")` with its name when you are stuck. The solutions
# are collapsed.
#
# **1. A rule of your own.** Given are the losses and accuracies of some epochs, as printed with four digits, and the
# number of classes. Return one word for each epoch: `"impossible"` if no mean cross-entropy can go with that accuracy
# (lesson 01); else `"miscalibrated"` if calibrated predictions could not cost as much (lesson 05); else `"possible"`.
# Let less than 0.001 beyond a bound pass for rounding. Accuracies below chance are judged as chance in lesson 05's
# bound.


# %% tags=["exercise"]
def judged(loss, accuracy, classes): ...


lesson.check("judged", judged)


# %% tags=["solution", "nbval-check-output"]
def judged_solution(loss, accuracy, classes):
    least = (1 - accuracy) * np.log(2)
    _, most = calibrated_loss(np.maximum(accuracy, 1 / classes), classes=classes)
    words = np.where(loss > most + 0.001, "miscalibrated", "possible")
    return np.where(loss < least - 0.001, "impossible", words)


lesson.check("judged", judged_solution)

# %% [markdown]
# **2. Noise about a bend.** Second differences mistake a bend for noise. Estimate the standard deviation from *third*
# differences, of which a parabola leaves nothing. They are `np.diff(values, 3)`, each made of four values as
# $d - 3c + 3b - a$. Take the median of their sizes, times 1.4826. By which number must it be divided?


# %% tags=["exercise"]
def noise_of(values): ...


lesson.check("noise_of", noise_of)


# %% tags=["solution", "nbval-check-output"]
def noise_of_solution(values):
    return 1.4826 * np.median(np.abs(np.diff(values, 3))) / np.sqrt(20)  # 1 + 9 + 9 + 1


lesson.check("noise_of", noise_of_solution)

# %% [markdown]
# **3. Forge a log.** Write down ten epochs of a training with five classes, an array of shape (2, 10) with losses in
# the first row and accuracies in the second, so that the clinic's first finding is `double-softmax`. (Lesson 03: which
# sum stays where it is? And let the accuracy rise far enough that no other cause fits as well: try it.)

# %% tags=["exercise"]
forged = ...  # an array of shape (2, 10)

lesson.check("forged", forged)

# %% tags=["solution", "nbval-check-output"]
rising = np.linspace(0.4, 0.95, 10)
forged_solution = np.stack([np.log(np.e + 4) - rising, rising])

lesson.check("forged", forged_solution)

# %% [markdown]
# **4. A mystery.** These are the curves of a network of two classes, on 500 validation samples. Name a slug that fits,
# and epochs that show it. Answer with a pair: the slug, and three epochs or more. Do it before you ask the clinic. (A
# slug has hyphens where the name of a rule has underscores; both are taken.)

# %%
curves = mystery_curves()
printed = {f"{part} {name}": getattr(curves[part], name) for part in curves for name in ("loss", "accuracy")}
log = read({name.replace("training ", "").replace("validation", "val"): list(row) for name, row in printed.items()})
logs_figure({"a training of two classes": log}, title="What is wrong, and which epochs show it?")

# %% tags=["exercise", "transfer"]
mystery = ...  # ("a slug", [epochs])

lesson.check("mystery", mystery)

# %% tags=["solution", "nbval-check-output"]
jumps = np.flatnonzero(spikes.find_spikes(log.validation_loss)) + 1  # epochs count from 1
mystery_solution = ("batch-norm-statistics", jumps)

lesson.check("mystery", mystery_solution)

# %%
print(*diagnose(log, classes=2, validation_size=500).best.evidence, sep="\n")

# %% [markdown]
# **5. The last mystery: four trainings.** P, Q, R and S are logs of four networks, and nobody tells you what was done
# to them. Name the slug of each, and the number that speaks most for it. Each number comes from a different one of
# these five tools, and one tool is of no use here:
#
# - lesson 01: the most nats by which a loss lies below the floor of its accuracy;
# - lessons 02 and 03: the most standard errors by which the validation accuracy lies below what guessing would get, in
#   the epochs in which training is above that already. (Guessing among all classes, on as many samples as validation
#   has. An untrained network may well be worse than guessing; one that has begun to learn should not be.)
# - lesson 03: what the mistake you suspect makes of a network that gives every class the same probability;
# - lesson 05: by how many nats the last validation loss exceeds the most that calibrated predictions of that accuracy
#   cost;
# - lesson 07: what a constant answer costs on the training samples, if it knows how frequent the classes are among
#   them.
#
# What a number needs stands in the logs and in the lines below; give three decimals. `four["P"].log` has `loss`,
# `accuracy`, `validation_loss` and `validation_accuracy`. You may ask the clinic. But it has no more than the curves,
# and it gets some of the four wrong; here you know a little more.

# %%
four = four_trainings()
for name, one in four.items():
    kept = one.log
    print(f"{name}: {one.classes} classes, {one.training_samples} training and", end=" ")
    print(f"{one.validation_samples} validation samples. {one.known}")
    for k in (0, len(kept.epochs) // 2, -1):
        trained, unseen = (kept.loss[k], kept.accuracy[k]), (kept.validation_loss[k], kept.validation_accuracy[k])
        print(f"   epoch {kept.epochs[k]:2}: loss {trained[0]:.4f}, accuracy {trained[1]:.4f};", end=" ")
        print(f"validation {unseen[0]:.4f}, {unseen[1]:.4f}")
logs_figure({name: four[name].log for name in "PQ"}, title="Which cause, and which number speaks for it?")

# %%
logs_figure({name: four[name].log for name in "RS"}, title="Which cause, and which number speaks for it?")

# %% tags=["exercise", "transfer"]
finale = ...  # [("slug", number), ...] for P, Q, R and S, in this order

lesson.check("finale", finale)

# %% tags=["solution", "nbval-check-output"]
p, q, r, s = four.values()
share, chance = p.log.accuracy[-1], 1 / r.classes
constant = -share * np.log(share) - (1 - share) * np.log(1 - share)
untrained = np.log(np.e + q.classes - 1) - 1 / q.classes  # the first batch cost about that, and more than ln 7
lowest = r.log.validation_accuracy[r.log.accuracy > chance].min()
one_error = np.sqrt(chance * (1 - chance) / r.validation_samples)
_, ceiling = calibrated_loss(s.log.validation_accuracy[-1], classes=s.classes)
finale_solution = [
    ("constant-predictor", constant),
    ("swapped-arguments", untrained),
    ("unshuffled-validation-split", (chance - lowest) / one_error),
    ("overconfidence", s.log.validation_loss[-1] - ceiling),
]
lesson.check("finale", finale_solution)

# %% [markdown]
# <details>
# <summary>What the four were, when you have them</summary>
#
# - **P**: is a digit an eight? Every pixel was set to 0, as a wrong scaling may do. The loss ends where a constant
#   answer's must, so nothing was learned of the images; and on the validation samples the same constant costs what is
#   printed there. (`class-imbalance` is taken, too: unequal classes are why so many are right. But its cure, another
#   threshold, would cure nothing here. In lesson 07, where something was learned, the loss fell below that number.)
# - **Q**: the digits 0 to 6, with labels and probabilities swapped. The clinic's first name is its twin. What the first
#   batch cost tells them apart: an untrained network behind two softmax layers would cost ln 7, which is less.
# - **R**: lesson 02's irises, sorted. All validation flowers are of one species, the rarest in training. Training is
#   above guessing while validation is at 0, which is hardly chance. (The flowers of one species go wrong together, so
#   the standard errors overstate it.) The clinic thinks of BatchNormalization, which this network does not have; and
#   labels in a wrong order would keep validation low, while here most are right in the end.
# - **S**: lesson 03's network, with ten photographs of each class to learn from. The number proves a misfit. Its
#   direction is plain as well, unlike in lesson 05: the last validation loss is above ln 13, so flatter probabilities
#   would cost less. It is not `overfitting`: the validation accuracy does not fall.
#
# </details>

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
lesson.quiz("score")

# %% tags=["quiz"]
lesson.quiz("bound")

# %% tags=["quiz"]
lesson.quiz("alike")

# %% tags=["quiz"]
lesson.quiz("copies")

# %% tags=["quiz"]
lesson.quiz("healthy")

# %% [markdown]
# ## Verdicts
#
# | claim | verdict | decided by |
# |---|---|---|
# | The validation loss rises, so it overfits. | **Its loss overfits**, which need not harm the answers. In case 3 about as many are right; at the end some 0.2 nats are owed to probabilities that do not fit, up to the luck of sampling. | a change larger than its noise |
# | The loss is small, so it has learned. | **No.** In case 2 it is smaller than any log loss could be at that accuracy: it is another loss. | a number that cannot be |
# | The accuracy is what counts; never mind the loss. | **No.** In case 1 the accuracy looks like a common class; the loss names the cause. | a number that names its cause |
# | From the curves one can tell what is wrong. | **In part.** Fingerprints and bounds leave few causes; trends only rank what to try; copies need the samples, and so do wrong labels. (This clinic suspects those only if labels are clean somewhere; in lesson 03 the costliest samples showed them without.) | as a training grows; how often is it right; with every sample; what a clinic cannot know |
# | An alarm of a tool that is right in 96% is right in 96%. | **No.** It depends on how many of those who come are ill, and on the false alarms. | alarms that are right |
#
# **Write the reply you would post** to the asker of case 3, whose thread says "overfitting". Take five minutes before
# you open the rubric.
#
# <details>
# <summary>A good reply ...</summary>
#
# - quotes the epoch from which the loss rises, and by how much, and that the accuracy stands;
# - says that the answers have become dearer and about as many are right, and that some 0.2 nats are owed to
#   probabilities that do not fit;
# - names the experiment: fit a temperature on one half of the validation samples, and look at the other;
# - says what depends on the purpose: for the most right answers little is lost by training on, for probabilities much
#   is;
# - promises no cause that only the samples could show.
#
# </details>

# %% [markdown]
# ## Take away
#
# First ask whether the numbers can be what they are called: the floor and the fingerprints settle that at once. Then
# ask whether a change is larger than its noise, and which two causes would leave the same marks. And let the
# experiment have the last word, not the score.
#
# **Read on**
#
# - A. Karpathy, ["A recipe for training neural networks"](https://karpathy.github.io/2019/04/25/recipe/), 2019.
# - E. Schoop, F. Huang, B. Hartmann, ["UMLAUT: debugging deep learning programs using program structure and model
#   behavior"](https://doi.org/10.1145/3411764.3445538), CHI 2021.
# - F. Schneider, F. Dangel, P. Hennig, ["Cockpit: a practical debugging tool for the training of deep neural
#   networks"](https://arxiv.org/abs/2102.06604), NeurIPS 2021.
# - C. Northcutt, L. Jiang, I. Chuang, ["Confident learning: estimating uncertainty in dataset
#   labels"](https://doi.org/10.1613/jair.1.12125), *JAIR* 70, 2021.

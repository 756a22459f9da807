# %% [markdown]
# # 03 Low loss, low accuracy: a noisy CNN
#
# ## The question
#
# You train a small convolutional network to sort images into thirteen classes. The loss goes down, step after step,
# as it should. The accuracy rises a little and falls back. The loss is low and so is the accuracy: how can both be?
#
# Somebody asked this in public, with a few lines of TensorFlow and two plots, and without a single number of loss or
# accuracy. The answer that was published said that a loss need not have anything to do with accuracy. In this lesson
# you train that network, learn which of its wiggles mean something, find several causes that give the asker's
# picture, and go through the losses that are not what their author thinks they are.
#
# **What you need first:** lesson 01 (what a loss permits), lesson 02 (crossings, replicas, Wilson's interval), and
# enough Keras to read `compile` and `fit`. The next cell loads TensorFlow, which takes about ten seconds; if another
# lesson's kernel still runs, shut it down first (menu *Kernel*).
#
# <details>
# <summary>All that the asker stated</summary>
#
# ```python
# # TensorFlow; 6,000 training images of 150 x 200; 13 classes; 3 convolutional layers, 1 fully connected layer
# # dropout 25%, learning rate 0.0001
# cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(pred, y))
# # plots of loss and accuracy over steps: blue for training images, orange for validation images
# ```
#
# Not stated: the version of TensorFlow, the optimizer, the size of a batch, the number of filters and steps, how many
# validation images there were and what the images showed. In this course colours mean something else: loss is
# vermilion, accuracy is blue, training is solid and validation dashed.
#
# </details>

# %%
from lossacc_helpers.course.lesson_03 import lesson, mystery
from lossacc_helpers import datasets, figures, recordings, training
from lossacc_helpers import accuracy_change_interval, accuracy_standard_error, attainable_accuracy, wilson_interval
from lossacc_helpers import double_softmax_loss, double_softmax_range, swapped_logits_loss, swapped_softmax_loss

import inspect
import math
import warnings
from functools import partial

import keras
import numpy as np
import tensorflow as tf

# %% [markdown]
# Here is a picture like the asker's, from a training at the asker's size: 6,000 images of 150 x 200, thirteen
# classes, the network and the rate as stated. It ran once, for several minutes, and was recorded.

# %%
recorded = recordings.load("lesson_03_full_scale")
figures.loss_and_accuracy_curves(
    recorded, title="Training loss falls; validation accuracy rises and falls back", chance_accuracy=1 / 13
)

# %% [markdown]
# Something is wrong with the data of this training, and you will be told what. First make up your own mind.

# %% [markdown]
# ## Commit
#
# Put your money down twice, before you look closer.

# %% tags=["commit"]
lesson.commit("cause")

# %% tags=["commit"]
lesson.commit("spread")

# %% [markdown]
# ## Look
#
# The asker's curves were drawn over steps, not epochs: one point for each batch. The same training is below, read
# that way. Thin lines are single points, the bold one is their moving average, and the pale band around the dashed
# validation curve is Wilson's interval. Five letters stand at movements that somebody might read something into.
#
# 1. Leave everything as it is. How much does accuracy move from one batch to the next? Then take 512 samples a point,
#    then 6,000. Which part of the unrest was the network, and which was counting?
# 2. Go back to batches and turn up the **smoothing**. What do you gain, and what happens at the left end?
# 3. Press **draw other validation samples** a few times, with 50 of them and with 1,000.
# 4. Tick the letters that mean something more than noise, as far as *this* reading can tell. Then let yourself be
#    told, and change the two sizes: the same movement can be out of reach for one reading and plain for another.

# %% tags=["explorer"]
lesson.explorer()

# %% [markdown]
# ## Compute and explain
#
# ### The images
#
# The asker's images are not known. Ours are grey crops of thirteen photographs, and the class is the photograph. Each
# photograph is cut in two; training crops come from one part, validation crops from the other.

# %%
photographs = datasets.photographs(label_noise=0.4)
figures.crops_page(photographs, title="Which photograph is it from? Four labels in ten were drawn anew")

# %% [markdown]
# There it is: in this training 40% of the labels, in both parts, were replaced by random ones. No network can know
# them, so the best accuracy on the labels as told is well below 1.

# %% tags=["nbval-check-output"]
crops, labels = photographs.validation
print(f"validation labels that are the true class: {np.mean(labels == crops.sources):.3f}")
print(f"expected: 0.6 + 0.4 / 13 = {0.6 + 0.4 / 13:.3f}")

# %% [markdown]
# One more thing to know about these images, before any interval is computed from them.

# %%
figures.regions_page(photographs, names=("chelsea", "coffee"), title="Crops of one photograph overlap")

# %% tags=["nbval-check-output"]
apart = sum(region.apart(crops.size) for _, region in photographs.regions)
places = {(source, *corner) for source, corner in zip(crops.sources, crops.offsets.tolist())}
print(f"{len(crops)} validation crops were taken, from {len(places)} different places;")
print(f"{apart} would fit side by side without overlapping")

# %% [markdown]
# Overlapping crops are not independent samples, and a few are even the same. The intervals of this lesson take them
# for independent: they speak about more crops from the same parts of the same photographs, and say nothing about new
# photographs. And the two parts of a photograph show different things, a wall here and a cup there. Some of the
# distance between training and validation is that difference, and no network can be blamed for it.

# %% [markdown]
# ### The network, live
#
# Stated were three convolutions, one dense layer, 25% dropout and thirteen classes. Sixteen and 32 filters, the
# pooling, Adam and batches of 32 are our choices. To be done in seconds, crops are small here, and the rate is ten
# times the asker's.

# %%
small = datasets.photographs(size=(30, 40), train_samples=1300, validation_samples=650, label_noise=0.4)


def build_model():
    convolve = partial(keras.layers.Conv2D, kernel_size=3, padding="same", activation="relu")
    pool = keras.layers.MaxPooling2D
    seeing = [convolve(16), pool(), convolve(32), pool(), convolve(32)]
    deciding = [keras.layers.Flatten(), keras.layers.Dropout(0.25), keras.layers.Dense(13)]
    return keras.Sequential([keras.Input((30, 40, 1)), *seeing, *deciding])


# %%
keras.utils.set_random_seed(0)
model = build_model()
from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.001), loss=from_logits, metrics=["accuracy"])
beliefs = training.RecordPredictions(small.train, small.validation, batch_size=130)
steps = training.RecordSteps()
batches = training.stream(small.train, batch_size=32, epochs=16, seed=0)  # crops are cut as they are needed
model.fit(batches, epochs=16, steps_per_epoch=41, shuffle=False, verbose=0, callbacks=[beliefs, steps])
figures.loss_and_accuracy_curves(
    beliefs.run, title="Seconds instead of minutes: the same network on small crops", chance_accuracy=1 / 13
)

# %% [markdown]
# Two callbacks watched. `RecordPredictions` asks the network about every image after each epoch, with dropout off.
# `RecordSteps` keeps what training itself reported: the loss of each batch, before the network has learned from it,
# with dropout on. That second record is what the asker plotted.

# %% [markdown]
# ### The same at the asker's scale
#
# The recording holds the same two records of the big training. Its crops were cut batch by batch too, with
# `training.stream`: all of them at once would fill a small machine.

# %%
settings, made = recorded.settings, recorded.provenance
print(f"{settings['data']['train_samples']} images of {settings['data']['size']}, rate {settings['rate']:g},")
print(f"dropout {settings['dropout']:.0%}, batches of {settings['batch_size']}, {settings['epochs']} epochs,")
print(f"{recorded.steps.steps} steps in {made['seconds'] / 60:.0f} minutes on {made['machine']}, {made['date'][:10]},")
print(f"TensorFlow {made['tensorflow']}, Keras {made['keras']}; made by {made['made by']}")
print(f"all crops at once, as floats: {4 * np.prod(photographs.train[0].shape) / 1e6:.0f} MB")

# %% tags=["nbval-check-output"]
reported, validation = recorded.steps.epoch_loss, recorded.validation
best = int(validation.accuracy.argmax())
print(f"reported training loss: {reported[0]:.2f} to {reported[-1]:.2f}, ")
print(f"falling in {(np.diff(reported) < 0).sum()} of {len(reported) - 1} steps from epoch to epoch")
print(f"validation accuracy: {validation.accuracy[0]:.3f} after epoch 1, {validation.accuracy[best]:.3f} after epoch")
print(f"{best + 1}, {validation.accuracy[-1]:.3f} after epoch {recorded.epochs}")

# %% [markdown]
# That is the asker's picture, with everything that was stated kept as stated. What cannot be compared is the validation
# *loss*: ours rises again after its least value, and the question does not say whether the asker's did.

# %% [markdown]
# ### "The loss decreases after every iteration"
#
# So the published answer said. Count.


# %% tags=["nbval-check-output"]
def falls(curve):
    return (np.diff(curve) < 0).mean()


for count in (32, 128, 512, 6000):
    points = recorded.steps.grouped(count)
    print(f"{count:5} samples a point: the loss falls in {falls(points.losses):4.0%} of the steps", end=", ")
    print(f"accuracy rises in {falls(-points.accuracy):4.0%}")

# %% [markdown]
# From batch to batch the loss falls about as often as it rises: each batch holds other images, and their difference
# is larger than what one step teaches. Is it at least true for the same images, before and after a step? Ask the
# small network for one more epoch: after each step, the batch that it learned from and 100 images that it is not
# learning from at the moment.

# %%
images, told = small.train[0][:], small.train[1]


def cost(rows):
    return float(from_logits(told[rows], model(images[rows])))  # called like this, a model drops no features


fell = []
for rows in np.array_split(np.random.default_rng(0).permutation(1300), 41):
    others = np.setdiff1d(np.arange(1300), rows)[::12][:100]
    before = cost(rows), cost(others)
    model.train_on_batch(images[rows], told[rows])
    fell.append([cost(rows) < before[0], cost(others) < before[1]])

# %%
for what, share in zip(("the batch itself", "other images"), np.mean(fell, axis=0)):
    low, high = wilson_interval(share, 41)
    print(f"{what}: the loss fell in {share:.0%} of 41 steps, 95% interval {low:.0%} to {high:.0%}")

# %% [markdown]
# A step nearly always lowers the loss of the batch it was computed from. For other images the interval holds one half:
# as far as 41 steps can tell, a coin. So the claim is **false** as it stands; what falls steadily is an average over
# many steps.

# %% [markdown]
# ### Which wiggles mean something?
#
# Accuracy on $n$ samples moves on a grid of $1/n$, with a standard error of $\sqrt{a(1-a)/n}$.

# %% tags=["nbval-check-output"]
for count in (32, 128, 512, 1300, 6000):
    error = accuracy_standard_error(0.3, count)
    print(f"{count:5} samples: a grid of {1 / count:.4f}, standard error {error:.3f} at an accuracy of 0.3")

# %%
readings = np.random.default_rng(0).binomial(32, 0.3, size=(100_000, 10)) / 32  # ten batches, many times over
spread = 100 * np.median(np.ptp(readings, axis=1))
lesson.recall("spread", came_out=f"{spread:.0f} percentage points, the median of 100,000 tries.")

# %% [markdown]
# That is for a network that does not change at all. A batch accuracy that jumps by twenty points says nothing about
# the network, and ten of them in a row say little.
#
# Now the fall in validation accuracy of the recorded training. One trap first: whoever looks for the best epoch finds
# one that was good partly by luck, and from there any curve falls. So choose the epoch on one half of the images, and
# judge the fall on the other half.
#
# Two intervals that overlap decide nothing here, for both epochs are asked about the *same* images. What counts is who
# crossed: how many became right, how many wrong (lesson 02).

# %% tags=["nbval-check-output"]
start = int(validation.correct[:, ::2].mean(axis=1).argmax())  # chosen on every other image ...
before, after = validation.correct[[start, -1], 1::2]  # ... and judged on the rest
for epoch, right in ((start + 1, before), (recorded.epochs, after)):
    low, high = wilson_interval(right.mean(), len(right))
    print(f"epoch {epoch:2}: accuracy {right.mean():.3f}, 95% interval {low:.3f} to {high:.3f}")
low, high = accuracy_change_interval(before, after)
print(f"{(~before & after).sum()} images became right, {(before & ~after).sum()} became wrong")
print(f"change {after.mean() - before.mean():+.3f}, 95% interval {low:+.3f} to {high:+.3f}")

# %% [markdown]
# With 650 images the fall is real. What would somebody have seen who had fewer? Draw some of the 650, many times over,
# and count how often the interval of the change leaves out 0.

# %% tags=["nbval-check-output"]
generator = np.random.default_rng(0)
for samples in (32, 50, 100, 200, 400):
    drawn = np.argsort(generator.random((2000, 650)), axis=1)[:, :samples]
    _, high = accuracy_change_interval(before[drawn], after[drawn])
    print(f"{samples:3} images: the fall is noticed in {(high < 0).mean():4.0%} of 2,000 draws")

# %% [markdown]
# The same network, the same fall, and it depends on the number of images whether it can be seen. A question that does
# not say how many there were cannot be answered.

# %% [markdown]
# ### "Low" against what?
#
# The asker's loss was called low, without a number. There are two things to hold a loss against. One is chance:
# thirteen classes, all equally likely, cost $\ln 13$. The other is lesson 01: a loss below that permits only so
# little accuracy.

# %% tags=["nbval-check-output"]
print(f"chance: loss ln 13 = {math.log(13):.3f}, accuracy 1/13 = {1 / 13:.3f}")
for loss in (2.5, 1.5, 0.69, 0.3, 0.1):
    least, greatest = attainable_accuracy(loss)
    print(f"loss {loss:4}: accuracy from {least:.3f} to {greatest:.3f}")

# %% [markdown]
# A cross-entropy that is truly low cannot go with a very low accuracy *on the same images*. So either the low loss was
# of training images and the low accuracy of validation images, or "low" meant "lower than at the beginning", or the
# loss was not the cross-entropy. The rest of this lesson takes the three in turn.

# %% [markdown]
# ### Which causes give the asker's picture?
#
# Six candidates, recorded as well: 48 trainings of the asker's network, eight for each, on crops of 45 x 60 and at a
# rate of 0.001 (`tools/record_lesson_03.py` says the rest). The seventh is no training at all: the healthy networks
# once more, read on a single batch of 32 validation images.

# %%
files = {"nothing wrong": "nothing_wrong", "wrong labels": "label_noise", "few images": "small_data"}
files |= {"75% dropped": "keep_prob", "arguments swapped": "swapped_logits", "swapped, softmax": "swapped_softmax"}
causes = {name: recordings.load(f"lesson_03_{file}") for name, file in files.items()}
curves = {name: (run.steps.epoch_loss, run.validation.accuracy) for name, run in causes.items()}
healthy = causes["nothing wrong"]
curves["read on 32 images"] = healthy.steps.epoch_loss, healthy.validation.correct[..., :32].mean(axis=-1)
figures.causes_figure(curves, title="Seven causes, one question: whose picture is the asker's?", chance=1 / 13)


# %%
def parts(accuracy):
    """Network by network: mean accuracy at the start, in the second quarter of the epochs, and in the last."""
    n = accuracy.shape[1]
    return [accuracy[:, part].mean(axis=1) for part in (slice(0, 2), slice(n // 4, n // 2), slice(3 * n // 4, n))]


pictured = {}
print("                   loss falls in   accuracy, three parts    rises and falls back   best - last")
for name, (loss, accuracy) in curves.items():
    start, middle, end = parts(accuracy)
    pictured[name] = int(((middle > start) & (middle > end)).sum())
    means = ", ".join(f"{part.mean():.2f}" for part in (start, middle, end))
    lost = np.median(accuracy.max(axis=1) - accuracy[:, -1])
    print(f"{name:18} {falls(loss):5.0%}           {means}          {pictured[name]} of 8 networks        {lost:.2f}")

# %% tags=["nbval-check-output"]
others = max(count for name, count in pictured.items() if name != "wrong labels")
print("wrong labels give the picture in every network:", pictured["wrong labels"] == 8)
print("no other cause gives it in more than half of them:", others <= 4)
assert pictured["wrong labels"] == 8 and others <= 4

# %%
count = pictured["wrong labels"]
lesson.recall("cause", came_out=f"wrong labels in {count} of 8 networks, nothing else in more than {others}.")

# %% [markdown]
# **Wrong labels** give the picture, every time. A network first learns what the labels have in common, and then the
# exceptions, one by one; the exceptions help nobody else.
#
# **Too few images**, ten of each class, do harm, but not this harm: accuracy stays low and goes on rising.
# **75% dropped** is what somebody gets who writes "25% dropout" as `keep_prob=0.25`: in TensorFlow 1 that was the share
# that is *kept*. It slows the training and does validation no harm. **Swapped arguments** of the loss stay at chance,
# or get stuck; what they compute comes further down.
#
# And look at the last column. Best minus last is above 0 for nearly everything, healthy networks included: the best of
# 24 readings is the best partly by luck. By that measure the healthy networks read on 32 images fall back furthest of
# all. That is why the table compares means over stretches of the curve, the same stretches for every cause.
#
# What was published cannot tell wrong labels from a misfortune in counting, because the number of validation images
# is missing; and it cannot exclude a mixture. What would settle it? If labels are wrong, they can be found: early in
# the training, before they are learned by heart, they cost most.

# %% tags=["nbval-check-output"]
crops, labels = photographs.train
redrawn = labels != crops.sources  # nobody but us can know this
for epoch in (6, 24):
    costly = np.argsort(recorded.train.sample_losses[epoch - 1])[-600:]
    print(f"epoch {epoch:2}: {redrawn[costly].mean():.0%} of the 600 costliest images have a wrong label;", end=" ")
    print(f"two thousand: {redrawn[np.argsort(recorded.train.sample_losses[epoch - 1])[-2000:]].mean():.0%}")
print(f"of all images {redrawn.mean():.0%} have one")

# %% [markdown]
# Sort your training images by what they cost at the peak of validation accuracy, and look at the first page. That is
# the experiment to suggest to the asker. And with every label true, the same training goes like this:

# %%
clean = recordings.load("lesson_03_full_scale_clean")
figures.loss_and_accuracy_curves(clean, title="Every label true: accuracy rises and stays", chance_accuracy=1 / 13)

# %% [markdown]
# ### Losses that are not what their author thinks
#
# The asker's loss was this line:
#
# ```python
# cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(pred, y))
# ```
#
# Which of the two arguments comes first? The function itself can tell.

# %% tags=["nbval-check-output"]
cross_entropy = tf.nn.softmax_cross_entropy_with_logits
print(inspect.signature(cross_entropy))

# %% [markdown]
# Labels come first. Pasted into TensorFlow 2, the asker's line hands over the predictions as labels, and nothing
# complains. This is one of several slips that run without a word. You make them on purpose now, on the handwritten
# digits of scikit-learn: 8 x 8 pixels, ten classes, one hidden layer, 20 epochs, eight random seeds. The sizes are
# ours, chosen so that each training takes about two seconds.
#
# The last layer has no activation. What it gives out are **logits**, `z` below: any numbers, one for each class.
# Softmax makes probabilities of them. `y` are the labels as **one-hot** rows: 1 for the true class, 0 for the others.

# %%
digits = datasets.digits()
images, labels = digits.train
one_hot = np.eye(10, dtype="float32")[labels]


def digit_network():
    hidden = keras.layers.Dense(32, activation="relu")
    return keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10)])


adam = keras.optimizers.Adam(0.001)


def train_digits(loss, network=digit_network, optimizer=adam, labels=labels):
    settings = dict(replicas=8, epochs=20, batch_size=32, optimizer=optimizer, loss=loss)
    return training.fit_replicas(network, (images, labels), **settings)


# %% [markdown]
# First the right way. Arguments with names cannot be confused.


# %%
def right(y, z):
    return cross_entropy(labels=y, logits=z)


def spread(values):
    return f"median {np.median(values):,.2f}, from {np.min(values):,.2f} to {np.max(values):,.2f}"


healthy = train_digits(right).train
print("an undecided network costs ln 10 =", np.log(10).round(3))
print("loss after the last epoch:    ", spread(healthy.loss[:, -1]))
print("accuracy after the last epoch:", spread(healthy.accuracy[:, -1]))

# %% [markdown]
# #### Swapped: `cross_entropy(z, y)`
#
# Cross-entropy is the sum of label times minus log-probability. Now the logits stand in for the labels, and softmax
# is taken of the one-hot row. Softmax turns its 1 into $e/(e+9)$ and each 0 into $1/(e+9)$. What is left is
#
# $$\ln(e+9)\,\sum_j z_j \;-\; z_{\text{true}}.$$
#
# Check the formula, and look at the gradient by the logits.

# %% tags=["nbval-check-output"]
z = tf.Variable(np.random.default_rng(0).normal(0, 3, (64, 10)).astype("float32"))
y = one_hot[:64]
with tf.GradientTape() as tape:
    reported = cross_entropy(z, y)
slope = tape.gradient(reported, z).numpy()
print("the formula holds:", np.allclose(reported, swapped_logits_loss(labels[:64], z.numpy()), atol=1e-4))
own, others = (np.unique(slope[y == which].round(3)) for which in (1, 0))
print("gradient at the true class:", own, "and at the other classes:", others)

# %% [markdown]
# The gradient is the same whatever the network predicts. It pushes every logit down, the true one a little less, and
# nothing ever pulls back. So the loss has no floor. Train it. The record keeps probabilities, and probabilities do
# not know the sum of the logits, so compute the logits from the final weights.


# %%
def swapped(y, z):
    return cross_entropy(z, y)


run = train_digits(swapped)
w1, b1, w2, b2 = run.final  # one row for each of the eight networks
logits = np.maximum(images @ w1 + b1[:, None], 0) @ w2 + b2[:, None]
swapped_end, swapped_accuracy = swapped_logits_loss(labels, logits).mean(axis=-1), run.train.accuracy
print("reported loss at the end:", spread(swapped_end))
print("accuracy at the end:     ", spread(swapped_accuracy[:, -1]))
print("digits the networks answer with:", [len(np.unique(row)) for row in logits.argmax(axis=-1)])

# %% [markdown]
# And what would the asker have seen? Here is what `fit` prints for one network.

# %%
keras.utils.set_random_seed(0)
pasted = digit_network()
pasted.compile(keras.optimizers.Adam(0.001), loss=swapped, metrics=["accuracy"])
printed = pasted.fit(images, one_hot, epochs=20, batch_size=32, verbose=0).history
for epoch in (1, 5, 10, 20):
    print(f"epoch {epoch:2}: loss {printed['loss'][epoch - 1]:10.1f}   accuracy {printed['accuracy'][epoch - 1]:.3f}")

# %% tags=["nbval-check-output"]
chance = bool(0.03 < swapped_accuracy[:, -1].min() <= swapped_accuracy[:, -1].max() < 0.15)
print("the printed loss falls in every epoch:", bool((np.diff(printed["loss"]) < 0).all()))
print("in all eight networks it ends below -5000:", bool((swapped_end < -5000).all()))
print("and accuracy ends between 0.03 and 0.15:", chance)
assert (np.diff(printed["loss"]) < 0).all() and (swapped_end < -5000).all() and chance

# %% [markdown]
# Falling loss, accuracy at chance: close to the title of this lesson. Is chance part of the fingerprint, then? Take
# the hidden layer away and train with plain gradient descent.


# %%
def linear_network():
    return keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)])


run = train_digits(swapped, linear_network, keras.optimizers.SGD(0.1))
weights, biases = run.final
linear_end = swapped_logits_loss(labels, images @ weights + biases[:, None]).mean(axis=-1)
linear_accuracy = run.train.accuracy[:, -1]
print("reported loss at the end:", spread(linear_end))
print("accuracy at the end:     ", spread(linear_accuracy))

# %% tags=["nbval-check-output"]
learned = bool(0.65 < linear_accuracy.min() <= linear_accuracy.max() < 0.82)
print("swapped, linear, plain gradient descent: loss below -40000:", bool((linear_end < -40000).all()))
print("and accuracy between 0.65 and 0.82:", learned)
assert (linear_end < -40000).all() and learned

# %% [markdown]
# The same mistake, a loss far below zero, and most digits are right. The push is uneven: the weights of each class are
# pushed down by all images, a little less by its own. The common part changes no answer, and what remains compares an
# image with the mean image of each class.
#
# So accuracy tells you nothing here. The sign of the loss does: a cross-entropy between probabilities is never
# negative. **Fix:** name the arguments, `cross_entropy(labels=y, logits=z)`.

# %% [markdown]
# #### Swapped after a softmax: `cross_entropy(softmax(z), y)`
#
# Had the asker's `pred` gone through softmax before, its sum would be 1, and the same formula would give
# $\ln(e+9) - p_{\text{true}}$. Apart from a constant that is the loss $1 - p_{\text{true}}$, "the probability of being
# wrong". Equal up to a constant means equal gradients.


# %%
def swapped_softmax(y, z):
    return cross_entropy(tf.nn.softmax(z), y)


def one_minus_p_true(y, z):
    return 1 - tf.reduce_sum(y * tf.nn.softmax(z), axis=-1)


def gradient(loss):
    with tf.GradientTape() as tape:
        value = loss(y, z)
    return tape.gradient(value, z).numpy()


# %% tags=["nbval-check-output"]
beliefs = tf.nn.softmax(z).numpy()
formula = np.allclose(swapped_softmax(y, z), swapped_softmax_loss(labels[:64], beliefs), atol=1e-5)
p_true = beliefs[y == 1]
pull = np.allclose(-gradient(right)[y == 1], 1 - p_true) and np.allclose(
    -gradient(one_minus_p_true)[y == 1], p_true * (1 - p_true)
)
apart = np.abs(gradient(swapped_softmax) - gradient(one_minus_p_true)).max()
print("the formula holds:", formula, "  gradients equal within 0.000001:", bool(apart < 1e-6))
print("the pull at the true logit is 1 - p_true with the right loss, p_true (1 - p_true) with this one:", pull)
assert formula and apart < 1e-6 and pull

# %%
after_softmax, plain = train_digits(swapped_softmax).train, train_digits(one_minus_p_true).train
away = np.abs(after_softmax.probabilities - plain.probabilities).max(axis=(0, 2, 3))  # the largest in each epoch
for epoch in (1, 5, 10, 20):
    print(f"epoch {epoch:2}: all probabilities of the two trainings agree within {away[epoch - 1]:.7f}")
swapped_reports = swapped_softmax_loss(labels, after_softmax.probabilities).mean(axis=-1)
print("what the first reports at the end: ", spread(swapped_reports[:, -1]))
print("what the second reports at the end:", spread(1 - plain.true_probabilities[:, -1].mean(axis=-1)))
print("accuracy at the end:               ", spread(after_softmax.accuracy[:, -1]))

# %% [markdown]
# Two losses that look unrelated train the same networks; rounding alone drives them apart, and late. Both learn, but
# not as well as with the right loss. Compare how hard each pulls at the true logit of a sample. (The last cell but one
# checked both formulas.)

# %%
print("p_true   right loss   1 - p_true")
for p in (0.5, 0.1, 0.01, 0.001):
    print(f"{p:6} {1 - p:12.3f} {p * (1 - p):12.3f}")


def worst_digit(history):
    """The mean probability that each network gives the true class, for the digit it does worst on."""
    return np.min([history.true_probabilities[:, -1, labels == digit].mean(axis=-1) for digit in range(10)], axis=0)


print("worst digit, network by network, right loss:", np.sort(worst_digit(healthy)).round(2))
print("worst digit, network by network, 1 - p_true:", np.sort(worst_digit(plain)).round(2))

# %% [markdown]
# Where a network is surely wrong, cross-entropy pulls hardest, and $1 - p_{\text{true}}$ has let go. A digit that loses
# out early can stay lost: in some networks its images get next to no probability of being what they are.

# %% tags=["nbval-check-output"]
floor, ceiling = double_softmax_range(10)
inside = bool(((swapped_reports > floor) & (swapped_reports < ceiling)).all())
print(f"ten classes: every value lies between {floor:.3f} and {ceiling:.3f}:", inside)
print("an undecided network reports", round(ceiling - 0.1, 3), "and not ln 10 =", np.log(10).round(3))
print("the two trainings agree within 0.0001 for five epochs:", bool(away[:5].max() < 1e-4))
print("the right loss loses no digit:", bool(worst_digit(healthy).min() > 0.5))
assert inside and away[:5].max() < 1e-4 and worst_digit(healthy).min() > 0.5

# %% [markdown]
# **Fingerprint:** the loss starts above chance and cannot come below its floor, however good the accuracy; with the
# mean probability of the true class it adds up to $\ln(e+9)$. **Fix:** keywords, and logits instead of the softmax.

# %% [markdown]
# #### Softmax twice: `cross_entropy(y, softmax(z))`
#
# The order is right, but the function takes softmax itself, as its name says. Probabilities go in as logits. They lie
# between 0 and 1, so the second softmax cannot be sure of anything: at best $e/(e+9)$ for the true class.


# %%
def double_softmax(y, z):
    return cross_entropy(y, tf.nn.softmax(z))


twice = train_digits(double_softmax).train
double_reports = double_softmax_loss(labels, twice.probabilities).mean(axis=-1)
print("the formula holds:", np.allclose(double_softmax(y, z), double_softmax_loss(labels[:64], beliefs), atol=1e-5))
print("an undecided network reports", double_softmax_loss([0], [[0.1] * 10]).round(3))
print("reported after the first epoch:", spread(double_reports[:, 0]))
print("reported after the last epoch: ", spread(double_reports[:, -1]))
print("accuracy after the last epoch: ", spread(twice.accuracy[:, -1]))

# %%
for name, history in (("right", healthy), ("softmax twice", twice), ("swapped after softmax", after_softmax)):
    reached = (history.accuracy >= 0.9).any(axis=-1)
    epochs = (history.accuracy >= 0.9).argmax(axis=-1) + 1
    print(f"{name}: accuracy after 5 epochs {np.median(history.accuracy[:, 4]):.2f} (median);", end=" ")
    print(f"0.9 is reached by {reached.sum()} of 8, in epoch {np.sort(epochs[reached])}")

# %% tags=["nbval-check-output"]
early = np.median(healthy.accuracy[:, 4]), np.median(twice.accuracy[:, 4])
inside = bool(((double_reports > floor) & (double_reports < ceiling)).all())
print(f"softmax twice: every value lies between {floor:.3f} and {ceiling:.3f}:", inside)
late = np.median(twice.accuracy[:, -1])
print("median accuracy after 5 epochs above 0.85 with the right loss, below twice:", bool(early[1] < 0.85 < early[0]))
print("median accuracy of softmax twice at the end above 0.85:", bool(late > 0.85))
assert inside and early[1] < 0.85 < early[0] and late > 0.85

# %% [markdown]
# It learns, later. **Fingerprint:** the loss starts at chance like the right one, and stops above a floor, whatever the
# accuracy. Once the network is sure of everything, loss plus accuracy is $\ln(e+9)$. **Fix:** hand over logits, or tell
# Keras `from_logits=False`. Keras's own loss class even notices, when it
# gets the output of a network that ends in softmax:

# %%
probable = keras.Sequential([digit_network(), keras.layers.Softmax()])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    value = keras.losses.CategoricalCrossentropy(from_logits=True)(y, probable(images[:64]))
print(caught[0].message if caught else "no warning")
probabilities = probable(images[:64]).numpy()
print(f"it returns {float(value):.4f}; softmax once would cost {-np.log(probabilities[y == 1]).mean():.4f}")

# %% [markdown]
# It warns, goes back to the logits that the softmax was made of, and computes the right loss.

# %% [markdown]
# #### Two thought experiments, run
#
# The published answer argued that a low loss need not mean a high accuracy, with two made-up losses. First, the
# **average of the predicted probabilities**: push it down, and it falls, and accuracy does not care. With softmax over
# ten classes the average is 0.1 whatever happens.


# %%
def mean_probability(y, z):
    return tf.reduce_mean(tf.nn.softmax(z), axis=-1)


run = train_digits(mean_probability)
constant, flat = run.train.probabilities.mean(axis=-1), run.train.accuracy
moved = max(np.abs(last - first).max() for first, last in zip(run.initial, run.final))
print(f"largest entry of the gradient by the logits: {np.abs(gradient(mean_probability)).max():.0e}")
print(f"largest move of any weight in 20 epochs:     {moved:.0e}")
print(f"largest change of any network's accuracy:    {np.abs(flat - flat[:, :1]).max():.4f}")

# %% [markdown]
# Nothing is learned. The weights stir a little all the same: the gradient is nothing but rounding, and Adam divides a
# gradient by its own usual size.
#
# With one sigmoid output there is something to push. Ask "is it a 3?", one unit, and the same average.


# %%
def sigmoid_network():
    hidden = keras.layers.Dense(32, activation="relu")
    return keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(1, activation="sigmoid")])


def mean_output(y, p):
    return tf.reduce_mean(p)


threes = (labels == 3).astype(int)
nonsense = train_digits(mean_output, sigmoid_network, labels=threes).train
nonsense_reports = nonsense.probabilities[..., 1].mean(axis=-1)
for epoch in (1, 2, 5, 20):
    values = (np.median(curve[:, epoch - 1]) for curve in (nonsense_reports, nonsense.accuracy, nonsense.loss))
    print("epoch {:2}: reported {:.5f}   accuracy {:.3f}   cross-entropy {:.3f}".format(epoch, *values))
print(f"share of digits that are no 3: {1 - threes.mean():.3f}")

# %% tags=["nbval-check-output"]
still = bool(np.abs(constant - 0.1).max() < 1e-6 and np.abs(flat - flat[:, :1]).max() < 0.01)
negative = bool(np.allclose(nonsense.accuracy[:, -1], 1 - threes.mean()))
print("softmax: the average stays at 0.1 and accuracy where it was:", still)
print("sigmoid: the average ends below 0.002:", bool((nonsense_reports[:, -1] < 0.002).all()))
print("sigmoid: accuracy ends at the share of digits that are no 3:", negative)
print("sigmoid: the cross-entropy of the same answers rises:", bool((nonsense.loss[:, -1] > nonsense.loss[:, 0]).all()))
assert still and negative and (nonsense_reports[:, -1] < 0.002).all()

# %% [markdown]
# It trains, smoothly, to "no, always". The answer's point stands: a loss falls to its floor, and a good-looking
# accuracy says nothing but how rare a 3 is. It is a point about losses that have nothing to do with the task. It is no
# account of cross-entropy: lesson 01 showed that a truly low cross-entropy forces a high accuracy.
#
# Second, **one minus the accuracy**: is that not what you want?


# %%
def one_minus_accuracy(y, z):
    return 1 - keras.metrics.categorical_accuracy(y, z)


model = digit_network()
model.compile(keras.optimizers.Adam(0.001), loss=one_minus_accuracy)
try:
    model.fit(images, one_hot, epochs=1, verbose=0)
except ValueError as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown]
# Accuracy asks which logit is largest. Nudge the weights a little and the answer stays the same: the gradient is zero
# wherever it exists, and TensorFlow has none to give. Of all mistakes in this table it is the only one that is refused.
# Lesson 06 asks what to train on when accuracy is what you care about.

# %% [markdown]
# #### The table in one picture

# %%
curves = {
    "cross_entropy(\n  labels=y, logits=z)": (healthy.loss, healthy.accuracy),
    "cross_entropy(z, y)": (printed["loss"], swapped_accuracy),
    "cross_entropy(\n  softmax(z), y)": (swapped_reports, after_softmax.accuracy),
    "1 - p_true": (1 - plain.true_probabilities.mean(axis=-1), plain.accuracy),
    "cross_entropy(\n  y, softmax(z))": (double_reports, twice.accuracy),
    "mean(softmax(z))": (constant.mean(axis=-1), flat),
    'mean(sigmoid(z))\n"is it a 3?"': (nonsense_reports, nonsense.accuracy),
}
ends = (floor, ceiling)
ranges = {"cross_entropy(\n  softmax(z), y)": ends, "cross_entropy(\n  y, softmax(z))": ends, "1 - p_true": (0, 1)}
figures.bugs_figure(curves, ranges=ranges, title="Seven losses that all fall or stand; one of them is cross-entropy")

# %% [markdown]
# On the left, what each loss reports, on an axis of its own; grey is all that it can report. On the right, accuracy.
# The second loss is what `fit` printed for one network; everything else is measured at the end of each epoch on eight.
#
# | you see | suspect | look at | fix |
# |---|---|---|---|
# | a negative loss | swapped, logits | the order of the arguments | keywords |
# | a loss that starts above chance and stops at a floor | swapped, after softmax | does it add up with the mean true probability? | keywords, logits |
# | a loss that starts at chance and stops at a floor | softmax twice | the last layer and `from_logits` | softmax once |
# | a loss that never moves | a constant | the gradient | another loss |
# | a loss near zero, accuracy equal to the largest share | a loss that ignores the labels | all answers alike? | another loss |
# | `No gradients provided` | a loss made of counts | argmax, rounding, comparisons in the loss | a loss of the probabilities |
#
# What was not shown: other data and other networks. The ranges are arithmetic and hold anywhere; how much slower a
# mistaken loss learns, and whether a digit is lost, belongs to these networks and these 20 epochs.

# %% [markdown]
# #### Was the asker's line wrong?
#
# It depends on the year. The same two words in brackets meant three things:
#
# | TensorFlow | `softmax_cross_entropy_with_logits(pred, y)` | how we know |
# |---|---|---|
# | before `1.0` | right: logits came first | the [upgrade script](https://github.com/tensorflow/tensorflow/blob/de41ddb5e8afe693ae96b051c7ddf2e098ed60cc/tensorflow/tools/compatibility/tf_upgrade.py) that ships with TensorFlow lists the old order: `"logits", "labels", "dim", "name"` |
# | `1.x` | refused: `Only call softmax_cross_entropy_with_logits with named arguments` | the [page for 1.0](https://www.tensorflow.org/versions/r1.0/api_docs/python/tf/nn/softmax_cross_entropy_with_logits) begins with `_sentinel=None`, "used to prevent positional parameters"; [a script with this very line](https://github.com/amitshekhariitbhu/AndroidTensorFlowMNISTExample/pull/2) ran on `0.11` and stopped on `1.0`, `1.2` and `1.3` |
# | `2.x` | swapped, without a word | the [page for 2.0](https://www.tensorflow.org/versions/r2.0/api_docs/python/tf/nn/softmax_cross_entropy_with_logits) says `labels, logits, axis=-1`; and the signature above |
#
# The page for 2.0 still says that "it is required to pass only named arguments". Nothing checks it any more. So the
# asker, whose run produced curves, either used a version before `1.0`, where the line was right, or did not paste the
# line that ran. Swapped arguments explain what the same line does today; they do not explain the asker's curves,
# unless the run was made with TensorFlow 2.
#
# In `1.x` the function also stopped gradients at its labels
# ([page for 1.15](https://www.tensorflow.org/versions/r1.15/api_docs/python/tf/nn/softmax_cross_entropy_with_logits)).
# That version is still there, under `tf.compat.v1`, and no longer insists on names. Swapped, it does this:

# %%
tf.get_logger().setLevel("ERROR")  # it is deprecated, and says so
with tf.GradientTape() as tape:
    old = tf.compat.v1.nn.softmax_cross_entropy_with_logits(z, y)
print("the formula holds here too:", np.allclose(old, swapped_logits_loss(labels[:64], z.numpy()), atol=1e-4))
print("its gradient by the network's output:", tape.gradient(old, z))

# %% [markdown]
# ## Your turn
#
# Each exercise is checked by its own cell. Run `lesson.hint("...")` with its name when you are stuck. The solutions
# are collapsed.
#
# **1. How many batches?** You want the accuracy of a training run with a standard error of at most `error`, and you
# expect it to be about `accuracy`. How many batches must you average?


# %% tags=["exercise"]
def batches_needed(accuracy, batch_size, error): ...


lesson.check("batches_needed", batches_needed)


# %% tags=["solution"]
def batches_needed_solution(accuracy, batch_size, error):
    samples = accuracy * (1 - accuracy) / error**2
    return math.ceil(samples / batch_size)


lesson.check("batches_needed", batches_needed_solution)

# %% [markdown]
# **2. The other way round: a loss that runs away while everything is right.** Five images with the labels 0, 3, 7, 7
# and 12, thirteen classes. Write down logits (5, 13) for which all five answers are right and the *exchanged* loss,
# `softmax_cross_entropy_with_logits(logits, labels)` by position, averages below -1,000. Any such logits pass.

# %% tags=["exercise"]
runaway = ...  # an array of shape (5, 13)

lesson.check("runaway", runaway)

# %% tags=["solution"]
runaway_solution = np.full((5, 13), -1000.0)
runaway_solution[np.arange(5), [0, 3, 7, 7, 12]] = -900.0

lesson.check("runaway", runaway_solution)

# %% [markdown]
# **3. What can still be read.** Somebody trained with the exchanged arguments and softmaxed predictions, and only the
# reported loss was kept. Return the mean probability that the network gave to the true classes.


# %% tags=["exercise"]
def hidden_probability(reported_loss, classes): ...


lesson.check("hidden_probability", hidden_probability)


# %% tags=["solution"]
def hidden_probability_solution(reported_loss, classes):
    return np.log(np.e + classes - 1) - reported_loss


lesson.check("hidden_probability", hidden_probability_solution)

# %% [markdown]
# **4. A mystery.** A colleague sends the log of eight networks, ten classes, everything measured on the images they
# were trained on: "My loss is practically zero, and still most answers are wrong. How can that be?"

# %%
log = mystery()
figures.loss_and_accuracy_curves(log, title="A colleague's log: loss below 0.1, and accuracy below one half")

# %% tags=["commit"]
lesson.commit("colleague")

# %% [markdown]
# Lesson 01 says what a cross-entropy costs at a given accuracy. Write a function that gets the losses and accuracies
# of a log, two arrays of one shape, and returns an array of booleans: where can this loss **not** be the
# cross-entropy of these answers?


# %% tags=["exercise", "transfer"]
def impossible(loss, accuracy): ...


lesson.check("impossible", impossible)


# %% tags=["solution"]
def impossible_solution(loss, accuracy):
    return loss < (1 - accuracy) * np.log(2)


lesson.check("impossible", impossible_solution)

# %% [markdown]
# Now hold the log against that bound.

# %%
broken = log.loss < (1 - log.accuracy) * np.log(2)
print(f"entries that no cross-entropy can give: {broken.mean():.0%} of {broken.size}")
print(f"at the end: loss {np.median(log.loss[:, -1]):.3f}, accuracy {np.median(log.accuracy[:, -1]):.2f}")
print(f"the least cross-entropy this permits: {(1 - np.median(log.accuracy[:, -1])) * np.log(2):.2f}")
print(f"mean squared error of guessing among ten classes: {(1 - 1 / 10) / 10:.3f}")

# %%
lesson.recall("colleague", came_out="The loss was the mean squared error of ten probabilities.")

# %% [markdown]
# The squared error is averaged over ten classes, nine of which ask for a 0 and nearly get it. "Near zero" is where it
# begins. Before you call a loss low, ask what a network that knows nothing would have.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
lesson.quiz("grid")

# %% tags=["quiz"]
lesson.quiz("low")

# %% tags=["quiz"]
lesson.quiz("fall")

# %% tags=["quiz"]
lesson.quiz("negative")

# %% tags=["quiz"]
lesson.quiz("floor")

# %% tags=["quiz"]
lesson.quiz("peak")

# %% [markdown]
# ## Verdicts
#
# | claim | verdict | decided by |
# |---|---|---|
# | A low loss can go with a low accuracy. | **Not on the same images**, if it is the cross-entropy and truly low. Training loss and validation accuracy are of different images. | the table "Low against what?" |
# | Loss decreases after every iteration. | **False.** Batch by batch it falls about every second time; the loss of the batch itself, before and after its step, falls nearly always. | the counts under that heading |
# | A loss need not have anything to do with accuracy. | **True.** The mean of the predicted probabilities can be minimised, and ends at "no" for everything. | the thought experiments |
# | If the loss were 1 - accuracy, the two would mirror each other. | **True, and it cannot be trained**: there is no gradient. | Keras's own words |
# | `softmax_cross_entropy_with_logits(pred, y)` is the cause. | **Not in the asker's time**, when that order was right. Today the same line exchanges them without a word. | the history of the order, the table of losses |
# | A noisy accuracy curve means unstable training. | **Not by itself.** On 32 images it is noisy for a network that stands still. | the ten readings |
#
# **Write the reply you would post.** Take five minutes and answer the asker in your own words, before you open the
# rubric.
#
# <details>
# <summary>A good reply ...</summary>
#
# - asks for numbers: both losses, both accuracies, how many images stand behind each point, which version;
# - says what chance is: 2.565 and 0.077 with thirteen classes;
# - says that training loss and validation accuracy are of different images, so that they may part;
# - names more than one cause that fits (wrong labels, too little data, counting noise) and the experiment that would
#   tell them apart;
# - asks to write `labels=` and `logits=` by name, without claiming that this was the cause;
# - claims nothing that was not run.
#
# </details>

# %% [markdown]
# ## Take away
#
# Ask how many samples stand behind a point before you read its movement. Ask what chance would cost before you call a
# loss low. And check what the line computes before you explain its curves: a negative loss, a floor, or a loss that
# is lower than its accuracy permits is no cross-entropy.
#
# **Read on**
#
# - C. Zhang, S. Bengio, M. Hardt, B. Recht, O. Vinyals,
#   ["Understanding deep learning requires rethinking generalization"](https://arxiv.org/abs/1611.03530), ICLR 2017.
#   Networks learn random labels by heart.
# - D. Arpit et al., "A closer look at memorization in deep networks", ICML 2017:
#   [arxiv.org/abs/1706.05394](https://arxiv.org/abs/1706.05394). The pattern first, the exceptions later.
# - Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
#   *Psychometrika* 12 (1947): who crossed is what counts.
# - D. G. Bonett, R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
#   paired data", *Journal of Educational and Behavioral Statistics* 37 (2012): the interval of the change.
# - TensorFlow,
#   [`softmax_cross_entropy_with_logits`](https://www.tensorflow.org/api_docs/python/tf/nn/softmax_cross_entropy_with_logits).

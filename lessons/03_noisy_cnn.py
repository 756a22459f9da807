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
# you train that network, learn which of its wiggles mean something, find out which causes can give the asker's picture
# and which cannot, and go through the losses that are not what their author thinks they are.
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
# ## Commit
#
# You will be told what is behind this picture. First make up your own mind, twice.

# %% tags=["commit"]
lesson.commit("cause")

# %% tags=["commit"]
lesson.commit("spread")

# %% [markdown]
# ## Look
#
# The asker's curves were drawn over steps, not epochs: one point for each batch. (From here on a step is one batch; in
# lesson 02 it led from one epoch to the next.) The same training is below, read that way: the first points are the
# first batches. The pale band around the dashed validation curve is Wilson's interval. Five letters mark changes, each
# between two points of a curve, that somebody might read something into.
#
# 1. Leave everything as it is. How much does accuracy move from one batch to the next? Then take 512 samples a point,
#    then 6,000. Which part of the unrest was the network, and which was counting?
# 2. Go back to batches and turn up the **smoothing**: a bold line appears, a moving average. It is calm, and it is
#    late: compare it with the 6,000-sample points during the steep rise.
# 3. With 50 validation samples, press **draw other validation samples** a few times. Did the network change, or the
#    reading? (Of the 1,300 samples there are, two draws of 1,000 are largely the same, so there little moves.)
# 4. Tick the letters that are more than noise, as far as the *two points* they join can tell; the curve between them
#    may say more. Then tick the last box, and change the two sizes: one and the same change can be out of reach for
#    one reading and plain for another.

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
figures.crops_page(photographs, title="Which photograph is it from? Four labels in ten were replaced at random")

# %% [markdown]
# There it is: in this training 40% of the labels, in both parts, were replaced by random ones. (One in thirteen of
# those is the true one again.) No network can know them, so the best accuracy on the labels as told is well below 1.

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
# Overlapping crops are not independent samples, and a few are even the same. The intervals of this lesson take them for
# independent: they speak about more crops from the same parts of the same photographs, and say nothing about new
# photographs. And the two parts of a photograph show different things, a cup here, the table beside it there. Some of
# the distance between training and validation is that difference, and no network can be blamed for it.

# %% [markdown]
# ### The network, live
#
# The asker stated three convolutions, one dense layer, 25% dropout and thirteen classes. The 16 and 32 filters, the
# pooling, Adam and batches of 32 are our choices. (Dropout sets a random share of a layer's inputs to zero, in training
# only; lesson 04 takes it apart.) The last layer gives scores, **logits**; the loss makes probabilities of them with a
# softmax of its own (`from_logits=True`). So that it takes only seconds, the crops are small here, and the rate is ten
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
batches = training.stream(small.train, batch_size=32, epochs=10, seed=0)  # crops are cut as they are needed
model.fit(batches, epochs=10, steps_per_epoch=41, shuffle=False, verbose=0, callbacks=[beliefs, steps])
figures.loss_and_accuracy_curves(
    beliefs.run, title="Seconds instead of minutes: the same network on small crops", chance_accuracy=1 / 13
)

# %% [markdown]
# No fall yet: ten epochs on 1,300 small crops are too few to learn the wrong labels by heart, as the training accuracy
# says. Below you see what happens later.
#
# Two callbacks watched. `RecordPredictions` asks the network about every image after each epoch, with dropout off.
# `RecordSteps` keeps what training itself reported: the loss of each batch, before the network has learned from it,
# with dropout on. That second record is what the asker plotted.

# %% [markdown]
# ### The same at the asker's scale
#
# The recording holds the same two records of the big training. Its crops were cut batch by batch too, with
# `training.stream`: all of them at once would take up much of a small machine's memory.

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
print(f"reported training loss: {reported[0]:.2f} to {reported[-1]:.2f}", end=", ")
print(f"from one epoch to the next it falls {(np.diff(reported) < 0).sum()} times of {len(reported) - 1}")
print(f"validation accuracy: {validation.accuracy[0]:.3f} after epoch 1, {validation.accuracy[best]:.3f}", end=" ")
print(f"after epoch {best + 1}, {validation.accuracy[-1]:.3f} after epoch {recorded.epochs}")

# %% [markdown]
# That is the asker's picture, with everything that was stated kept as stated. What cannot be compared is the validation
# *loss*: ours rises again after its least value, and the question does not say whether the asker's did.

# %% [markdown]
# ### "The loss decreases after every iteration"
#
# So the published answer said. Count.


# %% tags=["nbval-check-output"] decides="the loss from point to point"
def falls(curve):
    return (np.diff(curve) < 0).mean()


for count in (32, 128, 512, 6000):
    points = recorded.steps.grouped(count)
    print(f"{count:5} samples a point: from point to point the loss falls in {falls(points.losses):4.0%}", end=", ")
    print(f"accuracy rises in {falls(-points.accuracy):4.0%}")
others = [falls(losses) for losses in recordings.load("lesson_03_label_noise").steps.losses]
print(f"{len(others)} smaller trainings, 32 samples a point: the loss falls in {min(others):.0%} to {max(others):.0%}")

# %% [markdown]
# From batch to batch the loss falls about as often as it rises, in this training and in eight smaller ones that come
# back below: each batch holds other images, and their difference is larger than what one step teaches. Is it at least
# true for the same images, before and after a step? Train the small network for one more epoch, and ask before and
# after each step about its batch and about 100 other images.

# %%
images, told = small.train[0][:], small.train[1]


def costs(model, rows):
    logits = model.predict_on_batch(images[rows])  # predicting drops no features
    return keras.losses.sparse_categorical_crossentropy(told[rows], logits, from_logits=True).numpy()


def one_epoch(model):
    """Step by step: did the loss of the batch fall, and that of other images?"""
    for rows in np.array_split(np.random.default_rng(0).permutation(1300), 41):
        asked = np.concatenate([rows, np.setdiff1d(np.arange(1300), rows)[::12][:100]])
        before = costs(model, asked)
        model.train_on_batch(images[rows], told[rows])
        change = costs(model, asked) - before
        yield change[: len(rows)].mean() < 0, change[len(rows) :].mean() < 0


# %% decides="a batch before and after its step" over="one network of one seed, {len(fell)} steps of one epoch"
fell = np.array(list(one_epoch(model)))  # in each step: the loss of its own batch, that of other images
own, other = fell.mean(axis=0)
print(f"in {own:.0%} of {len(fell)} steps the loss of the batch itself fell, in {other:.0%} that of other images")
assert own > 0.8 and other < own - 0.1

# %% [markdown]
# A step nearly always lowers the loss of the batch it was computed from, and that of other images far less often, at
# least this late in a training. So the claim is **false** as it stands; what falls steadily is an average over many
# steps.

# %% [markdown]
# ### Which wiggles mean something?
#
# Accuracy on $n$ samples moves on a grid of $1/n$, with a standard error of $\sqrt{a(1-a)/n}$.

# %% tags=["nbval-check-output"]
for count in (32, 128, 512, 1300, 6000):
    error = accuracy_standard_error(0.3, count)
    print(f"{count:5} samples: a grid of {1 / count:.4f}, standard error {error:.3f} at an accuracy of 0.3")

# %% decides="the ten readings" over="{len(readings):,} tries of {readings.shape[1]} readings, drawn from one seed"
readings = np.random.default_rng(0).binomial(32, 0.3, size=(100_000, 10)) / 32  # ten batches, many times over
spread = 100 * np.median(np.ptp(readings, axis=1))
assert 20 < spread < 30
lesson.recall("spread", came_out=f"{spread:.0f} percentage points, the median of 100,000 tries.")

# %% [markdown]
# That is for a network that does not change at all. A batch accuracy that jumps by twenty points says nothing about
# the network, and ten in a row say hardly more.
#
# Now the fall in validation accuracy of the recorded training. One trap first: if you look for the best epoch, you find
# one that was good partly by luck, and from there any curve falls. So choose the epoch on one half of the images, and
# judge the fall on the other half.
#
# Whether two such intervals overlap decides nothing here, because both epochs are asked about the *same* images. What
# counts is who crossed: how many became right, how many wrong (lesson 02). `accuracy_change_interval` makes an interval
# from these two counts; an image that did not cross plays no part.


# %% tags=["nbval-check-output"]
def fall(correct, half):
    """Choose the best epoch on every other image; return the rest of the images then, and in the last epoch."""
    chosen = int(correct[:, half::2].mean(axis=1).argmax())
    return chosen + 1, correct[chosen, 1 - half :: 2], correct[-1, 1 - half :: 2]


for half in (0, 1):
    epoch, before, after = fall(validation.correct, half)
    for when, flags in ((f"epoch {epoch}", before), ("last epoch", after)):
        print("{}: {:.3f} ({:.3f} to {:.3f})".format(when, flags.mean(), *wilson_interval(flags.mean(), 650)), end=", ")
    low, high = accuracy_change_interval(before, after)
    print(f"{(~before & after).sum()} became right, {(before & ~after).sum()} wrong: change {low:+.3f} to {high:+.3f}")

# %% [markdown]
# The two halves stand at different heights: perhaps one holds more true labels, by luck. Both fall, and by much more
# than counting can explain. But counting crops is one thing. There are thirteen photographs, and crops of one
# photograph fall together:

# %% tags=["nbval-check-output"]
photograph = photographs.validation[0].sources
falls_of = [np.mean(validation.correct[[5, -1]][:, photograph == k], axis=1) for k in range(13)]
changes = np.array([last - sixth for sixth, last in falls_of])
print("change from epoch 6 to the last, by photograph:", np.sort(changes.round(2)))
print(f"mean {changes.mean():+.3f}, standard error over photographs {changes.std(ddof=1) / math.sqrt(13):.3f}")

# %% [markdown]
# So the fall is real for crops of these photographs, and for other photographs you know much less.
#
# What would somebody have seen who had fewer images? Draw some of the 650, many times over, and count how often the
# interval of the change leaves out 0.

# %% tags=["nbval-check-output"]
_, before, after = fall(validation.correct, 0)
generator = np.random.default_rng(0)
for samples in (32, 50, 100, 200, 400):
    drawn = generator.integers(0, len(before), (2000, samples))
    _, high = accuracy_change_interval(before[drawn], after[drawn])
    print(f"{samples:3} images: the fall is noticed in {(high < 0).mean():4.0%} of 2,000 draws")

# %% [markdown]
# The same network, the same fall, and whether it can be seen depends on the number of images. A question that does not
# say how many there were cannot be answered.

# %% [markdown]
# ### "Low" against what?
#
# The asker's loss was called low, without a number. There are two things to compare a loss with. One is chance:
# thirteen classes, all equally likely, cost $\ln 13$. The other is lesson 01: which accuracies a loss permits.

# %% tags=["nbval-check-output"] decides="low against what"
print(f"chance: loss ln 13 = {math.log(13):.3f}, accuracy 1/13 = {1 / 13:.3f}")
for loss in (2.5, 1.5, 0.69, 0.3, 0.1):
    least, greatest = attainable_accuracy(loss)
    least = np.floor(1000 * least) / 1000  # a lower bound is rounded down
    print(f"loss {loss:4}: accuracy from {least:.3f} to {greatest:.3f}")

# %% [markdown]
# Between $\ln 2$ and $\ln 13$ a loss permits any accuracy; above $\ln 13$ at least one answer is wrong, and below
# $\ln 2$ some are right (lesson 01). So a cross-entropy that is low in this sense cannot go with a low accuracy *of the
# same images*. What is left?
#
# - "Low" meant "lower than before". Writing it down next to 2.565 settles that.
# - The low loss was of training images, the low accuracy of validation images: the next section.
# - The loss was not the cross-entropy: the section after it.
# - The accuracy was not what it seemed: labels and images out of step, `argmax` along the wrong axis, dropout left on.
#   Lesson 07 returns to metrics.

# %% [markdown]
# ### Which causes give the asker's picture?
#
# Seven candidates, recorded as well: 56 trainings of the asker's network, eight seeds for each, 24 epochs of about 40
# steps, on crops of 45 x 60 and at a rate of 0.001 (`tools/record_lesson_03.py` says the rest). The eighth is no
# training at all: the networks with true labels once more, read on a single batch of 32 validation images. (Arguments
# swapped: a scale of its own.)

# %%
files = {"true labels": "nothing_wrong", "wrong labels": "label_noise", "few images": "small_data"}
files |= {"75% dropped": "keep_prob", "softmax twice": "softmax_twice"}
files |= {"arguments swapped": "swapped_logits", "swapped, softmax": "swapped_softmax"}
causes = {name: recordings.load(f"lesson_03_{file}") for name, file in files.items()}
losses = {name: run.steps.epoch_loss for name, run in causes.items()}
answers = {name: run.validation.correct for name, run in causes.items()}  # (network, epoch, image)
losses["read on 32 images"] = losses["true labels"]
answers["read on 32 images"] = answers["true labels"][..., :32]
curves = {name: (losses[name], answers[name].mean(axis=-1)) for name in answers}
figures.causes_figure(
    curves, title="Wrong labels give the asker's picture every time, few images sometimes", chance=1 / 13
)

# %% [markdown]
# A picture like the asker's: the mean accuracy of the second quarter of the epochs lies at least a point above that of
# the first two epochs, and at least a point above that of the last quarter. A second count asks for a fall of more than
# two standard errors, over the images. The last column is what the eye sees: best epoch minus last epoch.


# %% decides="the seven causes"
def pictured(correct):
    """Network by network: does accuracy rise and fall back? And does it fall by more than two standard errors?"""
    start, middle, end = (correct[:, part].mean(axis=1) for part in (slice(0, 2), slice(6, 12), slice(18, 24)))
    fall = middle - end  # (network, image)
    shaped = (np.mean(middle - start, axis=1) > 0.01) & (fall.mean(axis=1) > 0.01)
    return shaped, shaped & (fall.mean(axis=1) > 2 * fall.std(axis=1) / np.sqrt(fall.shape[1]))


counts = {name: [int(each.sum()) for each in pictured(correct)] for name, correct in answers.items()}
for name, (shaped, sure) in counts.items():
    loss, accuracy = curves[name]
    seen = np.median(accuracy.max(axis=1) - accuracy[:, -1])
    print(f"{name:18} loss falls in {falls(loss):4.0%} of epochs; picture in {shaped} of 8,", end=" ")
    print(f"beyond two standard errors in {sure}; best minus last {seen:.2f}")

# %% tags=["nbval-check-output"] decides="the seven causes" over="{causes['wrong labels'].replicas} networks of each cause (seeds {causes['wrong labels'].settings['seeds'][0]} to {causes['wrong labels'].settings['seeds'][-1]}), {causes['wrong labels'].validation.samples} validation images, one draw of crops and labels"
most, others = counts["wrong labels"][0], {name: shaped for name, (shaped, _) in counts.items() if shaped}
print("wrong labels give the picture in every network:", most == 8)
print("so do some of the others, in some networks:", {name: shaped for name, shaped in others.items() if shaped < 8})
assert most == 8 and max(counts[name][0] for name in ("true labels", "75% dropped", "arguments swapped")) == 0

# %% [markdown]
# **Wrong labels** give the picture with every seed. A network first learns what the labels have in common, and then the
# exceptions, one by one; the exceptions help nobody else. **Too few images**, ten for each class, give it with about
# every second seed: there is nothing wrong to learn by heart, but little else to learn.
#
# **75% dropped** is what somebody gets who writes "25% dropout" as `keep_prob=0.25`: in TensorFlow 1 that was the share
# that is *kept*. It slows the training and does validation no harm. The three **mistaken losses** give other pictures,
# in all but one of their networks: swapped arguments stay at chance; the two with a softmax too many learn slowly, and
# one of their networks gets stuck.
#
# **Counting** gives the picture too. And look at the last column: best minus last is above 0 for nearly everything,
# true labels included, because the best of 24 readings is the best partly by luck. By that measure the healthy networks
# read on 32 images fall back furthest of all.
#
# The eight seeds share one draw of crops and labels, so "8 of 8" speaks about seeds, not about other photographs. Here
# is one more draw, and a bigger one: the asker's scale again, with every label true.

# %%
clean = recordings.load("lesson_03_full_scale_clean")
figures.loss_and_accuracy_curves(
    clean, title="Every label true: accuracy is higher, and falls back as well", chance_accuracy=1 / 13
)

# %% tags=["nbval-check-output"] decides="loss and accuracy with every label true"
for name, part in (("training", clean.train), ("validation", clean.validation)):
    print(f"{name} images after the last epoch: loss {part.loss[-1]:.3f}, accuracy {part.accuracy[-1]:.3f}")
epoch, before, after = fall(clean.validation.correct, 0)
low, high = accuracy_change_interval(before, after)
print(f"true labels: {before.mean():.3f} after epoch {epoch}, {after.mean():.3f} after the last", end=": ")
print(f"change {after.mean() - before.mean():+.3f}, 95% interval {low:+.3f} to {high:+.3f}")
ids, flags = clean.validation.labels, clean.validation.correct
print(
    "never right, in any epoch:",
    [name for k, name in enumerate(photographs.class_names) if not flags[:, ids == k].any()],
)

# %% [markdown]
# Here the training loss is truly low, far below $\ln 2$, so nearly all training images have to be right, and all are.
# About the validation images it says nothing.
#
# Validation accuracy falls back as well, by half as much. This time neither the labels nor the counting can be blamed.
# The plain reading is that the network, once all its training images are right, goes on learning what is special about
# the training parts. One photograph is not recognised a single time, though its two parts look alike to us. (And the
# validation loss climbs all the while, far above chance: lesson 05 is about that.)
#
# So the shape of the curves does not tell the cause. What differs between the two trainings at full size is the *level*
# of loss and accuracy, and no level was published. What would settle it? If labels are wrong, they can be found: early
# in the training, before they are learned by heart, they cost most.

# %% tags=["nbval-check-output"]
crops, labels = photographs.train
redrawn = labels != crops.sources  # nobody but us can know this
for epoch in (6, 24):
    costliest_last = np.argsort(recorded.train.sample_losses[epoch - 1])
    shares = [redrawn[costliest_last[-count:]].mean() for count in (600, 2000)]
    print(f"epoch {epoch:2}: of the 600 costliest images {shares[0]:.0%} have a wrong label, of 2,000 {shares[1]:.0%}")
print(f"of all images {redrawn.mean():.0%} have one")

# %% [markdown]
# Sort your training images by what they cost at the peak of validation accuracy, and look at the first page. That is
# the experiment to suggest to the asker. Here it works nearly perfectly; where images are hard or rare, those cost much
# too, so look before you delete.

# %%
few = counts["few images"][0]
came_out = f"on small crops wrong labels, in {most} of 8 seeds; too few images in {few} of 8. "
lesson.recall("cause", came_out=came_out + "At full size even true labels give it, with a smaller fall.")

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

# %% tags=["nbval-check-output"] decides="the signature of today"
cross_entropy = tf.nn.softmax_cross_entropy_with_logits
print(inspect.signature(cross_entropy))

# %% [markdown]
# Labels come first. Pasted into TensorFlow 2, the asker's line hands over the predictions as labels, and nothing
# complains. This is one of several slips that run without a word. You make them on purpose now, on the handwritten
# digits of scikit-learn: 8 x 8 pixels, ten classes, one hidden layer, 20 epochs, eight random seeds. The sizes are
# ours, chosen so that each training takes about two seconds. (Short of time? Run the cells, go on to *All of them in
# one picture*, and come back for the row that you need.)
#
# The last layer has no activation; its logits are `z` below. Softmax makes probabilities of them. `y` are the labels as
# **one-hot** rows: 1 for the true class, 0 for the others.

# %%
digits = datasets.digits()
images, labels = digits.train
one_hot = np.eye(10, dtype="float32")[labels]


def digit_network():
    hidden = keras.layers.Dense(32, activation="relu")
    return keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10)])


def train_digits(loss, network=digit_network, labels=labels):
    settings = dict(replicas=8, epochs=20, batch_size=32, optimizer=keras.optimizers.Adam(0.001), loss=loss)
    return training.fit_replicas(network, (images, labels), **settings)


# %% [markdown]
# First the right way. Arguments with names cannot be confused.


# %%
def right(y, z):
    return cross_entropy(labels=y, logits=z)


def in_words(values):
    return f"median {np.median(values):,.2f}, from {np.min(values):,.2f} to {np.max(values):,.2f}"


healthy = train_digits(right).train
print("an undecided network costs ln 10 =", np.log(10).round(3))
print("loss after the last epoch:    ", in_words(healthy.loss[:, -1]))
print("accuracy after the last epoch:", in_words(healthy.accuracy[:, -1]))

# %% [markdown]
# #### Swapped: `cross_entropy(z, y)`
#
# Cross-entropy is the sum of label times minus log-probability. Now the logits stand in for the labels, and softmax
# is taken of the one-hot row. Softmax turns its 1 into $e/(e+9)$ and each 0 into $1/(e+9)$. What is left is
#
# $$\ln(e+9)\,\sum_j z_j \;-\; z_{\text{true}}.$$
#
# Check the formula, and look at the gradient with respect to the logits.

# %% tags=["nbval-check-output"] decides="the swapped loss and its gradient"
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
print("reported loss at the end:", in_words(swapped_end))
print("accuracy at the end:     ", in_words(swapped_accuracy[:, -1]))
print("how many different digits each network ever answers:", [len(np.unique(row)) for row in logits.argmax(axis=-1)])

# %% [markdown]
# And what would the asker have seen? Here is what `fit` prints for one network.


# %%
def fit_once(loss):
    keras.utils.set_random_seed(0)
    model = digit_network()
    model.compile(keras.optimizers.Adam(0.001), loss=loss, metrics=["accuracy"], steps_per_execution=45)  # quicker
    return model.fit(images, one_hot, epochs=20, batch_size=32, verbose=0).history


printed = fit_once(swapped)
for epoch in (1, 5, 10, 20):
    print(f"epoch {epoch:2}: loss {printed['loss'][epoch - 1]:10.1f}   accuracy {printed['accuracy'][epoch - 1]:.3f}")

# %% tags=["nbval-check-output"] over="one network as fit prints it, {len(printed['loss'])} epochs; {run.replicas} others (drawn from seed {run.settings['seed']}) at the end"
last = swapped_accuracy[:, -1]
print("the printed loss falls in every epoch:", bool((np.diff(printed["loss"]) < 0).all()))
print("in all eight networks it ends below -5000:", bool((swapped_end < -5000).all()))
print("and accuracy ends between 0.03 and 0.15:", bool(0.03 < last.min() <= last.max() < 0.15))
assert (np.diff(printed["loss"]) < 0).all() and (swapped_end < -5000).all() and 0.03 < last.min() <= last.max() < 0.15

# %% [markdown]
# Falling loss, accuracy at chance: close to the title of this lesson. Would you know the mistake by that? A
# **fingerprint** of a mistake is a value that few other mistakes leave. To see whether chance is one, take the hidden
# layer away and train with plain gradient descent.


# %%
def descend(seed):
    """Swapped, linear, plain gradient descent at a rate of 0.1: the gradient asks for no prediction."""
    generator = np.random.default_rng(seed)
    weights, biases = generator.normal(0, 0.1, (64, 10)), np.zeros(10)
    for _ in range(20):
        for rows in np.array_split(generator.permutation(len(images)), 45):
            push = (np.log(np.e + 9) - one_hot[rows]) / len(rows)
            weights, biases = weights - 0.1 * images[rows].T @ push, biases - 0.1 * push.sum(axis=0)
    return images @ weights + biases


# %%
linear_logits = np.array([descend(seed) for seed in range(8)])
linear_end = swapped_logits_loss(labels, linear_logits).mean(axis=-1)
linear_accuracy = (linear_logits.argmax(axis=-1) == labels).mean(axis=-1)
print("reported loss at the end:", in_words(linear_end))
print("accuracy at the end:     ", in_words(linear_accuracy))

# %% tags=["nbval-check-output"] over="{len(linear_end)} networks, one seed each, {len(labels):,} training digits"
print("swapped, linear, plain gradient descent: loss below -40000:", bool((linear_end < -40000).all()))
print("and accuracy between 0.65 and 0.82:", bool(0.65 < linear_accuracy.min() <= linear_accuracy.max() < 0.82))
assert (linear_end < -40000).all() and 0.65 < linear_accuracy.min() <= linear_accuracy.max() < 0.82

# %% [markdown]
# The same mistake, a loss far below zero, and most digits are right. In a linear network every step subtracts 2.461
# times the sum of its images from the weights of each class, and adds the sum of the images that are of this class. The
# first part is the same for all classes and changes no answer. What is left is a picture of each digit to compare with.
#
# So accuracy tells you nothing here. The sign of the loss does: a cross-entropy between probabilities is never
# negative. **Fix:** name the arguments, `cross_entropy(labels=y, logits=z)`.

# %% [markdown]
# #### Swapped after a softmax: `cross_entropy(softmax(z), y)`
#
# Had the asker's `pred` gone through softmax before, its sum would be 1, and the same formula would give
# $\ln(e+9) - p_{\text{true}}$. Apart from a constant that is the loss $1 - p_{\text{true}}$, "the probability of being
# wrong". Equal up to a constant means equal gradients. (Minus the gradient at a logit is the **pull** on it.)


# %%
def swapped_softmax(y, z):
    return cross_entropy(tf.nn.softmax(z), y)


def one_minus_p_true(y, z):
    return 1 - tf.reduce_sum(y * tf.nn.softmax(z), axis=-1)


def gradient(loss):
    with tf.GradientTape() as tape:
        value = loss(y, z)
    return tape.gradient(value, z).numpy()


# %% tags=["nbval-check-output"] over="{len(p_true)} rows of {beliefs.shape[1]} random logits, from one seed"
beliefs = tf.nn.softmax(z).numpy()
given, formula = swapped_softmax(y, z).numpy(), swapped_softmax_loss(labels[:64], beliefs)
p_true = beliefs[y == 1]
pull, soft_pull = (-gradient(loss)[y == 1] for loss in (right, one_minus_p_true))
pulls = np.allclose(pull, 1 - p_true) and np.allclose(soft_pull, p_true * (1 - p_true))
apart = np.abs(gradient(swapped_softmax) - gradient(one_minus_p_true)).max()
holds = np.allclose(given, formula, atol=1e-5)
print("the formula holds:", holds, "  gradients equal within 0.000001:", bool(apart < 1e-6))
print("the pull at the true logit is 1 - p_true with the right loss, p_true (1 - p_true) with this one:", pulls)
assert np.allclose(given, formula, atol=1e-5) and apart < 1e-6
assert np.allclose(pull, 1 - p_true) and np.allclose(soft_pull, p_true * (1 - p_true))

# %%
after_softmax, plain = train_digits(swapped_softmax).train, train_digits(one_minus_p_true).train
away = np.abs(after_softmax.probabilities - plain.probabilities).max(axis=(0, 2, 3))  # the largest in each epoch
for epoch in (1, 5, 10, 20):
    print(f"epoch {epoch:2}: all probabilities of the two trainings agree within {away[epoch - 1]:.7f}")
swapped_reports = swapped_softmax_loss(labels, after_softmax.probabilities).mean(axis=-1)
print("what the first reports at the end: ", in_words(swapped_reports[:, -1]))
print("what the second reports at the end:", in_words(1 - plain.true_probabilities[:, -1].mean(axis=-1)))
print("accuracy at the end:               ", in_words(after_softmax.accuracy[:, -1]))

# %% [markdown]
# Two losses that look unrelated train the same networks; rounding alone drives them apart, and late. Both learn, but
# not as well as with the right loss. Compare how hard each pulls at the true logit of a sample. (Both formulas were
# checked above.)

# %% over="{plain.replicas} networks of each loss (the same seeds), {plain.epochs} epochs"
print("p_true   right loss   1 - p_true")
for p in (0.5, 0.1, 0.01, 0.001):
    print(f"{p:6} {1 - p:12.3f} {p * (1 - p):12.3f}")


def worst_digit(history):
    """The mean probability that each network gives the true class, for the digit it does worst on."""
    return np.min([history.true_probabilities[:, -1, labels == digit].mean(axis=-1) for digit in range(10)], axis=0)


print("worst digit, network by network, right loss:", np.sort(worst_digit(healthy)).round(2))
print("worst digit, network by network, 1 - p_true:", np.sort(worst_digit(plain)).round(2))
assert worst_digit(healthy).min() > 0.5 and np.mean(worst_digit(plain) < 0.05) > 0.5

# %% [markdown]
# Where a network is surely wrong, cross-entropy pulls hardest, and $1 - p_{\text{true}}$ has let go. A digit that loses
# out early can stay lost: in most of these networks the images of one get next to no probability of being what they
# are.

# %% tags=["nbval-check-output"] over="{healthy.replicas} networks of each loss, {healthy.epochs} epochs, {healthy.samples:,} training digits"
floor, ceiling = double_softmax_range(10)
inside = bool(floor < swapped_reports.min() <= swapped_reports.max() < ceiling)
print(f"ten classes: all that was reported lies between {floor:.3f} and {ceiling:.3f}:", inside)
print("the two trainings agree within 0.0001 for five epochs:", bool(away[:5].max() < 1e-4))
assert floor < swapped_reports.min() <= swapped_reports.max() < ceiling
assert away[:5].max() < 1e-4

# %% [markdown]
# **Fingerprint:** the loss cannot come below its floor, however good the accuracy; added to the mean probability of the
# true class it gives $\ln(e+9)$. **Fix:** keywords, and logits instead of the softmax.

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
print("reported after the first epoch:", in_words(double_reports[:, 0]))
print("reported after the last epoch: ", in_words(double_reports[:, -1]))
print("accuracy after the last epoch: ", in_words(twice.accuracy[:, -1]))

# %%
for name, history in (("right", healthy), ("softmax twice", twice), ("swapped after softmax", after_softmax)):
    reached = (history.accuracy >= 0.9).any(axis=-1)
    epochs = (history.accuracy >= 0.9).argmax(axis=-1) + 1
    print(f"{name}: accuracy after 5 epochs {np.median(history.accuracy[:, 4]):.2f} (median);", end=" ")
    print(f"0.9 is reached by {reached.sum()} of 8, in epoch {np.sort(epochs[reached])}")

# %% tags=["nbval-check-output"] over="{twice.replicas} networks of each loss, {twice.epochs} epochs, {twice.samples:,} training digits"
early = np.median(healthy.accuracy[:, 4]), np.median(twice.accuracy[:, 4])
inside = bool(floor < double_reports.min() <= double_reports.max() < ceiling)
print(f"softmax twice: all that was reported lies between {floor:.3f} and {ceiling:.3f}:", inside)
late = np.median(twice.accuracy[:, -1])
print("behind the right loss after 5 epochs, above 0.85 at the end:", bool(early[1] < 0.85 < early[0] and late > 0.85))
assert floor < double_reports.min() <= double_reports.max() < ceiling
assert early[1] < 0.85 < early[0] and late > 0.85

# %% [markdown]
# It learns, later. **Fingerprint:** the loss stays above a floor, whatever the accuracy, and the floor is that of the
# swapped softmax. Once a network is sure of everything, both report $\ln(e+9)$ minus the accuracy. So the end of a log
# shows that one of the two happened; its beginning, or the code, shows which. **Fix:** hand over logits, or tell Keras
# `from_logits=False`.
#
# Keras's own loss class even notices when it gets the output of a network that ends in softmax:

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


# %% decides="the mean of the probabilities"
def mean_probability(y, z):
    return tf.reduce_mean(tf.nn.softmax(z), axis=-1)


standing = fit_once(mean_probability)
constant, flat = np.array(standing["loss"]), np.array(standing["accuracy"])
print(f"largest entry of the gradient with respect to the logits: {np.abs(gradient(mean_probability)).max():.0e}")
print(f"reported loss, least and greatest:           {constant.min():.6f} and {constant.max():.6f}")
print(f"accuracy, least and greatest:                {flat.min():.3f} and {flat.max():.3f}")

# %% [markdown]
# Nothing is learned: what is left of the gradient is rounding.
#
# With one sigmoid output there is something to push. Ask "is it a 3?", one unit, and the same average.


# %% decides="the mean of the probabilities"
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
print(f"share of digits that are not a 3: {1 - threes.mean():.3f}")

# %% tags=["nbval-check-output"] decides="the mean of the probabilities" over="softmax: one network of one seed, {len(constant)} epochs; sigmoid: {nonsense.replicas} networks, {nonsense.epochs} epochs, {nonsense.samples:,} training digits"
still = bool(np.abs(constant - 0.1).max() < 1e-6 and np.ptp(flat) < 0.01)
negative = bool(np.allclose(nonsense.accuracy[:, -1], 1 - threes.mean()))
print("softmax: the average stays at 0.1 and accuracy where it was:", still)
print("sigmoid: the average ends below 0.002:", bool((nonsense_reports[:, -1] < 0.002).all()))
print("sigmoid: accuracy ends at the share of digits that are not a 3:", negative)
print("sigmoid: the cross-entropy of the same answers rises:", bool((nonsense.loss[:, -1] > nonsense.loss[:, 0]).all()))
assert np.abs(constant - 0.1).max() < 1e-6 and np.ptp(flat) < 0.01 and (nonsense_reports[:, -1] < 0.002).all()
assert np.allclose(nonsense.accuracy[:, -1], 1 - threes.mean())

# %% [markdown]
# It trains, smoothly, to "no, always". The answer's point stands: a loss falls to its floor, and a good-looking
# accuracy says nothing but how rare a 3 is. It is a point about losses that have nothing to do with the task. It is no
# account of cross-entropy: lesson 01 showed that a truly low cross-entropy forces a high accuracy.
#
# Second, **one minus the accuracy**: is that not what you want?


# %% decides="one minus the accuracy is refused" over="one network, whatever its weights"
def one_minus_accuracy(y, z):
    return 1 - keras.metrics.categorical_accuracy(y, z)


model = digit_network()
model.compile(keras.optimizers.Adam(0.001), loss=one_minus_accuracy)
refusal = "none"
try:
    model.fit(images, one_hot, epochs=1, verbose=0)
except ValueError as error:
    refusal = f"{type(error).__name__}: {error}"
print(refusal)
assert "No gradients provided" in refusal

# %% [markdown]
# Accuracy asks which logit is largest. Nudge the weights a little and the answer stays the same: the gradient is zero
# wherever it exists, and TensorFlow has none to give. Of all these mistakes it is the only one that is refused.
# Lesson 06 asks what to train on when accuracy is what you care about.

# %% [markdown]
# #### All of them in one picture

# %%
reports = {
    "cross_entropy(\n  labels=y, logits=z)": (healthy.loss, healthy.accuracy),
    "cross_entropy(z, y)": (printed["loss"], swapped_accuracy),
    "cross_entropy(\n  softmax(z), y)": (swapped_reports, after_softmax.accuracy),
    "1 - p_true": (1 - plain.true_probabilities.mean(axis=-1), plain.accuracy),
    "cross_entropy(\n  y, softmax(z))": (double_reports, twice.accuracy),
    "mean(softmax(z))": (constant, flat),
    'mean(sigmoid(z))\n"is it a 3?"': (nonsense_reports, nonsense.accuracy),
}
ends = (floor, ceiling)
ranges = {"cross_entropy(\n  softmax(z), y)": ends, "cross_entropy(\n  y, softmax(z))": ends, "1 - p_true": (0, 1)}
figures.bugs_figure(reports, ranges=ranges, title="Six losses fall, one stands still; one is cross-entropy")

# %% [markdown]
# On the left, what each loss reports, on an axis of its own; grey, where drawn, is all that it can report. On the
# right, accuracy. The second loss, and loss and accuracy of the sixth row, are what `fit` printed for one network;
# everything else is measured at the end of each epoch on eight.
#
# And as a table, to come back to. A fingerprint names the first suspect, not the only one: labels outside 0 and 1 make
# a loss negative too, and a rate of 0 holds it still.
#
# | you see | suspect first | look at | fix |
# |---|---|---|---|
# | a negative loss | swapped, logits | the order of the arguments | keywords |
# | a loss that will not go below its floor | swapped after softmax, or softmax twice | the order, the last layer and `from_logits` | keywords, softmax once |
# | a loss that never moves | a constant | the gradient | another loss |
# | a loss near zero, accuracy equal to the share of the commonest class | a loss that ignores the labels | all answers alike? | another loss |
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
# The page for 2.0 still says that "it is required to pass only named arguments". Nothing checks it any more. The asker
# did not state a version, so there are three cases. Before `1.0` the line was right. In `1.x` it could not have run, so
# another line made the curves. In `2.x` it is swapped, and the loss would have been negative or stuck. Swapped
# arguments explain what this line does when it is pasted today. That they made the asker's curves is the least likely
# of the three cases, because in this lesson they gave another picture.
#
# In `1.x` the function also stopped gradients at its labels
# ([page for 1.15](https://www.tensorflow.org/versions/r1.15/api_docs/python/tf/nn/softmax_cross_entropy_with_logits)).
# That version is still there, under `tf.compat.v1`, and no longer insists on names. Swapped, it does this:

# %%
tf.get_logger().setLevel("ERROR")  # it is deprecated, and says so
with tf.GradientTape() as tape:
    old = tf.compat.v1.nn.softmax_cross_entropy_with_logits(z, y)
print("the formula holds here too:", np.allclose(old, swapped_logits_loss(labels[:64], z.numpy()), atol=1e-4))
print("its gradient with respect to the network's output:", tape.gradient(old, z))

# %% [markdown]
# No gradient at all reaches the network: Keras would refuse this one as it refused `1 - accuracy`.

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


# %% tags=["solution", "nbval-check-output"]
def batches_needed_solution(accuracy, batch_size, error):
    samples = accuracy * (1 - accuracy) / error**2
    return math.ceil(samples / batch_size)


lesson.check("batches_needed", batches_needed_solution)

# %% [markdown]
# **2. The other way round: everything right, and a loss that runs away.** Five images with the labels 0, 3, 7, 7 and
# 12, thirteen classes. Write down logits (5, 13) for which all five answers are right and the *swapped* loss,
# `softmax_cross_entropy_with_logits(logits, labels)` by position (the labels one-hot), averages below -1,000. Any such
# logits pass.

# %% tags=["exercise"]
runaway = ...  # an array of shape (5, 13)

lesson.check("runaway", runaway)

# %% tags=["solution", "nbval-check-output"]
runaway_solution = np.full((5, 13), -1000.0)
runaway_solution[np.arange(5), [0, 3, 7, 7, 12]] = -900.0

lesson.check("runaway", runaway_solution)

# %% [markdown]
# **3. What can still be read.** Somebody trained with swapped arguments and softmaxed predictions, and only the
# reported loss was kept. Return the mean probability that the network gave to the true classes.


# %% tags=["exercise"]
def hidden_probability(reported_loss, classes): ...


lesson.check("hidden_probability", hidden_probability)


# %% tags=["solution", "nbval-check-output"]
def hidden_probability_solution(reported_loss, classes):
    return np.log(np.e + classes - 1) - reported_loss


lesson.check("hidden_probability", hidden_probability_solution)

# %% [markdown]
# **4. A mystery.** A colleague sends the log of eight networks, thirteen classes, loss and accuracy of the images they
# are trained on: "The loss begins about where guessing does and ends above 2, so my networks are hardly sure of
# anything. And yet about half of their answers are right. How can that be?"

# %%
log = mystery()
title = "A colleague's log: about half of the answers right, and a loss not far below guessing"
figures.loss_and_accuracy_curves(log, title=title, loss_label="loss, as logged")

# %% tags=["nbval-check-output"]
print("loss of the first batch, network by network:", log.first.round(3))
print("loss over the last epoch:                   ", log.loss[:, -1].round(3))
print("accuracy over the last epoch:               ", log.accuracy[:, -1].round(3))

# %% tags=["commit"]
lesson.commit("colleague")

# %% [markdown]
# Find out three things. How many of the entries of `log.loss` break the bound of lesson 01, so that no cross-entropy
# can go with that accuracy? Which of these lines printed the loss? And which mean probability did each network give the
# true classes in the last epoch? (At the first batch take all thirteen classes as equally likely. The probabilities
# meant here are the softmax of the logits.)
#
# - **A.** `cross_entropy(labels=y, logits=z)`
# - **B.** `cross_entropy(z, y)`
# - **C.** `cross_entropy(softmax(z), y)`
# - **D.** `cross_entropy(y, softmax(z))`
# - **E.** `mean((softmax(z) - y)**2)`, the squared error over the classes

# %% tags=["exercise", "transfer"]
broken = ...  # a whole number, 0 if the bound holds everywhere
line = ...  # "A", "B", "C", "D" or "E"
of_true = ...  # eight numbers; compute them from log.loss

lesson.check("printed", (broken, line, of_true))

# %% tags=["solution", "nbval-check-output"]
below_bound = np.sum(log.loss < (1 - log.accuracy) * np.log(2))
ceiling_of_13 = np.log(np.e + 12)  # at the end loss plus accuracy come to this: C or D
at_start = {"C": ceiling_of_13 - 1 / 13, "D": np.log(13)}  # all thirteen classes at 1/13
nearest = min(at_start, key=lambda each: abs(np.median(log.first) - at_start[each]))
printed_solution = below_bound, nearest, ceiling_of_13 - log.loss[:, -1]

lesson.check("printed", printed_solution)

# %% [markdown]
# Now compare the log with these numbers, and open the recording behind it.

# %% tags=["nbval-check-output"]
total, behind = log.loss + log.accuracy, recordings.load("lesson_03_swapped_softmax").train
print(f"the least loss: {log.loss.min():.2f}; below ln 2 = {np.log(2):.2f} the bound would begin to bite")
print("loss plus accuracy at the end:", total[:, -1].round(2), f"; ln(e + 12) = {np.log(np.e + 12):.2f}")
print(f"first batch, median: {np.median(log.first):.3f}; with nothing learned", end=" ")
print(f"C reports {np.log(np.e + 12) - 1 / 13:.3f} and D {np.log(13):.3f}")
print(f"{behind.samples} of the training images, last epoch: the class named has", end=" ")
print(f"{behind.top_probabilities[:, -1].mean():.2f} on average; cross-entropy", end=" ")
print(f"{behind.loss[:, -1].min():.0f} to {behind.loss[:, -1].max():.0f} nats")

# %%
lesson.recall("colleague", came_out="The loss was the cross-entropy with its arguments swapped, after a softmax.")

# %% [markdown]
# No bound is broken, so lesson 01 has no objection. But eight networks, one of them right about a fifth of the time and
# others more than half, come to one sum: that is a property of the line and not of the networks. The end cannot tell C
# from D, but the first batch can. These are the networks of "swapped, softmax", the seventh of the causes.
#
# And the colleague read the loss the wrong way round. The networks are sure of nearly everything, wrong answers
# included, and their cross-entropy is far above that of guessing. The line that printed the loss charges at most 1 more
# for a wrong answer than for a right one, however sure the network is.

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
# | A low loss can go with a low accuracy. | **Not on the same images**, if it is the cross-entropy and truly low. Training loss and validation accuracy are of different images: with every label true the recorded training loss ends near 0, and little more than half of the validation images are right. | low against what; loss and accuracy with every label true |
# | Loss decreases after every iteration. | **False.** Batch by batch it falls about every second time, in nine recorded trainings. The loss of the batch itself, before and after its step, falls nearly always, in one small network. | the loss from point to point; a batch before and after its step |
# | A loss need not have anything to do with accuracy. | **True.** With one sigmoid output the mean of the predictions can be minimised, and ends at "no"; with softmax it is a constant. | the mean of the probabilities |
# | If the loss were 1 - accuracy, the two would mirror each other. | **True by definition.** Written so, it has no gradient to follow, and TensorFlow refuses it (lesson 06 optimises it otherwise). | one minus the accuracy is refused |
# | `softmax_cross_entropy_with_logits(pred, y)` is the cause. | **Not before TensorFlow 1.0**, when that order was right, and in 1.x it does not run: the pages of those versions say so, and no cell can run them. Today it swaps the two without a word, and given logits it reports a loss far below 0. | the signature of today; the swapped loss and its gradient; the seven causes |
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
# - names more than one cause that fits (wrong labels, learning the training images by heart, counting noise) and the
#   experiment that would tell them apart: sort the training images by what they cost;
# - asks to write `labels=` and `logits=` by name, without claiming that this was the cause;
# - does not name one cause from the shape of the curves alone.
#
# </details>

# %% [markdown]
# ## Take away
#
# Ask how many samples stand behind a point before you read its movement. Ask what chance would cost before you call a
# loss low. And check what the line computes before you explain its curves: a negative loss, a floor, or a loss that is
# lower than its accuracy permits is not a cross-entropy.
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
# - C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in dataset labels", *Journal of
#   Artificial Intelligence Research* 70 (2021): how to look for wrong labels in earnest.
# - A. Ghosh, H. Kumar, P. S. Sastry, "Robust loss functions under label noise for deep neural networks", AAAI 2017:
#   what `1 - p_true` is good for after all.
# - D. G. Bonett, R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
#   paired data", *Journal of Educational and Behavioral Statistics* 37 (2012): the interval of the change.
# - S. van der Walt et al., "scikit-image: image processing in Python", *PeerJ* 2 (2014):
#   [doi.org/10.7717/peerj.453](https://doi.org/10.7717/peerj.453). The photographs come with it, in the public domain or
#   under CC0.
# - TensorFlow,
#   [`softmax_cross_entropy_with_logits`](https://www.tensorflow.org/api_docs/python/tf/nn/softmax_cross_entropy_with_logits).

# %% [markdown]
# # A2 Noise, spikes and a rising validation loss
#
# **About two hours. Ten questions, 100 points.** It covers lessons 03, 04 and 05, and the last question needs lesson
# 01 too. You compare two epochs, hold a loss against wrong labels, find out what six logs really printed, take running
# means apart, and read two recorded trainings sample by sample.
#
# **How it is marked.** A program marks all of it. Your functions are called with inputs that you do not see; your
# values are compared with values that the program computes. Each question has parts that earn points one by one.
# The check cell below each answer shows one example, or looks at the kind of your value. It gives no marks.
#
# **Rules for all questions.** Logarithms are natural and losses are in nats, unless a question says otherwise. Samples,
# epochs and classes are counted from 0. Do not round. Work on copies of the inputs; the check cells tell you if you do
# not. Where a function gives several results, return them as a tuple in the order asked for. Where a list is asked for,
# write `None` for a number or a text that you leave out; the others count. You may use NumPy, the standard library,
# scikit-learn and all of `lossacc_helpers` but `training`. No question needs another question's answer.
#
# Write your answers in the cells that say so, and leave the other cells as they are.

# %% given="setup"
import numpy as np

from lossacc_helpers import figures, find_spikes, recordings
from lossacc_helpers.exercises import look_at, look_at_each, try_out


# %% [markdown]
# ## 1. Two epochs, the same samples (10 points)
#
# Accuracy changes from one epoch to another. Lesson 03 says what counts: who **crossed**. Say $n$ samples crossed (they
# were right in one of the two epochs and wrong in the other), and $k$ of them *became right*. Their share is
# $s = k / n$. If the network had not really changed, a crosser would go either way with the probability 1/2.
#
# Wilson's interval for the true share is made of all $t$ in $[0, 1]$ that do not lie too far from $s$:
#
# $$|s - t| \;\le\; z \sqrt{t (1 - t) / n}$$
#
# Its ends are the two $t$ for which both sides are equal. If it leaves out 1/2, the change is more than noise.
#
# Write `crossing_interval(before, after, z)`. `before` and `after` are arrays of booleans of the same shape (sample,):
# which samples were right. `z` is a positive number (1.96 for a 95% interval). Return the lower and the upper end of
# the interval for the share of the crossers that became right. If nobody crossed, nothing is known: return 0 and 1.


# %% answer="crossing_interval"
def crossing_interval(before, after, z):
    """The ends (low, high) of Wilson's interval for the share of the crossers that became right."""
    ### BEGIN SOLUTION
    gained, lost = np.sum(~before & after), np.sum(before & ~after)
    crossed = gained + lost
    if crossed == 0:
        return 0.0, 1.0
    share = gained / crossed
    # Squared, both sides are equal where (1 + z²/n) t² - (2 s + z²/n) t + s² = 0.
    spread = z**2 / crossed
    root = np.sqrt(spread * (share * (1 - share) + spread / 4))
    return (share + spread / 2 - root) / (1 + spread), (share + spread / 2 + root) / (1 + spread)
    ### END SOLUTION


# %% check="crossing_interval"
# Five samples crossed, four of them became right. Put the ends into the inequality: both sides are equal.
flags_before = np.array([True, False, False, False, False, True, True, False])
flags_after = np.array([False, True, True, True, True, True, True, False])
try_out(crossing_interval, flags_before, flags_after, 2.0, gives=[0.3685243, 0.9648091])

# %% [markdown]
# ## 2. What wrong labels leave to be reached (12 points)
#
# Each label of a data set was drawn anew with the probability $q$, the `share`: then it is one of the $C$ classes, all
# equally likely, the true one among them. (In lesson 03 $q$ was 0.4 and $C$ was 13.) Loss and accuracy are measured
# with the labels as they are told, right or wrong. A network knows the true class of every sample, and cannot know
# which labels were drawn anew.
#
# Write `noise_limits(share, classes, confidence)`, which returns three numbers, each an expectation:
#
# 1. the accuracy of the network, when it always names the true class;
# 2. the least mean loss that it can have, when it may choose its probabilities knowing $q$ and $C$;
# 3. its mean loss, when it gives the true class the probability `confidence` in every sample, and shares out the rest
#    evenly among the other classes.
#
# `share` is from 0 to 1, both included; `classes` is 2 or more; `confidence` is above 0 and below 1.


# %% answer="noise_limits"
def noise_limits(share, classes, confidence):
    """Accuracy, least mean loss and mean loss at a confidence (nats), where a share of labels is drawn anew."""
    ### BEGIN SOLUTION
    told = 1 - share + share / classes  # the label is the true class
    other = share / classes  # it is one particular other class
    least = -told * np.log(told)
    if share > 0:
        least -= (classes - 1) * other * np.log(other)
    paid = -told * np.log(confidence) - (1 - told) * np.log((1 - confidence) / (classes - 1))
    return told, least, paid
    ### END SOLUTION


# %% check="noise_limits"
# Four classes, one label in five drawn anew: 85 in 100 are as they were.
try_out(noise_limits, 0.2, 4, 0.97, gives=[0.85, 0.5875009, 0.7166659])

# %% [markdown]
# ## 3. Six logs, and what they printed as "loss" (10 points)
#
# Six programs printed a column called "loss". In each, ten classes were told apart, and a network gave probabilities
# $p_0, \dots, p_9$ by a softmax. Each log shows, at six moments, the loss, the accuracy and the mean probability of the
# true class, measured on the same predictions and rounded to four decimals. The first moment is before the training:
# there the network gives all ten classes nearly the same probability in every sample. Some logs are of training
# samples, some of validation samples, and some labels are wrong.
#
# | kind | what was printed as the loss: the mean over the samples of |
# |---|---|
# | `"log loss"` | $-\ln p_{\text{true}}$ |
# | `"bits"` | the same with the logarithm to the base 2 |
# | `"swapped softmax"` | lesson 03's `cross_entropy(softmax(z), y)`: labels and probabilities have changed places |
# | `"softmax twice"` | lesson 03's `cross_entropy(y, softmax(z))`: probabilities handed over as if they were logits |
# | `"squared error"` | the mean over the ten classes of $(p_k - y_k)^2$, where $y$ is the one-hot label |
# | `"probability of error"` | $1 - p_{\text{true}}$ |
#
# Exactly one kind explains all six moments of a log; digits that agree six times are no accident. A kind may occur
# more than once, or not at all.

# %% given="logs"
# Three rows a log, and six moments: the network gets older from left to right.
logs = {
    "A": {
        "loss": [2.3618, 2.3159, 2.2223, 2.0573, 1.9450, 1.8417],
        "accuracy": [0.1150, 0.2533, 0.4250, 0.4933, 0.5800, 0.6633],
        "p of true": [0.0994, 0.1453, 0.2388, 0.4038, 0.5161, 0.6195],
    },
    "B": {
        "loss": [3.3306, 3.2317, 3.1432, 2.9831, 2.7152, 2.3396],
        "accuracy": [0.0950, 0.2717, 0.4050, 0.5767, 0.6867, 0.7283],
        "p of true": [0.0999, 0.1069, 0.1140, 0.1286, 0.1594, 0.2229],
    },
    "C": {
        "loss": [0.0899, 0.0892, 0.0885, 0.0871, 0.0839, 0.0762],
        "accuracy": [0.1283, 0.1667, 0.2217, 0.3567, 0.4467, 0.5717],
        "p of true": [0.1014, 0.1046, 0.1080, 0.1154, 0.1336, 0.1817],
    },
    "D": {
        "loss": [2.3017, 2.2231, 1.9188, 1.5170, 1.4650, 1.4613],
        "accuracy": [0.1233, 0.2667, 0.5733, 0.9733, 0.9967, 1.0000],
        "p of true": [0.1009, 0.1836, 0.5168, 0.9390, 0.9959, 0.9998],
    },
    "E": {
        "loss": [2.2920, 1.9639, 1.7512, 1.6261, 1.6866, 2.2076],
        "accuracy": [0.1400, 0.3750, 0.5017, 0.5983, 0.5950, 0.5100],
        "p of true": [0.1015, 0.1609, 0.2375, 0.4152, 0.4333, 0.4235],
    },
    "F": {
        "loss": [2.3625, 2.3060, 1.8170, 1.6738, 1.5384, 1.4613],
        "accuracy": [0.0567, 0.3067, 0.7467, 0.8233, 0.9233, 1.0000],
        "p of true": [0.0986, 0.1552, 0.6442, 0.7874, 0.9228, 0.9998],
    },
}
kinds = ["log loss", "bits", "swapped softmax", "softmax twice", "squared error", "probability of error"]
for letter, columns in logs.items():
    for name, numbers in columns.items():
        print(letter, f"{name:9}", *(f"{number:.4f}" for number in numbers))

# %% [markdown]
# Give the kinds of the logs A, B, C, D, E and F as `printed_kinds`, a list of six texts in that order, spelt as in the
# table. B and C are worth 1 point each, the others 2 points each.

# %% answer="printed_kinds"
# Assign a list of six texts to printed_kinds.
printed_kinds = ...
### BEGIN SOLUTION
# A: loss + p = ln(e + 9) throughout. B: starts at log2(10). C: starts at 0.09, far below (1 - accuracy) ln 2.
# D: everything right and sure, and still 1.461. E: starts at ln 10, and loss + p falls far below ln(e + 9).
# F: ends as D does, but loss + p = ln(e + 9) from the start.
printed_kinds = ["swapped softmax", "bits", "squared error", "softmax twice", "log loss", "swapped softmax"]
### END SOLUTION

# %% check="printed_kinds"
# Six texts, each one of the table's. Whether they are the right ones is not said here.
look_at_each(printed_kinds, name="printed_kinds", kinds=[kinds] * 6)

# %% [markdown]
# ## 4. Out of the progress bar (8 points)
#
# While an epoch runs, Keras shows a loss after each batch: the mean over *all samples of the epoch so far*, not that
# of the batch. That smooths, and it makes the number at the end of the epoch too old: it still holds the first
# batches (lesson 04).
#
# Write `batch_losses(shown, sizes)`. `shown` is an array (batch,): what was shown after each batch of one epoch.
# `sizes` is an array (batch,) of whole numbers: how many samples each batch had. They need not be equal. Return the
# array (batch,) of the batches' own mean losses.


# %% answer="batch_losses"
def batch_losses(shown, sizes):
    """The mean loss of each batch, (batch,), from the running mean over samples that was shown after it."""
    ### BEGIN SOLUTION
    total = np.asarray(shown) * np.cumsum(sizes)  # nats paid in the epoch so far
    return np.diff(total, prepend=0.0) / sizes
    ### END SOLUTION


# %% check="batch_losses"
# 32 samples at 2.0; then 32 at 1.0, which makes 1.5 of all 64; then 16 that bring the mean down to 1.28.
try_out(batch_losses, np.array([2.0, 1.5, 1.28]), np.array([32, 32, 16]), gives=[2.0, 1.0, 0.4])

# %% [markdown]
# ## 5. A moving average without its start (10 points)
#
# BatchNormalization keeps a moving average of what it sees: at each step
#
# `average = m * average + (1 - m) * value`
#
# with the momentum $m$ of that step, beginning at a `start`. In lesson 04 the variances' start of 1 was what mostly
# kept the network stuck at chance, and it was divided out: what is left of the start is taken off, and the rest is
# scaled so that the weights of the values add up to 1.
#
# Write `averages(values, momenta, start)`. `values` is an array (step,) or (step, channel). `momenta` is an array
# (step,): the momentum of each step, from 0 (included) to 1 (not included); it may differ from step to step. `start` is
# one number for all channels. Return two arrays, each of the shape of `values`:
#
# 1. the average after each step;
# 2. the same with the start divided out, which no longer depends on `start`.


# %% answer="averages"
def averages(values, momenta, start):
    """The moving average after each step, and the same with its start divided out; both as `values`."""
    ### BEGIN SOLUTION
    average, left = np.full(values.shape[1:], float(start)), 1.0
    plain, divided = [], []
    for value, momentum in zip(values, momenta):
        average = momentum * average + (1 - momentum) * value
        left = left * momentum
        plain.append(average)
        divided.append((average - left * start) / (1 - left))
    return np.array(plain), np.array(divided)
    ### END SOLUTION


# %% check="averages"
# Started at 1: after the first step 0.5 of the start is left, after the second 0.8 times 0.5.
try_out(averages, np.array([0.2, 0.6]), np.array([0.5, 0.8]), 1.0, gives=[[0.6, 0.6], [0.2, 1 / 3]])

# %% [markdown]
# ## 6. Anatomy of a spike (12 points)
#
# This is one of lesson 04's recorded trainings, asked as Keras asks, after each of 45 epochs, about 500 training
# patches and 500 validation patches of two classes. From here on, all is about the validation patches.
# `spiky.sample_losses` has the loss of each of them, (epoch, patch), and `spiky.correct` whether it was right;
# `spiky.loss` and `spiky.accuracy` are the means. Epochs count from 0 in all of these; the figure counts them from 1.

# %% given="spiky_training"
spiky_run = recordings.load("lesson_04_fast").replica(7)
spiky = spiky_run.validation
title = "Training and validation jump together: which epochs are spikes?"
figures.loss_and_accuracy_curves(spiky_run, title=title, chance_loss=np.log(2))

# %% [markdown]
# Take as spikes what `find_spikes(spiky.loss)` flags: epochs whose loss is more than 1.5 times the median of up to
# three epochs before, and also more than 1.5 times the median of up to three epochs after. Of these, look at the spike
# with the greatest **rise**, which is the mean loss of that epoch minus the mean loss of the epoch before it. A patch's
# **own rise** is its own loss in that epoch minus its own loss in the epoch before. Assign to `spike_report` a list of
# five numbers. All five are about this one spike; numbers 3 to 5 also count if they are right for another epoch that
# you gave as number 1, as long as the mean loss rises in it.
#
# 1. the epoch of that spike, counted from 0 (2 points);
# 2. its rise, in nats (2 points);
# 3. the fewest patches whose own rises, added up and divided by 500, make at least half of the rise (3 points);
# 4. the share of the rise that comes from patches that became wrong: their own rises, added up and divided by 500,
#    over the rise (2 points);
# 5. the same for the patches that were wrong in both epochs (3 points).

# %% answer="spike_report"
# Assign a list of five numbers to spike_report.
spike_report = ...
### BEGIN SOLUTION
flagged = np.flatnonzero(find_spikes(spiky.loss))
spike = flagged[np.argmax(spiky.loss[flagged] - spiky.loss[flagged - 1])]
own_rises = spiky.sample_losses[spike].astype(float) - spiky.sample_losses[spike - 1].astype(float)
was, now = spiky.correct[spike - 1], spiky.correct[spike]
carried = np.cumsum(np.sort(own_rises)[::-1])
spike_report = [
    spike,
    own_rises.mean(),
    np.argmax(carried >= own_rises.sum() / 2) + 1,
    own_rises[was & ~now].sum() / own_rises.sum(),
    own_rises[~was & ~now].sum() / own_rises.sum(),
]
### END SOLUTION

# %% check="spike_report"
look_at_each(spike_report, name="spike_report", kinds=["number"] * 5)

# %% [markdown]
# ## 7. Too bold here, too timid there (10 points)
#
# An expected calibration error adds up gaps between confidence and accuracy, and does not say in which direction they
# go. Bins of equal width have another fault: a trained network puts most samples into the last one.
#
# So sort the samples by confidence, the lowest first, and cut them into `bins` groups of neighbours, all of the same
# size. If the number of samples cannot be divided by `bins`, the first groups have one sample more than the others, as
# few groups as possible (`np.array_split` cuts like that; `reliability` cuts otherwise). For each group, take its mean
# confidence minus its accuracy: its gap. Then
#
# - *boldness* is the sum, over the groups whose gap is positive, of the gap times the group's share of all samples;
# - *timidity* is the sum, over the groups whose gap is negative, of the gap's size times the group's share of all
#   samples.
#
# Write `bold_and_timid(correct, confidence, bins)`. `correct` is an array (sample,) of booleans and `confidence` an
# array (sample,) of numbers. There are at least as many samples as bins, and no two confidences are equal. Return
# boldness and timidity; neither is negative, and together they are the calibration error.


# %% answer="bold_and_timid"
def bold_and_timid(correct, confidence, bins):
    """Boldness and timidity over groups of as many samples each, by rising confidence."""
    ### BEGIN SOLUTION
    bold = timid = 0.0
    for group in np.array_split(np.argsort(confidence), bins):
        gap = np.mean(confidence[group]) - np.mean(correct[group])
        bold += max(gap, 0) * len(group) / len(correct)
        timid += max(-gap, 0) * len(group) / len(correct)
    return bold, timid
    ### END SOLUTION


# %% check="bold_and_timid"
# Groups {0.4, 0.5, 0.6} with two right, and {0.8, 0.9} with one: gaps of -1/6 and 0.35.
some_right = np.array([False, True, True, False, True])
try_out(bold_and_timid, some_right, np.array([0.8, 0.4, 0.9, 0.5, 0.6]), 2, gives=[0.14, 0.1])

# %% [markdown]
# ## 8. Which epoch would you ship? (12 points)
#
# One of lesson 05's song networks was asked about 1,465 validation words after each of 22 epochs, at eleven
# temperatures. `songs.sample_losses` has the shape (temperature, epoch, word), and `songs.correct` too;
# `heats` has the eleven temperatures in the same order.
#
# The words at the odd places 1, 3, 5, ... of the last axis are there to **choose**; those at the even places 0, 2, 4,
# ... are there to **judge**. Below they are called the odd words and the even words.

# %% given="song_network"
song_run = recordings.load("lesson_05_verses")
songs, heats = song_run.validation, np.array(song_run.settings["temperatures"])
print("losses:", songs.sample_losses.shape, " temperatures:", heats)

# %% [markdown]
# Assign to `shipping` a list of five numbers (2 points each for the first three, 3 each for the others):
#
# 1. the epoch with the least mean loss of the odd words, at temperature 1;
# 2. the accuracy on the *even* words, at temperature 1, in the epoch with the best accuracy on the odd words at
#    temperature 1;
# 3. the epoch with the least mean loss of the odd words, when each epoch has the one of the eleven temperatures at
#    which its mean loss of the odd words is least;
# 4. the mean loss of the *even* words in that third epoch, at the temperature that the odd words gave it;
# 5. at temperature 1, the mean loss of the *even* words rises from the epoch of number 1 to epoch 14. Which share of
#    that rise goes away when each of the two epochs is asked at the temperature that the odd words give it?

# %% answer="shipping"
# Assign a list of five numbers to shipping.
shipping = ...
### BEGIN SOLUTION
losses = songs.sample_losses.astype(float)
chosen_by, judged_by = losses[..., 1::2].mean(axis=-1), losses[..., ::2].mean(axis=-1)
plain = np.flatnonzero(heats == 1)[0]
best_heat = chosen_by.argmin(axis=0)
tempered = judged_by[best_heat, np.arange(22)]
least = chosen_by[plain].argmin()
most_right = songs.correct[plain, :, 1::2].mean(axis=-1).argmax()
third = chosen_by.min(axis=0).argmin()
rise, rise_tempered = judged_by[plain, 14] - judged_by[plain, least], tempered[14] - tempered[least]
shipping = [
    least,
    songs.correct[plain, most_right, ::2].mean(),
    third,
    tempered[third],
    1 - rise_tempered / rise,
]
### END SOLUTION

# %% check="shipping"
look_at_each(shipping, name="shipping", kinds=["number"] * 5)

# %% [markdown]
# ## 9. Worse, and still the better network (8 points)
#
# Twenty samples of three classes, with the labels below. Write down the probabilities of two epochs as
# `worse_but_better`, an array of shape (2, 20, 3): first the earlier epoch, then the later one. All probabilities are
# above 0, each row of three sums to 1, and no row has two equal largest probabilities. From the earlier to the later
# epoch
#
# - the mean loss rises by at least 0.2 nats;
# - the accuracy rises by at least 0.1;
# - the mean loss *falls* by at least 0.05 nats if both epochs are tempered: each has the one temperature for its twenty
#   samples, between 0.01 and 100, at which its mean loss is least.
#
# `fit_temperature(twenty_labels, np.log(epoch)).loss` of `lossacc_helpers` is the mean loss of one tempered epoch,
# (20, 3); it refuses an epoch in which all are right.
#
# Any such probabilities get full points. You get 2 points for the first of the three, 2 for the second, and 4 if all
# three hold together.

# %% given="twenty_labels"
twenty_labels = np.arange(20) % 3
print(twenty_labels)

# %% answer="worse_but_better"
# Assign an array of shape (2, 20, 3) to worse_but_better.
worse_but_better = ...
### BEGIN SOLUTION


def twenty_rows(right, surest, of_wrong):
    """Rows (20, 3): the first ones are right with one confidence, the others wrong with one probability left."""
    rows = np.empty((20, 3))
    for sample, label in enumerate(twenty_labels):
        if sample < right:
            rows[sample], rows[sample, label] = (1 - surest) / 2, surest
        else:
            rows[sample] = 0.05 * (1 - of_wrong)
            rows[sample, (label + 1) % 3], rows[sample, label] = 0.95 * (1 - of_wrong), of_wrong
    return rows


# Later, more are right, and all answers are far too sure.
worse_but_better = np.array([twenty_rows(12, 0.5, 0.3), twenty_rows(17, 0.999, 1e-5)])
### END SOLUTION

# %% check="worse_but_better"
# Its shape alone is looked at. Work out the losses, the accuracies and the sums of the rows yourself.
look_at(worse_but_better, name="worse_but_better", kind="array", shape=(2, 20, 3))

# %% [markdown]
# ## 10. What two printed numbers prove (8 points)
#
# A table of many networks gives a mean log loss and an accuracy for each, of the same predictions on very many samples,
# so many that luck plays no part. The accuracies are by argmax, at least 1/2 and below 1. Write
# `verdicts(loss, accuracy, classes)`: `loss` and `accuracy` are arrays of the same shape (network,), `classes` is
# the number $C$ of classes, the same for all. Return an array (network,) of whole numbers:
#
# - **0** if no predictions at all have this loss with this accuracy (lesson 01);
# - **1** if some predictions have them, but no calibrated ones, for the loss is too **low** for these;
# - **2** if calibrated predictions can have them (lesson 05);
# - **3** if some predictions have them, but no calibrated ones, for the loss is too **high** for these.
#
# Calibrated means here, as in lesson 05: in every probability of a row. For an accuracy $a$ of at least 1/2 the least
# loss of calibrated predictions is the one that lesson 05 gives for two classes, whatever $C$ is. No network lies
# exactly on a border.


# %% answer="verdicts"
def verdicts(loss, accuracy, classes):
    """0 impossible, 1 too low for calibrated predictions, 2 possible for these, 3 too high for them; (network,)."""
    ### BEGIN SOLUTION
    wrong = 1 - accuracy
    greatest = -accuracy * np.log(accuracy) - wrong * np.log(wrong) + wrong * np.log(classes - 1)
    borders = [wrong * np.log(2), 2 * wrong * np.log(2), greatest]
    return np.sum([loss > border for border in borders], axis=0)
    ### END SOLUTION


# %% check="verdicts"
# Two classes. Lesson 05's log, a loss below what lesson 01 permits, and two in between.
some_losses, some_accuracies = np.array([0.746, 0.05, 0.30, 0.15]), np.array([0.854, 0.90, 0.85, 0.85])
print(try_out(verdicts, some_losses, some_accuracies, 2, gives=[3, 0, 2, 1]))
# Ten classes, an accuracy of 0.85 each time.
try_out(verdicts, np.array([0.09, 0.15, 0.60, 0.80]), np.full(4, 0.85), 10, gives=[0, 1, 2, 3])

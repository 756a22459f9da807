# %% [markdown]
# # 05 Loss and accuracy rise together
#
# ## The question
#
# You train a network to write song lyrics: one line in, the next line out. Both losses fall. Then, after some epochs,
# the validation loss turns and rises, epoch after epoch. The validation accuracy does not fall with it. It goes on
# rising, slowly.
#
# Which of the two do you believe? The answer that was published shows one example, says "overfitting", and gives three
# reasons why people look at the loss rather than at the accuracy. (**Overfitting**: doing better on what was trained on
# than on new samples of the same kind.) In this lesson you make the curves yourself, with a model that writes songs and
# with one of English prose. You find out who pays for the rise, and how much of it one number can repair.
#
# **What you need first:** lesson 01 (what a sample costs, and what a loss permits), lesson 02 (crossings, many networks
# at once), lesson 03 (redrawn labels, and an interval for a change) and lesson 04 (a network trained and asked in two
# ways). The next cell loads TensorFlow, which takes about ten seconds; if another lesson's kernel still runs, shut it
# down first (menu *Kernel*).
#
# <details>
# <summary>What was published, and what its answer claimed</summary>
#
# An LSTM language model, then a sequence-to-sequence model, both writing lyrics; the curves are of the second. Both
# losses fall until about epoch 15, then the validation loss rises while the validation accuracy keeps rising slowly.
# Sizes, data and training were not stated in a way that lets anybody repeat it: ours are ours.
#
# The answer: a picture of a dog and a horse, for which one classifier is surer than another and both are right; the
# network overfits; with enough data the loss rises and the accuracy falls; and loss is used more than accuracy
# because it is differentiable, because accuracy does not exist for regression, and because loss has several methods
# of optimisation, "such as Newton's and maximum likelihood". Each gets its verdict at the end.
#
# </details>

# %%
from lossacc_helpers.course.lesson_05 import lesson
from lossacc_helpers.course.shown import shown
from lossacc_helpers import datasets, figures, recordings, training
from lossacc_helpers import accuracy_change_interval, at_temperature, attainable_accuracy, bootstrap_loss_interval
from lossacc_helpers import calibrated_accuracy, calibrated_loss, calibration_error_by_chance, fit_temperature
from lossacc_helpers import jump_share, least_miscalibration, log_loss, reliability, split_loss

import keras
import numpy as np

layers = keras.layers

# %% [markdown]
# Here is such a training, the one, of ten recorded, whose accuracy rose most. Training and validation are measured in
# the same way: after the epoch, in inference mode.

# %%
title = "Validation loss turns and rises; validation accuracy rises too"
limits = {"loss_limit": 1.6, "accuracy_from": 0.6, "accuracy_to": 0.75}
figures.loss_and_accuracy_curves(shown("lesson_05_verses", network=9), title=title, **limits)

# %% [markdown]
# ## Commit
#
# Before you look into it, say what you think.

# %% tags=["commit"]
lesson.commit("rise")

# %% tags=["commit"]
lesson.commit("payers")

# %% tags=["commit"]
lesson.commit("repaired")

# %% [markdown]
# ## Look
#
# Another of the ten trainings, word by word, on 150 lines of its validation songs. On the right is a **reliability
# diagram**. A network's *confidence* is the probability of its answer. All words are sorted into bins by it, and for
# each bin the share of right answers is drawn. On the dotted line confidence and accuracy are the same: such
# predictions are **calibrated**. Blue strokes are 95% intervals, and grey bars say how many words fall into each bin.
#
# 1. Move the **epoch** from 4 to the last. When do the points leave the line, and in which direction?
# 2. Stay at the last epoch and move the **temperature**: all logits are divided by it. Where do the points come to
#    lie, and do they come to lie *on* the line? What happens to the accuracy, in the line below the picture?
# 3. Compare the curves on the left (there are three when the temperature is not 1). At the best temperature of the
#    slider, does the loss still rise?
# 4. Ask about the **training words** instead, at the last epoch. Which temperature is best for them? Would you have
#    chosen it?
#
# <details>
# <summary>What you may have seen</summary>
#
# At epoch 4 most points lie about on the line. In the second half of training they fall below it: the network is too
# sure. A temperature above 1 brings them near the line, not quite onto it, and no answer changes: accuracy is the
# same at every temperature. At the best temperature the loss still rises, and by less. The training words would
# choose the lowest on the slider, for there the network is right and may be surer still; so nobody should ask *them*.
#
# </details>

# %% tags=["explorer"]
lesson.explorer("calibration")

# %% [markdown]
# ## Compute and explain
#
# ### Songs whose every chance is known
#
# The lyrics of the question are not known. Ours come from a small grammar that was written for this course: couplets
# that rhyme and keep to their subject, with a refrain now and then.

# %%
songs = datasets.verses(train_songs=80, validation_songs=75, test_songs=1)
for number in range(9):
    print(songs.decode(songs.train.before[number]))

# %% [markdown]
# A grammar has an advantage that no real text has: the chance of every next word can be computed. A line depends on
# the line before it and on nothing else.

# %% tags=["nbval-check-output"]
before = "when evening comes the piper plays beside the sea ,"
for so_far in ("", "and", "and whispers to me of the"):
    row = datasets.next_words(before.split(), so_far.split())[-1]
    best = row.argsort()[::-1][:4]
    told = ", ".join(f"{songs.vocabulary[word]} {row[word]:.2f}" for word in best if row[word] > 0)
    print(f"{so_far or '(a new line)'} ...  {told}")

# %% [markdown]
# After the last "the" only words that rhyme with *sea* can come, and which of them is chance. Even somebody who knew
# all the chances would often be wrong, and would pay for each word. Nobody can do better on average:

# %% tags=["nbval-check-output"]
held = songs.validation
words, chances = held.labels[held.told], held.chances
print(f"with the true chances: loss {log_loss(words, chances):.3f}, accuracy {np.mean(chances.argmax(1) == words):.3f}")
expected = -np.sum(chances * np.log(np.where(chances > 0, chances, 1)), axis=1).mean()
print(f"expected of them: loss {expected:.3f}, accuracy {chances.max(axis=1).mean():.3f}")

# %% [markdown]
# The first line is of these words, the second what the chances promise on average (the **entropy**). They differ by
# luck.

# %% [markdown]
# ### A network that writes the next line
#
# An *encoder* reads the line before, a *decoder* begins in the state in which the encoder ended and says the next
# line, word by word. The decoder is always told the true words so far, whatever it would have said: *teacher
# forcing*. The validation loss and accuracy are measured so as well; neither says how well the network writes by
# itself.


# %%
def build_model(vocabulary, units=256):
    before = keras.Input((None,), dtype="int32")
    so_far = keras.Input((None,), dtype="int32")
    embed = layers.Embedding(vocabulary, 64, mask_zero=True)
    _, *state = layers.LSTM(units, return_state=True)(embed(before))
    told = layers.LSTM(units, return_sequences=True)(embed(so_far), initial_state=state)
    return keras.Model([before, so_far], layers.Dense(vocabulary)(told))


# %% [markdown]
# Lines are of different lengths, so the shorter ones are filled up with a number 0, the *padding*. `mask_zero=True`
# tells Keras to leave these places out, in the loss and in the accuracy. `RecordWords` keeps the loss of every word
# after every epoch, and what you will need further down. Of the training songs the first 160 lines are kept so.
# Training takes about half a minute.

# %%
keras.utils.set_random_seed(4)
model = build_model(len(songs.vocabulary))
model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
inputs, labels = songs.train.pairs
some = tuple(part[:160] for part in inputs), labels[:160]  # enough to see how training goes
groups = songs.validation.songs
watch = training.RecordWords(some, songs.validation.pairs, padding=0, groups=groups, temperatures=[1.0])
snapshots = []
keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: snapshots.append(model.get_weights()))
model.fit(inputs, labels, batch_size=32, epochs=18, verbose=0, callbacks=[watch, keep])
record = watch.record

# %% decides="training beside validation" over="one network of one seed, {unseen.samples:,} validation words"
trained, unseen = record.run.train, record.run.validation
least = int(unseen.loss.argmin())
for epoch in (0, 3, least, 13, 17):
    print(f"epoch {epoch + 1:2}: training {trained.loss[epoch]:.3f} / {trained.accuracy[epoch]:.3f}", end="")
    print(f"   validation {unseen.loss[epoch]:.3f} / {unseen.accuracy[epoch]:.3f}")
times = unseen.loss[-1] / unseen.loss[least]
print(f"least validation loss after epoch {least + 1}; at the end it is {times:.2f} times that")
assert unseen.loss[-1] > 1.05 * unseen.loss[least] and unseen.accuracy[-1] > unseen.accuracy[least] - 0.01
assert trained.accuracy[-1] > unseen.accuracy[-1] + 0.1

# %% [markdown]
# The loss ends well above its least value, and the accuracy has not followed it. Nothing is wrong with the data:
# training and validation songs come from one grammar, and no label is wrong. (One network proves little. Ten follow
# below.)
#
# ### What padding does to an accuracy
#
# What would these accuracies be, if padding were counted as well?

# %%
answers = model.predict((held.before, held.inputs), verbose=0).argmax(axis=-1)
print(f"words and ends of lines only: {np.mean((answers == held.labels)[held.told]):.3f}")
print(f"padding counted too, as the model answers there: {np.mean(answers == held.labels):.3f}")
print(f"... if it had learned to say <pad> there: {np.mean((answers == held.labels) | ~held.told):.3f}")
print(f"somebody who always says <pad> would be right in {np.mean(~held.told):.3f} of all places")

# %% [markdown]
# Three numbers for one network, and none of them is a mistake of arithmetic. The second is lower, for this network
# was never trained on the places after the end of a line; the third is what you see where padding is learned too.
# Only the first is about words. When somebody reports an accuracy of sequences, ask which places were counted.

# %% [markdown]
# ### Who pays?
#
# Compare each validation word after the epoch of the least loss with the same word at the end. Is the rise more than
# the luck of these words? Draw as many words from them, with replacement, thousands of times: the **bootstrap**. (It
# takes the words for independent, and words of one song are not quite.)

# %%
early, late = unseen.sample_losses[[least, -1]].astype(float)
fell, was, now = late < early, unseen.correct[least], unseen.correct[-1]
print(f"mean loss {early.mean():.3f} -> {late.mean():.3f}, median {np.median(early):.3f} -> {np.median(late):.3f}")
print(f"{fell.mean():.0%} of the words became cheaper")
carried = jump_share(early, late, (0.01, 0.05, 0.10))
print(f"the 1%, 5% and 10% that rose most carry {carried[0]:.0%}, {carried[1]:.0%} and {carried[2]:.0%} of the rise")
low, high = bootstrap_loss_interval(late - early)
print(f"a 95% interval of the rise, over words redrawn from these: {low:.3f} to {high:.3f}")

# %% decides="who pays" over="one network of one seed, {unseen.samples:,} validation words"
kinds = {"right, right": was & now, "wrong, wrong": ~was & ~now}
kinds |= {"crossed to wrong": was & ~now, "crossed to right": ~was & now}
rise, parts = late.mean() - early.mean(), {}
for name, kind in kinds.items():
    parts[name] = (late - early)[kind].sum() / len(late)
    print(f"{name:16}: {kind.mean():5.1%} of the words, {parts[name]:+.3f} to a mean that rises by {rise:.3f}")
tops = unseen.top_probabilities
for name, flags in (("right", unseen.correct), ("wrong", unseen.correct == 0)):
    sure = [tops[epoch][flags[epoch]].mean() for epoch in (least, -1)]
    print(f"mean confidence of {name} answers {sure[0]:.3f} -> {sure[1]:.3f}")
assert fell.mean() > 0.5 and carried[2] > 0.9
assert parts["wrong, wrong"] / rise > 0.5 and sure[1] > 1.2 * sure[0]

# %%
lesson.recall("payers", came_out=f"{fell.mean():.0%} of the validation words.")

# %% [markdown]
# Can 10% carry the whole rise, or more than the whole? They can, because more than half of the words became cheaper
# and take some of it back. The rise comes from words that were wrong before and are wrong now: their answers are
# given with more and more confidence, and a wrong answer can cost without limit, where a right one can save no more
# than it costs. Those who cross make the whole change in accuracy, and take back a part of the rise.
#
# That is one network. One of the ten recorded networks was kept word by word, on 150 lines. The same holds there:

# %% tags=["nbval-check-output"] decides="who pays" over="one recorded network, {another.samples:,} validation words"
run = recordings.load("lesson_05_verses")  # its replicas are one network at several temperatures
another = run.validation.replica(run.settings["temperatures"].index(1.0))
turn = int(another.loss.argmin())
change = another.sample_losses[-1].astype(float) - another.sample_losses[turn]
stayed_wrong = (another.correct[[turn, -1]] == 0).all(axis=0)
shift = change[stayed_wrong].sum() / len(change)
print(f"a recorded network: {np.mean(change < 0):.0%} of the words became cheaper;", end=" ")
print(f"wrong, wrong: {stayed_wrong.mean():.1%} of all, {shift:+.3f} to a mean that rises by {change.mean():.3f}")
bolder = [another.top_probabilities[epoch][another.correct[epoch] == 0].mean() for epoch in (turn, -1)]
print(f"mean confidence of wrong answers {bolder[0]:.3f} -> {bolder[1]:.3f}")
assert np.mean(change < 0) > 0.5 and shift / change.mean() > 0.5 and bolder[1] > 1.2 * bolder[0]

# %% [markdown]
# ### How sure, and how often right?
#
# Confidence is the probability of the answer. The **expected calibration error** is the gap between confidence and
# accuracy in a bin, averaged over all words.

# %%
diagrams = {
    f"after epoch {epoch + 1}": reliability(unseen.correct[epoch], unseen.top_probabilities[epoch], bins=10)
    for epoch in (3, least, 17)
}
figures.reliability_figure(diagrams, title="The longer it trains, the further confidence runs ahead of accuracy")

# %%
for name, found in diagrams.items():
    print(f"{name}: confidence is {found.overconfidence:+.3f} above accuracy, calibration error {found.error:.3f}")
by_chance = calibration_error_by_chance(unseen.top_probabilities[-1], bins=10)
low, high = np.quantile(by_chance, (0.025, 0.975))
print(f"calibrated predictions as sure as the last would show an error of {low:.3f} to {high:.3f} by chance alone")
few = calibration_error_by_chance(unseen.top_probabilities[-1][:300], bins=10)
print(f"on 300 words it would be {np.quantile(few, 0.025):.3f} to {np.quantile(few, 0.975):.3f}")

# %% [markdown]
# An expected calibration error is never negative, so it is above 0 even where nothing is wrong: it is **biased**.
# That is why the last lines are needed. (In the other direction, too bold and too timid words of one bin cancel and
# stay unseen. The ranges take words for independent draws; words of one line are not, so take the ranges for too
# narrow.)

# %% [markdown]
# ### Why confidence grows
#
# Go back to some epochs and ask how sure the network is of its own songs and of new ones, and how far its greatest
# logit of a new word lies above the second.


# %%
def logits_after(epoch):
    """The logits at every validation word, (word, vocabulary), of the network as it was after an epoch from 0."""
    model.set_weights(snapshots[epoch])
    return model.predict((held.before, held.inputs), verbose=0)[held.told]


believed = {epoch: logits_after(epoch) for epoch in (3, least, 17)}
for epoch, rows in believed.items():
    print(f"epoch {epoch + 1:2}: training accuracy {trained.accuracy[epoch]:.3f}", end=", ")
    print(f"confidence there {trained.top_probabilities[epoch].mean():.3f};", end=" validation ")
    first, second = np.sort(rows, axis=1)[:, :-3:-1].T
    print(f"{unseen.accuracy[epoch]:.3f}, confidence {unseen.top_probabilities[epoch].mean():.3f};", end=" ")
    print(f"lead of the greatest logit {np.mean(first - second):.1f}")

# %% [markdown]
# On its own songs its confidence stays near its accuracy or below, so the training loss does not punish it. A word
# that is answered right gets cheaper when the lead of its logit grows; so as more training words are right, leads
# grow. The same weights answer new songs and lead there too, where hardly more words are right than before. Nothing
# in the training loss asks how sure one should be of a song one has not read.

# %% [markdown]
# ### One number
#
# Divide all logits by a number $T$, the **temperature**, and no answer changes: the greatest logit stays the
# greatest. Above 1 all answers become less sure. This is *temperature scaling*; predictions after scaling are called
# tempered here. Which $T$ is best? The mean loss, drawn over $1/T$, has one valley and no other (it is convex), so
# its floor is easy to find. `fit_temperature` finds it with Newton's method, and its `gap` is a certificate: no other
# temperature has a loss that is lower by more. `at_temperature` gives log-probabilities; `np.exp` makes probabilities
# of them.
#
# <details>
# <summary>Why there is only one valley</summary>
#
# With $b = 1/T$ the loss of a word with logits $z$ and label $y$ is $\ln\sum_k e^{b z_k} - b z_y$. The first part is
# a smooth maximum of straight lines in $b$, which is convex; the second is a straight line.
#
# </details>

# %% decides="one number" over="one network of one seed, {len(words):,} validation words"
logits = believed[17]
fit = fit_temperature(words, logits)
print(f"best temperature {fit.temperature:.2f}: loss {fit.loss_before:.3f} -> {fit.loss:.3f}")
print(f"no other has a loss lower by more than {fit.gap:.0e}")
assert fit.gap < 1e-6 and fit.loss < fit.loss_before
for name, heat in (("as printed", 1.0), ("tempered", fit.temperature)):
    predicted = np.exp(at_temperature(logits, heat))
    found = reliability(predicted.argmax(axis=1) == words, predicted.max(axis=1), bins=10)
    chance = calibration_error_by_chance(predicted.max(axis=1), bins=10).mean()
    print(f"{name}: calibration error {found.error:.3f}, by chance alone {chance:.3f}")

# %% [markdown]
# Much nearer the line, and not on it: one number cannot bend a curve. And a number that is fitted and judged on the
# same words flatters itself. So divide the songs into two halves at random, fit on each and judge on the other. What
# goes away is called the **excess** here.

# %% decides="loss split in two" over="one network of one seed, {unseen.samples:,} validation words, in two halves"
print("epoch   loss = after scaling + excess   temperatures of the two halves")
for epoch in (0, 3, least, 13, 17):
    split = record.splits[epoch]
    one, other = split.temperatures
    print(f"{epoch + 1:5}   {split.loss:.3f} = {split.calibrated:.3f}         {split.excess:+.3f}", end="")
    print(f"          {one:.2f}, {other:.2f}")
rise = [record.splits[-1].loss - record.splits[least].loss, record.splits[-1].excess - record.splits[least].excess]
share_repaired = rise[1] / rise[0]
print(f"of the rise of {rise[0]:.3f} since the least loss, {rise[1]:.3f} is excess: {share_repaired:.0%}")
assert share_repaired > 0.4

# %%
lesson.recall("repaired", came_out=f"{share_repaired:.0%} of it, in the network that you trained.")

# %% [markdown]
# A large part of the rise is confidence, and one number takes it away; in each of the ten networks below it is more
# than half. (It is *at least* that much: the tempered network is still not calibrated.) What is the rest? The true
# chances are known here, so the loss can be taken apart.

# %%
entropy = -np.sum(chances * np.log(np.where(chances > 0, chances, 1)), axis=1)
print(f"expected loss = {entropy.mean():.3f} of chance + what is owed to not knowing the chances:")
best = {epoch: record.fits[epoch].temperature for epoch in (least, 17)}
moments = {"least loss": (least, 1.0), "least loss, tempered": (least, best[least])}
moments |= {"the end": (17, 1.0), "the end, tempered": (17, best[17])}
moments["least loss, bolder"] = (least, best[least] / best[17])
missing = {}
for name, (epoch, heat) in moments.items():
    logs = at_temperature(believed[epoch], heat)
    missing[name] = -np.sum(chances * logs, axis=1) - entropy
    impossible = np.where(chances == 0, np.exp(logs), 0).sum(axis=1).mean()
    print(f"{name:21} {missing[name].mean():.3f}   chance given to words that cannot come {impossible:.3f}")

# %% over="one network of one seed at {len(missing)} moments, {len(entropy):,} places in its validation songs"
nearer = np.mean(missing["the end"] < missing["least loss"])
print(f"nearer to the true chances at the end than at the least loss: {nearer:.0%} of the places")
assert min(one.min() for one in missing.values()) > -1e-6

# %% [markdown]
# What is owed is the mean **Kullback-Leibler divergence** of the network's chances from the true ones: 0 only when
# these are the true ones. Measured in nats the network did get worse after its least loss, tempered or not, and at
# fewer than half of the places its chances are nearer to the truth, though more than half of the *words* became
# cheaper. To be surer of what came is not to know better what could come. (It probably learned by heart what chance
# had written into its songs; that was not tested.)
#
# And yet, as it is, the end gives less chance to words that the grammar forbids. A part of that is boldness: the
# earlier network made as bold (the last row) gives them less than before, though not as little. Tempered it is the
# other way round, and the end gives them more. So the table leaves open whether the network learned more of what is
# impossible. It believes too much in the wrong ones of the words that are possible. Better or worse? That depends on
# what you ask.

# %% [markdown]
# ### What it writes
#
# At each of these moments the network is told a line and writes the next, each word drawn from what it believes. A last
# row takes the least loss with its logits *multiplied*, which makes it as bold as the end.


# %%
def next_lines(temperature):
    """What the model adds to each of the first 100 lines: words are drawn one by one, 2 is the end of a line."""
    start = np.ones((100, 1), dtype=int)
    settings = {"temperature": temperature, "end": 2, "never": (0, 1), "seed": 0}
    return training.write(model, start, 12, before=held.before[:100], **settings)


def could_be(line, answer):
    """Whether the grammar could have written it, to the end."""
    try:
        return bool(datasets.next_words(line, answer)[-1, 2] > 0)
    except ValueError:
        return False


# %%
asked, could = [songs.decode(row) for row in held.before[:100]], {}
print("each line: what was told -> what it wrote, and whether the grammar could have written that")
for name, (epoch, temperature) in moments.items():
    model.set_weights(snapshots[epoch])
    written = [songs.decode(row) for row in next_lines(temperature)]
    could[name] = np.array([could_be(*pair) for pair in zip(asked, written)])
    print(f"{name}: the grammar could have written {could[name].mean():.0%} of 100 lines", end="; ")
    print("from the least loss {:+.2f} to {:+.2f}".format(*accuracy_change_interval(could["least loss"], could[name])))
    print("".join(f"  {asked[k]:45} -> {written[k]} {'✓' if could[name][k] else '✗'}\n" for k in (1, 4)))

# %% [markdown]
# All were told the same hundred lines, so each is compared with the least loss line by line (the interval of lesson
# 03). When this was written, 42 lines of the end could be the grammar's and 30 of the least loss, and the interval left
# out 0, if narrowly. Made as bold, the earlier network wrote no more of them. So boldness alone does not make them;
# whether the network went on learning what is impossible, the table above leaves open.
#
# Tempered, it has the more honest chances, and wrote fewer such lines: a temperature above 1 gives more chance to
# every unlikely word, and one wrong word spoils a line. Honest chances and pleasing draws are different aims. (These
# are draws of one network.)

# %% [markdown]
# ### English prose
#
# Is this a matter of made-up songs? Here is prose: the help texts that come with Python. A *language model*, an LSTM,
# reads twenty words and says after each of them which comes next.

# %%
text = datasets.english_text(train_words=20_000, validation_words=4_000, test_words=4_000)
print(text.decode(text.train[0][0]))
following = text.validation[1].ravel()
print(f"{len(text.vocabulary)} words; in the validation part {np.mean(following == 0):.0%} are none of these")
often = np.bincount(text.train[1].ravel(), minlength=len(text.vocabulary)) + 1
print(f"who knows only how often each word comes: loss {-np.log(often[following] / often.sum()).mean():.2f}", end=", ")
print(f"accuracy {np.mean(following == often.argmax()):.3f}")

# %% [markdown]
# The vocabulary is made of the training part alone: words that occur there twice or more. Whatever else occurs is one
# word, `<other>`. No topic is in two parts. The true chances are not known here.

# %%
keras.utils.set_random_seed(0)
width = len(text.vocabulary)
embed, lstm = layers.Embedding(width, 32), layers.LSTM(256, return_sequences=True)
speaker = keras.Sequential([keras.Input((None,)), embed, lstm, layers.Dense(width)])
cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
speaker.compile(keras.optimizers.Adam(0.03), cost, metrics=["accuracy"])
least_so_far = {"loss": np.inf}


def keep(epoch, logs):
    if logs["val_loss"] < least_so_far["loss"]:
        least_so_far.update(loss=logs["val_loss"], epoch=epoch, weights=speaker.get_weights())


# %%
callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=keep)]
speaker.fit(*text.train, batch_size=128, epochs=16, verbose=0, validation_data=text.validation, callbacks=callbacks)
drafts = {least_so_far["epoch"]: least_so_far["weights"], 15: speaker.get_weights()}
heard = {name: np.array(values) for name, values in speaker.history.history.items()}

# %% over="one network of one seed, {len(following):,} validation words"
lowest, rows_of, splits = least_so_far["epoch"], {}, {}
for epoch in (lowest, 15):
    speaker.set_weights(drafts[epoch])
    rows_of[epoch] = speaker.predict(text.validation[0], verbose=0).reshape(-1, width)
    splits[epoch] = split_loss(following, rows_of[epoch])  # two halves of the words
    print(f"epoch {epoch + 1:2}: loss {heard['val_loss'][epoch]:.3f}, after scaling", end=" ")
    print(f"{splits[epoch].calibrated:.3f}; accuracy {heard['val_accuracy'][epoch]:.3f}", end="; ")
    print(f"perplexity, exp(loss), {np.exp(heard['val_loss'][epoch]):.0f}")
(before, after), hot = splits.values(), np.mean(splits[15].temperatures)
print(f"of the rise {1 - (after.calibrated - before.calibrated) / (after.loss - before.loss):.0%} goes away", end=" ")
print(f"with a temperature of {hot:.2f}")
assert after.loss > 1.05 * before.loss

# %%
for name, kind in (("words of the vocabulary", following > 0), ("<other>", following == 0)):
    paid = [-training.words_at(following[kind], rows[kind], 1.0)[0].mean() for rows in rows_of.values()]
    print(f"{name}: loss {paid[0]:.2f} -> {paid[1]:.2f}")

# %% [markdown]
# The same in another text: the loss turns, the accuracy does not follow it, and most of the rise goes away after
# scaling. It is not `<other>` that makes it. By its loss, the network is at the end hardly better than somebody who
# knows how often each word comes; by its accuracy it is far better. This is what it writes after "the value of the":

# %%
beginning = text.encode("the value of the")
spoken = {"least loss": (lowest, 1.0), "the end": (15, 1.0), "tempered": (15, hot)}
spoken |= {"the end, most probable words": (15, 0.0)}
for name, (epoch, temperature) in spoken.items():
    speaker.set_weights(drafts[epoch])
    words_added = training.write(speaker, beginning, 16, temperature=temperature, never=(0,), seed=1)
    print(f"{name}:\n   the value of the {text.decode(words_added)}")

# %% [markdown]
# Nobody would take any of it for prose, and the most probable words go round in circles. A small network that has
# read so little is no writer.

# %% [markdown]
# ### Ten networks of each
#
# Ten networks of both kinds were recorded, songs and prose, each kind judged on one validation part. Those of songs
# trained for 22 epochs, four more than yours.


# %%
def symptom(curves):
    """Network by network: the epoch of the least validation loss, and what became of loss and accuracy since."""
    loss, accuracy = curves["validation"].loss, curves["validation"].accuracy
    scaled, row, least = curves["validation, scaled"].loss, np.arange(len(loss)), loss.argmin(axis=1)
    rise, rise_scaled = (one[:, -1] - one[row, least] for one in (loss, scaled))
    gained = accuracy[:, -1] - accuracy[row, least]
    return least + 1, loss[:, -1] / loss[row, least], gained, 1 - rise_scaled / rise


# %% tags=["nbval-check-output"] decides="ten networks"
recorded = {name: recordings.load_curves(f"lesson_05_{name}") for name in ("verses", "english")}
for name, curves in recorded.items():
    epochs, times, gained, cured = symptom(curves)
    print(f"{name}: least loss after epoch {epochs.min()} to {epochs.max()} of {curves.settings['epochs']};", end=" ")
    print(f"at the end {times.min():.2f} to {times.max():.2f} times that")
    print(f"   accuracy since then {gained.min():+.3f} to {gained.max():+.3f}, higher in {np.sum(gained > 0)} of 10")
    print(f"   of the rise, scaling takes {cured.min():.0%} to {cured.max():.0%} away")
    fell, carried = (np.array(curves.settings[key]) for key in ("fell", "carried"))
    print(f"   cheaper at the end: {fell.min():.0%} to {fell.max():.0%} of the words;", end=" ")
    print(f"the 10% that rose most carry {carried.min():.0%} to {carried.max():.0%} of the rise")

# %% tags=["nbval-check-output"] decides="ten networks" over="{len(ahead)} networks of each kind"
for name, curves in recorded.items():
    _, times, _, cured = symptom(curves)
    ahead = (curves["train"].accuracy - curves["validation"].accuracy)[:, -1]
    print(f"{name}: training accuracy ends {ahead.min():.2f} to {ahead.max():.2f} above validation accuracy")
    assert ahead.min() > 0.15 and times.min() > 1.05 and cured.min() > 0.5
gained = {name: symptom(curves)[2] for name, curves in recorded.items()}
cheaper = {name: np.array(curves.settings["fell"]) for name, curves in recorded.items()}
assert gained["verses"].min() > 0 > gained["english"].min()
assert cheaper["verses"].min() > 0.5 > cheaper["english"].max()

# %%
title = "Ten networks that write songs: the loss turns, the accuracy does not"
figures.loss_and_accuracy_curves(shown("lesson_05_verses"), title=title, **limits)

# %%
title = "Ten networks that read English: the loss turns, the accuracy does not"
figures.loss_and_accuracy_curves(shown("lesson_05_english"), title=title, loss_limit=6, loss_from=2.5, accuracy_to=0.25)

# %% [markdown]
# In every network of both kinds the loss ends well above its least value, and temperature takes more than half of
# that away. In English fewer than half of the words became cheaper: more words pay there, though a tenth still
# carries most of the rise.
#
# Do not take the accuracy's rise for a law. We looked for a training that shows what the question reports: over sizes
# of text, batches, rates, networks, and which topics are held out, several dozen trainings judged by their validation
# words. In others, not recorded, accuracy rose less or fell. It rose where networks learn fast from little text. Here
# is the language model again, in smaller steps and smaller batches:

# %% tags=["nbval-check-output"] decides="ten networks" over="{len(gained)} networks"
epochs, times, gained, cured = symptom(recordings.load_curves("lesson_05_english_slowly"))
print(f"in smaller steps: at the end {times.min():.2f} to {times.max():.2f} times the least loss")
print(f"   accuracy since then {gained.min():+.3f} to {gained.max():+.3f}, higher in {np.sum(gained > 0)} of 10")
print(f"   of the rise, scaling takes {cured.min():.0%} to {cured.max():.0%} away")
assert cured.min() > 0.5 and gained.min() < 0 < gained.max()

# %% [markdown]
# ### Which epoch would you ship?
#
# Choose an epoch by the validation words, then judge it by the test words, which were never looked at. Four rules for
# the same ten networks; a temperature, where one is used, is fitted on the validation words. The first rule is what
# *early stopping* on `val_loss` does when it restores the best weights.


# %%
def rules(curves):
    seen = curves["validation"]
    return {
        "least loss": seen.loss.argmin(axis=1),
        "best accuracy": seen.accuracy.argmax(axis=1),
        "least loss after scaling": curves["validation, scaled"].loss.argmin(axis=1),
        "the last epoch": np.full(len(seen.loss), seen.loss.shape[1] - 1),
    }


def over_networks(values):
    """The mean over ten networks with its 95% interval by Student's t, whose quantile for ten is 2.262."""
    reach = 2.262 * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.3f} ({values.mean() - reach:.3f} to {values.mean() + reach:.3f})"


# %%
judged = {"loss": ("test", "loss"), "loss after scaling": ("test, scaled", "loss"), "accuracy": ("test", "accuracy")}
for name, curves in recorded.items():
    print(f"{name + ', test':28}" + "".join(f"{what:26}" for what in judged))
    for rule, chosen in rules(curves).items():
        of_network = [getattr(curves[part], what)[np.arange(10), chosen] for part, what in judged.values()]
        print(f"{rule:28}" + "".join(f"{over_networks(one):26}" for one in of_network))

# %% [markdown]
# Which rule is better than the first? Compare them network by network, by the tempered test loss and the accuracy:

# %%
for name, curves in recorded.items():
    chosen, row = rules(curves), np.arange(10)
    for rule in list(chosen)[1:]:
        parts = curves["test, scaled"].loss, curves["test"].accuracy
        loss, accuracy = (one[row, chosen[rule]] - one[row, chosen["least loss"]] for one in parts)
        print(f"{name}, {rule:25}: loss {over_networks(loss):26} accuracy {over_networks(accuracy)}")

# %% [markdown]
# If you will temper, choose *after* scaling: in songs that is better than choosing by the printed loss, by a little
# loss and a point of accuracy, and in English it probably is. The printed loss stops while accuracy still rises, for
# it counts against an epoch what a temperature would repair. (If you will not temper, choose by the printed loss:
# that is what you will pay.) The best accuracy gives the most right answers, and its chances are worse, even
# tempered. So first say what you need, answers or chances. Intervals are over starts of training, on one draw of
# words.
#
# **Label smoothing** asks for less confidence while training: a share of each label, here a tenth, is spread over all
# words. Ten more networks of each kind were trained so. Their losses are the plain ones, as everywhere.

# %%
for name, plain in recorded.items():
    both, row = (plain, recordings.load_curves(f"lesson_05_{name}_smoothed")), np.arange(10)
    heats = [np.mean([one[-1] for one in each.settings["temperature"]]) for each in both]
    print(f"{name}: at the end the best temperature is {heats[0]:.2f}, smoothed {heats[1]:.2f}. Smoothed minus plain:")
    chosen = [rules(each)["least loss after scaling"] for each in both]
    rows = [("loss at the end", "test", "loss", [-1, -1]), ("... tempered", "test, scaled", "loss", [-1, -1])]
    rows += [("loss at the best epoch, tempered", "test, scaled", "loss", chosen)]
    for what, part, kind, epochs in [*rows, ("accuracy there", "test", "accuracy", chosen)]:
        values = [getattr(each[part], kind)[row, epoch] for each, epoch in zip(both, epochs)]
        print(f"   {what:33} {over_networks(values[1] - values[0])}")

# %%
rows = 0.9 * chances + 0.1 / len(songs.vocabulary)
print(f"somebody who knows the songs' chances pays {log_loss(words, chances):.2f}", end=", ")
print(f"and {log_loss(words, rows):.2f} if a tenth of them is spread over all words")

# %% [markdown]
# In English smoothing lowers every loss, and accuracy is the same within its interval. In songs it brings the best
# temperature to about 1 and helps nothing else: the loss at the end is as high, no temperature takes it away any more,
# and at the best epoch loss and accuracy are a little worse. In a song only a few words can come next, so a label that
# gives a tenth to all words tells something false; probably that is what it pays for. Worth a trial, then, and no cure.

# %% [markdown]
# ### With more data
#
# "With enough data the loss rises and the accuracy falls", the answer says. Five networks each learned from more and
# more text, songs with the settings above, English in the smaller steps. What became of the accuracy between the
# least validation loss and the moment where the loss is first 5% above it, and what until the last epoch?
#
# In English one vocabulary must serve all sizes, that of the first 5,000 words; so more words are `<other>` than
# before. The last row has its own vocabulary, as in the section above.


# %%
def since_the_least(loss, accuracy, share=0.05):
    """Of one network: how much accuracy changed until the loss first was `share` above its least; NaN if it never."""
    least = loss.argmin()
    later = np.flatnonzero(loss[least:] >= (1 + share) * loss[least])
    return accuracy[least + later[0]] - accuracy[least] if len(later) else np.nan


# %%
def changes(curves, part):
    """Of the first five networks: how much accuracy changed until 5% above the least loss, and until the end."""
    losses, rights = curves["validation"].loss[:5], curves[part].accuracy[:5]
    until_the_end = rights[:, -1] - rights[np.arange(5), losses.argmin(axis=1)]
    return np.array([[since_the_least(*pair) for pair in zip(losses, rights)], until_the_end])


sizes = {"verses": (20, 40, 80, 160, 320), "english": (5_000, 10_000, 20_000, 30_000)}
grown = {(name, size): f"lesson_05_{name}_{size}" for name, each in sizes.items() for size in each}
grown["verses", 80] = "lesson_05_verses"
grown["english", "20000 (own)"] = "lesson_05_english_slowly"

# %% tags=["nbval-check-output"] decides="with more data"
print("                                  least loss             change of accuracy: mean (higher in, of 5)")
print("text                              after epoch, accuracy  until 5% above, until the end")
gains = {}
for (name, size), file in grown.items():
    curves = recordings.load_curves(file)
    least_at = curves["validation"].loss[:5].argmin(axis=1)
    for part in [part for part in ("validation", "validation, known words") if part in curves]:
        at_least = curves[part].accuracy[np.arange(5), least_at]
        gains[name, size, part[10:]] = changes(curves, part)
        told = "".join(f"{one.mean():+10.3f} ({np.sum(one > 0)})  " for one in gains[name, size, part[10:]])
        first, last = least_at.min() + 1, least_at.max() + 1
        print(f"{f'{name} {size}{part[10:]}':33} {first:2} to {last:2} {at_least.mean():11.3f} {told}")

# %% decides="with more data" over="{small.shape[-1]} networks of each size"
more, small = (np.stack([gains["verses", size, ""] for size in some]) for some in ((160, 320), (80,)))
english = np.stack([gains["english", size, ""] for size in sizes["english"]])
known = np.stack([gains["english", size, ", known words"] for size in sizes["english"]])
own = gains["english", "20000 (own)", ""]
assert sum(np.isnan(one).sum() for one in gains.values()) == 0  # each loss came 5% above its least
assert more.max() < 0 and np.mean(small > 0, axis=-1).min() > 0.5
assert english[1:].max() < 0 and known[:, 0].min() > 0 and own.mean(axis=1).min() > 0

# %% [markdown]
# In songs it came out as claimed: with twice and four times as many songs as above, the accuracy falls in every
# network while the loss rises, from a higher place. With fewer it goes either way, and it rises at the size for which
# the settings were searched. That is one trend in one grammar, and why more songs turn the sign was not tested.
#
# In English what counts as a word decides. Over all words the accuracy falls from 10,000 words on, in every network;
# among the words of the vocabulary it rises at first, in every network; with its own vocabulary the same amount of
# text shows no such fall, on average. Probably the networks give up saying `<other>`, an easy hit where so many words
# are that. So this is no test of the claim: one accuracy is the mean of several stories.

# %% [markdown]
# ### Two printed numbers
#
# Lesson 01 asked what accuracies go with a loss, for any predictions. For *calibrated* predictions much less is
# possible. (Calibrated here in every probability of a row, not only the greatest; with two classes that is the same.)
# Say there are $C$ classes, and a share $a$ of the answers is right. Calibrated predictions pay most if every answer
# has the confidence $a$ and the rest is spread evenly. Then each pays for not knowing *whether* it is right,
# $h(a)=-a\ln a-(1-a)\ln(1-a)$, and those that are wrong for not knowing *which* of the other classes it is:
# $h(a)+(1-a)\ln(C-1)$ nats. That is **Fano's bound**.
#
# With two classes they pay least if they are certain of some answers and toss a coin for the others: $2(1-a)\ln 2$.
#
# What a printed loss has beyond Fano's bound, up to the luck of sampling, must be owed to miscalibration. Take the log
# of a training with two classes that prints loss 0.746 and accuracy 0.854.

# %% tags=["nbval-check-output"]
least_loss, most_loss = calibrated_loss(0.854, classes=2)
print(f"accuracy 0.854: calibrated predictions lose {least_loss:.3f} to {most_loss:.3f} nats")
owed = least_miscalibration(0.746, 0.854, classes=2, decimals=3)
print(f"of a printed 0.746 at least {owed:.3f} are owed to miscalibration (both may be rounded)")
proven = least_miscalibration(0.746, 0.854, classes=2, decimals=3, samples=500, standard_error=0.06)
print(f"of 500 samples, the loss with a standard error of 0.06: at least {proven:.3f}, with 95% confidence")
low, high = calibrated_accuracy(0.3, classes=2)
print(f"the other way round, a loss of 0.3 permits them accuracies from {low:.3f} to {high:.3f};", end=" ")
print(f"any predictions, from {attainable_accuracy(0.3)[0]:.4f}")
print(f"exp(-0.3) is {np.exp(-0.3):.3f}; no calibrated predictions are right less often: {bool(np.exp(-0.3) <= low)}")

# %% [markdown]
# This is also what it takes for $e^{-L}$ (lesson 01): of calibrated predictions at least the share $e^{-L}$ is right,
# up to the luck of sampling. For minus the logarithm of a row's largest probability is never above the row's entropy,
# and a mean of powers of $e$ never below the power of the mean. Other predictions may be right less often.
#
# In which direction? The two numbers do not tell. Here are two sets of a hundred predictions with the same two
# numbers:

# %% tags=["nbval-check-output"]
labels_of = np.repeat([0, 1], [95, 5])
for name, of_right, of_wrong in (("too timid", 0.523, 0.4772), ("too bold", 0.999, 2.27e-6)):
    of_first = np.where(labels_of == 0, of_right, 1 - of_wrong)
    rows = np.stack([of_first, 1 - of_first], axis=1)
    print(
        f"{name}: loss {log_loss(labels_of, rows):.2f}, accuracy {np.mean(rows.argmax(1) == labels_of):.2f},", end=" "
    )
    print(f"mean confidence {rows.max(axis=1).mean():.2f}")

# %% over="one network of one seed, {unseen.samples:,} validation words"
_, most_loss = calibrated_loss(unseen.accuracy[-1], classes=len(songs.vocabulary))
print(f"your network: loss {unseen.loss[-1]:.2f}, the bound is {most_loss:.2f}")
assert unseen.loss[-1] < most_loss

# %% [markdown]
# Your network is far too bold, and its two numbers do not prove it: with a class for every word the bound is loose,
# because a wrong answer may honestly have been one of very many. There you need the predictions themselves.

# %% [markdown]
# ### Read on, if you like: two laws of confidence
#
# You may go on to *Your turn* and come back here.
#
# **A loss that wants less confidence.** The *focal loss* multiplies each sample's loss by $(1-p)^2$, where $p$ is the
# probability of its true class. What is right already then pulls less, so there is less reason to grow surer. (Like
# smoothing, it asks for chances that are not the true ones: it is no *proper* score.)

# %% tags=["nbval-check-output"]
print("probability    loss   focal loss   how hard they pull on the logit")
for p in (0.1, 0.5, 0.9, 0.99):
    focal = -((1 - p) ** 2) * np.log(p)
    pulls = 1 - p, p * (1 - p) * ((1 - p) ** 2 / p - 2 * (1 - p) * np.log(p))
    print(f"{p:11}   {-np.log(p):.3f}       {focal:.4f}   {pulls[0]:.3f} and {pulls[1]:.4f}")

# %% [markdown]
# **How fast it grows.** Where a straight line separates the training samples, plain gradient descent on the log loss
# never ends: the weights turn towards one direction and grow like the logarithm of the number of steps $t$. A
# validation sample on the wrong side then costs about as many nats as its logit is large, so its loss grows like that
# too. Here are irises, of which setosa is separable from the other species, and one more flower whose label is wrong.

# %%
flowers = datasets.iris("shuffled", seed=0)
rows = np.c_[flowers.train[0], np.ones(len(flowers.train[0]))]
signs = np.where(flowers.train[1] == 0, 1.0, -1.0)
stray = -np.r_[flowers.validation[0][flowers.validation[1] == 0][0], 1.0]  # setosa, called another species
weights, moments, costs = np.zeros(rows.shape[1]), np.geomspace(1000, 100_000, 21).astype(int), {}
for t in range(1, moments[-1] + 1):
    margins = signs * (rows @ weights)
    weights += 0.1 * (signs / (1 + np.exp(margins))) @ rows / len(rows)
    if t in moments:
        costs[t] = np.logaddexp(0, -(stray @ weights))

# %% over="one descent without noise on one split of the irises, one stray flower, {len(paid)} moments"
logs, paid = np.log(list(costs)), np.array(list(costs.values()))
slope, _ = np.polyfit(logs, paid, 1)
print(f"training loss at the end {np.logaddexp(0, -signs * (rows @ weights)).mean():.6f}")
print(f"the stray flower pays {paid[0]:.2f} nats after {min(costs)} steps, {paid[-1]:.2f} after {max(costs)}")
print(f"a straight line in ln t explains {np.corrcoef(logs, paid)[0, 1] ** 2:.2%} of that; its slope is {slope:.2f}")
steep = [(paid[k + 5] - paid[k]) / (logs[k + 5] - logs[k]) for k in (0, 15)]
print(f"the first quarter has a slope of {steep[0]:.2f}, the last {steep[1]:.2f}")
assert np.corrcoef(logs, paid)[0, 1] ** 2 > 0.98

# %% [markdown]
# Nearly a line, and still getting steeper: the law speaks of the limit. And it does not explain the song networks,
# which had training words wrong to the end.

# %% [markdown]
# ### What the lesson did not show
#
# Two texts and two networks are not all texts and networks, and the settings were searched for the symptom. Of the
# remedies that people use, only stopping, tempering and smoothing were tried; not dropout, weight decay, or a smaller
# network. And a gap between the two curves may have other reasons: a training loss that is a mean over the epoch, or
# asked with dropout on (lessons 03 and 04), or parts that are not alike.

# %%
lesson.recall("rise")

# %% [markdown]
# ## Your turn
#
# Each exercise is checked by its own cell. Run `lesson.hint("...")` with its name when you are stuck. The solutions
# are collapsed.
#
# **1. Temper probabilities.** Given probabilities of shape (sample, class), not logits, return them at a
# `temperature`.


# %% tags=["exercise"]
def softened(probabilities, temperature): ...


lesson.check("softened", softened)


# %% tags=["solution", "nbval-check-output"]
def softened_solution(probabilities, temperature):
    powers = probabilities ** (1 / temperature)
    return powers / powers.sum(axis=-1, keepdims=True)


lesson.check("softened", softened_solution)

# %% [markdown]
# **2. From confidence to temperature.** A network for two classes gives every answer the same `confidence`, and a share
# `share_right` of its answers is right, more than one half. Which temperature is best for it? Give a formula. (With one
# confidence for all, the loss is least when the confidence equals the share that is right. For two classes the
# difference of the logits is $\ln\frac{p}{1-p}$, the *log-odds*, and a temperature divides it.)


# %% tags=["exercise"]
def best_temperature(confidence, share_right): ...


lesson.check("best_temperature", best_temperature)


# %% tags=["solution", "nbval-check-output"]
def best_temperature_solution(confidence, share_right):
    return np.log(confidence / (1 - confidence)) / np.log(share_right / (1 - share_right))


lesson.check("best_temperature", best_temperature_solution)

# %% [markdown]
# **3. Both rise.** Lesson 01's pair once more, with one condition added. Write down the probabilities that a network
# gives the true class of ten samples of two classes, before and after, as an array of shape (2, 10): the mean loss
# rises, the accuracy rises, and at least eight of the ten become cheaper.

# %% tags=["exercise"]
both_rise = ...  # an array of shape (2, 10)

lesson.check("both_rise", both_rise)

# %% tags=["solution", "nbval-check-output"]
both_rise_solution = np.stack([np.r_[0.3, 0.3, 0.4, np.full(7, 0.8)], np.r_[1e-9, 0.3, 0.6, np.full(7, 0.95)]])

lesson.check("both_rise", both_rise_solution)

# %% [markdown]
# **4. Another network.** A network learned to read digits from 300 scans, of which one in five got a random label. On
# new scans it is far too sure.

# %%
digits = datasets.digits(seed=0)
generator = np.random.default_rng(0)
spoiled = digits.train[1][:300].copy()
wrong = generator.random(300) < 0.2
spoiled[wrong] = generator.integers(0, 10, wrong.sum())
keras.utils.set_random_seed(0)
hidden = [layers.Dense(256, activation="relu") for _ in range(2)]
reader = keras.Sequential([keras.Input((64,)), *hidden, layers.Dense(10)])
reader.compile(keras.optimizers.SGD(0.1, momentum=0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
reader.fit(digits.train[0][:300], spoiled, batch_size=32, epochs=60, verbose=0)
read = reader.predict(digits.validation[0], verbose=0)

# %%
known_logits, known_labels, new_logits = read[:180], digits.validation[1][:180], read[180:]
as_it_is = np.exp(at_temperature(new_logits, 1.0))
print(f"mean confidence on the new scans: {as_it_is.max(axis=1).mean():.2f}")
print(f"accuracy on the scans whose labels you have: {np.mean(known_logits.argmax(axis=1) == known_labels):.2f}")

# %% [markdown]
# You have the logits for 180 scans whose labels are known, and for 180 new ones. Write a function that gives
# probabilities for the new ones, with the same answers, whose confidence can be trusted. It is tried on other
# networks. The loss of your probabilities is judged, too: one confidence for all answers may be honest and yet tell
# nothing.
#
# Later a clerk will label the new scans, as carelessly as the first 300 were labelled: a share `drawn_anew` of the
# labels is drawn at random from all ten digits (lesson 03). Return a second array: honest probabilities of what the
# *clerk* will write.


# %% tags=["exercise", "transfer"]
def repaired(known_logits, known_labels, new_logits, drawn_anew):
    """Two arrays: probabilities of the digits, and of what the clerk will write."""
    ...


lesson.check("repaired", repaired)


# %% tags=["solution", "nbval-check-output"]
def repaired_solution(known_logits, known_labels, new_logits, drawn_anew):
    digit = np.exp(at_temperature(new_logits, fit_temperature(known_labels, known_logits).temperature))
    return digit, (1 - drawn_anew) * digit + drawn_anew / 10


lesson.check("repaired", repaired_solution)

# %%
trusted, of_clerk = repaired_solution(known_logits, known_labels, new_logits, 0.2)
truths = digits.validation[1][180:]
for name, rows in (("as it is", as_it_is), ("repaired", trusted), ("for the clerk", of_clerk)):
    sure = rows.max(axis=1).mean() - np.mean(rows.argmax(axis=1) == truths)
    told = f"{name}: loss {log_loss(truths, rows):.2f}, confidence {sure:+.2f} above accuracy"
    expected = 0.8 * log_loss(truths, rows) - 0.2 * np.log(rows).mean()  # over all that the clerk may draw
    print(f"{told}; expected loss on the clerk's labels {expected:.2f}")

# %% [markdown]
# (That is the solution's function; put your own in its place. The new scans happen to be the harder ones, and 180 are
# few.) Temperature does not make it read better; it makes it say how well it reads. And what is honest depends on
# whose labels are meant: the array for the clerk is too timid about the digits, and pays least on what the clerk
# writes.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
lesson.quiz("meaning")

# %% tags=["quiz"]
lesson.quiz("temperature")

# %% tags=["quiz"]
lesson.quiz("halves")

# %% tags=["quiz"]
lesson.quiz("ece")

# %% tags=["quiz"]
lesson.quiz("ship")

# %% tags=["quiz"]
lesson.quiz("fano")

# %% [markdown]
# ## Verdicts
#
# | claim of the answer | verdict | decided by |
# |---|---|---|
# | A classifier may be surer than another and both be right (dog and horse). | **True**, and the first half of the story. The other half: surer *and wrong* is what makes the mean rise, in both networks that were taken apart. | who pays |
# | The network overfits. | **True**, and it says little. Training accuracy runs far ahead of validation accuracy; but with 80 songs the validation accuracy did not fall (in English it did in some networks), and more than half of what made the validation loss *rise* went away with one number. | training beside validation; loss split in two; ten networks |
# | With enough data, loss rises and accuracy falls. | **It came out so in songs**: with 160 and 320 songs accuracy fell in every network, with 80 it rose in most. In English the vocabulary decided. | with more data |
# | Loss is preferred because it is differentiable. | **True as far as it goes**: lesson 06 shows that the trouble is a slope of 0. | lesson 06: steps to either side |
# | ... because accuracy does not exist for regression. | **True**; other metrics take its place. Lesson 07. | lesson 07: a regression has no percentage; lesson 07: what to report of a regression |
# | ... because loss has several methods of optimisation, such as Newton's and maximum likelihood. | **Half true.** Newton's method was used here, for a temperature. Maximum likelihood is a principle: it says what to minimise, not how. | one number; lesson 06: maximum likelihood |
#
# **Write the reply you would post.** Take five minutes before you open the rubric.
#
# <details>
# <summary>A good reply ...</summary>
#
# - says what both curves say, and no more: the mean cost of an answer rose, and more of the answers are right;
# - asks how sure the network is: a reliability diagram, or one temperature, fitted on samples that were neither
#   trained on nor used to judge;
# - gives the share of the rise that went away here, more than half in each network, and says that the asker's own was
#   not measured;
# - says which epoch to take for answers, which for chances, and that it differs if one tempers;
# - does not promise that accuracy goes on rising: with more songs it fell;
# - does not call it overfitting and stop there.
#
# </details>

# %% [markdown]
# ## Take away
#
# Which of the two do you believe? Both. Accuracy counts right answers; loss also judges how sure they are. If you
# need answers, a later epoch gave more of them here. If you need chances, take an earlier epoch, or temper, or both.
#
# When validation loss rises while validation accuracy does not fall, ask how sure the network is. Draw a reliability
# diagram. Fit one temperature on samples that are neither trained on nor used to judge: here more than half of the
# rise went away. Only what still rises after that needs another explanation.
#
# **Read on**
#
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, ["On calibration of modern neural
#   networks"](https://arxiv.org/abs/1706.04599), ICML 2017: temperature scaling, and loss that overfits while errors
#   fall.
# - J. Mukhoti and others, ["Calibrating deep neural networks using focal loss"](https://arxiv.org/abs/2002.09437),
#   NeurIPS 2020: a loss that is less interested in samples that are right already.
# - D. Soudry and others, ["The implicit bias of gradient descent on separable
#   data"](https://arxiv.org/abs/1710.10345), JMLR 2018: why confidence grows without end on data that a line
#   separates.
# - R. Müller, S. Kornblith, G. Hinton, ["When does label smoothing help?"](https://arxiv.org/abs/1906.02629),
#   NeurIPS 2019.
# - J. Bröcker, L. A. Smith, ["Increasing the reliability of reliability diagrams"](https://doi.org/10.1175/WAF993.1),
#   Weather and Forecasting 22 (2007).

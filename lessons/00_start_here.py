# %% [markdown]
# # 00 Start here
#
# Your loss falls and your accuracy stands still. Or both rise. Or one of them does something that nobody you asked
# could explain. This course takes such questions, asked in public by people who trained a network and did not trust
# what they saw, runs what they ran, and finds out. Then it judges the answers they got.
#
# It is for you if you have trained a classifier once, can read a little Python and NumPy, and have looked at a
# learning curve. You do not need to know why the two numbers disagree. You will.
#
# This notebook checks your environment, helps you to find the lesson for your curves, and lets you try out how the
# course works. It takes about ten minutes. Press **Shift+Enter** in each cell, from the top down; the grey cells run
# and show what they have to say below.

# %% tags=["own-output"]
from lossacc_helpers.course.lesson_00 import environment

environment()

# %% [markdown]
# If something is missing, the lines above say what, which lessons need it, and what to do. If the cell failed with
# `No module named ...`, whatever the name, this notebook runs in another Python: close it and open the course again
# the way you did first, with `make lab` or as the README says for conda.
#
# Now the other half of your environment, the browser: below you should see a button.

# %%
from lossacc_helpers.course.lesson_00 import contents, lesson, progress, widgets_work

widgets_work()

# %% [markdown]
# ## Find your lesson
#
# What do you see in your curves? Choose below. The picture shows curves of that shape, and the line under it names
# the lesson that explains them. With the keyboard: press Tab until the list is marked, then Space, the arrow keys and
# Enter.
#
# The curves here are sketches. Their samples are made up and moved by a rule; loss and accuracy are computed from them
# as they are everywhere in this course. Where loss and accuracy are drawn together, loss is vermilion and accuracy
# blue; as a rule training is solid and validation dashed. Where there are thin lines, each is one network: same data,
# another random seed. The loss is measured in nats, as Keras prints it: a sample costs minus the natural logarithm of
# the probability that the network gives its true class, and the loss is the mean of what the samples cost.

# %% tags=["explorer"]
lesson.explorer()

# %% [markdown]
# All of them once more, with links to the lessons:

# %%
contents()

# %% [markdown]
# A log, and no idea what is wrong with it? Paste it into the curve clinic of lesson 08; it ranks the causes that fit,
# and names the lesson for each.
#
# None of these, or no curve of your own? Begin with lesson 01: every curve of loss and accuracy is made of what it
# shows. It trains nothing and opens in a few seconds. The later lessons train networks with Keras, and each says at
# its top which earlier ones it uses.
#
# ## How a lesson goes
#
# A lesson takes about an hour; lessons 03 to 06 take up to two. Each has the same parts: a question that somebody
# asked, a guess of your own, a picture to play with, the computation, exercises, a quiz, and a verdict on the answer
# that was published. Here are three of them to try: a guess, an exercise and a quiz. Nothing on this page is counted.
#
# **Commit.** You predict before you are shown anything, because a guess you have made is easier to learn from.

# %% tags=["commit"]
lesson.commit("rises")

# %% [markdown]
# **Exercise.** You write a few lines in place of the `...` and run the cell. Put `return len(losses)` there first,
# which is wrong: the message names the input that failed, what came out and what was expected. Then mend it.


# %% tags=["exercise"]
def rises(losses):
    """Return in how many steps from one epoch to the next the loss rises; `losses` is a list."""
    ...


lesson.check("rises", rises)

# %% [markdown]
# When you are stuck, ask for a hint. Each time you run this cell you get one more. There is always a solution as
# well, in a collapsed cell: click on the three dots.

# %% tags=["own-output"]
lesson.hint("rises")


# %% tags=["solution", "nbval-check-output"]
def rises_solution(losses):
    return sum(later > before for before, later in zip(losses, losses[1:]))


lesson.check("rises", rises_solution)

# %% [markdown]
# **What came out.** Later in the lesson your guess comes back beside the answer.

# %% tags=["own-output"]
lesson.recall("rises")

# %% [markdown]
# ## Your copy and your progress
#
# The notebooks in the folder `my-course` are yours. Change them as you like. When the course is updated, `make lab`
# replaces those that you have not changed and leaves the others alone: the new version is put beside yours, under a
# name that ends in `.new.ipynb`. To begin a lesson afresh, rename or delete your notebook and run `make lab` again.
# (The README has other ways in, and says what becomes of your work on Binder.)
#
# **Quiz.** Choose an answer. Every answer has something to say, so try the wrong ones too.

# %% tags=["quiz"]
lesson.quiz("update")

# %% [markdown]
# What you predict, solve and answer is kept in a file of yours. It is never sent anywhere. The table shows what it
# holds of the lessons; what you tried out on this page is not counted. Run the cell again after a lesson.

# %% tags=["own-output"]
progress()

# %% [markdown]
# Two habits make the rest smooth:
#
# - **Shut down a lesson's kernel before you open the next**: in the menu *Kernel*, *Shut Down Kernel*. A lesson that
#   trains networks takes more than a gigabyte of memory, and keeps it until its kernel ends.
# - **When something looks odd, restart**: *Kernel*, *Restart Kernel and Run All Cells*. No code that you wrote is lost;
#   variables are computed again. A cell that runs too long is stopped with *Kernel*, *Interrupt Kernel*.
#
# If a lesson with Keras does not start, take away the `#` below and run the cell. It tries TensorFlow in a process of
# its own and says what came of it, in up to half a minute.

# %%
# environment(start_tensorflow=True)

# %% [markdown]
# Now open [lesson 01](01_arithmetic_of_log_loss.ipynb), or the one you found above.

"""What all tests share."""

from hypothesis import settings

# The same examples on every machine and in every run: a test that fails in continuous integration fails for you too.
# No deadline: two workers share two cores with TensorFlow.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

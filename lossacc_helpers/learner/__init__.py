"""What belongs to the learner: a copy of the course, how it is saved, what they have done, and their environment."""

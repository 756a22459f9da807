"""What authors and continuous integration run; nothing that a learner needs."""

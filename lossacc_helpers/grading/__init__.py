"""Marks for coursework, decided outside the learner's process.

A submission runs in a sandbox (`sandbox`, `runner`) that only returns answers (`wire`, `collecting`). They are compared
here with what was expected (`key`, `marking`), and the marks go into nbgrader's gradebook (`batch`, `gradebook`).
"""

"""Graded coursework: sources/ is what authors edit, keys/ how it is marked, release/ what learners get."""

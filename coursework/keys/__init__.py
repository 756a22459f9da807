"""How each assignment is marked, in a module of its own: a1.KEY, a2.KEY, a3.KEY."""

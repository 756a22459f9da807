"""Ways to the minimum of a function, each with the path it took and what it asked for: NumPy, and general.

`bisect` needs a slope and a bracket, `newton` two derivatives, `gradient_descent` one, `noisy_gradient_descent` an
estimate of one. All raise `DidNotConverge`, which holds the way so far, where there is no minimum to be found.
"""

from lossacc_helpers.minimisers.bisection import bisect
from lossacc_helpers.minimisers.gradient import gradient_descent, noisy_gradient_descent
from lossacc_helpers.minimisers.newton import newton
from lossacc_helpers.minimisers.results import DidNotConverge, Minimisation

__all__ = ["DidNotConverge", "Minimisation", "bisect", "gradient_descent", "newton", "noisy_gradient_descent"]

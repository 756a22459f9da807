"""Ways to the minimum of a function, each with the path it took and what it asked for: NumPy, and general.

`bisect` needs a slope and a bracket, `newton` two derivatives, `gradient_descent` one, `noisy_gradient_descent` an
estimate of one. Where they notice that there is no minimum to be found they raise `DidNotConverge`, which holds the way
so far; what each can notice, and what it cannot, its documentation says.
"""

from lossacc_helpers.minimisers.bisection import bisect
from lossacc_helpers.minimisers.gradient import gradient_descent, noisy_gradient_descent
from lossacc_helpers.minimisers.newton import newton
from lossacc_helpers.minimisers.results import DidNotConverge, Minimisation

__all__ = ["DidNotConverge", "Minimisation", "bisect", "gradient_descent", "newton", "noisy_gradient_descent"]

"""What every run of pytest shares, nbval's run of a single notebook included."""

import os

# What tests, solutions and notebooks do here is no progress of whoever runs them.
os.environ["LOSSACC_PROGRESS"] = "off"

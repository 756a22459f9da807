"""The curve clinic: reads the curves of a training, and says what may be wrong with them and what would settle it."""

from lossacc_helpers.clinic.log import Log, Unreadable
from lossacc_helpers.clinic.reading import read

__all__ = ["Log", "Unreadable", "read"]

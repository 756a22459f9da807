"""The curve clinic: reads the curves of a training, and says what may be wrong with them and what would settle it."""

from lossacc_helpers.clinic.diagnosis import diagnose
from lossacc_helpers.clinic.findings import Diagnosis, Finding
from lossacc_helpers.clinic.log import Log, Unreadable
from lossacc_helpers.clinic.reading import read

__all__ = ["Diagnosis", "Finding", "Log", "Unreadable", "diagnose", "read"]

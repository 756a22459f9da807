"""The real data of the lessons, as their libraries ship them: nothing is downloaded."""

from lossacc_helpers.datasets.forgeries import Forgeries, forgeries
from lossacc_helpers.datasets.held_out import Digits, HeldOut, Iris, Order, digits, iris
from lossacc_helpers.datasets.photographs import Crops, Photographs, photographs
from lossacc_helpers.datasets.regions import Region

__all__ = [
    "Crops",
    "Digits",
    "Forgeries",
    "HeldOut",
    "Iris",
    "Order",
    "Photographs",
    "Region",
    "digits",
    "forgeries",
    "iris",
    "photographs",
]

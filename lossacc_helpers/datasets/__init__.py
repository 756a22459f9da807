"""The real data of the lessons, as their libraries ship them: nothing is downloaded."""

from lossacc_helpers.datasets.held_out import Digits, HeldOut, Iris, Order, digits, iris
from lossacc_helpers.datasets.photographs import Crops, Photographs, Region, photographs

__all__ = [
    "Crops",
    "Digits",
    "HeldOut",
    "Iris",
    "Order",
    "Photographs",
    "Region",
    "digits",
    "iris",
    "photographs",
]

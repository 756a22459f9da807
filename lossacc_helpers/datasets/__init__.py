"""The real data of the lessons, as their libraries ship them: nothing is downloaded."""

from lossacc_helpers.datasets.forgeries import Forgeries, forgeries
from lossacc_helpers.datasets.held_out import Digits, HeldOut, Iris, Order, digits, iris
from lossacc_helpers.datasets.photographs import Crops, Photographs, photographs
from lossacc_helpers.datasets.regions import Region
from lossacc_helpers.datasets.text import EnglishText, english_text
from lossacc_helpers.datasets.verses import Lines, Verses, next_words, verses

__all__ = [
    "Crops",
    "Digits",
    "EnglishText",
    "Forgeries",
    "HeldOut",
    "Iris",
    "Lines",
    "Order",
    "Photographs",
    "Region",
    "Verses",
    "digits",
    "english_text",
    "forgeries",
    "iris",
    "next_words",
    "photographs",
    "verses",
]

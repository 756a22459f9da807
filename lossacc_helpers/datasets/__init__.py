"""The data of the lessons: real ones as their libraries ship them, and made-up ones of which all is known."""

from lossacc_helpers.datasets.clouds import Clouds, clouds
from lossacc_helpers.datasets.forgeries import Forgeries, forgeries
from lossacc_helpers.datasets.held_out import Digits, HeldOut, Iris, Order, digits, iris
from lossacc_helpers.datasets.photographs import Crops, Photographs, photographs
from lossacc_helpers.datasets.regions import Region
from lossacc_helpers.datasets.text import EnglishText, english_text
from lossacc_helpers.datasets.verses import Lines, Verses, next_words, verses

__all__ = [
    "Clouds",
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
    "clouds",
    "digits",
    "english_text",
    "forgeries",
    "iris",
    "next_words",
    "photographs",
    "verses",
]

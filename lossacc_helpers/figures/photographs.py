"""Pages of photographs: example crops of every class, and the regions that the crops are cut from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from lossacc_helpers._validation import as_whole_number
from lossacc_helpers.datasets import Crops, Photographs, Region
from lossacc_helpers.figures.page import LINE, MARGIN, WIDTH, Page, Pixels
from lossacc_helpers.figures.picture import LabelledFigure
from lossacc_helpers.figures.style import OTHER, REFERENCE, TEXT_SIZE, TRAINING, VALIDATION, as_sentence

_OUTLINES = 4  # crops shown in each region
_PARTS = (("training", OTHER[0], TRAINING), ("validation", OTHER[3], VALIDATION))


def crops_page(photographs: Photographs, *, columns: int = 4, title: str) -> LabelledFigure:
    """Each class with its name, its first training crop on the left and its first validation crop on the right.

    A class is the photograph that a crop is from; where the label was redrawn, the crop says what it is called instead.
    Large crops are shrunk and small ones enlarged by a whole factor. The page has as many shades of grey as keep it
    within 60 kB when it is stored.

    Parameters
    ----------
    photographs : as `lossacc_helpers.datasets.photographs` returns them.
    columns : how many classes stand side by side, 1 to 4.
    title : the finding.

    Raises
    ------
    ValueError
        For other numbers of columns, and for what are no photographs.
    """
    _check(photographs)
    if as_whole_number(columns, "columns", least=1) > 4:
        raise ValueError(f"columns must be at most 4, or the names would not fit; got {columns}")
    names = [_words(name) for name in photographs.class_names]
    pitch = (WIDTH - MARGIN) // columns
    step = min(pitch // 2 - 2, 140)  # from a training crop to the validation crop beside it
    box = (min(step - 8, 112), 84)
    parts = (photographs.train, photographs.validation)
    examples = [[_first_crop(crops, labels, k, box) for k in range(len(names))] for crops, labels in parts]
    redrawn = sum(label != k for part in examples for k, (_, label) in enumerate(part))
    told = f" {redrawn} of these {2 * len(names)} are told another class than their own." if redrawn else ""
    sentence = (
        f"{as_sentence(title)} A training crop and a validation crop, in shades of grey, of each of {len(names)} "
        f"photographs: {', '.join(names)}.{told}"
    )
    tallest = max(image.shape[0] for part in examples for image, _ in part)
    head, row = 60, 18 + tallest + (LINE if redrawn else 0) + 10
    page = Page(sentence=sentence, height=head + row * -(-len(names) // columns), title=title)
    for column in range(min(columns, len(names))):
        for side, (heading, _, _) in enumerate(_PARTS):
            page.write(heading, MARGIN + column * pitch + side * step, 50, colour=REFERENCE)
    for k, name in enumerate(names):
        left, upper = MARGIN + k % columns * pitch, head + k // columns * row
        page.write(name, left, upper + 12, size=TEXT_SIZE, room=pitch - 6)
        for side, part in enumerate(examples):
            image, label = part[k]
            page.paste(image, left + side * step, upper + 18)
            if label != k:
                below = upper + 18 + image.shape[0] + 13
                page.write(f"told: {names[label]}", left + side * step, below, room=step - 6)
    return page.within_bytes()


def regions_page(photographs: Photographs, *, names: Sequence[str], title: str) -> LabelledFigure:
    """Photographs with the regions that training and validation crops are cut from, and the first crops of each.

    Outlines of crops are drawn a little smaller, each by another amount, so that edges which coincide can be told
    apart. Below stands how many crops there are in each region, and how many would fit there without overlap.

    Parameters
    ----------
    photographs : as `lossacc_helpers.datasets.photographs` returns them.
    names : which photographs, 1 to 3 of ``photographs.class_names``.
    title : the finding.

    Raises
    ------
    ValueError
        For names that are not there, none, or more than 3, and for what are no photographs.
    """
    _check(photographs)
    if isinstance(names, str):
        raise ValueError(f"names must be a list, as in [{names!r}]; got {names!r}")
    unknown = [name for name in names if name not in photographs.class_names]
    if unknown or not 1 <= len(names) <= 3:
        raise ValueError(
            f"names must be 1 to 3 of {', '.join(photographs.class_names)}; got {', '.join(unknown or names) or 'none'}"
        )
    labels = [photographs.class_names.index(name) for name in names]
    parts = (photographs.train[0], photographs.validation[0])
    originals = [parts[0].photographs[label] for label in labels]
    pitch = (WIDTH - MARGIN) // len(names)
    images = [_fitted(original, (pitch - MARGIN, 320)) for original in originals]
    counts = [
        [
            f"{name}: {_counted(int(np.count_nonzero(crops.sources == label)))}, {region.apart(crops.size)} fit apart"
            for (name, _, _), crops, region in zip(_PARTS, parts, photographs.regions[label], strict=True)
        ]
        for label in labels
    ]
    told = "; ".join(f"{_words(name)}, {', '.join(lines)}" for name, lines in zip(names, counts, strict=True))
    outlined = max(len(_outlines(crops, label)) for crops in parts for label in labels)
    sentence = (
        f"{as_sentence(title)} Photographs, each cut into a training region and a validation region, and in both "
        f"regions the {'outlines of a few crops, which may overlap' if outlined > 1 else 'outline of one crop'}. "
        f"{told}."
    )
    upper = 60
    below = upper + max(image.shape[0] for image in images) + 18

    page = Page(sentence=sentence, height=below + 2 * LINE, title=title)
    for place, (label, image) in enumerate(zip(labels, images, strict=True)):
        left, scale = MARGIN + place * pitch, image.shape[1] / originals[place].shape[1]
        page.write(_words(photographs.class_names[label]), left, 52, size=TEXT_SIZE)
        page.paste(image, left, upper)
        for line, (crops, region) in enumerate(zip(parts, photographs.regions[label], strict=True)):
            _, colour, dashes = _PARTS[line]
            page.frame(region, left, upper, scale, colour=colour, width=3, dashes=dashes)
            for shrunk, crop in enumerate(_outlines(crops, label), start=1):
                inset = 0.03 * shrunk * scale * min(crops.size)
                page.frame(crop, left, upper, scale, colour=colour, width=1.5, inset=inset)
            page.frame(Region(0, 0, 10, 14), left, below + line * LINE - 10, 1, colour=colour, width=2)
            page.write(counts[place][line], left + 20, below + line * LINE, room=pitch - 24)
    return page.within_bytes()


def _first_crop(crops: Crops, labels: Any, photograph: int, box: tuple[int, int]) -> tuple[Pixels, int]:
    """The first crop of a photograph, at most as wide and tall as the box, and the class that it is told."""
    place = int(np.flatnonzero(crops.sources == photograph)[0])
    grey = np.round(255 * np.clip(crops[place][..., 0], 0, 1)).astype(np.uint8)
    return _fitted(grey, box), int(labels[place])


def _fitted(image: Pixels, box: tuple[int, int]) -> Pixels:
    """A grey image at most as wide and tall as the box: averaged where it is larger, else enlarged in whole pixels."""
    height, width = image.shape
    scale = min(box[0] / width, box[1] / height)
    if scale >= 1:
        return image.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def _outlines(crops: Crops, photograph: int) -> list[Region]:
    """The rectangles of the first crops of a photograph."""
    height, width = crops.size
    corners = crops.offsets[crops.sources == photograph][:_OUTLINES].tolist()
    return [Region(top, left, top + height, left + width) for top, left in corners]


def _check(photographs: Any) -> None:
    if not isinstance(photographs, Photographs):
        raise ValueError(f"photographs must be what datasets.photographs returns; got {type(photographs).__name__}")


def _counted(crops: int) -> str:
    return f"{crops} crop{'s' * (crops != 1)}"


def _words(name: str) -> str:
    return name.replace("_", " ")

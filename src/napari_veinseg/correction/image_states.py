"""How far the work on an image of a folder is."""

from enum import StrEnum


class ImageState(StrEnum):
    """How far the work on an image is."""

    NEW = "new"
    SEGMENTED = "segmented"
    EDITED = "edited"
    REVIEWED = "reviewed"
    FAULTY = "faulty"

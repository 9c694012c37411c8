"""Synthetic vein images with their truth: an unlimited, freely licensed training set.

Anatomy (`anatomy`) is placed in the frame (`pose`), drawn (`rendering`), lit (`optics`), given
what is not a vein (`distractors`) and photographed (`sensor`); `synthetic_image` does all that.
"""

from napari_veinseg.data.synthesis.settings import SynthesisSettings
from napari_veinseg.data.synthesis.synthetic_image import (
    SyntheticFinger,
    synthetic_field,
    synthetic_finger,
)

__all__ = ["SynthesisSettings", "SyntheticFinger", "synthetic_field", "synthetic_finger"]

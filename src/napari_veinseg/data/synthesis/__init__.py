"""Synthetic vein images with their truth: an unlimited, freely licensed training set.

Anatomy (`anatomy`) is placed in the frame (`pose`), drawn (`rendering`), lit (`optics`), given
what is not a vein (`distractors`) and photographed (`sensor`); `finger` puts these together.
"""

from napari_veinseg.data.synthesis.finger import (
    SyntheticFinger,
    synthetic_field,
    synthetic_finger,
)
from napari_veinseg.data.synthesis.settings import SynthesisSettings

__all__ = ["SynthesisSettings", "SyntheticFinger", "synthetic_field", "synthetic_finger"]

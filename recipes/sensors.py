"""Synthetic sensors that training never sees: each has settings outside the training ranges.

They follow what real sensors show (`image_statistics.py` measures both, `docs/ablations.md` tells):
a noisy one with strong lighting, a small one with housing bars and bright rims, a faint one without
a border.
They were fixed before the shipped starter was trained.  Beyond the training ranges lie: lighting,
gamma and background of the first; finger size, rotation, rim and lens of the second; how far
veins stray in the third.  Noise and contrast do not, for training covers those of real sensors.
"""

from dataclasses import replace

from napari_veinseg.data.synthesis import SynthesisSettings

_FINGER = SynthesisSettings(tree_share=0.0)

HELD_OUT = {
    "noisy": replace(
        _FINGER,
        height=(240, 260),
        aspect=(2.6, 2.7),
        crop_share=0.0,
        finger_height=(0.3, 0.42),
        contrast=(0.13, 0.24),
        contrast_spread=0.3,
        illumination=(0.3, 0.4),
        gamma=(1.4, 1.55),
        noise=(8.5, 12.5),
        white=(200, 215),
        background=(0.012, 0.02),
    ),
    "bars": replace(
        _FINGER,
        height=(230, 250),
        aspect=(1.3, 1.36),
        crop_share=0.0,
        finger_height=(0.22, 0.26),
        contrast=(0.65, 1.15),
        contrast_spread=0.2,
        scatter=(0.3, 1.0),
        bar_share=1.0,
        rim=(0.8, 1.1),
        rotation=(8, 11),
        joints=(0.9, 1.1),
        illumination=(0.03, 0.12),
        noise=(4.0, 6.0),
        white=(155, 170),
        defocus=(1.2, 1.5),
    ),
    "faint": replace(
        _FINGER,
        height=(236, 246),
        aspect=(2.4, 2.5),
        crop_share=1.0,
        contrast=(0.13, 0.2),
        contrast_spread=0.15,
        trunks=(5, 6),
        wander=(0.35, 0.42),
        scatter=(1.0, 1.4),
        mottle=(0.0, 0.03),
        illumination=(0.03, 0.15),
        noise=(1.25, 1.75),
        white=(150, 160),
    ),
}

FIRST_SEED = 1_000_000  # far from every seed that training uses

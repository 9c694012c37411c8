"""What a synthetic image may look like: the ranges that its properties are drawn from."""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class SynthesisSettings:
    """Ranges ``(low, high)`` of a synthetic image; shares are probabilities in [0, 1].

    Lengths are in units of the finger's half width (about 8 mm) unless said otherwise.  The
    defaults are wider than what real sensors show, but for noise; a narrower or shifted copy
    (`dataclasses.replace`) is another sensor.
    """

    height: Range = (60, 240)
    """Image height in px (log-uniform), where no shape is asked for."""
    aspect: Range = (1.2, 2.7)
    """Image width over height, where no shape is asked for."""
    tree_share: float = 0.25
    """Share of images that show a vessel tree at all angles instead of a finger."""
    crop_share: float = 0.4
    """Share of fingers that fill the frame, so that no border is seen."""
    finger_height: Range = (0.26, 0.5)
    """Half width of a finger whose border is seen, over the image height."""
    rotation: Range = (-8, 8)
    """Angle of the finger in degrees."""
    trunks: tuple[int, int] = (2, 5)
    """Number of veins along the finger."""
    bridges: tuple[int, int] = (1, 7)
    """Number of veins between two of these."""
    branches: tuple[int, int] = (1, 7)
    """Number of veins that leave one of these."""
    vein_radius: Range = (0.035, 0.095)
    """Radius of the main veins (log-uniform)."""
    wander: Range = (0.08, 0.35)
    """How far a vein strays sideways, in radians around the finger's axis."""
    contrast: Range = (0.07, 0.8)
    """Absorbance of the main veins (log-uniform): 0.1 darkens by 10 %."""
    contrast_spread: float = 0.4
    """Standard deviation of the logarithm of absorbance among the veins of one finger."""
    scatter: Range = (0.2, 1.4)
    """Blur by tissue above the veins, over the radius of the main veins."""
    drawn_core: float = 0.85
    """Radius to which an annotator draws a sharp vein, over its radius."""
    mottle: Range = (0.0, 0.08)
    """Standard deviation of the cloudiness of tissue."""
    cross_profile: Range = (-1.0, 0.7)
    """Logarithm of the finger's brightness at its edge over that on its axis."""
    joints: Range = (0.0, 1.4)
    """Brightness of the patches at the joints, relative to their surroundings."""
    shadow: Range = (0.0, 0.7)
    """Darkness of broad shadows: bone, tendon, the finger's ends."""
    illumination: Range = (0.03, 0.3)
    """Standard deviation of the logarithm of slow lighting."""
    crease_share: float = 0.5
    hair_share: float = 0.3
    bar_share: float = 0.5
    """Of images with bars of the housing."""
    object_share: float = 0.3
    """Of images with foreign objects."""
    texture_share: float = 0.3
    """Of images with skin texture."""
    rim: Range = (-0.4, 0.8)
    """Brightness of the finger's rim relative to the finger; negative is dark."""
    background: Range = (0.02, 1.3)
    """Brightness outside the finger, relative to the finger (log-uniform)."""
    white: Range = (90, 290)
    """Grey level of the brightest tissue (98 %); above 255 it saturates."""
    gamma: Range = (0.7, 1.4)
    """Exponent of the camera's response."""
    defocus: Range = (0.3, 1.2)
    """Blur of the lens in px, at an image height of 120 px."""
    noise: Range = (0.25, 6.0)
    """Standard deviation of noise in grey levels (log-uniform)."""
    stripe_share: float = 0.3
    """Of images with stripes of the sensor."""
    jpeg_share: float = 0.25
    motion_share: float = 0.1
    """Of images blurred by motion."""

"""What a synthetic image may look like: the ranges that its properties are drawn from."""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class SynthesisSettings:
    """Ranges ``(low, high)`` of a synthetic image; shares are probabilities in [0, 1].

    Lengths are in units of the finger's half width (about 8 mm) unless said otherwise.  The
    defaults are wider than what real sensors show, but for noise; a narrower or shifted copy
    (`dataclasses.replace`) is another sensor.

    Parameters
    ----------
    height : (float, float)
        Image height in px (log-uniform), where no shape is asked for.
    aspect : (float, float)
        Image width over height, where no shape is asked for.
    tree_share : float
        Share of images that show a vessel tree at all angles instead of a finger.
    crop_share : float
        Share of fingers that fill the frame, so that no border is seen.
    finger_height : (float, float)
        Half width of a finger whose border is seen, over the image height.
    rotation : (float, float)
        Angle of the finger in degrees.
    trunks, bridges, branches : (int, int)
        Number of veins along the finger, between two of these, and leaving one of these.
    vein_radius : (float, float)
        Radius of the main veins (log-uniform).
    wander : (float, float)
        How far a vein strays sideways, in radians around the finger's axis.
    contrast : (float, float)
        Absorbance of the main veins (log-uniform): 0.1 darkens by 10 %.
    contrast_spread : float
        Standard deviation of the logarithm of absorbance among the veins of one finger.
    scatter : (float, float)
        Blur by tissue above the veins, over the radius of the main veins.
    drawn_core : float
        Radius to which an annotator draws a sharp vein, over its radius.
    mottle : (float, float)
        Standard deviation of the cloudiness of tissue.
    cross_profile : (float, float)
        Logarithm of the finger's brightness at its edge over that on its axis.
    joints : (float, float)
        Brightness of the patches at the joints, relative to their surroundings.
    shadow : (float, float)
        Darkness of broad shadows: bone, tendon, the finger's ends.
    illumination : (float, float)
        Standard deviation of the logarithm of slow lighting.
    crease_share, hair_share, bar_share, object_share, texture_share : float
        Shares of images with creases, hairs, housing bars, foreign objects, skin texture.
    rim : (float, float)
        Brightness of the finger's rim relative to the finger; negative is dark.
    background : (float, float)
        Brightness outside the finger, relative to the finger (log-uniform).
    white : (float, float)
        Grey level of the brightest tissue (98 %); above 255 it saturates.
    gamma : (float, float)
        Exponent of the camera's response.
    defocus : (float, float)
        Blur of the lens in px, at an image height of 120 px.
    noise : (float, float)
        Standard deviation of noise in grey levels (log-uniform).
    stripe_share, jpeg_share, motion_share : float
        Shares of images with sensor stripes, JPEG compression, motion blur.
    """

    height: Range = (60, 240)
    aspect: Range = (1.2, 2.7)
    tree_share: float = 0.25
    crop_share: float = 0.4
    finger_height: Range = (0.26, 0.5)
    rotation: Range = (-8, 8)
    trunks: tuple[int, int] = (2, 5)
    bridges: tuple[int, int] = (1, 7)
    branches: tuple[int, int] = (1, 7)
    vein_radius: Range = (0.035, 0.095)
    wander: Range = (0.08, 0.35)
    contrast: Range = (0.07, 0.8)
    contrast_spread: float = 0.4
    scatter: Range = (0.2, 1.4)
    drawn_core: float = 0.85
    mottle: Range = (0.0, 0.08)
    cross_profile: Range = (-1.0, 0.7)
    joints: Range = (0.0, 1.4)
    shadow: Range = (0.0, 0.7)
    illumination: Range = (0.03, 0.3)
    crease_share: float = 0.5
    hair_share: float = 0.3
    bar_share: float = 0.5
    object_share: float = 0.3
    texture_share: float = 0.3
    rim: Range = (-0.4, 0.8)
    background: Range = (0.02, 1.3)
    white: Range = (90, 290)
    gamma: Range = (0.7, 1.4)
    defocus: Range = (0.3, 1.2)
    noise: Range = (0.25, 6.0)
    stripe_share: float = 0.3
    jpeg_share: float = 0.25
    motion_share: float = 0.1

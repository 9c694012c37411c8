"""One synthetic image with its truth."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.array_types import Field
from napari_veinseg.data.synthesis import distractors
from napari_veinseg.data.synthesis.anatomy import finger_veins, tree_veins
from napari_veinseg.data.synthesis.optics import field_light, tissue_light, with_rim
from napari_veinseg.data.synthesis.pose import draw_pose, moved
from napari_veinseg.data.synthesis.random_fields import log_uniform
from napari_veinseg.data.synthesis.rendering import Course, course, draw_veins
from napari_veinseg.data.synthesis.sensor import Sensor, draw_sensor, expose, read_out
from napari_veinseg.data.synthesis.settings import SynthesisSettings

_DEFAULT = SynthesisSettings()
_BLUR_BY_DEPTH = (0.5, 1.0, 1.6)  # of the blur at middle depth
_SEEN = 0.03  # a vein this much darker than its shoulders is drawn by an annotator ...
_EDGE = 1.5  # radii of a vein from the tissue's edge in which a vein is not told from it
_UNSEEN = 0.014  # ... and one below this is not; between the two nobody can decide


@dataclass(frozen=True)
class SyntheticFinger:
    """A synthetic image and what is known about it."""

    image: NDArray[np.uint8]
    """The photograph."""
    mask: NDArray[np.uint8]
    """0 background, 1 vein, 2 unsure: a vein that is there but can hardly be seen."""
    region: NDArray[np.bool_]
    """Where tissue is seen."""


@dataclass(frozen=True)
class _Scene:
    """What stands before the camera: light without veins, veins, and where tissue is seen."""

    light: Field
    courses: list[Course]
    blur: float
    """Of veins at middle depth, in px."""
    region: NDArray[np.bool_]


def synthetic_finger(
    seed: int,
    shape: tuple[int, int] | None = None,
    settings: SynthesisSettings = _DEFAULT,
    shot: int = 0,
) -> SyntheticFinger:
    """Make one image of a finger, its veins' mask and its region.

    The seed, at least 0, says which finger and which sensor of those that the settings allow; the
    shot which photograph of it: pose, exposure, blur and noise change.  The shape `(Y, X)`, at
    least 16 px each, is drawn from the settings if it is not given.  The same arguments give the
    same image.  Light is absorbed by a branching set of veins (Beer-Lambert) and blurred by the
    tissue above them.
    """
    rng = np.random.default_rng([seed, 0])
    shape = shape or _draw_shape(rng, settings)
    if shape[0] > 1.2 * shape[1]:  # a finger that stands upright
        flat = synthetic_finger(seed, shape[::-1], settings, shot)
        return SyntheticFinger(*(np.ascontiguousarray(part.T) for part in vars(flat).values()))
    sensor = draw_sensor(rng, shape[0], settings)
    shot_rng = np.random.default_rng([seed, 1, shot])
    is_tree = rng.random() < settings.tree_share
    scene = (_tree_scene if is_tree else _finger_scene)(rng, shot_rng, shape, settings)
    return _photograph(shot_rng, scene, sensor, settings.drawn_core)


def synthetic_field(seed: int, shape: tuple[int, int] = (1024, 1024)) -> SyntheticFinger:
    """Make a wide field of skin with vessels at all angles, as on the back of a hand."""
    settings = SynthesisSettings(
        tree_share=1.0,
        vein_radius=(0.03, 0.05),
        contrast=(0.25, 0.35),
        scatter=(0.5, 0.7),
        noise=(1.5, 2.0),
        white=(170, 210),
        object_share=0.0,
        bar_share=0.0,
        stripe_share=0.0,
        motion_share=0.0,
    )
    return synthetic_finger(seed, shape, settings)


def _draw_shape(rng: Generator, settings: SynthesisSettings) -> tuple[int, int]:
    height = log_uniform(rng, settings.height)
    return round(height), round(height * rng.uniform(*settings.aspect))


def _finger_scene(
    rng: Generator,
    shot_rng: Generator,
    shape: tuple[int, int],
    settings: SynthesisSettings,
) -> _Scene:
    pose = draw_pose(rng, shape, settings)
    veins = finger_veins(rng, pose.length, settings)
    pose = moved(shot_rng, pose)
    along, across = pose.coordinates()
    light = tissue_light(rng, along, across, pose, settings)
    light, opaque = _with_distractors(rng, light, along, across, pose.unit, settings)
    light = with_rim(rng, light, across, pose.unit, settings)
    if rng.random() < settings.bar_share:
        light = distractors.bars(rng, light, opaque)
    courses = [course(vein, *pose.course(vein), pose.unit) for vein in veins]
    radius = _typical_radius([vein.radius for vein in veins]) * pose.unit
    blur = rng.uniform(*settings.scatter) * shot_rng.uniform(0.9, 1.1) * radius
    return _Scene(light, courses, blur, (np.abs(across) < 1) & ~opaque)


def _tree_scene(
    rng: Generator,
    shot_rng: Generator,
    shape: tuple[int, int],
    settings: SynthesisSettings,
) -> _Scene:
    unit = shape[0] / 2
    veins = tree_veins(rng, shape[1] / shape[0], settings)
    light = field_light(rng, shape, settings)
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    y, x = np.broadcast_arrays(y[:, None], x[None] * shape[1] / shape[0])
    region = np.ones(shape, bool)
    light, opaque = _with_distractors(rng, light, x + 2, y, unit, settings)
    outline = rng.random()
    if outline < 0.35:  # an arm or a hand before a background
        pose = draw_pose(rng, shape, replace(settings, crop_share=0.0))
        across = pose.coordinates()[1]
        light = with_rim(rng, light, across, pose.unit, settings)
        region = np.abs(across) < 1
    elif outline < 0.65:  # a round field of view, as through a lens
        beyond = np.hypot(y, x) - rng.uniform(0.85, 1.3)
        region = beyond < 0
        light = np.where(region, light, rng.choice([0.01, 0.05, 0.3])).astype(np.float32)
    if rng.random() < 0.5 * settings.bar_share:
        light = distractors.bars(rng, light, opaque)
    centre, shift = np.array(shape) / 2, shot_rng.normal(0, 0.05 * unit, 2)
    courses = []
    for vein in veins:
        points = np.stack([vein.across, vein.along], axis=1) * unit + centre + shift
        shown = np.ones(len(points), np.float32)
        courses.append(course(vein, points.astype(np.float32), shown, unit))
    radius = _typical_radius([vein.radius for vein in veins]) * unit
    blur = rng.uniform(*settings.scatter) * rng.uniform(0.1, 1.0) * radius
    return _Scene(light, courses, blur, region & ~opaque)


def _with_distractors(
    rng: Generator,
    light: Field,
    along: Field,
    across: Field,
    unit: float,
    settings: SynthesisSettings,
) -> tuple[Field, NDArray[np.bool_]]:
    """Put on the tissue what is no vein."""
    opaque = np.zeros(light.shape, bool)
    if rng.random() < settings.crease_share:
        light = light * distractors.creases(rng, along, across, unit)
    if rng.random() < settings.hair_share:
        light = light * distractors.hairs(rng, light.shape)
    if rng.random() < settings.texture_share:
        light = light * distractors.skin_texture(rng, light.shape, unit)
    if rng.random() < settings.object_share:
        factors, opaque = distractors.objects(rng, along, across, unit)
        light = light * factors
    return light.astype(np.float32), opaque


def _typical_radius(radii: list[Field]) -> float:
    return float(np.median([radius.mean() for radius in radii if len(radius)] or [0.0]))


def _photograph(rng: Generator, scene: _Scene, sensor: Sensor, core: float) -> SyntheticFinger:
    """Expose the scene with and without veins; the difference says which veins can be seen."""
    shape = scene.light.shape
    blur = tuple(scene.blur * factor for factor in _BLUR_BY_DEPTH)
    absorbance, drawn = draw_veins(scene.courses, shape, blur, sensor.defocus, core)
    absorbance *= ndimage.gaussian_filter(scene.region.astype(np.float32), 1.0)
    lit = scene.light[scene.region] if scene.region.any() else scene.light
    gain = rng.uniform(0.92, 1.08) / max(float(np.percentile(lit, 98)), 1e-6)
    without = expose(sensor, scene.light, gain)
    grey = expose(sensor, scene.light * np.exp(-absorbance), gain)
    image = read_out(rng, sensor, grey)

    radius = max(1.0, _typical_radius([item.radius for item in scene.courses]))
    darkness = without - grey
    shoulders = 2 * radius + scene.blur
    contrast = darkness / np.maximum(without, 4)
    contrast = contrast - ndimage.gaussian_filter(contrast, shoulders, truncate=2)
    # Averaged over a vein's width, noise of the same size as the darkness still hides nothing.
    contrast = np.where(darkness > 0.5 * sensor.noise / np.sqrt(radius), contrast, 0)
    around = 2 * round(radius) + 1
    contrast = ndimage.maximum_filter(contrast, around)
    valley = ndimage.maximum_filter(_valley_depth(grey, scene.courses, shoulders), around)
    drawn &= scene.region
    mask = np.where(drawn & (contrast > _UNSEEN), np.uint8(2), np.uint8(0))
    mask[drawn & (contrast > _SEEN) & (valley > _SEEN) & _away_from_edges(scene, radius)] = 1
    return SyntheticFinger(image, mask, scene.region)


def _away_from_edges(scene: _Scene, radius: float) -> NDArray[np.bool_]:
    """Where a vein is not hidden by an edge of the tissue: beside one nobody tells it from it."""
    size = 2 * round(_EDGE * radius) + 1
    return ndimage.minimum_filter(scene.region, size, mode="nearest")


def _valley_depth(grey: Field, courses: list[Course], shoulders: float) -> Field:
    """How much darker a pixel is than what lies on both sides of it, relative to that.

    A vein that merges with the finger's dark edge absorbs light and still shows no valley: nobody
    could tell it from the edge, and a network that had to would learn to mark edges.
    """
    widest = max((float(item.radius.max()) for item in courses if len(item.radius)), default=1.0)
    side = 2 * round(max(1.4 * widest, shoulders)) + 1
    closed = ndimage.grey_closing(grey, size=(side, side), mode="nearest")
    return (closed - grey) / np.maximum(closed, 4)

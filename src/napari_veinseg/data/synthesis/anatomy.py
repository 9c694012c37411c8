"""Where veins run: along a finger, or as a tree at all angles."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from napari_veinseg.data.synthesis.random_fields import HalfWidths, Line, log_uniform, smooth_walk
from napari_veinseg.data.synthesis.settings import SynthesisSettings

DEPTHS = 3  # layers of tissue; a vein lies in one of them

_STEPS = 40  # samples in a vein per half width of the finger

Aspect = Annotated[float, "width of the frame over its height"]


@dataclass(frozen=True)
class Vein:
    """One vein between two joins."""

    along: Line
    across: Line
    """Along and across are its course.  On a finger: distance along the axis in half widths, and
    the angle around the axis in radians (0 faces the camera).  In a tree: x and y in half heights
    of the frame."""
    radius: Line
    """Its radius, in half widths or half heights."""
    absorbance: Line
    """Its absorbance, seen through no tissue."""
    depth: int
    """The layer it lies in: 0 is the shallowest."""


def finger_veins(rng: Generator, length: HalfWidths, settings: SynthesisSettings) -> list[Vein]:
    """Draw the veins of a finger in its own coordinates: trunks, bridges and branches."""
    main_radius = log_uniform(rng, settings.vein_radius)
    absorbance = log_uniform(rng, settings.contrast)
    wander = rng.uniform(*settings.wander)
    along = np.linspace(0, length, int(length * _STEPS), dtype=np.float32)

    count = int(rng.integers(*settings.trunks, endpoint=True))
    if not count:
        return []
    spread = np.linspace(-1.05, 1.05, count + 1)
    lanes = spread[:-1] + rng.uniform(0, 1, count) * np.diff(spread)
    courses = [
        lane
        + wander * smooth_walk(rng, len(along), _STEPS * rng.uniform(1.0, 3.0))
        + rng.normal(0, 0.5 * wander) * (along / length - 0.5)
        for lane in lanes
    ]
    depths = rng.integers(0, DEPTHS, count)
    widths = main_radius * rng.uniform(0.7, 1.3, count)

    def vein(course: Line, where: slice, radius: float, depth: int, fade: Line) -> Vein:
        return _vein(rng, along[where], course, radius, absorbance * fade, depth, settings)

    veins: list[Vein] = []
    for course, radius, depth in zip(courses, widths, depths, strict=True):
        where = _extent(rng, len(along))
        veins.append(vein(course[where], where, radius, depth, _faded(where, len(along))))
    for _ in range(int(rng.integers(*settings.bridges, endpoint=True))):
        one, other = rng.integers(0, count, 2)
        where = _stretch(rng, len(along), (0.3, 2.5))
        weight = _smoothstep(np.linspace(0, 1, where.stop - where.start, dtype=np.float32))
        bow = wander * smooth_walk(rng, len(weight), 0.7 * len(weight)) * weight * (1 - weight)
        course = courses[one][where] * (1 - weight) + courses[other][where] * weight + 2 * bow
        radius = min(widths[one], widths[other]) * rng.uniform(0.5, 1.0)
        fade = np.clip(8 * np.minimum(weight, 1 - weight), 0, 1)  # unseen where it meets a trunk
        veins.append(vein(course, where, radius, int(depths[one]), fade))
    for _ in range(int(rng.integers(*settings.branches, endpoint=True))):
        parent = int(rng.integers(count))
        where = _stretch(rng, len(along), (0.5, 3.5))
        part = np.linspace(0, 1, where.stop - where.start, dtype=np.float32)
        part = part if rng.random() < 0.5 else part[::-1]
        away = rng.choice([-1, 1]) * rng.uniform(0.2, 0.9) * _smoothstep(part * 0.8)
        away = away + 0.7 * wander * smooth_walk(rng, len(part), _STEPS) * _smoothstep(3 * part)
        radius = widths[parent] * rng.uniform(0.35, 0.85)
        # The free end dives into deeper tissue.
        fade = np.clip(np.minimum(3 * (1 - part), 8 * part), 0, 1)
        course = courses[parent][where] + away
        veins.append(vein(course, where, radius, int(depths[parent]), fade))
    return veins


def tree_veins(rng: Generator, aspect: Aspect, settings: SynthesisSettings) -> list[Vein]:
    """Draw vessels that enter from anywhere and split again and again, about the middle."""
    radius = log_uniform(rng, settings.vein_radius) * rng.uniform(0.5, 1.0)
    absorbance = log_uniform(rng, settings.contrast)
    straying = rng.uniform(0.2, 1.0)
    from_disc = rng.random() < 0.3  # vessels that leave one point, as on a retina
    disc = rng.uniform(-0.8, 0.8, 2) * (aspect, 1)
    open_ends: list[tuple[NDArray[np.float64], float, float, int]] = []
    for _ in range(int(rng.integers(2, 6))):
        angle = rng.uniform(0, 2 * np.pi)
        away = np.array([np.cos(angle), np.sin(angle)])
        if from_disc:
            open_ends.append((disc, angle, radius, 0))
        else:
            start = 1.2 * away * (aspect, 1)
            open_ends.append((start, angle + np.pi + rng.normal(0, 0.4), radius, 0))
    veins: list[Vein] = []
    while open_ends and len(veins) < 45:
        start, angle, width, generation = open_ends.pop(0)
        count = int(_STEPS * rng.uniform(0.4, 1.6))
        heading = angle + straying * np.cumsum(smooth_walk(rng, count, _STEPS / 3)) * 2 / _STEPS
        x = start[0] + np.cumsum(np.cos(heading)) / _STEPS
        y = start[1] + np.cumsum(np.sin(heading)) / _STEPS
        depth = int(rng.integers(DEPTHS)) if generation == 0 else veins[-1].depth
        vein = _vein(
            rng, x.astype(np.float32), y.astype(np.float32), width, absorbance, depth, settings
        )
        veins.append(vein)
        end = np.array([x[-1], y[-1]])
        if generation < 5 and np.all(np.abs(end) < 1.3 * np.array([aspect, 1])):
            larger = rng.uniform(0.65, 0.98)
            smaller = (1 - larger**3) ** (1 / 3)  # Murray's law: the cubes of radii add up
            side = rng.choice([-1, 1])
            for share, turn in ((larger, -0.25), (smaller, 0.8)):
                turned = heading[-1] + side * turn * rng.uniform(0.5, 1.5)
                open_ends.append((end, turned, width * share, generation + 1))
    return veins


def _vein(
    rng: Generator,
    along: Line,
    across: Line,
    radius: float,
    absorbance: float | Line,
    depth: int,
    settings: SynthesisSettings,
) -> Vein:
    """Let radius and absorbance of a vein vary slowly along it."""
    count = len(along)
    swelling = np.exp(0.12 * smooth_walk(rng, count, 2 * _STEPS))
    fading = np.exp(0.25 * smooth_walk(rng, count, 1.5 * _STEPS))
    strength = absorbance * np.exp(rng.normal(0, settings.contrast_spread))
    return Vein(
        along,
        across.astype(np.float32),
        (radius * swelling).astype(np.float32),
        (strength * fading).astype(np.float32),
        int(depth),
    )


def _extent(rng: Generator, count: int) -> slice:
    """Most trunks pass through; some begin or end on the way."""
    if rng.random() < 0.65:
        return slice(0, count)
    cut = int(count * rng.uniform(0.2, 0.8))
    return slice(0, cut) if rng.random() < 0.5 else slice(cut, count)


def _faded(where: slice, count: int) -> Line:
    """Let a trunk that begins or ends on the way do so gently."""
    place = np.arange(where.start, where.stop, dtype=np.float32)
    fade = np.ones_like(place)
    if where.start > 0:
        fade = np.minimum(fade, (place - where.start) / _STEPS)
    if where.stop < count:
        fade = np.minimum(fade, (where.stop - place) / _STEPS)
    return fade


def _stretch(rng: Generator, count: int, lengths: tuple[float, float]) -> slice:
    size = min(count - 1, max(8, int(log_uniform(rng, lengths) * _STEPS)))
    start = int(rng.integers(0, count - size))
    return slice(start, start + size)


def _smoothstep(part: Line) -> Line:
    part = np.clip(part, 0, 1)
    return part * part * (3 - 2 * part)

"""Where the finger lies in the frame, and which pixel shows which part of it."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.random import Generator

from napari_veinseg.data.array_types import Field
from napari_veinseg.data.synthesis.anatomy import Vein
from napari_veinseg.data.synthesis.random_fields import Across, Along, Line, Places, smooth_walk
from napari_veinseg.data.synthesis.settings import SynthesisSettings

TABLE = 1024  # samples of the outline along the finger
_GRAZING = 0.25  # cosine of the angle at which a vein is no longer seen
MARGIN = 1.5  # half widths of finger beyond each side of the frame, so that it can be shifted

Facing = Annotated[Line, "1 where a vein faces the camera, 0 at the finger's edge and behind"]


@dataclass(frozen=True)
class Pose:
    """The map between a finger and the frame."""

    shape: tuple[int, int]
    """Y, X of the frame."""
    unit: float
    """Half width of the finger in px."""
    origin: tuple[float, float]
    """y, x in px of the middle of the finger's axis."""
    angle: float
    """Rotation in radians."""
    length: float
    """Length of the finger in half widths."""
    middle: Field
    half: Field
    """Both `(TABLE,)`: the finger's axis, and its half width there, in half widths."""
    roll: float = 0.0
    """Rotation about the finger's own axis in radians."""

    def coordinates(self) -> tuple[Along, Across]:
        """Give each pixel's place in the finger."""
        y = (np.arange(self.shape[0], dtype=np.float32)[:, None] - self.origin[0]) / self.unit
        x = (np.arange(self.shape[1], dtype=np.float32)[None] - self.origin[1]) / self.unit
        cosine, sine = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        along = cosine * x + sine * y + np.float32(self.length / 2)
        across = cosine * y - sine * x
        place = np.clip(along * (TABLE - 1) / self.length, 0, TABLE - 1).astype(np.intp)
        return along, (across - self.middle[place]) / self.half[place]

    def course(self, vein: Vein) -> tuple[Places, Facing]:
        """Give the pixel places of a vein of the finger, and where it faces the camera."""
        turn = vein.across + self.roll
        table = np.linspace(0, self.length, TABLE)
        middle = np.interp(vein.along, table, self.middle)
        half = np.interp(vein.along, table, self.half)
        across = middle + 0.97 * half * np.sin(turn)
        along = vein.along - self.length / 2
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        y = self.origin[0] + self.unit * (sine * along + cosine * across)
        x = self.origin[1] + self.unit * (cosine * along - sine * across)
        # Towards the edge light passes more and more tissue that does not hold the vein.
        facing = np.clip((np.cos(turn) - _GRAZING) / 0.3, 0, 1)
        facing *= np.clip((half - 0.55) / 0.3, 0, 1)  # the tip has only fine vessels
        return np.stack([y, x], axis=1).astype(np.float32), facing.astype(np.float32)


def draw_pose(rng: Generator, shape: tuple[int, int], settings: SynthesisSettings) -> Pose:
    """Draw how a finger lies in the frame, which it fills in `settings.crop_share` of the draws."""
    height, width = shape
    fills_frame = rng.random() < settings.crop_share
    if fills_frame:
        unit, play = height * rng.uniform(0.52, 0.95), 0.0
    else:
        unit, play = height * rng.uniform(*settings.finger_height), 0.12
    length = width / unit + 2 * MARGIN
    along = np.linspace(0, length, TABLE)
    knot = TABLE / length  # samples of one half width
    middle = 0.06 * smooth_walk(rng, TABLE, 3 * knot)
    half = 1 + 0.05 * smooth_walk(rng, TABLE, 1.5 * knot)
    half += rng.normal(0, 0.02) * (along - length / 2)
    if not fills_frame and rng.random() < 0.3:
        tip = length - MARGIN - rng.uniform(0, 1.5)
        half *= np.sqrt(np.clip(1 - np.clip((along - tip + 1) / 1.0, 0, 1) ** 2, 1e-8, 1))
    return Pose(
        shape=shape,
        unit=unit,
        origin=(height * (0.5 + rng.uniform(-play, play)), width / 2),
        angle=np.deg2rad(rng.uniform(*settings.rotation)),
        length=length,
        middle=middle.astype(np.float32),
        half=half.astype(np.float32),
    )


def moved(rng: Generator, pose: Pose) -> Pose:
    """Lay the same finger down anew: a little shifted, turned, rolled and nearer or farther."""
    shift = rng.normal(0, (0.05, 0.12)) * pose.unit
    return replace(
        pose,
        unit=pose.unit * rng.uniform(0.97, 1.03),
        origin=(pose.origin[0] + shift[0], pose.origin[1] + shift[1]),
        angle=pose.angle + np.deg2rad(rng.normal(0, 1.5)),
        roll=rng.normal(0, 0.07),
    )
